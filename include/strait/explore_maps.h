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
    double exaggeration;  /* 0: 12, for the first quarter of the iterations */
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

#ifdef __cplusplus
}
#endif
#endif
