/* Other libraries, loaded when they are first needed: one that brings many along would slow the start of every command.
 */
#ifndef ST_BASE_LIBRARY_H
#define ST_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

/* Where the address of what goes by this name belongs, in bytes from the table's beginning. */
typedef struct st_symbol {
    const char *name;
    size_t offset;
} st_symbol;

/* Loads the library that goes by the name file (its SONAME) and writes the addresses of n symbols into table; *loaded
   says whether that is done already, and is false at first. From any thread. Errors: IO (it is not there, or lacks a
   symbol), naming wanted_for. */
strait_status st_library_load(void *table, bool *loaded, const char *file, const st_symbol *symbol, size_t n,
                              const char *wanted_for, strait_error *err);

#endif
