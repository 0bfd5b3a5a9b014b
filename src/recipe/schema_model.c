/* What a recipe may say of the network: layers, activations, initial weights. */
#include "recipe/schema_int.h"

/* Rows are rows: not to be broken up. */
/* clang-format off */

/* ---- activations ---- */

#define IN_ACTIVATION(member) .offset = offsetof(st_activation, member)

static const st_key leaky_relu_keys[] = {
    {.name = "slope", .type = ST_KEY_SLOPE, IN_ACTIVATION(slope), RANGE(0, 1e6), .fallback = "0.3",
     .doc = "slope below zero"},
};
static const st_key elu_keys[] = {
    {.name = "alpha", .type = ST_KEY_SLOPE, IN_ACTIVATION(slope), RANGE(0, 1e6), .fallback = "1",
     .doc = "minus the value it nears below zero"},
};

/* In the order of st_activation_kind. */
static const st_record activations[] = {
    {.name = "linear", .doc = "x"},
    {.name = "relu", .doc = "max(0, x)"},
    {.name = "leaky_relu", .path = "leaky_relu", KEYS(leaky_relu_keys), .doc = "x where x > 0, else slope x"},
    {.name = "sigmoid", .doc = "1 / (1 + exp(-x))"},
    {.name = "tanh", .doc = "tanh x"},
    {.name = "elu", .path = "elu", KEYS(elu_keys), .doc = "x where x > 0, else alpha (exp(x) - 1)"},
    {.name = "softmax", .doc = "exp(x_i) / sum_j exp(x_j), over the last axis"},
    {.name = "selu", .doc = "1.0507.. times (x where x > 0, else 1.6733.. (exp(x) - 1))"},
    {.name = "softplus", .doc = "log(1 + exp(x))"},
    {.name = "gelu", .doc = "x Phi(x), Phi the normal distribution function"},
    {.name = "swish", .doc = "x / (1 + exp(-x))"},
};
_Static_assert(ST_SWISH + 1 == COUNT(activations), "every activation has its row");

/* ---- initial weights ---- */

static const st_key normal_keys[] = {
    {.name = "stddev", .type = ST_KEY_NUMBER, .offset = offsetof(st_initializer, stddev), .above_low = true,
     RANGE(0, 1e3), .fallback = "0.05", .doc = "standard deviation"},
};

static const st_key constant_keys[] = {
    {.name = "value", .type = ST_KEY_NUMBER, .offset = offsetof(st_initializer, value), RANGE(-1e6, 1e6),
     .required = true, .doc = "that number"},
};

/* In the order of st_initializer_kind. */
static const st_record initializers[] = {
    {.name = "glorot_uniform", .doc = "U(-l, l), l = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)"},
    {.name = "glorot_normal", .doc = "normal cut at 2 sigma, of variance 2 / (fan_in + fan_out)"},
    {.name = "he_uniform", .doc = "U(-l, l), l = sqrt(6 / fan_in) (He et al. 2015)"},
    {.name = "he_normal", .doc = "normal cut at 2 sigma, of variance 2 / fan_in"},
    {.name = "normal", .path = "normal", KEYS(normal_keys), .doc = "normal around 0"},
    {.name = "zeros", .doc = "0"},
    {.name = "ones", .doc = "1"},
    {.name = "constant", .path = "constant", KEYS(constant_keys), .doc = "one number"},
};
_Static_assert(ST_CONSTANT + 1 == COUNT(initializers), "every initializer has its row");

/* ---- layers ---- */

#define N_LAYERS (ST_LAYER_GAUSSIAN + 1)
static const st_record layers[N_LAYERS]; /* layers hold layers */

#define IN_LAYER(member) .offset = offsetof(st_layer, member)

#define ACTIVATION_KEY                                                                                                 \
    {                                                                                                                  \
        .name = "activation", .type = ST_KEY_ACTIVATION, IN_LAYER(activation), ROWS(activations),                      \
        .fallback = "linear", .doc = "applied to the result"                                                           \
    }
#define BIAS_KEY                                                                                                       \
    {                                                                                                                  \
        .name = "bias", .type = ST_KEY_SWITCH, IN_LAYER(bias), .fallback = "true",                                     \
        .doc = "whether a trained bias is added"                                                                       \
    }
#define BIAS_START_KEY                                                                                                 \
    {                                                                                                                  \
        .name = "bias_start", .type = ST_KEY_NUMBER, IN_LAYER(bias_start), RANGE(-1e6, 1e6),                           \
        .doc = "where the bias starts; left out: at 0. Before a sigmoid log(m / (1 - m)) lets outputs start at m"      \
    }
#define INITIALIZER_KEY                                                                                                \
    {                                                                                                                  \
        .name = "initializer", .type = ST_KEY_INITIALIZER, IN_LAYER(initializer),                                      \
        .beside = offsetof(st_layer, own_initializer), ROWS(initializers),                                             \
        .doc = "how the weights start; left out: as model.initializer says"                                            \
    }

static const char *const paddings[] = {[ST_SAME] = "same", [ST_VALID] = "valid"};

static const st_key reshape_keys[] = {
    {.name = "reshape", .type = ST_KEY_SHAPE, IN_LAYER(dim), .beside = offsetof(st_layer, n_dims), RANGE(1, MAX_DIM),
     .required = true, .doc = "the new shape of a sample"},
};
static const st_key dense_keys[] = {
    {.name = "units", .type = ST_KEY_UNITS, IN_LAYER(units), .beside = offsetof(st_layer, units_of_input),
     RANGE(1, MAX_UNITS), .required = true, .doc = "values it gives"},
    ACTIVATION_KEY,
    BIAS_KEY,
    INITIALIZER_KEY,
    BIAS_START_KEY,
};
static const st_key convolution_keys[] = {
    {.name = "filters", .type = ST_KEY_INTEGER, IN_LAYER(filters), RANGE(1, MAX_UNITS), .required = true,
     .doc = "channels it gives"},
    {.name = "kernel_size", .type = ST_KEY_PAIR, IN_LAYER(kernel_size), RANGE(1, MAX_WINDOW), .fallback = "3",
     .doc = "the window: n or [height, width]"},
    {.name = "strides", .type = ST_KEY_PAIR, IN_LAYER(strides), RANGE(1, MAX_WINDOW), .fallback = "1",
     .doc = "steps of the window: n or [height, width]"},
    {.name = "padding", .type = ST_KEY_WORD, IN_LAYER(padding), WORDS(paddings), .fallback = "same",
     .doc = "same: zeros around the input, as TensorFlow pads; valid: none"},
    ACTIVATION_KEY,
    BIAS_KEY,
    INITIALIZER_KEY,
    BIAS_START_KEY,
};
static const st_key activation_keys[] = {
    {.name = "activation", .type = ST_KEY_ACTIVATION, IN_LAYER(activation), ROWS(activations), .required = true,
     .doc = "the activation"},
};

#define POOL_SIZE_KEY                                                                                                  \
    {                                                                                                                  \
        .name = "size", .type = ST_KEY_PAIR, IN_LAYER(size), RANGE(1, MAX_WINDOW), .fallback = "2",                    \
        .doc = "the window: n or [height, width]"                                                                      \
    }
static const st_key pool_keys[] = {
    POOL_SIZE_KEY,
    {.name = "strides", .type = ST_KEY_PAIR, IN_LAYER(strides), RANGE(1, MAX_WINDOW),
     .doc = "steps of the window; left out: its size"},
    {.name = "padding", .type = ST_KEY_WORD, IN_LAYER(padding), WORDS(paddings), .fallback = "valid",
     .doc = "valid: whole windows only; same: as TensorFlow pads, and padding never counts"},
};
static const char *const interpolations[] = {"nearest", "bilinear"};
static const st_key upsample_keys[] = {
    {.name = "size", .type = ST_KEY_PAIR, IN_LAYER(size), RANGE(1, MAX_WINDOW), .fallback = "2",
     .doc = "so many times as high and wide: n or [height, width]"},
    {.name = "interpolation", .type = ST_KEY_EITHER, IN_LAYER(bilinear), WORDS(interpolations),
     .fallback = "nearest", .doc = "nearest: each value repeated; bilinear: between the four around"},
};
#define EPSILON_KEY                                                                                                    \
    {                                                                                                                  \
        .name = "epsilon", .type = ST_KEY_NUMBER, IN_LAYER(epsilon), RANGE(LEAST_DIVISOR, 1e3),                        \
        .fallback = "0.001", .doc = "added to the variance"                                                            \
    }
static const st_key batch_norm_keys[] = {
    {.name = "momentum", .type = ST_KEY_NUMBER, IN_LAYER(momentum), RANGE(0, 1), .below_high = true,
     .fallback = "0.99", .doc = "share of the moving mean and variance that a step keeps"},
    EPSILON_KEY,
};
static const st_key layer_norm_keys[] = {EPSILON_KEY};
static const st_key dropout_keys[] = {
    {.name = "rate", .type = ST_KEY_NUMBER, IN_LAYER(rate), RANGE(0, 1), .below_high = true, .required = true,
     .doc = "share of the values set to 0"},
};
static const st_key noise_keys[] = {
    {.name = "stddev", .type = ST_KEY_NUMBER, IN_LAYER(stddev), .above_low = true, RANGE(0, 1e6), .required = true,
     .doc = "standard deviation of the noise"},
};
static const st_key crop_keys[] = {
    {.name = "crop2d", .type = ST_KEY_MARGINS, .offset = 0, RANGE(0, MAX_DIM), .required = true,
     .doc = "rows and columns to cut off: n, [rows, columns], or [[top, bottom], [left, right]]"},
};
static const st_key zero_pad_keys[] = {
    {.name = "zero_pad2d", .type = ST_KEY_MARGINS, .offset = 0, RANGE(0, MAX_DIM), .required = true,
     .doc = "rows and columns to add: n, [rows, columns], or [[top, bottom], [left, right]]"},
};
static const st_key branch_keys[] = {
    {.name = "slice", .type = ST_KEY_SLICE, .offset = 0, RANGE(0, MAX_DIM),
     .doc = "[begin, end]: takes these values of the last axis, end not among them; {genes: [begin, end]} and "
            "{proteins: [begin, end]} stand in for where the data has them, with input_from_data; left out: all"},
    {.name = "layers", .type = ST_KEY_LAYERS, .offset = offsetof(st_branch, layers),
     .beside = offsetof(st_branch, n_layers), ROWS(layers), .required = true, .doc = "the branch's layers"},
};
static const st_record branches[] = {
    {.name = "branch", .path = "parallel", KEYS(branch_keys), .doc = "one branch"},
};
static const st_key parallel_keys[] = {
    {.name = "parallel", .type = ST_KEY_BRANCHES, .offset = 0, ROWS(branches), .required = true,
     .doc = "branches, whose results are joined along the last axis"},
};
static const st_key residual_keys[] = {
    {.name = "residual", .type = ST_KEY_BRANCH, .offset = 0, ROWS(layers), .required = true,
     .doc = "layers, whose result is added to their input"},
};
static const char *const reductions[] = {"sum", "mean"};
static const st_key gaussian_keys[] = {
    {.name = "units", .type = ST_KEY_INTEGER, IN_LAYER(units), RANGE(1, MAX_UNITS),
     .doc = "size of the latent: mean and log-variance are a dense layer each"},
    {.name = "mean", .type = ST_KEY_BRANCH, .offset = 0, ROWS(layers),
     .doc = "in place of units: the layers that give the mean"},
    {.name = "log_variance", .type = ST_KEY_BRANCH, .offset = 1, ROWS(layers),
     .doc = "and those that give the logarithm of the variance"},
    {.name = "beta", .type = ST_KEY_NUMBER, IN_LAYER(beta), RANGE(0, 1e6), .fallback = "1",
     .doc = "weight of the KL divergence in the loss"},
    {.name = "kl", .type = ST_KEY_EITHER, IN_LAYER(kl_mean), WORDS(reductions), .fallback = "sum",
     .doc = "whether the divergence is summed or averaged over the latent"},
    {.name = "warmup", .type = ST_KEY_NUMBER, IN_LAYER(warmup), RANGE(0, MAX_EPOCHS), .fallback = "0",
     .doc = "epochs in which beta grows from 0"},
};

/* In the order of st_layer_kind. A layer whose one key has the layer's own name is written without a map around its
   value: reshape: [28, 28, 1]. */
static const st_record layers[N_LAYERS] = {
    {.name = "flatten", .path = "flatten", .doc = "[height, width, channels] becomes [values]"},
    {.name = "reshape", .path = "", KEYS(reshape_keys), .doc = "the same values in another shape"},
    {.name = "dense", .path = "dense", KEYS(dense_keys), .doc = "y = activation(x W + b), over the last axis"},
    {.name = "conv2d", .path = "conv2d", KEYS(convolution_keys), .doc = "2-D convolution"},
    {.name = "conv2d_transpose", .path = "conv2d_transpose", KEYS(convolution_keys),
     .doc = "the gradient of conv2d by its input: strides enlarge"},
    {.name = "activation", .path = "", KEYS(activation_keys), .doc = "an activation of its own"},
    {.name = "max_pool2d", .path = "max_pool2d", KEYS(pool_keys), .doc = "the largest value of each window"},
    {.name = "avg_pool2d", .path = "avg_pool2d", KEYS(pool_keys), .doc = "the mean of each window"},
    {.name = "upsample2d", .path = "upsample2d", KEYS(upsample_keys), .doc = "enlarges height and width"},
    {.name = "batch_norm", .path = "batch_norm", KEYS(batch_norm_keys),
     .doc = "y = gamma (x - mean) / sqrt(variance + epsilon) + beta, over the batch (Ioffe and Szegedy 2015)"},
    {.name = "layer_norm", .path = "layer_norm", KEYS(layer_norm_keys),
     .doc = "the same over the last axis of each sample (Ba et al. 2016)"},
    {.name = "dropout", .path = "dropout", KEYS(dropout_keys), .bare = true,
     .doc = "in training: some values become 0, the others x / (1 - rate)"},
    {.name = "gaussian_noise", .path = "gaussian_noise", KEYS(noise_keys), .bare = true,
     .doc = "in training: normal noise is added"},
    {.name = "crop2d", .path = "", KEYS(crop_keys), .doc = "an image without its margins"},
    {.name = "zero_pad2d", .path = "", KEYS(zero_pad_keys), .doc = "an image with zeros around it"},
    {.name = "parallel", .path = "", KEYS(parallel_keys), .doc = "branches side by side, joined along the last axis"},
    {.name = "residual", .path = "", KEYS(residual_keys), .doc = "x + layers(x)"},
    {.name = "gaussian", .path = "gaussian", KEYS(gaussian_keys),
     .doc = "the latent of a variational autoencoder (Kingma and Welling 2014); the encoder's last layer"},
};

/* ---- model ---- */

static const st_key model_keys[] = {
    {.name = "input", .type = ST_KEY_SHAPE, IN_RECIPE(model.input_dim),
     .beside = offsetof(strait_recipe, model.n_input_dims), POS_IN_RECIPE(model.input_pos), RANGE(1, MAX_DIM),
     .required = true, .doc = "shape of a sample: [height, width, channels] or [features]"},
    {.name = "input_from_data", .type = ST_KEY_SWITCH, IN_RECIPE(model.input_from_data),
     .doc = "whether the prepared data's shape takes the place of input, which stands in for it where there is no data"},
    {.name = "latent", .type = ST_KEY_INTEGER, IN_RECIPE(model.latent), POS_IN_RECIPE(model.latent_pos),
     RANGE(1, MAX_UNITS),
     .doc = "width of the latent: takes the place of the units of the dense layer or the gaussian that ends the encoder"},
    {.name = "initializer", .type = ST_KEY_INITIALIZER, IN_RECIPE(model.initializer), ROWS(initializers),
     .fallback = "glorot_uniform", .doc = "how weights start in layers that do not say"},
    {.name = "encoder", .type = ST_KEY_LAYERS, IN_RECIPE(model.encoder),
     .beside = offsetof(strait_recipe, model.n_encoder), ROWS(layers), .required = true,
     .doc = "layers from the input to the latent"},
    {.name = "decoder", .type = ST_KEY_LAYERS, IN_RECIPE(model.decoder),
     .beside = offsetof(strait_recipe, model.n_decoder), POS_IN_RECIPE(model.decoder_pos), ROWS(layers),
     .required = true, .doc = "layers from the latent to the output"},
};

const st_record st_model_schema[1] = {{.name = "model", .path = "model", KEYS(model_keys), .doc = "the network"}};

/* clang-format on */

const st_record *st_layer_schema(st_layer_kind kind) {
    return &layers[kind];
}

const char *st_layer_name(st_layer_kind kind) {
    return layers[kind].name;
}
