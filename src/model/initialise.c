/* Initial weights, by the initialisers' formulas as Keras computes them (keras/src/initializers/random_initializers.py:
   VarianceScaling, RandomNormal). Parameter i of a graph draws from the stream (seed, ST_RNG_WEIGHTS, sample = i) from
   its position 0 on; positions are 32 bits, so a very large parameter goes on in the next epoch's stream. */
#include "model/model.h"

#include <math.h>

#include "base/rng.h"

#define STREAM_LENGTH ((int64_t)1 << 31)

/* Standard deviation of the standard normal distribution cut at 2: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)). Keras divides
   by it, so that what is left after the cut has the variance asked for. */
#define CUT_STDDEV 0.87962566103423978
#define CUT 2.0f

/* U(-limit, limit) = (2 U(0, 1) - 1) limit. */
static void fill_uniform(float *value, int64_t n, st_rng rng, float limit) {
    for (; n > 0; rng.epoch++) {
        const int64_t part = n < STREAM_LENGTH ? n : STREAM_LENGTH;
        st_rng_uniform(&rng, 0, value, (size_t)part);
        for (int64_t j = 0; j < part; j++)
            value[j] = (2.0f * value[j] - 1.0f) * limit;
        value += part;
        n -= part;
    }
}

static void fill_normal(float *value, int64_t n, st_rng rng, float stddev) {
    for (; n > 0; rng.epoch++) {
        const int64_t part = n < STREAM_LENGTH ? n : STREAM_LENGTH;
        st_rng_normal(&rng, 0, value, (size_t)part);
        for (int64_t j = 0; j < part; j++)
            value[j] *= stddev;
        value += part;
        n -= part;
    }
}

/* Normal draws in the stream's order, without those beyond the cut, times scale. */
static void fill_truncated(float *value, int64_t n, st_rng rng, float scale) {
    float drawn[256];
    const uint32_t n_drawn = sizeof drawn / sizeof drawn[0];
    uint32_t position = 0;
    for (int64_t j = 0; j < n;) {
        st_rng_normal(&rng, position, drawn, n_drawn);
        for (uint32_t k = 0; k < n_drawn && j < n; k++)
            if (fabsf(drawn[k]) <= CUT) value[j++] = drawn[k] * scale;
        position += n_drawn;
        if (position == (uint32_t)STREAM_LENGTH) {
            position = 0;
            rng.epoch++;
        }
    }
}

static void fill_constant(float *value, int64_t n, float constant) {
    for (int64_t j = 0; j < n; j++)
        value[j] = constant;
}

static void initialise(float *value, const st_parameter *parameter, const st_rng *rng) {
    const int64_t n = st_shape_count(&parameter->shape);
    const double in = (double)parameter->fan_in, out = (double)parameter->fan_out;
    switch (parameter->start.kind) {
    case ST_GLOROT_UNIFORM: fill_uniform(value, n, *rng, (float)sqrt(6.0 / (in + out))); break;
    case ST_GLOROT_NORMAL: fill_truncated(value, n, *rng, (float)(sqrt(2.0 / (in + out)) / CUT_STDDEV)); break;
    case ST_HE_UNIFORM: fill_uniform(value, n, *rng, (float)sqrt(6.0 / in)); break;
    case ST_HE_NORMAL: fill_truncated(value, n, *rng, (float)(sqrt(2.0 / in) / CUT_STDDEV)); break;
    case ST_NORMAL: fill_normal(value, n, *rng, (float)parameter->start.stddev); break;
    case ST_ZEROS: fill_constant(value, n, 0.0f); break;
    case ST_ONES: fill_constant(value, n, 1.0f); break;
    case ST_CONSTANT: fill_constant(value, n, (float)parameter->start.value); break;
    }
}

void st_model_initialise_parameter(float *values, const st_graph *graph, int parameter, uint64_t seed) {
    const st_rng rng = {.seed = seed, .purpose = ST_RNG_WEIGHTS, .sample = (uint32_t)parameter};
    initialise(values, &graph->parameter[parameter], &rng);
}

void st_model_initialise(float *values, const st_graph *graph, uint64_t seed) {
    for (int i = 0; i < graph->n_parameters; i++)
        st_model_initialise_parameter(values + graph->parameter[i].offset, graph, i, seed);
}
