/* Reading and writing safetensors.
   Invariants of reading: nothing from the file is used before it was checked against the file's own length; when
   st_safetensors_parse succeeds, the tensors lie one behind another over the whole data part, without gap or overlap,
   sorted by place, each float aligned. */
#include "model/safetensors.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors holds little-endian floats");

#define LENGTH_BYTES 8
#define MAX_HEADER ((uint64_t)100000000) /* as the reference implementation */
#define ALIGNMENT 64                     /* of the data part in files written here: a cache line */

/* --- writing --- */

static uint64_t tensor_bytes(const st_named_tensor *tensor) {
    uint64_t bytes = sizeof *tensor->values;
    for (int i = 0; i < tensor->n_dims; i++)
        bytes *= (uint64_t)tensor->dim[i];
    return bytes;
}

static void add_header(st_text *text, size_t n_tensors, const st_named_tensor *tensor, size_t n_metadata,
                       const st_metadata *metadata) {
    const char *comma = "";
    st_text_add(text, "{");
    if (n_metadata) {
        st_text_add(text, "\"__metadata__\":{");
        for (size_t i = 0; i < n_metadata; i++) {
            if (i) st_text_add(text, ",");
            st_text_add_json(text, metadata[i].key);
            st_text_add(text, ":");
            st_text_add_json(text, metadata[i].value);
        }
        st_text_add(text, "}");
        comma = ",";
    }
    uint64_t offset = 0;
    for (size_t i = 0; i < n_tensors; i++) {
        st_text_add(text, "%s", comma);
        comma = ",";
        st_text_add_json(text, tensor[i].name);
        st_text_add(text, ":{\"dtype\":\"F32\",\"shape\":[");
        for (int d = 0; d < tensor[i].n_dims; d++)
            st_text_add(text, "%s%lld", d ? "," : "", (long long)tensor[i].dim[d]);
        const uint64_t end = offset + tensor_bytes(&tensor[i]);
        st_text_add(text, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)offset, (unsigned long long)end);
        offset = end;
    }
    st_text_add(text, "}");
    while (!text->failed && (text->length + LENGTH_BYTES) % ALIGNMENT)
        st_text_add(text, " ");
}

strait_status st_safetensors_write_each(const char *path, size_t n_tensors, const st_named_tensor *tensor,
                                        size_t n_metadata, const st_metadata *metadata,
                                        strait_status (*before)(void *context, size_t tensor, strait_error *err),
                                        void *context, strait_error *err) {
    st_text text = {0};
    add_header(&text, n_tensors, tensor, n_metadata, metadata);
    const uint64_t length = text.length;
    char *header = NULL;
    ST_TRY(st_text_take(&header, &text, err));
    st_file *file = NULL;
    strait_status status = STRAIT_OK;
    if (length > MAX_HEADER)
        status = st_fail(err, STRAIT_ARGUMENT, "%s: the names and metadata take %llu bytes, at most %llu are allowed",
                         path, (unsigned long long)length, (unsigned long long)MAX_HEADER);
    else
        status = st_file_create(&file, path, err);
    if (status == STRAIT_OK) {
        st_file_write(file, &length, sizeof length);
        st_file_write(file, header, length);
        for (size_t i = 0; i < n_tensors && status == STRAIT_OK; i++) {
            if (before) status = before(context, i, err);
            if (status == STRAIT_OK) st_file_write(file, tensor[i].values, tensor_bytes(&tensor[i]));
        }
        if (status == STRAIT_OK)
            status = st_file_commit(file, err);
        else
            st_file_abandon(file);
    }
    st_free(header);
    return status;
}

strait_status st_safetensors_write(const char *path, size_t n_tensors, const st_named_tensor *tensor, size_t n_metadata,
                                   const st_metadata *metadata, strait_error *err) {
    return st_safetensors_write_each(path, n_tensors, tensor, n_metadata, metadata, NULL, NULL, err);
}

/* --- reading --- */

/* What an open file stands on. */
typedef struct owned {
    char *bytes;    /* the file */
    float *aligned; /* the data part again, where it is not aligned in bytes; else NULL */
    json_t *root;   /* names and metadata are borrowed from here */
} owned;

/* A tensor's place in the data part. */
typedef struct place {
    uint64_t begin, end;
    size_t index; /* in the header, to keep the order of empty tensors */
} place;

/* Names in a file may be as long as they like; in messages they are not. */
#define NAME_FORMAT "'%.60s'"

/* A file being read: where it comes from, for messages, and what came of it so far. */
typedef struct reading {
    const char *path;
    st_safetensors *file;
    owned *owned;
    const char *data; /* the data part */
    uint64_t n_data;
    place *place; /* [file->n_tensors] */
    strait_error *err;
} reading;

/* A whole number >= 0 from the header. */
static bool read_size(uint64_t *out, const json_t *value) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* The shape, and how many bytes it means. */
static strait_status read_shape(uint64_t *bytes, st_named_tensor *tensor, const json_t *shape, const reading *r) {
    if (!json_is_array(shape) || json_array_size(shape) > ST_TENSOR_MAX_DIMS)
        return st_fail(r->err, STRAIT_FORMAT, "%s: tensor " NAME_FORMAT ": 'shape' is not a list of at most %d sizes",
                       r->path, tensor->name, ST_TENSOR_MAX_DIMS);
    *bytes = sizeof *tensor->values;
    for (size_t i = 0; i < json_array_size(shape); i++) {
        uint64_t size;
        if (!read_size(&size, json_array_get(shape, i)))
            return st_fail(r->err, STRAIT_FORMAT,
                           "%s: tensor " NAME_FORMAT ": its shape holds something that is not a "
                           "size",
                           r->path, tensor->name);
        if (__builtin_mul_overflow(*bytes, size, bytes) || *bytes > INT64_MAX)
            return st_fail(r->err, STRAIT_FORMAT, "%s: tensor " NAME_FORMAT ": its shape is too large", r->path,
                           tensor->name);
        tensor->dim[tensor->n_dims++] = (int64_t)size;
    }
    return STRAIT_OK;
}

static strait_status read_tensor(size_t index, const char *name, const json_t *entry, reading *r) {
    st_named_tensor *tensor = &r->file->tensor[index];
    tensor->name = name;
    const json_t *type = json_object_get(entry, "dtype"), *offsets = json_object_get(entry, "data_offsets");
    if (json_object_size(entry) != 3 || !json_is_string(type) || !json_object_get(entry, "shape") || !offsets)
        return st_fail(r->err, STRAIT_FORMAT,
                       "%s: tensor " NAME_FORMAT ": its entry must hold 'dtype', 'shape' and 'data_offsets'", r->path,
                       name);
    if (strcmp(json_string_value(type), "F32") != 0)
        return st_fail(r->err, STRAIT_FORMAT, "%s: tensor " NAME_FORMAT " has type '%.16s'; only F32 is read", r->path,
                       name, json_string_value(type));
    uint64_t bytes = 0;
    ST_TRY(read_shape(&bytes, tensor, json_object_get(entry, "shape"), r));
    place *at = &r->place[index];
    at->index = index;
    if (json_array_size(offsets) != 2 || !read_size(&at->begin, json_array_get(offsets, 0)) ||
        !read_size(&at->end, json_array_get(offsets, 1)) || at->begin > at->end)
        return st_fail(r->err, STRAIT_FORMAT, "%s: tensor " NAME_FORMAT ": 'data_offsets' is not [begin, end]", r->path,
                       name);
    if (at->end > r->n_data)
        return st_fail(r->err, STRAIT_FORMAT,
                       "%s: cut short, or its header lies: tensor " NAME_FORMAT " ends at byte %llu of the data, but "
                       "there are %llu",
                       r->path, name, (unsigned long long)at->end, (unsigned long long)r->n_data);
    if (at->end - at->begin != bytes)
        return st_fail(r->err, STRAIT_FORMAT,
                       "%s: tensor " NAME_FORMAT ": its shape needs %llu bytes, its offsets give %llu", r->path, name,
                       (unsigned long long)bytes, (unsigned long long)(at->end - at->begin));
    return STRAIT_OK;
}

static strait_status read_metadata(const json_t *object, reading *r) {
    if (!json_is_object(object))
        return st_fail(r->err, STRAIT_FORMAT, "%s: '__metadata__' is not a map of strings", r->path);
    const size_t n = json_object_size(object);
    r->file->metadata = st_alloc(n, sizeof *r->file->metadata);
    if (!r->file->metadata) return st_fail_memory(r->err, n * sizeof *r->file->metadata, r->path);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (!json_is_string(value))
            return st_fail(r->err, STRAIT_FORMAT, "%s: metadata " NAME_FORMAT " is not a string", r->path, key);
        r->file->metadata[r->file->n_metadata++] = (st_metadata){key, json_string_value(value)};
    }
    return STRAIT_OK;
}

static int compare_places(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorts the tensors by place and makes sure that they cover the data part exactly. */
static strait_status order_tensors(reading *r) {
    const size_t n = r->file->n_tensors;
    st_named_tensor *sorted = st_alloc(n, sizeof *sorted);
    if (!sorted) return st_fail_memory(r->err, n * sizeof *sorted, r->path);
    qsort(r->place, n, sizeof *r->place, compare_places);
    for (size_t i = 0; i < n; i++)
        sorted[i] = r->file->tensor[r->place[i].index];
    st_free(r->file->tensor);
    r->file->tensor = sorted;
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        if (r->place[i].begin != end)
            return st_fail(r->err, STRAIT_FORMAT,
                           "%s: tensor " NAME_FORMAT " begins at byte %llu of the data, but the one before it ends at "
                           "%llu: %s",
                           r->path, sorted[i].name, (unsigned long long)r->place[i].begin, (unsigned long long)end,
                           r->place[i].begin < end ? "they overlap" : "there is a gap");
        end = r->place[i].end;
    }
    if (end != r->n_data)
        return st_fail(r->err, STRAIT_FORMAT, "%s: %llu bytes follow the last tensor; the file is damaged", r->path,
                       (unsigned long long)(r->n_data - end));
    return STRAIT_OK;
}

/* Points the tensors at their values: in the file's bytes, or in an aligned copy of them. */
static strait_status place_values(reading *r) {
    const char *data = r->data;
    if ((uintptr_t)data % _Alignof(float) != 0) {
        r->owned->aligned = st_alloc(r->n_data, 1);
        if (!r->owned->aligned) return st_fail_memory(r->err, r->n_data, r->path);
        memcpy(r->owned->aligned, data, r->n_data);
        data = (const char *)r->owned->aligned;
    }
    for (size_t i = 0; i < r->file->n_tensors; i++)
        r->file->tensor[i].values = (const float *)(const void *)(data + r->place[i].begin);
    return STRAIT_OK;
}

/* The JSON header, once it has been found to lie within the file. */
static strait_status parse_header(const char *header, size_t length, reading *r) {
    json_error_t error = {0};
    json_t *root = r->owned->root = json_loadb(header, length, JSON_REJECT_DUPLICATES, &error);
    /* jansson leaves the error untouched, so unknown, where it could not even make an object. */
    if (!root && (json_error_code(&error) == json_error_out_of_memory || json_error_code(&error) == json_error_unknown))
        return st_fail_memory(r->err, length, r->path);
    if (!root)
        return st_fail(r->err, STRAIT_FORMAT, "%s: its header is not valid JSON: %s (byte %d)", r->path, error.text,
                       error.position);
    if (!json_is_object(root)) return st_fail(r->err, STRAIT_FORMAT, "%s: its header is not a JSON object", r->path);
    const size_t n = json_object_size(root);
    r->file->tensor = st_alloc(n, sizeof *r->file->tensor);
    r->place = st_alloc(n, sizeof *r->place);
    if (!r->file->tensor || !r->place) return st_fail_memory(r->err, n * sizeof *r->file->tensor, r->path);
    const char *name;
    json_t *entry;
    json_object_foreach(root, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            ST_TRY(read_metadata(entry, r));
        else
            ST_TRY(read_tensor(r->file->n_tensors++, name, entry, r));
    }
    ST_TRY(order_tensors(r));
    return place_values(r);
}

/* Finds header and data in the n bytes of the file. */
static strait_status parse_file(size_t n, reading *r) {
    if (n < LENGTH_BYTES)
        return st_fail(r->err, STRAIT_FORMAT, "%s: %zu bytes are too few for a safetensors file: cut short?", r->path,
                       n);
    uint64_t length;
    memcpy(&length, r->owned->bytes, sizeof length);
    const char *header = r->owned->bytes + LENGTH_BYTES;
    const uint64_t rest = n - LENGTH_BYTES;
    if (length > MAX_HEADER)
        return st_fail(r->err, STRAIT_FORMAT,
                       "%s: says that its header has %llu bytes, more than the %llu allowed: not a safetensors file?",
                       r->path, (unsigned long long)length, (unsigned long long)MAX_HEADER);
    if (length > rest)
        return st_fail(r->err, STRAIT_FORMAT,
                       "%s: cut short, or not a safetensors file: the header should have %llu bytes, but %llu follow",
                       r->path, (unsigned long long)length, (unsigned long long)rest);
    if (length == 0 || header[0] != '{')
        return st_fail(r->err, STRAIT_FORMAT, "%s: not a safetensors file: its header does not begin with '{'",
                       r->path);
    r->data = header + length;
    r->n_data = rest - length;
    return parse_header(header, length, r);
}

strait_status st_safetensors_parse(st_safetensors **out, char *bytes, size_t n, const char *path, strait_error *err) {
    *out = NULL;
    st_safetensors *file = st_alloc(1, sizeof *file);
    owned *own = st_alloc(1, sizeof *own);
    if (!file || !own) {
        st_free(file);
        st_free(own);
        st_free(bytes);
        return st_fail_memory(err, sizeof *file + sizeof *own, path);
    }
    file->owned = own;
    own->bytes = bytes;
    reading r = {.path = path, .file = file, .owned = own, .err = err};
    const strait_status status = parse_file(n, &r);
    st_free(r.place);
    if (status != STRAIT_OK) {
        st_safetensors_free(file);
        return status;
    }
    *out = file;
    return STRAIT_OK;
}

strait_status st_safetensors_read(st_safetensors **out, const char *path, strait_error *err) {
    char *bytes = NULL;
    size_t n = 0;
    *out = NULL;
    ST_TRY(st_file_read(&bytes, &n, path, PTRDIFF_MAX, err));
    return st_safetensors_parse(out, bytes, n, path, err);
}

void st_safetensors_free(st_safetensors *file) {
    if (!file) return;
    owned *own = file->owned;
    json_decref(own->root);
    st_free(own->bytes);
    st_free(own->aligned);
    st_free(own);
    st_free(file->tensor);
    st_free(file->metadata);
    st_free(file);
}

const st_named_tensor *st_safetensors_find(const st_safetensors *file, const char *name) {
    for (size_t i = 0; i < file->n_tensors; i++)
        if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
    return NULL;
}

const char *st_safetensors_metadata(const st_safetensors *file, const char *key) {
    for (size_t i = 0; i < file->n_metadata; i++)
        if (strcmp(file->metadata[i].key, key) == 0) return file->metadata[i].value;
    return NULL;
}
