/* The ops beside layers with weights: pools, upsampling, norms, noise, latents, cutting and joining. ENGINE, which the
   file that includes this one defines, against engine reference, and both against central differences, over shapes
   around the edges of vectors and windows. */
#ifndef TESTS_CPU_LAYER_CASES_H
#define TESTS_CPU_LAYER_CASES_H

#include "cpu/compare.h"

/* Channels around vectors of 4, 8 and 16 floats. */
static const int64_t channels[] = {1, 2, 3, 4, 7, 8, 9, 16, 17, 32, 33};

static void check(const op_case *c, bool differences) {
    compare_engines(c, ENGINE, false);
    if (differences) compare_with_differences(c, ENGINE);
}

static st_shape image(int64_t height, int64_t width, int64_t n) {
    return (st_shape){.n_dims = 3, .dim = {height, width, n}};
}

/* ---- pools ---- */

static void check_pools(st_op_kind kind) {
    static const int64_t sizes[][2] = {{1, 1}, {2, 2}, {3, 3}, {2, 3}, {4, 4}, {5, 1}, {17, 16}};
    static const int64_t strides[][2] = {{1, 1}, {2, 2}, {3, 3}, {1, 2}, {4, 5}};
    static const int64_t images[][2] = {{6, 6}, {7, 5}, {1, 1}, {3, 8}, {20, 18}};
    size_t turn = 0;
    for (size_t k = 0; k < COUNT(sizes); k++)
        for (size_t s = 0; s < COUNT(strides); s++)
            for (int padding = ST_SAME; padding <= ST_VALID; padding++)
                for (size_t i = 0; i < COUNT(images); i++, turn++) {
                    const int64_t *in = images[i];
                    if (padding == ST_VALID && (in[0] < sizes[k][0] || in[1] < sizes[k][1])) continue;
                    const op_case c = {.kind = kind,
                                       .batch = turn % 3 ? 2 : 1,
                                       .in = image(in[0], in[1], channels[turn % COUNT(channels)]),
                                       .kernel = {sizes[k][0], sizes[k][1]},
                                       .stride = {strides[s][0], strides[s][1]},
                                       .padding = (st_padding)padding,
                                       .mode = ST_MODE_TRAIN};
                    check(&c, turn % 6 == 0);
                }
}

static void test_max_pool(void **state) {
    use_instructions(state);
    check_pools(ST_OP_MAX_POOL2D);
}
static void test_average_pool(void **state) {
    use_instructions(state);
    check_pools(ST_OP_AVG_POOL2D);
}

/* All values alike: the gradient goes to the first of each window. And a NaN is not lost. */
static void test_max_pool_ties(void **state) {
    use_instructions(state);
    for (size_t k = 0; k < COUNT(channels); k++) {
        const op_case c = {.kind = ST_OP_MAX_POOL2D,
                           .batch = 1,
                           .in = image(4, 4, channels[k]),
                           .kernel = {2, 2},
                           .stride = {2, 2},
                           .mode = ST_MODE_TRAIN};
        op_bench bench;
        bench_open(&bench, &c, ENGINE, false);
        const size_t n = (size_t)channels[k];
        float *x = new_floats(bench.n_src), *dy = new_floats(bench.n_dst);
        for (size_t i = 0; i < bench.n_dst; i++)
            dy[i] = 1;
        bench_forward(&bench, x);
        bench_backward(&bench, dy, false);
        for (size_t i = 0; i < bench.n_src; i++) {
            const size_t pixel = i / n, first = pixel / 4 % 2 == 0 && pixel % 2 == 0;
            assert_true(bench.dsrc[i] == (float)first);
        }
        x[5 * n + n - 1] = NAN; /* the last value of the first window */
        bench_forward(&bench, x);
        assert_true(isnan(bench.dst[n - 1]) && !isnan(bench.dst[n]));
        st_free(x);
        st_free(dy);
        bench_close(&bench);
    }
}

/* ---- upsampling, cutting, joining ---- */

static void test_upsample(void **state) {
    use_instructions(state);
    static const int64_t factors[][2] = {{1, 1}, {2, 2}, {3, 3}, {1, 4}, {5, 2}};
    static const int64_t images[][2] = {{1, 1}, {2, 3}, {5, 4}};
    for (size_t k = 0; k < COUNT(channels); k++)
        for (size_t f = 0; f < COUNT(factors); f++)
            for (size_t i = 0; i < COUNT(images); i++)
                for (int bilinear = 0; bilinear <= 1; bilinear++) {
                    const op_case c = {.kind = ST_OP_UPSAMPLE2D,
                                       .batch = 2,
                                       .in = image(images[i][0], images[i][1], channels[k]),
                                       .factor = {factors[f][0], factors[f][1]},
                                       .bilinear = bilinear};
                    check(&c, (k + f + i) % 4 == 0);
                }
}

static void test_crop_and_pad(void **state) {
    use_instructions(state);
    static const int64_t edges[][4] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {0, 2, 0, 1}, {2, 1, 1, 3}, {0, 0, 3, 3}};
    for (size_t k = 0; k < COUNT(channels); k++)
        for (size_t e = 0; e < COUNT(edges); e++)
            for (int pad = 0; pad <= 1; pad++) {
                const op_case c = {.kind = pad ? ST_OP_ZERO_PAD2D : ST_OP_CROP2D,
                                   .batch = 3,
                                   .in = image(5, 7, channels[k]),
                                   .before = {edges[e][0], edges[e][1]},
                                   .after = {edges[e][2], edges[e][3]}};
                check(&c, k % 3 == 0);
            }
}

static void test_slice_concat_add(void **state) {
    use_instructions(state);
    const int64_t wide[] = {1, 3, 20, 50};
    for (size_t k = 0; k < COUNT(wide); k++)
        for (int rank = 1; rank <= 3; rank += 2) {
            const int64_t n = wide[k];
            op_case c = {.batch = 3, .in = rank == 1 ? (st_shape){.n_dims = 1, .dim = {n}} : image(2, 3, n)};
            c.kind = ST_OP_ADD;
            check(&c, true);
            c.kind = ST_OP_CONCAT;
            for (c.out = 1; c.out <= 19; c.out += 6)
                check(&c, true);
            c.kind = ST_OP_SLICE;
            for (int64_t begin = 0; begin < n; begin += 7) {
                c.before[0] = begin;
                c.after[0] = begin + (n - begin + 1) / 2;
                check(&c, true);
                c.after[0] = n;
                check(&c, false);
            }
        }
}

/* ---- norms ---- */

static void test_batch_norm(void **state) {
    use_instructions(state);
    for (size_t k = 0; k < COUNT(channels); k++)
        for (int64_t batch = 1; batch <= 13; batch += 4)
            for (int64_t missing = 0; missing < batch; missing += 2)
                for (int rank = 1; rank <= 3; rank += 2) {
                    op_case c = {.kind = ST_OP_BATCH_NORM,
                                 .batch = batch,
                                 .in = rank == 1 ? (st_shape){.n_dims = 1, .dim = {channels[k]}}
                                                 : image(3, 5, channels[k]),
                                 .epsilon = 1e-3,
                                 .mode = ST_MODE_TRAIN,
                                 .missing = missing};
                    if (rank == 1 && batch - missing < 4) c.epsilon = 0.1; /* of few values the deviation may be 0 */
                    check(&c, rank == 3 && batch < 10);
                    c.mode = ST_MODE_VALIDATE;
                    check(&c, false);
                    c.mode = ST_MODE_APPLY;
                    check(&c, false);
                }
}

/* Far from zero, where a variance as the difference of two means would be lost in float. */
static void test_batch_norm_far_from_zero(void **state) {
    use_instructions(state);
    const op_case c = {
        .kind = ST_OP_BATCH_NORM, .batch = 8, .in = image(4, 4, 3), .epsilon = 1e-6, .mode = ST_MODE_TRAIN};
    op_bench bench;
    bench_open(&bench, &c, ENGINE, false);
    const float gamma[3] = {1, 1, 1}, beta[3] = {0, 0, 0};
    bench_set(&bench, gamma, beta);
    float *x = new_filled(bench.n_src, 1);
    double sum = 0, square = 0;
    for (size_t i = 0; i < bench.n_src; i++)
        x[i] += 4096.0f; /* 1/64 is exact there */
    bench_forward(&bench, x);
    for (size_t i = 0; i < bench.n_dst; i++) {
        sum += (double)bench.dst[i];
        square += (double)bench.dst[i] * (double)bench.dst[i];
    }
    const double n = (double)bench.n_dst;
    if (fabs(sum / n) > 1e-3 || fabs(square / n - 1) > 1e-3) fail_msg("mean %g, variance %g", sum / n, square / n);
    st_free(x);
    bench_close(&bench);
}

static void test_layer_norm(void **state) {
    use_instructions(state);
    for (size_t k = 0; k < COUNT(channels); k++)
        for (int rank = 1; rank <= 3; rank += 2)
            for (int64_t missing = 0; missing <= 2; missing += 2) {
                const op_case c = {.kind = ST_OP_LAYER_NORM,
                                   .batch = 5,
                                   .in = rank == 1 ? (st_shape){.n_dims = 1, .dim = {channels[k]}}
                                                   : image(2, 3, channels[k]),
                                   .epsilon = channels[k] < 4 ? 0.1 : 1e-3,
                                   .missing = missing};
                check(&c, channels[k] >= 7);
            }
}

/* ---- noise and latents ---- */

/* Sizes around vectors and the chunks in which random numbers come. */
static const int64_t lengths[] = {1, 5, 64, 100, 1024, 2500};

static void check_modes(op_case *c) {
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (c->missing = 0; c->missing <= c->batch; c->missing += 2) {
            c->in = (st_shape){.n_dims = 1, .dim = {lengths[i]}};
            c->mode = ST_MODE_TRAIN;
            if (c->missing == c->batch && c->kind == ST_OP_BATCH_NORM) continue;
            check(c, i == 1 || i == 3);
            c->mode = ST_MODE_VALIDATE;
            check(c, false);
            c->mode = ST_MODE_APPLY;
            check(c, false);
        }
}

static void test_dropout(void **state) {
    use_instructions(state);
    for (int percent = 0; percent <= 90; percent += 45) {
        op_case c = {.kind = ST_OP_DROPOUT, .batch = 3, .rate = percent / 100.0};
        check_modes(&c);
    }
}
static void test_gaussian_noise(void **state) {
    use_instructions(state);
    op_case c = {.kind = ST_OP_GAUSSIAN_NOISE, .batch = 3, .stddev = 0.3};
    check_modes(&c);
}
static void test_sample(void **state) {
    use_instructions(state);
    for (int kl_mean = 0; kl_mean <= 1; kl_mean++) {
        op_case c = {.kind = ST_OP_SAMPLE, .batch = 3, .beta = 0.6, .kl_mean = kl_mean};
        check_modes(&c);
    }
}
static void test_penalty(void **state) {
    use_instructions(state);
    op_case c = {.kind = ST_OP_PENALTY, .batch = 3, .l1 = 0.2, .l2 = 0.05};
    check_modes(&c);
}

/* All of them, each as `on` makes a test of it. */
#define LAYER_TESTS(on)                                                                                                \
    on(test_max_pool), on(test_average_pool), on(test_max_pool_ties), on(test_upsample), on(test_crop_and_pad),        \
        on(test_slice_concat_add), on(test_batch_norm), on(test_batch_norm_far_from_zero), on(test_layer_norm),        \
        on(test_dropout), on(test_gaussian_noise), on(test_sample), on(test_penalty)

#endif
