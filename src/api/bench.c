/* strait_bench_run: speed of training and encoding on data made in memory, against the machine's own peak. */
#include <stdio.h>
#include <string.h>
#include <strait/bench.h>

#include "api/apply.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "recipe/recipe.h"
#include "train/trainer.h"

static const char *const standard[] = {
    "fashion-basic",
    "fashion-denoise-dense",
    "fashion-denoise-conv",
    "ecg-anomaly",
    "mnist-dense",
    "mnist-conv",
    "mnist-vae",
    "citeseq",
    "cells-1",
    "cells-2",
    "cells-3",
    "cells-4",
    "cells-4.1",
    "cells-5",
    "cells-6",
    "cells-7",
    "cells-8",
    "cells-old",
    "nuclei",
};

STRAIT_API const char *strait_bench_standard(size_t i) {
    return i < sizeof standard / sizeof *standard ? standard[i] : NULL;
}

/* More than any cache keeps, as real data is: 12,000 small samples, or what is 64 MB, or a batch where that is more. */
static int64_t samples_for(int64_t values, int64_t batch) {
    const int64_t fit = ((int64_t)64 << 20) / (values * (int64_t)sizeof(float));
    const int64_t n = fit < 12000 ? fit : 12000;
    return n < batch ? batch : n;
}

/* Uniform values in 0..1. The caller frees *out. */
static strait_status make_rows(float **out, int64_t n, int64_t values, strait_error *err) {
    float *rows = st_alloc((size_t)(n * values), sizeof *rows);
    if (!rows) return st_fail_memory(err, (size_t)(n * values) * sizeof *rows, "benchmark data");
    for (int64_t i = 0; i < n; i++) {
        const st_rng rng = {.purpose = ST_RNG_BENCH, .sample = (uint32_t)i};
        st_rng_uniform(&rng, 0, rows + i * values, (size_t)values);
    }
    *out = rows;
    return STRAIT_OK;
}

/* ---- training ---- */

#define STRETCH 0.03 /* seconds */

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

static bool faster(const st_stretch *a, const st_stretch *b) {
    return (double)a->samples / a->seconds > (double)b->samples / b->seconds;
}

/* Steps for about `seconds`; *best is the fastest stretch, of three at least, where each is a step or about as long as
   one of the products that the peak is measured with: so that a moment when the machine is busy with something else
   does not count, for neither. The first stretch warms up. */
static strait_status time_steps(st_stretch *best, st_trainer *trainer, double seconds, strait_error *err) {
    const double begin = st_clock(), each = seconds / 20 < STRETCH ? seconds / 20 : STRETCH;
    st_stretch now;
    st_trainer_start(trainer);
    ST_TRY(run_stretch(&now, trainer, each, err));
    ST_TRY(run_stretch(best, trainer, each, err));
    for (int i = 0; i < 2 || st_clock() - begin < seconds; i++) {
        ST_TRY(run_stretch(&now, trainer, each, err));
        if (faster(&now, best)) *best = now;
    }
    return STRAIT_OK;
}

static double step_flops(st_runner *runner) {
    double flops = 0;
    for (int i = 0; i < st_runner_ops(runner); i++) {
        const st_op_cost cost = st_runner_cost(runner, i);
        flops += cost.flops[0] + cost.flops[1];
    }
    return flops;
}

static void describe_op(strait_bench_op *op, const st_op_cost *cost, const st_stretch *all) {
    const bool loss = cost->op->kind == ST_OP_LOSS;
    snprintf(op->name, sizeof op->name, "%s", cost->op->name);
    snprintf(op->kind, sizeof op->kind, "%s", loss ? "" : st_op_name(cost->op->kind));
    snprintf(op->how, sizeof op->how, "%s", cost->how);
    for (int back = 0; back < 2; back++) {
        if (cost->seconds[back] <= 0) continue;
        op->ms[back] = cost->seconds[back] / (double)all->steps * 1e3;
        op->gflops[back] = cost->flops[back] * (double)all->samples / cost->seconds[back] * 1e-9;
        op->gbytes[back] = cost->bytes[back] * (double)all->samples / cost->seconds[back] * 1e-9;
    }
    op->share = (cost->seconds[0] + cost->seconds[1]) / all->seconds;
}

/* Adds a line that is no op of the graph. */
static void describe_rest(strait_bench_op *op, const char *name, double seconds, const st_stretch *all) {
    snprintf(op->name, sizeof op->name, "%s", name);
    op->ms[0] = seconds / (double)all->steps * 1e3;
    op->share = seconds / all->seconds;
}

/* Trains once more, timing each op. */
static strait_status time_ops(strait_bench_row *row, st_trainer_config config, double seconds, strait_error *err) {
    st_trainer *trainer = NULL;
    st_stretch all = {0};
    config.timed = true;
    ST_TRY(st_trainer_new(&trainer, &config, err));
    st_trainer_start(trainer);
    strait_status status = run_stretch(&all, trainer, seconds, err);
    st_runner *runner = st_trainer_runner(trainer);
    const int n = st_runner_ops(runner);
    if (status == STRAIT_OK) {
        row->op = st_alloc((size_t)n + 2, sizeof *row->op);
        if (!row->op) status = st_fail_memory(err, (size_t)n * sizeof *row->op, "the benchmark");
    }
    if (status == STRAIT_OK) {
        double rest = all.seconds - st_trainer_optimizer_seconds(trainer);
        for (int i = 0; i < n; i++) {
            const st_op_cost cost = st_runner_cost(runner, i);
            describe_op(&row->op[i], &cost, &all);
            rest -= cost.seconds[0] + cost.seconds[1];
        }
        describe_rest(&row->op[n], "optimizer", st_trainer_optimizer_seconds(trainer), &all);
        describe_rest(&row->op[n + 1], "other", rest, &all);
        row->n_ops = n + 2;
    }
    st_trainer_free(trainer);
    return status;
}

static strait_status measure_training(strait_bench_row *row, const st_trainer_config *config,
                                      const strait_bench_options *options, strait_error *err) {
    st_trainer *trainer = NULL;
    st_stretch best = {0};
    ST_TRY(st_trainer_new(&trainer, config, err));
    const strait_status status = time_steps(&best, trainer, options->seconds, err);
    if (status == STRAIT_OK) {
        st_runner *runner = st_trainer_runner(trainer);
        row->replicas = st_runner_replicas(runner);
        row->micro_batch = (int)st_runner_micro_batch(runner);
        row->by_columns = st_runner_by_columns(runner);
        row->samples_per_second = (double)best.samples / best.seconds;
        row->ms_per_step = best.seconds / (double)best.steps * 1e3;
        row->gflops = step_flops(runner) * row->samples_per_second * 1e-9;
        row->peak_memory_mb = (double)st_trainer_memory(trainer) / 1e6;
    }
    st_trainer_free(trainer);
    if (status == STRAIT_OK && options->layers) return time_ops(row, *config, options->seconds, err);
    return status;
}

/* ---- encoding ---- */

/* Encodes the rows again and again; the fastest pass counts. */
static strait_status measure_encoding(strait_bench_row *row, const strait_model *model, const float *rows, int64_t n,
                                      const strait_bench_options *options, strait_error *err) {
    st_inference inference;
    ST_TRY(st_inference_open(&inference, model, ST_ENCODE, ST_APPLY_BATCH, options->threads, err));
    st_runner *runner = inference.runner;
    const st_shape input = st_model_input_shape(model);
    const int64_t values = st_shape_count(&input), latent = strait_model_latent_size(model);
    strait_status status = STRAIT_OK;
    float *out = st_alloc((size_t)(ST_APPLY_BATCH * latent), sizeof *out);
    if (!out) status = st_fail_memory(err, (size_t)(ST_APPLY_BATCH * latent) * sizeof *out, "latents");
    const double begin = st_clock();
    double best = 0;
    for (int pass = 0; status == STRAIT_OK && (pass < 2 || st_clock() - begin < options->seconds / 3); pass++)
        for (int64_t i = 0; i < n && status == STRAIT_OK; i += ST_APPLY_BATCH) {
            const int64_t now = n - i < ST_APPLY_BATCH ? n - i : ST_APPLY_BATCH;
            const double start = st_clock();
            status = st_runner_forward(runner, rows + i * values, out, now, err);
            const double rate = (double)now / (st_clock() - start);
            if (rate > best) best = rate;
        }
    row->encode_samples_per_second = best;
    row->encode_gflops = step_flops(runner) * best * 1e-9;
    row->encode_memory_mb = (double)st_runner_memory(runner) / 1e6;
    st_free(out);
    st_inference_close(&inference);
    return status;
}

/* ---- all of it ---- */

static strait_status measure_model(strait_bench_row *row, strait_model *model, const strait_recipe *recipe,
                                   const strait_bench_options *options, strait_error *err) {
    const st_shape input = st_model_input_shape(model);
    const int64_t values = st_shape_count(&input), n = samples_for(values, recipe->train.batch_size);
    float *rows = NULL;
    strait_data *data = NULL;
    ST_TRY(make_rows(&rows, n, values, err));
    row->batch = (int)recipe->train.batch_size;
    strait_status status = strait_data_from_rows(&data, rows, n, input.n_dims, input.dim, err);
    const st_trainer_config config = {.model = model,
                                      .recipe = recipe,
                                      .engine = &st_engine_cpu,
                                      .data = data,
                                      .factor = 1,
                                      .threads = options->threads};
    if (status == STRAIT_OK) status = measure_training(row, &config, options, err);
    if (status == STRAIT_OK) status = measure_encoding(row, model, rows, n, options, err);
    strait_data_free(data);
    st_free(rows);
    return status;
}

static strait_status measure(strait_bench_row *row, const char *name, const strait_bench_options *options,
                             strait_error *err) {
    strait_recipe *recipe = NULL;
    strait_model *model = NULL;
    ST_TRY(strait_recipe_open(&recipe, name, options->n_overrides, options->override, err));
    snprintf(row->name, sizeof row->name, "%s", strait_recipe_name(recipe));
    recipe->data.augment = (st_augment){0}; /* what a model costs, not what enlarging a data set does */
    strait_status status = strait_model_build(&model, recipe, err);
    if (status == STRAIT_OK) status = measure_model(row, model, recipe, options, err);
    strait_model_free(model);
    strait_recipe_free(recipe);
    return status;
}

/* Before, between and after the workloads: the highest counts. */
static strait_status measure_peak(strait_bench *bench, strait_error *err) {
    const int processors = st_processors(), threads = bench->threads < processors ? bench->threads : processors;
    double flops, bytes;
    ST_TRY(st_cpu_peak(&flops, threads, err));
    ST_TRY(st_cpu_bandwidth(&bytes, threads, err));
    if (flops > bench->peak_gflops) bench->peak_gflops = flops;
    if (bytes > bench->peak_gbytes) bench->peak_gbytes = bytes;
    return STRAIT_OK;
}

static strait_status measure_all(strait_bench *bench, const strait_bench_options *options, strait_error *err) {
    if (options->progress) options->progress(options->context, "peak");
    ST_TRY(measure_peak(bench, err));
    for (size_t i = 0; i < options->n_recipes; i++) {
        if (options->progress) options->progress(options->context, options->recipe[i]);
        ST_TRY(measure(&bench->row[bench->n_rows++], options->recipe[i], options, err));
        ST_TRY(measure_peak(bench, err));
    }
    for (int i = 0; i < bench->n_rows; i++) {
        bench->row[i].fraction_of_peak = bench->row[i].gflops / bench->peak_gflops;
        bench->row[i].encode_fraction_of_peak = bench->row[i].encode_gflops / bench->peak_gflops;
    }
    return STRAIT_OK;
}

STRAIT_API strait_status strait_bench_run(strait_bench **out, const strait_bench_options *options, strait_error *err) {
    *out = NULL;
    if (!options) return st_fail(err, STRAIT_ARGUMENT, "strait_bench_run: options is NULL");
    strait_bench_options all = *options;
    if (all.n_recipes == 0) {
        all.recipe = standard;
        all.n_recipes = sizeof standard / sizeof *standard;
    }
    if (all.threads <= 0) all.threads = st_processors();
    if (!(all.seconds > 0)) all.seconds = 3;
    strait_bench *bench = st_alloc(1, sizeof *bench);
    if (!bench) return st_fail_memory(err, sizeof *bench, "the benchmark");
    bench->threads = all.threads;
    bench->row = st_alloc(all.n_recipes, sizeof *bench->row);
    strait_status status = STRAIT_OK;
    if (!bench->row)
        status = st_fail_memory(err, all.n_recipes * sizeof *bench->row, "the benchmark");
    else
        status = measure_all(bench, &all, err);
    if (status != STRAIT_OK)
        strait_bench_free(bench);
    else
        *out = bench;
    return status;
}

STRAIT_API void strait_bench_free(strait_bench *bench) {
    if (!bench) return;
    for (int i = 0; bench->row && i < bench->n_rows; i++)
        st_free(bench->row[i].op);
    st_free(bench->row);
    st_free(bench);
}
