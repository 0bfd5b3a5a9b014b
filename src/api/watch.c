#include "api/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "graph/runner.h"
#include "image/png.h"

/* Samples handed to the workers at once. */
#define BATCH 128

typedef struct watched_set {
    const char *name; /* "train"; as the files are called */
    const strait_data *data;
    st_probe probe;
    strait_array *output; /* [n, ...] */
} watched_set;

struct st_watch {
    st_watch_config config;
    st_runner *runner;
    int64_t batch;
    int n_sets;
    watched_set set[2];
};

/* ---- making ---- */

static strait_status open_set(st_watch *watch, const char *name, strait_data *data, st_probe_use use,
                              strait_error *err) {
    const st_watch_config *config = &watch->config;
    watched_set *set = &watch->set[watch->n_sets++];
    set->name = name;
    set->data = data;
    ST_TRY(st_probe_open(&set->probe, data, config->recipe->watch.reconstructions, use, config->recipe, config->offset,
                         config->factor, err));
    const st_shape shape = st_model_output_shape(config->model);
    int64_t dim[STRAIT_MAX_DIMS] = {set->probe.n};
    memcpy(dim + 1, shape.dim, (size_t)shape.n_dims * sizeof *dim);
    if (set->probe.n > watch->batch) watch->batch = set->probe.n < BATCH ? set->probe.n : BATCH;
    return strait_array_new(&set->output, shape.n_dims + 1, dim, err);
}

static strait_status open_runner(st_watch *watch, strait_error *err) {
    const st_graph *graph = watch->config.model->graph;
    const st_runner_config config = {
        .graph = graph,
        .engine = watch->config.engine,
        .n_ops = graph->n_ops,
        .batch_size = watch->batch,
        .threads = watch->config.threads,
        .sibling = watch->config.runner,
        .seed = watch->config.recipe->seed,
    };
    return st_runner_new(&watch->runner, &config, err);
}

strait_status st_watch_new(st_watch **out, const st_watch_config *config, strait_error *err) {
    *out = NULL;
    if (config->recipe->watch.reconstructions < 1) return STRAIT_OK;
    st_watch *watch = st_alloc(1, sizeof *watch);
    if (!watch) return st_fail_memory(err, sizeof *watch, "the watched samples");
    watch->config = *config;
    strait_status status = open_set(watch, "train", config->data, ST_PROBE_TRAIN, err);
    if (status == STRAIT_OK && config->validation)
        status = open_set(watch, "validation", config->validation, ST_PROBE_VALIDATION, err);
    if (status == STRAIT_OK) status = open_runner(watch, err);
    if (status != STRAIT_OK) {
        st_watch_free(watch);
        return status;
    }
    *out = watch;
    return STRAIT_OK;
}

void st_watch_free(st_watch *watch) {
    if (!watch) return;
    st_runner_free(watch->runner);
    for (int i = 0; i < watch->n_sets; i++) {
        strait_array_free(watch->set[i].output);
        st_probe_close(&watch->set[i].probe);
    }
    st_free(watch);
}

/* ---- writing ---- */

static bool is_images(const strait_array *array) {
    return array->n_dims == 4 && (array->dim[3] == 1 || array->dim[3] == 3);
}

/* Cells of [height, width, channels] in rows of ceil(sqrt(n)); the last row's empty cells are white. */
static strait_status write_grid(const char *path, const strait_array *images, strait_error *err) {
    const int64_t n = images->dim[0], height = images->dim[1], row = images->dim[2] * images->dim[3];
    int64_t columns = 1;
    while (columns * columns < n)
        columns++;
    const int64_t lines = (n + columns - 1) / columns, line = columns * row;
    if (columns * images->dim[2] > INT32_MAX || lines * height > INT32_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s: %lld images are too many for one picture; watch fewer", path,
                       (long long)n);
    const size_t bytes = (size_t)(lines * height * line);
    unsigned char *pixels = st_alloc(bytes, 1);
    if (!pixels) return st_fail_memory(err, bytes, "a picture");
    memset(pixels, 255, bytes);
    for (int64_t i = 0; i < n; i++)
        for (int64_t y = 0; y < height; y++) {
            const float *src = images->values + (i * height + y) * row;
            unsigned char *dst = pixels + (i / columns * height + y) * line + i % columns * row;
            for (int64_t x = 0; x < row; x++)
                dst[x] = st_png_byte(src[x]);
        }
    const strait_status status =
        st_png_write(path, (int)(columns * images->dim[2]), (int)(lines * height), (int)images->dim[3], pixels, err);
    st_free(pixels);
    return status;
}

/* FOLDER/train-WHAT.png, or .npy. */
static strait_status write_values(const char *folder, const watched_set *set, const char *what, const float *values,
                                  strait_error *err) {
    strait_array array = *set->output;
    array.values = (float *)(uintptr_t)values; /* read only */
    char *path = st_format("%s/%s-%s.%s", folder, set->name, what, is_images(&array) ? "png" : "npy");
    if (!path) return st_fail_memory(err, strlen(folder), "a path");
    const strait_status status = is_images(&array) ? write_grid(path, &array, err) : st_npy_write(&array, path, err);
    st_free(path);
    return status;
}

static strait_status write_samples(const st_watch *watch, const char *folder, strait_error *err) {
    st_text text = {0};
    char *csv = NULL, *path = st_path_join(folder, "samples.csv");
    st_text_add(&text, "set,index,sample,label\n");
    for (int s = 0; s < watch->n_sets; s++)
        for (int64_t i = 0; i < watch->set[s].probe.n; i++) {
            const watched_set *set = &watch->set[s];
            const int64_t label = strait_data_label(set->data, set->probe.sample[i]);
            st_text_add(&text, "%s,%lld,%lld,", set->name, (long long)i, (long long)set->probe.sample[i]);
            if (label >= 0) st_text_add(&text, "%lld", (long long)label);
            st_text_add(&text, "\n");
        }
    strait_status status = st_text_take(&csv, &text, err);
    if (status == STRAIT_OK && !path) status = st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK) status = st_file_write_all(path, csv, strlen(csv), err);
    st_free(csv);
    st_free(path);
    return status;
}

/* What stays the same over the epochs. */
static strait_status write_originals(const st_watch *watch, const char *folder, strait_error *err) {
    ST_TRY(st_make_folders(folder, err));
    ST_TRY(write_samples(watch, folder, err));
    for (int s = 0; s < watch->n_sets; s++) {
        const st_batch *batch = &watch->set[s].probe.batch;
        ST_TRY(write_values(folder, &watch->set[s], "originals", batch->target, err));
        if (batch->input != batch->target) ST_TRY(write_values(folder, &watch->set[s], "inputs", batch->input, err));
    }
    return STRAIT_OK;
}

static strait_status reconstruct(const st_watch *watch, const watched_set *set, strait_error *err) {
    const st_shape in = st_model_input_shape(watch->config.model), out = st_model_output_shape(watch->config.model);
    const int64_t n_in = st_shape_count(&in), n_out = st_shape_count(&out), all = set->probe.n;
    for (int64_t first = 0; first < all; first += watch->batch) {
        const int64_t n = all - first < watch->batch ? all - first : watch->batch;
        ST_TRY(st_runner_forward(watch->runner, set->probe.batch.input + first * n_in,
                                 set->output->values + first * n_out, n, err));
    }
    return STRAIT_OK;
}

strait_status st_watch_epoch(st_watch *watch, const char *run, int64_t epoch, strait_error *err) {
    char *folder = st_path_join(run, ST_FOLDER_RECONSTRUCTIONS), number[24];
    if (!folder) return st_fail_memory(err, strlen(run), "a path");
    snprintf(number, sizeof number, "%03lld", (long long)epoch);
    strait_status status = epoch == 0 ? write_originals(watch, folder, err) : STRAIT_OK;
    for (int s = 0; s < watch->n_sets && status == STRAIT_OK; s++) {
        status = reconstruct(watch, &watch->set[s], err);
        if (status == STRAIT_OK)
            status = write_values(folder, &watch->set[s], number, watch->set[s].output->values, err);
    }
    st_free(folder);
    return status;
}
