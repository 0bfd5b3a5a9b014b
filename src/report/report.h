/* The pictures of a run, and its page. */
#ifndef ST_REPORT_REPORT_H
#define ST_REPORT_REPORT_H

#include <strait/array.h>
#include <strait/diagnosis.h>
#include <strait/model.h>
#include <strait/runs.h>
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

/* ---- the page ---- */

/* A key of the resolved recipe with its value, as st_recipe_walk gives them: "train.batch_size", "32". */
typedef struct st_setting {
    char *key, *value;
} st_setting;

/* What a run trains or validates on, and how well each sample comes back. */
typedef struct st_report_data {
    const char *name;   /* "training", "validation" */
    const char *source; /* as opened; NULL: there is no such part */
    int64_t n_samples;
    int n_dims;
    int64_t dim[STRAIT_MAX_DIMS];
    int64_t n_errors;    /* of the first samples; 0: not known */
    const float *errors; /* [n_errors] mean squared error of each */
} st_report_data;

/* Parts of a run that may be missing. */
typedef enum st_report_part {
    ST_PART_RUN,         /* run.json */
    ST_PART_RECIPE,      /* recipe.yaml */
    ST_PART_HISTORY,     /* history.csv */
    ST_PART_DIAGNOSIS,   /* diagnosis.json */
    ST_PART_MODEL,       /* model.safetensors, or the checkpoint */
    ST_PART_DATA,        /* the data set */
    ST_PART_ACTIVATIONS, /* of one sample */
    ST_PART_COUNT
} st_report_part;

/* All that a page tells of a run, but for its reconstructions, which are read from the folder. Everything is borrowed;
   a part that is missing is NULL (or zero), and why says why, in a sentence without a full stop ("" where nothing is
   known). */
typedef struct st_report_run {
    const char *folder; /* the run's */
    const char *name;
    const char *place; /* the folder as the command to train again names it: "runs/fashion-basic-001" */
    const strait_run *run;
    const char *yaml; /* recipe.yaml as it stands there */
    int n_settings;
    const st_setting *setting;
    const strait_summary *summary;
    int n_epochs;
    const st_history_row *epoch;
    const strait_diagnosis *diagnosis;
    st_report_data data[2]; /* training, validation */
    const strait_activations *activations;
    const char *sample; /* whose activations they are: "the first validation sample" */
    const char *link;   /* a comparison: the run's own page as seen from this one; NULL: none */
    char why[ST_PART_COUNT][400];
} st_report_run;

/* The page about one run; the page that compares n >= 2. *html is the caller's (st_free). The same runs give the same
   bytes. Damaged reconstructions are left out with a sentence. Errors: MEMORY. */
strait_status st_report_page(char **html, size_t *size, const st_report_run *run, strait_error *err);
strait_status st_report_compare(char **html, size_t *size, const st_report_run *const *run, int n, strait_error *err);

/* The model as an hourglass: a bar a layer, from the input at the top to the latent in the waist to the output, as wide
   as the layer's values are many, on a logarithmic scale. A whole SVG document; or, for a page, the element alone.
   *svg is the caller's (st_free). Errors: MEMORY. */
strait_status st_report_diagram(char **svg, const strait_summary *summary, bool document, strait_error *err);

#endif
