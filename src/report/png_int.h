/* PNG files; the only use of libpng. */
#ifndef ST_REPORT_PNG_INT_H
#define ST_REPORT_PNG_INT_H

#include "base/status.h"

/* Writes bytes [height, width, channels] (channels 1: grey, 3: RGB). No time goes into the file: the same pixels give
   the same bytes. Atomic. Errors: ARGUMENT (a size of 0), IO, MEMORY. */
strait_status st_png_write(const char *path, int width, int height, int channels, const unsigned char *bytes,
                           strait_error *err);

/* A value in 0..1 as a byte, rounded; beyond is clipped, NaN is black. */
static inline unsigned char st_png_byte(float value) {
    return value > 0.0f ? (unsigned char)(value < 1.0f ? value * 255.0f + 0.5f : 255.0f) : 0;
}

#endif
