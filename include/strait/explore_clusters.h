/* Clusters. On plain arrays; see strait/explore.h. */
#ifndef STRAIT_EXPLORE_CLUSTERS_H
#define STRAIT_EXPLORE_CLUSTERS_H

#include <strait/explore_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- clusters ---- */

typedef struct strait_clusters {
    int64_t n;
    int k;                /* clusters that have samples: fewer than asked for where fewer samples differ */
    int32_t *cluster;     /* [n], 0..k-1, the largest cluster first */
    strait_array *centre; /* [k, features], or NULL */
    double inertia;       /* k-means: the sum of squared distances to the centres; mixture: the mean log-likelihood of a
                             sample */
    int iterations;
} strait_clusters;

typedef struct strait_cluster_options {
    int k;                /* clusters */
    int starts;           /* 0: 10 */
    int iterations;       /* 0: 300 */
    strait_metric metric; /* cosine: of the samples brought to length 1 */
    uint64_t seed;
    int threads;
} strait_cluster_options;

/* k-means (Lloyd 1982, starts by k-means++: Arthur and Vassilvitskii 2007): the best of the starts. The caller owns
 *out. Errors: ARGUMENT (k below 1 or above the number of samples), MEMORY. */
STRAIT_API strait_status strait_kmeans(strait_clusters **out, const strait_array *x,
                                       const strait_cluster_options *options, strait_error *err);
STRAIT_API void strait_clusters_free(strait_clusters *clusters); /* NULL is fine */

/* A mixture of k normal distributions with full covariances, component 0 the one with the most samples. */
typedef struct strait_mixture {
    int k;
    int64_t features;
    double *weight;     /* [k], their sum is 1 */
    double *mean;       /* [k, features] */
    double *covariance; /* [k, features, features] */
} strait_mixture;

/* Fits one by expectation and maximisation, started from k-means (options as there); 1e-6 is added to the variances, as
   scikit-learn does. Ends when the mean log-likelihood grows by less than 1e-6. clusters (may be NULL): the most likely
   component of each sample. The caller owns both. Errors: ARGUMENT (as strait_kmeans; a covariance that cannot be
   inverted), MEMORY. */
STRAIT_API strait_status strait_mixture_fit(strait_mixture **out, strait_clusters **clusters, const strait_array *x,
                                            const strait_cluster_options *options, strait_error *err);
/* n samples drawn from it: *out [n, features], the caller's. Errors: ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_mixture_sample(strait_array **out, const strait_mixture *mixture, int64_t n,
                                               uint64_t seed, strait_error *err);
STRAIT_API void strait_mixture_free(strait_mixture *mixture); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
