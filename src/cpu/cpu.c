/* The cpu engine's table, which instructions it uses, and how fast this machine could go. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
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
    .set_threads = st_onednn_set_threads,
    .thread_init = st_onednn_thread_init,
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

/* ---- the peak ---- */

typedef struct st_peak {
    int64_t n;
    float *block; /* [threads][3][n * n] */
    atomic_bool failed;
} st_peak;

static void multiply_squares(void *context, int worker, int n_workers) {
    (void)n_workers;
    st_peak *peak = context;
    const size_t square = (size_t)(peak->n * peak->n);
    float *a = peak->block + 3 * square * (size_t)worker;
    if (st_onednn_square_product(peak->n, a, a + square, a + 2 * square) != STRAIT_OK) peak->failed = true;
}

/* The best rate of a few products of n x n. */
static double best_rate(st_pool *pool, st_peak *peak, int64_t n) {
    double best = 0;
    peak->n = n;
    for (int i = 0; i < 8; i++) { /* the first ones warm up */
        const double start = st_clock();
        st_pool_run(pool, multiply_squares, peak);
        const double size = (double)n, seconds = st_clock() - start;
        const double rate = 2 * size * size * size * st_pool_size(pool) / seconds * 1e-9;
        if (rate > best) best = rate;
    }
    return best;
}

strait_status st_cpu_peak(double *gflops, int threads, strait_error *err) {
    static const int64_t sizes[] = {768, 1024, 1536};
    const int64_t largest = 1536;
    st_peak peak = {.n = largest};
    st_pool *pool = NULL;
    const size_t floats = 3 * (size_t)(largest * largest) * (size_t)threads;
    *gflops = 0;
    peak.block = st_alloc_aligned(floats * sizeof(float));
    if (!peak.block) return st_fail_memory(err, floats * sizeof(float), "measuring the peak");
    const int before = st_onednn_set_threads(1);
    strait_status status = st_pool_new(&pool, threads, st_onednn_thread_init, err);
    if (status != STRAIT_OK) goto out;
    for (size_t i = 0; i < floats; i++)
        peak.block[i] = (float)(i % 7) - 3.0f;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const double rate = best_rate(pool, &peak, sizes[i]);
        if (rate > *gflops) *gflops = rate;
    }
    if (peak.failed) status = st_fail(err, STRAIT_ENGINE, "oneDNN could not multiply two matrices");
out:
    if (before > 0) st_onednn_set_threads(before);
    st_pool_free(pool);
    st_free(peak.block);
    return status;
}
