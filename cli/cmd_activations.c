/* strait activations: what every layer makes of one sample. */
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "output.h"
#include "picture.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, false, "FILE", "the sheet to write: .png or .svg"},
    {"sample", 'n', CLI_SEED, false, "N", "which sample of the data, counted from 0 (default: 0)"},
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait activations fashion-basic-001 fashion-mnist#test --sample 3 -o sheet.png",
     "every layer's values for the fourth test image"},
    {0},
};

/* Least and greatest value, and the share of zeros. */
static json_t *layer_json(const strait_activation_map *map) {
    int64_t n = 1, zeros = 0;
    for (int i = 0; i < map->n_dims; i++)
        n *= map->dim[i];
    double low = (double)map->values[0], high = low;
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)map->values[i];
        low = x < low ? x : low;
        high = x > high ? x : high;
        zeros += map->values[i] == 0.0f;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", cli_json_text(map->name), "layer",
                     cli_json_text(map->layer), "shape", cli_json_shape(map->n_dims, map->dim), "minimum",
                     cli_json_real(low), "maximum", cli_json_real(high), "zero_share",
                     cli_json_real((double)zeros / (double)n));
}

static cli_exit print_json(const strait_activations *activations, const char *path, int64_t sample) {
    json_t *layers = json_array();
    for (int i = 0; layers && i < activations->n; i++)
        if (json_array_append_new(layers, layer_json(&activations->map[i])) != 0) {
            json_decref(layers);
            layers = NULL;
        }
    return cli_json_print(
        json_pack("{s:o, s:I, s:o}", "file", cli_json_text(path), "sample", (json_int_t)sample, "layers", layers));
}

static cli_exit run(const cli_args *args) {
    const char *path = cli_text(args, "output");
    const int64_t sample = (int64_t)cli_real(args, "sample", 0);
    if (!path) return cli_usage("-o FILE is missing; usage: strait %s", args->command->synopsis[0]);
    cli_exit code = cli_output_check(path, cli_picture_endings);
    if (code != CLI_OK) return code;
    strait_model *model = NULL;
    strait_data *data = NULL;
    strait_activations *activations = NULL;
    strait_error err = {0};
    strait_status status = cli_model_data_open(&model, &data, args->operand, false, &err);
    if (status == STRAIT_OK) status = strait_model_activations(&activations, model, data, sample, &err);
    if (status == STRAIT_OK) status = strait_picture_activations(path, activations, &err);
    if (status != STRAIT_OK) {
        code = cli_failed(&err);
    } else if (cli_has(args, "json")) {
        code = print_json(activations, path, sample);
    } else {
        printf("%s  %d layers of sample %lld\n", path, activations->n - 1, (long long)sample);
    }
    strait_activations_free(activations);
    strait_data_free(data);
    strait_model_free(model);
    return code;
}

const cli_command cli_activations = {
    .name = "activations",
    .summary = "draw what every layer makes of one sample",
    .synopsis = {"activations MODEL DATA -o FILE [OPTIONS]"},
    .details = "A sheet with a block for each layer: its name, kind, shape and range of values; feature maps in grey, "
               "from the layer's least value (black) to its greatest (white), other values as bars. Of more than 64 "
               "maps or 256 values the first are drawn.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = options,
    .examples = examples,
    .run = run,
};
