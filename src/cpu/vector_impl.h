/* The vector kernels; see vector.h. Included once by each file that defines V (floats in a vector), ST_VECTOR (the
   table's name) and ST_VECTOR_NAME. Everything here is static, so that no code compiled for a newer processor can be
   reached on an older one except through the table. */
#include "cpu/vector_dense.h"
#include "cpu/vector_pointwise.h"
#include "cpu/vector_thin.h"

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
    float *restrict value = u->value + begin;
    const float rate = u->learning_rate, momentum = u->momentum;
    if (momentum == 0.0f) {
        for (size_t i = 0; i < n; i++)
            value[i] -= rate * g[i];
        return;
    }
    float *restrict m = u->m + begin;
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
    .thin_forward = thin_forward,
    .thin_gradient = thin_gradient,
    .activate = activate,
    .activate_gradient = activate_gradient,
    .add_bias = add_bias,
    .sum_rows = sum_rows,
    .softmax = softmax,
    .softmax_gradient = softmax_gradient,
    .loss = loss,
    .update = update,
};
