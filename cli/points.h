/* What the commands that look at neighbours take: points, which are latents of a model, or samples as they are. */
#ifndef CLI_POINTS_H
#define CLI_POINTS_H

#include "explore_input.h"

/* For the details of every command that takes [MODEL] DATA|Z. */
#define CLI_POINTS_HELP "With a MODEL, the latents of DATA are used. " CLI_SAMPLES_HELP

typedef struct cli_points {
    const strait_array *x; /* one row a point; borrowed from what follows */
    cli_samples samples;   /* of the last operand */
    strait_array *latents; /* of a model, or NULL */
    strait_model *model;   /* of the first of two operands, or NULL */
    strait_data *data;     /* what it encoded; where labels and names come from then */
} cli_points;

/* Opens the operands [MODEL] DATA|Z, of which there are n_operands. Close in any case. Errors: those of
   cli_samples_open, strait_model_load, strait_model_encode. */
strait_status cli_points_open(cli_points *out, const char *const *operand, int n_operands, int threads,
                              strait_error *err);
void cli_points_close(cli_points *points);

/* Reads --metric (euclidean, cosine); CLI_USAGE after telling what is wrong. */
cli_exit cli_metric(strait_metric *out, const cli_args *args);

/* Progress of a function of strait/explore.h, redrawn in place on a terminal; context: the name of what is made small,
   or NULL, as a string. */
bool cli_explore_progress(void *context, double done, double value);

#endif
