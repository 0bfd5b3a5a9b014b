/* A data set's samples or labels as the bytes of a .npy file, made as they are asked for. */
#ifndef ST_DATA_ARRAY_STREAM_H
#define ST_DATA_ARRAY_STREAM_H

#include "data/data_int.h"

typedef struct st_array_stream {
    strait_data *data;
    bool labels; /* else the samples */
    bool texts;  /* labels as their names */
    char *header;
    size_t n_header, n_item, n; /* bytes of the header, of one sample, of all */
    size_t at;                  /* bytes given so far */
    void *item;                 /* [n_item] of sample `loaded`, */
    int64_t loaded;             /* or of none: -1 */
    strait_status status;       /* of reading samples; once it is not OK nothing more is given */
    strait_error err;
} st_array_stream;

/* Begins. Labels are texts where the data set has names for them, else whole numbers. Errors: SHAPE (images of several
   sizes), MEMORY. */
strait_status st_array_stream_open(st_array_stream *out, strait_data *data, bool labels, strait_error *err);
/* The next up to n bytes; fewer than that only at the end, or when a sample cannot be read. */
size_t st_array_stream_read(st_array_stream *bytes, void *out, size_t n);
void st_array_stream_close(st_array_stream *bytes);

/* The name of a label, or NULL where labels have none. Borrowed. */
const char *st_label_name(const strait_data *data, int64_t label);

/* npz_write.c: arrays x and, with labels, y as a .npz file, atomically. Errors: IO, MEMORY, SHAPE, FORMAT. */
strait_status st_npz_write(const char *path, strait_data *data, strait_error *err);

#endif
