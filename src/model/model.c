/* Models in memory: building, what can be asked of them. */
#include "model/model.h"

#include "base/memory.h"

strait_status st_model_set_recipe(strait_model *model, const strait_recipe *recipe, strait_error *err) {
    strait_recipe *copy = NULL;
    ST_TRY(st_recipe_copy(&copy, recipe, err));
    char *yaml = NULL;
    const strait_status status = strait_recipe_to_yaml(&yaml, copy, err);
    if (status != STRAIT_OK) {
        strait_recipe_free(copy);
        return status;
    }
    strait_recipe_free(model->recipe);
    st_free(model->yaml);
    model->recipe = copy;
    model->yaml = yaml;
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
    st_free(model->file);
    st_graph_free(model->graph);
    st_free(model->values);
    st_free(model);
}

int64_t strait_model_latent_size(const strait_model *model) {
    return st_shape_count(&model->graph->tensor[model->graph->latent].shape);
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
