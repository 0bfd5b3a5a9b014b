/* Every allocation fails in turn: the call says so (MEMORY), leaves no half-written file, leaks nothing (seen where the
   tests run under AddressSanitizer), and works the next time. */
#include <dirent.h>

#include "api/api_check.h"
#include "base/memory.h"

/* One thread where it does not matter: the n-th allocation is then the same one each time. */
static const char tiny_yaml[] = "name: tiny\n"
                                "data: {validation: 0.25, corrupt: {mask: 0.1}}\n"
                                "model:\n"
                                "  input: [4, 4, 1]\n"
                                "  encoder: [{conv2d: {filters: 2, strides: 2}}, flatten, {dense: {units: 3}}]\n"
                                "  decoder: [{dense: {units: 16, activation: sigmoid}}, {reshape: [4, 4, 1]}]\n"
                                "train: {epochs: 2, batch_size: 8, threads: 2,\n"
                                "  early_stopping: {patience: 2, restore_best: true}}\n";

/* Every layer that keeps something of its own. */
static const char rich_yaml[] = "name: rich\n"
                                "data: {validation: 0.25, augment: {rotate: 10, flip: both}}\n"
                                "model:\n"
                                "  input: [4, 4, 1]\n"
                                "  encoder:\n"
                                "    - conv2d: {filters: 2, initializer: he_normal}\n"
                                "    - batch_norm\n"
                                "    - activation: relu\n"
                                "    - residual: [{conv2d: {filters: 2, activation: gelu}}, layer_norm]\n"
                                "    - parallel: [{layers: [max_pool2d]}, {layers: [avg_pool2d, {dropout: 0.1}]}]\n"
                                "    - gaussian_noise: 0.1\n"
                                "    - flatten\n"
                                "    - gaussian: {mean: [{dense: {units: 2}}], log_variance: [{dense: {units: 2}}]}\n"
                                "  decoder:\n"
                                "    - dense: {units: 4, activation: swish}\n"
                                "    - reshape: [2, 2, 1]\n"
                                "    - upsample2d: {interpolation: bilinear}\n"
                                "    - upsample2d\n"
                                "    - zero_pad2d: 1\n"
                                "    - crop2d: 3\n"
                                "    - conv2d_transpose: {filters: 1}\n"
                                "train:\n"
                                "  epochs: 1\n"
                                "  batch_size: 16\n"
                                "  threads: 2\n"
                                "  optimizer: {rmsprop: {momentum: 0.9, centered: true}}\n"
                                "  loss: {mse: 0.8, huber: 0.2}\n"
                                "  penalty: {weights: {l2: 1e-4}, latent: {l1: 1e-5}}\n"
                                "  clip_norm: 1\n";

/* What is tried: with everything it needs in context. It frees whatever it got. */
typedef strait_status (*st_trial)(void *context, strait_error *err);

/* Files that stand under a temporary name in a folder or below. */
static int count_temporary(const char *folder) {
    DIR *entries = opendir(folder);
    if (!entries) return 0;
    int n = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (entry->d_type == DT_DIR)
            n += count_temporary(file_of(folder, entry->d_name));
        else
            n += entry->d_name[0] == '.' || strstr(entry->d_name, "tmp") != NULL;
    }
    closedir(entries);
    return n;
}

/* Fails the 1st, 2nd, ... allocation of the trial until it is done before that one comes, here or in a child process of
   the trial's. look (may be NULL) looks at what each failure left behind. */
static void torture_and_look(const char *name, st_trial trial, void *context, void (*look)(const void *context)) {
    strait_error err;
    if (trial(context, &err) != STRAIT_OK) fail_msg("%s, undisturbed: %s", name, err.message);
    for (uint64_t n = 1;; n++) {
        err = (strait_error){0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = trial(context, &err);
        st_alloc_fail_at(0);
        const bool came = st_alloc_count() - before >= n;
        if (!came && status == STRAIT_OK) {
            assert_true(n > 3);
            break;
        }
        if (status != STRAIT_MEMORY)
            fail_msg("%s, allocation %llu failing: status %d (%s) %s", name, (unsigned long long)n, status,
                     strait_status_text(status), err.message);
        assert_int_equal(err.code, STRAIT_MEMORY);
        assert_non_null(strstr(err.message, "memory"));
        if (count_temporary(test_folder())) fail_msg("%s, allocation %llu: a half file", name, (unsigned long long)n);
        if (look) look(context);
    }
    if (trial(context, &err) != STRAIT_OK) fail_msg("%s, afterwards: %s", name, err.message);
}

static void torture(const char *name, st_trial trial, void *context) {
    torture_and_look(name, trial, context, NULL);
}

typedef struct st_place {
    strait_recipe *recipe;
    strait_data *data;
    strait_model *model;
    strait_array *z;
    const char *out;
    char run[512]; /* the last one */
    char *checkpoint;
    size_t n_checkpoint;
} st_place;

static int set_up(void **state) {
    st_place *place = calloc(1, sizeof *place);
    place->recipe = parse(tiny_yaml, 0, NULL);
    place->data = curves(22, 3, (const int64_t[]){4, 4, 1}, 1);
    ASSERT_OK(strait_model_build(&place->model, place->recipe, &test_error));
    ASSERT_OK(strait_model_encode(&place->z, place->model, place->data, NULL, &test_error));
    *state = place;
    return 0;
}

static int tear_down(void **state) {
    st_place *place = *state;
    strait_recipe_free(place->recipe);
    strait_data_free(place->data);
    strait_model_free(place->model);
    strait_array_free(place->z);
    free(place->checkpoint);
    free(place);
    return 0;
}

/* ---- trials ---- */

static strait_status try_training(void *context, strait_error *err) {
    const st_place *place = context;
    strait_model *model = NULL;
    const strait_train_options options = {.data = place->data, .no_run = true};
    const strait_status status = strait_train(&model, NULL, place->recipe, &options, err);
    assert_true((status == STRAIT_OK) == (model != NULL));
    strait_model_free(model);
    return status;
}

/* Whatever stands in a run folder is whole: a model file loads. */
static void check_run(const void *context) {
    static const char *const files[] = {"model.safetensors", "best.safetensors", "checkpoint.safetensors"};
    const st_place *place = context;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        strait_model *model = NULL;
        if (!place->run[0] || !exists(file_of(place->run, files[i]))) continue;
        ASSERT_OK(strait_model_load(&model, file_of(place->run, files[i]), &test_error));
        strait_model_free(model);
    }
}

static strait_status try_run(void *context, strait_error *err) {
    st_place *place = context;
    strait_train_result result;
    const strait_train_options options = {.data = place->data, .out = place->out};
    const strait_status status = strait_train(NULL, &result, place->recipe, &options, err);
    memcpy(place->run, result.run, sizeof place->run);
    return status;
}

static bool at_once(void *context) {
    (void)context;
    return true;
}

/* Resumes a run that has one batch to its name and stops after the next; its checkpoint is put back before each trial,
   so that all trials are alike. */
static strait_status try_resume(void *context, strait_error *err) {
    const st_place *place = context;
    FILE *file = fopen(file_of(place->run, "checkpoint.safetensors"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(place->checkpoint, 1, place->n_checkpoint, file), place->n_checkpoint);
    assert_int_equal(fclose(file), 0);
    const strait_train_options options = {.data = place->data, .observer = {.stop = at_once}};
    const strait_status status = strait_train_resume(NULL, NULL, place->run, 0, &options, err);
    return status == STRAIT_INTERRUPTED ? STRAIT_OK : status;
}

static strait_status try_parse(void *context, strait_error *err) {
    (void)context;
    static const char *const overrides[] = {"train.epochs=3", "data.corrupt={gaussian: 0.1}", "data.only=[1, 2]"};
    strait_recipe *recipe = NULL;
    char *yaml = NULL;
    strait_status status = strait_recipe_parse(&recipe, tiny_yaml, "tiny.yaml", 3, overrides, err);
    if (status == STRAIT_OK) status = strait_recipe_to_yaml(&yaml, recipe, err);
    strait_string_free(yaml);
    strait_recipe_free(recipe);
    return status;
}

static strait_status try_build(void *context, strait_error *err) {
    const st_place *place = context;
    strait_model *model = NULL;
    const strait_status status = strait_model_build(&model, place->recipe, err);
    strait_model_free(model);
    return status;
}

static strait_status try_save(void *context, strait_error *err) {
    const st_place *place = context;
    return strait_model_save(place->model, STRAIT_MODEL_WHOLE, test_path("tiny.safetensors"), err);
}

static strait_status try_load(void *context, strait_error *err) {
    (void)context;
    strait_model *model = NULL;
    const strait_status status = strait_model_load(&model, test_path("tiny.safetensors"), err);
    strait_model_free(model);
    return status;
}

static strait_status try_encode(void *context, strait_error *err) {
    const st_place *place = context;
    strait_array *z = NULL;
    const strait_status status = strait_model_encode(&z, place->model, place->data, NULL, err);
    assert_true((status == STRAIT_OK) == (z != NULL));
    strait_array_free(z);
    return status;
}

static strait_status try_decode(void *context, strait_error *err) {
    const st_place *place = context;
    strait_array *y = NULL;
    const strait_status status = strait_model_decode(&y, place->model, place->z, NULL, err);
    strait_array_free(y);
    return status;
}

static strait_status try_score(void *context, strait_error *err) {
    const st_place *place = context;
    strait_array *scores = NULL;
    const strait_status status = strait_model_score(&scores, place->model, place->data, "mae", NULL, err);
    strait_array_free(scores);
    return status;
}

static strait_status try_evaluate(void *context, strait_error *err) {
    const st_place *place = context;
    strait_evaluation evaluation;
    return strait_model_evaluate(&evaluation, place->model, place->data, NULL, err);
}

static strait_status try_summary(void *context, strait_error *err) {
    const st_place *place = context;
    strait_summary *summary = NULL;
    const strait_status status = strait_model_summary(&summary, place->model, 2, err);
    strait_summary_free(summary);
    return status;
}

static strait_status try_rows(void *context, strait_error *err) {
    (void)context;
    const float values[8] = {0};
    strait_data *data = NULL;
    strait_array *rows = NULL;
    strait_data_info info;
    strait_status status = strait_data_from_rows(&data, values, 4, 1, (const int64_t[]){2}, err);
    if (status == STRAIT_OK) status = strait_data_describe(data, &info, err);
    if (status == STRAIT_OK) status = strait_data_rows(&rows, data, 1, 2, err);
    strait_array_free(rows);
    strait_data_free(data);
    return status;
}

static strait_status try_array_files(void *context, strait_error *err) {
    const st_place *place = context;
    strait_array *array = NULL;
    strait_status status = strait_array_write(place->z, test_path("z.npy"), err);
    if (status == STRAIT_OK) status = strait_array_write(place->z, test_path("z.csv"), err);
    if (status == STRAIT_OK) status = strait_array_read(&array, test_path("z.npy"), err);
    strait_array_free(array);
    return status;
}

static strait_status try_npy(void *context, strait_error *err) {
    (void)context;
    strait_data *data = NULL;
    const strait_status status = strait_data_open(&data, test_path("z.npy"), err);
    strait_data_free(data);
    return status;
}

static strait_status try_sheet(void *context, strait_error *err) {
    const st_place *place = context;
    const strait_array *rows[] = {place->z};
    return strait_picture_sheet(test_path("sheet.png"), 1, rows, NULL, 4, err);
}

static strait_status try_activations(void *context, strait_error *err) {
    const st_place *place = context;
    strait_activations *activations = NULL;
    strait_status status = strait_model_activations(&activations, place->model, place->data, 1, err);
    assert_true((status == STRAIT_OK) == (activations != NULL));
    if (status == STRAIT_OK) status = strait_picture_activations(test_path("maps.png"), activations, err);
    strait_activations_free(activations);
    return status;
}

static strait_status try_diagram(void *context, strait_error *err) {
    const st_place *place = context;
    return strait_report_diagram(test_path("diagram.svg"), place->model, err);
}

static strait_status try_known(void *context, strait_error *err) {
    (void)context;
    strait_data *data = NULL;
    strait_data_info info;
    strait_status status = strait_data_open(&data, "mnist#test", err);
    if (status == STRAIT_OK) status = strait_data_describe(data, &info, err);
    strait_data_free(data);
    return status;
}

static strait_status try_augment(void *context, strait_error *err) {
    const st_place *place = context;
    return strait_data_augment(test_path("enlarged.npy"), place->data, 25,
                               "{rotate: 10, elastic: {alpha: 2, sigma: 1}}", 1, err);
}

/* Three cells of four genes, as the fuzzers' corpus has them. */
static strait_status open_cells(strait_data **out, strait_error *err) {
    return strait_data_open(out, STRAIT_SOURCE_DIR "/fuzz/corpus/hdf5/csr", err);
}

static strait_status try_missing(void *context, strait_error *err) {
    const st_place *place = context;
    strait_data *data = NULL;
    char *text = NULL;
    strait_status status = open_cells(&data, err);
    if (status == STRAIT_OK) status = strait_model_missing(&text, place->model, data, err);
    strait_string_free(text);
    strait_data_free(data);
    return status;
}

static strait_status try_h5ad(void *context, strait_error *err) {
    const st_place *place = context;
    strait_data *data = NULL;
    strait_status status = open_cells(&data, err);
    if (status == STRAIT_OK)
        status = strait_model_write_h5ad(place->model, "cells", data, place->z, test_path("latent.h5ad"), err);
    strait_data_free(data);
    return status;
}

/* ---- tests ---- */

static void test_recipes(void **state) {
    torture("parse", try_parse, *state);
    torture("build", try_build, *state);
    torture("summary", try_summary, *state);
}

static void test_files(void **state) {
    torture("save", try_save, *state);
    torture("load", try_load, *state);
    torture("arrays", try_array_files, *state);
    torture("open", try_npy, *state);
    torture("sheet", try_sheet, *state);
}

static void test_data_sets(void **state) {
    torture("rows", try_rows, *state);
    if (!test_data()) skip();
    setenv("STRAIT_DATA", test_data(), 1);
    strait_data *data = NULL;
    if (strait_data_open(&data, "mnist#test", NULL) != STRAIT_OK) skip();
    strait_data_free(data);
    torture("known", try_known, *state);
}

static void test_enlarging(void **state) {
    torture("augment", try_augment, *state);
}

/* A model that knows genes by name, one of them not in the file. */
static void test_cells(void **state) {
    (void)state;
    static const char yaml[] = "name: cells\ndata: {scale: none, genes: {log1p: true}}\n"
                               "model: {input: [4], encoder: [{dense: {units: 2}}], decoder: [{dense: {units: 4}}]}\n"
                               "train: {epochs: 1, batch_size: 3}\n";
    st_place cells = {.recipe = parse(yaml, 0, NULL)};
    ASSERT_OK(open_cells(&cells.data, &test_error));
    const strait_train_options options = {.data = cells.data, .no_run = true};
    ASSERT_OK(strait_train(&cells.model, NULL, cells.recipe, &options, &test_error));
    ASSERT_OK(strait_model_encode(&cells.z, cells.model, cells.data, NULL, &test_error));
    torture("missing", try_missing, &cells);
    torture("h5ad", try_h5ad, &cells);
    strait_array_free(cells.z);
    strait_model_free(cells.model);
    strait_data_free(cells.data);
    strait_recipe_free(cells.recipe);
}

static void test_apply(void **state) {
    torture("encode", try_encode, *state);
    torture("decode", try_decode, *state);
    torture("score", try_score, *state);
    torture("evaluate", try_evaluate, *state);
}

static void test_training(void **state) {
    torture("train in memory", try_training, *state);
}

static void test_run(void **state) {
    st_place *place = *state;
    place->out = fresh_folder();
    torture_and_look("train", try_run, place, check_run);
}

/* A model of all layers, a place of its own; the data is the tiny one's. */
static void test_rich(void **state) {
    st_place *place = *state, rich = {.data = place->data, .recipe = parse(rich_yaml, 0, NULL)};
    ASSERT_OK(strait_model_build(&rich.model, rich.recipe, &test_error));
    torture("build, rich", try_build, &rich);
    torture("train in memory, rich", try_training, &rich);
    torture("encode, rich", try_encode, &rich);
    torture("evaluate, rich", try_evaluate, &rich);
    torture("activations", try_activations, &rich);
    torture("diagram", try_diagram, &rich);
    strait_recipe_free(rich.recipe);
    strait_model_free(rich.model);
}

static void test_resume(void **state) {
    st_place *place = *state;
    strait_train_result result;
    const strait_train_options options = {.data = place->data, .out = fresh_folder(), .observer = {.stop = at_once}};
    assert_int_equal(strait_train(NULL, &result, place->recipe, &options, NULL), STRAIT_INTERRUPTED);
    memcpy(place->run, result.run, sizeof place->run);
    place->checkpoint = read_bytes(file_of(place->run, "checkpoint.safetensors"), &place->n_checkpoint);
    torture_and_look("resume", try_resume, place, check_run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipes), cmocka_unit_test(test_files),    cmocka_unit_test(test_data_sets),
        cmocka_unit_test(test_apply),   cmocka_unit_test(test_training), cmocka_unit_test(test_run),
        cmocka_unit_test(test_resume),  cmocka_unit_test(test_rich),     cmocka_unit_test(test_enlarging),
        cmocka_unit_test(test_cells),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
