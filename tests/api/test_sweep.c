/* Sweeps: ranges, draws, the rungs of successive halving against their formula; trials that do not depend on how many
   train at once nor on interruptions; every allocation failing. */
#include "api/api_check.h"
#include "api/sweep.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "store/run_store.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- ranges ---- */

static void ranges_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text, *key;
        bool whole, log;
        double low, high;
        int n_items;
        const char *item[3];
    } good[] = {
        {"a.b=5..10", "a.b", true, false, 5, 10, 0, {NULL}},
        {"a=5..5", "a", true, false, 5, 5, 0, {NULL}},
        {"a=-3..2", "a", true, false, -3, 2, 0, {NULL}},
        {"a=0.1..0.5", "a", false, false, 0.1, 0.5, 0, {NULL}},
        {"a=0..1.0", "a", false, false, 0, 1, 0, {NULL}},
        {"a=log:1e-4..1e-2", "a", false, true, 1e-4, 1e-2, 0, {NULL}},
        {"a=log:16..512", "a", true, true, 16, 512, 0, {NULL}},
        {"a=32,64", "a", false, false, 0, 0, 2, {"32", "64"}},
        {"a=relu, tanh ,{leaky_relu: {slope: 0.1, x: [1, 2]}}",
         "a",
         false,
         false,
         0,
         0,
         3,
         {"relu", "tanh", "{leaky_relu: {slope: 0.1, x: [1, 2]}}"}},
        {"a='x,y',z", "a", false, false, 0, 0, 2, {"'x,y'", "z"}},
        {"data.source=../data,b", "data.source", false, false, 0, 0, 2, {"../data", "b"}},
        {"data.source=../data", "data.source", false, false, 0, 0, 1, {"../data"}},
        {"a=x=y", "a", false, false, 0, 0, 1, {"x=y"}},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        st_range range;
        ASSERT_OK(st_range_read(&range, good[i].text, &test_error));
        assert_string_equal(range.key, good[i].key);
        assert_int_equal(range.n_items, good[i].n_items);
        for (int k = 0; k < range.n_items; k++)
            assert_string_equal(range.item[k], good[i].item[k]);
        assert_int_equal(range.whole, good[i].whole);
        assert_int_equal(range.log, good[i].log);
        assert_true(range.low == good[i].low && range.high == good[i].high);
        st_range_free(&range);
    }
}

static void bad_ranges_say_why(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"a", "needs a key, '='"},
        {"=3", "needs a key, '='"},
        {"a=", "a value is missing"},
        {"a=3,,4", "a value is missing"},
        {"a=3,", "a value is missing"},
        {"a=5..", "a range is two numbers"},
        {"a=..5", "a range is two numbers"},
        {"a=1..b", "a range is two numbers"},
        {"a=5..4", "the range is empty"},
        {"a=0.5..0.5", "the range is empty"},
        {"a=log:0..1", "must begin above 0"},
        {"a=log:-1..1", "must begin above 0"},
        {"a=log:1,2", "log: takes a range"},
        {"a=log:x..2", "a range is two numbers"},
        {"a=1..1e30", "too far out"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        st_range range;
        strait_error err = {0};
        assert_int_equal(st_range_read(&range, bad[i].text, &err), STRAIT_ARGUMENT);
        if (!strstr(err.message, bad[i].message)) fail_msg("%s: '%s'", bad[i].text, err.message);
        st_range_free(&range);
    }
}

/* ---- trials ---- */

#define MOST_OVERRIDES 8

/* dense_yaml with a section sweep; more: further overrides, NULL at the end. */
static strait_recipe *sweep_recipe(const char *vary, const char *const *more) {
    char text[512];
    const char *override[MOST_OVERRIDES] = {text, "train.threads=1"};
    size_t n = 2;
    snprintf(text, sizeof text, "sweep.vary=%s", vary);
    for (; more && *more; more++)
        override[n++] = *more;
    assert_true(n <= MOST_OVERRIDES);
    return parse(dense_yaml, n, override);
}

static strait_sweep *plan(const char *vary, const char *const *more) {
    strait_recipe *recipe = sweep_recipe(vary, more);
    strait_sweep *sweep = NULL;
    ASSERT_OK(strait_sweep_plan(&sweep, recipe, &test_error));
    strait_recipe_free(recipe);
    return sweep;
}

static void the_grid_is_every_combination(void **state) {
    (void)state;
    static const char *const wanted[][2] = {{"3", "8"}, {"3", "16"}, {"4", "8"}, {"4", "16"}, {"5", "8"}, {"5", "16"}};
    strait_sweep *sweep = plan("[model.latent=3..5, \"train.batch_size=8,16\"]", NULL);
    assert_int_equal(sweep->n_trials, 6);
    assert_int_equal(sweep->n_keys, 2);
    assert_string_equal(sweep->key[0], "model.latent");
    for (int t = 0; t < 6; t++) {
        assert_string_equal(sweep->trial[t].value[0], wanted[t][0]);
        assert_string_equal(sweep->trial[t].value[1], wanted[t][1]);
        assert_int_equal(sweep->trial[t].latent, 3 + t / 2);
        assert_string_equal(sweep->trial[t].state, "waiting");
    }
    strait_sweep_free(sweep);
}

/* By the formula of the header, from the raw generator. */
static void draws_are_a_function_of_seed_trial_and_key(void **state) {
    (void)state;
    static const char *const more[] = {"sweep.trials=40", "sweep.seed=11", NULL};
    static const char vary[] = "[model.latent=2..9, \"train.optimizer.adam.learning_rate=log:1e-4..1e-2\", "
                               "data.corrupt.gaussian=0.1..0.5]";
    strait_sweep *sweep = plan(vary, more);
    assert_int_equal(sweep->n_trials, 40);
    for (int t = 0; t < 40; t++) {
        double u[3];
        for (uint32_t k = 0; k < 3; k++) {
            const uint32_t counter[4] = {0, (uint32_t)t, k, ST_RNG_SWEEP}, key[2] = {11, 0};
            uint32_t bits[4];
            st_philox(bits, counter, key);
            u[k] = ((double)bits[0] + (double)bits[1] / 4294967296.0) / 4294967296.0;
        }
        char *const *value = sweep->trial[t].value;
        assert_int_equal(strtol(value[0], NULL, 10), 2 + (int)(u[0] * 8));
        assert_near(strtod(value[1], NULL), pow(10, -4 + 2 * u[1]), 1e-3);
        assert_near(strtod(value[2], NULL), 0.1 + 0.4 * u[2], 1e-3);
        assert_true(strlen(value[1]) <= 10 && strlen(value[2]) <= 6); /* four digits */
    }
    static const char *const fewer[] = {"sweep.trials=7", "sweep.seed=11", NULL};
    strait_sweep *part = plan(vary, fewer);
    for (int t = 0; t < 7; t++)
        for (int k = 0; k < 3; k++)
            assert_string_equal(part->trial[t].value[k], sweep->trial[t].value[k]);
    strait_sweep_free(part);
    strait_sweep_free(sweep);
}

static void draws_from_a_grid_are_different(void **state) {
    (void)state;
    static const char *const more[] = {"sweep.trials=20", NULL}, *const all[] = {"sweep.trials=99", NULL};
    strait_sweep *sweep = plan("[model.latent=2..9, \"train.batch_size=8,16,32\"]", more);
    assert_int_equal(sweep->n_trials, 20);
    for (int t = 0; t < 20; t++)
        for (int s = 0; s < t; s++)
            assert_false(strcmp(sweep->trial[s].value[0], sweep->trial[t].value[0]) == 0 &&
                         strcmp(sweep->trial[s].value[1], sweep->trial[t].value[1]) == 0);
    strait_sweep_free(sweep);
    sweep = plan("[model.latent=2..9, \"train.batch_size=8,16,32\"]", all);
    assert_int_equal(sweep->n_trials, 24);
    strait_sweep_free(sweep);
}

static void mistakes_are_told_before_training(void **state) {
    (void)state;
    static const struct {
        const char *vary, *more, *message;
        strait_status status;
    } bad[] = {
        {"[model.latnt=3]", NULL, "unknown key 'latnt' in model; did you mean 'latent'?", STRAIT_RECIPE},
        {"[model.latent=0..3]", NULL, "model.latent must be a whole number", STRAIT_RECIPE},
        {"[train.epochs=a]", NULL, "train.epochs must be a whole number", STRAIT_RECIPE},
        {"[model.decoder.0.dense.units=12..13]", NULL, "13", STRAIT_SHAPE},
        {"[model.latent=3, model.latent=4]", NULL, "'model.latent' is given twice", STRAIT_ARGUMENT},
        {"[data.corrupt.gaussian=0.1..0.5]", NULL, "has no grid", STRAIT_ARGUMENT},
        {"[model.latent=1..20000]", NULL, "at most 10000 trials", STRAIT_ARGUMENT},
        {"[\"train.epochs=4,8\"]", "sweep.halving=2", "train.epochs cannot be varied", STRAIT_ARGUMENT},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *const more[] = {bad[i].more, NULL};
        strait_recipe *recipe = sweep_recipe(bad[i].vary, more);
        const strait_sweep_options options = {.out = test_path("nothing")};
        strait_sweep *sweep = NULL;
        strait_error err = {0};
        const strait_status status = strait_sweep_run(&sweep, recipe, &options, &err);
        if (status != bad[i].status || !strstr(err.message, bad[i].message))
            fail_msg("%s: %s: %s", bad[i].vary, strait_status_text(status), err.message);
        assert_null(sweep);
        strait_recipe_free(recipe);
    }
    assert_false(exists(test_path("nothing")));
    strait_recipe *plain = parse(dense_yaml, 0, NULL);
    strait_sweep *sweep = NULL;
    strait_error err = {0};
    assert_int_equal(strait_sweep_plan(&sweep, plain, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "nothing to vary"));
    strait_recipe_free(plain);
}

static void the_latent_has_a_name_of_its_own(void **state) {
    (void)state;
    static const char text[] = "model:\n"
                               "  input: [12]\n"
                               "  encoder: [{dense: {units: 8}}, {dense: {units: 5}}, batch_norm, {activation: relu}]\n"
                               "  decoder: [{dense: {units: 12}}]\n";
    static const char drawn[] =
        "model:\n"
        "  input: [12]\n"
        "  encoder: [{gaussian: {mean: [{dense: {units: 2}}], log_variance: [{dense: {units: 2}}]}}]\n"
        "  decoder: [{dense: {units: 12}}]\n";
    static const char *const yaml[] = {text, drawn, dense_yaml};
    static const char *const seven[] = {"model.latent=7"};
    for (size_t i = 0; i < COUNT(yaml); i++) {
        strait_recipe *recipe = parse(yaml[i], 1, seven);
        strait_model *model = NULL;
        ASSERT_OK(strait_model_build(&model, recipe, &test_error));
        assert_int_equal(strait_model_latent_size(model), 7);
        assert_null(strstr(strait_model_recipe(model), "latent: 7")); /* it stands at the layer */
        strait_model_free(model);
        strait_recipe_free(recipe);
    }
    strait_recipe *recipe = NULL;
    strait_error err = {0};
    assert_int_equal(strait_recipe_parse(&recipe, convolution_yaml, "c.yaml", 1, seven, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "--set model.latent=7"));
    assert_non_null(strstr(err.message, "ends in conv2d"));
}

/* ---- successive halving ---- */

/* Algorithm 1 of Li et al. 2018: bracket s begins with n = ceil((s_max + 1) / (s + 1) eta^s) configurations of R
   eta^-s; rung i has floor(n eta^-i) of them, up to R eta^(i - s). For R = 81, eta = 3 the first bracket is the first
   column of their table 1. */
static void rungs_are_the_papers(void **state) {
    (void)state;
    static const int first[][2] = {{1, 81}, {3, 27}, {9, 9}, {27, 3}, {81, 1}};
    int epochs[32], trials[32];
    assert_int_equal(strait_sweep_rungs(epochs, trials, 81, 3, 81, 1), 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(epochs[i], first[i][0]);
        assert_int_equal(trials[i], first[i][1]);
    }
    for (int eta = 2; eta <= 4; eta++)
        for (int s_max = 0; s_max <= 4; s_max++) {
            const int most = (int)lround(pow(eta, s_max));
            for (int s = s_max; s >= 0; s--) {
                const int n = (int)ceil((double)(s_max + 1) / (s + 1) * pow(eta, s));
                const int least = (int)lround(most * pow(eta, -s));
                assert_int_equal(strait_sweep_rungs(epochs, trials, n, eta, most, least), s + 1);
                for (int i = 0; i <= s; i++) {
                    assert_int_equal(epochs[i], lround(most * pow(eta, i - s)));
                    assert_int_equal(trials[i], (int)floor(n / pow(eta, i) + 1e-9));
                }
            }
        }
    assert_int_equal(strait_sweep_rungs(NULL, NULL, 2, 3, 50, 1), 1);   /* too few to choose from */
    assert_int_equal(strait_sweep_rungs(NULL, NULL, 30, 3, 50, 20), 1); /* no time to choose in */
    assert_int_equal(strait_sweep_rungs(epochs, trials, 9, 0, 50, 1), 1);
    assert_int_equal(epochs[0], 50);
    assert_int_equal(trials[0], 9);
    assert_int_equal(strait_sweep_rungs(epochs, trials, 9, 3, 50, 1), 3);
    assert_true(epochs[0] == 6 && epochs[1] == 17 && epochs[2] == 50); /* 50/9, 50/3 rounded */
}

static void weights_are_judged_by_what_is_kept(void **state) {
    (void)state;
    static const st_history_row rows[] = {{.epoch = 1, .loss = 5, .val_loss = 4},
                                          {.epoch = 2, .loss = 3, .val_loss = 2},
                                          {.epoch = 3, .loss = 2, .val_loss = 3}};
    static const char *const restore[] = {"train.early_stopping={patience: 5, restore_best: true}"};
    strait_recipe *last = parse(dense_yaml, 0, NULL), *best = parse(dense_yaml, 1, restore);
    assert_true(st_sweep_score(last, rows, 3, 3) == 3);
    assert_true(st_sweep_score(last, rows, 3, 2) == 2);
    assert_true(st_sweep_score(best, rows, 3, 3) == 2);
    assert_true(isnan(st_sweep_score(last, rows, 0, 3)));
    strait_recipe_free(best);
    strait_recipe_free(last);
}

/* ---- training ---- */

#define N_TRIALS 4

/* dense_yaml's data in a file, as every trial opens its own. */
static const char *data_file(void) {
    static char path[600];
    if (path[0]) return path;
    float values[40 * 12];
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 12; j++)
            values[i * 12 + j] = (float)(0.5 + 0.45 * sin(i % 17 + j * (0.2 + i % 5 * 0.05)));
    const strait_array array = {.n_dims = 2, .dim = {40, 12}, .values = values};
    snprintf(path, sizeof path, "%s", test_path("data.npy"));
    ASSERT_OK(strait_array_write(&array, path, &test_error));
    return path;
}

static strait_recipe *small_recipe(const char *more) {
    static char source[700];
    snprintf(source, sizeof source, "data.source=%s", data_file());
    const char *const all[] = {source, more, NULL};
    return sweep_recipe("[model.latent=3..6]", all);
}

typedef struct watcher {
    int stop_after; /* epochs; 0: never */
    int epochs, trials;
    bool stopping;
} watcher;

static void count_epoch(void *context, const strait_sweep_progress *progress) {
    watcher *w = context;
    w->epochs++;
    assert_true(progress->epochs_done <= progress->epochs_planned);
    assert_in_range(progress->trial, 0, N_TRIALS - 1);
    if (w->stop_after > 0 && w->epochs >= w->stop_after) w->stopping = true;
}

/* Whoever looks into the sweep's folder now sees this trial. */
static void count_trial(void *context, const strait_sweep_progress *progress) {
    watcher *w = context;
    const strait_sweep_trial *trial = &progress->sweep->trial[progress->trial];
    char csv[4096], row[64]; /* no memory of ours: its failure may be what is tested */
    FILE *file = fopen(file_of(progress->sweep->folder, "sweep.csv"), "r");
    assert_non_null(file);
    csv[fread(csv, 1, sizeof csv - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    w->trials++;
    assert_in_range(snprintf(row, sizeof row, ",%s,%d,%d,%d,", trial->state, trial->rung, trial->epochs, trial->latent),
                    1, (int)sizeof row - 1);
    assert_non_null(strstr(csv, row));
    assert_int_equal(trial->epochs, progress->epoch);
}

static bool wants_to_stop(void *context) {
    return ((const watcher *)context)->stopping;
}

static strait_status sweep_in(strait_sweep **sweep, const char *out, const char *more, int jobs, watcher *w,
                              strait_error *err) {
    strait_recipe *recipe = small_recipe(more);
    const strait_sweep_options options = {
        .out = out,
        .jobs = jobs,
        .observer = {.context = w, .epoch = count_epoch, .trial = count_trial, .stop = wants_to_stop}};
    const strait_status status = strait_sweep_run(sweep, recipe, &options, err);
    strait_recipe_free(recipe);
    return status;
}

static strait_status resume(strait_sweep **sweep, const char *folder, watcher *w, strait_error *err) {
    const strait_sweep_options options = {.jobs = 2,
                                          .observer = {.context = w, .epoch = count_epoch, .stop = wants_to_stop}};
    return strait_sweep_resume(sweep, folder, &options, err);
}

static void assert_same_sweeps(const strait_sweep *a, const strait_sweep *b) {
    assert_int_equal(a->n_trials, b->n_trials);
    assert_int_equal(a->best, b->best);
    assert_true(a->complete && b->complete);
    for (int t = 0; t < a->n_trials; t++) {
        assert_string_equal(a->trial[t].state, b->trial[t].state);
        assert_int_equal(a->trial[t].epochs, b->trial[t].epochs);
        assert_int_equal(a->trial[t].rung, b->trial[t].rung);
        assert_true(a->trial[t].score == b->trial[t].score);
        if (strcmp(a->trial[t].state, "complete") == 0) assert_same_runs(a->trial[t].run, b->trial[t].run);
    }
}

static void trials_do_not_depend_on_how_many_train_at_once(void **state) {
    (void)state;
    strait_sweep *one = NULL, *three = NULL;
    watcher w = {0}, other = {0};
    ASSERT_OK(sweep_in(&one, fresh_folder(), NULL, 1, &w, &test_error));
    ASSERT_OK(sweep_in(&three, fresh_folder(), NULL, 3, &other, &test_error));
    assert_int_equal(w.epochs, 4 * N_TRIALS);
    assert_int_equal(other.epochs, 4 * N_TRIALS);
    assert_int_equal(w.trials, N_TRIALS);
    assert_int_equal(other.trials, N_TRIALS);
    assert_same_sweeps(one, three);
    for (int t = 0; t < N_TRIALS; t++) {
        assert_false(one->trial[t].score < one->trial[one->best].score);
        assert_int_equal(one->trial[t].latent, 3 + t);
        strait_run run;
        ASSERT_OK(strait_run_open(&run, one->trial[t].run, &test_error));
        assert_string_equal(run.state, "complete");
        assert_true(run.val_loss == one->trial[t].val_loss);
    }
    /* The best recipe trains the same again. */
    strait_recipe *best = NULL;
    strait_train_result result;
    const strait_train_options options = {.out = fresh_folder()};
    ASSERT_OK(strait_recipe_open(&best, file_of(one->folder, "best.yaml"), 0, NULL, &test_error));
    ASSERT_OK(strait_train(NULL, &result, best, &options, &test_error));
    assert_same_runs(result.run, one->trial[one->best].run);
    assert_true(exists(file_of(one->folder, "parallel.png")) && exists(file_of(one->folder, "sweep.csv")) &&
                exists(file_of(one->folder, "sweep.json")));
    strait_recipe_free(best);
    strait_sweep_free(three);
    strait_sweep_free(one);
}

static void halving_keeps_the_best_of_each_rung(void **state) {
    (void)state;
    strait_sweep *sweep = NULL, *whole = NULL;
    watcher w = {0}, other = {0};
    ASSERT_OK(sweep_in(&whole, fresh_folder(), NULL, 2, &other, &test_error));
    ASSERT_OK(sweep_in(&sweep, fresh_folder(), "sweep.halving=2", 2, &w, &test_error));
    assert_int_equal(sweep->n_rungs, 3); /* 4 to epoch 1, 2 to epoch 2, 1 to epoch 4 */
    assert_int_equal(w.epochs, 4 * 1 + 2 * 1 + 1 * 2);
    /* Who stays follows from the histories of trials that were never stopped. */
    strait_run_metrics *metrics[N_TRIALS];
    for (int t = 0; t < N_TRIALS; t++)
        ASSERT_OK(strait_run_metrics_read(&metrics[t], whole->trial[t].run, &test_error));
    for (int t = 0; t < N_TRIALS; t++) {
        int better = 0;
        for (int s = 0; s < N_TRIALS; s++)
            better += metrics[s]->val_loss[0] < metrics[t]->val_loss[0];
        assert_int_equal(sweep->trial[t].rung > 0, better < 2);
        if (better < 2) continue;
        assert_string_equal(sweep->trial[t].state, "dropped");
        assert_int_equal(sweep->trial[t].epochs, 1);
        assert_true(sweep->trial[t].score == metrics[t]->val_loss[0]);
    }
    assert_string_equal(sweep->trial[sweep->best].state, "complete");
    assert_same_runs(sweep->trial[sweep->best].run, whole->trial[sweep->best].run);
    for (int t = 0; t < N_TRIALS; t++)
        strait_run_metrics_free(metrics[t]);
    strait_sweep_free(whole);
    strait_sweep_free(sweep);
}

static void an_interrupted_sweep_goes_on(void **state) {
    (void)state;
    static const char *const kinds[] = {NULL, "sweep.halving=2"};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        strait_sweep *whole = NULL;
        watcher undisturbed = {0};
        ASSERT_OK(sweep_in(&whole, fresh_folder(), kinds[k], 2, &undisturbed, &test_error));
        for (int stop = 1; stop < undisturbed.epochs; stop += 5) {
            strait_sweep *part = NULL, *rest = NULL, *again = NULL;
            strait_error err = {0};
            watcher first = {.stop_after = stop}, second = {0}, third = {0};
            assert_int_equal(sweep_in(&part, fresh_folder(), kinds[k], 1, &first, &err), STRAIT_INTERRUPTED);
            assert_non_null(part);
            assert_false(part->complete);
            ASSERT_OK(resume(&rest, part->folder, &second, &test_error));
            assert_int_equal(first.epochs + second.epochs, undisturbed.epochs); /* nothing is trained twice */
            assert_same_sweeps(whole, rest);
            ASSERT_OK(resume(&again, part->folder, &third, &test_error));
            assert_int_equal(third.epochs, 0);
            assert_same_sweeps(whole, again);
            strait_sweep_free(again);
            strait_sweep_free(rest);
            strait_sweep_free(part);
        }
        strait_sweep_free(whole);
    }
    strait_sweep *none = NULL;
    strait_error err = {0};
    assert_int_equal(strait_sweep_resume(&none, "nowhere", NULL, &err), STRAIT_NOT_FOUND);
    assert_non_null(strstr(err.message, "no sweep 'nowhere'"));
}

static void a_sweep_is_deleted_whole_or_not_at_all(void **state) {
    (void)state;
    strait_sweep *sweep = NULL;
    watcher w = {0};
    strait_error err = {0};
    int n = 0;
    const char *out = fresh_folder();
    ASSERT_OK(sweep_in(&sweep, out, NULL, 2, &w, &test_error));
    ASSERT_OK(strait_sweep_runs(&n, sweep->folder, &test_error));
    assert_int_equal(n, N_TRIALS);
    const char *const foreign[] = {sweep->trial[2].run, sweep->folder};
    for (size_t i = 0; i < COUNT(foreign); i++) {
        const char *notes = file_of(foreign[i], "notes.txt");
        ASSERT_OK(st_file_write_all(notes, "mine", 4, &test_error));
        assert_int_equal(strait_sweep_delete(sweep->folder, &err), STRAIT_ARGUMENT);
        assert_non_null(strstr(err.message, "notes.txt"));
        for (int t = 0; t < N_TRIALS; t++)
            assert_true(exists(file_of(sweep->trial[t].run, "model.safetensors")));
        assert_true(exists(file_of(sweep->folder, "base.yaml")));
        assert_int_equal(remove(file_of(foreign[i], "notes.txt")), 0);
    }
    for (int held = 0; held < 2; held++) {
        int lock = -1;
        ASSERT_OK(st_run_lock(&lock, held ? sweep->trial[1].run : sweep->folder, &test_error));
        assert_int_equal(strait_sweep_delete(sweep->folder, &err), STRAIT_ARGUMENT);
        assert_non_null(strstr(err.message, "under way"));
        st_run_unlock(lock);
    }
    ASSERT_OK(strait_run_delete(sweep->trial[0].run, &test_error)); /* one that is gone already is no matter */
    ASSERT_OK(strait_sweep_delete(sweep->folder, &test_error));
    for (int t = 0; t < N_TRIALS; t++)
        assert_false(exists(sweep->trial[t].run));
    assert_false(exists(sweep->folder));
    assert_int_equal(strait_sweep_delete(sweep->folder, &err), STRAIT_NOT_FOUND);
    assert_int_equal(strait_sweep_runs(&n, sweep->folder, &err), STRAIT_NOT_FOUND);
    strait_runs *left = NULL;
    ASSERT_OK(strait_runs_list(&left, out, NULL, NULL, &test_error));
    assert_int_equal(left->n, 0);
    strait_runs_free(left);
    strait_sweep_free(sweep);
}

static void a_trial_that_diverges_is_a_result(void **state) {
    (void)state;
    char source[700];
    snprintf(source, sizeof source, "data.source=%s", data_file());
    const char *const more[] = {source, "train.optimizer={sgd: {learning_rate: 0.01}}",
                                "model.decoder.0.dense.activation=linear", NULL};
    strait_recipe *recipe = sweep_recipe("[\"train.optimizer.sgd.learning_rate=0.01,900\"]", more);
    const strait_sweep_options options = {.out = fresh_folder(), .jobs = 2};
    strait_sweep *sweep = NULL;
    ASSERT_OK(strait_sweep_run(&sweep, recipe, &options, &test_error));
    assert_string_equal(sweep->trial[1].state, "diverged");
    assert_true(isinf(sweep->trial[1].score));
    assert_int_equal(sweep->best, 0);
    strait_sweep_free(sweep);
    strait_recipe_free(recipe);
}

static void trials_are_measured_against_components(void **state) {
    (void)state;
    char against[700];
    snprintf(against, sizeof against, "sweep.against_pca=%s", data_file());
    strait_sweep *sweep = NULL;
    watcher w = {0};
    ASSERT_OK(sweep_in(&sweep, fresh_folder(), against, 2, &w, &test_error));
    strait_data *data = NULL;
    ASSERT_OK(strait_data_open(&data, data_file(), &test_error));
    strait_array *x = NULL;
    strait_pca *pca = NULL;
    double mse[10];
    ASSERT_OK(strait_data_rows(&x, data, 0, 40, &test_error));
    ASSERT_OK(strait_pca_fit(&pca, x, &(strait_pca_options){.components = 10}, &test_error));
    ASSERT_OK(strait_pca_errors(mse, pca, x, pca->n_components, &test_error));
    assert_int_equal(sweep->n_pca, pca->n_components);
    for (int k = 0; k < sweep->n_pca; k++)
        assert_near(sweep->pca_mse[k], mse[k], 1e-6);
    strait_pca_free(pca);
    strait_array_free(x);
    for (int t = 0; t < N_TRIALS; t++) {
        strait_model *model = NULL;
        strait_evaluation evaluation;
        ASSERT_OK(strait_model_load(&model, sweep->trial[t].run, &test_error));
        ASSERT_OK(strait_model_evaluate(&evaluation, model, data, NULL, &test_error));
        assert_near(sweep->trial[t].mse, evaluation.mse, 1e-6);
        strait_model_free(model);
    }
    ASSERT_OK(strait_sweep_draw_pca(test_path("pca.svg"), sweep, STRAIT_THEME_DARK, &test_error));
    strait_data_free(data);
    strait_sweep_free(sweep);
}

/* ---- memory ---- */

static void planning_survives_every_failing_allocation(void **state) {
    (void)state;
    static const char *const more[] = {"sweep.trials=3", "sweep.halving=2", NULL};
    strait_recipe *recipe =
        sweep_recipe("[model.latent=3..6, \"train.batch_size=8,16\", data.corrupt.gaussian=0.1..0.5]", more);
    for (uint64_t n = 1;; n++) {
        strait_sweep *sweep = NULL;
        strait_error err = {0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = strait_sweep_plan(&sweep, recipe, &err);
        st_alloc_fail_at(0);
        const bool came = st_alloc_count() - before >= n;
        assert_int_equal(status, came ? STRAIT_MEMORY : STRAIT_OK);
        assert_true((sweep != NULL) == !came);
        strait_sweep_free(sweep);
        if (came) continue;
        assert_true(n > 30);
        break;
    }
    strait_recipe_free(recipe);
}

/* Whatever fails in the middle, a resume ends as if nothing had: allocations all over a sweep, a few dozen of them. */
static void a_sweep_goes_on_after_a_failed_allocation(void **state) {
    (void)state;
    strait_sweep *whole = NULL;
    watcher undisturbed = {0};
    const uint64_t before = st_alloc_count();
    ASSERT_OK(sweep_in(&whole, fresh_folder(), "sweep.halving=2", 1, &undisturbed, &test_error));
    const uint64_t all = st_alloc_count() - before;
    int failed = 0;
    for (uint64_t n = all / 9 + 7; n < all; n += all / 9) {
        char folder[400];
        const char *out = fresh_folder();
        strait_sweep *sweep = NULL, *rest = NULL;
        strait_error err = {0};
        watcher w = {0}, second = {0};
        st_alloc_fail_at(n);
        const strait_status status = sweep_in(&sweep, out, "sweep.halving=2", 1, &w, &err);
        st_alloc_fail_at(0);
        strait_sweep_free(sweep);
        if (status == STRAIT_OK) continue; /* the one that failed was not needed */
        assert_int_equal(status, STRAIT_MEMORY);
        assert_non_null(strstr(err.message, "memory"));
        assert_in_range(snprintf(folder, sizeof folder, "%s/dense-sweep-001", out), 1, (int)sizeof folder - 1);
        if (!exists(file_of(folder, "base.yaml"))) continue; /* before there was anything */
        failed++;
        ASSERT_OK(resume(&rest, folder, &second, &test_error));
        assert_same_sweeps(whole, rest);
        strait_sweep_free(rest);
    }
    assert_true(failed > 3);
    strait_sweep_free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(bad_ranges_say_why),
        cmocka_unit_test(the_grid_is_every_combination),
        cmocka_unit_test(draws_are_a_function_of_seed_trial_and_key),
        cmocka_unit_test(draws_from_a_grid_are_different),
        cmocka_unit_test(mistakes_are_told_before_training),
        cmocka_unit_test(the_latent_has_a_name_of_its_own),
        cmocka_unit_test(rungs_are_the_papers),
        cmocka_unit_test(weights_are_judged_by_what_is_kept),
        cmocka_unit_test(trials_do_not_depend_on_how_many_train_at_once),
        cmocka_unit_test(halving_keeps_the_best_of_each_rung),
        cmocka_unit_test(an_interrupted_sweep_goes_on),
        cmocka_unit_test(a_sweep_is_deleted_whole_or_not_at_all),
        cmocka_unit_test(a_trial_that_diverges_is_a_result),
        cmocka_unit_test(trials_are_measured_against_components),
        cmocka_unit_test(planning_survives_every_failing_allocation),
        cmocka_unit_test(a_sweep_goes_on_after_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
