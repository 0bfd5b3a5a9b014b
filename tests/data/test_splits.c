#include <math.h>
#include <sys/stat.h>
#include "data/data_int.h"
#include "files.h"

/* STRAIT_DATA/mnist with n training and m test images of 1 x 1; values 0, 1, ..., labels i % 2. */
static void make_mnist(uint32_t n, uint32_t m) {
    uint8_t bytes[256], values[128], labels[128];
    for (int i = 0; i < 128; i++) {
        values[i] = (uint8_t)i;
        labels[i] = (uint8_t)(i % 2);
    }
    mkdir(test_path("mnist"), 0777);
    test_file("mnist/train-images-idx3-ubyte", bytes, make_idx(bytes, 0x08, 3, (uint32_t[]){n, 1, 1}, values, n));
    test_file("mnist/train-labels-idx1-ubyte", bytes, make_idx(bytes, 0x08, 1, &n, labels, n));
    test_file("mnist/t10k-images-idx3-ubyte", bytes, make_idx(bytes, 0x08, 3, (uint32_t[]){m, 1, 1}, values, m));
    test_file("mnist/t10k-labels-idx1-ubyte", bytes, make_idx(bytes, 0x08, 1, &m, labels, m));
    setenv("STRAIT_DATA", test_folder(), 1);
}

static strait_recipe on_mnist(void) {
    return (strait_recipe){.data = {.pos = {"r.yaml", 2, 1}, .validation_pos = {"r.yaml", 4, 15}, .source = "mnist"}};
}

/* The first value of sample i. */
static float value(strait_data *data, int64_t i) {
    strait_array *rows = NULL;
    assert_int_equal(strait_data_rows(&rows, data, i, 1, NULL), STRAIT_OK);
    const float first = rows->values[0];
    strait_array_free(rows);
    return first;
}

static void assert_splits(strait_recipe *recipe, int64_t n_train, int64_t n_validation, float first_validation) {
    strait_data *train = NULL, *validation = NULL;
    strait_error err = {0};
    if (st_data_open_splits(&train, &validation, recipe, NULL, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(strait_data_count(train), n_train);
    assert_true(value(train, 0) == 0);
    if (n_validation == 0) {
        assert_null(validation);
    } else {
        assert_int_equal(strait_data_count(validation), n_validation);
        assert_true(value(validation, 0) == first_validation);
    }
    strait_data_free(train);
    strait_data_free(validation);
}

static void assert_splits_fail(strait_recipe *recipe, strait_data *train, strait_data *validation, strait_status code,
                               const char *message) {
    strait_data *a = NULL, *b = NULL;
    strait_error err = {0};
    const strait_status status = st_data_open_splits(&a, &b, recipe, train, validation, &err);
    assert_string_equal(err.message, message);
    assert_int_equal(status, code);
    assert_null(a);
    assert_null(b);
}

/* Keras: split_at = floor(n (1 - fraction)); the last part, in order, is for validation. */
static void test_by_fraction(void **state) {
    (void)state;
    make_mnist(100, 20);
    strait_recipe recipe = on_mnist();
    assert_splits(&recipe, 100, 0, 0);
    recipe.data.validation_fraction = 0.2;
    assert_splits(&recipe, 80, 20, 80);
    recipe.data.validation_fraction = 0.8;
    assert_splits(&recipe, 20, 80, 20);
    recipe.data.validation_fraction = 0.333;
    assert_splits(&recipe, 66, 34, 66);
    recipe.data.limit = 10; /* first the choice of samples, then the split */
    assert_splits(&recipe, 6, 4, 6);
    recipe.data.limit = 1;
    assert_splits_fail(&recipe, NULL, NULL, STRAIT_RECIPE,
                       "r.yaml:4:15: validation: 0.333 of 1 samples leaves none to train on");
    recipe.data.limit = 100;
    recipe.data.validation_fraction = 1e-9;
    assert_splits_fail(&recipe, NULL, NULL, STRAIT_RECIPE,
                       "r.yaml:4:15: validation: 1e-09 of 100 samples leaves none to validate on");
}

static void test_by_name(void **state) {
    (void)state;
    make_mnist(100, 20);
    strait_recipe recipe = on_mnist();
    recipe.data.validation_split = "test";
    assert_splits(&recipe, 100, 20, 0);
    recipe.data.source = "mnist#train";
    assert_splits(&recipe, 100, 20, 0);
    recipe.data.n_only = 1;
    recipe.data.only = (int64_t[]){0};
    assert_splits(&recipe, 50, 10, 0);
    recipe.data.validation_split = "valid";
    assert_splits_fail(&recipe, NULL, NULL, STRAIT_ARGUMENT,
                       "r.yaml:4:15: mnist: has no split 'valid'; its splits are train, test");
}

static void test_overrides(void **state) {
    (void)state;
    make_mnist(100, 20);
    strait_recipe recipe = on_mnist();
    recipe.data.validation_split = "test";
    strait_data *rows = NULL, *image_rows = NULL, *test = open_good("mnist#test");
    strait_data *train = NULL, *validation = NULL;
    assert_int_equal(strait_data_from_rows(&rows, (float[]){1, 2, 3, 4}, 2, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    assert_int_equal(strait_data_from_rows(&image_rows, (float[]){9, 8}, 2, 2, (int64_t[]){1, 1}, NULL), STRAIT_OK);
    /* Given data have the splits of where they come from, not of the recipe's source. */
    assert_splits_fail(&recipe, rows, NULL, STRAIT_RECIPE,
                       "r.yaml:4:15: validation: 'test' is a split of the source, but the training rows come from "
                       "memory; give a fraction, or validation rows");
    assert_splits_fail(&recipe, NULL, rows, STRAIT_SHAPE,
                       "r.yaml:4:15: validation samples of rows are 2, training samples of mnist are 1×1×1");
    assert_int_equal(st_data_open_splits(&train, &validation, &recipe, NULL, image_rows, NULL), STRAIT_OK);
    assert_true(value(validation, 0) == 9);
    strait_data_free(train);
    strait_data_free(validation);
    recipe.data.source = NULL;
    assert_splits_fail(&recipe, NULL, NULL, STRAIT_RECIPE,
                       "r.yaml:2:1: source is missing; name a data set or a file in the recipe, or give the data along "
                       "with it");
    assert_int_equal(st_data_open_splits(&train, &validation, &recipe, test, NULL, NULL), STRAIT_OK);
    assert_int_equal(strait_data_count(train), 20);
    assert_int_equal(strait_data_count(validation), 20);
    strait_data_free(train);
    strait_data_free(validation);
    strait_data_free(test);
    strait_data_free(rows);
    strait_data_free(image_rows);
}

static void test_failing_allocations(void **state) {
    (void)state;
    make_mnist(10, 5);
    strait_recipe by_name = on_mnist(), by_fraction = on_mnist();
    by_name.data.validation_split = "test";
    by_fraction.data.validation_fraction = 0.5;
    by_fraction.data.n_only = 1;
    by_fraction.data.only = (int64_t[]){1};
    strait_recipe *recipes[] = {&by_name, &by_fraction};
    for (int i = 0; i < 2; i++) {
        for (uint64_t n = 1;; n++) {
            strait_data *train = NULL, *validation = NULL;
            st_alloc_fail_at(n);
            const strait_status status = st_data_open_splits(&train, &validation, recipes[i], NULL, NULL, NULL);
            st_alloc_fail_at(0);
            strait_data_free(train);
            strait_data_free(validation);
            if (status == STRAIT_OK) break;
            assert_int_equal(status, STRAIT_MEMORY);
            assert_null(train);
            assert_null(validation);
        }
    }
}

static void assert_scaling(strait_data *data, strait_recipe *recipe, double offset, double factor) {
    double o = -1, f = -1;
    assert_int_equal(st_data_scaling(&o, &f, data, recipe, NULL), STRAIT_OK);
    assert_true(fabs(o - offset) < 1e-15 && fabs(f - factor) < 1e-15);
}

static void test_scaling(void **state) {
    (void)state;
    make_mnist(100, 20);
    strait_data *u8 = open_good("mnist"), *rows = NULL, *part = NULL, *constant = NULL;
    assert_int_equal(strait_data_from_rows(&rows, (float[]){-2, 2, 6, 4}, 2, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    strait_recipe recipe = {.data = {.scale = ST_SCALE_UNIT, .pos = {"r.yaml", 2, 1}}};
    assert_scaling(u8, &recipe, 0, 1.0 / 255);
    assert_scaling(rows, &recipe, 0, 1);
    const uint8_t npy[] = "\x93NUMPY\1\0\x3b\0{'descr':'<u2','fortran_order':False,'shape':(1,1)}       \n\1";
    strait_data *u16 = open_good(test_file("u2.npy", npy, 10 + 0x3b + 2));
    assert_scaling(u16, &recipe, 0, 1.0 / 65535);
    recipe.data.scale = ST_SCALE_NONE;
    assert_scaling(u8, &recipe, 0, 1);
    recipe.data.scale = ST_SCALE_MINMAX;
    assert_scaling(rows, &recipe, -2, 1.0 / 8);
    assert_int_equal(st_data_slice(&part, u8, 10, 31, NULL), STRAIT_OK);
    assert_scaling(part, &recipe, 10, 1.0 / 30); /* of the samples in the view alone */
    recipe.data.scale_offset = 3;
    recipe.data.scale_factor = 0.25; /* fitted before: training's own */
    assert_scaling(rows, &recipe, 3, 0.25);
    recipe.data.scale_factor = 0;
    double offset, factor;
    strait_error err;
    assert_int_equal(strait_data_from_rows(&constant, (float[]){7, 7}, 1, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    assert_int_equal(st_data_scaling(&offset, &factor, constant, &recipe, &err), STRAIT_RECIPE);
    assert_string_equal(err.message, "r.yaml:2:1: scale: minmax has no range to scale: every value of rows is 7");
    strait_data_free(constant);
    strait_data_free(part);
    strait_data_free(u16);
    strait_data_free(rows);
    strait_data_free(u8);
}

/* MNIST, 0.8 for validation: trains on 12,000, not on the 11,999 of binary fractions. */
static void test_fraction_of_sixty_thousand(void **state) {
    (void)state;
    strait_recipe recipe = {.data = {.validation_fraction = 0.8}};
    strait_data *data = NULL, *train = NULL, *validation = NULL;
    float *values = st_alloc(60000, sizeof *values);
    assert_int_equal(strait_data_from_rows(&data, values, 60000, 1, (int64_t[]){1}, NULL), STRAIT_OK);
    assert_int_equal(st_data_open_splits(&train, &validation, &recipe, data, NULL, NULL), STRAIT_OK);
    assert_int_equal(strait_data_count(train), 12000);
    assert_int_equal(strait_data_count(validation), 48000);
    strait_data_free(train);
    strait_data_free(validation);
    strait_data_free(data);
    st_free(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_fraction), cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_overrides),   cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_scaling),     cmocka_unit_test(test_fraction_of_sixty_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
