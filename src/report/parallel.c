/* Parallel coordinates (Inselberg 1985): a vertical axis a number, a line a thing. */
#include <strait/picture.h>

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/canvas_int.h"
#include "report/colours_int.h"
#include "report/ticks_int.h"

#define SCALE 2.0
#define HEIGHT 400.0
#define LEAST_WIDTH 560.0
#define AXIS_WIDTH 150.0 /* between two axes, where the picture is wider than the least */
#define MOST_WIDTH 1400.0
#define MARGIN 18.0
#define SIDE 64.0 /* left of the first axis, where its numbers stand, and right of the last */
#define TITLE_SIZE 15.0
#define NAME_SIZE 12.0
#define TICK_SIZE 11.0
#define LEGEND_LINE 22.0
#define TICKS 6
#define STRONG 1 /* of the categories: vermilion, or orange in the dark; both stand out from viridis' lower end */

/* An axis as it is drawn. */
typedef struct axis {
    const strait_parallel_axis *of;
    double x, low, high;
    st_ticks ticks;
} axis;

typedef struct picture {
    const strait_parallel *asked;
    const st_look *look;
    double width, top, bottom;
    axis *axis; /* [n_axes] */
    int *order; /* [n_lines] drawn in this order */
} picture;

static bool has_place(const axis *a, int line) {
    const double value = a->of->value[line];
    return isfinite(value) && (!a->of->log || value > 0);
}

/* Where a value lies, 0 at the bottom. */
static double along(const axis *a, double value) {
    if (a->of->log) return (log(value) - log(a->low)) / (log(a->high) - log(a->low));
    return (value - a->low) / (a->high - a->low);
}

static double y_at(const picture *p, const axis *a, double value) {
    return p->bottom - along(a, value) * (p->bottom - p->top);
}

static void find_ticks(axis *a) {
    if (a->of->word) {
        a->ticks.n = 0; /* words stand beside it instead */
        return;
    }
    bool whole = !a->of->log && a->low == floor(a->low) && a->high == floor(a->high);
    if (a->low >= a->high) { /* one value alone, in the middle */
        const double pad = a->low == 0 ? 1 : fabs(a->low) * 0.5;
        a->low = a->of->log ? a->low / 2 : a->low - (whole ? 1 : pad);
        a->high = a->of->log ? a->high * 2 : a->high + (whole ? 1 : pad);
    }
    if (a->of->log)
        st_ticks_log(&a->ticks, a->low, a->high, TICKS);
    else
        st_ticks_linear(&a->ticks, a->low, a->high, TICKS, whole);
}

/* Its range; false without a value that has a place. */
static bool find_range(axis *a, int n_lines) {
    a->low = INFINITY;
    a->high = -INFINITY;
    for (int i = 0; i < n_lines; i++)
        if (has_place(a, i)) {
            a->low = fmin(a->low, a->of->value[i]);
            a->high = fmax(a->high, a->of->value[i]);
        }
    if (a->of->word) {
        a->low = a->of->n_words > 1 ? 0 : -1;
        a->high = a->of->n_words > 1 ? a->of->n_words - 1 : 1;
    }
    if (!(a->low <= a->high)) return false;
    find_ticks(a);
    return true;
}

/* Those without a place on the last axis first, then from its top down: the least lie on top, the strong one above. */
static void order_lines(picture *p) {
    const strait_parallel *asked = p->asked;
    const axis *last = &p->axis[asked->n_axes - 1];
    for (int i = 0; i < asked->n_lines; i++)
        p->order[i] = i;
    for (int i = 1; i < asked->n_lines; i++)
        for (int j = i; j > 0; j--) {
            const int a = p->order[j - 1], b = p->order[j];
            const double x = a == asked->strong ? -INFINITY : has_place(last, a) ? last->of->value[a] : INFINITY;
            const double y = b == asked->strong ? -INFINITY : has_place(last, b) ? last->of->value[b] : INFINITY;
            if (!(y > x)) break;
            p->order[j - 1] = b;
            p->order[j] = a;
        }
}

/* --- drawing --- */

static void draw_line(st_canvas *canvas, const picture *p, int line) {
    const strait_parallel *asked = p->asked;
    const axis *last = &p->axis[asked->n_axes - 1];
    const bool strong = line == asked->strong;
    if (strong)
        st_canvas_colour(canvas, p->look->category[STRONG]);
    else if (has_place(last, line))
        st_canvas_colour(canvas, st_look_scale(p->look, along(last, last->of->value[line])));
    else
        st_canvas_colour(canvas, p->look->quiet);
    st_canvas_line(canvas, strong ? 3 : asked->n_lines > 100 ? 0.8 : 1.4, false);
    bool drawing = false;
    for (int k = 0; k < asked->n_axes; k++) {
        const axis *a = &p->axis[k];
        const bool good = has_place(a, line);
        const double y = good ? y_at(p, a, a->of->value[line]) : 0;
        if (good && drawing)
            st_canvas_draw(canvas, a->x, y);
        else if (good)
            st_canvas_move(canvas, a->x, y);
        drawing = good;
    }
    st_canvas_stroke(canvas);
    for (int k = 0; k < asked->n_axes && (strong || asked->n_lines <= 100); k++)
        if (has_place(&p->axis[k], line))
            st_canvas_disc(canvas, p->axis[k].x, y_at(p, &p->axis[k], p->axis[k].of->value[line]), strong ? 4 : 2.5);
}

static void draw_label(st_canvas *canvas, const picture *p, const axis *a, double y, const char *text) {
    st_canvas_colour(canvas, p->look->axis);
    st_canvas_line(canvas, 1, false);
    const bool last = a == &p->axis[p->asked->n_axes - 1]; /* to its right no line is in the way */
    st_canvas_segment(canvas, last ? a->x : a->x - 4, y, last ? a->x + 4 : a->x, y);
    st_canvas_colour(canvas, p->look->text);
    st_canvas_text_edged(canvas, last ? a->x + 8 : a->x - 8, y + TICK_SIZE * 0.36, last ? 0 : 1, p->look->background,
                         text);
}

/* Numbers stand on the lines, with an edge, so that they can be read. */
static void draw_axis(st_canvas *canvas, const picture *p, const axis *a, double room) {
    st_canvas_colour(canvas, p->look->axis);
    st_canvas_line(canvas, 1.2, false);
    st_canvas_segment(canvas, a->x, p->top, a->x, p->bottom);
    st_canvas_font(canvas, TICK_SIZE, false);
    for (int i = 0; i < a->ticks.n; i++)
        draw_label(canvas, p, a, y_at(p, a, a->ticks.value[i]), a->ticks.label[i]);
    for (int i = 0; a->of->word && i < a->of->n_words; i++)
        draw_label(canvas, p, a, y_at(p, a, i), a->of->word[i]);
    if (!a->of->name) return;
    st_canvas_font(canvas, NAME_SIZE, true);
    st_canvas_colour(canvas, p->look->strong);
    st_canvas_text(canvas, a->x, p->top - NAME_SIZE, 0.5, room, a->of->name);
}

static void draw_words(st_canvas *canvas, const picture *p) {
    const strait_parallel *asked = p->asked;
    const double left = MARGIN, right = p->width - MARGIN, y = MARGIN + TITLE_SIZE;
    double room = right - left;
    if (asked->strong >= 0 && asked->strong_name) {
        st_canvas_font(canvas, NAME_SIZE, false);
        const double text = fmin(st_canvas_text_width(canvas, asked->strong_name), room / 2);
        st_canvas_colour(canvas, p->look->category[STRONG]);
        st_canvas_line(canvas, 3, false);
        st_canvas_segment(canvas, right - text - 6 - LEGEND_LINE, y - 4, right - text - 6, y - 4);
        st_canvas_colour(canvas, p->look->text);
        st_canvas_text(canvas, right, y, 1, room / 2, asked->strong_name);
        room -= text + LEGEND_LINE + 20;
    }
    if (!asked->title) return;
    st_canvas_font(canvas, TITLE_SIZE, true);
    st_canvas_colour(canvas, p->look->strong);
    st_canvas_text(canvas, left, y, 0, room, asked->title);
}

static strait_status draw(const picture *p, const char *path, strait_error *err) {
    st_canvas canvas;
    const int n = p->asked->n_axes;
    ST_TRY(st_canvas_open(&canvas, p->width, HEIGHT, SCALE, p->look->background, path, err));
    for (int i = 0; i < p->asked->n_lines; i++)
        draw_line(&canvas, p, p->order[i]);
    for (int k = 0; k < n; k++)
        draw_axis(&canvas, p, &p->axis[k], fmin(p->axis[1].x - p->axis[0].x - 12, 2 * (SIDE - 6)));
    draw_words(&canvas, p);
    const strait_status status = st_canvas_save(&canvas, path, err);
    st_canvas_close(&canvas);
    return status;
}

static strait_status lay_out(picture *p, strait_error *err) {
    const int n = p->asked->n_axes;
    p->width = fmin(fmax(2 * (SIDE + MARGIN) + AXIS_WIDTH * (n - 1), LEAST_WIDTH), MOST_WIDTH);
    p->top = MARGIN + TITLE_SIZE * 1.8 + NAME_SIZE * 2.4;
    p->bottom = HEIGHT - MARGIN - TICK_SIZE;
    const double left = MARGIN + SIDE, spacing = (p->width - 2 * left) / (n - 1);
    for (int k = 0; k < n; k++) {
        p->axis[k] = (axis){.of = &p->asked->axis[k], .x = left + k * spacing};
        if (!find_range(&p->axis[k], p->asked->n_lines))
            return st_fail(err, STRAIT_ARGUMENT, "strait_picture_parallel: the axis '%s' has no finite value",
                           p->asked->axis[k].name ? p->asked->axis[k].name : "");
    }
    order_lines(p);
    return STRAIT_OK;
}

STRAIT_API strait_status strait_picture_parallel(const char *path, const strait_parallel *asked, strait_error *err) {
    if (!path || !asked || asked->n_axes < 2 || asked->n_lines < 1 || !asked->axis)
        return st_fail(err, STRAIT_ARGUMENT, "strait_picture_parallel: needs a path, two axes and a line");
    picture p = {.asked = asked, .look = st_look_of(asked->theme)};
    p.axis = st_alloc((size_t)asked->n_axes, sizeof *p.axis);
    p.order = st_alloc((size_t)asked->n_lines, sizeof *p.order);
    strait_status status = p.axis && p.order ? STRAIT_OK : st_fail_memory(err, sizeof *p.axis, "a picture");
    if (status == STRAIT_OK) status = lay_out(&p, err);
    if (status == STRAIT_OK) status = draw(&p, path, err);
    st_free(p.order);
    st_free(p.axis);
    return status;
}
