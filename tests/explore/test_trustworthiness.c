/* Trustworthiness against its definition (Venna and Kaski 2001), ranks by sorting. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <strait/explore.h>
#include "base/memory.h"
#include "base/rng.h"

enum { N = 700, K = 9 };

static strait_array *random_rows(int64_t n, int64_t d, uint64_t seed) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, d}, NULL), STRAIT_OK);
    st_rng_normal(&(st_rng){.seed = seed, .purpose = 99}, 0, x->values, (size_t)(n * d));
    return x;
}

static double square(const strait_array *x, int64_t a, int64_t b) {
    double sum = 0;
    for (int64_t c = 0; c < x->dim[1]; c++)
        sum += pow((double)x->values[a * x->dim[1] + c] - (double)x->values[b * x->dim[1] + c], 2);
    return sum;
}

/* Of j among all but i, from 1. */
static int rank(const strait_array *x, int64_t i, int64_t j) {
    int rank = 1;
    for (int64_t l = 0; l < x->dim[0]; l++)
        rank += l != i && (square(x, i, l) < square(x, i, j) || (square(x, i, l) == square(x, i, j) && l < j));
    return rank;
}

static void is_that_of_the_definition(void **state) {
    (void)state;
    strait_array *x = random_rows(120, 6, 1), *y = random_rows(120, 2, 2);
    for (int64_t i = 0; i < 120; i++)
        y->values[2 * i] = x->values[6 * i]; /* some neighbours stay */
    int64_t beyond = 0, kept = 0;
    for (int64_t i = 0; i < 120; i++)
        for (int64_t j = 0; j < 120; j++) {
            if (i == j || rank(y, i, j) > K) continue;
            const int in_x = rank(x, i, j);
            beyond += in_x > K ? in_x - K : 0;
            kept += in_x <= K;
        }
    double trust, preserved;
    assert_int_equal(strait_trustworthiness(&trust, &preserved, x, y, K, 2, NULL), STRAIT_OK);
    assert_true(fabs(trust - (1 - 2.0 * (double)beyond / (120.0 * K * (2 * 120 - 3 * K - 1)))) < 1e-12);
    assert_true(fabs(preserved - (double)kept / (120.0 * K)) < 1e-12);
    assert_true(trust < 0.9 && preserved > 0.1);
    strait_array_free(x);
    strait_array_free(y);
}

static void a_map_that_keeps_all_scores_one(void **state) {
    (void)state;
    strait_array *x = random_rows(N, 3, 3), *y = random_rows(N, 3, 3);
    for (int64_t i = 0; i < 3 * N; i++)
        y->values[i] *= -2;
    double trust, preserved;
    for (int threads = 1; threads <= 2; threads++) {
        assert_int_equal(strait_trustworthiness(&trust, &preserved, x, y, 40, threads, NULL), STRAIT_OK);
        assert_true(trust == 1 && preserved == 1);
    }
    memset(x->values, 0, sizeof(float) * 3 * N); /* all the same: equal distances go by index on both sides */
    memset(y->values, 0, sizeof(float) * 3 * N);
    assert_int_equal(strait_trustworthiness(&trust, NULL, x, y, 5, 1, NULL), STRAIT_OK);
    assert_true(trust == 1);
    strait_array_free(x);
    strait_array_free(y);
}

static void bad_input_is_refused(void **state) {
    (void)state;
    strait_array *x = random_rows(10, 2, 1), *y = random_rows(9, 2, 1);
    strait_error err = {0};
    double trust;
    assert_int_equal(strait_trustworthiness(&trust, NULL, x, y, 2, 1, &err), STRAIT_SHAPE);
    assert_non_null(strstr(err.message, "the data has 10 samples, the map 9"));
    assert_int_equal(strait_trustworthiness(&trust, NULL, x, x, 5, 1, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "fewer than half"));
    assert_int_equal(strait_trustworthiness(&trust, NULL, x, x, 0, 1, NULL), STRAIT_ARGUMENT);
    y->values[0] = NAN;
    assert_int_equal(strait_trustworthiness(&trust, NULL, y, x, 2, 1, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "NaN"));
    strait_array_free(x);
    strait_array_free(y);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    strait_array *x = random_rows(40, 3, 2);
    for (uint64_t at = 1;; at++) {
        double trust;
        st_alloc_fail_at(at);
        const strait_status status = strait_trustworthiness(&trust, NULL, x, x, 3, 2, NULL);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            assert_true(at > 10);
            break;
        }
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_that_of_the_definition),
        cmocka_unit_test(a_map_that_keeps_all_scores_one),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
