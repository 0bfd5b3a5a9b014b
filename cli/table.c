#include "table.h"

#include <stdio.h>
#include <unistd.h>
#include "terminal.h"

#define MOST 64
#define GAP 2

int cli_table_width(void) {
    return isatty(STDOUT_FILENO) ? cli_columns(STDOUT_FILENO) : 0;
}

static void print_row(int n, const cli_column *column, const int *columns, const char *(*text)(const void *, int),
                      const void *context) {
    int pending = 0; /* spaces before the next text: none at the end of a line */
    for (int i = 0; i < n; i++) {
        if (columns[i] < 0) continue;
        const char *cell = text(context, i);
        const int pad = columns[i] - cli_text_columns(cell);
        if (cell[0]) printf("%*s%s", pending + (column[i].right ? pad : 0), "", cell);
        pending = cell[0] ? (column[i].right ? 0 : pad) + GAP : pending + columns[i] + GAP;
    }
    printf("\n");
}

static const char *title_text(const void *context, int i) {
    return ((const cli_column *)context)[i].title;
}

static const char *cell_text(const void *context, int i) {
    return ((const cli_word *)context)[i].text;
}

/* Drops columns until the rest fits. */
static void fit(int n, const cli_column *column, int *columns, int width) {
    for (;;) {
        int total = -GAP, last = -1;
        for (int i = 0; i < n; i++) {
            if (columns[i] < 0) continue;
            total += columns[i] + GAP;
            if (column[i].drop > 0 && (last < 0 || column[i].drop > column[last].drop)) last = i;
        }
        if (total <= width || last < 0) return;
        columns[last] = -1;
    }
}

void cli_table_print(int n_columns, const cli_column *column, int n_rows, const cli_word *cell, int width) {
    int columns[MOST];
    if (n_columns > MOST) n_columns = MOST;
    for (int i = 0; i < n_columns; i++) {
        columns[i] = cli_text_columns(column[i].title);
        for (int r = 0; r < n_rows; r++) {
            const int wide = cli_text_columns(cell[r * n_columns + i].text);
            if (wide > columns[i]) columns[i] = wide;
        }
    }
    if (width > 0) fit(n_columns, column, columns, width);
    print_row(n_columns, column, columns, title_text, column);
    for (int r = 0; r < n_rows; r++)
        print_row(n_columns, column, columns, cell_text, cell + r * n_columns);
}
