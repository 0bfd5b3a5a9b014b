#include "base/array.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"

const char *st_dtype_name(st_dtype type) {
    return type == ST_U8 ? "u8" : type == ST_U16 ? "u16" : "f32";
}

/* ---- arrays ---- */

/* The product of dims; false when one is negative or when, counting a dim of 0 as 1, values of size bytes each would
   be more than memory can address: no product of some of the dims overflows then. */
static bool count_values(int64_t *count, int n_dims, const int64_t *dim, int64_t size) {
    int64_t bytes = size;
    *count = 1;
    for (int i = 0; i < n_dims; i++) {
        if (dim[i] < 0 || __builtin_mul_overflow(bytes, dim[i] ? dim[i] : 1, &bytes)) return false;
        *count *= dim[i];
    }
    return bytes <= PTRDIFF_MAX;
}

STRAIT_API strait_status strait_array_new(strait_array **out, int n_dims, const int64_t *dim, strait_error *err) {
    *out = NULL;
    if (n_dims < 1 || n_dims > STRAIT_MAX_DIMS)
        return st_fail(err, STRAIT_ARGUMENT, "an array has 1 to %d dimensions, not %d", STRAIT_MAX_DIMS, n_dims);
    int64_t count;
    if (!count_values(&count, n_dims, dim, sizeof(float)))
        return st_fail(err, STRAIT_ARGUMENT, "an array's dimensions must be 0 or more and its size must fit memory");
    strait_array *array = st_alloc(1, sizeof *array);
    if (!array) return st_fail_memory(err, sizeof *array, "an array");
    array->values = st_alloc_aligned((size_t)count * sizeof(float));
    if (!array->values) {
        st_free(array);
        return st_fail_memory(err, (size_t)count * sizeof(float), "an array");
    }
    array->n_dims = n_dims;
    memcpy(array->dim, dim, (size_t)n_dims * sizeof *dim);
    *out = array;
    return STRAIT_OK;
}

STRAIT_API void strait_array_free(strait_array *array) {
    if (!array) return;
    st_free(array->values);
    st_free(array);
}

STRAIT_API int64_t strait_array_count(const strait_array *array) {
    int64_t count = 1;
    for (int i = 0; i < array->n_dims; i++)
        count *= array->dim[i];
    return count;
}

/* ---- values of any number type as float32 ---- */

static float half_to_float(uint16_t half) {
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    double value;
    if (exponent == 31)
        value = fraction ? (double)NAN : (double)INFINITY;
    else
        value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return (float)(half & 0x8000 ? -value : value);
}

static float value_at(const st_npy *npy, const char *bytes) {
    uint64_t bits = 0;
    for (int i = 0; i < npy->item_size; i++) {
        const int at = npy->big_endian ? i : npy->item_size - 1 - i;
        bits = bits << 8 | (unsigned char)bytes[at];
    }
    if (npy->kind == 'f') {
        if (npy->item_size == 2) return half_to_float((uint16_t)bits);
        if (npy->item_size == 4) {
            const uint32_t low = (uint32_t)bits;
            float value;
            memcpy(&value, &low, sizeof value);
            return value;
        }
        double value;
        memcpy(&value, &bits, sizeof value);
        return (float)value;
    }
    if (npy->kind == 'b') return bits ? 1 : 0;
    if (npy->kind == 'u') return (float)bits;
    const int shift = 64 - 8 * npy->item_size; /* sign extension */
    return (float)((int64_t)(bits << shift) >> shift);
}

/* Index runs over the array in C order, the offset over the file in its own. */
void st_npy_convert(strait_array *array, const st_npy *npy, const char *data) {
    const int64_t count = strait_array_count(array);
    if (npy->kind == 'f' && npy->item_size == 4 && !npy->fortran_order &&
        npy->big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)) {
        if (count) memcpy(array->values, data, (size_t)count * sizeof(float));
        return;
    }
    int64_t stride[STRAIT_MAX_DIMS] = {0}, index[STRAIT_MAX_DIMS] = {0}, step = 1, offset = 0;
    for (int k = 0; k < npy->n_dims; k++) {
        const int i = npy->fortran_order ? k : npy->n_dims - 1 - k;
        stride[i] = step;
        step *= npy->dim[i];
    }
    for (int64_t n = 0; n < count; n++) {
        array->values[n] = value_at(npy, data + offset * npy->item_size);
        for (int i = npy->n_dims - 1; i >= 0; i--) {
            offset += stride[i];
            if (++index[i] < npy->dim[i]) break;
            offset -= stride[i] * npy->dim[i];
            index[i] = 0;
        }
    }
}

STRAIT_API strait_status strait_array_read(strait_array **out, const char *path, strait_error *err) {
    *out = NULL;
    char *bytes;
    size_t n;
    ST_TRY(st_file_read(&bytes, &n, path, PTRDIFF_MAX - 1, err));
    st_npy npy;
    strait_array *array = NULL;
    strait_status status = st_npy_parse(&npy, bytes, n, path, err);
    if (status == STRAIT_OK) {
        int64_t count = 0;
        count_values(&count, npy.n_dims, npy.dim, npy.item_size);
        const uint64_t wanted = (uint64_t)count * (uint64_t)npy.item_size, there = n - npy.data_offset;
        if (there < wanted)
            status = st_fail(err, STRAIT_FORMAT,
                             "%s: is cut short: its header promises %llu bytes of values, there are %llu", path,
                             (unsigned long long)wanted, (unsigned long long)there);
        else if (there > wanted)
            status = st_fail(err, STRAIT_FORMAT, "%s: has %llu bytes after the values its header promises", path,
                             (unsigned long long)(there - wanted));
        else
            status = strait_array_new(&array, npy.n_dims, npy.dim, err);
    }
    if (status == STRAIT_OK) st_npy_convert(array, &npy, bytes + npy.data_offset);
    st_free(bytes);
    *out = array;
    return status;
}

/* ---- the header of .npy: a Python dictionary on one line ---- */

typedef struct parser {
    const char *at, *end;
} parser;

static void skip_blanks(parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t'))
        p->at++;
}

/* Goes past the sign c, if it is next. */
static bool skip(parser *p, char c) {
    skip_blanks(p);
    if (p->at == p->end || *p->at != c) return false;
    p->at++;
    return true;
}

/* A quoted string of letters, digits and signs. */
static bool parse_string(parser *p, char out[32]) {
    const char quote = skip(p, '\'') ? '\'' : skip(p, '"') ? '"' : 0;
    if (!quote) return false;
    size_t n = 0;
    while (p->at < p->end && *p->at != quote && n < 31)
        out[n++] = *p->at++;
    out[n] = 0;
    return p->at < p->end && *p->at++ == quote;
}

static bool parse_word(parser *p, const char *word) {
    skip_blanks(p);
    const size_t n = strlen(word);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) return false;
    p->at += n;
    return true;
}

static bool parse_size(parser *p, int64_t *out) {
    skip_blanks(p);
    const char *start = p->at;
    int64_t value = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p->at - '0', &value))
            return false;
    if (p->at == start) return false;
    if (p->at < p->end && *p->at == 'L') p->at++; /* Python 2 wrote long integers so */
    *out = value;
    return true;
}

static strait_status parse_shape(st_npy *out, parser *p, const char *path, strait_error *err) {
    bool good = skip(p, '(');
    while (good && !skip(p, ')')) {
        int64_t size;
        good = parse_size(p, &size);
        if (!good) break;
        if (out->n_dims == STRAIT_MAX_DIMS)
            return st_fail(err, STRAIT_FORMAT, "%s: has more than %d dimensions", path, STRAIT_MAX_DIMS);
        out->dim[out->n_dims++] = size;
        if (!skip(p, ',')) {
            good = skip(p, ')');
            break;
        }
    }
    return good ? STRAIT_OK : st_fail(err, STRAIT_FORMAT, "%s: the shape in its .npy header is malformed", path);
}

static strait_status fail_type(const char *path, const char *type, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT,
                   "%s: holds values of type '%s'; Strait reads booleans, whole numbers and floats of up to 8 bytes",
                   path, type);
}

static strait_status parse_type(st_npy *out, const char *text, const char *path, strait_error *err) {
    const char order = text[0];
    int64_t size = 0;
    enum { LONGEST_TEXT = 1 << 16 };
    const bool known_order = order == '<' || order == '>' || order == '|' || order == '=';
    if (known_order && text[1] && st_parse_int(&size, text + 2)) {
        const bool power = size == 1 || size == 2 || size == 4 || size == 8;
        const bool whole = (text[1] == 'i' || text[1] == 'u') && power;
        if (whole || (text[1] == 'b' && size == 1) || (text[1] == 'f' && power && size > 1)) {
            out->kind = text[1];
            out->item_size = (int)size;
            out->big_endian = order == '>' || (order == '=' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
            return STRAIT_OK;
        }
        if ((text[1] == 'S' || text[1] == 'U') && size > 0 && size <= LONGEST_TEXT) {
            out->kind = text[1];
            out->item_size = (int)size * (text[1] == 'U' ? 4 : 1);
            out->big_endian = order == '>' || (order == '=' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
            return STRAIT_OK;
        }
    }
    return fail_type(path, text, err);
}
static strait_status parse_dictionary(st_npy *out, parser *p, const char *path, strait_error *err) {
    enum { TYPE = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
    int seen = 0;
    bool good = skip(p, '{');
    while (good && !skip(p, '}')) {
        char key[32], type[32];
        good = parse_string(p, key) && skip(p, ':');
        if (!good) break;
        if (strcmp(key, "descr") == 0 && !(seen & TYPE)) {
            seen |= TYPE;
            if (!parse_string(p, type))
                return st_fail(err, STRAIT_FORMAT, "%s: holds records, not plain numbers", path);
            ST_TRY(parse_type(out, type, path, err));
        } else if (strcmp(key, "fortran_order") == 0 && !(seen & ORDER)) {
            seen |= ORDER;
            out->fortran_order = parse_word(p, "True");
            good = out->fortran_order || parse_word(p, "False");
        } else if (strcmp(key, "shape") == 0 && !(seen & SHAPE)) {
            seen |= SHAPE;
            ST_TRY(parse_shape(out, p, path, err));
        } else {
            good = false;
        }
        if (good && !skip(p, ',')) {
            good = skip(p, '}');
            break;
        }
    }
    if (!good || seen != ALL) return st_fail(err, STRAIT_FORMAT, "%s: its .npy header is malformed", path);
    return STRAIT_OK;
}

strait_status st_npy_parse(st_npy *out, const char *bytes, size_t n, const char *path, strait_error *err) {
    ST_TRY(st_npy_parse_any(out, bytes, n, path, err));
    if (out->kind != 'S' && out->kind != 'U') return STRAIT_OK;
    char type[32];
    snprintf(type, sizeof type, "%c%c%d",
             out->kind == 'S'  ? '|'
             : out->big_endian ? '>'
                               : '<',
             out->kind, out->kind == 'S' ? out->item_size : out->item_size / 4);
    return fail_type(path, type, err);
}

strait_status st_npy_parse_any(st_npy *out, const char *bytes, size_t n, const char *path, strait_error *err) {
    *out = (st_npy){0};
    if (n < 6 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return st_fail(err, STRAIT_FORMAT, "%s: is not a .npy file (it does not begin with \\x93NUMPY)", path);
    const unsigned char *head = (const unsigned char *)bytes;
    const int version = n > 6 ? head[6] : 0;
    const size_t start = version == 1 ? 10 : 12; /* the length has two bytes, four from version 2 on */
    if (n >= start && (version < 1 || version > 3))
        return st_fail(err, STRAIT_FORMAT, "%s: is .npy version %d; Strait reads versions 1 to 3", path, version);
    if (n < start) return st_fail(err, STRAIT_FORMAT, "%s: is cut short in its .npy header", path);
    size_t length = (size_t)head[8] | (size_t)head[9] << 8;
    if (version > 1) length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    if (length > n - start) return st_fail(err, STRAIT_FORMAT, "%s: is cut short in its .npy header", path);
    out->data_offset = start + length;
    parser p = {bytes + start, bytes + start + length};
    ST_TRY(parse_dictionary(out, &p, path, err));
    int64_t count;
    if (out->n_dims == 0)
        return st_fail(err, STRAIT_FORMAT, "%s: holds a single value without dimensions, not an array", path);
    if (!count_values(&count, out->n_dims, out->dim, out->item_size > 8 ? out->item_size : 8))
        return st_fail(err, STRAIT_FORMAT, "%s: the shape in its .npy header is larger than any memory", path);
    return STRAIT_OK;
}

/* ---- writing ---- */

strait_status st_npy_header(char **out, size_t *n, const char *type, int n_dims, const int64_t *dim,
                            strait_error *err) {
    enum { PREFIX_BYTES = 10, ALIGNED_TO = 64 };
    st_text header = {0};
    st_text_add_bytes(&header, "\x93NUMPY\1\0\0\0", PREFIX_BYTES);
    st_text_add(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < n_dims; i++)
        st_text_add(&header, i + 1 < n_dims ? "%lld, " : "%lld", (long long)dim[i]);
    st_text_add(&header, n_dims == 1 ? ",), }" : "), }");
    while (!header.failed && (header.length + 1) % ALIGNED_TO != 0)
        st_text_add_bytes(&header, " ", 1);
    st_text_add_bytes(&header, "\n", 1);
    *n = header.length;
    ST_TRY(st_text_take(out, &header, err));
    const size_t length = *n - PREFIX_BYTES;
    (*out)[8] = (char)(length & 255);
    (*out)[9] = (char)(length >> 8);
    return STRAIT_OK;
}

strait_status st_npy_write(const strait_array *array, const char *path, strait_error *err) {
    char *header = NULL;
    size_t n = 0;
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    ST_TRY(st_npy_header(&header, &n, big_endian ? ">f4" : "<f4", array->n_dims, array->dim, err));
    st_file *file;
    strait_status status = st_file_create(&file, path, err);
    if (status == STRAIT_OK) {
        st_file_write(file, header, n);
        st_file_write(file, array->values, (size_t)strait_array_count(array) * sizeof(float));
        status = st_file_commit(file, err);
    }
    st_free(header);
    return status;
}

strait_status st_csv_write(const strait_array *array, const char *path, strait_error *err) {
    st_file *file;
    ST_TRY(st_file_create(&file, path, err));
    const int64_t n_rows = array->dim[0];
    int64_t n_columns = 1;
    for (int i = 1; i < array->n_dims; i++)
        n_columns *= array->dim[i];
    const float *value = array->values;
    for (int64_t row = 0; row < n_rows; row++) {
        for (int64_t column = 0; column < n_columns; column++) {
            char text[32];
            st_print_float(text, *value++);
            if (column) st_file_write(file, ",", 1);
            st_file_write(file, text, strlen(text));
        }
        st_file_write(file, "\n", 1);
    }
    return st_file_commit(file, err);
}
