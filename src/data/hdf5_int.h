/* Between the files that know libhdf5. */
#ifndef ST_DATA_HDF5_INT_H
#define ST_DATA_HDF5_INT_H

#include "data/hdf5.h"
#include "data/hdf5_library.h"

struct st_hdf5 {
    hid_t id;
    hid_t within; /* link access that leaves no file */
    char *path;
    int references; /* the opener's and its sets'; changed under the lock */
};

struct st_hdf5_set {
    st_hdf5 *file;
    hid_t id, type, space; /* the type in the file */
    char *name;
};

/* One at a time. Not to be called twice by the same thread. */
void st_hdf5_lock(void);
void st_hdf5_unlock(void);

/* Under the lock: FORMAT "PATH: NAME: WHAT (what libhdf5 says)"; name may be NULL. */
strait_status st_hdf5_fail(strait_error *err, strait_status code, const char *path, const char *name, const char *what);

/* Under the lock: opens a file; H5F_ACC_RDONLY or H5F_ACC_RDWR. */
strait_status st_hdf5_open_file(st_hdf5 **out, const char *path, unsigned mode, strait_error *err);

/* Under the lock: as st_hdf5_find. */
st_hdf5_kind st_hdf5_look(st_hdf5 *file, const char *name);

/* Under the lock: a set of an opened HDF5 object, which it takes whatever comes. */
strait_status st_hdf5_wrap_set(st_hdf5_set **out, st_hdf5 *file, hid_t id, const char *name, strait_error *err);
/* Under the lock. */
void st_hdf5_release_set(st_hdf5_set *set);

/* The filter h5py calls lzf, number 32000. */
void st_hdf5_register_lzf(void);
/* Under the lock: H5Dread of a set, which fails where lzf makes less of a chunk than a chunk is: libhdf5 would read
   past its end. */
herr_t st_hdf5_read_set(const st_hdf5_set *set, hid_t type, hid_t memory, hid_t space, void *dst);

/* Whether this is a child in which the opening of a file is rehearsed. */
bool st_hdf5_rehearsing(void);
/* Under the lock: reads the whole index of a set's chunks, where it has one. FORMAT. */
strait_status st_hdf5_visit_chunks(hid_t set, const char *path, const char *name, strait_error *err);

/* Under the lock: the type of a set or a member, the caller's to close; negative when there is no such member. */
hid_t st_hdf5_type_of(const st_hdf5_set *set, const char *member);

#endif
