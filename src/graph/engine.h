/* Engines: who computes the ops. An engine is a name and a table with one kernel for each op; a kernel is an op's
   whole life there: plan, bind, forward, backward, free. */
#ifndef ST_GRAPH_ENGINE_H
#define ST_GRAPH_ENGINE_H

#include "graph/graph.h"

/* What the plan asks of a kernel. */
typedef struct st_kernel_request {
    const st_graph *graph;
    const st_op *op;
    int64_t batch;   /* samples in a call: the micro-batch */
    bool training;   /* backward will be called */
    bool needs_dsrc; /* ... and must give the gradient by its input */
    bool
        dst_is_preactivation; /* ddst arrives already multiplied by the activation's derivative (fused into the loss) */
    st_activation fused; /* losses: the activation of the op before, whose derivative the loss applies; linear: none */
} st_kernel_request;

/* What the kernel asks of the plan. Sizes in floats. Packed layouts are the kernel's own; elements that do not exist
   in the canonical layout are kept zero by pack and receive zero gradients. */
typedef struct st_kernel_needs {
    size_t kernel, bias; /* of the packed parameters; 0: none */
    size_t scratch;      /* used within one call, shared between ops */
} st_kernel_needs;

/* The part of a step that changes from call to call; read by losses. */
typedef struct st_step {
    int64_t n_valid;     /* samples of the micro-batch that count; the rest are padding */
    const float *target; /* [n_valid, output shape] */
    float scale;         /* 1 / (samples of the batch * values of a sample) */
    double loss;         /* out: sum of the loss over values and valid samples, added to */
} st_step;

/* Where everything lives; fixed for the life of the plan. Gradient pointers are NULL outside training. */
typedef struct st_binding {
    const float *src;           /* [batch, src shape] */
    float *dst;                 /* [batch, dst shape] */
    float *ddst;                /* gradient by dst; kernels may overwrite it */
    float *dsrc;                /* gradient by src; NULL when not needed */
    const float *kernel, *bias; /* packed */
    float *dkernel, *dbias;     /* packed */
    st_step *step;              /* losses */
    float *scratch;
} st_binding;

typedef struct st_kernel {
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
   the step is taken. All blocks have the packed layout; m and v are the optimiser's state. */
typedef struct st_update st_update;
struct st_update {
    void (*run)(const st_update *update, size_t begin, size_t end); /* set by the engine's plan_update */
    st_optimizer_kind kind;
    int n_gradients;
    float *const *gradient; /* [n_gradients][n] */
    float *value, *m, *v;
    float learning_rate; /* adam: already corrected for the bias of both moments */
    float beta_1, beta_2, epsilon;
    float momentum;
    bool nesterov;
};

typedef struct st_engine {
    const char *name; /* "cpu", "reference" */
    /* Tells the libraries under the engine how many threads of their own to use when called from this thread; gives how
       many it were before, 0 when that is not known. A runner sets one, and puts the caller's number back when freed.
       (optional) */
    int (*set_threads)(int n);
    void (*thread_init)(void);              /* run once on each worker (optional) */
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

#endif
