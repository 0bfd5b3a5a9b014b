/* Training from outside: run folders, the same bits again, interruption and resumption, divergence, what is validated.
 */
#include "api/api_check.h"

/* Asks to stop after so many batches. */
typedef struct st_alarm {
    int after, seen;
    int epochs_ended;
} st_alarm;

static bool rings(void *context) {
    st_alarm *alarm = context;
    return ++alarm->seen == alarm->after;
}

static void count_epoch(void *context, const strait_progress *progress) {
    st_alarm *alarm = context;
    alarm->epochs_ended++;
    assert_int_equal(progress->batch, progress->batches);
}

static strait_train_result train(const char *yaml, size_t n, const char *const *overrides, strait_data *data) {
    strait_recipe *recipe = parse(yaml, n, overrides);
    strait_train_result result;
    ASSERT_OK(
        strait_train(NULL, &result, recipe, &(strait_train_options){.data = data, .out = fresh_folder()}, &test_error));
    strait_recipe_free(recipe);
    return result;
}

/* Trains until the alarm, then resumes: again and again with the alarm, until the end. */
static strait_train_result train_in_pieces(const char *yaml, size_t n, const char *const *overrides, strait_data *data,
                                           int batches, int *pieces) {
    strait_recipe *recipe = parse(yaml, n, overrides);
    strait_train_result result;
    st_alarm alarm = {.after = batches};
    strait_train_options options = {
        .data = data, .out = fresh_folder(), .observer = {.context = &alarm, .stop = rings}};
    strait_error err = {0};
    strait_status status = strait_train(NULL, &result, recipe, &options, &err);
    char run[512];
    memcpy(run, result.run, sizeof run);
    for (*pieces = 1; status == STRAIT_INTERRUPTED; ++*pieces) {
        alarm = (st_alarm){.after = batches};
        assert_non_null(strstr(err.message, "interrupted in epoch"));
        assert_true(exists(file_of(run, "model.safetensors")));
        status = strait_train_resume(NULL, &result, run, 0, &options, &err);
        assert_string_equal(result.run, run);
    }
    if (status != STRAIT_OK) fail_msg("%s", err.message);
    strait_recipe_free(recipe);
    return result;
}

static void test_run_folder(void **state) {
    (void)state;
    strait_data *data = vectors(100);
    const strait_train_result result = train(dense_yaml, 0, NULL, data);
    static const char *const files[] = {
        "recipe.yaml", "model.safetensors", "encoder.safetensors", "decoder.safetensors", "checkpoint.safetensors",
        "history.csv", "loss.png",          "reconstructions.png", "best.safetensors",    "diagnosis.json",
        "run.json"};
    const size_t n_files = sizeof files / sizeof *files;
    for (size_t i = 0; i < n_files; i++)
        if (!exists(file_of(result.run, files[i]))) fail_msg("no %s", files[i]);
    assert_int_equal(test_count_entries(result.run), n_files);
    assert_int_equal(result.epochs, 4);
    assert_int_equal(result.parameters, 12 * 5 + 5 + 5 * 12 + 12);
    assert_int_equal(result.threads, 2);
    assert_true(result.val_loss > 0 && result.loss > 0 && result.seconds > 0 && result.samples_per_second > 0);
    assert_true(result.best_loss <= result.val_loss && result.best_epoch >= 1 && result.best_epoch <= 4);
    assert_true(result.wait_share >= 0 && result.wait_share <= 1);
    strait_data_free(data);
}

static void test_loss_falls(void **state) {
    (void)state;
    static const char *const overrides[] = {"train.epochs=30", "train.optimizer={adam: {learning_rate: 0.01}}"};
    strait_data *data = vectors(100);
    strait_recipe *recipe = parse(dense_yaml, 2, overrides);
    strait_model *model = NULL;
    strait_train_result result;
    ASSERT_OK(
        strait_train(&model, &result, recipe, &(strait_train_options){.data = data, .no_run = true}, &test_error));
    assert_string_equal(result.run, "");
    strait_evaluation before, after;
    ASSERT_OK(strait_model_evaluate(&after, model, data, NULL, &test_error));
    strait_model_free(model);
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_model_evaluate(&before, model, data, NULL, &test_error));
    if (!(after.mse < 0.3 * before.mse)) fail_msg("from %g to %g", before.mse, after.mse);
    strait_model_free(model);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

static void test_same_seed(void **state) {
    (void)state;
    static const char *const other[] = {"seed=8"};
    strait_data *rows = vectors(100), *pictures = images(101);
    const strait_train_result a = train(dense_yaml, 0, NULL, rows), b = train(dense_yaml, 0, NULL, rows);
    assert_same_runs(a.run, b.run);
    const strait_train_result c = train(dense_yaml, 1, other, rows);
    assert_false(same_bytes(file_of(a.run, "model.safetensors"), file_of(c.run, "model.safetensors")));
    const strait_train_result d = train(convolution_yaml, 0, NULL, pictures);
    const strait_train_result e = train(convolution_yaml, 0, NULL, pictures);
    assert_same_runs(d.run, e.run);
    strait_data_free(rows);
    strait_data_free(pictures);
}

/* ---- resuming ---- */

static void check_pieces(const char *yaml, strait_data *data, const char *change, int batches, int least_pieces) {
    const size_t n = change ? 1 : 0;
    int pieces;
    const strait_train_result whole = train(yaml, n, &change, data);
    const strait_train_result parts = train_in_pieces(yaml, n, &change, data, batches, &pieces);
    if (pieces < least_pieces) fail_msg("%s: only %d pieces", change ? change : "as it is", pieces);
    assert_same_runs(whole.run, parts.run);
    assert_int_equal(whole.epochs, parts.epochs);
    assert_int_equal(whole.best_epoch, parts.best_epoch);
    assert_true(whole.loss == parts.loss && whole.val_loss == parts.val_loss && whole.best_loss == parts.best_loss);
}

static void test_resume_dense(void **state) {
    (void)state;
    /* 75 to train on: 5 batches an epoch, the last of 11; 4 epochs. */
    static const char *const changes[] = {"train.optimizer=adam",
                                          "train.optimizer={sgd: {learning_rate: 0.3}}",
                                          "train.optimizer={sgd: {learning_rate: 0.3, momentum: 0.9}}",
                                          "train.optimizer={sgd: {momentum: 0.9, nesterov: true}}",
                                          "train.shuffle=false",
                                          "data.corrupt={salt_pepper: 0.2}",
                                          "data.corrupt={mask: 0.2}",
                                          "train.micro_batch=3",
                                          "train.threads=3"};
    strait_data *data = vectors(100);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        check_pieces(dense_yaml, data, changes[i], 7, 3);
    check_pieces(dense_yaml, data, "train.epochs=1", 1, 5); /* after each batch */
    check_pieces(dense_yaml, data, NULL, 5, 4);             /* at the end of each epoch */
    strait_data_free(data);
}

static void test_resume_convolution(void **state) {
    (void)state;
    strait_data *data = images(101);
    check_pieces(convolution_yaml, data, NULL, 3, 6);
    check_pieces(convolution_yaml, data, "train.optimizer={sgd: {learning_rate: 0.3, momentum: 0.9}}", 7, 2);
    strait_data_free(data);
}

static void test_resume_chances(void **state) {
    (void)state;
    static const char *const threads[] = {"train.threads=1", "train.threads=2", "train.threads=3"};
    strait_data *data = images(101);
    for (int i = 0; i < 3; i++) /* 76 to train on: 5 batches an epoch */
        check_pieces(chances_yaml, data, threads[i], 7, 2);
    check_pieces(chances_yaml, data, "train.schedule={cosine: {}, warmup: 2}", 7, 2);
    strait_data_free(data);
}

static void test_resume_early_stopping(void **state) {
    (void)state;
    static const char stopping[] =
        "train={epochs: 40, batch_size: 16, threads: 2, optimizer: {sgd: {learning_rate: 8}}, "
        "early_stopping: {patience: 4, restore_best: true}}";
    const char *const overrides[] = {stopping};
    strait_data *data = vectors(100);
    const strait_train_result whole = train(dense_yaml, 1, overrides, data);
    /* That it stopped, and that the best was not the last, is what this test is about. */
    assert_true(whole.epochs < 40 && whole.best_epoch == whole.epochs - 4);
    check_pieces(dense_yaml, data, stopping, 23, 2);
    /* Interrupted after the best epoch: its weights come from the checkpoint. 5 batches an epoch. */
    check_pieces(dense_yaml, data, stopping, 5 * (whole.epochs - 1) + 2, 2);
    strait_model *model = NULL, *best = NULL;
    strait_array *a = NULL, *b = NULL;
    ASSERT_OK(strait_model_load(&model, whole.run, &test_error));
    ASSERT_OK(strait_model_load(&best, file_of(whole.run, "best.safetensors"), &test_error));
    ASSERT_OK(strait_model_reconstruct(&a, model, data, NULL, &test_error));
    ASSERT_OK(strait_model_reconstruct(&b, best, data, NULL, &test_error));
    assert_same_array(a, b, 0);
    strait_array_free(a);
    strait_array_free(b);
    strait_model_free(model);
    strait_model_free(best);
    strait_error err = {0};
    assert_int_equal(strait_train_resume(NULL, NULL, whole.run, 50, &(strait_train_options){.data = data}, &err),
                     STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "early stopping"));
    strait_data_free(data);
}

static void test_resume_complete(void **state) {
    (void)state;
    strait_data *data = vectors(100);
    const strait_train_options options = {.data = data};
    const strait_train_result result = train(dense_yaml, 0, NULL, data);
    strait_error err = {0};
    size_t n;
    char *before = read_bytes(file_of(result.run, "model.safetensors"), &n);
    assert_int_equal(strait_train_resume(NULL, NULL, result.run, 0, &options, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "is complete: 4 of 4 epochs"));
    assert_int_equal(strait_train_resume(NULL, NULL, result.run, 3, &options, &err), STRAIT_ARGUMENT);
    char *after = read_bytes(file_of(result.run, "model.safetensors"), &n);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
    strait_data_free(data);
}

static void test_resume_more_epochs(void **state) {
    (void)state;
    static const char *const six[] = {"train.epochs=6"};
    strait_data *data = vectors(100);
    const strait_train_result whole = train(dense_yaml, 1, six, data), parts = train(dense_yaml, 0, NULL, data);
    strait_train_result result;
    strait_model *model = NULL;
    ASSERT_OK(strait_train_resume(&model, &result, parts.run, 6, &(strait_train_options){.data = data}, &test_error));
    assert_int_equal(result.epochs, 6);
    assert_same_runs(whole.run, parts.run);
    strait_model_free(model);
    strait_data_free(data);
}

/* Of a model that mixes samples each thread takes its share at once: with fewer threads, a larger one. */
static void test_resume_other_threads(void **state) {
    (void)state;
    static const char *const sets[] = {"model.encoder=[{dense: {units: 5}}, batch_norm]"};
    strait_data *data = vectors(100);
    const strait_train_result two = train(dense_yaml, 1, sets, data);
    strait_train_result result;
    strait_train_options options = {.data = data};
    for (options.threads = 1; options.threads <= 3; options.threads += 2) {
        ASSERT_OK(strait_train_resume(NULL, &result, two.run, 4 + options.threads, &options, &test_error));
        assert_int_equal(result.epochs, 4 + options.threads);
        assert_int_equal(result.threads, options.threads);
    }
    strait_data_free(data);
}

/* Found out anew, the scale would be another: the second data set is not the first. */
static void test_resume_keeps_scaling(void **state) {
    (void)state;
    static const char *const minmax[] = {"data.scale=minmax"};
    const int64_t dim = 12;
    strait_data *data = curves(100, 1, &dim, 40), *wider = curves(100, 1, &dim, 80);
    strait_recipe *recipe = parse(dense_yaml, 1, minmax);
    strait_train_result result;
    st_alarm alarm = {.after = 3};
    strait_train_options options = {
        .data = data, .out = fresh_folder(), .observer = {.context = &alarm, .stop = rings}};
    assert_int_equal(strait_train(NULL, &result, recipe, &options, NULL), STRAIT_INTERRUPTED);
    options.data = wider;
    ASSERT_OK(strait_train_resume(NULL, NULL, result.run, 0, &options, &test_error));
    size_t n;
    char *yaml = read_bytes(file_of(result.run, "recipe.yaml"), &n);
    const char *factor = strstr(yaml, "factor: ");
    assert_non_null(factor);
    /* 40 (0.5 ± 0.45): 1 / (38 - 2), as near as the curves come to their ends. */
    assert_near(strtod(factor + 8, NULL), 1.0 / 36, 0.01);
    free(yaml);
    strait_recipe_free(recipe);
    strait_data_free(data);
    strait_data_free(wider);
}

/* ---- observers ---- */

static void test_observer(void **state) {
    (void)state;
    strait_data *data = vectors(100);
    strait_recipe *recipe = parse(dense_yaml, 0, NULL);
    st_alarm alarm = {0};
    const strait_train_options options = {
        .data = data, .no_run = true, .observer = {.context = &alarm, .stop = rings, .epoch_end = count_epoch}};
    ASSERT_OK(strait_train(NULL, NULL, recipe, &options, &test_error));
    assert_int_equal(alarm.epochs_ended, 4);
    assert_int_equal(alarm.seen, 4 * 5);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

/* Asked to stop while splits are tried, it has made no run. */
static void test_stopped_while_tuning(void **state) {
    (void)state;
    strait_data *data = vectors(100);
    strait_recipe *recipe = parse(dense_yaml, 0, NULL);
    st_alarm alarm = {.after = 1};
    strait_error err = {0};
    strait_train_result result;
    const char *out = fresh_folder();
    char cache[600];
    snprintf(cache, sizeof cache, "%s/cache", out); /* nothing is remembered there */
    setenv("XDG_CACHE_HOME", cache, 1);
    const strait_train_options options = {
        .data = data, .out = out, .tune = true, .observer = {.context = &alarm, .stop = rings}};
    assert_int_equal(strait_train(NULL, &result, recipe, &options, &err), STRAIT_INTERRUPTED);
    unsetenv("XDG_CACHE_HOME");
    assert_non_null(strstr(err.message, "while trying splits"));
    assert_string_equal(result.run, "");
    assert_false(exists(cache));
    strait_recipe_free(recipe);
    strait_data_free(data);
}

/* ---- divergence ---- */

static void test_divergence(void **state) {
    (void)state;
    /* Values without a bound, a learning rate far too high. */
    static const char *const wild[] = {
        "model.decoder=[{dense: {units: 12}}]",
        "train.optimizer={sgd: {learning_rate: 1000}}",
        "train.batch_size=2",
    };
    strait_data *data = curves(100, 1, (const int64_t[]){12}, 30);
    strait_recipe *recipe = parse(dense_yaml, 3, wild);
    strait_train_result result;
    strait_model *model = NULL;
    strait_error err = {0};
    const strait_train_options options = {.data = data, .out = fresh_folder()};
    assert_int_equal(strait_train(&model, &result, recipe, &options, &err), STRAIT_DIVERGED);
    assert_null(model);
    assert_non_null(strstr(err.message, "in epoch 1, batch "));
    assert_non_null(strstr(err.message, "learning rate is too high"));
    assert_non_null(strstr(err.message, "train.optimizer.sgd.learning_rate (now 1000)"));
    assert_non_null(strstr(err.message, "the last good weights are kept in"));
    assert_non_null(strstr(err.message, result.run));
    /* The last good ones were the first. */
    strait_model *kept = NULL, *fresh = NULL;
    strait_array *a = NULL, *b = NULL;
    ASSERT_OK(strait_model_load(&kept, result.run, &test_error));
    ASSERT_OK(strait_model_build(&fresh, recipe, &test_error));
    ASSERT_OK(strait_model_reconstruct(&a, kept, data, NULL, &test_error));
    ASSERT_OK(strait_model_reconstruct(&b, fresh, data, NULL, &test_error));
    assert_same_array(a, b, 0);
    strait_array_free(a);
    strait_array_free(b);
    strait_model_free(kept);
    strait_model_free(fresh);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

/* A run whose second training diverges keeps what the first had learnt. */
static void test_divergence_after_epochs(void **state) {
    (void)state;
    static const char *const linear[] = {"model.decoder=[{dense: {units: 12}}]", "data.scale=none"};
    const int64_t dim = 12;
    strait_data *data = vectors(100), *huge = curves(100, 1, &dim, 1e25);
    const strait_train_result good = train(dense_yaml, 2, linear, data);
    strait_error err = {0};
    size_t n, n_after;
    char *before = read_bytes(file_of(good.run, "model.safetensors"), &n);
    const strait_train_options options = {.data = huge};
    assert_int_equal(strait_train_resume(NULL, NULL, good.run, 6, &options, &err), STRAIT_DIVERGED);
    assert_non_null(strstr(err.message, "in epoch 5, batch 1"));
    assert_non_null(strstr(err.message, "data.scale"));
    strait_model *model = NULL;
    strait_array *a = NULL;
    ASSERT_OK(strait_model_load(&model, good.run, &test_error));
    ASSERT_OK(strait_model_encode(&a, model, data, NULL, &test_error));
    for (int64_t i = 0; i < strait_array_count(a); i++)
        assert_true(isfinite(a->values[i]));
    char *after = read_bytes(file_of(good.run, "model.safetensors"), &n_after);
    /* The same values (the last of the file); the recipe before them may tell of more epochs. */
    const size_t values = (12 * 5 + 5 + 5 * 12 + 12) * sizeof(float);
    assert_memory_equal(before + n - values, after + n_after - values, values);
    free(before);
    free(after);
    strait_array_free(a);
    strait_model_free(model);
    strait_data_free(data);
    strait_data_free(huge);
}

/* ---- what is trained on and what validated ---- */

static double val_loss_with(const char *yaml, strait_data *data, strait_data *validation, const char *change) {
    strait_recipe *recipe = parse(yaml, change ? 1 : 0, &change);
    strait_train_result result;
    ASSERT_OK(strait_train(NULL, &result, recipe,
                           &(strait_train_options){.data = data, .validation = validation, .no_run = true},
                           &test_error));
    strait_recipe_free(recipe);
    return result.val_loss;
}

static strait_data *part_of(strait_data *data, int64_t first, int64_t n) {
    strait_array *rows = NULL;
    strait_data *part = NULL;
    ASSERT_OK(strait_data_rows(&rows, data, first, n, &test_error));
    ASSERT_OK(strait_data_from_rows(&part, rows->values, n, rows->n_dims - 1, rows->dim + 1, &test_error));
    strait_array_free(rows);
    return part;
}

static void test_validation_is_the_last_part(void **state) {
    (void)state;
    strait_data *data = vectors(100), *first = part_of(data, 0, 75), *last = part_of(data, 75, 25);
    const double split = val_loss_with(dense_yaml, data, NULL, NULL);
    const double given = val_loss_with(dense_yaml, first, last, NULL);
    assert_true(split == given);
    assert_true(split != val_loss_with(dense_yaml, last, first, NULL));
    strait_data_free(first);
    strait_data_free(last);
    strait_data_free(data);
}

/* eval's loss is the last val_loss: the same samples, the same noise. */
static void check_eval(const char *yaml, strait_data *data, strait_data *validation, const char *change) {
    strait_recipe *recipe = parse(yaml, change ? 1 : 0, &change);
    strait_train_result result;
    strait_model *model = NULL;
    const strait_train_options options = {.data = data, .validation = validation, .no_run = true};
    ASSERT_OK(strait_train(&model, &result, recipe, &options, &test_error));
    strait_evaluation evaluation;
    ASSERT_OK(strait_model_evaluate(&evaluation, model, validation, NULL, &test_error));
    assert_int_equal(evaluation.n_samples, strait_data_count(validation));
    if (!(fabs(evaluation.loss - result.val_loss) <= 1e-6 * result.val_loss))
        fail_msg("%s: %.9g, not %.9g", change ? change : "as it is", evaluation.loss, result.val_loss);
    strait_model_free(model);
    strait_recipe_free(recipe);
}

static void test_eval_is_val_loss(void **state) {
    (void)state;
    strait_data *rows = vectors(100), *more_rows = vectors(333), *pictures = images(100), *more = images(333);
    check_eval(dense_yaml, rows, more_rows, NULL);
    check_eval(dense_yaml, rows, more_rows, "train.loss=mae");
    check_eval(dense_yaml, rows, more_rows, "train.loss=binary_crossentropy");
    check_eval(dense_yaml, rows, more_rows, "data.corrupt={mask: 0.3}");
    check_eval(dense_yaml, rows, more_rows, "train.penalty={weights: {l1: 0.01, l2: 0.02}}");
    check_eval(dense_yaml, rows, more_rows, "train.loss={mse: {weight: 12}, mae: 0.5}");
    check_eval(convolution_yaml, pictures, more, NULL);
    check_eval(chances_yaml, pictures, more, NULL);
    strait_data_free(rows);
    strait_data_free(more_rows);
    strait_data_free(pictures);
    strait_data_free(more);
}

static void test_threads_agree(void **state) {
    (void)state;
    strait_data *rows = vectors(100), *pictures = images(100);
    assert_near(val_loss_with(dense_yaml, rows, NULL, "train.threads=1"),
                val_loss_with(dense_yaml, rows, NULL, "train.threads=2"), 1e-4);
    assert_near(val_loss_with(convolution_yaml, pictures, NULL, "train.threads=1"),
                val_loss_with(convolution_yaml, pictures, NULL, "train.threads=2"), 1e-4);
    strait_data_free(rows);
    strait_data_free(pictures);
}

static void test_minmax(void **state) {
    (void)state;
    static const char *const minmax[] = {"data.scale=minmax", "data.validation=0.5"};
    /* Training half in -2..6, the other half far outside: only the first decides. */
    float rows[40][12];
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 12; j++)
            rows[i][j] = i < 20 ? (float)(-2 + 8 * ((i * 12 + j) % 5) / 4.0) : 1000;
    strait_data *data = NULL;
    ASSERT_OK(strait_data_from_rows(&data, &rows[0][0], 40, 1, (const int64_t[]){12}, &test_error));
    strait_recipe *recipe = parse(dense_yaml, 2, minmax), *kept = NULL;
    strait_model *model = NULL;
    ASSERT_OK(strait_train(&model, NULL, recipe, &(strait_train_options){.data = data, .no_run = true}, &test_error));
    const char *yaml = strait_model_recipe(model);
    const char *offset = strstr(yaml, "offset: "), *factor = strstr(yaml, "factor: ");
    assert_non_null(offset);
    assert_non_null(factor);
    assert_true(strtod(offset + 8, NULL) == -2);
    assert_true(strtod(factor + 8, NULL) == 0.125);
    ASSERT_OK(strait_recipe_parse(&kept, yaml, "kept", 0, NULL, &test_error));
    strait_recipe_free(kept);
    strait_model_free(model);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

static void test_wrong_shape(void **state) {
    (void)state;
    strait_data *wrong = curves(100, 1, (const int64_t[]){10}, 1), *right = vectors(100);
    strait_recipe *recipe = parse(dense_yaml, 0, NULL);
    strait_error err = {0};
    const char *folder = fresh_folder();
    assert_int_equal(strait_train(NULL, NULL, recipe, &(strait_train_options){.data = wrong, .out = folder}, &err),
                     STRAIT_SHAPE);
    assert_non_null(strstr(err.message, "test.yaml:5:"));
    assert_non_null(strstr(err.message, "12"));
    assert_non_null(strstr(err.message, "10"));
    assert_false(exists(folder));
    const strait_train_options options = {.data = right, .validation = wrong, .out = folder};
    assert_int_equal(strait_train(NULL, NULL, recipe, &options, &err), STRAIT_SHAPE);
    assert_false(exists(folder));
    strait_recipe_free(recipe);
    strait_data_free(wrong);
    strait_data_free(right);
}

static void test_wrong_arguments(void **state) {
    (void)state;
    strait_error err = {0};
    strait_recipe *recipe = parse(dense_yaml, 0, NULL);
    assert_int_equal(strait_train(NULL, NULL, NULL, NULL, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_train_resume(NULL, NULL, NULL, 0, NULL, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_train_resume(NULL, NULL, test_path("none"), 0, NULL, &err), STRAIT_NOT_FOUND);
    assert_int_equal(strait_train(NULL, NULL, recipe, &(strait_train_options){.no_run = true}, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "source"));
    strait_recipe_free(recipe);
}

/* ---- real images ---- */

static void test_mnist(void **state) {
    (void)state;
    if (!test_data()) skip();
    setenv("STRAIT_DATA", test_data(), 1);
    setenv("STRAIT_RECIPES", STRAIT_SOURCE_DIR "/recipes", 1);
    static const char *const overrides[] = {"train.epochs=2", "data.limit=4000", "train.threads=2"};
    strait_recipe *recipe = NULL;
    strait_data *test = NULL;
    strait_error err = {0};
    if (strait_data_open(&test, "mnist#test", &err) == STRAIT_NOT_FOUND) skip();
    ASSERT_OK(strait_recipe_open(&recipe, "mnist-dense", 3, overrides, &test_error));
    strait_train_result whole, parts;
    strait_train_options options = {.out = fresh_folder()};
    ASSERT_OK(strait_train(NULL, &whole, recipe, &options, &test_error));
    st_alarm alarm = {.after = 9}; /* 4000 less 80 %: 7 batches an epoch */
    options.observer = (strait_observer){.context = &alarm, .stop = rings};
    options.out = fresh_folder();
    assert_int_equal(strait_train(NULL, &parts, recipe, &options, &err), STRAIT_INTERRUPTED);
    ASSERT_OK(strait_train_resume(NULL, NULL, parts.run, 0, NULL, &test_error));
    assert_same_runs(whole.run, parts.run);
    strait_model *model = NULL;
    strait_evaluation evaluation;
    ASSERT_OK(strait_model_load(&model, whole.run, &test_error));
    ASSERT_OK(strait_model_evaluate(&evaluation, model, test, NULL, &test_error));
    /* All black, the error would be the mean square of the test images, 0.10. */
    assert_true(evaluation.mse < 0.09);
    strait_model_free(model);
    strait_data_free(test);
    strait_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_folder),
        cmocka_unit_test(test_loss_falls),
        cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_resume_dense),
        cmocka_unit_test(test_resume_convolution),
        cmocka_unit_test(test_resume_chances),
        cmocka_unit_test(test_resume_early_stopping),
        cmocka_unit_test(test_resume_complete),
        cmocka_unit_test(test_resume_more_epochs),
        cmocka_unit_test(test_resume_other_threads),
        cmocka_unit_test(test_resume_keeps_scaling),
        cmocka_unit_test(test_observer),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_divergence_after_epochs),
        cmocka_unit_test(test_validation_is_the_last_part),
        cmocka_unit_test(test_eval_is_val_loss),
        cmocka_unit_test(test_threads_agree),
        cmocka_unit_test(test_minmax),
        cmocka_unit_test(test_wrong_shape),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_stopped_while_tuning),
        cmocka_unit_test(test_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
