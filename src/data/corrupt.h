/* Corruption of inputs, for models that learn to undo it. */
#ifndef ST_DATA_CORRUPT_H
#define ST_DATA_CORRUPT_H

#include "base/rng.h"
#include "recipe/recipe.h"

/* A recipe's corruption made ready for samples of one shape; read by any number of threads. */
typedef struct st_corruption st_corruption;

/* dim: of a sample, [height, width, channels] or [n], one of images where there is a watermark. What corrupt points to
   is not kept. Errors: ARGUMENT (a watermark on rows), those of reading its image, MEMORY. */
strait_status st_corruption_new(st_corruption **out, const st_corrupt *corrupt, int n_dims, const int64_t *dim,
                                strait_error *err);
void st_corruption_free(st_corruption *corruption); /* NULL is fine */

/* input = clean, corrupted, in the order of st_corrupt's members: whose noise depends on rng's seed, epoch and sample
   alone. Input and clean do not overlap, or are the same. */
void st_corruption_apply(const st_corruption *corruption, float *input, const float *clean, const st_rng *rng);

/* How much of an image a watermark covers, in 0..1: *out is [size[0], size[1]], the caller's, no larger than the share
   asked for of height x width. Errors: those of reading its image, MEMORY. */
strait_status st_watermark_make(float **out, int64_t size[2], const st_corrupt *corrupt, int64_t height, int64_t width,
                                strait_error *err);

#endif
