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

static float within(double value, int64_t n) {
    const double top = (double)(n - 1);
    return (float)(value < 0 ? 0 : value > top ? top : value);
}

/* The pixel at (y, x), which lie within the image. */
static inline void take_pixel(float *restrict dst, const float *restrict src, const int64_t dim[3], float y, float x) {
    const int64_t channels = dim[2], top = (int64_t)y, left = (int64_t)x;
    const float fy = y - (float)top, fx = x - (float)left;
    const float *a = src + (top * dim[1] + left) * channels;
    const float *b = a + (left + 1 < dim[1] ? channels : 0);
    const int64_t down = top + 1 < dim[0] ? dim[1] * channels : 0;
    for (int64_t c = 0; c < channels; c++) {
        const float above = a[c] + fx * (b[c] - a[c]), below = a[down + c] + fx * (b[down + c] - a[down + c]);
        dst[c] = above + fy * (below - above);
    }
}

void st_augment_apply(float *dst, const float *src, const int64_t dim[3], const st_augment *augment,
                      const st_rng *rng) {
    const affine_map map = draw_map(dim, augment, rng);
    for (int64_t y = 0; y < dim[0]; y++) {
        const double from_y = map.y0 + map.yy * (double)y, from_x = map.x0 + map.xy * (double)y;
        for (int64_t x = 0; x < dim[1]; x++)
            take_pixel(dst + (y * dim[1] + x) * dim[2], src, dim, within(from_y + map.yx * (double)x, dim[0]),
                       within(from_x + map.xx * (double)x, dim[1]));
    }
}
