/* Principal components in files, and samples as a model takes them. */
#include "api/api_check.h"
#include "base/memory.h"

static strait_array *some_rows(void) {
    strait_array *x;
    ASSERT_OK(strait_array_new(&x, 2, (int64_t[]){12, 5}, &test_error));
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 5; j++)
            x->values[i * 5 + j] = (float)((i * 7 + j * 13 + i * i * j) % 17) / 4;
    return x;
}

static void test_saved_and_loaded(void **state) {
    (void)state;
    strait_array *x = some_rows(), *z, *again;
    strait_pca *pca, *back;
    const char *path = test_path("pca.safetensors");
    ASSERT_OK(strait_pca_fit(&pca, x, NULL, &test_error));
    ASSERT_OK(strait_pca_save(pca, path, &test_error));
    ASSERT_OK(strait_pca_load(&back, path, &test_error));
    assert_int_equal(back->n_samples, 12);
    assert_int_equal(back->n_features, 5);
    assert_int_equal(back->n_components, 5);
    assert_true(back->exact);
    assert_true(back->total_variance == pca->total_variance);
    assert_memory_equal(back->component, pca->component, 25 * sizeof(float));
    for (int i = 0; i < 5; i++) {
        assert_true((float)back->variance[i] == (float)pca->variance[i]);
        assert_true((float)back->mean[i] == (float)pca->mean[i]);
    }
    ASSERT_OK(strait_pca_transform(&z, pca, x, 0, &test_error));
    ASSERT_OK(strait_pca_transform(&again, back, x, 0, &test_error));
    for (int i = 0; i < 60; i++)
        assert_true(fabsf(z->values[i] - again->values[i]) < 1e-5F);
    strait_array_free(again);
    strait_array_free(z);
    strait_pca_free(back);
    strait_pca_free(pca);
    strait_array_free(x);
}

static void assert_no_pca(const char *path, const char *words) {
    strait_pca *pca = (strait_pca *)8;
    strait_error err = {0};
    assert_int_equal(strait_pca_load(&pca, path, &err), STRAIT_FORMAT);
    assert_null(pca);
    if (!strstr(err.message, words)) fail_msg("'%s' lacks '%s'", err.message, words);
}

/* A safetensors file of that header and n zero bytes. */
static const char *file_with(const char *header, size_t n) {
    static char bytes[4096];
    const size_t length = strlen(header);
    memset(bytes, 0, sizeof bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(length >> (8 * i) & 255);
    memcpy(bytes + 8, header, length);
    return test_file("odd.safetensors", bytes, 8 + length + n);
}

#define METADATA(variance)                                                                                             \
    "{\"__metadata__\":{\"format\":\"strait-pca\",\"strait.version\":\"1\",\"samples\":\"9\",\"total_variance\":"      \
    "\"" variance "\"},"
#define MEAN "\"mean\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
#define COMPONENT "\"component\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
#define VARIANCE "\"variance\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}}"

static void test_files_that_lie(void **state) {
    (void)state;
    strait_pca *pca;
    ASSERT_OK(strait_pca_load(&pca, file_with(METADATA("1") MEAN COMPONENT VARIANCE "   ", 20), &test_error));
    strait_pca_free(pca);
    assert_no_pca(file_with("{" MEAN COMPONENT VARIANCE, 20), "no principal components");
    assert_no_pca(file_with(METADATA("0") MEAN COMPONENT VARIANCE, 20), "total_variance");
    assert_no_pca(file_with(METADATA("nan") MEAN COMPONENT VARIANCE, 20), "total_variance");
    assert_no_pca(
        file_with(METADATA("1") MEAN "\"variance\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12),
        "'component' is missing");
    assert_no_pca(file_with(METADATA("1") MEAN
                            "\"component\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]}," VARIANCE,
                            20),
                  "do not fit");
    assert_int_equal(strait_pca_load(&pca, test_path("absent.safetensors"), NULL), STRAIT_NOT_FOUND);
}

/* Rows of floats go in as they are (scale: unit), in order; what does not fit is refused. */
static void test_model_input(void **state) {
    (void)state;
    strait_recipe *recipe;
    strait_model *model;
    strait_data *data;
    strait_array *x;
    float rows[3 * 12];
    for (int i = 0; i < 36; i++)
        rows[i] = (float)i / 36;
    ASSERT_OK(strait_recipe_parse(&recipe, dense_yaml, "test", 0, NULL, &test_error));
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_data_from_rows(&data, rows, 3, 1, (int64_t[]){12}, &test_error));
    ASSERT_OK(strait_model_input(&x, model, data, &test_error));
    assert_int_equal(x->n_dims, 2);
    assert_int_equal(x->dim[0], 3);
    assert_memory_equal(x->values, rows, sizeof rows);
    strait_array_free(x);
    assert_int_equal(strait_model_input(&x, NULL, data, NULL), STRAIT_ARGUMENT);
    strait_data_free(data);
    ASSERT_OK(strait_data_from_rows(&data, rows, 4, 1, (int64_t[]){9}, &test_error));
    assert_int_equal(strait_model_input(&x, model, data, NULL), STRAIT_SHAPE);
    assert_null(x);
    strait_data_free(data);
    strait_model_free(model);
    strait_recipe_free(recipe);
}

/* Saving, loading and taking samples as a model takes them, the n-th allocation failing. */
static strait_status try_all(const strait_pca *pca, const strait_model *model, strait_data *data, strait_error *err) {
    strait_pca *back = NULL;
    strait_array *x = NULL;
    strait_status status = strait_pca_save(pca, test_path("tried.safetensors"), err);
    if (status == STRAIT_OK) status = strait_pca_load(&back, test_path("tried.safetensors"), err);
    if (status == STRAIT_OK) status = strait_model_input(&x, model, data, err);
    strait_array_free(x);
    strait_pca_free(back);
    return status;
}

static void test_allocations_fail(void **state) {
    (void)state;
    strait_array *x = some_rows();
    strait_pca *pca;
    strait_recipe *recipe;
    strait_model *model;
    strait_data *data;
    ASSERT_OK(strait_pca_fit(&pca, x, NULL, &test_error));
    ASSERT_OK(strait_recipe_parse(&recipe, dense_yaml, "test", 0, NULL, &test_error));
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_data_from_rows(&data, x->values, 5, 1, (int64_t[]){12}, &test_error));
    for (uint64_t n = 1;; n++) {
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = try_all(pca, model, data, &test_error);
        st_alloc_fail_at(0);
        const bool came = st_alloc_count() - before >= n;
        assert_int_equal(status, came ? STRAIT_MEMORY : STRAIT_OK);
        if (!came) break;
    }
    strait_data_free(data);
    strait_model_free(model);
    strait_recipe_free(recipe);
    strait_pca_free(pca);
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_saved_and_loaded),
        cmocka_unit_test(test_files_that_lie),
        cmocka_unit_test(test_model_input),
        cmocka_unit_test(test_allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
