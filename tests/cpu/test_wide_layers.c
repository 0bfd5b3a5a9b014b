/* The ops beside layers with weights on 16 lanes, on any processor. */
#define st_cpu_pool2d st_wide_pool2d
#define st_cpu_upsample2d st_wide_upsample2d
#define st_cpu_batch_norm st_wide_batch_norm
#define st_cpu_layer_norm st_wide_layer_norm
#define WIDE_KERNELS "cpu/pool.c"
#include "cpu/wide.h"

#define st_vector wide_vector
#include "cpu/norm.c"

#define st_cpu_dropout st_wide_dropout
#define st_cpu_gaussian_noise st_wide_gaussian_noise
#define st_cpu_sample st_wide_sample
#define st_cpu_penalty st_wide_penalty
#include "cpu/noise.c"
#undef st_vector

static const st_engine wide_engine = {
    .name = "wide",
    .kernel =
        {
            [ST_OP_MAX_POOL2D] = &st_wide_pool2d,
            [ST_OP_AVG_POOL2D] = &st_wide_pool2d,
            [ST_OP_UPSAMPLE2D] = &st_wide_upsample2d,
            [ST_OP_BATCH_NORM] = &st_wide_batch_norm,
            [ST_OP_LAYER_NORM] = &st_wide_layer_norm,
            [ST_OP_DROPOUT] = &st_wide_dropout,
            [ST_OP_GAUSSIAN_NOISE] = &st_wide_gaussian_noise,
            [ST_OP_SAMPLE] = &st_wide_sample,
            [ST_OP_PENALTY] = &st_wide_penalty,
        },
};
#define ENGINE (&wide_engine)
#include "cpu/layer_cases.h"

#define ON_WIDE(test)                                                                                                  \
    { #test " (wide)", test, NULL, NULL, (void *)(uintptr_t) "generic" }

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_WIDE(test_max_pool),   ON_WIDE(test_average_pool), ON_WIDE(test_max_pool_ties),
        ON_WIDE(test_upsample),   ON_WIDE(test_batch_norm),   ON_WIDE(test_batch_norm_far_from_zero),
        ON_WIDE(test_layer_norm), ON_WIDE(test_dropout),      ON_WIDE(test_gaussian_noise),
        ON_WIDE(test_sample),     ON_WIDE(test_penalty),
    };
    (void)test_crop_and_pad; /* copies, which have no lanes */
    (void)test_slice_concat_add;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
