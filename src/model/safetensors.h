/* safetensors files: an 8-byte little-endian header length, a JSON header, then the values.
   https://github.com/huggingface/safetensors, "Format". The only user of jansson in this room. */
#ifndef ST_MODEL_SAFETENSORS_H
#define ST_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define ST_TENSOR_MAX_DIMS 8

/* A named float32 tensor. */
typedef struct st_named_tensor {
    const char *name;
    int n_dims;
    int64_t dim[ST_TENSOR_MAX_DIMS];
    const float *values;
} st_named_tensor;

typedef struct st_metadata {
    const char *key, *value;
} st_metadata;

/* Atomic; the same content gives the same bytes. Values are written in the order given, 64-byte aligned start. */
strait_status st_safetensors_write(const char *path, size_t n_tensors, const st_named_tensor *tensor, size_t n_metadata,
                                   const st_metadata *metadata, strait_error *err);

/* The same, for values that are made while the file is written: before (may be NULL) is called ahead of each tensor. */
strait_status st_safetensors_write_each(const char *path, size_t n_tensors, const st_named_tensor *tensor,
                                        size_t n_metadata, const st_metadata *metadata,
                                        strait_status (*before)(void *context, size_t tensor, strait_error *err),
                                        void *context, strait_error *err);

/* A file read whole; F32 tensors only (others are a FORMAT error naming the tensor). Every length, offset and shape
   of the header is checked against the file before use. */
typedef struct st_safetensors {
    size_t n_tensors, n_metadata;
    st_named_tensor *tensor;
    st_metadata *metadata;
    void *owned;
} st_safetensors;

strait_status st_safetensors_read(st_safetensors **out, const char *path, strait_error *err);
/* The same from the n bytes of a file in memory, which must come from st_alloc and are taken over, also on failure.
   path is for messages. */
strait_status st_safetensors_parse(st_safetensors **out, char *bytes, size_t n, const char *path, strait_error *err);
void st_safetensors_free(st_safetensors *file);
const st_named_tensor *st_safetensors_find(const st_safetensors *file, const char *name); /* or NULL */
const char *st_safetensors_metadata(const st_safetensors *file, const char *key);         /* or NULL */

#endif
