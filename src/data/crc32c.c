/* Eight bytes a step: by the processor's instruction where it has one, else by eight tables ("slicing by 8", Kounavis
   and Berry 2005), made when they are first needed. */
#include "data/crc32c.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
        table[0][i] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t one_byte(uint32_t crc, uint8_t byte) {
    return crc >> 8 ^ table[0][(crc ^ byte) & 255];
}

uint32_t st_crc32c_table(uint32_t crc, const void *bytes, size_t n) {
    const uint8_t *at = bytes;
    pthread_once(&once, make_tables);
    crc = ~crc;
    for (; n >= 8; n -= 8, at += 8) {
        crc ^= (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        crc = table[7][crc & 255] ^ table[6][crc >> 8 & 255] ^ table[5][crc >> 16 & 255] ^ table[4][crc >> 24] ^
              table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^ table[0][at[7]];
    }
    for (; n > 0; n--)
        crc = one_byte(crc, *at++);
    return ~crc;
}

#if defined __x86_64__
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t n) {
    uint64_t sum = ~crc;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        sum = _mm_crc32_u64(sum, word);
    }
    uint32_t rest = (uint32_t)sum;
    for (; n > 0; n--)
        rest = _mm_crc32_u8(rest, *at++);
    return ~rest;
}

uint32_t st_crc32c(uint32_t crc, const void *bytes, size_t n) {
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, bytes, n) : st_crc32c_table(crc, bytes, n);
}
#else
uint32_t st_crc32c(uint32_t crc, const void *bytes, size_t n) {
    return st_crc32c_table(crc, bytes, n);
}
#endif
