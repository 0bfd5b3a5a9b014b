/* strait bench: how fast this machine trains and encodes, against its own peak. */
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "overrides.h"
#include "terminal.h"

static const cli_option options[] = {
    {"seconds", 0, CLI_SECONDS, false, "S", "time for training each (default: 3)"},
    {"layers", 0, CLI_FLAG, false, NULL, "time each operation too, and show which takes the step's time"},
    CLI_OPTION_SET,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait bench fashion-basic --seconds 1", "one recipe's model, quickly"},
    {"strait bench ecg-anomaly fashion-basic --seconds 0.3 --layers", "where a step's time goes"},
    {"strait bench fashion-denoise-conv --seconds 0.3 --set train.micro_batch=16", "with a key of the recipe changed"},
    {"strait bench mnist-dense --seconds 0.3 --json", "for a program"},
    {0},
};

static void tell(void *context, const char *name) {
    (void)context;
    cli_line line = {{0}, 0};
    cli_line_add(&line, "measuring %s ...", name);
    cli_line_redraw(&line);
}

/* "1.2 ms", "-" for nothing. */
static const char *number(char out[16], const char *format, double value) {
    if (value > 0)
        snprintf(out, 16, format, value);
    else
        snprintf(out, 16, "-");
    return out;
}

/* Forward or backward of an op: time, GFLOP/s, GB/s. */
static void print_pass(const strait_bench_op *op, int back) {
    char ms[16], gflops[16], gbytes[16];
    printf(" %9s %7s %6s", number(ms, "%.4g", op->ms[back]), number(gflops, "%.1f", op->gflops[back]),
           number(gbytes, "%.1f", op->gbytes[back]));
}

static void print_layers(const strait_bench_row *row) {
    printf("\n%s, batch %d: %d replica%s, ", row->name, row->batch, row->replicas, row->replicas == 1 ? "" : "s");
    if (row->by_columns)
        printf("each a part of the weights\n");
    else
        printf("%d sample%s at once\n", row->micro_batch, row->micro_batch == 1 ? "" : "s");
    printf("%-13s %-16s %6s %9s %7s %6s %9s %7s %6s  %s\n", "layer", "operation", "share", "forward", "GFLOP/s", "GB/s",
           "backward", "GFLOP/s", "GB/s", "how");
    for (int i = 0; i < row->n_ops; i++) {
        const strait_bench_op *op = &row->op[i];
        printf("%-13s %-16s %5.1f%%", op->name, op->kind, 100 * op->share);
        print_pass(op, 0);
        print_pass(op, 1);
        printf("  %s\n", op->how);
    }
}

static void print_table(const strait_bench *bench) {
    printf("peak %.1f GFLOP/s and %.1f GB/s on %d thread%s (float32: large matrix products, sums of large blocks)\n\n",
           bench->peak_gflops, bench->peak_gbytes, bench->threads, bench->threads == 1 ? "" : "s");
    printf("%-22s %6s %11s %9s %9s %8s %8s  %11s %8s %8s\n", "training", "batch", "samples/s", "ms/step", "GFLOP/s",
           "of peak", "MB", "encoding/s", "of peak", "MB");
    for (int i = 0; i < bench->n_rows; i++) {
        const strait_bench_row *row = &bench->row[i];
        printf("%-22s %6d %11s %9.4g %9.1f %7.1f%% %8.1f", row->name, row->batch,
               cli_count((int64_t)(row->samples_per_second + 0.5)).text, row->ms_per_step, row->gflops,
               100 * row->fraction_of_peak, row->peak_memory_mb);
        printf("  %11s %7.1f%% %8.1f\n", cli_count((int64_t)(row->encode_samples_per_second + 0.5)).text,
               100 * row->encode_fraction_of_peak, row->encode_memory_mb);
    }
    for (int i = 0; i < bench->n_rows; i++)
        if (bench->row[i].n_ops > 0) print_layers(&bench->row[i]);
}

static json_t *pair_json(const double pair[2]) {
    return json_pack("[o, o]", cli_json_real(pair[0]), cli_json_real(pair[1]));
}

static json_t *op_json(const strait_bench_op *op) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "layer", cli_json_text(op->name), "operation",
                     cli_json_text(op->kind), "how", cli_json_text(op->how), "share", cli_json_real(op->share), "ms",
                     pair_json(op->ms), "gflops", pair_json(op->gflops), "gbytes", pair_json(op->gbytes));
}

static json_t *row_json(const strait_bench_row *row) {
    json_t *object =
        json_pack("{s:o, s:i, s:i, s:i, s:b, s:o, s:o, s:o, s:o, s:o}", "name", cli_json_text(row->name), "batch",
                  row->batch, "replicas", row->replicas, "micro_batch", row->micro_batch, "by_columns", row->by_columns,
                  "samples_per_second", cli_json_real(row->samples_per_second), "ms_per_step",
                  cli_json_real(row->ms_per_step), "gflops", cli_json_real(row->gflops), "fraction_of_peak",
                  cli_json_real(row->fraction_of_peak), "peak_memory_mb", cli_json_real(row->peak_memory_mb));
    json_t *encoding =
        json_pack("{s:o, s:o, s:o, s:o}", "samples_per_second", cli_json_real(row->encode_samples_per_second), "gflops",
                  cli_json_real(row->encode_gflops), "fraction_of_peak", cli_json_real(row->encode_fraction_of_peak),
                  "memory_mb", cli_json_real(row->encode_memory_mb));
    json_t *layers = row->n_ops > 0 ? json_array() : NULL;
    for (int i = 0; layers && i < row->n_ops; i++)
        json_array_append_new(layers, op_json(&row->op[i]));
    if (json_object_set_new(object, "encoding", encoding) == 0 &&
        (!layers || json_object_set_new(object, "layers", layers) == 0))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *bench_json(const strait_bench *bench) {
    json_t *workloads = json_array();
    for (int i = 0; workloads && i < bench->n_rows; i++) {
        if (json_array_append_new(workloads, row_json(&bench->row[i])) == 0) continue;
        json_decref(workloads);
        workloads = NULL;
    }
    return json_pack("{s:i, s:o, s:o, s:o}", "threads", bench->threads, "peak_gflops",
                     cli_json_real(bench->peak_gflops), "peak_gbytes", cli_json_real(bench->peak_gbytes), "workloads",
                     workloads);
}

static cli_exit measure(const cli_args *args, const cli_overrides *set) {
    strait_bench *bench = NULL;
    strait_error err = {0};
    const strait_bench_options asked = {
        .n_recipes = (size_t)args->n_operands,
        .recipe = args->operand,
        .n_overrides = set->n,
        .override = set->text,
        .threads = cli_int(args, "threads", 0),
        .seconds = cli_real(args, "seconds", 3),
        .layers = cli_has(args, "layers"),
        .progress = cli_has(args, "quiet") ? NULL : tell,
    };
    const strait_status status = strait_bench_run(&bench, &asked, &err);
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

static cli_exit run(const cli_args *args) {
    cli_overrides set;
    cli_exit code = cli_overrides_check(args);
    if (code != CLI_OK) return code;
    const strait_error memory = {.code = STRAIT_MEMORY};
    code = cli_overrides_begin(&set, args) ? measure(args, &set) : cli_failed(&memory);
    cli_overrides_free(&set);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "measure how fast this machine trains and encodes",
    .synopsis = {"bench [RECIPE...] [OPTIONS]"},
    .details =
        "Trains each recipe's model (the standard ones, where none is named) for a few seconds on data made in "
        "memory, encodes with it, and compares with the peak: the best of large matrix products, measured in the "
        "same run with the same threads. --layers times each operation, forward and backward: GFLOP/s count "
        "two for each multiply-add; GB/s count each value, gradient and weight read or written once.",
    .operand = {"RECIPE"},
    .many = true,
    .options = options,
    .examples = examples,
    .run = run,
};
