/* .npy files: header and data (NEP 1 format, versions 1.0 and 2.0). Number types, orders and byte orders are read as
   float32 here; the data room reads u8 and u16 in their own type through st_npy_parse. */
#ifndef ST_BASE_ARRAY_H
#define ST_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <strait/array.h>
#include "base/status.h"

typedef enum st_dtype { ST_U8, ST_U16, ST_F32 } st_dtype;
static inline size_t st_dtype_size(st_dtype type) {
    return type == ST_U8 ? 1 : type == ST_U16 ? 2 : 4;
}
const char *st_dtype_name(st_dtype type); /* "u8", "u16", "f32" */

typedef struct st_npy {
    char kind;     /* 'b' 'i' 'u' 'f' as numpy has them; of st_npy_parse_any also 'S' 'U', texts */
    int item_size; /* bytes */
    bool big_endian, fortran_order;
    int n_dims;
    int64_t dim[STRAIT_MAX_DIMS];
    size_t data_offset;
} st_npy;

/* Parses the header in the first n bytes of a .npy file; checks that shape and type are sane. path is for messages. */
strait_status st_npy_parse(st_npy *out, const char *bytes, size_t n, const char *path, strait_error *err);
/* The same, and arrays of texts of fixed length: bytes ('S'), code points of four bytes ('U'), zeros at their ends. */
strait_status st_npy_parse_any(st_npy *out, const char *bytes, size_t n, const char *path, strait_error *err);

/* Fills array, which has npy's shape, from the data behind the header: as float32, in C order. */
void st_npy_convert(strait_array *array, const st_npy *npy, const char *data);

/* What stands before the values of a .npy file, *n bytes of *out, the caller's. type as numpy has it ("<f4"), in C
   order. Errors: MEMORY. */
strait_status st_npy_header(char **out, size_t *n, const char *type, int n_dims, const int64_t *dim, strait_error *err);

/* Writes float32 values as .npy / .csv, atomically. */
strait_status st_npy_write(const strait_array *array, const char *path, strait_error *err);
strait_status st_csv_write(const strait_array *array, const char *path, strait_error *err);

#endif
