#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "data/cells.h"

size_t st_sparse_bytes(int64_t n_rows, int64_t n_values) {
    return (size_t)(n_rows + 1) * sizeof(int64_t) + (size_t)n_values * (sizeof(int32_t) + sizeof(float));
}

strait_status st_sparse_new(st_sparse **out, int64_t n_rows, int64_t n_columns, int64_t n_values, strait_error *err) {
    st_sparse *sparse = st_alloc(1, sizeof *sparse);
    *out = NULL;
    if (sparse) {
        *sparse = (st_sparse){.n_rows = n_rows, .n_columns = n_columns, .n_values = n_values};
        sparse->start = st_alloc((size_t)n_rows + 1, sizeof *sparse->start);
        sparse->column = st_alloc((size_t)n_values, sizeof *sparse->column);
        sparse->value = st_alloc((size_t)n_values, sizeof *sparse->value);
    }
    if (!sparse || !sparse->start || !sparse->column || !sparse->value) {
        st_sparse_free(sparse);
        return st_fail_memory(err, st_sparse_bytes(n_rows, n_values), "a sparse matrix");
    }
    *out = sparse;
    return STRAIT_OK;
}

void st_sparse_free(st_sparse *sparse) {
    if (!sparse) return;
    st_free(sparse->start);
    st_free(sparse->column);
    st_free(sparse->value);
    st_free(sparse);
}

/* By counting: rows come out in order, whatever order the columns were in. */
strait_status st_sparse_transpose(st_sparse **out, const st_sparse *sparse, strait_error *err) {
    st_sparse *turned = NULL;
    ST_TRY(st_sparse_new(&turned, sparse->n_columns, sparse->n_rows, sparse->n_values, err));
    for (int64_t k = 0; k < sparse->n_values; k++)
        turned->start[sparse->column[k] + 1]++;
    for (int64_t i = 0; i < turned->n_rows; i++)
        turned->start[i + 1] += turned->start[i];
    for (int64_t i = 0; i < sparse->n_rows; i++)
        for (int64_t k = sparse->start[i]; k < sparse->start[i + 1]; k++) {
            const int64_t at = turned->start[sparse->column[k]]++;
            turned->column[at] = (int32_t)i;
            turned->value[at] = sparse->value[k];
        }
    /* Each start has moved on to the next one's. */
    memmove(turned->start + 1, turned->start, (size_t)turned->n_rows * sizeof *turned->start);
    turned->start[0] = 0;
    *out = turned;
    return STRAIT_OK;
}

static strait_status check(const st_sparse *sparse, const char *path, const char *name, strait_error *err) {
    const int64_t *start = sparse->start;
    bool good = start[0] == 0 && start[sparse->n_rows] == sparse->n_values;
    for (int64_t i = 0; i < sparse->n_rows && good; i++)
        good = start[i] <= start[i + 1];
    if (!good)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: %.120s: its pointers do not cut its %lld values into %lld parts; the file is damaged", path,
                       name, (long long)sparse->n_values, (long long)sparse->n_rows);
    for (int64_t k = 0; k < sparse->n_values; k++)
        if (sparse->column[k] < 0 || sparse->column[k] >= sparse->n_columns)
            return st_fail(err, STRAIT_FORMAT, "%s: %.120s: index %d of value %lld is not below %lld", path, name,
                           (int)sparse->column[k], (long long)k, (long long)sparse->n_columns);
    return STRAIT_OK;
}

typedef struct entry {
    int32_t column;
    float value;
} entry;

static int compare_entries(const void *a, const void *b) {
    const entry *x = a, *y = b;
    return (x->column > y->column) - (x->column < y->column);
}

/* Puts one row in order through scratch. Equal columns may change places: their sum is of two or three terms, taken in
   double. */
static void sort_row(st_sparse *sparse, int64_t first, int64_t n, entry *scratch) {
    for (int64_t k = 0; k < n; k++)
        scratch[k] = (entry){sparse->column[first + k], sparse->value[first + k]};
    qsort(scratch, (size_t)n, sizeof *scratch, compare_entries);
    for (int64_t k = 0; k < n; k++) {
        sparse->column[first + k] = scratch[k].column;
        sparse->value[first + k] = scratch[k].value;
    }
}

static strait_status sort_rows(st_sparse *sparse, strait_error *err) {
    int64_t longest = 0;
    for (int64_t i = 0; i < sparse->n_rows; i++) {
        const int64_t n = sparse->start[i + 1] - sparse->start[i];
        if (n > longest) longest = n;
    }
    entry *scratch = st_alloc((size_t)longest, sizeof *scratch);
    if (!scratch) return st_fail_memory(err, (size_t)longest * sizeof *scratch, "a row of a sparse matrix");
    for (int64_t i = 0; i < sparse->n_rows; i++)
        sort_row(sparse, sparse->start[i], sparse->start[i + 1] - sparse->start[i], scratch);
    st_free(scratch);
    return STRAIT_OK;
}

/* Adds up neighbours of one column. */
static void fold_rows(st_sparse *sparse) {
    int64_t kept = 0, first = 0;
    for (int64_t i = 0; i < sparse->n_rows; i++) {
        const int64_t end = sparse->start[i + 1], begin = kept;
        for (int64_t k = first; k < end; k++) {
            if (kept > begin && sparse->column[kept - 1] == sparse->column[k]) {
                sparse->value[kept - 1] += sparse->value[k];
                continue;
            }
            sparse->column[kept] = sparse->column[k];
            sparse->value[kept++] = sparse->value[k];
        }
        first = end;
        sparse->start[i + 1] = kept;
    }
    sparse->n_values = kept;
}

strait_status st_sparse_settle(st_sparse *sparse, const char *path, const char *name, strait_error *err) {
    ST_TRY(check(sparse, path, name, err));
    bool ordered = true, distinct = true;
    for (int64_t i = 0; i < sparse->n_rows; i++)
        for (int64_t k = sparse->start[i] + 1; k < sparse->start[i + 1]; k++) {
            ordered = ordered && sparse->column[k - 1] <= sparse->column[k];
            distinct = distinct && sparse->column[k - 1] < sparse->column[k];
        }
    if (!ordered) ST_TRY(sort_rows(sparse, err));
    if (!distinct) fold_rows(sparse);
    return STRAIT_OK;
}

strait_status st_sparse_append(st_sparse **sparse, const float *b, int64_t n_b, strait_error *err) {
    const st_sparse *a = *sparse;
    st_sparse *both = NULL;
    int64_t n = a->n_values;
    for (int64_t k = 0; k < a->n_rows * n_b; k++)
        n += b[k] != 0;
    ST_TRY(st_sparse_new(&both, a->n_rows, a->n_columns + n_b, n, err));
    int64_t at = 0;
    for (int64_t i = 0; i < a->n_rows; i++) {
        for (int64_t k = a->start[i]; k < a->start[i + 1]; k++, at++) {
            both->column[at] = a->column[k];
            both->value[at] = a->value[k];
        }
        for (int64_t j = 0; j < n_b; j++)
            if (b[i * n_b + j] != 0) {
                both->column[at] = (int32_t)(a->n_columns + j);
                both->value[at++] = b[i * n_b + j];
            }
        both->start[i + 1] = at;
    }
    st_sparse_free(*sparse);
    *sparse = both;
    return STRAIT_OK;
}

void st_sparse_row(float *dst, const st_sparse *sparse, int64_t i) {
    memset(dst, 0, (size_t)sparse->n_columns * sizeof *dst);
    for (int64_t k = sparse->start[i]; k < sparse->start[i + 1]; k++)
        dst[sparse->column[k]] = sparse->value[k];
}
