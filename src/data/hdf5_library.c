#define ST_HDF5_LOADER
#include "data/hdf5_library.h"

#include <stddef.h>
#include "base/library.h"

st_hdf5_library st_hdf5_loaded;

/* A name that the header may have given another number: H5Literate is H5Literate2 in later ones. */
#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)

strait_status st_hdf5_load(const char *path, strait_error *err) {
    static const st_symbol symbols[] = {
#define SYMBOL(name) {NAME_OF(name), offsetof(st_hdf5_library, at_##name)},
        ST_HDF5_FUNCTIONS(SYMBOL) ST_HDF5_VARIABLES(SYMBOL)
#undef SYMBOL
    };
    static bool loaded;
    return st_library_load(&st_hdf5_loaded, &loaded, STRAIT_HDF5_LIBRARY, symbols, sizeof symbols / sizeof *symbols,
                           path, err);
}
