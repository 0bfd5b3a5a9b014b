#include "api/run_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/apply.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "report/report.h"
#include "store/run_store.h"
#include "train/checkpoint.h"

#define N_PICTURES 10 /* samples in reconstructions.png */

strait_status st_write_recipe(const char *run, const strait_recipe *recipe, strait_error *err) {
    char *yaml = NULL, *path = st_path_join(run, ST_FILE_RECIPE);
    if (!path) return st_fail_memory(err, strlen(run), "a path");
    strait_status status = strait_recipe_to_yaml(&yaml, recipe, err);
    if (status == STRAIT_OK) status = st_file_write_all(path, yaml, strlen(yaml), err);
    strait_string_free(yaml);
    st_free(path);
    return status;
}

st_history_row st_history_of(const st_epoch *epoch) {
    return (st_history_row){(int)epoch->epoch,    epoch->loss,    epoch->val_loss,
                            epoch->learning_rate, epoch->seconds, epoch->samples_per_second,
                            epoch->wait_seconds,  epoch->kl,      epoch->val_kl};
}

static strait_status write_history(const char *run, const st_trainer *trainer, strait_error *err) {
    int n;
    const st_epoch *epochs = st_trainer_epochs(trainer, &n);
    st_history_row *rows = st_alloc((size_t)n + 1, sizeof *rows);
    char *path = st_path_join(run, "history.csv");
    strait_status status = STRAIT_OK;
    if (!rows || !path) status = st_fail_memory(err, (size_t)n * sizeof *rows, "the history");
    for (int i = 0; status == STRAIT_OK && i < n; i++)
        rows[i] = st_history_of(&epochs[i]);
    if (status == STRAIT_OK) status = st_history_write(path, n, rows, err);
    st_free(path);
    st_free(rows);
    return status;
}

static strait_status write_model(const char *run, const strait_model *model, strait_model_part part, const char *name,
                                 strait_error *err) {
    char *path = st_path_join(run, name);
    if (!path) return st_fail_memory(err, strlen(run), "a path");
    const strait_status status = strait_model_save(model, part, path, err);
    st_free(path);
    return status;
}

strait_status st_write_checkpoint(const char *run, st_trainer *trainer, const st_epoch *epoch, strait_error *err) {
    const st_train_state *state = st_trainer_state(trainer);
    char *path = st_path_join(run, ST_FILE_CHECKPOINT);
    if (!path) return st_fail_memory(err, strlen(run), "a path");
    strait_status status = STRAIT_OK;
    /* The best first: a checkpoint must not speak of a best epoch whose weights are not there. */
    if (epoch && state->best_epoch == epoch->epoch)
        status = write_model(run, st_trainer_model(trainer), STRAIT_MODEL_WHOLE, "best.safetensors", err);
    if (status == STRAIT_OK) status = st_checkpoint_write(path, trainer, err);
    if (status == STRAIT_OK) status = write_history(run, trainer, err);
    st_free(path);
    return status;
}

strait_status st_write_models(const char *run, const strait_model *model, strait_error *err) {
    ST_TRY(write_model(run, model, STRAIT_MODEL_ENCODER, "encoder.safetensors", err));
    ST_TRY(write_model(run, model, STRAIT_MODEL_DECODER, "decoder.safetensors", err));
    return write_model(run, model, STRAIT_MODEL_WHOLE, ST_FILE_MODEL, err);
}

/* ---- pictures ---- */

static strait_status write_loss(const char *run, strait_error *err) {
    char *csv = st_path_join(run, "history.csv"), *png = st_path_join(run, "loss.png");
    st_history_row *rows = NULL;
    int n = 0;
    strait_status status = STRAIT_OK;
    if (!csv || !png) status = st_fail_memory(err, strlen(run), "a path");
    if (status == STRAIT_OK) status = st_history_read(&rows, &n, csv, err);
    if (status == STRAIT_OK && n > 0) status = st_report_loss(png, rows, n, err);
    st_free(rows);
    st_free(csv);
    st_free(png);
    return status;
}

static strait_status copy_rows(strait_array **out, const float *values, int64_t n, const int64_t *dim, int n_dims,
                               strait_error *err) {
    int64_t shape[STRAIT_MAX_DIMS] = {n};
    memcpy(shape + 1, dim, (size_t)n_dims * sizeof *dim);
    ST_TRY(strait_array_new(out, n_dims + 1, shape, err));
    if (values) memcpy((*out)->values, values, (size_t)strait_array_count(*out) * sizeof(float));
    return STRAIT_OK;
}

static strait_status write_reconstructions(const char *run, const strait_model *model, const st_batch *batch,
                                           const int64_t *dim, int n_dims, strait_error *err) {
    strait_array *clean = NULL, *noisy = NULL, *output = NULL;
    st_inference inference = {0};
    char *path = st_path_join(run, "reconstructions.png");
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(run), "a path");
    if (status == STRAIT_OK) status = copy_rows(&clean, batch->target, batch->n, dim, n_dims, err);
    if (status == STRAIT_OK && batch->input != batch->target)
        status = copy_rows(&noisy, batch->input, batch->n, dim, n_dims, err);
    if (status == STRAIT_OK) status = copy_rows(&output, NULL, batch->n, dim, n_dims, err);
    if (status == STRAIT_OK) status = st_inference_open(&inference, model, ST_BOTH, batch->n, 1, err);
    if (status == STRAIT_OK) status = st_runner_forward(inference.runner, batch->input, output->values, batch->n, err);
    if (status == STRAIT_OK) status = st_report_reconstructions(path, clean, noisy, output, err);
    st_inference_close(&inference);
    strait_array_free(clean);
    strait_array_free(noisy);
    strait_array_free(output);
    st_free(path);
    return status;
}

strait_status st_write_pictures(const char *run, const strait_model *model, strait_data *data, double offset,
                                double factor, strait_error *err) {
    ST_TRY(write_loss(run, err));
    int64_t dim[STRAIT_MAX_DIMS];
    const int n_dims = st_data_shape(data, dim);
    if (n_dims == 3 && dim[2] != 1 && dim[2] != 3) return STRAIT_OK; /* neither grey nor colour: no picture of it */
    const st_batches_config config = {
        .data = data,
        .batch_size = strait_data_count(data) < N_PICTURES ? strait_data_count(data) : N_PICTURES,
        .seed = model->recipe->seed,
        .offset = offset,
        .factor = factor,
        .corrupt = model->recipe->data.corrupt,
    };
    st_batches *batches = NULL;
    ST_TRY(st_batches_new(&batches, &config, err));
    st_batches_start(batches, ST_EVALUATION_EPOCH, 0);
    st_batch batch;
    strait_status status = st_batches_next(&batch, batches, err);
    if (status == STRAIT_OK) status = write_reconstructions(run, model, &batch, dim, n_dims, err);
    st_batches_free(batches);
    return status;
}

void st_remove_run(const char *run) {
    static const char *const name[] = {ST_FILE_RECIPE, ST_FILE_CHECKPOINT, ST_FILE_RUN, "history.csv"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *path = st_path_join(run, name[i]);
        if (path) unlink(path);
        st_free(path);
    }
    rmdir(run);
}

bool st_run_is_finished(const char *run, const strait_model *model) {
    strait_model *written = NULL;
    char *path = st_path_join(run, ST_FILE_MODEL);
    const bool read = path && st_path_exists(path) && st_model_read(&written, path, NULL) == STRAIT_OK;
    const bool same = read && written->graph->n_values == model->graph->n_values &&
                      memcmp(written->values, model->values, (size_t)model->graph->n_values * sizeof(float)) == 0;
    strait_model_free(written);
    st_free(path);
    return same;
}
