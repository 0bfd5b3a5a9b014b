/* Where a plan's buffers live, and its backward list. Invariants in plan_int.h. */
#include "base/memory.h"
#include "graph/plan_int.h"

#define LINE 16 /* floats in a cache line */
size_t st_plan_round_up(size_t n) {
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

/* The buffers of a plan in the making: 2 a tensor (value, gradient), then 4 a stage: what it keeps, its gradients
   by src and src2 where they are still to be added, and what it holds. */
typedef struct st_layout {
    st_plan *plan;
    const st_runner_config *config;
    int n_buffers, end; /* end: one past the last step */
    st_buffer *buffer;
    int *order;
} st_layout;

static st_buffer *value_of(const st_layout *layout, int root) {
    return &layout->buffer[2 * root];
}
static st_buffer *gradient_of(const st_layout *layout, int root) {
    return &layout->buffer[2 * root + 1];
}
static st_buffer *own_of(const st_layout *layout, int stage, int i) {
    return &layout->buffer[2 * layout->plan->n_tensors + 4 * stage + i];
}

/* The buffer, of so many floats, is in use at the step. */
static void touch(st_buffer *buffer, size_t n, int step) {
    buffer->size = st_plan_round_up(n);
    if (step < buffer->first) buffer->first = step;
    if (step > buffer->last) buffer->last = step;
}

/* Lives of values and of what kernels keep. While training, a value may be read again by every op that read or wrote
   it. */
static void live_values(const st_layout *layout) {
    const st_plan *plan = layout->plan;
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
        const int touched[3] = {stage->op->src, stage->op->src2, stage->op->dst};
        const int back = layout->config->training ? layout->end - 1 - stage->step : stage->step;
        for (int j = 0; j < 3; j++) {
            if (touched[j] < 0) continue;
            const int root = st_plan_root(layout->config, touched[j]);
            touch(value_of(layout, root), st_plan_tensor_floats(plan, root), stage->step);
            touch(value_of(layout, root), st_plan_tensor_floats(plan, root), back);
        }
        if (stage->hold > 0) {
            touch(own_of(layout, i, 3), stage->hold, 0);
            touch(own_of(layout, i, 3), stage->hold, layout->end);
        }
        if (stage->keep == 0) continue;
        touch(own_of(layout, i, 0), stage->keep, stage->step);
        touch(own_of(layout, i, 0), stage->keep, back);
    }
    /* The range's input is there from the start, its output to the end, even if no kernel touches them. */
    const int input = plan->input_tensor, output = st_plan_root(layout->config, plan->output_tensor);
    touch(value_of(layout, input), st_plan_tensor_floats(plan, input), 0);
    if (plan->has_loss)
        touch(value_of(layout, input), st_plan_tensor_floats(plan, input), layout->end); /* may be the target */
    if (!layout->config->training) touch(value_of(layout, output), st_plan_tensor_floats(plan, output), layout->end);
    for (int t = 0; layout->config->keep_values && t < plan->n_tensors; t++)
        if (value_of(layout, t)->size > 0) {
            value_of(layout, t)->first = 0;
            value_of(layout, t)->last = layout->end;
        }
}

static void append(st_plan *plan, st_backward step) {
    plan->backward[plan->n_backward++] = step;
}

/* Lives of gradients, and the backward list: stages from the last to the first. Offsets are not known yet: to and from
   are buffers' indices for now. */
static void live_gradients(const st_layout *layout) {
    st_plan *plan = layout->plan;
    for (int i = plan->n_stages - 1; i >= 0; i--) {
        const st_stage *stage = &plan->stage[i];
        const st_op *op = stage->op;
        const int back = layout->end - 1 - stage->step, source[2] = {op->src, op->src2};
        if (op->dst >= 0 && !plan->depends[op->dst]) continue;
        if (op->dst >= 0) {
            const int dst = st_plan_root(layout->config, op->dst);
            st_buffer *gradient = gradient_of(layout, dst);
            if (gradient->size == 0) /* nobody reads it */
                append(plan, (st_backward){.stage = -1,
                                           .to = 2 * (size_t)dst + 1,
                                           .from = SIZE_MAX,
                                           .n = st_plan_tensor_floats(plan, dst)});
            touch(gradient, st_plan_tensor_floats(plan, dst), back);
        }
        append(plan, (st_backward){.stage = i, .to = SIZE_MAX, .from = SIZE_MAX});
        for (int j = 0; j < 2; j++) {
            if (!stage->needs_dsrc[j]) continue;
            const int root = st_plan_root(layout->config, source[j]);
            st_buffer *gradient = gradient_of(layout, root), *own = own_of(layout, i, 1 + j);
            if (gradient->size > 0) {
                touch(own, st_plan_tensor_floats(plan, root), back);
                append(plan, (st_backward){.stage = -1,
                                           .to = 2 * (size_t)root + 1,
                                           .from = (size_t)(own - layout->buffer),
                                           .n = st_plan_tensor_floats(plan, root)});
            }
            touch(gradient, st_plan_tensor_floats(plan, root), back);
        }
    }
}

static size_t offset_of(const st_buffer *buffer) {
    return buffer->size ? buffer->offset : SIZE_MAX;
}

/* Tells plan, stages and backward list where their buffers came to lie. */
static void put_offsets(const st_layout *layout) {
    st_plan *plan = layout->plan;
    for (int t = 0; t < plan->n_tensors; t++) { /* aliases stand where their root does */
        const int root = st_plan_root(layout->config, t);
        plan->offset[2 * t] = offset_of(value_of(layout, root));
        plan->offset[2 * t + 1] = offset_of(gradient_of(layout, root));
    }
    for (int i = 0; i < plan->n_stages; i++) {
        st_stage *stage = &plan->stage[i];
        stage->keep_offset = offset_of(own_of(layout, i, 0));
        stage->hold_offset = offset_of(own_of(layout, i, 3));
        for (int j = 0; j < 2; j++) {
            stage->gradient_offset[j] = SIZE_MAX;
            if (!stage->needs_dsrc[j]) continue;
            const st_buffer *own = own_of(layout, i, 1 + j);
            const int t = j == 0 ? stage->op->src : stage->op->src2;
            stage->gradient_offset[j] = own->size ? own->offset : plan->offset[2 * t + 1];
        }
    }
    for (int i = 0; i < plan->n_backward; i++) {
        st_backward *step = &plan->backward[i];
        if (step->to != SIZE_MAX) step->to = layout->buffer[step->to].offset;
        if (step->from != SIZE_MAX) step->from = layout->buffer[step->from].offset;
    }
}

strait_status st_plan_place(st_plan *plan, const st_runner_config *config, strait_error *err) {
    st_layout layout = {.plan = plan,
                        .config = config,
                        .n_buffers = 2 * plan->n_tensors + 4 * plan->n_stages,
                        .end = 2 * (config->n_ops + 1)};
    const size_t n = (size_t)layout.n_buffers;
    strait_status status = STRAIT_OK;
    layout.buffer = st_alloc(n, sizeof *layout.buffer);
    layout.order = st_alloc(n, sizeof *layout.order);
    plan->offset = st_alloc(2 * (size_t)plan->n_tensors, sizeof *plan->offset);
    plan->backward = st_alloc(4 * (size_t)plan->n_stages, sizeof *plan->backward); /* zeros, backward, two sums */
    if (!layout.buffer || !layout.order || !plan->offset || !plan->backward) {
        status = st_fail_memory(err, n * sizeof *layout.buffer, "the plan");
        goto out;
    }
    for (int i = 0; i < layout.n_buffers; i++)
        layout.buffer[i] = (st_buffer){.first = layout.end, .last = -1};
    live_values(&layout);
    if (config->training) live_gradients(&layout);
    plan->arena_size = st_buffers_place(layout.n_buffers, layout.buffer, layout.order);
    put_offsets(&layout);
out:
    st_free(layout.buffer);
    st_free(layout.order);
    return status;
}
