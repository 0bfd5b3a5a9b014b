/* The optimisers' pass of both engines: against the formulas as Keras states them, in double, over 20 steps; against
   what PyTorch's optimisers give; and its bits whichever way the pass is cut into slices. */
#include "cpu/harness.h"

static const st_engine *const engines[] = {&st_engine_cpu, &st_engine_reference};

#define N_VALUES 1500 /* more than one block of the pass, and no multiple of a vector */
#define N_REPLICAS 3
#define N_STEPS 20

/* A kind of optimiser with its settings. */
typedef struct optimizer_case {
    const char *title;
    st_optimizer_kind kind;
    double rate, momentum, rho; /* rho: also beta_2 */
    bool nesterov, centered;
    double epsilon;
} optimizer_case;

static const optimizer_case cases[] = {
    {"sgd", ST_OPTIMIZER_SGD, 0.01, 0, 0, false, false, 0},
    {"sgd, nesterov without momentum", ST_OPTIMIZER_SGD, 0.01, 0, 0, true, false, 0},
    {"sgd, momentum", ST_OPTIMIZER_SGD, 0.01, 0.9, 0, false, false, 0},
    {"sgd, nesterov", ST_OPTIMIZER_SGD, 0.01, 0.9, 0, true, false, 0},
    {"adam", ST_OPTIMIZER_ADAM, 0.001, 0, 0.999, false, false, 1e-7},
    {"adamw", ST_OPTIMIZER_ADAMW, 0.001, 0, 0.999, false, false, 1e-7},
    {"nadam", ST_OPTIMIZER_NADAM, 0.001, 0, 0.999, false, false, 1e-7},
    {"rmsprop", ST_OPTIMIZER_RMSPROP, 0.001, 0, 0.9, false, false, 1e-7},
    {"rmsprop, momentum", ST_OPTIMIZER_RMSPROP, 0.001, 0.5, 0.9, false, false, 1e-7},
    {"rmsprop, centred", ST_OPTIMIZER_RMSPROP, 0.001, 0, 0.9, false, true, 1e-3},
    {"rmsprop, centred, momentum", ST_OPTIMIZER_RMSPROP, 0.001, 0.5, 0.9, false, true, 1e-3},
    {"adagrad", ST_OPTIMIZER_ADAGRAD, 0.01, 0, 0, false, false, 1e-7},
    {"adadelta", ST_OPTIMIZER_ADADELTA, 1, 0, 0.95, false, false, 1e-5},
};

/* What may come before the step. */
typedef struct extras {
    double scale, clip, l1, l2, decay;
} extras;
static const extras none = {1, INFINITY, 0, 0, 0};

#define BETA_1 0.9

/* What the formulas need besides: the rate of step t, and Nadam's factors (Keras' u_t = beta_1 (1 - 0.5 * 0.96^t)). */
typedef struct corrections {
    double rate, c[3];
} corrections;

static corrections corrections_at(const optimizer_case *o, int step) {
    corrections k = {.rate = o->rate};
    double product = 1;
    for (int t = 1; t <= step; t++)
        product *= BETA_1 * (1 - 0.5 * pow(0.96, t));
    const double u = BETA_1 * (1 - 0.5 * pow(0.96, step)), next = BETA_1 * (1 - 0.5 * pow(0.96, step + 1));
    if (o->kind == ST_OPTIMIZER_ADAM || o->kind == ST_OPTIMIZER_ADAMW)
        k.rate = o->rate * sqrt(1 - pow(o->rho, step)) / (1 - pow(BETA_1, step));
    k.c[0] = o->rate * next / (1 - product * next);
    k.c[1] = o->rate * (1 - u) / (1 - product);
    k.c[2] = 1 - pow(o->rho, step);
    return k;
}

/* One value by hand, in double. */
typedef struct hand {
    double w, m, v, u;
} hand;

static void step_by_hand(hand *h, const optimizer_case *o, const extras *x, const corrections *k, double sum) {
    const double s = k->rate;
    double g = fmin(fmax(x->scale * sum, -x->clip), x->clip);
    g += x->l1 * (h->w > 0 ? 1 : h->w < 0 ? -1 : 0) + 2 * x->l2 * h->w;
    h->w -= x->decay * h->w;
    double e;
    switch (o->kind) {
    case ST_OPTIMIZER_SGD:
        h->m = o->momentum * h->m - s * g;
        h->w += o->nesterov && o->momentum > 0 ? o->momentum * h->m - s * g : h->m;
        break;
    case ST_OPTIMIZER_ADAM:
    case ST_OPTIMIZER_ADAMW:
    case ST_OPTIMIZER_NADAM:
        h->m += (1 - BETA_1) * (g - h->m);
        h->v += (1 - o->rho) * (g * g - h->v);
        h->w -= o->kind == ST_OPTIMIZER_NADAM ? (k->c[0] * h->m + k->c[1] * g) / (sqrt(h->v / k->c[2]) + o->epsilon)
                                              : s * h->m / (sqrt(h->v) + o->epsilon);
        break;
    case ST_OPTIMIZER_RMSPROP:
        h->v = o->rho * h->v + (1 - o->rho) * g * g;
        h->u = o->rho * h->u + (1 - o->rho) * g;
        e = s * g / sqrt((o->centered ? h->v - h->u * h->u : h->v) + o->epsilon);
        h->m = o->momentum * h->m + e;
        h->w -= h->m;
        break;
    case ST_OPTIMIZER_ADAGRAD:
        h->v += g * g;
        h->w -= s * g / sqrt(h->v + o->epsilon);
        break;
    case ST_OPTIMIZER_ADADELTA:
        h->v = o->rho * h->v + (1 - o->rho) * g * g;
        e = sqrt(h->m + o->epsilon) / sqrt(h->v + o->epsilon) * g;
        h->m = o->rho * h->m + (1 - o->rho) * e * e;
        h->w -= s * e;
        break;
    }
}

/* ---- the pass ---- */

typedef struct update_test {
    float value[N_VALUES], m[N_VALUES], v[N_VALUES], u[N_VALUES], part[N_REPLICAS][N_VALUES];
    float *gradient[N_REPLICAS];
    hand want[N_VALUES];
} update_test;

/* Weights under l1 begin far from zero, whose other side a rounding could take them to. */
static update_test *update_test_new(const extras *x) {
    update_test *t = st_alloc(1, sizeof *t);
    assert_non_null(t);
    fill(t->value, N_VALUES, 7);
    for (int i = 0; x->l1 > 0 && i < N_VALUES; i++)
        t->value[i] += i % 2 ? 4.0f : -4.0f;
    for (int i = 0; i < N_VALUES; i++)
        t->want[i].w = (double)t->value[i];
    for (int r = 0; r < N_REPLICAS; r++)
        t->gradient[r] = t->part[r];
    return t;
}

static st_update update_of(update_test *t, const optimizer_case *o, const extras *x, const corrections *k,
                           int n_parts) {
    return (st_update){.kind = o->kind,
                       .n_gradients = n_parts,
                       .gradient = t->gradient,
                       .value = t->value,
                       .m = t->m,
                       .v = t->v,
                       .u = t->u,
                       .learning_rate = (float)k->rate,
                       .beta_1 = (float)BETA_1,
                       .beta_2 = (float)o->rho,
                       .epsilon = (float)o->epsilon,
                       .momentum = (float)o->momentum,
                       .nesterov = o->nesterov,
                       .centered = o->centered,
                       .c_1 = (float)k->c[0],
                       .c_2 = (float)k->c[1],
                       .c_3 = (float)k->c[2],
                       .gradient_scale = (float)x->scale,
                       .clip_value = (float)x->clip,
                       .l1 = (float)x->l1,
                       .l2 = (float)x->l2,
                       .decay = (float)x->decay};
}

/* Runs the steps, in slices that end at the given places; by hand too if asked for. */
static update_test *run(const st_engine *engine, const optimizer_case *o, const extras *x, int n_parts,
                        const size_t *ends, size_t n_ends, bool by_hand) {
    update_test *t = update_test_new(x);
    for (int step = 1; step <= N_STEPS; step++) {
        const corrections k = corrections_at(o, step);
        for (int r = 0; r < N_REPLICAS; r++)
            fill(t->part[r], N_VALUES, (uint32_t)(100 + step * N_REPLICAS + r));
        for (int i = 0; by_hand && i < N_VALUES; i++) {
            double g = 0;
            for (int r = 0; r < n_parts; r++)
                g += (double)t->part[r][i];
            step_by_hand(&t->want[i], o, x, &k, g);
        }
        st_update u = update_of(t, o, x, &k, n_parts);
        engine->plan_update(&u);
        for (size_t s = 0, begin = 0; s < n_ends; begin = ends[s++])
            u.run(&u, begin, ends[s]);
    }
    return t;
}

static void check_by_hand(const extras *x, const char *with) {
    static const size_t ends[] = {700, 701, N_VALUES};
    for (size_t e = 0; e < COUNT(engines); e++)
        for (size_t k = 0; k < COUNT(cases); k++)
            for (int n_parts = 1; n_parts <= N_REPLICAS; n_parts++) {
                update_test *t = run(engines[e], &cases[k], x, n_parts, ends, COUNT(ends), true);
                for (int i = 0; i < N_VALUES; i++) {
                    /* Values of size 2 rounded 20 times by 2^-24, factors as 0.9 rounded to float on moves of size 2,
                       and 1 - 0.999f, off by 4.7e-5 of itself, on steps of 1e-3: 1e-6 to 2e-6 in all. */
                    if (fabs((double)t->value[i] - t->want[i].w) <= 4e-6 * fmax(1, fabs(t->want[i].w) / 2)) continue;
                    fail_msg("%s, %s, %s: value %d is %.9g, not %.9g", engines[e]->name, cases[k].title, with, i,
                             (double)t->value[i], t->want[i].w);
                }
                st_free(t);
            }
}

static void test_formulas(void **state) {
    use_instructions(state);
    check_by_hand(&none, "plain");
}

/* Each of what may come before the step alone, and all together: in amounts that do not cancel a gradient to all but
   rounding, which steps divided by its size would enlarge. Clipping is at a value that no gradient has, or a
   rounding could fall on the other side. */
static void test_extras(void **state) {
    use_instructions(state);
    check_by_hand(&(extras){0.25, INFINITY, 0, 0, 0}, "scaled");
    check_by_hand(&(extras){1, 0.6, 0, 0, 0}, "clipped");
    check_by_hand(&(extras){1, INFINITY, 0.01, 0, 0}, "l1");
    check_by_hand(&(extras){1, INFINITY, 0, 0.02, 0}, "l2");
    check_by_hand(&(extras){1, INFINITY, 0, 0, 0.003}, "decay");
    check_by_hand(&(extras){0.5, 0.4, 0.0131, 0.0173, 0.003}, "all");
}

/* Threads share the pass by slices: none of its bits may tell where they end. */
static void test_slices(void **state) {
    use_instructions(state);
    static const size_t whole[] = {N_VALUES}, odd[] = {1, 2, 5, 37, 64, 511, 512, 513, 1027, 1499, N_VALUES};
    static const extras all = {0.5, 0.4, 0.01, 0.02, 0.003};
    for (size_t k = 0; k < COUNT(cases); k++)
        for (int with = 0; with <= 1; with++) {
            const extras *x = with ? &all : &none;
            update_test *a = run(&st_engine_cpu, &cases[k], x, 3, whole, COUNT(whole), false);
            update_test *b = run(&st_engine_cpu, &cases[k], x, 3, odd, COUNT(odd), false);
            if (memcmp(a->value, b->value, sizeof a->value) != 0) fail_msg("%s: slices show", cases[k].title);
            assert_memory_equal(a->m, b->m, sizeof a->m);
            assert_memory_equal(a->v, b->v, sizeof a->v);
            assert_memory_equal(a->u, b->u, sizeof a->u);
            st_free(a);
            st_free(b);
        }
}

/* A gradient that is not a number must show, clipped or not. */
static void test_nan_shows(void **state) {
    use_instructions(state);
    for (size_t e = 0; e < COUNT(engines); e++)
        for (size_t k = 0; k < COUNT(cases); k++) {
            static const extras clipped = {1, 0.5, 0, 0, 0};
            update_test *t = update_test_new(&clipped);
            const corrections c = corrections_at(&cases[k], 1);
            st_update u = update_of(t, &cases[k], &clipped, &c, 1);
            t->part[0][33] = NAN;
            engines[e]->plan_update(&u);
            u.run(&u, 0, N_VALUES);
            for (int i = 0; i < N_VALUES; i++)
                assert_true(isnan(t->value[i]) == (i == 33));
            st_free(t);
        }
}

/* ---- PyTorch ---- */

/* torch.optim, version 1.13, in double: w = (1, -2, 0.5), 20 steps with gradients ((7 s + 5 i) mod 11 - 5) / 8. Where
   its epsilon stands elsewhere than Keras' (outside of adagrad's and rmsprop's root, behind adam's correction) it is
   made too small to matter. SGD and RMSprop agree while the rate does not change: PyTorch multiplies by it last. The
   Nadam there has mu_product * mu * mu_next where Dozat, and Keras, have mu_product * mu_next: its factors are used.
     SGD(lr=.01, momentum=.9), also nesterov=True; Adam, NAdam(lr=.01), AdamW(lr=.01, weight_decay=.1);
     RMSprop(lr=.01, alpha=.9), also centered=True, also momentum=.5; Adagrad(lr=.1, initial_accumulator_value=.1);
     Adadelta(lr=1, rho=.95, eps=1e-6) */
typedef struct torch_case {
    optimizer_case o;
    double decay, start; /* start: of v */
    double want[3];
} torch_case;

static const torch_case torch_cases[] = {
    {{"sgd", ST_OPTIMIZER_SGD, 0.01, 0.9, 0, false, false, 0}, 0, 0, {0.95101234963, -1.96337756619, 0.512633008785}},
    {{"nesterov", ST_OPTIMIZER_SGD, 0.01, 0.9, 0, true, false, 0},
     0,
     0,
     {0.948411114667, -1.96203980957, 0.515119707906}},
    {{"adam", ST_OPTIMIZER_ADAM, 0.01, 0, 0.999, false, false, 1e-20},
     0,
     0,
     {0.964938897754, -1.97282201997, 0.497445029891}},
    {{"adamw", ST_OPTIMIZER_ADAMW, 0.01, 0, 0.999, false, false, 1e-20},
     0.001,
     0,
     {0.945632262926, -1.93361660336, 0.487642855663}},
    {{"nadam", ST_OPTIMIZER_NADAM, 0.01, 0, 0.999, false, false, 1e-20},
     0,
     0,
     {0.980693072813, -1.98583446476, 0.501961286132}},
    {{"rmsprop", ST_OPTIMIZER_RMSPROP, 0.01, 0, 0.9, false, false, 1e-20},
     0,
     0,
     {0.962576261178, -1.96900235591, 0.49723421635}},
    {{"rmsprop, centred", ST_OPTIMIZER_RMSPROP, 0.01, 0, 0.9, false, true, 1e-20},
     0,
     0,
     {0.95873517102, -1.96561869754, 0.496798310239}},
    {{"rmsprop, momentum", ST_OPTIMIZER_RMSPROP, 0.01, 0.5, 0.9, false, false, 1e-20},
     0,
     0,
     {0.929870409309, -1.94342711917, 0.492704634759}},
    {{"adagrad", ST_OPTIMIZER_ADAGRAD, 0.1, 0, 0, false, false, 1e-20},
     0,
     0.1,
     {0.910028778568, -1.92173423358, 0.527917644177}},
    {{"adadelta", ST_OPTIMIZER_ADADELTA, 1, 0, 0.95, false, false, 1e-6},
     0,
     0,
     {0.99159295444, -1.99565857628, 0.50261575556}},
};

/* NAdam's mu_t = beta_1 (1 - 0.5 * 0.96^(0.004 t)). */
static void torch_nadam(corrections *k, double rate, int step) {
    double product = 1, mu = 0;
    for (int t = 1; t <= step; t++) {
        mu = BETA_1 * (1 - 0.5 * pow(0.96, 0.004 * t));
        product *= mu;
    }
    const double next = BETA_1 * (1 - 0.5 * pow(0.96, 0.004 * (step + 1)));
    k->c[0] = rate * next / (1 - product * mu * next);
    k->c[1] = rate * (1 - mu) / (1 - product);
}

static void test_torch(void **state) {
    use_instructions(state);
    for (size_t e = 0; e < COUNT(engines); e++)
        for (size_t n = 0; n < COUNT(torch_cases); n++) {
            const torch_case *c = &torch_cases[n];
            const extras x = {1, INFINITY, 0, 0, c->decay};
            update_test *t = update_test_new(&x);
            const float start[3] = {1, -2, 0.5f};
            memcpy(t->value, start, sizeof start);
            for (int i = 0; i < 3; i++)
                t->v[i] = (float)c->start;
            for (int step = 1; step <= N_STEPS; step++) {
                corrections k = corrections_at(&c->o, step);
                if (c->o.kind == ST_OPTIMIZER_NADAM) torch_nadam(&k, c->o.rate, step);
                for (int i = 0; i < 3; i++)
                    t->part[0][i] = (float)((step * 7 + i * 5) % 11 - 5) / 8.0f;
                st_update u = update_of(t, &c->o, &x, &k, 1);
                engines[e]->plan_update(&u);
                u.run(&u, 0, 3);
            }
            for (int i = 0; i < 3; i++)
                if (!(fabs((double)t->value[i] - c->want[i]) <= 5e-6))
                    fail_msg("%s, %s: value %d is %.9g, not %.9g", engines[e]->name, c->o.title, i, (double)t->value[i],
                             c->want[i]);
            st_free(t);
        }
}

#define ON(test, set)                                                                                                  \
    { #test " (" set ")", test, NULL, NULL, (void *)(uintptr_t)set }
#define ON_ALL(test) ON(test, "generic"), ON(test, "avx2"), ON(test, "avx512")

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(test_formulas), ON_ALL(test_extras), ON_ALL(test_slices), ON_ALL(test_nan_shows), ON_ALL(test_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
