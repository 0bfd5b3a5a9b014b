/* What cluster and represent share: the names and labels of points, and writing centres. */
#ifndef CLI_GROUPS_H
#define CLI_GROUPS_H

#include "format.h"
#include "points.h"

/* Names and labels of points. */
typedef struct cli_named {
    strait_data *data;     /* borrowed; NULL: there are none */
    strait_data *opened;   /* of --data */
    strait_data_info info; /* of data; all zero without */
} cli_named;

#define CLI_OPTION_NAMED                                                                                               \
    { "data", 0, CLI_TEXT, false, "DATA", "the data set Z was made of: its names and labels" }

/* Of --data where it was given, else of the points' own data. Close in any case, before the points. Errors: those of
   strait_data_open; ARGUMENT where --data has another number of samples. */
strait_status cli_named_open(cli_named *out, const cli_points *points, const cli_args *args, strait_error *err);
void cli_named_close(cli_named *named);

/* Label l of info.label_value as a text: its name, or its number. */
cli_word cli_label_text(const strait_data_info *info, int l);
/* Position of a label in info.label_value, or -1. */
int cli_label_at(const strait_data_info *info, int64_t label);

/* Centres [k, features] as samples look: decoded by the points' model; without one in the shape of the samples, where
   they are samples themselves. Rows of numbers stay rows. The caller owns *out. Errors: those of strait_model_decode.
 */
strait_status cli_centres_decode(strait_array **out, const cli_points *points, const strait_array *centres,
                                 strait_error *err);

/* Fills in err and returns the code. */
strait_status cli_refuse(strait_error *err, strait_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
