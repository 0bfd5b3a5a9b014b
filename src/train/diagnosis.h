/* The diagnosis: what is looked at before training, before the first step and after each epoch, and the findings drawn
   from it. It never changes the training. Sentences carry a number and a mend; each finding is told once.

   Invariants:
   1. What it finds is a function of recipe, data and weights alone: never of time, nor of which thread ran.
   2. It costs a small share of an epoch: one forward pass over a few fixed samples, one over the weights. */
#ifndef ST_TRAIN_DIAGNOSIS_H
#define ST_TRAIN_DIAGNOSIS_H

#include <strait/diagnosis.h>
#include "train/trainer.h"

typedef struct st_diagnosis st_diagnosis;

/* What it reads; all borrowed for its life. */
typedef struct st_diagnosis_config {
    const strait_recipe *recipe;
    const strait_model *model; /* its values are current whenever it is asked to look */
    const st_engine *engine;
    strait_data *data, *validation; /* validation may be NULL */
    double offset, factor;          /* of scaling */
    st_runner *runner; /* the trainer's: the look works with its parameters. NULL: with a copy of model's */
    const strait_observer *observer; /* may be NULL */
} st_diagnosis_config;

/* Takes all memory and draws the probe; tells nothing yet. Errors: MEMORY, ENGINE, IO. The caller owns *out. */
strait_status st_diagnosis_new(st_diagnosis **out, const st_diagnosis_config *config, strait_error *err);
void st_diagnosis_free(st_diagnosis *diagnosis); /* NULL is fine */

/* Before the first step: checks recipe and data, tells those findings through observer->note, and looks at the
   untrained model: epoch 0. The trainer computes the loss of the probe. */
strait_status st_diagnosis_begin(st_diagnosis *diagnosis, st_trainer *trainer, strait_error *err);
/* After an epoch; trainer gives the gradients of the last batch, and its scratch, where they then no longer are. */
strait_status st_diagnosis_epoch(st_diagnosis *diagnosis, st_trainer *trainer, const st_epoch *epoch,
                                 strait_error *err);
/* Whom it tells; may be NULL. */
const strait_observer *st_diagnosis_observer(const st_diagnosis *diagnosis);
/* What was found so far, with both answers; borrowed until the next call. */
const strait_diagnosis *st_diagnosis_result(st_diagnosis *diagnosis);
/* Instead of st_diagnosis_begin, when a training is resumed: puts back what a run's diagnosis.json holds of the epochs
   that state has behind it. Findings are not told twice. before NULL, or of another model: what it held is lost, and
   recipe and data are checked again. In an epoch resumed in its middle change_epoch is not known. Takes the reference
   to before whatever comes. */
strait_status st_diagnosis_restore(st_diagnosis *diagnosis, strait_diagnosis *before, const st_train_state *state,
                                   strait_error *err);

#endif
