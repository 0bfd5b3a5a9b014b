/* What a training is looked at with, and writes into its run: the diagnosis, and the watched reconstructions. */
#ifndef ST_API_OBSERVE_H
#define ST_API_OBSERVE_H

#include "api/watch.h"
#include "train/diagnosis.h"

typedef struct st_observation {
    st_diagnosis *diagnosis;
    st_watch *watch; /* NULL: nothing is watched */
} st_observation;

/* config is the trainer's; its pointers, and the trainer, are borrowed for the life of the observation. watch: also the
   reconstructions that the recipe asks for. Close it also after a failure. Errors: MEMORY, ENGINE, IO. */
strait_status st_observation_open(st_observation *observation, const st_trainer_config *config, st_trainer *trainer,
                                  const strait_observer *observer, bool watch, strait_error *err);
/* Before the training of a run is resumed, once the trainer has its state back: goes on from the run's diagnosis.json.
   One that is missing or damaged is begun anew. Errors: MEMORY. */
strait_status st_observation_resume(st_observation *observation, const char *run, st_trainer *trainer,
                                    strait_error *err);
/* Looks at the model before the first step (epoch 0) or after an epoch, and writes into run (NULL: nothing). */
strait_status st_observation_epoch(st_observation *observation, const char *run, st_trainer *trainer, int64_t epoch,
                                   strait_error *err);
void st_observation_close(st_observation *observation); /* all zero is fine */

#endif
