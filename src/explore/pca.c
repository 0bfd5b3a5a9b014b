/* Principal components. Samples are centred in double a block at a time, so that no second copy of the data is held and
   the covariance is good to its last digits.

   Three ways, of the same result: the eigenvectors of the covariance; where there are fewer samples than features those
   of the samples' products with one another (the Gram matrix), from which the components follow; and, where both are
   large and few components wanted, a subspace that is multiplied by the covariance some times, from a random start, and
   so turns to the largest of them, without the covariance ever being made. */
#include <strait/explore_pca.h>

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "explore/explore_int.h"

#define BLOCK 512          /* samples, or features, centred at once */
#define LARGEST_EXACT 4096 /* beyond, few components are found the randomised way */
#define OVERSAMPLES 10     /* vectors more than wanted: Halko, Martinsson and Tropp's choice */
#define POWERS 7           /* multiplications by the covariance, as scikit-learn for few components */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Samples first, ..., first + count - 1 less the mean, features from..from + width - 1: block [count, width]. */
static void centre(double *block, const st_rows *x, const double *mean, int64_t first, int64_t count, int64_t from,
                   int64_t width) {
    for (int64_t i = 0; i < count; i++) {
        const float *row = x->values + (first + i) * x->d + from;
        for (int64_t j = 0; j < width; j++)
            block[i * width + j] = (double)row[j] - mean[from + j];
    }
}

/* c [m, n] = alpha op(a) op(b) + beta c; a' and b' where asked. Rows are as long as the matrix is wide. */
static void product(double *c, int64_t m, int64_t n, int64_t k, double alpha, const double *a, bool turn_a,
                    const double *b, bool turn_b, double beta) {
    cblas_dgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans, turn_b ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, alpha, a, (blasint)(turn_a ? m : k), b, (blasint)(turn_b ? k : n), beta, c,
                (blasint)n);
}

/* The upper half of c [n, n] += alpha a'a for a [k, n], or aa' for a [n, k]. */
static void add_squares(double *c, int64_t n, int64_t k, double alpha, const double *a, bool turned) {
    cblas_dsyrk(CblasRowMajor, CblasUpper, turned ? CblasTrans : CblasNoTrans, (blasint)n, (blasint)k, alpha, a,
                (blasint)(turned ? n : k), 1, c, (blasint)n);
}

static double *doubles(int64_t n, int64_t each, const char *what, strait_error *err) {
    double *block = st_alloc((size_t)n, (size_t)each * sizeof *block);
    if (!block) st_fail_memory(err, (size_t)n * (size_t)each * sizeof *block, what);
    return block;
}

/* ---- fitting ---- */

typedef struct fit {
    const st_rows *x;
    strait_pca *pca;
    int64_t wanted; /* components, at most n and features */
    uint64_t seed;
    double *matrix, *vector, *value, *block, *sketch; /* what each way needs */
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

/* Keeps the variances that are more than rounding and makes room for their components. */
static strait_status keep(fit *f, const double *value, strait_error *err) {
    strait_pca *pca = f->pca;
    const double noise = value[0] * DBL_EPSILON * (double)(f->x->n > f->x->d ? f->x->n : f->x->d);
    int64_t k = 0;
    while (k < f->wanted && k < f->x->n - 1 && value[k] > noise)
        k++;
    pca->n_components = (int)k;
    pca->variance = st_alloc((size_t)k, sizeof *pca->variance);
    pca->component = st_alloc((size_t)k, (size_t)f->x->d * sizeof *pca->component);
    if (!pca->variance || !pca->component)
        return st_fail_memory(err, (size_t)(k * f->x->d) * sizeof *pca->component, "components");
    memcpy(pca->variance, value, (size_t)k * sizeof *value);
    return STRAIT_OK;
}

static strait_status fit_covariance(fit *f, strait_error *err) {
    const int64_t n = f->x->n, d = f->x->d;
    f->matrix = doubles(d, d, "the covariance", err);
    f->block = f->matrix ? doubles(BLOCK, d, "a block of samples", err) : NULL;
    f->vector = f->block ? doubles(f->wanted, d, "eigenvectors", err) : NULL;
    f->value = f->vector ? doubles(f->wanted, 1, "eigenvalues", err) : NULL;
    if (!f->value) return STRAIT_MEMORY;
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t count = least(BLOCK, n - i);
        centre(f->block, f->x, f->pca->mean, i, count, 0, d);
        add_squares(f->matrix, d, count, 1 / (double)(n - 1), f->block, true);
    }
    ST_TRY(st_eigen(f->value, f->vector, f->matrix, d, f->wanted, err));
    ST_TRY(keep(f, f->value, err));
    for (int64_t c = 0; c < f->pca->n_components; c++)
        put_component(f->pca, c, f->vector + c * d);
    return STRAIT_OK;
}

/* With u an eigenvector of XX', X'u is one of X'X. */
static strait_status fit_gram(fit *f, strait_error *err) {
    const int64_t n = f->x->n, d = f->x->d;
    f->matrix = doubles(n, n, "products of samples", err);
    f->block = f->matrix ? doubles(n, BLOCK, "a block of features", err) : NULL;
    f->vector = f->block ? doubles(f->wanted, n, "eigenvectors", err) : NULL;
    f->value = f->vector ? doubles(f->wanted, 1, "eigenvalues", err) : NULL;
    f->sketch = f->value ? doubles(f->wanted, d, "components", err) : NULL;
    if (!f->sketch) return STRAIT_MEMORY;
    for (int64_t j = 0; j < d; j += BLOCK) {
        const int64_t width = least(BLOCK, d - j);
        centre(f->block, f->x, f->pca->mean, 0, n, j, width);
        add_squares(f->matrix, n, width, 1 / (double)(n - 1), f->block, false);
    }
    ST_TRY(st_eigen(f->value, f->vector, f->matrix, n, f->wanted, err));
    ST_TRY(keep(f, f->value, err));
    const int64_t k = f->pca->n_components;
    for (int64_t j = 0; j < d; j += BLOCK) {
        const int64_t width = least(BLOCK, d - j);
        centre(f->block, f->x, f->pca->mean, 0, n, j, width);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)k, (blasint)width, (blasint)n, 1, f->vector,
                    (blasint)n, f->block, (blasint)width, 0, f->sketch + j, (blasint)d);
    }
    for (int64_t c = 0; c < k; c++)
        put_component(f->pca, c, f->sketch + c * d);
    return STRAIT_OK;
}

/* One pass over the data: with q [l, d] and t = q x' for the centred samples x, next [l, d] = t x where it is given,
   and the upper half of inner [l, l] = tt' where that is. */
static void multiply(fit *f, double *next, double *inner, const double *q, int64_t l, double *t) {
    const int64_t n = f->x->n, d = f->x->d;
    if (next) memset(next, 0, (size_t)(l * d) * sizeof *next);
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t count = least(BLOCK, n - i);
        centre(f->block, f->x, f->pca->mean, i, count, 0, d);
        product(t, l, count, d, 1, q, false, f->block, true, 0);
        if (next) product(next, l, d, count, 1, t, false, f->block, false, 1);
        if (inner) add_squares(inner, l, count, 1 / (double)(n - 1), t, false);
    }
}

static strait_status fit_randomised(fit *f, strait_error *err) {
    const int64_t d = f->x->d, l = f->wanted + OVERSAMPLES; /* far below d: the caller sees to it */
    f->block = doubles(BLOCK, d, "a block of samples", err);
    f->sketch = f->block ? doubles(2 * l, d, "a sketch of the components", err) : NULL;
    f->matrix = f->sketch ? doubles(l, l, "a sketch of the covariance", err) : NULL;
    f->vector = f->matrix ? doubles(l, l > BLOCK ? l : BLOCK, "eigenvectors", err) : NULL;
    f->value = f->vector ? doubles(l, 1, "eigenvalues", err) : NULL;
    float *start = f->value ? st_alloc((size_t)d, sizeof *start) : NULL;
    if (!f->value) return STRAIT_MEMORY;
    if (!start) return st_fail_memory(err, (size_t)d * sizeof *start, "a random start");
    double *q = f->sketch, *next = f->sketch + l * d;
    for (int64_t c = 0; c < l; c++) {
        const st_rng rng = {.seed = f->seed, .purpose = ST_RNG_COMPONENTS, .sample = (uint32_t)c};
        st_rng_normal(&rng, 0, start, (size_t)d);
        for (int64_t j = 0; j < d; j++)
            q[c * d + j] = (double)start[j];
    }
    st_free(start);
    ST_TRY(st_orthonormal(q, l, d, err));
    for (int i = 0; i < POWERS; i++) {
        multiply(f, next, NULL, q, l, f->vector);
        ST_TRY(st_orthonormal(next, l, d, err));
        double *const other = q;
        q = next;
        next = other;
    }
    multiply(f, NULL, f->matrix, q, l, f->vector);
    ST_TRY(st_eigen(f->value, f->vector, f->matrix, l, l, err));
    ST_TRY(keep(f, f->value, err));
    product(next, f->pca->n_components, d, l, 1, f->vector, false, q, false, 0);
    for (int64_t c = 0; c < f->pca->n_components; c++)
        put_component(f->pca, c, next + c * d);
    return STRAIT_OK;
}

static strait_status fit_any(fit *f, strait_error *err) {
    strait_pca *pca = f->pca;
    const int64_t n = f->x->n, d = f->x->d, small = least(n, d);
    pca->n_samples = n;
    pca->n_features = d;
    pca->mean = st_alloc((size_t)d, sizeof *pca->mean);
    if (!pca->mean) return st_fail_memory(err, (size_t)d * sizeof *pca->mean, "a mean");
    find_mean(pca->mean, &pca->total_variance, f->x);
    if (!(pca->total_variance > 0))
        return st_fail(err, STRAIT_ARGUMENT, "all %lld samples are the same: they have no principal components",
                       (long long)n);
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
    fit f = {.x = &rows, .pca = pca, .wanted = o->components ? least(o->components, all) : all, .seed = o->seed};
    st_blas_begin(st_explore_threads(o->threads));
    const strait_status status = fit_any(&f, err);
    st_blas_end();
    st_free(f.matrix);
    st_free(f.vector);
    st_free(f.value);
    st_free(f.block);
    st_free(f.sketch);
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

/* ---- applying ---- */

/* Memory to go over samples: the first k components, a block of samples and of their scores. */
typedef struct apply {
    int64_t k;
    double *component, *block, *score;
} apply;

static strait_status begin_apply(apply *a, const strait_pca *pca, int64_t k, strait_error *err) {
    const int64_t d = pca->n_features;
    *a = (apply){.k = k};
    a->component = doubles(k, d, "components", err);
    a->block = a->component ? doubles(BLOCK, d, "a block of samples", err) : NULL;
    a->score = a->block ? doubles(BLOCK, k, "a block of scores", err) : NULL;
    if (!a->score) return STRAIT_MEMORY;
    for (int64_t i = 0; i < k * d; i++)
        a->component[i] = (double)pca->component[i];
    st_blas_begin(st_explore_threads(0));
    return STRAIT_OK;
}

static void end_apply(apply *a, bool begun) {
    if (begun) st_blas_end();
    st_free(a->component);
    st_free(a->block);
    st_free(a->score);
}

static strait_status check(st_rows *rows, const strait_pca *pca, const strait_array *x, const char *name, int64_t d,
                           strait_error *err) {
    if (!pca) return st_fail(err, STRAIT_ARGUMENT, "there are no principal components (NULL)");
    ST_TRY(st_explore_rows(rows, x, name, err));
    if (d > 0 && rows->d != d)
        return st_fail(err, STRAIT_SHAPE, "the principal components are of %lld values a sample, but %s has %lld",
                       (long long)d, name, (long long)rows->d);
    return STRAIT_OK;
}

STRAIT_API strait_status strait_pca_transform(strait_array **z, const strait_pca *pca, const strait_array *x, int k,
                                              strait_error *err) {
    *z = NULL;
    st_rows rows;
    ST_TRY(check(&rows, pca, x, "the data", pca ? pca->n_features : 0, err));
    if (k < 0 || k > pca->n_components)
        return st_fail(err, STRAIT_ARGUMENT, "%d components are asked for, but there are %d", k, pca->n_components);
    if (k == 0) k = pca->n_components;
    const int64_t dim[] = {rows.n, k};
    ST_TRY(strait_array_new(z, 2, dim, err));
    apply a;
    const strait_status status = begin_apply(&a, pca, k, err);
    for (int64_t i = 0; status == STRAIT_OK && i < rows.n; i += BLOCK) {
        const int64_t count = least(BLOCK, rows.n - i);
        centre(a.block, &rows, pca->mean, i, count, 0, rows.d);
        product(a.score, count, k, rows.d, 1, a.block, false, a.component, true, 0);
        for (int64_t v = 0; v < count * k; v++)
            (*z)->values[i * k + v] = (float)a.score[v];
    }
    end_apply(&a, status == STRAIT_OK);
    if (status != STRAIT_OK) {
        strait_array_free(*z);
        *z = NULL;
    }
    return status;
}

STRAIT_API strait_status strait_pca_inverse(strait_array **x, const strait_pca *pca, const strait_array *z,
                                            strait_error *err) {
    *x = NULL;
    st_rows rows;
    ST_TRY(check(&rows, pca, z, "the scores", 0, err));
    if (rows.d > pca->n_components)
        return st_fail(err, STRAIT_SHAPE, "there are %lld scores a sample, but %d components", (long long)rows.d,
                       pca->n_components);
    const int64_t d = pca->n_features, dim[] = {rows.n, d};
    ST_TRY(strait_array_new(x, 2, dim, err));
    apply a;
    const strait_status status = begin_apply(&a, pca, rows.d, err);
    for (int64_t i = 0; status == STRAIT_OK && i < rows.n; i += BLOCK) {
        const int64_t count = least(BLOCK, rows.n - i);
        for (int64_t v = 0; v < count * rows.d; v++)
            a.score[v] = (double)rows.values[i * rows.d + v];
        product(a.block, count, d, rows.d, 1, a.score, false, a.component, false, 0);
        for (int64_t v = 0; v < count * d; v++)
            (*x)->values[i * d + v] = (float)(a.block[v] + pca->mean[v % d]);
    }
    end_apply(&a, status == STRAIT_OK);
    if (status != STRAIT_OK) {
        strait_array_free(*x);
        *x = NULL;
    }
    return status;
}

/* With z the scores and C the components kept, |x - C'z|² = |x|² - 2 |z|² + z'(CC')z; CC' is the unit matrix but for
   rounding to float, which is thus counted too. Sums of zz' over the samples give all k at once. */
STRAIT_API strait_status strait_pca_errors(double *mse, const strait_pca *pca, const strait_array *x,
                                           strait_error *err) {
    st_rows rows;
    ST_TRY(check(&rows, pca, x, "the data", pca ? pca->n_features : 0, err));
    const int64_t k = pca->n_components, d = rows.d;
    apply a;
    strait_status status = begin_apply(&a, pca, k, err);
    const bool begun = status == STRAIT_OK;
    double *squares = begun ? doubles(2 * k, k, "products of scores", err) : NULL, rest = 0;
    if (begun && !squares) status = STRAIT_MEMORY;
    if (status == STRAIT_OK) {
        for (int64_t i = 0; i < rows.n; i += BLOCK) {
            const int64_t count = least(BLOCK, rows.n - i);
            centre(a.block, &rows, pca->mean, i, count, 0, d);
            product(a.score, count, k, d, 1, a.block, false, a.component, true, 0);
            add_squares(squares, k, count, 1, a.score, true);
            rest += cblas_ddot((blasint)(count * d), a.block, 1, a.block, 1);
        }
        double *inner = squares + k * k;
        add_squares(inner, k, d, 1, a.component, false);
        for (int64_t c = 0; c < k; c++) {
            rest += squares[c * k + c] * (inner[c * k + c] - 2);
            for (int64_t b = 0; b < c; b++)
                rest += 2 * squares[b * k + c] * inner[b * k + c];
            mse[c] = fmax(rest, 0) / (double)(rows.n * d);
        }
    }
    st_free(squares);
    end_apply(&a, begun);
    return status;
}

STRAIT_API int strait_pca_needed(const strait_pca *pca, double share) {
    double sum = 0;
    const double enough = share * pca->total_variance * (1 - 1e-12); /* rounding must not keep the last one out */
    for (int i = 0; i < pca->n_components; i++) {
        sum += pca->variance[i];
        if (sum >= enough) return i + 1;
    }
    return 0;
}
