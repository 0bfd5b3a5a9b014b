/* Batch norm and layer norm, on the vector kernels. gamma is the op's kernel, beta its bias; packed = canonical.

   Batch norm while training: the statistics are those of all valid values of a channel, over the batch and so over all
   replicas. Each replica sums x and x^2 of its share in double, which meet in one exchange; backward exchanges the sums
   of dy and dy (x - mean) in the same way. Invariants:
   1. A replica exchanges whether or not it has a valid sample; all then have the same statistics, bit for bit.
   2. Replica 0 alone writes the moving statistics, after the exchange; nobody reads them in a training step.
   3. dgamma and dbeta are of the own share: the optimiser adds up the replicas. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

static strait_status pack(size_t n, float *gamma_out, float *beta_out, const float *gamma, const float *beta) {
    memcpy(gamma_out, gamma, n * sizeof *gamma);
    memcpy(beta_out, beta, n * sizeof *beta);
    return STRAIT_OK;
}

static void put(float *gradient, const double *sum, size_t n, bool accumulate) {
    for (size_t i = 0; i < n; i++)
        gradient[i] = (float)(accumulate ? (double)gradient[i] + sum[i] : sum[i]);
}

/* ---- batch norm ---- */

typedef struct st_batch_norm {
    const st_vector_kernels *vector;
    size_t channels, pixels; /* values of a channel in a sample */
    size_t batch;
    size_t period; /* channels, repeated: see st_columns */
    double momentum, epsilon;
    double *sum;  /* [2 channels] what is exchanged */
    double *wide; /* [2 period] sums before they are folded into channels */
    float *row;   /* [6 period] what st_columns points to */
    st_binding at;
} st_batch_norm;

static void free_batch_norm(void *opaque) {
    st_batch_norm *state = opaque;
    if (!state) return;
    st_free(state->sum);
    st_free(state->wide);
    st_free(state->row);
    st_free(state);
}

static strait_status plan_batch_norm(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                     strait_error *err) {
    const st_op *op = request->op;
    const st_shape *shape = &request->graph->tensor[op->src].shape;
    st_batch_norm *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "a batch norm");
    state->vector = st_vector();
    state->channels = (size_t)shape->dim[shape->n_dims - 1];
    state->pixels = (size_t)st_shape_count(shape) / state->channels;
    state->batch = (size_t)request->batch;
    state->period = state->channels * ((63 + state->channels) / state->channels);
    state->momentum = op->momentum;
    state->epsilon = op->epsilon;
    state->sum = st_alloc(2 * state->channels, sizeof *state->sum);
    state->wide = st_alloc(2 * state->period, sizeof *state->wide);
    state->row = st_alloc_aligned(6 * state->period * sizeof *state->row);
    if (!state->sum || !state->wide || !state->row) {
        const size_t bytes = 6 * state->channels * sizeof(double);
        free_batch_norm(state);
        return st_fail_memory(err, bytes, "a batch norm");
    }
    needs->kernel = needs->bias = state->channels;
    needs->keep = request->training ? 2 * state->channels : 0; /* mean, 1 / deviation */
    needs->exchange = request->training ? 2 * state->channels : 0;
    *out = state;
    return STRAIT_OK;
}

static strait_status bind_batch_norm(void *opaque, const st_binding *binding, strait_error *err) {
    (void)err;
    ((st_batch_norm *)opaque)->at = *binding;
    return STRAIT_OK;
}

/* sum[c] and sum[channels + c]: of a, and of a b, over the first n values. */
static void sum_columns(const st_batch_norm *state, const float *a, const float *b, size_t n) {
    double *const wide = state->wide, *const product = wide + state->period;
    memset(wide, 0, 2 * state->period * sizeof *wide);
    state->vector->column_sums(wide, product, a, b, n, state->period);
    for (size_t c = 0; c < state->channels; c++) {
        double sum = 0, sum_of_products = 0;
        for (size_t j = c; j < state->period; j += state->channels) {
            sum += wide[j];
            sum_of_products += product[j];
        }
        state->sum[c] = sum;
        state->sum[state->channels + c] = sum_of_products;
    }
}

static void exchange(const st_batch_norm *state) {
    if (state->at.exchange) st_exchange_sum(state->at.exchange, state->at.replica, state->sum, 2 * state->channels);
}

/* Row i of those st_columns points to, from its first `channels` values on. */
static float *row_of(const st_batch_norm *state, int i) {
    return state->row + (size_t)i * state->period;
}
static void repeat_rows(const st_batch_norm *state, int n_rows) {
    for (int i = 0; i < n_rows; i++)
        for (size_t j = state->channels; j < state->period; j++)
            row_of(state, i)[j] = row_of(state, i)[j - state->channels];
}

/* The batch's mean and 1 / deviation of each channel into keep, and on into the moving ones. */
static void measure(const st_batch_norm *state) {
    const st_binding *at = &state->at;
    const size_t n = (size_t)at->step->n_valid * state->pixels * state->channels;
    const double count = (double)at->step->n_batch * (double)state->pixels, m = state->momentum;
    sum_columns(state, at->src, at->src, n);
    exchange(state);
    for (size_t c = 0; c < state->channels; c++) {
        const double mean = state->sum[c] / count, square = state->sum[state->channels + c] / count - mean * mean;
        const double variance = square < 0 ? 0 : square; /* not fmax, which drops a NaN */
        at->keep[c] = (float)mean;
        at->keep[state->channels + c] = (float)(1 / sqrt(variance + state->epsilon));
        if (at->replica != 0) continue;
        float *moving_mean = at->state + c, *moving_variance = moving_mean + state->channels;
        *moving_mean = (float)(m * (double)*moving_mean + (1 - m) * mean);
        *moving_variance = (float)(m * (double)*moving_variance + (1 - m) * variance);
    }
}

static strait_status batch_norm_forward(void *opaque) {
    const st_batch_norm *state = opaque;
    const st_binding *at = &state->at;
    const bool training = at->step->mode == ST_MODE_TRAIN;
    const size_t channels = state->channels;
    if (training) measure(state);
    float *mean = row_of(state, 0), *scale = row_of(state, 1), *offset = row_of(state, 2);
    for (size_t c = 0; c < channels; c++) {
        const double moving_variance = training ? 1 : (double)at->state[channels + c];
        const double rstd = training ? (double)at->keep[channels + c] : 1 / sqrt(moving_variance + state->epsilon);
        mean[c] = training ? at->keep[c] : at->state[c];
        scale[c] = (float)((double)at->kernel[c] * rstd);
        offset[c] = at->bias[c];
    }
    repeat_rows(state, 3);
    const st_columns call = {.n = state->batch * state->pixels * channels,
                             .period = state->period,
                             .x = at->src,
                             .y = at->dst,
                             .mean = mean,
                             .scale = scale,
                             .offset = offset};
    state->vector->normalise(&call);
    return STRAIT_OK;
}

/* With h = (x - mean) rstd: dgamma = sum dy h, dbeta = sum dy,
   dx = gamma rstd (dy - mean of dy - h times the mean of dy h), the means over all replicas' valid values. */
static strait_status batch_norm_backward(void *opaque, bool accumulate) {
    const st_batch_norm *state = opaque;
    const st_binding *at = &state->at;
    const size_t channels = state->channels, sample = state->pixels * channels;
    const size_t n = (size_t)at->step->n_valid * sample;
    const double count = (double)at->step->n_batch * (double)state->pixels;
    double *const sum = state->sum, *const sum_h = sum + channels;
    float *mean = row_of(state, 0), *mean_dy = row_of(state, 1), *slope = row_of(state, 2), *scale = row_of(state, 3);
    sum_columns(state, at->ddst, at->src, n);
    for (size_t c = 0; c < channels; c++)
        sum_h[c] = (sum_h[c] - (double)at->keep[c] * sum[c]) * (double)at->keep[channels + c];
    put(at->dkernel, sum_h, channels, accumulate);
    put(at->dbias, sum, channels, accumulate);
    exchange(state);
    if (!at->dsrc) return STRAIT_OK;
    for (size_t c = 0; c < channels; c++) {
        const double rstd = (double)at->keep[channels + c];
        mean[c] = at->keep[c];
        mean_dy[c] = (float)(sum[c] / count);
        slope[c] = (float)(sum_h[c] / count * rstd);
        scale[c] = (float)((double)at->kernel[c] * rstd);
    }
    repeat_rows(state, 4);
    const st_columns call = {.n = n,
                             .period = state->period,
                             .x = at->src,
                             .dy = at->ddst,
                             .dx = at->dsrc,
                             .mean = mean,
                             .mean_dy = mean_dy,
                             .slope = slope,
                             .scale_dy = scale};
    state->vector->normalise_gradient(&call);
    memset(at->dsrc + n, 0, (state->batch * sample - n) * sizeof(float));
    return STRAIT_OK;
}

static strait_status pack_batch_norm(void *state, float *packed_kernel, float *packed_bias, const float *kernel,
                                     const float *bias) {
    return pack(((const st_batch_norm *)state)->channels, packed_kernel, packed_bias, kernel, bias);
}
static strait_status unpack_batch_norm(void *state, float *kernel, float *bias, const float *packed_kernel,
                                       const float *packed_bias) {
    return pack_batch_norm(state, kernel, bias, packed_kernel, packed_bias);
}

const st_kernel st_cpu_batch_norm = {
    .plan = plan_batch_norm,
    .bind = bind_batch_norm,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .pack = pack_batch_norm,
    .unpack = unpack_batch_norm,
    .free = free_batch_norm,
};

/* ---- layer norm ---- */

typedef struct st_layer_norm {
    const st_vector_kernels *vector;
    st_rows call;
    float *dgamma, *dbeta;
    double *sum; /* [2 n] */
} st_layer_norm;

static void free_layer_norm(void *opaque) {
    st_layer_norm *state = opaque;
    if (!state) return;
    st_free(state->sum);
    st_free(state);
}

static strait_status plan_layer_norm(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                     strait_error *err) {
    const st_op *op = request->op;
    const st_shape *shape = &request->graph->tensor[op->src].shape;
    st_layer_norm *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "a layer norm");
    const size_t n = (size_t)shape->dim[shape->n_dims - 1];
    state->vector = st_vector();
    state->call.n = n;
    state->call.n_rows = (size_t)(request->batch * st_shape_count(shape)) / n;
    state->call.epsilon = (float)op->epsilon;
    state->sum = st_alloc(2 * n, sizeof *state->sum);
    if (!state->sum) {
        free_layer_norm(state);
        return st_fail_memory(err, 2 * n * sizeof(double), "a layer norm");
    }
    needs->kernel = needs->bias = n;
    needs->keep = 2 * state->call.n_rows;
    *out = state;
    return STRAIT_OK;
}

static strait_status bind_layer_norm(void *opaque, const st_binding *at, strait_error *err) {
    (void)err;
    st_layer_norm *state = opaque;
    st_rows *call = &state->call;
    call->x = at->src;
    call->y = at->dst;
    call->dy = at->ddst;
    call->dx = at->dsrc;
    call->gamma = at->kernel;
    call->beta = at->bias;
    call->mean = at->keep;
    call->rstd = at->keep + call->n_rows;
    call->dgamma = state->sum;
    call->dbeta = state->sum + call->n;
    state->dgamma = at->dkernel;
    state->dbeta = at->dbias;
    return STRAIT_OK;
}

static strait_status layer_norm_forward(void *opaque) {
    const st_layer_norm *state = opaque;
    state->vector->layer_norm(&state->call);
    return STRAIT_OK;
}

static strait_status layer_norm_backward(void *opaque, bool accumulate) {
    const st_layer_norm *state = opaque;
    const size_t n = state->call.n;
    memset(state->sum, 0, 2 * n * sizeof *state->sum);
    state->vector->layer_norm_gradient(&state->call);
    put(state->dgamma, state->sum, n, accumulate);
    put(state->dbeta, state->sum + n, n, accumulate);
    return STRAIT_OK;
}

static strait_status pack_layer_norm(void *state, float *packed_kernel, float *packed_bias, const float *kernel,
                                     const float *bias) {
    return pack(((const st_layer_norm *)state)->call.n, packed_kernel, packed_bias, kernel, bias);
}
static strait_status unpack_layer_norm(void *state, float *kernel, float *bias, const float *packed_kernel,
                                       const float *packed_bias) {
    return pack_layer_norm(state, kernel, bias, packed_kernel, packed_bias);
}

const st_kernel st_cpu_layer_norm = {
    .plan = plan_layer_norm,
    .bind = bind_layer_norm,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .pack = pack_layer_norm,
    .unpack = unpack_layer_norm,
    .free = free_layer_norm,
};
