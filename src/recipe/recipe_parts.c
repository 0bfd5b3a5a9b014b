/* From the tree to the struct: the values that are a recipe's own. Most are a choice: a word, or a map of one key
   that gives the word its settings. */
#include <string.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

/* ---- choices ---- */

const st_record *st_find_record(const st_record *records, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(records[i].name, name) == 0) return &records[i];
    return NULL;
}

/* Two keys where one choice must stand: two choices, or (more often) settings that are not indented far enough. */
static strait_status fail_two(const st_key *key, const st_node *node, const char *what, strait_error *err) {
    const st_node *one = node->first, *other = one->next;
    if (!st_find_record(key->records, key->n_records, one->key)) {
        one = other;
        other = node->first;
    }
    if (st_find_record(key->records, key->n_records, other->key))
        return st_fail_at(err, STRAIT_RECIPE, other->key_pos, "'%.40s' beside '%.40s': name one %s", other->key,
                          one->key, what);
    return st_fail_at(err, STRAIT_RECIPE, other->key_pos,
                      "'%.40s' stands beside '%.40s', not inside it: write {%.40s: {%.40s: ...}}, or indent it further",
                      other->key, one->key, one->key, other->key);
}

strait_status st_read_choice(const st_record **record, const st_node **body, const st_key *key, const st_node *node,
                             const char *what, strait_error *err) {
    const bool map = node->kind == ST_NODE_MAP;
    if (node->kind == ST_NODE_SEQUENCE || (map && node->n_children == 0))
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s: one %s must stand here, not %s", key->name, what,
                          map ? "an empty map" : "a list");
    if (map && node->n_children > 1) return fail_two(key, node, what, err);
    const char *word = map ? node->first->key : node->text;
    *record = st_find_record(key->records, key->n_records, word);
    if (!*record)
        return st_fail_unknown_record(err, map ? node->first->key_pos : node->pos, what, word, key->records,
                                      key->n_records);
    *body = map && !st_node_is_null(node->first) ? node->first : NULL;
    if (!*body) return STRAIT_OK;
    if ((*record)->n_keys == 0)
        return st_fail_at(err, STRAIT_RECIPE, (*body)->pos, "%s has no settings: write '%s' alone", word, word);
    if (st_node_is_empty(*body))
        return st_fail_at(err, STRAIT_RECIPE, (*body)->pos, "%s is empty: its settings must follow, indented or in {}",
                          word);
    return STRAIT_OK;
}

strait_status st_read_activation(void *base, const st_record *record, const st_key *key, const st_node *node,
                                 strait_error *err) {
    (void)record;
    st_activation *activation = (void *)((char *)base + key->offset);
    const st_record *chosen;
    const st_node *body;
    ST_TRY(st_read_choice(&chosen, &body, key, node, "activation", err));
    activation->kind = (st_activation_kind)(chosen - key->records);
    return chosen->n_keys ? st_read_record(activation, chosen, body, node->pos, err) : STRAIT_OK;
}

strait_status st_read_optimizer(void *base, const st_record *record, const st_key *key, const st_node *node,
                                strait_error *err) {
    (void)record;
    st_optimizer *optimizer = (void *)((char *)base + key->offset);
    const st_record *chosen;
    const st_node *body;
    ST_TRY(st_read_choice(&chosen, &body, key, node, "optimizer", err));
    optimizer->kind = (st_optimizer_kind)(chosen - key->records);
    ST_TRY(st_read_record(optimizer, chosen, body, node->pos, err));
    if (optimizer->nesterov && optimizer->momentum == 0)
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "nesterov: true needs a momentum above 0, 0.9 for one");
    return STRAIT_OK;
}

strait_status st_read_initializer(void *base, const st_record *record, const st_key *key, const st_node *node,
                                  strait_error *err) {
    (void)record;
    st_initializer *initializer = (void *)((char *)base + key->offset);
    const st_record *chosen;
    const st_node *body;
    const bool given = true;
    if (key->beside) memcpy((char *)base + key->beside, &given, sizeof given);
    ST_TRY(st_read_choice(&chosen, &body, key, node, "initializer", err));
    initializer->kind = (st_initializer_kind)(chosen - key->records);
    return chosen->n_keys ? st_read_record(initializer, chosen, body, node->pos, err) : STRAIT_OK;
}

/* ---- data ---- */

strait_status st_read_validation(void *base, const st_record *record, const st_key *key, const st_node *node,
                                 strait_error *err) {
    strait_recipe *recipe = base;
    double fraction;
    const bool number = st_node_number(&fraction, node);
    if (node->kind != ST_NODE_SCALAR || (number && !(fraction > 0 && fraction < 1)) ||
        (!number && st_name_fault(node->text)))
        return st_fail_type(err, record, key, node, "a fraction between 0 and 1, or the name of a split");
    if (number) {
        recipe->data.validation_fraction = fraction;
        return STRAIT_OK;
    }
    recipe->data.validation_split = st_strdup(node->text);
    return recipe->data.validation_split ? STRAIT_OK : st_fail_memory(err, strlen(node->text) + 1, key->name);
}

strait_status st_read_shares(void *base, const st_record *record, const st_key *key, const st_node *node,
                             strait_error *err) {
    if (node->kind == ST_NODE_MAP || (node->kind == ST_NODE_SEQUENCE && node->n_children != 2))
        return st_fail_type(err, record, key, node, "a number or [vertical, horizontal]");
    const bool list = node->kind == ST_NODE_SEQUENCE;
    st_key second = *key;
    second.offset += sizeof(double);
    ST_TRY(st_read_number(base, record, key, list ? node->first : node, err));
    return st_read_number(base, record, &second, list ? node->last : node, err);
}

/* ---- training ---- */

/* One term: its weight alone (mse: 0.8), its settings, or nothing. */
static strait_status read_term(st_loss_term *term, const st_key *key, const st_node *node, strait_error *err) {
    const st_record *record = st_find_record(key->records, key->n_records, node->key);
    if (!record) return st_fail_unknown_record(err, node->key_pos, key->name, node->key, key->records, key->n_records);
    st_loss_settings settings = {.weight = 1, .delta = 1};
    const st_key *weight = &record->keys[record->n_keys - 1]; /* each loss has one, the last of its keys */
    if (st_node_is_null(node))
        ST_TRY(st_read_record(&settings, record, NULL, node->pos, err));
    else if (node->kind == ST_NODE_MAP)
        ST_TRY(st_read_record(&settings, record, node, node->pos, err));
    else
        ST_TRY(st_read_key(&settings, record, weight, node, err));
    *term = (st_loss_term){
        .kind = (st_loss_kind)(record - key->records), .weight = settings.weight, .delta = settings.delta};
    if (settings.from_logits) term->kind = ST_LOSS_LOGITS;
    return STRAIT_OK;
}

strait_status st_read_loss(void *base, const st_record *record, const st_key *key, const st_node *node,
                           strait_error *err) {
    st_loss *loss = (void *)((char *)base + key->offset);
    if (node->kind == ST_NODE_MAP && node->n_children == 0)
        return st_fail_at(err, STRAIT_RECIPE, node->pos,
                          "%s must be a word, or a map of losses and their weights, not an empty map",
                          st_label_key(record, key).text);
    if (node->kind == ST_NODE_SEQUENCE)
        return st_fail_type(err, record, key, node, "a word, or a map of losses and their weights");
    if (node->kind == ST_NODE_SCALAR) {
        st_node word = {.kind = ST_NODE_MAP, .key = node->text, .key_pos = node->pos, .pos = node->pos};
        loss->n = 1;
        return read_term(&loss->term[0], key, &word, err);
    }
    const st_node *logits = NULL;
    for (const st_node *item = node->first; item; item = item->next) {
        if (loss->n == ST_MAX_LOSS_TERMS)
            return st_fail_at(err, STRAIT_RECIPE, item->key_pos, "more than %d losses in a sum", ST_MAX_LOSS_TERMS);
        ST_TRY(read_term(&loss->term[loss->n], key, item, err));
        if (loss->term[loss->n++].kind == ST_LOSS_LOGITS) logits = item;
    }
    if (!logits || loss->n == 1) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, logits->key_pos,
                      "binary_crossentropy from_logits stands alone: the other losses need the result after the "
                      "sigmoid; leave from_logits out and give the last layer activation: sigmoid");
}

/* A word, or a map of one schedule and the warm-up beside it. */
strait_status st_read_schedule(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    static const st_key warmup_key = {.name = "warmup",
                                      .type = ST_KEY_NUMBER,
                                      .offset = offsetof(st_schedule, warmup),
                                      .high = 1e6,
                                      .doc = "epochs in which the learning rate grows from 0"};
    static const st_record around = {.name = "schedule", .path = "train.schedule", .keys = &warmup_key, .n_keys = 1};
    st_schedule *schedule = (void *)((char *)base + key->offset);
    if (node->kind == ST_NODE_SEQUENCE)
        return st_fail_type(err, record, key, node, "a word, or a map of a schedule and its settings");
    const st_node *warmup = node->kind == ST_NODE_MAP ? st_node_find(node, warmup_key.name) : NULL;
    st_node alone = *node, kept[2]; /* the map without the warm-up; two keys are enough for a message about them */
    if (warmup) {
        ST_TRY(st_read_key(schedule, &around, &warmup_key, warmup, err));
        alone.n_children = 0;
        for (const st_node *child = node->first; child && alone.n_children < 2; child = child->next)
            if (child != warmup) kept[alone.n_children++] = *child;
        if (alone.n_children == 0) return STRAIT_OK; /* constant */
        kept[0].next = alone.n_children == 2 ? &kept[1] : NULL;
        alone.first = &kept[0];
    }
    const st_record *chosen;
    const st_node *body;
    ST_TRY(st_read_choice(&chosen, &body, key, &alone, "schedule", err));
    schedule->kind = (st_schedule_kind)(chosen - key->records);
    if (schedule->kind == ST_SCHEDULE_ONE_CYCLE && warmup)
        return st_fail_at(err, STRAIT_RECIPE, warmup->key_pos,
                          "one_cycle warms up by itself (for the share of steps in one_cycle.rise): leave warmup out");
    return chosen->n_keys ? st_read_record(schedule, chosen, body, node->pos, err) : STRAIT_OK;
}
