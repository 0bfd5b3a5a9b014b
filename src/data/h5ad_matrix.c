/* Matrices in h5ad files: dense data sets; groups {data, indices, indptr}, whose attributes say compressed rows or
   columns (h5sparse_format in the old layout); data frames of numbers; members of records. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"

/* Indices come as int64 a piece at a time. */
enum { PIECE = 1 << 18 };

static strait_status fail_matrix(strait_error *err, st_hdf5 *file, const char *name, const char *what) {
    return st_fail(err, STRAIT_FORMAT, "%s: %.120s: %s", st_hdf5_path(file), name, what);
}

/* ---- dense ---- */

static strait_status read_dense(st_matrix *out, st_hdf5_set *set, const char *member, st_hdf5 *file, const char *name,
                                strait_error *err) {
    st_hdf5_info info;
    size_t bytes = 0;
    ST_TRY(st_hdf5_describe(&info, set, member, err));
    if (info.n_dims != 2 || info.dim[0] < 1 || info.dim[1] < 1)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: has %d dimension%s%s; cells × features are two",
                       st_hdf5_path(file), name, info.n_dims, info.n_dims == 1 ? "" : "s",
                       info.n_dims == 2 ? " and no values" : "");
    if (!st_array_bytes(&bytes, ST_F32, 2, info.dim) || info.dim[1] > INT32_MAX)
        return fail_matrix(err, file, name, "announces more than can be read; the file is damaged");
    out->n_rows = info.dim[0];
    out->n_columns = info.dim[1];
    if (bytes > st_source_resident_bytes()) {
        /* A reading of one row now tells what is wrong with the type. */
        float *row = st_alloc((size_t)out->n_columns, sizeof *row);
        if (!row) return st_fail_memory(err, (size_t)out->n_columns * sizeof *row, "a row");
        const strait_status status = st_hdf5_read(row, ST_HDF5_F32, set, member, 0, 1, err);
        st_free(row);
        return status;
    }
    out->dense = st_alloc_aligned(bytes);
    if (!out->dense) return st_fail_memory(err, bytes, name);
    return st_hdf5_read(out->dense, ST_HDF5_F32, set, member, 0, out->n_rows, err);
}

/* Keeps the set open where rows are read from it later. */
static strait_status take_dense(st_matrix *out, st_hdf5 *file, const char *set_name, const char *member,
                                const char *name, strait_error *err) {
    st_hdf5_set *set = NULL;
    ST_TRY(st_hdf5_open_set(&set, file, set_name, err));
    strait_status status = read_dense(out, set, member, file, name, err);
    if (status == STRAIT_OK && !out->dense) {
        if (member && !(out->member = st_strdup(member))) status = st_fail_memory(err, strlen(member), "a name");
        out->rows = set;
    } else {
        st_hdf5_close_set(set);
    }
    return status;
}

/* ---- sparse ---- */

/* What is open while a sparse matrix is read. */
typedef struct sparse_reading {
    st_hdf5 *file;
    const char *name;
    st_hdf5_set *data, *indices, *pointers;
    int64_t n_major, n_minor, n_values;
} sparse_reading;

static strait_status open_part(st_hdf5_set **out, int64_t *n, const sparse_reading *r, const char *part,
                               strait_error *err) {
    st_hdf5_info info;
    char *path = st_format("%s/%s", r->name, part);
    if (!path) return st_fail_memory(err, strlen(r->name), "a path");
    strait_status status = st_hdf5_open_set(out, r->file, path, err);
    if (status == STRAIT_OK) status = st_hdf5_describe(&info, *out, NULL, err);
    if (status == STRAIT_OK && info.n_dims != 1) status = fail_matrix(err, r->file, path, "must have one dimension");
    if (status == STRAIT_OK) *n = info.dim[0];
    st_free(path);
    return status;
}

static strait_status open_parts(sparse_reading *r, strait_error *err) {
    int64_t n_indices = 0, n_pointers = 0;
    ST_TRY(open_part(&r->data, &r->n_values, r, "data", err));
    ST_TRY(open_part(&r->indices, &n_indices, r, "indices", err));
    ST_TRY(open_part(&r->pointers, &n_pointers, r, "indptr", err));
    if (n_indices != r->n_values || n_pointers - 1 != r->n_major)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: %.120s: has %lld values, %lld indices and %lld pointers, which do not fit together",
                       st_hdf5_path(r->file), r->name, (long long)r->n_values, (long long)n_indices,
                       (long long)n_pointers);
    return STRAIT_OK;
}

static strait_status read_indices(int32_t *column, const sparse_reading *r, strait_error *err) {
    int64_t *piece = st_alloc(PIECE, sizeof *piece);
    if (!piece) return st_fail_memory(err, PIECE * sizeof *piece, "indices");
    strait_status status = STRAIT_OK;
    for (int64_t first = 0; first < r->n_values && status == STRAIT_OK; first += PIECE) {
        const int64_t n = r->n_values - first < PIECE ? r->n_values - first : PIECE;
        status = st_hdf5_read(piece, ST_HDF5_I64, r->indices, NULL, first, n, err);
        for (int64_t k = 0; k < n && status == STRAIT_OK; k++) {
            column[first + k] = piece[k] >= 0 && piece[k] < r->n_minor ? (int32_t)piece[k] : -1;
            if (column[first + k] < 0)
                status = st_fail(err, STRAIT_FORMAT, "%s: %.120s: index %lld of value %lld is not below %lld",
                                 st_hdf5_path(r->file), r->name, (long long)piece[k], (long long)(first + k),
                                 (long long)r->n_minor);
        }
    }
    st_free(piece);
    return status;
}

static strait_status read_whole(st_sparse **out, const sparse_reading *r, strait_error *err) {
    ST_TRY(st_sparse_new(out, r->n_major, r->n_minor, r->n_values, err));
    ST_TRY(st_hdf5_read((*out)->start, ST_HDF5_I64, r->pointers, NULL, 0, r->n_major + 1, err));
    ST_TRY(read_indices((*out)->column, r, err));
    ST_TRY(st_hdf5_read((*out)->value, ST_HDF5_F32, r->data, NULL, 0, r->n_values, err));
    return st_sparse_settle(*out, st_hdf5_path(r->file), r->name, err);
}

/* Pointers alone; rows come later. */
static strait_status take_stream(st_matrix *out, sparse_reading *r, strait_error *err) {
    out->start = st_alloc((size_t)r->n_major + 1, sizeof *out->start);
    if (!out->start) return st_fail_memory(err, (size_t)(r->n_major + 1) * sizeof *out->start, r->name);
    ST_TRY(st_hdf5_read(out->start, ST_HDF5_I64, r->pointers, NULL, 0, r->n_major + 1, err));
    for (int64_t i = 0; i < r->n_major; i++)
        if (out->start[i] < 0 || out->start[i] > out->start[i + 1] || out->start[i + 1] > r->n_values)
            return fail_matrix(err, r->file, r->name, "its pointers do not cut its values into rows");
    out->data = r->data;
    out->indices = r->indices;
    r->data = r->indices = NULL;
    return STRAIT_OK;
}

static strait_status read_sparse(st_matrix *out, sparse_reading *r, bool by_columns, strait_error *err) {
    ST_TRY(open_parts(r, err));
    const size_t bytes = st_sparse_bytes(r->n_major, r->n_values);
    const bool large = bytes > st_source_resident_bytes();
    if (large && by_columns)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: %.120s: takes %.1f GB, and in compressed columns rows cannot be read one by one; write it "
                       "in compressed rows (CSR)",
                       st_hdf5_path(r->file), r->name, (double)bytes / 1e9);
    if (large) return take_stream(out, r, err);
    st_sparse *columns = NULL;
    ST_TRY(read_whole(by_columns ? &columns : &out->sparse, r, err));
    if (!by_columns) return STRAIT_OK;
    const strait_status status = st_sparse_transpose(&out->sparse, columns, err);
    st_sparse_free(columns);
    return status;
}

static strait_status take_compressed(st_matrix *out, st_hdf5 *file, const char *name, const int64_t shape[2],
                                     bool by_columns, strait_error *err) {
    if (shape[0] < 1 || shape[1] < 1 || shape[0] > INT32_MAX || shape[1] > INT32_MAX)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: has the shape %lld × %lld", st_hdf5_path(file), name,
                       (long long)shape[0], (long long)shape[1]);
    out->n_rows = shape[0];
    out->n_columns = shape[1];
    sparse_reading r = {.file = file, .name = name, .n_major = shape[by_columns], .n_minor = shape[!by_columns]};
    const strait_status status = read_sparse(out, &r, by_columns, err);
    st_hdf5_close_set(r.data);
    st_hdf5_close_set(r.indices);
    st_hdf5_close_set(r.pointers);
    return status;
}

/* format: "csr_matrix" or "csr", "csc_matrix" or "csc". */
static strait_status take_sparse(st_matrix *out, st_hdf5 *file, const char *name, const char *format,
                                 const char *shape_attribute, strait_error *err) {
    int64_t shape[2];
    const bool by_columns = st_starts_with(format, "csc");
    if (!by_columns && !st_starts_with(format, "csr"))
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: is stored as '%.40s', which is not read", st_hdf5_path(file),
                       name, format);
    if (!st_hdf5_attribute_integers(shape, 2, file, name, shape_attribute))
        return fail_matrix(err, file, name, "does not tell its shape");
    return take_compressed(out, file, name, shape, by_columns, err);
}

strait_status st_h5ad_compressed(st_matrix *out, st_hdf5 *file, const char *name, int64_t n_rows, int64_t n_columns,
                                 strait_error *err) {
    const int64_t shape[] = {n_rows, n_columns};
    *out = (st_matrix){0};
    const strait_status status = take_compressed(out, file, name, shape, false, err);
    if (status != STRAIT_OK) st_matrix_free(out);
    return status;
}

/* ---- data frames ---- */

/* Its columns of numbers, side by side. */
static strait_status take_frame(st_matrix *out, st_words **names, st_hdf5 *file, const char *name, strait_error *err) {
    st_words *columns = NULL;
    st_frame_column column = {0};
    ST_TRY(st_frame_columns(&columns, file, name, err));
    strait_status status = columns->n > 0 ? STRAIT_OK : fail_matrix(err, file, name, "has no columns");
    for (int64_t j = 0; j < columns->n && status == STRAIT_OK; j++) {
        status = st_frame_column_read(&column, file, name, columns->at[j], err);
        if (status != STRAIT_OK) break;
        if (j == 0) {
            const int64_t dim[] = {out->n_rows = column.n, out->n_columns = columns->n};
            size_t bytes = 0;
            const bool good = column.n > 0 && st_array_bytes(&bytes, ST_F32, 2, dim);
            out->dense = good ? st_alloc_aligned(bytes) : NULL;
            if (!good) status = fail_matrix(err, file, name, "has no rows");
            if (good && !out->dense) status = st_fail_memory(err, bytes, name);
        }
        if (status == STRAIT_OK && (!column.number || column.n != out->n_rows))
            status = st_fail(err, STRAIT_FORMAT, "%s: %.120s: column '%.60s' is not of %lld numbers",
                             st_hdf5_path(file), name, columns->at[j], (long long)out->n_rows);
        for (int64_t i = 0; i < out->n_rows && status == STRAIT_OK; i++)
            out->dense[i * out->n_columns + j] = (float)column.number[i];
        st_frame_column_free(&column);
    }
    st_frame_column_free(&column);
    if (status == STRAIT_OK) {
        *names = columns;
    } else {
        st_words_free(columns);
    }
    return status;
}

/* ---- by name ---- */

static strait_status take_group(st_matrix *out, st_words **names, st_hdf5 *file, const char *name, strait_error *err) {
    char *encoding = NULL, *old = NULL;
    strait_status status = st_hdf5_attribute_text(&encoding, file, name, "encoding-type", err);
    if (status == STRAIT_OK) status = st_hdf5_attribute_text(&old, file, name, "h5sparse_format", err);
    if (status == STRAIT_OK) {
        if (old) {
            status = take_sparse(out, file, name, old, "h5sparse_shape", err);
        } else if (encoding && strcmp(encoding, "dataframe") == 0) {
            status = take_frame(out, names, file, name, err);
        } else if (encoding && st_ends_with(encoding, "_matrix")) {
            status = take_sparse(out, file, name, encoding, "shape", err);
        } else {
            status = fail_matrix(err, file, name, "is a group, not a matrix; name what is in it");
        }
    }
    st_free(encoding);
    st_free(old);
    return status;
}

/* The old layout has "raw.X" for raw/X, and obsm is one data set of records. */
static strait_status take_old(st_matrix *out, st_words **names, st_hdf5 *file, const char *name, strait_error *err) {
    const char *slash = strchr(name, '/');
    if (strcmp(name, "raw/X") == 0 && st_hdf5_find(file, "raw.X") != ST_HDF5_NOTHING)
        return st_h5ad_matrix(out, names, file, "raw.X", err);
    char *set = slash ? st_strndup(name, (size_t)(slash - name)) : NULL;
    if (slash && !set) return st_fail_memory(err, strlen(name), "a path");
    strait_status status;
    if (set && st_hdf5_find(file, set) == ST_HDF5_SET) {
        status = take_dense(out, file, set, slash + 1, name, err);
    } else {
        status = fail_matrix(err, file, name, "there is no such matrix in the file");
    }
    st_free(set);
    return status;
}

strait_status st_h5ad_matrix(st_matrix *out, st_words **names, st_hdf5 *file, const char *name, strait_error *err) {
    *out = (st_matrix){0};
    *names = NULL;
    strait_status status;
    switch (st_hdf5_find(file, name)) {
    case ST_HDF5_GROUP: status = take_group(out, names, file, name, err); break;
    case ST_HDF5_SET: status = take_dense(out, file, name, NULL, name, err); break;
    default: status = take_old(out, names, file, name, err); break;
    }
    if (status != STRAIT_OK) st_matrix_free(out);
    return status;
}
