/* Images brought to another size. */
#ifndef ST_DATA_RESIZE_H
#define ST_DATA_RESIZE_H

#include <stdint.h>
#include "base/array.h"
#include "base/status.h"

/* dst [to[0], to[1], channels] from src [from[0], from[1], channels], both of type; sizes are height, width. Bilinear
   where it grows, antialiased by a triangle filter where it shrinks. Errors: MEMORY. */
strait_status st_resize(void *dst, const int64_t to[2], const void *src, const int64_t from[2], int64_t channels,
                        st_dtype type, strait_error *err);

#endif
