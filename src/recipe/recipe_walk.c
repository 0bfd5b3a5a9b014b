/* A recipe's text as pairs of path and value. The tree's depth is bounded (ST_TREE_MAX_DEPTH), and so the recursion. */
#include <string.h>

#include "base/memory.h"
#include "recipe/recipe_int.h"

typedef struct walk {
    st_recipe_visit visit;
    void *context;
    strait_error *err;
} walk;

static bool is_plain_list(const st_node *node) {
    for (const st_node *child = node->first; child; child = child->next)
        if (child->kind == ST_NODE_MAP || (child->kind == ST_NODE_SEQUENCE && !is_plain_list(child))) return false;
    return true;
}

/* Layers are a list of words and maps; other lists are shapes, intervals, labels. */
static bool is_value(const char *path, const st_node *node) {
    if (node->kind == ST_NODE_SCALAR || node->n_children == 0) return true;
    return node->kind == ST_NODE_SEQUENCE && is_plain_list(node) && !st_ends_with(path, "coder") &&
           !st_ends_with(path, "layers");
}

static void add_value(st_text *text, const st_node *node) {
    if (node->kind == ST_NODE_SCALAR) {
        st_text_add(text, "%s", node->text);
        return;
    }
    st_text_add(text, node->kind == ST_NODE_MAP ? "{" : "[");
    for (const st_node *child = node->first; child; child = child->next) {
        if (child != node->first) st_text_add(text, ", ");
        add_value(text, child);
    }
    st_text_add(text, node->kind == ST_NODE_MAP ? "}" : "]");
}

static strait_status walk_node(const walk *w, const char *path, const st_node *node) {
    if (is_value(path, node)) {
        st_text text = {0};
        char *value = NULL;
        add_value(&text, node);
        ST_TRY(st_text_take(&value, &text, w->err));
        const strait_status status = w->visit(w->context, path, value, w->err);
        st_free(value);
        return status;
    }
    int i = 0;
    for (const st_node *child = node->first; child; child = child->next, i++) {
        const char *dot = path[0] ? "." : "";
        char *below =
            node->kind == ST_NODE_MAP ? st_format("%s%s%s", path, dot, child->key) : st_format("%s%s%d", path, dot, i);
        if (!below) return st_fail_memory(w->err, strlen(path) + 16, "a key's path");
        const strait_status status = walk_node(w, below, child);
        st_free(below);
        if (status != STRAIT_OK) return status;
    }
    return STRAIT_OK;
}

strait_status st_recipe_walk(const char *yaml, const char *name, st_recipe_visit visit, void *context,
                             strait_error *err) {
    const walk w = {visit, context, err};
    st_tree tree = {0};
    st_node *root = NULL;
    strait_status status = st_tree_read(&root, &tree, yaml, strlen(yaml), name, true, err);
    if (status == STRAIT_OK && root && root->kind == ST_NODE_MAP) status = walk_node(&w, "", root);
    st_tree_free(&tree);
    return status;
}
