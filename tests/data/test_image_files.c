/* JPEG, TIFF and .npz files that Pillow and numpy have made: those of the fuzzers' corpus. Its images are 6×9 pixels,
   pixel (y, x) being 16 (y + x) modulo 256, as grey; the 16-bit one is 257 times that. */
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/string.h"
#include "data/data_int.h"
#include "files.h"

static const char *corpus(const char *name) {
    static char path[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/fuzz/corpus/%s", STRAIT_SOURCE_DIR, name);
    return path[next];
}

static unsigned grey(int y, int x) {
    return 16u * (unsigned)(y + x) & 255;
}

static strait_array *all_rows(strait_data *data) {
    strait_array *rows = NULL;
    strait_error err = {0};
    if (strait_data_rows(&rows, data, 0, strait_data_count(data), &err) != STRAIT_OK) fail_msg("%s", err.message);
    return rows;
}

static void assert_grey(const char *name, unsigned factor) {
    strait_data *data = open_good(corpus(name));
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.format, "tiff");
    assert_string_equal(info.storage, factor == 1 ? "u8" : "u16");
    assert_true(info.dim[0] == 6 && info.dim[1] == 9 && info.dim[2] == 1 && info.n_samples == 1);
    strait_array *rows = all_rows(data);
    for (int i = 0; i < 54; i++)
        assert_true(rows->values[i] == (float)(factor * grey(i / 9, i % 9)));
    strait_array_free(rows);
    strait_data_free(data);
}

static void test_compressions(void **state) {
    (void)state;
    static const char *const names[] = {"tiff/grey-raw", "tiff/grey-lzw", "tiff/grey-adobe_deflate",
                                        "tiff/grey-packbits"};
    for (size_t i = 0; i < 4; i++)
        assert_grey(names[i], 1);
    assert_grey("tiff/grey16", 257);
}

/* Two rows of three 16-bit values whose bytes are 0, 1, ..., 11, the first the higher one; and with 0 as white. */
static void test_byte_order(void **state) {
    (void)state;
    for (int inverted = 0; inverted < 2; inverted++) {
        strait_data *data = open_good(corpus(inverted ? "tiff/white-is-zero" : "tiff/big-endian"));
        strait_array *rows = all_rows(data);
        assert_int_equal(strait_array_count(rows), 6);
        for (int i = 0; i < 6; i++) {
            const int value = 2 * i * 256 + 2 * i + 1;
            assert_true(rows->values[i] == (float)(inverted ? 65535 - value : value));
        }
        strait_array_free(rows);
        strait_data_free(data);
    }
}

static void test_pages(void **state) {
    (void)state;
    for (int resident = 0; resident < 2; resident++) {
        st_source_set_resident_bytes(resident ? 0 : 1);
        strait_data *data = open_good(corpus("tiff/pages"));
        assert_int_equal(strait_data_count(data), 2);
        assert_string_equal(strait_data_sample_name(data, 0), "pages#0");
        assert_string_equal(strait_data_sample_name(data, 1), "pages#1");
        strait_array *rows = all_rows(data);
        for (int i = 0; i < 54; i++) {
            assert_true(rows->values[i] == (float)grey(i / 9, i % 9));
            assert_true(rows->values[54 + i] == 255 - (float)grey(i / 9, i % 9));
        }
        strait_array_free(rows);
        strait_data_free(data);
    }
    st_source_set_resident_bytes(0);
}

static void test_damage(void **state) {
    (void)state;
    const char *path = corpus("tiff/bomb");
    assert_open_fails(path, STRAIT_FORMAT, "%s: is damaged: its 134 bytes cannot hold the 20000×20000 pixels announced",
                      path);
    path = corpus("jpeg/cut");
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated JPEG file: fetch or copy it again", path);
    path = corpus("jpeg/cmyk");
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: is a JPEG file for printing (CMYK) or of unknown colours; grey and RGB are read", path);
    path = corpus("npz/short");
    assert_open_fails(path, STRAIT_FORMAT, "%s#x: truncated: ends after 4 of 6 bytes of values", path);
    path = corpus("npz/lies");
    assert_open_fails(path, STRAIT_FORMAT, "%s#x: truncated: ends after 4 of 160000000000 bytes of values", path);
    path = corpus("npz/which");
    assert_open_fails(path, STRAIT_FORMAT, "%s: which of its arrays are the samples? name one, as %s#KEY: a, b", path,
                      path);
}

/* The same 4×3×2 values, as u8 in C order with labels a, b, a, é, and as big-endian f8 in Fortran order, deflated. */
static void test_npz(void **state) {
    (void)state;
    strait_data *plain = open_good(corpus("npz/labels")), *other = open_good(corpus("npz/deflated"));
    strait_data_info info;
    assert_int_equal(strait_data_describe(plain, &info, NULL), STRAIT_OK);
    assert_string_equal(info.storage, "u8");
    assert_string_equal(info.note, "samples from x, labels from y");
    assert_int_equal(info.n_labels, 3);
    assert_string_equal(info.label_name[2], "\xc3\xa9");
    assert_int_equal(info.label_count[0], 2);
    strait_array *a = all_rows(plain), *b = all_rows(other);
    assert_int_equal(strait_array_count(a), 24);
    for (int i = 0; i < 24; i++)
        assert_true(a->values[i] == b->values[i]);
    strait_array_free(a);
    strait_array_free(b);
    strait_data_free(plain);
    strait_data_free(other);
    char source[600];
    snprintf(source, sizeof source, "%s#b", corpus("npz/which"));
    strait_data_free(open_good(source));
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_open_survives_failing_allocations(corpus("npz/deflated"));
    assert_open_survives_failing_allocations(corpus("jpeg/rgb"));
    assert_open_survives_failing_allocations(corpus("tiff/pages"));
}

/* ---- written and read again ---- */

static void assert_same_data(strait_data *a, strait_data *b) {
    assert_int_equal(strait_data_count(a), strait_data_count(b));
    strait_array *x = all_rows(a), *y = all_rows(b);
    assert_int_equal(strait_array_count(x), strait_array_count(y));
    assert_memory_equal(x->values, y->values, (size_t)strait_array_count(x) * sizeof(float));
    for (int64_t i = 0; i < strait_data_count(a); i++)
        assert_int_equal(strait_data_label(a, i), strait_data_label(b, i));
    strait_array_free(x);
    strait_array_free(y);
}

static void test_round_trips(void **state) {
    (void)state;
    static const char *const names[] = {"out.npy", "out.npz", "out.csv"};
    strait_data *data = open_good(corpus("npz/labels"));
    strait_error err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = test_path(names[i]);
        if (strait_data_write(path, data, &err) != STRAIT_OK) fail_msg("%s", err.message);
        strait_data *again = open_good(path);
        strait_data_info info;
        assert_same_data(data, again);
        assert_int_equal(strait_data_describe(again, &info, NULL), STRAIT_OK);
        assert_string_equal(info.label_name[2], "\xc3\xa9");
        strait_data_free(again);
    }
    /* A folder is in the order of its labels: a, a, b, é. */
    const char *folder = test_path("folder");
    if (strait_data_write(folder, data, &err) != STRAIT_OK) fail_msg("%s", err.message);
    strait_data *again = open_good(folder);
    strait_array *x = all_rows(data), *y = all_rows(again);
    static const int order[] = {0, 2, 1, 3};
    for (int i = 0; i < 4; i++) {
        assert_memory_equal(y->values + 6 * i, x->values + 6 * order[i], 6 * sizeof(float));
        assert_int_equal(strait_data_label(again, i), strait_data_label(data, order[i]));
    }
    strait_array_free(x);
    strait_array_free(y);
    strait_data_free(again);
    assert_int_equal(strait_data_write(folder, data, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_data_write(test_path("out.tar"), data, &err), STRAIT_ARGUMENT);
    strait_data_free(data);
}

static void test_writing_fails_whole(void **state) {
    (void)state;
    static const char *const names[] = {"whole/f.npy", "whole/f.npz", "whole/f.csv", "whole/f"};
    strait_data *data = open_good(corpus("tiff/pages"));
    assert_int_equal(mkdir(test_path("whole"), 0777), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (uint64_t n = 1;; n++) {
            strait_error err = {0};
            st_alloc_fail_at(n);
            const strait_status status = strait_data_write(test_path(names[i]), data, &err);
            st_alloc_fail_at(0);
            if (status == STRAIT_OK) break;
            assert_int_equal(status, STRAIT_MEMORY);
            assert_int_equal(test_count_entries(test_path("whole")), (int)i); /* nothing new, nothing left over */
        }
    strait_data_free(data);
}

static void test_copies(void **state) {
    (void)state;
    const float rows[] = {1, 2, 3, 3, 1, 2, 5, 2, 1, 2, 3, 3}; /* 0 = 2 = 4, 1 = 5; 1, 5 flat */
    strait_data *data = NULL;
    strait_data_quality quality;
    assert_int_equal(strait_data_from_rows(&data, rows, 6, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    assert_int_equal(strait_data_inspect(&quality, data, NULL), STRAIT_OK);
    assert_int_equal(quality.n_duplicates, 3);
    assert_int_equal(quality.duplicate, 2);
    assert_int_equal(quality.original, 0);
    assert_int_equal(quality.n_flat, 2);
    assert_int_equal(quality.n_still, 0);
    assert_true(quality.n_warnings >= 2);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compressions), cmocka_unit_test(test_byte_order),
        cmocka_unit_test(test_pages),        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_npz),          cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_round_trips),  cmocka_unit_test(test_writing_fails_whole),
        cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
