/* The vector kernels on what every processor of this kind has. */
#define V 4
#define ST_VECTOR st_vector_generic
#define ST_VECTOR_NAME "generic"
#include "cpu/vector_impl.h"
