/* One affine map for all changes, as Keras' ImageDataGenerator does it: pixel (y, x) of the result, seen from the
   image's centre, is taken from the source at A (y, x) + shift, between its four neighbours (bilinear), and beyond the
   edge from the nearest pixel (fill_mode "nearest"). The draws stand at fixed positions of the stream, so that one
   change does not move another's. */
#include "data/augment.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "data/elastic.h"

enum {
    DRAW_ROTATE,
    DRAW_SHIFT_Y,
    DRAW_SHIFT_X,
    DRAW_ZOOM,
    DRAW_FLIP_Y,
    DRAW_FLIP_X,
    DRAW_CONTRAST,
    DRAW_BRIGHTNESS,
    N_DRAWS
};
_Static_assert(N_DRAWS % 4 == 0, "as streams are read");

/* Source (y, x) = (yy y + yx x + y0, xy y + xx x + x0). */
typedef struct affine_map {
    double yy, yx, y0, xy, xx, x0;
} affine_map;

static bool moves(const st_augment *augment) {
    return augment->rotate > 0 || augment->shift[0] > 0 || augment->shift[1] > 0 || augment->zoom > 0 ||
           augment->flip[0] || augment->flip[1];
}

bool st_augment_any(const st_augment *augment) {
    return moves(augment) || augment->elastic_alpha > 0 || augment->contrast > 0 || augment->brightness > 0;
}

static affine_map draw_map(const int64_t dim[3], const st_augment *augment, const float draw[N_DRAWS]) {
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

/* One pixel of the result, taken from (y, x) of the source. */
static inline __attribute__((always_inline)) void warp_pixel(float *restrict dst, const float *restrict src,
                                                             const int64_t dim[3], int32_t channels, float y, float x) {
    const int32_t height = (int32_t)dim[0], width = (int32_t)dim[1];
    const float sy = within(y, (float)(height - 1)), sx = within(x, (float)(width - 1));
    const int32_t top = (int32_t)sy, left = (int32_t)sx;
    const float fy = sy - (float)top, fx = sx - (float)left;
    const float *a = src + ((int64_t)top * width + left) * channels;
    const int64_t right = left + 1 < width ? channels : 0, down = top + 1 < height ? (int64_t)width * channels : 0;
    for (int32_t c = 0; c < channels; c++, a++) {
        const float above = a[0] + fx * (a[right] - a[0]), below = a[down] + fx * (a[down + right] - a[down]);
        dst[c] = above + fy * (below - above);
    }
}

/* One row of the result, whose pixels lie at (y, x), (y + dy, x + dx), ... of the source. Inlined, so that the loop
   over the channels is unrolled where their number is known. */
static inline __attribute__((always_inline)) void warp_row(float *restrict dst, const float *restrict src,
                                                           const int64_t dim[3], int32_t channels, float y, float x,
                                                           float dy, float dx) {
    for (int32_t i = 0; i < (int32_t)dim[1]; i++, dst += channels)
        warp_pixel(dst, src, dim, channels, y + (float)i * dy, x + (float)i * dx);
}

static void warp(float *dst, const float *src, const int64_t dim[3], const affine_map *from) {
    const affine_map map = *from;
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

void st_augment_apply(float *dst, const float *src, const int64_t dim[3], const st_augment *augment,
                      const st_rng *rng) {
    float draw[N_DRAWS];
    st_rng_uniform(rng, 0, draw, N_DRAWS);
    const affine_map map = draw_map(dim, augment, draw);
    warp(dst, src, dim, &map);
}

/* ---- all of it ---- */

struct st_augmenter {
    st_augment settings;
    int64_t dim[3];
    bool limited;
    float low, high;
    st_elastic elastic; /* empty without */
    /* As drawn: */
    affine_map map;
    float contrast, brightness;
};

strait_status st_augmenter_new(st_augmenter **out, const st_augment *augment, const int64_t dim[3], const float *limit,
                               strait_error *err) {
    st_augmenter *made = *out = st_alloc(1, sizeof *made);
    if (!made) return st_fail_memory(err, sizeof *made, "augmentation");
    made->settings = *augment;
    made->limited = limit != NULL;
    made->low = limit ? limit[0] : 0;
    made->high = limit ? limit[1] : 0;
    for (int i = 0; i < 3; i++)
        made->dim[i] = dim[i];
    if (!(augment->elastic_alpha > 0)) return STRAIT_OK;
    const strait_status status =
        st_elastic_init(&made->elastic, dim[0], dim[1], augment->elastic_alpha, augment->elastic_sigma, err);
    if (status == STRAIT_OK) return STRAIT_OK;
    st_augmenter_free(made);
    *out = NULL;
    return status;
}

void st_augmenter_free(st_augmenter *augmenter) {
    if (!augmenter) return;
    st_elastic_close(&augmenter->elastic);
    st_free(augmenter);
}

int64_t st_augmenter_bytes(const st_augmenter *augmenter) {
    return (int64_t)sizeof *augmenter + st_elastic_bytes(&augmenter->elastic);
}

void st_augmenter_draw(st_augmenter *augmenter, const st_rng *rng) {
    float draw[N_DRAWS];
    st_rng_uniform(rng, 0, draw, N_DRAWS);
    augmenter->map = draw_map(augmenter->dim, &augmenter->settings, draw);
    augmenter->contrast = 1 + (2 * draw[DRAW_CONTRAST] - 1) * (float)augmenter->settings.contrast;
    augmenter->brightness = (2 * draw[DRAW_BRIGHTNESS] - 1) * (float)augmenter->settings.brightness;
    if (augmenter->elastic.weight) st_elastic_draw(&augmenter->elastic, rng);
}

/* As warp, with the displacement of each pixel of the result added. */
static void warp_elastic(float *dst, const float *src, const st_augmenter *augmenter) {
    const int64_t *dim = augmenter->dim;
    const affine_map *map = &augmenter->map;
    const float *field = augmenter->elastic.field[0], *other = augmenter->elastic.field[1];
    for (int64_t i = 0; i < dim[0]; i++)
        for (int64_t j = 0; j < dim[1]; j++, dst += dim[2]) {
            const double y = map->y0 + map->yy * (double)i + map->yx * (double)j + (double)field[i * dim[1] + j];
            const double x = map->x0 + map->xy * (double)i + map->xx * (double)j + (double)other[i * dim[1] + j];
            warp_pixel(dst, src, dim, (int32_t)dim[2], (float)y, (float)x);
        }
}

/* Distances from the mean, then the mean itself; cut to the limits. */
static void change_light(float *image, const st_augmenter *augmenter) {
    const int64_t n = augmenter->dim[0] * augmenter->dim[1] * augmenter->dim[2];
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)image[i];
    const float mean = (float)(sum / (double)n), to = mean + augmenter->brightness;
    for (int64_t i = 0; i < n; i++)
        image[i] = to + augmenter->contrast * (image[i] - mean);
    for (int64_t i = 0; augmenter->limited && i < n; i++) {
        const float above = image[i] < augmenter->low ? augmenter->low : image[i];
        image[i] = above > augmenter->high ? augmenter->high : above;
    }
}

void st_augmenter_apply(const st_augmenter *augmenter, float *dst, const float *src) {
    const st_augment *settings = &augmenter->settings;
    if (augmenter->elastic.weight)
        warp_elastic(dst, src, augmenter);
    else if (moves(settings))
        warp(dst, src, augmenter->dim, &augmenter->map);
    else
        memcpy(dst, src, (size_t)(augmenter->dim[0] * augmenter->dim[1] * augmenter->dim[2]) * sizeof *dst);
    if (settings->contrast > 0 || settings->brightness > 0) change_light(dst, augmenter);
}
