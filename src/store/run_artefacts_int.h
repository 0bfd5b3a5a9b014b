/* The files of a run folder, for the index. */
#ifndef ST_STORE_RUN_ARTEFACTS_INT_H
#define ST_STORE_RUN_ARTEFACTS_INT_H

#include <stdint.h>
#include "base/status.h"

typedef strait_status (*st_artefact_visit)(void *context, const char *file, int64_t bytes, strait_error *err);
/* Calls visit for every regular file in a run folder and in its reconstructions/ ("reconstructions/train-001.npy");
   none when the folder cannot be listed. Errors: MEMORY, visit's. */
strait_status st_run_each_artefact(const char *folder, st_artefact_visit visit, void *context, strait_error *err);

#endif
