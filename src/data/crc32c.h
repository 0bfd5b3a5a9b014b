/* CRC-32C (Castagnoli's polynomial, RFC 3720 B.4), as TFRecord files use it. */
#ifndef ST_DATA_CRC32C_H
#define ST_DATA_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of n bytes that follow those whose CRC is crc; 0 begins. */
uint32_t st_crc32c(uint32_t crc, const void *bytes, size_t n);

/* The same by tables alone, for a test that compares the two. */
uint32_t st_crc32c_table(uint32_t crc, const void *bytes, size_t n);

/* As TFRecord stores it: CRCs of bytes that hold CRCs are weak otherwise (tensorflow/tsl/lib/hash/crc32c.h). */
static inline uint32_t st_crc32c_mask(uint32_t crc) {
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

#endif
