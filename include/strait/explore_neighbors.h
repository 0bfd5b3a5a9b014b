/* Nearest neighbours. On plain arrays; see strait/explore.h. */
#ifndef STRAIT_EXPLORE_NEIGHBORS_H
#define STRAIT_EXPLORE_NEIGHBORS_H

#include <strait/explore_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- nearest neighbours ---- */

typedef struct strait_neighbors {
    int64_t n;
    int k;
    int32_t *index;  /* [n, k], nearest first; the sample itself is left out */
    float *distance; /* [n, k] */
    bool exact;
} strait_neighbors;

typedef struct strait_neighbors_options {
    strait_metric metric;
    bool exact;    /* always; else exact up to 100,000 samples, then by NN-descent (Dong, Moses, Li 2011) */
    uint64_t seed; /* of NN-descent */
    int threads;
} strait_neighbors_options;

/* The k nearest of x's rows to each of them. Ties go to the lower index. Errors: ARGUMENT (k >= n), MEMORY. */
STRAIT_API strait_status strait_neighbors_find(strait_neighbors **out, const strait_array *x, int k,
                                               const strait_neighbors_options *options, strait_error *err);
/* The k nearest of x's rows to each row of query (itself not left out), exact. */
STRAIT_API strait_status strait_neighbors_query(strait_neighbors **out, const strait_array *x,
                                                const strait_array *query, int k,
                                                const strait_neighbors_options *options, strait_error *err);
STRAIT_API void strait_neighbors_free(strait_neighbors *neighbors);

#ifdef __cplusplus
}
#endif
#endif
