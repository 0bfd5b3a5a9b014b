/* Walks in a latent space against numpy and scipy, formulas, and at their edges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <strait/explore.h>
#include "base/memory.h"

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance)) fail_msg("%.12g is not %.12g within %g", found, expected, tolerance);
}

static void assert_row(const strait_array *x, int64_t row, const double *expected, double tolerance) {
    for (int64_t i = 0; i < x->dim[1]; i++)
        assert_near((double)x->values[row * x->dim[1] + i], expected[i], tolerance);
}

static void lines_and_arcs(void **state) {
    (void)state;
    const float a[3] = {1, 2, 2}, b[3] = {0, 3, 4};
    strait_array *x;
    assert_int_equal(strait_interpolate(&x, a, b, 3, 5, false, NULL), STRAIT_OK);
    assert_true(x->n_dims == 2 && x->dim[0] == 5 && x->dim[1] == 3);
    assert_row(x, 0, (double[]){1, 2, 2}, 0);
    assert_row(x, 1, (double[]){0.75, 2.25, 2.5}, 1e-7);
    assert_row(x, 4, (double[]){0, 3, 4}, 0);
    strait_array_free(x);
    /* numpy: w = arccos(a.b / |a| / |b|); sin((1-t)w)/sin(w) a + sin(tw)/sin(w) b */
    assert_int_equal(strait_interpolate(&x, a, b, 3, 5, true, NULL), STRAIT_OK);
    assert_row(x, 0, (double[]){1, 2, 2}, 1e-6);
    assert_row(x, 1, (double[]){0.75746338, 2.2809739, 2.53632295}, 1e-6);
    assert_row(x, 2, (double[]){0.50854763, 2.54273814, 3.05128577}, 1e-6);
    assert_row(x, 4, (double[]){0, 3, 4}, 1e-6);
    strait_array_free(x);
    /* Of unit vectors at a right angle every step has length 1. */
    assert_int_equal(strait_interpolate(&x, (float[]){1, 0}, (float[]){0, 1}, 2, 7, true, NULL), STRAIT_OK);
    for (int i = 0; i < 7; i++)
        assert_row(x, i, (double[]){cos(i * M_PI / 12), sin(i * M_PI / 12)}, 1e-6);
    strait_array_free(x);
}

static void arcs_at_their_edges(void **state) {
    (void)state;
    const float a[2] = {3, 4}, twice[2] = {6, 8}, opposite[2] = {-3, -4}, zero[2] = {0, 0}, bad[2] = {0, NAN};
    strait_array *x;
    strait_error err;
    for (int spherical = 0; spherical < 2; spherical++) {
        assert_int_equal(strait_interpolate(&x, a, a, 2, 3, spherical, NULL), STRAIT_OK); /* equal ends */
        for (int i = 0; i < 3; i++)
            assert_row(x, i, (double[]){3, 4}, 1e-6);
        strait_array_free(x);
        assert_int_equal(strait_interpolate(&x, a, twice, 2, 3, spherical, NULL), STRAIT_OK); /* the same direction */
        assert_row(x, 1, (double[]){4.5, 6}, 1e-6);
        strait_array_free(x);
        assert_int_equal(strait_interpolate(&x, a, twice, 2, 1, spherical, NULL), STRAIT_OK); /* one step */
        assert_row(x, 0, (double[]){3, 4}, 0);
        strait_array_free(x);
        assert_int_equal(strait_interpolate(&x, a, bad, 2, 3, spherical, &err), STRAIT_ARGUMENT);
        assert_string_equal(err.message, "the latent to go to: value 1 is not finite");
        assert_null(x);
        assert_int_equal(strait_interpolate(&x, a, twice, 2, 0, spherical, &err), STRAIT_ARGUMENT);
    }
    assert_int_equal(strait_interpolate(&x, a, zero, 2, 3, false, NULL), STRAIT_OK);
    strait_array_free(x);
    assert_int_equal(strait_interpolate(&x, a, zero, 2, 3, true, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "to is all zeros"));
    assert_int_equal(strait_interpolate(&x, a, opposite, 2, 3, true, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "opposite directions"));
    /* Nearly the same direction: nothing is divided by a sine that is all rounding. */
    assert_int_equal(strait_interpolate(&x, (float[]){1, 0}, (float[]){1, 1e-7F}, 2, 3, true, NULL), STRAIT_OK);
    assert_row(x, 1, (double[]){1, 5e-8}, 1e-12);
    strait_array_free(x);
}

static void perturbed_latents_lie_on_a_sphere(void **state) {
    (void)state;
    enum { D = 3, N = 4000 };
    const float z[D] = {5, -1, 2};
    strait_array *x, *again;
    strait_error err;
    assert_int_equal(strait_perturb(&x, z, D, 0.5, N, 7, NULL), STRAIT_OK);
    assert_true(x->dim[0] == N + 1 && x->dim[1] == D);
    assert_row(x, 0, (double[]){5, -1, 2}, 0);
    double mean[D] = {0};
    for (int i = 1; i <= N; i++) {
        double square = 0;
        for (int k = 0; k < D; k++) {
            const double away = (double)x->values[i * D + k] - (double)z[k];
            square += away * away;
            mean[k] += away / N;
        }
        assert_near(sqrt(square), 0.5, 1e-6);
    }
    /* A coordinate of a uniform direction has variance 1 / D: the mean of N, five of its deviations. */
    for (int k = 0; k < D; k++)
        assert_near(mean[k], 0, 5 * 0.5 / sqrt((double)D * N));
    assert_int_equal(strait_perturb(&again, z, D, 0.5, 10, 7, NULL), STRAIT_OK);
    assert_memory_equal(again->values, x->values, 11 * D * sizeof(float));
    strait_array_free(again);
    assert_int_equal(strait_perturb(&again, z, D, 0.5, 10, 8, NULL), STRAIT_OK);
    assert_memory_not_equal(again->values, x->values, 11 * D * sizeof(float));
    strait_array_free(again);
    strait_array_free(x);
    assert_int_equal(strait_perturb(&x, z, D, 0, 2, 7, NULL), STRAIT_OK);
    assert_row(x, 2, (double[]){5, -1, 2}, 0);
    strait_array_free(x);
    assert_int_equal(strait_perturb(&x, z, D, -1, 2, 7, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_perturb(&x, z, D, (double)NAN, 2, 7, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_perturb(&x, z, D, 1, 0, 7, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_perturb(&x, (float[]){INFINITY}, 1, 1, 1, 7, &err), STRAIT_ARGUMENT);
}

static void the_prior_is_standard_normal(void **state) {
    (void)state;
    enum { N = 20000, D = 2 };
    strait_array *x;
    assert_int_equal(strait_prior_sample(&x, N, D, 3, NULL), STRAIT_OK);
    double sum[D] = {0}, square[D] = {0}, product = 0;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < D; k++) {
            const double v = (double)x->values[i * D + k];
            sum[k] += v;
            square[k] += v * v;
        }
        product += (double)x->values[i * D] * (double)x->values[i * D + 1];
    }
    for (int k = 0; k < D; k++) { /* five deviations of each statistic */
        assert_near(sum[k] / N, 0, 5 / sqrt(N));
        assert_near(square[k] / N, 1, 5 * sqrt(2.0 / N));
    }
    assert_near(product / N, 0, 5 / sqrt(N));
    strait_array_free(x);
    assert_int_equal(strait_prior_sample(&x, 0, D, 3, NULL), STRAIT_ARGUMENT);
}

static void planes(void **state) {
    (void)state;
    const float origin[3] = {1, 2, 3}, across[3] = {1, 0, 0}, down[3] = {0, 0, 2};
    const double at_across[3] = {-1, 0, 1}, at_down[2] = {0.5, -0.5};
    const strait_plane plane = {3, origin, across, down, 3, 2, at_across, at_down};
    strait_array *x;
    assert_int_equal(strait_plane_grid(&x, &plane, NULL), STRAIT_OK);
    assert_true(x->dim[0] == 6 && x->dim[1] == 3);
    assert_row(x, 0, (double[]){0, 2, 4}, 0);
    assert_row(x, 2, (double[]){2, 2, 4}, 0);
    assert_row(x, 4, (double[]){1, 2, 2}, 0);
    strait_array_free(x);
    const strait_plane empty = {3, origin, across, down, 0, 2, at_across, at_down};
    assert_int_equal(strait_plane_grid(&x, &empty, NULL), STRAIT_ARGUMENT);
    const float bad[3] = {0, NAN, 0};
    const strait_plane broken = {3, bad, across, down, 3, 2, at_across, at_down};
    assert_int_equal(strait_plane_grid(&x, &broken, NULL), STRAIT_ARGUMENT);
}

static void components(void **state) {
    (void)state;
    /* Points on the line through (10, 20) along (3, 4) / 5, at -1, 0 and 1: variance 1 in that direction. */
    strait_array *x, *walk;
    strait_pca *pca;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){3, 2}, NULL), STRAIT_OK);
    memcpy(x->values, (float[]){9.4F, 19.2F, 10, 20, 10.6F, 20.8F}, 6 * sizeof(float));
    assert_int_equal(strait_pca_fit(&pca, x, NULL, NULL), STRAIT_OK);
    assert_int_equal(strait_component_walk(&walk, pca, 1, 3, 3, NULL), STRAIT_OK);
    assert_row(walk, 0, (double[]){10 - 1.8, 20 - 2.4}, 1e-5);
    assert_row(walk, 1, (double[]){10, 20}, 1e-5);
    assert_row(walk, 2, (double[]){10 + 1.8, 20 + 2.4}, 1e-5);
    strait_array_free(walk);
    assert_int_equal(strait_component_walk(&walk, pca, 1, 1, 3, NULL), STRAIT_OK); /* one step: the mean */
    assert_row(walk, 0, (double[]){10, 20}, 1e-5);
    strait_array_free(walk);
    strait_error err;
    assert_int_equal(strait_component_walk(&walk, pca, pca->n_components + 1, 3, 3, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_component_walk(&walk, pca, 1, 0, 3, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_component_walk(&walk, pca, 1, 3, -1, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_component_walk(&walk, pca, 1, 3, (double)NAN, &err), STRAIT_ARGUMENT);
    strait_pca_free(pca);
    strait_array_free(x);
}

static void quantiles(void **state) {
    (void)state;
    /* scipy.stats.norm.ppf, scipy 1.10 */
    static const double expected[][2] = {
        {0.05, -1.6448536269514729},  {0.5, 0},
        {0.075, -1.4395314709384563}, {0.925, 1.4395314709384563},
        {0.2, -0.8416212335729142},   {1e-10, -6.361340902404056},
        {1e-300, -37.0470962993612},  {0.999999999999, 7.0344869100478356},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_near(strait_normal_quantile(expected[i][0]), expected[i][1], 1e-13 * (1 + fabs(expected[i][1])));
    assert_true(isinf(strait_normal_quantile(0)) && strait_normal_quantile(0) < 0);
    assert_true(isinf(strait_normal_quantile(1)) && strait_normal_quantile(1) > 0);
    assert_true(isnan(strait_normal_quantile(-0.1)) && isnan(strait_normal_quantile(1.1)));
    assert_true(isnan(strait_normal_quantile((double)NAN)));
}

static void every_allocation_failing(void **state) {
    (void)state;
    const float a[2] = {1, 0}, b[2] = {0, 1};
    const double at[2] = {-1, 1};
    const strait_plane plane = {2, a, a, b, 2, 2, at, at};
    strait_array *line;
    strait_pca *pca;
    assert_int_equal(strait_array_new(&line, 2, (int64_t[]){3, 2}, NULL), STRAIT_OK);
    memcpy(line->values, (float[]){0, 0, 1, 1, 2, 2}, 6 * sizeof(float));
    assert_int_equal(strait_pca_fit(&pca, line, NULL, NULL), STRAIT_OK);
    strait_error err;
    for (int which = 0; which < 5; which++) {
        strait_status status = STRAIT_MEMORY;
        uint64_t n = 0;
        while (status == STRAIT_MEMORY) {
            strait_array *x = NULL;
            st_alloc_fail_at(++n);
            status = which == 0   ? strait_interpolate(&x, a, b, 2, 3, true, &err)
                     : which == 1 ? strait_perturb(&x, a, 2, 1, 3, 0, &err)
                     : which == 2 ? strait_prior_sample(&x, 3, 2, 0, &err)
                     : which == 3 ? strait_plane_grid(&x, &plane, &err)
                                  : strait_component_walk(&x, pca, 1, 3, 3, &err);
            assert_true((x == NULL) == (status != STRAIT_OK));
            strait_array_free(x);
        }
        st_alloc_fail_at(0);
        assert_int_equal(status, STRAIT_OK);
        assert_true(n > 1);
    }
    strait_pca_free(pca);
    strait_array_free(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_arcs),
        cmocka_unit_test(arcs_at_their_edges),
        cmocka_unit_test(perturbed_latents_lie_on_a_sphere),
        cmocka_unit_test(the_prior_is_standard_normal),
        cmocka_unit_test(planes),
        cmocka_unit_test(components),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
