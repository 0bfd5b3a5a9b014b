#include "graph/plan_int.h"

#include <string.h>

#include "base/memory.h"

/* Floats in a cache line: every buffer and packed parameter begins on one. */
#define LINE 16
static size_t round_up(size_t n) {
    return (n + LINE - 1) / LINE * LINE;
}

size_t st_buffers_place(int n, st_buffer *buffer, int *order) {
    for (int i = 0; i < n; i++) { /* insertion sort: largest first, ties by index */
        int j = i;
        for (; j > 0 && buffer[order[j - 1]].size < buffer[i].size; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    size_t total = 0;
    for (int i = 0; i < n; i++) {
        st_buffer *b = &buffer[order[i]];
        b->offset = 0;
        for (int moved = 1; moved;) { /* first fit: move past every placed buffer in the way */
            moved = 0;
            for (int j = 0; j < i; j++) {
                const st_buffer *o = &buffer[order[j]];
                const int in_time = b->first <= o->last && o->first <= b->last;
                const int in_space = b->offset < o->offset + o->size && o->offset < b->offset + b->size;
                if (in_time && in_space) {
                    b->offset = o->offset + o->size;
                    moved = 1;
                }
            }
        }
        if (b->offset + b->size > total) total = b->offset + b->size;
    }
    return total;
}

/* The tensor whose memory tensor t shares: reshapes own nothing. */
static int root_of(const st_runner_config *config, int t) {
    const st_graph *graph = config->graph;
    for (;;) {
        const int producer = graph->tensor[t].producer;
        if (producer < config->first_op || graph->op[producer].kind != ST_OP_RESHAPE) return t;
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
        if (op->kind != ST_OP_RESHAPE) values += st_shape_count(&config->graph->tensor[op->dst].shape);
    }
    values *= config->training ? 2 : 1;
    return (values + st_shape_count(&config->graph->tensor[first_tensor(config)].shape)) * (int64_t)sizeof(float);
}

/* The op that makes tensor t, looking through reshapes; NULL for the range's input. */
static const st_op *maker_of(const st_runner_config *config, int t) {
    const int producer = config->graph->tensor[root_of(config, t)].producer;
    return producer < config->first_op ? NULL : &config->graph->op[producer];
}

/* Whether the loss can take over the derivative of the activation before it: those that follow from the output value
   by value. */
static bool fuses_into_loss(const st_op *op) {
    return op && op->activation.kind != ST_LINEAR && op->activation.kind != ST_SOFTMAX;
}

/* Plans the kernel of one op and gives its parameters their place in the packed block. */
static strait_status plan_stage(st_plan *plan, const st_runner_config *config, const st_op *op, bool needs_dsrc,
                                strait_error *err) {
    const st_kernel *kernel = config->engine->kernel[op->kind];
    if (!kernel)
        return st_fail(err, STRAIT_ENGINE, "engine %s has no kernel for %s", config->engine->name,
                       st_op_name(op->kind));
    const st_op *last = maker_of(config, last_tensor(config));
    const bool fused = config->training && fuses_into_loss(last);
    const st_kernel_request request = {
        .graph = config->graph,
        .op = op,
        .batch = plan->batch,
        .training = config->training,
        .needs_dsrc = needs_dsrc,
        .dst_is_preactivation = fused && op == last,
        .fused = fused && op->kind == ST_OP_LOSS ? last->activation : (st_activation){.kind = ST_LINEAR},
    };
    st_stage *stage = &plan->stage[plan->n_stages];
    st_kernel_needs needs = {0};
    ST_TRY(kernel->plan(&stage->state, &needs, &request, err));
    stage->kernel = kernel;
    stage->op = op;
    stage->needs_dsrc = needs_dsrc;
    plan->n_stages++;
    stage->packed = (st_packed){.kernel = plan->block_size, .n_kernel = needs.kernel, .n_bias = needs.bias};
    plan->block_size += round_up(needs.kernel);
    stage->packed.bias = plan->block_size;
    plan->block_size += round_up(needs.bias);
    if (needs.scratch > plan->scratch) plan->scratch = round_up(needs.scratch);
    return STRAIT_OK;
}

/* Lifetimes of values and gradients, then their offsets. */
static strait_status place_buffers(st_plan *plan, const st_runner_config *config, strait_error *err) {
    const st_graph *graph = config->graph;
    const int n_buffers = 2 * graph->n_tensors, n = config->n_ops + 1, end = 2 * n;
    st_buffer *buffer = st_alloc((size_t)n_buffers, sizeof *buffer);
    int *order = st_alloc((size_t)n_buffers, sizeof *order);
    plan->offset = st_alloc((size_t)n_buffers, sizeof *plan->offset);
    plan->n_tensors = graph->n_tensors;
    if (!buffer || !order || !plan->offset) {
        st_free(buffer);
        st_free(order);
        return st_fail_memory(err, (size_t)n_buffers * sizeof *buffer, "the plan");
    }
    for (int i = 0; i < n_buffers; i++)
        buffer[i] = (st_buffer){.first = end, .last = -1};
    for (int i = 0; i < n; i++) {
        const bool is_loss = i == config->n_ops;
        const st_op *op = is_loss ? &plan->loss_op : &graph->op[config->first_op + i];
        if (op->kind == ST_OP_RESHAPE) continue;
        const int src = root_of(config, is_loss ? last_tensor(config) : op->src), back = end - 1 - i;
        const int touched[2] = {src, is_loss ? src : op->dst};
        for (int j = 0; j < 2; j++) {
            st_buffer *value = &buffer[2 * touched[j]], *gradient = value + 1;
            value->size = round_up((size_t)(st_shape_count(&graph->tensor[touched[j]].shape) * plan->batch));
            if (i < value->first) value->first = i;
            const int used = config->training ? back : i;
            if (used > value->last) value->last = used;
            if (!config->training) continue;
            gradient->size = touched[j] == root_of(config, first_tensor(config)) ? 0 : value->size;
            if (back < gradient->first) gradient->first = back;
            if (back > gradient->last) gradient->last = back;
        }
    }
    /* The range's input is there from the start, its output to the end, even if no kernel touches them. */
    st_buffer *input = &buffer[2 * first_tensor(config)], *output = &buffer[2 * root_of(config, last_tensor(config))];
    input->size = round_up((size_t)(plan->n_in * plan->batch));
    input->first = 0;
    if (input->last < 0) input->last = 0;
    if (plan->has_loss) input->last = end; /* it may be the target */
    output->size = round_up((size_t)(plan->n_out * plan->batch));
    if (!config->training) output->last = end;
    plan->arena_size = st_buffers_place(n_buffers, buffer, order);
    for (int i = 0; i < n_buffers; i++)
        plan->offset[i] = buffer[i].size ? buffer[i].offset : SIZE_MAX;
    for (int t = 0; t < graph->n_tensors; t++) { /* reshapes stand where their root does */
        const int root = root_of(config, t);
        plan->offset[2 * t] = plan->offset[2 * root];
        plan->offset[2 * t + 1] = plan->offset[2 * root + 1];
    }
    st_free(buffer);
    st_free(order);
    return STRAIT_OK;
}

strait_status st_plan_new(st_plan **out, const st_runner_config *config, int64_t micro_batch, strait_error *err) {
    st_plan *plan = st_alloc(1, sizeof *plan);
    if (!plan) return st_fail_memory(err, sizeof *plan, "the plan");
    strait_status status = STRAIT_OK;
    const st_graph *graph = config->graph;
    plan->batch = micro_batch;
    plan->has_loss = config->training || config->with_loss;
    plan->input_tensor = first_tensor(config);
    plan->output_tensor = last_tensor(config);
    plan->n_in = st_shape_count(&graph->tensor[first_tensor(config)].shape);
    plan->n_out = st_shape_count(&graph->tensor[last_tensor(config)].shape);
    plan->loss_op = (st_op){.kind = ST_OP_LOSS,
                            .src = last_tensor(config),
                            .dst = -1,
                            .src2 = -1,
                            .kernel = -1,
                            .bias = -1,
                            .state = {-1, -1},
                            .loss = config->loss,
                            .name = "loss"};
    plan->stage = st_alloc((size_t)config->n_ops + 1, sizeof *plan->stage);
    if (!plan->stage) {
        status = st_fail_memory(err, sizeof *plan->stage, "the plan");
        goto out;
    }
    bool needs_dsrc = false; /* nothing before the first parameters wants a gradient */
    for (int i = 0; i < config->n_ops && status == STRAIT_OK; i++) {
        const st_op *op = &graph->op[config->first_op + i];
        if (op->kind == ST_OP_RESHAPE) continue;
        status = plan_stage(plan, config, op, config->training && needs_dsrc, err);
        needs_dsrc = needs_dsrc || op->kernel >= 0;
    }
    if (status == STRAIT_OK && plan->has_loss) status = plan_stage(plan, config, &plan->loss_op, needs_dsrc, err);
    if (status == STRAIT_OK) status = place_buffers(plan, config, err);
out:
    if (status != STRAIT_OK)
        st_plan_free(plan);
    else
        *out = plan;
    return status;
}

strait_status st_plan_bind(st_plan *plan, const float *parameters, float *gradient, strait_error *err) {
    const size_t floats = plan->arena_size + plan->scratch;
    plan->arena = st_alloc_aligned(floats * sizeof(float));
    if (!plan->arena) return st_fail_memory(err, floats * sizeof(float), "activations");
    plan->input = plan->arena + plan->offset[2 * plan->input_tensor];
    plan->output = plan->arena + plan->offset[2 * plan->output_tensor];
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
        const st_op *op = stage->op;
        const size_t dsrc = stage->needs_dsrc ? plan->offset[2 * op->src + 1] : SIZE_MAX;
        const size_t ddst = op->dst < 0 ? SIZE_MAX : plan->offset[2 * op->dst + 1];
        const st_binding binding = {
            .src = plan->arena + plan->offset[2 * op->src],
            .dst = op->dst < 0 ? NULL : plan->arena + plan->offset[2 * op->dst],
            .ddst = ddst == SIZE_MAX ? NULL : plan->arena + ddst,
            .dsrc = dsrc == SIZE_MAX ? NULL : plan->arena + dsrc,
            .kernel = parameters + stage->packed.kernel,
            .bias = stage->packed.n_bias ? parameters + stage->packed.bias : NULL,
            .dkernel = gradient ? gradient + stage->packed.kernel : NULL,
            .dbias = gradient && stage->packed.n_bias ? gradient + stage->packed.bias : NULL,
            .step = &plan->step,
            .scratch = plan->arena + plan->arena_size,
        };
        ST_TRY(stage->kernel->bind(stage->state, &binding, err));
    }
    return STRAIT_OK;
}

void st_plan_free(st_plan *plan) {
    if (!plan) return;
    for (int i = 0; i < plan->n_stages; i++)
        plan->stage[i].kernel->free(plan->stage[i].state);
    st_free(plan->stage);
    st_free(plan->offset);
    st_free(plan->arena);
    st_free(plan);
}
