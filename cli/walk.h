/* What the commands that walk in a latent space share: a model, the latents of data, and what is decoded and written.
 */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include "json.h"
#include "picture.h"

#define CLI_OPTIONS_OF_WALKS                                                                                           \
    {"picture", 0, CLI_TEXT, false, "FILE", "draw what is decoded: .png or .svg"}, CLI_OPTION_THEME,                   \
        {"output", 'o', CLI_TEXT, false, "FILE", "write what is decoded, one row a sample: .npy or .csv"},             \
        {"latents", 0, CLI_TEXT, false, "FILE", "write the latents that are decoded: .npy or .csv"},                   \
        CLI_OPTION_THREADS, CLI_OPTION_JSON, {                                                                         \
        0                                                                                                              \
    }

typedef struct cli_walk {
    strait_model *model;
    strait_data *data;  /* of the second operand; NULL without */
    strait_array *z;    /* its latents [n, latent] */
    int64_t latent;     /* values of one */
    strait_array *path; /* the latents to decode: the command sets it, cli_walk_close frees it */
    strait_array *decoded;
} cli_walk;

/* Looks at the options of walks, before any work: CLI_USAGE or CLI_FAILED after telling what is wrong. */
cli_exit cli_walk_check(const cli_args *args);

/* Loads MODEL, and encodes DATA where there is a second operand. Close in any case. Errors: those of strait_model_load,
   strait_data_open, strait_model_encode. */
strait_status cli_walk_open(cli_walk *walk, const cli_args *args, strait_error *err);
void cli_walk_close(cli_walk *walk);

/* Mean of the latents: mean [latent]. */
void cli_walk_mean(float *mean, const cli_walk *walk);

/* Decodes the path, writes and draws what the options ask for; `columns` samples a row of the sheet, captions one a row
   or NULL. Errors: those of strait_model_decode, strait_array_write, cli_draw_samples. */
strait_status cli_walk_finish(cli_walk *walk, const cli_args *args, int columns, const char *const *captions,
                              strait_error *err);

/* The result: the command's own object (NULL: memory ran out) with the files added; as text, a line a file. */
cli_exit cli_walk_print(const cli_walk *walk, const cli_args *args, json_t *object);

#endif
