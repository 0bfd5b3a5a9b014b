/* From the tree to the struct, by the tables of schema*.c: records and plain values. Recipe's own kinds of value
   (layers, activations, optimizers, noise) are in recipe_parts.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

#define MAX_VALUES ((int64_t)1 << 31) /* in one sample */

/* ---- messages ---- */

st_key_label st_label_key(const st_record *record, const st_key *key) {
    st_key_label label;
    const bool inside = record->path && record->path[0];
    snprintf(label.text, sizeof label.text, "%s%s%s", inside ? record->path : "", inside ? "." : "", key->name);
    return label;
}

/* Words of a text that a message can carry: all of a short one, the beginning of a long one, whole characters. */
static int shown_length(const char *text) {
    size_t n = strnlen(text, 61);
    if (n > 60) {
        n = 60;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
    }
    return (int)n;
}

strait_status st_fail_type(strait_error *err, const st_record *record, const st_key *key, const st_node *node,
                           const char *wanted) {
    const st_key_label label = st_label_key(record, key);
    if (node->kind == ST_NODE_SEQUENCE)
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s must be %s, not a list of %d", label.text, wanted,
                          node->n_children);
    if (node->kind == ST_NODE_MAP)
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s must be %s, not a map", label.text, wanted);
    const int n = shown_length(node->text);
    return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s must be %s, not '%.*s%s'%s", label.text, wanted, n, node->text,
                      node->text[n] ? "…" : "", node->plain ? "" : " in quotes");
}

strait_status st_fail_unknown(strait_error *err, st_pos pos, const char *what, const char *word, const char *what_in,
                              const char *const *names, size_t n_names) {
    char lower[64]; /* people write ReLU and learningRate elsewhere */
    snprintf(lower, sizeof lower, "%s", word);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    const char *nearest = st_nearest(lower, names, n_names);
    const int n = shown_length(word);
    const char *more = word[n] ? "…" : "";
    if (nearest)
        return st_fail_at(err, STRAIT_RECIPE, pos, "unknown %s '%.*s%s'%s; did you mean '%s'?", what, n, word, more,
                          what_in, nearest);
    char list[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < n_names && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    if (!n_names) return st_fail_at(err, STRAIT_RECIPE, pos, "unknown %s '%.*s%s'%s", what, n, word, more, what_in);
    return st_fail_at(err, STRAIT_RECIPE, pos, "unknown %s '%.*s%s'%s; there %s: %s", what, n, word, more, what_in,
                      n_names == 1 ? "is" : "are", list);
}

#define MAX_NAMES 32

strait_status st_fail_unknown_record(strait_error *err, st_pos pos, const char *what, const char *word,
                                     const st_record *records, size_t n) {
    const char *names[MAX_NAMES];
    for (size_t i = 0; i < n && i < MAX_NAMES; i++)
        names[i] = records[i].name;
    return st_fail_unknown(err, pos, what, word, "", names, n < MAX_NAMES ? n : MAX_NAMES);
}

static strait_status fail_unknown_key(strait_error *err, const st_record *record, const st_node *node) {
    const char *names[MAX_NAMES];
    size_t n = 0;
    for (; n < record->n_keys && n < MAX_NAMES; n++)
        names[n] = record->keys[n].name;
    char in[96] = "";
    if (record->path[0]) snprintf(in, sizeof in, " in %s", record->path);
    return st_fail_unknown(err, node->key_pos, "key", node->key, in, names, n);
}

/* ---- plain values ---- */

static void *place(void *base, size_t offset) {
    return (char *)base + offset;
}

bool st_node_is_null(const st_node *node) {
    if (node->kind != ST_NODE_SCALAR || !node->plain) return false;
    return strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0;
}

bool st_node_is_empty(const st_node *node) {
    return node->kind == ST_NODE_SCALAR && node->plain && !node->text[0];
}

bool st_node_number(double *out, const st_node *node) {
    return node->kind == ST_NODE_SCALAR && node->plain && st_parse_double(out, node->text);
}

strait_status st_read_integer_item(int64_t *out, const st_record *record, const st_key *key, const st_node *node,
                                   strait_error *err) {
    char wanted[64];
    int64_t whole = 0;
    double value;
    if (st_node_number(&value, node) && strspn(node->text, "+-0123456789") == strlen(node->text)) {
        const bool fits = st_parse_int(&whole, node->text);
        if (fits && (double)whole >= key->low && (double)whole <= key->high) {
            *out = whole;
            return STRAIT_OK;
        }
        if (value > key->high) {
            snprintf(wanted, sizeof wanted, "at most %.0f", key->high);
            return st_fail_type(err, record, key, node, wanted);
        }
    }
    snprintf(wanted, sizeof wanted, "a whole number ≥ %.0f", key->low);
    return st_fail_type(err, record, key, node, wanted);
}

static strait_status read_integer(void *base, const st_record *record, const st_key *key, const st_node *node,
                                  strait_error *err) {
    return st_read_integer_item(place(base, key->offset), record, key, node, err);
}

static bool in_range(double value, const st_key *key) {
    if (key->above_low ? value <= key->low : value < key->low) return false;
    return key->below_high ? value < key->high : value <= key->high;
}

static strait_status fail_number(strait_error *err, const st_record *record, const st_key *key, const st_node *node) {
    char low[32], high[32], wanted[96];
    st_print_double(low, key->low);
    st_print_double(high, key->high);
    const bool has_low = isfinite(key->low), has_high = isfinite(key->high);
    snprintf(wanted, sizeof wanted, "a number%s%s%s%s%s", has_low ? key->above_low ? " > " : " ≥ " : "",
             has_low ? low : "", has_low && has_high ? " and" : "", has_high ? key->below_high ? " < " : " ≤ " : "",
             has_high ? high : "");
    return st_fail_type(err, record, key, node, wanted);
}

strait_status st_read_number(void *base, const st_record *record, const st_key *key, const st_node *node,
                             strait_error *err) {
    double value;
    if (!st_node_number(&value, node) || !in_range(value, key)) return fail_number(err, record, key, node);
    memcpy(place(base, key->offset), &value, sizeof value);
    return STRAIT_OK;
}

static strait_status read_slope(void *base, const st_record *record, const st_key *key, const st_node *node,
                                strait_error *err) {
    double value;
    if (!st_node_number(&value, node) || !in_range(value, key)) return fail_number(err, record, key, node);
    const float slope = (float)value;
    memcpy(place(base, key->offset), &slope, sizeof slope);
    return STRAIT_OK;
}

static strait_status read_switch(void *base, const st_record *record, const st_key *key, const st_node *node,
                                 strait_error *err) {
    const bool scalar = node->kind == ST_NODE_SCALAR && node->plain;
    const bool yes = scalar && strcmp(node->text, "true") == 0, no = scalar && strcmp(node->text, "false") == 0;
    if (!yes && !no) return st_fail_type(err, record, key, node, "true or false");
    memcpy(place(base, key->offset), &yes, sizeof yes);
    return STRAIT_OK;
}

/* Which of the key's words stands here. */
static strait_status find_word(size_t *out, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    if (node->kind != ST_NODE_SCALAR) return st_fail_type(err, record, key, node, "a word");
    for (*out = 0; *out < key->n_words; ++*out)
        if (strcmp(key->words[*out], node->text) == 0) return STRAIT_OK;
    return st_fail_unknown(err, node->pos, key->name, node->text, "", key->words, key->n_words);
}

static strait_status read_word(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    size_t index = 0;
    ST_TRY(find_word(&index, record, key, node, err));
    const int value = (int)index;
    memcpy(place(base, key->offset), &value, sizeof value);
    return STRAIT_OK;
}

static strait_status read_either(void *base, const st_record *record, const st_key *key, const st_node *node,
                                 strait_error *err) {
    size_t index = 0;
    ST_TRY(find_word(&index, record, key, node, err));
    const bool second = index == 1;
    memcpy(place(base, key->offset), &second, sizeof second);
    return STRAIT_OK;
}

/* Both flags of the flips: horizontal, vertical, both are 1, 2, 3 in the words' order. */
static strait_status read_flip(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    size_t index = 0;
    ST_TRY(find_word(&index, record, key, node, err));
    const bool flip[2] = {index & 2, index & 1};
    memcpy(place(base, key->offset), flip, sizeof flip);
    return STRAIT_OK;
}

static strait_status read_text(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    if (node->kind != ST_NODE_SCALAR) return st_fail_type(err, record, key, node, "a text");
    const char *fault = st_text_fault(node->text);
    if (fault)
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s %s; write it as one line of plain text",
                          st_label_key(record, key).text, fault);
    char *copy = st_strdup(node->text);
    if (!copy) return st_fail_memory(err, strlen(node->text) + 1, key->name);
    memcpy(place(base, key->offset), &copy, sizeof copy);
    return STRAIT_OK;
}

/* ---- lists of numbers ---- */

static strait_status read_pair(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    int64_t *pair = place(base, key->offset);
    if (node->kind == ST_NODE_MAP || (node->kind == ST_NODE_SEQUENCE && node->n_children != 2))
        return st_fail_type(err, record, key, node, "a whole number or [height, width]");
    const bool list = node->kind == ST_NODE_SEQUENCE;
    ST_TRY(st_read_integer_item(&pair[0], record, key, list ? node->first : node, err));
    return st_read_integer_item(&pair[1], record, key, list ? node->last : node, err);
}

static strait_status read_shape(void *base, const st_record *record, const st_key *key, const st_node *node,
                                strait_error *err) {
    if (node->kind != ST_NODE_SEQUENCE || node->n_children < 1 || node->n_children > 4)
        return st_fail_type(err, record, key, node, "a list like [height, width, channels] or [values]");
    int64_t *dim = place(base, key->offset), product = 1;
    int n = 0;
    for (const st_node *item = node->first; item; item = item->next, n++) {
        ST_TRY(st_read_integer_item(&dim[n], record, key, item, err));
        if (dim[n] > MAX_VALUES / product)
            return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s has more than %lld values in one sample",
                              st_label_key(record, key).text, (long long)MAX_VALUES);
        product *= dim[n];
    }
    memcpy(place(base, key->beside), &n, sizeof n);
    return STRAIT_OK;
}

static strait_status read_integers(void *base, const st_record *record, const st_key *key, const st_node *node,
                                   strait_error *err) {
    if (node->kind != ST_NODE_SEQUENCE || node->n_children == 0)
        return st_fail_type(err, record, key, node, "a list of whole numbers like [0, 1]");
    int64_t *items = st_alloc((size_t)node->n_children, sizeof *items);
    if (!items) return st_fail_memory(err, (size_t)node->n_children * sizeof *items, key->name);
    memcpy(place(base, key->offset), &items, sizeof items); /* the struct's from here on */
    int n = 0;
    for (const st_node *item = node->first; item; item = item->next)
        ST_TRY(st_read_integer_item(&items[n++], record, key, item, err));
    memcpy(place(base, key->beside), &n, sizeof n);
    return STRAIT_OK;
}

/* A list of texts; one text alone is a list of it. What has been read is the struct's at any moment. */
static strait_status read_texts(void *base, const st_record *record, const st_key *key, const st_node *node,
                                strait_error *err) {
    const bool list = node->kind == ST_NODE_SEQUENCE;
    if (node->kind == ST_NODE_MAP || (list && node->n_children == 0))
        return st_fail_type(err, record, key, node, "a list of texts");
    char **items = st_alloc(list ? (size_t)node->n_children : 1, sizeof *items);
    if (!items) return st_fail_memory(err, sizeof *items, key->name);
    memcpy(place(base, key->offset), &items, sizeof items);
    const st_key item_key = {.name = key->name, .type = ST_KEY_TEXT};
    int n = 0;
    for (const st_node *item = list ? node->first : node; item && (list || n == 0); item = item->next) {
        ST_TRY(read_text(&items[n++], record, &item_key, item, err));
        memcpy(place(base, key->beside), &n, sizeof n);
    }
    return STRAIT_OK;
}

static strait_status read_interval(void *base, const st_record *record, const st_key *key, const st_node *node,
                                   strait_error *err) {
    st_corrupt *corrupt = base;
    const bool pair = node->kind == ST_NODE_SEQUENCE && node->n_children == 2;
    if (!pair || !st_node_number(&corrupt->clip_low, node->first) || !st_node_number(&corrupt->clip_high, node->last) ||
        corrupt->clip_low >= corrupt->clip_high) {
        if (!pair) return st_fail_type(err, record, key, node, "[low, high]");
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s must be two numbers [low, high] with low < high",
                          st_label_key(record, key).text);
    }
    corrupt->clip = true;
    return STRAIT_OK;
}

/* ---- records ---- */

static strait_status read_section(void *base, const st_record *record, const st_key *key, const st_node *node,
                                  strait_error *err) {
    (void)record;
    const bool on = true;
    if (key->beside) memcpy(place(base, key->beside), &on, sizeof on);
    return st_read_record(base, key->records, node, node->pos, err);
}

static st_key_reader *const readers[] = {
    [ST_KEY_TEXT] = read_text,
    [ST_KEY_INTEGER] = read_integer,
    [ST_KEY_NUMBER] = st_read_number,
    [ST_KEY_SLOPE] = read_slope,
    [ST_KEY_SWITCH] = read_switch,
    [ST_KEY_WORD] = read_word,
    [ST_KEY_PAIR] = read_pair,
    [ST_KEY_SHAPE] = read_shape,
    [ST_KEY_INTEGERS] = read_integers,
    [ST_KEY_TEXTS] = read_texts,
    [ST_KEY_INTERVAL] = read_interval,
    [ST_KEY_SECTION] = read_section,
    [ST_KEY_ACTIVATION] = st_read_activation,
    [ST_KEY_LAYERS] = st_read_layers,
    [ST_KEY_VALIDATION] = st_read_validation,
    [ST_KEY_MISSING] = st_read_missing,
    [ST_KEY_SCALE] = st_read_scale,
    [ST_KEY_CORRUPT] = st_read_corrupt,
    [ST_KEY_OPTIMIZER] = st_read_optimizer,
    [ST_KEY_LOSS] = st_read_loss,
    [ST_KEY_SCHEDULE] = st_read_schedule,
    [ST_KEY_INITIALIZER] = st_read_initializer,
    [ST_KEY_EITHER] = read_either,
    [ST_KEY_FLIP] = read_flip,
    [ST_KEY_SHARES] = st_read_shares,
    [ST_KEY_MARGINS] = st_read_margins,
    [ST_KEY_SLICE] = st_read_slice,
    [ST_KEY_UNITS] = st_read_units,
    [ST_KEY_BRANCH] = st_read_branch,
    [ST_KEY_BRANCHES] = st_read_branches,
    [ST_KEY_NUMBERS] = st_read_numbers,
    [ST_KEY_CROP] = st_read_crop,
    [ST_KEY_CHANNELS] = st_read_channels,
};

strait_status st_read_key(void *base, const st_record *record, const st_key *key, const st_node *node,
                          strait_error *err) {
    if (key->pos) memcpy(place(base, key->pos), &node->pos, sizeof node->pos);
    if (st_node_is_empty(node))
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s is empty: give it a value, or leave the key out",
                          st_label_key(record, key).text);
    return readers[key->type](base, record, key, node, err);
}

/* A key that is left out: its default, where it has one. */
static strait_status read_absent(void *base, const st_record *record, const st_key *key, st_pos where,
                                 strait_error *err) {
    const st_pos nowhere = {.file = where.file};
    if (key->required)
        return st_fail_at(err, STRAIT_RECIPE, where, "%s needs '%s': %s", record->path[0] ? record->path : "the recipe",
                          key->name, key->doc);
    if (key->pos) memcpy(place(base, key->pos), &nowhere, sizeof nowhere);
    if (key->fallback) {
        const st_node node = {.kind = ST_NODE_SCALAR, .plain = true, .text = key->fallback, .pos = nowhere};
        return readers[key->type](base, record, key, &node, err);
    }
    if (key->type == ST_KEY_SECTION && !key->beside) return st_read_record(base, key->records, NULL, where, err);
    return STRAIT_OK;
}

static const st_key *find_key(const st_record *record, const char *name) {
    for (size_t i = 0; i < record->n_keys; i++)
        if (strcmp(record->keys[i].name, name) == 0) return &record->keys[i];
    return NULL;
}

strait_status st_read_record(void *base, const st_record *record, const st_node *node, st_pos where,
                             strait_error *err) {
    if (node && node->kind != ST_NODE_MAP)
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s must be a map of keys, as {%s: ...}, not %s", record->path,
                          record->keys->name, node->kind == ST_NODE_SEQUENCE ? "a list" : "a single value");
    for (const st_node *child = node ? node->first : NULL; child; child = child->next)
        if (!find_key(record, child->key)) return fail_unknown_key(err, record, child);
    for (size_t i = 0; i < record->n_keys; i++) {
        const st_key *key = &record->keys[i];
        const st_node *child = node ? st_node_find(node, key->name) : NULL;
        if (child && !st_node_is_null(child))
            ST_TRY(st_read_key(base, record, key, child, err));
        else
            ST_TRY(read_absent(base, record, key, where, err));
    }
    return STRAIT_OK;
}
