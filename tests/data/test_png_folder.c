#include <sys/stat.h>
#include <unistd.h>
#include "base/string.h"
#include "data/data_int.h"
#include "files.h"
#include "image/png_files.h"

static void make_folder(const char *name) {
    assert_int_equal(mkdir(test_path(name), 0777), 0);
}

static void grey(const char *name, int height, int width, uint8_t value) {
    write_png_flat(test_path(name), height, width, 8, PNG_COLOR_TYPE_GRAY, value);
}

/* The first value of each sample, in order. */
static void assert_values(strait_data *data, int64_t n, const float *expected) {
    strait_array *rows = NULL;
    strait_error err = {0};
    assert_int_equal(strait_data_count(data), n);
    if (strait_data_rows(&rows, data, 0, n, &err) != STRAIT_OK) fail_msg("%s", err.message);
    for (int64_t i = 0; i < n; i++)
        assert_true(rows->values[i * data->source->n_values] == expected[i]);
    strait_array_free(rows);
}

/* By name in the order of bytes, upper case first; other files and hidden ones left alone. */
static void test_flat_folder(void **state) {
    (void)state;
    make_folder("flat");
    grey("flat/b.png", 4, 3, 2);
    grey("flat/a10.png", 4, 3, 11);
    grey("flat/a9.png", 4, 3, 9);
    grey("flat/B.PNG", 4, 3, 1);
    grey("flat/.hidden.png", 4, 3, 99);
    test_file("flat/notes.txt", "x", 1);
    strait_data *data = open_good(test_path("flat"));
    strait_data_info info;
    assert_values(data, 4, (float[]){1, 11, 9, 2});
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.format, "png");
    assert_string_equal(info.storage, "u8");
    assert_true(info.resident);
    assert_int_equal(info.bytes, 4 * 12);
    assert_int_equal(info.dim[0], 4);
    assert_int_equal(info.dim[1], 3);
    assert_int_equal(info.dim[2], 1);
    assert_false(info.has_labels);
    assert_null(info.note);
    assert_string_equal(strait_data_sample_name(data, 1), "a10.png");
    strait_data_free(data);
    assert_open_survives_failing_allocations(test_path("flat"));

    data = open_good(test_path("flat/a*.png"));
    assert_values(data, 2, (float[]){11, 9});
    strait_data_free(data);
    data = open_good(test_path("flat/b.png"));
    assert_values(data, 1, (float[]){2});
    assert_string_equal(strait_data_sample_name(data, 0), "b.png");
    strait_data_free(data);
    assert_open_fails(test_path("flat/z*.png"), STRAIT_NOT_FOUND, "%s: no file matches", test_path("flat/z*.png"));
    assert_open_fails(test_path("flat/*"), STRAIT_FORMAT,
                      "%s: a pattern picks images (.png, .jpg, .tif); this file it matches is none",
                      test_path("flat/notes.txt"));
}

static void test_labels_and_splits(void **state) {
    (void)state;
    make_folder("set");
    make_folder("set/train");
    make_folder("set/train/dog");
    make_folder("set/train/cat");
    make_folder("set/test");
    grey("set/train/dog/1.png", 2, 2, 10);
    grey("set/train/cat/2.png", 2, 2, 20);
    grey("set/train/dog/3.png", 2, 2, 30);
    grey("set/test/4.png", 2, 2, 40);
    strait_data *data = open_good(test_path("set"));
    strait_data_info info;
    assert_values(data, 3, (float[]){20, 10, 30});
    assert_int_equal(strait_data_label(data, 0), 0);
    assert_int_equal(strait_data_label(data, 2), 1);
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.label_name[0], "cat");
    assert_string_equal(info.label_name[1], "dog");
    assert_string_equal(strait_data_sample_name(data, 2), "dog/3.png");
    strait_data_free(data);
    data = open_good(test_path("set#test"));
    assert_values(data, 1, (float[]){40});
    strait_data_free(data);
    assert_open_fails(test_path("set#val"), STRAIT_ARGUMENT, "%s: has no split 'val': there is no such folder in it",
                      test_path("set"));
    data = open_good(test_path("set/train/*/*.png"));
    assert_int_equal(strait_data_label(data, 2), 1);
    strait_data_free(data);
    /* What is not found from here is looked for in the data folders. */
    setenv("STRAIT_DATA", test_folder(), 1);
    data = open_good("set/train/cat");
    assert_values(data, 1, (float[]){20});
    strait_data_free(data);
    data = open_good("set#test");
    assert_values(data, 1, (float[]){40});
    strait_data_free(data);
    unsetenv("STRAIT_DATA");
}

static void test_kinds(void **state) {
    (void)state;
    make_folder("kinds");
    write_png_flat(test_path("kinds/a.png"), 2, 3, 16, PNG_COLOR_TYPE_RGB_ALPHA, 0x12);
    write_png_flat(test_path("kinds/b.png"), 2, 3, 16, PNG_COLOR_TYPE_RGB, 0x34);
    strait_data *data = open_good(test_path("kinds"));
    strait_data_info info;
    assert_values(data, 2, (float[]){0x1212, 0x3434});
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.storage, "u16");
    assert_int_equal(info.dim[2], 3);
    assert_string_equal(info.note, "alpha is dropped, in 1 of the images");
    strait_data_free(data);
    write_png_flat(test_path("kinds/c.png"), 2, 3, 8, PNG_COLOR_TYPE_RGB, 1);
    assert_open_fails(test_path("kinds"), STRAIT_FORMAT,
                      "%s: is 8-bit RGB, and %s is 16-bit RGB; all images of a data set must be of one kind",
                      test_path("kinds/c.png"), test_path("kinds/a.png"));
    test_file("kinds/a.png", "no", 2);
    assert_open_fails(test_path("kinds"), STRAIT_FORMAT, "%s: not a PNG file", test_path("kinds/a.png"));
}

/* Images of several sizes open, but are only good for resizing. */
static void test_several_sizes(void **state) {
    (void)state;
    make_folder("mixed");
    make_folder("mixed/x");
    make_folder("mixed/y");
    grey("mixed/x/a.png", 4, 3, 5);
    grey("mixed/y/b.png", 9, 7, 6);
    grey("mixed/y/c.png", 2, 2, 7);
    const char *path = test_path("mixed");
    char expected[1024];
    snprintf(
        expected, sizeof expected,
        "%s: its images have several sizes (a.png is 4×3, b.png is 9×7); bring them to one: data: {resize: [h, w]}",
        path);
    strait_data *data = open_good(path), *ready = NULL, *part = NULL;
    strait_data_info info;
    strait_array *rows = NULL;
    st_batches *batches = NULL;
    uint32_t crc;
    strait_recipe recipe = {0};
    strait_error err = {0};
    strait_data_quality quality;
    assert_int_equal(strait_data_describe(data, &info, &err), STRAIT_OK);
    assert_true(info.n_dims == 3 && info.dim[0] == 0 && info.dim[1] == 0 && info.dim[2] == 1);
    /* Each pixel counts: 12 of 5, 63 of 6, 4 of 7. */
    assert_true(info.minimum == 5 && info.maximum == 7);
    assert_true(info.mean > 0.999999 * 466 / 79 && info.mean < 1.000001 * 466 / 79);
    assert_int_equal(strait_data_inspect(&quality, data, &err), STRAIT_OK);
    assert_int_equal(quality.n_flat, 3);
    assert_int_equal(quality.n_duplicates, 0);
    assert_int_equal(strait_data_rows(&rows, data, 0, 1, &err), STRAIT_SHAPE);
    assert_string_equal(err.message, expected);
    assert_int_equal(st_data_checksum(&crc, data, &err), STRAIT_SHAPE);
    assert_int_equal(st_batches_new(&batches, &(st_batches_config){.data = data, .batch_size = 1}, &err), STRAIT_SHAPE);
    assert_int_equal(st_data_prepare(&ready, data, &recipe, &err), STRAIT_SHAPE);
    assert_string_equal(err.message, expected);

    recipe.data.resize[0] = 5;
    recipe.data.resize[1] = 6;
    assert_int_equal(st_data_slice(&part, data, 1, 2, NULL), STRAIT_OK);
    assert_int_equal(st_data_prepare(&ready, part, &recipe, &err), STRAIT_OK);
    strait_data_free(part);
    strait_data_free(data); /* in any order */
    assert_values(ready, 2, (float[]){6, 7});
    assert_int_equal(strait_data_describe(ready, &info, NULL), STRAIT_OK);
    assert_true(info.minimum == 6 && info.maximum == 7);
    assert_int_equal(info.dim[0], 5);
    assert_int_equal(info.dim[1], 6);
    assert_string_equal(info.label_name[0], "y");
    assert_int_equal(strait_data_label(ready, 1), 1);
    assert_string_equal(strait_data_sample_name(ready, 1), "y/c.png");
    assert_int_equal(st_data_checksum(&crc, ready, NULL), STRAIT_OK);
    /* crc32 of thirty 6s and thirty 7s, by Python's zlib.crc32(b"\6" * 30 + b"\7" * 30). */
    assert_int_equal(crc, 0x2707e111);
    strait_data_free(ready);
}

/* What is too large to be kept is read when it is needed: the same samples, sums and batches, resized or not. */
static void test_streamed(void **state) {
    (void)state;
    make_folder("streamed");
    for (int i = 0; i < 7; i++) {
        char name[64];
        uint8_t bytes[6 * 5];
        for (int k = 0; k < 30; k++)
            bytes[k] = (uint8_t)(i * 31 + k * 7);
        snprintf(name, sizeof name, "streamed/%d.png", i);
        const png_kind kind = {.width = 5, .height = 6, .bits = 8};
        write_png_rows(test_path(name), &kind, bytes);
    }
    const strait_recipe recipe = {.data.resize = {3, 4}};
    strait_data *data[2][2] = {{NULL}};
    uint32_t crc[2][2];
    strait_data_info info;
    strait_error err = {0};
    for (int streamed = 0; streamed < 2; streamed++) {
        st_source_set_resident_bytes(streamed ? 50 : 0);
        data[0][streamed] = open_good(test_path("streamed"));
        assert_int_equal(st_data_prepare(&data[1][streamed], data[0][streamed], &recipe, NULL), STRAIT_OK);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(strait_data_describe(data[k][streamed], &info, NULL), STRAIT_OK);
            assert_int_equal(info.resident, !streamed);
            assert_int_equal(st_data_checksum(&crc[k][streamed], data[k][streamed], NULL), STRAIT_OK);
        }
    }
    st_source_set_resident_bytes(0);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(crc[k][0], crc[k][1]);
        st_batches *batches[2] = {NULL};
        st_batch batch[2];
        for (int streamed = 0; streamed < 2; streamed++) {
            const st_batches_config config = {
                .data = data[k][streamed], .batch_size = 2, .shuffle = true, .seed = 1, .factor = 1, .ahead = 2};
            assert_int_equal(st_batches_new(&batches[streamed], &config, NULL), STRAIT_OK);
            st_batches_start(batches[streamed], 0, 0);
        }
        for (int b = 0; b < 4; b++) {
            for (int streamed = 0; streamed < 2; streamed++)
                assert_int_equal(st_batches_next(&batch[streamed], batches[streamed], NULL), STRAIT_OK);
            assert_int_equal(batch[0].n, b < 3 ? 2 : 1);
            assert_memory_equal(batch[0].input, batch[1].input, 2 * (size_t)(k ? 12 : 30) * sizeof(float));
        }
        st_batches_free(batches[0]);
        st_batches_free(batches[1]);
    }
    /* A file that changes or goes meanwhile is told. */
    strait_array *rows = NULL;
    grey("streamed/3.png", 2, 2, 1);
    assert_int_equal(strait_data_rows(&rows, data[0][1], 3, 1, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "3.png: has changed since the data set was opened"));
    assert_int_equal(remove(test_path("streamed/3.png")), 0);
    assert_int_equal(strait_data_rows(&rows, data[1][1], 3, 1, &err), STRAIT_NOT_FOUND);
    for (int k = 0; k < 4; k++)
        strait_data_free(data[k / 2][k % 2]);
}

/* The facts its folder tells: 334 grey images of 256 x 256. */
static void test_real_nuclei(void **state) {
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/nuclei/gray256", test_data() ? test_data() : "");
    if (access(path, R_OK) != 0) skip();
    strait_data *data = open_good(path);
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_samples, 334);
    assert_int_equal(info.dim[0], 256);
    assert_int_equal(info.dim[1], 256);
    assert_int_equal(info.dim[2], 1);
    assert_string_equal(info.storage, "u8");
    assert_string_equal(strait_data_sample_name(data, 0), "00071198d059ba7f.png");
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_folder), cmocka_unit_test(test_labels_and_splits),
        cmocka_unit_test(test_kinds),       cmocka_unit_test(test_several_sizes),
        cmocka_unit_test(test_streamed),    cmocka_unit_test(test_real_nuclei),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
