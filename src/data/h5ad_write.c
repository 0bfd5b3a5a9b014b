/* The input is copied byte for byte, so that everything in it stays; the copy is then edited under its temporary name.
   Elements carry the attributes by which anndata knows them (encoding-type and -version); in the old layout, where obsm
   is one data set of records, it gets one more member. */
#include "data/h5ad_write.h"

#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/string.h"
#include "data/data_int.h"
#include "data/hdf5.h"

#define LATENT "X_strait"

static strait_status check_input(const char *path, const strait_data *data, const strait_array *z, strait_error *err) {
    const st_source *source = data->source;
    struct stat from, to;
    if (source->reader != &st_reader_h5ad)
        return st_fail(
            err, STRAIT_ARGUMENT,
            "%s: an .h5ad file is written as a copy of the one that is encoded, but %s is none; write .npy or "
            ".csv",
            path, data->name);
    if (data->index || data->first != 0 || data->n != source->n_samples)
        return st_fail(err, STRAIT_ARGUMENT, "%s: holds all cells of %s, but only some are encoded", path, data->name);
    if (z->n_dims != 2 || z->dim[0] != data->n)
        return st_fail(err, STRAIT_SHAPE, "%s: there are %lld latents for %lld cells", path,
                       (long long)(z->n_dims ? z->dim[0] : 0), (long long)data->n);
    if (stat(source->path, &from) == 0 && stat(path, &to) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return st_fail(err, STRAIT_ARGUMENT, "%s: is the file that is encoded; name another one", path);
    return STRAIT_OK;
}

static strait_status encode_as(st_hdf5 *file, const char *name, const char *type, const char *version,
                               strait_error *err) {
    ST_TRY(st_hdf5_write_attribute(file, name, "encoding-type", type, err));
    return st_hdf5_write_attribute(file, name, "encoding-version", version, err);
}

static strait_status need_group(st_hdf5 *file, const char *name, strait_error *err) {
    if (st_hdf5_find(file, name) == ST_HDF5_GROUP) return STRAIT_OK;
    ST_TRY(st_hdf5_make_group(file, name, err));
    return encode_as(file, name, "dict", "0.1.0", err);
}

static strait_status write_latent(st_hdf5 *file, const strait_array *z, strait_error *err) {
    const bool old = st_hdf5_find(file, "obs") == ST_HDF5_SET && st_hdf5_find(file, "obsm") != ST_HDF5_GROUP;
    if (old) return st_hdf5_add_member(file, "obsm", LATENT, z->values, z->dim[0], z->dim[1], err);
    ST_TRY(need_group(file, "obsm", err));
    ST_TRY(st_hdf5_remove(file, "obsm/" LATENT, err));
    ST_TRY(st_hdf5_write_matrix(file, "obsm/" LATENT, z->values, z->dim[0], z->dim[1], err));
    return encode_as(file, "obsm/" LATENT, "array", "0.2.0", err);
}

static strait_status write_text(st_hdf5 *file, const char *name, const char *text, strait_error *err) {
    ST_TRY(st_hdf5_write_text(file, name, text, err));
    return encode_as(file, name, "string", "0.2.0", err);
}

static strait_status write_origin(st_hdf5 *file, const strait_array *z, const st_h5ad_origin *origin,
                                  strait_error *err) {
    ST_TRY(need_group(file, "uns", err));
    ST_TRY(st_hdf5_remove(file, "uns/strait", err));
    ST_TRY(need_group(file, "uns/strait", err));
    ST_TRY(write_text(file, "uns/strait/latent", "obsm/" LATENT, err));
    ST_TRY(write_text(file, "uns/strait/model", origin->model, err));
    ST_TRY(write_text(file, "uns/strait/recipe", origin->recipe, err));
    ST_TRY(write_text(file, "uns/strait/version", STRAIT_VERSION, err));
    ST_TRY(st_hdf5_write_integer(file, "uns/strait/latent_size", z->dim[1], err));
    return encode_as(file, "uns/strait/latent_size", "numeric-scalar", "0.2.0", err);
}

/* What is to be written where. */
typedef struct edition {
    const char *place;
    const strait_array *z;
    const st_h5ad_origin *origin;
} edition;

static strait_status edit(void *context, strait_error *err) {
    const edition *e = context;
    st_hdf5 *file = NULL;
    ST_TRY(st_hdf5_edit(&file, e->place, err));
    strait_status status = write_latent(file, e->z, err);
    if (status == STRAIT_OK) status = write_origin(file, e->z, e->origin, err);
    if (status == STRAIT_OK) status = st_hdf5_flush(file, err);
    st_hdf5_close(file);
    return status;
}

strait_status st_h5ad_write_latent(const char *path, const strait_data *data, const strait_array *z,
                                   const st_h5ad_origin *origin, strait_error *err) {
    st_file *copy = NULL;
    const char *place = NULL;
    ST_TRY(check_input(path, data, z, err));
    ST_TRY(st_file_create_copy(&copy, data->source->path, path, err));
    strait_status status = st_file_lend(&place, copy, err);
    edition e = {.place = place, .z = z, .origin = origin};
    if (status == STRAIT_OK) status = st_hdf5_do_apart(edit, &e, data->source->path, err);
    if (status == STRAIT_OK) return st_file_commit(copy, err);
    st_file_abandon(copy);
    return status;
}
