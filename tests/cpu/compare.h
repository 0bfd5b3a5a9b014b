/* Comparing an engine with the reference, and both with central differences, for one op. */
#ifndef TESTS_CPU_COMPARE_H
#define TESTS_CPU_COMPARE_H

#include "cpu/harness.h"

/* Sums of up to a few thousand products of numbers below 1 in float: each rounding is at most 2^-24 of the sum so far,
   and they mostly cancel. 1e-5 of the largest value is 170 such roundings; a wrong index is off by some 0.1. */
#define ENGINE_TOLERANCE 1e-5

/* The values of one comparison. */
typedef struct op_values {
    float *x[2], *x2, *dy[2], *w, *b;
} op_values;

static inline op_values values_new(const op_bench *like) {
    return (op_values){
        .x = {new_filled(like->n_src, 1), new_filled(like->n_src, 2)},
        .x2 = new_filled(like->n_src2, 9),
        .dy = {new_filled(like->n_dst, 3), new_filled(like->n_dst, 4)},
        .w = new_filled(like->n_kernel, 5),
        .b = new_filled(like->n_bias, 6),
    };
}

static inline void values_free(op_values *v) {
    float *const block[] = {v->x[0], v->x[1], v->x2, v->dy[0], v->dy[1], v->w, v->b};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
}

/* Gradients of padding rows come in as zeros. */
static inline void clear_padding(const op_bench *like, op_values *v) {
    for (int i = 0; i < 2; i++)
        memset(v->dy[i] + like->n_valid, 0, (like->n_dst - like->n_valid) * sizeof(float));
}

static inline void put_second(op_bench *bench, const op_values *v) {
    if (bench->n_src2) memcpy(bench->src2, v->x2, bench->n_src2 * sizeof *v->x2);
}

/* Ops that do something else in training. */
static inline bool has_modes(st_op_kind kind) {
    return kind == ST_OP_BATCH_NORM || kind == ST_OP_DROPOUT || kind == ST_OP_GAUSSIAN_NOISE || kind == ST_OP_SAMPLE ||
           kind == ST_OP_PENALTY;
}

/* What the steps added to the loss, and moving statistics. */
static inline void compare_steps(const char *title, const op_bench *fast, const op_bench *plain) {
    const float got[2] = {(float)fast->step.kl, (float)fast->step.extra};
    const float want[2] = {(float)plain->step.kl, (float)plain->step.extra};
    assert_close(title, "kl and extra", got, want, 2, 1e-6);
    assert_close(title, "moving statistics", fast->moving, plain->moving, plain->n_state, ENGINE_TOLERANCE);
}

/* All rows are written; those that are padding have no gradient. */
static inline void check_padding(const char *title, const op_case *c, const op_bench *bench) {
    for (size_t i = 0; i < bench->n_dst; i++)
        if (!isfinite(bench->dst[i])) fail_msg("%s: y[%zu] is %g", title, i, (double)bench->dst[i]);
    const size_t batch = (size_t)c->batch, valid = (size_t)(c->batch - c->missing);
    for (size_t i = bench->n_src / batch * valid; i < bench->n_src; i++)
        if (bench->dsrc[i] != 0.0f) fail_msg("%s: dx[%zu], of padding, is %g", title, i, (double)bench->dsrc[i]);
    for (size_t i = bench->n_src2 / batch * valid; i < bench->n_src2; i++)
        if (bench->dsrc2[i] != 0.0f) fail_msg("%s: dx2[%zu], of padding, is %g", title, i, (double)bench->dsrc2[i]);
}

/* The engine against the reference: forward, backward, then a second micro-batch added. */
static inline void compare_engines(const op_case *c, const st_engine *engine, bool dst_is_preactivation) {
    char title[256];
    case_title(title, c, engine->name);
    op_bench fast, plain;
    bench_open(&fast, c, engine, dst_is_preactivation);
    bench_open(&plain, c, &st_engine_reference, dst_is_preactivation);
    op_values v = values_new(&plain);
    float *got_w = new_floats(plain.n_kernel), *want_w = new_floats(plain.n_kernel);
    float *got_b = new_floats(plain.n_bias), *want_b = new_floats(plain.n_bias);
    bench_set(&fast, v.w, v.b);
    bench_set(&plain, v.w, v.b);
    clear_padding(&plain, &v);
    put_second(&fast, &v);
    put_second(&plain, &v);
    for (int i = 0; i < 2; i++) {
        bench_forward(&fast, v.x[i]);
        bench_forward(&plain, v.x[i]);
        assert_close(title, "y", fast.dst, plain.dst, plain.n_valid, ENGINE_TOLERANCE);
        compare_steps(title, &fast, &plain);
        if (has_modes(c->kind) && c->mode != ST_MODE_TRAIN) continue;
        bench_backward(&fast, v.dy[i], i > 0);
        bench_backward(&plain, v.dy[i], i > 0);
        assert_close(title, "dx", fast.dsrc, plain.dsrc, plain.n_src, ENGINE_TOLERANCE);
        assert_close(title, "dx2", fast.dsrc2, plain.dsrc2, plain.n_src2, ENGINE_TOLERANCE);
        check_padding(title, c, &fast);
        bench_gradients(&fast, got_w, got_b);
        bench_gradients(&plain, want_w, want_b);
        assert_close(title, i ? "dkernel of two micro-batches" : "dkernel", got_w, want_w, plain.n_kernel,
                     ENGINE_TOLERANCE);
        assert_close(title, i ? "dbias of two micro-batches" : "dbias", got_b, want_b, plain.n_bias, ENGINE_TOLERANCE);
    }
    float *const block[] = {got_w, want_w, got_b, want_b};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
    values_free(&v);
    bench_close(&fast);
    bench_close(&plain);
}

/* ---- central differences ---- */

/* The step, exact to add to multiples of 1/64. */
#define STEP 0x1p-5

/* L = sum of dy y over the micro-batch, and what the op adds to the loss over n_batch; computed by the reference with
 *parameters and input as they stand in v; noise grows by the sum of |dy y|, of which each y's rounding to float takes
 *at most 2^-24. */
static inline double objective(op_bench *plain, const op_values *v, double *noise) {
    if (plain->n_kernel) plain->kernel->pack(plain->state, plain->w, plain->b, v->w, v->b);
    put_second(plain, v);
    plain->step.extra = 0;
    bench_forward(plain, v->x[0]);
    double sum = plain->step.extra / (double)plain->step.n_batch, size = fabs(sum);
    for (size_t i = 0; i < plain->n_dst; i++) {
        sum += (double)v->dy[0][i] * (double)plain->dst[i];
        size += fabs((double)v->dy[0][i] * (double)plain->dst[i]);
    }
    *noise = size;
    return sum;
}

/* dL by one of v's values: differences over h and 2 h, (4 D(h) - D(2 h)) / 3, which leaves an error of order h^4. */
static inline double difference(op_bench *plain, const op_values *v, float *value, double *noise) {
    const float at = *value;
    double d[2];
    for (int i = 0; i < 2; i++) {
        const double h = STEP * (i + 1);
        *value = (float)((double)at + h);
        const double above = objective(plain, v, noise);
        *value = (float)((double)at - h);
        d[i] = (above - objective(plain, v, noise)) / (2 * h);
    }
    *value = at;
    return (4 * d[0] - d[1]) / 3;
}

/* Compares the gradients of the two engines with differences at a few elements of one array of v. */
static inline void check_differences(const char *title, const char *what, op_bench *plain, const op_values *v,
                                     float *values, size_t n, const float *fast_gradient, const float *plain_gradient) {
    const size_t n_checked = n < 5 ? n : 5;
    for (size_t k = 0; k < n_checked; k++) {
        const size_t i = n_checked == 1 ? 0 : k * (n - 1) / (n_checked - 1);
        double noise;
        const double want = difference(plain, v, &values[i], &noise);
        /* Rounding: four values of L, each within 2^-24 noise, over at least 2 h, weighed 4/3 and 1/3: below
           2^-24 * noise / h * 5/3. The rest: h^4 = 1e-6 times a fifth derivative of L of a few times its size. */
        const double bound = (0x1p-24 / STEP * 5 / 3 + 2e-5) * (noise + 1);
        const float *const gradient[] = {fast_gradient, plain_gradient};
        for (int e = 0; e < 2; e++)
            if (!(fabs((double)gradient[e][i] - want) <= bound))
                fail_msg("%s: %s: d%s[%zu of %zu] is %.9g, the difference says %.9g (±%.2g)", title,
                         e ? "reference" : "engine", what, i, n, (double)gradient[e][i], want, bound);
    }
}

static inline bool has_kink(st_activation_kind kind) {
    return kind == ST_RELU || kind == ST_LEAKY_RELU || kind == ST_ELU || kind == ST_SELU;
}

/* Takes values near a kink out of L: dy = 0 where the preactivation can cross zero, which no change of one input or
   weight by 2 h, times the other below 1, brings further than that. */
static inline void step_round_kinks(const op_case *c, op_values *v) {
    op_case linear = *c;
    linear.activation = act(ST_LINEAR);
    if (c->kind == ST_OP_ACTIVATION) { /* linear makes no op: the input is the preactivation */
        for (int64_t i = 0; i < c->batch * st_shape_count(&c->in); i++)
            if (fabs((double)v->x[0][i]) <= 2 * STEP) v->dy[0][i] = 0;
        return;
    }
    op_bench bench;
    bench_open(&bench, &linear, &st_engine_reference, false);
    bench_set(&bench, v->w, v->b);
    bench_forward(&bench, v->x[0]);
    for (size_t i = 0; i < bench.n_dst; i++)
        if (fabs((double)bench.dst[i]) <= 2 * STEP) v->dy[0][i] = 0;
    bench_close(&bench);
}

/* Values that differ by 1/4 at least, so that no small change makes another one the largest of a window. */
static inline void spread(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i * 10007 % n) * 0.25f - (float)n * 0.125f;
}

/* |x| has its kink there. */
static inline void keep_off_zero(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (fabs((double)x[i]) <= 2 * STEP) x[i] = 0.5f;
}

/* Both engines' gradients of one op against central differences of the reference's forward. */
static inline void compare_with_differences(const op_case *c, const st_engine *engine) {
    char title[256];
    case_title(title, c, engine->name);
    op_bench fast, plain;
    bench_open(&fast, c, engine, false);
    bench_open(&plain, c, &st_engine_reference, false);
    op_values v = values_new(&plain);
    if (has_kink(c->activation.kind)) step_round_kinks(c, &v);
    clear_padding(&plain, &v);
    if (c->kind == ST_OP_MAX_POOL2D) spread(v.x[0], plain.n_src);
    if (c->kind == ST_OP_PENALTY) keep_off_zero(v.x[0], plain.n_src);
    float *dw[2], *db[2], *dx[2], *dx2[2];
    op_bench *const both[] = {&fast, &plain};
    for (int e = 0; e < 2; e++) {
        dw[e] = new_floats(plain.n_kernel);
        db[e] = new_floats(plain.n_bias);
        dx[e] = new_floats(plain.n_src);
        dx2[e] = new_floats(plain.n_src2);
        put_second(both[e], &v);
        bench_set(both[e], v.w, v.b);
        bench_forward(both[e], v.x[0]);
        bench_backward(both[e], v.dy[0], false);
        bench_gradients(both[e], dw[e], db[e]);
        memcpy(dx[e], both[e]->dsrc, plain.n_src * sizeof(float));
        if (plain.n_src2) memcpy(dx2[e], both[e]->dsrc2, plain.n_src2 * sizeof(float));
    }
    check_differences(title, "x2", &plain, &v, v.x2, plain.n_src2, dx2[0], dx2[1]);
    check_differences(title, "x", &plain, &v, v.x[0], plain.n_src, dx[0], dx[1]);
    check_differences(title, "kernel", &plain, &v, v.w, plain.n_kernel, dw[0], dw[1]);
    check_differences(title, "bias", &plain, &v, v.b, plain.n_bias, db[0], db[1]);
    for (int e = 0; e < 2; e++) {
        st_free(dw[e]);
        st_free(db[e]);
        st_free(dx[e]);
        st_free(dx2[e]);
    }
    values_free(&v);
    bench_close(&fast);
    bench_close(&plain);
}

#endif
