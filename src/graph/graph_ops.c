/* Building the ops that are neither dense nor convolutions: pools, norms, noise, cutting and joining, latents. */
#include "base/string.h"
#include "graph/graph_int.h"

/* ---- images ---- */

strait_status st_graph_pool2d(int *dst, st_graph *graph, int src, bool max, const int64_t size[2],
                              const int64_t strides[2], st_padding padding, st_op_place place, strait_error *err) {
    const st_op_kind kind = max ? ST_OP_MAX_POOL2D : ST_OP_AVG_POOL2D;
    ST_TRY(st_graph_need_image(graph, src, st_op_name(kind), err));
    const st_shape in = graph->tensor[src].shape;
    st_op op = st_graph_new_op(kind, src, place);
    st_shape out = in;
    ST_TRY(st_graph_slide(&out, &op.window, &in, max ? "max_pool2d of" : "avg_pool2d of", size, strides, padding, err));
    return st_graph_add_op(dst, graph, op, &out, err);
}

strait_status st_graph_upsample2d(int *dst, st_graph *graph, int src, const int64_t factor[2], bool bilinear,
                                  st_op_place place, strait_error *err) {
    ST_TRY(st_graph_need_image(graph, src, st_op_name(ST_OP_UPSAMPLE2D), err));
    st_op op = st_graph_new_op(ST_OP_UPSAMPLE2D, src, place);
    st_shape out = graph->tensor[src].shape;
    op.bilinear = bilinear;
    for (int axis = 0; axis < 2; axis++) {
        op.factor[axis] = factor[axis];
        out.dim[axis] = factor[axis] > ST_MAX_COUNT / out.dim[axis] ? ST_MAX_COUNT + 1 : out.dim[axis] * factor[axis];
    }
    return st_graph_add_op(dst, graph, op, &out, err);
}

strait_status st_graph_crop2d(int *dst, st_graph *graph, int src, const int64_t before[2], const int64_t after[2],
                              st_op_place place, strait_error *err) {
    static const char *const what[2] = {"rows", "columns"};
    ST_TRY(st_graph_need_image(graph, src, st_op_name(ST_OP_CROP2D), err));
    const st_shape in = graph->tensor[src].shape;
    st_op op = st_graph_new_op(ST_OP_CROP2D, src, place);
    st_shape out = in;
    for (int axis = 0; axis < 2; axis++) {
        op.window.pad_before[axis] = before[axis];
        op.window.pad_after[axis] = after[axis];
        if (before[axis] >= in.dim[axis] || after[axis] >= in.dim[axis] - before[axis]) {
            char text[96];
            st_shape_print(text, &in);
            return st_fail(err, STRAIT_SHAPE, "crop2d takes %lld + %lld %s off %s, which has %lld: nothing is left",
                           (long long)before[axis], (long long)after[axis], what[axis], text, (long long)in.dim[axis]);
        }
        out.dim[axis] -= before[axis] + after[axis];
    }
    return st_graph_add_op(dst, graph, op, &out, err);
}

strait_status st_graph_zero_pad2d(int *dst, st_graph *graph, int src, const int64_t before[2], const int64_t after[2],
                                  st_op_place place, strait_error *err) {
    ST_TRY(st_graph_need_image(graph, src, st_op_name(ST_OP_ZERO_PAD2D), err));
    st_op op = st_graph_new_op(ST_OP_ZERO_PAD2D, src, place);
    st_shape out = graph->tensor[src].shape;
    for (int axis = 0; axis < 2; axis++) {
        op.window.pad_before[axis] = before[axis];
        op.window.pad_after[axis] = after[axis];
        const bool huge = before[axis] > ST_MAX_COUNT || after[axis] > ST_MAX_COUNT;
        out.dim[axis] = huge ? ST_MAX_COUNT + 1 : out.dim[axis] + before[axis] + after[axis];
    }
    return st_graph_add_op(dst, graph, op, &out, err);
}

/* ---- norms ---- */

/* gamma and beta, one each for every value of the last axis. */
static strait_status add_gamma_and_beta(st_op *op, st_graph *graph, const st_shape *shape, st_op_place place,
                                        strait_error *err) {
    st_parameter like = {.shape = *shape, .start = {.kind = ST_ONES}, .role = ST_ROLE_OFFSET};
    ST_TRY(st_graph_add_parameter(&op->kernel, graph, place.prefix, "gamma", &like, err));
    like.start.kind = ST_ZEROS;
    return st_graph_add_parameter(&op->bias, graph, place.prefix, "beta", &like, err);
}

static st_shape channels_of(const st_graph *graph, int t) {
    const st_shape *shape = &graph->tensor[t].shape;
    return (st_shape){.n_dims = 1, .dim = {shape->dim[shape->n_dims - 1]}};
}

strait_status st_graph_batch_norm(int *dst, st_graph *graph, int src, double momentum, double epsilon,
                                  st_op_place place, strait_error *err) {
    const st_shape shape = graph->tensor[src].shape, channels = channels_of(graph, src);
    st_op op = st_graph_new_op(ST_OP_BATCH_NORM, src, place);
    op.momentum = momentum;
    op.epsilon = epsilon;
    ST_TRY(add_gamma_and_beta(&op, graph, &channels, place, err));
    st_parameter like = {.shape = channels, .start = {.kind = ST_ZEROS}, .role = ST_ROLE_STATE};
    ST_TRY(st_graph_add_parameter(&op.state[0], graph, place.prefix, "moving_mean", &like, err));
    like.start.kind = ST_ONES;
    ST_TRY(st_graph_add_parameter(&op.state[1], graph, place.prefix, "moving_variance", &like, err));
    return st_graph_add_op(dst, graph, op, &shape, err);
}

strait_status st_graph_layer_norm(int *dst, st_graph *graph, int src, double epsilon, st_op_place place,
                                  strait_error *err) {
    const st_shape shape = graph->tensor[src].shape, channels = channels_of(graph, src);
    st_op op = st_graph_new_op(ST_OP_LAYER_NORM, src, place);
    op.epsilon = epsilon;
    ST_TRY(add_gamma_and_beta(&op, graph, &channels, place, err));
    return st_graph_add_op(dst, graph, op, &shape, err);
}

/* ---- noise ---- */

/* Appends an op that draws a random number for each of its values, and gives it its own range of the sample's stream,
   whose positions have 32 bits. */
static strait_status add_random_op(int *dst, st_graph *graph, st_op op, const st_shape *shape, strait_error *err) {
    const int64_t n = (st_shape_count(shape) + 3) / 4 * 4;
    if (n > UINT32_MAX - graph->n_random)
        return st_fail(err, STRAIT_SHAPE, "%s would draw the %lldth random number of a sample: there are 2^32",
                       st_op_name(op.kind), (long long)(graph->n_random + n));
    op.random = graph->n_random;
    ST_TRY(st_graph_add_op(dst, graph, op, shape, err));
    graph->n_random += n;
    return STRAIT_OK;
}

strait_status st_graph_dropout(int *dst, st_graph *graph, int src, double rate, st_op_place place, strait_error *err) {
    const st_shape shape = graph->tensor[src].shape;
    st_op op = st_graph_new_op(ST_OP_DROPOUT, src, place);
    op.rate = rate;
    return add_random_op(dst, graph, op, &shape, err);
}

strait_status st_graph_gaussian_noise(int *dst, st_graph *graph, int src, double stddev, st_op_place place,
                                      strait_error *err) {
    const st_shape shape = graph->tensor[src].shape;
    st_op op = st_graph_new_op(ST_OP_GAUSSIAN_NOISE, src, place);
    op.stddev = stddev;
    return add_random_op(dst, graph, op, &shape, err);
}

/* ---- cutting and joining ---- */

strait_status st_graph_slice(int *dst, st_graph *graph, int src, int64_t begin, int64_t end, st_op_place place,
                             strait_error *err) {
    st_shape out = graph->tensor[src].shape;
    int64_t *last = &out.dim[out.n_dims - 1];
    if (begin < 0 || begin >= end || end > *last) {
        char text[96];
        st_shape_print(text, &out);
        return st_fail(err, STRAIT_SHAPE,
                       "slice takes values %lld to %lld of the last axis, but gets %s with 0 to %lld", (long long)begin,
                       (long long)end, text, (long long)*last);
    }
    st_op op = st_graph_new_op(ST_OP_SLICE, src, place);
    op.begin = begin;
    *last = end - begin;
    return st_graph_add_op(dst, graph, op, &out, err);
}

/* SHAPE, with both shapes printed into a sentence. */
static strait_status fail_two(const st_shape *a, const st_shape *b, const char *sentence_1, const char *sentence_2,
                              strait_error *err) {
    char first[96], second[96];
    st_shape_print(first, a);
    st_shape_print(second, b);
    return st_fail(err, STRAIT_SHAPE, "%s %s and %s%s", sentence_1, first, second, sentence_2);
}

strait_status st_graph_concat(int *dst, st_graph *graph, int a, int b, st_op_place place, strait_error *err) {
    st_shape out = graph->tensor[a].shape, second = graph->tensor[b].shape;
    const int last = out.n_dims - 1;
    st_shape like = out;
    if (out.n_dims == second.n_dims) like.dim[last] = second.dim[last];
    if (!st_shape_equal(&like, &second))
        return fail_two(&out, &second, "concat gets", ", which may differ in the last axis alone", err);
    st_op op = st_graph_new_op(ST_OP_CONCAT, a, place);
    op.src2 = b;
    out.dim[last] += second.dim[last];
    return st_graph_add_op(dst, graph, op, &out, err);
}

strait_status st_graph_add(int *dst, st_graph *graph, int a, int b, st_op_place place, strait_error *err) {
    const st_shape shape = graph->tensor[a].shape, second = graph->tensor[b].shape;
    if (!st_shape_equal(&shape, &second))
        return fail_two(&shape, &second, "add needs two equal shapes, but gets", "", err);
    st_op op = st_graph_new_op(ST_OP_ADD, a, place);
    op.src2 = b;
    return st_graph_add_op(dst, graph, op, &shape, err);
}

/* ---- latents ---- */

strait_status st_graph_sample(int *dst, st_graph *graph, int mean, int log_variance, double beta, bool kl_mean,
                              st_op_place place, strait_error *err) {
    const st_shape shape = graph->tensor[mean].shape, second = graph->tensor[log_variance].shape;
    if (!st_shape_equal(&shape, &second))
        return fail_two(&shape, &second, "the mean and the log-variance of a sample need equal shapes, but are", "",
                        err);
    st_op op = st_graph_new_op(ST_OP_SAMPLE, mean, place);
    op.src2 = log_variance;
    op.beta = beta;
    op.kl_mean = kl_mean;
    return add_random_op(dst, graph, op, &shape, err);
}

strait_status st_graph_penalty(int *dst, st_graph *graph, int src, double l1, double l2, st_op_place place,
                               strait_error *err) {
    const st_shape shape = graph->tensor[src].shape;
    st_op op = st_graph_new_op(ST_OP_PENALTY, src, place);
    op.l1 = l1;
    op.l2 = l2;
    return st_graph_add_op(dst, graph, op, &shape, err);
}
