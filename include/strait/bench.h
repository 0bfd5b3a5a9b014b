/* How fast this machine trains, against its own peak. */
#ifndef STRAIT_BENCH_H
#define STRAIT_BENCH_H

#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strait_bench_row {
    char name[64]; /* the workload: a recipe's name */
    int batch;
    double samples_per_second;
    double ms_per_step;
    double gflops;           /* of the training step: forward and backward, optimiser not counted */
    double fraction_of_peak; /* gflops / the peak measured in the same run */
    double peak_memory_mb;   /* parameters, gradients, optimiser state, activations and batches */
} strait_bench_row;

typedef struct strait_bench {
    int threads;
    double peak_gflops; /* float32, the best of large matrix products before, between and after the workloads */
    int n_rows;
    strait_bench_row *row;
} strait_bench;

/* Measures the peak, then trains each standard workload for about `seconds` on data made in memory.
   only: one workload's name, or NULL for all; threads 0: as many as the machine gives. progress (may be NULL) is
   told the name of what is measured next. The caller owns *out and frees it with strait_bench_free.
   Errors: NOT_FOUND (no such workload, with the names there are), MEMORY, ENGINE. */
STRAIT_API strait_status strait_bench_run(strait_bench **out, const char *only, int threads, double seconds,
                                          void (*progress)(void *context, const char *name), void *context,
                                          strait_error *err);
STRAIT_API void strait_bench_free(strait_bench *bench);

#ifdef __cplusplus
}
#endif
#endif
