/* Every mistake gets one line that names the place, the key and the mend: the messages as people read them. */
#include "recipe_check.h"

typedef struct mistake {
    const char *yaml, *message;
} mistake;

static const mistake mistakes[] = {
    /* the document */
    {"", "r.yaml: is empty: a recipe has at least a 'model'"},
    {"# nothing\n", "r.yaml: is empty: a recipe has at least a 'model'"},
    {"hello\n", "r.yaml:1:1: a recipe is a map of keys: name, seed, data, model, train, watch"},
    {"- a\n", "r.yaml:1:1: a recipe is a map of keys: name, seed, data, model, train, watch"},
    {"name: a\n", "r.yaml: the recipe needs 'model': the network"},
    {MODEL "---\nname: b\n", "r.yaml:5:1: a second YAML document begins here: a recipe is one"},
    {"seed: &s 1\n" MODEL,
     "r.yaml:1:7: anchors ('&s') are not part of recipes: write the value out where it is needed"},
    {"seed: *s\n" MODEL, "r.yaml:1:7: aliases ('*s') are not part of recipes: write the value out (a text that begins "
                         "with '*' needs quotes)"},
    {"seed: !!int 1\n" MODEL, "r.yaml:1:7: tags ('tag:yaml.org,2002:int') are not part of recipes: leave it out"},
    {"seed: 1\nname: a\nseed: 2\n" MODEL, "r.yaml:3:1: key 'seed' is given twice, first in line 1; keep one"},
    {"[a]: 1\n", "r.yaml:1:1: a key must be a word, not a list or a map"},
    {"name: \"a\\0b\"\n" MODEL, "r.yaml:1:7: a text with a NUL character in it"},
    {"name: [a\nseed: 1\n", "r.yaml:2:5: not valid YAML: while parsing a flow sequence that begins in line 1, did not "
                            "find expected ',' or ']'"},
    {"data:\n\tsource: a\n", "r.yaml:2:1: not valid YAML: while scanning for the next token, found character that "
                             "cannot start any token (a tab: indent with spaces)"},
    {"name: \xff\n", "r.yaml:1:7: not a YAML text: invalid leading UTF-8 octet"},
    {"name: a\nseed: ü\xff\n", "r.yaml:2:8: not a YAML text: invalid leading UTF-8 octet"},
    /* unknown keys */
    {"trian:\n  epochs: 3\n" MODEL, "r.yaml:1:1: unknown key 'trian'; did you mean 'train'?"},
    {"foo: 1\n" MODEL, "r.yaml:1:1: unknown key 'foo'; there are: name, seed, data, model, train, watch"},
    {MODEL "train:\n  epoch: 3\n", "r.yaml:6:3: unknown key 'epoch' in train; did you mean 'epochs'?"},
    {MODEL "train:\n  batchSize: 3\n", "r.yaml:6:3: unknown key 'batchSize' in train; did you mean 'batch_size'?"},
    {"model:\n  input: [4]\n  encoder:\n    - dense: {unit: 2}\n", "r.yaml:4:15: unknown key 'unit' in dense; did you "
                                                                   "mean 'units'?"},
    {MODEL "train: {optimizer: {adam: {lr: 1}}}\n",
     "r.yaml:5:28: unknown key 'lr' in train.optimizer.adam; there are: learning_rate, beta_1, beta_2, epsilon"},
    {MODEL "data: {augment: {flip: true}}\n",
     "r.yaml:5:8: unknown key 'augment' in data; there are: source, validation, scale, corrupt, limit, only"},
    /* missing, empty, of a wrong type */
    {"model:\n  input: [4]\n", "r.yaml:2:3: model needs 'encoder': layers from the input to the latent"},
    {"model:\n  input: [4]\n  encoder: [dense]\n", "r.yaml:3:13: dense needs 'units': values it gives"},
    {"model: ~\n", "r.yaml: the recipe needs 'model': the network"},
    {"model:\n", "r.yaml:1:7: model is empty: give it a value, or leave the key out"},
    {"model: 3\n", "r.yaml:1:8: model must be a map of keys, as {input: ...}, not a single value"},
    {"model: [3]\n", "r.yaml:1:8: model must be a map of keys, as {input: ...}, not a list"},
    {MODEL "train:\n  epochs:\n", "r.yaml:6:10: train.epochs is empty: give it a value, or leave the key out"},
    {MODEL "train:\n  epochs: ten\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not 'ten'"},
    {MODEL "train:\n  epochs: 1.5\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '1.5'"},
    {MODEL "train:\n  epochs: 10.0\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '10.0'"},
    {MODEL "train:\n  epochs: \"10\"\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '10' in quotes"},
    {MODEL "train:\n  epochs: [10]\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not a list of 1"},
    {MODEL "train:\n  epochs: {n: 1}\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not a map"},
    {MODEL "train:\n  epochs: 0\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '0'"},
    {MODEL "train:\n  epochs: -3\n", "r.yaml:6:11: train.epochs must be a whole number ≥ 1, not '-3'"},
    {MODEL "train:\n  epochs: 1000001\n", "r.yaml:6:11: train.epochs must be at most 1000000, not '1000001'"},
    {MODEL "train:\n  epochs: 99999999999999999999\n",
     "r.yaml:6:11: train.epochs must be at most 1000000, not '99999999999999999999'"},
    {MODEL "train:\n  batch_size: 1048577\n", "r.yaml:6:15: train.batch_size must be at most 1048576, not '1048577'"},
    {MODEL "train:\n  shuffle: yes\n", "r.yaml:6:12: train.shuffle must be true or false, not 'yes'"},
    {MODEL "train:\n  shuffle: 1\n", "r.yaml:6:12: train.shuffle must be true or false, not '1'"},
    {MODEL "train:\n  early_stopping: {}\n",
     "r.yaml:6:19: train.early_stopping needs 'patience': epochs without improvement before it stops"},
    {MODEL "train:\n  threads: 0\n", "r.yaml:6:12: train.threads must be a whole number ≥ 1, not '0'"},
    {"seed: -1\n" MODEL, "r.yaml:1:7: seed must be a whole number ≥ 0, not '-1'"},
    {"name: a/b\n" MODEL,
     "r.yaml:1:7: name must be up to 100 letters, digits, '.', '_' or '-', the first no '.' or '-' "
     "(it names folders), not 'a/b'"},
    {"name: ..\n" MODEL, "r.yaml:1:7: name must be up to 100 letters, digits, '.', '_' or '-', the first no '.' or '-' "
                         "(it names folders), not '..'"},
    {"name: [a]\n" MODEL, "r.yaml:1:7: name must be a text, not a list of 1"},
    /* words */
    {MODEL "train:\n  loss: mes\n", "r.yaml:6:9: unknown loss 'mes'; did you mean 'mse'?"},
    {MODEL "train:\n  loss: huber\n", "r.yaml:6:9: unknown loss 'huber'; there are: mse, mae, binary_crossentropy"},
    {MODEL "train:\n  optimizer: adamw\n", "r.yaml:6:14: unknown optimizer 'adamw'; did you mean 'adam'?"},
    {MODEL "train:\n  optimizer: {rmsprop: {}}\n", "r.yaml:6:15: unknown optimizer 'rmsprop'; there are: sgd, adam"},
    {MODEL "train:\n  optimizer: {}\n", "r.yaml:6:14: optimizer: one optimizer must stand here, not an empty map"},
    {MODEL "train:\n  optimizer: {sgd: {}, adam: {}}\n", "r.yaml:6:24: 'adam' beside 'sgd': name one optimizer"},
    {MODEL "train:\n  optimizer: {sgd: {nesterov: true}}\n",
     "r.yaml:6:14: nesterov: true needs a momentum above 0, 0.9 for one"},
    {MODEL "train:\n  optimizer: {adam: {learning_rate: 0}}\n",
     "r.yaml:6:37: train.optimizer.adam.learning_rate must be a number > 0 and ≤ 1000, not '0'"},
    {MODEL "train:\n  optimizer: {adam: {beta_1: 1}}\n",
     "r.yaml:6:30: train.optimizer.adam.beta_1 must be a number ≥ 0 and < 1, not '1'"},
    {MODEL "train:\n  optimizer: {adam: {beta_1: .nan}}\n",
     "r.yaml:6:30: train.optimizer.adam.beta_1 must be a number ≥ 0 and < 1, not '.nan'"},
    /* data */
    {MODEL "data: {validation: 1}\n",
     "r.yaml:5:20: data.validation must be a fraction between 0 and 1, or the name of a split, not '1'"},
    {MODEL "data: {validation: 0}\n",
     "r.yaml:5:20: data.validation must be a fraction between 0 and 1, or the name of a split, not '0'"},
    {MODEL "data: {validation: [0.1]}\n",
     "r.yaml:5:20: data.validation must be a fraction between 0 and 1, or the name of a split, not a list of 1"},
    {MODEL "data: {scale: standard}\n", "r.yaml:5:15: unknown scale 'standard'; there are: unit, none, minmax"},
    {MODEL "data: {scale: {minmax: {offset: 1, factor: 0}}}\n",
     "r.yaml:5:44: data.scale.minmax.factor must be a number > 0, not '0'"},
    {MODEL "data: {corrupt: 0.2}\n",
     "r.yaml:5:17: data.corrupt must be a map of keys, as {gaussian: ...}, not a single value"},
    {MODEL "data: {corrupt: {clip: [0, 1]}}\n", "r.yaml:5:17: data.corrupt needs one of: gaussian, mask, salt_pepper"},
    {MODEL "data: {corrupt: {mask: 0.1, gaussian: 0.1}}\n",
     "r.yaml:5:18: 'mask' beside 'gaussian': data.corrupt takes one kind of noise"},
    {MODEL "data: {corrupt: {mask: 2}}\n", "r.yaml:5:24: data.corrupt.mask must be a number ≥ 0 and ≤ 1, not '2'"},
    {MODEL "data: {corrupt: {gaussian: 1, clip: [1, 0]}}\n",
     "r.yaml:5:37: data.corrupt.clip must be two numbers [low, high] with low < high"},
    {MODEL "data: {corrupt: {gaussian: 1, clip: true}}\n",
     "r.yaml:5:37: data.corrupt.clip must be [low, high], not 'true'"},
    {MODEL "data: {only: []}\n", "r.yaml:5:14: data.only must be a list of whole numbers like [0, 1], not a list of 0"},
    {MODEL "data: {only: [1, x]}\n", "r.yaml:5:18: data.only must be a whole number ≥ 0, not 'x'"},
    {MODEL "data: {limit: 0}\n", "r.yaml:5:15: data.limit must be a whole number ≥ 1, not '0'"},
    {MODEL "data: {source: \"a\\nb\"}\n",
     "r.yaml:5:16: data.source has a line break or another control character in it; "
     "write it as one line of plain text"},
    {MODEL "data: {source: \"\"}\n", "r.yaml:5:16: data.source is empty; write it as one line of plain text"},
    /* shapes */
    {"model: {input: 784}\n",
     "r.yaml:1:16: model.input must be a list like [height, width, channels] or [values], not '784'"},
    {"model: {input: [28, 28], encoder: [flatten], decoder: [flatten]}\n",
     "r.yaml:1:16: model.input must be [height, width, channels] or [features], not a list of 2"},
    {"model: {input: [28, 0, 1]}\n", "r.yaml:1:21: model.input must be a whole number ≥ 1, not '0'"},
    {"model: {input: [65536, 65536, 1]}\n", "r.yaml:1:16: model.input has more than 2147483648 values in one sample"},
    /* layers */
    {"model: {input: [4], encoder: []}\n",
     "r.yaml:1:30: model.encoder must be a list of layers, at least one, not a list of 0"},
    {"model: {input: [4], encoder: dense}\n",
     "r.yaml:1:30: model.encoder must be a list of layers, at least one, not 'dense'"},
    {"model: {input: [4], encoder: [dens]}\n", "r.yaml:1:31: unknown layer 'dens'; did you mean 'dense'?"},
    {"model: {input: [4], encoder: [{Conv2D: {filters: 3}}]}\n", "r.yaml:1:32: unknown layer 'Conv2D'; did you mean "
                                                                 "'conv2d'?"},
    {"model: {input: [4], encoder: [dropout]}\n", "r.yaml:1:31: unknown layer 'dropout'; there are: flatten, reshape, "
                                                  "dense, conv2d, conv2d_transpose, activation"},
    {"model: {input: [4], encoder: [[dense]]}\n", "r.yaml:1:31: encoder: one layer must stand here, not a list"},
    {"model: {input: [4], encoder: [{flatten: 3}]}\n", "r.yaml:1:41: flatten has no settings: write 'flatten' alone"},
    {"model: {input: [4], encoder: [{dense: 64}]}\n",
     "r.yaml:1:39: dense must be a map of keys, as {units: ...}, not a single value"},
    {"model:\n  input: [4]\n  encoder:\n    - dense:\n      units: 2\n",
     "r.yaml:5:7: 'units' stands beside 'dense', not inside it: write {dense: {units: ...}}, or indent it further"},
    {"model:\n  input: [4]\n  encoder:\n    - dense:\n",
     "r.yaml:4:13: dense is empty: its settings must follow, indented or in {}"},
    {"model: {input: [4], encoder: [{dense: {units: 0}}]}\n",
     "r.yaml:1:47: dense.units must be a whole number ≥ 1, not '0'"},
    {"model: {input: [4], encoder: [{dense: {units: 16777217}}]}\n",
     "r.yaml:1:47: dense.units must be at most 16777216, not '16777217'"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: rleu}}]}\n",
     "r.yaml:1:62: unknown activation 'rleu'; did you mean 'relu'?"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: swish}}]}\n",
     "r.yaml:1:62: unknown activation 'swish'; there are: linear, relu, leaky_relu, sigmoid, tanh, elu, softmax"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: {leaky_relu: {slope: -0.1}}}}]}\n",
     "r.yaml:1:83: leaky_relu.slope must be a number ≥ 0 and ≤ 1000000, not '-0.1'"},
    {"model: {input: [4], encoder: [{dense: {units: 2, activation: {relu: {slope: 1}}}}]}\n",
     "r.yaml:1:69: relu has no settings: write 'relu' alone"},
    {"model: {input: [4], encoder: [activation]}\n", "r.yaml:1:31: activation needs a value: the activation"},
    {"model: {input: [4], encoder: [{reshape: [2, -2]}]}\n",
     "r.yaml:1:45: reshape must be a whole number ≥ 1, not '-2'"},
    {"model: {input: [4], encoder: [{conv2d: {filters: 1, kernel_size: [3]}}]}\n",
     "r.yaml:1:66: conv2d.kernel_size must be a whole number or [height, width], not a list of 1"},
    {"model: {input: [4], encoder: [{conv2d: {filters: 1, strides: 0}}]}\n",
     "r.yaml:1:62: conv2d.strides must be a whole number ≥ 1, not '0'"},
    {"model: {input: [4], encoder: [{conv2d: {filters: 1, padding: full}}]}\n",
     "r.yaml:1:62: unknown padding 'full'; there are: same, valid"},
};

static void every_mistake_has_its_message(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        strait_recipe *recipe = (void *)1;
        strait_error err = {0};
        const strait_status status = strait_recipe_parse(&recipe, mistakes[i].yaml, "r.yaml", 0, NULL, &err);
        if (status != STRAIT_RECIPE || strcmp(err.message, mistakes[i].message) != 0)
            fail_msg("for\n%s\nstatus %d\nis:     %s\nwanted: %s", mistakes[i].yaml, (int)status, err.message,
                     mistakes[i].message);
        assert_int_equal(err.code, STRAIT_RECIPE);
        assert_null(recipe);
        assert_int_equal(strait_recipe_parse(&recipe, mistakes[i].yaml, "r.yaml", 0, NULL, NULL), STRAIT_RECIPE);
    }
}

/* Long texts are cut, whole characters remain, and the end of the message is still there. */
static void long_words_are_cut(void **state) {
    (void)state;
    st_text yaml = {0};
    char *text = NULL;
    st_text_add(&yaml, "%strain: {loss: a", MODEL);
    for (int i = 0; i < 500; i++)
        st_text_add(&yaml, "ü");
    st_text_add(&yaml, "}\n");
    assert_int_equal(st_text_take(&text, &yaml, NULL), STRAIT_OK);
    strait_recipe *recipe;
    strait_error err = {0};
    assert_int_equal(strait_recipe_parse(&recipe, text, "r.yaml", 0, NULL, &err), STRAIT_RECIPE);
    assert_string_equal(err.message,
                        "r.yaml:5:15: unknown loss 'aüüüüüüüüüüüüüüüüüüüüüüüüüüüüü…'; there are: mse, mae, "
                        "binary_crossentropy");
    st_free(text);
}

/* A very long path keeps its end and leaves room for the message. */
static void long_paths_are_cut(void **state) {
    (void)state;
    char path[3000];
    memset(path, 'd', sizeof path);
    snprintf(path + sizeof path - 9, 9, "/xx.yaml");
    strait_recipe *recipe;
    strait_error err = {0};
    assert_int_equal(strait_recipe_parse(&recipe, "foo: 1\n", path, 0, NULL, &err), STRAIT_RECIPE);
    assert_non_null(
        strstr(err.message, "dd/xx.yaml:1:1: unknown key 'foo'; there are: name, seed, data, model, train, watch"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_message),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(long_paths_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
