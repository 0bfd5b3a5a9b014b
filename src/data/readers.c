#include "data/reader.h"

#include <stdio.h>
#include <string.h>
#include <strait/data.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/files.h"
#include "data/gzfile.h"
#include "data/tfrecord.h"

const st_reader *const st_readers[] = {
    &st_reader_idx,  &st_reader_npy,   &st_reader_npz,      &st_reader_png,  &st_reader_jpeg,
    &st_reader_tiff, &st_reader_cifar, &st_reader_cifar100, &st_reader_h5ad, &st_reader_tenx_hdf5,
    &st_reader_hdf5, &st_reader_tenx,  &st_reader_tfrecord, &st_reader_csv,  NULL};

/* What every reader may look at to tell its format. */
enum { HEAD_BYTES = 512, SHORTEST_MAGIC = 4 };

static strait_status read_head(uint8_t *head, size_t *n, const char *path, strait_error *err) {
    st_gzfile *file = NULL;
    ST_TRY(st_gzfile_open(&file, path, err));
    strait_status status = st_gzfile_read(n, file, head, HEAD_BYTES, err);
    /* Cut short rather than unknown, if so few bytes are all that could be inflated. */
    if (status == STRAIT_OK && *n < SHORTEST_MAGIC) status = st_gzfile_expect_end(file, err);
    if (status == STRAIT_OK && *n == 0) status = st_fail(err, STRAIT_FORMAT, "%s: is empty", path);
    st_gzfile_close(file);
    return status;
}

static strait_status fail_unknown_format(const char *path, const uint8_t *head, size_t n, strait_error *err) {
    char begin[16] = "", names[256] = "";
    for (size_t i = 0, at = 0; i < n && i < 4; i++)
        at += (size_t)snprintf(begin + at, sizeof begin - at, "%s%02x", i ? " " : "", head[i]);
    size_t at = 0;
    for (int i = 0; st_readers[i] && at < sizeof names; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", st_readers[i]->name);
    return st_fail(err, STRAIT_FORMAT, "%s: no known format: begins with the bytes %s; formats read: %s", path, begin,
                   names);
}

static strait_status keep_option(char **out, const char *option, strait_error *err) {
    if (option && !(*out = st_strdup(option))) return st_fail_memory(err, strlen(option) + 1, "an option");
    return STRAIT_OK;
}

static strait_status keep_options(st_source *source, const st_source_options *options, strait_error *err) {
    ST_TRY(keep_option(&source->label_option, options->label, err));
    ST_TRY(keep_option(&source->key_option, options->key, err));
    source->n_shape_option = options->n_shape;
    memcpy(source->shape_option, options->shape, sizeof options->shape);
    return keep_option(&source->proteins_option, options->proteins, err);
}

strait_status st_source_open_several(st_source **out, bool *found, const char *path, const st_source_options *options,
                                     strait_error *err) {
    st_source *source = NULL;
    *found = false;
    if (st_path_is_folder(path)) {
        ST_TRY(st_tfrecord_open_folder(&source, found, path, options, err));
    } else if (st_is_pattern(path) && !st_path_exists(path)) {
        ST_TRY(st_tfrecord_open_pattern(&source, found, path, options, err));
    }
    if (!*found) return STRAIT_OK;
    const strait_status status = keep_options(source, options, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

/* A file that is being opened. */
typedef struct opening {
    const char *path;
    const st_source_options *options;
    const uint8_t *head;
    size_t n_head;
} opening;

static strait_status find_reader(const st_reader **out, const opening *o, strait_error *err) {
    for (int i = 0; st_readers[i]; i++) {
        bool takes = st_readers[i]->probe(o->path, o->head, o->n_head);
        if (takes && st_readers[i]->look) ST_TRY(st_readers[i]->look(&takes, o->path, err));
        *out = st_readers[i];
        if (takes) return STRAIT_OK;
    }
    return fail_unknown_format(o->path, o->head, o->n_head, err);
}

static strait_status open_file(st_source **out, const opening *o, strait_error *err) {
    const st_reader *reader = NULL;
    ST_TRY(find_reader(&reader, o, err));
    if (o->options->key && !reader->keys)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: a single file has no split '%s'; only known data sets and folders have splits", o->path,
                       o->options->key);
    st_source *source = NULL;
    ST_TRY(st_source_new(&source, reader, o->path, err));
    strait_status status = keep_options(source, o->options, err);
    if (status == STRAIT_OK) status = reader->open(source, o->path, o->options, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

/* In the child: as the parent then opens the file, and reads from it what is not kept in memory. It stays open. */
static strait_status rehearse_opening(void *context, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(open_file(&source, context, err));
    if (source->values || source->sparse) return STRAIT_OK;
    void *sample = st_alloc((size_t)source->n_values, st_dtype_size(source->type));
    if (!sample) return st_fail_memory(err, (size_t)source->n_values * st_dtype_size(source->type), "a sample");
    strait_status status = source->reader->read(sample, source, 0, err);
    if (status == STRAIT_OK) status = source->reader->read(sample, source, source->n_samples - 1, err);
    st_free(sample);
    return status;
}

strait_status st_source_open(st_source **out, const char *path, const st_source_options *options, strait_error *err) {
    const st_source_options all = options ? *options : (st_source_options){0};
    bool found = false;
    ST_TRY(st_source_open_several(out, &found, path, &all, err));
    if (found) return STRAIT_OK;
    if (st_path_is_folder(path))
        return st_fail(err, STRAIT_FORMAT, "%s: is a folder without data files; name a data file", path);
    uint8_t head[HEAD_BYTES];
    opening o = {.path = path, .options = &all, .head = head};
    ST_TRY(read_head(head, &o.n_head, path, err));
    bool rehearsed = false;
    for (int i = 0; st_readers[i] && !rehearsed; i++) {
        if (!st_readers[i]->rehearse || !st_readers[i]->probe(path, head, o.n_head)) continue;
        ST_TRY(st_readers[i]->rehearse(rehearse_opening, &o, path, err));
        rehearsed = true;
    }
    return open_file(out, &o, err);
}

const char *strait_data_format(int i) {
    for (int k = 0; st_readers[k]; k++)
        if (k == i) return st_readers[k]->name;
    return NULL;
}
