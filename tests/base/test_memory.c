#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include "base/memory.h"

static void test_zeroed(void **state) {
    (void)state;
    unsigned char *block = st_alloc(1000, 3);
    assert_non_null(block);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(block[i], 0);
    st_free(block);
    block = st_alloc(0, 8);
    assert_non_null(block);
    st_free(block);
    st_free(NULL);
}

static void test_overflow(void **state) {
    (void)state;
    assert_null(st_alloc(SIZE_MAX / 2, 3));
    assert_null(st_realloc(NULL, SIZE_MAX / 2, 3));
    assert_null(st_alloc_aligned(SIZE_MAX - 10));
}

static void test_growing(void **state) {
    (void)state;
    int *block = st_realloc(NULL, 4, sizeof *block);
    for (int i = 0; i < 4; i++)
        block[i] = i;
    block = st_realloc(block, 1000, sizeof *block);
    for (int i = 0; i < 4; i++)
        assert_int_equal(block[i], i);
    st_alloc_fail_at(1);
    assert_null(st_realloc(block, 2000, sizeof *block));
    assert_int_equal(block[3], 3); /* the old block is as it was */
    st_free(block);
}

static void test_aligned(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 4096, ((size_t)2 << 20) - 1, (size_t)2 << 20, ((size_t)5 << 20) + 12345};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *block = st_alloc_aligned(sizes[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % (sizes[i] >= (size_t)2 << 20 ? (size_t)2 << 20 : 64), 0);
        size_t sum = 0;
        for (size_t k = 0; k < sizes[i]; k++)
            sum += block[k];
        assert_int_equal(sum, 0);
        memset(block, 1, sizes[i]);
        st_free(block);
    }
}

static void test_strings(void **state) {
    (void)state;
    char *copy = st_strdup("strait"), *start = st_strndup("strait", 3), *all = st_strndup("ab", 10);
    assert_string_equal(copy, "strait");
    assert_string_equal(start, "str");
    assert_string_equal(all, "ab");
    st_free(copy);
    st_free(start);
    st_free(all);
}

static void test_fails_once(void **state) {
    (void)state;
    void *block[4];
    const uint64_t before = st_alloc_count();
    st_alloc_fail_at(3);
    for (int i = 0; i < 4; i++)
        block[i] = st_alloc(1, 8);
    assert_int_equal(st_alloc_count() - before, 4);
    assert_non_null(block[0]);
    assert_non_null(block[1]);
    assert_null(block[2]);
    assert_non_null(block[3]);
    for (int i = 0; i < 4; i++)
        st_free(block[i]);
    st_alloc_fail_at(1);
    assert_null(st_strdup("x"));
    st_alloc_fail_at(1);
    assert_null(st_alloc_aligned(64));
    st_alloc_fail_at(1);
    st_alloc_fail_at(0);
    void *good = st_alloc(1, 1);
    assert_non_null(good);
    st_free(good);
}

static _Atomic int n_failed;

static void *allocate_many(void *context) {
    for (int i = 0; i < 1000; i++) {
        void *block = st_alloc(1, 16);
        if (!block) atomic_fetch_add(&n_failed, 1);
        st_free(block);
    }
    return context;
}

/* However the threads' allocations interleave, exactly one fails, and none goes uncounted. */
static void test_threads(void **state) {
    (void)state;
    pthread_t thread[4];
    const uint64_t before = st_alloc_count();
    st_alloc_fail_at(1777);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, allocate_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(st_alloc_count() - before, 4000);
    assert_int_equal(n_failed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed),  cmocka_unit_test(test_overflow), cmocka_unit_test(test_growing),
        cmocka_unit_test(test_aligned), cmocka_unit_test(test_strings),  cmocka_unit_test(test_fails_once),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("base.memory", tests, NULL, NULL);
}
