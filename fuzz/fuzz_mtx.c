/* Any bytes as a MatrixMarket file of 5 features and 4 cells are a sparse matrix in order, or an error of one line. Its
   entries as pointers and indices of a matrix, as an h5ad file would hold them, are settled or refused. */
#include "data/cells.h"
#include "data_file.h"

static void check_sparse(const st_sparse *sparse) {
    insist(sparse->start[0] == 0 && sparse->start[sparse->n_rows] == sparse->n_values);
    for (int64_t i = 0; i < sparse->n_rows; i++) {
        insist(sparse->start[i] <= sparse->start[i + 1]);
        for (int64_t k = sparse->start[i]; k < sparse->start[i + 1]; k++) {
            insist(sparse->column[k] >= 0 && sparse->column[k] < sparse->n_columns);
            insist(k == sparse->start[i] || sparse->column[k - 1] < sparse->column[k]);
        }
    }
}

static void check_matrix(const char *path) {
    st_sparse *sparse = NULL, *turned = NULL;
    strait_error err = {0};
    if (st_mtx_read(&sparse, path, 5, 4, &err) == STRAIT_OK) {
        insist(sparse->n_rows == 4 && sparse->n_columns == 5);
        check_sparse(sparse);
        insist(st_sparse_transpose(&turned, sparse, &err) == STRAIT_OK);
        check_sparse(turned);
    } else {
        insist(sparse == NULL && err.message[0] && !strchr(err.message, '\n'));
    }
    st_sparse_free(sparse);
    st_sparse_free(turned);
}

/* Four rows of eight columns: five bytes of pointers, then a byte an index. */
static void check_pointers(const uint8_t *bytes, size_t n) {
    st_sparse *sparse = NULL;
    strait_error err = {0};
    if (n < 5 || n > 4096 || st_sparse_new(&sparse, 4, 8, (int64_t)n - 5, &err) != STRAIT_OK) return;
    for (int i = 0; i < 5; i++)
        sparse->start[i] = (int8_t)bytes[i];
    for (size_t k = 5; k < n; k++) {
        sparse->column[k - 5] = (int8_t)bytes[k];
        sparse->value[k - 5] = 1;
    }
    if (st_sparse_settle(sparse, "file", "X", &err) == STRAIT_OK) {
        float row[8], sum = 0;
        check_sparse(sparse);
        for (int64_t i = 0; i < 4; i++) {
            st_sparse_row(row, sparse, i);
            for (int j = 0; j < 8; j++)
                sum += row[j];
        }
        insist(sum == (float)(n - 5)); /* what stands twice is added up */
    } else {
        insist(err.message[0] && !strchr(err.message, '\n'));
    }
    st_sparse_free(sparse);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    char path[64];
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, bytes, n) == (ssize_t)n) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        check_matrix(path);
    }
    close(fd);
    check_pointers(bytes, n);
    return 0;
}
