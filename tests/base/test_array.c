#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/folder.h"

/* A .npy file as numpy.lib.format describes it: magic, version, length of the header, header, data. */
static const char *npy(const char *name, int version, const char *header, const void *data, size_t n_data) {
    static char bytes[4096];
    const size_t n = strlen(header), start = version == 1 ? 10 : 12;
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (char)version;
    bytes[7] = 0;
    bytes[8] = (char)(n & 255);
    bytes[9] = (char)(n >> 8);
    if (version > 1) bytes[10] = bytes[11] = 0;
    memcpy(bytes + start, header, n);
    memcpy(bytes + start + n, data, n_data);
    return test_file(name, bytes, start + n + n_data);
}

static void check(const char *path, int n_dims, const int64_t *dim, const float *expected) {
    strait_array *array;
    strait_error err = {0};
    if (strait_array_read(&array, path, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(array->n_dims, n_dims);
    assert_memory_equal(array->dim, dim, (size_t)n_dims * sizeof *dim);
    for (int64_t i = 0; i < strait_array_count(array); i++)
        assert_true(array->values[i] == expected[i] || (isnan(array->values[i]) && isnan(expected[i])));
    strait_array_free(array);
}

#define HEADER(type, order, shape) "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }\n"

static void test_number_types(void **state) {
    (void)state;
    const int64_t three[1] = {3};
    const float expected[] = {1, 2, 250}, signs[] = {-1, 2, -128}, truth[] = {1, 0, 1};
    check(npy("u1", 1, HEADER("|u1", "False", "(3,)"), "\x01\x02\xfa", 3), 1, three, expected);
    check(npy("i1", 1, HEADER("|i1", "False", "(3,)"), "\xff\x02\x80", 3), 1, three, signs);
    check(npy("b1", 1, HEADER("|b1", "False", "(3,)"), "\x01\x00\x01", 3), 1, three, truth);
    check(npy("u2", 1, HEADER("<u2", "False", "(3,)"), "\x01\0\x02\0\xfa\0", 6), 1, three, expected);
    check(npy("u2b", 1, HEADER(">u2", "False", "(3,)"), "\0\x01\0\x02\0\xfa", 6), 1, three, expected);
    check(npy("i4", 1, HEADER("<i4", "False", "(3,)"), "\xff\xff\xff\xff\x02\0\0\0\x80\xff\xff\xff", 12), 1, three,
          signs);
    check(npy("i8b", 1, HEADER(">i8", "False", "(3,)"),
              "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x02\xff\xff\xff\xff\xff\xff\xff\x80", 24),
          1, three, signs);
    check(npy("f8", 1, HEADER("<f8", "False", "(3,)"), (const double[]){1, 2, 250}, 24), 1, three, expected);
    check(npy("f4", 2, HEADER("<f4", "False", "(3,)"), (const float[]){1, 2, 250}, 12), 1, three, expected);
    check(npy("f4b", 3, HEADER(">f4", "False", "(3,)"), "\x3f\x80\0\0\x40\0\0\0\x43\x7a\0\0", 12), 1, three, expected);
}

/* IEEE 754-2008 binary16: 0x3C00 = 1, 0xC000 = -2, 0x7BFF = 65504, 0x0001 = 2^-24, 0x0400 = 2^-14, infinities, NaN. */
static void test_halves(void **state) {
    (void)state;
    const int64_t dim[1] = {8};
    const float expected[] = {1, -2, 65504, 0x1p-24F, 0x1p-14F, INFINITY, -INFINITY, NAN};
    check(npy("f2", 1, HEADER("<f2", "False", "(8,)"),
              "\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x04\x00\x7c\x00\xfc\x01\x7c", 16),
          1, dim, expected);
}

static void test_fortran_order(void **state) {
    (void)state;
    /* numpy: asfortranarray(arange(24).reshape(2, 3, 4)) lies in memory as below. */
    unsigned char memory[24];
    float expected[24];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                memory[i + 2 * (j + 3 * k)] = (unsigned char)((i * 3 + j) * 4 + k);
    for (int i = 0; i < 24; i++)
        expected[i] = (float)i;
    check(npy("fortran", 1, HEADER("|u1", "True", "(2, 3, 4)"), memory, 24), 3, (const int64_t[]){2, 3, 4}, expected);
}

static void test_header_in_other_words(void **state) {
    (void)state;
    const float expected[] = {7, 8};
    check(npy("order", 1, "{\"shape\":(1,2L),'fortran_order':False,'descr':'|u1'}", "\x07\x08", 2), 2,
          (const int64_t[]){1, 2}, expected);
    check(npy("none", 1, HEADER("<f8", "True", "(0, 5)"), "", 0), 2, (const int64_t[]){0, 5}, expected);
}

static void check_bad(const char *path, const char *words) {
    strait_array *array = (strait_array *)&array;
    strait_error err = {0};
    assert_int_equal(strait_array_read(&array, path, &err), STRAIT_FORMAT);
    assert_null(array);
    if (!strstr(err.message, path) || !strstr(err.message, words)) fail_msg("%s (wanted: %s)", err.message, words);
}

static void test_malformed(void **state) {
    (void)state;
    const char zeros[64] = {0};
    check_bad(test_file("empty", "", 0), "is not a .npy file");
    check_bad(test_file("png", "\x89PNG\r\n\x1a\n", 8), "is not a .npy file");
    check_bad(test_file("magic", "\x93NUMPY", 6), "cut short");
    check_bad(test_file("short", "\x93NUMPY\x01\0\xff\x7f{", 11), "cut short in its .npy header");
    check_bad(npy("version", 4, HEADER("<f4", "False", "(1,)"), zeros, 4), "version 4");
    check_bad(npy("cut", 1, HEADER("<f4", "False", "(5,)"), zeros, 19), "promises 20 bytes of values, there are 19");
    check_bad(npy("more", 1, HEADER("<f4", "False", "(5,)"), zeros, 21), "1 bytes after the values");
    check_bad(npy("scalar", 1, HEADER("<f4", "False", "()"), zeros, 4), "single value");
    check_bad(npy("complex", 1, HEADER("<c8", "False", "(1,)"), zeros, 8), "type '<c8'");
    check_bad(npy("long", 1, HEADER("<f16", "False", "(1,)"), zeros, 16), "type '<f16'");
    check_bad(npy("object", 1, HEADER("|O", "False", "(1,)"), zeros, 8), "type '|O'");
    check_bad(npy("records", 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", zeros, 4),
              "records");
    check_bad(npy("negative", 1, HEADER("<f4", "False", "(-1,)"), zeros, 4), "shape");
    check_bad(npy("huge", 1, HEADER("<f4", "False", "(4611686018427387904, 4611686018427387904)"), zeros, 4),
              "larger than any memory");
    check_bad(npy("huge0", 1, HEADER("|u1", "False", "(0, 4611686018427387904, 4)"), zeros, 0),
              "larger than any memory");
    check_bad(npy("digits", 1, HEADER("<f4", "False", "(99999999999999999999,)"), zeros, 4), "shape");
    check_bad(npy("dims", 1, HEADER("|u1", "False", "(1,1,1,1,1,1,1,1,1)"), zeros, 1), "more than 8 dimensions");
    check_bad(npy("twice", 1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", zeros, 4),
              "malformed");
    check_bad(npy("missing", 1, "{'descr': '<f4', 'shape': (1,)}", zeros, 4), "malformed");
    check_bad(npy("maybe", 1, HEADER("<f4", "Maybe", "(1,)"), zeros, 4), "malformed");
    check_bad(npy("open", 1, "{'descr': '<f4", zeros, 0), "records");
}

static strait_array *counted(int n_dims, const int64_t *dim) {
    strait_array *array;
    assert_int_equal(strait_array_new(&array, n_dims, dim, NULL), STRAIT_OK);
    for (int64_t i = 0; i < strait_array_count(array); i++)
        array->values[i] = (float)i / 7;
    return array;
}

static void test_write_npy(void **state) {
    (void)state;
    const char *path = test_path("written.npy");
    for (int n_dims = 1; n_dims <= STRAIT_MAX_DIMS; n_dims++) {
        const int64_t dim[STRAIT_MAX_DIMS] = {3, 2, 1, 2, 3, 1, 2, 2};
        strait_array *array = counted(n_dims, dim);
        char *bytes;
        size_t n;
        st_npy header;
        assert_int_equal(st_npy_write(array, path, NULL), STRAIT_OK);
        check(path, n_dims, dim, array->values);
        assert_int_equal(st_file_read(&bytes, &n, path, 1 << 20, NULL), STRAIT_OK);
        assert_int_equal(st_npy_parse(&header, bytes, n, path, NULL), STRAIT_OK);
        assert_int_equal(header.data_offset % 64, 0); /* as numpy aligns it */
        assert_int_equal(bytes[header.data_offset - 1], '\n');
        st_free(bytes);
        strait_array_free(array);
    }
}

/* The bytes numpy.save writes for zeros((2, 3), float32), padded by it to 128. */
static void test_write_as_numpy(void **state) {
    (void)state;
    strait_array *array;
    char expected[152] = {0}, *bytes;
    size_t n;
    assert_int_equal(strait_array_new(&array, 2, (const int64_t[]){2, 3}, NULL), STRAIT_OK);
    snprintf(expected, sizeof expected, "\x93NUMPY\x01%c\x76%c%-117s\n", 0, 0,
             "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    assert_int_equal(st_npy_write(array, test_path("zeros.npy"), NULL), STRAIT_OK);
    assert_int_equal(st_file_read(&bytes, &n, test_path("zeros.npy"), 1000, NULL), STRAIT_OK);
    assert_int_equal(n, 152);
    assert_memory_equal(bytes, expected, 152);
    st_free(bytes);
    strait_array_free(array);
}

static void test_write_csv(void **state) {
    (void)state;
    strait_array *array;
    char *text;
    size_t n;
    const char *path = test_path("written.csv");
    assert_int_equal(strait_array_new(&array, 3, (const int64_t[]){2, 1, 2}, NULL), STRAIT_OK);
    array->values[0] = 0.1F;
    array->values[1] = -2;
    array->values[2] = 1e-10F;
    array->values[3] = NAN;
    assert_int_equal(st_csv_write(array, path, NULL), STRAIT_OK);
    assert_int_equal(st_file_read(&text, &n, path, 1000, NULL), STRAIT_OK);
    assert_string_equal(text, "0.1,-2\n1e-10,nan\n");
    st_free(text);
    strait_array_free(array);
}

static void test_new(void **state) {
    (void)state;
    strait_array *array;
    strait_error err = {0};
    const int64_t dim[9] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, negative[1] = {-1}, huge[2] = {INT64_MAX / 2, 8};
    assert_int_equal(strait_array_new(&array, 2, dim, &err), STRAIT_OK);
    assert_int_equal(strait_array_count(array), 6);
    for (int i = 0; i < 6; i++)
        assert_true(array->values[i] == 0);
    strait_array_free(array);
    strait_array_free(NULL);
    assert_int_equal(strait_array_new(&array, 0, dim, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_array_new(&array, 9, dim, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_array_new(&array, 1, negative, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_array_new(&array, 2, huge, &err), STRAIT_ARGUMENT);
    assert_null(array);
    assert_string_equal(st_dtype_name(ST_U8), "u8");
    assert_string_equal(st_dtype_name(ST_U16), "u16");
    assert_string_equal(st_dtype_name(ST_F32), "f32");
}

static void test_without_memory(void **state) {
    (void)state;
    strait_array *array = counted(2, (const int64_t[]){10, 10}), *again;
    const char *path = test_path("memory.npy");
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = st_npy_write(array, path, NULL);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        failures++;
    }
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = strait_array_read(&again, path, NULL);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(again);
        failures++;
    }
    st_alloc_fail_at(0);
    assert_true(failures > 6);
    strait_array_free(again);
    strait_array_free(array);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_types),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_fortran_order),
        cmocka_unit_test(test_header_in_other_words),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_write_npy),
        cmocka_unit_test(test_write_as_numpy),
        cmocka_unit_test(test_write_csv),
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("base.array", tests, NULL, NULL);
}
