/* What the functions of strait/explore.h share. */
#ifndef STRAIT_EXPLORE_TYPES_H
#define STRAIT_EXPLORE_TYPES_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/array.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Distances. Cosine: 1 - cos(a, b); a row of zeros has distance 1 to all but another such row. */
typedef enum strait_metric { STRAIT_METRIC_EUCLIDEAN, STRAIT_METRIC_COSINE } strait_metric;

/* Tells how far long work is, 0..1, with the value of what is made small (NAN: none); false asks it to stop: the
   function then returns INTERRUPTED. */
typedef bool (*strait_explore_progress)(void *context, double done, double value);

#ifdef __cplusplus
}
#endif
#endif
