/* The mean silhouette. Distances come from products of blocks in double: sums of float32 products would not tell near
   samples apart from the same ones. */
#include <strait/explore_scores.h>

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/scores_int.h"

#define ROWS 64     /* samples of a chunk */
#define COLUMNS 512 /* samples they are compared with at once */

typedef struct silhouette {
    int64_t n, d, k;
    bool cosine;
    const int32_t *code;
    int64_t *size; /* [k] */
    double *row;   /* [n, d]: moved to the mean; cosine: of length 1 */
    double *norm;  /* [n]: squared lengths */
    double *value; /* [n]: of each sample */
    double *block; /* [workers, ROWS, COLUMNS] */
    double *sum;   /* [workers, ROWS, k]: distances to each cluster */
} silhouette;

static void add_block(const silhouette *s, double *sum, const double *block, int64_t first, int64_t end, int64_t column,
                      int64_t n_columns) {
    for (int64_t i = first; i < end; i++)
        for (int64_t j = column; j < column + n_columns; j++) {
            if (j == i) continue;
            const double dot = block[(i - first) * COLUMNS + j - column];
            const double distance = s->cosine ? fmax(1 - dot, 0) : sqrt(fmax(s->norm[i] + s->norm[j] - 2 * dot, 0));
            sum[(i - first) * s->k + s->code[j]] += distance;
        }
}

/* (b - a) / max(a, b): a the mean distance to the others of its own cluster, b to the nearest other cluster. */
static double value_of(const silhouette *s, const double *sum, int32_t own) {
    if (s->size[own] == 1) return 0;
    const double a = sum[own] / (double)(s->size[own] - 1);
    double b = INFINITY;
    for (int64_t c = 0; c < s->k; c++)
        if (c != own) b = fmin(b, sum[c] / (double)s->size[c]);
    const double greater = fmax(a, b);
    return greater > 0 ? (b - a) / greater : 0;
}

static void work(void *context, int64_t first, int64_t end, int worker) {
    silhouette *s = context;
    double *block = s->block + (int64_t)worker * ROWS * COLUMNS, *sum = s->sum + (int64_t)worker * ROWS * s->k;
    for (int64_t i = 0; i < (end - first) * s->k; i++)
        sum[i] = 0;
    for (int64_t column = 0; column < s->n; column += COLUMNS) {
        const int64_t n_columns = s->n - column < COLUMNS ? s->n - column : COLUMNS;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)(end - first), (blasint)n_columns, (blasint)s->d,
                    1, s->row + first * s->d, (blasint)s->d, s->row + column * s->d, (blasint)s->d, 0, block, COLUMNS);
        add_block(s, sum, block, first, end, column, n_columns);
    }
    for (int64_t i = first; i < end; i++)
        s->value[i] = value_of(s, sum + (i - first) * s->k, s->code[i]);
}

static double length_of(const float *row, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += (double)row[j] * (double)row[j];
    return sqrt(sum);
}

/* Rows of length 1; one coordinate more, which is 1 for rows of zeros alone: they are as far as can be from all but
   each other. */
static void take_unit_rows(silhouette *s, const st_rows *x) {
    for (int64_t i = 0; i < x->n; i++) {
        const double length = length_of(x->values + i * x->d, x->d);
        double *to = s->row + i * s->d;
        for (int64_t j = 0; j < x->d; j++)
            to[j] = length > 0 ? (double)x->values[i * x->d + j] / length : 0;
        to[x->d] = length > 0 ? 0 : 1;
    }
}

static void take_centred_rows(silhouette *s, const st_rows *x) {
    for (int64_t j = 0; j < x->d; j++) {
        double mean = 0;
        for (int64_t i = 0; i < x->n; i++)
            mean += (double)x->values[i * x->d + j];
        mean /= (double)x->n;
        for (int64_t i = 0; i < x->n; i++)
            s->row[i * s->d + j] = (double)x->values[i * x->d + j] - mean;
    }
    st_blas_alone();
    for (int64_t i = 0; i < x->n; i++)
        s->norm[i] = cblas_ddot((blasint)s->d, s->row + i * s->d, 1, s->row + i * s->d, 1);
    st_blas_restore();
}

/* The memory and what stands in it before the work. */
static strait_status prepare(silhouette *s, const st_rows *x, int workers, strait_error *err) {
    s->size = st_alloc((size_t)s->k, sizeof *s->size);
    s->row = st_alloc((size_t)s->n, (size_t)s->d * sizeof *s->row);
    s->norm = st_alloc((size_t)s->n, sizeof *s->norm);
    s->value = st_alloc((size_t)s->n, sizeof *s->value);
    s->block = st_alloc((size_t)workers, ROWS * COLUMNS * sizeof *s->block);
    s->sum = st_alloc((size_t)workers, ROWS * (size_t)s->k * sizeof *s->sum);
    if (!s->size || !s->row || !s->norm || !s->value || !s->block || !s->sum)
        return st_fail_memory(err, (size_t)(s->n * s->d) * sizeof *s->row, "the silhouette");
    for (int64_t i = 0; i < s->n; i++)
        s->size[s->code[i]]++;
    if (s->cosine)
        take_unit_rows(s, x);
    else
        take_centred_rows(s, x);
    return STRAIT_OK;
}

static strait_status mean_silhouette(double *out, silhouette *s, const st_rows *x, int threads, strait_error *err) {
    st_pool *pool = NULL;
    strait_status status = prepare(s, x, threads, err);
    if (status == STRAIT_OK) status = st_pool_new(&pool, threads, NULL, err);
    if (status == STRAIT_OK) {
        st_chunks(pool, s->n, ROWS, work, s);
        double sum = 0;
        for (int64_t i = 0; i < s->n; i++)
            sum += s->value[i];
        *out = sum / (double)s->n;
    }
    st_pool_free(pool);
    st_free(s->sum);
    st_free(s->block);
    st_free(s->value);
    st_free(s->norm);
    st_free(s->row);
    st_free(s->size);
    return status;
}

/* Codes of the clusters as they come. */
static strait_status code_clusters(int32_t **code, int64_t *k, const int32_t *cluster, int64_t n, strait_error *err) {
    int64_t *wide = st_alloc((size_t)n, sizeof *wide);
    *code = st_alloc((size_t)n, sizeof **code);
    strait_status status = wide && *code ? STRAIT_OK : st_fail_memory(err, (size_t)n * sizeof *wide, "classes");
    if (status == STRAIT_OK) {
        for (int64_t i = 0; i < n; i++)
            wide[i] = cluster[i];
        status = st_codes(*code, k, wide, n, err);
    }
    st_free(wide);
    return status;
}

STRAIT_API strait_status strait_silhouette(double *out, const strait_array *x, const int32_t *cluster,
                                           strait_metric metric, int threads, strait_error *err) {
    st_rows rows;
    int32_t *code = NULL;
    int64_t k = 0;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    if (!cluster) return st_fail(err, STRAIT_ARGUMENT, "there are no clusters to judge");
    if (metric != STRAIT_METRIC_EUCLIDEAN && metric != STRAIT_METRIC_COSINE)
        return st_fail(err, STRAIT_ARGUMENT, "metric %d is not known", (int)metric);
    strait_status status = code_clusters(&code, &k, cluster, rows.n, err);
    if (status == STRAIT_OK && k < 2) {
        *out = NAN;
    } else if (status == STRAIT_OK) {
        const bool cosine = metric == STRAIT_METRIC_COSINE;
        silhouette s = {.n = rows.n, .d = rows.d + cosine, .k = k, .cosine = cosine, .code = code};
        status = mean_silhouette(out, &s, &rows, st_explore_threads(threads), err);
    }
    st_free(code);
    return status;
}

/* ---- of a part ---- */

static int by_number(const void *a, const void *b) {
    const uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return (p > q) - (p < q);
}

/* The chosen rows of x, and their clusters. */
static strait_status take_rows(strait_array **part, int32_t *of, const st_rows *x, const int32_t *cluster,
                               const uint32_t *row, int64_t n, strait_error *err) {
    ST_TRY(strait_array_new(part, 2, (int64_t[]){n, x->d}, err));
    for (int64_t i = 0; i < n; i++) {
        memcpy((*part)->values + i * x->d, x->values + (int64_t)row[i] * x->d, (size_t)x->d * sizeof(float));
        of[i] = cluster[row[i]];
    }
    return STRAIT_OK;
}

STRAIT_API strait_status strait_silhouette_sample(double *out, const strait_array *x, const int32_t *cluster,
                                                  strait_metric metric, int64_t most, uint64_t seed, int threads,
                                                  strait_error *err) {
    st_rows rows;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    if (!cluster) return st_fail(err, STRAIT_ARGUMENT, "there are no clusters to judge");
    if (most < 2) return st_fail(err, STRAIT_ARGUMENT, "a silhouette of %lld samples: two are needed", (long long)most);
    if (rows.n <= most) return strait_silhouette(out, x, cluster, metric, threads, err);
    uint32_t *row = st_alloc((size_t)rows.n, sizeof *row);
    int32_t *of = st_alloc((size_t)most, sizeof *of);
    strait_array *part = NULL;
    strait_status status = row && of ? STRAIT_OK : st_fail_memory(err, (size_t)rows.n * sizeof *row, "a silhouette");
    if (status == STRAIT_OK) {
        st_rng_shuffle(&(st_rng){.seed = seed, .purpose = ST_RNG_CLUSTERS}, row, (uint32_t)rows.n);
        qsort(row, (size_t)most, sizeof *row, by_number); /* rows are read in their order */
        status = take_rows(&part, of, &rows, cluster, row, most, err);
    }
    if (status == STRAIT_OK) status = strait_silhouette(out, part, of, metric, threads, err);
    strait_array_free(part);
    st_free(of);
    st_free(row);
    return status;
}
