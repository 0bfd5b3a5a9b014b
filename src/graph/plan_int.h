/* The plan of one replica: kernels, where each tensor lives, and two flat lists to run.
   Invariants:
   1. The values of a tensor and its gradient, what a kernel keeps, and the gradients still to be added are "buffers" in
      one arena. What a kernel holds from call to call is a buffer that lives through all steps. A buffer lives from the
   step that writes it to the last step that reads it; buffers whose lives do not overlap may share bytes. With n ops,
   the loss the last of them, op i runs forward at step i and backward at step 2n - 1 - i.
   2. An alias (a reshape; outside training also what does nothing there) owns no buffer and has no stage: its tensor is
      its input's, the root. Lives and gradients are those of roots.
   3. A tensor's gradient is the sum over its readers. The reader last in the list runs backward first and writes it;
      each other one writes to a buffer of its own that the next step of the backward list adds. Readers come after
      the tensor's producer, so the sum is whole when the producer runs backward, and may be overwritten there.
   4. A gradient is computed only where a parameter stands before it (st_plan.depends).
   5. Of plans that work by columns (parts > 1) the arenas are one: a buffer of n floats begins at parts times its
      offset, and part i has the floats from i n on, so that a tensor's samples lie one after another. They meet before
      each step of the lists, as a step may read, or write over, what the other parts had there. */
#ifndef ST_GRAPH_PLAN_INT_H
#define ST_GRAPH_PLAN_INT_H

#include "base/string.h"
#include "graph/engine.h"
#include "graph/runner.h"

/* Packed parameters of one op in the runner's block. Offsets in floats. */
typedef struct st_packed {
    size_t kernel, n_kernel, bias, n_bias, state, n_state;
} st_packed;

/* An op with its kernel's state and its place. */
typedef struct st_stage {
    const st_kernel *kernel;
    void *state;
    const st_op *op;
    int index; /* of the op in the graph; -1: the loss */
    int step;  /* when it runs forward */
    st_packed packed;
    size_t keep, hold;  /* floats */
    size_t exchange;    /* doubles */
    bool needs_dsrc[2]; /* backward gives the gradient by src, src2 */
    size_t keep_offset; /* in the arena; SIZE_MAX: none */
    size_t hold_offset;
    size_t gradient_offset[2]; /* where it writes its gradient by src, src2; SIZE_MAX: nowhere */
    double seconds[2];         /* spent forward, backward; only in a timed plan */
} st_stage;

/* A step of the backward list: a stage's backward, or n floats added or set to 0. */
typedef struct st_backward {
    int stage;       /* -1: none */
    size_t to, from; /* in the arena; from SIZE_MAX: zeros */
    size_t n;
} st_backward;

typedef struct st_plan {
    const st_graph *graph; /* borrowed */
    int n_stages;          /* ops with a kernel, in order; the loss, if any, is the last */
    st_stage *stage;
    int n_backward;
    st_backward *backward;
    bool has_loss;
    st_op loss_op; /* the loss is not in the graph: it belongs to training */
    int64_t batch; /* the micro-batch */
    int parts;     /* plans that work by columns, together; 1: alone */
    int part;      /* which of them this is */
    bool timed;
    int64_t n_in, n_out; /* values of a sample */
    size_t block_size;   /* floats in the packed parameter block */
    size_t exchange;     /* doubles: the most any stage asks for */
    size_t arena_size;   /* floats */
    bool *depends;       /* [n_tensors]: on a parameter of the range */
    size_t *offset;      /* [2 * n_tensors] of each value and gradient in the arena; SIZE_MAX: not there */
    int n_tensors;
    size_t scratch;       /* floats; at the end of the arena, a piece for each part */
    size_t common;        /* floats; behind that, for all parts */
    float *arena;         /* after st_plan_bind; owned, but for part 1 and on */
    st_exchange *meeting; /* of the parts; borrowed. NULL: alone */
    int input_tensor, output_tensor;
    float *input, *output; /* in the arena */
    st_step step;
} st_plan;

/* Makes the kernels and the layout of the arena; nothing is allocated for values yet. */
strait_status st_plan_new(st_plan **out, const st_runner_config *config, int64_t micro_batch, int parts,
                          strait_error *err);
/* Allocates the arena, or in a part behind the first takes that of `first`, the plan of part 0, bound before; and tells
   every kernel where its values live. gradient and exchange may be NULL. */
strait_status st_plan_bind(st_plan *plan, const st_plan *first, float *parameters, float *gradient,
                           st_exchange *exchange, int replica, strait_error *err);
/* Floats of tensor t in one part. */
size_t st_plan_tensor_floats(const st_plan *plan, int t);
/* Floats of the arena, the scratch and what is common, of all parts. */
size_t st_plan_floats(const st_plan *plan);
void st_plan_free(st_plan *plan);

/* Runs the stages forward, the loss with them or not; a timed plan notes the time each took. in_step: a failure is told
   at the end, not at once, since other replicas wait for this one. */
strait_status st_plan_forward(st_plan *plan, bool with_loss, bool in_step);
/* Runs the backward list. accumulate: add to the gradients of parameters. */
strait_status st_plan_backward(st_plan *plan, bool accumulate, bool in_step);

/* Bytes of values and gradients of one sample: what the micro-batch rule weighs. */
int64_t st_plan_sample_bytes(const st_runner_config *config);

/* For the plan's own files. The tensor whose memory tensor t shares; whether an op shares its input's. */
int st_plan_root(const st_runner_config *config, int t);
bool st_plan_is_alias(const st_runner_config *config, const st_op *op);
/* Lives, offsets and the backward list, once the stages are there. */
strait_status st_plan_place(st_plan *plan, const st_runner_config *config, strait_error *err);
/* n floats up to a whole number of cache lines: every buffer and packed parameter begins on one. */
size_t st_plan_round_up(size_t n);

/* Packs intervals: gives each buffer an offset so that no two overlap in both time and space. Returns the size
   needed. first/last: the steps it lives through. Greedy by size, first fit (Pisarchyk and Lee: Efficient Memory
   Management for Deep Neural Net Inference, 2020, "greedy by size"). */
typedef struct st_buffer {
    size_t size, offset;
    int first, last;
} st_buffer;
size_t st_buffers_place(int n, st_buffer *buffer, int *order);

#endif
