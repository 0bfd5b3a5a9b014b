#include "graph/runner.h"

#include <string.h>

#include "base/memory.h"
#include "graph/plan_int.h"

/* A worker's own plan and gradients. Padded to a cache line: workers write their steps side by side. */
typedef struct st_replica {
    _Alignas(64) st_plan *plan;
    float *gradient;
    strait_status status;
    double loss;
} st_replica;

/* What a call hands to the workers. */
typedef enum st_pass { ST_PASS_FORWARD, ST_PASS_EVALUATE, ST_PASS_TRAIN } st_pass;
typedef struct st_job {
    st_pass pass;
    const float *input, *target; /* [n, in], [n, out] */
    float *output;               /* [n, out] or NULL */
    int64_t n;
} st_job;

struct st_runner {
    st_runner_config config;
    int n_replicas;
    int64_t share, micro_batch; /* samples a replica takes of a batch, and at once */
    size_t block_size;
    float *parameters; /* packed */
    st_replica *replica;
    st_pool *pool;
    int threads_before; /* of the caller, in the libraries under the engine */
    st_job job;
};

/* Bytes that a micro-batch of convolutions may take: about the middle cache of one core. A constant, and not what this
   core has: the rule must give the same split, and so the same bits, wherever the process happens to run. */
#define CONVOLUTION_BUDGET ((int64_t)512 * 1024)

/* The rule: a convolution works on one sample after another, so a micro-batch that stays in the core's cache is best.
   A dense op streams its weights once for each micro-batch: there the whole share goes at once, up to a bound on
   memory. */
static int64_t rule_micro_batch(const st_runner_config *config, int64_t share) {
    const int64_t sample = st_plan_sample_bytes(config);
    bool convolution = false;
    for (int i = 0; i < config->n_ops; i++) {
        const st_op_kind kind = config->graph->op[config->first_op + i].kind;
        convolution = convolution || kind == ST_OP_CONV2D || kind == ST_OP_CONV2D_TRANSPOSE;
    }
    const int64_t budget = convolution ? CONVOLUTION_BUDGET : (int64_t)64 << 20;
    int64_t most = budget / sample;
    if (most < 1) most = 1;
    if (share <= most) return share;
    const int64_t pieces = (share + most - 1) / most;
    return (share + pieces - 1) / pieces;
}

/* Refuses what this machine cannot hold, before anything is allocated for it. */
static strait_status check_memory(const st_runner *runner, const st_plan *plan, strait_error *err) {
    const st_runner_config *config = &runner->config;
    const double replica =
        (double)plan->arena_size + (double)plan->scratch + (config->training ? (double)plan->block_size : 0);
    const double bytes = ((double)plan->block_size + replica * runner->n_replicas) * sizeof(float);
    const double limit = (double)st_memory_limit();
    if (bytes < limit) return STRAIT_OK;
    return st_fail(
        err, STRAIT_MEMORY,
        "%s takes %.1f GB for parameters and activations with %d replicas of %lld samples at a time, but this "
        "machine has %.1f GB: make the model smaller, or train.micro_batch, or train.threads",
        config->training ? "training" : "running the model", bytes * 1e-9, runner->n_replicas,
        (long long)runner->micro_batch, limit * 1e-9);
}

static strait_status new_replica(st_runner *runner, int i, strait_error *err) {
    st_replica *replica = &runner->replica[i];
    ST_TRY(st_plan_new(&replica->plan, &runner->config, runner->micro_batch, err));
    const size_t bytes = (replica->plan->block_size + 1) * sizeof(float);
    if (i == 0) ST_TRY(check_memory(runner, replica->plan, err));
    if (i == 0) {
        runner->block_size = replica->plan->block_size;
        runner->parameters = st_alloc_aligned(bytes);
        if (!runner->parameters) return st_fail_memory(err, bytes, "parameters");
    }
    if (runner->config.training) {
        replica->gradient = st_alloc_aligned(bytes);
        if (!replica->gradient) return st_fail_memory(err, bytes, "gradients");
    }
    return st_plan_bind(replica->plan, runner->parameters, replica->gradient, err);
}

strait_status st_runner_new(st_runner **out, const st_runner_config *config, strait_error *err) {
    if (config->n_ops < 1 || config->batch_size < 1 || config->threads < 1)
        return st_fail(err, STRAIT_ARGUMENT, "a runner needs at least an op, a sample and a thread");
    st_runner *runner = st_alloc(1, sizeof *runner);
    if (!runner) return st_fail_memory(err, sizeof *runner, "the runner");
    strait_status status = STRAIT_OK;
    runner->config = *config;
    const int64_t n = config->threads < config->batch_size ? config->threads : config->batch_size;
    runner->share = (config->batch_size + n - 1) / n;
    runner->n_replicas = (int)((config->batch_size + runner->share - 1) / runner->share);
    const int64_t asked = config->micro_batch;
    runner->micro_batch = asked <= 0              ? rule_micro_batch(config, runner->share)
                          : asked < runner->share ? asked
                                                  : runner->share;
    runner->replica = st_alloc_aligned((size_t)runner->n_replicas * sizeof *runner->replica);
    if (!runner->replica) {
        status = st_fail_memory(err, (size_t)runner->n_replicas * sizeof *runner->replica, "the replicas");
        goto out;
    }
    if (config->engine->set_threads) runner->threads_before = config->engine->set_threads(1);
    /* The pool first: kernels are made under the thread settings they will run with. */
    status = st_pool_new(&runner->pool, runner->n_replicas, config->engine->thread_init, err);
    for (int i = 0; i < runner->n_replicas && status == STRAIT_OK; i++)
        status = new_replica(runner, i, err);
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
    if (runner->threads_before > 0) runner->config.engine->set_threads(runner->threads_before);
    for (int i = 0; runner->replica && i < runner->n_replicas; i++) {
        st_plan_free(runner->replica[i].plan);
        st_free(runner->replica[i].gradient);
    }
    st_free(runner->replica);
    st_free(runner->parameters);
    st_free(runner);
}

/* Calls pack or unpack of every stage with the places of its parameters. */
static strait_status convert(st_runner *runner, float *block, float *canonical, bool packing, strait_error *err) {
    const st_plan *plan = runner->replica[0].plan;
    const st_graph *graph = runner->config.graph;
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
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
int st_runner_replicas(const st_runner *runner) {
    return runner->n_replicas;
}
int64_t st_runner_micro_batch(const st_runner *runner) {
    return runner->micro_batch;
}
st_pool *st_runner_pool(st_runner *runner) {
    return runner->pool;
}

/* One micro-batch: n_valid samples at input, the flat arrays forward and, when training, backward. */
static strait_status run_micro_batch(st_plan *plan, const st_job *job, int64_t first, int64_t n_valid,
                                     bool accumulate) {
    memcpy(plan->input, job->input + first * plan->n_in, (size_t)(n_valid * plan->n_in) * sizeof(float));
    /* A target that is the input is read from the copy, which is in this core's cache. */
    plan->step.target = job->target == job->input ? plan->input : job->target + first * plan->n_out;
    plan->step.n_valid = n_valid;
    plan->step.scale = (float)(1.0 / ((double)job->n * (double)plan->n_out));
    const bool train = job->pass == ST_PASS_TRAIN;
    const int n_forward = plan->n_stages - (plan->has_loss && job->pass != ST_PASS_EVALUATE ? 1 : 0);
    for (int i = 0; i < n_forward; i++)
        ST_TRY(plan->stage[i].kernel->forward(plan->stage[i].state));
    if (job->output)
        memcpy(job->output + first * plan->n_out, plan->output, (size_t)(n_valid * plan->n_out) * sizeof(float));
    for (int i = plan->n_stages - 1; train && i >= 0; i--) {
        const st_stage *stage = &plan->stage[i];
        if (stage->op->kernel < 0 && !stage->needs_dsrc && stage->op->kind != ST_OP_LOSS) continue;
        ST_TRY(stage->kernel->backward(stage->state, accumulate));
    }
    return STRAIT_OK;
}

/* A worker's share of the job. */
static void run_share(void *context, int worker, int n_workers) {
    (void)n_workers;
    const st_runner *runner = context;
    const st_job *job = &runner->job;
    st_replica *replica = &runner->replica[worker];
    st_plan *plan = replica->plan;
    const int64_t begin = worker * runner->share;
    const int64_t end = begin + runner->share < job->n ? begin + runner->share : job->n;
    plan->step.loss = 0;
    replica->status = STRAIT_OK;
    for (int64_t first = begin; first < end && replica->status == STRAIT_OK; first += plan->batch) {
        const int64_t n = end - first < plan->batch ? end - first : plan->batch;
        replica->status = run_micro_batch(plan, job, first, n, first > begin);
    }
    if (begin >= end && job->pass == ST_PASS_TRAIN) memset(replica->gradient, 0, runner->block_size * sizeof(float));
    replica->loss = plan->step.loss;
}

static strait_status run_job(st_runner *runner, const st_job *job, st_cost *cost, strait_error *err) {
    if (job->n < 0 || job->n > runner->config.batch_size)
        return st_fail(err, STRAIT_ARGUMENT, "%lld samples given to a runner of batches of %lld", (long long)job->n,
                       (long long)runner->config.batch_size);
    runner->job = *job;
    st_pool_run(runner->pool, run_share, runner);
    double sum = 0;
    for (int i = 0; i < runner->n_replicas; i++) { /* in order: the sum's last bits must not depend on timing */
        if (runner->replica[i].status != STRAIT_OK)
            return st_fail(err, runner->replica[i].status, "engine %s failed to run an op",
                           runner->config.engine->name);
        sum += runner->replica[i].loss;
    }
    if (cost)
        *cost = (st_cost){.loss = job->n > 0 ? sum / ((double)job->n * (double)runner->replica[0].plan->n_out) : 0};
    return STRAIT_OK;
}

strait_status st_runner_forward(st_runner *runner, const float *input, float *output, int64_t n, strait_error *err) {
    const st_job job = {.pass = ST_PASS_FORWARD, .input = input, .target = input, .output = output, .n = n};
    return run_job(runner, &job, NULL, err);
}

strait_status st_runner_evaluate(st_cost *cost, st_runner *runner, const st_feed *feed, strait_error *err) {
    const st_job job = {
        .pass = ST_PASS_EVALUATE, .input = feed->input, .target = feed->target, .output = feed->output, .n = feed->n};
    return run_job(runner, &job, cost, err);
}

strait_status st_runner_train(st_cost *cost, st_runner *runner, const st_feed *feed, strait_error *err) {
    const st_job job = {.pass = ST_PASS_TRAIN, .input = feed->input, .target = feed->target, .n = feed->n};
    return run_job(runner, &job, cost, err);
}

int64_t st_runner_memory(const st_runner *runner) {
    const st_plan *plan = runner->replica[0].plan;
    const size_t replica = plan->arena_size + plan->scratch + (runner->config.training ? runner->block_size : 0);
    return (int64_t)((runner->block_size + replica * (size_t)runner->n_replicas) * sizeof(float));
}

void st_runner_describe(const st_runner *runner, st_text *text) {
    const st_plan *plan = runner->replica[0].plan;
    const st_graph *graph = runner->config.graph;
    st_text_add(text, "engine %s, %d replica%s, micro-batch %lld, arena %.1f KiB a replica\n",
                runner->config.engine->name, runner->n_replicas, runner->n_replicas == 1 ? "" : "s",
                (long long)runner->micro_batch, (double)(plan->arena_size + plan->scratch) * 4 / 1024);
    for (int i = 0; i < plan->n_stages; i++) {
        const st_stage *stage = &plan->stage[i];
        const st_op *op = stage->op;
        char from[96], to[96] = "scalar", how[96] = "";
        st_shape_print(from, &graph->tensor[op->src].shape);
        if (op->dst >= 0) st_shape_print(to, &graph->tensor[op->dst].shape);
        if (stage->kernel->describe) stage->kernel->describe(stage->state, how, sizeof how);
        st_text_add(text, "%-7s %-16s %-12s -> %-12s %s",
                    op->kind == ST_OP_LOSS ? ""
                    : op->part             ? "decoder"
                                           : "encoder",
                    op->kind == ST_OP_LOSS ? st_loss_name(op->loss.term[0].kind) : st_op_name(op->kind), from, to, how);
        if (op->dst >= 0) st_text_add(text, " @%zu", plan->offset[2 * op->dst]);
        st_text_add(text, "%s\n",
                    stage->needs_dsrc || !runner->config.training || op->dst < 0 ? "" : ", no data gradient");
    }
}
