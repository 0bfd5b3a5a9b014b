/* The runner: a range of a graph's ops, planned for one engine and split over replicas.
   Each replica (a worker thread) has its own activations and gradient block and works through its share of the batch
   in micro-batches that stay in its cache. Invariants:
   1. The split (replicas, micro-batch) is decided in st_runner_new and never changes: it decides the last bits.
   2. Nothing is allocated, looked up or locked after st_runner_new.
   3. Sample i of a batch always goes to the same replica and micro-batch. */
#ifndef ST_GRAPH_RUNNER_H
#define ST_GRAPH_RUNNER_H

#include "base/string.h"
#include "base/thread.h"
#include "graph/engine.h"

typedef struct st_runner_config {
    const st_graph *graph; /* borrowed for the life of the runner */
    const st_engine *engine;
    int first_op, n_ops; /* the range; its input is the src of the first op, its output the dst of the last */
    int64_t batch_size;  /* the largest batch that will come */
    int threads;         /* >= 1 */
    int64_t micro_batch; /* 0: by the rule */
    bool training;       /* backward too; then a loss follows the last op */
    bool with_loss;      /* a loss, forward only (evaluation) */
    st_loss_kind loss;
} st_runner_config;

typedef struct st_runner st_runner;

strait_status st_runner_new(st_runner **out, const st_runner_config *config, strait_error *err);
void st_runner_free(st_runner *runner); /* NULL is fine */

/* Canonical parameters [graph->n_values] into the packed block of this runner / back. Gradients and optimiser state
   have the layout of the packed block: block is any block of st_runner_block_size floats. */
strait_status st_runner_pack(st_runner *runner, float *block, const float *canonical, strait_error *err);
strait_status st_runner_unpack(st_runner *runner, float *canonical, const float *block, strait_error *err);
size_t st_runner_block_size(const st_runner *runner);
float *st_runner_parameters(st_runner *runner); /* the packed block; borrowed */
/* Gradient block of replica i after st_runner_train; borrowed. Replicas that had no sample this time hold zeros. */
float *st_runner_gradient(st_runner *runner, int replica);
int st_runner_replicas(const st_runner *runner);
int64_t st_runner_micro_batch(const st_runner *runner);
st_pool *st_runner_pool(st_runner *runner);

/* Outputs of n <= batch_size samples. input [n, in], output [n, out]. */
strait_status st_runner_forward(st_runner *runner, const float *input, float *output, int64_t n, strait_error *err);
/* Forward only, *loss the mean loss over the n samples' values; output (may be NULL) [n, out]. */
strait_status st_runner_evaluate(st_runner *runner, const float *input, const float *target, float *output, int64_t n,
                                 double *loss, strait_error *err);
/* Forward and backward: gradients of the mean loss over the n samples are left in the replicas' blocks. */
strait_status st_runner_train(st_runner *runner, const float *input, const float *target, int64_t n, double *loss,
                              strait_error *err);

/* Bytes: parameters, gradients, activations and scratch of all replicas. */
int64_t st_runner_memory(const st_runner *runner);
/* The plan as text, an op a line: name, shapes, how computed, arena offsets. Appends to text. */
void st_runner_describe(const st_runner *runner, st_text *text);

#endif
