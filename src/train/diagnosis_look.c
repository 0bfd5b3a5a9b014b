/* One forward pass over the probe, a few samples at a time: every tensor is scanned while it lies in the cache. */
#include "train/diagnosis_int.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Bytes of activations that the runner may keep: large images are looked at a few at a time. */
#define BUDGET ((int64_t)32 << 20)

/* A gaussian latent's unit whose mean varies less than this over the data carries nothing (Burda, Grosse and
   Salakhutdinov: Importance Weighted Autoencoders, 2016, section 5.2). */
#define ACTIVE_VARIANCE 0.01

/* ---- sums ---- */

static strait_status take_sums(st_sums *sums, int64_t n, strait_error *err) {
    sums->n = n;
    sums->sum = st_alloc((size_t)n, sizeof(double));
    sums->square = st_alloc((size_t)n, sizeof(double));
    if (sums->sum && sums->square) return STRAIT_OK;
    return st_fail_memory(err, 2 * (size_t)n * sizeof(double), "the diagnosis");
}

static void clear_sums(st_sums *sums) {
    memset(sums->sum, 0, (size_t)sums->n * sizeof(double));
    memset(sums->square, 0, (size_t)sums->n * sizeof(double));
}

static void add_rows(st_sums *sums, const float *rows /* [n_rows, n] */, int64_t n_rows) {
    double *restrict sum = sums->sum, *restrict square = sums->square;
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t j = 0; j < sums->n; j++) {
            const double x = (double)rows[i * sums->n + j];
            sum[j] += x;
            square[j] += x * x;
        }
}

static double variance(const st_sums *sums, int64_t j, int64_t n_rows) {
    const double mean = sums->sum[j] / (double)n_rows, square = sums->square[j] / (double)n_rows;
    return fmax(square - mean * mean, 0);
}

/* The mean over the values of their standard deviation across the rows. */
static double variation(const st_sums *sums, int64_t n_rows) {
    double sum = 0;
    for (int64_t j = 0; j < sums->n; j++)
        sum += sqrt(variance(sums, j, n_rows));
    return sum / (double)sums->n;
}

/* ---- outputs ---- */

typedef struct tally {
    float minimum, maximum;
    int64_t low, high, outside, clipped;
} tally;

static const tally nothing = {.minimum = INFINITY, .maximum = -INFINITY};

static void count_values(tally *count, const float *value, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const float y = value[i];
        count->minimum = y < count->minimum ? y : count->minimum;
        count->maximum = y > count->maximum ? y : count->maximum;
        count->low += y <= 0.001f;
        count->high += y >= 0.999f;
        count->outside += y < 0.0f || y > 1.0f;
        count->clipped += y <= ST_BCE_CLIP || y >= 1.0f - ST_BCE_CLIP;
    }
}

/* ---- units ---- */

/* Widens the range of each unit, a place on the last axis, by the n values. */
static void widen(float *restrict least, float *restrict most, int64_t units, const float *value, int64_t n) {
    for (int64_t i = 0; i < n; i += units)
        for (int64_t u = 0; u < units; u++) {
            const float x = value[i + u];
            least[u] = x < least[u] ? x : least[u];
            most[u] = x > most[u] ? x : most[u];
        }
}

static double dead_share(const st_diagnosis *diagnosis, const st_diagnosed *layer) {
    if (layer->units == 0) return NAN;
    int64_t dead = 0;
    for (int64_t u = layer->at; u < layer->at + layer->units; u++)
        dead += diagnosis->least[u] == 0.0f && diagnosis->most[u] == 0.0f;
    return (double)dead / (double)layer->units;
}

static int64_t count_dead_latent(const st_diagnosis *diagnosis) {
    const st_graph *graph = diagnosis->config.model->graph;
    const int producer = graph->tensor[graph->latent].producer;
    int64_t dead = 0;
    if (producer >= 0 && graph->op[producer].kind == ST_OP_SAMPLE) {
        for (int64_t j = 0; j < diagnosis->latent.n; j++)
            dead += variance(&diagnosis->latent, j, diagnosis->probe.n) < ACTIVE_VARIANCE;
        return dead * diagnosis->latent_units / diagnosis->latent.n;
    }
    for (int64_t u = 0; u < diagnosis->latent_units; u++)
        dead += !(diagnosis->least[u] < diagnosis->most[u]);
    return dead;
}

/* ---- the look ---- */

static strait_status open_runner(st_diagnosis *diagnosis, strait_error *err) {
    const st_graph *graph = diagnosis->config.model->graph;
    int64_t bytes = 1; /* never 0 */
    for (int i = 0; i < graph->n_tensors; i++)
        bytes += st_shape_count(&graph->tensor[i].shape) * (int64_t)sizeof(float);
    const int64_t fit = BUDGET / bytes;
    diagnosis->chunk = fit < 1 ? 1 : fit < diagnosis->probe.n ? fit : diagnosis->probe.n;
    const st_runner_config config = {
        .graph = graph,
        .engine = diagnosis->config.engine,
        .n_ops = graph->n_ops,
        .batch_size = diagnosis->chunk,
        .threads = 1,
        .micro_batch = diagnosis->chunk,
        .keep_values = true,
        .sibling = diagnosis->config.runner,
        .seed = diagnosis->config.recipe->seed,
    };
    return st_runner_new(&diagnosis->runner, &config, err);
}

strait_status st_look_prepare(st_diagnosis *diagnosis, strait_error *err) {
    const st_graph *graph = diagnosis->config.model->graph;
    const st_shape *latent = &graph->tensor[graph->latent].shape;
    int64_t units = diagnosis->latent_units = latent->dim[latent->n_dims - 1];
    for (int i = 0; i < diagnosis->n_layers; i++) {
        diagnosis->layer[i].at = units;
        units += diagnosis->layer[i].units;
    }
    diagnosis->least = st_alloc((size_t)units, sizeof(float));
    diagnosis->most = st_alloc((size_t)units, sizeof(float));
    if (!diagnosis->least || !diagnosis->most)
        return st_fail_memory(err, 2 * (size_t)units * sizeof(float), "the diagnosis");
    ST_TRY(take_sums(&diagnosis->output, st_shape_count(&graph->tensor[graph->output].shape), err));
    ST_TRY(take_sums(&diagnosis->latent, st_shape_count(latent), err));
    ST_TRY(open_runner(diagnosis, err));
    /* What the outputs will be compared with. */
    tally count = nothing;
    const int64_t n = diagnosis->probe.n * diagnosis->output.n;
    add_rows(&diagnosis->output, diagnosis->probe.batch.target, diagnosis->probe.n);
    count_values(&count, diagnosis->probe.batch.target, n);
    diagnosis->data_variation = variation(&diagnosis->output, diagnosis->probe.n);
    diagnosis->data_low = (double)count.low / (double)n;
    diagnosis->data_high = (double)count.high / (double)n;
    return STRAIT_OK;
}

/* Runs n samples from first on and adds what they give. */
static strait_status add_samples(st_diagnosis *diagnosis, tally *count, int64_t first, int64_t n, strait_error *err) {
    const st_graph *graph = diagnosis->config.model->graph;
    st_runner *runner = diagnosis->runner;
    const int64_t n_in = st_shape_count(&graph->tensor[graph->input].shape);
    ST_TRY(st_runner_forward(runner, diagnosis->probe.batch.input + first * n_in, NULL, n, err));
    for (int i = 0; i < diagnosis->n_layers; i++) {
        const st_diagnosed *layer = &diagnosis->layer[i];
        if (layer->units == 0) continue;
        const int tensor = graph->op[layer->op].dst;
        widen(diagnosis->least + layer->at, diagnosis->most + layer->at, layer->units, st_runner_tensor(runner, tensor),
              n * st_shape_count(&graph->tensor[tensor].shape));
    }
    const float *latent = st_runner_tensor(runner, graph->latent), *output = st_runner_tensor(runner, graph->output);
    widen(diagnosis->least, diagnosis->most, diagnosis->latent_units, latent, n * diagnosis->latent.n);
    add_rows(&diagnosis->latent, latent, n);
    add_rows(&diagnosis->output, output, n);
    count_values(count, output, n * diagnosis->output.n);
    return STRAIT_OK;
}

strait_status st_look_take(st_diagnosis *diagnosis, strait_diagnosis_epoch *epoch, strait_error *err) {
    st_runner *runner = diagnosis->runner;
    if (!diagnosis->config.runner)
        ST_TRY(st_runner_pack(runner, st_runner_parameters(runner), diagnosis->config.model->values, err));
    int64_t units = diagnosis->latent_units;
    for (int i = 0; i < diagnosis->n_layers; i++)
        units += diagnosis->layer[i].units;
    for (int64_t u = 0; u < units; u++) {
        diagnosis->least[u] = INFINITY;
        diagnosis->most[u] = -INFINITY;
    }
    clear_sums(&diagnosis->output);
    clear_sums(&diagnosis->latent);
    tally count = nothing;
    const int64_t rows = diagnosis->probe.n;
    for (int64_t first = 0; first < rows; first += diagnosis->chunk) {
        const int64_t n = rows - first < diagnosis->chunk ? rows - first : diagnosis->chunk;
        ST_TRY(add_samples(diagnosis, &count, first, n, err));
    }
    for (int i = 0; i < diagnosis->n_layers; i++)
        epoch->layer[i].dead_share = dead_share(diagnosis, &diagnosis->layer[i]);
    const double values = (double)rows * (double)diagnosis->output.n;
    epoch->output = (strait_output_state){
        .minimum = (double)count.minimum,
        .maximum = (double)count.maximum,
        .low_share = (double)count.low / values,
        .high_share = (double)count.high / values,
        .outside_share = (double)count.outside / values,
        .variation = variation(&diagnosis->output, rows),
        .data_variation = diagnosis->data_variation,
    };
    diagnosis->look = (st_look){(double)count.clipped / values, count_dead_latent(diagnosis)};
    return STRAIT_OK;
}

void st_look_free(st_diagnosis *diagnosis) {
    st_runner_free(diagnosis->runner);
    st_free(diagnosis->least);
    st_free(diagnosis->most);
    st_free(diagnosis->output.sum);
    st_free(diagnosis->output.square);
    st_free(diagnosis->latent.sum);
    st_free(diagnosis->latent.square);
}
