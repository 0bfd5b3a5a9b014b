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
    double score;         /* what was made as good as can be. k-means: the inertia, the sum of squared distances to the
                             centres; mixture: the mean log-likelihood of a sample; Leiden: the modularity */
    int iterations;
} strait_clusters;

typedef struct strait_cluster_options {
    int k;                /* clusters; Leiden finds how many */
    int starts;           /* 0: 10; not of Leiden */
    int iterations;       /* at most; 0: 300, for Leiden as many as make it better */
    strait_metric metric; /* cosine: of the samples brought to length 1 */
    int neighbors;        /* of Leiden, the sample itself among them; 0: 15, or all of fewer samples */
    double resolution;    /* of Leiden: higher gives more clusters; 0: 1 */
    uint64_t seed;
    int threads;
} strait_cluster_options;

/* k-means (Lloyd 1982, starts by k-means++: Arthur and Vassilvitskii 2007): the best of the starts. The caller owns
 *out. Errors: ARGUMENT (k below 1 or above the number of samples), MEMORY. */
STRAIT_API strait_status strait_kmeans(strait_clusters **out, const strait_array *x,
                                       const strait_cluster_options *options, strait_error *err);
STRAIT_API void strait_clusters_free(strait_clusters *clusters); /* NULL is fine */

/* Communities of the graph of neighbours (each tie as strong as in UMAP: McInnes, Healy, Melville 2018) by the Leiden
   algorithm (Traag, Waltman, van Eck 2019), which makes modularity with a resolution (Reichardt and Bornholdt 2006)
   large: as many clusters as it finds, each one connected in the graph. The centres are means of the samples as they
   are, whatever the metric. The same bits for a seed whatever the threads. The caller owns *out. Errors: ARGUMENT
   (neighbors against n, a resolution that is negative or not finite), MEMORY. */
STRAIT_API strait_status strait_leiden(strait_clusters **out, const strait_array *x,
                                       const strait_cluster_options *options, strait_error *err);

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
