/* The vector kernels; see vector.h. Included once by each file that defines V (floats in a vector), ST_VECTOR (the
   table's name) and ST_VECTOR_NAME. Everything here is static, so that no code compiled for a newer processor can be
   reached on an older one except through the table. */
#include <math.h>
#include <string.h>

#include "cpu/vector.h"

typedef float vf __attribute__((vector_size(4 * V), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * V), aligned(4), may_alias));

#define PANEL (2 * V)
#if V == 16 /* 32 registers */
#define ROWS 12
#define DOT_ROWS 4
#else /* 16 registers */
#define ROWS 6
#define DOT_ROWS 3
#endif
#define DOT_COLUMNS 4
#define K_BLOCK 256 /* rows of a panel that stay in the first cache while the rows of x go by */

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p) {
    return *(const vf *)p;
}
INLINE void store(float *p, vf v) {
    *(vf *)p = v;
}
INLINE vf splat(float x) {
    return x - (vf){0};
}
INLINE vf load_part(const float *p, size_t n) {
    vf v = {0};
    memcpy(&v, p, n * sizeof *p);
    return v;
}
INLINE vf select_v(vi mask, vf a, vf b) {
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}
/* The second argument where either is not a number: put what must show a NaN there. */
INLINE vf min_v(vf a, vf b) {
    return select_v(a < b, a, b);
}
INLINE vf max_v(vf a, vf b) {
    return select_v(a > b, a, b);
}
INLINE vf abs_v(vf a) {
    return (vf)((vi)a & 0x7fffffff);
}

/* The sum of a vector's lanes, in lane order. */
INLINE float sum_v(vf v) {
    float lanes[V], sum = 0;
    memcpy(lanes, &v, sizeof v);
    for (int i = 0; i < V; i++)
        sum += lanes[i];
    return sum;
}

/* ---- functions: polynomials as in Moshier's Cephes, single precision ---- */

INLINE vf exp_v(vf x) {
    x = min_v(splat(88.02969f), max_v(splat(-87.33654f), x));
    /* x = n ln 2 + r, |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to the nearest whole number. */
    const vf magic = splat(12582912.0f);
    const vf n = (x * splat(1.44269504088896341f) + magic) - magic;
    vf r = x - n * splat(0.693359375f);
    r = r - n * splat(-2.12194440e-4f);
    vf p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * r * r + r + splat(1.0f);
    const vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
    return p * (vf)exponent;
}

/* log x for x > 0. */
INLINE vf log_v(vf x) {
    const vi bits = (vi)x;
    vi e = (bits >> 23) - 126;
    vf m = (vf)((bits & 0x007fffff) | 0x3f000000); /* in [0.5, 1) */
    const vi small = m < splat(0.707106781186547524f);
    e += small; /* a true lane is -1 */
    m = select_v(small, m + m, m) - splat(1.0f);
    const vf fe = __builtin_convertvector(e, vf), z = m * m;
    vf p = splat(7.0376836292e-2f);
    p = p * m - splat(1.1514610310e-1f);
    p = p * m + splat(1.1676998740e-1f);
    p = p * m - splat(1.2420140846e-1f);
    p = p * m + splat(1.4249322787e-1f);
    p = p * m - splat(1.6668057665e-1f);
    p = p * m + splat(2.0000714765e-1f);
    p = p * m - splat(2.4999993993e-1f);
    p = p * m + splat(3.3333331174e-1f);
    vf y = m * z * p;
    y += fe * splat(-2.12194440e-4f);
    y -= z * splat(0.5f);
    return select_v(x == x, m + y + fe * splat(0.693359375f), x); /* a NaN stays one */
}

INLINE vf tanh_v(vf x) {
    const vf a = abs_v(x), z = x * x;
    vf p = splat(-5.70498872745e-3f);
    p = p * z + splat(2.06390887954e-2f);
    p = p * z - splat(5.37397155531e-2f);
    p = p * z + splat(1.33314422036e-1f);
    p = p * z - splat(3.33332819422e-1f);
    const vf near = p * z * x + x;
    const vf far = splat(1.0f) - splat(2.0f) / (exp_v(a + a) + splat(1.0f));
    const vf sign = (vf)((vi)x & (vi)(splat(-0.0f)));
    return select_v(a < splat(0.625f), near, (vf)((vi)far | (vi)sign));
}

INLINE vf activate_v(st_activation_kind kind, float slope, vf x) {
    const vf zero = {0};
    switch (kind) {
    case ST_RELU: return max_v(zero, x);
    case ST_LEAKY_RELU: return select_v(x > zero, x, x * slope);
    case ST_SIGMOID: return splat(1.0f) / (splat(1.0f) + exp_v(-x));
    case ST_TANH: return tanh_v(x);
    case ST_ELU: return select_v(x > zero, x, (exp_v(x) - 1.0f) * slope);
    default: return x;
    }
}

/* act'(x) from y = act(x). */
INLINE vf derivative_v(st_activation_kind kind, float slope, vf y) {
    const vf zero = {0}, one = splat(1.0f);
    switch (kind) {
    case ST_RELU: return select_v(y > zero, one, zero);
    case ST_LEAKY_RELU: return select_v(y > zero, one, splat(slope));
    case ST_SIGMOID: return y * (one - y);
    case ST_TANH: return one - y * y;
    case ST_ELU: return select_v(y > zero, one, y + slope);
    default: return one;
    }
}

INLINE void activate_kind(st_activation_kind kind, float slope, float *y, size_t n) {
    size_t i = 0;
    for (; i + V <= n; i += V)
        store(y + i, activate_v(kind, slope, load(y + i)));
    if (i < n) {
        const vf v = activate_v(kind, slope, load_part(y + i, n - i));
        memcpy(y + i, &v, (n - i) * sizeof *y);
    }
}

INLINE void gradient_kind(st_activation_kind kind, float slope, float *out, const float *dy, const float *y, size_t n) {
    size_t i = 0;
    for (; i + V <= n; i += V)
        store(out + i, load(dy + i) * derivative_v(kind, slope, load(y + i)));
    if (i < n) {
        const vf v = load_part(dy + i, n - i) * derivative_v(kind, slope, load_part(y + i, n - i));
        memcpy(out + i, &v, (n - i) * sizeof *out);
    }
}

/* Calls an inline function with the activation as a constant, so that each gets a loop of its own. */
#define BY_ACTIVATION(activation, call)                                                                                \
    switch ((activation).kind) {                                                                                       \
    case ST_RELU: call(ST_RELU); break;                                                                                \
    case ST_LEAKY_RELU: call(ST_LEAKY_RELU); break;                                                                    \
    case ST_SIGMOID: call(ST_SIGMOID); break;                                                                          \
    case ST_TANH: call(ST_TANH); break;                                                                                \
    case ST_ELU: call(ST_ELU); break;                                                                                  \
    default: call(ST_LINEAR); break;                                                                                   \
    }

static void activate(st_activation activation, float *y, size_t n) {
    if (activation.kind == ST_LINEAR) return;
#define CALL(kind) activate_kind(kind, activation.slope, y, n)
    BY_ACTIVATION(activation, CALL)
#undef CALL
}

static void activate_gradient(st_activation activation, float *out, const float *dy, const float *y, size_t n) {
    if (activation.kind == ST_LINEAR) {
        if (out != dy) memcpy(out, dy, n * sizeof *out);
        return;
    }
#define CALL(kind) gradient_kind(kind, activation.slope, out, dy, y, n)
    BY_ACTIVATION(activation, CALL)
#undef CALL
}

static void add_bias(float *restrict y, const float *restrict bias, size_t n_rows, size_t n) {
    for (size_t i = 0; i < n_rows; i++, y += n)
        for (size_t j = 0; j < n; j++)
            y[j] += bias[j];
}

static void sum_rows(float *restrict sum, const float *restrict dy, size_t n_rows, size_t n) {
    memset(sum, 0, n * sizeof *sum);
    for (size_t i = 0; i < n_rows; i++, dy += n)
        for (size_t j = 0; j < n; j++)
            sum[j] += dy[j];
}

static void softmax(float *y, size_t n_rows, size_t n) {
    for (size_t r = 0; r < n_rows; r++, y += n) {
        float most = y[0], sum = 0;
        for (size_t i = 1; i < n; i++)
            most = y[i] > most ? y[i] : most;
        for (size_t i = 0; i < n; i += V) {
            const size_t m = n - i < V ? n - i : V;
            const vf e = exp_v(load_part(y + i, m) - most);
            memcpy(y + i, &e, m * sizeof *y);
        }
        for (size_t i = 0; i < n; i++)
            sum += y[i];
        for (size_t i = 0; i < n; i++)
            y[i] /= sum;
    }
}

static void softmax_gradient(float *out, const float *dy, const float *y, size_t n_rows, size_t n) {
    for (size_t r = 0; r < n_rows; r++, out += n, dy += n, y += n) {
        float dot = 0;
        for (size_t i = 0; i < n; i++)
            dot += dy[i] * y[i];
        for (size_t i = 0; i < n; i++)
            out[i] = y[i] * (dy[i] - dot);
    }
}

/* ---- dense ---- */

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

#if V == 16
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif V == 8
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#endif
/* Sums of neighbouring lanes: of a in the lower half, of b in the upper. */
INLINE vf pair_sums(vf a, vf b) {
    return __builtin_shufflevector(a, b, EVEN) + __builtin_shufflevector(a, b, ODD);
}

/* dx [rows][columns] = dy [rows][all panels] . kernel[columns][all panels] */
INLINE void multiply_dot(int rows, int columns, const st_dense *call, const float *dy, const float *kernel, float *dx) {
    vf c[DOT_ROWS][DOT_COLUMNS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < DOT_COLUMNS; j++) c[i][j] = (vf){0};
    for (int64_t p = 0; p < call->n_panels; p++) {
        UNROLL for (int half = 0; half < 2; half++) {
            vf b[DOT_COLUMNS];
            UNROLL for (int j = 0; j < columns; j++) b[j] = load(kernel + j * PANEL + half * V);
            UNROLL for (int i = 0; i < rows; i++) {
                const vf a = load(dy + i * PANEL + half * V);
                UNROLL for (int j = 0; j < columns; j++) c[i][j] += a * b[j];
            }
        }
        dy += call->n_rows * PANEL;
        kernel += (call->in + 1) * PANEL;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        vf s = pair_sums(pair_sums(c[i][0], c[i][1]), pair_sums(c[i][2], c[i][3]));
        for (int lanes = V; lanes > 4; lanes /= 2)
            s = pair_sums(s, s);
        memcpy(dx + i * call->in, &s, (size_t)columns * sizeof *dx);
    }
}

/* Calls f(constant, ...) for 1 <= rows <= 12. */
#define CASE(n, f, ...)                                                                                                \
    case n:                                                                                                            \
        f(n, __VA_ARGS__);                                                                                             \
        break;
#if ROWS == 12
#define BY_ROWS(rows, f, ...)                                                                                          \
    switch (rows) {                                                                                                    \
        CASE(1, f, __VA_ARGS__)                                                                                        \
        CASE(2, f, __VA_ARGS__)                                                                                        \
        CASE(3, f, __VA_ARGS__)                                                                                        \
        CASE(4, f, __VA_ARGS__)                                                                                        \
        CASE(5, f, __VA_ARGS__)                                                                                        \
        CASE(6, f, __VA_ARGS__)                                                                                        \
        CASE(7, f, __VA_ARGS__)                                                                                        \
        CASE(8, f, __VA_ARGS__)                                                                                        \
        CASE(9, f, __VA_ARGS__)                                                                                        \
        CASE(10, f, __VA_ARGS__)                                                                                       \
        CASE(11, f, __VA_ARGS__)                                                                                       \
        CASE(12, f, __VA_ARGS__)                                                                                       \
    }
#else
#define BY_ROWS(rows, f, ...)                                                                                          \
    switch (rows) {                                                                                                    \
        CASE(1, f, __VA_ARGS__)                                                                                        \
        CASE(2, f, __VA_ARGS__)                                                                                        \
        CASE(3, f, __VA_ARGS__)                                                                                        \
        CASE(4, f, __VA_ARGS__)                                                                                        \
        CASE(5, f, __VA_ARGS__)                                                                                        \
        CASE(6, f, __VA_ARGS__)                                                                                        \
    }
#endif

/* Splits n into the fewest blocks of at most `most`, as even as can be: the size of the next one. */
INLINE int64_t even_block(int64_t n, int64_t most) {
    const int64_t blocks = (n + most - 1) / most;
    return (n + blocks - 1) / blocks;
}

static void dense_forward(const st_dense *call) {
    const int64_t m = call->n_rows;
    float *tile = call->scratch; /* [m][PANEL] */
    for (int64_t p = 0; p < call->n_panels; p++) {
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
                BY_ROWS(rows, multiply, n_k, call->x + i * call->in + k, call->in, panel + k * PANEL, tile + i * PANEL)
            }
        }
        if (call->activation.kind != ST_SOFTMAX) activate(call->activation, tile, (size_t)(m * PANEL));
        const int64_t columns = call->out - p * PANEL < PANEL ? call->out - p * PANEL : PANEL;
        float *y = call->y + p * PANEL;
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
    if (call->activation.kind == ST_SOFTMAX) softmax(call->y, (size_t)m, (size_t)call->out);
}

/* dy times the activation's derivative, cut into panels [panel][row][PANEL], zeros past `out`. */
static void pack_gradient(const st_dense *call, float *packed) {
    const int64_t m = call->n_rows;
    const st_activation none = {.kind = ST_LINEAR};
    const st_activation activation = call->dy_is_preactivation ? none : call->activation;
    for (int64_t p = 0; p < call->n_panels; p++) {
        const int64_t columns = call->out - p * PANEL < PANEL ? call->out - p * PANEL : PANEL;
        for (int64_t i = 0; i < m; i++, packed += PANEL) {
            const int64_t at = i * call->out + p * PANEL;
            activate_gradient(activation, packed, call->dy + at, call->y + at, (size_t)columns);
            if (columns < PANEL) memset(packed + columns, 0, (size_t)(PANEL - columns) * sizeof *packed);
        }
    }
}

static void dense_gradient_of_kernel(const st_dense *call, bool accumulate) {
    const int64_t m = call->n_rows;
    for (int64_t p = 0; p < call->n_panels; p++) {
        const float *dy = call->scratch + p * m * PANEL;
        float *dw = call->dkernel + p * (call->in + 1) * PANEL;
        for (int64_t k = 0, rows; k < call->in; k += rows) {
            rows = even_block(call->in - k, ROWS);
            BY_ROWS(rows, multiply_outer, m, call->x + k, call->in, dy, dw + k * PANEL, accumulate)
        }
        if (!call->dbias) continue;
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

static void dense_gradient_of_input(const st_dense *call) {
    const int64_t m = call->n_rows;
    for (int64_t k = 0; k < call->in; k += DOT_COLUMNS) {
        const int64_t columns = call->in - k < DOT_COLUMNS ? call->in - k : DOT_COLUMNS;
        for (int64_t i = 0, rows; i < m; i += rows) {
            rows = even_block(m - i, DOT_ROWS);
            const float *dy = call->scratch + i * PANEL, *kernel = call->kernel + k * PANEL;
            float *dx = call->dx + i * call->in + k;
            if (columns == DOT_COLUMNS) switch (rows) {
                case 1: multiply_dot(1, DOT_COLUMNS, call, dy, kernel, dx); break;
                case 2: multiply_dot(2, DOT_COLUMNS, call, dy, kernel, dx); break;
#if DOT_ROWS == 4
                case 4: multiply_dot(4, DOT_COLUMNS, call, dy, kernel, dx); break;
#endif
                default: multiply_dot(3, DOT_COLUMNS, call, dy, kernel, dx); break;
                }
            else
                for (int64_t r = 0; r < rows; r++)
                    for (int64_t c = 0; c < columns; c++)
                        multiply_dot(1, 1, call, dy + r * PANEL, kernel + c * PANEL, dx + r * call->in + c);
        }
    }
}

static void dense_backward(const st_dense *call, bool accumulate) {
    if (call->activation.kind == ST_SOFTMAX && !call->dy_is_preactivation)
        softmax_gradient((float *)(uintptr_t)call->dy, call->dy, call->y, (size_t)call->n_rows, (size_t)call->out);
    pack_gradient(call, call->scratch);
    dense_gradient_of_kernel(call, accumulate);
    if (call->dx) dense_gradient_of_input(call);
}

/* ---- losses ---- */

/* The loss and, in *g, its gradient by the output before the fused activation; y and t alike masked by the caller. */
INLINE vf loss_v(st_loss_kind kind, st_activation fused, vf y, vf t, vf *g) {
    const vf zero = {0}, one = splat(1.0f), d = y - t;
    switch (kind) {
    case ST_LOSS_MSE: *g = (d + d) * derivative_v(fused.kind, fused.slope, y); return d * d;
    case ST_LOSS_MAE:
        *g = (select_v(d > zero, one, zero) - select_v(d < zero, one, zero)) * derivative_v(fused.kind, fused.slope, y);
        return abs_v(d);
    default: {
        const vf low = splat(ST_BCE_CLIP), high = splat(1.0f - ST_BCE_CLIP), p = min_v(high, max_v(low, y));
        /* Behind a sigmoid the derivatives cancel to y - t, which stays right where the clip would cut it off. */
        if (fused.kind == ST_SIGMOID)
            *g = d;
        else
            *g = select_v((y >= low) & (y <= high), (p - t) / (p * (one - p)), zero) *
                 derivative_v(fused.kind, fused.slope, y);
        return -(t * log_v(p) + (one - t) * log_v(one - p));
    }
    }
}

INLINE double loss_kind(st_loss_kind kind, st_activation_kind fused_kind, const st_loss_call *call) {
    const st_activation fused = {.kind = fused_kind, .slope = call->fused.slope};
    double total = 0;
    for (size_t i = 0; i < call->n;) {
        /* Partial sums of 1024 values in float lanes, their total in double. */
        const size_t end = call->n - i < 1024 ? call->n : i + 1024;
        vf sum = {0}, g;
        for (; i + V <= end; i += V) {
            sum += loss_v(kind, fused, load(call->y + i), load(call->target + i), &g);
            if (call->dy) store(call->dy + i, g * call->scale);
        }
        if (i < end) {
            const size_t n = end - i;
            vf loss = loss_v(kind, fused, load_part(call->y + i, n), load_part(call->target + i, n), &g);
            g *= call->scale;
            if (call->dy) memcpy(call->dy + i, &g, n * sizeof(float));
            sum += load_part((const float *)&loss, n);
            i = end;
        }
        total += (double)sum_v(sum);
    }
    return total;
}

static double loss(const st_loss_call *call) {
    double total = 0;
    switch (call->kind) {
#define CALL(activation) total = loss_kind(ST_LOSS_MSE, activation, call)
    case ST_LOSS_MSE: BY_ACTIVATION(call->fused, CALL) break;
#undef CALL
#define CALL(activation) total = loss_kind(ST_LOSS_MAE, activation, call)
    case ST_LOSS_MAE: BY_ACTIVATION(call->fused, CALL) break;
#undef CALL
#define CALL(activation) total = loss_kind(ST_LOSS_BINARY_CROSSENTROPY, activation, call)
    case ST_LOSS_BINARY_CROSSENTROPY: BY_ACTIVATION(call->fused, CALL) break;
#undef CALL
    }
    return total;
}

/* ---- the optimiser's pass ---- */

/* Adam (Kingma and Ba 2015, the order of their section 2's end): value -= a m / (sqrt v + epsilon). */
static void adam(const st_update *u, size_t begin, size_t n, const float *restrict g) {
    float *restrict value = u->value + begin, *restrict m = u->m + begin, *restrict v = u->v + begin;
    const float b1 = u->beta_1, b2 = u->beta_2, a = u->learning_rate, epsilon = u->epsilon;
    for (size_t i = 0; i < n; i++) {
        const float mi = m[i] + (g[i] - m[i]) * (1.0f - b1), vi2 = v[i] + (g[i] * g[i] - v[i]) * (1.0f - b2);
        m[i] = mi;
        v[i] = vi2;
        value[i] -= a * mi / (sqrtf(vi2) + epsilon);
    }
}

/* SGD with momentum as Keras: m = momentum m - rate g; value += m, or with Nesterov's look ahead
   value += momentum m - rate g. */
static void sgd(const st_update *u, size_t begin, size_t n, const float *restrict g) {
    float *restrict value = u->value + begin, *restrict m = u->m + begin;
    const float rate = u->learning_rate, momentum = u->momentum;
    if (momentum == 0.0f) {
        for (size_t i = 0; i < n; i++)
            value[i] -= rate * g[i];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] - rate * g[i];
        value[i] += u->nesterov ? momentum * m[i] - rate * g[i] : m[i];
    }
}

static void update(const st_update *u, size_t begin, size_t end) {
    float sum[512];
    for (size_t i = begin; i < end; i += 512) {
        const size_t n = end - i < 512 ? end - i : 512;
        const float *g = u->gradient[0] + i;
        if (u->n_gradients > 1) {
            const float *restrict second = u->gradient[1] + i;
            for (size_t j = 0; j < n; j++)
                sum[j] = g[j] + second[j];
            for (int r = 2; r < u->n_gradients; r++) {
                const float *restrict next = u->gradient[r] + i;
                for (size_t j = 0; j < n; j++)
                    sum[j] += next[j];
            }
            g = sum;
        }
        if (u->kind == ST_OPTIMIZER_ADAM)
            adam(u, i, n, g);
        else
            sgd(u, i, n, g);
    }
}

const st_vector_kernels ST_VECTOR = {
    .name = ST_VECTOR_NAME,
    .panel = PANEL,
    .dense_forward = dense_forward,
    .dense_backward = dense_backward,
    .activate = activate,
    .activate_gradient = activate_gradient,
    .add_bias = add_bias,
    .sum_rows = sum_rows,
    .softmax = softmax,
    .softmax_gradient = softmax_gradient,
    .loss = loss,
    .update = update,
};
