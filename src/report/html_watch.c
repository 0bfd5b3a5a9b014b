/* The reconstructions: two sliders for the screen, and for paper a strip of samples by epochs. Every grid of images is
   in the page once; a cell is a window onto it (<svg><use>), so that strips and viewer cost nothing more. */
#include "report/html_watch_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/html_int.h"
#include "report/svg_int.h"

#define STRIP_SAMPLES 10
#define STRIP_EPOCHS 7
#define CELL 64.0 /* side of a cell that holds a curve */

static void add_id(st_text *html, const char *prefix, int epoch) {
    if (epoch < 0)
        st_text_add(html, "%s-%c", prefix, epoch == -1 ? 'o' : 'i');
    else
        st_text_add(html, "%s-%d", prefix, epoch);
}

static void add_image(st_text *html, const st_watched_set *set, const char *prefix, const st_watched_frame *frame) {
    if (!frame->png) return;
    const int rows = (set->n + set->columns - 1) / set->columns;
    st_text_add(html, "<image id=\"");
    add_id(html, prefix, frame->epoch);
    st_text_add(html, "\" width=\"%d\" height=\"%d\" href=\"data:image/png;base64,", set->columns * set->width,
                rows * set->height);
    st_html_base64(html, frame->png, frame->n_bytes);
    st_text_add(html, "\"/>\n");
}

void st_html_watch_images(st_text *html, const st_watched_set *set, const char *prefix) {
    if (set->n == 0 || set->features) return;
    st_text_add(html, "<svg class=\"store\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n");
    add_image(html, set, prefix, &set->original);
    add_image(html, set, prefix, &set->input);
    for (int i = 0; i < set->n_frames; i++)
        add_image(html, set, prefix, &set->frame[i]);
    st_text_add(html, "</defs></svg>\n");
}

/* ---- cells ---- */

static void add_curve(st_text *html, const st_watched_set *set, const float *values, const char *class) {
    const double range = set->high > set->low ? set->high - set->low : 1;
    bool drawing = false;
    st_text_add(html, "<path class=\"%s\" d=\"", class);
    for (int k = 0; k < set->features; k++) {
        const double value = (double)values[k];
        if (isfinite(value)) {
            st_text_add(html, "%c", drawing ? 'L' : 'M');
            st_svg_number(html, set->features > 1 ? CELL * k / (set->features - 1) : CELL / 2);
            st_text_add(html, " ");
            st_svg_number(html, CELL - 2 - (CELL - 4) * (value - set->low) / range);
        }
        drawing = isfinite(value);
    }
    st_text_add(html, "\"/>");
}

void st_html_watch_cell(st_text *html, const st_watched_set *set, const char *prefix, const st_watched_frame *frame,
                        int i, int size) {
    if (set->features) {
        const size_t at = (size_t)i * (size_t)set->features;
        st_text_add(html,
                    "<svg class=\"cell curve\" viewBox=\"0 0 %g %g\" width=\"%d\" height=\"%d\" "
                    "preserveAspectRatio=\"none\">",
                    CELL, CELL, size, size);
        add_curve(html, set, set->original.values + at, frame == &set->original ? "line c0" : "line was");
        if (frame != &set->original && frame->values) add_curve(html, set, frame->values + at, "line c1");
        st_text_add(html, "</svg>");
        return;
    }
    const int side = set->width > set->height ? set->width : set->height;
    const int width = size * set->width / side, height = size * set->height / side;
    st_text_add(html, "<svg class=\"cell\" viewBox=\"%d %d %d %d\" width=\"%d\" height=\"%d\"><use href=\"#",
                i % set->columns * set->width, i / set->columns * set->height, set->width, set->height,
                width > 0 ? width : 1, height > 0 ? height : 1);
    add_id(html, prefix, frame->epoch);
    st_text_add(html, "\"/></svg>");
}

/* ---- the strip: samples by epochs ---- */

static void strip_row(st_text *html, const st_watched_set *set, const st_watched_frame *frame, const char *caption) {
    if (!frame->png && !frame->values) return;
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, caption);
    for (int i = 0; i < set->n && i < STRIP_SAMPLES; i++) {
        st_text_add(html, "<td>");
        st_html_watch_cell(html, set, set->prefix, frame, i, 60);
        st_text_add(html, "</td>");
    }
    st_text_add(html, "</tr>\n");
}

static void add_strip(st_text *html, const st_watched_set *set) {
    st_text_add(html, "<div class=\"scroll\"><table class=\"strip\"><caption>the first %s samples</caption>\n",
                set->name);
    strip_row(html, set, &set->original, "original");
    strip_row(html, set, &set->input, "input");
    const int n = set->n_frames < STRIP_EPOCHS ? set->n_frames : STRIP_EPOCHS;
    for (int k = 0; k < n; k++) {
        const int i = n > 1 ? (int)lround((double)k * (set->n_frames - 1) / (n - 1)) : set->n_frames - 1;
        char caption[32];
        snprintf(caption, sizeof caption, set->frame[i].epoch ? "epoch %d" : "before training", set->frame[i].epoch);
        strip_row(html, set, &set->frame[i], caption);
    }
    st_text_add(html, "</table></div>\n");
}

/* ---- the viewer ---- */

/* A grid or a cell that page.js turns to another frame: data-role says which. */
static void viewer_part(st_text *html, const st_watched_set *set, const char *role, const st_watched_frame *frame,
                        bool grid, const char *caption) {
    const int rows = (set->n + set->columns - 1) / set->columns;
    st_text_add(html, "<figure class=\"%s\"><svg data-role=\"%s\" viewBox=\"0 0 %d %d\">", grid ? "grid" : "large",
                role, set->width * (grid ? set->columns : 1), set->height * (grid ? rows : 1));
    if (strcmp(role, "difference") == 0) {
        st_text_add(html, "<rect width=\"100%%\" height=\"100%%\"/><use href=\"#");
        add_id(html, set->prefix, set->original.epoch);
        st_text_add(html, "\"/>");
    }
    st_text_add(html, "<use %shref=\"#", strcmp(role, "difference") == 0 ? "class=\"minus\" " : "");
    add_id(html, set->prefix, frame->epoch);
    st_text_add(html, "\"/>");
    if (grid) st_text_add(html, "<rect class=\"here\" width=\"%d\" height=\"%d\"/>", set->width, set->height);
    st_text_add(html, "</svg><figcaption>%s</figcaption></figure>\n", caption);
}

static void add_viewer(st_text *html, const st_watched_set *set) {
    const st_watched_frame *last = &set->frame[set->n_frames - 1];
    st_text_add(html, "<div class=\"set\" data-set=\"%s\"><h3>%s <output></output></h3><div class=\"row\">\n",
                set->prefix, set->name);
    if (set->features) {
        st_text_add(html,
                    "<figure class=\"wide\"><svg data-role=\"curve\" viewBox=\"0 0 %g %g\" "
                    "preserveAspectRatio=\"none\">",
                    CELL, CELL);
        add_curve(html, set, set->original.values, "line was");
        if (set->input.values) add_curve(html, set, set->input.values, "line c2 faint");
        add_curve(html, set, last->values, "line c1");
        st_text_add(html,
                    "</svg><figcaption>the original (thick, grey)%s and its reconstruction</figcaption></figure>\n",
                    set->input.values ? ", the input (green)" : "");
    } else {
        viewer_part(html, set, "original", &set->original, true, "originals");
        viewer_part(html, set, "epoch", last, true, "reconstructions");
        viewer_part(html, set, "original", &set->original, false, "original");
        if (set->input.png) viewer_part(html, set, "input", &set->input, false, "input");
        viewer_part(html, set, "epoch", last, false, "reconstruction");
        viewer_part(html, set, "difference", last, false, "difference");
    }
    st_text_add(html, "</div></div>\n");
}

/* ---- what page.js needs ---- */

/* Curves in twelve bits a value, two digits of base64; 4095: not finite. */
static void add_quantised(st_text *html, const st_watched_set *set, const st_watched_frame *frame) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const double range = set->high > set->low ? set->high - set->low : 1;
    const size_t n = (size_t)set->n * (size_t)set->features;
    st_text_add(html, "\"");
    for (size_t i = 0; frame->values && i < n; i++) {
        const double value = (double)frame->values[i];
        const int level = isfinite(value) ? (int)lround((value - set->low) / range * 4094) : 4095;
        const char two[2] = {digit[level >> 6 & 63], digit[level & 63]};
        st_text_add_bytes(html, two, 2);
    }
    st_text_add(html, "\"");
}

static void add_set_data(st_text *html, const st_watched_set *set) {
    st_text_add(html,
                "{\"prefix\":\"%s\",\"n\":%d,\"columns\":%d,\"width\":%d,\"height\":%d,\"features\":%d,"
                "\"epochs\":[",
                set->prefix, set->n, set->columns, set->width, set->height, set->features);
    for (int i = 0; i < set->n_frames; i++)
        st_text_add(html, i ? ",%d" : "%d", set->frame[i].epoch);
    st_text_add(html, "],\"samples\":[");
    for (int i = 0; i < set->n; i++) {
        st_text_add(html, i ? ",[" : "[");
        st_html_json(html, set->sample[i].index);
        st_text_add(html, ",");
        st_html_json(html, set->sample[i].label);
        st_text_add(html, "]");
    }
    st_text_add(html, "]");
    if (set->features) {
        st_text_add(html, ",\"original\":");
        add_quantised(html, set, &set->original);
        st_text_add(html, ",\"input\":");
        add_quantised(html, set, &set->input);
        st_text_add(html, ",\"frames\":[");
        for (int i = 0; i < set->n_frames; i++) {
            if (i) st_text_add(html, ",");
            add_quantised(html, set, &set->frame[i]);
        }
        st_text_add(html, "]");
    }
    st_text_add(html, "}");
}

/* What was left out to keep the page small. */
static void tell_reduced(st_text *html, const st_watched *watch, int shown) {
    if (watch->shrink == 1 && shown >= watch->n_epochs) return;
    st_text_add(html, "<p class=\"quiet\">To keep this page small, ");
    if (watch->shrink > 1) st_text_add(html, "images are shown at 1/%d of their width and height", watch->shrink);
    if (watch->shrink > 1 && shown < watch->n_epochs) st_text_add(html, " and ");
    if (shown < watch->n_epochs) st_text_add(html, "%d of %d epochs are kept", shown, watch->n_epochs);
    st_text_add(html, "; all are in the run's folder <code>reconstructions</code>.</p>\n");
}

void st_html_reconstructions(st_text *html, const st_watched *watch) {
    int n = 0, frames = 0;
    st_html_section(html, "reconstructions", "Reconstructions");
    for (int s = 0; s < 2; s++) {
        const st_watched_set *set = &watch->set[s];
        if (set->n > n) n = set->n;
        if (set->n_frames > frames) frames = set->n_frames;
        st_html_watch_images(html, set, set->prefix);
    }
    if (n == 0) {
        st_html_missing(html, "No reconstructions of epochs", watch->why);
        st_text_add(html, "</section>\n");
        return;
    }
    if (watch->why[0]) st_html_missing(html, "Not all of them could be read", watch->why);
    tell_reduced(html, watch, frames);
    st_text_add(html,
                "<div class=\"viewer\" hidden>\n<div class=\"sliders\">"
                "<label>sample <input type=\"range\" id=\"index\" min=\"0\" max=\"%d\" value=\"0\"> <output "
                "for=\"index\"></output></label>"
                "<label>epoch <input type=\"range\" id=\"epoch\" min=\"0\" max=\"%d\" value=\"%d\"> <output "
                "for=\"epoch\"></output></label></div>\n",
                n - 1, frames - 1, frames - 1);
    for (int s = 1; s >= 0; s--)
        if (watch->set[s].n) add_viewer(html, &watch->set[s]);
    st_text_add(html, "<script type=\"application/json\" id=\"watch\">[");
    bool any = false;
    for (int s = 0; s < 2; s++) {
        if (watch->set[s].n == 0) continue;
        if (any) st_text_add(html, ",");
        add_set_data(html, &watch->set[s]);
        any = true;
    }
    st_text_add(html, "]</script>\n</div>\n");
    for (int s = 1; s >= 0; s--)
        if (watch->set[s].n) add_strip(html, &watch->set[s]);
    st_text_add(html, "</section>\n");
}
