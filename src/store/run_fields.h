/* The members of strait_run as a table: run.json, the index, sorting, filtering and exports all go by it. */
#ifndef ST_STORE_RUN_FIELDS_H
#define ST_STORE_RUN_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <strait/runs.h>

typedef enum st_field_type {
    ST_FIELD_TEXT,
    ST_FIELD_INT,
    ST_FIELD_INT64,
    ST_FIELD_UINT64,
    ST_FIELD_REAL
} st_field_type;

typedef struct st_run_field {
    const char *name;
    st_field_type type;
    size_t offset, size; /* size: of a text */
} st_run_field;

/* name and folder come first: they follow from where the run lies and are stored nowhere. */
#define ST_RUN_PLACE_FIELDS ((size_t)2)
#define ST_RUN_FIELDS ((size_t)32)
extern const st_run_field st_run_fields[ST_RUN_FIELDS];

/* The field of that name, or NULL. */
const st_run_field *st_run_field_find(const char *name);
/* A number's value, NAN for none; of a text: NAN. */
double st_run_number(const strait_run *run, const st_run_field *field);
/* Borrowed from run. */
const char *st_run_text(const strait_run *run, const st_run_field *field);
int64_t st_run_whole(const strait_run *run, const st_run_field *field); /* of an int, int64 or uint64 */
/* Sets a whole number; false when it does not fit or is below 0. */
bool st_run_set_whole(strait_run *run, const st_run_field *field, int64_t value);
/* Sets a text, cut to its room between two characters; control characters become spaces, bytes that are not UTF-8 '?'.
 */
void st_run_set_text(strait_run *run, const st_run_field *field, const char *text);
void st_run_set_real(strait_run *run, const st_run_field *field, double value);

/* Nothing known: empty texts, zeros, NAN. */
void st_run_clear(strait_run *run);
/* folder and, after it, name. */
void st_run_set_folder(strait_run *run, const char *folder);

#endif
