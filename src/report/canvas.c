/* Each way to draw has two forms: by cairo into the pixels, or as an element of an SVG's document. Invariant: while an
   SVG is not rastering, pixels hold the background alone. Memory that runs out while the document grows is
   remembered in it (st_text) and told by st_canvas_save. */
#include "report/canvas_int.h"

#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "image/png.h"
#include "report/html_int.h"
#include "report/svg_int.h"

/* Fonts are asked for by this name; where it is missing fontconfig gives the nearest, and cairo draws its built-in
   strokes where there is no font at all. Viewers of an SVG have Verdana where they lack it: its widths are alike. */
#define FONT "DejaVu Sans"
#define SVG_FONTS FONT ", Verdana, Geneva, sans-serif"
#define EDGE 3.0 /* width of the edge around a text */

static strait_status drawing_failed(cairo_status_t status, const char *path, strait_error *err) {
    if (status == CAIRO_STATUS_NO_MEMORY) return st_fail_memory(err, 0, "drawing a picture");
    if (status == CAIRO_STATUS_INVALID_STRING)
        return st_fail(err, STRAIT_ARGUMENT, "%s: a text to draw is not valid UTF-8", path);
    return st_fail(err, STRAIT_IO, "%s: the picture cannot be drawn: %s", path, cairo_status_to_string(status));
}

/* ---- opening and saving ---- */

static void set_up(st_canvas *canvas, uint32_t background) {
    cairo_font_options_t *options = cairo_font_options_create();
    /* Grey edges and unhinted metrics: the same on every screen, and no colour where none was asked for. */
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(canvas->cairo, options);
    cairo_font_options_destroy(options);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_scale(canvas->cairo, canvas->scale, canvas->scale);
    st_canvas_colour(canvas, background);
    cairo_paint(canvas->cairo);
    st_canvas_line(canvas, 1, false);
    if (!canvas->svg) return;
    st_text_add(&canvas->document,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%g\" "
                "height=\"%g\" viewBox=\"0 0 %g %g\" font-family=\"" SVG_FONTS "\">\n<rect width=\"100%%\" "
                "height=\"100%%\" fill=\"#%06x\"/>\n",
                canvas->width / canvas->scale, canvas->height / canvas->scale, canvas->width / canvas->scale,
                canvas->height / canvas->scale, background);
}

strait_status st_canvas_open(st_canvas *canvas, double width, double height, double scale, uint32_t background,
                             const char *path, strait_error *err) {
    *canvas = (st_canvas){.scale = scale, .background = background, .svg = st_ends_with(path, ".svg")};
    width = ceil(width * scale);
    height = ceil(height * scale);
    if (!(width >= 1 && height >= 1 && width <= ST_CANVAS_MAX && height <= ST_CANVAS_MAX))
        return st_fail(err, STRAIT_ARGUMENT, "%s: the picture would have %.0f×%.0f pixels; at most %d×%d can be drawn",
                       path, width, height, ST_CANVAS_MAX, ST_CANVAS_MAX);
    canvas->width = (int)width;
    canvas->height = (int)height;
    const size_t n = (size_t)canvas->width * (size_t)canvas->height;
    canvas->pixels = st_alloc(n, sizeof *canvas->pixels);
    if (!canvas->pixels) {
        *canvas = (st_canvas){0};
        return st_fail_memory(err, n * sizeof *canvas->pixels, "a picture");
    }
    canvas->surface = cairo_image_surface_create_for_data((unsigned char *)canvas->pixels, CAIRO_FORMAT_RGB24,
                                                          canvas->width, canvas->height, canvas->width * 4);
    canvas->cairo = cairo_create(canvas->surface); /* a failed surface gives a failed context: one check for both */
    set_up(canvas, background);
    const cairo_status_t status = cairo_status(canvas->cairo);
    if (status == CAIRO_STATUS_SUCCESS) return STRAIT_OK;
    st_canvas_close(canvas);
    return drawing_failed(status, path, err);
}

void st_canvas_touched(st_canvas *canvas) {
    cairo_surface_mark_dirty(canvas->surface);
}

/* A part of an image as bytes, grey (channels 1) when it is, else RGB. stride: pixels from one line to the next. */
static unsigned char *to_bytes(int *channels, const uint32_t *pixels, int width, int height, int stride) {
    bool grey = true;
    for (int y = 0; grey && y < height; y++)
        for (int x = 0; grey && x < width; x++) {
            const uint32_t pixel = pixels[(size_t)y * (size_t)stride + (size_t)x];
            grey = (pixel & 0xff) == (pixel >> 8 & 0xff) && (pixel & 0xff) == (pixel >> 16 & 0xff);
        }
    *channels = grey ? 1 : 3;
    unsigned char *bytes = st_alloc((size_t)width * (size_t)height, (size_t)*channels), *byte = bytes;
    for (int y = 0; bytes && y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < *channels; c++)
                *byte++ = (unsigned char)(pixels[(size_t)y * (size_t)stride + (size_t)x] >> (16 - 8 * c));
    return bytes;
}

static strait_status save_png(st_canvas *canvas, const char *path, strait_error *err) {
    int channels;
    unsigned char *bytes = to_bytes(&channels, canvas->pixels, canvas->width, canvas->height, canvas->width);
    if (!bytes) return st_fail_memory(err, (size_t)canvas->width * (size_t)canvas->height, "a picture");
    const strait_status status = st_png_write(path, canvas->width, canvas->height, channels, bytes, err);
    st_free(bytes);
    return status;
}

static strait_status save_svg(st_canvas *canvas, const char *path, strait_error *err) {
    char *document = NULL;
    st_text_add(&canvas->document, "</svg>\n");
    const size_t length = canvas->document.length;
    ST_TRY(st_text_take(&document, &canvas->document, err));
    const strait_status status = st_file_write_all(path, document, length, err);
    st_free(document);
    return status;
}

strait_status st_canvas_save(st_canvas *canvas, const char *path, strait_error *err) {
    cairo_surface_flush(canvas->surface);
    cairo_status_t drawn = cairo_status(canvas->cairo);
    if (drawn == CAIRO_STATUS_SUCCESS) drawn = cairo_surface_status(canvas->surface);
    if (drawn != CAIRO_STATUS_SUCCESS) return drawing_failed(drawn, path, err);
    return canvas->svg ? save_svg(canvas, path, err) : save_png(canvas, path, err);
}

void st_canvas_close(st_canvas *canvas) {
    if (canvas->cairo) cairo_destroy(canvas->cairo);
    if (canvas->surface) cairo_surface_destroy(canvas->surface);
    st_free(canvas->pixels);
    st_text_free(&canvas->document);
    st_text_free(&canvas->path);
    *canvas = (st_canvas){0};
}

/* ---- the pen ---- */

/* Does what is drawn go into an SVG's document? */
static bool writes(const st_canvas *canvas) {
    return canvas->svg && !canvas->raster;
}

void st_canvas_colour(st_canvas *canvas, uint32_t rgb) {
    st_canvas_glaze(canvas, rgb, 1);
}

void st_canvas_glaze(st_canvas *canvas, uint32_t rgb, double alpha) {
    canvas->pen.rgb = rgb;
    canvas->pen.alpha = alpha;
    cairo_set_source_rgba(canvas->cairo, (double)(rgb >> 16 & 0xff) / 255, (double)(rgb >> 8 & 0xff) / 255,
                          (double)(rgb & 0xff) / 255, alpha);
}

void st_canvas_line(st_canvas *canvas, double width, bool dashed) {
    static const double dash[] = {6, 3};
    canvas->pen.line = width;
    canvas->pen.dashed = dashed;
    cairo_set_line_width(canvas->cairo, width);
    cairo_set_dash(canvas->cairo, dash, dashed ? 2 : 0, 0);
    /* Round ends show a point alone; those of dashes would close the gaps, those of hairlines blur the ticks. */
    cairo_set_line_cap(canvas->cairo, dashed || width <= 1 ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
}

void st_canvas_font(st_canvas *canvas, double size, bool bold) {
    canvas->pen.size = size;
    canvas->pen.bold = bold;
    cairo_select_font_face(canvas->cairo, FONT, CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cairo, size);
}

/* ` name="value"`, short. */
static void attribute(st_text *document, const char *name, double value) {
    st_text_add(document, " %s=\"", name);
    st_svg_number(document, value);
    st_text_add(document, "\"");
}

/* ---- lines and areas ---- */

static void add_point(st_canvas *canvas, char command, double x, double y) {
    st_text_add(&canvas->path, "%c", command);
    st_svg_number(&canvas->path, x);
    st_text_add(&canvas->path, " ");
    st_svg_number(&canvas->path, y);
}

void st_canvas_move(st_canvas *canvas, double x, double y) {
    if (writes(canvas))
        add_point(canvas, 'M', x, y);
    else
        cairo_move_to(canvas->cairo, x, y);
}

void st_canvas_draw(st_canvas *canvas, double x, double y) {
    if (writes(canvas))
        add_point(canvas, 'L', x, y);
    else
        cairo_line_to(canvas->cairo, x, y);
}

/* Puts the path collected into the document; memory that ran out for it has run out for the document. */
static void add_path(st_canvas *canvas, const char *how) {
    if (canvas->path.length > 0) st_text_add(&canvas->document, "<path d=\"%s\" %s/>\n", canvas->path.bytes, how);
    if (canvas->path.failed) st_html_fail(&canvas->document);
    st_text_free(&canvas->path);
}

void st_canvas_stroke(st_canvas *canvas) {
    if (!writes(canvas)) {
        cairo_stroke(canvas->cairo);
        return;
    }
    char how[160];
    snprintf(how, sizeof how, "fill=\"none\" stroke=\"#%06x\" stroke-width=\"%.3g\"%s%s", canvas->pen.rgb,
             canvas->pen.line, canvas->pen.dashed ? " stroke-dasharray=\"6 3\"" : "",
             canvas->pen.line > 1 && !canvas->pen.dashed ? " stroke-linejoin=\"round\" stroke-linecap=\"round\"" : "");
    add_path(canvas, how);
}

void st_canvas_fill(st_canvas *canvas) {
    if (!writes(canvas)) {
        cairo_fill(canvas->cairo);
        return;
    }
    char how[32];
    snprintf(how, sizeof how, "fill=\"#%06x\"", canvas->pen.rgb);
    add_path(canvas, how);
}

void st_canvas_segment(st_canvas *canvas, double x0, double y0, double x1, double y1) {
    st_canvas_move(canvas, x0, y0);
    st_canvas_draw(canvas, x1, y1);
    st_canvas_stroke(canvas);
}

void st_canvas_disc(st_canvas *canvas, double x, double y, double radius) {
    if (!writes(canvas)) {
        cairo_new_path(canvas->cairo);
        cairo_arc(canvas->cairo, x, y, radius, 0, 2 * M_PI);
        cairo_fill(canvas->cairo);
        return;
    }
    st_text_add(&canvas->document, "<circle");
    attribute(&canvas->document, "cx", x);
    attribute(&canvas->document, "cy", y);
    attribute(&canvas->document, "r", radius);
    st_text_add(&canvas->document, " fill=\"#%06x\"", canvas->pen.rgb);
    if (canvas->pen.alpha < 1) st_text_add(&canvas->document, " opacity=\"%.2g\"", canvas->pen.alpha);
    st_text_add(&canvas->document, "/>\n");
}

void st_canvas_box(st_canvas *canvas, double left, double top, double width, double height) {
    st_canvas_move(canvas, left, top);
    st_canvas_draw(canvas, left + width, top);
    st_canvas_draw(canvas, left + width, top + height);
    st_canvas_draw(canvas, left, top + height);
    st_canvas_fill(canvas);
}

void st_canvas_frame(st_canvas *canvas, double left, double top, double width, double height) {
    st_canvas_move(canvas, left, top);
    st_canvas_draw(canvas, left + width, top);
    st_canvas_draw(canvas, left + width, top + height);
    st_canvas_draw(canvas, left, top + height);
    if (writes(canvas))
        st_text_add(&canvas->path, "Z");
    else
        cairo_close_path(canvas->cairo);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_MITER); /* sharp corners; for lines it is round */
    st_canvas_stroke(canvas);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
}

/* ---- texts ---- */

double st_canvas_text_width(st_canvas *canvas, const char *text) {
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cairo, text, &extents);
    return extents.x_advance;
}

/* The element; more: further attributes. size: of the letters. */
static void write_text(st_canvas *canvas, double x, double y, double align, double size, const char *more,
                       const char *text) {
    st_text *document = &canvas->document;
    st_text_add(document, "<text");
    if (x != 0) attribute(document, "x", x);
    if (y != 0) attribute(document, "y", y);
    st_text_add(document, " font-size=\"%.3g\" fill=\"#%06x\"%s%s%s>", size, canvas->pen.rgb,
                canvas->pen.bold ? " font-weight=\"bold\"" : "",
                align > 0.75   ? " text-anchor=\"end\""
                : align > 0.25 ? " text-anchor=\"middle\""
                               : "",
                more);
    st_html_escape(document, text);
    st_text_add(document, "</text>\n");
}

void st_canvas_text(st_canvas *canvas, double x, double y, double align, double max_width, const char *text) {
    const double width = st_canvas_text_width(canvas, text), factor = width > max_width ? max_width / width : 1;
    if (writes(canvas)) {
        write_text(canvas, x, y, align, canvas->pen.size * factor, "", text);
        return;
    }
    cairo_save(canvas->cairo);
    cairo_translate(canvas->cairo, x - align * width * factor, y);
    cairo_scale(canvas->cairo, factor, factor);
    cairo_move_to(canvas->cairo, 0, 0);
    cairo_show_text(canvas->cairo, text);
    cairo_restore(canvas->cairo);
    cairo_new_path(canvas->cairo);
}

void st_canvas_text_up(st_canvas *canvas, double x, double y, double align, double max_width, const char *text) {
    if (writes(canvas)) {
        st_text_add(&canvas->document, "<g transform=\"translate(");
        st_svg_number(&canvas->document, x);
        st_text_add(&canvas->document, " ");
        st_svg_number(&canvas->document, y);
        st_text_add(&canvas->document, ") rotate(-90)\">");
    }
    cairo_save(canvas->cairo);
    cairo_translate(canvas->cairo, x, y);
    cairo_rotate(canvas->cairo, -M_PI / 2);
    st_canvas_text(canvas, 0, 0, align, max_width, text);
    cairo_restore(canvas->cairo);
    if (writes(canvas)) st_text_add(&canvas->document, "</g>\n");
}

void st_canvas_text_edged(st_canvas *canvas, double x, double y, double align, uint32_t edge, const char *text) {
    const uint32_t rgb = canvas->pen.rgb;
    if (writes(canvas)) {
        char more[96];
        snprintf(more, sizeof more, " stroke=\"#%06x\" stroke-width=\"%g\" paint-order=\"stroke\"", edge, EDGE);
        write_text(canvas, x, y, align, canvas->pen.size, more, text);
        return;
    }
    cairo_move_to(canvas->cairo, x - align * st_canvas_text_width(canvas, text), y);
    cairo_text_path(canvas->cairo, text);
    st_canvas_line(canvas, EDGE, false);
    st_canvas_colour(canvas, edge);
    cairo_stroke_preserve(canvas->cairo);
    st_canvas_colour(canvas, rgb);
    cairo_fill(canvas->cairo);
}

/* ---- images ---- */

/* An image of the document: pixels of lines `stride` long, at (left, top), width × height units large. */
static void write_image(st_canvas *canvas, double left, double top, int width, int height, int stride,
                        const uint32_t *pixels) {
    int channels;
    char *png = NULL;
    size_t n = 0;
    unsigned char *bytes = to_bytes(&channels, pixels, width, height, stride);
    if (!bytes || st_png_encode(&png, &n, width, height, channels, bytes, NULL) != STRAIT_OK)
        st_html_fail(&canvas->document);
    st_free(bytes);
    st_text_add(&canvas->document, "<image");
    attribute(&canvas->document, "x", left);
    attribute(&canvas->document, "y", top);
    attribute(&canvas->document, "width", width / canvas->scale);
    attribute(&canvas->document, "height", height / canvas->scale);
    st_text_add(&canvas->document, " xlink:href=\"data:image/png;base64,");
    if (png) st_html_base64(&canvas->document, png, n);
    st_text_add(&canvas->document, "\"/>\n");
    st_free(png);
}

void st_canvas_image(st_canvas *canvas, int64_t left, int64_t top, int width, int height, const uint32_t *pixels) {
    if (writes(canvas)) {
        write_image(canvas, (double)left / canvas->scale, (double)top / canvas->scale, width, height, width, pixels);
        return;
    }
    cairo_surface_flush(canvas->surface);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            const int64_t u = left + x, v = top + y;
            if (u >= 0 && v >= 0 && u < canvas->width && v < canvas->height)
                canvas->pixels[v * canvas->width + u] = pixels[y * width + x];
        }
    st_canvas_touched(canvas);
}

void st_canvas_raster_begin(st_canvas *canvas, double left, double top, double width, double height) {
    canvas->raster = true;
    /* Whole pixels, and whole units where scale is a whole number: the image lies where it was drawn. */
    canvas->raster_box[0] = floor(left);
    canvas->raster_box[1] = floor(top);
    canvas->raster_box[2] = ceil(left + width) - floor(left);
    canvas->raster_box[3] = ceil(top + height) - floor(top);
}

/* Brings the pixels [top, bottom) × [left, right) to 16 levels a colour, but for those of the background. */
static void make_coarse(st_canvas *canvas, int left, int top, int right, int bottom) {
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            uint32_t *pixel = &canvas->pixels[(size_t)y * (size_t)canvas->width + (size_t)x], rgb = 0;
            for (int shift = 16; shift >= 0; shift -= 8)
                rgb = rgb << 8 | ((*pixel >> shift & 0xff) + 8) / 17 * 17;
            if ((*pixel & 0xffffff) != canvas->background) *pixel = rgb;
        }
}

void st_canvas_raster_end(st_canvas *canvas, bool coarse) {
    canvas->raster = false;
    if (!canvas->svg) return;
    cairo_surface_flush(canvas->surface);
    const int left = (int)(canvas->raster_box[0] * canvas->scale), top = (int)(canvas->raster_box[1] * canvas->scale);
    const int beyond = left + (int)(canvas->raster_box[2] * canvas->scale);
    const int below = top + (int)(canvas->raster_box[3] * canvas->scale);
    const int right = beyond < canvas->width ? beyond : canvas->width;
    const int bottom = below < canvas->height ? below : canvas->height;
    if (coarse) make_coarse(canvas, left, top, right, bottom);
    write_image(canvas, canvas->raster_box[0], canvas->raster_box[1], right - left, bottom - top, canvas->width,
                canvas->pixels + (size_t)top * (size_t)canvas->width + left);
}
