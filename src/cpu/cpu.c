/* The cpu engine's table, and which instructions it uses. */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu_int.h"
#include "cpu/vector.h"

static bool processor_has(const st_vector_kernels *kernels) {
#if defined(__x86_64__)
    if (kernels == &st_vector_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (kernels == &st_vector_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return kernels == &st_vector_generic;
}

const st_vector_kernels *st_vector(void) {
    static const st_vector_kernels *const best_first[] = {
#if defined(__x86_64__)
        &st_vector_avx512,
        &st_vector_avx2,
#endif
        &st_vector_generic,
    };
    const char *asked = getenv("STRAIT_INSTRUCTIONS");
    const size_t n = sizeof best_first / sizeof *best_first;
    for (size_t i = 0; asked && i < n; i++)
        if (strcmp(asked, best_first[i]->name) == 0 && processor_has(best_first[i])) return best_first[i];
    for (size_t i = 0; i < n; i++)
        if (processor_has(best_first[i])) return best_first[i];
    return &st_vector_generic;
}

static void plan_update(st_update *update) {
    update->run = st_vector()->update;
}

const st_engine st_engine_cpu = {
    .name = "cpu",
    .plan_update = plan_update,
    .kernel =
        {
            [ST_OP_DENSE] = &st_cpu_dense,
            [ST_OP_CONV2D] = &st_cpu_conv2d,
            [ST_OP_CONV2D_TRANSPOSE] = &st_cpu_conv2d_transpose,
            [ST_OP_ACTIVATION] = &st_cpu_activation,
            [ST_OP_LOSS] = &st_cpu_loss,
            [ST_OP_MAX_POOL2D] = &st_cpu_pool2d,
            [ST_OP_AVG_POOL2D] = &st_cpu_pool2d,
            [ST_OP_UPSAMPLE2D] = &st_cpu_upsample2d,
            [ST_OP_BATCH_NORM] = &st_cpu_batch_norm,
            [ST_OP_LAYER_NORM] = &st_cpu_layer_norm,
            [ST_OP_DROPOUT] = &st_cpu_dropout,
            [ST_OP_GAUSSIAN_NOISE] = &st_cpu_gaussian_noise,
            [ST_OP_CROP2D] = &st_cpu_cut,
            [ST_OP_ZERO_PAD2D] = &st_cpu_zero_pad2d,
            [ST_OP_SLICE] = &st_cpu_cut,
            [ST_OP_CONCAT] = &st_cpu_concat,
            [ST_OP_ADD] = &st_cpu_add,
            [ST_OP_SAMPLE] = &st_cpu_sample,
            [ST_OP_PENALTY] = &st_cpu_penalty,
        },
};

const char *st_cpu_instructions(void) {
    return st_vector()->name;
}
const char *st_cpu_onednn_version(void) {
    return st_onednn_version();
}
