#include "report/canvas_int.h"

#include "base/memory.h"
#include "image/png.h"

/* Fonts are asked for by this name; where it is missing fontconfig gives the nearest, and cairo draws its built-in
   strokes where there is no font at all. */
#define FONT "DejaVu Sans"

static strait_status drawing_failed(cairo_status_t status, const char *path, strait_error *err) {
    if (status == CAIRO_STATUS_NO_MEMORY) return st_fail_memory(err, 0, "drawing a picture");
    if (status == CAIRO_STATUS_INVALID_STRING)
        return st_fail(err, STRAIT_ARGUMENT, "%s: a text to draw is not valid UTF-8", path);
    return st_fail(err, STRAIT_IO, "%s: the picture cannot be drawn: %s", path, cairo_status_to_string(status));
}

static void set_up(cairo_t *cairo) {
    cairo_font_options_t *options = cairo_font_options_create();
    /* Grey edges and unhinted metrics: the same on every screen, and no colour where none was asked for. */
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
}

strait_status st_canvas_open(st_canvas *canvas, int64_t width, int64_t height, const char *path, strait_error *err) {
    *canvas = (st_canvas){0};
    if (width < 1 || height < 1 || width > ST_CANVAS_MAX || height > ST_CANVAS_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s: the picture would have %lld×%lld pixels; at most %d×%d can be drawn",
                       path, (long long)width, (long long)height, ST_CANVAS_MAX, ST_CANVAS_MAX);
    canvas->width = (int)width;
    canvas->height = (int)height;
    canvas->pixels = st_alloc((size_t)(width * height), sizeof *canvas->pixels);
    if (!canvas->pixels) {
        *canvas = (st_canvas){0};
        return st_fail_memory(err, (size_t)(width * height) * sizeof *canvas->pixels, "a picture");
    }
    canvas->surface = cairo_image_surface_create_for_data((unsigned char *)canvas->pixels, CAIRO_FORMAT_RGB24,
                                                          canvas->width, canvas->height, canvas->width * 4);
    canvas->cairo = cairo_create(canvas->surface); /* a failed surface gives a failed context: one check for both */
    set_up(canvas->cairo);
    const cairo_status_t status = cairo_status(canvas->cairo);
    if (status == CAIRO_STATUS_SUCCESS) return STRAIT_OK;
    st_canvas_close(canvas);
    return drawing_failed(status, path, err);
}

void st_canvas_touched(st_canvas *canvas) {
    cairo_surface_mark_dirty(canvas->surface);
}

static bool is_grey(const st_canvas *canvas) {
    const size_t n = (size_t)canvas->width * (size_t)canvas->height;
    for (size_t i = 0; i < n; i++) {
        const uint32_t pixel = canvas->pixels[i];
        if ((pixel & 0xff) != (pixel >> 8 & 0xff) || (pixel & 0xff) != (pixel >> 16 & 0xff)) return false;
    }
    return true;
}

strait_status st_canvas_save(st_canvas *canvas, const char *path, strait_error *err) {
    cairo_surface_flush(canvas->surface);
    cairo_status_t drawn = cairo_status(canvas->cairo);
    if (drawn == CAIRO_STATUS_SUCCESS) drawn = cairo_surface_status(canvas->surface);
    if (drawn != CAIRO_STATUS_SUCCESS) return drawing_failed(drawn, path, err);
    const size_t n = (size_t)canvas->width * (size_t)canvas->height;
    const int channels = is_grey(canvas) ? 1 : 3;
    unsigned char *bytes = st_alloc(n, (size_t)channels);
    if (!bytes) return st_fail_memory(err, n * (size_t)channels, "a picture");
    unsigned char *byte = bytes;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++)
            *byte++ = (unsigned char)(canvas->pixels[i] >> (16 - 8 * c));
    const strait_status status = st_png_write(path, canvas->width, canvas->height, channels, bytes, err);
    st_free(bytes);
    return status;
}

void st_canvas_close(st_canvas *canvas) {
    if (canvas->cairo) cairo_destroy(canvas->cairo);
    if (canvas->surface) cairo_surface_destroy(canvas->surface);
    st_free(canvas->pixels);
    *canvas = (st_canvas){0};
}

void st_canvas_font(st_canvas *canvas, double size, bool bold) {
    cairo_select_font_face(canvas->cairo, FONT, CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cairo, size);
}

void st_canvas_colour(st_canvas *canvas, uint32_t rgb) {
    cairo_set_source_rgb(canvas->cairo, (double)(rgb >> 16 & 0xff) / 255, (double)(rgb >> 8 & 0xff) / 255,
                         (double)(rgb & 0xff) / 255);
}

double st_canvas_text_width(st_canvas *canvas, const char *text) {
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cairo, text, &extents);
    return extents.x_advance;
}

void st_canvas_text(st_canvas *canvas, double x, double y, double align, double max_width, const char *text) {
    const double width = st_canvas_text_width(canvas, text), factor = width > max_width ? max_width / width : 1;
    cairo_save(canvas->cairo);
    cairo_translate(canvas->cairo, x - align * width * factor, y);
    cairo_scale(canvas->cairo, factor, factor);
    cairo_move_to(canvas->cairo, 0, 0);
    cairo_show_text(canvas->cairo, text);
    cairo_restore(canvas->cairo);
    cairo_new_path(canvas->cairo);
}
