/* strait_model_activations: every layer's values for one sample. */
#include <stdio.h>
#include <string.h>

#include "api/apply.h"
#include "base/memory.h"
#include "data/data.h"
#include "graph/runner.h"
#include "model/model.h"
#include "train/trainer.h"

typedef struct map_text {
    char name[48], layer[48];
} map_text;

/* As it is owned: the public part first, so that freeing finds the rest. */
typedef struct st_owned_activations {
    strait_activations public;
    map_text *text; /* [n] */
    float *values;  /* of all maps, one behind another */
} st_owned_activations;

STRAIT_API void strait_activations_free(strait_activations *activations) {
    if (!activations) return;
    st_owned_activations *owned = (st_owned_activations *)activations;
    st_free(activations->map);
    st_free(owned->text);
    st_free(owned->values);
    st_free(owned);
}

/* Whether the next op belongs to the same layer: a layer's values are those its last op gives. */
static bool goes_on(const st_graph *graph, int i) {
    return i + 1 < graph->n_ops && graph->op[i + 1].src == graph->op[i].dst &&
           strcmp(graph->op[i].name, graph->op[i + 1].name) == 0;
}

/* The sample's values, scaled as in training. */
static strait_status read_sample(float *values, const strait_model *model, strait_data *data, int64_t i,
                                 strait_error *err) {
    strait_data *view = NULL;
    st_batches *batches = NULL;
    st_batch batch;
    st_batches_config config = {.batch_size = 1, .seed = model->recipe->seed};
    ST_TRY(st_data_scaling(&config.offset, &config.factor, data, model->recipe, err));
    strait_status status = st_data_slice(&view, data, i, 1, err);
    config.data = view;
    if (status == STRAIT_OK) status = st_batches_new(&batches, &config, err);
    if (status == STRAIT_OK) {
        st_batches_start(batches, ST_EVALUATION_EPOCH, 0);
        status = st_batches_next(&batch, batches, err);
    }
    if (status == STRAIT_OK) {
        const st_shape input = st_model_input_shape(model);
        memcpy(values, batch.input, (size_t)st_shape_count(&input) * sizeof *values);
    }
    st_batches_free(batches);
    strait_data_free(view);
    return status;
}

static void add_map(st_owned_activations *owned, const st_shape *shape, float *values) {
    strait_activation_map *map = &owned->public.map[owned->public.n];
    const map_text *text = &owned->text[owned->public.n++];
    *map = (strait_activation_map){.name = text->name, .layer = text->layer, .n_dims = shape->n_dims, .values = values};
    memcpy(map->dim, shape->dim, (size_t)shape->n_dims * sizeof *map->dim);
}

static strait_status new_activations(st_owned_activations **out, const st_graph *graph, strait_error *err) {
    size_t n_values = (size_t)st_shape_count(&graph->tensor[graph->input].shape);
    for (int i = 0; i < graph->n_ops; i++)
        n_values += (size_t)st_shape_count(&graph->tensor[graph->op[i].dst].shape);
    st_owned_activations *owned = st_alloc(1, sizeof *owned);
    if (!owned) return st_fail_memory(err, sizeof *owned, "the activations");
    owned->public.map = st_alloc((size_t)graph->n_ops + 1, sizeof *owned->public.map);
    owned->text = st_alloc((size_t)graph->n_ops + 1, sizeof *owned->text);
    owned->values = st_alloc(n_values, sizeof *owned->values);
    if (owned->public.map && owned->text && owned->values) {
        *out = owned;
        return STRAIT_OK;
    }
    strait_activations_free(&owned->public);
    return st_fail_memory(err, n_values * sizeof(float), "the activations");
}

/* Runs the sample, whose values stand first, and copies what each layer gave. */
static strait_status collect(st_owned_activations *owned, const strait_model *model, strait_error *err) {
    const st_graph *graph = model->graph;
    const st_runner_config config = {
        .graph = graph,
        .engine = &st_engine_cpu,
        .n_ops = graph->n_ops,
        .batch_size = 1,
        .threads = 1,
        .micro_batch = 1,
        .keep_values = true,
        .seed = model->recipe->seed,
    };
    st_runner *runner = NULL;
    ST_TRY(st_runner_new(&runner, &config, err));
    strait_status status = st_runner_pack(runner, st_runner_parameters(runner), model->values, err);
    if (status == STRAIT_OK) status = st_runner_forward(runner, owned->values, NULL, 1, err);
    float *at = owned->values;
    snprintf(owned->text[0].name, sizeof owned->text[0].name, "input");
    add_map(owned, &graph->tensor[graph->input].shape, at);
    at += st_shape_count(&graph->tensor[graph->input].shape);
    for (int i = 0; i < graph->n_ops && status == STRAIT_OK; i++) {
        if (goes_on(graph, i)) continue;
        const st_op *op = &graph->op[i];
        const st_shape *shape = &graph->tensor[op->dst].shape;
        map_text *text = &owned->text[owned->public.n];
        memcpy(text->name, op->name, sizeof text->name);
        st_model_op_text(text->layer, sizeof text->layer, model, op);
        memcpy(at, st_runner_tensor(runner, op->dst), (size_t)st_shape_count(shape) * sizeof *at);
        add_map(owned, shape, at);
        at += st_shape_count(shape);
    }
    st_runner_free(runner);
    return status;
}

STRAIT_API strait_status strait_model_activations(strait_activations **out, const strait_model *model,
                                                  strait_data *data, int64_t i, strait_error *err) {
    *out = NULL;
    if (!model) return st_fail(err, STRAIT_ARGUMENT, "the model is NULL");
    if (!model->has_encoder)
        return st_fail(err, STRAIT_ARGUMENT, "%s holds a decoder alone: it takes latents, not samples",
                       model->file ? model->file : "the model");
    strait_data *fitting = NULL;
    ST_TRY(st_data_for_model(&fitting, model, data, err));
    st_owned_activations *owned = NULL;
    strait_status status = STRAIT_OK;
    if (i < 0 || i >= strait_data_count(fitting))
        status = st_fail(err, STRAIT_ARGUMENT, "there is no sample %lld: the data has %lld, counted from 0",
                         (long long)i, (long long)strait_data_count(fitting));
    if (status == STRAIT_OK) status = new_activations(&owned, model->graph, err);
    if (status == STRAIT_OK) status = read_sample(owned->values, model, fitting, i, err);
    if (status == STRAIT_OK) status = collect(owned, model, err);
    strait_data_free(fitting);
    if (status != STRAIT_OK) {
        if (owned) strait_activations_free(&owned->public);
        return status;
    }
    *out = &owned->public;
    return STRAIT_OK;
}
