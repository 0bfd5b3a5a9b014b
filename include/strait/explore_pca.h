/* Principal components. On plain arrays; see strait/explore.h. */
#ifndef STRAIT_EXPLORE_PCA_H
#define STRAIT_EXPLORE_PCA_H

#include <strait/explore_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- principal components (Jolliffe, Principal Component Analysis, 2nd ed., 2002) ---- */

typedef struct strait_pca {
    int64_t n_samples, n_features; /* of what it was fitted on */
    int n_components;              /* as many as asked, or fewer: no more than directions the samples vary in */
    double *mean;                  /* [features] */
    float *component; /* [components, features], orthonormal rows; the value of largest magnitude in each is positive */
    double *variance; /* [components]: eigenvalues of the covariance (divided by n - 1), descending */
    double total_variance; /* over all features */
    bool exact;            /* by the covariance's eigenvectors; else randomised (Halko, Martinsson, Tropp 2011) */
    int threads;           /* that applying it uses, from the options of the fit; 0: as many as the machine gives */
} strait_pca;

typedef struct strait_pca_options {
    int components; /* 0: all there are */
    uint64_t seed;  /* of the randomised form, taken where there are more than 4096 features and samples and fewer
                       components are asked than a tenth of them */
    int threads;    /* 0: as many as the machine gives, here and below */
} strait_pca_options;

/* Centres, does not scale. Directions in which the samples vary by no more than rounding (a variance below
   max(n, features) * 2.2e-16 of the greatest) are none. The caller owns *out. Errors: ARGUMENT (fewer than two samples,
   all the same), MEMORY. */
STRAIT_API strait_status strait_pca_fit(strait_pca **out, const strait_array *x, const strait_pca_options *options,
                                        strait_error *err);
/* Scores [n, k] of the first k components; k 0: all. Errors: SHAPE, ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_pca_transform(strait_array **z, const strait_pca *pca, const strait_array *x, int k,
                                              strait_error *err);
/* Back from scores [n, k] of the first k components to [n, features]. Errors: SHAPE, ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_pca_inverse(strait_array **x, const strait_pca *pca, const strait_array *z,
                                            strait_error *err);
/* mse [k]: mean squared error, over all values, of reconstructing x with the first 1, 2, ..., k components; k 0: all.
   Errors: SHAPE, ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_pca_errors(double *mse, const strait_pca *pca, const strait_array *x, int k,
                                           strait_error *err);
/* Components needed for this share (0..1) of the variance; 0 when those there are do not reach it. */
STRAIT_API int strait_pca_needed(const strait_pca *pca, double share);
/* NULL is fine. */
STRAIT_API void strait_pca_free(strait_pca *pca);

/* Writes it as safetensors: the tensors mean, component and variance, the rest as metadata. Atomic. Errors: IO, MEMORY.
 */
STRAIT_API strait_status strait_pca_save(const strait_pca *pca, const char *path, strait_error *err);
/* Reads what strait_pca_save wrote; mean and variance come back rounded to float32. The caller owns *out.
   Errors: NOT_FOUND, IO, FORMAT, MEMORY. */
STRAIT_API strait_status strait_pca_load(strait_pca **out, const char *path, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
