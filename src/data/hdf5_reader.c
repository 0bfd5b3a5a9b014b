/* Any HDF5 file: one of its data sets, named by its path (FILE#group/images); without a path the only one of numbers
   with two dims or more. Labels may stand in another data set of the file, one a sample. u8 and u16 keep their type. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"

enum { MOST_TOLD = 12 };

static strait_status fail_choose(st_words *sets, const char *path, strait_error *err) {
    st_text list = {0};
    char *text = NULL;
    for (int64_t i = 0; i < sets->n && i < MOST_TOLD; i++)
        st_text_add(&list, "%s%.60s", i ? ", " : "", sets->at[i]);
    ST_TRY(st_text_take(&text, &list, err));
    st_fail(err, STRAIT_ARGUMENT, "%s: holds several data sets: name one as %s#PATH: %s%s", path, st_path_name(path),
            text, sets->n > MOST_TOLD ? ", ..." : "");
    st_free(text);
    return STRAIT_ARGUMENT;
}

/* The path asked for, or the only one there is; the caller's. */
static strait_status choose_set(char **out, st_hdf5 *file, const char *key, const char *path, strait_error *err) {
    st_words *sets = NULL;
    strait_status status = STRAIT_OK;
    if (!key) {
        ST_TRY(st_hdf5_list_sets(&sets, file, MOST_TOLD + 1, err));
        if (sets->n == 0)
            status = st_fail(err, STRAIT_FORMAT, "%s: holds no data set of numbers with two dimensions or more", path);
        if (sets->n > 1) status = fail_choose(sets, path, err);
        key = sets->n == 1 ? sets->at[0] : "";
    }
    if (status == STRAIT_OK && !(*out = st_strdup(key))) status = st_fail_memory(err, strlen(key) + 1, "a path");
    st_words_free(sets);
    return status;
}

static strait_status read_values(st_source *source, st_hdf5_set *set, strait_error *err) {
    st_hdf5_info info;
    size_t bytes = 0;
    ST_TRY(st_hdf5_describe(&info, set, NULL, err));
    const bool plain = info.content == ST_HDF5_INTEGER && !info.is_signed && info.item_size <= 2;
    source->type = !plain ? ST_F32 : info.item_size == 1 ? ST_U8 : ST_U16;
    ST_TRY(st_source_set_shape(&bytes, source, info.n_dims, info.dim, err));
    if (bytes > st_source_resident_bytes()) return STRAIT_OK;
    const st_hdf5_number type[] = {[ST_U8] = ST_HDF5_U8, [ST_U16] = ST_HDF5_U16, [ST_F32] = ST_HDF5_F32};
    source->values = st_alloc_aligned(bytes);
    if (!source->values) return st_fail_memory(err, bytes, source->path);
    ST_TRY(st_hdf5_read(source->values, type[source->type], set, NULL, 0, source->n_samples, err));
    return st_source_count_missing(source, err);
}

static strait_status read_labels(st_source *source, st_hdf5 *file, const char *label, strait_error *err) {
    st_frame_column column = {0};
    if (!label || strcmp(label, "none") == 0) return STRAIT_OK;
    if (st_hdf5_find(file, label) != ST_HDF5_SET)
        return st_fail(err, STRAIT_ARGUMENT, "%s: label: there is no data set '%s' in the file", source->path, label);
    ST_TRY(st_frame_column_read(&column, file, "", label, err));
    const strait_status status = st_cells_set_labels(source, &column, err);
    st_frame_column_free(&column);
    return status;
}

static strait_status open_hdf5(st_source *source, const char *path, const st_source_options *options,
                               strait_error *err) {
    st_hdf5 *file = NULL;
    st_hdf5_set *set = NULL;
    char *name = NULL;
    ST_TRY(st_hdf5_open(&file, path, err));
    strait_status status = choose_set(&name, file, options->key, path, err);
    if (status == STRAIT_OK) status = st_hdf5_open_set(&set, file, name, err);
    if (status == STRAIT_OK) status = read_values(source, set, err);
    if (status == STRAIT_OK) status = read_labels(source, file, options->label, err);
    if (status == STRAIT_OK) status = st_source_set_note(source, err, "data set %.200s", name);
    if (status == STRAIT_OK && !source->values)
        source->state = set;
    else
        st_hdf5_close_set(set);
    st_free(name);
    st_hdf5_close(file);
    return status;
}

static strait_status read_hdf5(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const st_hdf5_number type[] = {[ST_U8] = ST_HDF5_U8, [ST_U16] = ST_HDF5_U16, [ST_F32] = ST_HDF5_F32};
    return st_hdf5_read(dst, type[source->type], source->state, NULL, i, 1, err);
}

static void close_hdf5(st_source *source) {
    st_hdf5_close_set(source->state);
}

static bool probe_hdf5(const char *path, const uint8_t *head, size_t n) {
    return st_hdf5_is(head, n) || st_ends_with(path, ".h5") || st_ends_with(path, ".hdf5");
}

const st_reader st_reader_hdf5 = {.name = "hdf5",
                                  .keys = true,
                                  .probe = probe_hdf5,
                                  .rehearse = st_hdf5_rehearse,
                                  .open = open_hdf5,
                                  .read = read_hdf5,
                                  .close = close_hdf5};
