#include "colours.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "groups.h"
#include "output.h"

#define FEW 40 /* different whole numbers are groups, up to so many */

static strait_status no_memory(strait_error *err) {
    return cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
}

/* Zeroed room for n; one at least, so that NULL means no memory. */
static void *room(int64_t n, size_t size) {
    return calloc(n > 0 ? (size_t)n : 1, size);
}

void cli_colours_close(cli_colours *colours) {
    for (int g = 0; colours->name && g < colours->n_groups; g++)
        free(colours->name[g]);
    free(colours->name);
    free(colours->group);
    free(colours->value);
    *colours = (cli_colours){0};
}

/* ---- groups ---- */

static strait_status by_label(cli_colours *out, int64_t n, strait_data *data, const strait_data_info *info,
                              strait_error *err) {
    out->group = room(n, sizeof *out->group);
    out->name = room(info->n_labels, sizeof *out->name);
    if (!out->group || !out->name) return no_memory(err);
    out->n_groups = info->n_labels;
    for (int l = 0; l < info->n_labels; l++) {
        out->name[l] = strdup(cli_label_text(info, l).text);
        if (!out->name[l]) return no_memory(err);
    }
    for (int64_t i = 0; i < n; i++)
        out->group[i] = cli_label_at(info, strait_data_label(data, i));
    return STRAIT_OK;
}

/* A field of a table with its row, to bring equal ones together. */
typedef struct entry {
    const char *text;
    double number;
    int64_t row;
} entry;

static int by_text(const void *a, const void *b) {
    const entry *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order ? order : x->row < y->row ? -1 : 1;
}

static int by_number(const void *a, const void *b) {
    const entry *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number ? 1 : x->row < y->row ? -1 : 1;
}

/* Groups of equal entries, which are sorted. */
static strait_status group_entries(cli_colours *out, const entry *sorted, int64_t n, strait_error *err) {
    out->group = room(n, sizeof *out->group);
    out->name = room(n, sizeof *out->name);
    if (!out->group || !out->name) return no_memory(err);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(sorted[i].text, sorted[i - 1].text) != 0) {
            out->name[out->n_groups] = strdup(sorted[i].text);
            if (!out->name[out->n_groups]) return no_memory(err);
            out->n_groups++;
        }
        out->group[sorted[i].row] = out->n_groups - 1;
    }
    return STRAIT_OK;
}

/* Few whole numbers, the same text for the same number? They are sorted. */
static bool are_groups(const entry *sorted, int64_t n) {
    int kinds = 0;
    for (int64_t i = 0; i < n; i++) {
        if (sorted[i].number != floor(sorted[i].number)) return false;
        const bool other = i > 0 && strcmp(sorted[i].text, sorted[i - 1].text) != 0;
        if (other && sorted[i].number == sorted[i - 1].number) return false;
        kinds += i == 0 || other;
    }
    return kinds <= FEW;
}

/* Fields of one column, in the order of the points. Empty ones are no number. */
static strait_status by_entries(cli_colours *out, entry *field, int64_t n, strait_error *err) {
    bool numbers = true;
    for (int64_t i = 0; i < n; i++) {
        char *end;
        field[i].number = field[i].text[0] ? strtod(field[i].text, &end) : (double)NAN;
        if (field[i].text[0] && *end) numbers = false;
    }
    if (numbers) {
        bool whole = true;
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(field[i].number)) whole = false;
        out->value = room(n, sizeof *out->value);
        if (!out->value) return no_memory(err);
        for (int64_t i = 0; i < n; i++)
            out->value[i] = field[i].number;
        if (!whole) return STRAIT_OK;
        qsort(field, (size_t)n, sizeof *field, by_number);
        if (!are_groups(field, n)) return STRAIT_OK;
        free(out->value);
        out->value = NULL;
        return group_entries(out, field, n, err);
    }
    qsort(field, (size_t)n, sizeof *field, by_text);
    return group_entries(out, field, n, err);
}

/* ---- tables ---- */

static strait_status read_whole(char **out, const char *path, strait_error *err) {
    FILE *file = fopen(path, "rb");
    size_t n = 0, size = 1 << 16, got;
    char *text = NULL, *more;
    if (!file) return cli_refuse(err, errno == ENOENT ? STRAIT_NOT_FOUND : STRAIT_IO, "%s: %s", path, strerror(errno));
    do {
        more = realloc(text, size *= 2);
        if (more) text = more;
        got = more ? fread(text + n, 1, size - n - 1, file) : 0;
        n += got;
    } while (got > 0);
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (more && !failed) {
        text[n] = 0;
        *out = text;
        return STRAIT_OK;
    }
    free(text);
    return more ? cli_refuse(err, STRAIT_IO, "%s: cannot be read", path) : no_memory(err);
}

/* Takes a field off the text at *at, its quotes resolved in place (RFC 4180). *ended: it was the last of its line. */
static char *take_field(char **at, bool *ended) {
    char *field = *at, *from = field, *to = field;
    bool quoted = false;
    for (; *from && (quoted || (*from != ',' && *from != '\n' && *from != '\r')); from++) {
        if (*from == '"' && quoted && from[1] == '"')
            *to++ = *from++;
        else if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    }
    *ended = *from != ',';
    if (*from == '\r' && from[1] == '\n') from++;
    *at = *from ? from + 1 : from;
    *to = 0;
    return field;
}

/* The column of that name in the table's first line, or the one to take without a name; -1: there is none. */
static int find_column(char **at, const char *name, char label[128]) {
    int column = -1, cluster = -1, labels = -1, last = -1;
    for (bool ended = false; !ended;) {
        const char *field = take_field(at, &ended);
        last++;
        if (name && column < 0 && strcmp(field, name) == 0) column = last;
        if (strcmp(field, "cluster") == 0) cluster = last;
        if (strcmp(field, "label") == 0) labels = last;
        if (name ? column == last : last != labels || cluster < 0) snprintf(label, 128, "%s", field);
    }
    if (name) return column;
    if (cluster >= 0) snprintf(label, 128, "cluster");
    if (cluster < 0 && labels >= 0) snprintf(label, 128, "label");
    return cluster >= 0 ? cluster : labels >= 0 ? labels : last;
}

/* field [n]: those of a column in the lines at `at`, below the names. */
static strait_status read_fields(entry *field, char *at, int column, const char *path, int64_t n, strait_error *err) {
    strait_status status = STRAIT_OK;
    int64_t rows = 0;
    for (; status == STRAIT_OK && *at; rows++) {
        const char *found = NULL;
        int k = 0;
        for (bool ended = false; !ended; k++) {
            const char *word = take_field(&at, &ended);
            if (k == column) found = word;
        }
        if (!found)
            status = cli_refuse(err, STRAIT_FORMAT, "%s:%lld: the line has %d fields, fewer than the first", path,
                                (long long)rows + 2, k);
        else if (rows < n)
            field[rows] = (entry){found, 0, rows};
    }
    if (status == STRAIT_OK && rows != n)
        status = cli_refuse(err, STRAIT_ARGUMENT, "%s has %lld rows below its names, but there are %lld points", path,
                            (long long)rows, (long long)n);
    return status;
}

static strait_status by_table(cli_colours *out, const char *path, const char *column_name, int64_t n,
                              strait_error *err) {
    char *text = NULL;
    strait_status status = read_whole(&text, path, err);
    if (status != STRAIT_OK) return status;
    char *at = text;
    const int column = find_column(&at, column_name, out->label);
    entry *field = room(n, sizeof *field);
    if (!field) status = no_memory(err);
    if (status == STRAIT_OK && column < 0)
        status = cli_refuse(err, STRAIT_ARGUMENT, "%s: its first line names no column '%s'", path, column_name);
    if (status == STRAIT_OK) status = read_fields(field, at, column, path, n, err);
    if (status == STRAIT_OK) status = by_entries(out, field, n, err);
    free(field);
    free(text);
    return status;
}

strait_status cli_column_read(double *value, bool *found, const char *path, const char *name, int64_t n,
                              strait_error *err) {
    char *text = NULL, label[128];
    *found = false;
    strait_status status = read_whole(&text, path, err);
    if (status != STRAIT_OK) return status;
    char *at = text;
    const int column = find_column(&at, name, label);
    entry *field = column >= 0 ? room(n, sizeof *field) : NULL;
    if (column >= 0) status = field ? read_fields(field, at, column, path, n, err) : no_memory(err);
    for (int64_t i = 0; field && status == STRAIT_OK && i < n; i++) {
        char *end;
        value[i] = strtod(field[i].text, &end);
        if (!field[i].text[0] || *end)
            status = cli_refuse(err, STRAIT_FORMAT, "%s:%lld: %s '%.100s' is no number", path, (long long)i + 2, name,
                                field[i].text);
    }
    *found = column >= 0;
    free(field);
    free(text);
    return status;
}

/* ---- numbers ---- */

/* Value `column` of each row of x [n, d]. */
static strait_status by_column(cli_colours *out, const strait_array *x, int64_t column, strait_error *err) {
    const int64_t n = x->dim[0], d = n > 0 ? strait_array_count(x) / n : 0;
    if (column >= d)
        return cli_refuse(err, STRAIT_ARGUMENT, "--color %lld: a point has %lld values, counted from 0",
                          (long long)column, (long long)d);
    out->value = room(n, sizeof *out->value);
    if (!out->value) return no_memory(err);
    for (int64_t i = 0; i < n; i++)
        out->value[i] = (double)x->values[i * d + column];
    return STRAIT_OK;
}

static strait_status by_array(cli_colours *out, const char *path, int64_t n, strait_error *err) {
    strait_array *x = NULL;
    strait_status status = strait_array_read(&x, path, err);
    if (status == STRAIT_OK && strait_array_count(x) != n)
        status = cli_refuse(err, STRAIT_ARGUMENT, "%s holds %lld numbers, but there are %lld points", path,
                            (long long)strait_array_count(x), (long long)n);
    entry *field = status == STRAIT_OK ? room(n, sizeof *field) : NULL;
    char(*word)[32] = status == STRAIT_OK ? room(n, sizeof *word) : NULL;
    if (status == STRAIT_OK && (!field || !word)) status = no_memory(err);
    for (int64_t i = 0; status == STRAIT_OK && i < n; i++) {
        snprintf(word[i], sizeof word[i], "%.9g", (double)x->values[i]);
        field[i] = (entry){word[i], 0, i};
    }
    if (status == STRAIT_OK) status = by_entries(out, field, n, err);
    free(word);
    free(field);
    strait_array_free(x);
    return status;
}

strait_status cli_colours_open(cli_colours *out, const char *what, const strait_array *x, strait_data *data,
                               const strait_data_info *info, strait_error *err) {
    const int64_t n = x->dim[0];
    *out = (cli_colours){0};
    if (!what || strcmp(what, "label") == 0) {
        if (data && info->has_labels) return by_label(out, n, data, info, err);
        if (!what) return STRAIT_OK;
        return cli_refuse(err, STRAIT_ARGUMENT, "--color label: there are no labels; --data DATA names what has them");
    }
    if (strcmp(what, "none") == 0) return STRAIT_OK;
    if (what[strspn(what, "0123456789")] == 0) {
        snprintf(out->label, sizeof out->label, "value %s", what);
        return by_column(out, x, strtoll(what, NULL, 10), err);
    }
    if (cli_ends_with(what, ".npy")) return by_array(out, what, n, err);
    const char *table = strstr(what, ".csv");
    if (!table || (table[4] != 0 && table[4] != ':'))
        return cli_refuse(err, STRAIT_ARGUMENT, "--color '%s' is none of: " CLI_COLOURS_HELP, what);
    char *path = strndup(what, (size_t)(table + 4 - what));
    if (!path) return no_memory(err);
    const strait_status status = by_table(out, path, table[4] ? table + 5 : NULL, n, err);
    free(path);
    return status;
}
