/* Image files as one source: whole in memory while that takes no more than st_source_resident_bytes(), else decoded
   when a sample is needed. The headers of all files are read first, so that the shape, and who does not fit, is known.
   Each page of a file of several (TIFF) is a sample.

   Invariants: samples are in the order of the paths, then of the pages; a source of several sizes has `sizes` and
   is never in memory whole (resizing reads each image once). */
#include "data/images.h"

#include <stdio.h>
#include <string.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/files.h"
#include "image/image.h"

typedef struct image_place {
    int64_t file;   /* in paths */
    uint64_t place; /* in the file, for st_image_read */
} image_place;

typedef struct images {
    st_words *paths;
    image_place *at;    /* [n] */
    const char **names; /* [n], in paths or in pages */
    st_words *pages;    /* names of pages, where a file has several; or NULL */
    size_t skip;        /* names are what follows so many bytes of the paths */
} images;

/* ---- one file ---- */

static bool is_image(const char *name) {
    return st_image_format_of_name(name) != ST_IMAGE_UNKNOWN;
}

/* By the first bytes, or by the name: then open can say what is wrong with the bytes. */
static bool is_of_format(st_image_format format, const char *path, const uint8_t *head, size_t n) {
    const st_image_format found = st_image_format_of_bytes(head, n);
    return (found != ST_IMAGE_UNKNOWN ? found : st_image_format_of_name(st_path_name(path))) == format;
}

static bool probe_png(const char *path, const uint8_t *head, size_t n) {
    return is_of_format(ST_IMAGE_PNG, path, head, n);
}

static bool probe_jpeg(const char *path, const uint8_t *head, size_t n) {
    return is_of_format(ST_IMAGE_JPEG, path, head, n);
}

static bool probe_tiff(const char *path, const uint8_t *head, size_t n) {
    return is_of_format(ST_IMAGE_TIFF, path, head, n);
}

static const char *path_of(const st_source *source, int64_t i) {
    const images *state = source->state;
    return state->paths->at[state->at[i].file];
}

/* The image is what its header said when the source was opened. */
static bool is_as_announced(const st_image *image, const st_source *source, int64_t i) {
    const int64_t *size = source->sizes ? source->sizes[i] : source->dim;
    return image->height == size[0] && image->width == size[1] && image->channels == source->dim[2] &&
           (image->bits == 16) == (source->type == ST_U16);
}

static strait_status read_image(st_image *out, const st_source *source, int64_t i, strait_error *err) {
    ST_TRY(st_image_read(out, path_of(source, i), ((const images *)source->state)->at[i].place, err));
    if (is_as_announced(out, source, i)) return STRAIT_OK;
    st_free(out->values);
    return st_fail(err, STRAIT_FORMAT, "%s: has changed since the data set was opened", path_of(source, i));
}

static strait_status read_sample(void *dst, const st_source *source, int64_t i, strait_error *err) {
    st_image image = {0};
    ST_TRY(read_image(&image, source, i, err));
    memcpy(dst, image.values, st_image_bytes(&image));
    st_free(image.values);
    return STRAIT_OK;
}

/* The file itself, where it is one image in a format that shards hold. */
static strait_status read_encoded(char **out, size_t *n, const st_source *source, int64_t i, strait_error *err) {
    const char *path = path_of(source, i);
    *out = NULL;
    ST_TRY(st_file_read(out, n, path, ST_IMAGE_MAX_FILE, err));
    const st_image_format format = st_image_format_of_bytes(*out, *n);
    if (format == ST_IMAGE_PNG || format == ST_IMAGE_JPEG) return STRAIT_OK;
    st_free(*out);
    *out = NULL;
    return STRAIT_OK;
}

static void close_images(st_source *source);
static strait_status open_file(st_source *source, const char *path, const st_source_options *options,
                               strait_error *err);

const st_reader st_reader_png = {.name = "png",
                                 .probe = probe_png,
                                 .open = open_file,
                                 .read = read_sample,
                                 .encoded = read_encoded,
                                 .close = close_images};
const st_reader st_reader_jpeg = {.name = "jpeg",
                                  .probe = probe_jpeg,
                                  .open = open_file,
                                  .read = read_sample,
                                  .encoded = read_encoded,
                                  .close = close_images};
const st_reader st_reader_tiff = {.name = "tiff",
                                  .probe = probe_tiff,
                                  .open = open_file,
                                  .read = read_sample,
                                  .encoded = read_encoded,
                                  .close = close_images};
/* Files of several formats; opens none by itself. */
static const st_reader reader_mixed = {
    .name = "images", .read = read_sample, .encoded = read_encoded, .close = close_images};

static const st_reader *reader_of(st_image_format format) {
    return format == ST_IMAGE_PNG    ? &st_reader_png
           : format == ST_IMAGE_JPEG ? &st_reader_jpeg
           : format == ST_IMAGE_TIFF ? &st_reader_tiff
                                     : &reader_mixed;
}

/* ---- all files ---- */

static const char *kind_of(const st_image *image) {
    if (image->channels == 1) return image->bits == 8 ? "8-bit grey" : "16-bit grey";
    return image->bits == 8 ? "8-bit RGB" : "16-bit RGB";
}

/* What is known while the headers are read. */
typedef struct scan {
    st_source *source;
    st_image first;
    int64_t file, n, capacity; /* samples so far, and room for them */
    int64_t height, width;     /* of the largest, by its pixels */
    int64_t n_alpha;
    st_image_format format; /* of all, or ST_IMAGE_UNKNOWN */
} scan;

static strait_status make_room(scan *s, strait_error *err) {
    images *state = s->source->state;
    if (s->n < s->capacity) return STRAIT_OK;
    if (s->n == UINT32_MAX) return st_fail(err, STRAIT_FORMAT, "%s: has too many images", s->source->path);
    const int64_t capacity = s->capacity * 2 > state->paths->n ? s->capacity * 2 : state->paths->n;
    int64_t(*sizes)[2] = st_realloc(s->source->sizes, (size_t)capacity, sizeof *sizes);
    if (sizes) s->source->sizes = sizes;
    image_place *at = sizes ? st_realloc(state->at, (size_t)capacity, sizeof *at) : NULL;
    if (!at) return st_fail_memory(err, (size_t)capacity * sizeof *at, "a list of images");
    state->at = at;
    s->capacity = capacity;
    return STRAIT_OK;
}

static strait_status take_page(void *context, const st_image *image, strait_error *err) {
    scan *s = context;
    st_source *source = s->source;
    images *state = source->state;
    const char *path = state->paths->at[s->file], *first_path = state->paths->at[0];
    ST_TRY(make_room(s, err));
    if (s->n == 0) {
        s->first = *image;
        s->format = image->format;
    }
    const st_image *first = &s->first;
    if (image->channels != first->channels || image->bits != first->bits)
        return st_fail(err, STRAIT_FORMAT, "%s: is %s, and %s is %s; all images of a data set must be of one kind",
                       path, kind_of(image), first_path, kind_of(first));
    if (!source->mixed && (image->height != first->height || image->width != first->width)) {
        source->mixed = st_format("%s is %d×%d, %s is %d×%d", st_path_name(first_path), first->height, first->width,
                                  st_path_name(path), image->height, image->width);
        if (!source->mixed) return st_fail_memory(err, 64, "a message");
    }
    source->sizes[s->n][0] = image->height;
    source->sizes[s->n][1] = image->width;
    state->at[s->n++] = (image_place){s->file, image->place};
    if ((int64_t)image->height * image->width > s->height * s->width) {
        s->height = image->height;
        s->width = image->width;
    }
    s->n_alpha += image->had_alpha;
    if (image->format != s->format) s->format = ST_IMAGE_UNKNOWN;
    return STRAIT_OK;
}

/* Reads all headers: sizes, and `mixed` where they differ, are filled in. */
static strait_status scan_headers(scan *s, strait_error *err) {
    images *state = s->source->state;
    for (s->file = 0; s->file < state->paths->n; s->file++)
        ST_TRY(st_image_scan(state->paths->at[s->file], take_page, s, err));
    s->source->n_samples = s->n;
    return STRAIT_OK;
}

/* A page's name is its file's with its number from 0. */
static strait_status name_pages(st_source *source, strait_error *err) {
    images *state = source->state;
    const int64_t n = source->n_samples;
    ST_TRY(st_words_new(&state->pages, err));
    for (int64_t i = 0, page = 0; i < n; i++) {
        const char *name = path_of(source, i) + state->skip;
        page = i > 0 && state->at[i].file == state->at[i - 1].file ? page + 1 : 0;
        const bool alone = page == 0 && (i + 1 == n || state->at[i + 1].file != state->at[i].file);
        char *text = alone ? st_strdup(name) : st_format("%s#%lld", name, (long long)page);
        if (!text) return st_fail_memory(err, strlen(name), "the name of a page");
        st_words_add(state->pages, text, strlen(text));
        st_free(text);
    }
    return st_words_finish(state->pages, err);
}

static strait_status name_samples(st_source *source, strait_error *err) {
    images *state = source->state;
    if (source->n_samples != state->paths->n) {
        ST_TRY(name_pages(source, err));
        source->names = state->pages->at;
        return STRAIT_OK;
    }
    state->names = st_alloc((size_t)source->n_samples, sizeof *state->names);
    if (!state->names) return st_fail_memory(err, (size_t)source->n_samples * sizeof *state->names, "a list of images");
    for (int64_t i = 0; i < source->n_samples; i++)
        state->names[i] = state->paths->at[i] + state->skip;
    source->names = state->names;
    return STRAIT_OK;
}

static strait_status load_all(st_source *source, size_t bytes, strait_error *err) {
    for (int64_t i = 0; i < source->n_samples; i++) {
        st_image image = {0};
        ST_TRY(read_image(&image, source, i, err));
        const size_t n = st_image_bytes(&image);
        /* Only now: a first file that lies about its size takes no memory. */
        if (i == 0) source->values = st_alloc_aligned(bytes);
        if (source->values) memcpy((char *)source->values + (size_t)i * n, image.values, n);
        st_free(image.values);
        if (!source->values) return st_fail_memory(err, bytes, source->path);
    }
    return STRAIT_OK;
}

/* The names of the folders the files lie in, as labels. */
static strait_status label_by_folder(st_source *source, strait_error *err) {
    const int64_t n = source->n_samples;
    st_words *folders = NULL;
    ST_TRY(st_words_new(&folders, err));
    for (int64_t i = 0; i < n; i++) {
        const char *path = path_of(source, i), *name = st_path_name(path), *start = name;
        while (start > path && start[-1] == '/')
            start--;
        const char *end = start;
        while (start > path && start[-1] != '/')
            start--;
        st_words_add(folders, start, (size_t)(end - start));
    }
    strait_status status = st_words_finish(folders, err);
    if (status == STRAIT_OK) status = st_source_set_word_labels(source, folders->at, err);
    st_words_free(folders);
    return status;
}

static strait_status tell_note(st_source *source, const scan *s, strait_error *err) {
    const images *state = source->state;
    const int64_t n_files = state->paths->n;
    char alpha[64] = "", pages[64] = "";
    if (s->n_alpha > 0) snprintf(alpha, sizeof alpha, "alpha is dropped, in %lld of the images", (long long)s->n_alpha);
    if (s->n > n_files)
        snprintf(pages, sizeof pages, "the pages of %lld file%s", (long long)n_files, n_files == 1 ? "" : "s");
    if (!alpha[0] && !pages[0]) return STRAIT_OK;
    return st_source_set_note(source, err, "%s%s%s", pages, pages[0] && alpha[0] ? "; " : "", alpha);
}

/* Takes the list of paths, whatever comes. The names are what follows the first `skip` bytes of the paths. */
static strait_status fill_source(st_source *source, st_words *paths, size_t skip, strait_error *err) {
    images *state = source->state = st_alloc(1, sizeof *state);
    if (!state) {
        st_words_free(paths);
        return st_fail_memory(err, sizeof *state, "a list of images");
    }
    state->paths = paths;
    state->skip = skip;

    scan s = {.source = source};
    size_t bytes = 0;
    ST_TRY(scan_headers(&s, err));
    ST_TRY(name_samples(source, err));
    source->reader = reader_of(s.format);
    source->type = s.first.bits == 16 ? ST_U16 : ST_U8;
    const int64_t dim[] = {s.n, s.height, s.width, s.first.channels};
    ST_TRY(st_source_set_shape(&bytes, source, 4, dim, err));
    ST_TRY(tell_note(source, &s, err));
    if (source->mixed) {
        source->dim[0] = source->dim[1] = 0;
        return STRAIT_OK;
    }
    st_free(source->sizes);
    source->sizes = NULL;
    return bytes <= st_source_resident_bytes() ? load_all(source, bytes, err) : STRAIT_OK;
}

static void close_images(st_source *source) {
    images *state = source->state;
    if (!state) return;
    st_words_free(state->paths);
    st_words_free(state->pages);
    st_free(state->at);
    st_free(state->names);
    st_free(state);
}

static strait_status open_file(st_source *source, const char *path, const st_source_options *options,
                               strait_error *err) {
    (void)options;
    st_words *paths = NULL;
    ST_TRY(st_words_new(&paths, err));
    st_words_add(paths, path, strlen(path));
    const strait_status status = st_words_finish(paths, err);
    if (status == STRAIT_OK) return fill_source(source, paths, (size_t)(st_path_name(path) - path), err);
    st_words_free(paths);
    return status;
}

/* Takes the list, whatever comes. */
static strait_status open_list(st_source **out, const char *path, st_words *paths, size_t skip, bool labelled,
                               strait_error *err) {
    st_source *source = NULL;
    strait_status status = st_source_new(&source, &reader_mixed, path, err);
    if (status != STRAIT_OK) {
        st_words_free(paths);
        return status;
    }
    status = fill_source(source, paths, skip, err);
    if (status == STRAIT_OK && labelled) status = label_by_folder(source, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}

/* Adds the paths of folder's images. */
static strait_status add_images(st_words *paths, const char *folder, strait_error *err) {
    st_words *names = NULL;
    ST_TRY(st_list_folder(&names, folder, false, is_image, err));
    const strait_status status = st_words_add_joined(paths, folder, names, err);
    st_words_free(names);
    return status;
}

static strait_status add_folders(st_words *paths, const char *folder, strait_error *err) {
    st_words *below = NULL;
    ST_TRY(st_list_folder(&below, folder, true, NULL, err));
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < below->n && status == STRAIT_OK; i++) {
        char *path = st_path_join(folder, below->at[i]);
        status = path ? add_images(paths, path, err) : st_fail_memory(err, strlen(folder), "a path");
        st_free(path);
    }
    st_words_free(below);
    return status;
}

strait_status st_images_open_folder(st_source **out, bool *found, const char *folder, strait_error *err) {
    st_words *paths = NULL;
    *found = false;
    ST_TRY(st_words_new(&paths, err));
    strait_status status = add_images(paths, folder, err);
    const bool labelled = status == STRAIT_OK && paths->n == 0;
    if (labelled) status = add_folders(paths, folder, err);
    if (status == STRAIT_OK) status = st_words_finish(paths, err);
    if (status != STRAIT_OK || paths->n == 0) {
        st_words_free(paths);
        return status;
    }
    *found = true;
    char *joined = st_path_join(folder, ""); /* as the paths begin */
    if (!joined) {
        st_words_free(paths);
        return st_fail_memory(err, strlen(folder), "a path");
    }
    const size_t skip = strlen(joined);
    st_free(joined);
    return open_list(out, folder, paths, skip, labelled, err);
}

/* Whether the files lie in more than one folder; FORMAT naming the first that is no image. */
static strait_status look_at_matches(bool *several, const st_words *paths, strait_error *err) {
    *several = false;
    for (int64_t i = 0; i < paths->n; i++) {
        const char *path = paths->at[i], *first = paths->at[0];
        if (!is_image(path))
            return st_fail(err, STRAIT_FORMAT,
                           "%s: a pattern picks images (.png, .jpg, .tif); this file it matches is none", path);
        const size_t n = (size_t)(st_path_name(path) - path);
        *several = *several || n != (size_t)(st_path_name(first) - first) || memcmp(path, first, n) != 0;
    }
    return STRAIT_OK;
}

strait_status st_images_open_pattern(st_source **out, bool *found, const char *pattern, strait_error *err) {
    st_words *paths = NULL;
    bool several = false;
    *found = false;
    ST_TRY(st_list_matches(&paths, pattern, err));
    const strait_status status = look_at_matches(&several, paths, err);
    *found = paths->n > 0;
    if (status == STRAIT_OK && *found) return open_list(out, pattern, paths, 0, several, err);
    st_words_free(paths);
    return status;
}
