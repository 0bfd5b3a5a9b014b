#include "data/reader.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"

strait_status st_source_new(st_source **out, const st_reader *reader, const char *path, strait_error *err) {
    st_source *source = st_alloc(1, sizeof *source);
    if (!source) return st_fail_memory(err, sizeof *source, "a data source");
    source->reader = reader;
    atomic_init(&source->references, 1);
    source->path = st_strdup(path);
    if (!source->path) {
        st_source_release(source);
        return st_fail_memory(err, strlen(path) + 1, "a path");
    }
    *out = source;
    return STRAIT_OK;
}

st_source *st_source_share(st_source *source) {
    atomic_fetch_add(&source->references, 1);
    return source;
}

void st_source_release(st_source *source) {
    if (!source || atomic_fetch_sub(&source->references, 1) > 1) return;
    if (source->reader->close) source->reader->close(source);
    st_free(source->values);
    st_free(source->labels);
    st_free(source->path);
    st_free(source);
}

bool st_array_bytes(size_t *bytes, st_dtype type, int n_dims, const int64_t *dim) {
    uint64_t total = st_dtype_size(type);
    for (int i = 0; i < n_dims; i++)
        if (__builtin_mul_overflow(total, (uint64_t)dim[i], &total) || total > ST_SOURCE_MAX_BYTES) return false;
    *bytes = (size_t)total;
    return true;
}

strait_status st_source_set_shape(size_t *bytes, st_source *source, int n_dims, const int64_t *dim, strait_error *err) {
    if (n_dims < 2)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: has %d dimension%s; a data set needs samples and their values, such as [n, height, width]",
                       source->path, n_dims, n_dims == 1 ? "" : "s");
    if (n_dims > 4)
        return st_fail(err, STRAIT_FORMAT, "%s: has %d dimensions; at most 4 are read: [n, height, width, channels]",
                       source->path, n_dims);
    for (int i = 0; i < n_dims; i++)
        if (dim[i] <= 0)
            return st_fail(err, STRAIT_FORMAT, "%s: holds no values: dimension %d is %lld", source->path, i,
                           (long long)dim[i]);
    if (!st_array_bytes(bytes, source->type, n_dims, dim))
        return st_fail(err, STRAIT_FORMAT, "%s: its header announces more than 1 TiB; it is damaged", source->path);
    if (dim[0] > UINT32_MAX)
        return st_fail(err, STRAIT_FORMAT, "%s: has %lld samples; at most %lld are read", source->path,
                       (long long)dim[0], (long long)UINT32_MAX);
    source->n_samples = dim[0];
    source->n_dims = n_dims - 1;
    source->n_values = 1;
    for (int i = 1; i < n_dims; i++) {
        source->dim[i - 1] = dim[i];
        source->n_values *= dim[i];
    }
    if (source->n_dims == 2) source->dim[source->n_dims++] = 1; /* an image has channels, if only one */
    return STRAIT_OK;
}

strait_status st_source_check_finite(const st_source *source, strait_status code, strait_error *err) {
    if (source->type != ST_F32) return STRAIT_OK;
    const float *values = source->values;
    const int64_t n = source->n_samples * source->n_values;
    int64_t count = 0, first = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isfinite(values[i])) continue;
        if (count == 0) first = i;
        count++;
    }
    if (count == 0) return STRAIT_OK;
    return st_fail(
        err, code, "%s: %lld value%s not finite, the first (%s) is value %lld of sample %lld; clean the data",
        source->path, (long long)count, count == 1 ? " is" : "s are", isnan(values[first]) ? "NaN" : "infinity",
        (long long)(first % source->n_values), (long long)(first / source->n_values));
}
