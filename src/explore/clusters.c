#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/clusters_int.h"

strait_status st_clusters_new(strait_clusters **out, int64_t n, strait_error *err) {
    strait_clusters *clusters = st_alloc(1, sizeof *clusters);
    *out = NULL;
    if (!clusters) return st_fail_memory(err, sizeof *clusters, "clusters");
    clusters->n = n;
    clusters->k = 1;
    clusters->cluster = st_alloc((size_t)n, sizeof *clusters->cluster);
    if (!clusters->cluster) {
        st_free(clusters);
        return st_fail_memory(err, (size_t)n * sizeof *clusters->cluster, "clusters");
    }
    *out = clusters;
    return STRAIT_OK;
}

STRAIT_API void strait_clusters_free(strait_clusters *clusters) {
    if (!clusters) return;
    strait_array_free(clusters->centre);
    st_free(clusters->cluster);
    st_free(clusters);
}

typedef struct sized {
    int64_t size, first;
    int32_t old;
} sized;

static int by_size(const void *a, const void *b) {
    const sized *p = a, *q = b;
    if (p->size != q->size) return p->size < q->size ? 1 : -1;
    return (p->first > q->first) - (p->first < q->first);
}

strait_status st_clusters_order(strait_clusters *clusters, int64_t k, int32_t *old, strait_error *err) {
    sized *all = st_alloc((size_t)k, sizeof *all);
    int32_t *now = st_alloc((size_t)k, sizeof *now);
    if (!all || !now) {
        st_free(all);
        st_free(now);
        return st_fail_memory(err, (size_t)k * sizeof *all, "clusters");
    }
    for (int64_t c = 0; c < k; c++)
        all[c].old = (int32_t)c;
    for (int64_t i = clusters->n - 1; i >= 0; i--) {
        all[clusters->cluster[i]].size++;
        all[clusters->cluster[i]].first = i;
    }
    qsort(all, (size_t)k, sizeof *all, by_size);
    clusters->k = 0;
    for (int64_t c = 0; c < k; c++) {
        clusters->k += all[c].size > 0;
        now[all[c].old] = (int32_t)c;
        if (old) old[c] = all[c].old;
    }
    for (int64_t i = 0; i < clusters->n; i++)
        clusters->cluster[i] = now[clusters->cluster[i]];
    st_free(now);
    st_free(all);
    return STRAIT_OK;
}

/* mean [k, d] */
static void add_rows(double *mean, const strait_clusters *clusters, const float *row, int64_t d) {
    for (int64_t i = 0; i < clusters->n; i++) {
        double *sum = mean + clusters->cluster[i] * d;
        for (int64_t j = 0; j < d; j++)
            sum[j] += (double)row[i * d + j];
    }
}

strait_status st_clusters_means(strait_clusters *clusters, const float *row, int64_t d, int64_t features,
                                strait_error *err) {
    ST_TRY(strait_array_new(&clusters->centre, 2, (int64_t[]){clusters->k, features}, err));
    int64_t *count = st_alloc((size_t)clusters->k, sizeof *count);
    double *mean = st_alloc((size_t)clusters->k, (size_t)d * sizeof *mean);
    if (!count || !mean) {
        st_free(count);
        st_free(mean);
        return st_fail_memory(err, (size_t)(clusters->k * d) * sizeof *mean, "clusters");
    }
    add_rows(mean, clusters, row, d);
    for (int64_t i = 0; i < clusters->n; i++)
        count[clusters->cluster[i]]++;
    for (int64_t c = 0; c < clusters->k * d; c++)
        mean[c] /= (double)count[c / d];
    clusters->score = 0;
    for (int64_t i = 0; i < clusters->n; i++)
        for (int64_t j = 0; j < d; j++) {
            const double away = (double)row[i * d + j] - mean[clusters->cluster[i] * d + j];
            clusters->score += away * away;
        }
    for (int64_t c = 0; c < clusters->k; c++)
        for (int64_t j = 0; j < features; j++)
            clusters->centre->values[c * features + j] = (float)mean[c * d + j];
    st_free(mean);
    st_free(count);
    return STRAIT_OK;
}

double st_explore_uniform(uint64_t seed, uint32_t epoch, uint32_t sample, uint32_t i) {
    const st_rng rng = {.seed = seed, .purpose = ST_RNG_CLUSTERS, .epoch = epoch, .sample = sample};
    const uint64_t high = st_rng_bits(&rng, i) >> 5, low = st_rng_bits(&rng, i + 1) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}
