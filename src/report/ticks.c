/* A tick is a whole number of units in the last decimal place, q times 10^e, until its label is written: so 0.3 is
   never 0.30000000000000004. */
#include "report/ticks_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* q * 10^e as a number; exact to the last bit where 10^|e| is. */
static double decimal(int64_t q, int e) {
    return e < 0 ? (double)q / pow(10, -e) : (double)q * pow(10, e);
}

/* "1.5e-7": for what would take too many zeros. */
static void print_scientific(char out[32], int64_t q, int e) {
    for (; q % 10 == 0; e++)
        q /= 10;
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, q < 0 ? -q : q);
    const size_t n = strlen(digits);
    const short exponent = (short)(e + (int)n - 1); /* of a double: three digits */
    snprintf(out, 32, "%s%c%s%.18se%hd", q < 0 ? "-" : "", digits[0], n > 1 ? "." : "", digits + 1, exponent);
}

/* q * 10^e with all its decimals. -15 <= e; the number is below 1e15. */
static void print_plain(char out[32], int64_t q, int e) {
    char text[32] = "", *at = text + sizeof text - 1; /* written from the end */
    for (; e > 0; e--)
        q *= 10;
    int64_t rest = q < 0 ? -q : q;
    for (int i = 0; i < -e; i++, rest /= 10)
        *--at = (char)('0' + rest % 10);
    if (e < 0) *--at = '.';
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (q < 0) *--at = '-';
    memcpy(out, at, (size_t)(text + sizeof text - at));
}

/* size: the largest number on the axis, so that all its labels are alike. */
static void add(st_ticks *ticks, int64_t q, int e, double size) {
    if (ticks->n == ST_MAX_TICKS) return;
    const bool tiny = size < 1e-3 && e < -4, huge = size >= 1e6 && e >= 3, beyond = size >= 1e15 || e < -15;
    ticks->value[ticks->n] = decimal(q, e);
    char *label = ticks->label[ticks->n++];
    if (q == 0)
        snprintf(label, 32, "0");
    else if (tiny || huge || beyond)
        print_scientific(label, q, e);
    else
        print_plain(label, q, e);
}

void st_ticks_linear(st_ticks *ticks, double low, double high, int wanted, bool whole) {
    ticks->n = 0;
    const double raw = (high - low) / wanted;
    int e = (int)floor(log10(raw));
    const double lead = raw / pow(10, e); /* 1 to 10; the step is the one nearest to it by ratio */
    int64_t step = lead < M_SQRT2 ? 1 : lead < sqrt(10) ? 2 : lead < sqrt(50) ? 5 : 10;
    if (whole && e < 0) {
        step = 1;
        e = 0;
    } else if (step == 10) {
        step = 1;
        e++;
    }
    const double width = decimal(step, e);
    /* The slack takes up the rounding of the division, so that a tick at an end is not missed by a bit. */
    const int64_t first = (int64_t)ceil(low / width - 1e-9), last = (int64_t)floor(high / width + 1e-9);
    for (int64_t k = first; k <= last && ticks->n < ST_MAX_TICKS; k++)
        add(ticks, k * step, e, fmax(fabs(low), fabs(high)));
}

void st_ticks_log(st_ticks *ticks, double low, double high, int wanted) {
    ticks->n = 0;
    const int first = (int)floor(log10(low)), last = (int)ceil(log10(high));
    const double decades = log10(high) - log10(low);
    const int every = decades > wanted ? (int)ceil(decades / wanted) : 1; /* decades from tick to tick */
    const bool between = decades < 0.5 * wanted;
    for (int e = first; e <= last; e += every)
        for (int m = 1; m <= (between ? 5 : 1); m += m == 1 ? 1 : 3) {
            const double value = decimal(m, e);
            if (value >= low && value <= high) add(ticks, m, e, value);
        }
    if (ticks->n < 2) st_ticks_linear(ticks, low, high, wanted, false);
}
