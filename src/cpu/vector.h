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
    float *tile;         /* [n_rows, panel] */
    float *packed_dy;    /* [n_panels * panel * (n_rows + 1)]; between dense_pack_gradient and dense_backward */
    st_activation activation;
    bool dy_is_preactivation;
    int part, parts; /* does the part-th of so many pieces of the work: each value is computed by one of them, and in
                        one way. 0, 1: all */
} st_dense;

/* A convolution pass: each value of the result is a sum over a window of the source. The result's rows and columns fall
   into phases with windows of their own: one for a convolution; for its gradient by the input, and a transposed
   convolution, stride * stride of them. Pairs are (rows, columns). */
typedef struct st_conv_phase {
    int64_t taps[2];  /* the window; 0: nothing falls here but the bias */
    int64_t start[2]; /* where in the source the first window begins: below 0, in the border */
    int64_t out_first[2];
    int64_t count[2];    /* windows */
    const float *kernel; /* for each panel of filters [taps, channels][the panel's columns] */
} st_conv_phase;

typedef struct st_conv_pass {
    int64_t n, height, width, channels; /* of the source, NHWC */
    int64_t out_height, out_width, filters;
    int64_t step[2];          /* from window to window in the source */
    int64_t out_step[2];      /* ... in the result */
    int64_t border_left, row; /* of the copied rows: columns before the image's first, and floats in all */
    int64_t most_rows;        /* windows one below another that are worked on at once */
    int n_phases;
    st_conv_phase *phase;
    const float *x, *bias;    /* [st_conv_columns], or NULL */
    float *y, *scratch;       /* st_conv_scratch */
    st_activation activation; /* not softmax */
} st_conv_pass;

/* The gradient by the kernel: the sum over windows of the source times the result's gradient. */
typedef struct st_conv_gradient {
    const st_conv_pass *pass; /* its geometry, one phase */
    const float *source, *dresult;
    float *dkernel; /* as the phase's kernel */
    float *scratch; /* st_conv_scratch, and behind it st_conv_columns * most_rows * out_width */
} st_conv_gradient;

#define ST_THIN 8 /* windows that convolve_thin computes at once */

/* A loss over n values; see st_kernel_request.fused. */
typedef struct st_loss_call {
    st_loss loss;
    st_activation fused;
    size_t n;
    const float *y, *target;
    float *dy;   /* NULL: the loss alone */
    float scale; /* of the gradient */
} st_loss_call;

/* A pool, NHWC. pad: before the first row, column. Every window reaches into the image. */
typedef struct st_pool {
    int64_t n, height, width, channels, out_height, out_width;
    int64_t kernel[2], stride[2], pad[2];
    const float *x, *dy;
    float *y, *dx;
    /* max: which position of its window, of the part inside the image, each value came from; one of the two, or
     * neither. */
    uint8_t *index8;    /* windows of up to 256 positions ... */
    int32_t *index_row; /* ... and room for a row of them: [out_width, channels] */
    int32_t *index32;
} st_pool;

/* Where a row or column of a larger image comes from: (1 - weight) low + weight high. */
typedef struct st_tap {
    int32_t low, high;
    float weight; /* of high */
} st_tap;

/* An image factor times as high and wide, NHWC. */
typedef struct st_resize {
    int64_t n, height, width, channels; /* of the smaller one */
    int64_t factor[2];
    const st_tap *tap[2]; /* bilinear */
    const float *x, *dy;
    float *y, *dx;
    float *scratch; /* nearest: a large row; bilinear: a small one */
} st_resize;

/* A norm whose statistics belong to the columns of [n] values in rows of `period`: each array holds one value a column,
   repeated until the period is long enough for a loop. */
typedef struct st_columns {
    size_t n, period;
    const float *x, *dy;
    float *y, *dx;
    const float *mean, *scale, *offset;      /* y = (x - mean) scale + offset */
    const float *mean_dy, *slope, *scale_dy; /* dx = (dy - mean_dy - (x - mean) slope) scale_dy */
} st_columns;

/* Layer norm: rows of n values, each with its own mean and 1 / deviation (kept). */
typedef struct st_rows {
    size_t n_rows, n;
    float epsilon;
    const float *x, *dy, *gamma, *beta;
    float *y, *dx;
    float *mean, *rstd;     /* [n_rows] */
    double *dgamma, *dbeta; /* [n], added to */
} st_rows;

/* A sample's gradient; dmean, dlv may be NULL. */
typedef struct st_sample {
    const float *mean, *lv, *noise, *dz;
    float *dmean, *dlv;
    float factor;
} st_sample;

typedef struct st_vector_kernels {
    const char *name;
    int64_t panel;
    void (*dense_forward)(const st_dense *call);
    /* Backward in two passes: the second needs what all parts did in the first. */
    void (*dense_pack_gradient)(const st_dense *call);
    void (*dense_backward)(const st_dense *call, bool accumulate);
    void (*convolve)(const st_conv_pass *call);
    /* The same for few filters and steps of 1; the kernel in panels of channels instead, its taps backwards, as the
       pass back from the filters to the channels has it. The scratch is st_thin_slack floats longer. */
    void (*convolve_thin)(const st_conv_pass *call);
    void (*convolve_gradient)(const st_conv_gradient *call, bool accumulate);
    /* y = act(y), in place; not softmax. */
    void (*activate)(st_activation activation, float *y, size_t n);
    /* out = dy * act'(x), from y = act(x), or from y = x where the activation needs it; not softmax. out may be dy. */
    void (*activate_gradient)(st_activation activation, float *out, const float *dy, const float *y, size_t n);
    /* sum[j] = the sum of dy[i][j] over n_rows rows of n values. */
    void (*sum_rows)(float *sum, const float *dy, size_t n_rows, size_t n);
    /* Rows of n values, in place; and out = y * (dy - sum(dy * y)). */
    void (*softmax)(float *y, size_t n_rows, size_t n);
    void (*softmax_gradient)(float *out, const float *dy, const float *y, size_t n_rows, size_t n);
    /* The sum of the loss; also the gradient where dy is given. */
    double (*loss)(const st_loss_call *call);
    void (*update)(const st_update *update, size_t begin, size_t end);
    void (*max_pool)(const st_pool *call);
    void (*max_pool_gradient)(const st_pool *call);
    void (*average_pool)(const st_pool *call);
    void (*average_pool_gradient)(const st_pool *call);
    void (*nearest)(const st_resize *call);
    void (*nearest_gradient)(const st_resize *call);
    void (*bilinear)(const st_resize *call);
    void (*bilinear_gradient)(const st_resize *call);
    /* sum[j] += the sum of a, product[j] that of a b, over rows of `period` values; n values in all. */
    void (*column_sums)(double *sum, double *product, const float *a, const float *b, size_t n, size_t period);
    void (*normalise)(const st_columns *call);
    void (*normalise_gradient)(const st_columns *call);
    void (*layer_norm)(const st_rows *call);
    void (*layer_norm_gradient)(const st_rows *call);
    /* keep[i] = u[i] >= rate; y = x scale where kept, else 0. And dx from dy likewise, by keep. */
    void (*drop)(float *y, uint8_t *keep, const float *x, const float *u, float rate, float scale, size_t n);
    void (*drop_gradient)(float *dx, const uint8_t *keep, const float *dy, float scale, size_t n);
    /* y = x + noise a */
    void (*add_noise)(float *y, const float *x, const float *noise, float a, size_t n);
    /* noise becomes exp(lv / 2) noise, z = mean + that; gives the sum of 1 + lv - mean^2 - exp(lv). */
    double (*sample)(float *z, float *noise, const float *mean, const float *lv, size_t n);
    /* dmean = dz + factor mean; dlv = (dz noise + factor (exp(lv) - 1)) / 2 */
    void (*sample_gradient)(const st_sample *call, size_t n);
    /* The sum of l1 |x| + l2 x^2; and dx = dy + l1 sign x + 2 l2 x. */
    double (*penalty)(const float *x, float l1, float l2, size_t n);
    void (*penalty_gradient)(float *dx, const float *dy, const float *x, float l1, float l2, size_t n);
} st_vector_kernels;

extern const st_vector_kernels st_vector_generic;
#if defined(__x86_64__)
extern const st_vector_kernels st_vector_avx2;
extern const st_vector_kernels st_vector_avx512;
#endif

/* The best of them on this processor; STRAIT_INSTRUCTIONS=generic|avx2|avx512 asks for another one it has. */
const st_vector_kernels *st_vector(void);

/* Filters of a convolution's panels, up to whole vectors: a last panel of half the width where that is enough. */
static inline int64_t st_conv_columns(int64_t filters, int64_t panel) {
    const int64_t rest = filters % panel;
    return filters - rest + (rest == 0 ? 0 : 2 * rest <= panel ? panel / 2 : panel);
}

/* Rows of the source under `rows` windows of every phase, one below another, from *first for the windows from `at` on.
 */
static inline int64_t st_conv_source_rows(const st_conv_pass *pass, int64_t at, int64_t rows, int64_t *first) {
    int64_t begin = INT64_MAX, end = INT64_MIN;
    for (int i = 0; i < pass->n_phases; i++) {
        const st_conv_phase *phase = &pass->phase[i];
        const int64_t top = phase->start[0] + at * pass->step[0];
        const int64_t bottom = top + (rows - 1) * pass->step[0] + phase->taps[0];
        if (phase->taps[0] == 0) continue;
        begin = top < begin ? top : begin;
        end = bottom > end ? bottom : end;
    }
    *first = begin;
    return end > begin ? end - begin : 0;
}

/* Floats of the copied rows. */
static inline size_t st_conv_scratch(const st_conv_pass *pass) {
    int64_t first;
    return (size_t)(st_conv_source_rows(pass, 0, pass->most_rows, &first) * pass->row);
}

/* Floats behind the copied rows that convolve_thin reads. */
static inline size_t st_thin_slack(const st_conv_pass *pass, int64_t panel) {
    return (size_t)(ST_THIN * pass->channels + panel);
}

/* Floats of a packed kernel. */
static inline size_t st_dense_packed_size(int64_t in, int64_t n_panels, int64_t panel) {
    return (size_t)(n_panels * (in + 1) * panel);
}

#endif
