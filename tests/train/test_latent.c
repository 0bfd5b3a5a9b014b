/* Training of distributions: what is drawn, what it costs, how beta warms up; losses from logits. */
#include "train/train_check.h"

/* Four epochs of four steps, too small to move a float, so that every step is at the same weights. */
static const char yaml[] = "seed: 5\n"
                           "model:\n"
                           "  input: [12]\n"
                           "  encoder: [{dense: {units: 9, activation: tanh}}, {gaussian: {units: 3}}]\n"
                           "  decoder: [{dense: {units: 12, activation: sigmoid}}]\n"
                           "train: {epochs: 4, batch_size: 25, optimizer: {sgd: {learning_rate: 1e-30}}}\n";

/* The loss and the KL divergence of the first n steps. */
static void costs_of_steps(double *loss, double *kl, int n, const char *set, st_trainer_config config) {
    st_setup setup = set_up(yaml, set ? 1 : 0, &set, 100, config);
    st_train_state *state = st_trainer_state(setup.trainer);
    st_trainer_start(setup.trainer);
    for (int i = 0; i < n;) {
        int64_t samples;
        const double loss_before = state->loss_sum, kl_before = state->kl_sum;
        ASSERT_OK(st_trainer_step(setup.trainer, &samples, &test_error));
        if (samples > 0) {
            loss[i] = (state->loss_sum - loss_before) / (double)samples;
            kl[i++] = (state->kl_sum - kl_before) / (double)samples;
            continue;
        }
        state->epoch++;
        state->batch = 0;
        st_trainer_start(setup.trainer);
    }
    tear_down(&setup);
}

/* Same samples, same draws: the losses differ by what is left out of beta. Steps so far / (1.5 epochs of 4 steps). */
static void test_warmup(void **state) {
    (void)state;
    enum { N = 10 };
    double loss[N], kl[N], warm[N], warm_kl[N];
    costs_of_steps(loss, kl, N, "model.encoder.1={gaussian: {units: 3, beta: 2}}", (st_trainer_config){0});
    costs_of_steps(warm, warm_kl, N, "model.encoder.1={gaussian: {units: 3, beta: 2, warmup: 1.5}}",
                   (st_trainer_config){0});
    for (int i = 0; i < N; i++) {
        const double scale = i < 6 ? i / 6.0 : 1;
        assert_true(kl[i] > 0.01);
        assert_true(kl[i] == warm_kl[i]);
        if (!(fabs(loss[i] - warm[i] - (1 - scale) * 2 * kl[i]) < 1e-6))
            fail_msg("step %d: %g and %g, KL %g", i, loss[i], warm[i], kl[i]);
    }
}

/* Validation has all of beta from the first epoch on, and the same draws each time. */
static void test_validation(void **state) {
    (void)state;
    static const char *const set = "model.encoder.1={gaussian: {units: 3, warmup: 3}}";
    strait_data *data = curves(30, 1, &(int64_t){12});
    st_setup setup = set_up(yaml, 1, &set, 100, (st_trainer_config){.validation = data});
    ASSERT_OK(st_trainer_run(setup.trainer, &test_error));
    int n;
    const st_epoch *epochs = st_trainer_epochs(setup.trainer, &n);
    assert_int_equal(n, 4);
    for (int i = 0; i < n; i++) {
        assert_true(epochs[i].val_loss == epochs[0].val_loss && epochs[i].val_kl == epochs[0].val_kl);
        assert_true(epochs[i].val_kl > 0.01 && epochs[i].val_kl < epochs[i].val_loss);
    }
    assert_true(epochs[1].kl > 0.01 && epochs[1].loss > epochs[0].loss); /* beta grew */
    tear_down(&setup);
    strait_data_free(data);
}

static void test_no_divergence_without_distribution(void **state) {
    (void)state;
    st_setup setup = set_up(dense_yaml, 0, NULL, 20, (st_trainer_config){0});
    ASSERT_OK(st_trainer_run(setup.trainer, &test_error));
    int n;
    const st_epoch *epochs = st_trainer_epochs(setup.trainer, &n);
    assert_true(isnan(epochs[0].kl) && isnan(epochs[0].val_kl));
    tear_down(&setup);
}

/* ---- draws ---- */

enum { N_DRAWN = 23, LATENT = 3 };

/* The latents drawn for 23 samples by a runner of so many threads. */
static void draw(float z[N_DRAWN * LATENT], const strait_model *model, const float *input, uint32_t epoch,
                 const uint32_t *sample, int threads, int64_t micro_batch) {
    const st_runner_config config = {.graph = model->graph,
                                     .engine = &st_engine_cpu,
                                     .n_ops = model->graph->n_encoder_ops,
                                     .batch_size = N_DRAWN,
                                     .threads = threads,
                                     .micro_batch = micro_batch,
                                     .with_loss = true,
                                     .loss = model->recipe->train.loss,
                                     .seed = model->recipe->seed};
    st_runner *runner = NULL;
    st_cost cost;
    const float zero[N_DRAWN * LATENT] = {0};
    ASSERT_OK(st_runner_new(&runner, &config, &test_error));
    ASSERT_OK(st_runner_pack(runner, st_runner_parameters(runner), model->values, &test_error));
    const st_feed feed = {
        .input = input, .target = zero, .output = z, .n = N_DRAWN, .epoch = epoch, .sample = sample, .beta_scale = 1};
    ASSERT_OK(st_runner_evaluate(&cost, runner, &feed, &test_error));
    st_runner_free(runner);
}

/* A latent is a function of seed, epoch and sample: not of threads, micro-batch, or place in the batch. */
static void test_draws(void **state) {
    (void)state;
    strait_recipe *recipe = parse(yaml, 0, NULL);
    strait_model *model = NULL;
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    float input[N_DRAWN * 12], backward[N_DRAWN * 12], z[N_DRAWN * LATENT], other[N_DRAWN * LATENT];
    uint32_t sample[N_DRAWN], reversed[N_DRAWN];
    for (int i = 0; i < N_DRAWN; i++) {
        sample[i] = (uint32_t)(7 * i + 1);
        reversed[N_DRAWN - 1 - i] = sample[i];
        for (int j = 0; j < 12; j++)
            input[12 * i + j] = backward[12 * (N_DRAWN - 1 - i) + j] = (float)sin(i * 12 + j);
    }
    draw(z, model, input, 4, sample, 1, 0);
    for (int threads = 1; threads <= 4; threads++)
        for (int64_t micro_batch = 0; micro_batch <= 7; micro_batch += 7) {
            draw(other, model, input, 4, sample, threads, micro_batch);
            assert_memory_equal(z, other, sizeof z);
        }
    draw(other, model, backward, 4, reversed, 2, 0);
    for (int i = 0; i < N_DRAWN; i++)
        assert_memory_equal(z + LATENT * i, other + LATENT * (N_DRAWN - 1 - i), LATENT * sizeof *z);
    draw(other, model, input, 5, sample, 1, 0);
    assert_memory_not_equal(z, other, sizeof z);
    strait_model_free(model);
    strait_recipe_free(recipe);
}

/* Every way of chance at once. */
static const char chances_yaml[] =
    "seed: 5\n"
    "data: {corrupt: {gaussian: 0.1}}\n"
    "model:\n"
    "  input: [12]\n"
    "  encoder: [{dense: {units: 9}}, batch_norm, {activation: tanh}, {dropout: 0.2}, {gaussian_noise: 0.1},\n"
    "            {gaussian: {units: 3}}]\n"
    "  decoder: [{dense: {units: 12, activation: sigmoid}}]\n"
    "train: {epochs: 4, batch_size: 25}\n";

/* The loss of the first batch: the same draws whatever the number of threads, and sums in another order. */
static void test_first_loss(void **state) {
    (void)state;
    double one = 0;
    for (int threads = 1; threads <= 4; threads++) {
        st_setup setup = set_up(chances_yaml, 0, NULL, 100, (st_trainer_config){.threads = threads});
        const double loss = take_steps(setup.trainer, 1);
        if (threads == 1) one = loss;
        if (!(fabs(loss - one) < 1e-6)) fail_msg("%d threads: %.9g, not %.9g", threads, loss, one);
        tear_down(&setup);
    }
}

/* ---- logits ---- */

/* From logits, or from probabilities by the sigmoid of the same numbers: one loss, while nothing clips. The model's
   output is the sigmoid's both times. */
static void test_logits(void **state) {
    (void)state;
    static const char *const from_probabilities = "train.loss=binary_crossentropy";
    static const char *const from_logits = "train.loss={binary_crossentropy: {from_logits: true}}";
    static const char *const linear = "model.decoder.0={dense: {units: 12}}"; /* the model adds the sigmoid */
    const char *const adam = "train.optimizer={adam: {learning_rate: 0.01}}";
    const char *const a[] = {from_probabilities, adam}, *const b[] = {from_logits, adam, linear};
    st_setup probabilities = set_up(dense_yaml, 2, a, 100, (st_trainer_config){0});
    st_setup logits = set_up(dense_yaml, 3, b, 100, (st_trainer_config){0});
    assert_true(logits.model->graph->logits >= 0 && probabilities.model->graph->logits < 0);
    assert_true(st_trained_ops(logits.model->graph) < logits.model->graph->n_ops);
    for (int i = 0; i < 3; i++) {
        const double p = take_steps(probabilities.trainer, 7), l = take_steps(logits.trainer, 7);
        if (!(fabs(p - l) < 1e-5 * p)) fail_msg("after %d steps: %.9g, and from logits %.9g", 7 * (i + 1), p, l);
    }
    tear_down(&probabilities);
    tear_down(&logits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warmup),     cmocka_unit_test(test_validation),
        cmocka_unit_test(test_draws),      cmocka_unit_test(test_no_divergence_without_distribution),
        cmocka_unit_test(test_first_loss), cmocka_unit_test(test_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
