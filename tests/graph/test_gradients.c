/* Gradients of tensors with several readers: by hand, and over random graphs against differences of an interpreter in
   double that keeps every tensor apart. */
#include "graph/fake.h"

static const st_op_place place = {.prefix = "p"};

static st_graph *flat_graph(int64_t n) {
    st_graph *graph = NULL;
    const st_shape shape = {.n_dims = 1, .dim = {n}};
    assert_int_equal(st_graph_new(&graph, &shape, NULL), STRAIT_OK);
    return graph;
}

static int dense(st_graph *graph, int src, int64_t units, st_activation_kind kind) {
    int t;
    assert_int_equal(st_graph_dense(&t, graph, src, units, true, act(kind), place, NULL), STRAIT_OK);
    return t;
}
static int add(st_graph *graph, int a, int b) {
    int t;
    assert_int_equal(st_graph_add(&t, graph, a, b, place, NULL), STRAIT_OK);
    return t;
}
static int concat(st_graph *graph, int a, int b) {
    int t;
    assert_int_equal(st_graph_concat(&t, graph, a, b, place, NULL), STRAIT_OK);
    return t;
}
static int slice(st_graph *graph, int src, int64_t begin, int64_t end) {
    int t;
    assert_int_equal(st_graph_slice(&t, graph, src, begin, end, place, NULL), STRAIT_OK);
    return t;
}
static int reshape(st_graph *graph, int src, st_shape shape) {
    int t;
    assert_int_equal(st_graph_reshape(&t, graph, src, &shape, place, NULL), STRAIT_OK);
    return t;
}
static int activation(st_graph *graph, int src, bool fuse, st_activation_kind kind) {
    int t;
    assert_int_equal(st_graph_activation(&t, graph, src, fuse, act(kind), place, NULL), STRAIT_OK);
    return t;
}

/* ---- the interpreter ---- */

/* What op makes of one row, all in double. */
static void interpret(const st_graph *graph, const st_op *op, const double *w, double *const *value) {
    const st_shape *in = &graph->tensor[op->src].shape, *out = &graph->tensor[op->dst].shape;
    const int64_t n = in->dim[in->n_dims - 1], m = out->dim[out->n_dims - 1], count = st_shape_count(out);
    const double *x = value[op->src], *x2 = op->src2 >= 0 ? value[op->src2] : NULL;
    for (int64_t i = 0; i < count; i++) {
        const int64_t row = i / m, column = i % m;
        double y = 0;
        if (op->kind == ST_OP_DENSE) {
            y = w[graph->parameter[op->bias].offset + column];
            for (int64_t k = 0; k < n; k++)
                y += x[row * n + k] * w[graph->parameter[op->kernel].offset + k * m + column];
        } else if (op->kind == ST_OP_ADD) {
            y = x[i] + x2[i];
        } else if (op->kind == ST_OP_CONCAT) {
            y = column < n ? x[row * n + column] : x2[row * (m - n) + column - n];
        } else if (op->kind == ST_OP_SLICE) {
            y = x[row * n + op->begin + column];
        } else {
            y = x[i];
        }
        value[op->dst][i] = op->activation.kind == ST_TANH ? tanh(y) : y;
    }
}

/* The mean squared error of n samples; output (or NULL) gets the last op's results. */
static double interpret_all(const st_graph *graph, const double *w, const float *x, const float *target, int64_t n,
                            double *output) {
    double **value = st_alloc((size_t)graph->n_tensors, sizeof *value), loss = 0;
    const int last = graph->op[graph->n_ops - 1].dst;
    const int64_t n_in = st_shape_count(&graph->tensor[0].shape), n_out = st_shape_count(&graph->tensor[last].shape);
    for (int t = 0; t < graph->n_tensors; t++)
        value[t] = st_alloc((size_t)st_shape_count(&graph->tensor[t].shape), sizeof **value);
    for (int64_t s = 0; s < n; s++) {
        for (int64_t i = 0; i < n_in; i++)
            value[0][i] = (double)x[s * n_in + i];
        for (int i = 0; i < graph->n_ops; i++)
            interpret(graph, &graph->op[i], w, value);
        for (int64_t i = 0; i < n_out; i++) {
            const double d = value[last][i] - (double)target[s * n_out + i];
            loss += d * d / (double)(n * n_out);
            if (output) output[s * n_out + i] = value[last][i];
        }
    }
    for (int t = 0; t < graph->n_tensors; t++)
        st_free(value[t]);
    st_free(value);
    return loss;
}

/* Trains a step on n samples with micro-batches of `micro`, twice (what the first leaves must not matter), and compares
   outputs, loss and gradients with the interpreter's. */
static void compare(const st_graph *graph, int64_t n, int threads, int64_t micro, const char *title) {
    const st_engine engine = fake_engine();
    const int last = graph->op[graph->n_ops - 1].dst;
    const size_t n_in = (size_t)st_shape_count(&graph->tensor[0].shape);
    const size_t n_out = (size_t)st_shape_count(&graph->tensor[last].shape), n_w = (size_t)graph->n_values;
    float *x = new_filled(16 * n_in, 3), *target = new_filled(16 * n_out, 4), *y = new_floats(16 * n_out);
    float *parameters = new_filled(n_w, 5), *want = new_floats(n_w), *want_y = new_floats((size_t)n * n_out);
    double *w = st_alloc(n_w + 1, sizeof *w), *double_y = st_alloc((size_t)n * n_out, sizeof *double_y);
    for (size_t i = 0; i < n_w; i++)
        w[i] = (double)(parameters[i] *= 0.5f);
    const double loss = interpret_all(graph, w, x, target, n, double_y);
    for (size_t i = 0; i < n_w; i++) {
        const double h = 1e-5, here = w[i];
        w[i] = here + h;
        const double above = interpret_all(graph, w, x, target, n, NULL);
        w[i] = here - h;
        want[i] = (float)((above - interpret_all(graph, w, x, target, n, NULL)) / (2 * h));
        w[i] = here;
    }
    for (size_t i = 0; i < (size_t)n * n_out; i++)
        want_y[i] = (float)double_y[i];
    const st_runner_config config = training_config(graph, &engine, n, threads, micro, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    train_on(runner, x, target, n > 1 ? n - 1 : n);
    const double got = train_on(runner, x, target, n);
    if (fabs(got - loss) > 1e-5 * (1 + loss)) fail_msg("%s: the loss is %.9g, not %.9g", title, got, loss);
    if (n_w > 0) {
        float *gradient = summed_gradient(runner, graph);
        assert_close(title, "gradient", gradient, want, n_w, 2e-5);
        st_free(gradient);
    }
    assert_int_equal(st_runner_forward(runner, x, y, n, NULL), STRAIT_OK);
    assert_close(title, "output", y, want_y, (size_t)n * n_out, 1e-5);
    st_runner_free(runner);
    void *const block[] = {x, target, y, parameters, want, want_y, w, double_y};
    for (size_t i = 0; i < COUNT(block); i++)
        st_free(block[i]);
}

/* ---- by hand ---- */

/* h = w x + b, y = h + h, loss (y - t)^2 of one value: d by w is 4 (y - t) x, by b 4 (y - t). */
static void test_added_to_itself(void **state) {
    (void)state;
    const st_engine engine = fake_engine();
    st_graph *graph = flat_graph(1);
    const int h = dense(graph, 0, 1, ST_LINEAR);
    graph->output = add(graph, h, h);
    const float parameters[2] = {0.5f, 0.25f}, x = 3, t = 1; /* h = 1.75, y = 3.5 */
    const st_runner_config config = training_config(graph, &engine, 1, 1, 1, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    assert_true(fabs(train_on(runner, &x, &t, 1) - 6.25) < 1e-6);
    float *gradient = summed_gradient(runner, graph);
    assert_true(fabs((double)gradient[0] - 30) < 1e-4);
    assert_true(fabs((double)gradient[1] - 10) < 1e-4);
    st_free(gradient);
    st_runner_free(runner);
    st_graph_free(graph);
}

/* The network of each case is compared on 1..5 samples, one and two threads, small and whole micro-batches. */
static void compare_splits(st_graph *graph, const char *title) {
    graph->output = graph->op[graph->n_ops - 1].dst;
    compare(graph, 1, 1, 1, title);
    compare(graph, 5, 1, 5, title);
    compare(graph, 5, 2, 2, title);
    st_graph_free(graph);
}

static void test_three_readers(void **state) {
    (void)state;
    st_graph *graph = flat_graph(4);
    const int h = dense(graph, 0, 6, ST_TANH);
    const int a = dense(graph, h, 6, ST_TANH), b = activation(graph, h, true, ST_TANH);
    const int c = add(graph, a, h);
    dense(graph, add(graph, c, b), 3, ST_LINEAR);
    compare_splits(graph, "three readers");
}

/* Readers of one tensor through reshapes of it, and of reshapes of reshapes. */
static void test_readers_through_reshapes(void **state) {
    (void)state;
    const st_shape square = {.n_dims = 2, .dim = {2, 3}}, flat = {.n_dims = 1, .dim = {6}};
    st_graph *graph = flat_graph(4);
    const int h = dense(graph, 0, 6, ST_LINEAR), s = reshape(graph, h, square);
    const int back = reshape(graph, s, flat), d = dense(graph, s, 3, ST_TANH);
    const int sum = add(graph, back, h), other = add(graph, d, s);
    dense(graph, add(graph, sum, reshape(graph, other, flat)), 4, ST_LINEAR);
    compare_splits(graph, "through reshapes");
}

/* x + f(x), f the whole of the encoder; the input is read by a parameterless branch too. */
static void test_residual_around_everything(void **state) {
    (void)state;
    st_graph *graph = flat_graph(5);
    const int z = dense(graph, dense(graph, 0, 3, ST_TANH), 5, ST_LINEAR), r = add(graph, z, 0);
    graph->latent = r;
    graph->n_encoder_ops = graph->n_ops;
    const int d = dense(graph, r, 5, ST_TANH);
    add(graph, add(graph, d, r), r);
    compare_splits(graph, "a residual");
}

/* The output is read by the loss and by nobody else, or also by an op: then its activation's derivative is not the
   loss's affair. */
static void test_output_with_a_reader(void **state) {
    (void)state;
    st_graph *graph = flat_graph(3);
    const int h = dense(graph, 0, 3, ST_TANH);
    dense(graph, h, 2, ST_TANH);                            /* nobody reads that one: its gradient is 0 */
    activation(graph, h, false, ST_TANH);                   /* nor that */
    reshape(graph, h, (st_shape){.n_dims = 1, .dim = {3}}); /* the output: h itself */
    compare_splits(graph, "an output with readers");
}

/* Slices of the input, of which one branch has no parameters: nobody asks for its gradient. */
static void test_branch_without_parameters(void **state) {
    (void)state;
    st_graph *graph = flat_graph(6);
    const int a = slice(graph, 0, 0, 2), b = slice(graph, 0, 2, 6);
    const int c = concat(graph, a, dense(graph, b, 3, ST_TANH));
    const int d = concat(graph, dense(graph, c, 2, ST_LINEAR), a);
    add(graph, d, d);
    compare_splits(graph, "a branch without parameters");
    graph = flat_graph(6); /* no parameter anywhere: nothing is differentiated */
    add(graph, concat(graph, slice(graph, 0, 1, 3), slice(graph, 0, 0, 4)), 0);
    compare_splits(graph, "no parameters");
}

/* ---- at random ---- */

static uint32_t drawn = 1;
static int draw(int n) {
    drawn = drawn * 1664525u + 1013904223u;
    return (int)((drawn >> 16) % (uint32_t)n);
}

/* A few ops on any tensors before them; every tensor has 6 values a sample. */
static st_graph *random_graph(void) {
    const st_shape square = {.n_dims = 2, .dim = {2, 3}}, flat = {.n_dims = 1, .dim = {6}};
    st_graph *graph = flat_graph(6);
    const int n = 3 + draw(10);
    for (int i = 0; i < n; i++) {
        const int a = draw(graph->n_tensors), b = draw(graph->n_tensors);
        const bool alike = st_shape_equal(&graph->tensor[a].shape, &graph->tensor[b].shape);
        const bool is_flat = graph->tensor[a].shape.n_dims == 1;
        if (st_shape_count(&graph->tensor[a].shape) != 6) continue;
        switch (draw(5)) {
        case 0: dense(graph, a, is_flat ? 6 : 3, draw(2) ? ST_TANH : ST_LINEAR); break;
        case 1: reshape(graph, a, is_flat ? square : flat); break;
        case 2: activation(graph, a, draw(2), ST_TANH); break;
        case 3: {
            const int64_t cut = 1 + draw(2);
            const int first = slice(graph, a, 0, cut);
            concat(graph, slice(graph, a, cut, is_flat ? 6 : 3), first);
            break;
        }
        default: add(graph, a, alike ? b : a);
        }
    }
    dense(graph, graph->n_tensors - 1, 2, ST_TANH);
    return graph;
}

static void test_random_graphs(void **state) {
    (void)state;
    for (int round = 0; round < 150; round++) {
        char title[32];
        snprintf(title, sizeof title, "random graph %d", round);
        st_graph *graph = random_graph();
        graph->output = graph->n_tensors - 1;
        compare(graph, 3, 1 + round % 2, 1 + round % 3, title);
        st_graph_free(graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_to_itself),
        cmocka_unit_test(test_three_readers),
        cmocka_unit_test(test_readers_through_reshapes),
        cmocka_unit_test(test_residual_around_everything),
        cmocka_unit_test(test_output_with_a_reader),
        cmocka_unit_test(test_branch_without_parameters),
        cmocka_unit_test(test_random_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
