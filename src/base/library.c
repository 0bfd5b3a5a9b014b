#include "base/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static strait_status load(void *table, const char *file, const st_symbol *symbol, size_t n, const char *wanted_for,
                          strait_error *err) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return st_fail(err, STRAIT_IO, "%s: the library for it cannot be loaded: %s; install it", wanted_for,
                       dlerror());
    for (size_t i = 0; i < n; i++) {
        void *address = dlsym(library, symbol[i].name);
        if (!address) {
            dlclose(library);
            return st_fail(err, STRAIT_IO,
                           "%s: the library for it, %s, has no %s; install the one Strait was built for", wanted_for,
                           file, symbol[i].name);
        }
        memcpy((char *)table + symbol[i].offset, &address, sizeof address);
    }
    return STRAIT_OK;
}

strait_status st_library_load(void *table, bool *loaded, const char *file, const st_symbol *symbol, size_t n,
                              const char *wanted_for, strait_error *err) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    strait_status status = STRAIT_OK;
    pthread_mutex_lock(&lock);
    if (!*loaded) status = load(table, file, symbol, n, wanted_for, err);
    if (status == STRAIT_OK) *loaded = true;
    pthread_mutex_unlock(&lock);
    return status;
}
