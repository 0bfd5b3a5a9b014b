/* The page about one run: the head with the outcome, then the sections in the order in which a reader asks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/html_int.h"
#include "report/html_watch_int.h"
#include "report/words_int.h"

int st_history_best(const st_history_row *row, int n) {
    int best = -1;
    bool validated = false;
    for (int i = 0; i < n; i++)
        validated = validated || isfinite(row[i].val_loss);
    for (int i = 0; i < n; i++) {
        const double loss = validated ? row[i].val_loss : row[i].loss;
        if (!isfinite(loss)) continue;
        if (best < 0 || loss < (validated ? row[best].val_loss : row[best].loss)) best = i;
    }
    return best;
}

/* ---- the head ---- */

/* What a state means, and the colour that says so. */
static const struct {
    const char *state, *class, *sentence;
} states[] = {
    {"complete", "good", "The training ran to its end"},
    {"stopped", "good", "The training stopped early, as its recipe asks"},
    {"running", "note", "The training is under way, or was killed"},
    {"interrupted", "note", "The training was interrupted and can be resumed"},
    {"diverged", "bad", "The loss became infinite: the training was stopped"},
    {"failed", "bad", "The training failed"},
};

static void add_outcome(st_text *html, const st_report_run *run) {
    const strait_run *r = run->run;
    const char *sentence = "What came of the training is not recorded", *class = "note";
    for (size_t i = 0; r && i < sizeof states / sizeof *states; i++)
        if (strcmp(r->state, states[i].state) == 0) {
            sentence = states[i].sentence;
            class = states[i].class;
        }
    st_text_add(html, "<header>\n<p class=\"kind\">training run</p>\n");
    st_html_element(html, "h1", NULL, run->name);
    st_text_add(html, "\n<p class=\"outcome\">");
    if (r) {
        st_text_add(html, "<span class=\"badge %s\">", class);
        st_html_escape(html, r->state);
        st_text_add(html, "</span> ");
    }
    st_html_escape(html, sentence);
    if (run->n_epochs > 0 && r && r->epochs_asked > 0)
        st_text_add(html, ", %d of %d epochs", run->n_epochs, r->epochs_asked);
    else if (run->n_epochs > 0)
        st_text_add(html, "; %d epoch%s", run->n_epochs, run->n_epochs == 1 ? "" : "s");
    st_text_add(html, ".");
    if (r && (r->n_problems > 0 || r->n_warnings > 0))
        st_text_add(html, " <a href=\"#diagnosis\">The diagnosis found %d problem%s and %d warning%s.</a>",
                    r->n_problems, r->n_problems == 1 ? "" : "s", r->n_warnings, r->n_warnings == 1 ? "" : "s");
    st_text_add(html, "</p>\n");
}

static void add_figures(st_text *html, const st_report_run *run) {
    char note[256];
    const int n = run->n_epochs, best = st_history_best(run->epoch, n);
    st_text_add(html, "<div class=\"figures\">\n");
    if (best >= 0) {
        const st_history_row *row = &run->epoch[best];
        const bool validated = isfinite(row->val_loss);
        snprintf(note, sizeof note, "epoch %d", row->epoch);
        st_html_figure(html, st_word_number(validated ? row->val_loss : row->loss).text,
                       validated ? "best validation loss" : "best training loss", note);
        if (validated) st_html_figure(html, st_word_number(run->epoch[n - 1].loss).text, "training loss", "last epoch");
    }
    if (run->summary) {
        st_html_figure(html, st_word_count(run->summary->parameters).text, "parameters", NULL);
        int64_t input = 1;
        for (int i = 0; i < run->summary->n_input_dims; i++)
            input *= run->summary->input_dim[i];
        snprintf(note, sizeof note, "of %s in the input", st_word_count(input).text);
        st_html_figure(html, st_word_count(run->summary->latent).text, "values in the latent", note);
    }
    double seconds = 0, rate = 0;
    for (int i = 0; i < n; i++) {
        seconds += isfinite(run->epoch[i].seconds) ? run->epoch[i].seconds : 0;
        rate += isfinite(run->epoch[i].samples_per_second) ? run->epoch[i].samples_per_second / n : 0;
    }
    if (n > 0) {
        snprintf(note, sizeof note, "%s samples/s", st_word_rate(rate).text);
        st_html_figure(html, st_word_seconds(seconds).text, "of training", note);
    }
    st_text_add(html, "</div>\n</header>\n");
}

/* ---- machine and how to do it again ---- */

static void add_machine(st_text *html, const st_report_run *run) {
    const strait_run *r = run->run;
    char text[256];
    st_html_section(html, "machine", "Machine and speed");
    if (!r) st_html_missing(html, "The machine is not recorded", run->why[ST_PART_RUN]);
    st_text_add(html, "<table class=\"pairs\">\n");
    if (r) {
        st_html_row(html, "processor", r->processor);
        snprintf(text, sizeof text, "%d", r->threads);
        st_html_row(html, "threads", text);
        snprintf(text, sizeof text, "%d of a batch of %d at a time in each", r->micro_batch, r->batch_size);
        if (r->micro_batch > 0) st_html_row(html, "plan", text);
        st_html_row(html, "training and validation", st_word_seconds(r->seconds).text);
        snprintf(text, sizeof text, "%s samples/s", st_word_rate(r->samples_per_second).text);
        st_html_row(html, "speed", text);
        st_html_row(html, "waiting for data", st_word_share(r->wait_share).text);
        st_html_row(html, "strait", r->version);
        if (r->started[0]) st_html_row(html, "started", r->started);
    }
    if (run->summary) {
        st_html_row(html, "memory to train", st_word_bytes((double)run->summary->training_bytes).text);
        const strait_summary *s = run->summary;
        snprintf(text, sizeof text, "%s a sample, forward", st_word_count(s->flops).text);
        st_html_row(html, "FLOPs", text);
    }
    if (run->diagnosis && isfinite(run->diagnosis->share_of_time))
        st_html_row(html, "time the diagnosis took", st_word_share(run->diagnosis->share_of_time).text);
    st_text_add(html, "</table>\n");
    if (run->summary && run->summary->plan && run->summary->plan[0]) {
        st_text_add(html,
                    "<h3>Plan of a training step</h3>\n<p class=\"quiet\">As the machine that made this page would "
                    "compute it.</p>\n<pre>");
        st_html_escape(html, run->summary->plan);
        st_text_add(html, "</pre>\n");
    }
    st_text_add(html, "</section>\n");
}

/* A word quoted for a shell where it has to be. */
static void add_shell_word(st_text *html, const char *word) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+,:@%=#";
    if (word[0] && word[0] != '-' && strspn(word, safe) == strlen(word)) {
        st_html_escape(html, word);
        return;
    }
    char one[2] = "";
    st_text_add(html, "&#39;");
    st_text quoted = {0};
    for (const char *at = word; *at; at++) {
        one[0] = *at;
        st_text_add_bytes(&quoted, *at == '\'' ? "'\\''" : one, *at == '\'' ? 4 : 1);
    }
    st_html_escape(html, quoted.bytes);
    if (quoted.failed) st_html_fail(html);
    st_text_free(&quoted);
    st_text_add(html, "&#39;");
}

static void add_again(st_text *html, const st_report_run *run) {
    st_html_section(html, "again", "To do it again");
    st_text_add(html,
                "<p>The recipe in the run's folder leaves nothing open. On the same kind of processor this gives the "
                "same weights, bit for bit:</p>\n<pre class=\"command\">strait train ");
    st_text recipe = {0};
    st_text_add(&recipe, "%s/recipe.yaml", run->place);
    add_shell_word(html, recipe.bytes ? recipe.bytes : "");
    if (recipe.failed) st_html_fail(html);
    st_text_free(&recipe);
    st_text_add(html, "</pre>\n");
    if (run->run && run->run->command[0]) {
        st_text_add(html, "<p>It was started as</p>\n<pre class=\"command\">");
        st_html_escape(html, run->run->command);
        st_text_add(html, "</pre>\n");
    }
    if (run->yaml) {
        st_text_add(html, "<h3>recipe.yaml</h3>\n<pre>");
        st_html_escape(html, run->yaml);
        st_text_add(html, "</pre>\n");
    } else {
        st_html_missing(html, "The recipe is not there", run->why[ST_PART_RECIPE]);
    }
    st_text_add(html, "</section>\n");
}

/* ---- the page ---- */

static const char *const links[][2] = {
    {"diagnosis", "Diagnosis"},     {"loss", "Loss"},         {"reconstructions", "Reconstructions"},
    {"errors", "Errors"},           {"model", "Model"},       {"weights", "Weights"},
    {"activations", "Activations"}, {"settings", "Settings"}, {"data", "Data"},
    {"machine", "Machine"},         {"again", "Again"},
};

strait_status st_report_page(char **html, size_t *size, const st_report_run *run, strait_error *err) {
    *html = NULL;
    *size = 0;
    st_text page = {0};
    st_watched watch;
    strait_status status = st_watched_read(&watch, run->folder, ST_WATCHED_BUDGET, false, err);
    if (status == STRAIT_OK) {
        st_text title = {0};
        st_text_add(&title, "%s – strait", run->name);
        st_html_begin(&page, title.bytes, (int)(sizeof links / sizeof *links), links);
        if (title.failed) st_html_fail(&page);
        st_text_free(&title);
        add_outcome(&page, run);
        add_figures(&page, run);
        st_html_diagnosis(&page, run);
        st_html_loss(&page, run);
        st_html_reconstructions(&page, &watch);
        st_html_errors(&page, run);
        status = st_html_model(&page, run, err);
    }
    if (status == STRAIT_OK) {
        st_html_weights(&page, run);
        status = st_html_activations(&page, run, err);
    }
    if (status == STRAIT_OK) {
        st_html_settings(&page, run);
        st_html_data(&page, run);
        add_machine(&page, run);
        add_again(&page, run);
        st_html_end(&page);
        *size = page.length;
        status = st_text_take(html, &page, err);
    }
    st_text_free(&page);
    st_watched_free(&watch);
    return status;
}
