/* Principal components. All sums are double, so that the covariance is good to its last digits.

   Three ways, of the same result: the eigenvectors of the covariance; where there are fewer samples than features those
   of the samples' products with one another (the Gram matrix), from which the components follow; and, where both are
   large and few components wanted, a subspace that is multiplied by the covariance some times, from a random start, and
   so turns to the largest of them, without the covariance ever being made. */
#include <strait/explore_pca.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "explore/pca_int.h"

#define LARGEST_EXACT 4096 /* beyond, few components are found the randomised way */
#define OVERSAMPLES 10     /* vectors more than wanted: Halko, Martinsson and Tropp's choice */
#define POWERS 7           /* multiplications by the covariance, as scikit-learn for few components */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- fitting ---- */

typedef struct fit {
    const st_rows *x;
    strait_pca *pca;
    int64_t wanted; /* components, at most n and features */
    uint64_t seed;
    int threads;
    st_centred centred;
    double *matrix, *vector, *value, *sketch, *score; /* what each way needs */
} fit;

static void find_mean(double *mean, double *total, const st_rows *x) {
    for (int64_t i = 0; i < x->n; i++)
        for (int64_t j = 0; j < x->d; j++)
            mean[j] += (double)x->values[i * x->d + j];
    for (int64_t j = 0; j < x->d; j++)
        mean[j] /= (double)x->n;
    double sum = 0;
    for (int64_t i = 0; i < x->n; i++) {
        double row = 0;
        for (int64_t j = 0; j < x->d; j++) {
            const double d = (double)x->values[i * x->d + j] - mean[j];
            row += d * d;
        }
        sum += row;
    }
    *total = sum / (double)(x->n - 1);
}

/* Stores component c: a direction of any length, its largest value made positive. */
static void put_component(strait_pca *pca, int64_t c, const double *direction) {
    double square = 0, largest = 0;
    for (int64_t j = 0; j < pca->n_features; j++) {
        square += direction[j] * direction[j];
        if (fabs(direction[j]) > fabs(largest)) largest = direction[j];
    }
    const double factor = (largest < 0 ? -1 : 1) / sqrt(square);
    for (int64_t j = 0; j < pca->n_features; j++)
        pca->component[c * pca->n_features + j] = (float)(direction[j] * factor);
}

/* Keeps the variances that are more than rounding, and their directions [wanted, d]. */
static strait_status keep(fit *f, const double *direction, strait_error *err) {
    strait_pca *pca = f->pca;
    const double noise = f->value[0] * DBL_EPSILON * (double)(f->x->n > f->x->d ? f->x->n : f->x->d);
    int64_t k = 0;
    while (k < f->wanted && k < f->x->n - 1 && f->value[k] > noise)
        k++;
    pca->n_components = (int)k;
    pca->variance = st_alloc((size_t)k, sizeof *pca->variance);
    pca->component = st_alloc((size_t)k, (size_t)f->x->d * sizeof *pca->component);
    if (!pca->variance || !pca->component)
        return st_fail_memory(err, (size_t)(k * f->x->d) * sizeof *pca->component, "components");
    memcpy(pca->variance, f->value, (size_t)k * sizeof *pca->variance);
    for (int64_t c = 0; c < k; c++)
        put_component(pca, c, direction + c * f->x->d);
    return STRAIT_OK;
}

static strait_status fit_covariance(fit *f, strait_error *err) {
    const int64_t d = f->x->d;
    f->matrix = st_doubles(d, d, "the covariance", err);
    f->vector = f->matrix ? st_doubles(f->wanted, d, "eigenvectors", err) : NULL;
    f->value = f->vector ? st_doubles(f->wanted, 1, "eigenvalues", err) : NULL;
    if (!f->value) return STRAIT_MEMORY;
    st_centred_squares(f->matrix, &f->centred, false, 1 / (double)(f->x->n - 1));
    ST_TRY(st_eigen(f->value, f->vector, f->matrix, d, f->wanted, err));
    return keep(f, f->vector, err);
}

/* With u an eigenvector of XX', X'u is one of X'X. */
static strait_status fit_gram(fit *f, strait_error *err) {
    const int64_t n = f->x->n, d = f->x->d;
    f->matrix = st_doubles(n, n, "products of samples", err);
    f->vector = f->matrix ? st_doubles(f->wanted, n, "eigenvectors", err) : NULL;
    f->value = f->vector ? st_doubles(f->wanted, 1, "eigenvalues", err) : NULL;
    f->sketch = f->value ? st_doubles(f->wanted, d, "components", err) : NULL;
    if (!f->sketch) return STRAIT_MEMORY;
    st_centred_squares(f->matrix, &f->centred, true, 1 / (double)(n - 1));
    ST_TRY(st_eigen(f->value, f->vector, f->matrix, n, f->wanted, err));
    st_centred_combine(f->sketch, &f->centred, 0, n, f->vector, false, n, f->wanted);
    return keep(f, f->sketch, err);
}

/* One pass over the samples X: with Z = X q', next = Z'X [l, d], or where that is NULL the covariance of Z into
   f->matrix. */
static void multiply(fit *f, double *next, const double *q, int64_t l) {
    if (next) memset(next, 0, (size_t)(l * f->x->d) * sizeof *next);
    for (int64_t i = 0; i < f->x->n; i += ST_PCA_SAMPLES) {
        const int64_t count = least(ST_PCA_SAMPLES, f->x->n - i);
        st_centred_project(f->score, NULL, &f->centred, i, count, q, l);
        if (next)
            st_centred_combine(next, &f->centred, i, count, f->score, true, l, l);
        else
            st_add_squares(f->matrix, &f->centred, f->score, true, count, l, 1 / (double)(f->x->n - 1));
    }
}

/* l random directions. */
static strait_status draw(double *q, int64_t l, int64_t d, uint64_t seed, strait_error *err) {
    float *row = st_alloc((size_t)d, sizeof *row);
    if (!row) return st_fail_memory(err, (size_t)d * sizeof *row, "a random direction");
    for (int64_t c = 0; c < l; c++) {
        const st_rng rng = {.seed = seed, .purpose = ST_RNG_COMPONENTS, .sample = (uint32_t)c};
        st_rng_normal(&rng, 0, row, (size_t)d);
        for (int64_t j = 0; j < d; j++)
            q[c * d + j] = (double)row[j];
    }
    st_free(row);
    return st_orthonormal(q, l, d, err);
}

static strait_status fit_randomised(fit *f, strait_error *err) {
    const int64_t d = f->x->d, l = f->wanted + OVERSAMPLES; /* far below d: the caller sees to it */
    f->sketch = st_doubles(2 * l, d, "a sketch of the components", err);
    f->score = f->sketch ? st_doubles(ST_PCA_SAMPLES, l, "scores", err) : NULL;
    f->matrix = f->score ? st_doubles(l, l, "a sketch of the covariance", err) : NULL;
    f->vector = f->matrix ? st_doubles(l, l, "eigenvectors", err) : NULL;
    f->value = f->vector ? st_doubles(l, 1, "eigenvalues", err) : NULL;
    if (!f->value) return STRAIT_MEMORY;
    double *q = f->sketch, *next = f->sketch + l * d;
    ST_TRY(draw(q, l, d, f->seed, err));
    for (int i = 0; i < POWERS; i++) {
        multiply(f, next, q, l);
        ST_TRY(st_orthonormal(next, l, d, err));
        double *const other = q;
        q = next;
        next = other;
    }
    multiply(f, NULL, q, l);
    ST_TRY(st_eigen(f->value, f->vector, f->matrix, l, l, err));
    memset(next, 0, (size_t)(l * d) * sizeof *next);
    for (int64_t c = 0; c < f->wanted; c++)
        for (int64_t b = 0; b < l; b++)
            for (int64_t j = 0; j < d; j++)
                next[c * d + j] += f->vector[c * l + b] * q[b * d + j];
    return keep(f, next, err);
}

static strait_status fit_any(fit *f, strait_error *err) {
    strait_pca *pca = f->pca;
    const int64_t n = f->x->n, d = f->x->d, small = least(n, d);
    pca->n_samples = n;
    pca->n_features = d;
    pca->threads = f->threads;
    pca->mean = st_alloc((size_t)d, sizeof *pca->mean);
    if (!pca->mean) return st_fail_memory(err, (size_t)d * sizeof *pca->mean, "a mean");
    find_mean(pca->mean, &pca->total_variance, f->x);
    if (!(pca->total_variance > 0))
        return st_fail(err, STRAIT_ARGUMENT, "all %lld samples are the same: they have no principal components",
                       (long long)n);
    ST_TRY(st_centred_open(&f->centred, f->x, pca->mean, f->threads, err));
    pca->exact = small <= LARGEST_EXACT || f->wanted * 10 >= small;
    if (!pca->exact) return fit_randomised(f, err);
    return d <= n ? fit_covariance(f, err) : fit_gram(f, err);
}

STRAIT_API strait_status strait_pca_fit(strait_pca **out, const strait_array *x, const strait_pca_options *options,
                                        strait_error *err) {
    static const strait_pca_options standard;
    const strait_pca_options *o = options ? options : &standard;
    *out = NULL;
    st_rows rows;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    if (rows.n < 2) return st_fail(err, STRAIT_ARGUMENT, "principal components need at least two samples");
    if (o->components < 0)
        return st_fail(err, STRAIT_ARGUMENT, "%d components cannot be found; 0 finds all", o->components);
    const int64_t all = least(rows.n, rows.d);
    strait_pca *pca = st_alloc(1, sizeof *pca);
    if (!pca) return st_fail_memory(err, sizeof *pca, "principal components");
    fit f = {.x = &rows,
             .pca = pca,
             .wanted = o->components ? least(o->components, all) : all,
             .seed = o->seed,
             .threads = o->threads};
    st_blas_alone();
    const strait_status status = fit_any(&f, err);
    st_blas_restore();
    st_centred_close(&f.centred);
    st_free(f.matrix);
    st_free(f.vector);
    st_free(f.value);
    st_free(f.sketch);
    st_free(f.score);
    if (status == STRAIT_OK)
        *out = pca;
    else
        strait_pca_free(pca);
    return status;
}

STRAIT_API void strait_pca_free(strait_pca *pca) {
    if (!pca) return;
    st_free(pca->mean);
    st_free(pca->component);
    st_free(pca->variance);
    st_free(pca);
}
