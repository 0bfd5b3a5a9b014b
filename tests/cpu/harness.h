/* What the tests of the engines share: one op on one engine, run alone through its kernel with buffers of exactly the
   sizes asked for (so that the address sanitizer sees a step over the edge), and comparing.
   Everything a kernel must write is filled with NaN before; values are multiples of 1/64 in [-1, 1], so that adding or
   taking off a power of two is exact. */
#ifndef TESTS_CPU_HARNESS_H
#define TESTS_CPU_HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/engine.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Asks for an instruction set; skips the test by name where this processor lacks it. state is the set's name. */
static inline void use_instructions(void **state) {
    const char *name = *state;
    setenv("STRAIT_INSTRUCTIONS", name, 1);
    if (strcmp(st_cpu_instructions(), name) == 0) return;
    print_message("this processor has no %s\n", name);
    skip();
}

/* Pseudorandom multiples of 1/64 in [-1, 1]. */
static inline void fill(float *values, size_t n, uint32_t seed) {
    uint32_t x = seed * 2654435761u + 12345u;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        values[i] = (float)((int32_t)((x >> 16) % 129) - 64) / 64.0f;
    }
}

static inline void fill_nan(float *values, size_t n) {
    for (size_t i = 0; values && i < n; i++)
        values[i] = NAN;
}

static inline float *new_floats(size_t n) {
    float *values = st_alloc_aligned(n * sizeof *values);
    assert_non_null(values);
    return values;
}

static inline float *new_filled(size_t n, uint32_t seed) {
    float *values = new_floats(n);
    fill(values, n, seed);
    return values;
}

/* Largest magnitude, at least 1. */
static inline double scale_of(const float *values, size_t n) {
    double most = 1;
    for (size_t i = 0; i < n; i++)
        if (fabs((double)values[i]) > most) most = fabs((double)values[i]);
    return most;
}

/* Fails, saying where, unless |got - want| <= tolerance * max(1, largest |want|) everywhere. */
static inline void assert_close(const char *title, const char *what, const float *got, const float *want, size_t n,
                                double tolerance) {
    const double bound = tolerance * scale_of(want, n);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= bound))
            fail_msg("%s: %s[%zu of %zu] is %.9g, not %.9g (±%.2g)", title, what, i, n, (double)got[i], (double)want[i],
                     bound);
}

/* ---- one op ---- */

typedef struct op_case {
    st_op_kind kind;
    int64_t batch;
    st_shape in;
    int64_t out; /* units or filters */
    int64_t kernel[2], stride[2];
    st_padding padding;
    bool bias;
    st_activation activation;
    int64_t factor[2]; /* upsample2d */
    bool bilinear;
    int64_t before[2], after[2]; /* crop2d, zero_pad2d; slice: before[0] to after[0]; concat: out is src2's last axis */
    double rate, stddev, beta, l1, l2, epsilon;
    bool kl_mean;
    st_mode mode;    /* the ops above do not look at it */
    int64_t missing; /* rows of the batch that are padding */
} op_case;

static inline st_activation act(st_activation_kind kind) {
    return (st_activation){.kind = kind, .slope = kind == ST_LEAKY_RELU ? 0.3f : kind == ST_ELU ? 1.0f : 0.0f};
}

/* A loss of one term. */
static inline st_loss one_term(st_loss_kind kind) {
    return (st_loss){.n = 1, .term = {{.kind = kind, .weight = 1.0f, .delta = 1.0f}}};
}

static inline void case_title(char out[256], const op_case *c, const char *engine) {
    char in[96];
    st_shape_print(in, &c->in);
    snprintf(out, 256, "%s (%s) %s, batch %lld: %s -> %lld, kernel %lldx%lld stride %lldx%lld %s, bias %d, %s", engine,
             st_cpu_instructions(), st_op_name(c->kind), (long long)c->batch, in, (long long)c->out,
             (long long)c->kernel[0], (long long)c->kernel[1], (long long)c->stride[0], (long long)c->stride[1],
             c->padding == ST_SAME ? "same" : "valid", c->bias, st_activation_name(c->activation.kind));
}

/* Adds the case's op, if it is one of those after the loss in graph/op_list.h. */
static inline strait_status add_layer(int *dst, st_graph *graph, const op_case *c, int src2, strait_error *err) {
    const st_op_place place = {.prefix = "op"};
    switch (c->kind) {
    case ST_OP_MAX_POOL2D:
    case ST_OP_AVG_POOL2D:
        return st_graph_pool2d(dst, graph, 0, c->kind == ST_OP_MAX_POOL2D, c->kernel, c->stride, c->padding, place,
                               err);
    case ST_OP_UPSAMPLE2D: return st_graph_upsample2d(dst, graph, 0, c->factor, c->bilinear, place, err);
    case ST_OP_BATCH_NORM: return st_graph_batch_norm(dst, graph, 0, 0.9, c->epsilon, place, err);
    case ST_OP_LAYER_NORM: return st_graph_layer_norm(dst, graph, 0, c->epsilon, place, err);
    case ST_OP_DROPOUT: return st_graph_dropout(dst, graph, 0, c->rate, place, err);
    case ST_OP_GAUSSIAN_NOISE: return st_graph_gaussian_noise(dst, graph, 0, c->stddev, place, err);
    case ST_OP_CROP2D: return st_graph_crop2d(dst, graph, 0, c->before, c->after, place, err);
    case ST_OP_ZERO_PAD2D: return st_graph_zero_pad2d(dst, graph, 0, c->before, c->after, place, err);
    case ST_OP_SLICE: return st_graph_slice(dst, graph, 0, c->before[0], c->after[0], place, err);
    case ST_OP_CONCAT: return st_graph_concat(dst, graph, 0, src2, place, err);
    case ST_OP_ADD: return st_graph_add(dst, graph, 0, src2, place, err);
    case ST_OP_SAMPLE: return st_graph_sample(dst, graph, 0, src2, c->beta, c->kl_mean, place, err);
    case ST_OP_PENALTY: return st_graph_penalty(dst, graph, 0, c->l1, c->l2, place, err);
    default: return st_fail(err, STRAIT_ENGINE, "no case for %s", st_op_name(c->kind));
    }
}

static inline bool has_second(st_op_kind kind) {
    return kind == ST_OP_CONCAT || kind == ST_OP_ADD || kind == ST_OP_SAMPLE;
}

/* A graph whose last op is the case's; before it stands only what makes a second input, if it has one. */
static inline st_graph *case_graph(const op_case *c) {
    st_graph *graph = NULL;
    const st_op_place place = {.prefix = "op"};
    strait_error err = {0};
    int dst = -1, second = -1;
    assert_int_equal(st_graph_new(&graph, &c->in, &err), STRAIT_OK);
    strait_status status = STRAIT_OK;
    if (has_second(c->kind)) {
        const int64_t n = c->kind == ST_OP_CONCAT ? c->out : c->in.dim[c->in.n_dims - 1];
        status = st_graph_dense(&second, graph, 0, n, false, act(ST_LINEAR), (st_op_place){.prefix = "second"}, &err);
    }
    if (status != STRAIT_OK)
        fail_msg("%s", err.message);
    else if (c->kind == ST_OP_DENSE)
        status = st_graph_dense(&dst, graph, 0, c->out, c->bias, c->activation, place, &err);
    else if (c->kind == ST_OP_ACTIVATION)
        status = st_graph_activation(&dst, graph, 0, false, c->activation, place, &err);
    else if (c->kind == ST_OP_CONV2D || c->kind == ST_OP_CONV2D_TRANSPOSE)
        status = st_graph_conv2d(&dst, graph, 0, c->kind == ST_OP_CONV2D_TRANSPOSE, c->out, c->kernel, c->stride,
                                 c->padding, c->bias, c->activation, place, &err);
    else
        status = add_layer(&dst, graph, c, second, &err);
    if (status != STRAIT_OK) fail_msg("%s", err.message);
    graph->output = dst;
    return graph;
}

/* Convolutions run code made at run time, which no sanitizer sees: their buffers end in a stretch that must stay as it
   is. Other ops get buffers of the exact size. */
#define GUARD 1024
#define GUARD_VALUE 777.25f

typedef struct op_bench {
    st_graph *graph;
    size_t n_guard; /* floats */
    const st_kernel *kernel;
    void *state;
    st_kernel_needs needs;
    size_t n_src, n_dst, n_kernel, n_bias; /* of the micro-batch; canonical */
    float *src, *dst, *ddst, *dsrc, *w, *b, *dw, *db, *scratch;
    const st_op *op;
    size_t n_src2, n_state, n_valid; /* n_valid: values of dst in rows that are samples */
    float *src2, *dsrc2, *keep, *hold, *moving;
    uint32_t sample[64];
    st_step step;
} op_bench;

static inline float *bench_floats(const op_bench *bench, size_t n) {
    float *values = new_floats(n + bench->n_guard);
    for (size_t i = 0; i < bench->n_guard; i++)
        values[n + i] = GUARD_VALUE;
    return values;
}

static inline void bench_check_guard(const op_bench *bench, const float *values, size_t n, const char *what) {
    for (size_t i = 0; values && i < bench->n_guard; i++)
        if (values[n + i] != GUARD_VALUE) {
            char how[128] = "";
            if (bench->kernel->describe) bench->kernel->describe(bench->state, how, sizeof how);
            fail_msg("%s: written %zu floats past the end of %s (%s)", st_op_name(bench->op->kind), i + 1, what, how);
        }
}

/* The step, and moving statistics: means of some size, variances above 0. Samples have numbers out of order. */
static inline void bench_start(op_bench *bench, const op_case *c) {
    assert_true(c->batch <= (int64_t)COUNT(bench->sample));
    for (int64_t i = 0; i < c->batch; i++)
        bench->sample[i] = (uint32_t)((i * 37 + 5) % 101);
    bench->step = (st_step){.mode = c->mode,
                            .n_valid = c->batch - c->missing,
                            .n_batch = c->batch - c->missing,
                            .seed = 77,
                            .epoch = 3,
                            .sample = bench->sample,
                            .beta_scale = 0.75f};
    fill(bench->moving, bench->n_state, 8);
    for (size_t i = bench->n_state / 2; i < bench->n_state; i++)
        bench->moving[i] = bench->moving[i] * 0.5f + 1.0f;
}

static inline void bench_open(op_bench *bench, const op_case *c, const st_engine *engine, bool dst_is_preactivation) {
    const bool made_code = c->kind == ST_OP_CONV2D || c->kind == ST_OP_CONV2D_TRANSPOSE;
    *bench = (op_bench){.graph = case_graph(c), .n_guard = made_code ? GUARD : 0};
    const st_graph *graph = bench->graph;
    const st_op *op = &graph->op[graph->n_ops - 1];
    bench->op = op;
    const st_kernel_request request = {.graph = graph,
                                       .op = op,
                                       .batch = c->batch,
                                       .training = true,
                                       .needs_dsrc = true,
                                       .dst_is_preactivation = dst_is_preactivation};
    strait_error err = {0};
    bench->kernel = engine->kernel[op->kind];
    if (bench->kernel->plan(&bench->state, &bench->needs, &request, &err) != STRAIT_OK) {
        char title[256];
        case_title(title, c, engine->name);
        fail_msg("%s: %s", title, err.message);
    }
    bench->n_src = (size_t)(c->batch * st_shape_count(&graph->tensor[op->src].shape));
    bench->n_dst = (size_t)(c->batch * st_shape_count(&graph->tensor[op->dst].shape));
    bench->n_kernel = op->kernel < 0 ? 0 : (size_t)st_shape_count(&graph->parameter[op->kernel].shape);
    bench->n_bias = op->bias < 0 ? 0 : (size_t)st_shape_count(&graph->parameter[op->bias].shape);
    bench->n_src2 = op->src2 < 0 ? 0 : (size_t)(c->batch * st_shape_count(&graph->tensor[op->src2].shape));
    bench->n_state = op->state[0] < 0 ? 0 : 2 * (size_t)st_shape_count(&graph->parameter[op->state[0]].shape);
    bench->n_valid = bench->n_dst / (size_t)c->batch * (size_t)(c->batch - c->missing);
    bench->src = bench_floats(bench, bench->n_src);
    bench->dsrc = bench_floats(bench, bench->n_src);
    bench->dst = bench_floats(bench, bench->n_dst);
    bench->ddst = bench_floats(bench, bench->n_dst);
    bench->w = bench_floats(bench, bench->needs.kernel);
    bench->dw = bench_floats(bench, bench->needs.kernel);
    bench->b = bench->needs.bias ? bench_floats(bench, bench->needs.bias) : NULL;
    bench->db = bench->needs.bias ? bench_floats(bench, bench->needs.bias) : NULL;
    bench->scratch = bench_floats(bench, bench->needs.scratch);
    bench->src2 = bench->n_src2 ? bench_floats(bench, bench->n_src2) : NULL;
    bench->dsrc2 = bench->n_src2 ? bench_floats(bench, bench->n_src2) : NULL;
    bench->keep = bench_floats(bench, bench->needs.keep);
    bench->hold = bench_floats(bench, bench->needs.hold);
    bench->moving = bench_floats(bench, bench->n_state);
    fill_nan(bench->hold, bench->needs.hold);
    fill_nan(bench->keep, bench->needs.keep);
    bench_start(bench, c);
    const st_binding binding = {.src = bench->src,
                                .dst = bench->dst,
                                .ddst = bench->ddst,
                                .dsrc = bench->dsrc,
                                .kernel = bench->w,
                                .bias = bench->b,
                                .dkernel = bench->dw,
                                .dbias = bench->db,
                                .src2 = bench->src2,
                                .dsrc2 = bench->dsrc2,
                                .keep = bench->keep,
                                .hold = bench->hold,
                                .state = bench->moving,
                                .step = &bench->step,
                                .scratch = bench->scratch};
    assert_int_equal(bench->kernel->bind(bench->state, &binding, &err), STRAIT_OK);
}

static inline void bench_close(op_bench *bench) {
    const struct {
        const float *values;
        size_t n;
        const char *what;
    } guarded[] = {{bench->src, bench->n_src, "src"},
                   {bench->dst, bench->n_dst, "dst"},
                   {bench->ddst, bench->n_dst, "ddst"},
                   {bench->dsrc, bench->n_src, "dsrc"},
                   {bench->w, bench->needs.kernel, "kernel"},
                   {bench->dw, bench->needs.kernel, "dkernel"},
                   {bench->b, bench->needs.bias, "bias"},
                   {bench->db, bench->needs.bias, "dbias"},
                   {bench->hold, bench->needs.hold, "hold"},
                   {bench->scratch, bench->needs.scratch, "scratch"}}; /* the rest is of exact size */
    for (size_t i = 0; i < COUNT(guarded); i++)
        bench_check_guard(bench, guarded[i].values, guarded[i].n, guarded[i].what);
    bench->kernel->free(bench->state);
    st_graph_free(bench->graph);
    float *const block[] = {bench->src,   bench->dst,  bench->ddst, bench->dsrc,    bench->w,
                            bench->b,     bench->dw,   bench->db,   bench->scratch, bench->src2,
                            bench->dsrc2, bench->keep, bench->hold, bench->moving};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
}

/* Sets the parameters, canonical, and checks that the way into the packed layout and back changes nothing. */
static inline void bench_set(op_bench *bench, const float *w, const float *b) {
    if (!bench->n_kernel) return;
    fill_nan(bench->w, bench->needs.kernel);
    fill_nan(bench->b, bench->needs.bias);
    assert_int_equal(bench->kernel->pack(bench->state, bench->w, bench->b, w, b), STRAIT_OK);
    for (size_t i = 0; i < bench->needs.kernel; i++)
        if (isnan(bench->w[i])) fail_msg("pack leaves a hole at %zu", i);
    float *w_back = new_floats(bench->n_kernel), *b_back = new_floats(bench->n_bias);
    fill_nan(w_back, bench->n_kernel);
    assert_int_equal(bench->kernel->unpack(bench->state, w_back, b_back, bench->w, bench->b), STRAIT_OK);
    assert_memory_equal(w_back, w, bench->n_kernel * sizeof *w);
    if (bench->n_bias) assert_memory_equal(b_back, b, bench->n_bias * sizeof *b);
    bench->step.first = true;
    st_free(w_back);
    st_free(b_back);
}

static inline void bench_forward(op_bench *bench, const float *x) {
    memcpy(bench->src, x, bench->n_src * sizeof *x);
    fill_nan(bench->dst, bench->n_dst);
    fill_nan(bench->scratch, bench->needs.scratch);
    assert_int_equal(bench->kernel->forward(bench->state), STRAIT_OK);
}

/* dy [n_dst]. The first micro-batch finds NaN in the gradients' place, but for what the packed layout adds: that is
   zero from the start and stays so. */
static inline void bench_backward(op_bench *bench, const float *dy, bool accumulate) {
    memcpy(bench->ddst, dy, bench->n_dst * sizeof *dy);
    fill_nan(bench->dsrc, bench->n_src);
    fill_nan(bench->dsrc2, bench->n_src2);
    fill_nan(bench->scratch, bench->needs.scratch);
    if (!accumulate && bench->n_kernel) {
        float *w = new_floats(bench->n_kernel), *b = new_floats(bench->n_bias);
        fill_nan(w, bench->n_kernel);
        fill_nan(b, bench->n_bias);
        assert_int_equal(bench->kernel->pack(bench->state, bench->dw, bench->db, w, b), STRAIT_OK);
        st_free(w);
        st_free(b);
    }
    assert_int_equal(bench->kernel->backward(bench->state, accumulate), STRAIT_OK);
    bench->step.first = false; /* what is held from the first call must serve the next ones */
}

/* The canonical gradients; also that elements which the packed layout adds got none. */
static inline void bench_gradients(op_bench *bench, float *dw, float *db) {
    if (!bench->n_kernel) return;
    assert_int_equal(bench->kernel->unpack(bench->state, dw, db, bench->dw, bench->db), STRAIT_OK);
    float *w = new_floats(bench->needs.kernel), *b = new_floats(bench->needs.bias);
    assert_int_equal(bench->kernel->pack(bench->state, w, bench->db ? b : NULL, dw, db), STRAIT_OK);
    for (size_t i = 0; i < bench->needs.kernel; i++)
        if (w[i] != bench->dw[i]) fail_msg("element %zu exists in the packed layout alone, yet has a gradient", i);
    if (bench->n_bias) assert_memory_equal(b, bench->db, bench->needs.bias * sizeof *b);
    st_free(w);
    st_free(b);
}

#endif
