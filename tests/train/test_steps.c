/* The training step: it lowers the loss, the same way on every engine and with any number of threads, without a single
   allocation. */
#include "train/train_check.h"

/* ---- allocations, other libraries' as well: malloc of this program is the one that all of it calls ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTS_MALLOC 0
static uint64_t n_mallocs;
#else
#define COUNTS_MALLOC 1
static _Atomic uint64_t n_mallocs;
#define ENTRY __attribute__((visibility("default")))
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

ENTRY void *malloc(size_t bytes) {
    n_mallocs++;
    return __libc_malloc(bytes);
}
ENTRY void *calloc(size_t n, size_t size) {
    n_mallocs++;
    return __libc_calloc(n, size);
}
ENTRY void *realloc(void *block, size_t bytes) {
    n_mallocs++;
    return __libc_realloc(block, bytes);
}
ENTRY void *memalign(size_t alignment, size_t bytes);
ENTRY void *memalign(size_t alignment, size_t bytes) {
    n_mallocs++;
    return __libc_memalign(alignment, bytes);
}
ENTRY void *aligned_alloc(size_t alignment, size_t bytes) {
    return memalign(alignment, bytes);
}
ENTRY int posix_memalign(void **out, size_t alignment, size_t bytes) {
    *out = memalign(alignment, bytes);
    return *out ? 0 : 12; /* ENOMEM */
}
#endif

/* Both counts over two epochs and a half of steps, the last batch of each epoch partial. */
static void count_allocations(uint64_t *ours, uint64_t *all, const char *yaml, const char *optimizer, int threads) {
    const char *const overrides[] = {optimizer};
    st_setup setup = set_up(yaml, 1, overrides, 100, (st_trainer_config){.threads = threads});
    take_steps(setup.trainer, 3); /* whatever is done once is done */
    const uint64_t ours_before = st_alloc_count(), all_before = n_mallocs;
    int64_t n = 1, steps = 0;
    for (st_train_state *state = st_trainer_state(setup.trainer); steps < 17;) {
        if (st_trainer_step(setup.trainer, &n, NULL) != STRAIT_OK) break;
        steps += n > 0;
        if (n > 0) continue;
        state->epoch++;
        state->batch = 0;
        st_trainer_start(setup.trainer);
    }
    *ours = st_alloc_count() - ours_before;
    *all = n_mallocs - all_before;
    assert_int_equal(steps, 17);
    tear_down(&setup);
}

static const char adam[] = "train.optimizer={adam: {learning_rate: 0.01}}";
static const char momentum[] = "train.optimizer={sgd: {learning_rate: 0.5, momentum: 0.9, nesterov: true}}";

static void test_step_allocates_nothing(void **state) {
    (void)state;
    uint64_t ours, all;
    for (int threads = 1; threads <= 2; threads++) {
        count_allocations(&ours, &all, dense_yaml, adam, threads);
        assert_int_equal(ours, 0);
        if (COUNTS_MALLOC) assert_int_equal(all, 0);
        count_allocations(&ours, &all, dense_yaml, momentum, threads);
        assert_int_equal(ours, 0);
        if (COUNTS_MALLOC) assert_int_equal(all, 0);
        count_allocations(&ours, &all, convolution_yaml, adam, threads);
        assert_int_equal(ours, 0);
        if (COUNTS_MALLOC) assert_int_equal(all, 0);
    }
}

static void test_counting_works(void **state) {
    (void)state;
    const uint64_t before = n_mallocs, ours = st_alloc_count();
    st_free(st_alloc(1, 1));
    assert_int_equal(st_alloc_count() - ours, 1);
    if (COUNTS_MALLOC) assert_int_equal(n_mallocs - before, 1);
}

/* ---- losses ---- */

static double loss_after(const char *yaml, const char *optimizer, st_trainer_config config, int steps) {
    const char *const overrides[] = {optimizer};
    st_setup setup = set_up(yaml, 1, overrides, 100, config);
    const double loss = take_steps(setup.trainer, steps);
    tear_down(&setup);
    return loss;
}

static void test_loss_falls(void **state) {
    (void)state;
    static const char *const optimizers[] = {adam, momentum, "train.optimizer={sgd: {learning_rate: 1}}"};
    for (size_t i = 0; i < 3; i++) {
        /* Of a whole epoch (7 steps) each: the first, the 40th. */
        const double first = loss_after(dense_yaml, optimizers[i], (st_trainer_config){0}, 7);
        const double last = loss_after(dense_yaml, optimizers[i], (st_trainer_config){0}, 280);
        if (!(last < 0.7 * first)) fail_msg("%s: from %g to %g", optimizers[i], first, last);
    }
    const double first = loss_after(convolution_yaml, adam, (st_trainer_config){0}, 7);
    const double last = loss_after(convolution_yaml, adam, (st_trainer_config){0}, 280);
    assert_true(last < 0.5 * first);
}

static void assert_near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fabs(b))) fail_msg("%.9g is not within %g of %.9g", a, tolerance, b);
}

/* 200 steps: rounding apart, the engines walk the same way. */
static void test_engines_agree(void **state) {
    (void)state;
    static const char *const yaml[] = {dense_yaml, convolution_yaml};
    static const char *const optimizer[] = {adam, "train.optimizer={sgd: {learning_rate: 0.5}}", momentum};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 3; k++) {
            const double fast = loss_after(yaml[i], optimizer[k], (st_trainer_config){.engine = &st_engine_cpu}, 200);
            const double plain =
                loss_after(yaml[i], optimizer[k], (st_trainer_config){.engine = &st_engine_reference}, 200);
            assert_near(fast, plain, 1e-3);
        }
}

static void test_threads_agree(void **state) {
    (void)state;
    static const char *const yaml[] = {dense_yaml, convolution_yaml};
    for (size_t i = 0; i < 2; i++) {
        const double one = loss_after(yaml[i], adam, (st_trainer_config){.threads = 1}, 30);
        for (int threads = 2; threads <= 5; threads++)
            assert_near(loss_after(yaml[i], adam, (st_trainer_config){.threads = threads}, 30), one, 1e-4);
    }
}

/* Where the threads split the weights, they come to the same bits, whatever their number; penalty and decay included.
 */
static void test_threads_give_the_same_bits(void **state) {
    (void)state;
    static const char wide[] = "seed: 3\n"
                               "model:\n"
                               "  input: [16]\n"
                               "  encoder: [{dense: {units: 40, activation: relu}}, {dense: {units: 4}}]\n"
                               "  decoder: [{dense: {units: 40, activation: relu}}, {dense: {units: 16}}]\n"
                               "train: {batch_size: 8, penalty: {weights: {l2: 1e-4}}, weight_decay: 1e-4}\n";
    const char *const overrides[] = {adam};
    float *first = NULL;
    for (int threads = 1; threads <= 5; threads++) {
        st_setup setup = set_up(wide, 1, overrides, 60, (st_trainer_config){.threads = threads});
        st_runner *runner = st_trainer_runner(setup.trainer);
        const size_t n = st_runner_block_size(runner);
        assert_int_equal(st_runner_by_columns(runner), threads > 1);
        take_steps(setup.trainer, 7);
        if (!first) {
            first = st_alloc(n, sizeof *first);
            memcpy(first, st_runner_parameters(runner), n * sizeof *first);
        }
        assert_memory_equal(st_runner_parameters(runner), first, n * sizeof *first);
        tear_down(&setup);
    }
    st_free(first);
}

/* Plain gradient descent on 1 - 1 - 1 without bias, worked by hand: x = 1, y = a b x, loss (y - x)^2;
   a = 0.5, b = 0.5: y = 0.25, loss 0.5625, dloss/da = 2 (y - x) b = -0.75, the same for b; rate 0.1: a = b = 0.575. */
static void test_step_by_hand(void **state) {
    (void)state;
    static const char yaml[] = "model:\n"
                               "  input: [1]\n"
                               "  encoder: [{dense: {units: 1, bias: false}}]\n"
                               "  decoder: [{dense: {units: 1, bias: false}}]\n"
                               "train: {batch_size: 2, optimizer: {sgd: {learning_rate: 0.1}}}\n";
    const float ones[2] = {1, 1};
    strait_data *data = NULL;
    ASSERT_OK(strait_data_from_rows(&data, ones, 2, 1, &(int64_t){1}, &test_error));
    for (int threads = 1; threads <= 2; threads++) {
        st_setup setup = set_up(yaml, 0, NULL, 2, (st_trainer_config){.data = data, .threads = threads});
        setup.model->values[0] = setup.model->values[1] = 0.5f;
        put_values(setup.trainer, setup.model);
        assert_near(take_steps(setup.trainer, 1), 0.5625, 1e-6);
        ASSERT_OK(st_trainer_store(setup.trainer, &test_error));
        assert_near((double)setup.model->values[0], 0.575, 1e-6);
        assert_near((double)setup.model->values[1], 0.575, 1e-6);
        tear_down(&setup);
    }
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counting_works), cmocka_unit_test(test_step_allocates_nothing),
        cmocka_unit_test(test_loss_falls),     cmocka_unit_test(test_engines_agree),
        cmocka_unit_test(test_threads_agree),  cmocka_unit_test(test_threads_give_the_same_bits),
        cmocka_unit_test(test_step_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
