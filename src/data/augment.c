/* One affine map for all changes, as Keras' ImageDataGenerator does it: pixel (y, x) of the result, seen from the
   image's centre, is taken from the source at A (y, x) + shift, between its four neighbours (bilinear), and beyond the
   edge from the nearest pixel (fill_mode "nearest"). The draws stand at fixed positions of the stream, so that one
   change does not move another's. */
#include "data/augment.h"

#include <math.h>

enum { DRAW_ROTATE, DRAW_SHIFT_Y, DRAW_SHIFT_X, DRAW_ZOOM, DRAW_FLIP_Y, DRAW_FLIP_X, N_DRAWS = 8 };

/* Source (y, x) = (yy y + yx x + y0, xy y + xx x + x0). */
typedef struct affine_map {
    double yy, yx, y0, xy, xx, x0;
} affine_map;

bool st_augment_any(const st_augment *augment) {
    return augment->rotate > 0 || augment->shift[0] > 0 || augment->shift[1] > 0 || augment->zoom > 0 ||
           augment->flip[0] || augment->flip[1];
}

static affine_map draw_map(const int64_t dim[3], const st_augment *augment, const st_rng *rng) {
    float draw[N_DRAWS];
    st_rng_uniform(rng, 0, draw, N_DRAWS);
    double either[N_DRAWS]; /* in -1..1 */
    for (int i = 0; i < N_DRAWS; i++)
        either[i] = 2 * (double)draw[i] - 1;
    const double angle = either[DRAW_ROTATE] * augment->rotate * (3.14159265358979323846 / 180);
    const double zoom = 1 / (1 + either[DRAW_ZOOM] * augment->zoom);
    const double flip_y = augment->flip[0] && draw[DRAW_FLIP_Y] < 0.5f ? -1 : 1;
    const double flip_x = augment->flip[1] && draw[DRAW_FLIP_X] < 0.5f ? -1 : 1;
    affine_map map = {.yy = cos(angle) * zoom * flip_y,
                      .yx = -sin(angle) * zoom * flip_y,
                      .xy = sin(angle) * zoom * flip_x,
                      .xx = cos(angle) * zoom * flip_x};
    const double cy = (double)(dim[0] - 1) / 2, cx = (double)(dim[1] - 1) / 2;
    const double dy = either[DRAW_SHIFT_Y] * augment->shift[0] * (double)dim[0];
    const double dx = either[DRAW_SHIFT_X] * augment->shift[1] * (double)dim[1];
    map.y0 = cy + dy - map.yy * cy - map.yx * cx;
    map.x0 = cx + dx - map.xy * cy - map.xx * cx;
    return map;
}

static inline float within(float value, float top) {
    value = value > 0 ? value : 0;
    return value < top ? value : top;
}

/* One row of the result, whose pixels lie at (y, x), (y + dy, x + dx), ... of the source. Inlined, so that the loop
   over the channels is unrolled where their number is known. */
static inline __attribute__((always_inline)) void warp_row(float *restrict dst, const float *restrict src,
                                                           const int64_t dim[3], int32_t channels, float y, float x,
                                                           float dy, float dx) {
    const int32_t height = (int32_t)dim[0], width = (int32_t)dim[1];
    for (int32_t i = 0; i < width; i++) {
        const float sy = within(y + (float)i * dy, (float)(height - 1));
        const float sx = within(x + (float)i * dx, (float)(width - 1));
        const int32_t top = (int32_t)sy, left = (int32_t)sx;
        const float fy = sy - (float)top, fx = sx - (float)left;
        const float *a = src + ((int64_t)top * width + left) * channels;
        const int64_t right = left + 1 < width ? channels : 0, down = top + 1 < height ? (int64_t)width * channels : 0;
        for (int32_t c = 0; c < channels; c++, a++) {
            const float above = a[0] + fx * (a[right] - a[0]), below = a[down] + fx * (a[down + right] - a[down]);
            *dst++ = above + fy * (below - above);
        }
    }
}

void st_augment_apply(float *dst, const float *src, const int64_t dim[3], const st_augment *augment,
                      const st_rng *rng) {
    const affine_map map = draw_map(dim, augment, rng);
    const float dy = (float)map.yx, dx = (float)map.xx;
    for (int64_t i = 0; i < dim[0]; i++, dst += dim[1] * dim[2]) {
        const float y = (float)(map.y0 + map.yy * (double)i), x = (float)(map.x0 + map.xy * (double)i);
        switch (dim[2]) {
        case 1: warp_row(dst, src, dim, 1, y, x, dy, dx); break;
        case 3: warp_row(dst, src, dim, 3, y, x, dy, dx); break;
        default: warp_row(dst, src, dim, (int32_t)dim[2], y, x, dy, dx); break;
        }
    }
}
