/* The activation op (where it could not be fused) and the losses, on the vector kernels. */
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

typedef struct st_pointwise {
    const st_vector_kernels *vector;
    st_activation activation; /* the op's own, or what the loss takes over */
    st_loss loss;
    size_t rows, n; /* rows of the last axis in a micro-batch; values in a row. A loss: n values of a sample */
    size_t batch;
    st_binding at;
    bool dy_is_preactivation;
} st_pointwise;

static strait_status plan(void **out, st_kernel_needs *needs, const st_kernel_request *request, strait_error *err) {
    (void)needs;
    st_pointwise *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "an activation or loss");
    const st_op *op = request->op;
    const st_shape *shape = &request->graph->tensor[op->src].shape;
    const int64_t count = st_shape_count(shape);
    const int64_t n = op->kind == ST_OP_LOSS ? count : shape->dim[shape->n_dims - 1];
    state->vector = st_vector();
    state->activation = op->kind == ST_OP_LOSS ? request->fused : op->activation;
    state->loss = op->loss;
    state->n = (size_t)n;
    state->rows = (size_t)(request->batch * (count / n));
    state->batch = (size_t)request->batch;
    state->dy_is_preactivation = request->dst_is_preactivation;
    *out = state;
    return STRAIT_OK;
}

static strait_status bind(void *opaque, const st_binding *binding, strait_error *err) {
    (void)err;
    ((st_pointwise *)opaque)->at = *binding;
    return STRAIT_OK;
}

static strait_status activation_forward(void *opaque) {
    const st_pointwise *state = opaque;
    const size_t n = state->rows * state->n;
    memcpy(state->at.dst, state->at.src, n * sizeof(float));
    if (state->activation.kind == ST_SOFTMAX)
        state->vector->softmax(state->at.dst, state->rows, state->n);
    else
        state->vector->activate(state->activation, state->at.dst, n);
    return STRAIT_OK;
}

static strait_status activation_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_pointwise *state = opaque;
    const st_binding *at = &state->at;
    const size_t n = state->rows * state->n;
    if (state->dy_is_preactivation)
        memcpy(at->dsrc, at->ddst, n * sizeof(float));
    else if (state->activation.kind == ST_SOFTMAX)
        state->vector->softmax_gradient(at->dsrc, at->ddst, at->dst, state->rows, state->n);
    else
        state->vector->activate_gradient(state->activation, at->dsrc, at->ddst,
                                         st_activation_needs_input(state->activation.kind) ? at->src : at->dst, n);
    return STRAIT_OK;
}

const st_kernel st_cpu_activation = {
    .plan = plan,
    .bind = bind,
    .forward = activation_forward,
    .backward = activation_backward,
    .free = st_free,
};

static void add_loss(const st_pointwise *state, float *dy) {
    st_step *step = state->at.step;
    const st_loss_call call = {
        .loss = state->loss,
        .fused = state->activation,
        .n = (size_t)step->n_valid * state->n,
        .y = state->at.src,
        .target = step->target,
        .dy = dy,
        .scale = step->scale,
    };
    step->loss += state->vector->loss(&call);
}

static strait_status loss_forward(void *opaque) {
    add_loss(opaque, NULL);
    return STRAIT_OK;
}

static strait_status loss_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_pointwise *state = opaque;
    const size_t valid = (size_t)state->at.step->n_valid;
    add_loss(state, state->at.dsrc);
    if (state->at.dsrc && valid < state->batch) /* padding rows pull at nothing */
        memset(state->at.dsrc + valid * state->n, 0, (state->batch - valid) * state->n * sizeof(float));
    return STRAIT_OK;
}

const st_kernel st_cpu_loss = {
    .plan = plan,
    .bind = bind,
    .forward = loss_forward,
    .backward = loss_backward,
    .free = st_free,
};
