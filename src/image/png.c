/* libpng reports failure by longjmp: encode() and decode() are the only functions it may leave, and keep no state of
   their own. */
#include "image/png.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"

/* What libpng's functions are given: a file being written, or the bytes of one being read. */
typedef struct codec {
    const char *path;
    st_file *file;              /* or, where it is NULL, */
    st_text *memory;            /* what is written goes here */
    const unsigned char *bytes; /* [n_bytes] of the file, of which `at` are used */
    size_t n_bytes, at;
    bool out_of_memory;
    char message[128];
} codec;

static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    codec *e = png_get_mem_ptr(png);
    void *block = st_alloc(size, 1);
    if (!block) e->out_of_memory = true;
    return block;
}

static void release(png_structp png, png_voidp block) {
    (void)png;
    st_free(block);
}

static void on_error(png_structp png, png_const_charp message) {
    codec *e = png_get_error_ptr(png);
    size_t n = 0;
    for (; message[n] && n + 1 < sizeof e->message; n++)
        e->message[n] = message[n];
    e->message[n] = 0;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t n) {
    codec *e = png_get_io_ptr(png);
    if (e->file)
        st_file_write(e->file, bytes, n); /* a failure is told on commit, ... */
    else
        st_text_add_bytes(e->memory, bytes, n); /* ... or when the text is taken */
}

static void flush(png_structp png) {
    (void)png;
}

static void read_bytes(png_structp png, png_bytep out, size_t n) {
    codec *e = png_get_io_ptr(png);
    if (n > e->n_bytes - e->at) png_error(png, "truncated");
    memcpy(out, e->bytes + e->at, n);
    e->at += n;
}

/* ---- writing ---- */

/* False when libpng gave up. */
static bool encode(png_structp png, png_infop info, const st_image *image) {
    if (setjmp(png_jmpbuf(png))) return false;
    const unsigned char *bytes = image->values;
    const size_t row = st_image_bytes(image) / (size_t)image->height;
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, image->bits,
                 image->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (image->bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(png);
    for (int y = 0; y < image->height; y++)
        png_write_row(png, bytes + (size_t)y * row);
    png_write_end(png, info);
    return true;
}

static strait_status check_picture(const char *name, const st_image *image, strait_error *err) {
    if (image->width >= 1 && image->height >= 1 && (image->channels == 1 || image->channels == 3)) return STRAIT_OK;
    return st_fail(err, STRAIT_ARGUMENT, "%s: a picture of %d×%d pixels with %d channels cannot be written", name,
                   image->width, image->height, image->channels);
}

/* Encodes to where e says. */
static strait_status encode_picture(codec *e, const st_image *image, strait_error *err) {
    bool good = false;
    png_infop info = NULL;
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, e, on_error, on_warning, e, allocate, release);
    if (png) info = png_create_info_struct(png);
    if (info) {
        png_set_write_fn(png, e, write_bytes, flush);
        good = encode(png, info, image);
    }
    png_destroy_write_struct(&png, &info);
    if (good) return STRAIT_OK;
    if (e->out_of_memory || !e->message[0])
        return st_fail_memory(err, (size_t)image->width * (size_t)image->channels, "writing a picture");
    return st_fail(err, STRAIT_IO, "%s: the picture cannot be encoded: %s", e->path, e->message);
}

strait_status st_png_write_image(const char *path, const st_image *image, strait_error *err) {
    codec e = {.path = path};
    ST_TRY(check_picture(path, image, err));
    ST_TRY(st_file_create(&e.file, path, err));
    const strait_status status = encode_picture(&e, image, err);
    if (status == STRAIT_OK) return st_file_commit(e.file, err);
    st_file_abandon(e.file);
    return status;
}

strait_status st_png_write(const char *path, int width, int height, int channels, const unsigned char *bytes,
                           strait_error *err) {
    const st_image image = {.width = width, .height = height, .channels = channels, .bits = 8, .values = (void *)bytes};
    return st_png_write_image(path, &image, err);
}

strait_status st_png_encode_image(char **out, size_t *n, const st_image *image, strait_error *err) {
    st_text memory = {0};
    codec e = {.path = "an image", .memory = &memory};
    *out = NULL;
    *n = 0;
    ST_TRY(check_picture(e.path, image, err));
    strait_status status = encode_picture(&e, image, err);
    if (status == STRAIT_OK) {
        *n = memory.length;
        status = st_text_take(out, &memory, err);
    }
    st_text_free(&memory);
    return status;
}

strait_status st_png_encode(char **out, size_t *n, int width, int height, int channels, const unsigned char *bytes,
                            strait_error *err) {
    const st_image image = {.width = width, .height = height, .channels = channels, .bits = 8, .values = (void *)bytes};
    return st_png_encode_image(out, n, &image, err);
}

/* ---- reading ---- */

/* The signature, and the header chunk: length, type, width, height, bits, colour type, three methods, CRC. */
enum { SIGNATURE_BYTES = 8, HEADER_BYTES = SIGNATURE_BYTES + 25, COLOURS_AT = SIGNATURE_BYTES + 17 };
static const unsigned char signature[SIGNATURE_BYTES] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/* What a chunk of text or a colour profile may take. */
#define MAX_CHUNK_BYTES ((png_alloc_size_t)8 << 20)
/* deflate makes no more than 1032 bytes of one (zlib's manual); with some to spare. */
#define MOST_INFLATED 1040
/* An image of fewer values may be as blank as it likes. */
#define FREE_VALUES ((uint64_t)1 << 26)

/* Samples in a pixel by colour type, 0 where there is no such type; a palette has one, its index. */
static const unsigned samples_of[] = {1, 0, 3, 1, 2, 0, 4};

static uint32_t big_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Size, channels and bits as they will be once read, from the file's first n bytes. */
static strait_status parse_header(st_image *out, const unsigned char *head, size_t n, const char *path,
                                  strait_error *err) {
    if (n < SIGNATURE_BYTES || memcmp(head, signature, SIGNATURE_BYTES) != 0)
        return st_fail(err, STRAIT_FORMAT, "%s: not a PNG file", path);
    if (n < HEADER_BYTES) return st_fail(err, STRAIT_FORMAT, "%s: truncated PNG file: ends in its header", path);
    const unsigned char *chunk = head + SIGNATURE_BYTES;
    const int bits = head[COLOURS_AT - 1], colours = head[COLOURS_AT];
    if (big_endian(chunk) != 13 || memcmp(chunk + 4, "IHDR", 4) != 0 || colours > 6 || samples_of[colours] == 0)
        return st_fail(err, STRAIT_FORMAT, "%s: damaged PNG file: its header is not one", path);
    const uint32_t width = big_endian(chunk + 8), height = big_endian(chunk + 12);
    *out = (st_image){.channels = colours & PNG_COLOR_MASK_COLOR ? 3 : 1,
                      .bits = bits == 16 ? 16 : 8,
                      .format = ST_IMAGE_PNG,
                      .had_alpha = (colours & PNG_COLOR_MASK_ALPHA) != 0};
    if (width == 0 || height == 0 || (uint64_t)width * height > (uint64_t)(ST_IMAGE_MAX_VALUES / out->channels))
        return st_fail(err, STRAIT_FORMAT,
                       "%s: its header announces %lu×%lu pixels; images of 1 to %lld values are read", path,
                       (unsigned long)width, (unsigned long)height, (long long)ST_IMAGE_MAX_VALUES);
    out->width = (int)width;
    out->height = (int)height;
    return STRAIT_OK;
}

strait_status st_png_read_header(st_image *out, const char *path, strait_error *err) {
    unsigned char head[HEADER_BYTES];
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", path);
    if (!file) return st_fail_errno(err, "%s: cannot open", path);
    const size_t n = fread(head, 1, sizeof head, file);
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) return st_fail(err, STRAIT_IO, "%s: cannot be read", path);
    return parse_header(out, head, n, path, err);
}

/* A header that announces more pixels than the file's bytes can inflate to is refused before memory is taken. A bit of
   a palette becomes three values: what is large only by that, a few kilobytes for seconds of work, is refused too. */
static strait_status check_size(const st_image *image, const codec *e, strait_error *err) {
    const unsigned char *head = e->bytes;
    const uint64_t bits = (uint64_t)image->width * samples_of[head[COLOURS_AT]] * head[COLOURS_AT - 1];
    const uint64_t values = (uint64_t)image->width * (uint64_t)image->height * (uint64_t)image->channels;
    if (bits / 8 * (uint64_t)image->height / MOST_INFLATED > e->n_bytes)
        return st_fail(err, STRAIT_FORMAT, "%s: damaged PNG file: its %zu bytes cannot hold the %d×%d pixels announced",
                       e->path, e->n_bytes, image->width, image->height);
    if (values <= FREE_VALUES || values / MOST_INFLATED <= e->n_bytes) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT,
                   "%s: its %zu bytes would become %llu values; more than %llu are read of an image that is next to "
                   "blank only when it is stored with 8 bits a channel",
                   e->path, e->n_bytes, (unsigned long long)values, (unsigned long long)FREE_VALUES);
}

/* 8 or 16 bits a channel, in this machine's byte order, no palette, no alpha. */
static void set_transforms(png_structp png, png_infop info) {
    const int colours = png_get_color_type(png, info), bits = png_get_bit_depth(png, info);
    if (colours == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (colours == PNG_COLOR_TYPE_GRAY && bits < 8) png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    if (bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(png);
}

/* False when libpng gave up, or the rows are not as long as the header has it. */
static bool decode(png_structp png, png_infop info, st_image *image) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_user_limits(png, (png_uint_32)image->width, (png_uint_32)image->height);
    png_set_chunk_malloc_max(png, MAX_CHUNK_BYTES);
    png_read_info(png, info);
    if (png_get_valid(png, info, PNG_INFO_tRNS)) image->had_alpha = true;
    set_transforms(png, info);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const size_t row = (size_t)image->width * (size_t)image->channels * (size_t)(image->bits / 8);
    if (png_get_rowbytes(png, info) != row) return false;
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < image->height; y++)
            png_read_row(png, (unsigned char *)image->values + (size_t)y * row, NULL);
    png_read_end(png, NULL);
    return true;
}

static strait_status decode_bytes(st_image *image, codec *e, strait_error *err) {
    ST_TRY(parse_header(image, e->bytes, e->n_bytes, e->path, err));
    ST_TRY(check_size(image, e, err));
    const size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    image->values = st_alloc(n, (size_t)image->bits / 8);
    if (!image->values) return st_fail_memory(err, n * (size_t)image->bits / 8, e->path);
    bool good = false, begun = false;
    png_infop info = NULL;
    png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, e, on_error, on_warning, e, allocate, release);
    if (png) info = png_create_info_struct(png);
    begun = info != NULL; /* which is NULL again when it is destroyed */
    if (begun) {
        png_set_read_fn(png, e, read_bytes);
        good = decode(png, info, image);
    }
    png_destroy_read_struct(&png, &info, NULL);
    if (good) return STRAIT_OK;
    if (e->out_of_memory || !begun) return st_fail_memory(err, n, e->path);
    return st_fail(err, STRAIT_FORMAT, "%s: damaged PNG file: %s", e->path,
                   e->message[0] ? e->message : "its rows are not as long as its header has it");
}

strait_status st_png_decode(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err) {
    st_image image = {0};
    codec e = {.path = name, .bytes = bytes, .n_bytes = n};
    const strait_status status = decode_bytes(&image, &e, err);
    if (status == STRAIT_OK) {
        *out = image;
    } else {
        st_free(image.values);
    }
    return status;
}

strait_status st_png_decode_header(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err) {
    return parse_header(out, bytes, n, name, err);
}

strait_status st_png_read(st_image *out, const char *path, strait_error *err) {
    char *bytes = NULL;
    size_t n = 0;
    ST_TRY(st_file_read(&bytes, &n, path, ST_IMAGE_MAX_FILE, err));
    const strait_status status = st_png_decode(out, bytes, n, path, err);
    st_free(bytes);
    return status;
}
