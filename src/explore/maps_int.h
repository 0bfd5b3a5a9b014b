/* Maps, inside: graphs of neighbours with weights, starts, and the parts of t-SNE. */
#ifndef ST_EXPLORE_MAPS_INT_H
#define ST_EXPLORE_MAPS_INT_H

#include <strait/explore_maps.h>
#include <strait/explore_neighbors.h>
#include "explore/explore_int.h"

#define ST_MAP_MAX_DIMS 3

/* ---- graphs ---- */

/* A symmetric graph with weights, row by row; indices ascend within a row. */
typedef struct st_graph_rows {
    int64_t n;
    int64_t *start; /* [n + 1] */
    int32_t *index; /* [start[n]] */
    float *weight;
} st_graph_rows;
void st_graph_rows_free(st_graph_rows *graph);

/* From weights [n, k] of neighbours, of which row i gives i's view of its neighbours, the symmetric graph. Weights a
   (by i) and b (by j; 0 where j does not have i as neighbour) of a pair become (a + b) / 2n (mean), which sums to 1
   where each row sums to 1, or the fuzzy union a + b - a b. */
typedef enum st_union { ST_UNION_MEAN, ST_UNION_FUZZY } st_union;
strait_status st_graph_rows_new(st_graph_rows *out, const strait_neighbors *neighbors, const float *weight,
                                st_union how, strait_error *err);

/* ---- starts ---- */

/* y [n, dims]: scores of the first principal components; columns beyond the data's rank, and all of them where all
   samples are the same, are standard normal times 1e-3 of the first one's standard deviation (or 1). */
strait_status st_map_start_pca(float *y, int dims, const st_rows *x, uint64_t seed, int threads, strait_error *err);
/* Standard normal. */
void st_map_start_random(float *y, int64_t n, int dims, uint64_t seed);

/* dims 2 or 3 (0: 2). Errors: ARGUMENT. */
strait_status st_map_dims(int *dims, int asked, strait_error *err);

/* ---- t-SNE ---- */

/* Conditional probabilities [n, k] of neighbours at this perplexity, rows summing to 1. */
strait_status st_tsne_affinity(float *weight, const strait_neighbors *neighbors, double perplexity, st_pool *pool,
                               strait_error *err);

/* The repulsive forces of Barnes and Hut's tree. */
typedef struct st_repulsion st_repulsion;
strait_status st_repulsion_new(st_repulsion **out, int64_t n, int dims, double theta, st_pool *pool, strait_error *err);
void st_repulsion_free(st_repulsion *repulsion);
/* force [n, dims] = sum over j of w^2 (y_i - y_j), w = 1 / (1 + |y_i - y_j|^2); returns the sum of w over all ordered
   pairs. theta 0 gives the exact sums. */
double st_repulsion_compute(st_repulsion *repulsion, float *force, const float *y);

/* The gradient of exaggeration-weighted KL divergence, [n, dims]; *z is st_repulsion_compute's return. */
void st_tsne_gradient(float *gradient, double *z, const st_graph_rows *p, double exaggeration, const float *y, int dims,
                      st_repulsion *repulsion, st_pool *pool);
/* KL(P || Q) with Q normalised by z. */
double st_tsne_divergence(const st_graph_rows *p, const float *y, int dims, double z);

/* One group of points against a list of masses. Groups are padded to a multiple of ST_REPEL_LANES. */
#define ST_REPEL_LANES 16
typedef struct st_repel {
    int dims, n_points; /* n_points: padded */
    int64_t n_masses;
    const float *point[ST_MAP_MAX_DIMS];   /* [n_points] each */
    const float *at[ST_MAP_MAX_DIMS];      /* [n_masses] each */
    const float *mass;                     /* [n_masses] */
    float *force[ST_MAP_MAX_DIMS], *sum_w; /* [n_points] each */
} st_repel;
void st_repel_generic(const st_repel *repel);
void st_repel_avx2(const st_repel *repel);

#endif
