/* diagnosis.json: the public struct as a JSON file, and back. */
#ifndef ST_STORE_DIAGNOSIS_FILE_H
#define ST_STORE_DIAGNOSIS_FILE_H

#include <stddef.h>
#include <strait/diagnosis.h>
#include "base/status.h"

#define ST_FILE_DIAGNOSIS "diagnosis.json"

/* Atomic; the same diagnosis gives the same bytes. NAN is written as null. Errors: IO, MEMORY. */
strait_status st_diagnosis_write(const char *path, const strait_diagnosis *diagnosis, strait_error *err);
/* The caller owns *out (strait_diagnosis_free). Errors: NOT_FOUND, IO, FORMAT naming path and key, MEMORY. */
strait_status st_diagnosis_read_file(strait_diagnosis **out, const char *path, strait_error *err);
/* The same from the n bytes of a file; path is for messages. */
strait_status st_diagnosis_parse(strait_diagnosis **out, const char *json, size_t n, const char *path,
                                 strait_error *err);

#endif
