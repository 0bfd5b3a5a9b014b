/* Does the loss move, do the weights change, what is wrong, what to try: and the numbers by layer behind it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_int.h"
#include "report/svg_int.h"
#include "report/words_int.h"

static void add_answer(st_text *html, const char *question, bool yes, const char *answer) {
    const char *word = yes ? "Yes" : "No";
    const bool begins_with_it = strncmp(answer, word, strlen(word)) == 0;
    st_text_add(html, "<div class=\"answer %s\"><h3>%s</h3><p>", yes ? "good" : "bad", question);
    st_text_add(html, "<b>%s</b>%s", word, begins_with_it ? "" : ". ");
    st_html_escape(html, begins_with_it ? answer + strlen(word) : answer);
    st_text_add(html, "</p></div>\n");
}

static void add_finding(st_text *html, const strait_finding *finding) {
    static const char *const name[] = {"note", "warning", "problem"};
    static const char *const class[] = {"note", "warn", "bad"};
    const int severity = finding->severity <= STRAIT_SEVERITY_PROBLEM ? (int)finding->severity : 0;
    st_text_add(html, "<li class=\"%s\"><span class=\"badge %s\">%s</span> ", class[severity], class[severity],
                name[severity]);
    st_html_escape(html, finding->sentence);
    if (finding->mend[0]) {
        st_text_add(html, " <span class=\"mend\">");
        st_html_escape(html, finding->mend);
        st_text_add(html, "</span>");
    }
    st_text_add(html, " <small>");
    if (finding->layer[0]) {
        st_html_escape(html, finding->layer);
        st_text_add(html, ", ");
    }
    st_text_add(html, finding->epoch > 0 ? "seen after epoch %d" : "seen before training", finding->epoch);
    st_text_add(html, "</small></li>\n");
}

static void add_findings(st_text *html, const strait_diagnosis *d) {
    if (d->n_findings == 0) {
        st_text_add(html, "<p>Nothing was found to be wrong.</p>\n");
        return;
    }
    st_text_add(html, "<ul class=\"findings\">\n");
    for (int severity = STRAIT_SEVERITY_PROBLEM; severity >= STRAIT_SEVERITY_NOTE; severity--)
        for (int i = 0; i < d->n_findings; i++)
            if ((int)d->finding[i].severity == severity) add_finding(html, &d->finding[i]);
    st_text_add(html, "</ul>\n");
}

static void output_row(st_text *html, const char *what, const strait_diagnosis_epoch *e) {
    const strait_output_state *o = &e->output;
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, what);
    st_html_element(html, "td", "number", st_word_number(o->minimum).text);
    st_html_element(html, "td", "number", st_word_number(o->maximum).text);
    st_html_element(html, "td", "number", st_word_share(o->low_share).text);
    st_html_element(html, "td", "number", st_word_share(o->high_share).text);
    st_html_element(html, "td", "number", st_word_share(o->outside_share).text);
    st_html_element(html, "td", "number", st_word_number(o->variation).text);
    st_html_element(html, "td", "number", st_word_number(o->data_variation).text);
    st_text_add(html, "</tr>\n");
}

/* Before training, and after the last epoch. */
static void add_outputs(st_text *html, const strait_diagnosis *d) {
    if (d->n_epochs == 0) return;
    char last[32];
    snprintf(last, sizeof last, "epoch %d", d->epoch[d->n_epochs - 1].epoch);
    st_text_add(html, "<h3>The outputs</h3>\n<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th></th>"
                      "<th>least</th><th>largest</th><th>at 0</th><th>at 1</th><th>outside 0..1</th>"
                      "<th>variation over samples</th><th>of the data</th></tr></thead>\n");
    output_row(html, d->epoch[0].epoch == 0 ? "before training" : "first epoch", &d->epoch[0]);
    if (d->n_epochs > 1) output_row(html, last, &d->epoch[d->n_epochs - 1]);
    st_text_add(html,
                "</table></div>\n<p class=\"quiet\">Of the probed samples. Outputs whose variation is far below the "
                "data’s are the same picture for every sample.</p>\n");
}

void st_html_diagnosis(st_text *html, const st_report_run *run) {
    const strait_diagnosis *d = run->diagnosis;
    st_html_section(html, "diagnosis", "Diagnosis");
    if (d) {
        st_text_add(html, "<div class=\"answers\">\n");
        add_answer(html, "Does the loss move?", d->loss_moves, d->loss_answer);
        add_answer(html, "Do the weights change?", d->weights_change, d->weights_answer);
        st_text_add(html, "</div>\n<h3>What was found</h3>\n");
        add_findings(html, d);
        add_outputs(html, d);
    } else {
        st_html_missing(html, "The run was not diagnosed", run->why[ST_PART_DIAGNOSIS]);
    }
    st_text_add(html, "</section>\n");
}

/* ---- by layer ---- */

typedef double layer_value(const strait_layer_state *layer);
static double change_start(const strait_layer_state *layer) {
    return layer->change_start;
}
static double change_epoch(const strait_layer_state *layer) {
    return layer->change_epoch;
}
static double gradient_norm(const strait_layer_state *layer) {
    return layer->gradient_norm;
}
static double dead_share(const strait_layer_state *layer) {
    return layer->dead_share;
}

/* A line a layer over the epochs; layers with no such value are left out. Nothing when none has one. */
static void layer_chart(st_text *html, const strait_diagnosis *d, const char *heading, const char *words,
                        const char *y_label, layer_value *value, bool may_be_log) {
    const size_t n = (size_t)d->n_epochs, layers = (size_t)d->n_layers;
    double *block = st_alloc((layers + 1) * n + 1, sizeof *block);
    st_svg_series *series = st_alloc(layers + 1, sizeof *series);
    if (!block || !series) st_html_fail(html);
    int shown = 0;
    double *x = block;
    for (size_t l = 0; !html->failed && l < layers; l++) {
        double *y = block + ((size_t)shown + 1) * n;
        bool any = false;
        for (size_t e = 0; e < n; e++) {
            x[e] = d->epoch[e].epoch;
            y[e] = value(&d->epoch[e].layer[l]);
            /* At the start nothing has changed: no point of a logarithmic axis. */
            if (d->epoch[e].epoch == 0 && value != dead_share) y[e] = NAN;
            any = any || isfinite(y[e]);
        }
        if (!any) continue;
        series[shown] = (st_svg_series){d->epoch[0].layer[l].name, (int)n, x, y, shown % (2 * ST_SVG_COLOURS), false};
        shown++;
    }
    if (shown > 0) {
        const bool log = may_be_log && st_svg_wants_log(block + n, shown * (int)n);
        const st_svg_chart chart = {.label = heading,
                                    .x_label = "epoch",
                                    .y_label = y_label,
                                    .log_y = log,
                                    .zero = true,
                                    .n_series = shown,
                                    .series = series};
        st_text_add(html, "<h3>%s</h3>\n<p class=\"quiet\">%s</p>\n", heading, words);
        st_svg_lines(html, &chart);
    }
    st_free(series);
    st_free(block);
}

/* How far each layer's weights moved in all: a bar a layer. */
static void add_bars(st_text *html, const strait_diagnosis *d) {
    const strait_diagnosis_epoch *last = &d->epoch[d->n_epochs - 1];
    st_svg_bar *bar = st_alloc((size_t)d->n_layers + 1, sizeof *bar);
    st_word *value = st_alloc((size_t)d->n_layers + 1, sizeof *value);
    if (!bar || !value) st_html_fail(html);
    double most = 0;
    int n = 0;
    for (int i = 0; i < d->n_layers; i++)
        if (isfinite(last->layer[i].change_start)) most = fmax(most, last->layer[i].change_start);
    for (int i = 0; !html->failed && i < d->n_layers; i++) {
        const strait_layer_state *layer = &last->layer[i];
        if (isnan(layer->change_start)) continue;
        value[n] = st_word_share(layer->change_start);
        bar[n] = (st_svg_bar){layer->name, layer->layer, value[n].text, most > 0 ? layer->change_start / most : 0};
        n++;
    }
    if (n > 0 && !html->failed) {
        st_text_add(html,
                    "<h3>Change since the start</h3>\n<p class=\"quiet\">How far the weights of each layer are from "
                    "where they began, as a share of their size then.</p>\n");
        st_svg_bars(html, "change of each layer's weights since the start", n, bar);
    }
    st_free(value);
    st_free(bar);
}

static void add_layer_table(st_text *html, const strait_diagnosis *d) {
    const strait_diagnosis_epoch *last = &d->epoch[d->n_epochs - 1];
    st_text_add(html,
                "<h3>By layer, after epoch %d</h3>\n<div class=\"scroll\"><table class=\"numbers\"><thead><tr>"
                "<th>layer</th><th></th><th>change since the start</th><th>in the last epoch</th>"
                "<th>gradient norm</th><th>dead units</th></tr></thead>\n",
                last->epoch);
    for (int i = 0; i < d->n_layers; i++) {
        const strait_layer_state *layer = &last->layer[i];
        st_text_add(html, "<tr>");
        st_html_element(html, "th", NULL, layer->name);
        st_html_element(html, "td", "note", layer->layer);
        st_html_element(html, "td", "number", st_word_share(layer->change_start).text);
        st_html_element(html, "td", "number", st_word_share(layer->change_epoch).text);
        st_html_element(html, "td", "number", st_word_number(layer->gradient_norm).text);
        st_html_element(html, "td", "number", st_word_share(layer->dead_share).text);
        st_text_add(html, "</tr>\n");
    }
    st_text_add(html, "</table></div>\n");
}

void st_html_weights(st_text *html, const st_report_run *run) {
    const strait_diagnosis *d = run->diagnosis;
    st_html_section(html, "weights", "Weights");
    if (d && d->n_epochs > 0 && d->n_layers > 0) {
        add_bars(html, d);
        if (d->n_epochs > 2) {
            layer_chart(html, d, "Change since the start, by epoch", "Relative to the weights at the start.", "change",
                        change_start, true);
            layer_chart(html, d, "Change in each epoch", "Relative to the weights at the start.", "change",
                        change_epoch, true);
            layer_chart(html, d, "Gradient norms", "Of the last batch of each epoch.", "norm", gradient_norm, true);
            layer_chart(html, d, "Dead units", "Share of units that gave 0 for every probed sample.", "share",
                        dead_share, false);
        }
        add_layer_table(html, d);
    } else {
        st_html_missing(html, "How the weights changed is not known",
                        d ? "no epoch was looked at" : run->why[ST_PART_DIAGNOSIS]);
    }
    st_text_add(html, "</section>\n");
}
