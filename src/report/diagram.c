/* The hourglass: a bar a layer, centred, its width the logarithm of its values; the waist is the latent. Branches of
   a layer are drawn side by side, in lanes of their own. Which rows are branches is seen from their names: a layer of
   the model is "encoder.1", one inside its second branch "encoder.1.1.0". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_int.h"
#include "report/svg_int.h"
#include "report/words_int.h"

#define WIDTH 760.0
#define MIDDLE 360.0
#define WIDEST 300.0
#define NARROWEST 22.0
#define STEP 38.0 /* from bar to bar */
#define BAR 20.0
#define LEFT (MIDDLE - WIDEST / 2 - 20)  /* where names end */
#define RIGHT (MIDDLE + WIDEST / 2 + 20) /* where shapes begin */
#define MAX_LANES 4
#define LANE_GAP 8.0

/* A row's place in its part: "encoder.1.mean.0" is in layer 1, branch "mean"; without branch: length 0. */
typedef struct place {
    const char *layer, *branch;
    size_t n_layer, n_branch;
} place;

static place place_of(const char *name) {
    place p = {0};
    const char *dot = strchr(name, '.');
    if (!dot) return (place){.layer = name, .n_layer = strlen(name)};
    p.layer = name;
    p.n_layer = (size_t)(dot - name) + 1 + strcspn(dot + 1, ".");
    if (!name[p.n_layer]) return p;
    p.branch = name + p.n_layer + 1;
    p.n_branch = strcspn(p.branch, ".");
    return p;
}

static bool same_layer(const place *a, const place *b) {
    return a->n_layer == b->n_layer && memcmp(a->layer, b->layer, a->n_layer) == 0;
}

static bool same_branch(const place *a, const place *b) {
    return same_layer(a, b) && a->n_branch == b->n_branch && memcmp(a->branch, b->branch, a->n_branch) == 0;
}

typedef struct drawing {
    st_text svg;
    const strait_summary *summary;
    double most;       /* log of the most values of a row */
    double y;          /* top of the next bar */
    double last_width; /* of the bar above; 0: several or none */
} drawing;

static int64_t count(int n, const int64_t *dim) {
    int64_t values = 1;
    for (int i = 0; i < n; i++)
        values *= dim[i];
    return values;
}

static double width_of(const drawing *d, int64_t values) {
    return NARROWEST + (WIDEST - NARROWEST) * (d->most > 0 ? log((double)(values > 0 ? values : 1)) / d->most : 1);
}

static void number(drawing *d, const char *name, double value) {
    st_text_add(&d->svg, " %s=\"", name);
    st_svg_number(&d->svg, value);
    st_text_add(&d->svg, "\"");
}

static void words(drawing *d, const char *class, const char *anchor, double x, double y, const char *text) {
    st_text_add(&d->svg, "<text class=\"%s\" text-anchor=\"%s\"", class, anchor);
    number(d, "x", x);
    number(d, "y", y);
    st_text_add(&d->svg, ">");
    st_html_escape(&d->svg, text);
    st_text_add(&d->svg, "</text>");
}

static void bar(drawing *d, const char *class, double middle, double y, double width) {
    st_text_add(&d->svg, "<rect class=\"%s\" rx=\"3\"", class);
    number(d, "x", middle - width / 2);
    number(d, "y", y);
    number(d, "width", width);
    number(d, "height", BAR);
    st_text_add(&d->svg, "/>");
}

/* The water between two bars. */
static void funnel(drawing *d, double middle, double from, double y_from, double to, double y_to) {
    const double x[4] = {middle - from / 2, middle + from / 2, middle + to / 2, middle - to / 2};
    st_text_add(&d->svg, "<path class=\"funnel\" d=\"");
    for (int i = 0; i < 4; i++) {
        st_text_add(&d->svg, "%c", i ? 'L' : 'M');
        st_svg_number(&d->svg, x[i]);
        st_text_add(&d->svg, " ");
        st_svg_number(&d->svg, i < 2 ? y_from : y_to);
    }
    st_text_add(&d->svg, "Z\"/>");
}

/* A bar over the whole width with its name at the left and its shape at the right. */
static void draw_wide(drawing *d, const char *class, const char *name, const char *layer, const char *shape,
                      const char *note, int64_t values) {
    const double width = width_of(d, values);
    if (d->last_width > 0) funnel(d, MIDDLE, d->last_width, d->y - (STEP - BAR), width, d->y);
    bar(d, class, MIDDLE, d->y, width);
    words(d, "layer", "end", LEFT, d->y + BAR * 0.5 - 1, layer);
    words(d, "quiet", "end", LEFT, d->y + BAR * 0.5 + 12, name);
    words(d, "shape", "start", RIGHT, d->y + BAR * 0.5 - 1, shape);
    words(d, "quiet", "start", RIGHT, d->y + BAR * 0.5 + 12, note);
    st_text_add(&d->svg, "\n");
    d->y += STEP;
    d->last_width = width;
}

static void draw_row(drawing *d, const strait_summary_row *row, bool latent) {
    char note[200];
    const int64_t values = count(row->n_dims, row->dim);
    if (latent)
        snprintf(note, sizeof note, "latent, %s value%s", st_word_count(values).text, values == 1 ? "" : "s");
    else if (row->parameters > 0)
        snprintf(note, sizeof note, "%s parameters", st_word_count(row->parameters).text);
    else
        note[0] = 0;
    draw_wide(d,
              latent                ? "bar latent"
              : row->part[0] == 'e' ? "bar encoder"
                                    : "bar decoder",
              row->name, row->layer, st_word_shape(row->n_dims, row->dim).text, note, values);
}

/* ---- branches ---- */

typedef struct lanes {
    int n;
    int first[MAX_LANES], count[MAX_LANES]; /* rows */
    int longest;
} lanes;

/* The rows from first on that are branches of one layer, if they can stand side by side: at most MAX_LANES of them. */
static int find_lanes(lanes *out, const strait_summary *summary, int first) {
    *out = (lanes){0};
    const place start = place_of(summary->row[first].name);
    int i = first;
    place before = start;
    for (; i < summary->n_rows; i++) {
        const place p = place_of(summary->row[i].name);
        if (!same_layer(&p, &start) || p.n_branch == 0) break;
        if (i == first || !same_branch(&p, &before)) {
            if (out->n < MAX_LANES) out->first[out->n] = i;
            out->n++;
        }
        if (out->n <= MAX_LANES && ++out->count[out->n - 1] > out->longest) out->longest = out->count[out->n - 1];
        before = p;
    }
    return i - first;
}

static void draw_lane(drawing *d, const lanes *l, int lane, double middle, double room) {
    double y = d->y + 14;
    const strait_summary *s = d->summary;
    const place p = place_of(s->row[l->first[lane]].name);
    char branch[64];
    snprintf(branch, sizeof branch, "branch %.*s", (int)(p.n_branch < 32 ? p.n_branch : 32), p.branch);
    words(d, "quiet", "middle", middle, y - 3, branch);
    y += 4;
    double last = 0;
    for (int i = 0; i < l->count[lane]; i++) {
        const strait_summary_row *row = &s->row[l->first[lane] + i];
        const double width = fmax(12, width_of(d, count(row->n_dims, row->dim)) * room / WIDEST);
        if (last > 0) funnel(d, middle, last, y - STEP + BAR, width, y);
        bar(d, row->part[0] == 'e' ? "bar encoder" : "bar decoder", middle, y, width);
        words(d, "over", "middle", middle, y + BAR - 6, row->layer);
        words(d, "quiet", "middle", middle, y + BAR + 11, st_word_shape(row->n_dims, row->dim).text);
        y += STEP;
        last = width;
    }
    st_text_add(&d->svg, "\n");
}

static void draw_lanes(drawing *d, const lanes *l) {
    const double room = WIDTH - 40, lane = (room - LANE_GAP * (l->n - 1)) / l->n;
    const double height = STEP * l->longest + 20;
    st_text_add(&d->svg, "<rect class=\"branches\" rx=\"6\" x=\"16\" width=\"%g\"", room + 8);
    number(d, "y", d->y - 4);
    number(d, "height", height);
    st_text_add(&d->svg, "/>\n");
    for (int i = 0; i < l->n; i++)
        draw_lane(d, l, i, 20 + lane * (i + 0.5) + LANE_GAP * i, fmin(lane - 12, WIDEST));
    d->y += height + 12;
    d->last_width = 0;
}

/* Too many branches for lanes: one below the other, with a bracket beside. */
static void draw_bracket(drawing *d, int first, int n, int latent) {
    const double top = d->y - 4;
    for (int i = 0; i < n; i++)
        draw_row(d, &d->summary->row[first + i], first + i == latent);
    st_text_add(&d->svg, "<path class=\"bracket\" d=\"M18 %g H10 V%g H18\"/>\n", top, d->y - (STEP - BAR) + 4);
}

/* ---- the whole ---- */

static const char style[] =
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:13px;fill:#1c2733}"
    ".quiet{font-size:11px;fill:#64707d}.over{font-size:11px;fill:#1c2733}"
    ".encoder{fill:#7fb0d3}.decoder{fill:#e3ad84}.latent{fill:#0f5f96}.bar.input{fill:#b8c2cc}"
    ".funnel{fill:#8aa0b4;opacity:.18}.branches,.bracket{fill:none;stroke:#9aa7b4;stroke-width:1.2}"
    ".page{fill:#ffffff}"
    "@media (prefers-color-scheme:dark){text{fill:#e4eaf0}.quiet{fill:#9aa7b4}.over{fill:#ffffff}"
    ".encoder{fill:#2f6d99}.decoder{fill:#9a6237}.latent{fill:#7cc4f5}.bar.input{fill:#55616d}.page{fill:#12171d}}";

/* The row that makes the latent: the encoder's last, or none (a decoder alone). */
static int latent_row(const strait_summary *summary) {
    int last = -1;
    for (int i = 0; i < summary->n_rows; i++)
        if (summary->row[i].part[0] == 'e') last = i;
    return last;
}

static void draw_rows(drawing *d) {
    const strait_summary *s = d->summary;
    const int latent = latent_row(s);
    draw_wide(d, "bar input", "", "input", st_word_shape(s->n_input_dims, s->input_dim).text, "",
              count(s->n_input_dims, s->input_dim));
    for (int i = 0; i < s->n_rows;) {
        lanes l;
        const int n = find_lanes(&l, s, i);
        if (n == 0)
            draw_row(d, &s->row[i], i == latent);
        else if (l.n >= 2 && l.n <= MAX_LANES)
            draw_lanes(d, &l);
        else
            draw_bracket(d, i, n, latent);
        i += n ? n : 1;
    }
}

strait_status st_report_diagram(char **svg, const strait_summary *summary, bool document, strait_error *err) {
    drawing d = {.summary = summary, .y = 12};
    int64_t most = count(summary->n_input_dims, summary->input_dim);
    for (int i = 0; i < summary->n_rows; i++) {
        const int64_t values = count(summary->row[i].n_dims, summary->row[i].dim);
        if (values > most) most = values;
    }
    d.most = log((double)(most > 0 ? most : 1));
    draw_rows(&d);
    st_text whole = {0};
    const double height = d.y;
    st_text_add(&whole, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hourglass\" viewBox=\"0 0 %g %g\"", WIDTH,
                height);
    if (document) st_text_add(&whole, " width=\"%g\" height=\"%g\"", WIDTH, height);
    st_text_add(&whole, " role=\"img\" aria-label=\"The model: %s values, %s in the latent, %s parameters\">\n",
                st_word_count(count(summary->n_input_dims, summary->input_dim)).text,
                st_word_count(summary->latent).text, st_word_count(summary->parameters).text);
    if (document)
        st_text_add(&whole, "<style>%s</style>\n<rect class=\"page\" width=\"%g\" height=\"%g\"/>\n", style, WIDTH,
                    height);
    if (d.svg.bytes) st_text_add_bytes(&whole, d.svg.bytes, d.svg.length);
    if (d.svg.failed) st_html_fail(&whole);
    st_text_add(&whole, "</svg>\n");
    st_text_free(&d.svg);
    return st_text_take(svg, &whole, err);
}
