/* Scores of clusters, centres and representatives, detection. On plain arrays; see strait/explore.h. */
#ifndef STRAIT_EXPLORE_SCORES_H
#define STRAIT_EXPLORE_SCORES_H

#include <strait/explore_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- scores of a clustering ---- */

/* Mean silhouette (Rousseeuw 1987), in -1..1. NAN with fewer than two clusters. */
STRAIT_API strait_status strait_silhouette(double *out, const strait_array *x, const int32_t *cluster,
                                           strait_metric metric, int threads, strait_error *err);
/* The same of `most` samples drawn at random (by the seed) where there are more, as distances between all of them take
   time of their square. Errors: ARGUMENT (most below 2), MEMORY. */
STRAIT_API strait_status strait_silhouette_sample(double *out, const strait_array *x, const int32_t *cluster,
                                                  strait_metric metric, int64_t most, uint64_t seed, int threads,
                                                  strait_error *err);
/* Against labels [n]: the share right under the best one-to-one matching (Kuhn 1955), normalised mutual information
   (arithmetic mean), adjusted Rand index (Hubert and Arabie 1985). */
typedef struct strait_agreement {
    double accuracy, nmi, ari;
} strait_agreement;
STRAIT_API strait_status strait_cluster_agreement(strait_agreement *out, const int32_t *cluster, const int64_t *label,
                                                  int64_t n, strait_error *err);

/* ---- centres and representatives ---- */

typedef enum strait_centre_kind {
    STRAIT_CENTRE_MEAN,
    STRAIT_CENTRE_MEDIAN,
    STRAIT_CENTRE_GEOMETRIC
} strait_centre_kind;
/* Centre of the chosen rows (rows NULL: all n): the mean, the median of each feature, or the geometric median
   (Weiszfeld 1937, with the step of Vardi and Zhang 2000 at a sample). centre [features]. */
STRAIT_API strait_status strait_centre(double *centre, const strait_array *x, const int64_t *rows, int64_t n_rows,
                                       strait_centre_kind kind, strait_error *err);
/* order [n_rows]: the rows by distance to a centre, nearest first, ties by index; distance [n_rows] in that order. */
STRAIT_API strait_status strait_rank(int64_t *order, double *distance, const strait_array *x, const int64_t *rows,
                                     int64_t n_rows, const double *centre, strait_metric metric, strait_error *err);

/* ---- detection ---- */

typedef struct strait_detection {
    int64_t true_positive, false_positive, true_negative, false_negative;
    double accuracy, precision, recall, f1; /* of the positive class; 0 where undefined, as scikit-learn */
    double negative_precision, negative_recall, negative_f1; /* of the other */
} strait_detection;
/* score above threshold says positive; positive [n] is the truth. */
STRAIT_API strait_status strait_detection_at(strait_detection *out, const double *score, const bool *positive,
                                             int64_t n, double threshold, strait_error *err);
/* Area under the ROC curve (ties count half) and average precision, as scikit-learn. NAN with one class alone. */
STRAIT_API strait_status strait_detection_areas(double *roc_auc, double *average_precision, const double *score,
                                                const bool *positive, int64_t n, strait_error *err);
/* The ROC curve from (0, 0) to (1, 1): *n_points points, the caller's arrays (strait_array of [points, 3]: false
   positive rate, true positive rate, threshold). */
STRAIT_API strait_status strait_detection_roc(strait_array **out, const double *score, const bool *positive, int64_t n,
                                              strait_error *err);
/* The threshold (midway between two scores) with the best F1 of the positive class, or best accuracy. */
STRAIT_API strait_status strait_detection_best(double *threshold, const double *score, const bool *positive, int64_t n,
                                               bool by_accuracy, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
