/* From the tree to the struct: how data is scaled, cut, mixed and corrupted. */
#include <string.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

/* More numbers than that are no scaling to keep in a recipe. */
#define MAX_FITTED 16384

/* A number, or a list of them: st_numbers beside the double. */
strait_status st_read_numbers(void *base, const st_record *record, const st_key *key, const st_node *node,
                              strait_error *err) {
    if (node->kind != ST_NODE_SEQUENCE) return st_read_number(base, record, key, node, err);
    if (node->n_children == 0 || node->n_children > MAX_FITTED)
        return st_fail_type(err, record, key, node, "a number, or a list of 1 to 16384 of them");
    st_numbers list = {.value = st_alloc((size_t)node->n_children, sizeof *list.value)};
    if (!list.value) return st_fail_memory(err, (size_t)node->n_children * sizeof *list.value, key->name);
    memcpy((char *)base + key->beside, &list, sizeof list); /* the struct's from here on */
    st_key item_key = *key;
    item_key.offset = 0;
    for (const st_node *item = node->first; item; item = item->next)
        ST_TRY(st_read_number(&list.value[list.n++], record, &item_key, item, err));
    memcpy((char *)base + key->beside, &list, sizeof list);
    return STRAIT_OK;
}

/* A word; or {mean: [1, 2]}, as a training has found them. */
strait_status st_read_missing(void *base, const st_record *record, const st_key *key, const st_node *node,
                              strait_error *err) {
    strait_recipe *recipe = base;
    const bool map = node->kind == ST_NODE_MAP && node->n_children == 1;
    if (node->kind != ST_NODE_SCALAR && !map) return st_fail_type(err, record, key, node, "refuse, zero, mean or drop");
    const char *word = map ? node->first->key : node->text;
    size_t i = 0;
    while (i < key->n_words && strcmp(key->words[i], word) != 0)
        i++;
    if (i == key->n_words)
        return st_fail_unknown(err, map ? node->first->key_pos : node->pos, key->name, word, "", key->words,
                               key->n_words);
    recipe->data.missing = (st_missing)i;
    if (!map || st_node_is_null(node->first)) return STRAIT_OK;
    if (i != ST_MISSING_MEAN)
        return st_fail_at(err, STRAIT_RECIPE, node->first->pos, "%s has no settings: write '%s' alone", word, word);
    if (node->first->kind != ST_NODE_SEQUENCE)
        return st_fail_at(err, STRAIT_RECIPE, node->first->pos, "mean: a list of numbers, one for each feature");
    return st_read_numbers(recipe, record, key, node->first, err);
}

/* Offset and factor go together: both numbers, both lists as long, or neither. */
static strait_status check_fitted(const strait_recipe *recipe, const st_record *record, const st_node *body,
                                  strait_error *err) {
    const st_node *offset = st_node_find(body, "offset"), *factor = st_node_find(body, "factor");
    const char *lacks = offset && !factor ? "factor" : factor && !offset ? "offset" : NULL;
    if (lacks)
        return st_fail_at(err, STRAIT_RECIPE, body->pos, "%s needs '%s' too, or neither: both are fitted then",
                          record->path, lacks);
    if (recipe->data.offsets.n != recipe->data.factors.n)
        return st_fail_at(err, STRAIT_RECIPE, factor->pos, "%s: offset and factor must be as many numbers",
                          record->path);
    if (!factor || (recipe->data.factors.n > 0) == recipe->data.scale_features) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, factor->pos, "%s: %s", record->path,
                      recipe->data.scale_features ? "per: feature takes lists of numbers"
                                                  : "lists of numbers take per: feature");
}

strait_status st_read_scale(void *base, const st_record *record, const st_key *key, const st_node *node,
                            strait_error *err) {
    strait_recipe *recipe = base;
    if (node->kind == ST_NODE_SCALAR) {
        for (size_t i = 0; i < key->n_words; i++)
            if (strcmp(key->words[i], node->text) == 0) {
                recipe->data.scale = (st_scale)i;
                return STRAIT_OK;
            }
        return st_fail_unknown(err, node->pos, "scale", node->text, "", key->words, key->n_words);
    }
    const st_record *fitted;
    const st_node *body;
    if (node->kind != ST_NODE_MAP) return st_fail_type(err, record, key, node, "unit, minmax, standard or none");
    ST_TRY(st_read_choice(&fitted, &body, key, node, "scale with settings", err));
    recipe->data.scale = (st_scale)(ST_SCALE_MINMAX + (fitted - key->records));
    ST_TRY(st_read_record(recipe, fitted, body, node->pos, err));
    return body ? check_fitted(recipe, fitted, body, err) : STRAIT_OK;
}

static strait_status check_watermark(const st_corrupt *corrupt, const st_node *node, strait_error *err) {
    const st_node *watermark = st_node_find(node, "watermark");
    const char *text = corrupt->watermark.text, *image = corrupt->watermark.image;
    if ((text != NULL) == (image != NULL))
        return st_fail_at(err, STRAIT_RECIPE, watermark->pos, "data.corrupt.watermark needs %s: text or image",
                          text ? "one of both" : "one");
    for (const char *c = text; c && *c; c++)
        if (*c < ' ' || *c > '~')
            return st_fail_at(err, STRAIT_RECIPE, watermark->pos,
                              "data.corrupt.watermark.text can be drawn in ASCII alone; give an image for more");
    return STRAIT_OK;
}

strait_status st_read_corrupt(void *base, const st_record *record, const st_key *key, const st_node *node,
                              strait_error *err) {
    (void)record;
    st_corrupt *corrupt = (void *)((char *)base + key->offset);
    ST_TRY(st_read_record(corrupt, key->records, node, node->pos, err));
    if (corrupt->watermark.on) ST_TRY(check_watermark(corrupt, node, err));
    const st_record *kinds = key->records;
    for (size_t i = 0; i < kinds->n_keys; i++) {
        const st_node *kind = st_node_find(node, kinds->keys[i].name);
        if (kind && !st_node_is_null(kind) && kinds->keys[i].type != ST_KEY_INTERVAL) return STRAIT_OK;
    }
    return st_fail_at(err, STRAIT_RECIPE, node->pos,
                      "%s needs one of: gaussian, speckle, salt_pepper, mask, blocks, watermark", kinds->path);
}

/* {top: 10, left: 20, height: 96, width: 96} */
static strait_status read_box(st_crop *crop, const st_record *record, const st_key *key, const st_node *node,
                              strait_error *err) {
#define IN_CROP(member) .type = ST_KEY_INTEGER, .offset = offsetof(st_crop, member), .high = key->high, .required = true
    const st_key keys[] = {
        {.name = "top", IN_CROP(top), .low = 0, .doc = "its first row, from 0"},
        {.name = "left", IN_CROP(left), .low = 0, .doc = "its first column, from 0"},
        {.name = "height", IN_CROP(height), .low = 1, .doc = "its rows"},
        {.name = "width", IN_CROP(width), .low = 1, .doc = "its columns"},
    };
#undef IN_CROP
    const st_record box = {.name = key->name, .path = st_label_key(record, key).text, .keys = keys, .n_keys = 4};
    crop->box = true;
    return st_read_record(crop, &box, node, node->pos, err);
}

strait_status st_read_crop(void *base, const st_record *record, const st_key *key, const st_node *node,
                           strait_error *err) {
    st_crop *crop = (void *)((char *)base + key->offset);
    crop->on = true;
    if (node->kind == ST_NODE_MAP) return read_box(crop, record, key, node, err);
    const bool list = node->kind == ST_NODE_SEQUENCE;
    if (list && node->n_children != 2)
        return st_fail_type(err, record, key, node, "a whole number, [height, width] or {top, left, height, width}");
    st_key size = *key;
    size.low = 1;
    ST_TRY(st_read_integer_item(&crop->height, record, &size, list ? node->first : node, err));
    return st_read_integer_item(&crop->width, record, &size, list ? node->last : node, err);
}

strait_status st_read_channels(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    st_channels *channels = (void *)((char *)base + key->offset);
    if (node->kind == ST_NODE_SCALAR) {
        for (size_t i = 0; i < key->n_words; i++)
            if (strcmp(key->words[i], node->text) == 0) {
                channels->kind = (st_channels_kind)(i + 1);
                return STRAIT_OK;
            }
        return st_fail_unknown(err, node->pos, key->name, node->text, "", key->words, key->n_words);
    }
    if (node->kind != ST_NODE_SEQUENCE || node->n_children == 0 || node->n_children > ST_MAX_CHANNELS)
        return st_fail_type(err, record, key, node, "a word, or a list of 1 to 64 channels like [0, 2]");
    channels->kind = ST_CHANNELS_PICK;
    for (const st_node *item = node->first; item; item = item->next)
        ST_TRY(st_read_integer_item(&channels->pick[channels->n++], record, key, item, err));
    return STRAIT_OK;
}
