/* A mixture of normal distributions, by expectation and maximisation (Dempster, Laird, Rubin 1977), started from
   k-means.

   Expectation goes over chunks of samples, maximisation over components: each writes only what is its own, so that the
   result does not depend on the number of threads. Densities are kept as logarithms; what a sample's sum of densities
   is comes by log-sum-exp. The covariance S of a component is L L', and (x - m)' S^-1 (x - m) the squared length of
   L^-1 (x - m). */
#include <cblas.h>
#include <float.h>
#include <lapack.h>
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/clusters_int.h"

#define BLOCK 256       /* rows worked on at once */
#define CHUNK 1024      /* samples of a chunk */
#define RIDGE 1e-6      /* added to the diagonals */
#define SMALL_GAIN 1e-6 /* of the mean log-likelihood: ends it */
#define ITERATIONS 300  /* where not said */
#define STARTS 10       /* likewise: of k-means */

typedef struct em {
    st_rows x;
    int64_t n, d, k;
    strait_mixture *mixture;
    double *factor;     /* [k, d, d]: L, row-major, lower */
    double *constant;   /* [k]: log weight - log determinant / 2 - d log(2 pi) / 2 */
    double *share;      /* [n, k]: logarithms of densities, then how far each component has the sample */
    double *likelihood; /* [n]: logarithms */
    double *block;      /* [workers, BLOCK, d] */
    st_pool *pool;
} em;

/* Rows first.. less a mean, each times the root of its weight where these are given. */
static void centre_rows(double *out, const em *e, int64_t first, int64_t rows, const double *mean,
                        const double *weight) {
    for (int64_t i = 0; i < rows; i++) {
        const float *row = e->x.values + (first + i) * e->d;
        const double scale = weight ? sqrt(weight[i * e->k]) : 1;
        for (int64_t j = 0; j < e->d; j++)
            out[i * e->d + j] = ((double)row[j] - mean[j]) * scale;
    }
}

/* ---- expectation ---- */

/* Logarithms of the densities of a component, times its weight, at rows first... */
static void add_densities(em *e, double *block, int64_t first, int64_t rows, int64_t c) {
    const int64_t d = e->d;
    centre_rows(block, e, first, rows, e->mixture->mean + c * d, NULL);
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (blasint)rows, (blasint)d, 1,
                e->factor + c * d * d, (blasint)d, block, (blasint)d);
    for (int64_t i = 0; i < rows; i++) {
        const double *row = block + i * d;
        e->share[(first + i) * e->k + c] = e->constant[c] - cblas_ddot((blasint)d, row, 1, row, 1) / 2;
    }
}

static double log_sum_exp(const double *value, int64_t n) {
    double greatest = value[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        greatest = fmax(greatest, value[i]);
    for (int64_t i = 0; i < n; i++)
        sum += exp(value[i] - greatest);
    return greatest + log(sum);
}

static void expect(void *context, int64_t first, int64_t end, int worker) {
    em *e = context;
    double *block = e->block + (int64_t)worker * BLOCK * e->d;
    for (int64_t at = first; at < end; at += BLOCK)
        for (int64_t c = 0; c < e->k; c++)
            add_densities(e, block, at, end - at < BLOCK ? end - at : BLOCK, c);
    for (int64_t i = first; i < end; i++) {
        double *share = e->share + i * e->k;
        e->likelihood[i] = log_sum_exp(share, e->k);
        for (int64_t c = 0; c < e->k; c++)
            share[c] = exp(share[c] - e->likelihood[i]);
    }
}

static double mean_likelihood(em *e) {
    double sum = 0;
    st_chunks(e->pool, e->n, CHUNK, expect, e);
    for (int64_t i = 0; i < e->n; i++)
        sum += e->likelihood[i];
    return sum / (double)e->n;
}

/* ---- maximisation ---- */

/* Weight, mean and covariance of component first, from the shares it has of the samples. */
static void maximise(void *context, int64_t first, int64_t end, int worker) {
    em *e = context;
    const int64_t c = first, d = e->d;
    double *block = e->block + (int64_t)worker * BLOCK * d;
    double *mean = e->mixture->mean + c * d, *covariance = e->mixture->covariance + c * d * d;
    double weight = 10 * DBL_EPSILON; /* so that a component without samples has finite parameters */
    (void)end;
    memset(mean, 0, (size_t)d * sizeof *mean);
    memset(covariance, 0, (size_t)(d * d) * sizeof *covariance);
    for (int64_t i = 0; i < e->n; i++) {
        const double share = e->share[i * e->k + c];
        const float *row = e->x.values + i * d;
        weight += share;
        for (int64_t j = 0; j < d; j++)
            mean[j] += share * (double)row[j];
    }
    for (int64_t j = 0; j < d; j++)
        mean[j] /= weight;
    for (int64_t at = 0; at < e->n; at += BLOCK) {
        const int64_t rows = e->n - at < BLOCK ? e->n - at : BLOCK;
        centre_rows(block, e, at, rows, mean, e->share + at * e->k + c);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (blasint)d, (blasint)rows, 1 / weight, block, (blasint)d, 1,
                    covariance, (blasint)d);
    }
    for (int64_t i = 0; i < d; i++) {
        covariance[i * d + i] += RIDGE;
        for (int64_t j = 0; j < i; j++)
            covariance[j * d + i] = covariance[i * d + j];
    }
    e->mixture->weight[c] = weight;
}

/* L of L L' = a, both [d, d], row-major. False: a is not positive definite. */
static bool factorise(double *out, const double *a, int64_t d) {
    const char upper = 'U'; /* of LAPACK's column by column is lower row by row */
    const int n = (int)d;
    int info = 0;
    memcpy(out, a, (size_t)(d * d) * sizeof *out);
    st_blas_alone();
    LAPACK_dpotrf(&upper, &n, out, &n, &info);
    st_blas_restore();
    return info == 0;
}

static strait_status update(em *e, strait_error *err) {
    const int64_t d = e->d;
    double sum = 0;
    st_chunks(e->pool, e->k, 1, maximise, e);
    for (int64_t c = 0; c < e->k; c++)
        sum += e->mixture->weight[c];
    for (int64_t c = 0; c < e->k; c++) {
        double half = 0;
        if (!factorise(e->factor + c * d * d, e->mixture->covariance + c * d * d, d))
            return st_fail(err, STRAIT_ARGUMENT,
                           "the covariance of a component cannot be inverted: use fewer components, or scale the data "
                           "so that 1e-6 is not lost beside its variances");
        for (int64_t j = 0; j < d; j++)
            half += log(e->factor[c * d * d + j * d + j]);
        e->mixture->weight[c] /= sum;
        e->constant[c] = log(e->mixture->weight[c]) - half - (double)d * log(2 * M_PI) / 2;
    }
    return STRAIT_OK;
}

/* ---- all of it ---- */

STRAIT_API void strait_mixture_free(strait_mixture *mixture) {
    if (!mixture) return;
    st_free(mixture->weight);
    st_free(mixture->mean);
    st_free(mixture->covariance);
    st_free(mixture);
}

static strait_status new_mixture(strait_mixture **out, int64_t k, int64_t d, strait_error *err) {
    strait_mixture *mixture = st_alloc(1, sizeof *mixture);
    *out = mixture;
    if (!mixture) return st_fail_memory(err, sizeof *mixture, "a mixture");
    mixture->k = (int)k;
    mixture->features = d;
    mixture->weight = st_alloc((size_t)k, sizeof(double));
    mixture->mean = st_alloc((size_t)k, (size_t)d * sizeof(double));
    mixture->covariance = st_alloc((size_t)k, (size_t)(d * d) * sizeof(double));
    if (mixture->weight && mixture->mean && mixture->covariance) return STRAIT_OK;
    return st_fail_memory(err, (size_t)(k * d * d) * sizeof(double), "a mixture");
}

static strait_status allocate(em *e, int threads, strait_error *err) {
    const size_t n = (size_t)e->n, k = (size_t)e->k, d = (size_t)e->d;
    e->factor = st_alloc(k, d * d * sizeof(double));
    e->constant = st_alloc(k, sizeof(double));
    e->share = st_alloc(n, k * sizeof(double));
    e->likelihood = st_alloc(n, sizeof(double));
    e->block = st_alloc((size_t)threads, BLOCK * d * sizeof(double));
    if (!e->factor || !e->constant || !e->share || !e->likelihood || !e->block)
        return st_fail_memory(err, (n * k + k * d * d) * sizeof(double), "a mixture");
    return st_pool_new(&e->pool, threads, NULL, err);
}

static void release(em *e) {
    st_pool_free(e->pool);
    st_free(e->factor);
    st_free(e->constant);
    st_free(e->share);
    st_free(e->likelihood);
    st_free(e->block);
}

static strait_status climb(em *e, strait_clusters *clusters, int most, strait_error *err) {
    double before = -INFINITY;
    for (int64_t i = 0; i < e->n; i++)
        e->share[i * e->k + clusters->cluster[i]] = 1;
    ST_TRY(update(e, err));
    for (clusters->iterations = 1;; clusters->iterations++) {
        clusters->score = mean_likelihood(e);
        if (clusters->iterations >= most || fabs(clusters->score - before) < SMALL_GAIN) return STRAIT_OK;
        before = clusters->score;
        ST_TRY(update(e, err));
    }
}

/* Component c to the place that the order of the clusters gives it. */
static strait_status order_components(em *e, const int32_t *old, strait_error *err) {
    const int64_t d = e->d;
    strait_mixture *from = e->mixture, *to = NULL;
    strait_status status = new_mixture(&to, e->k, d, err);
    if (status != STRAIT_OK) {
        strait_mixture_free(to);
        return status;
    }
    for (int64_t c = 0; c < e->k; c++) {
        to->weight[c] = from->weight[old[c]];
        memcpy(to->mean + c * d, from->mean + old[c] * d, (size_t)d * sizeof(double));
        memcpy(to->covariance + c * d * d, from->covariance + old[c] * d * d, (size_t)(d * d) * sizeof(double));
    }
    strait_mixture_free(from);
    e->mixture = to;
    return STRAIT_OK;
}

/* The most likely component of each sample; components by how many these are. */
static strait_status assign(em *e, strait_clusters *clusters, strait_error *err) {
    for (int64_t i = 0; i < e->n; i++) {
        const double *share = e->share + i * e->k;
        int64_t best = 0;
        for (int64_t c = 1; c < e->k; c++)
            if (share[c] > share[best]) best = c;
        clusters->cluster[i] = (int32_t)best;
    }
    int32_t *old = st_alloc((size_t)e->k, sizeof *old);
    if (!old) return st_fail_memory(err, (size_t)e->k * sizeof *old, "components");
    strait_status status = st_clusters_order(clusters, e->k, old, err);
    if (status == STRAIT_OK) status = order_components(e, old, err);
    st_free(old);
    ST_TRY(status);
    strait_array_free(clusters->centre);
    clusters->centre = NULL;
    ST_TRY(strait_array_new(&clusters->centre, 2, (int64_t[]){clusters->k, e->d}, err));
    for (int64_t i = 0; i < clusters->k * e->d; i++)
        clusters->centre->values[i] = (float)e->mixture->mean[i];
    return STRAIT_OK;
}

STRAIT_API strait_status strait_mixture_fit(strait_mixture **out, strait_clusters **clusters, const strait_array *x,
                                            const strait_cluster_options *options, strait_error *err) {
    strait_cluster_options o = options ? *options : (strait_cluster_options){0};
    strait_clusters *start = NULL;
    em e = {0};
    *out = NULL;
    if (clusters) *clusters = NULL;
    ST_TRY(st_explore_rows(&e.x, x, "the data", err));
    if (o.metric != STRAIT_METRIC_EUCLIDEAN)
        return st_fail(err, STRAIT_ARGUMENT, "a mixture of normal distributions has no metric but the Euclidean");
    const int most = o.iterations > 0 ? o.iterations : ITERATIONS;
    o.iterations = 0;
    if (o.starts == 0) o.starts = STARTS;
    ST_TRY(strait_kmeans(&start, x, &o, err));
    e.n = e.x.n;
    e.d = e.x.d;
    e.k = start->k;
    strait_status status = new_mixture(&e.mixture, e.k, e.d, err);
    if (status == STRAIT_OK) status = allocate(&e, st_explore_threads(o.threads), err);
    if (status == STRAIT_OK) status = climb(&e, start, most, err);
    if (status == STRAIT_OK) status = assign(&e, start, err);
    release(&e);
    if (status == STRAIT_OK && clusters) {
        *clusters = start;
        start = NULL;
    }
    strait_clusters_free(start);
    if (status == STRAIT_OK)
        *out = e.mixture;
    else
        strait_mixture_free(e.mixture);
    return status;
}

/* ---- samples ---- */

static int64_t draw_component(const strait_mixture *mixture, uint64_t seed, uint32_t sample) {
    double left = st_explore_uniform(seed, UINT32_MAX, sample, 0);
    int64_t c = 0;
    for (; c < mixture->k - 1 && left >= mixture->weight[c]; c++)
        left -= mixture->weight[c];
    return c;
}

/* m + L z with z of independent normal values. */
static void draw_sample(float *out, float *z, const strait_mixture *mixture, const double *factor, uint64_t seed,
                        uint32_t sample) {
    const int64_t d = mixture->features, c = draw_component(mixture, seed, sample);
    st_rng_normal(&(st_rng){.seed = seed, .purpose = ST_RNG_CLUSTERS, .epoch = UINT32_MAX, .sample = sample}, 4, z,
                  (size_t)d);
    for (int64_t i = 0; i < d; i++) {
        double sum = mixture->mean[c * d + i];
        for (int64_t j = 0; j <= i; j++)
            sum += factor[c * d * d + i * d + j] * (double)z[j];
        out[i] = (float)sum;
    }
}

STRAIT_API strait_status strait_mixture_sample(strait_array **out, const strait_mixture *mixture, int64_t n,
                                               uint64_t seed, strait_error *err) {
    *out = NULL;
    if (!mixture || n < 1 || n > INT32_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "there is no mixture, or the number of samples is not from 1 to %d",
                       INT32_MAX);
    const int64_t k = mixture->k, d = mixture->features;
    double *factor = st_alloc((size_t)k, (size_t)(d * d) * sizeof *factor);
    float *z = st_alloc((size_t)d, sizeof *z);
    strait_status status =
        factor && z ? STRAIT_OK : st_fail_memory(err, (size_t)(k * d * d) * sizeof *factor, "samples");
    for (int64_t c = 0; c < k && status == STRAIT_OK; c++)
        if (!factorise(factor + c * d * d, mixture->covariance + c * d * d, d))
            status = st_fail(err, STRAIT_ARGUMENT, "the covariance of component %lld is not positive definite",
                             (long long)c);
    if (status == STRAIT_OK) status = strait_array_new(out, 2, (int64_t[]){n, d}, err);
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++)
        draw_sample((*out)->values + i * d, z, mixture, factor, seed, (uint32_t)i);
    st_free(z);
    st_free(factor);
    return status;
}
