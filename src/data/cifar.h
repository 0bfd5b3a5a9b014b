/* CIFAR-10's binary files. */
#ifndef ST_DATA_CIFAR_H
#define ST_DATA_CIFAR_H

#include "data/reader.h"

/* The images of n files, one after another. Errors: those of st_source_open. */
strait_status st_cifar_open(st_source **out, const char *const *path, int64_t n, strait_error *err);

/* Whether a file is as long as CIFAR-100's are. */
bool st_cifar100_fits(const char *path);

#endif
