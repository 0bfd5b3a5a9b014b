/* A trained model at work: encode, decode, reconstruct, score; its halves apart; what summary says of it. */
#include "api/api_check.h"

typedef struct st_trained {
    strait_data *data;
    strait_model *model;
} st_trained;

static st_trained trained(const char *yaml, strait_data *data) {
    static const char *const one[] = {"train.epochs=1"};
    strait_recipe *recipe = parse(yaml, 1, one);
    st_trained out = {.data = data};
    ASSERT_OK(
        strait_train(&out.model, NULL, recipe, &(strait_train_options){.data = data, .no_run = true}, &test_error));
    strait_recipe_free(recipe);
    return out;
}

static void free_trained(st_trained *all) {
    strait_model_free(all->model);
    strait_data_free(all->data);
}

/* More samples than are handed to the workers at once, and no multiple of it. */
#define N 613

static void check_halves(const char *yaml, strait_data *data, int64_t latent) {
    st_trained all = trained(yaml, data);
    strait_array *z = NULL, *y = NULL, *y_halves = NULL, *y_file = NULL, *z_file = NULL;
    assert_int_equal(strait_model_latent_size(all.model), latent);
    ASSERT_OK(strait_model_encode(&z, all.model, data, NULL, &test_error));
    assert_int_equal(z->n_dims, 2);
    assert_int_equal(z->dim[0], N);
    assert_int_equal(z->dim[1], latent);
    ASSERT_OK(strait_model_reconstruct(&y, all.model, data, NULL, &test_error));
    ASSERT_OK(strait_model_decode(&y_halves, all.model, z, NULL, &test_error));
    assert_same_array(y_halves, y, 1e-6);

    /* The halves as files of their own. */
    const char *encoder_path = test_path("encoder.safetensors"), *decoder_path = test_path("decoder.safetensors");
    strait_model *encoder = NULL, *decoder = NULL;
    ASSERT_OK(strait_model_save(all.model, STRAIT_MODEL_ENCODER, encoder_path, &test_error));
    ASSERT_OK(strait_model_save(all.model, STRAIT_MODEL_DECODER, decoder_path, &test_error));
    ASSERT_OK(strait_model_load(&encoder, encoder_path, &test_error));
    ASSERT_OK(strait_model_load(&decoder, decoder_path, &test_error));
    assert_int_equal(strait_model_parameters(encoder) + strait_model_parameters(decoder),
                     strait_model_parameters(all.model));
    ASSERT_OK(strait_model_encode(&z_file, encoder, data, NULL, &test_error));
    assert_same_array(z_file, z, 0);
    ASSERT_OK(strait_model_decode(&y_file, decoder, z, NULL, &test_error));
    assert_same_array(y_file, y_halves, 0);

    /* What a half cannot do, it says. */
    strait_array *none = NULL;
    strait_evaluation evaluation;
    strait_error err = {0};
    assert_int_equal(strait_model_decode(&none, encoder, z, NULL, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "an encoder alone"));
    assert_int_equal(strait_model_encode(&none, decoder, data, NULL, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "a decoder alone"));
    assert_int_equal(strait_model_reconstruct(&none, encoder, data, NULL, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_model_evaluate(&evaluation, decoder, data, NULL, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_model_score(&none, encoder, data, "mse", NULL, &err), STRAIT_ARGUMENT);
    assert_null(none);

    strait_array_free(z);
    strait_array_free(y);
    strait_array_free(y_halves);
    strait_array_free(z_file);
    strait_array_free(y_file);
    strait_model_free(encoder);
    strait_model_free(decoder);
    free_trained(&all);
}

static void test_halves(void **state) {
    (void)state;
    check_halves(dense_yaml, vectors(N), 5);
    check_halves(convolution_yaml, images(N), 3 * 2 * 3);
}

/* Worked out once more from the reconstructions, as the definitions say. */
static void test_errors_by_definition(void **state) {
    (void)state;
    st_trained all = trained(dense_yaml, vectors(N));
    strait_array *x = NULL, *y = NULL, *mse = NULL, *mae = NULL;
    strait_evaluation evaluation;
    ASSERT_OK(strait_data_rows(&x, all.data, 0, N, &test_error));
    ASSERT_OK(strait_model_reconstruct(&y, all.model, all.data, NULL, &test_error));
    ASSERT_OK(strait_model_score(&mse, all.model, all.data, "mse", NULL, &test_error));
    ASSERT_OK(strait_model_score(&mae, all.model, all.data, "mae", NULL, &test_error));
    ASSERT_OK(strait_model_evaluate(&evaluation, all.model, all.data, NULL, &test_error));
    assert_int_equal(mse->n_dims, 1);
    assert_int_equal(mse->dim[0], N);
    double square = 0, absolute = 0, bce = 0;
    for (int i = 0; i < N; i++) {
        double of_square = 0, of_absolute = 0;
        for (int j = 0; j < 12; j++) {
            const double t = (double)x->values[i * 12 + j], p = (double)y->values[i * 12 + j];
            of_square += (p - t) * (p - t);
            of_absolute += fabs(p - t);
            bce -= t * log(fmin(fmax(p, 1e-7), 1 - 1e-7)) + (1 - t) * log(1 - fmin(fmax(p, 1e-7), 1 - 1e-7));
        }
        assert_near((double)mse->values[i], of_square / 12, 1e-6);
        assert_near((double)mae->values[i], of_absolute / 12, 1e-6);
        square += of_square;
        absolute += of_absolute;
    }
    assert_near(evaluation.mse, square / N / 12, 1e-6);
    assert_near(evaluation.mae, absolute / N / 12, 1e-6);
    assert_near(evaluation.bce, bce / N / 12, 1e-6);
    assert_near(evaluation.loss, evaluation.mse, 1e-6);
    assert_true(isnan(evaluation.kl));
    strait_array *none = NULL;
    strait_error err = {0};
    assert_int_equal(strait_model_score(&none, all.model, all.data, "rmse", NULL, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "'rmse'"));
    assert_int_equal(strait_model_score(&none, all.model, all.data, NULL, NULL, &err), STRAIT_ARGUMENT);
    strait_array_free(x);
    strait_array_free(y);
    strait_array_free(mse);
    strait_array_free(mae);
    free_trained(&all);
}

/* What is drawn or left out while training has no part in what people get: the latent is the mean, reconstructing is
   decoding it, and twice gives the same. The loss is what validation measures, of drawn latents. */
static void test_chances(void **state) {
    (void)state;
    check_halves(chances_yaml, images(N), 3);
    st_trained all = trained(chances_yaml, images(N));
    strait_array *y = NULL, *again = NULL;
    strait_evaluation evaluation;
    ASSERT_OK(strait_model_reconstruct(&y, all.model, all.data, NULL, &test_error));
    ASSERT_OK(strait_model_reconstruct(&again, all.model, all.data, NULL, &test_error));
    assert_same_array(y, again, 0);
    ASSERT_OK(strait_model_evaluate(&evaluation, all.model, all.data, NULL, &test_error));
    assert_true(evaluation.kl > 0 && evaluation.loss > evaluation.mse);
    strait_array_free(y);
    strait_array_free(again);
    free_trained(&all);
}

/* Outputs beyond 0 and 1: what they are cut to is the same in the error and in the loss. */
static void test_clipped(void **state) {
    (void)state;
    static const char linear_yaml[] = "name: linear\n"
                                      "model:\n"
                                      "  input: [12]\n"
                                      "  encoder: [{dense: {units: 5}}]\n"
                                      "  decoder: [{dense: {units: 12, initializer: {normal: {stddev: 10}}}}]\n"
                                      "train: {epochs: 1, batch_size: 16, loss: binary_crossentropy}\n";
    st_trained all = trained(linear_yaml, vectors(N));
    strait_evaluation evaluation;
    ASSERT_OK(strait_model_evaluate(&evaluation, all.model, all.data, NULL, &test_error));
    assert_true(evaluation.loss > 1);
    assert_near(evaluation.bce, evaluation.loss, 1e-5 * evaluation.loss);
    free_trained(&all);
}

/* A model whose last layer is linear, trained from logits, gives probabilities, and their cross-entropy is its loss. */
static void test_logits(void **state) {
    (void)state;
    static const char logits_yaml[] = "name: logits\n"
                                      "model:\n"
                                      "  input: [12]\n"
                                      "  encoder: [{dense: {units: 5, activation: relu}}]\n"
                                      "  decoder: [{dense: {units: 12}}]\n"
                                      "train: {batch_size: 16, loss: {binary_crossentropy: {from_logits: true}}}\n";
    check_halves(logits_yaml, vectors(N), 5);
    st_trained all = trained(logits_yaml, vectors(N));
    strait_array *y = NULL;
    strait_evaluation evaluation;
    ASSERT_OK(strait_model_reconstruct(&y, all.model, all.data, NULL, &test_error));
    for (int64_t i = 0; i < strait_array_count(y); i++)
        assert_true(y->values[i] > 0 && y->values[i] < 1);
    ASSERT_OK(strait_model_evaluate(&evaluation, all.model, all.data, NULL, &test_error));
    assert_near(evaluation.loss, evaluation.bce, 1e-5);
    strait_array_free(y);
    free_trained(&all);
}

static void test_threads_give_the_same(void **state) {
    (void)state;
    st_trained all = trained(convolution_yaml, images(N));
    strait_array *one = NULL, *three = NULL;
    ASSERT_OK(strait_model_reconstruct(&one, all.model, all.data, &(strait_apply_options){.threads = 1}, &test_error));
    ASSERT_OK(
        strait_model_reconstruct(&three, all.model, all.data, &(strait_apply_options){.threads = 3}, &test_error));
    assert_same_array(one, three, 1e-6);
    strait_array_free(one);
    strait_array_free(three);
    free_trained(&all);
}

static void count(void *context, int64_t done, int64_t total) {
    int64_t *last = context;
    assert_true(done > *last && done <= total);
    assert_int_equal(total, N);
    *last = done;
}

static void test_progress(void **state) {
    (void)state;
    st_trained all = trained(dense_yaml, vectors(N));
    int64_t last = 0;
    strait_array *z = NULL, *y = NULL;
    const strait_apply_options options = {.progress = count, .context = &last};
    ASSERT_OK(strait_model_encode(&z, all.model, all.data, &options, &test_error));
    assert_int_equal(last, N);
    last = 0;
    ASSERT_OK(strait_model_decode(&y, all.model, z, &options, &test_error));
    assert_int_equal(last, N);
    strait_array_free(z);
    strait_array_free(y);
    free_trained(&all);
}

static void test_wrong_shapes(void **state) {
    (void)state;
    st_trained all = trained(dense_yaml, vectors(N));
    strait_data *wrong = images(10);
    strait_array *out = NULL, *z = NULL;
    strait_error err = {0};
    assert_int_equal(strait_model_encode(&out, all.model, wrong, NULL, &err), STRAIT_SHAPE);
    assert_non_null(strstr(err.message, "the model takes 12"));
    assert_non_null(strstr(err.message, "6×4×1"));
    ASSERT_OK(strait_array_new(&z, 2, (const int64_t[]){4, 6}, &test_error));
    assert_int_equal(strait_model_decode(&out, all.model, z, NULL, &err), STRAIT_SHAPE);
    assert_non_null(strstr(err.message, "latent has 5 values"));
    assert_non_null(strstr(err.message, "has 6"));
    assert_null(out);
    assert_int_equal(strait_model_encode(&out, all.model, NULL, NULL, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_model_encode(&out, NULL, wrong, NULL, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_model_decode(&out, all.model, NULL, NULL, &err), STRAIT_ARGUMENT);
    strait_array_free(z);
    strait_data_free(wrong);
    free_trained(&all);
}

/* ---- summary ---- */

static strait_summary *summary_of(const char *name) {
    setenv("STRAIT_RECIPES", STRAIT_SOURCE_DIR "/recipes", 1);
    strait_recipe *recipe = NULL;
    strait_model *model = NULL;
    strait_summary *summary = NULL;
    ASSERT_OK(strait_recipe_open(&recipe, name, 0, NULL, &test_error));
    ASSERT_OK(strait_model_build(&model, recipe, &test_error));
    ASSERT_OK(strait_model_summary(&summary, model, 2, &test_error));
    strait_model_free(model);
    strait_recipe_free(recipe);
    return summary;
}

typedef struct st_wanted {
    const char *part, *name, *layer;
    int n_dims;
    int64_t dim[3], parameters, flops;
} st_wanted;

static void check_summary(const char *recipe, int n, const st_wanted *wanted, int64_t latent) {
    strait_summary *summary = summary_of(recipe);
    assert_int_equal(summary->n_rows, n);
    int64_t parameters = 0, flops = 0;
    for (int i = 0; i < n; i++) {
        const strait_summary_row *row = &summary->row[i];
        assert_string_equal(row->part, wanted[i].part);
        assert_string_equal(row->name, wanted[i].name);
        assert_string_equal(row->layer, wanted[i].layer);
        assert_int_equal(row->n_dims, wanted[i].n_dims);
        assert_memory_equal(row->dim, wanted[i].dim, (size_t)row->n_dims * sizeof *row->dim);
        assert_int_equal(row->parameters, wanted[i].parameters);
        assert_int_equal(row->flops, wanted[i].flops);
        parameters += wanted[i].parameters;
        flops += wanted[i].flops;
    }
    assert_int_equal(summary->parameters, parameters);
    assert_int_equal(summary->flops, flops);
    assert_int_equal(summary->latent, latent);
    assert_int_equal(summary->batch_size, 32);
    /* Parameters, gradients of two replicas and both moments of Adam at the least. */
    assert_true(summary->training_bytes >= 4 * 5 * parameters);
    assert_non_null(strstr(summary->plan, "engine cpu, 2 replicas"));
    strait_summary_free(summary);
}

static void test_summary_dense(void **state) {
    (void)state;
    /* in · out + out parameters; 2 · in · out operations. */
    static const st_wanted rows[] = {
        {"encoder", "encoder.0", "flatten", 1, {784}, 0, 0},
        {"encoder", "encoder.1", "dense (relu)", 1, {64}, 784 * 64 + 64, 2 * 784 * 64},
        {"decoder", "decoder.0", "dense (sigmoid)", 1, {784}, 64 * 784 + 784, 2 * 64 * 784},
        {"decoder", "decoder.1", "reshape", 3, {28, 28, 1}, 0, 0},
    };
    check_summary("fashion-basic", 4, rows, 64);
    strait_summary *summary = summary_of("fashion-basic");
    assert_int_equal(summary->parameters, 101200); /* as Keras counts the tutorial's model: 50,240 + 50,960 */
    strait_summary_free(summary);
}

static void test_summary_convolution(void **state) {
    (void)state;
    /* 3 · 3 · in · out + out parameters; 2 · 9 · in · out operations for each place of the window: of the output, or,
       transposed, of the input. */
    static const st_wanted rows[] = {
        {"encoder", "encoder.0", "conv2d (relu)", 3, {14, 14, 16}, 160, 2 * 9 * 16 * 14 * 14},
        {"encoder", "encoder.1", "conv2d (relu)", 3, {7, 7, 8}, 1160, 2 * 9 * 16 * 8 * 7 * 7},
        {"decoder", "decoder.0", "conv2d_transpose (relu)", 3, {14, 14, 8}, 584, 2 * 9 * 8 * 8 * 7 * 7},
        {"decoder", "decoder.1", "conv2d_transpose (relu)", 3, {28, 28, 16}, 1168, 2 * 9 * 8 * 16 * 14 * 14},
        {"decoder", "decoder.2", "conv2d (sigmoid)", 3, {28, 28, 1}, 145, 2 * 9 * 16 * 28 * 28},
    };
    check_summary("fashion-denoise-conv", 5, rows, 7 * 7 * 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halves),        cmocka_unit_test(test_errors_by_definition),
        cmocka_unit_test(test_chances),       cmocka_unit_test(test_logits),
        cmocka_unit_test(test_clipped),       cmocka_unit_test(test_threads_give_the_same),
        cmocka_unit_test(test_progress),      cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_summary_dense), cmocka_unit_test(test_summary_convolution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
