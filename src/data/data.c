/* Invariants: a view shares its source and copies its index, so views may be freed in any order. Nothing in a data
   set changes after it is made, but for what strait_data_describe keeps. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/assemble.h"
#include "data/data_int.h"

strait_status st_data_new(strait_data **out, st_source *source, const char *name, strait_error *err) {
    strait_data *data = st_alloc(1, sizeof *data);
    if (!data) {
        st_source_release(source);
        return st_fail_memory(err, sizeof *data, "a data set");
    }
    data->source = source;
    data->n = source->n_samples;
    data->name = st_strdup(name);
    if (!data->name) {
        strait_data_free(data);
        return st_fail_memory(err, strlen(name) + 1, "a data set's name");
    }
    *out = data;
    return STRAIT_OK;
}

void strait_data_free(strait_data *data) {
    if (!data) return;
    st_source_release(data->source);
    st_source_release(data->again);
    st_free((void *)data->info.label_value);
    st_free((void *)data->info.label_count);
    st_free((void *)data->info.label_name);
    st_free(data->index);
    st_free(data->name);
    st_free(data);
}

strait_status strait_data_from_rows(strait_data **out, const float *values, int64_t n_samples, int n_dims,
                                    const int64_t *dim, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_from_rows(&source, values, n_samples, n_dims, dim, err));
    return st_data_new(out, source, "rows", err);
}

int64_t strait_data_count(const strait_data *data) {
    return data->n;
}

int64_t strait_data_label(const strait_data *data, int64_t i) {
    const int64_t *labels = data->source->labels;
    return labels && i >= 0 && i < data->n ? labels[st_data_source_sample(data, i)] : -1;
}

const char *strait_data_sample_name(const strait_data *data, int64_t i) {
    const char *const *names = data->source->names;
    return names && i >= 0 && i < data->n ? names[st_data_source_sample(data, i)] : NULL;
}

const char *st_data_name(const strait_data *data) {
    return data->name;
}

bool st_data_is_resident(const strait_data *data) {
    return data->source->values || data->source->sparse;
}

int st_data_shape(const strait_data *data, int64_t dim[STRAIT_MAX_DIMS]) {
    memcpy(dim, data->source->dim, (size_t)data->source->n_dims * sizeof *dim);
    return data->source->n_dims;
}

strait_status st_data_check_range(const strait_data *data, int64_t first, int64_t n, strait_error *err) {
    if (first >= 0 && n >= 0 && first <= data->n && n <= data->n - first) return STRAIT_OK;
    return st_fail(err, STRAIT_ARGUMENT, "%s: has %lld samples, %lld asked for from sample %lld on", data->name,
                   (long long)data->n, (long long)n, (long long)first);
}

strait_status strait_data_rows(strait_array **out, strait_data *data, int64_t first, int64_t n, strait_error *err) {
    const st_source *source = data->source;
    ST_TRY(st_data_check_range(data, first, n, err));
    ST_TRY(st_source_check_uniform(source, err));
    int64_t dim[1 + STRAIT_MAX_DIMS] = {n};
    const int n_dims = 1 + st_data_shape(data, dim + 1);
    const size_t sample_bytes = (size_t)source->n_values * st_dtype_size(source->type);
    const st_affine identity = st_affine_make(0, 1);
    strait_array *array = NULL;
    void *scratch = NULL;
    strait_status status = strait_array_new(&array, n_dims, dim, err);
    if (status != STRAIT_OK) return status;
    if (!source->values && !(scratch = st_alloc(sample_bytes, 1))) {
        status = st_fail_memory(err, sample_bytes, "a sample");
        goto done;
    }
    for (int64_t i = 0; i < n; i++) {
        const void *sample = NULL;
        status = st_source_sample(&sample, source, st_data_source_sample(data, first + i), scratch, err);
        if (status != STRAIT_OK) goto done;
        st_affine_apply(array->values + i * source->n_values, sample, source->type, source->n_values, &identity);
    }
    *out = array;
    array = NULL;
done:
    st_free(scratch);
    strait_array_free(array);
    return status;
}
