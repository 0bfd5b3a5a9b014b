/* A fitted threshold as a note in a model's file: lines of a key and its values, blanks between. Numbers are written as
   the shortest text that reads back as the same double. Nothing from a file is used before it was checked. */
#include <strait/anomaly.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "model/model.h"
#include "store/run.h"

#define KEY "strait.anomaly"
#define VERSION "1"

/* ---- writing ---- */

static void add_numbers(st_text *text, const char *key, const double *value, int n) {
    st_text_add(text, "%s", key);
    for (int i = 0; i < n; i++) {
        char number[32];
        st_print_double(number, value[i]);
        st_text_add(text, " %s", number);
    }
    st_text_add(text, "\n");
}

static strait_status write_note(char **out, const strait_anomaly *anomaly, strait_error *err) {
    st_text text = {0};
    st_text_add(&text, "version " VERSION "\nerror %s\nrule %s\n", anomaly->error, anomaly->rule);
    add_numbers(&text, "threshold", &anomaly->threshold, 1);
    add_numbers(&text, "mean", &anomaly->mean, 1);
    add_numbers(&text, "deviation", &anomaly->deviation, 1);
    st_text_add(&text, "fitted %lld\nnormal", (long long)anomaly->n_fitted);
    for (int i = 0; i < anomaly->n_normal; i++)
        st_text_add(&text, " %lld", (long long)anomaly->normal[i]);
    st_text_add(&text, "\n");
    add_numbers(&text, "quantiles", anomaly->quantile, STRAIT_ANOMALY_QUANTILES);
    return st_text_take(out, &text, err);
}

STRAIT_API strait_status strait_anomaly_save(const strait_anomaly *anomaly, const char *model, strait_error *err) {
    char *file = NULL, *note = NULL;
    if (!anomaly || !model) return st_fail(err, STRAIT_ARGUMENT, "strait_anomaly_save: anomaly or model is NULL");
    ST_TRY(st_run_model_path(&file, model, err));
    strait_status status = write_note(&note, anomaly, err);
    if (status == STRAIT_OK) status = st_model_note_write(file, KEY, note, err);
    st_free(note);
    st_free(file);
    return status;
}

/* ---- reading: the text is taken apart in place ---- */

/* The next word of a line, or NULL at its end. */
static char *next_word(char **line) {
    char *word = *line + strspn(*line, " ");
    if (*word == 0) return NULL;
    char *end = word + strcspn(word, " ");
    *line = *end ? end + 1 : end;
    *end = 0;
    return word;
}

static bool read_word(char *out, size_t size, char **line) {
    const char *word = next_word(line);
    if (!word || strlen(word) >= size) return false;
    memcpy(out, word, strlen(word) + 1);
    return true;
}

static bool read_numbers(double *out, int n, char **line) {
    for (int i = 0; i < n; i++) {
        const char *word = next_word(line);
        if (!word || !st_parse_double(&out[i], word) || !isfinite(out[i])) return false;
    }
    return true;
}

static bool read_labels(strait_anomaly *out, char **line) {
    for (const char *word; (word = next_word(line)) != NULL; out->n_normal++)
        if (out->n_normal == STRAIT_ANOMALY_LABELS || !st_parse_int(&out->normal[out->n_normal], word)) return false;
    return true;
}

/* A key's line; keys not known here are passed over: a newer program may have written them. *found: a bit a key. */
static bool read_line(strait_anomaly *out, char *line, unsigned *found) {
    static const char *const known[] = {"version",   "error",  "rule",   "threshold", "mean",
                                        "deviation", "fitted", "normal", "quantiles"};
    enum { N_KNOWN = sizeof known / sizeof *known };
    const char *key = next_word(&line), *word = NULL;
    unsigned i = 0;
    while (key && i < N_KNOWN && strcmp(known[i], key) != 0)
        i++;
    if (!key || i == N_KNOWN) return true;
    if (*found & 1U << i) return false;
    *found |= 1U << i;
    switch (i) {
    case 0: return (word = next_word(&line)) && strcmp(word, VERSION) == 0;
    case 1: return read_word(out->error, sizeof out->error, &line);
    case 2: return read_word(out->rule, sizeof out->rule, &line);
    case 3: return read_numbers(&out->threshold, 1, &line);
    case 4: return read_numbers(&out->mean, 1, &line);
    case 5: return read_numbers(&out->deviation, 1, &line);
    case 6: return (word = next_word(&line)) && st_parse_int(&out->n_fitted, word) && out->n_fitted > 0;
    case 7: return read_labels(out, &line);
    default: return read_numbers(out->quantile, STRAIT_ANOMALY_QUANTILES, &line);
    }
}

static bool read_note(strait_anomaly *out, char *note) {
    unsigned found = 0;
    *out = (strait_anomaly){0};
    while (*note) {
        char *line = note;
        const size_t n = strcspn(line, "\n");
        note += line[n] ? n + 1 : n;
        line[n] = 0;
        if (!read_line(out, line, &found)) return false;
    }
    for (int i = 1; i < STRAIT_ANOMALY_QUANTILES; i++)
        if (out->quantile[i] < out->quantile[i - 1]) return false;
    return found == 0x1ff;
}

STRAIT_API strait_status strait_anomaly_load(strait_anomaly *out, const char *model, strait_error *err) {
    char *file = NULL, *note = NULL;
    if (!out || !model) return st_fail(err, STRAIT_ARGUMENT, "strait_anomaly_load: out or model is NULL");
    ST_TRY(st_run_model_path(&file, model, err));
    strait_anomaly read = {0};
    strait_status status = st_model_note_read(&note, file, KEY, err);
    if (status == STRAIT_OK && !note)
        status = st_fail(err, STRAIT_NOT_FOUND, "%s: no threshold was fitted; strait anomaly fit %s DATA does that",
                         file, model);
    else if (status == STRAIT_OK && !read_note(&read, note))
        status = st_fail(err, STRAIT_FORMAT, "%s: its fitted threshold is damaged, or of another version; fit it anew",
                         file);
    if (status == STRAIT_OK) *out = read;
    st_free(note);
    st_free(file);
    return status;
}
