/* Convolutions: small matrix products over rows of images. Part of vector_impl.h.

   In NHWC the values under one row of a window, [kernel width, channels], are neighbours, and the next window begins
   step * channels values on. So a row of an image is the left matrix of a product as it lies there, its rows
   overlapping; the kernel is the right one, in panels of filters. A window's sum is one such product for each row of
   the kernel. Images are copied with their borders of zeros, a block of rows at a time that stays in the middle cache.
 */
#ifndef ST_CPU_VECTOR_CONV_H
#define ST_CPU_VECTOR_CONV_H

#include "cpu/vector_dense.h"

/* Columns of the panel that begins at this one. */
INLINE int64_t panel_columns(int64_t columns, int64_t at) {
    return columns - at < PANEL ? columns - at : PANEL;
}

/* The source's rows from `first` on, with their borders, into the scratch: [n_rows][row]. */
static void copy_rows(const st_conv_pass *pass, const float *image, int64_t first, int64_t n_rows, float *to) {
    const int64_t width = pass->width * pass->channels, left = pass->border_left * pass->channels;
    const int64_t inside = width < pass->row - left ? width : pass->row - left, right = pass->row - left - inside;
    for (int64_t i = 0; i < n_rows; i++, to += pass->row) {
        const int64_t at = first + i;
        if (at < 0 || at >= pass->height) {
            memset(to, 0, (size_t)pass->row * sizeof *to);
            continue;
        }
        memset(to, 0, (size_t)left * sizeof *to);
        memcpy(to + left, image + at * width, (size_t)inside * sizeof *to);
        memset(to + left + inside, 0, (size_t)right * sizeof *to);
    }
}

/* `rows` neighbouring windows, the first at x, for a panel of `vectors` vectors. */
INLINE void window_tile(int rows, int vectors, const st_conv_pass *pass, const st_conv_phase *phase, const float *x,
                        const float *kernel, const float *bias, float *y, int64_t columns) {
    const int64_t step = pass->step[1] * pass->channels, y_step = pass->out_step[1] * pass->filters;
    const int64_t span = phase->taps[1] * pass->channels;
    vf c[NARROW_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) c[i][v] = bias ? load(bias + v * V) : (vf){0};
    }
    for (int64_t ky = 0; ky < phase->taps[0]; ky++, x += pass->row) {
        const float *third[4];
        UNROLL for (int i = 0; i < rows; i += 3) third[i / 3] = hide(x + i * step);
        for (int64_t k = 0; k < span; k++, kernel += vectors * V) {
            vf b[2];
            UNROLL for (int v = 0; v < vectors; v++) b[v] = load(kernel + v * V);
            UNROLL for (int i = 0; i < rows; i++) {
                const float a = third[i / 3][i % 3 * step];
                UNROLL for (int v = 0; v < vectors; v++) c[i][v] += a * b[v];
            }
            UNROLL for (int i = 0; i < rows; i += 3) third[i / 3]++;
        }
    }
    if (columns == vectors * V) {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < vectors; v++) store(y + i * y_step + v * V, c[i][v]);
        }
    } else {
        UNROLL for (int i = 0; i < rows; i++) memcpy(y + i * y_step, c[i], (size_t)columns * sizeof *y);
    }
}

/* A row of windows, for one panel. */
static void window_row(const st_conv_pass *pass, const st_conv_phase *phase, const float *x, const float *kernel,
                       const float *bias, float *y, int64_t columns) {
    const int64_t step = pass->step[1] * pass->channels, y_step = pass->out_step[1] * pass->filters;
    for (int64_t i = 0, rows; i < phase->count[1]; i += rows, x += rows * step, y += rows * y_step) {
        if (columns > V) {
            rows = even_block(phase->count[1] - i, ROWS);
            BY_ROWS(rows, window_tile, 2, pass, phase, x, kernel, bias, y, columns)
        } else {
            rows = even_block(phase->count[1] - i, NARROW_ROWS);
            BY_NARROW(rows, window_tile, 1, pass, phase, x, kernel, bias, y, columns)
        }
    }
}

/* The windows of a phase from row `begin` to row `end` of them. copied: the source's rows from `first` on. */
static void phase_rows(const st_conv_pass *pass, const st_conv_phase *phase, const float *copied, int64_t first,
                       int64_t begin, int64_t end, float *image) {
    const int64_t depth = phase->taps[0] * phase->taps[1] * pass->channels;
    for (int64_t p = 0; p < pass->filters; p += PANEL)
        for (int64_t j = begin; j < end && j < phase->count[0]; j++) {
            const float *x = copied;
            if (depth > 0)
                x += (phase->start[0] + j * pass->step[0] - first) * pass->row +
                     (phase->start[1] + pass->border_left) * pass->channels;
            const int64_t row = phase->out_first[0] + j * pass->out_step[0];
            float *y = image + (row * pass->out_width + phase->out_first[1]) * pass->filters + p;
            window_row(pass, phase, x, phase->kernel + p * depth, pass->bias ? pass->bias + p : NULL, y,
                       panel_columns(pass->filters, p));
        }
}

static void convolve(const st_conv_pass *pass) {
    const int64_t n_rows = (pass->out_height + pass->out_step[0] - 1) / pass->out_step[0];
    const int64_t out_row = pass->out_width * pass->filters;
    for (int64_t i = 0; i < pass->n; i++) {
        const float *source = pass->x + i * pass->height * pass->width * pass->channels;
        float *image = pass->y + i * pass->out_height * out_row;
        for (int64_t j = 0, rows; j < n_rows; j += rows) {
            rows = even_block(n_rows - j, pass->most_rows);
            int64_t first;
            const int64_t copied = st_conv_source_rows(pass, j, rows, &first);
            copy_rows(pass, source, first, copied, pass->scratch);
            for (int k = 0; k < pass->n_phases; k++)
                phase_rows(pass, &pass->phase[k], pass->scratch, first, j, j + rows, image);
            const int64_t begin = j * pass->out_step[0], end = (j + rows) * pass->out_step[0];
            const int64_t last = end < pass->out_height ? end : pass->out_height;
            activate(pass->activation, image + begin * out_row, (size_t)((last - begin) * out_row));
        }
    }
}

/* ---- the gradient by the kernel ---- */

/* What a tile of the gradient adds up over: n_rows rows of `width` windows. */
typedef struct st_windows {
    int64_t n_rows, width;
    int64_t x_step, x_row;   /* floats from window to window, and to the next row of windows */
    int64_t dy_step, dy_row; /* ... from pixel to pixel of the gradient */
} st_windows;

/* dk [rows][vectors V] (+)= the sum over windows of x[i] * dy, for neighbouring values i of the windows. */
INLINE void gradient_tile(int rows, int vectors, const st_windows *windows, const float *x, const float *dy, float *dk,
                          bool accumulate) {
    vf c[NARROW_ROWS][2];
    const int64_t x_step = windows->x_step, dy_step = windows->dy_step;
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) c[i][v] = accumulate ? load(dk + (i * vectors + v) * V) : (vf){0};
    }
    for (int64_t r = 0; r < windows->n_rows; r++, x += windows->x_row, dy += windows->dy_row)
        for (int64_t j = 0; j < windows->width; j++) {
            vf b[2];
            UNROLL for (int v = 0; v < vectors; v++) b[v] = load(dy + j * dy_step + v * V);
            UNROLL for (int i = 0; i < rows; i++) {
                const float a = x[j * x_step + i];
                UNROLL for (int v = 0; v < vectors; v++) c[i][v] += a * b[v];
            }
        }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) store(dk + (i * vectors + v) * V, c[i][v]);
    }
}

/* The same for values of the windows that lie apart, `offset` floats from x: one or two channels have too few
   neighbours to keep the processor busy. */
INLINE void scattered_tile(int rows, int vectors, const st_windows *windows, const float *x, const int64_t *offset,
                           const float *dy, float *dk, bool accumulate) {
    vf c[NARROW_ROWS][2];
    const float *at[NARROW_ROWS];
    const int64_t x_step = windows->x_step, dy_step = windows->dy_step;
    UNROLL for (int i = 0; i < rows; i++) {
        at[i] = x + offset[i];
        UNROLL for (int v = 0; v < vectors; v++) c[i][v] = accumulate ? load(dk + (i * vectors + v) * V) : (vf){0};
    }
    for (int64_t r = 0; r < windows->n_rows; r++, dy += windows->dy_row)
        for (int64_t j = 0; j < windows->width; j++) {
            vf b[2];
            UNROLL for (int v = 0; v < vectors; v++) b[v] = load(dy + j * dy_step + v * V);
            UNROLL for (int i = 0; i < rows; i++) {
                const float a = at[i][r * windows->x_row + j * x_step];
                UNROLL for (int v = 0; v < vectors; v++) c[i][v] += a * b[v];
            }
        }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) store(dk + (i * vectors + v) * V, c[i][v]);
    }
}

#define SCATTERED 6 /* windows whose rows have fewer values than this are taken apart */

/* The gradient's rows of one panel: those of each kernel row by themselves, or all in a line. */
static void gradient_panel(const st_conv_pass *pass, const st_windows *windows, const float *x, const float *dy,
                           float *dk, int64_t columns, bool accumulate) {
    const st_conv_phase *phase = &pass->phase[0];
    const int64_t span = phase->taps[1] * pass->channels, depth = phase->taps[0] * span;
    const int64_t width = columns > V ? PANEL : V;
    if (span < SCATTERED) {
        int64_t offset[NARROW_ROWS];
        for (int64_t k = 0, rows; k < depth; k += rows, dk += rows * width) {
            rows = even_block(depth - k, ROWS);
            for (int64_t i = 0; i < rows; i++)
                offset[i] = (k + i) / span * pass->row + (k + i) % span;
            if (columns > V)
                BY_ROWS(rows, scattered_tile, 2, windows, x, offset, dy, dk, accumulate)
            else
                BY_ROWS(rows, scattered_tile, 1, windows, x, offset, dy, dk, accumulate)
        }
        return;
    }
    for (int64_t ky = 0; ky < phase->taps[0]; ky++, x += pass->row)
        for (int64_t k = 0, rows; k < span; k += rows, dk += rows * width) {
            if (columns > V) {
                rows = even_block(span - k, ROWS);
                BY_ROWS(rows, gradient_tile, 2, windows, x + k, dy, dk, accumulate)
            } else {
                rows = even_block(span - k, NARROW_ROWS);
                BY_NARROW(rows, gradient_tile, 1, windows, x + k, dy, dk, accumulate)
            }
        }
}

#define NEAR_FLOATS 6144 /* of both sides, read again for each tile: three quarters of the first cache */

/* Adds what rows [j, j + rows) of the windows give; copied: the source's rows under them. */
static void gradient_block(const st_conv_gradient *call, const float *copied, const float *dresult, int64_t rows,
                           bool accumulate) {
    const st_conv_pass *pass = call->pass;
    const int64_t filters = st_conv_columns(pass->filters, PANEL), n_pixels = rows * pass->out_width;
    const int64_t depth = pass->phase[0].taps[0] * pass->phase[0].taps[1] * pass->channels;
    int64_t dy_step = pass->filters;
    if (pass->filters % V != 0) { /* whole vectors, zeros behind */
        float *whole = call->scratch + (int64_t)st_conv_scratch(pass);
        for (int64_t i = 0; i < n_pixels; i++) {
            memcpy(whole + i * filters, dresult + i * pass->filters, (size_t)pass->filters * sizeof *whole);
            memset(whole + i * filters + pass->filters, 0, (size_t)(filters - pass->filters) * sizeof *whole);
        }
        dresult = whole;
        dy_step = filters;
    }
    const int64_t per_row = pass->out_width * (pass->step[1] * pass->channels + PANEL);
    const int64_t most = NEAR_FLOATS / per_row > 1 ? NEAR_FLOATS / per_row : 1;
    const float *x = copied + (pass->phase[0].start[1] + pass->border_left) * pass->channels;
    for (int64_t j = 0, n; j < rows; j += n) {
        n = even_block(rows - j, most);
        const st_windows windows = {.n_rows = n,
                                    .width = pass->out_width,
                                    .x_step = pass->step[1] * pass->channels,
                                    .x_row = pass->step[0] * pass->row,
                                    .dy_step = dy_step,
                                    .dy_row = pass->out_width * dy_step};
        for (int64_t p = 0; p < filters; p += PANEL)
            gradient_panel(pass, &windows, x + j * windows.x_row, dresult + j * windows.dy_row + p,
                           call->dkernel + p * depth, panel_columns(filters, p), accumulate || j > 0);
    }
}

static void convolve_gradient(const st_conv_gradient *call, bool accumulate) {
    const st_conv_pass *pass = call->pass;
    for (int64_t i = 0; i < pass->n; i++) {
        const float *source = call->source + i * pass->height * pass->width * pass->channels;
        const float *dresult = call->dresult + i * pass->out_height * pass->out_width * pass->filters;
        for (int64_t j = 0, rows; j < pass->out_height; j += rows) {
            rows = even_block(pass->out_height - j, pass->most_rows);
            int64_t first;
            const int64_t copied = st_conv_source_rows(pass, j, rows, &first);
            copy_rows(pass, source, first, copied, call->scratch);
            gradient_block(call, call->scratch, dresult + j * pass->out_width * pass->filters, rows,
                           accumulate || i > 0 || j > 0);
        }
    }
}

#endif
