/* --set a.b.c=value: edits the tree before it is checked, so that an override is judged by the same rules as the file.
   A part of the path is a key in a map, an index in a list. Missing maps are made on the way; a word on the way that
   stands for a map of the same name (optimizer: adam, for optimizer: {adam: {}}) becomes that map. */
#include <string.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

typedef struct path {
    st_tree *tree;
    const char *text; /* the whole path, then '=' */
    size_t done;      /* bytes of it walked: names the node that walking has reached */
    st_pos pos;       /* of new nodes */
    strait_error *err;
} path;

static strait_status fail_memory(const path *p) {
    return st_fail_memory(p->err, sizeof(st_node), "an override");
}

static int shown_length(const path *p) {
    return (int)(p->done < 200 ? p->done : 200);
}

/* Turns a scalar on the way into a map, where that loses nothing. */
static strait_status open_scalar(path *p, st_node *node, const char *part) {
    const bool empty = st_node_is_empty(node) || st_node_is_null(node);
    const bool word = strcmp(node->text, part) == 0;
    if (!empty && !word)
        return st_fail_at(p->err, STRAIT_RECIPE, p->pos, "%.*s is '%.40s': it has no '%.40s' inside", shown_length(p),
                          p->text, node->text, part);
    node->kind = ST_NODE_MAP;
    node->text = NULL;
    if (!word) return STRAIT_OK;
    st_node *settings = st_tree_node(p->tree, ST_NODE_MAP, node->pos);
    if (!settings) return fail_memory(p);
    settings->key = part;
    settings->key_pos = node->pos;
    st_node_append(node, settings);
    return STRAIT_OK;
}

/* The child of a map under part; made, as an empty map, where there is none. */
static strait_status step_into_map(st_node **child, path *p, st_node *map, const char *part) {
    *child = st_node_find(map, part);
    if (*child) return STRAIT_OK;
    *child = st_tree_node(p->tree, ST_NODE_MAP, p->pos);
    if (!*child) return fail_memory(p);
    (*child)->key = part;
    (*child)->key_pos = p->pos;
    st_node_append(map, *child);
    return STRAIT_OK;
}

static strait_status step_into_list(st_node **child, const path *p, const st_node *list, const char *part) {
    int64_t index;
    if (!st_parse_int(&index, part))
        return st_fail_at(p->err, STRAIT_RECIPE, p->pos,
                          "%.*s is a list: '%.40s' must be the number of an item, counted from 0", shown_length(p),
                          p->text, part);
    if (index < 0 || index >= list->n_children)
        return st_fail_at(p->err, STRAIT_RECIPE, p->pos, "%.*s has %d item%s, counted from 0: there is no item %.20s",
                          shown_length(p), p->text, list->n_children, list->n_children == 1 ? "" : "s", part);
    st_node *item = list->first;
    while (index-- > 0)
        item = item->next;
    *child = item;
    return STRAIT_OK;
}

static strait_status step(st_node **child, path *p, st_node *node, const char *part) {
    if (node->kind == ST_NODE_SEQUENCE) return step_into_list(child, p, node, part);
    if (node->kind == ST_NODE_SCALAR) ST_TRY(open_scalar(p, node, part));
    return step_into_map(child, p, node, part);
}

/* The node at the path, made where it is missing. */
static strait_status walk(st_node **out, path *p, size_t length) {
    st_node *node = p->tree->root;
    for (size_t start = 0; start <= length;) {
        size_t n = 0;
        while (start + n < length && p->text[start + n] != '.')
            n++;
        const char *part = st_tree_string(p->tree, p->text + start, n);
        if (!part) return fail_memory(p);
        if (n == 0)
            return st_fail_at(p->err, STRAIT_ARGUMENT, p->pos,
                              "the path has an empty part; write it as in train.epochs=3");
        ST_TRY(step(&node, p, node, part));
        p->done = start + n;
        start += n + 1;
    }
    *out = node;
    return STRAIT_OK;
}

strait_status st_tree_override(st_tree *tree, const char *assignment, const char *label, strait_error *err) {
    path p = {.tree = tree, .text = assignment, .pos = {.file = label}, .err = err};
    const char *equals = strchr(assignment, '=');
    if (!equals) return st_fail_at(err, STRAIT_ARGUMENT, p.pos, "needs '=' and a value, as in --set train.epochs=3");
    st_node *value = NULL, *place = NULL;
    ST_TRY(st_tree_read(&value, tree, equals + 1, strlen(equals + 1), label, false, err));
    if (!value) { /* nothing after '=' */
        value = st_tree_node(tree, ST_NODE_SCALAR, p.pos);
        if (!value) return fail_memory(&p);
        value->text = "";
        value->plain = true;
    }
    ST_TRY(walk(&place, &p, (size_t)(equals - assignment)));
    value->key = place->key;
    value->key_pos = place->key_pos;
    value->next = place->next;
    *place = *value; /* the parent's list stays as it is */
    return STRAIT_OK;
}
