/* A sweep that was begun, by its folder: found again, and deleted with its runs. */
#include <stdio.h>
#include <string.h>
#include "api/sweep.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "store/run_store.h"

strait_status st_sweep_name_runs(strait_sweep *sweep, strait_error *err) {
    for (int t = 0; t < sweep->n_trials; t++) {
        strait_sweep_trial *trial = &sweep->trial[t];
        const int n = snprintf(trial->run, sizeof trial->run, "%.500s-%03d", sweep->folder, t + 1);
        if (n < 0 || (size_t)n >= sizeof trial->run || strlen(sweep->folder) >= 500)
            return st_fail(err, STRAIT_ARGUMENT,
                           "%.60s...: the path of the runs' folder is too long; choose a shorter one", sweep->folder);
    }
    return STRAIT_OK;
}

/* The folder of a sweep given by it or by its name in runs/: without slashes at its end, the caller's. */
static strait_status find_sweep(char **out, const char *sweep, strait_error *err) {
    size_t n = strlen(sweep);
    while (n > 1 && sweep[n - 1] == '/')
        n--;
    char *given = st_strndup(sweep, n), *in_runs = given ? st_path_join("runs", given) : NULL;
    strait_status status = in_runs ? STRAIT_NOT_FOUND : st_fail_memory(err, n, "a path");
    char *const place[] = {given, in_runs};
    *out = NULL;
    for (int i = 0; i < 2 && status == STRAIT_NOT_FOUND; i++) {
        char *path = st_path_join(place[i], ST_FILE_BASE);
        if (!path) status = st_fail_memory(err, n, "a path");
        if (path && st_path_exists(path)) {
            *out = st_strdup(place[i]);
            status = *out ? STRAIT_OK : st_fail_memory(err, n, "a path");
        }
        st_free(path);
    }
    st_free(given);
    st_free(in_runs);
    if (status != STRAIT_NOT_FOUND) return status;
    return st_fail(err, status,
                   "no sweep '%.200s': neither a folder with " ST_FILE_BASE " in it nor the name of one in runs/",
                   sweep);
}

strait_status st_sweep_open(strait_sweep **out, strait_recipe **base, const char *sweep, strait_error *err) {
    char *folder = NULL, *path = NULL;
    *out = NULL;
    *base = NULL;
    ST_TRY(find_sweep(&folder, sweep, err));
    path = st_path_join(folder, ST_FILE_BASE);
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK) status = strait_recipe_open(base, path, 0, NULL, err);
    if (status == STRAIT_OK && (*base)->train.threads == 0) (*base)->train.threads = 1;
    if (status == STRAIT_OK) status = strait_sweep_plan(out, *base, err);
    if (status == STRAIT_OK) {
        snprintf((*out)->folder, sizeof(*out)->folder, "%s", folder);
        status = st_sweep_name_runs(*out, err);
    }
    st_free(path);
    st_free(folder);
    return status;
}

/* ---- deleting ---- */

/* Refuses before anything is deleted: each of these may have a file that is not ours, or be under way. */
static strait_status check_runs(int *n_runs, const strait_sweep *sweep, strait_error *err) {
    *n_runs = 0;
    for (int t = 0; t < sweep->n_trials; t++) {
        const char *run = sweep->trial[t].run;
        if (!st_path_is_folder(run)) continue;
        ++*n_runs;
        if (st_run_probe(run) == ST_RUN_HELD)
            return st_fail(err, STRAIT_ARGUMENT, "%s: this run of the sweep is under way; interrupt its training first",
                           run);
        ST_TRY(st_run_removable(run, err));
    }
    return st_sweep_removable(sweep->folder, err);
}

/* A folder without a recipe in it is none that strait_run_delete knows: killed at birth. */
static strait_status delete_run(const char *run, strait_error *err) {
    strait_error why = {0};
    if (!st_path_is_folder(run)) return STRAIT_OK;
    const strait_status status = strait_run_delete(run, &why);
    if (status == STRAIT_NOT_FOUND) return st_run_remove(run, err);
    return status == STRAIT_OK ? status : st_fail(err, status, "%s", why.message);
}

static strait_status delete_held(const strait_sweep *sweep, strait_error *err) {
    int n_runs = 0;
    ST_TRY(check_runs(&n_runs, sweep, err));
    for (int t = 0; t < sweep->n_trials; t++)
        ST_TRY(delete_run(sweep->trial[t].run, err));
    return st_sweep_remove(sweep->folder, err);
}

STRAIT_API strait_status strait_sweep_delete(const char *sweep, strait_error *err) {
    if (!sweep) return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_delete: sweep is NULL");
    strait_sweep *found = NULL;
    strait_recipe *base = NULL;
    int lock = -1;
    strait_status status = st_sweep_open(&found, &base, sweep, err);
    if (status == STRAIT_OK && st_run_probe(found->folder) == ST_RUN_HELD)
        status = st_fail(err, STRAIT_ARGUMENT, "%s: this sweep is under way; interrupt it first", found->folder);
    if (status == STRAIT_OK) status = st_run_lock(&lock, found->folder, err);
    if (status == STRAIT_OK) status = delete_held(found, err);
    st_run_unlock(lock);
    strait_recipe_free(base);
    strait_sweep_free(found);
    return status;
}

STRAIT_API strait_status strait_sweep_runs(int *n_runs, const char *sweep, strait_error *err) {
    if (!n_runs || !sweep) return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_runs: n_runs or sweep is NULL");
    strait_sweep *found = NULL;
    strait_recipe *base = NULL;
    *n_runs = 0;
    const strait_status status = st_sweep_open(&found, &base, sweep, err);
    for (int t = 0; status == STRAIT_OK && t < found->n_trials; t++)
        *n_runs += st_path_is_folder(found->trial[t].run);
    strait_recipe_free(base);
    strait_sweep_free(found);
    return status;
}
