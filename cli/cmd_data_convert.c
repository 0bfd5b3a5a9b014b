/* strait data convert: a data set in another format. */
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, false, "OUT", "what to write: .npy, .npz, .csv, or a new folder of PNG files"},
    CLI_OPTION_LABEL,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait data convert fashion-mnist#test -o fashion.npz", "images and labels for numpy"},
    {"strait data info fashion.npz", "they read back the same"},
    {0},
};

static cli_exit run(const cli_args *args) {
    const char *path = cli_text(args, "output");
    if (!path) return cli_usage("-o OUT is missing; usage: strait %s", args->command->synopsis[0]);
    strait_data *data = NULL;
    strait_error err = {0};
    strait_status status = cli_data_open(&data, args, &err);
    if (status == STRAIT_OK) status = strait_data_write(path, data, &err);
    const int64_t n = status == STRAIT_OK ? strait_data_count(data) : 0;
    strait_data_free(data);
    if (status != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json"))
        return cli_json_print(json_pack("{s:o, s:I}", "file", cli_json_text(path), "samples", (json_int_t)n));
    printf("%s  %s samples\n", path, cli_count(n).text);
    return CLI_OK;
}

const cli_command cli_data_convert = {
    .name = "data convert",
    .summary = "write a data set in another format",
    .synopsis = {"data convert DATA -o OUT [OPTIONS]"},
    .details =
        "OUT ends in .npy (labels go to OUT_labels.npy), .npz (arrays x and y) or .csv (a column label); any other "
        "name is a new folder of PNG files, in sub-folders by label. Nothing is under the name OUT before all of "
        "it is written: after a kill, run it again.",
    .operand = {"DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
