/* The vector kernels; see vector.h. Included once by each file that defines V (floats in a vector), ST_VECTOR (the
   table's name) and ST_VECTOR_NAME. Everything here is static, so that no code compiled for a newer processor can be
   reached on an older one except through the table. */
#include "cpu/vector_conv.h"
#include "cpu/vector_dense.h"
#include "cpu/vector_loss.h"
#include "cpu/vector_noise.h"
#include "cpu/vector_norm.h"
#include "cpu/vector_pointwise.h"
#include "cpu/vector_pool.h"
#include "cpu/vector_thin.h"
#include "cpu/vector_update.h"

const st_vector_kernels ST_VECTOR = {
    .name = ST_VECTOR_NAME,
    .panel = PANEL,
    .dense_forward = dense_forward,
    .dense_pack_gradient = dense_pack_gradient,
    .dense_backward = dense_backward,
    .convolve = convolve,
    .convolve_thin = convolve_thin,
    .convolve_gradient = convolve_gradient,
    .activate = activate,
    .activate_gradient = activate_gradient,
    .sum_rows = sum_rows,
    .softmax = softmax,
    .softmax_gradient = softmax_gradient,
    .loss = loss,
    .update = update,
    .max_pool = max_pool,
    .max_pool_gradient = max_pool_gradient,
    .average_pool = average_pool,
    .average_pool_gradient = average_pool_gradient,
    .nearest = nearest,
    .nearest_gradient = nearest_gradient,
    .bilinear = bilinear,
    .bilinear_gradient = bilinear_gradient,
    .column_sums = column_sums,
    .normalise = normalise,
    .normalise_gradient = normalise_gradient,
    .layer_norm = layer_norm,
    .layer_norm_gradient = layer_norm_gradient,
    .drop = drop,
    .drop_gradient = drop_gradient,
    .add_noise = add_noise,
    .sample = sample,
    .sample_gradient = sample_gradient,
    .penalty = penalty,
    .penalty_gradient = penalty_gradient,
};
