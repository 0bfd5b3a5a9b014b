/* Reports through the public functions: of a real run, with every allocation failing in turn. */
#include <strait/report.h>
#include <strait/train.h>

#include "api/api_check.h"
#include "base/memory.h"

static const char yaml_of_run[] = "name: tiny\n"
                                  "data: {source: '%s', validation: 0.25, corrupt: {mask: 0.1}}\n"
                                  "model:\n"
                                  "  input: [4, 4, 1]\n"
                                  "  encoder: [{conv2d: {filters: 2, strides: 2}}, flatten, {dense: {units: 3}}]\n"
                                  "  decoder: [{dense: {units: 16, activation: sigmoid}}, {reshape: [4, 4, 1]}]\n"
                                  "train: {epochs: 2, batch_size: 8, threads: 1}\n"
                                  "watch: {reconstructions: 3}\n";

/* A trained run over a file of its own. */
static const char *train_run(void) {
    static char run[512];
    char yaml[2048];
    strait_array *rows = NULL;
    const int64_t dim[] = {24, 4, 4, 1};
    const char *source = test_path("rows.npy");
    if (run[0]) return run;
    ASSERT_OK(strait_array_new(&rows, 4, dim, &test_error));
    for (int64_t i = 0; i < strait_array_count(rows); i++)
        rows->values[i] = (float)(i * 37 % 101) / 101.0f;
    ASSERT_OK(strait_array_write(rows, source, &test_error));
    strait_array_free(rows);
    snprintf(yaml, sizeof yaml, yaml_of_run, source);
    strait_recipe *recipe = parse(yaml, 0, NULL);
    strait_train_result result;
    const strait_train_options options = {.out = test_path("runs")};
    ASSERT_OK(strait_train(NULL, &result, recipe, &options, &test_error));
    snprintf(run, sizeof run, "%s", result.run);
    strait_recipe_free(recipe);
    return run;
}

static void a_page_lacks_nothing(void **state) {
    (void)state;
    const char *run = train_run();
    char *written = NULL;
    ASSERT_OK(strait_report_write(&written, NULL, &run, 1, &test_error));
    assert_string_equal(written, file_of(run, "report.html"));
    size_t n;
    char *page = read_bytes(written, &n);
    assert_null(strstr(page, "class=\"missing\""));
    free(page);
    strait_string_free(written);
}

static void refusals(void **state) {
    (void)state;
    const char *run = train_run(), *none = "no-such-run";
    assert_int_equal(strait_report_write(NULL, NULL, &none, 1, &test_error), STRAIT_NOT_FOUND);
    assert_int_equal(strait_report_write(NULL, NULL, &run, 0, &test_error), STRAIT_ARGUMENT);
    assert_int_equal(strait_report_write(NULL, test_path("no/where.html"), &run, 1, &test_error), STRAIT_IO);
    assert_int_equal(strait_report_diagram(test_path("x.svg"), NULL, &test_error), STRAIT_ARGUMENT);
}

typedef strait_status (*trial)(const char *run, strait_error *err);

static strait_status try_page(const char *run, strait_error *err) {
    return strait_report_write(NULL, test_path("page.html"), &run, 1, err);
}

static strait_status try_comparison(const char *run, strait_error *err) {
    const char *both[] = {run, run};
    char *written = NULL;
    const strait_status status = strait_report_write(&written, test_path("both.html"), both, 2, err);
    assert_true((status == STRAIT_OK) == (written != NULL));
    strait_string_free(written);
    return status;
}

static strait_status try_diagram(const char *run, strait_error *err) {
    strait_model *model = NULL;
    strait_status status = strait_model_load(&model, run, err);
    if (status == STRAIT_OK) status = strait_report_diagram(test_path("drawing.svg"), model, err);
    strait_model_free(model);
    return status;
}

/* Every allocation fails in turn: MEMORY, and the file is whole or not there. */
static void every_allocation_failing(void **state) {
    (void)state;
    static const struct {
        trial run;
        const char *file;
    } trials[] = {{try_page, "page.html"}, {try_comparison, "both.html"}, {try_diagram, "drawing.svg"}};
    const char *run = train_run();
    for (size_t t = 0; t < sizeof trials / sizeof *trials; t++)
        for (uint64_t n = 1;; n++) {
            strait_error err = {0};
            const uint64_t before = st_alloc_count();
            st_alloc_fail_at(n);
            const strait_status status = trials[t].run(run, &err);
            st_alloc_fail_at(0);
            if (st_alloc_count() - before < n) {
                assert_int_equal(status, STRAIT_OK);
                break;
            }
            if (status != STRAIT_MEMORY)
                fail_msg("%s, allocation %d failing: status %d %s", trials[t].file, (int)n, status, err.message);
            assert_false(exists(test_path(trials[t].file)));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_lacks_nothing),
        cmocka_unit_test(refusals),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
