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

#endif
