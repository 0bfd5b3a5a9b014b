/* conv2d and conv2d_transpose on oneDNN's convolution: one relation between a wide side (height x width x channels
   before the stride) and a narrow one, computed in three ways. A transposed convolution is the same with the sides
   exchanged, so that Keras' kernel [kh, kw, wide channels, narrow channels] serves both.

                          conv2d    conv2d_transpose
     narrow from wide     forward   gradient by input
     wide from narrow     gradient  forward
     kernel from both     gradient  gradient

   Activations are NHWC in memory as in logic and are never reordered. A kernel lives in the layout that the op's
   forward primitive prefers, and so do its gradient and the optimiser's state. The other two primitives are free to
   prefer others (forced into that one they fall back to oneDNN's reference code): the small kernel is then reordered
   inside the op, which describe() tells. A conv2d of stride 1 to fewer filters than half a vector (the last layer of
   most autoencoders: one grey channel) is "thin": oneDNN would compute the missing filters too, so its forward and the
   gradient by its kernel are the vector kernels', with the kernel as [filters, kh, kw, channels]. oneDNN's own
   transposed convolution is not used: its pass over bias and activation is not vectorised for NHWC. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/onednn.h"
#include "cpu/vector.h"

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
    bool transpose, thin, has_bias, act_fused, dy_is_preactivation;
    st_activation activation;
    st_thin thin_call;
    st_md wide, narrow, any_kernel, canonical, thin_kernel, bias_md;
    st_onednn_window window;
    st_bound to_narrow, to_wide, to_kernel;
    st_bound reorder_kernel;  /* into the layout of the gradient by the input; without primitive where they agree */
    st_bound reorder_dkernel; /* from the layout of the gradient by the kernel */
    dnnl_stream_t stream;
    size_t n_kernel, n_bias, rows, channels; /* floats; the op's output is rows x channels */
    size_t n_other;                          /* floats of the kernel in the largest of the other layouts */
    st_binding at;
    /* In scratch: the gradients of one micro-batch before they are added, and the kernel in another layout. */
    float *fresh, *fresh_bias, *other;
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
    const st_shape *wide = conv->transpose ? out : in, *narrow = conv->transpose ? in : out;
    const dnnl_dims_t wide_dims = {request->batch, wide->dim[2], wide->dim[0], wide->dim[1]};
    const dnnl_dims_t narrow_dims = {request->batch, narrow->dim[2], narrow->dim[0], narrow->dim[1]};
    const dnnl_dims_t kernel = {narrow->dim[2], wide->dim[2], op->window.kernel[0], op->window.kernel[1]};
    const dnnl_dims_t bias = {out->dim[2]};
    for (int axis = 0; axis < 2; axis++) {
        conv->window.stride[axis] = op->window.stride[axis];
        conv->window.pad_before[axis] = op->window.pad_before[axis];
        conv->window.pad_after[axis] = op->window.pad_after[axis];
    }
    conv->thin = !conv->transpose && conv->window.stride[0] == 1 && conv->window.stride[1] == 1 &&
                 2 * out->dim[2] < conv->vector->panel / 2;
    conv->thin_call = (st_thin){
        .n = request->batch,
        .height = in->dim[0],
        .width = in->dim[1],
        .channels = in->dim[2],
        .out_height = out->dim[0],
        .out_width = out->dim[1],
        .filters = out->dim[2],
        .kernel_height = op->window.kernel[0],
        .kernel_width = op->window.kernel[1],
        .pad_top = op->window.pad_before[0],
        .pad_left = op->window.pad_before[1],
    };
    TRY(st_md_new(&conv->wide, 4, wide_dims, dnnl_nhwc), conv->name);
    TRY(st_md_new(&conv->narrow, 4, narrow_dims, dnnl_nhwc), conv->name);
    TRY(st_md_new(&conv->any_kernel, 4, kernel, dnnl_format_tag_any), conv->name);
    TRY(st_md_new(&conv->canonical, 4, kernel, dnnl_hwio), conv->name);
    TRY(st_md_new(&conv->thin_kernel, 4, kernel, dnnl_ohwi), conv->name);
    TRY(st_md_new(&conv->bias_md, 1, bias, dnnl_x), conv->name);
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

static st_md_ref layout_of(const st_bound *bound, dnnl_query_t query) {
    return dnnl_primitive_desc_query_md(bound->pd, query, 0);
}

/* The primitive of the op's forward pass, and of its gradient by the input. */
static st_bound *forward_of(st_conv *conv) {
    return conv->transpose ? &conv->to_wide : &conv->to_narrow;
}
static st_bound *gradient_of(st_conv *conv) {
    return conv->transpose ? &conv->to_narrow : &conv->to_wide;
}

/* The kernel's layout in the parameter block. */
static st_md_ref packed_layout(const st_conv *conv) {
    if (conv->thin) return st_md_of(&conv->thin_kernel);
    return layout_of(conv->transpose ? &conv->to_wide : &conv->to_narrow, dnnl_query_weights_md);
}

/* Narrow from wide. As a conv2d's forward with bias and, where this oneDNN can, the activation fused. */
static strait_status plan_to_narrow(st_conv *conv, strait_error *err) {
    const st_md_ref bias = conv->has_bias && !conv->transpose ? st_md_of(&conv->bias_md) : NULL;
    const bool wanted = !conv->transpose && !conv->thin && eltwise_of(conv->activation.kind) != dnnl_alg_kind_undef;
    for (int fuse = wanted; fuse >= 0; fuse--) {
        dnnl_primitive_attr_t attr = NULL;
        strait_status status = make_attr(&attr, conv, fuse, err);
        dnnl_status_t made = dnnl_success;
        if (status == STRAIT_OK)
            made = st_conv_forward_new(&conv->to_narrow.pd, st_md_of(&conv->wide), st_md_of(&conv->any_kernel), bias,
                                       st_md_of(&conv->narrow), &conv->window, attr);
        if (attr) dnnl_primitive_attr_destroy(attr);
        if (status != STRAIT_OK) return status;
        conv->act_fused = fuse;
        if (made == dnnl_success) break;
        if (!fuse || made == dnnl_out_of_memory) return st_onednn_fail(err, made, conv->name);
    }
    return conv->thin ? STRAIT_OK : finish(&conv->to_narrow, conv->name, err);
}

/* Wide from narrow, and the kernel from both. */
static strait_status plan_others(st_conv *conv, bool to_wide, bool to_kernel, strait_error *err) {
    const bool bias = conv->has_bias && !conv->transpose;
    dnnl_primitive_attr_t attr = NULL;
    strait_status status = make_attr(&attr, conv, false, err);
    dnnl_status_t made = dnnl_success;
    if (status == STRAIT_OK && to_wide)
        made = st_conv_data_new(&conv->to_wide.pd, st_md_of(&conv->wide), st_md_of(&conv->any_kernel),
                                st_md_of(&conv->narrow), &conv->window, conv->to_narrow.pd, attr);
    if (status == STRAIT_OK && made == dnnl_success && to_kernel)
        made = st_conv_weights_new(&conv->to_kernel.pd, st_md_of(&conv->wide), st_md_of(&conv->any_kernel),
                                   bias ? st_md_of(&conv->bias_md) : NULL, st_md_of(&conv->narrow), &conv->window,
                                   conv->to_narrow.pd, attr);
    if (attr) dnnl_primitive_attr_destroy(attr);
    ST_TRY(status);
    TRY(made, conv->name);
    if (to_wide) ST_TRY(finish(&conv->to_wide, conv->name, err));
    return to_kernel ? finish(&conv->to_kernel, conv->name, err) : STRAIT_OK;
}

/* A reorder between two layouts of the kernel, unless they are the same. */
static strait_status plan_reorder(st_conv *conv, st_bound *bound, st_md_ref from, st_md_ref to, strait_error *err) {
    const size_t n_from = dnnl_memory_desc_get_size(from) / sizeof(float);
    const size_t n_to = dnnl_memory_desc_get_size(to) / sizeof(float);
    if (n_from > conv->n_other) conv->n_other = n_from;
    if (n_to > conv->n_other) conv->n_other = n_to;
    if (dnnl_memory_desc_equal(from, to)) return STRAIT_OK;
    dnnl_primitive_attr_t attr = NULL;
    ST_TRY(make_attr(&attr, conv, false, err));
    const dnnl_status_t made =
        dnnl_reorder_primitive_desc_create(&bound->pd, from, st_onednn_engine(), to, st_onednn_engine(), attr);
    dnnl_primitive_attr_destroy(attr);
    TRY(made, "reorder of a convolution's kernel");
    return finish(bound, "reorder of a convolution's kernel", err);
}

static strait_status plan_primitives(st_conv *conv, const st_kernel_request *request, strait_error *err) {
    ST_TRY(plan_to_narrow(conv, err));
    const bool to_kernel = request->training && !conv->thin;
    ST_TRY(plan_others(conv, conv->transpose || (request->training && request->needs_dsrc), to_kernel, err));
    if (to_kernel)
        ST_TRY(plan_reorder(conv, &conv->reorder_dkernel, layout_of(&conv->to_kernel, dnnl_query_diff_weights_md),
                            packed_layout(conv), err));
    if (request->training && request->needs_dsrc)
        ST_TRY(plan_reorder(conv, &conv->reorder_kernel, packed_layout(conv),
                            layout_of(gradient_of(conv), dnnl_query_weights_md), err));
    if (dnnl_stream_create(&conv->stream, st_onednn_engine(), dnnl_stream_default_flags) != dnnl_success)
        return st_fail(err, STRAIT_ENGINE, "oneDNN could not make a stream");
    return STRAIT_OK;
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
    conv->rows = (size_t)(st_shape_count(dst) * request->batch) / conv->channels;
    strait_status status = describe_shapes(conv, request, err);
    if (status == STRAIT_OK) status = plan_primitives(conv, request, err);
    if (status != STRAIT_OK) {
        release(conv);
        return status;
    }
    conv->n_kernel = dnnl_memory_desc_get_size(packed_layout(conv)) / sizeof(float);
    conv->n_bias = conv->has_bias ? conv->channels : 0;
    needs->kernel = conv->n_kernel;
    needs->bias = conv->n_bias;
    size_t pad = 0;
    const st_bound *bound[] = {&conv->to_narrow, &conv->to_wide, &conv->to_kernel, &conv->reorder_kernel,
                               &conv->reorder_dkernel};
    for (int i = 0; i < 5; i++)
        if (bound[i]->scratchpad > pad) pad = bound[i]->scratchpad;
    needs->scratch =
        round_up(conv->n_kernel) + round_up(conv->n_bias) + round_up(conv->n_other) + round_up(pad / sizeof(float) + 1);
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

static strait_status bind_reorder(st_bound *bound, const float *from, const float *to, const float *pad,
                                  strait_error *err) {
    ST_TRY(bind_arg(bound, DNNL_ARG_FROM, dnnl_query_src_md, 0, from, err));
    ST_TRY(bind_arg(bound, DNNL_ARG_TO, dnnl_query_dst_md, 0, to, err));
    return bind_arg(bound, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err);
}

/* What each primitive reads and writes: x the op's input, y its output, and their gradients. */
static strait_status bind(void *opaque, const st_binding *at, strait_error *err) {
    st_conv *conv = opaque;
    conv->at = *at;
    conv->fresh = at->scratch;
    conv->fresh_bias = conv->fresh + round_up(conv->n_kernel);
    conv->other = conv->fresh_bias + round_up(conv->n_bias);
    const float *pad = conv->other + round_up(conv->n_other);
    st_bound *narrow = &conv->to_narrow, *wide = &conv->to_wide, *kernel = &conv->to_kernel;
    const bool t = conv->transpose, bias = conv->has_bias && !t;
    const float *gradient_kernel = conv->reorder_kernel.primitive ? conv->other : at->kernel;
    conv->thin_call.x = at->src;
    conv->thin_call.y = at->dst;
    conv->thin_call.dy = at->ddst;
    conv->thin_call.kernel = at->kernel;
    conv->thin_call.bias = at->bias;
    conv->thin_call.dkernel = at->dkernel;
    if (narrow->primitive && (!t || at->dsrc)) {
        ST_TRY(bind_arg(narrow, DNNL_ARG_SRC, dnnl_query_src_md, 0, t ? at->ddst : at->src, err));
        ST_TRY(bind_arg(narrow, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, t ? gradient_kernel : at->kernel, err));
        if (bias) ST_TRY(bind_arg(narrow, DNNL_ARG_BIAS, dnnl_query_weights_md, 1, at->bias, err));
        ST_TRY(bind_arg(narrow, DNNL_ARG_DST, dnnl_query_dst_md, 0, t ? at->dsrc : at->dst, err));
        ST_TRY(bind_arg(narrow, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err));
    }
    if (wide->pd) {
        ST_TRY(bind_arg(wide, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0, t ? at->dst : at->dsrc, err));
        ST_TRY(bind_arg(wide, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, t ? at->kernel : gradient_kernel, err));
        ST_TRY(bind_arg(wide, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, t ? at->src : at->ddst, err));
        ST_TRY(bind_arg(wide, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err));
    }
    if (kernel->pd) {
        float *dkernel = conv->reorder_dkernel.primitive ? conv->other : conv->fresh;
        ST_TRY(bind_arg(kernel, DNNL_ARG_SRC, dnnl_query_src_md, 0, t ? at->ddst : at->src, err));
        ST_TRY(bind_arg(kernel, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0, dkernel, err));
        if (bias) ST_TRY(bind_arg(kernel, DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md, 1, conv->fresh_bias, err));
        ST_TRY(bind_arg(kernel, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, t ? at->src : at->ddst, err));
        ST_TRY(bind_arg(kernel, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, pad, err));
    }
    if (conv->reorder_kernel.primitive) ST_TRY(bind_reorder(&conv->reorder_kernel, at->kernel, conv->other, pad, err));
    if (conv->reorder_dkernel.primitive)
        ST_TRY(bind_reorder(&conv->reorder_dkernel, conv->other, conv->fresh, pad, err));
    return STRAIT_OK;
}

static strait_status run(const st_conv *conv, const st_bound *bound) {
    const dnnl_status_t status = dnnl_primitive_execute(bound->primitive, conv->stream, bound->n_args, bound->arg);
    return status == dnnl_success ? STRAIT_OK : STRAIT_ENGINE;
}

static strait_status forward(void *opaque) {
    st_conv *conv = opaque;
    if (conv->thin)
        conv->vector->thin_forward(&conv->thin_call);
    else
        ST_TRY(run(conv, forward_of(conv)));
    if (conv->has_bias && conv->transpose)
        conv->vector->add_bias(conv->at.dst, conv->at.bias, conv->rows, conv->channels);
    if (conv->activation.kind == ST_SOFTMAX)
        conv->vector->softmax(conv->at.dst, conv->rows, conv->channels);
    else if (!conv->act_fused)
        conv->vector->activate(conv->activation, conv->at.dst, conv->rows * conv->channels);
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

/* The gradients by kernel and bias. */
static strait_status gradient_by_kernel(st_conv *conv, bool accumulate) {
    const st_binding *at = &conv->at;
    if (conv->thin) {
        conv->vector->thin_gradient(&conv->thin_call, accumulate);
    } else {
        ST_TRY(run(conv, &conv->to_kernel));
        if (conv->reorder_dkernel.primitive) ST_TRY(run(conv, &conv->reorder_dkernel));
        keep(at->dkernel, conv->fresh, conv->n_kernel, accumulate);
    }
    if (!conv->has_bias) return STRAIT_OK;
    if (conv->transpose || conv->thin) conv->vector->sum_rows(conv->fresh_bias, at->ddst, conv->rows, conv->channels);
    keep(at->dbias, conv->fresh_bias, conv->n_bias, accumulate);
    return STRAIT_OK;
}

static strait_status backward(void *opaque, bool accumulate) {
    st_conv *conv = opaque;
    const st_binding *at = &conv->at;
    if (!conv->dy_is_preactivation) {
        if (conv->activation.kind == ST_SOFTMAX)
            conv->vector->softmax_gradient(at->ddst, at->ddst, at->dst, conv->rows, conv->channels);
        else
            conv->vector->activate_gradient(conv->activation, at->ddst, at->ddst, at->dst, conv->rows * conv->channels);
    }
    ST_TRY(gradient_by_kernel(conv, accumulate));
    if (!at->dsrc) return STRAIT_OK;
    if (conv->reorder_kernel.primitive) ST_TRY(run(conv, &conv->reorder_kernel));
    return run(conv, gradient_of(conv));
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

static strait_status pack(void *opaque, float *packed_kernel, float *packed_bias, const float *kernel,
                          const float *bias) {
    const st_conv *conv = opaque;
    if (packed_bias) memcpy(packed_bias, bias, conv->n_bias * sizeof *bias);
    return reorder(conv, packed_layout(conv), packed_kernel, st_md_of(&conv->canonical), kernel);
}

static strait_status unpack(void *opaque, float *kernel, float *bias, const float *packed_kernel,
                            const float *packed_bias) {
    const st_conv *conv = opaque;
    if (packed_bias) memcpy(bias, packed_bias, conv->n_bias * sizeof *bias);
    return reorder(conv, st_md_of(&conv->canonical), kernel, packed_layout(conv), packed_kernel);
}

static void describe(const void *opaque, char *out, size_t n) {
    const st_conv *conv = opaque;
    const st_bound *bound[] = {conv->transpose ? &conv->to_wide : &conv->to_narrow, &conv->to_kernel,
                               conv->at.dsrc ? (conv->transpose ? &conv->to_narrow : &conv->to_wide) : NULL};
    const bool reordered[] = {false, conv->reorder_dkernel.primitive, conv->reorder_kernel.primitive};
    static const char *const what[] = {"", ", dW ", ", dX "};
    size_t length = (size_t)snprintf(out, n, conv->thin ? "thin %s; oneDNN" : "oneDNN ", conv->vector->name);
    for (int i = 0; i < 3 && length < n; i++) {
        const char *name = NULL;
        if (!bound[i] || !bound[i]->primitive ||
            dnnl_primitive_desc_query(bound[i]->pd, dnnl_query_impl_info_str, 0, &name) != dnnl_success)
            continue;
        length += (size_t)snprintf(out + length, n - length, "%s%s%s", what[i], name, reordered[i] ? " + reorder" : "");
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
    release_bound(&conv->to_narrow);
    release_bound(&conv->to_wide);
    release_bound(&conv->to_kernel);
    release_bound(&conv->reorder_kernel);
    release_bound(&conv->reorder_dkernel);
    if (conv->stream) dnnl_stream_destroy(conv->stream);
    st_md_free(conv->wide);
    st_md_free(conv->narrow);
    st_md_free(conv->any_kernel);
    st_md_free(conv->canonical);
    st_md_free(conv->thin_kernel);
    st_md_free(conv->bias_md);
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
