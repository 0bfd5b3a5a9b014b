/* The field's terms that both recipes and graphs speak: activations, paddings, losses. */
#ifndef ST_BASE_TERMS_H
#define ST_BASE_TERMS_H

#include <stdbool.h>

/* Activations, with their formulas: name as in recipes. Append only. */
#define ST_ACTIVATION_LIST(X)                                                                                          \
    X(LINEAR, "linear")         /* x */                                                                                \
    X(RELU, "relu")             /* max(0, x) */                                                                        \
    X(LEAKY_RELU, "leaky_relu") /* x > 0 ? x : slope x, slope 0.3 */                                                   \
    X(SIGMOID, "sigmoid")       /* 1 / (1 + exp(-x)) */                                                                \
    X(TANH, "tanh")             /* tanh x */                                                                           \
    X(ELU, "elu")               /* x > 0 ? x : slope (exp(x) - 1), slope 1 */                                          \
    X(SOFTMAX, "softmax")       /* exp(x_i) / sum_j exp(x_j), over the last axis */                                    \
    X(SELU, "selu")             /* 1.0507.. times (x > 0 ? x : 1.6733.. (exp(x) - 1)): Klambauer et al. 2017 */        \
    X(SOFTPLUS, "softplus")     /* log(1 + exp(x)) */                                                                  \
    X(GELU, "gelu")             /* x Phi(x), Phi the normal distribution function (by erf) */                          \
    X(SWISH, "swish")           /* x / (1 + exp(-x)) */

typedef enum st_activation_kind {
#define ST_ACTIVATION_ENUM(name, text) ST_##name,
    ST_ACTIVATION_LIST(ST_ACTIVATION_ENUM)
#undef ST_ACTIVATION_ENUM
} st_activation_kind;

typedef struct st_activation {
    st_activation_kind kind;
    float slope; /* leaky_relu: 0.3; elu: 1; not used by others */
} st_activation;

/* Whether the derivative needs x and cannot be had from the result (gelu and swish are not monotonic): such an
   activation is always an op of its own, so that x is kept. */
bool st_activation_needs_input(st_activation_kind kind);

typedef enum st_padding { ST_SAME, ST_VALID } st_padding;

/* Losses, each a mean over all values of the batch; x the target, y the output. Append only. */
#define ST_LOSS_LIST(X)                                                                                                \
    X(MSE, "mse") /* (y - x)^2 */                                                                                      \
    X(MAE, "mae") /* |y - x| */                                                                                        \
    X(BINARY_CROSSENTROPY,                                                                                             \
      "binary_crossentropy") /* -(x log p + (1 - x) log(1 - p)), p = y clipped to [1e-7, 1 - 1e-7] */                  \
    X(HUBER, "huber")        /* d = |y - x|; d <= delta ? d^2 / 2 : delta (d - delta / 2) */                           \
    X(LOGITS, "binary_crossentropy from logits") /* max(y, 0) - y x + log(1 + exp(-|y|)) */

typedef enum st_loss_kind {
#define ST_LOSS_ENUM(name, text) ST_LOSS_##name,
    ST_LOSS_LIST(ST_LOSS_ENUM)
#undef ST_LOSS_ENUM
} st_loss_kind;

/* A loss is a weighted sum of terms. */
#define ST_MAX_LOSS_TERMS 4
typedef struct st_loss_term {
    st_loss_kind kind;
    float weight; /* above 0; 1 when not given */
    float delta;  /* huber: 1 when not given; not used by others */
} st_loss_term;
typedef struct st_loss {
    int n; /* at least 1 */
    st_loss_term term[ST_MAX_LOSS_TERMS];
} st_loss;

/* Optimisers. Append only. */
#define ST_OPTIMIZER_LIST(X)                                                                                           \
    X(SGD, "sgd")                                                                                                      \
    X(ADAM, "adam")                                                                                                    \
    X(RMSPROP, "rmsprop")                                                                                              \
    X(ADAGRAD, "adagrad")                                                                                              \
    X(ADADELTA, "adadelta")                                                                                            \
    X(ADAMW, "adamw")                                                                                                  \
    X(NADAM, "nadam")

typedef enum st_optimizer_kind {
#define ST_OPTIMIZER_ENUM(name, text) ST_OPTIMIZER_##name,
    ST_OPTIMIZER_LIST(ST_OPTIMIZER_ENUM)
#undef ST_OPTIMIZER_ENUM
} st_optimizer_kind;

/* How parameters start. fan_in, fan_out: values that feed one value of the result, and that one value feeds. Append
   only. */
#define ST_INITIALIZER_LIST(X)                                                                                         \
    X(GLOROT_UNIFORM, "glorot_uniform") /* U(-l, l), l = sqrt(6 / (fan_in + fan_out)) */                               \
    X(GLOROT_NORMAL, "glorot_normal")   /* normal cut at 2 sigma, variance 2 / (fan_in + fan_out), as Keras */         \
    X(HE_UNIFORM, "he_uniform")         /* U(-l, l), l = sqrt(6 / fan_in) */                                           \
    X(HE_NORMAL, "he_normal")           /* normal cut at 2 sigma, variance 2 / fan_in */                               \
    X(NORMAL, "normal")                 /* normal, standard deviation as given: 0.05 */                                \
    X(ZEROS, "zeros")                                                                                                  \
    X(ONES, "ones")                                                                                                    \
    X(CONSTANT, "constant")

typedef enum st_initializer_kind {
#define ST_INITIALIZER_ENUM(name, text) ST_##name,
    ST_INITIALIZER_LIST(ST_INITIALIZER_ENUM)
#undef ST_INITIALIZER_ENUM
} st_initializer_kind;

typedef struct st_initializer {
    st_initializer_kind kind;
    double stddev; /* normal */
    double value;  /* constant */
} st_initializer;

/* What binary cross-entropy clips to, as Keras. */
#define ST_BCE_CLIP 1e-7f

/* Names as in recipes; static storage. */
const char *st_activation_name(st_activation_kind kind);
const char *st_loss_name(st_loss_kind kind);
const char *st_initializer_name(st_initializer_kind kind);

#endif
