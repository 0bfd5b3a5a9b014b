/* Models in memory: building, what can be asked of them. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "recipe/features.h"

strait_status st_model_set_recipe(strait_model *model, const strait_recipe *recipe, strait_error *err) {
    strait_recipe *copy = NULL;
    ST_TRY(st_recipe_copy(&copy, recipe, err));
    char *yaml = NULL, *features = NULL;
    strait_status status = strait_recipe_to_yaml(&yaml, copy, err);
    if (status == STRAIT_OK && copy->data.features) status = st_features_to_text(&features, copy->data.features, err);
    if (status != STRAIT_OK) {
        strait_recipe_free(copy);
        st_free(yaml);
        return status;
    }
    strait_recipe_free(model->recipe);
    st_free(model->yaml);
    st_free(model->features);
    model->recipe = copy;
    model->yaml = yaml;
    model->features = features;
    return STRAIT_OK;
}

strait_status strait_model_build(strait_model **out, const strait_recipe *recipe, strait_error *err) {
    if (!out || !recipe) return st_fail(err, STRAIT_ARGUMENT, "strait_model_build: out and recipe must not be NULL");
    *out = NULL;
    strait_model *model = st_alloc(1, sizeof *model);
    if (!model) return st_fail_memory(err, sizeof *model, "a model");
    model->has_encoder = model->has_decoder = true;
    strait_status status = st_model_set_recipe(model, recipe, err);
    if (status == STRAIT_OK) status = st_model_graph(&model->graph, model->recipe, true, true, err);
    if (status != STRAIT_OK) goto done;
    const size_t bytes = (size_t)model->graph->n_values * sizeof *model->values;
    model->values = st_alloc_aligned(bytes);
    if (!model->values) {
        status = st_fail_memory(err, bytes, "the model's parameters");
        goto done;
    }
    st_model_initialise(model->values, model->graph, recipe->seed);
done:
    if (status != STRAIT_OK) {
        strait_model_free(model);
        return status;
    }
    *out = model;
    return STRAIT_OK;
}

void strait_model_free(strait_model *model) {
    if (!model) return;
    strait_recipe_free(model->recipe);
    st_free(model->yaml);
    st_free(model->features);
    st_free(model->file);
    st_graph_free(model->graph);
    st_free(model->values);
    st_free(model);
}

int64_t strait_model_latent_size(const strait_model *model) {
    return st_shape_count(&model->graph->tensor[model->graph->latent].shape);
}

bool strait_model_is_variational(const strait_model *model) {
    for (int i = 0; i < model->recipe->model.n_encoder; i++)
        if (model->recipe->model.encoder[i].kind == ST_LAYER_GAUSSIAN) return true;
    return false;
}

int64_t strait_model_parameters(const strait_model *model) {
    return st_graph_trainable(model->graph);
}

const char *strait_model_recipe(const strait_model *model) {
    return model->yaml;
}

st_shape st_model_input_shape(const strait_model *model) {
    return model->graph->tensor[model->graph->input].shape;
}

st_shape st_model_output_shape(const strait_model *model) {
    const st_graph *graph = model->graph;
    return graph->tensor[graph->output >= 0 ? graph->output : graph->latent].shape;
}

/* One step of a path like "0.1.mean.2": the number there, the path behind it; -1 for a word or at the end. */
static int take_index(const char **path) {
    char *end;
    const long index = strtol(*path, &end, 10);
    if (end == *path) return -1;
    *path = *end == '.' ? end + 1 : end;
    return (int)index;
}

/* The layer an op's name leads to: "encoder.0.1.2" is layer 2 in branch 1 of layer 0. NULL for an op that no layer of
   the recipe stands for. */
static const st_layer *find_layer(const strait_recipe *recipe, const st_op *op) {
    const char *path = strchr(op->name, '.');
    const st_layer *layers = op->part ? recipe->model.decoder : recipe->model.encoder, *layer = NULL;
    int n = op->part ? recipe->model.n_decoder : recipe->model.n_encoder;
    for (path = path ? path + 1 : ""; *path;) {
        const int index = take_index(&path);
        if (index < 0 || index >= n) return NULL;
        layer = &layers[index];
        if (!*path || layer->n_branches == 0) return layer;
        int b = 0;
        if (layer->kind == ST_LAYER_PARALLEL) {
            b = take_index(&path);
        } else if (layer->kind == ST_LAYER_GAUSSIAN) {
            b = strncmp(path, "mean", 4) == 0 ? 0 : 1;
            path += strcspn(path, ".");
            path += *path == '.';
        }
        if (b < 0 || b >= layer->n_branches) return NULL;
        layers = layer->branch[b].layers;
        n = layer->branch[b].n_layers;
    }
    return layer;
}

void st_model_op_text(char *out, size_t n, const strait_model *model, const st_op *op) {
    const char *kind = st_op_name(op->kind), *activation = st_activation_name(op->activation.kind);
    const st_layer *layer = op->kind == ST_OP_RESHAPE ? find_layer(model->recipe, op) : NULL;
    if (layer) /* a flatten, too */
        snprintf(out, n, "%s", st_layer_name(layer->kind));
    else if (op->kind == ST_OP_ACTIVATION)
        snprintf(out, n, "%s", activation);
    else if (op->activation.kind == ST_LINEAR)
        snprintf(out, n, "%s", kind);
    else
        snprintf(out, n, "%s (%s)", kind, activation);
}
