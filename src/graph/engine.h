/* Engines: who computes the ops. An engine is a name and a table with one kernel for each op; a kernel is an op's
   whole life there: plan, bind, forward, backward, free. */
#ifndef ST_GRAPH_ENGINE_H
#define ST_GRAPH_ENGINE_H

#include "graph/graph.h"

/* What the plan asks of a kernel. */
typedef struct st_kernel_request {
    const st_graph *graph;
    const st_op *op;
    int64_t batch;   /* samples in a call: the micro-batch, of one replica */
    int parts;       /* replicas among which the kernel's work on all their samples is split (by_columns); 1: alone */
    bool training;   /* backward will be called */
    bool needs_dsrc; /* ... and must give the gradient by its input; with two: by one of them at least, and the
                        binding's pointer is NULL for one that is not asked for */
    bool
        dst_is_preactivation; /* ddst arrives already multiplied by the activation's derivative (fused into the loss) */
    st_activation fused; /* losses: the activation of the op before, whose derivative the loss applies; linear: none */
} st_kernel_request;

/* What the kernel asks of the plan. Sizes in floats. Packed layouts are the kernel's own; elements that do not exist
   in the canonical layout are kept zero by pack and receive zero gradients. */
typedef struct st_kernel_needs {
    size_t kernel, bias; /* of the packed parameters; 0: none */
    size_t scratch;      /* used within one call, shared between ops */
    size_t common;       /* likewise, and shared by the parts */
    size_t keep;         /* written by forward, read by backward: masks, indices, statistics */
    size_t hold;         /* kept from call to call, each replica its own: what is worked out once a step */
    size_t exchange;     /* doubles summed at once over the replicas while training (st_exchange_sum); above 0 the
                            replicas run in step, each with its whole share of the batch at once */
} st_kernel_needs;

/* What a call is for: latents and outputs for people; the loss on samples not trained on; training. Dropout and
   noise act in training alone; a sample op gives its mean to apply, and draws otherwise; batch_norm uses the batch's
   statistics in training, the moving ones otherwise. */
typedef enum st_mode { ST_MODE_APPLY, ST_MODE_VALIDATE, ST_MODE_TRAIN } st_mode;

/* The part of a step that changes from call to call.
   Padding: only the first n_valid of the micro-batch's rows are samples.
   - Training, the rows of src behind them hold finite values of no meaning (other samples, or what came of them), and
     those of ddst are 0. A kernel writes all rows of dst, with finite values, and all rows of dsrc, with 0 behind the
     samples; so it may as well work on all rows alike, but what it adds to the loss, draws by sample[i], or takes
     statistics of is of the samples alone.
   - Otherwise those rows hold anything, and nothing that is written there is read.
   The loss is added in backward while training, in forward otherwise; a sample op and a penalty add theirs in forward,
   unless to apply, and the gradient of what they added, divided by n_batch, in backward. */
typedef struct st_step {
    st_mode mode;
    bool first;          /* of this replica's micro-batches in a call: the weights may be others than in the last one */
    int64_t n_valid;     /* samples of the micro-batch that count; the rest are padding. May be 0 in step */
    int64_t n_batch;     /* samples of the whole batch, over all replicas */
    const float *target; /* [n_valid, output shape] */
    float scale;         /* 1 / (samples of the batch * values of a sample) */
    /* Random numbers of sample i: stream (seed, purpose, epoch, sample[i]), positions op->random + value. */
    uint64_t seed;
    uint32_t epoch;
    const uint32_t *sample; /* [n_valid] */
    float beta_scale;       /* sample: beta is multiplied by it (warm-up) */
    double loss;            /* out: sum of the loss over values and valid samples, added to */
    double kl;              /* out: sum over valid samples of the KL divergence, not times beta, added to */
    double extra;           /* out: sum over valid samples of what comes beside the loss: beta KL, penalties */
} st_step;

/* Where replicas running in step meet. Sums values [n] over the replicas in the order of their number: each then has
   the same bits. Every replica must call it, as often and with the same n. */
typedef struct st_exchange st_exchange;
void st_exchange_sum(st_exchange *exchange, int replica, double *values, size_t n);
/* Waits until every replica has come here. */
void st_exchange_meet(st_exchange *exchange, int replica);

/* Where everything lives; fixed for the life of the plan. Gradient pointers are NULL outside training. */
typedef struct st_binding {
    const float *src;           /* [batch, src shape] */
    float *dst;                 /* [batch, dst shape] */
    float *ddst;                /* gradient by dst; kernels may overwrite it */
    float *dsrc;                /* gradient by src; NULL when not needed */
    const float *src2;          /* [batch, src2 shape]; NULL: none */
    float *dsrc2;               /* its gradient */
    const float *kernel, *bias; /* packed */
    float *dkernel, *dbias;     /* packed; of this replica's samples alone: the optimiser adds up the replicas' */
    float *state;               /* state[0], then state[1], in canonical layout, shared by the replicas: replica 0 alone
                                   writes, in training, and no replica reads then. Replica 0 always has samples */
    st_step *step;
    float *scratch, *keep, *hold, *common;
    st_exchange *exchange; /* NULL where no kernel needs it */
    int replica;
} st_binding;

typedef struct st_kernel {
    /* Asked for several parts it works on the samples of all of them, whose src, dst and gradients lie one after
       another, each part on some columns of the weights: then the weights, their gradients and what the optimiser keeps
       of them stay in one processor's cache. What is computed does not depend on the number of parts, to the bit. Plan
       with by_columns false gets parts = 1. */
    bool by_columns;
    /* *state is the kernel's own. Errors: MEMORY, ENGINE. */
    strait_status (*plan)(void **state, st_kernel_needs *needs, const st_kernel_request *request, strait_error *err);
    strait_status (*bind)(void *state, const st_binding *binding, strait_error *err);
    strait_status (*forward)(void *state);
    /* accumulate: add to dkernel and dbias instead of overwriting. A loss adds the loss here too, so that training
       needs one pass over the output: its forward is for evaluation only. */
    strait_status (*backward)(void *state, bool accumulate);
    /* Between canonical and packed layout. (optional: ops without parameters) */
    strait_status (*pack)(void *state, float *packed_kernel, float *packed_bias, const float *kernel,
                          const float *bias);
    strait_status (*unpack)(void *state, float *kernel, float *bias, const float *packed_kernel,
                            const float *packed_bias);
    /* How it computes, a few words: "jit:avx2 nhwc". (optional) */
    void (*describe)(const void *state, char *out, size_t n);
    void (*free)(void *state);
} st_kernel;

/* The optimiser's pass, run over slices [begin, end): the replicas' gradients are summed in order of their number, then
   scaled, clipped, penalised, and the step is taken. All blocks have the packed layout; m, v and u are the optimiser's
   state. For each value w with gradient g, in this order:
     g = clip(gradient_scale * sum of gradients, -clip_value, clip_value) + l1 sign(w) + 2 l2 w
     w = w - decay * w
     and then, as Keras writes them (s = learning_rate, the rate of this step, corrected where told):
     sgd       momentum 0: w -= s g; else m = momentum m - s g; w += nesterov ? momentum m - s g : m
     adam(w)   m += (1 - beta_1) (g - m); v += (1 - beta_2) (g^2 - v); w -= s m / (sqrt(v) + epsilon)
               s corrected: learning rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
     nadam     m, v as adam; w -= (c_1 m + c_2 g) / (sqrt(v / c_3) + epsilon), c by the stepper: Keras' u_t products
     rmsprop   v = rho v + (1 - rho) g^2; centered: u = rho u + (1 - rho) g, d = v - u^2, else d = v;
               e = s g / sqrt(d + epsilon); momentum 0: w -= e; else m = momentum m + e; w -= m
     adagrad   v += g^2; w -= s g / sqrt(v + epsilon)
     adadelta  v = rho v + (1 - rho) g^2; e = sqrt(m + epsilon) / sqrt(v + epsilon) g; m = rho m + (1 - rho) e^2;
               w -= s e */
typedef struct st_update st_update;
struct st_update {
    void (*run)(const st_update *update, size_t begin, size_t end); /* set by the engine's plan_update */
    st_optimizer_kind kind;
    int n_gradients;
    float *const *gradient; /* [n_gradients][n] */
    float *value, *m, *v, *u;
    float learning_rate;
    float beta_1, beta_2, epsilon; /* rmsprop, adadelta: beta_2 is rho */
    float momentum;
    bool nesterov, centered;
    float c_1, c_2, c_3;              /* nadam */
    float gradient_scale, clip_value; /* 1 and INFINITY: as they are */
    float l1, l2, decay;              /* of this slice; 0 where it holds no kernels */
};

typedef struct st_engine {
    const char *name;                       /* "cpu", "reference" */
    void (*plan_update)(st_update *update); /* chooses how this engine computes it */
    const st_kernel *kernel[ST_OP_COUNT];   /* NULL: the plan does it (reshape) */
} st_engine;

/* The engines, one a file room: the fast one and the plain-C reference. */
extern const st_engine st_engine_cpu;
extern const st_engine st_engine_reference;

/* "avx512", "avx2" or "generic": the instructions the cpu engine uses here. */
const char *st_cpu_instructions(void);
/* Version of oneDNN in use, "2.6.3". */
const char *st_cpu_onednn_version(void);
/* GFLOP/s of a large float32 matrix product with so many threads: the best of a few, measured now. */
strait_status st_cpu_peak(double *gflops, int threads, strait_error *err);
/* GB/s of so many threads reading two blocks far larger than the caches and writing a third: the best of a few. */
strait_status st_cpu_bandwidth(double *gbytes, int threads, strait_error *err);

#endif
