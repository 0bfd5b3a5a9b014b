/* Forces with the vectors every machine of its kind has. */
#define V 4
#define ST_REPEL st_repel_generic
#include "explore/repel_impl.h"
