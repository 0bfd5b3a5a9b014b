#include "image/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "image/image_int.h"
#include "image/png.h"

static const char *const names[] = {"unknown", "png", "jpeg", "tiff"};

const char *st_image_format_name(st_image_format format) {
    return names[format];
}

st_image_format st_image_format_of_bytes(const void *bytes, size_t n) {
    static const struct {
        const char *magic;
        size_t n;
        st_image_format format;
    } known[] = {
        {"\x89PNG\r\n\x1a\n", 8, ST_IMAGE_PNG},
        {"\xff\xd8\xff", 3, ST_IMAGE_JPEG},
        {"II*\0", 4, ST_IMAGE_TIFF},
        {"MM\0*", 4, ST_IMAGE_TIFF},
        {"II+\0", 4, ST_IMAGE_TIFF},
        {"MM\0+", 4, ST_IMAGE_TIFF},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= known[i].n && memcmp(bytes, known[i].magic, known[i].n) == 0) return known[i].format;
    return ST_IMAGE_UNKNOWN;
}

st_image_format st_image_format_of_name(const char *name) {
    static const struct {
        const char *ending;
        st_image_format format;
    } known[] = {{"png", ST_IMAGE_PNG},
                 {"jpg", ST_IMAGE_JPEG},
                 {"jpeg", ST_IMAGE_JPEG},
                 {"tif", ST_IMAGE_TIFF},
                 {"tiff", ST_IMAGE_TIFF}};
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name) return ST_IMAGE_UNKNOWN;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t n = strlen(known[i].ending);
        size_t same = 0;
        while (same < n && (dot[1 + same] | 32) == known[i].ending[same])
            same++;
        if (same == n && dot[1 + n] == '\0') return known[i].format;
    }
    return ST_IMAGE_UNKNOWN;
}

strait_status st_image_check_size(const char *name, uint64_t width, uint64_t height, int channels, strait_error *err) {
    const uint64_t most = (uint64_t)(ST_IMAGE_MAX_VALUES / channels);
    if (width > 0 && height > 0 && width <= most && height <= most / width) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT, "%s: its header announces %llu×%llu pixels; images of 1 to %lld values are read",
                   name, (unsigned long long)width, (unsigned long long)height, (long long)ST_IMAGE_MAX_VALUES);
}

strait_status st_image_alloc(st_image *image, uint64_t stored, unsigned most, const char *name, strait_error *err) {
    const size_t n = st_image_bytes(image);
    if (n / most > stored)
        return st_fail(err, STRAIT_FORMAT, "%s: is damaged: its %llu bytes cannot hold the %d×%d pixels announced",
                       name, (unsigned long long)stored, image->width, image->height);
    image->values = st_alloc(n, 1);
    return image->values ? STRAIT_OK : st_fail_memory(err, n, name);
}

/* By what the file begins with; else by its name, so that the format can say what is wrong. */
static strait_status look(st_image_format *out, const char *path, strait_error *err) {
    unsigned char head[8];
    if (st_path_exists(path) && !st_path_is_file(path)) /* a pipe would be waited for */
        return st_fail(err, STRAIT_FORMAT, "%s: is not a file", path);
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", path);
    if (!file) return st_fail_errno(err, "%s: cannot open", path);
    const size_t n = fread(head, 1, sizeof head, file);
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) return st_fail(err, STRAIT_IO, "%s: cannot be read", path);
    *out = st_image_format_of_bytes(head, n);
    if (*out == ST_IMAGE_UNKNOWN) *out = st_image_format_of_name(path);
    if (*out != ST_IMAGE_UNKNOWN) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT, "%s: not an image: neither PNG nor JPEG nor TIFF", path);
}

strait_status st_image_scan(const char *path,
                            strait_status (*page)(void *context, const st_image *header, strait_error *err),
                            void *context, strait_error *err) {
    st_image_format format;
    st_image header = {0};
    ST_TRY(look(&format, path, err));
    if (format == ST_IMAGE_TIFF) return st_tiff_scan(path, page, context, err);
    ST_TRY(format == ST_IMAGE_JPEG ? st_jpeg_read_header(&header, path, err) : st_png_read_header(&header, path, err));
    return page(context, &header, err);
}

strait_status st_image_read(st_image *out, const char *path, uint64_t place, strait_error *err) {
    st_image_format format;
    ST_TRY(look(&format, path, err));
    if (format == ST_IMAGE_TIFF) return st_tiff_read(out, path, place, err);
    char *bytes = NULL;
    size_t n = 0;
    ST_TRY(st_file_read(&bytes, &n, path, ST_IMAGE_MAX_FILE, err));
    const strait_status status =
        format == ST_IMAGE_JPEG ? st_jpeg_decode(out, bytes, n, path, err) : st_png_decode(out, bytes, n, path, err);
    st_free(bytes);
    return status;
}

static strait_status fail_unknown(const void *bytes, size_t n, const char *name, strait_error *err) {
    if (st_image_format_of_bytes(bytes, n) == ST_IMAGE_TIFF)
        return st_fail(err, STRAIT_FORMAT, "%s: is a TIFF image; PNG and JPEG are read here", name);
    return st_fail(err, STRAIT_FORMAT, "%s: neither a PNG nor a JPEG image", name);
}

strait_status st_image_decode(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err) {
    switch (st_image_format_of_bytes(bytes, n)) {
    case ST_IMAGE_PNG: return st_png_decode(out, bytes, n, name, err);
    case ST_IMAGE_JPEG: return st_jpeg_decode(out, bytes, n, name, err);
    default: return fail_unknown(bytes, n, name, err);
    }
}

strait_status st_image_decode_header(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err) {
    switch (st_image_format_of_bytes(bytes, n)) {
    case ST_IMAGE_PNG: return st_png_decode_header(out, bytes, n, name, err);
    case ST_IMAGE_JPEG: return st_jpeg_decode_header(out, bytes, n, name, err);
    default: return fail_unknown(bytes, n, name, err);
    }
}
