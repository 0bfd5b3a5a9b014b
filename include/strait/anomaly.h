/* Anomalies: a model of normal samples reconstructs others badly. A threshold of the error is fitted on data, kept in
   the model's file, and applied to other data. */
#ifndef STRAIT_ANOMALY_H
#define STRAIT_ANOMALY_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/data.h>
#include <strait/explore.h>
#include <strait/model.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STRAIT_ANOMALY_LABELS 64
#define STRAIT_ANOMALY_QUANTILES 1001

/* What was fitted. Plain values: nothing to free. */
typedef struct strait_anomaly {
    char error[16];         /* "mae", "mse", "euclidean": of each sample, see strait_model_score */
    char rule[32];          /* what the threshold is: "mean+std" */
    double threshold;       /* a sample with an error above it is abnormal */
    double mean, deviation; /* of the errors it was fitted on, the normal samples' */
    int64_t n_fitted;       /* how many these were */
    int n_normal;           /* labels of normal samples; 0: they are not known */
    int64_t normal[STRAIT_ANOMALY_LABELS];
    double quantile[STRAIT_ANOMALY_QUANTILES]; /* of these errors: 0, 0.001, ..., 1 */
} strait_anomaly;

/* All zero is the default. */
typedef struct strait_anomaly_options {
    const char *error; /* NULL: "mae" */
    /* NULL or "mean+std": of the normal samples' errors; "quantile:0.99" of them; "contamination:0.1": so large a share
       of all samples is abnormal; "best-f1": what finds the abnormal samples best, by F1. */
    const char *threshold;
    /* Labels of normal samples, or names of labels, ',' between: "1", "cat,dog". NULL: those in the recipe's data.only;
       without these all samples are normal. */
    const char *normal;
    strait_apply_options apply;
} strait_anomaly_options;

/* Fits a threshold to a model's errors on data. Errors: ARGUMENT (no such rule, error or label; no normal samples;
   best-f1 without abnormal ones), DIVERGED (errors that are not finite), those of strait_model_score. */
STRAIT_API strait_status strait_anomaly_fit(strait_anomaly *out, const strait_model *model, strait_data *data,
                                            const strait_anomaly_options *options, strait_error *err);

/* Names the labels of normal samples anew, as they stand in data: for judging. Errors: ARGUMENT (data has no labels, or
   not this one). */
STRAIT_API strait_status strait_anomaly_set_normal(strait_anomaly *anomaly, const char *normal, strait_data *data,
                                                   strait_error *err);

/* Keeps it in a model's file / reads it again. model: as strait_model_load takes it. The file is put in place anew,
   atomically. Errors: NOT_FOUND (no such model; nothing was fitted), FORMAT, IO, MEMORY. */
STRAIT_API strait_status strait_anomaly_save(const strait_anomaly *anomaly, const char *model, strait_error *err);
STRAIT_API strait_status strait_anomaly_load(strait_anomaly *out, const char *model, strait_error *err);

/* The share of the fitted normal errors below this one, 0..1: how sure it is that a normal sample has a smaller error.
 */
STRAIT_API double strait_anomaly_probability(const strait_anomaly *anomaly, double error);

/* The verdict on samples. Where they have labels and the normal ones are known, it is judged; abnormal is positive. */
typedef struct strait_anomaly_scores {
    int64_t n;
    double *error, *probability;       /* [n] */
    bool *abnormal;                    /* [n]: the decision */
    bool *truth;                       /* [n]: abnormal by its label; NULL: not known, and all below is zero */
    strait_detection at;               /* at the threshold */
    double roc_auc, average_precision; /* NAN with one class alone */
    double best_threshold;             /* with the best accuracy on these samples, and what it gives */
    strait_detection best;
} strait_anomaly_scores;

/* Errors of data and the verdict. The caller owns *out. Errors: as strait_anomaly_fit. */
STRAIT_API strait_status strait_anomaly_score(strait_anomaly_scores **out, const strait_anomaly *anomaly,
                                              const strait_model *model, strait_data *data,
                                              const strait_apply_options *apply, strait_error *err);
STRAIT_API void strait_anomaly_scores_free(strait_anomaly_scores *scores); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
