/* Numbers as people read them. Each returns a small text by value: printf("%s", cli_count(n).text). */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdint.h>
#include <strait/array.h>

typedef struct cli_word {
    char text[160];
} cli_word;

typedef struct cli_quoted {
    char text[2112];
} cli_quoted;

cli_word cli_count(int64_t n);                      /* 101,200 */
cli_word cli_rate(double per_second);               /* 950, 15.1k, 151k, 1.2M */
cli_word cli_loss(double loss);                     /* four significant digits: 0.01023; "nan" for NAN */
cli_word cli_duration(double seconds);              /* 0.3 s, 12 s, 3 min 20 s, 2 h 5 min */
cli_word cli_bytes(double bytes);                   /* 512 bytes, 31 KiB, 1.4 MiB, 7.8 GiB */
cli_word cli_shape(int n_dims, const int64_t *dim); /* 28 x 28 x 1, with the sign for times where it can show */
cli_quoted cli_shell(const char *path);             /* quoted for a shell where it has to be; up to 512 bytes */

#endif
