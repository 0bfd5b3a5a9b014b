/* Thresholds of the reconstruction error: fitted, applied, judged. What keeps them in a file is in anomaly_file.c. */
#include <strait/anomaly.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "base/memory.h"
#include "base/string.h"

/* ---- normal labels ---- */

static bool is_normal(const strait_anomaly *anomaly, int64_t label) {
    for (int i = 0; i < anomaly->n_normal; i++)
        if (anomaly->normal[i] == label) return true;
    return false;
}

/* A label by its name or its number; it must be there. */
static strait_status find_label(int64_t *out, const char *word, const strait_data_info *info, strait_error *err) {
    int64_t number = 0;
    const bool is_number = st_parse_int(&number, word);
    for (int i = 0; i < info->n_labels; i++) {
        if (info->label_name && info->label_name[i] && strcmp(info->label_name[i], word) == 0) {
            *out = info->label_value[i];
            return STRAIT_OK;
        }
        if (is_number && info->label_value[i] == number) {
            *out = number;
            return STRAIT_OK;
        }
    }
    return st_fail(err, STRAIT_ARGUMENT, "no sample of %s has the label '%s'; strait data info tells its labels",
                   info->source, word);
}

static strait_status add_normal(strait_anomaly *anomaly, int64_t label, strait_error *err) {
    if (anomaly->n_normal == STRAIT_ANOMALY_LABELS)
        return st_fail(err, STRAIT_ARGUMENT, "more than %d normal labels", STRAIT_ANOMALY_LABELS);
    anomaly->normal[anomaly->n_normal++] = label;
    return STRAIT_OK;
}

static strait_status take_normal(strait_anomaly *anomaly, const char *list, const strait_recipe *recipe,
                                 strait_data *data, strait_error *err) {
    strait_data_info info;
    ST_TRY(strait_data_describe(data, &info, err));
    if (!list) {
        for (int i = 0; i < recipe->data.n_only; i++)
            ST_TRY(add_normal(anomaly, recipe->data.only[i], err));
        return STRAIT_OK;
    }
    if (!info.has_labels)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s has no labels to find normal samples by; without --normal all are taken", info.source);
    while (true) {
        const size_t n = strcspn(list, ",");
        char *word = st_strndup(list, n);
        int64_t label = 0;
        if (!word) return st_fail_memory(err, n, "a label");
        const strait_status status = find_label(&label, word, &info, err);
        st_free(word);
        ST_TRY(status);
        ST_TRY(add_normal(anomaly, label, err));
        if (list[n] == 0) return STRAIT_OK;
        list += n + 1;
    }
}

/* ---- errors of samples ---- */

/* Errors [n] of prepared data, the caller's. */
static strait_status take_errors(double **out, const strait_model *model, strait_data *data, const char *error,
                                 const strait_apply_options *apply, strait_error *err) {
    strait_array *score = NULL;
    *out = NULL;
    ST_TRY(strait_model_score(&score, model, data, error, apply, err));
    const int64_t n = score->dim[0];
    strait_status status = STRAIT_OK;
    *out = st_alloc((size_t)n, sizeof **out);
    if (!*out) status = st_fail_memory(err, (size_t)n * sizeof **out, "errors");
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++) {
        (*out)[i] = (double)score->values[i];
        if (!isfinite((*out)[i]))
            status = st_fail(err, STRAIT_DIVERGED,
                             "the error of sample %lld is not finite: the model's weights are damaged", (long long)i);
    }
    strait_array_free(score);
    if (status == STRAIT_OK) return STRAIT_OK;
    st_free(*out);
    *out = NULL;
    return status;
}

static int by_size(const void *a, const void *b) {
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The q-quantile of n sorted values, between two of them by their distance, as numpy. */
static double quantile_of(const double *sorted, int64_t n, double q) {
    const double at = q * (double)(n - 1);
    const int64_t low = (int64_t)at;
    if (low >= n - 1) return sorted[n - 1];
    return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

/* ---- the threshold ---- */

typedef struct sample_errors {
    int64_t n, n_normal;
    double *all;    /* [n] */
    double *sorted; /* [n] scratch */
    bool *abnormal; /* [n] */
} sample_errors;

static void describe(strait_anomaly *out, sample_errors *e) {
    double sum = 0, squares = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < e->n; i++)
        if (!e->abnormal[i]) {
            e->sorted[n++] = e->all[i];
            sum += e->all[i];
        }
    out->n_fitted = n;
    out->mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (e->sorted[i] - out->mean) * (e->sorted[i] - out->mean);
    out->deviation = sqrt(squares / (double)n);
    qsort(e->sorted, (size_t)n, sizeof *e->sorted, by_size);
    for (int i = 0; i < STRAIT_ANOMALY_QUANTILES; i++)
        out->quantile[i] = quantile_of(e->sorted, n, (double)i / (STRAIT_ANOMALY_QUANTILES - 1));
}

/* "quantile:0.99": the number behind the colon, between 0 and 1. */
static strait_status share_of(double *out, const char *rule, const char *name, strait_error *err) {
    const char *number = rule + strlen(name);
    if (!st_parse_double(out, number) || *out <= 0 || *out >= 1)
        return st_fail(err, STRAIT_ARGUMENT, "threshold '%s': behind '%s' must stand a number between 0 and 1", rule,
                       name);
    return STRAIT_OK;
}

/* After describe(): the errors of the normal samples stand sorted. */
static strait_status set_threshold(strait_anomaly *out, const sample_errors *e, strait_error *err) {
    double share = 0;
    if (strcmp(out->rule, "mean+std") == 0) {
        out->threshold = out->mean + out->deviation;
        return STRAIT_OK;
    }
    if (st_starts_with(out->rule, "quantile:")) {
        ST_TRY(share_of(&share, out->rule, "quantile:", err));
        out->threshold = quantile_of(e->sorted, e->n_normal, share);
        return STRAIT_OK;
    }
    if (st_starts_with(out->rule, "contamination:")) {
        ST_TRY(share_of(&share, out->rule, "contamination:", err));
        memcpy(e->sorted, e->all, (size_t)e->n * sizeof *e->sorted);
        qsort(e->sorted, (size_t)e->n, sizeof *e->sorted, by_size);
        out->threshold = quantile_of(e->sorted, e->n, 1 - share);
        return STRAIT_OK;
    }
    if (strcmp(out->rule, "best-f1") == 0) {
        if (e->n_normal == e->n)
            return st_fail(err, STRAIT_ARGUMENT,
                           "best-f1 needs abnormal samples too, and labels that tell which are normal (--normal)");
        return strait_detection_best(&out->threshold, e->all, e->abnormal, e->n, false, err);
    }
    return st_fail(err, STRAIT_ARGUMENT,
                   "threshold '%s' is not known: use mean+std, quantile:0.99, contamination:0.1 or best-f1", out->rule);
}

/* Which samples are abnormal: none where nothing tells. */
static strait_status tell_abnormal(sample_errors *e, const strait_anomaly *anomaly, strait_data *data,
                                   strait_error *err) {
    strait_data_info info;
    ST_TRY(strait_data_describe(data, &info, err));
    for (int64_t i = 0; i < e->n; i++) {
        e->abnormal[i] = info.has_labels && anomaly->n_normal > 0 && !is_normal(anomaly, strait_data_label(data, i));
        e->n_normal += !e->abnormal[i];
    }
    if (e->n_normal > 0) return STRAIT_OK;
    return st_fail(err, STRAIT_ARGUMENT, "none of the %lld samples has a normal label; name one with --normal",
                   (long long)e->n);
}

static strait_status fit_errors(strait_anomaly *out, const strait_model *model, strait_data *data,
                                const strait_anomaly_options *o, strait_error *err) {
    sample_errors e = {.n = strait_data_count(data)};
    strait_status status = take_errors(&e.all, model, data, out->error, &o->apply, err);
    e.sorted = st_alloc((size_t)e.n, sizeof *e.sorted);
    e.abnormal = st_alloc((size_t)e.n, sizeof *e.abnormal);
    if (status == STRAIT_OK && (!e.sorted || !e.abnormal))
        status = st_fail_memory(err, (size_t)e.n * sizeof *e.sorted, "errors");
    if (status == STRAIT_OK) status = tell_abnormal(&e, out, data, err);
    if (status == STRAIT_OK) {
        describe(out, &e);
        status = set_threshold(out, &e, err);
    }
    st_free(e.abnormal);
    st_free(e.sorted);
    st_free(e.all);
    return status;
}

STRAIT_API strait_status strait_anomaly_fit(strait_anomaly *out, const strait_model *model, strait_data *data,
                                            const strait_anomaly_options *options, strait_error *err) {
    const strait_anomaly_options o = options ? *options : (strait_anomaly_options){0};
    const char *error = o.error ? o.error : "mae", *rule = o.threshold ? o.threshold : "mean+std";
    strait_anomaly fitted = {0};
    strait_data *prepared = NULL;
    if (!model || !data) return st_fail(err, STRAIT_ARGUMENT, "strait_anomaly_fit: model and data must not be NULL");
    if (strlen(error) >= sizeof fitted.error || strlen(rule) >= sizeof fitted.rule)
        return st_fail(err, STRAIT_ARGUMENT, "threshold '%.40s' of error '%.40s' is not known", rule, error);
    memcpy(fitted.error, error, strlen(error) + 1);
    memcpy(fitted.rule, rule, strlen(rule) + 1);
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    strait_status status = take_normal(&fitted, o.normal, model->recipe, prepared, err);
    if (status == STRAIT_OK) status = fit_errors(&fitted, model, prepared, &o, err);
    strait_data_free(prepared);
    if (status == STRAIT_OK) *out = fitted;
    return status;
}

STRAIT_API strait_status strait_anomaly_set_normal(strait_anomaly *anomaly, const char *normal, strait_data *data,
                                                   strait_error *err) {
    if (!anomaly || !normal || !data)
        return st_fail(err, STRAIT_ARGUMENT, "strait_anomaly_set_normal: an argument is NULL");
    strait_anomaly named = *anomaly;
    named.n_normal = 0;
    ST_TRY(take_normal(&named, normal, NULL, data, err));
    *anomaly = named;
    return STRAIT_OK;
}

/* ---- scores ---- */

STRAIT_API double strait_anomaly_probability(const strait_anomaly *anomaly, double error) {
    const double *q = anomaly->quantile;
    const int last = STRAIT_ANOMALY_QUANTILES - 1;
    if (!(error > q[0])) return 0;
    if (error > q[last]) return 1;
    int low = 0, high = last; /* q[low] < error <= q[high] */
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (q[middle] < error)
            low = middle;
        else
            high = middle;
    }
    return ((double)low + (error - q[low]) / (q[high] - q[low])) / last;
}

STRAIT_API void strait_anomaly_scores_free(strait_anomaly_scores *scores) {
    if (!scores) return;
    st_free(scores->error);
    st_free(scores->probability);
    st_free(scores->abnormal);
    st_free(scores->truth);
    st_free(scores);
}

/* The truth by labels, and how the threshold does. */
static strait_status judge(strait_anomaly_scores *s, const strait_anomaly *anomaly, strait_data *data,
                           strait_error *err) {
    strait_data_info info;
    ST_TRY(strait_data_describe(data, &info, err));
    if (!info.has_labels || anomaly->n_normal == 0) return STRAIT_OK;
    s->truth = st_alloc((size_t)s->n, sizeof *s->truth);
    if (!s->truth) return st_fail_memory(err, (size_t)s->n, "labels");
    for (int64_t i = 0; i < s->n; i++)
        s->truth[i] = !is_normal(anomaly, strait_data_label(data, i));
    ST_TRY(strait_detection_at(&s->at, s->error, s->truth, s->n, anomaly->threshold, err));
    ST_TRY(strait_detection_areas(&s->roc_auc, &s->average_precision, s->error, s->truth, s->n, err));
    ST_TRY(strait_detection_best(&s->best_threshold, s->error, s->truth, s->n, true, err));
    return strait_detection_at(&s->best, s->error, s->truth, s->n, s->best_threshold, err);
}

static strait_status fill_scores(strait_anomaly_scores *s, const strait_anomaly *anomaly, const strait_model *model,
                                 strait_data *data, const strait_apply_options *apply, strait_error *err) {
    s->n = strait_data_count(data);
    ST_TRY(take_errors(&s->error, model, data, anomaly->error, apply, err));
    s->probability = st_alloc((size_t)s->n, sizeof *s->probability);
    s->abnormal = st_alloc((size_t)s->n, sizeof *s->abnormal);
    if (!s->probability || !s->abnormal) return st_fail_memory(err, (size_t)s->n * sizeof *s->probability, "scores");
    for (int64_t i = 0; i < s->n; i++) {
        s->probability[i] = strait_anomaly_probability(anomaly, s->error[i]);
        s->abnormal[i] = s->error[i] > anomaly->threshold;
    }
    return judge(s, anomaly, data, err);
}

STRAIT_API strait_status strait_anomaly_score(strait_anomaly_scores **out, const strait_anomaly *anomaly,
                                              const strait_model *model, strait_data *data,
                                              const strait_apply_options *apply, strait_error *err) {
    strait_data *prepared = NULL;
    *out = NULL;
    if (!anomaly || !model || !data)
        return st_fail(err, STRAIT_ARGUMENT, "strait_anomaly_score: anomaly, model and data must not be NULL");
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    strait_anomaly_scores *scores = st_alloc(1, sizeof *scores);
    strait_status status = scores ? fill_scores(scores, anomaly, model, prepared, apply, err)
                                  : st_fail_memory(err, sizeof *scores, "scores");
    strait_data_free(prepared);
    if (status == STRAIT_OK)
        *out = scores;
    else
        strait_anomaly_scores_free(scores);
    return status;
}
