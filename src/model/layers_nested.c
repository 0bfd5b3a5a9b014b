/* Layers that hold layers: branches side by side, residuals, and the gaussian latent. What a mistake in them needs is
   the branch's or the layer's line and both shapes, so shapes are compared here, before the graph's builders do. */
#include <stdio.h>

#include "model/layers_int.h"

/* ---- parallel ---- */

/* The slices, in order, must cover the last axis, each value once. */
static strait_status check_slices(const st_layer *layer, const char *name, int64_t width, strait_error *err) {
    int64_t done = 0;
    for (int b = 0; b < layer->n_branches; b++) {
        const st_branch *branch = &layer->branch[b];
        const long long begin = (long long)branch->begin, end = (long long)branch->end;
        if (end > width)
            return st_fail_at(err, STRAIT_SHAPE, branch->pos,
                              "branch %d of parallel (%s): slice [%lld, %lld] ends beyond the input, whose last axis "
                              "has %lld values",
                              b, name, begin, end, (long long)width);
        if (b > 0 && branch->end <= layer->branch[b - 1].begin)
            return st_fail_at(err, STRAIT_SHAPE, branch->pos,
                              "branch %d of parallel (%s): slice [%lld, %lld] comes after [%lld, %lld]: put the "
                              "branches in the order of their slices",
                              b, name, begin, end, (long long)layer->branch[b - 1].begin, (long long)done);
        if (branch->begin < done)
            return st_fail_at(err, STRAIT_SHAPE, branch->pos,
                              "branch %d of parallel (%s): slice [%lld, %lld] overlaps the one before, which ends at "
                              "%lld",
                              b, name, begin, end, (long long)done);
        if (branch->begin > done)
            return st_fail_at(err, STRAIT_SHAPE, branch->pos,
                              "branch %d of parallel (%s): no slice takes values %lld to %lld of the input; begin at "
                              "%lld",
                              b, name, (long long)done, begin - 1, (long long)done);
        done = branch->end;
    }
    if (done == width) return STRAIT_OK;
    return st_fail_at(err, STRAIT_SHAPE, layer->branch[layer->n_branches - 1].pos,
                      "the slices of parallel (%s) end at %lld, but the input's last axis has %lld values: the last "
                      "%lld are in none",
                      name, (long long)done, (long long)width, (long long)(width - done));
}

/* Shapes that differ in more than the last axis cannot be joined. */
static strait_status check_join(const st_layer *layer, const char *name, int b, const st_shape *first,
                                const st_shape *other, strait_error *err) {
    st_shape like = *other;
    if (first->n_dims == other->n_dims) like.dim[like.n_dims - 1] = first->dim[like.n_dims - 1];
    if (st_shape_equal(first, &like)) return STRAIT_OK;
    char has[96], gives[96];
    st_shape_print(has, first);
    st_shape_print(gives, other);
    return st_fail_at(err, STRAIT_SHAPE, layer->branch[b].pos,
                      "branch %d of parallel (%s) gives %s, but branch 0 gives %s: they may differ in the last axis "
                      "alone",
                      b, name, gives, has);
}

/* One branch: its slice, its layers. */
static strait_status add_branch(int *tensor, st_graph *graph, const st_layer *layer, int b, st_op_place place,
                                strait_error *err) {
    const st_branch *branch = &layer->branch[b];
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s.%d", place.prefix, b);
    place.prefix = prefix;
    if (branch->sliced) {
        strait_error cause = {0};
        const strait_status status = st_graph_slice(tensor, graph, *tensor, branch->begin, branch->end, place, &cause);
        if (status != STRAIT_OK) return st_place_error(status, &cause, branch->pos, err);
    }
    const st_layers_place inside = {.prefix = prefix, .part = place.part, .layer = place.layer};
    return st_add_layers(tensor, graph, branch->layers, branch->n_layers, inside, err);
}

strait_status st_add_parallel(int *tensor, st_graph *graph, const st_layer *layer, st_op_place place,
                              strait_error *err) {
    const int src = *tensor;
    const st_shape *in = &graph->tensor[src].shape;
    if (layer->branch[0].sliced) ST_TRY(check_slices(layer, place.prefix, in->dim[in->n_dims - 1], err));
    int joined = src;
    for (int b = 0; b < layer->n_branches; b++) {
        int result = src;
        ST_TRY(add_branch(&result, graph, layer, b, place, err));
        if (b == 0) {
            joined = result;
            continue;
        }
        ST_TRY(check_join(layer, place.prefix, b, &graph->tensor[joined].shape, &graph->tensor[result].shape, err));
        strait_error cause = {0};
        const strait_status status = st_graph_concat(&joined, graph, joined, result, place, &cause);
        if (status != STRAIT_OK) return st_place_error(status, &cause, layer->branch[b].pos, err);
    }
    *tensor = joined;
    return STRAIT_OK;
}

/* ---- residual ---- */

strait_status st_add_residual(int *tensor, st_graph *graph, const st_layer *layer, st_op_place place,
                              strait_error *err) {
    const int src = *tensor;
    const st_layers_place inside = {.prefix = place.prefix, .part = place.part, .layer = place.layer};
    ST_TRY(st_add_layers(tensor, graph, layer->branch->layers, layer->branch->n_layers, inside, err));
    const st_shape *in = &graph->tensor[src].shape, *out = &graph->tensor[*tensor].shape;
    if (!st_shape_equal(in, out)) {
        char gets[96], gives[96];
        st_shape_print(gets, in);
        st_shape_print(gives, out);
        return st_fail_at(err, STRAIT_SHAPE, layer->pos,
                          "residual (%s): its layers give %s, but it gets %s; they must be the same to be added",
                          place.prefix, gives, gets);
    }
    strait_error cause = {0};
    const strait_status status = st_graph_add(tensor, graph, src, *tensor, place, &cause);
    return st_place_error(status, &cause, layer->pos, err);
}

/* ---- gaussian ---- */

/* Mean or log-variance: a dense layer of its own, or the recipe's layers. */
static strait_status add_moment(int *tensor, st_graph *graph, const st_layer *layer, int b, st_op_place place,
                                strait_error *err) {
    static const char *const name[] = {"mean", "log_variance"};
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s.%s", place.prefix, name[b]);
    place.prefix = prefix;
    if (layer->n_branches) {
        const st_layers_place inside = {.prefix = prefix, .part = place.part, .layer = place.layer};
        return st_add_layers(tensor, graph, layer->branch[b].layers, layer->branch[b].n_layers, inside, err);
    }
    const st_activation linear = {.kind = ST_LINEAR};
    strait_error cause = {0};
    const strait_status status = st_graph_dense(tensor, graph, *tensor, layer->units, true, linear, place, &cause);
    return st_place_error(status, &cause, layer->pos, err);
}

strait_status st_add_gaussian(int *tensor, st_graph *graph, const st_layer *layer, st_op_place place,
                              strait_error *err) {
    const int src = *tensor;
    int mean = src, log_variance = src;
    ST_TRY(add_moment(&mean, graph, layer, 0, place, err));
    ST_TRY(add_moment(&log_variance, graph, layer, 1, place, err));
    const st_shape *one = &graph->tensor[mean].shape, *other = &graph->tensor[log_variance].shape;
    if (!st_shape_equal(one, other)) {
        char gives[96], wants[96];
        st_shape_print(gives, one);
        st_shape_print(wants, other);
        return st_fail_at(err, STRAIT_SHAPE, layer->pos,
                          "gaussian (%s): mean gives %s, but log_variance gives %s; they must be of the same size",
                          place.prefix, gives, wants);
    }
    strait_error cause = {0};
    const strait_status status =
        st_graph_sample(tensor, graph, mean, log_variance, layer->beta, layer->kl_mean, place, &cause);
    return st_place_error(status, &cause, layer->pos, err);
}
