/* strait_bench_run: training speed on data made in memory, against the machine's own peak. */
#include <stdio.h>
#include <string.h>
#include <strait/bench.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/string.h"
#include "base/thread.h"
#include "train/trainer.h"

/* The standard workloads: models and batch sizes as in the recipes of the same names. */
typedef struct st_workload {
    const char *name, *yaml;
} st_workload;

#define IMAGES "data: {scale: none}\n"
static const st_workload workload[] = {
    {"fashion-basic", IMAGES "model:\n"
                             "  input: [28, 28, 1]\n"
                             "  encoder: [flatten, dense: {units: 64, activation: relu}]\n"
                             "  decoder: [dense: {units: 784, activation: sigmoid}, reshape: [28, 28, 1]]\n"
                             "train: {loss: mse, optimizer: adam, batch_size: 32}\n"},
    {"mnist-dense", IMAGES "model:\n"
                           "  input: [28, 28, 1]\n"
                           "  encoder: [flatten, dense: {units: 392, activation: relu}, dense: {units: 10, activation: "
                           "relu}]\n"
                           "  decoder: [dense: {units: 392, activation: relu}, dense: {units: 784, activation: "
                           "sigmoid}, reshape: [28, 28, 1]]\n"
                           "train: {loss: mse, optimizer: adam, batch_size: 128}\n"},
    {"ecg-anomaly", "data: {scale: none}\n"
                    "model:\n"
                    "  input: [140]\n"
                    "  encoder: [dense: {units: 32, activation: relu}, dense: {units: 16, activation: relu}, "
                    "dense: {units: 8, activation: relu}]\n"
                    "  decoder: [dense: {units: 16, activation: relu}, dense: {units: 32, activation: relu}, "
                    "dense: {units: 140, activation: sigmoid}]\n"
                    "train: {loss: mae, optimizer: adam, batch_size: 512}\n"},
    {"fashion-denoise-conv", "data: {scale: none, corrupt: {gaussian: 0.2, clip: [0, 1]}}\n"
                             "model:\n"
                             "  input: [28, 28, 1]\n"
                             "  encoder:\n"
                             "    - conv2d: {filters: 16, kernel_size: 3, strides: 2, activation: relu}\n"
                             "    - conv2d: {filters: 8, kernel_size: 3, strides: 2, activation: relu}\n"
                             "  decoder:\n"
                             "    - conv2d_transpose: {filters: 8, kernel_size: 3, strides: 2, activation: relu}\n"
                             "    - conv2d_transpose: {filters: 16, kernel_size: 3, strides: 2, activation: relu}\n"
                             "    - conv2d: {filters: 1, kernel_size: 3, activation: sigmoid}\n"
                             "train: {loss: mse, optimizer: adam, batch_size: 32}\n"},
};
#define N_WORKLOADS ((int)(sizeof workload / sizeof *workload))
#define N_SAMPLES 12000 /* more than any cache keeps, as real data */

/* Uniform values in 0..1 of the model's input shape. */
static strait_status make_data(strait_data **out, const strait_recipe *recipe, strait_error *err) {
    int64_t values = 1;
    for (int i = 0; i < recipe->model.n_input_dims; i++)
        values *= recipe->model.input_dim[i];
    float *rows = st_alloc((size_t)(N_SAMPLES * values), sizeof *rows);
    if (!rows) return st_fail_memory(err, (size_t)(N_SAMPLES * values) * sizeof *rows, "benchmark data");
    for (int64_t i = 0; i < N_SAMPLES; i++) {
        const st_rng rng = {.seed = recipe->seed, .purpose = ST_RNG_BENCH, .sample = (uint32_t)i};
        st_rng_uniform(&rng, 0, rows + i * values, (size_t)values);
    }
    const strait_status status =
        strait_data_from_rows(out, rows, N_SAMPLES, recipe->model.n_input_dims, recipe->model.input_dim, err);
    st_free(rows);
    return status;
}

/* Multiply-adds times 2 of one sample's training step: forward, gradient by weights, gradient by input, the last not
   for the ops before the first parameters. */
static double step_flops(const st_graph *graph) {
    double flops = 0;
    bool first = true;
    for (int i = 0; i < graph->n_ops; i++) {
        const double forward = (double)st_op_flops(graph, &graph->op[i]);
        if (forward == 0) continue;
        flops += forward * (first ? 2 : 3);
        first = false;
    }
    return flops;
}

/* A stretch of steps that takes `seconds`: the steps and samples done, and the time they took. */
typedef struct st_stretch {
    int64_t steps, samples;
    double seconds;
} st_stretch;

static strait_status run_stretch(st_stretch *out, st_trainer *trainer, double seconds, strait_error *err) {
    const double start = st_clock();
    *out = (st_stretch){0};
    while (out->steps == 0 || st_clock() - start < seconds) {
        int64_t n;
        ST_TRY(st_trainer_step(trainer, &n, err));
        out->steps += n > 0;
        out->samples += n;
        if (n > 0) continue;
        st_trainer_state(trainer)->epoch++;
        st_trainer_state(trainer)->batch = 0;
        st_trainer_start(trainer);
    }
    out->seconds = st_clock() - start;
    return STRAIT_OK;
}

/* Steps for about `seconds`; *best is the fastest of twenty stretches, so that a moment when the machine is busy with
   something else does not count. The first stretch warms up. */
static strait_status time_steps(st_stretch *best, st_trainer *trainer, double seconds, strait_error *err) {
    const double begin = st_clock();
    st_stretch now;
    st_trainer_start(trainer);
    ST_TRY(run_stretch(&now, trainer, seconds / 20, err));
    ST_TRY(run_stretch(best, trainer, seconds / 20, err));
    while (st_clock() - begin < seconds) {
        ST_TRY(run_stretch(&now, trainer, seconds / 20, err));
        if ((double)now.samples / now.seconds > (double)best->samples / best->seconds) *best = now;
    }
    return STRAIT_OK;
}

static strait_status measure(strait_bench_row *row, const st_workload *load, int threads, double seconds,
                             strait_error *err) {
    strait_recipe *recipe = NULL;
    strait_model *model = NULL;
    strait_data *data = NULL;
    st_trainer *trainer = NULL;
    st_stretch best = {0};
    strait_status status = strait_recipe_parse(&recipe, load->yaml, load->name, 0, NULL, err);
    if (status == STRAIT_OK) status = strait_model_build(&model, recipe, err);
    if (status == STRAIT_OK) status = make_data(&data, recipe, err);
    if (status == STRAIT_OK) {
        const st_trainer_config config = {
            .model = model, .recipe = recipe, .engine = &st_engine_cpu, .data = data, .factor = 1, .threads = threads};
        status = st_trainer_new(&trainer, &config, err);
    }
    if (status == STRAIT_OK) status = time_steps(&best, trainer, seconds, err);
    if (status == STRAIT_OK) {
        const double samples_per_second = (double)best.samples / best.seconds;
        *row = (strait_bench_row){
            .batch = (int)recipe->train.batch_size,
            .samples_per_second = samples_per_second,
            .ms_per_step = best.seconds / (double)best.steps * 1e3,
            .gflops = step_flops(model->graph) * samples_per_second * 1e-9,
            .peak_memory_mb = (double)st_trainer_memory(trainer) / 1e6,
        };
        snprintf(row->name, sizeof row->name, "%s", load->name);
    }
    st_trainer_free(trainer);
    strait_data_free(data);
    strait_model_free(model);
    strait_recipe_free(recipe);
    return status;
}

static strait_status check_name(const char *only, strait_error *err) {
    const char *names[N_WORKLOADS];
    for (int i = 0; i < N_WORKLOADS; i++) {
        names[i] = workload[i].name;
        if (!only || strcmp(only, names[i]) == 0) return STRAIT_OK;
    }
    st_text list = {0};
    for (int i = 0; i < N_WORKLOADS; i++)
        st_text_add(&list, "%s%s", i ? ", " : "", names[i]);
    char *text = NULL;
    ST_TRY(st_text_take(&text, &list, err));
    const strait_status status = st_fail(err, STRAIT_NOT_FOUND, "there is no workload '%s'; there are: %s", only, text);
    st_free(text);
    return status;
}

/* Before, between and after the workloads: the highest counts. */
static strait_status measure_peak(strait_bench *bench, strait_error *err) {
    double now;
    ST_TRY(st_cpu_peak(&now, bench->threads, err));
    if (now > bench->peak_gflops) bench->peak_gflops = now;
    return STRAIT_OK;
}

STRAIT_API strait_status strait_bench_run(strait_bench **out, const char *only, int threads, double seconds,
                                          void (*progress)(void *context, const char *name), void *context,
                                          strait_error *err) {
    *out = NULL;
    ST_TRY(check_name(only, err));
    if (threads <= 0) threads = st_processors();
    if (!(seconds > 0)) seconds = 3;
    strait_bench *bench = st_alloc(1, sizeof *bench);
    if (!bench) return st_fail_memory(err, sizeof *bench, "the benchmark");
    bench->threads = threads;
    bench->row = st_alloc(N_WORKLOADS, sizeof *bench->row);
    strait_status status = STRAIT_OK;
    if (!bench->row) status = st_fail_memory(err, N_WORKLOADS * sizeof *bench->row, "the benchmark");
    if (progress && status == STRAIT_OK) progress(context, "peak");
    if (status == STRAIT_OK) status = measure_peak(bench, err);
    for (int i = 0; i < N_WORKLOADS && status == STRAIT_OK; i++) {
        if (only && strcmp(only, workload[i].name) != 0) continue;
        if (progress) progress(context, workload[i].name);
        status = measure(&bench->row[bench->n_rows++], &workload[i], threads, seconds, err);
        if (status == STRAIT_OK) status = measure_peak(bench, err);
    }
    if (status != STRAIT_OK) {
        strait_bench_free(bench);
        return status;
    }
    for (int i = 0; i < bench->n_rows; i++)
        bench->row[i].fraction_of_peak = bench->row[i].gflops / bench->peak_gflops;
    *out = bench;
    return STRAIT_OK;
}

STRAIT_API void strait_bench_free(strait_bench *bench) {
    if (!bench) return;
    st_free(bench->row);
    st_free(bench);
}
