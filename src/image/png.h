/* PNG files; the only use of libpng. */
#ifndef ST_IMAGE_PNG_H
#define ST_IMAGE_PNG_H

#include <stddef.h>
#include "base/status.h"
#include "image/image.h"

/* Writes bytes [height, width, channels] (channels 1: grey, 3: RGB). No time goes into the file: the same pixels give
   the same bytes. Atomic. Errors: ARGUMENT (a size of 0), IO, MEMORY. */
strait_status st_png_write(const char *path, int width, int height, int channels, const unsigned char *bytes,
                           strait_error *err);

/* The same into memory: *out holds *n bytes, the caller's (st_free). Errors: ARGUMENT (a size of 0), MEMORY. */
strait_status st_png_encode(char **out, size_t *n, int width, int height, int channels, const unsigned char *bytes,
                            strait_error *err);

/* Reads a PNG file, whole, or its size, channels and bits alone (values NULL). Errors: NOT_FOUND, IO, FORMAT naming the
   file and what is wrong, MEMORY. */
strait_status st_png_read(st_image *out, const char *path, strait_error *err);
strait_status st_png_read_header(st_image *out, const char *path, strait_error *err);

/* The same of n bytes in memory, the file's first ones for the header alone; name is what messages call them. Errors:
   FORMAT, MEMORY. */
strait_status st_png_decode(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err);
strait_status st_png_decode_header(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err);

/* Writes an image of 8 or 16 bits, alpha left out; atomic. Errors as st_png_write. */
strait_status st_png_write_image(const char *path, const st_image *image, strait_error *err);
/* An image of 8 or 16 bits as a PNG file in memory: *out holds *n bytes, the caller's. Errors as st_png_encode. */
strait_status st_png_encode_image(char **out, size_t *n, const st_image *image, strait_error *err);

/* A value in 0..1 as a byte, rounded; beyond is clipped, NaN is black. */
static inline unsigned char st_png_byte(float value) {
    return value > 0.0f ? (unsigned char)(value < 1.0f ? value * 255.0f + 0.5f : 255.0f) : 0;
}

#endif
