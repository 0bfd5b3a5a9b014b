#include "api/observe.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "store/diagnosis_file.h"

strait_status st_observation_open(st_observation *observation, const st_trainer_config *config, st_trainer *trainer,
                                  const strait_observer *observer, bool watch, strait_error *err) {
    const st_diagnosis_config diagnosis = {
        .recipe = config->recipe,
        .model = config->model,
        .engine = config->engine,
        .data = config->data,
        .validation = config->validation,
        .offset = config->offset,
        .factor = config->factor,
        .runner = st_trainer_runner(trainer),
        .observer = observer,
    };
    const st_watch_config watched = {
        .recipe = config->recipe,
        .model = config->model,
        .engine = config->engine,
        .data = config->data,
        .validation = config->validation,
        .offset = config->offset,
        .factor = config->factor,
        .threads = config->threads,
        .runner = st_trainer_runner(trainer),
    };
    ST_TRY(st_diagnosis_new(&observation->diagnosis, &diagnosis, err));
    return watch ? st_watch_new(&observation->watch, &watched, err) : STRAIT_OK;
}

void st_observation_close(st_observation *observation) {
    st_diagnosis_free(observation->diagnosis);
    st_watch_free(observation->watch);
    *observation = (st_observation){0};
}

/* The diagnosis as the run's file has it; *out is NULL, and the observer told why, where that cannot be read. */
static strait_status read_before(strait_diagnosis **out, const char *run, const strait_observer *observer,
                                 strait_error *err) {
    strait_error why = {0};
    char *path = st_path_join(run, ST_FILE_DIAGNOSIS);
    if (!path) return st_fail_memory(err, strlen(run), "a path");
    const strait_status status = st_diagnosis_read_file(out, path, &why);
    st_free(path);
    if (status == STRAIT_MEMORY) return st_fail(err, status, "%s", why.message);
    if (status != STRAIT_OK && observer && observer->note) {
        char note[sizeof why.message + 64];
        snprintf(note, sizeof note, "%s; the diagnosis begins anew", why.message);
        observer->note(observer->context, note);
    }
    return STRAIT_OK;
}

strait_status st_observation_resume(st_observation *observation, const char *run, st_trainer *trainer,
                                    strait_error *err) {
    const st_train_state *state = st_trainer_state(trainer);
    if (state->steps == 0) return STRAIT_OK; /* the trainer will begin with epoch 0 */
    strait_diagnosis *before = NULL;
    ST_TRY(read_before(&before, run, st_diagnosis_observer(observation->diagnosis), err));
    return st_diagnosis_restore(observation->diagnosis, before, state, err);
}

static strait_status write_diagnosis(const char *run, const strait_diagnosis *result, strait_error *err) {
    char *path = st_path_join(run, ST_FILE_DIAGNOSIS);
    if (!path) return st_fail_memory(err, strlen(run), "a path");
    const strait_status status = st_diagnosis_write(path, result, err);
    st_free(path);
    return status;
}

strait_status st_observation_epoch(st_observation *observation, const char *run, st_trainer *trainer, int64_t epoch,
                                   strait_error *err) {
    st_diagnosis *diagnosis = observation->diagnosis;
    if (epoch == 0) {
        ST_TRY(st_diagnosis_begin(diagnosis, trainer, err));
    } else {
        int n;
        const st_epoch *epochs = st_trainer_epochs(trainer, &n);
        ST_TRY(st_diagnosis_epoch(diagnosis, trainer, &epochs[n - 1], err));
    }
    if (!run) return STRAIT_OK;
    ST_TRY(write_diagnosis(run, st_diagnosis_result(diagnosis), err));
    return observation->watch ? st_watch_epoch(observation->watch, run, epoch, err) : STRAIT_OK;
}
