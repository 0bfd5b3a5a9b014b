/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as
   1, 2, 3; SC 2011). Each draw is a function of (seed, purpose, epoch, sample, position) and of nothing else: not of
   who draws it, nor when. The float results use only + - * / and sqrt without contraction, so they are the same bits
   on every machine. */
#ifndef ST_BASE_RNG_H
#define ST_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a draw is for. Append only: the numbers decide the bits. */
typedef enum st_rng_purpose {
    ST_RNG_WEIGHTS = 1,
    ST_RNG_SHUFFLE,
    ST_RNG_CORRUPT,
    ST_RNG_WATCH,
    ST_RNG_BENCH,
    ST_RNG_DROPOUT,
    ST_RNG_NOISE,
    ST_RNG_LATENT,
    ST_RNG_AUGMENT,
    ST_RNG_SPLIT,
    ST_RNG_NEIGHBORS,
    ST_RNG_MAP,
    ST_RNG_COMPONENTS,
    ST_RNG_CLUSTERS,
    ST_RNG_WALKS,
    ST_RNG_DRAWING, /* the order of points in a picture */
    ST_RNG_SWEEP,   /* what a trial of a sweep takes */
    ST_RNG_SPECKLE, /* kinds of corruption, beside ST_RNG_CORRUPT for normal noise */
    ST_RNG_SALT_PEPPER,
    ST_RNG_MASK,
    ST_RNG_BLOCKS,
    ST_RNG_WATERMARK,
    ST_RNG_ELASTIC,
    ST_RNG_VALIDATION, /* which samples validate */
} st_rng_purpose;

/* A stream: key = seed; counter = (block, sample, epoch, purpose). */
typedef struct st_rng {
    uint64_t seed;
    uint32_t purpose, epoch, sample;
} st_rng;

/* The raw generator: 10 rounds over counter with key. */
void st_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* Position i of the stream as 32 random bits. */
uint32_t st_rng_bits(const st_rng *rng, uint32_t position);
/* n uniform values in [0, 1) at positions first.. of the stream (first a multiple of 4). */
void st_rng_uniform(const st_rng *rng, uint32_t first, float *out, size_t n);
/* n standard normal values by Box and Muller, likewise. */
void st_rng_normal(const st_rng *rng, uint32_t first, float *out, size_t n);
/* A random permutation of 0..n-1 (Fisher-Yates; unbiased bounded draws as Lemire's). rng->sample is not used. */
void st_rng_shuffle(const st_rng *rng, uint32_t *items, uint32_t n);

#endif
