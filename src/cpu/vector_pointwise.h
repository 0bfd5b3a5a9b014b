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

#endif
