/* strait_sweep_run and strait_sweep_resume: trials trained, several at once, rung by rung.

   Invariants:
   1. The run folders are the truth. Where a trial stands is read from its own; a resume and a first run go the same
   way, and find nothing to do where nothing is left.
   2. Who stays after a rung follows from the trials' histories up to that rung's epochs: not from how many train at
   once, nor from how often the sweep was interrupted.
   3. What is shared between the threads is touched under the session's mutex. While trials train nobody writes to their
   structs but under it: a thread reads its trial into a copy, and puts that in place when the trial has ended. */
#include "api/sweep.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/run_files.h"
#include "api/run_record.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "base/thread.h"

#define MAX_JOBS 1024

typedef struct session {
    const strait_sweep_options *options;
    strait_sweep *sweep;
    strait_recipe *base; /* with its sweep, threads filled in */
    char *yaml;          /* of the base */
    int lock;            /* on the sweep's folder */
    /* of the rung under way */
    int rung, n_todo;
    int *todo; /* [n_trials] trials that stay in the sweep */
    atomic_int next;
    /* shared */
    pthread_mutex_t mutex;
    atomic_bool stopping; /* asked to, or a trial failed */
    strait_status status; /* the first failure */
    strait_error err;
    strait_sweep_progress progress;
    double start;
    int64_t epochs_here; /* trained by this call */
} session;

/* One trial in a rung, as its observer sees it. */
typedef struct watched {
    session *s;
    int t, target; /* epochs after which it makes room */
    int epoch;     /* the last complete one */
} watched;

static const strait_sweep_options defaults;

/* The epochs after which trial t makes room in the rung under way. */
static int target_of(const session *s, int t) {
    const bool last = s->rung + 1 >= s->sweep->n_rungs;
    return last ? s->sweep->trial[t].epochs_asked : s->sweep->rung_epochs[s->rung];
}

/* ---- progress; all under the mutex ---- */

static strait_sweep_progress *progress_of(session *s, int t, int epoch, double loss) {
    strait_sweep_progress *p = &s->progress;
    p->trial = t;
    p->epoch = epoch;
    p->epochs = target_of(s, t);
    p->val_loss = loss;
    p->seconds = st_clock() - s->start;
    p->seconds_left =
        s->epochs_here > 0 ? p->seconds * (double)(p->epochs_planned - p->epochs_done) / (double)s->epochs_here : NAN;
    return p;
}

static void on_epoch(void *context, const strait_progress *progress) {
    watched *w = context;
    session *s = w->s;
    w->epoch = progress->epoch;
    const double loss = isnan(progress->val_loss) ? progress->loss : progress->val_loss;
    pthread_mutex_lock(&s->mutex);
    s->epochs_here++;
    s->progress.epochs_done++;
    if (s->options->observer.epoch)
        s->options->observer.epoch(s->options->observer.context, progress_of(s, w->t, w->epoch, loss));
    pthread_mutex_unlock(&s->mutex);
}

/* Ends a training for good, or where its rung ends: there it is interrupted, so that it can go on to the same bits. */
static bool on_stop(void *context) {
    watched *w = context;
    session *s = w->s;
    const strait_sweep_observer *observer = &s->options->observer;
    if (!atomic_load(&s->stopping) && observer->stop) {
        pthread_mutex_lock(&s->mutex);
        if (observer->stop(observer->context)) atomic_store(&s->stopping, true);
        pthread_mutex_unlock(&s->mutex);
    }
    return atomic_load(&s->stopping) || w->epoch >= w->target;
}

/* The training's own sentences (early stopping, findings) are in its run; only that a run is not indexed is told. */
static void on_note(void *context, const char *sentence) {
    watched *w = context;
    const strait_sweep_observer *observer = &w->s->options->observer;
    if (!observer->note || !strstr(sentence, "index of runs")) return;
    pthread_mutex_lock(&w->s->mutex);
    observer->note(observer->context, sentence);
    pthread_mutex_unlock(&w->s->mutex);
}

static void keep_failure(session *s, strait_status status, const strait_error *err) {
    pthread_mutex_lock(&s->mutex);
    if (s->status == STRAIT_OK || (s->status == STRAIT_INTERRUPTED && status != STRAIT_INTERRUPTED)) {
        s->status = status;
        s->err = *err;
    }
    atomic_store(&s->stopping, true);
    pthread_mutex_unlock(&s->mutex);
}

/* ---- where a trial stands ---- */

static bool is_state(const strait_sweep_trial *trial, const char *state) {
    return strcmp(trial->state, state) == 0;
}

/* Nothing is left to train in it. */
static bool is_over(const strait_sweep_trial *trial) {
    return is_state(trial, "complete") || is_state(trial, "stopped") || is_state(trial, "diverged");
}

static void set_state(strait_sweep_trial *trial, const char *state) {
    snprintf(trial->state, sizeof trial->state, "%s", state);
}

static strait_status has_checkpoint(bool *out, const char *folder, strait_error *err) {
    char *path = st_path_join(folder, ST_FILE_CHECKPOINT);
    if (!path) return st_fail_memory(err, strlen(folder), "a path");
    *out = st_path_exists(path);
    st_free(path);
    return STRAIT_OK;
}

/* Its history, the caller's; none before the first epoch's end. */
static strait_status read_history(st_history_row **rows, int *n, const char *folder, strait_error *err) {
    char *path = st_path_join(folder, "history.csv");
    *rows = NULL;
    *n = 0;
    if (!path) return st_fail_memory(err, strlen(folder), "a path");
    const strait_status status = st_path_exists(path) ? st_history_read(rows, n, path, err) : STRAIT_OK;
    st_free(path);
    return status;
}

/* From its run folder, as judged after so many epochs. A folder without a checkpoint is none: killed at birth. Reads
   into *trial: trial t itself, or a copy of it. */
static strait_status read_trial(strait_sweep_trial *trial, const session *s, int t, int epochs, strait_error *err) {
    bool begun = false;
    strait_run run = {0};
    st_history_row *rows = NULL;
    int n = 0;
    strait_recipe *recipe = NULL;
    ST_TRY(has_checkpoint(&begun, trial->run, err));
    if (!begun) return STRAIT_OK;
    ST_TRY(st_run_read_any(&run, NULL, trial->run, err));
    ST_TRY(st_sweep_recipe(&recipe, s->sweep, s->yaml, t, err));
    const strait_status status = read_history(&rows, &n, trial->run, err);
    const double score = st_sweep_score(recipe, rows, n, epochs);
    strait_recipe_free(recipe);
    ST_TRY(status);
    const bool dropped = is_state(trial, "dropped");
    set_state(trial, strcmp(run.state, "running") == 0 || strcmp(run.state, "failed") == 0 ? "interrupted" : run.state);
    if (dropped && !is_over(trial)) set_state(trial, "dropped");
    trial->epochs = n;
    trial->seconds = run.seconds;
    trial->loss = n > 0 ? rows[n - 1].loss : NAN;
    trial->val_loss = n > 0 ? rows[n - 1].val_loss : NAN;
    trial->score = is_state(trial, "diverged") ? INFINITY : score;
    st_free(rows);
    return STRAIT_OK;
}

/* ---- one trial ---- */

static strait_train_options options_of(session *s, watched *w) {
    return (strait_train_options){
        .run = s->sweep->trial[w->t].run,
        .command = s->options->command,
        .observer = {.context = w, .epoch_end = on_epoch, .stop = on_stop, .note = on_note},
    };
}

static strait_status train_new(session *s, watched *w, strait_error *err) {
    strait_recipe *recipe = NULL;
    const strait_train_options options = options_of(s, w);
    if (st_path_is_folder(options.run)) ST_TRY(st_run_remove(options.run, err)); /* killed at birth */
    ST_TRY(st_sweep_recipe(&recipe, s->sweep, s->yaml, w->t, err));
    const strait_status status = strait_train(NULL, NULL, recipe, &options, err);
    strait_recipe_free(recipe);
    return status;
}

/* A run that was killed after its end was written, but before that was recorded, has nothing left to train: ARGUMENT.
 */
static strait_status resume_trial(session *s, watched *w, bool *finished, strait_error *err) {
    const strait_train_options options = options_of(s, w);
    if (st_run_probe(options.run) == ST_RUN_HELD)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: another process is training it; the sweep goes on when that has ended", options.run);
    strait_error why = {0};
    const strait_status status = strait_train_resume(NULL, NULL, options.run, 0, &options, &why);
    *finished = status == STRAIT_ARGUMENT;
    if (*finished || status == STRAIT_OK) return STRAIT_OK;
    return st_fail(err, status, "%s", why.message);
}

/* What the rung asks for is trained, or cannot be: shown to the others, and in the sweep's files. */
static strait_status end_trial(session *s, const watched *w, const strait_sweep_trial *trial, strait_error *err) {
    const int target = target_of(s, w->t);
    const double loss = isnan(trial->val_loss) ? trial->loss : trial->val_loss;
    pthread_mutex_lock(&s->mutex);
    s->sweep->trial[w->t] = *trial;
    if (trial->epochs < target) s->progress.epochs_planned -= target - trial->epochs; /* it ended early */
    s->progress.running--;
    s->progress.finished++;
    const strait_status status = st_sweep_write(s->sweep, s->base, err);
    if (s->options->observer.trial && status == STRAIT_OK)
        s->options->observer.trial(s->options->observer.context, progress_of(s, w->t, trial->epochs, loss));
    pthread_mutex_unlock(&s->mutex);
    return status;
}

/* Trains trial t up to the rung's epochs. A divergence is a result. */
static strait_status train_trial(session *s, int t, strait_error *err) {
    strait_sweep_trial trial = s->sweep->trial[t];
    watched w = {.s = s, .t = t, .target = target_of(s, t), .epoch = trial.epochs};
    bool begun = false, finished = false;
    pthread_mutex_lock(&s->mutex);
    s->progress.running++;
    pthread_mutex_unlock(&s->mutex);
    ST_TRY(has_checkpoint(&begun, trial.run, err));
    strait_status status = begun ? resume_trial(s, &w, &finished, err) : train_new(s, &w, err);
    if (status == STRAIT_DIVERGED) status = STRAIT_OK;
    if (status == STRAIT_INTERRUPTED && w.epoch >= w.target) status = STRAIT_OK;
    if (status != STRAIT_OK) return status;
    ST_TRY(read_trial(&trial, s, t, w.target, err));
    if (finished) set_state(&trial, trial.epochs < trial.epochs_asked ? "stopped" : "complete");
    trial.rung = s->rung;
    return end_trial(s, &w, &trial, err);
}

/* ---- a rung ---- */

static void work(void *context) {
    session *s = context;
    for (int i; !atomic_load(&s->stopping) && (i = atomic_fetch_add(&s->next, 1)) < s->n_todo;) {
        strait_error err = {0};
        const strait_status status = train_trial(s, s->todo[i], &err);
        if (status != STRAIT_OK) keep_failure(s, status, &err);
    }
}

static int count_jobs(const session *s) {
    const int threads = (int)s->base->train.threads, fit = st_processors() / threads;
    int jobs = s->options->jobs > 0 ? s->options->jobs : fit;
    if (jobs > s->n_todo) jobs = s->n_todo;
    if (jobs > MAX_JOBS) jobs = MAX_JOBS;
    return jobs < 1 ? 1 : jobs;
}

/* Trains todo[], several at once. This thread is one of those that do. */
static strait_status train_todo(session *s, strait_error *err) {
    const int jobs = count_jobs(s);
    st_thread **thread = st_alloc((size_t)jobs, sizeof(st_thread *));
    strait_error why = {0};
    if (!thread) return st_fail_memory(err, (size_t)jobs * sizeof(st_thread *), "threads");
    atomic_store(&s->next, 0);
    for (int i = 1; i < jobs && s->status == STRAIT_OK; i++) {
        const strait_status status = st_thread_start(&thread[i], work, s, &why);
        if (status != STRAIT_OK) {
            keep_failure(s, status, &why);
            break;
        }
    }
    work(s);
    for (int i = 1; i < jobs; i++)
        st_thread_join(thread[i]);
    st_free(thread);
    if (s->status != STRAIT_OK && s->status != STRAIT_INTERRUPTED) return st_fail(err, s->status, "%s", s->err.message);
    if (!atomic_load(&s->stopping)) return STRAIT_OK;
    return st_fail(err, STRAIT_INTERRUPTED, "%s: interrupted; what was trained is saved", s->sweep->folder);
}

/* Less is better; NAN and infinity last; of equals the first. */
static bool is_before(const strait_sweep *sweep, int a, int b) {
    const double x = sweep->trial[a].score, y = sweep->trial[b].score;
    if (x < y || (!isnan(x) && isnan(y))) return true;
    if (y < x || (!isnan(y) && isnan(x))) return false;
    return a < b;
}

static void sort_trials(const strait_sweep *sweep, int *trial, int n) {
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && is_before(sweep, trial[j], trial[j - 1]); j--) {
            const int other = trial[j];
            trial[j] = trial[j - 1];
            trial[j - 1] = other;
        }
}

static int compare_numbers(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Which of todo[] this rung still has to train; the others have got there. */
static strait_status find_work(session *s, int *staying, int n_staying, strait_error *err) {
    s->n_todo = 0;
    for (int i = 0; i < n_staying; i++) {
        strait_sweep_trial *trial = &s->sweep->trial[staying[i]];
        const int target = target_of(s, staying[i]);
        ST_TRY(read_trial(trial, s, staying[i], target, err));
        const bool last = s->rung + 1 == s->sweep->n_rungs;
        trial->rung = s->rung;
        if (is_over(trial) || (!last && trial->epochs >= target)) {
            s->progress.finished++;
            if (trial->epochs < target) s->progress.epochs_planned -= target - trial->epochs;
        } else {
            s->todo[s->n_todo++] = staying[i];
        }
    }
    return STRAIT_OK;
}

static strait_status run_rungs(session *s, strait_error *err) {
    strait_sweep *sweep = s->sweep;
    int n = sweep->n_trials;
    int *staying = st_alloc((size_t)n, sizeof *staying);
    if (!staying) return st_fail_memory(err, (size_t)n * sizeof *staying, "trials");
    for (int t = 0; t < n; t++)
        staying[t] = t;
    strait_status status = STRAIT_OK;
    for (s->rung = 0; s->rung < sweep->n_rungs && status == STRAIT_OK; s->rung++) {
        s->progress.rung = s->rung;
        s->progress.finished = 0;
        status = find_work(s, staying, n, err);
        if (status == STRAIT_OK && s->n_todo > 0) status = train_todo(s, err);
        const int next = s->rung + 1 < sweep->n_rungs ? sweep->rung_trials[s->rung + 1] : n;
        if (status != STRAIT_OK || next >= n) continue;
        sort_trials(sweep, staying, n);
        for (int i = next; i < n; i++)
            if (!is_over(&sweep->trial[staying[i]])) set_state(&sweep->trial[staying[i]], "dropped");
        n = next;
        qsort(staying, (size_t)n, sizeof *staying, compare_numbers);
        status = st_sweep_write(sweep, s->base, err);
    }
    if (status == STRAIT_OK) {
        sort_trials(sweep, staying, n);
        sweep->best = isfinite(sweep->trial[staying[0]].score) ? staying[0] : -1;
        sweep->complete = true;
    }
    st_free(staying);
    return status;
}

/* ---- the whole ---- */

/* How many epochs all rungs ask for, and how many of these are trained already. */
static strait_status count_epochs(session *s, strait_error *err) {
    const strait_sweep *sweep = s->sweep;
    for (int i = 0; i < sweep->n_rungs; i++)
        s->progress.epochs_planned +=
            (int64_t)sweep->rung_trials[i] * (sweep->rung_epochs[i] - (i > 0 ? sweep->rung_epochs[i - 1] : 0));
    for (int t = 0; t < sweep->n_trials; t++) {
        if (sweep->n_rungs == 1) s->progress.epochs_planned += sweep->trial[t].epochs_asked - sweep->rung_epochs[0];
        ST_TRY(read_trial(&s->sweep->trial[t], s, t, INT32_MAX, err));
        s->progress.epochs_done += sweep->trial[t].epochs;
    }
    return STRAIT_OK;
}

/* After an interruption: what was under way stands elsewhere now. */
static strait_status read_all(session *s, strait_error *err) {
    for (int t = 0; t < s->sweep->n_trials; t++)
        ST_TRY(read_trial(&s->sweep->trial[t], s, t, INT32_MAX, err));
    return STRAIT_OK;
}

/* Trains what is left and writes what came of it. After an interruption too: what there is so far. */
static strait_status run_session(session *s, strait_error *err) {
    const strait_sweep_observer *observer = &s->options->observer;
    ST_TRY(st_sweep_name_runs(s->sweep, err));
    ST_TRY(st_run_lock(&s->lock, s->sweep->folder, err));
    s->todo = st_alloc((size_t)s->sweep->n_trials, sizeof *s->todo);
    if (!s->todo) return st_fail_memory(err, (size_t)s->sweep->n_trials * sizeof *s->todo, "trials");
    ST_TRY(count_epochs(s, err));
    ST_TRY(st_sweep_write(s->sweep, s->base, err));
    s->start = st_clock();
    s->progress.sweep = s->sweep;
    if (observer->begin) observer->begin(observer->context, progress_of(s, 0, 0, NAN));
    const strait_status trained = run_rungs(s, err);
    if (trained == STRAIT_OK && s->sweep->against) ST_TRY(st_sweep_measure(s->sweep, err));
    if (trained == STRAIT_OK || trained == STRAIT_INTERRUPTED) {
        strait_error second = {0};
        strait_status wrote = trained == STRAIT_INTERRUPTED ? read_all(s, &second) : STRAIT_OK;
        if (wrote == STRAIT_OK) wrote = st_sweep_write(s->sweep, s->base, &second);
        if (wrote == STRAIT_OK && trained == STRAIT_OK)
            wrote = st_sweep_write_best(s->sweep, s->options->theme, &second);
        if (wrote != STRAIT_OK) return st_fail(err, wrote, "%s", second.message);
    }
    return trained;
}

static void free_session(session *s) {
    st_run_unlock(s->lock);
    st_free(s->todo);
    strait_string_free(s->yaml);
    strait_recipe_free(s->base);
    strait_sweep_free(s->sweep);
    pthread_mutex_destroy(&s->mutex);
}

static strait_status finish(session *s, strait_sweep **out, strait_status status) {
    if (out && s->sweep && (status == STRAIT_OK || status == STRAIT_INTERRUPTED)) {
        *out = s->sweep;
        s->sweep = NULL;
    }
    free_session(s);
    return status;
}

static void open_session(session *s, const strait_sweep_options *options) {
    *s = (session){.options = options ? options : &defaults, .lock = -1};
    pthread_mutex_init(&s->mutex, NULL); /* of default attributes: does not fail */
}

static bool at_once(void *context) {
    (void)context;
    return true;
}

/* The first trial takes a step in memory, and what trials are measured on is opened: data that is not there or of
   another shape is told before anything is trained or written. */
static strait_status try_first(const session *s, strait_error *err) {
    strait_data *data = NULL;
    strait_recipe *recipe = NULL;
    const strait_train_options options = {.no_run = true, .observer = {.stop = at_once}};
    if (s->sweep->against) ST_TRY(strait_data_open(&data, s->sweep->against, err));
    strait_data_free(data);
    ST_TRY(st_sweep_recipe(&recipe, s->sweep, s->yaml, 0, err));
    const strait_status status = strait_train(NULL, NULL, recipe, &options, err);
    strait_recipe_free(recipe);
    return status == STRAIT_INTERRUPTED || status == STRAIT_DIVERGED ? STRAIT_OK : status;
}

/* The folder out/NAME-sweep-nnn with base.yaml in it. */
static strait_status make_folder(session *s, strait_error *err) {
    char *name = st_format("%s-sweep", s->base->name), *folder = NULL, *path = NULL;
    strait_status status = name ? STRAIT_OK : st_fail_memory(err, strlen(s->base->name), "a name");
    if (status == STRAIT_OK) status = st_run_create(&folder, s->options->out ? s->options->out : "runs", name, err);
    if (status == STRAIT_OK) {
        snprintf(s->sweep->folder, sizeof s->sweep->folder, "%s", folder);
        path = st_path_join(folder, ST_FILE_BASE);
        if (!path) status = st_fail_memory(err, strlen(folder), "a path");
    }
    if (status == STRAIT_OK) status = st_file_write_all(path, s->yaml, strlen(s->yaml), err);
    st_free(path);
    st_free(folder);
    st_free(name);
    return status;
}

STRAIT_API strait_status strait_sweep_run(strait_sweep **out, const strait_recipe *recipe,
                                          const strait_sweep_options *options, strait_error *err) {
    if (out) *out = NULL;
    if (!recipe) return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_run: recipe is NULL");
    session s;
    open_session(&s, options);
    strait_status status = st_recipe_copy(&s.base, recipe, err);
    if (status == STRAIT_OK && s.base->train.threads == 0) s.base->train.threads = 1;
    if (status == STRAIT_OK) status = strait_sweep_plan(&s.sweep, s.base, err);
    if (status == STRAIT_OK) status = strait_recipe_to_yaml(&s.yaml, s.base, err);
    if (status == STRAIT_OK) status = try_first(&s, err);
    if (status == STRAIT_OK) status = make_folder(&s, err);
    if (status == STRAIT_OK) status = run_session(&s, err);
    return finish(&s, out, status);
}

STRAIT_API strait_status strait_sweep_resume(strait_sweep **out, const char *sweep, const strait_sweep_options *options,
                                             strait_error *err) {
    if (out) *out = NULL;
    if (!sweep) return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_resume: sweep is NULL");
    session s;
    open_session(&s, options);
    strait_status status = st_sweep_open(&s.sweep, &s.base, sweep, err);
    if (status == STRAIT_OK) status = strait_recipe_to_yaml(&s.yaml, s.base, err);
    if (status == STRAIT_OK) status = run_session(&s, err);
    return finish(&s, out, status);
}
