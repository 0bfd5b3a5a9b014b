/* Any bytes as a batch of CIFAR-10, gzip or not, or as CIFAR-100's, are a data set or an error. */
#include "data_file.h"

static char folder[] = "/tmp/strait-fuzz-XXXXXX", path[64], hundred[64];

static void remove_folder(void) {
    remove(path);
    remove(hundred);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (!path[0]) {
        if (!mkdtemp(folder)) return 0;
        snprintf(path, sizeof path, "%s/data_batch_1.bin", folder);
        snprintf(hundred, sizeof hundred, "%s/train.bin", folder);
        atexit(remove_folder);
    }
    if (write_bytes(path, bytes, n)) check_data(path);
    if (write_bytes(hundred, bytes, n)) check_data(hundred);
    return 0;
}
