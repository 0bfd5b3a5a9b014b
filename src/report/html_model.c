/* The structure of a model, and what its layers give for one sample. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "image/png.h"
#include "report/html_int.h"
#include "report/words_int.h"

#define MOST_MAPS 16    /* channels shown of a layer */
#define MOST_SIDE 64    /* pixels of a map */
#define MOST_CELLS 4096 /* values shown of a layer without channels */
#define STRIP_COLUMNS 64

/* ---- the structure ---- */

static void model_row(st_text *html, const strait_summary_row *row) {
    st_text_add(html, "<tr class=\"%s\">", row->part[0] == 'e' ? "encoder" : "decoder");
    st_html_element(html, "th", NULL, row->name);
    st_html_element(html, "td", NULL, row->layer);
    st_html_element(html, "td", "number", st_word_shape(row->n_dims, row->dim).text);
    st_html_element(html, "td", "number", st_word_count(row->parameters).text);
    st_html_element(html, "td", "number", st_word_count(row->flops).text);
    st_text_add(html, "</tr>\n");
}

static void add_table(st_text *html, const strait_summary *s) {
    st_text_add(html,
                "<div class=\"scroll\"><table class=\"numbers layers\"><thead><tr><th>name</th><th class=\"left\">"
                "layer</th><th>output shape</th><th>parameters</th><th>FLOPs</th></tr></thead>\n<tr><th>input</th>"
                "<td></td>");
    st_html_element(html, "td", "number", st_word_shape(s->n_input_dims, s->input_dim).text);
    st_text_add(html, "<td></td><td></td></tr>\n");
    for (int i = 0; i < s->n_rows; i++)
        model_row(html, &s->row[i]);
    st_text_add(html, "<tr class=\"sum\"><th>all</th><td></td><td></td>");
    st_html_element(html, "td", "number", st_word_count(s->parameters).text);
    st_html_element(html, "td", "number", st_word_count(s->flops).text);
    st_text_add(html,
                "</tr></table></div>\n<p class=\"quiet\">Shapes and FLOPs are of one sample, forward; a multiply-add "
                "counts two.</p>\n");
}

strait_status st_html_model(st_text *html, const st_report_run *run, strait_error *err) {
    st_html_section(html, "model", "Model");
    if (run->summary) {
        char *svg = NULL;
        ST_TRY(st_report_diagram(&svg, run->summary, false, err));
        st_text_add(html, "<figure class=\"diagram\">");
        st_text_add_bytes(html, svg, strlen(svg));
        st_text_add(html,
                    "<figcaption>Each bar is a layer’s output for one sample, its width the logarithm of how many "
                    "values it has.</figcaption></figure>\n");
        st_free(svg);
        add_table(html, run->summary);
    } else {
        st_html_missing(html, "The model is not there", run->why[ST_PART_MODEL]);
    }
    st_text_add(html, "</section>\n");
    return STRAIT_OK;
}

/* ---- activations ---- */

/* Maps of one layer laid out side by side: bytes [height * rows, width * columns]. */
typedef struct grid {
    int n, columns, width, height, channels;
    unsigned char *bytes;
} grid;

typedef struct range {
    double low, high, zero_share;
} range;

static range range_of(const float *values, int64_t n) {
    range r = {INFINITY, -INFINITY, 0};
    int64_t zeros = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) continue;
        r.low = fmin(r.low, (double)values[i]);
        r.high = fmax(r.high, (double)values[i]);
        zeros += fpclassify(values[i]) == FP_ZERO;
    }
    r.zero_share = n > 0 ? (double)zeros / (double)n : 0;
    return r;
}

static unsigned char level(double value, const range *r) {
    return st_png_byte(r->high > r->low ? (float)((value - r->low) / (r->high - r->low)) : 0);
}

/* The mean over the f × f square at (x, y) of channel c; what hangs over the edge is left out. */
static double mean_at(const strait_activation_map *map, int x, int y, int c, int f) {
    const int64_t h = map->dim[0], w = map->dim[1], channels = map->dim[2];
    double sum = 0;
    int n = 0;
    for (int64_t yy = (int64_t)y * f; yy < h && yy < (int64_t)(y + 1) * f; yy++)
        for (int64_t xx = (int64_t)x * f; xx < w && xx < (int64_t)(x + 1) * f; xx++, n++)
            sum += (double)map->values[(yy * w + xx) * channels + c];
    return n ? sum / n : 0;
}

/* Feature maps: up to MOST_MAPS channels, each at most MOST_SIDE pixels wide and high; three channels of the input are
   a colour image. */
static bool lay_maps(grid *out, const strait_activation_map *map, const range *r, bool colour) {
    const int h = (int)map->dim[0], w = (int)map->dim[1], longest = h > w ? h : w;
    const int f = (longest + MOST_SIDE - 1) / MOST_SIDE;
    *out = (grid){.width = (w + f - 1) / f, .height = (h + f - 1) / f, .channels = colour ? 3 : 1};
    out->n = colour ? 1 : map->dim[2] < MOST_MAPS ? (int)map->dim[2] : MOST_MAPS;
    out->columns = out->n;
    out->bytes = st_alloc((size_t)out->n * (size_t)out->width * (size_t)out->height, (size_t)out->channels);
    if (!out->bytes) return false;
    unsigned char *byte = out->bytes;
    for (int y = 0; y < out->height; y++)
        for (int i = 0; i < out->n; i++)
            for (int x = 0; x < out->width; x++)
                for (int c = 0; c < out->channels; c++)
                    *byte++ = level(mean_at(map, x, y, colour ? c : i, f), r);
    return true;
}

/* Plain values: rows of STRIP_COLUMNS. */
static bool lay_values(grid *out, const strait_activation_map *map, int64_t n, const range *r) {
    const int shown = n < MOST_CELLS ? (int)n : MOST_CELLS;
    *out = (grid){.n = 1, .columns = 1, .channels = 1};
    out->width = shown < STRIP_COLUMNS ? shown : STRIP_COLUMNS;
    out->height = (shown + out->width - 1) / out->width;
    out->bytes = st_alloc((size_t)out->width * (size_t)out->height, 1);
    if (!out->bytes) return false;
    for (int i = 0; i < shown; i++)
        out->bytes[i] = level((double)map->values[i], r);
    return true;
}

static strait_status add_grid(st_text *html, const grid *g, bool strip, int id, strait_error *err) {
    char *png = NULL;
    size_t n_bytes = 0;
    const int width = g->width * g->columns;
    ST_TRY(st_png_encode(&png, &n_bytes, width, g->height, g->channels, g->bytes, err));
    st_text_add(html,
                "<svg class=\"store\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><image id=\"map-%d\" "
                "width=\"%d\" height=\"%d\" href=\"data:image/png;base64,",
                id, width, g->height);
    st_html_base64(html, png, n_bytes);
    st_text_add(html, "\"/></defs></svg>");
    st_free(png);
    const int shown = strip ? g->width * 7 : g->n == 1 ? 112 : 60;
    for (int i = 0; i < g->n; i++)
        st_text_add(
            html, "<svg class=\"cell\" viewBox=\"%d 0 %d %d\" width=\"%d\" height=\"%d\"><use href=\"#map-%d\"/></svg>",
            i * g->width, g->width, g->height, shown, shown * g->height / g->width, id);
    return STRAIT_OK;
}

static strait_status add_map(st_text *html, const strait_activation_map *map, int id, strait_error *err) {
    char about[800];
    int64_t n = 1;
    for (int d = 0; d < map->n_dims; d++)
        n *= map->dim[d];
    if (n < 1) return STRAIT_OK;
    const range r = range_of(map->values, n);
    const bool maps = map->n_dims == 3, colour = maps && id == 0 && map->dim[2] == 3;
    snprintf(about, sizeof about, "%s · %s to %s · %s zero%s", st_word_shape(map->n_dims, map->dim).text,
             st_word_number(r.low).text, st_word_number(r.high).text, st_word_share(r.zero_share).text,
             maps && !colour && map->dim[2] > MOST_MAPS ? " · the first 16 channels"
             : !maps && n > MOST_CELLS                  ? " · the first 4,096 values"
                                                        : "");
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, map->name);
    st_text_add(html, "<td><span class=\"about\">");
    st_html_element(html, "b", NULL, map->layer);
    st_text_add(html, " ");
    st_html_escape(html, about);
    st_text_add(html, "</span><div class=\"maps\">");
    grid g;
    if (!(maps ? lay_maps(&g, map, &r, colour) : lay_values(&g, map, n, &r)))
        return st_fail_memory(err, (size_t)n, "feature maps");
    const strait_status status = add_grid(html, &g, !maps, id, err);
    st_free(g.bytes);
    st_text_add(html, "</div></td></tr>\n");
    return status;
}

strait_status st_html_activations(st_text *html, const st_report_run *run, strait_error *err) {
    st_html_section(html, "activations", "Activations");
    if (run->activations) {
        st_text_add(html, "<p class=\"quiet\">What each layer gives for ");
        st_html_escape(html, run->sample);
        st_text_add(html, ", each layer from its least value (black) to its largest (white).</p>\n"
                          "<div class=\"scroll\"><table class=\"activations\">\n");
        for (int i = 0; i < run->activations->n; i++)
            ST_TRY(add_map(html, &run->activations->map[i], i, err));
        st_text_add(html, "</table></div>\n");
    } else {
        const char *why = run->why[ST_PART_ACTIVATIONS];
        if (!why[0]) why = run->why[run->summary ? ST_PART_DATA : ST_PART_MODEL];
        st_html_missing(html, "They could not be computed when this page was made", why);
    }
    st_text_add(html, "</section>\n");
    return STRAIT_OK;
}
