/* UMAP: fitting a map, and placing new samples on it. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/umap_int.h"

#define SIDE 10.0        /* of the start */
#define NOISE 1e-4F      /* added to the start: equal points come apart */
#define START_NOISE 3    /* what a draw is for, within ST_RNG_MAP */
#define TRANSFORM_RATE 4 /* new samples move so many times slower */

struct strait_umap {
    strait_umap_options options; /* with the defaults filled in, but for epochs; no progress */
    st_curve curve;
    strait_array *x, *y;
};

static strait_status copy_array(strait_array **out, const strait_array *from, strait_error *err) {
    ST_TRY(strait_array_new(out, from->n_dims, from->dim, err));
    memcpy((*out)->values, from->values, (size_t)strait_array_count(from) * sizeof(float));
    return STRAIT_OK;
}

STRAIT_API void strait_umap_free(strait_umap *map) {
    if (!map) return;
    strait_array_free(map->x);
    strait_array_free(map->y);
    st_free(map);
}

static strait_status fill_options(strait_umap_options *o, int64_t n, strait_error *err) {
    ST_TRY(st_map_dims(&o->dims, o->dims, err));
    ST_TRY(st_fuzzy_neighbors(&o->neighbors, n, err));
    if (!(o->min_dist < 3)) /* also NaN */
        return st_fail(err, STRAIT_ARGUMENT, "min_dist %g: it must be below 3", o->min_dist);
    if (o->epochs < 0) return st_fail(err, STRAIT_ARGUMENT, "%d epochs: 0 is the default", o->epochs);
    o->min_dist = o->min_dist > 0 ? o->min_dist : o->min_dist < 0 ? 0 : 0.1;
    return STRAIT_OK;
}

/* Brings each column to 0..SIDE, with a little noise. */
static void spread_start(float *y, int64_t n, int dims, uint64_t seed) {
    for (int c = 0; c < dims; c++) {
        float low = y[c], high = y[c];
        for (int64_t i = 1; i < n; i++) {
            low = fminf(low, y[i * dims + c]);
            high = fmaxf(high, y[i * dims + c]);
        }
        const double scale = high > low ? SIDE / ((double)high - (double)low) : 0;
        for (int64_t i = 0; i < n; i++)
            y[i * dims + c] = (float)(((double)y[i * dims + c] - (double)low) * scale);
    }
    for (int64_t i = 0; i < n; i++) {
        float noise[4];
        st_rng_normal(&(st_rng){.seed = seed, .purpose = ST_RNG_MAP, .epoch = START_NOISE, .sample = (uint32_t)i}, 0,
                      noise, 4);
        for (int c = 0; c < dims; c++)
            y[i * dims + c] += NOISE * noise[c];
    }
}

static strait_status make_start(float *y, const st_graph_rows *graph, const st_rows *x, const strait_umap_options *o,
                                st_pool *pool, strait_error *err) {
    bool found = false;
    if (!o->pca_start) ST_TRY(st_umap_spectral(y, &found, o->dims, graph, o->seed, pool, err));
    if (!found) ST_TRY(st_map_start_pca(y, o->dims, x, o->seed, o->threads, err));
    spread_start(y, x->n, o->dims, o->seed);
    return STRAIT_OK;
}

/* Weights to shares of the heaviest; edges too light to be used in all the epochs go to 0. */
static void to_shares(st_graph_rows *graph, int epochs) {
    float most = 0;
    const int64_t edges = graph->start[graph->n];
    for (int64_t e = 0; e < edges; e++)
        most = fmaxf(most, graph->weight[e]);
    for (int64_t e = 0; e < edges; e++) {
        const float share = graph->weight[e] / most;
        graph->weight[e] = share * (float)epochs >= 1 ? share : 0;
    }
}

static strait_status run(strait_array *y, const strait_array *x, const st_rows *rows, const strait_umap_options *o,
                         st_curve curve, strait_error *err) {
    st_pool *pool;
    st_graph_rows graph = {0};
    ST_TRY(st_pool_new(&pool, st_explore_threads(o->threads), NULL, err));
    const int epochs = o->epochs ? o->epochs : rows->n <= 10000 ? 500 : 200;
    const strait_neighbors_options options = {.metric = o->metric, .seed = o->seed, .threads = o->threads};
    strait_status status = st_fuzzy_graph(&graph, x, o->neighbors, &options, pool, err);
    if (status == STRAIT_OK) status = make_start(y->values, &graph, rows, o, pool, err);
    if (status == STRAIT_OK) {
        to_shares(&graph, epochs);
        const st_layout layout = {.dims = o->dims,
                                  .epochs = epochs,
                                  .edges = &graph,
                                  .y = y->values,
                                  .curve = curve,
                                  .rate = 1,
                                  .seed = o->seed,
                                  .progress = o->progress,
                                  .context = o->context};
        status = st_umap_layout(&layout, pool, err);
    }
    st_graph_rows_free(&graph);
    st_pool_free(pool);
    return status;
}

static strait_status keep(strait_umap **map, const strait_array *x, const strait_array *y, const strait_umap_options *o,
                          st_curve curve, strait_error *err) {
    strait_umap *kept = st_alloc(1, sizeof *kept);
    if (!kept) return st_fail_memory(err, sizeof *kept, "a map");
    kept->options = *o;
    kept->options.progress = NULL;
    kept->options.context = NULL;
    kept->curve = curve;
    strait_status status = copy_array(&kept->x, x, err);
    if (status == STRAIT_OK) status = copy_array(&kept->y, y, err);
    if (status == STRAIT_OK)
        *map = kept;
    else
        strait_umap_free(kept);
    return status;
}

STRAIT_API strait_status strait_umap_fit(strait_array **y, strait_umap **map, const strait_array *x,
                                         const strait_umap_options *options, strait_error *err) {
    strait_umap_options o = options ? *options : (strait_umap_options){0};
    st_rows rows;
    strait_array *places;
    *y = NULL;
    if (map) *map = NULL;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    ST_TRY(fill_options(&o, rows.n, err));
    ST_TRY(strait_array_new(&places, 2, (int64_t[]){rows.n, o.dims}, err));
    const st_curve curve = st_umap_curve(o.min_dist);
    strait_status status = rows.n > 1 ? run(places, x, &rows, &o, curve, err) : STRAIT_OK;
    if (status == STRAIT_OK && map) status = keep(map, x, places, &o, curve, err);
    if (status == STRAIT_OK)
        *y = places;
    else
        strait_array_free(places);
    return status;
}

/* ---- new samples ---- */

/* The edges to the samples of the fit; borrows index. Memberships are those of the fit, with the nearest's 1: in many
   dimensions, where all are about as far, umap-learn's without it say little of which is nearest. */
static strait_status make_edges(st_graph_rows *edges, const strait_neighbors *neighbors, st_pool *pool,
                                strait_error *err) {
    const int64_t n = neighbors->n, k = neighbors->k;
    *edges = (st_graph_rows){.n = n,
                             .start = st_alloc((size_t)n + 1, sizeof *edges->start),
                             .index = neighbors->index,
                             .weight = st_alloc((size_t)n, (size_t)k * sizeof *edges->weight)};
    if (!edges->start || !edges->weight)
        return st_fail_memory(err, (size_t)n * (size_t)k * sizeof *edges->weight, "edges to the map");
    for (int64_t i = 0; i <= n; i++)
        edges->start[i] = i * k;
    st_umap_memberships(edges->weight, neighbors, (int)k, true, pool);
    return STRAIT_OK;
}

/* Each new sample at its neighbours' mean, weighted. */
static void start_among_neighbors(float *y, const st_graph_rows *edges, const float *places, int dims) {
    for (int64_t i = 0; i < edges->n; i++) {
        double sum[ST_MAP_MAX_DIMS] = {0}, total = 0;
        for (int64_t e = edges->start[i]; e < edges->start[i + 1]; e++) {
            const double weight = (double)edges->weight[e];
            total += weight;
            for (int c = 0; c < dims; c++)
                sum[c] += weight * (double)places[(int64_t)edges->index[e] * dims + c];
        }
        for (int c = 0; c < dims && total > 0; c++)
            y[i * dims + c] = (float)(sum[c] / total);
    }
}

static strait_status place(strait_array *y, const strait_umap *map, const strait_neighbors *neighbors, st_pool *pool,
                           strait_error *err) {
    const strait_umap_options *o = &map->options;
    const int epochs = o->epochs ? (o->epochs + 2) / 3 : neighbors->n <= 10000 ? 100 : 30;
    st_graph_rows edges;
    strait_status status = make_edges(&edges, neighbors, pool, err);
    if (status == STRAIT_OK) {
        start_among_neighbors(y->values, &edges, map->y->values, o->dims);
        to_shares(&edges, epochs);
        const st_layout layout = {.dims = o->dims,
                                  .epochs = epochs,
                                  .edges = &edges,
                                  .y = y->values,
                                  .others = map->y->values,
                                  .n_others = map->y->dim[0],
                                  .curve = map->curve,
                                  .rate = 1.0 / TRANSFORM_RATE,
                                  .seed = o->seed};
        status = st_umap_layout(&layout, pool, err);
    }
    st_free(edges.start);
    st_free(edges.weight);
    return status;
}

STRAIT_API strait_status strait_umap_transform(strait_array **y, const strait_umap *map, const strait_array *x,
                                               strait_error *err) {
    const strait_umap_options *o = &map->options;
    const strait_neighbors_options options = {.metric = o->metric, .threads = o->threads};
    strait_neighbors *neighbors = NULL;
    strait_array *places = NULL;
    st_pool *pool = NULL;
    *y = NULL;
    strait_status status = strait_neighbors_query(&neighbors, map->x, x, o->neighbors, &options, err);
    if (status == STRAIT_OK) status = strait_array_new(&places, 2, (int64_t[]){neighbors->n, o->dims}, err);
    if (status == STRAIT_OK) status = st_pool_new(&pool, st_explore_threads(o->threads), NULL, err);
    if (status == STRAIT_OK) status = place(places, map, neighbors, pool, err);
    if (status == STRAIT_OK)
        *y = places;
    else
        strait_array_free(places);
    st_pool_free(pool);
    strait_neighbors_free(neighbors);
    return status;
}
