/* 10x folders. The matrix is features × cells; its rows are named by features.tsv (id, name, type; genes.tsv of older
   ones: id, name), its columns by barcodes.tsv. Files with something before their names belong together by that:
   GSM1_matrix.mtx.gz, GSM1_features.tsv.gz. */
#include "data/tenx.h"

#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"
#include "data/gzfile.h"

/* More than any of these tables needs: 2 million cells have 40 MB of barcodes. */
enum { PIECE = 1 << 16, MOST_TABLE_BYTES = 1 << 30 };

/* ---- tables of text ---- */

static strait_status read_text(char **out, const char *path, strait_error *err) {
    st_gzfile *file = NULL;
    st_text text = {0};
    char *piece = st_alloc(PIECE, 1);
    size_t n = 0;
    if (!piece) return st_fail_memory(err, PIECE, path);
    strait_status status = st_gzfile_open(&file, path, err);
    while (status == STRAIT_OK) {
        status = st_gzfile_read(&n, file, piece, PIECE, err);
        if (status != STRAIT_OK || n == 0) break;
        if (memchr(piece, '\0', n))
            status = st_fail(err, STRAIT_FORMAT, "%s: is no text: it holds zero bytes", path);
        else if (text.length + n > MOST_TABLE_BYTES)
            status = st_fail(err, STRAIT_FORMAT, "%s: has more than 1 GiB of names; it is damaged", path);
        else
            st_text_add_bytes(&text, piece, n);
    }
    st_gzfile_close(file);
    st_free(piece);
    if (status == STRAIT_OK) return st_text_take(out, &text, err);
    st_text_free(&text);
    return status;
}

/* Field k of a line (NULL where there are fewer), cut off in place at its tab. */
static char *take_field(char *line, int k) {
    for (; k > 0 && line; k--) {
        line = strchr(line, '\t');
        if (line) line++;
    }
    return line;
}

/* One column of a table [lines], chosen among its fields: the first of them that is there. */
static strait_status take_column(st_words **out, const char *text, const int *choice, int n_choices,
                                 strait_error *err) {
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    for (const char *line = text; line && *line;) {
        const char *end = strchr(line, '\n');
        const size_t length = end ? (size_t)(end - line) : strlen(line);
        char *copy = st_strndup(line, length);
        if (!copy) {
            st_words_free(words);
            return st_fail_memory(err, length, "a line");
        }
        char *field = NULL;
        for (int i = 0; i < n_choices && !field; i++)
            field = take_field(copy, choice[i]);
        if (field) field[strcspn(field, "\t\r")] = '\0';
        for (char *c = field; c && *c; c++)
            if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
        st_words_add(words, field ? field : "", field ? strlen(field) : 0);
        st_free(copy);
        line = end ? end + 1 : NULL;
    }
    const strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

/* ---- files that belong together ---- */

/* The first of the names that exists beside the matrix; *out NULL when none does. */
static strait_status find_beside(char **out, const char *matrix, const char *const *names, strait_error *err) {
    *out = NULL;
    const char *name = st_path_name(matrix), *stem = strstr(name, "matrix.mtx");
    if (!stem) return STRAIT_OK;
    for (int i = 0; names[i]; i++) {
        char *path = st_format("%.*s%s", (int)(stem - matrix), matrix, names[i]);
        if (!path) return st_fail_memory(err, strlen(matrix), "a path");
        if (st_path_exists(path)) {
            *out = path;
            return STRAIT_OK;
        }
        st_free(path);
    }
    return STRAIT_OK;
}

static strait_status read_beside(char **text, const char *matrix, const char *const *names, const char *what,
                                 strait_error *err) {
    char *path = NULL;
    *text = NULL;
    ST_TRY(find_beside(&path, matrix, names, err));
    if (!path)
        return st_fail(err, STRAIT_NOT_FOUND,
                       "%s: %s does not lie beside it; a 10x folder holds matrix.mtx, "
                       "features.tsv and barcodes.tsv, each with .gz or without",
                       matrix, what);
    const strait_status status = read_text(text, path, err);
    st_free(path);
    return status;
}

/* ---- the reader ---- */

static strait_status read_features(st_cells *cells, const char *path, strait_error *err) {
    static const char *const names[] = {"features.tsv.gz", "features.tsv", "genes.tsv.gz", "genes.tsv", NULL};
    static const int by_name[] = {1, 0}, by_type[] = {2};
    char *text = NULL;
    st_words *types = NULL;
    ST_TRY(read_beside(&text, path, names, "features.tsv", err));
    strait_status status = take_column(&cells->features, text, by_name, 2, err);
    if (status == STRAIT_OK) status = take_column(&types, text, by_type, 1, err);
    if (status == STRAIT_OK) status = st_cells_set_kinds(cells, types->at, types->n, err);
    st_words_free(types);
    st_free(text);
    return status;
}

static strait_status read_barcodes(st_cells *cells, const char *path, strait_error *err) {
    static const char *const names[] = {"barcodes.tsv.gz", "barcodes.tsv", NULL};
    static const int first[] = {0};
    char *text = NULL;
    ST_TRY(read_beside(&text, path, names, "barcodes.tsv", err));
    const strait_status status = take_column(&cells->cells, text, first, 1, err);
    st_free(text);
    return status;
}

static strait_status open_tenx(st_source *source, const char *path, const st_source_options *options,
                               strait_error *err) {
    st_cells *cells = NULL;
    if (options->label && strcmp(options->label, "none") != 0)
        return st_fail(err, STRAIT_ARGUMENT, "%s: label: a 10x folder holds no labels, so none named '%s'", path,
                       options->label);
    ST_TRY(st_cells_begin(&cells, source, err));
    ST_TRY(read_features(cells, path, err));
    ST_TRY(read_barcodes(cells, path, err));
    ST_TRY(st_mtx_read(&cells->matrix.sparse, path, cells->features->n, cells->cells->n, err));
    cells->matrix.n_rows = cells->matrix.sparse->n_rows;
    cells->matrix.n_columns = cells->matrix.sparse->n_columns;
    ST_TRY(st_cells_finish(source, err));
    return st_cells_set_note(source, NULL, err);
}

static bool probe_tenx(const char *path, const uint8_t *head, size_t n) {
    static const char begin[] = "%%MatrixMarket";
    return (n >= sizeof begin - 1 && memcmp(head, begin, sizeof begin - 1) == 0) || st_ends_with(path, ".mtx") ||
           st_ends_with(path, ".mtx.gz");
}

strait_status st_tenx_open_folder(st_source **out, bool *found, const char *folder, strait_error *err) {
    static const char *const names[] = {"matrix.mtx.gz", "matrix.mtx", NULL};
    *found = false;
    for (int i = 0; names[i] && !*found; i++) {
        char *path = st_path_join(folder, names[i]);
        if (!path) return st_fail_memory(err, strlen(folder), "a path");
        strait_status status = STRAIT_OK;
        if (st_path_exists(path)) {
            *found = true;
            status = st_source_open(out, path, NULL, err);
        }
        st_free(path);
        ST_TRY(status);
    }
    return STRAIT_OK;
}

const st_reader st_reader_tenx = {
    .name = "10x", .probe = probe_tenx, .open = open_tenx, .read = st_cells_read, .close = st_cells_close};
