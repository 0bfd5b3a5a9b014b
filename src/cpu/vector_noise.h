/* Dropout, noise, the latent sample, penalties. Part of vector_impl.h. Most are plain loops, which the compiler turns
   into vectors. */
#ifndef ST_CPU_VECTOR_NOISE_H
#define ST_CPU_VECTOR_NOISE_H

#include "cpu/vector_math.h"

static void drop(float *restrict y, uint8_t *restrict keep, const float *restrict x, const float *restrict u,
                 float rate, float scale, size_t n) {
    for (size_t i = 0; i < n; i++)
        keep[i] = u[i] >= rate;
    for (size_t i = 0; i < n; i++) {
        const float factor = u[i] >= rate ? scale : 0.0f;
        y[i] = x[i] * factor;
    }
}

static void drop_gradient(float *restrict dx, const uint8_t *restrict keep, const float *restrict dy, float scale,
                          size_t n) {
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * ((float)keep[i] * scale);
}

static void add_noise(float *restrict y, const float *restrict x, const float *restrict noise, float a, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] + noise[i] * a;
}

/* A vector's worth of values at p + i, or what is left of them. */
INLINE vf load_some(const float *p, size_t i, size_t n) {
    return i + V <= n ? load(p + i) : load_part(p + i, n - i);
}
INLINE void store_some(float *p, size_t i, size_t n, vf v) {
    if (i + V <= n)
        store(p + i, v);
    else
        memcpy(p + i, &v, (n - i) * sizeof *p);
}

/* The KL's lanes past n count nothing: there mean = lv = 0, and so 1 + 0 - 0 - exp(0). */
static double sample(float *z, float *noise, const float *mean, const float *lv, size_t n) {
    double total = 0;
    for (size_t i = 0; i < n; i += V) {
        const vf m = load_some(mean, i, n), l = load_some(lv, i, n), e = load_some(noise, i, n) * exp_v(l * 0.5f);
        store_some(noise, i, n, e);
        store_some(z, i, n, m + e);
        total += (double)sum_v(l - expm1_v(l) - m * m);
    }
    return total;
}

static void sample_gradient(const st_sample *call, size_t n) {
    for (size_t i = 0; i < n; i += V) {
        const vf dz = load_some(call->dz, i, n);
        if (call->dmean) store_some(call->dmean, i, n, dz + load_some(call->mean, i, n) * call->factor);
        if (call->dlv)
            store_some(call->dlv, i, n,
                       (dz * load_some(call->noise, i, n) + expm1_v(load_some(call->lv, i, n)) * call->factor) * 0.5f);
    }
}

INLINE vf sign_v(vf x) {
    const vf zero = {0}, one = splat(1.0f);
    return select_v(x > zero, one, zero) - select_v(x < zero, one, zero);
}

static double penalty(const float *x, float l1, float l2, size_t n) {
    double total = 0;
    for (size_t i = 0; i < n;) {
        const size_t end = n - i < 1024 ? n : i + 1024;
        vf sum = {0};
        for (; i < end; i += V) {
            const vf v = load_some(x, i, end);
            sum += abs_v(v) * l1 + v * v * l2;
        }
        i = end;
        total += (double)sum_v(sum);
    }
    return total;
}

static void penalty_gradient(float *dx, const float *dy, const float *x, float l1, float l2, size_t n) {
    for (size_t i = 0; i < n; i += V) {
        const vf v = load_some(x, i, n);
        store_some(dx, i, n, load_some(dy, i, n) + sign_v(v) * l1 + v * (2.0f * l2));
    }
}

#endif
