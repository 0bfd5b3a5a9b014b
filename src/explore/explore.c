#include "explore/explore_int.h"

#include <math.h>
#include <stdatomic.h>

strait_status st_explore_rows(st_rows *out, const strait_array *x, const char *name, strait_error *err) {
    if (!x || x->n_dims < 1) return st_fail(err, STRAIT_ARGUMENT, "%s: there is no array", name);
    int64_t d = 1;
    for (int i = 1; i < x->n_dims; i++)
        d *= x->dim[i];
    const int64_t n = x->dim[0];
    if (n < 1 || d < 1) return st_fail(err, STRAIT_ARGUMENT, "%s: no samples, or no values in them", name);
    if (n > INT32_MAX || d > INT32_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s: more than %d samples, or values a sample", name, INT32_MAX);
    for (int64_t i = 0; i < n * d; i++)
        if (!isfinite(x->values[i]))
            return st_fail(err, STRAIT_ARGUMENT, "%s: value %lld of sample %lld is %s; only finite values can be used",
                           name, (long long)(i % d), (long long)(i / d), isnan(x->values[i]) ? "NaN" : "infinite");
    *out = (st_rows){n, d, x->values};
    return STRAIT_OK;
}

int st_explore_threads(int asked) {
    return asked > 0 ? asked : st_processors();
}

/* ---- chunks ---- */

typedef struct chunks {
    int64_t n, size;
    st_chunk_work work;
    void *context;
    _Atomic int64_t next;
} chunks;

static void take_chunks(void *context, int worker, int n_workers) {
    (void)n_workers;
    chunks *c = context;
    st_blas_alone();
    for (;;) {
        const int64_t first = atomic_fetch_add_explicit(&c->next, c->size, memory_order_relaxed);
        if (first >= c->n) break;
        c->work(c->context, first, first + c->size < c->n ? first + c->size : c->n, worker);
    }
    st_blas_restore();
}

void st_chunks(st_pool *pool, int64_t n, int64_t size, st_chunk_work work, void *context) {
    chunks c = {.n = n, .size = size, .work = work, .context = context};
    st_pool_run(pool, take_chunks, &c);
}

bool st_explore_tell(strait_explore_progress progress, void *context, double done, double value) {
    return !progress || progress(context, done, value);
}
