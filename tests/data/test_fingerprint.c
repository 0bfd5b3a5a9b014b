/* What a run's record says of the data it was trained on. */
#include "base/string.h"
#include "data/data_int.h"
#include "files.h"

enum { N = 12, VALUES = 6 };

static strait_data *make_data(int change) {
    uint8_t bytes[1024], values[N * VALUES];
    for (int i = 0; i < N * VALUES; i++)
        values[i] = (uint8_t)i;
    values[7] = (uint8_t)(values[7] + change);
    return open_good(test_file(change ? "b-images-idx3-ubyte" : "a-images-idx3-ubyte", bytes,
                               make_idx(bytes, 0x08, 3, (uint32_t[]){N, 2, 3}, values, sizeof values)));
}

static void assert_fingerprint(strait_data *data, const char *expected) {
    char found[ST_FINGERPRINT];
    assert_int_equal(st_data_fingerprint(found, data, NULL), STRAIT_OK);
    assert_string_equal(found, expected);
}

static void take(char out[ST_FINGERPRINT], strait_data *data, const char *kind) {
    assert_int_equal(st_data_fingerprint(out, data, NULL), STRAIT_OK);
    assert_memory_equal(out, kind, strlen(kind));
}

/* By Python's zlib.crc32(bytes(range(72))). */
static void test_in_memory(void **state) {
    (void)state;
    strait_data *data = make_data(0), *other = make_data(1);
    assert_fingerprint(data, "crc32:1de0d4f7");
    char found[ST_FINGERPRINT];
    take(found, other, "crc32:");
    assert_string_not_equal(found, "crc32:1de0d4f7");
    strait_data_free(data);
    strait_data_free(other);
}

/* A pair's target counts as its input does. */
static void test_pairs(void **state) {
    (void)state;
    char source[1024], a[ST_FINGERPRINT], b[ST_FINGERPRINT], same[ST_FINGERPRINT];
    strait_data_free(make_data(0));
    strait_data_free(make_data(1));
    const char *const names[][2] = {{"a", "a"}, {"a", "b"}, {"a", "a"}};
    char *const out[] = {a, b, same};
    for (int i = 0; i < 3; i++) {
        char first[400], second[400];
        snprintf(first, sizeof first, "%s-images-idx3-ubyte", names[i][0]);
        snprintf(second, sizeof second, "%s-images-idx3-ubyte", names[i][1]);
        char *path = st_format("%s", test_path(first));
        snprintf(source, sizeof source, "%s -> %s", path, test_path(second));
        st_free(path);
        strait_data *data = open_good(source);
        take(out[i], data, "crc32:");
        strait_data_free(data);
    }
    assert_string_not_equal(a, b);
    assert_string_equal(a, same);
}

/* Of shards that are not kept: the CRC-32 (zlib's) of the four bytes that stand behind each record (TFRecord's masked
   CRC-32C), which are looked up in the file here. A view counts its samples alone. */
static void test_records(void **state) {
    (void)state;
    char folder[512], expected[ST_FINGERPRINT];
    uint8_t file[16384], feet[N * 4];
    strait_data *data = make_data(0);
    snprintf(folder, sizeof folder, "%s", test_path("shards"));
    assert_int_equal(strait_data_shard(data, folder, 1, NULL, NULL, NULL), STRAIT_OK);
    strait_data_free(data);
    char *path = st_format("%s/data-00000-of-00001.tfrecord", folder);
    const size_t n = read_file(path, file, sizeof file);
    st_free(path);
    int n_feet = 0;
    for (size_t at = 0; at < n; n_feet++) {
        const size_t length = file[at] | (size_t)file[at + 1] << 8;
        at += 12 + length;
        memcpy(feet + 4 * n_feet, file + at, 4);
        at += 4;
    }
    assert_int_equal(n_feet, N);
    st_source_set_resident_bytes(10);
    data = open_good(folder);
    assert_false(st_data_is_resident(data));
    snprintf(expected, sizeof expected, "records:%08x", (unsigned)crc32(0, feet, sizeof feet));
    assert_fingerprint(data, expected);
    /* Resized, which makes them a source of another kind; and a part of them. */
    strait_data *ready = NULL, *part = NULL;
    const strait_recipe recipe = {.data.resize = {4, 4}};
    assert_int_equal(st_data_slice(&part, data, 2, 3, NULL), STRAIT_OK);
    assert_int_equal(st_data_prepare(&ready, part, &recipe, NULL), STRAIT_OK);
    snprintf(expected, sizeof expected, "records:%08x", (unsigned)crc32(0, feet + 8, 12));
    assert_fingerprint(ready, expected);
    st_source_set_resident_bytes(0);
    strait_data_free(ready);
    strait_data_free(part);
    strait_data_free(data);
}

/* Joined images are read when they are needed, and their files keep no checksum of a sample. */
static void test_sampled(void **state) {
    (void)state;
    char source[1024], found[ST_FINGERPRINT], other[ST_FINGERPRINT];
    strait_data_free(make_data(0));
    strait_data_free(make_data(1));
    char *a = st_format("%s", test_path("a-images-idx3-ubyte"));
    snprintf(source, sizeof source, "%s + %s", a, a);
    strait_data *data = open_good(source);
    take(found, data, "sampled:");
    strait_data_free(data);
    snprintf(source, sizeof source, "%s + %s", a, test_path("b-images-idx3-ubyte"));
    data = open_good(source);
    take(other, data, "sampled:");
    assert_string_not_equal(found, other);
    strait_data_free(data);
    st_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
