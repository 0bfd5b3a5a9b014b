#include "graph/runner.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "graph/runner_int.h"

/* Bytes that a micro-batch of convolutions may take: about the middle cache of one core. A constant, and not what this
   core has: the rule must give the same split, and so the same bits, wherever the process happens to run. */
#define CONVOLUTION_BUDGET ((int64_t)512 * 1024)
/* ... that it may grow to for the sake of dense weights. */
#define WEIGHTS_BUDGET ((int64_t)256 << 20)

/* Whether an op goes over images window by window. */
static bool slides(st_op_kind kind) {
    return kind == ST_OP_CONV2D || kind == ST_OP_CONV2D_TRANSPOSE || kind == ST_OP_MAX_POOL2D ||
           kind == ST_OP_AVG_POOL2D || kind == ST_OP_UPSAMPLE2D;
}

/* Bytes of the weights of dense ops. */
static int64_t dense_bytes(const st_runner_config *config) {
    int64_t values = 0;
    for (int i = 0; i < config->n_ops; i++) {
        const st_op *op = &config->graph->op[config->first_op + i];
        if (op->kind == ST_OP_DENSE) values += st_shape_count(&config->graph->parameter[op->kernel].shape);
    }
    return values * (int64_t)sizeof(float);
}

/* The rule: a convolution works on one sample after another, so a micro-batch that stays in the core's cache is best.
   A dense op streams its weights once for each micro-batch: there the whole share goes at once, up to a bound on
   memory. Where both meet, the micro-batch is so large that the weights that are streamed are not more than half of all
   that is moved. */
static int64_t rule_micro_batch(const st_runner_config *config, int64_t share) {
    const int64_t sample = st_plan_sample_bytes(config);
    bool convolution = false;
    for (int i = 0; i < config->n_ops; i++)
        convolution = convolution || slides(config->graph->op[config->first_op + i].kind);
    int64_t most = (convolution ? CONVOLUTION_BUDGET : (int64_t)64 << 20) / sample;
    if (convolution) {
        const int64_t for_weights = 2 * dense_bytes(config) / sample, bound = WEIGHTS_BUDGET / sample;
        const int64_t wanted = for_weights < bound ? for_weights : bound;
        most = wanted > most ? wanted : most;
    }
    if (most < 1) most = 1;
    if (share <= most) return share;
    const int64_t pieces = (share + most - 1) / most;
    return (share + pieces - 1) / pieces;
}

/* Whether the replicas split the weights and not the samples. In a network of dense layers that split samples, each has
   gradients of all weights to be summed, and reads all weights anew: so many values go from one processor's cache to
   the others'. Splitting weights, the activations and their gradients go, and each dense layer multiplies all rows at
   once. So where those are fewer. */
static bool rule_by_columns(const st_runner_config *config, int64_t share, int64_t micro_batch) {
    if (!config->training || config->batch_size == share || micro_batch < share) return false;
    for (int i = 0; i < config->n_ops; i++) {
        const st_op *op = &config->graph->op[config->first_op + i];
        const st_kernel *kernel = config->engine->kernel[op->kind];
        const bool has_parameters = op->kernel >= 0 || op->bias >= 0 || op->state[0] >= 0;
        if (has_parameters && !(kernel && kernel->by_columns)) return false;
        if (op->kind == ST_OP_DENSE && op->activation.kind == ST_SOFTMAX) return false; /* goes over rows */
    }
    return dense_bytes(config) > st_plan_sample_bytes(config) / 2 * config->batch_size;
}

/* Refuses what this machine cannot hold, before anything is allocated for it, and tells the batch that would fit. */
static strait_status check_memory(const st_runner *runner, const st_plan *plan, strait_error *err) {
    const st_runner_config *config = &runner->config;
    const int n = runner->n_replicas, blocks = 1 + config->blocks + st_runner_gradients(runner);
    const double fixed = (double)plan->block_size * blocks * sizeof(float);
    const double samples = (double)st_plan_floats(plan) * (runner->by_columns ? 1 : n) * sizeof(float);
    const double limit = (double)st_memory_limit();
    if (fixed + samples < limit) return STRAIT_OK;
    char mend[128];
    const double fit = (limit - fixed) / samples * (double)runner->micro_batch; /* samples of a replica at a time */
    if (fit < 1)
        snprintf(mend, sizeof mend, "make the model smaller%s", n > 1 && config->training ? ", or train.threads" : "");
    else
        snprintf(mend, sizeof mend, "train.batch_size: %lld would fit%s", (long long)fit * n,
                 plan->exchange > 0 ? "" : ", or a smaller train.micro_batch");
    return st_fail(err, STRAIT_MEMORY,
                   "%s takes %.1f GB for parameters and activations with %d replica%s of %lld sample%s at a time, but "
                   "this machine has %.1f GB: %s",
                   config->training ? "training" : "running the model", (fixed + samples) * 1e-9, n, n == 1 ? "" : "s",
                   (long long)runner->micro_batch, runner->micro_batch == 1 ? "" : "s", limit * 1e-9, mend);
}

/* The micro-batch that was asked for, or the rule's. */
static strait_status choose_micro_batch(st_runner *runner, strait_error *err) {
    const st_runner_config *config = &runner->config;
    const int64_t asked = config->micro_batch;
    if (config->keep_values && (config->threads > 1 || (asked > 0 && asked < config->batch_size)))
        return st_fail(err, STRAIT_ARGUMENT, "values are kept only with one thread and the whole batch at once");
    if (config->keep_values)
        runner->micro_batch = runner->share;
    else if (asked <= 0)
        runner->micro_batch = rule_micro_batch(config, runner->share);
    else
        runner->micro_batch = asked < runner->share ? asked : runner->share;
    runner->by_columns = rule_by_columns(config, runner->share, runner->micro_batch);
    return STRAIT_OK;
}

static strait_status new_plan(st_replica *replica, const st_runner *runner, strait_error *err) {
    return st_plan_new(&replica->plan, &runner->config, runner->micro_batch,
                       runner->by_columns ? runner->n_replicas : 1, err);
}

/* The first plan tells whether an op mixes samples; then the share goes at once, and the plan is made anew for it. */
static strait_status new_first_plan(st_runner *runner, strait_error *err) {
    const st_runner_config *config = &runner->config;
    st_replica *replica = &runner->replica[0];
    ST_TRY(new_plan(replica, runner, err));
    if (replica->plan->exchange > 0 && runner->micro_batch < runner->share) {
        if (config->micro_batch > 0)
            return st_fail(err, STRAIT_ARGUMENT,
                           "an op over the whole batch (batch_norm) needs a replica's share at once: with %d thread%s "
                           "and batches of %lld that is %lld samples, but train.micro_batch is %lld; leave it out",
                           runner->n_replicas, runner->n_replicas == 1 ? "" : "s", (long long)config->batch_size,
                           (long long)runner->share, (long long)config->micro_batch);
        runner->micro_batch = runner->share;
        st_plan_free(replica->plan);
        replica->plan = NULL;
        ST_TRY(new_plan(replica, runner, err));
    }
    runner->in_step = replica->plan->exchange > 0;
    runner->block_size = replica->plan->block_size;
    if (config->unbound) return STRAIT_OK;
    ST_TRY(check_memory(runner, replica->plan, err));
    if (runner->in_step || runner->by_columns)
        ST_TRY(st_exchange_new(&runner->exchange, runner->pool, replica->plan->exchange, err));
    if (config->sibling) {
        runner->parameters = config->sibling->parameters;
        return STRAIT_OK;
    }
    const size_t bytes = (runner->block_size + 1) * sizeof(float);
    runner->parameters = st_alloc_aligned(bytes);
    return runner->parameters ? STRAIT_OK : st_fail_memory(err, bytes, "parameters");
}

/* Gives replica i its memory. */
static strait_status bind_replica(st_runner *runner, int i, strait_error *err) {
    st_replica *replica = &runner->replica[i];
    const st_replica *first = &runner->replica[0];
    if (i < st_runner_gradients(runner)) {
        const size_t bytes = (runner->block_size + 1) * sizeof(float);
        replica->gradient = st_alloc_aligned(bytes);
        if (!replica->gradient) return st_fail_memory(err, bytes, "gradients");
    }
    return st_plan_bind(replica->plan, first->plan, runner->parameters,
                        (runner->by_columns ? first : replica)->gradient, runner->exchange, i, err);
}

static void bind_own(void *context, int worker, int n_workers) {
    (void)n_workers;
    st_runner *runner = context;
    if (worker > 0) runner->replica[worker].status = bind_replica(runner, worker, NULL);
}

/* Each worker is the first to touch its replica's memory, which then lies near its processor. By columns the others use
   that of the first. */
static strait_status bind_replicas(st_runner *runner, strait_error *err) {
    ST_TRY(bind_replica(runner, 0, err));
    st_pool_run(runner->pool, bind_own, runner);
    for (int i = 1; i < runner->n_replicas; i++) {
        const strait_status status = runner->replica[i].status;
        if (status == STRAIT_MEMORY)
            return st_fail_memory(err, st_plan_floats(runner->replica[i].plan) * sizeof(float), "activations");
        if (status != STRAIT_OK)
            return st_fail(err, status, "engine %s could not place the values of replica %d",
                           runner->config.engine->name, i);
    }
    return STRAIT_OK;
}

/* Lists the parameters' places, in the order in which the plan gave them out. */
static strait_status list_segments(st_runner *runner, strait_error *err) {
    const st_plan *plan = runner->replica[0].plan;
    runner->segment = st_alloc(3 * (size_t)plan->n_stages, sizeof *runner->segment);
    if (!runner->segment)
        return st_fail_memory(err, 3 * (size_t)plan->n_stages * sizeof *runner->segment, "the parameters' places");
    for (int i = 0; i < plan->n_stages; i++) {
        const st_op *op = plan->stage[i].op;
        const st_packed *packed = &plan->stage[i].packed;
        const int parameter[3] = {op->kernel, op->bias, op->state[0]};
        const size_t begin[3] = {packed->kernel, packed->bias, packed->state};
        const size_t n[3] = {packed->n_kernel, packed->n_bias, packed->n_state};
        for (int j = 0; j < 3; j++)
            if (n[j] > 0 && parameter[j] >= 0)
                runner->segment[runner->n_segments++] =
                    (st_segment){.begin = begin[j],
                                 .end = begin[j] + n[j],
                                 .role = runner->config.graph->parameter[parameter[j]].role,
                                 .op = plan->stage[i].index,
                                 .parameter = parameter[j]};
    }
    return STRAIT_OK;
}

static bool same_segments(const st_runner *a, const st_runner *b) {
    if (a->n_segments != b->n_segments || a->block_size != b->block_size) return false;
    for (int i = 0; i < a->n_segments; i++)
        if (a->segment[i].begin != b->segment[i].begin || a->segment[i].end != b->segment[i].end ||
            a->segment[i].parameter != b->segment[i].parameter)
            return false;
    return true;
}

static strait_status new_identity(st_runner *runner, strait_error *err) {
    const size_t n = (size_t)runner->config.batch_size;
    runner->identity = st_alloc(n, sizeof *runner->identity);
    if (!runner->identity) return st_fail_memory(err, n * sizeof *runner->identity, "the samples' numbers");
    for (size_t i = 0; i < n; i++)
        runner->identity[i] = (uint32_t)i;
    return STRAIT_OK;
}

strait_status st_runner_new(st_runner **out, const st_runner_config *config, strait_error *err) {
    if (config->n_ops < 1 || config->batch_size < 1 || config->threads < 1)
        return st_fail(err, STRAIT_ARGUMENT, "a runner needs at least an op, a sample and a thread");
    st_runner *runner = st_alloc(1, sizeof *runner);
    if (!runner) return st_fail_memory(err, sizeof *runner, "the runner");
    runner->config = *config;
    const int64_t n = config->threads < config->batch_size ? config->threads : config->batch_size;
    runner->share = (config->batch_size + n - 1) / n;
    runner->n_replicas = (int)((config->batch_size + runner->share - 1) / runner->share);
    strait_status status = choose_micro_batch(runner, err);
    if (status != STRAIT_OK) goto out;
    runner->replica = st_alloc_aligned((size_t)runner->n_replicas * sizeof *runner->replica);
    if (!runner->replica) {
        status = st_fail_memory(err, (size_t)runner->n_replicas * sizeof *runner->replica, "the replicas");
        goto out;
    }
    if (config->unbound) {
        status = new_first_plan(runner, err);
        goto out;
    }
    status = st_pool_new(&runner->pool, runner->n_replicas, NULL, err);
    if (status == STRAIT_OK) status = new_first_plan(runner, err);
    for (int i = 1; i < runner->n_replicas && status == STRAIT_OK; i++)
        status = new_plan(&runner->replica[i], runner, err);
    if (status == STRAIT_OK) status = bind_replicas(runner, err);
    if (status == STRAIT_OK) status = list_segments(runner, err);
    if (status == STRAIT_OK && config->sibling && !same_segments(runner, config->sibling))
        status = st_fail(err, STRAIT_ENGINE, "engine %s lays the parameters out otherwise here", config->engine->name);
    if (status == STRAIT_OK) status = new_identity(runner, err);
out:
    if (status != STRAIT_OK)
        st_runner_free(runner);
    else
        *out = runner;
    return status;
}

void st_runner_free(st_runner *runner) {
    if (!runner) return;
    st_pool_free(runner->pool);
    for (int i = 0; runner->replica && i < runner->n_replicas; i++) {
        st_plan_free(runner->replica[i].plan);
        st_free(runner->replica[i].gradient);
    }
    st_exchange_free(runner->exchange);
    st_free(runner->replica);
    if (!runner->config.sibling) st_free(runner->parameters);
    st_free(runner->identity);
    st_free(runner->segment);
    st_free(runner);
}

/* States lie in a block as in a file: the moving mean, then the variance. */
static void copy_states(const st_graph *graph, const st_stage *stage, float *block, float *canonical, bool packing) {
    float *packed = block + stage->packed.state;
    for (int i = 0; i < 2; i++) {
        if (stage->op->state[i] < 0) continue;
        const st_parameter *parameter = &graph->parameter[stage->op->state[i]];
        float *values = canonical + parameter->offset;
        const size_t n = (size_t)st_shape_count(&parameter->shape);
        memcpy(packing ? packed : values, packing ? values : packed, n * sizeof *values);
        packed += n;
    }
}

/* Calls pack or unpack of every stage with the places of its parameters. */
static strait_status convert(st_runner *runner, float *block, float *canonical, bool packing, strait_error *err) {
    const st_plan *plan = runner->replica[0].plan;
    const st_graph *graph = runner->config.graph;
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
        copy_states(graph, stage, block, canonical, packing);
        if (stage->op->kernel < 0) continue;
        float *packed_kernel = block + stage->packed.kernel;
        float *packed_bias = stage->packed.n_bias ? block + stage->packed.bias : NULL;
        float *kernel = canonical + graph->parameter[stage->op->kernel].offset;
        float *bias = stage->op->bias >= 0 ? canonical + graph->parameter[stage->op->bias].offset : NULL;
        const strait_status status =
            packing ? stage->kernel->pack(stage->state, packed_kernel, packed_bias, kernel, bias)
                    : stage->kernel->unpack(stage->state, kernel, bias, packed_kernel, packed_bias);
        if (status != STRAIT_OK)
            return st_fail(err, status, "engine %s could not lay out %s", runner->config.engine->name,
                           graph->parameter[stage->op->kernel].name);
    }
    return STRAIT_OK;
}

strait_status st_runner_pack(st_runner *runner, float *block, const float *canonical, strait_error *err) {
    return convert(runner, block, (float *)(uintptr_t)canonical, true, err);
}

strait_status st_runner_unpack(st_runner *runner, float *canonical, const float *block, strait_error *err) {
    return convert(runner, (float *)(uintptr_t)block, canonical, false, err);
}

size_t st_runner_block_size(const st_runner *runner) {
    return runner->block_size;
}
float *st_runner_parameters(st_runner *runner) {
    return runner->parameters;
}
float *st_runner_gradient(st_runner *runner, int replica) {
    return runner->replica[replica].gradient;
}
int st_runner_gradients(const st_runner *runner) {
    return !runner->config.training ? 0 : runner->by_columns ? 1 : runner->n_replicas;
}
bool st_runner_by_columns(const st_runner *runner) {
    return runner->by_columns;
}
int st_runner_replicas(const st_runner *runner) {
    return runner->n_replicas;
}
int64_t st_runner_micro_batch(const st_runner *runner) {
    return runner->micro_batch;
}
bool st_runner_in_step(const st_runner *runner) {
    return runner->in_step;
}
st_pool *st_runner_pool(st_runner *runner) {
    return runner->pool;
}

const st_segment *st_runner_segments(const st_runner *runner, int *n) {
    *n = runner->n_segments;
    return runner->segment;
}
const float *st_runner_tensor(const st_runner *runner, int t) {
    const st_plan *plan = runner->replica[0].plan;
    if (!runner->config.keep_values || plan->offset[2 * t] == SIZE_MAX) return NULL;
    return plan->arena + plan->offset[2 * t];
}

/* ---- running ---- */

/* What a micro-batch, samples [first, first + n_valid) of the batch, has to know. */
static void set_step(st_plan *plan, const st_runner *runner, int64_t first, int64_t n_valid, bool again) {
    const st_job *job = &runner->job;
    const st_feed *feed = &job->feed;
    st_step *step = &plan->step;
    const uint32_t *sample = feed->sample ? feed->sample : runner->identity;
    step->mode = job->mode;
    step->first = !again;
    step->n_valid = n_valid;
    step->n_batch = feed->n;
    /* A target that is the input is read from the copy, which is in this core's cache. */
    step->target = feed->target == feed->input ? plan->input : feed->target + first * plan->n_out;
    step->scale = (float)(1.0 / ((double)feed->n * (double)plan->n_out));
    step->seed = runner->config.seed;
    step->epoch = feed->epoch;
    step->sample = sample + first;
    step->beta_scale = (float)feed->beta_scale;
}

/* One micro-batch: the flat lists forward and, when training, backward. In step with others a failure is kept for the
   end: they wait for this replica at the next sum. */
static strait_status run_micro_batch(st_plan *plan, const st_runner *runner, int64_t first, int64_t n_valid,
                                     bool accumulate) {
    const st_job *job = &runner->job;
    const bool train = job->mode == ST_MODE_TRAIN, in_step = runner->by_columns || (train && runner->exchange);
    set_step(plan, runner, first, n_valid, accumulate);
    if (n_valid > 0)
        memcpy(plan->input, job->feed.input + first * plan->n_in, (size_t)(n_valid * plan->n_in) * sizeof(float));
    const strait_status status = st_plan_forward(plan, job->mode == ST_MODE_VALIDATE, in_step);
    if (status != STRAIT_OK && !in_step) return status;
    if (job->feed.output)
        memcpy(job->feed.output + first * plan->n_out, plan->output, (size_t)(n_valid * plan->n_out) * sizeof(float));
    if (!train) return status;
    const strait_status backward = st_plan_backward(plan, accumulate, in_step);
    return status == STRAIT_OK ? backward : status;
}

/* A worker's share of the job. */
static void run_share(void *context, int worker, int n_workers) {
    (void)n_workers;
    const st_runner *runner = context;
    const st_job *job = &runner->job;
    st_replica *replica = &runner->replica[worker];
    st_plan *plan = replica->plan;
    const int64_t n = job->feed.n, train = job->mode == ST_MODE_TRAIN;
    const int64_t begin = worker * runner->share < n ? worker * runner->share : n;
    const int64_t end = begin + runner->share < n ? begin + runner->share : n;
    plan->step.loss = plan->step.kl = plan->step.extra = 0;
    replica->status = STRAIT_OK;
    if (begin == end && (runner->by_columns || (train && runner->exchange)) && n > 0)
        replica->status = run_micro_batch(plan, runner, begin, 0, false);
    for (int64_t first = begin; first < end && replica->status == STRAIT_OK; first += plan->batch) {
        const int64_t valid = end - first < plan->batch ? end - first : plan->batch;
        replica->status = run_micro_batch(plan, runner, first, valid, first > begin);
    }
    if (begin == end && train && !runner->by_columns) memset(replica->gradient, 0, runner->block_size * sizeof(float));
}

static strait_status run_job(st_cost *cost, st_runner *runner, st_mode mode, const st_feed *feed, strait_error *err) {
    if (feed->n < 0 || feed->n > runner->config.batch_size)
        return st_fail(err, STRAIT_ARGUMENT, "%lld samples given to a runner of batches of %lld", (long long)feed->n,
                       (long long)runner->config.batch_size);
    runner->job = (st_job){.mode = mode, .feed = *feed};
    st_pool_run(runner->pool, run_share, runner);
    double loss = 0, kl = 0, extra = 0;
    for (int i = 0; i < runner->n_replicas; i++) { /* in order: the sum's last bits must not depend on timing */
        if (runner->replica[i].status != STRAIT_OK)
            return st_fail(err, runner->replica[i].status, "engine %s failed to run an op",
                           runner->config.engine->name);
        const st_step *step = &runner->replica[i].plan->step;
        loss += step->loss;
        kl += step->kl;
        extra += step->extra;
    }
    const double n = (double)feed->n, n_out = (double)runner->replica[0].plan->n_out;
    if (cost) *cost = feed->n > 0 ? (st_cost){.loss = loss / (n * n_out) + extra / n, .kl = kl / n} : (st_cost){0};
    return STRAIT_OK;
}

strait_status st_runner_forward(st_runner *runner, const float *input, float *output, int64_t n, strait_error *err) {
    const st_feed feed = {.input = input, .target = input, .output = output, .n = n};
    return run_job(NULL, runner, ST_MODE_APPLY, &feed, err);
}

strait_status st_runner_evaluate(st_cost *cost, st_runner *runner, const st_feed *feed, strait_error *err) {
    return run_job(cost, runner, ST_MODE_VALIDATE, feed, err);
}

strait_status st_runner_train(st_cost *cost, st_runner *runner, const st_feed *feed, strait_error *err) {
    if (!runner->config.training) return st_fail(err, STRAIT_ARGUMENT, "this runner was not made for training");
    return run_job(cost, runner, ST_MODE_TRAIN, feed, err);
}

int64_t st_runner_memory(const st_runner *runner) {
    const st_plan *plan = runner->replica[0].plan;
    const size_t plans = runner->by_columns ? 1 : (size_t)runner->n_replicas;
    const size_t blocks = 1 + (size_t)st_runner_gradients(runner);
    return (int64_t)((runner->block_size * blocks + st_plan_floats(plan) * plans) * sizeof(float));
}
