#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "base/thread.h"
#include "base/thread_int.h"
#include "support/folder.h"

enum { MOST = 9 };

/* Plain memory: were a run not a synchronisation, ThreadSanitizer would say so. */
typedef struct shared {
    st_pool *pool;
    int rounds[MOST], n_workers[MOST];
} shared;

static void count_round(void *context, int worker, int n_workers) {
    shared *s = context;
    s->rounds[worker]++;
    s->n_workers[worker] = n_workers;
}

static void test_runs_every_worker(void **state) {
    (void)state;
    for (int n = 1; n <= MOST; n += 2) {
        shared s = {0};
        assert_int_equal(st_pool_new(&s.pool, n, NULL, NULL), STRAIT_OK);
        assert_int_equal(st_pool_size(s.pool), n);
        const int rounds = n <= 2 ? 5000 : 300;
        for (int i = 0; i < rounds; i++) {
            st_pool_run(s.pool, count_round, &s);
            for (int w = 0; w < n; w++)
                assert_int_equal(s.rounds[w], i + 1);
        }
        for (int w = 0; w < n; w++)
            assert_int_equal(s.n_workers[w], n);
        st_pool_free(s.pool);
    }
}

static void meet(void *context, int worker, int n_workers) {
    shared *s = context;
    for (int i = 0; i < 20; i++) {
        s->rounds[worker]++;
        st_pool_barrier(s->pool, worker);
        for (int w = 0; w < n_workers; w++)
            if (s->rounds[w] != s->rounds[worker]) s->n_workers[worker] = -1;
        st_pool_barrier(s->pool, worker);
    }
}

/* Between two barriers all workers have counted equally often. */
static void test_barrier(void **state) {
    (void)state;
    for (int n = 1; n <= MOST; n += n == 1 ? 1 : 7) {
        shared s = {0};
        assert_int_equal(st_pool_new(&s.pool, n, NULL, NULL), STRAIT_OK);
        for (int i = 0; i < 20; i++)
            st_pool_run(s.pool, meet, &s);
        for (int w = 0; w < n; w++)
            assert_int_equal(s.n_workers[w], 0);
        assert_int_equal(s.rounds[n - 1], 400);
        st_pool_free(s.pool);
    }
}

static void wait_a_moment(void *context, int worker, int n_workers) {
    (void)n_workers;
    const double until = st_clock() + (worker == *(int *)context ? 2e-3 : 0);
    while (st_clock() < until)
        sched_yield();
}

/* Longer than anyone spins, on either side: the sleepers are woken. */
static void test_sleepers_wake(void **state) {
    (void)state;
    st_pool *pool;
    assert_int_equal(st_pool_new(&pool, 2, NULL, NULL), STRAIT_OK);
    for (int i = 0; i < 20; i++) {
        int slow = i % 3; /* 2: nobody; then the workers wait for the next run */
        st_pool_run(pool, wait_a_moment, &slow);
        int self = 0;
        if (slow == 2) wait_a_moment(&self, 0, 1);
    }
    st_pool_free(pool);
}

static _Thread_local int initialised;
static _Atomic int n_initialised;

static void initialise(void) {
    initialised++;
    atomic_fetch_add(&n_initialised, 1);
}

static void look(void *context, int worker, int n_workers) {
    (void)n_workers;
    ((int *)context)[worker] = initialised;
}

static void test_init(void **state) {
    (void)state;
    st_pool *pool;
    int seen[3] = {0};
    assert_int_equal(st_pool_new(&pool, 3, initialise, NULL), STRAIT_OK);
    st_pool_run(pool, look, seen);
    for (int i = 0; i < 3; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(n_initialised, 3);
    st_pool_free(pool);
}

static void test_run_allocates_nothing(void **state) {
    (void)state;
    shared s = {0};
    assert_int_equal(st_pool_new(&s.pool, 3, NULL, NULL), STRAIT_OK);
    const uint64_t before = st_alloc_count();
    for (int i = 0; i < 50; i++)
        st_pool_run(s.pool, meet, &s);
    assert_int_equal(st_alloc_count(), before);
    st_pool_free(s.pool);
}

static void set_flag(void *context) {
    *(int *)context = 1;
}

static void test_thread(void **state) {
    (void)state;
    st_thread *thread;
    int flag = 0;
    assert_int_equal(st_thread_start(&thread, set_flag, &flag, NULL), STRAIT_OK);
    st_thread_join(thread);
    assert_int_equal(flag, 1);
    st_thread_join(NULL);
}

static void test_failures(void **state) {
    (void)state;
    st_pool *pool;
    st_thread *thread;
    int flag = 0;
    assert_int_equal(st_pool_new(&pool, 0, NULL, NULL), STRAIT_ARGUMENT);
    for (uint64_t n = 1; n <= 2; n++) {
        st_alloc_fail_at(n);
        assert_int_equal(st_pool_new(&pool, 3, NULL, NULL), STRAIT_MEMORY);
        assert_null(pool);
    }
    st_alloc_fail_at(1);
    assert_int_equal(st_thread_start(&thread, set_flag, &flag, NULL), STRAIT_MEMORY);
    st_pool_free(NULL);
}

static void test_processors(void **state) {
    (void)state;
    cpu_set_t old, one;
    const int all = st_processors();
    assert_true(all >= 1);
    assert_int_equal(sched_getaffinity(0, sizeof old, &old), 0);
    assert_true(all <= CPU_COUNT(&old));
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &old)) CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(st_processors(), 1);
    sched_setaffinity(0, sizeof old, &old);
}

static void put(const char *path, const char *text) {
    test_file(path, text, strlen(text));
}

static void make(const char *path) {
    assert_int_equal(mkdir(test_path(path), 0777), 0);
}

/* Formats: Linux, Documentation/admin-guide/cgroup-v2.rst (cpu.max) and scheduler/sched-bwc.rst. */
static void test_cgroups(void **state) {
    (void)state;
    make("v2");
    make("v2/a");
    make("v2/a/b");
    const char *mount = test_path("v2");
    assert_int_equal(st_cgroup_processors("0::/a/b\n", mount), 0); /* no files: no limit */
    put("v2/a/b/cpu.max", "max 100000\n");
    assert_int_equal(st_cgroup_processors("0::/a/b\n", mount), 0);
    put("v2/a/cpu.max", "250000 100000\n");
    assert_int_equal(st_cgroup_processors("0::/a/b\n", mount), 3); /* two and a half, from the group above */
    put("v2/a/b/cpu.max", "50000 100000\n");
    assert_int_equal(st_cgroup_processors("0::/a/b\n", mount), 1);
    assert_int_equal(st_cgroup_processors("0::/a\n", mount), 3);
    put("v2/cpu.max", "200000 100000\n");
    assert_int_equal(st_cgroup_processors("0::/\n", mount), 2);
    assert_int_equal(st_cgroup_processors("0::/not/visible/here\n", mount), 2);

    make("v1");
    make("v1/cpu,cpuacct");
    make("v1/cpu,cpuacct/job");
    put("v1/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    put("v1/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put("v1/cpu,cpuacct/job/cpu.cfs_quota_us", "400000\n");
    put("v1/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
    mount = test_path("v1");
    assert_int_equal(st_cgroup_processors("4:cpu,cpuacct:/job\n3:cpuset:/other\n", mount), 4);
    assert_int_equal(st_cgroup_processors("4:cpu,cpuacct:/\n", mount), 0);
    assert_int_equal(st_cgroup_processors("3:cpuset:/job\n", mount), 0);
    assert_int_equal(st_cgroup_processors("nonsense", mount), 0);
    assert_int_equal(st_cgroup_processors("", mount), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_every_worker),
        cmocka_unit_test(test_barrier),
        cmocka_unit_test(test_sleepers_wake),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_run_allocates_nothing),
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_cgroups),
    };
    return cmocka_run_group_tests_name("base.thread", tests, NULL, NULL);
}
