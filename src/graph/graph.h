/* The graph: a flat list of ops on tensors, in the order they run.
   Invariants:
   1. An op's inputs are written by earlier ops, or are the graph's input.
   2. Each tensor is written by one op; any number may read it (their gradients are added by the plan).
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

/* What a parameter is: decay and penalties are for kernels, and a state (a moving mean) is not trained at all. */
typedef enum st_role { ST_ROLE_KERNEL, ST_ROLE_OFFSET, ST_ROLE_STATE } st_role;

/* A parameter in its canonical layout, as Keras has it. */
typedef struct st_parameter {
    char name[64]; /* "encoder.1.kernel" */
    st_shape shape;
    int64_t offset;          /* in the canonical block, floats */
    int64_t fan_in, fan_out; /* for initial weights; 0: not a weight */
    st_initializer start;
    st_role role;
} st_parameter;

typedef struct st_op {
    st_op_kind kind;
    int src, dst;             /* tensors; a loss has no dst: -1 */
    int src2;                 /* the second input of concat, add, sample; -1: none */
    int kernel, bias;         /* parameters, or -1; norms: gamma, beta */
    int state[2];             /* parameters, or -1; batch_norm: moving mean, moving variance */
    st_activation activation; /* applied to the result; linear: none */
    st_window window;         /* convolutions and pools; crop2d and zero_pad2d: pad_before, pad_after alone */
    int64_t factor[2];        /* upsample2d */
    bool bilinear;            /* upsample2d */
    int64_t begin;            /* slice */
    double rate;              /* dropout: the share set to 0 */
    double stddev;            /* gaussian_noise */
    double momentum, epsilon; /* norms */
    double l1, l2;            /* penalty */
    double beta;              /* sample: weight of the KL divergence ... */
    bool kl_mean;             /* ... averaged over the latent, not summed */
    int64_t random;           /* dropout, gaussian_noise, sample: position of the first value in a sample's stream of
                                 random numbers; a multiple of 4, each op has its own range */
    st_loss loss;             /* losses */
    int part, layer;          /* 0 encoder, 1 decoder; index of the layer in its part */
    char name[48];            /* "encoder.1", nested "encoder.0.1.2": as its parameters' names begin */
} st_op;

typedef struct st_graph {
    int n_tensors, n_ops, n_parameters;
    st_tensor *tensor;
    st_op *op;
    st_parameter *parameter;
    int input, latent, output; /* tensors; -1: not there (a half saved alone) */
    int n_encoder_ops;         /* ops [0, n_encoder_ops) make the latent */
    int logits;       /* loss from logits: the tensor before the closing sigmoid; else -1. Training and its loss
                         end there, output is the sigmoid's */
    int64_t n_values; /* floats in the canonical parameter block */
    int64_t n_random; /* random numbers a sample needs in a training step */
} st_graph;

/* An empty graph with its input tensor. The caller owns *out. */
strait_status st_graph_new(st_graph **out, const st_shape *input, strait_error *err);
void st_graph_free(st_graph *graph);

/* Adding ops: each appends one op reading tensor src (and one more for an activation that needs its input), adds its
   parameters (prefix + ".kernel", ".bias") and gives the tensor it writes in *dst. Errors: SHAPE (a sentence without
   position; the model adds it), MEMORY. */
typedef struct st_op_place {
    const char *prefix; /* "encoder.1" */
    int part, layer;
    st_initializer initializer; /* of a kernel */
    double bias_start;          /* of a bias */
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
/* Fused into the op before where that is dense or a convolution, linear, makes src and nobody has read src yet, and
   fuse is true (*dst = src then); else an op of its own. Fusing changes src for those who read it later, too: fuse is
   false where src has other uses (the start of a residual, the latent). */
strait_status st_graph_activation(int *dst, st_graph *graph, int src, bool fuse, st_activation activation,
                                  st_op_place place, strait_error *err);

/* Pools: sizes as conv2d. pad_before and pad_after hold what TensorFlow pads for same. */
strait_status st_graph_pool2d(int *dst, st_graph *graph, int src, bool max, const int64_t size[2],
                              const int64_t strides[2], st_padding padding, st_op_place place, strait_error *err);
strait_status st_graph_upsample2d(int *dst, st_graph *graph, int src, const int64_t factor[2], bool bilinear,
                                  st_op_place place, strait_error *err);
/* gamma, beta (".gamma", ".beta", [channels]), and for batch_norm the states ".moving_mean", ".moving_variance". */
strait_status st_graph_batch_norm(int *dst, st_graph *graph, int src, double momentum, double epsilon,
                                  st_op_place place, strait_error *err);
strait_status st_graph_layer_norm(int *dst, st_graph *graph, int src, double epsilon, st_op_place place,
                                  strait_error *err);
strait_status st_graph_dropout(int *dst, st_graph *graph, int src, double rate, st_op_place place, strait_error *err);
strait_status st_graph_gaussian_noise(int *dst, st_graph *graph, int src, double stddev, st_op_place place,
                                      strait_error *err);
/* before, after: rows, columns cut off (crop) or added (zero_pad2d). */
strait_status st_graph_crop2d(int *dst, st_graph *graph, int src, const int64_t before[2], const int64_t after[2],
                              st_op_place place, strait_error *err);
strait_status st_graph_zero_pad2d(int *dst, st_graph *graph, int src, const int64_t before[2], const int64_t after[2],
                                  st_op_place place, strait_error *err);
/* Values [begin, end) of the last axis. */
strait_status st_graph_slice(int *dst, st_graph *graph, int src, int64_t begin, int64_t end, st_op_place place,
                             strait_error *err);
/* Along the last axis; the other axes must agree. */
strait_status st_graph_concat(int *dst, st_graph *graph, int a, int b, st_op_place place, strait_error *err);
strait_status st_graph_add(int *dst, st_graph *graph, int a, int b, st_op_place place, strait_error *err);
/* The reparameterised sample of a diagonal normal distribution (Kingma and Welling 2014). */
strait_status st_graph_sample(int *dst, st_graph *graph, int mean, int log_variance, double beta, bool kl_mean,
                              st_op_place place, strait_error *err);
strait_status st_graph_penalty(int *dst, st_graph *graph, int src, double l1, double l2, st_op_place place,
                               strait_error *err);

/* Floats that are trained: n_values less the states. */
int64_t st_graph_trainable(const st_graph *graph);

/* Multiply-adds times 2 of one sample, forward. */
int64_t st_op_flops(const st_graph *graph, const st_op *op);

#endif
