#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/memory.h"
#include "support/folder.h"

static void check_content(const char *path, const char *expected) {
    char *bytes;
    size_t n;
    strait_error err = {0};
    assert_int_equal(st_file_read(&bytes, &n, path, 1 << 20, &err), STRAIT_OK);
    assert_int_equal(n, strlen(expected));
    assert_string_equal(bytes, expected);
    st_free(bytes);
}

static void test_read_errors(void **state) {
    (void)state;
    char *bytes;
    size_t n;
    strait_error err = {0};
    assert_int_equal(st_file_read(&bytes, &n, test_path("missing"), 100, &err), STRAIT_NOT_FOUND);
    assert_non_null(strstr(err.message, "missing: no such file"));
    assert_null(bytes);
    assert_int_equal(st_file_read(&bytes, &n, test_folder(), 100, &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "is a folder"));
    const char *path = test_file("ten", "0123456789", 10);
    assert_int_equal(st_file_read(&bytes, &n, path, 9, &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "10 bytes"));
    assert_int_equal(st_file_read(&bytes, &n, path, 10, &err), STRAIT_OK);
    st_free(bytes);
}

/* A pipe has no size: it is read to its end, and no further than the limit. */
static void test_read_pipe(void **state) {
    (void)state;
    char *bytes;
    size_t n;
    char command[64], path[64];
    for (int limit = 150000; limit <= 200000; limit += 50000) {
        snprintf(command, sizeof command, "head -c 200000 /dev/zero");
        FILE *pipe = popen(command, "r");
        assert_non_null(pipe);
        snprintf(path, sizeof path, "/dev/fd/%d", fileno(pipe));
        const strait_status status = st_file_read(&bytes, &n, path, (size_t)limit, NULL);
        assert_int_equal(status, limit < 200000 ? STRAIT_IO : STRAIT_OK);
        assert_int_equal(n, limit < 200000 ? 0 : 200000);
        st_free(bytes);
        pclose(pipe);
    }
}

static void test_write_replaces(void **state) {
    (void)state;
    strait_error err = {0};
    const char *path = test_path("replaced");
    assert_int_equal(st_file_write_all(path, "old", 3, &err), STRAIT_OK);
    assert_int_equal(chmod(path, 0640), 0);
    st_file *file;
    assert_int_equal(st_file_create(&file, path, &err), STRAIT_OK);
    st_file_write(file, "ne", 2);
    check_content(path, "old"); /* until the commit */
    st_file_write(file, "w!", 2);
    assert_int_equal(st_file_commit(file, &err), STRAIT_OK);
    check_content(path, "new!");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

/* Many sizes around the buffer's: the bytes arrive whole and in order. */
static void test_write_sizes(void **state) {
    (void)state;
    enum { N = 400000 };
    static unsigned char bytes[N];
    for (int i = 0; i < N; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251);
    static const size_t pieces[] = {1, 1000, 65535, 65536, 65537, 131072, N};
    const char *path = test_path("sizes");
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        st_file *file;
        assert_int_equal(st_file_create(&file, path, NULL), STRAIT_OK);
        for (size_t at = 0; at < N; at += pieces[k])
            st_file_write(file, bytes + at, at + pieces[k] < N ? pieces[k] : N - at);
        assert_int_equal(st_file_commit(file, NULL), STRAIT_OK);
        char *got;
        size_t n;
        assert_int_equal(st_file_read(&got, &n, path, N, NULL), STRAIT_OK);
        assert_int_equal(n, N);
        assert_memory_equal(got, bytes, N);
        st_free(got);
    }
}

static void test_abandon(void **state) {
    (void)state;
    const char *path = test_file("abandoned", "old", 3);
    const int before = test_count_entries(test_folder());
    st_file *file;
    assert_int_equal(st_file_create(&file, path, NULL), STRAIT_OK);
    assert_int_equal(test_count_entries(test_folder()), before + 1); /* the temporary, in the same folder */
    st_file_write(file, "new", 3);
    st_file_abandon(file);
    st_file_abandon(NULL);
    check_content(path, "old");
    assert_int_equal(test_count_entries(test_folder()), before);
}

static void test_where_nothing_can_be_written(void **state) {
    (void)state;
    st_file *file;
    strait_error err = {0};
    assert_int_equal(st_file_create(&file, test_path("no/such/x"), &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "there is no folder"));
    assert_null(file);
    assert_int_equal(st_file_create(&file, test_folder(), &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "it is a folder"));
    const char *plain = test_file("plain", "x", 1);
    assert_int_equal(st_file_create(&file, test_path("plain/x"), &err), STRAIT_IO);
    assert_non_null(strstr(err.message, plain));
}

/* Past the limit for a file's size: the old file stays, the temporary goes, the message says why. */
static void test_file_size_limit(void **state) {
    (void)state;
    const char *path = test_file("limited", "old", 3);
    const int before = test_count_entries(test_folder());
    struct rlimit old, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){.rlim_cur = 100000, .rlim_max = old.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    static const char block[150000];
    strait_error err = {0};
    const strait_status status = st_file_write_all(path, block, sizeof block, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, STRAIT_IO);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "limit for a file's size"));
    check_content(path, "old");
    assert_int_equal(test_count_entries(test_folder()), before);
}

/* What is no regular file is written in place, never replaced. /dev/full says on every write that the disk is full. */
static void test_devices(void **state) {
    (void)state;
    struct stat info;
    if (stat("/dev/full", &info) != 0 || access("/dev/full", W_OK) != 0) skip();
    strait_error err = {0};
    assert_int_equal(st_file_write_all("/dev/full", "x", 1, &err), STRAIT_IO);
    assert_string_equal(err.message, "/dev/full: cannot be written: the disk is full");
    assert_int_equal(st_file_write_all("/dev/null", "x", 1, &err), STRAIT_OK);
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
}

static void test_symbolic_link(void **state) {
    (void)state;
    const char *target = test_file("target", "old", 3), *link = test_path("link");
    struct stat info;
    assert_int_equal(symlink("target", link), 0);
    assert_int_equal(st_file_write_all(link, "new", 3, NULL), STRAIT_OK);
    check_content(target, "new");
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

static void test_copy(void **state) {
    (void)state;
    strait_error err = {0};
    const char *from = test_file("from", "content", 7), *to = test_path("to");
    assert_int_equal(st_file_copy(from, to, &err), STRAIT_OK);
    check_content(to, "content");
    assert_int_equal(st_file_copy(test_path("nothing"), to, &err), STRAIT_NOT_FOUND);
    assert_int_equal(st_file_copy(from, test_path("no/x"), &err), STRAIT_IO);
    check_content(to, "content");
}

/* Each allocation fails in turn: MEMORY, nothing leaked (the sanitizer looks), nothing left behind. */
static void test_without_memory(void **state) {
    (void)state;
    const char *from = test_file("source", "content", 7), *to = test_path("copy");
    const int before = test_count_entries(test_folder());
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = st_file_copy(from, to, NULL);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_int_equal(test_count_entries(test_folder()), before);
        failures++;
    }
    st_alloc_fail_at(0);
    assert_true(failures >= 4);
    for (uint64_t n = 1; n < 100; n++) {
        char *bytes;
        size_t got;
        st_alloc_fail_at(n);
        const strait_status status = st_file_read(&bytes, &got, from, 100, NULL);
        st_free(bytes);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
    }
    st_alloc_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_errors),     cmocka_unit_test(test_read_pipe),
        cmocka_unit_test(test_write_replaces),  cmocka_unit_test(test_write_sizes),
        cmocka_unit_test(test_abandon),         cmocka_unit_test(test_where_nothing_can_be_written),
        cmocka_unit_test(test_file_size_limit), cmocka_unit_test(test_devices),
        cmocka_unit_test(test_symbolic_link),   cmocka_unit_test(test_copy),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("base.file", tests, NULL, NULL);
}
