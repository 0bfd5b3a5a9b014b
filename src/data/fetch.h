/* What the known data sets consist of where they come from, and how that becomes their folder. */
#ifndef ST_DATA_FETCH_H
#define ST_DATA_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

typedef struct st_home_file {
    const char *name;
    const char *sha256;
    int64_t bytes;
} st_home_file;

typedef struct st_home {
    const char *name;    /* of the data set */
    const char *urls[3]; /* of folders that have the files, the home first; NULL ends them */
    st_home_file files[5];
    bool archive; /* the one file is a .tar.gz with the data set's files */
} st_home;

/* Where the known data set comes from; NULL for a name that is none. Static. */
const st_home *st_home_of(const char *name);

/* The folder that fetched data sets go into, the caller's. Errors: NOT_FOUND (no home folder), MEMORY. */
strait_status st_data_user_folder(char **out, strait_error *err);

/* Takes CIFAR-10's six files out of the .tar.gz into folder, each whole or not at all; all else in it is left alone.
   Errors: FORMAT (damaged, one of them missing or of another size), IO, MEMORY. */
strait_status st_unpack_cifar(const char *archive, const char *folder, strait_error *err);
/* Whether the six are there in full. */
bool st_cifar_is_unpacked(const char *folder);

#endif
