/* Comparing an engine with the reference, and both with central differences, for one op. */
#ifndef TESTS_CPU_COMPARE_H
#define TESTS_CPU_COMPARE_H

#include "cpu/harness.h"

/* Sums of up to a few thousand products of numbers below 1 in float: each rounding is at most 2^-24 of the sum so far,
   and they mostly cancel. 1e-5 of the largest value is 170 such roundings; a wrong index is off by some 0.1. */
#define ENGINE_TOLERANCE 1e-5

/* The values of one comparison. */
typedef struct op_values {
    float *x[2], *dy[2], *w, *b;
} op_values;

static inline op_values values_new(const op_bench *like) {
    return (op_values){
        .x = {new_filled(like->n_src, 1), new_filled(like->n_src, 2)},
        .dy = {new_filled(like->n_dst, 3), new_filled(like->n_dst, 4)},
        .w = new_filled(like->n_kernel, 5),
        .b = new_filled(like->n_bias, 6),
    };
}

static inline void values_free(op_values *v) {
    float *const block[] = {v->x[0], v->x[1], v->dy[0], v->dy[1], v->w, v->b};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
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
    for (int i = 0; i < 2; i++) {
        bench_forward(&fast, v.x[i]);
        bench_forward(&plain, v.x[i]);
        assert_close(title, "y", fast.dst, plain.dst, plain.n_dst, ENGINE_TOLERANCE);
        bench_backward(&fast, v.dy[i], i > 0);
        bench_backward(&plain, v.dy[i], i > 0);
        assert_close(title, "dx", fast.dsrc, plain.dsrc, plain.n_src, ENGINE_TOLERANCE);
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

/* L = sum of dy y over the micro-batch, computed by the reference with parameters and input as they stand in v;
 *noise grows by the sum of |dy y|, of which each y's rounding to float takes at most 2^-24. */
static inline double objective(op_bench *plain, const op_values *v, double *noise) {
    if (plain->n_kernel) plain->kernel->pack(plain->state, plain->w, plain->b, v->w, v->b);
    bench_forward(plain, v->x[0]);
    double sum = 0, size = 0;
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

/* Both engines' gradients of one op against central differences of the reference's forward. */
static inline void compare_with_differences(const op_case *c, const st_engine *engine) {
    char title[256];
    case_title(title, c, engine->name);
    op_bench fast, plain;
    bench_open(&fast, c, engine, false);
    bench_open(&plain, c, &st_engine_reference, false);
    op_values v = values_new(&plain);
    if (has_kink(c->activation.kind)) step_round_kinks(c, &v);
    float *dw[2], *db[2], *dx[2];
    op_bench *const both[] = {&fast, &plain};
    for (int e = 0; e < 2; e++) {
        dw[e] = new_floats(plain.n_kernel);
        db[e] = new_floats(plain.n_bias);
        dx[e] = new_floats(plain.n_src);
        bench_set(both[e], v.w, v.b);
        bench_forward(both[e], v.x[0]);
        bench_backward(both[e], v.dy[0], false);
        bench_gradients(both[e], dw[e], db[e]);
        memcpy(dx[e], both[e]->dsrc, plain.n_src * sizeof(float));
    }
    check_differences(title, "x", &plain, &v, v.x[0], plain.n_src, dx[0], dx[1]);
    check_differences(title, "kernel", &plain, &v, v.w, plain.n_kernel, dw[0], dw[1]);
    check_differences(title, "bias", &plain, &v, v.b, plain.n_bias, db[0], db[1]);
    for (int e = 0; e < 2; e++) {
        st_free(dw[e]);
        st_free(db[e]);
        st_free(dx[e]);
    }
    values_free(&v);
    bench_close(&fast);
    bench_close(&plain);
}

#endif
