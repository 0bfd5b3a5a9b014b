/* Pictures: sheets of images and charts of numbers, written as PNG. */
#ifndef STRAIT_PICTURE_H
#define STRAIT_PICTURE_H

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
