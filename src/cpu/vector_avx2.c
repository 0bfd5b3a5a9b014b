/* The vector kernels with AVX2 and FMA. */
#define V 8
#define ST_VECTOR st_vector_avx2
#define ST_VECTOR_NAME "avx2"
#include "cpu/vector_impl.h"
