#include <math.h>
#include "data/assemble.h"
#include "files.h"

enum { N = 1 << 18 };

/* The nearest float to a quotient: what float32 division gives, as x / 255 in other libraries. */
static void test_unit_scale_is_exact(void **state) {
    (void)state;
    uint8_t u8[256];
    uint16_t *u16 = st_alloc(65536, sizeof *u16);
    float *out = st_alloc(65536, sizeof *out);
    for (int i = 0; i < 65536; i++) {
        u16[i] = (uint16_t)i;
        u8[i % 256] = (uint8_t)i;
    }
    st_affine affine = st_affine_make(0, 1.0 / 255);
    st_affine_apply(out, u8, ST_U8, 256, &affine);
    for (int i = 0; i < 256; i++)
        assert_true(out[i] == (float)i / 255.0f);
    affine = st_affine_make(0, 1.0 / 65535);
    st_affine_apply(out, u16, ST_U16, 65536, &affine);
    for (int i = 0; i < 65536; i++)
        assert_true(out[i] == (float)i / 65535.0f);
    st_free(out);
    st_free(u16);
}

/* Against the formula in long double, for whole offsets and all kinds of factors. */
static void test_affine(void **state) {
    (void)state;
    uint8_t u8[256];
    float f32[256], out[256];
    for (int i = 0; i < 256; i++) {
        u8[i] = (uint8_t)i;
        f32[i] = (float)i * 1.37f - 50;
    }
    const double factors[] = {1, 1.0 / 255, 1.0 / 30, 0.1, 3.7e-9, 1e12, -1.0 / 3};
    for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        for (int offset = 0; offset < 256; offset += 17) {
            const st_affine affine = st_affine_make(offset, factors[k]);
            st_affine_apply(out, u8, ST_U8, 256, &affine);
            for (int i = 0; i < 256; i++)
                assert_true(out[i] == (float)((long double)(i - offset) * (long double)factors[k]));
            st_affine_apply(out, f32, ST_F32, 256, &affine);
            for (int i = 0; i < 256; i++)
                assert_true(out[i] == (float)(((double)f32[i] - offset) * factors[k]));
        }
    }
    const st_affine identity = st_affine_make(0, 1);
    st_affine_apply(out, f32, ST_F32, 256, &identity);
    assert_memory_equal(out, f32, sizeof f32);
}

static float *corrupted(const st_corrupt *corrupt, float clean, uint32_t epoch, uint32_t sample) {
    float *target = st_alloc(N, sizeof *target), *input = st_alloc(N, sizeof *input);
    const st_rng rng = {42, ST_RNG_CORRUPT, epoch, sample};
    for (int i = 0; i < N; i++)
        target[i] = clean;
    st_corrupt_apply(input, target, N, corrupt, &rng);
    st_free(target);
    return input;
}

/* Bounds of five standard errors: the mean of n normal values has deviation s / sqrt n, their deviation s / sqrt 2n, a
   share p has sqrt(p (1 - p) / n). */
static void test_gaussian(void **state) {
    (void)state;
    const st_corrupt corrupt = {.kind = ST_CORRUPT_GAUSSIAN, .amount = 0.2};
    float *input = corrupted(&corrupt, 0.5f, 3, 7);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++)
        sum += (double)input[i];
    const double mean = sum / N;
    for (int i = 0; i < N; i++)
        squares += ((double)input[i] - mean) * ((double)input[i] - mean);
    assert_true(fabs(mean - 0.5) < 5 * 0.2 / sqrt(N));
    assert_true(fabs(sqrt(squares / N) - 0.2) < 5 * 0.2 / sqrt(2.0 * N));
    st_free(input);
}

static void test_clip(void **state) {
    (void)state;
    const st_corrupt free_noise = {.kind = ST_CORRUPT_GAUSSIAN, .amount = 0.5};
    st_corrupt clipped = free_noise;
    clipped.clip = true;
    clipped.clip_low = 0.25;
    clipped.clip_high = 1;
    float *all = corrupted(&free_noise, 0.5f, 0, 0), *within = corrupted(&clipped, 0.5f, 0, 0);
    int n_clipped = 0;
    for (int i = 0; i < N; i++) {
        const float expected = all[i] < 0.25f ? 0.25f : all[i] > 1 ? 1 : all[i];
        assert_true(within[i] == expected);
        n_clipped += within[i] != all[i];
    }
    /* P(z < -0.5) + P(z > 1) of the normal distribution = 0.308538 + 0.158655 */
    assert_true(fabs((double)n_clipped / N - 0.467193) < 5 * 0.5 / sqrt(N));
    st_free(all);
    st_free(within);
}

static double share_of(const float *values, float value) {
    int n = 0;
    for (int i = 0; i < N; i++)
        n += values[i] == value;
    return (double)n / N;
}

static void test_mask_and_salt_pepper(void **state) {
    (void)state;
    const double bound = 5 * 0.5 / sqrt(N);
    st_corrupt corrupt = {.kind = ST_CORRUPT_MASK, .amount = 0.3};
    float *input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(fabs(share_of(input, 0) - 0.3) < bound);
    assert_true(fabs(share_of(input, 0.625f) - 0.7) < bound);
    st_free(input);
    corrupt.kind = ST_CORRUPT_SALT_PEPPER;
    input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(fabs(share_of(input, 0) - 0.15) < bound);
    assert_true(fabs(share_of(input, 1) - 0.15) < bound);
    assert_true(fabs(share_of(input, 0.625f) - 0.7) < bound);
    st_free(input);
    corrupt.amount = 1; /* nothing is left, nothing is missed */
    corrupt.kind = ST_CORRUPT_MASK;
    input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(share_of(input, 0) == 1);
    st_free(input);
    corrupt.amount = 0;
    input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(share_of(input, 0.625f) == 1);
    st_free(input);
}

/* Other epochs and samples have other, unrelated noise: the correlation of n pairs has deviation 1 / sqrt n. */
static void test_streams_are_unrelated(void **state) {
    (void)state;
    const st_corrupt corrupt = {.kind = ST_CORRUPT_GAUSSIAN, .amount = 1};
    float *one = corrupted(&corrupt, 0, 0, 0);
    const uint32_t others[][2] = {{1, 0}, {0, 1}, {1, 1}};
    for (int k = 0; k < 3; k++) {
        float *other = corrupted(&corrupt, 0, others[k][0], others[k][1]);
        double product = 0;
        for (int i = 0; i < N; i++)
            product += (double)one[i] * (double)other[i];
        assert_true(fabs(product / N) < 5 / sqrt(N));
        st_free(other);
    }
    float *again = corrupted(&corrupt, 0, 0, 0);
    assert_memory_equal(one, again, N * sizeof *one);
    st_free(again);
    st_free(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unit_scale_is_exact),
        cmocka_unit_test(test_affine),
        cmocka_unit_test(test_gaussian),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_mask_and_salt_pepper),
        cmocka_unit_test(test_streams_are_unrelated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
