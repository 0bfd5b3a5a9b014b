/* run.json: one key a line, in the order of st_run_fields. Keys not known here are skipped and missing ones stay
   unknown: the file may be of another version of the program. Nothing is taken over before it was checked. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "store/run_fields.h"
#include "store/run_store.h"

#define FORMAT_NAME "strait run"
#define FORMAT_VERSION 1
#define MAX_FILE ((size_t)1 << 20)

static const char *const states[] = {"running", "complete", "stopped", "interrupted", "diverged", "failed", "damaged"};

/* ---- writing ---- */

static void add_field(st_text *text, const strait_run *run, const st_run_field *field) {
    char number[32] = "null";
    st_text_add(text, ",\n \"%s\": ", field->name);
    switch (field->type) {
    case ST_FIELD_TEXT: st_text_add_json(text, st_run_text(run, field)); return;
    case ST_FIELD_REAL:
        if (isfinite(st_run_number(run, field))) st_print_double(number, st_run_number(run, field));
        st_text_add(text, "%s", number);
        return;
    case ST_FIELD_INT:
    case ST_FIELD_INT64:
    case ST_FIELD_UINT64: st_text_add(text, "%lld", (long long)st_run_whole(run, field)); return;
    }
}

strait_status st_run_write(const strait_run *run, strait_error *err) {
    st_text text = {0};
    st_text_add(&text, "{\"format\": \"" FORMAT_NAME "\", \"format_version\": %d", FORMAT_VERSION);
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++)
        add_field(&text, run, &st_run_fields[i]);
    st_text_add(&text, "}\n");
    char *json = NULL, *path = NULL;
    ST_TRY(st_text_take(&json, &text, err));
    strait_status status = STRAIT_OK;
    path = st_path_join(run->folder, ST_FILE_RUN);
    if (!path)
        status = st_fail_memory(err, strlen(run->folder), "a path");
    else
        status = st_file_write_all(path, json, strlen(json), err);
    st_free(path);
    st_free(json);
    return status;
}

/* ---- reading ---- */

static strait_status wrong(strait_error *err, const char *path, const char *key, const char *wanted) {
    return st_fail(err, STRAIT_FORMAT, "%s: '%s' is not %s: damaged? Without this file the run is read from its %s",
                   path, key, wanted, "recipe.yaml and history.csv");
}

static bool is_line(const json_t *value, size_t size) {
    const char *text = json_string_value(value);
    if (!text || json_string_length(value) >= size || strlen(text) != json_string_length(value)) return false;
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) return false;
    return true;
}

static strait_status read_field(strait_run *run, const st_run_field *field, const json_t *value, const char *path,
                                strait_error *err) {
    if (!value) return STRAIT_OK;
    switch (field->type) {
    case ST_FIELD_TEXT:
        if (!is_line(value, field->size)) return wrong(err, path, field->name, "a text of one line that fits");
        st_run_set_text(run, field, json_string_value(value));
        break;
    case ST_FIELD_REAL:
        if (!json_is_number(value) && !json_is_null(value)) return wrong(err, path, field->name, "a number or null");
        st_run_set_real(run, field, json_is_null(value) ? NAN : json_number_value(value));
        break;
    case ST_FIELD_INT:
    case ST_FIELD_INT64:
    case ST_FIELD_UINT64:
        if (!json_is_integer(value) || !st_run_set_whole(run, field, json_integer_value(value)))
            return wrong(err, path, field->name, "a whole number from 0 up");
        break;
    }
    return STRAIT_OK;
}

static strait_status read_object(strait_run *run, const json_t *root, const char *path, strait_error *err) {
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *version = json_object_get(root, "format_version");
    if (!format || strcmp(format, FORMAT_NAME) != 0 || !json_is_integer(version))
        return st_fail(err, STRAIT_FORMAT, "%s: not the record of a run: its 'format' is not '" FORMAT_NAME "'", path);
    if (json_integer_value(version) != FORMAT_VERSION)
        return st_fail(err, STRAIT_FORMAT, "%s: version %lld of this file; this program reads version %d: update it",
                       path, (long long)json_integer_value(version), FORMAT_VERSION);
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++)
        ST_TRY(read_field(run, &st_run_fields[i], json_object_get(root, st_run_fields[i].name), path, err));
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(run->state, states[i]) == 0) return STRAIT_OK;
    return wrong(err, path, "state", "one of running, complete, stopped, interrupted, diverged, failed");
}

static strait_status read_file(strait_run *run, const char *path, strait_error *err) {
    char *bytes = NULL;
    size_t n = 0;
    json_error_t error = {0};
    ST_TRY(st_file_read(&bytes, &n, path, MAX_FILE, err));
    json_t *root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &error);
    st_free(bytes);
    if (!root && json_error_code(&error) == json_error_out_of_memory) return st_fail_memory(err, n, path);
    if (!root) return st_fail(err, STRAIT_FORMAT, "%s:%d: not JSON: %s", path, error.line, error.text);
    const strait_status status = read_object(run, root, path, err);
    json_decref(root);
    return status;
}

strait_status st_run_read(strait_run *out, const char *folder, strait_error *err) {
    st_run_clear(out);
    char *path = st_path_join(folder, ST_FILE_RUN);
    if (!path) return st_fail_memory(err, strlen(folder), "a path");
    const strait_status status = read_file(out, path, err);
    st_free(path);
    st_run_set_folder(out, folder);
    if (status == STRAIT_OK && strcmp(out->state, "running") == 0 && st_run_probe(folder) == ST_RUN_FREE)
        memcpy(out->state, "interrupted", sizeof "interrupted");
    return status;
}

/* ---- runs without a run.json ---- */

void st_run_take_recipe(strait_run *run, const strait_recipe *recipe) {
    char names[256] = "";
    for (int i = 0, at = 0; i < recipe->train.loss.n; i++) /* at most ST_MAX_LOSS_TERMS short names: they fit */
        at += snprintf(names + at, sizeof names - (size_t)at, "%s%s", i ? " + " : "",
                       st_loss_name(recipe->train.loss.term[i].kind));
    st_run_set_text(run, st_run_field_find("loss_name"), names);
    st_run_set_text(run, st_run_field_find("recipe"), recipe->name);
    st_run_set_text(run, st_run_field_find("optimizer"), st_optimizer_name(recipe->train.optimizer.kind));
    st_run_set_text(run, st_run_field_find("source"), recipe->data.source ? recipe->data.source : "");
    run->seed = recipe->seed;
    run->learning_rate = recipe->train.optimizer.learning_rate;
    run->epochs_asked = (int)recipe->train.epochs;
    run->batch_size = (int)recipe->train.batch_size;
    run->threads = (int)recipe->train.threads;
    run->micro_batch = (int)recipe->train.micro_batch;
}

static void take_history(strait_run *run, int n, const st_history_row *rows) {
    run->epochs = n;
    run->seconds = 0;
    for (int i = 0; i < n; i++) {
        const double watched = isnan(rows[i].val_loss) ? rows[i].loss : rows[i].val_loss;
        if (isfinite(rows[i].seconds)) run->seconds += rows[i].seconds;
        if (run->best_epoch > 0 && !(watched < run->best_loss)) continue;
        run->best_epoch = rows[i].epoch;
        run->best_loss = watched;
    }
    if (n == 0) return;
    run->loss = rows[n - 1].loss;
    run->val_loss = rows[n - 1].val_loss;
    run->samples_per_second = rows[n - 1].samples_per_second;
}

/* A path in the folder; NULL, with err filled in, when there is no memory. */
static char *in_folder(const char *folder, const char *name, strait_error *err) {
    char *path = st_path_join(folder, name);
    if (!path) st_fail_memory(err, strlen(folder), "a path");
    return path;
}

static strait_status reconstruct(strait_run *out, strait_recipe **recipe, const char *folder, strait_error *err) {
    st_history_row *rows = NULL;
    int n = 0;
    char *yaml = in_folder(folder, "recipe.yaml", err), *csv = yaml ? in_folder(folder, "history.csv", err) : NULL,
         *model = csv ? in_folder(folder, "model.safetensors", err) : NULL;
    strait_status status = model ? STRAIT_OK : STRAIT_MEMORY;
    if (status == STRAIT_OK) status = strait_recipe_open(recipe, yaml, 0, NULL, err);
    if (status == STRAIT_OK && st_path_exists(csv)) status = st_history_read(&rows, &n, csv, err);
    if (status == STRAIT_OK) {
        st_run_clear(out);
        st_run_set_folder(out, folder);
        st_run_take_recipe(out, *recipe);
        take_history(out, n, rows);
        const bool complete = st_path_exists(model);
        const char *state = !complete ? "interrupted" : n < out->epochs_asked ? "stopped" : "complete";
        st_run_set_text(out, st_run_field_find("state"), st_run_probe(folder) == ST_RUN_HELD ? "running" : state);
    }
    st_free(rows);
    st_free(model);
    st_free(csv);
    st_free(yaml);
    return status;
}

strait_status st_run_read_any(strait_run *out, strait_recipe **recipe, const char *folder, strait_error *err) {
    strait_recipe *own = NULL;
    if (recipe) *recipe = NULL;
    char *path = in_folder(folder, ST_FILE_RUN, err);
    if (!path) return STRAIT_MEMORY;
    const bool there = st_path_exists(path);
    st_free(path);
    if (there) return st_run_read(out, folder, err);
    const strait_status status = reconstruct(out, &own, folder, err);
    if (recipe && status == STRAIT_OK)
        *recipe = own;
    else
        strait_recipe_free(own);
    return status;
}
