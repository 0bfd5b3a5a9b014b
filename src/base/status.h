/* Filling in errors. Propagate what a callee reported; never overwrite it. */
#ifndef ST_BASE_STATUS_H
#define ST_BASE_STATUS_H

#include <stddef.h>
#include <strait/status.h>

/* Fills err (may be NULL) with a formatted message and returns code, so that failing is one statement:
   return st_fail(err, STRAIT_FORMAT, "%s: not an IDX file", path); */
strait_status st_fail(strait_error *err, strait_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As st_fail for a failed system call: appends ": " and the words for errno. */
strait_status st_fail_errno(strait_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory (asked for N bytes for WHAT)". */
strait_status st_fail_memory(strait_error *err, size_t bytes, const char *what);

/* Propagates a failing status to the caller. Use where there is nothing to free. */
#define ST_TRY(call)                                                                                                   \
    do {                                                                                                               \
        const strait_status st_try_status_ = (call);                                                                   \
        if (st_try_status_ != STRAIT_OK) return st_try_status_;                                                        \
    } while (0)

#endif
