/* Both engines against numbers that are not from our own code: convolutions worked by hand with TensorFlow's padding,
   other ops as PyTorch 1.13 computes them in double. */
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

/* ---- ops as PyTorch 1.13 computes them ----
   Inputs: x[i] = (7 i mod 11 - 5) / 4, gradients dy[i] = (5 i mod 7 - 3) / 2. */

static void expect_torch(const op_case *c, const float *w, const float *b, const float *want_y, const float *want_dx,
                         const float *want_dw, const float *want_db) {
    for (size_t e = 0; e < COUNT(engines); e++) {
        char title[256];
        case_title(title, c, engines[e]->name);
        op_bench bench;
        bench_open(&bench, c, engines[e], false);
        float *x = new_floats(bench.n_src), *dy = new_floats(bench.n_dst);
        float *dw = new_floats(bench.n_kernel), *db = new_floats(bench.n_bias);
        for (size_t i = 0; i < bench.n_src; i++)
            x[i] = (float)((int)(7 * i % 11) - 5) / 4.0f;
        for (size_t i = 0; i < bench.n_dst; i++)
            dy[i] = (float)((int)(5 * i % 7) - 3) / 2.0f;
        bench_set(&bench, w, b);
        bench_forward(&bench, x);
        assert_close(title, "y", bench.dst, want_y, bench.n_dst, 1e-6);
        if (want_dx) {
            bench_backward(&bench, dy, false);
            assert_close(title, "dx", bench.dsrc, want_dx, bench.n_src, 1e-6);
            bench_gradients(&bench, dw, db);
            assert_close(title, "dkernel", dw, want_dw, bench.n_kernel, 1e-6);
            assert_close(title, "dbias", db, want_db, bench.n_bias, 1e-6);
        }
        float *const block[] = {x, dy, dw, db};
        for (size_t i = 0; i < COUNT(block); i++)
            st_free(block[i]);
        bench_close(&bench);
    }
}

/* 5x4 images of 2 channels, windows 3x3, stride 2, TensorFlow's same padding put there first (-1e30 for the maximum;
   for the mean a pool of zeros-padded values over a pool of padded ones):
   F.max_pool2d(F.pad(x, pads, value=-1e30), 3, 2); F.avg_pool2d(F.pad(x, pads), 3, 2) / F.avg_pool2d(F.pad(1, pads)) */
static void test_pools(void **state) {
    (void)state;
    static const float max_y[] = {0.5f, 1.25f, 1.25f, 0.25f, 1.0f, 1.25f, 1.25f, 0.75f, 1.25f, 1.25f, 1.25f, 1.0f};
    static const float max_dx[] = {0, 0, 0, 1, 0, 0,    0, 0, 0,    0, 0, 0,     -1.5f, 0, -0.5f, -1, 0, 0, 0, 0,
                                   0, 0, 0, 0, 0, 0.5f, 0, 0, 1.5f, 0, 0, -1.5f, 0,     0, 0,     0,  0, 0, 0, 1.5f};
    static const float mean_y[] = {-0.375f,      0.0f,   0.75f,  -0.25f,        0.0f,   -0.0833333333f,
                                   0.208333333f, 0.125f, 0.375f, -0.166666667f, 0.125f, 0.5f};
    static const float mean_dx[] = {
        -0.25f,         0.166666667f,   -0.25f,        0.166666667f,   -0.25f,        -0.0833333333f, 0.0f,
        -0.25f,         -0.0833333333f, 0.222222222f,  -0.0833333333f, 0.222222222f,  -0.166666667f,  -0.277777778f,
        -0.0833333333f, -0.5f,          0.166666667f,  0.0555555556f,  0.166666667f,  0.0555555556f,  0.0833333333f,
        -0.194444444f,  -0.0833333333f, -0.25f,        0.333333333f,   0.0555555556f, 0.333333333f,   0.0555555556f,
        0.0f,           0.180555556f,   -0.333333333f, 0.125f,         0.166666667f,  0.0f,           0.166666667f,
        0.0f,           -0.0833333333f, 0.375f,        -0.25f,         0.375f};
    op_case c = {.kind = ST_OP_MAX_POOL2D,
                 .batch = 1,
                 .in = {.n_dims = 3, .dim = {5, 4, 2}},
                 .kernel = {3, 3},
                 .stride = {2, 2},
                 .padding = ST_SAME,
                 .mode = ST_MODE_TRAIN};
    expect_torch(&c, NULL, NULL, max_y, max_dx, NULL, NULL);
    c.kind = ST_OP_AVG_POOL2D;
    expect_torch(&c, NULL, NULL, mean_y, mean_dx, NULL, NULL);
}

/* F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False), which Keras' UpSampling2D agrees with. */
static void test_bilinear(void **state) {
    (void)state;
    static const float y[] = {-1.25f,    -0.8125f, 0.0625f,  0.25f,    -0.25f, -0.5f,     -0.625f,   -0.359375f,
                              0.171875f, 0.1875f,  -0.3125f, -0.5625f, 0.625f, 0.546875f, 0.390625f, 0.0625f,
                              -0.4375f,  -0.6875f, 1.25f,    1.0f,     0.5f,   0.0f,      -0.5f,     -0.75f};
    static const float dx[] = {-1.84375f, -0.15625f, 1.75f, 1.21875f, -1.46875f, 0.0f};
    const op_case c = {.kind = ST_OP_UPSAMPLE2D,
                       .batch = 1,
                       .in = {.n_dims = 3, .dim = {2, 3, 1}},
                       .factor = {2, 2},
                       .bilinear = true};
    expect_torch(&c, NULL, NULL, y, dx, NULL, NULL);
}

static const float gamma3[3] = {1.5f, -0.5f, 2}, beta3[3] = {0.25f, 1, -1};

/* F.batch_norm of 4 samples, training, eps 1e-3. The moving mean as torch's, whose momentum is 1 - ours; the moving
   variance 0.9 * 1 + 0.1 x.var(unbiased=False): Keras takes the biased one where torch takes the other. */
static void test_batch_norm(void **state) {
    (void)state;
    static const float y[] = {-2.3050347f, 0.333432077f, 1.66627169f,  1.48020189f,  0.777810692f, -0.111242769f,
                              1.10167823f, 1.22218931f,  -1.88875723f, 0.723154574f, 1.66656792f,  -3.66627169f};
    static const float dx[] = {-0.200018424f, 0.591802801f,   -0.0673939132f, -0.828974888f,
                               -1.87649927f,  -0.0224646377f, 0.066672808f,   1.87649927f,
                               0.0224646377f, 0.962320504f,   -0.591802801f,  0.0673939132f};
    static const float dgamma[] = {1.45100736f, 3.99940754f, -2.22189308f}, dbeta[] = {-3, 0, 3};
    op_case c = {
        .kind = ST_OP_BATCH_NORM, .batch = 4, .in = {.n_dims = 1, .dim = {3}}, .epsilon = 1e-3, .mode = ST_MODE_TRAIN};
    expect_torch(&c, gamma3, beta3, y, dx, dgamma, dbeta);
}

/* From moving mean 0 and variance 1; and inference from mean 0.5, -0.25, 0 and variance 2, 0.5, 1. */
static void test_batch_norm_moving(void **state) {
    (void)state;
    static const float mean[] = {0.04375f, 0.0125f, -0.0875f}, variance[] = {0.998046875f, 0.9078125f, 0.9078125f};
    static const float given[] = {0.5f, -0.25f, 0, 2, 0.5f, 1};
    static const float y[] = {-1.60569144f, 0.47019945f,  -1.99950037f, 1.04529633f,  0.646799633f, -2.49925056f,
                              0.780197553f, 0.823399817f, -2.99900075f, 0.515098777f, 1.0f,         -3.49875094f};
    for (size_t e = 0; e < COUNT(engines); e++) {
        op_case c = {.kind = ST_OP_BATCH_NORM,
                     .batch = 4,
                     .in = {.n_dims = 1, .dim = {3}},
                     .epsilon = 1e-3,
                     .mode = ST_MODE_TRAIN};
        float x[12];
        for (int i = 0; i < 12; i++)
            x[i] = (float)(7 * i % 11 - 5) / 4.0f;
        op_bench bench;
        bench_open(&bench, &c, engines[e], false);
        bench_set(&bench, gamma3, beta3);
        for (size_t i = 0; i < 6; i++)
            bench.moving[i] = i < 3 ? 0.0f : 1.0f;
        bench_forward(&bench, x);
        assert_close(engines[e]->name, "moving mean", bench.moving, mean, 3, 1e-7);
        assert_close(engines[e]->name, "moving variance", bench.moving + 3, variance, 3, 1e-7);
        for (int mode = ST_MODE_APPLY; mode <= ST_MODE_VALIDATE; mode++) {
            memcpy(bench.moving, given, sizeof given);
            bench.step.mode = (st_mode)mode;
            bench_forward(&bench, x);
            assert_close(engines[e]->name, "inference", bench.dst, y, 12, 1e-6);
            assert_memory_equal(bench.moving, given, sizeof given);
        }
        bench_close(&bench);
    }
}

/* F.layer_norm(x, (3,), gamma, beta, 1e-3) */
static void test_layer_norm(void **state) {
    (void)state;
    static const float y[] = {-1.49202047f, 0.361259162f, -1.2322694f,  2.08574102f, 1.0f, -3.44765469f,
                              2.08574102f,  1.0f,         -3.44765469f, 2.08574102f, 1.0f, -3.44765469f};
    static const float dx[] = {-0.793044103f,  -0.590948678f, 1.38399278f,    0.201679985f,
                               -0.407942448f,  0.206262464f,  -0.0535131694f, 0.101985612f,
                               -0.0484724427f, 0.405192961f,  -0.815884897f,  0.410691936f};
    static const float dgamma[] = {-0.0937205512f, 1.27748168f, -3.67148203f}, dbeta[] = {-3, 0, 3};
    const op_case c = {.kind = ST_OP_LAYER_NORM, .batch = 4, .in = {.n_dims = 1, .dim = {3}}, .epsilon = 1e-3};
    expect_torch(&c, gamma3, beta3, y, dx, dgamma, dbeta);
}

/* F.gelu, F.selu, F.softplus, F.silu and their gradients. */
static void test_activations(void **state) {
    (void)state;
    enum { N = 9 };
    static const float x[N] = {-6, -3, -1, -0.25f, 0, 0.5f, 1, 2, 4};
    static const struct {
        st_activation_kind kind;
        float y[N], dx[N];
    } want[] = {
        {ST_GELU,
         {-5.91952587e-09f, -0.00404969409f, -0.158655254f, -0.100323419f, 0, 0.345731231f, 0.841344746f, 1.95449974f,
          3.99987332f},
         {-3.54687095e-08f, -0.0119456472f, -0.0833154706f, 0.304626645f, 0.5f, 0.867495125f, 1.08331547f, 1.0852318f,
          1.00050365f}},
        {ST_SELU,
         {-1.75374145f, -1.67056873f, -1.11133074f, -0.388890197f, 0, 0.525350494f, 1.05070099f, 2.10140197f,
          4.20280395f},
         {0.00435789257f, 0.0875306121f, 0.646768603f, 1.36920914f, 1.75809934f, 1.05070099f, 1.05070099f, 1.05070099f,
          1.05070099f}},
        {ST_SOFTPLUS,
         {0.00247568514f, 0.0485873516f, 0.313261688f, 0.57593942f, 0.693147181f, 0.974076984f, 1.31326169f,
          2.12692801f, 4.01814993f},
         {0.00247262316f, 0.0474258732f, 0.268941421f, 0.437823499f, 0.5f, 0.622459331f, 0.731058579f, 0.880797078f,
          0.98201379f}},
        {ST_SWISH,
         {-0.0148357389f, -0.14227762f, -0.268941421f, -0.109455875f, 0, 0.311229666f, 0.731058579f, 1.76159416f,
          3.92805516f},
         {-0.0123264326f, -0.088104106f, 0.0723294881f, 0.376289978f, 0.5f, 0.739961187f, 0.927670512f, 1.09078425f,
          1.05266461f}},
    };
    for (size_t e = 0; e < COUNT(engines); e++)
        for (size_t k = 0; k < COUNT(want); k++) {
            const op_case c = {
                .kind = ST_OP_ACTIVATION, .batch = 1, .in = {.n_dims = 1, .dim = {N}}, .activation = act(want[k].kind)};
            const float dy[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
            op_bench bench;
            bench_open(&bench, &c, engines[e], false);
            bench_forward(&bench, x);
            assert_close(st_activation_name(want[k].kind), "y", bench.dst, want[k].y, N, 2e-7);
            bench_backward(&bench, dy, false);
            assert_close(st_activation_name(want[k].kind), "dx", bench.dsrc, want[k].dx, N, 5e-7);
            bench_close(&bench);
        }
}

/* F.huber_loss(y, t, reduction='sum', delta=0.75), F.binary_cross_entropy_with_logits(y, t, reduction='sum'), and both
   as one sum with weights 2 and 0.5. */
static void test_losses(void **state) {
    (void)state;
    enum { N = 6 };
    static const float y[N] = {-2, -0.5f, 0, 0.25f, 1, 3}, t[N] = {0, 0.25f, 1, 0.25f, 0, 1};
    static const float huber[N] = {-0.75f, -0.75f, -0.75f, 0, 0.75f, 0.75f};
    static const float logits[N] = {0.119202922f, 0.127540669f, -0.5f, 0.312176501f, 0.731058579f, -0.0474258732f};
    const st_loss_term one[2] = {{.kind = ST_LOSS_HUBER, .weight = 1, .delta = 0.75f},
                                 {.kind = ST_LOSS_LOGITS, .weight = 1}};
    for (size_t e = 0; e < COUNT(engines); e++)
        for (int k = 0; k < 3; k++) {
            st_op op = {
                .kind = ST_OP_LOSS, .src = 0, .src2 = -1, .dst = -1, .kernel = -1, .bias = -1, .state = {-1, -1}};
            op.loss = (st_loss){.n = k == 2 ? 2 : 1, .term = {one[k % 2], one[1]}};
            const float a = k == 2 ? 2 : k == 0, b = k == 2 ? 0.5f : k == 1;
            if (k == 2) {
                op.loss.term[0].weight = a;
                op.loss.term[1].weight = b;
            }
            st_graph *graph = NULL;
            assert_int_equal(st_graph_new(&graph, &(st_shape){.n_dims = 1, .dim = {N}}, NULL), STRAIT_OK);
            const st_kernel *kernel = engines[e]->kernel[ST_OP_LOSS];
            const st_kernel_request request = {
                .graph = graph, .op = &op, .batch = 1, .training = true, .needs_dsrc = true};
            st_kernel_needs needs = {0};
            void *own = NULL;
            float dy[N], want[N];
            st_step step = {.mode = ST_MODE_TRAIN, .n_valid = 1, .n_batch = 1, .target = t, .scale = 1};
            assert_int_equal(kernel->plan(&own, &needs, &request, NULL), STRAIT_OK);
            assert_int_equal(kernel->bind(own, &(st_binding){.src = y, .dsrc = dy, .step = &step}, NULL), STRAIT_OK);
            assert_int_equal(kernel->backward(own, false), STRAIT_OK);
            assert_true(fabs(step.loss - ((double)a * 3.65625 + (double)b * 3.544440635)) < 1e-6);
            for (int i = 0; i < N; i++)
                want[i] = a * huber[i] + b * logits[i];
            assert_close(engines[e]->name, "gradient", dy, want, N, 2e-7);
            kernel->free(own);
            st_graph_free(graph);
        }
}

int main(void) {
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
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_bilinear),
        cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_batch_norm_moving),
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
