/* Values that are not finite: refused, filled in, left out; the same at training and afterwards. */
#include <math.h>
#include "data/derive.h"
#include "data/missing.h"
#include "files.h"

/* Rows of two columns; the means of what is there, by hand: (1 + 3 + 8) / 3 = 4, (10 + 30) / 2 = 20. */
static const float gaps[] = {1, 10, NAN, INFINITY, 3, 30, 8, -INFINITY};
/* Others, for validation: what is fitted must not come from them. */
static const float more[] = {NAN, 100, 100, NAN};
enum { N = 4, M = 2, D = 2 };

static strait_data *rows(const float *values, int64_t n) {
    strait_data *data = NULL;
    assert_int_equal(strait_data_from_rows(&data, values, n, 1, (int64_t[]){D}, NULL), STRAIT_OK);
    return data;
}

static void assert_rows(strait_data *data, const float *expected, int64_t n) {
    strait_array *array = NULL;
    strait_error err = {0};
    if (strait_data_rows(&array, data, 0, strait_data_count(data), &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(array->dim[0], n);
    assert_memory_equal(array->values, expected, (size_t)(n * D) * sizeof *expected);
    strait_array_free(array);
}

/* Training and validation data as the recipe has them; both are checked. */
static void assert_splits(st_missing missing, strait_recipe *recipe, const float *train, int64_t n,
                          const float *validation, int64_t m) {
    strait_data *a = rows(gaps, N), *b = rows(more, M), *ready[2] = {NULL};
    strait_error err = {0};
    *recipe = (strait_recipe){.data.missing = missing};
    if (st_data_open_splits(&ready[0], &ready[1], recipe, a, b, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_rows(ready[0], train, n);
    assert_rows(ready[1], validation, m);
    strait_data_free(ready[0]);
    strait_data_free(ready[1]);
    strait_data_free(a);
    strait_data_free(b);
}

/* What the model is given later: other rows, prepared by the fitted recipe. */
static void assert_prepared(const strait_recipe *recipe, const float *values, const float *expected) {
    strait_data *data = rows(values, 1), *ready = NULL;
    assert_int_equal(st_data_prepare(&ready, data, recipe, NULL), STRAIT_OK);
    assert_rows(ready, expected, 1);
    strait_data_free(ready);
    strait_data_free(data);
}

static void test_zero(void **state) {
    (void)state;
    strait_recipe recipe;
    assert_splits(ST_MISSING_ZERO, &recipe, (float[]){1, 10, 0, 0, 3, 30, 8, 0}, N, (float[]){0, 100, 100, 0}, M);
    assert_prepared(&recipe, (float[]){NAN, 5}, (float[]){0, 5});
}

static void test_mean(void **state) {
    (void)state;
    strait_recipe recipe;
    assert_splits(ST_MISSING_MEAN, &recipe, (float[]){1, 10, 4, 20, 3, 30, 8, 20}, N, (float[]){4, 100, 100, 20}, M);
    assert_int_equal(recipe.data.means.n, D);
    assert_prepared(&recipe, (float[]){NAN, -INFINITY}, (float[]){4, 20});
    assert_prepared(&recipe, (float[]){1, 2}, (float[]){1, 2});
    st_free(recipe.data.means.value);
}

/* Samples with any are left out; to a trained model they are refused, for they would be missing in what comes out. */
static void test_drop(void **state) {
    (void)state;
    strait_recipe recipe;
    strait_error err = {0};
    strait_data *data = rows(gaps, N), *clean = rows(gaps, 1), *ready = NULL, *train = NULL, *none = NULL;
    recipe = (strait_recipe){.data.missing = ST_MISSING_DROP};
    assert_int_equal(st_data_open_splits(&train, &none, &recipe, data, NULL, NULL), STRAIT_OK);
    assert_rows(train, (float[]){1, 10, 3, 30}, 2);
    char *told = NULL;
    assert_int_equal(st_data_tell_missing(&told, train, &recipe, NULL), STRAIT_OK);
    assert_string_equal(told, "rows: 3 values are not finite, the first (NaN) is value 0 of sample 1; 2 of 4 samples "
                              "are left out");
    st_free(told);
    assert_int_equal(st_data_prepare(&ready, data, &recipe, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "the model was trained without such samples (missing: drop)"));
    assert_int_equal(st_data_prepare(&ready, clean, &recipe, NULL), STRAIT_OK);
    strait_data_free(ready);
    strait_data_free(train);
    strait_data_free(clean);
    strait_data_free(data);

    data = rows(more, M);
    recipe.data.missing_pos = (st_pos){"r.yaml", 3, 5};
    assert_int_equal(st_data_open_splits(&train, &none, &recipe, data, NULL, &err), STRAIT_RECIPE);
    assert_string_equal(err.message,
                        "r.yaml:3:5: missing: drop leaves no sample: each of them has values that are not finite");
    strait_data_free(data);
}

static void assert_refused(strait_recipe recipe, const float *values, int64_t n, strait_status code,
                           const char *message) {
    strait_data *data = rows(values, n), *train = NULL, *none = NULL;
    strait_error err = {0};
    assert_int_equal(st_data_open_splits(&train, &none, &recipe, data, NULL, &err), code);
    assert_string_equal(err.message, message);
    assert_null(train);
    strait_data_free(data);
}

static void test_refused(void **state) {
    (void)state;
    const st_pos pos = {"r.yaml", 3, 5};
    assert_refused((strait_recipe){0}, gaps, N, STRAIT_FORMAT,
                   "rows: 3 values are not finite, the first (NaN) is value 0 of sample 1; fill them in, or let the "
                   "recipe do it: data: {missing: zero}, mean or drop");
    assert_refused((strait_recipe){.data = {.missing = ST_MISSING_MEAN, .missing_pos = pos}}, more, 1, STRAIT_RECIPE,
                   "r.yaml:3:5: missing: mean: feature 0 of rows has no finite value in the training samples; leave it "
                   "out, or choose zero");
    assert_refused((strait_recipe){.data = {.missing = ST_MISSING_MEAN, .missing_pos = pos, .genes = {.on = true}}},
                   gaps, N, STRAIT_RECIPE,
                   "r.yaml:3:5: missing: of counts of genes and proteins it is zero, or refuse");
    /* Only what is chosen counts. */
    strait_recipe first = {.data.limit = 1};
    strait_data *data = rows(gaps, N), *train = NULL, *none = NULL;
    assert_int_equal(st_data_open_splits(&train, &none, &first, data, NULL, NULL), STRAIT_OK);
    strait_data_free(train);
    strait_data_free(data);
}

/* Samples that are read when they are needed are looked at then. The values of an image's channel have one mean. */
static void test_streamed(void **state) {
    (void)state;
    st_source *streamed = NULL;
    strait_data *data = rows(gaps, N), *view = NULL, *ready = NULL, *none = NULL;
    /* Rows behind a reader of their own, which keeps nothing. */
    const st_derivation nothing = {0};
    assert_int_equal(st_derive(&streamed, data->source, data, &nothing, NULL), STRAIT_OK);
    assert_int_equal(st_data_new(&view, streamed, "streamed", NULL), STRAIT_OK);
    strait_array *array = NULL;
    strait_error err = {0};
    assert_int_equal(strait_data_rows(&array, view, 0, N, &err), STRAIT_FORMAT);
    assert_int_equal(strait_data_rows(&array, view, 2, 1, NULL), STRAIT_OK); /* this one is whole */
    strait_array_free(array);
    strait_data_free(view);
    strait_data_free(data);

    const float images[] = {1, NAN, 3, 8, NAN, NAN, 2, 6};
    strait_recipe recipe = {.data.missing = ST_MISSING_MEAN};
    assert_int_equal(strait_data_from_rows(&data, images, 2, 3, (int64_t[]){2, 2, 1}, NULL), STRAIT_OK);
    assert_int_equal(st_data_open_splits(&ready, &none, &recipe, data, NULL, NULL), STRAIT_OK);
    assert_int_equal(strait_data_rows(&array, ready, 0, 2, NULL), STRAIT_OK);
    assert_memory_equal(array->values, ((float[]){1, 4, 3, 8, 4, 4, 2, 6}), sizeof images); /* 20 / 5 */
    strait_array_free(array);
    strait_data_free(ready);
    strait_data_free(data);
    st_free(recipe.data.means.value);
}

static void test_failing_allocations(void **state) {
    (void)state;
    for (int missing = ST_MISSING_ZERO; missing <= ST_MISSING_DROP; missing++)
        for (uint64_t n = 1;; n++) {
            strait_recipe recipe = {.data.missing = (st_missing)missing};
            strait_data *data = rows(gaps, N), *train = NULL, *none = NULL;
            st_alloc_fail_at(n);
            const strait_status status = st_data_open_splits(&train, &none, &recipe, data, NULL, NULL);
            st_alloc_fail_at(0);
            strait_data_free(train);
            strait_data_free(data);
            st_free(recipe.data.means.value);
            if (status == STRAIT_OK) break;
            assert_int_equal(status, STRAIT_MEMORY);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero),    cmocka_unit_test(test_mean),     cmocka_unit_test(test_drop),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_streamed), cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
