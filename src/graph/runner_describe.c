/* A runner in words and numbers: how each op is computed, and what it costs. */
#include <stdio.h>
#include <string.h>

#include "graph/runner_int.h"

/* "mse", "784 mse + 0.5 mae" */
static void print_loss(char *out, size_t n, const st_loss *loss) {
    size_t length = 0;
    out[0] = 0;
    for (int i = 0; i < loss->n && length < n; i++) {
        const st_loss_term *term = &loss->term[i];
        const char *plus = i ? " + " : "", *name = st_loss_name(term->kind);
        const int added = term->weight == 1
                              ? snprintf(out + length, n - length, "%s%s", plus, name)
                              : snprintf(out + length, n - length, "%s%g %s", plus, (double)term->weight, name);
        length += added > 0 ? (size_t)added : 0;
    }
}

void st_runner_describe(const st_runner *runner, st_text *text) {
    const st_plan *plan = runner->replica[0].plan;
    const st_graph *graph = runner->config.graph;
    st_text_add(text, "engine %s, %d replica%s, micro-batch %lld, arena %.1f KiB a replica%s\n",
                runner->config.engine->name, runner->n_replicas, runner->n_replicas == 1 ? "" : "s",
                (long long)runner->micro_batch, (double)st_plan_floats(plan) / plan->parts * 4 / 1024,
                runner->by_columns ? ", by columns" : "");
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
        const st_op *op = stage->op;
        char from[200], to[96] = "scalar", how[96] = "";
        st_shape_print(from, &graph->tensor[op->src].shape);
        if (op->src2 >= 0) {
            char second[96];
            st_shape_print(second, &graph->tensor[op->src2].shape);
            const size_t length = strlen(from);
            snprintf(from + length, sizeof from - length, ", %s", second);
        }
        if (op->dst >= 0) st_shape_print(to, &graph->tensor[op->dst].shape);
        if (stage->kernel->describe) stage->kernel->describe(stage->state, how, sizeof how);
        const bool is_loss = op->kind == ST_OP_LOSS;
        char what[160];
        snprintf(what, sizeof what, "%s", st_op_name(op->kind));
        if (is_loss) print_loss(what, sizeof what, &op->loss);
        st_text_add(text, "%-12s %-16s %-12s -> %-12s %s", is_loss ? "" : op->name, what, from, to, how);
        if (op->dst >= 0) st_text_add(text, " @%zu", plan->offset[2 * op->dst]);
        const bool no_gradient =
            runner->config.training && op->dst >= 0 && !stage->needs_dsrc[0] && !stage->needs_dsrc[1];
        st_text_add(text, "%s\n", no_gradient ? ", no data gradient" : "");
    }
}

int st_runner_ops(const st_runner *runner) {
    return runner->replica[0].plan->n_stages;
}

/* Whether the layer multiplies: what GFLOP/s are counted of. */
static bool multiplies(st_op_kind kind) {
    return kind == ST_OP_DENSE || kind == ST_OP_CONV2D || kind == ST_OP_CONV2D_TRANSPOSE;
}

static double bytes_of(const st_runner *runner, int tensor) {
    return tensor < 0 ? 0 : (double)st_shape_count(&runner->config.graph->tensor[tensor].shape) * sizeof(float);
}

st_op_cost st_runner_cost(const st_runner *runner, int i) {
    const st_stage *stage = &runner->replica[0].plan->stage[i];
    const st_op *op = stage->op;
    st_op_cost cost = {.op = op};
    for (int r = 0; r < runner->n_replicas && !runner->config.unbound; r++)
        for (int back = 0; back < 2; back++)
            cost.seconds[back] += runner->replica[r].plan->stage[i].seconds[back] / runner->n_replicas;
    if (stage->kernel->describe) stage->kernel->describe(stage->state, cost.how, sizeof cost.how);
    const double src = bytes_of(runner, op->src), src2 = bytes_of(runner, op->src2), dst = bytes_of(runner, op->dst);
    const int parts = runner->replica[0].plan->parts;
    const double weights =
        (double)(stage->packed.n_kernel + stage->packed.n_bias) * sizeof(float) / (double)(runner->micro_batch * parts);
    if (multiplies(op->kind)) cost.flops[0] = (double)st_op_flops(runner->config.graph, op);
    cost.bytes[0] = src + src2 + dst + weights;
    const bool by_src = stage->needs_dsrc[0] || stage->needs_dsrc[1];
    if (!runner->config.training || (!by_src && weights == 0)) return cost;
    cost.flops[1] = cost.flops[0] * (by_src ? 2 : 1);
    cost.bytes[1] = src + src2 + 2 * dst + (by_src ? 2 : 1) * weights;
    cost.bytes[1] += (stage->needs_dsrc[0] ? src : 0) + (stage->needs_dsrc[1] ? src2 : 0);
    return cost;
}
