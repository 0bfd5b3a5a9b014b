/* strait data augment: an enlarged set of images in files. */
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"

#define USUAL "{rotate: 15, shift: 0.1, zoom: 0.1}"

static const cli_option options[] = {
    {"to", 0, CLI_COUNT, false, "N", "how many images there shall be, those of DATA among them"},
    {"output", 'o', CLI_TEXT, false, "DIR", "a new folder of PNG files, by labels; or a file: .npy, .npz, .csv"},
    {"augment", 0, CLI_TEXT, false, "MAP", "what is done, as data.augment in recipes (default: " USUAL ")"},
    {"seed", 's', CLI_SEED, false, "N", "another seed gives other images (default: 42)"},
    CLI_OPTION_LABEL,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait data augment sheet.png --to 8 -o enlarged", "eight of one image: itself and seven like it"},
    {"strait data augment sheet.png --to 4 --augment '{flip: both, contrast: 0.2}' -o enlarged.npy",
     "mirrored, of other contrast, in one file"},
    {0},
};

static cli_exit run(const cli_args *args) {
    const char *path = cli_text(args, "output"), *augment = cli_text(args, "augment");
    if (!path) return cli_usage("where to? use -o DIR or -o FILE");
    if (!cli_has(args, "to")) return cli_usage("how many images? use --to N");
    const int64_t n = cli_int(args, "to", 0);
    strait_data *data = NULL;
    strait_error err = {0};
    strait_status status = cli_data_open(&data, args, &err);
    const int64_t n_before = status == STRAIT_OK ? strait_data_count(data) : 0;
    if (status == STRAIT_OK)
        status =
            strait_data_augment(path, data, n, augment ? augment : USUAL, (uint64_t)cli_int(args, "seed", 42), &err);
    strait_data_free(data);
    if (status != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json"))
        return cli_json_print(json_pack("{s:o, s:I, s:I}", "output", cli_json_text(path), "samples", (json_int_t)n,
                                        "augmented", (json_int_t)(n - n_before)));
    printf("%s  %s images, ", path, cli_count(n).text);
    printf("%s of them augmented\n", cli_count(n - n_before).text);
    return CLI_OK;
}

const cli_command cli_data_augment = {
    .name = "data augment",
    .summary = "write an enlarged set of images",
    .synopsis = {"data augment DATA --to N -o DIR [OPTIONS]", "data augment DATA --to N -o FILE [OPTIONS]"},
    .details =
        "The images of DATA come first, as they are; then come augmented ones, of each image in turn. The same seed "
        "gives the same files, and a larger set begins with the smaller one. A folder gets a sub-folder for each "
        "label; beside FILE.npy stand the labels as FILE_labels.npy. File and folder appear when they are whole.",
    .operand = {"DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
