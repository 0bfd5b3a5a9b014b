/* Early stopping and the learning rate on a plateau, on losses chosen by hand. The model is y = a b x on x = 1 with
   steps too small to move a float; between epochs a hook sets b = 1 + sqrt(loss), so that the next epoch's loss is the
   one wanted. Expectations follow keras.callbacks.EarlyStopping: an epoch whose loss is below best - min_delta is an
   improvement and sets the wait to 0; any other adds 1 to it, and training stops when it reaches patience.
   keras.callbacks.ReduceLROnPlateau counts alike, but epochs while it cools down leave the wait at 0. */
#include "train/train_check.h"

static const char yaml[] = "model:\n"
                           "  input: [1]\n"
                           "  encoder: [{dense: {units: 1, bias: false}}]\n"
                           "  decoder: [{dense: {units: 1, bias: false}}]\n"
                           "train: {batch_size: 1, epochs: 8, optimizer: {sgd: {learning_rate: 1e-30}}}\n";

typedef struct st_script {
    const double *loss; /* [8] wanted of each epoch */
    double rate[8];     /* out: the learning rate of each, as a share of the recipe's */
    strait_model *model;
    int n_notes;
    char note[200];
} st_script;

static void set_loss(st_trainer *trainer, strait_model *model, double loss) {
    model->values[0] = 1;
    model->values[1] = (float)(1 + sqrt(loss));
    put_values(trainer, model);
}

static strait_status next_loss(void *context, st_trainer *trainer, const st_epoch *epoch, strait_error *err) {
    (void)err;
    const st_script *script = context;
    if (epoch && epoch->epoch < 8) set_loss(trainer, script->model, script->loss[epoch->epoch]);
    return STRAIT_OK;
}

static void note(void *context, const char *sentence) {
    st_script *script = context;
    script->n_notes++;
    snprintf(script->note, sizeof script->note, "%s", sentence);
}

/* Trains through the script; the epochs trained, the best epoch, the loss that the resulting model has. */
static int train(const double loss[8], const char *stopping, bool validate, int64_t *best, double *final,
                 st_script *script) {
    const float one = 1;
    strait_data *data = NULL;
    ASSERT_OK(strait_data_from_rows(&data, &one, 1, 1, &(int64_t){1}, &test_error));
    *script = (st_script){.loss = loss};
    const st_trainer_config config = {.data = data,
                                      .validation = validate ? data : NULL,
                                      .hooks = {.context = script, .save = next_loss},
                                      .observer = {.context = script, .note = note}};
    st_setup setup = set_up(yaml, stopping ? 1 : 0, &stopping, 1, config);
    script->model = setup.model;
    set_loss(setup.trainer, setup.model, loss[0]);
    ASSERT_OK(st_trainer_run(setup.trainer, &test_error));
    int n;
    const st_epoch *epochs = st_trainer_epochs(setup.trainer, &n);
    for (int i = 0; i < n; i++) { /* that the script worked at all */
        const double watched = validate ? epochs[i].val_loss : epochs[i].loss;
        if (!(fabs(watched - loss[i]) < 1e-6)) fail_msg("epoch %d: %g, not %g", i + 1, watched, loss[i]);
        assert_int_equal(epochs[i].epoch, i + 1);
        script->rate[i] = epochs[i].learning_rate / 1e-30;
        assert_true(validate == !isnan(epochs[i].val_loss));
    }
    *best = st_trainer_state(setup.trainer)->best_epoch;
    const double b = (double)(setup.model->values[0] * setup.model->values[1]);
    *final = (b - 1) * (b - 1);
    assert_true(st_trainer_state(setup.trainer)->stopped == (strstr(script->note, "early stopping") != NULL));
    tear_down(&setup);
    strait_data_free(data);
    return n;
}

/*                              epoch   1    2    3     4     5    6    7    8 */
static const double losses[8] = {1.0, 0.5, 0.45, 0.47, 0.6, 0.4, 0.7, 0.8};

static void check(const char *stopping, int epochs, int64_t best_epoch, double left) {
    for (int validate = 0; validate < 2; validate++) {
        int64_t best;
        double final;
        st_script script;
        const int n = train(losses, stopping, validate, &best, &final, &script);
        if (n != epochs) fail_msg("%s: %d epochs, not %d", stopping ? stopping : "none", n, epochs);
        assert_int_equal(best, best_epoch);
        if (epochs == 8 && left >= 0.79) assert_int_equal(script.n_notes, 0);
        /* After the last epoch but one the hook has set the next loss already, so only restored weights can be told. */
        if (strstr(stopping ? stopping : "", "restore_best: true")) assert_true(fabs(final - left) < 1e-6);
    }
}

static void test_none(void **state) {
    (void)state;
    check(NULL, 8, 6, 0.8);
}

static void test_patience(void **state) {
    (void)state;
    /* Improvements: 1, 2, 3, 6. Waits: 4 is 1, 5 is 2; 7 is 1, 8 is 2. */
    check("train.early_stopping={patience: 1}", 4, 3, -1);
    check("train.early_stopping={patience: 2}", 5, 3, -1);
    check("train.early_stopping={patience: 3}", 8, 6, -1);
}

static void test_min_delta(void **state) {
    (void)state;
    /* Improvements: 1, 2. Waits: 3, only 0.05 better, is 1; 4 is 2; 5 is 3; 6 is 4, as 0.4 is not below 0.5 - 0.11. */
    check("train.early_stopping={patience: 2, min_delta: 0.1}", 4, 3, -1);
    check("train.early_stopping={patience: 4, min_delta: 0.11}", 6, 6, -1);
    check("train.early_stopping={patience: 5, min_delta: 0.11}", 7, 6, -1);
    /* 6 is an improvement, 0.4 being below 0.5 - 0.09; 7 is 1, 8 is 2. */
    check("train.early_stopping={patience: 4, min_delta: 0.09}", 8, 6, -1);
}

static void test_restore_best(void **state) {
    (void)state;
    check("train.early_stopping={patience: 2, restore_best: true}", 5, 3, 0.45);
    check("train.early_stopping={patience: 5, restore_best: true}", 8, 6, 0.4); /* the end came before a stop */
}

static void test_note(void **state) {
    (void)state;
    int64_t best;
    double final;
    st_script script;
    train(losses, "train.early_stopping={patience: 2}", true, &best, &final, &script);
    assert_non_null(strstr(script.note, "2 epochs"));
    assert_non_null(strstr(script.note, "epoch 3"));
    assert_non_null(strstr(script.note, "0.45"));
}

static void check_rates(const char *plateau, const double wanted[8], int n_notes) {
    for (int validate = 0; validate < 2; validate++) {
        int64_t best;
        double final;
        st_script script;
        assert_int_equal(train(losses, plateau, validate, &best, &final, &script), 8);
        for (int i = 0; i < 8; i++)
            if (!(fabs(script.rate[i] - wanted[i]) < 1e-9))
                fail_msg("%s: epoch %d at %g, not %g", plateau, i + 1, script.rate[i], wanted[i]);
        assert_int_equal(script.n_notes, n_notes);
    }
}

static void test_plateau(void **state) {
    (void)state;
    /* Waits that reach 1: after 4, 5, 7, 8. */
    check_rates("train.reduce_lr_on_plateau={patience: 1, factor: 0.5, min_delta: 0}",
                (const double[8]){1, 1, 1, 1, 0.5, 0.25, 0.25, 0.125}, 4);
    /* 4 lowers; 5 cools; 6 is an improvement; 7 lowers. */
    check_rates("train.reduce_lr_on_plateau={patience: 1, factor: 0.5, min_delta: 0, cooldown: 2}",
                (const double[8]){1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25}, 2);
    /* The cooldown of 1 is over when 5 is judged. */
    check_rates("train.reduce_lr_on_plateau={patience: 1, factor: 0.5, min_delta: 0, cooldown: 1}",
                (const double[8]){1, 1, 1, 1, 0.5, 0.25, 0.25, 0.125}, 4);
    /* No improvement after 2: 4, 6 and 8 lower. */
    check_rates("train.reduce_lr_on_plateau={patience: 2, factor: 0.5, min_delta: 0.11}",
                (const double[8]){1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25}, 3);
    /* Not below 0.4 of the rate, and then no more. */
    check_rates("train.reduce_lr_on_plateau={patience: 1, factor: 0.5, min_delta: 0, min_lr: 4e-31}",
                (const double[8]){1, 1, 1, 1, 0.5, 0.4, 0.4, 0.4}, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),         cmocka_unit_test(test_patience), cmocka_unit_test(test_min_delta),
        cmocka_unit_test(test_restore_best), cmocka_unit_test(test_note),     cmocka_unit_test(test_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
