/* A sheet of what every layer gave for one sample. Each block is first measured, then drawn, by the same st_block. */
#include <math.h>
#include <stdio.h>
#include <strait/picture.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "image/png.h"
#include "report/canvas_int.h"

#define WIDTH 1120
#define MARGIN 20
#define INSIDE (WIDTH - 2 * MARGIN)
#define CAPTION 30 /* height of a caption's line */
#define FONT_SIZE 15
#define GAP 4         /* between tiles */
#define BLOCK_GAP 16  /* between blocks */
#define SMALL_TILE 48 /* small maps are enlarged to about this, by a whole number */
#define LARGE_TILE 160
#define STRIP_HEIGHT 64
#define MOST_TILES 64
#define MOST_BARS 256

#define TEXT_COLOUR 0x222222
#define QUIET_COLOUR 0x666666
#define BAR_COLOUR 0x2f6db5
#define AXIS_COLOUR 0xbbbbbb

typedef struct st_block {
    const strait_activation_map *map;
    bool image, colour;
    int64_t n, shown; /* channels or values */
    int64_t up, down; /* a tile's pixel is up × up pixels, or the mean of down × down values */
    int64_t tile_height, tile_width, columns;
    int64_t height; /* without the caption */
    double low, high;
} st_block;

/* ---- measuring ---- */

static void find_range(st_block *block) {
    const strait_activation_map *map = block->map;
    int64_t count = 1;
    for (int i = 0; i < map->n_dims; i++)
        count *= map->dim[i];
    block->low = INFINITY;
    block->high = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        const double x = (double)map->values[i];
        if (!isfinite(x)) continue;
        block->low = fmin(block->low, x);
        block->high = fmax(block->high, x);
    }
    if (block->low > block->high) block->low = block->high = 0;
}

static st_block measure(const strait_activation_map *map, bool input) {
    st_block block = {.map = map, .image = map->n_dims == 3, .up = 1, .down = 1};
    find_range(&block);
    block.n = map->n_dims > 0 ? map->dim[map->n_dims - 1] : 0;
    if (!block.image) {
        for (int i = 0; i + 1 < map->n_dims; i++)
            block.n *= map->dim[i];
        block.shown = block.n < MOST_BARS ? block.n : MOST_BARS;
        block.height = STRIP_HEIGHT;
        return block;
    }
    block.colour = input && block.n == 3;
    block.shown = block.colour ? 1 : block.n < MOST_TILES ? block.n : MOST_TILES;
    const int64_t height = map->dim[0], width = map->dim[1], side = height > width ? height : width;
    if (side < SMALL_TILE) block.up = (SMALL_TILE + side - 1) / side;
    if (side > LARGE_TILE) block.down = (side + LARGE_TILE - 1) / LARGE_TILE;
    block.tile_height = (height * block.up + block.down - 1) / block.down;
    block.tile_width = (width * block.up + block.down - 1) / block.down;
    block.columns = (INSIDE + GAP) / (block.tile_width + GAP);
    const int64_t lines = (block.shown + block.columns - 1) / block.columns;
    block.height = lines * (block.tile_height + GAP) - GAP;
    return block;
}

/* ---- drawing ---- */

/* "conv2d (relu) · 14 × 14 × 32 · 0 to 1.83 · first 64 of 128" */
static void describe(st_text *text, const st_block *block) {
    const strait_activation_map *map = block->map;
    if (map->layer[0]) st_text_add(text, "%s · ", map->layer);
    for (int i = 0; i < map->n_dims; i++)
        st_text_add(text, "%s%lld", i ? " × " : "", (long long)map->dim[i]);
    st_text_add(text, " · %.3g to %.3g", block->low, block->high);
    if (!block->colour && block->shown < block->n)
        st_text_add(text, " · first %lld of %lld", (long long)block->shown, (long long)block->n);
}

static strait_status draw_caption(st_canvas *canvas, const st_block *block, int64_t top, strait_error *err) {
    st_text text = {0};
    char *words = NULL;
    describe(&text, block);
    ST_TRY(st_text_take(&words, &text, err));
    const double baseline = (double)top + FONT_SIZE + 4;
    st_canvas_font(canvas, FONT_SIZE, true);
    st_canvas_colour(canvas, TEXT_COLOUR);
    st_canvas_text(canvas, MARGIN, baseline, 0, INSIDE / 2, block->map->name);
    const double left = MARGIN + 12 + fmin(st_canvas_text_width(canvas, block->map->name), INSIDE / 2);
    st_canvas_font(canvas, FONT_SIZE, false);
    st_canvas_colour(canvas, QUIET_COLOUR);
    st_canvas_text(canvas, left, baseline, 0, WIDTH - MARGIN - left, words);
    st_free(words);
    return STRAIT_OK;
}

/* The value of pixel (y, x) of a tile: one of the map, or the mean of those that fall together. */
static double tile_value(const st_block *block, int64_t y, int64_t x, int64_t channel) {
    const int64_t *dim = block->map->dim, y0 = y / block->up * block->down, x0 = x / block->up * block->down;
    double sum = 0;
    int n = 0;
    for (int64_t i = y0; i < y0 + block->down && i < dim[0]; i++)
        for (int64_t j = x0; j < x0 + block->down && j < dim[1]; j++, n++)
            sum += (double)block->map->values[(i * dim[1] + j) * dim[2] + channel];
    return sum / n;
}

static uint32_t shade(const st_block *block, double value) {
    const double span = block->high - block->low;
    return st_png_byte((float)(span > 0 ? (value - block->low) / span : 0));
}

static void draw_tiles(st_canvas *canvas, const st_block *block, int64_t top) {
    cairo_surface_flush(canvas->surface);
    for (int64_t k = 0; k < block->shown; k++) {
        const int64_t tile_top = top + k / block->columns * (block->tile_height + GAP);
        const int64_t left = MARGIN + k % block->columns * (block->tile_width + GAP);
        for (int64_t y = 0; y < block->tile_height; y++)
            for (int64_t x = 0; x < block->tile_width && left + x < canvas->width; x++) {
                const uint32_t a = shade(block, tile_value(block, y, x, k));
                uint32_t *pixel = &canvas->pixels[(tile_top + y) * canvas->width + left + x];
                *pixel = !block->colour ? a * 0x010101u
                                        : a << 16 | shade(block, tile_value(block, y, x, 1)) << 8 |
                                              shade(block, tile_value(block, y, x, 2));
            }
    }
    st_canvas_touched(canvas);
}

/* Bars from zero, or from the end of the range that is nearer to it. */
static void draw_bars(st_canvas *canvas, const st_block *block, int64_t top) {
    const double low = fmin(block->low, 0), high = fmax(block->high, 0), span = high > low ? high - low : 1;
    const double step = fmin((double)INSIDE / (double)block->shown, 24), thick = step > 3 ? step - 1 : step;
    const double zero = (double)top + STRIP_HEIGHT * high / span;
    st_canvas_colour(canvas, BAR_COLOUR);
    for (int64_t i = 0; i < block->shown; i++) {
        const double value = (double)block->map->values[i];
        if (!isfinite(value)) continue;
        const double y = (double)top + STRIP_HEIGHT * (high - value) / span;
        cairo_rectangle(canvas->cairo, MARGIN + (double)i * step, fmin(y, zero), thick, fabs(y - zero));
    }
    cairo_fill(canvas->cairo);
    st_canvas_colour(canvas, AXIS_COLOUR);
    cairo_set_line_width(canvas->cairo, 1);
    cairo_move_to(canvas->cairo, MARGIN, floor(zero) + 0.5);
    cairo_line_to(canvas->cairo, MARGIN + step * (double)block->shown, floor(zero) + 0.5);
    cairo_stroke(canvas->cairo);
}

static strait_status draw(st_canvas *canvas, const strait_activations *activations, strait_error *err) {
    int64_t top = MARGIN;
    for (int i = 0; i < activations->n; i++) {
        const st_block block = measure(&activations->map[i], i == 0);
        ST_TRY(draw_caption(canvas, &block, top, err));
        st_canvas_raster_begin(canvas, MARGIN, (double)(top + CAPTION), INSIDE, (double)block.height);
        if (block.image)
            draw_tiles(canvas, &block, top + CAPTION);
        else
            draw_bars(canvas, &block, top + CAPTION);
        st_canvas_raster_end(canvas, false);
        top += CAPTION + block.height + BLOCK_GAP;
    }
    return STRAIT_OK;
}

STRAIT_API strait_status strait_picture_activations(const char *path, const strait_activations *activations,
                                                    strait_error *err) {
    if (!path || !activations || activations->n < 1)
        return st_fail(err, STRAIT_ARGUMENT, "strait_picture_activations: needs a path and at least one layer");
    int64_t height = 2 * MARGIN - BLOCK_GAP;
    for (int i = 0; i < activations->n; i++)
        height += CAPTION + measure(&activations->map[i], i == 0).height + BLOCK_GAP;
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, WIDTH, (double)height, 1, 0xffffff, path, err));
    strait_status status = draw(&canvas, activations, err);
    if (status == STRAIT_OK) status = st_canvas_save(&canvas, path, err);
    st_canvas_close(&canvas);
    return status;
}
