/* What a call hands to the kernels: modes, samples' numbers, costs beside the loss; what is an alias when; replicas
   that train in step; states; kept values. */
#include <stdatomic.h>
#include "graph/fake.h"

static const st_op_place place = {.prefix = "p"};
#define BATCH 7

/* ---- a sample op that writes down what it is told ---- */

static struct {
    st_mode mode;
    uint64_t seed;
    uint32_t epoch;
    int64_t n_batch;
    float beta_scale;
    int seen[BATCH + 100]; /* how often sample i came; each is one worker's alone */
} told;

/* dst = src + the sample's number; the KL divergence of each sample is 1, its cost 3 beta_scale. */
static strait_status tell_forward(void *state) {
    const fake *f = state;
    st_step *step = f->at.step;
    const int64_t n = fake_row(f, f->op.dst);
    if (f->at.replica == 0) {
        told.mode = step->mode;
        told.seed = step->seed;
        told.epoch = step->epoch;
        told.n_batch = step->n_batch;
        told.beta_scale = step->beta_scale;
    }
    for (int64_t i = 0; i < f->batch * n; i++) {
        const int64_t row = i / n;
        f->at.dst[i] = f->at.src[i] + (row < step->n_valid ? (float)step->sample[row] : 0.0f);
    }
    for (int64_t row = 0; row < step->n_valid; row++)
        told.seen[step->sample[row]]++;
    if (step->mode == ST_MODE_APPLY) return STRAIT_OK;
    step->kl += (double)step->n_valid;
    step->extra += 3 * (double)step->beta_scale * (double)step->n_valid;
    return STRAIT_OK;
}

static strait_status tell_backward(void *state, bool accumulate) {
    (void)accumulate;
    const fake *f = state;
    const size_t n = (size_t)(f->batch * fake_row(f, f->op.dst));
    if (f->at.dsrc) memcpy(f->at.dsrc, f->at.ddst, n * sizeof(float));
    if (f->at.dsrc2) memset(f->at.dsrc2, 0, n * sizeof(float));
    return STRAIT_OK;
}

static const st_kernel tell = {
    .plan = fake_plan, .bind = fake_bind, .forward = tell_forward, .backward = tell_backward, .free = st_free};

static st_graph *new_graph(int64_t n) {
    st_graph *graph = NULL;
    const st_shape shape = {.n_dims = 1, .dim = {n}};
    assert_int_equal(st_graph_new(&graph, &shape, NULL), STRAIT_OK);
    return graph;
}

/* Every sample's number goes to the row of its values, whatever the split; costs are means over samples. */
static void test_feeds(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_SAMPLE] = &tell;
    st_graph *graph = new_graph(2);
    int t;
    assert_int_equal(st_graph_sample(&t, graph, 0, 0, 1, false, place, NULL), STRAIT_OK);
    graph->output = t;
    const uint32_t sample[BATCH] = {40, 3, 99, 7, 0, 55, 12};
    float x[2 * BATCH], y[2 * BATCH];
    fill(x, 2 * BATCH, 1);
    for (int threads = 1; threads <= 4; threads++)
        for (int64_t n = 1; n <= BATCH; n++) {
            st_runner_config config = training_config(graph, &engine, BATCH, threads, threads % 3, ST_LOSS_MSE);
            config.seed = 77;
            st_runner *runner = new_runner(&config, NULL);
            st_feed feed = {.input = x, .target = x, .output = y, .n = n, .epoch = 5, .sample = sample};
            st_cost cost = {0};
            feed.beta_scale = 0.5;
            double squares = 0;
            for (int64_t i = 0; i < n; i++)
                squares += (double)sample[i] * sample[i];
            assert_int_equal(st_runner_evaluate(&cost, runner, &feed, NULL), STRAIT_OK);
            for (int64_t i = 0; i < 2 * n; i++)
                assert_true(y[i] == x[i] + (float)sample[i / 2]);
            assert_true(cost.kl == 1);
            assert_true(fabs(cost.loss - squares / (double)n - 1.5) < 1e-5 * cost.loss); /* 3 * 0.5 beside the loss */
            assert_true(told.mode == ST_MODE_VALIDATE && told.seed == 77 && told.epoch == 5);
            assert_true(told.beta_scale == 0.5f && told.n_batch == n);
            memset(told.seen, 0, sizeof told.seen);
            feed.output = NULL;
            assert_int_equal(st_runner_train(&cost, runner, &feed, NULL), STRAIT_OK);
            assert_int_equal(told.mode, ST_MODE_TRAIN);
            for (int64_t i = 0; i < BATCH; i++)
                assert_int_equal(told.seen[sample[i]], i < n);
            feed.sample = NULL; /* 0 to n - 1 */
            feed.output = y;
            assert_int_equal(st_runner_evaluate(&cost, runner, &feed, NULL), STRAIT_OK);
            for (int64_t i = 0; i < 2 * n; i++)
                assert_true(y[i] == x[i] + (float)(i / 2));
            assert_int_equal(st_runner_forward(runner, x, y, n, NULL), STRAIT_OK);
            assert_int_equal(told.mode, ST_MODE_APPLY);
            st_runner_free(runner);
        }
    st_graph_free(graph);
}

/* Without training, dropout, noise and, where there is no loss, a penalty have no kernel at all: this engine has none
   for them. Training asks for one. */
static void test_aliases(void **state) {
    (void)state;
    const st_engine engine = fake_engine();
    st_graph *graph = new_graph(3);
    int t;
    assert_int_equal(st_graph_dropout(&t, graph, 0, 0.5, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_gaussian_noise(&t, graph, t, 0.5, place, NULL), STRAIT_OK);
    const int noise = t;
    assert_int_equal(st_graph_add(&t, graph, t, 0, place, NULL), STRAIT_OK);
    graph->output = t;
    float x[3 * BATCH], y[3 * BATCH];
    fill(x, 3 * BATCH, 2);
    st_runner_config config = {.graph = graph, .n_ops = graph->n_ops, .batch_size = BATCH, .threads = 1};
    st_engine bare = engine;
    bare.kernel[ST_OP_DROPOUT] = bare.kernel[ST_OP_GAUSSIAN_NOISE] = bare.kernel[ST_OP_PENALTY] = NULL;
    config.engine = &bare;
    config.with_loss = true;
    st_runner *runner = new_runner(&config, NULL);
    assert_int_equal(st_runner_forward(runner, x, y, BATCH, NULL), STRAIT_OK);
    for (int i = 0; i < 3 * BATCH; i++)
        assert_true(y[i] == 2 * x[i]);
    st_runner_free(runner);
    config.training = true;
    strait_error err = {0};
    assert_int_equal(st_runner_new(&runner, &config, &err), STRAIT_ENGINE);
    assert_non_null(strstr(err.message, "dropout"));
    config.training = false;
    assert_int_equal(st_graph_penalty(&t, graph, noise, 1, 1, place, NULL), STRAIT_OK);
    config.n_ops = graph->n_ops;
    assert_int_equal(st_runner_new(&runner, &config, &err), STRAIT_ENGINE); /* it adds to the loss */
    assert_non_null(strstr(err.message, "penalty"));
    config.with_loss = false;
    st_runner_free(new_runner(&config, NULL));
    st_graph_free(graph);
}

/* ---- an op over the whole batch ---- */

/* While training: y = x - mean over the batch, else x - state. Fails, where told to, on one replica alone. */
static atomic_int failing = -1;
static atomic_int meetings; /* while n_valid is 0 */

static strait_status center_plan(void **state, st_kernel_needs *needs, const st_kernel_request *request,
                                 strait_error *err) {
    ST_TRY(fake_plan(state, needs, request, err));
    const fake *f = *state;
    needs->kernel = needs->bias = (size_t)fake_last(f, f->op.dst);
    needs->exchange = 4;
    return STRAIT_OK;
}

static strait_status center_pack(void *state, float *packed_kernel, float *packed_bias, const float *kernel,
                                 const float *bias) {
    const fake *f = state;
    const size_t n = (size_t)fake_last(f, f->op.dst) * sizeof(float);
    memcpy(packed_kernel, kernel, n);
    memcpy(packed_bias, bias, n);
    return STRAIT_OK;
}
static strait_status center_unpack(void *state, float *kernel, float *bias, const float *packed_kernel,
                                   const float *packed_bias) {
    return center_pack(state, kernel, bias, packed_kernel, packed_bias);
}

/* to = from - mean over the batch's rows, of all replicas; 0 in padding. */
static void center(const fake *f, float *to, const float *from, double *mean) {
    const st_step *step = f->at.step;
    const int64_t n = fake_row(f, f->op.dst);
    for (int64_t j = 0; j < n; j++)
        mean[j] = 0;
    for (int64_t i = 0; i < step->n_valid * n; i++)
        mean[i % n] += (double)from[i];
    if (step->n_valid == 0) meetings++;
    st_exchange_sum(f->at.exchange, f->at.replica, mean, (size_t)n);
    for (int64_t j = 0; j < n; j++)
        mean[j] /= (double)step->n_batch;
    for (int64_t i = 0; i < f->batch * n; i++)
        to[i] = i < step->n_valid * n ? (float)((double)from[i] - mean[i % n]) : 0.0f;
}

static strait_status center_forward(void *state) {
    const fake *f = state;
    const int64_t n = fake_row(f, f->op.dst);
    double mean[4];
    if (f->at.step->mode == ST_MODE_TRAIN) {
        center(f, f->at.dst, f->at.src, mean);
        for (int64_t j = 0; j < n && f->at.replica == 0; j++)
            f->at.state[j] = (float)mean[j];
        return f->at.replica == failing ? STRAIT_ENGINE : STRAIT_OK;
    }
    for (int64_t i = 0; i < f->batch * n; i++)
        f->at.dst[i] = f->at.src[i] - f->at.state[i % n];
    return STRAIT_OK;
}

static strait_status center_backward(void *state, bool accumulate) {
    const fake *f = state;
    double mean[4];
    assert_false(accumulate);
    center(f, f->at.dsrc, f->at.ddst, mean);
    memset(f->at.dkernel, 0, (size_t)fake_last(f, f->op.dst) * sizeof(float));
    memset(f->at.dbias, 0, (size_t)fake_last(f, f->op.dst) * sizeof(float));
    return STRAIT_OK;
}

static const st_kernel center_kernel = {.plan = center_plan,
                                        .bind = fake_bind,
                                        .forward = center_forward,
                                        .backward = center_backward,
                                        .pack = center_pack,
                                        .unpack = center_unpack,
                                        .free = st_free};

#define WIDTH 3
static st_graph *centered_graph(void) {
    st_graph *graph = new_graph(2);
    int t;
    assert_int_equal(st_graph_dense(&t, graph, 0, WIDTH, true, act(ST_LINEAR), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_batch_norm(&t, graph, t, 0.9, 1e-3, place, NULL), STRAIT_OK);
    graph->output = t;
    return graph;
}

/* y = h - mean h, h = x W + b: loss and gradient of n samples in double. The mean's own derivative cancels what the
   gradients have in common: d by h_i is g_i - mean g, so that b has none. */
static double centered(const float *w, const float *x, const float *target, int64_t n, double *dw) {
    double h[BATCH][WIDTH], mean[WIDTH] = {0}, g[BATCH][WIDTH], mean_g[WIDTH] = {0}, loss = 0;
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < WIDTH; j++) {
            h[i][j] = (double)w[2 * WIDTH + j] + (double)x[2 * i] * (double)w[j] +
                      (double)x[2 * i + 1] * (double)w[WIDTH + j];
            mean[j] += h[i][j] / (double)n;
        }
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < WIDTH; j++) {
            const double d = h[i][j] - mean[j] - (double)target[WIDTH * i + j];
            loss += d * d / (double)(n * WIDTH);
            g[i][j] = 2 * d / (double)(n * WIDTH);
            mean_g[j] += g[i][j] / (double)n;
        }
    for (int k = 0; k < 2 * WIDTH; k++) {
        dw[k] = 0;
        for (int64_t i = 0; i < n; i++)
            dw[k] += (double)x[2 * i + k / WIDTH] * (g[i][k % WIDTH] - mean_g[k % WIDTH]);
    }
    return loss;
}

static void test_in_step(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_BATCH_NORM] = &center_kernel;
    st_graph *graph = centered_graph();
    float x[2 * BATCH], target[WIDTH * BATCH], *parameters = new_filled((size_t)graph->n_values, 9);
    fill(x, 2 * BATCH, 6);
    fill(target, WIDTH * BATCH, 7);
    for (int threads = 1; threads <= 4; threads++) {
        const st_runner_config config = training_config(graph, &engine, BATCH, threads, 0, ST_LOSS_MSE);
        st_runner *runner = new_runner(&config, parameters);
        assert_int_equal(st_runner_micro_batch(runner), (BATCH + threads - 1) / threads);
        for (int64_t n = BATCH; n >= 0; n--) { /* 1 to 4 replicas with samples, the others without */
            double dw[2 * WIDTH];
            if (n == 0) {
                assert_true(train_on(runner, x, target, 0) == 0);
                continue;
            }
            meetings = 0;
            const double want = centered(parameters, x, target, n, dw), got = train_on(runner, x, target, n);
            const int64_t share = (BATCH + threads - 1) / threads, idle = threads - (n + share - 1) / share;
            assert_int_equal(meetings, 2 * idle); /* those without samples come, too: forward and backward */
            assert_true(fabs(got - want) < 1e-5 * (1 + want));
            float *gradient = summed_gradient(runner, graph), expected[2 * WIDTH];
            for (int k = 0; k < 2 * WIDTH; k++)
                expected[k] = (float)dw[k];
            assert_close("in step", "gradient", gradient, expected, 2 * WIDTH, 1e-5);
            for (int64_t i = graph->parameter[4].offset; i < graph->n_values; i++)
                assert_true(gradient[i] == 0); /* states have none */
            st_free(gradient);
        }
        st_runner_free(runner);
    }
    st_free(parameters);
    st_graph_free(graph);
}

/* The same bits each time, whoever comes first to the sums. */
static void test_in_step_bits(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_BATCH_NORM] = &center_kernel;
    st_graph *graph = centered_graph();
    float x[2 * BATCH], target[WIDTH * BATCH], *parameters = new_filled((size_t)graph->n_values, 9);
    fill(x, 2 * BATCH, 6);
    fill(target, WIDTH * BATCH, 7);
    const st_runner_config config = training_config(graph, &engine, BATCH, 4, 0, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    train_on(runner, x, target, BATCH);
    float *first = summed_gradient(runner, graph);
    for (int i = 0; i < 50; i++) {
        train_on(runner, x, target, BATCH);
        float *again = summed_gradient(runner, graph);
        assert_memory_equal(again, first, (size_t)graph->n_values * sizeof *first);
        st_free(again);
    }
    st_free(first);
    st_runner_free(runner);
    st_free(parameters);
    st_graph_free(graph);
}

/* A replica that fails still meets the others; the next step is well. */
static void test_in_step_failure(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_BATCH_NORM] = &center_kernel;
    st_graph *graph = centered_graph();
    float x[2 * BATCH] = {0}, target[WIDTH * BATCH] = {0}, *parameters = new_filled((size_t)graph->n_values, 9);
    const st_runner_config config = training_config(graph, &engine, BATCH, 3, 0, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    for (int replica = 0; replica < 3; replica++) {
        const st_feed feed = {.input = x, .target = target, .n = BATCH, .beta_scale = 1};
        st_cost cost;
        strait_error err = {0};
        failing = replica;
        assert_int_equal(st_runner_train(&cost, runner, &feed, &err), STRAIT_ENGINE);
        assert_true(err.message[0] != 0);
        failing = -1;
        assert_int_equal(st_runner_train(&cost, runner, &feed, &err), STRAIT_OK);
    }
    st_runner_free(runner);
    st_free(parameters);
    st_graph_free(graph);
}

/* Evaluating and applying use the states and need nobody: one micro-batch after another. A micro-batch smaller than the
   share is refused for training alone. */
static void test_states(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_BATCH_NORM] = &center_kernel;
    st_graph *graph = centered_graph();
    float x[2 * BATCH], y[WIDTH * BATCH], plain[WIDTH * BATCH], *parameters = new_filled((size_t)graph->n_values, 9);
    float *back = new_floats((size_t)graph->n_values);
    fill(x, 2 * BATCH, 6);
    st_runner_config config = training_config(graph, &engine, BATCH, 2, 0, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    assert_int_equal(st_runner_unpack(runner, back, st_runner_parameters(runner), NULL), STRAIT_OK);
    assert_memory_equal(back, parameters, (size_t)graph->n_values * sizeof *back); /* states come back, too */
    assert_int_equal(st_runner_forward(runner, x, y, BATCH, NULL), STRAIT_OK);
    const float *moving = parameters + graph->parameter[graph->op[1].state[0]].offset;
    config.n_ops = 1;
    st_runner *first = new_runner(&config, parameters);
    assert_int_equal(st_runner_forward(first, x, plain, BATCH, NULL), STRAIT_OK);
    for (int i = 0; i < WIDTH * BATCH; i++)
        assert_true(y[i] == plain[i] - moving[i % WIDTH]);
    st_runner_free(first);
    config.n_ops = 2;
    int n;
    const st_segment *segment = st_runner_segments(runner, &n);
    assert_int_equal(n, 5); /* kernel, bias; gamma, beta, states */
    static const st_role role[] = {ST_ROLE_KERNEL, ST_ROLE_OFFSET, ST_ROLE_OFFSET, ST_ROLE_OFFSET, ST_ROLE_STATE};
    for (int i = 0; i < n; i++) {
        assert_int_equal(segment[i].role, role[i]);
        assert_int_equal(segment[i].op, i > 1);
        assert_int_equal(segment[i].parameter, i);
        assert_true(segment[i].end > segment[i].begin && segment[i].end <= st_runner_block_size(runner));
        if (i > 0) assert_true(segment[i].begin >= segment[i - 1].end);
    }
    assert_int_equal(segment[4].end - segment[4].begin, 2 * WIDTH);
    const float *packed = st_runner_parameters(runner) + segment[4].begin;
    assert_memory_equal(packed, moving, 2 * WIDTH * sizeof *packed);
    st_runner_free(runner);
    strait_error err = {0};
    config.micro_batch = 2;
    assert_int_equal(st_runner_new(&runner, &config, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "4 samples")); /* ceil(7 / 2) */
    config.training = false;
    config.with_loss = true;
    runner = new_runner(&config, parameters);
    assert_int_equal(st_runner_micro_batch(runner), 2);
    st_runner_free(runner);
    config.training = true;
    config.micro_batch = 4;
    st_runner_free(new_runner(&config, parameters));
    st_free(parameters);
    st_free(back);
    st_graph_free(graph);
}

/* ---- values that stay ---- */

static void test_kept_values(void **state) {
    (void)state;
    const st_engine engine = fake_engine();
    st_graph *graph = new_graph(4);
    const st_shape square = {.n_dims = 2, .dim = {2, 2}};
    int a, r, d, b; /* ops enough that a place would be used again */
    assert_int_equal(st_graph_dense(&a, graph, 0, 4, true, act(ST_TANH), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_reshape(&r, graph, a, &square, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_dropout(&d, graph, r, 0.5, place, NULL), STRAIT_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(st_graph_dense(&b, graph, i ? b : d, 5, true, act(ST_LINEAR), place, NULL), STRAIT_OK);
    graph->output = b;
    float *parameters = new_filled((size_t)graph->n_values, 11), x[4 * BATCH], y[10 * BATCH], h[4 * BATCH];
    fill(x, 4 * BATCH, 12);
    st_runner_config config = {.graph = graph,
                               .engine = &engine,
                               .n_ops = graph->n_ops,
                               .batch_size = BATCH,
                               .threads = 1,
                               .micro_batch = BATCH,
                               .keep_values = true};
    st_runner *runner = new_runner(&config, parameters);
    assert_int_equal(st_runner_forward(runner, x, y, BATCH, NULL), STRAIT_OK);
    assert_memory_equal(st_runner_tensor(runner, 0), x, sizeof x);
    assert_memory_equal(st_runner_tensor(runner, b), y, sizeof y);
    assert_ptr_equal(st_runner_tensor(runner, r), st_runner_tensor(runner, a));
    assert_ptr_equal(st_runner_tensor(runner, d), st_runner_tensor(runner, a));
    st_runner_config part = config;
    part.n_ops = 1;
    part.keep_values = false;
    st_runner *first = new_runner(&part, parameters);
    assert_int_equal(st_runner_forward(first, x, h, BATCH, NULL), STRAIT_OK);
    assert_memory_equal(st_runner_tensor(runner, a), h, sizeof h);
    assert_null(st_runner_tensor(first, a)); /* not kept */
    st_runner_free(first);
    st_runner_free(runner);
    strait_error err = {0};
    config.threads = 2;
    assert_int_equal(st_runner_new(&runner, &config, &err), STRAIT_ARGUMENT);
    config.threads = 1;
    config.micro_batch = 1;
    assert_int_equal(st_runner_new(&runner, &config, &err), STRAIT_ARGUMENT);
    st_free(parameters);
    st_graph_free(graph);
}

/* ---- ranges, penalties, memory ---- */

/* A latent that the decoder reads twice is its one input; a decoder that reads the encoder's inside has two. */
static void test_ranges(void **state) {
    (void)state;
    const st_engine engine = fake_engine();
    st_graph *graph = new_graph(3);
    int h, z, t;
    assert_int_equal(st_graph_dense(&h, graph, 0, 3, true, act(ST_TANH), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_dense(&z, graph, h, 3, true, act(ST_TANH), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_dense(&t, graph, z, 3, true, act(ST_TANH), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_add(&t, graph, t, z, place, NULL), STRAIT_OK);
    graph->output = t;
    float *parameters = new_filled((size_t)graph->n_values, 13);
    float x[3 * BATCH], latent[3 * BATCH], y[3 * BATCH], whole[3 * BATCH];
    fill(x, 3 * BATCH, 14);
    st_runner_config config = {.graph = graph, .engine = &engine, .n_ops = 4, .batch_size = BATCH, .threads = 2};
    st_runner *runner = new_runner(&config, parameters);
    assert_int_equal(st_runner_forward(runner, x, whole, BATCH, NULL), STRAIT_OK);
    st_runner_free(runner);
    config.n_ops = 2;
    runner = new_runner(&config, parameters);
    assert_int_equal(st_runner_forward(runner, x, latent, BATCH, NULL), STRAIT_OK);
    st_runner_free(runner);
    config.first_op = 2;
    runner = new_runner(&config, parameters);
    assert_int_equal(st_runner_forward(runner, latent, y, BATCH, NULL), STRAIT_OK);
    st_runner_free(runner);
    assert_memory_equal(y, whole, sizeof y);
    assert_int_equal(st_graph_add(&t, graph, t, h, place, NULL), STRAIT_OK);
    config.n_ops = 3;
    strait_error err = {0};
    assert_int_equal(st_runner_new(&runner, &config, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "add"));
    st_free(parameters);
    st_graph_free(graph);
}

/* extra = l2 sum x^2; y = x. */
static strait_status penalty_forward(void *state) {
    const fake *f = state;
    st_step *step = f->at.step;
    const int64_t n = fake_row(f, f->op.dst);
    memcpy(f->at.dst, f->at.src, (size_t)(f->batch * n) * sizeof(float));
    for (int64_t i = 0; i < step->n_valid * n; i++)
        step->extra += f->op.l2 * (double)f->at.src[i] * (double)f->at.src[i];
    return STRAIT_OK;
}

static strait_status penalty_backward(void *state, bool accumulate) {
    (void)accumulate;
    const fake *f = state;
    const int64_t n = fake_row(f, f->op.dst), valid = f->at.step->n_valid * n;
    for (int64_t i = 0; i < f->batch * n; i++) {
        const double own = i < valid ? 2 * f->op.l2 * (double)f->at.src[i] / (double)f->at.step->n_batch : 0;
        f->at.dsrc[i] = f->at.ddst[i] + (float)own;
    }
    return STRAIT_OK;
}

static const st_kernel penalty_kernel = {
    .plan = fake_plan, .bind = fake_bind, .forward = penalty_forward, .backward = penalty_backward, .free = st_free};

/* A penalty beside the way to the loss: h = tanh(w x + b) is the output and the penalty's, and the derivative of tanh
   must be taken of both. One sample: d by b is (2 (h - t) + 2 l2 h) (1 - h^2). */
static void test_penalty_on_the_output(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_PENALTY] = &penalty_kernel;
    st_graph *graph = new_graph(1);
    const st_shape one = {.n_dims = 1, .dim = {1}};
    int h, t;
    assert_int_equal(st_graph_dense(&h, graph, 0, 1, true, act(ST_TANH), place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_penalty(&t, graph, h, 0, 0.75, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_reshape(&t, graph, h, &one, place, NULL), STRAIT_OK);
    graph->output = t;
    const float parameters[2] = {0.5f, 0.25f}, x = 1.5f, target = 0.125f;
    const st_runner_config config = training_config(graph, &engine, 1, 1, 1, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    const double y = tanh(1.0), d = y - 0.125;
    assert_true(fabs(train_on(runner, &x, &target, 1) - d * d - 0.75 * y * y) < 1e-6);
    float *gradient = summed_gradient(runner, graph);
    const double want = (2 * d + 2 * 0.75 * y) * (1 - y * y);
    assert_true(fabs((double)gradient[1] - want) < 1e-6);
    assert_true(fabs((double)gradient[0] - 1.5 * want) < 1e-6);
    st_free(gradient);
    st_runner_free(runner);
    st_graph_free(graph);
}

static void test_describe(void **state) {
    (void)state;
    const st_engine engine = fake_engine();
    st_graph *graph = new_graph(3);
    const st_op_place named = {.prefix = "encoder.1.0.2"};
    int t;
    assert_int_equal(st_graph_slice(&t, graph, 0, 0, 2, place, NULL), STRAIT_OK);
    assert_int_equal(st_graph_concat(&t, graph, 0, t, named, NULL), STRAIT_OK);
    graph->output = t;
    st_runner_config config = training_config(graph, &engine, 2, 1, 0, ST_LOSS_MSE);
    config.loss.term[0].weight = 784;
    config.loss.term[config.loss.n++] = (st_loss_term){.kind = ST_LOSS_MAE, .weight = 1};
    st_runner *runner = new_runner(&config, NULL);
    st_text text = {0};
    st_runner_describe(runner, &text);
    assert_non_null(strstr(text.bytes, "encoder.1.0.2"));
    assert_non_null(strstr(text.bytes, "3, 2"));
    assert_non_null(strstr(text.bytes, "784 mse + mae"));
    st_text_free(&text);
    st_runner_free(runner);
    st_graph_free(graph);
}

/* A step in step allocates nothing; every allocation of such a runner fails in turn. */
static void test_memory(void **state) {
    (void)state;
    st_engine engine = fake_engine();
    engine.kernel[ST_OP_BATCH_NORM] = &center_kernel;
    st_graph *graph = centered_graph();
    float x[2 * BATCH] = {0}, target[WIDTH * BATCH] = {0}, *parameters = new_filled((size_t)graph->n_values, 9);
    const st_runner_config config = training_config(graph, &engine, BATCH, 3, 0, ST_LOSS_MSE);
    st_runner *runner = new_runner(&config, parameters);
    const uint64_t before = st_alloc_count();
    for (int64_t n = 1; n <= BATCH; n++) {
        train_on(runner, x, target, n);
        evaluate_on(runner, x, target, NULL, n);
    }
    assert_true(st_alloc_count() == before);
    st_runner_free(runner);
    for (uint64_t n = 1;; n++) {
        strait_error err = {0};
        st_alloc_fail_at(n);
        const strait_status status = st_runner_new(&runner, &config, &err);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            assert_true(n > 20);
            break;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_true(err.message[0] != 0);
    }
    st_runner_free(runner);
    st_free(parameters);
    st_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feeds),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_in_step),
        cmocka_unit_test(test_in_step_bits),
        cmocka_unit_test(test_in_step_failure),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_kept_values),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_penalty_on_the_output),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
