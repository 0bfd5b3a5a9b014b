/* --set a.b.c=value. */
#include "recipe_check.h"

#define TWO_LAYERS                                                                                                     \
    "model:\n  input: [4]\n  encoder:\n    - flatten\n    - dense: {units: 2}\n  decoder: [{dense: {units: 4}}]\n"     \
    "train:\n  optimizer: adam\n  epochs: 7\n"

/* The override and the line(s) of the resolved recipe it must bring about. */
static const char *const good[][2] = {
    {"train.epochs=3", "\n  epochs: 3\n"},
    {"seed=7", "seed: 7\n"},
    {"name=x", "name: x\n"},
    {"data.source=mnist#test", "\n  source: mnist#test\n"}, /* a map that was not there */
    {"data.source=a=b.npy", "\n  source: \"a=b.npy\"\n"},   /* the first '=' parts */
    {"data.corrupt={mask: 0.5}", "\n  corrupt: {mask: 0.5}\n"},
    {"data.only=[3, 1]", "\n  only: [3, 1]\n"},
    {"model.encoder.1.dense.units=32", "\n    - dense: {units: 32, activation: linear, bias: true}\n"},
    {"model.encoder.1.dense.activation=relu", "\n    - dense: {units: 2, activation: relu, bias: true}\n"},
    {"model.encoder.0=activation: tanh", "\n    - activation: tanh\n"},
    {"model.encoder=[{dense: {units: 9}}]",
     "\n  encoder:\n    - dense: {units: 9, activation: linear, bias: true}\n  dec"},
    {"train.optimizer.adam.learning_rate=0.5", "\n  optimizer: {adam: {learning_rate: 0.5, beta_1: 0.9"},
    {"train.optimizer={sgd: {momentum: 0.5}}", "\n  optimizer: {sgd: {learning_rate: 0.01, momentum: 0.5"},
    {"train.early_stopping.patience=2", "\n  early_stopping: {patience: 2, min_delta: 0, restore_best: false}\n"},
    {"train.epochs=~", "\n  epochs: 10\n"}, /* null: as if it had not been written */
    {"train={epochs: 5}", "\n  epochs: 5\n  batch_size: 32\n"},
};

static void overrides_edit_the_recipe(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        strait_recipe *recipe = parse_good(TWO_LAYERS, good[i][0]);
        char *yaml = NULL;
        assert_int_equal(strait_recipe_to_yaml(&yaml, recipe, NULL), STRAIT_OK);
        if (!strstr(yaml, good[i][1])) fail_msg("--set %s gives\n%s", good[i][0], yaml);
        assert_round_trip(recipe);
        strait_string_free(yaml);
        strait_recipe_free(recipe);
    }
}

static void overrides_apply_in_order(void **state) {
    (void)state;
    static const char *const sets[] = {"train.optimizer=sgd", "train.optimizer.sgd.momentum=0.5", "train.epochs=3",
                                       "train.epochs=4", "data.limit=5"};
    strait_recipe *recipe = NULL;
    strait_error err = {0};
    if (strait_recipe_parse(&recipe, TWO_LAYERS, "r.yaml", COUNT(sets), sets, &err)) fail_msg("%s", err.message);
    assert_int_equal(recipe->train.epochs, 4);
    assert_true(recipe->train.optimizer.momentum == 0.5);
    assert_int_equal(recipe->data.limit, 5);
    strait_recipe_free(recipe);
}

static const struct {
    const char *set;
    strait_status status;
    const char *message;
} bad[] = {
    {"train.epochs=x", STRAIT_RECIPE, "--set train.epochs=x: train.epochs must be a whole number ≥ 1, not 'x'"},
    {"train.epochs", STRAIT_ARGUMENT, "--set train.epochs: needs '=' and a value, as in --set train.epochs=3"},
    {"=3", STRAIT_ARGUMENT, "--set =3: the path has an empty part; write it as in train.epochs=3"},
    {"train..epochs=3", STRAIT_ARGUMENT,
     "--set train..epochs=3: the path has an empty part; write it as in train.epochs=3"},
    {"train.=3", STRAIT_ARGUMENT, "--set train.=3: the path has an empty part; write it as in train.epochs=3"},
    {"train.epochs=", STRAIT_RECIPE,
     "--set train.epochs=: train.epochs is empty: give it a value, or leave the key out"},
    {"train.epoch=3", STRAIT_RECIPE, "--set train.epoch=3: unknown key 'epoch' in train; did you mean 'epochs'?"},
    {"a.b=3", STRAIT_RECIPE, "--set a.b=3: unknown key 'a'; there are: name, seed, data, model, train, watch, sweep"},
    {"train.epochs.x=3", STRAIT_RECIPE, "--set train.epochs.x=3: train.epochs is '7': it has no 'x' inside"},
    {"model.encoder.2=flatten", STRAIT_RECIPE,
     "--set model.encoder.2=flatten: model.encoder has 2 items, counted from 0: there is no item 2"},
    {"model.decoder.-1=flatten", STRAIT_RECIPE,
     "--set model.decoder.-1=flatten: model.decoder has 1 item, counted from 0: there is no item -1"},
    {"model.encoder.dense=flatten", STRAIT_RECIPE,
     "--set model.encoder.dense=flatten: model.encoder is a list: 'dense' must be the number of an item, counted from "
     "0"},
    {"model.encoder.0.activation=relu", STRAIT_RECIPE,
     "--set model.encoder.0.activation=relu: model.encoder.0 is 'flatten': it has no 'activation' inside"},
    {"model.encoder.0.flatten=3", STRAIT_RECIPE,
     "--set model.encoder.0.flatten=3: flatten has no settings: write 'flatten' alone"},
    {"train.optimizer.sgd.momentum=0.5", STRAIT_RECIPE,
     "--set train.optimizer.sgd.momentum=0.5: train.optimizer is 'adam': it has no 'sgd' inside"},
    {"train.optimizer.learning_rate=1", STRAIT_RECIPE,
     "--set train.optimizer.learning_rate=1: train.optimizer is 'adam': it has no 'learning_rate' inside"},
    {"data.source=*.npy", STRAIT_RECIPE,
     "--set data.source=*.npy: not valid YAML: while scanning an alias, did not find expected alphabetic or numeric "
     "character (a text that begins with this character needs quotes)"},
    {"data={source: a, source: b}", STRAIT_RECIPE,
     "--set data={source: a, source: b}: key 'source' is given twice; keep one"},
    {"seed=1\n---\n2", STRAIT_RECIPE, "--set seed=1 --- 2: a second YAML document begins here: a recipe is one"},
    {"data.source="
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxx: 1",
     STRAIT_RECIPE,
     "--set "
     "data.source=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxx...: data.source must be a text, not a map"},
};

static void bad_overrides_are_told(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        strait_recipe *recipe = (void *)1;
        strait_error err = {0};
        const strait_status status = strait_recipe_parse(&recipe, TWO_LAYERS, "r.yaml", 1, &bad[i].set, &err);
        if (status != bad[i].status || strcmp(err.message, bad[i].message) != 0)
            fail_msg("status %d\nis:     %s\nwanted: %s", (int)status, err.message, bad[i].message);
        assert_null(recipe);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overrides_edit_the_recipe),
        cmocka_unit_test(overrides_apply_in_order),
        cmocka_unit_test(bad_overrides_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
