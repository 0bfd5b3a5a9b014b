/* The watched reconstructions of a run: the same few samples before the first step and after each epoch, in
   RUN/reconstructions/. Images as PNG, cell by cell in rows of ceil(sqrt(n)) without gaps, so that a page can cut one
   out; anything else as .npy [n, ...]:
     train-000.png, train-001.png, ..., validation-000.png, ...   after so many epochs
     train-originals.png, validation-originals.png                what they should be
     train-inputs.png, validation-inputs.png                      what the model is given, where data.corrupt is on
     samples.csv                                                  set,index,sample,label: which samples these are */
#ifndef ST_API_WATCH_H
#define ST_API_WATCH_H

#include "graph/runner.h"
#include "model/model.h"
#include "train/probe.h"

#define ST_FOLDER_RECONSTRUCTIONS "reconstructions"

typedef struct st_watch st_watch;

/* All borrowed for its life. */
typedef struct st_watch_config {
    const strait_recipe *recipe;
    const strait_model *model; /* its values are current when it is asked to look */
    const st_engine *engine;
    strait_data *data, *validation; /* validation may be NULL */
    double offset, factor;          /* of scaling */
    int threads;
    st_runner *runner; /* the trainer's: the watch works with its parameters */
} st_watch_config;

/* *out is NULL where the recipe watches nothing. Errors: MEMORY, ENGINE, IO. */
strait_status st_watch_new(st_watch **out, const st_watch_config *config, strait_error *err);
/* Writes the files of an epoch, and before the first (0) those that stay. The same weights give the same bytes.
   Errors: IO, MEMORY, ENGINE. */
strait_status st_watch_epoch(st_watch *watch, const char *run, int64_t epoch, strait_error *err);
void st_watch_free(st_watch *watch); /* NULL is fine */

#endif
