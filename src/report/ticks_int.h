/* Where an axis has its ticks, and what stands beside them. */
#ifndef ST_REPORT_TICKS_INT_H
#define ST_REPORT_TICKS_INT_H

#include <stdbool.h>

#define ST_MAX_TICKS 24

typedef struct st_ticks {
    int n;
    double value[ST_MAX_TICKS];
    char label[ST_MAX_TICKS][32]; /* as short as is exact, the same number of decimals on all */
} st_ticks;

/* Ticks at multiples of 1, 2 or 5 times a power of ten within [low, high], low < high: about `wanted` of them, at most
   ST_MAX_TICKS. whole: none between whole numbers. */
void st_ticks_linear(st_ticks *ticks, double low, double high, int wanted, bool whole);

/* Ticks for a logarithmic axis, 0 < low < high: powers of ten, with 2 and 5 times them where there are few; as
   st_ticks_linear where even these are fewer than two. */
void st_ticks_log(st_ticks *ticks, double low, double high, int wanted);

#endif
