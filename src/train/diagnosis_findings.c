/* What the epochs tell: each rule looks at the latest, and at those before it. A state that a network passes through in
   its first steps is found when it is there after enough of them and in two epochs, or at the end. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/string.h"
#include "train/diagnosis_int.h"

/* A layer that has changed less than this since the start has not changed. */
#define STILL 1e-5

/* Steps in which a network leaves the state it began in: on a small set an epoch has few, and the outputs of the first
   ones are about the same for all samples whatever the model is worth. */
#define ENOUGH_STEPS 100

/* ---- what the rules ask ---- */

static void print(char *out, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void print(char *out, size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    st_format_into(out, n, format, args);
    va_end(args);
}

typedef struct words {
    char text[24];
} words;

/* "63 %", "1.2 %", "0.0004 %": two digits, and no exponent for large ones. */
static words percent(double share) {
    words out = {""};
    const double value = 100 * share;
    if (fabs(value) >= 10 && fabs(value) < 1e9)
        snprintf(out.text, sizeof out.text, "%.0f %%", value); /* no decimal point: the same in every locale */
    else
        print(out.text, sizeof out.text, "%.2g %%", value);
    return out;
}

/* What is judged: the epochs so far, newest first. */
typedef struct judged {
    st_diagnosis *diagnosis;
    const strait_diagnosis *result;
    const strait_diagnosis_epoch *now;
    bool last, stopped;
} judged;

/* The epoch so many before the latest, or NULL; epoch 0, the untrained model, is not one of them. */
static const strait_diagnosis_epoch *back(const judged *at, int epochs) {
    const int i = at->result->n_epochs - 1 - epochs;
    return i >= 0 && at->result->epoch[i].epoch > 0 ? &at->result->epoch[i] : NULL;
}

static const strait_diagnosis_epoch *first_trained(const strait_diagnosis *result) {
    for (int i = 0; i < result->n_epochs; i++)
        if (result->epoch[i].epoch > 0) return &result->epoch[i];
    return NULL;
}

/* The loss of the untrained model, or NAN. */
static double untrained_loss(const strait_diagnosis *result) {
    return result->n_epochs > 0 && result->epoch[0].epoch == 0 ? result->epoch[0].loss : NAN;
}

/* Is it time to call a state lasting that only shows in the latest epoch? */
static bool settled(const judged *at) {
    const st_diagnosis_config *config = &at->diagnosis->config;
    const int64_t samples = strait_data_count(config->data), batch = config->recipe->train.batch_size;
    const int64_t steps = (int64_t)at->now->epoch * ((samples + batch - 1) / batch);
    return at->last || (at->now->epoch >= 2 && steps >= ENOUGH_STEPS);
}

/* The loss moves when its epochs differ by more than a thousandth. A single one is compared with the untrained model's,
   which is that of fewer samples; so is one that is far from it. */
static bool loss_moves(const strait_diagnosis *result) {
    double least = INFINITY, most = -INFINITY, size = 0;
    int trained = 0;
    for (int i = 0; i < result->n_epochs; i++) {
        const double loss = result->epoch[i].loss;
        if (result->epoch[i].epoch == 0 || isnan(loss)) continue;
        trained++;
        least = fmin(least, loss);
        most = fmax(most, loss);
        size = fmax(size, fabs(loss));
    }
    if (!(size > 0)) return false;
    const double before = untrained_loss(result);
    return most - least > 1e-3 * size ||
           (!isnan(before) && fabs(before - most) > (trained > 1 ? 0.05 : 0.01) * fabs(before));
}

/* ---- outputs ---- */

static strait_status clipped_output(const judged *at, strait_error *err) {
    const st_diagnosis_config *config = &at->diagnosis->config;
    const st_activation_kind last = st_diagnosis_last_activation(config->model->graph);
    const double share = at->diagnosis->look.clipped_share;
    if (last == ST_SIGMOID || last == ST_SOFTMAX || share < 0.01 ||
        !st_diagnosis_has_loss(config->recipe, ST_LOSS_BINARY_CROSSENTROPY))
        return STRAIT_OK;
    strait_finding found = st_finding(at->diagnosis, "clipped_output", STRAIT_SEVERITY_PROBLEM, "", share);
    st_finding_say(&found,
                   "binary_crossentropy clips outputs to (0, 1), and %s of the outputs lie outside: their "
                   "gradient is zero.",
                   percent(share).text);
    st_finding_mend(&found, "Use activation: sigmoid on the last layer, or loss: mse.");
    return st_finding_tell(at->diagnosis, &found, err);
}

static bool varies_little(const strait_diagnosis_epoch *epoch) {
    return epoch && epoch->output.variation < 0.05 * epoch->output.data_variation;
}

static strait_status collapsed(const judged *at, strait_error *err) {
    if (!settled(at) || !varies_little(at->now) || (!at->last && !varies_little(back(at, 1)))) return STRAIT_OK;
    const double share = at->now->output.variation / at->now->output.data_variation;
    strait_finding found = st_finding(at->diagnosis, "collapsed", STRAIT_SEVERITY_PROBLEM, "", share);
    st_finding_say(&found,
                   "the outputs vary only %s as much from sample to sample as the data does: whatever goes "
                   "in, about the same mean sample comes out.",
                   percent(share).text);
    st_finding_mend(&found, "%s",
                    st_diagnosis_has_op(at->diagnosis->config.model->graph, ST_OP_SAMPLE)
                        ? "Lower beta of the gaussian latent or let it grow with warmup; train longer; raise the "
                          "learning rate."
                        : "Train longer or raise the learning rate; if layers are dead or saturated, mend that first.");
    return st_finding_tell(at->diagnosis, &found, err);
}

/* Black or white where the data is not. */
static strait_status saturated(const judged *at, strait_error *err) {
    const st_activation_kind last = st_diagnosis_last_activation(at->diagnosis->config.model->graph);
    if (!settled(at) || (last != ST_SIGMOID && last != ST_SOFTMAX && last != ST_RELU)) return STRAIT_OK;
    const strait_diagnosis_epoch *before = back(at, 1);
    const double data[2] = {at->diagnosis->data_low, at->diagnosis->data_high};
    for (int high = 0; high < 2; high++) {
        const double share = high ? at->now->output.high_share : at->now->output.low_share;
        const double then = !before ? NAN : high ? before->output.high_share : before->output.low_share;
        if (share - data[high] < 0.25 || (!at->last && !(then - data[high] >= 0.25))) continue;
        strait_finding found = st_finding(at->diagnosis, "saturated", STRAIT_SEVERITY_WARNING, "", share);
        st_finding_say(&found,
                       "%s of the outputs are %s, of the data only %s: there the last activation (%s) "
                       "is saturated and its gradient next to nothing.",
                       percent(share).text, high ? "white (at least 0.999)" : "black (at most 0.001)",
                       percent(data[high]).text, st_activation_name(last));
        st_finding_mend(&found, "Lower the learning rate, or begin with another seed; with a sigmoid "
                                "binary_crossentropy gets out of it sooner than mse.");
        ST_TRY(st_finding_tell(at->diagnosis, &found, err));
    }
    return STRAIT_OK;
}

/* ---- layers ---- */

static bool makes_latent(const st_graph *graph, int op) {
    int tensor = graph->latent;
    while (tensor >= 0 && graph->tensor[tensor].producer >= 0) {
        const int producer = graph->tensor[tensor].producer;
        if (producer == op) return true;
        if (graph->op[producer].kind != ST_OP_RESHAPE && graph->op[producer].kind != ST_OP_PENALTY) return false;
        tensor = graph->op[producer].src;
    }
    return false;
}

static strait_status dead_units(const judged *at, strait_error *err) {
    const strait_diagnosis_epoch *before = back(at, 1);
    const long long looked_at = (long long)at->diagnosis->probe.n;
    if (!settled(at)) return STRAIT_OK;
    for (int i = 0; i < at->result->n_layers; i++) {
        const st_diagnosed *layer = &at->diagnosis->layer[i];
        const double share = at->now->layer[i].dead_share;
        if (!(share >= 0.5) || (!at->last && !(before && before->layer[i].dead_share >= 0.5))) continue;
        if (makes_latent(at->diagnosis->config.model->graph, layer->op)) continue; /* told as dead_latent */
        strait_finding found =
            st_finding(at->diagnosis, "dead_units", share >= 0.9 ? STRAIT_SEVERITY_PROBLEM : STRAIT_SEVERITY_WARNING,
                       layer->name, share);
        st_finding_say(&found,
                       "%.0f of %lld units (%s) give 0 for each of %lld samples looked at: their weights no longer "
                       "learn.",
                       round(share * (double)layer->units), (long long)layer->units, percent(share).text, looked_at);
        st_finding_mend(&found, "Use activation: leaky_relu or elu there, or a lower learning rate.");
        ST_TRY(st_finding_tell(at->diagnosis, &found, err));
    }
    return STRAIT_OK;
}

static strait_status dead_latent(const judged *at, strait_error *err) {
    const st_diagnosis *diagnosis = at->diagnosis;
    const strait_recipe *recipe = diagnosis->config.recipe;
    const int64_t dead = diagnosis->look.latent_dead, units = diagnosis->latent_units;
    const double share = (double)dead / (double)units;
    if (!settled(at) || share < 0.25 || diagnosis->probe.n < 2) return STRAIT_OK; /* one sample shows no variation */
    const bool gaussian = st_diagnosis_has_op(diagnosis->config.model->graph, ST_OP_SAMPLE);
    strait_finding found = st_finding(diagnosis, "dead_latent",
                                      share >= 0.9 ? STRAIT_SEVERITY_PROBLEM : STRAIT_SEVERITY_WARNING, "", share);
    st_finding_say(&found,
                   "%lld of %lld latent units (%s) %s %lld samples looked at%s: they carry nothing to the decoder.",
                   (long long)dead, (long long)units, percent(share).text,
                   gaussian ? "have a mean that hardly varies over" : "are the same for each of",
                   (long long)diagnosis->probe.n, gaussian ? " (variance below 0.01)" : "");
    st_finding_mend(&found, "%s",
                    gaussian ? "Lower beta, or let it grow with warmup; or make the latent smaller."
                    : recipe->train.latent_l1 > 0
                        ? "Lower train.penalty.latent.l1, or make the latent smaller."
                        : "Leave the latent layer linear or use leaky_relu, lower the learning rate, or make the "
                          "latent smaller.");
    return st_finding_tell(at->diagnosis, &found, err);
}

static strait_status weights_still(const judged *at, strait_error *err) {
    double most = 0;
    for (int i = 0; i < at->result->n_layers; i++)
        if (at->now->layer[i].change_start > most) most = at->now->layer[i].change_start;
    if (!settled(at)) return STRAIT_OK;
    if (most < STILL) {
        strait_finding found = st_finding(at->diagnosis, "weights_still", STRAIT_SEVERITY_PROBLEM, "", most);
        st_finding_say(&found, "no layer has changed by more than %s since the start.", percent(most).text);
        st_finding_mend(&found, "Raise the learning rate; if the loss does not move either, look at the outputs: a "
                                "clipped or saturated one has no gradient.");
        return st_finding_tell(at->diagnosis, &found, err);
    }
    for (int i = 0; i < at->result->n_layers; i++) {
        const strait_layer_state *layer = &at->now->layer[i];
        if (!(layer->change_start < 10 * STILL) || layer->change_start > most / 100) continue;
        strait_finding found =
            st_finding(at->diagnosis, "weights_still", STRAIT_SEVERITY_WARNING, layer->name, layer->change_start);
        st_finding_say(&found,
                       "its weights have changed by %s since the start, those of other layers by up to "
                       "%s: it does not learn.",
                       percent(layer->change_start).text, percent(most).text);
        st_finding_mend(&found, "Look for dead units in the layers after it; a normalisation before it or another "
                                "activation lets the gradient through.");
        ST_TRY(st_finding_tell(at->diagnosis, &found, err));
    }
    return STRAIT_OK;
}

static strait_status exploding(const judged *at, strait_error *err) {
    for (int i = 0; i < at->result->n_layers; i++) {
        const strait_layer_state *layer = &at->now->layer[i];
        if (!(layer->change_epoch > 10)) continue;
        strait_finding found =
            st_finding(at->diagnosis, "exploding", STRAIT_SEVERITY_PROBLEM, layer->name, layer->change_epoch);
        st_finding_say(&found, "in epoch %d its weights moved by %.3g times their own size.", at->now->epoch,
                       layer->change_epoch);
        st_finding_mend(&found, "Lower the learning rate (now %g), or use train.clip_norm: 1.",
                        at->diagnosis->config.recipe->train.optimizer.learning_rate);
        ST_TRY(st_finding_tell(at->diagnosis, &found, err));
    }
    return STRAIT_OK;
}

static strait_status vanishing_gradient(const judged *at, strait_error *err) {
    const strait_layer_state *first = NULL, *final = NULL;
    for (int i = 0; i < at->result->n_layers; i++) {
        const strait_layer_state *layer = &at->now->layer[i];
        if (isnan(layer->gradient_norm)) continue;
        if (!first) first = layer;
        final = layer;
    }
    if (!settled(at) || !first || !(first->gradient_norm > 0) || !(first->gradient_norm < 1e-4 * final->gradient_norm))
        return STRAIT_OK;
    const double ratio = first->gradient_norm / final->gradient_norm;
    strait_finding found = st_finding(at->diagnosis, "vanishing_gradient", STRAIT_SEVERITY_WARNING, first->name, ratio);
    st_finding_say(&found,
                   "its gradient (%.2g) is %.2g of that of %s (%.2g): little of the error reaches the first "
                   "layers.",
                   first->gradient_norm, ratio, final->name, final->gradient_norm);
    st_finding_mend(&found,
                    "Use relu or elu instead of sigmoid or tanh inside, fewer layers, batch_norm, or residual.");
    return st_finding_tell(at->diagnosis, &found, err);
}

/* ---- the course of the loss ---- */

static strait_status loss_still(const judged *at, strait_error *err) {
    if (!settled(at) || !back(at, 1) || loss_moves(at->result)) return STRAIT_OK;
    const double loss = at->now->loss, then = first_trained(at->result)->loss;
    const double change = loss != 0 ? fabs(loss - then) / fabs(loss) : 0;
    strait_finding found = st_finding(at->diagnosis, "loss_still", STRAIT_SEVERITY_PROBLEM, "", change);
    st_finding_say(&found, "the loss does not move: %.6g after %d epochs, a change of %s.", loss, at->now->epoch,
                   percent(change).text);
    st_finding_mend(&found, "Raise the learning rate (now %g); look at what is said of outputs and layers.",
                    at->diagnosis->config.recipe->train.optimizer.learning_rate);
    return st_finding_tell(at->diagnosis, &found, err);
}

/* Three epochs in a row, beta not growing. */
static strait_status loss_rising(const judged *at, strait_error *err) {
    const strait_diagnosis_epoch *then = back(at, 3);
    if (!then || (double)then->epoch < at->diagnosis->warmup) return STRAIT_OK;
    for (int i = 0; i < 3; i++)
        if (!(back(at, i)->loss > back(at, i + 1)->loss)) return STRAIT_OK;
    const double rise = (at->now->loss - then->loss) / fabs(then->loss);
    if (!(rise > 0.01)) return STRAIT_OK;
    strait_finding found = st_finding(at->diagnosis, "loss_rising", STRAIT_SEVERITY_WARNING, "", rise);
    st_finding_say(&found, "the loss has risen for three epochs, by %s from %.4g in epoch %d to %.4g.",
                   percent(rise).text, then->loss, then->epoch, at->now->loss);
    st_finding_mend(&found,
                    "Lower the learning rate (now %g), or let it fall by train.schedule or "
                    "train.reduce_lr_on_plateau.",
                    at->diagnosis->config.recipe->train.optimizer.learning_rate);
    return st_finding_tell(at->diagnosis, &found, err);
}

static strait_status overfitting(const judged *at, strait_error *err) {
    const strait_diagnosis_epoch *best = NULL;
    for (int i = 0; i < at->result->n_epochs; i++) {
        const strait_diagnosis_epoch *epoch = &at->result->epoch[i];
        if (epoch->epoch > 0 && !isnan(epoch->val_loss) && (!best || epoch->val_loss < best->val_loss)) best = epoch;
    }
    if (!best || at->now->epoch - best->epoch < 3 || (double)best->epoch < at->diagnosis->warmup) return STRAIT_OK;
    const double rise = (at->now->val_loss - best->val_loss) / fabs(best->val_loss);
    if (!(rise > 0.02) || !(at->now->loss < best->loss)) return STRAIT_OK;
    strait_finding found = st_finding(at->diagnosis, "overfitting", STRAIT_SEVERITY_WARNING, "", rise);
    st_finding_say(&found,
                   "val_loss was lowest in epoch %d (%.4g) and has risen by %s to %.4g since, while the "
                   "loss falls: the model learns its training samples by heart.",
                   best->epoch, best->val_loss, percent(rise).text, at->now->val_loss);
    st_finding_mend(&found, "Use train.early_stopping: {patience: 3, restore_best: true}; a smaller network, dropout, "
                            "data.corrupt, data.augment or more data go further.");
    return st_finding_tell(at->diagnosis, &found, err);
}

static strait_status not_finished(const judged *at, strait_error *err) {
    const strait_diagnosis_epoch *before = back(at, 1);
    if (!at->last || at->stopped || !before || !back(at, 2)) return STRAIT_OK;
    const double fall = (before->loss - at->now->loss) / fabs(before->loss);
    if (!(fall > 0.02)) return STRAIT_OK;
    strait_finding found = st_finding(at->diagnosis, "not_finished", STRAIT_SEVERITY_NOTE, "", fall);
    st_finding_say(&found, "the loss still fell by %s in the last epoch, to %.4g: it is not done learning.",
                   percent(fall).text, at->now->loss);
    st_finding_mend(&found, "Go on with: strait train --resume RUN --epochs %d", 2 * at->now->epoch);
    return st_finding_tell(at->diagnosis, &found, err);
}

strait_status st_diagnosis_check_start(st_diagnosis *diagnosis, strait_error *err) {
    const strait_diagnosis *result = diagnosis->result;
    const judged at = {diagnosis, result, &result->epoch[result->n_epochs - 1], false, false};
    return clipped_output(&at, err); /* better known now than after hours */
}

strait_status st_diagnosis_check_epoch(st_diagnosis *diagnosis, bool last, bool stopped, strait_error *err) {
    typedef strait_status rule(const judged *, strait_error *);
    static rule *const rules[] = {clipped_output, collapsed,     saturated,   dead_units,
                                  dead_latent,    weights_still, exploding,   vanishing_gradient,
                                  loss_still,     loss_rising,   overfitting, not_finished};
    const strait_diagnosis *result = diagnosis->result;
    const judged at = {diagnosis, result, &result->epoch[result->n_epochs - 1], last, stopped};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        ST_TRY(rules[i](&at, err));
    return STRAIT_OK;
}

/* ---- the two answers ---- */

static void answer_loss(strait_diagnosis *result, const strait_diagnosis_epoch *now) {
    char *out = result->loss_answer;
    const size_t n = sizeof result->loss_answer;
    const strait_diagnosis_epoch *first = first_trained(result);
    const double before = untrained_loss(result), then = isnan(before) ? first->loss : before;
    const char *epochs = now->epoch == 1 ? "epoch" : "epochs";
    result->loss_moves = loss_moves(result);
    if (!result->loss_moves)
        print(out, n, "No: the loss is %.6g after %d %s; it was %.6g %s.", now->loss, now->epoch, epochs, then,
              isnan(before) ? "in the first" : "before training");
    else
        print(out, n, "Yes: the loss %s from %.4g %s to %.4g in %d %s.", now->loss < then ? "fell" : "rose", then,
              isnan(before) ? "in the first epoch" : "before training", now->loss, now->epoch, epochs);
}

static void answer_weights(strait_diagnosis *result, const strait_diagnosis_epoch *now) {
    char *out = result->weights_answer;
    const size_t n = sizeof result->weights_answer;
    const strait_layer_state *least = NULL, *most = NULL;
    int layers = 0, still = 0;
    for (int i = 0; i < result->n_layers; i++) {
        const strait_layer_state *layer = &now->layer[i];
        if (isnan(layer->change_start)) continue;
        layers++;
        still += layer->change_start < STILL;
        if (!least || layer->change_start < least->change_start) least = layer;
        if (!most || layer->change_start > most->change_start) most = layer;
    }
    result->weights_change = still < layers;
    if (layers == 0)
        print(out, n, "It cannot be told: all weights began at zero.");
    else if (still == layers)
        print(out, n, "No: none of %d layers changed by more than %s since the start.", layers,
              percent(most->change_start).text);
    else if (layers == 1)
        print(out, n, "Yes: %s changed by %s since the start.", most->name, percent(most->change_start).text);
    else
        print(out, n, "%s %d of %d layers: the least %s by %s, the most %s by %s since the start.",
              still == 0 ? "Yes, in" : "Only in", layers - still, layers, least->name,
              percent(least->change_start).text, most->name, percent(most->change_start).text);
}

void st_diagnosis_answer(st_diagnosis *diagnosis) {
    strait_diagnosis *result = diagnosis->result;
    const strait_diagnosis_epoch *now = result->n_epochs > 0 ? &result->epoch[result->n_epochs - 1] : NULL;
    if (now && now->epoch > 0) {
        answer_loss(result, now);
        answer_weights(result, now);
        return;
    }
    result->loss_moves = result->weights_change = false;
    print(result->loss_answer, sizeof result->loss_answer, "Nothing has been trained yet.");
    print(result->weights_answer, sizeof result->weights_answer, "Nothing has been trained yet.");
}
