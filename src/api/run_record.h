/* What a training keeps of itself for the store of runs: run.json in its folder, its rows in the index. The folder is
   the truth: an index that cannot be written is told of once, and never ends a training. */
#ifndef ST_API_RUN_RECORD_H
#define ST_API_RUN_RECORD_H

#include <strait/train.h>
#include "store/run_store.h"
#include "train/trainer.h"

typedef struct st_run_record st_run_record;

/* Everything is borrowed until st_run_record_free. */
typedef struct st_run_record_config {
    const char *run; /* the folder */
    const strait_recipe *recipe;
    const strait_model *model;
    strait_data *data, *validation; /* validation may be NULL */
    st_trainer *trainer;
    const strait_train_options *options;
    bool resumed; /* goes on with the record that is there; makes no index where there is none */
} st_run_record_config;

/* Holds the run for this process and writes its record with the state "running". *out is the caller's.
   Errors: ARGUMENT (another process is training this run), IO, MEMORY. */
strait_status st_run_record_begin(st_run_record **out, const st_run_record_config *config, strait_error *err);
/* After an epoch's checkpoint. Errors: IO (run.json), MEMORY. */
strait_status st_run_record_epoch(st_run_record *record, const st_epoch *epoch, const strait_train_result *result,
                                  strait_error *err);
/* outcome: what the training ended with. Errors: IO (run.json), MEMORY. */
strait_status st_run_record_end(st_run_record *record, strait_status outcome, const strait_train_result *result,
                                strait_error *err);
/* Lets go of the run; NULL is fine. */
void st_run_record_free(st_run_record *record);

/* Brings the index of dir up to date with its run folders (api/runs.c). The counts may be NULL. */
strait_status st_runs_index(int *n_added, int *n_dropped, st_store *store, const char *dir, strait_error *err);

/* The processor's name as the system tells it (api/info.c). */
void st_processor_name(char *out, size_t n);

#endif
