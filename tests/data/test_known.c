#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include "data/data_int.h"
#include "files.h"

static const char *const mnist_files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                          "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/* Folders that this machine may have must not decide what the tests see. */
static int make_environment(void **state) {
    (void)state;
    setenv("HOME", test_path("home"), 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("STRAIT_DATA");
    return 0;
}

/* A folder with the four files: 3 training images of 1 x 2, 2 test images. */
static void make_set(const char *folder) {
    uint8_t bytes[64];
    char name[128];
    assert_int_equal(mkdir(test_path(folder), 0777), 0);
    for (int i = 0; i < 4; i++) {
        const uint32_t n = i < 2 ? 3 : 2;
        const uint8_t values[] = {1, 2, 3, 4, 5, 6};
        snprintf(name, sizeof name, "%s/%s", folder, mnist_files[i]);
        test_file(name, bytes,
                  i % 2 ? make_idx(bytes, 0x08, 1, (uint32_t[]){n}, values + i, n)
                        : make_idx(bytes, 0x08, 3, (uint32_t[]){n, 1, 2}, values, n * 2));
    }
}

static void test_folders(void **state) {
    (void)state;
    char expected[1024];
    char *folders = st_data_folders();
    snprintf(expected, sizeof expected, "%s/.local/share/strait:/usr/share/datasets", test_path("home"));
    assert_string_equal(folders, expected);
    st_free(folders);
    setenv("STRAIT_DATA", "/one:/two", 1);
    setenv("XDG_DATA_HOME", "/xdg", 1);
    folders = st_data_folders();
    assert_string_equal(folders, "/one:/two:/xdg/strait:/usr/share/datasets");
    st_free(folders);
    make_environment(state);
}

static void test_splits_of_a_known_set(void **state) {
    (void)state;
    char folders[512];
    assert_int_equal(mkdir(test_path("sets"), 0777), 0);
    make_set("sets/mnist");
    snprintf(folders, sizeof folders, "/nowhere::%s", test_path("sets"));
    setenv("STRAIT_DATA", folders, 1);
    const char *sources[] = {"mnist", "mnist#train", "mnist#test", test_path("sets/mnist"),
                             test_path("sets/mnist#test")};
    const int64_t counts[] = {3, 3, 2, 3, 2}, first_labels[] = {2, 2, 4, 2, 4};
    for (int i = 0; i < 5; i++) {
        strait_data *data = open_good(sources[i]);
        strait_data_info info;
        assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
        assert_string_equal(info.source, sources[i]);
        assert_int_equal(info.n_samples, counts[i]);
        assert_int_equal(strait_data_label(data, 0), first_labels[i]);
        strait_data_free(data);
    }
    assert_open_survives_failing_allocations("mnist#test");
    assert_open_survives_failing_allocations(test_path("sets/mnist"));
    make_environment(state);
}

static void test_mistakes(void **state) {
    (void)state;
    char folders[512];
    setenv("STRAIT_DATA", "/nowhere", 1);
    assert_open_fails("mnist", STRAIT_NOT_FOUND,
                      "mnist: not found in /nowhere/mnist, %s/.local/share/strait/mnist, /usr/share/datasets/mnist; "
                      "get it by: strait data fetch mnist, or put "
                      "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                      "t10k-labels-idx1-ubyte (gzip or not) into %s/.local/share/strait/mnist, or set STRAIT_DATA to "
                      "the folder that holds mnist",
                      test_path("home"), test_path("home"));
    assert_open_fails("mnist#tset", STRAIT_ARGUMENT, "mnist: has no split 'tset'; its splits are train, test");
    assert_open_fails("mnist#", STRAIT_ARGUMENT, "mnist: has no split ''; its splits are train, test");
    assert_open_fails("fashion-mnits", STRAIT_NOT_FOUND,
                      "fashion-mnits: neither a file nor a known data set; did you mean 'fashion-mnist'?");
    assert_open_fails("", STRAIT_ARGUMENT, "the data source is empty; name a data set or a file");

    uint8_t bytes[64];
    test_file("single", bytes, make_idx(bytes, 0x08, 2, (uint32_t[]){1, 2}, "ab", 2));
    assert_open_fails(test_path("single#test"), STRAIT_ARGUMENT,
                      "%s: a single file has no split 'test'; only known data sets and folders have splits",
                      test_path("single"));
    /* A file whose own name has a # in it is that file. */
    test_file("odd#name", bytes, make_idx(bytes, 0x08, 2, (uint32_t[]){1, 2}, "ab", 2));
    strait_data_free(open_good(test_path("odd#name")));

    make_set("broken");
    assert_int_equal(remove(test_path("broken/t10k-images-idx3-ubyte")), 0);
    assert_open_fails(test_path("broken#test"), STRAIT_NOT_FOUND,
                      "%s: has no t10k-images-idx3-ubyte, gzip or not, for the split test", test_path("broken"));
    assert_int_equal(remove(test_path("broken/train-labels-idx1-ubyte")), 0);
    assert_open_fails(test_path("broken"), STRAIT_NOT_FOUND,
                      "%s: its labels, a file of the same name with labels-idx1, are not beside it",
                      test_path("broken/train-images-idx3-ubyte"));
    assert_int_equal(remove(test_path("broken/train-images-idx3-ubyte")), 0);
    assert_open_fails(test_path("broken"), STRAIT_NOT_FOUND,
                      "%s: no data set in this folder: neither images (.png, .jpg, .tif) nor train-images-idx3-ubyte, "
                      "data_batch_1.bin, ecg.csv or 10x's matrix.mtx; name a data file",
                      test_path("broken"));

    /* The set is looked for only in the folders there are; where the package is, it is found. */
    if (access("/usr/share/datasets/fashion-mnist", F_OK) != 0) {
        snprintf(folders, sizeof folders, "%s", test_path("home"));
        assert_open_fails("fashion-mnist", STRAIT_NOT_FOUND,
                          "fashion-mnist: not found in /nowhere/fashion-mnist, "
                          "%s/.local/share/strait/fashion-mnist, /usr/share/datasets/fashion-mnist; get it by: apt "
                          "install dataset-fashion-mnist",
                          folders);
    }
    make_environment(state);
}

static void assert_labels(const strait_data *data, const int *expected, int n) {
    for (int i = 0; i < n; i++)
        assert_int_equal(strait_data_label(data, i), expected[i]);
}

/* Facts every tutorial on MNIST prints: the first labels, the digits' counts, mean 0.1307 of the training pixels. */
static void test_real_mnist(void **state) {
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/mnist", test_data() ? test_data() : "");
    if (access(path, R_OK) != 0) skip();
    setenv("STRAIT_DATA", test_data(), 1);
    strait_data *train = open_good("mnist"), *test = open_good("mnist#test");
    strait_data_info info;
    assert_int_equal(strait_data_describe(train, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_samples, 60000);
    assert_int_equal(info.n_dims, 3);
    assert_int_equal(info.dim[0], 28);
    assert_int_equal(info.dim[1], 28);
    assert_int_equal(info.dim[2], 1);
    assert_true(info.minimum == 0 && info.maximum == 255);
    assert_true(fabs(info.mean / 255 - 0.1307) < 5e-5);
    const int64_t counts[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    assert_int_equal(info.n_labels, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(info.label_value[i], i);
        assert_int_equal(info.label_count[i], counts[i]);
    }
    assert_null(info.label_name);
    assert_labels(train, (int[]){5, 0, 4, 1, 9}, 5);
    assert_int_equal(strait_data_count(test), 10000);
    assert_labels(test, (int[]){7, 2, 1, 0, 4}, 5);
    strait_data_free(train);
    strait_data_free(test);
    make_environment(state);
}

/* Facts of Fashion-MNIST: classes of equal size, the first training labels 9 0 0 3 0, mean 0.2860. */
static void test_real_fashion(void **state) {
    (void)state;
    if (access("/usr/share/datasets/fashion-mnist", R_OK) != 0) skip();
    strait_data *train = open_good("fashion-mnist"), *test = open_good("fashion-mnist#test");
    strait_data_info info;
    assert_int_equal(strait_data_describe(train, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_samples, 60000);
    assert_true(fabs(info.mean / 255 - 0.2860) < 5e-5);
    assert_int_equal(info.n_labels, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(info.label_count[i], 6000);
    assert_string_equal(info.label_name[0], "T-shirt/top");
    assert_string_equal(info.label_name[9], "Ankle boot");
    assert_labels(train, (int[]){9, 0, 0, 3, 0}, 5);
    assert_int_equal(strait_data_count(test), 10000);
    assert_labels(test, (int[]){9, 2, 1, 1, 6}, 5);
    strait_data_free(train);
    strait_data_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),      cmocka_unit_test(test_splits_of_a_known_set),
        cmocka_unit_test(test_mistakes),     cmocka_unit_test(test_real_mnist),
        cmocka_unit_test(test_real_fashion),
    };
    return cmocka_run_group_tests(tests, make_environment, NULL);
}
