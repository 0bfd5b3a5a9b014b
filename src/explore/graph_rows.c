#include <string.h>
#include "base/memory.h"
#include "explore/maps_int.h"

void st_graph_rows_free(st_graph_rows *graph) {
    st_free(graph->start);
    st_free(graph->index);
    st_free(graph->weight);
    *graph = (st_graph_rows){0};
}

/* Directed edges by their head's row, indices ascending. */
static strait_status rows_new(st_graph_rows *out, int64_t n, int64_t edges, strait_error *err) {
    *out = (st_graph_rows){.n = n,
                           .start = st_alloc((size_t)n + 1, sizeof *out->start),
                           .index = st_alloc((size_t)edges, sizeof *out->index),
                           .weight = st_alloc((size_t)edges, sizeof *out->weight)};
    if (out->start && out->index && out->weight) return STRAIT_OK;
    st_graph_rows_free(out);
    return st_fail_memory(err, (size_t)edges * (sizeof(int32_t) + sizeof(float)), "the graph of neighbours");
}

/* The transpose of neighbours: row j holds every i that has j as neighbour, ascending. */
static void transpose_neighbors(st_graph_rows *out, const strait_neighbors *neighbors, const float *weight) {
    const int64_t edges = neighbors->n * neighbors->k;
    for (int64_t e = 0; e < edges; e++)
        out->start[neighbors->index[e] + 1]++;
    for (int64_t i = 0; i < out->n; i++)
        out->start[i + 1] += out->start[i];
    for (int64_t e = 0; e < edges; e++) {
        const int64_t to = out->start[neighbors->index[e]]++;
        out->index[to] = (int32_t)(e / neighbors->k);
        out->weight[to] = weight[e];
    }
    memmove(out->start + 1, out->start, (size_t)out->n * sizeof *out->start); /* each row's end is the next's start */
    out->start[0] = 0;
}

static void transpose_rows(st_graph_rows *out, const st_graph_rows *in) {
    for (int64_t e = 0; e < in->start[in->n]; e++)
        out->start[in->index[e] + 1]++;
    for (int64_t i = 0; i < out->n; i++)
        out->start[i + 1] += out->start[i];
    for (int64_t i = 0; i < in->n; i++)
        for (int64_t e = in->start[i]; e < in->start[i + 1]; e++) {
            const int64_t to = out->start[in->index[e]]++;
            out->index[to] = (int32_t)i;
            out->weight[to] = in->weight[e];
        }
    memmove(out->start + 1, out->start, (size_t)out->n * sizeof *out->start);
    out->start[0] = 0;
}

static float unite(double a, double b, int64_t n, st_union how) {
    return (float)(how == ST_UNION_MEAN ? (a + b) / (2 * (double)n) : a + b - a * b);
}

/* Row i of the union of a and its transpose b; returns how many edges. out_index NULL only counts. */
static int64_t merge_row(const st_graph_rows *a, const st_graph_rows *b, int64_t i, st_union how, int32_t *out_index,
                         float *out_weight) {
    int64_t n = 0, p = a->start[i], q = b->start[i];
    const int64_t p_end = a->start[i + 1], q_end = b->start[i + 1];
    for (; p < p_end || q < q_end; n++) {
        const int32_t from_a = p < p_end ? a->index[p] : INT32_MAX, from_b = q < q_end ? b->index[q] : INT32_MAX;
        const int32_t least = from_a < from_b ? from_a : from_b;
        const double in_a = from_a == least ? (double)a->weight[p++] : 0;
        const double in_b = from_b == least ? (double)b->weight[q++] : 0;
        if (!out_index) continue;
        out_index[n] = least;
        out_weight[n] = unite(in_a, in_b, a->n, how);
    }
    return n;
}

static strait_status merge(st_graph_rows *out, const st_graph_rows *a, const st_graph_rows *b, st_union how,
                           strait_error *err) {
    int64_t edges = 0;
    for (int64_t i = 0; i < a->n; i++)
        edges += merge_row(a, b, i, how, NULL, NULL);
    ST_TRY(rows_new(out, a->n, edges, err));
    for (int64_t i = 0; i < a->n; i++)
        out->start[i + 1] =
            out->start[i] + merge_row(a, b, i, how, out->index + out->start[i], out->weight + out->start[i]);
    return STRAIT_OK;
}

strait_status st_graph_rows_new(st_graph_rows *out, const strait_neighbors *neighbors, const float *weight,
                                st_union how, strait_error *err) {
    *out = (st_graph_rows){0};
    st_graph_rows back = {0}, forth = {0};
    const int64_t edges = neighbors->n * neighbors->k;
    strait_status status = rows_new(&back, neighbors->n, edges, err);
    if (status == STRAIT_OK) status = rows_new(&forth, neighbors->n, edges, err);
    if (status == STRAIT_OK) {
        transpose_neighbors(&back, neighbors, weight);
        transpose_rows(&forth, &back); /* which sorts the rows by index */
        status = merge(out, &forth, &back, how, err);
    }
    st_graph_rows_free(&back);
    st_graph_rows_free(&forth);
    return status;
}
