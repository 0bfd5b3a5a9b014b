/* The trials of a sweep: ranges read, combined or drawn; the rungs of successive halving.
   Invariant: what trial t takes is a function of the recipe's section sweep and of t. */
#include "api/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/string.h"
#include "graph/graph.h"
#include "model/model.h"

#define MAX_TRIALS 10000
#define MAX_SHUFFLED 1000000.0 /* combinations of which different ones are drawn; of more some may come twice */
#define MAX_WHOLE 9007199254740992.0
#define MAX_RUNGS 32

/* ---- ranges ---- */

/* The end of the value that begins here: a comma outside of quotes and brackets, or the end. */
static const char *value_end(const char *text) {
    int depth = 0;
    char quote = 0;
    for (; *text; text++) {
        if (quote) {
            if (*text == quote) quote = 0;
        } else if (*text == '"' || *text == '\'') {
            quote = *text;
        } else if (*text == '[' || *text == '{') {
            depth++;
        } else if (*text == ']' || *text == '}') {
            depth--;
        } else if (*text == ',' && depth <= 0) {
            break;
        }
    }
    return text;
}

static strait_status read_list(st_range *range, const char *vary, const char *text, strait_error *err) {
    size_t most = 1;
    for (const char *c = text; *c; c++)
        most += *c == ',';
    range->item = st_alloc(most, sizeof *range->item);
    if (!range->item) return st_fail_memory(err, most * sizeof *range->item, "a sweep's values");
    for (;;) {
        const char *end = value_end(text);
        while (*text == ' ')
            text++;
        size_t n = end > text ? (size_t)(end - text) : 0;
        while (n > 0 && text[n - 1] == ' ')
            n--;
        if (n == 0)
            return st_fail(err, STRAIT_ARGUMENT, "sweep.vary '%.200s': a value is missing; write it as KEY=32,64",
                           vary);
        range->item[range->n_items] = st_strndup(text, n);
        if (!range->item[range->n_items]) return st_fail_memory(err, n, "a sweep's value");
        range->n_items++;
        if (!*end) return STRAIT_OK;
        text = end + 1;
    }
}

static strait_status check_ends(const st_range *range, const char *vary, strait_error *err) {
    if (range->log && !(range->low > 0))
        return st_fail(err, STRAIT_ARGUMENT,
                       "sweep.vary '%.200s': a logarithmic range must begin above 0, as log:1e-4..1e-2", vary);
    if (range->whole ? range->low > range->high : range->low >= range->high)
        return st_fail(err, STRAIT_ARGUMENT,
                       "sweep.vary '%.200s': the range is empty: the first end must be below the "
                       "second",
                       vary);
    if (fabs(range->low) > MAX_WHOLE || fabs(range->high) > MAX_WHOLE)
        return st_fail(err, STRAIT_ARGUMENT, "sweep.vary '%.200s': the range is too far out", vary);
    return STRAIT_OK;
}

/* LOW..HIGH; *is false when the text is a list. */
static strait_status read_ends(bool *is, st_range *range, const char *vary, const char *text, strait_error *err) {
    const char *dots = strstr(text, "..");
    double low = 0, high = 0;
    int64_t whole;
    *is = false;
    if (!dots || strchr(text, ',')) return STRAIT_OK;
    char *left = st_strndup(text, (size_t)(dots - text));
    if (!left) return st_fail_memory(err, strlen(text), "a range");
    const char *right = dots + 2;
    const bool good_left = st_parse_double(&low, left), good_right = st_parse_double(&high, right);
    range->whole = st_parse_int(&whole, left) && st_parse_int(&whole, right);
    st_free(left);
    if (!good_left && !good_right && !range->log) return STRAIT_OK; /* a path, as ../data */
    if (!good_left || !good_right)
        return st_fail(err, STRAIT_ARGUMENT, "sweep.vary '%.200s': a range is two numbers, as 5..10 or 0.1..0.5", vary);
    *is = true;
    range->low = low;
    range->high = high;
    return check_ends(range, vary, err);
}

strait_status st_range_read(st_range *range, const char *vary, strait_error *err) {
    *range = (st_range){0};
    const char *equals = strchr(vary, '=');
    if (!equals || equals == vary)
        return st_fail(err, STRAIT_ARGUMENT,
                       "sweep.vary '%.200s': needs a key, '=' and what it takes, as train.batch_size=32,64", vary);
    range->key = st_strndup(vary, (size_t)(equals - vary));
    if (!range->key) return st_fail_memory(err, strlen(vary), "a sweep's key");
    const char *text = equals + 1;
    range->log = st_starts_with(text, "log:");
    if (range->log) text += strlen("log:");
    bool ends;
    ST_TRY(read_ends(&ends, range, vary, text, err));
    if (ends) return STRAIT_OK;
    if (range->log)
        return st_fail(err, STRAIT_ARGUMENT, "sweep.vary '%.200s': log: takes a range, as log:1e-4..1e-2", vary);
    range->whole = false;
    return read_list(range, vary, text, err);
}

void st_range_free(st_range *range) {
    for (int i = 0; i < range->n_items; i++)
        st_free(range->item[i]);
    st_free(range->item);
    st_free(range->key);
    *range = (st_range){0};
}

/* How many values that are all as likely; 0: of real numbers, and where small ones are likelier, there is no number. */
static double count_values(const st_range *range) {
    if (range->n_items > 0) return range->n_items;
    return range->whole && !range->log ? range->high - range->low + 1 : 0;
}

/* Value i of a list or of whole numbers. */
static char *value_at(const st_range *range, int64_t i) {
    if (range->n_items > 0) return st_strdup(range->item[i]);
    return st_format("%lld", (long long)range->low + (long long)i);
}

/* A draw u in [0, 1) as a value. Real numbers keep four digits, so that what a table shows is what was trained. */
static char *value_of(const st_range *range, double u) {
    char digits[32];
    double rounded;
    if (range->n_items > 0) return value_at(range, (int64_t)(u * range->n_items));
    if (range->whole && !range->log) return value_at(range, (int64_t)(u * count_values(range)));
    const double value = range->log ? exp(log(range->low) + u * (log(range->high) - log(range->low)))
                                    : range->low + u * (range->high - range->low);
    if (range->whole) return st_format("%lld", (long long)fmin(fmax(round(value), range->low), range->high));
    char *text = st_format("%.4g", value);
    if (!text || !st_parse_double(&rounded, text)) return text;
    st_free(text);
    st_print_double(digits, fmin(fmax(rounded, range->low), range->high));
    return st_strdup(digits);
}

/* ---- trials ---- */

typedef struct plan {
    const strait_recipe *recipe;
    int n;
    st_range *range; /* [n] */
    double grid;     /* combinations; 0: endless */
    strait_sweep *sweep;
} plan;

static strait_status read_ranges(plan *p, strait_error *err) {
    const strait_recipe *recipe = p->recipe;
    p->grid = 1;
    for (int k = 0; k < recipe->sweep.n_vary; k++) {
        p->n = k + 1; /* what it owns, read or half read, is freed with the others */
        ST_TRY(st_range_read(&p->range[k], recipe->sweep.vary[k], err));
        for (int i = 0; i < k; i++)
            if (strcmp(p->range[i].key, p->range[k].key) == 0)
                return st_fail(err, STRAIT_ARGUMENT, "sweep.vary: '%.200s' is given twice", p->range[i].key);
        p->grid *= count_values(&p->range[k]);
    }
    if (recipe->sweep.trials == 0 && p->grid == 0)
        return st_fail(err, STRAIT_ARGUMENT,
                       "sweep.vary holds a range of real numbers or log:, which has no grid: say how many are drawn "
                       "(--trials 20, or sweep.trials), or list the values");
    if (recipe->sweep.trials == 0 && p->grid > MAX_TRIALS)
        return st_fail(err, STRAIT_ARGUMENT,
                       "sweep.vary makes %.0f combinations, and a sweep has at most %d trials: draw some "
                       "(--trials 50, or sweep.trials)",
                       p->grid, MAX_TRIALS);
    return STRAIT_OK;
}

/* Combination number `index` of the grid, the last key fastest. */
static bool combine(const plan *p, char **value, int64_t index) {
    for (int k = p->n - 1; k >= 0; k--) {
        const int64_t n = (int64_t)count_values(&p->range[k]);
        value[k] = value_at(&p->range[k], index % n);
        if (!value[k]) return false;
        index /= n;
    }
    return true;
}

static bool draw(const plan *p, char **value, int t) {
    for (int k = 0; k < p->n; k++) {
        const st_rng rng = {(uint64_t)p->recipe->sweep.seed, ST_RNG_SWEEP, (uint32_t)k, (uint32_t)t};
        const uint64_t bits = (uint64_t)st_rng_bits(&rng, 0) << 32 | st_rng_bits(&rng, 1);
        value[k] = value_of(&p->range[k], (double)(bits >> 11) * 0x1p-53);
        if (!value[k]) return false;
    }
    return true;
}

/* An order of the whole grid by the seed; NULL where all of it is taken as it is, or where draws are independent. */
static strait_status shuffle_grid(uint32_t **out, const plan *p, strait_error *err) {
    const int64_t trials = p->recipe->sweep.trials;
    *out = NULL;
    if (trials == 0 || p->grid == 0 || p->grid > MAX_SHUFFLED || (double)trials >= p->grid) return STRAIT_OK;
    const uint32_t n = (uint32_t)p->grid;
    *out = st_alloc(n, sizeof **out);
    if (!*out) return st_fail_memory(err, n * sizeof **out, "the combinations of a sweep");
    for (uint32_t i = 0; i < n; i++)
        (*out)[i] = i;
    const st_rng rng = {(uint64_t)p->recipe->sweep.seed, ST_RNG_SWEEP, UINT32_MAX, 0};
    st_rng_shuffle(&rng, *out, n);
    return STRAIT_OK;
}

static strait_status make_trials(plan *p, strait_error *err) {
    strait_sweep *sweep = p->sweep;
    const int64_t asked = p->recipe->sweep.trials;
    const bool whole_grid = p->grid > 0 && (asked == 0 || (double)asked >= p->grid);
    const int n = whole_grid ? (int)p->grid : (int)asked;
    uint32_t *order = NULL;
    sweep->trial = st_alloc((size_t)n, sizeof *sweep->trial);
    if (!sweep->trial) return st_fail_memory(err, (size_t)n * sizeof *sweep->trial, "a sweep's trials");
    ST_TRY(shuffle_grid(&order, p, err));
    strait_status status = STRAIT_OK;
    while (status == STRAIT_OK && sweep->n_trials < n) {
        const int t = sweep->n_trials++;
        strait_sweep_trial *trial = &sweep->trial[t];
        *trial = (strait_sweep_trial){.loss = NAN, .val_loss = NAN, .score = NAN, .mse = NAN, .state = "waiting"};
        trial->value = st_alloc((size_t)p->n, sizeof *trial->value);
        const bool made = trial->value && (order        ? combine(p, trial->value, order[t])
                                           : whole_grid ? combine(p, trial->value, t)
                                                        : draw(p, trial->value, t));
        if (!made) status = st_fail_memory(err, (size_t)p->n * sizeof *trial->value, "a trial");
    }
    st_free(order);
    return status;
}

static strait_status make_keys(plan *p, strait_error *err) {
    strait_sweep *sweep = p->sweep;
    sweep->key = st_alloc((size_t)p->n, sizeof *sweep->key);
    sweep->log_scale = st_alloc((size_t)p->n, sizeof *sweep->log_scale);
    if (!sweep->key || !sweep->log_scale) return st_fail_memory(err, (size_t)p->n * sizeof *sweep->key, "keys");
    for (int k = 0; k < p->n; k++) {
        sweep->key[sweep->n_keys++] = p->range[k].key;
        p->range[k].key = NULL;
        sweep->log_scale[k] = p->range[k].log;
    }
    return STRAIT_OK;
}

/* ---- successive halving ---- */

STRAIT_API int strait_sweep_rungs(int *epochs, int *trials, int n, int eta, int most_epochs, int min_epochs) {
    int s = 0;
    if (eta >= 2)
        for (int64_t power = eta; power <= n && power * (min_epochs > 1 ? min_epochs : 1) <= most_epochs; power *= eta)
            s++;
    double share = pow(eta, -s); /* of the epochs, in rung 0 */
    int left = n;
    for (int i = 0; i <= s; i++, share *= eta, left /= eta > 1 ? eta : 1) {
        if (epochs) epochs[i] = i == s ? most_epochs : (int)fmax(1, round(most_epochs * share));
        if (trials) trials[i] = left;
    }
    return s + 1;
}

static strait_status make_rungs(const plan *p, strait_error *err) {
    strait_sweep *sweep = p->sweep;
    sweep->rung_epochs = st_alloc(MAX_RUNGS, sizeof *sweep->rung_epochs);
    sweep->rung_trials = st_alloc(MAX_RUNGS, sizeof *sweep->rung_trials);
    if (!sweep->rung_epochs || !sweep->rung_trials)
        return st_fail_memory(err, MAX_RUNGS * sizeof *sweep->rung_epochs, "rungs");
    sweep->n_rungs =
        strait_sweep_rungs(sweep->rung_epochs, sweep->rung_trials, sweep->n_trials, (int)p->recipe->sweep.halving,
                           (int)p->recipe->train.epochs, (int)p->recipe->sweep.min_epochs);
    return STRAIT_OK;
}

double st_sweep_score(const strait_recipe *recipe, const st_history_row *rows, int n, int epochs) {
    const bool restores = recipe->train.early_stopping.on && recipe->train.early_stopping.restore_best;
    double score = NAN;
    for (int i = 0; i < n && rows[i].epoch <= epochs; i++) {
        const double watched = isnan(rows[i].val_loss) ? rows[i].loss : rows[i].val_loss;
        if (!restores || isnan(score) || watched < score - recipe->train.early_stopping.min_delta) score = watched;
    }
    return score;
}

/* ---- the whole ---- */

strait_status st_sweep_recipe(strait_recipe **out, const strait_sweep *sweep, const char *base, int t,
                              strait_error *err) {
    const int n = sweep->n_keys;
    *out = NULL;
    char **override = st_alloc((size_t)n, sizeof *override);
    if (!override) return st_fail_memory(err, (size_t)n * sizeof *override, "overrides");
    strait_status status = STRAIT_OK;
    for (int k = 0; k < n && status == STRAIT_OK; k++) {
        override[k] = st_format("%s=%s", sweep->key[k], sweep->trial[t].value[k]);
        if (!override[k]) status = st_fail_memory(err, strlen(sweep->key[k]), "an override");
    }
    if (status == STRAIT_OK)
        status = strait_recipe_parse(out, base, sweep->recipe, (size_t)n, (const char *const *) override, err);
    if (status == STRAIT_OK) st_recipe_drop_sweep(*out);
    for (int k = 0; k < n; k++)
        st_free(override[k]);
    st_free(override);
    return status;
}

/* Every trial's recipe is read and its layers joined: mistakes come out before anything is trained. */
static strait_status check_trials(const plan *p, strait_error *err) {
    char *yaml = NULL;
    ST_TRY(strait_recipe_to_yaml(&yaml, p->recipe, err));
    strait_status status = STRAIT_OK;
    for (int t = 0; t < p->sweep->n_trials && status == STRAIT_OK; t++) {
        strait_recipe *recipe = NULL;
        st_graph *graph = NULL;
        status = st_sweep_recipe(&recipe, p->sweep, yaml, t, err);
        if (status == STRAIT_OK) status = st_model_graph(&graph, recipe, true, true, err);
        if (status == STRAIT_OK) p->sweep->trial[t].latent = (int)st_shape_count(&graph->tensor[graph->latent].shape);
        if (status == STRAIT_OK) p->sweep->trial[t].epochs_asked = (int)recipe->train.epochs;
        if (status == STRAIT_OK && p->sweep->n_rungs > 1 && recipe->train.epochs != p->recipe->train.epochs)
            status =
                st_fail(err, STRAIT_ARGUMENT,
                        "sweep.halving divides train.epochs, so train.epochs cannot be varied: leave out one of them");
        st_graph_free(graph);
        strait_recipe_free(recipe);
    }
    strait_string_free(yaml);
    return status;
}

static strait_status fill_sweep(plan *p, strait_error *err) {
    strait_sweep *sweep = p->sweep;
    snprintf(sweep->recipe, sizeof sweep->recipe, "%s", p->recipe->name);
    ST_TRY(read_ranges(p, err));
    ST_TRY(make_keys(p, err));
    ST_TRY(make_trials(p, err));
    ST_TRY(make_rungs(p, err));
    if (p->recipe->sweep.against_pca) {
        sweep->against = st_strdup(p->recipe->sweep.against_pca);
        if (!sweep->against) return st_fail_memory(err, strlen(p->recipe->sweep.against_pca), "a data set's name");
    }
    return check_trials(p, err);
}

STRAIT_API strait_status strait_sweep_plan(strait_sweep **out, const strait_recipe *recipe, strait_error *err) {
    *out = NULL;
    if (!recipe) return st_fail(err, STRAIT_ARGUMENT, "strait_sweep_plan: recipe is NULL");
    if (recipe->sweep.n_vary == 0)
        return st_fail(
            err, STRAIT_ARGUMENT,
            "%s: nothing to vary: give a key and what it takes (--vary model.latent=5..10, or sweep.vary in the "
            "recipe)",
            recipe->name);
    plan p = {.recipe = recipe, .range = st_alloc((size_t)recipe->sweep.n_vary, sizeof *p.range)};
    p.sweep = st_alloc(1, sizeof *p.sweep);
    strait_status status = p.range && p.sweep ? STRAIT_OK : st_fail_memory(err, sizeof *p.sweep, "a sweep");
    if (status == STRAIT_OK) {
        p.sweep->best = -1;
        status = fill_sweep(&p, err);
    }
    for (int i = 0; i < p.n; i++)
        st_range_free(&p.range[i]);
    st_free(p.range);
    if (status == STRAIT_OK)
        *out = p.sweep;
    else
        strait_sweep_free(p.sweep);
    return status;
}

STRAIT_API void strait_sweep_free(strait_sweep *sweep) {
    if (!sweep) return;
    for (int t = 0; t < sweep->n_trials; t++) {
        for (int k = 0; sweep->trial[t].value && k < sweep->n_keys; k++)
            st_free(sweep->trial[t].value[k]);
        st_free(sweep->trial[t].value);
    }
    for (int k = 0; k < sweep->n_keys; k++)
        st_free(sweep->key[k]);
    st_free(sweep->key);
    st_free(sweep->log_scale);
    st_free(sweep->trial);
    st_free(sweep->rung_epochs);
    st_free(sweep->rung_trials);
    st_free(sweep->against);
    st_free(sweep->pca_mse);
    st_free(sweep);
}
