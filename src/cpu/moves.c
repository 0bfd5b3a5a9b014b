/* Cutting, padding, slicing and joining: copies; and adding. */
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/vector.h"

/* A pixel row, or a last axis, of the larger tensor [rows][wide], of which [at, at + n) is the smaller one's. Crops and
   pads of rows of the image are whole rows more; their number is `before` and `after` for each image of `height`. */
typedef struct st_move {
    const st_vector_kernels *vector;
    size_t n_images, height, wide; /* of the larger tensor: images, rows in each, floats in a row */
    size_t before, after;          /* rows of it that the smaller one lacks */
    size_t at, n;                  /* floats of a row that the smaller one has; concat: at is where src2 begins */
    st_binding to;
} st_move;

static strait_status plan(void **out, st_kernel_needs *needs, const st_kernel_request *request, strait_error *err) {
    (void)needs;
    st_move *state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, st_op_name(request->op->kind));
    const st_op *op = request->op;
    const st_shape *src = &request->graph->tensor[op->src].shape, *dst = &request->graph->tensor[op->dst].shape;
    const bool image = op->kind == ST_OP_CROP2D || op->kind == ST_OP_ZERO_PAD2D;
    const st_shape *large = op->kind == ST_OP_CROP2D || op->kind == ST_OP_SLICE ? src : dst;
    const st_shape *small = large == src ? dst : src;
    const int64_t channels = large->dim[large->n_dims - 1];
    state->vector = st_vector();
    state->height = image ? (size_t)large->dim[0] : 1;
    state->wide = (size_t)(image ? large->dim[1] * channels : channels);
    state->n_images = (size_t)(request->batch * st_shape_count(large)) / (state->height * state->wide);
    state->before = image ? (size_t)op->window.pad_before[0] : 0;
    state->after = image ? (size_t)op->window.pad_after[0] : 0;
    state->n = (size_t)(image ? small->dim[1] * channels : small->dim[small->n_dims - 1]);
    if (image)
        state->at = (size_t)(op->window.pad_before[1] * channels);
    else
        state->at = op->kind == ST_OP_SLICE ? (size_t)op->begin : 0;
    *out = state;
    return STRAIT_OK;
}

static strait_status bind(void *opaque, const st_binding *binding, strait_error *err) {
    (void)err;
    ((st_move *)opaque)->to = *binding;
    return STRAIT_OK;
}

/* n floats of each row, from rows `from` apart to rows `to` apart. */
static void copy_rows(float *restrict dst, size_t to, const float *restrict src, size_t from, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, dst += to, src += from) {
        if (n >= 16)
            memcpy(dst, src, n * sizeof *dst);
        else
            for (size_t i = 0; i < n; i++)
                dst[i] = src[i];
    }
}

/* The smaller tensor from its part of the larger one. */
static void take(const st_move *move, float *small, const float *large) {
    const size_t rows = move->height - move->before - move->after;
    for (size_t i = 0; i < move->n_images; i++, small += rows * move->n)
        copy_rows(small, move->n, large + (i * move->height + move->before) * move->wide + move->at, move->wide, rows,
                  move->n);
}

/* The other way; the rest of the larger one is zero. */
static void place(const st_move *move, float *large, const float *small) {
    const size_t rows = move->height - move->before - move->after;
    memset(large, 0, move->n_images * move->height * move->wide * sizeof *large);
    for (size_t i = 0; i < move->n_images; i++, small += rows * move->n)
        copy_rows(large + (i * move->height + move->before) * move->wide + move->at, move->wide, small, move->n, rows,
                  move->n);
}

static strait_status take_forward(void *opaque) {
    const st_move *move = opaque;
    take(move, move->to.dst, move->to.src);
    return STRAIT_OK;
}
static strait_status take_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_move *move = opaque;
    if (move->to.dsrc) place(move, move->to.dsrc, move->to.ddst);
    return STRAIT_OK;
}
static strait_status place_forward(void *opaque) {
    const st_move *move = opaque;
    place(move, move->to.dst, move->to.src);
    return STRAIT_OK;
}
static strait_status place_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_move *move = opaque;
    if (move->to.dsrc) take(move, move->to.dsrc, move->to.ddst);
    return STRAIT_OK;
}

static strait_status concat_forward(void *opaque) {
    const st_move *move = opaque;
    const size_t n = move->n, wide = move->wide;
    copy_rows(move->to.dst, wide, move->to.src, n, move->n_images, n);
    copy_rows(move->to.dst + n, wide, move->to.src2, wide - n, move->n_images, wide - n);
    return STRAIT_OK;
}
static strait_status concat_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_move *move = opaque;
    const size_t n = move->n, wide = move->wide;
    if (move->to.dsrc) copy_rows(move->to.dsrc, n, move->to.ddst, wide, move->n_images, n);
    if (move->to.dsrc2) copy_rows(move->to.dsrc2, wide - n, move->to.ddst + n, wide, move->n_images, wide - n);
    return STRAIT_OK;
}

static strait_status add_forward(void *opaque) {
    const st_move *move = opaque;
    const st_binding *to = &move->to;
    move->vector->add_noise(to->dst, to->src, to->src2, 1.0f, move->n_images * move->wide);
    return STRAIT_OK;
}
static strait_status add_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_move *move = opaque;
    const st_binding *to = &move->to;
    const size_t bytes = move->n_images * move->wide * sizeof(float);
    if (to->dsrc && to->dsrc != to->ddst) memcpy(to->dsrc, to->ddst, bytes);
    if (to->dsrc2 && to->dsrc2 != to->ddst) memcpy(to->dsrc2, to->ddst, bytes);
    return STRAIT_OK;
}

const st_kernel st_cpu_cut = {
    .plan = plan, .bind = bind, .forward = take_forward, .backward = take_backward, .free = st_free};
const st_kernel st_cpu_zero_pad2d = {
    .plan = plan, .bind = bind, .forward = place_forward, .backward = place_backward, .free = st_free};
const st_kernel st_cpu_concat = {
    .plan = plan, .bind = bind, .forward = concat_forward, .backward = concat_backward, .free = st_free};
const st_kernel st_cpu_add = {
    .plan = plan, .bind = bind, .forward = add_forward, .backward = add_backward, .free = st_free};
