/* The vector kernels; see vector.h. Included once by each file that defines V (floats in a vector), ST_VECTOR (the
   table's name) and ST_VECTOR_NAME. Everything here is static, so that no code compiled for a newer processor can be
   reached on an older one except through the table. */
#include "cpu/vector_dense.h"
#include "cpu/vector_loss.h"
#include "cpu/vector_pointwise.h"
#include "cpu/vector_thin.h"
#include "cpu/vector_update.h"

const st_vector_kernels ST_VECTOR = {
    .name = ST_VECTOR_NAME,
    .panel = PANEL,
    .dense_forward = dense_forward,
    .dense_backward = dense_backward,
    .thin_forward = thin_forward,
    .thin_gradient = thin_gradient,
    .activate = activate,
    .activate_gradient = activate_gradient,
    .add_bias = add_bias,
    .sum_rows = sum_rows,
    .softmax = softmax,
    .softmax_gradient = softmax_gradient,
    .loss = loss,
    .update = update,
};
