/* HDF5 files, through libhdf5; hdf5*.c alone know it. Calls from several threads take turns: the library is not made
   for threads. Nothing outside the file is followed: no external links, no external or virtual storage. What a file
   announces is believed only as far as ST_SOURCE_MAX_BYTES, and far more than its stored bytes could inflate to is
   taken for a trap. Files are opened by st_source_open alone, which has a reader rehearse first. */
#ifndef ST_DATA_HDF5_H
#define ST_DATA_HDF5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/array.h"
#include "base/status.h"
#include "data/words.h"

/* An open file; and a data set in it, which keeps the file open. */
typedef struct st_hdf5 st_hdf5;
typedef struct st_hdf5_set st_hdf5_set;

#define ST_HDF5_MAX_DIMS 8

typedef enum st_hdf5_kind { ST_HDF5_NOTHING, ST_HDF5_GROUP, ST_HDF5_SET } st_hdf5_kind;

/* What a data set, or a member of each of its records, holds. */
typedef enum st_hdf5_content {
    ST_HDF5_OTHER, /* references, opaque bytes, lists of lists */
    ST_HDF5_FLOAT,
    ST_HDF5_INTEGER,
    ST_HDF5_BOOLEAN, /* an enumeration, as h5py writes truth values */
    ST_HDF5_TEXT,
    ST_HDF5_RECORD, /* a compound with members */
} st_hdf5_content;

typedef struct st_hdf5_info {
    st_hdf5_content content;
    bool is_signed;   /* INTEGER */
    size_t item_size; /* bytes in the file */
    int n_dims;       /* 0: a single value. A member's own dims follow those of its data set. */
    int64_t dim[ST_HDF5_MAX_DIMS];
} st_hdf5_info;

/* The numbers a read can be asked for. */
typedef enum st_hdf5_number { ST_HDF5_U8, ST_HDF5_U16, ST_HDF5_F32, ST_HDF5_F64, ST_HDF5_I64 } st_hdf5_number;

/* ---- trials: libhdf5 itself crashes or runs for ever on files that were damaged on purpose (hdf5_apart.c) ---- */

typedef strait_status st_hdf5_work(void *context, strait_error *err);

/* Does work in a child process, as a rehearsal for this one: opens the file at path and what will be wanted of it, and
   leaves open what will be read from later. OK: it went well, and the same may be done here. Errors: the work's, and
   then it need not be done again (but for MEMORY, which is OK here: this process may have more); FORMAT where libhdf5
   did not come back; IO. */
strait_status st_hdf5_rehearse(st_hdf5_work *work, void *context, const char *path, strait_error *err);
/* Does work on the file at path, or a copy of it, in a child process alone: for what changes it. Errors: the work's;
 * FORMAT; IO. */
strait_status st_hdf5_do_apart(st_hdf5_work *work, void *context, const char *path, strait_error *err);

/* Whether n bytes begin as an HDF5 file does. */
bool st_hdf5_is(const uint8_t *head, size_t n);

/* For reading. Errors: IO, FORMAT (damaged, no HDF5), MEMORY. */
strait_status st_hdf5_open(st_hdf5 **out, const char *path, strait_error *err);
void st_hdf5_close(st_hdf5 *file); /* NULL is fine */
/* The path it was opened by, borrowed. */
const char *st_hdf5_path(const st_hdf5 *file);

/* What stands under name, "obs/n_counts"; NOTHING too where a link leads nowhere or out of the file. */
st_hdf5_kind st_hdf5_find(st_hdf5 *file, const char *name);

/* The names in a group, in the order of their bytes; the caller's. Errors: FORMAT, MEMORY. */
strait_status st_hdf5_list(st_words **out, st_hdf5 *file, const char *group, strait_error *err);
/* The data sets of numbers with at least two dims in the file, with their paths; at most `most`. */
strait_status st_hdf5_list_sets(st_words **out, st_hdf5 *file, int64_t most, strait_error *err);

/* A text attribute of a group or data set: the caller's; NULL where there is none of text. Errors: MEMORY. */
strait_status st_hdf5_attribute_text(char **out, st_hdf5 *file, const char *name, const char *attribute,
                                     strait_error *err);
/* All texts of an attribute; likewise. */
strait_status st_hdf5_attribute_texts(st_words **out, st_hdf5 *file, const char *name, const char *attribute,
                                      strait_error *err);
/* The n whole numbers of an attribute; false where there are not so many. */
bool st_hdf5_attribute_integers(int64_t *out, int64_t n, st_hdf5 *file, const char *name, const char *attribute);

/* Opens a data set. name is what messages call it. Errors: FORMAT (none there, damaged, beyond belief), MEMORY. */
strait_status st_hdf5_open_set(st_hdf5_set **out, st_hdf5 *file, const char *name, strait_error *err);
/* The data set that an attribute refers to. FORMAT where it does not. */
strait_status st_hdf5_open_reference(st_hdf5_set **out, st_hdf5 *file, const char *name, const char *attribute,
                                     strait_error *err);
void st_hdf5_close_set(st_hdf5_set *set); /* NULL is fine */

/* Of the whole, or of a record's member (member NULL: the whole). FORMAT when there is no such member. */
strait_status st_hdf5_describe(st_hdf5_info *out, st_hdf5_set *set, const char *member, strait_error *err);
/* The members' names; none for what is no record. The caller's. */
strait_status st_hdf5_members(st_words **out, st_hdf5_set *set, strait_error *err);

/* Rows [first, first + n) along the first dim as numbers, row after row; dst as big as that. Errors: FORMAT (not
   numbers; damaged; a filter that is not there), IO. */
strait_status st_hdf5_read(void *dst, st_hdf5_number type, st_hdf5_set *set, const char *member, int64_t first,
                           int64_t n, strait_error *err);
/* All texts of a data set of one dim, or of a single one. Control characters become '?'. The caller's. Errors: FORMAT,
   MEMORY. */
strait_status st_hdf5_read_texts(st_words **out, st_hdf5_set *set, const char *member, strait_error *err);

/* ---- writing into a copy of a file (hdf5_write.c) ---- */

/* For reading and writing. Errors: IO, FORMAT. */
strait_status st_hdf5_edit(st_hdf5 **out, const char *path, strait_error *err);
/* Everything to the disk's cache. Errors: IO. */
strait_status st_hdf5_flush(st_hdf5 *file, strait_error *err);
/* Makes a group unless there is one; takes away what stands under a name, if anything does. */
strait_status st_hdf5_make_group(st_hdf5 *file, const char *name, strait_error *err);
strait_status st_hdf5_remove(st_hdf5 *file, const char *name, strait_error *err);
/* New data sets: float32 [rows, columns]; a single text (UTF-8); a single whole number. */
strait_status st_hdf5_write_matrix(st_hdf5 *file, const char *name, const float *values, int64_t rows, int64_t columns,
                                   strait_error *err);
strait_status st_hdf5_write_text(st_hdf5 *file, const char *name, const char *text, strait_error *err);
strait_status st_hdf5_write_integer(st_hdf5 *file, const char *name, int64_t value, strait_error *err);
/* A text attribute on what stands under name. */
strait_status st_hdf5_write_attribute(st_hdf5 *file, const char *name, const char *attribute, const char *text,
                                      strait_error *err);
/* Data set `name` of records anew, with one more member (instead of one of its name): float32 [columns] a record; where
   there is no such data set, with that member alone. */
strait_status st_hdf5_add_member(st_hdf5 *file, const char *name, const char *member, const float *values, int64_t rows,
                                 int64_t columns, strait_error *err);

#endif
