/* A picture to draw on: pixels by cairo, or, where the file's name ends in ".svg", the elements of an SVG document, its
   texts as text. Lengths are units, of `scale` pixels each; an SVG is as large as its units. */
#ifndef ST_REPORT_CANVAS_INT_H
#define ST_REPORT_CANVAS_INT_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"
#include "base/string.h"

#define ST_CANVAS_MAX 32767 /* pixels of a side that cairo draws */

typedef struct st_canvas {
    int width, height; /* pixels */
    double scale;
    uint32_t background;
    uint32_t *pixels; /* [height, width] 0x00RRGGBB; after writing here call st_canvas_touched */
    cairo_surface_t *surface;
    cairo_t *cairo; /* also measures the texts of an SVG */
    /* An SVG: what is drawn goes into the document, between st_canvas_raster_begin and _end into the pixels. */
    bool svg, raster;
    st_text document, path;
    double raster_box[4]; /* left, top, width, height */
    struct {
        uint32_t rgb;
        double alpha, line, size;
        bool dashed, bold;
    } pen;
} st_canvas;

/* A canvas of one colour. On failure canvas is all zero. Errors: ARGUMENT (too large, naming path), MEMORY. */
strait_status st_canvas_open(st_canvas *canvas, double width, double height, double scale, uint32_t background,
                             const char *path, strait_error *err);
void st_canvas_touched(st_canvas *canvas);
/* Writes what was drawn: as SVG, or as PNG, grey when it is, else RGB. Errors of drawing come out here: ARGUMENT (a
   text that is not UTF-8), IO, MEMORY. */
strait_status st_canvas_save(st_canvas *canvas, const char *path, strait_error *err);
void st_canvas_close(st_canvas *canvas);

/* Pen: for all that is drawn from here on. */
void st_canvas_colour(st_canvas *canvas, uint32_t rgb);
void st_canvas_glaze(st_canvas *canvas, uint32_t rgb, double alpha); /* lets shine through, of discs alone */
void st_canvas_line(st_canvas *canvas, double width, bool dashed);
/* Font for the texts to come: sans serif. */
void st_canvas_font(st_canvas *canvas, double size, bool bold);

/* A line through points: move to the first, draw to the others, stroke (round joins) or fill. Moves in between leave
   gaps; a move alone is a dot where the line is round. */
void st_canvas_move(st_canvas *canvas, double x, double y);
void st_canvas_draw(st_canvas *canvas, double x, double y);
void st_canvas_stroke(st_canvas *canvas);
void st_canvas_fill(st_canvas *canvas);
void st_canvas_segment(st_canvas *canvas, double x0, double y0, double x1, double y1);
void st_canvas_disc(st_canvas *canvas, double x, double y, double radius);
void st_canvas_box(st_canvas *canvas, double left, double top, double width, double height);   /* filled */
void st_canvas_frame(st_canvas *canvas, double left, double top, double width, double height); /* its outline */

double st_canvas_text_width(st_canvas *canvas, const char *text);
/* Draws text with its baseline at y; align 0: begins at x, 0.5: centred on x, 1: ends at x. A text wider than max_width
   is drawn smaller, so that none is clipped. */
void st_canvas_text(st_canvas *canvas, double x, double y, double align, double max_width, const char *text);
/* The same, reading upwards: x is the baseline's, y where it is aligned. */
void st_canvas_text_up(st_canvas *canvas, double x, double y, double align, double max_width, const char *text);
/* As st_canvas_text, with an edge of this colour around it, to be read on whatever lies below. */
void st_canvas_text_edged(st_canvas *canvas, double x, double y, double align, uint32_t edge, const char *text);

/* Puts pixels [height, width] at (left, top); both are pixels, not units. */
void st_canvas_image(st_canvas *canvas, int64_t left, int64_t top, int width, int height, const uint32_t *pixels);

/* What is drawn between these becomes one image in an SVG: for what would be too much as elements. coarse: of 16 levels
   a colour, as many points in all their shades would take megabytes; the background stays as it is. */
void st_canvas_raster_begin(st_canvas *canvas, double left, double top, double width, double height);
void st_canvas_raster_end(st_canvas *canvas, bool coarse);

#endif
