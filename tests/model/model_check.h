/* What the tests of models share. */
#ifndef TESTS_MODEL_MODEL_CHECK_H
#define TESTS_MODEL_MODEL_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "model/model.h"
#include "support/folder.h"

/* A small model with each kind of layer: 6×4×1 → 6 → 6×4×1. */
static const char every_layer[] = "name: small\n"
                                  "seed: 7\n"
                                  "model:\n"
                                  "  input: [6, 4, 1]\n"
                                  "  encoder:\n"
                                  "    - conv2d: {filters: 3, kernel_size: 3, strides: 2, activation: relu}\n"
                                  "    - flatten\n"
                                  "    - dense: {units: 6}\n"
                                  "  decoder:\n"
                                  "    - activation: tanh\n"
                                  "    - dense: {units: 12, bias: false}\n"
                                  "    - activation: relu\n"
                                  "    - reshape: [3, 2, 2]\n"
                                  "    - conv2d_transpose: {filters: 1, kernel_size: 3, strides: 2, activation: "
                                  "sigmoid}\n"
                                  "train: {loss: mse, optimizer: adam}\n";

static inline strait_recipe *parse(const char *yaml, const char *name) {
    strait_recipe *recipe = NULL;
    strait_error err = {0};
    if (strait_recipe_parse(&recipe, yaml, name, 0, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return recipe;
}

static inline strait_model *build(const char *yaml) {
    strait_recipe *recipe = parse(yaml, "test.yaml");
    strait_model *model = NULL;
    strait_error err = {0};
    if (strait_model_build(&model, recipe, &err) != STRAIT_OK) fail_msg("%s", err.message);
    strait_recipe_free(recipe);
    return model;
}

#endif
