/* Any bytes as a TFRecord file, and as an Example that is framed well, are a data set or an error. */
#include "data/crc32c.h"
#include "data_file.h"

enum { HEAD = 12, FOOT = 4 };

static void put(uint8_t *dst, uint64_t value, int n) {
    for (int i = 0; i < n; i++)
        dst[i] = (uint8_t)(value >> 8 * i);
}

/* The record as tensorflow/core/lib/io/record_writer.cc frames it; where it ends. */
static uint8_t *frame(uint8_t *dst, const uint8_t *bytes, size_t n) {
    put(dst, n, 8);
    put(dst + 8, st_crc32c_mask(st_crc32c(0, dst, 8)), 4);
    if (n > 0) memcpy(dst + HEAD, bytes, n);
    put(dst + HEAD + n, st_crc32c_mask(st_crc32c(0, bytes, n)), FOOT);
    return dst + HEAD + n + FOOT;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    check_bytes(bytes, n);
    uint8_t *file = malloc(2 * (n + HEAD + FOOT));
    if (!file) return 0;
    const uint8_t *end = frame(frame(file, bytes, n), bytes, n);
    check_bytes(file, (size_t)(end - file));
    free(file);
    return 0;
}
