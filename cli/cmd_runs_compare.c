/* strait runs compare: runs side by side, in words and in two pictures. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "format.h"
#include "runs.h"
#include "table.h"
#include "terminal.h"

#define SAMPLES 10
#define LOG_FACTOR 30.0 /* losses further apart are drawn on a logarithmic axis */
#define WIDEST 36       /* columns of a recipe's value */

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, false, "DIR", "the folder to draw compare-loss.png and compare-samples.png in"},
    CLI_OPTION_DIR,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait train fashion-basic --epochs 2 --set train.batch_size=64", "another run, to have two"},
    {"strait runs compare fashion-basic-001 fashion-basic-002", "what differs, and the results side by side"},
    {"strait runs compare fashion-basic-001 fashion-basic-002 -o compared", "with their curves and the same samples"},
    {0},
};

/* The runs being compared. */
typedef struct comparison {
    int n;
    strait_run *run;
    const char **folder; /* borrowed from run */
    char *differences;
} comparison;

static void close_comparison(comparison *c) {
    free(c->run);
    free(c->folder);
    strait_string_free(c->differences);
}

static strait_status open_comparison(comparison *c, const cli_args *args, strait_error *err) {
    c->n = args->n_operands;
    c->run = calloc((size_t)c->n, sizeof *c->run);
    c->folder = calloc((size_t)c->n, sizeof *c->folder);
    if (!c->run || !c->folder) {
        err->code = STRAIT_MEMORY;
        return STRAIT_MEMORY;
    }
    for (int i = 0; i < c->n; i++) {
        const strait_status status = strait_run_open(&c->run[i], cli_run_named(args, i).text, err);
        if (status != STRAIT_OK) return status;
        c->folder[i] = c->run[i].folder;
    }
    return strait_runs_differences(&c->differences, c->folder, c->n, err);
}

/* ---- tables ---- */

/* A value that fits a column, cut by an ellipsis. */
static void set_cell(cli_word *cell, const char *text, size_t n) {
    size_t bytes = 0;
    int columns = 0;
    while (bytes < n && columns < WIDEST) {
        bytes++;
        while (bytes < n && ((unsigned char)text[bytes] & 0xc0) == 0x80)
            bytes++;
        columns++;
    }
    if (bytes == n)
        snprintf(cell->text, sizeof cell->text, "%.*s", (int)n, text);
    else
        snprintf(cell->text, sizeof cell->text, "%.*s...", (int)bytes, text);
}

/* A key, cut at its front: what it ends with tells keys apart. Keys are ASCII. */
static void set_key(cli_word *cell, const char *key, size_t n) {
    if (n <= WIDEST)
        snprintf(cell->text, sizeof cell->text, "%.*s", (int)n, key);
    else
        snprintf(cell->text, sizeof cell->text, "...%.*s", WIDEST, key + n - WIDEST);
}

/* A key and a value for each run, under the runs' names. */
static cli_exit print_table(const comparison *c, const char *title, int n_rows, const cli_word *cell, bool right) {
    cli_column *column = calloc((size_t)c->n + 1, sizeof *column);
    if (!column) return cli_no_memory();
    column[0].title = title;
    for (int i = 0; i < c->n; i++)
        column[i + 1] = (cli_column){c->run[i].name, right, 0};
    cli_table_print(c->n + 1, column, n_rows, cell, 0);
    free(column);
    return CLI_OK;
}

static cli_exit print_differences(const comparison *c) {
    int n_rows = 0;
    for (const char *at = c->differences; (at = strchr(at, '\n')) != NULL; at++)
        n_rows++;
    if (n_rows == 0) {
        printf("the recipes are the same\n");
        return CLI_OK;
    }
    cli_word *cell = calloc((size_t)n_rows * ((size_t)c->n + 1), sizeof *cell);
    if (!cell) return cli_no_memory();
    const char *at = c->differences;
    for (int i = 0; i < n_rows * (c->n + 1); i++) {
        const size_t length = strcspn(at, "\t\n");
        (i % (c->n + 1) == 0 ? set_key : set_cell)(&cell[i], at, length);
        at += length + 1;
    }
    const cli_exit code = print_table(c, "recipe", n_rows, cell, false);
    free(cell);
    return code;
}

static const char *const results[] = {
    "state",  "epochs",  "loss_name",          "loss",       "val_loss",  "best_loss", "best_epoch", "parameters",
    "latent", "seconds", "samples_per_second", "n_problems", "n_warnings"};
#define N_RESULTS ((int)(sizeof results / sizeof *results))

static cli_exit print_results(const comparison *c) {
    cli_word *cell = calloc((size_t)N_RESULTS * ((size_t)c->n + 1), sizeof *cell);
    if (!cell) return cli_no_memory();
    for (int r = 0; r < N_RESULTS; r++) {
        cli_word *row = cell + r * (c->n + 1);
        set_cell(&row[0], results[r], strlen(results[r]));
        for (int i = 0; i < c->n; i++) {
            char value[1024];
            const strait_run_kind kind = strait_run_value(value, &c->run[i], results[r]);
            double number = 0;
            if (kind == STRAIT_RUN_NUMBER && strpbrk(value, ".e") && sscanf(value, "%lf", &number) == 1)
                snprintf(value, sizeof value, "%s", cli_loss(number).text);
            set_cell(&row[i + 1], value, strlen(value));
        }
    }
    printf("\n");
    const cli_exit code = print_table(c, "result", N_RESULTS, cell, true);
    free(cell);
    return code;
}

static bool same_losses(const comparison *c) {
    for (int i = 1; i < c->n; i++)
        if (strcmp(c->run[i].loss_name, c->run[0].loss_name) != 0) return false;
    return true;
}

static bool same_sources(const comparison *c) {
    for (int i = 1; i < c->n; i++)
        if (strcmp(c->run[i].source, c->run[0].source) != 0) return false;
    return true;
}

/* ---- pictures ---- */

static bool spans(const strait_series *series, int n) {
    double low = INFINITY, high = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < series[i].n; j++) {
            if (!isfinite(series[i].y[j])) continue;
            low = fmin(low, series[i].y[j]);
            high = fmax(high, series[i].y[j]);
        }
    return low > 0 && high > low * LOG_FACTOR;
}

/* The validation loss where a run has one, else its training loss. */
static strait_status draw_losses(const comparison *c, const char *path, strait_error *err) {
    strait_run_metrics **metrics = calloc((size_t)c->n, sizeof(void *));
    strait_series *series = calloc((size_t)c->n, sizeof *series);
    char(*label)[160] = calloc((size_t)c->n, sizeof *label);
    strait_status status = metrics && series && label ? STRAIT_OK : STRAIT_MEMORY;
    int n = 0;
    for (int i = 0; i < c->n && status == STRAIT_OK; i++) {
        status = strait_run_metrics_read(&metrics[i], c->folder[i], err);
        if (status != STRAIT_OK || metrics[i]->n == 0) continue;
        const bool validated = isfinite(metrics[i]->val_loss[metrics[i]->n - 1]);
        snprintf(label[n], sizeof *label, "%s%s", c->run[i].name, validated ? "" : " (training)");
        series[n] = (strait_series){label[n], metrics[i]->n, metrics[i]->epoch,
                                    validated ? metrics[i]->val_loss : metrics[i]->loss};
        n++;
    }
    if (status == STRAIT_OK && n > 0)
        status = strait_picture_chart(path, "Validation loss", "epoch", same_losses(c) ? c->run[0].loss_name : "loss",
                                      n, series, spans(series, n), err);
    for (int i = 0; metrics && i < c->n; i++)
        strait_run_metrics_free(metrics[i]);
    free(metrics);
    free(series);
    free(label);
    return status;
}

static strait_status draw_samples(const comparison *c, const char *path, strait_error *err) {
    strait_array **array = calloc((size_t)c->n + 1, sizeof(void *));
    const strait_array **row = calloc((size_t)c->n + 1, sizeof(void *));
    const char **caption = calloc((size_t)c->n + 1, sizeof(void *));
    strait_status status = array && row && caption ? STRAIT_OK : STRAIT_MEMORY;
    if (status == STRAIT_OK) status = strait_runs_reconstruct(&array[0], array + 1, c->folder, c->n, SAMPLES, err);
    for (int i = 0; i <= c->n && status == STRAIT_OK; i++) {
        row[i] = array[i];
        caption[i] = i == 0 ? "original" : c->run[i - 1].name;
    }
    if (status == STRAIT_OK) status = strait_picture_sheet(path, c->n + 1, row, caption, SAMPLES, err);
    for (int i = 0; array && i <= c->n; i++)
        strait_array_free(array[i]);
    free(array);
    free(row);
    free(caption);
    return status;
}

/* Draws what can be drawn. What cannot is told on stderr and the rest goes on: data may be elsewhere by now, models may
   take other samples. The names of what was drawn are added to files. */
static cli_exit draw(const comparison *c, const char *folder, json_t *files) {
    static const struct {
        const char *name;
        strait_status (*draw)(const comparison *c, const char *path, strait_error *err);
    } picture[] = {{"compare-loss.png", draw_losses}, {"compare-samples.png", draw_samples}};
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        cli_error("%s: cannot make this folder: %s", folder, strerror(errno));
        return CLI_FAILED;
    }
    for (size_t i = 0; i < sizeof picture / sizeof *picture; i++) {
        char path[1400];
        strait_error err = {0};
        snprintf(path, sizeof path, "%s/%s", folder, picture[i].name);
        const strait_status status = picture[i].draw(c, path, &err);
        if (status == STRAIT_OK)
            json_array_append_new(files, cli_json_text(path));
        else if (status == STRAIT_SHAPE || status == STRAIT_NOT_FOUND || status == STRAIT_RECIPE)
            cli_say("%s is not drawn: %s", picture[i].name, err.message);
        else
            return cli_failed(&err);
    }
    return CLI_OK;
}

/* ---- the command ---- */

static json_t *differences_json(const comparison *c) {
    json_t *list = json_array();
    for (const char *at = c->differences; *at; at++) {
        json_t *values = json_array();
        const size_t key = strcspn(at, "\t\n");
        json_t *entry = json_pack("{s:s#, s:o}", "key", at, (int)key, "values", values);
        for (at += key; entry && *at == '\t';) {
            const size_t length = strcspn(++at, "\t\n");
            json_array_append_new(values, length ? json_stringn(at, length) : json_null());
            at += length;
        }
        json_array_append_new(list, entry);
    }
    return list;
}

static cli_exit print_json(const comparison *c, json_t *files) {
    json_t *runs = json_array();
    for (int i = 0; i < c->n; i++)
        json_array_append_new(runs, cli_run_json(&c->run[i]));
    return cli_json_print(
        json_pack("{s:o, s:o, s:o}", "runs", runs, "differences", differences_json(c), "files", json_incref(files)));
}

static cli_exit print_all(const comparison *c, const json_t *files) {
    const cli_exit code = print_differences(c);
    if (code != CLI_OK) return code;
    if (print_results(c) != CLI_OK) return CLI_FAILED;
    if (!same_losses(c))
        printf("\nThe runs were trained for different losses: their numbers are not the same measure.\n");
    else if (!same_sources(c))
        printf("\nThe runs were trained on different data: their losses cannot be ranked.\n");
    for (size_t i = 0; i < json_array_size(files); i++)
        printf("%s%s\n", i ? "            " : "\npictures    ", json_string_value(json_array_get(files, i)));
    return CLI_OK;
}

static cli_exit run_compare(const cli_args *args) {
    comparison c = {0};
    strait_error err = {0};
    json_t *files = json_array();
    cli_exit code = CLI_OK;
    if (args->n_operands < 2)
        code = cli_usage("to compare takes at least two runs; usage: strait %s", cli_runs_compare.synopsis[0]);
    else if (!files)
        code = cli_no_memory();
    else if (open_comparison(&c, args, &err) != STRAIT_OK)
        code = cli_failed(&err);
    if (code == CLI_OK && cli_has(args, "output")) code = draw(&c, cli_text(args, "output"), files);
    if (code == CLI_OK) code = cli_has(args, "json") ? print_json(&c, files) : print_all(&c, files);
    json_decref(files);
    close_comparison(&c);
    return code;
}

const cli_command cli_runs_compare = {
    .name = "runs compare",
    .summary = "show runs side by side: recipes, results, curves, samples",
    .synopsis = {"runs compare RUN RUN... [-o DIR] [OPTIONS]"},
    .details = "The samples are the first ones that the first run validated on (trained on without validation), "
               "reconstructed by each model.",
    .operand = {"RUN"},
    .least_operands = 1,
    .many = true,
    .options = options,
    .examples = examples,
    .run = run_compare,
};
