/* What the commands that explore take: samples of a data set, or an array as it stands in a .npy file. */
#ifndef CLI_EXPLORE_INPUT_H
#define CLI_EXPLORE_INPUT_H

#include "cli.h"

/* A sentence for the details of every command that takes DATA|Z. */
#define CLI_SAMPLES_HELP                                                                                               \
    "Z is a .npy file of one row a sample, taken as it is, as strait encode writes latents. DATA is a data set, its "  \
    "values scaled as recipes' scale: unit does (bytes by 1/255, 16-bit values by 1/65535, others as they are)."

typedef struct cli_samples {
    strait_array *x;       /* [n, dim...] */
    strait_data *data;     /* where labels and names come from; NULL for a .npy file */
    strait_data_info info; /* of data; all zero without */
} cli_samples;

/* Opens a DATA|Z operand; a .npy file of one dimension is a value a sample. Close in any case. Errors: those of
   strait_array_read, strait_data_open, cli_samples_check. */
strait_status cli_samples_open(cli_samples *out, const char *operand, strait_error *err);
/* Refuses what has no value or one that is not finite; name: of the file, for the message. Errors: ARGUMENT. */
strait_status cli_samples_check(const strait_array *x, const char *name, strait_error *err);
void cli_samples_close(cli_samples *samples);

/* Values of one sample. */
int64_t cli_samples_features(const cli_samples *samples);
/* Are they [n, height, width, 1 or 3]? */
bool cli_samples_are_images(const cli_samples *samples);

#endif
