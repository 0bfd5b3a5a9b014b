/* Every op: X(enum, "name"). Enum, name table and the engines' kernel tables come from this list. Append only. */
#ifndef ST_GRAPH_OP_LIST_H
#define ST_GRAPH_OP_LIST_H

#define ST_OP_LIST(X)                                                                                                  \
    X(DENSE, "dense")                       /* y = act(x W + b), W [in, out]; over the last axis */                    \
    X(CONV2D, "conv2d")                     /* y = act(x * K + b), K [kh, kw, in, out], NHWC */                        \
    X(CONV2D_TRANSPOSE, "conv2d_transpose") /* the gradient of conv2d by its input, K [kh, kw, out, in] */             \
    X(RESHAPE, "reshape")                   /* the same values under another shape: shares its input's memory */       \
    X(ACTIVATION, "activation")             /* y = act(x), where it could not be fused into the op before */           \
    X(LOSS, "loss")                         /* scalar: sum of loss(y, target) over the valid samples */                \
    X(MAX_POOL2D, "max_pool2d")             /* the largest value of each window; padding never counts */               \
    X(AVG_POOL2D, "avg_pool2d")             /* the mean of each window, of the values inside the image alone */        \
    X(UPSAMPLE2D, "upsample2d")             /* factor times as high and wide: nearest, or bilinear (half-pixel) */     \
    X(BATCH_NORM, "batch_norm")             /* y = gamma (x - mean) / sqrt(variance + eps) + beta, over the batch */   \
    X(LAYER_NORM, "layer_norm")             /* the same over the last axis of each sample */                           \
    X(DROPOUT, "dropout")                   /* training: x / (1 - rate), or 0 with probability rate */                 \
    X(GAUSSIAN_NOISE, "gaussian_noise")     /* training: x + stddev N(0, 1) */                                         \
    X(CROP2D, "crop2d")                     /* without pad_before rows / columns at the start, pad_after at the end */ \
    X(ZERO_PAD2D, "zero_pad2d")             /* with so many zeros there instead */                                     \
    X(SLICE, "slice")                       /* values [begin, begin + n) of the last axis */                           \
    X(CONCAT, "concat")                     /* src, then src2, along the last axis */                                  \
    X(ADD, "add")                           /* src + src2 */                                                           \
    X(SAMPLE, "sample")                     /* z = src + exp(src2 / 2) N(0, 1); adds the KL divergence to the loss */  \
    X(PENALTY, "penalty")                   /* y = x; adds l1 sum |x| + l2 sum x^2 of each sample to the loss */

#endif
