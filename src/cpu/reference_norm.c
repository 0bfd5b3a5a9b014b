/* Norms of the reference engine. gamma is the op's kernel, beta its bias.
       h = (x - mean) / sqrt(variance + epsilon),        y = gamma h + beta
       dgamma = sum dy h,    dbeta = sum dy,
       dx = gamma / sqrt(variance + epsilon) (dy - mean of dy - h times the mean of dy h)
   with mean and variance (of the population: over n, not n - 1) over all valid values of a channel, in all replicas
   (batch norm); or over the last axis (layer norm, where gamma stands within the means). */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

/* ---- batch norm ---- */

/* keep: mean and 1 / deviation. scratch: two doubles a channel, summed over the replicas, and the replica's own. */
static strait_status plan_batch_norm(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                     strait_error *err) {
    ST_TRY(st_reference_plan(out, needs, request, err));
    const size_t channels = ((const st_reference *)*out)->n_kernel;
    needs->scratch = 8 * channels;
    needs->keep = 2 * channels;
    needs->exchange = request->training ? 2 * channels : 0;
    return STRAIT_OK;
}

/* sum[c], over all replicas, of what `term` gives for a channel's valid values; twice: [2][channels]. After it come the
   sums of this replica alone, [2][channels] more. */
static const double *sum_channels(const st_reference *state,
                                  void (*term)(const st_reference *, size_t p, double out[2])) {
    const st_binding *at = &state->at;
    const size_t channels = state->n_kernel, valid = (size_t)(at->step->n_valid * st_shape_count(&state->src));
    double *sum = (double *)(void *)at->scratch;
    memset(sum, 0, 2 * channels * sizeof *sum);
    for (size_t p = 0; p < valid; p++) {
        double value[2];
        term(state, p, value);
        sum[p % channels] += value[0];
        sum[channels + p % channels] += value[1];
    }
    memcpy(sum + 2 * channels, sum, 2 * channels * sizeof *sum);
    if (at->exchange) st_exchange_sum(at->exchange, at->replica, sum, 2 * channels);
    return sum;
}

static double count_of(const st_reference *state) {
    return (double)state->at.step->n_batch * (double)st_shape_count(&state->src) / (double)state->n_kernel;
}

static void value_and_square(const st_reference *state, size_t p, double out[2]) {
    out[0] = (double)state->at.src[p];
    out[1] = out[0] * out[0];
}

static void measure(const st_reference *state) {
    const st_binding *at = &state->at;
    const double *sum = sum_channels(state, value_and_square), n = count_of(state), m = state->op.momentum;
    for (size_t c = 0; c < state->n_kernel; c++) {
        const double mean = sum[c] / n, square = sum[state->n_kernel + c] / n - mean * mean;
        const double variance = square < 0 ? 0 : square; /* not fmax, which drops a NaN */
        at->keep[c] = (float)mean;
        at->keep[state->n_kernel + c] = (float)(1 / sqrt(variance + state->op.epsilon));
        if (at->replica != 0) continue;
        float *moving_mean = &at->state[c], *moving_variance = &at->state[state->n_kernel + c];
        *moving_mean = (float)(m * (double)*moving_mean + (1 - m) * mean);
        *moving_variance = (float)(m * (double)*moving_variance + (1 - m) * variance);
    }
}

static strait_status batch_norm_forward(void *opaque) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const size_t channels = state->n_kernel;
    const bool training = at->step->mode == ST_MODE_TRAIN;
    if (training) measure(state);
    for (size_t p = 0; p < (size_t)(state->batch * st_shape_count(&state->src)); p++) {
        const size_t c = p % channels;
        const double mean = training ? (double)at->keep[c] : (double)at->state[c];
        const double rstd =
            training ? (double)at->keep[channels + c] : 1 / sqrt((double)at->state[channels + c] + state->op.epsilon);
        at->dst[p] = (float)(((double)at->src[p] - mean) * rstd * (double)at->kernel[c] + (double)at->bias[c]);
    }
    return STRAIT_OK;
}

static double normalised(const st_reference *state, size_t p) {
    const size_t c = p % state->n_kernel;
    return ((double)state->at.src[p] - (double)state->at.keep[c]) * (double)state->at.keep[state->n_kernel + c];
}
static void gradient_and_product(const st_reference *state, size_t p, double out[2]) {
    out[0] = (double)state->at.ddst[p];
    out[1] = out[0] * normalised(state, p);
}

static strait_status batch_norm_backward(void *opaque, bool accumulate) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const size_t channels = state->n_kernel, all = (size_t)(state->batch * st_shape_count(&state->src));
    const size_t valid = (size_t)(at->step->n_valid * st_shape_count(&state->src));
    const double *sum = sum_channels(state, gradient_and_product), *own = sum + 2 * channels, n = count_of(state);
    for (size_t c = 0; c < channels; c++) {
        st_reference_put(&at->dbias[c], own[c], accumulate);
        st_reference_put(&at->dkernel[c], own[channels + c], accumulate);
    }
    for (size_t p = 0; at->dsrc && p < all; p++) {
        const size_t c = p % channels;
        const double centred = (double)at->ddst[p] - sum[c] / n - normalised(state, p) * sum[channels + c] / n;
        at->dsrc[p] = p < valid ? (float)(centred * (double)at->kernel[c] * (double)at->keep[channels + c]) : 0;
    }
    return STRAIT_OK;
}

const st_kernel st_reference_batch_norm = {
    .plan = plan_batch_norm,
    .bind = st_reference_bind,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .pack = st_reference_pack,
    .unpack = st_reference_unpack,
    .describe = st_reference_describe,
    .free = st_free,
};

/* ---- layer norm ---- */

typedef struct st_moments {
    double mean, rstd;
} st_moments;

static st_moments moments_of(const st_reference *state, const float *x) {
    const size_t n = state->n_kernel;
    double mean = 0, variance = 0;
    for (size_t j = 0; j < n; j++)
        mean += (double)x[j] / (double)n;
    for (size_t j = 0; j < n; j++)
        variance += ((double)x[j] - mean) * ((double)x[j] - mean) / (double)n;
    return (st_moments){mean, 1 / sqrt(variance + state->op.epsilon)};
}

static size_t rows_of(const st_reference *state) {
    return (size_t)(state->batch * st_shape_count(&state->src)) / state->n_kernel;
}

static strait_status layer_norm_forward(void *opaque) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const size_t n = state->n_kernel;
    for (size_t r = 0; r < rows_of(state); r++) {
        const float *x = at->src + r * n;
        const st_moments m = moments_of(state, x);
        for (size_t j = 0; j < n; j++)
            at->dst[r * n + j] =
                (float)(((double)x[j] - m.mean) * m.rstd * (double)at->kernel[j] + (double)at->bias[j]);
    }
    return STRAIT_OK;
}

/* With g = dy gamma: dx = (g - mean of g - h times the mean of g h) / deviation. */
static void layer_norm_row(const st_reference *state, float *dx, const float *x, const float *dy) {
    const size_t n = state->n_kernel;
    const st_moments m = moments_of(state, x);
    double sum = 0, product = 0;
    for (size_t j = 0; j < n; j++) {
        const double g = (double)dy[j] * (double)state->at.kernel[j];
        sum += g;
        product += g * ((double)x[j] - m.mean) * m.rstd;
    }
    for (size_t j = 0; j < n; j++) {
        const double g = (double)dy[j] * (double)state->at.kernel[j], h = ((double)x[j] - m.mean) * m.rstd;
        dx[j] = (float)(m.rstd * (g - sum / (double)n - h * product / (double)n));
    }
}

static strait_status layer_norm_backward(void *opaque, bool accumulate) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const size_t n = state->n_kernel;
    for (size_t j = 0; j < n; j++) {
        double dgamma = 0, dbeta = 0;
        for (size_t r = 0; r < rows_of(state); r++) {
            const st_moments m = moments_of(state, at->src + r * n);
            const double dy = (double)at->ddst[r * n + j];
            dgamma += dy * ((double)at->src[r * n + j] - m.mean) * m.rstd;
            dbeta += dy;
        }
        st_reference_put(&at->dkernel[j], dgamma, accumulate);
        st_reference_put(&at->dbias[j], dbeta, accumulate);
    }
    for (size_t r = 0; at->dsrc && r < rows_of(state); r++)
        layer_norm_row(state, at->dsrc + r * n, at->src + r * n, at->ddst + r * n);
    return STRAIT_OK;
}

const st_kernel st_reference_layer_norm = {
    .plan = st_reference_plan,
    .bind = st_reference_bind,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .pack = st_reference_pack,
    .unpack = st_reference_unpack,
    .describe = st_reference_describe,
    .free = st_free,
};
