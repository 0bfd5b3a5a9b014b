/* Convolutions on the 16-lane code, on any processor. */
#include "cpu/compare.h"
#define WIDE_KERNELS "cpu/conv.c"
#include "cpu/wide.h"

static void test_few_filters(void **state) {
    (void)state;
    static const int64_t kernels[][2] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {3, 2}};
    static const int64_t sizes[][2] = {{5, 5}, {6, 7}, {8, 8}, {7, 5}, {9, 26}};
    static const int64_t channels[] = {1, 3, 8, 16, 17, 2, 32};
    const st_engine wide = {
        .name = "wide",
        .kernel = {[ST_OP_CONV2D] = &st_wide_conv2d, [ST_OP_CONV2D_TRANSPOSE] = &st_wide_conv2d_transpose}};
    size_t turn = 0;
    for (int64_t filters = 1; filters <= 9; filters++)
        for (size_t k = 0; k < COUNT(kernels); k++)
            for (int padding = ST_SAME; padding <= ST_VALID; padding++, turn++) {
                const int64_t *size = sizes[turn % COUNT(sizes)];
                const op_case c = {.kind = turn % 9 == 0 ? ST_OP_CONV2D_TRANSPOSE : ST_OP_CONV2D,
                                   .batch = turn % 2 ? 1 : 3,
                                   .in = {.n_dims = 3, .dim = {size[0], size[1], channels[turn % COUNT(channels)]}},
                                   .out = filters,
                                   .kernel = {kernels[k][0], kernels[k][1]},
                                   .stride = {1, 1},
                                   .padding = (st_padding)padding,
                                   .bias = turn % 3 != 0,
                                   .activation = act((st_activation_kind)(turn % 7))};
                compare_engines(&c, &wide, false);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_few_filters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
