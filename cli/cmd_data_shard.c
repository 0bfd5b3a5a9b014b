/* strait data shard: a data set as TFRecord files. */
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "terminal.h"

static const cli_option options[] = {
    {"shards", 'n', CLI_COUNT, false, "N", "how many files (default: 100)"},
    {"output", 'o', CLI_TEXT, false, "DIR", "the folder they go into"},
    CLI_OPTION_LABEL,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait data shard fashion-mnist#test --shards 4 -o shards", "four TFRecord files and an index of them"},
    {"strait data info shards", "and what they hold"},
    {0},
};

static cli_exit run(const cli_args *args) {
    const char *folder = cli_text(args, "output");
    const int64_t n_shards = cli_int(args, "shards", 100);
    if (!folder) return cli_usage("name the folder that the shards go into: -o DIR");
    if (n_shards > 99999) return cli_usage("--shards: at most 99999");
    strait_data *data = NULL;
    strait_error err = {0};
    cli_work work = {.verb = "sharding", .quiet = cli_has(args, "quiet")};
    strait_status status = cli_data_open(&data, args, &err);
    if (status == STRAIT_OK) status = strait_data_shard(data, folder, (int)n_shards, cli_work_progress, &work, &err);
    const int64_t n = status == STRAIT_OK ? strait_data_count(data) : 0;
    strait_data_free(data);
    if (status != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json"))
        return cli_json_print(json_pack("{s:o, s:I, s:I}", "folder", cli_json_text(folder), "shards",
                                        (json_int_t)n_shards, "samples", (json_int_t)n));
    printf("%s  %s sample%s in %s shard%s\n", folder, cli_count(n).text, n == 1 ? "" : "s", cli_count(n_shards).text,
           n_shards == 1 ? "" : "s");
    return CLI_OK;
}

const cli_command cli_data_shard = {
    .name = "data shard",
    .summary = "write a data set as TFRecord shards",
    .synopsis = {"data shard DATA -o DIR [OPTIONS]"},
    .details =
        "A sample goes where a hash of its name says, so that shards are random parts of the data and can be told "
        "apart for validation (data: {split: shards}). PNG and JPEG files keep their bytes. Each file is there "
        "whole or not at all: begun again after an interruption, the same command writes what is missing. "
        "index.csv says where each sample is.",
    .operand = {"DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
