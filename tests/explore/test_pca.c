/* Principal components against numpy, against matrices whose components are known in closed form, and at their edges.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <strait/explore.h>
#include "base/memory.h"
#include "explore/pca_int.h"

static strait_array *matrix(int64_t n, int64_t d) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, d}, NULL), STRAIT_OK);
    return x;
}

/* Whole quarters: the same in float and double. */
static strait_array *quarters(int64_t n, int64_t d) {
    strait_array *x = matrix(n, d);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            x->values[i * d + j] = (float)((i * 7 + j * 13 + i * i * j) % 17) / 4;
    return x;
}

static strait_pca *fitted(const strait_array *x, int components, int threads) {
    strait_pca *pca;
    strait_error err;
    const strait_pca_options o = {.components = components, .threads = threads};
    if (strait_pca_fit(&pca, x, &o, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return pca;
}

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance)) fail_msg("%.12g is not %.12g within %g", found, expected, tolerance);
}

static void assert_all_near(const double *found, const double *expected, int n, double tolerance) {
    for (int i = 0; i < n; i++)
        assert_near(found[i], expected[i], tolerance);
}

/* numpy 1.24: w, v = numpy.linalg.eigh(numpy.cov(x.T)), descending, the value of largest magnitude made positive; mse
   [q] = mean((xc - xc v[:q]' v[:q])**2), of x itself and of the first three rows plus 1. */
typedef struct expected {
    int64_t n, d;
    int k;
    double total, variance[5], first[12], mse[5], other[5], second_scores[5];
} expected;

static const expected samples_above = {
    12,
    5,
    5,
    7.920454545454543,
    {3.15537090485663, 2.09013298075296, 1.32992140896952, 0.71155705757821, 0.63347219329723},
    {0.531292667637, -0.0439873086324, -0.155281767611, 0.659240852724, 0.507032828071},
    {0.8735986674429514, 0.4904076209715754, 0.24658869599383101, 0.11613656877115912, 0},
    {1.7343596778095534, 0.877279565740498, 0.3755562775865912, 0.17108552758835865, 0},
    {1.95149428, -1.1945178, -0.07850681, -1.16783135, -1.15875821},
};
static const expected features_above = {
    5,
    12,
    4,
    20.787499999999998,
    {9.05396348432478, 6.86084570844982, 2.65898399157495, 2.21370681565045},
    {0.340720118117, -0.144513548677, -0.367848216221, 0.425765554824, 0.20243088728, -0.282802779514, 0.390582567682,
     0.167247900138, -0.0560867674054, -0.421092010351, 0.252293336845, 0.0289586693013},
    {0.7822357677116811, 0.3248460538150263, 0.1475804543766965, 0},
    {2.5053822526891176, 0.7360340462629722, 0.45870867772731866, 0},
    {1.02451177, -2.16881246, 2.27878369, 0.99311281},
};

static void check_against(const expected *e) {
    strait_array *x = quarters(e->n, e->d), *other = quarters(3, e->d), *z;
    strait_pca *pca = fitted(x, 0, 0);
    double mse[5];
    assert_int_equal(pca->n_components, e->k);
    assert_true(pca->exact);
    assert_near(pca->total_variance, e->total, 1e-12);
    assert_all_near(pca->variance, e->variance, e->k, 1e-12);
    for (int64_t j = 0; j < e->d; j++)
        assert_near((double)pca->component[j], e->first[j], 1e-7);
    assert_int_equal(strait_pca_errors(mse, pca, x, 0, NULL), STRAIT_OK);
    assert_all_near(mse, e->mse, e->k, 1e-7);
    for (int64_t i = 0; i < 3 * e->d; i++)
        other->values[i] += 1;
    assert_int_equal(strait_pca_errors(mse, pca, other, 0, NULL), STRAIT_OK);
    assert_all_near(mse, e->other, e->k, 1e-6);
    mse[2] = -1;
    assert_int_equal(strait_pca_errors(mse, pca, other, 2, NULL), STRAIT_OK);
    assert_all_near(mse, e->other, 2, 1e-6);
    assert_true(mse[2] == -1); /* no more is written than asked for */
    assert_int_equal(strait_pca_transform(&z, pca, x, 0, NULL), STRAIT_OK);
    for (int c = 0; c < e->k; c++) /* numpy's signs are free: only the first component's is fixed the same way there */
        assert_near(fabs((double)z->values[e->k + c]), fabs(e->second_scores[c]), 1e-6);
    strait_array_free(z);
    strait_pca_free(pca);
    strait_array_free(other);
    strait_array_free(x);
}

static void test_numpy(void **state) {
    (void)state;
    check_against(&samples_above);
    check_against(&features_above);
}

/* x = sum of s_c a_c b_c' with a_c(i) = cos(pi (i + 1/2) c / n), likewise b_c: these are orthogonal, sum to zero and
   have squares n/2 and d/2 (the discrete cosine transform), so that variance c is s_c² (n/2) (d/2) / (n - 1). */
static const double strength[] = {8, 4, 1.5};
#define RANK 3

static double wave(int64_t i, int c, int64_t n) {
    return cos(M_PI * ((double)i + 0.5) * c / (double)n);
}

static strait_array *waves(int64_t n, int64_t d) {
    strait_array *x = matrix(n, d);
    double *a = malloc((size_t)(n * RANK) * sizeof *a), *b = malloc((size_t)(d * RANK) * sizeof *b);
    for (int c = 0; c < RANK; c++) {
        for (int64_t i = 0; i < n; i++)
            a[i * RANK + c] = strength[c] * wave(i, c + 1, n);
        for (int64_t j = 0; j < d; j++)
            b[j * RANK + c] = wave(j, c + 1, d);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            for (int c = 0; c < RANK; c++)
                x->values[i * d + j] += (float)(a[i * RANK + c] * b[j * RANK + c]);
    free(a);
    free(b);
    return x;
}

static void check_waves(int64_t n, int64_t d, int asked, bool exact) {
    strait_array *x = waves(n, d), *z, *back;
    strait_pca *pca = fitted(x, asked, 0);
    double total = 0;
    assert_int_equal(pca->exact, exact);
    assert_true(pca->n_components >= RANK);
    for (int c = 0; c < RANK; c++) {
        const double variance = strength[c] * strength[c] * (double)n * (double)d / 4 / (double)(n - 1);
        assert_near(pca->variance[c] / variance, 1, 1e-5);
        total += variance;
        for (int64_t j = 0; j < d; j += 7)
            assert_near(fabs((double)pca->component[c * d + j]), fabs(wave(j, c + 1, d)) / sqrt((double)d / 2), 1e-5);
    }
    for (int c = RANK; c < pca->n_components; c++)
        assert_true(pca->variance[c] < 1e-12 * pca->variance[0]);
    assert_near(pca->total_variance / total, 1, 1e-5);
    assert_int_equal(strait_pca_needed(pca, 0.9), 2); /* 64 : 16 : 2.25 */
    assert_int_equal(strait_pca_needed(pca, 0.99), 3);
    assert_int_equal(strait_pca_transform(&z, pca, x, RANK, NULL), STRAIT_OK);
    assert_int_equal(strait_pca_inverse(&back, pca, z, NULL), STRAIT_OK);
    for (int64_t i = 0; i < n * d; i += 11)
        assert_near((double)back->values[i], (double)x->values[i], 1e-4);
    strait_array_free(back);
    strait_array_free(z);
    strait_pca_free(pca);
    strait_array_free(x);
}

static void test_known_spectrum(void **state) {
    (void)state;
    check_waves(200, 31, 0, true);
    check_waves(31, 200, 0, true);
    check_waves(700, 300, 5, true); /* more than one tile, and not a whole number of them */
    check_waves(4100, 5, 0, true);
}

static void test_randomised(void **state) {
    (void)state;
    check_waves(4200, 4100, 5, false);
}

/* Components are orthonormal, and all of them give samples back. */
static void test_whole_basis(void **state) {
    (void)state;
    strait_array *x = quarters(40, 17), *z, *back;
    strait_pca *pca = fitted(x, 0, 0);
    for (int a = 0; a < pca->n_components; a++)
        for (int b = 0; b < pca->n_components; b++) {
            double dot = 0;
            for (int j = 0; j < 17; j++)
                dot += (double)pca->component[a * 17 + j] * (double)pca->component[b * 17 + j];
            assert_near(dot, a == b, 1e-6);
        }
    assert_int_equal(strait_pca_needed(pca, 1), pca->n_components);
    assert_int_equal(strait_pca_transform(&z, pca, x, 0, NULL), STRAIT_OK);
    assert_int_equal(strait_pca_inverse(&back, pca, z, NULL), STRAIT_OK);
    for (int i = 0; i < 40 * 17; i++)
        assert_near((double)back->values[i], (double)x->values[i], 1e-5);
    strait_array_free(back);
    strait_array_free(z);
    strait_pca_free(pca);
    strait_array_free(x);
}

static void test_threads_leave_no_trace(void **state) {
    (void)state;
    strait_array *x = waves(600, 300), *y = quarters(300, 600);
    for (int way = 0; way < 2; way++) {
        strait_pca *one = fitted(way ? y : x, 0, 1), *three = fitted(way ? y : x, 0, 3);
        assert_int_equal(one->n_components, three->n_components);
        assert_memory_equal(one->variance, three->variance, (size_t)one->n_components * sizeof(double));
        assert_memory_equal(one->component, three->component,
                            (size_t)(one->n_components * one->n_features) * sizeof(float));
        strait_pca_free(three);
        strait_pca_free(one);
    }
    strait_array_free(y);
    strait_array_free(x);
}

/* A mean ten thousand times the spread is no loss, and features that never change have no weight. */
static void test_offset_and_constant_features(void **state) {
    (void)state;
    const expected *e = &samples_above;
    strait_array *x = quarters(e->n, e->d), *wide = matrix(e->n, e->d + 2);
    for (int64_t i = 0; i < e->n; i++) {
        for (int64_t j = 0; j < e->d; j++)
            wide->values[i * (e->d + 2) + j + 1] = x->values[i * e->d + j] + 16384;
        wide->values[i * (e->d + 2) + e->d + 1] = -3;
    }
    strait_pca *pca = fitted(wide, 0, 0);
    assert_int_equal(pca->n_components, e->k);
    assert_all_near(pca->variance, e->variance, e->k, 1e-10);
    for (int c = 0; c < e->k; c++) {
        assert_near((double)pca->component[c * (e->d + 2)], 0, 1e-12);
        assert_near((double)pca->component[c * (e->d + 2) + e->d + 1], 0, 1e-12);
    }
    strait_pca_free(pca);
    strait_array_free(wide);
    strait_array_free(x);
}

static void assert_refused(strait_status found, strait_status wanted, const strait_error *err, const char *words) {
    assert_int_equal(found, wanted);
    assert_int_equal(err->code, wanted);
    if (!strstr(err->message, words)) fail_msg("'%s' lacks '%s'", err->message, words);
}

static void test_edges(void **state) {
    (void)state;
    strait_error err;
    strait_pca *pca = (strait_pca *)8;
    strait_array *x = quarters(12, 5), *one = quarters(1, 5), *same = matrix(4, 5), *z = NULL;
    assert_refused(strait_pca_fit(&pca, one, NULL, &err), STRAIT_ARGUMENT, &err, "two samples");
    assert_null(pca);
    assert_refused(strait_pca_fit(&pca, same, NULL, &err), STRAIT_ARGUMENT, &err, "are the same");
    assert_refused(strait_pca_fit(&pca, NULL, NULL, &err), STRAIT_ARGUMENT, &err, "no array");
    assert_refused(strait_pca_fit(&pca, x, &(strait_pca_options){.components = -1}, &err), STRAIT_ARGUMENT, &err, "-1");
    x->values[7] = NAN;
    assert_refused(strait_pca_fit(&pca, x, NULL, &err), STRAIT_ARGUMENT, &err, "value 2 of sample 1 is NaN");
    x->values[7] = INFINITY;
    assert_refused(strait_pca_fit(&pca, x, NULL, &err), STRAIT_ARGUMENT, &err, "infinite");
    x->values[7] = 0;
    pca = fitted(x, 99, 0); /* more than there are: all */
    assert_int_equal(pca->n_components, 5);
    assert_refused(strait_pca_transform(&z, pca, x, 6, &err), STRAIT_ARGUMENT, &err, "6 components");
    assert_null(z);
    assert_refused(strait_pca_transform(&z, pca, NULL, 0, &err), STRAIT_ARGUMENT, &err, "no array");
    assert_refused(strait_pca_transform(&z, NULL, x, 0, &err), STRAIT_ARGUMENT, &err, "NULL");
    strait_array *wide = quarters(3, 6);
    double mse[5];
    assert_refused(strait_pca_transform(&z, pca, wide, 0, &err), STRAIT_SHAPE, &err, "5 values a sample");
    assert_refused(strait_pca_errors(mse, pca, wide, 0, &err), STRAIT_SHAPE, &err, "5 values a sample");
    assert_refused(strait_pca_inverse(&z, pca, wide, &err), STRAIT_SHAPE, &err, "6 scores");
    strait_pca_free(pca);
    strait_pca_free(NULL);
    /* Two samples vary in one direction. */
    strait_array *two = quarters(2, 5);
    pca = fitted(two, 0, 0);
    assert_int_equal(pca->n_components, 1);
    assert_near(pca->variance[0] / pca->total_variance, 1, 1e-12);
    strait_pca_free(pca);
    /* Each sample twice: the same directions, found once. */
    strait_array *twice = matrix(24, 5);
    for (int i = 0; i < 24 * 5; i++)
        twice->values[i] = x->values[i % 60];
    pca = fitted(twice, 0, 0);
    assert_int_equal(pca->n_components, 5);
    strait_pca_free(pca);
    strait_array *const made[] = {x, one, same, wide, two, twice};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        strait_array_free(made[i]);
}

static void test_allocations_fail(void **state) {
    (void)state;
    strait_array *above = quarters(20, 6), *below = quarters(6, 20);
    for (int way = 0; way < 2; way++) {
        const strait_array *x = way ? below : above;
        for (uint64_t n = 1;; n++) {
            strait_pca *pca = NULL;
            strait_array *z = NULL, *back = NULL;
            double mse[6];
            const strait_pca_options o = {.threads = 1};
            st_alloc_fail_at(n);
            const uint64_t before = st_alloc_count();
            strait_status status = strait_pca_fit(&pca, x, &o, NULL);
            if (status == STRAIT_OK) status = strait_pca_transform(&z, pca, x, 2, NULL);
            if (status == STRAIT_OK) status = strait_pca_inverse(&back, pca, z, NULL);
            if (status == STRAIT_OK) status = strait_pca_errors(mse, pca, x, 0, NULL);
            const bool came = st_alloc_count() - before >= n;
            st_alloc_fail_at(0);
            strait_array_free(back);
            strait_array_free(z);
            strait_pca_free(pca);
            assert_int_equal(status, came ? STRAIT_MEMORY : STRAIT_OK);
            if (!came) break;
        }
    }
    strait_array_free(below);
    strait_array_free(above);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy),
        cmocka_unit_test(test_known_spectrum),
        cmocka_unit_test(test_randomised),
        cmocka_unit_test(test_whole_basis),
        cmocka_unit_test(test_threads_leave_no_trace),
        cmocka_unit_test(test_offset_and_constant_features),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
