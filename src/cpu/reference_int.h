/* The reference engine: every op as its formula says, in plain loops with sums in double. It is what the fast kernels
   are compared with, so it is written to be read, not to be quick. Packed layout = canonical layout. */
#ifndef ST_CPU_REFERENCE_INT_H
#define ST_CPU_REFERENCE_INT_H

#include "graph/engine.h"

/* The state of every reference kernel. */
typedef struct st_reference {
    st_op op;
    st_shape src, src2, dst; /* of one sample; a loss has no dst, most ops no src2 */
    int64_t batch;
    size_t n_kernel, n_bias;
    bool dy_is_preactivation; /* st_kernel_request.dst_is_preactivation */
    st_activation fused;      /* st_kernel_request.fused */
    st_binding at;
} st_reference;

/* What st_kernel asks for, the same for all ops. */
strait_status st_reference_plan(void **out, st_kernel_needs *needs, const st_kernel_request *request,
                                strait_error *err);
strait_status st_reference_bind(void *state, const st_binding *binding, strait_error *err);
strait_status st_reference_pack(void *state, float *packed_kernel, float *packed_bias, const float *kernel,
                                const float *bias);
strait_status st_reference_unpack(void *state, float *kernel, float *bias, const float *packed_kernel,
                                  const float *packed_bias);
void st_reference_describe(const void *state, char *out, size_t n);

/* act(x), and act'(x) from y = act(x); not softmax. */
double st_reference_act(st_activation activation, double x);
double st_reference_act_derivative(st_activation activation, double y);

/* y = act(y) in place, rows of n values. */
void st_reference_activate(st_activation activation, float *y, int64_t n_rows, int64_t n);
/* dy becomes the gradient by the activation's input, in place, from y = act(x). */
void st_reference_activate_gradient(st_activation activation, float *dy, const float *y, int64_t n_rows, int64_t n);

/* The micro-batch's dst through the op's activation, and ddst back through it (nothing to do where it comes already
   multiplied): the ends of forward and the beginnings of backward of every op with a fused activation. */
void st_reference_finish_forward(const st_reference *state);
void st_reference_begin_backward(const st_reference *state);

/* *gradient = sum, or += where gradients of several micro-batches add up. */
static inline void st_reference_put(float *gradient, double sum, bool accumulate) {
    *gradient = (float)(accumulate ? (double)*gradient + sum : sum);
}

#endif
