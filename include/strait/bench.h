/* How fast this machine trains and encodes, against its own limits. */
#ifndef STRAIT_BENCH_H
#define STRAIT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An op of the training step: forward, then backward. Times are a worker's in a step, the mean over the workers; rates
   are of all workers together. */
typedef struct strait_bench_op {
    char name[48];    /* the layer, "encoder.1"; "loss", "optimizer", and "other": copying in, meeting of the threads */
    char kind[32];    /* "dense" */
    char how[96];     /* how it is computed */
    double ms[2];     /* of a step */
    double gflops[2]; /* 0 where there are no multiply-adds */
    double gbytes[2]; /* GB/s: each value, gradient and weight read or written counted once; 0: not known */
    double share;     /* of the step's time, 0 to 1 */
} strait_bench_op;

typedef struct strait_bench_row {
    char name[64]; /* the recipe */
    int batch, replicas, micro_batch;
    bool by_columns; /* the replicas split the weights and not the samples: each works on all of the batch */
    double samples_per_second;
    double ms_per_step;
    double gflops;           /* of the training step: forward and backward, optimiser not counted */
    double fraction_of_peak; /* gflops / the peak measured in the same run */
    double peak_memory_mb;   /* parameters, gradients, optimiser state, activations and batches */
    double encode_samples_per_second;
    double encode_gflops, encode_fraction_of_peak;
    double encode_memory_mb; /* parameters and activations */
    int n_ops;
    strait_bench_op *op; /* with options.layers, in the order of the forward pass; else NULL */
} strait_bench_row;

typedef struct strait_bench {
    int threads;
    double peak_gflops; /* float32, the best of large matrix products before, between and after the workloads */
    double peak_gbytes; /* GB/s between memory and all threads: the best of sums of two large blocks into a third */
    int n_rows;
    strait_bench_row *row;
} strait_bench;

typedef struct strait_bench_options {
    size_t n_recipes;
    const char *const *recipe; /* names or files; none: the standard ones, strait_bench_standard */
    size_t n_overrides;
    const char *const *override; /* "KEY=VALUE" for every recipe, as strait_recipe_open has them */
    int threads;                 /* 0: as many as the machine gives */
    double seconds;              /* for training each; encoding takes a third of it. 0: 3 */
    bool layers;                 /* time each op too */
    void (*progress)(void *context, const char *name); /* told what is measured next; may be NULL */
    void *context;
} strait_bench_options;

/* The i-th name of the recipes measured when none is named; NULL past the last. */
STRAIT_API const char *strait_bench_standard(size_t i);

/* Measures the peak, then trains each recipe's model at its batch size on data made in memory, and encodes with it.
   Which data a recipe names does not matter; its model must say what it takes (model.input). The caller owns *out and
   frees it with strait_bench_free. Errors: those of strait_recipe_open and strait_model_build, MEMORY, ENGINE. */
STRAIT_API strait_status strait_bench_run(strait_bench **out, const strait_bench_options *options, strait_error *err);
STRAIT_API void strait_bench_free(strait_bench *bench);

#ifdef __cplusplus
}
#endif
#endif
