/* Every optimiser through a real training, beside the same training by hand in double, and that beside PyTorch where
   both have the same formulas. The network is 3 - 2 - 3, linear, mse, all four samples in each step. PyTorch's figures
   are from torch 1.13 in float64, after 20 steps from the same start:
     w = [0.6*sin(1.7*(i+1)) for i in range(17)]   # kernel [3, 2], bias [2], kernel [2, 3], bias [3]
     x = [[0.5+0.4*cos(2.1*i+1.3*j) for j in range(3)] for i in range(4)]
     y = (x@k1 + b1)@k2 + b2; loss = ((y-x)**2).mean()
   with epsilon 1e-14 where Keras and PyTorch put it in different places, NAdam with momentum_decay=1 (Keras' 0.96^t).
 */
#include "train/train_check.h"

enum { N_VALUES = 17, N_SAMPLES = 4, N_STEPS = 20 };

static const char yaml[] = "seed: 3\n"
                           "model:\n"
                           "  input: [3]\n"
                           "  encoder: [{dense: {units: 2}}]\n"
                           "  decoder: [{dense: {units: 3}}]\n"
                           "train: {batch_size: 4, epochs: 40, shuffle: false}\n";

static double start_of(int i) {
    return 0.6 * sin(1.7 * (i + 1));
}

static double sample(int i, int j) {
    return 0.5 + 0.4 * cos(2.1 * i + 1.3 * j);
}

static strait_data *samples(void) {
    float x[N_SAMPLES][3];
    strait_data *data = NULL;
    for (int i = 0; i < N_SAMPLES; i++)
        for (int j = 0; j < 3; j++)
            x[i][j] = (float)sample(i, j);
    ASSERT_OK(strait_data_from_rows(&data, &x[0][0], N_SAMPLES, 1, &(int64_t){3}, &test_error));
    return data;
}

/* ---- by hand ---- */

static bool is_kernel(int i) {
    return i < 6 || (i >= 8 && i < 14);
}

/* The loss of weights w, and its gradient. */
static double loss_of(double g[N_VALUES], const double w[N_VALUES]) {
    double loss = 0;
    memset(g, 0, N_VALUES * sizeof *g);
    for (int i = 0; i < N_SAMPLES; i++) {
        double z[2], dz[2] = {0};
        for (int k = 0; k < 2; k++) {
            z[k] = w[6 + k];
            for (int j = 0; j < 3; j++)
                z[k] += sample(i, j) * w[2 * j + k];
        }
        for (int j = 0; j < 3; j++) {
            const double d = z[0] * w[8 + j] + z[1] * w[11 + j] + w[14 + j] - sample(i, j), dy = 2 * d / 12;
            loss += d * d / 12;
            g[14 + j] += dy;
            for (int k = 0; k < 2; k++) {
                g[8 + 3 * k + j] += dy * z[k];
                dz[k] += dy * w[8 + 3 * k + j];
            }
        }
        for (int k = 0; k < 2; k++) {
            g[6 + k] += dz[k];
            for (int j = 0; j < 3; j++)
                g[2 * j + k] += dz[k] * sample(i, j);
        }
    }
    return loss;
}

typedef struct st_by_hand {
    double w[N_VALUES], m[N_VALUES], v[N_VALUES], u[N_VALUES];
    double u_product; /* nadam */
} st_by_hand;

/* The change of value i by gradient g in step t (from 1): keras/src/optimizers of Keras 3, one after another. */
static double change(st_by_hand *state, const st_optimizer *o, int i, double g, int t) {
    const double rate = o->learning_rate, b1 = o->beta_1, b2 = o->beta_2;
    double *m = &state->m[i], *v = &state->v[i], *u = &state->u[i];
    switch (o->kind) {
    case ST_OPTIMIZER_SGD:
        if (o->momentum == 0) return -rate * g;
        *m = *m * o->momentum - g * rate;
        return o->nesterov ? *m * o->momentum - g * rate : *m;
    case ST_OPTIMIZER_ADAM:
    case ST_OPTIMIZER_ADAMW:
        *m += (g - *m) * (1 - b1);
        *v += (g * g - *v) * (1 - b2);
        return -(*m * rate * sqrt(1 - pow(b2, t)) / (1 - pow(b1, t))) / (sqrt(*v) + o->epsilon);
    case ST_OPTIMIZER_NADAM: {
        const double now = b1 * (1 - 0.5 * pow(0.96, t)), next = b1 * (1 - 0.5 * pow(0.96, t + 1));
        *m += (g - *m) * (1 - b1);
        *v += (g * g - *v) * (1 - b2);
        const double m_hat = next * *m / (1 - state->u_product * next) + (1 - now) * g / (1 - state->u_product);
        return -(m_hat * rate) / (sqrt(*v / (1 - pow(b2, t))) + o->epsilon);
    }
    case ST_OPTIMIZER_RMSPROP:
        *v = o->rho * *v + (1 - o->rho) * g * g;
        *u = o->rho * *u + (1 - o->rho) * g;
        const double step = rate * g / sqrt(*v - (o->centered ? *u * *u : 0) + o->epsilon);
        *m = o->momentum * *m + step;
        return o->momentum > 0 ? -*m : -step;
    case ST_OPTIMIZER_ADAGRAD:
        if (t == 1) *v = o->initial_accumulator;
        *v += g * g;
        return -rate * g / sqrt(*v + o->epsilon);
    case ST_OPTIMIZER_ADADELTA: {
        *v = o->rho * *v + (1 - o->rho) * g * g;
        const double delta = -sqrt(*m + o->epsilon) * g / sqrt(*v + o->epsilon);
        *m = o->rho * *m + (1 - o->rho) * delta * delta;
        return rate * delta;
    }
    }
    return NAN;
}

/* Clipping and penalties before the optimiser, as st_update says. */
static void train_by_hand(double w[N_VALUES], const strait_recipe *recipe) {
    const st_optimizer *o = &recipe->train.optimizer;
    const double decay = recipe->train.weight_decay + (o->kind == ST_OPTIMIZER_ADAMW ? o->weight_decay : 0);
    st_by_hand state = {.u_product = 1};
    for (int i = 0; i < N_VALUES; i++)
        state.w[i] = (double)(float)start_of(i);
    for (int t = 1; t <= N_STEPS; t++) {
        double g[N_VALUES], squares = 0;
        loss_of(g, state.w);
        for (int i = 0; i < N_VALUES; i++)
            squares += g[i] * g[i];
        const double norm = sqrt(squares), most = recipe->train.clip_norm, bound = recipe->train.clip_value;
        state.u_product *= o->beta_1 * (1 - 0.5 * pow(0.96, t));
        for (int i = 0; i < N_VALUES; i++) {
            double *wi = &state.w[i], gi = g[i];
            if (most > 0 && norm > most) gi *= most / norm;
            if (bound > 0) gi = fmax(-bound, fmin(bound, gi));
            if (is_kernel(i)) {
                gi += recipe->train.weight_l1 * (*wi > 0 ? 1 : -1) + 2 * recipe->train.weight_l2 * *wi;
                *wi -= o->learning_rate * decay * *wi;
            }
            *wi += change(&state, o, i, gi, t);
        }
    }
    memcpy(w, state.w, sizeof state.w);
}

/* ---- the rows ---- */

typedef struct st_row {
    const char *set[2];
    double torch[5]; /* values 0, 7, 11, 16 and the loss; 0: no figures */
} st_row;

static const st_row rows[] = {
    {{"train.optimizer={sgd: {learning_rate: 0.1}}"},
     {0.605332705, 0.347770974, 0.675904570, 0.269528942, 0.061120937}},
    {{"train.optimizer={sgd: {learning_rate: 0.1, momentum: 0.9}}"},
     {0.765120257, 0.037189459, 0.896556539, 0.271937965, 0.045617212}},
    {{"train.optimizer={sgd: {learning_rate: 0.1, momentum: 0.9, nesterov: true}}"},
     {0.722010389, 0.159978171, 0.891545412, 0.325081631, 0.022853824}},
    {{"train.optimizer={adam: {learning_rate: 0.02, epsilon: 1e-14}}"},
     {0.312615954, 0.300644003, 0.907942954, -0.017001778, 0.039497923}},
    /* torch: two groups, weight_decay 0.05 for the kernels and 0 for the biases */
    {{"train.optimizer={adamw: {learning_rate: 0.02, epsilon: 1e-14, weight_decay: 0.05}}"},
     {0.289265993, 0.298462054, 0.893952343, -0.016904872, 0.040915274}},
    /* torch: foreach=True; its other loop counts the newest factor of the product twice */
    {{"train.optimizer={nadam: {learning_rate: 0.02, epsilon: 1e-14}}"},
     {0.225815464, 0.317610335, 0.847798587, -0.093583437, 0.041838301}},
    {{"train.optimizer={rmsprop: {learning_rate: 0.01, epsilon: 1e-14}}"},
     {0.259523967, 0.339782038, 0.817328184, -0.129270647, 0.053161017}},
    {{"train.optimizer={rmsprop: {learning_rate: 0.001, epsilon: 1e-14, momentum: 0.9, centered: true}}"},
     {0.302785768, 0.336982961, 0.818514103, -0.116960298, 0.063039632}},
    {{"train.optimizer={adagrad: {learning_rate: 0.1, epsilon: 1e-14}}"},
     {0.565310621, 0.255558797, 0.740687527, 0.128740267, 0.037371556}},
    {{"train.optimizer={adadelta: {learning_rate: 1, epsilon: 1e-4}}"},
     {0.504820265, 0.311645760, 0.915676558, -0.065309890, 0.018471718}},
    {{"train.optimizer={sgd: {learning_rate: 0.5}}", "train.clip_norm=0.05"},
     {0.597953808, 0.375632801, 0.645148942, 0.067422219, 0.118674409}},
    {{"train.optimizer={sgd: {learning_rate: 0.5}}", "train.clip_value=0.02"},
     {0.457809203, 0.320838627, 0.799273661, -0.151382404, 0.112676850}},
    /* By hand alone: Keras' defaults, penalties, decay beside an optimiser that has none of its own. */
    {{"train.optimizer=sgd"}, {0}},
    {{"train.optimizer=adam"}, {0}},
    {{"train.optimizer=adamw"}, {0}},
    {{"train.optimizer=nadam"}, {0}},
    {{"train.optimizer=rmsprop"}, {0}},
    {{"train.optimizer=adagrad"}, {0}},
    {{"train.optimizer=adadelta"}, {0}},
    {{"train.optimizer={adam: {learning_rate: 0.02}}", "train.penalty={weights: {l1: 0.01, l2: 0.02}}"}, {0}},
    {{"train.optimizer={rmsprop: {learning_rate: 0.01}}", "train.weight_decay=0.1"}, {0}},
    {{"train.optimizer={sgd: {learning_rate: 0.1, momentum: 0.9}}", "train.weight_decay=0.1"}, {0}},
};
#define N_ROWS (sizeof rows / sizeof *rows)

static size_t overrides_of(const st_row *row) {
    return row->set[1] ? 2 : 1;
}

static void train(double w[N_VALUES], const st_row *row, const st_engine *engine, int threads) {
    const st_trainer_config config = {.data = samples(), .engine = engine, .threads = threads};
    st_setup setup = set_up(yaml, overrides_of(row), row->set, 1, config);
    assert_int_equal(setup.model->graph->n_values, N_VALUES);
    for (int i = 0; i < N_VALUES; i++)
        setup.model->values[i] = (float)start_of(i);
    put_values(setup.trainer, setup.model);
    take_steps(setup.trainer, N_STEPS);
    ASSERT_OK(st_trainer_store(setup.trainer, &test_error));
    for (int i = 0; i < N_VALUES; i++)
        w[i] = (double)setup.model->values[i];
    tear_down(&setup);
    strait_data_free(config.data);
}

static void test_by_hand(void **state) {
    (void)state;
    static const st_engine *const engines[] = {&st_engine_reference, &st_engine_cpu};
    for (size_t k = 0; k < N_ROWS; k++) {
        double wanted[N_VALUES], w[N_VALUES];
        strait_recipe *recipe = parse(yaml, overrides_of(&rows[k]), rows[k].set);
        train_by_hand(wanted, recipe);
        strait_recipe_free(recipe);
        for (int e = 0; e < 2; e++)
            for (int threads = 1; threads <= 3; threads++) {
                train(w, &rows[k], engines[e], threads);
                for (int i = 0; i < N_VALUES; i++)
                    if (!(fabs(w[i] - wanted[i]) < 2e-5))
                        fail_msg("%s, engine %s, %d threads: value %d is %.9g, not %.9g", rows[k].set[0],
                                 engines[e]->name, threads, i, w[i], wanted[i]);
            }
    }
}

static void test_as_torch(void **state) {
    (void)state;
    static const int quoted[4] = {0, 7, 11, 16};
    for (size_t k = 0; k < N_ROWS; k++) {
        double w[N_VALUES], g[N_VALUES];
        if (rows[k].torch[0] == 0) continue;
        strait_recipe *recipe = parse(yaml, overrides_of(&rows[k]), rows[k].set);
        train_by_hand(w, recipe);
        strait_recipe_free(recipe);
        for (int i = 0; i < 4; i++)
            if (!(fabs(w[quoted[i]] - rows[k].torch[i]) < 2e-6))
                fail_msg("%s: value %d is %.9f, torch has %.9f", rows[k].set[0], quoted[i], w[quoted[i]],
                         rows[k].torch[i]);
        assert_true(fabs(loss_of(g, w) - rows[k].torch[4]) < 2e-6);
    }
}

/* As many blocks as are allocated, each in the layout of the parameters. */
static void test_states(void **state) {
    (void)state;
    static const struct {
        const char *set;
        int n;
        const char *names;
    } wanted[] = {
        {"train.optimizer=sgd", 0, ""},
        {"train.optimizer={sgd: {momentum: 0.5}}", 1, "m"},
        {"train.optimizer=adam", 2, "mv"},
        {"train.optimizer=adamw", 2, "mv"},
        {"train.optimizer=nadam", 2, "mv"},
        {"train.optimizer=adadelta", 2, "mv"},
        {"train.optimizer=adagrad", 1, "v"},
        {"train.optimizer=rmsprop", 1, "v"},
        {"train.optimizer={rmsprop: {momentum: 0.5}}", 2, "mv"},
        {"train.optimizer={rmsprop: {centered: true}}", 2, "vu"},
        {"train.optimizer={rmsprop: {centered: true, momentum: 0.5}}", 3, "mvu"},
    };
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        st_setup setup = set_up(yaml, 1, &wanted[k].set, 8, (st_trainer_config){0});
        char names[8] = "";
        size_t length = 0;
        for (int i = 0; i < ST_MAX_STATES; i++) {
            const char *name;
            if (st_stepper_state(st_trainer_stepper(setup.trainer), i, &name))
                length += (size_t)snprintf(names + length, sizeof names - length, "%s", name);
        }
        assert_string_equal(names, wanted[k].names);
        assert_int_equal(st_optimizer_states(&setup.recipe->train.optimizer), wanted[k].n);
        tear_down(&setup);
    }
}

/* ---- what goes with an optimiser ---- */

/* The whole loss of these weights, as the training reports it. */
static double loss_at(const float w[N_VALUES], const st_row *row, int threads) {
    const st_trainer_config config = {.data = samples(), .threads = threads};
    st_setup setup = set_up(yaml, overrides_of(row), row->set, 1, config);
    memcpy(setup.model->values, w, N_VALUES * sizeof *w);
    put_values(setup.trainer, setup.model);
    const double loss = take_steps(setup.trainer, 1);
    tear_down(&setup);
    strait_data_free(config.data);
    return loss;
}

/* One step of plain descent with rate 1 changes each weight by minus the gradient of the loss that is reported. */
static void test_penalty_gradient(void **state) {
    (void)state;
    static const st_row row = {
        {"train.optimizer={sgd: {learning_rate: 1}}", "train.penalty={weights: {l1: 0.3, l2: 0.7}}"}, {0}};
    for (int threads = 1; threads <= 2; threads++) {
        float w[N_VALUES];
        for (int i = 0; i < N_VALUES; i++)
            w[i] = (float)start_of(i);
        const st_trainer_config config = {.data = samples(), .threads = threads};
        st_setup setup = set_up(yaml, 2, row.set, 1, config);
        memcpy(setup.model->values, w, sizeof w);
        put_values(setup.trainer, setup.model);
        take_steps(setup.trainer, 1);
        ASSERT_OK(st_trainer_store(setup.trainer, &test_error));
        for (int i = 0; i < N_VALUES; i++) {
            const double gradient = (double)(w[i] - setup.model->values[i]);
            const float before = w[i], h = 0.01f;
            w[i] = before + h;
            const double above = loss_at(w, &row, threads);
            w[i] = before - h;
            const double below = loss_at(w, &row, threads), slope = (above - below) / (2 * (double)h);
            w[i] = before;
            if (!(fabs(gradient - slope) < 1e-4)) fail_msg("value %d: %.7f by the step, %.7f", i, gradient, slope);
        }
        tear_down(&setup);
        strait_data_free(config.data);
    }
}

/* The loss of validation has the penalty too. */
static void test_penalty_in_validation(void **state) {
    (void)state;
    static const char *const set[] = {"train.optimizer={sgd: {learning_rate: 1e-30}}",
                                      "train.penalty={weights: {l1: 0.25, l2: 0.5}}", "train.epochs=1"};
    strait_data *data = samples();
    st_setup setup = set_up(yaml, 3, set, 1, (st_trainer_config){.data = data, .validation = data, .threads = 2});
    double w[N_VALUES], g[N_VALUES], penalty = 0;
    for (int i = 0; i < N_VALUES; i++) {
        w[i] = start_of(i);
        setup.model->values[i] = (float)w[i];
        if (is_kernel(i)) penalty += 0.25 * fabs(w[i]) + 0.5 * w[i] * w[i];
    }
    put_values(setup.trainer, setup.model);
    ASSERT_OK(st_trainer_run(setup.trainer, &test_error));
    int n;
    const st_epoch *epochs = st_trainer_epochs(setup.trainer, &n);
    assert_true(fabs(epochs[0].val_loss - (loss_of(g, w) + penalty)) < 1e-5);
    assert_true(fabs(epochs[0].loss - epochs[0].val_loss) < 1e-6);
    tear_down(&setup);
    strait_data_free(data);
}

/* A norm that is not reached changes no bit, with any number of threads. */
static void test_loose_clip(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        static const st_row plain = {{"train.optimizer=adam"}, {0}};
        static const st_row loose = {{"train.optimizer=adam", "train.clip_norm=1000"}, {0}};
        double a[N_VALUES], b[N_VALUES];
        train(a, &plain, NULL, threads);
        train(b, &loose, NULL, threads);
        assert_memory_equal(a, b, sizeof a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_as_torch),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_penalty_gradient),
        cmocka_unit_test(test_penalty_in_validation),
        cmocka_unit_test(test_loose_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
