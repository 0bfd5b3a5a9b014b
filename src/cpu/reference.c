/* The reference engine's table, what its kernels share, and its optimisers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

strait_status st_reference_plan(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                strait_error *err) {
    st_reference *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "a reference kernel");
    const st_graph *graph = request->graph;
    const st_op *op = request->op;
    state->op = *op;
    state->src = graph->tensor[op->src].shape;
    if (op->src2 >= 0) state->src2 = graph->tensor[op->src2].shape;
    if (op->dst >= 0) state->dst = graph->tensor[op->dst].shape;
    if (op->kernel >= 0) state->n_kernel = (size_t)st_shape_count(&graph->parameter[op->kernel].shape);
    if (op->bias >= 0) state->n_bias = (size_t)st_shape_count(&graph->parameter[op->bias].shape);
    state->batch = request->batch;
    state->dy_is_preactivation = request->dst_is_preactivation;
    state->fused = request->fused;
    needs->kernel = state->n_kernel;
    needs->bias = state->n_bias;
    *out = state;
    return STRAIT_OK;
}

strait_status st_reference_bind(void *state, const st_binding *binding, strait_error *err) {
    (void)err;
    ((st_reference *)state)->at = *binding;
    return STRAIT_OK;
}

strait_status st_reference_pack(void *opaque, float *packed_kernel, float *packed_bias, const float *kernel,
                                const float *bias) {
    const st_reference *state = opaque;
    memcpy(packed_kernel, kernel, state->n_kernel * sizeof *kernel);
    if (state->n_bias) memcpy(packed_bias, bias, state->n_bias * sizeof *bias);
    return STRAIT_OK;
}

strait_status st_reference_unpack(void *state, float *kernel, float *bias, const float *packed_kernel,
                                  const float *packed_bias) {
    return st_reference_pack(state, kernel, bias, packed_kernel, packed_bias); /* one layout: there and back alike */
}

void st_reference_describe(const void *state, char *out, size_t n) {
    (void)state;
    snprintf(out, n, "plain C");
}

/* ---- the optimiser's pass: the formulas of graph/engine.h ---- */

/* One value's gradient, as the step takes it; its weight decays here. */
static double gradient_of(const st_update *u, size_t i) {
    double g = 0;
    for (int r = 0; r < u->n_gradients; r++)
        g += (double)u->gradient[r][i];
    g *= (double)u->gradient_scale;
    const double most = (double)u->clip_value, w = (double)u->value[i];
    if (g > most) g = most;
    if (g < -most) g = -most;
    u->value[i] = (float)(w - (double)u->decay * w);
    return g + (double)u->l1 * (w > 0 ? 1 : w < 0 ? -1 : 0) + 2 * (double)u->l2 * w;
}

/* *average = rho *average + (1 - rho) x */
static double average(float *value, float rho, double x) {
    const double next = (double)rho * (double)*value + (1 - (double)rho) * x;
    *value = (float)next;
    return next;
}

static double momentum_step(const st_update *u, size_t i, double g) {
    if (u->momentum == 0.0f) return (double)u->learning_rate * g; /* plain descent keeps no state */
    const double momentum = (double)u->momentum, rate = (double)u->learning_rate;
    const double m = momentum * (double)u->m[i] - rate * g;
    u->m[i] = (float)m;
    return u->nesterov ? rate * g - momentum * m : -m;
}

static double rmsprop_step(const st_update *u, size_t i, double g) {
    double d = average(&u->v[i], u->beta_2, g * g);
    if (u->centered) {
        const double mean = average(&u->u[i], u->beta_2, g);
        d -= mean * mean;
        if (d < 0) d = 0; /* by rounding alone */
    }
    const double e = (double)u->learning_rate * g / sqrt(d + (double)u->epsilon);
    if (u->momentum == 0.0f) return e;
    const double m = (double)u->momentum * (double)u->m[i] + e;
    u->m[i] = (float)m;
    return m;
}

static double adadelta_step(const st_update *u, size_t i, double g) {
    const double epsilon = (double)u->epsilon, v = average(&u->v[i], u->beta_2, g * g);
    const double e = sqrt((double)u->m[i] + epsilon) / sqrt(v + epsilon) * g;
    average(&u->m[i], u->beta_2, e * e);
    return (double)u->learning_rate * e;
}

/* What is taken off value i. */
static double step_of(const st_update *u, size_t i, double g) {
    const double rate = (double)u->learning_rate, epsilon = (double)u->epsilon;
    switch (u->kind) {
    case ST_OPTIMIZER_SGD: return momentum_step(u, i, g);
    case ST_OPTIMIZER_RMSPROP: return rmsprop_step(u, i, g);
    case ST_OPTIMIZER_ADADELTA: return adadelta_step(u, i, g);
    case ST_OPTIMIZER_ADAGRAD: {
        const double v = (double)u->v[i] + g * g;
        u->v[i] = (float)v;
        return rate * g / sqrt(v + epsilon);
    }
    case ST_OPTIMIZER_ADAM:
    case ST_OPTIMIZER_ADAMW:
    case ST_OPTIMIZER_NADAM: break;
    }
    const double m = average(&u->m[i], u->beta_1, g), v = average(&u->v[i], u->beta_2, g * g);
    if (u->kind != ST_OPTIMIZER_NADAM) return rate * m / (sqrt(v) + epsilon);
    return ((double)u->c_1 * m + (double)u->c_2 * g) / (sqrt(v / (double)u->c_3) + epsilon);
}

static void update(const st_update *u, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        const double g = gradient_of(u, i);
        u->value[i] = (float)((double)u->value[i] - step_of(u, i, g));
    }
}

static void plan_update(st_update *u) {
    u->run = update;
}

const st_engine st_engine_reference = {
    .name = "reference",
    .plan_update = plan_update,
    .kernel =
        {
            [ST_OP_DENSE] = &st_reference_dense,
            [ST_OP_CONV2D] = &st_reference_conv2d,
            [ST_OP_CONV2D_TRANSPOSE] = &st_reference_conv2d_transpose,
            [ST_OP_ACTIVATION] = &st_reference_activation,
            [ST_OP_LOSS] = &st_reference_loss,
            [ST_OP_MAX_POOL2D] = &st_reference_max_pool2d,
            [ST_OP_AVG_POOL2D] = &st_reference_avg_pool2d,
            [ST_OP_UPSAMPLE2D] = &st_reference_upsample2d,
            [ST_OP_BATCH_NORM] = &st_reference_batch_norm,
            [ST_OP_LAYER_NORM] = &st_reference_layer_norm,
            [ST_OP_DROPOUT] = &st_reference_dropout,
            [ST_OP_GAUSSIAN_NOISE] = &st_reference_gaussian_noise,
            [ST_OP_CROP2D] = &st_reference_cut,
            [ST_OP_ZERO_PAD2D] = &st_reference_zero_pad2d,
            [ST_OP_SLICE] = &st_reference_cut,
            [ST_OP_CONCAT] = &st_reference_concat,
            [ST_OP_ADD] = &st_reference_add,
            [ST_OP_SAMPLE] = &st_reference_sample,
            [ST_OP_PENALTY] = &st_reference_penalty,
        },
};
