/* strait runs list, export, scan, delete: the store of runs as a whole. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "format.h"
#include "output.h"
#include "runs.h"
#include "table.h"
#include "terminal.h"

#define OPTION_SORT                                                                                                    \
    { "sort", 's', CLI_TEXT, false, "COLUMN", "a column or a key of the recipe; -COLUMN (--sort=-loss) turns it round" }
#define OPTION_FILTER                                                                                                  \
    { "filter", 'f', CLI_TEXT, false, "CONDITIONS", "only runs that meet all: loss=mse,val_loss<0.01" }
#define FILTER_HELP                                                                                                    \
    "A condition is COLUMN OPERATOR VALUE, the operator =, !=, <, >, <= or >=; conditions are joined by commas. "      \
    "COLUMN "                                                                                                          \
    "is one that --json shows (name, state, val_loss, ...) or a key of the recipe, as train.batch_size or "            \
    "model.encoder.1.dense.units. loss with a word is the loss's name, with a number its value."

static const cli_option list_options[] = {
    OPTION_SORT,    OPTION_FILTER,   {"limit", 'n', CLI_COUNT, false, "N", "at most so many"},
    CLI_OPTION_DIR, CLI_OPTION_JSON, {0},
};
static const cli_option export_options[] = {
    {"output", 'o', CLI_TEXT, false, "FILE", "the CSV file to write (default: standard output)"},
    OPTION_SORT,
    OPTION_FILTER,
    CLI_OPTION_DIR,
    CLI_OPTION_JSON,
    {0},
};
static const cli_option scan_options[] = {CLI_OPTION_DIR, CLI_OPTION_JSON, {0}};
static const cli_option delete_options[] = {
    {"yes", 'y', CLI_FLAG, false, NULL, "do not ask"}, CLI_OPTION_DIR, CLI_OPTION_JSON, {0}};

static const cli_example list_examples[] = {
    {"strait runs list --sort val_loss", "all runs, the best first"},
    {"strait runs list --filter 'loss=mse,train.batch_size<=64' --json", "some of them, for a program"},
    {0},
};
static const cli_example export_examples[] = {
    {"strait runs export -o runs.csv", "every run and column, for a spreadsheet"},
    {0},
};
static const cli_example scan_examples[] = {
    {"strait runs scan", "after run folders were moved, copied or removed by hand"},
    {0},
};
static const cli_example delete_examples[] = {
    {"strait runs delete fashion-basic-002 --yes", "a run with all its files"},
    {0},
};

/* ---- shared ---- */

static const cli_word no_word; /* "" */

cli_run_path cli_run_named(const cli_args *args, int operand) {
    const char *name = args->operand[operand], *dir = cli_text(args, "dir");
    cli_run_path path;
    const bool join = dir && !strchr(name, '/');
    snprintf(path.text, sizeof path.text, "%s%s%s", join ? dir : "", join ? "/" : "", name);
    return path;
}

cli_word cli_run_loss(double loss) {
    return isnan(loss) ? no_word : cli_loss(loss);
}

json_t *cli_run_json(const strait_run *run) {
    json_t *object = json_object();
    char value[1024];
    const char *name;
    for (size_t i = 0; object && (name = strait_run_column(i)) != NULL; i++) {
        const strait_run_kind kind = strait_run_value(value, run, name);
        json_t *item = kind == STRAIT_RUN_TEXT     ? cli_json_text(value)
                       : kind == STRAIT_RUN_NUMBER ? json_loads(value, JSON_DECODE_ANY, NULL)
                                                   : json_null();
        if (json_object_set_new(object, name, item) == 0) continue;
        json_decref(object);
        object = NULL;
    }
    return object;
}

static strait_status read_list(strait_runs **out, const cli_args *args, strait_error *err) {
    return strait_runs_list(out, cli_text(args, "dir"), cli_text(args, "sort"), cli_text(args, "filter"), err);
}

/* ---- list ---- */

static const cli_column list_column[] = {
    {"name", false, 0}, {"state", false, 2},   {"loss of", false, 4},  {"epochs", true, 3},
    {"loss", true, 1},  {"val_loss", true, 0}, {"best", true, 5},      {"parameters", true, 7},
    {"time", true, 6},  {"started", false, 8}, {"findings", false, 9},
};
#define N_LIST ((int)(sizeof list_column / sizeof *list_column))

static void fill_row(cli_word *cell, const strait_run *run) {
    int i = 0;
    snprintf(cell[i++].text, sizeof cell->text, "%s", run->name);
    snprintf(cell[i++].text, sizeof cell->text, "%s", run->state);
    snprintf(cell[i++].text, sizeof cell->text, "%s", run->loss_name);
    snprintf(cell[i++].text, sizeof cell->text, "%d/%d", run->epochs, run->epochs_asked);
    cell[i++] = cli_run_loss(run->loss);
    cell[i++] = cli_run_loss(run->val_loss);
    cell[i++] = cli_run_loss(run->best_loss);
    cell[i++] = cli_count(run->parameters);
    cell[i++] = isnan(run->seconds) ? no_word : cli_duration(run->seconds);
    snprintf(cell[i++].text, sizeof cell->text, "%.10s %.5s", run->started,
             strlen(run->started) > 11 ? run->started + 11 : "");
    if (run->n_problems + run->n_warnings > 0)
        snprintf(cell[i].text, sizeof cell->text, "%d problem%s, %d warning%s", run->n_problems,
                 run->n_problems == 1 ? "" : "s", run->n_warnings, run->n_warnings == 1 ? "" : "s");
}

static cli_exit print_list(const strait_runs *runs, int n) {
    cli_word *cell = calloc((size_t)n * N_LIST + 1, sizeof *cell);
    if (!cell) return cli_no_memory();
    for (int i = 0; i < n; i++)
        fill_row(cell + i * N_LIST, &runs->run[i]);
    if (n > 0) cli_table_print(N_LIST, list_column, n, cell, cli_table_width());
    if (n == 0)
        printf("no runs\n");
    else if (n < runs->n)
        printf("%d of %d runs\n", n, runs->n);
    free(cell);
    return CLI_OK;
}

static cli_exit print_list_json(const strait_runs *runs, int n) {
    json_t *list = json_array();
    for (int i = 0; list && i < n; i++)
        if (json_array_append_new(list, cli_run_json(&runs->run[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return cli_json_print(json_pack("{s:o, s:i}", "runs", list, "n", runs->n));
}

static cli_exit run_list(const cli_args *args) {
    strait_runs *runs = NULL;
    strait_error err = {0};
    if (read_list(&runs, args, &err) != STRAIT_OK) return cli_failed(&err);
    const int limit = cli_int(args, "limit", runs->n), n = limit < runs->n ? limit : runs->n;
    const cli_exit code = cli_has(args, "json") ? print_list_json(runs, n) : print_list(runs, n);
    strait_runs_free(runs);
    return code;
}

/* ---- export, scan ---- */

static cli_exit run_export(const cli_args *args) {
    static const char *const endings[] = {".csv", NULL};
    const char *path = cli_text(args, "output");
    strait_runs *runs = NULL;
    strait_error err = {0};
    char *csv = NULL;
    if (!path && cli_has(args, "json")) return cli_usage("--json needs a file to export to: -o FILE");
    const cli_exit usage = path ? cli_output_check(path, endings) : CLI_OK;
    if (usage != CLI_OK) return usage;
    strait_status status = read_list(&runs, args, &err);
    if (status == STRAIT_OK) status = path ? strait_runs_export(runs, path, &err) : strait_runs_csv(&csv, runs, &err);
    cli_exit code = CLI_OK;
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else if (cli_has(args, "json"))
        code = cli_json_print(json_pack("{s:o, s:i}", "output", cli_json_text(path), "runs", runs->n));
    else if (csv)
        fputs(csv, stdout);
    else
        printf("%d run%s written to %s\n", runs->n, runs->n == 1 ? "" : "s", path);
    strait_string_free(csv);
    strait_runs_free(runs);
    return code;
}

static cli_exit run_scan(const cli_args *args) {
    int added = 0, dropped = 0;
    strait_error err = {0};
    if (strait_runs_scan(&added, &dropped, cli_text(args, "dir"), &err) != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json")) return cli_json_print(json_pack("{s:i, s:i}", "added", added, "dropped", dropped));
    printf("%d run%s added, %d dropped\n", added, added == 1 ? "" : "s", dropped);
    return CLI_OK;
}

/* ---- delete ---- */

/* What is asked to be deleted: a run, or a sweep with its runs. */
typedef struct doomed {
    bool is_sweep;
    int n_runs; /* of the sweep */
} doomed;

static bool confirmed(const cli_args *args, const char *path, const doomed *what) {
    char answer[16] = "";
    if (cli_has(args, "yes")) return true;
    if (what->is_sweep)
        cli_ask("delete the sweep %s and its %d run%s with all their files? [y/N] ", path, what->n_runs,
                what->n_runs == 1 ? "" : "s");
    else
        cli_ask("delete %s with all its files? [y/N] ", path);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* A run that can be found is one, whatever else may be wrong with it. */
static strait_status look_up(doomed *what, const char *path, strait_error *err) {
    strait_run run;
    strait_error other = {0};
    *what = (doomed){0};
    if (strait_run_open(&run, path, err) != STRAIT_NOT_FOUND) return STRAIT_OK;
    const strait_status status = strait_sweep_runs(&what->n_runs, path, &other);
    what->is_sweep = status == STRAIT_OK;
    if (status == STRAIT_OK || status == STRAIT_NOT_FOUND) return status; /* then the message on runs stands */
    *err = other;
    return status;
}

static strait_status delete_one(const char *path, const doomed *what, strait_error *err) {
    return what->is_sweep ? strait_sweep_delete(path, err) : strait_run_delete(path, err);
}

static cli_exit run_delete(const cli_args *args) {
    strait_error err = {0};
    doomed what;
    json_t *deleted = json_array();
    cli_exit code = deleted ? CLI_OK : cli_no_memory();
    if (code == CLI_OK && !cli_has(args, "yes") && (!isatty(STDIN_FILENO) || cli_has(args, "json")))
        code = cli_usage("nobody can be asked here whether to delete: add --yes");
    for (int i = 0; code == CLI_OK && i < args->n_operands; i++) /* a slip in a name deletes nothing */
        if (look_up(&what, cli_run_named(args, i).text, &err) != STRAIT_OK) code = cli_failed(&err);
    for (int i = 0; code == CLI_OK && i < args->n_operands; i++) {
        const cli_run_path path = cli_run_named(args, i);
        if (look_up(&what, path.text, &err) != STRAIT_OK) { /* given twice, or its sweep was */
            code = cli_failed(&err);
            continue;
        }
        if (!confirmed(args, path.text, &what)) continue;
        if (delete_one(path.text, &what, &err) != STRAIT_OK)
            code = cli_failed(&err);
        else if (json_array_append_new(deleted, cli_json_text(path.text)) != 0)
            code = cli_no_memory();
        else if (!cli_has(args, "json") && what.is_sweep)
            printf("deleted %s and its %d run%s\n", path.text, what.n_runs, what.n_runs == 1 ? "" : "s");
        else if (!cli_has(args, "json"))
            printf("deleted %s\n", path.text);
    }
    if (code == CLI_OK && cli_has(args, "json")) return cli_json_print(json_pack("{s:o}", "deleted", deleted));
    json_decref(deleted);
    return code;
}

const cli_command cli_runs_list = {
    .name = "runs list",
    .summary = "list what was trained, sorted and filtered",
    .synopsis = {"runs list [OPTIONS]"},
    .details = FILTER_HELP,
    .options = list_options,
    .examples = list_examples,
    .run = run_list,
};

const cli_command cli_runs_export = {
    .name = "runs export",
    .summary = "write all runs as CSV, a row each",
    .synopsis = {"runs export [-o FILE] [OPTIONS]"},
    .details = FILTER_HELP,
    .options = export_options,
    .examples = export_examples,
    .run = run_export,
};

const cli_command cli_runs_scan = {
    .name = "runs scan",
    .summary = "make the index of runs agree with the folders",
    .synopsis = {"runs scan [OPTIONS]"},
    .details =
        "The folders of runs are the truth, runs.db beside them is an index. Runs moved or copied here are added "
        "under their folders' names, missing ones dropped; a damaged index is kept as runs.db.damaged and made "
        "anew.",
    .options = scan_options,
    .examples = scan_examples,
    .run = run_scan,
};

const cli_command cli_runs_delete = {
    .name = "runs delete",
    .summary = "delete runs with all their files",
    .synopsis = {"runs delete RUN... [--yes] [OPTIONS]"},
    .details = "RUN may be a sweep: its runs go with it. A folder that holds a file which no run writes is left as it "
               "is, and so is a run under way. Without --yes each is asked for.",
    .operand = {"RUN"},
    .least_operands = 1,
    .many = true,
    .options = delete_options,
    .examples = delete_examples,
    .run = run_delete,
};
