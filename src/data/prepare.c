/* What a recipe asks of any data set before its model sees it: the column of labels taken out of a table, missing
   values filled in (missing.c), cells' counts prepared (cells_prepare.c), channels mixed, images cropped and brought to
   one size, features scaled (derive.c). */
#include <string.h>
#include "data/augment.h"
#include "data/cells_prepare.h"
#include "data/derive.h"
#include "data/missing.h"
#include "image/image.h"

bool st_source_is_rows(const st_source *source) {
    for (;;) {
        const st_source *base = st_cells_base(source);
        if (!base) base = st_derived_base(source);
        if (!base) return source->reader == &st_reader_rows;
        source = base;
    }
}

/* ---- read again as the recipe says ---- */

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool has_options(const st_source *source, const st_source_options *options) {
    return same(options->label, source->label_option) && same(options->key, source->key_option) &&
           same(options->proteins, source->proteins_option) && options->n_shape == source->n_shape_option &&
           memcmp(options->shape, source->shape_option, sizeof options->shape) == 0;
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
    const bool shards = source->reader == &st_reader_tfrecord, shaped = shards && recipe->data.n_shape > 0;
    options->n_shape = shaped ? recipe->data.n_shape : source->n_shape_option;
    memcpy(options->shape, shaped ? recipe->data.shape : source->shape_option, sizeof options->shape);
    if (recipe->data.label) options->label = recipe->data.label;
    if (!options->key) options->key = recipe->data.key;
    if (proteins->on && !options->proteins && !shards) options->proteins = proteins->key ? proteins->key : "auto";
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

strait_status st_data_blame(strait_error *err, strait_status status, st_pos pos) {
    if (!err || !pos.file) return status;
    const strait_error what = *err;
    return st_fail_at(err, status, pos, "%s", what.message);
}

/* A key of images met other samples. */
static strait_status fail_no_images(const strait_data *data, st_pos pos, const char *key, strait_error *err) {
    return st_fail_at(err, STRAIT_RECIPE, pos, "%s: the samples of %s are rows of %lld values, not images", key,
                      data->name, (long long)data->source->n_values);
}

static strait_status check_images(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    if (data->source->n_dims == 3) return STRAIT_OK;
    if (recipe->data.channels.kind != ST_CHANNELS_ALL)
        return fail_no_images(data, recipe->data.channels_pos, "channels", err);
    if (recipe->data.crop.on) return fail_no_images(data, recipe->data.crop_pos, "crop", err);
    return recipe->data.resize[0] > 0 ? fail_no_images(data, recipe->data.pos, "resize", err) : STRAIT_OK;
}

/* What of the recipe is still to be done to a source; false when that is nothing. */
static bool is_needed(st_derivation *what, const st_source *source, const strait_recipe *recipe) {
    const int64_t *size = recipe->data.resize;
    *what = (st_derivation){.prepared = true};
    if (!st_derived_prepared(source)) {
        what->channels = recipe->data.channels;
        what->crop = recipe->data.crop;
        const int64_t height = what->crop.on ? what->crop.height : source->dim[0];
        const int64_t width = what->crop.on ? what->crop.width : source->dim[1];
        if (size[0] > 0 && (height != size[0] || width != size[1])) memcpy(what->resize, size, sizeof what->resize);
    }
    if (recipe->data.scale_features && recipe->data.factors.n > 0 && !st_derived_scaled(source)) {
        what->offsets = &recipe->data.offsets;
        what->factors = &recipe->data.factors;
    }
    return what->channels.kind != ST_CHANNELS_ALL || what->crop.on || what->resize[0] > 0 || what->factors;
}

/* The view's samples with all of it done, and those they are paired with likewise. */
static strait_status derive_view(strait_data **out, const strait_data *data, const st_derivation *what,
                                 strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_derive(&source, data->source, data, what, err));
    strait_status status = STRAIT_OK;
    if (data->source->target) status = st_derive(&source->target, data->source->target, data, what, err);
    if (status == STRAIT_OK) return st_data_new(out, source, data->name, err);
    st_source_release(source);
    return status;
}

static strait_status prepare_images(strait_data **out, strait_data *data, const strait_recipe *recipe,
                                    strait_error *err) {
    st_derivation what;
    ST_TRY(check_images(data, recipe, err));
    if (is_needed(&what, data->source, recipe)) {
        const strait_status status = derive_view(out, data, &what, err);
        if (status != STRAIT_SHAPE || !err) return status;
        /* The message begins with the key that was to blame. */
        if (strncmp(err->message, "crop:", 5) == 0) return st_data_blame(err, status, recipe->data.crop_pos);
        if (strncmp(err->message, "channels:", 9) == 0) return st_data_blame(err, status, recipe->data.channels_pos);
        return status;
    }
    ST_TRY(st_source_check_uniform(data->source, err));
    return st_data_slice(out, data, 0, data->n, err);
}

/* Pairs are of images or plain rows. */
static strait_status check_pair(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    if (!data->source->target || !st_cells_wanted(recipe)) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos,
                      "genes and proteins cannot be prepared of pairs (%s): leave the target out", data->name);
}

strait_status st_data_prepare(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err) {
    strait_data *labelled = NULL, *filled = NULL;
    *out = NULL;
    ST_TRY(st_data_relabel(&labelled, data, recipe, err));
    strait_status status = check_pair(labelled, recipe, err);
    if (status == STRAIT_OK) status = st_data_check_missing(labelled, recipe, err);
    if (status == STRAIT_OK) status = st_data_fill_missing(&filled, labelled, recipe, err);
    if (status == STRAIT_OK)
        status = st_cells_wanted(recipe) ? st_cells_prepare(out, filled, recipe, err)
                                         : prepare_images(out, filled, recipe, err);
    strait_data_free(filled); /* the view keeps the source */
    strait_data_free(labelled);
    return status;
}

strait_status st_data_check_augment(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    if (!st_augment_any(&recipe->data.augment) || data->source->n_dims == 3) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos,
                      "augment: the samples of %s are rows of %lld values, not images", data->name,
                      (long long)data->source->n_values);
}

static strait_status take_any(void *context, const st_image *header, strait_error *err) {
    (void)context, (void)header, (void)err;
    return STRAIT_OK;
}

strait_status st_data_check_corrupt(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    const char *image = recipe->data.corrupt.watermark.image;
    if (!recipe->data.corrupt.watermark.on) return STRAIT_OK;
    if (data->source->n_dims != 3) return fail_no_images(data, recipe->data.corrupt_pos, "corrupt.watermark", err);
    const strait_status status = image ? st_image_scan(image, take_any, NULL, err) : STRAIT_OK;
    return status == STRAIT_OK ? status : st_data_blame(err, status, recipe->data.corrupt_pos);
}

strait_status st_data_check_label(const strait_data *data, const strait_recipe *recipe, strait_error *err) {
    const st_source *source = data->source;
    if (!recipe->data.label || source->n_dims != 3 || source->reader->keys) return STRAIT_OK;
    return st_fail_at(
        err, STRAIT_RECIPE, recipe->data.label_pos,
        "label: %s holds images, and has no columns to take labels from; leave it out (images are labelled "
        "by their folders, or by their data set)",
        data->name);
}
