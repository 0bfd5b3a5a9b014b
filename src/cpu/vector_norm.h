/* Batch norm and layer norm. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_NORM_H
#define ST_CPU_VECTOR_NORM_H

#include "cpu/vector_math.h"

/* ---- by columns; plain loops over a period, which the compiler turns into vectors ---- */

/* Sums in double: one pass over the values is then enough for a variance. Four rows at a time, so that the sums are
   fetched and put back a quarter as often. */
static void column_sums(double *restrict sum, double *restrict product, const float *a, const float *b, size_t n,
                        size_t period) {
    size_t i = 0;
    for (; i + 4 * period <= n; i += 4 * period) {
        const float *a0 = a + i, *a1 = a0 + period, *a2 = a1 + period, *a3 = a2 + period;
        const float *b0 = b + i, *b1 = b0 + period, *b2 = b1 + period, *b3 = b2 + period;
        for (size_t j = 0; j < period; j++) {
            const double v0 = (double)a0[j], v1 = (double)a1[j], v2 = (double)a2[j], v3 = (double)a3[j];
            sum[j] += (v0 + v1) + (v2 + v3);
            product[j] += (v0 * (double)b0[j] + v1 * (double)b1[j]) + (v2 * (double)b2[j] + v3 * (double)b3[j]);
        }
    }
    for (; i < n; i += period) {
        const size_t m = n - i < period ? n - i : period;
        for (size_t j = 0; j < m; j++) {
            sum[j] += (double)a[i + j];
            product[j] += (double)a[i + j] * (double)b[i + j];
        }
    }
}

static void normalise(const st_columns *call) {
    const float *restrict mean = call->mean, *restrict scale = call->scale, *restrict offset = call->offset;
    for (size_t i = 0; i < call->n; i += call->period) {
        const size_t m = call->n - i < call->period ? call->n - i : call->period;
        const float *restrict x = call->x + i;
        float *restrict y = call->y + i;
        for (size_t j = 0; j < m; j++)
            y[j] = (x[j] - mean[j]) * scale[j] + offset[j];
    }
}

static void normalise_gradient(const st_columns *call) {
    const float *restrict mean = call->mean, *restrict mean_dy = call->mean_dy;
    const float *restrict slope = call->slope, *restrict scale = call->scale_dy;
    for (size_t i = 0; i < call->n; i += call->period) {
        const size_t m = call->n - i < call->period ? call->n - i : call->period;
        const float *restrict x = call->x + i, *restrict dy = call->dy + i;
        float *restrict dx = call->dx + i;
        for (size_t j = 0; j < m; j++)
            dx[j] = (dy[j] - mean_dy[j] - (x[j] - mean[j]) * slope[j]) * scale[j];
    }
}

/* ---- by rows ---- */

/* Lanes as sums; the last n % V values by themselves. */
INLINE float row_sum(const float *x, float shift, bool square, size_t n) {
    vf sum = {0};
    size_t i = 0;
    for (; i + V <= n; i += V) {
        const vf d = load(x + i) - shift;
        if (square)
            sum += d * d;
        else
            sum += d;
    }
    float total = sum_v(sum);
    for (; i < n; i++)
        total += square ? (x[i] - shift) * (x[i] - shift) : x[i] - shift;
    return total;
}

/* The mean, then the squares of what is left: two passes over a row, which stays in the cache. */
static void layer_norm(const st_rows *call) {
    const size_t n = call->n;
    const float *restrict gamma = call->gamma, *restrict beta = call->beta;
    for (size_t r = 0; r < call->n_rows; r++) {
        const float *restrict x = call->x + r * n;
        float *restrict y = call->y + r * n;
        const float mean = x[0] + row_sum(x, x[0], false, n) / (float)n;
        const float rstd = 1.0f / sqrtf(row_sum(x, mean, true, n) / (float)n + call->epsilon);
        call->mean[r] = mean;
        call->rstd[r] = rstd;
        for (size_t j = 0; j < n; j++)
            y[j] = (x[j] - mean) * rstd * gamma[j] + beta[j];
    }
}

/* With g = dy gamma and h = (x - mean) rstd: dx = rstd (g - mean of g - h times the mean of g h). */
static void layer_norm_gradient(const st_rows *call) {
    const size_t n = call->n;
    const float *restrict gamma = call->gamma;
    double *restrict dgamma = call->dgamma, *restrict dbeta = call->dbeta;
    for (size_t r = 0; r < call->n_rows; r++) {
        const float *restrict x = call->x + r * n, *restrict dy = call->dy + r * n;
        const float mean = call->mean[r], rstd = call->rstd[r];
        vf lanes = {0}, lanes_h = {0};
        size_t j = 0;
        for (; j + V <= n; j += V) {
            const vf g = load(dy + j) * load(gamma + j);
            lanes += g;
            lanes_h += g * ((load(x + j) - mean) * rstd);
        }
        float sum = sum_v(lanes), sum_h = sum_v(lanes_h);
        for (; j < n; j++) {
            sum += dy[j] * gamma[j];
            sum_h += dy[j] * gamma[j] * ((x[j] - mean) * rstd);
        }
        sum /= (float)n;
        sum_h /= (float)n;
        for (size_t i = 0; i < n; i++) {
            dgamma[i] += (double)(dy[i] * ((x[i] - mean) * rstd));
            dbeta[i] += (double)dy[i];
        }
        float *restrict dx = call->dx ? call->dx + r * n : NULL;
        for (size_t i = 0; dx && i < n; i++)
            dx[i] = rstd * (dy[i] * gamma[i] - sum - (x[i] - mean) * rstd * sum_h);
    }
}

#endif
