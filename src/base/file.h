/* Whole-file reading and atomic writing.
   Invariant: a path given to st_file_create holds its old content, or the complete new one; never a part. */
#ifndef ST_BASE_FILE_H
#define ST_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

/* Reads a whole file; *out is NUL-terminated past its n bytes, the caller's (st_free). Refuses files over limit
   bytes. Errors: NOT_FOUND (missing), IO, MEMORY. */
strait_status st_file_read(char **out, size_t *n, const char *path, size_t limit, strait_error *err);

/* A file being written under a temporary name in the same folder. */
typedef struct st_file st_file;

/* Begins. Errors: IO (naming path), MEMORY. */
strait_status st_file_create(st_file **out, const char *path, strait_error *err);
/* Buffered; a failed write is remembered and reported by st_file_commit. */
void st_file_write(st_file *file, const void *bytes, size_t n);
/* Flushes, syncs, renames to the final path, syncs the folder; frees file whatever comes. Errors: IO (disk full, ...)
   naming the path; nothing is left behind then. */
strait_status st_file_commit(st_file *file, strait_error *err);
/* Gives up: removes the temporary file and frees; NULL is fine. */
void st_file_abandon(st_file *file);

/* create + write + commit. */
strait_status st_file_write_all(const char *path, const void *bytes, size_t n, strait_error *err);

/* Begins `to` with all bytes of a file. Errors: NOT_FOUND, IO, MEMORY. */
strait_status st_file_create_copy(st_file **out, const char *from, const char *to, strait_error *err);

/* Where the bytes go until the commit, for a library that opens files by name: what it writes there goes with the rest.
   Borrowed until then. Errors: IO. */
strait_status st_file_lend(const char **path, st_file *file, strait_error *err);

/* Copies a file atomically. */
strait_status st_file_copy(const char *from, const char *to, strait_error *err);

#endif
