/* What a training would suffer from: copies, samples and columns that tell nothing, ranges, labels out of balance.
   Copies are found by a hash of each sample's bytes; what has the same hash is compared byte by byte. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"

typedef struct digest {
    uint64_t hash;
    int64_t sample;
} digest;

/* FNV-1a, 64 bits, of eight bytes at a time with a shift that carries high bits down. */
static uint64_t hash_bytes(const void *bytes, size_t n) {
    const uint64_t prime = 0x100000001b3;
    uint64_t hash = 0xcbf29ce484222325 ^ n, word;
    const char *at = bytes;
    for (; n > 0; at += sizeof word) {
        const size_t part = n < sizeof word ? n : sizeof word;
        word = 0;
        memcpy(&word, at, part);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 29;
        n -= part;
    }
    return hash;
}

static int compare(const void *a, const void *b) {
    const digest *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static size_t sample_bytes(const strait_data *data, int64_t i) {
    return (size_t)st_source_sample_values(data->source, st_data_source_sample(data, i)) *
           st_dtype_size(data->source->type);
}

/* Samples while they are looked at: the one at hand, and another to compare it with. */
typedef struct looker {
    const strait_data *data;
    void *scratch[2];
    void *first;     /* a copy of the first sample */
    bool *changes;   /* [n_values]: it is another in some sample; NULL where sizes differ */
    digest *digests; /* [n] */
} looker;

static strait_status look_at_sample(strait_data_quality *out, looker *l, int64_t i, strait_error *err) {
    const st_source *source = l->data->source;
    const size_t width = st_dtype_size(source->type), bytes = sample_bytes(l->data, i);
    const void *sample = NULL;
    ST_TRY(st_source_raw_sample(&sample, source, st_data_source_sample(l->data, i), l->scratch[0], err));
    l->digests[i] = (digest){hash_bytes(sample, bytes), i};
    if (bytes == width || memcmp(sample, (const char *)sample + width, bytes - width) == 0)
        out->n_flat += bytes > width;
    if (!l->changes) return STRAIT_OK;
    if (i == 0) memcpy(l->first, sample, bytes);
    for (size_t k = 0; k < bytes / width; k++)
        if (memcmp((const char *)sample + k * width, (const char *)l->first + k * width, width) != 0)
            l->changes[k] = true;
    return STRAIT_OK;
}

static strait_status are_same(bool *out, looker *l, int64_t a, int64_t b, strait_error *err) {
    const st_source *source = l->data->source;
    const void *x = NULL, *y = NULL;
    *out = false;
    if (sample_bytes(l->data, a) != sample_bytes(l->data, b)) return STRAIT_OK;
    ST_TRY(st_source_raw_sample(&x, source, st_data_source_sample(l->data, a), l->scratch[0], err));
    ST_TRY(st_source_raw_sample(&y, source, st_data_source_sample(l->data, b), l->scratch[1], err));
    *out = memcmp(x, y, sample_bytes(l->data, a)) == 0;
    return STRAIT_OK;
}

/* Each sample is compared with the first of its hash: two that differ under one hash are as good as impossible, and
   only copies would be missed. */
static strait_status count_copies(strait_data_quality *out, looker *l, strait_error *err) {
    const int64_t n = l->data->n;
    qsort(l->digests, (size_t)n, sizeof *l->digests, compare);
    for (int64_t i = 1, first = 0; i < n; i++) {
        bool same = false;
        if (l->digests[i].hash != l->digests[first].hash) {
            first = i;
            continue;
        }
        ST_TRY(are_same(&same, l, l->digests[first].sample, l->digests[i].sample, err));
        if (!same) continue;
        out->n_duplicates++;
        if (out->duplicate >= 0 && out->duplicate < l->digests[i].sample) continue;
        out->duplicate = l->digests[i].sample;
        out->original = l->digests[first].sample;
    }
    return STRAIT_OK;
}

/* ---- sentences ---- */

static void warn(strait_data_quality *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(strait_data_quality *out, const char *format, ...) {
    if (out->n_warnings == STRAIT_MAX_WARNINGS) return;
    va_list args;
    va_start(args, format);
    st_format_into(out->warning[out->n_warnings], sizeof out->warning[0], format, args);
    va_end(args);
    out->n_warnings++;
}

static void warn_of_values(strait_data_quality *out, const strait_data_info *info, const st_source *source) {
    const double largest = fmax(fabs(info->minimum), fabs(info->maximum));
    if (info->minimum >= info->maximum)
        warn(out, "all values are %g: there is nothing to learn", info->minimum);
    else if (source->type == ST_F32 && largest > 10)
        warn(out, "values from %g to %g want scaling: data: {scale: minmax} or {scale: standard}", info->minimum,
             info->maximum);
    else if (source->type == ST_U16 && info->maximum < 4096)
        warn(out, "16 bits, of which %g is the largest: scale: unit makes them dark, scale: minmax does not",
             info->maximum);
    if (info->n_missing > 0)
        warn(out, "a model takes no missing values: fill them in, or choose data: {missing: zero}, mean or drop");
    if (source->n_values == 1) warn(out, "a sample is a single value: a signal has to be cut into windows first");
}

static void warn_of_labels(strait_data_quality *out, const strait_data_info *info) {
    if (!info->has_labels) return;
    int least = 0, most = 0;
    for (int k = 1; k < info->n_labels; k++) {
        if (info->label_count[k] < info->label_count[least]) least = k;
        if (info->label_count[k] > info->label_count[most]) most = k;
    }
    if (info->n_labels == 1)
        warn(out, "all samples have the same label");
    else if (info->n_labels == info->n_samples && info->n_samples > 2)
        warn(out, "every sample has a label of its own: is that column one of labels?");
    else if (info->label_count[most] > 10 * info->label_count[least])
        warn(out, "labels are out of balance: %lld samples of one, %lld of another", (long long)info->label_count[most],
             (long long)info->label_count[least]);
}

enum { FEWEST_ROWS = 20, MOST_CLASSES = 100 };

/* Whether the last column of a table without labels looks like them: the whole numbers from 0 or 1 on, each of them at
   least twice. *n: how many classes that are, from first on. */
static bool last_is_label(int64_t *n, int64_t *first, const strait_data *data) {
    const st_source *source = data->source;
    int64_t count[MOST_CLASSES + 1] = {0};
    const float *values = source->values;
    if (source->reader != &st_reader_csv || source->labels || !values || source->n_values < 2 || data->n < FEWEST_ROWS)
        return false;
    for (int64_t i = 0; i < data->n; i++) {
        const float value = values[(st_data_source_sample(data, i) + 1) * source->n_values - 1];
        if (!(value >= 0 && value <= MOST_CLASSES && value == (float)(int)value)) return false;
        count[(int)value]++;
    }
    *first = count[0] > 0 ? 0 : 1;
    int64_t end = *first, seen = 0;
    while (end <= MOST_CLASSES && count[end] > 1)
        seen += count[end++];
    *n = end - *first;
    return *n > 1 && *n * 2 <= data->n && seen == data->n;
}

static void warn_of_all(strait_data_quality *out, const strait_data_info *info, const strait_data *data) {
    const st_source *source = data->source;
    if (source->sizes) warn(out, "images of several sizes: bring them to one by data: {resize: [h, w]}, or crop them");
    if (data->n < 100)
        warn(out, "%lld sample%s: a model will learn so few by heart", (long long)data->n, data->n == 1 ? "" : "s");
    warn_of_values(out, info, source);
    if (out->n_duplicates * 100 > data->n && source->n_values > 1)
        warn(out, "%.1f %% of the samples are copies of others: copies on both sides of a split flatter the validation",
             100.0 * (double)out->n_duplicates / (double)data->n);
    if (out->n_flat > 0)
        warn(out, "%lld sample%s of one value throughout", (long long)out->n_flat, out->n_flat == 1 ? " is" : "s are");
    if (source->n_dims == 1 && out->n_still > 0 && data->n > 1)
        warn(out, "%lld of %lld columns are the same in all samples: they tell nothing", (long long)out->n_still,
             (long long)source->n_values);
    int64_t n_classes, first;
    if (last_is_label(&n_classes, &first, data))
        warn(out,
             "the last column holds only the numbers %lld to %lld: if they are labels, use --label last, or data: "
             "{label: last}",
             (long long)first, (long long)(first + n_classes - 1));
    warn_of_labels(out, info);
}

strait_status strait_data_inspect(strait_data_quality *out, strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    const size_t n_values = (size_t)source->n_values, bytes = n_values * st_dtype_size(source->type);
    looker l = {.data = data};
    strait_data_info info;
    strait_status status = STRAIT_OK;
    *out = (strait_data_quality){.duplicate = -1, .original = -1};
    ST_TRY(strait_data_describe(data, &info, err));
    l.scratch[0] = st_alloc(bytes, 1);
    l.scratch[1] = st_alloc(bytes, 1);
    l.first = st_alloc(bytes, 1);
    l.digests = st_alloc((size_t)data->n, sizeof *l.digests);
    l.changes = source->sizes ? NULL : st_alloc(n_values, sizeof *l.changes);
    if (!l.scratch[0] || !l.scratch[1] || !l.first || !l.digests || (!l.changes && !source->sizes))
        status = st_fail_memory(err, (size_t)data->n * sizeof *l.digests, "a look at the samples");
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++)
        status = look_at_sample(out, &l, i, err);
    for (size_t k = 0; k < n_values && l.changes && status == STRAIT_OK; k++)
        out->n_still += !l.changes[k];
    if (status == STRAIT_OK) status = count_copies(out, &l, err);
    if (status == STRAIT_OK) warn_of_all(out, &info, data);
    st_free(l.scratch[0]);
    st_free(l.scratch[1]);
    st_free(l.first);
    st_free(l.digests);
    st_free(l.changes);
    return status;
}
