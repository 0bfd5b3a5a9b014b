/* Kernels written once over vectors of V floats and compiled for each instruction set: vector_impl.h is the code,
   vector_generic.c, vector_avx2.c and vector_avx512.c choose V. The best set the processor has is picked at run time.

   Dense layers: small matrix products whose weights stay packed between steps. W [in, out] is cut into panels of
   `panel` columns, each stored [in][panel]; a panel ends with one unused row so that panels of a power-of-two size do
   not fall on the same cache sets. Columns past `out` are zero and stay zero. */
#ifndef ST_CPU_VECTOR_H
#define ST_CPU_VECTOR_H

#include "graph/engine.h"

/* A dense product over n_rows rows. */
typedef struct st_dense {
    int64_t n_rows, in, out;
    int64_t n_panels;    /* ceil(out / panel) */
    const float *x;      /* [n_rows, in] */
    const float *kernel; /* packed */
    const float *bias;   /* [n_panels * panel], or NULL */
    float *y;            /* [n_rows, out] */
    const float *dy;     /* [n_rows, out] */
    float *dx;           /* [n_rows, in], or NULL */
    float *dkernel;      /* packed */
    float *dbias;        /* [n_panels * panel], or NULL */
    float *scratch;      /* n_panels * panel * n_rows floats */
    st_activation activation;
    bool dy_is_preactivation;
} st_dense;

/* A convolution to few channels, stride 1: there a vector runs along the input's contiguous [kernel width, channels]
   instead of the filters. Kernel [filters, kernel height, kernel width, channels]. */
typedef struct st_thin {
    int64_t n, height, width, channels; /* input, NHWC */
    int64_t out_height, out_width, filters;
    int64_t kernel_height, kernel_width, pad_top, pad_left;
    const float *x, *kernel, *bias; /* bias may be NULL */
    float *y;
    const float *dy;
    float *dkernel;
} st_thin;

/* A loss over n values; see st_kernel_request.fused. */
typedef struct st_loss_call {
    st_loss loss;
    st_activation fused;
    size_t n;
    const float *y, *target;
    float *dy;   /* NULL: the loss alone */
    float scale; /* of the gradient */
} st_loss_call;

typedef struct st_vector_kernels {
    const char *name;
    int64_t panel;
    void (*dense_forward)(const st_dense *call);
    void (*dense_backward)(const st_dense *call, bool accumulate);
    void (*thin_forward)(const st_thin *call);
    void (*thin_gradient)(const st_thin *call, bool accumulate); /* of the kernel */
    /* y = act(y), in place; not softmax. */
    void (*activate)(st_activation activation, float *y, size_t n);
    /* out = dy * act'(x), from y = act(x), or from y = x where the activation needs it; not softmax. out may be dy. */
    void (*activate_gradient)(st_activation activation, float *out, const float *dy, const float *y, size_t n);
    /* y[i] += bias for each of n_rows rows of n values; and sum[j] = the sum of dy[i][j] over rows. */
    void (*add_bias)(float *y, const float *bias, size_t n_rows, size_t n);
    void (*sum_rows)(float *sum, const float *dy, size_t n_rows, size_t n);
    /* Rows of n values, in place; and out = y * (dy - sum(dy * y)). */
    void (*softmax)(float *y, size_t n_rows, size_t n);
    void (*softmax_gradient)(float *out, const float *dy, const float *y, size_t n_rows, size_t n);
    /* The sum of the loss; also the gradient where dy is given. */
    double (*loss)(const st_loss_call *call);
    void (*update)(const st_update *update, size_t begin, size_t end);
} st_vector_kernels;

extern const st_vector_kernels st_vector_generic;
#if defined(__x86_64__)
extern const st_vector_kernels st_vector_avx2;
extern const st_vector_kernels st_vector_avx512;
#endif

/* The best of them on this processor; STRAIT_INSTRUCTIONS=generic|avx2|avx512 asks for another one it has. */
const st_vector_kernels *st_vector(void);

/* Floats of a packed kernel. */
static inline size_t st_dense_packed_size(int64_t in, int64_t n_panels, int64_t panel) {
    return (size_t)(n_panels * (in + 1) * panel);
}

#endif
