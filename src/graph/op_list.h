/* Every op: X(enum, "name"). Enum, name table and the engines' kernel tables come from this list. Append only. */
#ifndef ST_GRAPH_OP_LIST_H
#define ST_GRAPH_OP_LIST_H

#define ST_OP_LIST(X)                                                                                                  \
    X(DENSE, "dense")                       /* y = act(x W + b), W [in, out]; over the last axis */                    \
    X(CONV2D, "conv2d")                     /* y = act(x * K + b), K [kh, kw, in, out], NHWC */                        \
    X(CONV2D_TRANSPOSE, "conv2d_transpose") /* the gradient of conv2d by its input, K [kh, kw, out, in] */             \
    X(RESHAPE, "reshape")                   /* the same values under another shape: shares its input's memory */       \
    X(ACTIVATION, "activation")             /* y = act(x), where it could not be fused into the op before */           \
    X(LOSS, "loss")                         /* scalar: sum of loss(y, target) over the valid samples */

#endif
