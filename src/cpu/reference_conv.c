/* conv2d and conv2d_transpose of the reference engine. Both connect a wide image (a convolution's input, a transposed
   one's output) with a narrow one, position (y, x) of the wide with (p, q) of the narrow through the kernel's (u, v)
   where
       y = p stride - pad_before + u,        x = q stride - pad_before + v                                   (*)
   The kernel is K[u][v][wide channel c][narrow channel o] for both: Keras' [kh, kw, in, out], transposed
   [kh, kw, out, in]. Three sums over all that (*) connects are all there is; each below is one function:
       narrow[p][q][o] = sum wide[y][x][c] K[u][v][c][o]      conv2d forward, conv2d_transpose by its input
       wide[y][x][c]   = sum narrow[p][q][o] K[u][v][c][o]    conv2d by its input, conv2d_transpose forward
       K[u][v][c][o]   = sum wide[y][x][c] narrow[p][q][o]    both by the kernel */
#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

typedef struct st_images {
    const st_window *window;
    int64_t n;                       /* images */
    const st_shape *wide, *narrow;   /* height, width, channels */
    int64_t n_wide, n_narrow, n_out; /* values of an image of each; channels of the op's output */
} st_images;

static st_images images_of(const st_reference *state) {
    const bool transpose = state->op.kind == ST_OP_CONV2D_TRANSPOSE;
    const st_shape *wide = transpose ? &state->dst : &state->src, *narrow = transpose ? &state->src : &state->dst;
    return (st_images){
        .window = &state->op.window,
        .n = state->batch,
        .wide = wide,
        .narrow = narrow,
        .n_wide = st_shape_count(wide),
        .n_narrow = st_shape_count(narrow),
        .n_out = state->dst.dim[2],
    };
}

/* (*) for a narrow position; outside of the wide image: -1. */
static int64_t wide_of(const st_images *im, int axis, int64_t p, int64_t u) {
    const int64_t y = p * im->window->stride[axis] - im->window->pad_before[axis] + u;
    return y >= 0 && y < im->wide->dim[axis] ? y : -1;
}

/* (*) for a wide position; -1: no narrow one there. */
static int64_t narrow_of(const st_images *im, int axis, int64_t y, int64_t u) {
    const int64_t stride = im->window->stride[axis], at = y + im->window->pad_before[axis] - u;
    if (at < 0 || at % stride != 0) return -1;
    return at / stride < im->narrow->dim[axis] ? at / stride : -1;
}

static const float *pixel(const float *images, const st_shape *shape, int64_t y, int64_t x) {
    return images + (y * shape->dim[1] + x) * shape->dim[2];
}

static const float *weights_at(const st_images *im, const float *kernel, int64_t u, int64_t v) {
    return kernel + (u * im->window->kernel[1] + v) * im->wide->dim[2] * im->narrow->dim[2];
}

/* One value of a narrow image. */
static double narrow_value(const st_images *im, const float *wide, const float *kernel, int64_t p, int64_t q,
                           int64_t o) {
    const int64_t channels = im->wide->dim[2], filters = im->narrow->dim[2];
    double sum = 0;
    for (int64_t u = 0; u < im->window->kernel[0]; u++)
        for (int64_t v = 0; v < im->window->kernel[1]; v++) {
            const int64_t y = wide_of(im, 0, p, u), x = wide_of(im, 1, q, v);
            if (y < 0 || x < 0) continue;
            const float *from = pixel(wide, im->wide, y, x), *w = weights_at(im, kernel, u, v);
            for (int64_t c = 0; c < channels; c++)
                sum += (double)from[c] * (double)w[c * filters + o];
        }
    return sum;
}

/* One value of a wide image. */
static double wide_value(const st_images *im, const float *narrow, const float *kernel, int64_t y, int64_t x,
                         int64_t c) {
    const int64_t filters = im->narrow->dim[2];
    double sum = 0;
    for (int64_t u = 0; u < im->window->kernel[0]; u++)
        for (int64_t v = 0; v < im->window->kernel[1]; v++) {
            const int64_t p = narrow_of(im, 0, y, u), q = narrow_of(im, 1, x, v);
            if (p < 0 || q < 0) continue;
            const float *from = pixel(narrow, im->narrow, p, q), *w = weights_at(im, kernel, u, v);
            for (int64_t o = 0; o < filters; o++)
                sum += (double)from[o] * (double)w[c * filters + o];
        }
    return sum;
}

/* The gradient of one value of the kernel, over all images. */
static double kernel_value(const st_images *im, const float *wide, const float *narrow, int64_t u, int64_t v, int64_t c,
                           int64_t o) {
    double sum = 0;
    for (int64_t i = 0; i < im->n; i++)
        for (int64_t p = 0; p < im->narrow->dim[0]; p++)
            for (int64_t q = 0; q < im->narrow->dim[1]; q++) {
                const int64_t y = wide_of(im, 0, p, u), x = wide_of(im, 1, q, v);
                if (y < 0 || x < 0) continue;
                sum += (double)pixel(wide + i * im->n_wide, im->wide, y, x)[c] *
                       (double)pixel(narrow + i * im->n_narrow, im->narrow, p, q)[o];
            }
    return sum;
}

/* All narrow images from the wide ones, bias (or NULL) added. */
static void make_narrow(const st_images *im, float *narrow, const float *wide, const float *kernel, const float *bias) {
    for (int64_t i = 0; i < im->n; i++)
        for (int64_t p = 0; p < im->narrow->dim[0]; p++)
            for (int64_t q = 0; q < im->narrow->dim[1]; q++)
                for (int64_t o = 0; o < im->narrow->dim[2]; o++)
                    *narrow++ = (float)(narrow_value(im, wide + i * im->n_wide, kernel, p, q, o) +
                                        (bias ? (double)bias[o] : 0));
}

/* All wide images from the narrow ones, bias (or NULL) added. */
static void make_wide(const st_images *im, float *wide, const float *narrow, const float *kernel, const float *bias) {
    for (int64_t i = 0; i < im->n; i++)
        for (int64_t y = 0; y < im->wide->dim[0]; y++)
            for (int64_t x = 0; x < im->wide->dim[1]; x++)
                for (int64_t c = 0; c < im->wide->dim[2]; c++)
                    *wide++ = (float)(wide_value(im, narrow + i * im->n_narrow, kernel, y, x, c) +
                                      (bias ? (double)bias[c] : 0));
}

static void make_kernel_gradient(const st_images *im, float *dkernel, const float *wide, const float *narrow,
                                 bool accumulate) {
    for (int64_t u = 0; u < im->window->kernel[0]; u++)
        for (int64_t v = 0; v < im->window->kernel[1]; v++)
            for (int64_t c = 0; c < im->wide->dim[2]; c++)
                for (int64_t o = 0; o < im->narrow->dim[2]; o++)
                    st_reference_put(dkernel++, kernel_value(im, wide, narrow, u, v, c, o), accumulate);
}

/* db[o] = sum of dz over images and positions. */
static void make_bias_gradient(const st_reference *state, const st_images *im, bool accumulate) {
    const int64_t pixels = im->n * (st_shape_count(&state->dst) / im->n_out);
    for (int64_t o = 0; o < im->n_out; o++) {
        double sum = 0;
        for (int64_t i = 0; i < pixels; i++)
            sum += (double)state->at.ddst[i * im->n_out + o];
        st_reference_put(&state->at.dbias[o], sum, accumulate);
    }
}

static strait_status conv_forward(void *opaque) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const st_images im = images_of(state);
    make_narrow(&im, at->dst, at->src, at->kernel, at->bias);
    st_reference_finish_forward(state);
    return STRAIT_OK;
}

static strait_status conv_backward(void *opaque, bool accumulate) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const st_images im = images_of(state);
    st_reference_begin_backward(state);
    if (at->dsrc) make_wide(&im, at->dsrc, at->ddst, at->kernel, NULL);
    make_kernel_gradient(&im, at->dkernel, at->src, at->ddst, accumulate);
    if (at->dbias) make_bias_gradient(state, &im, accumulate);
    return STRAIT_OK;
}

static strait_status transpose_forward(void *opaque) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const st_images im = images_of(state);
    make_wide(&im, at->dst, at->src, at->kernel, at->bias);
    st_reference_finish_forward(state);
    return STRAIT_OK;
}

static strait_status transpose_backward(void *opaque, bool accumulate) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const st_images im = images_of(state);
    st_reference_begin_backward(state);
    if (at->dsrc) make_narrow(&im, at->dsrc, at->ddst, at->kernel, NULL);
    make_kernel_gradient(&im, at->dkernel, at->ddst, at->src, accumulate);
    if (at->dbias) make_bias_gradient(state, &im, accumulate);
    return STRAIT_OK;
}

const st_kernel st_reference_conv2d = {
    .plan = st_reference_plan,
    .bind = st_reference_bind,
    .forward = conv_forward,
    .backward = conv_backward,
    .pack = st_reference_pack,
    .unpack = st_reference_unpack,
    .describe = st_reference_describe,
    .free = st_free,
};

const st_kernel st_reference_conv2d_transpose = {
    .plan = st_reference_plan,
    .bind = st_reference_bind,
    .forward = transpose_forward,
    .backward = transpose_backward,
    .pack = st_reference_pack,
    .unpack = st_reference_unpack,
    .describe = st_reference_describe,
    .free = st_free,
};
