/* What points on a map are coloured by. */
#ifndef CLI_COLOURS_H
#define CLI_COLOURS_H

#include "cli.h"

/* Groups, or numbers, or neither. */
typedef struct cli_colours {
    int32_t *group; /* [n], or NULL */
    int n_groups;
    char **name;   /* [n_groups] */
    double *value; /* [n], or NULL */
    char label[128];
} cli_colours;

/* For --color's help: "label, none, ...". */
#define CLI_COLOURS_HELP                                                                                               \
    "labels of the data (label), a column of a table (FILE.csv:COLUMN), FILE.npy, a value (3), none"

/* what: of --color, or NULL: the labels where the data (NULL: there is none) has them. x [n, ...]: the points' own
   values, for a number. A table is CSV with a header, one row a point; without :COLUMN its column cluster, else label,
   else the last. Whole numbers of few kinds are groups. Close in any case. Errors: ARGUMENT (no labels, another number
   of rows, no such column or value), IO, FORMAT, MEMORY. */
strait_status cli_colours_open(cli_colours *out, const char *what, const strait_array *x, strait_data *data,
                               const strait_data_info *info, strait_error *err);
void cli_colours_close(cli_colours *colours);

/* value [n]: the numbers of the column of that name in a CSV table of n rows, below its names. *found false: it has
   none of that name. Errors: NOT_FOUND, IO, ARGUMENT (another number of rows), FORMAT naming the line, MEMORY. */
strait_status cli_column_read(double *value, bool *found, const char *path, const char *name, int64_t n,
                              strait_error *err);

#endif
