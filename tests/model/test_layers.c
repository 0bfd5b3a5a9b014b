/* Recipes' layers as graphs: shapes, fusing, and the messages for shapes that do not fit. */
#include "model_check.h"

/* A recipe: input on line 3, the first encoder layer on line 5, the first decoder layer after `decoder:`. */
static strait_status build_error(const char *input, const char *encoder, const char *decoder, strait_error *err) {
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             "name: x\nmodel:\n  input: %s\n  encoder:\n%s  decoder:\n%strain: {loss: mse, optimizer: adam}\n", input,
             encoder, decoder);
    strait_recipe *recipe = parse(yaml, "x.yaml");
    strait_model *model = NULL;
    *err = (strait_error){0};
    const strait_status status = strait_model_build(&model, recipe, err);
    assert_true((status == STRAIT_OK) == (model != NULL));
    strait_model_free(model);
    strait_recipe_free(recipe);
    return status;
}

static void mistakes_name_the_line_and_both_sides(void **state) {
    (void)state;
    static const struct {
        const char *input, *encoder, *decoder, *message;
    } mistake[] = {
        {"[28, 28, 1]", "    - flatten\n    - dense: {units: 4}\n",
         "    - dense: {units: 784}\n    - reshape: [28, 28, 2]\n",
         "x.yaml:9:7: reshape to 28×28×2 = 1568 values, but gets 784"},
        {"[32, 32, 1]", "    - flatten\n    - dense: {units: 4}\n",
         "    - dense: {units: 784}\n    - reshape: [28, 28, 1]\n",
         "x.yaml:8:5: decoder gives 28×28×1 = 784 values, input is 32×32×1"},
        {"[28, 28, 1]", "    - flatten\n", "    - dense: {units: 784}\n",
         "x.yaml:7:5: decoder gives 784 values, input is 28×28×1; end the decoder with reshape: [28, 28, 1]"},
        {"[16]", "    - dense: {units: 4}\n", "    - dense: {units: 16}\n    - reshape: [4, 4]\n",
         "x.yaml:7:5: decoder gives 4×4 = 16 values, input is 16; end the decoder with flatten"},
        {"[784]", "    - conv2d: {filters: 4}\n", "    - dense: {units: 784}\n",
         "x.yaml:5:7: conv2d needs height×width×channels, but gets 784; put a reshape before it"},
        {"[4, 4, 1]", "    - conv2d: {filters: 4, kernel_size: 5, padding: valid}\n", "    - flatten\n",
         "x.yaml:5:7: conv2d with kernel 5×5 does not fit into 4×4×1 with padding valid"},
    };
    for (size_t i = 0; i < sizeof mistake / sizeof mistake[0]; i++) {
        strait_error err;
        assert_int_equal(build_error(mistake[i].input, mistake[i].encoder, mistake[i].decoder, &err), STRAIT_SHAPE);
        assert_string_equal(err.message, mistake[i].message);
    }
}

/* Puts a first layer that the recipe's own limits would not let through into a graph. */
static strait_status graph_with(const st_layer *layer, strait_error *err) {
    strait_recipe *recipe = parse(every_layer, "x.yaml");
    const st_pos pos = recipe->model.encoder[0].pos;
    recipe->model.encoder[0] = *layer;
    recipe->model.encoder[0].pos = pos;
    st_graph *graph = NULL;
    const strait_status status = st_model_graph(&graph, recipe, true, true, err);
    assert_true((status == STRAIT_OK) == (graph != NULL));
    st_graph_free(graph);
    strait_recipe_free(recipe);
    return status;
}

static void what_no_memory_holds_is_refused_before_it_is_taken(void **state) {
    (void)state;
    strait_error err = {0};
    const st_layer wide = {.kind = ST_LAYER_DENSE, .units = 1000000000000, .bias = true};
    assert_int_equal(graph_with(&wide, &err), STRAIT_SHAPE);
    /* 1 * 10^12 + 10^12 */
    const char *expected = "x.yaml:6:7: dense (encoder.0) brings the model to 2000000000000 parameters × 4 bytes = "
                           "8000.0 GB, but this machine has ";
    if (strncmp(err.message, expected, strlen(expected)) != 0) fail_msg("%s", err.message);
    const int64_t huge = 9000000000000000000;
    const st_layer hostile[] = {
        {.kind = ST_LAYER_DENSE, .units = huge},
        {.kind = ST_LAYER_DENSE, .units = -1},
        {.kind = ST_LAYER_CONV2D, .filters = 1, .kernel_size = {huge, huge}, .strides = {1, 1}},
        {.kind = ST_LAYER_CONV2D, .filters = huge, .kernel_size = {1, 1}, .strides = {1, 1}},
        {.kind = ST_LAYER_CONV2D, .filters = 1, .kernel_size = {1, 1}, .strides = {huge, huge}},
        {.kind = ST_LAYER_CONV2D_TRANSPOSE, .filters = 1, .kernel_size = {1, 1}, .strides = {huge, 1}},
        {.kind = ST_LAYER_CONV2D_TRANSPOSE, .filters = 1, .kernel_size = {1, 1}, .strides = {1000000000, 1000000000}},
        {.kind = ST_LAYER_CONV2D_TRANSPOSE, .filters = 1, .kernel_size = {10000000, 10000000}, .strides = {1, 1}},
        {.kind = ST_LAYER_RESHAPE, .n_dims = 2, .dim = {huge, huge}},
    };
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        assert_int_equal(graph_with(&hostile[i], &err), STRAIT_SHAPE);
        assert_memory_equal(err.message, "x.yaml:6:7: ", 12);
    }
}

static void graph_of_every_layer(void **state) {
    (void)state;
    strait_model *model = build(every_layer);
    const st_graph *graph = model->graph;
    assert_int_equal(graph->n_encoder_ops, 3);
    /* The decoder's first activation stays an op of its own; the second fuses into the dense layer before it. */
    static const st_op_kind kind[] = {ST_OP_CONV2D, ST_OP_RESHAPE, ST_OP_DENSE,           ST_OP_ACTIVATION,
                                      ST_OP_DENSE,  ST_OP_RESHAPE, ST_OP_CONV2D_TRANSPOSE};
    assert_int_equal(graph->n_ops, 7);
    for (int i = 0; i < graph->n_ops; i++)
        assert_int_equal(graph->op[i].kind, kind[i]);
    assert_int_equal(graph->op[2].activation.kind, ST_LINEAR);
    assert_int_equal(graph->op[3].activation.kind, ST_TANH);
    assert_int_equal(graph->op[4].activation.kind, ST_RELU);
    assert_int_equal(graph->op[4].layer, 1);
    assert_int_equal(graph->op[6].layer, 4);
    /* Names by the layer's index in its list, shapes as Keras has them. */
    static const char *const name[] = {"encoder.0.kernel", "encoder.0.bias",   "encoder.2.kernel", "encoder.2.bias",
                                       "decoder.1.kernel", "decoder.4.kernel", "decoder.4.bias"};
    static const int64_t count[] = {3 * 3 * 1 * 3, 3, 18 * 6, 6, 6 * 12, 3 * 3 * 1 * 2, 1};
    assert_int_equal(graph->n_parameters, 7);
    int64_t sum = 0;
    for (int i = 0; i < 7; i++) {
        assert_string_equal(graph->parameter[i].name, name[i]);
        assert_int_equal(st_shape_count(&graph->parameter[i].shape), count[i]);
        sum += count[i];
    }
    assert_int_equal(strait_model_parameters(model), sum);
    assert_int_equal(strait_model_latent_size(model), 6);
    const st_shape in = st_model_input_shape(model), out = st_model_output_shape(model);
    assert_true(in.n_dims == 3 && in.dim[0] == 6 && in.dim[1] == 4 && in.dim[2] == 1);
    assert_true(st_shape_equal(&in, &out));
    strait_model_free(model);
}

static void halves_have_their_own_graph(void **state) {
    (void)state;
    strait_recipe *recipe = parse(every_layer, "x.yaml");
    st_graph *encoder = NULL, *decoder = NULL;
    assert_int_equal(st_model_graph(&encoder, recipe, true, false, NULL), STRAIT_OK);
    assert_int_equal(st_model_graph(&decoder, recipe, false, true, NULL), STRAIT_OK);
    assert_int_equal(encoder->n_ops, 3);
    assert_int_equal(encoder->n_encoder_ops, 3);
    assert_int_equal(encoder->output, -1);
    assert_int_equal(st_shape_count(&encoder->tensor[encoder->latent].shape), 6);
    assert_int_equal(decoder->n_ops, 4);
    assert_int_equal(decoder->n_encoder_ops, 0);
    assert_int_equal(decoder->latent, decoder->input);
    assert_int_equal(st_shape_count(&decoder->tensor[decoder->input].shape), 6);
    assert_int_equal(st_shape_count(&decoder->tensor[decoder->output].shape), 24);
    assert_int_equal(decoder->parameter[0].offset, 0);
    st_graph_free(encoder);
    st_graph_free(decoder);
    strait_recipe_free(recipe);
}

/* Keras: Dense on a tensor of more dimensions works on the last axis. */
static void dense_works_on_the_last_axis(void **state) {
    (void)state;
    strait_model *model = build("name: x\nmodel:\n  input: [5, 4, 3]\n  encoder:\n    - dense: {units: 2}\n  decoder:\n"
                                "    - dense: {units: 3}\ntrain: {loss: mse, optimizer: adam}\n");
    const st_shape latent = model->graph->tensor[model->graph->latent].shape;
    assert_true(latent.n_dims == 3 && latent.dim[0] == 5 && latent.dim[1] == 4 && latent.dim[2] == 2);
    assert_int_equal(strait_model_parameters(model), 3 * 2 + 2 + 2 * 3 + 3);
    strait_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_name_the_line_and_both_sides),
        cmocka_unit_test(what_no_memory_holds_is_refused_before_it_is_taken),
        cmocka_unit_test(graph_of_every_layer),
        cmocka_unit_test(halves_have_their_own_graph),
        cmocka_unit_test(dense_works_on_the_last_axis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
