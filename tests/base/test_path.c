#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "base/string.h"
#include "support/folder.h"

static void check(char *made, const char *expected) {
    assert_non_null(made);
    assert_string_equal(made, expected);
    st_free(made);
}

static void test_parts(void **state) {
    (void)state;
    check(st_path_join("runs", "a"), "runs/a");
    check(st_path_join("runs/", "a"), "runs/a");
    check(st_path_join("", "a"), "a");
    check(st_path_join("/", "a"), "/a");
    check(st_path_folder("a/b/c"), "a/b");
    check(st_path_folder("c"), ".");
    check(st_path_folder("/c"), "/");
    assert_string_equal(st_path_name("a/b/c.npy"), "c.npy");
    assert_string_equal(st_path_name("c.npy"), "c.npy");
}

static void test_exists(void **state) {
    (void)state;
    const char *file = test_file("there", "x", 1);
    assert_true(st_path_exists(file));
    assert_false(st_path_is_folder(file));
    assert_true(st_path_is_folder(test_folder()));
    assert_false(st_path_exists(test_path("not-there")));
}

static void test_make_folders(void **state) {
    (void)state;
    strait_error err = {0};
    const char *deep = test_path("one/two//three/");
    assert_int_equal(st_make_folders(deep, &err), STRAIT_OK);
    assert_true(st_path_is_folder(test_path("one/two/three")));
    assert_int_equal(st_make_folders(deep, &err), STRAIT_OK); /* there already */
    const char *file = test_file("file", "x", 1);
    assert_int_equal(st_make_folders(test_path("file/below"), &err), STRAIT_IO);
    assert_non_null(strstr(err.message, file));
    assert_non_null(strstr(err.message, "is a file"));
    assert_int_equal(st_make_folders("", &err), STRAIT_ARGUMENT);
    st_alloc_fail_at(1);
    assert_int_equal(st_make_folders(test_path("other/folder"), &err), STRAIT_MEMORY);
    assert_false(st_path_exists(test_path("other")));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_exists),
                                       cmocka_unit_test(test_make_folders)};
    return cmocka_run_group_tests_name("base.path", tests, NULL, NULL);
}
