/* Invariants:
   1. Float results come from + - * and sqrt in a fixed order (this file is compiled without contraction into fused
      multiply-adds), from bits and from conversions that round to nearest: the same bits on every machine, at every
      vector width.
   2. Position p of a stream is word p % 4 of block p / 4; values are made in chunks of CHUNK positions, whose loops
      the compiler turns into vector code, once for each instruction set below.
   Normal values: words (a, b) of a block give two, and (c, d) the other two, by Box and Muller:
      r = sqrt(-2 log u), u = (a / 2^8 + 1) / 2^24;  r cos t and r sin t, t = 2 pi b / 2^32 - pi / 4. */
#include "base/rng.h"

#include <math.h>
#include <string.h>
#include "base/rng_int.h"

#define CHUNK ST_RNG_CHUNK
#define BLOCKS (CHUNK / 4)

#define INLINE static inline __attribute__((always_inline))

INLINE void philox_round(uint32_t c[4], uint32_t k0, uint32_t k1) {
    const uint64_t p0 = (uint64_t)0xD2511F53U * c[0], p1 = (uint64_t)0xCD9E8D57U * c[2];
    const uint32_t c1 = c[1], c3 = c[3];
    c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c[1] = (uint32_t)p1;
    c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c[3] = (uint32_t)p0;
}

INLINE void philox(uint32_t c[4], uint32_t k0, uint32_t k1) {
    for (uint32_t round = 0; round < 10; round++)
        philox_round(c, k0 + round * 0x9E3779B9U, k1 + round * 0xBB67AE85U);
}

void st_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    philox(c, key[0], key[1]);
    memcpy(out, c, sizeof c);
}

uint32_t st_rng_bits(const st_rng *rng, uint32_t position) {
    uint32_t c[4] = {position / 4, rng->sample, rng->epoch, rng->purpose};
    philox(c, (uint32_t)rng->seed, (uint32_t)(rng->seed >> 32));
    return c[position % 4];
}

/* word[w][b]: word w of block first_block + b. */
INLINE void bits_of_blocks(uint32_t word[4][BLOCKS], const st_rng *rng, uint32_t first_block) {
    const uint32_t sample = rng->sample, epoch = rng->epoch, purpose = rng->purpose;
    const uint32_t k0 = (uint32_t)rng->seed, k1 = (uint32_t)(rng->seed >> 32);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        uint32_t c[4] = {first_block + b, sample, epoch, purpose};
        philox(c, k0, k1);
        word[0][b] = c[0];
        word[1][b] = c[1];
        word[2][b] = c[2];
        word[3][b] = c[3];
    }
}

INLINE float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Natural logarithm of x in (0, 1], normal; relative error under 3e-7. x = 2^e m, m in [sqrt(1/2), sqrt(2)); log(1 + f)
   with f = m - 1 by the polynomial of the Cephes library's logf. */
INLINE float log_unit(float x) {
    const uint32_t shifted = bits_of(x) + (0x3F800000U - 0x3F3504F3U);
    const float e = (float)((int32_t)(shifted >> 23) - 127);
    const float f = float_of((shifted & 0x007FFFFFU) + 0x3F3504F3U) - 1.0F;
    float p = 7.0376836292e-2F;
    p = p * f + -1.1514610310e-1F;
    p = p * f + 1.1676998740e-1F;
    p = p * f + -1.2420140846e-1F;
    p = p * f + 1.4249322787e-1F;
    p = p * f + -1.6668057665e-1F;
    p = p * f + 2.0000714765e-1F;
    p = p * f + -2.4999993993e-1F;
    p = p * f + 3.3333331174e-1F;
    const float square = f * f;
    const float low = p * f * square + e * -2.12194440e-4F - 0.5F * square;
    return e * 0.693359375F + (f + low); /* log 2 = 0.693359375 - 2.12194440e-4 */
}

/* Two normal values from two words. The turn t is a quarter turn (the two top bits) and a rest in [-pi/4, pi/4), whose
   sine and cosine are the polynomials of the Cephes library's sinf and cosf. */
INLINE void normal_pair(float *x, float *y, uint32_t a, uint32_t b) {
    const float u = (float)((int32_t)(a >> 8) + 1) * 0x1p-24F;
    const float r = sqrtf(-2.0F * log_unit(u));
    const float t = (float)((int32_t)(b & 0x3FFFFFFFU) - 0x20000000) * 1.4629180792671596e-9F; /* pi / 2^31 */
    const float square = t * t;
    const float s = ((-1.9515295891e-4F * square + 8.3321608736e-3F) * square + -1.6666654611e-1F) * square * t + t;
    const float c =
        ((2.443315711809948e-5F * square + -1.388731625493765e-3F) * square + 4.166664568298827e-2F) * square * square +
        (1.0F - 0.5F * square);
    const uint32_t quarter = b >> 30, odd = 0U - (quarter & 1U);
    const uint32_t sine = bits_of(s), cosine = bits_of(c);
    *x = r * float_of(((sine & odd) | (cosine & ~odd)) ^ ((quarter + 1) & 2) << 30);
    *y = r * float_of(((cosine & odd) | (sine & ~odd)) ^ (quarter & 2) << 30);
}

INLINE void uniform_chunk(const st_rng *rng, uint32_t first_block, float *out) {
    uint32_t word[4][BLOCKS];
    bits_of_blocks(word, rng, first_block);
    for (int b = 0; b < BLOCKS; b++)
        for (int w = 0; w < 4; w++)
            out[4 * b + w] = (float)(int32_t)(word[w][b] >> 8) * 0x1p-24F;
}

INLINE void normal_chunk(const st_rng *rng, uint32_t first_block, float *out) {
    uint32_t word[4][BLOCKS];
    float value[4][BLOCKS];
    bits_of_blocks(word, rng, first_block);
    for (int b = 0; b < BLOCKS; b++) {
        normal_pair(&value[0][b], &value[1][b], word[0][b], word[1][b]);
        normal_pair(&value[2][b], &value[3][b], word[2][b], word[3][b]);
    }
    for (int b = 0; b < BLOCKS; b++)
        for (int w = 0; w < 4; w++)
            out[4 * b + w] = value[w][b];
}

/* Both makers and the question for one instruction set. */
#define INSTRUCTION_SET(set, attribute, condition)                                                                     \
    attribute static void uniform_##set(const st_rng *rng, uint32_t first_block, float *out) {                         \
        uniform_chunk(rng, first_block, out);                                                                          \
    }                                                                                                                  \
    attribute static void normal_##set(const st_rng *rng, uint32_t first_block, float *out) {                          \
        normal_chunk(rng, first_block, out);                                                                           \
    }                                                                                                                  \
    static bool usable_##set(void) {                                                                                   \
        return condition;                                                                                              \
    }

#if defined(__x86_64__)
INSTRUCTION_SET(avx512, __attribute__((target("avx512f,avx512dq,avx512vl"))),
                __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl"))
INSTRUCTION_SET(avx2, __attribute__((target("avx2"))), __builtin_cpu_supports("avx2"))
#endif
INSTRUCTION_SET(plain, , true)

static const st_rng_set sets[] = {
#if defined(__x86_64__)
    {"avx512", usable_avx512, uniform_avx512, normal_avx512},
    {"avx2", usable_avx2, uniform_avx2, normal_avx2},
#endif
    {"plain", usable_plain, uniform_plain, normal_plain},
};

const st_rng_set *st_rng_sets(size_t *n) {
    *n = sizeof sets / sizeof *sets;
    return sets;
}

static const st_rng_set *best_set(void) {
    const st_rng_set *set = sets;
    while (!set->usable())
        set++;
    return set;
}

static void fill(void (*make)(const st_rng *, uint32_t, float *), const st_rng *rng, uint32_t first, float *out,
                 size_t n) {
    uint32_t block = first / 4;
    for (; n >= CHUNK; n -= CHUNK, out += CHUNK, block += BLOCKS)
        make(rng, block, out);
    if (n == 0) return;
    float rest[CHUNK];
    make(rng, block, rest);
    memcpy(out, rest, n * sizeof *out);
}

void st_rng_uniform(const st_rng *rng, uint32_t first, float *out, size_t n) {
    fill(best_set()->uniform, rng, first, out, n);
}

void st_rng_normal(const st_rng *rng, uint32_t first, float *out, size_t n) {
    fill(best_set()->normal, rng, first, out, n);
}

/* Words of a stream one after another. The counter's sample word carries the position beyond 2^32 blocks. */
typedef struct word_source {
    const st_rng *rng;
    uint64_t block;
    uint32_t word[4];
    int used;
} word_source;

static uint32_t next_word(word_source *source) {
    if (source->used == 4) {
        const uint32_t key[2] = {(uint32_t)source->rng->seed, (uint32_t)(source->rng->seed >> 32)};
        const uint32_t counter[4] = {(uint32_t)source->block, (uint32_t)(source->block >> 32), source->rng->epoch,
                                     source->rng->purpose};
        st_philox(source->word, counter, key);
        source->block++;
        source->used = 0;
    }
    return source->word[source->used++];
}

/* Unbiased in [0, bound): Lemire, Fast Random Integer Generation in an Interval, 2019. */
static uint32_t next_below(word_source *source, uint32_t bound) {
    uint64_t product = (uint64_t)next_word(source) * bound;
    if ((uint32_t)product < bound) {
        const uint32_t threshold = (0U - bound) % bound;
        while ((uint32_t)product < threshold)
            product = (uint64_t)next_word(source) * bound;
    }
    return (uint32_t)(product >> 32);
}

void st_rng_shuffle(const st_rng *rng, uint32_t *items, uint32_t n) {
    word_source source = {.rng = rng, .used = 4};
    for (uint32_t i = 0; i < n; i++)
        items[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        const uint32_t other = next_below(&source, i), item = items[i - 1];
        items[i - 1] = items[other];
        items[other] = item;
    }
}
