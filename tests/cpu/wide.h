/* The vector kernels of 16 lanes, the AVX-512 ones' source, compiled for any processor (the compiler splits the
   vectors), with smaller tiles: where AVX-512 is absent its tails and lane sums are tested nevertheless. Included by
   one file of a test. Gives st_vector_wide; and on it the kernels of WIDE_KERNELS, "cpu/dense.c" or "cpu/conv.c", under
   the names st_wide_dense, or st_wide_conv2d and st_wide_conv2d_transpose. */
#ifndef TESTS_CPU_WIDE_H
#define TESTS_CPU_WIDE_H

#pragma GCC diagnostic ignored "-Wpsabi" /* how such vectors are passed: all these functions are inlined */

#include "cpu/cpu_int.h"
#include "cpu/vector.h"

extern const st_vector_kernels st_vector_wide;
extern const st_kernel st_wide_dense, st_wide_conv2d, st_wide_conv2d_transpose;
static inline const st_vector_kernels *wide_vector(void) {
    return &st_vector_wide;
}

#define ST_SMALL_TILES
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define V 4 /* checks around each lane of 16 take the compiler a quarter of an hour */
#else
#define V 16
#endif
#define ST_VECTOR st_vector_wide
#define ST_VECTOR_NAME "wide"
#include "cpu/vector_impl.h"
#undef V

#define st_vector wide_vector
#define st_cpu_dense st_wide_dense
#define st_cpu_conv2d st_wide_conv2d
#define st_cpu_conv2d_transpose st_wide_conv2d_transpose
#include WIDE_KERNELS
#undef st_vector
#undef st_cpu_dense
#undef st_cpu_conv2d
#undef st_cpu_conv2d_transpose

#endif
