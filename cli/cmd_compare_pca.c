/* strait compare-pca: a model against principal components, on the same samples. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "output.h"
#include "picture.h"
#include "terminal.h"

static const cli_option options[] = {
    {"k", 'k', CLI_COUNT, false, "K", "components (default: as many as the model's latent has values)"},
    {"fit", 0, CLI_TEXT, false, "DATA", "find the components on these samples instead, as the model's training data"},
    {"output", 'o', CLI_TEXT, false, "FILE", "write the errors of 1, 2, ... components, and the model's: .npy or .csv"},
    {"picture", 0, CLI_TEXT, false, "FILE", "draw the error against the number of components, and the model's"},
    {"sheet", 0, CLI_TEXT, false, "FILE", "draw samples, what the components and what the model make of them"},
    CLI_OPTION_THEME,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait compare-pca fashion-basic-001 fashion-mnist#test -k 10", "the model's error and that of ten components"},
    {"strait compare-pca fashion-basic-001 fashion-mnist#test --fit fashion-mnist#train --picture pca.png --sheet "
     "sheet.png",
     "components of the training images, judged on the test images; a chart and a sheet"},
    {0},
};

#define SHEET_COLUMNS 10

typedef struct work {
    strait_model *model;
    strait_array *x, *seen; /* samples as the model takes them, what it makes of them */
    strait_pca *pca;
    int latent, k, n_errors;    /* n_errors: components measured, at least k */
    double *mse;                /* [n_errors] */
    double model_mse, mean_mse; /* mean_mse: of giving back the mean of the samples fitted on */
} work;

/* Samples of a data set as the model takes them; with `seen`, what it makes of them too. */
static strait_status open_samples(strait_array **x, strait_array **seen, const strait_model *model, const char *source,
                                  const strait_apply_options *apply, strait_error *err) {
    strait_data *data = NULL;
    strait_status status = strait_data_open(&data, source, err);
    const cli_work *bar = apply->context;
    if (status == STRAIT_OK) status = cli_tell_missing(model, data, bar->quiet, err);
    if (status == STRAIT_OK) status = strait_model_input(x, model, data, err);
    if (status == STRAIT_OK && seen) status = strait_model_reconstruct(seen, model, data, apply, err);
    strait_data_free(data);
    return status;
}

static double mean_square(const strait_array *x, const strait_array *y) {
    const int64_t n = strait_array_count(x), row = n / x->dim[0];
    double sum = 0;
    for (int64_t i = 0; i < x->dim[0]; i++) {
        double part = 0;
        for (int64_t j = i * row; j < (i + 1) * row; j++) {
            const double d = (double)x->values[j] - (double)y->values[j];
            part += d * d;
        }
        sum += part;
    }
    return sum / (double)n;
}

static double mean_square_of_mean(const strait_pca *pca, const strait_array *x) {
    const int64_t d = pca->n_features;
    double sum = 0;
    for (int64_t i = 0; i < x->dim[0]; i++)
        for (int64_t j = 0; j < d; j++) {
            const double difference = (double)x->values[i * d + j] - pca->mean[j];
            sum += difference * difference;
        }
    return sum / (double)strait_array_count(x);
}

static strait_status fit(work *w, const cli_args *args, const strait_apply_options *apply, strait_error *err) {
    const char *source = cli_text(args, "fit");
    const strait_pca_options o = {.threads = apply->threads, .components = 2 * (w->k > w->latent ? w->k : w->latent)};
    strait_array *other = NULL;
    strait_status status = source ? open_samples(&other, NULL, w->model, source, apply, err) : STRAIT_OK;
    if (status == STRAIT_OK) status = strait_pca_fit(&w->pca, other ? other : w->x, &o, err);
    strait_array_free(other);
    if (status != STRAIT_OK) return status;
    if (w->k > w->pca->n_components) {
        w->k = w->pca->n_components;
        if (!cli_has(args, "quiet"))
            cli_say("there are only %d components, as the samples vary in no more directions: using these", w->k);
    }
    w->n_errors = w->pca->n_components;
    w->mse = calloc((size_t)w->n_errors, sizeof *w->mse);
    if (w->mse) {
        status = strait_pca_errors(w->mse, w->pca, w->x, w->n_errors, err);
        if (status == STRAIT_OK) w->mean_mse = mean_square_of_mean(w->pca, w->x);
        return status;
    }
    err->code = STRAIT_MEMORY;
    snprintf(err->message, sizeof err->message, "%s", strait_status_text(STRAIT_MEMORY));
    return STRAIT_MEMORY;
}

static strait_status compare(work *w, const cli_args *args, strait_error *err) {
    cli_work bar = {.verb = "reconstructing", .quiet = cli_has(args, "quiet")};
    const strait_apply_options apply = {cli_int(args, "threads", 0), cli_work_progress, &bar};
    strait_status status = cli_model_load(&w->model, args->operand, args->n_operands, err);
    if (status == STRAIT_OK) status = open_samples(&w->x, &w->seen, w->model, args->operand[1], &apply, err);
    if (status != STRAIT_OK) return status;
    if (strait_array_count(w->x) != strait_array_count(w->seen)) {
        err->code = STRAIT_SHAPE;
        snprintf(err->message, sizeof err->message, "%s does not give back what it is given: there is no error",
                 args->operand[0]);
        return STRAIT_SHAPE;
    }
    w->latent = (int)strait_model_latent_size(w->model);
    w->k = cli_int(args, "k", w->latent);
    w->model_mse = mean_square(w->x, w->seen);
    return fit(w, args, &apply, err);
}

/* ---- pictures ---- */

static strait_status draw_chart(const char *path, const work *w, strait_theme theme, strait_error *err) {
    double *number = calloc((size_t)w->n_errors, sizeof *number);
    if (!number) {
        err->code = STRAIT_MEMORY;
        snprintf(err->message, sizeof err->message, "%s", strait_status_text(STRAIT_MEMORY));
        return STRAIT_MEMORY;
    }
    for (int i = 0; i < w->n_errors; i++)
        number[i] = i + 1;
    const double from = 1, to = w->n_errors > w->latent ? w->n_errors : w->latent;
    const double across[] = {from, w->latent, to}, model[] = {w->model_mse, w->model_mse, w->model_mse};
    char name[64];
    snprintf(name, sizeof name, "model, latent of %d", w->latent);
    const strait_series series[] = {{"principal components", w->n_errors, number, w->mse}, {name, 3, across, model}};
    const strait_chart chart = {"Error of reconstruction", "components", "mean squared error", 2, series, false, theme};
    const strait_status status = strait_picture_draw_chart(path, &chart, err);
    free(number);
    return status;
}

static strait_status draw_sheet(const char *path, const work *w, strait_theme theme, strait_error *err) {
    const int64_t n = w->x->dim[0] < SHEET_COLUMNS ? w->x->dim[0] : SHEET_COLUMNS;
    const strait_array first = cli_slice(w->x, 0, n);
    strait_array *z = NULL, *back = NULL;
    char caption[48];
    snprintf(caption, sizeof caption, "PCA, %d", w->k);
    const char *const captions[] = {"original", caption, "model"};
    strait_status status = strait_pca_transform(&z, w->pca, &first, w->k, err);
    if (status == STRAIT_OK) status = strait_pca_inverse(&back, w->pca, z, err);
    if (status == STRAIT_OK) {
        strait_array row[] = {first, first, first};
        row[1].values = back->values;
        row[2].values = w->seen->values;
        const strait_array *const rows[] = {&row[0], &row[1], &row[2]};
        const strait_sheet sheet = {3, rows, captions, (int)n, theme, false};
        status = strait_picture_draw_sheet(path, &sheet, err);
    }
    strait_array_free(back);
    strait_array_free(z);
    return status;
}

/* A row for each number of components: the number, their error, the model's. */
static strait_status write_errors(const char *path, const work *w, strait_error *err) {
    strait_array *table = NULL;
    strait_status status = strait_array_new(&table, 2, (int64_t[]){w->n_errors, 3}, err);
    for (int i = 0; i < w->n_errors && status == STRAIT_OK; i++) {
        table->values[3 * i] = (float)(i + 1);
        table->values[3 * i + 1] = (float)w->mse[i];
        table->values[3 * i + 2] = (float)w->model_mse;
    }
    if (status == STRAIT_OK) status = strait_array_write(table, path, err);
    strait_array_free(table);
    return status;
}

/* ---- results ---- */

static cli_exit print_json(const work *w, const cli_args *args) {
    json_t *object = json_pack(
        "{s:I, s:I, s:i, s:i, s:o, s:o, s:o, s:s, s:o}", "samples", (json_int_t)w->x->dim[0], "features",
        (json_int_t)w->pca->n_features, "k", w->k, "latent", w->latent, "pca_mse", cli_json_real(w->mse[w->k - 1]),
        "model_mse", cli_json_real(w->model_mse), "ratio", cli_json_real(w->model_mse / w->mse[w->k - 1]), "better",
        w->model_mse < w->mse[w->k - 1] ? "model" : "pca", "mse", cli_json_reals(w->mse, w->n_errors, 1));
    cli_json_add_files(object, args, (const char *const[]){"output", "picture", "sheet", NULL});
    return cli_json_print(object);
}

/* The least number of components that do as well as the model; -1: more than were measured. */
static int components_for(const work *w) {
    if (w->mean_mse <= w->model_mse) return 0;
    for (int i = 0; i < w->n_errors; i++)
        if (w->mse[i] <= w->model_mse) return i + 1;
    return -1;
}

static cli_exit print_text(const work *w, const cli_args *args) {
    const char *const written[] = {"output", "picture", "sheet"};
    const int as_good = components_for(w);
    printf("samples  %s\n", cli_count(w->x->dim[0]).text);
    printf("pca      mse %.6g  with %s component%s\n", w->mse[w->k - 1], cli_count(w->k).text, w->k == 1 ? "" : "s");
    printf("model    mse %.6g  with a latent of %s\n", w->model_mse, cli_count(w->latent).text);
    if (as_good == 0)
        printf("the mean of the samples alone would do as well as the model\n");
    else if (as_good > 0)
        printf("%s component%s would do as well as the model\n", cli_count(as_good).text, as_good == 1 ? "" : "s");
    else
        printf("even %s components do not do as well as the model\n", cli_count(w->n_errors).text);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (cli_text(args, written[i])) printf("%s\n", cli_text(args, written[i]));
    return CLI_OK;
}

static cli_exit run(const cli_args *args) {
    static const char *const tables[] = {".npy", ".csv", NULL};
    strait_theme theme;
    const char *output = cli_text(args, "output"), *picture = cli_text(args, "picture"),
               *sheet = cli_text(args, "sheet");
    cli_exit code = cli_theme(&theme, args);
    if (code == CLI_OK && output) code = cli_output_check(output, tables);
    if (code == CLI_OK && picture) code = cli_output_check(picture, cli_picture_endings);
    if (code == CLI_OK && sheet) code = cli_output_check(sheet, cli_picture_endings);
    if (code != CLI_OK) return code;
    work w = {0};
    strait_error err = {0};
    strait_status status = compare(&w, args, &err);
    if (status == STRAIT_OK && output) status = write_errors(output, &w, &err);
    if (status == STRAIT_OK && picture) status = draw_chart(picture, &w, theme, &err);
    if (status == STRAIT_OK && sheet) status = draw_sheet(sheet, &w, theme, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_has(args, "json") ? print_json(&w, args) : print_text(&w, args);
    free(w.mse);
    strait_pca_free(w.pca);
    strait_array_free(w.x);
    strait_array_free(w.seen);
    strait_model_free(w.model);
    return code;
}

const cli_command cli_compare_pca = {
    .name = "compare-pca",
    .summary = "measure a model against principal components",
    .synopsis = {"compare-pca MODEL DATA [-k K] [OPTIONS]"},
    .details =
        "The mean squared error, over all values, of what the model gives back and of going back from K principal "
        "components, on the same samples, scaled as the model takes them. The components are found on these samples "
        "themselves, so that no linear map of K numbers could do better; with --fit on others. A model that was "
        "trained "
        "to remove noise is given clean samples here.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = options,
    .examples = examples,
    .run = run,
};
