/* .npy files: u1 and u2 keep their type, every other type becomes f32. Gzip or not. */
#include <string.h>
#include <strait/array.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/gzfile.h"
#include "data/reader.h"

/* Magic, version and the longer of the two forms of the header's length. */
enum { PREFIX_BYTES = 12, MAX_HEADER_BYTES = 1 << 20 };

static bool probe_npy(const char *path, const uint8_t *head, size_t n) {
    const bool magic = n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0;
    return magic || st_ends_with(path, ".npy"); /* by its name: then open can say what is wrong with the bytes */
}

static strait_status read_header(st_npy *npy, st_gzfile *file, const char *path, strait_error *err) {
    char prefix[PREFIX_BYTES];
    const uint8_t *head = (const uint8_t *)prefix;
    size_t n = 0;
    ST_TRY(st_gzfile_read(&n, file, prefix, sizeof prefix, err));
    size_t bytes = 0;
    if (n == sizeof prefix) {
        bytes = head[8] | (size_t)head[9] << 8;
        bytes += head[6] == 1 ? 10 : 12 + ((size_t)head[10] << 16 | (size_t)head[11] << 24);
    }
    /* Too short to hold a header: the parser says what is wrong. */
    if (bytes <= sizeof prefix || memcmp(prefix, "\x93NUMPY", 6) != 0) return st_npy_parse(npy, prefix, n, path, err);
    if (bytes > MAX_HEADER_BYTES)
        return st_fail(err, STRAIT_FORMAT, "%s: its .npy header claims %zu bytes; it is damaged", path, bytes);

    char *text = st_alloc(bytes, 1);
    if (!text) return st_fail_memory(err, bytes, path);
    memcpy(text, prefix, sizeof prefix);
    strait_status status = st_gzfile_read_all(file, text + sizeof prefix, bytes - sizeof prefix, err);
    if (status == STRAIT_OK) status = st_npy_parse(npy, text, bytes, path, err);
    st_free(text);
    return status;
}

/* Whether the file's bytes are the values as they are wanted in memory. */
static bool is_native(const st_npy *npy) {
    const bool host_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    const bool ordered = npy->item_size == 1 || npy->big_endian == host_big_endian;
    const bool kept = (npy->kind == 'u' && npy->item_size <= 2) || (npy->kind == 'f' && npy->item_size == 4);
    return kept && ordered && !npy->fortran_order;
}

/* Every u1 and u2 is exact as a float, so other orders of them may come by way of floats. */
static void narrow(void *dst, st_dtype type, const float *src, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (type == ST_U8) {
            ((uint8_t *)dst)[i] = (uint8_t)src[i];
        } else {
            ((uint16_t *)dst)[i] = (uint16_t)src[i];
        }
    }
}

static strait_status convert_values(st_source *source, const st_npy *npy, const char *raw, size_t bytes,
                                    strait_error *err) {
    strait_array *array = NULL;
    strait_status status = strait_array_new(&array, npy->n_dims, npy->dim, err);
    if (status != STRAIT_OK) return status;
    st_npy_convert(array, npy, raw);
    if (source->type == ST_F32) {
        source->values = array->values;
        array->values = NULL;
    } else if ((source->values = st_alloc(bytes, 1))) {
        narrow(source->values, source->type, array->values, strait_array_count(array));
    } else {
        status = st_fail_memory(err, bytes, source->path);
    }
    strait_array_free(array);
    return status;
}

static strait_status read_values(st_source *source, st_gzfile *file, const char *path, strait_error *err) {
    st_npy npy;
    ST_TRY(read_header(&npy, file, path, err));
    source->type = npy.kind != 'u' || npy.item_size > 2 ? ST_F32 : npy.item_size == 1 ? ST_U8 : ST_U16;
    size_t bytes = 0;
    ST_TRY(st_source_set_shape(&bytes, source, npy.n_dims, npy.dim, err));
    const size_t n = bytes / st_dtype_size(source->type);
    void *raw = NULL;
    ST_TRY(st_gzfile_take(&raw, file, n * (size_t)npy.item_size, err));
    strait_status status = st_gzfile_expect_end(file, err);
    if (status == STRAIT_OK && is_native(&npy)) {
        source->values = raw;
        raw = NULL;
    } else if (status == STRAIT_OK) {
        status = convert_values(source, &npy, raw, bytes, err);
    }
    st_free(raw);
    return status == STRAIT_OK ? st_source_check_finite(source, STRAIT_FORMAT, err) : status;
}

static strait_status open_npy(st_source *source, const char *path, const st_source_options *options,
                              strait_error *err) {
    (void)options;
    st_gzfile *file = NULL;
    ST_TRY(st_gzfile_open(&file, path, err));
    const strait_status status = read_values(source, file, path, err);
    st_gzfile_close(file);
    return status;
}

const st_reader st_reader_npy = {.name = "npy", .probe = probe_npy, .open = open_npy};
