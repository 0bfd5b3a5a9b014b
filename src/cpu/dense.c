/* The dense op on the vector kernels. Over the last axis: leading axes count as rows. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

typedef struct st_dense_state {
    const st_vector_kernels *vector;
    st_dense call;
    int64_t part_rows; /* of one part */
    st_exchange *exchange;
} st_dense_state;

static strait_status plan(void **out, st_kernel_needs *needs, const st_kernel_request *request, strait_error *err) {
    st_dense_state *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "a dense layer");
    const st_shape *src = &request->graph->tensor[request->op->src].shape;
    const st_shape *dst = &request->graph->tensor[request->op->dst].shape;
    state->vector = st_vector();
    const int64_t panel = state->vector->panel;
    st_dense *call = &state->call;
    call->in = src->dim[src->n_dims - 1];
    call->out = dst->dim[dst->n_dims - 1];
    state->part_rows = request->batch * (st_shape_count(src) / call->in);
    call->parts = request->parts > 1 ? request->parts : 1;
    call->n_rows = state->part_rows * call->parts;
    call->n_panels = (call->out + panel - 1) / panel;
    call->activation = request->op->activation;
    call->dy_is_preactivation = request->dst_is_preactivation;
    needs->kernel = st_dense_packed_size(call->in, call->n_panels, panel);
    needs->bias = request->op->bias >= 0 ? (size_t)(call->n_panels * panel) : 0;
    const size_t tile = (size_t)(call->n_rows * panel);
    const size_t packed_dy = request->training ? (size_t)(call->n_panels * panel * (call->n_rows + 1)) : 0;
    needs->scratch = call->parts > 1 || tile > packed_dy ? tile : packed_dy; /* one is forward, the other backward */
    needs->common = call->parts > 1 ? packed_dy : 0;
    *out = state;
    return STRAIT_OK;
}

static strait_status bind(void *opaque, const st_binding *binding, strait_error *err) {
    (void)err;
    st_dense_state *state = opaque;
    st_dense *call = &state->call;
    call->part = call->parts > 1 ? binding->replica : 0;
    const int64_t before = call->part * state->part_rows; /* rows of other parts */
    call->x = binding->src - before * call->in;
    call->y = binding->dst - before * call->out;
    call->dy = binding->ddst ? binding->ddst - before * call->out : NULL;
    call->dx = binding->dsrc ? binding->dsrc - before * call->in : NULL;
    call->kernel = binding->kernel;
    call->bias = binding->bias;
    call->dkernel = binding->dkernel;
    call->dbias = binding->dbias;
    call->tile = binding->scratch;
    call->packed_dy = call->parts > 1 ? binding->common : binding->scratch;
    state->exchange = binding->exchange;
    return STRAIT_OK;
}

static strait_status forward(void *opaque) {
    const st_dense_state *state = opaque;
    state->vector->dense_forward(&state->call);
    return STRAIT_OK;
}

static strait_status backward(void *opaque, bool accumulate) {
    const st_dense_state *state = opaque;
    state->vector->dense_pack_gradient(&state->call);
    if (state->call.parts > 1) st_exchange_meet(state->exchange, state->call.part);
    state->vector->dense_backward(&state->call, accumulate);
    return STRAIT_OK;
}

static strait_status pack(void *opaque, float *packed_kernel, float *packed_bias, const float *kernel,
                          const float *bias) {
    const st_dense_state *state = opaque;
    const st_dense *call = &state->call;
    const int64_t panel = state->vector->panel;
    for (int64_t p = 0; p < call->n_panels; p++)
        for (int64_t k = 0; k <= call->in; k++)
            for (int64_t j = 0; j < panel; j++) {
                const int64_t column = p * panel + j;
                *packed_kernel++ = k < call->in && column < call->out ? kernel[k * call->out + column] : 0.0f;
            }
    for (int64_t j = 0; packed_bias && j < call->n_panels * panel; j++)
        packed_bias[j] = j < call->out ? bias[j] : 0.0f;
    return STRAIT_OK;
}

static strait_status unpack(void *opaque, float *kernel, float *bias, const float *packed_kernel,
                            const float *packed_bias) {
    const st_dense_state *state = opaque;
    const st_dense *call = &state->call;
    const int64_t panel = state->vector->panel;
    for (int64_t k = 0; k < call->in; k++)
        for (int64_t j = 0; j < call->out; j++)
            kernel[k * call->out + j] = packed_kernel[(j / panel * (call->in + 1) + k) * panel + j % panel];
    if (packed_bias) memcpy(bias, packed_bias, (size_t)call->out * sizeof *bias);
    return STRAIT_OK;
}

static void describe(const void *opaque, char *out, size_t n) {
    const st_dense_state *state = opaque;
    snprintf(out, n, "packed panels of %lld, %s%s", (long long)state->vector->panel, state->vector->name,
             state->call.parts > 1 ? ", by columns" : "");
}

const st_kernel st_cpu_dense = {
    .by_columns = true,
    .plan = plan,
    .bind = bind,
    .forward = forward,
    .backward = backward,
    .pack = pack,
    .unpack = unpack,
    .describe = describe,
    .free = st_free,
};
