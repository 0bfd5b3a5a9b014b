/* Anomalies: thresholds against their definitions, kept and read again, judged; what is refused. */
#include "api_check.h"

#include "base/memory.h"

enum { N = 200, ABNORMAL = 40, WIDTH = 12 };

/* Smooth curves with the label "good" and, one in five, noise with the label "bad". */
static void write_table(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    uint32_t state = 1;
    for (int j = 0; j < WIDTH; j++)
        fprintf(file, "v%d,", j);
    fprintf(file, "label\n");
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < WIDTH; j++) {
            state = state * 1664525 + 1013904223;
            const double noise = state / 4294967296.0;
            fprintf(file, "%.6f,", i % 5 == 4 ? noise : 0.5 + 0.4 * sin(i * 0.37 + j * 0.3));
        }
        fprintf(file, "%s\n", i % 5 == 4 ? "bad" : "good");
    }
    assert_int_equal(fclose(file), 0);
}

typedef struct trained {
    char run[512];
    strait_model *model;
    strait_data *data;
} trained;

static int set_up(void **state) {
    static trained all;
    static const char *const longer[] = {"train.epochs=150", "train.threads=1", "data.label=label"};
    all = (trained){.model = NULL};
    write_table(test_path("table.csv"));
    ASSERT_OK(strait_data_open(&all.data, test_path("table.csv"), &test_error));
    strait_recipe *recipe = parse(dense_yaml, 3, longer);
    strait_train_result result;
    ASSERT_OK(strait_train(&all.model, &result, recipe,
                           &(strait_train_options){.data = all.data, .out = fresh_folder()}, &test_error));
    snprintf(all.run, sizeof all.run, "%s", result.run);
    strait_recipe_free(recipe);
    *state = &all;
    return 0;
}

static int tear_down(void **state) {
    trained *all = *state;
    strait_model_free(all->model);
    strait_data_free(all->data);
    return 0;
}

static bool is_abnormal(int64_t i) {
    return i % 5 == 4;
}

static int by_size(const void *a, const void *b) {
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Errors by strait_model_score, which test_apply.c looks at; the normal ones' sorted. */
typedef struct errors {
    double all[N], normal[N - ABNORMAL];
} errors;

static void take_errors(errors *e, const trained *all, const char *metric) {
    strait_array *score;
    int n = 0;
    ASSERT_OK(strait_model_score(&score, all->model, all->data, metric, NULL, &test_error));
    assert_int_equal(score->dim[0], N);
    for (int i = 0; i < N; i++) {
        e->all[i] = (double)score->values[i];
        if (!is_abnormal(i)) e->normal[n++] = e->all[i];
    }
    qsort(e->normal, N - ABNORMAL, sizeof *e->normal, by_size);
    strait_array_free(score);
}

/* numpy.quantile's definition: linear between the two nearest. */
static double quantile(const double *sorted, int n, double q) {
    const double at = q * (n - 1);
    const int low = (int)floor(at);
    return low + 1 < n ? sorted[low] * (low + 1 - at) + sorted[low + 1] * (at - low) : sorted[n - 1];
}

static double f1_at(const double *error, double threshold) {
    int hit = 0, said = 0;
    for (int i = 0; i < N; i++) {
        said += error[i] > threshold;
        hit += error[i] > threshold && is_abnormal(i);
    }
    return 2.0 * hit / (said + ABNORMAL);
}

static strait_anomaly fit(const trained *all, const char *error, const char *rule, const char *normal) {
    strait_anomaly anomaly;
    const strait_anomaly_options options = {.error = error, .threshold = rule, .normal = normal};
    ASSERT_OK(strait_anomaly_fit(&anomaly, all->model, all->data, &options, &test_error));
    return anomaly;
}

static void thresholds_are_what_their_rules_say(void **state) {
    const trained *all = *state;
    static const char *const metric[] = {"mae", "mse", "euclidean"};
    for (int m = 0; m < 3; m++) {
        errors e;
        take_errors(&e, all, metric[m]);
        double mean = 0, square = 0, sorted[N], best = 0;
        for (int i = 0; i < N - ABNORMAL; i++)
            mean += e.normal[i] / (N - ABNORMAL);
        for (int i = 0; i < N - ABNORMAL; i++)
            square += pow(e.normal[i] - mean, 2) / (N - ABNORMAL);
        const strait_anomaly plain = fit(all, m ? metric[m] : NULL, NULL, "good");
        assert_string_equal(plain.error, metric[m]);
        assert_int_equal(plain.n_fitted, N - ABNORMAL);
        assert_near(plain.mean, mean, 1e-12);
        assert_near(plain.deviation, sqrt(square), 1e-9);
        assert_near(plain.threshold, mean + sqrt(square), 1e-9);
        for (int i = 0; i < STRAIT_ANOMALY_QUANTILES; i++)
            assert_near(plain.quantile[i], quantile(e.normal, N - ABNORMAL, i / 1000.0), 1e-12);
        assert_near(fit(all, metric[m], "quantile:0.93", "good").threshold, quantile(e.normal, N - ABNORMAL, 0.93),
                    1e-12);
        memcpy(sorted, e.all, sizeof sorted);
        qsort(sorted, N, sizeof *sorted, by_size);
        assert_near(fit(all, metric[m], "contamination:0.2", "good").threshold, quantile(sorted, N, 0.8), 1e-12);
        for (int i = 0; i < N; i++)
            best = fmax(best, f1_at(e.all, i ? (sorted[i] + sorted[i - 1]) / 2 : sorted[0] - 1));
        assert_near(f1_at(e.all, fit(all, metric[m], "best-f1", "good").threshold), best, 1e-12);
    }
    /* Without a normal label all samples are normal. */
    assert_int_equal(fit(all, NULL, NULL, NULL).n_fitted, N);
    assert_int_equal(fit(all, NULL, NULL, "good,bad").n_fitted, N);
}

static void a_probability_is_the_share_of_lower_normal_errors(void **state) {
    const trained *all = *state;
    errors e;
    take_errors(&e, all, "mae");
    const strait_anomaly anomaly = fit(all, NULL, NULL, "good");
    assert_true(strait_anomaly_probability(&anomaly, e.normal[0]) == 0);
    assert_true(strait_anomaly_probability(&anomaly, 1e9) == 1);
    for (int i = 0; i < N - ABNORMAL; i++) { /* kept at 1001 places: exact to some thousandths */
        const double p = strait_anomaly_probability(&anomaly, e.normal[i]);
        assert_true(fabs(p - (double)i / (N - ABNORMAL - 1)) < 2e-3);
        assert_true(i == 0 || p >= strait_anomaly_probability(&anomaly, e.normal[i - 1]));
    }
}

static void verdicts_follow_the_threshold_and_are_judged(void **state) {
    const trained *all = *state;
    errors e;
    take_errors(&e, all, "mse");
    const strait_anomaly anomaly = fit(all, "mse", "quantile:0.9", "good");
    strait_anomaly_scores *scores;
    ASSERT_OK(strait_anomaly_score(&scores, &anomaly, all->model, all->data, NULL, &test_error));
    assert_int_equal(scores->n, N);
    int said = 0, hit = 0, best = 0;
    for (int i = 0; i < N; i++) {
        assert_true(scores->error[i] == e.all[i]);
        assert_int_equal(scores->abnormal[i], e.all[i] > anomaly.threshold);
        assert_int_equal(scores->truth[i], is_abnormal(i));
        said += scores->abnormal[i];
        hit += scores->abnormal[i] && is_abnormal(i);
    }
    for (int t = 0; t < N; t++) {
        int right = 0;
        for (int i = 0; i < N; i++)
            right += (e.all[i] > e.all[t]) == is_abnormal(i);
        best = right > best ? right : best;
    }
    assert_true(said >= 16 && hit >= 30); /* noise is given back badly */
    assert_near(scores->at.precision, (double)hit / said, 1e-12);
    assert_near(scores->at.recall, (double)hit / ABNORMAL, 1e-12);
    assert_near(scores->at.negative_recall, 1 - (double)(said - hit) / (N - ABNORMAL), 1e-12);
    assert_true(scores->roc_auc > 0.9 && scores->roc_auc <= 1 && scores->average_precision > 0.7);
    assert_near(scores->best.accuracy, (double)best / N, 1e-12);
    strait_anomaly_scores_free(scores);
    /* Without normal labels nothing is judged. */
    const strait_anomaly unknown = fit(all, NULL, NULL, NULL);
    ASSERT_OK(strait_anomaly_score(&scores, &unknown, all->model, all->data, NULL, &test_error));
    assert_null(scores->truth);
    strait_anomaly_scores_free(scores);
    strait_anomaly_scores_free(NULL);
}

static void a_threshold_stays_in_the_models_file(void **state) {
    const trained *all = *state;
    const strait_anomaly anomaly = fit(all, "euclidean", "quantile:0.93", "good");
    strait_anomaly read;
    strait_error err = {0};
    assert_int_equal(strait_anomaly_load(&read, all->run, &err), STRAIT_NOT_FOUND);
    assert_non_null(strstr(err.message, "strait anomaly fit"));
    ASSERT_OK(strait_anomaly_save(&anomaly, all->run, &test_error));
    ASSERT_OK(strait_anomaly_load(&read, all->run, &test_error));
    assert_string_equal(read.error, "euclidean");
    assert_string_equal(read.rule, "quantile:0.93");
    assert_true(read.threshold == anomaly.threshold && read.mean == anomaly.mean);
    assert_true(read.deviation == anomaly.deviation && read.n_fitted == anomaly.n_fitted);
    assert_int_equal(read.n_normal, 1);
    assert_int_equal(read.normal[0], anomaly.normal[0]);
    assert_memory_equal(read.quantile, anomaly.quantile, sizeof read.quantile);
    const strait_anomaly again = fit(all, NULL, NULL, NULL); /* takes the other's place */
    ASSERT_OK(strait_anomaly_save(&again, all->run, &test_error));
    ASSERT_OK(strait_anomaly_load(&read, all->run, &test_error));
    assert_string_equal(read.rule, "mean+std");
    strait_model *model; /* the model is as it was */
    strait_array *before, *after;
    ASSERT_OK(strait_model_load(&model, all->run, &test_error));
    ASSERT_OK(strait_model_encode(&before, all->model, all->data, NULL, &test_error));
    ASSERT_OK(strait_model_encode(&after, model, all->data, NULL, &test_error));
    assert_same_array(after, before, 0);
    strait_array_free(before);
    strait_array_free(after);
    strait_model_free(model);
}

/* A key of the note made wrong, unknown or twice there, in a copy of the model's file. */
static void a_damaged_threshold_is_refused(void **state) {
    const trained *all = *state;
    static const char *const wrong[][2] = {{"version 1", "version 2"},      {"error mae", "errer mae"},
                                           {"fitted 160", "fitted -60"},    {"threshold 0.", "threshold x."},
                                           {"normal 1", "normal x"},        {"deviation 0.", "threshold 0."},
                                           {"quantiles 0.", "quantiles 9."}};
    const strait_anomaly anomaly = fit(all, NULL, NULL, "good");
    ASSERT_OK(strait_anomaly_save(&anomaly, all->run, &test_error));
    const char *copy = test_path("damaged.safetensors");
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
        size_t n;
        char *bytes = read_bytes(file_of(all->run, "model.safetensors"), &n);
        char *note = memmem(bytes, n, "strait.anomaly", 14);
        assert_non_null(note);
        char *at = memmem(note, n - (size_t)(note - bytes), wrong[w][0], strlen(wrong[w][0]));
        assert_non_null(at);
        const size_t length = strlen(wrong[w][0]);
        memcpy(at, wrong[w][1], length); /* as long as it was */
        FILE *file = fopen(copy, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, n, file), n);
        assert_int_equal(fclose(file), 0);
        strait_anomaly read = {.threshold = 7};
        strait_error err = {0};
        if (strait_anomaly_load(&read, copy, &err) != STRAIT_FORMAT) fail_msg("'%s' is taken", wrong[w][1]);
        assert_non_null(strstr(err.message, "damaged"));
        assert_true(read.threshold == 7);
        free(bytes);
    }
}

static void check_refused(const trained *all, strait_anomaly_options options, const char *part) {
    strait_anomaly anomaly = {.threshold = 7};
    strait_error err = {0};
    assert_int_equal(strait_anomaly_fit(&anomaly, all->model, all->data, &options, &err), STRAIT_ARGUMENT);
    if (!strstr(err.message, part)) fail_msg("%s lacks %s", err.message, part);
    assert_true(anomaly.threshold == 7);
}

static void what_cannot_be_is_refused(void **state) {
    const trained *all = *state;
    check_refused(all, (strait_anomaly_options){.threshold = "median"}, "'median' is not known");
    check_refused(all, (strait_anomaly_options){.threshold = "quantile:1"}, "between 0 and 1");
    check_refused(all, (strait_anomaly_options){.threshold = "quantile:nan"}, "between 0 and 1");
    check_refused(all, (strait_anomaly_options){.threshold = "quantile:"}, "between 0 and 1");
    check_refused(all, (strait_anomaly_options){.threshold = "contamination:0"}, "between 0 and 1");
    check_refused(all, (strait_anomaly_options){.threshold = "quantile:0.000000000000000000000000000001"}, "not known");
    check_refused(all, (strait_anomaly_options){.threshold = "best-f1"}, "needs abnormal samples");
    check_refused(all, (strait_anomaly_options){.threshold = "best-f1", .normal = "good,bad"},
                  "needs abnormal samples");
    check_refused(all, (strait_anomaly_options){.error = "rmse"}, "rmse");
    check_refused(all, (strait_anomaly_options){.normal = "ugly"}, "has the label 'ugly'");
    check_refused(all, (strait_anomaly_options){.normal = "good,"}, "has the label ''");
    strait_data *rows = vectors(20);
    strait_anomaly anomaly;
    strait_error err = {0};
    const strait_anomaly_options named = {.normal = "1"};
    assert_int_equal(strait_anomaly_fit(&anomaly, all->model, rows, &named, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "has no labels"));
    strait_data_free(rows);
    assert_int_equal(strait_anomaly_fit(&anomaly, NULL, all->data, NULL, NULL), STRAIT_ARGUMENT);
    assert_int_equal(strait_anomaly_load(NULL, all->run, NULL), STRAIT_ARGUMENT);
}

/* One class alone, one sample, all errors the same: the defined results. */
static void small_and_one_sided_sets_have_verdicts(void **state) {
    const trained *all = *state;
    strait_data *one = vectors(1);
    strait_anomaly anomaly;
    strait_anomaly_scores *scores;
    ASSERT_OK(strait_anomaly_fit(&anomaly, all->model, one, NULL, &test_error));
    assert_true(anomaly.deviation == 0 && anomaly.threshold == anomaly.mean && anomaly.quantile[500] == anomaly.mean);
    ASSERT_OK(strait_anomaly_score(&scores, &anomaly, all->model, one, NULL, &test_error));
    assert_false(scores->abnormal[0]);
    assert_true(scores->probability[0] == 0);
    strait_anomaly_scores_free(scores);
    strait_data_free(one);
    const strait_anomaly both = fit(all, NULL, NULL, "good,bad");
    ASSERT_OK(strait_anomaly_score(&scores, &both, all->model, all->data, NULL, &test_error));
    assert_true(isnan(scores->roc_auc) && isnan(scores->average_precision));
    assert_true(isfinite(scores->at.accuracy) && isfinite(scores->best_threshold));
    strait_anomaly_scores_free(scores);
}

static strait_status try_all(const trained *all) {
    strait_anomaly anomaly;
    strait_anomaly_scores *scores = NULL;
    const strait_anomaly_options options = {.threshold = "best-f1", .normal = "good", .apply = {.threads = 1}};
    strait_status status = strait_anomaly_fit(&anomaly, all->model, all->data, &options, NULL);
    if (status == STRAIT_OK) status = strait_anomaly_save(&anomaly, all->run, NULL);
    if (status == STRAIT_OK) status = strait_anomaly_load(&anomaly, all->run, NULL);
    if (status == STRAIT_OK)
        status = strait_anomaly_score(&scores, &anomaly, all->model, all->data, &options.apply, NULL);
    strait_anomaly_scores_free(scores);
    return status;
}

static void every_allocation_may_fail(void **state) {
    const trained *all = *state;
    strait_status status = STRAIT_MEMORY;
    uint64_t at = 0;
    while (status == STRAIT_MEMORY) {
        st_alloc_fail_at(++at);
        status = try_all(all);
        st_alloc_fail_at(0);
    }
    assert_int_equal(status, STRAIT_OK);
    assert_true(at > 20);
    strait_model *model;
    ASSERT_OK(strait_model_load(&model, all->run, &test_error));
    strait_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_are_what_their_rules_say),
        cmocka_unit_test(a_probability_is_the_share_of_lower_normal_errors),
        cmocka_unit_test(verdicts_follow_the_threshold_and_are_judged),
        cmocka_unit_test(a_threshold_stays_in_the_models_file),
        cmocka_unit_test(a_damaged_threshold_is_refused),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(small_and_one_sided_sets_have_verdicts),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
