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
#define MAX_BATCH 1048576.0 /* 2^20 */
#define MAX_THREADS 4096.0

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

/* ---- layers ---- */

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

static const char *const paddings[] = {[ST_SAME] = "same", [ST_VALID] = "valid"};

static const st_key reshape_keys[] = {
    {.name = "reshape", .type = ST_KEY_SHAPE, IN_LAYER(dim), .beside = offsetof(st_layer, n_dims), RANGE(1, MAX_DIM),
     .required = true, .doc = "the new shape of a sample"},
};
static const st_key dense_keys[] = {
    {.name = "units", .type = ST_KEY_INTEGER, IN_LAYER(units), RANGE(1, MAX_UNITS), .required = true,
     .doc = "values it gives"},
    ACTIVATION_KEY,
    BIAS_KEY,
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
};
static const st_key activation_keys[] = {
    {.name = "activation", .type = ST_KEY_ACTIVATION, IN_LAYER(activation), ROWS(activations), .required = true,
     .doc = "the activation"},
};

/* In the order of st_layer_kind. A layer whose one key has the layer's own name is written without a map around its
   value: reshape: [28, 28, 1]. */
static const st_record layers[] = {
    {.name = "flatten", .path = "flatten", .doc = "[height, width, channels] becomes [values]"},
    {.name = "reshape", .path = "", KEYS(reshape_keys), .doc = "the same values in another shape"},
    {.name = "dense", .path = "dense", KEYS(dense_keys), .doc = "y = activation(x W + b), over the last axis"},
    {.name = "conv2d", .path = "conv2d", KEYS(convolution_keys), .doc = "2-D convolution"},
    {.name = "conv2d_transpose", .path = "conv2d_transpose", KEYS(convolution_keys),
     .doc = "the gradient of conv2d by its input: strides enlarge"},
    {.name = "activation", .path = "", KEYS(activation_keys), .doc = "an activation of its own"},
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

static const st_key data_keys[] = {
    {.name = "source", .type = ST_KEY_TEXT, IN_RECIPE(data.source), POS_IN_RECIPE(data.source_pos),
     .doc = "a known data set (fashion-mnist, mnist) or a file; #test picks a split"},
    {.name = "validation", .type = ST_KEY_VALIDATION, .offset = 0, POS_IN_RECIPE(data.validation_pos),
     .doc = "a fraction of the training samples (the last ones), or a split of the source"},
    {.name = "scale", .type = ST_KEY_SCALE, IN_RECIPE(data.scale), WORDS(scales), ROWS(fitted_scales),
     .fallback = "unit", .doc = "unit: u8 / 255, u16 / 65535; minmax: to 0..1 by the training data; none"},
    {.name = "corrupt", .type = ST_KEY_CORRUPT, IN_RECIPE(data.corrupt), ROWS(corrupts),
     .doc = "noise on the input; the target stays clean"},
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
static const st_key adam_keys[] = {
    LEARNING_RATE_KEY("0.001"),
    {.name = "beta_1", .type = ST_KEY_NUMBER, IN_OPTIMIZER(beta_1), RANGE(0, 1), .below_high = true,
     .fallback = "0.9", .doc = "decay of the gradient's mean"},
    {.name = "beta_2", .type = ST_KEY_NUMBER, IN_OPTIMIZER(beta_2), RANGE(0, 1), .below_high = true,
     .fallback = "0.999", .doc = "decay of the squared gradient's mean"},
    {.name = "epsilon", .type = ST_KEY_NUMBER, IN_OPTIMIZER(epsilon), .above_low = true, RANGE(0, 1e3),
     .fallback = "1e-7", .doc = "added to the divisor"},
};

/* In the order of st_optimizer_kind. */
static const st_record optimizers[] = {
    {.name = "sgd", .path = "train.optimizer.sgd", KEYS(sgd_keys), .doc = "stochastic gradient descent"},
    {.name = "adam", .path = "train.optimizer.adam", KEYS(adam_keys), .doc = "Adam (Kingma and Ba 2015)"},
};


static const char *const losses[] = {
#define LOSS_WORD(enumerator, text) text,
    ST_LOSS_LIST(LOSS_WORD)
#undef LOSS_WORD
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
    {.name = "loss", .type = ST_KEY_LOSS, IN_RECIPE(train.loss), WORDS(losses), .fallback = "mse",
     .doc = "what is made small"},
    {.name = "optimizer", .type = ST_KEY_OPTIMIZER, IN_RECIPE(train.optimizer), ROWS(optimizers), .fallback = "adam",
     .doc = "how"},
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

/* ---- the recipe ---- */

static const st_record data_record[] = {{.name = "data", .path = "data", KEYS(data_keys), .doc = "what to train on"}};
static const st_record model_record[] = {{.name = "model", .path = "model", KEYS(model_keys), .doc = "the network"}};
static const st_record train_record[] = {{.name = "train", .path = "train", KEYS(train_keys), .doc = "how to train"}};

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
