/* Random changes of training images. */
#ifndef ST_DATA_AUGMENT_H
#define ST_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/rng.h"
#include "recipe/recipe.h"

/* Whether augment changes anything. */
bool st_augment_any(const st_augment *augment);

/* dst = src, turned, shifted, zoomed and mirrored as rng's stream has it; both [dim[0], dim[1], dim[2]], apart. */
void st_augment_apply(float *dst, const float *src, const int64_t dim[3], const st_augment *augment, const st_rng *rng);

/* A recipe's augmentation made ready for images of one shape; belongs to one thread. */
typedef struct st_augmenter st_augmenter;

/* limit: NULL, or the least and the largest value an image may have: beyond them brightness and contrast are cut.
   Errors: MEMORY. */
strait_status st_augmenter_new(st_augmenter **out, const st_augment *augment, const int64_t dim[3], const float *limit,
                               strait_error *err);
void st_augmenter_free(st_augmenter *augmenter); /* NULL is fine */
int64_t st_augmenter_bytes(const st_augmenter *augmenter);

/* Draws what happens to the next images: as rng's seed, epoch and sample have it. */
void st_augmenter_draw(st_augmenter *augmenter, const st_rng *rng);
/* dst = src changed as drawn: affine map and elastic distortion in one, then contrast, then brightness. */
void st_augmenter_apply(const st_augmenter *augmenter, float *dst, const float *src);

#endif
