/* Drawings inside a page. Colours are classes (c0 ... c6 and a few names) that page.css gives for light, dark and
   paper, so that one drawing serves all three. */
#ifndef ST_REPORT_SVG_INT_H
#define ST_REPORT_SVG_INT_H

#include <stdbool.h>
#include "base/string.h"

#define ST_SVG_COLOURS 7

typedef struct st_svg_series {
    const char *name;
    int n;
    const double *x, *y; /* [n]; what is not finite, or not above zero on a logarithmic axis, leaves a gap */
    int colour;          /* of ST_SVG_COLOURS, further ones are drawn dashed */
    bool faint;
} st_svg_series;

typedef struct st_svg_chart {
    const char *label; /* what it shows, for those who cannot see it */
    const char *x_label, *y_label;
    bool log_y;
    bool zero;         /* the y axis begins at 0, where it is not logarithmic */
    bool x_is_measure; /* x are values, not counts such as epochs */
    int n_series;
    const st_svg_series *series;
    const char *mark; /* words beside a marked point; NULL: none */
    double mark_x, mark_y;
    bool steps; /* histograms: each y holds from its x to the next; areas are filled */
} st_svg_chart;

/* A figure with legend, chart and the values under the pointer. */
void st_svg_lines(st_text *html, const st_svg_chart *chart);

/* A bar a row: name at the left, value at the right. fraction in 0..1 is how long; class "" or a colour's. */
typedef struct st_svg_bar {
    const char *name, *note, *value;
    double fraction; /* NAN: none */
} st_svg_bar;
void st_svg_bars(st_text *html, const char *label, int n, const st_svg_bar *bar);

/* Whether positive values span more than a factor of 30: better on a logarithmic axis. Others than positive finite ones
   are not counted; a zero or a negative one forbids it. */
bool st_svg_wants_log(const double *value, int n);

/* A coordinate, short: "12.5". */
void st_svg_number(st_text *svg, double value);

#endif
