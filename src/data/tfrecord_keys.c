/* Which feature of an Example is the sample, its label, its name: those asked for, or else the ones that people call
   so. The shape of plain values comes from features that tell it, or from their number. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "data/tfrecord_int.h"

/* The first that is there is taken. */
static const char *const sample_keys[] = {"image/encoded", "image/raw", "image_raw", "image", "img",   "x",
                                          "values",        "raw",       "features",  "data",  "input", "signal"};
static const char *const label_keys[] = {"label", "image/class/label", "image/label", "class", "target", "y"};
static const char *const text_keys[] = {"label/text", "image/class/text", "label_name", "class_name"};
static const char *const name_keys[] = {"name", "image/filename",  "filename", "file_name",
                                        "path", "image/source_id", "id"};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void st_tfrecord_where(char out[ST_TFRECORD_WHERE], const char *path, int64_t record) {
    snprintf(out, ST_TFRECORD_WHERE, "%s: record %lld", path, (long long)record);
}

strait_status st_tfrecord_fail_damaged(const char *where, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT, "%s: is no tf.train.Example", where);
}

/* The message is known to be sound. */
static bool has(st_feature *out, st_message *record, const char *key) {
    *out = (st_feature){0};
    return st_example_find(out, record, key) > 0;
}

/* "image_raw (bytes), label (int64), height (int64)". */
static void list_features(char *out, size_t n, st_message *record) {
    static const char *const types[] = {"empty", "bytes", "float", "int64"};
    st_example walk = st_example_begin(record);
    st_feature feature;
    out[0] = '\0';
    for (size_t at = 0; at < n && st_example_next(&feature, &walk) > 0;) {
        const int length = snprintf(out + at, n - at, "%s%.60s (%s", at ? ", " : "", feature.key, types[feature.type]);
        at += (size_t)length;
        if (at < n && feature.n != 1) at += (size_t)snprintf(out + at, n - at, ", %lld", (long long)feature.n);
        if (at < n) at += (size_t)snprintf(out + at, n - at, ")");
    }
}

static bool can_be_samples(const st_feature *feature) {
    return feature->n > 0 && (feature->type != ST_LIST_BYTES || feature->bytes.n > 0);
}

static strait_status fail_no_samples(st_message *record, const char *where, const char *asked, strait_error *err) {
    char list[256];
    list_features(list, sizeof list, record);
    if (asked)
        return st_fail(err, STRAIT_ARGUMENT, "%s: has no feature '%s' with values; it has %s", where, asked, list);
    return st_fail(err, STRAIT_ARGUMENT,
                   "%s: no feature is called as samples are; name it: data: {key: ...} in the recipe, or FILE#KEY; it "
                   "has %s",
                   where, list[0] ? list : "none");
}

/* Samples: asked for, well known, or the only feature of bytes. */
static strait_status choose_samples(st_feature *out, st_message *record, const char *where, const char *asked,
                                    strait_error *err) {
    if (asked)
        return has(out, record, asked) && can_be_samples(out) ? STRAIT_OK : fail_no_samples(record, where, asked, err);
    for (size_t i = 0; i < COUNT(sample_keys); i++)
        if (has(out, record, sample_keys[i]) && can_be_samples(out)) return STRAIT_OK;
    st_example walk = st_example_begin(record);
    st_feature feature;
    int n = 0;
    while (st_example_next(&feature, &walk) > 0) {
        if (feature.type != ST_LIST_BYTES || !can_be_samples(&feature)) continue;
        *out = feature;
        n++;
    }
    return n == 1 ? STRAIT_OK : fail_no_samples(record, where, NULL, err);
}

/* The first well-known key with a single value of one of the types; out is empty without. */
static void guess(char *out, st_message *record, const char *const *keys, size_t n, bool integers) {
    st_feature feature;
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (!has(&feature, record, keys[i]) || feature.n != 1) continue;
        if (feature.type != ST_LIST_BYTES && !(integers && feature.type == ST_LIST_INTEGERS)) continue;
        snprintf(out, ST_FEATURE_KEY, "%s", keys[i]);
        return;
    }
}

static strait_status choose_label(st_feature_keys *keys, st_message *record, const char *where, const char *asked,
                                  strait_error *err) {
    char list[256];
    st_feature feature;
    if (!asked) {
        guess(keys->label, record, label_keys, COUNT(label_keys), true);
    } else if (strcmp(asked, "none") != 0) {
        if (!has(&feature, record, asked) || feature.n != 1 || feature.type == ST_LIST_FLOATS) {
            list_features(list, sizeof list, record);
            return st_fail(err, STRAIT_ARGUMENT, "%s: has no feature '%s' with one whole number or one text; it has %s",
                           where, asked, list);
        }
        snprintf(keys->label, sizeof keys->label, "%s", asked);
        keys->label_asked = true;
    }
    if (!keys->label[0]) return STRAIT_OK;
    has(&feature, record, keys->label);
    if (feature.type == ST_LIST_INTEGERS) guess(keys->text, record, text_keys, COUNT(text_keys), false);
    return STRAIT_OK;
}

/* ---- shapes ---- */

static int64_t product(int n_dims, const int64_t *dim) {
    int64_t all = 1;
    for (int i = 0; i < n_dims; i++)
        if (dim[i] < 1 || __builtin_mul_overflow(all, dim[i], &all)) return 0;
    return all;
}

static int64_t one_integer(st_message *record, const char *const *keys) {
    st_feature feature;
    for (int i = 0; keys[i]; i++)
        if (has(&feature, record, keys[i]) && feature.type == ST_LIST_INTEGERS && feature.n == 1)
            return feature.integer;
    return 0;
}

/* The shape that the record itself tells; 0 dims without. */
static int told_shape(int64_t dim[3], st_message *record) {
    static const char *const shapes[] = {"image/shape", "shape"};
    static const char *const heights[] = {"height", "image/height", "rows", NULL};
    static const char *const widths[] = {"width", "image/width", "cols", NULL};
    static const char *const channels[] = {"depth", "channels", "image/channels", "image/depth", NULL};
    st_feature feature;
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (has(&feature, record, shapes[i]) && feature.type == ST_LIST_INTEGERS && feature.n >= 1 && feature.n <= 3)
            return (int)st_feature_integers(dim, 3, &feature, record);
    dim[0] = one_integer(record, heights);
    dim[1] = one_integer(record, widths);
    dim[2] = one_integer(record, channels);
    return dim[0] > 0 && dim[1] > 0 ? 2 + (dim[2] > 0) : 0;
}

/* Bytes of a value by the feature that tells the type; 0 without. */
static int told_size(st_message *record) {
    static const char *const keys[] = {"image/dtype", "dtype"};
    static const struct {
        const char *name;
        int size;
    } types[] = {{"uint8", 1}, {"uint16", 2}, {"float32", 4}};
    st_feature feature;
    for (size_t k = 0; k < COUNT(keys); k++)
        for (size_t i = 0; i < COUNT(types) && has(&feature, record, keys[k]); i++)
            if (feature.type == ST_LIST_BYTES && feature.bytes.n == strlen(types[i].name) &&
                memcmp(record->bytes + feature.bytes.at, types[i].name, feature.bytes.n) == 0)
                return types[i].size;
    return 0;
}

/* n values without a shape: a square image, grey or RGB, or a row. */
static void guess_shape(st_sample_layout *layout, int64_t n) {
    for (int64_t channels = 1; channels <= 3; channels += 2) {
        const int64_t side = n % channels == 0 ? (int64_t)llround(sqrt((double)(n / channels))) : 0;
        if (side < 2 || side * side * channels != n) continue;
        layout->n_dims = 3;
        layout->dim[0] = layout->dim[1] = side;
        layout->dim[2] = channels;
        return;
    }
    layout->n_dims = 1;
    layout->dim[0] = n;
}

static strait_status fail_shape(const st_sample_layout *layout, const int64_t *dim, const char *where,
                                strait_error *err) {
    char shape[96];
    size_t at = 0;
    for (int i = 0; i < layout->n_dims && at < sizeof shape; i++)
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%s%lld", i ? "×" : "", (long long)dim[i]);
    return st_fail(err, STRAIT_ARGUMENT,
                   "%s: its sample of %lld %s is not of shape %s; say how the values lie: data: {shape: [h, w, "
                   "channels]} in the recipe",
                   where, (long long)layout->n, layout->type == ST_LIST_BYTES ? "bytes" : "values", shape);
}

/* Raw bytes are values of one, two or four bytes, as many as fit the shape. */
static strait_status lay_out_bytes(st_sample_layout *layout, st_message *record, const char *where, strait_error *err) {
    const int told = told_size(record);
    int64_t *dim = layout->dim, all = product(layout->n_dims, dim), size = told ? told : 1;
    if (layout->n_dims == 0) {
        if (layout->n % size == 0) guess_shape(layout, layout->n / size);
        all = layout->n / size;
    } else if (layout->n_dims == 2 && all > 0 &&
               layout->n == 3 * all) { /* height and width are told, not that it is RGB */
        dim[layout->n_dims++] = 3;
        all *= 3;
    } else if (!told && all > 0) {
        size = layout->n / all;
    }
    if (all < 1 || (size != 1 && size != 2 && size != 4) || all > layout->n / size || all * size != layout->n)
        return fail_shape(layout, dim, where, err);
    layout->dtype = size == 1 ? ST_U8 : size == 2 ? ST_U16 : ST_F32;
    return STRAIT_OK;
}

static strait_status lay_out_numbers(st_sample_layout *layout, const char *where, strait_error *err) {
    layout->dtype = ST_F32;
    if (layout->n_dims == 0) {
        layout->n_dims = 1;
        layout->dim[0] = layout->n;
    }
    return product(layout->n_dims, layout->dim) == layout->n ? STRAIT_OK : fail_shape(layout, layout->dim, where, err);
}

st_image_format st_tfrecord_image_format(const void *bytes, size_t n) {
    const st_image_format format = st_image_format_of_bytes(bytes, n);
    return format == ST_IMAGE_TIFF ? ST_IMAGE_UNKNOWN : format; /* which is read from files alone */
}

static strait_status lay_out_image(st_sample_layout *layout, const void *bytes, size_t n, const char *where,
                                   const st_source_options *options, strait_error *err) {
    st_image image = {0};
    if (options->n_shape > 0)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: holds %s images, which have a shape of their own; shape is for plain values", where,
                       st_image_format_name(layout->format));
    ST_TRY(st_image_decode_header(&image, bytes, n, where, err));
    layout->dtype = image.bits == 16 ? ST_U16 : ST_U8;
    layout->n_dims = 3;
    memcpy(layout->dim, (int64_t[]){image.height, image.width, image.channels}, 3 * sizeof *layout->dim);
    return STRAIT_OK;
}

/* ---- all of it ---- */

static strait_status lay_out(st_sample_layout *layout, const st_feature *samples, st_message *record, const char *where,
                             const st_source_options *options, strait_error *err) {
    *layout = (st_sample_layout){.type = samples->type, .n = samples->n};
    if (samples->type == ST_LIST_BYTES) {
        const uint8_t *bytes = record->bytes + samples->bytes.at;
        layout->n = (int64_t)samples->bytes.n;
        layout->format = st_tfrecord_image_format(bytes, samples->bytes.n);
        if (layout->format != ST_IMAGE_UNKNOWN)
            return lay_out_image(layout, bytes, samples->bytes.n, where, options, err);
    }
    layout->n_dims = options->n_shape > 0 ? options->n_shape : told_shape(layout->dim, record);
    if (options->n_shape > 0) memcpy(layout->dim, options->shape, (size_t)options->n_shape * sizeof *layout->dim);
    if (samples->type == ST_LIST_BYTES) return lay_out_bytes(layout, record, where, err);
    /* Height and width are those of an image; a list of numbers beside one is as long as it is. */
    if (options->n_shape == 0 && product(layout->n_dims, layout->dim) != layout->n) layout->n_dims = 0;
    return lay_out_numbers(layout, where, err);
}

strait_status st_tfrecord_choose(st_feature_keys *keys, st_sample_layout *layout, const uint8_t *bytes, size_t n,
                                 const char *where, const st_source_options *options, strait_error *err) {
    st_message record = st_message_of(bytes, n);
    st_feature samples = {0};
    if (st_example_find(&samples, &record, "") < 0) return st_tfrecord_fail_damaged(where, err);
    *keys = (st_feature_keys){0};
    ST_TRY(choose_samples(&samples, &record, where, options->key, err));
    snprintf(keys->samples, sizeof keys->samples, "%s", samples.key);
    ST_TRY(choose_label(keys, &record, where, options->label, err));
    guess(keys->name, &record, name_keys, COUNT(name_keys), false);
    return lay_out(layout, &samples, &record, where, options, err);
}
