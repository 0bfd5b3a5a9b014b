/* Every op in one network: both engines agree, over every number of replicas; the gradient is the slope of the cost
   along a direction; the same bits again; a step allocates nothing. */
#include "graph/networks.h"

#define BATCH 6

static int at; /* the tensor the next op reads */

#define ADD_OP(call)                                                                                                   \
    do {                                                                                                               \
        strait_error err = {0};                                                                                        \
        if ((call) != STRAIT_OK) fail_msg("%s", err.message);                                                          \
    } while (0)

/* 8x8x2, noise, convolution, norm, a residual, pools, two branches over slices, a Gaussian latent of 5. */
static void add_encoder(st_graph *graph) {
    const st_op_place p = {.prefix = "encoder"};
    const int64_t two[2] = {2, 2}, three[2] = {3, 3}, one[2] = {1, 1}, zero[2] = {0, 0};
    const st_shape flat = {.n_dims = 1, .dim = {36}};
    int a, b, log_variance;
    ADD_OP(st_graph_gaussian_noise(&at, graph, at, 0.1, p, &err));
    ADD_OP(st_graph_conv2d(&at, graph, at, false, 4, three, one, ST_SAME, true, act(ST_LINEAR), p, &err));
    ADD_OP(st_graph_batch_norm(&at, graph, at, 0.9, 1e-3, p, &err));
    ADD_OP(st_graph_activation(&at, graph, at, true, act(ST_TANH), p, &err));
    ADD_OP(st_graph_conv2d(&a, graph, at, false, 4, three, one, ST_SAME, true, act(ST_SWISH), p, &err));
    ADD_OP(st_graph_add(&at, graph, at, a, p, &err));
    ADD_OP(st_graph_pool2d(&at, graph, at, true, three, two, ST_SAME, p, &err));
    ADD_OP(st_graph_dropout(&at, graph, at, 0.25, p, &err));
    ADD_OP(st_graph_slice(&a, graph, at, 0, 1, p, &err));
    ADD_OP(st_graph_slice(&b, graph, at, 1, 4, p, &err));
    ADD_OP(st_graph_batch_norm(&b, graph, b, 0.9, 1e-3, p, &err));
    ADD_OP(st_graph_concat(&at, graph, b, a, p, &err));
    ADD_OP(st_graph_zero_pad2d(&at, graph, at, one, zero, p, &err));
    ADD_OP(st_graph_crop2d(&at, graph, at, zero, one, p, &err));
    ADD_OP(st_graph_pool2d(&at, graph, at, false, two, one, ST_VALID, p, &err)); /* 3x3x4 */
    ADD_OP(st_graph_reshape(&at, graph, at, &flat, p, &err));
    ADD_OP(st_graph_dense(&a, graph, at, 5, true, act(ST_LINEAR), p, &err));
    ADD_OP(st_graph_dense(&log_variance, graph, at, 5, true, act(ST_LINEAR), p, &err));
    ADD_OP(st_graph_sample(&at, graph, a, log_variance, 0.5, false, p, &err));
    ADD_OP(st_graph_penalty(&at, graph, at, 0, 0.01, p, &err));
    graph->latent = at;
    graph->n_encoder_ops = graph->n_ops;
}

static st_graph *every_op(void) {
    const st_op_place p = {.prefix = "decoder", .part = 1};
    const int64_t two[2] = {2, 2}, three[2] = {3, 3}, one[2] = {1, 1};
    const st_shape input = {.n_dims = 3, .dim = {8, 8, 2}}, small = {.n_dims = 3, .dim = {2, 2, 3}};
    st_graph *graph = NULL;
    assert_int_equal(st_graph_new(&graph, &input, NULL), STRAIT_OK);
    at = 0;
    add_encoder(graph);
    ADD_OP(st_graph_dense(&at, graph, at, 12, true, act(ST_LINEAR), p, &err));
    ADD_OP(st_graph_layer_norm(&at, graph, at, 1e-3, p, &err));
    ADD_OP(st_graph_activation(&at, graph, at, true, act(ST_GELU), p, &err));
    ADD_OP(st_graph_reshape(&at, graph, at, &small, p, &err));
    ADD_OP(st_graph_upsample2d(&at, graph, at, two, true, p, &err));
    ADD_OP(st_graph_conv2d(&at, graph, at, true, 4, three, one, ST_SAME, true, act(ST_ELU), p, &err));
    ADD_OP(st_graph_upsample2d(&at, graph, at, two, false, p, &err));
    ADD_OP(st_graph_conv2d(&at, graph, at, false, 2, three, one, ST_SAME, true, act(ST_SIGMOID), p, &err));
    graph->output = at;
    bool there[ST_OP_COUNT] = {[ST_OP_LOSS] = true};
    for (int i = 0; i < graph->n_ops; i++)
        there[graph->op[i].kind] = true;
    for (st_op_kind kind = 0; kind < ST_OP_COUNT; kind++)
        if (!there[kind]) fail_msg("no %s in the network", st_op_name(kind));
    return graph;
}

/* Small weights; variances and gammas about 1. */
static float *start_values(const st_graph *graph) {
    float *values = new_filled((size_t)graph->n_values, 31);
    for (int i = 0; i < graph->n_parameters; i++) {
        const st_parameter *parameter = &graph->parameter[i];
        for (int64_t j = 0; j < st_shape_count(&parameter->shape); j++) {
            float *value = &values[parameter->offset + j];
            *value = *value * 0.4f + (parameter->start.kind == ST_ONES ? 1.0f : 0.0f);
        }
    }
    return values;
}

static st_cost step(st_runner *runner, const float *x, int64_t n) {
    static const uint32_t sample[BATCH] = {5, 0, 17, 3, 90, 4};
    const st_feed feed = {.input = x, .target = x, .n = n, .epoch = 2, .sample = sample, .beta_scale = 0.5};
    st_cost cost;
    strait_error err = {0};
    if (st_runner_train(&cost, runner, &feed, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return cost;
}

static const st_engine *const engines[] = {&st_engine_reference, &st_engine_cpu};

static st_runner_config config_of(const st_graph *graph, const st_engine *engine, int threads) {
    st_runner_config config = training_config(graph, engine, BATCH, threads, 0, ST_LOSS_MSE);
    config.loss.term[0].weight = 10;
    config.seed = 8;
    return config;
}

/* Both engines, each with 1 to 4 replicas, on whole and short batches. */
static void test_engines_and_splits_agree(void **state) {
    (void)state;
    st_graph *graph = every_op();
    float *values = start_values(graph), *x = new_data(BATCH * values_in(graph), 32);
    for (int64_t n = 1; n <= BATCH; n += n == 1 ? 2 : 3) {
        float *want = NULL;
        st_cost first = {0};
        for (size_t e = 0; e < COUNT(engines); e++)
            for (int threads = 1; threads <= 4; threads++) {
                const st_runner_config config = config_of(graph, engines[e], threads);
                st_runner *runner = new_runner(&config, values);
                step(runner, x, BATCH); /* what is left of it must not matter */
                assert_int_equal(st_runner_pack(runner, st_runner_parameters(runner), values, NULL), STRAIT_OK);
                const st_cost cost = step(runner, x, n);
                float *gradient = summed_gradient(runner, graph);
                if (!want) {
                    want = gradient;
                    first = cost;
                } else {
                    assert_true(fabs(cost.loss - first.loss) < 1e-5 * first.loss);
                    assert_true(fabs(cost.kl - first.kl) < 1e-5 * first.kl);
                    assert_relative(engines[e]->name, "gradient", gradient, want, (size_t)graph->n_values, 1e-4);
                    st_free(gradient);
                }
                st_runner_free(runner);
            }
        st_free(want);
    }
    st_free(values);
    st_free(x);
    st_graph_free(graph);
}

/* Cost at values + h direction. */
static double cost_at(const st_graph *graph, st_runner *runner, const float *values, const float *direction, double h,
                      const float *x) {
    float *moved = new_floats((size_t)graph->n_values);
    for (int64_t i = 0; i < graph->n_values; i++)
        moved[i] = (float)((double)values[i] + h * (double)direction[i]);
    assert_int_equal(st_runner_pack(runner, st_runner_parameters(runner), moved, NULL), STRAIT_OK);
    st_free(moved);
    return step(runner, x, BATCH).loss;
}

/* The slope of the cost along the gradient is the gradient's square: KL divergence, penalty and the statistics of
   batches spread over replicas included. */
static void test_slope(void **state) {
    (void)state;
    st_graph *graph = every_op();
    float *values = start_values(graph), *x = new_data(BATCH * values_in(graph), 32);
    for (size_t e = 0; e < COUNT(engines); e++) {
        const st_runner_config config = config_of(graph, engines[e], 2);
        st_runner *runner = new_runner(&config, values);
        step(runner, x, BATCH);
        float *gradient = summed_gradient(runner, graph);
        double square = 0;
        for (int64_t i = 0; i < graph->n_values; i++)
            square += (double)gradient[i] * (double)gradient[i];
        const double h = 2e-3 / sqrt(square); /* a step of length 0.002 */
        const double slope =
            (cost_at(graph, runner, values, gradient, h, x) - cost_at(graph, runner, values, gradient, -h, x)) /
            (2 * h);
        if (fabs(slope - square) > 2e-3 * square)
            fail_msg("%s: the slope is %.9g, the gradient's square %.9g", engines[e]->name, slope, square);
        st_free(gradient);
        st_runner_free(runner);
    }
    st_free(values);
    st_free(x);
    st_graph_free(graph);
}

/* Steps and their states: the same bits each time. Another epoch: other noise. */
static void test_same_bits(void **state) {
    (void)state;
    st_graph *graph = every_op();
    const size_t n = (size_t)graph->n_values;
    float *values = start_values(graph), *x = new_data(BATCH * values_in(graph), 32);
    for (size_t e = 0; e < COUNT(engines); e++) {
        const st_runner_config config = config_of(graph, engines[e], 3);
        float *gradient[2], *after = new_floats(2 * n);
        for (int i = 0; i < 2; i++) {
            st_runner *runner = new_runner(&config, values);
            for (int j = 0; j < 3; j++)
                step(runner, x, BATCH - j);
            const uint64_t before = st_alloc_count();
            const st_cost cost = step(runner, x, BATCH);
            assert_true(cost.kl > 0 && cost.loss > 0);
            assert_true(st_alloc_count() == before);
            gradient[i] = summed_gradient(runner, graph);
            assert_int_equal(st_runner_unpack(runner, after + (size_t)i * n, st_runner_parameters(runner), NULL), 0);
            const st_feed feed = {.input = x, .target = x, .n = BATCH, .epoch = 3, .beta_scale = 0.5};
            st_cost other;
            assert_int_equal(st_runner_train(&other, runner, &feed, NULL), STRAIT_OK);
            assert_true(other.loss != cost.loss);
            st_runner_free(runner);
        }
        assert_memory_equal(gradient[0], gradient[1], n * sizeof **gradient);
        assert_memory_equal(after, after + n, n * sizeof *after);
        assert_memory_not_equal(after, values, n * sizeof *after); /* the moving statistics moved */
        st_free(gradient[0]);
        st_free(gradient[1]);
        st_free(after);
    }
    st_free(values);
    st_free(x);
    st_graph_free(graph);
}

/* Applied: decode(encode(x)) is the whole, whatever the split; nothing is drawn. */
static void test_apply(void **state) {
    (void)state;
    st_graph *graph = every_op();
    const size_t n_out = values_out(graph);
    float *values = start_values(graph), *x = new_data(BATCH * values_in(graph), 32), z[5 * BATCH];
    for (size_t e = 0; e < COUNT(engines); e++) {
        float *whole = new_floats(BATCH * n_out), *y = new_floats(BATCH * n_out);
        const st_runner_config training = config_of(graph, engines[e], 2);
        st_runner *runner = new_runner(&training, values); /* the same kernels as in training, to apply */
        assert_int_equal(st_runner_forward(runner, x, whole, BATCH, NULL), STRAIT_OK);
        st_runner_free(runner);
        st_runner_config half = {.graph = graph, .engine = engines[e], .batch_size = BATCH, .threads = 3, .seed = 1};
        half.n_ops = graph->n_encoder_ops;
        runner = new_runner(&half, values);
        assert_int_equal(st_runner_forward(runner, x, z, BATCH, NULL), STRAIT_OK);
        st_runner_free(runner);
        half.first_op = graph->n_encoder_ops;
        half.n_ops = graph->n_ops - graph->n_encoder_ops;
        half.micro_batch = 1;
        runner = new_runner(&half, values);
        assert_int_equal(st_runner_forward(runner, z, y, BATCH, NULL), STRAIT_OK);
        st_runner_free(runner);
        assert_close(engines[e]->name, "outputs", y, whole, BATCH * n_out, 1e-6);
        st_free(whole);
        st_free(y);
    }
    st_free(values);
    st_free(x);
    st_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engines_and_splits_agree),
        cmocka_unit_test(test_slope),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_apply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
