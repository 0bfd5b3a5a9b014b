/* The optimiser: one pass over the packed block, summing the replicas' gradients and taking the step. */
#ifndef ST_TRAIN_OPTIMIZER_H
#define ST_TRAIN_OPTIMIZER_H

#include "graph/runner.h"
#include "recipe/recipe.h"

typedef struct st_stepper {
    st_runner *runner; /* borrowed */
    st_optimizer settings;
    int64_t steps;    /* taken so far */
    float *m, *v;     /* state blocks in packed layout; NULL where the optimiser has none */
    float **gradient; /* [replicas] */
    st_update update; /* of the step under way */
} st_stepper;

/* Errors: MEMORY. Free with st_stepper_free also after a failure. */
strait_status st_stepper_init(st_stepper *stepper, const st_engine *engine, st_runner *runner,
                              const st_optimizer *settings, strait_error *err);
/* Takes one step from the gradients that st_runner_train left. No allocation. */
void st_stepper_step(st_stepper *stepper);
/* The state blocks by name ("m", "v"): index from 0; NULL past the last. *name is static. */
float *st_stepper_state(const st_stepper *stepper, int index, const char **name);
void st_stepper_free(st_stepper *stepper);

#endif
