/* Scores, inside: class numbers without gaps. */
#ifndef ST_EXPLORE_SCORES_INT_H
#define ST_EXPLORE_SCORES_INT_H

#include "explore/explore_int.h"

/* Numbers the distinct values among value[n] from 0, ascending: code[i] is value[i]'s. *k: how many there are.
   Errors: MEMORY. */
strait_status st_codes(int32_t *code, int64_t *k, const int64_t *value, int64_t n, strait_error *err);

#endif
