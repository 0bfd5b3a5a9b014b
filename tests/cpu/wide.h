/* The vector kernels of 16 lanes, the AVX-512 ones' source, compiled for any processor (the compiler splits the
   vectors): where AVX-512 is absent its tiles, tails and lane sums are tested nevertheless. Included by one test.
   Gives st_vector_wide and the dense kernel on it, st_wide_dense. */
#ifndef TESTS_CPU_WIDE_H
#define TESTS_CPU_WIDE_H

#pragma GCC diagnostic ignored "-Wpsabi" /* how such vectors are passed: all these functions are inlined */

#include "cpu/cpu_int.h"
#include "cpu/vector.h"

extern const st_vector_kernels st_vector_wide;
extern const st_kernel st_wide_dense;
static inline const st_vector_kernels *wide_vector(void) {
    return &st_vector_wide;
}

#define V 16
#define ST_VECTOR st_vector_wide
#define ST_VECTOR_NAME "wide"
#include "cpu/vector_impl.h"
#undef V

#define st_vector wide_vector
#define st_cpu_dense st_wide_dense
#include "cpu/dense.c"
#undef st_vector
#undef st_cpu_dense

#endif
