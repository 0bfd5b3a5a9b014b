/* The recipe's life: from text, copied, freed. */
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/file.h"
#include "base/memory.h"
#include "recipe/features.h"
#include "recipe/recipe_int.h"

#define MAX_NAME 100
#define SAFE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* A very long path would leave no room for the message: its end says enough. */
static const char *shown_file(const char *file) {
    const size_t n = strlen(file), most = sizeof((strait_error *)0)->message / 2;
    const char *end = n > most ? file + n - most : file;
    while (((unsigned char)*end & 0xC0) == 0x80)
        end++;
    return end;
}

strait_status st_fail_at(strait_error *err, strait_status code, st_pos pos, const char *format, ...) {
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    st_format_into(message, sizeof message, format, args);
    va_end(args);
    if (!pos.file) return st_fail(err, code, "%s", message);
    const char *file = shown_file(pos.file);
    if (!pos.line) return st_fail(err, code, "%s: %s", file, message);
    return st_fail(err, code, "%s:%d:%d: %s", file, pos.line, pos.column, message);
}

/* ---- what texts may hold ---- */

/* Length of the UTF-8 sequence at s and the code point it gives; 0 when it is none. */
static int decode(const unsigned char *s, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const int n = s[0] < 0x80 ? 1 : s[0] < 0xC0 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF8 ? 4 : 0;
    if (n == 0) return 0;
    *code = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0; /* the NUL at the end stops here too */
        *code = *code << 6 | (s[i] & 0x3Fu);
    }
    const bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < least[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

const char *st_text_fault(const char *text) {
    if (!text[0]) return "is empty";
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        uint32_t code = 0;
        const int n = decode(s, &code);
        if (n == 0) return "is not UTF-8";
        const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        const bool invisible = code == 0x2028 || code == 0x2029 || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
        if (control || invisible) return "has a line break or another control character in it";
        s += n;
    }
    return NULL;
}

const char *st_name_fault(const char *name) {
    const bool safe = name[0] && name[0] != '.' && name[0] != '-' && name[strspn(name, SAFE)] == 0;
    if (safe && strlen(name) <= MAX_NAME) return NULL;
    return "up to 100 letters, digits, '.', '_' or '-', the first no '.' or '-' (it names folders)";
}

/* The name of a recipe that does not give one: its file's, made safe. */
static char *default_name(const char *file) {
    const char *stem = st_path_name(file);
    size_t n = strlen(stem);
    if (st_ends_with(stem, ".yaml"))
        n -= 5;
    else if (st_ends_with(stem, ".yml"))
        n -= 4;
    while (n > 0 && (stem[0] == '.' || stem[0] == '-'))
        stem++, n--;
    char *name = n == 0 ? st_strdup("recipe") : st_strndup(stem, n < MAX_NAME ? n : MAX_NAME);
    for (char *c = name; c && *c; c++)
        if (!strchr(SAFE, *c)) *c = '_';
    return name;
}

/* ---- from text ---- */

static strait_status set_file(strait_recipe *recipe, const char *file, size_t n_overrides, const char *const *overrides,
                              strait_error *err) {
    recipe->file = st_strdup(file);
    recipe->overrides = st_alloc(n_overrides, sizeof *recipe->overrides);
    if (!recipe->file || !recipe->overrides) return st_fail_memory(err, strlen(file) + 1, "the recipe");
    for (size_t i = 0; i < n_overrides; i++) {
        const size_t n = strnlen(overrides[i], 121); /* a long one is cut: the message must find room behind it */
        recipe->overrides[i] = st_format("--set %.*s%s", n > 120 ? 120 : (int)n, overrides[i], n > 120 ? "..." : "");
        if (!recipe->overrides[i]) return st_fail_memory(err, n, "an override");
        recipe->n_overrides++;
    }
    return STRAIT_OK;
}

/* Gives the model's initialiser to the layers that name none. */
static void share_initializer(st_layer *layers, int n, const st_initializer *initializer) {
    for (int i = 0; i < n; i++) {
        if (!layers[i].own_initializer) layers[i].initializer = *initializer;
        for (int b = 0; b < layers[i].n_branches; b++)
            share_initializer(layers[i].branch[b].layers, layers[i].branch[b].n_layers, initializer);
    }
}

/* AdamW has a weight decay of its own. */
static strait_status check_decay(const strait_recipe *recipe, const st_node *root, strait_error *err) {
    if (recipe->train.weight_decay == 0 || recipe->train.optimizer.kind != ST_OPTIMIZER_ADAMW) return STRAIT_OK;
    char own[32];
    st_print_double(own, recipe->train.optimizer.weight_decay);
    return st_fail_at(err, STRAIT_RECIPE, st_node_find(st_node_find(root, "train"), "weight_decay")->pos,
                      "weight decay is given twice: adamw has its own, train.optimizer.adamw.weight_decay (%s); leave "
                      "train.weight_decay out",
                      own);
}

/* What the tables cannot say. */
static strait_status check(strait_recipe *recipe, const st_node *root, strait_error *err) {
    const int n = recipe->model.n_input_dims;
    share_initializer(recipe->model.encoder, recipe->model.n_encoder, &recipe->model.initializer);
    share_initializer(recipe->model.decoder, recipe->model.n_decoder, &recipe->model.initializer);
    if (n != 1 && n != 3)
        return st_fail_at(err, STRAIT_RECIPE, recipe->model.input_pos,
                          "model.input must be [height, width, channels] or [features], not a list of %d", n);
    ST_TRY(st_set_latent(recipe, err));
    st_layers_set_units(recipe);
    ST_TRY(st_layers_check(recipe, err));
    ST_TRY(check_decay(recipe, root, err));
    if (!recipe->name) {
        recipe->name = default_name(recipe->file);
        return recipe->name ? STRAIT_OK : st_fail_memory(err, MAX_NAME, "the recipe's name");
    }
    const char *fault = st_name_fault(recipe->name);
    if (!fault) return STRAIT_OK;
    return st_fail_type(err, st_recipe_schema(), st_recipe_schema()->keys, st_node_find(root, "name"), fault);
}

/* The text becomes a tree, overrides edit it, the tables read it. */
static strait_status read_recipe(strait_recipe *recipe, st_tree *tree, const char *yaml, size_t n_bytes,
                                 size_t n_overrides, const char *const *overrides, strait_error *err) {
    ST_TRY(st_tree_read(&tree->root, tree, yaml, n_bytes, recipe->file, true, err));
    const st_pos start = {.file = recipe->file};
    if (!tree->root) return st_fail_at(err, STRAIT_RECIPE, start, "is empty: a recipe has at least a 'model'");
    if (tree->root->kind != ST_NODE_MAP)
        return st_fail_at(err, STRAIT_RECIPE, tree->root->pos,
                          "a recipe is a map of keys: name, seed, data, model, train, watch, sweep");
    for (size_t i = 0; i < n_overrides; i++)
        ST_TRY(st_tree_override(tree, overrides[i], recipe->overrides[i], err));
    ST_TRY(st_read_record(recipe, st_recipe_schema(), tree->root, start, err));
    return check(recipe, tree->root, err);
}

/* Bytes, not a string: a NUL inside a file must be seen. */
static strait_status parse(strait_recipe **out, const char *yaml, size_t n_bytes, const char *file, size_t n_overrides,
                           const char *const *overrides, strait_error *err) {
    *out = NULL;
    strait_recipe *recipe = st_alloc(1, sizeof *recipe);
    if (!recipe) return st_fail_memory(err, sizeof *recipe, "the recipe");
    st_tree tree = {0};
    strait_status status = set_file(recipe, file, n_overrides, overrides, err);
    if (status == STRAIT_OK) status = read_recipe(recipe, &tree, yaml, n_bytes, n_overrides, overrides, err);
    st_tree_free(&tree);
    if (status == STRAIT_OK)
        *out = recipe;
    else
        strait_recipe_free(recipe);
    return status;
}

STRAIT_API strait_status strait_recipe_parse(strait_recipe **out, const char *yaml, const char *name,
                                             size_t n_overrides, const char *const *overrides, strait_error *err) {
    *out = NULL;
    if (!yaml) return st_fail(err, STRAIT_ARGUMENT, "strait_recipe_parse: yaml is NULL");
    return parse(out, yaml, strlen(yaml), name ? name : "recipe", n_overrides, overrides, err);
}

STRAIT_API strait_status strait_recipe_open(strait_recipe **out, const char *path_or_name, size_t n_overrides,
                                            const char *const *overrides, strait_error *err) {
    char *path = NULL, *yaml = NULL;
    size_t n = 0;
    *out = NULL;
    if (!path_or_name) return st_fail(err, STRAIT_ARGUMENT, "strait_recipe_open: path_or_name is NULL");
    strait_status status = st_recipe_find(&path, path_or_name, err);
    if (status == STRAIT_OK) status = st_file_read(&yaml, &n, path, ST_RECIPE_MAX_BYTES, err);
    if (status == STRAIT_OK) status = parse(out, yaml, n, path, n_overrides, overrides, err);
    st_free(yaml);
    st_free(path);
    return status;
}

/* ---- copied, freed ---- */

typedef struct copying {
    const strait_recipe *copy, *original;
} copying;

/* Lets a copied position point to the copy's own string. */
static void move_pos(st_pos *pos, void *context) {
    const copying *c = context;
    if (pos->file == c->original->file) {
        pos->file = c->copy->file;
        return;
    }
    for (int i = 0; i < c->original->n_overrides; i++)
        if (pos->file == c->original->overrides[i]) {
            pos->file = c->copy->overrides[i];
            return;
        }
}

static void move_positions(strait_recipe *copy, const strait_recipe *original) {
    copying c = {copy, original};
    st_pos *const of_keys[] = {&copy->data.label_pos,      &copy->data.target_pos,    &copy->data.crop_pos,
                               &copy->data.channels_pos,   &copy->data.corrupt_pos,   &copy->data.only_pos,
                               &copy->data.except_pos,     &copy->data.pos,           &copy->data.source_pos,
                               &copy->data.validation_pos, &copy->model.pos,          &copy->model.input_pos,
                               &copy->model.decoder_pos,   &copy->model.latent_pos,   &copy->train.pos,
                               &copy->train.loss_pos,      &copy->train.optimizer_pos};
    for (size_t i = 0; i < sizeof of_keys / sizeof *of_keys; i++)
        move_pos(of_keys[i], &c);
    st_layers_positions(copy->model.encoder, copy->model.n_encoder, move_pos, &c);
    st_layers_positions(copy->model.decoder, copy->model.n_decoder, move_pos, &c);
}

static bool copy_string(char **out, const char *string) {
    if (!string) return true;
    *out = st_strdup(string);
    return *out != NULL;
}

/* A list of owned strings; n is the copy's and counts those it owns at any moment. */
static bool copy_strings(char ***out, int *n, char *const *strings, int n_strings) {
    *out = st_alloc((size_t)n_strings, sizeof **out);
    for (*n = 0; *out && *n < n_strings; ++*n)
        if (!copy_string(&(*out)[*n], strings[*n])) return false;
    return *out != NULL;
}

static void free_strings(char **strings, int n) {
    for (int i = 0; i < n; i++)
        st_free(strings[i]);
    st_free(strings);
}

/* NULL for NULL. */
static bool copy_items(void *out, const void *items, int n, size_t size) {
    if (!items) return true;
    void *copy = st_alloc((size_t)n, size);
    if (copy) memcpy(copy, items, (size_t)n * size);
    memcpy(out, &copy, sizeof copy);
    return copy != NULL;
}

static bool copy_numbers(st_numbers *out, const st_numbers *list) {
    out->n = list->n;
    return copy_items(&out->value, list->value, (int)list->n, sizeof *out->value);
}

/* How the data is prepared. */
static bool copy_preparation(strait_recipe *copy, const strait_recipe *original) {
    const st_corrupt *corrupt = &original->data.corrupt;
    return copy_string(&copy->data.target, original->data.target) &&
           copy_string(&copy->data.corrupt.watermark.text, corrupt->watermark.text) &&
           copy_string(&copy->data.corrupt.watermark.image, corrupt->watermark.image) &&
           copy_numbers(&copy->data.means, &original->data.means) &&
           copy_numbers(&copy->data.offsets, &original->data.offsets) &&
           copy_numbers(&copy->data.factors, &original->data.factors) &&
           copy_items(&copy->data.only, original->data.only, original->data.n_only, sizeof *copy->data.only) &&
           copy_items(&copy->data.except, original->data.except, original->data.n_except, sizeof *copy->data.except);
}

static bool copy_layers(st_layer **out, const st_layer *layers, int n) {
    *out = st_layers_copy(layers, n);
    return *out || !layers;
}

/* All that the original owns, into a copy that owns nothing yet; what has been copied is the copy's at any moment. */
static bool copy_owned(strait_recipe *copy, const strait_recipe *original) {
    return copy_strings(&copy->overrides, &copy->n_overrides, original->overrides, original->n_overrides) &&
           copy_strings(&copy->sweep.vary, &copy->sweep.n_vary, original->sweep.vary, original->sweep.n_vary) &&
           copy_string(&copy->sweep.against_pca, original->sweep.against_pca) &&
           copy_string(&copy->file, original->file) && copy_string(&copy->name, original->name) &&
           copy_string(&copy->data.source, original->data.source) &&
           copy_string(&copy->data.validation_split, original->data.validation_split) &&
           copy_string(&copy->data.label, original->data.label) && copy_string(&copy->data.key, original->data.key) &&
           copy_string(&copy->data.proteins.key, original->data.proteins.key) &&
           st_features_copy(&copy->data.features, original->data.features) && copy_preparation(copy, original) &&
           copy_layers(&copy->model.encoder, original->model.encoder, original->model.n_encoder) &&
           copy_layers(&copy->model.decoder, original->model.decoder, original->model.n_decoder);
}

strait_status st_recipe_copy(strait_recipe **out, const strait_recipe *recipe, strait_error *err) {
    *out = NULL;
    strait_recipe *copy = st_alloc(1, sizeof *copy);
    if (!copy) return st_fail_memory(err, sizeof *copy, "a copy of the recipe");
    *copy = *recipe;
    copy->name = copy->file = copy->data.source = copy->data.validation_split = copy->data.label = NULL;
    copy->data.key = copy->data.proteins.key = NULL;
    copy->data.features = NULL;
    copy->overrides = NULL;
    copy->n_overrides = 0;
    copy->sweep.vary = NULL;
    copy->sweep.n_vary = 0;
    copy->sweep.against_pca = NULL;
    copy->data.only = copy->data.except = NULL;
    copy->data.target = copy->data.corrupt.watermark.text = copy->data.corrupt.watermark.image = NULL;
    copy->data.means = copy->data.offsets = copy->data.factors = (st_numbers){0};
    copy->model.encoder = copy->model.decoder = NULL;
    if (!copy_owned(copy, recipe)) {
        strait_recipe_free(copy);
        return st_fail_memory(err, sizeof *copy, "a copy of the recipe");
    }
    move_positions(copy, recipe);
    *out = copy;
    return STRAIT_OK;
}

void st_recipe_drop_sweep(strait_recipe *recipe) {
    free_strings(recipe->sweep.vary, recipe->sweep.n_vary);
    st_free(recipe->sweep.against_pca);
    memset(&recipe->sweep, 0, sizeof recipe->sweep);
}

STRAIT_API void strait_recipe_free(strait_recipe *recipe) {
    if (!recipe) return;
    free_strings(recipe->overrides, recipe->n_overrides);
    st_recipe_drop_sweep(recipe);
    st_free(recipe->file);
    st_free(recipe->name);
    st_free(recipe->data.source);
    st_free(recipe->data.validation_split);
    st_free(recipe->data.label);
    st_free(recipe->data.key);
    st_free(recipe->data.proteins.key);
    st_features_free(recipe->data.features);
    st_free(recipe->data.only);
    st_free(recipe->data.except);
    st_free(recipe->data.target);
    st_free(recipe->data.corrupt.watermark.text);
    st_free(recipe->data.corrupt.watermark.image);
    st_free(recipe->data.means.value);
    st_free(recipe->data.offsets.value);
    st_free(recipe->data.factors.value);
    st_layers_free(recipe->model.encoder, recipe->model.n_encoder);
    st_layers_free(recipe->model.decoder, recipe->model.n_decoder);
    st_free(recipe);
}

/* ---- for callers ---- */

STRAIT_API const char *strait_recipe_name(const strait_recipe *recipe) {
    return recipe->name;
}

STRAIT_API const char *strait_recipe_source(const strait_recipe *recipe) {
    return recipe->data.source;
}

STRAIT_API void strait_string_free(char *string) {
    st_free(string);
}
