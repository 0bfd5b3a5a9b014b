/* The store of runs, as the public functions show it: the index is opened, asked, and made to agree with the folders.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/run_files.h"
#include "api/run_record.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "model/model.h"
#include "store/run_fields.h"

#define RUNS_FOLDER "runs"
#define MAX_RECIPE ((size_t)1 << 20)

STRAIT_API const char *strait_run_column(size_t i) {
    return i < ST_RUN_FIELDS ? st_run_fields[i].name : NULL;
}

STRAIT_API strait_run_kind strait_run_value(char out[1024], const strait_run *run, const char *column) {
    const st_run_field *field = run && column ? st_run_field_find(column) : NULL;
    out[0] = 0;
    if (!field) return STRAIT_RUN_NONE;
    if (field->type == ST_FIELD_TEXT) {
        snprintf(out, 1024, "%s", st_run_text(run, field));
        return out[0] ? STRAIT_RUN_TEXT : STRAIT_RUN_NONE;
    }
    const double number = st_run_number(run, field);
    if (!isfinite(number)) return STRAIT_RUN_NONE;
    if (field->type == ST_FIELD_REAL)
        st_print_double(out, number);
    else
        snprintf(out, 1024, "%lld", (long long)st_run_whole(run, field));
    return STRAIT_RUN_NUMBER;
}

STRAIT_API strait_status strait_runs_csv(char **out, const strait_runs *runs, strait_error *err) {
    if (!out || !runs) return st_fail(err, STRAIT_ARGUMENT, "strait_runs_csv: out or runs is NULL");
    st_text text = {0};
    char value[1024];
    for (size_t i = 0; i < ST_RUN_FIELDS; i++)
        st_text_add(&text, "%s%s", i ? "," : "", st_run_fields[i].name);
    st_text_add(&text, "\n");
    for (int r = 0; r < runs->n; r++) {
        for (size_t i = 0; i < ST_RUN_FIELDS; i++) {
            strait_run_value(value, &runs->run[r], st_run_fields[i].name);
            if (i) st_text_add(&text, ",");
            st_text_add_cell(&text, value);
        }
        st_text_add(&text, "\n");
    }
    return st_text_take(out, &text, err);
}

STRAIT_API strait_status strait_runs_export(const strait_runs *runs, const char *path, strait_error *err) {
    char *csv = NULL;
    if (!path) return st_fail(err, STRAIT_ARGUMENT, "strait_runs_export: path is NULL");
    ST_TRY(strait_runs_csv(&csv, runs, err));
    const strait_status status = st_file_write_all(path, csv, strlen(csv), err);
    st_free(csv);
    return status;
}

/* ---- one run ---- */

/* What an older run's files do not tell, but its layers do. */
static strait_status take_layers(strait_run *run, const strait_recipe *recipe, strait_error *err) {
    st_graph *graph = NULL;
    ST_TRY(st_model_graph(&graph, recipe, true, true, err));
    run->parameters = graph->n_values;
    run->latent = (int)st_shape_count(&graph->tensor[graph->latent].shape);
    st_graph_free(graph);
    return STRAIT_OK;
}

static strait_status open_folder(strait_run *out, const char *folder, strait_error *err) {
    strait_recipe *recipe = NULL;
    strait_status status = st_run_read_any(out, &recipe, folder, err);
    if (status == STRAIT_OK && recipe) status = take_layers(out, recipe, err);
    strait_recipe_free(recipe);
    return status;
}

STRAIT_API strait_status strait_run_open(strait_run *out, const char *run, strait_error *err) {
    if (!out || !run) return st_fail(err, STRAIT_ARGUMENT, "strait_run_open: out or run is NULL");
    char *folder = NULL;
    ST_TRY(st_run_find(&folder, run, err));
    const strait_status status = open_folder(out, folder, err);
    st_free(folder);
    return status;
}

/* ---- scanning ---- */

/* recipe.yaml and history.csv of a run; what cannot be read is left out, but for want of memory. */
static strait_status read_files(char **yaml, st_history_row **rows, int *n, const char *folder, strait_error *err) {
    size_t size;
    char *recipe = st_path_join(folder, ST_FILE_RECIPE), *csv = st_path_join(folder, "history.csv");
    strait_status status = recipe && csv ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK && st_file_read(yaml, &size, recipe, MAX_RECIPE, err) == STRAIT_MEMORY)
        status = STRAIT_MEMORY;
    if (status == STRAIT_OK && st_history_read(rows, n, csv, err) == STRAIT_MEMORY) status = STRAIT_MEMORY;
    st_free(csv);
    st_free(recipe);
    return status;
}

/* A run whose files are damaged is in the index all the same, by its name: nobody should have to miss it. */
static strait_status index_run(st_store *store, const char *folder, strait_error *err) {
    strait_run run;
    st_history_row *rows = NULL;
    char *yaml = NULL;
    int n = 0;
    strait_error why;
    strait_status status = open_folder(&run, folder, &why);
    if (status == STRAIT_MEMORY) return st_fail(err, status, "%s", why.message);
    if (status == STRAIT_NOT_FOUND && !st_path_is_folder(folder)) return STRAIT_OK; /* deleted meanwhile */
    if (status != STRAIT_OK) {
        st_run_clear(&run);
        st_run_set_folder(&run, folder);
        st_run_set_text(&run, st_run_field_find("state"), "damaged");
    }
    const bool damaged = status != STRAIT_OK;
    status = read_files(&yaml, &rows, &n, folder, err);
    if (status == STRAIT_OK) {
        status = st_store_put_whole(store, &run, damaged ? "" : yaml ? yaml : "", n, rows, err);
        /* A recipe that is no YAML any more beside a sound record. */
        if (status == STRAIT_RECIPE) status = st_store_put_whole(store, &run, "", n, rows, err);
    }
    st_free(rows);
    st_free(yaml);
    return status;
}

static bool is_listed(const strait_runs *runs, const char *name) {
    for (int i = 0; i < runs->n; i++)
        if (strcmp(runs->run[i].name, name) == 0) return true;
    return false;
}

strait_status st_runs_index(int *n_added, int *n_dropped, st_store *store, const char *dir, strait_error *err) {
    strait_runs *before = NULL;
    char **names = NULL;
    size_t n = 0;
    int added = 0, dropped = 0;
    strait_status status = st_store_list(&before, store, err);
    if (status == STRAIT_OK) status = st_run_names(&names, &n, dir, err);
    for (size_t i = 0; status == STRAIT_OK && i < n; i++) {
        char *folder = st_path_join(dir, names[i]);
        status = folder ? index_run(store, folder, err) : st_fail_memory(err, strlen(dir), "a path");
        st_free(folder);
        added += status == STRAIT_OK && !is_listed(before, names[i]);
    }
    for (int i = 0; status == STRAIT_OK && i < before->n; i++) {
        if (st_path_is_folder(before->run[i].folder)) continue;
        status = st_store_remove(store, before->run[i].name, err);
        dropped++;
    }
    st_run_free_names(names, n);
    strait_runs_free(before);
    if (n_added) *n_added = added;
    if (n_dropped) *n_dropped = dropped;
    return status;
}

static strait_status check_folder(const char *dir, strait_error *err) {
    if (st_path_is_folder(dir)) return STRAIT_OK;
    return st_fail(err, STRAIT_NOT_FOUND, "%s: no such folder; it is made by the first training", dir);
}

STRAIT_API strait_status strait_runs_scan(int *n_added, int *n_dropped, const char *dir, strait_error *err) {
    if (!dir) dir = RUNS_FOLDER;
    if (n_added) *n_added = 0;
    if (n_dropped) *n_dropped = 0;
    ST_TRY(check_folder(dir, err));
    st_store *store = NULL;
    strait_error why = {0};
    strait_status status = st_store_open(&store, dir, true, &why);
    if (status == STRAIT_FORMAT) { /* what is damaged is kept under another name */
        status = st_store_set_aside(dir, &why);
        if (status == STRAIT_OK) status = st_store_open(&store, dir, true, &why);
    }
    if (status != STRAIT_OK) return st_fail(err, status, "%s", why.message);
    status = st_runs_index(n_added, n_dropped, store, dir, &why);
    st_store_close(store);
    if (status == STRAIT_FORMAT) { /* damage that shows only now */
        store = NULL;
        status = st_store_set_aside(dir, err);
        if (status == STRAIT_OK) status = st_store_open(&store, dir, true, err);
        if (status == STRAIT_OK) status = st_runs_index(n_added, n_dropped, store, dir, err);
        st_store_close(store);
        return status;
    }
    return status == STRAIT_OK ? status : st_fail(err, status, "%s", why.message);
}

/* The index, or one made in memory from the folders where there is none, or one that this process may not open. */
static strait_status open_index(st_store **out, const char *dir, strait_error *err) {
    strait_error why;
    strait_status status = st_store_open(out, dir, false, &why);
    if (status != STRAIT_NOT_FOUND && status != STRAIT_IO)
        return status == STRAIT_OK ? status : st_fail(err, status, "%s", why.message);
    ST_TRY(st_store_open_memory(out, dir, err));
    status = st_runs_index(NULL, NULL, *out, dir, err);
    if (status != STRAIT_OK) {
        st_store_close(*out);
        *out = NULL;
    }
    return status;
}

STRAIT_API strait_status strait_runs_list(strait_runs **out, const char *dir, const char *sort, const char *filter,
                                          strait_error *err) {
    if (!out) return st_fail(err, STRAIT_ARGUMENT, "strait_runs_list: out is NULL");
    *out = NULL;
    if (!dir) dir = RUNS_FOLDER;
    st_store *store = NULL;
    ST_TRY(check_folder(dir, err));
    ST_TRY(open_index(&store, dir, err));
    const strait_status status = st_store_query(out, store, sort, filter, err);
    st_store_close(store);
    return status;
}

/* ---- deleting ---- */

STRAIT_API strait_status strait_run_delete(const char *run, strait_error *err) {
    if (!run) return st_fail(err, STRAIT_ARGUMENT, "strait_run_delete: run is NULL");
    char *folder = NULL, *dir = NULL;
    int lock = -1;
    ST_TRY(st_run_find(&folder, run, err));
    strait_run record;
    dir = st_path_folder(folder);
    strait_status status = dir ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK && st_run_read(&record, folder, NULL) == STRAIT_OK && strcmp(record.state, "running") == 0)
        status = st_fail(err, STRAIT_ARGUMENT, "%s: this run is under way; interrupt its training first", folder);
    if (status == STRAIT_OK) status = st_run_lock(&lock, folder, err);
    if (status == STRAIT_OK) status = st_run_remove(folder, err);
    if (status == STRAIT_OK) {
        st_store *store = NULL;
        /* The folder is gone, and with it the run: an index that cannot be written leaves it out on its own. */
        if (st_store_open(&store, dir, false, NULL) == STRAIT_OK) st_store_remove(store, st_path_name(folder), NULL);
        st_store_close(store);
    }
    st_run_unlock(lock);
    st_free(dir);
    st_free(folder);
    return status;
}
