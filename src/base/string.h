/* Growing strings, suggestions, paths. */
#ifndef ST_BASE_STRING_H
#define ST_BASE_STRING_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* A growing, always NUL-terminated string. Start from {0}. When memory runs out the text is dropped and `failed`
   stays set: append freely, then ask once with st_text_take. */
typedef struct st_text {
    char *bytes;
    size_t length, capacity;
    bool failed;
} st_text;

void st_text_add(st_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void st_text_add_bytes(st_text *text, const void *bytes, size_t n);
/* The string in JSON's quotes and escapes; its bytes from 128 on go in as they are. */
void st_text_add_json(st_text *text, const char *string);
/* A cell of CSV: in quotes where it must be (RFC 4180). */
void st_text_add_cell(st_text *text, const char *value);
/* Hands the string to the caller (st_free) and resets text; MEMORY when an append failed. */
strait_status st_text_take(char **out, st_text *text, strait_error *err);
void st_text_free(st_text *text);

/* vsnprintf in the "C" locale: the same text whatever locale the program has set. */
int st_format_into(char *out, size_t n, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* A formatted string, the caller's (st_free); NULL when there is no memory. */
char *st_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The candidate nearest to word by edit distance (at most a third of its length, at least 1 and at most 3), or NULL:
 * for "did you mean". */
const char *st_nearest(const char *word, const char *const *candidates, size_t n);

/* Locale-free number parsing of the whole string; false when it is not a number. strtod's grammar less hex, inf, nan.
 */
bool st_parse_double(double *out, const char *string);
bool st_parse_int(int64_t *out, const char *string);
/* Shortest text (at most 32 bytes with NUL) that reads back as the same double / float; '.' as decimal point in
   every locale. */
void st_print_double(char out[32], double value);
void st_print_float(char out[32], float value);

bool st_ends_with(const char *string, const char *ending);
bool st_starts_with(const char *string, const char *start);
/* folder/name, the caller's; NULL when there is no memory. */
char *st_path_join(const char *folder, const char *name);
/* The last component, borrowed from path. */
const char *st_path_name(const char *path);
/* The folder part ("." when there is none), the caller's. */
char *st_path_folder(const char *path);
bool st_path_exists(const char *path);
bool st_path_is_folder(const char *path);
bool st_path_is_file(const char *path);
/* Makes the folder and its parents; fine when it exists. */
strait_status st_make_folders(const char *path, strait_error *err);

#endif
