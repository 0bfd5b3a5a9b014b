/* An engine for tests of the plan: the reference's dense, activation and loss, and small kernels of our own for what
   has two inputs or parts of one. Ours do all a kernel is allowed to do: they spoil the gradient they are given and
   the scratch, write every row, and look whether what they kept is still there. */
#ifndef TESTS_GRAPH_FAKE_H
#define TESTS_GRAPH_FAKE_H

#include "graph/networks.h"

typedef struct fake {
    const st_graph *graph;
    st_op op;
    int64_t batch;
    bool training;
    st_binding at;
} fake;

#define FAKE_KEEP 37
#define FAKE_SCRATCH 21

static inline strait_status fake_plan(void **state, st_kernel_needs *needs, const st_kernel_request *request,
                                      strait_error *err) {
    fake *f = st_alloc(1, sizeof *f);
    if (!f) return st_fail_memory(err, sizeof *f, "a fake kernel");
    *f = (fake){.graph = request->graph, .op = *request->op, .batch = request->batch, .training = request->training};
    needs->scratch = FAKE_SCRATCH;
    needs->keep = FAKE_KEEP;
    *state = f;
    return STRAIT_OK;
}

static inline strait_status fake_bind(void *state, const st_binding *binding, strait_error *err) {
    (void)err;
    ((fake *)state)->at = *binding;
    return STRAIT_OK;
}

/* Values of one row of tensor t, and of its last axis. */
static inline int64_t fake_row(const fake *f, int t) {
    return st_shape_count(&f->graph->tensor[t].shape);
}
static inline int64_t fake_last(const fake *f, int t) {
    const st_shape *shape = &f->graph->tensor[t].shape;
    return shape->dim[shape->n_dims - 1];
}

static inline void fake_begin(const fake *f) {
    fill_nan(f->at.scratch, FAKE_SCRATCH);
    for (int i = 0; i < FAKE_KEEP; i++)
        f->at.keep[i] = (float)(f->op.dst * 100 + i);
}

static inline void fake_end(const fake *f) {
    for (int i = 0; i < FAKE_KEEP; i++)
        if (f->at.keep[i] != (float)(f->op.dst * 100 + i))
            fail_msg("what the op that writes tensor %d kept was overwritten", f->op.dst);
    fill_nan(f->at.scratch, FAKE_SCRATCH);
    fill_nan(f->at.ddst, (size_t)(f->batch * fake_row(f, f->op.dst)));
}

static inline strait_status fake_add_forward(void *state) {
    const fake *f = state;
    fake_begin(f);
    for (int64_t i = 0; i < f->batch * fake_row(f, f->op.dst); i++)
        f->at.dst[i] = f->at.src[i] + f->at.src2[i];
    return STRAIT_OK;
}

static inline strait_status fake_add_backward(void *state, bool accumulate) {
    (void)accumulate;
    const fake *f = state;
    for (int64_t i = 0; i < f->batch * fake_row(f, f->op.dst); i++) {
        if (f->at.dsrc) f->at.dsrc[i] = f->at.ddst[i];
        if (f->at.dsrc2) f->at.dsrc2[i] = f->at.ddst[i];
    }
    fake_end(f);
    return STRAIT_OK;
}

/* Between the parts of the last axis, [rows, a] and [rows, b], and the whole, [rows, a + b]. */
static inline strait_status fake_concat_forward(void *state) {
    const fake *f = state;
    const int64_t a = fake_last(f, f->op.src), b = fake_last(f, f->op.src2);
    fake_begin(f);
    for (int64_t r = 0; r < f->batch * fake_row(f, f->op.src) / a; r++) {
        memcpy(f->at.dst + r * (a + b), f->at.src + r * a, (size_t)a * sizeof(float));
        memcpy(f->at.dst + r * (a + b) + a, f->at.src2 + r * b, (size_t)b * sizeof(float));
    }
    return STRAIT_OK;
}

static inline strait_status fake_concat_backward(void *state, bool accumulate) {
    (void)accumulate;
    const fake *f = state;
    const int64_t a = fake_last(f, f->op.src), b = fake_last(f, f->op.src2);
    for (int64_t r = 0; r < f->batch * fake_row(f, f->op.src) / a; r++) {
        if (f->at.dsrc) memcpy(f->at.dsrc + r * a, f->at.ddst + r * (a + b), (size_t)a * sizeof(float));
        if (f->at.dsrc2) memcpy(f->at.dsrc2 + r * b, f->at.ddst + r * (a + b) + a, (size_t)b * sizeof(float));
    }
    fake_end(f);
    return STRAIT_OK;
}

static inline strait_status fake_slice_forward(void *state) {
    const fake *f = state;
    const int64_t n = fake_last(f, f->op.src), m = fake_last(f, f->op.dst);
    fake_begin(f);
    for (int64_t r = 0; r < f->batch * fake_row(f, f->op.src) / n; r++)
        memcpy(f->at.dst + r * m, f->at.src + r * n + f->op.begin, (size_t)m * sizeof(float));
    return STRAIT_OK;
}

static inline strait_status fake_slice_backward(void *state, bool accumulate) {
    (void)accumulate;
    const fake *f = state;
    const int64_t n = fake_last(f, f->op.src), m = fake_last(f, f->op.dst);
    const int64_t rows = f->batch * fake_row(f, f->op.src) / n;
    memset(f->at.dsrc, 0, (size_t)(rows * n) * sizeof(float));
    for (int64_t r = 0; r < rows; r++)
        memcpy(f->at.dsrc + r * n + f->op.begin, f->at.ddst + r * m, (size_t)m * sizeof(float));
    fake_end(f);
    return STRAIT_OK;
}

static const st_kernel fake_add = {
    .plan = fake_plan, .bind = fake_bind, .forward = fake_add_forward, .backward = fake_add_backward, .free = st_free};
static const st_kernel fake_concat = {.plan = fake_plan,
                                      .bind = fake_bind,
                                      .forward = fake_concat_forward,
                                      .backward = fake_concat_backward,
                                      .free = st_free};
static const st_kernel fake_slice = {.plan = fake_plan,
                                     .bind = fake_bind,
                                     .forward = fake_slice_forward,
                                     .backward = fake_slice_backward,
                                     .free = st_free};

static inline st_engine fake_engine(void) {
    st_engine engine = st_engine_reference;
    engine.name = "fake";
    engine.kernel[ST_OP_ADD] = &fake_add;
    engine.kernel[ST_OP_CONCAT] = &fake_concat;
    engine.kernel[ST_OP_SLICE] = &fake_slice;
    return engine;
}

#endif
