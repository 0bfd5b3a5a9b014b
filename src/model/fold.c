/* Inference without batch normalisation. In y = gamma (x - mean) / sqrt(variance + epsilon) + beta the statistics do
   not move any more, so where x = W u + b comes from a linear dense layer or convolution, y = W' u + b' with
     W' = W s, b' = (b - mean) s + beta, s = gamma / sqrt(variance + epsilon), for each channel of the result.
   Invariants:
   1. A norm goes only where nothing else sees its input: no second reader, no latent, output or logits.
   2. The new graph has the same tensors to the outside: input, latent, output, logits keep their meaning and shape.
   3. Ops keep their order and names; map[old tensor] is the new one, -1 until it is written. */
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct folding {
    const st_graph *from;
    const float *from_values;
    st_graph *to;
    float *values;
    int *map;        /* [tensors of from] */
    int *norm;       /* [ops of from]: the norm that goes into this op, or -1 */
    int *activation; /* [ops of from]: the activation that follows it, or -1 */
    bool *gone;      /* [ops of from] */
} folding;

/* ---- what goes ---- */

/* The one op that reads tensor t, -1 when there are none or more, or when the outside sees it. */
static int only_reader(const st_graph *graph, int t) {
    int reader = -1;
    if (t == graph->latent || t == graph->output || t == graph->logits) return -1;
    for (int i = 0; i < graph->n_ops; i++) {
        if (graph->op[i].src != t && graph->op[i].src2 != t) continue;
        if (reader >= 0) return -1;
        reader = i;
    }
    return reader;
}

static bool has_kernel(const st_op *op) {
    return op->kind == ST_OP_DENSE || op->kind == ST_OP_CONV2D || op->kind == ST_OP_CONV2D_TRANSPOSE;
}

/* Marks what goes into what; gives how many norms do. */
static int find_norms(folding *f) {
    const st_graph *graph = f->from;
    int n = 0;
    for (int i = 0; i < graph->n_ops; i++) {
        const st_op *op = &graph->op[i];
        if (!has_kernel(op) || op->activation.kind != ST_LINEAR) continue;
        const int norm = only_reader(graph, op->dst);
        if (norm < 0 || graph->op[norm].kind != ST_OP_BATCH_NORM) continue;
        f->norm[i] = norm;
        f->gone[norm] = true;
        n++;
        const int next = only_reader(graph, graph->op[norm].dst);
        if (next < 0 || graph->op[next].kind != ST_OP_ACTIVATION) continue;
        if (st_activation_needs_input(graph->op[next].activation.kind)) continue;
        f->activation[i] = next;
        f->gone[next] = true;
    }
    return n;
}

/* ---- the new graph ---- */

/* Copies a parameter's description; its values get room behind those before. */
static int take_parameter(st_graph *to, const st_parameter *parameter) {
    to->parameter[to->n_parameters] = *parameter;
    to->parameter[to->n_parameters].offset = to->n_values;
    to->n_values += st_shape_count(&parameter->shape);
    return to->n_parameters++;
}

/* The bias of an op that had none. */
static int new_bias(st_graph *to, const st_op *op, const st_parameter *gamma) {
    st_parameter bias = {.shape = gamma->shape, .start = {.kind = ST_ZEROS}, .role = ST_ROLE_OFFSET};
    snprintf(bias.name, sizeof bias.name, "%s.bias", op->name);
    return take_parameter(to, &bias);
}

/* The op, reading and writing the new graph's tensors, with parameters of its own. */
static void take_op(folding *f, int i) {
    const st_graph *from = f->from;
    st_graph *to = f->to;
    st_op *op = &to->op[to->n_ops];
    *op = from->op[i];
    op->src = f->map[op->src];
    if (op->src2 >= 0) op->src2 = f->map[op->src2];
    op->dst = f->map[from->op[i].dst] = to->n_tensors;
    if (f->activation[i] >= 0) op->activation = from->op[f->activation[i]].activation;
    int *const parameter[] = {&op->kernel, &op->bias, &op->state[0], &op->state[1]};
    for (size_t k = 0; k < sizeof parameter / sizeof parameter[0]; k++)
        if (*parameter[k] >= 0) *parameter[k] = take_parameter(to, &from->parameter[*parameter[k]]);
    if (f->norm[i] >= 0 && op->bias < 0) op->bias = new_bias(to, op, &from->parameter[from->op[f->norm[i]].kernel]);
    to->tensor[to->n_tensors++] = (st_tensor){.shape = from->tensor[from->op[i].dst].shape, .producer = to->n_ops++};
}

static void take_ops(folding *f) {
    const st_graph *from = f->from;
    f->map[from->input] = f->to->input;
    for (int i = 0; i < from->n_ops; i++) {
        const st_op *op = &from->op[i];
        if (f->gone[i])
            f->map[op->dst] = f->map[op->src];
        else
            take_op(f, i);
        if (i < from->n_encoder_ops) f->to->n_encoder_ops = f->to->n_ops;
    }
    f->to->latent = from->latent >= 0 ? f->map[from->latent] : -1;
    f->to->output = from->output >= 0 ? f->map[from->output] : -1;
    f->to->logits = from->logits >= 0 ? f->map[from->logits] : -1;
    f->to->n_random = from->n_random;
}

/* ---- the values ---- */

/* W' and b'. The channel of the result is the kernel's last axis; of a transposed convolution the last but one. */
static void fold_values(const folding *f, const st_op *old, const st_op *new, const st_op *norm) {
    const st_parameter *kernel = &f->to->parameter[new->kernel];
    const int n_dims = kernel->shape.n_dims;
    const bool transposed = new->kind == ST_OP_CONV2D_TRANSPOSE;
    const int64_t n = st_shape_count(&kernel->shape), channels = kernel->shape.dim[n_dims - (transposed ? 2 : 1)];
    const int64_t inner = transposed ? kernel->shape.dim[n_dims - 1] : 1;
    const st_parameter *of = f->from->parameter;
    const float *gamma = f->from_values + of[norm->kernel].offset, *beta = f->from_values + of[norm->bias].offset;
    const float *mean = f->from_values + of[norm->state[0]].offset;
    const float *variance = f->from_values + of[norm->state[1]].offset;
    const float *w = f->from_values + of[old->kernel].offset;
    const float *b = old->bias >= 0 ? f->from_values + of[old->bias].offset : NULL;
    float *new_w = f->values + kernel->offset, *new_b = f->values + f->to->parameter[new->bias].offset;
    for (int64_t c = 0; c < channels; c++) {
        const double s = (double)gamma[c] / sqrt((double)variance[c] + norm->epsilon);
        new_b[c] = (float)(((b ? (double)b[c] : 0.0) - (double)mean[c]) * s + (double)beta[c]);
        for (int64_t i = c * inner; i < n; i += channels * inner)
            for (int64_t j = i; j < i + inner; j++)
                new_w[j] = (float)((double)w[j] * s);
    }
}

static void copy_values(const folding *f, int old, int new) {
    if (old < 0) return;
    const st_parameter *from = &f->from->parameter[old], *to = &f->to->parameter[new];
    memcpy(f->values + to->offset, f->from_values + from->offset, (size_t)st_shape_count(&from->shape) * sizeof(float));
}

static void take_values(const folding *f) {
    for (int i = 0, n = 0; i < f->from->n_ops; i++) {
        if (f->gone[i]) continue;
        const st_op *old = &f->from->op[i], *new = &f->to->op[n++];
        if (f->norm[i] >= 0) {
            fold_values(f, old, new, &f->from->op[f->norm[i]]);
            continue;
        }
        copy_values(f, old->kernel, new->kernel);
        copy_values(f, old->bias, new->bias);
        copy_values(f, old->state[0], new->state[0]);
        copy_values(f, old->state[1], new->state[1]);
    }
}

/* ---- all of it ---- */

/* Room for what is at most needed: as many tensors and ops as there were; a bias added takes a norm's place. */
static strait_status new_graph(folding *f, strait_error *err) {
    const st_graph *from = f->from;
    ST_TRY(st_graph_new(&f->to, &from->tensor[from->input].shape, err));
    st_graph *to = f->to;
    st_tensor *tensors = st_realloc(to->tensor, (size_t)from->n_tensors, sizeof *tensors);
    if (tensors) to->tensor = tensors;
    to->op = st_alloc((size_t)from->n_ops, sizeof *to->op);
    to->parameter = st_alloc((size_t)from->n_parameters, sizeof *to->parameter);
    if (tensors && to->op && to->parameter) return STRAIT_OK;
    return st_fail_memory(err, (size_t)from->n_ops * sizeof *to->op, "a folded graph");
}

static strait_status fold(folding *f, strait_error *err) {
    ST_TRY(new_graph(f, err));
    take_ops(f);
    const size_t bytes = (size_t)f->to->n_values * sizeof(float);
    f->values = st_alloc_aligned(bytes);
    if (!f->values) return st_fail_memory(err, bytes, "folded parameters");
    take_values(f);
    return STRAIT_OK;
}

strait_status st_model_fold(st_graph **graph, float **values, const strait_model *model, strait_error *err) {
    const size_t n_ops = (size_t)model->graph->n_ops, n_tensors = (size_t)model->graph->n_tensors;
    *graph = NULL;
    *values = NULL;
    folding f = {.from = model->graph, .from_values = model->values};
    f.map = st_alloc(n_tensors, sizeof *f.map);
    f.norm = st_alloc(n_ops, sizeof *f.norm);
    f.activation = st_alloc(n_ops, sizeof *f.activation);
    f.gone = st_alloc(n_ops, sizeof *f.gone);
    strait_status status = STRAIT_OK;
    if (!f.map || !f.norm || !f.activation || !f.gone) {
        status = st_fail_memory(err, (n_ops + n_tensors) * sizeof(int), "folding a model");
        goto done;
    }
    for (size_t i = 0; i < n_ops; i++)
        f.norm[i] = f.activation[i] = -1;
    for (size_t t = 0; t < n_tensors; t++)
        f.map[t] = -1;
    if (find_norms(&f) > 0) status = fold(&f, err);
done:
    st_free(f.map);
    st_free(f.norm);
    st_free(f.activation);
    st_free(f.gone);
    if (status != STRAIT_OK) {
        st_graph_free(f.to);
        st_free(f.values);
        return status;
    }
    *graph = f.to;
    *values = f.values;
    return STRAIT_OK;
}
