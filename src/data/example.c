/* Invariant: an extent handed on lies inside its message. */
#include "data/example.h"

#include <string.h>

/* ---- the wire ---- */

typedef enum wire { WIRE_VARINT = 0, WIRE_EIGHT = 1, WIRE_BYTES = 2, WIRE_FOUR = 5 } wire;

typedef struct field {
    uint64_t number;
    wire type;
    uint64_t varint;
    st_extent content; /* of BYTES, EIGHT and FOUR */
} field;

static const uint8_t *look_in_memory(st_message *message, uint64_t at) {
    return message->bytes + at;
}

st_message st_message_of(const void *bytes, uint64_t n) {
    return (st_message){.n = n, .bytes = bytes, .look = look_in_memory};
}

/* Takes a varint from the front of rest. */
static bool take_varint(uint64_t *out, st_extent *rest, st_message *message) {
    if (rest->n == 0) return false;
    const uint8_t *bytes = message->look(message, rest->at);
    if (!bytes) return false;
    uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < rest->n; i++) {
        value |= (uint64_t)(bytes[i] & 127) << 7 * i;
        if (bytes[i] & 128) continue;
        *out = value;
        rest->at += i + 1;
        rest->n -= i + 1;
        return true;
    }
    return false;
}

static bool take_extent(st_extent *out, st_extent *rest, uint64_t n) {
    if (n > rest->n) return false;
    *out = (st_extent){rest->at, n};
    rest->at += n;
    rest->n -= n;
    return true;
}

/* The next field of rest: 1, 0 at its end, -1 damaged. */
static int next_field(field *out, st_extent *rest, st_message *message) {
    uint64_t tag, n;
    if (rest->n == 0) return 0;
    if (!take_varint(&tag, rest, message)) return -1;
    *out = (field){.number = tag >> 3, .type = (wire)(tag & 7)};
    switch (out->type) {
    case WIRE_VARINT: return take_varint(&out->varint, rest, message) ? 1 : -1;
    case WIRE_EIGHT: return take_extent(&out->content, rest, 8) ? 1 : -1;
    case WIRE_FOUR: return take_extent(&out->content, rest, 4) ? 1 : -1;
    case WIRE_BYTES: return take_varint(&n, rest, message) && take_extent(&out->content, rest, n) ? 1 : -1;
    }
    return -1; /* groups, which nobody writes any more */
}

static bool is_bytes(const field *f, uint64_t number) {
    return f->type == WIRE_BYTES && f->number == number;
}

/* ---- lists ---- */

static bool count_bytes(st_feature *feature, st_message *message) {
    st_extent rest = feature->list;
    field f;
    int more;
    while ((more = next_field(&f, &rest, message)) > 0)
        if (is_bytes(&f, 1) && feature->n++ == 0) feature->bytes = f.content;
    return more == 0;
}

static bool count_floats(st_feature *feature, st_message *message) {
    st_extent rest = feature->list;
    field f;
    int more;
    while ((more = next_field(&f, &rest, message)) > 0) {
        if (is_bytes(&f, 1) && f.content.n % 4 != 0) return false;
        if (f.number == 1 && (f.type == WIRE_BYTES || f.type == WIRE_FOUR)) feature->n += (int64_t)(f.content.n / 4);
    }
    return more == 0;
}

/* The whole numbers of a list, from those of an inner, packed run on. */
typedef struct integers {
    st_message *message;
    st_extent rest, packed;
} integers;

static int next_integer(int64_t *out, integers *walk) {
    field f;
    uint64_t value;
    int more;
    while (walk->packed.n == 0) {
        if ((more = next_field(&f, &walk->rest, walk->message)) <= 0) return more;
        if (is_bytes(&f, 1)) walk->packed = f.content;
        if (f.number != 1 || f.type != WIRE_VARINT) continue;
        *out = (int64_t)f.varint;
        return 1;
    }
    if (!take_varint(&value, &walk->packed, walk->message)) return -1;
    *out = (int64_t)value;
    return 1;
}

static bool count_integers(st_feature *feature, st_message *message) {
    integers walk = {.message = message, .rest = feature->list};
    int64_t value;
    int more;
    while ((more = next_integer(&value, &walk)) > 0)
        if (feature->n++ == 0) feature->integer = value;
    return more == 0;
}

int64_t st_feature_integers(int64_t *dst, int64_t most, const st_feature *feature, st_message *message) {
    integers walk = {.message = message, .rest = feature->list};
    int64_t n = 0;
    int more = 1;
    while (n < most && (more = next_integer(&dst[n], &walk)) > 0)
        n++;
    return more < 0 ? -1 : n;
}

static bool copy_integers(float *dst, const st_feature *feature, st_message *message) {
    integers walk = {.message = message, .rest = feature->list};
    for (int64_t i = 0; i < feature->n; i++) {
        int64_t value;
        if (next_integer(&value, &walk) <= 0 || value > 1 << 24 || value < -(1 << 24)) return false;
        dst[i] = (float)value;
    }
    return true;
}

static bool copy_floats(float *dst, const st_feature *feature, st_message *message) {
    st_extent rest = feature->list;
    field f;
    int more;
    while ((more = next_field(&f, &rest, message)) > 0) {
        if (f.number != 1 || (f.type != WIRE_BYTES && f.type != WIRE_FOUR)) continue;
        memcpy(dst, message->bytes + f.content.at, f.content.n); /* little-endian, as this machine is */
        dst += f.content.n / 4;
    }
    return more == 0;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are copied as they lie in the file");

bool st_feature_numbers(float *dst, const st_feature *feature, const st_message *message) {
    st_message in_memory = *message;
    return feature->type == ST_LIST_FLOATS ? copy_floats(dst, feature, &in_memory)
                                           : copy_integers(dst, feature, &in_memory);
}

/* ---- features ---- */

/* A Feature: of several lists the last one counts. */
static bool take_feature(st_feature *out, st_extent content, st_message *message) {
    field f;
    int more;
    while ((more = next_field(&f, &content, message)) > 0) {
        if (f.type != WIRE_BYTES || f.number < ST_LIST_BYTES || f.number > ST_LIST_INTEGERS) continue;
        out->type = (st_list_type)f.number;
        out->list = f.content;
    }
    if (more < 0) return false;
    switch (out->type) {
    case ST_LIST_NONE: break;
    case ST_LIST_BYTES: return count_bytes(out, message);
    case ST_LIST_FLOATS: return count_floats(out, message);
    case ST_LIST_INTEGERS: return count_integers(out, message);
    }
    return true;
}

static bool take_key(st_feature *out, st_extent key, st_message *message) {
    const size_t n = key.n < sizeof out->key ? (size_t)key.n : sizeof out->key - 1;
    const uint8_t *bytes = n > 0 ? message->look(message, key.at) : NULL;
    if (n > 0 && !bytes) return false;
    for (size_t i = 0; i < n; i++)
        out->key[i] = bytes[i] < ' ' || bytes[i] == 127 ? '?' : (char)bytes[i];
    out->key[n] = '\0';
    return true;
}

static bool take_entry(st_feature *out, st_extent entry, st_message *message) {
    field f;
    int more;
    st_extent value = {0};
    *out = (st_feature){0};
    while ((more = next_field(&f, &entry, message)) > 0) {
        if (is_bytes(&f, 1) && !take_key(out, f.content, message)) return false;
        if (is_bytes(&f, 2)) value = f.content;
    }
    return more == 0 && take_feature(out, value, message);
}

st_example st_example_begin(st_message *message) {
    return (st_example){.message = message, .rest = {0, message->n}};
}

int st_example_next(st_feature *out, st_example *example) {
    field f;
    for (;;) {
        int more;
        while ((more = next_field(&f, &example->features, example->message)) > 0)
            if (is_bytes(&f, 1)) return take_entry(out, f.content, example->message) ? 1 : -1;
        if (more < 0) return -1;
        if ((more = next_field(&f, &example->rest, example->message)) <= 0) return more;
        if (is_bytes(&f, 1)) example->features = f.content;
    }
}

int st_example_find(st_feature *out, st_message *message, const char *key) {
    st_example example = st_example_begin(message);
    st_feature feature;
    int more, found = 0;
    while ((more = st_example_next(&feature, &example)) > 0) {
        if (strcmp(feature.key, key) != 0) continue;
        *out = feature;
        found = 1;
    }
    return more < 0 ? -1 : found;
}

/* ---- writing ---- */

static size_t put_varint(uint8_t out[10], uint64_t value) {
    size_t n = 0;
    for (; value >= 128; value >>= 7)
        out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

static size_t varint_bytes(uint64_t value) {
    uint8_t bytes[10];
    return put_varint(bytes, value);
}

static void add_varint(st_text *text, uint64_t value) {
    uint8_t bytes[10];
    st_text_add_bytes(text, bytes, put_varint(bytes, value));
}

/* The head of a field of n bytes, which are to follow. */
static void add_head(st_text *text, unsigned number, size_t n) {
    add_varint(text, number << 3 | WIRE_BYTES);
    add_varint(text, n);
}

/* What a field of n bytes takes, its head included. */
static size_t field_bytes(size_t n) {
    return 1 + varint_bytes(n) + n;
}

/* An entry of the map, but for the n bytes of its list, which are to follow. */
static void add_entry(st_text *text, const char *key, st_list_type type, size_t n) {
    const size_t key_bytes = strlen(key), feature = field_bytes(n);
    add_head(text, 1, field_bytes(key_bytes) + field_bytes(feature));
    add_head(text, 1, key_bytes);
    st_text_add_bytes(text, key, key_bytes);
    add_head(text, 2, feature);
    add_head(text, type, n);
}

void st_example_add_bytes(st_example_text *example, const char *key, const void *bytes, size_t n) {
    add_entry(&example->features, key, ST_LIST_BYTES, field_bytes(n));
    add_head(&example->features, 1, n);
    st_text_add_bytes(&example->features, bytes, n);
}

void st_example_add_integers(st_example_text *example, const char *key, const int64_t *value, int64_t n) {
    st_text *list = &example->list;
    list->length = 0;
    for (int64_t i = 0; i < n; i++)
        add_varint(list, (uint64_t)value[i]);
    add_entry(&example->features, key, ST_LIST_INTEGERS, field_bytes(list->length));
    add_head(&example->features, 1, list->length);
    st_text_add_bytes(&example->features, list->bytes, list->length);
    example->features.failed = example->features.failed || list->failed;
}

void st_example_finish(st_text *out, st_example_text *example) {
    add_head(out, 1, example->features.length);
    st_text_add_bytes(out, example->features.bytes, example->features.length);
    out->failed = out->failed || example->features.failed;
    example->features.length = 0;
}

void st_example_text_free(st_example_text *example) {
    st_text_free(&example->features);
    st_text_free(&example->list);
}
