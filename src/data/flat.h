/* Arrays in plain files that are too large to keep: samples of one size, one behind another, each read by one pread
   when it is needed, by any thread. */
#ifndef ST_DATA_FLAT_H
#define ST_DATA_FLAT_H

#include "data/reader.h"

typedef struct st_flat {
    int fd;
    uint64_t first; /* byte of the file where sample 0 begins */
    size_t item;    /* bytes of a sample in the file */
} st_flat;

/* Opens the source's file, whose samples take `bytes` in all behind a header of so many; its shape is set. *found is
   false, and nothing is open, where they can be kept in memory, or where the file is not so long: compressed, or
   damaged, which the reader finds out when it reads all of it. Errors: IO. */
strait_status st_flat_open(st_flat *flat, bool *found, const st_source *source, size_t header, size_t bytes,
                           strait_error *err);
/* Sample i's bytes as they stand in the file, [item]. path: for messages. Errors: IO, FORMAT (the file has shrunk). */
strait_status st_flat_read(void *dst, const st_flat *flat, int64_t i, const char *path, strait_error *err);
/* Sample i will be read soon. */
void st_flat_advise(const st_flat *flat, int64_t i);
void st_flat_close(st_flat *flat);

#endif
