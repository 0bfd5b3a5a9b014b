/* The field's terms that both recipes and graphs speak: activations, paddings, losses. */
#ifndef ST_BASE_TERMS_H
#define ST_BASE_TERMS_H

/* Activations, with their formulas: name as in recipes. Append only. */
#define ST_ACTIVATION_LIST(X)                                                                                          \
    X(LINEAR, "linear")         /* x */                                                                                \
    X(RELU, "relu")             /* max(0, x) */                                                                        \
    X(LEAKY_RELU, "leaky_relu") /* x > 0 ? x : slope x, slope 0.3 */                                                   \
    X(SIGMOID, "sigmoid")       /* 1 / (1 + exp(-x)) */                                                                \
    X(TANH, "tanh")             /* tanh x */                                                                           \
    X(ELU, "elu")               /* x > 0 ? x : slope (exp(x) - 1), slope 1 */                                          \
    X(SOFTMAX, "softmax")       /* exp(x_i) / sum_j exp(x_j), over the last axis */

typedef enum st_activation_kind {
#define ST_ACTIVATION_ENUM(name, text) ST_##name,
    ST_ACTIVATION_LIST(ST_ACTIVATION_ENUM)
#undef ST_ACTIVATION_ENUM
} st_activation_kind;

typedef struct st_activation {
    st_activation_kind kind;
    float slope; /* leaky_relu: 0.3; elu: 1; not used by others */
} st_activation;

typedef enum st_padding { ST_SAME, ST_VALID } st_padding;

/* Losses, each a mean over all values of the batch; x the target, y the output. Append only. */
#define ST_LOSS_LIST(X)                                                                                                \
    X(MSE, "mse") /* (y - x)^2 */                                                                                      \
    X(MAE, "mae") /* |y - x| */                                                                                        \
    X(BINARY_CROSSENTROPY,                                                                                             \
      "binary_crossentropy") /* -(x log p + (1 - x) log(1 - p)), p = y clipped to [1e-7, 1 - 1e-7] */

typedef enum st_loss_kind {
#define ST_LOSS_ENUM(name, text) ST_LOSS_##name,
    ST_LOSS_LIST(ST_LOSS_ENUM)
#undef ST_LOSS_ENUM
} st_loss_kind;

typedef enum st_optimizer_kind { ST_OPTIMIZER_SGD, ST_OPTIMIZER_ADAM } st_optimizer_kind;

/* What binary cross-entropy clips to, as Keras. */
#define ST_BCE_CLIP 1e-7f

/* Names as in recipes; static storage. */
const char *st_activation_name(st_activation_kind kind);
const char *st_loss_name(st_loss_kind kind);

#endif
