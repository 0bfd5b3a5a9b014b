/* Nearest neighbours, inside. Every metric is brought to squared Euclidean distance of some rows first. */
#ifndef ST_EXPLORE_NEIGHBORS_INT_H
#define ST_EXPLORE_NEIGHBORS_INT_H

#include <strait/explore_neighbors.h>
#include "explore/explore_int.h"

/* Above this many samples neighbours are searched by NN-descent. */
#define ST_NEIGHBORS_EXACT 100000

/* Samples and queries, made ready. Distances are taken of `row`; `near` is a copy fit for products in float32: its
   origin moved to the samples' mean, scaled so that no magnitude is above 1.
   Cosine: rows of length 1, with one more coordinate that is 1 for rows of zeros and 0 for all others; 1 - cos is half
   of their squared distance, and a row of zeros comes out at 1 from all but another such row. */
typedef struct st_space {
    strait_metric metric;
    int64_t n, n_queries, d; /* n_queries: rows behind the n samples */
    const float *row;        /* [n, d] */
    const float *query_row;  /* [n_queries, d] */
    float *near;             /* [n + n_queries, d] */
    float *norm;             /* [n + n_queries]: squared lengths of near */
    float *owned;            /* what row and query_row point into, where these are not the caller's */
    double scale;            /* of near */
} st_space;

/* query may be NULL. Errors: ARGUMENT (values above 1e18), MEMORY. */
strait_status st_space_new(st_space **out, const st_rows *x, const st_rows *query, strait_metric metric,
                           strait_error *err);
void st_space_free(st_space *space);

/* Squared distance of two rows of d values, summed in double. */
double st_square_distance(const float *a, const float *b, int64_t d);
/* The metric's distance for a squared distance of rows. */
float st_space_distance(const st_space *space, double square);

/* A candidate; candidates are ordered by (key, index). */
typedef struct st_near {
    double key;
    int32_t index;
} st_near;

/* The `size` least candidates seen: a heap with the greatest of them on top. */
typedef struct st_heap {
    int n, size;
    st_near *item;
} st_heap;
void st_heap_offer(st_heap *heap, double key, int32_t index);
void st_near_sort(st_near *item, int n);

strait_status st_neighbors_new(strait_neighbors **out, int64_t n, int k, strait_error *err);
/* Exact: of the samples (self: to each sample, itself left out) or of the queries. */
strait_status st_neighbors_exact(strait_neighbors *out, const st_space *space, bool self, st_pool *pool,
                                 strait_error *err);
/* Approximate, of the samples: NN-descent. */
strait_status st_neighbors_descent(strait_neighbors *out, const st_space *space, uint64_t seed, st_pool *pool,
                                   strait_error *err);

#endif
