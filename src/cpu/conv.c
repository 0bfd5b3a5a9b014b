/* conv2d and conv2d_transpose on the vector kernels: one relation between a wide side (height x width x channels before
   the stride) and a narrow one, computed in three ways. A transposed convolution is the same with the sides exchanged,
   so that Keras' kernel [kernel height, kernel width, wide channels, narrow channels] serves both.

                          conv2d    conv2d_transpose
     narrow from wide     forward   gradient by input
     wide from narrow     gradient  forward
     kernel from both     gradient  gradient

   Kernels live in panels of narrow channels, as the first and the last way want them; for the second one they are
   turned around once a step. A conv2d of stride 1 to fewer filters than half a vector (the last layer of most
   autoencoders: one grey channel) is "thin": most of a panel would be empty, so its vectors run along the input
   instead. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

typedef struct st_conv {
    const st_vector_kernels *vector;
    bool transpose, thin, has_bias, training, needs_dsrc, dy_is_preactivation;
    st_activation activation;
    st_conv_pass to_narrow, to_wide;
    st_conv_phase whole;  /* the one phase of to_narrow */
    st_conv_phase *phase; /* those of to_wide, owned */
    st_conv_gradient to_kernel;
    int64_t kernel[2], wide_channels, narrow_channels;
    size_t n_kernel, n_turned, rows, channels; /* floats; the op's output is rows x channels */
    st_binding at;
    float *fresh_bias; /* of one micro-batch; in scratch */
} st_conv;

/* Bytes of copied rows: half of a middle cache. */
#define BLOCK_BYTES ((int64_t)128 * 1024)

static size_t round_up(size_t n) {
    return (n + 15) / 16 * 16;
}

/* The copied rows' borders, and how many rows of windows are worked on at once. */
static void set_rows(st_conv_pass *pass) {
    int64_t begin = 0, end = 1;
    for (int i = 0; i < pass->n_phases; i++) {
        const st_conv_phase *phase = &pass->phase[i];
        const int64_t last = phase->start[1] + (phase->count[1] - 1) * pass->step[1] + phase->taps[1];
        if (phase->taps[1] == 0 || phase->count[1] == 0) continue;
        begin = phase->start[1] < begin ? phase->start[1] : begin;
        end = last > end ? last : end;
    }
    pass->border_left = -begin;
    pass->row = (end - begin) * pass->channels;
    const int64_t n_rows = (pass->out_height + pass->out_step[0] - 1) / pass->out_step[0];
    int64_t first;
    pass->most_rows = 1;
    while (pass->most_rows < n_rows &&
           st_conv_source_rows(pass, 0, pass->most_rows + 1, &first) * pass->row * (int64_t)sizeof(float) <=
               BLOCK_BYTES)
        pass->most_rows++;
}

/* Narrow from wide: a window for each value of the result. */
static void set_to_narrow(st_conv *conv, const st_op *op, const st_shape *wide, const st_shape *narrow, int64_t batch) {
    conv->to_narrow = (st_conv_pass){.n = batch,
                                     .height = wide->dim[0],
                                     .width = wide->dim[1],
                                     .channels = wide->dim[2],
                                     .out_height = narrow->dim[0],
                                     .out_width = narrow->dim[1],
                                     .filters = narrow->dim[2],
                                     .step = {op->window.stride[0], op->window.stride[1]},
                                     .out_step = {1, 1},
                                     .n_phases = 1,
                                     .phase = &conv->whole};
    for (int axis = 0; axis < 2; axis++) {
        conv->whole.taps[axis] = op->window.kernel[axis];
        conv->whole.start[axis] = -op->window.pad_before[axis];
        conv->whole.count[axis] = narrow->dim[axis];
    }
    set_rows(&conv->to_narrow);
}

/* One axis of a phase: the values at `residue` past whole strides, counted from the border's begin. Their windows hold
   the kernel's taps residue, residue + stride, ..., the last of them over the first value of the source. */
static void set_phase(st_conv_phase *phase, const st_window *window, int axis, int64_t residue, int64_t size) {
    const int64_t stride = window->stride[axis], pad = window->pad_before[axis], kernel = window->kernel[axis];
    const int64_t first = ((residue - pad) % stride + stride) % stride;
    phase->taps[axis] = residue < kernel ? (kernel - residue + stride - 1) / stride : 0;
    phase->start[axis] = (first + pad - residue) / stride - (phase->taps[axis] - 1);
    phase->out_first[axis] = first;
    phase->count[axis] = first < size ? (size - first + stride - 1) / stride : 0;
}

/* Wide from narrow: stride * stride phases. */
static strait_status set_to_wide(st_conv *conv, const st_op *op, const st_shape *wide, const st_shape *narrow,
                                 int64_t batch, strait_error *err) {
    const int64_t *stride = op->window.stride;
    const size_t n = (size_t)(stride[0] * stride[1]);
    conv->phase = st_alloc(n, sizeof *conv->phase);
    if (!conv->phase) return st_fail_memory(err, n * sizeof *conv->phase, "a convolution");
    conv->to_wide = (st_conv_pass){.n = batch,
                                   .height = narrow->dim[0],
                                   .width = narrow->dim[1],
                                   .channels = narrow->dim[2],
                                   .out_height = wide->dim[0],
                                   .out_width = wide->dim[1],
                                   .filters = wide->dim[2],
                                   .step = {1, 1},
                                   .out_step = {stride[0], stride[1]},
                                   .n_phases = (int)n,
                                   .phase = conv->phase};
    const int64_t columns = st_conv_columns(wide->dim[2], conv->vector->panel);
    for (size_t i = 0; i < n; i++) {
        st_conv_phase *phase = &conv->phase[i];
        set_phase(phase, &op->window, 0, (int64_t)i / stride[1], wide->dim[0]);
        set_phase(phase, &op->window, 1, (int64_t)i % stride[1], wide->dim[1]);
        conv->n_turned += round_up((size_t)(columns * phase->taps[0] * phase->taps[1] * narrow->dim[2]));
    }
    set_rows(&conv->to_wide);
    return STRAIT_OK;
}

static void release(void *opaque) {
    st_conv *conv = opaque;
    if (!conv) return;
    st_free(conv->phase);
    st_free(conv);
}

/* Floats of the packed kernel and bias. */
static size_t packed_size(const st_conv *conv) {
    const int64_t panel = conv->vector->panel, taps = conv->kernel[0] * conv->kernel[1];
    const int64_t narrow = conv->thin ? conv->narrow_channels : st_conv_columns(conv->narrow_channels, panel);
    const int64_t wide = conv->thin ? st_conv_columns(conv->wide_channels, panel) : conv->wide_channels;
    return (size_t)(taps * narrow * wide);
}
static size_t bias_size(const st_conv *conv) {
    return conv->thin ? conv->channels : (size_t)st_conv_columns((int64_t)conv->channels, conv->vector->panel);
}

/* Floats that a pass needs, or the gradient by the kernel with its geometry. */
static size_t scratch_of(const st_conv *conv, const st_conv_pass *pass) {
    const int64_t panel = conv->vector->panel, columns = st_conv_columns(pass->filters, panel);
    const size_t dresult = conv->training ? (size_t)(columns * pass->most_rows * pass->out_width) : 0;
    const size_t slack = conv->thin ? st_thin_slack(pass, panel) : 0;
    return st_conv_scratch(pass) + (dresult > slack ? dresult : slack);
}

static strait_status plan(void **out, st_kernel_needs *needs, const st_kernel_request *request, bool transpose,
                          strait_error *err) {
    const st_op *op = request->op;
    st_conv *conv = st_alloc(1, sizeof *conv);
    if (!conv) return st_fail_memory(err, sizeof *conv, "a convolution");
    const st_shape *src = &request->graph->tensor[op->src].shape, *dst = &request->graph->tensor[op->dst].shape;
    const st_shape *wide = transpose ? dst : src, *narrow = transpose ? src : dst;
    conv->vector = st_vector();
    conv->transpose = transpose;
    conv->has_bias = op->bias >= 0;
    conv->activation = op->activation;
    conv->training = request->training;
    conv->needs_dsrc = request->training && request->needs_dsrc;
    conv->dy_is_preactivation = request->dst_is_preactivation;
    conv->wide_channels = wide->dim[2];
    conv->narrow_channels = narrow->dim[2];
    conv->channels = (size_t)dst->dim[2];
    conv->rows = (size_t)(st_shape_count(dst) * request->batch) / conv->channels;
    memcpy(conv->kernel, op->window.kernel, sizeof conv->kernel);
    conv->thin = !transpose && op->window.stride[0] == 1 && op->window.stride[1] == 1 &&
                 2 * dst->dim[2] < conv->vector->panel / 2;
    set_to_narrow(conv, op, wide, narrow, request->batch);
    if (transpose || conv->needs_dsrc || conv->thin) {
        const strait_status status = set_to_wide(conv, op, wide, narrow, request->batch, err);
        if (status != STRAIT_OK) {
            release(conv);
            return status;
        }
    }
    st_conv_pass *forward = transpose ? &conv->to_wide : &conv->to_narrow;
    if (conv->activation.kind != ST_SOFTMAX) forward->activation = conv->activation;
    conv->n_kernel = packed_size(conv);
    needs->kernel = conv->n_kernel;
    needs->bias = conv->has_bias ? bias_size(conv) : 0;
    needs->hold = conv->thin ? 0 : conv->n_turned;
    const size_t narrow_scratch = scratch_of(conv, &conv->to_narrow);
    const size_t wide_scratch = conv->phase ? scratch_of(conv, &conv->to_wide) : 0;
    needs->scratch = round_up(conv->channels) + (wide_scratch > narrow_scratch ? wide_scratch : narrow_scratch);
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

static strait_status bind(void *opaque, const st_binding *at, strait_error *err) {
    (void)err;
    st_conv *conv = opaque;
    const bool t = conv->transpose;
    conv->at = *at;
    conv->fresh_bias = at->scratch;
    float *copied = at->scratch + round_up(conv->channels);
    conv->whole.kernel = at->kernel;
    conv->to_narrow.x = t ? at->ddst : at->src;
    conv->to_narrow.y = t ? at->dsrc : at->dst;
    conv->to_wide.x = t ? at->src : at->ddst;
    conv->to_wide.y = t ? at->dst : at->dsrc;
    *(t ? &conv->to_wide.bias : &conv->to_narrow.bias) = at->bias;
    conv->to_narrow.scratch = conv->to_wide.scratch = copied;
    const bool back = t != conv->thin; /* the gradient by the kernel goes over windows of the op's output */
    conv->to_kernel = (st_conv_gradient){.pass = conv->thin ? &conv->to_wide : &conv->to_narrow,
                                         .source = back ? at->ddst : at->src,
                                         .dresult = back ? at->src : at->ddst,
                                         .dkernel = at->dkernel,
                                         .scratch = copied};
    if (conv->thin) {
        conv->phase[0].kernel = at->kernel;
        return STRAIT_OK;
    }
    float *turned = at->hold;
    for (int i = 0; i < conv->to_wide.n_phases; i++) {
        st_conv_phase *phase = &conv->phase[i];
        const int64_t columns = st_conv_columns(conv->wide_channels, conv->vector->panel);
        phase->kernel = turned;
        turned += round_up((size_t)(columns * phase->taps[0] * phase->taps[1] * conv->narrow_channels));
    }
    return STRAIT_OK;
}

/* Where a weight lies in the packed kernel: of kernel row and column, wide and narrow channel. */
static int64_t place_of(const st_conv *conv, int64_t ky, int64_t kx, int64_t wide, int64_t narrow) {
    const int64_t panel = conv->vector->panel, taps = conv->kernel[0] * conv->kernel[1];
    const int64_t tap = ky * conv->kernel[1] + kx;
    const int64_t column = conv->thin ? wide : narrow; /* of the panels; the other side's channels are rows */
    const int64_t columns = st_conv_columns(conv->thin ? conv->wide_channels : conv->narrow_channels, panel);
    const int64_t rows = conv->thin ? conv->narrow_channels : conv->wide_channels;
    const int64_t row = conv->thin ? (taps - 1 - tap) * rows + narrow : tap * rows + wide;
    const int64_t begin = column - column % panel, width = columns - begin < panel ? columns - begin : panel;
    return begin * taps * rows + row * width + column % panel;
}

/* A phase's kernel for the pass from narrow to wide: its taps backwards, panels of wide channels. */
static void turn_phase(const st_conv *conv, const st_conv_phase *phase, const int64_t residue[2], float *to) {
    const int64_t panel = conv->vector->panel, columns = st_conv_columns(conv->wide_channels, panel);
    const int64_t *stride = conv->to_wide.out_step;
    for (int64_t p = 0; p < columns; p += panel) {
        const int64_t n = columns - p < panel ? columns - p : panel;
        const int64_t used = conv->wide_channels - p < n ? conv->wide_channels - p : n;
        for (int64_t y = phase->taps[0] - 1; y >= 0; y--)
            for (int64_t x = phase->taps[1] - 1; x >= 0; x--) {
                const int64_t ky = residue[0] + y * stride[0], kx = residue[1] + x * stride[1];
                for (int64_t f = 0; f < conv->narrow_channels; f++, to += n) {
                    const float *from = conv->at.kernel + place_of(conv, ky, kx, p, f);
                    const int64_t step = used > 1 ? place_of(conv, ky, kx, p + 1, f) - place_of(conv, ky, kx, p, f) : 0;
                    for (int64_t c = 0; c < n; c++)
                        to[c] = c < used ? from[c * step] : 0.0f;
                }
            }
    }
}

/* Turns the kernel around where the weights may have changed since the last time. */
static void turn(const st_conv *conv) {
    if (conv->thin || !conv->at.step->first) return;
    const int64_t stride = conv->to_wide.out_step[1];
    for (int i = 0; i < conv->to_wide.n_phases; i++) {
        const int64_t residue[2] = {i / stride, i % stride};
        turn_phase(conv, &conv->phase[i], residue, (float *)(uintptr_t)conv->phase[i].kernel);
    }
}

static strait_status forward(void *opaque) {
    const st_conv *conv = opaque;
    if (conv->transpose) turn(conv);
    if (conv->thin)
        conv->vector->convolve_thin(&conv->to_narrow);
    else
        conv->vector->convolve(conv->transpose ? &conv->to_wide : &conv->to_narrow);
    if (conv->activation.kind == ST_SOFTMAX) conv->vector->softmax(conv->at.dst, conv->rows, conv->channels);
    return STRAIT_OK;
}

static void gradient_by_bias(const st_conv *conv, bool accumulate) {
    const st_binding *at = &conv->at;
    conv->vector->sum_rows(conv->fresh_bias, at->ddst, conv->rows, conv->channels);
    for (size_t i = 0; i < conv->channels; i++)
        at->dbias[i] = accumulate ? at->dbias[i] + conv->fresh_bias[i] : conv->fresh_bias[i];
    for (size_t i = conv->channels; i < bias_size(conv) && !accumulate; i++)
        at->dbias[i] = 0;
}

static strait_status backward(void *opaque, bool accumulate) {
    const st_conv *conv = opaque;
    const st_binding *at = &conv->at;
    if (!conv->dy_is_preactivation) {
        if (conv->activation.kind == ST_SOFTMAX)
            conv->vector->softmax_gradient(at->ddst, at->ddst, at->dst, conv->rows, conv->channels);
        else
            conv->vector->activate_gradient(conv->activation, at->ddst, at->ddst, at->dst, conv->rows * conv->channels);
    }
    conv->vector->convolve_gradient(&conv->to_kernel, accumulate);
    if (conv->has_bias) gradient_by_bias(conv, accumulate);
    if (!at->dsrc) return STRAIT_OK;
    if (!conv->transpose) turn(conv);
    conv->vector->convolve(conv->transpose ? &conv->to_narrow : &conv->to_wide);
    return STRAIT_OK;
}

/* Copies weights between the canonical layout and the packed one. */
static void relay(const st_conv *conv, float *packed, float *canonical, bool packing) {
    for (int64_t ky = 0; ky < conv->kernel[0]; ky++)
        for (int64_t kx = 0; kx < conv->kernel[1]; kx++)
            for (int64_t c = 0; c < conv->wide_channels; c++)
                for (int64_t f = 0; f < conv->narrow_channels; f++, canonical++) {
                    float *at = packed + place_of(conv, ky, kx, c, f);
                    if (packing)
                        *at = *canonical;
                    else
                        *canonical = *at;
                }
}

static strait_status pack(void *opaque, float *packed_kernel, float *packed_bias, const float *kernel,
                          const float *bias) {
    const st_conv *conv = opaque;
    memset(packed_kernel, 0, conv->n_kernel * sizeof *packed_kernel);
    relay(conv, packed_kernel, (float *)(uintptr_t)kernel, true);
    if (!packed_bias) return STRAIT_OK;
    memset(packed_bias, 0, bias_size(conv) * sizeof *packed_bias);
    memcpy(packed_bias, bias, conv->channels * sizeof *bias);
    return STRAIT_OK;
}

static strait_status unpack(void *opaque, float *kernel, float *bias, const float *packed_kernel,
                            const float *packed_bias) {
    const st_conv *conv = opaque;
    relay(conv, (float *)(uintptr_t)packed_kernel, kernel, false);
    if (packed_bias) memcpy(bias, packed_bias, conv->channels * sizeof *bias);
    return STRAIT_OK;
}

static void describe(const void *opaque, char *out, size_t n) {
    const st_conv *conv = opaque;
    snprintf(out, n, "%s, %s", conv->thin ? "panels of channels" : "panels of filters", conv->vector->name);
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
