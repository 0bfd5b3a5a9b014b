/* Building graphs: shapes, windows, names, and what is refused. Sizes as TensorFlow documents them: same gives
   ceil(in / stride), valid ceil((in - kernel + 1) / stride); transposed in * stride, and (in - 1) * stride + kernel. */
#include "cpu/harness.h"
#include "graph/graph.h"

static st_graph *new_graph(st_shape input) {
    st_graph *graph = NULL;
    assert_int_equal(st_graph_new(&graph, &input, NULL), STRAIT_OK);
    return graph;
}

static void test_dense(void **state) {
    (void)state;
    st_graph *graph = new_graph((st_shape){.n_dims = 3, .dim = {4, 5, 6}});
    int t = 0;
    assert_int_equal(
        st_graph_dense(&t, graph, 0, 7, true, act(ST_RELU), (st_op_place){.prefix = "encoder.1", .layer = 1}, NULL), 0);
    const st_shape want = {.n_dims = 3, .dim = {4, 5, 7}};
    assert_true(st_shape_equal(&graph->tensor[t].shape, &want));
    assert_int_equal(graph->n_ops, 1);
    assert_int_equal(graph->n_parameters, 2);
    assert_string_equal(graph->parameter[0].name, "encoder.1.kernel");
    assert_string_equal(graph->parameter[1].name, "encoder.1.bias");
    assert_int_equal(graph->parameter[0].offset, 0);
    assert_int_equal(graph->parameter[1].offset, 42);
    assert_int_equal(graph->n_values, 49);
    assert_int_equal(graph->parameter[0].fan_in, 6);
    assert_int_equal(graph->parameter[0].fan_out, 7);
    assert_int_equal(graph->op[0].layer, 1);
    assert_int_equal(st_op_flops(graph, &graph->op[0]), 2 * 4 * 5 * 6 * 7);
    st_graph_free(graph);
}

typedef struct conv_sizes {
    bool transpose;
    int64_t in, kernel, stride;
    st_padding padding;
    int64_t out, before, after;
} conv_sizes;

static void test_convolution_sizes(void **state) {
    (void)state;
    static const conv_sizes cases[] = {
        {false, 28, 3, 2, ST_SAME, 14, 0, 1},  {false, 14, 3, 2, ST_SAME, 7, 0, 1},
        {false, 7, 3, 2, ST_SAME, 4, 1, 1},    {false, 28, 3, 1, ST_SAME, 28, 1, 1},
        {false, 5, 2, 1, ST_SAME, 5, 0, 1},    {false, 5, 4, 1, ST_SAME, 5, 1, 2},
        {false, 5, 1, 3, ST_SAME, 2, 0, 0},    {false, 1, 5, 1, ST_SAME, 1, 2, 2},
        {false, 28, 3, 2, ST_VALID, 13, 0, 0}, {false, 5, 5, 1, ST_VALID, 1, 0, 0},
        {false, 7, 2, 3, ST_VALID, 2, 0, 0},   {true, 7, 3, 2, ST_SAME, 14, 0, 1},
        {true, 14, 4, 2, ST_SAME, 28, 1, 1},   {true, 7, 3, 1, ST_SAME, 7, 1, 1},
        {true, 3, 2, 3, ST_SAME, 9, 0, 0},     {true, 7, 3, 2, ST_VALID, 15, 0, 0},
        {true, 3, 2, 3, ST_VALID, 9, 0, 0}, /* max(kernel, stride) */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const conv_sizes *c = &cases[i];
        st_graph *graph = new_graph((st_shape){.n_dims = 3, .dim = {c->in, c->in + 1, 3}});
        const int64_t kernel[2] = {c->kernel, 1}, stride[2] = {c->stride, 1};
        int t = 0;
        assert_int_equal(st_graph_conv2d(&t, graph, 0, c->transpose, 5, kernel, stride, c->padding, true,
                                         act(ST_LINEAR), (st_op_place){.prefix = "p"}, NULL),
                         STRAIT_OK);
        const st_shape want = {.n_dims = 3, .dim = {c->out, c->in + 1, 5}};
        if (!st_shape_equal(&graph->tensor[t].shape, &want))
            fail_msg("case %zu: height %lld, not %lld", i, (long long)graph->tensor[t].shape.dim[0], (long long)c->out);
        assert_int_equal(graph->op[0].window.pad_before[0], c->before);
        assert_int_equal(graph->op[0].window.pad_after[0], c->after);
        assert_int_equal(graph->op[0].window.pad_before[1], 0);
        const st_shape weights = {.n_dims = 4, .dim = {c->kernel, 1, c->transpose ? 5 : 3, c->transpose ? 3 : 5}};
        assert_true(st_shape_equal(&graph->parameter[0].shape, &weights));
        /* Keras: fans are the last two dims times the window's area. */
        assert_int_equal(graph->parameter[0].fan_in, c->kernel * weights.dim[2]);
        assert_int_equal(graph->parameter[0].fan_out, c->kernel * weights.dim[3]);
        const int64_t narrow = (c->transpose ? c->in : c->out) * (c->in + 1);
        assert_int_equal(st_op_flops(graph, &graph->op[0]), 2 * narrow * c->kernel * 3 * 5);
        st_graph_free(graph);
    }
}

/* Refused with SHAPE and a message that holds `words`; the graph stays usable. */
static void expect_refusal(strait_status status, const strait_error *err, const char *words) {
    assert_int_equal(status, STRAIT_SHAPE);
    if (!strstr(err->message, words)) fail_msg("'%s' does not say '%s'", err->message, words);
}

static void test_refusals(void **state) {
    (void)state;
    strait_error err = {0};
    const st_op_place place = {.prefix = "encoder.0"};
    const int64_t kernel[2] = {3, 3}, one[2] = {1, 1};
    int t = 0;
    st_graph *flat = new_graph((st_shape){.n_dims = 1, .dim = {784}});
    expect_refusal(st_graph_conv2d(&t, flat, 0, false, 4, kernel, one, ST_SAME, true, act(ST_RELU), place, &err), &err,
                   "784");
    const st_shape other = {.n_dims = 3, .dim = {32, 32, 1}};
    expect_refusal(st_graph_reshape(&t, flat, 0, &other, place, &err), &err, "1024");
    expect_refusal(st_graph_reshape(&t, flat, 0, &other, place, &err), &err, "784");
    expect_refusal(st_graph_dense(&t, flat, 0, (int64_t)1 << 40, true, act(ST_RELU), place, &err), &err, "too many");
    st_graph_free(flat);
    st_graph *small = new_graph((st_shape){.n_dims = 3, .dim = {2, 5, 1}});
    expect_refusal(st_graph_conv2d(&t, small, 0, false, 4, kernel, one, ST_VALID, true, act(ST_RELU), place, &err),
                   &err, "3×3");
    assert_int_equal(st_graph_conv2d(&t, small, 0, false, 4, kernel, one, ST_SAME, true, act(ST_RELU), place, &err),
                     STRAIT_OK);
    st_graph_free(small);
}

static void test_reshape_and_activation(void **state) {
    (void)state;
    st_graph *graph = new_graph((st_shape){.n_dims = 3, .dim = {2, 3, 4}});
    const st_op_place place = {.prefix = "p"};
    const st_shape flat = {.n_dims = 1, .dim = {24}};
    int t = 0;
    assert_int_equal(st_graph_activation(&t, graph, 0, true, act(ST_LINEAR), place, NULL), STRAIT_OK);
    assert_int_equal(graph->op[0].kind, ST_OP_RESHAPE); /* linear computes nothing, but is an op */
    assert_true(st_shape_equal(&graph->tensor[t].shape, &graph->tensor[0].shape));
    assert_int_equal(st_graph_reshape(&t, graph, t, &flat, place, NULL), STRAIT_OK);
    assert_true(st_shape_equal(&graph->tensor[t].shape, &flat));
    const int reshaped = t;
    assert_int_equal(st_graph_activation(&t, graph, t, true, act(ST_RELU), place, NULL), STRAIT_OK);
    assert_int_not_equal(t, reshaped); /* a reshape takes none in */
    assert_int_equal(st_graph_dense(&t, graph, t, 5, false, act(ST_LINEAR), place, NULL), STRAIT_OK);
    const int dense = t;
    assert_int_equal(st_graph_activation(&t, graph, t, true, act(ST_TANH), place, NULL), STRAIT_OK);
    assert_int_equal(t, dense); /* fused */
    assert_int_equal(graph->op[graph->n_ops - 1].activation.kind, ST_TANH);
    assert_int_equal(st_graph_activation(&t, graph, t, true, act(ST_RELU), place, NULL), STRAIT_OK);
    assert_int_not_equal(t, dense); /* there is one already */
    assert_int_equal(graph->op[graph->n_ops - 1].kind, ST_OP_ACTIVATION);
    assert_int_equal(graph->n_parameters, 1); /* no bias */
    assert_int_equal(graph->op[2].bias, -1);
    st_graph_free(graph);
}

static void test_shape_text(void **state) {
    (void)state;
    char text[96];
    const st_shape shape = {.n_dims = 3, .dim = {28, 28, 1}};
    st_shape_print(text, &shape);
    assert_string_equal(text, "28×28×1");
    assert_int_equal(st_shape_count(&shape), 784);
    const st_shape huge = {.n_dims = 4, .dim = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    assert_true(st_shape_count(&huge) > (int64_t)1 << 40); /* no overflow */
    st_shape_print(text, &huge);
    assert_string_equal(st_op_name(ST_OP_CONV2D_TRANSPOSE), "conv2d_transpose");
}

/* Each allocation of a small graph fails in turn. */
static void test_failing_allocations(void **state) {
    (void)state;
    const st_shape input = {.n_dims = 3, .dim = {4, 4, 1}}, flat = {.n_dims = 1, .dim = {32}};
    const int64_t kernel[2] = {3, 3}, stride[2] = {2, 2};
    const st_op_place place = {.prefix = "p"};
    for (uint64_t n = 1;; n++) {
        st_graph *graph = NULL;
        strait_error err = {0};
        int t = 0;
        st_alloc_fail_at(n);
        strait_status status = st_graph_new(&graph, &input, &err);
        if (status == STRAIT_OK)
            status = st_graph_conv2d(&t, graph, t, false, 8, kernel, stride, ST_SAME, true, act(ST_RELU), place, &err);
        if (status == STRAIT_OK) status = st_graph_reshape(&t, graph, t, &flat, place, &err);
        if (status == STRAIT_OK) status = st_graph_dense(&t, graph, t, 3, true, act(ST_RELU), place, &err);
        if (status == STRAIT_OK) status = st_graph_activation(&t, graph, t, false, act(ST_TANH), place, &err);
        st_alloc_fail_at(0);
        st_graph_free(graph);
        if (status == STRAIT_OK) {
            assert_true(n > 10);
            return;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_true(err.message[0] != 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),      cmocka_unit_test(test_convolution_sizes),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_reshape_and_activation),
        cmocka_unit_test(test_shape_text), cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
