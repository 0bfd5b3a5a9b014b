/* Dropout, noise, latent samples and penalties of the reference engine. Nothing is kept: backward draws the same
   numbers again. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

static size_t count_of(const st_reference *state) {
    return (size_t)st_shape_count(&state->src);
}
static size_t all_of(const st_reference *state) {
    return (size_t)state->batch * count_of(state);
}
static size_t valid_of(const st_reference *state) {
    return (size_t)state->at.step->n_valid * count_of(state);
}

static st_rng stream_of(const st_reference *state, size_t sample, st_rng_purpose purpose) {
    const st_step *step = state->at.step;
    return (st_rng){.seed = step->seed, .purpose = purpose, .epoch = step->epoch, .sample = step->sample[sample]};
}

static void copy(float *dst, const float *src, size_t n) {
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i];
}

/* ---- dropout: y = x / (1 - rate) where the value's uniform number is at least the rate; else 0 ---- */

static float factor_of(const st_reference *state, size_t p) {
    if (p >= valid_of(state)) return 0;
    const st_rng rng = stream_of(state, p / count_of(state), ST_RNG_DROPOUT);
    const uint32_t bits = st_rng_bits(&rng, (uint32_t)state->op.random + (uint32_t)(p % count_of(state)));
    return (float)(bits >> 8) * 0x1p-24f >= (float)state->op.rate ? (float)(1 / (1 - state->op.rate)) : 0;
}

static strait_status dropout_forward(void *opaque) {
    const st_reference *state = opaque;
    for (size_t p = 0; p < all_of(state); p++) {
        const float factor = state->at.step->mode == ST_MODE_TRAIN ? factor_of(state, p) : 1;
        state->at.dst[p] = factor == 0 ? 0 : state->at.src[p] * factor;
    }
    return STRAIT_OK;
}
static strait_status dropout_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    for (size_t p = 0; state->at.dsrc && p < all_of(state); p++)
        state->at.dsrc[p] = state->at.ddst[p] * factor_of(state, p);
    return STRAIT_OK;
}

/* ---- y = x + stddev N(0, 1) ---- */

/* One sample's normal numbers into scratch. */
static const float *draw(const st_reference *state, size_t sample, st_rng_purpose purpose) {
    const st_rng rng = stream_of(state, sample, purpose);
    st_rng_normal(&rng, (uint32_t)state->op.random, state->at.scratch, count_of(state));
    return state->at.scratch;
}

static strait_status plan_drawing(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                  strait_error *err) {
    ST_TRY(st_reference_plan(out, needs, request, err));
    needs->scratch = count_of(*out);
    return STRAIT_OK;
}

static strait_status noise_forward(void *opaque) {
    const st_reference *state = opaque;
    const size_t n = count_of(state);
    copy(state->at.dst, state->at.src, all_of(state));
    for (size_t i = 0; state->at.step->mode == ST_MODE_TRAIN && i < (size_t)state->at.step->n_valid; i++) {
        const float *noise = draw(state, i, ST_RNG_NOISE);
        for (size_t j = 0; j < n; j++)
            state->at.dst[i * n + j] = (float)((double)state->at.src[i * n + j] + state->op.stddev * (double)noise[j]);
    }
    return STRAIT_OK;
}
static strait_status noise_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    if (state->at.dsrc) copy(state->at.dsrc, state->at.ddst, all_of(state));
    return STRAIT_OK;
}

/* ---- z = mean + exp(lv / 2) N(0, 1);  KL = -1/2 sum (1 + lv - mean^2 - exp(lv)), or its mean over the latent ---- */

static double weight_of_kl(const st_reference *state) {
    return state->op.beta * (double)state->at.step->beta_scale;
}
static double share_of_value(const st_reference *state) {
    return state->op.kl_mean ? 1 / (double)count_of(state) : 1;
}

static strait_status sample_forward(void *opaque) {
    const st_reference *state = opaque;
    st_step *step = state->at.step;
    const size_t n = count_of(state);
    copy(state->at.dst, state->at.src, all_of(state));
    for (size_t i = 0; step->mode != ST_MODE_APPLY && i < (size_t)step->n_valid; i++) {
        const float *noise = draw(state, i, ST_RNG_LATENT);
        for (size_t j = 0; j < n; j++) {
            const double mean = (double)state->at.src[i * n + j], lv = (double)state->at.src2[i * n + j];
            const double kl = -0.5 * (1 + lv - mean * mean - exp(lv)) * share_of_value(state);
            state->at.dst[i * n + j] = (float)(mean + exp(lv / 2) * (double)noise[j]);
            step->kl += kl;
            step->extra += weight_of_kl(state) * kl;
        }
    }
    return STRAIT_OK;
}

/* dmean = dz + w mean;  dlv = dz exp(lv / 2) noise / 2 + w (exp(lv) - 1) / 2;  w the weight of a value's KL */
static strait_status sample_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const size_t n = count_of(state);
    const double w = weight_of_kl(state) * share_of_value(state) / (double)at->step->n_batch;
    for (size_t i = 0; i < (size_t)state->batch; i++) {
        const bool valid = i < (size_t)at->step->n_valid;
        const float *noise = valid ? draw(state, i, ST_RNG_LATENT) : NULL;
        for (size_t j = 0; j < n; j++) {
            const size_t p = i * n + j;
            const double mean = (double)at->src[p], lv = (double)at->src2[p], dz = (double)at->ddst[p];
            if (at->dsrc) at->dsrc[p] = valid ? (float)(dz + w * mean) : 0;
            if (!at->dsrc2) continue;
            at->dsrc2[p] = valid ? (float)(dz * exp(lv / 2) * (double)noise[j] / 2 + w * (exp(lv) - 1) / 2) : 0;
        }
    }
    return STRAIT_OK;
}

/* ---- y = x;  l1 |x| + l2 x^2 beside the loss ---- */

static strait_status penalty_forward(void *opaque) {
    const st_reference *state = opaque;
    const st_op *op = &state->op;
    copy(state->at.dst, state->at.src, all_of(state));
    for (size_t p = 0; state->at.step->mode != ST_MODE_APPLY && p < valid_of(state); p++) {
        const double x = (double)state->at.src[p];
        state->at.step->extra += op->l1 * fabs(x) + op->l2 * x * x;
    }
    return STRAIT_OK;
}
static strait_status penalty_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    const st_op *op = &state->op;
    const double n_batch = (double)state->at.step->n_batch;
    for (size_t p = 0; state->at.dsrc && p < all_of(state); p++) {
        const double x = (double)state->at.src[p], sign = x > 0 ? 1 : x < 0 ? -1 : 0;
        const double more = p < valid_of(state) ? (op->l1 * sign + 2 * op->l2 * x) / n_batch : 0;
        state->at.dsrc[p] = (float)((double)state->at.ddst[p] + more);
    }
    return STRAIT_OK;
}

#define KERNEL(plan_function, forward_function, backward_function)                                                     \
    {                                                                                                                  \
        .plan = plan_function, .bind = st_reference_bind, .forward = forward_function, .backward = backward_function,  \
        .describe = st_reference_describe, .free = st_free                                                             \
    }

const st_kernel st_reference_dropout = KERNEL(st_reference_plan, dropout_forward, dropout_backward);
const st_kernel st_reference_gaussian_noise = KERNEL(plan_drawing, noise_forward, noise_backward);
const st_kernel st_reference_sample = KERNEL(plan_drawing, sample_forward, sample_backward);
const st_kernel st_reference_penalty = KERNEL(st_reference_plan, penalty_forward, penalty_backward);
