/* The graph: a flat list of ops on tensors, in the order they run.
   Invariants:
   1. An op's inputs are written by earlier ops, or are the graph's input.
   2. Each tensor is written by one op and, for now, read by one.
   3. Shapes are static, of one sample, NHWC; the batch is the plan's affair.
   4. A graph holds no values: parameters are one block beside it, at the offsets given here (canonical layout). */
#ifndef ST_GRAPH_GRAPH_H
#define ST_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "base/terms.h"
#include "graph/op_list.h"

typedef enum st_op_kind {
#define ST_OP_ENUM(name, text) ST_OP_##name,
    ST_OP_LIST(ST_OP_ENUM)
#undef ST_OP_ENUM
        ST_OP_COUNT
} st_op_kind;

const char *st_op_name(st_op_kind kind);

/* Shape of one sample. */
#define ST_MAX_SHAPE 4
typedef struct st_shape {
    int n_dims;
    int64_t dim[ST_MAX_SHAPE];
} st_shape;

/* Product of the dims. */
int64_t st_shape_count(const st_shape *shape);
bool st_shape_equal(const st_shape *a, const st_shape *b);
/* "28×28×1" into out. */
void st_shape_print(char out[96], const st_shape *shape);

/* Window of a convolution. pad_* are the zeros before the first row / column (same: as TensorFlow pads). */
typedef struct st_window {
    int64_t kernel[2], stride[2];
    int64_t pad_before[2], pad_after[2];
} st_window;

typedef struct st_tensor {
    st_shape shape;
    int producer; /* op, or -1 for the graph's input */
} st_tensor;

/* A trainable parameter in its canonical layout, as Keras has it. */
typedef struct st_parameter {
    char name[64]; /* "encoder.1.kernel" */
    st_shape shape;
    int64_t offset;          /* in the canonical block, floats */
    int64_t fan_in, fan_out; /* for initial weights; 0: starts at zero */
} st_parameter;

typedef struct st_op {
    st_op_kind kind;
    int src, dst;             /* tensors; a loss has no dst: -1 */
    int kernel, bias;         /* parameters, or -1 */
    st_activation activation; /* applied to the result; linear: none */
    st_window window;         /* convolutions */
    st_loss_kind loss;        /* losses */
    int part, layer;          /* 0 encoder, 1 decoder; index of the layer in its part: for names */
} st_op;

typedef struct st_graph {
    int n_tensors, n_ops, n_parameters;
    st_tensor *tensor;
    st_op *op;
    st_parameter *parameter;
    int input, latent, output; /* tensors; -1: not there (a half saved alone) */
    int n_encoder_ops;         /* ops [0, n_encoder_ops) make the latent */
    int64_t n_values;          /* floats in the canonical parameter block */
} st_graph;

/* An empty graph with its input tensor. The caller owns *out. */
strait_status st_graph_new(st_graph **out, const st_shape *input, strait_error *err);
void st_graph_free(st_graph *graph);

/* Adding ops: each appends one op reading tensor src, adds its parameters (prefix + ".kernel", ".bias") and gives the
   tensor it writes in *dst. Errors: SHAPE (a sentence without position; the model adds it), MEMORY. */
typedef struct st_op_place {
    const char *prefix; /* "encoder.1" */
    int part, layer;
} st_op_place;
strait_status st_graph_dense(int *dst, st_graph *graph, int src, int64_t units, bool bias, st_activation activation,
                             st_op_place place, strait_error *err);
/* conv2d: out = ceil(in / stride) for same, floor((in - kernel) / stride) + 1 for valid.
   conv2d_transpose: out = in * stride for same, (in - 1) * stride + max(kernel, stride) for valid, as TensorFlow. */
strait_status st_graph_conv2d(int *dst, st_graph *graph, int src, bool transpose, int64_t filters,
                              const int64_t kernel_size[2], const int64_t strides[2], st_padding padding, bool bias,
                              st_activation activation, st_op_place place, strait_error *err);
strait_status st_graph_reshape(int *dst, st_graph *graph, int src, const st_shape *shape, st_op_place place,
                               strait_error *err);
/* Fused into the op before where that is linear, makes src, and fuse is true (*dst = src then); else an op of its own.
 */
strait_status st_graph_activation(int *dst, st_graph *graph, int src, bool fuse, st_activation activation,
                                  st_op_place place, strait_error *err);

/* Multiply-adds times 2 of one sample, forward. */
int64_t st_op_flops(const st_graph *graph, const st_op *op);

#endif
