#include "data/arrays.h"

#include <math.h>
#include <string.h>
#include <strait/array.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/words.h"

size_t st_npy_header_bytes(const void *prefix, size_t n) {
    const uint8_t *head = prefix;
    if (n < ST_NPY_PREFIX_BYTES || memcmp(head, "\x93NUMPY", 6) != 0) return 0;
    const size_t bytes = head[8] | (size_t)head[9] << 8;
    return head[6] == 1 ? bytes + 10 : bytes + 12 + ((size_t)head[10] << 16 | (size_t)head[11] << 24);
}

strait_status st_array_set_shape(size_t *bytes, st_source *source, const st_npy *npy, strait_error *err) {
    int64_t dim[STRAIT_MAX_DIMS + 1];
    int n_dims = npy->n_dims;
    memcpy(dim, npy->dim, (size_t)n_dims * sizeof *dim);
    if (n_dims == 1) dim[n_dims++] = 1;
    source->type = npy->kind != 'u' || npy->item_size > 2 ? ST_F32 : npy->item_size == 1 ? ST_U8 : ST_U16;
    ST_TRY(st_source_set_shape(bytes, source, n_dims, dim, err));
    *bytes = *bytes / st_dtype_size(source->type) * (size_t)npy->item_size;
    return STRAIT_OK;
}

bool st_array_is_native(const st_npy *npy) {
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

static strait_status convert_values(st_source *source, const st_npy *npy, const char *raw, strait_error *err) {
    strait_array *array = NULL;
    strait_status status = strait_array_new(&array, npy->n_dims, npy->dim, err);
    if (status != STRAIT_OK) return status;
    const int64_t n = strait_array_count(array);
    st_npy_convert(array, npy, raw);
    if (source->type == ST_F32) {
        source->values = array->values;
        array->values = NULL;
    } else if ((source->values = st_alloc((size_t)n, st_dtype_size(source->type)))) {
        narrow(source->values, source->type, array->values, n);
    } else {
        status = st_fail_memory(err, (size_t)n * st_dtype_size(source->type), source->path);
    }
    strait_array_free(array);
    return status;
}

strait_status st_array_sample(void *dst, const st_source *source, const st_npy *npy, const void *raw,
                              strait_error *err) {
    st_npy one = *npy;
    strait_array *array = NULL;
    one.dim[0] = 1;
    ST_TRY(strait_array_new(&array, one.n_dims, one.dim, err));
    st_npy_convert(array, &one, raw);
    if (source->type == ST_F32)
        memcpy(dst, array->values, (size_t)source->n_values * sizeof(float));
    else
        narrow(dst, source->type, array->values, source->n_values);
    strait_array_free(array);
    return STRAIT_OK;
}

strait_status st_array_fill(st_source *source, const st_npy *npy, void *raw, strait_error *err) {
    strait_status status = STRAIT_OK;
    if (st_array_is_native(npy)) {
        source->values = raw;
        raw = NULL;
    } else {
        status = convert_values(source, npy, raw, err);
    }
    st_free(raw);
    return status == STRAIT_OK ? st_source_count_missing(source, err) : status;
}

/* ---- labels ---- */

static bool is_text(const st_npy *npy) {
    return npy->kind == 'S' || npy->kind == 'U';
}

bool st_array_is_labels(const st_npy *npy, int64_t n) {
    return npy->dim[0] == n && (npy->n_dims == 1 || (npy->n_dims == 2 && npy->dim[1] == 1));
}

/* A code point as UTF-8; what is none becomes the replacement character. */
static size_t put_utf8(char *out, uint32_t c) {
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | c);
    return n;
}

/* A text of numpy's: bytes, or code points of four bytes, filled up with zeros. */
static void add_text(st_words *words, const st_npy *npy, const uint8_t *item) {
    char text[4];
    size_t n = 0;
    if (npy->kind == 'S') {
        while (n < (size_t)npy->item_size && item[n])
            n++;
        st_words_add(words, (const char *)item, n);
        return;
    }
    st_text whole = {0};
    for (int i = 0; i + 4 <= npy->item_size; i += 4) {
        const uint8_t *b = item + i;
        const uint32_t c = npy->big_endian ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                                           : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
        if (c == 0) break;
        n = put_utf8(text, c);
        st_text_add_bytes(&whole, text, n);
    }
    if (whole.failed) words->text.failed = true;
    st_words_add(words, whole.bytes ? whole.bytes : "", whole.length);
    st_text_free(&whole);
}

static strait_status label_by_texts(st_source *source, const st_npy *npy, const uint8_t *raw, strait_error *err) {
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    for (int64_t i = 0; i < source->n_samples; i++)
        add_text(words, npy, raw + i * npy->item_size);
    strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) status = st_source_set_word_labels(source, words->at, err);
    st_words_free(words);
    return status;
}

strait_status st_array_label(st_source *source, const st_npy *npy, const void *raw, const char *name,
                             strait_error *err) {
    if (is_text(npy)) return label_by_texts(source, npy, raw, err);
    const int64_t n = source->n_samples;
    strait_array *numbers = NULL;
    ST_TRY(strait_array_new(&numbers, npy->n_dims, npy->dim, err));
    st_npy_convert(numbers, npy, raw);
    strait_status status = STRAIT_OK;
    source->labels = st_alloc((size_t)n, sizeof *source->labels);
    if (!source->labels) status = st_fail_memory(err, (size_t)n * sizeof *source->labels, "labels");
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++) {
        const float value = numbers->values[i];
        if (value == floorf(value) && fabsf(value) <= 0x1p24f) {
            source->labels[i] = (int64_t)value;
        } else {
            status = st_fail(err, STRAIT_FORMAT,
                             "%s: label %lld in %s is %g; labels are whole numbers up to 16,777,216 or texts",
                             source->path, (long long)i, name, (double)value);
        }
    }
    strait_array_free(numbers);
    return status;
}

strait_status st_array_label_name(char **out, const char *name, size_t n, int k, strait_error *err) {
    static const struct {
        const char *samples, *labels;
    } pairs[] = {
        {"x", "y"},         {"X", "y"},        {"X", "Y"},         {"images", "labels"},  {"data", "labels"},
        {"data", "target"}, {"data", "label"}, {"image", "label"}, {"samples", "labels"}, {"features", "labels"}};
    static const char *const others[] = {"%.*s_labels", "%.*s-labels", "%.*s.labels"};
    *out = NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        /* A part of the name: between its ends and the signs "_" and "-". */
        const size_t part = strlen(pairs[i].samples);
        for (size_t at = 0; at + part <= n; at++) {
            const bool begins = at == 0 || name[at - 1] == '_' || name[at - 1] == '-';
            const bool ends = at + part == n || name[at + part] == '_' || name[at + part] == '-';
            if (!begins || !ends || memcmp(name + at, pairs[i].samples, part) != 0 || k-- > 0) continue;
            *out = st_format("%.*s%s%.*s", (int)at, name, pairs[i].labels, (int)(n - at - part), name + at + part);
            return *out ? STRAIT_OK : st_fail_memory(err, n, "a name");
        }
    }
    if (k >= (int)(sizeof others / sizeof *others)) return STRAIT_OK;
    *out = k == 0   ? st_format("%.*s_labels", (int)n, name)
           : k == 1 ? st_format("%.*s-labels", (int)n, name)
                    : st_format("%.*s.labels", (int)n, name);
    return *out ? STRAIT_OK : st_fail_memory(err, n, "a name");
}
