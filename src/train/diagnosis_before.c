/* What recipe and data alone tell: each rule is a function that finds something or does not. */
#include <math.h>
#include <stdio.h>

#include "train/diagnosis_int.h"

/* ---- what the rules ask ---- */

/* The activation that all values of a tensor have passed through last. What follows here keeps a range as it is. */
static st_activation_kind activation_of(const st_graph *graph, int tensor) {
    while (tensor >= 0 && graph->tensor[tensor].producer >= 0) {
        const st_op *op = &graph->op[graph->tensor[tensor].producer];
        switch (op->kind) {
        case ST_OP_CONCAT: {
            const st_activation_kind a = activation_of(graph, op->src), b = activation_of(graph, op->src2);
            return a == b ? a : ST_LINEAR;
        }
        case ST_OP_RESHAPE:
        case ST_OP_CROP2D:
        case ST_OP_MAX_POOL2D:
        case ST_OP_AVG_POOL2D:
        case ST_OP_UPSAMPLE2D:
        case ST_OP_SLICE: tensor = op->src; break;
        default: return op->activation.kind;
        }
    }
    return ST_LINEAR;
}

st_activation_kind st_diagnosis_last_activation(const st_graph *graph) {
    return activation_of(graph, graph->output);
}

bool st_diagnosis_has_loss(const strait_recipe *recipe, st_loss_kind kind) {
    for (int i = 0; i < recipe->train.loss.n; i++)
        if (recipe->train.loss.term[i].kind == kind) return true;
    return false;
}

bool st_diagnosis_has_op(const st_graph *graph, st_op_kind kind) {
    for (int i = 0; i < graph->n_ops; i++)
        if (graph->op[i].kind == kind) return true;
    return false;
}

/* Least and greatest value of the scaled training data. Bytes in unit scale are within 0 and 1 without being read. */
static strait_status scaled_range(double range[2], const st_diagnosis *diagnosis, strait_error *err) {
    const st_diagnosis_config *config = &diagnosis->config;
    range[0] = 0;
    range[1] = 1;
    const bool whole_type = config->factor == 1.0 / 255 || config->factor == 1.0 / 65535;
    if (config->recipe->data.scale == ST_SCALE_UNIT && whole_type) return STRAIT_OK;
    strait_data_info info;
    ST_TRY(strait_data_describe(config->data, &info, err));
    const double a = (info.minimum - config->offset) * config->factor;
    const double b = (info.maximum - config->offset) * config->factor;
    range[0] = fmin(a, b);
    range[1] = fmax(a, b);
    return STRAIT_OK;
}

/* What rounding leaves beyond an end is not told. */
#define SLACK 1e-5

/* ---- the rules ---- */

static strait_status input_range(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    const strait_recipe *recipe = diagnosis->config.recipe;
    const st_activation_kind last = st_diagnosis_last_activation(diagnosis->config.model->graph);
    const bool sigmoid = last == ST_SIGMOID || last == ST_SOFTMAX;
    const bool entropy =
        st_diagnosis_has_loss(recipe, ST_LOSS_BINARY_CROSSENTROPY) || st_diagnosis_has_loss(recipe, ST_LOSS_LOGITS);
    if ((!sigmoid && !entropy) || (range[0] >= -SLACK && range[1] <= 1 + SLACK)) return STRAIT_OK;
    const double beyond = fmax(-range[0], range[1] - 1);
    strait_finding found =
        st_finding(diagnosis, "input_range", entropy ? STRAIT_SEVERITY_PROBLEM : STRAIT_SEVERITY_WARNING, "", beyond);
    if (entropy) {
        st_finding_say(&found,
                       "binary_crossentropy measures values within 0 and 1, but the scaled data reaches from %.4g to "
                       "%.4g: its minimum is not where output and data agree.",
                       range[0], range[1]);
        st_finding_mend(&found, "Use data.scale: minmax, or loss: mse with a linear last layer.");
    } else {
        st_finding_say(&found,
                       "the last activation (%s) gives values within 0 and 1, but the scaled data reaches from %.4g to "
                       "%.4g: what lies outside cannot be reproduced.",
                       st_activation_name(last), range[0], range[1]);
        st_finding_mend(&found, "Use data.scale: minmax, or a linear last layer.");
    }
    return st_finding_tell(diagnosis, &found, err);
}

/* Other activations that cannot reach the data. */
static strait_status target_range(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    const st_activation_kind last = st_diagnosis_last_activation(diagnosis->config.model->graph);
    const bool above_zero = last == ST_RELU || last == ST_SOFTPLUS;
    if (!above_zero && last != ST_TANH) return STRAIT_OK;
    const double low = above_zero ? 0 : -1, high = above_zero ? INFINITY : 1;
    if (range[0] >= low - SLACK && range[1] <= high + SLACK) return STRAIT_OK;
    strait_finding found =
        st_finding(diagnosis, "target_range", STRAIT_SEVERITY_WARNING, "", fmax(low - range[0], range[1] - high));
    st_finding_say(&found,
                   "the last activation (%s) gives values %s, but the scaled data reaches from %.4g to %.4g: what lies "
                   "outside cannot be reproduced.",
                   st_activation_name(last), above_zero ? "from 0 on" : "within -1 and 1", range[0], range[1]);
    st_finding_mend(&found, "Use data.scale: minmax, or a linear last layer.");
    return st_finding_tell(diagnosis, &found, err);
}

static strait_status unbounded_crossentropy(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    (void)range;
    const st_activation_kind last = st_diagnosis_last_activation(diagnosis->config.model->graph);
    if (last == ST_SIGMOID || last == ST_SOFTMAX ||
        !st_diagnosis_has_loss(diagnosis->config.recipe, ST_LOSS_BINARY_CROSSENTROPY))
        return STRAIT_OK;
    const double terms = diagnosis->config.recipe->train.loss.n;
    strait_finding found = st_finding(diagnosis, "unbounded_crossentropy", STRAIT_SEVERITY_PROBLEM, "", terms);
    st_finding_say(&found,
                   "binary_crossentropy takes outputs within 0 and 1, but the last activation (%s) gives others too; "
                   "those are clipped, and their gradient is zero.",
                   st_activation_name(last));
    st_finding_mend(&found, "Use activation: sigmoid on the last layer, or loss: {binary_crossentropy: {from_logits: "
                            "true}}, or loss: mse.");
    return st_finding_tell(diagnosis, &found, err);
}

/* Whether something other than the latent's size keeps the network from copying its input. */
static bool is_regularised(const strait_recipe *recipe, const st_graph *graph) {
    return st_corrupt_any(&recipe->data.corrupt) || recipe->train.latent_l1 > 0 || recipe->train.latent_l2 > 0 ||
           st_diagnosis_has_op(graph, ST_OP_SAMPLE) || st_diagnosis_has_op(graph, ST_OP_DROPOUT) ||
           st_diagnosis_has_op(graph, ST_OP_GAUSSIAN_NOISE);
}

static strait_status wide_latent(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    (void)range;
    const st_graph *graph = diagnosis->config.model->graph;
    const int64_t latent = st_shape_count(&graph->tensor[graph->latent].shape);
    const int64_t input = st_shape_count(&graph->tensor[graph->input].shape);
    if (latent < input || is_regularised(diagnosis->config.recipe, graph)) return STRAIT_OK;
    strait_finding found = st_finding(diagnosis, "wide_latent", STRAIT_SEVERITY_WARNING, "", (double)latent);
    st_finding_say(
        &found,
        "the latent has %lld values, the input %lld: the network can copy its input without learning what is "
        "in it.",
        (long long)latent, (long long)input);
    st_finding_mend(&found, "Make the latent smaller, or add data.corrupt, dropout, or train.penalty: {latent: {l1: "
                            "1e-5}}.");
    return st_finding_tell(diagnosis, &found, err);
}

/* The rule: fewer numbers in the training data than parameters to fit to them. A network can then hold the data itself;
   with more, it has to find what they have in common. */
static strait_status few_samples(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    (void)range;
    const st_graph *graph = diagnosis->config.model->graph;
    const int64_t samples = strait_data_count(diagnosis->config.data);
    const double numbers = (double)samples * (double)st_shape_count(&graph->tensor[graph->input].shape);
    const int64_t parameters = st_graph_trainable(graph);
    if (numbers >= (double)parameters) return STRAIT_OK;
    strait_finding found = st_finding(diagnosis, "few_samples", STRAIT_SEVERITY_WARNING, "", (double)samples);
    st_finding_say(&found,
                   "the model has %lld parameters, the %lld training samples hold %.0f numbers: it can learn them by "
                   "heart.",
                   (long long)parameters, (long long)samples, numbers);
    st_finding_mend(&found, "Make the layers smaller, use more data, or add data.augment, data.corrupt or dropout.");
    return st_finding_tell(diagnosis, &found, err);
}

/* The range of learning rates in customary use: about a thousand times below and thirty times above the default of
   Keras for those that adapt, down to 1e-4 and up to 1 for those that do not; adadelta takes 1 in its own paper. */
static const struct {
    double low, high;
} customary_rate[] = {
    [ST_OPTIMIZER_SGD] = {1e-4, 1},      [ST_OPTIMIZER_ADAM] = {1e-6, 0.03},  [ST_OPTIMIZER_RMSPROP] = {1e-6, 0.03},
    [ST_OPTIMIZER_ADAGRAD] = {1e-4, 1},  [ST_OPTIMIZER_ADADELTA] = {1e-4, 3}, [ST_OPTIMIZER_ADAMW] = {1e-6, 0.03},
    [ST_OPTIMIZER_NADAM] = {1e-6, 0.03},
};

static strait_status learning_rate(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    (void)range;
    const st_optimizer *optimizer = &diagnosis->config.recipe->train.optimizer;
    const double rate = optimizer->learning_rate, low = customary_rate[optimizer->kind].low,
                 high = customary_rate[optimizer->kind].high;
    if (rate >= low && rate <= high) return STRAIT_OK;
    const char *name = st_optimizer_name(optimizer->kind);
    strait_finding found = st_finding(diagnosis, rate > high ? "learning_rate_high" : "learning_rate_low",
                                      STRAIT_SEVERITY_WARNING, "", rate);
    st_finding_say(&found, "a learning rate of %g is %s for %s: from %g to %g is customary.", rate,
                   rate > high ? "high" : "low", name, low, high);
    st_finding_mend(&found, "Try train.optimizer.%s.learning_rate: %g.", name,
                    optimizer->kind == ST_OPTIMIZER_SGD || optimizer->kind == ST_OPTIMIZER_ADAGRAD ? 0.01
                    : optimizer->kind == ST_OPTIMIZER_ADADELTA                                     ? 1.0
                                                                                                   : 0.001);
    return st_finding_tell(diagnosis, &found, err);
}

static strait_status validation(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    (void)range;
    const st_diagnosis_config *config = &diagnosis->config;
    const int64_t train = strait_data_count(config->data);
    const int64_t n = config->validation ? strait_data_count(config->validation) : 0;
    if (n > 0 && n <= train) return STRAIT_OK;
    strait_finding found = st_finding(diagnosis, n > 0 ? "validation_larger" : "no_validation",
                                      n > 0 ? STRAIT_SEVERITY_WARNING : STRAIT_SEVERITY_NOTE, "", (double)n);
    if (n > 0) {
        st_finding_say(&found, "validation has %lld samples, more than the %lld that are trained on.", (long long)n,
                       (long long)train);
        st_finding_mend(&found, "Are the two swapped? Else make data.validation smaller, 0.1 or 0.2.");
    } else {
        st_finding_say(&found,
                       "there are 0 validation samples: nothing will tell whether the model learns more than "
                       "its %lld training samples.",
                       (long long)train);
        st_finding_mend(&found, "Use data.validation: 0.1, or the name of a split.");
    }
    return st_finding_tell(diagnosis, &found, err);
}

static strait_status batch_larger_than_data(st_diagnosis *diagnosis, const double range[2], strait_error *err) {
    (void)range;
    const int64_t samples = strait_data_count(diagnosis->config.data),
                  batch = diagnosis->config.recipe->train.batch_size;
    if (batch <= samples) return STRAIT_OK;
    strait_finding found = st_finding(diagnosis, "batch_larger_than_data", STRAIT_SEVERITY_NOTE, "", (double)batch);
    st_finding_say(&found, "train.batch_size is %lld, but there are %lld samples: an epoch is a single step.",
                   (long long)batch, (long long)samples);
    st_finding_mend(&found, "Use train.batch_size: %lld or less, for several steps an epoch.",
                    (long long)(samples > 8 ? samples / 8 : 1));
    return st_finding_tell(diagnosis, &found, err);
}

strait_status st_diagnosis_check_before(st_diagnosis *diagnosis, strait_error *err) {
    typedef strait_status rule(st_diagnosis *, const double range[2], strait_error *);
    static rule *const rules[] = {input_range,   target_range, unbounded_crossentropy, wide_latent, few_samples,
                                  learning_rate, validation,   batch_larger_than_data};
    double range[2];
    ST_TRY(scaled_range(range, diagnosis, err));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        ST_TRY(rules[i](diagnosis, range, err));
    return STRAIT_OK;
}
