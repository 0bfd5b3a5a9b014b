/* Every op with parameters and the activation op: engine cpu against engine reference, and both against central
   differences, over shapes chosen around the edges of the kernels' tiles. */
#include "cpu/compare.h"

static const st_activation_kind activations[] = {ST_LINEAR, ST_RELU,    ST_LEAKY_RELU, ST_SIGMOID, ST_TANH,
                                                 ST_ELU,    ST_SOFTMAX, ST_SELU,       ST_SOFTPLUS};
/* These read their input in backward: never fused into another op. */
static const st_activation_kind unfused[] = {ST_GELU, ST_SWISH};

static void check(const op_case *c, bool differences) {
    compare_engines(c, &st_engine_cpu, false);
    const bool fuses = c->activation.kind != ST_SOFTMAX && !st_activation_needs_input(c->activation.kind);
    if (fuses) compare_engines(c, &st_engine_cpu, true);
    if (differences) compare_with_differences(c, &st_engine_cpu);
}

/* ---- dense ---- */

/* All pairs of widths around the edges of panels of 8, 16 and 32 columns, with each activation in turn. */
static void test_dense_widths(void **state) {
    use_instructions(state);
    static const int64_t widths[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100};
    size_t turn = 0;
    for (size_t i = 0; i < COUNT(widths); i++)
        for (size_t j = 0; j < COUNT(widths); j++, turn++) {
            const op_case c = {.kind = ST_OP_DENSE,
                               .batch = turn % 2 ? 1 : 3,
                               .in = {.n_dims = 1, .dim = {widths[i]}},
                               .out = widths[j],
                               .bias = turn % 3 != 0,
                               .activation = act(activations[turn % COUNT(activations)])};
            check(&c, turn % 5 == 0);
        }
}

/* Tiles of 3, 4, 6 and 12 rows, and inputs past the block of 256 that stays in the first cache. */
static void test_dense_rows_and_depth(void **state) {
    use_instructions(state);
    static const int64_t depths[] = {5, 255, 256, 257, 520};
    for (int64_t batch = 1; batch <= 26; batch++) {
        const op_case c = {.kind = ST_OP_DENSE,
                           .batch = batch,
                           .in = {.n_dims = 1, .dim = {depths[batch % (int64_t)COUNT(depths)]}},
                           .out = batch % 2 ? 10 : 35,
                           .bias = true,
                           .activation = act(ST_TANH)};
        check(&c, batch == 7);
    }
}

/* Over the last axis: leading axes count as rows. */
static void test_dense_over_last_axis(void **state) {
    use_instructions(state);
    for (size_t i = 0; i < COUNT(activations); i++) {
        const op_case c = {.kind = ST_OP_DENSE,
                           .batch = 2,
                           .in = {.n_dims = 3, .dim = {3, 5, 7}},
                           .out = 9,
                           .bias = i % 2 == 0,
                           .activation = act(activations[i])};
        check(&c, true);
    }
}

static void test_activations(void **state) {
    use_instructions(state);
    static const st_shape shapes[] = {{1, {1}}, {1, {7}}, {1, {33}}, {2, {3, 17}}, {3, {5, 4, 3}}, {3, {2, 2, 16}}};
    for (size_t i = 0; i < COUNT(shapes); i++)
        for (size_t j = 1; j < COUNT(activations); j++) /* linear makes no op */
            for (int64_t batch = 1; batch <= 3; batch += 2) {
                const op_case c = {
                    .kind = ST_OP_ACTIVATION, .batch = batch, .in = shapes[i], .activation = act(activations[j])};
                check(&c, true);
            }
    for (size_t i = 0; i < COUNT(shapes); i++)
        for (size_t j = 0; j < COUNT(unfused); j++) {
            const op_case c = {.kind = ST_OP_ACTIVATION, .batch = 3, .in = shapes[i], .activation = act(unfused[j])};
            check(&c, true);
        }
}

/* ---- convolutions ---- */

typedef struct window_case {
    int64_t kernel[2], stride[2];
    st_padding padding;
} window_case;

/* The windows, each with sizes, channels, activations in turns of different length: so all pairs come up. */
static void check_convolutions(st_op_kind kind, size_t rounds) {
    static const int64_t kernels[][2] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {3, 2}};
    static const int64_t strides[][2] = {{1, 1}, {2, 2}, {3, 3}, {2, 1}};
    static const int64_t sizes[][2] = {{5, 5}, {6, 7}, {8, 8}, {7, 5}, {9, 6}};
    static const int64_t channels[] = {1, 3, 8, 16, 17, 1, 32};
    static const int64_t filters[] = {16, 1, 17, 3, 8, 8, 1, 2, 32};
    size_t turn = 0;
    for (size_t round = 0; round < rounds; round++)
        for (size_t k = 0; k < COUNT(kernels); k++)
            for (size_t s = 0; s < COUNT(strides); s++)
                for (int padding = ST_SAME; padding <= ST_VALID; padding++, turn++) {
                    const int64_t *size = sizes[turn % COUNT(sizes)];
                    const op_case c = {.kind = kind,
                                       .batch = turn % 2 ? 1 : 3,
                                       .in = {.n_dims = 3, .dim = {size[0], size[1], channels[turn % COUNT(channels)]}},
                                       .out = filters[turn % COUNT(filters)],
                                       .kernel = {kernels[k][0], kernels[k][1]},
                                       .stride = {strides[s][0], strides[s][1]},
                                       .padding = (st_padding)padding,
                                       .bias = turn % 3 != 0,
                                       .activation = act(activations[turn / 2 % COUNT(activations)])};
                    check(&c, turn % 7 == 0);
                }
}

static void test_conv2d(void **state) {
    use_instructions(state);
    check_convolutions(ST_OP_CONV2D, 3);
}

static void test_conv2d_transpose(void **state) {
    use_instructions(state);
    check_convolutions(ST_OP_CONV2D_TRANSPOSE, 3);
}

/* A window larger than the image (same padding reaches in from both sides), and one pixel. */
static void test_small_images(void **state) {
    use_instructions(state);
    static const int64_t sizes[] = {1, 2, 3};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int transpose = 0; transpose <= 1; transpose++) {
                const op_case c = {.kind = transpose ? ST_OP_CONV2D_TRANSPOSE : ST_OP_CONV2D,
                                   .batch = 2,
                                   .in = {.n_dims = 3, .dim = {sizes[i], sizes[i], 3}},
                                   .out = 4,
                                   .kernel = {5, 5},
                                   .stride = {stride, stride},
                                   .padding = ST_SAME,
                                   .bias = true,
                                   .activation = act(ST_SIGMOID)};
                check(&c, true);
            }
}

#define ON(test, set)                                                                                                  \
    { #test " (" set ")", test, NULL, NULL, (void *)(uintptr_t)set }
#define ON_ALL(test) ON(test, "generic"), ON(test, "avx2"), ON(test, "avx512")

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(test_dense_widths),
        ON_ALL(test_dense_rows_and_depth),
        ON_ALL(test_dense_over_last_axis),
        ON_ALL(test_activations),
        ON_ALL(test_conv2d),
        ON_ALL(test_conv2d_transpose),
        ON_ALL(test_small_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
