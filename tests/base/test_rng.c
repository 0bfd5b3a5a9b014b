#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng_int.h"

/* Known answers of Random123 (kat_vectors, philox4x32 with 10 rounds). */
static void test_known_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        st_philox(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].expected, sizeof out);
    }
}

static const st_rng stream = {.seed = 0x123456789abcdef0U, .purpose = ST_RNG_CORRUPT, .epoch = 3, .sample = 99};

/* The stream is the generator over (block, sample, epoch, purpose) with the seed as key. */
static void test_stream(void **state) {
    (void)state;
    const uint32_t key[2] = {0x9abcdef0, 0x12345678};
    for (uint32_t block = 0; block < 50; block++) {
        uint32_t out[4];
        st_philox(out, (const uint32_t[4]){block, 99, 3, ST_RNG_CORRUPT}, key);
        for (uint32_t w = 0; w < 4; w++)
            assert_int_equal(st_rng_bits(&stream, 4 * block + w), out[w]);
    }
}

static void test_uniform(void **state) {
    (void)state;
    float value[333];
    st_rng_uniform(&stream, 8, value, 333);
    for (uint32_t i = 0; i < 333; i++)
        assert_true(value[i] == (float)(st_rng_bits(&stream, 8 + i) >> 8) / 16777216.0F);
}

/* The formula in rng.c by the C library in double; the difference is below 1e-6 of
   the radius. */
static void test_normal_by_formula(void **state) {
    (void)state;
    enum { N = 200000 };
    float *value = st_alloc(N, sizeof *value);
    st_rng_normal(&stream, 0, value, N);
    double worst = 0;
    for (uint32_t i = 0; i < N; i += 2) {
        const double u = ((st_rng_bits(&stream, i) >> 8) + 1) / 16777216.0;
        const double t = 2 * M_PI * st_rng_bits(&stream, i + 1) / 4294967296.0 - M_PI / 4;
        const double r = sqrt(-2 * log(u));
        worst = fmax(worst, fabs((double)value[i] - r * cos(t)) / fmax(r, 1e-3));
        worst = fmax(worst, fabs((double)value[i + 1] - r * sin(t)) / fmax(r, 1e-3));
    }
    st_free(value);
    assert_true(worst < 1e-6);
}

/* Moments of a million values, each within five standard errors. */
static void test_normal_moments(void **state) {
    (void)state;
    enum { N = 1000000 };
    float *value = st_alloc(N, sizeof *value);
    st_rng_normal(&stream, 0, value, N);
    double sum[5] = {0};
    for (int i = 0; i < N; i++) {
        double power = 1;
        for (int k = 1; k <= 4; k++)
            sum[k] += power *= (double)value[i];
    }
    double neighbours = 0;
    for (int i = 0; i + 1 < N; i++)
        neighbours += (double)value[i] * (double)value[i + 1];
    st_free(value);
    const double error = 5 / sqrt(N);
    assert_true(fabs(sum[1] / N) < error);
    assert_true(fabs(sum[2] / N - 1) < error * sqrt(2));
    assert_true(fabs(sum[3] / N) < error * sqrt(15));
    assert_true(fabs(sum[4] / N - 3) < error * sqrt(96));
    assert_true(fabs(neighbours / N) < error);
}

/* Any instruction set, any piece of a stream: the same bits. */
static void test_same_bits(void **state) {
    (void)state;
    size_t n;
    const st_rng_set *sets = st_rng_sets(&n);
    for (uint32_t block = 0; block < 16 * 2000; block += 16) {
        float plain[2][ST_RNG_CHUNK], other[2][ST_RNG_CHUNK];
        sets[n - 1].uniform(&stream, block, plain[0]);
        sets[n - 1].normal(&stream, block, plain[1]);
        for (size_t i = 0; i + 1 < n; i++) {
            if (!sets[i].usable()) continue;
            sets[i].uniform(&stream, block, other[0]);
            sets[i].normal(&stream, block, other[1]);
            assert_memory_equal(plain, other, sizeof plain);
        }
    }
    float whole[1000], part[1000];
    st_rng_normal(&stream, 0, whole, 1000);
    for (uint32_t first = 0; first < 1000; first += 52) {
        const size_t length = 1000 - first < 77 ? 1000 - first : 77;
        st_rng_normal(&stream, first, part, length);
        assert_memory_equal(part, whole + first, length * sizeof *part);
    }
}

static void test_writes_no_further(void **state) {
    (void)state;
    for (size_t n = 0; n < 200; n += 7) {
        float value[201];
        value[n] = 12345.0F;
        st_rng_uniform(&stream, 0, value, n);
        assert_true(value[n] == 12345.0F);
    }
}

static int compare(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void test_shuffle_permutes(void **state) {
    (void)state;
    uint32_t items[1000], again[1000];
    st_rng_shuffle(&stream, items, 1000);
    st_rng other = stream;
    other.sample = 5; /* not used */
    st_rng_shuffle(&other, again, 1000);
    assert_memory_equal(items, again, sizeof items);
    other.epoch = 4;
    st_rng_shuffle(&other, again, 1000);
    assert_memory_not_equal(items, again, sizeof items);
    qsort(items, 1000, sizeof *items, compare);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    st_rng_shuffle(&stream, items, 1);
    assert_int_equal(items[0], 0);
    st_rng_shuffle(&stream, NULL, 0);
}

/* All 24 orders of four items are equally likely: chi squared with 23 degrees of freedom is below 49.7 in 999 of
   1000 cases. */
static void test_shuffle_fair(void **state) {
    (void)state;
    enum { ROUNDS = 24000 };
    int count[256] = {0};
    st_rng rng = stream;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t item[4];
        rng.epoch = i;
        st_rng_shuffle(&rng, item, 4);
        count[item[0] | item[1] << 2 | item[2] << 4 | item[3] << 6]++;
    }
    double chi = 0;
    int orders = 0;
    for (int i = 0; i < 256; i++) {
        if (count[i] == 0) continue;
        orders++;
        chi += (count[i] - 1000.0) * (count[i] - 1000.0) / 1000;
    }
    assert_int_equal(orders, 24);
    assert_true(chi < 49.7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),     cmocka_unit_test(test_stream),
        cmocka_unit_test(test_uniform),           cmocka_unit_test(test_normal_by_formula),
        cmocka_unit_test(test_normal_moments),    cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_writes_no_further), cmocka_unit_test(test_shuffle_permutes),
        cmocka_unit_test(test_shuffle_fair),
    };
    return cmocka_run_group_tests_name("base.rng", tests, NULL, NULL);
}
