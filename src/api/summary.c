/* The summary of a model: a row a layer, totals, and how a training step is computed. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "base/thread.h"
#include "graph/runner.h"
#include "model/model.h"
#include "train/optimizer.h"
#include "train/trainer.h"

/* "encoder.1" and "dense (relu)" of every row, in one block each. */
typedef struct st_row_text {
    char name[48], layer[48];
} st_row_text;

/* The summary as it is owned: the public part first, so that freeing finds the rest. */
typedef struct st_summary {
    strait_summary public;
    st_row_text *text;
} st_summary;

static void fill_row(strait_summary_row *row, st_row_text *text, const strait_model *model, const st_op *op) {
    const st_graph *graph = model->graph;
    static const char *const part[] = {"encoder", "decoder"};
    const st_shape *shape = &graph->tensor[op->dst].shape;
    snprintf(text->name, sizeof text->name, "%s", op->name);
    st_model_op_text(text->layer, sizeof text->layer, model, op);
    *row = (strait_summary_row){.part = part[op->part],
                                .name = text->name,
                                .layer = text->layer,
                                .n_dims = shape->n_dims,
                                .flops = st_op_flops(graph, op)};
    memcpy(row->dim, shape->dim, (size_t)shape->n_dims * sizeof *row->dim);
    const int parameter[] = {op->kernel, op->bias, op->state[0], op->state[1]};
    for (size_t i = 0; i < sizeof parameter / sizeof parameter[0]; i++) {
        if (parameter[i] < 0) continue;
        const int64_t n = st_shape_count(&graph->parameter[parameter[i]].shape);
        row->parameters += n;
        if (graph->parameter[parameter[i]].role == ST_ROLE_STATE) row->non_trainable += n;
    }
    /* A reshape gives the same memory another shape. */
    if (op->kind != ST_OP_RESHAPE) row->activation_bytes = st_shape_count(shape) * (int64_t)sizeof(float);
}

/* Makes the training plan, to say how it is computed and what memory it takes. */
static strait_status describe_plan(strait_summary *out, const strait_model *model, int threads, strait_error *err) {
    const strait_recipe *recipe = model->recipe;
    st_runner_config config = st_training_runner(model, recipe, &st_engine_cpu);
    if (threads > 0 || recipe->train.threads <= 0) config.threads = threads > 0 ? threads : st_processors();
    config.unbound = true;
    st_runner *runner = NULL;
    st_text text = {0};
    ST_TRY(st_runner_new(&runner, &config, err));
    st_runner_describe(runner, &text);
    const int states = st_optimizer_states(&recipe->train.optimizer);
    out->training_bytes = st_runner_memory(runner) + states * (int64_t)(st_runner_block_size(runner) * sizeof(float));
    out->batch_size = (int)recipe->train.batch_size;
    st_runner_free(runner);
    return st_text_take(&out->plan, &text, err);
}

STRAIT_API strait_status strait_model_summary(strait_summary **out, const strait_model *model, int threads,
                                              strait_error *err) {
    *out = NULL;
    if (!model) return st_fail(err, STRAIT_ARGUMENT, "strait_model_summary: model is NULL");
    const st_graph *graph = model->graph;
    st_summary *summary = st_alloc(1, sizeof *summary);
    if (!summary) return st_fail_memory(err, sizeof *summary, "the summary");
    strait_summary *shown = &summary->public;
    shown->row = st_alloc((size_t)graph->n_ops, sizeof *shown->row);
    summary->text = st_alloc((size_t)graph->n_ops, sizeof *summary->text);
    strait_status status = STRAIT_OK;
    if (!shown->row || !summary->text) {
        status = st_fail_memory(err, (size_t)graph->n_ops * sizeof *shown->row, "the summary");
        goto out;
    }
    shown->n_rows = graph->n_ops;
    for (int i = 0; i < graph->n_ops; i++) {
        fill_row(&shown->row[i], &summary->text[i], model, &graph->op[i]);
        shown->flops += shown->row[i].flops;
        shown->non_trainable += shown->row[i].non_trainable;
        shown->activation_bytes += shown->row[i].activation_bytes;
    }
    const st_shape input = graph->tensor[graph->input].shape;
    shown->n_input_dims = input.n_dims;
    memcpy(shown->input_dim, input.dim, (size_t)input.n_dims * sizeof *shown->input_dim);
    shown->latent = strait_model_latent_size(model);
    shown->parameters = graph->n_values;
    status = describe_plan(shown, model, threads, err);
out:
    if (status != STRAIT_OK)
        strait_summary_free(shown);
    else
        *out = shown;
    return status;
}

STRAIT_API void strait_summary_free(strait_summary *summary) {
    if (!summary) return;
    st_summary *owned = (st_summary *)summary;
    st_free(summary->row);
    st_free(summary->plan);
    st_free(owned->text);
    st_free(owned);
}
