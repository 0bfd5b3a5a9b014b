#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "image/png.h"
#include "image/png_files.h"
#include "support/folder.h"

static uint8_t noise(size_t i) {
    return (uint8_t)(i * 37 + i / 7 * 11 + 5);
}

/* Sample k of pixel row y as the file has it, from rows of row_bytes that noise() filled. */
static unsigned packed(size_t row_bytes, int y, size_t k, int bits) {
    const size_t at = (size_t)y * row_bytes;
    if (bits == 16) return (unsigned)noise(at + 2 * k) << 8 | noise(at + 2 * k + 1);
    const size_t per_byte = 8 / (size_t)bits;
    const unsigned shift = (unsigned)((per_byte - 1 - k % per_byte) * (size_t)bits);
    return (unsigned)noise(at + k / per_byte) >> shift & ((1u << bits) - 1);
}

/* What the specification (ISO/IEC 15948) makes of the file's samples, channel c of pixel x: low depths of grey are
   spread over 0..255, palettes looked up, alpha left out. */
static unsigned expected_value(const png_kind *kind, size_t row_bytes, int y, int x, int c) {
    static const int samples_of[] = {1, 0, 3, 1, 2, 0, 4};
    const size_t k = (size_t)x * (size_t)samples_of[kind->colours] + (size_t)c;
    if (kind->colours == PNG_COLOR_TYPE_PALETTE) {
        const unsigned index = packed(row_bytes, y, (size_t)x, kind->bits);
        return (c == 0 ? index : c == 1 ? 2 * index : 255 - index) & 255;
    }
    const unsigned value = packed(row_bytes, y, k, kind->bits);
    return kind->bits < 8 ? value * 255 / ((1u << kind->bits) - 1) : value;
}

static void check_kind(const png_kind *kind) {
    static const int samples_of[] = {1, 0, 3, 1, 2, 0, 4};
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = noise(i);
    const char *path = test_path("kind.png");
    write_png_rows(path, kind, bytes);
    const size_t row_bytes = ((size_t)kind->width * (size_t)samples_of[kind->colours] * (size_t)kind->bits + 7) / 8;
    const bool alpha = kind->colours & PNG_COLOR_MASK_ALPHA || kind->transparent;
    st_image image = {0}, header = {0};
    strait_error err = {0};
    if (st_png_read(&image, path, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_equal(image.width, kind->width);
    assert_int_equal(image.height, kind->height);
    assert_int_equal(image.channels, kind->colours & PNG_COLOR_MASK_COLOR ? 3 : 1);
    assert_int_equal(image.bits, kind->bits == 16 ? 16 : 8);
    assert_int_equal(image.had_alpha, alpha);
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++)
            for (int c = 0; c < image.channels; c++) {
                const int at = (y * image.width + x) * image.channels + c;
                const unsigned found =
                    image.bits == 16 ? ((uint16_t *)image.values)[at] : ((uint8_t *)image.values)[at];
                assert_int_equal(found, expected_value(kind, row_bytes, y, x, c));
            }
    st_free(image.values);
    assert_int_equal(st_png_read_header(&header, path, &err), STRAIT_OK);
    assert_null(header.values);
    assert_int_equal(header.width, kind->width);
    assert_int_equal(header.height, kind->height);
    assert_int_equal(header.channels, image.channels);
    assert_int_equal(header.bits, image.bits);
}

static void test_every_kind(void **state) {
    (void)state;
    static const struct {
        int colours, bits[6];
    } kinds[] = {
        {PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}}, {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},   {PNG_COLOR_TYPE_RGB, {8, 16}},
        {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}},     {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}},
    };
    int n = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int b = 0; kinds[k].bits[b]; b++)
            for (int interlace = 0; interlace < 2; interlace++, n++)
                for (int transparent = 0; transparent < 2; transparent++) {
                    const bool palette = kinds[k].colours == PNG_COLOR_TYPE_PALETTE;
                    if (transparent && kinds[k].colours & PNG_COLOR_MASK_ALPHA) continue;
                    check_kind(&(png_kind){.width = 13,
                                           .height = 9,
                                           .bits = kinds[k].bits[b],
                                           .colours = kinds[k].colours,
                                           .interlace = interlace,
                                           .n_palette = palette ? 1 << kinds[k].bits[b] : 0,
                                           .transparent = transparent});
                }
    assert_int_equal(n, 30);
}

/* What this room writes it reads as it was. */
static void test_round_trip(void **state) {
    (void)state;
    uint8_t bytes[7 * 5 * 3];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = noise(i);
    for (int channels = 1; channels <= 3; channels += 2) {
        st_image image = {0};
        assert_int_equal(st_png_write(test_path("own.png"), 7, 5, channels, bytes, NULL), STRAIT_OK);
        assert_int_equal(st_png_read(&image, test_path("own.png"), NULL), STRAIT_OK);
        assert_int_equal(image.channels, channels);
        assert_memory_equal(image.values, bytes, (size_t)(7 * 5 * channels));
        st_free(image.values);
    }
}

static void assert_fails(const char *path, strait_status code, const char *part) {
    st_image image = {0};
    strait_error err = {0};
    const strait_status status = st_png_read(&image, path, &err);
    if (status != code) fail_msg("%d: %s", (int)status, err.message);
    assert_null(image.values);
    assert_non_null(strstr(err.message, path));
    if (!strstr(err.message, part)) fail_msg("'%s' is not in: %s", part, err.message);
}

/* Cut anywhere a file is refused; so it is with any byte of its header changed. */
static void test_damaged(void **state) {
    (void)state;
    uint8_t bytes[4096];
    const char *path = test_path("whole.png");
    write_png_flat(path, 6, 5, 8, PNG_COLOR_TYPE_RGB, 77);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t k = 0; k < n; k++)
        assert_fails(test_file("cut.png", bytes, k), STRAIT_FORMAT, k < 8 ? "not a PNG file" : "PNG file: ");
    for (size_t k = 8; k < 33; k++) {
        bytes[k] ^= 0x21;
        assert_fails(test_file("changed.png", bytes, n), STRAIT_FORMAT, "");
        bytes[k] ^= 0x21;
    }
    assert_fails(test_path("none.png"), STRAIT_NOT_FOUND, "no such file");
    st_image header;
    assert_int_equal(st_png_read_header(&header, test_path("none.png"), NULL), STRAIT_NOT_FOUND);
}

static void put_size(uint8_t *bytes, uint32_t width, uint32_t height) {
    for (int i = 0; i < 4; i++) {
        bytes[16 + i] = (uint8_t)(width >> (24 - 8 * i));
        bytes[20 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
}

/* A header that lies is found out before its pixels take memory. */
static void test_lies(void **state) {
    (void)state;
    uint8_t bytes[4096] = {0};
    const char *path = test_path("small.png");
    write_png_flat(path, 2, 2, 8, PNG_COLOR_TYPE_GRAY, 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    put_size(bytes, 30000, 30000);
    assert_fails(test_file("bomb.png", bytes, n), STRAIT_FORMAT, "bytes cannot hold the 30000×30000 pixels announced");
    put_size(bytes, 1u << 31, 3);
    assert_fails(test_file("wide.png", bytes, n), STRAIT_FORMAT, "announces 2147483648×3 pixels");
    put_size(bytes, 0, 3);
    assert_fails(test_file("none.png", bytes, n), STRAIT_FORMAT, "announces 0×3 pixels");
    /* 4 KB of zeros deflated: a bit a pixel, which a palette makes three values of. Few enough grey ones are tried. */
    put_size(bytes, 16384, 2000);
    bytes[24] = 1;
    bytes[25] = PNG_COLOR_TYPE_PALETTE;
    assert_fails(test_file("blank.png", bytes, sizeof bytes), STRAIT_FORMAT,
                 "its 4096 bytes would become 98304000 values; more than 67108864 are read of an image");
    bytes[25] = PNG_COLOR_TYPE_GRAY;
    assert_fails(test_file("grey.png", bytes, sizeof bytes), STRAIT_FORMAT, "damaged PNG file: IHDR: CRC error");
}

static void test_failing_allocations(void **state) {
    (void)state;
    const char *path = test_path("allocate.png");
    write_png_flat(path, 6, 5, 8, PNG_COLOR_TYPE_RGB, 77);
    for (uint64_t n = 1;; n++) {
        st_image image = {0};
        strait_error err = {0};
        st_alloc_fail_at(n);
        const strait_status status = st_png_read(&image, path, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            st_free(image.values);
            assert_true(n > 3);
            return;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(image.values);
        assert_non_null(strstr(err.message, "out of memory"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind), cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_lies),       cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
