/* The runner: batches of every size, ranges, repeatability, memory. */
#include "graph/networks.h"

#define BATCH 6

static const st_engine *const engines[] = {&st_engine_cpu, &st_engine_reference};

static void test_split(void **state) {
    (void)state;
    static const struct {
        int64_t batch;
        int threads;
        int64_t asked;
        int replicas;
        int64_t micro_batch;
    } cases[] = {
        {6, 1, 0, 1, 6}, {6, 3, 0, 3, 2}, {6, 4, 0, 3, 2} /* 2 2 2: the fourth has nothing */,
        {2, 8, 0, 2, 1}, {7, 2, 3, 2, 3}, {7, 2, 9, 2, 4},
    };
    st_graph *graph = new_network(NETWORK_DENSE, ST_RELU, ST_SIGMOID);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const st_runner_config config =
            training_config(graph, &st_engine_cpu, cases[i].batch, cases[i].threads, cases[i].asked, ST_LOSS_MSE);
        st_runner *runner = new_runner(&config, NULL);
        assert_int_equal(st_runner_replicas(runner), cases[i].replicas);
        assert_int_equal(st_runner_micro_batch(runner), cases[i].micro_batch);
        assert_int_equal(st_pool_size(st_runner_pool(runner)), cases[i].replicas);
        st_runner_free(runner);
    }
    st_graph_free(graph);
}

/* Outputs of n samples do not depend on how many come with them, nor on who computes them. */
static void test_every_batch_size(void **state) {
    (void)state;
    for (network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
        st_graph *graph = new_network(kind, ST_RELU, ST_SIGMOID);
        const size_t n_in = values_in(graph), n_out = values_out(graph);
        float *parameters = new_parameters(graph), *x = new_data(BATCH * n_in, 41);
        float *all = new_floats(BATCH * n_out), *some = new_floats(BATCH * n_out);
        st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 4, 0, ST_LOSS_MSE);
        config.training = false;
        st_runner *runner = new_runner(&config, parameters);
        assert_int_equal(st_runner_forward(runner, x, all, BATCH, NULL), STRAIT_OK);
        for (int64_t n = 0; n <= BATCH; n++) {
            fill_nan(some, BATCH * n_out);
            assert_int_equal(st_runner_forward(runner, x, some, n, NULL), STRAIT_OK);
            assert_memory_equal(some, all, (size_t)n * n_out * sizeof *some);
            for (size_t i = (size_t)n * n_out; i < BATCH * n_out; i++)
                assert_true(isnan(some[i])); /* nothing is written past them */
        }
        st_runner_free(runner);
        float *const block[] = {parameters, x, all, some};
        for (size_t i = 0; i < COUNT(block); i++)
            st_free(block[i]);
        st_graph_free(graph);
    }
}

/* A batch of fewer samples than replicas: those without one hold zeros, though they had some before. */
static void test_idle_replicas(void **state) {
    (void)state;
    st_graph *graph = new_network(NETWORK_DENSE, ST_TANH, ST_SIGMOID);
    float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 42);
    const st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 3, 1, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    train_on(runner, x, x, BATCH);
    train_on(runner, x, x, 1);
    for (int r = 0; r < 3; r++) {
        double sum = 0;
        for (size_t i = 0; i < st_runner_block_size(runner); i++)
            sum += fabs((double)st_runner_gradient(runner, r)[i]);
        assert_int_equal(sum > 0, r == 0);
    }
    st_runner_free(runner);
    st_free(parameters);
    st_free(x);
    st_graph_free(graph);
}

/* decode(encode(x)) over two runners is what one runner gives; the halves know nothing of each other. */
static void test_ranges(void **state) {
    (void)state;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
            st_graph *graph = new_network(kind, ST_RELU, ST_SIGMOID);
            const size_t n_latent = (size_t)st_shape_count(&graph->tensor[graph->latent].shape);
            float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 43);
            float *z = new_floats(BATCH * n_latent), *y = new_floats(BATCH * values_out(graph));
            float *whole = new_floats(BATCH * values_out(graph));
            st_runner_config config = {
                .graph = graph, .engine = engines[e], .n_ops = graph->n_ops, .batch_size = BATCH, .threads = 2};
            st_runner *runner = new_runner(&config, parameters);
            assert_int_equal(st_runner_forward(runner, x, whole, BATCH, NULL), STRAIT_OK);
            st_runner_free(runner);
            config.n_ops = graph->n_encoder_ops;
            runner = new_runner(&config, parameters);
            assert_int_equal(st_runner_forward(runner, x, z, BATCH, NULL), STRAIT_OK);
            st_runner_free(runner);
            config.first_op = graph->n_encoder_ops;
            config.n_ops = graph->n_ops - graph->n_encoder_ops;
            runner = new_runner(&config, parameters);
            assert_int_equal(st_runner_forward(runner, z, y, BATCH, NULL), STRAIT_OK);
            st_runner_free(runner);
            assert_memory_equal(y, whole, BATCH * values_out(graph) * sizeof *y);
            float *const block[] = {parameters, x, z, y, whole};
            for (size_t i = 0; i < COUNT(block); i++)
                st_free(block[i]);
            st_graph_free(graph);
        }
}

/* A range of reshapes alone, at the start, in the middle: what comes in goes out; training has a loss and no more. */
static void test_only_reshapes(void **state) {
    (void)state;
    st_graph *graph = NULL;
    const st_shape image = {.n_dims = 3, .dim = {2, 3, 1}}, flat = {.n_dims = 1, .dim = {6}};
    assert_int_equal(st_graph_new(&graph, &image, NULL), STRAIT_OK);
    int t = 0;
    add_reshape(&t, graph, flat);
    add_dense(&t, graph, 6, ST_RELU, "p");
    add_reshape(&t, graph, image);
    add_reshape(&t, graph, flat);
    graph->output = t;
    const int first[] = {0, 2}, n_ops[] = {1, 2};
    float x[BATCH * 6], target[BATCH * 6], y[BATCH * 6];
    fill(x, BATCH * 6, 44);
    fill(target, BATCH * 6, 45);
    double want = 0;
    for (int i = 0; i < BATCH * 6; i++)
        want += ((double)x[i] - (double)target[i]) * ((double)x[i] - (double)target[i]) / (BATCH * 6);
    for (int i = 0; i < 2; i++)
        for (int training = 0; training <= 1; training++) {
            st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 2, 2, ST_LOSS_MSE);
            config.first_op = first[i];
            config.n_ops = n_ops[i];
            config.training = training;
            config.with_loss = true;
            st_runner *runner = new_runner(&config, NULL);
            assert_int_equal(st_runner_forward(runner, x, y, BATCH, NULL), STRAIT_OK);
            assert_memory_equal(x, y, sizeof x);
            double loss = 0;
            loss = evaluate_on(runner, x, target, NULL, BATCH);
            assert_true(fabs(loss - want) < 1e-6);
            if (training) loss = train_on(runner, x, target, BATCH);
            assert_true(fabs(loss - want) < 1e-6);
            st_runner_free(runner);
        }
    st_graph_free(graph);
}

/* Without a loss asked for or an output wanted; the target another array, or the input itself. */
static void test_evaluate(void **state) {
    (void)state;
    st_graph *graph = new_network(NETWORK_CONV, ST_RELU, ST_SIGMOID);
    const size_t n = BATCH * values_in(graph);
    float *parameters = new_parameters(graph), *x = new_data(n, 46), *same = new_floats(n), *y = new_floats(n);
    memcpy(same, x, n * sizeof *x);
    st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 2, 2, ST_LOSS_MSE);
    config.training = false;
    config.with_loss = true;
    st_runner *runner = new_runner(&config, parameters);
    double loss[3];
    loss[0] = evaluate_on(runner, x, x, NULL, BATCH);
    loss[1] = evaluate_on(runner, x, same, y, BATCH);
    double want = 0;
    for (size_t i = 0; i < n; i++)
        want += ((double)y[i] - (double)x[i]) * ((double)y[i] - (double)x[i]) / (double)n;
    assert_true(loss[0] == loss[1]);
    assert_true(fabs(loss[0] - want) <= 1e-6 * want);
    st_runner_free(runner);
    float *const block[] = {parameters, x, same, y};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
    st_graph_free(graph);
}

/* Twelve steps of Adam from the same start; the parameters after, canonical. */
static float *train(const st_runner_config *config, const float *parameters, const float *x) {
    st_runner *runner = new_runner(config, parameters);
    const size_t n = st_runner_block_size(runner);
    float *m = new_floats(n), *v = new_floats(n), *gradient[8], *out = new_floats((size_t)config->graph->n_values);
    assert_true(st_runner_replicas(runner) <= 8);
    for (int r = 0; r < st_runner_gradients(runner); r++)
        gradient[r] = st_runner_gradient(runner, r);
    for (int step = 1; step <= 12; step++) {
        train_on(runner, x, x, step % 4 ? BATCH : BATCH - 1);
        st_update u = {.kind = ST_OPTIMIZER_ADAM,
                       .n_gradients = st_runner_gradients(runner),
                       .gradient = gradient,
                       .value = st_runner_parameters(runner),
                       .m = m,
                       .v = v,
                       .learning_rate = (float)(0.01 * sqrt(1 - pow(0.999, step)) / (1 - pow(0.9, step))),
                       .beta_1 = 0.9f,
                       .beta_2 = 0.999f,
                       .epsilon = 1e-7f,
                       .gradient_scale = 1,
                       .clip_value = INFINITY};
        config->engine->plan_update(&u);
        u.run(&u, 0, n);
    }
    assert_int_equal(st_runner_unpack(runner, out, st_runner_parameters(runner), NULL), STRAIT_OK);
    st_free(m);
    st_free(v);
    st_runner_free(runner);
    return out;
}

/* The same split twice: the same bits. Another split: the same to float accuracy. */
static void test_same_bits(void **state) {
    (void)state;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
            st_graph *graph = new_network(kind, ST_TANH, ST_SIGMOID);
            float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 47);
            const size_t n = (size_t)graph->n_values;
            float *first = NULL;
            for (int threads = 1; threads <= 3; threads++) {
                const st_runner_config config =
                    training_config(graph, engines[e], BATCH, threads, 0, ST_LOSS_BINARY_CROSSENTROPY);
                float *once = train(&config, parameters, x), *again = train(&config, parameters, x);
                assert_memory_equal(once, again, n * sizeof *once);
                assert_memory_not_equal(once, parameters, n * sizeof *once);
                /* Adam divides by the gradient's own size, so that where it is nearly nothing its rounding counts. */
                if (first) assert_relative(engines[e]->name, "trained parameters", once, first, n, 2e-3);
                st_free(again);
                if (first)
                    st_free(once);
                else
                    first = once;
            }
            st_free(first);
            st_free(parameters);
            st_free(x);
            st_graph_free(graph);
        }
}

static void test_pack_and_unpack(void **state) {
    (void)state;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
            st_graph *graph = new_network(kind, ST_RELU, ST_SIGMOID);
            float *parameters = new_parameters(graph), *back = new_floats((size_t)graph->n_values);
            fill_nan(back, (size_t)graph->n_values);
            const st_runner_config config = training_config(graph, engines[e], BATCH, 1, 0, ST_LOSS_MSE);
            st_runner *runner = new_runner(&config, parameters);
            assert_int_equal(st_runner_unpack(runner, back, st_runner_parameters(runner), NULL), STRAIT_OK);
            assert_memory_equal(back, parameters, (size_t)graph->n_values * sizeof *back);
            st_runner_free(runner);
            st_free(parameters);
            st_free(back);
            st_graph_free(graph);
        }
}

/* ---- memory ---- */

static void test_steps_allocate_nothing(void **state) {
    (void)state;
    for (network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
        st_graph *graph = new_network(kind, ST_RELU, ST_SIGMOID);
        float *parameters = new_parameters(graph), *x = new_data(BATCH * values_in(graph), 48);
        const st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 2, 2, ST_LOSS_MSE);
        st_runner *runner = new_runner(&config, parameters);
        const uint64_t before = st_alloc_count();
        for (int64_t n = 1; n <= BATCH; n++) {
            train_on(runner, x, x, n);
            evaluate_on(runner, x, x, NULL, n);
        }
        assert_true(st_alloc_count() == before);
        st_runner_free(runner);
        st_free(parameters);
        st_free(x);
        st_graph_free(graph);
    }
}

static void test_failing_allocations(void **state) {
    (void)state;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
            st_graph *graph = new_network(kind, ST_RELU, ST_SIGMOID);
            const st_runner_config config = training_config(graph, engines[e], BATCH, 2, 2, ST_LOSS_MSE);
            fail_each_allocation(&config);
            st_graph_free(graph);
        }
}

static void test_describe(void **state) {
    (void)state;
    st_graph *graph = new_network(NETWORK_MIXED, ST_RELU, ST_SIGMOID);
    for (size_t e = 0; e < COUNT(engines); e++) {
        const st_runner_config config = training_config(graph, engines[e], BATCH, 2, 2, ST_LOSS_MSE);
        st_runner *runner = new_runner(&config, NULL);
        st_text text = {0};
        st_runner_describe(runner, &text);
        assert_non_null(strstr(text.bytes, engines[e]->name));
        assert_non_null(strstr(text.bytes, "conv2d"));
        assert_non_null(strstr(text.bytes, "8×8×1"));
        assert_non_null(strstr(text.bytes, "mse"));
        assert_true(st_runner_memory(runner) > graph->n_values * 4 * 3);
        st_text_free(&text);
        st_runner_free(runner);
    }
    st_runner_free(NULL);
    st_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_every_batch_size),
        cmocka_unit_test(test_idle_replicas),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_only_reshapes),
        cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_pack_and_unpack),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
