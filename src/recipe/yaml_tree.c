/* From YAML text to a tree of nodes; the only file that knows libyaml.
   Invariants:
   1. All memory of a tree hangs in its blocks and goes with st_tree_free, also after a failure half way.
   2. A node is attached to its parent as soon as it begins, so frames hold only borrowed pointers.
   3. In a map, frame.key is set exactly between a key's event and the event of its value.
   4. Nothing here recurses; depth, nodes and keys in a map are bounded while reading. */
#include <string.h>
#include <yaml.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

/* ---- memory ---- */

#define BLOCK_BYTES ((size_t)8192)

struct st_tree_block {
    struct st_tree_block *next;
    size_t used, capacity;
    max_align_t bytes[];
};

static void *tree_alloc(st_tree *tree, size_t bytes) {
    const size_t unit = sizeof(max_align_t), rounded = (bytes + unit - 1) / unit * unit;
    struct st_tree_block *block = tree->blocks;
    if (!block || block->capacity - block->used < rounded) {
        const size_t capacity = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        block = st_alloc(1, sizeof *block + capacity);
        if (!block) return NULL;
        block->capacity = capacity;
        block->next = tree->blocks;
        tree->blocks = block;
    }
    void *place = (char *)block->bytes + block->used;
    block->used += rounded;
    return place;
}

void st_tree_free(st_tree *tree) {
    while (tree->blocks) {
        struct st_tree_block *next = tree->blocks->next;
        st_free(tree->blocks);
        tree->blocks = next;
    }
    *tree = (st_tree){0};
}

st_node *st_tree_node(st_tree *tree, st_node_kind kind, st_pos pos) {
    st_node *node = tree_alloc(tree, sizeof *node);
    if (!node) return NULL;
    *node = (st_node){.kind = kind, .pos = pos};
    tree->n_nodes++;
    return node;
}

char *st_tree_string(st_tree *tree, const char *bytes, size_t n) {
    char *string = tree_alloc(tree, n + 1);
    if (!string) return NULL;
    memcpy(string, bytes, n);
    string[n] = 0;
    return string;
}

void st_node_append(st_node *parent, st_node *child) {
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->n_children++;
}

st_node *st_node_find(const st_node *map, const char *key) {
    for (st_node *child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0) return child;
    return NULL;
}

/* ---- reading ---- */

typedef struct frame {
    st_node *node;
    const char *key; /* read, its value still to come */
    st_pos key_pos;
} frame;

typedef struct builder {
    st_tree *tree;
    const char *file;
    bool numbered;
    st_node *root;
    frame stack[ST_TREE_MAX_DEPTH];
    int depth;
    strait_error *err;
} builder;

static strait_status fail_memory(const builder *b) {
    return st_fail_memory(b->err, BLOCK_BYTES, "the recipe's tree");
}

static st_pos position(const builder *b, yaml_mark_t mark) {
    st_pos pos = {.file = b->file};
    if (b->numbered) {
        pos.line = (int)mark.line + 1;
        pos.column = (int)mark.column + 1;
    }
    return pos;
}

/* The key of a coming value: kept in the frame until the value is there. */
static strait_status take_key(builder *b, frame *top, const char *key, st_pos pos) {
    const st_node *twin = st_node_find(top->node, key);
    if (twin && twin->key_pos.line)
        return st_fail_at(b->err, STRAIT_RECIPE, pos, "key '%.80s' is given twice, first in line %d; keep one", key,
                          twin->key_pos.line);
    if (twin) return st_fail_at(b->err, STRAIT_RECIPE, pos, "key '%.80s' is given twice; keep one", key);
    if (top->node->n_children >= ST_TREE_MAX_KEYS)
        return st_fail_at(b->err, STRAIT_RECIPE, pos, "more than %d keys in one map", ST_TREE_MAX_KEYS);
    top->key = key;
    top->key_pos = pos;
    return STRAIT_OK;
}

/* Puts a node where the next one belongs: the root, the value of the pending key, the next item. */
static strait_status attach(builder *b, st_node *node) {
    if (b->tree->n_nodes > ST_TREE_MAX_NODES)
        return st_fail_at(b->err, STRAIT_RECIPE, node->pos, "more than %d values: too much for a recipe",
                          ST_TREE_MAX_NODES);
    if (b->depth == 0) {
        b->root = node;
        return STRAIT_OK;
    }
    frame *top = &b->stack[b->depth - 1];
    if (top->node->kind == ST_NODE_MAP) {
        if (!top->key) return st_fail_at(b->err, STRAIT_RECIPE, node->pos, "a key must be a word, not a list or a map");
        node->key = top->key;
        node->key_pos = top->key_pos;
        top->key = NULL;
    }
    st_node_append(top->node, node);
    return STRAIT_OK;
}

static strait_status on_scalar(builder *b, const yaml_event_t *event) {
    const st_pos pos = position(b, event->start_mark);
    const char *bytes = (const char *)event->data.scalar.value;
    const size_t n = event->data.scalar.length;
    if (memchr(bytes, 0, n)) return st_fail_at(b->err, STRAIT_RECIPE, pos, "a text with a NUL character in it");
    const char *text = st_tree_string(b->tree, bytes, n);
    if (!text) return fail_memory(b);
    frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;
    if (top && top->node->kind == ST_NODE_MAP && !top->key) return take_key(b, top, text, pos);
    st_node *node = st_tree_node(b->tree, ST_NODE_SCALAR, pos);
    if (!node) return fail_memory(b);
    node->text = text;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return attach(b, node);
}

static strait_status on_start(builder *b, st_node_kind kind, st_pos pos) {
    if (b->depth == ST_TREE_MAX_DEPTH)
        return st_fail_at(b->err, STRAIT_RECIPE, pos, "nested more than %d deep: too much for a recipe",
                          ST_TREE_MAX_DEPTH);
    st_node *node = st_tree_node(b->tree, kind, pos);
    if (!node) return fail_memory(b);
    ST_TRY(attach(b, node));
    b->stack[b->depth++] = (frame){.node = node};
    return STRAIT_OK;
}

/* Anchors and tags have no meaning in a recipe; accepting them would mean ignoring them. */
static strait_status refuse_marks(const builder *b, const yaml_event_t *event, const void *anchor, const void *tag) {
    const st_pos pos = position(b, event->start_mark);
    if (anchor)
        return st_fail_at(b->err, STRAIT_RECIPE, pos,
                          "anchors ('&%.40s') are not part of recipes: write the value out where it is needed",
                          (const char *)anchor);
    if (tag)
        return st_fail_at(b->err, STRAIT_RECIPE, pos, "tags ('%.40s') are not part of recipes: leave it out",
                          (const char *)tag);
    return STRAIT_OK;
}

static strait_status on_event(builder *b, const yaml_event_t *event) {
    const st_pos pos = position(b, event->start_mark);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (!b->root) return STRAIT_OK;
        return st_fail_at(b->err, STRAIT_RECIPE, pos, "a second YAML document begins here: a recipe is one");
    case YAML_ALIAS_EVENT:
        return st_fail_at(b->err, STRAIT_RECIPE, pos,
                          "aliases ('*%.40s') are not part of recipes: write the value out (a text that begins with "
                          "'*' needs quotes)",
                          (const char *)event->data.alias.anchor);
    case YAML_SCALAR_EVENT:
        ST_TRY(refuse_marks(b, event, event->data.scalar.anchor, event->data.scalar.tag));
        return on_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        ST_TRY(refuse_marks(b, event, event->data.sequence_start.anchor, event->data.sequence_start.tag));
        return on_start(b, ST_NODE_SEQUENCE, pos);
    case YAML_MAPPING_START_EVENT:
        ST_TRY(refuse_marks(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag));
        return on_start(b, ST_NODE_MAP, pos);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: b->depth--; return STRAIT_OK;
    default: return STRAIT_OK;
    }
}

/* Where a byte of the text stands: libyaml gives only the offset of bytes it cannot decode. */
static yaml_mark_t mark_of(const char *yaml, size_t n, size_t offset) {
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < n && i < offset; i++) {
        if (yaml[i] == '\n')
            mark.line++, mark.column = 0;
        else if (((unsigned char)yaml[i] & 0xC0) != 0x80)
            mark.column++; /* the first byte of a character */
    }
    return mark;
}

/* The byte at a mark. */
static char byte_at(const char *yaml, size_t n, yaml_mark_t mark) {
    size_t i = 0;
    for (size_t line = 0; i < n && line < mark.line; i++)
        line += yaml[i] == '\n';
    for (size_t column = 0; i < n && column < mark.column; column++)
        for (i++; i < n && ((unsigned char)yaml[i] & 0xC0) == 0x80;)
            i++;
    return i < n ? yaml[i] : 0;
}

/* The mend for the slips people make most. */
static const char *hint(const yaml_parser_t *parser, const char *yaml, size_t n) {
    if (parser->error != YAML_SCANNER_ERROR) return "";
    const char byte = byte_at(yaml, n, parser->problem_mark);
    if (byte == '\t') return " (a tab: indent with spaces)";
    const bool marked = parser->context && strstr(parser->context, "alias");
    return marked || (byte && strchr("@`%", byte)) ? " (a text that begins with this character needs quotes)" : "";
}

static strait_status fail_syntax(const builder *b, const yaml_parser_t *parser, const char *yaml, size_t n) {
    if (parser->error == YAML_MEMORY_ERROR) return st_fail_memory(b->err, n, "reading YAML");
    const char *problem = parser->problem ? parser->problem : "unknown problem";
    if (parser->error == YAML_READER_ERROR)
        return st_fail_at(b->err, STRAIT_RECIPE, position(b, mark_of(yaml, n, parser->problem_offset)),
                          "not a YAML text: %s", problem);
    const st_pos pos = position(b, parser->problem_mark);
    const char *mend = hint(parser, yaml, n);
    if (!parser->context) return st_fail_at(b->err, STRAIT_RECIPE, pos, "not valid YAML: %s%s", problem, mend);
    if (!b->numbered || parser->context_mark.line == parser->problem_mark.line)
        return st_fail_at(b->err, STRAIT_RECIPE, pos, "not valid YAML: %s, %s%s", parser->context, problem, mend);
    return st_fail_at(b->err, STRAIT_RECIPE, pos, "not valid YAML: %s that begins in line %zu, %s%s", parser->context,
                      parser->context_mark.line + 1, problem, mend);
}

strait_status st_tree_read(st_node **root, st_tree *tree, const char *yaml, size_t n, const char *file, bool numbered,
                           strait_error *err) {
    builder b = {.tree = tree, .file = file, .numbered = numbered, .err = err};
    if (n > ST_RECIPE_MAX_BYTES)
        return st_fail(err, STRAIT_RECIPE, "%s: longer than %zu bytes: not a recipe", file, ST_RECIPE_MAX_BYTES);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return st_fail_memory(err, sizeof parser, "reading YAML");
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, n);
    strait_status status = STRAIT_OK;
    for (bool done = false; !done && status == STRAIT_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = fail_syntax(&b, &parser, yaml, n);
            break;
        }
        status = on_event(&b, &event);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (status == STRAIT_OK) *root = b.root; /* NULL for a text without a document */
    return status;
}
