/* Prints the reference of recipe keys as Markdown, from the table that the parser reads. docs/recipes.md holds what it
   prints, between two marks; the test api.documents compares them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "recipe/recipe.h"

/* A number as people write it: 2^31 and the like stay whole. */
static void print_number(double value) {
    if (value == floor(value) && fabs(value) < 1e16)
        printf("%.0f", value);
    else
        printf("%g", value);
}

static void print_range(const st_key *key) {
    const bool low = isfinite(key->low), high = isfinite(key->high);
    if (low && high && !key->above_low && !key->below_high) {
        print_number(key->low);
        printf(" to ");
        print_number(key->high);
        return;
    }
    if (low) {
        printf(key->above_low ? "above " : "at least ");
        print_number(key->low);
    }
    if (high) {
        printf("%s%s", low ? ", " : "", key->below_high ? "below " : "at most ");
        print_number(key->high);
    }
}

/* The kind of value, and where a range says something, the range. */
static void print_value(const st_key *key) {
    const char *kind = NULL;
    switch (key->type) {
    case ST_KEY_TEXT: printf("text"); return;
    case ST_KEY_SWITCH: printf("`true` or `false`"); return;
    case ST_KEY_SECTION: printf("keys, [below](#%s)", key->name); return;
    case ST_KEY_ACTIVATION: printf("an [activation](#activations)"); return;
    case ST_KEY_LAYERS: printf("a list of [layers](#layers)"); return;
    case ST_KEY_VALIDATION: printf("a fraction above 0, below 1; or a split's name"); return;
    case ST_KEY_CORRUPT: printf("keys, [below](#corrupt)"); return;
    case ST_KEY_OPTIMIZER: printf("an [optimizer](#optimizers)"); return;
    case ST_KEY_INTERVAL: printf("`[low, high]`"); return;
    case ST_KEY_LOSS: printf("a [loss](#losses), or several with their weights"); return;
    case ST_KEY_SCHEDULE: printf("a [schedule](#schedules)"); return;
    case ST_KEY_INITIALIZER: printf("an [initializer](#initializers)"); return;
    case ST_KEY_SLICE: printf("`[begin, end]`"); return;
    case ST_KEY_UNITS: printf("whole number, at least 1; or `input`: as many as `model.input` has"); return;
    case ST_KEY_BRANCH: printf("a list of [layers](#layers)"); return;
    case ST_KEY_BRANCHES: printf("a list of branches, keys [below](#%s)", key->records->name); return;
    case ST_KEY_NUMBERS: printf("number, or a list of them"); return;
    case ST_KEY_CROP: printf("n, `[height, width]` or `{top, left, height, width}`"); return;
    case ST_KEY_CHANNELS:
        for (size_t i = 0; i < key->n_words; i++)
            printf("`%s`, ", key->words[i]);
        printf("or a list of whole numbers");
        return;
    case ST_KEY_WORD:
    case ST_KEY_EITHER:
    case ST_KEY_FLIP:
    case ST_KEY_MISSING:
    case ST_KEY_SCALE:
        for (size_t i = 0; i < key->n_words; i++)
            printf("%s`%s`", i ? ", " : "", key->words[i]);
        return;
    case ST_KEY_INTEGER: kind = "whole number"; break;
    case ST_KEY_NUMBER:
    case ST_KEY_SLOPE: kind = "number"; break;
    case ST_KEY_PAIR: kind = "n or `[height, width]`"; break;
    case ST_KEY_SHAPE: kind = "`[height, width, channels]` or `[n]`"; break;
    case ST_KEY_INTEGERS: kind = "list of whole numbers"; break;
    case ST_KEY_TEXTS: kind = "list of texts"; break;
    case ST_KEY_SHARES: kind = "s or `[vertical, horizontal]`"; break;
    case ST_KEY_MARGINS: kind = "n, `[rows, columns]` or `[[top, bottom], [left, right]]`"; break;
    }
    printf("%s", kind);
    if (isfinite(key->low) || isfinite(key->high)) {
        printf(", ");
        print_range(key);
    }
}

static void print_keys(const st_record *record) {
    printf("| key | value | if left out | |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < record->n_keys; i++) {
        const st_key *key = &record->keys[i];
        printf("| `%s` | ", key->name);
        print_value(key);
        printf(" | ");
        if (key->required)
            printf("must be given");
        else if (key->fallback)
            printf("`%s`", key->fallback);
        printf(" | %s |\n", key->doc);
    }
    printf("\n");
}

static const st_key *find_key(const st_record *record, const char *name) {
    for (size_t i = 0; i < record->n_keys; i++)
        if (strcmp(record->keys[i].name, name) == 0) return &record->keys[i];
    return NULL;
}

/* What may stand somewhere: all names with a line each, then those with keys of their own. A record whose one key has
   its own name is written without a map around the value. */
static void print_records(const st_record *records, size_t n) {
    if (n > 1) {
        printf("| name | |\n| --- | --- |\n");
        for (size_t i = 0; i < n; i++)
            printf("| `%s` | %s |\n", records[i].name, records[i].doc);
        printf("\n");
    }
    for (size_t i = 0; i < n; i++) {
        const st_record *record = &records[i];
        if (record->n_keys == 0) continue;
        printf("### %s\n\n", record->name);
        if (n == 1) printf("%s\n\n", record->doc);
        if (record->n_keys == 1 && strcmp(record->keys[0].name, record->name) == 0)
            printf("Written as `%s: VALUE`.\n\n", record->name);
        if (record->bare) printf("`%s: VALUE` is short for `{%s: VALUE}`.\n\n", record->name, record->keys[0].name);
        print_keys(record);
        for (size_t k = 0; k < record->n_keys; k++)
            if (record->keys[k].type == ST_KEY_BRANCHES || record->keys[k].type == ST_KEY_SECTION)
                print_records(record->keys[k].records, record->keys[k].n_records);
    }
}

/* A kind of choice: its heading, how it is written, all there are. */
static void print_choices(const char *heading, const char *example, const st_key *key) {
    printf("## %s\n\nA word, or a map with settings: %s.\n\n", heading, example);
    print_records(key->records, key->n_records);
}

int main(void) {
    const st_record *recipe = st_recipe_schema();
    printf("## The recipe\n\n");
    print_keys(recipe);
    static const char *const sections[] = {"data", "model", "train", "watch", "sweep"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const st_key *section = find_key(recipe, sections[i]);
        if (!section) return 1;
        printf("## %s\n\n", section->name);
        print_keys(section->records);
        for (size_t k = 0; k < section->records->n_keys; k++) {
            const st_key *key = &section->records->keys[k];
            if (key->type == ST_KEY_SECTION || key->type == ST_KEY_CORRUPT || key->type == ST_KEY_SCALE)
                print_records(key->records, key->n_records);
        }
    }
    const st_record *train = find_key(recipe, "train")->records, *model = find_key(recipe, "model")->records;
    print_choices("Losses", "`mse`, `{huber: {delta: 0.5}}`, `{mse: 0.8, mae: 0.2}`", find_key(train, "loss"));
    print_choices("Optimizers", "`adam`, `{adam: {learning_rate: 0.001}}`", find_key(train, "optimizer"));
    print_choices("Schedules",
                  "`cosine`, `{step: {every: 10}}`; `warmup: EPOCHS` may stand beside it, "
                  "`{cosine: {}, warmup: 2}`",
                  find_key(train, "schedule"));
    print_choices("Layers", "`flatten`, `{dense: {units: 64}}`", find_key(model, "encoder"));
    print_choices("Activations", "`relu`, `{leaky_relu: {slope: 0.1}}`",
                  find_key(st_layer_schema(ST_LAYER_DENSE), "activation"));
    print_choices("Initializers", "`he_normal`, `{normal: {stddev: 0.05}}`", find_key(model, "initializer"));
    return 0;
}
