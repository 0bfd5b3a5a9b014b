/* TIFF files as microscopes write them; the only use of libtiff. The file is read by pread, page by page: a stack of
   thousands is never in memory whole. libtiff tells what is wrong through a handler that keeps the first message. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/string.h"
#include "image/image_int.h"

/* LZW's codes have up to 12 bits and stand for up to 4096 bytes; deflate, PackBits and JPEG make less of a byte. */
#define MOST_INFLATED 4096
/* What a table of a page may take. */
#define MAX_ALLOCATION ((tmsize_t)1 << 31)

typedef struct codec {
    const char *path;
    int fd;
    uint64_t size, at;
    TIFF *tiff;
    char message[160];
} codec;

/* How the samples of the page lie in the file. */
typedef struct layout {
    unsigned bits, samples; /* of a sample; in a pixel, alpha among them */
    bool planes;            /* one after another, not pixel by pixel */
    bool inverted;          /* 0 is white */
    const uint16_t *map[3]; /* of a palette, or NULL; libtiff's until the page is left */
    unsigned shift;         /* that makes a map's entries bytes */
} layout;

/* ---- the file ---- */

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t n) {
    codec *e = handle;
    tmsize_t got = 0;
    while (got < n) {
        const ssize_t some = pread(e->fd, (char *)out + got, (size_t)(n - got), (off_t)(e->at + (uint64_t)got));
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return -1;
        if (some == 0) break;
        got += some;
    }
    e->at += (uint64_t)got;
    return got;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t n) {
    (void)handle, (void)bytes, (void)n;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int from) {
    codec *e = handle;
    const uint64_t start = from == SEEK_SET ? 0 : from == SEEK_CUR ? e->at : e->size;
    if (start + offset > INT64_MAX) return (toff_t)-1;
    e->at = start + offset;
    return e->at;
}

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle) {
    return ((const codec *)handle)->size;
}

static int on_error(TIFF *tiff, void *context, const char *module, const char *format, va_list args) {
    codec *e = context;
    (void)tiff, (void)module;
    if (!e->message[0]) st_format_into(e->message, sizeof e->message, format, args);
    for (char *c = e->message; *c; c++)
        if ((unsigned char)*c < ' ') *c = ' ';
    return 1;
}

static int on_warning(TIFF *tiff, void *context, const char *module, const char *format, va_list args) {
    (void)tiff, (void)context, (void)module, (void)format, (void)args;
    return 1;
}

static strait_status fail(const codec *e, strait_error *err) {
    const size_t n = strlen(e->message);
    const bool stop = n > 0 && e->message[n - 1] == '.';
    return st_fail(err, STRAIT_FORMAT, "%s: damaged TIFF file: %.*s", e->path,
                   n > 0 ? (int)(n - stop) : (int)strlen("its pages cannot be read"),
                   n > 0 ? e->message : "its pages cannot be read");
}

static strait_status open_codec(codec *e, const char *path, const char *mode, strait_error *err) {
    *e = (codec){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat info;
    if (e->fd < 0 && errno == ENOENT) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", path);
    if (e->fd < 0) return st_fail_errno(err, "%s: cannot open", path);
    strait_status status = fstat(e->fd, &info) == 0 ? STRAIT_OK : st_fail_errno(err, "%s: cannot be read", path);
    TIFFOpenOptions *options = status == STRAIT_OK ? TIFFOpenOptionsAlloc() : NULL;
    if (options) {
        e->size = (uint64_t)info.st_size;
        TIFFOpenOptionsSetMaxSingleMemAlloc(options, MAX_ALLOCATION);
        TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, e);
        TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, e);
        e->tiff = TIFFClientOpenExt(path, mode, e, read_bytes, write_bytes, seek, close_nothing, size_of, NULL, NULL,
                                    options);
        TIFFOpenOptionsFree(options);
        if (!e->tiff) status = fail(e, err);
    } else if (status == STRAIT_OK) {
        status = st_fail_memory(err, 64, path);
    }
    if (status != STRAIT_OK) close(e->fd);
    return status;
}

static void close_codec(codec *e) {
    TIFFClose(e->tiff);
    close(e->fd);
}

/* ---- a page's header ---- */

static unsigned field(TIFF *tiff, uint32_t tag) {
    uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : 0;
}

/* Old writers left the high bytes of a palette empty. */
static void take_palette(layout *l) {
    l->shift = 0;
    for (int c = 0; c < 3; c++)
        for (unsigned i = 0; i < 1u << l->bits; i++)
            if (l->map[c][i] >= 256) l->shift = 8;
}

static strait_status fail_kind(const codec *e, const char *what, unsigned n, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT,
                   "%s: is TIFF with %s %u; grey (1, 2, 4, 8, 16 bits), RGB (8, 16 bits) and palettes are read, alpha "
                   "or not",
                   e->path, what, n);
}

/* Fills in channels, bits and layout by how colours are stored. */
static strait_status take_colours(st_image *out, layout *l, const codec *e, strait_error *err) {
    TIFF *tiff = e->tiff;
    uint16_t photometric = PHOTOMETRIC_MINISBLACK;
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    *l = (layout){.bits = field(tiff, TIFFTAG_BITSPERSAMPLE),
                  .samples = field(tiff, TIFFTAG_SAMPLESPERPIXEL),
                  .planes = field(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE,
                  .inverted = photometric == PHOTOMETRIC_MINISWHITE};
    const unsigned format = field(tiff, TIFFTAG_SAMPLEFORMAT);
    const bool grey = photometric == PHOTOMETRIC_MINISBLACK || l->inverted;
    const bool palette = photometric == PHOTOMETRIC_PALETTE;
    if (photometric == PHOTOMETRIC_YCBCR && field(tiff, TIFFTAG_COMPRESSION) == COMPRESSION_JPEG) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    } else if (!grey && !palette && photometric != PHOTOMETRIC_RGB) {
        return fail_kind(e, "colours of kind", photometric, err);
    }
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
        return fail_kind(e, format == SAMPLEFORMAT_IEEEFP ? "floating-point values, bits" : "values of format",
                         format == SAMPLEFORMAT_IEEEFP ? l->bits : format, err);
    const bool whole = l->bits == 8 || l->bits == 16, small = l->bits == 1 || l->bits == 2 || l->bits == 4;
    if (!(whole || (small && (grey || palette))) || (palette && l->bits == 16))
        return fail_kind(e, "bits", l->bits, err);
    const unsigned plain = grey || palette ? 1 : 3;
    if (l->samples < plain || l->samples > plain + 1 || (small && l->samples > 1))
        return fail_kind(e, "samples in a pixel", l->samples, err);
    if (palette) {
        uint16_t *map[3];
        if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
            return st_fail(err, STRAIT_FORMAT, "%s: damaged TIFF file: its palette is missing", e->path);
        for (int c = 0; c < 3; c++)
            l->map[c] = map[c];
        take_palette(l);
    }
    out->channels = grey ? 1 : 3;
    out->bits = l->bits == 16 ? 16 : 8;
    out->had_alpha = l->samples > plain;
    return STRAIT_OK;
}

static strait_status take_header(st_image *out, layout *l, const codec *e, strait_error *err) {
    uint32_t width = 0, height = 0;
    *out = (st_image){.format = ST_IMAGE_TIFF, .place = TIFFCurrentDirOffset(e->tiff)};
    TIFFGetField(e->tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(e->tiff, TIFFTAG_IMAGELENGTH, &height);
    ST_TRY(take_colours(out, l, e, err));
    ST_TRY(st_image_check_size(e->path, width, height, out->channels, err));
    if (!TIFFIsCODECConfigured((uint16_t)field(e->tiff, TIFFTAG_COMPRESSION)))
        return st_fail(err, STRAIT_FORMAT, "%s: is compressed in a way (%u) that this machine's libtiff cannot read",
                       e->path, field(e->tiff, TIFFTAG_COMPRESSION));
    out->width = (int)width;
    out->height = (int)height;
    return STRAIT_OK;
}

strait_status st_tiff_scan(const char *path,
                           strait_status (*page)(void *context, const st_image *header, strait_error *err),
                           void *context, strait_error *err) {
    codec e;
    layout l;
    ST_TRY(open_codec(&e, path, "rm", err));
    strait_status status = STRAIT_OK;
    int64_t n = 0;
    do {
        uint32_t kind = 0;
        st_image header;
        TIFFGetField(e.tiff, TIFFTAG_SUBFILETYPE, &kind);
        if (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) continue;
        status = take_header(&header, &l, &e, err);
        if (status == STRAIT_OK) status = page(context, &header, err);
        n++;
    } while (status == STRAIT_OK && TIFFReadDirectory(e.tiff));
    if (status == STRAIT_OK && e.message[0]) status = fail(&e, err);
    if (status == STRAIT_OK && n == 0)
        status = st_fail(err, STRAIT_FORMAT, "%s: holds no image but thumbnails and masks", path);
    close_codec(&e);
    return status;
}

/* ---- a page's pixels ---- */

/* A strip or a tile as it has been decoded, and where it goes. */
typedef struct chunk {
    const unsigned char *bytes;
    size_t row_bytes;
    unsigned samples;      /* in a pixel of it */
    unsigned first;        /* of the page's samples */
    uint32_t x, y, nx, ny; /* the part of the image it covers */
} chunk;

static unsigned sample_at(const layout *l, const unsigned char *row, size_t k) {
    if (l->bits == 8) return row[k];
    if (l->bits == 16) {
        uint16_t value;
        memcpy(&value, row + 2 * k, sizeof value);
        return value;
    }
    const size_t per_byte = 8 / l->bits;
    return (unsigned)row[k / per_byte] >> (per_byte - 1 - k % per_byte) * l->bits & ((1u << l->bits) - 1);
}

static void put(st_image *image, size_t at, unsigned value) {
    if (image->bits == 16) {
        ((uint16_t *)image->values)[at] = (uint16_t)value;
    } else {
        ((unsigned char *)image->values)[at] = (unsigned char)value;
    }
}

static void put_chunk(st_image *image, const layout *l, const chunk *part) {
    const unsigned top = (1u << l->bits) - 1, spread = l->bits < 8 ? 255 / top : 1;
    const size_t channels = (size_t)image->channels;
    for (uint32_t y = 0; y < part->ny; y++) {
        const unsigned char *row = part->bytes + y * part->row_bytes;
        const size_t to = ((size_t)(part->y + y) * (size_t)image->width + part->x) * channels;
        for (uint32_t x = 0; x < part->nx; x++) {
            if (l->map[0]) {
                const unsigned index = sample_at(l, row, (size_t)x * part->samples);
                for (unsigned c = 0; part->first == 0 && c < 3; c++)
                    put(image, to + x * channels + c, (unsigned)l->map[c][index] >> l->shift);
                continue;
            }
            for (unsigned s = 0; s < part->samples && part->first + s < channels; s++) {
                const unsigned value = sample_at(l, row, (size_t)x * part->samples + s);
                put(image, to + x * channels + part->first + s, (l->inverted ? top - value : value) * spread);
            }
        }
    }
}

/* Where strip or tile number i lies. */
static void place_chunk(chunk *part, uint32_t i, const st_image *image, TIFF *tiff) {
    const uint32_t width = (uint32_t)image->width, height = (uint32_t)image->height;
    uint32_t nx = width, ny = height;
    if (TIFFIsTiled(tiff)) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &nx);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &ny);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &ny);
    }
    nx = nx < width ? nx : width;
    ny = ny < height ? ny : height;
    const uint32_t across = (width + nx - 1) / nx, down = (height + ny - 1) / ny, k = i % (across * down);
    part->x = k % across * nx;
    part->y = k / across * ny;
    part->nx = part->x + nx > width ? width - part->x : nx;
    part->ny = part->y + ny > height ? height - part->y : ny;
    part->first = part->samples == 1 ? i / (across * down) : 0;
}

static strait_status decode(st_image *image, const layout *l, codec *e, strait_error *err) {
    TIFF *tiff = e->tiff;
    const bool tiled = TIFFIsTiled(tiff) != 0;
    const tmsize_t size = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    const tmsize_t row = tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
    const uint32_t n = tiled ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
    if (size <= 0 || row <= 0) return fail(e, err);
    if ((uint64_t)size / MOST_INFLATED > e->size + ((uint64_t)1 << 20) / MOST_INFLATED)
        return st_fail(err, STRAIT_FORMAT, "%s: damaged TIFF file: its tiles are larger than it can hold", e->path);
    unsigned char *bytes = st_alloc((size_t)size, 1);
    if (!bytes) return st_fail_memory(err, (size_t)size, e->path);
    strait_status status = STRAIT_OK;
    for (uint32_t i = 0; i < n && status == STRAIT_OK; i++) {
        chunk part = {.bytes = bytes, .row_bytes = (size_t)row, .samples = l->planes ? 1 : l->samples};
        place_chunk(&part, i, image, tiff);
        const tmsize_t got =
            tiled ? TIFFReadEncodedTile(tiff, i, bytes, size) : TIFFReadEncodedStrip(tiff, i, bytes, size);
        if (got < 0 || e->message[0]) {
            status = fail(e, err);
        } else if ((uint64_t)got < (uint64_t)row * part.ny) {
            status = st_fail(err, STRAIT_FORMAT, "%s: truncated TIFF file: fetch or copy it again", e->path);
        } else {
            put_chunk(image, l, &part);
        }
    }
    st_free(bytes);
    return status;
}

strait_status st_tiff_read(st_image *out, const char *path, uint64_t place, strait_error *err) {
    codec e;
    layout l;
    st_image image = {0};
    ST_TRY(open_codec(&e, path, place ? "rmh" : "rm", err));
    strait_status status =
        !place || TIFFSetSubDirectory(e.tiff, place) ? take_header(&image, &l, &e, err) : fail(&e, err);
    if (status == STRAIT_OK) status = st_image_alloc(&image, e.size, MOST_INFLATED, path, err);
    if (status == STRAIT_OK) status = decode(&image, &l, &e, err);
    close_codec(&e);
    if (status == STRAIT_OK) {
        *out = image;
    } else {
        st_free(image.values);
    }
    return status;
}
