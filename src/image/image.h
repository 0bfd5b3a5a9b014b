/* Image files of every kind that is read, PNG, JPEG and TIFF, as one: told by what they begin with. */
#ifndef ST_IMAGE_IMAGE_H
#define ST_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef enum st_image_format { ST_IMAGE_UNKNOWN, ST_IMAGE_PNG, ST_IMAGE_JPEG, ST_IMAGE_TIFF } st_image_format;

/* An image as a file holds it: 8 or 16 bits, grey, grey with alpha, RGB or RGBA. Palettes are resolved, fewer bits are
   spread over 0..255, white that is 0 is turned round, alpha is dropped (told in had_alpha). */
typedef struct st_image {
    int width, height, channels; /* 1 or 3 */
    int bits;                    /* 8 or 16 */
    bool had_alpha;
    st_image_format format;
    uint64_t place; /* of files that hold several images: where this one begins; else 0 */
    void *values;   /* [height, width, channels] of uint8_t or uint16_t; st_free */
} st_image;

/* Larger images are refused: a lie or a bomb. */
#define ST_IMAGE_MAX_VALUES ((int64_t)1 << 30)
/* Files beyond this are no images to learn from. */
#define ST_IMAGE_MAX_FILE ((size_t)1 << 32)

/* What the first n bytes of a file say; 8 are enough. */
st_image_format st_image_format_of_bytes(const void *bytes, size_t n);
/* What a name's ending says, whatever its case: .png, .jpg, .jpeg, .tif, .tiff. */
st_image_format st_image_format_of_name(const char *name);
const char *st_image_format_name(st_image_format format); /* "png", "jpeg", "tiff", "unknown" */

/* Calls page(context, header) for each image in a file, in order: one, but for TIFF, where pages that are marked as
   thumbnails or masks are left out. values is NULL. Errors: NOT_FOUND, IO, FORMAT naming the file and what is wrong,
   MEMORY, those of page. */
strait_status st_image_scan(const char *path,
                            strait_status (*page)(void *context, const st_image *header, strait_error *err),
                            void *context, strait_error *err);

/* Reads the image at `place`, as st_image_scan told. Errors as there. */
strait_status st_image_read(st_image *out, const char *path, uint64_t place, strait_error *err);

/* Decodes a PNG or JPEG that lies in memory, whole, or its size, channels and bits alone (values NULL); name is for
   messages. Errors: FORMAT, MEMORY. */
strait_status st_image_decode(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err);
strait_status st_image_decode_header(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err);

/* Bytes of its values. */
static inline size_t st_image_bytes(const st_image *image) {
    return (size_t)image->height * (size_t)image->width * (size_t)image->channels * (size_t)(image->bits / 8);
}

#endif
