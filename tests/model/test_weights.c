/* Initial weights: Glorot and Bengio 2010, equation 16: U(-l, l) with l = sqrt(6 / (fan_in + fan_out)). */
#include "model_check.h"

#include <math.h>

#include "base/rng.h"
#include "base/thread.h"

static const char wide[] = "name: wide\nseed: 3\nmodel:\n  input: [28, 28, 1]\n  encoder:\n    - flatten\n"
                           "    - dense: {units: 64}\n  decoder:\n    - dense: {units: 784}\n"
                           "    - reshape: [28, 28, 1]\ntrain: {loss: mse, optimizer: adam}\n";

static void uniform_within_glorots_bound(void **state) {
    (void)state;
    strait_model *model = build(wide);
    const st_graph *graph = model->graph;
    const double bound = sqrt(6.0 / (784 + 64));
    for (int p = 0; p < graph->n_parameters; p++) {
        const st_parameter *parameter = &graph->parameter[p];
        const float *value = model->values + parameter->offset;
        const int64_t n = st_shape_count(&parameter->shape);
        double sum = 0, squares = 0, least = 1, most = -1;
        for (int64_t i = 0; i < n; i++) {
            sum += (double)value[i];
            squares += (double)value[i] * (double)value[i];
            least = fmin(least, (double)value[i]);
            most = fmax(most, (double)value[i]);
        }
        if (strstr(parameter->name, "bias")) {
            assert_true(least == 0 && most == 0);
            continue;
        }
        assert_true(least >= -bound * (1 + 1e-6) && most <= bound * (1 + 1e-6));
        assert_true(least < -bound * 0.999 && most > bound * 0.999); /* of 50,176 draws */
        /* Five standard errors of the mean and of the variance (l^2 / 3, its own variance 4 l^4 / 45). */
        assert_true(fabs(sum / (double)n) < 5 * bound / sqrt(3.0 * (double)n));
        assert_true(fabs(squares / (double)n - bound * bound / 3) < 5 * bound * bound * sqrt(4.0 / 45 / (double)n));
    }
    strait_model_free(model);
}

/* The contract: parameter i draws stream sample = i of purpose WEIGHTS; here one position at a time. */
static void each_weight_is_a_function_of_seed_parameter_and_position(void **state) {
    (void)state;
    strait_model *model = build(wide);
    const st_parameter *kernel = &model->graph->parameter[2];
    assert_string_equal(kernel->name, "decoder.0.kernel");
    const float bound = (float)sqrt(6.0 / (784 + 64));
    const st_rng rng = {.seed = 3, .purpose = ST_RNG_WEIGHTS, .sample = 2};
    for (uint32_t i = 0; i < 50176; i += 4000) {
        float draw;
        st_rng_uniform(&rng, i, &draw, 1);
        assert_true(model->values[kernel->offset + i] == (2 * draw - 1) * bound);
    }
    strait_model_free(model);
}

static void biases_start_where_the_recipe_says(void **state) {
    (void)state;
    strait_model *model = build("name: started\nmodel:\n  input: [6]\n"
                                "  encoder:\n    - dense: {units: 3, initializer: {constant: {value: 0.25}}}\n"
                                "  decoder:\n    - dense: {units: 6, bias_start: -3}\n"
                                "train: {loss: mse, optimizer: adam}\n");
    const double wanted[] = {0.25, 0, 0, -3}; /* the second kernel is Glorot's */
    for (int p = 0; p < 4; p++) {
        const st_parameter *parameter = &model->graph->parameter[p];
        for (int64_t i = 0; p != 2 && i < st_shape_count(&parameter->shape); i++)
            assert_true((double)model->values[parameter->offset + i] == wanted[p]);
    }
    strait_model_free(model);
}

static void seeds_differ(void **state) {
    (void)state;
    strait_model *model = build(wide);
    const st_graph *graph = model->graph;
    float *other = st_alloc((size_t)graph->n_values, sizeof *other);
    st_model_initialise(other, graph, 3);
    assert_memory_equal(other, model->values, (size_t)graph->n_values * sizeof *other);
    st_model_initialise(other, graph, 4);
    int same = 0;
    for (int i = 0; i < 1000; i++)
        same += other[i] == model->values[i];
    assert_true(same < 5);
    /* The two kernels have the same bound, but not the same numbers. */
    same = 0;
    for (int i = 0; i < 1000; i++)
        same += model->values[i] == model->values[graph->parameter[2].offset + i];
    assert_true(same < 5);
    st_free(other);
    strait_model_free(model);
}

/* Mean, variance and extremes of a kernel of 784 x 64 draws, all by its initialiser. */
typedef struct spread {
    double mean, variance, least, most;
    int64_t n;
} spread;

static spread spread_of(const char *initializer) {
    char yaml[512];
    snprintf(yaml, sizeof yaml,
             "seed: 3\nmodel:\n  input: [784]\n  initializer: %s\n  encoder:\n    - dense: {units: 64}\n  decoder:\n"
             "    - dense: {units: 784, initializer: zeros}\n    - batch_norm\n",
             initializer);
    strait_model *model = build(yaml);
    const st_parameter *kernel = &model->graph->parameter[0];
    const float *value = model->values + kernel->offset;
    spread s = {.n = st_shape_count(&kernel->shape), .least = 1e9, .most = -1e9};
    for (int64_t i = 0; i < s.n; i++) {
        s.mean += (double)value[i] / (double)s.n;
        s.variance += (double)value[i] * (double)value[i] / (double)s.n;
        s.least = fmin(s.least, (double)value[i]);
        s.most = fmax(s.most, (double)value[i]);
    }
    /* The layer's own initialiser goes before the model's; gamma and variance start at 1, beta and mean at 0. */
    const float *other = model->values + model->graph->parameter[2].offset;
    assert_true(other[0] == 0 && other[50175] == 0);
    static const float start[] = {1, 0, 0, 1};
    for (int i = 0; i < 4; i++)
        assert_true(model->values[model->graph->parameter[4 + i].offset + 5] == start[i]);
    strait_model_free(model);
    return s;
}

/* Glorot and Bengio 2010, He et al. 2015: variance 2 / (in + out), 2 / in; the cut normals keep it, as Keras divides by
   the standard deviation 0.8796 of what is left between -2 and 2. Five standard errors; the fourth moment of a uniform
   is 9/5 of its squared variance, of a normal 3, of the cut one less. */
static void initialisers_have_their_variance(void **state) {
    (void)state;
    const double glorot = 2.0 / (784 + 64), he = 2.0 / 784, cut = 2 / 0.87962566103423978;
    const struct {
        const char *name;
        double variance, bound;
    } wanted[] = {
        {"glorot_uniform", glorot, sqrt(3 * glorot)},
        {"glorot_normal", glorot, cut * sqrt(glorot)},
        {"he_uniform", he, sqrt(3 * he)},
        {"he_normal", he, cut * sqrt(he)},
        {"normal", 0.05 * 0.05, 0.05 * 6},
        {"{normal: {stddev: 2}}", 4, 2.0 * 6},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const spread s = spread_of(wanted[i].name);
        assert_true(fabs(s.mean) < 5 * sqrt(wanted[i].variance / (double)s.n));
        assert_true(fabs(s.variance - wanted[i].variance) < 5 * wanted[i].variance * sqrt(2 / (double)s.n));
        assert_true(s.most <= wanted[i].bound * (1 + 1e-6) && s.least >= -wanted[i].bound * (1 + 1e-6));
        assert_true(s.most > 0.6 * wanted[i].bound && s.least < -0.6 * wanted[i].bound);
    }
    const spread zeros = spread_of("zeros"), ones = spread_of("ones");
    assert_true(zeros.least == 0 && zeros.most == 0 && ones.least == 1 && ones.most == 1);
}

typedef struct builds {
    const strait_recipe *recipe;
    strait_model *model[4];
} builds;

static void build_one(void *context, int worker, int n_workers) {
    (void)n_workers;
    builds *b = context;
    if (strait_model_build(&b->model[worker], b->recipe, NULL) != STRAIT_OK) b->model[worker] = NULL;
}

static void the_same_from_any_thread(void **state) {
    (void)state;
    strait_recipe *recipe = parse(wide, "wide.yaml");
    builds b = {.recipe = recipe};
    st_pool *pool = NULL;
    assert_int_equal(st_pool_new(&pool, 4, NULL, NULL), STRAIT_OK);
    st_pool_run(pool, build_one, &b);
    st_pool_free(pool);
    for (int i = 0; i < 4; i++) {
        assert_non_null(b.model[i]);
        assert_memory_equal(b.model[i]->values, b.model[0]->values, (size_t)b.model[0]->graph->n_values * 4);
    }
    for (int i = 0; i < 4; i++)
        strait_model_free(b.model[i]);
    strait_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_within_glorots_bound),
        cmocka_unit_test(each_weight_is_a_function_of_seed_parameter_and_position),
        cmocka_unit_test(biases_start_where_the_recipe_says),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(initialisers_have_their_variance),
        cmocka_unit_test(the_same_from_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
