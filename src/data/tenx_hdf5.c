/* 10x's HDF5 files: a group (`matrix`, in older ones the genome's name) with data, indices and indptr of the cells, the
   shape (features, cells), barcodes, and the features' names and types. */
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"

static bool has(st_hdf5 *file, const char *group, const char *name) {
    char path[1024];
    const int n = snprintf(path, sizeof path, "%s/%s", group, name);
    return n > 0 && (size_t)n < sizeof path && st_hdf5_find(file, path) == ST_HDF5_SET;
}

static bool is_matrix(st_hdf5 *file, const char *group) {
    return has(file, group, "barcodes") && has(file, group, "indptr") && has(file, group, "shape");
}

/* The caller's; NULL where there is none. Errors: MEMORY. */
static strait_status find_group(char **out, st_hdf5 *file, strait_error *err) {
    st_words *groups = NULL;
    const char *found = is_matrix(file, "matrix") ? "matrix" : NULL;
    *out = NULL;
    if (!found) {
        const strait_status status = st_hdf5_list(&groups, file, "/", err);
        if (status != STRAIT_OK) return status == STRAIT_MEMORY ? status : STRAIT_OK;
        for (int64_t i = 0; i < groups->n && !found; i++)
            if (is_matrix(file, groups->at[i])) found = groups->at[i];
    }
    if (found) *out = st_strdup(found);
    st_words_free(groups);
    return found && !*out ? st_fail_memory(err, 0, "the name of a group") : STRAIT_OK;
}

/* The first of the names that is a data set; NULL out when none is. */
static strait_status read_words(st_words **out, st_hdf5 *file, const char *group, const char *const *names,
                                strait_error *err) {
    *out = NULL;
    for (int i = 0; names[i]; i++) {
        if (!has(file, group, names[i])) continue;
        st_hdf5_set *set = NULL;
        char *path = st_format("%s/%s", group, names[i]);
        if (!path) return st_fail_memory(err, strlen(group), "a path");
        strait_status status = st_hdf5_open_set(&set, file, path, err);
        if (status == STRAIT_OK) status = st_hdf5_read_texts(out, set, NULL, err);
        st_hdf5_close_set(set);
        st_free(path);
        return status;
    }
    return STRAIT_OK;
}

static strait_status read_shape(int64_t shape[2], st_hdf5 *file, const char *group, strait_error *err) {
    st_hdf5_set *set = NULL;
    st_hdf5_info info;
    char *path = st_format("%s/shape", group);
    if (!path) return st_fail_memory(err, strlen(group), "a path");
    strait_status status = st_hdf5_open_set(&set, file, path, err);
    if (status == STRAIT_OK) status = st_hdf5_describe(&info, set, NULL, err);
    if (status == STRAIT_OK && (info.n_dims != 1 || info.dim[0] != 2))
        status = st_fail(err, STRAIT_FORMAT, "%s: %s: is not of two numbers", st_hdf5_path(file), path);
    if (status == STRAIT_OK) status = st_hdf5_read(shape, ST_HDF5_I64, set, NULL, 0, 2, err);
    st_hdf5_close_set(set);
    st_free(path);
    return status;
}

static strait_status read_matrix(st_source *source, st_hdf5 *file, const char *group, strait_error *err) {
    static const char *const barcodes[] = {"barcodes", NULL};
    static const char *const features[] = {"features/name", "gene_names", "features/id", "genes", NULL};
    static const char *const types[] = {"features/feature_type", NULL};
    st_cells *cells = NULL;
    st_words *kinds = NULL;
    int64_t shape[2];
    ST_TRY(st_cells_begin(&cells, source, err));
    ST_TRY(read_shape(shape, file, group, err));
    ST_TRY(read_words(&cells->cells, file, group, barcodes, err));
    ST_TRY(read_words(&cells->features, file, group, features, err));
    if (!cells->features) return st_fail(err, STRAIT_FORMAT, "%s: %s: does not name its genes", source->path, group);
    ST_TRY(st_h5ad_compressed(&cells->matrix, file, group, shape[1], shape[0], err));
    ST_TRY(read_words(&kinds, file, group, types, err));
    strait_status status = STRAIT_OK;
    if (kinds && kinds->n != shape[0])
        status = st_fail(err, STRAIT_FORMAT, "%s: %s: has %lld feature types for %lld features", source->path, group,
                         (long long)kinds->n, (long long)shape[0]);
    else if (kinds)
        status = st_cells_set_kinds(cells, kinds->at, kinds->n, err);
    st_words_free(kinds);
    if (status == STRAIT_OK) status = st_cells_finish(source, err);
    return status == STRAIT_OK ? st_cells_set_note(source, NULL, err) : status;
}

static strait_status open_tenx_hdf5(st_source *source, const char *path, const st_source_options *options,
                                    strait_error *err) {
    st_hdf5 *file = NULL;
    if (options->label && strcmp(options->label, "none") != 0)
        return st_fail(err, STRAIT_ARGUMENT, "%s: label: a 10x file holds no labels, so none named '%s'", path,
                       options->label);
    ST_TRY(st_hdf5_open(&file, path, err));
    char *group = NULL;
    strait_status status = find_group(&group, file, err);
    if (status == STRAIT_OK)
        status = group ? read_matrix(source, file, group, err)
                       : st_fail(err, STRAIT_FORMAT, "%s: holds no 10x matrix", path);
    st_free(group);
    st_hdf5_close(file);
    return status;
}

static bool probe_tenx_hdf5(const char *path, const uint8_t *head, size_t n) {
    (void)path;
    return st_hdf5_is(head, n);
}

static strait_status look_tenx_hdf5(bool *out, const char *path, strait_error *err) {
    st_hdf5 *file = NULL;
    char *group = NULL;
    *out = false;
    strait_status status = st_hdf5_open(&file, path, err);
    if (status != STRAIT_OK) return status == STRAIT_MEMORY ? status : STRAIT_OK;
    status = find_group(&group, file, err);
    *out = group != NULL;
    st_free(group);
    st_hdf5_close(file);
    return status;
}

const st_reader st_reader_tenx_hdf5 = {.name = "10x-hdf5",
                                       .probe = probe_tenx_hdf5,
                                       .look = look_tenx_hdf5,
                                       .rehearse = st_hdf5_rehearse,
                                       .open = open_tenx_hdf5,
                                       .read = st_cells_read,
                                       .close = st_cells_close};
