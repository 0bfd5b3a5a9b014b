/* The optimiser's pass, the formulas of graph/engine.h. Part of vector_impl.h.
   The loops are plain, for the compiler to turn into vectors; a value's result must not depend on where in a loop it
   comes, since threads cut the pass into slices: the same operations in its vectors as in what is left over. */
#ifndef ST_CPU_VECTOR_UPDATE_H
#define ST_CPU_VECTOR_UPDATE_H

#include "cpu/vector_math.h"

/* Values of a gradient that are summed before they are used. */
#define UPDATE_BLOCK 512

/* Kingma and Ba 2015, the order of their section 2's end. */
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

/* Dozat, Incorporating Nesterov Momentum into Adam, 2016. */
static void nadam(const st_update *u, size_t begin, size_t n, const float *restrict g) {
    float *restrict value = u->value + begin, *restrict m = u->m + begin, *restrict v = u->v + begin;
    const float b1 = u->beta_1, b2 = u->beta_2, c1 = u->c_1, c2 = u->c_2, c3 = u->c_3, epsilon = u->epsilon;
    for (size_t i = 0; i < n; i++) {
        const float mi = m[i] + (g[i] - m[i]) * (1.0f - b1), vi2 = v[i] + (g[i] * g[i] - v[i]) * (1.0f - b2);
        m[i] = mi;
        v[i] = vi2;
        value[i] -= (c1 * mi + c2 * g[i]) / (sqrtf(vi2 / c3) + epsilon);
    }
}

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

/* Tieleman and Hinton 2012; centred: Graves 2013. v - u^2 is a variance: rounding must not make it negative. */
INLINE void rmsprop_kind(const st_update *u, size_t begin, size_t n, const float *restrict g, bool centered,
                         bool with_momentum) {
    float *restrict value = u->value + begin, *restrict v = u->v + begin;
    float *restrict m = with_momentum ? u->m + begin : NULL, *restrict mean = centered ? u->u + begin : NULL;
    const float rho = u->beta_2, rate = u->learning_rate, epsilon = u->epsilon, momentum = u->momentum;
    for (size_t i = 0; i < n; i++) {
        const float vi2 = rho * v[i] + (1.0f - rho) * (g[i] * g[i]);
        float d = vi2;
        v[i] = vi2;
        if (centered) {
            const float ui = rho * mean[i] + (1.0f - rho) * g[i];
            mean[i] = ui;
            d = vi2 - ui * ui;
            d = d < 0.0f ? 0.0f : d;
        }
        const float e = rate * g[i] / sqrtf(d + epsilon);
        if (with_momentum) {
            const float mi = momentum * m[i] + e;
            m[i] = mi;
            value[i] -= mi;
        } else {
            value[i] -= e;
        }
    }
}

static void rmsprop(const st_update *u, size_t begin, size_t n, const float *g) {
    if (u->centered)
        u->momentum == 0.0f ? rmsprop_kind(u, begin, n, g, true, false) : rmsprop_kind(u, begin, n, g, true, true);
    else
        u->momentum == 0.0f ? rmsprop_kind(u, begin, n, g, false, false) : rmsprop_kind(u, begin, n, g, false, true);
}

/* Duchi, Hazan, Singer 2011. */
static void adagrad(const st_update *u, size_t begin, size_t n, const float *restrict g) {
    float *restrict value = u->value + begin, *restrict v = u->v + begin;
    const float rate = u->learning_rate, epsilon = u->epsilon;
    for (size_t i = 0; i < n; i++) {
        const float vi2 = v[i] + g[i] * g[i];
        v[i] = vi2;
        value[i] -= rate * g[i] / sqrtf(vi2 + epsilon);
    }
}

/* Zeiler 2012. */
static void adadelta(const st_update *u, size_t begin, size_t n, const float *restrict g) {
    float *restrict value = u->value + begin, *restrict m = u->m + begin, *restrict v = u->v + begin;
    const float rho = u->beta_2, rate = u->learning_rate, epsilon = u->epsilon;
    for (size_t i = 0; i < n; i++) {
        const float vi2 = rho * v[i] + (1.0f - rho) * (g[i] * g[i]);
        const float e = sqrtf(m[i] + epsilon) / sqrtf(vi2 + epsilon) * g[i];
        v[i] = vi2;
        m[i] = rho * m[i] + (1.0f - rho) * (e * e);
        value[i] -= rate * e;
    }
}

/* What comes before the step, all but the plain sum: out = clip(scale g) + l1 sign(w) + 2 l2 w, and w -= decay w. */
static void prepare(const st_update *u, size_t begin, size_t n, float *out, const float *g) {
    float *restrict value = u->value + begin;
    const float scale = u->gradient_scale, most = u->clip_value, l1 = u->l1, l2 = 2.0f * u->l2, decay = u->decay;
    for (size_t i = 0; i < n; i++) {
        const float scaled = scale * g[i], w = value[i];
        const float clipped = scaled > most ? most : scaled < -most ? -most : scaled; /* a NaN stays one */
        const float sign = w > 0.0f ? l1 : w < 0.0f ? -l1 : 0.0f;
        out[i] = clipped + sign + l2 * w;
        value[i] = w - decay * w;
    }
}

static bool is_plain(const st_update *u) {
    return u->gradient_scale == 1.0f && isinf(u->clip_value) && u->l1 == 0.0f && u->l2 == 0.0f && u->decay == 0.0f;
}

static void update(const st_update *u, size_t begin, size_t end) {
    static void (*const step[])(const st_update *, size_t, size_t, const float *) = {
        [ST_OPTIMIZER_SGD] = sgd,         [ST_OPTIMIZER_ADAM] = adam,         [ST_OPTIMIZER_RMSPROP] = rmsprop,
        [ST_OPTIMIZER_ADAGRAD] = adagrad, [ST_OPTIMIZER_ADADELTA] = adadelta, [ST_OPTIMIZER_ADAMW] = adam,
        [ST_OPTIMIZER_NADAM] = nadam,
    };
    const bool plain = is_plain(u);
    float sum[UPDATE_BLOCK];
    for (size_t i = begin; i < end; i += UPDATE_BLOCK) {
        const size_t n = end - i < UPDATE_BLOCK ? end - i : UPDATE_BLOCK;
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
        if (!plain) {
            prepare(u, i, n, sum, g);
            g = sum;
        }
        step[u->kind](u, i, n, g);
    }
}

#endif
