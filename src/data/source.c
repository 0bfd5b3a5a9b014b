#include "data/reader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/words.h"

static atomic_size_t chosen_resident_bytes;

size_t st_source_resident_bytes(void) {
    const size_t chosen = atomic_load(&chosen_resident_bytes), usual = (size_t)1 << 30;
    const size_t share = (size_t)st_memory_limit() / 4;
    return chosen ? chosen : share < usual ? share : usual;
}

void st_source_set_resident_bytes(size_t bytes) {
    atomic_store(&chosen_resident_bytes, bytes);
}

strait_status st_source_new(st_source **out, const st_reader *reader, const char *path, strait_error *err) {
    st_source *source = st_alloc(1, sizeof *source);
    if (!source) return st_fail_memory(err, sizeof *source, "a data source");
    source->reader = reader;
    atomic_init(&source->references, 1);
    source->path = st_strdup(path);
    if (!source->path) {
        st_source_release(source);
        return st_fail_memory(err, strlen(path) + 1, "a path");
    }
    *out = source;
    return STRAIT_OK;
}

st_source *st_source_share(st_source *source) {
    atomic_fetch_add(&source->references, 1);
    return source;
}

void st_source_release(st_source *source) {
    if (!source || atomic_fetch_sub(&source->references, 1) > 1) return;
    if (source->reader->close) source->reader->close(source);
    st_source_release(source->target);
    st_free(source->values);
    st_free(source->labels);
    st_words_free(source->words);
    st_free(source->note);
    st_free(source->label_option);
    st_free(source->key_option);
    st_free(source->proteins_option);
    st_free(source->sizes);
    st_free(source->mixed);
    st_free(source->missing);
    st_free(source->path);
    st_free(source);
}

bool st_array_bytes(size_t *bytes, st_dtype type, int n_dims, const int64_t *dim) {
    uint64_t total = st_dtype_size(type);
    for (int i = 0; i < n_dims; i++)
        if (__builtin_mul_overflow(total, (uint64_t)dim[i], &total) || total > ST_SOURCE_MAX_BYTES) return false;
    *bytes = (size_t)total;
    return true;
}

strait_status st_source_set_shape(size_t *bytes, st_source *source, int n_dims, const int64_t *dim, strait_error *err) {
    if (n_dims < 2)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: has %d dimension%s; a data set needs samples and their values, such as [n, height, width]",
                       source->path, n_dims, n_dims == 1 ? "" : "s");
    if (n_dims > 4)
        return st_fail(err, STRAIT_FORMAT, "%s: has %d dimensions; at most 4 are read: [n, height, width, channels]",
                       source->path, n_dims);
    for (int i = 0; i < n_dims; i++)
        if (dim[i] <= 0)
            return st_fail(err, STRAIT_FORMAT, "%s: holds no values: dimension %d is %lld", source->path, i,
                           (long long)dim[i]);
    if (!st_array_bytes(bytes, source->type, n_dims, dim))
        return st_fail(err, STRAIT_FORMAT, "%s: its header announces more than 1 TiB; it is damaged", source->path);
    if (dim[0] > UINT32_MAX)
        return st_fail(err, STRAIT_FORMAT, "%s: has %lld samples; at most %lld are read", source->path,
                       (long long)dim[0], (long long)UINT32_MAX);
    source->n_samples = dim[0];
    source->n_dims = n_dims - 1;
    source->n_values = 1;
    for (int i = 1; i < n_dims; i++) {
        source->dim[i - 1] = dim[i];
        source->n_values *= dim[i];
    }
    if (source->n_dims == 2) source->dim[source->n_dims++] = 1; /* an image has channels, if only one */
    return STRAIT_OK;
}

static int compare_words(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct ones of n sorted words, in order. */
static strait_status take_distinct(st_words **out, const char *const *sorted, int64_t n, strait_error *err) {
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0) st_words_add(words, sorted[i], strlen(sorted[i]));
    const strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

/* Control characters become '?': what a file says of itself is printed on terminals. */
static void make_printable(char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\0') || text[i] == 0x7f) text[i] = '?';
}

strait_status st_source_set_word_labels(st_source *source, const char *const *word, strait_error *err) {
    const size_t n = (size_t)source->n_samples;
    strait_status status = STRAIT_OK;
    const char **sorted = st_alloc(n, sizeof *sorted);
    source->labels = st_alloc(n, sizeof *source->labels);
    if (!sorted || !source->labels) {
        status = st_fail_memory(err, n * sizeof *sorted, "labels");
        goto done;
    }
    memcpy(sorted, word, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_words);
    status = take_distinct(&source->words, sorted, source->n_samples, err);
    if (status != STRAIT_OK) goto done;
    const char *const *names = source->words->at;
    for (size_t i = 0; i < n; i++) {
        const char *const *found = bsearch(&word[i], names, (size_t)source->words->n, sizeof *names, compare_words);
        source->labels[i] = found ? found - names : -1;
    }
    make_printable(source->words->text.bytes, source->words->text.length); /* not before: they were sorted */
    source->label_names = names;
    source->n_label_names = (int)source->words->n;
done:
    st_free(sorted);
    return status;
}

strait_status st_source_set_note(st_source *source, strait_error *err, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    st_format_into(text, sizeof text, format, args);
    va_end(args);
    make_printable(text, strlen(text));
    source->note = st_strdup(text);
    return source->note ? STRAIT_OK : st_fail_memory(err, strlen(text) + 1, "a note");
}

strait_status st_source_check_uniform(const st_source *source, strait_error *err) {
    if (!source->sizes) return STRAIT_OK;
    return st_fail(err, STRAIT_SHAPE,
                   "%s: its images have several sizes (%s); bring them to one: data: {resize: [h, w]}", source->path,
                   source->mixed ? source->mixed : "");
}
