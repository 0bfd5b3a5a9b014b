/* Clusters, inside. */
#ifndef ST_EXPLORE_CLUSTERS_INT_H
#define ST_EXPLORE_CLUSTERS_INT_H

#include <strait/explore_clusters.h>
#include "explore/explore_int.h"
#include "explore/maps_int.h"

/* n samples, all in cluster 0. Errors: MEMORY. */
strait_status st_clusters_new(strait_clusters **out, int64_t n, strait_error *err);

/* Numbers clusters 0..k-1 anew: by descending size, then by their first sample; clusters without samples fall away.
   Sets clusters->k. old (may be NULL) [k]: which old number each new one is of. Errors: MEMORY. */
strait_status st_clusters_order(strait_clusters *clusters, int64_t k, int32_t *old, strait_error *err);

/* Sets centre, [k, features], to the means of the clusters' rows, row [n, d] with d >= features, and score to the sum
   of squared distances to these. No cluster is empty. Errors: MEMORY. */
strait_status st_clusters_means(strait_clusters *clusters, const float *row, int64_t d, int64_t features,
                                strait_error *err);

/* Communities of a symmetric graph of clusters->n samples, as the Leiden algorithm leaves them: sets cluster, numbers
   of 0..n-1 with gaps, and iterations (at most `most`; 0: until they make nothing better). Errors: MEMORY. */
strait_status st_leiden(strait_clusters *clusters, const st_graph_rows *graph, double resolution, int most,
                        uint64_t seed, strait_error *err);
/* The same, each of them connected, numbered in the order of clusters, with k and score (the modularity). */
strait_status st_communities(strait_clusters *clusters, const st_graph_rows *graph, double resolution, int most,
                             uint64_t seed, strait_error *err);
/* The modularity (Newman and Girvan 2004; with a resolution: Reichardt and Bornholdt 2006) of clusters [n], numbers of
   0..n-1: the sum over them of in / 2m - resolution (total / 2m)^2, `in` the weight of ends of edges inside, `total` of
   all ends, 2m that in the graph. 0 for a graph without weights. Errors: MEMORY. */
strait_status st_modularity(double *out, const int32_t *cluster, const st_graph_rows *graph, double resolution,
                            strait_error *err);

/* Position i of a random stream as a number in [0, 1) with 53 bits; i even. */
double st_explore_uniform(uint64_t seed, uint32_t epoch, uint32_t sample, uint32_t i);

#endif
