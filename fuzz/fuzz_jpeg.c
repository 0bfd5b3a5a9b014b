/* Any bytes as a JPEG file are a data set of one image, or an error. */
#include "data_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    check_bytes(bytes, n);
    return 0;
}
