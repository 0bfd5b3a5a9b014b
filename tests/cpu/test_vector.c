/* The vector kernels' functions and losses against libm in double, for each instruction set; and the 16-lane code on
   any processor. */
#include "cpu/compare.h"
#define WIDE_KERNELS "cpu/dense.c"
#include "cpu/wide.h"

/* The kernels of the set named by the test's state. */
static const st_vector_kernels *kernels_of(void **state) {
    if (strcmp(*state, "wide") == 0) return &st_vector_wide;
    use_instructions(state);
    return st_vector();
}

/* ---- accuracy ---- */

#define N_POINTS 40001

/* Points from low to high, evenly. */
static float *points(double low, double high) {
    float *x = new_floats(N_POINTS);
    for (int i = 0; i < N_POINTS; i++)
        x[i] = (float)(low + (high - low) * i / (N_POINTS - 1));
    return x;
}

static double sigmoid_of(double x) {
    return 1 / (1 + exp(-x));
}

/* Largest error of act(x) over the points; relative, or absolute. */
static double worst_error(const st_vector_kernels *kernels, st_activation_kind kind, double (*exact)(double),
                          double low, double high, bool relative) {
    float *x = points(low, high), *y = points(low, high);
    kernels->activate(act(kind), y, N_POINTS);
    double worst = 0;
    for (int i = 0; i < N_POINTS; i++) {
        const double want = exact((double)x[i]), error = fabs((double)y[i] - want) / (relative ? fabs(want) : 1);
        if (want == 0 && y[i] == 0.0f) continue;
        if (!(error <= worst)) worst = error;
    }
    st_free(x);
    st_free(y);
    return worst;
}

static void expect_error(const char *what, double got, double most) {
    print_message("%s: largest error %.2e\n", what, got);
    if (!(got <= most)) fail_msg("%s: largest error %.3e > %.1e", what, got, most);
}

/* 3e-7 is 5 roundings to float, 2^-24 each. */
static void test_sigmoid_accuracy(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    expect_error("sigmoid, relative, -87..87", worst_error(kernels, ST_SIGMOID, sigmoid_of, -87, 87, true), 3e-7);
    expect_error("sigmoid, relative, -8..8", worst_error(kernels, ST_SIGMOID, sigmoid_of, -8, 8, true), 3e-7);
    expect_error("sigmoid, absolute, -1000..1000", worst_error(kernels, ST_SIGMOID, sigmoid_of, -1000, 1000, false),
                 3e-7);
}

static double elu_of(double x) {
    return x > 0 ? x : expm1(x);
}
static double selu_of(double x) {
    return 1.05070098735548 * (x > 0 ? x : 1.67326324235437 * expm1(x));
}
static double softplus_of(double x) {
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double gelu_of(double x) {
    return x * 0.5 * erfc(-x / sqrt(2));
}
static double swish_of(double x) {
    return x / (1 + exp(-x));
}

/* Relative, also where the result is next to 0. gelu's tail carries the rounding of x^2 / 2 to float: at x = -5 that
   is 12.5 * 2^-24 = 7e-7 of exp(-x^2 / 2). */
static void test_other_activations_accuracy(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    expect_error("elu, relative, -87..20", worst_error(kernels, ST_ELU, elu_of, -87, 20, true), 3e-7);
    expect_error("elu, relative, near zero", worst_error(kernels, ST_ELU, elu_of, -1e-3, 1e-3, true), 3e-7);
    expect_error("selu, relative, -87..20", worst_error(kernels, ST_SELU, selu_of, -87, 20, true), 3e-7);
    expect_error("softplus, relative, -80..80", worst_error(kernels, ST_SOFTPLUS, softplus_of, -80, 80, true), 3e-7);
    expect_error("softplus, relative, -2..2", worst_error(kernels, ST_SOFTPLUS, softplus_of, -2, 2, true), 3e-7);
    expect_error("swish, relative, -80..80", worst_error(kernels, ST_SWISH, swish_of, -80, 80, true), 3e-7);
    expect_error("gelu, relative, -5..20", worst_error(kernels, ST_GELU, gelu_of, -5, 20, true), 1.5e-6);
    expect_error("gelu, relative, -1..1", worst_error(kernels, ST_GELU, gelu_of, -1, 1, true), 4e-7);
    expect_error("gelu, absolute, -1000..5", worst_error(kernels, ST_GELU, gelu_of, -1000, 5, false), 5e-7);
}

static void test_tanh_accuracy(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    expect_error("tanh, relative, -20..20", worst_error(kernels, ST_TANH, tanh, -20, 20, true), 3e-7);
    expect_error("tanh, relative, -1..1", worst_error(kernels, ST_TANH, tanh, -1, 1, true), 3e-7);
    expect_error("tanh, relative, near zero", worst_error(kernels, ST_TANH, tanh, -1e-6, 1e-6, true), 3e-7);
    expect_error("tanh, absolute, -1000..1000", worst_error(kernels, ST_TANH, tanh, -1000, 1000, false), 3e-7);
}

/* exp shows in elu: exp(x) - 1, whose error is exp's own, absolute since the subtraction cancels near zero. */
static void test_exp_accuracy(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    expect_error("elu, absolute, -90..0", worst_error(kernels, ST_ELU, elu_of, -90, 0, false), 1.2e-7);
    /* softmax of (x, 0): exp(-|x|) / (1 + exp(-|x|)). */
    double worst = 0;
    for (int i = 0; i <= 8700; i++) {
        float y[2] = {-(float)i / 100, 0};
        const double want = sigmoid_of((double)y[0]);
        kernels->softmax(y, 1, 2);
        const double error = fabs((double)y[0] - want) / want;
        if (!(error <= worst)) worst = error;
    }
    expect_error("softmax of two, relative", worst, 3e-7);
}

/* log shows in binary cross-entropy: with target 1 the loss of p is -log p. */
static void test_log_accuracy(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    double worst = 0;
    const float one = 1;
    for (int i = 0; i <= 20000; i++) {
        const float p = (float)pow(10, -7.0 * (i + 1) / 20002);
        const st_loss_call call = {
            .loss = one_term(ST_LOSS_BINARY_CROSSENTROPY), .n = 1, .y = &p, .target = &one, .scale = 1.0f};
        const double got = kernels->loss(&call), want = -log((double)p), error = fabs(got - want) / want;
        if (!(error <= worst)) worst = error;
    }
    expect_error("log, relative, 1e-7..1", worst, 3e-7);
}

/* ---- a value that is not a number stays one: a training that diverges must show it ---- */

static void test_nan_is_kept(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    for (st_activation_kind kind = ST_LINEAR; kind <= ST_SWISH; kind++) {
        if (kind == ST_SOFTMAX) continue;
        float y[37];
        fill_nan(y, COUNT(y));
        kernels->activate(act(kind), y, COUNT(y));
        for (size_t i = 0; i < COUNT(y); i++)
            if (!isnan(y[i])) fail_msg("%s turns NaN into %g", st_activation_name(kind), (double)y[i]);
    }
    float y[3] = {0, NAN, 1};
    kernels->softmax(y, 1, 3);
    assert_true(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    for (st_loss_kind kind = ST_LOSS_MSE; kind <= ST_LOSS_LOGITS; kind++)
        for (size_t at = 0; at < 37; at += 36) {
            float out[37], target[37], dy[37];
            for (size_t i = 0; i < 37; i++)
                out[i] = target[i] = 0.5f;
            out[at] = NAN;
            const st_loss_call call = {.loss = one_term(kind),
                                       .fused = act(ST_SIGMOID),
                                       .n = 37,
                                       .y = out,
                                       .target = target,
                                       .dy = dy,
                                       .scale = 1};
            const double loss = kernels->loss(&call);
            if (!isnan(loss)) fail_msg("%s of NaN is %g", st_loss_name(kind), loss);
        }
}

/* ---- losses ---- */

/* Outputs and targets of every kind a loss meets: inside, at and past the clip; target 0, 1, between, hit exactly. */
static void fill_loss(float *y, float *target, size_t n) {
    static const float edge[] = {0, 1, 1e-7f, 1.0f - 1e-7f, 5e-8f, 0.5f, 1e-4f};
    fill(y, n, 11);
    fill(target, n, 12);
    for (size_t i = 0; i < n; i++) {
        y[i] = i % 5 == 0 ? edge[i / 5 % COUNT(edge)] : (y[i] + 1.0f) * 0.5f;
        target[i] = i % 3 == 0 ? (float)(i / 3 % 2) : i % 7 == 0 ? y[i] : (target[i] + 1.0f) * 0.5f;
    }
}

/* The loss kernel of the reference over one sample of n values. */
static double reference_loss(st_loss_call *call, float *dy) {
    st_graph *graph = NULL;
    const st_shape shape = {.n_dims = 1, .dim = {(int64_t)call->n}};
    assert_int_equal(st_graph_new(&graph, &shape, NULL), STRAIT_OK);
    const st_op op = {.kind = ST_OP_LOSS, .src = 0, .dst = -1, .kernel = -1, .bias = -1, .loss = call->loss};
    const st_kernel_request request = {
        .graph = graph, .op = &op, .batch = 1, .training = true, .needs_dsrc = true, .fused = call->fused};
    st_kernel_needs needs = {0};
    void *state = NULL;
    const st_kernel *kernel = st_engine_reference.kernel[ST_OP_LOSS];
    assert_int_equal(kernel->plan(&state, &needs, &request, NULL), STRAIT_OK);
    st_step step = {.n_valid = 1, .target = call->target, .scale = call->scale};
    const st_binding binding = {.src = call->y, .dsrc = dy, .step = &step};
    assert_int_equal(kernel->bind(state, &binding, NULL), STRAIT_OK);
    assert_int_equal(kernel->backward(state, false), STRAIT_OK);
    kernel->free(state);
    st_graph_free(graph);
    return step.loss;
}

static void compare_losses(const st_vector_kernels *kernels, const st_loss *loss, st_activation_kind fused, size_t n) {
    float *y = new_floats(n), *target = new_floats(n), *got = new_floats(n), *want = new_floats(n);
    fill_loss(y, target, n);
    fill_nan(got, n);
    st_loss_call call = {
        .loss = *loss, .fused = act(fused), .n = n, .y = y, .target = target, .dy = got, .scale = 0.25f};
    char title[128];
    snprintf(title, sizeof title, "%d terms, %s first, behind %s, %zu values", loss->n,
             st_loss_name(loss->term[0].kind), st_activation_name(fused), n);
    const double sum = kernels->loss(&call), exact = reference_loss(&call, want);
    /* 1 - p is rounded to float within the logarithm: 2^-25 for each value. */
    if (!(fabs(sum - exact) <= 1e-6 * fabs(exact) + 0x1p-25 * (double)n))
        fail_msg("%s: loss %.9g, not %.9g", title, sum, exact);
    /* Each value on its own scale: next to the clip they are of size 1e7. */
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= 1e-6 * fabs((double)want[i]) + 1e-7))
            fail_msg("%s: gradient %zu is %.9g, not %.9g (y %.9g, target %.9g)", title, i, (double)got[i],
                     (double)want[i], (double)y[i], (double)target[i]);
    call.dy = NULL;
    assert_true(kernels->loss(&call) == sum);
    float *const block[] = {y, target, got, want};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
}

static const size_t loss_lengths[] = {1, 3, 4, 8, 15, 16, 17, 33, 1023, 1024, 1025, 2100};

/* Every loss behind every activation it can be fused with, at lengths around vectors and blocks. */
static void test_losses(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    for (size_t l = 0; l < COUNT(loss_lengths); l++)
        for (st_loss_kind kind = ST_LOSS_MSE; kind <= ST_LOSS_LOGITS; kind++)
            for (st_activation_kind fused = ST_LINEAR; fused <= ST_SOFTPLUS; fused++) {
                if (fused == ST_SOFTMAX) continue;
                st_loss loss = one_term(kind);
                loss.term[0].delta = 0.25f;
                compare_losses(kernels, &loss, fused, loss_lengths[l]);
            }
}

/* Sums of two to four terms, each with a weight. */
static void test_weighted_losses(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    static const st_loss loss = {.n = 4,
                                 .term = {{.kind = ST_LOSS_HUBER, .weight = 3.0f, .delta = 0.5f},
                                          {.kind = ST_LOSS_MAE, .weight = 0.25f},
                                          {.kind = ST_LOSS_LOGITS, .weight = 0.5f},
                                          {.kind = ST_LOSS_MSE, .weight = 1.5f}}};
    for (size_t l = 0; l < COUNT(loss_lengths); l++)
        for (int n = 1; n <= 4; n++) {
            st_loss part = loss;
            part.n = n;
            compare_losses(kernels, &part, n % 2 ? ST_SIGMOID : ST_LINEAR, loss_lengths[l]);
        }
}

/* mse of (0.5, 1) for targets (0, 0.5): 0.25 + 0.25, gradients 2 * 0.5 * scale. bce of 0.25 for target 1: log 4;
   clipped: of 0 for target 1: -log 1e-7 = 16.118096, for target 0: -log(1 - 1e-7), with 1 - 1e-7 rounded to float
   (1 - 2^-23): as Keras' float32. */
static void test_losses_by_hand(void **state) {
    const st_vector_kernels *kernels = kernels_of(state);
    const float y[2] = {0.5f, 1}, target[2] = {0, 0.5f};
    float dy[2];
    st_loss_call call = {.loss = one_term(ST_LOSS_MSE), .n = 2, .y = y, .target = target, .dy = dy, .scale = 0.5f};
    assert_true(kernels->loss(&call) == 0.5);
    assert_true(dy[0] == 0.5f && dy[1] == 0.5f);
    call.loss = one_term(ST_LOSS_MAE);
    assert_true(kernels->loss(&call) == 1.0);
    const float p[3] = {0.25f, 0, 0}, t[3] = {1, 1, 0};
    st_loss_call bce = {.loss = one_term(ST_LOSS_BINARY_CROSSENTROPY), .n = 1, .y = p, .target = t};
    assert_true(fabs(kernels->loss(&bce) - 1.3862943611) < 1e-6);
    bce.y = p + 1;
    bce.target = t + 1;
    assert_true(fabs(kernels->loss(&bce) - 16.1180957) < 1e-5);
    bce.y = p + 2;
    bce.target = t + 2;
    assert_true(fabs(kernels->loss(&bce) - 1e-7) < 3e-8); /* 1 - 1e-7 again: 1.19e-7 */
}

/* ---- 16 lanes on any processor ---- */

static void test_wide_dense(void **state) {
    (void)state;
    static const int64_t widths[] = {1, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100, 300};
    const st_engine wide = {.name = "wide", .kernel = {[ST_OP_DENSE] = &st_wide_dense}};
    size_t turn = 0;
    for (size_t i = 0; i < COUNT(widths); i++)
        for (size_t j = 0; j < COUNT(widths); j++, turn++) {
            const op_case c = {.kind = ST_OP_DENSE,
                               .batch = (int64_t)(turn % 26) + 1,
                               .in = {.n_dims = 1, .dim = {widths[i]}},
                               .out = widths[j],
                               .bias = turn % 3 != 0,
                               .activation = act((st_activation_kind)(turn % 7))};
            compare_engines(&c, &wide, false);
        }
}

#define ON(test, set)                                                                                                  \
    { #test " (" set ")", test, NULL, NULL, (void *)(uintptr_t)set }
#define ON_ALL(test) ON(test, "generic"), ON(test, "avx2"), ON(test, "avx512"), ON(test, "wide")

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(test_sigmoid_accuracy),
        ON_ALL(test_tanh_accuracy),
        ON_ALL(test_exp_accuracy),
        ON_ALL(test_log_accuracy),
        ON_ALL(test_other_activations_accuracy),
        ON_ALL(test_weighted_losses),
        ON_ALL(test_nan_is_kept),
        ON_ALL(test_losses),
        ON_ALL(test_losses_by_hand),
        cmocka_unit_test(test_wide_dense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
