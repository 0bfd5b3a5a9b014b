/* Line charts, laid out for WIDTH × HEIGHT and drawn SCALE times as large, so that they stay sharp on dense screens and
   on paper. */
#include <strait/picture.h>

#include <math.h>
#include <stdbool.h>

#include "report/canvas_int.h"
#include "report/ticks_int.h"

#define SCALE 2.0
#define WIDTH 640.0
#define HEIGHT 400.0
#define MARGIN 18.0
#define TITLE_SIZE 15.0
#define LABEL_SIZE 12.5
#define TICK_SIZE 11.5
#define LEGEND_SIZE 12.0
#define LEGEND_LINE 22.0 /* length of the sample of a line in the legend */
#define MARKED 30        /* up to so many points, each has a marker */
#define DARK 0x222222
#define TEXT 0x444444
#define AXIS 0x888888
#define GRID 0xe4e4e4
/* Numbers beyond are left out, on a logarithmic axis also those nearer to zero: axes would not be finite. */
#define LARGEST 1e200
#define SMALLEST 1e-200

/* Okabe and Ito's colours that the colour-blind tell apart, the strongest on white first. */
static const uint32_t palette[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x000000};
#define N_COLOURS ((int)(sizeof palette / sizeof palette[0]))

typedef struct axis {
    double low, high;
    bool log, whole;
    st_ticks ticks;
} axis;

typedef struct chart {
    const char *title, *x_label, *y_label;
    int n_series;
    const strait_series *series;
    axis x, y;
    double left, right, top, bottom; /* of the plot */
} chart;

static bool drawable(double value, bool log) {
    return isfinite(value) && fabs(value) < LARGEST && (!log || value > SMALLEST);
}

static bool point_drawable(const chart *c, const strait_series *s, int i) {
    return drawable(s->x[i], false) && drawable(s->y[i], c->y.log);
}

/* --- ranges --- */

/* Widens [low, high] by a share of itself; a single value gets room on both sides. */
static void pad_axis(axis *a, double share) {
    if (a->low > a->high) { /* no point at all */
        a->low = a->log ? 0.1 : 0;
        a->high = 1;
    }
    const double size = fmax(fabs(a->low), fabs(a->high));
    if (a->log) {
        const double factor = a->high > a->low * (1 + 1e-9) ? exp(share * (log(a->high) - log(a->low))) : 1.5;
        a->low /= factor;
        a->high *= factor;
        return;
    }
    double pad = (a->high - a->low) * share;
    if (a->high - a->low <= size * 1e-11 || size < SMALLEST)
        pad = a->whole || size < SMALLEST ? fmax(0.9, size * 1e-6) : size * 0.1;
    a->low -= pad;
    a->high += pad;
}

static void find_ranges(chart *c) {
    c->x.low = c->y.low = INFINITY;
    c->x.high = c->y.high = -INFINITY;
    c->x.whole = true;
    for (int s = 0; s < c->n_series; s++)
        for (int i = 0; i < c->series[s].n; i++) {
            if (!point_drawable(c, &c->series[s], i)) continue;
            const double x = c->series[s].x[i], y = c->series[s].y[i];
            c->x.low = fmin(c->x.low, x);
            c->x.high = fmax(c->x.high, x);
            c->y.low = fmin(c->y.low, y);
            c->y.high = fmax(c->y.high, y);
            if (x != floor(x)) c->x.whole = false;
        }
    /* Whole numbers are counts, such as epochs: no tick beyond the first and the last. */
    const axis counts = c->x;
    pad_axis(&c->x, 0.025);
    pad_axis(&c->y, 0.05);
    if (c->x.whole && counts.low < counts.high)
        st_ticks_linear(&c->x.ticks, counts.low, counts.high, 8, true);
    else
        st_ticks_linear(&c->x.ticks, c->x.low, c->x.high, 8, c->x.whole);
    if (c->y.log)
        st_ticks_log(&c->y.ticks, c->y.low, c->y.high, 7);
    else
        st_ticks_linear(&c->y.ticks, c->y.low, c->y.high, 6, false);
}

/* Where value lies on the axis, 0 to 1. */
static double along(const axis *a, double value) {
    if (a->log) return (log(value) - log(a->low)) / (log(a->high) - log(a->low));
    return (value - a->low) / (a->high - a->low);
}

static double x_of(const chart *c, double value) {
    return c->left + along(&c->x, value) * (c->right - c->left);
}

static double y_of(const chart *c, double value) {
    return c->bottom - along(&c->y, value) * (c->bottom - c->top);
}

/* --- title and legend, above the plot so that they never cover a line --- */

static void set_line(st_canvas *canvas, int series) {
    static const double dash[] = {6, 3};
    st_canvas_colour(canvas, palette[series % N_COLOURS]);
    cairo_set_line_width(canvas->cairo, 2);
    cairo_set_dash(canvas->cairo, dash, series / N_COLOURS % 2 ? 2 : 0, 0);
}

static void draw_marker(st_canvas *canvas, double x, double y) {
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, x, y, 3, 0, 2 * M_PI);
    cairo_fill(canvas->cairo);
}

/* Draws the legend's entries in lines from y on (draw) or only measures. Gives the y below. */
static double legend(st_canvas *canvas, const chart *c, double y, bool draw) {
    double x = c->left;
    bool any = false;
    st_canvas_font(canvas, LEGEND_SIZE, false);
    for (int s = 0; s < c->n_series; s++) {
        const char *name = c->series[s].name;
        if (!name || !name[0]) continue;
        const double room = c->right - c->left - LEGEND_LINE - 6;
        const double text = fmin(st_canvas_text_width(canvas, name), room), width = LEGEND_LINE + 6 + text;
        if (x > c->left && x + width > c->right) {
            x = c->left;
            y += LEGEND_SIZE * 1.5;
        }
        if (draw) {
            set_line(canvas, s);
            cairo_move_to(canvas->cairo, x, y + LEGEND_SIZE * 0.64);
            cairo_rel_line_to(canvas->cairo, LEGEND_LINE, 0);
            cairo_stroke(canvas->cairo);
            if (c->series[s].n <= MARKED) draw_marker(canvas, x + LEGEND_LINE / 2, y + LEGEND_SIZE * 0.64);
            st_canvas_colour(canvas, TEXT);
            st_canvas_text(canvas, x + LEGEND_LINE + 6, y + LEGEND_SIZE, 0, room, name);
        }
        x += width + 20;
        any = true;
    }
    return any ? y + LEGEND_SIZE * 1.5 : y;
}

static bool has_text(const char *text) {
    return text && text[0];
}

/* Finds the plot's place: what stands around it takes the room it needs. */
static void lay_out(st_canvas *canvas, chart *c) {
    st_canvas_font(canvas, TICK_SIZE, false);
    double labels = 0;
    for (int i = 0; i < c->y.ticks.n; i++)
        labels = fmax(labels, st_canvas_text_width(canvas, c->y.ticks.label[i]));
    c->left = MARGIN + (has_text(c->y_label) ? LABEL_SIZE * 1.7 : 0) + labels + 8;
    c->right = WIDTH - MARGIN - 6;
    c->bottom = HEIGHT - MARGIN - (has_text(c->x_label) ? LABEL_SIZE * 1.7 : 0) - TICK_SIZE * 1.5;
    c->top = MARGIN + (has_text(c->title) ? TITLE_SIZE * 1.8 : 0);
    c->top = legend(canvas, c, c->top, false) + 8;
}

static void draw_words(st_canvas *canvas, const chart *c) {
    if (has_text(c->title)) {
        st_canvas_font(canvas, TITLE_SIZE, true);
        st_canvas_colour(canvas, DARK);
        st_canvas_text(canvas, c->left, MARGIN + TITLE_SIZE, 0, c->right - c->left, c->title);
    }
    legend(canvas, c, MARGIN + (has_text(c->title) ? TITLE_SIZE * 1.8 : 0), true);
    st_canvas_font(canvas, LABEL_SIZE, false);
    st_canvas_colour(canvas, DARK);
    if (has_text(c->x_label))
        st_canvas_text(canvas, (c->left + c->right) / 2, HEIGHT - MARGIN, 0.5, c->right - c->left, c->x_label);
    if (has_text(c->y_label)) {
        cairo_save(canvas->cairo);
        cairo_translate(canvas->cairo, MARGIN + LABEL_SIZE * 0.8, (c->top + c->bottom) / 2);
        cairo_rotate(canvas->cairo, -M_PI / 2);
        st_canvas_text(canvas, 0, 0, 0.5, c->bottom - c->top, c->y_label);
        cairo_restore(canvas->cairo);
    }
}

/* --- the plot --- */

static void draw_segment(st_canvas *canvas, double x0, double y0, double x1, double y1) {
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x1, y1);
    cairo_stroke(canvas->cairo);
}

static void draw_axes(st_canvas *canvas, const chart *c) {
    st_canvas_font(canvas, TICK_SIZE, false);
    cairo_set_dash(canvas->cairo, NULL, 0, 0);
    cairo_set_line_width(canvas->cairo, 1);
    for (int i = 0; i < c->y.ticks.n; i++) {
        const double y = y_of(c, c->y.ticks.value[i]);
        st_canvas_colour(canvas, GRID);
        draw_segment(canvas, c->left, y, c->right, y);
        st_canvas_colour(canvas, TEXT);
        st_canvas_text(canvas, c->left - 8, y + TICK_SIZE * 0.36, 1, c->left, c->y.ticks.label[i]);
    }
    const double *tick = c->x.ticks.value, spacing = c->x.ticks.n > 1 ? x_of(c, tick[1]) - x_of(c, tick[0]) : WIDTH;
    for (int i = 0; i < c->x.ticks.n; i++) {
        const double x = x_of(c, c->x.ticks.value[i]);
        st_canvas_colour(canvas, AXIS);
        draw_segment(canvas, x, c->bottom, x, c->bottom + 4);
        st_canvas_colour(canvas, TEXT);
        /* Long numbers shrink rather than run into each other or over the edge. */
        const double room = fmin(spacing - 4, 2 * (WIDTH - MARGIN * 0.7 - x));
        st_canvas_text(canvas, x, c->bottom + TICK_SIZE * 1.5, 0.5, room, c->x.ticks.label[i]);
    }
    st_canvas_colour(canvas, AXIS);
    draw_segment(canvas, c->left, c->bottom, c->right, c->bottom);
}

/* The line is broken where a point cannot be drawn; a point alone gets a marker, else nothing of it would show. */
static void draw_series(st_canvas *canvas, const chart *c, int index) {
    const strait_series *s = &c->series[index];
    set_line(canvas, index);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    bool drawing = false;
    for (int i = 0; i < s->n; i++) {
        const bool good = point_drawable(c, s, i);
        if (good && drawing)
            cairo_line_to(canvas->cairo, x_of(c, s->x[i]), y_of(c, s->y[i]));
        else if (good)
            cairo_move_to(canvas->cairo, x_of(c, s->x[i]), y_of(c, s->y[i]));
        drawing = good;
    }
    cairo_stroke(canvas->cairo);
    for (int i = 0; i < s->n; i++) {
        if (!point_drawable(c, s, i)) continue;
        const bool before = i > 0 && point_drawable(c, s, i - 1), after = i + 1 < s->n && point_drawable(c, s, i + 1);
        if (s->n <= MARKED || (!before && !after)) draw_marker(canvas, x_of(c, s->x[i]), y_of(c, s->y[i]));
    }
}

strait_status strait_picture_chart(const char *path, const char *title, const char *x_label, const char *y_label,
                                   int n_series, const strait_series *series, int log_y, strait_error *err) {
    bool good = path && n_series > 0 && series;
    for (int s = 0; good && s < n_series; s++)
        good = series[s].n >= 0 && (series[s].n == 0 || (series[s].x && series[s].y));
    if (!good) return st_fail(err, STRAIT_ARGUMENT, "strait_picture_chart: needs a path and at least one series");
    chart c = {.title = title, .x_label = x_label, .y_label = y_label, .n_series = n_series, .series = series};
    c.y.log = log_y != 0;
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, (int64_t)(WIDTH * SCALE), (int64_t)(HEIGHT * SCALE), path, err));
    cairo_scale(canvas.cairo, SCALE, SCALE);
    find_ranges(&c);
    lay_out(&canvas, &c);
    draw_axes(&canvas, &c);
    for (int s = 0; s < n_series; s++)
        draw_series(&canvas, &c, s);
    draw_words(&canvas, &c);
    const strait_status status = st_canvas_save(&canvas, path, err);
    st_canvas_close(&canvas);
    return status;
}
