/* h5ad files, of today's layout and of the one before anndata 0.7: X, layers/NAME, raw/X or obsm/NAME as the samples; a
   column of obs as labels; on request a matrix of proteins beside the genes. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"

/* Where proteins are usually kept, and columns that are usually meant as labels. */
static const char *const protein_places[] = {"obsm/protein_expression",
                                             "obsm/protein_counts",
                                             "obsm/proteins",
                                             "obsm/protein",
                                             "obsm/antibody_capture",
                                             "obsm/ADT",
                                             "obsm/adt",
                                             "obsm/prot",
                                             NULL};
static const char *const label_columns[] = {"label",    "labels",     "class",       "target",  "cell_type",
                                            "celltype", "cell_types", "bulk_labels", "cluster", "clusters",
                                            "leiden",   "louvain",    NULL};

/* Columns of obs a message or a note can carry. */
enum { MOST_TOLD = 12 };

/* ---- features ---- */

/* "0", "1", ...: for columns without names. */
static strait_status number_features(st_words **out, int64_t n, strait_error *err) {
    st_words *words = NULL;
    char digits[32];
    ST_TRY(st_words_new(&words, err));
    for (int64_t k = 0; k < n; k++) {
        st_print_double(digits, (double)k);
        st_words_add(words, digits, strlen(digits));
    }
    const strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

/* Names of a matrix' columns that are not those of var: the list scvi-tools keeps of proteins, else numbers. */
static strait_status name_columns(st_words **out, st_hdf5 *file, int64_t n, bool proteins, strait_error *err) {
    st_hdf5_set *set = NULL;
    *out = NULL;
    if (proteins && st_hdf5_find(file, "uns/protein_names") == ST_HDF5_SET) {
        strait_status status = st_hdf5_open_set(&set, file, "uns/protein_names", err);
        if (status == STRAIT_OK) status = st_hdf5_read_texts(out, set, NULL, err);
        st_hdf5_close_set(set);
        ST_TRY(status);
        if ((*out)->n == n) return STRAIT_OK;
        st_words_free(*out);
    }
    return number_features(out, n, err);
}

static bool is_protein_place(const char *key) {
    for (int i = 0; protein_places[i]; i++)
        if (strcmp(key, protein_places[i]) == 0) return true;
    return false;
}

/* The kinds in var's column feature_types, where it has one, as scanpy keeps them of 10x files. */
static strait_status read_kinds(st_cells *cells, st_hdf5 *file, const char *var, strait_error *err) {
    st_frame_column column = {0};
    char *path = st_format("%s/feature_types", var);
    if (!path) return st_fail_memory(err, strlen(var), "a path");
    const bool there = st_hdf5_find(file, path) != ST_HDF5_NOTHING;
    st_free(path);
    if (!there) return STRAIT_OK;
    const strait_status read = st_frame_column_read(&column, file, var, "feature_types", err);
    if (read != STRAIT_OK) return read == STRAIT_MEMORY ? read : STRAIT_OK; /* what cannot be read tells no kinds */
    const int64_t n = cells->features->n;
    strait_status status = STRAIT_OK;
    const bool told = column.n == n && (column.text || column.code);
    const char **word = told ? st_alloc((size_t)n, sizeof *word) : NULL;
    if (told && !word) status = st_fail_memory(err, (size_t)n * sizeof *word, "kinds of features");
    for (int64_t k = 0; word && k < n; k++)
        word[k] = column.text ? column.text->at[k] : column.code[k] < 0 ? "" : column.category->at[column.code[k]];
    if (word) status = st_cells_set_kinds(cells, word, n, err);
    st_free(word);
    st_frame_column_free(&column);
    return status;
}

static strait_status set_kind(st_cells *cells, int64_t n, st_feature_kind kind, strait_error *err) {
    cells->kind = st_alloc((size_t)n, sizeof *cells->kind);
    if (!cells->kind) return st_fail_memory(err, (size_t)n * sizeof *cells->kind, "kinds of features");
    for (int64_t k = 0; k < n; k++)
        cells->kind[k] = kind;
    return STRAIT_OK;
}

/* names: the matrix' own, which it takes; or NULL. */
static strait_status name_features(st_cells *cells, st_hdf5 *file, const char *key, st_words *names,
                                   strait_error *err) {
    const bool raw = st_starts_with(key, "raw/"), own = st_starts_with(key, "obsm/") || st_starts_with(key, "obsp/");
    const char *var = !raw ? "var" : st_frame_is(file, "raw/var") ? "raw/var" : "raw.var";
    const int64_t n = cells->matrix.n_columns;
    cells->features = names;
    if (!names && !own && st_frame_is(file, var)) {
        ST_TRY(st_frame_index(&cells->features, file, var, err));
        if (cells->features->n != n)
            return st_fail(err, STRAIT_FORMAT, "%s: %.120s has %lld columns, but %s names %lld", st_hdf5_path(file),
                           key, (long long)n, var, (long long)cells->features->n);
        return read_kinds(cells, file, var, err);
    }
    if (!names) ST_TRY(name_columns(&cells->features, file, n, is_protein_place(key), err));
    return set_kind(cells, n, is_protein_place(key) ? ST_FEATURE_PROTEIN : ST_FEATURE_OTHER, err);
}

/* ---- proteins beside genes ---- */

static bool has_proteins(const st_cells *cells) {
    for (int64_t k = 0; cells->kind && k < cells->features->n; k++)
        if (cells->kind[k] == ST_FEATURE_PROTEIN) return true;
    return false;
}

static const char *find_proteins(st_hdf5 *file) {
    for (int i = 0; protein_places[i]; i++)
        if (st_hdf5_find(file, protein_places[i]) != ST_HDF5_NOTHING) return protein_places[i];
    return NULL;
}

static strait_status join_names(st_cells *cells, const st_words *more, strait_error *err) {
    st_words *all = NULL;
    const int64_t n = cells->features->n;
    st_feature_kind *kind = st_alloc((size_t)(n + more->n), sizeof *kind);
    if (!kind) return st_fail_memory(err, (size_t)(n + more->n) * sizeof *kind, "kinds of features");
    for (int64_t k = 0; k < n + more->n; k++)
        kind[k] = k >= n ? ST_FEATURE_PROTEIN : cells->kind ? cells->kind[k] : ST_FEATURE_GENE;
    st_free(cells->kind);
    cells->kind = kind;
    ST_TRY(st_words_new(&all, err));
    for (int64_t k = 0; k < n; k++)
        st_words_add(all, cells->features->at[k], strlen(cells->features->at[k]));
    for (int64_t k = 0; k < more->n; k++)
        st_words_add(all, more->at[k], strlen(more->at[k]));
    st_words_free(cells->features);
    cells->features = all;
    return st_words_finish(all, err);
}

/* Rows of a and then of b. */
static strait_status join_dense(float **a, int64_t n, int64_t n_a, const float *b, int64_t n_b, strait_error *err) {
    const int64_t dim[] = {n, n_a + n_b};
    size_t bytes = 0;
    float *both = st_array_bytes(&bytes, ST_F32, 2, dim) ? st_alloc_aligned(bytes) : NULL;
    if (!both) return st_fail_memory(err, bytes, "genes and proteins");
    for (int64_t i = 0; i < n; i++) {
        memcpy(both + i * (n_a + n_b), *a + i * n_a, (size_t)n_a * sizeof *both);
        memcpy(both + i * (n_a + n_b) + n_a, b + i * n_b, (size_t)n_b * sizeof *both);
    }
    st_free(*a);
    *a = both;
    return STRAIT_OK;
}

/* The proteins' matrix, dense, whose values are few. */
static strait_status make_dense(st_matrix *matrix, st_hdf5 *file, const char *key, strait_error *err) {
    if (matrix->dense) return STRAIT_OK;
    const int64_t dim[] = {matrix->n_rows, matrix->n_columns};
    size_t bytes = 0;
    if (!matrix->sparse || !st_array_bytes(&bytes, ST_F32, 2, dim) || bytes > st_source_resident_bytes())
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: is too large to be kept beside the genes", st_hdf5_path(file),
                       key);
    matrix->dense = st_alloc_aligned(bytes);
    if (!matrix->dense) return st_fail_memory(err, bytes, key);
    for (int64_t i = 0; i < matrix->n_rows; i++)
        st_sparse_row(matrix->dense + i * matrix->n_columns, matrix->sparse, i);
    return STRAIT_OK;
}

static strait_status join_matrix(st_cells *cells, st_matrix *more, strait_error *err) {
    st_matrix *all = &cells->matrix;
    const int64_t n_more = more->n_columns;
    if (all->sparse)
        ST_TRY(st_sparse_append(&all->sparse, more->dense, n_more, err));
    else if (all->dense)
        ST_TRY(join_dense(&all->dense, all->n_rows, all->n_columns, more->dense, n_more, err));
    if (all->sparse || all->dense) {
        all->n_columns += n_more;
        return STRAIT_OK;
    }
    cells->beside = more->dense;
    cells->n_beside = n_more;
    more->dense = NULL;
    return STRAIT_OK;
}

/* key "auto": where they usually are, if anywhere. */
static strait_status add_proteins(st_cells *cells, st_hdf5 *file, const char *key, strait_error *err) {
    st_matrix more = {0};
    st_words *names = NULL;
    if (strcmp(key, "auto") == 0) key = has_proteins(cells) ? NULL : find_proteins(file);
    if (!key) return STRAIT_OK;
    strait_status status = st_h5ad_matrix(&more, &names, file, key, err);
    if (status == STRAIT_OK && more.n_rows != cells->matrix.n_rows)
        status = st_fail(err, STRAIT_FORMAT, "%s: %.120s has %lld rows for %lld cells", st_hdf5_path(file), key,
                         (long long)more.n_rows, (long long)cells->matrix.n_rows);
    if (status == STRAIT_OK) status = make_dense(&more, file, key, err);
    if (status == STRAIT_OK && !names) status = name_columns(&names, file, more.n_columns, true, err);
    if (status == STRAIT_OK) status = join_names(cells, names, err);
    if (status == STRAIT_OK) status = join_matrix(cells, &more, err);
    st_words_free(names);
    st_matrix_free(&more);
    return status;
}

/* ---- labels ---- */

static bool is_in(const st_words *words, const char *word) {
    for (int64_t i = 0; i < words->n; i++)
        if (strcmp(words->at[i], word) == 0) return true;
    return false;
}

static void list_columns(st_text *text, const st_words *columns, const char *but) {
    int64_t told = 0;
    for (int64_t i = 0; i < columns->n && told <= MOST_TOLD; i++) {
        if (but && strcmp(columns->at[i], but) == 0) continue;
        st_text_add(text, "%s%.60s", told ? ", " : "", told < MOST_TOLD ? columns->at[i] : "...");
        told++;
    }
}

static strait_status fail_no_label(const st_source *source, const st_words *columns, const char *label,
                                   strait_error *err) {
    st_text list = {0};
    char *text = NULL;
    list_columns(&list, columns, NULL);
    ST_TRY(st_text_take(&text, &list, err));
    st_fail(err, STRAIT_ARGUMENT, "%s: label: obs has no column '%s'; it has: %s", source->path, label, text);
    st_free(text);
    return STRAIT_ARGUMENT;
}

/* option NULL: a column of a usual name, if there is one. What was chosen and what else there is goes into note. */
static strait_status read_labels(st_source *source, st_text *note, st_hdf5 *file, const char *option,
                                 strait_error *err) {
    st_words *columns = NULL;
    st_frame_column column = {0};
    if (!st_frame_is(file, "obs")) return STRAIT_OK;
    ST_TRY(st_frame_columns(&columns, file, "obs", err));
    const char *chosen = option && strcmp(option, "none") != 0 ? option : NULL;
    for (int i = 0; !option && !chosen && label_columns[i]; i++)
        if (is_in(columns, label_columns[i])) chosen = label_columns[i];
    strait_status status = STRAIT_OK;
    if (chosen && !is_in(columns, chosen)) status = fail_no_label(source, columns, chosen, err);
    if (chosen && status == STRAIT_OK) {
        st_text_add(note, "; labels from obs/%.60s", chosen);
        status = st_frame_column_read(&column, file, "obs", chosen, err);
        if (status == STRAIT_OK) status = st_cells_set_labels(source, &column, err);
    }
    if (columns->n > (chosen ? 1 : 0)) {
        st_text_add(note, chosen ? ", other columns: " : "; columns of obs: ");
        list_columns(note, columns, chosen);
    }
    st_frame_column_free(&column);
    st_words_free(columns);
    return status;
}

/* ---- the reader ---- */

static strait_status read_names(st_cells *cells, st_hdf5 *file, const char *key, const st_source_options *options,
                                strait_error *err) {
    st_words *names = NULL;
    ST_TRY(st_h5ad_matrix(&cells->matrix, &names, file, key, err));
    ST_TRY(name_features(cells, file, key, names, err));
    if (st_frame_is(file, "obs")) ST_TRY(st_frame_index(&cells->cells, file, "obs", err));
    return options->proteins ? add_proteins(cells, file, options->proteins, err) : STRAIT_OK;
}

static strait_status read_file(st_source *source, st_hdf5 *file, const st_source_options *options, strait_error *err) {
    st_cells *cells = NULL;
    st_text note = {0};
    char *text = NULL;
    const char *key = options->key ? options->key : "X";
    ST_TRY(st_cells_begin(&cells, source, err));
    ST_TRY(read_names(cells, file, key, options, err));
    ST_TRY(st_cells_finish(source, err));
    st_text_add(&note, "%.120s", key);
    const char *proteins = options->proteins ? NULL : find_proteins(file);
    if (proteins && strcmp(proteins, key) != 0) st_text_add(&note, "; proteins in %s", proteins);
    strait_status status = read_labels(source, &note, file, options->label, err);
    if (status == STRAIT_OK) {
        status = st_text_take(&text, &note, err);
    } else {
        st_text_free(&note);
    }
    if (status == STRAIT_OK) status = st_cells_set_note(source, text, err);
    st_free(text);
    return status;
}

static strait_status open_h5ad(st_source *source, const char *path, const st_source_options *options,
                               strait_error *err) {
    st_hdf5 *file = NULL;
    ST_TRY(st_hdf5_open(&file, path, err));
    const strait_status status = read_file(source, file, options, err);
    st_hdf5_close(file); /* sets that stay open keep it */
    return status;
}

/* By its name, then open can say what is wrong; else by what is in it. */
static bool probe_h5ad(const char *path, const uint8_t *head, size_t n) {
    return st_ends_with(path, ".h5ad") || st_hdf5_is(head, n);
}

static strait_status look_h5ad(bool *out, const char *path, strait_error *err) {
    st_hdf5 *file = NULL;
    *out = st_ends_with(path, ".h5ad"); /* by its name, too: then open can say what is missing */
    if (*out) return STRAIT_OK;
    const strait_status status = st_hdf5_open(&file, path, err);
    if (status != STRAIT_OK) return status == STRAIT_MEMORY ? status : STRAIT_OK;
    *out = st_hdf5_find(file, "X") != ST_HDF5_NOTHING && st_hdf5_find(file, "obs") != ST_HDF5_NOTHING &&
           st_hdf5_find(file, "var") != ST_HDF5_NOTHING;
    st_hdf5_close(file);
    return STRAIT_OK;
}

const st_reader st_reader_h5ad = {.name = "h5ad",
                                  .keys = true,
                                  .probe = probe_h5ad,
                                  .look = look_h5ad,
                                  .rehearse = st_hdf5_rehearse,
                                  .open = open_h5ad,
                                  .read = st_cells_read,
                                  .close = st_cells_close};
