#include <stdbool.h>
#include <unistd.h>
#include "data/data_int.h"
#include "files.h"

/* A .npy file as numpy.lib.format documents it: magic, version, length of the header, a Python dictionary padded with
   spaces to a multiple of 64, the values. */
static const char *write_npy(const char *name, int version, const char *type, const char *order, const char *shape,
                             const void *values, size_t n) {
    char text[256];
    const size_t prefix = version == 1 ? 10 : 12;
    const int length =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", type, order, shape);
    uint8_t bytes[1024] = "\x93NUMPY";
    bytes[6] = (uint8_t)version;
    const size_t total = (prefix + (size_t)length + 1 + 63) / 64 * 64;
    bytes[8] = (uint8_t)(total - prefix);
    memcpy(bytes + prefix, text, (size_t)length);
    memset(bytes + prefix + length, ' ', total - prefix - (size_t)length - 1);
    bytes[total - 1] = '\n';
    memcpy(bytes + total, values, n);
    return test_file(name, bytes, total + n);
}

static void assert_rows(const char *path, st_dtype type, const float *expected, int64_t n) {
    strait_data *data = open_good(path);
    strait_data_info info;
    strait_array *rows = NULL;
    assert_int_equal(data->source->type, type);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.format, "npy");
    assert_false(info.has_labels);
    assert_int_equal(strait_data_rows(&rows, data, 0, strait_data_count(data), NULL), STRAIT_OK);
    assert_int_equal(strait_array_count(rows), n);
    for (int64_t i = 0; i < n; i++)
        assert_true(rows->values[i] == expected[i]);
    strait_array_free(rows);
    strait_data_free(data);
}

static void test_types(void **state) {
    (void)state;
    const float six[] = {1, 2, 3, 4, 5, 250}, wide[] = {1, 65535, 256, 7};
    const uint8_t u1[] = {1, 2, 3, 4, 5, 250};
    const uint8_t u2[] = {1, 0, 255, 255, 0, 1, 7, 0}, u2_big[] = {0, 1, 255, 255, 1, 0, 0, 7};
    assert_rows(write_npy("u1", 1, "|u1", "False", "(2, 3)", u1, 6), ST_U8, six, 6);
    assert_rows(write_npy("u1v2", 2, "|u1", "False", "(2, 3)", u1, 6), ST_U8, six, 6);
    assert_rows(write_npy("u2", 1, "<u2", "False", "(2, 2)", u2, 8), ST_U16, wide, 4);
    assert_rows(write_npy("u2b", 1, ">u2", "False", "(2, 2)", u2_big, 8), ST_U16, wide, 4);
    assert_rows(write_npy("f4", 1, "<f4", "False", "(2, 3)", six, sizeof six), ST_F32, six, 6);
    assert_rows(write_npy("f8", 1, "<f8", "False", "(2, 1)", (double[]){-0.5, 3}, 16), ST_F32, (float[]){-0.5f, 3}, 2);
    assert_rows(write_npy("i2", 1, "<i2", "False", "(1, 2)", (int16_t[]){-7, 300}, 4), ST_F32, (float[]){-7, 300}, 2);
    assert_rows(write_npy("i8", 1, "<i8", "False", "(1, 2)", (int64_t[]){-7, 300}, 16), ST_F32, (float[]){-7, 300}, 2);
    assert_rows(write_npy("b1", 1, "|b1", "False", "(1, 2)", (uint8_t[]){0, 1}, 2), ST_F32, (float[]){0, 1}, 2);
}

/* Fortran order: the first index runs fastest. Value 100 i + 10 j + k stands at [i, j, k] of [2, 2, 3]. */
static void test_fortran_order(void **state) {
    (void)state;
    const float expected[] = {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};
    const uint8_t u1[] = {0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112};
    uint16_t u2[12];
    float f4[12];
    for (int i = 0; i < 12; i++) {
        u2[i] = u1[i];
        f4[i] = u1[i];
    }
    assert_rows(write_npy("u1", 1, "|u1", "True", "(2, 2, 3)", u1, sizeof u1), ST_U8, expected, 12);
    assert_rows(write_npy("u2", 1, "<u2", "True", "(2, 2, 3)", u2, sizeof u2), ST_U16, expected, 12);
    assert_rows(write_npy("f4", 1, "<f4", "True", "(2, 2, 3)", f4, sizeof f4), ST_F32, expected, 12);
}

static void test_shapes(void **state) {
    (void)state;
    const uint8_t values[12] = {0};
    int64_t dim[STRAIT_MAX_DIMS];
    strait_data *data = open_good(write_npy("a.npy", 1, "|u1", "False", "(3, 2, 2)", values, 12));
    assert_int_equal(st_data_shape(data, dim), 3);
    assert_int_equal(dim[0], 2);
    assert_int_equal(dim[1], 2);
    assert_int_equal(dim[2], 1);
    strait_data_free(data);
    data = open_good(write_npy("a.npy", 1, "|u1", "False", "(2, 1, 2, 3)", values, 12));
    assert_int_equal(st_data_shape(data, dim), 3);
    assert_int_equal(dim[2], 3);
    strait_data_free(data);
    data = open_good(write_npy("a.npy", 1, "|u1", "False", "(2, 6)", values, 12));
    assert_int_equal(st_data_shape(data, dim), 1);
    assert_int_equal(dim[0], 6);
    strait_data_free(data);
}

/* One dimension: a value a sample. */
static void test_one_dimension(void **state) {
    (void)state;
    assert_rows(write_npy("a.npy", 1, "|u1", "False", "(3,)", (uint8_t[]){5, 7, 9}, 3), ST_U8, (float[]){5, 7, 9}, 3);
}

/* Labels lie beside the samples, under the names people give them (x_train and y_train, images and labels,
   NAME_labels): whole numbers of any type, or texts as numpy stores them (numpy.lib.format; dtypes '<U3': code points
   of four bytes,
   '|S3'), with zeros at the end. */
static void test_labels_beside(void **state) {
    (void)state;
    const uint8_t u1[] = {1, 2, 3, 4};
    const uint32_t texts[] = {'b', 0xe9, 0, 'a', 0, 0};
    strait_data_info info;
    const char *path = write_npy("x_train.npy", 1, "|u1", "False", "(2, 2)", u1, 4);
    write_npy("y_train.npy", 1, "<i8", "False", "(2,)", (int64_t[]){-3, 7}, 16);
    strait_data *data = open_good(path);
    assert_int_equal(strait_data_label(data, 0), -3);
    assert_int_equal(strait_data_label(data, 1), 7);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.note, "labels from y_train.npy");
    strait_data_free(data);
    assert_open_survives_failing_allocations(path);

    path = write_npy("images.npy", 1, "|u1", "False", "(2, 2)", u1, 4);
    write_npy("labels.npy", 1, "<U3", "False", "(2,)", texts, sizeof texts);
    data = open_good(path);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_labels, 2);
    assert_string_equal(info.label_name[0], "a");
    assert_string_equal(info.label_name[1], "b\xc3\xa9");
    assert_int_equal(strait_data_label(data, 0), 1);
    strait_data_free(data);
    assert_open_survives_failing_allocations(path);

    path = write_npy("cells.npy", 1, "|u1", "False", "(2, 2)", u1, 4);
    const char *labels = write_npy("cells_labels.npy", 1, "|S3", "False", "(3,)", "abcd\0\0e\0\0", 9);
    data = open_good(path);
    assert_int_equal(strait_data_label(data, 0), -1);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.note, "cells_labels.npy beside it does not hold a label for each sample: not taken");
    strait_data_free(data);
    write_npy("cells_labels.npy", 1, "<f4", "False", "(2,)", (float[]){1, 1.5f}, 8);
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: label 1 in %s is 1.5; labels are whole numbers up to 16,777,216 or texts", path, labels);
    path = write_npy("t.npy", 1, "<U3", "False", "(2,)", texts, sizeof texts);
    assert_open_fails(
        path, STRAIT_FORMAT,
        "%s: holds values of type '<U3'; Strait reads booleans, whole numbers and floats of up to 8 bytes", path);
}

static void test_gzip(void **state) {
    (void)state;
    const float values[] = {1, -2, 3, 4};
    uint8_t bytes[512];
    FILE *file = fopen(write_npy("a.npy", 1, "<f4", "False", "(2, 2)", values, 16), "rb");
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_rows(write_gzip("a.npy.gz", bytes, n), ST_F32, values, 4);
    const char *path = write_gzip("a.npy.gz", bytes, n - 1);
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: truncated gzip file: ends after 143 of 144 bytes; fetch or copy it again", path);
}

static void test_bad_files(void **state) {
    (void)state;
    const uint8_t values[16] = {0};
    const char *path = write_npy("a.npy", 1, "|u1", "False", "(2, 6)", values, 11);
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated: ends after 139 of 140 bytes; fetch or copy it again", path);
    write_npy("a.npy", 1, "|u1", "False", "(2, 6)", values, 13);
    assert_open_fails(path, STRAIT_FORMAT, "%s: goes on after the 140 bytes its header announces", path);
    write_npy("a.npy", 1, "|u1", "False", "(0, 12)", values, 0);
    assert_open_fails(path, STRAIT_FORMAT, "%s: holds no values: dimension 0 is 0", path);
    write_npy("a.npy", 1, "<f4", "False", "(1099511627776, 12)", values, 0);
    assert_open_fails(path, STRAIT_FORMAT, "%s: its header announces more than 1 TiB; it is damaged", path);
    write_npy("a.npy", 1, "|u1", "False", "(5000000000, 1)", values, 0);
    assert_open_fails(path, STRAIT_FORMAT, "%s: has 5000000000 samples; at most 4294967295 are read", path);
    test_file("a.npy", "PK\3\4abcdefgh", 12);
    assert_open_fails(path, STRAIT_FORMAT, "%s: is not a .npy file (it does not begin with \\x93NUMPY)", path);
    test_file("a.npy", "\x93NUMPY\1\0\x76\0{'de", 14);
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated: ends after 14 of 128 bytes; fetch or copy it again", path);
    test_file("a.npy", "\x93NUMPY\2\0\xff\xff\xff\x7f{'de", 16);
    assert_open_fails(path, STRAIT_FORMAT, "%s: its .npy header claims 2147483659 bytes; it is damaged", path);
    test_file("a.npy", "\x93NUMPY\1\0", 8);
    assert_open_fails(path, STRAIT_FORMAT, "%s: is cut short in its .npy header", path);
    const float nan = __builtin_nanf("");
    write_npy("a.npy", 1, "<f4", "False", "(2, 2)", (float[]){1, 2, nan, 4}, 16);
    assert_misses(path, 1, "1 value is not finite, the first (NaN) is value 0 of sample 1");
    write_npy("a.npy", 1, "<f8", "False", "(1, 2)", (double[]){1, 1e300}, 16); /* beyond float32 */
    assert_misses(path, 1, "1 value is not finite, the first (infinity) is value 1 of sample 0");
}

/* What is too large to be kept is read sample by sample: the same values, whatever their type; in Fortran's order the
   samples lie across the file, which is kept. A file that is not as long as it says fails as it does otherwise. */
static void test_streamed(void **state) {
    (void)state;
    uint8_t values[6 * 8];
    static const struct {
        const char *type, *fortran;
        size_t size;
        bool streams;
    } cases[] = {{"|u1", "False", 1, true}, {"<u2", "False", 2, true}, {">u2", "False", 2, true},
                 {"<f4", "False", 4, true}, {">i4", "False", 4, true}, {"<f8", "False", 8, true},
                 {"<f4", "True", 4, false}};
    for (size_t i = 0; i < sizeof values; i++)
        values[i] = (uint8_t)(i % 7 == 3 ? 0x41 : i % 3);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        strait_array *rows[2] = {NULL};
        write_npy("s.npy", 1, cases[c].type, cases[c].fortran, "(3, 2)", values, 6 * cases[c].size);
        for (int k = 0; k < 2; k++) {
            st_source_set_resident_bytes(k ? 5 : 0);
            strait_data *data = open_good(test_path("s.npy"));
            assert_int_equal(st_data_is_resident(data), k == 0 || !cases[c].streams);
            assert_int_equal(strait_data_rows(&rows[k], data, 0, 3, NULL), STRAIT_OK);
            strait_data_free(data);
        }
        assert_memory_equal(rows[0]->values, rows[1]->values, 6 * sizeof(float));
        strait_array_free(rows[0]);
        strait_array_free(rows[1]);
    }
    const char *path = test_path("s.npy");
    write_npy("s.npy", 1, "|u1", "False", "(3, 2)", values, 5);
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated: ends after 133 of 134 bytes; fetch or copy it again", path);
    write_npy("s.npy", 1, "<f4", "False", "(3, 2)", values, 24);
    assert_open_survives_failing_allocations(path);
    st_source_set_resident_bytes(0);
}

/* What numpy itself writes. */
static void test_numpy(void **state) {
    (void)state;
    char command[1024];
    snprintf(command, sizeof command,
             "python3 -c 'import numpy as n; a = n.arange(24); f = \"%s/np-\"\n"
             "n.save(f + \"u1.npy\", a.reshape(4, 3, 2).astype(\"u1\"))\n"
             "n.save(f + \"u2.npy\", n.asfortranarray(a.reshape(4, 6).astype(\">u2\")))\n"
             "n.save(f + \"f2.npy\", a.reshape(4, 6).astype(\"f2\"))\n"
             "n.save(f + \"f8.npy\", n.asfortranarray(a.reshape(2, 3, 2, 2).astype(\"f8\")))' 2>/dev/null",
             test_folder());
    if (system(command) != 0) skip(); /* no numpy on this machine */
    float expected[24];
    for (int i = 0; i < 24; i++)
        expected[i] = (float)i;
    assert_rows(test_path("np-u1.npy"), ST_U8, expected, 24);
    assert_rows(test_path("np-u2.npy"), ST_U16, expected, 24);
    assert_rows(test_path("np-f2.npy"), ST_F32, expected, 24);
    assert_rows(test_path("np-f8.npy"), ST_F32, expected, 24);
}

/* The nuclei: 5,189 x 64 x 64 u8, written by numpy. */
static void test_real_nuclei(void **state) {
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/nuclei/nuclei_crops_64.npy", test_data() ? test_data() : "");
    if (access(path, R_OK) != 0) skip();
    strait_data *data = open_good(path);
    int64_t dim[STRAIT_MAX_DIMS];
    assert_int_equal(strait_data_count(data), 5189);
    assert_int_equal(st_data_shape(data, dim), 3);
    assert_int_equal(dim[0], 64);
    assert_int_equal(dim[1], 64);
    assert_int_equal(dim[2], 1);
    assert_int_equal(data->source->type, ST_U8);
    strait_data_free(data);
}

static void test_failing_allocations(void **state) {
    (void)state;
    const uint8_t u1[] = {0, 100, 10, 110};
    assert_open_survives_failing_allocations(write_npy("a", 1, "|u1", "True", "(2, 2)", u1, 4));
    assert_open_survives_failing_allocations(write_npy("a", 1, "|u1", "False", "(2, 2)", u1, 4));
    assert_open_survives_failing_allocations(write_npy("a", 1, "|i1", "False", "(2, 2)", u1, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_fortran_order),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_one_dimension),
        cmocka_unit_test(test_labels_beside),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_numpy),
        cmocka_unit_test(test_real_nuclei),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
