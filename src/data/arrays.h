/* Arrays as numpy writes them, alone (.npy) or in a zip container (.npz), as samples and as labels. */
#ifndef ST_DATA_ARRAYS_H
#define ST_DATA_ARRAYS_H

#include "data/reader.h"

/* Magic, version and the longer of the two forms of the header's length. */
enum { ST_NPY_PREFIX_BYTES = 12 };

/* How long the header is that begins with these n bytes, the prefix among them; 0 where they are too few, or none: then
   st_npy_parse says what is wrong. */
size_t st_npy_header_bytes(const void *prefix, size_t n);

/* Takes type and shape into the source: u1 and u2 keep their type, every other becomes f32; an array of one dimension
   is a value a sample. *bytes receives what the values take in the file. Errors: FORMAT. */
strait_status st_array_set_shape(size_t *bytes, st_source *source, const st_npy *npy, strait_error *err);

/* Fills in the values from raw, the array's bytes as they are in the file, whose shape st_array_set_shape has taken.
   raw is taken, whatever comes. Values that are not finite are counted (st_source_count_missing). Errors: FORMAT,
   MEMORY. */
strait_status st_array_fill(st_source *source, const st_npy *npy, void *raw, strait_error *err);

/* One sample of [the array's first dim] from raw, its bytes as they are in the file, in C order: dst is of the source's
   type. Errors: MEMORY. */
strait_status st_array_sample(void *dst, const st_source *source, const st_npy *npy, const void *raw,
                              strait_error *err);
/* Whether samples' bytes in the file are the values as they are wanted in memory. */
bool st_array_is_native(const st_npy *npy);

/* Whether the array can be labels of n samples: n of them, whole numbers, booleans, texts or floats. */
bool st_array_is_labels(const st_npy *npy, int64_t n);

/* Labels the samples by an array that st_array_is_labels: numbers stay what they are, texts are words. name is the
   array's, for messages. Errors: FORMAT (numbers that are not whole), MEMORY. */
strait_status st_array_label(st_source *source, const st_npy *npy, const void *raw, const char *name,
                             strait_error *err);

/* The k-th name, from 0, that labels of samples called `name` (of n bytes) go by, the caller's: "y_train" for
   "x_train", "labels" for "images". NULL in *out past the last. Errors: MEMORY. */
strait_status st_array_label_name(char **out, const char *name, size_t n, int k, strait_error *err);

#endif
