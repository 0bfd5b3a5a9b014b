/* How fast this machine could go: large matrix products, and sums of large blocks. */
#include <stdatomic.h>

#include "base/memory.h"
#include "base/thread.h"
#include "cpu/cpu_int.h"

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

/* ---- memory ---- */

#define STREAM_FLOATS ((size_t)1 << 22) /* 16 MB a block, three blocks a thread: beyond the caches */

/* a = b + c over this worker's blocks (the "add" of McCalpin's STREAM). */
static void add_blocks(void *context, int worker, int n_workers) {
    (void)n_workers;
    float *restrict a = (float *)context + 3 * STREAM_FLOATS * (size_t)worker;
    const float *restrict b = a + STREAM_FLOATS, *restrict c = b + STREAM_FLOATS;
    for (size_t i = 0; i < STREAM_FLOATS; i++)
        a[i] = b[i] + c[i];
}

/* Each worker touches its own blocks first, so that they lie near it. */
static void fill_blocks(void *context, int worker, int n_workers) {
    (void)n_workers;
    float *block = (float *)context + 3 * STREAM_FLOATS * (size_t)worker;
    for (size_t i = 0; i < 3 * STREAM_FLOATS; i++)
        block[i] = (float)(i % 7);
}

strait_status st_cpu_bandwidth(double *gbytes, int threads, strait_error *err) {
    const size_t floats = 3 * STREAM_FLOATS * (size_t)threads;
    st_pool *pool = NULL;
    *gbytes = 0;
    float *block = st_alloc_aligned(floats * sizeof(float));
    if (!block) return st_fail_memory(err, floats * sizeof(float), "measuring the memory");
    const strait_status status = st_pool_new(&pool, threads, NULL, err);
    if (status == STRAIT_OK) st_pool_run(pool, fill_blocks, block);
    for (int i = 0; i < 5 && status == STRAIT_OK; i++) {
        const double start = st_clock();
        st_pool_run(pool, add_blocks, block);
        const double rate = (double)(floats * sizeof(float)) / (st_clock() - start) * 1e-9;
        if (rate > *gbytes) *gbytes = rate;
    }
    st_pool_free(pool);
    st_free(block);
    return status;
}
