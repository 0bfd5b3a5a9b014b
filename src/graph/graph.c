#include "graph/graph.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/string.h"
#include "graph/graph_int.h"

const char *st_op_name(st_op_kind kind) {
    static const char *const name[] = {
#define OP_NAME(enumerator, text) [ST_OP_##enumerator] = text,
        ST_OP_LIST(OP_NAME)
#undef OP_NAME
    };
    return name[kind];
}

int64_t st_shape_count(const st_shape *shape) {
    int64_t count = 1;
    for (int i = 0; i < shape->n_dims; i++) {
        if (shape->dim[i] > 0 && count > ST_MAX_COUNT / shape->dim[i]) return ST_MAX_COUNT + 1;
        count *= shape->dim[i];
    }
    return count;
}

bool st_shape_equal(const st_shape *a, const st_shape *b) {
    if (a->n_dims != b->n_dims) return false;
    for (int i = 0; i < a->n_dims; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

void st_shape_print(char out[96], const st_shape *shape) {
    size_t length = 0;
    out[0] = 0;
    for (int i = 0; i < shape->n_dims; i++) {
        const int n = snprintf(out + length, 96 - length, "%s%lld", i ? "×" : "", (long long)shape->dim[i]);
        if (n < 0 || (size_t)n >= 96 - length) return;
        length += (size_t)n;
    }
}

strait_status st_graph_new(st_graph **out, const st_shape *input, strait_error *err) {
    st_graph *graph = st_alloc(1, sizeof *graph);
    if (!graph) return st_fail_memory(err, sizeof *graph, "the graph");
    graph->tensor = st_alloc(1, sizeof *graph->tensor);
    if (!graph->tensor) {
        st_free(graph);
        return st_fail_memory(err, sizeof *graph->tensor, "the graph");
    }
    graph->tensor[0] = (st_tensor){.shape = *input, .producer = -1};
    graph->n_tensors = 1;
    graph->latent = graph->output = graph->logits = -1;
    *out = graph;
    return STRAIT_OK;
}

void st_graph_free(st_graph *graph) {
    if (!graph) return;
    st_free(graph->tensor);
    st_free(graph->op);
    st_free(graph->parameter);
    st_free(graph);
}

strait_status st_graph_add_op(int *dst, st_graph *graph, st_op op, const st_shape *shape, strait_error *err) {
    if (st_shape_count(shape) > ST_MAX_COUNT) {
        char text[96];
        st_shape_print(text, shape);
        return st_fail(err, STRAIT_SHAPE, "%s gives %s values a sample: too many", st_op_name(op.kind), text);
    }
    st_op *ops = st_realloc(graph->op, (size_t)graph->n_ops + 1, sizeof *ops);
    if (!ops) return st_fail_memory(err, sizeof *ops, "the graph");
    graph->op = ops;
    st_tensor *tensors = st_realloc(graph->tensor, (size_t)graph->n_tensors + 1, sizeof *tensors);
    if (!tensors) return st_fail_memory(err, sizeof *tensors, "the graph");
    graph->tensor = tensors;
    op.dst = graph->n_tensors;
    graph->op[graph->n_ops] = op;
    graph->tensor[graph->n_tensors++] = (st_tensor){.shape = *shape, .producer = graph->n_ops++};
    *dst = op.dst;
    return STRAIT_OK;
}

st_op st_graph_new_op(st_op_kind kind, int src, st_op_place place) {
    st_op op = {.kind = kind,
                .src = src,
                .dst = -1,
                .src2 = -1,
                .kernel = -1,
                .bias = -1,
                .state = {-1, -1},
                .part = place.part,
                .layer = place.layer};
    snprintf(op.name, sizeof op.name, "%s", place.prefix);
    return op;
}

strait_status st_graph_add_parameter(int *index, st_graph *graph, const char *prefix, const char *what,
                                     const st_parameter *like, strait_error *err) {
    const st_shape *shape = &like->shape;
    const int64_t count = st_shape_count(shape);
    if (count > ST_MAX_COUNT) {
        char text[96];
        st_shape_print(text, shape);
        return st_fail(err, STRAIT_SHAPE, "%s.%s would have %s values: too many", prefix, what, text);
    }
    st_parameter *parameters = st_realloc(graph->parameter, (size_t)graph->n_parameters + 1, sizeof *parameters);
    if (!parameters) return st_fail_memory(err, sizeof *parameters, "the graph");
    graph->parameter = parameters;
    st_parameter *parameter = &parameters[graph->n_parameters];
    *parameter = *like;
    parameter->offset = graph->n_values;
    snprintf(parameter->name, sizeof parameter->name, "%s.%s", prefix, what);
    graph->n_values += count;
    *index = graph->n_parameters++;
    return STRAIT_OK;
}

static strait_status add_kernel_and_bias(st_op *op, st_graph *graph, st_op_place place, const st_shape *shape,
                                         int64_t fan_in, int64_t fan_out, int64_t n_bias, strait_error *err) {
    const st_parameter kernel = {.shape = *shape, .fan_in = fan_in, .fan_out = fan_out, .start = place.initializer};
    ST_TRY(st_graph_add_parameter(&op->kernel, graph, place.prefix, "kernel", &kernel, err));
    if (n_bias == 0) return STRAIT_OK;
    const st_parameter bias = {
        .shape = {.n_dims = 1, .dim = {n_bias}},
        .start = {.kind = place.bias_start != 0 ? ST_CONSTANT : ST_ZEROS, .value = place.bias_start},
        .role = ST_ROLE_OFFSET};
    return st_graph_add_parameter(&op->bias, graph, place.prefix, "bias", &bias, err);
}

/* Appends op and, as an op of its own, an activation that cannot follow from op's result alone. */
static strait_status add_activated(int *dst, st_graph *graph, st_op op, const st_shape *shape, st_activation activation,
                                   st_op_place place, strait_error *err) {
    const bool apart = st_activation_needs_input(activation.kind);
    if (!apart) op.activation = activation;
    ST_TRY(st_graph_add_op(dst, graph, op, shape, err));
    return apart ? st_graph_activation(dst, graph, *dst, false, activation, place, err) : STRAIT_OK;
}

strait_status st_graph_dense(int *dst, st_graph *graph, int src, int64_t units, bool bias, st_activation activation,
                             st_op_place place, strait_error *err) {
    st_shape shape = graph->tensor[src].shape;
    const int64_t in = shape.dim[shape.n_dims - 1];
    st_op op = st_graph_new_op(ST_OP_DENSE, src, place);
    const st_shape kernel = {.n_dims = 2, .dim = {in, units}};
    ST_TRY(add_kernel_and_bias(&op, graph, place, &kernel, in, units, bias ? units : 0, err));
    shape.dim[shape.n_dims - 1] = units;
    return add_activated(dst, graph, op, &shape, activation, place, err);
}

strait_status st_graph_need_image(const st_graph *graph, int src, const char *name, strait_error *err) {
    const st_shape *in = &graph->tensor[src].shape;
    if (in->n_dims == 3) return STRAIT_OK;
    char text[96];
    st_shape_print(text, in);
    return st_fail(err, STRAIT_SHAPE, "%s needs height×width×channels, but gets %s; put a reshape before it", name,
                   text);
}

/* One axis of a convolution's window over `wide` positions giving `narrow`: the zeros TensorFlow adds, the extra one
   after. For a transposed convolution wide is its output. */
static void pad_same(st_window *window, int axis, int64_t wide, int64_t narrow) {
    int64_t pad = (narrow - 1) * window->stride[axis] + window->kernel[axis] - wide;
    if (pad < 0) pad = 0;
    window->pad_before[axis] = pad / 2;
    window->pad_after[axis] = pad - pad / 2;
}

strait_status st_graph_slide(st_shape *out, st_window *window, const st_shape *in, const char *what,
                             const int64_t size[2], const int64_t strides[2], st_padding padding, strait_error *err) {
    for (int axis = 0; axis < 2; axis++) {
        const int64_t k = size[axis], s = strides[axis], n = in->dim[axis];
        window->kernel[axis] = k;
        window->stride[axis] = s;
        if (padding == ST_VALID && n < k) {
            char text[96];
            st_shape_print(text, in);
            return st_fail(err, STRAIT_SHAPE, "%s %lld×%lld does not fit into %s with padding valid", what,
                           (long long)size[0], (long long)size[1], text);
        }
        out->dim[axis] = padding == ST_SAME ? (n + s - 1) / s : (n - k) / s + 1;
        if (padding == ST_SAME) pad_same(window, axis, n, out->dim[axis]);
    }
    return STRAIT_OK;
}

/* The same for a transposed convolution, which always fits. */
static void slide_transposed(st_shape *out, st_window *window, const st_shape *in, const int64_t size[2],
                             const int64_t strides[2], st_padding padding) {
    for (int axis = 0; axis < 2; axis++) {
        const int64_t k = size[axis], s = strides[axis], n = in->dim[axis];
        window->kernel[axis] = k;
        window->stride[axis] = s;
        out->dim[axis] = padding == ST_SAME ? n * s : (n - 1) * s + (k > s ? k : s);
        if (padding == ST_SAME) pad_same(window, axis, out->dim[axis], n);
    }
}

strait_status st_graph_conv2d(int *dst, st_graph *graph, int src, bool transpose, int64_t filters,
                              const int64_t kernel_size[2], const int64_t strides[2], st_padding padding, bool bias,
                              st_activation activation, st_op_place place, strait_error *err) {
    const st_shape in = graph->tensor[src].shape;
    const st_op_kind kind = transpose ? ST_OP_CONV2D_TRANSPOSE : ST_OP_CONV2D;
    ST_TRY(st_graph_need_image(graph, src, st_op_name(kind), err));
    st_op op = st_graph_new_op(kind, src, place);
    st_shape out = {.n_dims = 3, .dim = {0, 0, filters}};
    if (transpose)
        slide_transposed(&out, &op.window, &in, kernel_size, strides, padding);
    else
        ST_TRY(st_graph_slide(&out, &op.window, &in, "conv2d with kernel", kernel_size, strides, padding, err));
    const int64_t channels = in.dim[2], area = kernel_size[0] * kernel_size[1];
    /* Keras keeps transposed kernels as [kh, kw, out, in]; its fans are those of that shape's last two dims. */
    const st_shape kernel = {
        .n_dims = 4,
        .dim = {kernel_size[0], kernel_size[1], transpose ? filters : channels, transpose ? channels : filters}};
    ST_TRY(add_kernel_and_bias(&op, graph, place, &kernel, area * kernel.dim[2], area * kernel.dim[3],
                               bias ? filters : 0, err));
    return add_activated(dst, graph, op, &out, activation, place, err);
}

strait_status st_graph_reshape(int *dst, st_graph *graph, int src, const st_shape *shape, st_op_place place,
                               strait_error *err) {
    const st_shape *in = &graph->tensor[src].shape;
    if (st_shape_count(in) != st_shape_count(shape)) {
        char to[96], from[96], count[32] = "";
        st_shape_print(to, shape);
        st_shape_print(from, in);
        if (in->n_dims > 1) snprintf(count, sizeof count, " = %lld", (long long)st_shape_count(in));
        return st_fail(err, STRAIT_SHAPE, "reshape to %s = %lld values, but gets %s%s", to,
                       (long long)st_shape_count(shape), from, count);
    }
    return st_graph_add_op(dst, graph, st_graph_new_op(ST_OP_RESHAPE, src, place), shape, err);
}

/* Whether an activation may be computed by the op that makes tensor t: what is fused changes t for all its readers. */
static bool takes_activation(const st_graph *graph, int t) {
    const int producer = graph->tensor[t].producer;
    if (producer < 0) return false;
    const st_op *op = &graph->op[producer];
    if (op->kind != ST_OP_DENSE && op->kind != ST_OP_CONV2D && op->kind != ST_OP_CONV2D_TRANSPOSE) return false;
    if (op->activation.kind != ST_LINEAR) return false;
    for (int i = producer + 1; i < graph->n_ops; i++)
        if (graph->op[i].src == t || graph->op[i].src2 == t) return false;
    return true;
}

strait_status st_graph_activation(int *dst, st_graph *graph, int src, bool fuse, st_activation activation,
                                  st_op_place place, strait_error *err) {
    const st_shape shape = graph->tensor[src].shape;
    /* Nothing to compute, but each layer has its row in the summary, and each half of a model at least one op. */
    if (activation.kind == ST_LINEAR) return st_graph_reshape(dst, graph, src, &shape, place, err);
    if (fuse && !st_activation_needs_input(activation.kind) && takes_activation(graph, src)) {
        graph->op[graph->tensor[src].producer].activation = activation;
        *dst = src;
        return STRAIT_OK;
    }
    st_op op = st_graph_new_op(ST_OP_ACTIVATION, src, place);
    op.activation = activation;
    return st_graph_add_op(dst, graph, op, &shape, err);
}

int64_t st_graph_trainable(const st_graph *graph) {
    int64_t n = graph->n_values;
    for (int i = 0; i < graph->n_parameters; i++)
        if (graph->parameter[i].role == ST_ROLE_STATE) n -= st_shape_count(&graph->parameter[i].shape);
    return n;
}

int64_t st_op_flops(const st_graph *graph, const st_op *op) {
    if (op->dst < 0) return 0;
    const st_shape *src = &graph->tensor[op->src].shape, *dst = &graph->tensor[op->dst].shape;
    switch (op->kind) {
    case ST_OP_DENSE: return 2 * st_shape_count(src) * dst->dim[dst->n_dims - 1];
    case ST_OP_CONV2D: return 2 * st_shape_count(dst) * op->window.kernel[0] * op->window.kernel[1] * src->dim[2];
    case ST_OP_CONV2D_TRANSPOSE:
        return 2 * st_shape_count(src) * op->window.kernel[0] * op->window.kernel[1] * dst->dim[2];
    case ST_OP_UPSAMPLE2D: return op->bilinear ? 2 * 4 * st_shape_count(dst) : 0;
    case ST_OP_BATCH_NORM:
    case ST_OP_LAYER_NORM:
    case ST_OP_SAMPLE: return 2 * st_shape_count(dst);
    default: return 0;
    }
}
