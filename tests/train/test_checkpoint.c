/* Checkpoints: a trainer given one goes on to the same bits, whatever of the recipe has a state; what does not fit is
   refused. */
#include "train/checkpoint.h"
#include "train/train_check.h"

/* All that draws, counts or moves along. 100 samples: 4 steps an epoch. */
static const char yaml[] =
    "seed: 5\n"
    "data: {corrupt: {gaussian: 0.1}}\n"
    "model:\n"
    "  input: [12]\n"
    "  encoder: [{dense: {units: 9}}, batch_norm, {activation: tanh}, {dropout: 0.2}, {gaussian_noise: 0.1},\n"
    "            {gaussian: {units: 3, beta: 0.01, warmup: 2}}]\n"
    "  decoder: [{dense: {units: 12, activation: sigmoid}}]\n"
    "train:\n"
    "  epochs: 6\n"
    "  batch_size: 25\n"
    "  schedule: one_cycle\n"
    "  clip_norm: 0.05\n"
    "  penalty: {weights: {l1: 1e-4}, latent: {l2: 0.01}}\n"
    "  reduce_lr_on_plateau: {patience: 1, cooldown: 1, min_delta: 0.01}\n"
    "  early_stopping: {patience: 50, restore_best: true}\n";

typedef struct st_watch {
    int after, seen; /* asks to stop after so many batches */
    char calls[64];  /* of the hooks: the epoch's digit for watch, 's' for save */
} st_watch;

static bool rings(void *context) {
    st_watch *watch = context;
    return ++watch->seen == watch->after;
}

static strait_status look(void *context, st_trainer *trainer, int64_t epoch, strait_error *err) {
    (void)trainer, (void)err;
    st_watch *watch = context;
    watch->calls[strlen(watch->calls)] = (char)('0' + epoch);
    return STRAIT_OK;
}

static strait_status save(void *context, st_trainer *trainer, const st_epoch *epoch, strait_error *err) {
    (void)epoch;
    st_watch *watch = context;
    watch->calls[strlen(watch->calls)] = 's';
    return st_checkpoint_write(test_path("checkpoint"), trainer, err);
}

static st_trainer_config config_of(st_watch *watch, strait_data *validation, int threads, const st_engine *engine) {
    return (st_trainer_config){.engine = engine,
                               .threads = threads,
                               .validation = validation,
                               .observer = {.context = watch, .stop = rings},
                               .hooks = {.context = watch, .save = save, .watch = look}};
}

/* Trains to the end, interrupted after so many batches again and again (0: never), each time in a new trainer. The
   values of the model, the caller's, and the history. */
static float *train(st_epoch epochs[8], size_t n, const char *const *set, int after, int threads,
                    const st_engine *engine) {
    strait_data *validation = curves(30, 1, &(int64_t){12});
    float *values = NULL;
    st_safetensors *file = NULL;
    strait_status status = STRAIT_INTERRUPTED;
    for (int piece = 0; status == STRAIT_INTERRUPTED; piece++) {
        st_watch watch = {.after = after};
        st_setup setup = set_up(yaml, n, set, 100, config_of(&watch, validation, threads, engine));
        if (piece > 0) {
            strait_model *read = NULL;
            ASSERT_OK(st_safetensors_read(&file, test_path("checkpoint"), &test_error));
            ASSERT_OK(st_model_from_tensors(&read, file, "checkpoint", &test_error));
            memcpy(setup.model->values, read->values, (size_t)setup.model->graph->n_values * sizeof(float));
            put_values(setup.trainer, setup.model);
            ASSERT_OK(st_checkpoint_restore(setup.trainer, file, "checkpoint", &test_error));
            strait_model_free(read);
            st_safetensors_free(file);
        }
        status = st_trainer_run(setup.trainer, NULL);
        if (status == STRAIT_OK) {
            int n_epochs;
            const st_epoch *all = st_trainer_epochs(setup.trainer, &n_epochs);
            assert_int_equal(n_epochs, 6);
            memcpy(epochs, all, 6 * sizeof *all);
            const size_t bytes = (size_t)setup.model->graph->n_values * sizeof(float);
            values = malloc(bytes);
            memcpy(values, setup.model->values, bytes);
        }
        tear_down(&setup);
    }
    assert_int_equal(status, STRAIT_OK);
    strait_data_free(validation);
    return values;
}

static void check(const char *set, int after, int threads, const st_engine *engine) {
    const size_t n = set ? 1 : 0;
    st_epoch whole[8], parts[8];
    float *a = train(whole, n, &set, 0, threads, engine), *b = train(parts, n, &set, after, threads, engine);
    strait_recipe *recipe = parse(yaml, n, &set);
    strait_model *model = NULL;
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    const size_t bytes = (size_t)model->graph->n_values * sizeof(float);
    if (memcmp(a, b, bytes) != 0) fail_msg("%s, %d threads: other weights", set ? set : "as it is", threads);
    for (int i = 0; i < 6; i++) {
        assert_true(whole[i].loss == parts[i].loss && whole[i].val_loss == parts[i].val_loss);
        assert_true(whole[i].kl == parts[i].kl && whole[i].val_kl == parts[i].val_kl);
        assert_true(whole[i].learning_rate == parts[i].learning_rate);
    }
    assert_true(memcmp(a, model->values, bytes) != 0);
    strait_model_free(model);
    strait_recipe_free(recipe);
    free(a);
    free(b);
}

static void test_same_bits(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++)
        for (int after = 3; after <= 5; after++)
            check(NULL, after, threads, &st_engine_cpu);
    check(NULL, 5, 2, &st_engine_reference);
}

static void test_every_optimizer(void **state) {
    (void)state;
    static const char *const sets[] = {"train.weight_decay=0.01",
                                       "train.optimizer=adamw",
                                       "train.optimizer=nadam",
                                       "train.optimizer=adagrad",
                                       "train.optimizer=adadelta",
                                       "train.optimizer={rmsprop: {centered: true, momentum: 0.9}}",
                                       "train.optimizer={sgd: {momentum: 0.9}}",
                                       "train.schedule={cosine: {final: 0.1}, warmup: 2}",
                                       "train.schedule={step: {every: 2, factor: 0.5}}"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        check(sets[i], 5, 2, &st_engine_cpu);
}

/* The plateau of the run above was met, or it would not be tested. */
static void test_plateau_is_met(void **state) {
    (void)state;
    static const char *const set[] = {"train.schedule=constant"};
    st_epoch epochs[8];
    free(train(epochs, 1, set, 0, 1, &st_engine_cpu));
    assert_true(epochs[5].learning_rate < epochs[0].learning_rate);
    check(set[0], 5, 1, &st_engine_cpu);
}

/* Looked at before the first step and after each epoch, before saving; not again for what is behind a resume. */
static void test_hooks(void **state) {
    (void)state;
    st_watch watch = {.after = 6};
    st_setup setup = set_up(yaml, 0, NULL, 100, config_of(&watch, NULL, 1, NULL));
    assert_int_equal(st_trainer_run(setup.trainer, NULL), STRAIT_INTERRUPTED);
    assert_string_equal(watch.calls, "01ss");
    watch = (st_watch){0};
    ASSERT_OK(st_trainer_run(setup.trainer, &test_error));
    assert_string_equal(watch.calls, "2s3s4s5s6s");
    tear_down(&setup);
}

/* ---- what does not fit ---- */

static void write_one(void) {
    st_watch watch = {.after = 6};
    st_setup setup = set_up(yaml, 0, NULL, 100, config_of(&watch, NULL, 1, NULL));
    assert_int_equal(st_trainer_run(setup.trainer, NULL), STRAIT_INTERRUPTED);
    tear_down(&setup);
}

static strait_status restore(st_setup *setup, size_t n, const char *const *set, strait_error *err) {
    st_safetensors *file = NULL;
    *setup = set_up(yaml, n, set, 100, (st_trainer_config){0});
    ASSERT_OK(st_safetensors_read(&file, test_path("checkpoint"), &test_error));
    const strait_status status = st_checkpoint_restore(setup->trainer, file, "runs/x/checkpoint", err);
    st_safetensors_free(file);
    return status;
}

static void test_another_optimizer(void **state) {
    (void)state;
    static const char *const set[] = {"train.optimizer=nadam"}; /* with the same state blocks as adam */
    st_setup setup;
    strait_error err = {0};
    write_one();
    assert_int_equal(restore(&setup, 1, set, &err), STRAIT_ARGUMENT);
    assert_non_null(
        strstr(err.message, "runs/x/checkpoint: the run was trained by adam, but train.optimizer is now nadam"));
    tear_down(&setup);
}

/* Overwrites a word of the file with spaces. */
static void blot_out(const char *start) {
    FILE *f = fopen(test_path("checkpoint"), "r+b");
    assert_non_null(f);
    static char head[1 << 16];
    const size_t n = fread(head, 1, sizeof head, f);
    char *word = memmem(head, n, start, strlen(start));
    if (!word) fail_msg("no %s", start);
    const size_t length = strcspn(word, " ");
    assert_int_equal(fseek(f, word - head, SEEK_SET), 0);
    for (size_t i = 0; i < length; i++)
        fputc(' ', f);
    fclose(f);
}

/* What the first versions did not write may be missing; what they wrote may not. */
static void test_older(void **state) {
    (void)state;
    static const char *const later[] = {
        "plateau_loss=", "plateau_waited=", "plateau_cooldown=", "plateau_scale=", "kl_sum=", "kl=", "val_kl="};
    st_setup setup;
    strait_error err = {0};
    write_one();
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        blot_out(later[i]);
    if (restore(&setup, 0, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_true(st_trainer_state(setup.trainer)->plateau_scale == 1);
    assert_true(isinf(st_trainer_state(setup.trainer)->plateau_loss));
    assert_int_equal(st_trainer_state(setup.trainer)->steps, 6);
    tear_down(&setup);
    blot_out("best_loss=");
    assert_int_equal(restore(&setup, 0, NULL, &err), STRAIT_FORMAT);
    tear_down(&setup);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),         cmocka_unit_test(test_every_optimizer),
        cmocka_unit_test(test_plateau_is_met),    cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_another_optimizer), cmocka_unit_test(test_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
