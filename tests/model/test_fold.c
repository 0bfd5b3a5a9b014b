/* Folding: outputs equal the unfolded network's. The unfolded one computes the norm as Ioffe and Szegedy write it, so
   it is the independent source here. */
#include "model_check.h"

#include <math.h>

#include "base/rng.h"
#include "graph/runner.h"

#define N 3

/* Random values for everything, variances positive. */
static void randomise(strait_model *model) {
    const st_rng rng = {.seed = 5, .purpose = ST_RNG_BENCH};
    st_rng_normal(&rng, 0, model->values, (size_t)model->graph->n_values);
    for (int i = 0; i < model->graph->n_parameters; i++) {
        const st_parameter *parameter = &model->graph->parameter[i];
        float *value = model->values + parameter->offset;
        for (int64_t j = 0; j < st_shape_count(&parameter->shape); j++)
            value[j] = strstr(parameter->name, "variance") ? fabsf(value[j]) + 0.1f : 0.3f * value[j];
    }
}

/* Outputs of N samples from ops [0, n_ops). */
static float *outputs(const st_graph *graph, const float *values, int n_ops, int64_t count) {
    const st_runner_config config = {
        .graph = graph, .engine = &st_engine_reference, .n_ops = n_ops, .batch_size = N, .threads = 1};
    st_runner *runner = NULL;
    strait_error err = {0};
    if (st_runner_new(&runner, &config, &err) != STRAIT_OK) fail_msg("%s", err.message);
    const size_t n_in = (size_t)st_shape_count(&graph->tensor[graph->input].shape) * N;
    float *in = st_alloc(n_in, sizeof *in), *out = st_alloc((size_t)count * N, sizeof *out);
    const st_rng rng = {.seed = 6, .purpose = ST_RNG_BENCH};
    st_rng_normal(&rng, 0, in, n_in);
    assert_int_equal(st_runner_pack(runner, st_runner_parameters(runner), values, NULL), STRAIT_OK);
    assert_int_equal(st_runner_forward(runner, in, out, N, NULL), STRAIT_OK);
    st_runner_free(runner);
    st_free(in);
    return out;
}

/* Relative to the largest output: sums of some tens of products, each rounded to 2^-24. */
static void assert_close(const float *a, const float *b, int64_t n) {
    float largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(a[i]));
    assert_true(largest > 0.01f);
    for (int64_t i = 0; i < n; i++)
        if (fabsf(a[i] - b[i]) > 1e-5f * largest) fail_msg("value %d: %g, %g", (int)i, (double)a[i], (double)b[i]);
}

/* Builds, folds, compares latents and outputs; gives the folded graph. */
static st_graph *fold(const char *yaml) {
    strait_model *model = build(yaml);
    randomise(model);
    st_graph *graph = NULL;
    float *values = NULL;
    assert_int_equal(st_model_fold(&graph, &values, model, NULL), STRAIT_OK);
    assert_non_null(graph);
    const st_graph *from = model->graph;
    assert_true(st_shape_equal(&graph->tensor[graph->latent].shape, &from->tensor[from->latent].shape));
    const int64_t n_latent = strait_model_latent_size(model), n_out = st_shape_count(&from->tensor[from->output].shape);
    float *a = outputs(from, model->values, from->n_encoder_ops, n_latent);
    float *b = outputs(graph, values, graph->n_encoder_ops, n_latent);
    assert_close(a, b, n_latent * N);
    st_free(a);
    st_free(b);
    a = outputs(from, model->values, from->n_ops, n_out);
    b = outputs(graph, values, graph->n_ops, n_out);
    assert_close(a, b, n_out * N);
    st_free(a);
    st_free(b);
    st_free(values);
    strait_model_free(model);
    return graph;
}

static int norms(const st_graph *graph) {
    int n = 0;
    for (int i = 0; i < graph->n_ops; i++)
        n += graph->op[i].kind == ST_OP_BATCH_NORM;
    return n;
}

static void every_kind_folds(void **state) {
    (void)state;
    st_graph *graph = fold(
        "model:\n  input: [6, 6, 2]\n  encoder:\n    - conv2d: {filters: 3, bias: false}\n    - batch_norm\n"
        "    - activation: relu\n    - conv2d: {filters: 4, strides: 2}\n    - batch_norm: {epsilon: 0.1}\n"
        "    - flatten\n    - dense: {units: 7}\n    - batch_norm\n  decoder:\n    - dense: {units: 27, bias: false}\n"
        "    - batch_norm\n    - activation: sigmoid\n    - reshape: [3, 3, 3]\n"
        "    - conv2d_transpose: {filters: 5, strides: 2, bias: false}\n    - batch_norm\n"
        "    - activation: leaky_relu\n    - conv2d_transpose: {filters: 2}\n    - batch_norm\n");
    static const st_op_kind kind[] = {ST_OP_CONV2D, ST_OP_CONV2D,  ST_OP_RESHAPE,          ST_OP_DENSE,
                                      ST_OP_DENSE,  ST_OP_RESHAPE, ST_OP_CONV2D_TRANSPOSE, ST_OP_CONV2D_TRANSPOSE};
    assert_int_equal(graph->n_ops, 8);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(graph->op[i].kind, kind[i]);
        assert_true(graph->op[i].kernel < 0 || graph->op[i].bias >= 0);
        assert_int_equal(graph->tensor[graph->op[i].dst].producer, i);
    }
    assert_int_equal(graph->n_encoder_ops, 4);
    assert_int_equal(graph->latent, graph->op[3].dst);
    assert_int_equal(graph->output, graph->op[7].dst);
    assert_int_equal(graph->op[0].activation.kind, ST_RELU);
    assert_int_equal(graph->op[4].activation.kind, ST_SIGMOID);
    assert_int_equal(graph->op[6].activation.kind, ST_LEAKY_RELU);
    assert_string_equal(graph->parameter[graph->op[0].bias].name, "encoder.0.bias");
    assert_int_equal(st_graph_trainable(graph), graph->n_values); /* no states are left */
    st_graph_free(graph);
}

static void what_others_see_stays(void **state) {
    (void)state;
    /* The latent lies between the dense layer and the norm; a residual reads the dense layer's result; the norm after
       an activation; one that a reshape parts from its layer. Only the last norm goes, and gelu stays an op. */
    st_graph *graph =
        fold("model:\n  input: [6]\n  encoder:\n    - dense: {units: 4}\n    - residual: [batch_norm]\n"
             "    - dense: {units: 4, activation: relu}\n    - batch_norm\n    - dense: {units: 4}\n  decoder:\n"
             "    - batch_norm\n    - dense: {units: 6}\n    - reshape: [2, 3, 1]\n    - batch_norm\n    - flatten\n"
             "    - dense: {units: 6}\n    - batch_norm\n    - activation: gelu\n"
             "train: {loss: {binary_crossentropy: {from_logits: false}}}\n");
    assert_int_equal(norms(graph), 4);
    assert_int_equal(graph->op[graph->n_ops - 1].kind, ST_OP_ACTIVATION);
    assert_int_equal(graph->op[graph->n_ops - 2].kind, ST_OP_DENSE);
    assert_int_equal(graph->n_encoder_ops, 6);
    st_graph_free(graph);
    graph = fold("model:\n  input: [4]\n  encoder: [{dense: {units: 2}}]\n  decoder:\n    - dense: {units: 4}\n"
                 "    - batch_norm\ntrain: {loss: {binary_crossentropy: {from_logits: true}}}\n");
    assert_int_equal(graph->n_ops, 3);
    assert_int_equal(graph->logits, graph->op[1].dst);
    assert_int_equal(graph->output, graph->op[2].dst);
    assert_int_equal(graph->op[1].activation.kind, ST_LINEAR); /* the sigmoid stays apart from the logits */
    st_graph_free(graph);
}

static void nothing_to_fold(void **state) {
    (void)state;
    strait_model *model = build(every_layer);
    st_graph *graph = (void *)1;
    float *values = (void *)1;
    assert_int_equal(st_model_fold(&graph, &values, model, NULL), STRAIT_OK);
    assert_null(graph);
    assert_null(values);
    strait_model_free(model);
}

static void memory_runs_out_anywhere(void **state) {
    (void)state;
    strait_model *model = build("model:\n  input: [4]\n  encoder: [{dense: {units: 2}}, batch_norm]\n"
                                "  decoder: [{dense: {units: 4}}]\n");
    for (uint64_t n = 1;; n++) {
        st_graph *graph = NULL;
        float *values = NULL;
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = st_model_fold(&graph, &values, model, NULL);
        st_alloc_fail_at(0);
        const bool failed = st_alloc_count() - before >= n;
        assert_int_equal(status, failed ? STRAIT_MEMORY : STRAIT_OK);
        assert_true((graph != NULL) == !failed && (values != NULL) == !failed);
        st_graph_free(graph);
        st_free(values);
        if (!failed) break;
    }
    strait_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_folds),
        cmocka_unit_test(what_others_see_stays),
        cmocka_unit_test(nothing_to_fold),
        cmocka_unit_test(memory_runs_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
