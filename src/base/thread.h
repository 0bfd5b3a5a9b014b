/* A pool of worker threads for short, equal pieces of work, and what the machine gives this process. */
#ifndef ST_BASE_THREAD_H
#define ST_BASE_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/status.h"

/* Processors this process may use: the least of CPU affinity and the container's (cgroup v1/v2) quota, at least 1. */
int st_processors(void);

typedef struct st_pool st_pool;
typedef void (*st_pool_work)(void *context, int worker, int n_workers);

/* n_workers >= 1; the caller is worker 0, so n_workers - 1 threads are started. init (may be NULL) runs once on every
   worker, the caller's thread included, before the first work (to set thread-local state of libraries). */
strait_status st_pool_new(st_pool **out, int n_workers, void (*init)(void), strait_error *err);
int st_pool_size(const st_pool *pool);
/* Runs work(context, i, n) on worker i for all i, and waits. No allocation, no lock: workers spin for a moment, then
   sleep on a futex (a condition variable where there is none); they do not spin at all when there are more of them
   than processors. Calls from different threads must not overlap, and work must not call it on its own pool. */
void st_pool_run(st_pool *pool, st_pool_work work, void *context);
/* Inside work: waits until all workers have come here. */
void st_pool_barrier(st_pool *pool, int worker);
void st_pool_free(st_pool *pool);

/* A thread that can be joined. */
typedef struct st_thread st_thread;
strait_status st_thread_start(st_thread **out, void (*run)(void *context), void *context, strait_error *err);
void st_thread_join(st_thread *thread); /* and frees it; NULL is fine */

/* Seconds on a clock that only goes forward. */
double st_clock(void);

#endif
