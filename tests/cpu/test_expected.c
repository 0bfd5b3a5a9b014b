/* Both engines against numbers that are not from our own code: convolutions worked by hand with TensorFlow's padding,
   optimisers against their formulas as Keras states them. */
#include "cpu/harness.h"

static const st_engine *const engines[] = {&st_engine_cpu, &st_engine_reference};

/* Runs the op of one image on both engines and expects the given output. */
static void expect_output(const op_case *c, const float *x, const float *w, const float *b, const float *want,
                          const int64_t want_size[2]) {
    for (size_t e = 0; e < COUNT(engines); e++) {
        char title[256];
        case_title(title, c, engines[e]->name);
        op_bench bench;
        bench_open(&bench, c, engines[e], false);
        const st_shape *out = &bench.graph->tensor[bench.graph->output].shape;
        assert_int_equal(out->dim[0], want_size[0]);
        assert_int_equal(out->dim[1], want_size[1]);
        bench_set(&bench, w, b);
        bench_forward(&bench, x);
        assert_close(title, "y", bench.dst, want, bench.n_dst, 1e-6);
        bench_close(&bench);
    }
}

static op_case conv_case(st_op_kind kind, int64_t height, int64_t width, int64_t kernel, int64_t stride,
                         st_padding padding) {
    return (op_case){.kind = kind,
                     .batch = 1,
                     .in = {.n_dims = 3, .dim = {height, width, 1}},
                     .out = 1,
                     .kernel = {kernel, kernel},
                     .stride = {stride, stride},
                     .padding = padding};
}

/* The 4x4 image with values 1..16 and the 3x3 kernel of ones but for a 10 in its first place and a 100 in its last.

   Stride 2, same: out = ceil(4 / 2) = 2; padding in all (2 - 1) * 2 + 3 - 4 = 1: none before, 1 after. The windows
   begin at rows and columns 0 and 2:
     (0,0): rows 1 2 3 | 5 6 7 | 9 10 11: sum 54, + 9 * 1 + 99 * 11 = 54 + 9 + 1089 = 1152
     (0,1): rows 3 4 0 | 7 8 0 | 11 12 0: sum 45, + 9 * 3 + 99 * 0 = 72
     (1,0): rows 9 10 11 | 13 14 15 | 0 0 0: sum 72, + 9 * 9 = 153
     (1,1): rows 11 12 0 | 15 16 0 | 0 0 0: sum 54, + 9 * 11 = 153
   Padding before instead (as symmetric padders have it) would give 1 2 | 5 6 and so on: other numbers. */
static void test_conv2d_even_image_stride_2_same(void **state) {
    (void)state;
    float x[16];
    for (int i = 0; i < 16; i++)
        x[i] = (float)(i + 1);
    const float w[9] = {10, 1, 1, 1, 1, 1, 1, 1, 100};
    const float want[4] = {1152, 72, 153, 153};
    const op_case c = conv_case(ST_OP_CONV2D, 4, 4, 3, 2, ST_SAME);
    expect_output(&c, x, w, NULL, want, (const int64_t[]){2, 2});
}

/* The 5x5 image with values 1..25, the same kernel. Stride 2, same: out = 3; padding (3 - 1) * 2 + 3 - 5 = 2: 1 before,
   1 after. The windows begin at -1, 1, 3:
     (0,0): 0 0 0 | 0 1 2 | 0 6 7: 16 + 99 * 7 = 709           (0,1): 0 0 0 | 2 3 4 | 7 8 9: 33 + 99 * 9 = 924
     (0,2): 0 0 0 | 4 5 0 | 9 10 0: 28
     (1,0): 0 6 7 | 0 11 12 | 0 16 17: 69 + 99 * 17 = 1752     (1,1): 7 8 9 | 12 13 14 | 17 18 19:
            117 + 9 * 7 + 99 * 19 = 2061                       (1,2): 9 10 0 | 14 15 0 | 19 20 0: 87 + 9 * 9 = 168
     (2,0): 0 16 17 | 0 21 22 | 0 0 0: 76                      (2,1): 17 18 19 | 22 23 24 | 0 0 0: 123 + 9 * 17 = 276
     (2,2): 19 20 0 | 24 25 0 | 0 0 0: 88 + 9 * 19 = 259 */
static void test_conv2d_odd_image_stride_2_same(void **state) {
    (void)state;
    float x[25];
    for (int i = 0; i < 25; i++)
        x[i] = (float)(i + 1);
    const float w[9] = {10, 1, 1, 1, 1, 1, 1, 1, 100};
    const float want[9] = {709, 924, 28, 1752, 2061, 168, 76, 276, 259};
    const op_case c = conv_case(ST_OP_CONV2D, 5, 5, 3, 2, ST_SAME);
    expect_output(&c, x, w, NULL, want, (const int64_t[]){3, 3});
}

/* An even kernel, stride 1, same: padding 1, all of it after. 3x3 image 1..9, kernel 1 2 / 3 4, bias 0.5:
     (0,0): 1 + 2 * 2 + 3 * 4 + 4 * 5 = 37     (0,1): 2 + 6 + 15 + 24 = 47     (0,2): 3 + 18 = 21
     (1,0): 4 + 10 + 21 + 32 = 67              (1,1): 5 + 12 + 24 + 36 = 77    (1,2): 6 + 27 = 33
     (2,0): 7 + 16 = 23                        (2,1): 8 + 18 = 26              (2,2): 9 */
static void test_conv2d_even_kernel_same(void **state) {
    (void)state;
    const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[4] = {1, 2, 3, 4}, b[1] = {0.5f};
    const float want[9] = {37.5f, 47.5f, 21.5f, 67.5f, 77.5f, 33.5f, 23.5f, 26.5f, 9.5f};
    op_case c = conv_case(ST_OP_CONV2D, 3, 3, 2, 1, ST_SAME);
    c.bias = true;
    expect_output(&c, x, w, b, want, (const int64_t[]){3, 3});
}

/* Valid, stride 2 on 5x5: out = (5 - 3) / 2 + 1 = 2; windows begin at 0 and 2. Image 1..25, kernel of ones but 10
   first: (0,0): 1 2 3 | 6 7 8 | 11 12 13: 63 + 9      (0,1): sum 63 + 9 * 2 = 81, + 9 * 3 (1,0): sum 63 + 9 * 10 = 153,
   + 9 * 11       (1,1): sum 171, + 9 * 13 */
static void test_conv2d_valid(void **state) {
    (void)state;
    float x[25];
    for (int i = 0; i < 25; i++)
        x[i] = (float)(i + 1);
    const float w[9] = {10, 1, 1, 1, 1, 1, 1, 1, 1};
    const float want[4] = {72, 108, 252, 288};
    const op_case c = conv_case(ST_OP_CONV2D, 5, 5, 3, 2, ST_VALID);
    expect_output(&c, x, w, NULL, want, (const int64_t[]){2, 2});
}

/* Conv2DTranspose 2x2 -> 4x4, kernel 3x3, stride 2, same. It is the gradient of the convolution 4x4 -> 2x2 above, which
   pads nothing before: input (p, q) adds x K[u][v] at row 2p + u, column 2q + v, and what falls on row or column 4 is
   dropped. x = 1 2 / 3 4, K = 1..9:
     x00: rows 0-2, columns 0-2: 1 2 3 / 4 5 6 / 7 8 9
     x01 = 2, columns 2, 3: 2 4 / 8 10 / 14 16
     x10 = 3, rows 2, 3:    3 6 9 / 12 15 18
     x11 = 4:               4 8 / 16 20
     row 0: 1 2 3+2 4            = 1 2 5 4
     row 1: 4 5 6+8 10           = 4 5 14 10
     row 2: 7+3 8+6 9+14+9+4 16+8 = 10 14 36 24
     row 3: 12 15 18+16 20       = 12 15 34 20 */
static void test_conv2d_transpose_same(void **state) {
    (void)state;
    const float x[4] = {1, 2, 3, 4}, w[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const float want[16] = {1, 2, 5, 4, 4, 5, 14, 10, 10, 14, 36, 24, 12, 15, 34, 20};
    const op_case c = conv_case(ST_OP_CONV2D_TRANSPOSE, 2, 2, 3, 2, ST_SAME);
    expect_output(&c, x, w, NULL, want, (const int64_t[]){4, 4});
}

/* Conv2DTranspose, valid: out = (2 - 1) * 2 + 3 = 5, nothing dropped; the same sums with the fifth row and column. */
static void test_conv2d_transpose_valid(void **state) {
    (void)state;
    const float x[4] = {1, 2, 3, 4}, w[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const float want[25] = {1,  2,  5,  4,  6,  4,  5,  14, 10, 12, 10, 14, 36,
                            24, 30, 12, 15, 34, 20, 24, 21, 24, 55, 32, 36};
    const op_case c = conv_case(ST_OP_CONV2D_TRANSPOSE, 2, 2, 3, 2, ST_VALID);
    expect_output(&c, x, w, NULL, want, (const int64_t[]){5, 5});
}

/* A transposed kernel of Keras is [kh, kw, out, in]: with a 1x1 kernel y = W x, W[out][in]. Two channels to three. */
static void test_conv2d_transpose_channel_order(void **state) {
    (void)state;
    const float x[2] = {1, 10}, w[6] = {1, 2, 3, 4, 5, 6}, want[3] = {21, 43, 65};
    const op_case c = {.kind = ST_OP_CONV2D_TRANSPOSE,
                       .batch = 1,
                       .in = {.n_dims = 3, .dim = {1, 1, 2}},
                       .out = 3,
                       .kernel = {1, 1},
                       .stride = {1, 1},
                       .padding = ST_SAME};
    expect_output(&c, x, w, NULL, want, (const int64_t[]){1, 1});
}

/* A kernel of Keras' conv2d is [kh, kw, in, out]: y = x W, W[in][out]. Two channels to three. */
static void test_conv2d_channel_order(void **state) {
    (void)state;
    const float x[2] = {1, 10}, w[6] = {1, 2, 3, 4, 5, 6}, want[3] = {41, 52, 63};
    const op_case c = {.kind = ST_OP_CONV2D,
                       .batch = 1,
                       .in = {.n_dims = 3, .dim = {1, 1, 2}},
                       .out = 3,
                       .kernel = {1, 1},
                       .stride = {1, 1},
                       .padding = ST_SAME};
    expect_output(&c, x, w, NULL, want, (const int64_t[]){1, 1});
}

/* softmax(0, log 2, log 3) = (1, 2, 3) / 6, and far out of exp's range the same. */
static void test_softmax(void **state) {
    (void)state;
    const float x[6] = {0, 0.69314718f, 1.09861229f, 1000, 1000.6931f, 1001.0986f};
    const float want[6] = {1.0f / 6, 2.0f / 6, 3.0f / 6, 1.0f / 6, 2.0f / 6, 3.0f / 6};
    const op_case c = {
        .kind = ST_OP_ACTIVATION, .batch = 2, .in = {.n_dims = 1, .dim = {3}}, .activation = act(ST_SOFTMAX)};
    for (size_t e = 0; e < COUNT(engines); e++) {
        op_bench bench;
        bench_open(&bench, &c, engines[e], false);
        bench_forward(&bench, x);
        assert_close("softmax", "first", bench.dst, want, 3, 1e-6);
        assert_close("softmax", "second", bench.dst + 3, want + 3, 3, 2e-5); /* floats near 1000 are 6e-5 apart */
        bench_close(&bench);
    }
}

/* ---- optimisers ---- */

#define N_VALUES 1500 /* more than one block of the pass, and no multiple of a vector */
#define N_REPLICAS 3

/* Gradients of one step, in parts whose sum counts; st_update wants pointers. */
typedef struct update_test {
    float value[N_VALUES], m[N_VALUES], v[N_VALUES], part[N_REPLICAS][N_VALUES];
    double want_value[N_VALUES], want_m[N_VALUES], want_v[N_VALUES];
    float *gradient[N_REPLICAS];
} update_test;

static update_test *update_test_new(void) {
    update_test *t = st_alloc(1, sizeof *t);
    assert_non_null(t);
    fill(t->value, N_VALUES, 7);
    for (int i = 0; i < N_VALUES; i++)
        t->want_value[i] = (double)t->value[i];
    for (int r = 0; r < N_REPLICAS; r++)
        t->gradient[r] = t->part[r];
    return t;
}

/* New gradients for a step; the sum of the first n_parts for value i. */
static void next_gradients(update_test *t, int step) {
    for (int r = 0; r < N_REPLICAS; r++)
        fill(t->part[r], N_VALUES, (uint32_t)(100 + step * N_REPLICAS + r));
}
static double gradient_of(const update_test *t, int n_parts, int i) {
    double g = 0;
    for (int r = 0; r < n_parts; r++)
        g += (double)t->part[r][i];
    return g;
}

static void expect_values(const update_test *t, const char *what, double tolerance) {
    for (int i = 0; i < N_VALUES; i++)
        if (!(fabs((double)t->value[i] - t->want_value[i]) <= tolerance))
            fail_msg("%s: value %d is %.9g, not %.9g", what, i, (double)t->value[i], t->want_value[i]);
}

/* The pass runs in slices, as threads share it. */
static void run_update(const st_engine *engine, st_update *u) {
    engine->plan_update(u);
    u->run(u, 0, 700);
    u->run(u, 700, 701);
    u->run(u, 701, N_VALUES);
}

/* Kingma and Ba 2015, with Keras' epsilon outside of the correction: lr_t = lr sqrt(1 - b2^t) / (1 - b1^t),
   value -= lr_t m / (sqrt v + epsilon). 20 steps. */
static void test_adam(void **state) {
    use_instructions(state);
    const double lr = 0.001, b1 = 0.9, b2 = 0.999, epsilon = 1e-7;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (int n_parts = 1; n_parts <= N_REPLICAS; n_parts++) {
            update_test *t = update_test_new();
            for (int step = 1; step <= 20; step++) {
                next_gradients(t, step);
                const double rate = lr * sqrt(1 - pow(b2, step)) / (1 - pow(b1, step));
                for (int i = 0; i < N_VALUES; i++) {
                    const double g = gradient_of(t, n_parts, i);
                    t->want_m[i] = b1 * t->want_m[i] + (1 - b1) * g;
                    t->want_v[i] = b2 * t->want_v[i] + (1 - b2) * g * g;
                    t->want_value[i] -= rate * t->want_m[i] / (sqrt(t->want_v[i]) + epsilon);
                }
                st_update u = {.kind = ST_OPTIMIZER_ADAM,
                               .n_gradients = n_parts,
                               .gradient = t->gradient,
                               .value = t->value,
                               .m = t->m,
                               .v = t->v,
                               .learning_rate = (float)rate,
                               .beta_1 = (float)b1,
                               .beta_2 = (float)b2,
                               .epsilon = (float)epsilon,
                               .gradient_scale = 1,
                               .clip_value = INFINITY};
                run_update(engines[e], &u);
            }
            /* Values of size 1 are rounded 20 times by 2^-25, and 1 - 0.999f is off by 4.7e-5 of itself, which makes
               steps of 1e-3 off by half as much: 20 * (3e-8 + 2.4e-8). */
            expect_values(t, engines[e]->name, 1.2e-6);
            st_free(t);
        }
}

/* Keras' SGD: velocity = momentum velocity - lr g; w += velocity, or with Nesterov w += momentum velocity - lr g;
   without momentum w -= lr g. */
static void test_sgd(void **state) {
    use_instructions(state);
    static const struct {
        double momentum;
        bool nesterov;
    } kinds[] = {{0, false}, {0, true}, {0.9, false}, {0.9, true}};
    const double lr = 0.01;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            update_test *t = update_test_new();
            for (int step = 1; step <= 20; step++) {
                next_gradients(t, step);
                for (int i = 0; i < N_VALUES; i++) {
                    const double g = gradient_of(t, 2, i), momentum = kinds[k].momentum;
                    t->want_m[i] = momentum * t->want_m[i] - lr * g;
                    t->want_value[i] += kinds[k].nesterov ? momentum * t->want_m[i] - lr * g : t->want_m[i];
                }
                st_update u = {.kind = ST_OPTIMIZER_SGD,
                               .n_gradients = 2,
                               .gradient = t->gradient,
                               .value = t->value,
                               .m = t->m,
                               .v = t->v,
                               .learning_rate = (float)lr,
                               .momentum = (float)kinds[k].momentum,
                               .nesterov = kinds[k].nesterov,
                               .gradient_scale = 1,
                               .clip_value = INFINITY};
                run_update(engines[e], &u);
            }
            /* Values of size 2 rounded 20 times by 2^-24, and 0.01 and 0.9 as floats: 1e-8 of moves of size 2. */
            expect_values(t, engines[e]->name, 3e-6);
            st_free(t);
        }
}

#define ON(test, set)                                                                                                  \
    { #test " (" set ")", test, NULL, NULL, (void *)(uintptr_t)set }
#define ON_ALL(test) ON(test, "generic"), ON(test, "avx2"), ON(test, "avx512")

int main(void) {
    st_engine_cpu.thread_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv2d_even_image_stride_2_same),
        cmocka_unit_test(test_conv2d_odd_image_stride_2_same),
        cmocka_unit_test(test_conv2d_even_kernel_same),
        cmocka_unit_test(test_conv2d_valid),
        cmocka_unit_test(test_conv2d_transpose_same),
        cmocka_unit_test(test_conv2d_transpose_valid),
        cmocka_unit_test(test_conv2d_transpose_channel_order),
        cmocka_unit_test(test_conv2d_channel_order),
        cmocka_unit_test(test_softmax),
        ON_ALL(test_adam),
        ON_ALL(test_sgd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
