/* Exploring: what people do with latents in notebooks, on plain arrays. A matrix x is a strait_array [n, features];
   arrays of more dims count as rows of n flattened samples. Nothing here knows models or files. All functions refuse
   values that are not finite (ARGUMENT, with the first one's place) and are reproducible for a seed and number of
   threads. Options may be NULL: the defaults, which are all zero. */
#ifndef STRAIT_EXPLORE_H
#define STRAIT_EXPLORE_H

#include <strait/explore_clusters.h>
#include <strait/explore_maps.h>
#include <strait/explore_neighbors.h>
#include <strait/explore_pca.h>
#include <strait/explore_scores.h>
#include <strait/explore_types.h>
#include <strait/explore_walks.h>

#endif
