/* Sweeps: one recipe trained many times with other values, to find what serves best.

   What is varied stands in the recipe's section sweep. `vary` holds "KEY=RANGE", KEY a path as overrides name it:
     train.batch_size=32,64            these values, as YAML; a list of any values
     model.latent=5..10                whole numbers, both ends included
     data.corrupt.gaussian=0.1..0.5    real numbers, uniform (an end with a point or an exponent makes it so)
     train.optimizer.adam.learning_rate=log:1e-4..1e-2   uniform in the logarithm
   Without `trials` it is every combination, the last key fastest. With `trials` it is that many draws by the
   counter-based generator: a function of (seed, trial, key) alone, real numbers to four significant digits; where there
   are only lists and whole numbers, different combinations as long as there are any left.

   `halving` is successive halving (Jamieson and Talwalkar 2016; the inner loop of Hyperband, Li et al. 2018): all n
   trials train for a first share of the recipe's epochs R, the best 1/halving of them for halving times as many, and so
   on; the last ones for R. See strait_sweep_rungs. */
#ifndef STRAIT_SWEEP_H
#define STRAIT_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/picture.h>
#include <strait/recipe.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One training of a sweep. */
typedef struct strait_sweep_trial {
    char run[512];            /* its folder, beside the sweep's; it is there once the trial has begun */
    char **value;             /* [n_keys] as texts, in the order of the keys */
    char state[16];           /* "waiting", "interrupted" (goes on), "dropped" (by halving), or as a run's: "complete",
                                 "stopped" (early), "diverged" */
    int epochs, epochs_asked; /* trained; of its recipe */
    int rung;                 /* the last of the sweep's rungs it was given, from 0 */
    int latent;               /* values of its latent */
    double loss, val_loss;    /* of the last epoch; NAN: none */
    double score;   /* what it is judged by, less is better: the loss that the weights it keeps had on what the run
                       validates on (trains on without validation); infinite when it diverged, NAN before */
    double seconds; /* of training */
    double mse;     /* mean squared error on against_pca; NAN: not measured */
} strait_sweep_trial;

typedef struct strait_sweep {
    char folder[512];
    char recipe[128]; /* the recipe's name */
    int n_keys;
    char **key;      /* [n_keys] */
    bool *log_scale; /* [n_keys] drawn from the logarithm */
    int n_trials;
    strait_sweep_trial *trial;
    int n_rungs;                    /* 1 without halving */
    int *rung_epochs, *rung_trials; /* [n_rungs] trained in all when it ends (in the last: what the trial's recipe asks
                                       for); how many trials it is given */
    int best; /* the trial of the least score among those in the last rung; -1: none is complete */
    bool complete;
    char *against; /* what pca_mse is measured on; NULL: nothing */
    int n_pca;     /* components measured: as many as the widest latent has values, at least 10; fewer where the samples
                      vary in fewer directions */
    double *pca_mse; /* [n_pca]: with 1, 2, ... components found on these very samples */
} strait_sweep;      /* owns all it points to */

/* Where a sweep stands. Pointers are borrowed for the call. */
typedef struct strait_sweep_progress {
    const strait_sweep *sweep;           /* its folder and keys, and the trial this is about; others may be under way */
    int trial;                           /* the one this is about, from 0 */
    int epoch, epochs;                   /* of that one: trained, and asked for in this rung */
    double val_loss;                     /* of its last epoch (loss without validation); NAN before */
    int rung, running, finished;         /* trials in this rung */
    int64_t epochs_done, epochs_planned; /* over all trials; planned may shrink, as trainings end early */
    double seconds, seconds_left;        /* since this call began; NAN: not known yet */
} strait_sweep_progress;

/* Watches a sweep. Called from several threads, but never from two at once; every member may be NULL. */
typedef struct strait_sweep_observer {
    void *context;
    void (*begin)(void *context,
                  const strait_sweep_progress *progress); /* before the first trial; its folder is there */
    void (*epoch)(void *context, const strait_sweep_progress *progress);
    void (*trial)(void *context, const strait_sweep_progress *progress); /* it has what its rung asks for, and stands
                                                                            in the sweep's files */
    bool (*stop)(void *context); /* asked after each batch: true saves all that is under way and ends the sweep */
    void (*note)(void *context, const char *sentence);
} strait_sweep_observer;

/* All zero is the default. */
typedef struct strait_sweep_options {
    const char *out;    /* folder for runs; NULL: "runs"; ignored when resuming */
    int jobs;           /* trials at once; 0: as many as fit on the processors. Results do not depend on it */
    strait_theme theme; /* of the pictures in the sweep's folder */
    strait_sweep_observer observer;
    const char *command; /* kept with the runs; NULL: none */
} strait_sweep_options;

/* Trains what the recipe's section sweep says; all of it is checked before anything is trained or written. Each trial
   computes with train.threads of the recipe, 1 where it does not say.

   Writes out/NAME-sweep-001 (or the next number): base.yaml, the recipe with its sweep, from which a resume goes on;
   sweep.json and sweep.csv, the trials, written anew whenever one has ended; best.yaml, the recipe of the best one,
   which trains the same again; parallel.png, and pca.png with against_pca. Trial i is the run out/NAME-sweep-001-00i.

   A trial that diverges is a result. *out (may be NULL) is the caller's, also filled on INTERRUPTED. Errors: ARGUMENT
   (nothing to vary; a range that is none), RECIPE, SHAPE, those of strait_train; INTERRUPTED (can be resumed). */
STRAIT_API strait_status strait_sweep_run(strait_sweep **out, const strait_recipe *recipe,
                                          const strait_sweep_options *options, strait_error *err);

/* Goes on with a sweep, by its folder or its name in runs/: trials that have what their rung asks for are not trained
   again, interrupted ones go on from their checkpoint. A finished one is read and its files are written anew. */
STRAIT_API strait_status strait_sweep_resume(strait_sweep **out, const char *sweep, const strait_sweep_options *options,
                                             strait_error *err);

/* Deletes a sweep, by its folder or its name in runs/, with the runs of its trials: nothing where one of them holds a
   file that no run writes, or is under way. Begun again after an interruption it deletes the rest. Errors: NOT_FOUND,
   ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_sweep_delete(const char *sweep, strait_error *err);
/* How many of a sweep's trials have a run's folder. Errors: NOT_FOUND (no sweep), those of strait_recipe_open, MEMORY.
 */
STRAIT_API strait_status strait_sweep_runs(int *n_runs, const char *sweep, strait_error *err);

/* The trials that the recipe's section asks for, nothing trained or written: folders are "", states "waiting". */
STRAIT_API strait_status strait_sweep_plan(strait_sweep **out, const strait_recipe *recipe, strait_error *err);
STRAIT_API void strait_sweep_free(strait_sweep *sweep); /* NULL is fine */

/* How many rungs successive halving has, and what they are: with s = min(floor(log_eta n), floor(log_eta(R / r))) it
   has s + 1 of them; rung i trains floor(n eta^-i) trials up to R eta^(i - s) epochs, rounded, and hands the best
   floor(n eta^-(i + 1)) on (Li et al. 2018, Algorithm 1, with s brackets and n given). epochs and trials (may be NULL)
   have room for 32. eta 0: one rung. */
STRAIT_API int strait_sweep_rungs(int *epochs, int *trials, int n, int eta, int most_epochs, int min_epochs);

/* The trials as parallel coordinates: an axis a key, the last one the score (on a logarithmic scale where it spans
   much); a line a trial, coloured by its score, the best one strong. Errors: ARGUMENT (no trial has a score), IO,
   MEMORY. */
STRAIT_API strait_status strait_sweep_draw(const char *path, const strait_sweep *sweep, strait_theme theme,
                                           strait_error *err);
/* Errors of trials over the width of their latents, beside those of principal components. Errors: ARGUMENT (nothing
   was measured against them), IO, MEMORY. */
STRAIT_API strait_status strait_sweep_draw_pca(const char *path, const strait_sweep *sweep, strait_theme theme,
                                               strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
