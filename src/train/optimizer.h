/* The optimiser: one pass over the packed block, summing the replicas' gradients and taking the step (the formulas
   stand at st_update in graph/engine.h).

   Invariants:
   1. States (moving statistics) are not parameters of the step: no pass here touches their extents.
   2. Padding stays zero: every optimiser moves a value of zero with zero gradient and zero state nowhere.
   3. Sums over the block (the gradients' norm, penalties) are added in double, each worker its slice, then the
      workers' in order: the same bits for the same number of replicas. */
#ifndef ST_TRAIN_OPTIMIZER_H
#define ST_TRAIN_OPTIMIZER_H

#include "graph/runner.h"
#include "recipe/recipe.h"

/* State blocks: m, v, u, in this order. */
#define ST_MAX_STATES 3

/* How many state blocks, each as large as the parameters, an optimiser with these settings keeps. */
int st_optimizer_states(const st_optimizer *settings);

/* Part of the block that is treated alike: ends where the next parameter begins. */
typedef struct st_extent {
    size_t begin, end;
    bool kernels; /* decays and is penalised */
} st_extent;

typedef struct st_stepper {
    st_runner *runner; /* borrowed */
    st_optimizer settings;
    double clip_norm;            /* of the whole gradient; 0: none */
    double decay;                /* kernels shrink by learning rate * this in each step */
    double l1, l2;               /* penalties of the kernels */
    int64_t steps;               /* taken so far */
    float *state[ST_MAX_STATES]; /* in packed layout; NULL where the optimiser has none */
    float **gradient;            /* [replicas] */
    int n_extents;
    st_extent *extent;
    double *partial;  /* [workers], a cache line each */
    double u_product; /* nadam: u_1 ... u_t, ... */
    int64_t u_steps;  /* ... for this t */
    st_update update; /* of the step under way */
} st_stepper;

/* Settings, clipping, decay and penalties are the recipe's; n_values: floats in the canonical block. Errors: MEMORY,
 * ENGINE. Free with st_stepper_free also after a failure. */
strait_status st_stepper_init(st_stepper *stepper, const st_engine *engine, st_runner *runner, int64_t n_values,
                              const strait_recipe *recipe, strait_error *err);
/* Takes one step with this learning rate from the gradients that st_runner_train left. No allocation. */
void st_stepper_step(st_stepper *stepper, double rate);
/* l1 sum |w| + l2 sum w^2 over the kernels as they are. No allocation. */
double st_stepper_penalty(st_stepper *stepper);
/* The state blocks by name ("m", "v", "u"): index from 0; NULL where there is none. *name is static. */
float *st_stepper_state(const st_stepper *stepper, int index, const char **name);
void st_stepper_free(st_stepper *stepper);

#endif
