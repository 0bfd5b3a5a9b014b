/* The summary of nested layers: names, parameters that are trained and that are not, activation memory. */
#include "api_check.h"

#include <stdlib.h>

static strait_summary *summary_of(const char *yaml) {
    strait_recipe *recipe = NULL;
    strait_model *model = NULL;
    strait_summary *summary = NULL;
    ASSERT_OK(strait_recipe_parse(&recipe, yaml, "x.yaml", 0, NULL, &test_error));
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_model_summary(&summary, model, 1, &test_error));
    strait_model_free(model);
    strait_recipe_free(recipe);
    return summary;
}

static void nested_layers_have_their_rows(void **state) {
    (void)state;
    strait_summary *summary =
        summary_of("model:\n  input: [6]\n  encoder:\n    - parallel:\n        - slice: [0, 4]\n          layers:\n"
                   "            - dense: {units: 3, activation: relu}\n            - batch_norm\n"
                   "        - slice: [4, 6]\n          layers: [flatten]\n    - gaussian: {units: 2}\n"
                   "  decoder:\n    - dense: {units: 6}\n");
    /* By hand: dense in * out + out; batch_norm 4 a value, half of them moving statistics; 4 bytes a value. */
    static const struct {
        const char *name, *layer;
        int64_t parameters, non_trainable, bytes;
    } wanted[] = {
        {"encoder.0.0", "slice", 0, 0, 16},         {"encoder.0.0.0", "dense (relu)", 15, 0, 12},
        {"encoder.0.0.1", "batch_norm", 12, 6, 12}, {"encoder.0.1", "slice", 0, 0, 8},
        {"encoder.0.1.0", "flatten", 0, 0, 0},      {"encoder.0", "concat", 0, 0, 20},
        {"encoder.1.mean", "dense", 12, 0, 8},      {"encoder.1.log_variance", "dense", 12, 0, 8},
        {"encoder.1", "sample", 0, 0, 8},           {"decoder.0", "dense", 18, 0, 24},
    };
    const int n = sizeof wanted / sizeof wanted[0];
    assert_int_equal(summary->n_rows, n);
    for (int i = 0; i < n; i++) {
        const strait_summary_row *row = &summary->row[i];
        assert_string_equal(row->name, wanted[i].name);
        assert_string_equal(row->layer, wanted[i].layer);
        assert_int_equal(row->parameters, wanted[i].parameters);
        assert_int_equal(row->non_trainable, wanted[i].non_trainable);
        assert_int_equal(row->activation_bytes, wanted[i].bytes);
    }
    assert_int_equal(summary->parameters, 69);
    assert_int_equal(summary->non_trainable, 6);
    assert_int_equal(summary->activation_bytes, 116);
    assert_int_equal(summary->latent, 2);
    strait_summary_free(summary);
}

/* The plan ends at the logits; the rows show the sigmoid. */
static void logits_are_planned_without_the_sigmoid(void **state) {
    (void)state;
    strait_summary *summary =
        summary_of("model:\n  input: [4]\n  encoder: [{dense: {units: 2}}]\n  decoder: [{dense: {units: 4}}]\n"
                   "train: {loss: {binary_crossentropy: {from_logits: true}}}\n");
    assert_int_equal(summary->n_rows, 3);
    assert_string_equal(summary->row[2].layer, "sigmoid");
    assert_string_equal(summary->row[2].name, "decoder.1");
    assert_null(strstr(summary->plan, "decoder.1"));
    strait_summary_free(summary);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_layers_have_their_rows),
        cmocka_unit_test(logits_are_planned_without_the_sigmoid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
