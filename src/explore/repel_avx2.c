/* Forces with AVX2 and FMA. */
#define V 8
#define ST_REPEL st_repel_avx2
#include "explore/repel_impl.h"
