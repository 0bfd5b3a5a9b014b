/* Training: from a recipe to a run folder. */
#ifndef STRAIT_TRAIN_H
#define STRAIT_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/data.h>
#include <strait/model.h>
#include <strait/recipe.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the training stands. Pointers are borrowed for the call. */
typedef struct strait_progress {
    const char *run;        /* the run's folder; NULL when nothing is written */
    int epoch, epochs;      /* from 1 */
    int64_t batch, batches; /* done in this epoch */
    int64_t samples;        /* done in this epoch */
    double loss;            /* mean over the samples of this epoch so far */
    double val_loss;        /* NAN until the epoch has been validated, or without validation */
    double kl, val_kl;      /* the KL divergence alone, not times beta; NAN without a gaussian latent */
    double learning_rate;
    double seconds;            /* of this epoch so far, validation included once it is done */
    double wait_seconds;       /* of this epoch spent waiting for data */
    double samples_per_second; /* of training, this epoch so far */
    bool best;                 /* after an epoch: the best so far */
} strait_progress;

/* Watches a training; every member may be NULL. Called from the training thread between steps: observers cannot
   change the training except by asking it to stop. */
typedef struct strait_observer {
    void *context;
    void (*begin)(void *context, const strait_progress *progress); /* the plan is made, the run folder exists */
    void (*step)(void *context, const strait_progress *progress);  /* after a batch, at most some 20 times a second */
    void (*epoch_end)(void *context, const strait_progress *progress); /* after validation and checkpoint */
    bool (*stop)(void *context); /* asked after each batch: true finishes the batch, saves and returns INTERRUPTED */
    void (*note)(void *context, const char *sentence); /* something worth telling, a line: early stopping, warnings */
} strait_observer;

/* All zero is the default. */
typedef struct strait_train_options {
    const char *out;         /* folder for runs; NULL: "runs"; ignored when resuming */
    bool no_run;             /* write nothing: train in memory */
    int threads;             /* 0: as many as the machine gives this process */
    strait_data *data;       /* train on this instead of the recipe's source; borrowed */
    strait_data *validation; /* validate on this instead of the recipe's choice; borrowed */
    strait_observer observer;
    const char *run;     /* the run's own folder, made anew, its parent too; NULL: the next free one in out */
    bool tune;           /* time other splits of the step than the rule's first, ten seconds at most; not resuming */
    const char *plan;    /* a run whose split of the step is taken, NULL: none; not with tune or threads */
    const char *command; /* the command line that asks for it, kept with the run; NULL: none */
} strait_train_options;

/* What came of a training. */
typedef struct strait_train_result {
    char run[512];         /* the run's folder, "" with no_run */
    int epochs;            /* trained in all */
    double loss, val_loss; /* of the last epoch; val_loss NAN without validation */
    int best_epoch;        /* with the lowest val_loss (loss without validation) */
    double best_loss;
    double seconds;            /* of training and validation, over all epochs */
    double samples_per_second; /* of training alone */
    double wait_share;         /* share of the training time spent waiting for data */
    int64_t parameters;
    int threads;
} strait_train_result;

/* Trains the recipe. Writes a run folder (recipe, model, history, checkpoint, pictures), every file atomically.
   *model (may be NULL) receives the trained model, the caller's to free. result may be NULL.
   Errors: RECIPE, SHAPE, NOT_FOUND, IO, MEMORY; DIVERGED (names epoch, batch and likely cause; the last good weights
   are kept in the run); INTERRUPTED (saved, can be resumed). result is filled also then. */
STRAIT_API strait_status strait_train(strait_model **model, strait_train_result *result, const strait_recipe *recipe,
                                      const strait_train_options *options, strait_error *err);

/* Goes on with a run that was interrupted or killed, to the same bits an uninterrupted training gives.
   epochs > 0 sets a new total. Data, validation and threads come from the run's recipe and plan unless given.
   Errors as strait_train; FORMAT when the checkpoint is damaged; ARGUMENT when the run is complete. */
STRAIT_API strait_status strait_train_resume(strait_model **model, strait_train_result *result, const char *run,
                                             int epochs, const strait_train_options *options, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
