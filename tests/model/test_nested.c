/* Layers inside layers, gaussian latents, what the recipe adds at the ends of the halves; and the shipped recipes'
   parameter counts. */
#include "model_check.h"

#include <stdlib.h>

#include "base/string.h"

/* Encoder and decoder as lists in braces, on lines 3 and 4 of x.yaml; more: what follows. */
static strait_status try_build(strait_model **model, const char *input, const char *encoder, const char *decoder,
                               const char *more, strait_error *err) {
    char yaml[4096];
    snprintf(yaml, sizeof yaml, "model:\n  input: %s\n  encoder: %s\n  decoder: %s\n%s", input, encoder, decoder, more);
    strait_recipe *recipe = parse(yaml, "x.yaml");
    *err = (strait_error){0};
    const strait_status status = strait_model_build(model, recipe, err);
    strait_recipe_free(recipe);
    return status;
}

static strait_model *build_good(const char *input, const char *encoder, const char *decoder, const char *more) {
    strait_model *model = NULL;
    strait_error err;
    if (try_build(&model, input, encoder, decoder, more, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return model;
}

typedef struct wanted_op {
    st_op_kind kind;
    const char *name;
    int64_t count; /* of a sample's values */
} wanted_op;

static void check_ops(const st_graph *graph, const wanted_op *wanted, int n) {
    assert_int_equal(graph->n_ops, n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(graph->op[i].kind, wanted[i].kind);
        assert_string_equal(graph->op[i].name, wanted[i].name);
        assert_int_equal(st_shape_count(&graph->tensor[graph->op[i].dst].shape), wanted[i].count);
    }
}

static void parallel_slices_and_joins(void **state) {
    (void)state;
    strait_model *model = build_good(
        "[10]",
        "[{parallel: [{slice: [0, 6], layers: [{dense: {units: 4}}, batch_norm]}, {slice: [6, 10], layers: [{dense: "
        "{units: 2, bias: false}}]}]}, {residual: [{dense: {units: 6}}, {activation: relu}]}]",
        "[{parallel: [{layers: [{dense: {units: 3}}]}, {layers: [{activation: tanh}, {dense: {units: 7}}]}]}]", "");
    static const wanted_op ops[] = {
        {ST_OP_SLICE, "encoder.0.0", 6},        {ST_OP_DENSE, "encoder.0.0.0", 4},
        {ST_OP_BATCH_NORM, "encoder.0.0.1", 4}, {ST_OP_SLICE, "encoder.0.1", 4},
        {ST_OP_DENSE, "encoder.0.1.0", 2},      {ST_OP_CONCAT, "encoder.0", 6},
        {ST_OP_DENSE, "encoder.1.0", 6},        {ST_OP_ADD, "encoder.1", 6},
        {ST_OP_DENSE, "decoder.0.0.0", 3},      {ST_OP_ACTIVATION, "decoder.0.1.0", 6},
        {ST_OP_DENSE, "decoder.0.1.1", 7},      {ST_OP_CONCAT, "decoder.0", 10},
    };
    const st_graph *graph = model->graph;
    check_ops(graph, ops, 12);
    assert_int_equal(graph->n_encoder_ops, 8);
    assert_int_equal(graph->op[3].begin, 6);
    assert_true(graph->op[5].src == graph->op[2].dst && graph->op[5].src2 == graph->op[4].dst);
    assert_int_equal(graph->op[6].activation.kind, ST_RELU); /* fused: nobody else reads the dense layer */
    assert_true(graph->op[7].src == graph->op[5].dst && graph->op[7].src2 == graph->op[6].dst);
    assert_int_equal(graph->op[7].layer, 1);
    /* 6*4+4, 2*4 gamma and beta, 4*2, 6*6+6; 6*3+3, 6*7+7; moving mean and variance are not trained. */
    assert_int_equal(strait_model_parameters(model), 28 + 8 + 8 + 42 + 21 + 49);
    assert_int_equal(graph->n_values, 28 + 8 + 8 + 42 + 21 + 49 + 8);
    char text[48];
    st_model_op_text(text, sizeof text, model, &graph->op[6]);
    assert_string_equal(text, "dense (relu)");
    strait_model_free(model);
}

/* A residual's input keeps its values: the first activation inside is not fused into the layer before. */
static void a_residual_keeps_its_input(void **state) {
    (void)state;
    strait_model *model = build_good("[4]", "[{dense: {units: 4}}, {residual: [{activation: relu}, flatten]}]",
                                     "[{dense: {units: 4}}]", "");
    const st_graph *graph = model->graph;
    assert_int_equal(graph->op[0].activation.kind, ST_LINEAR);
    assert_int_equal(graph->op[1].kind, ST_OP_ACTIVATION);
    char text[48];
    st_model_op_text(text, sizeof text, model, &graph->op[2]);
    assert_string_equal(text, "flatten");
    assert_int_equal(graph->op[3].src, graph->op[0].dst);
    strait_model_free(model);
}

static void gaussian_latents(void **state) {
    (void)state;
    strait_model *model =
        build_good("[8]", "[{dense: {units: 5, activation: relu}}, {gaussian: {units: 2, beta: 0.5}}]",
                   "[{dense: {units: 8}}]", "train: {penalty: {latent: {l1: 0.1}}}");
    static const wanted_op ops[] = {
        {ST_OP_DENSE, "encoder.0", 5},  {ST_OP_DENSE, "encoder.1.mean", 2}, {ST_OP_DENSE, "encoder.1.log_variance", 2},
        {ST_OP_SAMPLE, "encoder.1", 2}, {ST_OP_PENALTY, "encoder.2", 2},    {ST_OP_DENSE, "decoder.0", 8},
    };
    const st_graph *graph = model->graph;
    check_ops(graph, ops, 6);
    assert_int_equal(graph->n_encoder_ops, 5);
    assert_int_equal(graph->latent, graph->op[4].dst);
    assert_true(graph->op[3].beta == 0.5 && !graph->op[3].kl_mean && graph->op[4].l1 == 0.1 && graph->op[4].l2 == 0);
    assert_string_equal(graph->parameter[2].name, "encoder.1.mean.kernel");
    assert_true(strait_model_is_variational(model));
    strait_model_free(model);

    model = build_good("[8]",
                       "[{gaussian: {mean: [{dense: {units: 5}}, {dense: {units: 3}}], log_variance: [{dense: {units: "
                       "3}}], kl: mean}}]",
                       "[{dense: {units: 8}}]", "");
    static const wanted_op layers[] = {
        {ST_OP_DENSE, "encoder.0.mean.0", 5},
        {ST_OP_DENSE, "encoder.0.mean.1", 3},
        {ST_OP_DENSE, "encoder.0.log_variance.0", 3},
        {ST_OP_SAMPLE, "encoder.0", 3},
        {ST_OP_DENSE, "decoder.0", 8},
    };
    check_ops(model->graph, layers, 5);
    assert_true(model->graph->op[3].src == model->graph->op[1].dst && model->graph->op[3].kl_mean);
    strait_model_free(model);
}

static void logits_end_in_a_sigmoid(void **state) {
    (void)state;
    strait_model *model = build_good("[4]", "[{dense: {units: 2}}]", "[{dense: {units: 4}}]",
                                     "train: {loss: {binary_crossentropy: {from_logits: true}}}");
    const st_graph *graph = model->graph;
    assert_int_equal(graph->n_ops, 3);
    assert_int_equal(graph->op[1].activation.kind, ST_LINEAR);
    assert_true(graph->op[2].kind == ST_OP_ACTIVATION && graph->op[2].activation.kind == ST_SIGMOID);
    assert_true(graph->logits == graph->op[1].dst && graph->output == graph->op[2].dst);
    assert_false(strait_model_is_variational(model));
    strait_model_free(model);
    model = build_good("[4]", "[{dense: {units: 2}}]", "[{dense: {units: 4}}]", "");
    assert_int_equal(model->graph->logits, -1);
    strait_model_free(model);
}

static void mistakes_name_the_branch_and_both_sides(void **state) {
    (void)state;
    static const struct {
        const char *input, *encoder, *message;
    } mistake[] = {
        {"[10]", "[{parallel: [{slice: [0, 4], layers: [flatten]}, {slice: [4, 9], layers: [flatten]}]}]",
         "x.yaml:3:61: the slices of parallel (encoder.0) end at 9, but the input's last axis has 10 values: the last "
         "1 are in none"},
        {"[10]", "[{parallel: [{slice: [0, 4], layers: [flatten]}, {slice: [5, 10], layers: [flatten]}]}]",
         "x.yaml:3:61: branch 1 of parallel (encoder.0): no slice takes values 4 to 4 of the input; begin at 4"},
        {"[10]", "[{parallel: [{slice: [0, 4], layers: [flatten]}, {slice: [3, 10], layers: [flatten]}]}]",
         "x.yaml:3:61: branch 1 of parallel (encoder.0): slice [3, 10] overlaps the one before, which ends at 4"},
        {"[10]", "[{parallel: [{slice: [4, 10], layers: [flatten]}, {slice: [0, 4], layers: [flatten]}]}]",
         "x.yaml:3:25: branch 0 of parallel (encoder.0): no slice takes values 0 to 3 of the input; begin at 0"},
        {"[10]", "[{parallel: [{slice: [0, 11], layers: [flatten]}]}]",
         "x.yaml:3:25: branch 0 of parallel (encoder.0): slice [0, 11] ends beyond the input, whose last axis has 10 "
         "values"},
        {"[4, 4, 2]", "[{parallel: [{layers: [{conv2d: {filters: 3}}]}, {layers: [max_pool2d]}]}]",
         "x.yaml:3:61: branch 1 of parallel (encoder.0) gives 2×2×2, but branch 0 gives 4×4×3: they may differ in the "
         "last axis alone"},
        {"[4, 4, 2]", "[{residual: [{conv2d: {filters: 3}}]}]",
         "x.yaml:3:13: residual (encoder.0): its layers give 4×4×3, but it gets 4×4×2; they must be the same to be "
         "added"},
        {"[4]", "[{gaussian: {mean: [{dense: {units: 2}}], log_variance: [{dense: {units: 3}}]}}]",
         "x.yaml:3:13: gaussian (encoder.0): mean gives 2, but log_variance gives 3; they must be of the same size"},
        {"[4, 4, 1]", "[{residual: [{max_pool2d: {size: 5}}]}]", NULL},
        {"[4]", "[max_pool2d]", NULL},
        {"[4, 4, 1]", "[{crop2d: 2}]", NULL},
        {"[4, 4, 1]", "[{zero_pad2d: 2000000}]", NULL},
        {"[256, 256, 64]", "[{upsample2d: {size: 4096}}]", NULL},
    };
    for (size_t i = 0; i < sizeof mistake / sizeof mistake[0]; i++) {
        strait_model *model = NULL;
        strait_error err;
        assert_int_equal(try_build(&model, mistake[i].input, mistake[i].encoder, "[flatten]", "", &err), STRAIT_SHAPE);
        assert_null(model);
        if (mistake[i].message)
            assert_string_equal(err.message, mistake[i].message);
        else if (strncmp(err.message, "x.yaml:3:", 9) != 0)
            fail_msg("%s", err.message);
    }
}

/* Residuals in one another, each number 10 of its list. */
static strait_status build_deep(int depth, strait_error *err) {
    st_text text = {0};
    char *encoder = NULL;
    st_text_add(&text, "[");
    for (int i = 0; i < depth; i++)
        st_text_add(&text, "flatten, flatten, flatten, flatten, flatten, flatten, flatten, flatten, flatten, flatten, "
                           "{residual: [");
    st_text_add(&text, "flatten");
    for (int i = 0; i < depth; i++)
        st_text_add(&text, "]}");
    st_text_add(&text, "]");
    assert_int_equal(st_text_take(&encoder, &text, NULL), STRAIT_OK);
    strait_model *model = NULL;
    const strait_status status = try_build(&model, "[4]", encoder, "[flatten]", "", err);
    st_free(encoder);
    strait_model_free(model);
    return status;
}

/* Names are kept whole: "encoder.10" and 3 more characters a level must leave room for ".log_variance" in 48. */
static void depth_ends_in_a_message(void **state) {
    (void)state;
    strait_error err;
    assert_int_equal(build_deep(7, &err), STRAIT_OK);
    assert_int_equal(build_deep(9, &err), STRAIT_RECIPE);
    assert_non_null(strstr(err.message, "lies too deep inside other layers"));
}

/* Trainable parameters as torch.nn counts them in the same layers (Conv2d, ConvTranspose2d, Linear, BatchNorm1d of
   PyTorch 1.13). */
static void shipped_recipes_have_their_parameters(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t parameters, others;
    } recipe[] = {
        {"nuclei", 34321633, 0},
        {"mnist-conv", 221153, 0},
        {"ecg-anomaly", 10484, 0},
        {"mnist-vae", 628004, 0},
        {"citeseq", 507097, 552},
        {"cells-1", 16833, 0},
        {"cells-2", 16833, 0},
        {"cells-3", 16833, 0},
        {"cells-4", 120673, 0},
        {"cells-4.1", 120673, 0},
        {"cells-5", 125027, 0},
        {"cells-6", 4385, 0},
        {"cells-7", 120673, 0},
        {"cells-8", 4963, 0},
        {"cells-old", 493249, 0},
        {"fashion-basic", 101200, 0},
        {"mnist-dense", 624074, 0},
        {"mnist-clusters", 3330794, 0},
        {"fashion-denoise-conv", 3217, 0},
        {"fashion-denoise-dense", 101200, 0},
    };
    setenv("STRAIT_RECIPES", STRAIT_SOURCE_DIR "/recipes", 1);
    for (size_t i = 0; i < sizeof recipe / sizeof recipe[0]; i++) {
        strait_recipe *read = NULL;
        st_graph *graph = NULL;
        strait_error err = {0};
        if (strait_recipe_open(&read, recipe[i].name, 0, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
        if (st_model_graph(&graph, read, true, true, &err) != STRAIT_OK) fail_msg("%s", err.message);
        assert_int_equal(st_graph_trainable(graph), recipe[i].parameters);
        assert_int_equal(graph->n_values - st_graph_trainable(graph), recipe[i].others); /* 2 a normalised value */
        st_graph_free(graph);
        strait_recipe_free(read);
    }
}

/* Moving statistics are saved under their names, and come back. */
static void states_are_in_the_file(void **state) {
    (void)state;
    strait_model *model =
                     build_good("[4]", "[{residual: [batch_norm]}, {dense: {units: 2}}]", "[{dense: {units: 4}}]", ""),
                 *again = NULL;
    for (int64_t i = 0; i < model->graph->n_values; i++)
        model->values[i] = (float)i;
    const char *path = test_path("states.safetensors");
    assert_int_equal(strait_model_save(model, STRAIT_MODEL_ENCODER, path, NULL), STRAIT_OK);
    strait_error err = {0};
    if (st_model_read(&again, path, &err) != STRAIT_OK) fail_msg("%s", err.message);
    const st_graph *graph = again->graph;
    assert_string_equal(graph->parameter[2].name, "encoder.0.0.moving_mean");
    assert_string_equal(graph->parameter[3].name, "encoder.0.0.moving_variance");
    assert_memory_equal(again->values, model->values, (size_t)graph->n_values * sizeof(float));
    strait_model_free(model);
    strait_model_free(again);
}

static void memory_runs_out_anywhere(void **state) {
    (void)state;
    strait_recipe *recipe =
        parse("model:\n  input: [6]\n  encoder:\n"
              "    - parallel: [{slice: [0, 2], layers: [flatten]}, {slice: [2, 6], layers: "
              "[{residual: [{dense: {units: 4}}, batch_norm, {dropout: 0.1}]}]}]\n"
              "    - gaussian: {units: 2}\n  decoder: [{dense: {units: 6}}]\n"
              "train: {penalty: {latent: {l2: 1}}, loss: {binary_crossentropy: {from_logits: true}}}\n",
              "x.yaml");
    for (uint64_t n = 1;; n++) {
        strait_model *model = NULL;
        strait_error err = {0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = strait_model_build(&model, recipe, &err);
        st_alloc_fail_at(0);
        const bool failed = st_alloc_count() - before >= n;
        assert_int_equal(status, failed ? STRAIT_MEMORY : STRAIT_OK);
        assert_true((model != NULL) == !failed);
        strait_model_free(model);
        if (!failed) break;
    }
    strait_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parallel_slices_and_joins),
        cmocka_unit_test(a_residual_keeps_its_input),
        cmocka_unit_test(gaussian_latents),
        cmocka_unit_test(logits_end_in_a_sigmoid),
        cmocka_unit_test(mistakes_name_the_branch_and_both_sides),
        cmocka_unit_test(depth_ends_in_a_message),
        cmocka_unit_test(shipped_recipes_have_their_parameters),
        cmocka_unit_test(states_are_in_the_file),
        cmocka_unit_test(memory_runs_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
