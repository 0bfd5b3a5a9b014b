#include <math.h>
#include "data/corrupt.h"
#include "image/png.h"
#include "files.h"

enum { N = 1 << 18 };

/* n values of `clean` as an image [height, width, 1], corrupted; the caller's. */
static float *corrupted_image(const st_corrupt *corrupt, float clean, int64_t height, int64_t width, uint32_t epoch,
                              uint32_t sample) {
    const int64_t n = height * width;
    st_corruption *corruption = NULL;
    float *target = st_alloc((size_t)n, sizeof *target), *input = st_alloc((size_t)n, sizeof *input);
    const st_rng rng = {42, ST_RNG_CORRUPT, epoch, sample};
    for (int64_t i = 0; i < n; i++)
        target[i] = clean;
    assert_int_equal(st_corruption_new(&corruption, corrupt, 3, (int64_t[]){height, width, 1}, NULL), STRAIT_OK);
    st_corruption_apply(corruption, input, target, &rng);
    st_corruption_free(corruption);
    st_free(target);
    return input;
}

static float *corrupted(const st_corrupt *corrupt, float clean, uint32_t epoch, uint32_t sample) {
    return corrupted_image(corrupt, clean, 1, N, epoch, sample);
}

/* Bounds of five standard errors: the mean of n normal values has deviation s / sqrt n, their deviation s / sqrt 2n, a
   share p has sqrt(p (1 - p) / n). */
static void test_gaussian(void **state) {
    (void)state;
    const st_corrupt corrupt = {.gaussian = 0.2};
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
    const st_corrupt free_noise = {.gaussian = 0.5};
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
    st_corrupt corrupt = {.mask = 0.3};
    float *input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(fabs(share_of(input, 0) - 0.3) < bound);
    assert_true(fabs(share_of(input, 0.625f) - 0.7) < bound);
    st_free(input);
    corrupt = (st_corrupt){.salt_pepper = 0.3};
    input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(fabs(share_of(input, 0) - 0.15) < bound);
    assert_true(fabs(share_of(input, 1) - 0.15) < bound);
    assert_true(fabs(share_of(input, 0.625f) - 0.7) < bound);
    st_free(input);
    corrupt = (st_corrupt){.mask = 1}; /* nothing is left, nothing is missed */
    input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(share_of(input, 0) == 1);
    st_free(input);
    corrupt.mask = 0;
    input = corrupted(&corrupt, 0.625f, 0, 1);
    assert_true(share_of(input, 0.625f) == 1);
    st_free(input);
}

/* x + x n, n ~ N(0, s^2), as skimage.util.random_noise(mode="speckle") defines it: of a constant x the mean stays and
   the deviation is x s. */
static void test_speckle(void **state) {
    (void)state;
    const st_corrupt corrupt = {.speckle = 0.2};
    float *input = corrupted(&corrupt, 0.5f, 3, 7);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        sum += (double)input[i];
        squares += ((double)input[i] - 0.5) * ((double)input[i] - 0.5);
    }
    assert_true(fabs(sum / N - 0.5) < 5 * 0.1 / sqrt(N));
    assert_true(fabs(sqrt(squares / N) - 0.1) < 5 * 0.1 / sqrt(2.0 * N));
    st_free(input);
    input = corrupted(&corrupt, 0, 3, 7); /* nothing on black */
    assert_true(share_of(input, 0) == 1);
    st_free(input);
}

/* Blocks are whole: each of the grid is all 0 or all as it was; the share is that of blocks. The last row and column of
   blocks are cut by the edge. */
static void test_blocks(void **state) {
    (void)state;
    enum { H = 1022, W = 1021, SIZE = 4, ROWS = 256, COLUMNS = 256 };
    const st_corrupt corrupt = {.block_share = 0.25, .block_size = {SIZE, SIZE}};
    float *input = corrupted_image(&corrupt, 0.5f, H, W, 0, 0);
    int n_zero = 0;
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) {
            const float first = input[r * SIZE * W + c * SIZE];
            n_zero += first == 0;
            for (int y = r * SIZE; y < (r + 1) * SIZE && y < H; y++)
                for (int x = c * SIZE; x < (c + 1) * SIZE && x < W; x++)
                    assert_true(input[y * W + x] == first);
        }
    const double n = ROWS * COLUMNS;
    assert_true(fabs(n_zero / n - 0.25) < 5 * sqrt(0.25 * 0.75 / n));
    st_free(input);
}

/* In channels alike, and of rows along the row. */
static void test_block_shapes(void **state) {
    (void)state;
    enum { SIDE = 8, CHANNELS = 3, VALUES = SIDE * SIDE * CHANNELS };
    const st_corrupt corrupt = {.block_share = 0.5, .block_size = {2, 4}};
    const st_rng rng = {1, ST_RNG_CORRUPT, 0, 0};
    float clean[VALUES], input[VALUES];
    st_corruption *corruption = NULL;
    for (int i = 0; i < VALUES; i++)
        clean[i] = 1;
    assert_int_equal(st_corruption_new(&corruption, &corrupt, 3, (int64_t[]){SIDE, SIDE, CHANNELS}, NULL), STRAIT_OK);
    st_corruption_apply(corruption, input, clean, &rng);
    st_corruption_free(corruption);
    for (int i = 0; i < VALUES; i++)
        assert_true(input[i] == input[i / CHANNELS * CHANNELS]);
    assert_int_equal(st_corruption_new(&corruption, &corrupt, 1, (int64_t[]){VALUES}, NULL), STRAIT_OK);
    st_corruption_apply(corruption, input, clean, &rng);
    st_corruption_free(corruption);
    int n_zero = 0;
    for (int i = 0; i < VALUES; i++) {
        assert_true(input[i] == input[i / 4 * 4]);
        n_zero += input[i] == 0;
    }
    assert_in_range(n_zero, 1, VALUES - 1);
}

/* "I" is drawn as a serifed bar: 7 rows of 5 columns, the middle one full. At a height of 8 rows it stands pixel for
   pixel (7 rows and the one for descenders), somewhere in the image, and covers by its opacity. */
static void test_watermark_text(void **state) {
    (void)state;
    static const char *const letter[] = {".###.", "..#..", "..#..", "..#..", "..#..", "..#..", ".###."};
    enum { SIDE = 16 };
    st_corrupt corrupt = {.watermark = {.on = true, .text = (char *)"I", .size = 0.5, .opacity = 0.25, .value = 1}};
    bool seen_top[SIDE] = {0};
    for (uint32_t sample = 0; sample < 200; sample++) {
        float *input = corrupted_image(&corrupt, 0.5f, SIDE, SIDE, 0, sample);
        int first = SIDE * SIDE, n = 0;
        for (int i = SIDE * SIDE - 1; i >= 0; i--)
            if (input[i] != 0.5f) first = i, n++;
        assert_int_equal(n, 11);
        seen_top[first / SIDE] = true;
        for (int y = 0; y < 7; y++)
            for (int x = 0; x < 5; x++)
                assert_true(input[first - 1 + y * SIDE + x] == (letter[y][x] == '#' ? 0.625f : 0.5f));
        st_free(input);
    }
    for (int top = 0; top <= SIDE - 8; top++)
        assert_true(seen_top[top]);
    /* Never larger than asked for, whatever the shape. */
    corrupt.watermark.text = (char *)"a long text that is small then";
    float *cover = NULL;
    int64_t size[2];
    assert_int_equal(st_watermark_make(&cover, size, &corrupt, 28, 28, NULL), STRAIT_OK);
    assert_true(size[0] >= 1 && size[1] <= 14);
    st_free(cover);
    st_corruption *corruption = NULL;
    assert_int_equal(st_corruption_new(&corruption, &corrupt, 1, (int64_t[]){9}, NULL), STRAIT_ARGUMENT);
    assert_null(corruption);
}

/* An image's luma is the cover: white all of it, black nothing. */
static void test_watermark_image(void **state) {
    (void)state;
    const char *path = test_path("mark.png");
    const unsigned char pixels[] = {0, 255, 51, 204};
    assert_int_equal(st_png_write(path, 2, 2, 1, pixels, NULL), STRAIT_OK);
    const st_corrupt corrupt = {.watermark = {.on = true, .image = (char *)path, .size = 1, .opacity = 1, .value = 0}};
    float *input = corrupted_image(&corrupt, 1, 2, 2, 0, 0);
    for (int i = 0; i < 4; i++)
        assert_true(fabs((double)input[i] - (1 - pixels[i] / 255.0)) < 1e-6);
    st_free(input);
    const st_corrupt missing = {.watermark = {.on = true, .image = (char *)"/nowhere.png", .size = 1, .opacity = 1}};
    st_corruption *corruption = NULL;
    assert_int_equal(st_corruption_new(&corruption, &missing, 3, (int64_t[]){2, 2, 1}, NULL), STRAIT_NOT_FOUND);
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = st_corruption_new(&corruption, &corrupt, 3, (int64_t[]){9, 9, 3}, NULL);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(corruption);
    }
    st_corruption_free(corruption);
}

/* Several kinds are applied in the order of the table, each with the draws it has alone. */
static void test_several(void **state) {
    (void)state;
    const st_corrupt noise = {.gaussian = 0.1}, gone = {.mask = 0.3}, both = {.gaussian = 0.1, .mask = 0.3};
    float *a = corrupted(&noise, 0.5f, 1, 2), *b = corrupted(&gone, 0.5f, 1, 2), *c = corrupted(&both, 0.5f, 1, 2);
    for (int i = 0; i < N; i++)
        assert_true(c[i] == (b[i] == 0 ? 0 : a[i]));
    st_free(a);
    st_free(b);
    st_free(c);
}

/* Other epochs and samples have other, unrelated noise: the correlation of n pairs has deviation 1 / sqrt n. */
static void test_streams_are_unrelated(void **state) {
    (void)state;
    const st_corrupt corrupt = {.gaussian = 1};
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
        cmocka_unit_test(test_gaussian),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_mask_and_salt_pepper),
        cmocka_unit_test(test_speckle),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_block_shapes),
        cmocka_unit_test(test_watermark_text),
        cmocka_unit_test(test_watermark_image),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_streams_are_unrelated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
