#include "graph/plan_int.h"

#include <string.h>

#include "base/memory.h"
#include "base/thread.h"

/* ---- what the range is made of ---- */

bool st_plan_is_alias(const st_runner_config *config, const st_op *op) {
    switch (op->kind) {
    case ST_OP_RESHAPE: return true;
    case ST_OP_DROPOUT:
    case ST_OP_GAUSSIAN_NOISE: return !config->training;
    case ST_OP_PENALTY: return !config->training && !config->with_loss;
    default: return false;
    }
}

int st_plan_root(const st_runner_config *config, int t) {
    const st_graph *graph = config->graph;
    for (;;) {
        const int producer = graph->tensor[t].producer;
        if (producer < config->first_op || !st_plan_is_alias(config, &graph->op[producer])) return t;
        t = graph->op[producer].src;
    }
}

static int first_tensor(const st_runner_config *config) {
    return config->graph->op[config->first_op].src;
}
static int last_tensor(const st_runner_config *config) {
    return config->graph->op[config->first_op + config->n_ops - 1].dst;
}

int64_t st_plan_sample_bytes(const st_runner_config *config) {
    int64_t values = 0;
    for (int i = 0; i < config->n_ops; i++) {
        const st_op *op = &config->graph->op[config->first_op + i];
        if (!st_plan_is_alias(config, op)) values += st_shape_count(&config->graph->tensor[op->dst].shape);
    }
    values *= config->training ? 2 : 1;
    return (values + st_shape_count(&config->graph->tensor[first_tensor(config)].shape)) * (int64_t)sizeof(float);
}

/* The range gets one tensor from outside: an op that reads another one has nothing to read. */
static strait_status check_inputs(const st_runner_config *config, strait_error *err) {
    const st_graph *graph = config->graph;
    for (int i = 0; i < config->n_ops; i++) {
        const st_op *op = &graph->op[config->first_op + i];
        const int source[2] = {op->src, op->src2};
        for (int j = 0; j < 2; j++)
            if (source[j] >= 0 && source[j] != first_tensor(config) &&
                graph->tensor[source[j]].producer < config->first_op)
                return st_fail(err, STRAIT_ARGUMENT,
                               "%s (%s) reads a value from before the ops that are asked for: they cannot run alone",
                               op->name, st_op_name(op->kind));
    }
    return STRAIT_OK;
}

/* Which tensors a parameter of the range stands before. */
static void find_dependence(st_plan *plan, const st_runner_config *config) {
    for (int i = 0; i < config->n_ops; i++) {
        const st_op *op = &config->graph->op[config->first_op + i];
        plan->depends[op->dst] =
            op->kernel >= 0 || op->bias >= 0 || plan->depends[op->src] || (op->src2 >= 0 && plan->depends[op->src2]);
    }
}

/* The op whose activation's derivative the loss takes over: it makes the output, looking through aliases, and nothing
   but the loss reads that; the derivative must follow from the output value by value. NULL: none. */
static const st_op *fused_into_loss(const st_runner_config *config) {
    const st_graph *graph = config->graph;
    const int root = st_plan_root(config, last_tensor(config)), producer = graph->tensor[root].producer;
    if (!config->training || producer < config->first_op) return NULL;
    const st_op *maker = &graph->op[producer];
    const st_activation_kind kind = maker->activation.kind;
    if (kind == ST_LINEAR || kind == ST_SOFTMAX || st_activation_needs_input(kind)) return NULL;
    for (int i = 0; i < config->n_ops; i++) {
        const st_op *op = &graph->op[config->first_op + i];
        if (st_plan_is_alias(config, op)) continue;
        if (st_plan_root(config, op->src) == root) return NULL;
        if (op->src2 >= 0 && st_plan_root(config, op->src2) == root) return NULL;
    }
    return maker;
}

/* ---- making it ---- */

static size_t parameter_count(const st_graph *graph, int parameter) {
    return parameter < 0 ? 0 : (size_t)st_shape_count(&graph->parameter[parameter].shape);
}

/* Gives n floats of the packed block. */
static size_t take(st_plan *plan, size_t n) {
    const size_t begin = plan->block_size;
    plan->block_size += st_plan_round_up(n);
    return begin;
}

/* Plans the kernel of one op, index in the graph, and gives its parameters their place in the packed block. */
static strait_status plan_stage(st_plan *plan, const st_runner_config *config, const st_op *op, int index,
                                strait_error *err) {
    const st_kernel *kernel = config->engine->kernel[op->kind];
    if (!kernel)
        return st_fail(err, STRAIT_ENGINE, "engine %s has no kernel for %s", config->engine->name,
                       st_op_name(op->kind));
    st_stage *stage = &plan->stage[plan->n_stages];
    stage->needs_dsrc[0] = config->training && plan->depends[op->src];
    stage->needs_dsrc[1] = config->training && op->src2 >= 0 && plan->depends[op->src2];
    const st_op *fused = fused_into_loss(config);
    const st_kernel_request request = {
        .graph = config->graph,
        .op = op,
        .batch = plan->batch,
        .parts = kernel->by_columns ? plan->parts : 1,
        .training = config->training,
        .needs_dsrc = stage->needs_dsrc[0] || stage->needs_dsrc[1],
        .dst_is_preactivation = fused && op == fused,
        .fused = fused && index < 0 ? fused->activation : (st_activation){.kind = ST_LINEAR},
    };
    st_kernel_needs needs = {0};
    ST_TRY(kernel->plan(&stage->state, &needs, &request, err));
    stage->kernel = kernel;
    stage->op = op;
    stage->index = index;
    stage->step = index < 0 ? config->n_ops : index - config->first_op;
    stage->keep = needs.keep;
    stage->hold = needs.hold;
    stage->exchange = config->training ? needs.exchange : 0;
    plan->n_stages++;
    st_packed *packed = &stage->packed;
    *packed = (st_packed){.n_kernel = needs.kernel, .n_bias = needs.bias};
    packed->n_state = parameter_count(config->graph, op->state[0]) + parameter_count(config->graph, op->state[1]);
    packed->kernel = take(plan, packed->n_kernel);
    packed->bias = take(plan, packed->n_bias);
    packed->state = take(plan, packed->n_state);
    if (needs.scratch > plan->scratch) plan->scratch = st_plan_round_up(needs.scratch);
    if (needs.common > plan->common) plan->common = st_plan_round_up(needs.common);
    if (stage->exchange > plan->exchange) plan->exchange = stage->exchange;
    return STRAIT_OK;
}

static strait_status plan_stages(st_plan *plan, const st_runner_config *config, strait_error *err) {
    for (int i = 0; i < config->n_ops; i++) {
        const int index = config->first_op + i;
        const st_op *op = &config->graph->op[index];
        if (!st_plan_is_alias(config, op)) ST_TRY(plan_stage(plan, config, op, index, err));
    }
    return plan->has_loss ? plan_stage(plan, config, &plan->loss_op, -1, err) : STRAIT_OK;
}

strait_status st_plan_new(st_plan **out, const st_runner_config *config, int64_t micro_batch, int parts,
                          strait_error *err) {
    ST_TRY(check_inputs(config, err));
    st_plan *plan = st_alloc(1, sizeof *plan);
    if (!plan) return st_fail_memory(err, sizeof *plan, "the plan");
    strait_status status = STRAIT_OK;
    const st_graph *graph = config->graph;
    plan->graph = graph;
    plan->batch = micro_batch;
    plan->parts = parts;
    plan->timed = config->timed;
    plan->has_loss = config->training || config->with_loss;
    plan->n_tensors = graph->n_tensors;
    plan->input_tensor = first_tensor(config);
    plan->output_tensor = last_tensor(config);
    plan->n_in = st_shape_count(&graph->tensor[plan->input_tensor].shape);
    plan->n_out = st_shape_count(&graph->tensor[plan->output_tensor].shape);
    plan->loss_op = (st_op){.kind = ST_OP_LOSS,
                            .src = plan->output_tensor,
                            .dst = -1,
                            .src2 = -1,
                            .kernel = -1,
                            .bias = -1,
                            .state = {-1, -1},
                            .loss = config->loss,
                            .name = "loss"};
    plan->stage = st_alloc((size_t)config->n_ops + 1, sizeof *plan->stage);
    plan->depends = st_alloc((size_t)graph->n_tensors, sizeof *plan->depends);
    if (!plan->stage || !plan->depends) {
        status = st_fail_memory(err, ((size_t)config->n_ops + 1) * sizeof *plan->stage, "the plan");
        goto out;
    }
    find_dependence(plan, config);
    status = plan_stages(plan, config, err);
    if (status == STRAIT_OK) status = st_plan_place(plan, config, err);
out:
    if (status != STRAIT_OK)
        st_plan_free(plan);
    else
        *out = plan;
    return status;
}

size_t st_plan_tensor_floats(const st_plan *plan, int t) {
    return (size_t)(st_shape_count(&plan->graph->tensor[t].shape) * plan->batch);
}

/* This part of a buffer of n floats. */
static float *at(const st_plan *plan, size_t offset, size_t n) {
    return offset == SIZE_MAX ? NULL : plan->arena + offset * (size_t)plan->parts + n * (size_t)plan->part;
}

/* Tensor t or its gradient; NULL: there is none. */
static float *tensor_at(const st_plan *plan, int t, bool gradient) {
    return t < 0 ? NULL : at(plan, plan->offset[2 * t + gradient], st_plan_tensor_floats(plan, t));
}

/* Where a stage writes its gradient by input t, its j-th. */
static float *gradient_at(const st_plan *plan, const st_stage *stage, int t, int j) {
    return t < 0 ? NULL : at(plan, stage->gradient_offset[j], st_plan_tensor_floats(plan, t));
}

size_t st_plan_floats(const st_plan *plan) {
    return (plan->arena_size + plan->scratch) * (size_t)plan->parts + plan->common;
}

strait_status st_plan_bind(st_plan *plan, const st_plan *first, float *parameters, float *gradient,
                           st_exchange *exchange, int replica, strait_error *err) {
    const size_t floats = st_plan_floats(plan);
    plan->part = plan->parts > 1 ? replica : 0;
    plan->meeting = plan->parts > 1 ? exchange : NULL;
    plan->arena = plan->part > 0 ? first->arena : st_alloc_aligned(floats * sizeof(float));
    if (!plan->arena) return st_fail_memory(err, floats * sizeof(float), "activations");
    plan->input = tensor_at(plan, plan->input_tensor, false);
    plan->output = tensor_at(plan, plan->output_tensor, false);
    float *const scratch = plan->arena + plan->arena_size * (size_t)plan->parts;
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
        const st_op *op = stage->op;
        const st_packed *packed = &stage->packed;
        const st_binding binding = {
            .src = tensor_at(plan, op->src, false),
            .dst = tensor_at(plan, op->dst, false),
            .ddst = tensor_at(plan, op->dst, true),
            .dsrc = gradient_at(plan, stage, op->src, 0),
            .src2 = tensor_at(plan, op->src2, false),
            .dsrc2 = gradient_at(plan, stage, op->src2, 1),
            .kernel = parameters + packed->kernel,
            .bias = packed->n_bias ? parameters + packed->bias : NULL,
            .dkernel = gradient ? gradient + packed->kernel : NULL,
            .dbias = gradient && packed->n_bias ? gradient + packed->bias : NULL,
            .state = packed->n_state ? parameters + packed->state : NULL,
            .step = &plan->step,
            .scratch = scratch + plan->scratch * (size_t)plan->part,
            .keep = at(plan, stage->keep_offset, st_plan_round_up(stage->keep)),
            .hold = at(plan, stage->hold_offset, st_plan_round_up(stage->hold)),
            .common = scratch + plan->scratch * (size_t)plan->parts,
            .exchange = stage->exchange || plan->parts > 1 ? exchange : NULL,
            .replica = replica,
        };
        ST_TRY(stage->kernel->bind(stage->state, &binding, err));
    }
    return STRAIT_OK;
}

static void add(float *restrict to, const float *restrict from, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void meet(const st_plan *plan) {
    if (plan->meeting) st_exchange_meet(plan->meeting, plan->part);
}

static strait_status run_stage(st_plan *plan, int i, bool backward, bool accumulate) {
    st_stage *stage = &plan->stage[i];
    const double start = plan->timed ? st_clock() : 0;
    const strait_status status =
        backward ? stage->kernel->backward(stage->state, accumulate) : stage->kernel->forward(stage->state);
    if (plan->timed) stage->seconds[backward] += st_clock() - start;
    return status;
}

strait_status st_plan_forward(st_plan *plan, bool with_loss, bool in_step) {
    const int n = plan->n_stages - (plan->has_loss && !with_loss ? 1 : 0);
    strait_status status = STRAIT_OK;
    for (int i = 0; i < n; i++) {
        meet(plan);
        const strait_status now = run_stage(plan, i, false, false);
        if (status == STRAIT_OK) status = now;
        if (status != STRAIT_OK && !in_step) return status;
    }
    meet(plan);
    return status;
}

strait_status st_plan_backward(st_plan *plan, bool accumulate, bool in_step) {
    strait_status status = STRAIT_OK;
    for (int i = 0; i < plan->n_backward; i++) {
        const st_backward *step = &plan->backward[i];
        if (i > 0) meet(plan);
        if (step->stage >= 0) {
            const strait_status now = run_stage(plan, step->stage, true, accumulate);
            if (status == STRAIT_OK) status = now;
            if (status != STRAIT_OK && !in_step) return status;
        } else if (step->from != SIZE_MAX) {
            add(at(plan, step->to, step->n), at(plan, step->from, step->n), step->n);
        } else {
            memset(at(plan, step->to, step->n), 0, step->n * sizeof(float));
        }
    }
    return status;
}

void st_plan_free(st_plan *plan) {
    if (!plan) return;
    for (int i = 0; i < plan->n_stages; i++)
        plan->stage[i].kernel->free(plan->stage[i].state);
    st_free(plan->stage);
    st_free(plan->backward);
    st_free(plan->depends);
    st_free(plan->offset);
    if (plan->part == 0) st_free(plan->arena);
    st_free(plan);
}
