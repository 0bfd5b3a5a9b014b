/* What sources of cells have in common. Invariant: where the source keeps all values it keeps them dense in
   source->values, or sparse in source->sparse, never both; else rows are read from the file. */
#include "data/cells.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"

void st_matrix_free(st_matrix *matrix) {
    st_free(matrix->dense);
    st_sparse_free(matrix->sparse);
    st_hdf5_close_set(matrix->rows);
    st_hdf5_close_set(matrix->data);
    st_hdf5_close_set(matrix->indices);
    st_free(matrix->member);
    st_free(matrix->start);
    *matrix = (st_matrix){0};
}

strait_status st_cells_begin(st_cells **out, st_source *source, strait_error *err) {
    *out = source->state = st_alloc(1, sizeof **out);
    return *out ? STRAIT_OK : st_fail_memory(err, sizeof **out, source->path);
}

void st_cells_close(st_source *source) {
    st_cells *cells = source->state;
    if (!cells) return;
    st_matrix_free(&cells->matrix);
    st_free(cells->beside);
    st_words_free(cells->cells);
    st_words_free(cells->features);
    st_free(cells->kind);
    st_free(cells);
}

/* ---- reading a row ---- */

static strait_status stream_sparse(float *dst, const st_source *source, const st_matrix *matrix, int64_t i,
                                   strait_error *err) {
    const int64_t first = matrix->start[i], n = matrix->start[i + 1] - first;
    memset(dst, 0, (size_t)matrix->n_columns * sizeof *dst);
    if (n == 0) return STRAIT_OK;
    strait_status status = STRAIT_OK;
    float *value = st_alloc((size_t)n, sizeof *value);
    int64_t *column = st_alloc((size_t)n, sizeof *column);
    if (!value || !column) status = st_fail_memory(err, (size_t)n * sizeof *column, "a row of a sparse matrix");
    if (status == STRAIT_OK) status = st_hdf5_read(value, ST_HDF5_F32, matrix->data, NULL, first, n, err);
    if (status == STRAIT_OK) status = st_hdf5_read(column, ST_HDF5_I64, matrix->indices, NULL, first, n, err);
    for (int64_t k = 0; k < n && status == STRAIT_OK; k++) {
        if (column[k] >= 0 && column[k] < matrix->n_columns)
            dst[column[k]] += value[k];
        else
            status = st_fail(err, STRAIT_FORMAT, "%s: index %lld in row %lld is not below %lld; the file is damaged",
                             source->path, (long long)column[k], (long long)i, (long long)matrix->n_columns);
    }
    st_free(value);
    st_free(column);
    return status;
}

strait_status st_cells_read(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const st_cells *cells = source->state;
    const st_matrix *matrix = &cells->matrix;
    float *row = dst;
    if (source->sparse) {
        st_sparse_row(row, source->sparse, i);
        return STRAIT_OK;
    }
    if (matrix->rows)
        ST_TRY(st_hdf5_read(row, ST_HDF5_F32, matrix->rows, matrix->member, i, 1, err));
    else
        ST_TRY(stream_sparse(row, source, matrix, i, err));
    if (cells->beside)
        memcpy(row + matrix->n_columns, cells->beside + i * cells->n_beside, (size_t)cells->n_beside * sizeof *row);
    return STRAIT_OK;
}

/* ---- from the state to the source ---- */

strait_status st_cells_finish(st_source *source, strait_error *err) {
    st_cells *cells = source->state;
    st_matrix *matrix = &cells->matrix;
    size_t bytes = 0;
    const int64_t dim[] = {matrix->n_rows, matrix->n_columns + cells->n_beside};
    source->type = ST_F32;
    ST_TRY(st_source_set_shape(&bytes, source, 2, dim, err));
    if (cells->cells && cells->cells->n != source->n_samples)
        return st_fail(err, STRAIT_FORMAT, "%s: has %lld names for %lld cells", source->path,
                       (long long)cells->cells->n, (long long)source->n_samples);
    if (cells->features && cells->features->n != source->n_values)
        return st_fail(err, STRAIT_FORMAT, "%s: has %lld names for %lld features", source->path,
                       (long long)cells->features->n, (long long)source->n_values);
    if (cells->cells) source->names = cells->cells->at;
    if (cells->features) source->feature_names = cells->features->at;
    source->feature_kind = cells->kind;
    if (matrix->sparse) {
        source->sparse = matrix->sparse;
    } else if (matrix->dense) {
        source->values = matrix->dense;
        matrix->dense = NULL;
    }
    return st_source_count_missing(source, err);
}

strait_status st_cells_set_kinds(st_cells *cells, const char *const *word, int64_t n, strait_error *err) {
    cells->kind = st_alloc((size_t)n, sizeof *cells->kind);
    if (!cells->kind) return st_fail_memory(err, (size_t)n * sizeof *cells->kind, "kinds of features");
    for (int64_t k = 0; k < n; k++)
        cells->kind[k] = strcmp(word[k], "Gene Expression") == 0 || !*word[k] ? ST_FEATURE_GENE
                         : strcmp(word[k], "Antibody Capture") == 0           ? ST_FEATURE_PROTEIN
                                                                              : ST_FEATURE_OTHER;
    return STRAIT_OK;
}

static void tell_kinds(st_text *text, const st_source *source) {
    static const char *const name[][2] = {
        [ST_FEATURE_GENE] = {"gene", "genes"},
        [ST_FEATURE_PROTEIN] = {"protein", "proteins"},
        [ST_FEATURE_OTHER] = {"other column", "other columns"},
    };
    int64_t count[] = {0, 0, 0};
    for (int64_t k = 0; k < source->n_values; k++)
        count[source->feature_kind ? source->feature_kind[k] : ST_FEATURE_GENE]++;
    const char *between = "";
    for (int kind = 0; kind < 3; kind++)
        if (count[kind] > 0) {
            st_text_add(text, "%s%lld %s", between, (long long)count[kind], name[kind][count[kind] > 1]);
            between = ", ";
        }
}

strait_status st_cells_set_note(st_source *source, const char *more, strait_error *err) {
    st_text text = {0};
    tell_kinds(&text, source);
    if (source->sparse)
        st_text_add(&text, "; sparse, %.3g %% of the values are not zero",
                    100.0 * (double)source->sparse->n_values / ((double)source->n_samples * (double)source->n_values));
    if (more) st_text_add(&text, "; %s", more);
    return st_text_take(&source->note, &text, err);
}

/* ---- labels ---- */

/* Missing ones become a category of their own, the last. */
static strait_status set_categories(st_source *source, st_frame_column *column, strait_error *err) {
    bool missing = false;
    for (int64_t i = 0; i < column->n; i++)
        missing = missing || column->code[i] < 0;
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    for (int64_t k = 0; k < column->category->n; k++)
        st_words_add(words, column->category->at[k], strlen(column->category->at[k]));
    if (missing) st_words_add(words, "(missing)", strlen("(missing)"));
    source->words = words; /* its owner from here on */
    ST_TRY(st_words_finish(words, err));
    for (int64_t i = 0; i < column->n; i++)
        if (column->code[i] < 0) column->code[i] = words->n - 1;
    source->labels = column->code;
    column->code = NULL;
    source->label_names = words->at;
    source->n_label_names = (int)words->n;
    return STRAIT_OK;
}

/* Whole numbers stay what they are, others become words. */
static strait_status set_numbers(st_source *source, const st_frame_column *column, strait_error *err) {
    bool whole = true;
    for (int64_t i = 0; i < column->n; i++)
        whole = whole && column->number[i] == floor(column->number[i]) && fabs(column->number[i]) < 0x1p53;
    if (whole) {
        source->labels = st_alloc((size_t)column->n, sizeof *source->labels);
        if (!source->labels) return st_fail_memory(err, (size_t)column->n * sizeof *source->labels, "labels");
        for (int64_t i = 0; i < column->n; i++)
            source->labels[i] = (int64_t)column->number[i];
        return STRAIT_OK;
    }
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    for (int64_t i = 0; i < column->n; i++) {
        char digits[32] = "nan";
        if (isfinite(column->number[i])) st_print_float(digits, (float)column->number[i]);
        st_words_add(words, digits, strlen(digits));
    }
    strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) status = st_source_set_word_labels(source, words->at, err);
    st_words_free(words);
    return status;
}

strait_status st_cells_set_labels(st_source *source, st_frame_column *column, strait_error *err) {
    if (column->n != source->n_samples)
        return st_fail(err, STRAIT_FORMAT, "%s: has %lld labels for %lld cells", source->path, (long long)column->n,
                       (long long)source->n_samples);
    if (column->code) return set_categories(source, column, err);
    if (column->text) return st_source_set_word_labels(source, column->text->at, err);
    return set_numbers(source, column, err);
}
