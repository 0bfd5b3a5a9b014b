/* .npz files: .npy files in a zip container; the only use of libzip. Nothing of it is unpacked to a disk: a member is
   read into memory, which grows as its bytes arrive. The array with the samples and the one with the labels are those
   asked for, or found by what people call them, and told. */
#include <string.h>
#include <strait/array.h>
#include <zip.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/arrays.h"

/* deflate makes no more than 1032 bytes of one (zlib's manual); bzip2, lzma and zstd may, and numpy writes none. */
#define MOST_INFLATED 1040
enum { MAX_HEADER_BYTES = 1 << 20, MAX_MEMBERS = 1 << 16, FIRST_BLOCK = 1 << 20 };

typedef struct container {
    zip_t *zip;
    const char *path;
    int64_t n;
} container;

/* ---- members ---- */

/* A member's key is its name without .npy; *n bytes of what is returned. */
static const char *key_at(size_t *n, const container *c, int64_t i) {
    const char *name = zip_get_name(c->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
    if (!name) name = "";
    *n = strlen(name) - (st_ends_with(name, ".npy") ? 4 : 0);
    return name;
}

static int64_t find_key(const container *c, const char *key) {
    for (int64_t i = 0; i < c->n; i++) {
        size_t n = 0;
        const char *name = key_at(&n, c, i);
        if (strlen(key) == n && memcmp(name, key, n) == 0) return i;
    }
    return -1;
}

static strait_status fail_zip(const container *c, zip_error_t *error, const char *what, strait_error *err) {
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return st_fail_memory(err, 0, c->path);
    return st_fail(err, STRAIT_FORMAT, "%s: damaged .npz file: %s: %s", c->path, what, zip_error_strerror(error));
}

/* Up to n bytes; fewer only at the end of the member. */
static strait_status read_some(size_t *got, zip_file_t *file, const container *c, void *out, size_t n,
                               strait_error *err) {
    *got = 0;
    while (*got < n) {
        const zip_int64_t some = zip_fread(file, (char *)out + *got, n - *got);
        if (some < 0) return fail_zip(c, zip_file_get_error(file), "an array", err);
        if (some == 0) break;
        *got += (size_t)some;
    }
    return STRAIT_OK;
}

static strait_status parse_header(st_npy *npy, zip_file_t *file, const container *c, const char *what,
                                  strait_error *err) {
    char prefix[ST_NPY_PREFIX_BYTES];
    size_t got = 0;
    ST_TRY(read_some(&got, file, c, prefix, sizeof prefix, err));
    const size_t bytes = st_npy_header_bytes(prefix, got);
    if (bytes <= sizeof prefix) return st_npy_parse_any(npy, prefix, got, what, err);
    if (bytes > MAX_HEADER_BYTES)
        return st_fail(err, STRAIT_FORMAT, "%s: its .npy header claims %zu bytes; it is damaged", what, bytes);
    char *text = st_alloc(bytes, 1);
    if (!text) return st_fail_memory(err, bytes, what);
    memcpy(text, prefix, sizeof prefix);
    strait_status status = read_some(&got, file, c, text + sizeof prefix, bytes - sizeof prefix, err);
    if (status == STRAIT_OK) status = st_npy_parse_any(npy, text, sizeof prefix + got, what, err);
    st_free(text);
    return status;
}

/* Exactly n bytes and no more, into fresh memory that grows as they arrive. */
static strait_status take_bytes(void **out, zip_file_t *file, const container *c, const char *what, size_t n,
                                strait_error *err) {
    size_t capacity = n < FIRST_BLOCK ? n : FIRST_BLOCK, used = 0, got = 0;
    char *bytes = st_alloc(capacity, 1), more = 0;
    if (!bytes) return st_fail_memory(err, capacity, what);
    strait_status status = STRAIT_OK;
    for (;;) {
        status = read_some(&got, file, c, bytes + used, capacity - used, err);
        used += got;
        if (status != STRAIT_OK || used < capacity || used == n) break;
        const size_t larger = capacity < n / 2 ? capacity * 2 : n;
        char *block = st_realloc(bytes, larger, 1);
        if (!block) {
            status = st_fail_memory(err, larger, what);
            break;
        }
        bytes = block;
        capacity = larger;
    }
    if (status == STRAIT_OK && used < n)
        status = st_fail(err, STRAIT_FORMAT, "%s: truncated: ends after %zu of %zu bytes of values", what, used, n);
    if (status == STRAIT_OK) status = read_some(&got, file, c, &more, 1, err); /* and checks the CRC */
    if (status == STRAIT_OK && got > 0)
        status = st_fail(err, STRAIT_FORMAT, "%s: goes on after the %zu bytes its header announces", what, n);
    if (status == STRAIT_OK) {
        *out = bytes;
    } else {
        st_free(bytes);
    }
    return status;
}

/* FILE#KEY, for messages; the caller's. */
static char *member_name(const container *c, int64_t i) {
    size_t n = 0;
    const char *key = key_at(&n, c, i);
    return st_format("%s#%.*s", c->path, (int)n, key);
}

/* A bomb is refused by what the container says of it, before anything is inflated. */
static strait_status check_member(const container *c, int64_t i, const char *what, strait_error *err) {
    zip_stat_t info;
    zip_stat_init(&info);
    if (zip_stat_index(c->zip, (zip_uint64_t)i, 0, &info) != 0)
        return fail_zip(c, zip_get_error(c->zip), "its directory", err);
    const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if ((info.valid & wanted) != wanted || info.size > ST_SOURCE_MAX_BYTES ||
        info.size / MOST_INFLATED > info.comp_size)
        return st_fail(err, STRAIT_FORMAT, "%s: is damaged: its %llu bytes cannot hold the %llu it announces", what,
                       (unsigned long long)info.comp_size, (unsigned long long)info.size);
    return STRAIT_OK;
}

/* The header of member i and, with raw, the bytes of its values. */
static strait_status read_member(st_npy *npy, void **raw, const container *c, int64_t i, strait_error *err) {
    char *what = member_name(c, i);
    if (!what) return st_fail_memory(err, strlen(c->path), "a name");
    strait_status status = check_member(c, i, what, err);
    zip_file_t *file = status == STRAIT_OK ? zip_fopen_index(c->zip, (zip_uint64_t)i, 0) : NULL;
    if (status == STRAIT_OK && !file) status = fail_zip(c, zip_get_error(c->zip), what, err);
    if (status == STRAIT_OK) status = parse_header(npy, file, c, what, err);
    if (status == STRAIT_OK && raw) {
        uint64_t bytes = (uint64_t)npy->item_size;
        for (int k = 0; k < npy->n_dims; k++)
            if (__builtin_mul_overflow(bytes, (uint64_t)npy->dim[k], &bytes) || bytes > ST_SOURCE_MAX_BYTES)
                bytes = ST_SOURCE_MAX_BYTES;
        status = take_bytes(raw, file, c, what, (size_t)bytes, err);
    }
    if (file) zip_fclose(file);
    st_free(what);
    return status;
}

/* ---- which array is what ---- */

static bool same_word(const char *a, size_t n, const char *b) {
    size_t i = 0;
    while (i < n && b[i] && (a[i] >= 'A' && a[i] <= 'Z' ? a[i] | 32 : a[i]) == b[i])
        i++;
    return i == n && !b[i];
}

/* Arrays that are labels, whatever they go with. */
static bool is_label_key(const char *key, size_t n) {
    static const char *const words[] = {"y",       "labels",     "label",       "target",       "targets",
                                        "classes", "y_train",    "y_test",      "train_labels", "test_labels",
                                        "y_val",   "val_labels", "label_names", "target_names"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (same_word(key, n, words[i])) return true;
    return false;
}

static strait_status fail_no_samples(const container *c, const char *key, strait_error *err) {
    st_text keys = {0};
    char *list = NULL;
    for (int64_t i = 0; i < c->n && i < 20; i++) {
        size_t n = 0;
        const char *name = key_at(&n, c, i);
        st_text_add(&keys, "%s%.*s", i ? ", " : "", (int)n, name);
    }
    ST_TRY(st_text_take(&list, &keys, err));
    const strait_status status =
        key ? st_fail(err, STRAIT_ARGUMENT, "%s: holds no array '%s'; it holds %s", c->path, key, list)
            : st_fail(err, STRAIT_FORMAT, "%s: which of its arrays are the samples? name one, as %s#KEY: %s", c->path,
                      c->path, list);
    st_free(list);
    return status;
}

/* "test" stands for x_test and the like. */
static strait_status find_asked(int64_t *out, const container *c, const char *key, strait_error *err) {
    static const char *const before[] = {"", "x_", "X_", "images_", "", "", "", "data_"}, *const after[] = {
                                                                                              "",   "",        "",
                                                                                              "",   "_images", "_x",
                                                                                              "_X", ""};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        char *name = st_format("%s%s%s", before[i], key, after[i]);
        if (!name) return st_fail_memory(err, strlen(key), "a name");
        *out = find_key(c, name);
        st_free(name);
        if (*out >= 0) return STRAIT_OK;
    }
    return fail_no_samples(c, key, err);
}

static strait_status find_samples(int64_t *out, const container *c, const char *key, strait_error *err) {
    static const char *const words[] = {"x_train", "train_images", "images_train", "x",        "images",
                                        "image",   "data",         "samples",      "features", "arr_0"};
    if (key) return find_asked(out, c, key, err);
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (int64_t i = 0; i < c->n; i++) {
            size_t n = 0;
            const char *name = key_at(&n, c, i);
            if (!same_word(name, n, words[w])) continue;
            *out = i;
            return STRAIT_OK;
        }
    int64_t n_candidates = 0;
    for (int64_t i = 0; i < c->n; i++) {
        size_t n = 0;
        const char *name = key_at(&n, c, i);
        if (is_label_key(name, n)) continue;
        *out = i;
        n_candidates++;
    }
    return n_candidates == 1 ? STRAIT_OK : fail_no_samples(c, NULL, err);
}

/* -1 where there is none: the array asked for, one whose name goes with the samples', or one that is called labels. */
static strait_status find_labels(int64_t *out, const container *c, int64_t samples, const char *asked,
                                 strait_error *err) {
    static const char *const words[] = {"labels", "label", "y", "Y", "target", "targets", "classes"};
    *out = -1;
    if (asked && strcmp(asked, "none") == 0) return STRAIT_OK;
    if (asked) {
        *out = find_key(c, asked);
        return *out >= 0 ? STRAIT_OK : fail_no_samples(c, asked, err);
    }
    size_t n = 0;
    const char *name = key_at(&n, c, samples);
    for (int k = 0; *out < 0; k++) {
        char *label = NULL;
        ST_TRY(st_array_label_name(&label, name, n, k, err));
        if (!label) break;
        *out = find_key(c, label);
        st_free(label);
    }
    for (size_t w = 0; *out < 0 && w < sizeof words / sizeof *words; w++)
        *out = find_key(c, words[w]);
    if (*out < 0 && same_word(name, n, "arr_0")) *out = find_key(c, "arr_1");
    if (*out == samples) *out = -1;
    return STRAIT_OK;
}

/* ---- all of it ---- */

static strait_status tell_keys(st_source *source, const container *c, int64_t samples, int64_t labels,
                               strait_error *err) {
    st_text text = {0};
    char *note = NULL;
    size_t n = 0;
    const char *key = key_at(&n, c, samples);
    st_text_add(&text, "samples from %.*s", (int)n, key);
    if (labels >= 0) {
        key = key_at(&n, c, labels);
        st_text_add(&text, ", labels from %.*s", (int)n, key);
    }
    const char *between = "; it also holds ";
    for (int64_t i = 0; i < c->n && text.length < 300; i++) {
        if (i == samples || i == labels) continue;
        key = key_at(&n, c, i);
        st_text_add(&text, "%s%.*s", between, (int)n, key);
        between = ", ";
    }
    ST_TRY(st_text_take(&note, &text, err));
    const strait_status status = st_source_set_note(source, err, "%s", note);
    st_free(note);
    return status;
}

static strait_status fill_labels(st_source *source, const container *c, int64_t *labels, bool asked,
                                 strait_error *err) {
    st_npy npy;
    ST_TRY(read_member(&npy, NULL, c, *labels, err));
    if (!st_array_is_labels(&npy, source->n_samples)) {
        size_t n = 0;
        const char *key = key_at(&n, c, *labels);
        *labels = -1; /* it was a guess */
        return !asked ? STRAIT_OK
                      : st_fail(err, STRAIT_FORMAT, "%s: %.*s does not hold a label for each of the %lld samples",
                                c->path, (int)n, key, (long long)source->n_samples);
    }
    void *raw = NULL;
    size_t n = 0;
    const char *key = key_at(&n, c, *labels);
    ST_TRY(read_member(&npy, &raw, c, *labels, err));
    const strait_status status = st_array_label(source, &npy, raw, key, err);
    st_free(raw);
    return status;
}

static strait_status fill_source(st_source *source, const container *c, const st_source_options *options,
                                 strait_error *err) {
    int64_t samples = -1, labels = -1;
    st_npy npy;
    void *raw = NULL;
    size_t bytes = 0;
    ST_TRY(find_samples(&samples, c, options->key, err));
    ST_TRY(find_labels(&labels, c, samples, options->label, err));
    ST_TRY(read_member(&npy, NULL, c, samples, err));
    if (npy.kind == 'S' || npy.kind == 'U') {
        size_t n = 0;
        const char *key = key_at(&n, c, samples);
        return st_fail(err, STRAIT_FORMAT, "%s: %.*s holds texts, not numbers", c->path, (int)n, key);
    }
    ST_TRY(st_array_set_shape(&bytes, source, &npy, err));
    ST_TRY(read_member(&npy, &raw, c, samples, err));
    ST_TRY(st_array_fill(source, &npy, raw, err));
    if (labels >= 0) ST_TRY(fill_labels(source, c, &labels, options->label != NULL, err));
    return tell_keys(source, c, samples, labels, err);
}

static strait_status open_npz(st_source *source, const char *path, const st_source_options *options,
                              strait_error *err) {
    int code = 0;
    container c = {.zip = zip_open(path, ZIP_RDONLY, &code), .path = path};
    if (!c.zip) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const strait_status status = fail_zip(&c, &error, "its directory", err);
        zip_error_fini(&error);
        return status;
    }
    c.n = zip_get_num_entries(c.zip, 0);
    const strait_status status =
        c.n < 1 || c.n > MAX_MEMBERS
            ? st_fail(err, STRAIT_FORMAT, "%s: holds %lld arrays; 1 to %d are read", path, (long long)c.n, MAX_MEMBERS)
            : fill_source(source, &c, options, err);
    zip_discard(c.zip);
    return status;
}

/* A zip file by its name, or one whose first member is a .npy file. */
static bool probe_npz(const char *path, const uint8_t *head, size_t n) {
    if (st_ends_with(path, ".npz")) return true;
    if (n < 30 || memcmp(head, "PK\3\4", 4) != 0) return false;
    const size_t length = head[26] | (size_t)head[27] << 8;
    return length > 4 && 30 + length <= n && memcmp(head + 30 + length - 4, ".npy", 4) == 0;
}

const st_reader st_reader_npz = {.name = "npz", .keys = true, .probe = probe_npz, .open = open_npz};
