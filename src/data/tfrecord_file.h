/* The framing of TFRecord files: of each record its length, the length's CRC, the bytes, and their CRC, little-endian
   (tensorflow/tsl/lib/io/record_writer.h). */
#ifndef ST_DATA_TFRECORD_FILE_H
#define ST_DATA_TFRECORD_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/file.h"
#include "base/status.h"
#include "base/string.h"

/* A record's bytes in its file. */
typedef struct st_tfrecord {
    uint64_t at;
    uint32_t n;
    uint32_t crc; /* of them, as it stands behind them (masked); st_tfrecord_note_crc */
} st_tfrecord;

/* While a file is read from front to back by one thread: its bytes [begin, end), with at least `ahead` read at a time.
 */
typedef struct st_tfrecord_block {
    uint64_t begin, end;
    size_t ahead; /* at most sizeof bytes */
    uint8_t bytes[1 << 16];
} st_tfrecord_block;

typedef struct st_tfrecord_file {
    const char *path; /* borrowed */
    int fd;           /* -1: opened for each read */
    uint8_t *bytes;   /* of a gzip file, inflated; else NULL */
    uint64_t n_bytes;
    st_tfrecord_block *block; /* borrowed; NULL but while it is scanned */
} st_tfrecord_file;

/* Whether a file that begins with these n (inflated) bytes is one. */
bool st_tfrecord_is(const uint8_t *head, size_t n);

/* path stays the caller's. keep_open: else no descriptor is held between reads. What it has filled in when it fails is
   given to close all the same. Errors: NOT_FOUND, IO, MEMORY, FORMAT (a gzip file that is damaged, or larger than
   st_source_resident_bytes() less `held`). */
strait_status st_tfrecord_open(st_tfrecord_file *file, const char *path, bool keep_open, size_t held,
                               strait_error *err);
void st_tfrecord_close(st_tfrecord_file *file);

/* n bytes from at on, which the file has. From several threads at once, but with a block. Errors: IO, FORMAT (the file
 * has shrunk). */
strait_status st_tfrecord_bytes(void *dst, const st_tfrecord_file *file, uint64_t at, size_t n, strait_error *err);

/* Record number i, whose head stands at *at, which then is where the next one's does; the length's CRC is checked, the
   bytes are not looked at. *at < n_bytes. Errors: FORMAT naming file and record, IO. */
strait_status st_tfrecord_next(st_tfrecord *out, const st_tfrecord_file *file, int64_t i, uint64_t *at,
                               strait_error *err);

/* Takes the CRC that stands behind a record's bytes. Errors: IO, FORMAT. */
strait_status st_tfrecord_note_crc(st_tfrecord *record, const st_tfrecord_file *file, strait_error *err);

/* The bytes of record number i, checked by their CRC; the caller's. Errors: FORMAT, IO, MEMORY. */
strait_status st_tfrecord_read(uint8_t **out, const st_tfrecord_file *file, int64_t i, st_tfrecord record,
                               strait_error *err);

/* That record i will be read soon. */
void st_tfrecord_advise(const st_tfrecord_file *file, st_tfrecord record);

/* A record of n bytes behind what file has. */
void st_tfrecord_write(st_file *file, const void *bytes, size_t n);

#endif
