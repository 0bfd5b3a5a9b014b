#include "data/array_stream.h"

#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"

const char *st_label_name(const strait_data *data, int64_t label) {
    const st_source *source = data->source;
    return source->label_names && label >= 0 && label < source->n_label_names ? source->label_names[label] : NULL;
}

/* The next code point of UTF-8; a byte that begins none stands for itself. */
static uint32_t next_point(const char **text) {
    const unsigned char *at = (const unsigned char *)*text;
    int more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
    uint32_t c = more == 3 ? *at & 7u : more == 2 ? *at & 15u : more == 1 ? *at & 31u : *at;
    for (at++; more > 0 && (*at & 0xc0) == 0x80; more--)
        c = c << 6 | (*at++ & 0x3fu);
    *text = (const char *)at;
    return c;
}

static size_t count_points(const char *text) {
    size_t n = 0;
    while (*text) {
        next_point(&text);
        n++;
    }
    return n;
}

/* The longest name of the labels there are, in code points; 0 where one has no name. */
static size_t longest_name(const strait_data *data) {
    size_t longest = 1;
    for (int64_t i = 0; i < data->n; i++) {
        const char *name = st_label_name(data, strait_data_label(data, i));
        if (!name) return 0;
        const size_t n = count_points(name);
        longest = n > longest ? n : longest;
    }
    return longest;
}

static void type_of_samples(char type[32], const st_source *source) {
    const char order = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? '>' : '<';
    snprintf(type, 32, "%c%s", source->type == ST_U8 ? '|' : order,
             source->type == ST_U8    ? "u1"
             : source->type == ST_U16 ? "u2"
                                      : "f4");
}

strait_status st_array_stream_open(st_array_stream *out, strait_data *data, bool labels, strait_error *err) {
    const st_source *source = data->source;
    int64_t dim[1 + STRAIT_MAX_DIMS] = {data->n};
    int n_dims = 1;
    char type[32];
    *out = (st_array_stream){.data = data, .labels = labels, .loaded = -1};
    ST_TRY(st_source_check_uniform(source, err));
    if (labels) {
        const size_t longest = longest_name(data);
        const char order = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? '>' : '<';
        snprintf(type, sizeof type, longest ? "%cU%zu" : "%ci8", order, longest);
        out->texts = longest > 0;
        out->n_item = longest ? longest * sizeof(uint32_t) : sizeof(int64_t);
    } else {
        n_dims += st_data_shape(data, dim + 1);
        if (n_dims == 4 && dim[3] == 1) n_dims--; /* as images of one channel are usually kept */
        type_of_samples(type, source);
        out->n_item = (size_t)source->n_values * st_dtype_size(source->type);
    }
    out->item = st_alloc(out->n_item, 1);
    if (!out->item) return st_fail_memory(err, out->n_item, "a sample");
    const strait_status status = st_npy_header(&out->header, &out->n_header, type, n_dims, dim, err);
    out->n = out->n_header + (size_t)data->n * out->n_item;
    if (status != STRAIT_OK) st_array_stream_close(out);
    return status;
}

static void load_label(st_array_stream *b, int64_t i) {
    const int64_t label = strait_data_label(b->data, i);
    const char *name = b->texts ? st_label_name(b->data, label) : NULL;
    memset(b->item, 0, b->n_item);
    if (!name) {
        memcpy(b->item, &label, sizeof label);
        return;
    }
    for (size_t k = 0; *name && (k + 1) * sizeof(uint32_t) <= b->n_item; k++)
        ((uint32_t *)b->item)[k] = next_point(&name);
}

static void load(st_array_stream *b, int64_t i) {
    b->loaded = i;
    if (b->labels) {
        load_label(b, i);
        return;
    }
    const void *sample = NULL;
    b->status = st_source_sample(&sample, b->data->source, st_data_source_sample(b->data, i), b->item, &b->err);
    if (b->status == STRAIT_OK && sample != b->item) memcpy(b->item, sample, b->n_item);
}

size_t st_array_stream_read(st_array_stream *b, void *out, size_t n) {
    size_t got = 0;
    while (got < n && b->at < b->n && b->status == STRAIT_OK) {
        const char *from = b->header + b->at;
        size_t there = b->n_header - b->at;
        if (b->at >= b->n_header) {
            const size_t item = (b->at - b->n_header) / b->n_item, skip = (b->at - b->n_header) % b->n_item;
            if ((int64_t)item != b->loaded) load(b, (int64_t)item);
            if (b->status != STRAIT_OK) break;
            from = (const char *)b->item + skip;
            there = b->n_item - skip;
        }
        const size_t part = there < n - got ? there : n - got;
        memcpy((char *)out + got, from, part);
        got += part;
        b->at += part;
    }
    return got;
}

void st_array_stream_close(st_array_stream *bytes) {
    st_free(bytes->header);
    st_free(bytes->item);
    bytes->header = bytes->item = NULL;
}
