/* Applying principal components: scores, samples from scores, errors of reconstruction. */
#include <strait/explore_pca.h>

#include <cblas.h>
#include <math.h>

#include "base/memory.h"
#include "explore/pca_int.h"

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* What goes over the samples: the first k components in double, and the scores of some samples. */
typedef struct apply {
    int64_t k;
    st_centred centred;
    double *component, *score;
} apply;

static void end_apply(apply *a) {
    st_centred_close(&a->centred);
    st_free(a->component);
    st_free(a->score);
}

static strait_status begin_apply(apply *a, const strait_pca *pca, const st_rows *rows, int64_t k, strait_error *err) {
    const int64_t d = pca->n_features;
    *a = (apply){.k = k};
    ST_TRY(st_centred_open(&a->centred, rows, pca->mean, pca->threads, err));
    a->component = st_doubles(k, d, "components", err);
    a->score = a->component ? st_doubles(ST_PCA_SAMPLES, k, "scores", err) : NULL;
    if (!a->score) {
        end_apply(a);
        return STRAIT_MEMORY;
    }
    for (int64_t i = 0; i < k * d; i++)
        a->component[i] = (double)pca->component[i];
    return STRAIT_OK;
}

/* Looks at samples to be projected on the first *k components; 0 stands for all. */
static strait_status check(st_rows *rows, int *k, const strait_pca *pca, const strait_array *x, strait_error *err) {
    if (!pca) return st_fail(err, STRAIT_ARGUMENT, "there are no principal components (NULL)");
    ST_TRY(st_explore_rows(rows, x, "the data", err));
    if (rows->d != pca->n_features)
        return st_fail(err, STRAIT_SHAPE, "the principal components are of %lld values a sample, but the data has %lld",
                       (long long)pca->n_features, (long long)rows->d);
    if (*k < 0 || *k > pca->n_components)
        return st_fail(err, STRAIT_ARGUMENT, "%d components are asked for, but there are %d", *k, pca->n_components);
    if (*k == 0) *k = pca->n_components;
    return STRAIT_OK;
}

STRAIT_API strait_status strait_pca_transform(strait_array **z, const strait_pca *pca, const strait_array *x, int k,
                                              strait_error *err) {
    *z = NULL;
    st_rows rows;
    ST_TRY(check(&rows, &k, pca, x, err));
    const int64_t dim[] = {rows.n, k};
    strait_array *out;
    apply a;
    ST_TRY(strait_array_new(&out, 2, dim, err));
    const strait_status status = begin_apply(&a, pca, &rows, k, err);
    if (status != STRAIT_OK) {
        strait_array_free(out);
        return status;
    }
    for (int64_t i = 0; i < rows.n; i += ST_PCA_SAMPLES) {
        const int64_t count = least(ST_PCA_SAMPLES, rows.n - i);
        st_centred_project(a.score, NULL, &a.centred, i, count, a.component, k);
        for (int64_t v = 0; v < count * k; v++)
            out->values[i * k + v] = (float)a.score[v];
    }
    end_apply(&a);
    *z = out;
    return STRAIT_OK;
}

/* ---- back from scores ---- */

typedef struct restoring {
    const strait_pca *pca;
    st_rows z;
    float *x;
    double *sample; /* of each worker one */
} restoring;

static void restore_work(void *context, int64_t first, int64_t end, int worker) {
    const restoring *r = context;
    const int64_t d = r->pca->n_features;
    double *sample = r->sample + worker * d;
    for (int64_t i = first; i < end; i++) {
        for (int64_t j = 0; j < d; j++)
            sample[j] = r->pca->mean[j];
        for (int64_t c = 0; c < r->z.d; c++) {
            const double z = (double)r->z.values[i * r->z.d + c];
            const float *component = r->pca->component + c * d;
            for (int64_t j = 0; j < d; j++)
                sample[j] += z * (double)component[j];
        }
        for (int64_t j = 0; j < d; j++)
            r->x[i * d + j] = (float)sample[j];
    }
}

STRAIT_API strait_status strait_pca_inverse(strait_array **x, const strait_pca *pca, const strait_array *z,
                                            strait_error *err) {
    *x = NULL;
    if (!pca) return st_fail(err, STRAIT_ARGUMENT, "there are no principal components (NULL)");
    restoring r = {.pca = pca};
    ST_TRY(st_explore_rows(&r.z, z, "the scores", err));
    if (r.z.d > pca->n_components)
        return st_fail(err, STRAIT_SHAPE, "there are %lld scores a sample, but %d components", (long long)r.z.d,
                       pca->n_components);
    const int64_t dim[] = {r.z.n, pca->n_features};
    strait_array *out = NULL;
    st_pool *pool = NULL;
    strait_status status = st_pool_new(&pool, st_explore_threads(pca->threads), NULL, err);
    if (status == STRAIT_OK) status = strait_array_new(&out, 2, dim, err);
    if (status == STRAIT_OK) {
        r.sample = st_doubles(st_pool_size(pool), pca->n_features, "samples", err);
        if (!r.sample) status = STRAIT_MEMORY;
    }
    if (status == STRAIT_OK) {
        r.x = out->values;
        st_chunks(pool, r.z.n, ST_PCA_TILE, restore_work, &r);
        *x = out;
    } else {
        strait_array_free(out);
    }
    st_free(r.sample);
    if (pool) st_pool_free(pool);
    return status;
}

/* ---- errors ---- */

/* With z the scores and C the components kept, |x - C'z|² = |x|² - 2 |z|² + z'(CC')z; CC' is the unit matrix but for
   rounding to float, which is thus counted too. The sums of zz' over the samples give all numbers of components at
   once. squares, inner [k, k]: zeros that become the upper halves of these. */
static void find_errors(double *mse, apply *a, double *squares, double *inner, double *tile_sum) {
    const int64_t n = a->centred.x.n, d = a->centred.x.d, k = a->k;
    double rest = 0;
    for (int64_t i = 0; i < n; i += ST_PCA_SAMPLES) {
        const int64_t count = least(ST_PCA_SAMPLES, n - i);
        st_centred_project(a->score, tile_sum, &a->centred, i, count, a->component, k);
        st_add_squares(squares, &a->centred, a->score, true, count, k, 1);
        for (int64_t t = 0; t * ST_PCA_TILE < count; t++)
            rest += tile_sum[t];
    }
    st_add_squares(inner, &a->centred, a->component, false, d, k, 1);
    for (int64_t c = 0; c < k; c++) {
        rest += squares[c * k + c] * (inner[c * k + c] - 2);
        for (int64_t b = 0; b < c; b++)
            rest += 2 * squares[b * k + c] * inner[b * k + c];
        mse[c] = fmax(rest, 0) / ((double)n * (double)d);
    }
}

STRAIT_API strait_status strait_pca_errors(double *mse, const strait_pca *pca, const strait_array *x, int k,
                                           strait_error *err) {
    st_rows rows;
    ST_TRY(check(&rows, &k, pca, x, err));
    apply a;
    ST_TRY(begin_apply(&a, pca, &rows, k, err));
    double tile_sum[ST_PCA_SAMPLES / ST_PCA_TILE];
    double *squares = st_doubles(2 * (int64_t)k, k, "products of scores", err);
    if (squares) find_errors(mse, &a, squares, squares + (int64_t)k * k, tile_sum);
    st_free(squares);
    end_apply(&a);
    return squares ? STRAIT_OK : STRAIT_MEMORY;
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
