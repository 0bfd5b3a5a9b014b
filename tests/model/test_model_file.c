/* Models in files: round trips, halves, what other programs read, and files that do not fit their recipe. */
#include "model_check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static void assert_same_model(const strait_model *a, const strait_model *b) {
    assert_int_equal(a->graph->n_values, b->graph->n_values);
    assert_memory_equal(a->values, b->values, (size_t)a->graph->n_values * sizeof *a->values);
    assert_string_equal(strait_model_recipe(a), strait_model_recipe(b));
}

static void assert_same_bytes(const char *a, const char *b) {
    char *x = NULL, *y = NULL;
    size_t n_x, n_y;
    assert_int_equal(st_file_read(&x, &n_x, a, 1 << 20, NULL), STRAIT_OK);
    assert_int_equal(st_file_read(&y, &n_y, b, 1 << 20, NULL), STRAIT_OK);
    assert_int_equal(n_x, n_y);
    assert_memory_equal(x, y, n_x);
    st_free(x);
    st_free(y);
}

static void whole_model_comes_back(void **state) {
    (void)state;
    strait_model *model = build(every_layer), *again = NULL;
    assert_int_equal(strait_model_save(model, STRAIT_MODEL_WHOLE, test_path("a.safetensors"), NULL), STRAIT_OK);
    strait_error err = {0};
    if (st_model_read(&again, test_path("a.safetensors"), &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_true(again->has_encoder && again->has_decoder);
    assert_same_model(model, again);
    assert_int_equal(strait_model_save(again, STRAIT_MODEL_WHOLE, test_path("b.safetensors"), NULL), STRAIT_OK);
    assert_same_bytes(test_path("a.safetensors"), test_path("b.safetensors"));
    strait_model_free(model);
    strait_model_free(again);
}

static void halves_come_back_alone(void **state) {
    (void)state;
    strait_model *model = build(every_layer), *encoder = NULL, *decoder = NULL;
    const char *path = test_path("encoder.safetensors");
    assert_int_equal(strait_model_save(model, STRAIT_MODEL_ENCODER, path, NULL), STRAIT_OK);
    assert_int_equal(st_model_read(&encoder, path, NULL), STRAIT_OK);
    assert_true(encoder->has_encoder && !encoder->has_decoder);
    const int64_t n = encoder->graph->n_values;
    assert_int_equal(n, 27 + 3 + 108 + 6);
    assert_memory_equal(encoder->values, model->values, (size_t)n * 4);
    assert_int_equal(st_model_output_shape(encoder).dim[0], 6);

    const char *other = test_path("decoder.safetensors");
    assert_int_equal(strait_model_save(model, STRAIT_MODEL_DECODER, other, NULL), STRAIT_OK);
    assert_int_equal(st_model_read(&decoder, other, NULL), STRAIT_OK);
    assert_true(!decoder->has_encoder && decoder->has_decoder);
    assert_int_equal(decoder->graph->n_values, model->graph->n_values - n);
    assert_memory_equal(decoder->values, model->values + n, (size_t)decoder->graph->n_values * 4);
    assert_int_equal(st_model_input_shape(decoder).dim[0], 6);
    assert_int_equal(strait_model_latent_size(decoder), 6);

    /* All of a half is that half; the half it does not have cannot be saved. */
    assert_int_equal(strait_model_save(encoder, STRAIT_MODEL_WHOLE, test_path("again.safetensors"), NULL), STRAIT_OK);
    assert_same_bytes(path, test_path("again.safetensors"));
    strait_error err;
    assert_int_equal(strait_model_save(encoder, STRAIT_MODEL_DECODER, "d.safetensors", &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "d.safetensors: this model has no decoder to save");
    strait_model_free(model);
    strait_model_free(encoder);
    strait_model_free(decoder);
}

/* Read by Python: the safetensors module where it is installed, else a reader written from the format's description. */
static const char python[] =
    "import json, struct, sys\n"
    "b = open(sys.argv[1], 'rb').read()\n"
    "n, = struct.unpack('<Q', b[:8])\n"
    "h = json.loads(b[8:8 + n])\n"
    "m = h.pop('__metadata__')\n"
    "assert m['format'] == 'strait' and 'encoder:' in m['strait.recipe']\n"
    "t = {}\n"
    "for name, e in h.items():\n"
    "    begin, end = e['data_offsets']\n"
    "    v = struct.unpack('<%df' % ((end - begin) // 4), b[8 + n + begin:8 + n + end])\n"
    "    t[name] = (e['shape'], v)\n"
    "try:\n"
    "    from safetensors.numpy import load_file\n"
    "    t = {k: (list(v.shape), v.ravel().tolist()) for k, v in load_file(sys.argv[1]).items()}\n"
    "except ImportError:\n"
    "    pass\n"
    "for name in sorted(t):\n"
    "    s, v = t[name]\n"
    "    print(name, len(v), 'x'.join(map(str, s)), float(v[0]).hex(), float(v[-1]).hex())\n";

static void read_by_python(void **state) {
    (void)state;
    if (system("python3 -c 'import json, struct' 2>/dev/null") != 0) skip();
    strait_model *model = build(every_layer);
    assert_int_equal(strait_model_save(model, STRAIT_MODEL_WHOLE, test_path("py.safetensors"), NULL), STRAIT_OK);
    char command[2048];
    snprintf(command, sizeof command, "python3 '%s' '%s'", test_file("read.py", python, strlen(python)),
             test_path("py.safetensors"));
    FILE *lines = popen(command, "r");
    assert_non_null(lines);
    /* In order of names, shapes as Keras has them. */
    static const char *const shape[] = {"6x12", "1", "3x3x1x2", "3", "3x3x1x3", "6", "18x6"};
    static const int index[] = {4, 6, 5, 1, 0, 3, 2};
    for (int i = 0; i < 7; i++) {
        char name[64], dims[32];
        long long n;
        double first, last;
        assert_int_equal(fscanf(lines, "%63s %lld %31s %la %la", name, &n, dims, &first, &last), 5);
        const st_parameter *parameter = &model->graph->parameter[index[i]];
        assert_string_equal(name, parameter->name);
        assert_string_equal(dims, shape[i]);
        assert_int_equal(n, st_shape_count(&parameter->shape));
        assert_true(first == (double)model->values[parameter->offset]);
        assert_true(last == (double)model->values[parameter->offset + n - 1]);
    }
    assert_int_equal(pclose(lines), 0);
    strait_model_free(model);
}

/* A checkpoint: the model's tensors, others of the training's own beside them, other values than the model's. */
static void a_checkpoint_is_a_model_too(void **state) {
    (void)state;
    strait_model *model = build(every_layer), *again = NULL;
    const size_t n_values = (size_t)model->graph->n_values;
    float *values = st_alloc(n_values, sizeof *values);
    for (size_t i = 0; i < n_values; i++)
        values[i] = (float)i;
    st_named_tensor *tensor = NULL;
    size_t n = 0;
    assert_int_equal(st_model_tensors(&tensor, &n, model, STRAIT_MODEL_WHOLE, values, NULL), STRAIT_OK);
    assert_int_equal(n, 7);
    st_named_tensor all[10];
    memcpy(all, tensor, n * sizeof *tensor);
    all[7] = (st_named_tensor){"optimizer.m", 1, {5}, values};
    all[8] = (st_named_tensor){"best.encoder.0.kernel", 1, {5}, values};
    all[9] = (st_named_tensor){"training.position", 1, {2}, values};
    st_metadata metadata[ST_MODEL_N_METADATA];
    const size_t n_metadata = st_model_metadata(metadata, model, STRAIT_MODEL_WHOLE);
    const char *path = test_path("checkpoint.safetensors");
    assert_int_equal(st_safetensors_write(path, 10, all, n_metadata, metadata, NULL), STRAIT_OK);
    assert_int_equal(st_model_read(&again, path, NULL), STRAIT_OK);
    assert_memory_equal(again->values, values, n_values * sizeof *values);
    st_free(tensor);
    st_free(values);
    strait_model_free(model);
    strait_model_free(again);
}

typedef enum damage { RENAME, DROP, RESHAPE, FORMAT, VERSION, PART, NO_RECIPE, BAD_RECIPE, HUGE_RECIPE } damage;

/* Writes the model with one thing wrong and reads it. */
static void read_damaged(damage what, strait_status expected, const char *message) {
    strait_model *model = build(every_layer), *again = NULL;
    st_named_tensor *tensor = NULL;
    size_t n = 0;
    assert_int_equal(st_model_tensors(&tensor, &n, model, STRAIT_MODEL_WHOLE, NULL, NULL), STRAIT_OK);
    st_metadata metadata[ST_MODEL_N_METADATA];
    size_t n_metadata = st_model_metadata(metadata, model, STRAIT_MODEL_WHOLE);
    switch (what) {
    case RENAME: tensor[6].name = "decoder.9.bias"; break;
    case DROP: n--; break;
    case RESHAPE:
        tensor[2].dim[0] = 6;
        tensor[2].dim[1] = 18;
        break;
    case FORMAT: metadata[0].value = "pt"; break;
    case VERSION: metadata[1].value = "2"; break;
    case PART: metadata[2].value = "middle"; break;
    case NO_RECIPE: n_metadata--; break;
    case BAD_RECIPE: metadata[3].value = "name: x\nmodle: {}\n"; break;
    case HUGE_RECIPE: /* 1.1 PB, in the file's words */
        metadata[3].value =
            "name: x\nmodel: {input: [4], encoder: [dense: {units: 16777216}, dense: {units: 16777216}], "
            "decoder: [dense: {units: 4}]}\ntrain: {loss: mse, optimizer: adam}\n";
        break;
    }
    /* A name of its own in the working folder keeps the message short. */
    assert_int_equal(chdir(test_folder()), 0);
    assert_int_equal(st_safetensors_write("m.safetensors", n, tensor, n_metadata, metadata, NULL), STRAIT_OK);
    strait_error err = {0};
    assert_int_equal(st_model_read(&again, "m.safetensors", &err), expected);
    if (strncmp(err.message, message, strlen(message)) != 0)
        fail_msg("expected: %s\n     got: %s", message, err.message);
    assert_null(again);
    st_free(tensor);
    strait_model_free(model);
}

static void damaged_models(void **state) {
    (void)state;
    read_damaged(RENAME, STRAIT_FORMAT,
                 "m.safetensors: tensor 'decoder.9.bias' belongs to no layer of the model in its metadata");
    read_damaged(DROP, STRAIT_FORMAT, "m.safetensors: tensor 'decoder.4.bias' is missing; the file is damaged");
    read_damaged(RESHAPE, STRAIT_FORMAT, "m.safetensors: tensor 'encoder.2.kernel' is 6×18, but its layer needs 18×6");
    read_damaged(FORMAT, STRAIT_FORMAT,
                 "m.safetensors: a safetensors file, but not a Strait model: its metadata do not say so");
    read_damaged(VERSION, STRAIT_FORMAT,
                 "m.safetensors: version '2' of the model format; this program reads version 1");
    read_damaged(PART, STRAIT_FORMAT, "m.safetensors: 'strait.part' is 'middle'; it must be whole, encoder or decoder");
    read_damaged(NO_RECIPE, STRAIT_FORMAT, "m.safetensors: its metadata hold no 'strait.recipe'");
    read_damaged(BAD_RECIPE, STRAIT_RECIPE, "m.safetensors:2:1: unknown key 'modle'");
    read_damaged(HUGE_RECIPE, STRAIT_SHAPE, "m.safetensors:2:");
}

static void every_allocation_failing(void **state) {
    (void)state;
    strait_recipe *recipe = parse(every_layer, "x.yaml");
    const char *path = test_path("failing.safetensors");
    strait_status status[3] = {STRAIT_MEMORY, STRAIT_MEMORY, STRAIT_MEMORY};
    strait_model *model = NULL, *again = NULL;
    uint64_t n = 0;
    while (status[0] == STRAIT_MEMORY) {
        st_alloc_fail_at(++n);
        status[0] = strait_model_build(&model, recipe, NULL);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status[0], STRAIT_OK);
    assert_true(n > 20); /* the recipe's copy, its text, the graph, the values */
    for (n = 0; status[1] == STRAIT_MEMORY;) {
        st_alloc_fail_at(++n);
        status[1] = strait_model_save(model, STRAIT_MODEL_WHOLE, path, NULL);
        assert_int_equal(access(path, 0) == 0, status[1] == STRAIT_OK);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status[1], STRAIT_OK);
    assert_true(n > 4);
    for (n = 0; status[2] == STRAIT_MEMORY;) {
        st_alloc_fail_at(++n);
        status[2] = st_model_read(&again, path, NULL);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status[2], STRAIT_OK);
    assert_true(n > 20);
    assert_same_model(model, again);
    strait_model_free(model);
    strait_model_free(again);
    strait_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_model_comes_back), cmocka_unit_test(halves_come_back_alone),
        cmocka_unit_test(read_by_python),         cmocka_unit_test(a_checkpoint_is_a_model_too),
        cmocka_unit_test(damaged_models),         cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
