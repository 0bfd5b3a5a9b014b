/* The store of runs through the public functions: what trainings leave in it, scanning, comparing, deleting. */
#include <fcntl.h>
#include <unistd.h>

#include "api/api_check.h"

static const char *const faster[] = {"train.epochs=3", "model.encoder.0.dense.units=2"};

static void train_in(strait_train_result *result, const char *dir, size_t n_overrides, strait_data *data,
                     strait_observer observer) {
    strait_recipe *recipe = parse(dense_yaml, n_overrides, faster);
    const strait_train_options options = {
        .out = dir, .data = data, .observer = observer, .command = "strait train dense\n--now"};
    ASSERT_OK(strait_train(NULL, result, recipe, &options, &test_error));
    strait_recipe_free(recipe);
}

static int count_runs(const char *dir, const char *filter) {
    strait_runs *runs = NULL;
    ASSERT_OK(strait_runs_list(&runs, dir, NULL, filter, &test_error));
    const int n = runs->n;
    strait_runs_free(runs);
    return n;
}

static void test_record(void **state) {
    (void)state;
    strait_data *data = vectors(100);
    const char *dir = fresh_folder();
    strait_train_result result;
    strait_run run;
    train_in(&result, dir, 0, data, (strait_observer){0});
    ASSERT_OK(strait_run_open(&run, result.run, &test_error));
    assert_string_equal(run.folder, result.run);
    assert_string_equal(run.name, "dense-001");
    assert_string_equal(run.recipe, "dense");
    assert_string_equal(run.state, "complete");
    assert_string_equal(run.loss_name, "mse");
    assert_string_equal(run.optimizer, "adam");
    assert_string_equal(run.version, strait_version());
    assert_string_equal(run.command, "strait train dense --now");
    assert_int_equal(strlen(run.started), strlen("2026-11-21T12:00:00Z"));
    assert_int_equal(strlen(run.checksum), strlen("crc32:1a2b3c4d"));
    assert_true(run.seed == 7 && run.epochs == 4 && run.epochs_asked == 4 && run.batch_size == 16);
    assert_true(run.n_samples == 75 && run.n_validation == 25 && run.latent == 5);
    assert_true(run.parameters == result.parameters && run.threads == 2 && run.micro_batch > 0);
    assert_true(run.loss == result.loss && run.val_loss == result.val_loss && run.best_loss == result.best_loss);
    strait_runs *runs = NULL;
    ASSERT_OK(strait_runs_list(&runs, dir, NULL, "train.batch_size=16", &test_error));
    assert_int_equal(runs->n, 1);
    assert_string_equal(runs->run[0].state, "complete");
    assert_true(runs->run[0].val_loss == run.val_loss);
    char *csv = NULL, value[1024];
    snprintf(runs->run[0].source, sizeof runs->run[0].source, "a,\"b\"");
    ASSERT_OK(strait_runs_csv(&csv, runs, &test_error));
    assert_non_null(strstr(csv, ",\"a,\"\"b\"\"\",")); /* RFC 4180 */
    strait_string_free(csv);
    strait_runs_free(runs);
    assert_int_equal(strait_run_value(value, &run, "epochs"), STRAIT_RUN_NUMBER);
    assert_string_equal(value, "4");
    assert_int_equal(strait_run_value(value, &run, "no_column"), STRAIT_RUN_NONE);
    assert_string_equal(strait_run_column(0), "name");
    assert_null(strait_run_column(1000));
    strait_run_metrics *metrics = NULL;
    ASSERT_OK(strait_run_metrics_read(&metrics, result.run, &test_error));
    assert_true(metrics->n == 4 && metrics->epoch[3] == 4 && metrics->val_loss[3] == result.val_loss);
    assert_true(isnan(metrics->kl[0]) && metrics->learning_rate[0] == 0.001);
    strait_run_metrics_free(metrics);
    strait_data_free(data);
}

typedef struct watcher {
    int stop_after; /* batches; 0: never */
    int batches, notes;
    char note[1200];
    strait_data *data;
    char seen[16]; /* the run's state while it was under way */
} watcher;

static bool stop(void *context) {
    watcher *w = context;
    return w->stop_after > 0 && ++w->batches >= w->stop_after;
}

static void note(void *context, const char *sentence) {
    watcher *w = context;
    if (!strstr(sentence, "index of runs")) return;
    w->notes++;
    snprintf(w->note, sizeof w->note, "%s", sentence);
}

static void epoch_end(void *context, const strait_progress *progress) {
    watcher *w = context;
    strait_run run;
    strait_error err = {0};
    assert_int_equal(strait_run_open(&run, progress->run, NULL), STRAIT_OK);
    snprintf(w->seen, sizeof w->seen, "%s", run.state);
    assert_int_equal(run.epochs, progress->epoch);
    assert_int_equal(strait_run_delete(progress->run, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "under way"));
    /* Nor may another training go on with it. */
    if (progress->epoch != 3) return;
    const strait_train_options options = {.data = w->data};
    assert_int_equal(strait_train_resume(NULL, NULL, progress->run, 10, &options, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "another process is training this run"));
}

static void test_resume_goes_on_with_the_record(void **state) {
    (void)state;
    strait_data *data = vectors(100);
    const char *dir = fresh_folder();
    watcher w = {.stop_after = 7, .data = data};
    strait_recipe *recipe = parse(dense_yaml, 0, NULL);
    strait_train_options options = {
        .out = dir, .data = data, .observer = {.context = &w, .stop = stop, .note = note}, .command = "first"};
    strait_train_result result;
    strait_run before, after;
    assert_int_equal(strait_train(NULL, &result, recipe, &options, NULL), STRAIT_INTERRUPTED);
    strait_recipe_free(recipe);
    ASSERT_OK(strait_run_open(&before, result.run, &test_error));
    assert_string_equal(before.state, "interrupted");
    options.observer = (strait_observer){.context = &w, .epoch_end = epoch_end};
    options.command = "second";
    char run[512];
    memcpy(run, result.run, sizeof run);
    ASSERT_OK(strait_train_resume(NULL, &result, run, 6, &options, &test_error));
    assert_string_equal(w.seen, "running");
    ASSERT_OK(strait_run_open(&after, run, &test_error));
    assert_string_equal(after.state, "complete");
    assert_string_equal(after.command, "first");
    assert_string_equal(after.started, before.started);
    assert_true(after.epochs == 6 && after.epochs_asked == 6);
    assert_int_equal(count_runs(dir, NULL), 1);
    assert_int_equal(count_runs(dir, "epochs=6,state=complete,train.epochs=6"), 1);
    strait_data_free(data);
}

/* An index that cannot be written is told of, once, and costs nothing else. */
static void test_index_that_cannot_be_written(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    const char *dir = fresh_folder();
    watcher w = {0};
    strait_train_result result;
    assert_int_equal(mkdir(dir, 0777), 0);
    assert_int_equal(mkdir(file_of(dir, "runs.db"), 0777), 0);
    train_in(&result, dir, 0, data, (strait_observer){.context = &w, .note = note});
    assert_int_equal(w.notes, 1);
    assert_non_null(strstr(w.note, "strait runs scan"));
    assert_true(exists(file_of(result.run, "run.json")));
    assert_int_equal(count_runs(dir, "state=complete"), 1); /* read from the folders */
    assert_int_equal(rmdir(file_of(dir, "runs.db")), 0);
    w = (watcher){0};
    FILE *file = fopen(file_of(dir, "runs.db"), "w");
    fputs("no database at all, and long enough to be looked at", file);
    fclose(file);
    train_in(&result, dir, 0, data, (strait_observer){.context = &w, .note = note});
    assert_int_equal(w.notes, 1);
    strait_runs *runs = NULL;
    strait_error err;
    assert_int_equal(strait_runs_list(&runs, dir, NULL, NULL, &err), STRAIT_FORMAT);
    assert_non_null(strstr(err.message, "strait runs scan"));
    int added, dropped;
    ASSERT_OK(strait_runs_scan(&added, &dropped, dir, &test_error));
    assert_true(added == 2 && dropped == 0);
    assert_true(exists(file_of(dir, "runs.db.damaged")));
    assert_int_equal(count_runs(dir, NULL), 2);
    strait_data_free(data);
}

static void test_folders_moved_by_hand(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    const char *dir = fresh_folder(), *elsewhere = fresh_folder();
    strait_train_result first, second;
    int added, dropped;
    train_in(&first, dir, 0, data, (strait_observer){0});
    train_in(&second, dir, 2, data, (strait_observer){0});
    assert_int_equal(count_runs(dir, NULL), 2);
    char renamed[600], copied[600], command[1400];
    snprintf(renamed, sizeof renamed, "%s/renamed", dir);
    snprintf(copied, sizeof copied, "%s/copied", dir);
    assert_int_equal(rename(first.run, renamed), 0);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", second.run, copied);
    assert_int_equal(system(command), 0);
    assert_int_equal(count_runs(dir, NULL), 1); /* what is gone is not listed */
    ASSERT_OK(strait_runs_scan(&added, &dropped, dir, &test_error));
    assert_true(added == 2 && dropped == 1);
    assert_int_equal(count_runs(dir, NULL), 3);
    assert_int_equal(count_runs(dir, "model.encoder.0.dense.units=2"), 2);
    ASSERT_OK(strait_runs_scan(&added, &dropped, dir, &test_error));
    assert_true(added == 0 && dropped == 0);
    /* A run of an older program, and one whose files are damaged: listed all the same. */
    assert_int_equal(unlink(file_of(copied, "run.json")), 0);
    FILE *file = fopen(file_of(renamed, "run.json"), "w");
    fputs("{", file);
    fclose(file);
    ASSERT_OK(strait_runs_scan(&added, &dropped, dir, &test_error));
    assert_int_equal(count_runs(dir, NULL), 3);
    assert_int_equal(count_runs(dir, "name=copied,state=complete,epochs=3,latent=2,parameters>10"), 1);
    assert_int_equal(count_runs(dir, "name=renamed,state=damaged"), 1);
    strait_run run;
    assert_int_equal(strait_run_open(&run, renamed, NULL), STRAIT_FORMAT);
    /* A whole store moved: nothing in it names the folder it lay in. */
    assert_int_equal(rename(dir, elsewhere), 0);
    assert_int_equal(count_runs(elsewhere, NULL), 3);
    strait_runs *runs = NULL;
    assert_int_equal(strait_runs_list(&runs, dir, NULL, NULL, NULL), STRAIT_NOT_FOUND);
    strait_data_free(data);
}

static void test_first_index_of_an_older_store(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    const char *dir = fresh_folder();
    strait_train_result result;
    train_in(&result, dir, 0, data, (strait_observer){0});
    static const char *const files[] = {"runs.db", "runs.db-wal", "runs.db-shm"};
    for (size_t i = 0; i < 3; i++)
        unlink(file_of(dir, files[i]));
    assert_int_equal(count_runs(dir, "state=complete"), 1); /* without an index */
    assert_false(exists(file_of(dir, "runs.db")));          /* and none is made by looking */
    train_in(&result, dir, 0, data, (strait_observer){0});
    assert_true(exists(file_of(dir, "runs.db")));
    assert_int_equal(count_runs(dir, NULL), 2);
    strait_data_free(data);
}

static void test_differences(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    const char *dir = fresh_folder();
    strait_train_result result[2];
    train_in(&result[0], dir, 0, data, (strait_observer){0});
    train_in(&result[1], dir, 2, data, (strait_observer){0});
    const char *const runs[] = {result[0].run, result[1].run};
    char *text = NULL;
    ASSERT_OK(strait_runs_differences(&text, runs, 2, &test_error));
    assert_non_null(strstr(text, "model.encoder.0.dense.units\t5\t2\n"));
    assert_non_null(strstr(text, "train.epochs\t4\t3\n"));
    assert_null(strstr(text, "train.batch_size"));
    strait_string_free(text);
    assert_int_equal(strait_runs_differences(&text, runs, 1, NULL), STRAIT_ARGUMENT);
    /* The data were rows in memory: there is nothing to open again, and that is told. */
    strait_array *originals = NULL, *outputs[2];
    strait_error err = {0};
    assert_int_not_equal(strait_runs_reconstruct(&originals, outputs, runs, 2, 5, &err), STRAIT_OK);
    assert_true(!originals && !outputs[0] && !outputs[1] && err.message[0]);
    strait_data_free(data);
}

static void test_reconstructions_side_by_side(void **state) {
    (void)state;
    const char *dir = fresh_folder();
    strait_array *rows = NULL, *originals = NULL, *outputs[2];
    const int64_t shape[] = {40, 12};
    ASSERT_OK(strait_array_new(&rows, 2, shape, &test_error));
    for (int64_t i = 0; i < 480; i++)
        rows->values[i] = (float)(i % 7) / 7;
    char source[300], override[340];
    snprintf(source, sizeof source, "%s", test_path("rows.npy"));
    ASSERT_OK(strait_array_write(rows, source, &test_error));
    snprintf(override, sizeof override, "data.source=%s", source);
    const char *const overrides[] = {override};
    strait_train_result result[2];
    for (int i = 0; i < 2; i++) {
        strait_recipe *recipe = parse(dense_yaml, 1, overrides);
        const strait_train_options options = {.out = dir};
        ASSERT_OK(strait_train(NULL, &result[i], recipe, &options, &test_error));
        strait_recipe_free(recipe);
    }
    const char *const runs[] = {result[0].run, result[1].run};
    ASSERT_OK(strait_runs_reconstruct(&originals, outputs, runs, 2, 4, &test_error));
    assert_true(originals->dim[0] == 4 && originals->dim[1] == 12);
    /* validation: 0.25 takes the last 10 of the 40 rows. */
    assert_memory_equal(originals->values, rows->values + 360, 4 * 12 * sizeof(float));
    assert_same_array(outputs[0], outputs[1], 0); /* the same recipe and seed */
    strait_array_free(originals);
    strait_array_free(outputs[0]);
    strait_array_free(outputs[1]);
    strait_array_free(rows);
}

static void test_delete(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    const char *dir = fresh_folder();
    strait_train_result result;
    strait_error err;
    train_in(&result, dir, 0, data, (strait_observer){0});
    FILE *file = fopen(file_of(result.run, "thesis.txt"), "w");
    fclose(file);
    assert_int_equal(strait_run_delete(result.run, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "thesis.txt"));
    assert_int_equal(count_runs(dir, NULL), 1);
    assert_true(exists(file_of(result.run, "model.safetensors")));
    assert_int_equal(unlink(file_of(result.run, "thesis.txt")), 0);
    ASSERT_OK(strait_run_delete(result.run, &test_error));
    assert_false(exists(result.run));
    assert_int_equal(count_runs(dir, NULL), 0);
    assert_int_equal(strait_run_delete(result.run, &err), STRAIT_NOT_FOUND);
    /* The number is free again; nothing of the old run comes back with it. */
    train_in(&result, dir, 2, data, (strait_observer){0});
    assert_int_equal(count_runs(dir, "epochs=3"), 1);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_resume_goes_on_with_the_record),
        cmocka_unit_test(test_index_that_cannot_be_written),
        cmocka_unit_test(test_folders_moved_by_hand),
        cmocka_unit_test(test_first_index_of_an_older_store),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_reconstructions_side_by_side),
        cmocka_unit_test(test_delete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
