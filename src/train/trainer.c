#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/schedule.h"

struct st_trainer {
    st_trainer_config config;
    st_runner *runner;
    st_stepper stepper;
    st_batches *batches, *validation;
    st_train_state state;
    st_epoch *epochs; /* [state.epoch] */
    int n_epochs;
    float *best;                     /* packed; only with restore_best */
    double epoch_start, next_report; /* on st_clock */
    double warmup;                   /* steps in which the KL divergence's weight grows */
    double optimizer_seconds;        /* only when timed */
    bool lent;                       /* the scratch: what was written there is no gradient */
    bool divergence;                 /* there is a KL divergence */
};

int st_trained_ops(const st_graph *graph) {
    return graph->logits >= 0 ? graph->tensor[graph->logits].producer + 1 : graph->n_ops;
}

bool st_has_divergence(const st_graph *graph) {
    for (int i = 0; i < graph->n_ops; i++)
        if (graph->op[i].kind == ST_OP_SAMPLE) return true;
    return false;
}

/* The recipe's batch size, or all of the data where that is less: what is never filled takes no memory. */
static int64_t batch_size(const st_trainer_config *config, const strait_data *data) {
    const int64_t n = data ? strait_data_count(data) : 0, asked = config->recipe->train.batch_size;
    return n < asked ? n : asked;
}

/* Batches prepared ahead: enough to ride out a delay, bounded in memory. */
static int batches_ahead(const strait_data *data, int64_t batch_size) {
    int64_t dim[STRAIT_MAX_DIMS], values = batch_size;
    const int n = st_data_shape(data, dim);
    for (int i = 0; i < n; i++)
        values *= dim[i];
    const int64_t fit = ((int64_t)16 << 20) / (values * (int64_t)sizeof(float));
    return fit < 2 ? 2 : fit > 16 ? 16 : (int)fit;
}

/* Threads that prepare batches: decoding wants more than one, but not those that train. */
static int batches_threads(const st_trainer_config *config, const strait_data *data) {
    const int64_t asked = config->recipe->data.threads;
    if (asked > 0) return (int)asked;
    const int half = config->threads / 2;
    return st_data_is_resident(data) || half < 1 ? 1 : half > 4 ? 4 : half;
}

/* Whether those that train prepare their batches themselves: where data lie in memory and no processor is left, since a
   thread of its own would take the time from one of them, and the others wait for that one. */
static bool prepares_itself(const st_trainer_config *config, const strait_data *data) {
    return config->recipe->data.threads == 0 && st_data_is_resident(data) && config->threads >= st_processors();
}

/* training: shuffled and augmented as the recipe asks; validation never is. */
static strait_status open_batches(st_batches **out, const st_trainer_config *config, st_runner *runner,
                                  strait_data *data, bool training, strait_error *err) {
    const bool itself = prepares_itself(config, data);
    const st_batches_config batches = {
        .data = data,
        .batch_size = batch_size(config, data),
        .shuffle = training && config->recipe->train.shuffle,
        .seed = config->recipe->seed,
        .offset = config->offset,
        .factor = config->factor,
        .corrupt = config->recipe->data.corrupt,
        .augment = training ? config->recipe->data.augment : (st_augment){0},
        .ahead = itself ? 0 : batches_ahead(data, batch_size(config, data)),
        .pool = itself ? st_runner_pool(runner) : NULL,
        .threads = batches_threads(config, data),
        .shuffle_buffer = config->recipe->data.shuffle_buffer,
    };
    return st_batches_new(out, &batches, err);
}

/* Steps in which beta grows from 0 to what the recipe says. */
static double warmup_steps(const st_trainer *trainer) {
    const strait_recipe *recipe = trainer->config.recipe;
    for (int i = 0; i < recipe->model.n_encoder; i++)
        if (recipe->model.encoder[i].kind == ST_LAYER_GAUSSIAN)
            return recipe->model.encoder[i].warmup * (double)st_batches_per_epoch(trainer->batches);
    return 0;
}

static bool keeps_best(const strait_recipe *recipe) {
    return recipe->train.early_stopping.on && recipe->train.early_stopping.restore_best;
}

st_runner_config st_training_runner(const strait_model *model, const strait_recipe *recipe, const st_engine *engine) {
    return (st_runner_config){
        .graph = model->graph,
        .engine = engine,
        .n_ops = st_trained_ops(model->graph),
        .batch_size = recipe->train.batch_size,
        .threads = recipe->train.threads > 0 ? (int)recipe->train.threads : 1,
        .micro_batch = recipe->train.micro_batch,
        .training = true,
        .blocks = st_optimizer_states(&recipe->train.optimizer) + keeps_best(recipe),
        .loss = recipe->train.loss,
        .seed = recipe->seed,
    };
}

strait_status st_trainer_new(st_trainer **out, const st_trainer_config *config, strait_error *err) {
    st_trainer *trainer = st_alloc(1, sizeof *trainer);
    if (!trainer) return st_fail_memory(err, sizeof *trainer, "the trainer");
    const strait_recipe *recipe = config->recipe;
    const st_graph *graph = config->model->graph;
    trainer->config = *config;
    const int64_t of_data = batch_size(config, config->data), of_validation = batch_size(config, config->validation);
    trainer->state = (st_train_state){
        .best_loss = INFINITY,
        .stop_loss = INFINITY,
        .plateau_loss = INFINITY,
        .plateau_scale = 1,
        .n_samples = strait_data_count(config->data),
        .n_validation = config->validation ? strait_data_count(config->validation) : 0,
    };
    trainer->divergence = st_has_divergence(graph);
    st_runner_config runner = st_training_runner(config->model, recipe, config->engine);
    runner.batch_size = of_data > of_validation ? of_data : of_validation;
    runner.threads = config->threads;
    runner.timed = config->timed;
    strait_status status = st_runner_new(&trainer->runner, &runner, err);
    if (status == STRAIT_OK)
        status = st_stepper_init(&trainer->stepper, config->engine, trainer->runner, graph->n_values, recipe, err);
    if (status == STRAIT_OK)
        status = st_runner_pack(trainer->runner, st_runner_parameters(trainer->runner), config->model->values, err);
    if (status == STRAIT_OK) status = open_batches(&trainer->batches, config, trainer->runner, config->data, true, err);
    if (status == STRAIT_OK && config->validation)
        status = open_batches(&trainer->validation, config, trainer->runner, config->validation, false, err);
    if (status == STRAIT_OK && keeps_best(recipe)) {
        const size_t bytes = (st_runner_block_size(trainer->runner) + 1) * sizeof(float);
        trainer->best = st_alloc_aligned(bytes);
        if (!trainer->best) status = st_fail_memory(err, bytes, "the best weights");
    }
    if (status != STRAIT_OK) {
        st_trainer_free(trainer);
        return status;
    }
    trainer->warmup = warmup_steps(trainer);
    *out = trainer;
    return STRAIT_OK;
}

void st_trainer_free(st_trainer *trainer) {
    if (!trainer) return;
    st_batches_free(trainer->batches);
    st_batches_free(trainer->validation);
    st_stepper_free(&trainer->stepper);
    st_runner_free(trainer->runner);
    st_free(trainer->best);
    st_free(trainer->epochs);
    st_free(trainer);
}

/* ---- what changes from step to step ---- */

/* The learning rate of a step of this epoch. */
static double rate_of(const st_trainer *trainer, int64_t step) {
    const strait_recipe *recipe = trainer->config.recipe;
    return trainer->state.plateau_scale *
           st_schedule_rate(&recipe->train.schedule, recipe->train.optimizer.learning_rate, step,
                            st_batches_per_epoch(trainer->batches), recipe->train.epochs);
}

/* What beta is multiplied by. */
static double beta_scale(const st_trainer *trainer) {
    const double steps = (double)trainer->stepper.steps;
    return steps < trainer->warmup ? steps / trainer->warmup : 1;
}

/* ---- telling the observer ---- */

static strait_progress progress_now(const st_trainer *trainer) {
    const st_train_state *state = &trainer->state;
    const double seconds = state->seconds + st_clock() - trainer->epoch_start;
    return (strait_progress){
        .run = trainer->config.run,
        .epoch = (int)state->epoch + 1,
        .epochs = (int)trainer->config.recipe->train.epochs,
        .batch = state->batch,
        .batches = st_batches_per_epoch(trainer->batches),
        .samples = state->samples,
        .loss = state->samples ? state->loss_sum / (double)state->samples : NAN,
        .val_loss = NAN,
        .kl = state->samples && trainer->divergence ? state->kl_sum / (double)state->samples : NAN,
        .val_kl = NAN,
        .learning_rate = rate_of(trainer, state->batch > 0 ? trainer->stepper.steps - 1 : trainer->stepper.steps),
        .seconds = seconds,
        .wait_seconds = state->wait_seconds + st_batches_waited(trainer->batches),
        .samples_per_second = seconds > 0 ? (double)state->samples / seconds : 0,
    };
}

static void report_step(st_trainer *trainer) {
    const strait_observer *observer = &trainer->config.observer;
    if (!observer->step || st_clock() < trainer->next_report) return;
    const strait_progress progress = progress_now(trainer);
    observer->step(observer->context, &progress);
    trainer->next_report = st_clock() + 0.05;
}

/* ---- a loss that is not finite ---- */

/* where: NULL for the batch given, else where it showed. */
static strait_status diverged(const st_trainer *trainer, double loss, strait_data *data, const st_batch *batch,
                              const char *where, strait_error *err) {
    const strait_recipe *recipe = trainer->config.recipe;
    const int64_t epoch = trainer->state.epoch + 1;
    strait_data_info info;
    double most = 0; /* of the scaled inputs */
    if (strait_data_describe(data, &info, NULL) == STRAIT_OK)
        most = fmax(fabs(info.minimum - trainer->config.offset), fabs(info.maximum - trainer->config.offset)) *
               fabs(trainer->config.factor);
    char place[64];
    if (where)
        snprintf(place, sizeof place, "%s", where);
    else
        snprintf(place, sizeof place, "batch %lld", (long long)batch->index + 1);
    char rate[32];
    st_print_double(rate, recipe->train.optimizer.learning_rate);
    const char *name = st_optimizer_name(recipe->train.optimizer.kind);
    if (most > 50)
        return st_fail(err, STRAIT_DIVERGED,
                       "the loss is %s in epoch %lld, %s: inputs reach %g, likely the cause; scale them with "
                       "data.scale: unit or minmax (or lower train.optimizer.%s.learning_rate, now %s)",
                       isnan(loss) ? "not a number" : "infinite", (long long)epoch, place, most, name, rate);
    return st_fail(err, STRAIT_DIVERGED,
                   "the loss is %s in epoch %lld, %s: likely the learning rate is too high; lower "
                   "train.optimizer.%s.learning_rate (now %s), ten times to begin with",
                   isnan(loss) ? "not a number" : "infinite", (long long)epoch, place, name, rate);
}

/* ---- the step, the epoch, the training ---- */

/* The training step, whole. n = 0: the epoch has no more batches. */
static strait_status train_step(st_trainer *trainer, int64_t *n, strait_error *err) {
    st_batch batch;
    st_cost cost;
    ST_TRY(st_batches_next(&batch, trainer->batches, err));
    *n = batch.n;
    if (batch.n == 0) return STRAIT_OK;
    const st_feed feed = {.input = batch.input,
                          .target = batch.target,
                          .n = batch.n,
                          .epoch = (uint32_t)trainer->state.epoch,
                          .sample = batch.sample,
                          .beta_scale = beta_scale(trainer)};
    ST_TRY(st_runner_train(&cost, trainer->runner, &feed, err)); /* forward, backward */
    cost.loss += st_stepper_penalty(&trainer->stepper);
    if (!isfinite(cost.loss)) return diverged(trainer, cost.loss, trainer->config.data, &batch, NULL, err);
    const double start = trainer->config.timed ? st_clock() : 0;
    st_stepper_step(&trainer->stepper, rate_of(trainer, trainer->stepper.steps)); /* sum over replicas, optimiser */
    if (trainer->config.timed) trainer->optimizer_seconds += st_clock() - start;
    trainer->state.batch++;
    trainer->state.samples += batch.n;
    trainer->state.loss_sum += cost.loss * (double)batch.n;
    trainer->state.kl_sum += cost.kl * (double)batch.n;
    return STRAIT_OK;
}

/* Means over the validation samples, with the whole of beta, however far its warm-up is: epochs can be compared. */
static strait_status validate(st_trainer *trainer, double *val_loss, double *val_kl, strait_error *err) {
    double loss = 0, kl = 0;
    int64_t samples = 0;
    st_batch batch;
    *val_loss = *val_kl = NAN;
    if (!trainer->validation) return STRAIT_OK;
    st_batches_start(trainer->validation, ST_EVALUATION_EPOCH, 0);
    for (;;) {
        st_cost cost;
        ST_TRY(st_batches_next(&batch, trainer->validation, err));
        if (batch.n == 0) break;
        const st_feed feed = {.input = batch.input,
                              .target = batch.target,
                              .n = batch.n,
                              .epoch = ST_EVALUATION_EPOCH,
                              .sample = batch.sample,
                              .beta_scale = 1};
        ST_TRY(st_runner_evaluate(&cost, trainer->runner, &feed, err));
        if (!isfinite(cost.loss))
            return diverged(trainer, cost.loss, trainer->config.validation, &batch, "validation", err);
        loss += cost.loss * (double)batch.n;
        kl += cost.kl * (double)batch.n;
        samples += batch.n;
    }
    *val_loss = loss / (double)samples + st_stepper_penalty(&trainer->stepper);
    if (trainer->divergence) *val_kl = kl / (double)samples;
    return STRAIT_OK;
}

/* All weights finite? A gradient can overflow in the last batch, unseen by any loss. */
static bool weights_finite(const st_trainer *trainer) {
    const float *value = st_runner_parameters(trainer->runner);
    const size_t n = st_runner_block_size(trainer->runner);
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += value[i] * 0.0f;
    return sum == 0.0f;
}

/* Interrupts mid-epoch: the time so far goes into the state, which is then saved. */
static strait_status interrupt(st_trainer *trainer, strait_error *err) {
    st_train_state *state = &trainer->state;
    const st_trainer_hooks *hooks = &trainer->config.hooks;
    state->seconds += st_clock() - trainer->epoch_start;
    state->wait_seconds += st_batches_waited(trainer->batches);
    ST_TRY(st_trainer_store(trainer, err));
    if (hooks->save) ST_TRY(hooks->save(hooks->context, trainer, NULL, err));
    return st_fail(err, STRAIT_INTERRUPTED, "interrupted in epoch %lld", (long long)state->epoch + 1);
}

void st_trainer_start(st_trainer *trainer) {
    /* Kernels write the gradients of values, but not the zeros between them. */
    if (trainer->lent)
        memset(st_runner_gradient(trainer->runner, 0), 0, st_runner_block_size(trainer->runner) * sizeof(float));
    trainer->lent = false;
    st_batches_start(trainer->batches, (uint32_t)trainer->state.epoch, trainer->state.batch);
    trainer->epoch_start = st_clock();
}

strait_status st_trainer_step(st_trainer *trainer, int64_t *n, strait_error *err) {
    return train_step(trainer, n, err);
}

/* Trains through the epoch under way. */
static strait_status train_epoch(st_trainer *trainer, strait_error *err) {
    const strait_observer *observer = &trainer->config.observer;
    st_trainer_start(trainer);
    for (;;) {
        int64_t n;
        ST_TRY(train_step(trainer, &n, err));
        if (n == 0) return STRAIT_OK;
        report_step(trainer);
        if (observer->stop && observer->stop(observer->context)) return interrupt(trainer, err);
    }
}

static void note(const st_trainer *trainer, const char *sentence) {
    const strait_observer *observer = &trainer->config.observer;
    if (observer->note) observer->note(observer->context, sentence);
}

/* Best so far, and whether it is time to stop early (as Keras: patience epochs without an improvement by more than
   min_delta). */
static bool judge_epoch(st_trainer *trainer, int64_t epoch, double watched) {
    const strait_recipe *recipe = trainer->config.recipe;
    st_train_state *state = &trainer->state;
    const bool best = watched < state->best_loss;
    if (best) {
        state->best_loss = watched;
        state->best_epoch = epoch;
    }
    if (!recipe->train.early_stopping.on) return best;
    if (watched < state->stop_loss - recipe->train.early_stopping.min_delta) {
        state->stop_loss = watched;
        state->stop_waited = 0;
        state->stop_epoch = epoch;
        if (trainer->best)
            memcpy(trainer->best, st_runner_parameters(trainer->runner),
                   st_runner_block_size(trainer->runner) * sizeof(float));
    } else if (++state->stop_waited >= recipe->train.early_stopping.patience) {
        state->stopped = true;
    }
    return best;
}

/* Lowers the learning rate where the loss no longer falls, as keras.callbacks.ReduceLROnPlateau. min_rate bounds the
   rate that the recipe gives, before a schedule. */
static void judge_plateau(st_trainer *trainer, double watched) {
    const strait_recipe *recipe = trainer->config.recipe;
    st_train_state *state = &trainer->state;
    if (!recipe->train.reduce_lr_on_plateau.on) return;
    if (state->plateau_cooldown > 0) {
        state->plateau_cooldown--;
        state->plateau_waited = 0;
    }
    if (watched < state->plateau_loss - recipe->train.reduce_lr_on_plateau.min_delta) {
        state->plateau_loss = watched;
        state->plateau_waited = 0;
        return;
    }
    if (state->plateau_cooldown > 0 || ++state->plateau_waited < recipe->train.reduce_lr_on_plateau.patience) return;
    const double least = recipe->train.reduce_lr_on_plateau.min_rate / recipe->train.optimizer.learning_rate;
    if (state->plateau_scale <= least) return;
    state->plateau_scale = fmax(state->plateau_scale * recipe->train.reduce_lr_on_plateau.factor, least);
    state->plateau_cooldown = recipe->train.reduce_lr_on_plateau.cooldown;
    state->plateau_waited = 0;
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "epoch %lld: no improvement in %lld epochs; the learning rate goes on at %g times the recipe's",
             (long long)state->epoch + 1, (long long)recipe->train.reduce_lr_on_plateau.patience, state->plateau_scale);
    note(trainer, sentence);
}

/* Closes the epoch under way: validation, the epoch's row, the state of the next one, saving. */
static strait_status end_epoch(st_trainer *trainer, strait_error *err) {
    st_train_state *state = &trainer->state;
    const st_trainer_config *config = &trainer->config;
    strait_progress progress = progress_now(trainer);
    st_epoch epoch = {
        .epoch = state->epoch + 1,
        .loss = progress.loss,
        .kl = progress.kl,
        .learning_rate = progress.learning_rate,
        .samples_per_second = progress.samples_per_second,
        .wait_seconds = progress.wait_seconds,
    };
    if (!weights_finite(trainer))
        return diverged(trainer, NAN, trainer->config.data, NULL, "after its last batch", err);
    ST_TRY(validate(trainer, &epoch.val_loss, &epoch.val_kl, err));
    epoch.seconds = state->seconds + st_clock() - trainer->epoch_start;
    st_epoch *epochs = st_realloc(trainer->epochs, (size_t)trainer->n_epochs + 1, sizeof *epochs);
    if (!epochs) return st_fail_memory(err, sizeof *epochs, "the history");
    trainer->epochs = epochs;
    epochs[trainer->n_epochs++] = epoch;
    const double watched = isnan(epoch.val_loss) ? epoch.loss : epoch.val_loss;
    progress.best = judge_epoch(trainer, epoch.epoch, watched);
    judge_plateau(trainer, watched);
    state->epoch++;
    state->batch = state->samples = 0;
    state->loss_sum = state->kl_sum = state->seconds = state->wait_seconds = 0;
    ST_TRY(st_trainer_store(trainer, err));
    if (config->hooks.watch) ST_TRY(config->hooks.watch(config->hooks.context, trainer, epoch.epoch, err));
    if (config->hooks.save) ST_TRY(config->hooks.save(config->hooks.context, trainer, &epoch, err));
    progress.val_loss = epoch.val_loss;
    progress.val_kl = epoch.val_kl;
    progress.seconds = epoch.seconds;
    if (config->observer.epoch_end) config->observer.epoch_end(config->observer.context, &progress);
    return STRAIT_OK;
}

strait_status st_trainer_run(st_trainer *trainer, strait_error *err) {
    const strait_observer *observer = &trainer->config.observer;
    const st_trainer_hooks *hooks = &trainer->config.hooks;
    const st_train_state *state = &trainer->state;
    trainer->epoch_start = st_clock();
    if (observer->begin) {
        const strait_progress progress = progress_now(trainer);
        observer->begin(observer->context, &progress);
    }
    if (trainer->stepper.steps == 0 && hooks->watch) ST_TRY(hooks->watch(hooks->context, trainer, 0, err));
    while (!st_trainer_is_complete(trainer)) {
        ST_TRY(train_epoch(trainer, err));
        ST_TRY(end_epoch(trainer, err));
    }
    if (state->stopped) {
        char sentence[160];
        snprintf(sentence, sizeof sentence,
                 "early stopping: no improvement in %lld epochs; the best was epoch %lld with %g",
                 (long long)trainer->config.recipe->train.early_stopping.patience, (long long)state->stop_epoch,
                 state->stop_loss);
        note(trainer, sentence);
    }
    return st_trainer_finish(trainer, err);
}

/* ---- reaching in ---- */

strait_status st_trainer_store(st_trainer *trainer, strait_error *err) {
    return st_runner_unpack(trainer->runner, trainer->config.model->values, st_runner_parameters(trainer->runner), err);
}

bool st_trainer_is_complete(const st_trainer *trainer) {
    return trainer->state.stopped || trainer->state.epoch >= trainer->config.recipe->train.epochs;
}

strait_status st_trainer_finish(st_trainer *trainer, strait_error *err) {
    const bool best = trainer->best && trainer->state.stop_epoch > 0;
    const float *block = best ? trainer->best : st_runner_parameters(trainer->runner);
    return st_runner_unpack(trainer->runner, trainer->config.model->values, block, err);
}

const st_epoch *st_trainer_epochs(const st_trainer *trainer, int *n) {
    *n = trainer->n_epochs;
    return trainer->epochs;
}

strait_status st_trainer_set_epochs(st_trainer *trainer, int n, const st_epoch *epochs, strait_error *err) {
    st_epoch *copy = st_alloc((size_t)n + 1, sizeof *copy);
    if (!copy) return st_fail_memory(err, (size_t)n * sizeof *copy, "the history");
    if (n > 0) memcpy(copy, epochs, (size_t)n * sizeof *copy);
    st_free(trainer->epochs);
    trainer->epochs = copy;
    trainer->n_epochs = n;
    return STRAIT_OK;
}

double st_trainer_optimizer_seconds(const st_trainer *trainer) {
    return trainer->optimizer_seconds;
}
st_train_state *st_trainer_state(st_trainer *trainer) {
    return &trainer->state;
}
st_stepper *st_trainer_stepper(st_trainer *trainer) {
    return &trainer->stepper;
}
st_runner *st_trainer_runner(st_trainer *trainer) {
    return trainer->runner;
}
float *st_trainer_best(st_trainer *trainer) {
    return trainer->best;
}
const strait_model *st_trainer_model(const st_trainer *trainer) {
    return trainer->config.model;
}
float *st_trainer_scratch(st_trainer *trainer) {
    trainer->lent = true;
    return st_runner_gradient(trainer->runner, 0);
}
void st_trainer_set_run(st_trainer *trainer, const char *run) {
    trainer->config.run = run;
}

int64_t st_trainer_memory(const st_trainer *trainer) {
    const size_t block = st_runner_block_size(trainer->runner) * sizeof(float);
    const int blocks = st_optimizer_states(&trainer->stepper.settings) + (trainer->best != NULL);
    return st_runner_memory(trainer->runner) + (int64_t)block * blocks + st_batches_memory(trainer->batches);
}
