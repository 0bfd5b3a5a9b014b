/* PNG files of every kind, written by libpng itself. */
#ifndef TESTS_IMAGE_PNG_FILES_H
#define TESTS_IMAGE_PNG_FILES_H

#include <png.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

typedef struct png_kind {
    int width, height, bits, colours, interlace;
    int n_palette; /* palettes: entry k is (k, 2 k, 255 - k) */
    int transparent;
} png_kind;

/* bytes: the rows as the file packs them, one after another. */
static inline void write_png_rows(const char *path, const png_kind *kind, const uint8_t *bytes) {
    png_color palette[256];
    png_byte alpha[1] = {0};
    png_color_16 key = {0};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    assert_non_null(info);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)kind->width, (png_uint_32)kind->height, kind->bits, kind->colours,
                 kind->interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int k = 0; k < kind->n_palette; k++)
        palette[k] = (png_color){(png_byte)k, (png_byte)(2 * k), (png_byte)(255 - k)};
    if (kind->n_palette > 0) png_set_PLTE(png, info, palette, kind->n_palette);
    if (kind->transparent) png_set_tRNS(png, info, alpha, kind->n_palette > 0, &key);
    png_write_info(png, info);
    const size_t row = png_get_rowbytes(png, info);
    const int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < kind->height; y++)
            png_write_row(png, bytes + (size_t)y * row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

/* An 8-bit grey image of one value; more channels with colours PNG_COLOR_TYPE_RGB and the like. */
static inline void write_png_flat(const char *path, int height, int width, int bits, int colours, uint8_t value) {
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = value;
    const png_kind kind = {.width = width, .height = height, .bits = bits, .colours = colours};
    write_png_rows(path, &kind, bytes);
}

#endif
