/* Running a trained model over data: encode, decode, reconstruct, evaluate, score. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "data/data.h"
#include "graph/runner.h"
#include "model/model.h"
#include "store/run.h"
#include "train/trainer.h"

/* Samples handed to the workers at once. Not a matter of results: without operations across samples each is computed
   alone. */
#define BATCH 256

STRAIT_API strait_status strait_model_load(strait_model **out, const char *path, strait_error *err) {
    *out = NULL;
    if (!path) return st_fail(err, STRAIT_ARGUMENT, "strait_model_load: path is NULL");
    char *file = NULL;
    ST_TRY(st_run_model_path(&file, path, err));
    const strait_status status = st_model_read(out, file, err);
    st_free(file);
    return status;
}

/* Which ops of the model run. */
typedef enum st_half { ST_ENCODE, ST_DECODE, ST_BOTH } st_half;

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

/* A runner over the half, its parameters packed. */
static strait_status open_runner(st_runner **out, const strait_model *model, st_half half, int64_t batch, int threads,
                                 strait_error *err) {
    const st_graph *graph = model->graph;
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
    ST_TRY(st_runner_new(out, &config, err));
    const strait_status status = st_runner_pack(*out, st_runner_parameters(*out), model->values, err);
    if (status != STRAIT_OK) {
        st_runner_free(*out);
        *out = NULL;
    }
    return status;
}

static strait_status check_input(const strait_model *model, const strait_data *data, strait_error *err) {
    if (!data) return st_fail(err, STRAIT_ARGUMENT, "the data is NULL");
    const st_shape input = st_model_input_shape(model);
    int64_t dim[STRAIT_MAX_DIMS];
    st_shape shape = {.n_dims = st_data_shape(data, dim)};
    memcpy(shape.dim, dim, sizeof shape.dim);
    if (st_shape_equal(&shape, &input)) return STRAIT_OK;
    char wants[96], has[96];
    st_shape_print(wants, &input);
    st_shape_print(has, &shape);
    return st_fail(err, STRAIT_SHAPE, "the model takes %s, but a sample of the data is %s", wants, has);
}

/* What happens to each batch of outputs. values: of one sample's output. */
typedef void (*st_sink)(void *context, const st_batch *batch, const float *output, int64_t values);

/* Runs the half over the data, batch by batch in order. corrupt: as the recipe's noise, if any. */
static strait_status run_over(const strait_model *model, st_half half, strait_data *data, bool corrupt, st_sink sink,
                              void *sink_context, const strait_apply_options *options, strait_error *err) {
    ST_TRY(check_half(model, half, err));
    ST_TRY(check_input(model, data, err));
    const int64_t total = strait_data_count(data);
    const st_graph *graph = model->graph;
    const int64_t values = st_shape_count(&graph->tensor[half == ST_ENCODE ? graph->latent : graph->output].shape);
    const int64_t most = total < BATCH ? total : BATCH;
    st_batches_config config = {.data = data, .batch_size = most, .seed = model->recipe->seed, .ahead = 2};
    if (corrupt) config.corrupt = model->recipe->data.corrupt;
    ST_TRY(st_data_scaling(&config.offset, &config.factor, data, model->recipe, err));
    st_runner *runner = NULL;
    st_batches *batches = NULL;
    float *output = st_alloc_aligned((size_t)(most * values) * sizeof *output);
    strait_status status =
        output ? STRAIT_OK : st_fail_memory(err, (size_t)(most * values) * sizeof *output, "outputs");
    if (status == STRAIT_OK) status = open_runner(&runner, model, half, most, options ? options->threads : 0, err);
    if (status == STRAIT_OK) status = st_batches_new(&batches, &config, err);
    if (status == STRAIT_OK) st_batches_start(batches, ST_EVALUATION_EPOCH, 0);
    for (int64_t done = 0; status == STRAIT_OK && done < total;) {
        st_batch batch;
        status = st_batches_next(&batch, batches, err);
        if (status != STRAIT_OK || batch.n == 0) break;
        status = st_runner_forward(runner, batch.input, output, batch.n, err);
        if (status != STRAIT_OK) break;
        sink(sink_context, &batch, output, values);
        done += batch.n;
        if (options && options->progress) options->progress(options->context, done, total);
    }
    st_batches_free(batches);
    st_runner_free(runner);
    st_free(output);
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
    memcpy(at + batch->index * BATCH * values, output, (size_t)(batch->n * values) * sizeof *output);
}

static strait_status collect(strait_array **out, const strait_model *model, st_half half, strait_data *data,
                             const strait_apply_options *options, strait_error *err) {
    *out = NULL;
    ST_TRY(check_half(model, half, err));
    ST_TRY(check_input(model, data, err));
    ST_TRY(new_output(out, model, half, strait_data_count(data), err));
    const strait_status status = run_over(model, half, data, false, copy_out, (*out)->values, options, err);
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
    st_runner *runner = NULL;
    ST_TRY(new_output(out, model, ST_DECODE, n, err));
    const int64_t values = strait_array_count(*out) / n;
    strait_status status =
        open_runner(&runner, model, ST_DECODE, n < BATCH ? n : BATCH, options ? options->threads : 0, err);
    for (int64_t i = 0; i < n && status == STRAIT_OK; i += BATCH) {
        const int64_t now = n - i < BATCH ? n - i : BATCH;
        status = st_runner_forward(runner, z->values + i * latent, (*out)->values + i * values, now, err);
        if (status == STRAIT_OK && options && options->progress) options->progress(options->context, i + now, n);
    }
    st_runner_free(runner);
    if (status != STRAIT_OK) {
        strait_array_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- errors of reconstruction ---- */

typedef struct st_errors {
    double square, absolute, cross_entropy;
    bool bounded; /* targets within 0..1: cross-entropy means something */
} st_errors;

static void add_errors(void *context, const st_batch *batch, const float *output, int64_t values) {
    st_errors *sum = context;
    for (int64_t i = 0; i < batch->n * values; i++) {
        const double x = (double)batch->target[i], y = (double)output[i], d = y - x;
        const double low = (double)ST_BCE_CLIP, p = y < low ? low : y > 1 - low ? 1 - low : y;
        sum->square += d * d;
        sum->absolute += fabs(d);
        sum->cross_entropy -= x * log(p) + (1 - x) * log(1 - p);
    }
}

STRAIT_API strait_status strait_model_evaluate(strait_evaluation *out, const strait_model *model, strait_data *data,
                                               const strait_apply_options *options, strait_error *err) {
    st_errors sum = {0};
    ST_TRY(run_over(model, ST_BOTH, data, true, add_errors, &sum, options, err));
    const int64_t n = strait_data_count(data);
    const double values = (double)n * (double)st_shape_count(&model->graph->tensor[model->graph->output].shape);
    if (!isfinite(sum.square))
        return st_fail(err, STRAIT_DIVERGED, "the model's outputs are not finite numbers: its weights are damaged");
    *out = (strait_evaluation){
        .n_samples = n,
        .mse = sum.square / values,
        .mae = sum.absolute / values,
        .bce = sum.cross_entropy / values,
    };
    switch (model->recipe->train.loss) {
    case ST_LOSS_MSE: out->loss = out->mse; break;
    case ST_LOSS_MAE: out->loss = out->mae; break;
    case ST_LOSS_BINARY_CROSSENTROPY: out->loss = out->bce; break;
    }
    return STRAIT_OK;
}

typedef struct st_scores {
    float *score; /* [n] */
    bool squared;
} st_scores;

static void add_scores(void *context, const st_batch *batch, const float *output, int64_t values) {
    const st_scores *scores = context;
    for (int64_t i = 0; i < batch->n; i++) {
        double sum = 0;
        for (int64_t j = i * values; j < (i + 1) * values; j++) {
            const double d = (double)output[j] - (double)batch->target[j];
            sum += scores->squared ? d * d : fabs(d);
        }
        scores->score[batch->index * BATCH + i] = (float)(sum / (double)values);
    }
}

STRAIT_API strait_status strait_model_score(strait_array **out, const strait_model *model, strait_data *data,
                                            const char *metric, const strait_apply_options *options,
                                            strait_error *err) {
    *out = NULL;
    const bool squared = metric && strcmp(metric, "mse") == 0;
    if (!squared && (!metric || strcmp(metric, "mae") != 0))
        return st_fail(err, STRAIT_ARGUMENT, "'%s' is no error of reconstruction: use mae or mse",
                       metric ? metric : "");
    ST_TRY(check_half(model, ST_BOTH, err));
    ST_TRY(check_input(model, data, err));
    const int64_t n = strait_data_count(data);
    ST_TRY(strait_array_new(out, 1, &n, err));
    st_scores scores = {.score = (*out)->values, .squared = squared};
    const strait_status status = run_over(model, ST_BOTH, data, false, add_scores, &scores, options, err);
    if (status != STRAIT_OK) {
        strait_array_free(*out);
        *out = NULL;
    }
    return status;
}
