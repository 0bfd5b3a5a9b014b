/* Activations, biases, softmax. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_POINTWISE_H
#define ST_CPU_VECTOR_POINTWISE_H

#include "cpu/vector_math.h"

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

/* Calls an inline function with the activation as a constant, so that each gets a loop of its own. The fused ones are
   those whose derivative follows from the result. */
#define BY_FUSED(activation, call)                                                                                     \
    switch ((activation).kind) {                                                                                       \
    case ST_RELU: call(ST_RELU); break;                                                                                \
    case ST_LEAKY_RELU: call(ST_LEAKY_RELU); break;                                                                    \
    case ST_SIGMOID: call(ST_SIGMOID); break;                                                                          \
    case ST_TANH: call(ST_TANH); break;                                                                                \
    case ST_ELU: call(ST_ELU); break;                                                                                  \
    case ST_SELU: call(ST_SELU); break;                                                                                \
    case ST_SOFTPLUS: call(ST_SOFTPLUS); break;                                                                        \
    default: call(ST_LINEAR); break;                                                                                   \
    }

#define BY_ACTIVATION(activation, call)                                                                                \
    switch ((activation).kind) {                                                                                       \
    case ST_GELU: call(ST_GELU); break;                                                                                \
    case ST_SWISH: call(ST_SWISH); break;                                                                              \
    default: BY_FUSED(activation, call) break;                                                                         \
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

/* `columns` vectors of a row, over all rows: four sums of each run side by side. */
INLINE void sum_vectors(int columns, float *sum, const float *dy, size_t n_rows, size_t n) {
    vf c[4][2] = {{{0}}};
    size_t i = 0;
    for (; i + 4 <= n_rows; i += 4)
        UNROLL for (int r = 0; r < 4; r++) {
            UNROLL for (int v = 0; v < columns; v++) c[r][v] += load(dy + (i + (size_t)r) * n + v * V);
        }
    for (; i < n_rows; i++)
        UNROLL for (int v = 0; v < columns; v++) c[0][v] += load(dy + i * n + v * V);
    UNROLL for (int v = 0; v < columns; v++) store(sum + v * V, (c[0][v] + c[1][v]) + (c[2][v] + c[3][v]));
}

/* Rows of 1, 2, 4, ... values: a vector holds whole rows, and lane i of each is column i % n. */
static void sum_short_rows(float *sum, const float *dy, size_t n_rows, size_t n) {
    vf c[4] = {{0}};
    const size_t total = n_rows * n;
    size_t i = 0;
    for (; i + 4 * V <= total; i += 4 * V)
        UNROLL for (int r = 0; r < 4; r++) c[r] += load(dy + i + r * V);
    const vf all = (c[0] + c[1]) + (c[2] + c[3]);
    for (size_t j = 0; j < V; j++)
        sum[j % n] += all[j];
    for (; i < total; i++)
        sum[i % n] += dy[i];
}

static void sum_rows(float *restrict sum, const float *restrict dy, size_t n_rows, size_t n) {
    size_t j = 0;
    for (; j + PANEL <= n; j += PANEL)
        sum_vectors(2, sum + j, dy + j, n_rows, n);
    for (; j + V <= n; j += V)
        sum_vectors(1, sum + j, dy + j, n_rows, n);
    if (j == n) return;
    memset(sum + j, 0, (n - j) * sizeof *sum);
    if (j == 0 && V % n == 0)
        sum_short_rows(sum, dy, n_rows, n);
    else
        for (size_t i = 0; i < n_rows; i++)
            for (size_t k = j; k < n; k++)
                sum[k] += dy[i * n + k];
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

#endif
