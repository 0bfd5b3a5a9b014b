/* What a training writes for people to look back at: the diagnosis and the watched reconstructions; the same over an
   interruption. */
#include "api/api_check.h"

#include "base/memory.h"
#include "image/png.h"

static bool rings(void *context) {
    int *left = context;
    return --*left == 0;
}

/* Trains, stopped after each `batches` batches and resumed (0: in one go). */
static strait_train_result train(const char *yaml, strait_data *data, int batches) {
    static const char *const overrides[] = {"watch.reconstructions=7"};
    strait_recipe *recipe = parse(yaml, 1, overrides);
    strait_train_result result;
    int left = batches;
    strait_train_options options = {.data = data, .out = fresh_folder()};
    options.observer = (strait_observer){.context = &left, .stop = rings};
    strait_error err = {0};
    strait_status status = strait_train(NULL, &result, recipe, &options, &err);
    char run[512];
    memcpy(run, result.run, sizeof run);
    while (status == STRAIT_INTERRUPTED) {
        left = batches;
        status = strait_train_resume(NULL, &result, run, 0, &options, &err);
    }
    if (status != STRAIT_OK) fail_msg("%s", err.message);
    strait_recipe_free(recipe);
    return result;
}

static char *bytes_of(const char *run, const char *name, size_t *n) {
    char path[64];
    snprintf(path, sizeof path, "reconstructions/%s", name);
    return read_bytes(file_of(run, path), n);
}

static void same_file(const char *a, const char *b, const char *name) {
    size_t n_a, n_b;
    char *x = bytes_of(a, name, &n_a), *y = bytes_of(b, name, &n_b);
    if (n_a != n_b || memcmp(x, y, n_a) != 0) fail_msg("%s differs", name);
    free(x);
    free(y);
}

/* 7 images of 6×4 in rows of 3: 12×18 pixels; cells hold the samples that samples.csv names, here of the values'
   bytes as rounded; the last row's empty cells are white. */
static void test_images(void **state) {
    (void)state;
    strait_data *data = images(60);
    const strait_train_result result = train(convolution_yaml, data, 0);
    char path[600];
    snprintf(path, sizeof path, "%s/reconstructions", result.run);
    /* Epochs 0 to 4, originals and, as the recipe adds noise, inputs: of two sets; and samples.csv. */
    assert_int_equal(test_count_entries(path), 2 * (5 + 2) + 1);
    size_t n;
    char *csv = bytes_of(result.run, "samples.csv", &n), *line = csv;
    assert_memory_equal(csv, "set,index,sample,label\ntrain,0,", 31);
    st_image image;
    snprintf(path, sizeof path, "%s/reconstructions/train-originals.png", result.run);
    ASSERT_OK(st_png_read(&image, path, &test_error));
    assert_int_equal(image.width, 12);
    assert_int_equal(image.height, 18);
    assert_int_equal(image.channels, 1);
    const uint8_t *pixel = image.values;
    for (int i = 0; i < 7; i++) {
        line = strchr(line, '\n') + 1;
        int index, sample;
        assert_int_equal(sscanf(line, "train,%d,%d,\n", &index, &sample), 2);
        assert_int_equal(index, i);
        strait_array *row = NULL;
        ASSERT_OK(strait_data_rows(&row, data, sample, 1, &test_error));
        for (int y = 0; y < 6; y++)
            for (int x = 0; x < 4; x++)
                assert_int_equal(pixel[(i / 3 * 6 + y) * 12 + i % 3 * 4 + x], st_png_byte(row->values[y * 4 + x]));
        strait_array_free(row);
    }
    assert_int_equal(pixel[17 * 12 + 11], 255);
    assert_non_null(strstr(csv, "\nvalidation,6,"));
    st_free(image.values);
    free(csv);
    strait_data_free(data);
}

/* Rows of numbers keep their values. */
static void test_rows(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    const strait_train_result result = train(dense_yaml, data, 0);
    char path[600];
    strait_array *array = NULL;
    snprintf(path, sizeof path, "%s/reconstructions/validation-004.npy", result.run);
    ASSERT_OK(strait_array_read(&array, path, &test_error));
    assert_int_equal(array->n_dims, 2);
    assert_int_equal(array->dim[0], 7);
    assert_int_equal(array->dim[1], 12);
    /* The last epoch's is what the trained model gives of those samples: validation is the last quarter. */
    strait_model *model = NULL;
    strait_array *all = NULL;
    ASSERT_OK(strait_model_load(&model, result.run, &test_error));
    ASSERT_OK(strait_model_reconstruct(&all, model, data, NULL, &test_error));
    size_t n;
    char *csv = bytes_of(result.run, "samples.csv", &n);
    const char *line = strstr(csv, "\nvalidation,0,");
    assert_non_null(line);
    int sample = 0;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(sscanf(line, "\nvalidation,%*d,%d", &sample), 1);
        for (int k = 0; k < 12; k++)
            assert_true(fabsf(array->values[i * 12 + k] - all->values[(45 + sample) * 12 + k]) < 1e-6f);
        line = strchr(line + 1, '\n');
    }
    free(csv);
    strait_array_free(all);
    strait_array_free(array);
    strait_model_free(model);
    strait_data_free(data);
}

/* Interrupted again and again: the same pictures, the same findings. */
static void test_resumed(void **state) {
    (void)state;
    strait_data *data = images(60);
    const strait_train_result whole = train(convolution_yaml, data, 0), pieces = train(convolution_yaml, data, 2);
    static const char *const names[] = {"train-000.png",        "train-001.png",    "train-004.png",
                                        "validation-003.png",   "train-inputs.png", "samples.csv",
                                        "validation-inputs.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        same_file(whole.run, pieces.run, names[i]);
    strait_diagnosis *a = NULL, *b = NULL;
    ASSERT_OK(strait_diagnosis_read(&a, whole.run, &test_error));
    ASSERT_OK(strait_diagnosis_read(&b, pieces.run, &test_error));
    assert_int_equal(a->n_epochs, 5);
    assert_int_equal(b->n_epochs, 5);
    assert_int_equal(a->n_findings, b->n_findings);
    for (int i = 0; i < a->n_findings; i++)
        assert_string_equal(a->finding[i].sentence, b->finding[i].sentence);
    assert_string_equal(a->weights_answer, b->weights_answer);
    assert_string_equal(a->loss_answer, b->loss_answer);
    for (int e = 0; e < 5; e++)
        for (int i = 0; i < a->n_layers; i++) {
            const strait_layer_state *x = &a->epoch[e].layer[i], *y = &b->epoch[e].layer[i];
            assert_string_equal(x->name, y->name);
            assert_true(x->change_start == y->change_start);
            /* Not known of an epoch that was resumed in its middle. */
            assert_true(isnan(y->change_epoch) || x->change_epoch == y->change_epoch);
        }
    strait_diagnosis_free(a);
    strait_diagnosis_free(b);
    strait_data_free(data);
}

/* A damaged diagnosis.json does not stop a resume: it is told, and begun anew. */
typedef struct notes {
    int left, n;
    char first[600];
} notes;

static bool rings_once(void *context) {
    notes *told = context;
    return --told->left == 0;
}
static void keep(void *context, const char *sentence) {
    notes *told = context;
    if (told->n++ == 0) snprintf(told->first, sizeof told->first, "%s", sentence);
}

static void test_damaged(void **state) {
    (void)state;
    strait_data *data = vectors(60);
    strait_recipe *recipe = parse(dense_yaml, 0, NULL);
    strait_train_result result;
    notes told = {.left = 4};
    strait_train_options options = {.data = data, .out = fresh_folder()};
    options.observer = (strait_observer){.context = &told, .stop = rings_once, .note = keep};
    assert_int_equal(strait_train(NULL, &result, recipe, &options, NULL), STRAIT_INTERRUPTED);
    FILE *file = fopen(file_of(result.run, "diagnosis.json"), "w");
    assert_non_null(file);
    fputs("{", file);
    fclose(file);
    strait_diagnosis *read = NULL;
    assert_int_equal(strait_diagnosis_read(&read, result.run, NULL), STRAIT_FORMAT);
    told.n = 0;
    ASSERT_OK(strait_train_resume(NULL, NULL, result.run, 0, &options, &test_error));
    assert_non_null(strstr(told.first, "diagnosis.json"));
    assert_non_null(strstr(told.first, "begins anew"));
    ASSERT_OK(strait_diagnosis_read(&read, result.run, &test_error));
    assert_int_equal(read->epoch[read->n_epochs - 1].epoch, 4);
    strait_diagnosis_free(read);
    assert_int_equal(strait_diagnosis_read(&read, file_of(result.run, "reconstructions"), NULL), STRAIT_NOT_FOUND);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

/* Every layer's values for one sample: the last ones are the reconstruction, each is named as in the summary. */
static void test_activations(void **state) {
    (void)state;
    strait_data *data = images(20);
    strait_recipe *recipe = parse(convolution_yaml, 0, NULL);
    strait_model *model = NULL;
    strait_activations *activations = NULL;
    strait_array *all = NULL, *latents = NULL;
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_model_activations(&activations, model, data, 5, &test_error));
    assert_int_equal(activations->n, 4);
    static const char *const name[] = {"input", "encoder.0", "decoder.0", "decoder.1"};
    static const char *const layer[] = {"", "conv2d (relu)", "conv2d_transpose (relu)", "conv2d (sigmoid)"};
    static const int64_t dim[4][3] = {{6, 4, 1}, {3, 2, 3}, {6, 4, 4}, {6, 4, 1}};
    for (int i = 0; i < 4; i++) {
        assert_string_equal(activations->map[i].name, name[i]);
        assert_string_equal(activations->map[i].layer, layer[i]);
        assert_int_equal(activations->map[i].n_dims, 3);
        assert_memory_equal(activations->map[i].dim, dim[i], sizeof dim[i]);
    }
    ASSERT_OK(strait_model_reconstruct(&all, model, data, NULL, &test_error));
    ASSERT_OK(strait_model_encode(&latents, model, data, NULL, &test_error));
    for (int k = 0; k < 24; k++)
        assert_true(fabsf(activations->map[3].values[k] - all->values[5 * 24 + k]) < 1e-6f);
    for (int k = 0; k < 18; k++)
        assert_true(fabsf(activations->map[1].values[k] - latents->values[5 * 18 + k]) < 1e-6f);
    ASSERT_OK(strait_picture_activations(file_of(test_folder(), "sheet.png"), activations, &test_error));
    strait_activations_free(activations);
    strait_error err = {0};
    assert_int_equal(strait_model_activations(&activations, model, data, 20, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "no sample 20"));
    assert_null(activations);
    strait_array_free(all);
    strait_array_free(latents);
    strait_model_free(model);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

/* A layer is called what the summary calls it: a reshape to one axis is no flatten. */
static void test_names_of_the_summary(void **state) {
    (void)state;
    static const char *const sets[] = {"model.encoder=[{reshape: [24]}, {dense: {units: 3}}]",
                                       "model.decoder=[{dense: {units: 24}}, {reshape: [6, 4, 1]}]"};
    strait_data *data = images(20);
    strait_recipe *recipe = parse(convolution_yaml, 2, sets);
    strait_model *model = NULL;
    strait_activations *activations = NULL;
    strait_summary *summary = NULL;
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_model_activations(&activations, model, data, 0, &test_error));
    ASSERT_OK(strait_model_summary(&summary, model, 1, &test_error));
    assert_int_equal(activations->n, 1 + summary->n_rows);
    assert_string_equal(activations->map[1].layer, "reshape");
    for (int i = 0; i < summary->n_rows; i++)
        assert_string_equal(activations->map[1 + i].layer, summary->row[i].layer);
    strait_summary_free(summary);
    strait_activations_free(activations);
    strait_model_free(model);
    strait_recipe_free(recipe);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),  cmocka_unit_test(test_rows),        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_activations), cmocka_unit_test(test_names_of_the_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
