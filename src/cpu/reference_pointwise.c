/* Activations and losses of the reference engine. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu_int.h"
#include "cpu/reference_int.h"

/* ---- activations; formulas in base/terms.h ---- */

double st_reference_act(st_activation activation, double x) {
    const double slope = (double)activation.slope;
    switch (activation.kind) {
    case ST_RELU: return x < 0 ? 0 : x; /* not fmax, which drops a NaN */
    case ST_LEAKY_RELU: return x > 0 ? x : slope * x;
    case ST_SIGMOID: return 1 / (1 + exp(-x));
    case ST_TANH: return tanh(x);
    case ST_ELU: return x > 0 ? x : slope * expm1(x);
    case ST_SELU: return ST_SELU_SCALE * (x > 0 ? x : ST_SELU_ALPHA * expm1(x));
    case ST_SOFTPLUS: return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
    case ST_GELU: return 0.5 * x * erfc(-x * sqrt(0.5));
    case ST_SWISH: return x / (1 + exp(-x));
    default: return x;
    }
}

/* relu: 1 where y > 0        leaky_relu: 1 or slope        sigmoid: y (1 - y)        tanh: 1 - y^2
   elu: 1 or slope exp(x) = y + slope        selu: likewise        softplus: 1 / (1 + exp(-x)) = 1 - exp(-y)
   gelu: Phi(x) + x phi(x)        swish: s + x s (1 - s), s = 1 / (1 + exp(-x)) */
double st_reference_act_derivative(st_activation activation, double y) {
    const double slope = (double)activation.slope;
    switch (activation.kind) {
    case ST_RELU: return y > 0 ? 1 : 0;
    case ST_LEAKY_RELU: return y > 0 ? 1 : slope;
    case ST_SIGMOID: return y * (1 - y);
    case ST_TANH: return 1 - y * y;
    case ST_ELU: return y > 0 ? 1 : y + slope;
    case ST_SELU: return y > 0 ? ST_SELU_SCALE : y + ST_SELU_SCALE * ST_SELU_ALPHA;
    case ST_SOFTPLUS: return -expm1(-y);
    case ST_GELU: return 0.5 * erfc(-y * sqrt(0.5)) + y * exp(-0.5 * y * y) / sqrt(2 * acos(-1.0));
    case ST_SWISH: {
        const double s = 1 / (1 + exp(-y));
        return s + y * s * (1 - s);
    }
    default: return 1;
    }
}

/* y_i = exp(x_i) / sum_j exp(x_j); the largest x is taken off all of them first, which changes nothing but keeps exp
   in range. */
static void softmax(float *y, int64_t n) {
    float most = y[0];
    for (int64_t i = 1; i < n; i++)
        most = y[i] > most ? y[i] : most;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)y[i] - (double)most);
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(exp((double)y[i] - (double)most) / sum);
}

/* dx_i = y_i (dy_i - sum_j dy_j y_j) */
static void softmax_gradient(float *dy, const float *y, int64_t n) {
    double dot = 0;
    for (int64_t i = 0; i < n; i++)
        dot += (double)dy[i] * (double)y[i];
    for (int64_t i = 0; i < n; i++)
        dy[i] = (float)((double)y[i] * ((double)dy[i] - dot));
}

void st_reference_activate(st_activation activation, float *y, int64_t n_rows, int64_t n) {
    if (activation.kind == ST_SOFTMAX)
        for (int64_t r = 0; r < n_rows; r++)
            softmax(y + r * n, n);
    else
        for (int64_t i = 0; i < n_rows * n; i++)
            y[i] = (float)st_reference_act(activation, (double)y[i]);
}

void st_reference_activate_gradient(st_activation activation, float *dy, const float *y, int64_t n_rows, int64_t n) {
    if (activation.kind == ST_SOFTMAX)
        for (int64_t r = 0; r < n_rows; r++)
            softmax_gradient(dy + r * n, y + r * n, n);
    else
        for (int64_t i = 0; i < n_rows * n; i++)
            dy[i] = (float)((double)dy[i] * st_reference_act_derivative(activation, (double)y[i]));
}

void st_reference_finish_forward(const st_reference *state) {
    const int64_t n = state->dst.dim[state->dst.n_dims - 1];
    st_reference_activate(state->op.activation, state->at.dst, state->batch * (st_shape_count(&state->dst) / n), n);
}

void st_reference_begin_backward(const st_reference *state) {
    if (state->dy_is_preactivation) return;
    const int64_t n = state->dst.dim[state->dst.n_dims - 1];
    st_reference_activate_gradient(state->op.activation, state->at.ddst, state->at.dst,
                                   state->batch * (st_shape_count(&state->dst) / n), n);
}

static strait_status activation_forward(void *opaque) {
    const st_reference *state = opaque;
    memcpy(state->at.dst, state->at.src, (size_t)(state->batch * st_shape_count(&state->src)) * sizeof(float));
    st_reference_finish_forward(state);
    return STRAIT_OK;
}

static strait_status activation_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    const int64_t count = state->batch * st_shape_count(&state->src);
    if (st_activation_needs_input(state->op.activation.kind))
        st_reference_activate_gradient(state->op.activation, state->at.ddst, state->at.src, count, 1);
    else
        st_reference_begin_backward(state);
    memcpy(state->at.dsrc, state->at.ddst, (size_t)count * sizeof(float));
    return STRAIT_OK;
}

const st_kernel st_reference_activation = {
    .plan = st_reference_plan,
    .bind = st_reference_bind,
    .forward = activation_forward,
    .backward = activation_backward,
    .describe = st_reference_describe,
    .free = st_free,
};

/* ---- losses of one value: y the output, t the target ---- */

typedef struct st_loss_value {
    double loss, gradient; /* the gradient by y times the fused activation's derivative */
} st_loss_value;

/* mse: (y - t)^2, 2 (y - t)        mae: |y - t|, sign(y - t)
   huber, d = y - t: d^2 / 2, d where |d| <= delta; else delta (|d| - delta / 2), delta sign(d)
   logits: max(y, 0) - y t + log(1 + exp(-|y|)), 1 / (1 + exp(-y)) - t
   binary_crossentropy, with p = y clipped to [clip, 1 - clip]:
       -(t log p + (1 - t) log(1 - p)),        (p - t) / (p (1 - p)), and 0 where y was clipped
   except behind a fused sigmoid: the derivatives cancel to y - t, clipped or not. */
static st_loss_value loss_of(const st_loss_term *term, st_activation fused, double y, double t) {
    const double slope = st_reference_act_derivative(fused, y), d = y - t, sign = d > 0 ? 1 : d < 0 ? -1 : 0;
    const double delta = (double)term->delta;
    switch (term->kind) {
    case ST_LOSS_MSE: return (st_loss_value){d * d, 2 * d * slope};
    case ST_LOSS_MAE: return (st_loss_value){fabs(d), sign * slope};
    case ST_LOSS_HUBER:
        if (fabs(d) <= delta) return (st_loss_value){d * d / 2, d * slope};
        return (st_loss_value){delta * (fabs(d) - delta / 2), delta * sign * slope};
    case ST_LOSS_LOGITS:
        return (st_loss_value){(y < 0 ? 0 : y) - y * t + log1p(exp(-fabs(y))), (1 / (1 + exp(-y)) - t) * slope};
    case ST_LOSS_BINARY_CROSSENTROPY: break;
    }
    const double low = (double)ST_BCE_CLIP, high = (double)(1.0f - ST_BCE_CLIP);
    const double p = y < low ? low : y > high ? high : y;
    const double loss = -(t * log(p) + (1 - t) * log(1 - p));
    if (fused.kind == ST_SIGMOID) return (st_loss_value){loss, d};
    return (st_loss_value){loss, y < low || y > high ? 0 : (p - t) / (p * (1 - p)) * slope};
}

/* Adds the losses of the valid samples to the step's; dy (or NULL) gets scale times the gradient, padding zeros. */
static void add_loss(const st_reference *state, float *dy) {
    st_step *step = state->at.step;
    const st_loss *loss = &state->op.loss;
    const int64_t n = st_shape_count(&state->src), valid = step->n_valid * n;
    for (int64_t i = 0; i < state->batch * n; i++) {
        double gradient = 0;
        for (int k = 0; i < valid && k < loss->n; k++) {
            const st_loss_term *term = &loss->term[k];
            const st_loss_value v = loss_of(term, state->fused, (double)state->at.src[i], (double)step->target[i]);
            step->loss += (double)term->weight * v.loss;
            gradient += (double)term->weight * v.gradient;
        }
        if (dy) dy[i] = (float)(gradient * (double)step->scale);
    }
}

static strait_status loss_forward(void *opaque) {
    add_loss(opaque, NULL);
    return STRAIT_OK;
}

static strait_status loss_backward(void *opaque, bool accumulate) {
    (void)accumulate;
    const st_reference *state = opaque;
    add_loss(state, state->at.dsrc);
    return STRAIT_OK;
}

const st_kernel st_reference_loss = {
    .plan = st_reference_plan,
    .bind = st_reference_bind,
    .forward = loss_forward,
    .backward = loss_backward,
    .describe = st_reference_describe,
    .free = st_free,
};
