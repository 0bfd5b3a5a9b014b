#include "train/optimizer.h"

#include <math.h>

#include "base/memory.h"

/* A worker takes whole cache lines. */
#define LINE 16

strait_status st_stepper_init(st_stepper *stepper, const st_engine *engine, st_runner *runner,
                              const st_optimizer *settings, strait_error *err) {
    const int n_replicas = st_runner_replicas(runner);
    const size_t bytes = (st_runner_block_size(runner) + 1) * sizeof(float);
    *stepper = (st_stepper){.runner = runner, .settings = *settings};
    const bool adam = settings->kind == ST_OPTIMIZER_ADAM;
    if (adam || settings->momentum > 0) {
        stepper->m = st_alloc_aligned(bytes);
        if (!stepper->m) return st_fail_memory(err, bytes, "the optimiser's state");
    }
    if (adam) {
        stepper->v = st_alloc_aligned(bytes);
        if (!stepper->v) return st_fail_memory(err, bytes, "the optimiser's state");
    }
    stepper->gradient = st_alloc((size_t)n_replicas, sizeof *stepper->gradient);
    if (!stepper->gradient) return st_fail_memory(err, (size_t)n_replicas * sizeof(float *), "the optimiser");
    for (int i = 0; i < n_replicas; i++)
        stepper->gradient[i] = st_runner_gradient(runner, i);
    stepper->update = (st_update){
        .kind = settings->kind,
        .n_gradients = n_replicas,
        .gradient = stepper->gradient,
        .value = st_runner_parameters(runner),
        .m = stepper->m,
        .v = stepper->v,
        .beta_1 = (float)settings->beta_1,
        .beta_2 = (float)settings->beta_2,
        .epsilon = (float)settings->epsilon,
        .momentum = (float)settings->momentum,
        .nesterov = settings->nesterov,
    };
    engine->plan_update(&stepper->update);
    return STRAIT_OK;
}

static void update_slice(void *context, int worker, int n_workers) {
    const st_stepper *stepper = context;
    const size_t lines = (st_runner_block_size(stepper->runner) + LINE - 1) / LINE;
    const size_t begin = lines * (size_t)worker / (size_t)n_workers * LINE;
    const size_t end = lines * (size_t)(worker + 1) / (size_t)n_workers * LINE;
    stepper->update.run(&stepper->update, begin, end);
}

void st_stepper_step(st_stepper *stepper) {
    const st_optimizer *s = &stepper->settings;
    const double t = (double)++stepper->steps;
    double rate = s->learning_rate;
    if (s->kind == ST_OPTIMIZER_ADAM) rate *= sqrt(1 - pow(s->beta_2, t)) / (1 - pow(s->beta_1, t));
    stepper->update.learning_rate = (float)rate;
    st_pool_run(st_runner_pool(stepper->runner), update_slice, stepper);
}

float *st_stepper_state(const st_stepper *stepper, int index, const char **name) {
    *name = index == 0 ? "m" : "v";
    return index == 0 ? stepper->m : index == 1 ? stepper->v : NULL;
}

void st_stepper_free(st_stepper *stepper) {
    st_free(stepper->m);
    st_free(stepper->v);
    st_free(stepper->gradient);
    *stepper = (st_stepper){0};
}
