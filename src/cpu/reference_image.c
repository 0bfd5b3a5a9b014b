/* Pools, upsampling, cutting and joining of the reference engine. Images are NHWC. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

/* Value (y, x, c) of image i in a tensor of the given shape. */
static size_t at_pixel(const st_shape *shape, int64_t i, int64_t y, int64_t x, int64_t c) {
    return (size_t)(((i * shape->dim[0] + y) * shape->dim[1] + x) * shape->dim[2] + c);
}

static void clear(float *values, int64_t batch, const st_shape *shape) {
    memset(values, 0, (size_t)(batch * st_shape_count(shape)) * sizeof *values);
}

/* ---- pools: y = max, or mean, of the window's values inside the image ---- */

/* An output value: its place in dst, and its window inside the image. */
typedef struct st_spot {
    int64_t image, channel, y[2], x[2]; /* input rows and columns [0] <= . < [1] */
    size_t dst;
} st_spot;

static void range_of(int64_t out[2], const st_reference *state, int axis, int64_t o) {
    const st_window *w = &state->op.window;
    const int64_t begin = o * w->stride[axis] - w->pad_before[axis], end = begin + w->kernel[axis];
    out[0] = begin < 0 ? 0 : begin;
    out[1] = end < state->src.dim[axis] ? end : state->src.dim[axis];
}

static void for_each_window(const st_reference *state, void (*what)(const st_reference *, const st_spot *)) {
    const st_shape *dst = &state->dst;
    for (int64_t i = 0; i < state->batch; i++)
        for (int64_t y = 0; y < dst->dim[0]; y++)
            for (int64_t x = 0; x < dst->dim[1]; x++)
                for (int64_t c = 0; c < dst->dim[2]; c++) {
                    st_spot spot = {.image = i, .channel = c, .dst = at_pixel(dst, i, y, x, c)};
                    range_of(spot.y, state, 0, y);
                    range_of(spot.x, state, 1, x);
                    what(state, &spot);
                }
}

/* The place in src of the first of the largest values; a NaN counts as larger than all. */
static size_t place_of_max(const st_reference *state, const st_spot *spot) {
    const float *src = state->at.src;
    size_t best = at_pixel(&state->src, spot->image, spot->y[0], spot->x[0], spot->channel);
    for (int64_t y = spot->y[0]; y < spot->y[1]; y++)
        for (int64_t x = spot->x[0]; x < spot->x[1]; x++) {
            const size_t p = at_pixel(&state->src, spot->image, y, x, spot->channel);
            if (src[p] > src[best] || isnan(src[p])) best = p;
        }
    return best;
}

static void max_value(const st_reference *state, const st_spot *spot) {
    state->at.dst[spot->dst] = state->at.src[place_of_max(state, spot)];
}
static void max_back(const st_reference *state, const st_spot *spot) {
    state->at.dsrc[place_of_max(state, spot)] += state->at.ddst[spot->dst];
}

static int64_t window_size(const st_spot *spot) {
    return (spot->y[1] - spot->y[0]) * (spot->x[1] - spot->x[0]);
}
static void mean_value(const st_reference *state, const st_spot *spot) {
    double sum = 0;
    for (int64_t y = spot->y[0]; y < spot->y[1]; y++)
        for (int64_t x = spot->x[0]; x < spot->x[1]; x++)
            sum += (double)state->at.src[at_pixel(&state->src, spot->image, y, x, spot->channel)];
    state->at.dst[spot->dst] = (float)(sum / (double)window_size(spot));
}
static void mean_back(const st_reference *state, const st_spot *spot) {
    const float share = state->at.ddst[spot->dst] / (float)window_size(spot);
    for (int64_t y = spot->y[0]; y < spot->y[1]; y++)
        for (int64_t x = spot->x[0]; x < spot->x[1]; x++)
            state->at.dsrc[at_pixel(&state->src, spot->image, y, x, spot->channel)] += share;
}

static strait_status max_forward(void *state) {
    for_each_window(state, max_value);
    return STRAIT_OK;
}
static strait_status mean_forward(void *state) {
    for_each_window(state, mean_value);
    return STRAIT_OK;
}
static strait_status window_backward(const st_reference *state, void (*what)(const st_reference *, const st_spot *)) {
    if (!state->at.dsrc) return STRAIT_OK;
    clear(state->at.dsrc, state->batch, &state->src);
    for_each_window(state, what);
    return STRAIT_OK;
}
static strait_status max_backward(void *state, bool accumulate) {
    (void)accumulate;
    return window_backward(state, max_back);
}
static strait_status mean_backward(void *state, bool accumulate) {
    (void)accumulate;
    return window_backward(state, mean_back);
}

/* ---- upsampling ----
   nearest:  y[o] = x[floor(o / factor)]
   bilinear: output o lies at p = (o + 1/2) / factor - 1/2; between the pixels floor(p) and floor(p) + 1, moved into the
   image, by the fraction of p. In two dimensions the weights of rows and columns are multiplied. */

/* Two pixels along an axis that output o is made of, with their weights. */
static void taps_of(const st_reference *state, int axis, int64_t o, int64_t pixel[2], double weight[2]) {
    const int64_t factor = state->op.factor[axis], last = state->src.dim[axis] - 1;
    pixel[0] = pixel[1] = o / factor;
    weight[0] = 1;
    weight[1] = 0;
    if (!state->op.bilinear) return;
    const double p = ((double)o + 0.5) / (double)factor - 0.5;
    for (int k = 0; k < 2; k++) {
        const int64_t at = (int64_t)floor(p) + k;
        pixel[k] = at < 0 ? 0 : at > last ? last : at;
    }
    weight[1] = p - floor(p);
    weight[0] = 1 - weight[1];
}

/* forward: dst from src; else dsrc, zero before, from ddst by the same weights. */
static void upsample(const st_reference *state, bool forward) {
    const st_shape *dst = &state->dst;
    for (int64_t i = 0; i < state->batch; i++)
        for (int64_t oy = 0; oy < dst->dim[0]; oy++)
            for (int64_t ox = 0; ox < dst->dim[1]; ox++)
                for (int64_t c = 0; c < dst->dim[2]; c++) {
                    int64_t y[2], x[2];
                    double wy[2], wx[2], sum = 0;
                    taps_of(state, 0, oy, y, wy);
                    taps_of(state, 1, ox, x, wx);
                    const size_t out = at_pixel(dst, i, oy, ox, c);
                    for (int k = 0; k < 4; k++) {
                        const size_t in = at_pixel(&state->src, i, y[k / 2], x[k % 2], c);
                        const double w = wy[k / 2] * wx[k % 2];
                        if (forward)
                            sum += w * (double)state->at.src[in];
                        else
                            state->at.dsrc[in] += (float)(w * (double)state->at.ddst[out]);
                    }
                    if (forward) state->at.dst[out] = (float)sum;
                }
}

static strait_status upsample_forward(void *state) {
    upsample(state, true);
    return STRAIT_OK;
}
static strait_status upsample_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    if (!state->at.dsrc) return STRAIT_OK;
    clear(state->at.dsrc, state->batch, &state->src);
    upsample(state, false);
    return STRAIT_OK;
}

/* ---- cutting and padding: every value of the smaller tensor has its place in the larger one ---- */

/* The place in `large` of value p of `small`. */
static size_t place_in(const st_reference *state, const st_shape *large, const st_shape *small, size_t p) {
    const st_op *op = &state->op;
    const int64_t n = small->dim[small->n_dims - 1], c = (int64_t)p % n, pixel = (int64_t)p / n;
    if (op->kind == ST_OP_SLICE) return (size_t)(pixel * large->dim[large->n_dims - 1] + op->begin + c);
    const int64_t x = pixel % small->dim[1], row = pixel / small->dim[1];
    const int64_t y = row % small->dim[0], image = row / small->dim[0];
    return at_pixel(large, image, y + op->window.pad_before[0], x + op->window.pad_before[1], c);
}

static void take(const st_reference *state, float *small, const st_shape *s, const float *large, const st_shape *l) {
    for (size_t p = 0; p < (size_t)(state->batch * st_shape_count(s)); p++)
        small[p] = large[place_in(state, l, s, p)];
}
static void place(const st_reference *state, float *large, const st_shape *l, const float *small, const st_shape *s) {
    clear(large, state->batch, l);
    for (size_t p = 0; p < (size_t)(state->batch * st_shape_count(s)); p++)
        large[place_in(state, l, s, p)] = small[p];
}

static strait_status cut_forward(void *opaque) {
    const st_reference *state = opaque;
    take(state, state->at.dst, &state->dst, state->at.src, &state->src);
    return STRAIT_OK;
}
static strait_status cut_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    if (state->at.dsrc) place(state, state->at.dsrc, &state->src, state->at.ddst, &state->dst);
    return STRAIT_OK;
}
static strait_status pad_forward(void *opaque) {
    const st_reference *state = opaque;
    place(state, state->at.dst, &state->dst, state->at.src, &state->src);
    return STRAIT_OK;
}
static strait_status pad_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    if (state->at.dsrc) take(state, state->at.dsrc, &state->src, state->at.ddst, &state->dst);
    return STRAIT_OK;
}

/* ---- joining ---- */

/* Copies between dst [rows, a + b] and its parts [rows, a], [rows, b]. */
static strait_status concat_forward(void *opaque) {
    const st_reference *state = opaque;
    const int64_t a = state->src.dim[state->src.n_dims - 1], b = state->src2.dim[state->src2.n_dims - 1];
    for (int64_t p = 0; p < state->batch * st_shape_count(&state->dst); p++) {
        const int64_t row = p / (a + b), j = p % (a + b);
        state->at.dst[p] = j < a ? state->at.src[row * a + j] : state->at.src2[row * b + j - a];
    }
    return STRAIT_OK;
}
static strait_status concat_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    const int64_t a = state->src.dim[state->src.n_dims - 1], b = state->src2.dim[state->src2.n_dims - 1];
    for (int64_t p = 0; p < state->batch * st_shape_count(&state->dst); p++) {
        const int64_t row = p / (a + b), j = p % (a + b);
        if (j < a && state->at.dsrc) state->at.dsrc[row * a + j] = state->at.ddst[p];
        if (j >= a && state->at.dsrc2) state->at.dsrc2[row * b + j - a] = state->at.ddst[p];
    }
    return STRAIT_OK;
}

static strait_status add_forward(void *opaque) {
    const st_reference *state = opaque;
    for (int64_t i = 0; i < state->batch * st_shape_count(&state->dst); i++)
        state->at.dst[i] = state->at.src[i] + state->at.src2[i];
    return STRAIT_OK;
}
static strait_status add_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    for (int64_t i = 0; i < state->batch * st_shape_count(&state->dst); i++) {
        if (state->at.dsrc) state->at.dsrc[i] = state->at.ddst[i];
        if (state->at.dsrc2) state->at.dsrc2[i] = state->at.ddst[i];
    }
    return STRAIT_OK;
}

#define KERNEL(forward_function, backward_function)                                                                    \
    {                                                                                                                  \
        .plan = st_reference_plan, .bind = st_reference_bind, .forward = forward_function,                             \
        .backward = backward_function, .describe = st_reference_describe, .free = st_free                              \
    }

const st_kernel st_reference_max_pool2d = KERNEL(max_forward, max_backward);
const st_kernel st_reference_avg_pool2d = KERNEL(mean_forward, mean_backward);
const st_kernel st_reference_upsample2d = KERNEL(upsample_forward, upsample_backward);
const st_kernel st_reference_cut = KERNEL(cut_forward, cut_backward);
const st_kernel st_reference_zero_pad2d = KERNEL(pad_forward, pad_backward);
const st_kernel st_reference_concat = KERNEL(concat_forward, concat_backward);
const st_kernel st_reference_add = KERNEL(add_forward, add_backward);
