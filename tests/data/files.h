/* For the tests of this folder: files made byte by byte, and what an error must say. */
#ifndef TESTS_DATA_FILES_H
#define TESTS_DATA_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>
#include <strait/data.h>
#include "base/memory.h"
#include "base/status.h"
#include "support/folder.h"

static inline const char *write_gzip(const char *name, const void *bytes, size_t n) {
    const char *path = test_path(name);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    if (n > 0) assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

static inline size_t read_file(const char *path, uint8_t *bytes, size_t capacity) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, capacity, file);
    fclose(file);
    return n;
}

/* The bytes of an IDX file; the number of them. */
static inline size_t make_idx(uint8_t *out, uint8_t type, int n_dims, const uint32_t *dim, const void *values,
                              size_t n) {
    const uint8_t magic[4] = {0, 0, type, (uint8_t)n_dims};
    memcpy(out, magic, 4);
    size_t at = 4;
    for (int i = 0; i < n_dims; i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            out[at++] = (uint8_t)(dim[i] >> shift);
    memcpy(out + at, values, n);
    return at + n;
}

/* Opening source fails with code and this message. */
__attribute__((format(printf, 3, 4))) static inline void assert_open_fails(const char *source, strait_status code,
                                                                           const char *format, ...) {
    char expected[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    strait_data *data = NULL;
    strait_error err = {0};
    const strait_status status = strait_data_open(&data, source, &err);
    assert_string_equal(err.message, expected);
    assert_int_equal(status, code);
    assert_int_equal(err.code, code);
    assert_null(data);
    assert_int_equal(strait_data_open(&data, source, NULL), code);
}

static inline strait_data *open_good(const char *source) {
    strait_data *data = NULL;
    strait_error err = {0};
    const strait_status status = strait_data_open(&data, source, &err);
    if (status != STRAIT_OK) fail_msg("%s", err.message);
    return data;
}

/* Source opens, and says that so many values are missing, in these words; who wants its samples is refused. */
static inline void assert_misses(const char *source, int64_t n, const char *missing) {
    strait_data_info info;
    strait_array *array = NULL;
    strait_error err = {0};
    strait_data *data = open_good(source);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_missing, n);
    assert_string_equal(info.missing, missing);
    assert_int_equal(strait_data_rows(&array, data, 0, info.n_samples, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, missing));
    assert_null(array);
    strait_data_free(data);
}

/* Opens source with the first, the second, ... allocation failing, until one opening goes through. */
static inline void assert_open_survives_failing_allocations(const char *source) {
    for (uint64_t n = 1;; n++) {
        strait_data *data = NULL;
        strait_error err = {0};
        st_alloc_fail_at(n);
        const strait_status status = strait_data_open(&data, source, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            strait_data_free(data);
            assert_true(n > 3); /* it does allocate */
            return;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(data);
        assert_non_null(strstr(err.message, "out of memory"));
    }
}

#endif
