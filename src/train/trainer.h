/* The trainer: the loop over epochs and batches. It knows nothing of run folders: whoever owns it is told at named
   points (st_trainer_hooks) and saves what it wants.

   Invariants:
   1. What the training does is a function of the recipe, the data, the seed and the runner's split; never of time or
      of what the hooks do.
   2. st_train_state with the parameter and optimiser blocks is all there is: a trainer given them back goes on to the
      same bits.
   3. train_step allocates nothing and takes no lock. */
#ifndef ST_TRAIN_TRAINER_H
#define ST_TRAIN_TRAINER_H

#include <strait/train.h>
#include "data/data.h"
#include "graph/runner.h"
#include "model/model.h"
#include "train/optimizer.h"

/* The epoch whose noise validation and evaluation use: the same each time, and none of training's. */
#define ST_EVALUATION_EPOCH UINT32_MAX

/* How many of the graph's ops train: all, or with a loss from logits those before the closing sigmoid. */
int st_trained_ops(const st_graph *graph);
/* Whether its latent is a distribution, with a KL divergence to tell. */
bool st_has_divergence(const st_graph *graph);

/* Where the training stands. */
typedef struct st_train_state {
    int64_t epoch;                /* complete epochs */
    int64_t batch;                /* complete batches of the epoch under way */
    int64_t samples;              /* ... and their samples */
    double loss_sum;              /* ... and the sum of their losses, each times its samples */
    double seconds, wait_seconds; /* ... and the time they took */
    int64_t steps;                /* of the optimiser */
    int64_t best_epoch;           /* lowest watched loss; 0: none yet */
    double best_loss;
    double stop_loss; /* early stopping: the loss to beat, and the epochs since it was */
    int64_t stop_waited, stop_epoch;
    double plateau_loss;                      /* reduce_lr_on_plateau: the loss to beat, ... */
    int64_t plateau_waited, plateau_cooldown; /* ... epochs since it was, and still to pass */
    double plateau_scale;                     /* what the rate is multiplied by: 1 at the start */
    double kl_sum;                            /* of the epoch under way, as loss_sum */
    int64_t n_samples, n_validation;          /* what it trains and validates on: a resume must find as many */
    bool stopped;                             /* early */
} st_train_state;

/* An epoch's outcome. */
typedef struct st_epoch {
    int64_t epoch; /* from 1 */
    double loss, val_loss, learning_rate, seconds, samples_per_second, wait_seconds;
    double kl, val_kl; /* the KL divergence alone, not times beta; NAN without a gaussian latent */
} st_epoch;

typedef struct st_trainer st_trainer;

/* Every hook may be NULL; a failing hook ends the training with its status. */
typedef struct st_trainer_hooks {
    void *context;
    /* After an epoch (validated, counted in the state) and when an interruption was asked for (epoch NULL). */
    strait_status (*save)(void *context, st_trainer *trainer, const st_epoch *epoch, strait_error *err);
    /* Before the first step ever (epoch 0) and after each epoch, before save: to look at the model, whose values are
       current. Not called again for what a resume has behind it. */
    strait_status (*watch)(void *context, st_trainer *trainer, int64_t epoch, strait_error *err);
} st_trainer_hooks;

typedef struct st_trainer_config {
    strait_model *model;         /* borrowed; holds the starting weights, receives the trained ones */
    const strait_recipe *recipe; /* borrowed */
    const st_engine *engine;
    strait_data *data, *validation; /* borrowed; validation may be NULL */
    double offset, factor;          /* of scaling */
    int threads;
    bool timed;      /* for measuring: the time of each op (st_runner_cost) and of the optimiser is taken */
    const char *run; /* for progress; may be NULL */
    strait_observer observer;
    st_trainer_hooks hooks;
} st_trainer_config;

/* The runner that a training of the recipe makes, at its batch size and train.threads, at least 1. */
st_runner_config st_training_runner(const strait_model *model, const strait_recipe *recipe, const st_engine *engine);

/* Makes the plan and takes all memory. Errors: MEMORY, ENGINE. The caller owns *out. */
strait_status st_trainer_new(st_trainer **out, const st_trainer_config *config, strait_error *err);
void st_trainer_free(st_trainer *trainer);

/* Trains until the recipe's epochs are complete or early stopping stops. Afterwards (also on INTERRUPTED) the model
   holds the weights. On DIVERGED the model is left as it was at the last st_trainer_store. */
strait_status st_trainer_run(st_trainer *trainer, strait_error *err);

/* Whether there is nothing left to train. */
bool st_trainer_is_complete(const st_trainer *trainer);

/* Copies the weights that are the result into the model: the last, or those restore_best asks for. */
strait_status st_trainer_finish(st_trainer *trainer, strait_error *err);

/* Copies the weights into the model. */
strait_status st_trainer_store(st_trainer *trainer, strait_error *err);

/* The epochs so far; borrowed. */
const st_epoch *st_trainer_epochs(const st_trainer *trainer, int *n);
st_train_state *st_trainer_state(st_trainer *trainer);
st_stepper *st_trainer_stepper(st_trainer *trainer);
st_runner *st_trainer_runner(st_trainer *trainer);
/* Those weights, packed; NULL unless restore_best keeps them. */
float *st_trainer_best(st_trainer *trainer);
/* Room for the model's values (graph->n_values floats), between epochs or when interrupted: the gradients of the last
   step lie there, until somebody writes. */
float *st_trainer_scratch(st_trainer *trainer);
void st_trainer_set_run(st_trainer *trainer, const char *run);
/* Puts back the epochs before a resume. */
strait_status st_trainer_set_epochs(st_trainer *trainer, int n, const st_epoch *epochs, strait_error *err);
/* Bytes of everything a step touches. */
int64_t st_trainer_memory(const st_trainer *trainer);
const strait_model *st_trainer_model(const st_trainer *trainer);

/* Of a timed trainer: seconds that the optimiser took since it was made. */
double st_trainer_optimizer_seconds(const st_trainer *trainer);
/* One step on the next batch; for measuring. *n = 0 at the end of an epoch. st_trainer_start begins one. */
void st_trainer_start(st_trainer *trainer);
strait_status st_trainer_step(st_trainer *trainer, int64_t *n, strait_error *err);

#endif
