/* Inside the reader of tables: a text file as records of fields. */
#ifndef ST_DATA_CSV_INT_H
#define ST_DATA_CSV_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef struct st_records st_records;

/* A record's fields, each NUL-terminated, quotes resolved, blanks around it dropped. Borrowed until the next one. */
typedef struct st_record {
    int64_t line; /* it begins on, from 1 */
    int64_t n;
    char **field; /* [n] */
} st_record;

/* Opens a text file, gzip or not; a byte order mark is skipped. Errors: NOT_FOUND, IO, FORMAT (damaged gzip), MEMORY.
 */
strait_status st_records_open(st_records **out, const char *path, strait_error *err);
/* The separator, found in the first record: a tab where there is one, else a semicolon, else a comma. */
char st_records_separator(const st_records *records);
/* The next record that is not blank; *end and nothing else at the end. Errors: IO, MEMORY, FORMAT (damaged gzip, not
   text, an open quote, a record beyond belief). */
strait_status st_records_next(st_record *out, bool *end, st_records *records, strait_error *err);
void st_records_close(st_records *records); /* NULL is fine */

#endif
