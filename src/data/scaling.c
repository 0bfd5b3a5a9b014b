/* How values are brought to a network's scale: fitted on training data where the recipe says so, once; from then on the
   recipe has the numbers. A feature that never changes becomes 0, as in scikit-learn's scalers. */
#include <math.h>
#include "base/memory.h"
#include "data/assemble.h"
#include "data/derive.h"

/* Features beyond that are not written into a recipe; its reader knows the same number. */
#define MAX_FITTED 16384

/* Of each feature, or of all values together. Sums are of differences from a first value, so that nothing is lost where
   the values are large and close together. */
typedef struct statistics {
    int64_t n_features;
    double n; /* values of each */
    double *origin, *least, *most, *sum, *squares;
} statistics;

static strait_status open_statistics(statistics *s, int64_t n_features, strait_error *err) {
    *s = (statistics){.n_features = n_features};
    double *block = st_alloc((size_t)n_features, 5 * sizeof *block);
    if (!block) return st_fail_memory(err, (size_t)n_features * 5 * sizeof *block, "scaling");
    s->origin = block;
    s->least = block + n_features;
    s->most = block + 2 * n_features;
    s->sum = block + 3 * n_features;
    s->squares = block + 4 * n_features;
    return STRAIT_OK;
}

static void close_statistics(statistics *s) {
    st_free(s->origin);
}

static void add_sample(statistics *s, const float *values, int64_t n, bool first) {
    for (int64_t i = 0; i < n; i++) {
        const int64_t f = s->n_features == 1 ? 0 : i % s->n_features;
        const double x = (double)values[i];
        if (first && i < s->n_features) s->origin[f] = s->least[f] = s->most[f] = x;
        s->least[f] = x < s->least[f] ? x : s->least[f];
        s->most[f] = x > s->most[f] ? x : s->most[f];
        s->sum[f] += x - s->origin[f];
        s->squares[f] += (x - s->origin[f]) * (x - s->origin[f]);
    }
    s->n += (double)(n / s->n_features);
}

static strait_status gather(statistics *s, const strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    const st_affine identity = st_affine_make(0, 1);
    strait_status status = STRAIT_OK;
    float *values = st_alloc((size_t)source->n_values, sizeof *values);
    void *scratch = st_alloc((size_t)source->n_values, st_dtype_size(source->type));
    if (!values || !scratch) status = st_fail_memory(err, (size_t)source->n_values * sizeof *values, "a sample");
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++) {
        const void *sample = NULL;
        status = st_source_sample(&sample, source, st_data_source_sample(data, i), scratch, err);
        if (status != STRAIT_OK) break;
        st_affine_apply(values, sample, source->type, source->n_values, &identity);
        add_sample(s, values, source->n_values, i == 0);
    }
    st_free(values);
    st_free(scratch);
    return status;
}

/* *factor is 0 for a feature that is always the same. */
static void fit(double *offset, double *factor, const statistics *s, int64_t f, st_scale scale) {
    const double mean = s->sum[f] / s->n, range = s->most[f] - s->least[f];
    const double variance = s->squares[f] / s->n - mean * mean;
    *offset = scale == ST_SCALE_MINMAX ? s->least[f] : s->origin[f] + mean;
    *factor = 0;
    if (range > 0) *factor = scale == ST_SCALE_MINMAX ? 1 / range : variance > 0 ? 1 / sqrt(variance) : 0;
}

static strait_status fit_all(double *offset, double *factor, const strait_data *data, const strait_recipe *recipe,
                             strait_error *err) {
    statistics s;
    ST_TRY(st_source_check_uniform(data->source, err));
    ST_TRY(open_statistics(&s, 1, err));
    strait_status status = gather(&s, data, err);
    if (status == STRAIT_OK) fit(offset, factor, &s, 0, recipe->data.scale);
    if (status == STRAIT_OK && *factor == 0)
        status =
            st_fail_at(err, STRAIT_RECIPE, recipe->data.pos, "scale: %s has no range to scale: every value of %s is %g",
                       recipe->data.scale == ST_SCALE_MINMAX ? "minmax" : "standard", data->name, s.least[0]);
    close_statistics(&s);
    return status;
}

strait_status st_data_fit_features(strait_recipe *recipe, const strait_data *data, strait_error *err) {
    const int64_t n = data->source->dim[data->source->n_dims - 1];
    statistics s;
    if (!recipe->data.scale_features || recipe->data.factors.n > 0) return STRAIT_OK;
    if (n > MAX_FITTED)
        return st_fail_at(
            err, STRAIT_RECIPE, recipe->data.pos,
            "scale: per: feature is for up to %d features, and %s has %lld; a batch_norm layer scales any "
            "number",
            MAX_FITTED, data->name, (long long)n);
    ST_TRY(st_source_check_uniform(data->source, err));
    st_numbers offsets = {.value = st_alloc((size_t)n, sizeof(double))};
    st_numbers factors = {.value = st_alloc((size_t)n, sizeof(double))};
    strait_status status = offsets.value && factors.value ? open_statistics(&s, n, err)
                                                          : st_fail_memory(err, (size_t)n * sizeof(double), "scaling");
    if (status == STRAIT_OK) {
        status = gather(&s, data, err);
        for (int64_t f = 0; f < n && status == STRAIT_OK; f++) {
            fit(&offsets.value[f], &factors.value[f], &s, f, recipe->data.scale);
            if (factors.value[f] == 0) factors.value[f] = 1;
        }
        close_statistics(&s);
    }
    if (status != STRAIT_OK) {
        st_free(offsets.value);
        st_free(factors.value);
        return status;
    }
    offsets.n = factors.n = n;
    st_free(recipe->data.offsets.value);
    st_free(recipe->data.factors.value);
    recipe->data.offsets = offsets;
    recipe->data.factors = factors;
    return STRAIT_OK;
}

strait_status st_data_scaling(double *offset, double *factor, strait_data *data, const strait_recipe *recipe,
                              strait_error *err) {
    *offset = 0;
    *factor = 1;
    switch (recipe->data.scale) {
    case ST_SCALE_NONE: break;
    case ST_SCALE_UNIT:
        if (data->source->type == ST_U8) *factor = 1.0 / 255;
        if (data->source->type == ST_U16) *factor = 1.0 / 65535;
        break;
    case ST_SCALE_MINMAX:
    case ST_SCALE_STANDARD:
        if (recipe->data.scale_features) break; /* st_data_prepare has done it */
        if (recipe->data.scale_factor == 0) return fit_all(offset, factor, data, recipe, err);
        *offset = recipe->data.scale_offset;
        *factor = recipe->data.scale_factor;
        break;
    }
    return STRAIT_OK;
}
