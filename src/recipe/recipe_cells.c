/* A model whose widths follow the data: slices of genes and of proteins, units as many as the input's values. Until the
   data is known, numbers stand in for them; st_recipe_follow_data puts the data's in their place. */
#include <string.h>
#include "recipe/recipe_int.h"

static const char *const slice_words[] = {
    [ST_SLICE_FIXED] = NULL, [ST_SLICE_GENES] = "genes", [ST_SLICE_PROTEINS] = "proteins"};

const char *st_slice_word(st_slice_of of) {
    return slice_words[of];
}

/* ---- reading ---- */

strait_status st_read_units(void *base, const st_record *record, const st_key *key, const st_node *node,
                            strait_error *err) {
    const bool input = node->kind == ST_NODE_SCALAR && node->plain && strcmp(node->text, "input") == 0;
    memcpy((char *)base + key->beside, &input, sizeof input);
    return input ? STRAIT_OK
                 : st_read_integer_item((int64_t *)(void *)((char *)base + key->offset), record, key, node, err);
}

strait_status st_read_slice(void *base, const st_record *record, const st_key *key, const st_node *node,
                            strait_error *err) {
    st_branch *branch = base;
    const st_node *range = node;
    if (node->kind == ST_NODE_MAP && node->n_children == 1) {
        range = node->first;
        for (int of = ST_SLICE_GENES; of <= ST_SLICE_PROTEINS; of++)
            if (strcmp(range->key, slice_words[of]) == 0) branch->of = (st_slice_of)of;
        if (branch->of == ST_SLICE_FIXED)
            return st_fail_unknown(err, range->key_pos, "slice", range->key, "", &slice_words[ST_SLICE_GENES], 2);
    }
    if (range->kind != ST_NODE_SEQUENCE || range->n_children != 2)
        return st_fail_type(err, record, key, range, "[begin, end]");
    ST_TRY(st_read_integer_item(&branch->begin, record, key, range->first, err));
    ST_TRY(st_read_integer_item(&branch->end, record, key, range->last, err));
    branch->sliced = true;
    if (branch->begin < branch->end) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, range->pos, "slice [%lld, %lld] is empty: begin must be below end",
                      (long long)branch->begin, (long long)branch->end);
}

/* ---- following ---- */

/* What the data gives. */
typedef struct found {
    int64_t n_genes, n_proteins, n_values;
    bool resolve; /* numbers take the place of words */
} found;

static strait_status fit_slice(st_branch *branch, const found *f, strait_error *err) {
    const int64_t n = branch->of == ST_SLICE_GENES ? f->n_genes : f->n_proteins;
    if (n == 0)
        return st_fail_at(err, STRAIT_RECIPE, branch->pos,
                          "a branch takes the %s, but the prepared data has none: leave the branch out, or let "
                          "data.%s prepare some",
                          slice_words[branch->of], slice_words[branch->of]);
    branch->begin = branch->of == ST_SLICE_GENES ? 0 : f->n_genes;
    branch->end = branch->begin + n;
    branch->of = ST_SLICE_FIXED;
    return STRAIT_OK;
}

static strait_status fit_layers(st_layer *layers, int n, const found *f, strait_error *err) {
    for (int i = 0; i < n; i++) {
        if (layers[i].units_of_input) layers[i].units = f->n_values;
        if (f->resolve) layers[i].units_of_input = false;
        for (int b = 0; b < layers[i].n_branches; b++) {
            st_branch *branch = &layers[i].branch[b];
            if (f->resolve && branch->of != ST_SLICE_FIXED) ST_TRY(fit_slice(branch, f, err));
            ST_TRY(fit_layers(branch->layers, branch->n_layers, f, err));
        }
    }
    return STRAIT_OK;
}

static strait_status fit_model(strait_recipe *recipe, const found *f, strait_error *err) {
    ST_TRY(fit_layers(recipe->model.encoder, recipe->model.n_encoder, f, err));
    return fit_layers(recipe->model.decoder, recipe->model.n_decoder, f, err);
}

static int64_t count_values(int n_dims, const int64_t *dim) {
    int64_t n = 1;
    for (int i = 0; i < n_dims; i++)
        n *= dim[i];
    return n;
}

void st_layers_set_units(strait_recipe *recipe) {
    const found f = {.n_values = count_values(recipe->model.n_input_dims, recipe->model.input_dim)};
    (void)fit_model(recipe, &f, NULL); /* nothing in it fails without resolving */
}

strait_status st_recipe_follow_data(strait_recipe *recipe, int n_dims, const int64_t *dim, int64_t n_genes,
                                    int64_t n_proteins, strait_error *err) {
    if (!recipe->model.input_from_data) return STRAIT_OK;
    const found f = {n_genes, n_proteins, count_values(n_dims, dim), true};
    ST_TRY(fit_model(recipe, &f, err));
    recipe->model.n_input_dims = n_dims;
    memcpy(recipe->model.input_dim, dim, (size_t)n_dims * sizeof *dim);
    recipe->model.input_from_data = false;
    return STRAIT_OK;
}
