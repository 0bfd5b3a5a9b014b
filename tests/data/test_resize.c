#include <math.h>
#include "data/data_int.h"
#include "data/resize.h"
#include "files.h"

/* PyTorch 1.13.1: interpolate(image, size=(H, W), mode="bilinear", antialias=True, align_corners=False) of float32
   images whose value at row y, column x, channel c is (37 y + 101 x + 53 c) % 256; printed with four decimals. */
typedef struct torch_case {
    int64_t from[2], channels, to[2];
    double expected[84];
} torch_case;

static const torch_case cases[] = {
    {{7, 5},
     1,
     {3, 4},
     {56.9643, 151.9405, 120.4405, 154.4643, 132.4853, 144.9068, 122.1912, 98.2206, 165.2500, 109.3690, 141.8690,
      98.1786}},
    {{4, 3}, 2, {6, 7}, {0.0000,   53.0000,  14.4286,  67.4286,  57.7143,  110.7143, 101.0000, 154.0000, 144.2857,
                         197.2857, 187.5714, 240.5714, 202.0000, 255.0000, 18.5000,  71.5000,  32.9286,  85.9286,
                         76.2143,  129.2143, 119.5000, 172.5000, 162.7857, 160.9286, 206.0714, 149.3571, 220.5000,
                         145.5000, 43.1667,  96.1667,  57.5952,  110.5952, 100.8810, 153.8810, 144.1667, 197.1667,
                         169.1667, 130.7381, 194.1667, 64.3095,  202.5000, 42.1667,  67.8333,  120.8333, 82.2619,
                         135.2619, 125.5476, 178.5476, 168.8333, 221.8333, 120.6905, 155.4048, 72.5476,  88.9762,
                         56.5000,  66.8333,  92.5000,  145.5000, 106.9286, 141.6429, 150.2143, 130.0714, 193.5000,
                         118.5000, 127.0714, 106.9286, 60.6428,  95.3571,  38.5000,  91.5000,  111.0000, 164.0000,
                         125.4286, 141.8571, 168.7143, 75.4286,  212.0000, 9.0000,   145.5714, 52.2857,  79.1428,
                         95.5714,  57.0000,  110.0000}},
    {{9, 8}, 1, {2, 11}, {80.7747,  127.6729, 147.5346, 120.6869, 123.3400, 125.9929, 124.5486, 114.0903,
                          140.5077, 136.9328, 113.5211, 121.4789, 117.2426, 129.2375, 158.7689, 119.4654,
                          109.0070, 123.9520, 165.9392, 126.7996, 126.5026, 154.2254}},
};

static int value_of(const torch_case *c, int64_t i) {
    const int64_t channel = i % c->channels, x = i / c->channels % c->from[1], y = i / c->channels / c->from[1];
    return (int)((y * 37 + x * 101 + channel * 53) % 256);
}

static void test_against_torch(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const torch_case *c = &cases[k];
        float source[128], result[128];
        uint8_t bytes[128], small[128];
        uint16_t words[128], wide[128];
        for (int64_t i = 0; i < c->from[0] * c->from[1] * c->channels; i++) {
            bytes[i] = (uint8_t)value_of(c, i);
            words[i] = (uint16_t)(257 * bytes[i]);
            source[i] = bytes[i];
        }
        assert_int_equal(st_resize(result, c->to, source, c->from, c->channels, ST_F32, NULL), STRAIT_OK);
        assert_int_equal(st_resize(small, c->to, bytes, c->from, c->channels, ST_U8, NULL), STRAIT_OK);
        assert_int_equal(st_resize(wide, c->to, words, c->from, c->channels, ST_U16, NULL), STRAIT_OK);
        for (int64_t i = 0; i < c->to[0] * c->to[1] * c->channels; i++) {
            assert_true(fabs((double)result[i] - c->expected[i]) < 2e-4);
            assert_true(fabs(small[i] - c->expected[i]) <= 0.5 + 2e-4);
            assert_true(fabs(wide[i] - 257 * c->expected[i]) <= 0.5 + 257 * 2e-4);
        }
    }
}

/* What is constant stays so, whatever the sizes: the weights sum to 1, the edges included. */
static void test_constant(void **state) {
    (void)state;
    uint8_t source[40 * 40], result[40 * 40];
    memset(source, 255, sizeof source);
    for (int64_t n = 1; n <= 40; n += 3)
        for (int64_t m = 1; m <= 40; m += 3) {
            assert_int_equal(st_resize(result, (int64_t[]){n, m}, source, (int64_t[]){m, n}, 1, ST_U8, NULL),
                             STRAIT_OK);
            for (int64_t i = 0; i < n * m; i++)
                assert_int_equal(result[i], 255);
        }
}

static strait_data *make_images(int64_t n) {
    float values[5 * 4 * 3];
    strait_data *data = NULL;
    for (int i = 0; i < 60; i++)
        values[i] = (float)i;
    assert_int_equal(strait_data_from_rows(&data, values, n, 3, (int64_t[]){4, 3, 1}, NULL), STRAIT_OK);
    return data;
}

static void test_prepare(void **state) {
    (void)state;
    strait_data *data = make_images(5), *ready = NULL, *again = NULL;
    strait_recipe recipe = {.data.resize = {2, 3}};
    strait_error err = {0};
    assert_int_equal(st_data_prepare(&ready, data, &recipe, NULL), STRAIT_OK);
    assert_int_equal(strait_data_count(ready), 5);
    assert_int_equal(ready->source->dim[0], 2);
    assert_int_equal(ready->source->n_values, 6);
    assert_int_equal(st_data_prepare(&again, ready, &recipe, NULL), STRAIT_OK);
    assert_ptr_equal(again->source, ready->source); /* once is enough */
    strait_data_free(again);
    strait_data_free(ready);
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = st_data_prepare(&ready, data, &recipe, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(ready);
    }
    strait_data_free(ready);
    strait_data_free(data);

    assert_int_equal(strait_data_from_rows(&data, (float[]){1, 2, 3, 4}, 2, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    assert_int_equal(st_data_prepare(&ready, data, &recipe, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "resize: the samples of rows are rows of 2 values, not images"));
    strait_data_free(data);
}

/* Training and validation both; the fraction is split off what was resized. */
static void test_splits(void **state) {
    (void)state;
    strait_data *data = make_images(5), *train = NULL, *validation = NULL;
    strait_recipe recipe = {.data = {.resize = {8, 8}, .validation_fraction = 0.4}};
    assert_int_equal(st_data_open_splits(&train, &validation, &recipe, data, NULL, NULL), STRAIT_OK);
    assert_int_equal(strait_data_count(train), 3);
    assert_int_equal(strait_data_count(validation), 2);
    assert_int_equal(train->source->dim[0], 8);
    assert_int_equal(validation->source->dim[1], 8);
    strait_data_free(train);
    strait_data_free(validation);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_torch),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
