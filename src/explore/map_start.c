#include <math.h>
#include <strait/explore_pca.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/maps_int.h"

/* What a draw is for, within ST_RNG_MAP. */
#define RANDOM_START 1

strait_status st_map_dims(int *dims, int asked, strait_error *err) {
    if (asked != 0 && asked != 2 && asked != 3)
        return st_fail(err, STRAIT_ARGUMENT, "a map has 2 or 3 dimensions, not %d", asked);
    *dims = asked ? asked : 2;
    return STRAIT_OK;
}

void st_map_start_random(float *y, int64_t n, int dims, uint64_t seed) {
    for (int64_t i = 0; i < n; i++) {
        float draw[4];
        st_rng_normal(&(st_rng){.seed = seed, .purpose = ST_RNG_MAP, .epoch = RANDOM_START, .sample = (uint32_t)i}, 0,
                      draw, 4);
        memcpy(y + i * dims, draw, (size_t)dims * sizeof *y);
    }
}

/* The first k scores into the first columns of y; *deviation is the first one's. */
static strait_status take_scores(float *y, int dims, int k, double *deviation, const st_rows *x, uint64_t seed,
                                 int threads, strait_error *err) {
    const strait_array view = {.n_dims = 2, .dim = {x->n, x->d}, .values = (float *)(uintptr_t)x->values};
    strait_pca *pca = NULL;
    strait_array *scores = NULL;
    const strait_pca_options options = {.components = k, .seed = seed, .threads = threads};
    strait_status status = strait_pca_fit(&pca, &view, &options, err);
    if (status == STRAIT_OK) status = strait_pca_transform(&scores, pca, &view, k, err);
    if (status == STRAIT_OK) {
        *deviation = sqrt(pca->variance[0]);
        for (int64_t i = 0; i < x->n; i++)
            for (int c = 0; c < k; c++)
                y[i * dims + c] = scores->values[i * k + c];
    }
    strait_array_free(scores);
    strait_pca_free(pca);
    return status;
}

strait_status st_map_start_pca(float *y, int dims, const st_rows *x, uint64_t seed, int threads, strait_error *err) {
    const int64_t most = x->n - 1 < x->d ? x->n - 1 : x->d;
    int k = most < dims ? (int)most : dims;
    double deviation = 1;
    strait_error why = {0};
    st_map_start_random(y, x->n, dims, seed);
    for (; k > 0; k--) {
        const strait_status status = take_scores(y, dims, k, &deviation, x, seed, threads, &why);
        if (status == STRAIT_OK) break;
        if (status == STRAIT_ARGUMENT) continue; /* the data's rank is less, or all samples are the same */
        if (err) *err = why;
        return status;
    }
    const float small = (float)(deviation > 0 ? deviation * 1e-3 : 1e-3);
    for (int64_t i = 0; i < x->n; i++)
        for (int c = k; c < dims; c++)
            y[i * dims + c] *= small;
    return STRAIT_OK;
}
