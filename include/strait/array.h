/* Plain float32 arrays and the files they live in (.npy, .csv, .png). */
#ifndef STRAIT_ARRAY_H
#define STRAIT_ARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STRAIT_MAX_DIMS 8

/* A dense row-major float32 array. dim[0] counts the samples. */
typedef struct strait_array {
    int n_dims;
    int64_t dim[STRAIT_MAX_DIMS];
    float *values; /* [dim[0], ..., dim[n_dims - 1]], owned by the array */
} strait_array;

/* Allocates a zeroed array of the given shape (1 to STRAIT_MAX_DIMS dims, each >= 0).
   The caller owns *out and frees it with strait_array_free. Errors: ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_array_new(strait_array **out, int n_dims, const int64_t *dim, strait_error *err);

/* Frees the array and its values; NULL is fine. */
STRAIT_API void strait_array_free(strait_array *array);

/* How many values the array holds: the product of its dims. */
STRAIT_API int64_t strait_array_count(const strait_array *array);

/* Reads a .npy file of any number type as float32 (C or Fortran order, either byte order).
   The caller owns *out. Errors: NOT_FOUND, IO, FORMAT (naming the file and what is wrong), MEMORY. */
STRAIT_API strait_status strait_array_read(strait_array **out, const char *path, strait_error *err);

/* Writes by the ending of path: .npy (float32, C order), .csv (one row a sample, no header, '.' as decimal point,
   9 significant digits so that reading gives the same float), .png (a sheet of images for arrays of shape
   [n, height, width, 1 or 3], values 0..1). Atomic: path is complete or untouched. Errors: ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_array_write(const strait_array *array, const char *path, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
