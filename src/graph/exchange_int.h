/* Making the place where replicas meet (st_exchange, engine.h). */
#ifndef ST_GRAPH_EXCHANGE_INT_H
#define ST_GRAPH_EXCHANGE_INT_H

#include "base/thread.h"
#include "graph/engine.h"

/* For sums of up to n doubles over the workers of pool, which is borrowed. The caller owns *out. */
strait_status st_exchange_new(st_exchange **out, st_pool *pool, size_t n, strait_error *err);
void st_exchange_free(st_exchange *exchange); /* NULL is fine */

#endif
