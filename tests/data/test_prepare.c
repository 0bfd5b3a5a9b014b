#include <math.h>
#include "base/string.h"
#include "data/derive.h"
#include "data/elastic.h"
#include "image/png.h"
#include "files.h"

static strait_data *rows(const float *values, int64_t n, int n_dims, const int64_t *dim) {
    strait_data *data = NULL;
    assert_int_equal(strait_data_from_rows(&data, values, n, n_dims, dim, NULL), STRAIT_OK);
    return data;
}

static strait_array *prepared_rows(strait_data *data, const strait_recipe *recipe) {
    strait_data *ready = NULL;
    strait_array *array = NULL;
    strait_error err = {0};
    if (st_data_prepare(&ready, data, recipe, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(strait_data_rows(&array, ready, 0, strait_data_count(ready), NULL), STRAIT_OK);
    strait_data *again = NULL;
    assert_int_equal(st_data_prepare(&again, ready, recipe, NULL), STRAIT_OK);
    assert_ptr_equal(again->source, ready->source); /* once is enough */
    strait_data_free(again);
    strait_data_free(ready);
    return array;
}

/* Two images of 4 x 5 x 3 whose values tell their place: 1000 i + 100 y + 10 x + c. */
enum { H = 4, W = 5, C = 3 };
static strait_data *places(void) {
    float values[2 * H * W * C];
    for (int k = 0; k < 2 * H * W * C; k++)
        values[k] = (float)(1000 * (k / (H * W * C)) + 100 * (k / (W * C) % H) + 10 * (k / C % W) + k % C);
    return rows(values, 2, 3, (int64_t[]){H, W, C});
}

/* The centre begins at floor((H - h) / 2), as Keras' CenterCrop has it; the box where it says. */
static void test_crop_and_pick(void **state) {
    (void)state;
    strait_data *data = places();
    strait_recipe recipe = {.data = {.crop = {.on = true, .height = 1, .width = 2},
                                     .channels = {.kind = ST_CHANNELS_PICK, .n = 2, .pick = {2, 0}}}};
    strait_array *array = prepared_rows(data, &recipe);
    const float centre[] = {112, 110, 122, 120, 1112, 1110, 1122, 1120};
    assert_memory_equal(array->values, centre, sizeof centre);
    assert_int_equal(array->dim[3], 2);
    strait_array_free(array);
    recipe.data.crop = (st_crop){.on = true, .box = true, .height = 2, .width = 1, .top = 2, .left = 4};
    recipe.data.channels = (st_channels){0};
    array = prepared_rows(data, &recipe);
    const float corner[] = {240, 241, 242, 340, 341, 342};
    assert_memory_equal(array->values, corner, sizeof corner);
    strait_array_free(array);
    strait_data *ready = NULL;
    strait_error err = {0};
    recipe.data.crop.top = 3;
    recipe.data.crop_pos = (st_pos){"r.yaml", 7, 9};
    assert_int_equal(st_data_prepare(&ready, data, &recipe, &err), STRAIT_SHAPE);
    assert_non_null(strstr(err.message, "r.yaml:7:9: crop: "));
    assert_non_null(strstr(err.message, "has 4×5 pixels, and the crop ends at row 5, column 5"));
    recipe.data.crop.top = 2;
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
}

/* Pillow 9.4: Image.fromarray of these colours, convert("L"): 76, 150, 29, 91. */
static void test_mixtures(void **state) {
    (void)state;
    const unsigned char colours[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 130, 100};
    const uint8_t gray[] = {76, 150, 29, 91};
    const float expected[][4] = {{0, 0, 0, 10}, {255, 255, 255, 130}, {85, 85, 85, 80}};
    assert_int_equal(st_png_write(test_path("c.png"), 2, 2, 3, colours, NULL), STRAIT_OK);
    strait_data *data = open_good(test_path("c.png"));
    strait_recipe recipe = {.data.channels.kind = ST_CHANNELS_GRAY};
    strait_array *array = prepared_rows(data, &recipe);
    for (int i = 0; i < 4; i++)
        assert_true(array->values[i] == (float)gray[i]);
    strait_array_free(array);
    for (int k = 0; k < 3; k++) {
        recipe.data.channels.kind = (st_channels_kind)(ST_CHANNELS_OVERLAP + k);
        array = prepared_rows(data, &recipe);
        assert_memory_equal(array->values, expected[k], sizeof expected[k]);
        strait_array_free(array);
    }
    strait_data_free(data);
}

/* numpy: x.mean(0), x.std(0) of the three rows 1 10 7, 2 30 7, 6 20 7 are 3 20 7 and sqrt(14 / 3), sqrt(200 / 3), 0;
   the last column becomes 0 (sklearn's StandardScaler). */
static void test_standard(void **state) {
    (void)state;
    const float values[] = {1, 10, 7, 2, 30, 7, 6, 20, 7};
    strait_data *data = rows(values, 3, 1, (int64_t[]){3}), *train = NULL, *validation = NULL;
    strait_recipe recipe = {.data = {.scale = ST_SCALE_STANDARD, .scale_features = true}};
    double offset, factor;
    assert_int_equal(st_data_open_splits(&train, &validation, &recipe, data, NULL, NULL), STRAIT_OK);
    strait_array *array = NULL;
    assert_int_equal(strait_data_rows(&array, train, 0, 3, NULL), STRAIT_OK);
    for (int i = 0; i < 9; i++) {
        const double mean[] = {3, 20, 7}, deviation[] = {sqrt(14 / 3.0), sqrt(200 / 3.0), 1};
        assert_true(fabs((double)array->values[i] - ((double)values[i] - mean[i % 3]) / deviation[i % 3]) < 1e-6);
    }
    assert_int_equal(st_data_scaling(&offset, &factor, train, &recipe, NULL), STRAIT_OK);
    assert_true(offset == 0 && factor == 1); /* done already */
    strait_array_free(array);
    strait_data_free(train);
    st_free(recipe.data.offsets.value);
    st_free(recipe.data.factors.value);

    recipe = (strait_recipe){.data.scale = ST_SCALE_STANDARD}; /* all: 90 / 9 = 10, variance (818 - 0) / 9 */
    assert_int_equal(st_data_scaling(&offset, &factor, data, &recipe, NULL), STRAIT_OK);
    double squares = 0;
    for (int i = 0; i < 9; i++)
        squares += ((double)values[i] - 10) * ((double)values[i] - 10);
    assert_true(fabs(offset - 10) < 1e-12 && fabs(factor - 1 / sqrt(squares / 9)) < 1e-12);
    strait_data_free(data);
}

/* A folder of 2 x 2 images, each one value: what it holds by name. */
static void make_images(const char *folder, const char *const *names, const int *value, int n) {
    char path[256];
    assert_int_equal(st_make_folders(test_path(folder), NULL), STRAIT_OK);
    for (int i = 0; i < n; i++) {
        const unsigned char v = (unsigned char)value[i], pixels[] = {v, v, v, v};
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(st_png_write(test_path(path), 2, 2, 1, pixels, NULL), STRAIT_OK);
    }
}

/* By name although the order differs, and the clean ones have one more; noise goes on the input alone. */
static void test_pairs(void **state) {
    (void)state;
    static const char *const noisy[] = {"b.png", "c.png"}, *const clean[] = {"a.png", "b.png", "c.png"};
    make_images("noisy", noisy, (int[]){20, 30}, 2);
    make_images("clean", clean, (int[]){1, 2, 3}, 3);
    char both[512];
    snprintf(both, sizeof both, "%s -> %s", test_path("noisy"), test_path("clean"));
    strait_data *data = open_good(both), *ready = NULL;
    const strait_recipe recipe = {.data.crop = {.on = true, .height = 1, .width = 1}};
    assert_int_equal(st_data_prepare(&ready, data, &recipe, NULL), STRAIT_OK);
    const st_batches_config config = {.data = ready, .batch_size = 2, .factor = 1, .ahead = 1};
    st_batches *batches = NULL;
    st_batch batch;
    assert_int_equal(st_batches_new(&batches, &config, NULL), STRAIT_OK);
    st_batches_start(batches, 0, 0);
    assert_int_equal(st_batches_next(&batch, batches, NULL), STRAIT_OK);
    assert_true(batch.input[0] == 20 && batch.input[1] == 30 && batch.target[0] == 2 && batch.target[1] == 3);
    st_batches_free(batches);
    strait_data_free(ready);
    strait_data_free(data);
    snprintf(both, sizeof both, "%s -> %s", test_path("clean"), test_path("noisy"));
    strait_error err = {0};
    assert_int_equal(strait_data_open(&data, both, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "none called as a.png is"));
    for (uint64_t n = 1;; n++) {
        snprintf(both, sizeof both, "%s -> %s", test_path("noisy"), test_path("clean"));
        st_alloc_fail_at(n);
        const strait_status status = strait_data_open(&data, both, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_data_free(data);
}

static void test_joined_channels(void **state) {
    (void)state;
    static const char *const red[] = {"1_r.png", "2_r.png"}, *const green[] = {"1_g.png", "2_g.png"};
    make_images("red", red, (int[]){10, 20}, 2);
    make_images("green", green, (int[]){1, 2}, 2);
    char all[768];
    snprintf(all, sizeof all, "%s + %s + %s", test_path("red"), test_path("green"), test_path("red"));
    strait_data *data = open_good(all);
    strait_array *array = NULL;
    assert_int_equal(strait_data_rows(&array, data, 0, 2, NULL), STRAIT_OK);
    assert_int_equal(array->dim[3], 3);
    for (int i = 0; i < 24; i++)
        assert_true(array->values[i] == (float)((i % 3 == 1 ? 1 : 10) * (1 + i / 12)));
    strait_array_free(array);
    strait_data_free(data);
}

/* Of 60, 30 and 11 samples of three labels a fifth of 101 is floor(101 * 0.8 + 1e-6) = 80 to train on, 21 to validate:
   quotas 12.48, 6.24, 2.29, so that the largest remainder gets one more: 13, 6, 2. */
static void test_stratified(void **state) {
    (void)state;
    float values[101] = {0};
    int64_t labels[101], seen[2][3] = {{0}};
    for (int i = 0; i < 101; i++)
        labels[i] = i % 10 == 0 ? 2 : i % 10 < 4 ? 1 : 0;
    strait_data *data = rows(values, 101, 1, (int64_t[]){1});
    data->source->labels = labels; /* 11, 30, 60 */
    const strait_recipe recipe = {.seed = 3, .data.split = ST_SPLIT_STRATIFIED};
    uint32_t *order = NULL, *other = NULL;
    assert_int_equal(st_data_draw_validation(&order, data, 21, &recipe, NULL), STRAIT_OK);
    for (int i = 0; i < 101; i++) {
        seen[i >= 80][labels[order[i]]]++;
        if (i != 0 && i != 80) assert_true(order[i] > order[i - 1]);
    }
    assert_true(seen[1][0] == 13 && seen[1][1] == 6 && seen[1][2] == 2);
    assert_true(seen[0][0] == 47 && seen[0][1] == 24 && seen[0][2] == 9);
    strait_recipe seeded = recipe;
    seeded.data.split_seed = 3; /* the same seed by its own key */
    assert_int_equal(st_data_draw_validation(&other, data, 21, &seeded, NULL), STRAIT_OK);
    assert_memory_equal(order, other, 101 * sizeof *order);
    st_free(other);
    seeded.data.split_seed = 4;
    assert_int_equal(st_data_draw_validation(&other, data, 21, &seeded, NULL), STRAIT_OK);
    assert_memory_not_equal(order, other, 101 * sizeof *order);
    st_free(other);
    st_free(order);
    data->source->labels = NULL;
    assert_int_equal(st_data_draw_validation(&order, data, 21, &recipe, NULL), STRAIT_RECIPE);
    strait_data_free(data);
}

/* Each displacement is a weighted sum of uniform values of variance 1/3: away from the edge its variance is alpha^2 / 3
   times the sum of the squared weights, which of a Gaussian of sigma is 1 / (4 pi sigma^2) in the plane. */
static void test_elastic(void **state) {
    (void)state;
    enum { SIDE = 48, MIDDLE = SIDE / 2 * SIDE + SIDE / 2, DRAWS = 600 };
    st_elastic elastic;
    double squares = 0, sum = 0, neighbours = 0;
    assert_int_equal(st_elastic_init(&elastic, SIDE, SIDE, 34, 4, NULL), STRAIT_OK);
    for (uint32_t s = 0; s < DRAWS; s++) {
        const st_rng rng = {5, ST_RNG_AUGMENT, 0, s};
        st_elastic_draw(&elastic, &rng);
        const double d = (double)elastic.field[0][MIDDLE];
        sum += d;
        squares += d * d;
        neighbours += d * (double)elastic.field[0][MIDDLE + 1];
    }
    const double expected = 34.0 * 34 / 3 / (4 * 3.14159265358979323846 * 16);
    assert_true(fabs(sum / DRAWS) < 5 * sqrt(expected / DRAWS));
    assert_true(fabs(squares / DRAWS / expected - 1) < 5 * sqrt(2.0 / DRAWS));
    /* Neighbours move alike: correlation exp(-1 / (4 sigma^2)) = 0.984. */
    assert_true(fabs(neighbours / squares - exp(-1.0 / 64)) < 0.02);
    st_elastic_close(&elastic);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crop_and_pick), cmocka_unit_test(test_mixtures),        cmocka_unit_test(test_standard),
        cmocka_unit_test(test_pairs),         cmocka_unit_test(test_joined_channels), cmocka_unit_test(test_stratified),
        cmocka_unit_test(test_elastic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
