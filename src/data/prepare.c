/* What a recipe asks of any data set before its model sees it: the column of labels taken out of a table, cells' counts
   prepared (cells_prepare.c), images brought to one size. A resized source keeps the one it is made of; it is in memory
   whole while it is no larger than st_source_resident_bytes(), else each sample is resized when it is needed. */
#include <string.h>
#include "base/memory.h"
#include "data/augment.h"
#include "data/cells_prepare.h"
#include "data/data_int.h"
#include "data/resize.h"

/* ---- resized sources ---- */

typedef struct resized {
    st_source *base;
    int64_t first;
    uint32_t *index;    /* [n_samples] of the base; NULL: first + i */
    const char **names; /* [n_samples] or NULL */
} resized;

/* Sample i of the result, made of a base's sample in scratch or in memory. */
static strait_status resize_sample(void *dst, const st_source *source, int64_t i, void *scratch, strait_error *err) {
    const resized *state = source->state;
    const st_source *base = state->base;
    const int64_t k = state->index ? state->index[i] : state->first + i;
    const void *sample = NULL;
    ST_TRY(st_source_sample(&sample, base, k, scratch, err));
    return st_resize(dst, source->dim, sample, base->sizes ? base->sizes[k] : base->dim, source->dim[2], source->type,
                     err);
}

static strait_status read_resized(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const st_source *base = ((const resized *)source->state)->base;
    const size_t bytes = (size_t)base->n_values * st_dtype_size(base->type);
    void *scratch = base->values ? NULL : st_alloc(bytes, 1);
    if (!base->values && !scratch) return st_fail_memory(err, bytes, "a sample");
    const strait_status status = resize_sample(dst, source, i, scratch, err);
    st_free(scratch);
    return status;
}

static void close_resized(st_source *source) {
    resized *state = source->state;
    if (!state) return;
    st_source_release(state->base);
    st_free(state->index);
    st_free(state->names);
    st_free(state);
}

static const st_reader reader_resized = {.name = "resized", .read = read_resized, .close = close_resized};

static strait_status load_all(st_source *source, size_t bytes, strait_error *err) {
    const size_t sample = (size_t)source->n_values * st_dtype_size(source->type);
    char *values = st_alloc_aligned(bytes);
    if (!values) return st_fail_memory(err, bytes, "resized images");
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < source->n_samples && status == STRAIT_OK; i++)
        status = read_resized(values + (size_t)i * sample, source, i, err);
    if (status == STRAIT_OK) {
        source->values = values;
    } else {
        st_free(values);
    }
    return status;
}

static strait_status copy_index(resized *state, const strait_data *data, strait_error *err) {
    state->first = data->first;
    if (!data->index) return STRAIT_OK;
    state->index = st_alloc((size_t)data->n, sizeof *state->index);
    if (!state->index) return st_fail_memory(err, (size_t)data->n * sizeof *state->index, "a list of samples");
    memcpy(state->index, data->index, (size_t)data->n * sizeof *state->index);
    return STRAIT_OK;
}

/* Labels and names in the order of the view. */
static strait_status copy_labels(st_source *source, resized *state, const strait_data *data, strait_error *err) {
    const st_source *base = data->source;
    const size_t n = (size_t)data->n;
    if (base->labels && !(source->labels = st_alloc(n, sizeof *source->labels)))
        return st_fail_memory(err, n * sizeof *source->labels, "labels");
    if (base->names && !(state->names = st_alloc(n, sizeof *state->names)))
        return st_fail_memory(err, n * sizeof *state->names, "names");
    for (int64_t i = 0; i < data->n; i++) {
        if (source->labels) source->labels[i] = strait_data_label(data, i);
        if (state->names) state->names[i] = strait_data_sample_name(data, i);
    }
    source->label_names = base->label_names; /* the base stays while this one does */
    source->n_label_names = base->n_label_names;
    source->names = state->names;
    return STRAIT_OK;
}

static strait_status fill_resized(st_source *source, const strait_data *data, const int64_t size[2],
                                  strait_error *err) {
    resized *state = source->state = st_alloc(1, sizeof *state);
    if (!state) return st_fail_memory(err, sizeof *state, "resized images");
    state->base = st_source_share(data->source);
    source->type = data->source->type;
    size_t bytes = 0;
    const int64_t dim[] = {data->n, size[0], size[1], data->source->dim[2]};
    ST_TRY(st_source_set_shape(&bytes, source, 4, dim, err));
    ST_TRY(copy_index(state, data, err));
    ST_TRY(copy_labels(source, state, data, err));
    return bytes <= st_source_resident_bytes() ? load_all(source, bytes, err) : STRAIT_OK;
}

static strait_status resize_data(strait_data **out, const strait_data *data, const int64_t size[2], strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_new(&source, &reader_resized, data->source->path, err));
    const strait_status status = fill_resized(source, data, size, err);
    if (status == STRAIT_OK) return st_data_new(out, source, data->name, err);
    st_source_release(source);
    return status;
}

bool st_source_is_rows(const st_source *source) {
    for (;;) {
        const st_source *cells = st_cells_base(source);
        if (!cells && source->reader != &reader_resized) break;
        source = cells ? cells : ((const resized *)source->state)->base;
    }
    return source->reader == &st_reader_rows;
}

/* ---- read again as the recipe says ---- */

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool has_options(const st_source *source, const st_source_options *options) {
    return same(options->label, source->label_option) && same(options->key, source->key_option) &&
           same(options->proteins, source->proteins_option);
}

/* Whether the table has to be read once more, for the recipe names its labels otherwise. Rows as wide as the model's
   input have no column to spare: people hand over tables without labels too. */
static bool wants_label(const strait_data *data, const strait_recipe *recipe) {
    const st_source *source = data->source;
    if (!recipe->data.label || same(source->label_option, recipe->data.label)) return false;
    int64_t n_inputs = recipe->model.n_input_dims > 0;
    for (int i = 0; i < recipe->model.n_input_dims; i++)
        n_inputs *= recipe->model.input_dim[i];
    return source->n_values != n_inputs;
}

/* Files that hold several things: the recipe's label, key and proteins, where the caller has not named others. */
static bool wants_other(st_source_options *options, const st_source *source, const strait_recipe *recipe) {
    const st_proteins *proteins = &recipe->data.proteins;
    *options = (st_source_options){
        .label = source->label_option, .key = source->key_option, .proteins = source->proteins_option};
    if (recipe->data.label) options->label = recipe->data.label;
    if (!options->key) options->key = recipe->data.key;
    if (proteins->on && !options->proteins) options->proteins = proteins->key ? proteins->key : "auto";
    return !has_options(source, options);
}

strait_status st_data_relabel(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err) {
    st_source *source = NULL;
    st_source_options options = {.label = recipe->data.label};
    const bool again = data->source->reader->keys ? wants_other(&options, data->source, recipe)
                                                  : data->source->reader == &st_reader_csv && wants_label(data, recipe);
    *out = NULL;
    if (!again) return st_data_slice(out, data, 0, data->n, err);
    if (data->again && has_options(data->again, &options))
        return st_data_view(out, st_source_share(data->again), data, err);
    ST_TRY(st_source_open(&source, data->source->path, &options, err));
    if (source->n_samples != data->source->n_samples) {
        st_source_release(source);
        return st_fail(err, STRAIT_FORMAT, "%s: has changed since the data set was opened", data->source->path);
    }
    st_source_release(data->again);
    data->again = st_source_share(source);
    return st_data_view(out, source, data, err);
}

/* ---- all of it ---- */

static strait_status prepare_images(strait_data **out, strait_data *data, const strait_recipe *recipe,
                                    strait_error *err) {
    const int64_t *size = recipe->data.resize, *dim = data->source->dim;
    if (size[0] == 0) {
        ST_TRY(st_source_check_uniform(data->source, err));
    } else if (data->source->n_dims != 3) {
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos,
                          "resize: the samples of %s are rows of %lld values, not images", data->name,
                          (long long)data->source->n_values);
    } else if (dim[0] != size[0] || dim[1] != size[1]) {
        return resize_data(out, data, size, err);
    }
    return st_data_slice(out, data, 0, data->n, err);
}

strait_status st_data_prepare(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err) {
    strait_data *labelled = NULL;
    *out = NULL;
    ST_TRY(st_data_relabel(&labelled, data, recipe, err));
    const strait_status status = st_cells_wanted(recipe) ? st_cells_prepare(out, labelled, recipe, err)
                                                         : prepare_images(out, labelled, recipe, err);
    strait_data_free(labelled); /* the view keeps the source */
    return status;
}

strait_status st_data_check_augment(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    if (!st_augment_any(&recipe->data.augment) || data->source->n_dims == 3) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos,
                      "augment: the samples of %s are rows of %lld values, not images", data->name,
                      (long long)data->source->n_values);
}
