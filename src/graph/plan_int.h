/* The plan of one replica: kernels, where each tensor lives, and two flat arrays to run.
   The values of a tensor and its gradient are "buffers" in one arena. A buffer lives from the step that writes it to
   the last step that reads it; buffers whose lives do not overlap may share bytes. With n ops, op i runs forward at
   step i and backward at step 2n - 1 - i. */
#ifndef ST_GRAPH_PLAN_INT_H
#define ST_GRAPH_PLAN_INT_H

#include "base/string.h"
#include "graph/engine.h"
#include "graph/runner.h"

/* Packed parameters of one op in the runner's block. Offsets in floats. */
typedef struct st_packed {
    size_t kernel, n_kernel, bias, n_bias;
} st_packed;

/* An op with its kernel's state and its place. */
typedef struct st_stage {
    const st_kernel *kernel;
    void *state;
    const st_op *op;
    st_packed packed;
    bool needs_dsrc; /* backward gives the gradient by its input */
} st_stage;

typedef struct st_plan {
    int n_stages; /* ops with a kernel, in order; the loss, if any, is the last */
    st_stage *stage;
    bool has_loss;
    st_op loss_op;       /* the loss is not in the graph: it belongs to training */
    int64_t batch;       /* the micro-batch */
    int64_t n_in, n_out; /* values of a sample */
    size_t block_size;   /* floats in the packed parameter block */
    size_t arena_size;   /* floats */
    size_t *offset;      /* [2 * n_tensors] of each value and gradient in the arena; SIZE_MAX: not there */
    int n_tensors;
    size_t scratch; /* floats; at the end of the arena */
    float *arena;   /* after st_plan_bind; owned */
    int input_tensor, output_tensor;
    float *input, *output; /* in the arena */
    st_step step;
} st_plan;

/* Makes the kernels and the layout of the arena; nothing is allocated for values yet. */
strait_status st_plan_new(st_plan **out, const st_runner_config *config, int64_t micro_batch, strait_error *err);
/* Allocates the arena and tells every kernel where its values live. gradient may be NULL. */
strait_status st_plan_bind(st_plan *plan, const float *parameters, float *gradient, strait_error *err);
void st_plan_free(st_plan *plan);

/* Bytes of values and gradients of one sample: what the micro-batch rule weighs. */
int64_t st_plan_sample_bytes(const st_runner_config *config);

/* Packs intervals: gives each buffer an offset so that no two overlap in both time and space. Returns the size
   needed. first/last: the steps it lives through. Greedy by size, first fit (Pisarchyk and Lee: Efficient Memory
   Management for Deep Neural Net Inference, 2020, "greedy by size"). */
typedef struct st_buffer {
    size_t size, offset;
    int first, last;
} st_buffer;
size_t st_buffers_place(int n, st_buffer *buffer, int *order);

#endif
