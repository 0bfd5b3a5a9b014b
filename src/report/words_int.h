/* Numbers as people read them, in every locale the same. Each gives a small text by value. */
#ifndef ST_REPORT_WORDS_INT_H
#define ST_REPORT_WORDS_INT_H

#include <stdint.h>

typedef struct st_word {
    char text[160];
} st_word;

st_word st_word_count(int64_t n);                 /* 101,200 */
st_word st_word_number(double value);             /* four significant digits: 0.008739, 12.34, 1.2e-7; a dash for NAN */
st_word st_word_exact(double value);              /* all digits it takes to read the same number back */
st_word st_word_share(double share);              /* 0.634: "63 %"; below a tenth with a decimal: "0.4 %" */
st_word st_word_seconds(double seconds);          /* 0.3 s, 12 s, 3 min 20 s, 2 h 5 min */
st_word st_word_bytes(double bytes);              /* 512 bytes, 31 KiB, 1.4 MiB */
st_word st_word_rate(double per_second);          /* 950, 15.1k, 1.2M */
st_word st_word_shape(int n, const int64_t *dim); /* 28×28×1 */

#endif
