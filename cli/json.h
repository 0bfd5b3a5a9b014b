/* The result of a command as one JSON object on the last line of stdout. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
#include "cli.h"

/* A number that reads back as the same double; null for NAN and infinities, which JSON has not. */
json_t *cli_json_real(double value);
/* A text; bytes that are not UTF-8 (a file's name may hold any) become '?'. NULL gives null. */
json_t *cli_json_text(const char *text);
/* An array of n numbers, each times factor. */
json_t *cli_json_reals(const double *value, int n, double factor);
json_t *cli_json_shape(int n_dims, const int64_t *dim);
/* Adds the files that options of these names (NULL at the end) asked for, each under its option's name. object may be
   NULL. */
void cli_json_add_files(json_t *object, const cli_args *args, const char *const *option);
/* Prints the object on a line and drops it. object NULL means that memory ran out. */
cli_exit cli_json_print(json_t *object);

#endif
