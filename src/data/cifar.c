/* The binary layouts of CIFAR-10 and CIFAR-100: records of a label byte (100: of two, the class of 20 and that of 100)
   and 3072 bytes, the planes R, G and B of 32 x 32 pixels, without a header. The planes are woven into pixels here:
   height, width, channels, as everything else has it. */
#include "data/cifar.h"

#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/gzfile.h"
#include "data/words.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, IMAGE = PLANE * CHANNELS, CLASSES = 10, MAX_LABEL_BYTES = 2 };

typedef struct layout {
    const char *name;
    int n_bytes;                  /* of labels before the pixels */
    int classes[MAX_LABEL_BYTES]; /* each below this */
    int label;                    /* which of them */
} layout;

static const layout cifar10 = {"CIFAR-10", 1, {CLASSES}, 0};
static const layout coarse = {"CIFAR-100", 2, {20, 100}, 0}, fine = {"CIFAR-100", 2, {20, 100}, 1};

static const char *const label_names[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};

/* Nothing in its bytes tells it; its name does. */
static bool probe_cifar(const char *path, const uint8_t *head, size_t n) {
    const char *name = st_path_name(path);
    const bool named = st_starts_with(name, "data_batch") || st_starts_with(name, "test_batch");
    return named && (st_ends_with(name, ".bin") || st_ends_with(name, ".bin.gz")) && n > 0 && head[0] < CLASSES;
}

/* Nor of CIFAR-100, whose files have names that others may have too: only where the length fits. */
static bool probe_cifar100(const char *path, const uint8_t *head, size_t n) {
    const char *name = st_path_name(path);
    if (strcmp(name, "train.bin") != 0 && strcmp(name, "test.bin") != 0) return false;
    return st_cifar100_fits(path) && n >= 2 && head[0] < coarse.classes[0] && head[1] < coarse.classes[1];
}

static strait_status take_record(uint8_t *pixels, int64_t *label, const uint8_t *record, int64_t i, const char *path,
                                 const layout *kind, strait_error *err) {
    for (int k = 0; k < kind->n_bytes; k++)
        if (record[k] >= kind->classes[k])
            return st_fail(err, STRAIT_FORMAT, "%s: not %s: the label of image %lld is %d; labels are 0 to %d", path,
                           kind->name, (long long)i, record[k], kind->classes[k] - 1);
    *label = record[kind->label];
    record += kind->n_bytes;
    for (int k = 0; k < PLANE; k++)
        for (int c = 0; c < CHANNELS; c++)
            pixels[k * CHANNELS + c] = record[c * PLANE + k];
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
                                    const layout *kind, strait_error *err) {
    uint8_t record[MAX_LABEL_BYTES + IMAGE];
    const size_t size = (size_t)kind->n_bytes + IMAGE;
    for (int64_t i = 0;; i++) {
        size_t got = 0;
        ST_TRY(st_gzfile_read(&got, file, record, size, err));
        if (got == 0 && i > 0) return st_gzfile_expect_end(file, err);
        if (got < size)
            return st_fail(err, STRAIT_FORMAT,
                           "%s: truncated: image %lld has %zu of its %zu bytes; %s's binary version is wanted here",
                           path, (long long)i, got, size, kind->name);
        ST_TRY(reserve(source, capacity, err));
        uint8_t *pixels = (uint8_t *)source->values + (size_t)source->n_samples * IMAGE;
        ST_TRY(take_record(pixels, &source->labels[source->n_samples], record, i, path, kind, err));
        source->n_samples++;
    }
}

static strait_status append_file(st_source *source, int64_t *capacity, const char *path, const layout *kind,
                                 strait_error *err) {
    st_gzfile *file = NULL;
    ST_TRY(st_gzfile_open(&file, path, err));
    const strait_status status = append_records(source, capacity, file, path, kind, err);
    st_gzfile_close(file);
    return status;
}

static strait_status open_files(st_source *source, const char *const *path, int64_t n, const layout *kind,
                                strait_error *err) {
    int64_t capacity = 0;
    source->type = ST_U8;
    for (int64_t i = 0; i < n; i++)
        ST_TRY(append_file(source, &capacity, path[i], kind, err));
    size_t bytes = 0;
    ST_TRY(st_source_set_shape(&bytes, source, 4, (int64_t[]){source->n_samples, SIDE, SIDE, CHANNELS}, err));
    void *exact = st_realloc(source->values, (size_t)source->n_samples, IMAGE);
    if (exact) source->values = exact;
    return STRAIT_OK;
}

static strait_status open_cifar10(st_source *source, const char *const *path, int64_t n, strait_error *err) {
    source->label_names = label_names;
    source->n_label_names = CLASSES;
    return open_files(source, path, n, &cifar10, err);
}

/* The classes' names, a line each, in the file that CIFAR-100 has beside its images; where it is missing they have
 * none. */
static strait_status name_classes(st_source *source, const layout *kind, strait_error *err) {
    char *folder = st_path_folder(source->path), *path = NULL, *text = NULL;
    size_t n = 0;
    if (folder) path = st_path_join(folder, kind == &fine ? "fine_label_names.txt" : "coarse_label_names.txt");
    st_free(folder);
    if (!path) return st_fail_memory(err, strlen(source->path), "a path");
    strait_status status = st_path_is_file(path) ? st_file_read(&text, &n, path, 1 << 16, err) : STRAIT_NOT_FOUND;
    st_free(path);
    if (status != STRAIT_OK) return status == STRAIT_MEMORY ? status : STRAIT_OK;
    status = st_words_new(&source->words, err);
    for (char *rest = text, *line; status == STRAIT_OK && (line = strsep(&rest, "\n"));)
        if (*line) st_words_add(source->words, line, strcspn(line, "\r"));
    if (status == STRAIT_OK) status = st_words_finish(source->words, err);
    st_free(text);
    if (status != STRAIT_OK || source->words->n != kind->classes[kind->label]) return status;
    source->label_names = source->words->at;
    source->n_label_names = (int)source->words->n;
    return STRAIT_OK;
}

strait_status st_cifar_open(st_source **out, const char *const *path, int64_t n, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_new(&source, &st_reader_cifar, path[0], err));
    const strait_status status = open_cifar10(source, path, n, err);
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
    return open_cifar10(source, &path, 1, err);
}

const st_reader st_reader_cifar = {.name = "cifar10", .probe = probe_cifar, .open = open_cifar};

bool st_cifar100_fits(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
           info.st_size % (coarse.n_bytes + IMAGE) == 0;
}

/* FILE#coarse, or label: coarse, takes the 20 classes; else the 100. */
static strait_status open_cifar100(st_source *source, const char *path, const st_source_options *options,
                                   strait_error *err) {
    const char *which = options->label ? options->label : options->key ? options->key : "fine";
    const bool is_coarse = strcmp(which, "coarse") == 0;
    if (!is_coarse && strcmp(which, "fine") != 0)
        return st_fail(err, STRAIT_ARGUMENT, "%s: label: CIFAR-100 has the labels fine and coarse, not '%s'", path,
                       which);
    ST_TRY(open_files(source, &path, 1, is_coarse ? &coarse : &fine, err));
    return name_classes(source, is_coarse ? &coarse : &fine, err);
}

const st_reader st_reader_cifar100 = {.name = "cifar100", .keys = true, .probe = probe_cifar100, .open = open_cifar100};
