/* Whole networks through the runner: engine cpu, split in every way, against the reference in one piece; and both
   engines' gradients against central differences of the loss. */
#include "graph/networks.h"

#define BATCH 7

static const st_activation_kind lasts[] = {ST_LINEAR, ST_SIGMOID, ST_RELU,     ST_SOFTMAX, ST_TANH,
                                           ST_ELU,    ST_SELU,    ST_SOFTPLUS, ST_GELU};

/* What a call to st_runner_train and one to st_runner_evaluate gave. */
typedef struct outcome {
    double loss, evaluated;
    float *gradient, *output;
} outcome;

static outcome run(const st_runner_config *config, const float *parameters, const float *x, int64_t n) {
    outcome out = {0};
    st_runner *runner = new_runner(config, parameters);
    out.output = new_floats((size_t)n * values_out(config->graph));
    /* A full batch first, so that the padding of a smaller one is not zeros but what was there before. */
    train_on(runner, x, x, BATCH);
    out.loss = train_on(runner, x, x, n);
    out.gradient = summed_gradient(runner, config->graph);
    out.evaluated = evaluate_on(runner, x, x, out.output, n);
    st_runner_free(runner);
    return out;
}

static void outcome_free(outcome *out) {
    st_free(out->gradient);
    st_free(out->output);
}

static void compare(const st_graph *graph, st_loss_kind loss, const float *parameters, const float *x) {
    for (int64_t n = BATCH; n >= 1; n -= 3) {
        const st_runner_config plain = training_config(graph, &st_engine_reference, BATCH, 1, BATCH, loss);
        outcome want = run(&plain, parameters, x, n);
        for (int threads = 1; threads <= 3; threads++)
            for (int64_t micro_batch = 0; micro_batch <= 2; micro_batch++) {
                char title[128];
                snprintf(title, sizeof title, "%s after %s, %lld samples, %d threads, micro-batch %lld",
                         st_loss_name(loss), st_activation_name(graph->op[graph->n_ops - 1].activation.kind),
                         (long long)n, threads, (long long)micro_batch);
                const st_runner_config split =
                    training_config(graph, &st_engine_cpu, BATCH, threads, micro_batch, loss);
                outcome got = run(&split, parameters, x, n);
                /* Roundings of a few layers in float; a sample left out or counted twice changes a seventh. */
                if (!(fabs(got.loss - want.loss) <= 3e-6 * fabs(want.loss)))
                    fail_msg("%s: loss %.9g, not %.9g", title, got.loss, want.loss);
                if (!(fabs(got.evaluated - want.loss) <= 3e-6 * fabs(want.loss)))
                    fail_msg("%s: evaluated to %.9g, not %.9g", title, got.evaluated, want.loss);
                assert_relative(title, "output", got.output, want.output, (size_t)n * values_out(graph), 1e-5);
                assert_relative(title, "gradient", got.gradient, want.gradient, (size_t)graph->n_values, 2e-5);
                outcome_free(&got);
            }
        outcome_free(&want);
    }
}

static void test_splits(void **state) {
    const network_kind kind = *(const network_kind *)*state;
    for (size_t i = 0; i < COUNT(lasts); i++)
        for (st_loss_kind loss = ST_LOSS_MSE; loss <= ST_LOSS_LOGITS; loss++) {
            /* Cross-entropy wants outputs between 0 and 1. */
            if (loss == ST_LOSS_BINARY_CROSSENTROPY && lasts[i] != ST_SIGMOID && lasts[i] != ST_SOFTMAX) continue;
            if (loss == ST_LOSS_LOGITS && lasts[i] != ST_LINEAR) continue;
            if (kind != NETWORK_DENSE && lasts[i] == ST_SOFTMAX) continue; /* over one channel it is always 1 */
            st_graph *graph = new_network(kind, ST_LEAKY_RELU, lasts[i]);
            float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 31);
            compare(graph, loss, parameters, x);
            st_free(parameters);
            st_free(x);
            st_graph_free(graph);
        }
}

/* The mean loss as the reference evaluates it. */
static double loss_at(st_runner *runner, const float *parameters, const float *x) {
    assert_int_equal(st_runner_pack(runner, st_runner_parameters(runner), parameters, NULL), STRAIT_OK);
    return evaluate_on(runner, x, x, NULL, BATCH);
}

static void check_differences(const st_graph *graph, st_loss_kind loss) {
    float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 32);
    const st_runner_config plain = training_config(graph, &st_engine_reference, BATCH, 1, 3, loss);
    const st_runner_config fast = training_config(graph, &st_engine_cpu, BATCH, 2, 3, loss);
    outcome of[2] = {run(&plain, parameters, x, BATCH), run(&fast, parameters, x, BATCH)};
    st_runner *runner = new_runner(&plain, parameters);
    double most = 0;
    for (int64_t i = 0; i < graph->n_values; i++)
        most = fmax(most, fabs((double)of[0].gradient[i]));
    for (int p = 0; p < graph->n_parameters; p++)
        for (int k = 0; k < 3; k++) { /* three values of each parameter */
            const int64_t count = st_shape_count(&graph->parameter[p].shape);
            const int64_t i = graph->parameter[p].offset + k * (count - 1) / 2;
            const float at = parameters[i];
            double d[2];
            for (int j = 0; j < 2; j++) {
                const double h = 0x1p-6 * (j + 1);
                parameters[i] = (float)((double)at + h);
                const double above = loss_at(runner, parameters, x);
                parameters[i] = (float)((double)at - h);
                d[j] = (above - loss_at(runner, parameters, x)) / (2 * h);
            }
            parameters[i] = at;
            const double want = (4 * d[0] - d[1]) / 3;
            /* h^4 leaves some 1e-6 of the largest gradient; activations rounded to float, 2^-24 of a loss of size 1
               over h = 2^-6, 4e-6, less as the errors of many values cancel. */
            for (int e = 0; e < 2; e++)
                if (!(fabs((double)of[e].gradient[i] - want) <= 1e-4 * most + 2e-6))
                    fail_msg("%s, %s: gradient of %s[%lld] is %.9g, the difference says %.9g", st_loss_name(loss),
                             e ? "cpu" : "reference", graph->parameter[p].name,
                             (long long)(i - graph->parameter[p].offset), (double)of[e].gradient[i], want);
        }
    st_runner_free(runner);
    outcome_free(&of[0]);
    outcome_free(&of[1]);
    st_free(parameters);
    st_free(x);
}

/* Smooth activations all through; every loss but mae, which has kinks (its gradient is checked above). */
static void test_differences(void **state) {
    static const struct {
        st_activation_kind last;
        st_loss_kind loss;
    } ends[] = {{ST_LINEAR, ST_LOSS_MSE},
                {ST_SIGMOID, ST_LOSS_MSE},
                {ST_TANH, ST_LOSS_MSE},
                {ST_SIGMOID, ST_LOSS_BINARY_CROSSENTROPY},
                {ST_LINEAR, ST_LOSS_LOGITS},
                {ST_GELU, ST_LOSS_MSE},
                {ST_SOFTPLUS, ST_LOSS_MSE},
                {ST_SOFTMAX, ST_LOSS_MSE},
                {ST_SOFTMAX, ST_LOSS_BINARY_CROSSENTROPY}};
    const network_kind kind = *(const network_kind *)*state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (kind != NETWORK_DENSE && ends[i].last == ST_SOFTMAX) continue; /* one channel: always 1 */
        st_graph *graph = new_network(kind, ST_TANH, ends[i].last);
        check_differences(graph, ends[i].loss);
        st_graph_free(graph);
    }
}

/* A sigmoid far in saturation, where cross-entropy clips: the gradient y - t stays. */
static void test_saturated_sigmoid(void **state) {
    (void)state;
    static const st_engine *const engines[] = {&st_engine_cpu, &st_engine_reference};
    st_graph *graph = NULL;
    const st_shape shape = {.n_dims = 1, .dim = {2}};
    assert_int_equal(st_graph_new(&graph, &shape, NULL), STRAIT_OK);
    int t = 0;
    add_dense(&t, graph, 2, ST_SIGMOID, "decoder.0");
    graph->output = t;
    const float parameters[6] = {60, 0, 0, -60, 0, 0}, x[2] = {1, 1}, target[2] = {0, 1};
    for (size_t e = 0; e < COUNT(engines); e++) {
        const st_runner_config config = training_config(graph, engines[e], 1, 1, 0, ST_LOSS_BINARY_CROSSENTROPY);
        st_runner *runner = new_runner(&config, parameters);
        const double loss = train_on(runner, x, target, 1);
        float *gradient = summed_gradient(runner, graph);
        /* scale 1/2: db = ((1 - 0) / 2, (0 - 1) / 2); the losses -log of 2^-23 (1 - clip in float) and 1e-7 */
        assert_true(fabs((double)gradient[4] - 0.5) < 1e-6 && fabs((double)gradient[5] + 0.5) < 1e-6);
        assert_true(fabs(loss - (15.942385 + 16.118096) / 2) < 1e-4);
        st_free(gradient);
        st_runner_free(runner);
    }
    st_graph_free(graph);
}

/* ---- a network of every other op ---- */

static st_op_place place_of(const char *prefix) {
    return (st_op_place){.prefix = prefix};
}

/* Adds an op by the builder st_graph_NAME; what it takes comes before the place. */
#define ADD(name, dst, ...) assert_int_equal(st_graph_##name(dst, graph, __VA_ARGS__, NULL), STRAIT_OK)

/* 8x8x2 images; a residual block, a latent of 5 drawn from a normal distribution, and back. */
static st_graph *network_of_all(void) {
    static const int64_t two[2] = {2, 2}, one[2] = {1, 1}, none[2] = {0, 0}, three[2] = {3, 3};
    st_graph *graph = NULL;
    const st_shape in = {.n_dims = 3, .dim = {8, 8, 2}}, flat = {.n_dims = 1, .dim = {36}};
    const st_shape small = {.n_dims = 3, .dim = {4, 4, 3}};
    int t = 0, a, b;
    assert_int_equal(st_graph_new(&graph, &in, NULL), STRAIT_OK);
    ADD(zero_pad2d, &t, 0, one, none, place_of("pad"));
    add_conv(&t, graph, false, 4, 3, 1, ST_LINEAR, "encoder.0");
    ADD(batch_norm, &t, t, 0.9, 1e-3, place_of("encoder.1"));
    ADD(activation, &t, t, true, act(ST_GELU), place_of("encoder.2"));
    ADD(pool2d, &t, t, true, two, two, ST_SAME, place_of("encoder.3"));
    ADD(dropout, &t, t, 0.25, place_of("encoder.4"));
    a = t;
    add_conv(&a, graph, false, 4, 3, 1, ST_SELU, "encoder.5");
    ADD(add, &t, t, a, place_of("encoder.6"));
    ADD(pool2d, &t, t, false, three, two, ST_SAME, place_of("encoder.7"));
    add_reshape(&t, graph, flat);
    a = b = t;
    add_dense(&a, graph, 5, ST_LINEAR, "encoder.mean");
    add_dense(&b, graph, 5, ST_LINEAR, "encoder.log_variance");
    ADD(sample, &t, a, b, 0.5, true, place_of("encoder.sample"));
    ADD(penalty, &t, t, 0.01, 0.02, place_of("encoder.penalty"));
    graph->latent = t;
    graph->n_encoder_ops = graph->n_ops;
    ADD(gaussian_noise, &t, t, 0.1, place_of("decoder.0"));
    add_dense(&t, graph, 48, ST_SOFTPLUS, "decoder.1");
    ADD(layer_norm, &t, t, 1e-3, place_of("decoder.2"));
    add_reshape(&t, graph, small);
    ADD(upsample2d, &t, t, three, true, place_of("decoder.3"));
    ADD(crop2d, &t, t, two, two, place_of("decoder.4"));
    ADD(slice, &a, t, 0, 1, place_of("decoder.5"));
    ADD(slice, &b, t, 1, 3, place_of("decoder.6"));
    ADD(concat, &t, b, a, place_of("decoder.7"));
    add_conv(&t, graph, false, 2, 3, 1, ST_SIGMOID, "decoder.8");
    graph->output = t;
    return graph;
}

/* What a step made of the network: its cost, gradients, and all parameters with the moving statistics. */
typedef struct step_outcome {
    st_cost train, evaluated;
    float *gradient, *parameters, *output;
} step_outcome;

static step_outcome step_on(const st_graph *graph, const st_engine *engine, int threads, const float *parameters,
                            const float *x, int64_t n) {
    st_runner_config config = training_config(graph, engine, BATCH, threads, 0, ST_LOSS_MSE);
    config.loss = (st_loss){.n = 2,
                            .term = {{.kind = ST_LOSS_BINARY_CROSSENTROPY, .weight = 2},
                                     {.kind = ST_LOSS_HUBER, .weight = 0.5f, .delta = 0.25f}}};
    config.seed = 5;
    static const uint32_t samples[BATCH] = {12, 3, 40, 7, 0, 99, 21};
    step_outcome out = {.gradient = NULL};
    st_runner *runner = new_runner(&config, parameters);
    out.output = new_floats((size_t)BATCH * values_out(graph));
    const st_feed feed = {
        .input = x, .target = x, .output = out.output, .n = n, .epoch = 2, .sample = samples, .beta_scale = 0.5};
    st_feed before = feed; /* a full batch first, so that padding is not zeros */
    before.n = BATCH;
    assert_int_equal(st_runner_train(&out.train, runner, &before, NULL), STRAIT_OK);
    assert_int_equal(st_runner_train(&out.train, runner, &feed, NULL), STRAIT_OK);
    out.gradient = summed_gradient(runner, graph);
    assert_int_equal(st_runner_evaluate(&out.evaluated, runner, &feed, NULL), STRAIT_OK);
    out.parameters = new_floats((size_t)graph->n_values);
    assert_int_equal(st_runner_unpack(runner, out.parameters, st_runner_parameters(runner), NULL), STRAIT_OK);
    st_runner_free(runner);
    return out;
}

static void step_outcome_free(step_outcome *out) {
    st_free(out->gradient);
    st_free(out->parameters);
    st_free(out->output);
}

/* Noise, masks and latents belong to the samples, statistics to the whole batch: whichever way it is split, engine cpu
   comes to what the reference makes of it in one piece. */
static void test_all_ops_split(void **state) {
    (void)state;
    st_graph *graph = network_of_all();
    float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 33);
    for (int p = 0; p < graph->n_parameters; p++) /* variances are above zero */
        if (strstr(graph->parameter[p].name, "moving_variance"))
            for (int64_t i = 0; i < st_shape_count(&graph->parameter[p].shape); i++)
                parameters[graph->parameter[p].offset + i] = 1.0f;
    for (int64_t n = BATCH; n >= 3; n -= 2) {
        step_outcome want = step_on(graph, &st_engine_reference, 1, parameters, x, n);
        assert_true(want.train.kl > 0 && want.evaluated.kl > 0);
        for (int threads = 1; threads <= 4; threads++) {
            char title[64];
            snprintf(title, sizeof title, "%d samples, %d threads", (int)n, threads);
            step_outcome got = step_on(graph, &st_engine_cpu, threads, parameters, x, n);
            const double pairs[][2] = {{got.train.loss, want.train.loss},
                                       {got.train.kl, want.train.kl},
                                       {got.evaluated.loss, want.evaluated.loss},
                                       {got.evaluated.kl, want.evaluated.kl}};
            for (size_t i = 0; i < COUNT(pairs); i++)
                if (!(fabs(pairs[i][0] - pairs[i][1]) <= 5e-6 * fabs(pairs[i][1])))
                    fail_msg("%s: cost %zu is %.9g, not %.9g", title, i, pairs[i][0], pairs[i][1]);
            assert_relative(title, "gradient", got.gradient, want.gradient, (size_t)graph->n_values, 2e-5);
            assert_relative(title, "parameters", got.parameters, want.parameters, (size_t)graph->n_values, 1e-6);
            assert_relative(title, "output", got.output, want.output, (size_t)n * values_out(graph), 1e-5);
            step_outcome_free(&got);
        }
        step_outcome_free(&want);
    }
    st_free(parameters);
    st_free(x);
    st_graph_free(graph);
}

int main(void) {
    static network_kind dense = NETWORK_DENSE, conv = NETWORK_CONV, mixed = NETWORK_MIXED;
    const struct CMUnitTest tests[] = {
        {"test_splits (dense)", test_splits, NULL, NULL, &dense},
        {"test_splits (conv)", test_splits, NULL, NULL, &conv},
        {"test_splits (mixed)", test_splits, NULL, NULL, &mixed},
        {"test_differences (dense)", test_differences, NULL, NULL, &dense},
        {"test_differences (conv)", test_differences, NULL, NULL, &conv},
        {"test_differences (mixed)", test_differences, NULL, NULL, &mixed},
        cmocka_unit_test(test_saturated_sigmoid),
        cmocka_unit_test(test_all_ops_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
