/* diagnosis.json: the same bytes again, and every way in which a file can be wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/diagnosis.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/diagnosis_file.h"
#include "support/folder.h"

/* Two layers, two epochs, two findings; texts that JSON must escape, numbers without end, and NAN. */
static strait_diagnosis *example(void) {
    strait_diagnosis *diagnosis = st_alloc(1, sizeof *diagnosis);
    assert_non_null(diagnosis);
    *diagnosis = (strait_diagnosis){.loss_moves = true, .n_layers = 2, .share_of_time = 1.0 / 3};
    snprintf(diagnosis->loss_answer, sizeof diagnosis->loss_answer, "%s", "Yes: \"it\" fell.");
    snprintf(diagnosis->weights_answer, sizeof diagnosis->weights_answer, "%s", "No: C:\\weights.");
    const strait_finding a = {"clipped_output", STRAIT_SEVERITY_PROBLEM, 1, "", 0.63, "63 % ×", "Use mse."};
    const strait_finding b = {"dead_units", STRAIT_SEVERITY_NOTE, 2, "encoder.1", 0.1 + 0.2, "Dead.", ""};
    assert_int_equal(st_diagnosis_add_finding(diagnosis, &a, NULL), STRAIT_OK);
    assert_int_equal(st_diagnosis_add_finding(diagnosis, &b, NULL), STRAIT_OK);
    for (int e = 0; e < 2; e++) {
        strait_diagnosis_epoch *epoch = NULL;
        assert_int_equal(st_diagnosis_add_epoch(&epoch, diagnosis, NULL), STRAIT_OK);
        epoch->epoch = 2 * e;
        epoch->loss = e ? 0.1 : NAN;
        epoch->val_loss = NAN;
        epoch->output = (strait_output_state){-1.5, 2, 0.25, 0, 1e-7, 0.2, 0.3};
        for (int i = 0; i < 2; i++) {
            snprintf(epoch->layer[i].name, sizeof epoch->layer[i].name, "%s", i ? "decoder.0" : "encoder.1");
            snprintf(epoch->layer[i].layer, sizeof epoch->layer[i].layer, "%s", "dense (relu)");
            epoch->layer[i].change_start = M_PI * i;
            epoch->layer[i].change_epoch = NAN;
            epoch->layer[i].gradient_norm = 1e-300;
            epoch->layer[i].dead_share = INFINITY; /* as NAN: JSON has neither */
        }
    }
    return diagnosis;
}

static char *write_example(const char *path) {
    strait_diagnosis *diagnosis = example();
    assert_int_equal(st_diagnosis_write(path, diagnosis, NULL), STRAIT_OK);
    strait_diagnosis_free(diagnosis);
    char *json = NULL;
    size_t n;
    assert_int_equal(st_file_read(&json, &n, path, 1 << 20, NULL), STRAIT_OK);
    return json;
}

/* The file as a person would write it down from the struct. */
static void as_text(void **state) {
    (void)state;
    char *json = write_example(test_path("diagnosis.json"));
    assert_string_equal(
        json, "{\"format\": \"strait diagnosis\", \"version\": 1,\n"
              " \"loss_moves\": true, \"weights_change\": false,\n"
              " \"loss_answer\": \"Yes: \\\"it\\\" fell.\", \"weights_answer\": \"No: C:\\\\weights.\", "
              "\"share_of_time\": 0.3333333333333333,\n"
              " \"findings\": [\n"
              "  {\"severity\": \"problem\", \"epoch\": 1, \"code\": \"clipped_output\", \"layer\": \"\", "
              "\"sentence\": \"63 % ×\", \"mend\": \"Use mse.\", \"value\": 0.63},\n"
              "  {\"severity\": \"note\", \"epoch\": 2, \"code\": \"dead_units\", \"layer\": \"encoder.1\", "
              "\"sentence\": \"Dead.\", \"mend\": \"\", \"value\": 0.30000000000000004}],\n"
              " \"epochs\": [\n"
              "  {\"epoch\": 0, \"loss\": null, \"val_loss\": null,\n"
              "   \"output\": {\"minimum\": -1.5, \"maximum\": 2, \"low_share\": 0.25, \"high_share\": 0, "
              "\"outside_share\": 1e-07, \"variation\": 0.2, \"data_variation\": 0.3},\n"
              "   \"layers\": [\n"
              "    {\"name\": \"encoder.1\", \"layer\": \"dense (relu)\", \"change_start\": 0, \"change_epoch\": null, "
              "\"gradient_norm\": 1e-300, \"dead_share\": null},\n"
              "    {\"name\": \"decoder.0\", \"layer\": \"dense (relu)\", \"change_start\": 3.141592653589793, "
              "\"change_epoch\": null, \"gradient_norm\": 1e-300, \"dead_share\": null}]},\n"
              "  {\"epoch\": 2, \"loss\": 0.1, \"val_loss\": null,\n"
              "   \"output\": {\"minimum\": -1.5, \"maximum\": 2, \"low_share\": 0.25, \"high_share\": 0, "
              "\"outside_share\": 1e-07, \"variation\": 0.2, \"data_variation\": 0.3},\n"
              "   \"layers\": [\n"
              "    {\"name\": \"encoder.1\", \"layer\": \"dense (relu)\", \"change_start\": 0, \"change_epoch\": null, "
              "\"gradient_norm\": 1e-300, \"dead_share\": null},\n"
              "    {\"name\": \"decoder.0\", \"layer\": \"dense (relu)\", \"change_start\": 3.141592653589793, "
              "\"change_epoch\": null, \"gradient_norm\": 1e-300, \"dead_share\": null}]}]}\n");
    st_free(json);
}

static void read_and_written_again(void **state) {
    (void)state;
    const char *path = test_path("a.json"), *again = test_path("b.json");
    char *json = write_example(path), *second = NULL;
    size_t n;
    strait_diagnosis *read = NULL;
    assert_int_equal(st_diagnosis_read_file(&read, path, NULL), STRAIT_OK);
    assert_int_equal(read->n_findings, 2);
    assert_int_equal(read->n_epochs, 2);
    assert_int_equal(read->n_layers, 2);
    assert_true(read->loss_moves && !read->weights_change);
    assert_int_equal(read->finding[0].severity, STRAIT_SEVERITY_PROBLEM);
    assert_string_equal(read->finding[1].layer, "encoder.1");
    assert_true(read->finding[1].value == 0.1 + 0.2);
    assert_int_equal(read->epoch[1].epoch, 2);
    assert_true(isnan(read->epoch[0].loss) && read->epoch[1].layer[1].change_start == M_PI);
    assert_true(isnan(read->epoch[0].layer[0].dead_share));
    assert_int_equal(st_diagnosis_write(again, read, NULL), STRAIT_OK);
    strait_diagnosis_free(read);
    assert_int_equal(st_file_read(&second, &n, again, 1 << 20, NULL), STRAIT_OK);
    assert_string_equal(json, second);
    st_free(json);
    st_free(second);
}

/* Puts `to` in place of the first `from` and reads: FORMAT, one line that names the file and `named`. */
static void refuse(const char *json, const char *from, const char *to, const char *named) {
    const char *at = strstr(json, from);
    if (!at) fail_msg("the example lacks %s", from);
    const size_t room = strlen(json) + strlen(to) + 1;
    char *changed = malloc(room);
    assert_non_null(changed);
    snprintf(changed, room, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    strait_diagnosis *read = NULL;
    strait_error err = {0};
    const strait_status status = st_diagnosis_parse(&read, changed, strlen(changed), "runs/x/diagnosis.json", &err);
    if (status != STRAIT_FORMAT || read) fail_msg("%s for %s: status %d", to, from, status);
    if (strncmp(err.message, "runs/x/diagnosis.json", 21) != 0 || !strstr(err.message, named) ||
        strchr(err.message, '\n'))
        fail_msg("%s for %s: %s", to, from, err.message);
    free(changed);
}

static void hostile(void **state) {
    (void)state;
    char *json = write_example(test_path("diagnosis.json"));
    refuse(json, "strait diagnosis", "strait", "format");
    refuse(json, "\"version\": 1", "\"version\": 2", "version");
    refuse(json, "\"version\": 1", "\"version\": \"1\"", "version");
    refuse(json, "\"loss_moves\": true", "\"loss_moves\": 1", "loss_moves");
    refuse(json, "\"share_of_time\": 0.3333333333333333", "\"share_of_time\": \"much\"", "share_of_time");
    refuse(json, "\"share_of_time\": 0.3333333333333333", "\"share_of_time\": 1e999", "");
    refuse(json, "\"findings\": [", "\"finding\": [", "findings");
    refuse(json, "\"epochs\": [", "\"epochs\": 7, \"x\": [", "epochs");
    refuse(json, "\"problem\"", "\"disaster\"", "severity");
    refuse(json, "\"problem\"", "3", "severity");
    refuse(json, "\"epoch\": 1,", "\"epoch\": -1,", "epoch");
    refuse(json, "\"epoch\": 1,", "\"epoch\": 1.5,", "epoch");
    refuse(json, "\"epoch\": 1,", "\"epoch\": 99999999999,", "epoch");
    refuse(json, "\"epoch\": 2, \"loss\"", "\"epoch\": 0, \"loss\"", "epochs[1]");
    refuse(json, "clipped_output", "a code that is longer than the room there is for it", "code");
    refuse(json, "Use mse.", "Use\\nmse.", "mend");
    refuse(json, "Use mse.", "\\u001b[2J", "mend");
    refuse(json, "Use mse.", "\\u0000", "");
    refuse(json, "\"layer\": \"\"", "\"layer\": null", "layer");
    refuse(json, "\"output\": {", "\"output\": [], \"x\": {", "output");
    refuse(json, "\"minimum\": -1.5", "\"minimum\": false", "minimum");
    refuse(json, "\"name\": \"decoder.0\", ", "", "name");
    refuse(json, ",\n    {\"name\": \"decoder.0\"", "], \"x\": [{\"name\": \"decoder.0\"", "layers");
    refuse(json, "\"layers\": [\n    {", "\"layers\": [7, {", "");
    refuse(json, "]}]}\n", "", "");
    refuse(json, json, "", "");
    refuse(json, json, "[]", "format");
    refuse(json, json, "{\"format\": \"strait diagnosis\", \"format\": \"strait diagnosis\"}", "");
    st_free(json);
}

/* Newer programs may know more. */
static void unknown_keys_are_skipped(void **state) {
    (void)state;
    static const char json[] = "{\"format\": \"strait diagnosis\", \"version\": 1, \"new\": [1], \"loss_moves\": false,"
                               "\"weights_change\": true, \"loss_answer\": \"\", \"weights_answer\": \"\","
                               "\"share_of_time\": null, \"findings\": [], \"epochs\": []}";
    strait_diagnosis *read = NULL;
    assert_int_equal(st_diagnosis_parse(&read, json, strlen(json), "x", NULL), STRAIT_OK);
    assert_true(read->weights_change && !read->loss_moves && isnan(read->share_of_time));
    assert_int_equal(read->n_epochs, 0);
    strait_diagnosis_free(read);
}

static void missing(void **state) {
    (void)state;
    strait_diagnosis *read = NULL;
    assert_int_equal(st_diagnosis_read_file(&read, test_path("none.json"), NULL), STRAIT_NOT_FOUND);
    assert_null(read);
}

static void no_memory(void **state) {
    (void)state;
    const char *path = test_path("c.json");
    char *json = write_example(path);
    for (uint64_t n = 1;; n++) {
        strait_diagnosis *read = NULL;
        st_alloc_fail_at(n);
        const strait_status status = st_diagnosis_read_file(&read, path, NULL);
        st_alloc_fail_at(0);
        assert_true((status == STRAIT_OK) == (read != NULL));
        strait_diagnosis_free(read);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_true(n < 100);
    }
    st_free(json);
}

static void cut(void **state) {
    (void)state;
    strait_diagnosis *diagnosis = example();
    st_diagnosis_cut(diagnosis, 1);
    assert_int_equal(diagnosis->n_epochs, 1);
    assert_int_equal(diagnosis->n_findings, 1);
    assert_string_equal(diagnosis->finding[0].code, "clipped_output");
    strait_diagnosis_free(diagnosis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_text), cmocka_unit_test(read_and_written_again),
        cmocka_unit_test(hostile), cmocka_unit_test(unknown_keys_are_skipped),
        cmocka_unit_test(missing), cmocka_unit_test(no_memory),
        cmocka_unit_test(cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
