/* Pools and the changing of an image's size, NHWC. Vectors run along the channels. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_POOL_H
#define ST_CPU_VECTOR_POOL_H

#include "cpu/vector_math.h"

/* The part of a window that lies inside the image: input rows and columns. */
typedef struct st_patch {
    int64_t y, x, rows, columns;
} st_patch;

INLINE void clip_axis(int64_t at, int64_t size, int64_t extent, int64_t *from, int64_t *n) {
    const int64_t begin = at < 0 ? 0 : at, end = at + size < extent ? at + size : extent;
    *from = begin;
    *n = end > begin ? end - begin : 0;
}

INLINE st_patch patch_at(const st_pool *call, int64_t oy, int64_t ox) {
    st_patch p;
    clip_axis(oy * call->stride[0] - call->pad[0], call->kernel[0], call->height, &p.y, &p.rows);
    clip_axis(ox * call->stride[1] - call->pad[1], call->kernel[1], call->width, &p.x, &p.columns);
    return p;
}

/* Calls `pixel` with the patch's size as a constant where it is a usual one. */
#define BY_PATCH(p, pixel)                                                                                             \
    do {                                                                                                               \
        if ((p).rows == 2 && (p).columns == 2)                                                                         \
            pixel(2, 2);                                                                                               \
        else if ((p).rows == 3 && (p).columns == 3)                                                                    \
            pixel(3, 3);                                                                                               \
        else                                                                                                           \
            pixel((p).rows, (p).columns);                                                                              \
    } while (0)

/* ---- the largest value ---- */

/* The indices of output row r as whole numbers: where they are made or used. They are kept as bytes, if they fit, which
   vectors are better cut down to a row at a time. NULL: they are not asked for. */
INLINE int32_t *index_row(const st_pool *call, int64_t r) {
    return call->index32 ? call->index32 + r * call->out_width * call->channels : call->index_row;
}
INLINE void pack_row(const st_pool *call, int64_t r) {
    const int64_t n = call->out_width * call->channels;
    uint8_t *restrict bytes = call->index8 + r * n;
    const int32_t *restrict row = call->index_row;
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)row[i];
}
INLINE void unpack_row(const st_pool *call, int64_t r) {
    const int64_t n = call->out_width * call->channels;
    const uint8_t *restrict bytes = call->index8 + r * n;
    int32_t *restrict row = call->index_row;
    for (int64_t i = 0; i < n; i++)
        row[i] = bytes[i];
}

/* V channels, and one, of an output pixel: at x of the patch's first pixel. The first of equal values wins, a NaN
   stays. The index counts positions of the patch. */
INLINE vf max_vector(const st_pool *call, const float *x, int64_t rows, int64_t columns, vi *index) {
    const int64_t row = call->width * call->channels;
    vf best = load(x);
    vi at = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const vf v = load(x + i * row + j * call->channels);
            const vi better = (v > best) | (v != v);
            best = select_v(better, v, best);
            at = (at & ~better) | ((int32_t)(i * columns + j) & better);
        }
    *index = at;
    return best;
}
INLINE float max_scalar(const st_pool *call, const float *x, int64_t rows, int64_t columns, int32_t *index) {
    const int64_t row = call->width * call->channels;
    float best = *x;
    int32_t at = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const float v = x[i * row + j * call->channels];
            const bool better = v > best || isnan(v);
            best = better ? v : best;
            at = better ? (int32_t)(i * columns + j) : at;
        }
    *index = at;
    return best;
}

/* An output pixel. The last vector of a pixel overlaps the one before. */
INLINE void max_pixel(const st_pool *call, const float *x, float *y, int32_t *index, int64_t rows, int64_t columns) {
    const int64_t n = call->channels;
    for (int64_t c = 0; n >= V && c < n; c += V) {
        if (c > n - V) c = n - V;
        vi at;
        store(y + c, max_vector(call, x + c, rows, columns, &at));
        if (index) *(vi *)(index + c) = at;
    }
    for (int64_t c = 0; n < V && c < n; c++) {
        int32_t at;
        y[c] = max_scalar(call, x + c, rows, columns, &at);
        if (index) index[c] = at;
    }
}

static void max_pool(const st_pool *call) {
    const int64_t n = call->channels;
    float *y = call->y;
    for (int64_t r = 0; r < call->n * call->out_height; r++) {
        const int64_t oy = r % call->out_height, i = r / call->out_height;
        int32_t *index = index_row(call, r);
        for (int64_t ox = 0; ox < call->out_width; ox++, y += n) {
            const st_patch p = patch_at(call, oy, ox);
            const float *x = call->x + ((i * call->height + p.y) * call->width + p.x) * n;
#define PIXEL(rows, columns) max_pixel(call, x, y, index, rows, columns)
            BY_PATCH(p, PIXEL);
#undef PIXEL
            if (index) index += n;
        }
        if (call->index8) pack_row(call, r);
    }
}

/* dx of the patch's pixels gets dy where the index says so: written where no other window reaches them, else added. */
INLINE void max_pixel_gradient(const st_pool *call, float *dx, const float *dy, const int32_t *index, int64_t rows,
                               int64_t columns, bool alone) {
    const int64_t n = call->channels, row = call->width * n;
    int64_t c = 0;
    for (; c + V <= n; c += V) {
        const vi place = *(const vi *)(index + c);
        const vf g = load(dy + c), zero = {0};
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) {
                float *at = dx + i * row + j * n + c;
                const vf share = select_v(place == (int32_t)(i * columns + j), g, zero);
                if (alone)
                    store(at, share);
                else
                    store(at, load(at) + share);
            }
    }
    for (; c < n; c++) {
        const uint32_t place = (uint32_t)index[c], width = (uint32_t)columns;
        dx[place / width * row + place % width * n + c] += dy[c];
    }
}

/* Whether no two windows meet, so that a gradient has one source. */
INLINE bool windows_alone(const st_pool *call) {
    return call->stride[0] >= call->kernel[0] && call->stride[1] >= call->kernel[1];
}

static void max_pool_gradient(const st_pool *call) {
    const bool alone = windows_alone(call);
    const int64_t n = call->channels;
    const float *dy = call->dy;
    memset(call->dx, 0, (size_t)(call->n * call->height * call->width * n) * sizeof *call->dx);
    for (int64_t r = 0; r < call->n * call->out_height; r++) {
        const int64_t oy = r % call->out_height, i = r / call->out_height;
        const int32_t *index = index_row(call, r);
        if (call->index8) unpack_row(call, r);
        for (int64_t ox = 0; ox < call->out_width; ox++, dy += n, index += n) {
            const st_patch p = patch_at(call, oy, ox);
            float *dx = call->dx + ((i * call->height + p.y) * call->width + p.x) * n;
#define PIXEL(rows, columns)                                                                                           \
    do {                                                                                                               \
        if (alone)                                                                                                     \
            max_pixel_gradient(call, dx, dy, index, rows, columns, true);                                              \
        else                                                                                                           \
            max_pixel_gradient(call, dx, dy, index, rows, columns, false);                                             \
    } while (0)
            BY_PATCH(p, PIXEL);
#undef PIXEL
        }
    }
}

/* ---- the mean ---- */

INLINE void average_pixel(const st_pool *call, const float *x, float *y, int64_t rows, int64_t columns) {
    const int64_t n = call->channels, row = call->width * n;
    const float share = 1.0f / (float)(rows * columns);
    int64_t c = 0;
    for (; c + V <= n; c += V) {
        vf sum = {0};
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                sum += load(x + i * row + j * n + c);
        store(y + c, sum * share);
    }
    for (; c < n; c++) {
        float sum = 0;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                sum += x[i * row + j * n + c];
        y[c] = sum * share;
    }
}

static void average_pool(const st_pool *call) {
    float *y = call->y;
    for (int64_t i = 0; i < call->n; i++)
        for (int64_t oy = 0; oy < call->out_height; oy++)
            for (int64_t ox = 0; ox < call->out_width; ox++, y += call->channels) {
                const st_patch p = patch_at(call, oy, ox);
                const float *x = call->x + ((i * call->height + p.y) * call->width + p.x) * call->channels;
#define PIXEL(rows, columns) average_pixel(call, x, y, rows, columns)
                BY_PATCH(p, PIXEL);
#undef PIXEL
            }
}

INLINE void average_pixel_gradient(const st_pool *call, float *dx, const float *dy, int64_t rows, int64_t columns) {
    const int64_t n = call->channels, row = call->width * n;
    const float share = 1.0f / (float)(rows * columns);
    int64_t c = 0;
    for (; c + V <= n; c += V) {
        const vf g = load(dy + c) * share;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) {
                float *at = dx + i * row + j * n + c;
                store(at, load(at) + g);
            }
    }
    for (; c < n; c++)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                dx[i * row + j * n + c] += dy[c] * share;
}

static void average_pool_gradient(const st_pool *call) {
    const int64_t image = call->height * call->width * call->channels;
    const float *dy = call->dy;
    for (int64_t i = 0; i < call->n; i++) {
        float *dx = call->dx + i * image;
        memset(dx, 0, (size_t)image * sizeof *dx);
        for (int64_t oy = 0; oy < call->out_height; oy++)
            for (int64_t ox = 0; ox < call->out_width; ox++, dy += call->channels) {
                const st_patch p = patch_at(call, oy, ox);
                float *at = dx + (p.y * call->width + p.x) * call->channels;
#define PIXEL(rows, columns) average_pixel_gradient(call, at, dy, rows, columns)
                BY_PATCH(p, PIXEL);
#undef PIXEL
            }
    }
}

/* ---- larger images ---- */

/* y = a + (b - a) w, n values; a may be b. */
INLINE void mix(float *y, const float *a, const float *b, float w, int64_t n) {
    int64_t i = 0;
    for (; i + V <= n; i += V)
        store(y + i, load(a + i) + (load(b + i) - load(a + i)) * w);
    for (; i < n; i++)
        y[i] = a[i] + (b[i] - a[i]) * w;
}
INLINE void add_scaled(float *y, const float *x, float w, int64_t n) {
    int64_t i = 0;
    for (; i + V <= n; i += V)
        store(y + i, load(y + i) + load(x + i) * w);
    for (; i < n; i++)
        y[i] += x[i] * w;
}
INLINE void copy_pixel(float *y, const float *x, int64_t n) {
    int64_t i = 0;
    for (; i + V <= n; i += V)
        store(y + i, load(x + i));
    for (; i < n; i++)
        y[i] = x[i];
}

/* Rows are mixed first, whole, into scratch; then its pixels. */
static void bilinear(const st_resize *call) {
    const int64_t n = call->channels, row = call->width * n;
    float *y = call->y;
    for (int64_t i = 0; i < call->n; i++) {
        const float *x = call->x + i * call->height * row;
        for (int64_t oy = 0; oy < call->height * call->factor[0]; oy++) {
            const st_tap v = call->tap[0][oy];
            mix(call->scratch, x + v.low * row, x + v.high * row, v.weight, row);
            for (int64_t ox = 0; ox < call->width * call->factor[1]; ox++, y += n) {
                const st_tap h = call->tap[1][ox];
                mix(y, call->scratch + h.low * n, call->scratch + h.high * n, h.weight, n);
            }
        }
    }
}

/* The adjoint: what a pixel gave goes back by the same weights. */
static void bilinear_gradient(const st_resize *call) {
    const int64_t n = call->channels, row = call->width * n;
    const float *dy = call->dy;
    memset(call->dx, 0, (size_t)(call->n * call->height * row) * sizeof(float));
    for (int64_t i = 0; i < call->n; i++) {
        float *dx = call->dx + i * call->height * row;
        for (int64_t oy = 0; oy < call->height * call->factor[0]; oy++) {
            memset(call->scratch, 0, (size_t)row * sizeof(float));
            for (int64_t ox = 0; ox < call->width * call->factor[1]; ox++, dy += n) {
                const st_tap h = call->tap[1][ox];
                add_scaled(call->scratch + h.low * n, dy, 1.0f - h.weight, n);
                add_scaled(call->scratch + h.high * n, dy, h.weight, n);
            }
            const st_tap v = call->tap[0][oy];
            add_scaled(dx + v.low * row, call->scratch, 1.0f - v.weight, row);
            add_scaled(dx + v.high * row, call->scratch, v.weight, row);
        }
    }
}

/* One row is spread, and copied factor[0] - 1 times. */
static void nearest(const st_resize *call) {
    const int64_t n = call->channels, wide = call->width * call->factor[1] * n;
    const float *x = call->x;
    float *y = call->y;
    for (int64_t r = 0; r < call->n * call->height; r++) {
        float *at = y;
        for (int64_t ix = 0; ix < call->width; ix++, x += n)
            for (int64_t j = 0; j < call->factor[1]; j++, at += n)
                copy_pixel(at, x, n);
        for (int64_t j = 1; j < call->factor[0]; j++)
            memcpy(y + j * wide, y, (size_t)wide * sizeof *y);
        y += call->factor[0] * wide;
    }
}

static void nearest_gradient(const st_resize *call) {
    const int64_t n = call->channels, wide = call->width * call->factor[1] * n;
    float *dx = call->dx;
    const float *dy = call->dy;
    for (int64_t r = 0; r < call->n * call->height; r++, dy += call->factor[0] * wide) {
        const float *sum = dy;
        if (call->factor[0] > 1) {
            memcpy(call->scratch, dy, (size_t)wide * sizeof *dy);
            for (int64_t j = 1; j < call->factor[0]; j++)
                add_scaled(call->scratch, dy + j * wide, 1.0f, wide);
            sum = call->scratch;
        }
        for (int64_t ix = 0; ix < call->width; ix++, dx += n, sum += call->factor[1] * n) {
            copy_pixel(dx, sum, n);
            for (int64_t j = 1; j < call->factor[1]; j++)
                add_scaled(dx, sum + j * n, 1.0f, n);
        }
    }
}

#endif
