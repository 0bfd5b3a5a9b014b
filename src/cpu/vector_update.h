/* The optimiser's pass. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_UPDATE_H
#define ST_CPU_VECTOR_UPDATE_H

#include "cpu/vector_math.h"

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

#endif
