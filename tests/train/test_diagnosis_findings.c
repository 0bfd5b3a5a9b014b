/* What the epochs tell: each finding provoked, and a sound neighbour that must not give it. */
#include "train/diagnosis_check.h"

#define RECIPE(encoder, decoder, train)                                                                                \
    "name: x\nseed: 3\nmodel:\n  input: [8]\n  encoder: [" encoder "]\n  decoder: [" decoder "]\ntrain: {batch_size: " \
    "16, " train "}\n"
#define NARROW "dense: {units: 3}"
#define SIGMOID "dense: {units: 8, activation: sigmoid}"
#define LINEAR "dense: {units: 8}"
#define LEARN "epochs: 20, optimizer: {adam: {learning_rate: 0.01}}"
#define STILL "epochs: 2, optimizer: {sgd: {learning_rate: 1e-12}}"

static const case_of sound = {.yaml = RECIPE(NARROW, SIGMOID, LEARN), .n = 64};

static void test_sound(void **state) {
    (void)state;
    diagnosed run;
    diagnose(&run, &sound);
    static const char *const codes[] = {"clipped_output", "collapsed",     "saturated",  "dead_units",
                                        "dead_latent",    "weights_still", "exploding",  "vanishing_gradient",
                                        "loss_still",     "loss_rising",   "overfitting"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        expect_none(&run, codes[i]);
    const strait_diagnosis *result = st_diagnosis_result(run.diagnosis);
    assert_true(result->loss_moves && result->weights_change);
    assert_memory_equal(result->loss_answer, "Yes: the loss fell from 0.", 26);
    assert_memory_equal(result->weights_answer, "Yes, in 2 of 2 layers", 21);
    assert_true(result->share_of_time > 0 && result->share_of_time < 1);
    drop(&run);
}

static void test_clipped_output(void **state) {
    (void)state;
    strait_finding found;
    /* Untrained, a linear output is as often below 0 as above. */
    provoke("clipped_output", "",
            &(case_of){.yaml = RECIPE(NARROW, LINEAR,
                                      "loss: binary_crossentropy, epochs: 1, optimizer: {sgd: "
                                      "{learning_rate: 1e-12}}"),
                       .n = 64},
            &(case_of){.yaml = RECIPE(NARROW, SIGMOID, "loss: binary_crossentropy, epochs: 1"), .n = 64}, &found);
    char wanted[160];
    snprintf(wanted, sizeof wanted,
             "binary_crossentropy clips outputs to (0, 1), and %.0f %% of the outputs lie outside: their gradient is "
             "zero.",
             100 * found.value);
    assert_string_equal(found.sentence, wanted);
    assert_string_equal(found.mend, "Use activation: sigmoid on the last layer, or loss: mse.");
    assert_true(found.value > 0.2 && found.value < 0.8);
    /* mse clips nothing. */
    diagnosed run;
    diagnose(&run, &(case_of){.yaml = RECIPE(NARROW, LINEAR, "epochs: 1"), .n = 64});
    expect_none(&run, "clipped_output");
    drop(&run);
}

static void blind(strait_model *model) {
    fill(model, "decoder.0.kernel", 1e-6f);
}

static void test_collapsed(void **state) {
    (void)state;
    strait_finding found;
    provoke("collapsed", "", &(case_of){.yaml = RECIPE(NARROW, SIGMOID, STILL), .n = 64, .change = blind}, &sound,
            &found);
    assert_true(found.value < 0.001);
    assert_int_equal(found.epoch, 2);
}

/* 4 steps an epoch: after two of them a network that learns well is where it began. */
static void test_collapsed_in_the_first_steps(void **state) {
    (void)state;
    diagnosed run;
    diagnose(&run, &(case_of){.yaml = RECIPE(NARROW, SIGMOID, "epochs: 40, optimizer: {adam: {learning_rate: 0.003}}"),
                              .n = 64,
                              .change = blind});
    const strait_diagnosis *result = st_diagnosis_result(run.diagnosis);
    for (int i = 1; i <= 2; i++)
        assert_true(result->epoch[i].output.variation < 0.05 * result->epoch[i].output.data_variation);
    assert_true(result->epoch[40].output.variation > 0.2 * result->epoch[40].output.data_variation);
    expect_none(&run, "collapsed");
    drop(&run);
}

static void blacken(strait_model *model) {
    fill(model, "decoder.0.bias", -20);
}
static void whiten(strait_model *model) {
    fill(model, "decoder.0.bias", 20);
}
static void darken(strait_model *model) {
    fill(model, "decoder.0.bias", -2);
}

static void test_saturated(void **state) {
    (void)state;
    const char *yaml = RECIPE(NARROW, SIGMOID, STILL);
    strait_finding found;
    provoke("saturated", "", &(case_of){.yaml = yaml, .n = 64, .change = blacken},
            &(case_of){.yaml = yaml, .n = 64, .change = darken}, &found);
    assert_memory_equal(found.sentence, "100 % of the outputs are black", 30);
    provoke("saturated", "", &(case_of){.yaml = yaml, .n = 64, .change = whiten}, &sound, &found);
    assert_non_null(strstr(found.sentence, "white"));
    /* Black where the data is black, too. */
    static const float rows[64 * 8];
    diagnosed run;
    diagnose(&run, &(case_of){.yaml = yaml, .n = 64, .rows = rows, .change = blacken});
    expect_none(&run, "saturated");
    drop(&run);
}

#define DEEP(train) RECIPE("dense: {units: 6, activation: relu}, dense: {units: 3}", SIGMOID, train)

static void kill_first(strait_model *model) {
    fill(model, "encoder.0.bias", -100);
}
static void push_first(strait_model *model) {
    fill(model, "encoder.0.bias", 0.5f);
}
static void kill_half(strait_model *model) {
    fill(model, "encoder.0.bias", 0.5f);
    for (int i = 0; i < 3; i++)
        model->values[model->graph->parameter[model->graph->op[0].bias].offset + i] = -100;
}

static void test_dead_units(void **state) {
    (void)state;
    strait_finding found;
    provoke("dead_units", "encoder.0", &(case_of){.yaml = DEEP(LEARN), .n = 64, .change = kill_first},
            &(case_of){.yaml = DEEP(LEARN), .n = 64, .change = push_first}, &found);
    assert_true(found.value == 1 && found.epoch == 20); /* 4 steps an epoch: at the end, before 100 */
    assert_int_equal(found.severity, STRAIT_SEVERITY_PROBLEM);
    assert_string_equal(found.sentence,
                        "6 of 6 units (100 %) give 0 for each of 32 samples looked at: their weights no "
                        "longer learn.");
    provoke(
        "dead_units", "encoder.0",
        &(case_of){.yaml = DEEP("epochs: 26, optimizer: {adam: {learning_rate: 0.01}}"), .n = 64, .change = kill_first},
        &sound, &found);
    assert_int_equal(found.epoch, 25);
    provoke("dead_units", "encoder.0", &(case_of){.yaml = DEEP(STILL), .n = 64, .change = kill_half}, &sound, &found);
    assert_true(found.value == 0.5);
    assert_int_equal(found.severity, STRAIT_SEVERITY_WARNING);
    /* An output that is always 0 is a black pixel, not a dead unit. */
    diagnosed run;
    diagnose(&run, &(case_of){.yaml = RECIPE(NARROW, "dense: {units: 8, activation: relu}, reshape: [8]", STILL),
                              .n = 64,
                              .change = blacken});
    expect_none(&run, "dead_units");
    assert_true(isnan(st_diagnosis_result(run.diagnosis)->epoch[1].layer[1].dead_share));
    drop(&run);
}

static void test_dead_latent(void **state) {
    (void)state;
    const char *yaml = RECIPE("dense: {units: 3, activation: relu}", SIGMOID, STILL);
    strait_finding found;
    diagnosed run;
    provoke("dead_latent", "", &(case_of){.yaml = yaml, .n = 64, .change = kill_first},
            &(case_of){.yaml = yaml, .n = 64, .change = push_first}, &found);
    assert_memory_equal(found.sentence, "3 of 3 latent units (100 %)", 27);
    /* A single sample does not tell it. */
    diagnose(&run, &(case_of){.yaml = yaml, .n = 1, .change = kill_first});
    expect_none(&run, "dead_latent");
    drop(&run);
    /* ... and is not told once more as dead units. */
    diagnose(&run, &(case_of){.yaml = yaml, .n = 64, .change = kill_first});
    expect_none(&run, "dead_units");
    drop(&run);
}

static void test_weights_still(void **state) {
    (void)state;
    strait_finding found;
    diagnosed run;
    provoke("weights_still", "", &(case_of){.yaml = RECIPE(NARROW, SIGMOID, STILL), .n = 64}, &sound, &found);
    assert_int_equal(found.severity, STRAIT_SEVERITY_PROBLEM);
    diagnose(&run, &(case_of){.yaml = RECIPE(NARROW, SIGMOID, STILL), .n = 64});
    assert_false(st_diagnosis_result(run.diagnosis)->weights_change);
    assert_memory_equal(st_diagnosis_result(run.diagnosis)->weights_answer, "No: none of 2 layers", 20);
    drop(&run);
    /* No gradient comes through dead units: the layer stands still, those after it learn their biases. */
    provoke("weights_still", "encoder.0", &(case_of){.yaml = DEEP(LEARN), .n = 64, .change = kill_first},
            &(case_of){.yaml = DEEP(LEARN), .n = 64, .change = push_first}, &found);
}

static void shrink(strait_model *model) {
    fill(model, "decoder.0.kernel", 1e-4f);
    fill(model, "encoder.0.kernel", 1e-4f);
}

static void test_exploding(void **state) {
    (void)state;
    strait_finding found;
    provoke("exploding", "encoder.0",
            &(case_of){.yaml = RECIPE(NARROW, SIGMOID, "epochs: 2, optimizer: {adam: {learning_rate: 0.01}}"),
                       .n = 64,
                       .change = shrink},
            &sound, &found);
    assert_true(found.value > 10);
}

#define SLOW "dense: {units: 4, activation: sigmoid}, dense: {units: 4, activation: sigmoid}"
#define QUICK "dense: {units: 4, activation: tanh}"

static void test_vanishing_gradient(void **state) {
    (void)state;
    strait_finding found;
    provoke("vanishing_gradient", "encoder.0",
            &(case_of){.yaml = RECIPE(SLOW "," SLOW "," SLOW "," SLOW "," SLOW "," SLOW "," SLOW, SIGMOID, "epochs: 2"),
                       .n = 64},
            &(case_of){.yaml = RECIPE(QUICK "," QUICK "," QUICK "," QUICK, SIGMOID, "epochs: 2"), .n = 64}, &found);
    assert_true(found.value > 0 && found.value < 1e-4);
    assert_non_null(strstr(found.sentence, "decoder.0"));
}

static void test_loss_still(void **state) {
    (void)state;
    strait_finding found;
    diagnosed run;
    provoke("loss_still", "", &(case_of){.yaml = RECIPE(NARROW, SIGMOID, STILL), .n = 64}, &sound, &found);
    assert_true(found.value < 1e-3);
    diagnose(&run, &(case_of){.yaml = RECIPE(NARROW, SIGMOID, STILL), .n = 64});
    assert_false(st_diagnosis_result(run.diagnosis)->loss_moves);
    assert_memory_equal(st_diagnosis_result(run.diagnosis)->loss_answer, "No: the loss is 0.", 18);
    drop(&run);
}

/* ---- the course of the loss, on losses chosen by hand ---- */

/* Diagnoses epochs of these losses; val_loss NULL: no validation. */
static void script(diagnosed *run, int n, const double *loss, const double *val_loss, int64_t epochs) {
    prepare(run, &(case_of){.yaml = RECIPE(NARROW, SIGMOID, "epochs: 4"), .n = 64});
    run->setup.recipe->train.epochs = epochs;
    ASSERT_OK(st_diagnosis_begin(run->diagnosis, run->setup.trainer, &test_error));
    for (int i = 0; i < n; i++) {
        const st_epoch epoch = {.epoch = i + 1, .loss = loss[i], .val_loss = val_loss ? val_loss[i] : NAN};
        ASSERT_OK(st_diagnosis_epoch(run->diagnosis, run->setup.trainer, &epoch, &test_error));
    }
}

static void test_loss_rising(void **state) {
    (void)state;
    diagnosed run;
    script(&run, 5, (const double[]){0.5, 0.4, 0.41, 0.42, 0.43}, NULL, 9);
    const strait_finding *found = expect(&run, "loss_rising", "");
    assert_int_equal(found->epoch, 5);
    assert_true(fabs(found->value - 0.03 / 0.4) < 1e-9);
    drop(&run);
    script(&run, 5, (const double[]){0.5, 0.4, 0.41, 0.42, 0.419}, NULL, 9);
    expect_none(&run, "loss_rising");
    drop(&run);
    script(&run, 5, (const double[]){0.5, 0.4, 0.401, 0.402, 0.403}, NULL, 9); /* by less than 1 % */
    expect_none(&run, "loss_rising");
    drop(&run);
}

static void test_overfitting(void **state) {
    (void)state;
    const double loss[] = {0.5, 0.4, 0.3, 0.2, 0.1};
    diagnosed run;
    script(&run, 5, loss, (const double[]){0.5, 0.42, 0.43, 0.46, 0.5}, 9);
    const strait_finding *found = expect(&run, "overfitting", "");
    assert_int_equal(found->epoch, 5);
    assert_true(fabs(found->value - 0.08 / 0.42) < 1e-9);
    assert_non_null(strstr(found->sentence, "epoch 2 (0.42)"));
    drop(&run);
    script(&run, 5, loss, (const double[]){0.5, 0.42, 0.421, 0.422, 0.421}, 9);
    expect_none(&run, "overfitting");
    drop(&run);
    script(&run, 5, (const double[]){0.5, 0.4, 0.45, 0.5, 0.6}, (const double[]){0.5, 0.42, 0.43, 0.46, 0.5}, 9);
    expect_none(&run, "overfitting"); /* the loss rises, too: that is something else */
    drop(&run);
}

/* Four steps an epoch: too few, after two epochs, to call a loss still; the end calls it so all the same. */
static void test_loss_still_after_some_steps(void **state) {
    (void)state;
    diagnosed run;
    script(&run, 0, NULL, NULL, 40);
    const double untrained = st_diagnosis_result(run.diagnosis)->epoch[0].loss, still[] = {untrained, untrained};
    drop(&run);
    script(&run, 2, still, NULL, 40);
    expect_none(&run, "loss_still");
    drop(&run);
    script(&run, 2, still, NULL, 2);
    expect(&run, "loss_still", "");
    drop(&run);
}

static void test_not_finished(void **state) {
    (void)state;
    const double falls[] = {0.5, 0.4, 0.3};
    diagnosed run;
    script(&run, 3, falls, NULL, 3);
    const strait_finding *found = expect(&run, "not_finished", "");
    assert_true(fabs(found->value - 0.25) < 1e-9);
    assert_non_null(strstr(found->mend, "--epochs 6"));
    drop(&run);
    script(&run, 3, falls, NULL, 4);
    expect_none(&run, "not_finished");
    drop(&run);
    script(&run, 3, (const double[]){0.5, 0.4, 0.399}, NULL, 3);
    expect_none(&run, "not_finished");
    drop(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),        cmocka_unit_test(test_clipped_output),
        cmocka_unit_test(test_collapsed),    cmocka_unit_test(test_collapsed_in_the_first_steps),
        cmocka_unit_test(test_saturated),    cmocka_unit_test(test_dead_units),
        cmocka_unit_test(test_dead_latent),  cmocka_unit_test(test_weights_still),
        cmocka_unit_test(test_exploding),    cmocka_unit_test(test_vanishing_gradient),
        cmocka_unit_test(test_loss_still),   cmocka_unit_test(test_loss_still_after_some_steps),
        cmocka_unit_test(test_loss_rising),  cmocka_unit_test(test_overfitting),
        cmocka_unit_test(test_not_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
