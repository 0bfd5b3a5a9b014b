/* Building pools, norms, noise, cuts, joins and latents: shapes by TensorFlow's rules (same: ceil(in / stride); valid:
   ceil((in - size + 1) / stride)), parameters as Keras names and starts them, and what is refused. */
#include "cpu/harness.h"
#include "graph/graph.h"

static const st_op_place place = {.prefix = "encoder.2", .layer = 2, .initializer = {.kind = ST_HE_NORMAL}};

static st_graph *new_graph(st_shape input) {
    st_graph *graph = NULL;
    assert_int_equal(st_graph_new(&graph, &input, NULL), STRAIT_OK);
    return graph;
}

static const st_shape image = {.n_dims = 3, .dim = {7, 5, 3}}, flat = {.n_dims = 1, .dim = {10}};

static void expect_shape(const st_graph *graph, int t, st_shape want) {
    char has[96];
    st_shape_print(has, &graph->tensor[t].shape);
    if (!st_shape_equal(&graph->tensor[t].shape, &want)) fail_msg("tensor %d is %s", t, has);
}

/* Refused with SHAPE and a message that holds both words, and the graph is as before. */
static void expect_refusal(strait_status status, const strait_error *err, const char *words, const char *others) {
    assert_int_equal(status, STRAIT_SHAPE);
    if (!strstr(err->message, words) || !strstr(err->message, others))
        fail_msg("'%s' does not say '%s' and '%s'", err->message, words, others);
}

static void test_pools(void **state) {
    (void)state;
    static const struct {
        int64_t in, size, stride;
        st_padding padding;
        int64_t out, before, after;
    } cases[] = {
        {28, 2, 2, ST_VALID, 14, 0, 0}, {7, 2, 2, ST_VALID, 3, 0, 0}, {7, 2, 2, ST_SAME, 4, 0, 1},
        {7, 3, 2, ST_SAME, 4, 1, 1},    {7, 3, 1, ST_SAME, 7, 1, 1},  {5, 5, 1, ST_VALID, 1, 0, 0},
        {8, 3, 3, ST_SAME, 3, 0, 1},    {2, 5, 2, ST_SAME, 1, 1, 2},  {9, 2, 4, ST_SAME, 3, 0, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int max = 0; max <= 1; max++) {
            st_graph *graph = new_graph((st_shape){.n_dims = 3, .dim = {6, cases[i].in, 4}});
            const int64_t size[2] = {1, cases[i].size}, strides[2] = {1, cases[i].stride};
            int t;
            assert_int_equal(st_graph_pool2d(&t, graph, 0, max, size, strides, cases[i].padding, place, NULL), 0);
            expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {6, cases[i].out, 4}});
            const st_op *op = &graph->op[0];
            assert_int_equal(op->kind, max ? ST_OP_MAX_POOL2D : ST_OP_AVG_POOL2D);
            assert_int_equal(op->window.kernel[1], cases[i].size);
            assert_int_equal(op->window.stride[1], cases[i].stride);
            /* TensorFlow pads max((out - 1) stride + size - in, 0), the odd one after. */
            assert_int_equal(op->window.pad_before[1], cases[i].before);
            assert_int_equal(op->window.pad_after[1], cases[i].after);
            assert_int_equal(op->src2, -1);
            assert_int_equal(op->kernel, -1);
            assert_int_equal(op->state[1], -1);
            assert_string_equal(op->name, "encoder.2");
            st_graph_free(graph);
        }
}

static void test_image_ops(void **state) {
    (void)state;
    st_graph *graph = new_graph(image);
    const int64_t factor[2] = {2, 3}, before[2] = {1, 0}, after[2] = {2, 4};
    int t;
    assert_int_equal(st_graph_upsample2d(&t, graph, 0, factor, true, place, NULL), STRAIT_OK);
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {14, 15, 3}});
    assert_true(graph->op[0].bilinear && graph->op[0].factor[1] == 3);
    assert_int_equal(st_graph_crop2d(&t, graph, 0, before, after, place, NULL), STRAIT_OK);
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {4, 1, 3}});
    assert_int_equal(graph->op[1].window.pad_after[0], 2);
    assert_int_equal(st_graph_zero_pad2d(&t, graph, t, before, after, place, NULL), STRAIT_OK);
    expect_shape(graph, t, image);
    assert_int_equal(st_graph_slice(&t, graph, 0, 1, 3, place, NULL), STRAIT_OK);
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {7, 5, 2}});
    assert_int_equal(graph->op[3].begin, 1);
    assert_int_equal(st_graph_concat(&t, graph, 0, t, place, NULL), STRAIT_OK);
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {7, 5, 5}});
    assert_int_equal(graph->op[4].src, 0);
    assert_int_equal(graph->op[4].src2, 4);
    assert_int_equal(st_graph_add(&t, graph, t, t, place, NULL), STRAIT_OK);
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {7, 5, 5}});
    assert_int_equal(st_graph_penalty(&t, graph, t, 0.5, 0.25, place, NULL), STRAIT_OK);
    assert_true(graph->op[6].l1 == 0.5 && graph->op[6].l2 == 0.25);
    assert_int_equal(graph->logits, -1);
    assert_int_equal(graph->n_random, 0);
    st_graph_free(graph);
}

static void expect_parameter(const st_graph *graph, int i, const char *name, st_initializer_kind start, st_role role) {
    const st_parameter *parameter = &graph->parameter[i];
    assert_string_equal(parameter->name, name);
    assert_int_equal(parameter->start.kind, start);
    assert_int_equal(parameter->role, role);
}

static void test_parameters(void **state) {
    (void)state;
    st_graph *graph = new_graph(image);
    const int64_t three[2] = {3, 3}, one[2] = {1, 1};
    int t;
    assert_int_equal(st_graph_conv2d(&t, graph, 0, false, 4, three, one, ST_SAME, true, act(ST_LINEAR), place, NULL),
                     0);
    assert_int_equal(st_graph_batch_norm(&t, graph, t, 0.99, 1e-3, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_layer_norm(&t, graph, t, 1e-3, place, NULL), STRAIT_OK);
    assert_int_equal(graph->n_parameters, 8);
    expect_parameter(graph, 0, "encoder.2.kernel", ST_HE_NORMAL, ST_ROLE_KERNEL);
    expect_parameter(graph, 1, "encoder.2.bias", ST_ZEROS, ST_ROLE_OFFSET);
    expect_parameter(graph, 2, "encoder.2.gamma", ST_ONES, ST_ROLE_OFFSET);
    expect_parameter(graph, 3, "encoder.2.beta", ST_ZEROS, ST_ROLE_OFFSET);
    expect_parameter(graph, 4, "encoder.2.moving_mean", ST_ZEROS, ST_ROLE_STATE);
    expect_parameter(graph, 5, "encoder.2.moving_variance", ST_ONES, ST_ROLE_STATE);
    expect_parameter(graph, 6, "encoder.2.gamma", ST_ONES, ST_ROLE_OFFSET);
    const st_op *norm = &graph->op[1];
    assert_true(norm->kernel == 2 && norm->bias == 3 && norm->state[0] == 4 && norm->state[1] == 5);
    assert_true(norm->momentum == 0.99 && norm->epsilon == 1e-3);
    assert_int_equal(graph->op[2].state[0], -1);
    assert_int_equal(graph->n_values, 3 * 3 * 3 * 4 + 4 + 4 * 4 + 2 * 4);
    assert_int_equal(st_graph_trainable(graph), graph->n_values - 2 * 4); /* all but the moving ones */
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {7, 5, 4}});
    st_graph_free(graph);
}

/* Each op that draws has a range of its own, beginning at a multiple of 4. */
static void test_random_ranges(void **state) {
    (void)state;
    st_graph *graph = new_graph(flat);
    int t, mean, log_variance;
    assert_int_equal(st_graph_dropout(&t, graph, 0, 0.5, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_gaussian_noise(&t, graph, t, 0.1, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_dense(&mean, graph, t, 3, true, act(ST_LINEAR), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_dense(&log_variance, graph, t, 3, true, act(ST_LINEAR), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_sample(&t, graph, mean, log_variance, 2, true, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_dropout(&t, graph, t, 0.25, place, NULL), STRAIT_OK);
    static const int64_t want[] = {0, 12, -1, -1, 24, 28};
    for (int i = 0; i < 6; i++)
        if (want[i] >= 0) assert_int_equal(graph->op[i].random, want[i]);
    assert_int_equal(graph->n_random, 32);
    assert_true(graph->op[0].rate == 0.5 && graph->op[1].stddev == 0.1);
    assert_true(graph->op[4].beta == 2 && graph->op[4].kl_mean && graph->op[4].src2 == log_variance);
    st_graph_free(graph);
    graph = new_graph((st_shape){.n_dims = 1, .dim = {(int64_t)3 << 30}});
    strait_error err = {0};
    assert_int_equal(st_graph_dropout(&t, graph, 0, 0.5, place, &err), STRAIT_OK);
    expect_refusal(st_graph_dropout(&t, graph, t, 0.5, place, &err), &err, "dropout", "2^32");
    st_graph_free(graph);
}

/* gelu and swish stand alone, behind the linear op; others go into dense and convolutions, and into nothing else. */
static void test_activations(void **state) {
    (void)state;
    st_graph *graph = new_graph(image);
    const int64_t two[2] = {2, 2};
    int t;
    assert_int_equal(st_graph_dense(&t, graph, 0, 4, true, act(ST_GELU), place, NULL), STRAIT_OK);
    assert_int_equal(graph->n_ops, 2);
    assert_int_equal(graph->op[0].activation.kind, ST_LINEAR);
    assert_int_equal(graph->op[1].kind, ST_OP_ACTIVATION);
    assert_int_equal(graph->op[1].activation.kind, ST_GELU);
    assert_string_equal(graph->op[1].name, "encoder.2");
    assert_int_equal(graph->op[1].layer, 2);
    assert_int_equal(st_graph_conv2d(&t, graph, t, true, 4, two, two, ST_SAME, true, act(ST_SWISH), place, NULL),
                     STRAIT_OK);
    assert_int_equal(graph->n_ops, 4);
    expect_shape(graph, t, (st_shape){.n_dims = 3, .dim = {14, 10, 4}});
    int n = graph->n_ops, u;
    assert_int_equal(st_graph_pool2d(&t, graph, t, true, two, two, ST_VALID, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_activation(&u, graph, t, true, act(ST_RELU), place, NULL), STRAIT_OK);
    assert_int_equal(graph->n_ops, n + 2); /* a pool takes none in */
    assert_int_equal(st_graph_dense(&t, graph, t, 4, true, act(ST_LINEAR), place, NULL), STRAIT_OK);
    n = graph->n_ops;
    assert_int_equal(st_graph_activation(&u, graph, t, true, act(ST_SWISH), place, NULL), STRAIT_OK);
    assert_int_equal(graph->n_ops, n + 1); /* nor does dense take swish */
    assert_int_equal(st_graph_activation(&u, graph, t, true, act(ST_RELU), place, NULL), STRAIT_OK);
    assert_int_equal(graph->n_ops, n + 2); /* nor relu now: swish has read its result */
    assert_int_equal(graph->op[graph->tensor[t].producer].activation.kind, ST_LINEAR);
    st_graph_free(graph);
}

static void test_refusals(void **state) {
    (void)state;
    strait_error err = {0};
    const int64_t two[2] = {2, 2}, eight[2] = {8, 2}, half[2] = {3, 0}, rest[2] = {4, 0};
    const int64_t most[2] = {INT64_MAX, INT64_MAX};
    int t, narrow;
    st_graph *graph = new_graph(image), *vector = new_graph(flat);
    expect_refusal(st_graph_pool2d(&t, vector, 0, true, two, two, ST_SAME, place, &err), &err, "max_pool2d", "10");
    expect_refusal(st_graph_upsample2d(&t, vector, 0, two, false, place, &err), &err, "upsample2d", "10");
    expect_refusal(st_graph_crop2d(&t, vector, 0, two, two, place, &err), &err, "crop2d", "10");
    expect_refusal(st_graph_zero_pad2d(&t, vector, 0, two, two, place, &err), &err, "zero_pad2d", "10");
    expect_refusal(st_graph_pool2d(&t, graph, 0, false, eight, two, ST_VALID, place, &err), &err, "8×2", "7×5×3");
    expect_refusal(st_graph_crop2d(&t, graph, 0, half, rest, place, &err), &err, "3 + 4 rows", "7×5×3");
    expect_refusal(st_graph_crop2d(&t, graph, 0, most, most, place, &err), &err, "rows", "7×5×3");
    expect_refusal(st_graph_upsample2d(&t, graph, 0, most, false, place, &err), &err, "upsample2d", "too many");
    expect_refusal(st_graph_zero_pad2d(&t, graph, 0, most, most, place, &err), &err, "zero_pad2d", "too many");
    expect_refusal(st_graph_slice(&t, graph, 0, 2, 4, place, &err), &err, "2 to 4", "7×5×3");
    expect_refusal(st_graph_slice(&t, graph, 0, 2, 2, place, &err), &err, "2 to 2", "7×5×3");
    assert_int_equal(graph->n_ops + vector->n_ops, 0);
    assert_int_equal(st_graph_pool2d(&narrow, graph, 0, false, two, two, ST_SAME, place, &err), STRAIT_OK);
    expect_refusal(st_graph_concat(&t, graph, 0, narrow, place, &err), &err, "7×5×3", "4×3×3");
    expect_refusal(st_graph_add(&t, graph, 0, narrow, place, &err), &err, "7×5×3", "4×3×3");
    assert_int_equal(st_graph_dense(&narrow, graph, 0, 2, true, act(ST_LINEAR), place, &err), STRAIT_OK);
    expect_refusal(st_graph_sample(&t, graph, 0, narrow, 1, false, place, &err), &err, "mean", "7×5×2");
    expect_refusal(st_graph_sample(&t, graph, 0, narrow, 1, false, place, &err), &err, "log-variance", "7×5×3");
    assert_int_equal(graph->n_random, 0);
    st_graph_free(graph);
    st_graph_free(vector);
}

/* Each allocation fails in turn. */
static void test_failing_allocations(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        st_graph *graph = NULL;
        strait_error err = {0};
        int t = 0;
        st_alloc_fail_at(n);
        strait_status status = st_graph_new(&graph, &image, &err);
        if (status == STRAIT_OK) status = st_graph_batch_norm(&t, graph, t, 0.99, 1e-3, place, &err);
        if (status == STRAIT_OK) status = st_graph_dense(&t, graph, t, 3, true, act(ST_GELU), place, &err);
        if (status == STRAIT_OK) status = st_graph_add(&t, graph, t, 0, place, &err);
        if (status == STRAIT_OK) status = st_graph_dropout(&t, graph, t, 0.5, place, &err);
        st_alloc_fail_at(0);
        st_graph_free(graph);
        if (status == STRAIT_OK) {
            assert_true(n > 15);
            return;
        }
        assert_int_equal(status, STRAIT_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_image_ops),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_random_ranges),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
