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

strait_status st_source_open(st_source **out, const char *path, const st_source_options *options, strait_error *err) {
    const st_source_options all = options ? *options : (st_source_options){0};
    bool found = false;
    ST_TRY(st_source_open_several(out, &found, path, &all, err));
    if (found) return STRAIT_OK;
    if (st_path_is_folder(path))
        return st_fail(err, STRAIT_FORMAT, "%s: is a folder without data files; name a data file", path);
    uint8_t head[HEAD_BYTES];
    size_t n = 0;
    ST_TRY(read_head(head, &n, path, err));
    const st_reader *reader = NULL;
    for (int i = 0; st_readers[i] && !reader; i++) {
        bool takes = st_readers[i]->probe(path, head, n);
        if (takes && st_readers[i]->look) ST_TRY(st_readers[i]->look(&takes, path, err));
        if (takes) reader = st_readers[i];
    }
    if (!reader) return fail_unknown_format(path, head, n, err);
    if (all.key && !reader->keys)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: a single file has no split '%s'; only known data sets and folders have splits", path,
                       all.key);

    st_source *source = NULL;
    ST_TRY(st_source_new(&source, reader, path, err));
    strait_status status = keep_options(source, &all, err);
    if (status == STRAIT_OK) status = reader->open(source, path, &all, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

const char *strait_data_format(int i) {
    for (int k = 0; st_readers[k]; k++)
        if (k == i) return st_readers[k]->name;
    return NULL;
}
