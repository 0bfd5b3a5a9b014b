/* What the functions of this room share: looking at input, products of matrices, slices of work.

   Reproducible results: work is cut into chunks whose borders depend on the problem alone, never on the number of
   threads; a chunk writes only what is its own, and sums over chunks are added in their order by one thread. Which
   worker takes a chunk is then of no matter. BLAS runs on one thread inside such chunks (st_blas_alone), as the order
   in which its threads add would otherwise depend on their number. */
#ifndef ST_EXPLORE_INT_H
#define ST_EXPLORE_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/explore_types.h>
#include "base/status.h"
#include "base/thread.h"

/* x as rows of samples; borrows its values. */
typedef struct st_rows {
    int64_t n, d;
    const float *values; /* [n, d] */
} st_rows;

/* Looks at an array: at least one sample and one value a sample, all of them finite. name stands for it in messages:
   "the data". Errors: ARGUMENT, with the place of the first value that is not finite. */
strait_status st_explore_rows(st_rows *out, const strait_array *x, const char *name, strait_error *err);

/* How many threads to use: asked, or what the machine gives where that is 0. */
int st_explore_threads(int asked);

/* Work on items first, ..., end - 1. worker tells whose scratch memory may be used. */
typedef void (*st_chunk_work)(void *context, int64_t first, int64_t end, int worker);
/* Runs work on all of 0..n-1 in chunks of `size` items (the last may be smaller), and waits. */
void st_chunks(st_pool *pool, int64_t n, int64_t size, st_chunk_work work, void *context);

/* From here to st_blas_restore, BLAS and LAPACK use one thread when called by this one. Calls may be nested. Inside
   st_chunks it is so on every worker. */
void st_blas_alone(void);
void st_blas_restore(void);

/* c [m, n] = alpha a [m, k] b [n, k]' + beta c, float32, row-major; ld: values from one row to the next. */
typedef struct st_product {
    int64_t m, n, k;
    float alpha, beta;
    const float *a, *b;
    float *c;
    int64_t lda, ldb, ldc;
} st_product;
void st_product_nt(const st_product *product);

/* The k largest eigenvalues of a symmetric a [n, n], descending, with their unit vectors as rows: value [k],
   vector [k, n]. a is destroyed. Errors: MEMORY, ENGINE. */
strait_status st_eigen(double *value, double *vector, double *a, int64_t n, int64_t k, strait_error *err);

/* Makes the k <= n rows of rows [k, n] orthonormal, spanning the same. Errors: MEMORY, ENGINE. */
strait_status st_orthonormal(double *rows, int64_t k, int64_t n, strait_error *err);

/* Tells progress, where there is anyone to tell; false: stop. */
bool st_explore_tell(strait_explore_progress progress, void *context, double done, double value);

#endif
