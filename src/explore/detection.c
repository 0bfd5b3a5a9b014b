/* Detection: scores against a truth of two classes. Curves and areas go over the samples by descending score; samples
   of the same score are taken together. */
#include <strait/explore_scores.h>

#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "explore/explore_int.h"

typedef struct scored {
    double score;
    bool positive;
} scored;

static int by_score(const void *a, const void *b) {
    const double p = ((const scored *)a)->score, q = ((const scored *)b)->score;
    return (p < q) - (p > q);
}

static strait_status check(const double *score, const bool *positive, int64_t n, strait_error *err) {
    if (!score || !positive || n < 1) return st_fail(err, STRAIT_ARGUMENT, "there are no samples to judge");
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(score[i]))
            return st_fail(err, STRAIT_ARGUMENT, "the score of sample %lld is %s; only finite scores can be used",
                           (long long)i, isnan(score[i]) ? "NaN" : "infinite");
    return STRAIT_OK;
}

/* Sorted, descending; the caller's. */
static strait_status sort_scores(scored **out, int64_t *n_positive, const double *score, const bool *positive,
                                 int64_t n, strait_error *err) {
    ST_TRY(check(score, positive, n, err));
    scored *all = st_alloc((size_t)n, sizeof *all);
    if (!all) return st_fail_memory(err, (size_t)n * sizeof *all, "scores");
    *n_positive = 0;
    for (int64_t i = 0; i < n; i++) {
        all[i] = (scored){score[i], positive[i]};
        *n_positive += positive[i];
    }
    qsort(all, (size_t)n, sizeof *all, by_score);
    *out = all;
    return STRAIT_OK;
}

/* How far the samples of the same score as sample i go: the first past them. Adds the positives among them. */
static int64_t same_score(const scored *all, int64_t n, int64_t i, int64_t *positives) {
    const double score = all[i].score;
    for (; i < n && all[i].score == score; i++)
        *positives += all[i].positive;
    return i;
}

static double share(int64_t part, int64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 0;
}

static double f1(int64_t right, int64_t wrong) {
    return share(2 * right, 2 * right + wrong);
}

STRAIT_API strait_status strait_detection_at(strait_detection *out, const double *score, const bool *positive,
                                             int64_t n, double threshold, strait_error *err) {
    int64_t tp = 0, fp = 0, tn = 0, fn = 0;
    ST_TRY(check(score, positive, n, err));
    if (isnan(threshold)) return st_fail(err, STRAIT_ARGUMENT, "the threshold is NaN");
    for (int64_t i = 0; i < n; i++) {
        const bool said = score[i] > threshold;
        tp += said && positive[i];
        fp += said && !positive[i];
        tn += !said && !positive[i];
        fn += !said && positive[i];
    }
    *out = (strait_detection){
        .true_positive = tp,
        .false_positive = fp,
        .true_negative = tn,
        .false_negative = fn,
        .accuracy = share(tp + tn, n),
        .precision = share(tp, tp + fp),
        .recall = share(tp, tp + fn),
        .f1 = f1(tp, fp + fn),
        .negative_precision = share(tn, tn + fn),
        .negative_recall = share(tn, tn + fp),
        .negative_f1 = f1(tn, fp + fn),
    };
    return STRAIT_OK;
}

STRAIT_API strait_status strait_detection_areas(double *roc_auc, double *average_precision, const double *score,
                                                const bool *positive, int64_t n, strait_error *err) {
    scored *all = NULL;
    int64_t n_positive = 0, tp = 0;
    double area = 0, precision = 0;
    ST_TRY(sort_scores(&all, &n_positive, score, positive, n, err));
    for (int64_t i = 0; i < n;) {
        int64_t found = 0;
        const int64_t end = same_score(all, n, i, &found), others = end - i - found;
        area += (double)others * ((double)tp + (double)found / 2);
        tp += found;
        precision += (double)found * (double)tp / (double)end;
        i = end;
    }
    st_free(all);
    const bool both = n_positive > 0 && n_positive < n;
    *roc_auc = both ? area / ((double)n_positive * (double)(n - n_positive)) : NAN;
    *average_precision = both ? precision / (double)n_positive : NAN;
    return STRAIT_OK;
}

STRAIT_API strait_status strait_detection_roc(strait_array **out, const double *score, const bool *positive, int64_t n,
                                              strait_error *err) {
    scored *all = NULL;
    int64_t n_positive = 0, points = 1, tp = 0;
    *out = NULL;
    ST_TRY(sort_scores(&all, &n_positive, score, positive, n, err));
    strait_status status = STRAIT_OK;
    if (n_positive == 0 || n_positive == n)
        status = st_fail(err, STRAIT_ARGUMENT, "a ROC curve needs samples of both classes; all %lld are %s",
                         (long long)n, n_positive ? "positive" : "negative");
    for (int64_t i = 0; i < n; i++)
        points += i == 0 || all[i].score != all[i - 1].score;
    if (status == STRAIT_OK) status = strait_array_new(out, 2, (int64_t[]){points, 3}, err);
    if (status == STRAIT_OK) {
        float *at = (*out)->values;
        at[2] = INFINITY;
        for (int64_t i = 0; i < n;) {
            at += 3;
            at[2] = (float)all[i].score;
            i = same_score(all, n, i, &tp);
            at[0] = (float)((double)(i - tp) / (double)(n - n_positive));
            at[1] = (float)((double)tp / (double)n_positive);
        }
    }
    st_free(all);
    return status;
}

/* A threshold that lies between two scores, the lower of which may itself be it. */
static double between(double high, double low) {
    const double middle = low + (high - low) / 2;
    return middle < high ? middle : low;
}

STRAIT_API strait_status strait_detection_best(double *threshold, const double *score, const bool *positive, int64_t n,
                                               bool by_accuracy, strait_error *err) {
    scored *all = NULL;
    int64_t n_positive = 0, tp = 0;
    ST_TRY(sort_scores(&all, &n_positive, score, positive, n, err));
    /* Nothing positive at first; then one more score at a time. */
    double best = by_accuracy ? share(n - n_positive, n) : 0;
    *threshold = all[0].score;
    for (int64_t i = 0; i < n;) {
        i = same_score(all, n, i, &tp);
        const int64_t wrong = (i - tp) + (n_positive - tp);
        const double value = by_accuracy ? share(n - wrong, n) : f1(tp, wrong);
        if (value <= best) continue;
        best = value;
        *threshold = i < n ? between(all[i - 1].score, all[i].score) : nextafter(all[n - 1].score, -INFINITY);
    }
    st_free(all);
    return STRAIT_OK;
}
