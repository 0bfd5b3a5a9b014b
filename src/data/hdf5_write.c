/* Writing into a copy of a file: a few small things, as anndata writes them. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/hdf5_int.h"

strait_status st_hdf5_edit(st_hdf5 **out, const char *path, strait_error *err) {
    *out = NULL;
    ST_TRY(st_hdf5_load(path, err));
    st_hdf5_lock();
    const strait_status status = st_hdf5_open_file(out, path, H5F_ACC_RDWR, err);
    st_hdf5_unlock();
    return status;
}

strait_status st_hdf5_flush(st_hdf5 *file, strait_error *err) {
    st_hdf5_lock();
    strait_status status = STRAIT_OK;
    if (H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0)
        status = st_hdf5_fail(err, STRAIT_IO, file->path, NULL, "cannot be written");
    st_hdf5_unlock();
    return status;
}

static strait_status fail_write(st_hdf5 *file, const char *name, strait_error *err) {
    return st_hdf5_fail(err, STRAIT_IO, file->path, name, "cannot be written");
}

strait_status st_hdf5_make_group(st_hdf5 *file, const char *name, strait_error *err) {
    strait_status status = STRAIT_OK;
    st_hdf5_lock();
    if (st_hdf5_look(file, name) != ST_HDF5_GROUP) {
        const hid_t id = H5Gcreate2(file->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (id < 0) status = fail_write(file, name, err);
        if (id >= 0) H5Gclose(id);
    }
    st_hdf5_unlock();
    return status;
}

static strait_status remove_link(st_hdf5 *file, const char *name, strait_error *err) {
    if (H5Lexists(file->id, name, file->within) <= 0) return STRAIT_OK;
    return H5Ldelete(file->id, name, file->within) >= 0 ? STRAIT_OK : fail_write(file, name, err);
}

strait_status st_hdf5_remove(st_hdf5 *file, const char *name, strait_error *err) {
    st_hdf5_lock();
    const strait_status status = remove_link(file, name, err);
    st_hdf5_unlock();
    return status;
}

/* A new data set of all of values; type is how they lie in memory and in the file. */
static strait_status write_set(st_hdf5 *file, const char *name, hid_t memory_type, hid_t type, hid_t space,
                               const void *values, strait_error *err) {
    const hid_t id =
        type >= 0 && space >= 0 ? H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) : -1;
    const bool good = id >= 0 && H5Dwrite(id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    const strait_status status = good ? STRAIT_OK : fail_write(file, name, err);
    if (id >= 0) H5Dclose(id);
    return status;
}

strait_status st_hdf5_write_matrix(st_hdf5 *file, const char *name, const float *values, int64_t rows, int64_t columns,
                                   strait_error *err) {
    const hsize_t dim[] = {(hsize_t)rows, (hsize_t)columns};
    st_hdf5_lock();
    const hid_t space = H5Screate_simple(2, dim, NULL);
    const strait_status status = write_set(file, name, H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, space, values, err);
    if (space >= 0) H5Sclose(space);
    st_hdf5_unlock();
    return status;
}

static hid_t text_type(void) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0) {
        H5Tset_size(type, H5T_VARIABLE);
        H5Tset_cset(type, H5T_CSET_UTF8);
    }
    return type;
}

strait_status st_hdf5_write_text(st_hdf5 *file, const char *name, const char *text, strait_error *err) {
    st_hdf5_lock();
    const hid_t type = text_type(), space = H5Screate(H5S_SCALAR);
    const strait_status status = write_set(file, name, type, type, space, &text, err);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    st_hdf5_unlock();
    return status;
}

strait_status st_hdf5_write_integer(st_hdf5 *file, const char *name, int64_t value, strait_error *err) {
    st_hdf5_lock();
    const hid_t space = H5Screate(H5S_SCALAR);
    const strait_status status = write_set(file, name, H5T_NATIVE_INT64, H5T_STD_I64LE, space, &value, err);
    if (space >= 0) H5Sclose(space);
    st_hdf5_unlock();
    return status;
}

strait_status st_hdf5_write_attribute(st_hdf5 *file, const char *name, const char *attribute, const char *text,
                                      strait_error *err) {
    st_hdf5_lock();
    const hid_t type = text_type(), space = H5Screate(H5S_SCALAR);
    const hid_t id = type >= 0 && space >= 0 ? H5Acreate_by_name(file->id, name, attribute, type, space, H5P_DEFAULT,
                                                                 H5P_DEFAULT, file->within)
                                             : -1;
    const strait_status status =
        id >= 0 && H5Awrite(id, type, &text) >= 0 ? STRAIT_OK : fail_write(file, attribute, err);
    if (id >= 0) H5Aclose(id);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    st_hdf5_unlock();
    return status;
}

/* ---- records with one more member ---- */

/* The old records' type without the member, and the new one at its end. The caller closes it; negative on failure. */
static hid_t wider_type(hid_t old, const char *member, hid_t item) {
    size_t size = H5Tget_size(item);
    const int n = old >= 0 ? H5Tget_nmembers(old) : 0;
    for (int i = 0; i < n; i++) {
        const hid_t type = H5Tget_member_type(old, (unsigned)i);
        size += type >= 0 ? H5Tget_size(type) : 0;
        if (type >= 0) H5Tclose(type);
    }
    const hid_t wider = H5Tcreate(H5T_COMPOUND, size);
    size_t at = 0;
    for (int i = 0; i < n && wider >= 0; i++) {
        char *name = H5Tget_member_name(old, (unsigned)i);
        const hid_t type = H5Tget_member_type(old, (unsigned)i);
        if (name && type >= 0 && strcmp(name, member) != 0 && H5Tinsert(wider, name, at, type) >= 0)
            at += H5Tget_size(type);
        if (type >= 0) H5Tclose(type);
        H5free_memory(name);
    }
    if (wider < 0 || H5Tinsert(wider, member, at, item) < 0 || H5Tset_size(wider, at + H5Tget_size(item)) < 0) {
        if (wider >= 0) H5Tclose(wider);
        return -1;
    }
    return wider;
}

/* set may be NULL: no old records. */
static strait_status add_member(st_hdf5 *file, st_hdf5_set *set, const char *name, const char *member,
                                const float *values, int64_t rows, int64_t columns, strait_error *err) {
    const hsize_t n_rows = (hsize_t)rows, n_columns = (hsize_t)columns;
    const hid_t item = H5Tarray_create2(H5T_IEEE_F32LE, 1, &n_columns), space = H5Screate_simple(1, &n_rows, NULL);
    const hid_t wider = item >= 0 ? wider_type(set ? set->type : -1, member, item) : -1;
    strait_status status = wider >= 0 && space >= 0 ? STRAIT_OK : fail_write(file, name, err);
    const size_t size = wider >= 0 ? H5Tget_size(wider) : 1, bytes = (size_t)columns * sizeof *values;
    char *records = status == STRAIT_OK ? st_alloc((size_t)rows, size) : NULL;
    if (status == STRAIT_OK && !records) status = st_fail_memory(err, (size_t)rows * size, name);
    if (status == STRAIT_OK && set && H5Sget_simple_extent_npoints(set->space) != (hssize_t)rows)
        status = st_fail(err, STRAIT_FORMAT, "%s: %s: has other rows than there are cells", file->path, name);
    if (status == STRAIT_OK && set && H5Tget_nmembers(wider) > 1 &&
        st_hdf5_read_set(set, wider, H5S_ALL, H5S_ALL, records) < 0)
        status = st_hdf5_fail(err, STRAIT_FORMAT, file->path, name, "its records cannot be read");
    for (int64_t i = 0; i < rows && status == STRAIT_OK; i++)
        memcpy(records + ((size_t)i + 1) * size - bytes, values + i * columns, bytes);
    if (status == STRAIT_OK) status = remove_link(file, name, err);
    if (status == STRAIT_OK) status = write_set(file, name, wider, wider, space, records, err);
    st_free(records);
    if (wider >= 0) H5Tclose(wider);
    if (item >= 0) H5Tclose(item);
    if (space >= 0) H5Sclose(space);
    return status;
}

strait_status st_hdf5_add_member(st_hdf5 *file, const char *name, const char *member, const float *values, int64_t rows,
                                 int64_t columns, strait_error *err) {
    st_hdf5_set *set = NULL;
    if (st_hdf5_find(file, name) == ST_HDF5_SET) ST_TRY(st_hdf5_open_set(&set, file, name, err));
    st_hdf5_lock();
    const strait_status status = add_member(file, set, name, member, values, rows, columns, err);
    st_hdf5_unlock();
    st_hdf5_close_set(set);
    return status;
}
