/* From what people write as a source, "name#split", a folder, a pattern or a file, to a data set. */
#include <errno.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"
#include "data/files.h"
#include "data/images.h"
#include "data/tenx.h"
#include "data/tfrecord.h"

/* errno is that of looking for name. */
static strait_status fail_no_such(const char *name, strait_error *err) {
    if (errno == EACCES) return st_fail_errno(err, "%s: cannot open", name);
    if (st_is_pattern(name)) return st_fail(err, STRAIT_NOT_FOUND, "%s: no file matches", name);
    const char *near = st_known_nearest(name);
    if (near)
        return st_fail(err, STRAIT_NOT_FOUND, "%s: neither a file nor a known data set; did you mean '%s'?", name,
                       near);
    char *folders = st_data_folders();
    if (!folders) return st_fail_memory(err, 0, "the data folders");
    const strait_status status =
        st_fail(err, STRAIT_NOT_FOUND, "%s: neither a file nor a known data set (" ST_KNOWN_NAMES ")%s%s", name,
                name[0] == '/' ? "" : ", here or in the data folders ", name[0] == '/' ? "" : folders);
    st_free(folders);
    return status;
}

/* key: of shards; NULL: none asked for. */
static strait_status open_images(strait_data **out, const char *folder, const char *key, const char *source,
                                 strait_error *err) {
    bool found = false;
    st_source *opened = NULL;
    ST_TRY(st_images_open_folder(&opened, &found, folder, err));
    if (found) return st_data_new(out, opened, source, err);
    ST_TRY(st_tenx_open_folder(&opened, &found, folder, err));
    if (found) return st_data_new(out, opened, source, err);
    ST_TRY(st_source_open_several(&opened, &found, folder, &(st_source_options){.key = key}, err));
    if (found) return st_data_new(out, opened, source, err);
    return st_fail(err, STRAIT_NOT_FOUND,
                   "%s: no data set in this folder: neither images (.png, .jpg, .tif) nor train-images-idx3-ubyte, "
                   "data_batch_1.bin, ecg.csv or 10x's matrix.mtx; name a data file",
                   folder);
}

/* A folder's splits are those of a known layout, or its sub-folders train, test and the like. */
static strait_status open_folder(strait_data **out, const char *folder, const char *split, const char *source,
                                 strait_error *err) {
    bool known = false;
    ST_TRY(st_known_open_folder(out, &known, source, folder, split, err));
    if (known) return STRAIT_OK;
    char *part = st_path_join(folder, split ? split : "train");
    if (!part) return st_fail_memory(err, strlen(folder), "a path");
    strait_status status;
    if (st_path_is_folder(part)) {
        status = open_images(out, part, NULL, source, err);
    } else if (split && st_tfrecord_folder_is(folder)) {
        status = open_images(out, folder, split, source, err);
    } else if (split) {
        status = st_fail(err, STRAIT_ARGUMENT, "%s: has no split '%s': there is no such folder in it", folder, split);
    } else {
        status = open_images(out, folder, NULL, source, err);
    }
    st_free(part);
    return status;
}

/* What exists at path. */
static strait_status open_path(strait_data **out, const char *path, const char *split, const char *label,
                               const char *source, strait_error *err) {
    if (st_path_is_folder(path)) return open_folder(out, path, split, source, err);
    st_source *opened = NULL;
    const st_source_options options = {.key = split, .label = label};
    ST_TRY(st_source_open(&opened, path, &options, err));
    return st_data_new(out, opened, source, err);
}

/* key: of shards; NULL: none asked for. */
static strait_status open_pattern(strait_data **out, bool *found, const char *pattern, const char *key,
                                  const char *source, strait_error *err) {
    st_source *opened = NULL;
    *found = false;
    if (!st_is_pattern(pattern)) return STRAIT_OK;
    ST_TRY(st_source_open_several(&opened, found, pattern, &(st_source_options){.key = key}, err));
    if (*found) return st_data_new(out, opened, source, err);
    ST_TRY(st_images_open_pattern(&opened, found, pattern, err));
    return *found ? st_data_new(out, opened, source, err) : STRAIT_OK;
}

/* split NULL: none asked for. */
static strait_status open_named(strait_data **out, const char *name, const char *split, const char *label,
                                const char *source, strait_error *err) {
    bool found = false;
    ST_TRY(st_known_open(out, &found, source, name, split, err));
    if (found) return STRAIT_OK;
    if (st_path_exists(name)) return open_path(out, name, split, label, source, err);
    ST_TRY(open_pattern(out, &found, name, split, source, err));
    if (found) return STRAIT_OK;
    char *elsewhere = NULL;
    if (name[0] != '/') ST_TRY(st_find_in_data_folders(&elsewhere, name, err));
    const bool missing = !st_path_exists(name) && !elsewhere; /* sets errno */
    const strait_status status =
        missing ? fail_no_such(name, err) : open_path(out, elsewhere ? elsewhere : name, split, label, source, err);
    st_free(elsewhere);
    return status;
}

strait_status st_data_open(strait_data **out, const char *source, const char *label, strait_error *err) {
    *out = NULL;
    if (!source) return st_fail(err, STRAIT_ARGUMENT, "no data set is named: give a known name or a file");
    if (*source == '\0') return st_fail(err, STRAIT_ARGUMENT, "the data source is empty; name a data set or a file");
    bool joined = false;
    ST_TRY(st_joined_open(out, &joined, source, err));
    if (joined) return STRAIT_OK;
    char *name = st_strdup(source), *split = NULL;
    if (!name) return st_fail_memory(err, strlen(source) + 1, "a path");
    if (!st_path_exists(source) && (split = strrchr(name, '#'))) *split++ = '\0';

    const strait_status status = open_named(out, name, split, label, source, err);
    st_free(name);
    return status;
}

strait_status strait_data_open(strait_data **out, const char *source, strait_error *err) {
    return st_data_open(out, source, NULL, err);
}

/* Folders and known names are read again by the reader they have. */
strait_status strait_data_open_labelled(strait_data **out, const char *source, const char *label, strait_error *err) {
    strait_data *data = NULL;
    ST_TRY(st_data_open(&data, source, label, err));
    const st_reader *reader = data->source->reader;
    strait_status status = STRAIT_OK;
    if (!label || (data->source->label_option && strcmp(data->source->label_option, label) == 0)) {
        *out = data;
        data = NULL;
    } else {
        const strait_recipe recipe = {.data.label = (char *)label};
        status = st_data_relabel(out, data, &recipe, err);
    }
    if (status == STRAIT_OK && label && reader != &st_reader_csv && !reader->keys) {
        strait_data_free(*out);
        *out = NULL;
        status = st_fail(err, STRAIT_ARGUMENT, "%s: label: %s has no columns to choose the labels from", source,
                         reader->name);
    }
    strait_data_free(data);
    return status;
}
