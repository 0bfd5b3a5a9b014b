/* Cells × features, as files of single-cell data hold them: sparse where they are, with names and kinds of the
   features. Readers (h5ad, 10x) fill in an st_cells; what is common to their sources stands here. */
#ifndef ST_DATA_CELLS_H
#define ST_DATA_CELLS_H

#include "data/hdf5.h"
#include "data/reader.h"
#include "data/words.h"

/* ---- sparse matrices (cells_sparse.c) ---- */

/* Compressed rows: row i has values [start[i], start[i + 1]), columns ascending, none twice. */
struct st_sparse {
    int64_t n_rows, n_columns, n_values;
    int64_t *start;  /* [n_rows + 1] */
    int32_t *column; /* [n_values] */
    float *value;    /* [n_values] */
};

/* Zeroed. Errors: MEMORY. */
strait_status st_sparse_new(st_sparse **out, int64_t n_rows, int64_t n_columns, int64_t n_values, strait_error *err);
void st_sparse_free(st_sparse *sparse); /* NULL is fine */
size_t st_sparse_bytes(int64_t n_rows, int64_t n_values);
/* Compressed columns to compressed rows, and back. Errors: MEMORY. */
strait_status st_sparse_transpose(st_sparse **out, const st_sparse *sparse, strait_error *err);
/* Checks start and columns of what was read from a file (name: in its messages), then puts each row in order and adds
   up what stands twice. Errors: FORMAT, MEMORY. */
strait_status st_sparse_settle(st_sparse *sparse, const char *path, const char *name, strait_error *err);
/* The columns of b [n_rows, n_b] (dense) after those of *sparse, which is replaced. Errors: MEMORY. */
strait_status st_sparse_append(st_sparse **sparse, const float *b, int64_t n_b, strait_error *err);
/* Row i, [n_columns]. */
void st_sparse_row(float *dst, const st_sparse *sparse, int64_t i);

/* ---- a matrix of a file ---- */

/* One of dense, sparse and the streams. */
typedef struct st_matrix {
    int64_t n_rows, n_columns;
    float *dense; /* [n_rows, n_columns] */
    st_sparse *sparse;
    st_hdf5_set *rows;           /* dense, read row by row */
    char *member;                /* of its records, or NULL */
    st_hdf5_set *data, *indices; /* compressed rows, read row by row; */
    int64_t *start;              /* [n_rows + 1] */
} st_matrix;

void st_matrix_free(st_matrix *matrix); /* what it holds */

/* The matrix under a name in an h5ad file (h5ad_matrix.c): a data set, a group of compressed rows or columns, a data
   frame of numbers, a member of the old layout's records. names: of its columns where it has names of its own, else
   NULL; the caller's. Whole in memory while it is no larger than st_source_resident_bytes(). Errors: FORMAT, MEMORY. */
strait_status st_h5ad_matrix(st_matrix *out, st_words **names, st_hdf5 *file, const char *name, strait_error *err);

/* The same of a group {data, indices, indptr} that holds n_rows compressed rows of n_columns. */
strait_status st_h5ad_compressed(st_matrix *out, st_hdf5 *file, const char *name, int64_t n_rows, int64_t n_columns,
                                 strait_error *err);

/* ---- data frames of an h5ad file (h5ad_frame.c) ---- */

/* One column: numbers, or texts, or codes of categories (-1: missing). */
typedef struct st_frame_column {
    int64_t n;
    double *number;     /* [n] or NULL */
    st_words *text;     /* [n] or NULL */
    int64_t *code;      /* [n] or NULL */
    st_words *category; /* with code */
} st_frame_column;

/* Whether there is a data frame of this name, old layout or current. */
bool st_frame_is(st_hdf5 *file, const char *frame);
/* Its rows' names; its columns' names in their order. The caller's. Errors: FORMAT, MEMORY. */
strait_status st_frame_index(st_words **out, st_hdf5 *file, const char *frame, strait_error *err);
strait_status st_frame_columns(st_words **out, st_hdf5 *file, const char *frame, strait_error *err);
/* Errors: FORMAT, MEMORY. */
strait_status st_frame_column_read(st_frame_column *out, st_hdf5 *file, const char *frame, const char *column,
                                   strait_error *err);
void st_frame_column_free(st_frame_column *column); /* what it holds */

/* ---- sources of cells (cells.c) ---- */

/* The state of such a source. */
typedef struct st_cells {
    st_matrix matrix;
    float *beside; /* [n_samples, n_beside]: further columns beside a matrix that is read row by row */
    int64_t n_beside;
    st_words *cells;       /* names, or NULL */
    st_words *features;    /* names; each kind's are told apart by `kind` */
    st_feature_kind *kind; /* [n_values] */
} st_cells;

/* An empty state in source->state. Errors: MEMORY. */
strait_status st_cells_begin(st_cells **out, st_source *source, strait_error *err);
/* Takes shape, names and values from the state into the source; all features of one kind: kind NULL in the state.
   Errors: FORMAT, MEMORY. */
strait_status st_cells_finish(st_source *source, strait_error *err);
/* Kinds by 10x's words, "Gene Expression" and "Antibody Capture"; word[n_features]. Errors: MEMORY. */
strait_status st_cells_set_kinds(st_cells *cells, const char *const *word, int64_t n, strait_error *err);
/* Labels from a column, which it empties. A category nobody has stays without samples. Errors: FORMAT, MEMORY. */
strait_status st_cells_set_labels(st_source *source, st_frame_column *column, strait_error *err);
/* The note: how many features of each kind, how many values are not zero, and what the reader adds (or NULL). Errors:
   MEMORY. */
strait_status st_cells_set_note(st_source *source, const char *more, strait_error *err);

/* For the readers' rows. */
strait_status st_cells_read(void *dst, const st_source *source, int64_t i, strait_error *err);
void st_cells_close(st_source *source);

/* Compressed rows of a MatrixMarket file of n_features × n_cells (mtx.c). Errors: FORMAT (of another shape too), IO,
   MEMORY. */
strait_status st_mtx_read(st_sparse **out, const char *path, int64_t n_features, int64_t n_cells, strait_error *err);

#endif
