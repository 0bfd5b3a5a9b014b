#include <string.h>
#include "base/memory.h"
#include "explore/maps_int.h"
#include "explore/neighbors_int.h"

#define ROWS 32   /* samples a chunk */
#define BLOCK 512 /* samples a product */

typedef struct ranks {
    const st_space *space;        /* of the data */
    const strait_neighbors *near; /* in the map */
    float *keys;                  /* [workers, ROWS, n]: squared distances less the row's own part */
    int64_t *beyond, *kept;       /* [chunks]: sums of ranks beyond k; neighbours of rank k or less */
} ranks;

static int64_t count_below(const float *keys, int64_t n, float limit) {
    int64_t count = 0;
    for (int64_t first = 0; first < n; first += 4096) { /* 32 bits a part: vectors of them are fast */
        const int64_t end = first + 4096 < n ? first + 4096 : n;
        int32_t part = 0;
        for (int64_t j = first; j < end; j++)
            part += keys[j] < limit;
        count += part;
    }
    return count;
}

/* The rank of j among i's neighbours in the data, from 1; equal distances go by index. */
static int64_t rank_of(const float *keys, int64_t n, int64_t i, int64_t j) {
    int64_t rank = 1 + count_below(keys, n, keys[j]) - (keys[i] < keys[j]);
    for (int64_t l = 0; l < j; l++)
        rank += keys[l] == keys[j] && l != i;
    return rank;
}

static void make_keys(const ranks *r, float *keys, int64_t first, int64_t rows) {
    const st_space *space = r->space;
    const int64_t n = space->n, d = space->d;
    for (int64_t block = 0; block < n; block += BLOCK) {
        const int64_t count = block + BLOCK < n ? BLOCK : n - block;
        for (int64_t i = 0; i < rows; i++)
            memcpy(keys + i * n + block, space->norm + block, (size_t)count * sizeof *keys);
        st_product_nt(&(st_product){.m = rows,
                                    .n = count,
                                    .k = d,
                                    .alpha = -2,
                                    .beta = 1,
                                    .a = space->near + first * d,
                                    .b = space->near + block * d,
                                    .c = keys + block,
                                    .lda = d,
                                    .ldb = d,
                                    .ldc = n});
    }
}

static void rank_rows(void *context, int64_t first, int64_t end, int worker) {
    ranks *r = context;
    const int64_t n = r->space->n;
    const int k = r->near->k;
    float *keys = r->keys + (int64_t)worker * ROWS * n;
    int64_t beyond = 0, kept = 0;
    make_keys(r, keys, first, end - first);
    for (int64_t i = first; i < end; i++)
        for (int c = 0; c < k; c++) {
            const int64_t rank = rank_of(keys + (i - first) * n, n, i, r->near->index[i * k + c]);
            beyond += rank > k ? rank - k : 0;
            kept += rank <= k;
        }
    r->beyond[first / ROWS] = beyond;
    r->kept[first / ROWS] = kept;
}

static void finish(double *trustworthiness, double *preserved, const ranks *r) {
    const int64_t n = r->space->n, k = r->near->k;
    int64_t beyond = 0, kept = 0;
    for (int64_t c = 0; c < (n + ROWS - 1) / ROWS; c++) {
        beyond += r->beyond[c];
        kept += r->kept[c];
    }
    const double most = (double)n * (double)k * (double)(2 * n - 3 * k - 1) / 2;
    if (trustworthiness) *trustworthiness = 1 - (double)beyond / most;
    if (preserved) *preserved = (double)kept / ((double)n * (double)k);
}

static strait_status rank_all(double *trustworthiness, double *preserved, const st_rows *x, const st_rows *y, int k,
                              st_pool *pool, strait_error *err) {
    st_space *space = NULL, *map = NULL;
    strait_neighbors *near = NULL;
    ranks r = {0};
    strait_status status = st_space_new(&map, y, NULL, STRAIT_METRIC_EUCLIDEAN, err);
    if (status == STRAIT_OK) status = st_neighbors_new(&near, y->n, k, err);
    if (status == STRAIT_OK) status = st_neighbors_exact(near, map, true, pool, err);
    if (status == STRAIT_OK) status = st_space_new(&space, x, NULL, STRAIT_METRIC_EUCLIDEAN, err);
    if (status == STRAIT_OK) {
        const size_t chunks = (size_t)(x->n / ROWS + 1), workers = (size_t)st_pool_size(pool);
        r = (ranks){.space = space,
                    .near = near,
                    .keys = st_alloc(workers * ROWS, (size_t)x->n * sizeof(float)),
                    .beyond = st_alloc(chunks, sizeof(int64_t)),
                    .kept = st_alloc(chunks, sizeof(int64_t))};
        if (!r.keys || !r.beyond || !r.kept)
            status = st_fail_memory(err, workers * ROWS * (size_t)x->n * sizeof(float), "ranks of neighbours");
    }
    if (status == STRAIT_OK) {
        st_chunks(pool, x->n, ROWS, rank_rows, &r);
        finish(trustworthiness, preserved, &r);
    }
    st_free(r.keys);
    st_free(r.beyond);
    st_free(r.kept);
    strait_neighbors_free(near);
    st_space_free(map);
    st_space_free(space);
    return status;
}

STRAIT_API strait_status strait_trustworthiness(double *trustworthiness, double *preserved, const strait_array *x,
                                                const strait_array *y, int k, int threads, strait_error *err) {
    st_rows rows, map;
    ST_TRY(st_explore_rows(&rows, x, "the data", err));
    ST_TRY(st_explore_rows(&map, y, "the map", err));
    if (rows.n != map.n)
        return st_fail(err, STRAIT_SHAPE, "the data has %lld samples, the map %lld", (long long)rows.n,
                       (long long)map.n);
    if (rows.n < 3)
        return st_fail(err, STRAIT_ARGUMENT, "too few samples: trustworthiness needs at least 3, there %s %lld",
                       rows.n == 1 ? "is" : "are", (long long)rows.n);
    if (k < 1 || 2 * (int64_t)k >= rows.n)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%d neighbours of %lld samples: trustworthiness needs at least 1 and fewer than half of them", k,
                       (long long)rows.n);
    st_pool *pool;
    ST_TRY(st_pool_new(&pool, st_explore_threads(threads), NULL, err));
    const strait_status status = rank_all(trustworthiness, preserved, &rows, &map, k, pool, err);
    st_pool_free(pool);
    return status;
}
