/* Rows of values and what became of them, a panel a sample: both as lines, the error shaded between. All panels have
   the same scale, so that errors can be compared. */
#include <strait/picture.h>

#include <math.h>
#include <string.h>

#include "report/canvas_int.h"
#include "report/colours_int.h"
#include "report/ticks_int.h"

#define SCALE 2.0
#define PANEL_WIDTH 220
#define PANEL_HEIGHT 120
#define GAP 16
#define MARGIN 18
#define CAPTION_SIZE 11.5
#define TICK_SIZE 10.5
#define LEGEND_SIZE 12.0
#define LEGEND_LINE 22.0 /* length of the sample of a line in the legend */
#define LEGEND_GAP 20.0
#define LEAST_WIDTH 392.0 /* what the legend needs */
#define LABEL_ROOM 40.0   /* of the ticks' labels, left of the panels */
#define SHADE 0.3         /* share of the colour in the shaded part */
#define LARGEST 1e30      /* numbers beyond are left out */
#define TICKS 3

typedef struct curves {
    const float *line[2]; /* original, reconstruction: [n, width] */
    const char *const *caption;
    int64_t n, width;
    int columns;
    double low, high;
    st_ticks ticks;
    double caption_room, left, top; /* left, top: of the panel at work */
    const st_look *look;
} curves;

static bool drawable(double value) {
    return isfinite(value) && fabs(value) < LARGEST;
}

static void find_range(curves *c) {
    c->low = INFINITY;
    c->high = -INFINITY;
    for (int l = 0; l < 2; l++)
        for (int64_t i = 0; i < c->n * c->width; i++) {
            const double value = (double)c->line[l][i];
            if (!drawable(value)) continue;
            c->low = fmin(c->low, value);
            c->high = fmax(c->high, value);
        }
    if (c->low > c->high) c->low = c->high = 0;
    const double size = fmax(fabs(c->low), fabs(c->high));
    const double pad = c->high - c->low > size * 1e-6 ? (c->high - c->low) * 0.05 : size > 0 ? size * 0.1 : 1;
    c->low -= pad;
    c->high += pad;
    st_ticks_linear(&c->ticks, c->low, c->high, TICKS, false);
}

static uint32_t pale(const curves *c, uint32_t colour) {
    uint32_t mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        const double a = c->look->background >> shift & 0xff, b = colour >> shift & 0xff;
        mixed = mixed << 8 | (uint32_t)(a + (b - a) * SHADE + 0.5);
    }
    return mixed;
}

/* Line 0 is the original, 1 the reconstruction, 2 the error between. */
static uint32_t colour_of(const curves *c, int line) {
    return line == 2 ? pale(c, c->look->category[1]) : c->look->category[line];
}

static double x_of(const curves *c, int64_t i) {
    const double wide = PANEL_WIDTH - 12;
    return c->left + 6 + (c->width > 1 ? wide * (double)i / (double)(c->width - 1) : wide / 2);
}

static double y_of(const curves *c, double value) {
    return c->top + PANEL_HEIGHT * (c->high - value) / (c->high - c->low);
}

static void draw_frame(st_canvas *canvas, const curves *c, bool labels) {
    const double right = c->left + PANEL_WIDTH, bottom = c->top + PANEL_HEIGHT;
    st_canvas_line(canvas, 1, false);
    st_canvas_font(canvas, TICK_SIZE, false);
    for (int t = 0; t < c->ticks.n; t++) {
        const double y = y_of(c, c->ticks.value[t]);
        st_canvas_colour(canvas, c->look->grid);
        st_canvas_segment(canvas, c->left, y, right, y);
        st_canvas_colour(canvas, c->look->text);
        if (labels) st_canvas_text(canvas, c->left - 6, y + TICK_SIZE * 0.36, 1, LABEL_ROOM - 6, c->ticks.label[t]);
    }
    st_canvas_colour(canvas, c->look->frame);
    st_canvas_segment(canvas, c->left, c->top, right, c->top);
    st_canvas_segment(canvas, c->left, bottom, right, bottom);
    st_canvas_segment(canvas, c->left, c->top, c->left, bottom);
    st_canvas_segment(canvas, right, c->top, right, bottom);
}

/* What lies between both lines, a shape for each stretch where both are there. */
static void shade_error(st_canvas *canvas, const curves *c, const float *original, const float *reconstruction) {
    st_canvas_colour(canvas, colour_of(c, 2));
    for (int64_t first = 0, end; first < c->width; first = end + 1) {
        for (end = first; end < c->width; end++)
            if (!drawable((double)original[end]) || !drawable((double)reconstruction[end])) break;
        if (end - first < 2) continue;
        st_canvas_move(canvas, x_of(c, first), y_of(c, (double)original[first]));
        for (int64_t i = first + 1; i < end; i++)
            st_canvas_draw(canvas, x_of(c, i), y_of(c, (double)original[i]));
        for (int64_t i = end - 1; i >= first; i--)
            st_canvas_draw(canvas, x_of(c, i), y_of(c, (double)reconstruction[i]));
        st_canvas_fill(canvas);
    }
}

static void draw_line(st_canvas *canvas, const curves *c, int line, const float *values) {
    bool drawing = false;
    st_canvas_colour(canvas, colour_of(c, line));
    st_canvas_line(canvas, 1.5, false); /* round: a lone point is a dot */
    for (int64_t i = 0; i < c->width; i++) {
        const double value = (double)values[i];
        if (!drawable(value)) {
            drawing = false;
            continue;
        }
        if (!drawing) st_canvas_move(canvas, x_of(c, i), y_of(c, value));
        st_canvas_draw(canvas, x_of(c, i), y_of(c, value));
        drawing = true;
    }
    st_canvas_stroke(canvas);
}

static void draw_legend(st_canvas *canvas, const curves *c) {
    static const char *const name[] = {"original", "reconstruction", "error"};
    double x = MARGIN + LABEL_ROOM;
    st_canvas_font(canvas, LEGEND_SIZE, false);
    for (int l = 0; l < 3; l++) {
        const double y = MARGIN + LEGEND_SIZE * 0.64;
        st_canvas_colour(canvas, colour_of(c, l));
        st_canvas_line(canvas, 2, false);
        if (l == 2)
            st_canvas_box(canvas, x, y - LEGEND_SIZE / 2, LEGEND_LINE, LEGEND_SIZE);
        else
            st_canvas_segment(canvas, x, y, x + LEGEND_LINE, y);
        st_canvas_colour(canvas, c->look->text);
        st_canvas_text(canvas, x + LEGEND_LINE + 6, MARGIN + LEGEND_SIZE, 0, PANEL_WIDTH, name[l]);
        x += LEGEND_LINE + 6 + st_canvas_text_width(canvas, name[l]) + LEGEND_GAP;
    }
}

static void draw_panels(st_canvas *canvas, curves *c) {
    draw_legend(canvas, c);
    for (int64_t i = 0; i < c->n; i++) {
        const int64_t column = i % c->columns;
        c->left = MARGIN + LABEL_ROOM + (double)column * (PANEL_WIDTH + GAP);
        c->top = MARGIN + LEGEND_SIZE + GAP + c->caption_room +
                 (double)(i / c->columns) * (PANEL_HEIGHT + GAP + c->caption_room);
        draw_frame(canvas, c, column == 0);
        if (c->caption && c->caption[i]) {
            st_canvas_font(canvas, CAPTION_SIZE, false);
            st_canvas_colour(canvas, c->look->text);
            st_canvas_text(canvas, c->left, c->top - 5, 0, PANEL_WIDTH, c->caption[i]);
        }
        shade_error(canvas, c, c->line[0] + i * c->width, c->line[1] + i * c->width);
        for (int l = 0; l < 2; l++)
            draw_line(canvas, c, l, c->line[l] + i * c->width);
    }
}

static strait_status check(const char *path, const strait_curves *asked, strait_error *err) {
    if (!path || !asked || !asked->original || !asked->reconstruction || asked->columns < 1)
        return st_fail(err, STRAIT_ARGUMENT, "strait_picture_curves: needs a path, both arrays, and at least a column");
    const strait_array *a = asked->original, *b = asked->reconstruction;
    if (a->n_dims != 2 || b->n_dims != 2 || memcmp(a->dim, b->dim, 2 * sizeof *a->dim) != 0)
        return st_fail(err, STRAIT_ARGUMENT, "%s: curves are drawn of two arrays [n, values] of the same shape", path);
    if (strait_array_count(a) == 0) return st_fail(err, STRAIT_ARGUMENT, "%s: there is nothing to draw", path);
    return STRAIT_OK;
}

STRAIT_API strait_status strait_picture_curves(const char *path, const strait_curves *asked, strait_error *err) {
    ST_TRY(check(path, asked, err));
    curves c = {.line = {asked->original->values, asked->reconstruction->values},
                .caption = asked->caption,
                .n = asked->original->dim[0],
                .width = asked->original->dim[1],
                .columns = asked->columns,
                .caption_room = asked->caption ? CAPTION_SIZE + 6 : 0,
                .look = st_look_of(asked->theme)};
    if (c.n < c.columns) c.columns = (int)c.n;
    find_range(&c);
    const int64_t lines = (c.n + c.columns - 1) / c.columns;
    const double width = fmax(2 * MARGIN + LABEL_ROOM + (double)c.columns * (PANEL_WIDTH + GAP) - GAP, LEAST_WIDTH);
    const double height = 2 * MARGIN + LEGEND_SIZE + (double)lines * (PANEL_HEIGHT + GAP + c.caption_room);
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, width, height, SCALE, c.look->background, path, err));
    draw_panels(&canvas, &c);
    const strait_status status = st_canvas_save(&canvas, path, err);
    st_canvas_close(&canvas);
    return status;
}
