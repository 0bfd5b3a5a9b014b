/* How a training's step is split: tried out, remembered, or taken from another run. Threads and samples at a time
   decide the last bits of the result; they are kept with the run. */
#ifndef ST_API_TUNE_H
#define ST_API_TUNE_H

#include <strait/train.h>
#include "model/model.h"

/* Times steps of the model with threads up to recipe->train.threads and with other micro-batches than the rule's, for
   about ten seconds on made values, and puts the fastest into recipe->train: the rule's, unless another is faster by 2
   % twice. The best for this graph, batch, optimiser and processor is remembered in the user's cache folder and next
   time taken from there. observer->note is told what came of it. Errors: MEMORY, ENGINE. */
strait_status st_tune(strait_recipe *recipe, const strait_model *model, const strait_observer *observer,
                      strait_error *err);

/* Puts the split of a run, a folder or a name in runs/, into recipe->train; its threads alone where the model has an op
   over the whole batch. Errors: NOT_FOUND, those of its recipe. */
strait_status st_take_split(strait_recipe *recipe, const strait_model *model, const char *run, strait_error *err);

#endif
