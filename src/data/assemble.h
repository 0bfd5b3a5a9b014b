/* From stored samples to the floats a network takes: scaling. */
#ifndef ST_DATA_ASSEMBLE_H
#define ST_DATA_ASSEMBLE_H

#include <stdint.h>
#include "base/array.h"

/* x' = (x - offset) * factor. */
typedef struct st_affine {
    double offset, factor;
    float u8_offset, u8_high, u8_low; /* factor split in two for the fast loop over u8; see assemble.c */
} st_affine;

st_affine st_affine_make(double offset, double factor);

/* dst[i] = (src[i] - offset) * factor for n values of type, rounded once (as a division by 255 in float32 is). */
void st_affine_apply(float *dst, const void *src, st_dtype type, int64_t n, const st_affine *affine);

#endif
