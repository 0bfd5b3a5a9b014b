/* Checkpoints: all that a training needs to go on to the same bits, in one safetensors file. It is a model file too:
   the weights stand under their usual names, the rest under "optimizer.", "best." and "training.". */
#ifndef ST_TRAIN_CHECKPOINT_H
#define ST_TRAIN_CHECKPOINT_H

#include "train/trainer.h"

/* Writes the trainer's state; st_trainer_store must have been called since the last step. Atomic.
   Errors: IO, MEMORY, ENGINE. */
strait_status st_checkpoint_write(const char *path, st_trainer *trainer, strait_error *err);

/* Puts the state of an open checkpoint into a trainer whose model was read from the same file.
   Errors: FORMAT naming path and what is missing or damaged, MEMORY, ENGINE. */
strait_status st_checkpoint_restore(st_trainer *trainer, const st_safetensors *file, const char *path,
                                    strait_error *err);

#endif
