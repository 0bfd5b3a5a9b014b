/* What recipe and data alone tell: each finding provoked, and a sound neighbour that must not give it. */
#include "train/diagnosis_check.h"

/* 8 - units - 8, with what is asked for. */
#define RECIPE(data, encoder, decoder, train)                                                                          \
    "name: x\nseed: 3\ndata: {" data "}\nmodel:\n  input: [8]\n  encoder: [" encoder "]\n  decoder: [" decoder         \
    "]\ntrain: {epochs: 1, batch_size: 16, " train "}\n"
#define NARROW "dense: {units: 3}"
#define SIGMOID "dense: {units: 8, activation: sigmoid}"
#define LINEAR "dense: {units: 8}"

static void test_input_range(void **state) {
    (void)state;
    const char *bce = RECIPE("", NARROW, SIGMOID, "loss: binary_crossentropy");
    strait_finding found;
    /* Curves lie within 0.05 and 0.95; tripled they reach 2.85. */
    provoke("input_range", "", &(case_of){.yaml = bce, .n = 40, .factor = 3}, &(case_of){.yaml = bce, .n = 40}, &found);
    assert_int_equal(found.severity, STRAIT_SEVERITY_PROBLEM);
    assert_true(found.value > 1.7 && found.value < 1.86);
    assert_non_null(strstr(found.sentence, "to 2.8"));
    /* A sigmoid with mse cannot reach them either; a linear layer can. */
    provoke("input_range", "", &(case_of){.yaml = RECIPE("", NARROW, SIGMOID, "loss: mse"), .n = 40, .factor = 3},
            &(case_of){.yaml = RECIPE("", NARROW, LINEAR, "loss: mse"), .n = 40, .factor = 3}, &found);
    assert_non_null(strstr(found.sentence, "sigmoid"));
    /* From logits: cross-entropy all the same. */
    const char *logits = RECIPE("", NARROW, LINEAR, "loss: {binary_crossentropy: {from_logits: true}}");
    provoke("input_range", "", &(case_of){.yaml = logits, .n = 40, .factor = 3}, &(case_of){.yaml = logits, .n = 40},
            NULL);
}

static void test_target_range(void **state) {
    (void)state;
    const char *tanh_ = RECIPE("", NARROW, "dense: {units: 8, activation: tanh}", "loss: mse");
    provoke("target_range", "", &(case_of){.yaml = tanh_, .n = 40, .factor = 3}, &(case_of){.yaml = tanh_, .n = 40},
            NULL);
    float rows[40 * 8];
    for (int i = 0; i < 40 * 8; i++)
        rows[i] = (float)(i % 11) / 10 - 0.5f;
    const char *relu = RECIPE("", NARROW, "dense: {units: 8, activation: relu}", "loss: mse");
    provoke("target_range", "", &(case_of){.yaml = relu, .n = 40, .rows = rows}, &(case_of){.yaml = relu, .n = 40},
            NULL);
}

static void test_unbounded_crossentropy(void **state) {
    (void)state;
    const case_of sound = {.yaml = RECIPE("", NARROW, SIGMOID, "loss: binary_crossentropy"), .n = 40};
    strait_finding found;
    provoke("unbounded_crossentropy", "",
            &(case_of){.yaml = RECIPE("", NARROW, LINEAR, "loss: binary_crossentropy"), .n = 40}, &sound, &found);
    assert_non_null(strstr(found.sentence, "linear"));
    provoke("unbounded_crossentropy", "",
            &(case_of){.yaml = RECIPE("", NARROW, "dense: {units: 8, activation: relu}",
                                      "loss: {mse: 0.5, binary_crossentropy: 0.5}"),
                       .n = 40},
            &(case_of){.yaml = RECIPE("", NARROW, LINEAR, "loss: mse"), .n = 40}, NULL);
    /* A sigmoid that is a layer of its own, or comes before a reshape, is one all the same; logits need none. */
    diagnosed run;
    static const char *const fine[] = {
        RECIPE("", NARROW, "dense: {units: 8}, activation: sigmoid", "loss: binary_crossentropy"),
        RECIPE("", NARROW, LINEAR, "loss: {binary_crossentropy: {from_logits: true}}"),
        RECIPE("", NARROW, SIGMOID ", reshape: [2, 2, 2], flatten", "loss: binary_crossentropy"),
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        diagnose(&run, &(case_of){.yaml = fine[i], .n = 40});
        expect_none(&run, "unbounded_crossentropy");
        drop(&run);
    }
}

static void test_wide_latent(void **state) {
    (void)state;
    static const char wide[] = RECIPE("", "dense: {units: 8, activation: relu}", LINEAR, "loss: mse");
    strait_finding found;
    provoke("wide_latent", "", &(case_of){.yaml = wide, .n = 40},
            &(case_of){.yaml = RECIPE("", "dense: {units: 7, activation: relu}", LINEAR, "loss: mse"), .n = 40},
            &found);
    assert_true(found.value == 8);
    /* Noise, dropout or a penalty make a wide latent meaningful. */
    static const char *const fine[] = {
        RECIPE("corrupt: {gaussian: 0.1}", "dense: {units: 9}", LINEAR, "loss: mse"),
        RECIPE("", "dropout: {rate: 0.2}, dense: {units: 9}", LINEAR, "loss: mse"),
        RECIPE("", "dense: {units: 9}", LINEAR, "loss: mse, penalty: {latent: {l1: 0.001}}"),
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        diagnosed run;
        diagnose(&run, &(case_of){.yaml = fine[i], .n = 40});
        expect_none(&run, "wide_latent");
        drop(&run);
    }
}

/* 8 - 3 - 8 has 8 * 3 + 3 + 3 * 8 + 8 = 59 parameters: 7 samples of 8 numbers are 56, 8 are 64. */
static void test_few_samples(void **state) {
    (void)state;
    const char *yaml = RECIPE("", NARROW, LINEAR, "loss: mse");
    strait_finding found;
    provoke("few_samples", "", &(case_of){.yaml = yaml, .n = 7}, &(case_of){.yaml = yaml, .n = 8}, &found);
    assert_non_null(strstr(found.sentence, "59 parameters"));
    assert_non_null(strstr(found.sentence, "56 numbers"));
}

static void test_learning_rate(void **state) {
    (void)state;
#define RATE(optimizer, rate)                                                                                          \
    (case_of){.yaml = RECIPE("", NARROW, LINEAR, "optimizer: {" optimizer ": {learning_rate: " rate "}}"), .n = 40}
    strait_finding found;
    provoke("learning_rate_high", "", &RATE("adam", "0.1"), &RATE("adam", "0.01"), &found);
    assert_true(found.value == 0.1);
    assert_non_null(strstr(found.sentence, "0.1 is high for adam"));
    provoke("learning_rate_low", "", &RATE("adam", "1e-8"), &RATE("adam", "1e-5"), &found);
    assert_non_null(strstr(found.sentence, "low"));
    provoke("learning_rate_high", "", &RATE("sgd", "2"), &RATE("sgd", "0.5"), NULL);
    provoke("learning_rate_low", "", &RATE("sgd", "1e-5"), &RATE("sgd", "0.01"), NULL);
    provoke("learning_rate_high", "", &RATE("nadam", "0.1"), &RATE("adadelta", "1.0"), NULL);
}

static void test_validation(void **state) {
    (void)state;
    const char *yaml = RECIPE("", NARROW, LINEAR, "loss: mse");
    strait_finding found;
    provoke("validation_larger", "", &(case_of){.yaml = yaml, .n = 30, .n_validation = 31},
            &(case_of){.yaml = yaml, .n = 30, .n_validation = 30}, &found);
    assert_non_null(strstr(found.sentence, "31"));
    provoke("no_validation", "", &(case_of){.yaml = yaml, .n = 30},
            &(case_of){.yaml = yaml, .n = 30, .n_validation = 5}, &found);
    assert_int_equal(found.severity, STRAIT_SEVERITY_NOTE);
}

static void test_batch_larger_than_data(void **state) {
    (void)state;
    const char *yaml = RECIPE("", NARROW, LINEAR, "loss: mse");
    provoke("batch_larger_than_data", "", &(case_of){.yaml = yaml, .n = 15}, &(case_of){.yaml = yaml, .n = 16}, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_range),
        cmocka_unit_test(test_target_range),
        cmocka_unit_test(test_unbounded_crossentropy),
        cmocka_unit_test(test_wide_latent),
        cmocka_unit_test(test_few_samples),
        cmocka_unit_test(test_learning_rate),
        cmocka_unit_test(test_validation),
        cmocka_unit_test(test_batch_larger_than_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
