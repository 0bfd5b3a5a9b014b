#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"

static void test_text_grows(void **state) {
    (void)state;
    st_text text = {0};
    char *string;
    for (int i = 0; i < 1000; i++)
        st_text_add(&text, "%d,", i % 10);
    st_text_add_bytes(&text, "end", 3);
    assert_int_equal(text.length, 2003);
    assert_int_equal(st_text_take(&string, &text, NULL), STRAIT_OK);
    assert_int_equal(strlen(string), 2003);
    assert_string_equal(string + 1996, "8,9,end");
    assert_null(text.bytes);
    st_free(string);
}

static void test_text_empty(void **state) {
    (void)state;
    st_text text = {0};
    char *string;
    st_text_add_bytes(&text, NULL, 0);
    assert_int_equal(st_text_take(&string, &text, NULL), STRAIT_OK);
    assert_string_equal(string, "");
    st_free(string);
    st_text_free(&text);
}

static void test_text_without_memory(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 3; n++) {
        st_text text = {0};
        strait_error err = {0};
        char *string = (char *)&err;
        st_alloc_fail_at(n);
        for (int i = 0; i < 50; i++)
            st_text_add(&text, "%s", "0123456789");
        st_alloc_fail_at(0);
        assert_true(text.failed);
        assert_int_equal(st_text_take(&string, &text, &err), STRAIT_MEMORY);
        assert_null(string);
        assert_false(text.failed); /* ready to be used again */
    }
    st_alloc_fail_at(1);
    assert_null(st_format("%d", 5));
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const words[] = {"units", "activation", "bias", "kernel_size"};
    assert_string_equal(st_nearest("unit", words, 4), "units");
    assert_string_equal(st_nearest("unist", words, 4), "units"); /* two neighbours swapped are one edit */
    assert_string_equal(st_nearest("activatoin", words, 4), "activation");
    assert_string_equal(st_nearest("kernelsize", words, 4), "kernel_size");
    assert_null(st_nearest("dropout", words, 4));
    assert_null(st_nearest("bxyz", words, 4)); /* three edits of four letters */
    assert_null(st_nearest("", words, 4));
    assert_null(st_nearest("units", words, 0));
    char long_word[200];
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[199] = 0;
    assert_null(st_nearest(long_word, words, 4));
}

static void test_parse_double(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},       {"-1.5", -1.5},  {"+2", 2},    {".5", 0.5},    {"5.", 5},
                {"1e-3", 1e-3}, {"2.5E+2", 250}, {"0.1", 0.1}, {"1e-400", 0.0}};
    static const char *const bad[] = {"",  " 1",    "1 ",  "0x10", "inf", "nan",  "1e",    "e5",
                                      ".", "1.2.3", "1,5", "-",    "+-1", "1e5x", "1e999", "infinity"};
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(st_parse_double(&value, good[i].text));
        assert_true(value == good[i].value);
    }
    value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(st_parse_double(&value, bad[i]));
    assert_true(value == 7);
}

static void test_parse_int(void **state) {
    (void)state;
    static const char *const bad[] = {"", " 1", "1 ", "1.0", "0x1", "-", "9223372036854775808", "1e3", "--1"};
    int64_t value;
    assert_true(st_parse_int(&value, "-9223372036854775808"));
    assert_true(value == INT64_MIN);
    assert_true(st_parse_int(&value, "9223372036854775807"));
    assert_true(value == INT64_MAX);
    assert_true(st_parse_int(&value, "+007"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(st_parse_int(&value, bad[i]));
    assert_int_equal(value, 7);
}

static void check_double(double value, const char *expected) {
    char text[32];
    st_print_double(text, value);
    assert_string_equal(text, expected);
}

static void check_float(float value, const char *expected) {
    char text[32];
    st_print_float(text, value);
    assert_string_equal(text, expected);
}

/* Expected: the shortest decimals as Python's repr (and numpy's, for float32) give them. */
static void test_print(void **state) {
    (void)state;
    check_double(0, "0");
    check_double(-0.0, "-0");
    check_double(10, "10");
    check_double(1000000, "1000000");
    check_double(0.001, "0.001");
    check_double(0.1, "0.1");
    check_double(0.1 + 0.2, "0.30000000000000004");
    check_double(1.0 / 3, "0.3333333333333333");
    check_double(1e-7, "1e-07");
    check_double(1e300, "1e+300");
    check_double(5e-324, "5e-324");
    check_double(1.7976931348623157e308, "1.7976931348623157e+308");
    check_double(-INFINITY, "-inf");
    check_double(NAN, "nan");
    check_float(0.1F, "0.1");
    check_float(0.3F, "0.3");
    check_float(16777216.0F, "16777216");
    check_float(3.4028235e38F, "3.4028235e+38");
    check_float(1e-45F, "1e-45");
    check_float(0.33333334F, "0.33333334");
    check_float(123456.79F, "123456.79");
}

/* Every kind of float, in steps through all bit patterns, reads back as itself. */
static void test_print_round_trip(void **state) {
    (void)state;
    for (uint64_t pattern = 1; pattern < UINT32_MAX; pattern += 314159) {
        const uint32_t bits = (uint32_t)pattern;
        float value;
        char text[32];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        st_print_float(text, value);
        assert_true(strtof(text, NULL) == value);
        const double wide = (double)value * 1.000000123456789;
        st_print_double(text, wide);
        assert_true(strtod(text, NULL) == wide);
    }
}

/* A program that has set a locale with a decimal comma still writes and reads points. */
static void test_locale(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    const char *set = NULL;
    for (size_t i = 0; i < 4 && !set; i++)
        set = setlocale(LC_ALL, names[i]);
    if (!set) skip(); /* no locale with a decimal comma is installed */
    double value;
    assert_true(st_parse_double(&value, "1.5"));
    assert_true(value == 1.5);
    assert_false(st_parse_double(&value, "1,5"));
    check_double(1.5, "1.5");
    check_float(0.25F, "0.25");
    char *text = st_format("%.2f", 1.5);
    assert_string_equal(text, "1.50");
    st_free(text);
    setlocale(LC_ALL, "C");
}

static void test_ends(void **state) {
    (void)state;
    assert_true(st_ends_with("a.npy", ".npy"));
    assert_false(st_ends_with("npy", ".npy"));
    assert_true(st_ends_with("x", ""));
    assert_true(st_starts_with("data/x", "data/"));
    assert_false(st_starts_with("dat", "data"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_text_empty),
        cmocka_unit_test(test_text_without_memory),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_parse_double),
        cmocka_unit_test(test_parse_int),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_round_trip),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests_name("base.string", tests, NULL, NULL);
}
