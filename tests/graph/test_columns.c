/* Replicas that split the weights: every number of them gives the bits of one, in each kind of op that may stand beside
   dense layers; what must not be split so is not. */
#include "graph/networks.h"

#define BATCH 6

#define ADD_OP(call)                                                                                                   \
    do {                                                                                                               \
        strait_error err = {0};                                                                                        \
        if ((call) != STRAIT_OK) fail_msg("%s", err.message);                                                          \
    } while (0)

static const st_op_place place = {.prefix = "p"};

static st_graph *new_graph(int *t, int64_t n) {
    st_graph *graph = NULL;
    *t = 0;
    ADD_OP(st_graph_new(&graph, &(st_shape){.n_dims = 1, .dim = {n}}, &err));
    return graph;
}

/* 20 values: noise, dense layers of 1 to 50 units with and without bias, a residual, dropout, a Gaussian latent of 3
   whose two halves read the same values, a penalty, an activation apart, a dense layer over the last of two axes. */
static st_graph *rich_network(void) {
    const st_shape image = {.n_dims = 2, .dim = {5, 10}}, flat = {.n_dims = 1, .dim = {50}};
    int t, a, b;
    st_graph *graph = new_graph(&t, 20);
    ADD_OP(st_graph_gaussian_noise(&t, graph, t, 0.1, place, &err));
    ADD_OP(st_graph_dense(&t, graph, t, 50, true, act(ST_TANH), place, &err));
    ADD_OP(st_graph_dense(&a, graph, t, 50, false, act(ST_SWISH), place, &err));
    ADD_OP(st_graph_add(&t, graph, t, a, place, &err));
    ADD_OP(st_graph_dropout(&t, graph, t, 0.25, place, &err));
    ADD_OP(st_graph_dense(&a, graph, t, 3, true, act(ST_LINEAR), place, &err));
    ADD_OP(st_graph_dense(&b, graph, t, 3, true, act(ST_LINEAR), place, &err));
    ADD_OP(st_graph_sample(&t, graph, a, b, 0.5, false, place, &err));
    ADD_OP(st_graph_penalty(&t, graph, t, 0, 0.01, place, &err));
    graph->latent = t;
    graph->n_encoder_ops = graph->n_ops;
    ADD_OP(st_graph_dense(&t, graph, t, 1, true, act(ST_LINEAR), place, &err));
    ADD_OP(st_graph_dense(&t, graph, t, 50, true, act(ST_LINEAR), place, &err));
    ADD_OP(st_graph_activation(&t, graph, t, true, act(ST_RELU), place, &err));
    ADD_OP(st_graph_reshape(&t, graph, t, &image, place, &err));
    ADD_OP(st_graph_dense(&t, graph, t, 10, true, act(ST_ELU), place, &err));
    ADD_OP(st_graph_reshape(&t, graph, t, &flat, place, &err));
    ADD_OP(st_graph_dense(&t, graph, t, 20, true, act(ST_SIGMOID), place, &err));
    graph->output = t;
    return graph;
}

/* What a step leaves: cost, canonical gradient, and the outputs of an evaluation after it. */
typedef struct outcome {
    st_cost cost;
    float *gradient;
    float output[BATCH * 20];
} outcome;

static outcome run(st_runner *runner, const st_graph *graph, const float *x, int64_t n) {
    static const uint32_t sample[BATCH] = {5, 0, 17, 3, 90, 4};
    st_feed feed = {.input = x, .target = x, .n = n, .epoch = 2, .sample = sample, .beta_scale = 0.5};
    outcome out = {0};
    ADD_OP(st_runner_train(&out.cost, runner, &feed, &err));
    out.gradient = summed_gradient(runner, graph);
    feed.output = out.output;
    ADD_OP(st_runner_evaluate(NULL, runner, &feed, &err));
    return out;
}

static void test_same_bits_with_any_number(void **state) {
    (void)state;
    st_graph *graph = rich_network();
    float *parameters = new_parameters(graph), *x = new_data(BATCH * 20, 61);
    const st_runner_config alone = training_config(graph, &st_engine_cpu, BATCH, 1, 0, ST_LOSS_MSE);
    for (int threads = 2; threads <= BATCH; threads++) {
        const st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, threads, 0, ST_LOSS_MSE);
        st_runner *one = new_runner(&alone, parameters), *many = new_runner(&config, parameters);
        assert_true(st_runner_by_columns(many) && !st_runner_by_columns(one));
        assert_int_equal(st_runner_gradients(many), 1);
        for (int64_t n = BATCH; n >= 1; n--) { /* fewer samples than replicas, and rows left over from before */
            outcome want = run(one, graph, x, n), got = run(many, graph, x, n);
            for (int64_t i = 0; i < graph->n_values; i++)
                if (memcmp(&got.gradient[i], &want.gradient[i], sizeof *x) != 0)
                    fail_msg("%d threads, %d samples: gradient %d is %.9g, not %.9g", threads, (int)n, (int)i,
                             (double)got.gradient[i], (double)want.gradient[i]);
            assert_memory_equal(got.output, want.output, sizeof want.output);
            assert_true(fabs(got.cost.loss - want.cost.loss) < 1e-6);
            st_free(want.gradient);
            st_free(got.gradient);
        }
        st_runner_free(one);
        st_runner_free(many);
    }
    st_free(parameters);
    st_free(x);
    st_graph_free(graph);
}

/* The engine that splits samples alone comes to the same, to float accuracy. */
static void test_reference_agrees(void **state) {
    (void)state;
    st_graph *graph = rich_network();
    float *parameters = new_parameters(graph), *x = new_data(BATCH * 20, 62);
    const st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 3, 0, ST_LOSS_MSE);
    const st_runner_config reference = training_config(graph, &st_engine_reference, BATCH, 3, 0, ST_LOSS_MSE);
    st_runner *fast = new_runner(&config, parameters), *plain = new_runner(&reference, parameters);
    assert_true(st_runner_by_columns(fast) && !st_runner_by_columns(plain));
    outcome got = run(fast, graph, x, BATCH), want = run(plain, graph, x, BATCH);
    assert_relative("by columns", "gradient", got.gradient, want.gradient, (size_t)graph->n_values, 1e-5);
    st_free(got.gradient);
    st_free(want.gradient);
    st_runner_free(fast);
    st_runner_free(plain);
    st_free(parameters);
    st_free(x);
    st_graph_free(graph);
}

static bool splits_weights(st_runner_config config) {
    st_runner *runner = new_runner(&config, NULL);
    const bool by_columns = st_runner_by_columns(runner);
    assert_int_equal(st_runner_gradients(runner), by_columns ? 1 : st_runner_replicas(runner) * config.training);
    st_runner_free(runner);
    return by_columns;
}

/* 20 - 20 - 20: 800 weights, and 60 values a sample. */
static void test_rule(void **state) {
    (void)state;
    int t;
    st_graph *graph = new_graph(&t, 20);
    add_dense(&t, graph, 20, ST_RELU, "a");
    add_dense(&t, graph, 20, ST_SIGMOID, "b");
    graph->output = t;
    const st_runner_config small = training_config(graph, &st_engine_cpu, 8, 2, 0, ST_LOSS_MSE);
    st_runner_config other = small;
    assert_true(splits_weights(small));
    other.micro_batch = 4; /* a replica's share all the same */
    assert_true(splits_weights(other));
    other.micro_batch = 2;
    assert_false(splits_weights(other));
    other = small;
    other.batch_size = 32; /* 1600 values and more */
    assert_false(splits_weights(other));
    other = small;
    other.threads = 1;
    assert_false(splits_weights(other));
    other = small;
    other.training = false;
    assert_false(splits_weights(other));
    st_graph_free(graph);
}

/* Ops with parameters that know no columns, and a softmax, which goes over the row. */
static void test_what_is_not_split(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        int t;
        st_graph *graph = new_graph(&t, 20);
        add_dense(&t, graph, 20, kind == 0 ? ST_SOFTMAX : ST_RELU, "a");
        if (kind == 1) ADD_OP(st_graph_layer_norm(&t, graph, t, 1e-3, place, &err));
        if (kind == 2) ADD_OP(st_graph_batch_norm(&t, graph, t, 0.9, 1e-3, place, &err));
        add_dense(&t, graph, 20, ST_SIGMOID, "b");
        graph->output = t;
        assert_false(splits_weights(training_config(graph, &st_engine_cpu, 8, 2, 0, ST_LOSS_MSE)));
        st_graph_free(graph);
    }
}

static void test_failing_allocations(void **state) {
    (void)state;
    st_graph *graph = rich_network();
    const st_runner_config config = training_config(graph, &st_engine_cpu, BATCH, 3, 0, ST_LOSS_MSE);
    fail_each_allocation(&config);
    st_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_with_any_number),
        cmocka_unit_test(test_reference_agrees),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_what_is_not_split),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
