/* The instruction sets that random numbers are made with; for tests, which compare their bits. */
#ifndef ST_BASE_RNG_INT_H
#define ST_BASE_RNG_INT_H

#include <stdbool.h>
#include "base/rng.h"

#define ST_RNG_CHUNK 64 /* positions */

typedef struct st_rng_set {
    const char *name;
    bool (*usable)(void); /* on this processor */
    /* The values of ST_RNG_CHUNK positions from the block on. */
    void (*uniform)(const st_rng *rng, uint32_t first_block, float *out);
    void (*normal)(const st_rng *rng, uint32_t first_block, float *out);
} st_rng_set;

/* The best first; the last, plain C, is usable everywhere. */
const st_rng_set *st_rng_sets(size_t *n);

#endif
