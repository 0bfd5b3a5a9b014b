/* The loss, the errors of samples, the settings and the data. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_int.h"
#include "report/svg_int.h"
#include "report/words_int.h"

#define BINS 40

/* ---- the loss ---- */

/* The columns of the history as series. */
typedef struct columns {
    double *block, *epoch, *loss, *val_loss, *rate, *kl, *val_kl;
} columns;

static bool take_columns(columns *c, const st_history_row *row, int n) {
    const size_t count = (size_t)n;
    *c = (columns){.block = st_alloc(6 * count + 1, sizeof(double))};
    if (!c->block) return false;
    c->epoch = c->block;
    c->loss = c->block + count;
    c->val_loss = c->block + 2 * count;
    c->rate = c->block + 3 * count;
    c->kl = c->block + 4 * count;
    c->val_kl = c->block + 5 * count;
    for (int i = 0; i < n; i++) {
        c->epoch[i] = row[i].epoch;
        c->loss[i] = row[i].loss;
        c->val_loss[i] = row[i].val_loss;
        c->rate[i] = row[i].learning_rate;
        c->kl[i] = row[i].kl;
        c->val_kl[i] = row[i].val_kl;
    }
    return true;
}

static bool any_finite(const double *value, int n) {
    for (int i = 0; i < n; i++)
        if (isfinite(value[i])) return true;
    return false;
}

static void add_pair_chart(st_text *html, const char *label, const char *y_label, const columns *c, const double *train,
                           const double *validation, int n, int best) {
    char mark[64] = "";
    st_svg_series series[2];
    int n_series = 0;
    if (any_finite(train, n)) series[n_series++] = (st_svg_series){"training", n, c->epoch, train, 0, false};
    if (any_finite(validation, n))
        series[n_series++] = (st_svg_series){"validation", n, c->epoch, validation, 1, false};
    if (n_series == 0) return;
    st_svg_chart chart = {
        .label = label, .x_label = "epoch", .y_label = y_label, .n_series = n_series, .series = series};
    chart.log_y = st_svg_wants_log(train, n) || (n_series == 2 && st_svg_wants_log(validation, n));
    if (best >= 0) {
        snprintf(mark, sizeof mark, "best: epoch %d", (int)c->epoch[best]);
        chart.mark = mark;
        chart.mark_x = c->epoch[best];
        chart.mark_y = n_series == 2 ? validation[best] : train[best];
    }
    st_svg_lines(html, &chart);
}

static void epoch_row(st_text *html, const char *name, const st_history_row *row) {
    char epoch[16];
    snprintf(epoch, sizeof epoch, "%d", row->epoch);
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, name);
    st_html_element(html, "td", "number", epoch);
    st_html_element(html, "td", "number", st_word_number(row->loss).text);
    st_html_element(html, "td", "number", st_word_number(row->val_loss).text);
    st_html_element(html, "td", "number", st_word_number(row->learning_rate).text);
    st_html_element(html, "td", "number", st_word_seconds(row->seconds).text);
    st_text_add(html, "</tr>\n");
}

static void add_epochs(st_text *html, const st_history_row *row, int n, int best) {
    st_text_add(html, "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th></th><th>epoch</th><th>loss</th>"
                      "<th>validation loss</th><th>learning rate</th><th>time</th></tr></thead>\n");
    epoch_row(html, "first", &row[0]);
    if (best > 0 && best < n - 1) epoch_row(html, "best", &row[best]);
    if (n > 1) epoch_row(html, best == n - 1 ? "last, the best" : "last", &row[n - 1]);
    st_text_add(html, "</table></div>\n");
}

void st_html_loss(st_text *html, const st_report_run *run) {
    const int n = run->n_epochs;
    st_html_section(html, "loss", "Loss");
    columns c = {0};
    if (n < 1) {
        st_html_missing(html, "No epoch has been trained",
                        run->why[ST_PART_HISTORY][0] ? run->why[ST_PART_HISTORY] : NULL);
    } else if (!take_columns(&c, run->epoch, n)) {
        st_html_fail(html);
    } else {
        const int best = st_history_best(run->epoch, n);
        const char *loss = st_setting_find(run, "train.loss");
        add_pair_chart(html, "Loss by epoch", loss ? loss : "loss", &c, c.loss, c.val_loss, n, best);
        add_epochs(html, run->epoch, n, best);
        if (any_finite(c.kl, n) || any_finite(c.val_kl, n)) {
            st_text_add(html, "<h3>KL divergence</h3>\n<p class=\"quiet\">Of the latent from the standard normal "
                              "distribution, not times beta.</p>\n");
            add_pair_chart(html, "KL divergence by epoch", "KL", &c, c.kl, c.val_kl, n, -1);
        }
        bool moves = false;
        for (int i = 1; i < n; i++)
            moves = moves || c.rate[i] < c.rate[0] || c.rate[i] > c.rate[0];
        if (moves) {
            const st_svg_series series = {"learning rate", n, c.epoch, c.rate, 2, false};
            st_text_add(html, "<h3>Learning rate</h3>\n");
            st_svg_lines(html, &(st_svg_chart){.label = "Learning rate by epoch",
                                               .x_label = "epoch",
                                               .y_label = "learning rate",
                                               .log_y = st_svg_wants_log(c.rate, n),
                                               .zero = true,
                                               .n_series = 1,
                                               .series = &series});
        }
    }
    st_free(c.block);
    st_text_add(html, "</section>\n");
}

/* ---- the errors of samples ---- */

static int compare_floats(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

typedef struct errors {
    const char *name;
    int64_t n, total;
    float *sorted; /* finite ones */
    double x[BINS + 1], share[BINS + 1];
} errors;

static bool sort_errors(errors *out, const st_report_data *data) {
    *out = (errors){.name = data->name, .total = data->n_samples};
    out->sorted = st_alloc((size_t)data->n_errors + 1, sizeof *out->sorted);
    if (!out->sorted) return false;
    for (int64_t i = 0; i < data->n_errors; i++)
        if (isfinite(data->errors[i])) out->sorted[out->n++] = data->errors[i];
    qsort(out->sorted, (size_t)out->n, sizeof *out->sorted, compare_floats);
    return true;
}

static double quantile(const errors *e, double share) {
    return (double)e->sorted[(int64_t)(share * (double)(e->n - 1) + 0.5)];
}

/* The share of samples in each of BINS bins; those beyond high count in the last. */
static void fill_bins(errors *e, double low, double high) {
    for (int b = 0; b <= BINS; b++)
        e->x[b] = low + (high - low) * b / BINS;
    for (int64_t i = 0; i < e->n; i++) {
        const int bin = (int)(((double)e->sorted[i] - low) / (high - low) * BINS);
        e->share[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin] += 1.0 / (double)e->n;
    }
    e->share[BINS] = 0;
}

static void error_row(st_text *html, const errors *e) {
    double sum = 0;
    for (int64_t i = 0; i < e->n; i++)
        sum += (double)e->sorted[i];
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, e->name);
    st_html_element(html, "td", "number", st_word_count(e->n).text);
    st_html_element(html, "td", "number", st_word_number(sum / (double)e->n).text);
    st_html_element(html, "td", "number", st_word_number(quantile(e, 0)).text);
    st_html_element(html, "td", "number", st_word_number(quantile(e, 0.5)).text);
    st_html_element(html, "td", "number", st_word_number(quantile(e, 0.95)).text);
    st_html_element(html, "td", "number", st_word_number(quantile(e, 1)).text);
    st_text_add(html, "</tr>\n");
}

static void add_histogram(st_text *html, errors *e, int n) {
    double low = INFINITY, high = -INFINITY, top = -INFINITY;
    for (int i = 0; i < n; i++) {
        low = fmin(low, quantile(&e[i], 0));
        high = fmax(high, quantile(&e[i], 0.995));
        top = fmax(top, quantile(&e[i], 1));
    }
    if (top < 1.5 * high) high = top;
    if (!(high > low)) high = low + fmax(fabs(low), 1e-6);
    st_svg_series series[2];
    for (int i = 0; i < n; i++) {
        fill_bins(&e[i], low, high);
        const bool validation = strcmp(e[i].name, "validation") == 0;
        series[i] = (st_svg_series){e[i].name, BINS + 1, e[i].x, e[i].share, validation ? 1 : 0, false};
    }
    st_svg_lines(html, &(st_svg_chart){.label = "Histogram of the samples' errors",
                                       .x_label = "mean squared error of a sample",
                                       .y_label = "share of samples",
                                       .zero = true,
                                       .x_is_measure = true,
                                       .n_series = n,
                                       .series = series,
                                       .steps = true});
    if (top > high)
        st_text_add(html, "<p class=\"quiet\">The last bar holds all that lie beyond %s.</p>\n",
                    st_word_number(high).text);
    st_text_add(html, "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th></th><th>samples</th><th>mean</th>"
                      "<th>least</th><th>median</th><th>95 %% below</th><th>largest</th></tr></thead>\n");
    for (int i = 0; i < n; i++)
        error_row(html, &e[i]);
    st_text_add(html, "</table></div>\n");
}

void st_html_errors(st_text *html, const st_report_run *run) {
    errors e[2] = {{0}, {0}};
    int n = 0;
    st_html_section(html, "errors", "Errors of samples");
    for (int i = 0; i < 2; i++) {
        if (run->data[i].n_errors < 1) continue;
        if (!sort_errors(&e[n], &run->data[i])) {
            st_html_fail(html);
            break;
        }
        if (e[n].n > 0)
            n++;
        else
            st_free(e[n].sorted);
    }
    if (n > 0 && !html->failed) {
        st_text_add(html, "<p class=\"quiet\">How well each sample comes back: the mean of its squared differences.");
        for (int i = 0; i < n; i++)
            if (e[i].n < e[i].total)
                st_text_add(html, " Of the %s data the first %s of %s samples.", e[i].name, st_word_count(e[i].n).text,
                            st_word_count(e[i].total).text);
        st_text_add(html, "</p>\n");
        add_histogram(html, e, n);
    } else {
        const char *why = run->why[ST_PART_DATA][0] ? run->why[ST_PART_DATA] : run->why[ST_PART_MODEL];
        st_html_missing(html, "They could not be computed when this page was made", why);
    }
    for (int i = 0; i < n; i++)
        st_free(e[i].sorted);
    st_text_add(html, "</section>\n");
}

/* ---- settings ---- */

/* A row that describes a key and all below it; nothing where there is none. */
static void described_row(st_text *html, const st_report_run *run, const char *key, const char *name) {
    st_text words = {0};
    if (st_setting_describe(&words, run, key)) st_html_row(html, name, words.bytes);
    if (words.failed) st_html_fail(html);
    st_text_free(&words);
}

void st_html_settings(st_text *html, const st_report_run *run) {
    static const char *const choice[][2] = {{"train.optimizer", "optimiser"},
                                            {"train.loss", "loss"},
                                            {"train.schedule", "schedule of the learning rate"},
                                            {"train.early_stopping", "early stopping"}};
    st_html_section(html, "settings", "Settings");
    if (run->n_settings == 0) {
        st_html_missing(html, "The settings are not known", run->why[ST_PART_RECIPE]);
        st_text_add(html, "</section>\n");
        return;
    }
    st_text_add(html, "<table class=\"pairs\">\n");
    for (size_t i = 0; i < sizeof choice / sizeof *choice; i++)
        described_row(html, run, choice[i][0], choice[i][1]);
    st_text_add(html, "</table>\n<h3>Every setting</h3>\n<table class=\"pairs code\">\n");
    for (int i = 0; i < run->n_settings; i++)
        st_html_row(html, run->setting[i].key, run->setting[i].value);
    st_text_add(html, "</table>\n</section>\n");
}

/* ---- data ---- */

void st_html_data(st_text *html, const st_report_run *run) {
    const strait_run *r = run->run;
    const char *source = r && r->source[0] ? r->source : st_setting_find(run, "data.source");
    const st_report_data *train = &run->data[0], *held = &run->data[1];
    st_html_section(html, "data", "Data");
    st_text_add(html, "<table class=\"pairs\">\n");
    if (source) st_html_row(html, "source", source);
    const int64_t n_train = r ? r->n_samples : train->n_samples, n_held = r ? r->n_validation : held->n_samples;
    if (n_train > 0) st_html_row(html, "training samples", st_word_count(n_train).text);
    if (r || train->source) st_html_row(html, "validation samples", n_held > 0 ? st_word_count(n_held).text : "none");
    described_row(html, run, "data.validation", "validation is");
    if (train->source)
        st_html_row(html, "one sample", st_word_shape(train->n_dims, train->dim).text);
    else if (run->summary)
        st_html_row(html, "one sample", st_word_shape(run->summary->n_input_dims, run->summary->input_dim).text);
    described_row(html, run, "data.scale", "scale");
    described_row(html, run, "data.corrupt", "noise on the input");
    described_row(html, run, "data.augment", "random changes of training images");
    if (r && r->checksum[0]) st_html_row(html, "checksum of the training samples", r->checksum);
    st_text_add(html, "</table>\n");
    if (!r) st_html_missing(html, "The checksum is not recorded", run->why[ST_PART_RUN]);
    if (run->why[ST_PART_DATA][0])
        st_html_missing(html, "The data could not be opened when this page was made", run->why[ST_PART_DATA]);
    st_text_add(html, "</section>\n");
}
