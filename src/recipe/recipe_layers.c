/* Layers: read from the tree, copied and freed with all the layers inside them, and what only the whole model tells
   about them. Layers nest no deeper than the tree they are read from (ST_TREE_MAX_DEPTH), so recursion is bounded. */
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

/* ---- reading ---- */

/* Whether the record's one key has its own name: reshape: [28, 28, 1]. */
static bool stands_alone(const st_record *record) {
    return record->n_keys == 1 && strcmp(record->keys[0].name, record->name) == 0;
}

/* gaussian: {units: 10}, or {mean: [...], log_variance: [...]}. */
static strait_status check_gaussian(const st_layer *layer, strait_error *err) {
    const bool mean = layer->branch && layer->branch[0].n_layers, variance = layer->branch && layer->branch[1].n_layers;
    if (layer->units && (mean || variance))
        return st_fail_at(err, STRAIT_RECIPE, layer->pos,
                          "gaussian has both 'units' and '%s': give units, or the layers of mean and log_variance",
                          mean ? "mean" : "log_variance");
    if (mean != variance)
        return st_fail_at(err, STRAIT_RECIPE, layer->pos, "gaussian has '%s' but not '%s': it needs the layers of both",
                          mean ? "mean" : "log_variance", mean ? "log_variance" : "mean");
    if (layer->units || mean) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, layer->pos,
                      "gaussian needs 'units': size of the latent (or the layers of mean and log_variance)");
}

/* Branches take slices of the input, or the whole of it; not some this and some that. */
static strait_status check_slices(const st_layer *layer, strait_error *err) {
    for (int i = 1; i < layer->n_branches; i++) {
        if (layer->branch[i].sliced == layer->branch[0].sliced) continue;
        const int without = layer->branch[0].sliced ? i : 0;
        return st_fail_at(err, STRAIT_RECIPE, layer->branch[without].pos,
                          "branch %d of parallel has no 'slice', but branch %d has: give one to each, or to none",
                          without, without ? 0 : i);
    }
    return STRAIT_OK;
}

/* Defaults that depend on other keys, and what the keys must be together. */
static strait_status finish_layer(st_layer *layer, strait_error *err) {
    switch (layer->kind) {
    case ST_LAYER_MAX_POOL2D:
    case ST_LAYER_AVG_POOL2D:
        if (layer->strides[0] == 0) memcpy(layer->strides, layer->size, sizeof layer->strides);
        return STRAIT_OK;
    case ST_LAYER_GAUSSIAN: return check_gaussian(layer, err);
    case ST_LAYER_DENSE:
    case ST_LAYER_CONV2D:
    case ST_LAYER_CONV2D_TRANSPOSE:
        if (layer->bias || layer->bias_start == 0) return STRAIT_OK;
        return st_fail_at(err, STRAIT_RECIPE, layer->pos,
                          "bias_start is given and bias is false; leave one of them out");
    case ST_LAYER_PARALLEL: return check_slices(layer, err);
    default: return STRAIT_OK;
    }
}

static strait_status read_layer(st_layer *layer, const st_key *key, const st_node *node, strait_error *err) {
    const st_record *record;
    const st_node *body;
    layer->pos = node->pos;
    ST_TRY(st_read_choice(&record, &body, key, node, "layer", err));
    layer->kind = (st_layer_kind)(record - key->records);
    if (stands_alone(record) && !body)
        return st_fail_at(err, STRAIT_RECIPE, node->pos, "%s needs a value: %s", record->name, record->keys[0].doc);
    if (stands_alone(record) || (record->bare && body && body->kind != ST_NODE_MAP))
        ST_TRY(st_read_key(layer, record, &record->keys[0], body, err));
    else if (record->n_keys)
        ST_TRY(st_read_record(layer, record, body, node->pos, err));
    return finish_layer(layer, err);
}

/* A list of layers; what has been read is the owner's at any moment. */
static strait_status read_list(st_layer **layers, int *n, const st_record *record, const st_key *key,
                               const st_node *node, strait_error *err) {
    if (node->kind != ST_NODE_SEQUENCE || node->n_children == 0)
        return st_fail_type(err, record, key, node, "a list of layers, at least one");
    *layers = st_alloc((size_t)node->n_children, sizeof **layers);
    if (!*layers) return st_fail_memory(err, (size_t)node->n_children * sizeof **layers, key->name);
    *n = node->n_children;
    st_layer *layer = *layers;
    for (const st_node *item = node->first; item; item = item->next)
        ST_TRY(read_layer(layer++, key, item, err));
    return STRAIT_OK;
}

strait_status st_read_layers(void *base, const st_record *record, const st_key *key, const st_node *node,
                             strait_error *err) {
    st_layer *layers = NULL;
    int n = 0;
    const strait_status status = read_list(&layers, &n, record, key, node, err);
    memcpy((char *)base + key->offset, &layers, sizeof layers);
    memcpy((char *)base + key->beside, &n, sizeof n);
    return status;
}

static strait_status new_branches(st_layer *layer, int n, strait_error *err) {
    if (layer->branch) return STRAIT_OK;
    layer->branch = st_alloc((size_t)n, sizeof *layer->branch);
    if (!layer->branch) return st_fail_memory(err, (size_t)n * sizeof *layer->branch, "a layer's branches");
    layer->n_branches = n;
    return STRAIT_OK;
}

strait_status st_read_branch(void *base, const st_record *record, const st_key *key, const st_node *node,
                             strait_error *err) {
    st_layer *layer = base;
    ST_TRY(new_branches(layer, layer->kind == ST_LAYER_GAUSSIAN ? 2 : 1, err));
    st_branch *branch = &layer->branch[key->offset];
    branch->pos = node->pos;
    return read_list(&branch->layers, &branch->n_layers, record, key, node, err);
}

strait_status st_read_branches(void *base, const st_record *record, const st_key *key, const st_node *node,
                               strait_error *err) {
    st_layer *layer = base;
    if (node->kind != ST_NODE_SEQUENCE || node->n_children == 0)
        return st_fail_type(err, record, key, node, "a list of branches, at least one");
    ST_TRY(new_branches(layer, node->n_children, err));
    st_branch *branch = layer->branch;
    for (const st_node *item = node->first; item; item = item->next, branch++) {
        branch->pos = item->pos;
        ST_TRY(st_read_record(branch, key->records, item, item->pos, err));
    }
    return STRAIT_OK;
}

/* One axis: n at both ends, or [before, after]. */
static strait_status read_margin(int64_t *before, int64_t *after, const st_record *record, const st_key *key,
                                 const st_node *node, strait_error *err) {
    const bool list = node->kind == ST_NODE_SEQUENCE;
    if (node->kind == ST_NODE_MAP || (list && node->n_children != 2))
        return st_fail_type(err, record, key, node, "n, [rows, columns] or [[top, bottom], [left, right]]");
    ST_TRY(st_read_integer_item(before, record, key, list ? node->first : node, err));
    return st_read_integer_item(after, record, key, list ? node->last : node, err);
}

strait_status st_read_margins(void *base, const st_record *record, const st_key *key, const st_node *node,
                              strait_error *err) {
    st_layer *layer = base;
    const bool list = node->kind == ST_NODE_SEQUENCE;
    if (node->kind == ST_NODE_MAP || (list && node->n_children != 2))
        return st_fail_type(err, record, key, node, "n, [rows, columns] or [[top, bottom], [left, right]]");
    ST_TRY(read_margin(&layer->before[0], &layer->after[0], record, key, list ? node->first : node, err));
    return read_margin(&layer->before[1], &layer->after[1], record, key, list ? node->last : node, err);
}

/* ---- where a gaussian may stand ---- */

static strait_status refuse_gaussian(const st_layer *layers, int n, const char *place, strait_error *err) {
    for (int i = 0; i < n; i++) {
        if (layers[i].kind == ST_LAYER_GAUSSIAN)
            return st_fail_at(err, STRAIT_RECIPE, layers[i].pos,
                              "gaussian makes the latent: it must be the encoder's last layer, not %s", place);
        for (int b = 0; b < layers[i].n_branches; b++) {
            char inside[48];
            snprintf(inside, sizeof inside, "inside %s", st_layer_name(layers[i].kind));
            ST_TRY(refuse_gaussian(layers[i].branch[b].layers, layers[i].branch[b].n_layers, inside, err));
        }
    }
    return STRAIT_OK;
}

/* The activation that the layers, or a branch of the last of them, end in; shapes alone are changed after it. */
static st_activation_kind last_activation(const st_layer *layers, int n) {
    for (int i = n - 1; i >= 0; i--)
        switch (layers[i].kind) {
        case ST_LAYER_FLATTEN:
        case ST_LAYER_RESHAPE:
        case ST_LAYER_CROP2D:
        case ST_LAYER_UPSAMPLE2D: break;
        case ST_LAYER_ACTIVATION:
            if (layers[i].activation.kind != ST_LINEAR) return layers[i].activation.kind;
            break;
        case ST_LAYER_PARALLEL:
            for (int b = 0; b < layers[i].n_branches; b++) {
                const st_branch *branch = &layers[i].branch[b];
                const st_activation_kind last = last_activation(branch->layers, branch->n_layers);
                if (last != ST_LINEAR) return last;
            }
            return ST_LINEAR;
        default: return layers[i].activation.kind;
        }
    return ST_LINEAR;
}

strait_status st_layers_check(const strait_recipe *recipe, strait_error *err) {
    const int n = recipe->model.n_encoder;
    const st_layer *encoder = recipe->model.encoder;
    const bool gaussian = encoder[n - 1].kind == ST_LAYER_GAUSSIAN;
    ST_TRY(refuse_gaussian(encoder, gaussian ? n - 1 : n, "followed by others", err));
    for (int b = 0; gaussian && b < encoder[n - 1].n_branches; b++)
        ST_TRY(refuse_gaussian(encoder[n - 1].branch[b].layers, encoder[n - 1].branch[b].n_layers, "inside gaussian",
                               err));
    ST_TRY(refuse_gaussian(recipe->model.decoder, recipe->model.n_decoder, "in the decoder", err));
    const st_activation_kind last = last_activation(recipe->model.decoder, recipe->model.n_decoder);
    if (recipe->train.loss.term[0].kind != ST_LOSS_LOGITS || last == ST_LINEAR) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, recipe->train.loss_pos,
                      "from_logits: true wants the decoder's last layer without an activation, but it has %s; leave "
                      "from_logits or the activation out (the model adds the sigmoid itself)",
                      st_activation_name(last));
}

/* ---- copied, freed, walked ---- */

static bool copy_branches(st_layer *copy, const st_layer *original) {
    copy->n_branches = 0;
    copy->branch = original->n_branches ? st_alloc((size_t)original->n_branches, sizeof *copy->branch) : NULL;
    if (original->n_branches && !copy->branch) return false;
    for (int b = 0; b < original->n_branches; b++) {
        const st_branch *from = &original->branch[b];
        st_branch *to = &copy->branch[copy->n_branches++];
        *to = *from;
        to->layers = st_layers_copy(from->layers, from->n_layers);
        if (from->layers && !to->layers) return false;
    }
    return true;
}

st_layer *st_layers_copy(const st_layer *layers, int n) {
    st_layer *copy = layers ? st_alloc((size_t)n, sizeof *copy) : NULL;
    if (!copy) return NULL;
    bool good = true;
    for (int i = 0; i < n && good; i++) {
        copy[i] = layers[i];
        good = copy_branches(&copy[i], &layers[i]);
    }
    if (good) return copy;
    st_layers_free(copy, n);
    return NULL;
}

void st_layers_free(st_layer *layers, int n) {
    for (int i = 0; layers && i < n; i++) {
        for (int b = 0; b < layers[i].n_branches; b++)
            st_layers_free(layers[i].branch[b].layers, layers[i].branch[b].n_layers);
        st_free(layers[i].branch);
    }
    st_free(layers);
}

void st_layers_positions(st_layer *layers, int n, void (*visit)(st_pos *pos, void *context), void *context) {
    for (int i = 0; i < n; i++) {
        visit(&layers[i].pos, context);
        for (int b = 0; b < layers[i].n_branches; b++) {
            visit(&layers[i].branch[b].pos, context);
            st_layers_positions(layers[i].branch[b].layers, layers[i].branch[b].n_layers, visit, context);
        }
    }
}
