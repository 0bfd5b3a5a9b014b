#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "format.h"
#include "groups.h"
#include "model_data.h"
#include "output.h"

/* Files that a walk may write. */
static const char *const files[] = {"picture", "output", "latents", NULL};
#define N_FILES (sizeof files / sizeof *files - 1)

cli_exit cli_walk_check(const cli_args *args) {
    static const char *const numbers[] = {".npy", ".csv", NULL};
    strait_theme theme;
    cli_exit code = cli_theme(&theme, args);
    bool any = false;
    for (size_t i = 0; code == CLI_OK && i < N_FILES; i++) {
        const char *path = cli_text(args, files[i]);
        if (path) code = cli_output_check(path, i == 0 ? cli_picture_endings : numbers);
        if (path) any = true;
    }
    if (code == CLI_OK && !any)
        return cli_usage("where to? --picture FILE draws what is decoded, -o FILE and --latents FILE write numbers");
    return code;
}

strait_status cli_walk_open(cli_walk *walk, const cli_args *args, strait_error *err) {
    const strait_apply_options options = {.threads = cli_int(args, "threads", 0)};
    *walk = (cli_walk){0};
    const bool with_data = args->n_operands > 1;
    const strait_status status = with_data ? cli_model_data_open(&walk->model, &walk->data, args->operand, false, err)
                                           : cli_model_load(&walk->model, args->operand, 1, err);
    if (status != STRAIT_OK) return status;
    walk->latent = strait_model_latent_size(walk->model);
    return with_data ? strait_model_encode(&walk->z, walk->model, walk->data, &options, err) : STRAIT_OK;
}

void cli_walk_close(cli_walk *walk) {
    strait_array_free(walk->z);
    strait_array_free(walk->path);
    strait_array_free(walk->decoded);
    strait_data_free(walk->data);
    strait_model_free(walk->model);
    *walk = (cli_walk){0};
}

void cli_walk_mean(float *mean, const cli_walk *walk) {
    const int64_t n = walk->z->dim[0];
    for (int64_t k = 0; k < walk->latent; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)walk->z->values[i * walk->latent + k];
        mean[k] = (float)(sum / (double)n);
    }
}

strait_status cli_walk_finish(cli_walk *walk, const cli_args *args, int columns, const char *const *captions,
                              strait_error *err) {
    const strait_apply_options options = {.threads = cli_int(args, "threads", 0)};
    const char *picture = cli_text(args, "picture"), *output = cli_text(args, "output"),
               *latents = cli_text(args, "latents");
    strait_theme theme;
    cli_theme(&theme, args);
    strait_status status = STRAIT_OK;
    if (picture || output) status = strait_model_decode(&walk->decoded, walk->model, walk->path, &options, err);
    if (status == STRAIT_OK && output) status = strait_array_write(walk->decoded, output, err);
    if (status == STRAIT_OK && latents) status = strait_array_write(walk->path, latents, err);
    if (status == STRAIT_OK && picture)
        status = cli_draw_samples(picture, walk->decoded, columns, captions, theme, err);
    return status;
}

cli_exit cli_walk_print(const cli_walk *walk, const cli_args *args, json_t *object) {
    if (cli_has(args, "json")) {
        if (object) json_object_set_new(object, "samples", json_integer((json_int_t)walk->path->dim[0]));
        cli_json_add_files(object, args, files);
        return cli_json_print(object);
    }
    json_decref(object);
    for (size_t i = 0; i < N_FILES; i++)
        if (cli_text(args, files[i]))
            printf("%s  %s sample%s\n", cli_text(args, files[i]), cli_count(walk->path->dim[0]).text,
                   walk->path->dim[0] == 1 ? "" : "s");
    return CLI_OK;
}
