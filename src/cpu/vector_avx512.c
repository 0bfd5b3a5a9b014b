/* The vector kernels with AVX-512. */
#define V 16
#define ST_VECTOR st_vector_avx512
#define ST_VECTOR_NAME "avx512"
#include "cpu/vector_impl.h"
