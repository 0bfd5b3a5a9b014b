/* Tables fitted to the terminal. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include "format.h"

typedef struct cli_column {
    const char *title;
    bool right; /* numbers stand at the right */
    int drop;   /* where there is no room the highest goes first; 0: stays */
} cli_column;

/* Prints the rows under their titles, cell[row * n_columns + column]. width: of the terminal; 0: no limit. */
void cli_table_print(int n_columns, const cli_column *column, int n_rows, const cli_word *cell, int width);
/* Columns of stdout, or 0 when it is no terminal. */
int cli_table_width(void);

#endif
