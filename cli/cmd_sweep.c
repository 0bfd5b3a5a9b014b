/* strait sweep: one recipe trained many times, to find what serves best. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "output.h"
#include "overrides.h"
#include "picture.h"
#include "progress.h"
#include "table.h"
#include "terminal.h"

static const cli_option options[] = {
    {"vary", 0, CLI_TEXT, true, "KEY=RANGE",
     "a key and what it takes; may be repeated (default: the recipe's sweep.vary)"},
    {"trials", 'n', CLI_COUNT, false, "N", "draw so many at random (default: the whole grid)"},
    {"seed", 's', CLI_SEED, false, "N", "seed of the draws (default: 0); the recipe's own stays as it is"},
    {"halving", 0, CLI_COUNT, false, "N", "successive halving: go on with the best one of N, again and again"},
    {"min-epochs", 0, CLI_COUNT, false, "N", "epochs before halving may stop a trial (default: 1)"},
    {"against-pca", 0, CLI_TEXT, false, "DATA", "measure every trial on these samples, and principal components"},
    CLI_OPTION_SET,
    {"data", 'd', CLI_TEXT, false, "DATA", "train on this instead of the recipe's data.source"},
    {"epochs", 'e', CLI_COUNT, false, "N", "epochs in all, as train.epochs"},
    {"jobs", 'j', CLI_COUNT, false, "N", "trials at once (default: as many as fit on the processors)"},
    {"threads", 0, CLI_COUNT, false, "N", "threads of each trial (default: 1)"},
    {"out", 'o', CLI_TEXT, false, "DIR", "folder the sweep and its runs are made in (default: runs)"},
    {"resume", 0, CLI_TEXT, false, "SWEEP", "go on with a sweep that was interrupted or killed"},
    {"plan", 0, CLI_FLAG, false, NULL, "list the trials, train nothing"},
    {"picture", 0, CLI_TEXT, false, "FILE", "draw the comparison with components, or else the trials, also here"},
    CLI_OPTION_THEME,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait sweep fashion-basic --vary model.latent=16,64 --set data.limit=600 --epochs 2",
     "two latents, two short trainings"},
    {"strait sweep fashion-basic --vary model.latent=8..64 --vary train.optimizer.adam.learning_rate=log:1e-4..1e-2 "
     "--trials 4 --halving 2 --set data.limit=600 --epochs 2 --picture trials.svg",
     "four draws, of which the better half goes on after an epoch"},
    {"strait sweep mnist-k --plan", "what an installed sweep trains"},
    {0},
};

#define MOST_ROWS 20 /* of the table; the file has all */

/* ---- what is asked for ---- */

static cli_exit check_usage(const cli_args *args) {
    static const char *const fixed[] = {"vary", "trials", "seed",   "halving", "min-epochs", "against-pca",
                                        "set",  "data",   "epochs", "threads", "out",        "plan"};
    const cli_exit pairs = cli_overrides_check(args);
    if (pairs != CLI_OK) return pairs;
    for (int i = 0; i < args->n_values; i++) {
        const char *text = args->value[i].text;
        const bool is_vary = strcmp(args->value[i].option->name, "vary") == 0;
        if (is_vary && (text[0] == '=' || !strchr(text, '=')))
            return cli_usage("--vary takes KEY=RANGE, as train.batch_size=32,64 or model.latent=5..10, not '%s'", text);
    }
    if (!cli_has(args, "resume"))
        return args->n_operands == 1 ? CLI_OK : cli_usage("RECIPE is missing; usage: strait %s", cli_sweep.synopsis[0]);
    if (args->n_operands > 0)
        return cli_usage("--resume takes the recipe from the sweep: leave '%s' away", args->operand[0]);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (cli_has(args, fixed[i])) return cli_usage("--%s cannot change a sweep that is resumed", fixed[i]);
    return CLI_OK;
}

/* sweep.vary=['KEY=RANGE', ...] of all --vary: they take the place of the recipe's. */
static bool add_vary(cli_overrides *list, const cli_args *args) {
    size_t room = 3;
    for (int i = 0; i < args->n_values; i++)
        if (strcmp(args->value[i].option->name, "vary") == 0) room += 2 * strlen(args->value[i].text) + 4;
    char *text = malloc(room), *at = text;
    if (!text) return false;
    *at++ = '[';
    for (int i = 0; i < args->n_values; i++) {
        if (strcmp(args->value[i].option->name, "vary") != 0) continue;
        if (at > text + 1) *at++ = ',';
        *at++ = '\'';
        for (const char *c = args->value[i].text; *c; c++) {
            *at++ = *c;
            if (*c == '\'') *at++ = '\'';
        }
        *at++ = '\'';
    }
    *at++ = ']';
    *at = '\0';
    const bool added = cli_override_add(list, "sweep.vary", text, false);
    free(text);
    return added;
}

static strait_status open_recipe(strait_recipe **out, const cli_args *args, strait_error *err) {
    static const cli_shorthand shorthand[] = {{"trials", "sweep.trials", false},
                                              {"seed", "sweep.seed", false},
                                              {"halving", "sweep.halving", false},
                                              {"min-epochs", "sweep.min_epochs", false},
                                              {"against-pca", "sweep.against_pca", true},
                                              {"data", "data.source", true},
                                              {"epochs", "train.epochs", false},
                                              {"threads", "train.threads", false},
                                              {0}};
    cli_overrides list;
    strait_status status = STRAIT_MEMORY;
    if (cli_overrides_begin(&list, args) && cli_overrides_shorthand(&list, args, shorthand) &&
        (!cli_has(args, "vary") || add_vary(&list, args)))
        status = strait_recipe_open(out, args->operand[0], list.n, list.text, err);
    else
        *err = (strait_error){STRAIT_MEMORY, "out of memory"};
    cli_overrides_free(&list);
    return status;
}

/* ---- progress ---- */

typedef struct display {
    bool quiet, told_to_stop;
    double best; /* of the scores heard of; infinite: none */
    int best_trial;
} display;

static const char *last_part(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

/* "model.latent=7, train.batch_size=64", or without what stands before the last dots. */
static void add_values(cli_line *line, const strait_sweep *sweep, const strait_sweep_trial *trial, bool in_short) {
    for (int k = 0; k < sweep->n_keys; k++)
        cli_line_add(line, "%s%s=%s", k ? ", " : "", in_short ? last_part(sweep->key[k]) : sweep->key[k],
                     trial->value[k]);
}

static void on_begin(void *context, const strait_sweep_progress *progress) {
    const display *d = context;
    const strait_sweep *sweep = progress->sweep;
    cli_catch_signals();
    if (d->quiet) return;
    cli_line rungs = {{0}, 0};
    for (int i = 0; sweep->n_rungs > 1 && i < sweep->n_rungs; i++)
        cli_line_add(&rungs, "%s%d to epoch %d", i ? ", " : ": ", sweep->rung_trials[i], sweep->rung_epochs[i]);
    cli_say("sweeping in %s%s%d trials%s", sweep->folder, cli_dot(), sweep->n_trials, rungs.text);
}

static void on_epoch(void *context, const strait_sweep_progress *progress) {
    const display *d = context;
    if (d->quiet || d->told_to_stop || !cli_live()) return;
    cli_line line = {{0}, 0};
    if (progress->sweep->n_rungs > 1) cli_line_add(&line, "rung %d/%d ", progress->rung + 1, progress->sweep->n_rungs);
    cli_line_add_bar(&line, 16, (double)progress->epochs_done / (double)progress->epochs_planned);
    cli_line_add(&line, " %lld/%lld epochs", (long long)progress->epochs_done, (long long)progress->epochs_planned);
    cli_line_add(&line, "%s%d running", cli_dot(), progress->running);
    if (isfinite(progress->seconds_left))
        cli_line_add(&line, "%s%s left", cli_dot(), cli_duration(progress->seconds_left).text);
    if (isfinite(d->best))
        cli_line_add(&line, "%sbest %s in trial %d", cli_dot(), cli_loss(d->best).text, d->best_trial + 1);
    cli_line_redraw(&line);
}

static void on_trial(void *context, const strait_sweep_progress *progress) {
    display *d = context;
    const strait_sweep *sweep = progress->sweep;
    const strait_sweep_trial *trial = &sweep->trial[progress->trial];
    if (trial->score < d->best) {
        d->best = trial->score;
        d->best_trial = progress->trial;
    }
    if (d->quiet) return;
    cli_line line = {{0}, 0};
    cli_line_add(&line, "trial %*d/%d%s", snprintf(NULL, 0, "%d", sweep->n_trials), progress->trial + 1,
                 sweep->n_trials, cli_dot());
    add_values(&line, sweep, trial, true);
    if (isinf(trial->score))
        cli_line_add(&line, "%sdiverged", cli_dot());
    else
        cli_line_add(&line, "%s%s %s", cli_dot(), isnan(trial->val_loss) ? "loss" : "val_loss",
                     cli_loss(trial->score).text);
    cli_line_add(&line, "%s%d epoch%s%s%s", cli_dot(), trial->epochs, trial->epochs == 1 ? "" : "s", cli_dot(),
                 cli_duration(trial->seconds).text);
    if (isfinite(progress->seconds_left) && progress->epochs_done < progress->epochs_planned)
        cli_line_add(&line, "%s%s left", cli_dot(), cli_duration(progress->seconds_left).text);
    cli_say("%s", line.text);
}

static bool on_stop(void *context) {
    display *d = context;
    if (!cli_stop_wanted()) return false;
    if (!d->told_to_stop && !d->quiet && cli_live())
        cli_say("stopping after these batches; once more ends at once, without saving them");
    d->told_to_stop = true;
    return true;
}

static void on_note(void *context, const char *sentence) {
    const display *d = context;
    if (!d->quiet) cli_say("%s", sentence);
}

/* ---- results ---- */

static double pca_beside(const strait_sweep *sweep, const strait_sweep_trial *trial) {
    const bool beside = !isnan(trial->mse) && trial->latent >= 1 && trial->latent <= sweep->n_pca;
    return beside ? sweep->pca_mse[trial->latent - 1] : NAN;
}

static json_t *trial_json(const strait_sweep *sweep, const strait_sweep_trial *trial) {
    json_t *values = json_object();
    for (int k = 0; values && k < sweep->n_keys; k++)
        json_object_set_new(values, sweep->key[k], cli_json_text(trial->value[k]));
    return json_pack("{s:o, s:o, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "run", cli_json_text(trial->run),
                     "values", values, "state", trial->state, "rung", trial->rung, "epochs", trial->epochs, "latent",
                     trial->latent, "loss", cli_json_real(trial->loss), "val_loss", cli_json_real(trial->val_loss),
                     "score", cli_json_real(trial->score), "seconds", cli_json_real(trial->seconds), "mse",
                     cli_json_real(trial->mse), "pca_mse", cli_json_real(pca_beside(sweep, trial)));
}

static cli_exit print_json(const strait_sweep *sweep, const char *outcome) {
    json_t *trials = json_array();
    char recipe[640] = "";
    for (int t = 0; trials && t < sweep->n_trials; t++)
        json_array_append_new(trials, trial_json(sweep, &sweep->trial[t]));
    const strait_sweep_trial *best = sweep->best >= 0 ? &sweep->trial[sweep->best] : NULL;
    if (best) snprintf(recipe, sizeof recipe, "%s/best.yaml", sweep->folder);
    return cli_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "sweep", cli_json_text(sweep->folder), "trials",
                                    trials, "best", cli_json_text(best ? best->run : NULL), "best_recipe",
                                    cli_json_text(best ? recipe : NULL), "pca_mse",
                                    cli_json_reals(sweep->pca_mse, sweep->n_pca, 1), "outcome", outcome));
}

static const strait_sweep *sorted; /* for qsort */

static int by_score(const void *a, const void *b) {
    const int i = *(const int *)a, j = *(const int *)b;
    const strait_sweep_trial *x = &sorted->trial[i], *y = &sorted->trial[j];
    const double p = isnan(x->score) ? INFINITY : x->score, q = isnan(y->score) ? INFINITY : y->score;
    if (x->rung != y->rung) return y->rung - x->rung;
    return p < q ? -1 : p > q ? 1 : i - j;
}

static void set_cell(cli_word *cell, const char *text) {
    snprintf(cell->text, sizeof cell->text, "%s", text);
}

static cli_word loss_cell(double loss) {
    cli_word cell = {"-"};
    if (isnan(loss)) return cell;
    if (isfinite(loss)) return cli_loss(loss);
    set_cell(&cell, "diverged");
    return cell;
}

#define MOST_KEYS 24 /* in the table */

static void fill_row(cli_word *cell, const strait_sweep *sweep, int t, int n_keys) {
    const strait_sweep_trial *trial = &sweep->trial[t];
    snprintf(cell->text, sizeof cell->text, "%d", t + 1);
    for (int k = 0; k < n_keys; k++)
        set_cell(&cell[1 + k], trial->value[k]);
    cell += 1 + n_keys;
    set_cell(&cell[0], trial->state);
    snprintf(cell[1].text, sizeof cell->text, "%d", trial->epochs);
    cell[2] = loss_cell(trial->score);
    cell[3] = cli_duration(trial->seconds);
    if (sweep->n_pca == 0) return;
    cell[4] = loss_cell(trial->mse);
    cell[5] = loss_cell(pca_beside(sweep, trial));
}

/* The trials, the best first. False when memory runs out. */
static bool print_table(const strait_sweep *sweep) {
    const int n_keys = sweep->n_keys < MOST_KEYS ? sweep->n_keys : MOST_KEYS, extra = sweep->n_pca > 0 ? 6 : 4;
    const int n_columns = 1 + n_keys + extra, n_rows = sweep->n_trials < MOST_ROWS ? sweep->n_trials : MOST_ROWS;
    cli_column column[1 + MOST_KEYS + 6] = {{"trial", true, 0}};
    const cli_column last[] = {{"state", false, 2}, {"epochs", true, 3}, {"loss", true, 0},
                               {"time", true, 4},   {"mse", true, 0},    {"pca", true, 0}};
    for (int k = 0; k < n_keys; k++)
        column[1 + k] = (cli_column){last_part(sweep->key[k]), true, 0};
    memcpy(&column[1 + n_keys], last, (size_t)extra * sizeof *last);
    for (int t = 0; t < sweep->n_trials; t++)
        if (!isnan(sweep->trial[t].val_loss)) column[1 + n_keys + 2].title = "val_loss";
    const size_t n_trials = sweep->n_trials > 0 ? (size_t)sweep->n_trials : 0;
    int *order = calloc(n_trials, sizeof *order);
    cli_word *cell = calloc((size_t)(n_rows * n_columns), sizeof *cell);
    if (order && cell) {
        for (int t = 0; t < sweep->n_trials; t++)
            order[t] = t;
        sorted = sweep;
        qsort(order, (size_t)sweep->n_trials, sizeof *order, by_score);
        for (int r = 0; r < n_rows; r++)
            fill_row(&cell[r * n_columns], sweep, order[r], n_keys);
        cli_table_print(n_columns, column, n_rows, cell, cli_table_width());
    }
    const bool good = order && cell;
    free(cell);
    free(order);
    return good;
}

/* "below principal components at 5, 6, 7 of 6 widths" */
static void print_against(const strait_sweep *sweep) {
    int n = 0, below = 0;
    for (int t = 0; t < sweep->n_trials; t++) {
        const double pca = pca_beside(sweep, &sweep->trial[t]);
        if (isnan(pca)) continue;
        n++;
        below += sweep->trial[t].mse < pca;
    }
    if (n > 0)
        printf("pca        %s of %d trial%s below as many principal components, on %s\n",
               below == n   ? "all"
               : below == 0 ? "none"
                            : cli_count(below).text,
               n, n == 1 ? "" : "s", sweep->against);
}

static cli_exit print_text(const strait_sweep *sweep, const char *picture) {
    if (!print_table(sweep)) return cli_no_memory();
    if (sweep->n_trials > MOST_ROWS) printf("... and %s more\n", cli_count(sweep->n_trials - MOST_ROWS).text);
    printf("sweep      %s  (sweep.csv, sweep.json)\n", sweep->folder);
    if (sweep->best < 0) return CLI_OK;
    const strait_sweep_trial *best = &sweep->trial[sweep->best];
    cli_line line = {{0}, 0};
    add_values(&line, sweep, best, false);
    print_against(sweep);
    printf("best       trial %d%s%s\n", sweep->best + 1, cli_dot(), line.text);
    printf("run        %s\n", best->run);
    printf("recipe     %s/best.yaml\n", sweep->folder);
    printf("pictures   %s/parallel.png", sweep->folder);
    if (sweep->n_pca > 0) printf(", %s/pca.png", sweep->folder);
    if (picture) printf(", %s", picture);
    printf("\n");
    return CLI_OK;
}

/* ---- the command ---- */

static cli_exit show_plan(const cli_args *args) {
    strait_recipe *recipe = NULL;
    strait_sweep *sweep = NULL;
    strait_error err = {0};
    strait_status status = open_recipe(&recipe, args, &err);
    if (status == STRAIT_OK) status = strait_sweep_plan(&sweep, recipe, &err);
    cli_exit code = CLI_OK;
    if (status != STRAIT_OK) {
        code = cli_failed(&err);
    } else if (cli_has(args, "json")) {
        code = print_json(sweep, "planned");
    } else {
        for (int t = 0; t < sweep->n_trials; t++) {
            cli_line line = {{0}, 0};
            add_values(&line, sweep, &sweep->trial[t], false);
            printf("trial %*d  %s\n", snprintf(NULL, 0, "%d", sweep->n_trials), t + 1, line.text);
        }
        for (int i = 0; sweep->n_rungs > 1 && i < sweep->n_rungs; i++)
            printf("rung %d: %d trial%s up to epoch %d\n", i + 1, sweep->rung_trials[i],
                   sweep->rung_trials[i] == 1 ? "" : "s", sweep->rung_epochs[i]);
    }
    strait_sweep_free(sweep);
    strait_recipe_free(recipe);
    return code;
}

static strait_status sweep_now(strait_sweep **sweep, const cli_args *args, const strait_sweep_options *o,
                               strait_error *err) {
    if (cli_has(args, "resume")) return strait_sweep_resume(sweep, cli_text(args, "resume"), o, err);
    strait_recipe *recipe = NULL;
    strait_status status = open_recipe(&recipe, args, err);
    if (status == STRAIT_OK) status = strait_sweep_run(sweep, recipe, o, err);
    strait_recipe_free(recipe);
    return status;
}

static strait_status draw(const char *path, const strait_sweep *sweep, strait_theme theme, strait_error *err) {
    if (!path || sweep->best < 0) return STRAIT_OK;
    return sweep->n_pca > 0 ? strait_sweep_draw_pca(path, sweep, theme, err)
                            : strait_sweep_draw(path, sweep, theme, err);
}

static cli_exit run(const cli_args *args) {
    const char *picture = cli_text(args, "picture");
    strait_theme theme;
    cli_exit code = check_usage(args);
    if (code == CLI_OK) code = cli_theme(&theme, args);
    if (code == CLI_OK && picture) code = cli_output_check(picture, cli_picture_endings);
    if (code != CLI_OK) return code;
    if (cli_has(args, "plan")) return show_plan(args);
    display d = {.quiet = cli_has(args, "quiet"), .best = INFINITY};
    char command[1024];
    cli_command_line(command, sizeof command, args);
    const strait_sweep_options o = {
        .out = cli_text(args, "out"),
        .jobs = cli_int(args, "jobs", 0),
        .theme = theme,
        .observer = {&d, on_begin, on_epoch, on_trial, on_stop, on_note},
        .command = command,
    };
    strait_sweep *sweep = NULL;
    strait_error err = {0};
    strait_status status = sweep_now(&sweep, args, &o, &err);
    cli_line_wipe();
    if (status == STRAIT_OK) status = draw(picture, sweep, theme, &err);
    if (status == STRAIT_INTERRUPTED && sweep) {
        cli_say("interrupted; go on with: strait sweep --resume %s", cli_shell(sweep->folder).text);
        if (cli_has(args, "json")) print_json(sweep, "interrupted");
        code = CLI_INTERRUPTED;
    } else if (status != STRAIT_OK) {
        code = cli_failed(&err);
    } else {
        code = cli_has(args, "json") ? print_json(sweep, "complete") : print_text(sweep, picture);
        if (code == CLI_OK && sweep->best < 0) {
            cli_error("every trial diverged: there is no best one; try smaller learning rates");
            code = CLI_FAILED;
        }
    }
    strait_sweep_free(sweep);
    return code;
}

const cli_command cli_sweep = {
    .name = "sweep",
    .summary = "train a recipe with many values, and find the best",
    .synopsis = {"sweep RECIPE --vary KEY=RANGE... [OPTIONS]", "sweep RECIPE [OPTIONS]", "sweep --resume SWEEP"},
    .details =
        "KEY is a path as for --set; model.latent is the width of any dense latent. RANGE is a list (32,64), whole "
        "numbers "
        "(5..10), real numbers (0.1..0.5) or log:1e-4..1e-2, uniform in the logarithm. Without --trials every "
        "combination "
        "is trained; a range of real numbers needs it. A recipe may hold all this itself, in its section sweep: strait "
        "sweep mnist-k compares autoencoders of 5 to 10 latents with principal components.\n"
        "A trial is judged by its val_loss (loss without validation). With --halving N all begin, and the best one of "
        "N "
        "goes on for N times as many epochs, until the last have trained the recipe's epochs; best for more than some "
        "ten "
        "trials. Each trial uses one thread unless --threads says otherwise, and is the same whatever --jobs.\n"
        "The sweep is a folder, runs/NAME-sweep-001 and up: table, pictures, and best.yaml, which trains the best run "
        "again. Its trials are runs beside it. Ctrl-C once saves them all; --resume goes on, without training again "
        "what "
        "is finished.",
    .operand = {"RECIPE"},
    .least_operands = 0,
    .options = options,
    .examples = examples,
    .run = run,
};
