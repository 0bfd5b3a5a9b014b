/* Products with centred samples, shared by fitting and applying principal components. Samples are centred in double a
   tile at a time, so that no second copy of them is held. Every product runs in st_chunks, BLAS on one thread in each:
   the bits do not depend on the number of threads, and an OpenBLAS on OpenMP, whose threads spin while they wait, is no
   burden on a machine that has other work. */
#ifndef ST_PCA_INT_H
#define ST_PCA_INT_H

#include "explore/explore_int.h"

#define ST_PCA_TILE 128                   /* samples, or rows and columns of a result, a chunk works on */
#define ST_PCA_WIDE 512                   /* of what is summed over, or features of a result */
#define ST_PCA_SAMPLES (32 * ST_PCA_TILE) /* whose scores are held at once */

typedef struct st_centred {
    st_rows x;
    const double *mean; /* [x.d] */
    st_pool *pool;
    double *scratch; /* of each worker 2 tiles */
} st_centred;

/* Starts the threads, takes the scratch memory. On failure there is nothing to close. Errors: MEMORY. */
strait_status st_centred_open(st_centred *c, const st_rows *x, const double *mean, int threads, strait_error *err);
void st_centred_close(st_centred *c);

/* n * each doubles, zero; NULL after filling err, what naming them there. */
double *st_doubles(int64_t n, int64_t each, const char *what, strait_error *err);

/* Upper half of out = factor X'X [d, d], or factor XX' [n, n] for `samples`. out comes in as zeros. */
void st_centred_squares(double *out, const st_centred *c, bool samples, double factor);

/* score [count, k] = X C' for samples first, ..., first + count - 1, C = component [k, d]. square (may be NULL)
   [count / ST_PCA_TILE, rounded up]: the sum of their squared values, a tile of samples each. */
void st_centred_project(double *score, double *square, const st_centred *c, int64_t first, int64_t count,
                        const double *component, int64_t k);

/* out [k, d] += W X for the same samples, W given as weight [k, count] or, turned, as [count, k]; ld: from one of its
   rows to the next. */
void st_centred_combine(double *out, const st_centred *c, int64_t first, int64_t count, const double *weight,
                        bool turned, int64_t ld, int64_t k);

/* Upper half of out [k, k] += factor Z'Z for score [count, k]; or ZZ' for [k, count], not turned. */
void st_add_squares(double *out, const st_centred *c, const double *z, bool turned, int64_t count, int64_t k,
                    double factor);

#endif
