/* Pictures read back by libpng's own simple reader. */
#ifndef TESTS_REPORT_PICTURE_CHECK_H
#define TESTS_REPORT_PICTURE_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <png.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/folder.h"

typedef struct picture {
    int width, height;
    bool grey; /* as the file says */
    unsigned char *rgb;
} picture;

static inline picture read_picture(const char *path) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path)) fail_msg("%s: %s", path, image.message);
    picture p = {.width = (int)image.width, .height = (int)image.height, .grey = image.format == PNG_FORMAT_GRAY};
    image.format = PNG_FORMAT_RGB;
    p.rgb = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(p.rgb);
    if (!png_image_finish_read(&image, NULL, p.rgb, 0, NULL)) fail_msg("%s: %s", path, image.message);
    return p;
}

/* 0xRRGGBB */
static inline unsigned pixel(const picture *p, int x, int y) {
    assert_true(x >= 0 && y >= 0 && x < p->width && y < p->height);
    const unsigned char *at = p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
    return (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
}

/* How many pixels have this colour in the part [x0, x1) × [y0, y1). */
static inline int count_colour(const picture *p, unsigned rgb, int x0, int y0, int x1, int y1) {
    int n = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            n += pixel(p, x, y) == rgb;
    return n;
}

/* Nothing is drawn within `margin` of the edges: no text is clipped. */
static inline void assert_white_edges(const picture *p, int margin) {
    assert_int_equal(count_colour(p, 0xffffff, 0, 0, p->width, margin), p->width * margin);
    assert_int_equal(count_colour(p, 0xffffff, 0, p->height - margin, p->width, p->height), p->width * margin);
    assert_int_equal(count_colour(p, 0xffffff, 0, 0, margin, p->height), p->height * margin);
    assert_int_equal(count_colour(p, 0xffffff, p->width - margin, 0, p->width, p->height), p->height * margin);
}

static inline bool same_bytes(const char *a, const char *b) {
    char *x = NULL, *y = NULL;
    size_t n_x = 0, n_y = 1;
    assert_int_equal(st_file_read(&x, &n_x, a, 1 << 24, NULL), 0);
    assert_int_equal(st_file_read(&y, &n_y, b, 1 << 24, NULL), 0);
    const bool same = n_x == n_y && memcmp(x, y, n_x) == 0;
    st_free(x);
    st_free(y);
    return same;
}

#endif
