/* Records are checked against files that TensorFlow wrote, against published vectors of CRC-32C (RFC 3720 B.4), and
   against what a few lines of Python with struct make of the same Example (quoted below). */
#include <math.h>
#include "base/file.h"
#include "data/crc32c.h"
#include "data/data_int.h"
#include "data/example.h"
#include "data/tfrecord_file.h"
#include "files.h"

/* ---- checksums ---- */

static void test_crc(void **state) {
    (void)state;
    uint8_t bytes[32], many[1000];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(st_crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(st_crc32c(0, bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(st_crc32c(0, bytes, 32), 0x46dd794eu);
    assert_int_equal(st_crc32c(0, "123456789", 9), 0xe3069283u); /* the check value of CRC catalogues */
    for (int i = 0; i < 1000; i++)
        many[i] = (uint8_t)(i * i + 7);
    for (size_t n = 0; n < 100; n++) { /* any length and place; in two parts */
        const uint32_t whole = st_crc32c(0, many + n, 1000 - 3 * n);
        assert_int_equal(st_crc32c_table(0, many + n, 1000 - 3 * n), whole);
        assert_int_equal(st_crc32c(st_crc32c(0, many + n, n), many + 2 * n, 1000 - 4 * n), whole);
    }
}

/* ---- files of our own ---- */

/* An Example like those of the tests below; label < 0: without. */
static void add_record(st_file *file, const uint8_t *image, size_t n, int64_t label, const char *name) {
    st_example_text example = {0};
    st_text text = {0};
    const int64_t size[] = {2, 3};
    if (image) st_example_add_bytes(&example, "image_raw", image, n);
    st_example_add_integers(&example, "height", &size[0], 1);
    if (label >= 0) st_example_add_integers(&example, "label", &label, 1);
    if (name) st_example_add_bytes(&example, "name", name, strlen(name));
    st_example_add_integers(&example, "width", &size[1], 1);
    st_example_finish(&text, &example);
    st_tfrecord_write(file, text.bytes, text.length);
    st_text_free(&text);
    st_example_text_free(&example);
}

/* n records of 2 × 3 pixels, the first numbered `first`; record i holds 6 i, 6 i + 1, ... */
static const char *make_shard(const char *file_name, int first, int n, bool labels) {
    const char *path = test_path(file_name);
    st_file *file = NULL;
    assert_int_equal(st_file_create(&file, path, NULL), STRAIT_OK);
    for (int i = first; i < first + n; i++) {
        uint8_t image[6];
        char name[24];
        for (int k = 0; k < 6; k++)
            image[k] = (uint8_t)(6 * i + k);
        snprintf(name, sizeof name, "cell-%d", i);
        add_record(file, image, sizeof image, labels ? i % 3 : -1, name);
    }
    assert_int_equal(st_file_commit(file, NULL), STRAIT_OK);
    return path;
}

/* struct and a bitwise CRC-32C in Python give these bytes for the Example {label: [5]}:
     entry = b'\x0a\x05label\x12\x05\x1a\x03\x0a\x01\x05'; example = b'\x0a\x10\x0a\x0e' + entry */
static void test_written_bytes(void **state) {
    (void)state;
    static const uint8_t expected[] = {0x12, 0,    0,    0,    0,    0,    0,    0,    0x24, 0x1f, 0x64, 0x25,
                                       0x0a, 0x10, 0x0a, 0x0e, 0x0a, 0x05, 'l',  'a',  'b',  'e',  'l',  0x12,
                                       0x05, 0x1a, 0x03, 0x0a, 0x01, 0x05, 0x00, 0x4e, 0x71, 0x99};
    const int64_t five = 5;
    st_example_text example = {0};
    st_text text = {0};
    st_file *file = NULL;
    const char *path = test_path("bytes.tfrecord");
    uint8_t found[64];
    st_example_add_integers(&example, "label", &five, 1);
    st_example_finish(&text, &example);
    assert_int_equal(st_file_create(&file, path, NULL), STRAIT_OK);
    st_tfrecord_write(file, text.bytes, text.length);
    assert_int_equal(st_file_commit(file, NULL), STRAIT_OK);
    st_text_free(&text);
    st_example_text_free(&example);
    assert_int_equal(read_file(path, found, sizeof found), sizeof expected);
    assert_memory_equal(found, expected, sizeof expected);
}

static void assert_samples(const strait_data *data, int64_t n) {
    strait_array *rows = NULL;
    assert_int_equal(strait_data_rows(&rows, (strait_data *)data, 0, n, NULL), STRAIT_OK);
    for (int64_t i = 0; i < n * 6; i++)
        assert_true(rows->values[i] == (float)(uint8_t)i);
    strait_array_free(rows);
}

static void test_round_trip(void **state) {
    (void)state;
    const size_t limits[] = {0, 1}; /* in memory, and read as they are needed */
    for (int k = 0; k < 2; k++) {
        st_source_set_resident_bytes(limits[k]);
        strait_data *data = open_good(make_shard("one.tfrecord", 0, 7, true));
        strait_data_info info;
        assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
        assert_string_equal(info.format, "tfrecord");
        assert_string_equal(info.storage, "u8");
        assert_int_equal(info.n_samples, 7);
        assert_int_equal(info.n_dims, 3);
        assert_int_equal(info.dim[0], 2);
        assert_int_equal(info.dim[1], 3);
        assert_int_equal(info.dim[2], 1);
        assert_int_equal(info.resident, k == 0);
        assert_int_equal(info.n_labels, 3);
        assert_int_equal(info.label_count[0], 3);
        assert_string_equal(strait_data_sample_name(data, 6), "cell-6");
        assert_samples(data, 7);
        strait_data_free(data);
    }
    st_source_set_resident_bytes(0);
}

/* A folder and a pattern hold the shards in the order of their names; empty ones do no harm. */
static void test_shards(void **state) {
    (void)state;
    make_shard("a-00000-of-00003", 0, 3, true);
    make_shard("a-00001-of-00003", 0, 0, true);
    make_shard("a-00002-of-00003", 3, 4, true);
    char pattern[512];
    snprintf(pattern, sizeof pattern, "%s", test_path("a-*"));
    strait_data *data = open_good(pattern);
    assert_int_equal(strait_data_count(data), 7);
    assert_int_equal(data->source->n_shards, 3);
    const int64_t first[] = {0, 3, 3, 7};
    assert_memory_equal(data->source->shard_first, first, sizeof first);
    assert_samples(data, 7);
    strait_data_free(data);
    snprintf(pattern, sizeof pattern, "%s#image_raw", test_path("a-*"));
    strait_data_free(open_good(pattern));
    snprintf(pattern, sizeof pattern, "%s#height", test_path("a-*")); /* numbers are samples too */
    data = open_good(pattern);
    assert_string_equal(st_dtype_name(data->source->type), "f32");
    strait_data_free(data);
    assert_open_fails(test_path("a-00001-of-00003"), STRAIT_FORMAT, "%s: is empty", test_path("a-00001-of-00003"));
}

/* By whole shards: of 3, 0 and 4 samples the last third; the empty one is with the training. */
static void test_split_by_shard(void **state) {
    (void)state;
    make_shard("s-00000-of-00003", 0, 3, true);
    make_shard("s-00001-of-00003", 0, 0, true);
    make_shard("s-00002-of-00003", 3, 4, true);
    char yaml[1024], pattern[512];
    strait_recipe *recipe = NULL;
    strait_data *train = NULL, *validation = NULL;
    strait_error err = {0};
    snprintf(pattern, sizeof pattern, "%s", test_path("s-*"));
    snprintf(yaml, sizeof yaml,
             "data: {source: '%s', validation: 0.33, split: shards, shape: [3, 2], shuffle_buffer: 2, threads: 3}\n"
             "model: {input: [3, 2, 1], encoder: [flatten], decoder: [reshape: [3, 2, 1]]}\n",
             pattern);
    if (strait_recipe_parse(&recipe, yaml, "r.yaml", 0, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
    if (st_data_open_splits(&train, &validation, recipe, NULL, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(strait_data_count(train), 3);
    assert_int_equal(strait_data_count(validation), 4);
    assert_string_equal(strait_data_sample_name(validation, 0), "cell-3");
    assert_int_equal(train->source->dim[0], 3); /* as data.shape has it, not as height and width do */
    strait_data_free(validation);
    strait_data_free(train);
    recipe->data.validation_fraction = 0.1;
    assert_int_equal(st_data_open_splits(&train, &validation, recipe, NULL, NULL, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "of which there are 3; make more of them"));
    strait_recipe_free(recipe);
}

static void test_gzip(void **state) {
    (void)state;
    uint8_t bytes[4096];
    const size_t n = read_file(make_shard("plain.tfrecord", 0, 7, true), bytes, sizeof bytes);
    const char *path = write_gzip("packed.tfrecord.gz", bytes, n);
    strait_data *data = open_good(path);
    assert_int_equal(strait_data_count(data), 7);
    assert_samples(data, 7);
    strait_data_free(data);
    st_source_set_resident_bytes(100);
    strait_error err;
    assert_int_equal(strait_data_open(&data, path, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "inflate it (gunzip)"));
    st_source_set_resident_bytes(0);
}

/* Any bit that flips is told with file and record, when the record is read. */
static void test_damage(void **state) {
    (void)state;
    uint8_t bytes[4096], bad[4096];
    const size_t n = read_file(make_shard("good.tfrecord", 0, 3, true), bytes, sizeof bytes), record = n / 3;
    char path[512];
    for (size_t at = 0; at < n; at++) {
        memcpy(bad, bytes, n);
        bad[at] ^= 0x10;
        snprintf(path, sizeof path, "%s", test_file("bad.tfrecord", bad, n));
        strait_data *data = NULL;
        strait_error err = {0};
        assert_int_equal(strait_data_open(&data, path, &err), STRAIT_FORMAT);
        if (at < 12) continue; /* then it is not known for a shard at all */
        char where[600];
        snprintf(where, sizeof where, "record %zu", at / record);
        if (!strstr(err.message, where) || !strstr(err.message, path)) fail_msg("byte %zu: %s", at, err.message);
    }
    for (size_t cut = 12; cut < n; cut++) { /* ends too early, wherever */
        if (cut % record == 0) continue;
        strait_data *data = NULL;
        strait_error err = {0};
        assert_int_equal(strait_data_open(&data, test_file("cut.tfrecord", bytes, cut), &err), STRAIT_FORMAT);
        assert_non_null(strstr(err.message, "truncated: record"));
    }
}

static void test_no_samples(void **state) {
    (void)state;
    const char *path = test_path("odd.tfrecord");
    st_file *file = NULL;
    char source[600];
    assert_int_equal(st_file_create(&file, path, NULL), STRAIT_OK);
    add_record(file, NULL, 0, 4, NULL);
    assert_int_equal(st_file_commit(file, NULL), STRAIT_OK);
    assert_open_fails(path, STRAIT_ARGUMENT,
                      "%s: record 0: no feature is called as samples are; name it: data: {key: ...} in the recipe, or "
                      "FILE#KEY; it has height (int64), label (int64), width (int64)",
                      path);
    snprintf(source, sizeof source, "%s#image", path);
    assert_open_fails(source, STRAIT_ARGUMENT,
                      "%s: record 0: has no feature 'image' with values; it has height (int64), label (int64), width "
                      "(int64)",
                      path);
    uint8_t image[7] = {0};
    assert_int_equal(st_file_create(&file, path, NULL), STRAIT_OK);
    add_record(file, image, 7, 4, NULL);
    assert_int_equal(st_file_commit(file, NULL), STRAIT_OK);
    assert_open_fails(path, STRAIT_ARGUMENT,
                      "%s: record 0: its sample of 7 bytes is not of shape 2×3; say how the values lie: data: {shape: "
                      "[h, w, channels]} in the recipe",
                      path);
}

static void test_failing_allocations(void **state) {
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", make_shard("alloc.tfrecord", 0, 3, true));
    assert_open_survives_failing_allocations(path);
}

/* ---- files that TensorFlow wrote ---- */

static strait_data *open_real(const char *name) {
    char path[512];
    if (!test_data()) skip();
    snprintf(path, sizeof path, "%s/tfrecord/%s", test_data(), name);
    return open_good(path);
}

/* Shapes and labels as the files' own features have them; sums by Python over the same bytes. */
static void test_mnist(void **state) {
    (void)state;
    strait_data *data = open_real("mnist100_raw_u8.tfrecords");
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_samples, 100);
    assert_int_equal(info.dim[0], 28);
    assert_int_equal(info.dim[1], 28);
    assert_int_equal(info.dim[2], 1);
    assert_false(info.has_labels);
    assert_true(fabs(info.mean * 78400 - 2716373) < 0.5);
    strait_data_free(data);
}

static void test_fruit(void **state) {
    (void)state;
    strait_data *data = open_real("fruit10_rgb_raw_100x100.tfrecords");
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_samples, 10);
    assert_int_equal(info.dim[0], 100);
    assert_int_equal(info.dim[1], 100);
    assert_int_equal(info.dim[2], 3);
    assert_true(info.has_labels);
    assert_true(fabs(info.mean * 300000 - 39836672) < 0.5);
    strait_data_free(data);
}

/* A record's pixels are those of its bytes as a file. By PIL 9.4 the first and the last image sum up to 168795549 and
   167597727, and their pixel in row 100 and column 200 is 176 162 162 and 190 194 193. */
static void check_jpeg(strait_data *data, int64_t i, double sum, const float pixel[3]) {
    const st_source *source = data->source;
    char *bytes = NULL;
    size_t n = 0;
    strait_array *rows = NULL, *expected = NULL;
    assert_int_equal(source->reader->encoded(&bytes, &n, source, i, NULL), STRAIT_OK);
    assert_non_null(bytes);
    strait_data *file = open_good(test_file("one.jpg", bytes, n));
    assert_int_equal(strait_data_rows(&rows, data, i, 1, NULL), STRAIT_OK);
    assert_int_equal(strait_data_rows(&expected, file, 0, 1, NULL), STRAIT_OK);
    assert_int_equal(strait_array_count(rows), 480 * 640 * 3);
    assert_int_equal(strait_array_count(expected), 480 * 640 * 3);
    assert_memory_equal(rows->values, expected->values, 480 * 640 * 3 * sizeof(float));
    double total = 0;
    for (int64_t k = 0; k < strait_array_count(rows); k++)
        total += (double)rows->values[k];
    assert_true(total == sum);
    assert_memory_equal(rows->values + (100 * 640 + 200) * 3, pixel, 3 * sizeof(float));
    strait_array_free(rows);
    strait_array_free(expected);
    strait_data_free(file);
    st_free(bytes);
}

static void test_jpeg(void **state) {
    (void)state;
    strait_data *data = open_real("bccd_blood_cells_jpeg_test.record");
    assert_int_equal(strait_data_count(data), 64);
    int64_t dim[STRAIT_MAX_DIMS];
    assert_int_equal(st_data_shape(data, dim), 3);
    assert_int_equal(dim[0], 480);
    assert_int_equal(dim[1], 640);
    assert_int_equal(dim[2], 3);
    assert_string_equal(strait_data_sample_name(data, 0), "BloodImage_00339.jpg");
    check_jpeg(data, 0, 168795549, (const float[]){176, 162, 162});
    check_jpeg(data, 63, 167597727, (const float[]){190, 194, 193});
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_written_bytes),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_split_by_shard),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_no_samples),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_mnist),
        cmocka_unit_test(test_fruit),
        cmocka_unit_test(test_jpeg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
