/* Collecting: one look at the probe, one pass over the weights, one over the gradients. */
#include "train/diagnosis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/diagnosis.h"
#include "base/memory.h"
#include "base/string.h"
#include "train/diagnosis_int.h"

/* Samples in the probe: one in so many, within limits. Enough that a unit which gives 0 for all of them is as good as
   dead; a convolution's unit is seen at many places of an image, and its images cost more, so fewer do. */
#define PROBE_MOST 128
#define PROBE_LEAST_ROWS 32
#define PROBE_LEAST_IMAGES 6
#define PROBE_SHARE_ROWS 64
#define PROBE_SHARE_IMAGES 256

/* ---- what there is to look at ---- */

/* Do the outputs hold these values, only arranged otherwise? A unit there is a pixel, and a pixel may be black in all
   of the data. */
static bool is_output(const st_graph *graph, int tensor) {
    for (int t = graph->output; t != tensor;) {
        if (graph->tensor[t].producer < 0) return false;
        const st_op *op = &graph->op[graph->tensor[t].producer];
        if (op->kind != ST_OP_RESHAPE && op->kind != ST_OP_CROP2D) return false;
        t = op->src;
    }
    return true;
}

static int64_t count_units(const st_graph *graph, const st_op *op) {
    if (op->activation.kind != ST_RELU || op->dst < 0 || is_output(graph, op->dst)) return 0;
    const st_shape *shape = &graph->tensor[op->dst].shape;
    return shape->dim[shape->n_dims - 1];
}

static void describe_layer(st_diagnosed *layer, const strait_model *model, int i) {
    const st_op *op = &model->graph->op[i];
    *layer = (st_diagnosed){.op = i, .units = count_units(model->graph, op)};
    snprintf(layer->name, sizeof layer->name, "%s", op->name);
    st_model_op_text(layer->layer, sizeof layer->layer, model, op);
}

static double longest_warmup(const st_layer *layers, int n) {
    double most = 0;
    for (int i = 0; i < n; i++) {
        if (layers[i].kind == ST_LAYER_GAUSSIAN) most = fmax(most, layers[i].warmup);
        for (int b = 0; b < layers[i].n_branches; b++)
            most = fmax(most, longest_warmup(layers[i].branch[b].layers, layers[i].branch[b].n_layers));
    }
    return most;
}

static strait_status take_memory(st_diagnosis *diagnosis, strait_error *err) {
    const st_graph *graph = diagnosis->config.model->graph;
    const size_t bytes = ((size_t)graph->n_values + 1) * sizeof(float);
    diagnosis->layer = st_alloc((size_t)graph->n_ops, sizeof *diagnosis->layer);
    diagnosis->norm = st_alloc((size_t)graph->n_ops, sizeof *diagnosis->norm);
    diagnosis->before = st_alloc_aligned(bytes);
    diagnosis->result = st_alloc(1, sizeof *diagnosis->result);
    if (!diagnosis->layer || !diagnosis->norm || !diagnosis->before || !diagnosis->result)
        return st_fail_memory(err, bytes, "the diagnosis");
    for (int i = 0; i < graph->n_ops; i++)
        if (graph->op[i].kernel >= 0 || count_units(graph, &graph->op[i]) > 0)
            describe_layer(&diagnosis->layer[diagnosis->n_layers++], diagnosis->config.model, i);
    diagnosis->result->n_layers = diagnosis->n_layers;
    return STRAIT_OK;
}

static int64_t probe_size(const st_graph *graph, int64_t n_data) {
    const bool images = st_diagnosis_has_op(graph, ST_OP_CONV2D) || st_diagnosis_has_op(graph, ST_OP_CONV2D_TRANSPOSE);
    const int64_t share = n_data / (images ? PROBE_SHARE_IMAGES : PROBE_SHARE_ROWS);
    const int64_t least = images ? PROBE_LEAST_IMAGES : PROBE_LEAST_ROWS;
    return share < least ? least : share > PROBE_MOST ? PROBE_MOST : share;
}

strait_status st_diagnosis_new(st_diagnosis **out, const st_diagnosis_config *config, strait_error *err) {
    *out = NULL;
    st_diagnosis *diagnosis = st_alloc(1, sizeof *diagnosis);
    if (!diagnosis) return st_fail_memory(err, sizeof *diagnosis, "the diagnosis");
    const double began = st_clock();
    const strait_recipe *recipe = config->recipe;
    diagnosis->config = *config;
    diagnosis->warmup = longest_warmup(recipe->model.encoder, recipe->model.n_encoder);
    const int64_t n = probe_size(config->model->graph, strait_data_count(config->data));
    strait_status status = take_memory(diagnosis, err);
    if (status == STRAIT_OK)
        status = st_probe_open(&diagnosis->probe, config->data, n, ST_PROBE_DIAGNOSIS, recipe, config->offset,
                               config->factor, err);
    if (status == STRAIT_OK) status = st_look_prepare(diagnosis, err);
    if (status != STRAIT_OK) {
        st_diagnosis_free(diagnosis);
        return status;
    }
    diagnosis->spent = st_clock() - began;
    st_diagnosis_answer(diagnosis);
    *out = diagnosis;
    return STRAIT_OK;
}

void st_diagnosis_free(st_diagnosis *diagnosis) {
    if (!diagnosis) return;
    st_look_free(diagnosis);
    st_probe_close(&diagnosis->probe);
    strait_diagnosis_free(diagnosis->result);
    st_free(diagnosis->layer);
    st_free(diagnosis->norm);
    st_free(diagnosis->before);
    st_free(diagnosis);
}

const strait_diagnosis *st_diagnosis_result(st_diagnosis *diagnosis) {
    return diagnosis->result;
}

const strait_observer *st_diagnosis_observer(const st_diagnosis *diagnosis) {
    return diagnosis->config.observer;
}

/* ---- findings ---- */

strait_finding st_finding(const st_diagnosis *diagnosis, const char *code, strait_severity severity, const char *layer,
                          double value) {
    const strait_diagnosis *result = diagnosis->result;
    strait_finding finding = {.severity = severity, .value = value};
    finding.epoch = result->n_epochs > 0 ? result->epoch[result->n_epochs - 1].epoch : 0;
    snprintf(finding.code, sizeof finding.code, "%s", code);
    snprintf(finding.layer, sizeof finding.layer, "%s", layer);
    return finding;
}

void st_finding_say(strait_finding *finding, const char *format, ...) {
    va_list args;
    va_start(args, format);
    st_format_into(finding->sentence, sizeof finding->sentence, format, args);
    va_end(args);
}

void st_finding_mend(strait_finding *finding, const char *format, ...) {
    va_list args;
    va_start(args, format);
    st_format_into(finding->mend, sizeof finding->mend, format, args);
    va_end(args);
}

strait_status st_finding_tell(st_diagnosis *diagnosis, const strait_finding *finding, strait_error *err) {
    static const char *const word[] = {"note", "warning", "problem"};
    const strait_diagnosis *result = diagnosis->result;
    for (int i = 0; i < result->n_findings; i++)
        if (strcmp(result->finding[i].code, finding->code) == 0 &&
            strcmp(result->finding[i].layer, finding->layer) == 0)
            return STRAIT_OK;
    ST_TRY(st_diagnosis_add_finding(diagnosis->result, finding, err));
    const strait_observer *observer = diagnosis->config.observer;
    if (!observer || !observer->note) return STRAIT_OK;
    char line[sizeof finding->sentence + sizeof finding->mend + sizeof finding->layer + 16];
    snprintf(line, sizeof line, "%s: %s%s%s%s%s", word[finding->severity], finding->layer,
             finding->layer[0] ? ": " : "", finding->sentence, finding->mend[0] ? " " : "", finding->mend);
    observer->note(observer->context, line);
    return STRAIT_OK;
}

/* ---- weights and gradients ---- */

/* |now - then| / |then| over the values of a parameter that did not start at zero, added to sums. */
static void add_change(double sums[2], const float *now, const float *then, const float *start, int64_t n) {
    double change = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        const double w = start[i] != 0.0f ? (double)then[i] : 0, d = start[i] != 0.0f ? (double)now[i] - w : 0;
        change += d * d;
        size += w * w;
    }
    sums[0] += change;
    sums[1] += size;
}

static double ratio(const double sums[2]) {
    return sums[1] > 0 ? sqrt(sums[0] / sums[1]) : NAN;
}

/* The relative changes of an op's trained parameters: since the start, whose weights the seed gives again, into
   scratch, and since the epoch before. */
static void measure_change(const st_diagnosis *diagnosis, const st_op *op, float *scratch, strait_layer_state *state) {
    const strait_model *model = diagnosis->config.model;
    const int parameter[] = {op->kernel, op->bias};
    double since_start[2] = {0, 0}, since_before[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        if (parameter[k] < 0) continue;
        const st_parameter *p = &model->graph->parameter[parameter[k]];
        const float *now = model->values + p->offset, *before = diagnosis->before + p->offset;
        const int64_t n = st_shape_count(&p->shape);
        st_model_initialise_parameter(scratch, model->graph, parameter[k], model->recipe->seed);
        add_change(since_start, now, scratch, scratch, n);
        if (diagnosis->before_known) add_change(since_before, now, before, scratch, n);
    }
    state->change_start = ratio(since_start);
    state->change_epoch = diagnosis->before_known ? ratio(since_before) : NAN;
}

static void measure_changes(const st_diagnosis *diagnosis, strait_diagnosis_epoch *epoch, st_trainer *trainer) {
    const st_graph *graph = diagnosis->config.model->graph;
    for (int i = 0; i < diagnosis->n_layers; i++)
        measure_change(diagnosis, &graph->op[diagnosis->layer[i].op], st_trainer_scratch(trainer), &epoch->layer[i]);
}

/* Sum of the squares of the gradients [begin, end), each summed over the replicas in order. By blocks that stay in
   cache, with as many sums as make vectors of them. */
static double gradient_squares(st_runner *runner, size_t begin, size_t end) {
    enum { BLOCK = 1024, SUMS = 8 };
    const int replicas = st_runner_gradients(runner);
    double sum[SUMS] = {0}, all = 0;
    for (size_t at = begin; at < end; at += BLOCK) {
        float gradient[BLOCK] = {0};
        const size_t n = end - at < BLOCK ? end - at : BLOCK;
        for (int r = 0; r < replicas; r++) {
            const float *of = st_runner_gradient(runner, r) + at;
            for (size_t i = 0; i < n; i++)
                gradient[i] += of[i];
        }
        for (size_t i = 0; i < BLOCK; i += SUMS) /* past n there are zeros */
            for (size_t k = 0; k < SUMS; k++)
                sum[k] += (double)gradient[i + k] * (double)gradient[i + k];
    }
    for (int k = 0; k < SUMS; k++)
        all += sum[k];
    return all;
}

/* Norms of the gradients that the last step left, by layer. */
static void measure_gradients(const st_diagnosis *diagnosis, strait_diagnosis_epoch *epoch, st_trainer *trainer) {
    st_runner *runner = st_trainer_runner(trainer);
    int n_segments;
    const st_segment *segment = st_runner_segments(runner, &n_segments);
    for (int i = 0; i < diagnosis->n_layers; i++)
        diagnosis->norm[i] = 0;
    for (int s = 0; s < n_segments; s++) {
        int row = 0;
        while (row < diagnosis->n_layers && diagnosis->layer[row].op != segment[s].op)
            row++;
        if (row == diagnosis->n_layers || segment[s].role == ST_ROLE_STATE) continue;
        diagnosis->norm[row] += gradient_squares(runner, segment[s].begin, segment[s].end);
    }
    const st_graph *graph = diagnosis->config.model->graph;
    for (int i = 0; i < diagnosis->n_layers; i++)
        epoch->layer[i].gradient_norm = graph->op[diagnosis->layer[i].op].kernel >= 0 ? sqrt(diagnosis->norm[i]) : NAN;
}

static void remember_weights(st_diagnosis *diagnosis) {
    const strait_model *model = diagnosis->config.model;
    memcpy(diagnosis->before, model->values, (size_t)model->graph->n_values * sizeof(float));
    diagnosis->before_known = true;
}

/* ---- epochs ---- */

static strait_status begin_epoch(strait_diagnosis_epoch **epoch, st_diagnosis *diagnosis, int number,
                                 strait_error *err) {
    ST_TRY(st_diagnosis_add_epoch(epoch, diagnosis->result, err));
    (*epoch)->epoch = number;
    (*epoch)->loss = (*epoch)->val_loss = NAN;
    for (int i = 0; i < diagnosis->n_layers; i++) {
        strait_layer_state *state = &(*epoch)->layer[i];
        *state = (strait_layer_state){.gradient_norm = NAN};
        snprintf(state->name, sizeof state->name, "%s", diagnosis->layer[i].name);
        snprintf(state->layer, sizeof state->layer, "%s", diagnosis->layer[i].layer);
    }
    return st_look_take(diagnosis, *epoch, err);
}

/* The loss of the probe, through the trainer's own runner: that of the untrained model. */
static strait_status probe_loss(double *loss, const st_diagnosis *diagnosis, st_trainer *trainer, strait_error *err) {
    const st_graph *graph = diagnosis->config.model->graph;
    const int64_t asked = diagnosis->config.recipe->train.batch_size, all = diagnosis->probe.n;
    const int64_t most = asked < all ? asked : all, n_in = st_shape_count(&graph->tensor[graph->input].shape);
    const st_batch *batch = &diagnosis->probe.batch;
    double sum = 0;
    for (int64_t first = 0; first < all; first += most) {
        const int64_t n = all - first < most ? all - first : most;
        const st_feed feed = {
            .input = batch->input + first * n_in,
            .target = batch->target + first * diagnosis->output.n,
            .n = n,
            .epoch = ST_EVALUATION_EPOCH,
            .sample = batch->sample + first,
            .beta_scale = 1,
        };
        st_cost cost;
        ST_TRY(st_runner_evaluate(&cost, st_trainer_runner(trainer), &feed, err));
        sum += cost.loss * (double)n;
    }
    *loss = sum / (double)all;
    return STRAIT_OK;
}

strait_status st_diagnosis_begin(st_diagnosis *diagnosis, st_trainer *trainer, strait_error *err) {
    const double began = st_clock();
    strait_diagnosis_epoch *epoch = NULL;
    remember_weights(diagnosis);
    ST_TRY(st_diagnosis_check_before(diagnosis, err));
    ST_TRY(begin_epoch(&epoch, diagnosis, 0, err));
    measure_changes(diagnosis, epoch, trainer);
    ST_TRY(probe_loss(&epoch->loss, diagnosis, trainer, err));
    ST_TRY(st_diagnosis_check_start(diagnosis, err));
    st_diagnosis_answer(diagnosis);
    diagnosis->spent += st_clock() - began;
    return STRAIT_OK;
}

/* What of the time so far went into looking: of this process's, and of what a resume found. */
static void measure_time(st_diagnosis *diagnosis, const st_trainer *trainer, double spent) {
    int n;
    const st_epoch *epochs = st_trainer_epochs(trainer, &n);
    double all = 0;
    for (int i = 0; i < n; i++)
        all += epochs[i].seconds;
    if (diagnosis->share_before > 0 && n > 1) { /* of the epochs before this one */
        const double then = all - epochs[n - 1].seconds, share = diagnosis->share_before;
        diagnosis->spent += share < 1 ? then * share / (1 - share) : 0;
        diagnosis->share_before = 0;
    }
    diagnosis->spent += spent;
    all += diagnosis->spent;
    diagnosis->result->share_of_time = all > 0 ? diagnosis->spent / all : 0;
}

strait_status st_diagnosis_epoch(st_diagnosis *diagnosis, st_trainer *trainer, const st_epoch *done,
                                 strait_error *err) {
    const double began = st_clock();
    const bool stopped = st_trainer_state(trainer)->stopped;
    const bool last = stopped || done->epoch >= diagnosis->config.recipe->train.epochs;
    strait_diagnosis_epoch *epoch = NULL;
    ST_TRY(begin_epoch(&epoch, diagnosis, (int)done->epoch, err));
    epoch->loss = done->loss;
    epoch->val_loss = done->val_loss;
    measure_gradients(diagnosis, epoch, trainer);
    measure_changes(diagnosis, epoch, trainer); /* writes where the gradients are */
    remember_weights(diagnosis);
    ST_TRY(st_diagnosis_check_epoch(diagnosis, last, stopped, err));
    st_diagnosis_answer(diagnosis);
    measure_time(diagnosis, trainer, st_clock() - began);
    return STRAIT_OK;
}

/* ---- resuming ---- */

static bool fits(const st_diagnosis *diagnosis, const strait_diagnosis *before) {
    if (before->n_epochs == 0 || before->n_layers != diagnosis->n_layers) return false;
    for (int i = 0; i < diagnosis->n_layers; i++)
        if (strcmp(before->epoch[0].layer[i].name, diagnosis->layer[i].name) != 0) return false;
    return true;
}

/* What was told of an end that is none any more. */
static void forget_finding(strait_diagnosis *diagnosis, const char *code) {
    int n = 0;
    for (int i = 0; i < diagnosis->n_findings; i++)
        if (strcmp(diagnosis->finding[i].code, code) != 0) diagnosis->finding[n++] = diagnosis->finding[i];
    diagnosis->n_findings = n;
}

strait_status st_diagnosis_restore(st_diagnosis *diagnosis, strait_diagnosis *before, const st_train_state *state,
                                   strait_error *err) {
    remember_weights(diagnosis);
    diagnosis->before_known = state->batch == 0;
    if (before && fits(diagnosis, before)) {
        strait_diagnosis_free(diagnosis->result);
        diagnosis->result = before;
        st_diagnosis_cut(before, (int)state->epoch);
        if ((int)state->epoch < diagnosis->config.recipe->train.epochs) forget_finding(before, "not_finished");
        diagnosis->share_before = isfinite(before->share_of_time) ? before->share_of_time : 0;
        st_diagnosis_answer(diagnosis);
        return STRAIT_OK;
    }
    strait_diagnosis_free(before);
    ST_TRY(st_diagnosis_check_before(diagnosis, err));
    st_diagnosis_answer(diagnosis);
    return STRAIT_OK;
}
