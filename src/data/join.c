/* Several data sets as one: "A + B" puts the channels of A's and B's images side by side, "A -> B" pairs the samples of
   A, which a model is given, with those of B, which it should give. Samples belong together by their names, where each
   of A has one of its name in B (folders and all, but for the ending); else by their order, where there are as many. */
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/derive.h"

/* ---- who belongs to whom ---- */

typedef struct named {
    const char *name;
    size_t length; /* without the ending */
    int64_t sample;
} named;

static int compare_stems(const named *x, const named *y) {
    const int order = memcmp(x->name, y->name, x->length < y->length ? x->length : y->length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static int by_stem(const void *a, const void *b) {
    const named *x = a, *y = b;
    const int order = compare_stems(x, y);
    return order ? order : (x->sample > y->sample) - (x->sample < y->sample);
}

static int find_stem(const void *a, const void *b) {
    return compare_stems(a, b);
}

static named stem_of(const strait_data *data, int64_t i) {
    const char *name = strait_data_sample_name(data, i), *end = strrchr(st_path_name(name), '.');
    return (named){name, end && end > name ? (size_t)(end - name) : strlen(name), i};
}

/* index[i]: the source's sample in b that belongs to i of a; *lonely: the first of a without one. */
static void match_names(uint32_t *index, int64_t *lonely, named *sorted, const strait_data *a, const strait_data *b) {
    *lonely = -1;
    for (int64_t i = 0; i < b->n; i++)
        sorted[i] = stem_of(b, i);
    qsort(sorted, (size_t)b->n, sizeof *sorted, by_stem);
    for (int64_t i = 0; i < a->n && *lonely < 0; i++) {
        const named wanted = stem_of(a, i);
        const named *found = bsearch(&wanted, sorted, (size_t)b->n, sizeof *sorted, find_stem);
        if (found)
            index[i] = (uint32_t)st_data_source_sample(b, found->sample);
        else
            *lonely = i;
    }
}

static strait_status fail_match(const strait_data *a, const strait_data *b, int64_t lonely, strait_error *err) {
    const char *name = lonely >= 0 ? strait_data_sample_name(a, lonely) : NULL;
    return st_fail(err, STRAIT_FORMAT, "%s has %lld samples, %s has %lld%s%s%s; they must belong together one by one",
                   a->name, (long long)a->n, b->name, (long long)b->n, name ? ", and none called as " : "",
                   name ? name : "", name ? " is" : "");
}

/* *index [a->n]: the caller's. */
static strait_status match(uint32_t **out, const strait_data *a, const strait_data *b, strait_error *err) {
    const bool names = a->source->names && b->source->names;
    uint32_t *index = st_alloc((size_t)a->n, sizeof *index);
    named *sorted = names ? st_alloc((size_t)b->n, sizeof *sorted) : NULL;
    int64_t lonely = names ? 0 : -1;
    strait_status status = STRAIT_OK;
    *out = NULL;
    if (!index || (names && !sorted))
        status = st_fail_memory(err, (size_t)a->n * sizeof *index, "a list of samples");
    else if (names)
        match_names(index, &lonely, sorted, a, b);
    const bool matched = names && lonely < 0;
    if (status == STRAIT_OK && !matched && a->n != b->n) status = fail_match(a, b, lonely, err);
    for (int64_t i = 0; i < a->n && status == STRAIT_OK && !matched; i++)
        index[i] = (uint32_t)st_data_source_sample(b, i);
    st_free(sorted);
    if (status == STRAIT_OK) {
        *out = index;
    } else {
        st_free(index);
    }
    return status;
}

/* Sample for sample the same type and size; channels too where that is wanted. */
static strait_status check_sizes(const strait_data *a, const strait_data *b, const uint32_t *index, bool channels,
                                 strait_error *err) {
    const st_source *x = a->source, *y = b->source;
    if (x->type != y->type || x->n_dims != y->n_dims)
        return st_fail(err, STRAIT_SHAPE, "%s and %s hold samples of two kinds (%s, %d dimensions; %s, %d)", a->name,
                       b->name, st_dtype_name(x->type), x->n_dims, st_dtype_name(y->type), y->n_dims);
    for (int64_t i = 0; i < a->n; i++) {
        int64_t one[3], other[3];
        st_source_image_shape(one, x, st_data_source_sample(a, i));
        st_source_image_shape(other, y, index[i]);
        if (one[0] == other[0] && one[1] == other[1] && (!channels || one[2] == other[2])) continue;
        return st_fail(err, STRAIT_SHAPE, "sample %lld%s%s is %lld×%lld×%lld in %s, %lld×%lld×%lld in %s", (long long)i,
                       x->names ? ", " : "", x->names ? strait_data_sample_name(a, i) : "", (long long)one[0],
                       (long long)one[1], (long long)one[2], a->name, (long long)other[0], (long long)other[1],
                       (long long)other[2], b->name);
    }
    return STRAIT_OK;
}

/* ---- pairs ---- */

/* A source of the samples `index` of data's; one reference. */
static strait_status take_samples(st_source **out, const strait_data *data, const uint32_t *index, int64_t n,
                                  strait_error *err) {
    const strait_data view = {.source = data->source, .name = data->name, .n = n, .index = (uint32_t *)index};
    return st_derive(out, data->source, &view, &(st_derivation){0}, err);
}

static strait_status pair(strait_data **out, const strait_data *a, const strait_data *b, const char *name,
                          strait_error *err) {
    uint32_t *index = NULL, *own = NULL;
    st_source *input = NULL;
    ST_TRY(match(&index, a, b, err));
    strait_status status = check_sizes(a, b, index, true, err);
    if (status == STRAIT_OK && !(own = st_alloc((size_t)a->n, sizeof *own)))
        status = st_fail_memory(err, (size_t)a->n * sizeof *own, "a list of samples");
    for (int64_t i = 0; i < a->n && status == STRAIT_OK; i++)
        own[i] = (uint32_t)st_data_source_sample(a, i);
    if (status == STRAIT_OK) status = take_samples(&input, a, own, a->n, err);
    if (status == STRAIT_OK) status = take_samples(&input->target, b, index, a->n, err);
    st_free(index);
    st_free(own);
    if (status == STRAIT_OK) return st_data_new(out, input, name, err);
    st_source_release(input);
    return status;
}

/* ---- channels side by side ---- */

typedef struct joined {
    st_source *part[2];
    uint32_t *index[2]; /* [n_samples] of each part */
    const char **names;
} joined;

static strait_status read_joined(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const joined *j = source->state;
    const size_t size = st_dtype_size(source->type);
    int64_t shape[3], first = 0;
    st_source_image_shape(shape, source, i);
    for (int p = 0; p < 2; p++) {
        const st_source *part = j->part[p];
        const size_t bytes = (size_t)part->n_values * size;
        void *scratch = part->values ? NULL : st_alloc(bytes, 1);
        const void *sample = NULL;
        if (!part->values && !scratch) return st_fail_memory(err, bytes, "a sample");
        const strait_status status = st_source_raw_sample(&sample, part, j->index[p][i], scratch, err);
        const int64_t channels = part->dim[part->n_dims - 1];
        for (int64_t k = 0; status == STRAIT_OK && k < shape[0] * shape[1]; k++)
            memcpy((char *)dst + (size_t)(k * shape[2] + first) * size,
                   (const char *)sample + (size_t)(k * channels) * size, (size_t)channels * size);
        st_free(scratch);
        ST_TRY(status);
        first += channels;
    }
    return STRAIT_OK;
}

static void close_joined(st_source *source) {
    joined *j = source->state;
    if (!j) return;
    for (int p = 0; p < 2; p++) {
        st_source_release(j->part[p]);
        st_free(j->index[p]);
    }
    st_free(j->names);
    st_free(j);
}

static const st_reader reader_joined = {.name = "joined", .read = read_joined, .close = close_joined};

/* Labels, names and several sizes are those of the first. */
static strait_status take_first(st_source *source, joined *j, const strait_data *a, strait_error *err) {
    const st_source *from = a->source;
    const size_t n = (size_t)a->n;
    if (from->labels) source->labels = st_alloc(n, sizeof *source->labels);
    if (from->names) j->names = st_alloc(n, sizeof *j->names);
    if (from->sizes) source->sizes = st_alloc(n, sizeof *source->sizes);
    j->index[0] = st_alloc(n, sizeof *j->index[0]);
    if ((from->labels && !source->labels) || (from->names && !j->names) || (from->sizes && !source->sizes) ||
        !j->index[0])
        return st_fail_memory(err, n * sizeof *source->sizes, "labels");
    for (int64_t i = 0; i < a->n; i++) {
        const int64_t k = st_data_source_sample(a, i);
        j->index[0][i] = (uint32_t)k;
        if (source->labels) source->labels[i] = from->labels[k];
        if (j->names) j->names[i] = from->names[k];
        if (source->sizes) memcpy(source->sizes[i], from->sizes[k], sizeof *source->sizes);
    }
    source->names = j->names;
    source->label_names = from->label_names;
    source->n_label_names = from->n_label_names;
    if (!from->mixed) return STRAIT_OK;
    source->mixed = st_strdup(from->mixed);
    return source->mixed ? STRAIT_OK : st_fail_memory(err, strlen(from->mixed), "a message");
}

/* Takes index, whatever comes. */
static strait_status fill_joined(st_source *source, const strait_data *a, const strait_data *b, uint32_t *index,
                                 strait_error *err) {
    const st_source *x = a->source, *y = b->source;
    joined *j = source->state = st_alloc(1, sizeof *j);
    size_t bytes = 0;
    if (!j) {
        st_free(index);
        return st_fail_memory(err, sizeof *j, "images");
    }
    j->index[1] = index;
    j->part[0] = st_source_share(a->source);
    j->part[1] = st_source_share(b->source);
    source->type = x->type;
    ST_TRY(take_first(source, j, a, err));
    const int64_t pixels = x->n_values / x->dim[2]; /* of the largest, where sizes differ */
    const int64_t dim[] = {a->n, source->sizes ? pixels : x->dim[0], source->sizes ? 1 : x->dim[1],
                           x->dim[2] + y->dim[2]};
    ST_TRY(st_source_set_shape(&bytes, source, 4, dim, err));
    if (source->sizes) source->dim[0] = source->dim[1] = 0;
    return STRAIT_OK;
}

static strait_status join(strait_data **out, const strait_data *a, const strait_data *b, const char *name,
                          strait_error *err) {
    uint32_t *index = NULL;
    st_source *source = NULL;
    if (a->source->n_dims != 3)
        return st_fail(err, STRAIT_SHAPE, "%s: holds no images whose channels could be joined", a->name);
    ST_TRY(match(&index, a, b, err));
    strait_status status = check_sizes(a, b, index, false, err);
    if (status == STRAIT_OK) status = st_source_new(&source, &reader_joined, name, err);
    if (status != STRAIT_OK) {
        st_free(index);
        return status;
    }
    status = fill_joined(source, a, b, index, err);
    if (status == STRAIT_OK) return st_data_new(out, source, name, err);
    st_source_release(source);
    return status;
}

/* ---- by name ---- */

/* The last occurrence, so that "A + B + C" is (A + B) + C. */
static const char *find_last(const char *text, const char *what) {
    const char *found = NULL;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        found = at;
    return found;
}

strait_status st_joined_open(strait_data **out, bool *found, const char *source, strait_error *err) {
    const char *pairs = find_last(source, ST_PAIR), *at = pairs ? pairs : find_last(source, ST_JOIN);
    *found = at && !st_path_exists(source);
    if (!*found) return STRAIT_OK;
    if (pairs && strstr(source, ST_PAIR) != pairs)
        return st_fail(err, STRAIT_ARGUMENT, "%s: a pair is of two: '->' stands in it more than once", source);
    char *first = st_format("%.*s", (int)(at - source), source);
    if (!first) return st_fail_memory(err, strlen(source), "a path");
    strait_data *a = NULL, *b = NULL;
    strait_status status = strait_data_open(&a, first, err);
    if (status == STRAIT_OK) status = strait_data_open(&b, at + strlen(pairs ? ST_PAIR : ST_JOIN), err);
    if (status == STRAIT_OK) status = pairs ? pair(out, a, b, source, err) : join(out, a, b, source, err);
    strait_data_free(a);
    strait_data_free(b);
    st_free(first);
    return status;
}
