/* JPEG files; the only use of libjpeg. It reports failure by a function that must not return: longjmp leaves begin()
   and decode() alone, which keep no state of their own. What libjpeg calls a warning and goes on from, a file cut short
   or bits that no code has, is an error here: the rest of the image would be grey. */
#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/memory.h"
#include "image/image_int.h"

/* A pixel takes at least a bit for a block of 64 in the first scan; eight blocks of brightness and one of each colour
   make 1536 values of 10 bits. */
#define MOST_INFLATED 1536
/* Progressive files with more scans than that are made to keep a reader busy. */
#define MAX_SCANS 512

typedef struct codec {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf leave;
    bool out_of_memory, truncated;
    char message[JMSG_LENGTH_MAX];
} codec;

static void on_error(j_common_ptr jpeg) {
    codec *e = jpeg->client_data;
    if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY) e->out_of_memory = true;
    jpeg->err->format_message(jpeg, e->message);
    longjmp(e->leave, 1);
}

static void on_message(j_common_ptr jpeg, int level) {
    codec *e = jpeg->client_data;
    if (level >= 0) return;
    const int code = jpeg->err->msg_code;
    if (code == JWRN_JPEG_EOF) e->truncated = true;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE ||
        code == JWRN_NOT_SEQUENTIAL || code == JWRN_BOGUS_PROGRESSION)
        on_error(jpeg);
}

static void on_output(j_common_ptr jpeg) {
    (void)jpeg; /* nothing goes to stderr */
}

static void on_progress(j_common_ptr jpeg) {
    codec *e = jpeg->client_data;
    if (e->jpeg.input_scan_number <= MAX_SCANS) return;
    snprintf(e->message, sizeof e->message, "more than %d scans", MAX_SCANS);
    longjmp(e->leave, 1);
}

static void open_codec(codec *e) {
    *e = (codec){0};
    e->jpeg.err = jpeg_std_error(&e->errors);
    e->errors.error_exit = on_error;
    e->errors.emit_message = on_message;
    e->errors.output_message = on_output;
    e->jpeg.client_data = e;
}

/* Up to the image's size and colours. One of file and bytes is given. False when libjpeg gave up. */
static bool begin(codec *e, FILE *file, const void *bytes, size_t n) {
    if (setjmp(e->leave)) return false;
    jpeg_create_decompress(&e->jpeg);
    e->progress.progress_monitor = on_progress;
    e->jpeg.progress = &e->progress;
    if (file) {
        jpeg_stdio_src(&e->jpeg, file);
    } else {
        jpeg_mem_src(&e->jpeg, bytes, (unsigned long)n);
    }
    jpeg_read_header(&e->jpeg, TRUE);
    return true;
}

static bool decode(codec *e, st_image *image) {
    if (setjmp(e->leave)) return false;
    const size_t row = (size_t)image->width * (size_t)image->channels;
    jpeg_start_decompress(&e->jpeg);
    if (e->jpeg.output_width != (JDIMENSION)image->width || e->jpeg.output_height != (JDIMENSION)image->height ||
        e->jpeg.output_components != image->channels)
        return false;
    while (e->jpeg.output_scanline < e->jpeg.output_height) {
        JSAMPROW to = (unsigned char *)image->values + (size_t)e->jpeg.output_scanline * row;
        jpeg_read_scanlines(&e->jpeg, &to, 1);
    }
    jpeg_finish_decompress(&e->jpeg);
    return true;
}

static strait_status fail(const codec *e, const char *name, strait_error *err) {
    if (e->out_of_memory) return st_fail_memory(err, 0, name);
    if (e->truncated) return st_fail(err, STRAIT_FORMAT, "%s: truncated JPEG file: fetch or copy it again", name);
    return st_fail(err, STRAIT_FORMAT, "%s: damaged JPEG file: %s", name,
                   e->message[0] ? e->message : "its rows are not as its header has them");
}

/* What the header says, and what colours are wanted. */
static strait_status take_header(st_image *out, codec *e, const char *name, strait_error *err) {
    const J_COLOR_SPACE colours = e->jpeg.jpeg_color_space;
    if (colours != JCS_GRAYSCALE && colours != JCS_RGB && colours != JCS_YCbCr)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: is a JPEG file for printing (CMYK) or of unknown colours; grey and RGB are read", name);
    if (e->jpeg.data_precision != 8)
        return st_fail(err, STRAIT_FORMAT, "%s: is a JPEG file of %d bits; 8 are read", name, e->jpeg.data_precision);
    *out = (st_image){.channels = colours == JCS_GRAYSCALE ? 1 : 3, .bits = 8, .format = ST_IMAGE_JPEG};
    e->jpeg.out_color_space = out->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    ST_TRY(st_image_check_size(name, e->jpeg.image_width, e->jpeg.image_height, out->channels, err));
    out->width = (int)e->jpeg.image_width;
    out->height = (int)e->jpeg.image_height;
    return STRAIT_OK;
}

strait_status st_jpeg_read_header(st_image *out, const char *path, strait_error *err) {
    codec e;
    open_codec(&e);
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", path);
    if (!file) return st_fail_errno(err, "%s: cannot open", path);
    const bool good = begin(&e, file, NULL, 0);
    const strait_status status = good ? take_header(out, &e, path, err) : fail(&e, path, err);
    jpeg_destroy_decompress(&e.jpeg);
    fclose(file);
    return status;
}

strait_status st_jpeg_decode_header(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err) {
    codec e;
    open_codec(&e);
    const bool good = begin(&e, NULL, bytes, n);
    const strait_status status = good ? take_header(out, &e, name, err) : fail(&e, name, err);
    jpeg_destroy_decompress(&e.jpeg);
    return status;
}

strait_status st_jpeg_decode(st_image *out, const void *bytes, size_t n, const char *name, strait_error *err) {
    st_image image = {0};
    codec e;
    open_codec(&e);
    strait_status status = begin(&e, NULL, bytes, n) ? take_header(&image, &e, name, err) : fail(&e, name, err);
    if (status == STRAIT_OK) status = st_image_alloc(&image, n, MOST_INFLATED, name, err);
    if (status == STRAIT_OK && !decode(&e, &image)) status = fail(&e, name, err);
    jpeg_destroy_decompress(&e.jpeg);
    if (status == STRAIT_OK) {
        *out = image;
    } else {
        st_free(image.values);
    }
    return status;
}
