/* Rows handed over by the caller. */
#include <string.h>
#include "base/memory.h"
#include "data/reader.h"

static bool probe_rows(const char *path, const uint8_t *head, size_t n) {
    (void)path, (void)head, (void)n;
    return false; /* no file holds them */
}

static strait_status copy_rows(st_source *source, const float *values, int64_t n_samples, int n_dims,
                               const int64_t *dim, strait_error *err) {
    int64_t all[ST_SAMPLE_DIMS + 1] = {n_samples};
    size_t bytes = 0;
    if (n_dims < 1 || n_dims > 3)
        return st_fail(err, STRAIT_ARGUMENT, "a sample has %d dimensions; 1 to 3 are possible", n_dims);
    for (int i = 0; i < n_dims; i++)
        all[i + 1] = dim[i];
    for (int i = 0; i <= n_dims; i++)
        if (all[i] < 1)
            return st_fail(err, STRAIT_ARGUMENT, "%s is %lld; it must be at least 1",
                           i == 0 ? "the number of samples" : "a dimension of the samples", (long long)all[i]);
    source->type = ST_F32;
    if (!st_array_bytes(&bytes, ST_F32, n_dims + 1, all))
        return st_fail(err, STRAIT_ARGUMENT, "rows: the sizes given come to more than 1 TiB");
    ST_TRY(st_source_set_shape(&bytes, source, n_dims + 1, all, err));
    source->values = st_alloc(bytes, 1);
    if (!source->values) return st_fail_memory(err, bytes, "the rows of a data set");
    memcpy(source->values, values, bytes);
    return st_source_count_missing(source, err);
}

strait_status st_source_from_rows(st_source **out, const float *values, int64_t n_samples, int n_dims,
                                  const int64_t *dim, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_new(&source, &st_reader_rows, "rows", err));
    const strait_status status = copy_rows(source, values, n_samples, n_dims, dim, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

const st_reader st_reader_rows = {.name = "rows", .probe = probe_rows};
