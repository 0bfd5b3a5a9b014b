/* Small networks for the tests of plans and runners, and short forms of the runner's calls. */
#ifndef TESTS_GRAPH_NETWORKS_H
#define TESTS_GRAPH_NETWORKS_H

#include "cpu/harness.h"
#include "graph/runner.h"

typedef enum network_kind { NETWORK_DENSE, NETWORK_CONV, NETWORK_MIXED, NETWORK_COUNT } network_kind;

static inline void add_dense(int *t, st_graph *graph, int64_t units, st_activation_kind kind, const char *prefix) {
    assert_int_equal(st_graph_dense(t, graph, *t, units, true, act(kind), (st_op_place){.prefix = prefix}, NULL),
                     STRAIT_OK);
}

static inline void add_conv(int *t, st_graph *graph, bool transpose, int64_t filters, int64_t kernel, int64_t stride,
                            st_activation_kind kind, const char *prefix) {
    const int64_t k[2] = {kernel, kernel}, s[2] = {stride, stride};
    assert_int_equal(st_graph_conv2d(t, graph, *t, transpose, filters, k, s, ST_SAME, true, act(kind),
                                     (st_op_place){.prefix = prefix}, NULL),
                     STRAIT_OK);
}

static inline void add_reshape(int *t, st_graph *graph, st_shape shape) {
    assert_int_equal(st_graph_reshape(t, graph, *t, &shape, (st_op_place){.prefix = "reshape"}, NULL), STRAIT_OK);
}

/* dense: 20 - 9 - 20. conv: 8x8x1 - 4x4x4 - 2x2x3 - back up to 8x8x1. mixed: both, with reshapes, and activations as
   ops of their own after an op and after a reshape. inner and last: activations of the layers and of the last. */
static inline st_graph *new_network(network_kind kind, st_activation_kind inner, st_activation_kind last) {
    st_graph *graph = NULL;
    const st_shape flat = {.n_dims = 1, .dim = {20}}, image = {.n_dims = 3, .dim = {8, 8, 1}};
    assert_int_equal(st_graph_new(&graph, kind == NETWORK_DENSE ? &flat : &image, NULL), STRAIT_OK);
    int t = 0;
    if (kind == NETWORK_DENSE) {
        add_dense(&t, graph, 9, inner, "encoder.0");
        graph->latent = t;
        graph->n_encoder_ops = graph->n_ops;
        add_dense(&t, graph, 20, last, "decoder.0");
    } else if (kind == NETWORK_CONV) {
        add_conv(&t, graph, false, 4, 3, 2, inner, "encoder.0");
        add_conv(&t, graph, false, 3, 3, 2, inner, "encoder.1");
        graph->latent = t;
        graph->n_encoder_ops = graph->n_ops;
        add_conv(&t, graph, true, 4, 3, 2, inner, "decoder.0");
        add_conv(&t, graph, true, 2, 4, 2, inner, "decoder.1");
        add_conv(&t, graph, false, 1, 5, 1, last, "decoder.2");
    } else {
        add_conv(&t, graph, false, 3, 3, 2, ST_LINEAR, "encoder.0");
        assert_int_equal(st_graph_activation(&t, graph, t, false, act(inner), (st_op_place){.prefix = "a"}, NULL), 0);
        add_reshape(&t, graph, (st_shape){.n_dims = 1, .dim = {48}});
        add_dense(&t, graph, 6, inner, "encoder.3");
        graph->latent = t;
        graph->n_encoder_ops = graph->n_ops;
        add_dense(&t, graph, 64, ST_LINEAR, "decoder.0");
        add_reshape(&t, graph, (st_shape){.n_dims = 3, .dim = {8, 8, 1}});
        assert_int_equal(st_graph_activation(&t, graph, t, true, act(last), (st_op_place){.prefix = "b"}, NULL), 0);
    }
    graph->output = t;
    return graph;
}

static inline size_t values_in(const st_graph *graph) {
    return (size_t)st_shape_count(&graph->tensor[graph->input].shape);
}
static inline size_t values_out(const st_graph *graph) {
    return (size_t)st_shape_count(&graph->tensor[graph->output].shape);
}

/* Parameters between -1/2 and 1/2. */
static inline float *new_parameters(const st_graph *graph) {
    float *values = new_filled((size_t)graph->n_values, 21);
    for (int64_t i = 0; i < graph->n_values; i++)
        values[i] *= 0.5f;
    values[graph->n_values - 1] = 0.75f; /* the last bias: a relu must not be dead everywhere */
    return values;
}

/* Values between 0 and 1, as data has them. */
static inline float *new_data(size_t n, uint32_t seed) {
    float *values = new_filled(n, seed);
    for (size_t i = 0; i < n; i++)
        values[i] = (values[i] + 1.0f) * 0.5f;
    return values;
}

/* A runner over all of the graph with the given parameters. */
static inline st_runner *new_runner(const st_runner_config *config, const float *parameters) {
    st_runner *runner = NULL;
    strait_error err = {0};
    if (st_runner_new(&runner, config, &err) != STRAIT_OK) fail_msg("%s", err.message);
    if (parameters) assert_int_equal(st_runner_pack(runner, st_runner_parameters(runner), parameters, NULL), STRAIT_OK);
    return runner;
}

/* Each allocation of a runner fails in turn: MEMORY, a message, nothing left behind (the leak checkers see to that). */
static inline void fail_each_allocation(const st_runner_config *config) {
    for (uint64_t n = 1;; n++) {
        st_runner *runner = NULL;
        strait_error err = {0};
        st_alloc_fail_at(n);
        const strait_status status = st_runner_new(&runner, config, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            st_runner_free(runner);
            assert_true(n > 10);
            return;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(runner);
        assert_true(err.message[0] != 0);
    }
}

static inline st_runner_config training_config(const st_graph *graph, const st_engine *engine, int64_t batch,
                                               int threads, int64_t micro_batch, st_loss_kind loss) {
    return (st_runner_config){.graph = graph,
                              .engine = engine,
                              .n_ops = graph->n_ops,
                              .batch_size = batch,
                              .threads = threads,
                              .micro_batch = micro_batch,
                              .training = true,
                              .loss = {.n = 1, .term = {{.kind = loss, .weight = 1, .delta = 1}}}};
}

/* A training step / an evaluation on n samples; gives the loss. output may be NULL. */
static inline double train_on(st_runner *runner, const float *x, const float *target, int64_t n) {
    const st_feed feed = {.input = x, .target = target, .n = n, .beta_scale = 1};
    st_cost cost = {0};
    strait_error err = {0};
    if (st_runner_train(&cost, runner, &feed, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return cost.loss;
}
static inline double evaluate_on(st_runner *runner, const float *x, const float *target, float *output, int64_t n) {
    const st_feed feed = {.input = x, .target = target, .output = output, .n = n, .beta_scale = 1};
    st_cost cost = {0};
    strait_error err = {0};
    if (st_runner_evaluate(&cost, runner, &feed, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return cost.loss;
}

/* The canonical gradient [n_values] after st_runner_train: the replicas' blocks added up. */
static inline float *summed_gradient(st_runner *runner, const st_graph *graph) {
    const size_t n = st_runner_block_size(runner);
    float *sum = new_floats(n), *canonical = new_floats((size_t)graph->n_values);
    for (int r = 0; r < st_runner_gradients(runner); r++)
        for (size_t i = 0; i < n; i++)
            sum[i] += st_runner_gradient(runner, r)[i];
    assert_int_equal(st_runner_unpack(runner, canonical, sum, NULL), STRAIT_OK);
    st_free(sum);
    return canonical;
}

/* |got - want| <= tolerance * largest |want|, everywhere. */
static inline void assert_relative(const char *title, const char *what, const float *got, const float *want, size_t n,
                                   double tolerance) {
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)want[i]));
    assert_true(most > 0);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance * most))
            fail_msg("%s: %s[%zu of %zu] is %.9g, not %.9g (largest %.3g)", title, what, i, n, (double)got[i],
                     (double)want[i], most);
}

#endif
