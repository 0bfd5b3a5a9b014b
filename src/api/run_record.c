#include "api/run_record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strait/info.h>
#include <time.h>

#include "api/run_files.h"
#include "base/memory.h"
#include "base/string.h"
#include "store/diagnosis_file.h"
#include "store/run_fields.h"

struct st_run_record {
    st_run_record_config config;
    strait_run run;
    char *dir, *yaml;
    st_store *store; /* NULL: there is none, or it could not be written */
    bool told;       /* that the index is not kept */
    int lock;
};

/* An index that fails is told of and left alone until the end; only want of memory ends a training. */
static strait_status mind(st_run_record *record, strait_status status, const strait_error *why, strait_error *err) {
    const strait_observer *observer = &record->config.options->observer;
    if (status == STRAIT_OK) return status;
    if (status == STRAIT_MEMORY) return st_fail(err, status, "%s", why->message);
    st_store_close(record->store);
    record->store = NULL;
    if (!record->told && observer->note) {
        char sentence[sizeof why->message + 64];
        snprintf(sentence, sizeof sentence, "the run is kept, but not in the index of runs: %s", why->message);
        observer->note(observer->context, sentence);
    }
    record->told = true;
    return STRAIT_OK;
}

/* The epochs so far as rows; the caller's. */
static strait_status make_rows(st_history_row **out, int *n, const st_run_record *record, strait_error *err) {
    const st_epoch *epochs = st_trainer_epochs(record->config.trainer, n);
    *out = st_alloc((size_t)*n + 1, sizeof **out);
    if (!*out) return st_fail_memory(err, (size_t)*n * sizeof **out, "the history");
    for (int i = 0; i < *n; i++)
        (*out)[i] = st_history_of(&epochs[i]);
    return STRAIT_OK;
}

/* Everything there is, into the index. Opens it when it is not open. */
static strait_status put_all(st_run_record *record, strait_error *err) {
    strait_error why = {0};
    st_history_row *rows = NULL;
    int n;
    strait_status status = STRAIT_OK;
    ST_TRY(make_rows(&rows, &n, record, err));
    if (!record->store) status = st_store_open(&record->store, record->dir, !record->config.resumed, &why);
    if (status == STRAIT_NOT_FOUND) { /* no index here, none asked for */
        st_free(rows);
        return STRAIT_OK;
    }
    /* The first to come brings in what was there before. */
    if (status == STRAIT_OK && st_store_is_new(record->store) && !record->told)
        status = st_runs_index(NULL, NULL, record->store, record->dir, &why);
    if (status == STRAIT_OK) status = st_store_put_whole(record->store, &record->run, record->yaml, n, rows, &why);
    st_free(rows);
    return mind(record, status, &why, err);
}

/* ---- what the record says ---- */

static void take_time(strait_run *run) {
    struct tm utc;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &utc)) strftime(run->started, sizeof run->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void take_result(strait_run *run, const strait_train_result *result) {
    run->epochs = result->epochs;
    run->loss = result->loss;
    run->val_loss = result->val_loss;
    run->best_loss = result->best_loss;
    run->best_epoch = result->best_epoch;
    run->seconds = result->seconds;
    run->samples_per_second = result->samples_per_second;
    run->wait_share = result->wait_share;
}

static strait_status take_data(strait_run *run, const st_run_record_config *config, strait_error *err) {
    run->n_samples = strait_data_count(config->data);
    run->n_validation = config->validation ? strait_data_count(config->validation) : 0;
    _Static_assert(sizeof run->checksum >= ST_FINGERPRINT, "there is room for it");
    return st_data_fingerprint(run->checksum, config->data, err);
}

/* How many findings of each kind the diagnosis has, where there is one. */
static strait_status take_findings(strait_run *run, strait_error *err) {
    strait_diagnosis *diagnosis = NULL;
    char *path = st_path_join(run->folder, ST_FILE_DIAGNOSIS);
    if (!path) return st_fail_memory(err, strlen(run->folder), "a path");
    strait_status status = st_path_exists(path) ? st_diagnosis_read_file(&diagnosis, path, err) : STRAIT_OK;
    st_free(path);
    if (status != STRAIT_OK && status != STRAIT_MEMORY) status = STRAIT_OK; /* the diagnosis' own reader tells of it */
    run->n_problems = run->n_warnings = 0;
    for (int i = 0; diagnosis && i < diagnosis->n_findings; i++) {
        run->n_problems += diagnosis->finding[i].severity == STRAIT_SEVERITY_PROBLEM;
        run->n_warnings += diagnosis->finding[i].severity == STRAIT_SEVERITY_WARNING;
    }
    strait_diagnosis_free(diagnosis);
    return status;
}

/* A resume keeps what the first training said of itself: when it began, the command. */
static strait_status fill_run(st_run_record *record, strait_error *err) {
    const st_run_record_config *config = &record->config;
    strait_run *run = &record->run;
    strait_error why;
    strait_status status = config->resumed ? st_run_read_any(run, NULL, config->run, &why) : STRAIT_NOT_FOUND;
    if (status == STRAIT_MEMORY) return st_fail(err, status, "%s", why.message);
    if (status != STRAIT_OK) st_run_clear(run);
    st_run_set_folder(run, config->run);
    st_run_take_recipe(run, config->recipe);
    st_run_set_text(run, st_run_field_find("state"), "running");
    st_run_set_text(run, st_run_field_find("version"), strait_version());
    st_processor_name(run->processor, sizeof run->processor);
    if (!run->started[0] && !config->resumed) take_time(run);
    if (!run->command[0] && config->options->command && !config->resumed)
        st_run_set_text(run, st_run_field_find("command"), config->options->command);
    run->micro_batch = (int)st_runner_micro_batch(st_trainer_runner(config->trainer));
    run->parameters = strait_model_parameters(config->model);
    run->latent = (int)strait_model_latent_size(config->model);
    return take_data(run, config, err);
}

/* ---- a training's way ---- */

strait_status st_run_record_begin(st_run_record **out, const st_run_record_config *config, strait_error *err) {
    *out = NULL;
    st_run_record *record = st_alloc(1, sizeof *record);
    if (!record) return st_fail_memory(err, sizeof *record, "the run's record");
    record->config = *config;
    record->lock = -1;
    strait_status status = st_run_lock(&record->lock, config->run, err);
    if (status == STRAIT_OK) {
        record->dir = st_path_folder(config->run);
        if (!record->dir) status = st_fail_memory(err, strlen(config->run), "a path");
    }
    if (status == STRAIT_OK) status = strait_recipe_to_yaml(&record->yaml, config->recipe, err);
    if (status == STRAIT_OK) status = fill_run(record, err);
    if (status == STRAIT_OK) status = st_run_write(&record->run, err);
    if (status == STRAIT_OK) status = put_all(record, err);
    if (status == STRAIT_OK)
        *out = record;
    else
        st_run_record_free(record);
    return status;
}

strait_status st_run_record_epoch(st_run_record *record, const st_epoch *epoch, const strait_train_result *result,
                                  strait_error *err) {
    strait_error why = {0};
    const st_history_row row = st_history_of(epoch);
    take_result(&record->run, result);
    ST_TRY(st_run_write(&record->run, err));
    if (!record->store) return STRAIT_OK;
    strait_status status = st_store_put(record->store, &record->run, NULL, &why);
    if (status == STRAIT_OK) status = st_store_put_epochs(record->store, record->run.name, 1, &row, &why);
    return mind(record, status, &why, err);
}

strait_status st_run_record_end(st_run_record *record, strait_status outcome, const strait_train_result *result,
                                strait_error *err) {
    const bool stopped = st_trainer_state(record->config.trainer)->stopped;
    const char *state = outcome == STRAIT_OK            ? (stopped ? "stopped" : "complete")
                        : outcome == STRAIT_INTERRUPTED ? "interrupted"
                        : outcome == STRAIT_DIVERGED    ? "diverged"
                                                        : "failed";
    take_result(&record->run, result);
    st_run_set_text(&record->run, st_run_field_find("state"), state);
    ST_TRY(take_findings(&record->run, err));
    ST_TRY(st_run_write(&record->run, err));
    return put_all(record, err); /* the files that came at the end, and what could not be written on the way */
}

void st_run_record_free(st_run_record *record) {
    if (!record) return;
    st_store_close(record->store);
    st_run_unlock(record->lock);
    st_free(record->yaml);
    st_free(record->dir);
    st_free(record);
}
