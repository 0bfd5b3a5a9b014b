#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/apart.h"
#include "support/folder.h"

#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static volatile int seen;

static strait_status run(char end[ST_APART_END], strait_status (*work)(void *, strait_error *), void *context,
                         strait_error *err) {
    return st_apart_run(end, &(st_apart){.work = work, .context = context, .name = "x", .seconds = 1}, err);
}

/* ---- what comes back ---- */

static strait_status succeed(void *context, strait_error *err) {
    (void)err;
    seen = *(const int *)context;
    return seen == 7 ? STRAIT_OK : STRAIT_SHAPE;
}

static strait_status fail_in_words(void *context, strait_error *err) {
    printf("this is seen nowhere");
    fflush(stdout);
    return st_fail(err, STRAIT_SHAPE, "what %s said", (const char *)context);
}

/* A file that may not grow: the write tells, no signal ends the child. */
static strait_status write_too_much(void *context, strait_error *err) {
    const struct rlimit none = {0, RLIM_INFINITY};
    FILE *file = tmpfile();
    (void)context;
    if (!file || setrlimit(RLIMIT_FSIZE, &none) != 0) return STRAIT_SHAPE;
    const bool written = fputs("a line\n", file) >= 0 && fflush(file) == 0;
    return written ? STRAIT_OK : st_fail_errno(err, "it may not grow");
}

static void test_file_size(void **state) {
    (void)state;
    char end[ST_APART_END];
    strait_error err = {0};
    assert_int_equal(run(end, write_too_much, NULL, &err), STRAIT_IO);
    assert_string_equal(end, "");
    assert_non_null(strstr(err.message, "it may not grow"));
}

static void test_result_comes_back(void **state) {
    (void)state;
    char end[ST_APART_END] = "old";
    strait_error err = {.message = "as it was"};
    int number = 7;
    seen = 0;
    assert_int_equal(run(end, succeed, &number, &err), STRAIT_OK);
    assert_string_equal(end, "");
    assert_string_equal(err.message, "as it was");
    assert_int_equal(seen, 0); /* the child's memory is its own */
    assert_int_equal(run(end, fail_in_words, "it", &err), STRAIT_SHAPE);
    assert_string_equal(end, "");
    assert_string_equal(err.message, "what it said");
    assert_int_equal(err.code, STRAIT_SHAPE);
    assert_int_equal(run(end, fail_in_words, "it", NULL), STRAIT_SHAPE);
}

/* Nothing is printed twice, or at all, and nothing is done at exit. */
static strait_status write_nothing(void *context, strait_error *err) {
    (void)context, (void)err;
    fputs("lost", stdout);
    fputs("lost", stderr);
    return STRAIT_OK;
}

static void test_child_is_silent(void **state) {
    (void)state;
    char end[ST_APART_END], got[16] = "";
    const char *path = test_path("out");
    FILE *out = fopen(path, "w+");
    assert_non_null(out);
    fputs("once", out); /* in the buffer when the process is doubled */
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    const strait_status status = run(end, write_nothing, NULL, NULL);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_int_equal(status, STRAIT_OK);
    rewind(out);
    assert_int_equal(fread(got, 1, sizeof got - 1, out), 4);
    assert_string_equal(got, "once");
    fclose(out);
}

/* ---- what does not ---- */

static strait_status raise_it(void *context, strait_error *err) {
    (void)err;
    raise(*(const int *)context);
    return STRAIT_OK;
}

static strait_status read_wildly(void *context, strait_error *err) {
    (void)err;
    const volatile char *wild = (const volatile char *)(uintptr_t)(16 * *(const int *)context);
    return *wild ? STRAIT_OK : STRAIT_IO;
}

static strait_status leave(void *context, strait_error *err) {
    (void)err;
    _exit(*(const int *)context);
}

static void handler(int number) {
    (void)number;
    seen = 1;
}

/* Handlers are the parent's; a crash is told of, the parent lives on. */
static void test_crashes(void **state) {
    (void)state;
    char end[ST_APART_END];
    strait_error err = {.message = "as it was"};
    int one = 1;
    seen = 0;
    void (*before)(int) = signal(SIGSEGV, handler);
    assert_int_equal(run(end, read_wildly, &one, &err), STRAIT_FORMAT);
    signal(SIGSEGV, before);
    assert_string_equal(end, "killed by SIGSEGV");
    assert_string_equal(err.message, "as it was");
    assert_int_equal(seen, 0);
    const int number[] = {SIGABRT, SIGFPE, SIGUSR1};
    const char *told[] = {"killed by SIGABRT", "killed by SIGFPE", "killed by signal "};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(end, raise_it, (void *)&number[i], &err), STRAIT_FORMAT);
        assert_int_equal(strncmp(end, told[i], strlen(told[i])), 0);
    }
    int zero = 0;
    assert_int_equal(run(end, leave, &zero, &err), STRAIT_FORMAT);
    assert_string_equal(end, "it ended the process");
}

/* Ctrl-C goes to the whole group: the child finishes, the parent decides. */
static void test_interrupts_are_the_parents(void **state) {
    (void)state;
    char end[ST_APART_END];
    int number = SIGINT;
    assert_int_equal(run(end, raise_it, &number, NULL), STRAIT_OK);
    assert_string_equal(end, "");
}

static strait_status spin(void *context, strait_error *err) {
    (void)context, (void)err;
    for (seen = 0; seen >= 0; seen ^= 1) {
    }
    return STRAIT_OK;
}

static void test_endless_loop(void **state) {
    (void)state;
    char end[ST_APART_END];
    assert_int_equal(run(end, spin, NULL, NULL), STRAIT_FORMAT);
    assert_string_equal(end, "over 1 s of processor time");
}

/* More than it may have: the allocation fails in the child; here it would not. */
static strait_status take_memory(void *context, strait_error *err) {
    void *volatile block = malloc(*(const size_t *)context);
    const bool got = block != NULL;
    free(block);
    return got ? STRAIT_OK : st_fail(err, STRAIT_MEMORY, "no more");
}

static void test_memory(void **state) {
    (void)state;
    if (SANITIZED) skip(); /* their shadows take all addresses there are */
    char end[ST_APART_END];
    size_t bytes = (size_t)1 << 30;
    st_apart task = {.work = take_memory, .context = &bytes, .name = "x", .seconds = 1, .more_bytes = bytes / 2};
    assert_int_equal(st_apart_run(end, &task, NULL), STRAIT_MEMORY);
    assert_string_equal(end, "");
    task.more_bytes = 4 * (uint64_t)bytes;
    assert_int_equal(st_apart_run(end, &task, NULL), STRAIT_OK);
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_AS, &now), 0);
    assert_true(now.rlim_cur == RLIM_INFINITY || now.rlim_cur > 8 * (rlim_t)bytes);
}

/* ---- company ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool enough;
static int halves[2]; /* equal but under the lock */

static void take(void) {
    pthread_mutex_lock(&mutex);
}

static void let_go(void) {
    pthread_mutex_unlock(&mutex);
}

static void *keep_changing(void *context) {
    (void)context;
    while (!atomic_load(&enough)) {
        take();
        halves[0]++;
        sched_yield();
        halves[1]++;
        let_go();
    }
    return NULL;
}

static strait_status compare_halves(void *context, strait_error *err) {
    (void)context, (void)err;
    take(); /* nobody holds it for ever in the child */
    return halves[0] == halves[1] ? STRAIT_OK : STRAIT_SHAPE;
}

/* Another thread is never in the middle of what the lock guards. */
static void test_lock_is_held(void **state) {
    (void)state;
    char end[ST_APART_END];
    pthread_t thread;
    const st_apart task = {.work = compare_halves, .name = "x", .seconds = 5, .lock = take, .unlock = let_go};
    assert_int_equal(pthread_create(&thread, NULL, keep_changing, NULL), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(st_apart_run(end, &task, NULL), STRAIT_OK);
        assert_string_equal(end, "");
    }
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
}

static int wait_for_any(void) {
    int status;
    return (int)waitpid(-1, &status, WNOHANG);
}

/* No child is left over; and one that another has waited for is told all the same. */
static void test_children_of_others(void **state) {
    (void)state;
    char end[ST_APART_END];
    int number = 7;
    void (*before)(int) = signal(SIGCHLD, SIG_IGN); /* the system takes them */
    assert_int_equal(run(end, succeed, &number, NULL), STRAIT_OK);
    assert_string_equal(end, "");
    number = SIGABRT;
    assert_int_equal(run(end, raise_it, &number, NULL), STRAIT_FORMAT);
    assert_string_not_equal(end, "");
    signal(SIGCHLD, before);
    assert_int_equal(wait_for_any(), -1);
}

/* Where no process can be started: root may have any number, so in the name of nobody, in a process of its own. */
static int run_without_processes(void) {
    char end[ST_APART_END];
    strait_error err = {0};
    int number = 7;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 2;
    if (setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}) != 0) return 3;
    if (run(end, succeed, &number, &err) != STRAIT_IO || end[0]) return 4;
    return strstr(err.message, "x: cannot start the process in which it is tried: ") ? 0 : 5;
}

static void test_no_process_left(void **state) {
    (void)state;
    int status = -1;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(run_without_processes());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_comes_back), cmocka_unit_test(test_child_is_silent),
        cmocka_unit_test(test_crashes),           cmocka_unit_test(test_interrupts_are_the_parents),
        cmocka_unit_test(test_endless_loop),      cmocka_unit_test(test_memory),
        cmocka_unit_test(test_lock_is_held),      cmocka_unit_test(test_children_of_others),
        cmocka_unit_test(test_no_process_left),   cmocka_unit_test(test_file_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
