/* Reports: gathers what a run holds, computes what it does not (errors of samples, activations), and has the page
   written. A part that cannot be had leaves a sentence in its place; only a lack of memory ends the report. */
#include <strait/report.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/data.h"
#include "recipe/recipe.h"
#include "report/report.h"
#include "store/diagnosis_file.h"
#include "store/run_store.h"

#define MOST_ERRORS 5000 /* samples of each part whose errors are computed */
#define MAX_RECIPE ((size_t)1 << 20)

/* A run as the report wants it, with all that it borrows. */
typedef struct gathered {
    st_report_run shown;
    char *folder, *real, *place, *yaml, *link;
    strait_run run;
    st_setting *settings;
    int n_settings;
    strait_recipe *recipe;
    st_history_row *epochs;
    strait_diagnosis *diagnosis;
    strait_model *model;
    strait_summary *summary;
    strait_data *data[2];
    strait_array *errors[2];
    strait_activations *activations;
} gathered;

static void release(gathered *g) {
    strait_activations_free(g->activations);
    for (int i = 1; i >= 0; i--) {
        strait_array_free(g->errors[i]);
        strait_data_free(g->data[i]);
    }
    strait_summary_free(g->summary);
    strait_model_free(g->model);
    strait_diagnosis_free(g->diagnosis);
    st_free(g->epochs);
    strait_recipe_free(g->recipe);
    for (int i = 0; i < g->n_settings; i++) {
        st_free(g->settings[i].key);
        st_free(g->settings[i].value);
    }
    st_free(g->settings);
    st_free(g->yaml);
    st_free(g->link);
    st_free(g->place);
    st_free(g->real);
    st_free(g->folder);
}

/* Keeps the reason why a part is missing; passes on only what ends the report. */
static strait_status excuse(gathered *g, st_report_part part, strait_status status, const strait_error *why,
                            strait_error *err) {
    if (status == STRAIT_MEMORY && err) *err = *why;
    if (status == STRAIT_OK || status == STRAIT_MEMORY) return status;
    char *out = g->shown.why[part];
    const size_t size = sizeof g->shown.why[part];
    size_t n = strnlen(why->message, sizeof why->message);
    if (n >= size) n = size - 1;
    memcpy(out, why->message, n);
    out[n] = 0;
    return STRAIT_OK;
}

/* ---- files of the run ---- */

static strait_status keep_setting(void *context, const char *path, const char *value, strait_error *err) {
    gathered *g = context;
    st_setting *grown = st_realloc(g->settings, (size_t)g->n_settings + 1, sizeof *grown);
    if (!grown) return st_fail_memory(err, ((size_t)g->n_settings + 1) * sizeof *grown, "the settings");
    g->settings = grown;
    grown[g->n_settings++] = (st_setting){st_strdup(path), st_strdup(value)};
    const st_setting *added = &grown[g->n_settings - 1];
    return added->key && added->value ? STRAIT_OK : st_fail_memory(err, strlen(value), "the settings");
}

/* recipe.yaml: its text, its keys, the recipe. */
static strait_status gather_recipe(gathered *g, strait_error *err) {
    char *path = st_path_join(g->folder, "recipe.yaml");
    size_t n;
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(g->folder), "a path");
    if (status == STRAIT_OK) status = st_file_read(&g->yaml, &n, path, MAX_RECIPE, err);
    if (status == STRAIT_OK) status = st_recipe_walk(g->yaml, path, keep_setting, g, err);
    if (status == STRAIT_OK) status = strait_recipe_open(&g->recipe, path, 0, NULL, err);
    st_free(path);
    g->shown.yaml = g->yaml;
    g->shown.setting = g->settings;
    g->shown.n_settings = g->n_settings;
    return status;
}

static strait_status gather_history(gathered *g, strait_error *err) {
    char *path = st_path_join(g->folder, "history.csv");
    if (!path) return st_fail_memory(err, strlen(g->folder), "a path");
    const strait_status status = st_history_read(&g->epochs, &g->shown.n_epochs, path, err);
    st_free(path);
    g->shown.epoch = g->epochs;
    return status;
}

static strait_status gather_diagnosis(gathered *g, strait_error *err) {
    char *path = st_path_join(g->folder, ST_FILE_DIAGNOSIS);
    if (!path) return st_fail_memory(err, strlen(g->folder), "a path");
    const strait_status status = st_path_exists(path) ? st_diagnosis_read_file(&g->diagnosis, path, err)
                                                      : st_fail(err, STRAIT_NOT_FOUND, "it has no diagnosis.json");
    st_free(path);
    g->shown.diagnosis = g->diagnosis;
    return status;
}

static strait_status gather_run(gathered *g, strait_error *err) {
    char *path = st_path_join(g->folder, ST_FILE_RUN);
    if (!path) return st_fail_memory(err, strlen(g->folder), "a path");
    strait_status status = STRAIT_OK;
    if (st_path_exists(path))
        status = st_run_read(&g->run, g->folder, err);
    else
        status = st_fail(err, STRAIT_NOT_FOUND, "the run has no run.json");
    if (status == STRAIT_OK) g->shown.run = &g->run;
    st_free(path);
    return status;
}

static strait_status gather_model(gathered *g, strait_error *err) {
    ST_TRY(strait_model_load(&g->model, g->folder, err));
    ST_TRY(strait_model_summary(&g->summary, g->model, g->shown.run ? g->run.threads : 0, err));
    g->shown.summary = g->summary;
    return STRAIT_OK;
}

/* ---- what is computed ---- */

static void describe_data(gathered *g, int i) {
    st_report_data *out = &g->shown.data[i];
    out->source = "";
    out->n_samples = strait_data_count(g->data[i]);
    out->n_dims = st_data_shape(g->data[i], out->dim);
}

static strait_status gather_errors(gathered *g, int i, strait_error *err) {
    strait_data *first = NULL;
    const int64_t n = strait_data_count(g->data[i]);
    if (n < 1) return STRAIT_OK;
    ST_TRY(st_data_slice(&first, g->data[i], 0, n < MOST_ERRORS ? n : MOST_ERRORS, err));
    const strait_status status = strait_model_score(&g->errors[i], g->model, first, "mse", NULL, err);
    strait_data_free(first);
    if (status != STRAIT_OK) return status;
    g->shown.data[i].errors = g->errors[i]->values;
    g->shown.data[i].n_errors = g->errors[i]->dim[0];
    return STRAIT_OK;
}

static strait_status gather_data(gathered *g, strait_error *err) {
    ST_TRY(st_data_open_splits(&g->data[0], &g->data[1], g->recipe, NULL, NULL, err));
    for (int i = 0; i < 2; i++) {
        if (!g->data[i]) continue;
        describe_data(g, i);
        if (g->model) ST_TRY(gather_errors(g, i, err));
    }
    return STRAIT_OK;
}

static strait_status gather_activations(gathered *g, strait_error *err) {
    const int i = g->data[1] && strait_data_count(g->data[1]) > 0 ? 1 : 0;
    ST_TRY(strait_model_activations(&g->activations, g->model, g->data[i], 0, err));
    g->shown.activations = g->activations;
    g->shown.sample = i ? "the first validation sample" : "the first training sample";
    return STRAIT_OK;
}

/* ---- a run ---- */

/* The path without links and dots: the caller's; *out stays NULL where the folder is gone. */
static strait_status real_path(char **out, const char *path, strait_error *err) {
    char *real = st_alloc(PATH_MAX, 1);
    if (!real) return st_fail_memory(err, PATH_MAX, "a path");
    if (realpath(path, real)) {
        *out = real;
        return STRAIT_OK;
    }
    st_free(real);
    return STRAIT_OK;
}

/* The folder's last two names, which is how the command to train again names it wherever it was called from. */
static strait_status name_run(gathered *g, strait_error *err) {
    ST_TRY(real_path(&g->real, g->folder, err));
    const char *path = g->real ? g->real : g->folder, *name = st_path_name(path), *parent = name;
    if (parent > path) parent--;
    while (parent > path && parent[-1] != '/')
        parent--;
    g->place = st_strdup(*parent == '/' ? name : parent);
    if (!g->place) return st_fail_memory(err, strlen(path), "a path");
    g->shown.folder = g->folder;
    g->shown.name = name;
    g->shown.place = g->place;
    g->shown.data[0].name = "training";
    g->shown.data[1].name = "validation";
    return STRAIT_OK;
}

/* computed: also what the run's files do not hold. */
static strait_status gather(gathered *g, const char *run, bool computed, strait_error *err) {
    strait_error why = {0};
    ST_TRY(st_run_find(&g->folder, run, err));
    ST_TRY(name_run(g, err));
    ST_TRY(excuse(g, ST_PART_RUN, gather_run(g, &why), &why, err));
    ST_TRY(excuse(g, ST_PART_RECIPE, gather_recipe(g, &why), &why, err));
    ST_TRY(excuse(g, ST_PART_HISTORY, gather_history(g, &why), &why, err));
    ST_TRY(excuse(g, ST_PART_DIAGNOSIS, gather_diagnosis(g, &why), &why, err));
    ST_TRY(excuse(g, ST_PART_MODEL, gather_model(g, &why), &why, err));
    if (!computed || !g->recipe) return STRAIT_OK;
    ST_TRY(excuse(g, ST_PART_DATA, gather_data(g, &why), &why, err));
    if (!g->model || !g->data[0]) return STRAIT_OK;
    return excuse(g, ST_PART_ACTIVATIONS, gather_activations(g, &why), &why, err);
}

/* ---- where the page goes ---- */

/* One run: report.html in its folder. Several: comparison.html beside the first one's. */
static strait_status choose_path(char **out, const gathered *g, int n, strait_error *err) {
    const char *name = st_path_name(g->folder);
    const bool plain = name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    char *parent = n > 1 ? st_path_folder(plain || !g->real ? g->folder : g->real) : NULL;
    *out = n > 1 ? parent ? st_path_join(parent, "comparison.html") : NULL : st_path_join(g->folder, "report.html");
    st_free(parent);
    return *out ? STRAIT_OK : st_fail_memory(err, strlen(g->folder), "a path");
}

/* A path as a link: bytes a URL has no room for become %xx. */
static void add_url(st_text *url, const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    for (const char *at = path; *at; at++)
        st_text_add(url, strchr(plain, *at) ? "%c" : "%%%02X", (unsigned)(unsigned char)*at);
}

/* Where the run's own page lies as seen from the folder `from` (a real path), if there is one. */
static strait_status link_run(gathered *g, const char *from, strait_error *err) {
    char *page = st_path_join(g->real ? g->real : g->folder, "report.html");
    if (!page) return st_fail_memory(err, strlen(g->folder), "a path");
    st_text url = {0};
    size_t same = 0; /* length of what the two paths share, whole names */
    for (size_t i = 0; page[i] == from[i] || (page[i] == '/' && !from[i]); i++) {
        if (page[i] == '/') same = i + 1;
        if (!from[i]) break;
    }
    if (strlen(from) + 1 > same && from[0] == '/' && from[1]) {
        st_text_add(&url, "../");
        for (const char *at = from + same; *at; at++)
            if (*at == '/') st_text_add(&url, "../");
    }
    add_url(&url, page + same);
    const bool exists = st_path_exists(page);
    st_free(page);
    if (!exists) {
        st_text_free(&url);
        return STRAIT_OK;
    }
    const strait_status status = st_text_take(&g->link, &url, err);
    g->shown.link = g->link;
    return status;
}

static strait_status link_runs(gathered *g, int n, const char *path, strait_error *err) {
    char *folder = st_path_folder(path), *from = NULL;
    strait_status status = folder ? real_path(&from, folder, err) : st_fail_memory(err, strlen(path), "a path");
    for (int i = 0; status == STRAIT_OK && from && i < n; i++)
        status = link_run(&g[i], from, err);
    st_free(from);
    st_free(folder);
    return status;
}

static strait_status write_page(char **written, const char *path, gathered *g, int n, strait_error *err) {
    const st_report_run **shown = st_alloc((size_t)n, sizeof *shown);
    char *html = NULL, *chosen = NULL;
    size_t size = 0;
    strait_status status = shown ? STRAIT_OK : st_fail_memory(err, (size_t)n * sizeof *shown, "the report");
    if (status == STRAIT_OK && !path)
        status = choose_path(&chosen, g, n, err);
    else if (status == STRAIT_OK && !(chosen = st_strdup(path)))
        status = st_fail_memory(err, strlen(path), "a path");
    for (int i = 0; status == STRAIT_OK && i < n; i++)
        shown[i] = &g[i].shown;
    if (status == STRAIT_OK && n > 1) status = link_runs(g, n, chosen, err);
    if (status == STRAIT_OK)
        status = n > 1 ? st_report_compare(&html, &size, shown, n, err) : st_report_page(&html, &size, shown[0], err);
    if (status == STRAIT_OK) status = st_file_write_all(chosen, html, size, err);
    st_free(html);
    if (status == STRAIT_OK && written)
        *written = chosen;
    else
        st_free(chosen);
    st_free(shown);
    return status;
}

STRAIT_API strait_status strait_report_write(char **written, const char *path, const char *const *runs, int n,
                                             strait_error *err) {
    if (written) *written = NULL;
    if (!runs || n < 1) return st_fail(err, STRAIT_ARGUMENT, "a report is about at least one run");
    gathered *g = st_alloc((size_t)n, sizeof *g);
    if (!g) return st_fail_memory(err, (size_t)n * sizeof *g, "the report");
    strait_status status = STRAIT_OK;
    for (int i = 0; status == STRAIT_OK && i < n; i++)
        status = gather(&g[i], runs[i], n == 1, err);
    if (status == STRAIT_OK) status = write_page(written, path, g, n, err);
    for (int i = 0; i < n; i++)
        release(&g[i]);
    st_free(g);
    return status;
}

STRAIT_API strait_status strait_report_diagram(const char *path, const strait_model *model, strait_error *err) {
    if (!path || !model) return st_fail(err, STRAIT_ARGUMENT, "strait_report_diagram: a path and a model are needed");
    strait_summary *summary = NULL;
    char *svg = NULL;
    ST_TRY(strait_model_summary(&summary, model, 1, err));
    strait_status status = st_report_diagram(&svg, summary, true, err);
    if (status == STRAIT_OK) status = st_file_write_all(path, svg, strlen(svg), err);
    st_free(svg);
    strait_summary_free(summary);
    return status;
}
