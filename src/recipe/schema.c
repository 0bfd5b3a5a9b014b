/* What a recipe may say: one row a key. The parser, the writer, help and documentation read these tables. */
#include <math.h>
#include "recipe/recipe_int.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define KEYS(array) .keys = (array), .n_keys = COUNT(array)
#define ROWS(array) .records = (array), .n_records = COUNT(array)
#define WORDS(array) .words = (array), .n_words = COUNT(array)
#define RANGE(least, most) .low = (least), .high = (most)
#define ANY .low = -INFINITY, .high = INFINITY
#define POSITIVE .low = 0, .above_low = true, .high = INFINITY

/* Larger is a slip of the finger, not a wish. */
#define MAX_SEED 9007199254740992.0 /* 2^53: what JSON and doubles hold exactly */
#define MAX_LABEL 2147483647.0
#define MAX_SAMPLES 4294967295.0 /* samples are numbered in 32 bits */
#define MAX_UNITS 16777216.0     /* 2^24 */
#define MAX_WINDOW 4096.0
#define MAX_DIM 2147483648.0 /* and the product of a shape likewise */
#define MAX_EPOCHS 1e6
#define MAX_IMAGE 65536.0
#define MAX_TRIALS 10000.0
#define MAX_WATCHED 100000.0
#define MAX_BATCH 1048576.0 /* 2^20 */
#define MAX_THREADS 4096.0
/* Well above what is 0 as a float: 0 / (0 + epsilon) must stay 0. */
#define LEAST_DIVISOR 1e-30

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

/* In the order of st_initializer_kind. */
static const st_record initializers[] = {
    {.name = "glorot_uniform", .doc = "U(-l, l), l = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)"},
    {.name = "glorot_normal", .doc = "normal cut at 2 sigma, of variance 2 / (fan_in + fan_out)"},
    {.name = "he_uniform", .doc = "U(-l, l), l = sqrt(6 / fan_in) (He et al. 2015)"},
    {.name = "he_normal", .doc = "normal cut at 2 sigma, of variance 2 / fan_in"},
    {.name = "normal", .path = "normal", KEYS(normal_keys), .doc = "normal around 0"},
    {.name = "zeros", .doc = "0"},
    {.name = "ones", .doc = "1"},
};
_Static_assert(ST_ONES + 1 == COUNT(initializers), "every initializer has its row");

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

/* ---- data ---- */

#define IN_RECIPE(member) .offset = offsetof(strait_recipe, member)
#define POS_IN_RECIPE(member) .pos = offsetof(strait_recipe, member)

static const char *const scales[] = {[ST_SCALE_UNIT] = "unit", [ST_SCALE_NONE] = "none", [ST_SCALE_MINMAX] = "minmax"};

static const st_key minmax_keys[] = {
    {.name = "offset", .type = ST_KEY_NUMBER, IN_RECIPE(data.scale_offset), ANY, .required = true,
     .doc = "the smallest value of the training data"},
    {.name = "factor", .type = ST_KEY_NUMBER, IN_RECIPE(data.scale_factor), POSITIVE, .required = true,
     .doc = "1 / (largest - smallest): x becomes (x - offset) factor"},
};
static const st_record fitted_scales[] = {
    {.name = "minmax", .path = "data.scale.minmax", KEYS(minmax_keys), .doc = "as fitted on the training data"},
};

#define IN_CORRUPT(member) .offset = offsetof(st_corrupt, member)

static const st_key corrupt_keys[] = {
    {.name = "gaussian", .type = ST_KEY_NUMBER, IN_CORRUPT(amount), RANGE(0, 1e6),
     .doc = "adds normal noise of this standard deviation"},
    {.name = "mask", .type = ST_KEY_NUMBER, IN_CORRUPT(amount), RANGE(0, 1),
     .doc = "sets this share of values to 0"},
    {.name = "salt_pepper", .type = ST_KEY_NUMBER, IN_CORRUPT(amount), RANGE(0, 1),
     .doc = "sets this share of values to 0 or 1, half each"},
    {.name = "clip", .type = ST_KEY_INTERVAL, .offset = 0, ANY, .doc = "[low, high]: noisy values are cut to it"},
};
_Static_assert(ST_CORRUPT_SALT_PEPPER + 1 == COUNT(corrupt_keys), "every kind of noise has its row, then comes clip");
static const st_record corrupts[] = {
    {.name = "corrupt", .path = "data.corrupt", KEYS(corrupt_keys),
     .doc = "noise on the input; the target stays clean"},
};

static const char *const flips[] = {"none", "horizontal", "vertical", "both"};
static const st_key augment_keys[] = {
    {.name = "rotate", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.rotate), RANGE(0, 180),
     .doc = "turns by up to so many degrees, either way"},
    {.name = "shift", .type = ST_KEY_SHARES, IN_RECIPE(data.augment.shift), RANGE(0, 1), .below_high = true,
     .doc = "moves by up to this share of height and width, either way: s or [vertical, horizontal]"},
    {.name = "zoom", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.zoom), RANGE(0, 1), .below_high = true,
     .doc = "0.1: makes it 0.9 to 1.1 times as large"},
    {.name = "flip", .type = ST_KEY_FLIP, IN_RECIPE(data.augment.flip), WORDS(flips),
     .doc = "mirrors half of the images: horizontal (left to right), vertical (upside down), both"},
};
static const st_record augments[] = {
    {.name = "augment", .path = "data.augment", KEYS(augment_keys),
     .doc = "random changes of each training image, the same to input and target"},
};

#define SCALING_KEYS(block)                                                                                            \
    {.name = "scale", .type = ST_KEY_SWITCH, IN_RECIPE(data.block.scale), .fallback = "false",                         \
     .doc = "whether each is brought to mean 0 and variance 1, as over the training cells"},                           \
    {.name = "max_value", .type = ST_KEY_NUMBER, IN_RECIPE(data.block.max_value), RANGE(0, 1e9),                       \
     .doc = "values are then cut to minus this ... this"}

static const st_key genes_keys[] = {
    {.name = "total_count", .type = ST_KEY_SWITCH, IN_RECIPE(data.genes.total_count), .fallback = "false",
     .doc = "whether each cell's counts are multiplied by target_sum / their sum"},
    {.name = "target_sum", .type = ST_KEY_NUMBER, IN_RECIPE(data.genes.target_sum), RANGE(0, 1e12),
     .doc = "what counts sum to; left out: the median of the training cells' sums"},
    {.name = "log1p", .type = ST_KEY_SWITCH, IN_RECIPE(data.genes.log1p), .fallback = "false",
     .doc = "whether x becomes log(1 + x)"},
    {.name = "most_variable", .type = ST_KEY_INTEGER, IN_RECIPE(data.genes.most_variable), RANGE(1, MAX_UNITS),
     .doc = "so many genes are kept, the most variable of the training cells (Seurat's dispersions, as scanpy's "
            "flavor seurat); left out: all"},
    SCALING_KEYS(genes),
};
static const char *const ratios[] = {[ST_CLR_NONE] = "none", [ST_CLR_CELL] = "cell", [ST_CLR_FEATURE] = "feature"};
static const st_key proteins_keys[] = {
    {.name = "key", .type = ST_KEY_TEXT, IN_RECIPE(data.proteins.key),
     .doc = "the matrix of an h5ad file that holds them, as obsm/protein_expression; left out: found by its name, or "
            "by the features' types"},
    {.name = "clr", .type = ST_KEY_WORD, IN_RECIPE(data.proteins.clr), WORDS(ratios), .fallback = "none",
     .doc = "centred log-ratio, x becomes log(1 + x / g), g = exp(mean of log(1 + x)): over the proteins of a cell "
            "(Seurat's margin 2, muon's axis 1), or over the training cells of a protein (margin 1, axis 0)"},
    SCALING_KEYS(proteins),
};
static const st_record genes_record[] = {
    {.name = "genes", .path = "data.genes", KEYS(genes_keys), .doc = "how genes' counts are prepared, in this order"},
};
static const st_record proteins_record[] = {
    {.name = "proteins", .path = "data.proteins", KEYS(proteins_keys),
     .doc = "how proteins' counts are prepared, in this order"},
};

static const st_key data_keys[] = {
    {.name = "source", .type = ST_KEY_TEXT, IN_RECIPE(data.source), POS_IN_RECIPE(data.source_pos),
     .doc = "a known data set (fashion-mnist, mnist, ecg5000, cifar10), a file or a folder; #test picks a split"},
    {.name = "validation", .type = ST_KEY_VALIDATION, .offset = 0, POS_IN_RECIPE(data.validation_pos),
     .doc = "a fraction of the training samples (the last ones), or a split of the source"},
    {.name = "scale", .type = ST_KEY_SCALE, IN_RECIPE(data.scale), WORDS(scales), ROWS(fitted_scales),
     .fallback = "unit", .doc = "unit: u8 / 255, u16 / 65535; minmax: to 0..1 by the training data; none"},
    {.name = "corrupt", .type = ST_KEY_CORRUPT, IN_RECIPE(data.corrupt), ROWS(corrupts),
     .doc = "noise on the input; the target stays clean"},
    {.name = "resize", .type = ST_KEY_PAIR, IN_RECIPE(data.resize), RANGE(1, MAX_IMAGE),
     .doc = "brings images to this size: n or [height, width]"},
    {.name = "augment", .type = ST_KEY_SECTION, .offset = 0, ROWS(augments),
     .doc = "random changes of each training image, the same to input and target"},
    {.name = "key", .type = ST_KEY_TEXT, IN_RECIPE(data.key),
     .doc = "what in an h5ad or HDF5 file holds the samples, as layers/counts; left out: X, or the only data set"},
    {.name = "genes", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(strait_recipe, data.genes.on),
     ROWS(genes_record), .doc = "how genes' counts are prepared; the model takes the genes kept, then the proteins"},
    {.name = "proteins", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(strait_recipe, data.proteins.on),
     ROWS(proteins_record), .doc = "how proteins' counts are prepared; left out: the model takes none"},
    {.name = "label", .type = ST_KEY_TEXT, IN_RECIPE(data.label),
     .doc = "the column of a table that holds the labels: its name, its number from 0, last or none; left out: the one "
            "named label, class or target"},
    {.name = "limit", .type = ST_KEY_INTEGER, IN_RECIPE(data.limit), RANGE(1, MAX_SAMPLES),
     .doc = "only the first so many samples"},
    {.name = "only", .type = ST_KEY_INTEGERS, IN_RECIPE(data.only), .beside = offsetof(strait_recipe, data.n_only),
     RANGE(0, MAX_LABEL), .doc = "only samples with these labels"},
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
     .fallback = "glorot_uniform", .doc = "how weights start in layers that do not say; biases start at 0"},
    {.name = "encoder", .type = ST_KEY_LAYERS, IN_RECIPE(model.encoder),
     .beside = offsetof(strait_recipe, model.n_encoder), ROWS(layers), .required = true,
     .doc = "layers from the input to the latent"},
    {.name = "decoder", .type = ST_KEY_LAYERS, IN_RECIPE(model.decoder),
     .beside = offsetof(strait_recipe, model.n_decoder), POS_IN_RECIPE(model.decoder_pos), ROWS(layers),
     .required = true, .doc = "layers from the latent to the output"},
};

/* ---- training ---- */

#define IN_OPTIMIZER(member) .offset = offsetof(st_optimizer, member)
#define LEARNING_RATE_KEY(value)                                                                                       \
    {                                                                                                                  \
        .name = "learning_rate", .type = ST_KEY_NUMBER, IN_OPTIMIZER(learning_rate), .above_low = true, RANGE(0, 1e3), \
        .fallback = (value), .doc = "size of a step"                                                                   \
    }

static const st_key sgd_keys[] = {
    LEARNING_RATE_KEY("0.01"),
    {.name = "momentum", .type = ST_KEY_NUMBER, IN_OPTIMIZER(momentum), RANGE(0, 1), .below_high = true,
     .fallback = "0", .doc = "share of the last step that is kept"},
    {.name = "nesterov", .type = ST_KEY_SWITCH, IN_OPTIMIZER(nesterov), .fallback = "false",
     .doc = "whether the gradient is taken after the momentum's step"},
};
#define DIVISOR_KEY                                                                                                    \
    {                                                                                                                  \
        .name = "epsilon", .type = ST_KEY_NUMBER, IN_OPTIMIZER(epsilon), RANGE(LEAST_DIVISOR, 1e3),                    \
        .fallback = "1e-7", .doc = "added to the divisor"                                                              \
    }
#define BETA_KEYS                                                                                                      \
    {.name = "beta_1", .type = ST_KEY_NUMBER, IN_OPTIMIZER(beta_1), RANGE(0, 1), .below_high = true,                   \
     .fallback = "0.9", .doc = "decay of the gradient's mean"},                                                        \
    {.name = "beta_2", .type = ST_KEY_NUMBER, IN_OPTIMIZER(beta_2), RANGE(0, 1), .below_high = true,                   \
     .fallback = "0.999", .doc = "decay of the squared gradient's mean"}
#define RHO_KEY(value)                                                                                                 \
    {                                                                                                                  \
        .name = "rho", .type = ST_KEY_NUMBER, IN_OPTIMIZER(rho), RANGE(0, 1), .below_high = true,                      \
        .fallback = (value), .doc = "decay of the squared gradient's mean"                                             \
    }
static const st_key adam_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    BETA_KEYS,
    DIVISOR_KEY,
};

static const st_key rmsprop_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    RHO_KEY("0.9"),
    {.name = "momentum", .type = ST_KEY_NUMBER, IN_OPTIMIZER(momentum), RANGE(0, 1), .below_high = true,
     .fallback = "0", .doc = "share of the last step that is kept"},
    DIVISOR_KEY,
    {.name = "centered", .type = ST_KEY_SWITCH, IN_OPTIMIZER(centered), .fallback = "false",
     .doc = "whether the gradient's mean is taken off its square's"},
};
static const st_key adagrad_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    {.name = "initial_accumulator", .type = ST_KEY_NUMBER, IN_OPTIMIZER(initial_accumulator), RANGE(0, 1e6),
     .fallback = "0.1", .doc = "where the sum of squared gradients starts"},
    DIVISOR_KEY,
};
static const st_key adadelta_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    RHO_KEY("0.95"),
    DIVISOR_KEY,
};
static const st_key adamw_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    {.name = "weight_decay", .type = ST_KEY_NUMBER, IN_OPTIMIZER(weight_decay), RANGE(0, 1e3), .fallback = "0.004",
     .doc = "kernels shrink by learning rate times this in a step"},
    BETA_KEYS,
    DIVISOR_KEY,
};

/* In the order of st_optimizer_kind. */
static const st_record optimizers[] = {
    {.name = "sgd", .path = "train.optimizer.sgd", KEYS(sgd_keys), .doc = "stochastic gradient descent"},
    {.name = "adam", .path = "train.optimizer.adam", KEYS(adam_keys), .doc = "Adam (Kingma and Ba 2015)"},
    {.name = "rmsprop", .path = "train.optimizer.rmsprop", KEYS(rmsprop_keys), .doc = "RMSprop (Hinton 2012)"},
    {.name = "adagrad", .path = "train.optimizer.adagrad", KEYS(adagrad_keys),
     .doc = "Adagrad (Duchi, Hazan and Singer 2011)"},
    {.name = "adadelta", .path = "train.optimizer.adadelta", KEYS(adadelta_keys), .doc = "Adadelta (Zeiler 2012)"},
    {.name = "adamw", .path = "train.optimizer.adamw", KEYS(adamw_keys),
     .doc = "Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)"},
    {.name = "nadam", .path = "train.optimizer.nadam", KEYS(adam_keys),
     .doc = "Adam with Nesterov's momentum (Dozat 2016)"},
};
_Static_assert(ST_OPTIMIZER_NADAM + 1 == COUNT(optimizers), "every optimizer has its row");

#define IN_TERM(member) .offset = offsetof(st_loss_settings, member)
#define WEIGHT_KEY                                                                                                     \
    {                                                                                                                  \
        .name = "weight", .type = ST_KEY_SLOPE, IN_TERM(weight), .above_low = true, RANGE(0, 1e9), .fallback = "1",    \
        .doc = "multiplies it"                                                                                         \
    }
static const st_key weight_keys[] = {WEIGHT_KEY};
static const st_key crossentropy_keys[] = {
    {.name = "from_logits", .type = ST_KEY_SWITCH, IN_TERM(from_logits), .fallback = "false",
     .doc = "whether the last layer's result is taken before a sigmoid, which the model then adds by itself"},
    WEIGHT_KEY,
};
static const st_key huber_keys[] = {
    {.name = "delta", .type = ST_KEY_SLOPE, IN_TERM(delta), .above_low = true, RANGE(0, 1e9), .fallback = "1",
     .doc = "where the square ends and the straight line begins"},
    WEIGHT_KEY,
};

/* In the order of st_loss_kind; from logits is a setting. */
static const st_record losses[] = {
    {.name = "mse", .path = "train.loss.mse", KEYS(weight_keys), .doc = "(y - x)^2"},
    {.name = "mae", .path = "train.loss.mae", KEYS(weight_keys), .doc = "abs(y - x)"},
    {.name = "binary_crossentropy", .path = "train.loss.binary_crossentropy", KEYS(crossentropy_keys),
     .doc = "-(x log y + (1 - x) log(1 - y)), y cut to [1e-7, 1 - 1e-7]"},
    {.name = "huber", .path = "train.loss.huber", KEYS(huber_keys),
     .doc = "d = abs(y - x): d^2 / 2 up to delta, from there delta (d - delta / 2)"},
};
_Static_assert(ST_LOSS_LOGITS == COUNT(losses), "every loss has its row");

#define IN_SCHEDULE(member) .offset = offsetof(st_schedule, member)
static const st_key step_keys[] = {
    {.name = "every", .type = ST_KEY_NUMBER, IN_SCHEDULE(every), .above_low = true, RANGE(0, MAX_EPOCHS),
     .required = true, .doc = "epochs between two changes"},
    {.name = "factor", .type = ST_KEY_NUMBER, IN_SCHEDULE(factor), .above_low = true, RANGE(0, 1), .fallback = "0.1",
     .doc = "what the learning rate is multiplied by"},
};
static const st_key exponential_keys[] = {
    {.name = "factor", .type = ST_KEY_NUMBER, IN_SCHEDULE(factor), .above_low = true, RANGE(0, 1), .fallback = "0.9",
     .doc = "what it is multiplied by in an epoch"},
};
static const st_key cosine_keys[] = {
    {.name = "final", .type = ST_KEY_NUMBER, IN_SCHEDULE(final), RANGE(0, 1), .fallback = "0",
     .doc = "the share of the learning rate that is left at the end"},
};
static const st_key one_cycle_keys[] = {
    {.name = "start", .type = ST_KEY_NUMBER, IN_SCHEDULE(start), RANGE(1, 1e9), .fallback = "25",
     .doc = "it begins at the learning rate divided by this"},
    {.name = "rise", .type = ST_KEY_NUMBER, IN_SCHEDULE(rise), .above_low = true, RANGE(0, 1), .below_high = true,
     .fallback = "0.3", .doc = "share of all steps in which it rises"},
    {.name = "final", .type = ST_KEY_NUMBER, IN_SCHEDULE(final), RANGE(1, 1e9), .fallback = "10000",
     .doc = "it ends at what it began with, divided by this"},
};

/* In the order of st_schedule_kind. */
static const st_record schedules[] = {
    {.name = "constant", .doc = "the optimizer's learning rate"},
    {.name = "step", .path = "train.schedule.step", KEYS(step_keys), .doc = "times factor after each `every` epochs"},
    {.name = "exponential", .path = "train.schedule.exponential", KEYS(exponential_keys),
     .doc = "times factor^epochs, the fraction of an epoch counted"},
    {.name = "cosine", .path = "train.schedule.cosine", KEYS(cosine_keys),
     .doc = "half a cosine, down to final times it (Loshchilov and Hutter 2017)"},
    {.name = "one_cycle", .path = "train.schedule.one_cycle", KEYS(one_cycle_keys),
     .doc = "up to it and down again, both by half a cosine (Smith 2018)"},
};
_Static_assert(ST_SCHEDULE_ONE_CYCLE + 1 == COUNT(schedules), "every schedule has its row");

#define PENALTY_KEYS(member)                                                                                           \
    {.name = "l1", .type = ST_KEY_NUMBER, IN_RECIPE(train.member##_l1), RANGE(0, 1e6), .doc = "times the sum of abs(x)"}, \
    {.name = "l2", .type = ST_KEY_NUMBER, IN_RECIPE(train.member##_l2), RANGE(0, 1e6), .doc = "times the sum of x^2"}
static const st_key weight_penalty_keys[] = {PENALTY_KEYS(weight)};
static const st_key latent_penalty_keys[] = {PENALTY_KEYS(latent)};
static const st_record weight_penalties[] = {
    {.name = "weights", .path = "train.penalty.weights", KEYS(weight_penalty_keys), .doc = "of the kernels"},
};
static const st_record latent_penalties[] = {
    {.name = "latent", .path = "train.penalty.latent", KEYS(latent_penalty_keys), .doc = "of a sample's latent"},
};
static const st_key penalty_keys[] = {
    {.name = "weights", .type = ST_KEY_SECTION, .offset = 0, ROWS(weight_penalties), .doc = "of the kernels: {l1, l2}"},
    {.name = "latent", .type = ST_KEY_SECTION, .offset = 0, ROWS(latent_penalties),
     .doc = "of each sample's latent (a sparse autoencoder): {l1, l2}"},
};
static const st_record penalties[] = {
    {.name = "penalty", .path = "train.penalty", KEYS(penalty_keys), .doc = "added to the loss"},
};

static const st_key plateau_keys[] = {
    {.name = "factor", .type = ST_KEY_NUMBER, IN_RECIPE(train.reduce_lr_on_plateau.factor), .above_low = true,
     RANGE(0, 1), .below_high = true, .fallback = "0.1", .doc = "what the learning rate is multiplied by"},
    {.name = "patience", .type = ST_KEY_INTEGER, IN_RECIPE(train.reduce_lr_on_plateau.patience), RANGE(1, MAX_EPOCHS),
     .fallback = "10", .doc = "epochs without improvement before it is"},
    {.name = "min_delta", .type = ST_KEY_NUMBER, IN_RECIPE(train.reduce_lr_on_plateau.min_delta), RANGE(0, 1e6),
     .fallback = "0.0001", .doc = "less than this is no improvement"},
    {.name = "cooldown", .type = ST_KEY_INTEGER, IN_RECIPE(train.reduce_lr_on_plateau.cooldown), RANGE(0, MAX_EPOCHS),
     .fallback = "0", .doc = "epochs after a change that do not count"},
    {.name = "min_lr", .type = ST_KEY_NUMBER, IN_RECIPE(train.reduce_lr_on_plateau.min_rate), RANGE(0, 1e3),
     .fallback = "0", .doc = "the learning rate goes no lower"},
};
static const st_record plateaus[] = {
    {.name = "reduce_lr_on_plateau", .path = "train.reduce_lr_on_plateau", KEYS(plateau_keys),
     .doc = "lowers the learning rate when the validation loss no longer falls"},
};

static const st_key early_stopping_keys[] = {
    {.name = "patience", .type = ST_KEY_INTEGER, IN_RECIPE(train.early_stopping.patience), RANGE(1, MAX_EPOCHS),
     .required = true, .doc = "epochs without improvement before it stops"},
    {.name = "min_delta", .type = ST_KEY_NUMBER, IN_RECIPE(train.early_stopping.min_delta), RANGE(0, 1e6),
     .fallback = "0", .doc = "less than this is no improvement"},
    {.name = "restore_best", .type = ST_KEY_SWITCH, IN_RECIPE(train.early_stopping.restore_best),
     .fallback = "false", .doc = "whether the best epoch's weights are the result, not the last's"},
};
static const st_record early_stoppings[] = {
    {.name = "early_stopping", .path = "train.early_stopping", KEYS(early_stopping_keys),
     .doc = "stops when the validation loss no longer falls"},
};

static const st_key train_keys[] = {
    {.name = "loss", .type = ST_KEY_LOSS, IN_RECIPE(train.loss), POS_IN_RECIPE(train.loss_pos), ROWS(losses),
     .fallback = "mse", .doc = "what is made small"},
    {.name = "optimizer", .type = ST_KEY_OPTIMIZER, IN_RECIPE(train.optimizer), POS_IN_RECIPE(train.optimizer_pos),
     ROWS(optimizers), .fallback = "adam", .doc = "how"},
    {.name = "schedule", .type = ST_KEY_SCHEDULE, IN_RECIPE(train.schedule), ROWS(schedules), .fallback = "constant",
     .doc = "how the learning rate moves"},
    {.name = "reduce_lr_on_plateau", .type = ST_KEY_SECTION, .offset = 0,
     .beside = offsetof(strait_recipe, train.reduce_lr_on_plateau.on), ROWS(plateaus),
     .doc = "lowers the learning rate when the validation loss no longer falls"},
    {.name = "clip_norm", .type = ST_KEY_NUMBER, IN_RECIPE(train.clip_norm), RANGE(0, 1e9),
     .doc = "largest Euclidean norm of all gradients together"},
    {.name = "clip_value", .type = ST_KEY_NUMBER, IN_RECIPE(train.clip_value), RANGE(0, 1e9),
     .doc = "largest size of each gradient"},
    {.name = "weight_decay", .type = ST_KEY_NUMBER, IN_RECIPE(train.weight_decay), RANGE(0, 1e3),
     .doc = "kernels shrink by learning rate times this in a step, whatever the optimizer"},
    {.name = "penalty", .type = ST_KEY_SECTION, .offset = 0, ROWS(penalties), .doc = "added to the loss"},
    {.name = "epochs", .type = ST_KEY_INTEGER, IN_RECIPE(train.epochs), RANGE(1, MAX_EPOCHS), .fallback = "10",
     .doc = "passes over the training samples"},
    {.name = "batch_size", .type = ST_KEY_INTEGER, IN_RECIPE(train.batch_size), RANGE(1, MAX_BATCH),
     .fallback = "32", .doc = "samples in a step"},
    {.name = "shuffle", .type = ST_KEY_SWITCH, IN_RECIPE(train.shuffle), .fallback = "true",
     .doc = "whether each epoch has its own order"},
    {.name = "early_stopping", .type = ST_KEY_SECTION, .offset = 0,
     .beside = offsetof(strait_recipe, train.early_stopping.on), ROWS(early_stoppings),
     .doc = "stops when the validation loss no longer falls"},
    {.name = "threads", .type = ST_KEY_INTEGER, IN_RECIPE(train.threads), RANGE(1, MAX_THREADS),
     .doc = "worker threads; left out: as many as the machine gives"},
    {.name = "micro_batch", .type = ST_KEY_INTEGER, IN_RECIPE(train.micro_batch), RANGE(1, MAX_BATCH),
     .doc = "samples a worker computes at once; left out: by rule"},
};

static const st_key watch_keys[] = {
    {.name = "reconstructions", .type = ST_KEY_INTEGER, IN_RECIPE(watch.reconstructions), RANGE(0, MAX_WATCHED),
     .doc = "so many samples, of training and of validation, are reconstructed and kept after each epoch"},
};

static const st_key sweep_keys[] = {
    {.name = "vary", .type = ST_KEY_TEXTS, IN_RECIPE(sweep.vary), .beside = offsetof(strait_recipe, sweep.n_vary),
     .doc = "keys and what they take: [train.batch_size=32,64, model.latent=5..10]"},
    {.name = "trials", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.trials), RANGE(1, MAX_TRIALS),
     .doc = "random draws; left out: the whole grid"},
    {.name = "seed", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.seed), RANGE(0, MAX_SEED),
     .doc = "of the draws; left out: 0"},
    {.name = "halving", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.halving), RANGE(2, 100),
     .doc = "successive halving goes on with the best one of so many; left out: none is stopped"},
    {.name = "min_epochs", .type = ST_KEY_INTEGER, IN_RECIPE(sweep.min_epochs), RANGE(1, MAX_EPOCHS),
     .doc = "epochs before a trial may be stopped; left out: 1"},
    {.name = "against_pca", .type = ST_KEY_TEXT, IN_RECIPE(sweep.against_pca),
     .doc = "data on which every trial is measured against principal components"},
};

/* ---- the recipe ---- */

static const st_record data_record[] = {{.name = "data", .path = "data", KEYS(data_keys), .doc = "what to train on"}};
static const st_record model_record[] = {{.name = "model", .path = "model", KEYS(model_keys), .doc = "the network"}};
static const st_record train_record[] = {{.name = "train", .path = "train", KEYS(train_keys), .doc = "how to train"}};

static const st_record watch_record[] = {
    {.name = "watch", .path = "watch", KEYS(watch_keys), .doc = "what is kept while training"},
};

static const st_record sweep_record[] = {
    {.name = "sweep", .path = "sweep", KEYS(sweep_keys), .doc = "what strait sweep varies"},
};

static const st_key recipe_keys[] = {
    {.name = "name", .type = ST_KEY_TEXT, IN_RECIPE(name), .doc = "names the runs; left out: the file's name"},
    {.name = "seed", .type = ST_KEY_INTEGER, IN_RECIPE(seed), RANGE(0, MAX_SEED), .fallback = "42",
     .doc = "decides all that is random"},
    {.name = "data", .type = ST_KEY_SECTION, .offset = 0, POS_IN_RECIPE(data.pos), ROWS(data_record),
     .doc = "what to train on"},
    {.name = "model", .type = ST_KEY_SECTION, .offset = 0, POS_IN_RECIPE(model.pos), ROWS(model_record),
     .required = true, .doc = "the network"},
    {.name = "train", .type = ST_KEY_SECTION, .offset = 0, POS_IN_RECIPE(train.pos), ROWS(train_record),
     .doc = "how to train"},
    {.name = "watch", .type = ST_KEY_SECTION, .offset = 0, ROWS(watch_record), .doc = "what is kept while training"},
    {.name = "sweep", .type = ST_KEY_SECTION, .offset = 0, ROWS(sweep_record), .doc = "what strait sweep varies"},
};

/* clang-format on */

const st_record *st_recipe_schema(void) {
    static const st_record recipe = {.name = "recipe", .path = "", KEYS(recipe_keys), .doc = "a recipe"};
    return &recipe;
}

const st_record *st_layer_schema(st_layer_kind kind) {
    return &layers[kind];
}

const char *st_layer_name(st_layer_kind kind) {
    return layers[kind].name;
}

const char *st_optimizer_name(st_optimizer_kind kind) {
    return optimizers[kind].name;
}
