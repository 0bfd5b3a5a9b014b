#include <sys/stat.h>
#include <unistd.h>
#include "data/data_int.h"
#include "files.h"

/* Two images of 2 x 3. */
static const uint32_t image_dim[] = {2, 2, 3};
static const uint8_t pixels[] = {0, 1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 255};

static size_t two_images(uint8_t *out) {
    return make_idx(out, 0x08, 3, image_dim, pixels, sizeof pixels);
}

static void assert_two_images(const char *path) {
    strait_data *data = open_good(path);
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.source, path);
    assert_string_equal(info.format, "idx");
    assert_string_equal(info.storage, "u8");
    assert_int_equal(info.n_samples, 2);
    assert_int_equal(info.n_dims, 3);
    assert_int_equal(info.dim[0], 2);
    assert_int_equal(info.dim[1], 3);
    assert_int_equal(info.dim[2], 1);
    strait_array *rows = NULL;
    assert_int_equal(strait_data_rows(&rows, data, 0, 2, NULL), STRAIT_OK);
    assert_int_equal(rows->n_dims, 4);
    for (int i = 0; i < 12; i++)
        assert_true(rows->values[i] == (float)pixels[i]);
    strait_array_free(rows);
    strait_data_free(data);
}

static void test_plain_and_gzip(void **state) {
    (void)state;
    uint8_t bytes[64];
    const size_t n = two_images(bytes);
    assert_two_images(test_file("a", bytes, n));
    assert_two_images(write_gzip("a.gz", bytes, n));
    /* Gzip is told by its bytes, not by its name; members may follow one another. */
    uint8_t first[256], second[256];
    const size_t n_first = read_file(write_gzip("b", bytes, 9), first, sizeof first);
    const size_t n_second = read_file(write_gzip("c", bytes + 9, n - 9), second, sizeof second);
    memcpy(first + n_first, second, n_second);
    assert_two_images(test_file("d", first, n_first + n_second));
}

static void test_shapes(void **state) {
    (void)state;
    uint8_t bytes[64];
    int64_t dim[STRAIT_MAX_DIMS];
    strait_data *rows = open_good(test_file("rows", bytes, make_idx(bytes, 0x08, 2, (uint32_t[]){3, 4}, pixels, 12)));
    assert_int_equal(st_data_shape(rows, dim), 1);
    assert_int_equal(dim[0], 4);
    assert_int_equal(strait_data_count(rows), 3);
    strait_data_free(rows);
    strait_data *colour =
        open_good(test_file("colour", bytes, make_idx(bytes, 0x08, 4, (uint32_t[]){2, 1, 2, 3}, pixels, 12)));
    assert_int_equal(st_data_shape(colour, dim), 3);
    assert_int_equal(dim[0], 1);
    assert_int_equal(dim[1], 2);
    assert_int_equal(dim[2], 3);
    strait_data_free(colour);
}

static void assert_values(uint8_t type, const void *bytes, size_t n, const float *expected) {
    uint8_t file[128];
    strait_data *data = open_good(test_file("typed", file, make_idx(file, type, 2, (uint32_t[]){1, 3}, bytes, n)));
    strait_array *rows = NULL;
    assert_int_equal(data->source->type, ST_F32);
    assert_int_equal(strait_data_rows(&rows, data, 0, 1, NULL), STRAIT_OK);
    for (int i = 0; i < 3; i++)
        assert_true(rows->values[i] == expected[i]);
    strait_array_free(rows);
    strait_data_free(data);
}

/* Bytes written down from the types' definitions: two's complement and IEEE 754, big-endian. */
static void test_other_types(void **state) {
    (void)state;
    assert_values(0x09, (uint8_t[]){0xff, 0x80, 0x7f}, 3, (float[]){-1, -128, 127});
    assert_values(0x0B, (uint8_t[]){0xff, 0xfe, 0x01, 0x00, 0x80, 0x00}, 6, (float[]){-2, 256, -32768});
    assert_values(0x0C, (uint8_t[]){0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9}, 12, (float[]){-3, 65536, 9});
    assert_values(0x0D, (uint8_t[]){0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0, 0, 0, 0, 0}, 12, (float[]){1, -2.5f, 0});
    assert_values(0x0E, (uint8_t[]){0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                  24, (float[]){1, -2.5f, 0});
}

static void write_labels(const char *name, uint32_t n) {
    uint8_t bytes[64];
    const size_t size = make_idx(bytes, 0x08, 1, &n, (uint8_t[]){7, 3, 5}, n);
    if (strstr(name, ".gz")) {
        write_gzip(name, bytes, size);
    } else {
        test_file(name, bytes, size);
    }
}

static void test_labels_beside(void **state) {
    (void)state;
    uint8_t bytes[64];
    const size_t n = two_images(bytes);
    /* The pairs of names, the compression of either free. */
    const char *pairs[][2] = {{"p-images-idx3-ubyte", "p-labels-idx1-ubyte"},
                              {"q-images-idx3-ubyte.gz", "q-labels-idx1-ubyte.gz"},
                              {"r-images-idx3-ubyte", "r-labels-idx1-ubyte.gz"},
                              {"s-images-idx3-ubyte.gz", "s-labels-idx1-ubyte"},
                              {"t-images.idx3-ubyte", "t-labels.idx1-ubyte"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *name = pairs[i][0];
        const char *path = strstr(name, ".gz") ? write_gzip(name, bytes, n) : test_file(name, bytes, n);
        strait_data *data = open_good(path);
        assert_int_equal(strait_data_label(data, 0), -1);
        strait_data_free(data);
        write_labels(pairs[i][1], 2);
        data = open_good(path);
        assert_int_equal(strait_data_label(data, 0), 7);
        assert_int_equal(strait_data_label(data, 1), 3);
        assert_int_equal(strait_data_label(data, 2), -1);
        assert_int_equal(strait_data_label(data, -1), -1);
        strait_data_free(data);
    }
    /* Labels wider than a byte. */
    const uint8_t wide[] = {0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff};
    uint8_t file[64];
    test_file("p-labels-idx1-ubyte", file, make_idx(file, 0x0C, 1, (uint32_t[]){2}, wide, sizeof wide));
    strait_data *data = open_good(test_path("p-images-idx3-ubyte"));
    assert_int_equal(strait_data_label(data, 0), 256);
    assert_int_equal(strait_data_label(data, 1), -1);
    strait_data_free(data);
}

static void test_bad_labels(void **state) {
    (void)state;
    uint8_t bytes[64];
    const char *images = test_file("x-images-idx3-ubyte", bytes, two_images(bytes));
    const char *labels = test_path("x-labels-idx1-ubyte");
    write_labels("x-labels-idx1-ubyte", 3);
    assert_open_fails(images, STRAIT_FORMAT, "%s: has 3 labels for the 2 images of x-images-idx3-ubyte", labels);
    test_file("x-labels-idx1-ubyte", bytes, two_images(bytes));
    assert_open_fails(images, STRAIT_FORMAT, "%s: not labels: they are one whole number a sample, IDX type 00 00 08 01",
                      labels);
    test_file("x-labels-idx1-ubyte", bytes, make_idx(bytes, 0x08, 1, (uint32_t[]){2}, pixels, 1));
    assert_open_fails(images, STRAIT_FORMAT, "%s: truncated: ends after 9 of 10 bytes; fetch or copy it again", labels);
    test_file("x-labels-idx1-ubyte", bytes, make_idx(bytes, 0x08, 1, (uint32_t[]){2}, pixels, 3));
    assert_open_fails(images, STRAIT_FORMAT, "%s: goes on after the 10 bytes its header announces", labels);
    test_file("x-labels-idx1-ubyte", bytes, 0);
    assert_open_fails(images, STRAIT_FORMAT, "%s: truncated: ends after 0 of 4 bytes; fetch or copy it again", labels);
}

static void test_bad_files(void **state) {
    (void)state;
    uint8_t bytes[64];
    const size_t n = two_images(bytes);
    const char *path = test_file("bad", bytes, n);
    assert_open_fails(test_path("none"), STRAIT_NOT_FOUND,
                      "%s: neither a file nor a known data set (cifar10, ecg5000, fashion-mnist, mnist)",
                      test_path("none"));
    test_file("bad", bytes, 0);
    assert_open_fails(path, STRAIT_FORMAT, "%s: is empty", path);
    test_file("bad", bytes, n - 1);
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated: ends after 27 of 28 bytes; fetch or copy it again", path);
    test_file("bad", bytes, 9);
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated: ends after 9 of 16 bytes; fetch or copy it again", path);
    bytes[n] = 0;
    test_file("bad", bytes, n + 1);
    assert_open_fails(path, STRAIT_FORMAT, "%s: goes on after the 28 bytes its header announces", path);
    test_file("bad", "PK\3\4abcd", 8);
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: no known format: begins with the bytes 50 4b 03 04; formats read: idx, npy, npz, png, jpeg, "
                      "tiff, cifar10, cifar100, "
                      "h5ad, 10x-hdf5, hdf5, 10x, tfrecord, csv",
                      path);
    test_file("bad", "\0\0\x0a\3abcd", 8); /* there is no type 0x0a */
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: no known format: begins with the bytes 00 00 0a 03; formats read: idx, npy, npz, png, jpeg, "
                      "tiff, cifar10, cifar100, "
                      "h5ad, 10x-hdf5, hdf5, 10x, tfrecord, csv",
                      path);
    const char *named = test_file("z-images-idx3-ubyte", "PK\3\4abcd", 8);
    assert_open_fails(named, STRAIT_FORMAT,
                      "%s: not an IDX file: begins with the bytes 50 4b 03 04; IDX images begin with 00 00 08 03",
                      named);
}

static void test_bad_shapes(void **state) {
    (void)state;
    uint8_t bytes[128];
    const char *path = test_path("shape");
    test_file("shape", bytes, make_idx(bytes, 0x08, 1, (uint32_t[]){12}, pixels, 12));
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: holds 12 numbers, one each, such as labels: name the file with the images, and labels "
                      "beside it are found",
                      path);
    test_file("shape", bytes, make_idx(bytes, 0x08, 5, (uint32_t[]){1, 1, 1, 1, 12}, pixels, 12));
    assert_open_fails(path, STRAIT_FORMAT, "%s: has 5 dimensions; at most 4 are read: [n, height, width, channels]",
                      path);
    test_file("shape", bytes, make_idx(bytes, 0x08, 9, (uint32_t[9]){1}, pixels, 12));
    assert_open_fails(path, STRAIT_FORMAT, "%s: has 9 dimensions; at most 4 are read", path);
    test_file("shape", bytes, make_idx(bytes, 0x08, 3, (uint32_t[]){0, 28, 28}, pixels, 0));
    assert_open_fails(path, STRAIT_FORMAT, "%s: holds no values: dimension 0 is 0", path);
    const uint32_t most = 0xffffffff;
    test_file("shape", bytes, make_idx(bytes, 0x08, 4, (uint32_t[]){most, most, most, most}, pixels, 12));
    assert_open_fails(path, STRAIT_FORMAT, "%s: its header announces more than 1 TiB; it is damaged", path);
    /* Believable, but not there: fails when the file ends, and without the terabyte. */
    test_file("shape", bytes, make_idx(bytes, 0x08, 3, (uint32_t[]){1 << 20, 1 << 10, 1 << 10}, pixels, 12));
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: truncated: ends after 28 of 1099511627792 bytes; fetch or copy it again", path);
}

static void test_bad_gzip(void **state) {
    (void)state;
    uint8_t bytes[64], zipped[256];
    const size_t n = two_images(bytes);
    const char *path = test_path("bad.gz");
    write_gzip("good.gz", bytes, n);
    const size_t n_zipped = read_file(test_path("good.gz"), zipped, sizeof zipped);
    /* The trailer, a checksum and a length, takes the last 8 bytes (RFC 1952). */
    test_file("bad.gz", zipped, n_zipped - 8);
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: truncated gzip file: ends after 28 bytes, without its checksum; fetch or copy it again",
                      path);
    test_file("bad.gz", zipped, 10); /* a gzip header and nothing else */
    assert_open_fails(path, STRAIT_FORMAT,
                      "%s: truncated gzip file: ends after 0 bytes, without its checksum; fetch or copy it again",
                      path);
    write_gzip("bad.gz", bytes, n - 5); /* a whole gzip file, but not of a whole IDX file */
    assert_open_fails(path, STRAIT_FORMAT, "%s: truncated gzip file: ends after 23 of 28 bytes; fetch or copy it again",
                      path);
    write_gzip("bad.gz", bytes, 0);
    assert_open_fails(path, STRAIT_FORMAT, "%s: is empty", path);
    zipped[n_zipped - 6] ^= 1;
    test_file("bad.gz", zipped, n_zipped);
    assert_open_fails(path, STRAIT_FORMAT, "%s: damaged gzip file: incorrect data check", path);
    zipped[n_zipped - 6] ^= 1;
    zipped[n_zipped] = 'x';
    test_file("bad.gz", zipped, n_zipped + 1);
    assert_open_fails(path, STRAIT_FORMAT, "%s: damaged gzip file: other bytes follow the compressed data", path);
    uint8_t longer[64];
    memcpy(longer, bytes, n);
    longer[n] = 0;
    write_gzip("bad.gz", longer, n + 1);
    assert_open_fails(path, STRAIT_FORMAT, "%s: goes on after the 28 bytes its header announces", path);
}

/* Cut at every byte: always an error, never values. */
static void test_gzip_cut_anywhere(void **state) {
    (void)state;
    uint8_t values[3000], bytes[4096], zipped[8192];
    for (size_t i = 0; i < sizeof values; i++)
        values[i] = (uint8_t)(i * i >> 3);
    const size_t n = make_idx(bytes, 0x08, 2, (uint32_t[]){30, 100}, values, sizeof values);
    const size_t n_zipped = read_file(write_gzip("whole.gz", bytes, n), zipped, sizeof zipped);
    for (size_t cut = 0; cut < n_zipped; cut++) {
        strait_data *data = NULL;
        assert_int_equal(strait_data_open(&data, test_file("cut.gz", zipped, cut), NULL), STRAIT_FORMAT);
        assert_null(data);
    }
    strait_data_free(open_good(test_file("cut.gz", zipped, n_zipped)));
}

static void test_not_finite(void **state) {
    (void)state;
    uint8_t file[64];
    /* Big-endian: 1, NaN, 2, -infinity as two rows. */
    const uint8_t values[] = {0x3f, 0x80, 0, 0, 0x7f, 0xc0, 0, 0, 0x40, 0, 0, 0, 0xff, 0x80, 0, 0};
    const char *path = test_file("nan", file, make_idx(file, 0x0D, 2, (uint32_t[]){2, 2}, values, sizeof values));
    assert_misses(path, 2, "2 values are not finite, the first (NaN) is value 1 of sample 0");
    test_file("nan", file, make_idx(file, 0x0D, 2, (uint32_t[]){1, 2}, values + 8, 8));
    assert_misses(path, 1, "1 value is not finite, the first (infinity) is value 1 of sample 0");
}

/* More than may be kept: each image is read when it is needed. */
static void test_streamed(void **state) {
    (void)state;
    uint8_t file[64];
    const uint8_t values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const char *path = test_file("large", file, make_idx(file, 0x08, 3, (uint32_t[]){3, 2, 2}, values, sizeof values));
    st_source_set_resident_bytes(11);
    strait_data *data = open_good(path);
    strait_array *rows = NULL;
    assert_false(st_data_is_resident(data));
    assert_int_equal(strait_data_rows(&rows, data, 1, 2, NULL), STRAIT_OK);
    for (int i = 0; i < 8; i++)
        assert_true(rows->values[i] == (float)(5 + i));
    strait_array_free(rows);
    assert_open_survives_failing_allocations(path);
    st_source_set_resident_bytes(0);
    strait_data_free(data);
}

static void test_unreadable(void **state) {
    (void)state;
    uint8_t bytes[64];
    const char *path = test_file("secret", bytes, two_images(bytes));
    assert_int_equal(chmod(path, 0), 0);
    const bool root = geteuid() == 0; /* reads everything, so for a moment be somebody else */
    if (root) assert_int_equal(chmod(test_folder(), 0711) + seteuid(65534), 0);
    assert_open_fails(path, STRAIT_IO, "%s: cannot open: Permission denied", path);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(test_folder(), 0), 0);
    if (root) assert_int_equal(seteuid(65534), 0);
    assert_open_fails(path, STRAIT_IO, "%s: cannot open: Permission denied", path);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(test_folder(), 0700), 0);
}

static void test_failing_allocations(void **state) {
    (void)state;
    uint8_t bytes[64];
    write_gzip("m-images-idx3-ubyte.gz", bytes, two_images(bytes));
    write_labels("m-labels-idx1-ubyte.gz", 2);
    assert_open_survives_failing_allocations(test_path("m-images-idx3-ubyte.gz"));
    test_file("floats", bytes, make_idx(bytes, 0x0B, 2, (uint32_t[]){2, 3}, pixels, 12));
    assert_open_survives_failing_allocations(test_path("floats"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_labels_beside),
        cmocka_unit_test(test_bad_labels),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_shapes),
        cmocka_unit_test(test_bad_gzip),
        cmocka_unit_test(test_gzip_cut_anywhere),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
