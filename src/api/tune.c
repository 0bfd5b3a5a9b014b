#include "api/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/run_files.h"
#include "api/run_record.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/string.h"
#include "base/thread.h"
#include "store/run.h"
#include "train/trainer.h"

#define SECONDS 10.0 /* for everything */
#define TRIAL 0.25   /* for one setting, in each round; a step at least */
#define MOST_SETTINGS 16
#define WORTH 1.02 /* what is not faster by this is noise */

/* A way to split the step, and the best rate seen with it. */
typedef struct st_setting {
    int threads;
    int64_t micro_batch; /* 0: by the rule */
    double rate;         /* samples a second; 0: not tried, or does not work */
} st_setting;

typedef struct st_tuner {
    const strait_recipe *recipe;
    const strait_model *model;
    const strait_observer *observer;
    float *values; /* a batch of made values */
    int n;
    st_setting setting[MOST_SETTINGS]; /* the rule's first */
} st_tuner;

/* ---- what there is to try ---- */

static void add(st_tuner *tuner, int threads, int64_t micro_batch) {
    if (tuner->n == MOST_SETTINGS || micro_batch < 0) return;
    for (int i = 0; i < tuner->n; i++)
        if (tuner->setting[i].threads == threads && tuner->setting[i].micro_batch == micro_batch) return;
    tuner->setting[tuner->n++] = (st_setting){.threads = threads, .micro_batch = micro_batch};
}

static st_runner_config config_of(const st_tuner *tuner, const st_setting *setting) {
    st_runner_config config = st_training_runner(tuner->model, tuner->recipe, &st_engine_cpu);
    config.threads = setting->threads;
    config.micro_batch = setting->micro_batch;
    return config;
}

/* The rule's micro-batch for so many threads; 0 where it cannot be chosen, or the plan fails. */
static int64_t rule_of(const st_tuner *tuner, int threads) {
    st_runner *runner = NULL;
    const st_setting setting = {.threads = threads};
    st_runner_config config = config_of(tuner, &setting);
    config.unbound = true;
    if (st_runner_new(&runner, &config, NULL) != STRAIT_OK) return 0;
    const int64_t micro_batch = st_runner_in_step(runner) ? 0 : st_runner_micro_batch(runner);
    st_runner_free(runner);
    return micro_batch;
}

static void list_settings(st_tuner *tuner) {
    const int most = (int)tuner->recipe->train.threads, threads[] = {most, most / 2, 1};
    for (int i = 0; i < 3; i++) {
        if (threads[i] < 1) continue;
        const int64_t batch = tuner->recipe->train.batch_size, share = (batch + threads[i] - 1) / threads[i];
        const int64_t rule = rule_of(tuner, threads[i]);
        add(tuner, threads[i], rule);
        if (rule == 0) continue;
        const int64_t other[] = {2 * rule, rule / 2, 4 * rule, share};
        for (int j = 0; j < 4; j++)
            if (other[j] >= 1 && other[j] <= share) add(tuner, threads[i], other[j]);
    }
}

/* ---- trying ---- */

/* Steps for about `seconds`: the rate of the fastest, not counting the first unless that alone took longer. What does
   not fit into memory has the rate 0. */
static strait_status run_steps(double *rate, const st_tuner *tuner, st_runner *runner, double seconds,
                               strait_error *err) {
    st_stepper stepper = {0};
    strait_status status =
        st_stepper_init(&stepper, &st_engine_cpu, runner, tuner->model->graph->n_values, tuner->recipe, err);
    if (status == STRAIT_OK) status = st_runner_pack(runner, st_runner_parameters(runner), tuner->model->values, err);
    const int64_t n = tuner->recipe->train.batch_size;
    const st_feed feed = {.input = tuner->values, .target = tuner->values, .n = n, .beta_scale = 1};
    const double begin = st_clock();
    for (int i = 0; status == STRAIT_OK && (i == 0 || st_clock() - begin < seconds); i++) {
        const double start = st_clock();
        status = st_runner_train(NULL, runner, &feed, err);
        st_stepper_step(&stepper, 0);
        const double now = (double)n / (st_clock() - start);
        if ((i > 0 || st_clock() - begin > seconds) && now > *rate) *rate = now;
        const strait_observer *observer = tuner->observer;
        if (status == STRAIT_OK && observer && observer->stop && observer->stop(observer->context))
            status =
                st_fail(err, STRAIT_INTERRUPTED, "interrupted while trying splits of the step: nothing is trained yet");
    }
    st_stepper_free(&stepper);
    return status;
}

static strait_status try_setting(st_setting *setting, const st_tuner *tuner, double seconds, strait_error *err) {
    st_runner *runner = NULL;
    const st_runner_config config = config_of(tuner, setting);
    strait_status status = st_runner_new(&runner, &config, err);
    if (status == STRAIT_OK) status = run_steps(&setting->rate, tuner, runner, seconds, err);
    st_runner_free(runner);
    return status == STRAIT_MEMORY ? STRAIT_OK : status;
}

static int fastest(const st_tuner *tuner) {
    int best = 0;
    for (int i = 1; i < tuner->n; i++)
        if (tuner->setting[i].rate > tuner->setting[best].rate) best = i;
    return best;
}

/* All once; then the rule's and the fastest in turn, three times. *best is the rule's, index 0, unless the other stays
   ahead. */
static strait_status try_all(int *best, st_tuner *tuner, strait_error *err) {
    const double begin = st_clock();
    for (int i = 0; i < tuner->n && st_clock() - begin < SECONDS * 0.6; i++)
        ST_TRY(try_setting(&tuner->setting[i], tuner, TRIAL, err));
    const int other = fastest(tuner);
    const double first = tuner->setting[0].rate;
    *best = 0;
    if (other == 0 || tuner->setting[other].rate < WORTH * first) return STRAIT_OK;
    tuner->setting[0].rate = tuner->setting[other].rate = 0; /* the first time may have been luck */
    for (int turn = 0; turn < 3 && (turn == 0 || st_clock() - begin < SECONDS - 2 * TRIAL); turn++) {
        ST_TRY(try_setting(&tuner->setting[0], tuner, TRIAL, err));
        ST_TRY(try_setting(&tuner->setting[other], tuner, TRIAL, err));
    }
    if (tuner->setting[other].rate > WORTH * tuner->setting[0].rate) *best = other;
    return STRAIT_OK;
}

/* ---- remembering ---- */

/* FNV-1a, 64 bits. */
static uint64_t add_hash(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* The file for this plan, optimiser, version and processor; NULL: there is no cache folder, or no memory. */
static char *memory_of(const st_tuner *tuner) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && cache[0] == '/';
    if (!own && (!home || home[0] != '/')) return NULL;
    st_runner *runner = NULL;
    st_runner_config config = config_of(tuner, &tuner->setting[0]);
    config.unbound = true;
    if (st_runner_new(&runner, &config, NULL) != STRAIT_OK) return NULL;
    st_text text = {0};
    char processor[256], *plan = NULL;
    st_processor_name(processor, sizeof processor);
    st_text_add(&text, "%s %s %s %d threads, batch %lld, %s\n", STRAIT_VERSION, processor, st_cpu_instructions(),
                st_processors(), (long long)tuner->recipe->train.batch_size,
                st_optimizer_name(tuner->recipe->train.optimizer.kind));
    st_runner_describe(runner, &text);
    st_runner_free(runner);
    if (st_text_take(&plan, &text, NULL) != STRAIT_OK) return NULL;
    const uint64_t hash = add_hash(0xcbf29ce484222325u, plan);
    st_free(plan);
    return st_format("%s%s/strait/plans/%016llx", own ? cache : home, own ? "" : "/.cache", (unsigned long long)hash);
}

/* "threads 2, micro_batch 4, gain 1120": thousandths, which every locale reads alike. What was found with more than
   `most` threads, or is no setting at all, does not count. */
static bool recall(st_setting *out, double *gain, const char *path, int64_t most) {
    char *text = NULL;
    size_t n;
    long long micro_batch;
    int thousandths = 0;
    if (!path || !st_path_is_file(path) || st_file_read(&text, &n, path, 4096, NULL) != STRAIT_OK) return false;
    const bool good =
        sscanf(text, "threads %d, micro_batch %lld, gain %d", &out->threads, &micro_batch, &thousandths) == 3 &&
        out->threads >= 1 && out->threads <= most && micro_batch >= 0 && thousandths >= 0;
    out->micro_batch = micro_batch;
    *gain = thousandths * 1e-3;
    st_free(text);
    return good;
}

/* What cannot be remembered is found again next time. */
static void remember(const st_setting *best, double gain, const char *path) {
    char line[96];
    char *folder = path ? st_path_folder(path) : NULL;
    const int n = snprintf(line, sizeof line, "threads %d, micro_batch %lld, gain %d\n", best->threads,
                           (long long)best->micro_batch, (int)(gain * 1e3 + 0.5));
    if (folder && st_make_folders(folder, NULL) == STRAIT_OK) st_file_write_all(path, line, (size_t)n, NULL);
    st_free(folder);
}

/* ---- both ---- */

static void tell(const strait_observer *observer, const st_setting *best, double gain, int tried) {
    char how[96] = "", line[256];
    if (best->micro_batch > 0)
        snprintf(how, sizeof how, ", %lld sample%s at a time", (long long)best->micro_batch,
                 best->micro_batch == 1 ? "" : "s");
    const char *plural = best->threads == 1 ? "" : "s";
    if (gain <= 0)
        snprintf(line, sizeof line, "tuned%s: %d thread%s%s, as the rule's split does not fit into memory",
                 tried ? "" : " before", best->threads, plural, how);
    else if (gain > 1)
        snprintf(line, sizeof line, "tuned%s: %d thread%s%s, %.0f %% faster than by the rule", tried ? "" : " before",
                 best->threads, plural, how, 100 * (gain - 1));
    else
        snprintf(line, sizeof line, "tuned%s: nothing is faster than the rule's %d thread%s%s", tried ? "" : " before",
                 best->threads, plural, how);
    if (observer && observer->note) observer->note(observer->context, line);
}

/* Values as a scaled batch has them, uniform in 0..1. */
static strait_status make_values(st_tuner *tuner, strait_error *err) {
    const st_shape in = st_model_input_shape(tuner->model), out = st_model_output_shape(tuner->model);
    const int64_t n_in = st_shape_count(&in), n_out = st_shape_count(&out), most = n_in > n_out ? n_in : n_out;
    const size_t n = (size_t)(most * tuner->recipe->train.batch_size);
    tuner->values = st_alloc(n, sizeof *tuner->values);
    if (!tuner->values) return st_fail_memory(err, n * sizeof *tuner->values, "a batch to tune with");
    for (size_t begin = 0; begin < n; begin += (size_t)most) {
        const st_rng rng = {.purpose = ST_RNG_BENCH, .sample = (uint32_t)(begin / (size_t)most)};
        st_rng_uniform(&rng, 0, tuner->values + begin, (size_t)most);
    }
    return STRAIT_OK;
}

strait_status st_tune(strait_recipe *recipe, const strait_model *model, const strait_observer *observer,
                      strait_error *err) {
    st_tuner tuner = {.recipe = recipe, .model = model, .observer = observer};
    list_settings(&tuner);
    char *path = memory_of(&tuner);
    st_setting best;
    double gain = 1;
    strait_status status = STRAIT_OK;
    const bool known = recall(&best, &gain, path, recipe->train.threads);
    if (!known) {
        int index = 0;
        status = make_values(&tuner, err);
        if (status == STRAIT_OK) status = try_all(&index, &tuner, err);
        best = tuner.setting[index];
        const double rule = tuner.setting[0].rate;
        if (index) gain = rule > 0 ? best.rate / rule : 0; /* 0: there is nothing to compare with */
        /* More than threefold is the load of other programs: it counts for this time alone. */
        if (status == STRAIT_OK && best.rate > 0 && gain < 3) remember(&best, gain, path);
    }
    if (status == STRAIT_OK) {
        recipe->train.threads = best.threads;
        recipe->train.micro_batch = best.micro_batch;
        tell(observer, &best, gain, known ? 0 : tuner.n);
    }
    st_free(tuner.values);
    st_free(path);
    return status;
}

/* Whether an op mixes samples: then the split follows from batch and threads. */
static bool mixes_samples(const strait_recipe *recipe, const strait_model *model) {
    st_runner *runner = NULL;
    st_runner_config config = st_training_runner(model, recipe, &st_engine_cpu);
    config.micro_batch = 0;
    config.unbound = true;
    if (st_runner_new(&runner, &config, NULL) != STRAIT_OK) return false;
    const bool in_step = st_runner_in_step(runner);
    st_runner_free(runner);
    return in_step;
}

strait_status st_take_split(strait_recipe *recipe, const strait_model *model, const char *run, strait_error *err) {
    char *folder = NULL, *path = NULL;
    strait_recipe *other = NULL;
    ST_TRY(st_run_find(&folder, run, err));
    path = st_path_join(folder, ST_FILE_RECIPE);
    strait_status status =
        path ? strait_recipe_open(&other, path, 0, NULL, err) : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK && other->train.threads < 1)
        status = st_fail(err, STRAIT_ARGUMENT, "%s does not say how its steps were split (train.threads)", path);
    if (status == STRAIT_OK) {
        recipe->train.threads = other->train.threads;
        recipe->train.micro_batch = mixes_samples(recipe, model) ? 0 : other->train.micro_batch;
    }
    strait_recipe_free(other);
    st_free(path);
    st_free(folder);
    return status;
}
