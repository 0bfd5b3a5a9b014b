/* Invariants:
   1. A gate is a counter that only goes up. Who waits at it remembers the count it saw and goes on when the count
      differs; so no wake-up is lost, and one too many does no harm.
   2. A waiter that will sleep first says so (sleepers), then looks at the count again; who opens first counts up, then
      looks for sleepers. Both in the one order of all sequentially consistent operations: one of the two sees the
      other.
   3. work and context are written before the start gate is opened and read after; what the workers wrote is published
      by their countdown of `pending` and read after the done gate.
   4. Nothing is allocated and no lock is taken after st_pool_new (on Linux; elsewhere only to sleep and to wake). */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "base/memory.h"
#if defined(__linux__) && !defined(ST_NO_FUTEX)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#define HAVE_FUTEX 1
#else
#define HAVE_FUTEX 0
#endif

#define CACHE_LINE 64

/* ---- gates ---- */

typedef struct gate {
    _Alignas(CACHE_LINE) _Atomic uint32_t count;
    _Atomic uint32_t sleepers;
#if !HAVE_FUTEX
    pthread_mutex_t mutex;
    pthread_cond_t opened;
#endif
} gate;

static inline void pause_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

#if HAVE_FUTEX

static void gate_init(gate *g) {
    atomic_init(&g->count, 0);
    atomic_init(&g->sleepers, 0);
}

static void gate_destroy(gate *g) {
    (void)g;
}

static void gate_sleep(gate *g, uint32_t seen) {
    syscall(SYS_futex, &g->count, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void gate_wake(gate *g) {
    syscall(SYS_futex, &g->count, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

#else

static void gate_init(gate *g) {
    atomic_init(&g->count, 0);
    atomic_init(&g->sleepers, 0);
    pthread_mutex_init(&g->mutex, NULL);
    pthread_cond_init(&g->opened, NULL);
}

static void gate_destroy(gate *g) {
    pthread_mutex_destroy(&g->mutex);
    pthread_cond_destroy(&g->opened);
}

static void gate_sleep(gate *g, uint32_t seen) {
    pthread_mutex_lock(&g->mutex);
    while (atomic_load(&g->count) == seen)
        pthread_cond_wait(&g->opened, &g->mutex);
    pthread_mutex_unlock(&g->mutex);
}

static void gate_wake(gate *g) {
    pthread_mutex_lock(&g->mutex);
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->mutex);
}

#endif

/* How long a worker spins before it sleeps. Alone on the machine a long while pays: to wake a sleeper takes tens of
   microseconds, far more on a virtual machine. Beside other programs, whoever is waited for may need this very
   processor: each time in vain halves it, each success lets it grow again. */
typedef struct patience {
    _Alignas(CACHE_LINE) int spins;
    int least, most; /* both 0 where there are more workers than processors */
} patience;

/* Waits until the count is no longer the one seen: spins a while, then sleeps. */
static void gate_wait(gate *g, uint32_t seen, patience *p) {
    for (int i = 0; i < p->spins; i++) {
        if (atomic_load_explicit(&g->count, memory_order_acquire) != seen) {
            p->spins += (p->most - p->spins) / 8;
            return;
        }
        pause_processor();
    }
    p->spins = p->spins / 2 > p->least ? p->spins / 2 : p->least;
    atomic_fetch_add(&g->sleepers, 1);
    while (atomic_load(&g->count) == seen)
        gate_sleep(g, seen);
    atomic_fetch_sub(&g->sleepers, 1);
}

static void gate_open(gate *g) {
    atomic_fetch_add(&g->count, 1);
    if (atomic_load(&g->sleepers) > 0) gate_wake(g);
}

/* ---- the pool ---- */

typedef struct pool_worker {
    st_pool *pool;
    int index;
    pthread_t thread;
} pool_worker;

struct st_pool {
    gate start, done, barrier;
    _Alignas(CACHE_LINE) _Atomic int pending; /* workers that have not finished the work yet, the caller not counted */
    _Alignas(CACHE_LINE) _Atomic int arrived; /* workers at the barrier */
    _Alignas(CACHE_LINE) st_pool_work work;   /* NULL: time to go */
    void *context;
    void (*init)(void);
    int n_workers, n_started; /* the caller counts among the workers, but is not started */
    patience *patience;       /* [n_workers]: each worker's own */
    pool_worker *workers;     /* [n_workers - 1], worker i + 1 */
};

/* How many times to spin for some 25 microseconds: a pause takes between 10 and 150 cycles, as the processor pleases.
   The quickest of a few tries counts, as the others were interrupted. */
static int count_spins(void) {
    enum { TRIES = 3, PAUSES = 200 };
    double quickest = 1;
    for (int try = 0; try < TRIES; try++) {
        const double start = st_clock();
        for (int i = 0; i < PAUSES; i++)
            pause_processor();
        const double seconds = st_clock() - start;
        if (seconds < quickest) quickest = seconds;
    }
    const double spins = quickest > 0 ? 25e-6 * PAUSES / quickest : 1000;
    return spins < 100 ? 100 : spins > 10000 ? 10000 : (int)spins;
}

static void *serve(void *argument) {
    const pool_worker *self = argument;
    st_pool *pool = self->pool;
    if (pool->init) pool->init();
    for (uint32_t seen = 0;; seen++) {
        gate_wait(&pool->start, seen, &pool->patience[self->index]);
        if (!pool->work) return NULL;
        pool->work(pool->context, self->index, pool->n_workers);
        if (atomic_fetch_sub(&pool->pending, 1) == 1) gate_open(&pool->done);
    }
}

/* Starts a thread that leaves signals to the program's own threads. */
static int start_quietly(pthread_t *thread, void *(*run)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

strait_status st_pool_new(st_pool **out, int n_workers, void (*init)(void), strait_error *err) {
    *out = NULL;
    if (n_workers < 1) return st_fail(err, STRAIT_ARGUMENT, "a pool needs at least 1 thread, not %d", n_workers);
    st_pool *pool = st_alloc_aligned(sizeof *pool);
    if (!pool) return st_fail_memory(err, sizeof *pool, "a pool of threads");
    gate_init(&pool->start);
    gate_init(&pool->done);
    gate_init(&pool->barrier);
    pool->n_workers = n_workers;
    pool->init = init;
    const int least = n_workers <= st_processors() ? count_spins() : 0;
    pool->workers = st_alloc((size_t)n_workers, sizeof *pool->workers);
    pool->patience = st_alloc_aligned((size_t)n_workers * sizeof *pool->patience);
    for (int i = 0; pool->patience && i < n_workers; i++)
        pool->patience[i] = (patience){.spins = 8 * least, .least = least, .most = 8 * least};
    if (!pool->workers || !pool->patience) {
        st_pool_free(pool);
        return st_fail_memory(err, (size_t)n_workers * sizeof *pool->workers, "a pool of threads");
    }
    for (int i = 1; i < n_workers; i++) {
        pool_worker *const w = &pool->workers[i - 1];
        *w = (pool_worker){.pool = pool, .index = i};
        const int code = start_quietly(&w->thread, serve, w);
        if (code) {
            st_pool_free(pool);
            errno = code;
            return st_fail_errno(err, "cannot start thread %d of %d", i + 1, n_workers);
        }
        pool->n_started++;
    }
    if (init) init();
    *out = pool;
    return STRAIT_OK;
}

int st_pool_size(const st_pool *pool) {
    return pool->n_workers;
}

void st_pool_run(st_pool *pool, st_pool_work work, void *context) {
    if (pool->n_workers > 1) {
        const uint32_t seen = atomic_load(&pool->done.count);
        pool->work = work;
        pool->context = context;
        atomic_store(&pool->pending, pool->n_workers - 1);
        gate_open(&pool->start);
        work(context, 0, pool->n_workers);
        gate_wait(&pool->done, seen, &pool->patience[0]);
    } else {
        work(context, 0, 1);
    }
}

void st_pool_barrier(st_pool *pool, int worker) {
    const uint32_t seen = atomic_load(&pool->barrier.count);
    if (atomic_fetch_add(&pool->arrived, 1) == pool->n_workers - 1) {
        atomic_store(&pool->arrived, 0); /* before anybody can come to the next barrier */
        gate_open(&pool->barrier);
    } else {
        gate_wait(&pool->barrier, seen, &pool->patience[worker]);
    }
}

void st_pool_free(st_pool *pool) {
    if (!pool) return;
    pool->work = NULL;
    gate_open(&pool->start);
    for (int i = 0; i < pool->n_started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    gate_destroy(&pool->start);
    gate_destroy(&pool->done);
    gate_destroy(&pool->barrier);
    st_free(pool->workers);
    st_free(pool->patience);
    st_free(pool);
}

/* ---- single threads ---- */

struct st_thread {
    pthread_t thread;
    void (*run)(void *context);
    void *context;
};

static void *run_thread(void *argument) {
    const st_thread *thread = argument;
    thread->run(thread->context);
    return NULL;
}

strait_status st_thread_start(st_thread **out, void (*run)(void *context), void *context, strait_error *err) {
    *out = NULL;
    st_thread *thread = st_alloc(1, sizeof *thread);
    if (!thread) return st_fail_memory(err, sizeof *thread, "a thread");
    thread->run = run;
    thread->context = context;
    const int code = start_quietly(&thread->thread, run_thread, thread);
    if (code) {
        st_free(thread);
        errno = code;
        return st_fail_errno(err, "cannot start a thread");
    }
    *out = thread;
    return STRAIT_OK;
}

void st_thread_join(st_thread *thread) {
    if (!thread) return;
    pthread_join(thread->thread, NULL);
    st_free(thread);
}

double st_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
