/* Inside the image room: what each format can do, and the checks they share. */
#ifndef ST_IMAGE_IMAGE_INT_H
#define ST_IMAGE_IMAGE_INT_H

#include "image/image.h"

/* JPEG; errors as st_image_read. */
strait_status st_jpeg_read_header(st_image *out, const char *path, strait_error *err);
strait_status st_jpeg_decode_header(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err);
strait_status st_jpeg_decode(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err);

/* TIFF; errors as st_image_scan and st_image_read. */
strait_status st_tiff_scan(const char *path,
                           strait_status (*page)(void *context, const st_image *header, strait_error *err),
                           void *context, strait_error *err);
strait_status st_tiff_read(st_image *out, const char *path, uint64_t place, strait_error *err);

/* FORMAT when width × height × channels is nothing or beyond ST_IMAGE_MAX_VALUES. */
strait_status st_image_check_size(const char *name, uint64_t width, uint64_t height, int channels, strait_error *err);

/* Takes the memory for the values. `stored` bytes hold them in the file and none can become more than `most`: a header
   that announces more than that is refused before memory is taken. Errors: FORMAT, MEMORY. */
strait_status st_image_alloc(st_image *image, uint64_t stored, unsigned most, const char *name, strait_error *err);

#endif
