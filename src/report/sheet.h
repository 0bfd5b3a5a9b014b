/* Images side by side. */
#ifndef ST_REPORT_SHEET_H
#define ST_REPORT_SHEET_H

#include <strait/array.h>
#include <strait/picture.h>
#include "base/status.h"

/* Writes images [n, height, width, 1 or 3] with values 0..1 as a plain grid, pixel for pixel, a white line two pixels
   wide between images; a single image is that image. Rows of sqrt(n) images, rounded up. What strait_array_write does
   for ".png". Atomic. Errors: ARGUMENT (another shape, none at all, a picture too large), IO, MEMORY. */
strait_status st_png_write_grid(const char *path, const strait_array *images, strait_error *err);

#endif
