/* Files read from front to back, inflated on the way when they are gzip. */
#ifndef ST_DATA_GZFILE_H
#define ST_DATA_GZFILE_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef struct st_gzfile st_gzfile;

/* Opens a file; gzip is told by its first bytes. Errors: NOT_FOUND, IO, MEMORY, FORMAT (damaged). */
strait_status st_gzfile_open(st_gzfile **out, const char *path, strait_error *err);

/* Reads up to n bytes; *got is less only where the file ends, wherever that is. Errors: IO, FORMAT (damaged gzip),
   MEMORY. */
strait_status st_gzfile_read(size_t *got, st_gzfile *file, void *dst, size_t n, strait_error *err);

/* Exactly the next n bytes: FORMAT "truncated, ends after N of M bytes" when there are fewer. */
strait_status st_gzfile_read_all(st_gzfile *file, void *dst, size_t n, strait_error *err);

/* As st_gzfile_read_all into fresh memory, the caller's (st_free), which grows as the bytes arrive: a header that lies
   about n costs no more memory than the file can fill. */
strait_status st_gzfile_take(void **out, st_gzfile *file, size_t n, strait_error *err);

/* Checks that the file ends here, its checksum included. */
strait_status st_gzfile_expect_end(st_gzfile *file, strait_error *err);

void st_gzfile_close(st_gzfile *file); /* NULL is fine */

#endif
