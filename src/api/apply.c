/* Running a trained model over data: encode, decode, reconstruct, evaluate, score. */
#include <math.h>
#include <string.h>

#include "api/apply.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/data.h"
#include "store/run.h"
#include "train/trainer.h"

STRAIT_API strait_status strait_model_load(strait_model **out, const char *path, strait_error *err) {
    *out = NULL;
    if (!path) return st_fail(err, STRAIT_ARGUMENT, "strait_model_load: path is NULL");
    char *file = NULL;
    ST_TRY(st_run_model_path(&file, path, err));
    const strait_status status = st_model_read(out, file, err);
    st_free(file);
    return status;
}

static strait_status check_half(const strait_model *model, st_half half, strait_error *err) {
    if (!model) return st_fail(err, STRAIT_ARGUMENT, "the model is NULL");
    if (half != ST_DECODE && !model->has_encoder)
        return st_fail(err, STRAIT_ARGUMENT, "%s holds a decoder alone: it can only decode latents",
                       model->file ? model->file : "the model");
    if (half != ST_ENCODE && !model->has_decoder)
        return st_fail(err, STRAIT_ARGUMENT, "%s holds an encoder alone: it can only encode",
                       model->file ? model->file : "the model");
    return STRAIT_OK;
}

/* A runner with the model's parameters, canonical, packed. */
static strait_status open_runner(st_runner **out, const st_runner_config *config, const float *values,
                                 strait_error *err) {
    ST_TRY(st_runner_new(out, config, err));
    const strait_status status = st_runner_pack(*out, st_runner_parameters(*out), values, err);
    if (status != STRAIT_OK) {
        st_runner_free(*out);
        *out = NULL;
    }
    return status;
}

strait_status st_inference_open(st_inference *inference, const strait_model *model, st_half half, int64_t batch,
                                int threads, strait_error *err) {
    *inference = (st_inference){0};
    ST_TRY(check_half(model, half, err));
    ST_TRY(st_model_fold(&inference->folded, &inference->values, model, err));
    const st_graph *graph = inference->folded ? inference->folded : model->graph;
    const int first = half == ST_DECODE && model->has_encoder ? graph->n_encoder_ops : 0;
    const int last = half == ST_ENCODE ? graph->n_encoder_ops : graph->n_ops;
    const st_runner_config config = {
        .graph = graph,
        .engine = &st_engine_cpu,
        .first_op = first,
        .n_ops = last - first,
        .batch_size = batch,
        .threads = threads > 0 ? threads : st_processors(),
    };
    const strait_status status =
        open_runner(&inference->runner, &config, inference->folded ? inference->values : model->values, err);
    if (status != STRAIT_OK) st_inference_close(inference);
    return status;
}

void st_inference_close(st_inference *inference) {
    st_runner_free(inference->runner);
    st_graph_free(inference->folded);
    st_free(inference->values);
    *inference = (st_inference){0};
}

/* A runner for what an evaluation costs, as validation while training computes it: up to the logits where the loss is
   of them, latents drawn. */
static strait_status open_loss_runner(st_runner **out, const strait_model *model, int64_t batch, int threads,
                                      strait_error *err) {
    const st_runner_config config = {
        .graph = model->graph,
        .engine = &st_engine_cpu,
        .n_ops = st_trained_ops(model->graph),
        .batch_size = batch,
        .threads = threads > 0 ? threads : st_processors(),
        .with_loss = true,
        .loss = model->recipe->train.loss,
        .seed = model->recipe->seed,
    };
    return open_runner(out, &config, model->values, err);
}

strait_status st_data_for_model(strait_data **out, const strait_model *model, strait_data *data, strait_error *err) {
    *out = NULL;
    if (!data) return st_fail(err, STRAIT_ARGUMENT, "the data is NULL");
    ST_TRY(st_data_prepare(out, data, model->recipe, err));
    const st_shape input = st_model_input_shape(model);
    int64_t dim[STRAIT_MAX_DIMS];
    st_shape shape = {.n_dims = st_data_shape(*out, dim)};
    memcpy(shape.dim, dim, sizeof shape.dim);
    if (st_shape_equal(&shape, &input)) return STRAIT_OK;
    char wants[96], has[96];
    st_shape_print(wants, &input);
    st_shape_print(has, &shape);
    strait_data_free(*out);
    *out = NULL;
    return st_fail(err, STRAIT_SHAPE, "the model takes %s, but a sample of the data is %s", wants, has);
}

/* What happens to each batch of outputs. values: of one sample's output. */
typedef void (*st_sink)(void *context, const st_batch *batch, const float *output, int64_t values);

/* A pass of a model over data. */
typedef struct st_pass_over {
    const strait_model *model;
    st_half half;
    bool corrupt; /* as the recipe's noise, if any */
    st_sink sink;
    void *context;
    st_cost *cost; /* out: means over the samples; NULL: not wanted, or else half is ST_BOTH */
    const strait_apply_options *options;
    /* While it runs. */
    st_inference inference; /* not made where the loss's runner gives the same outputs */
    st_runner *loss_runner;
    st_batches *batches;
    float *output;
} st_pass_over;

/* Whether the loss is of other outputs than people get: of drawn latents, or before the closing sigmoid. */
static bool loss_is_apart(const strait_model *model) {
    return st_has_divergence(model->graph) || model->graph->logits >= 0;
}

static strait_status open_pass(st_pass_over *pass, strait_data *data, int64_t most, int64_t values, strait_error *err) {
    const strait_recipe *recipe = pass->model->recipe;
    const int threads = pass->options ? pass->options->threads : 0;
    st_batches_config config = {.data = data, .batch_size = most, .seed = recipe->seed, .ahead = 2};
    if (pass->corrupt) config.corrupt = recipe->data.corrupt;
    ST_TRY(st_data_scaling(&config.offset, &config.factor, data, recipe, err));
    const size_t bytes = (size_t)(most * values) * sizeof *pass->output;
    pass->output = st_alloc_aligned(bytes);
    if (!pass->output) return st_fail_memory(err, bytes, "outputs");
    if (pass->cost) ST_TRY(open_loss_runner(&pass->loss_runner, pass->model, most, threads, err));
    if (!pass->cost || loss_is_apart(pass->model))
        ST_TRY(st_inference_open(&pass->inference, pass->model, pass->half, most, threads, err));
    return st_batches_new(&pass->batches, &config, err);
}

static void close_pass(st_pass_over *pass) {
    st_batches_free(pass->batches);
    st_runner_free(pass->loss_runner);
    st_inference_close(&pass->inference);
    st_free(pass->output);
}

/* Outputs of a batch, and what it costs where that is wanted. */
static strait_status run_batch(st_pass_over *pass, const st_batch *batch, strait_error *err) {
    if (pass->inference.runner)
        ST_TRY(st_runner_forward(pass->inference.runner, batch->input, pass->output, batch->n, err));
    if (!pass->cost) return STRAIT_OK;
    st_cost cost;
    const st_feed feed = {.input = batch->input,
                          .target = batch->target,
                          .output = pass->inference.runner ? NULL : pass->output,
                          .n = batch->n,
                          .epoch = ST_EVALUATION_EPOCH,
                          .sample = batch->sample,
                          .beta_scale = 1};
    ST_TRY(st_runner_evaluate(&cost, pass->loss_runner, &feed, err));
    pass->cost->loss += cost.loss * (double)batch->n;
    pass->cost->kl += cost.kl * (double)batch->n;
    return STRAIT_OK;
}

/* Runs the pass, batch by batch in order. data: prepared. */
static strait_status run_over(st_pass_over *pass, strait_data *data, strait_error *err) {
    const int64_t total = strait_data_count(data);
    const st_graph *graph = pass->model->graph;
    const int tensor = pass->half == ST_ENCODE ? graph->latent : graph->output;
    const int64_t values = st_shape_count(&graph->tensor[tensor].shape);
    if (pass->cost) *pass->cost = (st_cost){0};
    strait_status status = open_pass(pass, data, total < ST_APPLY_BATCH ? total : ST_APPLY_BATCH, values, err);
    if (status == STRAIT_OK) st_batches_start(pass->batches, ST_EVALUATION_EPOCH, 0);
    for (int64_t done = 0; status == STRAIT_OK && done < total;) {
        st_batch batch;
        status = st_batches_next(&batch, pass->batches, err);
        if (status != STRAIT_OK || batch.n == 0) break;
        status = run_batch(pass, &batch, err);
        if (status != STRAIT_OK) break;
        pass->sink(pass->context, &batch, pass->output, values);
        done += batch.n;
        if (pass->options && pass->options->progress) pass->options->progress(pass->options->context, done, total);
    }
    close_pass(pass);
    if (pass->cost) {
        pass->cost->loss /= (double)total;
        pass->cost->kl /= (double)total;
    }
    return status;
}

/* An array for n samples of a tensor; the latent flat. */
static strait_status new_output(strait_array **out, const strait_model *model, st_half half, int64_t n,
                                strait_error *err) {
    const st_graph *graph = model->graph;
    int64_t dim[STRAIT_MAX_DIMS] = {n};
    if (half == ST_ENCODE) {
        dim[1] = st_shape_count(&graph->tensor[graph->latent].shape);
        return strait_array_new(out, 2, dim, err);
    }
    const st_shape *shape = &graph->tensor[graph->output].shape;
    memcpy(dim + 1, shape->dim, (size_t)shape->n_dims * sizeof *dim);
    return strait_array_new(out, shape->n_dims + 1, dim, err);
}

static void copy_out(void *context, const st_batch *batch, const float *output, int64_t values) {
    float *const at = context;
    memcpy(at + batch->index * ST_APPLY_BATCH * values, output, (size_t)(batch->n * values) * sizeof *output);
}

static strait_status collect(strait_array **out, const strait_model *model, st_half half, strait_data *data,
                             const strait_apply_options *options, strait_error *err) {
    *out = NULL;
    strait_data *prepared = NULL;
    ST_TRY(check_half(model, half, err));
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    strait_status status = new_output(out, model, half, strait_data_count(prepared), err);
    if (status == STRAIT_OK) {
        st_pass_over pass = {
            .model = model, .half = half, .sink = copy_out, .context = (*out)->values, .options = options};
        status = run_over(&pass, prepared, err);
    }
    strait_data_free(prepared);
    if (status != STRAIT_OK) {
        strait_array_free(*out);
        *out = NULL;
    }
    return status;
}

STRAIT_API strait_status strait_model_encode(strait_array **out, const strait_model *model, strait_data *data,
                                             const strait_apply_options *options, strait_error *err) {
    return collect(out, model, ST_ENCODE, data, options, err);
}

STRAIT_API strait_status strait_model_reconstruct(strait_array **out, const strait_model *model, strait_data *data,
                                                  const strait_apply_options *options, strait_error *err) {
    return collect(out, model, ST_BOTH, data, options, err);
}

STRAIT_API strait_status strait_model_decode(strait_array **out, const strait_model *model, const strait_array *z,
                                             const strait_apply_options *options, strait_error *err) {
    *out = NULL;
    ST_TRY(check_half(model, ST_DECODE, err));
    if (!z || !z->values || z->n_dims < 1 || z->n_dims > STRAIT_MAX_DIMS)
        return st_fail(err, STRAIT_ARGUMENT, "there are no latents to decode");
    const int64_t n = z->dim[0], latent = strait_model_latent_size(model);
    if (n == 0 || strait_array_count(z) != n * latent)
        return st_fail(err, STRAIT_SHAPE, "the model's latent has %lld values, but the array has %lld a sample",
                       (long long)latent, (long long)(n ? strait_array_count(z) / n : 0));
    st_inference inference = {0};
    ST_TRY(new_output(out, model, ST_DECODE, n, err));
    const int64_t values = strait_array_count(*out) / n;
    strait_status status = st_inference_open(&inference, model, ST_DECODE, n < ST_APPLY_BATCH ? n : ST_APPLY_BATCH,
                                             options ? options->threads : 0, err);
    for (int64_t i = 0; i < n && status == STRAIT_OK; i += ST_APPLY_BATCH) {
        const int64_t now = n - i < ST_APPLY_BATCH ? n - i : ST_APPLY_BATCH;
        status = st_runner_forward(inference.runner, z->values + i * latent, (*out)->values + i * values, now, err);
        if (status == STRAIT_OK && options && options->progress) options->progress(options->context, i + now, n);
    }
    st_inference_close(&inference);
    if (status != STRAIT_OK) {
        strait_array_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- errors of reconstruction ---- */

typedef struct st_errors {
    double square, absolute, cross_entropy;
} st_errors;

static void add_errors(void *context, const st_batch *batch, const float *output, int64_t values) {
    st_errors *sum = context;
    const double low = (double)ST_BCE_CLIP, high = (double)(1.0f - ST_BCE_CLIP); /* as the loss, in float */
    for (int64_t i = 0; i < batch->n * values; i++) {
        const double x = (double)batch->target[i], y = (double)output[i], d = y - x;
        const double p = y < low ? low : y > high ? high : y;
        sum->square += d * d;
        sum->absolute += fabs(d);
        sum->cross_entropy -= x * log(p) + (1 - x) * log(1 - p);
    }
}

/* What the recipe's penalty of weights adds to the loss. */
static double weight_penalty(const strait_model *model) {
    const double l1 = model->recipe->train.weight_l1, l2 = model->recipe->train.weight_l2;
    double sum = 0;
    if (l1 == 0 && l2 == 0) return 0;
    for (int i = 0; i < model->graph->n_parameters; i++) {
        const st_parameter *parameter = &model->graph->parameter[i];
        const float *value = model->values + parameter->offset;
        const int64_t n = parameter->role == ST_ROLE_KERNEL ? st_shape_count(&parameter->shape) : 0;
        for (int64_t k = 0; k < n; k++)
            sum += l1 * fabs((double)value[k]) + l2 * (double)value[k] * (double)value[k];
    }
    return sum;
}

STRAIT_API strait_status strait_model_evaluate(strait_evaluation *out, const strait_model *model, strait_data *data,
                                               const strait_apply_options *options, strait_error *err) {
    st_errors sum = {0};
    st_cost cost;
    strait_data *prepared = NULL;
    ST_TRY(check_half(model, ST_BOTH, err));
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    st_pass_over pass = {.model = model,
                         .half = ST_BOTH,
                         .corrupt = true,
                         .sink = add_errors,
                         .context = &sum,
                         .cost = &cost,
                         .options = options};
    const strait_status status = run_over(&pass, prepared, err);
    const int64_t n = strait_data_count(prepared);
    strait_data_free(prepared);
    if (status != STRAIT_OK) return status;
    const double values = (double)n * (double)st_shape_count(&model->graph->tensor[model->graph->output].shape);
    if (!isfinite(sum.square) || !isfinite(cost.loss))
        return st_fail(err, STRAIT_DIVERGED, "the model's outputs are not finite numbers: its weights are damaged");
    *out = (strait_evaluation){
        .n_samples = n,
        .mse = sum.square / values,
        .mae = sum.absolute / values,
        .bce = sum.cross_entropy / values,
        .loss = cost.loss + weight_penalty(model),
        .kl = st_has_divergence(model->graph) ? cost.kl : NAN,
    };
    return STRAIT_OK;
}

/* Errors of one sample. */
typedef enum st_measure { ST_MAE, ST_MSE, ST_EUCLIDEAN } st_measure;
static const char *const measure_name[] = {[ST_MAE] = "mae", [ST_MSE] = "mse", [ST_EUCLIDEAN] = "euclidean"};

typedef struct st_scores {
    float *score; /* [n] */
    st_measure measure;
} st_scores;

static void add_scores(void *context, const st_batch *batch, const float *output, int64_t values) {
    const st_scores *scores = context;
    for (int64_t i = 0; i < batch->n; i++) {
        double sum = 0;
        for (int64_t j = i * values; j < (i + 1) * values; j++) {
            const double d = (double)output[j] - (double)batch->target[j];
            sum += scores->measure == ST_MAE ? fabs(d) : d * d;
        }
        scores->score[batch->index * ST_APPLY_BATCH + i] =
            (float)(scores->measure == ST_EUCLIDEAN ? sqrt(sum) : sum / (double)values);
    }
}

STRAIT_API strait_status strait_model_score(strait_array **out, const strait_model *model, strait_data *data,
                                            const char *metric, const strait_apply_options *options,
                                            strait_error *err) {
    *out = NULL;
    st_measure measure = ST_MAE;
    while (metric && measure <= ST_EUCLIDEAN && strcmp(metric, measure_name[measure]) != 0)
        measure++;
    if (!metric || measure > ST_EUCLIDEAN)
        return st_fail(err, STRAIT_ARGUMENT, "'%s' is no error of reconstruction: use mae, mse or euclidean",
                       metric ? metric : "");
    strait_data *prepared = NULL;
    ST_TRY(check_half(model, ST_BOTH, err));
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    const int64_t n = strait_data_count(prepared);
    strait_status status = strait_array_new(out, 1, &n, err);
    if (status == STRAIT_OK) {
        st_scores scores = {.score = (*out)->values, .measure = measure};
        st_pass_over pass = {
            .model = model, .half = ST_BOTH, .sink = add_scores, .context = &scores, .options = options};
        status = run_over(&pass, prepared, err);
    }
    strait_data_free(prepared);
    if (status != STRAIT_OK) {
        strait_array_free(*out);
        *out = NULL;
    }
    return status;
}
