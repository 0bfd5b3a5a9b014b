/* Reports: one self-contained HTML page about a run, or about several side by side; and drawings of models. */
#ifndef STRAIT_REPORT_H
#define STRAIT_REPORT_H

#include <strait/model.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the page for n runs (folders or names): one run's report, or a comparison of several. path NULL: report.html
   in the run's folder; for several comparison.html beside the first one's folder. Needs no network to open. What a run
   does not hold, or what cannot be computed now (its data is not here), is left out with a sentence that says why. The
   same runs give the same bytes. *written (written may be NULL) receives the page's path, the caller's: free it with
   strait_string_free. Atomic. Errors: NOT_FOUND (no such run), ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_report_write(char **written, const char *path, const char *const *runs, int n,
                                             strait_error *err);

/* Draws the model as an hourglass, from the input at the top to the output: a bar a layer, as wide as one sample has
   values there, on a logarithmic scale. An SVG file. Atomic. Errors: ARGUMENT, IO, MEMORY, ENGINE. */
STRAIT_API strait_status strait_report_diagram(const char *path, const strait_model *model, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
