/* Many strings in one block of memory: names of samples, of columns, of labels. */
#ifndef ST_DATA_WORDS_H
#define ST_DATA_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "base/string.h"

typedef struct st_words {
    int64_t n;
    const char **at; /* [n], once finished */
    st_text text;    /* the strings, each with its NUL */
} st_words;

strait_status st_words_new(st_words **out, strait_error *err);
/* Adds a copy of n bytes. When memory runs out st_words_finish tells. */
void st_words_add(st_words *words, const char *string, size_t n);
/* Fills in `at`; nothing is added any more. Errors: MEMORY. */
strait_status st_words_finish(st_words *words, strait_error *err);
/* Adds the names in a folder as paths. Errors: MEMORY. */
strait_status st_words_add_joined(st_words *paths, const char *folder, const st_words *names, strait_error *err);
/* The names in a folder as paths, finished; the caller's. Errors: MEMORY. */
strait_status st_words_join(st_words **out, const char *folder, const st_words *names, strait_error *err);
void st_words_free(st_words *words); /* NULL is fine */

#endif
