/* What has to be known of all records before the first is read: where they lie, labels, names, sizes. Of each its head
   and a window of a few KiB are read, not the samples themselves; their checksums are looked at when they are read. */
#include <string.h>
#include "base/memory.h"
#include "data/tfrecord_int.h"

/* A record of which a window is read. */
typedef struct window {
    st_message message; /* the first member: look is given this */
    const st_tfrecord_file *file;
    uint64_t base;       /* of the record in the file */
    uint64_t begin, end; /* in the record, of what bytes holds */
    strait_status status;
    strait_error error;
    uint8_t bytes[4096];
} window;

typedef struct scan {
    st_source *source;
    st_tfrecords *state;
    const st_source_options *options;
    window *window;
    st_tfrecord_block *block; /* of the file at hand */
    int64_t n, capacity;
    size_t inflated;                        /* bytes of gzip files */
    bool labels_words, no_labels, no_names; /* as texts; some record has none */
    st_words *words;                        /* labels as texts */
    st_words *texts;                        /* of the labels that are numbers, in the order they are met, ... */
    int64_t *text_label;                    /* ... and which those are, [n_texts] */
    int64_t n_texts;
    int64_t height, width;
} scan;

/* Labels with texts are few; more of them are left without. */
enum { MOST_TEXTS = 4096 };

static const uint8_t *look_in_file(st_message *message, uint64_t at) {
    window *w = (window *)message;
    const uint64_t left = message->n - at, wanted = left < ST_MESSAGE_LOOK ? left : ST_MESSAGE_LOOK;
    if (at < w->begin || at + wanted > w->end) {
        const size_t n = left < sizeof w->bytes ? (size_t)left : sizeof w->bytes;
        w->status = st_tfrecord_bytes(w->bytes, w->file, w->base + at, n, &w->error);
        if (w->status != STRAIT_OK) return NULL;
        w->begin = at;
        w->end = at + n;
    }
    return w->bytes + (at - w->begin);
}

static void look_at(window *w, const st_tfrecord_file *file, st_tfrecord record) {
    w->message = (st_message){.n = record.n, .look = look_in_file};
    w->file = file;
    w->base = record.at;
    w->begin = w->end = 0;
    w->status = STRAIT_OK;
}

/* What a record has of what is asked of it; type NONE: nothing. */
typedef struct found {
    st_feature samples, label, text, name;
} found;

static strait_status find_features(found *out, scan *s, const char *where, strait_error *err) {
    const st_feature_keys *keys = &s->state->keys;
    st_example walk = st_example_begin(&s->window->message);
    st_feature feature;
    int more;
    *out = (found){0};
    while ((more = st_example_next(&feature, &walk)) > 0) {
        if (strcmp(feature.key, keys->samples) == 0) out->samples = feature;
        if (keys->label[0] && strcmp(feature.key, keys->label) == 0) out->label = feature;
        if (keys->text[0] && strcmp(feature.key, keys->text) == 0) out->text = feature;
        if (keys->name[0] && strcmp(feature.key, keys->name) == 0) out->name = feature;
    }
    if (more == 0) return STRAIT_OK;
    if (s->window->status == STRAIT_OK) return st_tfrecord_fail_damaged(where, err);
    return st_fail(err, s->window->status, "%s", s->window->error.message);
}

/* ---- samples ---- */

/* The header of an encoded image: from its first bytes, or where these do not reach from all of them. */
static strait_status read_header(st_image *out, scan *s, const st_tfrecord_file *file, int64_t k, st_extent bytes,
                                 const char *where, strait_error *err) {
    uint8_t *record = NULL, head[4096];
    const size_t n = bytes.n < sizeof head ? (size_t)bytes.n : sizeof head;
    const st_tfrecord at = s->state->record[s->n];
    ST_TRY(st_tfrecord_bytes(head, file, at.at + bytes.at, n, err));
    if (st_tfrecord_image_format(head, n) == ST_IMAGE_UNKNOWN)
        return st_fail(err, STRAIT_FORMAT, "%s: feature '%s' is no image (PNG, JPEG), as that of the first record is",
                       where, s->state->keys.samples);
    if (st_image_decode_header(out, head, n, where, NULL) == STRAIT_OK) return STRAIT_OK;
    ST_TRY(st_tfrecord_read(&record, file, k, at, err));
    const strait_status status = st_image_decode_header(out, record + bytes.at, (size_t)bytes.n, where, err);
    st_free(record);
    return status;
}

static strait_status take_size(scan *s, const st_image *image, const char *where, strait_error *err) {
    st_source *source = s->source;
    const st_sample_layout *first = &s->state->layout;
    const int bits = first->dtype == ST_U16 ? 16 : 8;
    if (image->channels != first->dim[2] || image->bits != bits)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: its image has %d channel%s of %d bits, that of the first record %d of %d; all images of a "
                       "data set must be of one kind",
                       where, image->channels, image->channels == 1 ? "" : "s", image->bits, (int)first->dim[2], bits);
    if (!source->mixed && (image->height != first->dim[0] || image->width != first->dim[1])) {
        source->mixed = st_format("record 0 is %d×%d, %s is %d×%d", (int)first->dim[0], (int)first->dim[1], where,
                                  image->height, image->width);
        if (!source->mixed) return st_fail_memory(err, 64, "a message");
    }
    source->sizes[s->n][0] = image->height;
    source->sizes[s->n][1] = image->width;
    if (image->height > s->height) s->height = image->height;
    if (image->width > s->width) s->width = image->width;
    return STRAIT_OK;
}

static strait_status take_sample(scan *s, const st_tfrecord_file *file, int64_t k, const st_feature *feature,
                                 const char *where, strait_error *err) {
    const st_sample_layout *first = &s->state->layout;
    st_image image = {0};
    if (feature->type != first->type || feature->n < 1)
        return st_fail(err, STRAIT_FORMAT, "%s: has no feature '%s' as the first record has it", where,
                       s->state->keys.samples);
    if (first->format != ST_IMAGE_UNKNOWN) {
        ST_TRY(read_header(&image, s, file, k, feature->bytes, where, err));
        return take_size(s, &image, where, err);
    }
    const int64_t n = first->type == ST_LIST_BYTES ? (int64_t)feature->bytes.n : feature->n;
    if (n == first->n) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT, "%s: feature '%s' has %lld %s, that of the first record %lld", where,
                   s->state->keys.samples, (long long)n, first->type == ST_LIST_BYTES ? "bytes" : "values",
                   (long long)first->n);
}

/* ---- labels and names ---- */

/* Adds a text's bytes; those that do not print are '?'. */
static strait_status add_text(st_words *words, scan *s, st_extent text, strait_error *err) {
    char bytes[256];
    const size_t n = text.n < sizeof bytes ? (size_t)text.n : sizeof bytes - 1;
    ST_TRY(st_tfrecord_bytes(bytes, s->window->file, s->window->base + text.at, n, err));
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)bytes[i] < ' ' || bytes[i] == 127) bytes[i] = '?';
    st_words_add(words, bytes, n);
    return STRAIT_OK;
}

/* The name of a label that is a number, when it is met first. */
static strait_status take_text(scan *s, int64_t label, const st_feature *text, strait_error *err) {
    if (text->type != ST_LIST_BYTES || text->n != 1 || label < 0 || label >= MOST_TEXTS) return STRAIT_OK;
    for (int64_t i = 0; i < s->n_texts; i++)
        if (s->text_label[i] == label) return STRAIT_OK;
    int64_t *more = st_realloc(s->text_label, (size_t)s->n_texts + 1, sizeof *more);
    if (!more) return st_fail_memory(err, (size_t)s->n_texts * sizeof *more, "names of labels");
    s->text_label = more;
    more[s->n_texts++] = label;
    return add_text(s->texts, s, text->bytes, err);
}

/* A label that was only guessed has to be in every record; else there are no labels. */
static strait_status take_label(scan *s, const found *f, const char *where, strait_error *err) {
    const st_feature *label = &f->label;
    const st_list_type type = s->labels_words ? ST_LIST_BYTES : ST_LIST_INTEGERS;
    if (!s->state->keys.label[0] || s->no_labels) return STRAIT_OK;
    if (s->n == 0) s->labels_words = label->type == ST_LIST_BYTES;
    if (label->n != 1 || (s->n > 0 && label->type != type)) {
        s->no_labels = true;
        if (!s->state->keys.label_asked) return STRAIT_OK;
        return st_fail(err, STRAIT_FORMAT, "%s: has no feature '%s' with one value of the type the first record has",
                       where, s->state->keys.label);
    }
    if (s->labels_words) return add_text(s->words, s, label->bytes, err);
    s->source->labels[s->n] = label->integer;
    return take_text(s, label->integer, &f->text, err);
}

static strait_status take_name(scan *s, const st_feature *name, strait_error *err) {
    if (!s->state->keys.name[0] || s->no_names) return STRAIT_OK;
    s->no_names = name->type != ST_LIST_BYTES || name->n != 1;
    return s->no_names ? STRAIT_OK : add_text(s->state->names, s, name->bytes, err);
}

/* ---- records ---- */

static strait_status grow(void *block, int64_t capacity, size_t size, strait_error *err) {
    void *old, *more;
    memcpy(&old, block, sizeof old);
    if (!(more = st_realloc(old, (size_t)capacity, size)))
        return st_fail_memory(err, (size_t)capacity * size, "a list of records");
    memcpy(block, &more, sizeof more);
    return STRAIT_OK;
}

static strait_status make_room(scan *s, strait_error *err) {
    st_source *source = s->source;
    if (s->n < s->capacity) return STRAIT_OK;
    if (s->n == UINT32_MAX) return st_fail(err, STRAIT_FORMAT, "%s: has too many records", source->path);
    const int64_t capacity = s->capacity > 0 ? s->capacity * 2 : 1024;
    ST_TRY(grow(&s->state->record, capacity, sizeof *s->state->record, err));
    ST_TRY(grow(&source->labels, capacity, sizeof *source->labels, err));
    ST_TRY(grow(&source->sizes, capacity, sizeof *source->sizes, err));
    s->capacity = capacity;
    return STRAIT_OK;
}

/* The very first record tells how all of them lie. */
static strait_status choose(scan *s, const st_tfrecord_file *file, st_tfrecord record, const char *where,
                            strait_error *err) {
    uint8_t *bytes = NULL;
    ST_TRY(st_tfrecord_read(&bytes, file, 0, record, err));
    const strait_status status =
        st_tfrecord_choose(&s->state->keys, &s->state->layout, bytes, record.n, where, s->options, err);
    st_free(bytes);
    return status;
}

static strait_status take_record(scan *s, const st_tfrecord_file *file, int64_t k, st_tfrecord record,
                                 strait_error *err) {
    char where[ST_TFRECORD_WHERE];
    found f;
    st_tfrecord_where(where, file->path, k);
    ST_TRY(make_room(s, err));
    if (s->n == 0) ST_TRY(choose(s, file, record, where, err));
    s->state->record[s->n] = record;
    look_at(s->window, file, record);
    ST_TRY(find_features(&f, s, where, err));
    ST_TRY(take_sample(s, file, k, &f.samples, where, err));
    ST_TRY(take_label(s, &f, where, err));
    ST_TRY(take_name(s, &f.name, err));
    s->n++;
    return STRAIT_OK;
}

/* Of small records several are read at once; of large ones, at once too, what stands behind one of them, the next one's
   head and the window on it. */
static strait_status scan_records(scan *s, const st_tfrecord_file *file, strait_error *err) {
    const size_t head = sizeof s->window->bytes + 16, most = sizeof s->block->bytes;
    uint64_t at = 0;
    s->block->ahead = head;
    for (int64_t k = 0; at < file->n_bytes; k++) {
        st_tfrecord record;
        ST_TRY(st_tfrecord_next(&record, file, k, &at, err));
        s->block->ahead = record.n < most / 4 ? most : head;
        ST_TRY(take_record(s, file, k, record, err));
        ST_TRY(st_tfrecord_note_crc(&s->state->record[s->n - 1], file, err));
    }
    return STRAIT_OK;
}

static strait_status scan_file(scan *s, int64_t i, strait_error *err) {
    st_tfrecords *state = s->state;
    st_tfrecord_file *file = &state->file[i];
    enum { MOST_OPEN = 512 };
    state->first[i] = s->n;
    ST_TRY(st_tfrecord_open(file, state->paths->at[i], state->n_files <= MOST_OPEN, s->inflated, err));
    if (file->bytes) s->inflated += (size_t)file->n_bytes;
    s->block->begin = s->block->end = 0;
    file->block = s->block;
    const strait_status status = scan_records(s, file, err);
    file->block = NULL; /* from here on it is read by several threads */
    return status;
}

/* ---- all of it ---- */

/* The texts of the labels in their order; none where a label that some record has is left without. */
static strait_status name_labels(scan *s, strait_error *err) {
    st_source *source = s->source;
    int64_t most = -1;
    ST_TRY(st_words_finish(s->texts, err));
    if (s->n_texts == 0) return STRAIT_OK;
    for (int64_t i = 0; i < s->n_texts; i++)
        most = s->text_label[i] > most ? s->text_label[i] : most;
    ST_TRY(st_words_new(&source->words, err));
    for (int64_t label = 0; label <= most; label++) {
        int64_t i = 0;
        while (i < s->n_texts && s->text_label[i] != label)
            i++;
        const char *text = i < s->n_texts ? s->texts->at[i] : "";
        st_words_add(source->words, text, strlen(text));
    }
    ST_TRY(st_words_finish(source->words, err));
    source->label_names = source->words->at;
    source->n_label_names = (int)(most + 1);
    return STRAIT_OK;
}

static strait_status settle_labels(scan *s, strait_error *err) {
    st_source *source = s->source;
    const bool words = s->labels_words && !s->no_labels && s->state->keys.label[0];
    if (words || s->no_labels || !s->state->keys.label[0]) {
        st_free(source->labels);
        source->labels = NULL;
    }
    if (!words) return source->labels ? name_labels(s, err) : STRAIT_OK;
    ST_TRY(st_words_finish(s->words, err));
    return st_source_set_word_labels(source, s->words->at, err);
}

static strait_status settle(scan *s, strait_error *err) {
    st_source *source = s->source;
    st_tfrecords *state = s->state;
    state->first[state->n_files] = s->n;
    if (s->n == 0) return st_fail(err, STRAIT_FORMAT, "%s: holds no records", source->path);
    source->n_samples = s->n;
    source->shard_first = state->first;
    source->n_shards = (int)state->n_files;
    ST_TRY(settle_labels(s, err));
    if (state->keys.name[0] && !s->no_names) {
        ST_TRY(st_words_finish(state->names, err));
        source->names = state->names->at;
    }
    if (!source->mixed) {
        st_free(source->sizes);
        source->sizes = NULL;
        return STRAIT_OK;
    }
    state->layout.dim[0] = s->height;
    state->layout.dim[1] = s->width;
    return STRAIT_OK;
}

static strait_status run(scan *s, strait_error *err) {
    s->window = st_alloc(1, sizeof *s->window);
    s->block = st_alloc(1, sizeof *s->block);
    if (!s->window || !s->block) return st_fail_memory(err, sizeof *s->block, "reading records");
    ST_TRY(st_words_new(&s->words, err));
    ST_TRY(st_words_new(&s->texts, err));
    ST_TRY(st_words_new(&s->state->names, err));
    for (int64_t i = 0; i < s->state->n_files; i++)
        ST_TRY(scan_file(s, i, err));
    return settle(s, err);
}

strait_status st_tfrecord_scan(st_source *source, st_tfrecords *state, const st_source_options *options,
                               strait_error *err) {
    scan s = {.source = source, .state = state, .options = options};
    const strait_status status = run(&s, err);
    st_words_free(s.words);
    st_words_free(s.texts);
    st_free(s.text_label);
    st_free(s.window);
    st_free(s.block);
    return status;
}
