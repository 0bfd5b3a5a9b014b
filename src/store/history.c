/* history.csv: one row an epoch. Numbers are written as the shortest text that reads back as the same double, so that
   a resumed training rewrites the rows it read byte for byte. A value that is not finite is an empty cell. */
#include "store/run.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"

#define MAX_HISTORY ((size_t)1 << 30)

/* The columns after epoch, in order: name, and which member of a row. */
static const struct {
    const char *name;
    size_t offset;
} column[] = {
    {"loss", offsetof(st_history_row, loss)},
    {"val_loss", offsetof(st_history_row, val_loss)},
    {"learning_rate", offsetof(st_history_row, learning_rate)},
    {"seconds", offsetof(st_history_row, seconds)},
    {"samples_per_second", offsetof(st_history_row, samples_per_second)},
    {"wait_seconds", offsetof(st_history_row, wait_seconds)},
    {"kl", offsetof(st_history_row, kl)},
    {"val_kl", offsetof(st_history_row, val_kl)},
};
#define N_COLUMNS (sizeof column / sizeof column[0])
#define N_ALWAYS (N_COLUMNS - 2) /* in every file; the last two are in those of newer programs */

static double *cell(st_history_row *row, size_t i) {
    return (double *)(void *)((char *)row + column[i].offset);
}

strait_status st_history_write(const char *path, int n, const st_history_row *rows, strait_error *err) {
    st_text text = {0};
    st_text_add(&text, "epoch");
    for (size_t i = 0; i < N_COLUMNS; i++)
        st_text_add(&text, ",%s", column[i].name);
    st_text_add(&text, "\n");
    for (int r = 0; r < n; r++) {
        st_history_row row = rows[r];
        st_text_add(&text, "%d", row.epoch);
        for (size_t i = 0; i < N_COLUMNS; i++) {
            char number[32] = "";
            if (isfinite(*cell(&row, i))) st_print_double(number, *cell(&row, i));
            st_text_add(&text, ",%s", number);
        }
        st_text_add(&text, "\n");
    }
    char *csv = NULL;
    ST_TRY(st_text_take(&csv, &text, err));
    const strait_status status = st_file_write_all(path, csv, strlen(csv), err);
    st_free(csv);
    return status;
}

/* Cuts the next part off *rest, up to a separator, which becomes a NUL. NULL past the end. */
static char *cut(char **rest, char separator) {
    char *part = *rest;
    if (!part) return NULL;
    char *end = strchr(part, separator);
    if (end) *end = 0;
    *rest = end ? end + 1 : NULL;
    return part;
}

/* *n: how many columns come after epoch. */
static strait_status read_header(size_t *n, char *line, const char *path, strait_error *err) {
    const char *name = cut(&line, ',');
    bool good = strcmp(name, "epoch") == 0;
    for (*n = 0; good && line && *n < N_COLUMNS; (*n)++)
        good = strcmp(cut(&line, ','), column[*n].name) == 0;
    if (good && !line && (*n == N_COLUMNS || *n == N_ALWAYS)) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT,
                   "%s:1: not the history of a training: it must begin with 'epoch,loss,val_loss,…'", path);
}

static strait_status read_row(st_history_row *row, size_t n, char *line, const char *path, int number,
                              strait_error *err) {
    int64_t epoch;
    const char *text = cut(&line, ',');
    if (!st_parse_int(&epoch, text) || epoch < 1 || epoch > INT_MAX)
        return st_fail(err, STRAIT_FORMAT, "%s:%d: '%.40s' is not the number of an epoch", path, number, text);
    row->epoch = (int)epoch;
    row->kl = row->val_kl = NAN;
    for (size_t i = 0; i < n; i++) {
        text = cut(&line, ',');
        if (!text) return st_fail(err, STRAIT_FORMAT, "%s:%d: '%s' is missing", path, number, column[i].name);
        if (!text[0])
            *cell(row, i) = NAN;
        else if (!st_parse_double(cell(row, i), text))
            return st_fail(err, STRAIT_FORMAT, "%s:%d: %s: '%.40s' is not a number", path, number, column[i].name,
                           text);
    }
    if (line) return st_fail(err, STRAIT_FORMAT, "%s:%d: more columns than the first line names", path, number);
    return STRAIT_OK;
}

strait_status st_history_read(st_history_row **out, int *n, const char *path, strait_error *err) {
    *out = NULL;
    *n = 0;
    char *csv = NULL;
    size_t length = 0;
    ST_TRY(st_file_read(&csv, &length, path, MAX_HISTORY, err));
    int n_lines = 0;
    for (const char *c = csv; (c = strchr(c, '\n')) != NULL; c++)
        n_lines++;
    strait_status status = STRAIT_OK;
    st_history_row *rows = st_alloc((size_t)n_lines + 1, sizeof *rows);
    if (!rows) status = st_fail_memory(err, ((size_t)n_lines + 1) * sizeof *rows, path);
    if (status == STRAIT_OK && strlen(csv) != length)
        status = st_fail(err, STRAIT_FORMAT, "%s: not a text file: it holds a zero byte", path);
    char *rest = csv;
    size_t n_columns = 0;
    for (int number = 1; status == STRAIT_OK && rest && (rest[0] || number == 1); number++) {
        char *line = cut(&rest, '\n');
        const size_t end = strlen(line);
        if (end && line[end - 1] == '\r') line[end - 1] = 0;
        status = number == 1 ? read_header(&n_columns, line, path, err)
                             : read_row(&rows[(*n)++], n_columns, line, path, number, err);
    }
    st_free(csv);
    if (status != STRAIT_OK) {
        st_free(rows);
        *n = 0;
        return status;
    }
    *out = rows;
    return STRAIT_OK;
}
