/* What the tests of the trainer share: small models and data made in memory, a trainer around them. */
#ifndef TESTS_TRAIN_TRAIN_CHECK_H
#define TESTS_TRAIN_TRAIN_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "base/memory.h"
#include "support/folder.h"
#include "train/trainer.h"

/* What a call inside ASSERT_OK fills in. */
static strait_error test_error;

#define ASSERT_OK(call)                                                                                                \
    do {                                                                                                               \
        test_error = (strait_error){0};                                                                                \
        if ((call) != STRAIT_OK) fail_msg("%s: %s", #call, test_error.message);                                        \
    } while (0)

/* 12 - 5 - 12. */
static const char dense_yaml[] = "name: dense\n"
                                 "seed: 7\n"
                                 "model:\n"
                                 "  input: [12]\n"
                                 "  encoder: [{dense: {units: 5, activation: relu}}]\n"
                                 "  decoder: [{dense: {units: 12, activation: sigmoid}}]\n"
                                 "train: {epochs: 4, batch_size: 16}\n";

/* 6×4×1 - 3×2×3 - 6×4×1. */
static const char convolution_yaml[] = "name: convolution\n"
                                       "seed: 7\n"
                                       "data: {corrupt: {gaussian: 0.1, clip: [0, 1]}}\n"
                                       "model:\n"
                                       "  input: [6, 4, 1]\n"
                                       "  encoder: [{conv2d: {filters: 3, strides: 2, activation: relu}}]\n"
                                       "  decoder:\n"
                                       "    - conv2d_transpose: {filters: 4, strides: 2, activation: relu}\n"
                                       "    - conv2d: {filters: 1, activation: sigmoid}\n"
                                       "train: {epochs: 4, batch_size: 16}\n";

/* n samples of smooth curves within 0..1, two numbers deciding each: an autoencoder can learn them. */
static inline strait_data *curves(int64_t n, int n_dims, const int64_t *dim) {
    int64_t values = 1;
    for (int i = 0; i < n_dims; i++)
        values *= dim[i];
    float *row = malloc((size_t)(n * values) * sizeof *row);
    assert_non_null(row);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < values; j++)
            row[i * values + j] =
                (float)(0.5 + 0.45 * sin((double)(i % 17) + (double)j * (0.2 + (double)(i % 5) * 0.05)));
    strait_data *data = NULL;
    ASSERT_OK(strait_data_from_rows(&data, row, n, n_dims, dim, &test_error));
    free(row);
    return data;
}

static inline strait_recipe *parse(const char *yaml, size_t n, const char *const *overrides) {
    strait_recipe *recipe = NULL;
    ASSERT_OK(strait_recipe_parse(&recipe, yaml, "test.yaml", n, overrides, &test_error));
    return recipe;
}

/* A trainer with all it stands on. */
typedef struct st_setup {
    strait_recipe *recipe;
    strait_data *data, *validation;
    strait_model *model;
    st_trainer *trainer;
} st_setup;

/* Fills in what config leaves open: the recipe's model, n curves as data, engine cpu, one thread, no scaling. */
static inline st_setup set_up(const char *yaml, size_t n_overrides, const char *const *overrides, int64_t n,
                              st_trainer_config config) {
    st_setup setup = {.recipe = parse(yaml, n_overrides, overrides)};
    ASSERT_OK(strait_model_build(&setup.model, setup.recipe, &test_error));
    setup.data = curves(n, setup.recipe->model.n_input_dims, setup.recipe->model.input_dim);
    config.model = setup.model;
    config.recipe = setup.recipe;
    if (!config.data) config.data = setup.data;
    if (!config.engine) config.engine = &st_engine_cpu;
    if (!config.threads) config.threads = 1;
    config.factor = 1;
    ASSERT_OK(st_trainer_new(&setup.trainer, &config, &test_error));
    return setup;
}

static inline void tear_down(st_setup *setup) {
    st_trainer_free(setup->trainer);
    strait_model_free(setup->model);
    strait_data_free(setup->validation);
    strait_data_free(setup->data);
    strait_recipe_free(setup->recipe);
}

/* The model's values become those of the training. */
static inline void put_values(st_trainer *trainer, const strait_model *model) {
    st_runner *runner = st_trainer_runner(trainer);
    ASSERT_OK(st_runner_pack(runner, st_runner_parameters(runner), model->values, &test_error));
}

/* Steps on and on through the epochs; the mean loss of the last epoch's batches so far. */
static inline double take_steps(st_trainer *trainer, int n_steps) {
    st_train_state *state = st_trainer_state(trainer);
    st_trainer_start(trainer);
    for (int i = 0; i < n_steps;) {
        int64_t n = 0;
        ASSERT_OK(st_trainer_step(trainer, &n, &test_error));
        if (n > 0) {
            i++;
            continue;
        }
        state->epoch++;
        state->batch = state->samples = 0;
        state->loss_sum = state->kl_sum = 0;
        st_trainer_start(trainer);
    }
    return state->loss_sum / (double)state->samples;
}

#endif
