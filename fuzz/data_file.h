/* For the fuzz targets of data files: bytes as a file, and what must hold of whatever it opens as. */
#ifndef FUZZ_DATA_FILE_H
#define FUZZ_DATA_FILE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strait/data.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A finding: stops the fuzzer with the input at hand. */
static inline void insist(int good) {
    if (!good) abort();
}

/* Writes a file; false when that cannot be. */
static inline int write_bytes(const char *path, const uint8_t *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    const int good = fwrite(bytes, 1, n, file) == n;
    return fclose(file) == 0 && good;
}

/* Opens source: an error of one line, or a data set whose samples can be read; those that are not finite are counted.
 */
static inline void check_data(const char *source) {
    strait_data *data = NULL;
    strait_array *rows = NULL;
    strait_data_info info;
    strait_error err = {0};
    const strait_status status = strait_data_open(&data, source, &err);
    insist((status == STRAIT_OK) == (data != NULL));
    if (!data) {
        insist(err.message[0] && !strchr(err.message, '\n'));
        return;
    }
    /* What is not kept in memory is read only now, and may turn out to be damaged. */
    if (strait_data_describe(data, &info, &err) != STRAIT_OK) {
        insist(err.code == STRAIT_FORMAT && err.message[0] && !strchr(err.message, '\n'));
        strait_data_free(data);
        return;
    }
    insist(info.n_samples > 0 && info.n_missing >= 0);
    if (info.n_missing == 0) insist(isfinite(info.minimum) && isfinite(info.maximum) && isfinite(info.mean));
    strait_data_quality quality;
    if (info.bytes < 1 << 24) insist(strait_data_inspect(&quality, data, &err) == STRAIT_OK);
    const bool several_sizes = info.n_dims == 3 && info.dim[0] == 0;
    if (info.bytes / info.n_samples >= 1 << 24) { /* a blank image of a few bytes: seconds under sanitizers */
        strait_data_free(data);
        return;
    }
    const strait_status read = strait_data_rows(&rows, data, info.n_samples - 1, 1, &err);
    insist(read == STRAIT_OK || read == (several_sizes ? STRAIT_SHAPE : STRAIT_FORMAT));
    insist(read != STRAIT_FORMAT || info.n_missing > 0); /* what is not finite is refused */
    for (int64_t i = 0; rows && i < strait_array_count(rows); i++)
        insist((double)rows->values[i] >= info.minimum && (double)rows->values[i] <= info.maximum);
    int64_t labelled = 0;
    for (int i = 0; i < info.n_labels; i++)
        labelled += info.label_count[i];
    insist(labelled == (info.has_labels ? info.n_samples : 0));
    strait_array_free(rows);
    strait_data_free(data);
}

/* The same for bytes as a file, which lies in memory. */
static inline void check_bytes(const uint8_t *bytes, size_t n) {
    char path[64];
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, bytes, n) == (ssize_t)n) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        check_data(path);
    }
    close(fd);
}

#endif
