#include "data/assemble.h"

#include <string.h>

/* The factor is split into high + low, where high has 16 significant bits: a whole number up to 255 times high is
   exact in float32, times low it is off by less than 2^-40 of the product, and only their sum is rounded. So the loop
   over u8 stays in float32, four times as many values to a register as in double, and gives the same bits. */
st_affine st_affine_make(double offset, double factor) {
    float high = (float)factor;
    uint32_t bits;
    memcpy(&bits, &high, sizeof bits);
    bits &= 0xffffff00u;
    memcpy(&high, &bits, sizeof high);
    return (st_affine){offset, factor, (float)offset, high, (float)(factor - (double)high)};
}

static void apply_u8(float *restrict dst, const uint8_t *restrict src, int64_t n, const st_affine *affine) {
    const float offset = affine->u8_offset, high = affine->u8_high, low = affine->u8_low;
    for (int64_t i = 0; i < n; i++) {
        const float x = (float)src[i] - offset;
        dst[i] = x * high + x * low;
    }
}

static void apply_u16(float *restrict dst, const uint16_t *restrict src, int64_t n, const st_affine *affine) {
    const double offset = affine->offset, factor = affine->factor;
    for (int64_t i = 0; i < n; i++)
        dst[i] = (float)(((double)src[i] - offset) * factor);
}

static void apply_f32(float *restrict dst, const float *restrict src, int64_t n, const st_affine *affine) {
    const double offset = affine->offset, factor = affine->factor;
    for (int64_t i = 0; i < n; i++)
        dst[i] = (float)(((double)src[i] - offset) * factor);
}

void st_affine_apply(float *dst, const void *src, st_dtype type, int64_t n, const st_affine *affine) {
    switch (type) {
    case ST_U8: apply_u8(dst, src, n, affine); break;
    case ST_U16: apply_u16(dst, src, n, affine); break;
    case ST_F32:
        if (affine->offset == 0 && affine->factor == 1) {
            memcpy(dst, src, (size_t)n * sizeof *dst);
        } else {
            apply_f32(dst, src, n, affine);
        }
        break;
    }
}
