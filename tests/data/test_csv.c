#include <unistd.h>
#include "data/data_int.h"
#include "files.h"

static const char *write_text(const char *name, const char *text) {
    return test_file(name, text, strlen(text));
}

/* The table at path holds rows of these values. */
static strait_data *open_table(const char *path, int64_t n, int64_t width, const float *expected) {
    strait_data *data = open_good(path);
    strait_array *rows = NULL;
    assert_int_equal(strait_data_count(data), n);
    assert_int_equal(strait_data_rows(&rows, data, 0, n, NULL), STRAIT_OK);
    assert_int_equal(rows->n_dims, 2);
    assert_int_equal(rows->dim[1], width);
    for (int64_t i = 0; i < n * width; i++)
        if (rows->values[i] != expected[i])
            fail_msg("value %lld is %g, not %g", (long long)i, (double)rows->values[i], (double)expected[i]);
    strait_array_free(rows);
    return data;
}

static void check_table(const char *text, int64_t n, int64_t width, const float *expected) {
    strait_data_free(open_table(write_text("table.csv", text), n, width, expected));
}

static void test_separators_and_headers(void **state) {
    (void)state;
    const float expected[] = {1, -2.5f, 3e4f, 4, 5, 6};
    check_table("1,-2.5,3e4\n4,5,6\n", 2, 3, expected);
    check_table("1;-2.5;3e4\r\n4;5;6\r\n", 2, 3, expected);
    check_table("1\t-2.5\t3e4\n4\t5\t6", 2, 3, expected);
    check_table("a,b,c\n1,-2.5,3e4\n4,5,6\n", 2, 3, expected);
    check_table("\xef\xbb\xbf\"a\",\"b, with a comma\",\"c \"\"so called\"\"\"\n\n 1 , \"-2.5\" ,3e4\n\n+4,5.0,06\n\n",
                2, 3, expected);
    check_table("a,0,1\n1,-2.5,3e4\n4,5,6\n", 2, 3, expected); /* one word above a number */
    check_table("1\n-2.5\n", 2, 1, expected);
    check_table("\"a\nb\",c,d\n1,-2.5,3e4\n4,5,6\n", 2, 3, expected);
    /* Decimals are rounded once, as strtod rounds: more digits than a float, than a double. */
    check_table("0.1,16777217,0.30000001192092896\n123456789012345678,-0.000001,.5\n", 2, 3,
                (float[]){0.1f, 16777217.0f, 0.30000001192092896f, 123456789012345678.0f, -0.000001f, 0.5f});
    const char gz[] = "1,2\n3,4\n";
    strait_data_free(open_table(write_gzip("t.csv.gz", gz, strlen(gz)), 2, 2, (float[]){1, 2, 3, 4}));
    /* By its content alone. */
    strait_data_free(open_table(write_text("numbers.txt", "x y,z\n1,2\n3,4\n"), 2, 2, (float[]){1, 2, 3, 4}));
}

static strait_data *open_with_label(const char *path, const char *label) {
    st_source *source = NULL;
    strait_data *data = NULL;
    strait_error err = {0};
    if (st_source_open(&source, path, &(st_source_options){.label = label}, &err) != STRAIT_OK)
        fail_msg("%s", err.message);
    assert_int_equal(st_data_new(&data, source, path, NULL), STRAIT_OK);
    return data;
}

static void assert_labels(strait_data *data, int64_t a, int64_t b, int64_t c, int64_t width) {
    assert_int_equal(strait_data_label(data, 0), a);
    assert_int_equal(strait_data_label(data, 1), b);
    assert_int_equal(strait_data_label(data, 2), c);
    assert_int_equal(data->source->n_values, width);
    strait_data_free(data);
}

static void test_labels(void **state) {
    (void)state;
    const char *named = write_text("named.csv", "Class,x,y\n3,1,2\n1,3,4\n3,5,6\n");
    assert_labels(open_good(named), 3, 1, 3, 2);
    assert_labels(open_with_label(named, "none"), -1, -1, -1, 3);
    assert_labels(open_with_label(named, "x"), 1, 3, 5, 2);
    assert_labels(open_with_label(named, "last"), 2, 4, 6, 2);
    const char *bare = write_text("bare.csv", "1,2,1.0\n3,4,0.0\n5,6,-7\n");
    assert_labels(open_good(bare), -1, -1, -1, 3);
    assert_labels(open_with_label(bare, "2"), 1, 0, -7, 2);
    assert_labels(open_with_label(bare, "last"), 1, 0, -7, 2);

    /* Words: in byte order, with their names. */
    strait_data *words = open_good(write_text("words.csv", "x,label\n1,pear\n2,Fig\n3,pear\n4,apple\n"));
    strait_data_info info;
    assert_int_equal(strait_data_describe(words, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_labels, 3);
    assert_string_equal(info.label_name[0], "Fig");
    assert_string_equal(info.label_name[1], "apple");
    assert_string_equal(info.label_name[2], "pear");
    assert_int_equal(info.label_count[2], 2);
    assert_string_equal(info.note, "column 'label' (1) holds the labels");
    assert_labels(words, 2, 0, 2, 1);
}

static void test_names(void **state) {
    (void)state;
    strait_data *data =
        open_table(write_text("names.csv", ",g1,g2\ncell a,1,2\ncell b,3,4\n"), 2, 2, (float[]){1, 2, 3, 4});
    strait_data_info info;
    assert_string_equal(strait_data_sample_name(data, 1), "cell b");
    assert_null(strait_data_sample_name(data, 2));
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.note, "column 0 holds the rows' names");
    strait_data_free(data);
}

static void assert_table_fails(const char *text, const char *message) {
    assert_open_fails(write_text("bad.csv", text), STRAIT_FORMAT, "%s: %s", test_path("bad.csv"), message);
}

static void assert_table_misses(const char *text, int64_t n, const char *missing) {
    assert_misses(write_text("gaps.csv", text), n, missing);
}

/* Counted and told, with the place of the first. */
static void test_missing(void **state) {
    (void)state;
    assert_table_misses("a,height\n1,2\n3,NA\nnan,4\n", 2,
                        "2 values are missing, the first on line 3, column 'height' (1)");
    assert_table_misses("1,\n3,4\n", 1, "1 value is missing, the first on line 1, column 1");
    assert_table_misses("1,2\n3,1e39\n4,4\n", 1, "1 value is not finite, the first (infinity) is value 1 of sample 1");
}

static void test_mistakes(void **state) {
    (void)state;
    assert_table_fails("a,b\n1,2\n\n3,4,5\n", "line 4 has 3 columns, line 1 has 2");
    assert_table_fails("1,2,3\n3\n", "line 2 has 1 column, line 1 has 3");
    assert_table_fails("a,label\n1,2\n3,NA\n",
                       "1 label is missing, the first on line 3; fill in or remove them, or read the table without "
                       "labels: data: {label: none}");
    assert_table_fails("a,b\n1,2\n3,4x\n", "line 3, column 'b' (1): '4x' is not a number; if it is the label, name its "
                                           "column: --label COLUMN, or data: {label: COLUMN}");
    assert_table_fails("1;2\n3;4,5\n",
                       "line 2, column 1: '4,5' is not a number; numbers are written with a decimal point");
    assert_table_fails("1,2\n3,int\n", "line 2, column 1: 'int' is not a number; if it is the label, name its column: "
                                       "--label COLUMN, or data: {label: COLUMN}");
    assert_table_fails("1,2\n3,\"4\n", "line 2: a quote is left open");
    assert_table_fails("1,2\n3,\"4\"5\n", "line 2: more text after a closing quote");
    assert_table_fails("a,b\n", "holds a header and no rows");
    assert_table_fails("\n\n \n", "holds no rows");
    assert_table_fails("label\n1\n", "no column of numbers is left beside the label and the names");
    assert_open_fails(test_file("zero.csv", "1,2\n3,\0", 7), STRAIT_FORMAT,
                      "%s: not a text file: it holds zero bytes after line 1", test_path("zero.csv"));

    st_source *source = NULL;
    strait_error err = {0};
    const char *path = write_text("labels.csv", "alpha,beta\n1,2\n");
    assert_int_equal(st_source_open(&source, path, &(st_source_options){.label = "bata"}, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "label: there is no column 'bata'; did you mean 'beta'?"));
    assert_int_equal(st_source_open(&source, path, &(st_source_options){.label = "2"}, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "label: there is no column '2'; columns are numbered 0 to 1"));
}

/* Text that is no table is not taken for one. */
static void test_probe(void **state) {
    (void)state;
    const char *const texts[] = {"name: x\nseed: 42\n", "{\"a\": [1, 2]}\n", "Some words, and 3 numbers, or 4\n",
                                 "17\n", "\x01\x02,1,2\n3,4\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        strait_data *data = NULL;
        strait_error err = {0};
        assert_int_equal(strait_data_open(&data, write_text("other", texts[i]), &err), STRAIT_FORMAT);
        assert_non_null(strstr(err.message, "no known format"));
    }
}

/* Records longer than the buffer, many of them: 30,000 values a line. */
static void test_wide(void **state) {
    (void)state;
    enum { WIDE = 30000, ROWS = 5 };
    char *text = malloc(WIDE * ROWS * 8 + 1);
    assert_non_null(text);
    size_t at = 0;
    for (int i = 0; i < WIDE * ROWS; i++)
        at += (size_t)snprintf(text + at, 9, "%d%c", i, i % WIDE == WIDE - 1 ? '\n' : ',');
    strait_data *data = open_good(test_file("wide.csv", text, at));
    assert_int_equal(data->source->n_samples, ROWS);
    for (int i = 0; i < WIDE * ROWS; i++)
        assert_true(((const float *)data->source->values)[i] == (float)i);
    strait_data_free(data);
    free(text);
}

/* scikit-learn's first line (sklearn/datasets/data/iris.csv begins "150,4,setosa,versicolor,virginica"), which may be
   as long as the others. */
static void test_sklearn(void **state) {
    (void)state;
    static const char *const text[] = {"2,4,ham,eggs,spam\n1,2,3,4,2\n5,6,7,8,0\n",
                                       "2,4,ham,spam\n1,2,3,4,1\n5,6,7,8,0\n"};
    const float expected[] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 0; i < 2; i++) {
        strait_data *data = open_table(write_text("sklearn.csv", text[i]), 2, 4, expected);
        strait_data_info info;
        assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
        assert_int_equal(info.n_labels, 2);
        assert_string_equal(info.label_name[0], "ham");
        assert_string_equal(info.label_name[1], "spam");
        assert_int_equal(strait_data_label(data, 0), 2 - i);
        strait_data_free(data);
    }
    assert_table_fails("3,1,a,b\n1,0\n2,1\n", "line 1 announces 3 rows, there are 2; fetch or copy it again");
    assert_table_fails("3,1,a,b\n1,2,3\n",
                       "line 2 has 3 columns, line 1 has 4; let the first line name every column, or "
                       "remove it");
}

/* Weka's manual, "ARFF (stable version)": keywords in any case, comments, names in quotes, ? for what is missing. */
static void test_arff(void **state) {
    (void)state;
    const char *path = write_text("a.arff", "% by hand\n\n@Relation 'two words'\r\n@ATTRIBUTE x numeric\n"
                                            "@attribute 'the y' real\n@attribute class {one,two}\n%\n@DATA\n"
                                            "1,2.5,two\n% not \"a row\n\n3,4,one\n");
    strait_data *data = open_table(path, 2, 2, (float[]){1, 2.5f, 3, 4});
    strait_data_info info;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_string_equal(info.label_name[0], "one");
    assert_int_equal(strait_data_label(data, 0), 1);
    assert_string_equal(info.note, "column 'class' (2) holds the labels");
    strait_data_free(data);
    assert_open_survives_failing_allocations(path);

    data =
        open_good(write_text("missing.arff", "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,?\n"));
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_int_equal(info.n_missing, 1);
    strait_data_free(data);
    assert_table_fails("@relation r\n@attribute a numeric\n", "ends before its @data");
    assert_table_fails("@relation r\n@attribute a numeric\n@data\n", "holds a header and no rows");
    assert_table_fails("@relation r\n@attribute a numeric\n@data\n1,2\n", "line 4 has 2 columns for 1 attribute");
    assert_table_fails("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n{1 5}\n",
                       "line 5: sparse ARFF is not read; write its values in full");
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_open_survives_failing_allocations(write_text("memory.csv", "n,x,label\na,1,u\nb,2,v\n"));
    assert_open_survives_failing_allocations(write_gzip("memory.csv.gz", "1,2\n3,4\n", 8));
}

/* data.label through a recipe's preparation; rows as wide as the model stay as they are. */
static void test_recipe_label(void **state) {
    (void)state;
    strait_data *data = open_good(write_text("recipe.csv", "1,2,1\n3,4,0\n5,6,1\n")), *part = NULL, *ready = NULL;
    strait_recipe recipe = {0};
    char label[] = "2";
    recipe.data.label = label;
    recipe.model.n_input_dims = 1;
    recipe.model.input_dim[0] = 2;
    assert_int_equal(st_data_slice(&part, data, 1, 2, NULL), STRAIT_OK);
    assert_int_equal(st_data_prepare(&ready, part, &recipe, NULL), STRAIT_OK);
    assert_int_equal(strait_data_count(ready), 2);
    assert_int_equal(ready->source->n_values, 2);
    assert_int_equal(strait_data_label(ready, 0), 0);
    assert_int_equal(strait_data_label(ready, 1), 1);
    strait_data *again = NULL;
    assert_int_equal(st_data_prepare(&again, ready, &recipe, NULL), STRAIT_OK);
    assert_ptr_equal(again->source, ready->source);
    strait_data_free(again);
    strait_data_free(ready);
    recipe.model.input_dim[0] = 3;
    assert_int_equal(st_data_prepare(&ready, part, &recipe, NULL), STRAIT_OK);
    assert_int_equal(ready->source->n_values, 3);
    strait_data_free(ready);
    strait_data_free(part);
    strait_data_free(data);
}

/* The facts of the data set: 4,998 rows of which 2,919 are normal; a fifth, rounded up, is for testing, as
   train_test_split(test_size=0.2) has it. No row is in both parts, and none is lost: the sums of all values agree. */
static void test_real_ecg(void **state) {
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/ecg5000/ecg.csv.gz", test_data() ? test_data() : "");
    if (access(path, R_OK) != 0) skip();
    setenv("STRAIT_DATA", test_data(), 1);
    strait_data *whole = open_with_label(path, "last"), *part[2] = {open_good("ecg5000"), open_good("ecg5000#test")};
    assert_int_equal(strait_data_count(whole), 4998);
    assert_int_equal(strait_data_count(part[0]), 3998);
    assert_int_equal(strait_data_count(part[1]), 1000);
    int seen[4998] = {0};
    int64_t normal = 0;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < part[k]->n; i++) {
            const int64_t at = st_data_source_sample(part[k], i);
            seen[at]++;
            assert_int_equal(strait_data_label(part[k], i), strait_data_label(whole, at));
            normal += strait_data_label(part[k], i) == 1;
        }
    for (int i = 0; i < 4998; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(normal, 2919);
    strait_data_info info;
    assert_int_equal(strait_data_describe(part[0], &info, NULL), STRAIT_OK);
    assert_string_equal(info.label_name[1], "normal");
    assert_int_equal(info.dim[0], 140);
    for (int k = 0; k < 2; k++)
        strait_data_free(part[k]);
    strait_data_free(whole);
    unsetenv("STRAIT_DATA");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_separators_and_headers),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_sklearn),
        cmocka_unit_test(test_arff),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_recipe_label),
        cmocka_unit_test(test_real_ecg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
