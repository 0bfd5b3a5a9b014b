/* conv2d and conv2d_transpose on oneDNN. Activations are NHWC in memory as in logic, so nothing is reordered inside a
   step; weights live in the layout the forward primitive prefers, and the backward primitives are asked for the same,
   since gradients and the optimiser's state share the weights' layout. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/onednn.h"
#include "cpu/vector.h"

/* The descriptors a convolution is made of. */
typedef struct st_conv_shapes {
    st_md src, dst, any_weights, canonical, bias;
    st_onednn_window window;
} st_conv_shapes;

/* A primitive with its bound arguments. */
typedef struct st_bound {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    int n_args;
    dnnl_exec_arg_t arg[6];
    size_t scratchpad; /* bytes */
} st_bound;

typedef struct st_conv {
    const st_vector_kernels *vector;
    const char *name;
    bool transpose, has_bias, act_fused, dy_is_preactivation;
    st_activation activation;
    st_conv_shapes shapes;
    st_bound forward, by_data, by_weights;
    dnnl_stream_t stream;
    size_t n_kernel, n_bias, n_dst, rows, channels; /* floats; rows x channels = n_dst */
    st_binding at;
    float *fresh; /* gradients of one micro-batch before they are added: kernel then bias, in scratch */
} st_conv;

#define TRY(call, what)                                                                                                \
    do {                                                                                                               \
        const dnnl_status_t try_status_ = (call);                                                                      \
        if (try_status_ != dnnl_success) return st_onednn_fail(err, try_status_, what);                                \
    } while (0)

static size_t round_up(size_t n) {
    return (n + 15) / 16 * 16;
}

static strait_status describe_shapes(st_conv *conv, const st_kernel_request *request, strait_error *err) {
    const st_op *op = request->op;
    const st_shape *in = &request->graph->tensor[op->src].shape, *out = &request->graph->tensor[op->dst].shape;
    st_conv_shapes *s = &conv->shapes;
    const dnnl_dims_t src = {request->batch, in->dim[2], in->dim[0], in->dim[1]};
    const dnnl_dims_t dst = {request->batch, out->dim[2], out->dim[0], out->dim[1]};
    const dnnl_dims_t weights = {out->dim[2], in->dim[2], op->window.kernel[0], op->window.kernel[1]};
    const dnnl_dims_t bias = {out->dim[2]};
    for (int axis = 0; axis < 2; axis++) {
        s->window.stride[axis] = op->window.stride[axis];
        s->window.pad_before[axis] = op->window.pad_before[axis];
        s->window.pad_after[axis] = op->window.pad_after[axis];
    }
    TRY(st_md_new(&s->src, 4, src, dnnl_nhwc), conv->name);
    TRY(st_md_new(&s->dst, 4, dst, dnnl_nhwc), conv->name);
    TRY(st_md_new(&s->any_weights, 4, weights, dnnl_format_tag_any), conv->name);
    /* oneDNN's order of dims is out, in, kh, kw; in Keras' memory [kh, kw, in, out], transposed [kh, kw, out, in]. */
    const int64_t o = weights[0], i = weights[1];
    const dnnl_dims_t canonical = {conv->transpose ? i : 1, conv->transpose ? 1 : o, weights[3] * i * o, i * o};
    TRY(st_md_new_strided(&s->canonical, 4, weights, canonical), conv->name);
    TRY(st_md_new(&s->bias, 1, bias, dnnl_x), conv->name);
    return STRAIT_OK;
}

/* The oneDNN algorithm of an activation; dnnl_alg_kind_undef where it has none to fuse. */
static dnnl_alg_kind_t eltwise_of(st_activation_kind kind) {
    switch (kind) {
    case ST_RELU:
    case ST_LEAKY_RELU: return dnnl_eltwise_relu;
    case ST_SIGMOID: return dnnl_eltwise_logistic;
    case ST_TANH: return dnnl_eltwise_tanh;
    case ST_ELU: return dnnl_eltwise_elu;
    default: return dnnl_alg_kind_undef;
    }
}

/* Attributes: the caller's scratchpad; with_activation: the activation as a post-op. */
static strait_status make_attr(dnnl_primitive_attr_t *attr, const st_conv *conv, bool with_activation,
                               strait_error *err) {
    TRY(dnnl_primitive_attr_create(attr), conv->name);
    TRY(dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user), conv->name);
    if (!with_activation) return STRAIT_OK;
    dnnl_post_ops_t ops;
    TRY(dnnl_post_ops_create(&ops), conv->name);
    const st_activation act = conv->activation;
    const float alpha = act.kind == ST_LEAKY_RELU || act.kind == ST_ELU ? act.slope : 0.0f;
    dnnl_status_t status = st_append_eltwise(ops, eltwise_of(act.kind), alpha);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    TRY(status, conv->name);
    return STRAIT_OK;
}

/* From descriptor to primitive; notes the scratchpad it wants. */
static strait_status finish(st_bound *bound, const char *what, strait_error *err) {
    TRY(dnnl_primitive_create(&bound->primitive, bound->pd), what);
    bound->scratchpad = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(bound->pd, dnnl_query_scratchpad_md, 0));
    return STRAIT_OK;
}

/* Forward, with the activation fused where this oneDNN can, else without. */
static strait_status plan_forward(st_conv *conv, strait_error *err) {
    const st_conv_shapes *s = &conv->shapes;
    const st_md_ref bias = conv->has_bias ? st_md_of(&s->bias) : NULL;
    for (int fuse = eltwise_of(conv->activation.kind) != dnnl_alg_kind_undef; fuse >= 0; fuse--) {
        dnnl_primitive_attr_t attr = NULL;
        strait_status status = make_attr(&attr, conv, fuse, err);
        dnnl_status_t made = dnnl_success;
        if (status == STRAIT_OK)
            made = st_conv_forward_new(&conv->forward.pd, conv->transpose, st_md_of(&s->src), st_md_of(&s->any_weights),
                                       bias, st_md_of(&s->dst), &s->window, attr);
        if (attr) dnnl_primitive_attr_destroy(attr);
        if (status != STRAIT_OK) return status;
        conv->act_fused = fuse;
        if (made == dnnl_success) break;
        if (!fuse || made == dnnl_out_of_memory) return st_onednn_fail(err, made, conv->name);
    }
    return finish(&conv->forward, conv->name, err);
}

static strait_status plan_backward(st_conv *conv, bool needs_dsrc, strait_error *err) {
    const st_conv_shapes *s = &conv->shapes;
    const st_md_ref weights = dnnl_primitive_desc_query_md(conv->forward.pd, dnnl_query_weights_md, 0);
    const st_md_ref bias = conv->has_bias ? st_md_of(&s->bias) : NULL;
    dnnl_primitive_attr_t attr = NULL;
    strait_status status = make_attr(&attr, conv, false, err);
    dnnl_status_t made = dnnl_success;
    if (status == STRAIT_OK)
        made = st_conv_weights_new(&conv->by_weights.pd, conv->transpose, st_md_of(&s->src), weights, bias,
                                   st_md_of(&s->dst), &s->window, conv->forward.pd, attr);
    if (status == STRAIT_OK && made == dnnl_success && needs_dsrc)
        made = st_conv_data_new(&conv->by_data.pd, conv->transpose, st_md_of(&s->src), weights, st_md_of(&s->dst),
                                &s->window, conv->forward.pd, attr);
    if (attr) dnnl_primitive_attr_destroy(attr);
    ST_TRY(status);
    if (made != dnnl_success) return st_onednn_fail(err, made, "gradient of a convolution");
    ST_TRY(finish(&conv->by_weights, "gradient of a convolution", err));
    return needs_dsrc ? finish(&conv->by_data, "gradient of a convolution", err) : STRAIT_OK;
}

static void release(void *opaque);

static strait_status plan(void **out, st_kernel_needs *needs, const st_kernel_request *request, bool transpose,
                          strait_error *err) {
    if (!st_onednn_engine()) return st_fail(err, STRAIT_ENGINE, "oneDNN could not make its CPU engine");
    st_conv *conv = st_alloc(1, sizeof *conv);
    if (!conv) return st_fail_memory(err, sizeof *conv, "a convolution");
    const st_shape *dst = &request->graph->tensor[request->op->dst].shape;
    conv->vector = st_vector();
    conv->name = transpose ? "transposed convolution" : "convolution";
    conv->transpose = transpose;
    conv->has_bias = request->op->bias >= 0;
    conv->activation = request->op->activation;
    conv->dy_is_preactivation = request->dst_is_preactivation;
    conv->channels = (size_t)dst->dim[2];
    conv->n_dst = (size_t)(st_shape_count(dst) * request->batch);
    conv->rows = conv->n_dst / conv->channels;
    strait_status status = describe_shapes(conv, request, err);
    if (status == STRAIT_OK) status = plan_forward(conv, err);
    if (status == STRAIT_OK && request->training) status = plan_backward(conv, request->needs_dsrc, err);
    if (status == STRAIT_OK &&
        dnnl_stream_create(&conv->stream, st_onednn_engine(), dnnl_stream_default_flags) != dnnl_success)
        status = st_fail(err, STRAIT_ENGINE, "oneDNN could not make a stream");
    if (status != STRAIT_OK) {
        release(conv);
        return status;
    }
    const st_md_ref weights = dnnl_primitive_desc_query_md(conv->forward.pd, dnnl_query_weights_md, 0);
    conv->n_kernel = dnnl_memory_desc_get_size(weights) / sizeof(float);
    conv->n_bias = conv->has_bias ? conv->channels : 0;
    needs->kernel = conv->n_kernel;
    needs->bias = conv->n_bias;
    size_t pad = conv->forward.scratchpad;
    if (conv->by_data.scratchpad > pad) pad = conv->by_data.scratchpad;
    if (conv->by_weights.scratchpad > pad) pad = conv->by_weights.scratchpad;
    needs->scratch = round_up(conv->n_kernel) + round_up(conv->n_bias) + round_up(pad / sizeof(float) + 1);
    *out = conv;
    return STRAIT_OK;
}

static strait_status plan_conv(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                               strait_error *err) {
    return plan(out, needs, request, false, err);
}
static strait_status plan_transpose(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                    strait_error *err) {
    return plan(out, needs, request, true, err);
}

/* Adds an argument: memory described by what `query` tells of the primitive, at the given address. */
static strait_status bind_arg(st_bound *bound, int name, dnnl_query_t query, int index, const float *at,
                              strait_error *err) {
    dnnl_exec_arg_t *arg = &bound->arg[bound->n_args];
    TRY(dnnl_memory_create(&arg->memory, dnnl_primitive_desc_query_md(bound->pd, query, index), st_onednn_engine(),
                           (void *)(uintptr_t)at),
        "memory of a convolution");
    arg->arg = name;
    bound->n_args++;
    return STRAIT_OK;
}

static strait_status bind(void *opaque, const st_binding *at, strait_error *err) {
    st_conv *conv = opaque;
    conv->at = *at;
    conv->fresh = at->scratch;
    const float *pad = at->scratch + round_up(conv->n_kernel) + round_up(conv->n_bias);
    st_bound *f = &conv->forward, *d = &conv->by_data, *w = &conv->by_weights;
    ST_TRY(bind_arg(f, DNNL_ARG_SRC, dnnl_query_src_md, 0, at->src, err));
    ST_TRY(bind_arg(f, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, at->kernel, err));
    if (conv->has_bias) ST_TRY(bind_arg(f, DNNL_ARG_BIAS, dnnl_query_weights_md, 1, at->bias, err));
    ST_TRY(bind_arg(f, DNNL_ARG_DST, dnnl_query_dst_md, 0, at->dst, err));
    ST_TRY(bind_arg(f, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err));
    if (d->pd) {
        ST_TRY(bind_arg(d, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0, at->dsrc, err));
        ST_TRY(bind_arg(d, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, at->kernel, err));
        ST_TRY(bind_arg(d, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, at->ddst, err));
        ST_TRY(bind_arg(d, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err));
    }
    if (w->pd) {
        ST_TRY(bind_arg(w, DNNL_ARG_SRC, dnnl_query_src_md, 0, at->src, err));
        ST_TRY(bind_arg(w, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0, conv->fresh, err));
        if (conv->has_bias)
            ST_TRY(bind_arg(w, DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md, 1,
                            conv->fresh + round_up(conv->n_kernel), err));
        ST_TRY(bind_arg(w, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, at->ddst, err));
        ST_TRY(bind_arg(w, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err));
    }
    return STRAIT_OK;
}

static strait_status run(const st_conv *conv, const st_bound *bound) {
    const dnnl_status_t status = dnnl_primitive_execute(bound->primitive, conv->stream, bound->n_args, bound->arg);
    return status == dnnl_success ? STRAIT_OK : STRAIT_ENGINE;
}

static strait_status forward(void *opaque) {
    st_conv *conv = opaque;
    ST_TRY(run(conv, &conv->forward));
    if (conv->activation.kind == ST_SOFTMAX)
        conv->vector->softmax(conv->at.dst, conv->rows, conv->channels);
    else if (!conv->act_fused)
        conv->vector->activate(conv->activation, conv->at.dst, conv->n_dst);
    return STRAIT_OK;
}

/* dst = or += src */
static void keep(float *dst, const float *src, size_t n, bool accumulate) {
    if (!accumulate)
        memcpy(dst, src, n * sizeof *dst);
    else
        for (size_t i = 0; i < n; i++)
            dst[i] += src[i];
}

static strait_status backward(void *opaque, bool accumulate) {
    st_conv *conv = opaque;
    const st_binding *at = &conv->at;
    if (!conv->dy_is_preactivation) {
        if (conv->activation.kind == ST_SOFTMAX)
            conv->vector->softmax_gradient(at->ddst, at->ddst, at->dst, conv->rows, conv->channels);
        else
            conv->vector->activate_gradient(conv->activation, at->ddst, at->ddst, at->dst, conv->n_dst);
    }
    ST_TRY(run(conv, &conv->by_weights));
    keep(at->dkernel, conv->fresh, conv->n_kernel, accumulate);
    if (conv->has_bias) keep(at->dbias, conv->fresh + round_up(conv->n_kernel), conv->n_bias, accumulate);
    return conv->by_data.pd ? run(conv, &conv->by_data) : STRAIT_OK;
}

/* Copies weights from one layout into another; zeroes what only the target has. */
static strait_status reorder(const st_conv *conv, st_md_ref to_md, float *to, st_md_ref from_md, const float *from) {
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_t src = NULL, dst = NULL;
    dnnl_engine_t engine = st_onednn_engine();
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, from_md, engine, to_md, engine, NULL);
    if (status == dnnl_success) status = dnnl_primitive_create(&primitive, pd);
    if (status == dnnl_success) status = dnnl_memory_create(&src, from_md, engine, (void *)(uintptr_t)from);
    if (status == dnnl_success) status = dnnl_memory_create(&dst, to_md, engine, to);
    if (status == dnnl_success) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, dst}};
        status = dnnl_primitive_execute(primitive, conv->stream, 2, args);
        dnnl_stream_wait(conv->stream);
    }
    dnnl_memory_destroy(src);
    dnnl_memory_destroy(dst);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(pd);
    return status == dnnl_success ? STRAIT_OK : status == dnnl_out_of_memory ? STRAIT_MEMORY : STRAIT_ENGINE;
}

static st_md_ref packed_layout(const st_conv *conv) {
    return dnnl_primitive_desc_query_md(conv->forward.pd, dnnl_query_weights_md, 0);
}

static strait_status pack(void *opaque, float *packed_kernel, float *packed_bias, const float *kernel,
                          const float *bias) {
    const st_conv *conv = opaque;
    if (packed_bias) memcpy(packed_bias, bias, conv->n_bias * sizeof *bias);
    return reorder(conv, packed_layout(conv), packed_kernel, st_md_of(&conv->shapes.canonical), kernel);
}

static strait_status unpack(void *opaque, float *kernel, float *bias, const float *packed_kernel,
                            const float *packed_bias) {
    const st_conv *conv = opaque;
    if (packed_bias) memcpy(bias, packed_bias, conv->n_bias * sizeof *bias);
    return reorder(conv, st_md_of(&conv->shapes.canonical), kernel, packed_layout(conv), packed_kernel);
}

static void describe(const void *opaque, char *out, size_t n) {
    const st_conv *conv = opaque;
    const st_bound *bound[] = {&conv->forward, &conv->by_weights, &conv->by_data};
    static const char *const what[] = {"", ", dW ", ", dX "};
    size_t length = (size_t)snprintf(out, n, "oneDNN ");
    for (int i = 0; i < 3 && length < n; i++) {
        const char *name = NULL;
        if (!bound[i]->pd ||
            dnnl_primitive_desc_query(bound[i]->pd, dnnl_query_impl_info_str, 0, &name) != dnnl_success)
            continue;
        length += (size_t)snprintf(out + length, n - length, "%s%s", what[i], name);
    }
}

static void release_bound(st_bound *bound) {
    for (int i = 0; i < bound->n_args; i++)
        dnnl_memory_destroy(bound->arg[i].memory);
    if (bound->primitive) dnnl_primitive_destroy(bound->primitive);
    if (bound->pd) dnnl_primitive_desc_destroy(bound->pd);
}

static void release(void *opaque) {
    st_conv *conv = opaque;
    if (!conv) return;
    release_bound(&conv->forward);
    release_bound(&conv->by_data);
    release_bound(&conv->by_weights);
    if (conv->stream) dnnl_stream_destroy(conv->stream);
    st_md_free(conv->shapes.src);
    st_md_free(conv->shapes.dst);
    st_md_free(conv->shapes.any_weights);
    st_md_free(conv->shapes.canonical);
    st_md_free(conv->shapes.bias);
    st_free(conv);
}

const st_kernel st_cpu_conv2d = {
    .plan = plan_conv,
    .bind = bind,
    .forward = forward,
    .backward = backward,
    .pack = pack,
    .unpack = unpack,
    .describe = describe,
    .free = release,
};

const st_kernel st_cpu_conv2d_transpose = {
    .plan = plan_transpose,
    .bind = bind,
    .forward = forward,
    .backward = backward,
    .pack = pack,
    .unpack = unpack,
    .describe = describe,
    .free = release,
};
