/* t-SNE: the descent. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "explore/maps_int.h"

#define THETA 0.5
#define TELL_EVERY 25
#define START_DEVIATION 1e-4
#define LEAST_GAIN 0.01F
/* Share of the iterations that are exaggerated. From principal components 0.15 gave a lower divergence and a higher
   trustworthiness on MNIST, of pixels and of latents, than the usual quarter. */
#define EXAGGERATED 0.15

/* The options with their defaults filled in. */
typedef struct plan {
    int64_t n;
    int dims, iterations, exaggerated, neighbors;
    double perplexity, rate, exaggeration;
} plan;

static strait_status check_numbers(const strait_tsne_options *o, strait_error *err) {
    const double number[] = {o->perplexity, o->learning_rate, o->exaggeration};
    static const char *const name[] = {"perplexity", "learning rate", "exaggeration"};
    for (int i = 0; i < 3; i++)
        if (!(number[i] >= 0 && number[i] < 1e15))
            return st_fail(err, STRAIT_ARGUMENT, "%s %g: it must be a positive number, or 0 for the default", name[i],
                           number[i]);
    if (o->iterations < 0) return st_fail(err, STRAIT_ARGUMENT, "%d iterations: 0 is the default", o->iterations);
    return STRAIT_OK;
}

static strait_status make_plan(plan *p, int64_t n, const strait_tsne_options *o, strait_error *err) {
    ST_TRY(check_numbers(o, err));
    ST_TRY(st_map_dims(&p->dims, o->dims, err));
    p->n = n;
    p->iterations = o->iterations ? o->iterations : 1000;
    p->exaggerated = (int)(EXAGGERATED * p->iterations);
    p->exaggeration = o->exaggeration > 0 ? o->exaggeration : 12;
    p->rate = o->learning_rate > 0 ? o->learning_rate : fmax(50, (double)n / p->exaggeration / 4);
    p->perplexity = o->perplexity > 0 ? o->perplexity : fmax(1, fmin(30, (double)(n - 1) / 3));
    if (n > 1 && (p->perplexity < 1 || p->perplexity > (double)(n - 1)))
        return st_fail(err, STRAIT_ARGUMENT, "perplexity %g of %lld samples: it must be from 1 to %lld", p->perplexity,
                       (long long)n, (long long)n - 1);
    p->neighbors = (int)fmin((double)(n - 1), floor(3 * p->perplexity) + 1);
    return STRAIT_OK;
}

static strait_status make_graph(st_graph_rows *graph, const strait_array *x, const plan *p, uint64_t seed, int threads,
                                st_pool *pool, strait_error *err) {
    strait_neighbors *neighbors = NULL;
    const strait_neighbors_options options = {.seed = seed, .threads = threads};
    strait_status status = strait_neighbors_find(&neighbors, x, p->neighbors, &options, err);
    if (status != STRAIT_OK) return status;
    float *weight = st_alloc((size_t)p->n, (size_t)p->neighbors * sizeof *weight);
    if (!weight) status = st_fail_memory(err, (size_t)p->n * (size_t)p->neighbors * sizeof *weight, "affinities");
    if (status == STRAIT_OK) status = st_tsne_affinity(weight, neighbors, p->perplexity, pool, err);
    if (status == STRAIT_OK) status = st_graph_rows_new(graph, neighbors, weight, ST_UNION_MEAN, err);
    st_free(weight);
    strait_neighbors_free(neighbors);
    return status;
}

static strait_status make_start(float *y, const st_rows *x, const plan *p, const strait_tsne_options *o,
                                strait_error *err) {
    if (o->random_start)
        st_map_start_random(y, p->n, p->dims, o->seed);
    else
        ST_TRY(st_map_start_pca(y, p->dims, x, o->seed, o->threads, err));
    double mean = 0, square = 0; /* of the first column */
    for (int64_t i = 0; i < p->n; i++)
        mean += (double)y[i * p->dims] / (double)p->n;
    for (int64_t i = 0; i < p->n; i++)
        square += ((double)y[i * p->dims] - mean) * ((double)y[i * p->dims] - mean) / (double)p->n;
    const double scale = square > 0 ? START_DEVIATION / sqrt(square) : START_DEVIATION;
    for (int64_t i = 0; i < p->n * p->dims; i++)
        y[i] = (float)((double)y[i] * scale);
    return STRAIT_OK;
}

typedef struct step_work {
    float *y, *velocity, *gain;
    const float *gradient;
    float rate, momentum;
} step_work;

/* Gradient descent with momentum and a gain each value has of its own (Jacobs 1988). */
static void step_values(void *context, int64_t first, int64_t end, int worker) {
    const step_work *s = context;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        const float gradient = s->gradient[i], velocity = s->velocity[i];
        const float gain = gradient * velocity < 0 ? s->gain[i] + 0.2F : s->gain[i] * 0.8F;
        s->gain[i] = gain < LEAST_GAIN ? LEAST_GAIN : gain;
        s->velocity[i] = s->momentum * velocity - s->rate * s->gain[i] * gradient;
        s->y[i] += s->velocity[i];
    }
}

typedef struct descent {
    const plan *plan;
    const st_graph_rows *graph;
    st_repulsion *repulsion;
    st_pool *pool;
    float *y, *gradient, *velocity, *gain;
    double z;
} descent;

static strait_status descend(descent *s, const strait_tsne_options *o, strait_error *err) {
    const plan *p = s->plan;
    const int64_t count = p->n * p->dims;
    for (int64_t i = 0; i < count; i++)
        s->gain[i] = 1;
    for (int iteration = 0; iteration < p->iterations; iteration++) {
        const bool early = iteration < p->exaggerated;
        st_tsne_gradient(s->gradient, &s->z, s->graph, early ? p->exaggeration : 1, s->y, p->dims, s->repulsion,
                         s->pool);
        if (iteration % TELL_EVERY == 0) {
            const double kl = o->progress ? st_tsne_divergence(s->graph, s->y, p->dims, s->z) : (double)NAN;
            if (!st_explore_tell(o->progress, o->context, (double)iteration / p->iterations, kl))
                return st_fail(err, STRAIT_INTERRUPTED, "t-SNE was stopped after %d of %d iterations", iteration,
                               p->iterations);
        }
        step_work step = {s->y, s->velocity, s->gain, s->gradient, (float)p->rate, early ? 0.5F : 0.8F};
        if (iteration == p->exaggerated) { /* the momentum and gains of another landscape */
            memset(s->velocity, 0, (size_t)count * sizeof(float));
            for (int64_t i = 0; i < count; i++)
                s->gain[i] = 1;
        }
        st_chunks(s->pool, count, 1024, step_values, &step);
    }
    s->z = fmax(st_repulsion_compute(s->repulsion, s->gradient, s->y), 1e-300);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(s->y[i]))
            return st_fail(err, STRAIT_ARGUMENT, "t-SNE diverged at learning rate %g; try a lower one", p->rate);
    st_explore_tell(o->progress, o->context, 1, st_tsne_divergence(s->graph, s->y, p->dims, s->z));
    return STRAIT_OK;
}

static void centre(float *y, int64_t n, int dims) {
    for (int c = 0; c < dims; c++) {
        double mean = 0;
        for (int64_t i = 0; i < n; i++)
            mean += (double)y[i * dims + c] / (double)n;
        for (int64_t i = 0; i < n; i++)
            y[i * dims + c] = (float)((double)y[i * dims + c] - mean);
    }
}

/* n > 1. y is zeroed. */
static strait_status run(strait_array *y, double *kl, const strait_array *x, const st_rows *rows, const plan *p,
                         const strait_tsne_options *o, strait_error *err) {
    const int64_t count = p->n * p->dims;
    st_graph_rows graph = {0};
    descent s = {.plan = p, .graph = &graph, .y = y->values};
    strait_status status = st_pool_new(&s.pool, st_explore_threads(o->threads), NULL, err);
    if (status == STRAIT_OK) status = make_graph(&graph, x, p, o->seed, o->threads, s.pool, err);
    if (status == STRAIT_OK) status = make_start(s.y, rows, p, o, err);
    if (status == STRAIT_OK) status = st_repulsion_new(&s.repulsion, p->n, p->dims, THETA, s.pool, err);
    if (status == STRAIT_OK) {
        s.gradient = st_alloc((size_t)count, sizeof(float));
        s.velocity = st_alloc((size_t)count, sizeof(float));
        s.gain = st_alloc((size_t)count, sizeof(float));
        if (!s.gradient || !s.velocity || !s.gain)
            status = st_fail_memory(err, (size_t)count * sizeof(float), "t-SNE's gradient");
    }
    if (status == STRAIT_OK) status = descend(&s, o, err);
    if (status == STRAIT_OK) {
        if (kl) *kl = st_tsne_divergence(&graph, s.y, p->dims, s.z);
        centre(s.y, p->n, p->dims);
    }
    st_free(s.gradient);
    st_free(s.velocity);
    st_free(s.gain);
    st_repulsion_free(s.repulsion);
    st_graph_rows_free(&graph);
    st_pool_free(s.pool);
    return status;
}

STRAIT_API strait_status strait_tsne(strait_array **y, double *kl, const strait_array *x,
                                     const strait_tsne_options *options, strait_error *err) {
    const strait_tsne_options o = options ? *options : (strait_tsne_options){0};
    *y = NULL;
    if (kl) *kl = 0;
    st_rows rows;
    plan p;
    strait_array *map;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    ST_TRY(make_plan(&p, rows.n, &o, err));
    ST_TRY(strait_array_new(&map, 2, (int64_t[]){rows.n, p.dims}, err));
    const strait_status status = rows.n > 1 ? run(map, kl, x, &rows, &p, &o, err) : STRAIT_OK;
    if (status == STRAIT_OK)
        *y = map;
    else
        strait_array_free(map);
    return status;
}
