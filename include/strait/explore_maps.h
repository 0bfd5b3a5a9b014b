/* Maps in two or three dimensions: t-SNE, UMAP, and how well a map keeps neighbourhoods. On plain arrays; see
 * strait/explore.h. */
#ifndef STRAIT_EXPLORE_MAPS_H
#define STRAIT_EXPLORE_MAPS_H

#include <strait/explore_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- maps ---- */

typedef struct strait_tsne_options {
    int dims;             /* 2 (0) or 3 */
    double perplexity;    /* 0: 30 */
    double learning_rate; /* 0: auto, max(50, n / exaggeration / 4) as scikit-learn */
    double exaggeration;  /* 0: 12, for the first 15 % of the iterations */
    int iterations;       /* 0: 1000 */
    uint64_t seed;
    bool random_start; /* else the first components, scaled to a standard deviation of 1e-4 */
    int threads;
    strait_explore_progress progress;
    void *context;
} strait_tsne_options;

/* t-SNE (van der Maaten and Hinton 2008; van der Maaten 2014; interpolation: Linderman et al. 2019). *y [n, dims];
 *kl (may be NULL) the final divergence. Errors: ARGUMENT (perplexity against n), INTERRUPTED, MEMORY. */
STRAIT_API strait_status strait_tsne(strait_array **y, double *kl, const strait_array *x,
                                     const strait_tsne_options *options, strait_error *err);

typedef struct strait_umap_options {
    int dims;        /* 2 (0) or 3 */
    int neighbors;   /* the sample itself among them, as umap-learn counts; 0: 15, or all of fewer samples */
    double min_dist; /* 0: 0.1; negative: 0 */
    strait_metric metric;
    int epochs;     /* 0: 500 up to 10,000 samples, then 200 */
    bool pca_start; /* else spectral, as umap-learn; a graph in several pieces starts by PCA too */
    uint64_t seed;
    int threads;
    strait_explore_progress progress;
    void *context;
} strait_umap_options;

typedef struct strait_umap strait_umap; /* a fitted map, for transform: holds its training data */

/* UMAP (McInnes, Healy, Melville 2018). *y [n, dims]; *map (may be NULL) for new samples. The same bits for a seed
   whatever the threads. Errors: ARGUMENT (neighbors against n), INTERRUPTED, MEMORY. */
STRAIT_API strait_status strait_umap_fit(strait_array **y, strait_umap **map, const strait_array *x,
                                         const strait_umap_options *options, strait_error *err);
/* Places of new samples among those of the fit, which stay. Errors: SHAPE, ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_umap_transform(strait_array **y, const strait_umap *map, const strait_array *x,
                                               strait_error *err);
STRAIT_API void strait_umap_free(strait_umap *map);

/* How well a map y keeps the neighbourhoods of x: trustworthiness of k neighbours (Venna and Kaski 2001), 1 best, and
   the mean share of the k nearest that stay among the k nearest. Errors: SHAPE, ARGUMENT (2 k >= n), MEMORY. */
STRAIT_API strait_status strait_trustworthiness(double *trustworthiness, double *preserved, const strait_array *x,
                                                const strait_array *y, int k, int threads, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
