#include <strait/explore_neighbors.h>

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "explore/neighbors_int.h"

strait_status st_neighbors_new(strait_neighbors **out, int64_t n, int k, strait_error *err) {
    *out = NULL;
    strait_neighbors *found = st_alloc(1, sizeof *found);
    if (!found) return st_fail_memory(err, sizeof *found, "neighbours");
    found->n = n;
    found->k = k;
    found->index = st_alloc((size_t)n, (size_t)k * sizeof *found->index);
    found->distance = st_alloc((size_t)n, (size_t)k * sizeof *found->distance);
    if (!found->index || !found->distance) {
        strait_neighbors_free(found);
        return st_fail_memory(err, (size_t)n * (size_t)k * (sizeof(int32_t) + sizeof(float)), "neighbours");
    }
    *out = found;
    return STRAIT_OK;
}

STRAIT_API void strait_neighbors_free(strait_neighbors *neighbors) {
    if (!neighbors) return;
    st_free(neighbors->index);
    st_free(neighbors->distance);
    st_free(neighbors);
}

static strait_status check_metric(strait_metric metric, strait_error *err) {
    if (metric != STRAIT_METRIC_EUCLIDEAN && metric != STRAIT_METRIC_COSINE)
        return st_fail(err, STRAIT_ARGUMENT, "metric %d is not known", (int)metric);
    return STRAIT_OK;
}

STRAIT_API strait_status strait_neighbors_find(strait_neighbors **out, const strait_array *x, int k,
                                               const strait_neighbors_options *options, strait_error *err) {
    const strait_neighbors_options o = options ? *options : (strait_neighbors_options){0};
    *out = NULL;
    st_rows rows;
    ST_TRY(check_metric(o.metric, err));
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    if (rows.n < 2) return st_fail(err, STRAIT_ARGUMENT, "there is one sample alone: it has no neighbours");
    if (k < 1 || k >= rows.n)
        return st_fail(err, STRAIT_ARGUMENT, "%d neighbours of each of %lld samples: the number must be from 1 to %lld",
                       k, (long long)rows.n, (long long)rows.n - 1);
    st_space *space = NULL;
    st_pool *pool = NULL;
    strait_neighbors *found = NULL;
    strait_status status = st_space_new(&space, &rows, NULL, o.metric, err);
    if (status == STRAIT_OK) status = st_pool_new(&pool, st_explore_threads(o.threads), NULL, err);
    if (status == STRAIT_OK) status = st_neighbors_new(&found, rows.n, k, err);
    if (status == STRAIT_OK) {
        found->exact = o.exact || rows.n <= ST_NEIGHBORS_EXACT;
        status = found->exact ? st_neighbors_exact(found, space, true, pool, err)
                              : st_neighbors_descent(found, space, o.seed, pool, err);
    }
    st_pool_free(pool);
    st_space_free(space);
    if (status == STRAIT_OK)
        *out = found;
    else
        strait_neighbors_free(found);
    return status;
}

STRAIT_API strait_status strait_neighbors_query(strait_neighbors **out, const strait_array *x,
                                                const strait_array *query, int k,
                                                const strait_neighbors_options *options, strait_error *err) {
    const strait_neighbors_options o = options ? *options : (strait_neighbors_options){0};
    *out = NULL;
    st_rows rows, queries;
    ST_TRY(check_metric(o.metric, err));
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    ST_TRY(st_explore_rows(&queries, query, "the queries", err));
    if (k < 1 || k > rows.n)
        return st_fail(err, STRAIT_ARGUMENT, "%d neighbours out of %lld samples: the number must be from 1 to %lld", k,
                       (long long)rows.n, (long long)rows.n);
    st_space *space = NULL;
    st_pool *pool = NULL;
    strait_neighbors *found = NULL;
    strait_status status = st_space_new(&space, &rows, &queries, o.metric, err);
    if (status == STRAIT_OK) status = st_pool_new(&pool, st_explore_threads(o.threads), NULL, err);
    if (status == STRAIT_OK) status = st_neighbors_new(&found, queries.n, k, err);
    if (status == STRAIT_OK) {
        found->exact = true;
        status = st_neighbors_exact(found, space, false, pool, err);
    }
    st_pool_free(pool);
    st_space_free(space);
    if (status == STRAIT_OK)
        *out = found;
    else
        strait_neighbors_free(found);
    return status;
}
