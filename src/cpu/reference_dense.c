/* The dense op of the reference engine. Over the last axis: leading axes count as rows.
       y[r][j]  = act(b[j] + sum_i x[r][i] W[i][j])
   with dz the gradient before the activation:
       dx[r][i] = sum_j dz[r][j] W[i][j]        dW[i][j] = sum_r x[r][i] dz[r][j]        db[j] = sum_r dz[r][j] */
#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

typedef struct st_matrix_sizes {
    int64_t rows, in, out;
} st_matrix_sizes;

static st_matrix_sizes sizes_of(const st_reference *state) {
    const int64_t in = state->src.dim[state->src.n_dims - 1], out = state->dst.dim[state->dst.n_dims - 1];
    return (st_matrix_sizes){.rows = state->batch * (st_shape_count(&state->src) / in), .in = in, .out = out};
}

static strait_status forward(void *opaque) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const st_matrix_sizes n = sizes_of(state);
    for (int64_t r = 0; r < n.rows; r++)
        for (int64_t j = 0; j < n.out; j++) {
            double sum = at->bias ? (double)at->bias[j] : 0;
            for (int64_t i = 0; i < n.in; i++)
                sum += (double)at->src[r * n.in + i] * (double)at->kernel[i * n.out + j];
            at->dst[r * n.out + j] = (float)sum;
        }
    st_reference_finish_forward(state);
    return STRAIT_OK;
}

static strait_status backward(void *opaque, bool accumulate) {
    const st_reference *state = opaque;
    const st_binding *at = &state->at;
    const st_matrix_sizes n = sizes_of(state);
    st_reference_begin_backward(state);
    const float *dz = at->ddst;
    for (int64_t r = 0; at->dsrc && r < n.rows; r++)
        for (int64_t i = 0; i < n.in; i++) {
            double sum = 0;
            for (int64_t j = 0; j < n.out; j++)
                sum += (double)dz[r * n.out + j] * (double)at->kernel[i * n.out + j];
            at->dsrc[r * n.in + i] = (float)sum;
        }
    for (int64_t i = 0; i < n.in; i++)
        for (int64_t j = 0; j < n.out; j++) {
            double sum = 0;
            for (int64_t r = 0; r < n.rows; r++)
                sum += (double)at->src[r * n.in + i] * (double)dz[r * n.out + j];
            st_reference_put(&at->dkernel[i * n.out + j], sum, accumulate);
        }
    for (int64_t j = 0; at->dbias && j < n.out; j++) {
        double sum = 0;
        for (int64_t r = 0; r < n.rows; r++)
            sum += (double)dz[r * n.out + j];
        st_reference_put(&at->dbias[j], sum, accumulate);
    }
    return STRAIT_OK;
}

const st_kernel st_reference_dense = {
    .plan = st_reference_plan,
    .bind = st_reference_bind,
    .forward = forward,
    .backward = backward,
    .pack = st_reference_pack,
    .unpack = st_reference_unpack,
    .describe = st_reference_describe,
    .free = st_free,
};
