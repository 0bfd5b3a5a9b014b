/* Clusters, inside. */
#ifndef ST_EXPLORE_CLUSTERS_INT_H
#define ST_EXPLORE_CLUSTERS_INT_H

#include <strait/explore_clusters.h>
#include "explore/explore_int.h"

/* n samples, all in cluster 0. Errors: MEMORY. */
strait_status st_clusters_new(strait_clusters **out, int64_t n, strait_error *err);

/* Numbers clusters 0..k-1 anew: by descending size, then by their first sample; clusters without samples fall away.
   Sets clusters->k. old (may be NULL) [k]: which old number each new one is of. Errors: MEMORY. */
strait_status st_clusters_order(strait_clusters *clusters, int64_t k, int32_t *old, strait_error *err);

/* Position i of a random stream as a number in [0, 1) with 53 bits; i even. */
double st_explore_uniform(uint64_t seed, uint32_t epoch, uint32_t sample, uint32_t i);

#endif
