#include "data/missing.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"
#include "data/cells_prepare.h"
#include "data/data_int.h"
#include "data/derive.h"

/* Features beyond that are not written into a recipe; its reader knows the same number. */
#define MAX_FITTED 16384

/* ---- counting, and the gate ---- */

/* By the exponent's bits, which vectorises. */
static bool all_finite(const float *values, int64_t n) {
    uint32_t found = 0;
    for (int64_t k = 0; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, values + k, sizeof bits);
        found |= (uint32_t)((bits & 0x7f800000) == 0x7f800000);
    }
    return !found;
}

/* " (NAME)", or nothing. */
static char *in_brackets(const char *const *names, int64_t i) {
    return names && *names[i] ? st_format(" (%.40s)", names[i]) : st_strdup("");
}

/* "value 3 (gene7) of sample 0 (cell0)"; the caller's, NULL without memory. */
static char *place_of(const st_source *source, int64_t sample, int64_t value) {
    char *feature = in_brackets(source->feature_names, value), *name = in_brackets(source->names, sample),
         *place = NULL;
    if (feature && name)
        place = st_format("value %lld%s of sample %lld%s", (long long)value, feature, (long long)sample, name);
    st_free(feature);
    st_free(name);
    return place;
}

strait_status st_source_count_missing(st_source *source, strait_error *err) {
    const st_sparse *sparse = source->sparse;
    const float *values = sparse ? sparse->value : source->values;
    const int64_t n = sparse ? sparse->n_values : source->n_samples * source->n_values;
    int64_t first = -1, row = 0;
    if (source->type != ST_F32 || !values || all_finite(values, n)) return STRAIT_OK;
    for (int64_t k = 0; k < n; k++) {
        if (isfinite(values[k])) continue;
        if (first < 0) first = k;
        source->n_missing++;
    }
    if (source->missing) return STRAIT_OK; /* the reader knows better words */
    while (sparse && sparse->start[row + 1] <= first)
        row++;
    char *place = sparse ? place_of(source, row, sparse->column[first])
                         : place_of(source, first / source->n_values, first % source->n_values);
    if (place)
        source->missing =
            st_format("%lld value%s not finite, the first (%s) is %s", (long long)source->n_missing,
                      source->n_missing == 1 ? " is" : "s are", isnan(values[first]) ? "NaN" : "infinity", place);
    st_free(place);
    return source->missing ? STRAIT_OK : st_fail_memory(err, 128, "a message");
}

strait_status st_source_check_sample(const st_source *source, int64_t i, const float *values, strait_error *err) {
    const char *mend = "fill them in, or let a recipe do it: data: {missing: zero}, mean or drop";
    int64_t k = 0;
    if (all_finite(values, source->n_values)) return STRAIT_OK;
    if (source->missing) return st_fail(err, STRAIT_FORMAT, "%s: %s; %s", source->path, source->missing, mend);
    while (isfinite(values[k]))
        k++;
    char *place = place_of(source, i, k);
    if (!place) return st_fail_memory(err, 128, "a message");
    const strait_status status = st_fail(err, STRAIT_FORMAT, "%s: %s is %s; %s", source->path, place,
                                         isnan(values[k]) ? "NaN" : "infinite", mend);
    st_free(place);
    return status;
}

/* ---- passes over samples as they are ---- */

/* Whether any can be there: of floats that are in memory it is known, of others it is not. */
static bool may_miss(const st_source *source) {
    if (source->type != ST_F32) return false;
    return source->missing || !(source->values || source->sparse);
}

/* Called with each sample of data, [n_values]. */
typedef void (*st_look)(void *context, int64_t i, const float *values, int64_t n);

static strait_status look_at_all(const strait_data *data, st_look look, void *context, strait_error *err) {
    const st_source *source = data->source;
    const size_t bytes = (size_t)source->n_values * sizeof(float);
    strait_status status = STRAIT_OK;
    void *scratch = st_alloc(bytes, 1);
    if (!scratch) return st_fail_memory(err, bytes, "a sample");
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++) {
        const void *sample = NULL;
        status = st_source_raw_sample(&sample, source, st_data_source_sample(data, i), scratch, err);
        if (status == STRAIT_OK) look(context, i, sample, source->n_values);
    }
    st_free(scratch);
    return status;
}

typedef struct whole {
    uint32_t *sample; /* those without missing values; NULL: only counted */
    int64_t n;
} whole;

static void look_for_whole(void *context, int64_t i, const float *values, int64_t n) {
    whole *w = context;
    if (!all_finite(values, n)) return;
    if (w->sample) w->sample[w->n] = (uint32_t)i;
    w->n++;
}

/* ---- what the recipe says ---- */

static bool fills(const strait_recipe *recipe) {
    return recipe->data.missing == ST_MISSING_ZERO || recipe->data.missing == ST_MISSING_MEAN;
}

static strait_status fail_here(const strait_recipe *recipe, const char *what, strait_error *err) {
    return st_fail_at(err, STRAIT_RECIPE, recipe->data.missing_pos, "missing: %s", what);
}

strait_status st_data_check_missing(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    const st_missing missing = recipe->data.missing;
    if (missing != ST_MISSING_REFUSE && data->source->target)
        return fail_here(recipe, "is for single samples, not for pairs of input and target; leave it out", err);
    if ((missing == ST_MISSING_MEAN || missing == ST_MISSING_DROP) && st_cells_wanted(recipe))
        return fail_here(recipe, "of counts of genes and proteins it is zero, or refuse", err);
    if (fills(recipe) || !data->source->missing) return STRAIT_OK;
    whole w = {0};
    ST_TRY(look_at_all(data, look_for_whole, &w, err));
    if (w.n == data->n) return STRAIT_OK;
    if (missing == ST_MISSING_DROP)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: %s; the model was trained without such samples (missing: drop): leave them out here too",
                       data->source->path, data->source->missing);
    return st_fail(err, STRAIT_FORMAT,
                   "%s: %s; fill them in, or let the recipe do it: data: {missing: zero}, mean or drop",
                   data->source->path, data->source->missing);
}

strait_status st_data_drop_missing(strait_data **data, const strait_recipe *recipe, strait_error *err) {
    strait_data *kept = NULL;
    if (recipe->data.missing != ST_MISSING_DROP || !may_miss((*data)->source)) return STRAIT_OK;
    whole w = {.sample = st_alloc((size_t)(*data)->n, sizeof *w.sample)};
    if (!w.sample) return st_fail_memory(err, (size_t)(*data)->n * sizeof *w.sample, "a list of samples");
    strait_status status = look_at_all(*data, look_for_whole, &w, err);
    if (status == STRAIT_OK && w.n == 0)
        status = fail_here(recipe, "drop leaves no sample: each of them has values that are not finite", err);
    if (status == STRAIT_OK && w.n < (*data)->n) status = st_data_pick(&kept, *data, w.sample, w.n, err);
    st_free(w.sample);
    if (!kept) return status;
    strait_data_free(*data);
    *data = kept;
    return STRAIT_OK;
}

typedef struct means {
    int64_t n_features;
    double *sum, *count; /* [n_features] */
} means;

static void add_to_means(void *context, int64_t i, const float *values, int64_t n) {
    means *m = context;
    (void)i;
    for (int64_t k = 0; k < n; k++) {
        if (!isfinite(values[k])) continue;
        m->sum[k % m->n_features] += (double)values[k];
        m->count[k % m->n_features]++;
    }
}

static strait_status make_means(means *m, const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    ST_TRY(look_at_all(data, add_to_means, m, err));
    for (int64_t f = 0; f < m->n_features; f++) {
        if (m->count[f] == 0)
            return st_fail_at(err, STRAIT_RECIPE, recipe->data.missing_pos,
                              "missing: mean: feature %lld of %s has no finite value in the training samples; leave it "
                              "out, or choose zero",
                              (long long)f, data->name);
        m->sum[f] /= m->count[f];
    }
    return STRAIT_OK;
}

strait_status st_data_fit_missing(strait_recipe *recipe, const strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    means m = {.n_features = source->dim[source->n_dims - 1]};
    if (recipe->data.missing != ST_MISSING_MEAN || recipe->data.means.n > 0 || source->type != ST_F32) return STRAIT_OK;
    if (m.n_features > MAX_FITTED)
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.missing_pos,
                          "missing: mean is for up to %d features, and %s has %lld; zero is for any number", MAX_FITTED,
                          data->name, (long long)m.n_features);
    m.sum = st_alloc((size_t)m.n_features, sizeof *m.sum);
    m.count = st_alloc((size_t)m.n_features, sizeof *m.count);
    const strait_status status = m.sum && m.count
                                     ? make_means(&m, data, recipe, err)
                                     : st_fail_memory(err, (size_t)m.n_features * sizeof *m.sum, "means of features");
    st_free(m.count);
    if (status != STRAIT_OK) {
        st_free(m.sum);
        return status;
    }
    recipe->data.means = (st_numbers){.n = m.n_features, .value = m.sum};
    return STRAIT_OK;
}

strait_status st_data_fill_missing(strait_data **out, strait_data *data, const strait_recipe *recipe,
                                   strait_error *err) {
    st_source *source = NULL;
    if (!fills(recipe) || !may_miss(data->source) || st_derived_filled(data->source) || st_cells_base(data->source))
        return st_data_slice(out, data, 0, data->n, err);
    const st_derivation what = {.fill = true,
                                .means = recipe->data.missing == ST_MISSING_MEAN ? &recipe->data.means : NULL};
    ST_TRY(st_derive(&source, data->source, data, &what, err));
    return st_data_new(out, source, data->name, err);
}

strait_status st_data_tell_missing(char **out, const strait_data *data, const strait_recipe *recipe,
                                   strait_error *err) {
    static const char *const done[] = {[ST_MISSING_REFUSE] = "", /* and no such data comes so far */
                                       [ST_MISSING_ZERO] = "0 takes their place",
                                       [ST_MISSING_MEAN] = "the mean of their feature takes their place"};
    const st_source *source = data->source;
    *out = NULL;
    while (!source->missing) {
        const st_source *base = st_cells_base(source) ? st_cells_base(source) : st_derived_base(source);
        if (!base) break;
        source = base;
    }
    if (!source->missing || recipe->data.missing == ST_MISSING_REFUSE) return STRAIT_OK;
    if (recipe->data.missing == ST_MISSING_DROP) {
        const strait_data all = {.source = (st_source *)source, .n = source->n_samples};
        whole w = {0};
        ST_TRY(look_at_all(&all, look_for_whole, &w, err));
        *out = st_format("%s: %s; %lld of %lld samples are left out", source->path, source->missing,
                         (long long)(all.n - w.n), (long long)all.n);
    } else {
        *out = st_format("%s: %s; %s", source->path, source->missing, done[recipe->data.missing]);
    }
    return *out ? STRAIT_OK : st_fail_memory(err, 256, "a message");
}
