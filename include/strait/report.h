/* Reports: one self-contained HTML page about a run, or about several side by side; and drawings of models. */
#ifndef STRAIT_REPORT_H
#define STRAIT_REPORT_H

#include <strait/model.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the page for n runs (folders or names): one run's report, or a comparison of several. path NULL: report.html
   in the first run's folder. Needs no network to open. Atomic. Errors: NOT_FOUND, FORMAT, IO, MEMORY. */
STRAIT_API strait_status strait_report_write(const char *path, const char *const *runs, int n, strait_error *err);

/* Draws the model as an hourglass, a box a layer, its height the values of one sample: an SVG. Atomic.
   Errors: ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_report_diagram(const char *path, const strait_model *model, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
