/* Losses. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_LOSS_H
#define ST_CPU_VECTOR_LOSS_H

#include "cpu/vector_pointwise.h"

/* A term of the loss, not weighted, and, in *g, its gradient by the output before the fused activation. */
INLINE vf loss_v(st_loss_kind kind, st_activation fused, float delta, vf y, vf t, vf *g) {
    const vf zero = {0}, one = splat(1.0f), d = y - t;
    const vf sign = select_v(d > zero, one, zero) - select_v(d < zero, one, zero);
    switch (kind) {
    case ST_LOSS_MSE: *g = (d + d) * derivative_v(fused.kind, fused.slope, y); return d * d;
    case ST_LOSS_MAE: *g = sign * derivative_v(fused.kind, fused.slope, y); return abs_v(d);
    case ST_LOSS_HUBER: {
        const vi near = abs_v(d) <= splat(delta);
        *g = select_v(near, d, sign * delta) * derivative_v(fused.kind, fused.slope, y);
        return select_v(near, d * d * 0.5f, delta * (abs_v(d) - 0.5f * delta));
    }
    case ST_LOSS_LOGITS: {
        const vf e = exp_v(-abs_v(y)), p = select_v(y < zero, e, one) / (one + e);
        *g = (p - t) * derivative_v(fused.kind, fused.slope, y);
        return max_v(zero, y) - y * t + log1p_v(e);
    }
    case ST_LOSS_BINARY_CROSSENTROPY: break;
    }
    const vf low = splat(ST_BCE_CLIP), high = splat(1.0f - ST_BCE_CLIP), p = min_v(high, max_v(low, y));
    /* Behind a sigmoid the derivatives cancel to y - t, which stays right where the clip would cut it off. */
    if (fused.kind == ST_SIGMOID)
        *g = d;
    else
        *g = select_v((y >= low) & (y <= high), (p - t) / (p * (one - p)), zero) *
             derivative_v(fused.kind, fused.slope, y);
    return -(t * log_v(p) + (one - t) * log_v(one - p));
}

/* Values of which the partial sums are float lanes; their total is in double. */
#define LOSS_BLOCK 1024

/* The sum of a term over n <= LOSS_BLOCK values, not weighted; dy, where given, gets scale times the gradient. */
INLINE double block_of_kind(st_loss_kind kind, st_activation fused, float delta, float scale, const float *y,
                            const float *target, float *dy, size_t n) {
    vf sum = {0}, g;
    size_t i = 0;
    for (; i + V <= n; i += V) {
        sum += loss_v(kind, fused, delta, load(y + i), load(target + i), &g);
        if (dy) store(dy + i, g * scale);
    }
    if (i < n) {
        vf loss = loss_v(kind, fused, delta, load_part(y + i, n - i), load_part(target + i, n - i), &g);
        g *= scale;
        if (dy) memcpy(dy + i, &g, (n - i) * sizeof(float));
        sum += load_part((const float *)&loss, n - i);
    }
    return (double)sum_v(sum);
}

static double loss_block(const st_loss_term *term, st_activation fused, float scale, const float *y,
                         const float *target, float *dy, size_t n) {
    double total = 0;
#define CALL_KIND(loss, activation)                                                                                    \
    total = block_of_kind(loss, (st_activation){.kind = activation, .slope = fused.slope}, term->delta, scale, y,      \
                          target, dy, n)
    switch (term->kind) {
#define CALL(activation) CALL_KIND(ST_LOSS_MSE, activation)
    case ST_LOSS_MSE: BY_FUSED(fused, CALL) break;
#undef CALL
#define CALL(activation) CALL_KIND(ST_LOSS_MAE, activation)
    case ST_LOSS_MAE: BY_FUSED(fused, CALL) break;
#undef CALL
#define CALL(activation) CALL_KIND(ST_LOSS_BINARY_CROSSENTROPY, activation)
    case ST_LOSS_BINARY_CROSSENTROPY: BY_FUSED(fused, CALL) break;
#undef CALL
#define CALL(activation) CALL_KIND(ST_LOSS_HUBER, activation)
    case ST_LOSS_HUBER: BY_FUSED(fused, CALL) break;
#undef CALL
#define CALL(activation) CALL_KIND(ST_LOSS_LOGITS, activation)
    case ST_LOSS_LOGITS: BY_FUSED(fused, CALL) break;
#undef CALL
    }
#undef CALL_KIND
    return total;
}

/* The terms go by turns over each block, which stays in the cache. */
static double loss(const st_loss_call *call) {
    double total = 0;
    float more[LOSS_BLOCK];
    for (size_t at = 0; at < call->n; at += LOSS_BLOCK) {
        const size_t n = call->n - at < LOSS_BLOCK ? call->n - at : LOSS_BLOCK;
        const float *y = call->y + at, *target = call->target + at;
        float *dy = call->dy ? call->dy + at : NULL;
        for (int k = 0; k < call->loss.n; k++) {
            const st_loss_term *term = &call->loss.term[k];
            const float scale = call->scale * term->weight;
            const bool add = dy && k > 0;
            total += (double)term->weight * loss_block(term, call->fused, scale, y, target, add ? more : dy, n);
            for (size_t i = 0; add && i < n; i++)
                dy[i] += more[i];
        }
    }
    return total;
}

#endif
