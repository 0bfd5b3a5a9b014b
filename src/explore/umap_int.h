/* The parts of UMAP. */
#ifndef ST_EXPLORE_UMAP_INT_H
#define ST_EXPLORE_UMAP_INT_H

#include "explore/maps_int.h"

/* Similarity at distance d of the map: 1 / (1 + a d^2b). */
typedef struct st_curve {
    double a, b;
} st_curve;
/* The curve nearest (least squares) to 1 up to min_dist and exp(min_dist - d) beyond. */
st_curve st_umap_curve(double min_dist);

/* Memberships [n, k] of neighbours: exp(-(d - rho) / sigma), with sigma such that they sum to log2(target). connected:
   rho is the nearest neighbour's distance, which makes its membership 1; else 0. */
void st_umap_memberships(float *weight, const strait_neighbors *neighbors, int target, bool connected, st_pool *pool);

/* Neighbours as umap-learn counts them, the sample itself among them: fills in the default where 0 (15, or all of fewer
   samples) and checks. Errors: ARGUMENT. */
strait_status st_fuzzy_neighbors(int *neighbors, int64_t n, strait_error *err);
/* The fuzzy union of memberships of so many neighbours, the sample itself among them, n > 1 samples. Errors: those of
   strait_neighbors_find, MEMORY. */
strait_status st_fuzzy_graph(st_graph_rows *graph, const strait_array *x, int neighbors,
                             const strait_neighbors_options *options, st_pool *pool, strait_error *err);

/* The first eigenvectors of the normalised graph behind the constant one, [n, dims]; *found false where the graph is in
   pieces or too small for it. */
strait_status st_umap_spectral(float *y, bool *found, int dims, const st_graph_rows *graph, uint64_t seed,
                               st_pool *pool, strait_error *err);

/* Moves the heads' places y [n, dims] by stochastic gradient descent: pulled along the edges, pushed from random ones
   of `others`. In a fit, others is NULL: heads are pulled and pushed by one another. Weights are shares of the epochs
   in which an edge is used. Errors: INTERRUPTED, MEMORY. */
typedef struct st_layout {
    int dims, epochs;
    const st_graph_rows *edges;
    float *y;
    const float *others;
    int64_t n_others;
    st_curve curve;
    double rate; /* of the first epoch; falls to 0 */
    uint64_t seed;
    strait_explore_progress progress;
    void *context;
} st_layout;
strait_status st_umap_layout(const st_layout *layout, st_pool *pool, strait_error *err);

#endif
