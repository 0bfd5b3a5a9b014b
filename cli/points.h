/* What the commands that look at neighbours take: points, which are latents of a model, or samples as they are. */
#ifndef CLI_POINTS_H
#define CLI_POINTS_H

#include "explore_input.h"
#include "model_data.h"

/* For the details of every command that takes [MODEL] DATA|Z. */
#define CLI_POINTS_HELP "With a MODEL, the latents of DATA are used. " CLI_SAMPLES_HELP

typedef struct cli_points {
    const strait_array *x; /* one row a point; borrowed from what follows */
    cli_samples samples;   /* of the last operand */
    strait_array *latents; /* of a model, or NULL */
    strait_model *model;   /* of the first of two operands, or NULL */
    strait_data *data;     /* what it encoded; where labels and names come from then */
} cli_points;

/* Opens the operands [MODEL] DATA|Z, of which there are n_operands; tells what the data lacks of what the model knows
   unless quiet. Close in any case. Errors: those of cli_samples_open, cli_model_data_open, strait_model_encode. */
strait_status cli_points_open(cli_points *out, const char *const *operand, int n_operands, int threads, bool quiet,
                              strait_error *err);
void cli_points_close(cli_points *points);

/* Sample `text` of n: its name in data (NULL: there are no names), whole or what stands behind its last slash, or else
   its index from 0. option: for messages. Errors: ARGUMENT (none such, or two). */
strait_status cli_sample_find(int64_t *out, int64_t n, strait_data *data, const char *option, const char *text,
                              strait_error *err);

/* Reads --metric (euclidean, cosine); CLI_USAGE after telling what is wrong. */
cli_exit cli_metric(strait_metric *out, const cli_args *args);

/* Progress of a function of strait/explore.h, redrawn in place on a terminal; context: the name of what is made small,
   or NULL, as a string. */
bool cli_explore_progress(void *context, double done, double value);

#endif
