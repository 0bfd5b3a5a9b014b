/* MatrixMarket files of coordinates, gzip or not: features × cells, as 10x writes them. Memory grows with the lines
   that arrive, never by what the header announces. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"
#include "data/gzfile.h"

enum { BUFFER = 1 << 16, LINE = 256 };

typedef struct mtx {
    const char *path;
    st_gzfile *file;
    char buffer[BUFFER];
    size_t at, n;
    int64_t line; /* number of the current one */
    char text[LINE];
    bool pattern; /* entries without values */
    int64_t n_features, n_cells, n_values;
    int32_t *feature, *cell; /* [capacity], 0-based */
    float *value;
    int64_t capacity;
} mtx;

/* The next line without its end; *end at the end of the file. */
static strait_status next_line(mtx *m, bool *end, strait_error *err) {
    size_t length = 0;
    *end = false;
    m->line++;
    for (;;) {
        if (m->at == m->n) {
            ST_TRY(st_gzfile_read(&m->n, m->file, m->buffer, sizeof m->buffer, err));
            m->at = 0;
            if (m->n == 0) {
                *end = length == 0;
                break;
            }
        }
        const char c = m->buffer[m->at++];
        if (c == '\n') break;
        if (length + 1 == sizeof m->text)
            return st_fail(err, STRAIT_FORMAT, "%s: line %lld has more than %d characters", m->path, (long long)m->line,
                           LINE);
        m->text[length++] = c;
    }
    if (length > 0 && m->text[length - 1] == '\r') length--;
    m->text[length] = '\0';
    if (memchr(m->text, '\0', length)) return st_fail(err, STRAIT_FORMAT, "%s: holds zero bytes", m->path);
    return STRAIT_OK;
}

static strait_status fail_line(const mtx *m, const char *what, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT, "%s: line %lld: %s: '%.60s'", m->path, (long long)m->line, what, m->text);
}

/* Up to n fields between blanks; gives how many there are, n + 1 for more. */
static int split(char *line, char **field, int n) {
    int count = 0;
    for (char *c = line;;) {
        while (*c == ' ' || *c == '\t')
            c++;
        if (!*c) return count;
        if (count == n) return n + 1;
        field[count++] = c;
        while (*c && *c != ' ' && *c != '\t')
            c++;
        if (*c) *c++ = '\0';
    }
}

static strait_status read_banner(mtx *m, strait_error *err) {
    char words[LINE], *field[5];
    bool end;
    ST_TRY(next_line(m, &end, err));
    memcpy(words, m->text, sizeof words);
    if (split(words, field, 5) != 5 || strcmp(field[0], "%%MatrixMarket") != 0)
        return fail_line(m, "does not begin as a MatrixMarket file does", err);
    const bool number = strcmp(field[3], "integer") == 0 || strcmp(field[3], "real") == 0;
    m->pattern = strcmp(field[3], "pattern") == 0;
    if (strcmp(field[1], "matrix") != 0 || strcmp(field[2], "coordinate") != 0 || (!number && !m->pattern) ||
        strcmp(field[4], "general") != 0)
        return fail_line(m, "only 'matrix coordinate integer|real|pattern general' is read", err);
    return STRAIT_OK;
}

static strait_status read_sizes(mtx *m, strait_error *err) {
    char words[LINE], *field[3];
    int64_t size[3];
    bool end;
    do
        ST_TRY(next_line(m, &end, err));
    while (!end && (m->text[0] == '%' || m->text[0] == '\0'));
    if (end) return st_fail(err, STRAIT_FORMAT, "%s: ends before its sizes", m->path);
    memcpy(words, m->text, sizeof words);
    bool good = split(words, field, 3) == 3;
    for (int i = 0; i < 3 && good; i++)
        good = st_parse_int(&size[i], field[i]) && size[i] >= (i < 2);
    good = good && size[0] <= INT32_MAX && size[1] <= INT32_MAX && size[2] <= size[0] * size[1];
    if (!good) return fail_line(m, "these are no sizes (features, cells, entries)", err);
    if (size[0] != m->n_features || size[1] != m->n_cells)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: is of %lld features and %lld cells, but the files beside it name %lld features and %lld "
                       "cells",
                       m->path, (long long)size[0], (long long)size[1], (long long)m->n_features,
                       (long long)m->n_cells);
    m->n_values = size[2];
    const size_t bytes = st_sparse_bytes(m->n_cells, m->n_values);
    if (bytes <= st_source_resident_bytes()) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT,
                   "%s: its %lld values take %.1f GB, too much to keep, and cells cannot be read one by one; write an "
                   "h5ad file in compressed rows (CSR)",
                   m->path, (long long)m->n_values, (double)bytes / 1e9);
}

static strait_status reserve(mtx *m, int64_t n, strait_error *err) {
    if (n < m->capacity) return STRAIT_OK;
    int64_t capacity = m->capacity ? m->capacity * 2 : 1 << 14;
    if (capacity > m->n_values) capacity = m->n_values;
    int32_t *feature = st_realloc(m->feature, (size_t)capacity, sizeof *feature);
    if (feature) m->feature = feature;
    int32_t *cell = st_realloc(m->cell, (size_t)capacity, sizeof *cell);
    if (cell) m->cell = cell;
    float *value = st_realloc(m->value, (size_t)capacity, sizeof *value);
    if (value) m->value = value;
    if (!feature || !cell || !value) return st_fail_memory(err, (size_t)capacity * 12, m->path);
    m->capacity = capacity;
    return STRAIT_OK;
}

static strait_status read_entry(mtx *m, int64_t k, strait_error *err) {
    char words[LINE], *field[3];
    int64_t feature = 0, cell = 0;
    double value = 1;
    memcpy(words, m->text, sizeof words);
    if (split(words, field, 3) != 3 - m->pattern || !st_parse_int(&feature, field[0]) ||
        !st_parse_int(&cell, field[1]) || (!m->pattern && !st_parse_double(&value, field[2])))
        return fail_line(m, m->pattern ? "is not 'feature cell'" : "is not 'feature cell value'", err);
    if (feature < 1 || feature > m->n_features || cell < 1 || cell > m->n_cells)
        return fail_line(m, "lies outside the matrix", err);
    ST_TRY(reserve(m, k, err));
    m->feature[k] = (int32_t)(feature - 1);
    m->cell[k] = (int32_t)(cell - 1);
    m->value[k] = (float)value;
    return STRAIT_OK;
}

static strait_status read_entries(mtx *m, strait_error *err) {
    bool end = false;
    for (int64_t k = 0; k < m->n_values;) {
        ST_TRY(next_line(m, &end, err));
        if (end)
            return st_fail(err, STRAIT_FORMAT, "%s: is cut short: ends after %lld of %lld entries", m->path,
                           (long long)k, (long long)m->n_values);
        if (m->text[0] == '\0') continue;
        ST_TRY(read_entry(m, k++, err));
    }
    while (!end) {
        ST_TRY(next_line(m, &end, err));
        if (!end && m->text[0]) return fail_line(m, "stands after the last entry", err);
    }
    return STRAIT_OK;
}

/* Entries, in whatever order, to compressed rows of cells. */
static strait_status compress(st_sparse **out, const mtx *m, strait_error *err) {
    st_sparse *sparse = NULL;
    ST_TRY(st_sparse_new(&sparse, m->n_cells, m->n_features, m->n_values, err));
    for (int64_t k = 0; k < m->n_values; k++)
        sparse->start[m->cell[k] + 1]++;
    for (int64_t i = 0; i < m->n_cells; i++)
        sparse->start[i + 1] += sparse->start[i];
    for (int64_t k = 0; k < m->n_values; k++) {
        const int64_t at = sparse->start[m->cell[k]]++;
        sparse->column[at] = m->feature[k];
        sparse->value[at] = m->value[k];
    }
    memmove(sparse->start + 1, sparse->start, (size_t)m->n_cells * sizeof *sparse->start);
    sparse->start[0] = 0;
    const strait_status status = st_sparse_settle(sparse, m->path, "entries", err);
    if (status == STRAIT_OK) {
        *out = sparse;
    } else {
        st_sparse_free(sparse);
    }
    return status;
}

strait_status st_mtx_read(st_sparse **out, const char *path, int64_t n_features, int64_t n_cells, strait_error *err) {
    *out = NULL;
    mtx *m = st_alloc(1, sizeof *m);
    if (!m) return st_fail_memory(err, sizeof *m, path);
    m->path = path;
    m->n_features = n_features;
    m->n_cells = n_cells;
    strait_status status = st_gzfile_open(&m->file, path, err);
    if (status == STRAIT_OK) status = read_banner(m, err);
    if (status == STRAIT_OK) status = read_sizes(m, err);
    if (status == STRAIT_OK) status = read_entries(m, err);
    if (status == STRAIT_OK) status = compress(out, m, err);
    st_gzfile_close(m->file);
    st_free(m->feature);
    st_free(m->cell);
    st_free(m->value);
    st_free(m);
    return status;
}
