/* Inside the reader of tables: a text file as records of fields. */
#ifndef ST_DATA_CSV_INT_H
#define ST_DATA_CSV_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "data/words.h"

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
/* A line as it stands, without its end, borrowed until the next one; *end and nothing else at the end. Errors: as
   above. */
strait_status st_records_line(char **out, bool *end, st_records *records, strait_error *err);
/* From now on lines that begin with mark are left out, and fields are apart by separator. */
void st_records_set_style(st_records *records, char mark, char separator);
/* The number of the line that comes next. */
int64_t st_records_line_number(const st_records *records);

/* Whether the file begins as Weka's ARFF does: comments aside, with @relation. */
bool st_arff_is(const st_records *records);
/* Reads ARFF's header, so that the records that follow are its rows: the attributes' names, the caller's. Errors:
   FORMAT, IO, MEMORY. */
strait_status st_arff_read_header(st_words **names, st_records *records, const char *path, strait_error *err);
/* What of the text can be seen before anything is read; *n bytes. */
const char *st_records_ahead(const st_records *records, size_t *n);

void st_records_close(st_records *records); /* NULL is fine */

#endif
