/* Learning rates: against the schedulers of PyTorch 1.13 (torch.optim.lr_scheduler, its printed values quoted) where it
   has them, else against the formula. */
#include "train/schedule.h"
#include "train/train_check.h"

/* 12 steps: 3 epochs of 4. */
enum { N = 12, PER_EPOCH = 4, EPOCHS = 3 };

static void assert_rates(const st_schedule *schedule, const double wanted[N]) {
    for (int i = 0; i < N; i++) {
        const double rate = st_schedule_rate(schedule, 0.5, i, PER_EPOCH, EPOCHS);
        if (!(fabs(rate - wanted[i]) <= 1e-9)) fail_msg("step %d: %.10g, not %.10g", i, rate, wanted[i]);
    }
}

static void test_constant(void **state) {
    (void)state;
    double wanted[N];
    for (int i = 0; i < N; i++)
        wanted[i] = 0.5;
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_CONSTANT}, wanted);
}

/* StepLR(step_size=8, gamma=0.1) */
static void test_step(void **state) {
    (void)state;
    static const double wanted[N] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.05};
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_STEP, .every = 2, .factor = 0.1}, wanted);
}

/* ExponentialLR(gamma=0.9**0.25): each step */
static void test_exponential(void **state) {
    (void)state;
    static const double wanted[N] = {0.5,          0.4870018732, 0.474341649, 0.4620105432, 0.45,         0.4383016859,
                                     0.4269074841, 0.4158094889, 0.405,       0.3944715173, 0.3842167357, 0.37422854};
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_EXPONENTIAL, .factor = 0.9}, wanted);
}

/* CosineAnnealingLR(T_max=12, eta_min=0.05) */
static void test_cosine(void **state) {
    (void)state;
    static const double wanted[N] = {0.5,   0.4923333109, 0.4698557159, 0.4340990258, 0.3875,        0.3332342851,
                                     0.275, 0.2167657149, 0.1625,       0.1159009742, 0.08014428415, 0.05766668908};
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_COSINE, .final = 0.1}, wanted);
}

/* OneCycleLR(max_lr=0.5, total_steps=12, pct_start=0.3, div_factor=25, final_div_factor=1e4), and pct_start=0.05,
   div_factor=10, final_div_factor=100, where the top lies before the first step */
static void test_one_cycle(void **state) {
    (void)state;
    static const double wanted[N] = {0.02,         0.1748948271,  0.4396425796,  0.4972077177,
                                     0.4665064849, 0.405872827,   0.3236894988,  0.2313185513,
                                     0.1415304991, 0.06673876509, 0.01728349371, 2e-06};
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_ONE_CYCLE, .start = 25, .rise = 0.3, .final = 1e4}, wanted);
    static const double early[N] = {0.4984841867,  0.4816418933,  0.4473378422,   0.3981607544,
                                    0.3378217294,  0.2708741915,  0.2023702697,   0.1374795438,
                                    0.08109892749, 0.03748312764, 0.009923566923, 0.0005};
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_ONE_CYCLE, .start = 10, .rise = 0.05, .final = 100}, early);
}

/* 6 of 12 steps: rate (step + 1) / 6, then as it would be; a cosine has the 6 that are left. */
static void test_warmup(void **state) {
    (void)state;
    double wanted[N];
    for (int i = 0; i < N; i++)
        wanted[i] = i < 6 ? 0.5 * (i + 1) / 6 : 0.5;
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_CONSTANT, .warmup = 1.5}, wanted);
    for (int i = 6; i < N; i++)
        wanted[i] = 0.5 * 0.5 * (1 + cos(M_PI * (i - 6) / 6));
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_COSINE, .warmup = 1.5}, wanted);
    for (int i = 0; i < N; i++)
        wanted[i] = 0.5 * pow(0.5, i / 4) * (i < 6 ? (i + 1) / 6.0 : 1);
    assert_rates(&(st_schedule){.kind = ST_SCHEDULE_STEP, .every = 1, .factor = 0.5, .warmup = 1.5}, wanted);
}

/* The ends of what a recipe can say: a finite rate, never below 0, and steps past the last have the last one's. */
static void test_edges(void **state) {
    (void)state;
    static const st_schedule schedules[] = {
        {.kind = ST_SCHEDULE_ONE_CYCLE, .start = 1, .rise = 1e-12, .final = 1},
        {.kind = ST_SCHEDULE_ONE_CYCLE, .start = 25, .rise = 0.999999, .final = 1e9},
        {.kind = ST_SCHEDULE_COSINE, .warmup = 1},
        {.kind = ST_SCHEDULE_COSINE, .warmup = 1000},
        {.kind = ST_SCHEDULE_STEP, .every = 1e-3, .factor = 0.1},
        {.kind = ST_SCHEDULE_EXPONENTIAL, .factor = 1e-30},
    };
    for (size_t k = 0; k < sizeof schedules / sizeof *schedules; k++)
        for (int per_epoch = 1; per_epoch <= 10; per_epoch += 9)
            for (int epochs = 1; epochs <= 2; epochs++) {
                const int steps = per_epoch * epochs;
                double rate = 0;
                for (int i = 0; i < steps; i++) {
                    rate = st_schedule_rate(&schedules[k], 0.1, i, per_epoch, epochs);
                    if (!(rate >= 0 && rate <= 0.1 + 1e-15)) fail_msg("schedule %zu, step %d: %g", k, i, rate);
                }
                assert_true(rate == st_schedule_rate(&schedules[k], 0.1, steps + 7, per_epoch, epochs));
            }
}

/* What the history tells is the rate of an epoch's last step, and the step is taken with it: plain descent on a loss
   whose gradient is known moves by as much. */
static void test_in_training(void **state) {
    (void)state;
    static const char *const set[] = {"train.optimizer={sgd: {learning_rate: 0.5}}",
                                      "train.schedule={step: {every: 1, factor: 0.1}, warmup: 1}", "train.epochs=3",
                                      "train.batch_size=25"};
    st_setup setup = set_up(dense_yaml, 4, set, 100, (st_trainer_config){0});
    ASSERT_OK(st_trainer_run(setup.trainer, &test_error));
    int n;
    const st_epoch *epochs = st_trainer_epochs(setup.trainer, &n);
    assert_int_equal(n, 3);
    assert_true(fabs(epochs[0].learning_rate - 0.5) < 1e-12);
    assert_true(fabs(epochs[1].learning_rate - 0.05) < 1e-12);
    assert_true(fabs(epochs[2].learning_rate - 0.005) < 1e-12);
    assert_true(st_trainer_stepper(setup.trainer)->update.learning_rate == 0.005f);
    tear_down(&setup);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant), cmocka_unit_test(test_step),        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_cosine),   cmocka_unit_test(test_one_cycle),   cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_edges),    cmocka_unit_test(test_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
