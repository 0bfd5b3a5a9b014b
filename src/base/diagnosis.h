/* Building a strait_diagnosis: the training fills it in, and so does the reader of its file. */
#ifndef ST_BASE_DIAGNOSIS_H
#define ST_BASE_DIAGNOSIS_H

#include <strait/diagnosis.h>
#include "base/status.h"

/* Appends a finding. Errors: MEMORY. */
strait_status st_diagnosis_add_finding(strait_diagnosis *diagnosis, const strait_finding *finding, strait_error *err);
/* Appends an epoch, zeroed, with room for n_layers layers; *out is borrowed until the next. Errors: MEMORY. */
strait_status st_diagnosis_add_epoch(strait_diagnosis_epoch **out, strait_diagnosis *diagnosis, strait_error *err);
/* Drops what was found or seen after an epoch. */
void st_diagnosis_cut(strait_diagnosis *diagnosis, int epoch);

#endif
