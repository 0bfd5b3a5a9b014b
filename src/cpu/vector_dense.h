/* Dense layers: small matrix products with packed weights. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_DENSE_H
#define ST_CPU_VECTOR_DENSE_H

#include "cpu/vector_pointwise.h"

/* tile [rows][PANEL] += x [rows][k] * panel [k][PANEL] */
INLINE void multiply(int rows, int64_t k, const float *x, int64_t ldx, const float *panel, float *tile) {
    vf c[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        c[i][0] = load(tile + i * PANEL);
        c[i][1] = load(tile + i * PANEL + V);
    }
    for (int64_t j = 0; j < k; j++) {
        const vf b0 = load(panel + j * PANEL), b1 = load(panel + j * PANEL + V);
        UNROLL for (int i = 0; i < rows; i++) {
            const float a = x[i * ldx + j];
            c[i][0] += a * b0;
            c[i][1] += a * b1;
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        store(tile + i * PANEL, c[i][0]);
        store(tile + i * PANEL + V, c[i][1]);
    }
}

/* dw [rows][PANEL] (+)= the sum over m of x[m][0..rows) * dy [m][PANEL] */
INLINE void multiply_outer(int rows, int64_t m, const float *x, int64_t ldx, const float *dy, float *dw,
                           bool accumulate) {
    vf c[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        c[i][0] = accumulate ? load(dw + i * PANEL) : (vf){0};
        c[i][1] = accumulate ? load(dw + i * PANEL + V) : (vf){0};
    }
    for (int64_t j = 0; j < m; j++) {
        const vf b0 = load(dy + j * PANEL), b1 = load(dy + j * PANEL + V);
        UNROLL for (int i = 0; i < rows; i++) {
            const float a = x[j * ldx + i];
            c[i][0] += a * b0;
            c[i][1] += a * b1;
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        store(dw + i * PANEL, c[i][0]);
        store(dw + i * PANEL + V, c[i][1]);
    }
}

/* Gradients that stay in the first cache: rows, and bytes. */
#define GROUP_ROWS 36
#define GROUP_BYTES 24576

/* dx [rows][columns] (+)= dy [rows][n_panels] . kernel[columns][n_panels] */
INLINE void multiply_dot(int rows, int columns, const st_dense *call, int64_t n_panels, const float *dy,
                         const float *kernel, float *dx, bool accumulate) {
    vf c[DOT_ROWS][DOT_COLUMNS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < DOT_COLUMNS; j++) c[i][j] = (vf){0};
    for (int64_t p = 0; p < n_panels; p++) {
        UNROLL for (int half = 0; half < 2; half++) {
            vf a[DOT_ROWS]; /* rows are fewer than columns: these, one column and all sums fill the registers */
            UNROLL for (int i = 0; i < rows; i++) a[i] = load(dy + i * PANEL + half * V);
            UNROLL for (int j = 0; j < columns; j++) {
                const vf b = load(kernel + j * PANEL + half * V);
                UNROLL for (int i = 0; i < rows; i++) c[i][j] += a[i] * b;
            }
        }
        dy += (call->n_rows + 1) * PANEL;
        kernel += (call->in + 1) * PANEL;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        v4 s = sum_four(c[i][0], c[i][1], c[i][2], c[i][3]);
        v4 before = {0};
        if (accumulate) memcpy(&before, dx + i * call->in, (size_t)columns * sizeof *dx);
        s += before;
        memcpy(dx + i * call->in, &s, (size_t)columns * sizeof *dx);
    }
}

/* Calls f(constant rows, ...) for 1 <= rows <= 3, 6, 12, ROWS, NARROW_ROWS. */
#define CASE(n, f, ...)                                                                                                \
    case n:                                                                                                            \
        f(n, __VA_ARGS__);                                                                                             \
        break;
#define CASES_TO_3(f, ...)                                                                                             \
    CASE(1, f, __VA_ARGS__)                                                                                            \
    CASE(2, f, __VA_ARGS__)                                                                                            \
    CASE(3, f, __VA_ARGS__)
#define CASES_TO_6(f, ...)                                                                                             \
    CASES_TO_3(f, __VA_ARGS__)                                                                                         \
    CASE(4, f, __VA_ARGS__)                                                                                            \
    CASE(5, f, __VA_ARGS__)                                                                                            \
    CASE(6, f, __VA_ARGS__)
#define BY_3(rows, f, ...)                                                                                             \
    switch (rows) { CASES_TO_3(f, __VA_ARGS__) }
#define BY_6(rows, f, ...)                                                                                             \
    switch (rows) { CASES_TO_6(f, __VA_ARGS__) }
#define BY_12(rows, f, ...)                                                                                            \
    switch (rows) {                                                                                                    \
        CASES_TO_6(f, __VA_ARGS__)                                                                                     \
        CASE(7, f, __VA_ARGS__)                                                                                        \
        CASE(8, f, __VA_ARGS__)                                                                                        \
        CASE(9, f, __VA_ARGS__)                                                                                        \
        CASE(10, f, __VA_ARGS__)                                                                                       \
        CASE(11, f, __VA_ARGS__)                                                                                       \
        CASE(12, f, __VA_ARGS__)                                                                                       \
    }
#if ROWS == 12
#define BY_ROWS BY_12
#elif ROWS == 6
#define BY_ROWS BY_6
#else
#define BY_ROWS BY_3
#endif
#if NARROW_ROWS == 12
#define BY_NARROW BY_12
#else
#define BY_NARROW BY_3
#endif

/* Splits n into the fewest blocks of at most `most`, as even as can be: the size of the next one. */
INLINE int64_t even_block(int64_t n, int64_t most) {
    const int64_t blocks = (n + most - 1) / most;
    return (n + blocks - 1) / blocks;
}

/* Work that is a line of units, each block of it (a panel) `size` of them: what of block b belongs to this part. Nearly
   equal pieces, whole blocks but for the first and the last. */
typedef struct st_stretch {
    int64_t begin, end;
} st_stretch;

INLINE st_stretch stretch_of(const st_dense *call, int64_t n_blocks, int64_t size, int64_t b) {
    const int64_t n = n_blocks * size;
    const int64_t begin = n * call->part / call->parts - b * size, end = n * (call->part + 1) / call->parts - b * size;
    return (st_stretch){begin < 0 ? 0 : begin, end > size ? size : end};
}

static void dense_forward(const st_dense *call) {
    float *tile = call->tile;
    for (int64_t p = 0; p < call->n_panels; p++) {
        const st_stretch rows_of_part = stretch_of(call, call->n_panels, call->n_rows, p);
        const int64_t m = rows_of_part.end - rows_of_part.begin;
        if (m <= 0) continue;
        const float *x = call->x + rows_of_part.begin * call->in;
        const float *panel = call->kernel + p * (call->in + 1) * PANEL;
        const vf b0 = call->bias ? load(call->bias + p * PANEL) : (vf){0};
        const vf b1 = call->bias ? load(call->bias + p * PANEL + V) : (vf){0};
        for (int64_t i = 0; i < m; i++) {
            store(tile + i * PANEL, b0);
            store(tile + i * PANEL + V, b1);
        }
        for (int64_t k = 0; k < call->in; k += K_BLOCK) {
            const int64_t n_k = call->in - k < K_BLOCK ? call->in - k : K_BLOCK;
            for (int64_t i = 0, rows; i < m; i += rows) {
                rows = even_block(m - i, ROWS);
                BY_ROWS(rows, multiply, n_k, x + i * call->in + k, call->in, panel + k * PANEL, tile + i * PANEL)
            }
        }
        if (call->activation.kind != ST_SOFTMAX) activate(call->activation, tile, (size_t)(m * PANEL));
        const int64_t columns = call->out - p * PANEL < PANEL ? call->out - p * PANEL : PANEL;
        float *y = call->y + rows_of_part.begin * call->out + p * PANEL;
        if (columns == PANEL) {
            for (int64_t i = 0; i < m; i++) {
                store(y + i * call->out, load(tile + i * PANEL));
                store(y + i * call->out + V, load(tile + i * PANEL + V));
            }
        } else {
            for (int64_t i = 0; i < m; i++)
                memcpy(y + i * call->out, tile + i * PANEL, (size_t)columns * sizeof *y);
        }
    }
    if (call->activation.kind == ST_SOFTMAX) /* which no part can do */
        softmax(call->y, (size_t)call->n_rows, (size_t)call->out);
}

/* dy times the activation's derivative, cut into panels [panel][row][PANEL], zeros past `out`. A panel ends with an
   unused row, as the kernel's do. */
static void dense_pack_gradient(const st_dense *call) {
    const int64_t m = call->n_rows;
    if (call->activation.kind == ST_SOFTMAX && !call->dy_is_preactivation)
        softmax_gradient((float *)(uintptr_t)call->dy, call->dy, call->y, (size_t)m, (size_t)call->out);
    const st_activation none = {.kind = ST_LINEAR};
    const st_activation activation = call->dy_is_preactivation ? none : call->activation;
    for (int64_t p = 0; p < call->n_panels; p++) {
        const st_stretch rows = stretch_of(call, call->n_panels, m, p);
        float *packed = call->packed_dy + (p * (m + 1) + rows.begin) * PANEL;
        const int64_t columns = call->out - p * PANEL < PANEL ? call->out - p * PANEL : PANEL;
        for (int64_t i = rows.begin; i < rows.end; i++, packed += PANEL) {
            const int64_t at = i * call->out + p * PANEL;
            activate_gradient(activation, packed, call->dy + at, call->y + at, (size_t)columns);
            if (columns < PANEL) memset(packed + columns, 0, (size_t)(PANEL - columns) * sizeof *packed);
        }
    }
}

static void dense_gradient_of_kernel(const st_dense *call, bool accumulate) {
    const int64_t m = call->n_rows;
    for (int64_t p = 0; p < call->n_panels; p++) {
        const st_stretch part = stretch_of(call, call->n_panels, call->in, p);
        const float *dy = call->packed_dy + p * (m + 1) * PANEL;
        float *dw = call->dkernel + p * (call->in + 1) * PANEL;
        for (int64_t k = part.begin, rows; k < part.end; k += rows) {
            rows = even_block(part.end - k, ROWS);
            BY_ROWS(rows, multiply_outer, m, call->x + k, call->in, dy, dw + k * PANEL, accumulate)
        }
        if (!call->dbias || part.begin > 0 || part.end <= 0) continue;
        vf b0 = accumulate ? load(call->dbias + p * PANEL) : (vf){0};
        vf b1 = accumulate ? load(call->dbias + p * PANEL + V) : (vf){0};
        for (int64_t i = 0; i < m; i++) {
            b0 += load(dy + i * PANEL);
            b1 += load(dy + i * PANEL + V);
        }
        store(call->dbias + p * PANEL, b0);
        store(call->dbias + p * PANEL + V, b1);
    }
}

/* Rows [row, end) of dx, columns [k, k + DOT_COLUMNS), of n_panels panels from p on: added to what those before gave.
 */
static void dot_rows(const st_dense *call, int64_t row, int64_t end, int64_t k, int64_t p, int64_t n_panels) {
    const int64_t m = call->n_rows, columns = call->in - k < DOT_COLUMNS ? call->in - k : DOT_COLUMNS;
    const float *kernel = call->kernel + (p * (call->in + 1) + k) * PANEL;
    for (int64_t rows; row < end; row += rows) {
        rows = even_block(end - row, DOT_ROWS);
        const float *dy = call->packed_dy + (p * (m + 1) + row) * PANEL;
        float *dx = call->dx + row * call->in + k;
        if (columns == DOT_COLUMNS) switch (rows) {
            case 1: multiply_dot(1, DOT_COLUMNS, call, n_panels, dy, kernel, dx, p > 0); break;
            case 2: multiply_dot(2, DOT_COLUMNS, call, n_panels, dy, kernel, dx, p > 0); break;
#if DOT_ROWS == 4
            case 4: multiply_dot(4, DOT_COLUMNS, call, n_panels, dy, kernel, dx, p > 0); break;
#endif
            default: multiply_dot(3, DOT_COLUMNS, call, n_panels, dy, kernel, dx, p > 0); break;
            }
        else
            for (int64_t r = 0; r < rows; r++)
                for (int64_t c = 0; c < columns; c++)
                    multiply_dot(1, 1, call, n_panels, dy + r * PANEL, kernel + c * PANEL, dx + r * call->in + c,
                                 p > 0);
    }
}

/* By groups of rows and of panels, whose gradients stay in the first cache while the kernel streams by. */
static void dense_gradient_of_input(const st_dense *call) {
    const st_stretch part = stretch_of(call, 1, (call->in + DOT_COLUMNS - 1) / DOT_COLUMNS, 0);
    for (int64_t row = 0, rows; row < call->n_rows; row += rows) {
        rows = even_block(call->n_rows - row, GROUP_ROWS);
        for (int64_t p = 0, panels; p < call->n_panels; p += panels) {
            panels = even_block(call->n_panels - p, GROUP_BYTES / (GROUP_ROWS * PANEL * (int64_t)sizeof(float)));
            for (int64_t k = part.begin; k < part.end; k++)
                dot_rows(call, row, row + rows, k * DOT_COLUMNS, p, panels);
        }
    }
}

static void dense_backward(const st_dense *call, bool accumulate) {
    dense_gradient_of_kernel(call, accumulate);
    if (call->dx) dense_gradient_of_input(call);
}

#endif
