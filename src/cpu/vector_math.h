/* Vectors of V floats: loads, masks, sums, and functions as polynomials. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_MATH_H
#define ST_CPU_VECTOR_MATH_H

#include <math.h>
#include <string.h>

#include "cpu/cpu_int.h"
#include "cpu/vector.h"

typedef float vf __attribute__((vector_size(4 * V), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * V), aligned(4), may_alias));

#define PANEL (2 * V)
#if defined(ST_SMALL_TILES) /* of a test, where the compiler splits the vectors: large tiles would take it minutes */
#define ROWS 3
#define DOT_ROWS 3
#define NARROW_ROWS 3
#elif V == 16 /* 32 registers */
#define ROWS 12
#define DOT_ROWS 4
#define NARROW_ROWS 12 /* of a tile of one vector */
#else                  /* 16 registers */
#define ROWS 6
#define DOT_ROWS 3
#define NARROW_ROWS 12
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
/* The same pointer, of which the compiler knows nothing: so that rows are addressed from every third one, as this one
   plus one or two steps. It would take a register for each row, and run out of them. */
INLINE const float *hide(const float *p) {
    __asm__("" : "+r"(p));
    return p;
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

/* Sums of neighbouring lanes within each four: two of a, two of b. */
#if V == 16
#define EVEN 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#elif V == 8
#define EVEN 0, 2, 8, 10, 4, 6, 12, 14
#define ODD 1, 3, 9, 11, 5, 7, 13, 15
#else
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#endif
INLINE vf pair_sums(vf a, vf b) {
    return __builtin_shufflevector(a, b, EVEN) + __builtin_shufflevector(a, b, ODD);
}

typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));

/* The sums of four vectors' lanes. */
INLINE v4 sum_four(vf a, vf b, vf c, vf d) {
    const vf s = pair_sums(pair_sums(a, b), pair_sums(c, d));
#if V == 16
    return (__builtin_shufflevector(s, s, 0, 1, 2, 3) + __builtin_shufflevector(s, s, 4, 5, 6, 7)) +
           (__builtin_shufflevector(s, s, 8, 9, 10, 11) + __builtin_shufflevector(s, s, 12, 13, 14, 15));
#elif V == 8
    return __builtin_shufflevector(s, s, 0, 1, 2, 3) + __builtin_shufflevector(s, s, 4, 5, 6, 7);
#else
    return s;
#endif
}

/* ---- functions: polynomials as in Moshier's Cephes, single precision ---- */

/* exp x = 2^n (1 + q); gives q, and 2^n in *power. */
INLINE vf exp_parts(vf x, vf *power) {
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
    *power = (vf)((__builtin_convertvector(n, vi) + 127) << 23);
    return p * r * r + r;
}

INLINE vf exp_v(vf x) {
    vf power;
    const vf q = exp_parts(x, &power);
    return (q + splat(1.0f)) * power;
}

/* exp(x) - 1, right to the last bits also near 0. */
INLINE vf expm1_v(vf x) {
    vf power;
    const vf q = exp_parts(x, &power);
    return q * power + (power - splat(1.0f));
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

/* log(1 + x) for x >= 0: with u = 1 + x rounded, log u and what the rounding lost of x. */
INLINE vf log1p_v(vf x) {
    const vf u = splat(1.0f) + x;
    return log_v(u) + (x - (u - splat(1.0f))) / u;
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

/* The normal distribution function and its density, for gelu:
       Phi(-a) = erfc(z) / 2, z = a / sqrt 2, a >= 0,        erfc z = exp(-z^2) P(t) / (1 + 2 z), t = (z - 2) / (z + 2),
   the form of Shepherd and Laframboise, Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x, Math. Comp. 36 (1981);
   P fitted anew for float, by the least largest relative error on [0, 9.4]: 1.4e-7 with the coefficients rounded. */
INLINE vf normal_v(vf x, vf *density) {
    const vf one = splat(1.0f), z = abs_v(x) * 0.70710678118654752f, t = (z - 2.0f) / (z + 2.0f);
    const vf e = exp_v(-0.5f * x * x);
    vf p = splat(-4.08741267e-4f);
    p = p * t - splat(1.24404731e-3f);
    p = p * t + splat(1.31459115e-3f);
    p = p * t + splat(8.64286628e-3f);
    p = p * t - splat(8.05776007e-3f);
    p = p * t - splat(5.42071238e-2f);
    p = p * t + splat(1.64054766e-1f);
    p = p * t - splat(1.66031182e-1f);
    p = p * t - splat(9.27639529e-2f);
    p = p * t + splat(1.27697837f);
    const vf tail = 0.5f * e * p / (one + z + z);
    *density = e * 0.39894228040143268f;
    return select_v(x < 0.0f, tail, one - tail);
}

INLINE vf activate_v(st_activation_kind kind, float slope, vf x) {
    const vf zero = {0};
    switch (kind) {
    case ST_RELU: return max_v(zero, x);
    case ST_LEAKY_RELU: return select_v(x > zero, x, x * slope);
    case ST_SIGMOID: return splat(1.0f) / (splat(1.0f) + exp_v(-x));
    case ST_TANH: return tanh_v(x);
    case ST_ELU: return select_v(x > zero, x, expm1_v(x) * slope);
    case ST_SELU: return select_v(x > zero, x, expm1_v(x) * (float)ST_SELU_ALPHA) * (float)ST_SELU_SCALE;
    case ST_SOFTPLUS: return max_v(zero, x) + log1p_v(exp_v(-abs_v(x)));
    case ST_GELU: {
        vf density;
        return x * normal_v(x, &density);
    }
    case ST_SWISH: return x / (splat(1.0f) + exp_v(-x));
    default: return x;
    }
}

/* act'(x) from y = act(x), or from y = x where the activation needs its input. */
INLINE vf derivative_v(st_activation_kind kind, float slope, vf y) {
    const vf zero = {0}, one = splat(1.0f);
    switch (kind) {
    case ST_RELU: return select_v(y > zero, one, zero);
    case ST_LEAKY_RELU: return select_v(y > zero, one, splat(slope));
    case ST_SIGMOID: return y * (one - y);
    case ST_TANH: return one - y * y;
    case ST_ELU: return select_v(y > zero, one, y + slope);
    case ST_SELU: return select_v(y > zero, splat((float)ST_SELU_SCALE), y + (float)(ST_SELU_SCALE * ST_SELU_ALPHA));
    case ST_SOFTPLUS: return -expm1_v(-y);
    case ST_GELU: {
        vf density;
        const vf phi = normal_v(y, &density);
        return phi + y * density;
    }
    case ST_SWISH: {
        const vf s = one / (one + exp_v(-y));
        return s + y * s * (one - s);
    }
    default: return one;
    }
}

#endif
