/* .npy files, gzip or not; of what is too large to keep, plain and in C order, each sample is read when it is needed.
   Labels are taken from a file beside it whose name goes with its own. */
#include <string.h>
#include <strait/array.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/arrays.h"
#include "data/flat.h"
#include "data/gzfile.h"

enum { MAX_HEADER_BYTES = 1 << 20 };

static bool probe_npy(const char *path, const uint8_t *head, size_t n) {
    const bool magic = n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0;
    return magic || st_ends_with(path, ".npy"); /* by its name: then open can say what is wrong with the bytes */
}

typedef strait_status header_parser(st_npy *out, const char *bytes, size_t n, const char *path, strait_error *err);

/* *n_bytes: of the header. */
static strait_status read_header(st_npy *npy, size_t *n_bytes, st_gzfile *file, const char *path, header_parser *parse,
                                 strait_error *err) {
    char prefix[ST_NPY_PREFIX_BYTES];
    size_t n = 0;
    ST_TRY(st_gzfile_read(&n, file, prefix, sizeof prefix, err));
    const size_t bytes = *n_bytes = st_npy_header_bytes(prefix, n);
    /* Too short to hold a header: the parser says what is wrong. */
    if (bytes <= sizeof prefix) return parse(npy, prefix, n, path, err);
    if (bytes > MAX_HEADER_BYTES)
        return st_fail(err, STRAIT_FORMAT, "%s: its .npy header claims %zu bytes; it is damaged", path, bytes);

    char *text = st_alloc(bytes, 1);
    if (!text) return st_fail_memory(err, bytes, path);
    memcpy(text, prefix, sizeof prefix);
    strait_status status = st_gzfile_read_all(file, text + sizeof prefix, bytes - sizeof prefix, err);
    if (status == STRAIT_OK) status = parse(npy, text, bytes, path, err);
    st_free(text);
    return status;
}

/* What is needed to read samples later. */
typedef struct streamed {
    st_flat flat;
    st_npy npy;
} streamed;

static strait_status read_npy(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const streamed *s = source->state;
    if (st_array_is_native(&s->npy)) return st_flat_read(dst, &s->flat, i, source->path, err);
    void *raw = st_alloc(s->flat.item, 1);
    if (!raw) return st_fail_memory(err, s->flat.item, "a sample");
    strait_status status = st_flat_read(raw, &s->flat, i, source->path, err);
    if (status == STRAIT_OK) status = st_array_sample(dst, source, &s->npy, raw, err);
    st_free(raw);
    return status;
}

static void advise_npy(const st_source *source, int64_t i) {
    st_flat_advise(&((const streamed *)source->state)->flat, i);
}

static void close_npy(st_source *source) {
    streamed *s = source->state;
    if (!s) return;
    st_flat_close(&s->flat);
    st_free(s);
}

/* source->state stays NULL where all of it is kept. */
static strait_status stream(st_source *source, const st_npy *npy, size_t header, size_t bytes, strait_error *err) {
    bool found = false;
    st_flat flat;
    if (npy->fortran_order) return STRAIT_OK;
    ST_TRY(st_flat_open(&flat, &found, source, header, bytes, err));
    if (!found) return STRAIT_OK;
    streamed *s = source->state = st_alloc(1, sizeof *s);
    if (s) {
        *s = (streamed){flat, *npy};
        return STRAIT_OK;
    }
    st_flat_close(&flat);
    return st_fail_memory(err, sizeof *s, source->path);
}

static strait_status read_values(st_source *source, st_gzfile *file, const char *path, strait_error *err) {
    st_npy npy;
    size_t bytes = 0, header = 0;
    void *raw = NULL;
    ST_TRY(read_header(&npy, &header, file, path, st_npy_parse, err));
    ST_TRY(st_array_set_shape(&bytes, source, &npy, err));
    ST_TRY(stream(source, &npy, header, bytes, err));
    if (source->state) return STRAIT_OK;
    ST_TRY(st_gzfile_take(&raw, file, bytes, err));
    const strait_status status = st_gzfile_expect_end(file, err);
    if (status == STRAIT_OK) return st_array_fill(source, &npy, raw, err);
    st_free(raw);
    return status;
}

/* ---- labels beside it ---- */

/* Takes the file's labels; one that cannot be labels of these samples is left alone, and told. */
static strait_status take_labels(st_source *source, st_gzfile *file, const char *path, strait_error *err) {
    st_npy npy;
    size_t header = 0;
    void *raw = NULL;
    ST_TRY(read_header(&npy, &header, file, path, st_npy_parse_any, err));
    if (!st_array_is_labels(&npy, source->n_samples))
        return st_source_set_note(source, err, "%s beside it does not hold a label for each sample: not taken",
                                  st_path_name(path));
    ST_TRY(st_gzfile_take(&raw, file, (size_t)source->n_samples * (size_t)npy.item_size, err));
    strait_status status = st_gzfile_expect_end(file, err);
    if (status == STRAIT_OK) status = st_array_label(source, &npy, raw, path, err);
    st_free(raw);
    return status == STRAIT_OK ? st_source_set_note(source, err, "labels from %s", st_path_name(path)) : status;
}

/* NULL in *out where there is none. */
static strait_status find_labels(char **out, const char *path, strait_error *err) {
    const char *name = st_path_name(path);
    const size_t folder = (size_t)(name - path);
    const char *ending = st_ends_with(name, ".npy.gz") ? ".npy.gz" : ".npy";
    *out = NULL;
    if (!st_ends_with(name, ending)) return STRAIT_OK;
    for (int k = 0;; k++) {
        char *label = NULL;
        ST_TRY(st_array_label_name(&label, name, strlen(name) - strlen(ending), k, err));
        if (!label) return STRAIT_OK;
        char *beside = st_format("%.*s%s%s", (int)folder, path, label, ending);
        st_free(label);
        if (!beside) return st_fail_memory(err, strlen(path), "a path");
        if (st_path_exists(beside)) {
            *out = beside;
            return STRAIT_OK;
        }
        st_free(beside);
    }
}

static strait_status label_samples(st_source *source, const char *path, strait_error *err) {
    char *beside = NULL;
    st_gzfile *file = NULL;
    ST_TRY(find_labels(&beside, path, err));
    if (!beside) return STRAIT_OK;
    strait_status status = st_gzfile_open(&file, beside, err);
    if (status == STRAIT_OK) status = take_labels(source, file, beside, err);
    st_gzfile_close(file);
    st_free(beside);
    return status;
}

static strait_status open_npy(st_source *source, const char *path, const st_source_options *options,
                              strait_error *err) {
    (void)options;
    st_gzfile *file = NULL;
    ST_TRY(st_gzfile_open(&file, path, err));
    const strait_status status = read_values(source, file, path, err);
    st_gzfile_close(file);
    return status == STRAIT_OK ? label_samples(source, path, err) : status;
}

const st_reader st_reader_npy = {
    .name = "npy", .probe = probe_npy, .open = open_npy, .read = read_npy, .advise = advise_npy, .close = close_npy};
