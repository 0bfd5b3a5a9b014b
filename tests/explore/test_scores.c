/* Scores of clusters, centres, detection. Fixed expectations are of scikit-learn 1.2.1 and scipy 1.10.1, with the
   generator below in Python (g.s = (g.s * 1664525 + 1013904223) % 2**32; (g.s >> 8) / 2**24):
     linear_sum_assignment(-contingency_matrix(l, c)), normalized_mutual_info_score(l, c), adjusted_rand_score(l, c),
     silhouette_score(x, c, metric=...), roc_auc_score(p, s), average_precision_score(p, s),
     precision_recall_fscore_support(p, s > 0.7, pos_label=..., average='binary'), roc_curve(p, s,
   drop_intermediate=False), max(f1_score(p, s >= t) for t in s), numpy.median(x, 0), scipy.optimize.minimize of the sum
   of distances (BFGS, gtol 1e-12). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <strait/explore.h>
#include "base/memory.h"

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

static strait_array *draw_rows(int64_t n, int64_t d) {
    strait_array *x = new_rows(n, d);
    for (int64_t i = 0; i < n * d; i++)
        x->values[i] = (float)draw();
    return x;
}

static void assert_near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-6)) fail_msg("%.12g, expected %.12g", value, expected);
}

static void assert_message(const strait_error *err, const char *part) {
    if (!strstr(err->message, part)) fail_msg("'%s' is not in '%s'", part, err->message);
}

/* ---- agreement ---- */

static void agreement_is_that_of_scikit_learn(void **state) {
    (void)state;
    static const struct {
        uint32_t seed;
        int clusters, labels;
        double accuracy, nmi, ari;
    } cases[] = {
        {1, 4, 4, 0.615, 0.22480736118298592, 0.23050770157094497},
        {2, 3, 7, 0.525, 0.26178941727450805, 0.26291957123168064},
        {3, 9, 2, 0.185, 0.0682658238465765, 0.03327398341722669},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t cluster[200];
        int64_t label[200];
        generator = cases[i].seed;
        for (int j = 0; j < 200; j++)
            cluster[j] = (int32_t)(draw() * cases[i].clusters);
        for (int j = 0; j < 200; j++)
            label[j] = (int64_t)(draw() * cases[i].labels);
        for (int j = 0; j < 90; j++)
            label[j] = cluster[j] % cases[i].labels;
        strait_agreement found;
        assert_int_equal(strait_cluster_agreement(&found, cluster, label, 200, NULL), STRAIT_OK);
        assert_near(found.accuracy, cases[i].accuracy);
        assert_near(found.nmi, cases[i].nmi);
        assert_near(found.ari, cases[i].ari);
    }
}

static void agreement_does_not_see_names(void **state) {
    (void)state;
    const int32_t cluster[] = {5, 5, -3, -3, 0, 0};
    const int64_t same[] = {0, 0, 100, 100, 7, 7}, one[] = {4, 4, 4, 4, 4, 4};
    strait_agreement found;
    assert_int_equal(strait_cluster_agreement(&found, cluster, same, 6, NULL), STRAIT_OK);
    assert_true(found.accuracy == 1 && found.ari == 1);
    assert_near(found.nmi, 1);
    assert_int_equal(strait_cluster_agreement(&found, cluster, one, 6, NULL), STRAIT_OK);
    assert_near(found.accuracy, 1.0 / 3);
    assert_true(found.nmi == 0 && found.ari == 0);
    const int32_t all[] = {2, 2, 2, 2, 2, 2};
    assert_int_equal(strait_cluster_agreement(&found, all, one, 6, NULL), STRAIT_OK);
    assert_true(found.accuracy == 1 && found.nmi == 1 && found.ari == 1); /* as scikit-learn */
    strait_error err = {0};
    assert_int_equal(strait_cluster_agreement(&found, cluster, same, 0, &err), STRAIT_ARGUMENT);
    assert_message(&err, "no samples");
}

/* ---- silhouette ---- */

static void silhouette_is_that_of_scikit_learn(void **state) {
    (void)state;
    static const struct {
        uint32_t seed;
        int n, d, k;
        double expected[2];
    } cases[] = {{4, 300, 5, 3, {0.263361964999056, 0.16841502448312903}},
                 {5, 130, 70, 6, {0.023908368386931257, -0.004272862620545982}}};
    for (size_t i = 0; i < 2; i++) {
        int32_t cluster[300];
        generator = cases[i].seed;
        strait_array *x = draw_rows(cases[i].n, cases[i].d);
        for (int j = 0; j < cases[i].n; j++) {
            cluster[j] = (int32_t)(draw() * cases[i].k);
            x->values[j * cases[i].d] += (float)cluster[j];
        }
        for (int metric = 0; metric < 2; metric++) {
            double one = 0, three = 0;
            assert_int_equal(strait_silhouette(&one, x, cluster, (strait_metric)metric, 1, NULL), STRAIT_OK);
            assert_int_equal(strait_silhouette(&three, x, cluster, (strait_metric)metric, 3, NULL), STRAIT_OK);
            assert_near(one, cases[i].expected[metric]);
            assert_true(one == three);
        }
        strait_array_free(x);
    }
}

static void silhouette_of_extreme_clusters(void **state) {
    (void)state;
    strait_array *x = new_rows(4, 2);
    const int32_t one[] = {1, 1, 1, 1}, two[] = {0, 0, 1, 1}, alone[] = {0, 1, 2, 3};
    double value = 0;
    assert_int_equal(strait_silhouette(&value, x, one, STRAIT_METRIC_EUCLIDEAN, 0, NULL), STRAIT_OK);
    assert_true(isnan(value));
    assert_int_equal(strait_silhouette(&value, x, two, STRAIT_METRIC_EUCLIDEAN, 0, NULL), STRAIT_OK);
    assert_true(value == 0); /* all at one place */
    x->values[4] = x->values[6] = 1e6F;
    assert_int_equal(strait_silhouette(&value, x, two, STRAIT_METRIC_EUCLIDEAN, 0, NULL), STRAIT_OK);
    assert_true(value == 1);
    assert_int_equal(strait_silhouette(&value, x, two, STRAIT_METRIC_COSINE, 0, NULL), STRAIT_OK);
    assert_true(value == 1); /* zeros are far from all others */
    assert_int_equal(strait_silhouette(&value, x, alone, STRAIT_METRIC_EUCLIDEAN, 0, NULL), STRAIT_OK);
    assert_true(value == 0);
    x->values[5] = NAN;
    strait_error err = {0};
    assert_int_equal(strait_silhouette(&value, x, two, STRAIT_METRIC_EUCLIDEAN, 0, &err), STRAIT_ARGUMENT);
    assert_message(&err, "sample 2 is NaN");
    strait_array_free(x);
}

/* A part is near the whole, the same for a seed; as many as there are is the whole. */
static void silhouette_of_a_part_of_the_samples(void **state) {
    (void)state;
    enum { N = 3000 };
    static int32_t cluster[N];
    double whole, part, again, other, all;
    generator = 8;
    strait_array *x = draw_rows(N, 3);
    for (int i = 0; i < N; i++) {
        cluster[i] = i % 3;
        x->values[3 * i] += (float)cluster[i];
    }
    assert_int_equal(strait_silhouette(&whole, x, cluster, STRAIT_METRIC_EUCLIDEAN, 2, NULL), STRAIT_OK);
    assert_int_equal(strait_silhouette_sample(&all, x, cluster, STRAIT_METRIC_EUCLIDEAN, N, 1, 2, NULL), STRAIT_OK);
    assert_int_equal(strait_silhouette_sample(&part, x, cluster, STRAIT_METRIC_EUCLIDEAN, 600, 1, 2, NULL), STRAIT_OK);
    assert_int_equal(strait_silhouette_sample(&again, x, cluster, STRAIT_METRIC_EUCLIDEAN, 600, 1, 1, NULL), STRAIT_OK);
    assert_int_equal(strait_silhouette_sample(&other, x, cluster, STRAIT_METRIC_EUCLIDEAN, 600, 2, 1, NULL), STRAIT_OK);
    assert_true(all == whole && part == again && part != whole && other != part);
    assert_true(fabs(part - whole) < 0.03 && fabs(other - whole) < 0.03);
    strait_error err = {0};
    assert_int_equal(strait_silhouette_sample(&part, x, cluster, STRAIT_METRIC_EUCLIDEAN, 1, 1, 1, &err),
                     STRAIT_ARGUMENT);
    assert_message(&err, "two are needed");
    strait_array_free(x);
}

/* ---- centres ---- */

static void centres_are_those_of_numpy_and_scipy(void **state) {
    (void)state;
    static const struct {
        uint32_t seed;
        int n, d;
        double median[3], geometric[3];
    } cases[] = {
        {8, 101, 3, {0.49941748, 0.54922044, 0.4520933}, {0.50273693, 0.54225193, 0.44554657}},
        {9, 40, 2, {0.41899332, 0.51393393, 0}, {0.42556577, 0.49341204, 0}},
    };
    for (size_t i = 0; i < 2; i++) {
        double centre[3];
        generator = cases[i].seed;
        strait_array *x = draw_rows(cases[i].n, cases[i].d);
        assert_int_equal(strait_centre(centre, x, NULL, 0, STRAIT_CENTRE_MEDIAN, NULL), STRAIT_OK);
        for (int j = 0; j < cases[i].d; j++)
            assert_near(centre[j], cases[i].median[j]);
        assert_int_equal(strait_centre(centre, x, NULL, 0, STRAIT_CENTRE_GEOMETRIC, NULL), STRAIT_OK);
        for (int j = 0; j < cases[i].d; j++)
            assert_near(centre[j], cases[i].geometric[j]);
        assert_int_equal(strait_centre(centre, x, NULL, 0, STRAIT_CENTRE_MEAN, NULL), STRAIT_OK);
        for (int j = 0; j < cases[i].d; j++) {
            double sum = 0;
            for (int r = 0; r < cases[i].n; r++)
                sum += (double)x->values[r * cases[i].d + j];
            assert_near(centre[j], sum / cases[i].n);
        }
        strait_array_free(x);
    }
}

/* Triangles: where an angle is 120 degrees or more its corner is the median (Torricelli); else the point that sees all
   sides under 120 degrees, here (0.5, 1 / sqrt 12). A corner that most samples share is the median wherever it lies. */
static void geometric_medians_known_by_geometry(void **state) {
    (void)state;
    static const struct {
        int n;
        float point[5][2];
        double expected[2];
    } cases[] = {
        {3, {{0, 0}, {1, 0}, {0.5F, 0.8660254F}}, {0.5, 0.28867513459481287}},
        {3, {{-10, 0}, {10, 0}, {0, 1}}, {0, 1}},
        {5, {{3, 4}, {3, 4}, {3, 4}, {-100, 7}, {9, 1000}}, {3, 4}},
        {4, {{0, 0}, {2, 0}, {2, 2}, {0, 2}}, {1, 1}},
        {5, {{0, 0}, {4, 0}, {4, 4}, {0, 4}, {2, 2}}, {2, 2}},
        {3, {{0, 0}, {1, 1}, {7, 7}}, {1, 1}},
        {1, {{5, 6}}, {5, 6}},
        {2, {{1, 1}, {1, 1}}, {1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double centre[2];
        strait_array *x = new_rows(cases[i].n, 2);
        memcpy(x->values, cases[i].point, (size_t)cases[i].n * 2 * sizeof(float));
        assert_int_equal(strait_centre(centre, x, NULL, 0, STRAIT_CENTRE_GEOMETRIC, NULL), STRAIT_OK);
        assert_near(centre[0], cases[i].expected[0]);
        assert_near(centre[1], cases[i].expected[1]);
        strait_array_free(x);
    }
}

/* Duplicates alone, a constant feature, one sample: the centre is where they are. NaN is refused, with its place. */
static void centres_of_extreme_data(void **state) {
    (void)state;
    double centre[2], distance[5];
    int64_t order[5];
    strait_error err = {0};
    strait_array *x = new_rows(5, 2);
    for (int i = 0; i < 5; i++) {
        x->values[2 * i] = 1e-30F;
        x->values[2 * i + 1] = -3e30F;
    }
    for (int kind = 0; kind < 3; kind++) {
        assert_int_equal(strait_centre(centre, x, NULL, 0, (strait_centre_kind)kind, NULL), STRAIT_OK);
        assert_true((float)centre[0] == x->values[0] && (float)centre[1] == x->values[1]);
        assert_int_equal(strait_centre(centre, x, (int64_t[]){4}, 1, (strait_centre_kind)kind, NULL), STRAIT_OK);
        assert_true((float)centre[1] == x->values[1]);
    }
    assert_int_equal(strait_rank(order, distance, x, NULL, 0, centre, STRAIT_METRIC_COSINE, NULL), STRAIT_OK);
    assert_memory_equal(order, ((int64_t[]){0, 1, 2, 3, 4}), sizeof order);
    assert_true(distance[0] >= 0 && distance[4] < 1e-9);
    for (int i = 0; i < 5; i++) {
        x->values[2 * i] = (float)i;
        x->values[2 * i + 1] = 7; /* constant */
    }
    assert_int_equal(strait_centre(centre, x, NULL, 0, STRAIT_CENTRE_GEOMETRIC, NULL), STRAIT_OK);
    assert_near(centre[0], 2);
    assert_true(centre[1] == 7);
    assert_int_equal(strait_rank(order, distance, x, NULL, 0, (double[]){2, NAN}, STRAIT_METRIC_EUCLIDEAN, &err),
                     STRAIT_ARGUMENT);
    assert_message(&err, "value 1 of the centre is not finite");
    x->values[3] = NAN;
    for (int kind = 0; kind < 3; kind++) {
        assert_int_equal(strait_centre(centre, x, NULL, 0, (strait_centre_kind)kind, &err), STRAIT_ARGUMENT);
        assert_message(&err, "value 1 of sample 1 is NaN");
    }
    assert_int_equal(strait_rank(order, distance, x, NULL, 0, (double[]){0, 0}, STRAIT_METRIC_EUCLIDEAN, &err),
                     STRAIT_ARGUMENT);
    assert_message(&err, "sample 1 is NaN");
    assert_int_equal(strait_centre(centre, x, NULL, 0, (strait_centre_kind)9, &err), STRAIT_ARGUMENT);
    strait_array_free(x);
}

static void ranks_go_by_distance_then_by_index(void **state) {
    (void)state;
    strait_array *x = new_rows(6, 2);
    memcpy(x->values, (float[]){3, 0, 1, 1, 0, 0, -1, 0, 0, 5, 1, 0}, 12 * sizeof(float));
    int64_t order[6];
    double distance[6];
    const double centre[] = {0, 0}, right[] = {2, 0};
    assert_int_equal(strait_rank(order, distance, x, NULL, 0, centre, STRAIT_METRIC_EUCLIDEAN, NULL), STRAIT_OK);
    assert_memory_equal(order, ((int64_t[]){2, 3, 5, 1, 0, 4}), sizeof order);
    assert_true(distance[0] == 0 && distance[1] == 1 && distance[2] == 1 && distance[5] == 5);
    assert_int_equal(strait_rank(order, distance, x, NULL, 0, right, STRAIT_METRIC_COSINE, NULL), STRAIT_OK);
    assert_memory_equal(order, ((int64_t[]){0, 5, 1, 2, 4, 3}), sizeof order);
    assert_near(distance[2], 1 - sqrt(0.5));
    assert_true(distance[3] == 1 && distance[4] == 1 && distance[5] == 2);
    assert_int_equal(strait_rank(order, distance, x, (int64_t[]){4, 0, 3}, 3, centre, STRAIT_METRIC_EUCLIDEAN, NULL),
                     STRAIT_OK);
    assert_memory_equal(order, ((int64_t[]){3, 0, 4}), 3 * sizeof *order);
    strait_error err = {0};
    assert_int_equal(strait_rank(order, distance, x, (int64_t[]){6}, 1, centre, STRAIT_METRIC_EUCLIDEAN, &err),
                     STRAIT_ARGUMENT);
    assert_message(&err, "no sample 6");
    double mean[2];
    assert_int_equal(strait_centre(mean, x, (int64_t[]){4, 0}, 2, STRAIT_CENTRE_MEAN, NULL), STRAIT_OK);
    assert_true(mean[0] == 1.5 && mean[1] == 2.5);
    assert_int_equal(strait_centre(mean, x, (int64_t[]){0}, 0, STRAIT_CENTRE_MEAN, &err), STRAIT_ARGUMENT);
    strait_array_free(x);
}

/* ---- detection ---- */

typedef struct truth {
    double score[400];
    bool positive[400];
} truth;

static void draw_truth(truth *t, uint32_t seed, int levels) {
    generator = seed;
    for (int i = 0; i < 400; i++)
        t->positive[i] = (int)(draw() * 3) == 0;
    for (int i = 0; i < 400; i++)
        t->score[i] = floor(draw() * levels) / levels + (t->positive[i] ? 0.5 : 0);
}

static void detection_is_that_of_scikit_learn(void **state) {
    (void)state;
    static const struct {
        uint32_t seed;
        int levels;
        double auc, ap, accuracy, of_positive[3], of_negative[3];
        int64_t tn, fp, fn, tp, points;
        double tpr, threshold, best_f1, best_accuracy;
    } cases[] = {
        {6,
         1 << 20,
         0.8592021636240703,
         0.820422200706412,
         0.7075,
         {0.5693069306930693, 0.7931034482758621, 0.6628242074927954},
         {0.8484848484848485, 0.6588235294117647, 0.7417218543046357},
         168,
         87,
         30,
         115,
         401,
         0.034482758620689655,
         1.4552984237670898,
         0.6953125,
         0.8125},
        {7,
         12,
         0.8840077722395877,
         0.8244462731351908,
         0.7925,
         {0.668918918918919, 0.7443609022556391, 0.704626334519573},
         {0.8650793650793651, 0.8164794007490637, 0.8400770712909441},
         218,
         49,
         34,
         99,
         21,
         0.48872180451127817,
         1.0833333333333335,
         0.714975845410628,
         0.8525},
    };
    for (size_t i = 0; i < 2; i++) {
        truth t;
        double auc, ap, threshold;
        strait_detection at;
        strait_array *roc;
        draw_truth(&t, cases[i].seed, cases[i].levels);
        assert_int_equal(strait_detection_areas(&auc, &ap, t.score, t.positive, 400, NULL), STRAIT_OK);
        assert_near(auc, cases[i].auc);
        assert_near(ap, cases[i].ap);
        assert_int_equal(strait_detection_at(&at, t.score, t.positive, 400, 0.7, NULL), STRAIT_OK);
        assert_int_equal(at.true_negative, cases[i].tn);
        assert_int_equal(at.false_positive, cases[i].fp);
        assert_int_equal(at.false_negative, cases[i].fn);
        assert_int_equal(at.true_positive, cases[i].tp);
        assert_near(at.accuracy, cases[i].accuracy);
        assert_near(at.precision, cases[i].of_positive[0]);
        assert_near(at.recall, cases[i].of_positive[1]);
        assert_near(at.f1, cases[i].of_positive[2]);
        assert_near(at.negative_precision, cases[i].of_negative[0]);
        assert_near(at.negative_recall, cases[i].of_negative[1]);
        assert_near(at.negative_f1, cases[i].of_negative[2]);
        assert_int_equal(strait_detection_roc(&roc, t.score, t.positive, 400, NULL), STRAIT_OK);
        assert_int_equal(roc->dim[0], cases[i].points);
        const float *five = roc->values + 15, *last = roc->values + 3 * (roc->dim[0] - 1);
        assert_true(roc->values[0] == 0 && roc->values[1] == 0 && isinf(roc->values[2]));
        assert_near((double)five[0], 0);
        assert_near((double)five[1], cases[i].tpr);
        assert_near((double)five[2], cases[i].threshold);
        assert_true(last[0] == 1 && last[1] == 1);
        strait_array_free(roc);
        assert_int_equal(strait_detection_best(&threshold, t.score, t.positive, 400, false, NULL), STRAIT_OK);
        assert_int_equal(strait_detection_at(&at, t.score, t.positive, 400, threshold, NULL), STRAIT_OK);
        assert_near(at.f1, cases[i].best_f1);
        assert_int_equal(strait_detection_best(&threshold, t.score, t.positive, 400, true, NULL), STRAIT_OK);
        assert_int_equal(strait_detection_at(&at, t.score, t.positive, 400, threshold, NULL), STRAIT_OK);
        assert_near(at.accuracy, cases[i].best_accuracy);
    }
}

static void detection_with_one_class_alone(void **state) {
    (void)state;
    const double score[] = {0.5, 1, 2};
    const bool none[] = {false, false, false}, all[] = {true, true, true};
    double auc, ap, threshold;
    strait_detection at;
    strait_array *roc;
    strait_error err = {0};
    assert_int_equal(strait_detection_areas(&auc, &ap, score, none, 3, NULL), STRAIT_OK);
    assert_true(isnan(auc) && isnan(ap));
    assert_int_equal(strait_detection_roc(&roc, score, all, 3, &err), STRAIT_ARGUMENT);
    assert_message(&err, "both classes");
    assert_int_equal(strait_detection_at(&at, score, none, 3, 5, NULL), STRAIT_OK);
    assert_true(at.accuracy == 1 && at.precision == 0 && at.recall == 0 && at.f1 == 0 && at.negative_f1 == 1);
    assert_int_equal(strait_detection_best(&threshold, score, none, 3, true, NULL), STRAIT_OK);
    assert_true(threshold >= 2);
    assert_int_equal(strait_detection_best(&threshold, score, all, 3, false, NULL), STRAIT_OK);
    assert_true(threshold < 0.5);
    assert_int_equal(strait_detection_at(&at, (double[]){1, NAN, 2}, all, 3, 0, &err), STRAIT_ARGUMENT);
    assert_message(&err, "sample 1 is NaN");
}

/* Neighbouring doubles: the threshold lies at the lower one, as none is between them. */
static void best_threshold_parts_neighbouring_numbers(void **state) {
    (void)state;
    const double high = 1.0000000000000002, score[] = {1, high};
    double threshold;
    assert_int_equal(strait_detection_best(&threshold, score, (bool[]){false, true}, 2, false, NULL), STRAIT_OK);
    assert_true(high > threshold && !(1 > threshold));
}

static void failed_allocations_are_told(void **state) {
    (void)state;
    generator = 3;
    strait_array *x = draw_rows(20, 3);
    int32_t cluster[20];
    int64_t label[20], order[20];
    double value, areas[2], centre[3] = {0}, distance[20];
    truth t;
    draw_truth(&t, 1, 10);
    for (int i = 0; i < 20; i++)
        label[i] = cluster[i] = i % 3;
    for (uint64_t at = 1;; at++) {
        strait_agreement agreement;
        strait_array *roc = NULL;
        st_alloc_fail_at(at);
        strait_status status = strait_silhouette_sample(&value, x, cluster, STRAIT_METRIC_COSINE, 15, 1, 2, NULL);
        if (status == STRAIT_OK) status = strait_cluster_agreement(&agreement, cluster, label, 20, NULL);
        if (status == STRAIT_OK) status = strait_centre(distance, x, NULL, 0, STRAIT_CENTRE_MEDIAN, NULL);
        if (status == STRAIT_OK) status = strait_centre(distance, x, NULL, 0, STRAIT_CENTRE_GEOMETRIC, NULL);
        if (status == STRAIT_OK)
            status = strait_rank(order, distance, x, NULL, 0, centre, STRAIT_METRIC_EUCLIDEAN, NULL);
        if (status == STRAIT_OK) status = strait_detection_areas(&areas[0], &areas[1], t.score, t.positive, 400, NULL);
        if (status == STRAIT_OK) status = strait_detection_best(&value, t.score, t.positive, 400, true, NULL);
        if (status == STRAIT_OK) status = strait_detection_roc(&roc, t.score, t.positive, 400, NULL);
        st_alloc_fail_at(0);
        strait_array_free(roc);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agreement_is_that_of_scikit_learn),
        cmocka_unit_test(agreement_does_not_see_names),
        cmocka_unit_test(silhouette_is_that_of_scikit_learn),
        cmocka_unit_test(silhouette_of_extreme_clusters),
        cmocka_unit_test(silhouette_of_a_part_of_the_samples),
        cmocka_unit_test(centres_are_those_of_numpy_and_scipy),
        cmocka_unit_test(geometric_medians_known_by_geometry),
        cmocka_unit_test(centres_of_extreme_data),
        cmocka_unit_test(ranks_go_by_distance_then_by_index),
        cmocka_unit_test(detection_is_that_of_scikit_learn),
        cmocka_unit_test(detection_with_one_class_alone),
        cmocka_unit_test(best_threshold_parts_neighbouring_numbers),
        cmocka_unit_test(failed_allocations_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
