#include "train/optimizer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* A worker takes whole cache lines. */
#define LINE 16
/* Doubles in a cache line: workers write their sums side by side. */
#define APART 8
/* Values summed at a time: on the stack, in the cache. */
#define PIECE ((size_t)512)

enum { HAS_M = 1, HAS_V = 2, HAS_U = 4 };

static int states_of(const st_optimizer *settings) {
    const int with_momentum = settings->momentum > 0 ? HAS_M : 0;
    switch (settings->kind) {
    case ST_OPTIMIZER_SGD: return with_momentum;
    case ST_OPTIMIZER_ADAM:
    case ST_OPTIMIZER_ADAMW:
    case ST_OPTIMIZER_NADAM:
    case ST_OPTIMIZER_ADADELTA: return HAS_M | HAS_V;
    case ST_OPTIMIZER_RMSPROP: return HAS_V | with_momentum | (settings->centered ? HAS_U : 0);
    case ST_OPTIMIZER_ADAGRAD: return HAS_V;
    }
    return 0;
}

int st_optimizer_states(const st_optimizer *settings) {
    return __builtin_popcount((unsigned)states_of(settings));
}

/* ---- making it ---- */

static strait_status new_states(st_stepper *stepper, strait_error *err) {
    const size_t bytes = (st_runner_block_size(stepper->runner) + 1) * sizeof(float);
    const int has = states_of(&stepper->settings);
    for (int i = 0; i < ST_MAX_STATES; i++) {
        if (!(has & 1 << i)) continue;
        stepper->state[i] = st_alloc_aligned(bytes);
        if (!stepper->state[i]) return st_fail_memory(err, bytes, "the optimiser's state");
    }
    return STRAIT_OK;
}

/* Adagrad's v does not start at zero, but its padding does. */
static strait_status fill_accumulator(st_stepper *stepper, int64_t n_values, strait_error *err) {
    const float start = (float)stepper->settings.initial_accumulator;
    const size_t bytes = ((size_t)n_values + 1) * sizeof(float);
    float *canonical = st_alloc_aligned(bytes);
    if (!canonical) return st_fail_memory(err, bytes, "the optimiser's state");
    for (int64_t i = 0; i < n_values; i++)
        canonical[i] = start;
    const strait_status status = st_runner_pack(stepper->runner, stepper->state[1], canonical, err);
    st_free(canonical);
    return status;
}

/* One extent over all of the block where nothing in it needs to be told apart. */
static strait_status new_extents(st_stepper *stepper, strait_error *err) {
    int n;
    const st_segment *segment = st_runner_segments(stepper->runner, &n);
    const bool apart = stepper->decay > 0 || stepper->l1 > 0 || stepper->l2 > 0;
    stepper->extent = st_alloc((size_t)n + 1, sizeof *stepper->extent);
    if (!stepper->extent) return st_fail_memory(err, (size_t)n * sizeof *stepper->extent, "the optimiser");
    st_extent *last = NULL;
    for (int i = 0; i < n; i++) {
        const size_t end = i + 1 < n ? segment[i + 1].begin : st_runner_block_size(stepper->runner);
        const bool kernels = apart && segment[i].role == ST_ROLE_KERNEL;
        if (segment[i].role == ST_ROLE_STATE) {
            last = NULL;
        } else if (last && last->kernels == kernels && !st_runner_by_columns(stepper->runner)) {
            last->end = end;
        } else {
            last = &stepper->extent[stepper->n_extents++];
            *last = (st_extent){segment[i].begin, end, kernels};
        }
    }
    return STRAIT_OK;
}

strait_status st_stepper_init(st_stepper *stepper, const st_engine *engine, st_runner *runner, int64_t n_values,
                              const strait_recipe *recipe, strait_error *err) {
    const st_optimizer *settings = &recipe->train.optimizer;
    const size_t n_replicas = (size_t)st_runner_replicas(runner), n_gradients = (size_t)st_runner_gradients(runner);
    *stepper = (st_stepper){
        .runner = runner,
        .settings = *settings,
        .clip_norm = recipe->train.clip_norm,
        .decay = recipe->train.weight_decay + (settings->kind == ST_OPTIMIZER_ADAMW ? settings->weight_decay : 0),
        .l1 = recipe->train.weight_l1,
        .l2 = recipe->train.weight_l2,
        .u_product = 1,
    };
    ST_TRY(new_states(stepper, err));
    if (settings->kind == ST_OPTIMIZER_ADAGRAD) ST_TRY(fill_accumulator(stepper, n_values, err));
    ST_TRY(new_extents(stepper, err));
    stepper->partial = st_alloc_aligned(n_replicas * APART * sizeof *stepper->partial);
    stepper->gradient = st_alloc(n_gradients, sizeof *stepper->gradient);
    if (!stepper->gradient || !stepper->partial)
        return st_fail_memory(err, n_replicas * sizeof(float *), "the optimiser");
    for (size_t i = 0; i < n_gradients; i++)
        stepper->gradient[i] = st_runner_gradient(runner, (int)i);
    const bool has_rho = settings->kind == ST_OPTIMIZER_RMSPROP || settings->kind == ST_OPTIMIZER_ADADELTA;
    stepper->update = (st_update){
        .kind = settings->kind,
        .n_gradients = (int)n_gradients,
        .gradient = stepper->gradient,
        .value = st_runner_parameters(runner),
        .m = stepper->state[0],
        .v = stepper->state[1],
        .u = stepper->state[2],
        .beta_1 = (float)settings->beta_1,
        .beta_2 = (float)(has_rho ? settings->rho : settings->beta_2),
        .epsilon = (float)settings->epsilon,
        .momentum = (float)settings->momentum,
        .nesterov = settings->nesterov,
        .centered = settings->centered,
        .gradient_scale = 1,
        .clip_value = recipe->train.clip_value > 0 ? (float)recipe->train.clip_value : INFINITY,
    };
    engine->plan_update(&stepper->update);
    return STRAIT_OK;
}

void st_stepper_free(st_stepper *stepper) {
    for (int i = 0; i < ST_MAX_STATES; i++)
        st_free(stepper->state[i]);
    st_free(stepper->extent);
    st_free(stepper->partial);
    st_free(stepper->gradient);
    *stepper = (st_stepper){0};
}

float *st_stepper_state(const st_stepper *stepper, int index, const char **name) {
    static const char *const names[ST_MAX_STATES] = {"m", "v", "u"};
    *name = names[index];
    return stepper->state[index];
}

/* ---- passes over the block, a slice a worker ---- */

/* What a worker has of an extent: of the whole block a slice, or where the runner works by columns a slice of each
   layer, about the one whose gradient this worker computed. false: nothing. */
static bool cut(st_extent *part, const st_stepper *stepper, int extent, int worker, int n_workers) {
    *part = stepper->extent[extent];
    const bool each = st_runner_by_columns(stepper->runner);
    const size_t first = each ? part->begin : 0;
    const size_t lines = ((each ? part->end - first : st_runner_block_size(stepper->runner)) + LINE - 1) / LINE;
    const size_t begin = first + lines * (size_t)worker / (size_t)n_workers * LINE;
    const size_t end = first + lines * (size_t)(worker + 1) / (size_t)n_workers * LINE;
    if (part->begin < begin) part->begin = begin;
    if (part->end > end) part->end = end;
    return part->begin < part->end;
}

/* The workers' sums, added in their order. */
static double add_partials(st_stepper *stepper, st_pool_work work) {
    double sum = 0;
    st_pool_run(st_runner_pool(stepper->runner), work, stepper);
    for (int i = 0; i < st_runner_replicas(stepper->runner); i++)
        sum += stepper->partial[i * APART];
    return sum;
}

/* A term for each value, summed in a fixed order in lanes that the compiler can keep side by side. */
#define LANES 8
#define SUM_TERMS(n, term)                                                                                             \
    double lane[LANES] = {0}, sum = 0;                                                                                 \
    size_t i = 0;                                                                                                      \
    for (; i + LANES <= (n); i += LANES)                                                                               \
        for (size_t j = 0; j < LANES; j++)                                                                             \
            lane[j] += term(i + j);                                                                                    \
    for (size_t j = 0; i + j < (n); j++)                                                                               \
        lane[j] += term(i + j);                                                                                        \
    for (size_t j = 0; j < LANES; j++)                                                                                 \
        sum += lane[j];                                                                                                \
    return sum

static double sum_squares(const float *value, size_t n) {
#define SQUARE(i) ((double)value[i] * (double)value[i])
    SUM_TERMS(n, SQUARE);
#undef SQUARE
}

static double sum_absolute(const float *value, size_t n) {
#define ABSOLUTE(i) ((double)fabsf(value[i]))
    SUM_TERMS(n, ABSOLUTE);
#undef ABSOLUTE
}

/* Squares of the summed gradients. The replicas' blocks stay as they are: the update sums them once more, in the same
   order. */
static void square_slice(void *context, int worker, int n_workers) {
    const st_stepper *stepper = context;
    double squares = 0;
    float piece[PIECE];
    for (int k = 0; k < stepper->n_extents; k++) {
        st_extent part;
        if (!cut(&part, stepper, k, worker, n_workers)) continue;
        for (size_t begin = part.begin; begin < part.end; begin += PIECE) {
            const size_t n = part.end - begin < PIECE ? part.end - begin : PIECE;
            memcpy(piece, stepper->gradient[0] + begin, n * sizeof *piece);
            for (int r = 1; r < stepper->update.n_gradients; r++) {
                const float *restrict next = stepper->gradient[r] + begin;
                for (size_t i = 0; i < n; i++)
                    piece[i] += next[i];
            }
            squares += sum_squares(piece, n);
        }
    }
    stepper->partial[worker * APART] = squares;
}

static void penalise_slice(void *context, int worker, int n_workers) {
    const st_stepper *stepper = context;
    double penalty = 0;
    for (int k = 0; k < stepper->n_extents; k++) {
        st_extent part;
        if (!cut(&part, stepper, k, worker, n_workers) || !part.kernels) continue;
        const float *value = stepper->update.value + part.begin;
        if (stepper->l1 > 0) penalty += stepper->l1 * sum_absolute(value, part.end - part.begin);
        if (stepper->l2 > 0) penalty += stepper->l2 * sum_squares(value, part.end - part.begin);
    }
    stepper->partial[worker * APART] = penalty;
}

static void update_slice(void *context, int worker, int n_workers) {
    const st_stepper *stepper = context;
    for (int k = 0; k < stepper->n_extents; k++) {
        st_extent part;
        if (!cut(&part, stepper, k, worker, n_workers)) continue;
        st_update update = stepper->update;
        if (!part.kernels) update.l1 = update.l2 = update.decay = 0;
        update.run(&update, part.begin, part.end);
    }
}

/* ---- the step ---- */

/* Keras' Nadam: u_t = beta_1 (1 - 0.96^t / 2). The products follow from t, so they are made anew after a resume, in the
   same order and to the same bits. */
static void correct_nadam(st_stepper *stepper, double rate, double t) {
    const st_optimizer *s = &stepper->settings;
    const double u_now = s->beta_1 * (1 - 0.5 * pow(0.96, t)), u_next = s->beta_1 * (1 - 0.5 * pow(0.96, t + 1));
    if (stepper->u_steps != stepper->steps - 1) {
        stepper->u_product = 1;
        for (stepper->u_steps = 0; stepper->u_steps < stepper->steps - 1; stepper->u_steps++)
            stepper->u_product *= s->beta_1 * (1 - 0.5 * pow(0.96, (double)stepper->u_steps + 1));
    }
    stepper->u_product *= u_now;
    stepper->u_steps = stepper->steps;
    stepper->update.c_1 = (float)(rate * u_next / (1 - stepper->u_product * u_next));
    stepper->update.c_2 = (float)(rate * (1 - u_now) / (1 - stepper->u_product));
    stepper->update.c_3 = (float)(1 - pow(s->beta_2, t));
}

void st_stepper_step(st_stepper *stepper, double rate) {
    const st_optimizer *s = &stepper->settings;
    st_update *update = &stepper->update;
    const double t = (double)++stepper->steps;
    double corrected = rate;
    if (s->kind == ST_OPTIMIZER_ADAM || s->kind == ST_OPTIMIZER_ADAMW)
        corrected *= sqrt(1 - pow(s->beta_2, t)) / (1 - pow(s->beta_1, t));
    if (s->kind == ST_OPTIMIZER_NADAM) correct_nadam(stepper, rate, t);
    update->learning_rate = (float)corrected;
    update->decay = (float)(rate * stepper->decay);
    update->l1 = (float)stepper->l1;
    update->l2 = (float)stepper->l2;
    if (stepper->clip_norm > 0) {
        const double norm = sqrt(add_partials(stepper, square_slice));
        update->gradient_scale = norm > stepper->clip_norm ? (float)(stepper->clip_norm / norm) : 1;
    }
    st_pool_run(st_runner_pool(stepper->runner), update_slice, stepper);
}

double st_stepper_penalty(st_stepper *stepper) {
    return stepper->l1 > 0 || stepper->l2 > 0 ? add_partials(stepper, penalise_slice) : 0;
}
