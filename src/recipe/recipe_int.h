/* Inside the recipe room: the tree a YAML text is read into, and the steps from text to struct and back. */
#ifndef ST_RECIPE_RECIPE_INT_H
#define ST_RECIPE_RECIPE_INT_H

#include "base/string.h"
#include "recipe/recipe.h"

/* ---- the tree (yaml_tree.c) ---- */

/* More than any recipe needs; a hostile file hits them before it costs time or memory. */
#define ST_RECIPE_MAX_BYTES ((size_t)1 << 20)
#define ST_TREE_MAX_NODES 65536
#define ST_TREE_MAX_DEPTH 32
#define ST_TREE_MAX_KEYS 256 /* in one map */

typedef enum st_node_kind { ST_NODE_SCALAR, ST_NODE_SEQUENCE, ST_NODE_MAP } st_node_kind;

/* A node of the tree. Children are a list in the order of the file. Nodes and strings belong to the tree. */
typedef struct st_node {
    st_node_kind kind;
    bool plain; /* a scalar without quotes: may be a number, a switch or null */
    st_pos pos;
    const char *text; /* a scalar's */
    const char *key;  /* in a map: the key this node stands under, */
    st_pos key_pos;   /* and where the key stands */
    struct st_node *first, *last, *next;
    int n_children;
} st_node;

typedef struct st_tree {
    st_node *root;
    int n_nodes;
    struct st_tree_block *blocks; /* all memory of the tree */
} st_tree;

/* Reads n bytes of YAML, one document, into *root, allocated in tree. file is what positions point to, borrowed for
   the tree's life; numbered: positions carry line and column (else line 0, for texts that are no file).
   Errors: RECIPE with position (malformed, a key given twice, anchors, tags, over a limit), MEMORY. */
strait_status st_tree_read(st_node **root, st_tree *tree, const char *yaml, size_t n, const char *file, bool numbered,
                           strait_error *err);
void st_tree_free(st_tree *tree);

/* For editing: a new node, a copy of n bytes. NULL when there is no memory. */
st_node *st_tree_node(st_tree *tree, st_node_kind kind, st_pos pos);
char *st_tree_string(st_tree *tree, const char *bytes, size_t n);
void st_node_append(st_node *parent, st_node *child);
/* The child under key, or NULL. */
st_node *st_node_find(const st_node *map, const char *key);

/* Applies "a.b.c=value" (override.c). label, "--set a.b.c=value", is what the new nodes' positions point to.
   Errors: ARGUMENT (no '=', an empty part), RECIPE (through a scalar, no such item), MEMORY. */
strait_status st_tree_override(st_tree *tree, const char *assignment, const char *label, strait_error *err);

/* ---- from the tree to the struct ---- */

/* Reads a map into the struct at base by the record's keys; node NULL: the defaults alone (where: for messages).
   Errors: RECIPE (unknown, missing, of a wrong type, out of range), MEMORY. */
strait_status st_read_record(void *base, const st_record *record, const st_node *node, st_pos where, strait_error *err);

/* How each type of key is read (recipe_read.c, recipe_parts.c, recipe_prepare.c): node into base + key->offset. */
typedef strait_status st_key_reader(void *base, const st_record *record, const st_key *key, const st_node *node,
                                    strait_error *err);
st_key_reader st_read_number, st_read_layers, st_read_branch, st_read_branches, st_read_slice, st_read_margins,
    st_read_activation, st_read_initializer, st_read_validation, st_read_scale, st_read_missing, st_read_corrupt,
    st_read_shares, st_read_optimizer, st_read_loss, st_read_schedule, st_read_units, st_read_numbers, st_read_crop,
    st_read_channels;

/* "genes", "proteins"; NULL for what is fixed. */
const char *st_slice_word(st_slice_of of);

/* Item of a list, within the key's range. */
strait_status st_read_integer_item(int64_t *out, const st_record *record, const st_key *key, const st_node *node,
                                   strait_error *err);

/* Reads one key's node by its type, its position included; an empty value is an error. */
st_key_reader st_read_key;

/* A loss' settings, as a recipe gives them. */
typedef struct st_loss_settings {
    float weight, delta;
    bool from_logits;
} st_loss_settings;

/* ---- layers (recipe_layers.c) ---- */

/* A copy of n layers, nested ones too, whose positions still point to the original's. Out is NULL when there is no
   memory. */
st_layer *st_layers_copy(const st_layer *layers, int n);
void st_layers_free(st_layer *layers, int n); /* NULL is fine */
/* Calls visit for each position in n layers and those inside them. */
void st_layers_positions(st_layer *layers, int n, void (*visit)(st_pos *pos, void *context), void *context);
/* Units that are as many as the input has values (recipe_cells.c). */
void st_layers_set_units(strait_recipe *recipe);
/* Puts model.latent in the place of the units that end the encoder (recipe_latent.c). Errors: RECIPE (its end has
 * none).
 */
strait_status st_set_latent(strait_recipe *recipe, strait_error *err);
/* What only the whole model tells: where a gaussian may stand. */
strait_status st_layers_check(const strait_recipe *recipe, strait_error *err);

/* "train.epochs", how messages name a key. */
typedef struct st_key_label {
    char text[96];
} st_key_label;
st_key_label st_label_key(const st_record *record, const st_key *key);

/* "PATH must be WANTED, not WHAT IS THERE", at the node. */
strait_status st_fail_type(strait_error *err, const st_record *record, const st_key *key, const st_node *node,
                           const char *wanted);
/* "unknown WHAT 'WORD'; did you mean 'NEAREST'?", or with the list of names. what_in may be "". */
strait_status st_fail_unknown(strait_error *err, st_pos pos, const char *what, const char *word, const char *what_in,
                              const char *const *names, size_t n_names);
/* As st_fail_unknown, over the names of n records. */
strait_status st_fail_unknown_record(strait_error *err, st_pos pos, const char *what, const char *word,
                                     const st_record *records, size_t n);
/* The record called name, or NULL. */
const st_record *st_find_record(const st_record *records, size_t n, const char *name);
/* A record given as a word or as a map of one key: *record, and *body its settings (NULL for a word).
   what: "layer", "optimizer", "activation". */
strait_status st_read_choice(const st_record **record, const st_node **body, const st_key *key, const st_node *node,
                             const char *what, strait_error *err);

/* Plain scalars: null (~) stands for "as if left out"; empty is an error. */
bool st_node_is_null(const st_node *node);
bool st_node_is_empty(const st_node *node);
/* A scalar without quotes that is a number. */
bool st_node_number(double *out, const st_node *node);

/* NULL, or why a text cannot stand in a recipe (control characters, not UTF-8). */
const char *st_text_fault(const char *text);
/* NULL, or what a recipe's name must be. */
const char *st_name_fault(const char *name);

/* ---- finding (recipe_find.c) ---- */

/* The file of a recipe given as a path or a name: the caller's. Errors: NOT_FOUND with the names there are, MEMORY. */
strait_status st_recipe_find(char **path, const char *path_or_name, strait_error *err);
/* The names of all recipes there are, sorted, each once: *names and its strings are the caller's, to be freed by
   st_recipe_names_free. Errors: MEMORY. */
strait_status st_recipe_names(char ***names, size_t *n, strait_error *err);
void st_recipe_names_free(char **names, size_t n);

#endif
