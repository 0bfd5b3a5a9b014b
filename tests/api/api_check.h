/* What the tests of the public functions share: small recipes, data made in memory, runs in a folder of the test's own.
 */
#ifndef TESTS_API_API_CHECK_H
#define TESTS_API_API_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <strait/strait.h>

#include "support/folder.h"

/* What a call inside ASSERT_OK fills in. */
static strait_error test_error;

#define ASSERT_OK(call)                                                                                                \
    do {                                                                                                               \
        test_error = (strait_error){0};                                                                                \
        if ((call) != STRAIT_OK) fail_msg("%s: %s", #call, test_error.message);                                        \
    } while (0)

/* 12 - 5 - 12 on rows. */
static const char dense_yaml[] = "name: dense\n"
                                 "seed: 7\n"
                                 "data: {validation: 0.25}\n"
                                 "model:\n"
                                 "  input: [12]\n"
                                 "  encoder: [{dense: {units: 5, activation: relu}}]\n"
                                 "  decoder: [{dense: {units: 12, activation: sigmoid}}]\n"
                                 "train: {epochs: 4, batch_size: 16, threads: 2}\n";

/* 6×4×1 - 3×2×3 - 6×4×1, with noise on the input. */
static const char convolution_yaml[] = "name: convolution\n"
                                       "seed: 7\n"
                                       "data: {validation: 0.25, corrupt: {gaussian: 0.1, clip: [0, 1]}}\n"
                                       "model:\n"
                                       "  input: [6, 4, 1]\n"
                                       "  encoder: [{conv2d: {filters: 3, strides: 2, activation: relu}}]\n"
                                       "  decoder:\n"
                                       "    - conv2d_transpose: {filters: 4, strides: 2, activation: relu}\n"
                                       "    - conv2d: {filters: 1, activation: sigmoid}\n"
                                       "train: {epochs: 4, batch_size: 16, threads: 2}\n";

/* All that chance has a part in: 6×4×1 - 3 - 6×4×1. */
static const char chances_yaml[] = "name: chances\n"
                                   "seed: 7\n"
                                   "data:\n"
                                   "  validation: 0.25\n"
                                   "  augment: {rotate: 20, shift: 0.1, zoom: 0.1, flip: both}\n"
                                   "  corrupt: {gaussian: 0.1}\n"
                                   "model:\n"
                                   "  input: [6, 4, 1]\n"
                                   "  encoder:\n"
                                   "    - conv2d: {filters: 3, strides: 2}\n"
                                   "    - batch_norm\n"
                                   "    - activation: relu\n"
                                   "    - dropout: 0.2\n"
                                   "    - gaussian_noise: 0.1\n"
                                   "    - flatten\n"
                                   "    - gaussian: {units: 3, beta: 0.01, warmup: 1.5}\n"
                                   "  decoder:\n"
                                   "    - dense: {units: 18, activation: relu}\n"
                                   "    - reshape: [3, 2, 3]\n"
                                   "    - conv2d_transpose: {filters: 4, strides: 2, activation: relu}\n"
                                   "    - conv2d: {filters: 1, activation: sigmoid}\n"
                                   "train:\n"
                                   "  epochs: 4\n"
                                   "  batch_size: 16\n"
                                   "  threads: 2\n"
                                   "  optimizer: adamw\n"
                                   "  schedule: one_cycle\n"
                                   "  clip_norm: 0.1\n"
                                   "  penalty: {latent: {l1: 0.001}}\n";

/* n samples of smooth curves within 0..1, times scale: an autoencoder can learn them. */
static inline strait_data *curves(int64_t n, int n_dims, const int64_t *dim, double scale) {
    int64_t values = 1;
    for (int i = 0; i < n_dims; i++)
        values *= dim[i];
    float *row = malloc((size_t)(n * values) * sizeof *row);
    assert_non_null(row);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < values; j++)
            row[i * values + j] =
                (float)(scale * (0.5 + 0.45 * sin((double)(i % 17) + (double)j * (0.2 + (double)(i % 5) * 0.05))));
    strait_data *data = NULL;
    ASSERT_OK(strait_data_from_rows(&data, row, n, n_dims, dim, &test_error));
    free(row);
    return data;
}

static inline strait_data *vectors(int64_t n) {
    return curves(n, 1, (const int64_t[]){12}, 1);
}
static inline strait_data *images(int64_t n) {
    return curves(n, 3, (const int64_t[]){6, 4, 1}, 1);
}

static inline strait_recipe *parse(const char *yaml, size_t n, const char *const *overrides) {
    strait_recipe *recipe = NULL;
    ASSERT_OK(strait_recipe_parse(&recipe, yaml, "test.yaml", n, overrides, &test_error));
    return recipe;
}

/* A parent for runs that nothing else writes to. */
static inline const char *fresh_folder(void) {
    static int n;
    static char names[64][16];
    assert_true(n < 64);
    snprintf(names[n], sizeof names[n], "runs%d", n);
    return test_path(names[n++]);
}

static inline const char *file_of(const char *run, const char *name) {
    static char paths[8][700];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", run, name);
    return path;
}

static inline bool exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

/* A whole file with a 0 at its end; the caller's to free. */
static inline char *read_bytes(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s is not there", path);
    struct stat info;
    assert_int_equal(fstat(fileno(file), &info), 0);
    char *bytes = calloc((size_t)info.st_size + 1, 1);
    assert_non_null(bytes);
    *n = fread(bytes, 1, (size_t)info.st_size, file);
    assert_int_equal(*n, info.st_size);
    fclose(file);
    return bytes;
}

static inline bool same_bytes(const char *path, const char *other) {
    size_t n, n_other;
    char *a = read_bytes(path, &n), *b = read_bytes(other, &n_other);
    const bool same = n == n_other && memcmp(a, b, n) == 0;
    free(a);
    free(b);
    return same;
}

/* The first columns of history.csv, which hold no times: epoch, loss, val_loss, learning_rate. */
static inline char *history_without_times(const char *run) {
    size_t n, used = 0;
    char *text = read_bytes(file_of(run, "history.csv"), &n);
    int commas = 0;
    for (size_t i = 0; i < n; i++) {
        commas += text[i] == ',';
        if (text[i] == '\n') commas = 0;
        if (commas < 4) text[used++] = text[i];
    }
    text[used] = 0;
    return text;
}

/* The same model in all its files, by the same history. */
static inline void assert_same_runs(const char *run, const char *other) {
    static const char *const files[] = {"model.safetensors", "encoder.safetensors", "decoder.safetensors",
                                        "best.safetensors"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!same_bytes(file_of(run, files[i]), file_of(other, files[i])))
            fail_msg("%s differs between %s and %s", files[i], run, other);
    char *a = history_without_times(run), *b = history_without_times(other);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static inline void assert_near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fabs(b))) fail_msg("%.9g is not within %g of %.9g", a, tolerance, b);
}

static inline void assert_same_array(const strait_array *a, const strait_array *b, double tolerance) {
    assert_int_equal(a->n_dims, b->n_dims);
    assert_memory_equal(a->dim, b->dim, (size_t)a->n_dims * sizeof *a->dim);
    for (int64_t i = 0; i < strait_array_count(a); i++)
        if (!(fabs((double)a->values[i] - (double)b->values[i]) <= tolerance))
            fail_msg("value %lld: %.9g, not %.9g", (long long)i, (double)a->values[i], (double)b->values[i]);
}

#endif
