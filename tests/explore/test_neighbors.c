/* Nearest neighbours against the definition: all distances, sorted. */
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
#include "explore/neighbors_int.h"

static strait_array *random_rows(int64_t n, int64_t d, uint64_t seed) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, d}, NULL), STRAIT_OK);
    st_rng_normal(&(st_rng){.seed = seed, .purpose = 99}, 0, x->values, (size_t)(n * d));
    return x;
}

static const float *row(const strait_array *x, int64_t i) {
    return x->values + i * x->dim[1];
}

static double distance(const float *a, const float *b, int64_t d, strait_metric metric) {
    double square = 0, dot = 0, aa = 0, bb = 0;
    for (int64_t i = 0; i < d; i++) {
        square += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    if (metric == STRAIT_METRIC_EUCLIDEAN) return sqrt(square);
    if (aa == 0 || bb == 0) return aa == bb ? 0 : 1;
    return 1 - dot / sqrt(aa * bb);
}

typedef struct pair {
    double distance;
    int index;
} pair;

static int by_distance(const void *a, const void *b) {
    const pair *p = a, *q = b;
    return p->distance < q->distance ? -1 : p->distance > q->distance ? 1 : p->index - q->index;
}

/* The definition. self: leave out the sample itself. */
static void check(const strait_neighbors *found, const strait_array *x, const strait_array *query, bool self,
                  strait_metric metric, bool check_index) {
    const int64_t n = x->dim[0], d = x->dim[1];
    pair *all = malloc((size_t)n * sizeof *all);
    for (int64_t i = 0; i < query->dim[0]; i++) {
        int count = 0;
        for (int j = 0; j < n; j++)
            if (!self || j != i) all[count++] = (pair){distance(row(query, i), row(x, j), d, metric), j};
        qsort(all, (size_t)count, sizeof *all, by_distance);
        for (int c = 0; c < found->k; c++) {
            if (check_index) assert_int_equal(found->index[i * found->k + c], all[c].index);
            const double error = (double)found->distance[i * found->k + c] - all[c].distance;
            assert_true(fabs(error) <= 1e-6 * (1 + all[c].distance));
        }
    }
    free(all);
}

static void exact_neighbors_are_those_of_the_definition(void **state) {
    (void)state;
    static const struct {
        int64_t n, d;
        int k;
    } sizes[] = {{2, 1, 1}, {3, 2, 2}, {50, 3, 7}, {700, 17, 12}, {530, 1100, 3}, {33, 5, 32}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int metric = 0; metric < 2; metric++) {
            strait_array *x = random_rows(sizes[s].n, sizes[s].d, s);
            strait_neighbors *found;
            const strait_neighbors_options options = {.metric = (strait_metric)metric, .threads = 2};
            assert_int_equal(strait_neighbors_find(&found, x, sizes[s].k, &options, NULL), STRAIT_OK);
            assert_true(found->exact);
            check(found, x, x, true, options.metric, sizes[s].d > 2);
            strait_neighbors_free(found);
            strait_array_free(x);
        }
}

/* Integer coordinates far from the origin: many equal distances, and float32 products that cancel. */
static void ties_go_to_the_lower_index(void **state) {
    (void)state;
    strait_array *x = random_rows(400, 2, 5);
    for (int i = 0; i < 800; i++)
        x->values[i] = roundf(2 * x->values[i]) + 5000;
    strait_neighbors *found;
    assert_int_equal(strait_neighbors_find(&found, x, 20, NULL, NULL), STRAIT_OK);
    check(found, x, x, true, STRAIT_METRIC_EUCLIDEAN, true);
    strait_neighbors_free(found);
    strait_array_free(x);
}

/* Pairs of samples a hair apart beside one sample far away: products alone could not tell them apart. */
static void near_pairs_beside_far_samples_are_told_apart(void **state) {
    (void)state;
    strait_array *x = random_rows(200, 4, 6);
    for (int i = 0; i < 800; i++)
        x->values[i] *= 1e-4F;
    x->values[3] = 1e6F;
    strait_neighbors *found;
    assert_int_equal(strait_neighbors_find(&found, x, 5, NULL, NULL), STRAIT_OK);
    check(found, x, x, true, STRAIT_METRIC_EUCLIDEAN, true);
    strait_neighbors_free(found);
    strait_array_free(x);
}

static void duplicates_have_distance_zero(void **state) {
    (void)state;
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){100, 3}, NULL), STRAIT_OK);
    for (int metric = 0; metric < 2; metric++) {
        strait_neighbors *found;
        const strait_neighbors_options options = {.metric = (strait_metric)metric};
        assert_int_equal(strait_neighbors_find(&found, x, 3, &options, NULL), STRAIT_OK);
        const int32_t last[] = {0, 1, 2};
        assert_memory_equal(found->index + 99 * 3, last, sizeof last);
        for (int i = 0; i < 300; i++)
            assert_true(found->distance[i] == 0);
        strait_neighbors_free(found);
    }
    strait_array_free(x);
}

static void queries_may_be_among_the_samples(void **state) {
    (void)state;
    strait_array *x = random_rows(300, 6, 7), *query = random_rows(40, 6, 8);
    memcpy(query->values, x->values + 6 * 17, 6 * sizeof(float));
    memset(query->values + 6, 0, 6 * sizeof(float)); /* cosine: 1 from all */
    for (int metric = 0; metric < 2; metric++) {
        strait_neighbors *found;
        const strait_neighbors_options options = {.metric = (strait_metric)metric, .threads = 1};
        assert_int_equal(strait_neighbors_query(&found, x, query, 4, &options, NULL), STRAIT_OK);
        assert_int_equal(found->n, 40);
        assert_int_equal(found->index[0], 17);
        check(found, x, query, false, options.metric, metric == 0);
        strait_neighbors_free(found);
    }
    strait_array_free(x);
    strait_array_free(query);
}

/* Ten clusters in 16 dimensions; the search by descent finds nearly all of the exact neighbours. */
static void descent_finds_nearly_all(void **state) {
    (void)state;
    enum { N = 6000, K = 15 };
    strait_array *x = random_rows(N, 16, 9);
    for (int i = 0; i < N; i++)
        x->values[i * 16 + i % 10] += 6;
    strait_neighbors *exact, *found[2];
    assert_int_equal(strait_neighbors_find(&exact, x, K, NULL, NULL), STRAIT_OK);
    const st_rows rows = {N, 16, x->values};
    st_space *space;
    assert_int_equal(st_space_new(&space, &rows, NULL, STRAIT_METRIC_EUCLIDEAN, NULL), STRAIT_OK);
    for (int threads = 1; threads <= 2; threads++) {
        st_pool *pool;
        assert_int_equal(st_pool_new(&pool, threads, NULL, NULL), STRAIT_OK);
        assert_int_equal(st_neighbors_new(&found[threads - 1], N, K, NULL), STRAIT_OK);
        assert_int_equal(st_neighbors_descent(found[threads - 1], space, 1, pool, NULL), STRAIT_OK);
        st_pool_free(pool);
    }
    int hits = 0;
    for (int i = 0; i < N; i++)
        for (int a = 0; a < K; a++)
            for (int b = 0; b < K; b++)
                hits += exact->index[i * K + a] == found[0]->index[i * K + b];
    print_message("recall %.4f\n", (double)hits / (N * K));
    assert_true(hits >= 0.95 * N * K);
    assert_memory_equal(found[0]->index, found[1]->index, sizeof(int32_t) * N * K); /* whatever the threads */
    assert_memory_equal(found[0]->distance, found[1]->distance, sizeof(float) * N * K);
    for (int t = 0; t < 2; t++)
        strait_neighbors_free(found[t]);
    strait_neighbors_free(exact);
    st_space_free(space);
    strait_array_free(x);
}

/* Small and degenerate sets, by descent: it gives what there is. */
static void descent_takes_any_set(void **state) {
    (void)state;
    for (int n = 2; n < 200; n = n * 3 / 2 + 1)
        for (int same = 0; same < 2; same++) {
            strait_array *x = random_rows(n, 3, (uint64_t)n);
            if (same) memset(x->values, 0, sizeof(float) * 3 * (size_t)n);
            const st_rows rows = {n, 3, x->values};
            const int k = n - 1 < 30 ? n - 1 : 30;
            st_space *space;
            st_pool *pool;
            strait_neighbors *found;
            assert_int_equal(st_space_new(&space, &rows, NULL, STRAIT_METRIC_EUCLIDEAN, NULL), STRAIT_OK);
            assert_int_equal(st_pool_new(&pool, 1, NULL, NULL), STRAIT_OK);
            assert_int_equal(st_neighbors_new(&found, n, k, NULL), STRAIT_OK);
            assert_int_equal(st_neighbors_descent(found, space, 1, pool, NULL), STRAIT_OK);
            for (int i = 0; i < n; i++)
                for (int c = 0; c < k; c++) {
                    assert_int_not_equal(found->index[i * k + c], i);
                    for (int b = 0; b < c; b++)
                        assert_int_not_equal(found->index[i * k + c], found->index[i * k + b]);
                }
            strait_neighbors_free(found);
            st_pool_free(pool);
            st_space_free(space);
            strait_array_free(x);
        }
}

static void check_refused(const strait_array *x, int k, const char *part) {
    strait_neighbors *found = (strait_neighbors *)1;
    strait_error err = {0};
    assert_int_equal(strait_neighbors_find(&found, x, k, NULL, &err), STRAIT_ARGUMENT);
    assert_null(found);
    if (!strstr(err.message, part)) fail_msg("%s lacks %s", err.message, part);
}

static void bad_input_is_refused(void **state) {
    (void)state;
    strait_array *x = random_rows(5, 2, 1), *query = random_rows(5, 3, 1);
    check_refused(x, 5, "5 neighbours of each of 5 samples: the number must be from 1 to 4");
    check_refused(x, 0, "from 1 to 4");
    x->values[7] = NAN;
    check_refused(x, 1, "value 1 of sample 3 is NaN");
    x->values[7] = INFINITY;
    check_refused(x, 1, "value 1 of sample 3 is infinite");
    x->values[7] = 1e30F;
    check_refused(x, 1, "scale the data");
    x->values[7] = 0;
    strait_neighbors *found;
    strait_error err = {0};
    assert_int_equal(strait_neighbors_query(&found, x, query, 1, NULL, &err), STRAIT_SHAPE);
    assert_non_null(strstr(err.message, "the samples have 2 values each, the queries 3"));
    assert_int_equal(strait_neighbors_query(&found, x, x, 6, NULL, NULL), STRAIT_ARGUMENT);
    assert_int_equal(strait_neighbors_find(&found, x, 1, &(strait_neighbors_options){.metric = (strait_metric)7}, &err),
                     STRAIT_ARGUMENT);
    strait_array_free(x);
    strait_array_free(query);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    strait_array *x = random_rows(40, 3, 2);
    const strait_neighbors_options options = {.metric = STRAIT_METRIC_COSINE, .threads = 2};
    for (uint64_t at = 1;; at++) {
        strait_neighbors *found;
        strait_error err = {0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(at);
        const strait_status status = strait_neighbors_query(&found, x, x, 3, &options, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            assert_true(st_alloc_count() - before < at);
            strait_neighbors_free(found);
            break;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(found);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_neighbors_are_those_of_the_definition),
        cmocka_unit_test(ties_go_to_the_lower_index),
        cmocka_unit_test(near_pairs_beside_far_samples_are_told_apart),
        cmocka_unit_test(duplicates_have_distance_zero),
        cmocka_unit_test(queries_may_be_among_the_samples),
        cmocka_unit_test(descent_finds_nearly_all),
        cmocka_unit_test(descent_takes_any_set),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
