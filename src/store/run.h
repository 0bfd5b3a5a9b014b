/* Run folders: DIR/NAME-001, -002, ... and the files in them. */
#ifndef ST_STORE_RUN_H
#define ST_STORE_RUN_H

#include <strait/runs.h>
#include "recipe/recipe.h"

/* Makes DIR (and parents) and the next free DIR/NAME-nnn in it; the numbering is safe between processes (mkdir
   decides). *out is its path, the caller's. Errors: IO naming the folder. */
strait_status st_run_create(char **out, const char *dir, const char *name, strait_error *err);

/* Makes this very folder, and its parents. *out is its path, the caller's. Errors: ARGUMENT (it exists, its path is too
   long), IO naming the folder, MEMORY. */
strait_status st_run_make(char **out, const char *folder, strait_error *err);

/* The folder of a run given as a folder or as a name in runs/: the caller's. Errors: NOT_FOUND (with the latest runs
 * there are). */
strait_status st_run_find(char **out, const char *run, strait_error *err);

/* The names of the runs in dir, sorted; none when dir cannot be listed. The caller's (st_run_free_names). */
strait_status st_run_names(char ***out, size_t *n, const char *dir, strait_error *err);
void st_run_free_names(char **names, size_t n);

/* The model file that MODEL names: itself, or model.safetensors in the run it names,
   or the checkpoint of one that was killed; the caller's. Errors: NOT_FOUND.
 */
strait_status st_run_model_path(char **out, const char *model, strait_error *err);

/* One epoch of history.csv: epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds,kl,val_kl.
   Files without the last two are read too. */
typedef struct st_history_row {
    int epoch;
    double loss, val_loss; /* val_loss NAN: empty in the file */
    double learning_rate, seconds, samples_per_second, wait_seconds;
    double kl, val_kl; /* NAN: empty in the file */
} st_history_row;

/* Writes / reads a whole history.csv (atomic). *out is the caller's (st_free). */
strait_status st_history_write(const char *path, int n, const st_history_row *rows, strait_error *err);
strait_status st_history_read(st_history_row **out, int *n, const char *path, strait_error *err);

#endif
