#include <sys/stat.h>
#include <unistd.h>
#include "data/data_int.h"
#include "files.h"

enum { RECORD = 3073 };

/* n records: image i has label (i + first) % 10, and value (i + 3 k + c) % 256 at pixel k of plane c. */
static const char *write_batch(const char *name, int n, int first) {
    static uint8_t bytes[8 * RECORD];
    for (int i = 0; i < n; i++) {
        bytes[i * RECORD] = (uint8_t)((i + first) % 10);
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 1024; k++)
                bytes[i * RECORD + 1 + c * 1024 + k] = (uint8_t)(i + 3 * k + c);
    }
    return test_file(name, bytes, (size_t)n * RECORD);
}

static void test_one_file(void **state) {
    (void)state;
    strait_data *data = open_good(write_batch("data_batch_1.bin", 3, 7));
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.format, "cifar10");
    assert_string_equal(info.storage, "u8");
    assert_int_equal(info.n_samples, 3);
    assert_int_equal(info.n_dims, 3);
    assert_int_equal(info.dim[0], 32);
    assert_int_equal(info.dim[1], 32);
    assert_int_equal(info.dim[2], 3);
    assert_int_equal(info.label_value[0], 7);
    assert_string_equal(info.label_name[0], "horse");
    const uint8_t *values = data->source->values;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 1024; k++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(values[(i * 1024 + k) * 3 + c], (uint8_t)(i + 3 * k + c));
    strait_data_free(data);
    assert_open_survives_failing_allocations(test_path("data_batch_1.bin"));
}

static void test_folder_and_name(void **state) {
    (void)state;
    assert_int_equal(mkdir(test_path("cifar-10-batches-bin"), 0777), 0);
    write_batch("cifar-10-batches-bin/data_batch_2.bin", 3, 2);
    write_batch("cifar-10-batches-bin/data_batch_1.bin", 2, 0);
    setenv("STRAIT_DATA", test_folder(), 1);
    strait_data *data = open_good("cifar10");
    assert_int_equal(strait_data_count(data), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(strait_data_label(data, i), i);
    strait_data_free(data);
    assert_open_fails("cifar10#test", STRAIT_NOT_FOUND,
                      "cifar10: %s has no test_batch.bin for the split test; put it there, or validate on a fraction",
                      test_path("cifar-10-batches-bin"));
    write_batch("cifar-10-batches-bin/test_batch.bin", 1, 4);
    const char *const tests[] = {"cifar10#test", test_path("cifar-10-batches-bin#test")};
    for (int i = 0; i < 2; i++) {
        data = open_good(tests[i]);
        assert_int_equal(strait_data_count(data), 1);
        assert_int_equal(strait_data_label(data, 0), 4);
        strait_data_free(data);
    }
    unsetenv("STRAIT_DATA");
}

static void test_mistakes(void **state) {
    (void)state;
    uint8_t bytes[2 * RECORD] = {0};
    assert_open_fails(test_file("data_batch_3.bin", bytes, RECORD + 5), STRAIT_FORMAT,
                      "%s: truncated: image 1 has 5 of its 3073 bytes; CIFAR-10's binary version is wanted here",
                      test_path("data_batch_3.bin"));
    bytes[RECORD] = 10;
    assert_open_fails(test_file("data_batch_4.bin", bytes, sizeof bytes), STRAIT_FORMAT,
                      "%s: not CIFAR-10: the label of image 1 is 10; labels are 0 to 9", test_path("data_batch_4.bin"));
}

/* https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version" of CIFAR-100: <1 x coarse label><1 x fine label><3072 x
   pixel>. */
static void test_hundred(void **state) {
    (void)state;
    enum { HUNDRED = 3074 };
    static uint8_t bytes[3 * HUNDRED];
    static const uint8_t coarse[] = {19, 0, 7}, fine[] = {99, 3, 42};
    for (int i = 0; i < 3; i++) {
        bytes[i * HUNDRED] = coarse[i];
        bytes[i * HUNDRED + 1] = fine[i];
        for (int k = 0; k < 3072; k++)
            bytes[i * HUNDRED + 2 + k] = (uint8_t)(i + k / 1024 + 3 * (k % 1024));
    }
    assert_int_equal(mkdir(test_path("hundred"), 0777), 0);
    const char *path = test_file("hundred/train.bin", bytes, sizeof bytes);
    char names[20 * 10] = "";
    for (int i = 0; i < 20; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "class%d\n", i);
    test_file("hundred/coarse_label_names.txt", names, strlen(names));
    const char *const sources[] = {path, test_path("hundred"), test_path("hundred/train.bin#coarse")};
    for (int s = 0; s < 3; s++) {
        strait_data *data = open_good(sources[s]);
        strait_data_info info;
        assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
        assert_string_equal(info.format, "cifar100");
        assert_true(info.n_samples == 3 && info.dim[0] == 32 && info.dim[1] == 32 && info.dim[2] == 3);
        const uint8_t *values = data->source->values;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(strait_data_label(data, i), s < 2 ? fine[i] : coarse[i]);
            for (int k = 0; k < 3072; k++)
                assert_int_equal(values[i * 3072 + k], (uint8_t)(i + k % 3 + 3 * (k / 3)));
        }
        assert_true((info.label_name != NULL) == (s == 2));
        if (s == 2) assert_string_equal(info.label_name[2], "class19");
        strait_data_free(data);
    }
    assert_open_survives_failing_allocations(test_path("hundred/train.bin#coarse"));
    assert_open_fails(test_path("hundred/train.bin#medium"), STRAIT_ARGUMENT,
                      "%s: label: CIFAR-100 has the labels fine and coarse, not 'medium'", path);
    bytes[HUNDRED + 1] = 100;
    assert_open_fails(test_file("hundred/test.bin", bytes, sizeof bytes), STRAIT_FORMAT,
                      "%s: not CIFAR-100: the label of image 1 is 100; labels are 0 to 99",
                      test_path("hundred/test.bin"));
}

/* The facts its folder tells: 4,000 images, and the first labels of CIFAR-10. */
static void test_real(void **state) {
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/cifar10", test_data() ? test_data() : "");
    if (access(path, R_OK) != 0) skip();
    const int64_t first[] = {6, 9, 9, 4, 1, 1, 2, 7, 8, 3};
    strait_data *data = open_good(path);
    assert_int_equal(strait_data_count(data), 4000);
    for (int i = 0; i < 10; i++)
        assert_int_equal(strait_data_label(data, i), first[i]);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_file), cmocka_unit_test(test_folder_and_name),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_hundred),
        cmocka_unit_test(test_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
