#define ST_HDF5_LOADER
#include "data/hdf5_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

st_hdf5_library st_hdf5_loaded;

/* A name that the header may have given another number: H5Literate is H5Literate2 in later ones. */
#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
#define SYMBOL(name) {NAME_OF(name), offsetof(st_hdf5_library, at_##name)},
    ST_HDF5_FUNCTIONS(SYMBOL) ST_HDF5_VARIABLES(SYMBOL)
#undef SYMBOL
};

static strait_status load(const char *path, strait_error *err) {
    static void *library;
    if (library) return STRAIT_OK;
    void *opened = dlopen(STRAIT_HDF5_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!opened) return st_fail(err, STRAIT_IO, "%s: is read by libhdf5, which cannot be loaded: %s", path, dlerror());
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(opened, symbols[i].name);
        if (!symbol) {
            dlclose(opened);
            return st_fail(err, STRAIT_IO, "%s: is read by libhdf5, but " STRAIT_HDF5_LIBRARY " has no %s", path,
                           symbols[i].name);
        }
        memcpy((char *)&st_hdf5_loaded + symbols[i].offset, &symbol, sizeof symbol);
    }
    library = opened;
    return STRAIT_OK;
}

strait_status st_hdf5_load(const char *path, strait_error *err) {
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&once);
    const strait_status status = load(path, err);
    pthread_mutex_unlock(&once);
    return status;
}
