/* CIFAR-10's binary layout: records of a label byte and 3072 bytes, the planes R, G and B of 32 x 32 pixels, without a
   header. The planes are woven into pixels here: height, width, channels, as everything else has it. */
#include "data/cifar.h"

#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/gzfile.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, IMAGE = PLANE * CHANNELS, RECORD = 1 + IMAGE, CLASSES = 10 };

static const char *const label_names[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};

/* Nothing in its bytes tells it; its name does. */
static bool probe_cifar(const char *path, const uint8_t *head, size_t n) {
    const char *name = st_path_name(path);
    const bool named = st_starts_with(name, "data_batch") || st_starts_with(name, "test_batch");
    return named && (st_ends_with(name, ".bin") || st_ends_with(name, ".bin.gz")) && n > 0 && head[0] < CLASSES;
}

static strait_status take_record(uint8_t *pixels, int64_t *label, const uint8_t *record, int64_t i, const char *path,
                                 strait_error *err) {
    if (record[0] >= CLASSES)
        return st_fail(err, STRAIT_FORMAT, "%s: not CIFAR-10: the label of image %lld is %d; labels are 0 to 9", path,
                       (long long)i, record[0]);
    *label = record[0];
    for (int k = 0; k < PLANE; k++)
        for (int c = 0; c < CHANNELS; c++)
            pixels[k * CHANNELS + c] = record[1 + c * PLANE + k];
    return STRAIT_OK;
}

/* Room for one image more; the blocks double. */
static strait_status reserve(st_source *source, int64_t *capacity, strait_error *err) {
    if (source->n_samples < *capacity) return STRAIT_OK;
    const size_t n = (size_t)*capacity * 2 + 1000;
    uint8_t *values = st_realloc(source->values, n, IMAGE);
    if (!values) return st_fail_memory(err, n * IMAGE, source->path);
    source->values = values;
    int64_t *labels = st_realloc(source->labels, n, sizeof *labels);
    if (!labels) return st_fail_memory(err, n * sizeof *labels, source->path);
    source->labels = labels;
    *capacity = (int64_t)n;
    return STRAIT_OK;
}

static strait_status append_records(st_source *source, int64_t *capacity, st_gzfile *file, const char *path,
                                    strait_error *err) {
    uint8_t record[RECORD];
    for (int64_t i = 0;; i++) {
        size_t got = 0;
        ST_TRY(st_gzfile_read(&got, file, record, sizeof record, err));
        if (got == 0 && i > 0) return st_gzfile_expect_end(file, err);
        if (got < sizeof record)
            return st_fail(
                err, STRAIT_FORMAT,
                "%s: truncated: image %lld has %zu of its %d bytes; CIFAR-10's binary version is wanted here", path,
                (long long)i, got, RECORD);
        ST_TRY(reserve(source, capacity, err));
        uint8_t *pixels = (uint8_t *)source->values + (size_t)source->n_samples * IMAGE;
        ST_TRY(take_record(pixels, &source->labels[source->n_samples], record, i, path, err));
        source->n_samples++;
    }
}

static strait_status append_file(st_source *source, int64_t *capacity, const char *path, strait_error *err) {
    st_gzfile *file = NULL;
    ST_TRY(st_gzfile_open(&file, path, err));
    const strait_status status = append_records(source, capacity, file, path, err);
    st_gzfile_close(file);
    return status;
}

static strait_status open_files(st_source *source, const char *const *path, int64_t n, strait_error *err) {
    int64_t capacity = 0;
    source->type = ST_U8;
    for (int64_t i = 0; i < n; i++)
        ST_TRY(append_file(source, &capacity, path[i], err));
    size_t bytes = 0;
    ST_TRY(st_source_set_shape(&bytes, source, 4, (int64_t[]){source->n_samples, SIDE, SIDE, CHANNELS}, err));
    void *exact = st_realloc(source->values, (size_t)source->n_samples, IMAGE);
    if (exact) source->values = exact;
    source->label_names = label_names;
    source->n_label_names = CLASSES;
    return STRAIT_OK;
}

strait_status st_cifar_open(st_source **out, const char *const *path, int64_t n, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_new(&source, &st_reader_cifar, path[0], err));
    const strait_status status = open_files(source, path, n, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

static strait_status open_cifar(st_source *source, const char *path, const st_source_options *options,
                                strait_error *err) {
    (void)options;
    return open_files(source, &path, 1, err);
}

const st_reader st_reader_cifar = {.name = "cifar10", .probe = probe_cifar, .open = open_cifar};
