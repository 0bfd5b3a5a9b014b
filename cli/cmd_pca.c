/* strait pca: principal components of samples. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "explore_input.h"
#include "format.h"
#include "json.h"
#include "map_picture.h"
#include "output.h"
#include "table.h"
#include "terminal.h"

static const cli_option options[] = {
    {"k", 'k', CLI_COUNT, false, "K", "components to use (default: all there are)"},
    {"data", 0, CLI_TEXT, false, "DATA", "apply them to these samples instead: scores and errors are of DATA"},
    {"output", 'o', CLI_TEXT, false, "FILE", "write the scores, one row a sample: .npy or .csv"},
    {"save", 0, CLI_TEXT, false, "FILE", "write the components, to be used again: .safetensors"},
    {"picture", 0, CLI_TEXT, false, "FILE", "draw the explained variance, adding up: .png or .svg"},
    {"components", 0, CLI_TEXT, false, "FILE", "draw the components, up to 100, beginning with the first"},
    {"map", 0, CLI_TEXT, false, "FILE", "draw the samples along the first two components"},
    CLI_OPTIONS_OF_MAP_PICTURES,
    {"seed", 0, CLI_SEED, false, "N", "of the random start beyond 4096 features (default: 0)"},
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait pca mnist#test -k 10", "how much ten components explain, and the error of going back from them"},
    {"strait pca mnist#train -k 64 --save pca.safetensors --components components.png --picture variance.png",
     "components to use again, and pictures"},
    {"strait pca pca.safetensors --data mnist#test -o scores.npy --map scores.svg", "the scores of other samples"},
    {0},
};

/* Components found where all would be too many, and none are asked for. */
#define MOST_EXACT 4096
#define FEW 50
#define SHEET_SAMPLES 100
#define SHEET_COLUMNS 10

static const double shares[] = {0.90, 0.95, 0.99};
#define N_SHARES ((int)(sizeof shares / sizeof *shares))

/* What the command works on. */
typedef struct work {
    cli_samples fitted;  /* none when the components come from a file */
    cli_samples applied; /* of --data */
    strait_pca *pca;
    int k;       /* components used */
    double *mse; /* [k], or NULL: there are no samples to measure it on */
} work;

static const cli_samples *measured(const work *w) {
    return w->applied.x ? &w->applied : w->fitted.x ? &w->fitted : NULL;
}

static strait_status open_pca(work *w, const cli_args *args, strait_error *err) {
    const char *operand = args->operand[0];
    strait_status status;
    if (cli_ends_with(operand, ".safetensors")) {
        status = strait_pca_load(&w->pca, operand, err);
        if (status == STRAIT_OK) w->pca->threads = cli_int(args, "threads", 0);
        return status;
    }
    status = cli_samples_open(&w->fitted, operand, err);
    if (status != STRAIT_OK) return status;
    const int64_t n = w->fitted.x->dim[0], d = cli_samples_features(&w->fitted);
    strait_pca_options o = {.seed = cli_seed(args, "seed", 0), .threads = cli_int(args, "threads", 0)};
    if (n > MOST_EXACT && d > MOST_EXACT) o.components = cli_int(args, "k", FEW);
    return strait_pca_fit(&w->pca, w->fitted.x, &o, err);
}

static strait_status no_memory(strait_error *err) {
    err->code = STRAIT_MEMORY;
    snprintf(err->message, sizeof err->message, "%s", strait_status_text(STRAIT_MEMORY));
    return STRAIT_MEMORY;
}

static strait_status measure(work *w, const cli_args *args, strait_error *err) {
    strait_status status = open_pca(w, args, err);
    if (status != STRAIT_OK) return status;
    const int asked = cli_int(args, "k", w->pca->n_components);
    w->k = asked < w->pca->n_components ? asked : w->pca->n_components;
    if (w->k < asked && !cli_has(args, "quiet"))
        cli_say("there are only %d components%s: using these", w->k,
                w->fitted.x ? ", as the samples vary in no more directions" : " in the file");
    if (cli_text(args, "data")) status = cli_samples_open(&w->applied, cli_text(args, "data"), err);
    const cli_samples *samples = measured(w);
    if (status != STRAIT_OK || !samples) return status;
    w->mse = calloc((size_t)w->k, sizeof *w->mse);
    if (!w->mse) return no_memory(err);
    return strait_pca_errors(w->mse, w->pca, samples->x, w->k, err);
}

/* ---- files ---- */

static strait_status write_scores(const char *path, const work *w, strait_error *err) {
    strait_array *z = NULL;
    strait_status status = strait_pca_transform(&z, w->pca, measured(w)->x, w->k, err);
    if (status == STRAIT_OK) status = strait_array_write(z, path, err);
    strait_array_free(z);
    return status;
}

/* Each component in grey: no weight is the middle, its largest weight black or white. Others than images as curves. */
static strait_status write_components(const char *path, const work *w, strait_theme theme, strait_error *err) {
    const cli_samples *samples = measured(w);
    const bool images = samples && cli_samples_are_images(samples);
    const int64_t d = w->pca->n_features, n = w->k < SHEET_SAMPLES ? w->k : SHEET_SAMPLES;
    int64_t dim[STRAIT_MAX_DIMS] = {n, d};
    if (images) memcpy(dim + 1, samples->x->dim + 1, 3 * sizeof *dim);
    strait_array *sheet = NULL;
    strait_status status = strait_array_new(&sheet, images ? 4 : 2, dim, err);
    if (status != STRAIT_OK) return status;
    for (int64_t c = 0; c < n; c++) {
        const float *weight = w->pca->component + c * d;
        float largest = 0;
        for (int64_t j = 0; j < d; j++)
            largest = fmaxf(largest, fabsf(weight[j]));
        for (int64_t j = 0; j < d; j++)
            sheet->values[c * d + j] = images ? 0.5F + 0.5F * weight[j] / largest : weight[j];
    }
    status = cli_draw_samples(path, sheet, n < SHEET_COLUMNS ? (int)n : SHEET_COLUMNS, NULL, theme, err);
    strait_array_free(sheet);
    return status;
}

/* The share of the variance that the first 0, 1, ..., n components explain. */
static void add_up(double *number, double *share, const strait_pca *pca) {
    number[0] = share[0] = 0;
    for (int i = 0; i < pca->n_components; i++) {
        number[i + 1] = i + 1;
        share[i + 1] = share[i] + pca->variance[i] / pca->total_variance;
    }
}

/* The curve, and for each share the way from the axis to the curve and down to the number of components. */
static strait_status draw(const char *path, const work *w, strait_theme theme, strait_error *err) {
    const int n = w->pca->n_components + 1;
    double *number = calloc((size_t)n, sizeof *number), *share = calloc((size_t)n, sizeof *share);
    strait_series series[1 + N_SHARES] = {{"explained variance", n, number, share}};
    double x[N_SHARES][3], y[N_SHARES][3];
    char name[N_SHARES][64];
    int n_series = 1;
    strait_status status = number && share ? STRAIT_OK : no_memory(err);
    if (status == STRAIT_OK) {
        add_up(number, share, w->pca);
        for (int i = 0; i < N_SHARES; i++) {
            const int needed = strait_pca_needed(w->pca, shares[i]);
            if (needed == 0) continue;
            x[i][0] = 0;
            x[i][1] = x[i][2] = needed;
            y[i][0] = y[i][1] = shares[i];
            y[i][2] = 0;
            snprintf(name[i], sizeof name[i], "%g %%: %d component%s", shares[i] * 100, needed, needed == 1 ? "" : "s");
            series[n_series++] = (strait_series){name[i], 3, x[i], y[i]};
        }
        const strait_chart chart = {"Variance explained by principal components",
                                    "components",
                                    "share of the variance",
                                    n_series,
                                    series,
                                    false,
                                    theme};
        status = strait_picture_draw_chart(path, &chart, err);
    }
    free(number);
    free(share);
    return status;
}

/* The samples' scores on the first two components. */
static strait_status draw_map(const char *path, const work *w, const cli_args *args, strait_error *err) {
    const cli_samples *samples = measured(w);
    const char *source = cli_text(args, "data") ? cli_text(args, "data") : args->operand[0];
    strait_array *z = NULL;
    cli_word name[2] = {0}, title = {0};
    if (w->pca->n_components < 2)
        return cli_refuse(err, STRAIT_ARGUMENT, "--map draws two components, and there is one alone");
    for (int k = 0; k < 2; k++)
        snprintf(name[k].text, sizeof name[k].text, "component %d (%.1f %%)", k + 1,
                 100 * w->pca->variance[k] / w->pca->total_variance);
    snprintf(title.text, sizeof title.text, "Principal components of %.120s", source);
    strait_status status = strait_pca_transform(&z, w->pca, samples->x, 2, err);
    const cli_map map = {.places = z,
                         .title = title.text,
                         .axis = {name[0].text, name[1].text},
                         .x = samples->x,
                         .data = samples->data,
                         .info = &samples->info};
    if (status == STRAIT_OK) status = cli_map_draw(path, &map, args, err);
    strait_array_free(z);
    return status;
}

static strait_status write_files(const work *w, const cli_args *args, strait_error *err) {
    const char *scores = cli_text(args, "output"), *save = cli_text(args, "save"), *picture = cli_text(args, "picture"),
               *components = cli_text(args, "components"), *map = cli_text(args, "map");
    strait_theme theme;
    cli_theme(&theme, args);
    strait_status status = STRAIT_OK;
    if (map) status = draw_map(map, w, args, err); /* first: one component alone has none */
    if (status == STRAIT_OK && save) status = strait_pca_save(w->pca, save, err);
    if (status == STRAIT_OK && scores) status = write_scores(scores, w, err);
    if (status == STRAIT_OK && picture) status = draw(picture, w, theme, err);
    if (status == STRAIT_OK && components) status = write_components(components, w, theme, err);
    return status;
}

/* ---- results ---- */

static double explained(const strait_pca *pca, int k) {
    double sum = 0;
    for (int i = 0; i < k; i++)
        sum += pca->variance[i];
    return sum / pca->total_variance;
}

static json_t *needed_json(const strait_pca *pca) {
    json_t *array = json_array();
    for (int i = 0; array && i < N_SHARES; i++) {
        const int needed = strait_pca_needed(pca, shares[i]);
        json_t *row =
            json_pack("{s:f, s:o, s:o}", "share", shares[i], "components", needed ? json_integer(needed) : json_null(),
                      "explained", cli_json_real(needed ? explained(pca, needed) : NAN));
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static cli_exit print_json(const work *w, const cli_args *args) {
    const strait_pca *pca = w->pca;
    const cli_samples *samples = measured(w);
    json_t *object =
        json_pack("{s:I, s:I, s:i, s:b, s:o, s:o, s:o, s:i}", "fitted_samples", (json_int_t)pca->n_samples, "features",
                  (json_int_t)pca->n_features, "components", pca->n_components, "exact", pca->exact, "total_variance",
                  cli_json_real(pca->total_variance), "needed", needed_json(pca), "explained",
                  cli_json_reals(pca->variance, pca->n_components, 1 / pca->total_variance), "k", w->k);
    if (!object) return cli_json_print(NULL);
    json_object_set_new(object, "explained_at_k", cli_json_real(explained(pca, w->k)));
    if (samples) {
        json_object_set_new(object, "samples", json_integer((json_int_t)samples->x->dim[0]));
        json_object_set_new(object, "mse", cli_json_reals(w->mse, w->k, 1));
        json_object_set_new(object, "mse_at_k", cli_json_real(w->mse[w->k - 1]));
    }
    cli_json_add_files(object, args, (const char *const[]){"output", "save", "picture", "components", "map", NULL});
    return cli_json_print(object);
}

static cli_word number(const char *format, double value) {
    cli_word word;
    snprintf(word.text, sizeof word.text, format, value);
    return word;
}

/* The table's rows: 1, 2, 3, 5, 10, 20, 30, 50, 100, ... and the last. */
static bool is_row(int k, int last) {
    static const int leading[] = {1, 2, 3, 5};
    for (int64_t ten = 1; ten <= k; ten *= 10)
        for (int i = 0; i < 4; i++)
            if (k == leading[i] * ten) return true;
    return k == last;
}

static cli_exit print_table(const work *w) {
    static const cli_column column[] = {
        {"components", true, 0}, {"variance", true, 2}, {"share", true, 3}, {"in all", true, 0}, {"mse", true, 0}};
    const int n_columns = w->mse ? 5 : 4;
    cli_word cell[5 * 48];
    int n_rows = 0;
    for (int k = 1; k <= w->k; k++) {
        if (!is_row(k, w->k)) continue;
        const double variance = w->pca->variance[k - 1];
        cli_word *row = cell + n_rows++ * n_columns;
        row[0] = cli_count(k);
        row[1] = number("%.6g", variance);
        row[2] = number("%.2f %%", 100 * variance / w->pca->total_variance);
        row[3] = number("%.2f %%", 100 * explained(w->pca, k));
        if (w->mse) row[4] = number("%.6g", w->mse[k - 1]);
    }
    cli_table_print(n_columns, column, n_rows, cell, cli_table_width());
    return CLI_OK;
}

static cli_exit print_text(const work *w, const cli_args *args) {
    const strait_pca *pca = w->pca;
    const char *const written[] = {"save", "output", "picture", "components", "map"};
    printf("fitted on   %s samples of %s values%s\n", cli_count(pca->n_samples).text, cli_count(pca->n_features).text,
           pca->exact ? "" : ", randomised");
    printf("components  %s\n", cli_count(pca->n_components).text);
    for (int i = 0; i < N_SHARES; i++) {
        const int needed = strait_pca_needed(pca, shares[i]);
        if (needed)
            printf("for %g %%    %s\n", shares[i] * 100, cli_count(needed).text);
        else
            printf("for %g %%    more than these\n", shares[i] * 100);
    }
    printf("\n");
    if (w->applied.x) printf("mse on %s, %s samples:\n", cli_text(args, "data"), cli_count(w->applied.x->dim[0]).text);
    print_table(w);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (cli_text(args, written[i])) printf("%s\n", cli_text(args, written[i]));
    return CLI_OK;
}

/* What can be refused before any work. */
static cli_exit check(const cli_args *args) {
    static const char *const scores[] = {".npy", ".csv", NULL}, *const saved[] = {".safetensors", NULL},
                             *const *pictures = cli_picture_endings;
    const struct {
        const char *option;
        const char *const *endings;
    } file[] = {{"output", scores}, {"save", saved}, {"picture", pictures}, {"components", pictures}};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        const char *path = cli_text(args, file[i].option);
        const cli_exit code = path ? cli_output_check(path, file[i].endings) : CLI_OK;
        if (code != CLI_OK) return code;
    }
    const cli_exit code = cli_map_check(cli_text(args, "map"), args);
    if (code != CLI_OK) return code;
    if (cli_has(args, "map") && !cli_has(args, "data") && cli_ends_with(args->operand[0], ".safetensors"))
        return cli_usage("--map draws samples, and %s holds none: add --data DATA", args->operand[0]);
    if (cli_has(args, "output") && !cli_has(args, "data") && cli_ends_with(args->operand[0], ".safetensors"))
        return cli_usage("-o writes scores of samples, and %s holds none: add --data DATA", args->operand[0]);
    return CLI_OK;
}

static cli_exit run(const cli_args *args) {
    cli_exit code = check(args);
    if (code != CLI_OK) return code;
    work w = {0};
    strait_error err = {0};
    strait_status status = measure(&w, args, &err);
    if (status == STRAIT_OK) status = write_files(&w, args, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_has(args, "json") ? print_json(&w, args) : print_text(&w, args);
    free(w.mse);
    strait_pca_free(w.pca);
    cli_samples_close(&w.fitted);
    cli_samples_close(&w.applied);
    return code;
}

const cli_command cli_pca = {
    .name = "pca",
    .summary = "find principal components, their variance and errors",
    .synopsis = {"pca DATA|Z [-k K] [OPTIONS]", "pca PCA.safetensors --data DATA [OPTIONS]"},
    .details = CLI_SAMPLES_HELP
    "\n"
    "Samples are centred, not scaled further. Tells how many components explain 90, 95 and 99 % of the variance, "
    "and the mean squared error, over all values, of going back from the first 1, 2, ..., K scores.\n"
    "With --data the components are those of the first operand, and scores and errors those of DATA, centred by "
    "the same mean. A file that --save wrote can stand in the place of samples.\n"
    "Beyond 4096 samples of more than 4096 values only K components are found (50 without -k), from a random "
    "start where that is fewer than a tenth.",
    .operand = {"DATA|Z"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
