/* What the files of sweeps share: sweep_plan.c makes the trials, sweep.c trains them, sweep_files.c writes of them,
   sweep_folder.c finds them again. */
#ifndef ST_API_SWEEP_H
#define ST_API_SWEEP_H

#include <strait/sweep.h>
#include "recipe/recipe.h"
#include "store/run.h"

#define ST_FILE_BASE "base.yaml"

/* What a key takes. */
typedef struct st_range {
    char *key;
    bool whole, log; /* whole numbers; uniform in the logarithm */
    double low, high;
    int n_items; /* a list of values; 0: low to high */
    char **item;
} st_range;

/* Reads "KEY=RANGE". What range owns is the caller's also on failure (st_range_free). Errors: ARGUMENT, MEMORY. */
strait_status st_range_read(st_range *range, const char *text, strait_error *err);
void st_range_free(st_range *range);

/* The recipe of trial t: the sweep's base with its values. The caller's. Errors: RECIPE, MEMORY. */
strait_status st_sweep_recipe(strait_recipe **out, const strait_sweep *sweep, const char *base, int t,
                              strait_error *err);

/* Names the runs of its trials after its folder. Errors: ARGUMENT (a path too long). */
strait_status st_sweep_name_runs(strait_sweep *sweep, strait_error *err);
/* A sweep that was begun, by its folder or its name in runs/: the trials of its base.yaml, as planned, and its recipe
   with its threads filled in. Both are the caller's, also on failure. Errors: NOT_FOUND, those of strait_recipe_open
   and strait_sweep_plan. */
strait_status st_sweep_open(strait_sweep **out, strait_recipe **base, const char *sweep, strait_error *err);

/* What the weights that a run keeps after so many epochs are judged by: its last loss, or with restore_best the one
   restored. NAN without a row. */
double st_sweep_score(const strait_recipe *recipe, const st_history_row *rows, int n, int epochs);

/* sweep.json and sweep.csv. Atomic. Errors: IO, MEMORY. */
strait_status st_sweep_write(const strait_sweep *sweep, const strait_recipe *base, strait_error *err);
/* best.yaml and the pictures, of a sweep that is complete. */
strait_status st_sweep_write_best(const strait_sweep *sweep, strait_theme theme, strait_error *err);
/* Measures the complete trials, and principal components, on sweep->against. */
strait_status st_sweep_measure(strait_sweep *sweep, strait_error *err);

#endif
