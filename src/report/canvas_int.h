/* A picture to draw on; the only use of cairo with chart.c. Sizes are pixels. */
#ifndef ST_REPORT_CANVAS_INT_H
#define ST_REPORT_CANVAS_INT_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

#define ST_CANVAS_MAX 32767 /* pixels of a side that cairo draws */

typedef struct st_canvas {
    int width, height;
    uint32_t *pixels; /* [height, width] 0x00RRGGBB; after writing here call st_canvas_touched */
    cairo_surface_t *surface;
    cairo_t *cairo;
} st_canvas;

/* A white canvas. On failure canvas is all zero. Errors: ARGUMENT (too large, naming path), MEMORY. */
strait_status st_canvas_open(st_canvas *canvas, int64_t width, int64_t height, const char *path, strait_error *err);
void st_canvas_touched(st_canvas *canvas);
/* Writes what was drawn as PNG: grey when it is, else RGB. Errors of drawing come out here: ARGUMENT (a text that is
   not UTF-8), IO, MEMORY. */
strait_status st_canvas_save(st_canvas *canvas, const char *path, strait_error *err);
void st_canvas_close(st_canvas *canvas);

/* Font for the texts to come: sans serif, size in the canvas' units. */
void st_canvas_font(st_canvas *canvas, double size, bool bold);
void st_canvas_colour(st_canvas *canvas, uint32_t rgb);
double st_canvas_text_width(st_canvas *canvas, const char *text);
/* Draws text with its baseline at y; align 0: begins at x, 0.5: centred on x, 1: ends at x. A text wider than max_width
   is drawn smaller, so that none is clipped. */
void st_canvas_text(st_canvas *canvas, double x, double y, double align, double max_width, const char *text);

#endif
