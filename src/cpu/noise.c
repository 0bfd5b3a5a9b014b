/* Dropout, Gaussian noise, the latent sample and penalties, on the vector kernels. Random numbers come a chunk of a
   sample's stream at a time, at the positions that belong to the op: they depend on the sample alone, not on its place
   in the batch. Rows past n_valid are padding: nothing is drawn for them and they add nothing to the loss. */
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

#define CHUNK 1024

typedef struct st_noise {
    const st_vector_kernels *vector;
    st_op op;
    size_t n; /* values of a sample */
    size_t batch;
    st_binding at;
} st_noise;

static strait_status plan(void **out, const st_kernel_request *request, strait_error *err) {
    st_noise *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, st_op_name(request->op->kind));
    state->vector = st_vector();
    state->op = *request->op;
    state->n = (size_t)st_shape_count(&request->graph->tensor[request->op->src].shape);
    state->batch = (size_t)request->batch;
    *out = state;
    return STRAIT_OK;
}

static strait_status bind(void *opaque, const st_binding *binding, strait_error *err) {
    (void)err;
    ((st_noise *)opaque)->at = *binding;
    return STRAIT_OK;
}

/* The stream of the micro-batch's sample i. */
static st_rng stream_of(const st_noise *state, size_t i, st_rng_purpose purpose) {
    const st_step *step = state->at.step;
    return (st_rng){.seed = step->seed, .purpose = purpose, .epoch = step->epoch, .sample = step->sample[i]};
}

/* dst = src of n values, unless they are one. */
static void copy(float *dst, const float *src, size_t n) {
    if (dst != src) memcpy(dst, src, n * sizeof *dst);
}

static size_t chunk_at(size_t at, size_t n) {
    return n - at < CHUNK ? n - at : CHUNK;
}

/* ---- dropout: keep holds a byte a value, 1 where it stays ---- */

static strait_status plan_dropout(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                  strait_error *err) {
    ST_TRY(plan(out, request, err));
    const st_noise *state = *out;
    needs->keep = request->training ? (state->batch * state->n + 3) / 4 : 0;
    return STRAIT_OK;
}

static strait_status dropout_forward(void *opaque) {
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    const size_t n = state->n, valid = (size_t)at->step->n_valid;
    if (at->step->mode != ST_MODE_TRAIN) {
        copy(at->dst, at->src, state->batch * n);
        return STRAIT_OK;
    }
    uint8_t *keep = (uint8_t *)at->keep;
    const float rate = (float)state->op.rate, scale = (float)(1 / (1 - state->op.rate));
    float u[CHUNK];
    for (size_t i = 0; i < valid; i++) {
        const st_rng rng = stream_of(state, i, ST_RNG_DROPOUT);
        for (size_t j = 0; j < n; j += CHUNK) {
            const size_t m = chunk_at(j, n), p = i * n + j;
            st_rng_uniform(&rng, (uint32_t)state->op.random + (uint32_t)j, u, m);
            state->vector->drop(at->dst + p, keep + p, at->src + p, u, rate, scale, m);
        }
    }
    memset(keep + valid * n, 0, (state->batch - valid) * n);
    memset(at->dst + valid * n, 0, (state->batch - valid) * n * sizeof(float));
    return STRAIT_OK;
}

static strait_status dropout_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    if (at->dsrc)
        state->vector->drop_gradient(at->dsrc, (const uint8_t *)at->keep, at->ddst, (float)(1 / (1 - state->op.rate)),
                                     state->batch * state->n);
    return STRAIT_OK;
}

const st_kernel st_cpu_dropout = {
    .plan = plan_dropout,
    .bind = bind,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .free = st_free,
};

/* ---- noise ---- */

static strait_status plan_plain(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                strait_error *err) {
    (void)needs;
    return plan(out, request, err);
}

static strait_status noise_forward(void *opaque) {
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    const size_t n = state->n, valid = at->step->mode == ST_MODE_TRAIN ? (size_t)at->step->n_valid : 0;
    float noise[CHUNK];
    for (size_t i = 0; i < valid; i++) {
        const st_rng rng = stream_of(state, i, ST_RNG_NOISE);
        for (size_t j = 0; j < n; j += CHUNK) {
            const size_t m = chunk_at(j, n), p = i * n + j;
            st_rng_normal(&rng, (uint32_t)state->op.random + (uint32_t)j, noise, m);
            state->vector->add_noise(at->dst + p, at->src + p, noise, (float)state->op.stddev, m);
        }
    }
    copy(at->dst + valid * n, at->src + valid * n, (state->batch - valid) * n);
    return STRAIT_OK;
}

static strait_status noise_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_noise *state = opaque;
    if (state->at.dsrc) copy(state->at.dsrc, state->at.ddst, state->batch * state->n);
    return STRAIT_OK;
}

const st_kernel st_cpu_gaussian_noise = {
    .plan = plan_plain,
    .bind = bind,
    .forward = noise_forward,
    .backward = noise_backward,
    .free = st_free,
};

/* ---- the latent sample: src is the mean, src2 the log-variance; keep holds exp(lv / 2) epsilon ---- */

static strait_status plan_sample(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                 strait_error *err) {
    ST_TRY(plan(out, request, err));
    const st_noise *state = *out;
    needs->keep = state->batch * state->n; /* evaluation draws too */
    return STRAIT_OK;
}

/* What one unit of sum (1 + lv - mean^2 - exp(lv)) is worth as KL divergence: -1/2, averaged over the latent where the
   op says so; and the KL's weight in the loss. */
static double kl_unit(const st_op *op, size_t n) {
    return op->kl_mean ? -0.5 / (double)n : -0.5;
}
static double kl_weight(const st_op *op, const st_step *step) {
    return op->beta * (double)step->beta_scale;
}

static strait_status sample_forward(void *opaque) {
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    st_step *step = at->step;
    const size_t n = state->n, valid = step->mode == ST_MODE_APPLY ? 0 : (size_t)step->n_valid;
    double sum = 0;
    for (size_t i = 0; i < valid; i++) {
        const st_rng rng = stream_of(state, i, ST_RNG_LATENT);
        st_rng_normal(&rng, (uint32_t)state->op.random, at->keep + i * n, n);
        sum += state->vector->sample(at->dst + i * n, at->keep + i * n, at->src + i * n, at->src2 + i * n, n);
    }
    copy(at->dst + valid * n, at->src + valid * n, (state->batch - valid) * n);
    const double kl = kl_unit(&state->op, n) * sum;
    if (valid == 0) return STRAIT_OK;
    step->kl += kl;
    step->extra += kl_weight(&state->op, step) * kl;
    return STRAIT_OK;
}

/* KL = -1/2 sum (1 + lv - mean^2 - exp(lv)): by the mean it is mean, by lv (exp(lv) - 1) / 2. */
static strait_status sample_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    const st_step *step = at->step;
    const size_t n = (size_t)step->n_valid * state->n, rest = state->batch * state->n - n;
    const double factor = kl_weight(&state->op, step) * -2 * kl_unit(&state->op, state->n) / (double)step->n_batch;
    const st_sample call = {.mean = at->src,
                            .lv = at->src2,
                            .noise = at->keep,
                            .dz = at->ddst,
                            .dmean = at->dsrc,
                            .dlv = at->dsrc2,
                            .factor = (float)factor};
    state->vector->sample_gradient(&call, n);
    if (at->dsrc) memset(at->dsrc + n, 0, rest * sizeof(float));
    if (at->dsrc2) memset(at->dsrc2 + n, 0, rest * sizeof(float));
    return STRAIT_OK;
}

const st_kernel st_cpu_sample = {
    .plan = plan_sample,
    .bind = bind,
    .forward = sample_forward,
    .backward = sample_backward,
    .free = st_free,
};

/* ---- penalties ---- */

static strait_status penalty_forward(void *opaque) {
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    copy(at->dst, at->src, state->batch * state->n);
    if (at->step->mode != ST_MODE_APPLY)
        at->step->extra += state->vector->penalty(at->src, (float)state->op.l1, (float)state->op.l2,
                                                  (size_t)at->step->n_valid * state->n);
    return STRAIT_OK;
}

static strait_status penalty_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_noise *state = opaque;
    const st_binding *at = &state->at;
    if (!at->dsrc) return STRAIT_OK;
    const size_t n = (size_t)at->step->n_valid * state->n;
    const double n_batch = (double)at->step->n_batch;
    state->vector->penalty_gradient(at->dsrc, at->ddst, at->src, (float)(state->op.l1 / n_batch),
                                    (float)(state->op.l2 / n_batch), n);
    copy(at->dsrc + n, at->ddst + n, state->batch * state->n - n);
    return STRAIT_OK;
}

const st_kernel st_cpu_penalty = {
    .plan = plan_plain,
    .bind = bind,
    .forward = penalty_forward,
    .backward = penalty_backward,
    .free = st_free,
};
