#include "report/svg_int.h"

#include <math.h>
#include <string.h>

#include "report/html_int.h"
#include "report/ticks_int.h"
#include "report/words_int.h"

#define WIDTH 720.0
#define HEIGHT 300.0
#define TOP 12.0
#define RIGHT 14.0
#define CHARACTER 6.6 /* mean width of a digit at the ticks' size */
#define MARKED 30     /* up to so many points, each has a marker */
#define LARGEST 1e200
#define SMALLEST 1e-200
#define LOG_FACTOR 30.0

typedef struct axis {
    double low, high;
    bool log;
    double from, to; /* where low and high lie in the drawing */
    st_ticks ticks;
} axis;

typedef struct plot {
    const st_svg_chart *chart;
    axis x, y;
} plot;

bool st_svg_wants_log(const double *value, int n) {
    double low = INFINITY, high = 0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(value[i])) continue;
        if (value[i] <= 0) return false;
        low = fmin(low, value[i]);
        high = fmax(high, value[i]);
    }
    return high > low * LOG_FACTOR;
}

void st_svg_number(st_text *svg, double value) {
    const double rounded = round(value * 10) / 10;
    st_text_add(svg, "%g", rounded == 0 ? 0 : rounded); /* never "-0" */
}

static bool drawable(double value, bool log) {
    return isfinite(value) && fabs(value) < LARGEST && (!log || value > SMALLEST);
}

static double along(const axis *a, double value) {
    const double share = a->log ? log(value / a->low) / log(a->high / a->low) : (value - a->low) / (a->high - a->low);
    return a->from + share * (a->to - a->from);
}

/* ---- ranges ---- */

static void widen(axis *a, double share) {
    if (a->low > a->high) { /* nothing to draw */
        a->low = a->log ? 0.1 : 0;
        a->high = 1;
    }
    if (a->log) {
        const double factor = a->high > a->low * (1 + 1e-9) ? pow(a->high / a->low, share) : 1.5;
        a->low /= factor;
        a->high *= factor;
        return;
    }
    const double size = fmax(fabs(a->low), fabs(a->high));
    double pad = (a->high - a->low) * share;
    if (a->high - a->low <= size * 1e-11 || size < SMALLEST) pad = size < SMALLEST ? 0.5 : size * 0.1;
    a->low -= pad;
    a->high += pad;
}

static void find_ranges(plot *p) {
    const st_svg_chart *c = p->chart;
    p->y.log = c->log_y;
    p->x.low = p->y.low = INFINITY;
    p->x.high = p->y.high = -INFINITY;
    for (int s = 0; s < c->n_series; s++)
        for (int i = 0; i < c->series[s].n; i++) {
            const double x = c->series[s].x[i], y = c->series[s].y[i];
            if (!drawable(x, false) || !drawable(y, c->log_y)) continue;
            p->x.low = fmin(p->x.low, x);
            p->x.high = fmax(p->x.high, x);
            p->y.low = fmin(p->y.low, y);
            p->y.high = fmax(p->y.high, y);
        }
    const axis counts = p->x;
    const bool from_zero = c->zero && !c->log_y && p->y.low >= 0;
    widen(&p->x, c->x_is_measure ? 0 : 0.02);
    widen(&p->y, 0.06);
    if (from_zero) p->y.low = 0;
    if (!c->x_is_measure && counts.low < counts.high)
        st_ticks_linear(&p->x.ticks, counts.low, counts.high, 10, true);
    else
        st_ticks_linear(&p->x.ticks, p->x.low, p->x.high, c->x_is_measure ? 8 : 2, !c->x_is_measure);
    if (c->log_y)
        st_ticks_log(&p->y.ticks, p->y.low, p->y.high, 7);
    else
        st_ticks_linear(&p->y.ticks, p->y.low, p->y.high, 5, false);
}

static void lay_out(plot *p) {
    size_t longest = 0;
    for (int i = 0; i < p->y.ticks.n; i++)
        if (strlen(p->y.ticks.label[i]) > longest) longest = strlen(p->y.ticks.label[i]);
    p->x.from = 24 + CHARACTER * (double)longest + 10;
    p->x.to = WIDTH - RIGHT;
    p->y.from = HEIGHT - 44;
    p->y.to = TOP;
}

/* ---- drawing ---- */

static void add_line(st_text *svg, const char *class, double x0, double y0, double x1, double y1) {
    st_text_add(svg, "<path class=\"%s\" d=\"M", class);
    st_svg_number(svg, x0);
    st_text_add(svg, " ");
    st_svg_number(svg, y0);
    st_text_add(svg, "L");
    st_svg_number(svg, x1);
    st_text_add(svg, " ");
    st_svg_number(svg, y1);
    st_text_add(svg, "\"/>");
}

static void add_text(st_text *svg, const char *anchor, double x, double y, const char *words) {
    st_text_add(svg, "<text text-anchor=\"%s\" x=\"", anchor);
    st_svg_number(svg, x);
    st_text_add(svg, "\" y=\"");
    st_svg_number(svg, y);
    st_text_add(svg, "\">");
    st_html_escape(svg, words);
    st_text_add(svg, "</text>");
}

static void draw_axes(st_text *svg, const plot *p) {
    for (int i = 0; i < p->y.ticks.n; i++) {
        const double y = along(&p->y, p->y.ticks.value[i]);
        add_line(svg, "grid", p->x.from, y, p->x.to, y);
        add_text(svg, "end", p->x.from - 8, y + 4, p->y.ticks.label[i]);
    }
    for (int i = 0; i < p->x.ticks.n; i++) {
        const double x = along(&p->x, p->x.ticks.value[i]);
        add_line(svg, "axis", x, p->y.from, x, p->y.from + 4);
        add_text(svg, "middle", x, p->y.from + 18, p->x.ticks.label[i]);
    }
    add_line(svg, "axis", p->x.from, p->y.from, p->x.to, p->y.from);
    add_text(svg, "middle", (p->x.from + p->x.to) / 2, HEIGHT - 6, p->chart->x_label);
    st_text_add(svg, "<g transform=\"translate(14 ");
    st_svg_number(svg, (p->y.from + p->y.to) / 2);
    st_text_add(svg, ") rotate(-90)\">");
    add_text(svg, "middle", 0, 0, p->chart->y_label);
    st_text_add(svg, "</g>\n");
}

static void add_point(st_text *svg, char command, double x, double y) {
    st_text_add(svg, "%c", command);
    st_svg_number(svg, x);
    st_text_add(svg, " ");
    st_svg_number(svg, y);
}

/* Lines, broken where a value cannot be drawn. */
static void draw_line(st_text *svg, const plot *p, const st_svg_series *s) {
    bool drawing = false;
    st_text_add(svg, "<path class=\"line c%d%s%s\" d=\"", s->colour % ST_SVG_COLOURS,
                s->colour >= ST_SVG_COLOURS ? " dashed" : "", s->faint ? " faint" : "");
    for (int i = 0; i < s->n; i++) {
        const bool good = drawable(s->x[i], false) && drawable(s->y[i], p->y.log);
        if (good) add_point(svg, drawing ? 'L' : 'M', along(&p->x, s->x[i]), along(&p->y, s->y[i]));
        drawing = good;
    }
    st_text_add(svg, "\"/>\n");
    if (s->n > MARKED) return;
    for (int i = 0; i < s->n; i++) {
        if (!drawable(s->x[i], false) || !drawable(s->y[i], p->y.log)) continue;
        st_text_add(svg, "<circle class=\"dot c%d%s\" r=\"2.6\" cx=\"", s->colour % ST_SVG_COLOURS,
                    s->faint ? " faint" : "");
        st_svg_number(svg, along(&p->x, s->x[i]));
        st_text_add(svg, "\" cy=\"");
        st_svg_number(svg, along(&p->y, s->y[i]));
        st_text_add(svg, "\"/>");
    }
    st_text_add(svg, "\n");
}

/* The outline of a histogram; the last point closes the last bin. */
static void draw_steps(st_text *svg, const plot *p, const st_svg_series *s) {
    const double floor_y = p->y.from;
    st_text_add(svg, "<path class=\"area c%d\" d=\"", s->colour % ST_SVG_COLOURS);
    for (int i = 0; i < s->n; i++) {
        const double x = along(&p->x, s->x[i]);
        if (i == 0)
            add_point(svg, 'M', x, floor_y);
        else
            add_point(svg, 'L', x, along(&p->y, s->y[i - 1]));
        add_point(svg, 'L', x, i + 1 < s->n ? along(&p->y, s->y[i]) : floor_y);
    }
    st_text_add(svg, "\"/>\n");
}

static void draw_mark(st_text *svg, const plot *p) {
    const st_svg_chart *c = p->chart;
    if (!c->mark || !drawable(c->mark_x, false) || !drawable(c->mark_y, c->log_y)) return;
    const double x = along(&p->x, c->mark_x), y = along(&p->y, c->mark_y);
    const bool at_end = x > p->x.to - 150;
    add_line(svg, "mark", x, p->y.to, x, p->y.from);
    st_text_add(svg, "<circle class=\"ring\" r=\"5\" cx=\"");
    st_svg_number(svg, x);
    st_text_add(svg, "\" cy=\"");
    st_svg_number(svg, y);
    st_text_add(svg, "\"/>");
    add_text(svg, at_end ? "end" : "start", at_end ? x - 7 : x + 7, p->y.to + 11, c->mark);
    st_text_add(svg, "\n");
}

/* ---- what the pointer asks for ---- */

static void add_values(st_text *html, const double *value, int n) {
    st_text_add(html, "[");
    for (int i = 0; i < n; i++) {
        if (i) st_text_add(html, ",");
        if (isfinite(value[i]))
            st_text_add(html, "%.5g", value[i]);
        else
            st_text_add(html, "null");
    }
    st_text_add(html, "]");
}

/* Where the axis lies and all values, as JSON for page.js. */
static void add_data(st_text *html, const plot *p) {
    const st_svg_chart *c = p->chart;
    st_text_add(html, "<script type=\"application/json\">{\"x\":[%.17g,%.17g,", p->x.low, p->x.high);
    st_svg_number(html, p->x.from);
    st_text_add(html, ",");
    st_svg_number(html, p->x.to);
    st_text_add(html, "],\"y\":[");
    st_svg_number(html, p->y.to);
    st_text_add(html, ",");
    st_svg_number(html, p->y.from);
    st_text_add(html, "],\"label\":");
    st_html_json(html, c->x_label);
    st_text_add(html, ",\"steps\":%s,\"series\":[", c->steps ? "true" : "false");
    for (int s = 0; s < c->n_series; s++) {
        st_text_add(html, "%s{\"name\":", s ? "," : "");
        st_html_json(html, c->series[s].name);
        st_text_add(html, ",\"x\":");
        add_values(html, c->series[s].x, c->series[s].n);
        st_text_add(html, ",\"y\":");
        add_values(html, c->series[s].y, c->series[s].n);
        st_text_add(html, "}");
    }
    st_text_add(html, "]}</script>\n");
}

static void add_legend(st_text *html, const st_svg_chart *c) {
    st_text_add(html, "<ul class=\"legend\">");
    for (int s = 0; s < c->n_series; s++) {
        const st_svg_series *series = &c->series[s];
        st_text_add(html,
                    "<li><svg width=\"22\" height=\"10\" aria-hidden=\"true\"><path class=\"line c%d%s%s\" "
                    "d=\"M1 5H21\"/></svg>",
                    series->colour % ST_SVG_COLOURS, series->colour >= ST_SVG_COLOURS ? " dashed" : "",
                    series->faint ? " faint" : "");
        st_html_escape(html, series->name);
        st_text_add(html, "</li>");
    }
    st_text_add(html, "</ul>\n");
}

void st_svg_lines(st_text *html, const st_svg_chart *chart) {
    plot p = {.chart = chart};
    find_ranges(&p);
    lay_out(&p);
    st_text_add(html, "<figure class=\"chart\">\n");
    if (chart->n_series > 1) add_legend(html, chart);
    st_text_add(html, "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    st_html_escape(html, chart->label);
    st_text_add(html, "\">\n");
    draw_axes(html, &p);
    draw_mark(html, &p);
    for (int s = 0; s < chart->n_series; s++) {
        if (chart->steps)
            draw_steps(html, &p, &chart->series[s]);
        else
            draw_line(html, &p, &chart->series[s]);
    }
    st_text_add(html, "</svg>\n");
    add_data(html, &p);
    st_text_add(html, "</figure>\n");
}

void st_svg_bars(st_text *html, const char *label, int n, const st_svg_bar *bar) {
    st_text_add(html, "<table class=\"bars\" aria-label=\"");
    st_html_escape(html, label);
    st_text_add(html, "\">\n");
    for (int i = 0; i < n; i++) {
        st_text_add(html, "<tr>");
        st_html_element(html, "th", NULL, bar[i].name);
        st_html_element(html, "td", "note", bar[i].note);
        st_text_add(html, "<td class=\"bar\">");
        if (isfinite(bar[i].fraction))
            st_text_add(html, "<i style=\"width:%.1f%%\"></i>", 100 * fmax(0, fmin(1, bar[i].fraction)));
        st_text_add(html, "</td>");
        st_html_element(html, "td", "number", bar[i].value);
        st_text_add(html, "</tr>\n");
    }
    st_text_add(html, "</table>\n");
}
