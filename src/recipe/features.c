#include "recipe/features.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"

static const char head[] = "strait features 1";

static void close_set(st_feature_set *set) {
    st_free(set->name);
    st_free(set->mean);
    st_free(set->factor);
    st_free(set->centre);
    st_free(set->text);
    *set = (st_feature_set){0};
}

strait_status st_feature_set_init(st_feature_set *set, int64_t n, const char *const *name, bool scaled, bool centred,
                                  strait_error *err) {
    size_t bytes = 0;
    for (int64_t k = 0; k < n; k++)
        bytes += strlen(name[k]) + 1;
    *set = (st_feature_set){.n = n};
    set->text = st_alloc(bytes, 1);
    set->name = st_alloc((size_t)n, sizeof *set->name);
    bool good = set->text && set->name;
    if (scaled) {
        set->mean = st_alloc((size_t)n, sizeof *set->mean);
        set->factor = st_alloc((size_t)n, sizeof *set->factor);
        good = good && set->mean && set->factor;
    }
    if (centred) good = (set->centre = st_alloc((size_t)n, sizeof *set->centre)) && good;
    if (!good) {
        close_set(set);
        return st_fail_memory(err, bytes + (size_t)n * sizeof(double), "features");
    }
    char *at = set->text;
    for (int64_t k = 0; k < n; k++) {
        const size_t length = strlen(name[k]) + 1;
        memcpy(at, name[k], length);
        set->name[k] = at;
        at += length;
    }
    return STRAIT_OK;
}

strait_status st_features_new(st_features **out, strait_error *err) {
    *out = st_alloc(1, sizeof **out);
    return *out ? STRAIT_OK : st_fail_memory(err, sizeof **out, "features");
}

void st_features_free(st_features *features) {
    if (!features) return;
    close_set(&features->genes);
    close_set(&features->proteins);
    st_free(features);
}

static bool copy_set(st_feature_set *copy, const st_feature_set *set) {
    if (st_feature_set_init(copy, set->n, set->name, set->mean, set->centre, NULL) != STRAIT_OK) return false;
    copy->target_sum = set->target_sum;
    const size_t bytes = (size_t)set->n * sizeof *set->mean;
    if (set->mean) {
        memcpy(copy->mean, set->mean, bytes);
        memcpy(copy->factor, set->factor, bytes);
    }
    if (set->centre) memcpy(copy->centre, set->centre, bytes);
    return true;
}

bool st_features_copy(st_features **out, const st_features *features) {
    *out = NULL;
    if (!features) return true;
    if (st_features_new(out, NULL) != STRAIT_OK) return false;
    if (copy_set(&(*out)->genes, &features->genes) && copy_set(&(*out)->proteins, &features->proteins)) return true;
    st_features_free(*out);
    *out = NULL;
    return false;
}

/* ---- as text ---- */

static void add_number(st_text *text, double value) {
    char digits[32];
    st_print_double(digits, value);
    st_text_add(text, "\t%s", digits);
}

static void add_set(st_text *text, const char *kind, const st_feature_set *set) {
    char digits[32];
    st_print_double(digits, set->target_sum);
    st_text_add(text, "%s %lld %s %s %s\n", kind, (long long)set->n, digits, set->mean ? "mean" : "-",
                set->centre ? "centre" : "-");
    for (int64_t k = 0; k < set->n; k++) {
        st_text_add(text, "%s", set->name[k]);
        if (set->mean) {
            add_number(text, set->mean[k]);
            add_number(text, set->factor[k]);
        }
        if (set->centre) add_number(text, set->centre[k]);
        st_text_add(text, "\n");
    }
}

strait_status st_features_to_text(char **out, const st_features *features, strait_error *err) {
    st_text text = {0};
    st_text_add(&text, "%s\n", head);
    add_set(&text, "genes", &features->genes);
    add_set(&text, "proteins", &features->proteins);
    return st_text_take(out, &text, err);
}

/* The line at *text, cut off in place; NULL at the end. */
static char *take_line(char **text) {
    char *line = *text, *end = line ? strchr(line, '\n') : NULL;
    if (!end) return NULL;
    *end = '\0';
    *text = end + 1;
    return line;
}

/* The word at *line up to a separator, cut off in place; NULL when there is none left. */
static char *take_word(char **line, char separator) {
    char *word = *line;
    if (!word) return NULL;
    char *end = strchr(word, separator);
    if (end) *end = '\0';
    *line = end ? end + 1 : NULL;
    return word;
}

static bool take_number(double *out, char **line) {
    const char *word = take_word(line, '\t');
    return word && st_parse_double(out, word) && isfinite(*out);
}

static strait_status fail(const char *file, const char *what, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT, "%s: its list of features is damaged: %s", file, what);
}

/* "genes 2000 1053.5 mean -". */
static bool read_head(int64_t *n, double *target, bool *scaled, bool *centred, char *line, const char *kind) {
    const char *word = take_word(&line, ' '), *count = take_word(&line, ' '), *sum = take_word(&line, ' ');
    const char *mean = take_word(&line, ' '), *centre = take_word(&line, ' ');
    if (!centre || line || strcmp(word, kind) != 0 || !st_parse_int(n, count) || *n < 0 ||
        !st_parse_double(target, sum) || !(*target >= 0 && isfinite(*target)))
        return false;
    *scaled = strcmp(mean, "mean") == 0;
    *centred = strcmp(centre, "centre") == 0;
    return (*scaled || strcmp(mean, "-") == 0) && (*centred || strcmp(centre, "-") == 0);
}

/* Each line's name stays where it is in text until the set has copied all of them. */
static strait_status read_set(st_feature_set *set, char **text, const char *kind, const char *file, strait_error *err) {
    int64_t n = 0;
    double target = 0;
    bool scaled = false, centred = false;
    char *line = take_line(text);
    if (!line || !read_head(&n, &target, &scaled, &centred, line, kind)) return fail(file, kind, err);
    if ((uint64_t)n > strlen(*text)) return fail(file, "it announces more than there is", err); /* a line each */
    const char **name = st_alloc((size_t)n, sizeof *name);
    char **rest = st_alloc((size_t)n, sizeof *rest);
    strait_status status = STRAIT_OK;
    if (!name || !rest) status = st_fail_memory(err, (size_t)n * sizeof *name, "features");
    for (int64_t k = 0; k < n && status == STRAIT_OK; k++) {
        rest[k] = take_line(text);
        name[k] = take_word(&rest[k], '\t');
        if (!name[k]) status = fail(file, "it is cut short", err);
    }
    if (status == STRAIT_OK) status = st_feature_set_init(set, n, name, scaled, centred, err);
    for (int64_t k = 0; k < n && status == STRAIT_OK; k++) {
        bool good = !scaled || (take_number(&set->mean[k], &rest[k]) && take_number(&set->factor[k], &rest[k]));
        good = good && (!centred || (take_number(&set->centre[k], &rest[k]) && set->centre[k] > 0)) && !rest[k];
        if (!good) status = fail(file, "a line has other numbers than it must", err);
    }
    set->target_sum = target;
    st_free(name);
    st_free(rest);
    return status;
}

strait_status st_features_from_text(st_features **out, const char *text, const char *file, strait_error *err) {
    *out = NULL;
    st_features *features = NULL;
    char *copy = st_strdup(text), *at = copy;
    if (!copy) return st_fail_memory(err, strlen(text) + 1, "features");
    strait_status status = st_features_new(&features, err);
    if (status == STRAIT_OK) {
        const char *first = take_line(&at);
        if (!first || strcmp(first, head) != 0) status = fail(file, "it does not begin as one", err);
    }
    if (status == STRAIT_OK) status = read_set(&features->genes, &at, "genes", file, err);
    if (status == STRAIT_OK) status = read_set(&features->proteins, &at, "proteins", file, err);
    if (status == STRAIT_OK && *at) status = fail(file, "something stands behind it", err);
    st_free(copy);
    if (status == STRAIT_OK) {
        *out = features;
    } else {
        st_features_free(features);
    }
    return status;
}
