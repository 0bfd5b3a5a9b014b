/* What a sweep leaves behind besides its runs: sweep.json, sweep.csv, best.yaml, pictures; and the comparison with
   principal components. All of it follows from the runs and base.yaml, and is written anew whenever these are read. */
#include "api/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strait/explore_pca.h>
#include <strait/model.h>

#include "api/run_files.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"

#define FORMAT_NAME "strait sweep"
#define FORMAT_VERSION 1
#define LEAST_COMPONENTS 10 /* of the comparison, however narrow the latents */
#define MAX_RECIPE ((size_t)1 << 20)

static const char *name_of(const strait_sweep_trial *trial) {
    return st_path_name(trial->run);
}

/* ---- sweep.json ---- */

static void add_number(st_text *json, const char *key, double value) {
    char digits[32] = "null";
    if (isfinite(value)) st_print_double(digits, value);
    st_text_add(json, ", \"%s\": %s", key, digits);
}

static void add_text(st_text *json, const char *key, const char *value) {
    st_text_add(json, ",\n \"%s\": ", key);
    if (value)
        st_text_add_json(json, value);
    else
        st_text_add(json, "null");
}

static void add_trial(st_text *json, const strait_sweep *sweep, const strait_sweep_trial *trial) {
    st_text_add(json, "{\"run\": ");
    st_text_add_json(json, name_of(trial));
    st_text_add(json, ", \"values\": {");
    for (int k = 0; k < sweep->n_keys; k++) {
        st_text_add(json, "%s", k ? ", " : "");
        st_text_add_json(json, sweep->key[k]);
        st_text_add(json, ": ");
        st_text_add_json(json, trial->value[k]);
    }
    st_text_add(json, "}, \"state\": \"%s\", \"rung\": %d, \"epochs\": %d, \"epochs_asked\": %d, \"latent\": %d",
                trial->state, trial->rung, trial->epochs, trial->epochs_asked, trial->latent);
    add_number(json, "loss", trial->loss);
    add_number(json, "val_loss", trial->val_loss);
    add_number(json, "score", trial->score);
    add_number(json, "seconds", trial->seconds);
    add_number(json, "mse", trial->mse);
    st_text_add(json, "}");
}

static void add_json(st_text *json, const strait_sweep *sweep, const strait_recipe *base) {
    char digits[32];
    st_text_add(json, "{\"format\": \"" FORMAT_NAME "\", \"format_version\": %d", FORMAT_VERSION);
    add_text(json, "recipe", sweep->recipe);
    st_text_add(json, ",\n \"vary\": [");
    for (int i = 0; i < base->sweep.n_vary; i++) {
        st_text_add(json, "%s", i ? ", " : "");
        st_text_add_json(json, base->sweep.vary[i]);
    }
    st_text_add(json, "],\n \"seed\": %lld, \"halving\": %lld, \"threads\": %lld, \"complete\": %s",
                (long long)base->sweep.seed, (long long)base->sweep.halving, (long long)base->train.threads,
                sweep->complete ? "true" : "false");
    add_text(json, "best", sweep->best >= 0 ? name_of(&sweep->trial[sweep->best]) : NULL);
    st_text_add(json, ",\n \"rungs\": [");
    for (int i = 0; i < sweep->n_rungs; i++)
        st_text_add(json, "%s{\"epochs\": %d, \"trials\": %d}", i ? ", " : "", sweep->rung_epochs[i],
                    sweep->rung_trials[i]);
    st_text_add(json, "],\n \"trials\": [");
    for (int t = 0; t < sweep->n_trials; t++) {
        st_text_add(json, "%s\n  ", t ? "," : "");
        add_trial(json, sweep, &sweep->trial[t]);
    }
    st_text_add(json, "]");
    add_text(json, "against_pca", sweep->against);
    st_text_add(json, ",\n \"pca_mse\": [");
    for (int i = 0; i < sweep->n_pca; i++) {
        st_print_double(digits, sweep->pca_mse[i]);
        st_text_add(json, "%s%s", i ? ", " : "", digits);
    }
    st_text_add(json, "]}\n");
}

/* ---- sweep.csv ---- */

static void add_cell_number(st_text *csv, double value) {
    char digits[32] = "";
    if (isfinite(value)) st_print_double(digits, value);
    st_text_add(csv, ",%s", digits);
}

static void add_csv(st_text *csv, const strait_sweep *sweep) {
    st_text_add(csv, "trial,run");
    for (int k = 0; k < sweep->n_keys; k++) {
        st_text_add(csv, ",");
        st_text_add_cell(csv, sweep->key[k]);
    }
    st_text_add(csv, ",state,rung,epochs,latent,loss,val_loss,score,seconds,mse,pca_mse\n");
    for (int t = 0; t < sweep->n_trials; t++) {
        const strait_sweep_trial *trial = &sweep->trial[t];
        st_text_add(csv, "%d,", t + 1);
        st_text_add_cell(csv, name_of(trial));
        for (int k = 0; k < sweep->n_keys; k++) {
            st_text_add(csv, ",");
            st_text_add_cell(csv, trial->value[k]);
        }
        st_text_add(csv, ",%s,%d,%d,%d", trial->state, trial->rung, trial->epochs, trial->latent);
        add_cell_number(csv, trial->loss);
        add_cell_number(csv, trial->val_loss);
        add_cell_number(csv, trial->score);
        add_cell_number(csv, trial->seconds);
        add_cell_number(csv, trial->mse);
        const bool beside = !isnan(trial->mse) && trial->latent >= 1 && trial->latent <= sweep->n_pca;
        add_cell_number(csv, beside ? sweep->pca_mse[trial->latent - 1] : NAN);
        st_text_add(csv, "\n");
    }
}

/* ---- written ---- */

/* Takes the text over. */
static strait_status write_text(const strait_sweep *sweep, const char *name, st_text *text, strait_error *err) {
    char *bytes = NULL, *path = st_path_join(sweep->folder, name);
    strait_status status = st_text_take(&bytes, text, err);
    if (status == STRAIT_OK && !path) status = st_fail_memory(err, strlen(sweep->folder), "a path");
    if (status == STRAIT_OK) status = st_file_write_all(path, bytes, strlen(bytes), err);
    st_free(bytes);
    st_free(path);
    return status;
}

strait_status st_sweep_write(const strait_sweep *sweep, const strait_recipe *base, strait_error *err) {
    st_text json = {0}, csv = {0};
    add_json(&json, sweep, base);
    ST_TRY(write_text(sweep, "sweep.json", &json, err));
    add_csv(&csv, sweep);
    return write_text(sweep, "sweep.csv", &csv, err);
}

/* The best run's own recipe, with what made it so as a comment. */
static strait_status write_best(const strait_sweep *sweep, strait_error *err) {
    const strait_sweep_trial *best = &sweep->trial[sweep->best];
    char *path = st_path_join(best->run, ST_FILE_RECIPE), *yaml = NULL, digits[32];
    size_t n = 0;
    if (!path) return st_fail_memory(err, strlen(best->run), "a path");
    strait_status status = st_file_read(&yaml, &n, path, MAX_RECIPE, err);
    st_free(path);
    if (status != STRAIT_OK) return status;
    st_text text = {0};
    st_print_double(digits, best->score);
    st_text_add(&text, "# The best of %d trials, %s: %s %s.\n", sweep->n_trials, name_of(best),
                isnan(best->val_loss) ? "loss" : "val_loss", digits);
    st_text_add_bytes(&text, yaml, n);
    st_free(yaml);
    return write_text(sweep, "best.yaml", &text, err);
}

/* A picture in the sweep's folder. */
static strait_status draw_into(const strait_sweep *sweep, const char *name, strait_theme theme,
                               strait_status (*draw)(const char *, const strait_sweep *, strait_theme, strait_error *),
                               strait_error *err) {
    char *path = st_path_join(sweep->folder, name);
    if (!path) return st_fail_memory(err, strlen(sweep->folder), "a path");
    const strait_status status = draw(path, sweep, theme, err);
    st_free(path);
    return status;
}

strait_status st_sweep_write_best(const strait_sweep *sweep, strait_theme theme, strait_error *err) {
    if (sweep->best < 0) return STRAIT_OK;
    ST_TRY(write_best(sweep, err));
    ST_TRY(draw_into(sweep, "parallel.png", theme, strait_sweep_draw, err));
    return sweep->n_pca > 0 ? draw_into(sweep, "pca.png", theme, strait_sweep_draw_pca, err) : STRAIT_OK;
}

/* ---- against principal components ---- */

static bool is_measured(const strait_sweep_trial *trial) {
    return strcmp(trial->state, "complete") == 0 || strcmp(trial->state, "stopped") == 0;
}

/* The trial's error on the data, sample by sample in order. */
static strait_status measure_trial(strait_sweep_trial *trial, strait_data *data, strait_error *err) {
    strait_model *model = NULL;
    strait_array *score = NULL;
    strait_status status = strait_model_load(&model, trial->run, err);
    if (status == STRAIT_OK) status = strait_model_score(&score, model, data, "mse", NULL, err);
    if (status == STRAIT_OK) {
        double sum = 0;
        for (int64_t i = 0; i < score->dim[0]; i++)
            sum += (double)score->values[i];
        trial->mse = sum / (double)score->dim[0];
    }
    strait_array_free(score);
    strait_model_free(model);
    return status;
}

/* Components found on the samples as the best trial's model takes them, and their errors on these. */
static strait_status measure_components(strait_sweep *sweep, strait_data *data, strait_error *err) {
    strait_model *model = NULL;
    strait_array *x = NULL;
    strait_pca *pca = NULL;
    int wanted = LEAST_COMPONENTS;
    for (int t = 0; t < sweep->n_trials; t++)
        if (is_measured(&sweep->trial[t]) && sweep->trial[t].latent > wanted) wanted = sweep->trial[t].latent;
    const strait_pca_options options = {.components = wanted};
    strait_status status = strait_model_load(&model, sweep->trial[sweep->best].run, err);
    if (status == STRAIT_OK) status = strait_model_input(&x, model, data, err);
    if (status == STRAIT_OK) status = strait_pca_fit(&pca, x, &options, err);
    if (status == STRAIT_OK) {
        sweep->pca_mse = st_alloc((size_t)pca->n_components, sizeof *sweep->pca_mse);
        if (!sweep->pca_mse) status = st_fail_memory(err, (size_t)pca->n_components * sizeof(double), "errors");
    }
    if (status == STRAIT_OK) status = strait_pca_errors(sweep->pca_mse, pca, x, pca->n_components, err);
    if (status == STRAIT_OK) sweep->n_pca = pca->n_components;
    strait_pca_free(pca);
    strait_array_free(x);
    strait_model_free(model);
    return status;
}

strait_status st_sweep_measure(strait_sweep *sweep, strait_error *err) {
    if (sweep->best < 0) return STRAIT_OK;
    strait_data *data = NULL;
    ST_TRY(strait_data_open(&data, sweep->against, err));
    strait_status status = measure_components(sweep, data, err);
    for (int t = 0; t < sweep->n_trials && status == STRAIT_OK; t++)
        if (is_measured(&sweep->trial[t])) status = measure_trial(&sweep->trial[t], data, err);
    strait_data_free(data);
    return status;
}
