/* Pictures of points. Whatever the dimensions, points become spots on the page first; from there on there is one way.

   Spots are drawn in random order, so that no group covers another for coming later; of three dimensions the farthest
   first. Thumbnails are placed the other way round, each where none lies yet. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strait/picture.h>

#include "base/memory.h"
#include "base/rng.h"
#include "image/png.h"
#include "report/scatter_int.h"
#include "report/ticks_int.h"

#define SCALE 2
#define WIDTH 780.0
#define HEIGHT 640.0
#define MARGIN 18.0
#define TITLE_SIZE 15.0
#define LABEL_SIZE 12.5
#define TICK_SIZE 11.5
#define NAME_SIZE 13.0 /* at the groups' places */
#define LEGEND_SIZE 12.0
#define LEGEND_STEP 18.0
#define LEGEND_LEAST 28  /* entries that there is room for, whatever stands below the plot */
#define LEGEND_MAX 170.0 /* width of a name */
#define BAR_WIDTH 14.0
#define MOST_NAMED 60     /* groups: of more, names would cover the points */
#define MOST_VECTORS 2000 /* points that an SVG holds as elements */
#define THUMBNAIL 24      /* units of the longer side */
#define COS30 0.8660254037844386
#define LARGEST 1e30F /* coordinates beyond are left out */

typedef struct range {
    double low, high;
    st_ticks ticks;
} range;

typedef struct scatter {
    const strait_scatter *s;
    const st_look *look;
    int64_t n_rows;
    int dims;
    range axis[3], value;
    double left, right, top, bottom; /* of the plot */
    st_spot *spot;                   /* [n] in the order of drawing */
    int64_t n;
    double radius, alpha;
} scatter;

static bool has_text(const char *text) {
    return text && text[0];
}

/* ---- what is asked for ---- */

static strait_status check(const char *path, const strait_scatter *s, strait_error *err) {
    if (!path || !s || !s->points)
        return st_fail(err, STRAIT_ARGUMENT, "strait_picture_scatter: needs a path and points");
    const strait_array *p = s->points, *t = s->thumbnails;
    if (p->n_dims != 2 || (p->dim[1] != 2 && p->dim[1] != 3))
        return st_fail(err, STRAIT_ARGUMENT, "%s: points to draw are [n, 2] or [n, 3]", path);
    if (p->dim[0] > INT32_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s: %lld points are too many for one picture", path,
                       (long long)p->dim[0]);
    if (t && (t->n_dims != 4 || (t->dim[3] != 1 && t->dim[3] != 3) || t->dim[0] != p->dim[0] || t->dim[1] < 1 ||
              t->dim[2] < 1))
        return st_fail(err, STRAIT_ARGUMENT, "%s: thumbnails are images [%lld, height, width, 1 or 3], one a point",
                       path, (long long)p->dim[0]);
    if (s->group && (s->n_groups < 0 || (s->n_groups > 0 && !s->group_name)))
        return st_fail(err, STRAIT_ARGUMENT, "%s: groups need names", path);
    for (int64_t i = 0; s->group && i < p->dim[0]; i++)
        if (s->group[i] >= s->n_groups)
            return st_fail(err, STRAIT_ARGUMENT, "%s: point %lld is of group %d, but there are %d", path, (long long)i,
                           s->group[i], s->n_groups);
    return STRAIT_OK;
}

static bool drawable(const float *point, int dims) {
    for (int k = 0; k < dims; k++)
        if (!(fabsf(point[k]) < LARGEST)) return false;
    return true;
}

/* ---- axes ---- */

static void widen(range *r, double share) {
    const double size = fmax(fabs(r->low), fabs(r->high));
    double pad = (r->high - r->low) * share;
    if (r->high - r->low <= size * 1e-11) pad = size > 0 ? size * 0.1 : 0.5;
    r->low -= pad;
    r->high += pad;
}

/* Of the points that can be drawn; gives how many. */
static int64_t find_ranges(scatter *c) {
    int64_t n = 0;
    for (int k = 0; k < c->dims; k++)
        c->axis[k] = (range){.low = INFINITY, .high = -INFINITY};
    c->value = (range){.low = INFINITY, .high = -INFINITY};
    for (int64_t i = 0; i < c->n_rows; i++) {
        const float *point = c->s->points->values + i * c->dims;
        if (!drawable(point, c->dims)) continue;
        n++;
        for (int k = 0; k < c->dims; k++) {
            c->axis[k].low = fmin(c->axis[k].low, (double)point[k]);
            c->axis[k].high = fmax(c->axis[k].high, (double)point[k]);
        }
        if (!c->s->value || !isfinite(c->s->value[i])) continue;
        c->value.low = fmin(c->value.low, c->s->value[i]);
        c->value.high = fmax(c->value.high, c->s->value[i]);
    }
    if (n == 0) return 0;
    if (c->value.low > c->value.high) c->value.low = c->value.high = 0;
    if (c->value.high - c->value.low <= fmax(fabs(c->value.low), fabs(c->value.high)) * 1e-11) widen(&c->value, 0);
    for (int k = 0; k < c->dims; k++) {
        widen(&c->axis[k], 0.03);
        st_ticks_linear(&c->axis[k].ticks, c->axis[k].low, c->axis[k].high, c->dims == 3 ? 4 : 7, false);
    }
    return n;
}

/* Makes a unit as long on each axis: the others get room at both ends. lengths: of the axes on the page. */
static void equalise(scatter *c, const double lengths[3]) {
    double most = 0;
    for (int k = 0; k < c->dims; k++)
        most = fmax(most, (c->axis[k].high - c->axis[k].low) / lengths[k]);
    for (int k = 0; k < c->dims; k++) {
        const double middle = (c->axis[k].low + c->axis[k].high) / 2, half = most * lengths[k] / 2;
        c->axis[k].low = middle - half;
        c->axis[k].high = middle + half;
    }
}

static bool has_legend(const scatter *c) {
    return c->s->group && c->s->n_groups > 0;
}

static bool has_bar(const scatter *c) {
    return !c->s->group && c->s->value;
}

/* Width of what stands at the right. */
static double aside(st_canvas *canvas, scatter *c) {
    double width = 0;
    st_canvas_font(canvas, LEGEND_SIZE, false);
    for (int g = 0; has_legend(c) && g < c->s->n_groups; g++)
        width = fmax(width, st_canvas_text_width(canvas, c->s->group_name[g]));
    if (has_legend(c) && c->s->n_groups > LEGEND_LEAST)
        width = fmax(width, st_canvas_text_width(canvas, "and 1000 more"));
    if (has_legend(c)) return 18 + 16 + fmin(width, LEGEND_MAX);
    if (!has_bar(c)) return 0;
    st_ticks_linear(&c->value.ticks, c->value.low, c->value.high, 6, false);
    for (int i = 0; i < c->value.ticks.n; i++)
        width = fmax(width, st_canvas_text_width(canvas, c->value.ticks.label[i]));
    return 18 + BAR_WIDTH + 8 + width + (has_text(c->s->value_label) ? LABEL_SIZE * 1.7 : 0);
}

static void lay_out(st_canvas *canvas, scatter *c) {
    const bool ticks = !c->s->map && c->dims == 2;
    double numbers = 0;
    st_canvas_font(canvas, TICK_SIZE, false);
    for (int i = 0; ticks && i < c->axis[1].ticks.n; i++)
        numbers = fmax(numbers, st_canvas_text_width(canvas, c->axis[1].ticks.label[i]));
    const bool flat = c->dims == 2;
    c->left = MARGIN + (flat && has_text(c->s->axis_label[1]) ? LABEL_SIZE * 1.7 : 0) + (ticks ? numbers + 8 : 0);
    c->right = WIDTH - MARGIN - aside(canvas, c);
    c->top = MARGIN + (has_text(c->s->title) ? TITLE_SIZE * 2 : 0);
    c->bottom = HEIGHT - MARGIN - (flat && has_text(c->s->axis_label[0]) ? LABEL_SIZE * 1.7 : 0) -
                (ticks ? TICK_SIZE * 1.5 : 0);
    if (c->s->map) equalise(c, flat ? (double[]){c->right - c->left, c->bottom - c->top, 1} : (double[]){1, 1, 1});
}

static double share(const range *r, double value) {
    return (value - r->low) / (r->high - r->low);
}

/* Where a point of the cube, each coordinate 0..1, lies on the page: x goes to the lower right, y to the lower left, z
   up; the cube is seen from its corner (1, 1, 1). */
static void project(const scatter *c, double x, double y, double z, double *u, double *v) {
    const double side = fmin((c->bottom - c->top - 44) / 2, (c->right - c->left - 60) / (2 * COS30));
    *u = (c->left + c->right) / 2 + side * (x - y) * COS30;
    *v = (c->top + c->bottom) / 2 - 6 - side * (z - (x + y) / 2);
}

static void place_spot(const scatter *c, st_spot *spot, int64_t row) {
    const float *point = c->s->points->values + row * c->dims;
    double at[3] = {0}, u, v;
    for (int k = 0; k < c->dims; k++)
        at[k] = share(&c->axis[k], (double)point[k]);
    if (c->dims == 3) {
        project(c, at[0], at[1], at[2], &u, &v);
    } else {
        u = c->left + at[0] * (c->right - c->left);
        v = c->bottom - at[1] * (c->bottom - c->top);
    }
    *spot = (st_spot){(float)u, (float)v, c->dims == 3 ? (float)((at[0] + at[1] + at[2]) / 3) : 0.5F, (int32_t)row};
}

static int by_nearness(const void *a, const void *b) {
    const st_spot *p = a, *q = b;
    if (p->near != q->near) return p->near < q->near ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

/* Spots in the order of drawing. */
static strait_status make_spots(scatter *c, strait_error *err) {
    uint32_t *order = st_alloc((size_t)c->n_rows, sizeof *order);
    c->spot = st_alloc((size_t)c->n, sizeof *c->spot);
    if (!order || !c->spot) {
        st_free(order);
        return st_fail_memory(err, (size_t)c->n * sizeof *c->spot, "a picture's points");
    }
    for (int64_t i = 0; i < c->n_rows; i++)
        order[i] = (uint32_t)i;
    st_rng_shuffle(&(st_rng){.purpose = ST_RNG_DRAWING}, order, (uint32_t)c->n_rows);
    int64_t n = 0;
    for (int64_t i = 0; i < c->n_rows; i++)
        if (drawable(c->s->points->values + (int64_t)order[i] * c->dims, c->dims))
            place_spot(c, &c->spot[n++], order[i]);
    st_free(order);
    if (c->dims == 3) qsort(c->spot, (size_t)n, sizeof *c->spot, by_nearness);
    return STRAIT_OK;
}

/* ---- size and transparency ---- */

#define DENSITY_CELLS 48

/* The share of the plot's cells that hold points. */
static double covered(const scatter *c) {
    bool full[DENSITY_CELLS * DENSITY_CELLS] = {0};
    int n = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const int u = (int)(((double)c->spot[i].x - c->left) / (c->right - c->left) * DENSITY_CELLS);
        const int v = (int)(((double)c->spot[i].y - c->top) / (c->bottom - c->top) * DENSITY_CELLS);
        if (u < 0 || v < 0 || u >= DENSITY_CELLS || v >= DENSITY_CELLS || full[v * DENSITY_CELLS + u]) continue;
        full[v * DENSITY_CELLS + u] = true;
        n++;
    }
    return n > 0 ? (double)n / (DENSITY_CELLS * DENSITY_CELLS) : 1;
}

/* The area of all points over the area they lie on says how many lie on one another: where that is much above one, a
   point alone must be faint for a crowd not to be one blot. */
static void choose_points(scatter *c) {
    c->radius = fmin(4.2, fmax(0.9, 4.2 * pow((double)c->n / 150, -0.25)));
    const double ink = (double)c->n * M_PI * c->radius * c->radius;
    const double layers = ink / (covered(c) * (c->right - c->left) * (c->bottom - c->top));
    c->alpha = fmin(0.9, fmax(0.3, 1 / (1 + layers)));
}

static uint32_t spot_colour(const scatter *c, const st_spot *spot) {
    const strait_scatter *s = c->s;
    if (s->group && s->group[spot->row] >= 0) return c->look->category[s->group[spot->row] % ST_CATEGORIES];
    if (!s->group && s->value && isfinite(s->value[spot->row]))
        return st_look_scale(c->look, share(&c->value, s->value[spot->row]));
    return s->group || s->value ? c->look->quiet : c->look->category[0];
}

static void draw_spots(st_canvas *canvas, const scatter *c) {
    const double alpha = c->s->thumbnails ? fmin(c->alpha, 0.5) : c->alpha;
    for (int64_t i = 0; i < c->n; i++) {
        const st_spot *spot = &c->spot[i];
        st_canvas_glaze(canvas, spot_colour(c, spot), alpha);
        st_canvas_disc(canvas, (double)spot->x, (double)spot->y, c->radius * (0.7 + 0.6 * (double)spot->near));
    }
}

/* ---- thumbnails ---- */

typedef struct thumbnails {
    int width, height;      /* pixels, with the frame */
    int64_t columns, lines; /* of cells as large as a thumbnail: each holds the corner of one at most */
    struct {
        int x, y;
    } * corner;       /* [lines, columns], -1: none */
    uint32_t *pixels; /* [height, width] */
} thumbnails;

#define FRAME 2 /* pixels */

/* A thumbnail's pixel: the mean of the image's pixels that fall into it. */
static uint32_t shrunk(const strait_array *images, int64_t row, int y, int x, int height, int width) {
    const int64_t *dim = images->dim;
    const int64_t y0 = y * dim[1] / height, x0 = x * dim[2] / width;
    const int64_t y1 = (y + 1) * dim[1] / height > y0 ? (y + 1) * dim[1] / height : y0 + 1;
    const int64_t x1 = (x + 1) * dim[2] / width > x0 ? (x + 1) * dim[2] / width : x0 + 1;
    uint32_t rgb = 0;
    for (int k = 0; k < 3; k++) {
        double sum = 0;
        for (int64_t v = y0; v < y1; v++)
            for (int64_t u = x0; u < x1; u++)
                sum += (double)images->values[((row * dim[1] + v) * dim[2] + u) * dim[3] + (dim[3] == 3 ? k : 0)];
        rgb = rgb << 8 | st_png_byte((float)(sum / (double)((y1 - y0) * (x1 - x0))));
    }
    return rgb;
}

/* Puts a thumbnail with its corner at (x, y) where none overlaps it; false where one does. */
static bool take_place(thumbnails *t, int x, int y) {
    const int64_t column = x / t->width, line = y / t->height;
    if (x < 0 || y < 0 || column >= t->columns || line >= t->lines) return false;
    for (int64_t v = line > 0 ? line - 1 : 0; v <= line + 1 && v < t->lines; v++)
        for (int64_t u = column > 0 ? column - 1 : 0; u <= column + 1 && u < t->columns; u++) {
            const int64_t at = v * t->columns + u;
            if (t->corner[at].x >= 0 && abs(t->corner[at].x - x) < t->width && abs(t->corner[at].y - y) < t->height)
                return false;
        }
    t->corner[line * t->columns + column].x = x;
    t->corner[line * t->columns + column].y = y;
    return true;
}

static void draw_thumbnail(st_canvas *canvas, const scatter *c, const thumbnails *t, const st_spot *spot, int x,
                           int y) {
    const uint32_t frame = spot_colour(c, spot);
    for (int v = 0; v < t->height; v++)
        for (int u = 0; u < t->width; u++) {
            const bool edge = u < FRAME || v < FRAME || u >= t->width - FRAME || v >= t->height - FRAME;
            t->pixels[v * t->width + u] = edge ? frame
                                               : shrunk(c->s->thumbnails, spot->row, v - FRAME, u - FRAME,
                                                        t->height - 2 * FRAME, t->width - 2 * FRAME);
        }
    st_canvas_image(canvas, x, y, t->width, t->height, t->pixels);
}

static strait_status draw_thumbnails(st_canvas *canvas, const scatter *c, strait_error *err) {
    const int64_t *dim = c->s->thumbnails->dim, longer = dim[1] > dim[2] ? dim[1] : dim[2];
    thumbnails t = {.width = (int)(THUMBNAIL * SCALE * dim[2] / longer) + 2 * FRAME,
                    .height = (int)(THUMBNAIL * SCALE * dim[1] / longer) + 2 * FRAME};
    t.columns = canvas->width / t.width + 1;
    t.lines = canvas->height / t.height + 1;
    const size_t n = (size_t)(t.columns * t.lines), n_pixels = (size_t)t.width * (size_t)t.height;
    t.corner = st_alloc(n, sizeof *t.corner);
    t.pixels = st_alloc(n_pixels, sizeof *t.pixels);
    for (size_t i = 0; t.corner && i < n; i++)
        t.corner[i].x = -1;
    const int left = (int)ceil(c->left) * SCALE, top = (int)ceil(c->top) * SCALE;
    const int right = (int)c->right * SCALE, bottom = (int)c->bottom * SCALE;
    for (int64_t i = c->n - 1; t.corner && t.pixels && i >= 0; i--) {
        const int x = (int)((double)c->spot[i].x * SCALE) - t.width / 2;
        const int y = (int)((double)c->spot[i].y * SCALE) - t.height / 2;
        if (x < left || y < top || x + t.width > right || y + t.height > bottom) continue;
        if (take_place(&t, x, y)) draw_thumbnail(canvas, c, &t, &c->spot[i], x, y);
    }
    const bool good = t.corner && t.pixels;
    st_free(t.corner);
    st_free(t.pixels);
    return good ? STRAIT_OK : st_fail_memory(err, n * sizeof *t.corner, "thumbnails");
}

/* ---- around the points ---- */

static void draw_flat_grid(st_canvas *canvas, const scatter *c) {
    st_canvas_line(canvas, 1, false);
    st_canvas_colour(canvas, c->look->grid);
    for (int i = 0; !c->s->map && i < c->axis[0].ticks.n; i++) {
        const double x = c->left + share(&c->axis[0], c->axis[0].ticks.value[i]) * (c->right - c->left);
        st_canvas_segment(canvas, x, c->top, x, c->bottom);
    }
    for (int i = 0; !c->s->map && i < c->axis[1].ticks.n; i++) {
        const double y = c->bottom - share(&c->axis[1], c->axis[1].ticks.value[i]) * (c->bottom - c->top);
        st_canvas_segment(canvas, c->left, y, c->right, y);
    }
    if (c->s->map) st_canvas_frame(canvas, c->left, c->top, c->right - c->left, c->bottom - c->top);
}

/* From one point of the cube to another. */
static void edge(st_canvas *canvas, const scatter *c, const double from[3], const double to[3]) {
    double u0, v0, u1, v1;
    project(c, from[0], from[1], from[2], &u0, &v0);
    project(c, to[0], to[1], to[2], &u1, &v1);
    st_canvas_segment(canvas, u0, v0, u1, v1);
}

/* The three walls behind the points: lines across two of them at each tick of an axis. */
static void draw_walls(st_canvas *canvas, const scatter *c) {
    st_canvas_line(canvas, 1, false);
    for (int k = 0; k < 3; k++) {
        const int a = (k + 1) % 3, b = (k + 2) % 3;
        st_canvas_colour(canvas, c->look->grid);
        for (int i = -1; i <= c->axis[k].ticks.n; i++) {
            if (c->s->map && i >= 0 && i < c->axis[k].ticks.n) continue;
            double from[3] = {0}, to[3] = {0};
            from[k] = to[k] = i < 0 ? 0 : i < c->axis[k].ticks.n ? share(&c->axis[k], c->axis[k].ticks.value[i]) : 1;
            to[a] = 1;
            edge(canvas, c, from, to);
            to[a] = 0;
            to[b] = 1;
            edge(canvas, c, from, to);
        }
    }
}

/* Numbers and names along the edges of the cube that are nearest to its outline. */
static void draw_cube_words(st_canvas *canvas, const scatter *c) {
    /* x runs along y = 1, y along x = 1, z along the left edge (x = 0, y = 1) */
    static const double start[3][3] = {{0, 1, 0}, {1, 0, 0}, {0, 1, 0}};
    static const double align[3] = {1, 0, 1}, shift[3][2] = {{-6, 12}, {6, 12}, {-8, 4}};
    for (int k = 0; k < 3; k++) {
        double at[3], u, v;
        memcpy(at, start[k], sizeof at);
        st_canvas_font(canvas, TICK_SIZE, false);
        st_canvas_colour(canvas, c->look->text);
        for (int i = 0; !c->s->map && i < c->axis[k].ticks.n; i++) {
            at[k] = share(&c->axis[k], c->axis[k].ticks.value[i]);
            project(c, at[0], at[1], at[2], &u, &v);
            st_canvas_text(canvas, u + shift[k][0], v + shift[k][1], align[k], 60, c->axis[k].ticks.label[i]);
        }
        if (!has_text(c->s->axis_label[k])) continue;
        const double away = c->s->map ? 2 : 5; /* beyond the numbers */
        at[k] = k == 2 ? 1 : 0.5;
        project(c, at[0], at[1], at[2], &u, &v);
        st_canvas_font(canvas, LABEL_SIZE, false);
        st_canvas_colour(canvas, c->look->strong);
        if (k == 2)
            st_canvas_text(canvas, u + 4, v - 12, 1, 180, c->s->axis_label[k]);
        else
            st_canvas_text(canvas, u + away * shift[k][0], v + 0.55 * away * shift[k][1], align[k], 180,
                           c->s->axis_label[k]);
    }
}

static void draw_flat_words(st_canvas *canvas, const scatter *c) {
    st_canvas_font(canvas, TICK_SIZE, false);
    st_canvas_colour(canvas, c->look->text);
    for (int i = 0; !c->s->map && i < c->axis[0].ticks.n; i++) {
        const double x = c->left + share(&c->axis[0], c->axis[0].ticks.value[i]) * (c->right - c->left);
        st_canvas_text(canvas, x, c->bottom + TICK_SIZE * 1.4, 0.5, 80, c->axis[0].ticks.label[i]);
    }
    for (int i = 0; !c->s->map && i < c->axis[1].ticks.n; i++) {
        const double y = c->bottom - share(&c->axis[1], c->axis[1].ticks.value[i]) * (c->bottom - c->top);
        st_canvas_text(canvas, c->left - 8, y + TICK_SIZE * 0.36, 1, c->left, c->axis[1].ticks.label[i]);
    }
    st_canvas_font(canvas, LABEL_SIZE, false);
    st_canvas_colour(canvas, c->look->strong);
    if (has_text(c->s->axis_label[0]))
        st_canvas_text(canvas, (c->left + c->right) / 2, HEIGHT - MARGIN, 0.5, c->right - c->left, c->s->axis_label[0]);
    if (has_text(c->s->axis_label[1]))
        st_canvas_text_up(canvas, MARGIN + LABEL_SIZE * 0.8, (c->top + c->bottom) / 2, 0.5, c->bottom - c->top,
                          c->s->axis_label[1]);
}

static void draw_legend(st_canvas *canvas, const scatter *c) {
    const int room = (int)((c->bottom - c->top) / LEGEND_STEP), n = c->s->n_groups;
    const int shown = n > room ? room - 1 : n;
    const double x = c->right + 18;
    double y = c->top + LEGEND_STEP / 2;
    st_canvas_font(canvas, LEGEND_SIZE, false);
    for (int g = 0; g < shown; g++, y += LEGEND_STEP) {
        st_canvas_colour(canvas, c->look->category[g % ST_CATEGORIES]);
        st_canvas_disc(canvas, x + 5, y, 5);
        st_canvas_colour(canvas, c->look->text);
        st_canvas_text(canvas, x + 16, y + LEGEND_SIZE * 0.36, 0, LEGEND_MAX, c->s->group_name[g]);
    }
    if (shown == n) return;
    char more[32];
    snprintf(more, sizeof more, "and %d more", n - shown);
    st_canvas_colour(canvas, c->look->text);
    st_canvas_text(canvas, x, y + LEGEND_SIZE * 0.36, 0, WIDTH - MARGIN - x, more);
}

/* The scale of numbers: many thin boxes. */
static void draw_bar(st_canvas *canvas, const scatter *c) {
    const double x = c->right + 18, height = fmin(260, c->bottom - c->top), step = 2;
    for (double y = 0; y < height; y += step) {
        st_canvas_colour(canvas, st_look_scale(c->look, 1 - (y + step / 2) / height));
        st_canvas_box(canvas, x, c->top + y, BAR_WIDTH, fmin(step, height - y));
    }
    st_canvas_font(canvas, TICK_SIZE, false);
    st_canvas_colour(canvas, c->look->text);
    for (int i = 0; i < c->value.ticks.n; i++) {
        const double y = c->top + (1 - share(&c->value, c->value.ticks.value[i])) * height;
        st_canvas_text(canvas, x + BAR_WIDTH + 7, y + TICK_SIZE * 0.36, 0, 100, c->value.ticks.label[i]);
    }
    st_canvas_font(canvas, LABEL_SIZE, false);
    st_canvas_colour(canvas, c->look->strong);
    if (has_text(c->s->value_label))
        st_canvas_text_up(canvas, WIDTH - MARGIN, c->top + height / 2, 0.5, height, c->s->value_label);
}

static strait_status draw_names(st_canvas *canvas, const scatter *c, strait_error *err) {
    const double box[4] = {c->left, c->top, c->right - c->left, c->bottom - c->top};
    const int n_groups = c->s->n_groups;
    int n;
    st_place *place = st_alloc((size_t)n_groups, sizeof *place);
    if (!place) return st_fail_memory(err, (size_t)n_groups * sizeof *place, "places of names");
    const strait_status status = st_places_find(place, &n, c->spot, c->n, c->s->group, n_groups, box, err);
    if (status == STRAIT_OK) {
        st_canvas_font(canvas, NAME_SIZE, true);
        for (int i = 0; i < n; i++) {
            place[i].width = st_canvas_text_width(canvas, c->s->group_name[place[i].group]);
            place[i].height = NAME_SIZE * 1.15;
        }
        st_places_part(place, n, box);
        st_canvas_colour(canvas, c->look->strong);
        for (int i = 0; i < n; i++)
            st_canvas_text_edged(canvas, place[i].x, place[i].y + NAME_SIZE * 0.36, 0.5, c->look->background,
                                 c->s->group_name[place[i].group]);
    }
    st_free(place);
    return status;
}

/* ---- the picture ---- */

static strait_status draw_points(st_canvas *canvas, const scatter *c, strait_error *err) {
    const bool raster = c->n > MOST_VECTORS || c->s->thumbnails;
    strait_status status = STRAIT_OK;
    if (raster)
        st_canvas_raster_begin(canvas, c->left - 6, c->top - 6, c->right - c->left + 12, c->bottom - c->top + 12);
    if (c->dims == 3)
        draw_walls(canvas, c);
    else
        draw_flat_grid(canvas, c);
    draw_spots(canvas, c);
    if (c->s->thumbnails) status = draw_thumbnails(canvas, c, err);
    if (raster) st_canvas_raster_end(canvas, c->n > MOST_VECTORS);
    return status;
}

static strait_status draw(st_canvas *canvas, scatter *c, strait_error *err) {
    lay_out(canvas, c);
    ST_TRY(make_spots(c, err));
    choose_points(c);
    ST_TRY(draw_points(canvas, c, err));
    if (c->dims == 3)
        draw_cube_words(canvas, c);
    else
        draw_flat_words(canvas, c);
    if (has_text(c->s->title)) {
        st_canvas_font(canvas, TITLE_SIZE, true);
        st_canvas_colour(canvas, c->look->strong);
        st_canvas_text(canvas, c->left, MARGIN + TITLE_SIZE, 0, WIDTH - MARGIN - c->left, c->s->title);
    }
    if (has_legend(c)) draw_legend(canvas, c);
    if (has_bar(c)) draw_bar(canvas, c);
    if (has_legend(c) && c->s->n_groups <= MOST_NAMED && !c->s->thumbnails) return draw_names(canvas, c, err);
    return STRAIT_OK;
}

strait_status strait_picture_scatter(const char *path, const strait_scatter *asked, strait_error *err) {
    ST_TRY(check(path, asked, err));
    scatter c = {.s = asked,
                 .look = st_look_of(asked->theme),
                 .n_rows = asked->points->dim[0],
                 .dims = (int)asked->points->dim[1]};
    c.n = find_ranges(&c);
    if (c.n == 0)
        return st_fail(err, STRAIT_ARGUMENT, "%s: there is no point to draw%s", path,
                       c.n_rows > 0 ? ": none of them is finite" : "");
    st_canvas canvas;
    ST_TRY(st_canvas_open(&canvas, WIDTH, HEIGHT, SCALE, c.look->background, path, err));
    strait_status status = draw(&canvas, &c, err);
    if (status == STRAIT_OK) status = st_canvas_save(&canvas, path, err);
    st_free(c.spot);
    st_canvas_close(&canvas);
    return status;
}
