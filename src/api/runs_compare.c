/* Runs beside one another: what differs in their recipes, what they measured, what they make of the same samples. */
#include <stdlib.h>
#include <string.h>

#include "api/run_files.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/data.h"
#include "model/model.h"
#include "store/run_store.h"

#define MAX_RECIPE ((size_t)1 << 20)

/* ---- differences ---- */

/* Keys in the order they were first met, each with a value a run. */
typedef struct table {
    int n_runs, run; /* being read */
    size_t n, capacity;
    char **key;
    char **value; /* [n, n_runs]; NULL: the run has no such key */
    size_t next;  /* where the next key is likely: recipes have them in the same order */
} table;

static void free_table(table *t) {
    for (size_t i = 0; i < t->n; i++)
        st_free(t->key[i]);
    for (size_t i = 0; i < t->n * (size_t)t->n_runs; i++)
        st_free(t->value[i]);
    st_free(t->key);
    st_free(t->value);
}

static size_t find_key(const table *t, const char *key) {
    if (t->next < t->n && strcmp(t->key[t->next], key) == 0) return t->next;
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->key[i], key) == 0) return i;
    return t->n;
}

static bool grow(table *t) {
    if (t->n < t->capacity) return true;
    const size_t capacity = t->capacity ? 2 * t->capacity : 64, n_runs = (size_t)t->n_runs;
    char **key = st_realloc(t->key, capacity, sizeof *key);
    if (key) t->key = key;
    char **value = key ? st_realloc(t->value, capacity * n_runs, sizeof *value) : NULL;
    if (!value) return false;
    memset(value + t->n * n_runs, 0, (capacity - t->n) * n_runs * sizeof *value);
    t->value = value;
    t->capacity = capacity;
    return true;
}

static strait_status take_key(void *context, const char *path, const char *value, strait_error *err) {
    table *t = context;
    const size_t at = find_key(t, path);
    if (at == t->n) {
        char *key = grow(t) ? st_strdup(path) : NULL;
        if (!key) return st_fail_memory(err, strlen(path), "a recipe's keys");
        t->key[t->n++] = key;
    }
    char **cell = &t->value[at * (size_t)t->n_runs + (size_t)t->run];
    st_free(*cell);
    *cell = st_strdup(value);
    t->next = at + 1;
    return *cell ? STRAIT_OK : st_fail_memory(err, strlen(value), "a recipe's keys");
}

static strait_status take_recipe(table *t, const char *run, strait_error *err) {
    char *folder = NULL, *path = NULL, *yaml = NULL;
    size_t n;
    ST_TRY(st_run_find(&folder, run, err));
    path = st_path_join(folder, ST_FILE_RECIPE);
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK) status = st_file_read(&yaml, &n, path, MAX_RECIPE, err);
    t->next = 0;
    if (status == STRAIT_OK) status = st_recipe_walk(yaml, path, take_key, t, err);
    st_free(yaml);
    st_free(path);
    st_free(folder);
    return status;
}

static void add_value(st_text *text, const char *value) {
    for (; value && *value; value++)
        st_text_add_bytes(text, (unsigned char)*value < ' ' ? " " : value, 1);
}

static void add_row(st_text *text, const table *t, size_t row) {
    char *const *value = &t->value[row * (size_t)t->n_runs];
    bool same = true;
    for (int i = 1; i < t->n_runs; i++)
        same &= value[0] && value[i] ? strcmp(value[0], value[i]) == 0 : value[0] == value[i];
    if (same) return;
    add_value(text, t->key[row]);
    for (int i = 0; i < t->n_runs; i++) {
        st_text_add(text, "\t");
        add_value(text, value[i]);
    }
    st_text_add(text, "\n");
}

STRAIT_API strait_status strait_runs_differences(char **out, const char *const *runs, int n, strait_error *err) {
    if (!out) return st_fail(err, STRAIT_ARGUMENT, "strait_runs_differences: out is NULL");
    *out = NULL;
    if (!runs || n < 2) return st_fail(err, STRAIT_ARGUMENT, "to compare takes at least two runs");
    table t = {.n_runs = n};
    st_text text = {0};
    strait_status status = STRAIT_OK;
    for (t.run = 0; status == STRAIT_OK && t.run < n; t.run++)
        status = take_recipe(&t, runs[t.run], err);
    for (size_t i = 0; status == STRAIT_OK && i < t.n; i++)
        add_row(&text, &t, i);
    if (status == STRAIT_OK)
        status = st_text_take(out, &text, err);
    else
        st_text_free(&text);
    free_table(&t);
    return status;
}

/* ---- metrics ---- */

STRAIT_API void strait_run_metrics_free(strait_run_metrics *metrics) {
    if (!metrics) return;
    st_free(metrics->epoch); /* one block for all */
    st_free(metrics);
}

static strait_status make_metrics(strait_run_metrics **out, int n, const st_history_row *rows, strait_error *err) {
    const size_t count = (size_t)n;
    strait_run_metrics *metrics = st_alloc(1, sizeof *metrics);
    double *block = st_alloc(8 * count + 1, sizeof *block);
    if (!metrics || !block) {
        st_free(metrics);
        st_free(block);
        return st_fail_memory(err, 8 * count * sizeof *block, "a run's metrics");
    }
    *metrics = (strait_run_metrics){.n = n, .epoch = block};
    double **const column[] = {&metrics->loss,         &metrics->val_loss, &metrics->kl,
                               &metrics->val_kl,       &metrics->seconds,  &metrics->samples_per_second,
                               &metrics->learning_rate};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        *column[i] = block + (i + 1) * count;
    for (int i = 0; i < n; i++) {
        metrics->epoch[i] = rows[i].epoch;
        metrics->loss[i] = rows[i].loss;
        metrics->val_loss[i] = rows[i].val_loss;
        metrics->kl[i] = rows[i].kl;
        metrics->val_kl[i] = rows[i].val_kl;
        metrics->seconds[i] = rows[i].seconds;
        metrics->samples_per_second[i] = rows[i].samples_per_second;
        metrics->learning_rate[i] = rows[i].learning_rate;
    }
    *out = metrics;
    return STRAIT_OK;
}

STRAIT_API strait_status strait_run_metrics_read(strait_run_metrics **out, const char *run, strait_error *err) {
    if (!out || !run) return st_fail(err, STRAIT_ARGUMENT, "strait_run_metrics_read: out or run is NULL");
    *out = NULL;
    char *folder = NULL;
    st_history_row *rows = NULL;
    int n = 0;
    ST_TRY(st_run_find(&folder, run, err));
    char *path = st_path_join(folder, "history.csv");
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK && st_path_exists(path)) status = st_history_read(&rows, &n, path, err);
    if (status == STRAIT_OK) status = make_metrics(out, n, rows, err);
    st_free(rows);
    st_free(path);
    st_free(folder);
    return status;
}

/* ---- the same samples ---- */

/* The data a run is judged by. *data borrows from the two others. */
typedef struct samples {
    strait_recipe *recipe;
    strait_data *train, *validation, *data;
} samples;

static void close_samples(samples *s) {
    strait_data_free(s->data);
    strait_data_free(s->validation);
    strait_data_free(s->train);
    strait_recipe_free(s->recipe);
}

static strait_status open_samples(samples *s, const char *run, int64_t count, strait_error *err) {
    char *folder = NULL;
    ST_TRY(st_run_find(&folder, run, err));
    char *path = st_path_join(folder, ST_FILE_RECIPE);
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK) status = strait_recipe_open(&s->recipe, path, 0, NULL, err);
    if (status == STRAIT_OK) status = st_data_open_splits(&s->train, &s->validation, s->recipe, NULL, NULL, err);
    if (status == STRAIT_OK) {
        strait_data *from = s->validation ? s->validation : s->train;
        const int64_t n = strait_data_count(from);
        status = st_data_slice(&s->data, from, 0, count < n ? count : n, err);
    }
    st_free(path);
    st_free(folder);
    return status;
}

static strait_status scaled_rows(strait_array **out, const samples *s, strait_error *err) {
    double offset, factor;
    ST_TRY(st_data_scaling(&offset, &factor, s->train, s->recipe, err));
    ST_TRY(strait_data_rows(out, s->data, 0, strait_data_count(s->data), err));
    const int64_t n = strait_array_count(*out);
    for (int64_t i = 0; i < n; i++)
        (*out)->values[i] = (float)(((double)(*out)->values[i] - offset) * factor);
    return STRAIT_OK;
}

static strait_status reconstruct_by(strait_array **out, const char *run, strait_data *data, strait_error *err) {
    strait_model *model = NULL;
    strait_error why;
    ST_TRY(strait_model_load(&model, run, err));
    strait_status status = strait_model_reconstruct(out, model, data, NULL, &why);
    if (status != STRAIT_OK) status = st_fail(err, status, "%s: %s", run, why.message);
    strait_model_free(model);
    return status;
}

STRAIT_API strait_status strait_runs_reconstruct(strait_array **originals, strait_array **outputs,
                                                 const char *const *runs, int n, int64_t count, strait_error *err) {
    if (!originals || !outputs || !runs || n < 1 || count < 1)
        return st_fail(err, STRAIT_ARGUMENT, "strait_runs_reconstruct: nothing to reconstruct, or nowhere to");
    samples s = {0};
    *originals = NULL;
    for (int i = 0; i < n; i++)
        outputs[i] = NULL;
    strait_status status = open_samples(&s, runs[0], count, err);
    if (status == STRAIT_OK) status = scaled_rows(originals, &s, err);
    for (int i = 0; status == STRAIT_OK && i < n; i++)
        status = reconstruct_by(&outputs[i], runs[i], s.data, err);
    close_samples(&s);
    if (status == STRAIT_OK) return status;
    strait_array_free(*originals);
    *originals = NULL;
    for (int i = 0; i < n; i++) {
        strait_array_free(outputs[i]);
        outputs[i] = NULL;
    }
    return status;
}
