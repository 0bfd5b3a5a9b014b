/* What is in a data set: range and mean of its values, labels and how many of each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/assemble.h"
#include "data/data_int.h"

/* Moves the finite ones of n values to the front; gives how many. */
static int64_t keep_finite(float *values, int64_t n) {
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
        values[kept] = values[i];
        kept += isfinite(values[i]) != 0;
    }
    return kept;
}

enum { PART = 1 << 14 };

/* Sums of parts are taken in double and added to the whole, so that the mean of many samples stays exact enough. */
static void measure_part(strait_data_info *info, double *sum, const float *values, int64_t n) {
    float low = values[0], high = values[0];
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
        total += (double)values[i];
    }
    if ((double)low < info->minimum) info->minimum = (double)low;
    if ((double)high > info->maximum) info->maximum = (double)high;
    *sum += total;
}

/* n values of a sample, by parts that lie in values [PART]; how many are finite. */
static int64_t measure_sample(strait_data_info *info, double *sum, float *values, const void *sample, st_dtype type,
                              int64_t n) {
    const st_affine identity = st_affine_make(0, 1);
    int64_t count = 0;
    for (int64_t at = 0; at < n; at += PART) {
        int64_t part = n - at < PART ? n - at : PART;
        st_affine_apply(values, (const char *)sample + (size_t)at * st_dtype_size(type), type, part, &identity);
        if (type == ST_F32) part = keep_finite(values, part);
        if (part > 0) measure_part(info, sum, values, part);
        count += part;
    }
    info->n_missing += n - count;
    return count;
}

/* Least and greatest value and the mean of those that are finite, and how many are not. */
static strait_status measure(strait_data_info *info, const strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    const size_t bytes = (size_t)source->n_values * st_dtype_size(source->type);
    double sum = 0, count = 0;
    strait_status status = STRAIT_OK;
    float *values = st_alloc(PART, sizeof *values);
    void *scratch = source->values ? NULL : st_alloc(bytes, 1);
    if (!values || (!scratch && !source->values)) status = st_fail_memory(err, bytes, "a sample");
    info->minimum = INFINITY;
    info->maximum = -INFINITY;
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++) {
        const int64_t k = st_data_source_sample(data, i);
        const void *sample = NULL;
        status = st_source_raw_sample(&sample, source, k, scratch, err);
        if (status == STRAIT_OK)
            count +=
                (double)measure_sample(info, &sum, values, sample, source->type, st_source_sample_values(source, k));
    }
    if (count == 0) info->minimum = info->maximum = NAN;
    info->mean = sum / count;
    st_free(scratch);
    st_free(values);
    return status;
}

strait_status st_data_checksum(uint32_t *crc, strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    const size_t bytes = (size_t)source->n_values * st_dtype_size(source->type);
    ST_TRY(st_source_check_uniform(source, err));
    uLong sum = crc32_z(0, NULL, 0);
    if (source->values && !data->index) {
        const Bytef *values = source->values;
        *crc = (uint32_t)crc32_z(sum, values + (size_t)data->first * bytes, (size_t)data->n * bytes);
        return STRAIT_OK;
    }
    void *scratch = st_alloc(bytes, 1);
    if (!scratch) return st_fail_memory(err, bytes, "a sample");
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++) {
        const void *sample = NULL;
        status = st_source_sample(&sample, source, st_data_source_sample(data, i), scratch, err);
        if (status == STRAIT_OK) sum = crc32_z(sum, sample, bytes);
    }
    *crc = (uint32_t)sum;
    st_free(scratch);
    return status;
}

static int compare(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Names for the distinct labels, when the source has a name for each. */
static strait_status name_labels(strait_data_info *info, const st_source *source, strait_error *err) {
    if (!source->label_names) return STRAIT_OK;
    for (int k = 0; k < info->n_labels; k++)
        if (info->label_value[k] < 0 || info->label_value[k] >= source->n_label_names) return STRAIT_OK;
    const char **names = st_alloc((size_t)info->n_labels, sizeof *names);
    if (!names) return st_fail_memory(err, (size_t)info->n_labels * sizeof *names, "names of labels");
    for (int k = 0; k < info->n_labels; k++)
        names[k] = source->label_names[info->label_value[k]];
    info->label_name = names;
    return STRAIT_OK;
}

/* Sorts all labels, then folds runs of equal ones. */
static strait_status count_labels(strait_data_info *info, const strait_data *data, strait_error *err) {
    int64_t *value = st_alloc((size_t)data->n, sizeof *value), *count = NULL;
    if (!value) return st_fail_memory(err, (size_t)data->n * sizeof *value, "labels");
    for (int64_t i = 0; i < data->n; i++)
        value[i] = strait_data_label(data, i);
    qsort(value, (size_t)data->n, sizeof *value, compare);
    int64_t n = 1;
    for (int64_t i = 1; i < data->n; i++)
        n += value[i] != value[i - 1];
    if (n <= INT32_MAX) count = st_alloc((size_t)n, sizeof *count);
    if (!count) {
        st_free(value);
        return st_fail_memory(err, (size_t)n * sizeof *count, "counts of labels");
    }
    int64_t k = 0;
    for (int64_t i = 0; i < data->n; i++) {
        if (i > 0 && value[i] != value[k]) value[++k] = value[i];
        count[k]++;
    }
    info->has_labels = true;
    info->n_labels = (int)n;
    info->label_value = value;
    info->label_count = count;
    return name_labels(info, data->source, err);
}

static void free_labels(strait_data_info *info) {
    st_free((void *)info->label_value);
    st_free((void *)info->label_count);
    st_free((void *)info->label_name);
    *info = (strait_data_info){0};
}

strait_status strait_data_describe(strait_data *data, strait_data_info *info, strait_error *err) {
    if (!data->described) {
        strait_data_info found = {.source = data->name,
                                  .format = data->source->reader->name,
                                  .storage = st_dtype_name(data->source->type),
                                  .n_samples = data->n,
                                  .note = data->source->note,
                                  .missing = data->source->missing,
                                  .resident = data->source->values || data->source->sparse,
                                  .bytes =
                                      data->n * data->source->n_values * (int64_t)st_dtype_size(data->source->type)};
        found.n_dims = st_data_shape(data, found.dim);
        strait_status status = measure(&found, data, err);
        if (status == STRAIT_OK && data->source->labels) status = count_labels(&found, data, err);
        if (status != STRAIT_OK) {
            free_labels(&found);
            return status;
        }
        data->info = found;
        data->described = true;
    }
    *info = data->info;
    return STRAIT_OK;
}
