/* strait_train and strait_train_resume: data, model, trainer and run folder brought together. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/observe.h"
#include "api/run_files.h"
#include "api/run_record.h"
#include "api/tune.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/missing.h"
#include "recipe/features.h"
#include "train/checkpoint.h"

/* All that one training owns. */
typedef struct st_session {
    strait_recipe *recipe; /* resolved: source, scaling, threads and micro-batch filled in */
    strait_data *data, *validation;
    strait_model *model;
    st_trainer *trainer;
    st_observation observation;
    char *run;             /* NULL with no_run */
    st_run_record *record; /* NULL until the run has begun */
    const strait_train_options *options;
    double offset, factor;
} st_session;

static void free_session(st_session *session) {
    st_run_record_free(session->record);
    st_observation_close(&session->observation);
    st_trainer_free(session->trainer);
    strait_model_free(session->model);
    strait_data_free(session->validation);
    strait_data_free(session->data);
    strait_recipe_free(session->recipe);
    st_free(session->run);
}

static strait_status check_shape(const st_session *session, strait_error *err) {
    const strait_recipe *recipe = session->recipe;
    st_shape data = {0}, input = {.n_dims = recipe->model.n_input_dims};
    int64_t dim[STRAIT_MAX_DIMS];
    data.n_dims = st_data_shape(session->data, dim);
    memcpy(data.dim, dim, sizeof data.dim);
    memcpy(input.dim, recipe->model.input_dim, sizeof input.dim);
    if (st_shape_equal(&data, &input)) return STRAIT_OK;
    char has[96], wants[96];
    st_shape_print(has, &data);
    st_shape_print(wants, &input);
    return st_fail_at(err, STRAIT_SHAPE, recipe->model.input_pos, "model.input is %s, but a sample of the data is %s",
                      wants, has);
}

/* What becomes of values that are missing. */
static strait_status tell_missing(const st_session *session, strait_error *err) {
    const strait_observer *observer = &session->options->observer;
    char *sentence = NULL;
    ST_TRY(st_data_tell_missing(&sentence, session->data, session->recipe, err));
    if (sentence && observer->note) observer->note(observer->context, sentence);
    st_free(sentence);
    return STRAIT_OK;
}

/* Opens the data and writes what only now is known into the recipe: the source, the scaling, the threads. */
static strait_status open_data(st_session *session, strait_error *err) {
    const strait_train_options *options = session->options;
    strait_recipe *recipe = session->recipe;
    if (options->data) {
        char *source = st_strdup(st_data_name(options->data));
        if (!source) return st_fail_memory(err, strlen(st_data_name(options->data)), "a data set's name");
        st_free(recipe->data.source);
        recipe->data.source = source;
    }
    ST_TRY(st_data_open_splits(&session->data, &session->validation, recipe, options->data, options->validation, err));
    ST_TRY(tell_missing(session, err));
    ST_TRY(check_shape(session, err));
    ST_TRY(st_data_scaling(&session->offset, &session->factor, session->data, recipe, err));
    if (recipe->data.scale >= ST_SCALE_MINMAX && !recipe->data.scale_features) {
        recipe->data.scale_offset = session->offset;
        recipe->data.scale_factor = session->factor;
    }
    if (options->threads > 0) recipe->train.threads = options->threads;
    if (recipe->train.threads <= 0) recipe->train.threads = st_processors();
    return STRAIT_OK;
}

static void fill_result(strait_train_result *result, const st_session *session) {
    *result = (strait_train_result){.loss = NAN, .val_loss = NAN, .best_loss = NAN};
    if (session->run) snprintf(result->run, sizeof result->run, "%s", session->run);
    if (!session->trainer) return;
    int n;
    const st_epoch *epochs = st_trainer_epochs(session->trainer, &n);
    const st_train_state *state = st_trainer_state(session->trainer);
    double samples = 0, training = 0, waited = 0;
    for (int i = 0; i < n; i++) {
        /* Training time follows from the speed: an epoch's seconds hold its validation too. */
        const double of_epoch = (double)strait_data_count(session->data);
        samples += of_epoch;
        training += epochs[i].samples_per_second > 0 ? of_epoch / epochs[i].samples_per_second : 0;
        waited += epochs[i].wait_seconds;
        result->seconds += epochs[i].seconds;
    }
    result->epochs = n;
    if (n > 0) {
        result->loss = epochs[n - 1].loss;
        result->val_loss = epochs[n - 1].val_loss;
        result->best_epoch = (int)state->best_epoch;
        result->best_loss = state->best_loss;
        result->samples_per_second = training > 0 ? samples / training : 0;
        result->wait_share = training > 0 ? waited / training : 0;
    }
    result->parameters = st_graph_trainable(session->model->graph);
    result->threads = (int)session->recipe->train.threads;
}

static strait_status save(void *context, st_trainer *trainer, const st_epoch *epoch, strait_error *err) {
    const st_session *session = context;
    if (!session->run) return STRAIT_OK;
    ST_TRY(st_write_checkpoint(session->run, trainer, epoch, err));
    if (!session->record || !epoch) return STRAIT_OK;
    strait_train_result result;
    fill_result(&result, session);
    return st_run_record_epoch(session->record, epoch, &result, err);
}

/* The run's place in the store, held until the session ends. */
static strait_status begin_record(st_session *session, bool resumed, strait_error *err) {
    const st_run_record_config config = {
        .run = session->run,
        .recipe = session->recipe,
        .model = session->model,
        .data = session->data,
        .validation = session->validation,
        .trainer = session->trainer,
        .options = session->options,
        .resumed = resumed,
    };
    return st_run_record_begin(&session->record, &config, err);
}

static strait_status watch(void *context, st_trainer *trainer, int64_t epoch, strait_error *err) {
    st_session *session = context;
    return st_observation_epoch(&session->observation, session->run, trainer, epoch, err);
}

/* How the step is split: by the rule, as another run did, or tuned. */
static strait_status choose_split(st_session *session, strait_error *err) {
    const strait_train_options *options = session->options;
    if (options->plan && (options->tune || options->threads > 0))
        return st_fail(err, STRAIT_ARGUMENT, "the split of %s cannot be taken and another one chosen", options->plan);
    if (options->plan) return st_take_split(session->recipe, session->model, options->plan, err);
    return options->tune ? st_tune(session->recipe, session->model, &options->observer, err) : STRAIT_OK;
}

static strait_status make_trainer(st_session *session, strait_error *err) {
    const st_trainer_config config = {
        .model = session->model,
        .recipe = session->recipe,
        .engine = &st_engine_cpu,
        .data = session->data,
        .validation = session->validation,
        .offset = session->offset,
        .factor = session->factor,
        .threads = (int)session->recipe->train.threads,
        .run = session->run,
        .observer = session->options->observer,
        .hooks = {.context = session, .save = save, .watch = watch},
    };
    ST_TRY(st_trainer_new(&session->trainer, &config, err));
    ST_TRY(st_observation_open(&session->observation, &config, session->trainer, &session->options->observer,
                               !session->options->no_run, err));
    /* The split decides the last bits: it goes into the recipe that the run keeps. In step it follows from batch and
       threads, and written down it would bar a resume with other threads. */
    st_runner *runner = st_trainer_runner(session->trainer);
    session->recipe->train.micro_batch = st_runner_in_step(runner) ? 0 : st_runner_micro_batch(runner);
    return st_model_set_recipe(session->model, session->recipe, err);
}

/* After a divergence: the weights of the last checkpoint become the run's model. */
static strait_status keep_last_good(const st_session *session, strait_error *err) {
    strait_model *good = NULL;
    char *path = st_path_join(session->run, ST_FILE_CHECKPOINT);
    if (!path) return st_fail_memory(err, strlen(session->run), "a path");
    strait_status status = st_model_read(&good, path, err);
    if (status == STRAIT_OK) status = st_write_models(session->run, good, err);
    strait_model_free(good);
    st_free(path);
    return status;
}

/* Trains, then writes what the run keeps. Before an interruption, which loses nothing, comes an error of writing. */
static strait_status run_session(st_session *session, strait_error *err) {
    const strait_status trained = st_trainer_run(session->trainer, err);
    st_observation_close(&session->observation); /* the memory is wanted for the pictures */
    if (!session->run) return trained;
    if (trained == STRAIT_DIVERGED) {
        strait_error second;
        if (keep_last_good(session, &second) == STRAIT_OK && err) {
            const size_t length = strlen(err->message);
            snprintf(err->message + length, sizeof err->message - length, "; the last good weights are kept in %s",
                     session->run);
        }
        return trained;
    }
    if (trained != STRAIT_OK && trained != STRAIT_INTERRUPTED) return trained;
    strait_error second = {0};
    strait_status wrote =
        st_write_pictures(session->run, session->model, session->validation ? session->validation : session->data,
                          session->offset, session->factor, &second);
    if (wrote == STRAIT_OK) wrote = st_write_models(session->run, session->model, &second);
    return wrote == STRAIT_OK ? trained : st_fail(err, wrote, "%s", second.message);
}

/* run_session, and the record of what came of it. */
static strait_status run_recorded(st_session *session, strait_error *err) {
    const strait_status trained = run_session(session, err);
    if (!session->record) return trained;
    strait_train_result result;
    strait_error second = {0};
    fill_result(&result, session);
    const strait_status wrote = st_run_record_end(session->record, trained, &result, &second);
    const bool tell = wrote != STRAIT_OK && (trained == STRAIT_OK || trained == STRAIT_INTERRUPTED);
    return tell ? st_fail(err, wrote, "%s", second.message) : trained;
}

/* Hands over the model and fills the result, whatever came. */
static strait_status finish(st_session *session, strait_model **model, strait_train_result *result,
                            strait_status status) {
    if (result) fill_result(result, session);
    if (model && status == STRAIT_OK) {
        *model = session->model;
        session->model = NULL;
    }
    free_session(session);
    return status;
}

static const strait_train_options defaults;

/* The model once more, where the data has changed its widths. */
static strait_status follow_data(st_session *session, bool follows, strait_error *err) {
    if (!follows) return STRAIT_OK;
    strait_model_free(session->model);
    session->model = NULL;
    return strait_model_build(&session->model, session->recipe, err);
}

/* What cells' features were found at the start of a run stands in its checkpoint. */
static strait_status take_features(st_session *session, strait_error *err) {
    if (st_features_copy(&session->recipe->data.features, session->model->recipe->data.features)) return STRAIT_OK;
    return st_fail_memory(err, 0, "features");
}

static strait_status make_folder(st_session *session, strait_error *err) {
    if (session->options->run) return st_run_make(&session->run, session->options->run, err);
    const char *dir = session->options->out ? session->options->out : "runs";
    if (strlen(dir) + strlen(session->recipe->name) + 16 > sizeof((strait_train_result *)0)->run)
        return st_fail(err, STRAIT_ARGUMENT, "%.60s...: the path of the runs' folder is too long; choose a shorter one",
                       dir);
    return st_run_create(&session->run, dir, session->recipe->name, err);
}

/* The run's folder with its recipe and a checkpoint, so that a kill or a divergence in the first epoch loses nothing.
   What cannot be written whole is not left behind. */
static strait_status begin_run(st_session *session, strait_error *err) {
    ST_TRY(make_folder(session, err));
    st_trainer_set_run(session->trainer, session->run);
    strait_status status = st_write_recipe(session->run, session->recipe, err);
    if (status == STRAIT_OK) status = save(session, session->trainer, NULL, err);
    if (status == STRAIT_OK) status = begin_record(session, false, err);
    if (status != STRAIT_OK) st_remove_run(session->run);
    return status;
}

STRAIT_API strait_status strait_train(strait_model **model, strait_train_result *result, const strait_recipe *recipe,
                                      const strait_train_options *options, strait_error *err) {
    if (model) *model = NULL;
    if (result) *result = (strait_train_result){.loss = NAN, .val_loss = NAN, .best_loss = NAN};
    if (!recipe) return st_fail(err, STRAIT_ARGUMENT, "strait_train: recipe is NULL");
    st_session session = {.options = options ? options : &defaults};
    strait_status status = st_recipe_copy(&session.recipe, recipe, err);
    const bool follows = recipe->model.input_from_data;
    /* The model before the data: a recipe's mistake is told without reading anything. */
    if (status == STRAIT_OK) st_recipe_drop_sweep(session.recipe);
    if (status == STRAIT_OK) status = strait_model_build(&session.model, session.recipe, err);
    if (status == STRAIT_OK && session.model->graph->n_values == 0)
        status = st_fail_at(err, STRAIT_RECIPE, session.recipe->model.pos,
                            "no layer of the model has weights: there is nothing to train");
    if (status == STRAIT_OK) status = open_data(&session, err);
    if (status == STRAIT_OK) status = follow_data(&session, follows, err);
    if (status == STRAIT_OK) status = choose_split(&session, err);
    if (status == STRAIT_OK) status = make_trainer(&session, err);
    if (status == STRAIT_OK && !session.options->no_run) status = begin_run(&session, err);
    if (status == STRAIT_OK) status = run_recorded(&session, err);
    return finish(&session, model, result, status);
}

/* The recipe a run keeps, with a new number of epochs when that is asked for. */
static strait_status open_run_recipe(strait_recipe **out, const char *run, int epochs, strait_error *err) {
    char *path = st_path_join(run, ST_FILE_RECIPE), override[64];
    if (!path) return st_fail_memory(err, strlen(run), "a path");
    snprintf(override, sizeof override, "train.epochs=%d", epochs);
    const char *const overrides[] = {override};
    const strait_status status = strait_recipe_open(out, path, epochs > 0 ? 1 : 0, overrides, err);
    st_free(path);
    return status;
}

/* The recipe in the run's folder against the one in its checkpoint: they must be the same but for the epochs and the
   split, which a resume may set. Names the first line that is not. */
static strait_status check_same_recipe(st_session *session, strait_error *err) {
    strait_recipe *alike = NULL;
    char *yaml = NULL;
    ST_TRY(st_recipe_copy(&alike, session->recipe, err));
    alike->train.epochs = session->model->recipe->train.epochs;
    alike->train.threads = session->model->recipe->train.threads;
    alike->train.micro_batch = session->model->recipe->train.micro_batch;
    strait_status status = strait_recipe_to_yaml(&yaml, alike, err);
    strait_recipe_free(alike);
    if (status != STRAIT_OK) return status;
    const char *now = yaml, *then = session->model->yaml;
    while (*now && *now == *then)
        now++, then++;
    if (*now || *then) {
        while (now > yaml && now[-1] != '\n')
            now--, then--;
        status =
            st_fail(err, STRAIT_RECIPE,
                    "%s/" ST_FILE_RECIPE ": changed since the checkpoint: '%.*s' was '%.*s'; change it back, or train "
                    "the changed recipe as a new run",
                    session->run, (int)strcspn(now, "\n"), now, (int)strcspn(then, "\n"), then);
    }
    strait_string_free(yaml);
    return status;
}

/* A run whose end was not written (killed after its last epoch) goes on to writing it. */
static strait_status check_not_finished(const st_session *session, strait_error *err) {
    if (!st_trainer_is_complete(session->trainer)) return STRAIT_OK;
    const st_train_state *state = st_trainer_state(session->trainer);
    ST_TRY(st_trainer_finish(session->trainer, err));
    if (!st_run_is_finished(session->run, session->model)) return STRAIT_OK;
    const int64_t epochs = session->recipe->train.epochs;
    if (state->stopped)
        return st_fail(err, STRAIT_ARGUMENT, "%s is complete: early stopping ended it after epoch %lld", session->run,
                       (long long)state->epoch);
    return st_fail(err, STRAIT_ARGUMENT,
                   "%s is complete: %lld of %lld epochs are trained; ask for more to go on (--epochs %lld)",
                   session->run, (long long)state->epoch, (long long)epochs, (long long)(state->epoch + 10));
}

STRAIT_API strait_status strait_train_resume(strait_model **model, strait_train_result *result, const char *run,
                                             int epochs, const strait_train_options *options, strait_error *err) {
    if (model) *model = NULL;
    if (result) *result = (strait_train_result){.loss = NAN, .val_loss = NAN, .best_loss = NAN};
    if (!run) return st_fail(err, STRAIT_ARGUMENT, "strait_train_resume: run is NULL");
    st_session session = {.options = options ? options : &defaults};
    st_safetensors *file = NULL;
    char *path = NULL;
    strait_status status = st_run_find(&session.run, run, err);
    if (status != STRAIT_OK) return finish(&session, model, NULL, status);
    path = st_path_join(session.run, ST_FILE_CHECKPOINT);
    if (!path) status = st_fail_memory(err, strlen(run), "a path");
    if (status == STRAIT_OK) status = open_run_recipe(&session.recipe, session.run, epochs, err);
    if (status == STRAIT_OK) status = st_safetensors_read(&file, path, err);
    if (status == STRAIT_OK) status = st_model_from_tensors(&session.model, file, path, err);
    if (status == STRAIT_OK) status = check_same_recipe(&session, err);
    if (status == STRAIT_OK) status = take_features(&session, err);
    if (status == STRAIT_OK) status = open_data(&session, err);
    if (status == STRAIT_OK) status = make_trainer(&session, err);
    if (status == STRAIT_OK) status = st_checkpoint_restore(session.trainer, file, path, err);
    st_safetensors_free(file);
    st_free(path);
    if (status == STRAIT_OK) status = check_not_finished(&session, err);
    if (status == STRAIT_OK) status = begin_record(&session, true, err);
    if (status == STRAIT_OK) status = st_observation_resume(&session.observation, session.run, session.trainer, err);
    if (status == STRAIT_OK) status = st_write_recipe(session.run, session.recipe, err);
    if (status == STRAIT_OK) status = run_recorded(&session, err);
    return finish(&session, model, status == STRAIT_OK || session.trainer ? result : NULL, status);
}
