/* Clusters. Fixed expectations are of scikit-learn 1.2.1 on the same samples (generator as in test_scores.c):
   KMeans(k, n_init=200, tol=0, max_iter=1000).fit(x.astype(float)): inertia_, the sizes, the largest one's centre;
   GaussianMixture(k, tol=1e-12, max_iter=20000, means_init=km.cluster_centers_).fit(x.astype(float)) of the first case:
   score, weights_ by the number of samples, means_ and covariances_[.][0] of the largest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <strait/explore.h>
#include "base/memory.h"
#include "explore/clusters_int.h"

static uint32_t generator;

static double draw(void) {
    generator = generator * 1664525U + 1013904223U;
    return (double)(generator >> 8) / 16777216;
}

static strait_array *new_rows(int64_t n, int64_t d) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, d}, NULL), STRAIT_OK);
    return x;
}

/* k blobs, overlapping. truth (may be NULL): the blob of each. */
static strait_array *draw_blobs(uint32_t seed, int n, int d, int k, int *truth) {
    strait_array *x = new_rows(n, d);
    generator = seed;
    for (int i = 0; i < n * d; i++)
        x->values[i] = (float)draw();
    for (int i = 0; i < n; i++) {
        const int blob = (int)(draw() * k);
        if (truth) truth[i] = blob;
        for (int j = 0; j < d; j++)
            x->values[i * d + j] += (float)(((double)(blob * 7919 * (j + 1) % 13)) / 6);
    }
    return x;
}

static void assert_near(double value, double expected, double tolerance) {
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.12g, expected %.12g", value, expected);
}

static void assert_message(const strait_error *err, const char *part) {
    if (!strstr(err->message, part)) fail_msg("'%s' is not in '%s'", part, err->message);
}

static const struct blobs {
    uint32_t seed;
    int n, d, k;
    double inertia, inertia_cosine;
    int size[6];
    double first[4];
} cases[] = {
    {11,
     500,
     4,
     6,
     162.3739260521108,
     16.50861442665552,
     {93, 87, 85, 84, 79, 72},
     {2.19924832, 1.65992711, 1.18468101, 0.67338564}},
    {12, 300, 2, 3, 42.341417431849955, 4.45222662142627, {113, 96, 91}, {1.24043297, 1.78729297}},
};

static void kmeans_finds_the_best_of_scikit_learn(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct blobs *c = &cases[i];
        strait_array *x = draw_blobs(c->seed, c->n, c->d, c->k, NULL);
        strait_clusters *found;
        int size[6] = {0};
        strait_cluster_options options = {.k = c->k, .starts = 50, .seed = 1, .threads = 2};
        assert_int_equal(strait_kmeans(&found, x, &options, NULL), STRAIT_OK);
        assert_int_equal(found->k, c->k);
        assert_near(found->score, c->inertia, 1e-6 * c->inertia);
        for (int j = 0; j < c->n; j++)
            size[found->cluster[j]]++;
        assert_memory_equal(size, c->size, (size_t)c->k * sizeof *size);
        for (int j = 0; j < c->d; j++)
            assert_near((double)found->centre->values[j], c->first[j], 1e-6);
        strait_clusters_free(found);
        options.metric = STRAIT_METRIC_COSINE;
        assert_int_equal(strait_kmeans(&found, x, &options, NULL), STRAIT_OK);
        assert_near(found->score, c->inertia_cosine, 1e-6 * c->inertia_cosine);
        assert_int_equal(found->centre->dim[1], c->d);
        strait_clusters_free(found);
        strait_array_free(x);
    }
}

static void kmeans_is_the_same_on_any_number_of_threads(void **state) {
    (void)state;
    strait_array *x = draw_blobs(5, 3000, 7, 9, NULL);
    strait_clusters *one, *three;
    assert_int_equal(strait_kmeans(&one, x, &(strait_cluster_options){.k = 9, .seed = 4, .threads = 1}, NULL), 0);
    assert_int_equal(strait_kmeans(&three, x, &(strait_cluster_options){.k = 9, .seed = 4, .threads = 3}, NULL), 0);
    assert_true(one->score == three->score);
    assert_memory_equal(one->cluster, three->cluster, 3000 * sizeof *one->cluster);
    strait_clusters_free(one);
    strait_clusters_free(three);
    strait_array_free(x);
}

static void kmeans_of_extreme_data(void **state) {
    (void)state;
    strait_error err = {0};
    strait_clusters *found = NULL;
    strait_array *x = new_rows(6, 2);
    const float far[] = {1e15F, 1, 1e15F, 1, -1e15F, 2, -1e15F, 2, -1e15F, 2, 0, 0};
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 3}, NULL), STRAIT_OK);
    assert_int_equal(found->k, 1); /* all the same */
    assert_true(found->score == 0 && found->centre->dim[0] == 1);
    strait_clusters_free(found);
    memcpy(x->values, far, sizeof far);
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 5}, NULL), STRAIT_OK);
    assert_int_equal(found->k, 3);
    assert_memory_equal(found->cluster, ((int32_t[]){1, 1, 0, 0, 0, 2}), 6 * sizeof(int32_t));
    strait_clusters_free(found);
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 1}, NULL), STRAIT_OK);
    assert_int_equal(found->k, 1);
    strait_clusters_free(found);
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 7}, &err), STRAIT_ARGUMENT);
    assert_message(&err, "7 clusters of 6 samples: the number must be from 1 to 6");
    assert_null(found);
    assert_int_equal(strait_kmeans(&found, x, NULL, &err), STRAIT_ARGUMENT);
    x->values[7] = NAN;
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 2}, &err), STRAIT_ARGUMENT);
    assert_message(&err, "sample 3 is NaN");
    strait_array_free(x);
}

/* Five places six times each: distances that rounding leaves above 0 must not make clusters of equal samples. */
static void equal_samples_are_in_one_cluster(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        strait_array *x = new_rows(30, 7);
        for (int64_t i = 0; i < 30; i++)
            for (int64_t j = 0; j < 7; j++)
                x->values[i * 7 + j] = (float)st_explore_uniform(seed, 0, (uint32_t)(i % 5), 2 * (uint32_t)j);
        for (int k = 5; k <= 30; k += 5) {
            strait_clusters *found = NULL;
            const strait_cluster_options options = {.k = k, .seed = seed};
            assert_int_equal(strait_kmeans(&found, x, &options, NULL), STRAIT_OK);
            assert_int_equal(found->k, 5);
            for (int64_t i = 5; i < 30; i++)
                assert_int_equal(found->cluster[i], found->cluster[i % 5]);
            strait_clusters_free(found);
        }
        strait_array_free(x);
    }
}

static void each_sample_can_be_a_cluster(void **state) {
    (void)state;
    strait_array *x = draw_blobs(6, 12, 3, 4, NULL);
    strait_clusters *found;
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 12}, NULL), STRAIT_OK);
    assert_int_equal(found->k, 12);
    assert_true(found->score == 0);
    for (int i = 0; i < 12; i++)
        assert_int_equal(found->cluster[i], i); /* of one size, by their first sample */
    strait_clusters_free(found);
    strait_array_free(x);
}

static void mixture_is_that_of_scikit_learn(void **state) {
    (void)state;
    static const double weight[] = {0.18555993, 0.17902867, 0.17001609, 0.16295023, 0.15815342, 0.14429165},
                        mean[] = {2.19991558, 1.66093577, 1.18396603, 0.67322457},
                        covariance[] = {0.07281128, -0.00382495, 0.00135767, -0.00277113};
    strait_array *x = draw_blobs(11, 500, 4, 6, NULL);
    strait_mixture *one, *three;
    strait_clusters *found;
    strait_cluster_options options = {.k = 6, .starts = 50, .seed = 1, .threads = 1};
    assert_int_equal(strait_mixture_fit(&one, &found, x, &options, NULL), STRAIT_OK);
    assert_near(found->score, -2.3910022828918867, 1e-5);
    for (int c = 0; c < 6; c++)
        assert_near(one->weight[c], weight[c], 1e-3); /* ours ends before 1e-12 */
    for (int j = 0; j < 4; j++) {
        assert_near(one->mean[j], mean[j], 1e-3);
        assert_near((double)found->centre->values[j], one->mean[j], 1e-6);
        assert_near(one->covariance[j], covariance[j], 1e-3);
    }
    options.threads = 3;
    assert_int_equal(strait_mixture_fit(&three, NULL, x, &options, NULL), STRAIT_OK);
    assert_memory_equal(one->covariance, three->covariance, 6 * 16 * sizeof(double));
    strait_mixture_free(three);
    strait_mixture_free(one);
    strait_clusters_free(found);
    strait_array_free(x);
}

/* Means and covariances of samples drawn are those of the mixture, within five standard errors. */
static void samples_of_a_mixture_are_distributed_as_it(void **state) {
    (void)state;
    enum { N = 40000 };
    double weight[] = {0.7, 0.3}, mean[] = {1, 2, -100, 5}, covariance[] = {4, -3, -3, 9, 1, 0.5, 0.5, 0.25};
    covariance[7] += 1e-6;
    const strait_mixture mixture = {2, 2, weight, mean, covariance};
    strait_array *x, *again;
    assert_int_equal(strait_mixture_sample(&x, &mixture, N, 3, NULL), STRAIT_OK);
    assert_int_equal(strait_mixture_sample(&again, &mixture, 100, 3, NULL), STRAIT_OK);
    assert_memory_equal(x->values, again->values, 200 * sizeof(float));
    double sum[2][6] = {{0}};
    for (int i = 0; i < N; i++) {
        const double a = (double)x->values[2 * i], b = (double)x->values[2 * i + 1];
        double *s = sum[a < -50];
        const double p = a - (a < -50 ? -100 : 1), q = b - (a < -50 ? 5 : 2);
        s[0]++, s[1] += p, s[2] += q, s[3] += p * p, s[4] += p * q, s[5] += q * q;
    }
    for (int c = 0; c < 2; c++) {
        const double n = sum[c][0], *s = covariance + 4 * c;
        assert_near(n / N, weight[c], 5 * sqrt(0.21 / N));
        assert_near(sum[c][1] / n, 0, 5 * sqrt(s[0] / n));
        assert_near(sum[c][2] / n, 0, 5 * sqrt(s[3] / n));
        assert_near(sum[c][3] / n, s[0], 5 * s[0] * sqrt(2 / n));
        assert_near(sum[c][4] / n, s[1], 5 * sqrt((s[0] * s[3] + s[1] * s[1]) / n));
        assert_near(sum[c][5] / n, s[3], 5 * s[3] * sqrt(2 / n));
    }
    strait_array_free(again);
    strait_array_free(x);
}

static void mixture_of_extreme_data(void **state) {
    (void)state;
    strait_error err = {0};
    strait_mixture *mixture = NULL;
    strait_clusters *found = NULL;
    strait_array *x = new_rows(6, 2);
    x->values[0] = 3; /* five the same, one apart; the second feature constant */
    assert_int_equal(strait_mixture_fit(&mixture, &found, x, &(strait_cluster_options){.k = 3}, &err), STRAIT_OK);
    assert_int_equal(found->k, 2);
    assert_near(mixture->weight[0], 5.0 / 6, 1e-9);
    assert_near(mixture->covariance[3], 1e-6, 1e-12);
    strait_mixture_free(mixture);
    strait_clusters_free(found);
    for (int i = 0; i < 6; i++)
        x->values[2 * i] = x->values[2 * i + 1] = (float)i * 1e8F;
    assert_int_equal(strait_mixture_fit(&mixture, &found, x, &(strait_cluster_options){.k = 1}, &err), STRAIT_ARGUMENT);
    assert_message(&err, "cannot be inverted");
    assert_null(mixture);
    assert_null(found);
    for (int i = 0; i < 12; i++)
        x->values[i] = 2; /* duplicates alone */
    assert_int_equal(strait_mixture_fit(&mixture, &found, x, &(strait_cluster_options){.k = 2}, &err), STRAIT_OK);
    assert_true(found->k == 1 && mixture->k == 1 && isfinite(found->score));
    assert_near(mixture->mean[1], 2, 1e-12);
    strait_mixture_free(mixture);
    strait_clusters_free(found);
    x->values[5] = INFINITY;
    assert_int_equal(strait_mixture_fit(&mixture, &found, x, &(strait_cluster_options){.k = 2}, &err), STRAIT_ARGUMENT);
    assert_message(&err, "value 1 of sample 2 is infinite");
    strait_array_free(x);
}

/* A constant feature changes nothing but for its own value; by cosine, rows of zeros are a direction of their own. */
static void kmeans_of_constant_features_and_zeros(void **state) {
    (void)state;
    strait_array *x = draw_blobs(12, 300, 2, 3, NULL), *wide = new_rows(300, 3);
    strait_clusters *found, *again;
    for (int i = 0; i < 300; i++) {
        wide->values[3 * i] = x->values[2 * i];
        wide->values[3 * i + 1] = -5;
        wide->values[3 * i + 2] = x->values[2 * i + 1];
    }
    assert_int_equal(strait_kmeans(&found, x, &(strait_cluster_options){.k = 3}, NULL), STRAIT_OK);
    assert_int_equal(strait_kmeans(&again, wide, &(strait_cluster_options){.k = 3}, NULL), STRAIT_OK);
    assert_memory_equal(found->cluster, again->cluster, 300 * sizeof *found->cluster);
    assert_near(again->score, found->score, 1e-9 * found->score);
    for (int c = 0; c < 3; c++)
        assert_true(again->centre->values[3 * c + 1] == -5);
    strait_clusters_free(found);
    strait_clusters_free(again);
    memset(x->values, 0, 300 * 2 * sizeof *x->values);
    x->values[0] = 1e-20F;
    x->values[2] = 5;
    const strait_cluster_options cosine = {.k = 4, .metric = STRAIT_METRIC_COSINE};
    assert_int_equal(strait_kmeans(&found, x, &cosine, NULL), STRAIT_OK);
    assert_int_equal(found->k, 2);
    assert_true(found->cluster[0] == 1 && found->cluster[1] == 1 && found->cluster[2] == 0 && found->score == 0);
    strait_clusters_free(found);
    strait_array_free(wide);
    strait_array_free(x);
}

static void failed_allocations_are_told(void **state) {
    (void)state;
    strait_array *x = draw_blobs(6, 60, 3, 4, NULL);
    for (uint64_t at = 1;; at++) {
        strait_clusters *found;
        strait_mixture *mixture;
        strait_array *drawn = NULL;
        st_alloc_fail_at(at);
        strait_status status =
            strait_mixture_fit(&mixture, &found, x, &(strait_cluster_options){.k = 4, .threads = 2}, NULL);
        if (status == STRAIT_OK) status = strait_mixture_sample(&drawn, mixture, 5, 1, NULL);
        st_alloc_fail_at(0);
        strait_clusters_free(found);
        strait_mixture_free(mixture);
        strait_array_free(drawn);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kmeans_finds_the_best_of_scikit_learn),
        cmocka_unit_test(kmeans_is_the_same_on_any_number_of_threads),
        cmocka_unit_test(kmeans_of_extreme_data),
        cmocka_unit_test(kmeans_of_constant_features_and_zeros),
        cmocka_unit_test(equal_samples_are_in_one_cluster),
        cmocka_unit_test(each_sample_can_be_a_cluster),
        cmocka_unit_test(mixture_is_that_of_scikit_learn),
        cmocka_unit_test(samples_of_a_mixture_are_distributed_as_it),
        cmocka_unit_test(mixture_of_extreme_data),
        cmocka_unit_test(failed_allocations_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
