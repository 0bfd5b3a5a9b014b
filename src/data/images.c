/* Image files as one source: whole in memory while that takes no more than st_source_resident_bytes(), else decoded
   when a sample is needed. The headers of all files are read first, so that the shape, and who does not fit, is known.

   Invariants: paths are in the order of the samples; names point into paths; a source of several sizes has `sizes` and
   is never in memory whole (resizing reads each image once). */
#include "data/images.h"

#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/files.h"
#include "image/png.h"

typedef struct images {
    st_words *paths;
    const char **names; /* [n] */
} images;

/* ---- one file ---- */

static bool is_image(const char *name) {
    const size_t n = strlen(name);
    if (n < 5) return false;
    const char *ending = name + n - 4;
    return ending[0] == '.' && (ending[1] | 32) == 'p' && (ending[2] | 32) == 'n' && (ending[3] | 32) == 'g';
}

static bool probe_png(const char *path, const uint8_t *head, size_t n) {
    const bool magic = n >= 8 && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0;
    return magic || is_image(st_path_name(path)); /* by its name: then open can say what is wrong with the bytes */
}

static const char *path_of(const st_source *source, int64_t i) {
    const images *state = source->state;
    return state->paths->at[i];
}

/* The image is what its header said when the source was opened. */
static bool is_as_announced(const st_image *image, const st_source *source, int64_t i) {
    const int64_t *size = source->sizes ? source->sizes[i] : source->dim;
    return image->height == size[0] && image->width == size[1] && image->channels == source->dim[2] &&
           (image->bits == 16) == (source->type == ST_U16);
}

static strait_status read_image(st_image *out, const st_source *source, int64_t i, strait_error *err) {
    ST_TRY(st_png_read(out, path_of(source, i), err));
    if (is_as_announced(out, source, i)) return STRAIT_OK;
    st_free(out->values);
    return st_fail(err, STRAIT_FORMAT, "%s: has changed since the data set was opened", path_of(source, i));
}

static size_t image_bytes(const st_image *image) {
    return (size_t)image->height * (size_t)image->width * (size_t)image->channels * (size_t)(image->bits / 8);
}

static strait_status read_sample(void *dst, const st_source *source, int64_t i, strait_error *err) {
    st_image image = {0};
    ST_TRY(read_image(&image, source, i, err));
    memcpy(dst, image.values, image_bytes(&image));
    st_free(image.values);
    return STRAIT_OK;
}

/* ---- all files ---- */

static const char *kind_of(const st_image *image) {
    if (image->channels == 1) return image->bits == 8 ? "8-bit grey" : "16-bit grey";
    return image->bits == 8 ? "8-bit RGB" : "16-bit RGB";
}

/* Headers of all files: *first is the first one's; sizes and `mixed` are filled in where the sizes differ. */
static strait_status scan_headers(st_source *source, st_image *first, int64_t *n_alpha, strait_error *err) {
    const int64_t n = source->n_samples;
    int64_t height = 0, width = 0;
    source->sizes = st_alloc((size_t)n, sizeof *source->sizes);
    if (!source->sizes) return st_fail_memory(err, (size_t)n * sizeof *source->sizes, "the sizes of images");
    for (int64_t i = 0; i < n; i++) {
        st_image image;
        ST_TRY(st_png_read_header(&image, path_of(source, i), err));
        if (i == 0) *first = image;
        if (image.channels != first->channels || image.bits != first->bits)
            return st_fail(err, STRAIT_FORMAT, "%s: is %s, and %s is %s; all images of a data set must be of one kind",
                           path_of(source, i), kind_of(&image), path_of(source, 0), kind_of(first));
        if (!source->mixed && (image.height != first->height || image.width != first->width)) {
            source->mixed = st_format("%s is %d×%d, %s is %d×%d", st_path_name(path_of(source, 0)), first->height,
                                      first->width, st_path_name(path_of(source, i)), image.height, image.width);
            if (!source->mixed) return st_fail_memory(err, 64, "a message");
        }
        source->sizes[i][0] = image.height;
        source->sizes[i][1] = image.width;
        height = image.height > height ? image.height : height;
        width = image.width > width ? image.width : width;
        *n_alpha += image.had_alpha;
    }
    first->height = (int)height;
    first->width = (int)width;
    return STRAIT_OK;
}

static strait_status load_all(st_source *source, size_t bytes, strait_error *err) {
    for (int64_t i = 0; i < source->n_samples; i++) {
        st_image image = {0};
        ST_TRY(read_image(&image, source, i, err));
        const size_t n = image_bytes(&image);
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

/* Takes the list of paths, whatever comes. The names are what follows the first `skip` bytes of the paths. */
static strait_status fill_source(st_source *source, st_words *paths, size_t skip, strait_error *err) {
    images *state = source->state = st_alloc(1, sizeof *state);
    if (!state) {
        st_words_free(paths);
        return st_fail_memory(err, sizeof *state, "a list of images");
    }
    state->paths = paths;
    source->n_samples = paths->n;
    state->names = st_alloc((size_t)paths->n, sizeof *state->names);
    if (!state->names) return st_fail_memory(err, (size_t)paths->n * sizeof *state->names, "a list of images");
    for (int64_t i = 0; i < paths->n; i++)
        state->names[i] = paths->at[i] + skip;
    source->names = state->names;

    st_image image = {0};
    int64_t n_alpha = 0;
    size_t bytes = 0;
    ST_TRY(scan_headers(source, &image, &n_alpha, err));
    source->type = image.bits == 16 ? ST_U16 : ST_U8;
    const int64_t dim[] = {paths->n, image.height, image.width, image.channels};
    ST_TRY(st_source_set_shape(&bytes, source, 4, dim, err));
    if (n_alpha > 0)
        ST_TRY(st_source_set_note(source, err, "alpha is dropped, in %lld of the images", (long long)n_alpha));
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
    st_free(state->names);
    st_free(state);
}

static strait_status open_png(st_source *source, const char *path, const st_source_options *options,
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
    strait_status status = st_source_new(&source, &st_reader_png, path, err);
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
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < names->n && status == STRAIT_OK; i++) {
        char *path = st_path_join(folder, names->at[i]);
        if (path) {
            st_words_add(paths, path, strlen(path));
        } else {
            status = st_fail_memory(err, strlen(folder), "a path");
        }
        st_free(path);
    }
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
            return st_fail(err, STRAIT_FORMAT, "%s: a pattern picks images (.png); this file it matches is none", path);
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

const st_reader st_reader_png = {
    .name = "png", .probe = probe_png, .open = open_png, .read = read_sample, .close = close_images};
