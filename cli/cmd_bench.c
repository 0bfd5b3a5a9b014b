/* strait bench: how fast this machine trains, against its own peak. */
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "terminal.h"

static const cli_option options[] = {
    {"only", 0, CLI_TEXT, false, "NAME", "measure this workload alone"},
    {"seconds", 0, CLI_SECONDS, false, "S", "time for each workload (default: 3)"},
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait bench --only fashion-basic --seconds 1", "one workload, quickly"},
    {"strait bench --seconds 0.5 --json", "all, for a program"},
    {0},
};

static void tell(void *context, const char *name) {
    (void)context;
    cli_line line = {{0}, 0};
    cli_line_add(&line, "measuring %s ...", name);
    cli_line_redraw(&line);
}

static void print_table(const strait_bench *bench) {
    printf("peak %.1f GFLOP/s on %d thread%s (float32, a large matrix product)\n\n", bench->peak_gflops, bench->threads,
           bench->threads == 1 ? "" : "s");
    printf("%-22s %6s %11s %9s %9s %8s %8s\n", "workload", "batch", "samples/s", "ms/step", "GFLOP/s", "of peak", "MB");
    for (int i = 0; i < bench->n_rows; i++) {
        const strait_bench_row *row = &bench->row[i];
        printf("%-22s %6d %11s %9.4g %9.1f %7.1f%% %8.1f\n", row->name, row->batch,
               cli_count((int64_t)(row->samples_per_second + 0.5)).text, row->ms_per_step, row->gflops,
               100 * row->fraction_of_peak, row->peak_memory_mb);
    }
}

static json_t *row_json(const strait_bench_row *row) {
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "name", cli_json_text(row->name), "batch", row->batch,
                     "samples_per_second", cli_json_real(row->samples_per_second), "ms_per_step",
                     cli_json_real(row->ms_per_step), "gflops", cli_json_real(row->gflops), "fraction_of_peak",
                     cli_json_real(row->fraction_of_peak), "peak_memory_mb", cli_json_real(row->peak_memory_mb));
}

static json_t *bench_json(const strait_bench *bench) {
    json_t *workloads = json_array();
    for (int i = 0; workloads && i < bench->n_rows; i++) {
        if (json_array_append_new(workloads, row_json(&bench->row[i])) == 0) continue;
        json_decref(workloads);
        workloads = NULL;
    }
    return json_pack("{s:i, s:o, s:o}", "threads", bench->threads, "peak_gflops", cli_json_real(bench->peak_gflops),
                     "workloads", workloads);
}

static cli_exit run(const cli_args *args) {
    strait_bench *bench = NULL;
    strait_error err = {0};
    const strait_status status =
        strait_bench_run(&bench, cli_text(args, "only"), cli_int(args, "threads", 0), cli_real(args, "seconds", 3),
                         cli_has(args, "quiet") ? NULL : tell, NULL, &err);
    cli_line_wipe();
    cli_exit code = CLI_OK;
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else if (cli_has(args, "json"))
        code = cli_json_print(bench_json(bench));
    else
        print_table(bench);
    strait_bench_free(bench);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "measure how fast this machine trains",
    .synopsis = {"bench [OPTIONS]"},
    .details = "Trains each standard workload for a few seconds on data made in memory, and compares it with the peak: "
               "the best of a large matrix product, measured in the same run with the same threads.",
    .options = options,
    .examples = examples,
    .run = run,
};
