/* Any bytes as a .npz file are a data set or an error. */
#include "data_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    check_bytes(bytes, n);
    return 0;
}
