/* What recipes mean: the shipped ones as their sources have them, defaults, every key, and the way back to YAML. */
#include <math.h>
#include <stdlib.h>
#include "recipe_check.h"

static strait_recipe *open_shipped(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/recipes/%s.yaml", STRAIT_SOURCE_DIR, name);
    strait_recipe *recipe = NULL;
    strait_error err = {0};
    if (strait_recipe_open(&recipe, path, 0, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return recipe;
}

static void assert_dense(const st_layer *layer, int64_t units, st_activation_kind activation) {
    assert_int_equal(layer->kind, ST_LAYER_DENSE);
    assert_int_equal(layer->units, units);
    assert_int_equal(layer->activation.kind, activation);
    assert_true(layer->bias);
}

static void assert_conv(const st_layer *layer, st_layer_kind kind, int64_t filters, int64_t stride,
                        st_activation_kind activation) {
    assert_int_equal(layer->kind, kind);
    assert_int_equal(layer->filters, filters);
    assert_int_equal(layer->kernel_size[0], 3);
    assert_int_equal(layer->kernel_size[1], 3);
    assert_int_equal(layer->strides[0], stride);
    assert_int_equal(layer->strides[1], stride);
    assert_int_equal(layer->padding, ST_SAME);
    assert_int_equal(layer->activation.kind, activation);
    assert_true(layer->bias);
}

static void assert_image(const strait_recipe *recipe) {
    assert_int_equal(recipe->model.n_input_dims, 3);
    assert_int_equal(recipe->model.input_dim[0], 28);
    assert_int_equal(recipe->model.input_dim[1], 28);
    assert_int_equal(recipe->model.input_dim[2], 1);
}

/* Adam with Keras' defaults: keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7). */
static void assert_keras_adam(const st_optimizer *optimizer) {
    assert_int_equal(optimizer->kind, ST_OPTIMIZER_ADAM);
    assert_true(optimizer->learning_rate == 0.001);
    assert_true(optimizer->beta_1 == 0.9);
    assert_true(optimizer->beta_2 == 0.999);
    assert_true(optimizer->epsilon == 1e-7);
}

/* The TensorFlow tutorial "Intro to Autoencoders". */
static void fashion_recipes_are_the_tutorials(void **state) {
    (void)state;
    static const char *const names[] = {"fashion-basic", "fashion-denoise-dense", "fashion-denoise-conv"};
    for (int i = 0; i < 3; i++) {
        strait_recipe *recipe = open_shipped(names[i]);
        assert_string_equal(strait_recipe_name(recipe), names[i]);
        assert_string_equal(strait_recipe_source(recipe), "fashion-mnist");
        assert_string_equal(recipe->data.validation_split, "test");
        assert_true(recipe->data.validation_fraction == 0);
        assert_int_equal(recipe->data.scale, ST_SCALE_UNIT);
        assert_image(recipe);
        assert_int_equal(recipe->train.loss.term[0].kind, ST_LOSS_MSE);
        assert_keras_adam(&recipe->train.optimizer);
        assert_int_equal(recipe->train.epochs, 10);
        assert_int_equal(recipe->train.batch_size, 32);
        assert_true(recipe->train.shuffle);
        assert_false(recipe->train.early_stopping.on);
        assert_int_equal(st_corrupt_any(&recipe->data.corrupt), i > 0);
        if (i > 0) {
            assert_true(recipe->data.corrupt.gaussian == 0.2);
            assert_true(recipe->data.corrupt.clip);
            assert_true(recipe->data.corrupt.clip_low == 0 && recipe->data.corrupt.clip_high == 1);
        }
        const st_layer *encoder = recipe->model.encoder, *decoder = recipe->model.decoder;
        assert_int_equal(recipe->model.n_encoder, 2);
        assert_int_equal(recipe->model.n_decoder, i < 2 ? 2 : 3);
        if (i < 2) {
            assert_int_equal(encoder[0].kind, ST_LAYER_FLATTEN);
            assert_dense(&encoder[1], 64, ST_RELU);
            assert_dense(&decoder[0], 784, ST_SIGMOID);
            assert_int_equal(decoder[1].kind, ST_LAYER_RESHAPE);
            assert_int_equal(decoder[1].n_dims, 3);
        } else {
            assert_conv(&encoder[0], ST_LAYER_CONV2D, 16, 2, ST_RELU);
            assert_conv(&encoder[1], ST_LAYER_CONV2D, 8, 2, ST_RELU);
            assert_conv(&decoder[0], ST_LAYER_CONV2D_TRANSPOSE, 8, 2, ST_RELU);
            assert_conv(&decoder[1], ST_LAYER_CONV2D_TRANSPOSE, 16, 2, ST_RELU);
            assert_conv(&decoder[2], ST_LAYER_CONV2D, 1, 1, ST_SIGMOID);
        }
        assert_round_trip(recipe);
        strait_recipe_free(recipe);
    }
}

static void mnist_dense_is_its_sources(void **state) {
    (void)state;
    strait_recipe *recipe = open_shipped("mnist-dense");
    assert_string_equal(strait_recipe_source(recipe), "mnist");
    assert_null(recipe->data.validation_split);
    assert_true(recipe->data.validation_fraction == 0.8);
    assert_image(recipe);
    assert_int_equal(recipe->model.n_encoder, 3);
    assert_dense(&recipe->model.encoder[1], 392, ST_RELU);
    assert_dense(&recipe->model.encoder[2], 10, ST_RELU);
    assert_int_equal(recipe->model.n_decoder, 3);
    assert_dense(&recipe->model.decoder[0], 392, ST_RELU);
    assert_dense(&recipe->model.decoder[1], 784, ST_SIGMOID);
    assert_keras_adam(&recipe->train.optimizer);
    assert_int_equal(recipe->train.epochs, 50);
    assert_int_equal(recipe->train.batch_size, 128);
    assert_true(recipe->train.early_stopping.on);
    assert_int_equal(recipe->train.early_stopping.patience, 5);
    assert_true(recipe->train.early_stopping.min_delta == 0);
    assert_false(recipe->train.early_stopping.restore_best);
    assert_round_trip(recipe);
    strait_recipe_free(recipe);
}

static void what_is_left_out_has_its_default(void **state) {
    (void)state;
    strait_recipe *recipe = parse_good(MODEL, NULL);
    assert_string_equal(recipe->name, "r"); /* the file's stem */
    assert_int_equal(recipe->seed, 42);
    assert_null(recipe->data.source);
    assert_null(recipe->data.validation_split);
    assert_true(recipe->data.validation_fraction == 0);
    assert_int_equal(recipe->data.scale, ST_SCALE_UNIT);
    assert_false(st_corrupt_any(&recipe->data.corrupt));
    assert_int_equal(recipe->data.limit, 0);
    assert_int_equal(recipe->data.n_only, 0);
    assert_int_equal(recipe->train.loss.term[0].kind, ST_LOSS_MSE);
    assert_keras_adam(&recipe->train.optimizer);
    assert_int_equal(recipe->train.epochs, 10);
    assert_int_equal(recipe->train.batch_size, 32);
    assert_true(recipe->train.shuffle);
    assert_false(recipe->train.early_stopping.on);
    assert_int_equal(recipe->train.threads, 0);
    assert_int_equal(recipe->train.micro_batch, 0);
    assert_int_equal(recipe->model.encoder[0].activation.kind, ST_LINEAR);
    assert_int_equal(recipe->data.source_pos.line, 0);            /* nobody wrote it ... */
    assert_ptr_equal(recipe->data.source_pos.file, recipe->file); /* ... but a message can name the file */
    assert_round_trip(recipe);
    strait_recipe_free(recipe);
}

/* Every key, none at its default; the text is what the writer gives, so the test shows its style too. */
static const char full[] =
    "name: full-1.2_x\n"
    "seed: 9007199254740992\n"
    "data:\n"
    "  source: \"pictures of \\\"mine\\\"/Grüße \\\\ #1.npy\"\n"
    "  validation: 0.1\n"
    "  scale: {minmax: {offset: -0.30000000000000004, factor: 1.0e-07}}\n"
    "  corrupt: {salt_pepper: 0.25, clip: [-1.5, 1.5]}\n"
    "  limit: 4294967295\n"
    "  only: [0, 2147483647]\n"
    "model:\n"
    "  input: [9, 7, 3]\n"
    "  encoder:\n"
    "    - conv2d: {filters: 4, kernel_size: [3, 5], strides: [2, 1], padding: valid, activation: "
    "{leaky_relu: {slope: 0.01}}, bias: false}\n"
    "    - activation: {elu: {alpha: 0.1}}\n"
    "    - activation: tanh\n"
    "    - flatten\n"
    "  decoder:\n"
    "    - reshape: [1, 2, 3, 4]\n"
    "    - conv2d_transpose: {filters: 16777216, kernel_size: 2, strides: 4096, padding: same, "
    "activation: leaky_relu, bias: true}\n"
    "    - dense: {units: 1, activation: softmax, bias: false}\n"
    "train:\n"
    "  loss: binary_crossentropy\n"
    "  optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9, nesterov: true}}\n"
    "  epochs: 1000000\n"
    "  batch_size: 1048576\n"
    "  shuffle: false\n"
    "  early_stopping: {patience: 3, min_delta: 1.0e-05, restore_best: true}\n"
    "  threads: 2\n"
    "  micro_batch: 16\n";

static void every_key_reads_and_writes(void **state) {
    (void)state;
    strait_recipe *recipe = parse_good(full, NULL);
    assert_int_equal(recipe->seed, 9007199254740992);
    assert_string_equal(recipe->data.source, "pictures of \"mine\"/Grüße \\ #1.npy");
    assert_true(recipe->data.validation_fraction == 0.1);
    assert_int_equal(recipe->data.scale, ST_SCALE_MINMAX);
    assert_true(recipe->data.scale_offset == -0.30000000000000004 && recipe->data.scale_factor == 1e-7);
    assert_true(recipe->data.corrupt.salt_pepper == 0.25);
    assert_true(recipe->data.corrupt.clip_low == -1.5 && recipe->data.corrupt.clip_high == 1.5);
    assert_int_equal(recipe->data.limit, 4294967295);
    assert_int_equal(recipe->data.n_only, 2);
    assert_int_equal(recipe->data.only[1], 2147483647);
    const st_layer *conv = &recipe->model.encoder[0];
    assert_int_equal(conv->kernel_size[0], 3);
    assert_int_equal(conv->kernel_size[1], 5);
    assert_int_equal(conv->strides[0], 2);
    assert_int_equal(conv->strides[1], 1);
    assert_int_equal(conv->padding, ST_VALID);
    assert_int_equal(conv->activation.kind, ST_LEAKY_RELU);
    assert_true(conv->activation.slope == 0.01f);
    assert_false(conv->bias);
    assert_int_equal(recipe->model.encoder[1].kind, ST_LAYER_ACTIVATION);
    assert_int_equal(recipe->model.encoder[1].activation.kind, ST_ELU);
    assert_true(recipe->model.encoder[1].activation.slope == 0.1f);
    assert_int_equal(recipe->model.decoder[0].n_dims, 4);
    assert_int_equal(recipe->model.decoder[0].dim[3], 4);
    assert_true(recipe->model.decoder[1].activation.slope == 0.3f); /* Keras' LeakyReLU */
    assert_int_equal(recipe->train.loss.term[0].kind, ST_LOSS_BINARY_CROSSENTROPY);
    assert_int_equal(recipe->train.optimizer.kind, ST_OPTIMIZER_SGD);
    assert_true(recipe->train.optimizer.nesterov && recipe->train.optimizer.momentum == 0.9);
    assert_false(recipe->train.shuffle);
    assert_true(recipe->train.early_stopping.restore_best && recipe->train.early_stopping.min_delta == 1e-5);
    assert_int_equal(recipe->train.threads, 2);
    assert_int_equal(recipe->train.micro_batch, 16);
    char *yaml = NULL;
    assert_int_equal(strait_recipe_to_yaml(&yaml, recipe, NULL), STRAIT_OK);
    assert_string_equal(yaml, full);
    strait_string_free(yaml);
    assert_round_trip(recipe);
    strait_recipe_free(recipe);
}

static void short_forms_mean_the_long_ones(void **state) {
    (void)state;
    static const char *const sets[][2] = {
        {"train.optimizer=sgd", "train.optimizer={sgd: {learning_rate: 0.01, momentum: 0, nesterov: false}}"},
        {"train.optimizer={adam: ~}", "train.optimizer=adam"},
        {"model.encoder.0={dense: {units: 3, activation: elu}}",
         "model.encoder.0={dense: {units: 3, activation: {elu: {alpha: 1}}, bias: true}}"},
        {"model.encoder.0={conv2d: {filters: 3, kernel_size: 5}}",
         "model.encoder.0={conv2d: {filters: 3, kernel_size: [5, 5], strides: [1, 1], padding: same, activation: "
         "linear}}"},
        {"data.validation=null", "data.scale=unit"},
    };
    for (size_t i = 0; i < COUNT(sets); i++) {
        strait_recipe *a = parse_good(MODEL, sets[i][0]), *b = parse_good(MODEL, sets[i][1]);
        assert_same_recipe(a, b);
        assert_round_trip(a);
        strait_recipe_free(a);
        strait_recipe_free(b);
    }
}

/* Doubles come back to the bit, whatever they are; here by a fixed sequence of bit patterns (xorshift64). */
static void numbers_come_back_to_the_bit(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252u;
    strait_recipe *recipe = parse_good(MODEL, "model.encoder.0={dense: {units: 3, activation: leaky_relu}}");
    recipe->data.scale = ST_SCALE_MINMAX;
    for (int i = 0; i < 2000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double offset, factor;
        memcpy(&offset, &bits, sizeof bits);
        factor = fabs(offset);
        if (!isfinite(offset) || factor == 0) continue;
        recipe->data.scale_offset = offset;
        recipe->data.scale_factor = factor;
        recipe->model.encoder[0].activation.slope = (float)(bits >> 40) * 0x1p-20f;
        assert_round_trip(recipe);
    }
    strait_recipe_free(recipe);
}

static void names_follow_the_file(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"recipes/my model.yaml", "my_model"},
        {"a/b.c.yml", "b.c"},
        {".hidden.yaml", "hidden"},
        {"<memory>", "_memory_"},
        {"..", "recipe"},
        {".yaml", "recipe"},
        {"dir/--x", "x"},
        {"grün.yaml", "gr__n"},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        strait_recipe *recipe = NULL;
        assert_int_equal(strait_recipe_parse(&recipe, MODEL, names[i][0], 0, NULL, NULL), STRAIT_OK);
        assert_string_equal(strait_recipe_name(recipe), names[i][1]);
        strait_recipe_free(recipe);
    }
}

/* Texts that another reader of YAML would take for something else are quoted; all come back. */
static void texts_come_back(void **state) {
    (void)state;
    static const char *const texts[] = {"null",    "~",
                                        "True",    "no",
                                        "12",      "1e5",
                                        "a: b",    "a #b",
                                        "-",       "- a",
                                        "[a]",     "{",
                                        "'",       "\"",
                                        "\\",      " a ",
                                        "*.npy",   "&a",
                                        "!x",      "%x",
                                        "@x",      "`x",
                                        "a,b",     "/x/y#test",
                                        "../x.gz", "\xf0\x9f\x8c\x8a",
                                        "ä",       "?",
                                        "a:",      "|",
                                        ">"};
    strait_recipe *recipe = parse_good(MODEL, NULL);
    for (size_t i = 0; i < COUNT(texts); i++) {
        recipe->data.source = (char *)(uintptr_t)texts[i];
        assert_round_trip(recipe);
    }
    /* What YAML cannot hold is refused, not written wrong. */
    static const char *const bad[] = {
        "",     "a\nb",     "\x7f",         "\xc2\x85",         "\xe2\x80\xa8", "\xef\xbb\xbfx",
        "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *yaml = (void *)1;
        strait_error err = {0};
        recipe->data.source = (char *)(uintptr_t)bad[i];
        assert_int_equal(strait_recipe_to_yaml(&yaml, recipe, &err), STRAIT_ARGUMENT);
        assert_null(yaml);
        assert_non_null(strstr(err.message, "cannot stand in a recipe"));
    }
    recipe->data.source = NULL;
    strait_recipe_free(recipe);
}

/* Positions are those of the file, for messages that come later; a copy has its own. */
static void positions_and_copies(void **state) {
    (void)state;
    const char *const set = "model.decoder.0={dense: {units: 4}}";
    const char *yaml =
        "# head\ndata:\n  source: x\n  validation: test\n  only: [1, 2]\nmodel:\n  input: [4]\n  encoder:\n"
        "    - dense: {units: 2}\n  decoder:\n    - dense: {units: 4}\n    - flatten\ntrain: {epochs: 3}\n";
    strait_recipe *recipe = parse_good(yaml, set), *copy = NULL;
    assert_int_equal(st_recipe_copy(&copy, recipe, NULL), STRAIT_OK);
    assert_same_recipe(recipe, copy);
    assert_ptr_not_equal(recipe->name, copy->name);
    assert_ptr_not_equal(recipe->data.only, copy->data.only);
    strait_recipe_free(recipe); /* the copy must not lean on it: the sanitizer would tell */
    const struct {
        const st_pos *pos;
        int line, column;
    } places[] = {
        {&copy->data.pos, 3, 3},   {&copy->data.source_pos, 3, 11},     {&copy->data.validation_pos, 4, 15},
        {&copy->model.pos, 7, 3},  {&copy->model.input_pos, 7, 10},     {&copy->model.decoder_pos, 11, 5},
        {&copy->train.pos, 13, 8}, {&copy->model.encoder[0].pos, 9, 7}, {&copy->model.decoder[1].pos, 12, 7},
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        assert_ptr_equal(places[i].pos->file, copy->file);
        assert_int_equal(places[i].pos->line, places[i].line);
        assert_int_equal(places[i].pos->column, places[i].column);
    }
    strait_error err;
    assert_int_equal(st_fail_at(&err, STRAIT_SHAPE, copy->model.decoder[1].pos, "does not fit"), STRAIT_SHAPE);
    assert_string_equal(err.message, "r.yaml:12:7: does not fit");
    st_fail_at(&err, STRAIT_SHAPE, copy->model.decoder[0].pos, "does not fit");
    assert_string_equal(err.message, "--set model.decoder.0={dense: {units: 4}}: does not fit");
    strait_recipe_free(copy);
    strait_recipe_free(NULL);
}

/* The tables name what the lists of kinds name, in their order; every row is documented. */
static void check_record(const st_record *record, int depth) {
    for (size_t i = 0; i < record->n_keys; i++) {
        const st_key *key = &record->keys[i];
        assert_non_null(key->name);
        assert_true(key->doc && key->doc[0]);
        assert_false(key->required && key->fallback);
        for (size_t j = 0; j < key->n_records; j++) {
            assert_true(key->records[j].doc && key->records[j].doc[0]);
            if (depth < 8) check_record(&key->records[j], depth + 1); /* layers hold layers */
        }
    }
}

static void tables_agree_with_the_lists(void **state) {
    (void)state;
    check_record(st_recipe_schema(), 0);
#define CHECK_LAYER(kind, text) assert_string_equal(st_layer_name(ST_LAYER_##kind), text);
    ST_LAYER_LIST(CHECK_LAYER)
    const st_key *activation = st_layer_schema(ST_LAYER_ACTIVATION)->keys;
#define CHECK_ACTIVATION(kind, text) assert_string_equal(activation->records[ST_##kind].name, text);
    ST_ACTIVATION_LIST(CHECK_ACTIVATION)
#define CHECK_OPTIMIZER(kind, text) assert_string_equal(st_optimizer_name(ST_OPTIMIZER_##kind), text);
    ST_OPTIMIZER_LIST(CHECK_OPTIMIZER)
    const st_key *initializer = &st_layer_schema(ST_LAYER_DENSE)->keys[3];
    assert_string_equal(initializer->name, "initializer");
#define CHECK_INITIALIZER(kind, text) assert_string_equal(initializer->records[ST_##kind].name, text);
    ST_INITIALIZER_LIST(CHECK_INITIALIZER)
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fashion_recipes_are_the_tutorials),
        cmocka_unit_test(mnist_dense_is_its_sources),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(every_key_reads_and_writes),
        cmocka_unit_test(short_forms_mean_the_long_ones),
        cmocka_unit_test(numbers_come_back_to_the_bit),
        cmocka_unit_test(names_follow_the_file),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(positions_and_copies),
        cmocka_unit_test(tables_agree_with_the_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
