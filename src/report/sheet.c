/* Sheets of images. A sheet is made of blocks; a block has one line of cells for each of the caller's rows, so that
   what belongs together stands one below another. Images go into the picture pixel for pixel:
   nothing is smoothed that the model did not smooth. */
#include "report/sheet.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/canvas_int.h"
#include "report/colours_int.h"
#include "image/png.h"

#define IMAGE_SIDE 96   /* small images are enlarged up to this */
#define LARGE_SIDE 256  /* large ones reduced to this */
#define CURVE_WIDTH 120 /* a cell of a row of features */
#define CURVE_HEIGHT 72
#define GAP 4
#define BLOCK_GAP 18
#define MARGIN 14
#define CAPTION_SIZE 15
#define CAPTION_MAX 220
#define NOT_FINITE 0xff00ff /* no image has this colour by accident */
#define GRID_LINE 2

typedef struct sheet {
    int n_rows, columns;
    const strait_array *const *row;
    const char *const *caption;
    int64_t n, height, width; /* samples; of an image, or 1 × features */
    int channels;             /* 0: features */
    int64_t up, down;         /* an image's pixel becomes up × up; down × down of them become one */
    int64_t cell_width, cell_height;
    double left; /* where the cells begin */
    bool one_range;
    double range[2]; /* of all, where it is one */
    const st_look *look;
    uint32_t *cell; /* [cell_height, cell_width]: the image being drawn */
} sheet;

/* --- one cell --- */

/* The mean over the part of an image that the cell's pixel (y, x) shows. */
static float pixel_value(const sheet *s, const float *image, int64_t y, int64_t x, int64_t channel) {
    const int64_t y0 = y * s->down / s->up, x0 = x * s->down / s->up;
    const int64_t y1 = y0 + s->down < s->height ? y0 + s->down : s->height;
    const int64_t x1 = x0 + s->down < s->width ? x0 + s->down : s->width;
    double sum = 0;
    for (int64_t v = y0; v < y1; v++)
        for (int64_t u = x0; u < x1; u++)
            sum += (double)image[(v * s->width + u) * s->channels + channel];
    return (float)(sum / (double)((y1 - y0) * (x1 - x0)));
}

static uint32_t pixel_colour(const sheet *s, const float *image, int64_t y, int64_t x) {
    uint32_t colour = 0;
    for (int c = 0; c < 3; c++) {
        const float value = pixel_value(s, image, y, x, s->channels == 3 ? c : 0);
        if (!isfinite(value)) return NOT_FINITE;
        colour = colour << 8 | st_png_byte(value);
    }
    return colour;
}

static void draw_image(st_canvas *canvas, const sheet *s, const float *image, int64_t left, int64_t top) {
    for (int64_t y = 0; y < s->cell_height; y++)
        for (int64_t x = 0; x < s->cell_width; x++)
            s->cell[y * s->cell_width + x] = pixel_colour(s, image, y, x);
    st_canvas_image(canvas, left, top, (int)s->cell_width, (int)s->cell_height, s->cell);
}

/* The range of samples first, ..., end - 1 over all rows, so that their curves can be compared. */
static void find_range(double range[2], const sheet *s, int64_t first, int64_t end) {
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (int r = 0; r < s->n_rows; r++)
        for (int64_t i = first * s->width; i < end * s->width; i++) {
            const double value = (double)s->row[r]->values[i];
            if (!isfinite(value)) continue;
            range[0] = fmin(range[0], value);
            range[1] = fmax(range[1], value);
        }
    if (range[0] > range[1]) range[0] = range[1] = 0;
    if (range[0] == range[1]) {
        range[0] -= 1;
        range[1] += 1;
    }
}

static void draw_curve(st_canvas *canvas, const sheet *s, const float *values, const double range[2], int64_t left,
                       int64_t top) {
    st_canvas_colour(canvas, s->look->frame);
    st_canvas_line(canvas, 1, false);
    st_canvas_frame(canvas, (double)left + 0.5, (double)top + 0.5, CURVE_WIDTH - 1, CURVE_HEIGHT - 1);
    st_canvas_colour(canvas, s->look->category[0]);
    st_canvas_line(canvas, 1.5, false); /* round: a lone point is a dot */
    const double wide = CURVE_WIDTH - 12, high = CURVE_HEIGHT - 12;
    bool drawing = false;
    for (int64_t i = 0; i < s->width; i++) {
        const double value = (double)values[i];
        if (!isfinite(value)) {
            drawing = false;
            continue;
        }
        const double x = (double)left + 6 + (s->width > 1 ? wide * (double)i / (double)(s->width - 1) : wide / 2);
        const double y = (double)top + 6 + high * (range[1] - value) / (range[1] - range[0]);
        if (!drawing) st_canvas_move(canvas, x, y);
        st_canvas_draw(canvas, x, y);
        drawing = true;
    }
    st_canvas_stroke(canvas);
}

/* --- the sheet --- */

static strait_status check_rows(const char *path, int n_rows, const strait_array *const *rows, int columns,
                                strait_error *err) {
    if (!path || n_rows < 1 || !rows || columns < 1)
        return st_fail(err, STRAIT_ARGUMENT, "strait_picture_sheet: needs a path, at least a row and a column");
    for (int r = 0; r < n_rows; r++) {
        const strait_array *row = rows[r];
        const bool images = row && row->n_dims == 4 && (row->dim[3] == 1 || row->dim[3] == 3);
        if (!images && !(row && row->n_dims == 2))
            return st_fail(err, STRAIT_ARGUMENT,
                           "%s: row %d is neither images [n, height, width, 1 or 3] nor rows [n, features]", path, r);
        if (row->n_dims != rows[0]->n_dims ||
            memcmp(row->dim, rows[0]->dim, (size_t)row->n_dims * sizeof *row->dim) != 0)
            return st_fail(err, STRAIT_ARGUMENT, "%s: row %d has another shape than row 0", path, r);
        if (strait_array_count(row) == 0) return st_fail(err, STRAIT_ARGUMENT, "%s: there is nothing to draw", path);
    }
    return STRAIT_OK;
}

/* Sizes of a cell. */
static void measure(sheet *s) {
    const strait_array *row = s->row[0];
    s->n = row->dim[0];
    s->up = s->down = 1;
    if (row->n_dims == 2) {
        s->height = 1;
        s->width = row->dim[1];
        s->cell_width = CURVE_WIDTH;
        s->cell_height = CURVE_HEIGHT;
        return;
    }
    s->height = row->dim[1];
    s->width = row->dim[2];
    s->channels = (int)row->dim[3];
    const int64_t side = s->height > s->width ? s->height : s->width;
    if (side <= IMAGE_SIDE) s->up = IMAGE_SIDE / side;
    if (side > LARGE_SIDE) s->down = (side + LARGE_SIDE - 1) / LARGE_SIDE;
    s->cell_height = (s->height * s->up + s->down - 1) / s->down;
    s->cell_width = (s->width * s->up + s->down - 1) / s->down;
}

/* Width of the widest caption; needs a canvas for its fonts. */
static strait_status caption_width(double *out, const sheet *s, const char *path, strait_error *err) {
    *out = 0;
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, 1, 1, 1, 0xffffff, path, err));
    st_canvas_font(&canvas, CAPTION_SIZE, false);
    for (int r = 0; s->caption && r < s->n_rows; r++) {
        const double width = s->caption[r] ? st_canvas_text_width(&canvas, s->caption[r]) : 0;
        if (width > *out) *out = width;
    }
    st_canvas_close(&canvas);
    if (*out > CAPTION_MAX) *out = CAPTION_MAX;
    return STRAIT_OK;
}

/* One line: caption and cells of row r, samples first to last - 1. */
static void draw_line(st_canvas *canvas, const sheet *s, int r, int64_t first, int64_t last, int64_t top) {
    if (s->caption && s->caption[r]) {
        st_canvas_font(canvas, CAPTION_SIZE, false);
        st_canvas_colour(canvas, s->look->text);
        st_canvas_text(canvas, s->left - 12, (double)top + (double)s->cell_height / 2 + CAPTION_SIZE * 0.36, 1,
                       CAPTION_MAX, s->caption[r]);
    }
    const int64_t size = s->channels ? s->height * s->width * s->channels : s->width;
    for (int64_t i = first; i < last; i++) {
        const int64_t left = (int64_t)s->left + (i - first) * (s->cell_width + GAP);
        const float *values = s->row[r]->values + i * size;
        if (s->channels) {
            draw_image(canvas, s, values, left, top);
        } else {
            double range[2] = {s->range[0], s->range[1]};
            if (!s->one_range) find_range(range, s, i, i + 1);
            draw_curve(canvas, s, values, range, left, top);
        }
    }
}

/* All blocks, on a canvas that is large enough. */
static void draw_blocks(st_canvas *canvas, const sheet *s, int64_t line, int64_t block) {
    const int64_t n_blocks = (s->n + s->columns - 1) / s->columns;
    for (int64_t b = 0; b < n_blocks; b++) {
        const int64_t first = b * s->columns, last = first + s->columns < s->n ? first + s->columns : s->n;
        for (int r = 0; r < s->n_rows; r++)
            draw_line(canvas, s, r, first, last, MARGIN + b * block + r * line);
    }
}

strait_status strait_picture_draw_sheet(const char *path, const strait_sheet *asked, strait_error *err) {
    if (!asked) return check_rows(path, 0, NULL, 0, err);
    ST_TRY(check_rows(path, asked->n_rows, asked->rows, asked->columns, err));
    sheet s = {.n_rows = asked->n_rows, .columns = asked->columns, .row = asked->rows, .caption = asked->captions};
    s.look = st_look_of(asked->theme);
    measure(&s);
    s.one_range = asked->one_range && !s.channels;
    if (s.one_range) find_range(s.range, &s, 0, s.n);
    if (s.n < s.columns) s.columns = (int)s.n;
    double text;
    ST_TRY(caption_width(&text, &s, path, err));
    s.left = MARGIN + (text > 0 ? ceil(text) + 12 : 0);
    const int64_t n_blocks = (s.n + s.columns - 1) / s.columns, line = s.cell_height + GAP;
    const int64_t gap = s.n_rows > 1 ? BLOCK_GAP : 0; /* one row after another needs none between */
    if (n_blocks > ST_CANVAS_MAX || s.n_rows > ST_CANVAS_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s: %lld images are too many for one sheet", path, (long long)s.n);
    const int64_t width = (int64_t)s.left + s.columns * (s.cell_width + GAP) - GAP + MARGIN;
    const int64_t block = s.n_rows * line + gap, height = n_blocks * block - gap - GAP + 2 * MARGIN;
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, (double)width, (double)height, 1, s.look->background, path, err));
    s.cell = st_alloc((size_t)(s.cell_height * s.cell_width), sizeof *s.cell);
    if (s.cell) draw_blocks(&canvas, &s, line, block);
    const strait_status status =
        s.cell ? st_canvas_save(&canvas, path, err)
               : st_fail_memory(err, (size_t)(s.cell_height * s.cell_width) * sizeof *s.cell, "an image to draw");
    st_free(s.cell);
    st_canvas_close(&canvas);
    return status;
}

strait_status strait_picture_sheet(const char *path, int n_rows, const strait_array *const *rows,
                                   const char *const *captions, int columns, strait_error *err) {
    const strait_sheet asked = {n_rows, rows, captions, columns, STRAIT_THEME_LIGHT, false};
    return strait_picture_draw_sheet(path, &asked, err);
}

/* --- the plain grid --- */

strait_status st_png_write_grid(const char *path, const strait_array *images, strait_error *err) {
    const int64_t *dim = images->dim;
    if (images->n_dims != 4 || (dim[3] != 1 && dim[3] != 3) || strait_array_count(images) == 0)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: only images [n, height, width, 1 or 3], at least one, can be written as .png; choose .npy "
                       "or .csv",
                       path);
    int64_t columns = 1;
    while (columns * columns < dim[0])
        columns++;
    const int64_t lines = (dim[0] + columns - 1) / columns;
    const int64_t width = columns * (dim[2] + GRID_LINE) - GRID_LINE, height = lines * (dim[1] + GRID_LINE) - GRID_LINE;
    if (width > ST_CANVAS_MAX || height > ST_CANVAS_MAX)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: %lld images would make a picture of %lld×%lld pixels, at most %d×%d can be written; write "
                       "fewer images, or .npy",
                       path, (long long)dim[0], (long long)width, (long long)height, ST_CANVAS_MAX, ST_CANVAS_MAX);
    const int64_t channels = dim[3], row = dim[2] * channels;
    const size_t n_bytes = (size_t)(width * height * channels);
    unsigned char *bytes = st_alloc(n_bytes, 1);
    if (!bytes) return st_fail_memory(err, n_bytes, "a picture");
    memset(bytes, 255, n_bytes);
    for (int64_t i = 0; i < dim[0]; i++)
        for (int64_t y = 0; y < dim[1]; y++) {
            const int64_t left = i % columns * (dim[2] + GRID_LINE), top = i / columns * (dim[1] + GRID_LINE) + y;
            const float *src = images->values + (i * dim[1] + y) * row;
            unsigned char *dst = bytes + (top * width + left) * channels;
            for (int64_t x = 0; x < row; x++)
                dst[x] = st_png_byte(src[x]);
        }
    const strait_status status = st_png_write(path, (int)width, (int)height, (int)channels, bytes, err);
    st_free(bytes);
    return status;
}
