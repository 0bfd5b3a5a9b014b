/* The pictures of a run. */
#ifndef ST_REPORT_REPORT_H
#define ST_REPORT_REPORT_H

#include <strait/array.h>
#include "base/status.h"
#include "store/run.h"

/* loss.png: training and, where there is one, validation loss over the epochs. The y axis is logarithmic when the
   loss falls by more than a factor of 30. Atomic. Errors: ARGUMENT (no rows), IO, MEMORY. */
strait_status st_report_loss(const char *path, const st_history_row *rows, int n, strait_error *err);

/* reconstructions.png: originals above reconstructions, ten in a line; between them what the model was given, when
   that was corrupted (else NULL). All of the same shape, as strait_picture_sheet wants it. Atomic.
   Errors: ARGUMENT, IO, MEMORY. */
strait_status st_report_reconstructions(const char *path, const strait_array *originals, const strait_array *corrupted,
                                        const strait_array *reconstructions, strait_error *err);

#endif
