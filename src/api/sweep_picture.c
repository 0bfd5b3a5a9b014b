/* The pictures of a sweep: its trials as parallel coordinates, and their errors beside principal components'. */
#include <strait/sweep.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"

#define WIDE 10.0 /* scores that span more are drawn on a logarithmic axis */

/* ---- parallel coordinates ---- */

typedef struct coordinates {
    const strait_sweep *sweep;
    strait_parallel_axis *axis; /* [n_keys + 1] */
    double *value;              /* [n_keys + 1, n_trials] */
    const char **word;          /* [n_keys, n_trials] */
} coordinates;

/* Values that are no numbers count as words, in the order in which they first come. */
static void take_words(strait_parallel_axis *axis, double *value, const char **word, const strait_sweep *sweep, int k) {
    for (int t = 0; t < sweep->n_trials; t++) {
        const char *text = sweep->trial[t].value[k];
        int w = 0;
        while (w < axis->n_words && strcmp(word[w], text) != 0)
            w++;
        if (w == axis->n_words) word[axis->n_words++] = text;
        value[t] = w;
    }
    axis->word = word;
}

/* A key goes by its last part, where no other key has that too. */
static const char *short_key(const strait_sweep *sweep, int k) {
    const char *dot = strrchr(sweep->key[k], '.'), *name = dot ? dot + 1 : sweep->key[k];
    for (int i = 0; i < sweep->n_keys; i++)
        if (i != k && st_ends_with(sweep->key[i], name)) return sweep->key[k];
    return name;
}

static void take_key(coordinates *c, int k) {
    const strait_sweep *sweep = c->sweep;
    double *value = c->value + (size_t)k * (size_t)sweep->n_trials;
    strait_parallel_axis *axis = &c->axis[k];
    bool numbers = true, positive = true;
    for (int t = 0; t < sweep->n_trials; t++) {
        numbers = numbers && st_parse_double(&value[t], sweep->trial[t].value[k]);
        positive = positive && value[t] > 0;
    }
    *axis = (strait_parallel_axis){.name = short_key(sweep, k), .value = value};
    axis->log = numbers && positive && sweep->log_scale[k];
    if (!numbers) take_words(axis, value, c->word + (size_t)k * (size_t)sweep->n_trials, sweep, k);
}

static void take_score(coordinates *c) {
    const strait_sweep *sweep = c->sweep;
    double *value = c->value + (size_t)sweep->n_keys * (size_t)sweep->n_trials, low = INFINITY, high = -INFINITY;
    bool validated = false;
    for (int t = 0; t < sweep->n_trials; t++) {
        value[t] = sweep->trial[t].score;
        validated = validated || !isnan(sweep->trial[t].val_loss);
        if (!isfinite(value[t])) continue;
        low = fmin(low, value[t]);
        high = fmax(high, value[t]);
    }
    c->axis[sweep->n_keys] = (strait_parallel_axis){
        .name = validated ? "val_loss" : "loss", .value = value, .log = low > 0 && high > WIDE * low};
}

STRAIT_API strait_status strait_sweep_draw(const char *path, const strait_sweep *sweep, strait_theme theme,
                                           strait_error *err) {
    if (!path || !sweep || sweep->n_trials < 1)
        return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_draw: needs a path and a sweep");
    const size_t keys = (size_t)sweep->n_keys, trials = (size_t)sweep->n_trials;
    coordinates c = {.sweep = sweep,
                     .axis = st_alloc(keys + 1, sizeof *c.axis),
                     .value = st_alloc((keys + 1) * trials, sizeof *c.value),
                     .word = st_alloc(keys * trials, sizeof *c.word)};
    strait_status status = STRAIT_MEMORY;
    if (c.axis && c.value && c.word) {
        char title[192], best[640] = "";
        for (int k = 0; k < sweep->n_keys; k++)
            take_key(&c, k);
        take_score(&c);
        snprintf(title, sizeof title, "%s: %d trials", sweep->recipe, sweep->n_trials);
        if (sweep->best >= 0) snprintf(best, sizeof best, "best: %s", st_path_name(sweep->trial[sweep->best].run));
        const strait_parallel parallel = {title, sweep->n_keys + 1, sweep->n_trials, c.axis, sweep->best, best, theme};
        status = strait_picture_parallel(path, &parallel, err);
    } else {
        st_fail_memory(err, (keys + 1) * trials * sizeof *c.value, "a picture");
    }
    st_free(c.word);
    st_free(c.value);
    st_free(c.axis);
    return status;
}

/* ---- against principal components ---- */

/* The best error among the trials of this width; NAN: there is none. */
static double least_error(const strait_sweep *sweep, int latent) {
    double least = NAN;
    for (int t = 0; t < sweep->n_trials; t++)
        if (sweep->trial[t].latent == latent && !isnan(sweep->trial[t].mse)) least = fmin(least, sweep->trial[t].mse);
    return least;
}

STRAIT_API strait_status strait_sweep_draw_pca(const char *path, const strait_sweep *sweep, strait_theme theme,
                                               strait_error *err) {
    if (!path || !sweep || sweep->n_pca == 0)
        return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_draw_pca: the sweep was not measured against components");
    int widest = sweep->n_pca;
    for (int t = 0; t < sweep->n_trials; t++)
        if (!isnan(sweep->trial[t].mse) && sweep->trial[t].latent > widest) widest = sweep->trial[t].latent;
    double *width = st_alloc(2 * (size_t)widest, sizeof *width);
    if (!width) return st_fail_memory(err, 2 * (size_t)widest * sizeof *width, "a chart");
    double *error = width + widest;
    int n = 0;
    for (int k = 1; k <= widest; k++) { /* widths without a trial are left out, so that the line goes on */
        const double least = least_error(sweep, k);
        if (isnan(least)) continue;
        width[n] = k;
        error[n++] = least;
    }
    double *component = st_alloc((size_t)sweep->n_pca, sizeof *component);
    strait_status status = STRAIT_MEMORY;
    if (component) {
        for (int k = 0; k < sweep->n_pca; k++)
            component[k] = k + 1;
        const strait_series series[] = {{"principal components", sweep->n_pca, component, sweep->pca_mse},
                                        {"autoencoder", n, width, error}};
        const strait_chart chart = {"Error of reconstruction",
                                    "components, or values of the latent",
                                    "mean squared error",
                                    2,
                                    series,
                                    false,
                                    theme};
        status = strait_picture_draw_chart(path, &chart, err);
    } else {
        st_fail_memory(err, (size_t)sweep->n_pca * sizeof *component, "a chart");
    }
    st_free(component);
    st_free(width);
    return status;
}
