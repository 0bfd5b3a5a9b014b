/* The index of runs: runs.db in the folder of runs, in SQLite. The run folders are the truth; run.json in each holds
   what the index shows, so that it can be made anew. Several trainings write to one index at once (write-ahead log,
   waiting for the lock); a reader never blocks them. The only user of sqlite3. */
#ifndef ST_STORE_RUN_STORE_H
#define ST_STORE_RUN_STORE_H

#include <strait/runs.h>
#include "recipe/recipe.h"
#include "store/run.h"

#define ST_FILE_RUN "run.json"

/* run.json; atomic. Errors: IO, MEMORY / NOT_FOUND, FORMAT naming file and key. */
strait_status st_run_write(const strait_run *run, strait_error *err);
strait_status st_run_read(strait_run *out, const char *folder, strait_error *err);

typedef struct st_store st_store;
/* Opens dir/runs.db, made when it is not there (create) or NOT_FOUND. Errors: IO, FORMAT (not ours, damaged: says that
   `strait runs scan` makes a new one), MEMORY. */
strait_status st_store_open(st_store **out, const char *dir, bool create, strait_error *err);
void st_store_close(st_store *store); /* NULL is fine */
/* The run's row, its recipe's keys as parameters (yaml: "train.batch_size" -> "32"), and its files as artefacts: put in
   or brought up to date. Errors: IO, MEMORY. */
strait_status st_store_put(st_store *store, const strait_run *run, const char *yaml, strait_error *err);
/* Metrics of epochs, by name; those there already are replaced. */
strait_status st_store_put_epochs(st_store *store, const char *name, int n, const st_history_row *rows,
                                  strait_error *err);
strait_status st_store_remove(st_store *store, const char *name, strait_error *err);

#endif
