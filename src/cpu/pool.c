/* Pools and upsampling, on the vector kernels. */
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

/* ---- pools ---- */

typedef struct st_pool_state {
    const st_vector_kernels *vector;
    bool max;
    bool wide_index;
    bool training;
    st_pool call;
} st_pool_state;

static strait_status plan_pool(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                               strait_error *err) {
    st_pool_state *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "a pool");
    const st_op *op = request->op;
    const st_shape *src = &request->graph->tensor[op->src].shape, *dst = &request->graph->tensor[op->dst].shape;
    st_pool *call = &state->call;
    state->vector = st_vector();
    state->max = op->kind == ST_OP_MAX_POOL2D;
    state->training = request->training;
    state->wide_index = op->window.kernel[0] * op->window.kernel[1] > 256;
    *call = (st_pool){.n = request->batch,
                      .height = src->dim[0],
                      .width = src->dim[1],
                      .channels = src->dim[2],
                      .out_height = dst->dim[0],
                      .out_width = dst->dim[1]};
    for (int axis = 0; axis < 2; axis++) {
        call->kernel[axis] = op->window.kernel[axis];
        call->stride[axis] = op->window.stride[axis];
        call->pad[axis] = op->window.pad_before[axis];
    }
    const size_t values = (size_t)(request->batch * st_shape_count(dst));
    if (state->max && state->training) {
        needs->keep = state->wide_index ? values : (values + 3) / 4;
        needs->scratch = state->wide_index ? 0 : (size_t)(dst->dim[1] * dst->dim[2]);
    }
    *out = state;
    return STRAIT_OK;
}

static strait_status bind_pool(void *opaque, const st_binding *at, strait_error *err) {
    (void)err;
    st_pool_state *state = opaque;
    st_pool *call = &state->call;
    call->x = at->src;
    call->y = at->dst;
    call->dy = at->ddst;
    call->dx = at->dsrc;
    if (state->max && state->training) {
        call->index8 = state->wide_index ? NULL : (uint8_t *)at->keep;
        call->index_row = state->wide_index ? NULL : (int32_t *)(void *)at->scratch;
        call->index32 = state->wide_index ? (int32_t *)(void *)at->keep : NULL;
    }
    return STRAIT_OK;
}

static strait_status pool_forward(void *opaque) {
    const st_pool_state *state = opaque;
    (state->max ? state->vector->max_pool : state->vector->average_pool)(&state->call);
    return STRAIT_OK;
}

static strait_status pool_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_pool_state *state = opaque;
    if (state->call.dx)
        (state->max ? state->vector->max_pool_gradient : state->vector->average_pool_gradient)(&state->call);
    return STRAIT_OK;
}

const st_kernel st_cpu_pool2d = {
    .plan = plan_pool,
    .bind = bind_pool,
    .forward = pool_forward,
    .backward = pool_backward,
    .free = st_free,
};

/* ---- upsampling ---- */

typedef struct st_upsample {
    const st_vector_kernels *vector;
    bool bilinear;
    st_resize call;
    st_tap *tap[2];
} st_upsample;

/* Half-pixel centres: output o lies at (o + 1/2) / factor - 1/2, cut off at the edges. */
static st_tap *taps_new(int64_t size, int64_t factor) {
    st_tap *tap = st_alloc((size_t)(size * factor), sizeof *tap);
    for (int64_t o = 0; tap && o < size * factor; o++) {
        /* Position times 2 factor, and whole pixels of it, counted from one pixel before the image. */
        const int64_t twice = 2 * o + 1 + factor, below = twice / (2 * factor) - 1;
        tap[o].low = (int32_t)(below < 0 ? 0 : below);
        tap[o].high = (int32_t)(below + 1 < size ? below + 1 : size - 1);
        tap[o].weight = (float)(twice % (2 * factor)) / (float)(2 * factor);
    }
    return tap;
}

static void free_upsample(void *opaque) {
    st_upsample *state = opaque;
    if (!state) return;
    st_free(state->tap[0]);
    st_free(state->tap[1]);
    st_free(state);
}

static strait_status plan_upsample(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                   strait_error *err) {
    st_upsample *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "an upsampling");
    const st_op *op = request->op;
    const st_shape *src = &request->graph->tensor[op->src].shape;
    state->vector = st_vector();
    state->bilinear = op->bilinear;
    state->call =
        (st_resize){.n = request->batch, .height = src->dim[0], .width = src->dim[1], .channels = src->dim[2]};
    for (int axis = 0; axis < 2; axis++) {
        state->call.factor[axis] = op->factor[axis];
        if (!op->bilinear) continue;
        state->tap[axis] = taps_new(src->dim[axis], op->factor[axis]);
        state->call.tap[axis] = state->tap[axis];
        if (state->tap[axis]) continue;
        free_upsample(state);
        return st_fail_memory(err, (size_t)(src->dim[axis] * op->factor[axis]) * sizeof(st_tap), "an upsampling");
    }
    const int64_t row = src->dim[1] * src->dim[2];
    needs->scratch = (size_t)(op->bilinear ? row : row * op->factor[1]);
    *out = state;
    return STRAIT_OK;
}

static strait_status bind_upsample(void *opaque, const st_binding *at, strait_error *err) {
    (void)err;
    st_resize *call = &((st_upsample *)opaque)->call;
    call->x = at->src;
    call->y = at->dst;
    call->dy = at->ddst;
    call->dx = at->dsrc;
    call->scratch = at->scratch;
    return STRAIT_OK;
}

static strait_status upsample_forward(void *opaque) {
    const st_upsample *state = opaque;
    (state->bilinear ? state->vector->bilinear : state->vector->nearest)(&state->call);
    return STRAIT_OK;
}

static strait_status upsample_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_upsample *state = opaque;
    if (state->call.dx)
        (state->bilinear ? state->vector->bilinear_gradient : state->vector->nearest_gradient)(&state->call);
    return STRAIT_OK;
}

const st_kernel st_cpu_upsample2d = {
    .plan = plan_upsample,
    .bind = bind_upsample,
    .forward = upsample_forward,
    .backward = upsample_backward,
    .free = free_upsample,
};
