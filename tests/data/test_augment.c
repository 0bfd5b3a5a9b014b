#include <math.h>
#include "data/augment.h"
#include "data/data_int.h"
#include "files.h"

enum { H = 6, W = 5, C = 2, VALUES = H * W * C, N = 7 };

static const int64_t shape[] = {H, W, C};

static void fill(float *image) {
    for (int i = 0; i < VALUES; i++)
        image[i] = (float)((i * 31) % 97);
}

static const float *at(const float *image, int y, int x) {
    return image + (y * W + x) * C;
}

static st_rng stream(uint32_t sample) {
    return (st_rng){7, ST_RNG_AUGMENT, 3, sample};
}

/* Each of the four mirror images turns up, and nothing else does. */
static void test_flips(void **state) {
    (void)state;
    float image[VALUES], result[VALUES];
    int seen[2][2] = {{0}};
    fill(image);
    const st_augment augment = {.flip = {true, true}};
    for (uint32_t s = 0; s < 64; s++) {
        const st_rng rng = stream(s);
        st_augment_apply(result, image, shape, &augment, &rng);
        int matches = 0;
        for (int v = 0; v < 2; v++)
            for (int h = 0; h < 2; h++) {
                bool same = true;
                for (int y = 0; y < H; y++)
                    for (int x = 0; x < W; x++)
                        same = same && memcmp(at(result, y, x), at(image, v ? H - 1 - y : y, h ? W - 1 - x : x),
                                              C * sizeof(float)) == 0;
                seen[v][h] += same;
                matches += same;
            }
        assert_int_equal(matches, 1);
    }
    /* A fair coin each: 16 of 64 expected, 3.46 the standard deviation. */
    for (int v = 0; v < 2; v++)
        for (int h = 0; h < 2; h++)
            assert_in_range(seen[v][h], 3, 29);
}

/* A ramp stays a ramp under an affine map: value a y + b x + c is taken at the mapped place, so the result's inside has
   constant differences; their length tells the zoom, their direction the angle. */
static void ramp_steps(double step[2], double *middle, const st_augment *augment, uint32_t sample) {
    enum { SIDE = 21 };
    float image[SIDE * SIDE], result[SIDE * SIDE];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            image[y * SIDE + x] = (float)(100 + x);
    const st_rng rng = stream(sample);
    st_augment_apply(result, image, (int64_t[]){SIDE, SIDE, 1}, augment, &rng);
    const int centre = SIDE / 2 * SIDE + SIDE / 2;
    step[0] = (double)(result[centre + SIDE] - result[centre - SIDE]) / 2;
    step[1] = (double)(result[centre + 1] - result[centre - 1]) / 2;
    *middle = (double)result[centre] - 110;
}

static void test_rotate_zoom_shift(void **state) {
    (void)state;
    double least = 9, most = -9, step[2], middle;
    const st_augment rotate = {.rotate = 20};
    for (uint32_t s = 0; s < 200; s++) {
        ramp_steps(step, &middle, &rotate, s);
        const double degrees = atan2(step[0], step[1]) * 180 / 3.14159265358979323846;
        assert_true(fabs(hypot(step[0], step[1]) - 1) < 1e-4);
        assert_true(fabs(middle) < 1e-4);
        least = fmin(least, degrees);
        most = fmax(most, degrees);
    }
    assert_true(least >= -20.01 && least < -18 && most <= 20.01 && most > 18);

    least = 9, most = 0;
    const st_augment zoom = {.zoom = 0.2};
    for (uint32_t s = 0; s < 200; s++) {
        ramp_steps(step, &middle, &zoom, s);
        assert_true(fabs(step[0]) < 1e-4 && fabs(middle) < 1e-4);
        least = fmin(least, 1 / step[1]); /* how much larger it is */
        most = fmax(most, 1 / step[1]);
    }
    assert_true(least >= 0.7999 && least < 0.82 && most <= 1.2001 && most > 1.18);

    least = 99, most = -99;
    const st_augment shift = {.shift = {0, 0.1}};
    for (uint32_t s = 0; s < 200; s++) {
        ramp_steps(step, &middle, &shift, s);
        assert_true(fabs(step[0]) < 1e-4 && fabs(step[1] - 1) < 1e-4);
        least = fmin(least, middle);
        most = fmax(most, middle);
    }
    assert_true(least >= -2.101 && least < -1.9 && most <= 2.101 && most > 1.9); /* a tenth of 21 pixels */
}

/* Contrast and brightness as drawn: c and b, from what they make of an image's deviations and of its mean. */
static void measure_light(double *c, double *b, st_augmenter *augmenter, uint32_t sample) {
    float image[VALUES], result[VALUES];
    double mean[2] = {0}, product = 0, square = 0;
    const st_rng rng = stream(sample);
    fill(image);
    st_augmenter_draw(augmenter, &rng);
    st_augmenter_apply(augmenter, result, image);
    for (int i = 0; i < VALUES; i++) {
        mean[0] += (double)image[i] / VALUES;
        mean[1] += (double)result[i] / VALUES;
    }
    for (int i = 0; i < VALUES; i++) {
        product += ((double)image[i] - mean[0]) * ((double)result[i] - mean[1]);
        square += ((double)image[i] - mean[0]) * ((double)image[i] - mean[0]);
    }
    *c = product / square;
    *b = mean[1] - mean[0];
    for (int i = 0; i < VALUES; i++) /* the same for all values */
        assert_true(fabs((double)result[i] - (mean[1] + *c * ((double)image[i] - mean[0]))) < 1e-3);
}

/* Uniform in 1 ± 0.3 and ± 20: of n draws the mean is off by 4 standard errors at most once in 16,000 times, the
   variance is width^2 / 12, and both are drawn apart. */
static void test_light(void **state) {
    (void)state;
    enum { DRAWS = 4000 };
    const double half[2] = {0.3, 20};
    const st_augment settings = {.contrast = half[0], .brightness = half[1]};
    st_augmenter *augmenter = NULL;
    double sum[2] = {0}, square[2] = {0}, both = 0;
    assert_int_equal(st_augmenter_new(&augmenter, &settings, shape, NULL, NULL), STRAIT_OK);
    for (uint32_t s = 0; s < DRAWS; s++) {
        double drawn[2];
        measure_light(&drawn[0], &drawn[1], augmenter, s);
        drawn[0] -= 1;
        for (int k = 0; k < 2; k++) {
            assert_true(fabs(drawn[k]) < 1.0001 * half[k]);
            sum[k] += drawn[k] / half[k];
            square[k] += drawn[k] * drawn[k] / (half[k] * half[k]);
        }
        both += drawn[0] / half[0] * drawn[1] / half[1];
    }
    for (int k = 0; k < 2; k++) {
        assert_true(fabs(sum[k] / DRAWS) < 4 / sqrt(3.0 * DRAWS));
        /* u^2 of u uniform in ± 1 has the mean 1/3 and the variance 4/45. */
        assert_true(fabs(square[k] / DRAWS - 1.0 / 3) < 4 * sqrt(4.0 / 45 / DRAWS));
    }
    assert_true(fabs(both / DRAWS) < 4.0 / 3 / sqrt(DRAWS));
    st_augmenter_free(augmenter);

    /* What no stored image holds is cut. */
    const float limit[] = {10, 60};
    float image[VALUES], result[VALUES];
    fill(image);
    assert_int_equal(st_augmenter_new(&augmenter, &settings, shape, limit, NULL), STRAIT_OK);
    const st_rng rng = stream(1);
    st_augmenter_draw(augmenter, &rng);
    st_augmenter_apply(augmenter, result, image);
    int n_cut = 0;
    for (int i = 0; i < VALUES; i++) {
        assert_true(result[i] >= 10 && result[i] <= 60);
        n_cut += result[i] == 10 || result[i] == 60;
    }
    assert_true(n_cut > 0);
    st_augmenter_free(augmenter);
}

/* Beyond the edge stands the nearest pixel: no value that was not there, none invented. */
static void test_edges(void **state) {
    (void)state;
    float image[VALUES], result[VALUES];
    fill(image);
    const st_augment augment = {.rotate = 180, .shift = {0.9, 0.9}, .zoom = 0.5, .flip = {true, true}};
    for (uint32_t s = 0; s < 300; s++) {
        const st_rng rng = stream(s);
        st_augment_apply(result, image, shape, &augment, &rng);
        for (int i = 0; i < VALUES; i++)
            assert_true(result[i] >= 0 && result[i] <= 96);
    }
}

static strait_data *make_data(void) {
    float values[N * VALUES];
    strait_data *data = NULL;
    for (int i = 0; i < N * VALUES; i++)
        values[i] = (float)((i * 17) % 256);
    assert_int_equal(strait_data_from_rows(&data, values, N, 3, shape, NULL), STRAIT_OK);
    return data;
}

static st_batches_config config_over(strait_data *data, int ahead) {
    return (st_batches_config){.data = data,
                               .batch_size = 3,
                               .shuffle = true,
                               .seed = 5,
                               .factor = 1,
                               .augment = {.rotate = 10, .shift = {0.1, 0.1}, .flip = {false, true}},
                               .ahead = ahead};
}

/* All targets of an epoch, by sample; input is the target, or with noise at least not the clean original. */
static void collect(float out[N][VALUES], const st_batches_config *config, uint32_t epoch, int64_t first) {
    st_batches *batches = NULL;
    st_batch batch;
    assert_int_equal(st_batches_new(&batches, config, NULL), STRAIT_OK);
    st_batches_start(batches, epoch, first);
    const uint64_t before = st_alloc_count();
    while (st_batches_next(&batch, batches, NULL) == STRAIT_OK && batch.n > 0)
        for (int64_t i = 0; i < batch.n; i++)
            memcpy(out[batch.sample[i]], batch.target + i * VALUES, sizeof out[0]);
    assert_int_equal(st_alloc_count(), before);
    st_batches_free(batches);
}

static void test_batches(void **state) {
    (void)state;
    static float expected[N][VALUES], found[N][VALUES];
    strait_data *data = make_data();
    st_batches_config config = config_over(data, 0);
    collect(expected, &config, 2, 0);
    for (uint32_t i = 0; i < N; i++) { /* a function of (seed, epoch, sample) */
        float straight[VALUES];
        const st_rng rng = {5, ST_RNG_AUGMENT, 2, i};
        st_augment_apply(straight, (const float *)data->source->values + i * VALUES, shape, &config.augment, &rng);
        assert_memory_equal(expected[i], straight, sizeof straight);
        assert_memory_not_equal(expected[i], (const float *)data->source->values + i * VALUES, sizeof straight);
    }
    config.ahead = 3;
    collect(found, &config, 2, 0);
    assert_memory_equal(found, expected, sizeof found);
    config.shuffle = false; /* the order does not matter */
    collect(found, &config, 2, 0);
    assert_memory_equal(found, expected, sizeof found);
    config.corrupt = (st_corrupt){.gaussian = 0.1}; /* the noise comes after */
    collect(found, &config, 2, 0);
    assert_memory_equal(found, expected, sizeof found);
    collect(found, &config, 3, 0);
    assert_memory_not_equal(found, expected, sizeof found);
    strait_data_free(data);
}

static void test_rows_are_refused(void **state) {
    (void)state;
    strait_data *data = NULL, *train = NULL, *validation = NULL;
    st_batches *batches = NULL;
    strait_error err = {0};
    strait_recipe recipe = {.data.augment = {.rotate = 5}};
    assert_int_equal(strait_data_from_rows(&data, (float[]){1, 2, 3, 4}, 2, 1, (int64_t[]){2}, NULL), STRAIT_OK);
    assert_int_equal(st_data_open_splits(&train, &validation, &recipe, data, NULL, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "augment: the samples of rows are rows of 2 values, not images"));
    assert_null(train);
    const st_batches_config config = config_over(data, 0);
    assert_int_equal(st_batches_new(&batches, &config, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "augment: rows has no images"));
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips), cmocka_unit_test(test_rotate_zoom_shift), cmocka_unit_test(test_light),
        cmocka_unit_test(test_edges), cmocka_unit_test(test_batches),           cmocka_unit_test(test_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
