/* Sums over replicas that run in step. Invariants:
   1. Each replica writes its own row of a board, waits for the others, and adds up all rows in the order of their
      number: the same sum with the same bits everywhere, whoever came first.
   2. There are two boards, used in turn. Who writes to one again has passed the barrier of the call between, which
      nobody passes before having read the first: so one barrier a call is enough.
   3. Nothing is allocated after st_exchange_new. */
#include "graph/exchange_int.h"

#include <string.h>

#include "base/memory.h"

#define LINE 8 /* doubles in a cache line */

struct st_exchange {
    st_pool *pool;
    size_t stride;  /* doubles of a row, whole cache lines */
    double *board;  /* [2][replicas][stride] */
    uint64_t *call; /* [replicas][LINE]: how often each has come, on a cache line of its own */
};

strait_status st_exchange_new(st_exchange **out, st_pool *pool, size_t n, strait_error *err) {
    st_exchange *exchange = st_alloc(1, sizeof *exchange);
    if (!exchange) return st_fail_memory(err, sizeof *exchange, "sums over replicas");
    const size_t replicas = (size_t)st_pool_size(pool);
    exchange->pool = pool;
    exchange->stride = (n + LINE - 1) / LINE * LINE;
    exchange->board = st_alloc_aligned(2 * replicas * exchange->stride * sizeof(double));
    exchange->call = st_alloc_aligned(replicas * LINE * sizeof *exchange->call);
    if (!exchange->board || !exchange->call) {
        const size_t bytes = 2 * replicas * exchange->stride * sizeof(double);
        st_exchange_free(exchange);
        return st_fail_memory(err, bytes, "sums over replicas");
    }
    *out = exchange;
    return STRAIT_OK;
}

void st_exchange_free(st_exchange *exchange) {
    if (!exchange) return;
    st_free(exchange->board);
    st_free(exchange->call);
    st_free(exchange);
}

void st_exchange_meet(st_exchange *exchange, int replica) {
    st_pool_barrier(exchange->pool, replica);
}

void st_exchange_sum(st_exchange *exchange, int replica, double *values, size_t n) {
    const size_t replicas = (size_t)st_pool_size(exchange->pool), stride = exchange->stride;
    if (replicas == 1) return;
    const size_t which = exchange->call[LINE * (size_t)replica]++ % 2;
    double *board = exchange->board + which * replicas * stride;
    memcpy(board + (size_t)replica * stride, values, n * sizeof *values);
    st_pool_barrier(exchange->pool, replica);
    for (size_t i = 0; i < n; i++) {
        double sum = board[i];
        for (size_t r = 1; r < replicas; r++)
            sum += board[r * stride + i];
        values[i] = sum;
    }
}
