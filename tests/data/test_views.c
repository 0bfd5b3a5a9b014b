#include <math.h>
#include "data/data_int.h"
#include "files.h"

/* Rows 0 .. n - 1 of two values: 10 i, 10 i + 1. */
static strait_data *make_rows(int64_t n) {
    float values[64];
    for (int i = 0; i < 2 * n; i++)
        values[i] = (float)(i / 2 * 10 + i % 2);
    strait_data *data = NULL;
    assert_int_equal(strait_data_from_rows(&data, values, n, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    return data;
}

/* n images of 1 x 1 with values 0, 1, ... and labels i % 3. */
static strait_data *make_labelled(const char *name, uint32_t n) {
    uint8_t bytes[64], values[32], labels[32];
    char images[64], beside[64];
    for (uint32_t i = 0; i < n; i++) {
        values[i] = (uint8_t)i;
        labels[i] = (uint8_t)(i % 3);
    }
    snprintf(images, sizeof images, "%s-images-idx3-ubyte", name);
    snprintf(beside, sizeof beside, "%s-labels-idx1-ubyte", name);
    test_file(beside, bytes, make_idx(bytes, 0x08, 1, &n, labels, n));
    return open_good(test_file(images, bytes, make_idx(bytes, 0x08, 3, (uint32_t[]){n, 1, 1}, values, n)));
}

/* The first value of each sample is as expected. */
static void assert_first_values(strait_data *data, const float *expected, int64_t n) {
    strait_array *rows = NULL;
    assert_int_equal(strait_data_count(data), n);
    assert_int_equal(strait_data_rows(&rows, data, 0, n, NULL), STRAIT_OK);
    const int64_t width = strait_array_count(rows) / n;
    for (int64_t i = 0; i < n; i++)
        assert_true(rows->values[i * width] == expected[i]);
    strait_array_free(rows);
}

static void assert_error(strait_status status, strait_status code, const strait_error *err, const char *message) {
    assert_string_equal(err->message, message);
    assert_int_equal(status, code);
}

static void test_from_rows(void **state) {
    (void)state;
    strait_data *data = make_rows(3);
    strait_data_info info;
    assert_first_values(data, (float[]){0, 10, 20}, 3);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.source, "rows");
    assert_string_equal(info.format, "rows");
    assert_string_equal(info.storage, "f32");
    assert_true(info.minimum == 0 && info.maximum == 21);
    assert_true(fabs(info.mean - 10.5) < 1e-12);
    assert_false(info.has_labels);
    assert_int_equal(strait_data_label(data, 0), -1);
    strait_data_free(data);
    strait_data_free(NULL);

    int64_t dim[STRAIT_MAX_DIMS];
    assert_int_equal(strait_data_from_rows(&data, (float[6]){0}, 1, 2, (int64_t[]){2, 3}, NULL), STRAIT_OK);
    assert_int_equal(st_data_shape(data, dim), 3); /* an image of one channel */
    assert_int_equal(dim[2], 1);
    strait_data_free(data);
}

static void test_bad_rows(void **state) {
    (void)state;
    strait_data *data = NULL;
    strait_error err;
    const float values[] = {1, 2, 3, 4};
    assert_error(strait_data_from_rows(&data, values, 0, 1, (int64_t[]){2}, &err), STRAIT_ARGUMENT, &err,
                 "the number of samples is 0; it must be at least 1");
    assert_error(strait_data_from_rows(&data, values, 2, 1, (int64_t[]){-2}, &err), STRAIT_ARGUMENT, &err,
                 "a dimension of the samples is -2; it must be at least 1");
    assert_error(strait_data_from_rows(&data, values, 2, 4, (int64_t[]){1, 1, 1, 1}, &err), STRAIT_ARGUMENT, &err,
                 "a sample has 4 dimensions; 1 to 3 are possible");
    const int64_t huge = (int64_t)1 << 62;
    assert_error(strait_data_from_rows(&data, values, 8, 2, (int64_t[]){huge, huge}, &err), STRAIT_ARGUMENT, &err,
                 "rows: the sizes given come to more than 1 TiB");
    for (uint64_t n = 1; n <= 5; n++) {
        st_alloc_fail_at(n);
        assert_int_equal(strait_data_from_rows(&data, (float[]){1, 2}, 1, 1, (int64_t[]){2}, NULL), STRAIT_MEMORY);
        st_alloc_fail_at(0);
    }
    assert_null(data);
}

static void test_rows_out_of_range(void **state) {
    (void)state;
    strait_data *data = make_rows(3);
    strait_array *rows = NULL;
    strait_error err;
    assert_error(strait_data_rows(&rows, data, 2, 2, &err), STRAIT_ARGUMENT, &err,
                 "rows: has 3 samples, 2 asked for from sample 2 on");
    assert_int_equal(strait_data_rows(&rows, data, -1, 1, NULL), STRAIT_ARGUMENT);
    assert_int_equal(strait_data_rows(&rows, data, 1, INT64_MAX, NULL), STRAIT_ARGUMENT);
    assert_null(rows);
    assert_int_equal(strait_data_rows(&rows, data, 3, 0, NULL), STRAIT_OK); /* nothing, of the right shape */
    assert_int_equal(rows->dim[0], 0);
    assert_int_equal(rows->dim[1], 2);
    strait_array_free(rows);
    strait_data_free(data);
}

static void test_describe(void **state) {
    (void)state;
    strait_data *data = make_labelled("describe", 7);
    for (uint64_t n = 1;; n++) { /* a failed look leaves the next one good */
        strait_data_info info;
        st_alloc_fail_at(n);
        const strait_status status = strait_data_describe(data, &info, NULL);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_true(n < 10);
    }
    strait_data_info info, again;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_true(info.minimum == 0 && info.maximum == 6 && info.mean == 3);
    assert_int_equal(info.n_labels, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(info.label_value[i], i);
        assert_int_equal(info.label_count[i], i == 0 ? 3 : 2);
    }
    assert_int_equal(strait_data_describe(data, &again, NULL), STRAIT_OK);
    assert_ptr_equal(again.label_value, info.label_value);
    strait_data_free(data);
}

static void test_slices(void **state) {
    (void)state;
    strait_data *data = make_rows(6), *part = NULL, *inner = NULL;
    strait_error err;
    assert_int_equal(st_data_slice(&part, data, 2, 3, NULL), STRAIT_OK);
    assert_int_equal(st_data_slice(&inner, part, 1, 2, NULL), STRAIT_OK);
    strait_data_free(data); /* views share the source, in whatever order they are freed */
    assert_first_values(part, (float[]){20, 30, 40}, 3);
    strait_data_free(part);
    assert_first_values(inner, (float[]){30, 40}, 2);
    assert_error(st_data_slice(&part, inner, 1, 2, &err), STRAIT_ARGUMENT, &err,
                 "rows: has 2 samples, 2 asked for from sample 1 on");
    assert_int_equal(st_data_slice(&part, inner, 0, 0, NULL), STRAIT_ARGUMENT);
    strait_data_free(inner);
}

static void test_select(void **state) {
    (void)state;
    strait_data *data = make_labelled("select", 10), *some = NULL, *part = NULL;
    strait_recipe recipe = {.data = {.n_only = 2, .only = (int64_t[]){2, 0}, .limit = 5}};
    assert_int_equal(st_data_select(&some, data, &recipe, NULL), STRAIT_OK);
    assert_first_values(some, (float[]){0, 2, 3, 5, 6}, 5);
    assert_int_equal(strait_data_label(some, 1), 2);
    assert_int_equal(st_data_slice(&part, some, 1, 3, NULL), STRAIT_OK);
    strait_data_free(some);
    assert_first_values(part, (float[]){2, 3, 5}, 3);
    recipe.data.n_only = 1;
    assert_int_equal(st_data_select(&some, part, &recipe, NULL), STRAIT_OK); /* a choice of a choice */
    assert_first_values(some, (float[]){2, 5}, 2);
    strait_data_free(some);
    strait_data_free(part);
    recipe = (strait_recipe){.data = {.limit = 4}};
    assert_int_equal(st_data_select(&some, data, &recipe, NULL), STRAIT_OK);
    assert_first_values(some, (float[]){0, 1, 2, 3}, 4);
    strait_data_free(some);
    recipe.data.limit = 1000; /* more than there are */
    assert_int_equal(st_data_select(&some, data, &recipe, NULL), STRAIT_OK);
    assert_int_equal(strait_data_count(some), 10);
    strait_data_free(some);
    strait_data_free(data);
}

static void test_bad_select(void **state) {
    (void)state;
    strait_data *data = make_labelled("bad", 10), *rows = make_rows(2), *some = NULL;
    strait_recipe recipe = {.data = {.n_only = 2, .only = (int64_t[]){2, 7}, .only_pos = {"r.yaml", 3, 1}}};
    strait_error err;
    char expected[512];
    snprintf(expected, sizeof expected, "r.yaml:3:1: only: no sample of %s has the label 7",
             test_path("bad-images-idx3-ubyte"));
    assert_error(st_data_select(&some, data, &recipe, &err), STRAIT_RECIPE, &err, expected);
    assert_error(st_data_select(&some, rows, &recipe, &err), STRAIT_RECIPE, &err,
                 "r.yaml:3:1: only: rows has no labels to choose by");
    recipe.data.n_only = 1;
    for (uint64_t n = 1; n <= 3; n++) {
        st_alloc_fail_at(n);
        assert_int_equal(st_data_select(&some, data, &recipe, NULL), STRAIT_MEMORY);
        st_alloc_fail_at(0);
    }
    assert_null(some);
    strait_data_free(data);
    strait_data_free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_rows),  cmocka_unit_test(test_bad_rows), cmocka_unit_test(test_rows_out_of_range),
        cmocka_unit_test(test_describe),   cmocka_unit_test(test_slices),   cmocka_unit_test(test_select),
        cmocka_unit_test(test_bad_select),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
