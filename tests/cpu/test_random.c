/* Ops that draw random numbers, on both engines: the divergence of the latent and its gradient against the closed form,
   which numbers are drawn, their statistics, and that they belong to the sample and not to its place in a batch. */
#include "base/rng.h"
#include "cpu/harness.h"

static const st_engine *const engines[] = {&st_engine_cpu, &st_engine_reference};

/* ---- the latent ---- */

/* Two samples of a latent of 4, the second one standard normal. PyTorch 1.13 in double, of the first:
   kl_divergence(Normal(mean, exp(lv / 2)), Normal(0, 1)).sum() and its gradients. */
static const float mean[8] = {1, -2, 0.5f, 0}, lv[8] = {0.5f, -1, 0, 1.5f};
#define KL 3.8741448911
static const double kl_by_mean[4] = {1, -2, 0.5, 0};
static const double kl_by_lv[4] = {0.3243606354, -0.3160602794, 0, 1.740844535};

static op_case latent_case(st_mode mode, bool kl_mean) {
    return (op_case){
        .kind = ST_OP_SAMPLE, .batch = 2, .in = {.n_dims = 1, .dim = {4}}, .beta = 3, .kl_mean = kl_mean, .mode = mode};
}

static void test_divergence(void **state) {
    (void)state;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (int kl_mean = 0; kl_mean <= 1; kl_mean++) {
            const op_case c = latent_case(ST_MODE_TRAIN, kl_mean);
            const double share = kl_mean ? 0.25 : 1, weight = 3 * 0.75 * share; /* the step's beta_scale is 0.75 */
            const float no_dz[8] = {0};
            op_bench bench;
            bench_open(&bench, &c, engines[e], false);
            memcpy(bench.src2, lv, sizeof lv);
            bench_forward(&bench, mean);
            assert_true(fabs(bench.step.kl - KL * share) < 1e-6);
            assert_true(fabs(bench.step.extra - KL * weight) < 1e-6);
            bench_backward(&bench, no_dz, false);
            for (int i = 0; i < 8; i++) { /* the loss is a mean over the two samples */
                const double by_mean = i < 4 ? kl_by_mean[i] * weight / 2 : 0;
                const double by_lv = i < 4 ? kl_by_lv[i] * weight / 2 : 0;
                assert_true(fabs((double)bench.dsrc[i] - by_mean) < 1e-6);
                assert_true(fabs((double)bench.dsrc2[i] - by_lv) < 1e-6);
            }
            bench_close(&bench);
        }
}

/* z = mean + exp(lv / 2) e with e from the op's positions of each sample's stream, when training or validating; the
   mean, and no divergence, to apply. dz goes to the mean as it is, and to lv times exp(lv / 2) e / 2. */
static void test_latent(void **state) {
    (void)state;
    for (size_t e = 0; e < COUNT(engines); e++)
        for (int mode = ST_MODE_APPLY; mode <= ST_MODE_TRAIN; mode++) {
            const op_case c = latent_case((st_mode)mode, false);
            op_bench bench;
            bench_open(&bench, &c, engines[e], false);
            memcpy(bench.src2, lv, sizeof lv);
            bench_forward(&bench, mean);
            for (int i = 0; i < 8; i++) {
                const st_rng rng = {.seed = bench.step.seed,
                                    .purpose = ST_RNG_LATENT,
                                    .epoch = bench.step.epoch,
                                    .sample = bench.sample[i / 4]};
                float noise[4];
                st_rng_normal(&rng, (uint32_t)bench.op->random, noise, 4);
                const double scaled = exp((double)lv[i] / 2) * (double)noise[i % 4];
                const double z = (double)mean[i] + (mode == ST_MODE_APPLY ? 0 : scaled);
                assert_true(fabs((double)bench.dst[i] - z) < 1e-6);
            }
            assert_true((bench.step.kl == 0) == (mode == ST_MODE_APPLY));
            assert_true((bench.step.extra == 0) == (mode == ST_MODE_APPLY));
            bench_close(&bench);
        }
}

/* ---- the numbers belong to the sample ---- */

#define N_SAMPLES 6
#define LENGTH 70

/* Runs the samples [first, first + n) as a batch of their own; its results go to where they stand in the whole. */
static void run_part(op_case c, int first, int n, float *y, float *dx) {
    c.batch = n;
    op_bench bench;
    bench_open(&bench, &c, &st_engine_cpu, false);
    for (int i = 0; i < n; i++)
        bench.sample[i] = (uint32_t)(50 - first - i);
    bench.step.n_batch = N_SAMPLES;
    float *x = new_filled(N_SAMPLES * LENGTH, 1), *x2 = new_filled(N_SAMPLES * LENGTH, 2);
    const size_t at = (size_t)first * LENGTH, bytes = (size_t)n * LENGTH * sizeof *y;
    if (bench.src2) memcpy(bench.src2, x2 + at, bytes);
    bench_forward(&bench, x + at);
    bench_backward(&bench, x2 + at, false);
    memcpy(y + at, bench.dst, bytes);
    memcpy(dx + at, bench.dsrc2 ? bench.dsrc2 : bench.dsrc, bytes);
    st_free(x);
    st_free(x2);
    bench_close(&bench);
}

static void test_any_split(void **state) {
    use_instructions(state);
    static const st_op_kind kinds[] = {ST_OP_DROPOUT, ST_OP_GAUSSIAN_NOISE, ST_OP_SAMPLE};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        const op_case c = {.kind = kinds[k],
                           .in = {.n_dims = 1, .dim = {LENGTH}},
                           .rate = 0.4,
                           .stddev = 0.5,
                           .beta = 1,
                           .mode = ST_MODE_TRAIN};
        float y[2][N_SAMPLES * LENGTH], dx[2][N_SAMPLES * LENGTH];
        run_part(c, 0, N_SAMPLES, y[0], dx[0]);
        for (int part = 1; part <= 4; part++) {
            for (int first = 0; first < N_SAMPLES; first += part)
                run_part(c, first, first + part <= N_SAMPLES ? part : N_SAMPLES - first, y[1], dx[1]);
            assert_memory_equal(y[0], y[1], sizeof y[0]);
            assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
        }
    }
}

/* ---- statistics ---- */

/* Of 40000 values at rate 0.3: the number dropped has a standard deviation of sqrt(40000 * 0.3 * 0.7) = 92; five of
   them. What stays is x / 0.7, and its gradient likewise. */
static void test_dropout_share(void **state) {
    use_instructions(state);
    enum { N = 10000 };
    for (size_t e = 0; e < COUNT(engines); e++) {
        const op_case c = {
            .kind = ST_OP_DROPOUT, .batch = 4, .in = {.n_dims = 1, .dim = {N}}, .rate = 0.3, .mode = ST_MODE_TRAIN};
        op_bench bench;
        bench_open(&bench, &c, engines[e], false);
        float *one = new_floats(bench.n_src);
        int dropped = 0;
        for (size_t i = 0; i < bench.n_src; i++)
            one[i] = 1;
        bench_forward(&bench, one);
        bench_backward(&bench, one, false);
        for (size_t i = 0; i < bench.n_src; i++) {
            dropped += bench.dst[i] == 0.0f;
            assert_true(bench.dst[i] == 0.0f || fabs((double)bench.dst[i] - 1 / 0.7) < 2e-7);
            assert_true(bench.dst[i] == bench.dsrc[i]);
        }
        if (abs(dropped - 12000) > 5 * 92) fail_msg("%d of 40000 dropped", dropped);
        st_free(one);
        bench_close(&bench);
    }
}

/* Of 40000 values N(0, 0.5^2): the mean has a standard deviation of 0.0025, the variance, 0.25, one of
   0.25 sqrt(2 / 40000) = 0.0018. */
static void test_noise_moments(void **state) {
    use_instructions(state);
    const op_case c = {.kind = ST_OP_GAUSSIAN_NOISE,
                       .batch = 4,
                       .in = {.n_dims = 1, .dim = {10000}},
                       .stddev = 0.5,
                       .mode = ST_MODE_TRAIN};
    op_bench bench;
    bench_open(&bench, &c, &st_engine_cpu, false);
    float *zero = new_floats(bench.n_src);
    double sum = 0, square = 0;
    bench_forward(&bench, zero);
    for (size_t i = 0; i < bench.n_src; i++) {
        sum += (double)bench.dst[i];
        square += (double)bench.dst[i] * (double)bench.dst[i];
    }
    const double n = (double)bench.n_src;
    if (fabs(sum / n) > 5 * 0.0025 || fabs(square / n - 0.25) > 5 * 0.0018)
        fail_msg("mean %g, square %g", sum / n, square / n);
    st_free(zero);
    bench_close(&bench);
}

#define ON(test, set)                                                                                                  \
    { #test " (" set ")", test, NULL, NULL, (void *)(uintptr_t)set }
#define ON_ALL(test) ON(test, "generic"), ON(test, "avx2"), ON(test, "avx512")

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_divergence), cmocka_unit_test(test_latent), ON_ALL(test_any_split),
        ON_ALL(test_dropout_share),        ON_ALL(test_noise_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
