/* Shards of tf.train.Example as one source: an index of all records is made once (16 bytes each), then any of them is
   read by one pread, its checksum looked at, its sample decoded. In memory whole while that takes no more than
   st_source_resident_bytes(). */
#include "data/tfrecord.h"

#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/files.h"
#include "data/tfrecord_int.h"

/* ---- one sample ---- */

static const st_tfrecord_file *file_of(int64_t *k, const st_tfrecords *state, int64_t i) {
    int64_t low = 0, high = state->n_files; /* the last file that begins at or before i */
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (state->first[middle] <= i) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *k = i - state->first[low];
    return &state->file[low];
}

static strait_status fail_changed(const char *where, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT, "%s: has changed since the data set was opened", where);
}

static strait_status copy_image(void *dst, const st_source *source, int64_t i, const void *bytes, size_t n,
                                const char *where, strait_error *err) {
    const int64_t *size = source->sizes ? source->sizes[i] : source->dim;
    st_image image = {0};
    ST_TRY(st_image_decode(&image, bytes, n, where, err));
    const bool same = image.height == size[0] && image.width == size[1] && image.channels == source->dim[2] &&
                      (image.bits == 16) == (source->type == ST_U16);
    if (same) memcpy(dst, image.values, st_image_bytes(&image));
    st_free(image.values);
    return same ? STRAIT_OK : fail_changed(where, err);
}

static strait_status copy_values(void *dst, const st_source *source, const st_feature *feature,
                                 const st_message *message, const char *where, strait_error *err) {
    const st_sample_layout *layout = &((const st_tfrecords *)source->state)->layout;
    if (feature->type == ST_LIST_BYTES) {
        if ((int64_t)feature->bytes.n != layout->n) return fail_changed(where, err);
        memcpy(dst, message->bytes + feature->bytes.at, (size_t)feature->bytes.n);
    } else {
        if (feature->n != layout->n) return fail_changed(where, err);
        if (!st_feature_numbers(dst, feature, message))
            return st_fail(err, STRAIT_FORMAT, "%s: has whole numbers beyond 2^24, which are not exact as float32",
                           where);
    }
    return STRAIT_OK;
}

/* The record of sample i and the feature in it that holds the sample. *bytes is the caller's, also when this fails. */
static strait_status read_record(uint8_t **bytes, st_message *message, st_feature *feature, char *where,
                                 const st_source *source, int64_t i, strait_error *err) {
    const st_tfrecords *state = source->state;
    int64_t k = 0;
    const st_tfrecord_file *file = file_of(&k, state, i);
    st_tfrecord_where(where, file->path, k);
    ST_TRY(st_tfrecord_read(bytes, file, k, state->record[i], err));
    *message = st_message_of(*bytes, state->record[i].n);
    const int found = st_example_find(feature, message, state->keys.samples);
    if (found < 0) return st_tfrecord_fail_damaged(where, err);
    return found > 0 && feature->type == state->layout.type && feature->n > 0 ? STRAIT_OK : fail_changed(where, err);
}

static strait_status read_sample(void *dst, const st_source *source, int64_t i, strait_error *err) {
    char where[ST_TFRECORD_WHERE];
    const st_tfrecords *state = source->state;
    uint8_t *bytes = NULL;
    st_message message;
    st_feature feature;
    strait_status status = read_record(&bytes, &message, &feature, where, source, i, err);
    if (status == STRAIT_OK)
        status = state->layout.format == ST_IMAGE_UNKNOWN
                     ? copy_values(dst, source, &feature, &message, where, err)
                     : copy_image(dst, source, i, bytes + feature.bytes.at, (size_t)feature.bytes.n, where, err);
    st_free(bytes);
    return status;
}

static strait_status read_encoded(char **out, size_t *n, const st_source *source, int64_t i, strait_error *err) {
    char where[ST_TFRECORD_WHERE];
    const st_tfrecords *state = source->state;
    uint8_t *bytes = NULL;
    st_message message;
    st_feature feature;
    *out = NULL;
    if (state->layout.format == ST_IMAGE_UNKNOWN) return STRAIT_OK;
    const strait_status status = read_record(&bytes, &message, &feature, where, source, i, err);
    if (status != STRAIT_OK) {
        st_free(bytes);
        return status;
    }
    *n = (size_t)feature.bytes.n;
    memmove(bytes, bytes + feature.bytes.at, *n);
    *out = (char *)bytes;
    return STRAIT_OK;
}

static uint32_t stored_crc(const st_source *source, int64_t i) {
    return ((const st_tfrecords *)source->state)->record[i].crc;
}

static void advise(const st_source *source, int64_t i) {
    const st_tfrecords *state = source->state;
    int64_t k = 0;
    const st_tfrecord_file *file = file_of(&k, state, i);
    st_tfrecord_advise(file, state->record[i]);
}

/* ---- all of them ---- */

static void close_tfrecords(st_source *source) {
    st_tfrecords *state = source->state;
    if (!state) return;
    for (int64_t i = 0; state->file && i < state->n_files; i++)
        if (state->file[i].path) st_tfrecord_close(&state->file[i]);
    st_free(state->file);
    st_free(state->first);
    st_free(state->record);
    st_words_free(state->names);
    st_words_free(state->paths);
    st_free(state);
}

static strait_status load_all(st_source *source, size_t bytes, strait_error *err) {
    const size_t sample = (size_t)source->n_values * st_dtype_size(source->type);
    char *values = st_alloc_aligned(bytes);
    if (!values) return st_fail_memory(err, bytes, source->path);
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < source->n_samples && status == STRAIT_OK; i++)
        status = read_sample(values + (size_t)i * sample, source, i, err);
    if (status != STRAIT_OK) {
        st_free(values);
        return status;
    }
    source->values = values;
    return st_source_count_missing(source, err);
}

/* Takes the paths, whatever comes. */
static strait_status fill_source(st_source *source, st_words *paths, const st_source_options *options,
                                 strait_error *err) {
    st_tfrecords *state = source->state = st_alloc(1, sizeof *state);
    if (!state) {
        st_words_free(paths);
        return st_fail_memory(err, sizeof *state, "a list of files");
    }
    state->paths = paths;
    state->n_files = paths->n;
    state->file = st_alloc((size_t)paths->n, sizeof *state->file);
    state->first = st_alloc((size_t)paths->n + 1, sizeof *state->first);
    if (!state->file || !state->first)
        return st_fail_memory(err, (size_t)paths->n * sizeof *state->file, "a list of files");
    ST_TRY(st_tfrecord_scan(source, state, options, err));

    const st_sample_layout *layout = &state->layout;
    int64_t dim[1 + ST_SAMPLE_DIMS] = {source->n_samples};
    size_t bytes = 0;
    memcpy(dim + 1, layout->dim, (size_t)layout->n_dims * sizeof *dim);
    source->type = layout->dtype;
    ST_TRY(st_source_set_shape(&bytes, source, 1 + layout->n_dims, dim, err));
    if (source->mixed) {
        source->dim[0] = source->dim[1] = 0;
        return STRAIT_OK;
    }
    return bytes <= st_source_resident_bytes() ? load_all(source, bytes, err) : STRAIT_OK;
}

static strait_status open_file(st_source *source, const char *path, const st_source_options *options,
                               strait_error *err) {
    st_words *paths = NULL;
    ST_TRY(st_words_new(&paths, err));
    st_words_add(paths, path, strlen(path));
    const strait_status status = st_words_finish(paths, err);
    if (status == STRAIT_OK) return fill_source(source, paths, options, err);
    st_words_free(paths);
    return status;
}

/* Takes the paths, whatever comes. */
static strait_status open_list(st_source **out, const char *path, st_words *paths, const st_source_options *options,
                               strait_error *err) {
    st_source *source = NULL;
    strait_status status = st_source_new(&source, &st_reader_tfrecord, path, err);
    if (status != STRAIT_OK) {
        st_words_free(paths);
        return status;
    }
    status = fill_source(source, paths, options ? options : &(st_source_options){0}, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

/* ---- files, folders, patterns ---- */

static bool is_digits(const char *at, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (at[i] < '0' || at[i] > '9') return false;
    return true;
}

static bool is_shard(const char *name) {
    static const char *const endings[] = {".tfrecord", ".tfrecords", ".tfrec", ".record"};
    const size_t n = strlen(name), end = n - (st_ends_with(name, ".gz") ? 3 : 0);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t k = strlen(endings[i]);
        if (end > k && memcmp(name + end - k, endings[i], k) == 0) return true;
    }
    const char *number = end > 15 ? name + end - 15 : ""; /* -00000-of-00100 */
    return number[0] == '-' && is_digits(number + 1, 5) && memcmp(number + 6, "-of-", 4) == 0 &&
           is_digits(number + 10, 5);
}

static bool probe(const char *path, const uint8_t *head, size_t n) {
    (void)path;
    return st_tfrecord_is(head, n);
}

bool st_tfrecord_folder_is(const char *folder) {
    st_words *names = NULL;
    const bool is = st_list_folder(&names, folder, false, is_shard, NULL) == STRAIT_OK && names->n > 0;
    st_words_free(names);
    return is;
}

strait_status st_tfrecord_open_folder(st_source **out, bool *found, const char *folder,
                                      const st_source_options *options, strait_error *err) {
    st_words *names = NULL, *paths = NULL;
    *found = false;
    ST_TRY(st_list_folder(&names, folder, false, is_shard, err));
    *found = names->n > 0;
    const strait_status status = *found ? st_words_join(&paths, folder, names, err) : STRAIT_OK;
    st_words_free(names);
    return status == STRAIT_OK && *found ? open_list(out, folder, paths, options, err) : status;
}

/* Whether the file begins as a shard does; false too where it cannot be read, which whoever opens it will tell. */
static bool looks_like_shard(const char *path) {
    uint8_t head[12];
    st_tfrecord_file file = {0};
    if (is_shard(st_path_name(path))) return true;
    bool is = st_tfrecord_open(&file, path, true, 0, NULL) == STRAIT_OK && file.n_bytes >= sizeof head &&
              st_tfrecord_bytes(head, &file, 0, sizeof head, NULL) == STRAIT_OK && st_tfrecord_is(head, sizeof head);
    st_tfrecord_close(&file);
    return is;
}

strait_status st_tfrecord_open_pattern(st_source **out, bool *found, const char *pattern,
                                       const st_source_options *options, strait_error *err) {
    st_words *paths = NULL;
    ST_TRY(st_list_matches(&paths, pattern, err));
    *found = paths->n > 0 && looks_like_shard(paths->at[0]);
    if (*found) return open_list(out, pattern, paths, options, err);
    st_words_free(paths);
    return STRAIT_OK;
}

const st_reader st_reader_tfrecord = {.name = "tfrecord",
                                      .keys = true,
                                      .probe = probe,
                                      .open = open_file,
                                      .read = read_sample,
                                      .encoded = read_encoded,
                                      .stored_crc = stored_crc,
                                      .advise = advise,
                                      .close = close_tfrecords};
