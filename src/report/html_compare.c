/* Runs side by side: what differs in their recipes, their figures, their curves, the same samples through each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_int.h"
#include "report/html_watch_int.h"
#include "report/svg_int.h"
#include "report/words_int.h"

#define SAMPLES 12

typedef const st_report_run *const *runs;

static void head_row(st_text *html, runs run, int n) {
    st_text_add(html, "<thead><tr><th></th>");
    for (int i = 0; i < n; i++)
        st_html_element(html, "th", NULL, run[i]->name);
    st_text_add(html, "</tr></thead>\n");
}

/* ---- figures ---- */

typedef double figure_of(const st_report_run *run);

static double best_loss(const st_report_run *run) {
    const int best = st_history_best(run->epoch, run->n_epochs);
    if (best < 0) return NAN;
    return isfinite(run->epoch[best].val_loss) ? run->epoch[best].val_loss : run->epoch[best].loss;
}
static double best_epoch(const st_report_run *run) {
    const int best = st_history_best(run->epoch, run->n_epochs);
    return best < 0 ? NAN : (double)run->epoch[best].epoch;
}
static double last_val_loss(const st_report_run *run) {
    return run->n_epochs ? run->epoch[run->n_epochs - 1].val_loss : NAN;
}
static double last_loss(const st_report_run *run) {
    return run->n_epochs ? run->epoch[run->n_epochs - 1].loss : NAN;
}
static double epochs(const st_report_run *run) {
    return run->n_epochs;
}
static double parameters(const st_report_run *run) {
    return run->summary ? (double)run->summary->parameters : NAN;
}
static double latent(const st_report_run *run) {
    return run->summary ? (double)run->summary->latent : NAN;
}
static double flops(const st_report_run *run) {
    return run->summary ? (double)run->summary->flops : NAN;
}
static double seconds(const st_report_run *run) {
    double sum = 0;
    for (int i = 0; i < run->n_epochs; i++)
        sum += run->epoch[i].seconds;
    return run->n_epochs ? sum : NAN;
}
static double speed(const st_report_run *run) {
    double sum = 0;
    for (int i = 0; i < run->n_epochs; i++)
        sum += run->epoch[i].samples_per_second / run->n_epochs;
    return run->n_epochs ? sum : NAN;
}
static double problems(const st_report_run *run) {
    return run->run ? (double)run->run->n_problems : NAN;
}

typedef enum better { NEITHER, LESS, MORE } better;
static st_word as_count(double value) {
    return isfinite(value) ? st_word_count((int64_t)value) : st_word_number(value);
}

static const struct {
    const char *name;
    figure_of *of;
    better better;
    st_word (*words)(double value);
} figures[] = {
    {"best loss", best_loss, LESS, st_word_number},
    {"in epoch", best_epoch, NEITHER, as_count},
    {"validation loss, last epoch", last_val_loss, LESS, st_word_number},
    {"training loss, last epoch", last_loss, LESS, st_word_number},
    {"epochs", epochs, NEITHER, as_count},
    {"parameters", parameters, NEITHER, as_count},
    {"values in the latent", latent, NEITHER, as_count},
    {"FLOPs a sample", flops, NEITHER, as_count},
    {"time", seconds, NEITHER, st_word_seconds},
    {"samples a second", speed, MORE, st_word_rate},
    {"problems found", problems, NEITHER, as_count},
};

/* Whether all were trained for the same loss: else losses cannot be ranked. */
static bool same_loss(st_text *html, runs run, int n) {
    st_text first = {0}, other = {0};
    bool same = true;
    st_setting_describe(&first, run[0], "train.loss");
    for (int i = 1; i < n && same; i++) {
        st_setting_describe(&other, run[i], "train.loss");
        same = first.bytes && other.bytes && strcmp(first.bytes, other.bytes) == 0;
        if (other.failed) st_html_fail(html);
        st_text_free(&other);
    }
    if (first.failed) st_html_fail(html);
    st_text_free(&first);
    return same;
}

/* Whether all saw the same data: the errors of one data set say nothing of another's. Unknown is no difference. */
static bool same_source(runs run, int n) {
    const char *first = NULL;
    for (int i = 0; i < n; i++) {
        const char *source = run[i]->run ? run[i]->run->source : "";
        if (!source[0]) continue;
        if (first && strcmp(first, source) != 0) return false;
        first = source;
    }
    return true;
}

/* The best of a row, or NAN where none is better than another. */
static double best_of(runs run, int n, size_t row) {
    double best = NAN;
    bool differ = false;
    for (int i = 0; i < n; i++) {
        const double value = figures[row].of(run[i]);
        if (!isfinite(value)) continue;
        if (isfinite(best) && (value < best || value > best)) differ = true;
        if (!isfinite(best) || (figures[row].better == LESS ? value < best : value > best)) best = value;
    }
    return differ ? best : NAN;
}

static void add_figures(st_text *html, runs run, int n) {
    const bool one_loss = same_loss(html, run, n), comparable = one_loss && same_source(run, n);
    st_html_section(html, "figures", "Figures");
    st_text_add(html, "<div class=\"scroll\"><table class=\"numbers\">\n");
    head_row(html, run, n);
    st_text_add(html, "<tr><th>state</th>");
    for (int i = 0; i < n; i++)
        st_html_element(html, "td", "number", run[i]->run ? run[i]->run->state : "–");
    st_text_add(html, "</tr>\n");
    for (size_t row = 0; row < sizeof figures / sizeof *figures; row++) {
        const bool ranked = figures[row].better == MORE || (figures[row].better == LESS && comparable);
        const double best = ranked ? best_of(run, n, row) : NAN;
        st_text_add(html, "<tr>");
        st_html_element(html, "th", NULL, figures[row].name);
        for (int i = 0; i < n; i++) {
            const double value = figures[row].of(run[i]);
            const bool is_best = isfinite(best) && !(value < best) && !(value > best);
            st_html_element(html, "td", is_best ? "number best" : "number", figures[row].words(value).text);
        }
        st_text_add(html, "</tr>\n");
    }
    st_text_add(html, "<tr><th>report</th>");
    for (int i = 0; i < n; i++) {
        st_text_add(html, "<td class=\"number\">");
        if (run[i]->link) {
            st_text_add(html, "<a href=\"");
            st_html_escape(html, run[i]->link);
            st_text_add(html, "\">open</a>");
        } else {
            st_text_add(html, "–");
        }
        st_text_add(html, "</td>");
    }
    st_text_add(html, "</tr>\n</table></div>\n");
    if (!comparable)
        st_text_add(html, "<p class=\"quiet\">The runs were trained %s: their losses cannot be ranked.</p>\n",
                    one_loss ? "on different data" : "for different losses");
    st_text_add(html, "</section>\n");
}

/* ---- what differs ---- */

/* The key whose values are compared as one: a layer ("model.encoder.1") with all its settings, else the key. */
typedef struct group {
    char key[96];
} group;

static group group_of(const char *key) {
    group g = {""};
    size_t n = strlen(key);
    if (strncmp(key, "model.encoder.", 14) == 0 || strncmp(key, "model.decoder.", 14) == 0)
        n = 14 + strcspn(key + 14, ".");
    if (n >= sizeof g.key) n = sizeof g.key - 1;
    memcpy(g.key, key, n);
    g.key[n] = 0;
    return g;
}

/* Whether one of the run's first n_settings is of this group. */
static bool has_group(const st_report_run *run, int n_settings, const char *key) {
    for (int i = 0; i < n_settings; i++)
        if (strcmp(group_of(run->setting[i].key).key, key) == 0) return true;
    return false;
}

/* Whether the group of setting i was met before: in an earlier run, or earlier in this one. */
static bool met_before(runs run, int which, int i) {
    const group g = group_of(run[which]->setting[i].key);
    for (int r = 0; r < which; r++)
        if (has_group(run[r], run[r]->n_settings, g.key)) return true;
    return has_group(run[which], i, g.key);
}

static bool differs(st_text *html, runs run, int n, const char *key) {
    st_text first = {0};
    bool found = false;
    st_setting_describe(&first, run[0], key);
    for (int r = 1; r < n; r++) {
        st_text other = {0};
        st_setting_describe(&other, run[r], key);
        if (strcmp(first.bytes ? first.bytes : "", other.bytes ? other.bytes : "") != 0) found = true;
        if (other.failed) st_html_fail(html);
        st_text_free(&other);
    }
    if (first.failed) st_html_fail(html);
    st_text_free(&first);
    return found;
}

static void difference_row(st_text *html, runs run, int n, const char *key) {
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, key);
    for (int r = 0; r < n; r++) {
        st_text words = {0};
        const bool known = st_setting_describe(&words, run[r], key);
        st_html_element(html, "td", NULL, known ? words.bytes : "–");
        if (words.failed) st_html_fail(html);
        st_text_free(&words);
    }
    st_text_add(html, "</tr>\n");
}

static void add_differences(st_text *html, runs run, int n) {
    int found = 0;
    st_html_section(html, "differences", "What differs in the recipes");
    for (int r = 0; r < n; r++)
        for (int i = 0; i < run[r]->n_settings; i++) {
            const group g = group_of(run[r]->setting[i].key);
            if (st_setting_is_plan(g.key) || met_before(run, r, i) || !differs(html, run, n, g.key)) continue;
            if (found++ == 0) {
                st_text_add(html, "<div class=\"scroll\"><table class=\"pairs code\">\n");
                head_row(html, run, n);
            }
            difference_row(html, run, n, g.key);
        }
    if (found)
        st_text_add(html, "</table></div>\n");
    else
        st_text_add(html, "<p>Nothing: the recipes are the same.</p>\n");
    for (int r = 0; r < n; r++)
        if (run[r]->n_settings == 0) st_html_missing(html, run[r]->name, run[r]->why[ST_PART_RECIPE]);
    st_text_add(html, "</section>\n");
}

/* ---- curves ---- */

/* One line a run: its validation loss, or its training loss where it was not validated. */
static void add_curves(st_text *html, runs run, int n) {
    size_t total = 0;
    for (int i = 0; i < n; i++)
        total += (size_t)run[i]->n_epochs;
    double *block = st_alloc(2 * total + 1, sizeof *block);
    st_svg_series *series = st_alloc((size_t)n, sizeof *series);
    if (!block || !series) st_html_fail(html);
    double *x = block, *y = block ? block + total : NULL;
    bool unvalidated = false;
    for (int i = 0; !html->failed && i < n; i++) {
        const st_report_run *r = run[i];
        bool validated = false;
        for (int e = 0; e < r->n_epochs; e++)
            validated = validated || isfinite(r->epoch[e].val_loss);
        for (int e = 0; e < r->n_epochs; e++) {
            x[e] = r->epoch[e].epoch;
            y[e] = validated ? r->epoch[e].val_loss : r->epoch[e].loss;
        }
        unvalidated = unvalidated || !validated;
        series[i] = (st_svg_series){r->name, r->n_epochs, x, y, i % (2 * ST_SVG_COLOURS), false};
        x += r->n_epochs;
        y += r->n_epochs;
    }
    st_html_section(html, "curves", "Curves");
    if (!html->failed && total > 0) {
        st_svg_lines(html, &(st_svg_chart){.label = "Loss by epoch, a line a run",
                                           .x_label = "epoch",
                                           .y_label = unvalidated ? "loss" : "validation loss",
                                           .log_y = st_svg_wants_log(block + total, (int)total),
                                           .n_series = n,
                                           .series = series});
        if (unvalidated) st_text_add(html, "<p class=\"quiet\">Of runs without validation the training loss.</p>\n");
    } else {
        st_html_missing(html, "No run has trained an epoch", NULL);
    }
    st_text_add(html, "</section>\n");
    st_free(series);
    st_free(block);
}

/* ---- the same samples ---- */

/* Which part both sheets are drawn from: validation where every run that has any has it. */
static int common_set(const st_watched *watch, int n) {
    for (int i = 0; i < n; i++)
        if (watch[i].set[0].n > 0 && watch[i].set[1].n == 0) return 0;
    return 1;
}

static bool same_frame(const st_watched_set *a, const st_watched_set *b) {
    const st_watched_frame *x = &a->original, *y = &b->original;
    if (a->n != b->n || a->features != b->features || x->n_bytes != y->n_bytes) return false;
    if (x->png && y->png) return memcmp(x->png, y->png, x->n_bytes) == 0;
    return x->values && y->values &&
           memcmp(x->values, y->values, (size_t)a->n * (size_t)a->features * sizeof(float)) == 0;
}

static void sheet_row(st_text *html, const st_watched_set *set, const char *prefix, const st_watched_frame *frame,
                      const char *caption) {
    st_text_add(html, "<tr>");
    st_html_element(html, "th", NULL, caption);
    for (int i = 0; i < set->n && i < SAMPLES; i++) {
        st_text_add(html, "<td>");
        st_html_watch_cell(html, set, prefix, frame, i, 60);
        st_text_add(html, "</td>");
    }
    st_text_add(html, "</tr>\n");
}

/* The originals once for all runs that saw the same, then a row a run. */
static void add_rows(st_text *html, runs run, const st_watched *watch, int n, int part) {
    const st_watched_set *before = NULL;
    st_text_add(html, "<div class=\"scroll\"><table class=\"strip\">\n");
    for (int i = 0; i < n; i++) {
        const st_watched_set *set = &watch[i].set[part];
        char prefix[32];
        if (set->n == 0) continue;
        snprintf(prefix, sizeof prefix, "r%d", i);
        st_html_watch_images(html, set, prefix);
        if (!before || !same_frame(before, set)) sheet_row(html, set, prefix, &set->original, "original");
        sheet_row(html, set, prefix, &set->frame[set->n_frames - 1], run[i]->name);
        before = set;
    }
    st_text_add(html, "</table></div>\n");
}

static strait_status add_samples(st_text *html, runs run, int n, strait_error *err) {
    st_watched *watch = st_alloc((size_t)n, sizeof *watch);
    if (!watch) return st_fail_memory(err, (size_t)n * sizeof *watch, "the comparison");
    strait_status status = STRAIT_OK;
    bool any = false;
    for (int i = 0; i < n && status == STRAIT_OK; i++) {
        status = st_watched_read(&watch[i], run[i]->folder, ST_WATCHED_BUDGET / (size_t)n, true, err);
        any = any || watch[i].set[0].n > 0 || watch[i].set[1].n > 0;
    }
    if (status == STRAIT_OK) {
        const int part = common_set(watch, n);
        st_html_section(html, "samples", "The same samples");
        if (any) {
            st_text_add(html, "<p class=\"quiet\">%s samples after each run’s last epoch.</p>\n",
                        part ? "Validation" : "Training");
            add_rows(html, run, watch, n, part);
        }
        for (int i = 0; i < n; i++)
            if (watch[i].set[part].n == 0) st_html_missing(html, run[i]->name, watch[i].why);
        st_text_add(html, "</section>\n");
    }
    for (int i = 0; i < n; i++)
        st_watched_free(&watch[i]);
    st_free(watch);
    return status;
}

/* ---- diagnosis ---- */

static void add_answers(st_text *html, runs run, int n) {
    st_html_section(html, "diagnosis", "Diagnosis");
    st_text_add(html, "<div class=\"scroll\"><table class=\"pairs\">\n");
    for (int i = 0; i < n; i++) {
        const strait_diagnosis *d = run[i]->diagnosis;
        st_text_add(html, "<tr>");
        st_html_element(html, "th", NULL, run[i]->name);
        st_text_add(html, "<td>");
        if (d) {
            st_html_escape(html, d->loss_answer);
            st_text_add(html, " ");
            st_html_escape(html, d->weights_answer);
            for (int f = 0; f < d->n_findings; f++) {
                if (d->finding[f].severity == STRAIT_SEVERITY_NOTE) continue;
                const bool bad = d->finding[f].severity == STRAIT_SEVERITY_PROBLEM;
                st_text_add(html, "<br><span class=\"badge %s\">%s</span> ", bad ? "bad" : "warn",
                            bad ? "problem" : "warning");
                if (d->finding[f].layer[0]) {
                    st_html_escape(html, d->finding[f].layer);
                    st_text_add(html, ": ");
                }
                st_html_escape(html, d->finding[f].sentence);
            }
        } else {
            st_text_add(html, "not diagnosed");
        }
        st_text_add(html, "</td></tr>\n");
    }
    st_text_add(html, "</table></div>\n</section>\n");
}

strait_status st_report_compare(char **html, size_t *size, const st_report_run *const *run, int n, strait_error *err) {
    static const char *const links[][2] = {{"figures", "Figures"},
                                           {"differences", "Differences"},
                                           {"curves", "Curves"},
                                           {"samples", "Samples"},
                                           {"diagnosis", "Diagnosis"}};
    st_text page = {0}, title = {0};
    *html = NULL;
    *size = 0;
    for (int i = 0; i < n; i++)
        st_text_add(&title, "%s%s", i ? ", " : "", run[i]->name);
    st_html_begin(&page, title.bytes, (int)(sizeof links / sizeof *links), links);
    st_text_add(&page, "<header>\n<p class=\"kind\">comparison</p>\n<h1>%d runs side by side</h1>\n", n);
    st_html_element(&page, "p", "outcome", title.bytes);
    st_text_add(&page, "\n</header>\n");
    if (title.failed) st_html_fail(&page);
    st_text_free(&title);
    add_figures(&page, run, n);
    add_differences(&page, run, n);
    add_curves(&page, run, n);
    strait_status status = add_samples(&page, run, n, err);
    if (status == STRAIT_OK) {
        add_answers(&page, run, n);
        st_html_end(&page);
        *size = page.length;
        status = st_text_take(html, &page, err);
    }
    st_text_free(&page);
    return status;
}
