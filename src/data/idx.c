/* IDX, the format of MNIST: two zero bytes, the type, the number of dims; the sizes as big-endian 32-bit numbers; the
   values, big-endian, the last dim fastest. Gzip or not; of plain bytes that are too
   many to keep each sample is read when it is needed. Labels are an IDX file beside the images, with the same name
   but for "labels" and "idx1". */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/flat.h"
#include "data/gzfile.h"
#include "data/reader.h"

enum { IDX_U8 = 0x08, IDX_I8 = 0x09, IDX_I16 = 0x0B, IDX_I32 = 0x0C, IDX_F32 = 0x0D, IDX_F64 = 0x0E };

typedef struct idx_header {
    uint8_t type;
    int n_dims;
    int64_t dim[STRAIT_MAX_DIMS];
} idx_header;

/* Bytes of one value; 0: no such type. */
static size_t type_size(uint8_t type) {
    switch (type) {
    case IDX_U8:
    case IDX_I8: return 1;
    case IDX_I16: return 2;
    case IDX_I32:
    case IDX_F32: return 4;
    case IDX_F64: return 8;
    default: return 0;
    }
}

static double value_of(uint8_t type, const uint8_t *bytes) {
    uint64_t bits = 0;
    for (size_t i = 0; i < type_size(type); i++)
        bits = bits << 8 | bytes[i];
    float single;
    double real;
    switch (type) {
    case IDX_I8: return (int8_t)bits;
    case IDX_I16: return (int16_t)bits;
    case IDX_I32: return (int32_t)bits;
    case IDX_F32: memcpy(&single, &(uint32_t){(uint32_t)bits}, sizeof single); return single;
    case IDX_F64: memcpy(&real, &bits, sizeof real); return real;
    default: return (double)bits;
    }
}

static bool is_magic(const uint8_t *head, size_t n) {
    return n >= 4 && head[0] == 0 && head[1] == 0 && type_size(head[2]) > 0 && head[3] >= 1;
}

/* By its first bytes, or by its name: then open can say what is wrong with the bytes. */
static bool probe_idx(const char *path, const uint8_t *head, size_t n) {
    const char *name = st_path_name(path);
    return is_magic(head, n) || strstr(name, "idx1-ubyte") || strstr(name, "idx3-ubyte");
}

static strait_status read_header(idx_header *header, st_gzfile *file, const char *path, strait_error *err) {
    uint8_t head[4], sizes[4 * STRAIT_MAX_DIMS];
    ST_TRY(st_gzfile_read_all(file, head, sizeof head, err));
    if (!is_magic(head, sizeof head))
        return st_fail(
            err, STRAIT_FORMAT,
            "%s: not an IDX file: begins with the bytes %02x %02x %02x %02x; IDX images begin with 00 00 08 03", path,
            head[0], head[1], head[2], head[3]);
    header->type = head[2];
    header->n_dims = head[3];
    if (header->n_dims > STRAIT_MAX_DIMS)
        return st_fail(err, STRAIT_FORMAT, "%s: has %d dimensions; at most 4 are read", path, header->n_dims);
    ST_TRY(st_gzfile_read_all(file, sizes, 4 * (size_t)header->n_dims, err));
    for (int i = 0; i < header->n_dims; i++)
        header->dim[i] =
            (int64_t)sizes[4 * i] << 24 | sizes[4 * i + 1] << 16 | sizes[4 * i + 2] << 8 | sizes[4 * i + 3];
    return STRAIT_OK;
}

static strait_status read_idx(void *dst, const st_source *source, int64_t i, strait_error *err) {
    return st_flat_read(dst, source->state, i, source->path, err);
}

static void advise_idx(const st_source *source, int64_t i) {
    st_flat_advise(source->state, i);
}

static void close_idx(st_source *source) {
    if (source->state) st_flat_close(source->state);
    st_free(source->state);
}

/* source->state stays NULL where all of it is kept. */
static strait_status stream(st_source *source, const idx_header *header, size_t bytes, strait_error *err) {
    bool found = false;
    st_flat flat;
    ST_TRY(st_flat_open(&flat, &found, source, 4 + 4 * (size_t)header->n_dims, bytes, err));
    if (!found) return STRAIT_OK;
    st_flat *kept = source->state = st_alloc(1, sizeof *kept);
    if (kept) {
        *kept = flat;
        return STRAIT_OK;
    }
    st_flat_close(&flat);
    return st_fail_memory(err, sizeof *kept, source->path);
}

/* u8 stays as it is; every other type becomes f32. */
static strait_status read_values(st_source *source, st_gzfile *file, const char *path, strait_error *err) {
    idx_header header = {0};
    ST_TRY(read_header(&header, file, path, err));
    if (header.n_dims == 1)
        return st_fail(
            err, STRAIT_FORMAT,
            "%s: holds %lld numbers, one each, such as labels: name the file with the images, and labels beside "
            "it are found",
            path, (long long)header.dim[0]);
    source->type = header.type == IDX_U8 ? ST_U8 : ST_F32;
    size_t bytes = 0;
    ST_TRY(st_source_set_shape(&bytes, source, header.n_dims, header.dim, err));
    if (source->type == ST_U8) {
        ST_TRY(stream(source, &header, bytes, err));
        if (source->state) return STRAIT_OK;
        ST_TRY(st_gzfile_take(&source->values, file, bytes, err));
        return st_gzfile_expect_end(file, err);
    }
    const size_t size = type_size(header.type), n = bytes / sizeof(float);
    void *raw = NULL;
    ST_TRY(st_gzfile_take(&raw, file, n * size, err));
    strait_status status = st_gzfile_expect_end(file, err);
    if (status != STRAIT_OK) goto done;
    float *values = source->values = st_alloc(n, sizeof(float));
    if (!values) {
        status = st_fail_memory(err, bytes, path);
        goto done;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = (float)value_of(header.type, (const uint8_t *)raw + i * size);
    status = st_source_count_missing(source, err);
done:
    st_free(raw);
    return status;
}

static strait_status take_labels(st_source *source, st_gzfile *file, const char *path, strait_error *err) {
    idx_header header = {0};
    ST_TRY(read_header(&header, file, path, err));
    if (header.n_dims != 1 || header.type == IDX_F32 || header.type == IDX_F64)
        return st_fail(err, STRAIT_FORMAT, "%s: not labels: they are one whole number a sample, IDX type 00 00 08 01",
                       path);
    if (header.dim[0] != source->n_samples)
        return st_fail(err, STRAIT_FORMAT, "%s: has %lld labels for the %lld images of %s", path,
                       (long long)header.dim[0], (long long)source->n_samples, st_path_name(source->path));
    const size_t n = (size_t)header.dim[0], size = type_size(header.type);
    void *raw = NULL;
    ST_TRY(st_gzfile_take(&raw, file, n * size, err));
    strait_status status = st_gzfile_expect_end(file, err);
    if (status != STRAIT_OK) goto done;
    source->labels = st_alloc(n, sizeof *source->labels);
    if (!source->labels) {
        status = st_fail_memory(err, n * sizeof *source->labels, path);
        goto done;
    }
    for (size_t i = 0; i < n; i++)
        source->labels[i] = (int64_t)value_of(header.type, (const uint8_t *)raw + i * size);
done:
    st_free(raw);
    return status;
}

/* The labels' path for images at path: NULL when the name does not speak of images, or without memory (*failed). */
static char *labels_path(const char *path, bool *failed) {
    const char *images = NULL;
    for (const char *at = strstr(st_path_name(path), "images"); at; at = strstr(at + 1, "images"))
        images = at;
    if (!images) return NULL;
    char *result = st_format("%.*slabels%s", (int)(images - path), path, images + strlen("images"));
    *failed = !result;
    if (!result) return NULL;
    char *dims = strstr(result + (images - path), "idx");
    if (dims && dims[3] >= '2' && dims[3] <= '9') dims[3] = '1';
    return result;
}

/* *out: the labels' file there is, gzip or not, whatever the images are; NULL when there is none. */
static strait_status find_labels(char **out, const char *path, strait_error *err) {
    bool failed = false;
    char *plain = labels_path(path, &failed), *zipped = NULL;
    if (failed) return st_fail_memory(err, strlen(path), "a path");
    if (!plain) return STRAIT_OK;
    if (st_ends_with(plain, ".gz")) plain[strlen(plain) - 3] = '\0';
    zipped = st_format("%s.gz", plain);
    if (!zipped) {
        st_free(plain);
        return st_fail_memory(err, strlen(path), "a path");
    }
    const bool prefer_zipped = st_ends_with(path, ".gz");
    char **first = prefer_zipped ? &zipped : &plain, **second = prefer_zipped ? &plain : &zipped;
    char **found = st_path_exists(*first) ? first : st_path_exists(*second) ? second : NULL;
    if (found) {
        *out = *found;
        *found = NULL;
    }
    st_free(plain);
    st_free(zipped);
    return STRAIT_OK;
}

static strait_status open_idx(st_source *source, const char *path, const st_source_options *options,
                              strait_error *err) {
    (void)options;
    char *labels = NULL;
    st_gzfile *file = NULL;
    ST_TRY(st_gzfile_open(&file, path, err));
    strait_status status = read_values(source, file, path, err);
    st_gzfile_close(file);
    if (status == STRAIT_OK) status = find_labels(&labels, path, err);
    if (status != STRAIT_OK || !labels) return status;
    file = NULL;
    status = st_gzfile_open(&file, labels, err);
    if (status == STRAIT_OK) status = take_labels(source, file, labels, err);
    st_gzfile_close(file);
    st_free(labels);
    return status;
}

const st_reader st_reader_idx = {
    .name = "idx", .probe = probe_idx, .open = open_idx, .read = read_idx, .advise = advise_idx, .close = close_idx};
