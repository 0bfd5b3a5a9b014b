/* How the files of known data sets lie in their folders. */
#ifndef ST_DATA_KNOWN_INT_H
#define ST_DATA_KNOWN_INT_H

#include "data/data_int.h"

typedef enum st_known_part { ST_PART_TRAIN, ST_PART_TEST } st_known_part;

typedef struct st_known_layout {
    const char *files[2]; /* what holds each part, for messages */
    /* Whether folder has the part. Errors: IO, MEMORY. */
    strait_status (*has)(bool *out, const char *folder, st_known_part part, strait_error *err);
    /* Opens a part that is there; source is what the data set will be called. Errors as strait_data_open. */
    strait_status (*open)(strait_data **out, const char *folder, st_known_part part, const char *source,
                          strait_error *err);
} st_known_layout;

/* The four files of MNIST's kind; CIFAR-10's batches; CIFAR-100's two files; ecg.csv. */
extern const st_known_layout st_layout_idx, st_layout_cifar, st_layout_cifar100, st_layout_ecg;

#endif
