/* strait scatter: samples along two or three axes of their latents. */
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "map_picture.h"
#include "output.h"
#include "points.h"

static const cli_option options[] = {
    {"axes", 0, CLI_TEXT, false, "A,B[,C]", "which values of the latent, counted from 0 (default: 0,1)"},
    {"output", 'o', CLI_TEXT, false, "FILE", "draw the picture: .png or .svg"},
    CLI_OPTIONS_OF_MAP_PICTURES,
    CLI_OPTION_NAMED,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait scatter fashion-basic-001 fashion-mnist#test --axes 0,2 -o axes.png",
     "two values of the latents, by label"},
    {"strait scatter z.npy --data fashion-mnist#test --axes 0,1,2 --theme dark -o axes.svg",
     "three, of latents that strait encode wrote"},
    {0},
};

/* The chosen columns of x. */
static strait_status pick(strait_array **out, const strait_array *x, const int *axis, int n_axes, strait_error *err) {
    const int64_t n = x->dim[0], d = n > 0 ? strait_array_count(x) / n : 0;
    strait_status status = cli_axes_check(axis, n_axes, d, err);
    if (status == STRAIT_OK) status = strait_array_new(out, 2, (int64_t[]){n, n_axes}, err);
    for (int64_t i = 0; status == STRAIT_OK && i < n; i++)
        for (int k = 0; k < n_axes; k++)
            (*out)->values[i * n_axes + k] = x->values[i * d + axis[k]];
    return status;
}

static strait_status draw(const cli_args *args, const int *axis, int n_axes, int64_t *n, strait_error *err) {
    const bool latents = args->n_operands > 1;
    cli_points points = {0};
    cli_named named = {0};
    strait_array *places = NULL;
    cli_word name[3] = {0}, title = {0};
    strait_status status =
        cli_points_open(&points, args->operand, args->n_operands, cli_int(args, "threads", 0), false, err);
    if (status == STRAIT_OK) status = cli_named_open(&named, &points, args, err);
    if (status == STRAIT_OK) status = pick(&places, points.x, axis, n_axes, err);
    if (status == STRAIT_OK) {
        for (int k = 0; k < n_axes; k++)
            snprintf(name[k].text, sizeof name[k].text, "%s %d", latents ? "latent" : "value", axis[k]);
        snprintf(title.text, sizeof title.text, "%s%.120s", latents ? "Latents of " : "",
                 args->operand[args->n_operands - 1]);
        const cli_map map = {.places = places,
                             .title = title.text,
                             .axis = {name[0].text, name[1].text, n_axes > 2 ? name[2].text : NULL},
                             .x = points.x,
                             .data = named.data,
                             .info = &named.info};
        *n = places->dim[0];
        status = cli_map_draw(cli_text(args, "output"), &map, args, err);
    }
    strait_array_free(places);
    cli_named_close(&named);
    cli_points_close(&points);
    return status;
}

static cli_exit run(const cli_args *args) {
    const char *path = cli_text(args, "output");
    int axis[3] = {0, 1, 2}, n_axes;
    if (!path) return cli_usage("-o FILE is missing; usage: strait %s", args->command->synopsis[0]);
    cli_exit code = cli_axes(axis, &n_axes, 2, 3, args);
    if (code == CLI_OK) code = cli_map_check(path, args);
    if (code != CLI_OK) return code;
    if (n_axes == 0) n_axes = 2;
    strait_error err = {0};
    int64_t n = 0;
    if (draw(args, axis, n_axes, &n, &err) != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json")) {
        json_t *axes = json_array();
        for (int k = 0; axes && k < n_axes; k++)
            json_array_append_new(axes, json_integer(axis[k]));
        return cli_json_print(
            json_pack("{s:I, s:o, s:o}", "samples", (json_int_t)n, "axes", axes, "picture", cli_json_text(path)));
    }
    printf("%s  %s samples\n", path, cli_count(n).text);
    return CLI_OK;
}

const cli_command cli_scatter = {
    .name = "scatter",
    .summary = "draw samples along two or three axes",
    .synopsis = {"scatter MODEL DATA [--axes A,B[,C]] -o FILE [OPTIONS]", "scatter DATA|Z [--axes A,B[,C]] -o FILE"},
    .details = CLI_POINTS_HELP "\nThree axes are drawn in isometric projection.",
    .operand = {"DATA|Z", "DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
