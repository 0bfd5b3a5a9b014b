/* The data sets a recipe trains and validates on. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells_prepare.h"
#include "data/data_int.h"
#include "data/missing.h"
#include "recipe/features.h"

/* The recipe's source with what it names in the file, "cells.h5ad#layers/counts", and with what it is paired with; the
   caller's, NULL without memory. */
static char *with_key(const char *source, const char *target, const strait_recipe *recipe) {
    const bool named = !st_path_exists(source) && strrchr(source, '#');
    const bool keyed = recipe->data.key && !named;
    return st_format("%s%s%s%s%s", source, keyed ? "#" : "", keyed ? recipe->data.key : "", target ? ST_PAIR : "",
                     target ? target : "");
}

/* Leaves out what the recipe drops, and refuses what it does not put up with. */
static strait_status settle_missing(strait_data **data, const strait_recipe *recipe, strait_error *err) {
    strait_status status = st_data_drop_missing(data, recipe, err);
    if (status == STRAIT_OK) status = st_data_check_missing(*data, recipe, err);
    if (status == STRAIT_OK) return STRAIT_OK;
    strait_data_free(*data);
    *data = NULL;
    return status;
}

/* source (and target), or what was given instead of it, with the samples the recipe chooses; not yet as the model takes
   them, for what is fitted is fitted on the training samples alone. pos: of what names the source. */
static strait_status open_chosen(strait_data **out, const char *source, const char *target, strait_data *override,
                                 const strait_recipe *recipe, st_pos pos, strait_error *err) {
    strait_data *opened = NULL, *labelled = NULL;
    char *name = NULL;
    if (!override) {
        if (!(name = with_key(source, target, recipe))) return st_fail_memory(err, strlen(source), "a path");
        strait_error why = {0};
        strait_status status = strait_data_open(&opened, name, &why);
        if (status == STRAIT_FORMAT && recipe->data.label) /* perhaps because the labels are no numbers */
            status = st_data_open(&opened, name, recipe->data.label, err);
        else if (status != STRAIT_OK)
            st_fail(err, why.code, "%s", why.message);
        st_free(name);
        if (status == STRAIT_NOT_FOUND || status == STRAIT_ARGUMENT) return st_data_blame(err, status, pos);
        ST_TRY(status);
    }
    /* The labels first, since they may choose; the sizes last, so that only what was chosen is resized. */
    strait_status status = st_data_relabel(&labelled, override ? override : opened, recipe, err);
    if (status == STRAIT_OK) status = st_data_select(out, labelled, recipe, err);
    if (status == STRAIT_OK) status = settle_missing(out, recipe, err);
    strait_data_free(labelled); /* a view keeps its source */
    strait_data_free(opened);
    return status;
}

/* Brings *data to what the model takes. */
static strait_status prepare(strait_data **data, const strait_recipe *recipe, strait_error *err) {
    strait_data *prepared = NULL;
    if (!*data) return STRAIT_OK;
    ST_TRY(st_data_prepare(&prepared, *data, recipe, err));
    strait_data_free(*data);
    *data = prepared;
    return STRAIT_OK;
}

/* "mnist#train" and "test" give "mnist#test". */
static void add_split(st_text *out, const char *source, size_t n, const char *split) {
    char *one = st_format("%.*s", (int)n, source);
    if (!one) { /* shows when out is taken */
        st_free(out->bytes);
        *out = (st_text){.failed = true};
        return;
    }
    const char *hash = !st_path_exists(one) ? memrchr(one, '#', n) : NULL;
    st_text_add(out, "%.*s#%s", hash ? (int)(hash - one) : (int)n, source, split);
    st_free(one);
}

/* The same of each part of "A + B -> C". */
static strait_status with_split(char **out, const char *source, const char *split, strait_error *err) {
    st_text text = {0};
    const char *from = source;
    for (;;) {
        const char *join = st_path_exists(source) ? NULL : strstr(from, ST_JOIN);
        const char *pair = st_path_exists(source) ? NULL : strstr(from, ST_PAIR);
        const char *end = join && pair ? (join < pair ? join : pair) : join ? join : pair;
        add_split(&text, from, end ? (size_t)(end - from) : strlen(from), split);
        if (!end) break;
        st_text_add(&text, "%s", end == join ? ST_JOIN : ST_PAIR);
        from = end + strlen(end == join ? ST_JOIN : ST_PAIR);
    }
    return st_text_take(out, &text, err);
}

/* The split of the same source that the training samples came from. */
static strait_status open_named(strait_data **out, const strait_recipe *recipe, const strait_data *train,
                                strait_error *err) {
    if (st_source_is_rows(train->source))
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.validation_pos,
                          "validation: '%s' is a split of the source, but the training rows come from memory; give a "
                          "fraction, or validation rows",
                          recipe->data.validation_split);
    char *source = NULL;
    ST_TRY(with_split(&source, train->name, recipe->data.validation_split, err));
    const strait_status status = open_chosen(out, source, NULL, NULL, recipe, recipe->data.validation_pos, err);
    st_free(source);
    return status;
}

/* The last part of the shards, rounded: order has training samples first, n_train of them, each part in its order. */
static strait_status split_shards(uint32_t **order, int64_t *n_train, const strait_data *data,
                                  const strait_recipe *recipe, strait_error *err) {
    const st_source *source = data->source;
    const int n = source->n_shards, n_last = (int)lround(recipe->data.validation_fraction * n);
    if (!source->shard_first || n_last < 1 || n_last >= n)
        return st_fail_at(
            err, STRAIT_RECIPE, recipe->data.validation_pos,
            "split: shards takes %g of the files of %s, of which there %s %d; make more of them, or split "
            "otherwise",
            recipe->data.validation_fraction, data->name, n > 1 ? "are" : "is", n > 0 ? n : 1);
    const int64_t border = source->shard_first[n - n_last];
    int64_t at = 0;
    uint32_t *sample = st_alloc((size_t)data->n, sizeof *sample);
    if (!sample) return st_fail_memory(err, (size_t)data->n * sizeof *sample, "a list of samples");
    for (int64_t i = 0; i < data->n; i++)
        if (st_data_source_sample(data, i) < border) sample[at++] = (uint32_t)i;
    *n_train = at;
    for (int64_t i = 0; i < data->n; i++)
        if (st_data_source_sample(data, i) >= border) sample[at++] = (uint32_t)i;
    *order = sample;
    return STRAIT_OK;
}

/* Takes a part of *train for validation: the last, or as it is drawn. */
static strait_status split_off(strait_data **train, strait_data **validation, const strait_recipe *recipe,
                               strait_error *err) {
    const int64_t n = strait_data_count(*train);
    const double fraction = recipe->data.validation_fraction;
    /* Keras' floor(n (1 - fraction)), but 60,000 samples less 0.8 of them are 12,000, not the 11,999 that binary
       fractions make of it. */
    int64_t n_train = (int64_t)floor((double)n * (1 - fraction) + 1e-6);
    uint32_t *order = NULL;
    if (recipe->data.split == ST_SPLIT_SHARDS) ST_TRY(split_shards(&order, &n_train, *train, recipe, err));
    if (n_train < 1 || n_train >= n) {
        st_free(order);
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.validation_pos,
                          "validation: %g of %lld samples leaves none to %s", fraction, (long long)n,
                          n_train < 1 ? "train on" : "validate on");
    }
    strait_data *first = NULL, *last = NULL;
    strait_status status = STRAIT_OK;
    if (recipe->data.split == ST_SPLIT_LAST) {
        status = st_data_slice(&last, *train, n_train, n - n_train, err);
        if (status == STRAIT_OK) status = st_data_slice(&first, *train, 0, n_train, err);
    } else {
        if (!order) status = st_data_draw_validation(&order, *train, n - n_train, recipe, err);
        if (status == STRAIT_OK) status = st_data_pick(&last, *train, order + n_train, n - n_train, err);
        if (status == STRAIT_OK) status = st_data_pick(&first, *train, order, n_train, err);
        st_free(order);
    }
    if (status != STRAIT_OK) {
        strait_data_free(last);
        return status;
    }
    strait_data_free(*train);
    *train = first;
    *validation = last;
    return STRAIT_OK;
}

/* "28×28×1". */
static void print_shape(char out[96], const strait_data *data) {
    out[0] = '\0';
    for (int i = 0; i < data->source->n_dims; i++) {
        const size_t used = strlen(out);
        snprintf(out + used, 96 - used, "%s%lld", i ? "×" : "", (long long)data->source->dim[i]);
    }
}

static strait_status check_shapes(const strait_data *train, const strait_data *validation, const strait_recipe *recipe,
                                  strait_error *err) {
    const st_source *a = train->source, *b = validation->source;
    if (a->n_dims == b->n_dims && memcmp(a->dim, b->dim, sizeof a->dim) == 0) return STRAIT_OK;
    char shape[96], other[96];
    print_shape(shape, train);
    print_shape(other, validation);
    return st_fail_at(err, STRAIT_SHAPE, recipe->data.validation_pos,
                      "validation samples of %s are %s, training samples of %s are %s", validation->name, other,
                      train->name, shape);
}

/* The same samples with their missing values filled in. */
static strait_status fill(strait_data **data, const strait_recipe *recipe, strait_error *err) {
    strait_data *filled = NULL;
    if (!*data) return STRAIT_OK;
    ST_TRY(st_data_fill_missing(&filled, *data, recipe, err));
    strait_data_free(*data);
    *data = filled;
    return STRAIT_OK;
}

/* Fits on the training samples, prepares all, and lets the model's widths follow. */
static strait_status fit_and_prepare(strait_data **train, strait_data **validation, strait_recipe *recipe,
                                     strait_error *err) {
    ST_TRY(st_data_fit_missing(recipe, *train, err));
    ST_TRY(fill(train, recipe, err));
    ST_TRY(fill(validation, recipe, err));
    ST_TRY(st_cells_fit(recipe, *train, err));
    ST_TRY(prepare(train, recipe, err));
    if (recipe->data.scale_features) {
        ST_TRY(st_data_fit_features(recipe, *train, err));
        ST_TRY(prepare(train, recipe, err)); /* only now with the numbers */
    }
    ST_TRY(prepare(validation, recipe, err));
    const st_features *features = recipe->data.features;
    return st_recipe_follow_data(recipe, (*train)->source->n_dims, (*train)->source->dim,
                                 features ? features->genes.n : 0, features ? features->proteins.n : 0, err);
}

/* *validation stays NULL without; a fraction is taken off *train. */
static strait_status open_validation(strait_data **validation, strait_data **train, const strait_recipe *recipe,
                                     strait_data *override, strait_error *err) {
    if (override) return open_chosen(validation, NULL, NULL, override, recipe, recipe->data.pos, err);
    if (recipe->data.validation_split) return open_named(validation, recipe, *train, err);
    return recipe->data.validation_fraction > 0 ? split_off(train, validation, recipe, err) : STRAIT_OK;
}

strait_status st_data_open_splits(strait_data **train, strait_data **validation, strait_recipe *recipe,
                                  strait_data *train_override, strait_data *validation_override, strait_error *err) {
    *train = *validation = NULL;
    if (!train_override && !recipe->data.source)
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos,
                          "source is missing; name a data set or a file in the recipe, or give the data along with it");
    ST_TRY(open_chosen(train, recipe->data.source, recipe->data.target, train_override, recipe, recipe->data.source_pos,
                       err));
    strait_status status = st_data_check_augment(*train, recipe, err);
    if (status == STRAIT_OK) status = st_data_check_corrupt(*train, recipe, err);
    if (status == STRAIT_OK) status = st_data_check_label(*train, recipe, err);
    if (status == STRAIT_OK) status = open_validation(validation, train, recipe, validation_override, err);
    if (status == STRAIT_OK) status = fit_and_prepare(train, validation, recipe, err);
    if (status == STRAIT_OK && *validation) status = check_shapes(*train, *validation, recipe, err);
    if (status != STRAIT_OK) {
        strait_data_free(*train);
        strait_data_free(*validation);
        *train = *validation = NULL;
    }
    return status;
}
