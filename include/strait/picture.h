/* Pictures: sheets of images, charts of numbers, maps of points. Written as SVG where the file's name ends in ".svg",
   its texts as text, else as PNG. */
#ifndef STRAIT_PICTURE_H
#define STRAIT_PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/array.h>
#include <strait/model.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A sheet: rows of images one below another, each row with a caption at its left (captions may be NULL, or an
   entry NULL). rows: n_rows arrays of the same shape [n, height, width, 1 or 3] or [n, features] (drawn as curves),
   values in 0..1 for images. At most columns images a row. Atomic. Errors: ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_picture_sheet(const char *path, int n_rows, const strait_array *const *rows,
                                              const char *const *captions, int columns, strait_error *err);

/* On white, or on nearly black. */
typedef enum strait_theme { STRAIT_THEME_LIGHT, STRAIT_THEME_DARK } strait_theme;

/* What strait_picture_sheet takes, and more. */
typedef struct strait_sheet {
    int n_rows;
    const strait_array *const *rows;
    const char *const *captions;
    int columns;
    strait_theme theme;
    bool one_range; /* curves: the same range for all; else each column has its own */
} strait_sheet;

STRAIT_API strait_status strait_picture_draw_sheet(const char *path, const strait_sheet *sheet, strait_error *err);

/* One line of a chart. */
typedef struct strait_series {
    const char *name;
    int n;
    const double *x, *y; /* [n]; NAN leaves a gap */
} strait_series;

/* A line chart with axes, ticks and a legend. log_y draws the y axis on a logarithmic scale. Atomic.
   Errors: ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_picture_chart(const char *path, const char *title, const char *x_label,
                                              const char *y_label, int n_series, const strait_series *series, int log_y,
                                              strait_error *err);

/* What strait_picture_chart takes, and more. */
typedef struct strait_chart {
    const char *title, *x_label, *y_label; /* NULL or "": none */
    int n_series;
    const strait_series *series;
    bool log_y;
    strait_theme theme;
} strait_chart;

STRAIT_API strait_status strait_picture_draw_chart(const char *path, const strait_chart *chart, strait_error *err);

/* Points, coloured by group or by number. Colours are told apart by the colour-blind, up to 20 groups; further ones
   begin again. The more points there are and the denser they lie, the smaller and the more transparent each is. */
typedef struct strait_scatter {
    const char *title;             /* NULL or "": none, here and below */
    const strait_array *points;    /* [n, 2], or [n, 3]: drawn in isometric projection; rows not finite are left out */
    const char *axis_label[3];     /* of x, y, z */
    bool map;                      /* only distances mean anything: no ticks, the same scale on all axes */
    const int32_t *group;          /* [n], 0..n_groups-1; below 0: of no group, grey. NULL: all alike */
    int n_groups;                  /* 0 without group */
    const char *const *group_name; /* [n_groups]; in the legend and where a group's points lie thickest */
    const double *value;           /* [n]: coloured by number instead; NAN: grey. Used where group is NULL */
    const char *value_label;
    const strait_array *thumbnails; /* [n, height, width, 1 or 3], values 0..1: drawn where they do not overlap */
    strait_theme theme;
} strait_scatter;

/* Atomic. An SVG of more than 2000 points or with thumbnails holds these as one image. Errors: ARGUMENT (other shapes,
   a group beyond n_groups, no point that is finite), IO, MEMORY. */
STRAIT_API strait_status strait_picture_scatter(const char *path, const strait_scatter *scatter, strait_error *err);

/* An axis of parallel coordinates, with every line's place on it. */
typedef struct strait_parallel_axis {
    const char *name;
    const double *value;     /* [n_lines]; what is not finite has no place */
    const char *const *word; /* [n_words] what the values 0, 1, ... stand for; NULL: they are numbers */
    int n_words;
    bool log; /* numbers above 0, on a logarithmic scale */
} strait_parallel_axis;

/* Many numbers of each of many things: a vertical axis a number, a line a thing, coloured by its place on the last axis
   (grey without one). The strong line is drawn last. */
typedef struct strait_parallel {
    const char *title; /* NULL or "": none */
    int n_axes, n_lines;
    const strait_parallel_axis *axis;
    int strong;              /* -1: none */
    const char *strong_name; /* for the legend; NULL: none */
    strait_theme theme;
} strait_parallel;

/* Atomic. Errors: ARGUMENT (fewer than two axes, no line, an axis without a finite value), IO, MEMORY. */
STRAIT_API strait_status strait_picture_parallel(const char *path, const strait_parallel *parallel, strait_error *err);

/* Samples that are rows of values, each in a panel of its own: original and reconstruction as lines, the error shaded
   between them. All panels have the same scale. */
typedef struct strait_curves {
    const strait_array *original, *reconstruction; /* [n, values] both; what is not finite leaves a gap */
    const char *const *caption;                    /* [n], each may be NULL; NULL: none */
    int columns;                                   /* panels side by side */
    strait_theme theme;
} strait_curves;

/* Atomic. Errors: ARGUMENT (other shapes, nothing to draw, a picture too large), IO, MEMORY. */
STRAIT_API strait_status strait_picture_curves(const char *path, const strait_curves *curves, strait_error *err);

/* What every layer gave for one sample: a block a layer with its name, kind, shape and range. Images are drawn channel
   by channel in grey, from the layer's least value (black) to its greatest (white); an input of 3 channels in colour;
   rows of values as bars. Of many channels the first 64 are drawn, of many values the first 256, and the caption says
   so. Atomic. Errors: ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_picture_activations(const char *path, const strait_activations *activations,
                                                    strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
