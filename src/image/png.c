/* libpng reports failure by longjmp: encode() is the only function it may leave, and keeps no state of its own. */
#include "image/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>

#include "base/file.h"
#include "base/memory.h"

typedef struct encoder {
    const char *path;
    st_file *file;
    bool out_of_memory;
    char message[128];
} encoder;

static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    encoder *e = png_get_mem_ptr(png);
    void *block = st_alloc(size, 1);
    if (!block) e->out_of_memory = true;
    return block;
}

static void release(png_structp png, png_voidp block) {
    (void)png;
    st_free(block);
}

static void on_error(png_structp png, png_const_charp message) {
    encoder *e = png_get_error_ptr(png);
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
    encoder *e = png_get_io_ptr(png);
    st_file_write(e->file, bytes, n); /* a failure is told on commit */
}

static void flush(png_structp png) {
    (void)png;
}

/* False when libpng gave up. */
static bool encode(png_structp png, png_infop info, int width, int height, int channels, const unsigned char *bytes) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < height; y++)
        png_write_row(png, bytes + (size_t)y * (size_t)width * (size_t)channels);
    png_write_end(png, info);
    return true;
}

strait_status st_png_write(const char *path, int width, int height, int channels, const unsigned char *bytes,
                           strait_error *err) {
    if (width < 1 || height < 1 || (channels != 1 && channels != 3))
        return st_fail(err, STRAIT_ARGUMENT, "%s: a picture of %d×%d pixels with %d channels cannot be written", path,
                       width, height, channels);
    encoder e = {.path = path};
    ST_TRY(st_file_create(&e.file, path, err));
    bool good = false;
    png_infop info = NULL;
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &e, on_error, on_warning, &e, allocate, release);
    if (png) info = png_create_info_struct(png);
    if (info) {
        png_set_write_fn(png, &e, write_bytes, flush);
        good = encode(png, info, width, height, channels, bytes);
    }
    png_destroy_write_struct(&png, &info);
    if (good) return st_file_commit(e.file, err);
    st_file_abandon(e.file);
    if (e.out_of_memory || !e.message[0])
        return st_fail_memory(err, (size_t)width * (size_t)channels, "writing a picture");
    return st_fail(err, STRAIT_IO, "%s: the picture cannot be encoded: %s", path, e.message);
}
