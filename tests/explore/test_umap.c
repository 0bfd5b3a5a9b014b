/* UMAP's parts against umap-learn's formulas and numbers, whole maps by what comes of clusters. */
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
#include "explore/umap_int.h"

static strait_array *random_rows(int64_t n, int64_t d, uint64_t seed) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, d}, NULL), STRAIT_OK);
    st_rng_normal(&(st_rng){.seed = seed, .purpose = 99}, 0, x->values, (size_t)(n * d));
    return x;
}

static strait_array *clusters_of(int64_t n, int clusters, float apart, uint64_t seed) {
    strait_array *x = random_rows(n, 10, seed);
    for (int64_t i = 0; i < n; i++)
        x->values[i * 10 + i % clusters] += apart;
    return x;
}

/* scipy 1.10: curve_fit(lambda x, a, b: 1 / (1 + a * x**(2 * b)), x, np.where(x < min_dist, 1, np.exp(min_dist - x)))
   with x = np.linspace(0, 3, 300), as umap-learn has it. */
static void curves_are_those_of_least_squares(void **state) {
    (void)state;
    static const struct {
        double min_dist, a, b;
    } wanted[] = {{0, 1.9328091, 0.7904947}, {0.1, 1.5769436, 0.8950607}, {0.5, 0.5830298, 1.3341674}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const st_curve curve = st_umap_curve(wanted[i].min_dist);
        assert_true(fabs(curve.a - wanted[i].a) < 1e-4 * wanted[i].a);
        assert_true(fabs(curve.b - wanted[i].b) < 1e-4 * wanted[i].b);
    }
}

/* The nearest neighbour's membership is 1 and they sum to log2 of the target, the definition of rho and sigma. */
static void memberships_sum_to_the_target(void **state) {
    (void)state;
    strait_array *x = random_rows(200, 4, 1);
    strait_neighbors *neighbors;
    st_pool *pool;
    float weight[200 * 14];
    assert_int_equal(strait_neighbors_find(&neighbors, x, 14, NULL, NULL), STRAIT_OK);
    assert_int_equal(st_pool_new(&pool, 2, NULL, NULL), STRAIT_OK);
    for (int connected = 0; connected < 2; connected++) {
        st_umap_memberships(weight, neighbors, 15, connected, pool);
        for (int i = 0; i < 200; i++) {
            double sum = 0;
            for (int c = 0; c < 14; c++)
                sum += (double)weight[i * 14 + c];
            assert_true(fabs(sum - log2(15)) < 1e-4);
            assert_true((weight[i * 14] == 1) == connected);
            const float *d = neighbors->distance + i * 14;
            const double rho = connected ? (double)d[0] : 0; /* log of a membership is linear in the distance */
            const double sigma = -((double)d[5] - rho) / log((double)weight[i * 14 + 5]);
            assert_true(fabs((double)weight[i * 14 + 9] - exp(-((double)d[9] - rho) / sigma)) < 1e-5);
        }
    }
    st_pool_free(pool);
    strait_neighbors_free(neighbors);
    strait_array_free(x);
}

/* A ring: its graph's eigenvectors behind the constant are the cosine and sine of the place on it, so each sample lies
   on a circle. */
static void spectral_start_of_a_ring_is_a_circle(void **state) {
    (void)state;
    enum { N = 500 };
    st_graph_rows ring = {.n = N,
                          .start = st_alloc(N + 1, sizeof(int64_t)),
                          .index = st_alloc(2 * N, sizeof(int32_t)),
                          .weight = st_alloc(2 * N, sizeof(float))};
    for (int i = 0; i < N; i++) {
        ring.start[i + 1] = 2 * (i + 1);
        ring.index[2 * i] = (i + 1) % N;
        ring.index[2 * i + 1] = (i + N - 1) % N;
        ring.weight[2 * i] = ring.weight[2 * i + 1] = 0.5F;
    }
    st_pool *pool;
    assert_int_equal(st_pool_new(&pool, 2, NULL, NULL), STRAIT_OK);
    float y[2 * N];
    bool found;
    assert_int_equal(st_umap_spectral(y, &found, 2, &ring, 1, pool, NULL), STRAIT_OK);
    assert_true(found);
    for (int lag = 1; lag < 3; lag++) { /* neighbours are near on the map, opposite samples are not */
        double near = 0, far = 0;
        for (int i = 0; i < N; i++)
            for (int c = 0; c < 2; c++) {
                const double a = (double)y[2 * i + c];
                near += pow(a - (double)y[2 * ((i + lag) % N) + c], 2);
                far += pow(a - (double)y[2 * ((i + N / 2) % N) + c], 2);
            }
        assert_true(near < 0.01 * far);
    }
    ring.weight[0] = ring.weight[2 * 0 + 1] = 0; /* cut off: the first sample is a piece of its own */
    assert_int_equal(st_umap_spectral(y, &found, 2, &ring, 1, pool, NULL), STRAIT_OK);
    assert_false(found);
    st_pool_free(pool);
    st_graph_rows_free(&ring);
}

static double share_of_same_cluster(const strait_array *y, const strait_array *query, int clusters) {
    strait_neighbors *neighbors;
    int same = 0;
    assert_int_equal(strait_neighbors_query(&neighbors, y, query, 2, NULL, NULL), STRAIT_OK);
    for (int64_t i = 0; i < query->dim[0]; i++)
        same += neighbors->index[2 * i + 1] % clusters == i % clusters;
    strait_neighbors_free(neighbors);
    return (double)same / (double)query->dim[0];
}

static void clusters_stay_apart_whatever_the_threads(void **state) {
    (void)state;
    strait_array *x = clusters_of(600, 4, 12, 11), *new = clusters_of(80, 4, 12, 12), *y, *again, *placed;
    for (int dims = 2; dims <= 3; dims++)
        for (int way = 0; way < 2; way++) {
            strait_umap *map;
            strait_umap_options options = {.dims = dims, .epochs = 100, .seed = 5, .threads = 1, .pca_start = way};
            options.metric = way ? STRAIT_METRIC_COSINE : STRAIT_METRIC_EUCLIDEAN;
            assert_int_equal(strait_umap_fit(&y, &map, x, &options, NULL), STRAIT_OK);
            options.threads = 2;
            assert_int_equal(strait_umap_fit(&again, NULL, x, &options, NULL), STRAIT_OK);
            assert_memory_equal(y->values, again->values, sizeof(float) * 600 * (size_t)dims);
            assert_int_equal(y->dim[1], dims);
            assert_true(share_of_same_cluster(y, y, 4) == 1);
            assert_int_equal(strait_umap_transform(&placed, map, new, NULL), STRAIT_OK);
            assert_true(share_of_same_cluster(y, placed, 4) == 1);
            strait_array_free(placed);
            strait_array_free(again);
            strait_array_free(y);
            strait_umap_free(map);
        }
    strait_array_free(x);
    strait_array_free(new);
}

static void small_and_degenerate_sets_have_a_map(void **state) {
    (void)state;
    for (int n = 1; n <= 24; n += n < 6 ? 1 : 9)
        for (int kind = 0; kind < 3; kind++)
            for (int dims = 2; dims <= 3; dims++) {
                strait_array *x = random_rows(n, kind == 0 ? 1 : 4, 5), *y, *placed;
                if (kind == 1) memset(x->values, 0, sizeof(float) * 4 * (size_t)n);
                for (int i = 0; kind == 2 && i < n; i++)
                    x->values[4 * i] = x->values[4 * i + 1] = 7;
                strait_umap *map;
                const strait_umap_options options = {.dims = dims, .epochs = 50};
                assert_int_equal(strait_umap_fit(&y, &map, x, &options, NULL), STRAIT_OK);
                assert_int_equal(strait_umap_transform(&placed, map, x, NULL), STRAIT_OK);
                for (int i = 0; i < n * dims; i++)
                    assert_true(isfinite(y->values[i]) && isfinite(placed->values[i]));
                strait_umap_free(map);
                strait_array_free(placed);
                strait_array_free(y);
                strait_array_free(x);
            }
}

static bool stop_at_once(void *context, double done, double value) {
    (void)context;
    assert_true(done == 0 && isnan(value));
    return false;
}

static void check_refused(const strait_array *x, strait_umap_options options, strait_status wanted, const char *part) {
    strait_array *y = (strait_array *)1;
    strait_umap *map = (strait_umap *)1;
    strait_error err = {0};
    assert_int_equal(strait_umap_fit(&y, &map, x, &options, &err), wanted);
    assert_null(y);
    assert_null(map);
    if (!strstr(err.message, part)) fail_msg("%s lacks %s", err.message, part);
}

static void bad_input_is_refused(void **state) {
    (void)state;
    strait_array *x = random_rows(10, 2, 1), *wide = random_rows(3, 4, 1), *y;
    check_refused(x, (strait_umap_options){.dims = 1}, STRAIT_ARGUMENT, "2 or 3 dimensions, not 1");
    check_refused(x, (strait_umap_options){.neighbors = 11}, STRAIT_ARGUMENT, "11 neighbours");
    check_refused(x, (strait_umap_options){.neighbors = 1}, STRAIT_ARGUMENT, "it must be 2 to 10");
    check_refused(x, (strait_umap_options){.min_dist = (double)NAN}, STRAIT_ARGUMENT, "min_dist nan");
    check_refused(x, (strait_umap_options){.epochs = -2}, STRAIT_ARGUMENT, "-2 epochs");
    check_refused(x, (strait_umap_options){.metric = (strait_metric)9}, STRAIT_ARGUMENT, "metric 9");
    check_refused(x, (strait_umap_options){.progress = stop_at_once}, STRAIT_INTERRUPTED, "stopped after 0 of 500");
    strait_umap *map;
    strait_error err = {0};
    assert_int_equal(strait_umap_fit(&y, &map, x, NULL, NULL), STRAIT_OK);
    strait_array_free(y);
    assert_int_equal(strait_umap_transform(&y, map, wide, &err), STRAIT_SHAPE);
    assert_null(y);
    strait_umap_free(map);
    x->values[5] = NAN;
    check_refused(x, (strait_umap_options){0}, STRAIT_ARGUMENT, "value 1 of sample 2 is NaN");
    strait_array_free(x);
    strait_array_free(wide);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    strait_array *x = random_rows(12, 3, 2);
    for (uint64_t at = 1;; at++) {
        strait_array *y, *placed = NULL;
        strait_umap *map;
        const strait_umap_options options = {.epochs = 2, .threads = 2};
        st_alloc_fail_at(at);
        strait_status status = strait_umap_fit(&y, &map, x, &options, NULL);
        if (status == STRAIT_OK) status = strait_umap_transform(&placed, map, x, NULL);
        st_alloc_fail_at(0);
        strait_array_free(y);
        strait_array_free(placed);
        strait_umap_free(map);
        if (status == STRAIT_OK) {
            assert_true(at > 20);
            break;
        }
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_are_those_of_least_squares),
        cmocka_unit_test(memberships_sum_to_the_target),
        cmocka_unit_test(spectral_start_of_a_ring_is_a_circle),
        cmocka_unit_test(clusters_stay_apart_whatever_the_threads),
        cmocka_unit_test(small_and_degenerate_sets_have_a_map),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
