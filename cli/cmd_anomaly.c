/* strait anomaly fit, anomaly score: samples that a model does not know. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "anomaly_pictures.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "output.h"
#include "picture.h"
#include "terminal.h"

#define OPTION_NORMAL                                                                                                  \
    {                                                                                                                  \
        "normal", 0, CLI_TEXT, false, "LABEL",                                                                         \
            "the label of normal samples, or several: 1,4 (default: data.only of the recipe)"                          \
    }

/* What both commands work on. */
typedef struct work {
    strait_model *model;
    strait_data *data;
    strait_anomaly anomaly;
    cli_work bar;
    strait_apply_options apply;
} work;

static strait_status open_work(work *w, const cli_args *args, strait_error *err) {
    w->bar = (cli_work){.verb = "scoring", .quiet = cli_has(args, "quiet")};
    w->apply = (strait_apply_options){cli_int(args, "threads", 0), cli_work_progress, &w->bar};
    return cli_model_data_open(&w->model, &w->data, args->operand, w->bar.quiet, err);
}

static void close_work(work *w) {
    strait_data_free(w->data);
    strait_model_free(w->model);
}

/* ---- fit ---- */

static const cli_option fit_options[] = {
    OPTION_NORMAL,
    {"threshold", 0, CLI_TEXT, false, "RULE", "mean+std (default), quantile:0.99, contamination:0.1 or best-f1"},
    {"error", 0, CLI_TEXT, false, "KIND", "of each sample: mae (default), mse or euclidean"},
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static json_t *labels_json(const strait_anomaly *a) {
    json_t *labels = json_array();
    for (int i = 0; labels && i < a->n_normal; i++)
        if (json_array_append_new(labels, json_integer((json_int_t)a->normal[i])) != 0) {
            json_decref(labels);
            labels = NULL;
        }
    return labels;
}

static cli_exit print_fit(const cli_args *args, const strait_anomaly *a, int64_t n) {
    if (cli_has(args, "json"))
        return cli_json_print(
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "model", cli_json_text(args->operand[0]),
                      "error", cli_json_text(a->error), "rule", cli_json_text(a->rule), "threshold",
                      cli_json_real(a->threshold), "mean", cli_json_real(a->mean), "std", cli_json_real(a->deviation),
                      "samples", (json_int_t)n, "normal_samples", (json_int_t)a->n_fitted, "normal", labels_json(a)));
    printf("threshold  %.6g  %s of the error (%s)\n", a->threshold, a->rule, a->error);
    printf("normal     mean %.6g, standard deviation %.6g of %s samples", a->mean, a->deviation,
           cli_count(a->n_fitted).text);
    for (int i = 0; i < a->n_normal; i++)
        printf("%s%lld", i ? ", " : " with label ", (long long)a->normal[i]);
    if (a->n_fitted < n) printf("; %s others left aside", cli_count(n - a->n_fitted).text);
    printf("\nkept in the model's file of %s\n", args->operand[0]);
    return CLI_OK;
}

static cli_exit run_fit(const cli_args *args) {
    work w = {0};
    strait_error err = {0};
    strait_status status = open_work(&w, args, &err);
    const strait_anomaly_options o = {.error = cli_text(args, "error"),
                                      .threshold = cli_text(args, "threshold"),
                                      .normal = cli_text(args, "normal"),
                                      .apply = w.apply};
    if (status == STRAIT_OK) status = strait_anomaly_fit(&w.anomaly, w.model, w.data, &o, &err);
    if (status == STRAIT_OK) status = strait_anomaly_save(&w.anomaly, args->operand[0], &err);
    const cli_exit code =
        status == STRAIT_OK ? print_fit(args, &w.anomaly, strait_data_count(w.data)) : cli_failed(&err);
    close_work(&w);
    return code;
}

static const cli_example fit_examples[] = {
    {"strait train ecg-anomaly", "a model of normal heartbeats"},
    {"strait anomaly fit ecg-anomaly-001 ecg5000#train", "the error above which a heartbeat is abnormal"},
    {"strait anomaly fit ecg-anomaly-001 ecg5000#train --threshold quantile:0.95 --error mse", "another rule"},
    {0},
};

const cli_command cli_anomaly_fit = {
    .name = "anomaly fit",
    .summary = "fit the error above which a sample is abnormal",
    .synopsis = {"anomaly fit MODEL DATA [--normal LABEL] [--threshold RULE] [--error KIND] [OPTIONS]"},
    .details =
        "A model trained on normal samples gives others back badly. The threshold is kept in the model's file, where "
        "strait anomaly score finds it. Of samples with labels only the normal ones are used, but by contamination:0.1 "
        "(this share of all samples is abnormal) and best-f1 (what finds the abnormal samples best), which take all.\n"
        "mean+std: mean plus standard deviation; quantile:0.99: 99 % of the normal errors are below. mae: mean of "
        "|x - y|; mse: mean of (x - y)^2; euclidean: root of the sum of (x - y)^2.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = fit_options,
    .examples = fit_examples,
    .run = run_fit,
};

/* ---- score ---- */

#define WORST 10 /* samples in the picture of the worst, where not said */

static const cli_option score_options[] = {
    {"output", 'o', CLI_TEXT, false, "FILE", "write error, probability and decision of each sample: .csv or .npy"},
    OPTION_NORMAL,
    {"roc", 0, CLI_TEXT, false, "FILE", "draw the ROC curve: .png or .svg"},
    {"histogram", 0, CLI_TEXT, false, "FILE", "draw how the errors are distributed"},
    {"worst", 0, CLI_TEXT, false, "FILE", "draw the samples with the largest errors"},
    {"n", 'n', CLI_COUNT, false, "N", "how many of these (default: 10)"},
    CLI_OPTION_THEME,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static strait_status write_scores(const char *path, const strait_anomaly_scores *s, strait_data *data,
                                  strait_error *err) {
    if (cli_ends_with(path, ".npy")) {
        strait_array *table = NULL;
        strait_status status = strait_array_new(&table, 2, (int64_t[]){s->n, 3}, err);
        for (int64_t i = 0; i < s->n && status == STRAIT_OK; i++) {
            table->values[3 * i] = (float)s->error[i];
            table->values[3 * i + 1] = (float)s->probability[i];
            table->values[3 * i + 2] = (float)s->abnormal[i];
        }
        if (status == STRAIT_OK) status = strait_array_write(table, path, err);
        strait_array_free(table);
        return status;
    }
    double *abnormal = calloc((size_t)s->n + 1, sizeof *abnormal);
    if (!abnormal) {
        snprintf(err->message, sizeof err->message, "%s", strait_status_text(STRAIT_MEMORY));
        return err->code = STRAIT_MEMORY;
    }
    for (int64_t i = 0; i < s->n; i++)
        abnormal[i] = s->abnormal[i];
    const strait_column column[] = {{"error", s->error}, {"probability", s->probability}, {"abnormal", abnormal}};
    const strait_status status = strait_samples_write(path, data, NULL, s->n, 3, column, err);
    free(abnormal);
    return status;
}

static json_t *class_json(double precision, double recall, double f1) {
    return json_pack("{s:o, s:o, s:o}", "precision", cli_json_real(precision), "recall", cli_json_real(recall), "f1",
                     cli_json_real(f1));
}

static json_t *detection_json(const strait_detection *d) {
    return json_pack("{s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}}", "accuracy", cli_json_real(d->accuracy), "normal",
                     class_json(d->negative_precision, d->negative_recall, d->negative_f1), "abnormal",
                     class_json(d->precision, d->recall, d->f1), "confusion", "normal_said_normal",
                     (json_int_t)d->true_negative, "normal_said_abnormal", (json_int_t)d->false_positive,
                     "abnormal_said_normal", (json_int_t)d->false_negative, "abnormal_said_abnormal",
                     (json_int_t)d->true_positive);
}

static int64_t count_abnormal(const strait_anomaly_scores *s) {
    int64_t n = 0;
    for (int64_t i = 0; i < s->n; i++)
        n += s->abnormal[i];
    return n;
}

static cli_exit print_scores_json(const cli_args *args, const strait_anomaly *a, const strait_anomaly_scores *s) {
    json_t *object = json_pack("{s:I, s:o, s:o, s:o, s:I}", "samples", (json_int_t)s->n, "error",
                               cli_json_text(a->error), "rule", cli_json_text(a->rule), "threshold",
                               cli_json_real(a->threshold), "abnormal_samples", (json_int_t)count_abnormal(s));
    if (object && s->truth) {
        json_t *best = detection_json(&s->best);
        if (best) json_object_set_new(best, "threshold", cli_json_real(s->best_threshold));
        json_object_set_new(object, "positive", cli_json_text("abnormal"));
        json_object_set_new(object, "at_threshold", detection_json(&s->at));
        json_object_set_new(object, "roc_auc", cli_json_real(s->roc_auc));
        json_object_set_new(object, "average_precision", cli_json_real(s->average_precision));
        json_object_set_new(object, "best_accuracy", best);
    }
    cli_json_add_files(object, args, (const char *const[]){"output", "roc", "histogram", "worst", NULL});
    return cli_json_print(object);
}

static void print_judgement(const strait_anomaly_scores *s) {
    const strait_detection *d = &s->at;
    printf("\naccuracy   %.4f\n\n", d->accuracy);
    printf("           precision  recall  F1      samples\n");
    printf("normal     %.4f     %.4f  %.4f  %s\n", d->negative_precision, d->negative_recall, d->negative_f1,
           cli_count(d->true_negative + d->false_positive).text);
    printf("abnormal   %.4f     %.4f  %.4f  %s  (the positive class)\n\n", d->precision, d->recall, d->f1,
           cli_count(d->true_positive + d->false_negative).text);
    printf("           said normal  said abnormal\n");
    printf("normal     %-11s  %s\n", cli_count(d->true_negative).text, cli_count(d->false_positive).text);
    printf("abnormal   %-11s  %s\n\n", cli_count(d->false_negative).text, cli_count(d->true_positive).text);
    if (isnan(s->roc_auc))
        printf("ROC AUC    none: all samples are of one class\n");
    else
        printf("ROC AUC    %.4f\naverage precision  %.4f\n", s->roc_auc, s->average_precision);
    printf("best       threshold %.6g would give accuracy %.4f on these samples\n", s->best_threshold,
           s->best.accuracy);
}

static cli_exit print_scores(const cli_args *args, const strait_anomaly *a, const strait_anomaly_scores *s) {
    if (cli_has(args, "json")) return print_scores_json(args, a, s);
    const int64_t n = count_abnormal(s);
    printf("samples    %s, %s of them abnormal (%.1f %%)\n", cli_count(s->n).text, cli_count(n).text,
           100 * (double)n / (double)s->n);
    printf("threshold  %.6g  %s of the error (%s)\n", a->threshold, a->rule, a->error);
    if (s->truth)
        print_judgement(s);
    else
        printf("not judged: %s\n",
               a->n_normal ? "the samples have no labels" : "the normal label is not known; --normal LABEL names it");
    return CLI_OK;
}

static strait_status write_files(const cli_args *args, const work *w, const strait_anomaly_scores *s,
                                 strait_error *err) {
    const char *path;
    strait_theme theme;
    cli_theme(&theme, args);
    strait_status status = STRAIT_OK;
    if ((path = cli_text(args, "roc")))
        status = cli_draw_roc(path, &w->anomaly, s, theme, err); /* first: it needs labels */
    if (status == STRAIT_OK && (path = cli_text(args, "output"))) status = write_scores(path, s, w->data, err);
    if (status == STRAIT_OK && (path = cli_text(args, "histogram")))
        status = cli_draw_errors(path, &w->anomaly, s, theme, err);
    if (status == STRAIT_OK && (path = cli_text(args, "worst")))
        status = cli_draw_worst(path, w->model, w->data, s, cli_int(args, "n", WORST), theme, err);
    return status;
}

static cli_exit check_files(const cli_args *args) {
    static const char *const tables[] = {".csv", ".npy", NULL};
    static const char *const drawn[] = {"roc", "histogram", "worst"};
    strait_theme theme;
    cli_exit code = cli_theme(&theme, args);
    if (code == CLI_OK && cli_text(args, "output")) code = cli_output_check(cli_text(args, "output"), tables);
    for (int i = 0; i < 3 && code == CLI_OK; i++)
        if (cli_text(args, drawn[i])) code = cli_output_check(cli_text(args, drawn[i]), cli_picture_endings);
    return code;
}

static cli_exit run_score(const cli_args *args) {
    work w = {0};
    strait_error err = {0};
    strait_anomaly_scores *scores = NULL;
    cli_exit code = check_files(args);
    if (code != CLI_OK) return code;
    strait_status status = open_work(&w, args, &err);
    if (status == STRAIT_OK) status = strait_anomaly_load(&w.anomaly, args->operand[0], &err);
    if (status == STRAIT_OK && cli_text(args, "normal"))
        status = strait_anomaly_set_normal(&w.anomaly, cli_text(args, "normal"), w.data, &err);
    if (status == STRAIT_OK) status = strait_anomaly_score(&scores, &w.anomaly, w.model, w.data, &w.apply, &err);
    if (status == STRAIT_OK) status = write_files(args, &w, scores, &err);
    code = status == STRAIT_OK ? print_scores(args, &w.anomaly, scores) : cli_failed(&err);
    strait_anomaly_scores_free(scores);
    close_work(&w);
    return code;
}

static const cli_example score_examples[] = {
    {"strait anomaly score ecg-anomaly-001 ecg5000#test -o scores.csv",
     "each heartbeat's error and decision, and how well that goes with the labels"},
    {"strait anomaly score ecg-anomaly-001 ecg5000#test --roc roc.png --histogram errors.png --worst worst.png",
     "the same as pictures"},
    {0},
};

const cli_command cli_anomaly_score = {
    .name = "anomaly score",
    .summary = "tell which samples are abnormal, and how well that works",
    .synopsis = {"anomaly score MODEL DATA [-o FILE] [OPTIONS]"},
    .details = "A sample is abnormal when its error is above the threshold that strait anomaly fit kept in the model's "
               "file. Its probability is the share of the normal samples' errors, of those the threshold was fitted "
               "on, that are below its own: 0.99 where only one normal sample in a hundred is given back as badly.\n"
               "With labels the decisions are judged for both classes; in ROC curve, average precision and JSON "
               "abnormal is the positive class. Precision: how many of those said to be of a class are; recall: how "
               "many of those that are of it are said to be.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = score_options,
    .examples = score_examples,
    .run = run_score,
};
