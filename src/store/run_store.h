/* The index of runs: runs.db in the folder of runs, in SQLite. The run folders are the truth; run.json in each holds
   what the index shows, so that it can be made anew. Several trainings write to one index at once (write-ahead log,
   waiting for the lock); a reader never blocks them. The only user of sqlite3. */
#ifndef ST_STORE_RUN_STORE_H
#define ST_STORE_RUN_STORE_H

#include <strait/runs.h>
#include "recipe/recipe.h"
#include "store/run.h"

#define ST_FILE_RUN "run.json"
#define ST_FILE_INDEX "runs.db"

/* ---- run.json (run_json.c) ---- */

/* Writes it into run->folder; atomic. Errors: IO, MEMORY. */
strait_status st_run_write(const strait_run *run, strait_error *err);
/* The record of a run folder. Name and folder follow from where it lies, so that a copy is a run of its own; a state of
   "running" is told only while a process holds the run (st_run_lock), else "interrupted".
   Errors: NOT_FOUND, IO, FORMAT naming file and key, MEMORY. */
strait_status st_run_read(strait_run *out, const char *folder, strait_error *err);
/* The same for any run folder: where there is no run.json (a run of an older program, or killed at birth) what
   recipe.yaml, history.csv and the files tell. *recipe (may be NULL) receives the recipe when it was needed for that,
   else NULL: the caller's. Errors: as st_run_read, RECIPE. */
strait_status st_run_read_any(strait_run *out, strait_recipe **recipe, const char *folder, strait_error *err);
/* What the recipe says of a run: name, loss, optimiser, source, seed, ... */
void st_run_take_recipe(strait_run *run, const strait_recipe *recipe);

/* ---- who is writing a run (run_lock.c) ---- */

/* Holds the run for this process until st_run_unlock or its end, however it ends. *lock is -1 where the file system
   knows no locks. Errors: ARGUMENT (another process holds it), IO. */
strait_status st_run_lock(int *lock, const char *folder, strait_error *err);
void st_run_unlock(int lock); /* -1 is fine */
typedef enum st_run_holder { ST_RUN_FREE, ST_RUN_HELD, ST_RUN_UNKNOWN } st_run_holder;
st_run_holder st_run_probe(const char *folder);

/* ---- deleting (run_delete.c) ---- */

/* Removes a run folder with the files a training, a report or a picture command writes; nothing at all when it holds
   another file, which the error names. Follows no link. Errors: NOT_FOUND, ARGUMENT (a file that is not a run's, a
   link, a run under way), IO. */
strait_status st_run_remove(const char *folder, strait_error *err);
/* Only looks: fails where st_run_remove would delete nothing. */
strait_status st_run_removable(const char *folder, strait_error *err);
/* The same for a sweep's own folder, which holds base.yaml and what is written beside it; its runs lie elsewhere. */
strait_status st_sweep_remove(const char *folder, strait_error *err);
strait_status st_sweep_removable(const char *folder, strait_error *err);

/* ---- the index (run_store.c) ---- */

typedef struct st_store st_store;
/* Opens dir/runs.db, made when it is not there (create) or NOT_FOUND. Errors: IO, FORMAT (not ours, damaged: says that
   `strait runs scan` makes a new one), MEMORY. */
strait_status st_store_open(st_store **out, const char *dir, bool create, strait_error *err);
/* An index of dir's runs in memory alone. */
strait_status st_store_open_memory(st_store **out, const char *dir, strait_error *err);
/* Whether this call of st_store_open made it: then it holds no run yet. */
bool st_store_is_new(const st_store *store);
/* Renames a damaged index to runs.db.damaged. Errors: IO, MEMORY. */
strait_status st_store_set_aside(const char *dir, strait_error *err);
void st_store_close(st_store *store); /* NULL is fine */
/* The run's row and, with yaml (may be NULL), its recipe's keys as parameters ("train.batch_size" -> "32") and its
   files as artefacts: put in or brought up to date. Errors: IO, FORMAT, RECIPE, MEMORY. */
strait_status st_store_put(st_store *store, const strait_run *run, const char *yaml, strait_error *err);
/* Metrics of epochs, by name; those there already are replaced. */
strait_status st_store_put_epochs(st_store *store, const char *name, int n, const st_history_row *rows,
                                  strait_error *err);
/* The run as it is now and nothing that was there before under its name; whole or not at all. */
strait_status st_store_put_whole(st_store *store, const strait_run *run, const char *yaml, int n,
                                 const st_history_row *rows, strait_error *err);
strait_status st_store_remove(st_store *store, const char *name, strait_error *err);
/* All runs in the index, by name. The caller's (strait_runs_free). */
strait_status st_store_list(strait_runs **out, st_store *store, strait_error *err);
/* A run's parameter, the caller's; NULL when it has none of that key. */
strait_status st_store_parameter(char **out, st_store *store, const char *name, const char *key, strait_error *err);
/* All keys there are, each once, sorted: the caller's (st_store_free_keys). */
strait_status st_store_keys(char ***out, size_t *n, st_store *store, strait_error *err);
void st_store_free_keys(char **keys, size_t n);

/* ---- asking (run_query.c) ---- */

/* As strait_runs_list, over an open index. Runs whose folder is gone are left out. */
strait_status st_store_query(strait_runs **out, st_store *store, const char *sort, const char *filter,
                             strait_error *err);

#endif
