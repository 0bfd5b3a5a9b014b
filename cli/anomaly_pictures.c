#include "anomaly_pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"

static strait_status no_memory(strait_error *err) {
    snprintf(err->message, sizeof err->message, "%s", strait_status_text(STRAIT_MEMORY));
    return err->code = STRAIT_MEMORY;
}

/* ---- ROC ---- */

strait_status cli_draw_roc(const char *path, const strait_anomaly *anomaly, const strait_anomaly_scores *scores,
                           strait_theme theme, strait_error *err) {
    if (!scores->truth) {
        snprintf(err->message, sizeof err->message,
                 "%s: a ROC curve needs labels, and --normal LABEL where the normal one is not known", path);
        return err->code = STRAIT_ARGUMENT;
    }
    strait_array *roc = NULL;
    strait_status status = strait_detection_roc(&roc, scores->error, scores->truth, scores->n, err);
    if (status != STRAIT_OK) return status;
    const int n = (int)roc->dim[0];
    double *x = calloc((size_t)n, 2 * sizeof *x), *y = x ? x + n : NULL;
    if (x) {
        for (int i = 0; i < n; i++) {
            x[i] = (double)roc->values[3 * i];
            y[i] = (double)roc->values[3 * i + 1];
        }
        char name[64], here[64];
        snprintf(name, sizeof name, "area %.4f", scores->roc_auc);
        snprintf(here, sizeof here, "threshold %.4g", anomaly->threshold);
        const double fpr = 1 - scores->at.negative_recall, tpr = scores->at.recall;
        const strait_series series[] = {
            {name, n, x, y}, {here, 1, &fpr, &tpr}, {"chance", 2, (double[]){0, 1}, (double[]){0, 1}}};
        const strait_chart chart = {"Abnormal samples found",
                                    "share of normal samples said abnormal",
                                    "share of abnormal samples found",
                                    3,
                                    series,
                                    false,
                                    theme};
        status = strait_picture_draw_chart(path, &chart, err);
    } else {
        status = no_memory(err);
    }
    free(x);
    strait_array_free(roc);
    return status;
}

/* ---- errors ---- */

#define BINS 60
#define STEPS (2 * BINS + 2) /* points of an outline */

/* The outline of a histogram, of the class asked for: shares of it that fall in each bin. Gives the greatest. */
static double outline(double *x, double *y, const strait_anomaly_scores *s, int which, double low, double width) {
    int64_t count[BINS] = {0}, n = 0;
    double greatest = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (which >= 0 && s->truth[i] != (which == 1)) continue;
        const int bin = (int)((s->error[i] - low) / width);
        count[bin < BINS ? bin : BINS - 1]++;
        n++;
    }
    for (int b = 0; b < BINS; b++) {
        x[2 * b + 1] = low + b * width;
        x[2 * b + 2] = low + (b + 1) * width;
        y[2 * b + 1] = y[2 * b + 2] = n ? (double)count[b] / (double)n : 0;
        greatest = fmax(greatest, y[2 * b + 1]);
    }
    x[0] = low;
    x[STEPS - 1] = low + BINS * width;
    y[0] = y[STEPS - 1] = 0;
    return greatest;
}

strait_status cli_draw_errors(const char *path, const strait_anomaly *anomaly, const strait_anomaly_scores *scores,
                              strait_theme theme, strait_error *err) {
    double low = scores->error[0], high = low, x[2][STEPS], y[2][STEPS], greatest = 0;
    char here[64];
    for (int64_t i = 0; i < scores->n; i++) {
        low = fmin(low, scores->error[i]);
        high = fmax(high, scores->error[i]);
    }
    const double width = high > low ? (high - low) / BINS : 1;
    strait_series series[3];
    int n = 0;
    for (int c = 0; c < (scores->truth ? 2 : 1); c++) {
        greatest = fmax(greatest, outline(x[c], y[c], scores, scores->truth ? c : -1, low, width));
        series[n++] = (strait_series){!scores->truth ? "samples" : c ? "abnormal" : "normal", STEPS, x[c], y[c]};
    }
    snprintf(here, sizeof here, "threshold %.4g", anomaly->threshold);
    series[n++] = (strait_series){here, 2, (double[]){anomaly->threshold, anomaly->threshold}, (double[]){0, greatest}};
    char label[64];
    snprintf(label, sizeof label, "error of a sample (%s)", anomaly->error);
    const strait_chart chart = {"Errors of reconstruction", label, "share of the samples", n, series, false, theme};
    return strait_picture_draw_chart(path, &chart, err);
}

/* ---- the worst ---- */

typedef struct ranked {
    double error;
    int64_t sample;
} ranked;

static int by_error(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->error != q->error) return p->error < q->error ? 1 : -1;
    return (p->sample > q->sample) - (p->sample < q->sample);
}

#define CURVE_COLUMNS 5 /* panels side by side, where samples are rows of values */

/* Images: a row each of originals, reconstructions and |differences|. */
static strait_status draw_images(const char *path, const strait_array *original, const strait_array *seen,
                                 strait_theme theme, strait_error *err) {
    strait_array *difference = NULL;
    strait_status status = strait_array_new(&difference, original->n_dims, original->dim, err);
    if (status != STRAIT_OK) return status;
    const int64_t count = strait_array_count(original);
    for (int64_t i = 0; i < count; i++)
        difference->values[i] = fabsf(original->values[i] - seen->values[i]);
    static const char *const caption[] = {"original", "reconstruction", "difference"};
    const strait_array *const row[] = {original, seen, difference};
    const strait_sheet sheet = {3, row, caption, (int)original->dim[0], theme, false};
    status = strait_picture_draw_sheet(path, &sheet, err);
    strait_array_free(difference);
    return status;
}

/* Rows of values: a panel a sample, which tells its name or number, its class and its error. */
static strait_status draw_curves(const char *path, const strait_array *original, const strait_array *seen,
                                 const strait_anomaly_scores *scores, const strait_data *data, const int64_t *sample,
                                 strait_theme theme, strait_error *err) {
    enum { LENGTH = 120 };
    const size_t n = (size_t)original->dim[0];
    char *text = calloc(n, LENGTH);
    const char **caption = calloc(n, sizeof *caption);
    strait_status status;
    if (text && caption) {
        for (size_t i = 0; i < n; i++) {
            const char *name = strait_data_sample_name(data, sample[i]);
            char number[32];
            snprintf(number, sizeof number, "sample %lld", (long long)sample[i]);
            snprintf(text + i * LENGTH, LENGTH, "%.60s%s, error %.4g", name ? name : number,
                     !scores->truth             ? ""
                     : scores->truth[sample[i]] ? ", abnormal"
                                                : ", normal",
                     scores->error[sample[i]]);
            caption[i] = text + i * LENGTH;
        }
        const strait_curves curves = {original, seen, caption, CURVE_COLUMNS, theme};
        status = strait_picture_curves(path, &curves, err);
    } else {
        status = no_memory(err);
    }
    free(text);
    free(caption);
    return status;
}

/* Numbers of the n samples with the largest errors, largest first; free it. NULL: no memory. */
static int64_t *find_worst(const strait_anomaly_scores *scores, int n) {
    ranked *order = calloc((size_t)scores->n, sizeof *order);
    int64_t *sample = calloc((size_t)n, sizeof *sample);
    if (order && sample) {
        for (int64_t i = 0; i < scores->n; i++)
            order[i] = (ranked){scores->error[i], i};
        qsort(order, (size_t)scores->n, sizeof *order, by_error);
        for (int i = 0; i < n; i++)
            sample[i] = order[i].sample;
        free(order);
        return sample;
    }
    free(order);
    free(sample);
    return NULL;
}

strait_status cli_draw_worst(const char *path, const strait_model *model, strait_data *data,
                             const strait_anomaly_scores *scores, int n, strait_theme theme, strait_error *err) {
    strait_array *all = NULL, *all_seen = NULL, *original = NULL, *seen = NULL;
    if (n > scores->n) n = (int)scores->n;
    int64_t *sample = find_worst(scores, n);
    strait_status status = sample ? strait_model_input(&all, model, data, err) : no_memory(err);
    if (status == STRAIT_OK) status = strait_model_reconstruct(&all_seen, model, data, NULL, err);
    if (status == STRAIT_OK) status = cli_pick(&original, all, sample, n, err);
    if (status == STRAIT_OK) status = cli_pick(&seen, all_seen, sample, n, err);
    if (status == STRAIT_OK)
        status = original->n_dims == 2 ? draw_curves(path, original, seen, scores, data, sample, theme, err)
                                       : draw_images(path, original, seen, theme, err);
    strait_array_free(original);
    strait_array_free(seen);
    strait_array_free(all);
    strait_array_free(all_seen);
    free(sample);
    return status;
}
