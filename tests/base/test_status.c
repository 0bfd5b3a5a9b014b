#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <string.h>
#include "base/status.h"

static void test_texts(void **state) {
    (void)state;
    assert_string_equal(strait_status_text(STRAIT_OK), "ok");
    assert_string_equal(strait_status_text(STRAIT_ENGINE), "the compute engine failed");
    assert_string_equal(strait_status_text((strait_status)999), "unknown status");
}

static void test_fail(void **state) {
    (void)state;
    strait_error err = {0};
    assert_int_equal(st_fail(&err, STRAIT_FORMAT, "%s: line %d", "a.csv", 3), STRAIT_FORMAT);
    assert_int_equal(err.code, STRAIT_FORMAT);
    assert_string_equal(err.message, "a.csv: line 3");
    assert_int_equal(st_fail(NULL, STRAIT_SHAPE, "nobody listens"), STRAIT_SHAPE);
}

/* A file's name may hold anything; a message is one line. */
static void test_one_line(void **state) {
    (void)state;
    strait_error err = {0};
    st_fail(&err, STRAIT_IO, "%s: no such file", "a\nb\x1b[2J\x7f");
    assert_string_equal(err.message, "a b [2J : no such file");
}

static void test_long_message_keeps_whole_characters(void **state) {
    (void)state;
    for (size_t lead = 0; lead < 3; lead++) {
        char text[2000];
        strait_error err = {0};
        memset(text, 'x', lead);
        for (size_t i = lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x86\x92", 4); /* an arrow, U+2192 */
        st_fail(&err, STRAIT_IO, "%s", text);
        const size_t n = strlen(err.message);
        assert_true(n >= sizeof err.message - 4 && n < sizeof err.message);
        assert_int_equal((n - lead) % 3, 0);
    }
}

static void test_errno(void **state) {
    (void)state;
    strait_error err = {0};
    errno = EACCES;
    assert_int_equal(st_fail_errno(&err, "cannot open %s", "x"), STRAIT_IO);
    assert_string_equal(err.message, "cannot open x: Permission denied");
    errno = ENOMEM;
    assert_int_equal(st_fail_errno(NULL, "cannot"), STRAIT_MEMORY);
}

static void test_memory(void **state) {
    (void)state;
    strait_error err = {0};
    assert_int_equal(st_fail_memory(&err, 4096, "the batch"), STRAIT_MEMORY);
    assert_string_equal(err.message, "out of memory (asked for 4096 bytes for the batch)");
}

static strait_status two_steps(strait_status first, int *reached) {
    ST_TRY(first);
    *reached = 1;
    return STRAIT_OK;
}

static void test_try(void **state) {
    (void)state;
    int reached = 0;
    assert_int_equal(two_steps(STRAIT_SHAPE, &reached), STRAIT_SHAPE);
    assert_int_equal(reached, 0);
    assert_int_equal(two_steps(STRAIT_OK, &reached), STRAIT_OK);
    assert_int_equal(reached, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_fail),
        cmocka_unit_test(test_one_line), cmocka_unit_test(test_long_message_keeps_whole_characters),
        cmocka_unit_test(test_errno),    cmocka_unit_test(test_memory),
        cmocka_unit_test(test_try),
    };
    return cmocka_run_group_tests_name("base.status", tests, NULL, NULL);
}
