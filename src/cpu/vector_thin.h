/* Convolutions to few channels. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_THIN_H
#define ST_CPU_VECTOR_THIN_H

#include "cpu/vector_math.h"

/* The pixels of an output row whose windows lie inside the input row: [first, last). */
INLINE void inner_pixels(const st_thin *call, int64_t *first, int64_t *last) {
    *first = call->pad_left < call->out_width ? call->pad_left : call->out_width;
    *last = call->width - call->kernel_width + call->pad_left + 1;
    if (*last > call->out_width) *last = call->out_width;
    if (*last < *first) *last = *first;
}

/* The part of the window at output column x that lies inside the input row: where it begins in the input row and in
   the kernel row, and its length, in floats. */
INLINE int64_t clip_window(const st_thin *call, int64_t x, int64_t *in, int64_t *in_kernel) {
    const int64_t at = x - call->pad_left, begin = at < 0 ? 0 : at;
    const int64_t end = at + call->kernel_width < call->width ? at + call->kernel_width : call->width;
    *in = begin * call->channels;
    *in_kernel = (begin - at) * call->channels;
    return end > begin ? (end - begin) * call->channels : 0;
}

/* y[0..3] += the products of four neighbouring windows, `step` floats apart, with k; n floats each. */
INLINE void dot_four(float *y, int64_t y_step, const float *x, int64_t step, const float *k, int64_t n) {
    vf c[4] = {{0}, {0}, {0}, {0}};
    int64_t i = 0;
    for (; i + V <= n; i += V) {
        const vf b = load(k + i);
        UNROLL for (int j = 0; j < 4; j++) c[j] += b * load(x + j * step + i);
    }
    if (i < n) {
        const vf b = load_part(k + i, (size_t)(n - i));
        UNROLL for (int j = 0; j < 4; j++) c[j] += b * load_part(x + j * step + i, (size_t)(n - i));
    }
    vf s = pair_sums(pair_sums(c[0], c[1]), pair_sums(c[2], c[3]));
    for (int lanes = V; lanes > 4; lanes /= 2)
        s = pair_sums(s, s);
    float sums[V];
    store(sums, s);
    UNROLL for (int j = 0; j < 4; j++) y[j * y_step] += sums[j];
}

INLINE float dot_one(const float *x, const float *k, int64_t n) {
    vf c = {0};
    int64_t i = 0;
    for (; i + V <= n; i += V)
        c += load(k + i) * load(x + i);
    if (i < n) c += load_part(k + i, (size_t)(n - i)) * load_part(x + i, (size_t)(n - i));
    return sum_v(c);
}

/* One output row of one filter += one input row times one kernel row. */
static void thin_row(const st_thin *call, float *y, const float *x, const float *k) {
    const int64_t span = call->kernel_width * call->channels, step = call->channels, f = call->filters;
    int64_t first, last, ox = 0, in, in_kernel;
    inner_pixels(call, &first, &last);
    for (; ox < first; ox++) {
        const int64_t n = clip_window(call, ox, &in, &in_kernel);
        y[ox * f] += dot_one(x + in, k + in_kernel, n);
    }
    for (; ox + 4 <= last; ox += 4)
        dot_four(y + ox * f, f, x + (ox - call->pad_left) * step, step, k, span);
    for (; ox < call->out_width; ox++) {
        const int64_t n = clip_window(call, ox, &in, &in_kernel);
        y[ox * f] += dot_one(x + in, k + in_kernel, n);
    }
}

static void thin_forward(const st_thin *call) {
    const int64_t x_row = call->width * call->channels, y_row = call->out_width * call->filters;
    const int64_t k_row = call->kernel_width * call->channels;
    for (int64_t i = 0; i < call->n * call->out_height; i++) {
        const int64_t oy = i % call->out_height;
        const float *x = call->x + i / call->out_height * call->height * x_row;
        float *y = call->y + i * y_row;
        for (int64_t f = 0; f < call->filters; f++) {
            for (int64_t ox = 0; ox < call->out_width; ox++)
                y[ox * call->filters + f] = call->bias ? call->bias[f] : 0.0f;
            for (int64_t ky = 0; ky < call->kernel_height; ky++) {
                const int64_t iy = oy + ky - call->pad_top;
                if (iy < 0 || iy >= call->height) continue;
                thin_row(call, y + f, x + iy * x_row, call->kernel + (f * call->kernel_height + ky) * k_row);
            }
        }
    }
}

/* dk [n_vectors * V] += the sum over the inner pixels of all rows that kernel row ky meets of dy * x. */
INLINE void thin_columns(int n_vectors, const st_thin *call, float *dk, const float *x0, const float *dy0, int64_t ky) {
    const int64_t x_row = call->width * call->channels, f = call->filters, y_row = call->out_width * f;
    int64_t first, last;
    inner_pixels(call, &first, &last);
    vf c[6];
    UNROLL for (int j = 0; j < n_vectors; j++) c[j] = load(dk + j * V);
    for (int64_t i = 0; i < call->n; i++)
        for (int64_t oy = 0; oy < call->out_height; oy++) {
            const int64_t iy = oy + ky - call->pad_top;
            if (iy < 0 || iy >= call->height) continue;
            const float *dy = dy0 + (i * call->out_height + oy) * y_row;
            const float *x = x0 + (i * call->height + iy) * x_row;
            for (int64_t ox = first; ox < last; ox++) {
                const float d = dy[ox * f], *at = x + (ox - call->pad_left) * call->channels;
                UNROLL for (int j = 0; j < n_vectors; j++) c[j] += d * load(at + j * V);
            }
        }
    UNROLL for (int j = 0; j < n_vectors; j++) store(dk + j * V, c[j]);
}

/* The same for n columns, and the pixels at the borders for whole windows: value by value. */
static void thin_rest(const st_thin *call, float *dk, const float *dy0, int64_t ky, int64_t from) {
    const int64_t x_row = call->width * call->channels, f = call->filters, y_row = call->out_width * f;
    const int64_t span = call->kernel_width * call->channels;
    int64_t first, last, in, in_kernel;
    inner_pixels(call, &first, &last);
    for (int64_t i = 0; i < call->n * call->out_height; i++) {
        const int64_t iy = i % call->out_height + ky - call->pad_top;
        if (iy < 0 || iy >= call->height) continue;
        const float *dy = dy0 + i * y_row, *x = call->x + (i / call->out_height * call->height + iy) * x_row;
        for (int64_t ox = 0; ox < call->out_width; ox++) {
            const float d = dy[ox * f];
            if (ox >= first && ox < last) {
                const float *at = x + (ox - call->pad_left) * call->channels;
                for (int64_t j = from; j < span; j++)
                    dk[j] += d * at[j];
                if (from == span) ox = last - 1;
            } else {
                const int64_t n = clip_window(call, ox, &in, &in_kernel);
                for (int64_t j = 0; j < n; j++)
                    dk[in_kernel + j] += d * x[in + j];
            }
        }
    }
}

static void thin_gradient(const st_thin *call, bool accumulate) {
    const int64_t span = call->kernel_width * call->channels;
    if (!accumulate)
        memset(call->dkernel, 0, (size_t)(call->filters * call->kernel_height * span) * sizeof *call->dkernel);
    for (int64_t f = 0; f < call->filters; f++)
        for (int64_t ky = 0; ky < call->kernel_height; ky++) {
            float *dk = call->dkernel + (f * call->kernel_height + ky) * span;
            int64_t j = 0;
            for (; j + 6 * V <= span; j += 6 * V)
                thin_columns(6, call, dk + j, call->x + j, call->dy + f, ky);
            for (; j + 3 * V <= span; j += 3 * V)
                thin_columns(3, call, dk + j, call->x + j, call->dy + f, ky);
            for (; j + V <= span; j += V)
                thin_columns(1, call, dk + j, call->x + j, call->dy + f, ky);
            thin_rest(call, dk, call->dy + f, ky, j);
        }
}

#endif
