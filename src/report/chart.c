/* Line charts, laid out for WIDTH × HEIGHT and drawn SCALE times as large, so that they stay sharp on dense screens and
   on paper. */
#include <strait/picture.h>

#include <math.h>
#include <stdbool.h>

#include "report/canvas_int.h"
#include "report/colours_int.h"
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
#define MARKER 3.0       /* radius */
#define MARKED 30        /* up to so many points, each has a marker */
/* Numbers beyond are left out, on a logarithmic axis also those nearer to zero: axes would not be finite. */
#define LARGEST 1e200
#define SMALLEST 1e-200

/* Further series are dashed. */
#define N_COLOURS 7

typedef struct axis {
    double low, high;
    bool log, whole;
    st_ticks ticks;
} axis;

typedef struct chart {
    const char *title, *x_label, *y_label;
    int n_series;
    const strait_series *series;
    const st_look *look;
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

static void set_line(st_canvas *canvas, const st_look *look, int series) {
    st_canvas_colour(canvas, look->category[series % N_COLOURS]);
    st_canvas_line(canvas, 2, series / N_COLOURS % 2 != 0);
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
            set_line(canvas, c->look, s);
            st_canvas_segment(canvas, x, y + LEGEND_SIZE * 0.64, x + LEGEND_LINE, y + LEGEND_SIZE * 0.64);
            if (c->series[s].n <= MARKED) st_canvas_disc(canvas, x + LEGEND_LINE / 2, y + LEGEND_SIZE * 0.64, MARKER);
            st_canvas_colour(canvas, c->look->text);
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
        st_canvas_colour(canvas, c->look->strong);
        st_canvas_text(canvas, c->left, MARGIN + TITLE_SIZE, 0, c->right - c->left, c->title);
    }
    legend(canvas, c, MARGIN + (has_text(c->title) ? TITLE_SIZE * 1.8 : 0), true);
    st_canvas_font(canvas, LABEL_SIZE, false);
    st_canvas_colour(canvas, c->look->strong);
    if (has_text(c->x_label))
        st_canvas_text(canvas, (c->left + c->right) / 2, HEIGHT - MARGIN, 0.5, c->right - c->left, c->x_label);
    if (has_text(c->y_label))
        st_canvas_text_up(canvas, MARGIN + LABEL_SIZE * 0.8, (c->top + c->bottom) / 2, 0.5, c->bottom - c->top,
                          c->y_label);
}

/* --- the plot --- */

static void draw_axes(st_canvas *canvas, const chart *c) {
    st_canvas_font(canvas, TICK_SIZE, false);
    st_canvas_line(canvas, 1, false);
    for (int i = 0; i < c->y.ticks.n; i++) {
        const double y = y_of(c, c->y.ticks.value[i]);
        st_canvas_colour(canvas, c->look->grid);
        st_canvas_segment(canvas, c->left, y, c->right, y);
        st_canvas_colour(canvas, c->look->text);
        st_canvas_text(canvas, c->left - 8, y + TICK_SIZE * 0.36, 1, c->left, c->y.ticks.label[i]);
    }
    const double *tick = c->x.ticks.value, spacing = c->x.ticks.n > 1 ? x_of(c, tick[1]) - x_of(c, tick[0]) : WIDTH;
    for (int i = 0; i < c->x.ticks.n; i++) {
        const double x = x_of(c, c->x.ticks.value[i]);
        st_canvas_colour(canvas, c->look->axis);
        st_canvas_segment(canvas, x, c->bottom, x, c->bottom + 4);
        st_canvas_colour(canvas, c->look->text);
        /* Long numbers shrink rather than run into each other or over the edge. */
        const double room = fmin(spacing - 4, 2 * (WIDTH - MARGIN * 0.7 - x));
        st_canvas_text(canvas, x, c->bottom + TICK_SIZE * 1.5, 0.5, room, c->x.ticks.label[i]);
    }
    st_canvas_colour(canvas, c->look->axis);
    st_canvas_segment(canvas, c->left, c->bottom, c->right, c->bottom);
}

/* The line is broken where a point cannot be drawn; a point alone gets a marker, else nothing of it would show. */
static void draw_series(st_canvas *canvas, const chart *c, int index) {
    const strait_series *s = &c->series[index];
    set_line(canvas, c->look, index);
    bool drawing = false;
    for (int i = 0; i < s->n; i++) {
        const bool good = point_drawable(c, s, i);
        if (good && drawing)
            st_canvas_draw(canvas, x_of(c, s->x[i]), y_of(c, s->y[i]));
        else if (good)
            st_canvas_move(canvas, x_of(c, s->x[i]), y_of(c, s->y[i]));
        drawing = good;
    }
    st_canvas_stroke(canvas);
    for (int i = 0; i < s->n; i++) {
        if (!point_drawable(c, s, i)) continue;
        const bool before = i > 0 && point_drawable(c, s, i - 1), after = i + 1 < s->n && point_drawable(c, s, i + 1);
        if (s->n <= MARKED || (!before && !after)) st_canvas_disc(canvas, x_of(c, s->x[i]), y_of(c, s->y[i]), MARKER);
    }
}

strait_status strait_picture_draw_chart(const char *path, const strait_chart *asked, strait_error *err) {
    bool good = path && asked && asked->n_series > 0 && asked->series;
    for (int s = 0; good && s < asked->n_series; s++)
        good = asked->series[s].n >= 0 && (asked->series[s].n == 0 || (asked->series[s].x && asked->series[s].y));
    if (!good) return st_fail(err, STRAIT_ARGUMENT, "strait_picture_chart: needs a path and at least one series");
    chart c = {.title = asked->title,
               .x_label = asked->x_label,
               .y_label = asked->y_label,
               .n_series = asked->n_series,
               .series = asked->series,
               .look = st_look_of(asked->theme)};
    c.y.log = asked->log_y;
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, WIDTH, HEIGHT, SCALE, c.look->background, path, err));
    find_ranges(&c);
    lay_out(&canvas, &c);
    draw_axes(&canvas, &c);
    for (int s = 0; s < c.n_series; s++)
        draw_series(&canvas, &c, s);
    draw_words(&canvas, &c);
    const strait_status status = st_canvas_save(&canvas, path, err);
    st_canvas_close(&canvas);
    return status;
}

strait_status strait_picture_chart(const char *path, const char *title, const char *x_label, const char *y_label,
                                   int n_series, const strait_series *series, int log_y, strait_error *err) {
    const strait_chart asked = {title, x_label, y_label, n_series, series, log_y != 0, STRAIT_THEME_LIGHT};
    return strait_picture_draw_chart(path, &asked, err);
}
