/* From the struct back to YAML, by the tables of schema*.c: complete, in the tables' order, and the same bytes for the
   same recipe. What is left out (no validation, no noise) is what parses back as absent. */
#include <string.h>
#include <strings.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

static const void *place(const void *base, size_t offset) {
    return (const char *)base + offset;
}

static int64_t integer_at(const void *base, size_t offset) {
    int64_t value;
    memcpy(&value, place(base, offset), sizeof value);
    return value;
}

static int count_at(const void *base, size_t offset) {
    int value;
    memcpy(&value, place(base, offset), sizeof value);
    return value;
}

static bool switch_at(const void *base, size_t offset) {
    bool value;
    memcpy(&value, place(base, offset), sizeof value);
    return value;
}

/* none, horizontal, vertical, both: 0 to 3. */
static int flip_at(const void *base, size_t offset) {
    bool flip[2];
    memcpy(flip, place(base, offset), sizeof flip);
    return 2 * flip[0] + flip[1];
}

static double number_at(const void *base, size_t offset) {
    double value;
    memcpy(&value, place(base, offset), sizeof value);
    return value;
}

static const void *pointer_at(const void *base, size_t offset) {
    const void *value;
    memcpy(&value, place(base, offset), sizeof value);
    return value;
}

/* ---- values ---- */

/* "1e-07" is a text to readers of YAML 1.1, which want a point: 1.0e-07. */
static void write_digits(st_text *text, const char *digits) {
    const char *exponent = strchr(digits, 'e');
    if (!exponent || strchr(digits, '.'))
        st_text_add(text, "%s", digits);
    else
        st_text_add(text, "%.*s.0%s", (int)(exponent - digits), digits, exponent);
}

static void write_number(st_text *text, double value) {
    char digits[32];
    st_print_double(digits, value);
    write_digits(text, digits);
}

/* As short as a float allows, if reading it as a double first gives the same float. */
static void write_float(st_text *text, float value) {
    char digits[32];
    double back;
    st_print_float(digits, value);
    if (st_parse_double(&back, digits) && (float)back == value)
        write_digits(text, digits);
    else
        write_number(text, (double)value);
}

/* Quotes where any reader of YAML could take the text for something else. */
static bool needs_quotes(const char *string) {
    static const char *const taken[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "none"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcasecmp(string, taken[i]) == 0) return true;
    if (string[0] != '/' && !st_starts_with(string, "./") && !st_starts_with(string, "../") &&
        (!string[0] || !strchr(letters, string[0])))
        return true;
    for (const char *c = string; *c; c++)
        if (!strchr(letters, *c) && !strchr("0123456789_./#*?-", *c)) return true;
    return false;
}

static void write_text(st_text *text, const char *string) {
    if (!needs_quotes(string)) {
        st_text_add(text, "%s", string);
        return;
    }
    st_text_add(text, "\"");
    for (const char *c = string; *c; c++)
        st_text_add(text, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    st_text_add(text, "\"");
}

static void write_integers(st_text *text, const int64_t *items, int n) {
    st_text_add(text, "[");
    for (int i = 0; i < n; i++)
        st_text_add(text, "%s%lld", i ? ", " : "", (long long)items[i]);
    st_text_add(text, "]");
}

static void write_texts(st_text *text, const void *items, int n) {
    char *const *item = items;
    st_text_add(text, "[");
    for (int i = 0; i < n; i++) {
        st_text_add(text, "%s", i ? ", " : "");
        write_text(text, item[i]);
    }
    st_text_add(text, "]");
}

static void write_pair(st_text *text, const int64_t *pair) {
    if (pair[0] == pair[1])
        st_text_add(text, "%lld", (long long)pair[0]);
    else
        write_integers(text, pair, 2);
}

static void write_flow(st_text *text, const st_record *record, const void *base);

static void write_activation(st_text *text, const st_key *key, const st_activation *activation) {
    const st_record *record = &key->records[activation->kind];
    double usual;
    const bool plain =
        record->n_keys == 0 || (st_parse_double(&usual, record->keys->fallback) && (float)usual == activation->slope);
    if (plain) {
        st_text_add(text, "%s", record->name);
        return;
    }
    st_text_add(text, "{%s: ", record->name);
    write_flow(text, record, activation);
    st_text_add(text, "}");
}

/* A number, or a list where there is one. */
static void write_numbers(st_text *text, const st_key *key, const void *base) {
    const st_numbers *list = place(base, key->beside);
    if (list->n == 0) write_number(text, number_at(base, key->offset));
    for (int64_t i = 0; i < list->n; i++) {
        st_text_add(text, i ? ", " : "[");
        write_number(text, list->value[i]);
    }
    if (list->n > 0) st_text_add(text, "]");
}

/* zero; {mean: [1, 2]}. */
static void write_missing(st_text *text, const st_key *key, const strait_recipe *recipe) {
    const char *word = key->words[recipe->data.missing];
    if (recipe->data.means.n == 0) {
        st_text_add(text, "%s", word);
        return;
    }
    st_text_add(text, "{%s: ", word);
    write_numbers(text, key, recipe);
    st_text_add(text, "}");
}

/* minmax; {minmax: {offset: 0, factor: 0.1}}; {standard: {per: feature, offset: [1, 2], factor: [3, 4]}}. */
static void write_scale(st_text *text, const st_key *key, const strait_recipe *recipe) {
    const bool per = recipe->data.scale_features;
    const bool fitted = per ? recipe->data.factors.n > 0 : recipe->data.scale_factor != 0;
    if (recipe->data.scale < ST_SCALE_MINMAX || !(fitted || per)) {
        st_text_add(text, "%s", key->words[recipe->data.scale]);
        return;
    }
    const st_record *record = &key->records[recipe->data.scale - ST_SCALE_MINMAX];
    st_text_add(text, "{%s: {%s", record->name, per ? "per: feature" : "");
    for (size_t i = 1; i < record->n_keys && fitted; i++) {
        st_text_add(text, "%s%s: ", i > 1 || per ? ", " : "", record->keys[i].name);
        write_numbers(text, &record->keys[i], recipe);
    }
    st_text_add(text, "}}");
}

static void write_interval(st_text *text, const st_corrupt *corrupt) {
    st_text_add(text, "[");
    write_number(text, corrupt->clip_low);
    st_text_add(text, ", ");
    write_number(text, corrupt->clip_high);
    st_text_add(text, "]");
}

static void write_crop(st_text *text, const st_crop *crop) {
    const int64_t size[2] = {crop->height, crop->width};
    if (!crop->box)
        write_pair(text, size);
    else
        st_text_add(text, "{top: %lld, left: %lld, height: %lld, width: %lld}", (long long)crop->top,
                    (long long)crop->left, (long long)crop->height, (long long)crop->width);
}

static void write_channels(st_text *text, const st_key *key, const st_channels *channels) {
    if (channels->kind == ST_CHANNELS_PICK)
        write_integers(text, channels->pick, channels->n);
    else
        st_text_add(text, "%s", key->words[channels->kind - 1]);
}

static void write_validation(st_text *text, const strait_recipe *recipe) {
    if (recipe->data.validation_split)
        write_text(text, recipe->data.validation_split);
    else
        write_number(text, recipe->data.validation_fraction);
}

/* The choice's name alone where it has no settings. */
static void write_choice(st_text *text, const st_record *record, const void *settings) {
    if (record->n_keys == 0) {
        st_text_add(text, "%s", record->name);
        return;
    }
    st_text_add(text, "{%s: ", record->name);
    write_flow(text, record, settings);
    st_text_add(text, "}");
}

static void write_optimizer(st_text *text, const st_key *key, const st_optimizer *optimizer) {
    write_choice(text, &key->records[optimizer->kind], optimizer);
}

static void write_schedule(st_text *text, const st_key *key, const st_schedule *schedule) {
    const st_record *record = &key->records[schedule->kind];
    if (schedule->warmup == 0) {
        write_choice(text, record, schedule);
        return;
    }
    st_text_add(text, "{");
    if (record->n_keys) {
        st_text_add(text, "%s: ", record->name);
        write_flow(text, record, schedule);
        st_text_add(text, ", ");
    }
    st_text_add(text, "warmup: ");
    write_number(text, schedule->warmup);
    st_text_add(text, "}");
}

/* A term as a recipe gives it: binary_crossentropy for logits, and their setting. */
static const st_record *term_record(st_loss_settings *settings, const st_key *key, const st_loss_term *term) {
    const bool logits = term->kind == ST_LOSS_LOGITS;
    *settings = (st_loss_settings){.weight = term->weight, .delta = term->delta, .from_logits = logits};
    return &key->records[logits ? ST_LOSS_BINARY_CROSSENTROPY : term->kind];
}

/* mse; {mse: 0.8, mae: 0.2}; {huber: {delta: 0.5, weight: 1}}. */
static void write_loss(st_text *text, const st_key *key, const st_loss *loss) {
    st_loss_settings settings;
    const st_loss_term *only = &loss->term[0];
    if (loss->n == 1 && only->weight == 1 && only->delta == 1 && only->kind != ST_LOSS_LOGITS) {
        st_text_add(text, "%s", term_record(&settings, key, only)->name);
        return;
    }
    st_text_add(text, "{");
    for (int i = 0; i < loss->n; i++) {
        const st_loss_term *term = &loss->term[i];
        const st_record *record = term_record(&settings, key, term);
        st_text_add(text, "%s%s: ", i ? ", " : "", record->name);
        if (loss->n > 1 && term->delta == 1)
            write_float(text, term->weight);
        else
            write_flow(text, record, &settings);
    }
    st_text_add(text, "}");
}

static void write_initializer(st_text *text, const st_key *key, const st_initializer *initializer) {
    write_choice(text, &key->records[initializer->kind], initializer);
}

static void write_shares(st_text *text, const double *share) {
    if (share[0] == share[1]) {
        write_number(text, share[0]);
        return;
    }
    st_text_add(text, "[");
    write_number(text, share[0]);
    st_text_add(text, ", ");
    write_number(text, share[1]);
    st_text_add(text, "]");
}

static void write_margins(st_text *text, const st_layer *layer) {
    const int64_t *before = layer->before, *after = layer->after;
    if (before[0] == after[0] && before[1] == after[1])
        write_pair(text, before);
    else
        st_text_add(text, "[[%lld, %lld], [%lld, %lld]]", (long long)before[0], (long long)after[0],
                    (long long)before[1], (long long)after[1]);
}

static void write_slice(st_text *text, const st_branch *branch) {
    const char *word = st_slice_word(branch->of);
    if (word) st_text_add(text, "{%s: ", word);
    st_text_add(text, "[%lld, %lld]%s", (long long)branch->begin, (long long)branch->end, word ? "}" : "");
}

static void write_units(st_text *text, const st_key *key, const void *base) {
    if (switch_at(base, key->beside))
        st_text_add(text, "input");
    else
        st_text_add(text, "%lld", (long long)integer_at(base, key->offset));
}

/* A value on one line. Sections that stand on lines of their own, and layers, are written by write_block. */
static void write_value(st_text *text, const st_key *key, const void *base) {
    const void *value = place(base, key->offset);
    float slope;
    switch (key->type) {
    case ST_KEY_TEXT: write_text(text, pointer_at(base, key->offset)); break;
    case ST_KEY_INTEGER: st_text_add(text, "%lld", (long long)integer_at(base, key->offset)); break;
    case ST_KEY_NUMBER: write_number(text, number_at(base, key->offset)); break;
    case ST_KEY_SLOPE:
        memcpy(&slope, value, sizeof slope);
        write_float(text, slope);
        break;
    case ST_KEY_SWITCH: st_text_add(text, "%s", switch_at(base, key->offset) ? "true" : "false"); break;
    case ST_KEY_WORD: st_text_add(text, "%s", key->words[count_at(base, key->offset)]); break;
    case ST_KEY_PAIR: write_pair(text, value); break;
    case ST_KEY_SHAPE: write_integers(text, value, count_at(base, key->beside)); break;
    case ST_KEY_INTEGERS: write_integers(text, pointer_at(base, key->offset), count_at(base, key->beside)); break;
    case ST_KEY_TEXTS: write_texts(text, pointer_at(base, key->offset), count_at(base, key->beside)); break;
    case ST_KEY_SECTION: write_flow(text, key->records, base); break;
    case ST_KEY_ACTIVATION: write_activation(text, key, value); break;
    case ST_KEY_VALIDATION: write_validation(text, base); break;
    case ST_KEY_MISSING: write_missing(text, key, base); break;
    case ST_KEY_SCALE: write_scale(text, key, base); break;
    case ST_KEY_CORRUPT: write_flow(text, key->records, value); break;
    case ST_KEY_INTERVAL: write_interval(text, base); break;
    case ST_KEY_NUMBERS: write_numbers(text, key, base); break;
    case ST_KEY_CROP: write_crop(text, value); break;
    case ST_KEY_CHANNELS: write_channels(text, key, value); break;
    case ST_KEY_OPTIMIZER: write_optimizer(text, key, value); break;
    case ST_KEY_LOSS: write_loss(text, key, value); break;
    case ST_KEY_SCHEDULE: write_schedule(text, key, value); break;
    case ST_KEY_INITIALIZER: write_initializer(text, key, value); break;
    case ST_KEY_EITHER: st_text_add(text, "%s", key->words[switch_at(base, key->offset)]); break;
    case ST_KEY_FLIP: st_text_add(text, "%s", key->words[flip_at(base, key->offset)]); break;
    case ST_KEY_SHARES: write_shares(text, value); break;
    case ST_KEY_MARGINS: write_margins(text, base); break;
    case ST_KEY_SLICE: write_slice(text, base); break;
    case ST_KEY_UNITS: write_units(text, key, base); break;
    case ST_KEY_LAYERS:
    case ST_KEY_BRANCH:
    case ST_KEY_BRANCHES: break;
    }
}

/* ---- records ---- */

static bool is_absent(const st_key *key, const void *base);

static bool is_empty(const st_record *record, const void *base) {
    for (size_t i = 0; i < record->n_keys; i++)
        if (!is_absent(&record->keys[i], base)) return false;
    return true;
}

static bool is_absent(const st_key *key, const void *base) {
    const strait_recipe *recipe = base; /* for the types that stand in a recipe only */
    const st_layer *layer = base;       /* and in a layer only */
    const st_schedule *schedule = &recipe->train.schedule;
    const bool optional = !key->fallback && !key->required;
    switch (key->type) {
    case ST_KEY_TEXT: return !pointer_at(base, key->offset);
    case ST_KEY_INTEGER:
    case ST_KEY_PAIR: return optional && integer_at(base, key->offset) == 0;
    case ST_KEY_NUMBER: return optional && number_at(base, key->offset) == 0;
    case ST_KEY_SWITCH: return optional && !switch_at(base, key->offset);
    case ST_KEY_SHAPE: return optional && count_at(base, key->beside) == 0;
    case ST_KEY_TEXTS:
    case ST_KEY_INTEGERS: return count_at(base, key->beside) == 0;
    case ST_KEY_SECTION: return key->beside ? !switch_at(base, key->beside) : is_empty(key->records, base);
    case ST_KEY_VALIDATION: return !recipe->data.validation_split && recipe->data.validation_fraction == 0;
    case ST_KEY_CORRUPT: return !st_corrupt_any(&recipe->data.corrupt);
    case ST_KEY_INTERVAL: return !((const st_corrupt *)base)->clip;
    case ST_KEY_CROP: return !recipe->data.crop.on;
    case ST_KEY_CHANNELS: return recipe->data.channels.kind == ST_CHANNELS_ALL;
    case ST_KEY_WORD: return strcmp(key->name, "split") == 0 && recipe->data.split == ST_SPLIT_LAST;
    case ST_KEY_MISSING: return recipe->data.missing == ST_MISSING_REFUSE;
    case ST_KEY_FLIP: return flip_at(base, key->offset) == 0;
    case ST_KEY_SHARES: return number_at(base, key->offset) == 0 && number_at(base, key->offset + sizeof(double)) == 0;
    case ST_KEY_SCHEDULE: return schedule->kind == ST_SCHEDULE_CONSTANT && schedule->warmup == 0;
    case ST_KEY_INITIALIZER:
        return key->beside ? !switch_at(base, key->beside) : recipe->model.initializer.kind == ST_GLOROT_UNIFORM;
    case ST_KEY_SLICE: return !((const st_branch *)base)->sliced;
    case ST_KEY_BRANCH: return (int)key->offset >= layer->n_branches || layer->branch[key->offset].n_layers == 0;
    default: return false;
    }
}

static void write_flow(st_text *text, const st_record *record, const void *base) {
    bool first = true;
    st_text_add(text, "{");
    for (size_t i = 0; i < record->n_keys; i++) {
        const st_key *key = &record->keys[i];
        if (is_absent(key, base)) continue;
        st_text_add(text, "%s%s: ", first ? "" : ", ", key->name);
        write_value(text, key, base);
        first = false;
    }
    st_text_add(text, "}");
}

static void write_layers(st_text *text, const st_layer *layers, int n, int indent);

/* - slice: [0, 20]
     layers:
       - dense: ... */
static void write_branches(st_text *text, const st_layer *layer, int indent) {
    for (int b = 0; b < layer->n_branches; b++) {
        const st_branch *branch = &layer->branch[b];
        st_text_add(text, "%*s- ", indent, "");
        if (branch->sliced) {
            st_text_add(text, "slice: ");
            write_slice(text, branch);
            st_text_add(text, "\n%*s", indent + 2, "");
        }
        st_text_add(text, "layers:\n");
        write_layers(text, branch->layers, branch->n_layers, indent + 4);
    }
}

/* A gaussian's keys on lines of their own, for those of its branches. */
static void write_gaussian(st_text *text, const st_record *record, const st_layer *layer, int indent) {
    for (size_t i = 0; i < record->n_keys; i++) {
        const st_key *key = &record->keys[i];
        if (is_absent(key, layer)) continue;
        st_text_add(text, "%*s%s:", indent, "", key->name);
        if (key->type == ST_KEY_BRANCH) {
            st_text_add(text, "\n");
            write_layers(text, layer->branch[key->offset].layers, layer->branch[key->offset].n_layers, indent + 2);
            continue;
        }
        st_text_add(text, " ");
        write_value(text, key, layer);
        st_text_add(text, "\n");
    }
}

/* What stands after a layer's name and colon: on the same line, or layers inside it on lines below. */
static void write_layer(st_text *text, const st_record *record, const st_layer *layer, int indent) {
    const bool alone = record->n_keys == 1 && strcmp(record->keys->name, record->name) == 0;
    if (layer->n_branches == 0) {
        st_text_add(text, " ");
        if (alone || record->bare)
            write_value(text, record->keys, layer);
        else
            write_flow(text, record, layer);
        st_text_add(text, "\n");
        return;
    }
    st_text_add(text, "\n");
    if (layer->kind == ST_LAYER_PARALLEL)
        write_branches(text, layer, indent + 4);
    else if (layer->kind == ST_LAYER_GAUSSIAN)
        write_gaussian(text, record, layer, indent + 4);
    else
        write_layers(text, layer->branch->layers, layer->branch->n_layers, indent + 4);
}

static void write_layers(st_text *text, const st_layer *layers, int n, int indent) {
    for (int i = 0; i < n; i++) {
        const st_record *record = st_layer_schema(layers[i].kind);
        st_text_add(text, "%*s- %s%s", indent, "", record->name, record->n_keys ? ":" : "\n");
        if (record->n_keys) write_layer(text, record, &layers[i], indent);
    }
}

/* Sections of the recipe itself stand on lines of their own, those inside them in braces. */
static void write_block(st_text *text, const st_record *record, const strait_recipe *recipe, int indent) {
    for (size_t i = 0; i < record->n_keys; i++) {
        const st_key *key = &record->keys[i];
        if (is_absent(key, recipe)) continue;
        st_text_add(text, "%*s%s:", indent, "", key->name);
        const bool block = key->type == ST_KEY_LAYERS || (key->type == ST_KEY_SECTION && indent == 0);
        st_text_add(text, block ? "\n" : " ");
        if (key->type == ST_KEY_LAYERS)
            write_layers(text, pointer_at(recipe, key->offset), count_at(recipe, key->beside), indent + 2);
        else if (block)
            write_block(text, key->records, recipe, indent + 2);
        else {
            write_value(text, key, recipe);
            st_text_add(text, "\n");
        }
    }
}

STRAIT_API strait_status strait_recipe_to_yaml(char **out, const strait_recipe *recipe, strait_error *err) {
    const char *const texts[] = {recipe->name,
                                 recipe->data.source,
                                 recipe->data.validation_split,
                                 recipe->data.label,
                                 recipe->data.key,
                                 recipe->data.proteins.key,
                                 recipe->data.target,
                                 recipe->data.corrupt.watermark.text,
                                 recipe->data.corrupt.watermark.image};
    *out = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *fault = texts[i] ? st_text_fault(texts[i]) : NULL;
        if (fault) return st_fail(err, STRAIT_ARGUMENT, "'%.200s' %s: it cannot stand in a recipe", texts[i], fault);
    }
    st_text text = {0};
    write_block(&text, st_recipe_schema(), recipe, 0);
    return st_text_take(out, &text, err);
}
