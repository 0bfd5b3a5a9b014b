/* Clusters as communities of the graph of neighbours: its making, what is found by st_leiden, and how good it is. */
#include <math.h>
#include "base/memory.h"
#include "explore/clusters_int.h"
#include "explore/umap_int.h"

strait_status st_modularity(double *out, const int32_t *cluster, const st_graph_rows *graph, double resolution,
                            strait_error *err) {
    double inside = 0, ends = 0, by_chance = 0;
    double *total = st_alloc((size_t)graph->n, sizeof *total);
    if (!total) return st_fail_memory(err, (size_t)graph->n * sizeof *total, "the modularity");
    for (int64_t i = 0; i < graph->n; i++)
        for (int64_t e = graph->start[i]; e < graph->start[i + 1]; e++) {
            const double weight = (double)graph->weight[e];
            total[cluster[i]] += weight;
            ends += weight;
            if (cluster[graph->index[e]] == cluster[i]) inside += weight;
        }
    for (int64_t c = 0; c < graph->n && ends > 0; c++)
        by_chance += total[c] / ends * (total[c] / ends);
    *out = ends > 0 ? inside / ends - resolution * by_chance : 0;
    st_free(total);
    return STRAIT_OK;
}

/* Each connected piece of a community becomes a cluster of its own: that never lowers the modularity. *pieces: how
   many. Depth first. */
static strait_status split(strait_clusters *clusters, const st_graph_rows *graph, int64_t *pieces, strait_error *err) {
    const int64_t n = graph->n;
    int64_t n_waiting = 0;
    int32_t *piece = st_alloc((size_t)n, sizeof *piece), *waiting = st_alloc((size_t)n, sizeof *waiting);
    strait_status status = piece && waiting ? STRAIT_OK : st_fail_memory(err, (size_t)n * 8, "communities");
    *pieces = 0;
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++) {
        if (piece[i] > 0) continue;
        piece[i] = (int32_t)++ * pieces;
        waiting[n_waiting++] = (int32_t)i;
        while (n_waiting > 0) {
            const int32_t at = waiting[--n_waiting];
            for (int64_t e = graph->start[at]; e < graph->start[at + 1]; e++) {
                const int32_t other = graph->index[e];
                if (piece[other] > 0 || clusters->cluster[other] != clusters->cluster[i] || !(graph->weight[e] > 0))
                    continue;
                piece[other] = piece[i];
                waiting[n_waiting++] = other;
            }
        }
    }
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++)
        clusters->cluster[i] = piece[i] - 1;
    st_free(piece);
    st_free(waiting);
    return status;
}

strait_status st_communities(strait_clusters *clusters, const st_graph_rows *graph, double resolution, int most,
                             uint64_t seed, strait_error *err) {
    int64_t pieces;
    ST_TRY(st_leiden(clusters, graph, resolution, most, seed, err));
    ST_TRY(split(clusters, graph, &pieces, err));
    ST_TRY(st_clusters_order(clusters, pieces, NULL, err));
    return st_modularity(&clusters->score, clusters->cluster, graph, resolution, err);
}

/* Communities of more than one sample, and the means of their samples. */
static strait_status run(strait_clusters *clusters, const strait_array *x, const st_rows *rows,
                         const strait_cluster_options *o, strait_error *err) {
    const strait_neighbors_options options = {.metric = o->metric, .seed = o->seed, .threads = o->threads};
    const double resolution = o->resolution > 0 ? o->resolution : 1;
    st_pool *pool = NULL;
    st_graph_rows graph = {0};
    strait_status status = STRAIT_OK;
    if (rows->n > 1) {
        status = st_pool_new(&pool, st_explore_threads(o->threads), NULL, err);
        if (status == STRAIT_OK) status = st_fuzzy_graph(&graph, x, o->neighbors, &options, pool, err);
        if (status == STRAIT_OK) status = st_communities(clusters, &graph, resolution, o->iterations, o->seed, err);
        st_graph_rows_free(&graph);
        st_pool_free(pool);
    }
    const double modularity = clusters->score;
    if (status == STRAIT_OK) status = st_clusters_means(clusters, rows->values, rows->d, rows->d, err);
    clusters->score = modularity;
    return status;
}

STRAIT_API strait_status strait_leiden(strait_clusters **out, const strait_array *x,
                                       const strait_cluster_options *options, strait_error *err) {
    strait_cluster_options o = options ? *options : (strait_cluster_options){0};
    st_rows rows;
    strait_clusters *clusters;
    *out = NULL;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    ST_TRY(st_fuzzy_neighbors(&o.neighbors, rows.n, err));
    if (!(o.resolution >= 0) || isinf(o.resolution))
        return st_fail(err, STRAIT_ARGUMENT, "resolution %g: it must be above 0; 0 is the default", o.resolution);
    if (o.iterations < 0) return st_fail(err, STRAIT_ARGUMENT, "%d iterations: 0 is the default", o.iterations);
    ST_TRY(st_clusters_new(&clusters, rows.n, err));
    const strait_status status = run(clusters, x, &rows, &o, err);
    if (status == STRAIT_OK)
        *out = clusters;
    else
        strait_clusters_free(clusters);
    return status;
}
