/* strait report: a run, or several side by side, as one HTML page. */
#include <stdio.h>
#include <sys/stat.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "output.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, false, "FILE", "the page to write (default: report.html in the run's folder)"},
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait report fashion-basic-001", "writes runs/fashion-basic-001/report.html"},
    {"strait report fashion-basic-001 trials/fashion-basic-001 -o both.html", "two runs side by side"},
    {0},
};

static cli_exit print_json(const cli_args *args, const char *file, double bytes) {
    json_t *runs = json_array();
    for (int i = 0; runs && i < args->n_operands; i++) {
        if (json_array_append_new(runs, cli_json_text(args->operand[i])) == 0) continue;
        json_decref(runs);
        runs = NULL;
    }
    return cli_json_print(
        json_pack("{s:o, s:o, s:I}", "file", cli_json_text(file), "runs", runs, "bytes", (json_int_t)bytes));
}

static cli_exit run(const cli_args *args) {
    static const char *const endings[] = {".html", ".htm", NULL};
    const char *path = cli_text(args, "output");
    if (path) {
        const cli_exit good = cli_output_check(path, endings);
        if (good != CLI_OK) return good;
    }
    strait_error err = {0};
    char *written = NULL;
    if (strait_report_write(&written, path, args->operand, args->n_operands, &err) != STRAIT_OK)
        return cli_failed(&err);
    struct stat file;
    const double bytes = stat(written, &file) == 0 ? (double)file.st_size : 0;
    cli_exit code = CLI_OK;
    if (cli_has(args, "json"))
        code = print_json(args, written, bytes);
    else
        printf("%s  %s\n", written, cli_bytes(bytes).text);
    strait_string_free(written);
    return code;
}

const cli_command cli_report = {
    .name = "report",
    .summary = "write a page about a run, or compare several",
    .synopsis = {"report RUN [RUN ...] [OPTIONS]"},
    .details = "One HTML file that needs no network: the outcome and the diagnosis, loss, reconstructions by epoch, "
               "errors, the model, its weights and activations, every setting, data and machine. Of several runs a "
               "comparison (default: comparison.html beside the first run's folder).\nErrors and activations are "
               "computed when the page is made; where the data is not at hand they are left out.",
    .operand = {"RUN"},
    .least_operands = 1,
    .many = true,
    .options = options,
    .examples = examples,
    .run = run,
};
