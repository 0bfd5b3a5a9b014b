/* The runner: a range of a graph's ops, planned for one engine and split over replicas.
   Each replica (a worker thread) has its own activations and gradient block and works through its share of the batch
   in micro-batches that stay in its cache. Invariants:
   1. The split (replicas, micro-batch) is decided in st_runner_new and never changes: it decides the last bits.
   2. Nothing is allocated, looked up or locked after st_runner_new.
   3. Sample i of a batch always goes to the same replica and micro-batch.
   4. Training a network of dense layers with more weights than activations, the replicas split the weights and not the
      samples (by columns): there is one gradient block, and the bits are those of one thread.
   5. Where an op mixes samples (batch_norm) the replicas train in step: each takes its whole share at once, and they
      meet to add up what the op needs of all of them. */
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
    bool keep_values;    /* every tensor stays readable after a call: st_runner_tensor. Needs one thread and
                            micro_batch = batch_size */
    bool unbound;        /* planned only: its sizes and description, nothing to run */
    int blocks;          /* blocks of the parameters' size that its owner adds, as an optimiser's: for what must fit */
    bool timed;          /* the time of each op is taken: st_runner_costs */
    struct st_runner *sibling; /* works with this runner's parameters, borrowed, in place of its own: made for the same
                                  engine and graph, and ops with the same parameters. NULL: its own */
    st_loss loss;
    uint64_t seed; /* of dropout, noise and latent samples */
} st_runner_config;

/* What a call works on. */
typedef struct st_feed {
    const float *input;     /* [n, in] */
    const float *target;    /* [n, out] */
    float *output;          /* [n, out], or NULL */
    int64_t n;              /* <= batch_size */
    uint32_t epoch;         /* the stream of random numbers ... */
    const uint32_t *sample; /* ... of each sample [n]; NULL: 0 to n - 1 */
    double beta_scale;      /* of the KL divergence: 1 but for a warm-up */
} st_feed;

/* What it cost, each a mean over the n samples. */
typedef struct st_cost {
    double loss; /* all: the loss' mean over values, beta KL, the latent's penalty */
    double kl;   /* the KL divergence alone, not times beta; 0 without a sample op */
} st_cost;

/* A stretch of the packed block that holds one parameter. Padding lies between stretches, zero. */
typedef struct st_segment {
    size_t begin, end;
    st_role role;
    int op, parameter; /* in the graph; a state segment: its first parameter */
} st_segment;

typedef struct st_runner st_runner;

strait_status st_runner_new(st_runner **out, const st_runner_config *config, strait_error *err);
void st_runner_free(st_runner *runner); /* NULL is fine */

/* Canonical parameters [graph->n_values] into the packed block of this runner / back. Gradients and optimiser state
   have the layout of the packed block: block is any block of st_runner_block_size floats. */
strait_status st_runner_pack(st_runner *runner, float *block, const float *canonical, strait_error *err);
strait_status st_runner_unpack(st_runner *runner, float *canonical, const float *block, strait_error *err);
size_t st_runner_block_size(const st_runner *runner);
float *st_runner_parameters(st_runner *runner); /* the packed block; borrowed */
/* Gradient block i after st_runner_train, to be summed; borrowed. A replica that had no sample this time holds zeros.
   As many blocks as replicas, but one where they work by columns, and none outside training. */
float *st_runner_gradient(st_runner *runner, int i);
int st_runner_gradients(const st_runner *runner);
int st_runner_replicas(const st_runner *runner);
int64_t st_runner_micro_batch(const st_runner *runner);
bool st_runner_in_step(const st_runner *runner); /* whether an op mixes samples: then micro-batch and share are one */
bool st_runner_by_columns(const st_runner *runner); /* whether training splits the weights and not the samples */
st_pool *st_runner_pool(st_runner *runner);

/* Outputs of n <= batch_size samples. input [n, in], output [n, out]. */
strait_status st_runner_forward(st_runner *runner, const float *input, float *output, int64_t n, strait_error *err);
/* Forward only, with the loss (mode VALIDATE). */
strait_status st_runner_evaluate(st_cost *cost, st_runner *runner, const st_feed *feed, strait_error *err);
/* Forward and backward: gradients of cost.loss are left in the replicas' blocks. feed->output must be NULL. */
strait_status st_runner_train(st_cost *cost, st_runner *runner, const st_feed *feed, strait_error *err);

/* The parameters' places in the packed block, ascending; borrowed. */
const st_segment *st_runner_segments(const st_runner *runner, int *n);
/* With keep_values: tensor t of the last call, [n, shape]; borrowed until the next. */
const float *st_runner_tensor(const st_runner *runner, int t);

/* Bytes: parameters, gradients, activations and scratch of all replicas. */
int64_t st_runner_memory(const st_runner *runner);
/* What an op with a kernel costs: forward, then backward. */
typedef struct st_op_cost {
    const st_op *op;   /* borrowed; of kind ST_OP_LOSS: the loss */
    double seconds[2]; /* since the runner was made, the mean over the replicas; 0 unless the runner is timed */
    double flops[2];   /* of one sample: two for each multiply-add of dense layers and convolutions */
    double bytes[2];   /* of one sample: each value, gradient and weight that is read or written counted once, the
                          weights shared by the samples of a micro-batch */
    char how[96];      /* how it is computed; "" where there is one way */
} st_op_cost;
/* The number of ops with a kernel, in the order they run; st_runner_cost gives one of them. */
int st_runner_ops(const st_runner *runner);
st_op_cost st_runner_cost(const st_runner *runner, int i);
/* The plan as text, an op a line: name, shapes, how computed, arena offsets. Appends to text. */
void st_runner_describe(const st_runner *runner, st_text *text);

#endif
