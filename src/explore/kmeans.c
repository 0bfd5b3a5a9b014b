/* k-means: Lloyd's iterations from starts by k-means++.

   Distances come from products of blocks in float32, of rows moved to their mean and scaled (st_space): a sample
   between two centres may go to either. The result's inertia is summed in double from the rows themselves.
   Sums are taken over SLICES slices whose borders depend on the problem alone, and added up in their order. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "explore/clusters_int.h"
#include "explore/neighbors_int.h"

#define SLICES 16
#define BLOCK 256      /* rows of a product */
#define MOST_TRIALS 24 /* 2 + log k is less for any k that fits int */
#define STARTS 10      /* where not said */
#define ITERATIONS 300 /* likewise */
#define SMALL_SHIFT                                                                                                    \
    1e-4 /* squared shift of the centres that ends a start, relative to the mean variance of a feature */

typedef struct slice {
    double *sum;    /* [k, d] */
    int64_t *count; /* [k] */
    int64_t changed;
    double potential; /* sum of the least squared distances */
} slice;

typedef struct kmeans {
    const st_space *space;
    st_pool *pool;
    int64_t n, d, k, slice_size;
    uint64_t seed;
    int n_slices, n_trials;
    double variance; /* mean of a feature, in the space's scale */
    slice slice[SLICES];
    double *centre;                              /* [k, d] */
    float *centre_now, *centre_norm;             /* [k, d], [k]: the same for products */
    int32_t *cluster;                            /* [n] */
    float *nearest;                              /* [n]: squared distance to the own centre */
    float *trial, *trial_norm;                   /* [trials, d], [trials] */
    float *trial_nearest;                        /* [trials, n] */
    double trial_potential[SLICES][MOST_TRIALS]; /* [slices, trials] */
    float *block;                                /* [workers, BLOCK, max(k, trials)] */
    int64_t block_width;
} kmeans;

static float square_norm(const float *row, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += (double)row[j] * (double)row[j];
    return (float)sum;
}

/* block [n_rows, n] = -2 times the products of rows from first on with `n` other rows. */
static void multiply(const kmeans *m, float *block, int64_t first, int64_t n_rows, const float *other, int64_t n) {
    st_product_nt(&(st_product){.m = n_rows,
                                .n = n,
                                .k = m->d,
                                .alpha = -2,
                                .a = m->space->near + first * m->d,
                                .b = other,
                                .c = block,
                                .lda = m->d,
                                .ldb = m->d,
                                .ldc = n});
}

/* ---- k-means++, greedy: of several candidates drawn by their squared distance the one that helps most ---- */

/* Squared distances to the candidates, where these are less than the nearest centre's so far. */
static void try_slice(void *context, int64_t first, int64_t end, int worker) {
    kmeans *m = context;
    float *block = m->block + (int64_t)worker * BLOCK * m->block_width;
    double *potential = m->trial_potential[first / m->slice_size];
    for (int t = 0; t < m->n_trials; t++)
        potential[t] = 0;
    for (int64_t at = first; at < end; at += BLOCK) {
        const int64_t rows = end - at < BLOCK ? end - at : BLOCK;
        multiply(m, block, at, rows, m->trial, m->n_trials);
        for (int64_t i = 0; i < rows; i++)
            for (int t = 0; t < m->n_trials; t++) {
                const float distance = m->space->norm[at + i] + m->trial_norm[t] + block[i * m->n_trials + t];
                const float least = fminf(fmaxf(distance, 0), m->nearest[at + i]);
                m->trial_nearest[t * m->n + at + i] = least;
                potential[t] += (double)least;
            }
    }
}

static void set_trial(kmeans *m, int t, int64_t sample) {
    memcpy(m->trial + t * m->d, m->space->near + sample * m->d, (size_t)m->d * sizeof *m->trial);
    m->trial_norm[t] = m->space->norm[sample];
}

/* The sample at which the running sum of `nearest` passes target. */
static int64_t sample_at(const kmeans *m, double target) {
    double sum = 0;
    int64_t last = 0;
    for (int64_t i = 0; i < m->n; i++) {
        if (m->nearest[i] <= 0) continue;
        sum += (double)m->nearest[i];
        last = i;
        if (sum > target) break;
    }
    return last;
}

/* Tries the candidates and takes the best for centre c; gives what is left to gain. */
static double take_best_trial(kmeans *m, int64_t c) {
    double least = INFINITY;
    int best = 0;
    st_chunks(m->pool, m->n, m->slice_size, try_slice, m);
    for (int t = 0; t < m->n_trials; t++) {
        double potential = 0;
        for (int s = 0; s < m->n_slices; s++)
            potential += m->trial_potential[s][t];
        if (potential < least) {
            least = potential;
            best = t;
        }
    }
    memcpy(m->nearest, m->trial_nearest + (int64_t)best * m->n, (size_t)m->n * sizeof *m->nearest);
    for (int64_t j = 0; j < m->d; j++)
        m->centre[c * m->d + j] = (double)m->trial[best * m->d + j];
    return least;
}

static void choose_starts(kmeans *m, uint32_t start) {
    const int trials = m->n_trials;
    const int64_t first = (int64_t)(st_explore_uniform(m->seed, start, 0, 0) * (double)m->n);
    for (int64_t i = 0; i < m->n; i++)
        m->nearest[i] = INFINITY;
    m->n_trials = 1;
    set_trial(m, 0, first);
    double potential = take_best_trial(m, 0);
    m->n_trials = trials;
    for (int64_t c = 1; c < m->k; c++) {
        for (int t = 0; t < trials; t++)
            set_trial(m, t, sample_at(m, potential * st_explore_uniform(m->seed, start, (uint32_t)c, 2 * (uint32_t)t)));
        potential = take_best_trial(m, c);
    }
}

/* ---- Lloyd ---- */

/* Assigns the rows of a slice, and sums them by cluster. */
static void assign_slice(void *context, int64_t first, int64_t end, int worker) {
    kmeans *m = context;
    slice *s = &m->slice[first / m->slice_size];
    float *block = m->block + (int64_t)worker * BLOCK * m->block_width;
    memset(s->sum, 0, (size_t)(m->k * m->d) * sizeof *s->sum);
    memset(s->count, 0, (size_t)m->k * sizeof *s->count);
    s->changed = 0;
    s->potential = 0;
    for (int64_t at = first; at < end; at += BLOCK) {
        const int64_t rows = end - at < BLOCK ? end - at : BLOCK;
        multiply(m, block, at, rows, m->centre_now, m->k);
        for (int64_t i = 0; i < rows; i++) {
            const float *score = block + i * m->k, *row = m->space->near + (at + i) * m->d;
            float least = INFINITY;
            int64_t best = 0;
            for (int64_t c = 0; c < m->k; c++)
                if (score[c] + m->centre_norm[c] < least) {
                    least = score[c] + m->centre_norm[c];
                    best = c;
                }
            s->changed += m->cluster[at + i] != best;
            m->cluster[at + i] = (int32_t)best;
            m->nearest[at + i] = fmaxf(m->space->norm[at + i] + least, 0);
            s->potential += (double)m->nearest[at + i];
            s->count[best]++;
            double *sum = s->sum + best * m->d;
            for (int64_t j = 0; j < m->d; j++)
                sum[j] += (double)row[j];
        }
    }
}

/* The sums of all slices into the first. */
static void add_slices(kmeans *m) {
    slice *all = &m->slice[0];
    for (int s = 1; s < m->n_slices; s++) {
        all->changed += m->slice[s].changed;
        all->potential += m->slice[s].potential;
        for (int64_t c = 0; c < m->k; c++)
            all->count[c] += m->slice[s].count[c];
        for (int64_t i = 0; i < m->k * m->d; i++)
            all->sum[i] += m->slice[s].sum[i];
    }
}

static void move_sample(kmeans *m, int64_t sample, int64_t to) {
    slice *all = &m->slice[0];
    const int64_t from = m->cluster[sample];
    const float *row = m->space->near + sample * m->d;
    for (int64_t j = 0; j < m->d; j++) {
        all->sum[from * m->d + j] -= (double)row[j];
        all->sum[to * m->d + j] += (double)row[j];
    }
    all->count[from]--;
    all->count[to]++;
    all->changed++;
    m->cluster[sample] = (int32_t)to;
    m->nearest[sample] = 0;
}

/* Exactly: a distance from products is rounded, and may be above 0 also there. */
static bool lies_at_centre(const kmeans *m, int64_t sample) {
    const float *row = m->space->near + sample * m->d, *centre = m->centre_now + m->cluster[sample] * m->d;
    for (int64_t j = 0; j < m->d; j++)
        if (row[j] < centre[j] || row[j] > centre[j]) return false;
    return true;
}

/* A cluster that lost its samples gets the one farthest from its centre, unless all lie at theirs. */
static void fill_empty(kmeans *m) {
    for (int64_t c = 0; c < m->k; c++) {
        if (m->slice[0].count[c] > 0) continue;
        int64_t farthest = 0;
        for (int64_t i = 1; i < m->n; i++)
            if (m->nearest[i] > m->nearest[farthest]) farthest = i;
        if (m->nearest[farthest] <= 0 || lies_at_centre(m, farthest)) return;
        if (m->slice[0].count[m->cluster[farthest]] > 1) move_sample(m, farthest, c);
    }
}

static void set_centres(kmeans *m) {
    for (int64_t c = 0; c < m->k; c++) {
        float *now = m->centre_now + c * m->d;
        for (int64_t j = 0; j < m->d; j++)
            now[j] = (float)m->centre[c * m->d + j];
        m->centre_norm[c] = square_norm(now, m->d);
    }
}

/* Centres to the means; gives the sum of squared shifts. */
static double move_centres(kmeans *m) {
    const slice *all = &m->slice[0];
    double shift = 0;
    for (int64_t c = 0; c < m->k; c++) {
        if (all->count[c] == 0) continue;
        for (int64_t j = 0; j < m->d; j++) {
            double *at = &m->centre[c * m->d + j];
            const double mean = all->sum[c * m->d + j] / (double)all->count[c];
            shift += (mean - *at) * (mean - *at);
            *at = mean;
        }
    }
    return shift;
}

/* Iterates from the centres there are until the shift is at most small, or no sample changes; gives the iterations. */
static int iterate(kmeans *m, int most, double small) {
    for (int i = 1; i <= most; i++) {
        set_centres(m);
        st_chunks(m->pool, m->n, m->slice_size, assign_slice, m);
        add_slices(m);
        fill_empty(m);
        if (m->slice[0].changed == 0 || move_centres(m) <= small) return i;
    }
    return most;
}

static bool is_same_centre(const kmeans *m, int64_t a, int64_t b) {
    const double *x = m->centre + a * m->d, *y = m->centre + b * m->d;
    for (int64_t j = 0; j < m->d; j++)
        if (x[j] < y[j] || x[j] > y[j]) return false;
    return true;
}

/* Clusters at one place are one: equal samples, which rounding has dealt to both of them. */
static void join_same(kmeans *m) {
    for (int64_t c = 1; c < m->k; c++)
        for (int64_t other = 0; other < c; other++) {
            if (!is_same_centre(m, c, other)) continue;
            for (int64_t i = 0; i < m->n; i++)
                if (m->cluster[i] == c) m->cluster[i] = (int32_t)other;
            break;
        }
}

/* ---- the best of the starts ---- */

static strait_status allocate(kmeans *m, int workers, strait_error *err) {
    const size_t n = (size_t)m->n, k = (size_t)m->k, d = (size_t)m->d, trials = (size_t)m->n_trials;
    bool enough = true;
    for (int s = 0; s < m->n_slices; s++) {
        m->slice[s].sum = st_alloc(k, d * sizeof(double));
        m->slice[s].count = st_alloc(k, sizeof(int64_t));
        enough = enough && m->slice[s].sum && m->slice[s].count;
    }
    m->block_width = m->k > m->n_trials ? m->k : m->n_trials;
    m->centre = st_alloc(k, d * sizeof(double));
    m->centre_now = st_alloc(k, d * sizeof(float));
    m->centre_norm = st_alloc(k, sizeof(float));
    m->cluster = st_alloc(n, sizeof(int32_t));
    m->nearest = st_alloc(n, sizeof(float));
    m->trial = st_alloc(trials, d * sizeof(float));
    m->trial_norm = st_alloc(trials, sizeof(float));
    m->trial_nearest = st_alloc(trials, n * sizeof(float));
    m->block = st_alloc((size_t)workers, BLOCK * (size_t)m->block_width * sizeof(float));
    enough = enough && m->centre && m->centre_now && m->centre_norm && m->cluster && m->nearest && m->trial &&
             m->trial_norm && m->trial_nearest && m->block;
    return enough ? STRAIT_OK : st_fail_memory(err, trials * n * sizeof(float), "k-means");
}

static void release(kmeans *m) {
    for (int s = 0; s < m->n_slices; s++) {
        st_free(m->slice[s].sum);
        st_free(m->slice[s].count);
    }
    st_free(m->centre);
    st_free(m->centre_now);
    st_free(m->centre_norm);
    st_free(m->cluster);
    st_free(m->nearest);
    st_free(m->trial);
    st_free(m->trial_norm);
    st_free(m->trial_nearest);
    st_free(m->block);
}

/* Rows are centred, so the mean squared length is the variance of all features. */
static double mean_variance(const st_space *space) {
    double sum = 0;
    for (int64_t i = 0; i < space->n; i++)
        sum += (double)space->norm[i];
    return sum / (double)space->n / (double)space->d;
}

/* All starts; the best goes on until no sample changes. best [k, d]. Gives the iterations of the best. */
static int find_best(kmeans *m, double *best, int starts, int most) {
    double least = INFINITY;
    int iterations = 0;
    for (int s = 0; s < starts; s++) {
        choose_starts(m, (uint32_t)s);
        const int took = iterate(m, most, SMALL_SHIFT * m->variance);
        if (m->slice[0].potential >= least) continue;
        least = m->slice[0].potential;
        iterations = took;
        memcpy(best, m->centre, (size_t)(m->k * m->d) * sizeof *best);
    }
    memcpy(m->centre, best, (size_t)(m->k * m->d) * sizeof *best);
    return iterations + iterate(m, most, -1);
}

static strait_status run(strait_clusters *clusters, kmeans *m, int64_t features, const strait_cluster_options *o,
                         strait_error *err) {
    double *best = st_alloc((size_t)m->k, (size_t)m->d * sizeof *best);
    strait_status status = best ? allocate(m, st_pool_size(m->pool), err)
                                : st_fail_memory(err, (size_t)(m->k * m->d) * sizeof *best, "k-means");
    if (status == STRAIT_OK) {
        clusters->iterations =
            find_best(m, best, o->starts > 0 ? o->starts : STARTS, o->iterations > 0 ? o->iterations : ITERATIONS);
        join_same(m);
        memcpy(clusters->cluster, m->cluster, (size_t)m->n * sizeof *m->cluster);
        status = st_clusters_order(clusters, m->k, NULL, err);
    }
    if (status == STRAIT_OK) status = st_clusters_means(clusters, m->space->row, m->space->d, features, err);
    release(m);
    st_free(best);
    return status;
}

STRAIT_API strait_status strait_kmeans(strait_clusters **out, const strait_array *x,
                                       const strait_cluster_options *options, strait_error *err) {
    const strait_cluster_options o = options ? *options : (strait_cluster_options){0};
    *out = NULL;
    st_rows rows;
    st_space *space = NULL;
    strait_clusters *clusters = NULL;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    if (o.k < 1 || o.k > rows.n)
        return st_fail(err, STRAIT_ARGUMENT, "%d clusters of %lld samples: the number must be from 1 to %lld", o.k,
                       (long long)rows.n, (long long)rows.n);
    ST_TRY(st_space_new(&space, &rows, NULL, o.metric, err));
    const int64_t fitting = rows.n / (2 * o.k) + 1, slices = fitting < SLICES ? fitting : SLICES;
    const int64_t size = (rows.n + slices - 1) / slices;
    kmeans m = {.space = space,
                .n = rows.n,
                .d = space->d,
                .k = o.k,
                .slice_size = size,
                .n_slices = (int)((rows.n + size - 1) / size),
                .n_trials = 2 + (int)log(o.k),
                .seed = o.seed,
                .variance = mean_variance(space)};
    strait_status status = st_clusters_new(&clusters, rows.n, err);
    if (status == STRAIT_OK) status = st_pool_new(&m.pool, st_explore_threads(o.threads), NULL, err);
    if (status == STRAIT_OK) status = run(clusters, &m, rows.d, &o, err);
    st_pool_free(m.pool);
    st_space_free(space);
    if (status == STRAIT_OK)
        *out = clusters;
    else
        strait_clusters_free(clusters);
    return status;
}
