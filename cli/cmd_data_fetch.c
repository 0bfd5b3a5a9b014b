/* strait data fetch: a known data set from its public home into the user's data folder. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "terminal.h"

static const cli_option options[] = {
    {"url", 0, CLI_TEXT, false, "URL", "take the files from this folder on a server instead"},
    CLI_OPTION_QUIET,
    CLI_OPTION_JSON,
    {0},
};

/* One that needs no network, as all examples are run by the tests. */
static const cli_example examples[] = {
    {"strait data list", "what is here, and what can be fetched"},
    {0},
};

typedef struct display {
    bool quiet;
    const char *file;
    int64_t bytes, first; /* of the file; there before this try */
    double started, drawn;
} display;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_begin(void *context, const char *file, int64_t bytes) {
    display *d = context;
    d->file = file;
    d->bytes = bytes;
    d->first = -1;
    d->started = d->drawn = now();
    if (!d->quiet) cli_say("%s  %s", file, cli_bytes((double)bytes).text);
}

/* Redrawn ten times a second. */
static void on_progress(void *context, int64_t got, int64_t total) {
    display *d = context;
    const double time = now();
    if (d->first < 0) d->first = got;
    if (d->quiet || !cli_live() || time - d->drawn < 0.1) return;
    d->drawn = time;
    cli_line line = {{0}, 0};
    const int64_t all = total > 0 ? total : d->bytes;
    const double rate = (double)(got - d->first) / (time - d->started);
    cli_line_add(&line, "%s  %s of %s", d->file, cli_bytes((double)got).text, cli_bytes((double)all).text);
    if (rate > 0) cli_line_add(&line, "%s%s left", cli_dot(), cli_duration((double)(all - got) / rate).text);
    cli_line_redraw(&line);
}

static cli_exit run(const cli_args *args) {
    display d = {.quiet = cli_has(args, "quiet") || cli_has(args, "json")};
    const strait_fetch fetch = {
        .url = cli_text(args, "url"), .begin = on_begin, .progress = on_progress, .context = &d};
    strait_known_data known;
    strait_error err = {0};
    if (strait_data_fetch(&known, args->operand[0], &fetch, &err) != STRAIT_OK) return cli_failed(&err);
    cli_exit code = CLI_OK;
    if (cli_has(args, "json"))
        code = cli_json_print(
            json_pack("{s:o, s:o}", "name", cli_json_text(known.name), "folder", cli_json_text(known.folder)));
    else
        printf("%s  %s\n", known.name, known.folder);
    strait_known_data_free(&known);
    return code;
}

const cli_command cli_data_fetch = {
    .name = "data fetch",
    .summary = "fetch a known data set from its public home",
    .synopsis = {"data fetch NAME [OPTIONS]"},
    .details =
        "NAME is cifar10, ecg5000, fashion-mnist or mnist. The files go to $XDG_DATA_HOME/strait/NAME "
        "(~/.local/share/strait/NAME), each checked against its SHA-256. What was broken off goes on where it ended "
        "when the command is run again. Proxies are those of the environment (https_proxy, no_proxy).",
    .operand = {"NAME"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
