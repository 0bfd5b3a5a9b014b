#include "data/derive.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells_prepare.h"
#include "data/resize.h"

typedef struct derived {
    st_source *base;
    int64_t first;
    uint32_t *index;    /* [n_samples] of the base; NULL: first + i */
    const char **names; /* [n_samples] or NULL */
    st_derivation what; /* its numbers are these: */
    st_numbers offsets, factors, means;
} derived;

void st_source_image_shape(int64_t out[3], const st_source *source, int64_t i) {
    const int64_t last = source->n_dims > 0 ? source->dim[source->n_dims - 1] : 1;
    out[0] = source->n_dims == 3 ? source->dim[0] : 1;
    out[1] = source->n_dims == 3 ? source->dim[1] : source->n_values / last;
    out[2] = last;
    if (!source->sizes) return;
    out[0] = source->sizes[i][0];
    out[1] = source->sizes[i][1];
}

/* ---- one sample ---- */

/* ITU-R BT.601's luma; of bytes as Pillow's convert("L") rounds it. */
static double luma_of(const double channel[3], st_dtype type) {
    if (type == ST_F32) return 0.299 * channel[0] + 0.587 * channel[1] + 0.114 * channel[2];
    return (double)(((int64_t)channel[0] * 19595 + (int64_t)channel[1] * 38470 + (int64_t)channel[2] * 7471 + 0x8000) >>
                    16);
}

static double value_at(const void *src, st_dtype type, int64_t i) {
    switch (type) {
    case ST_U8: return ((const uint8_t *)src)[i];
    case ST_U16: return ((const uint16_t *)src)[i];
    case ST_F32: break;
    }
    return (double)((const float *)src)[i];
}

static void put_value(void *dst, st_dtype type, int64_t i, double value) {
    switch (type) {
    case ST_U8: ((uint8_t *)dst)[i] = (uint8_t)value; break;
    case ST_U16: ((uint16_t *)dst)[i] = (uint16_t)value; break;
    case ST_F32: ((float *)dst)[i] = (float)value; break;
    }
}

/* The one value that is made of a pixel's n channels, from place `at` of src on. */
static double mix_pixel(const void *src, st_dtype type, int64_t at, int64_t n, st_channels_kind kind) {
    double channel[3], least = value_at(src, type, at), most = least, sum = 0;
    if (kind == ST_CHANNELS_GRAY) {
        for (int c = 0; c < 3; c++)
            channel[c] = value_at(src, type, at + c);
        return luma_of(channel, type);
    }
    for (int64_t c = 0; c < n; c++) {
        const double value = value_at(src, type, at + c);
        least = value < least ? value : least;
        most = value > most ? value : most;
        sum += value;
    }
    const double mean = sum / (double)n;
    return kind == ST_CHANNELS_OVERLAP   ? least
           : kind == ST_CHANNELS_OVERLAY ? most
           : type == ST_F32              ? mean
                                         : (double)(int64_t)(mean + 0.5);
}

/* dst [to[0], to[1], to[2]]: the pixels of src [from...] from (top, left) on, their channels picked or mixed. */
static void cut(void *dst, const int64_t to[3], const void *src, const int64_t from[3], int64_t top, int64_t left,
                st_dtype type, const st_channels *channels) {
    const size_t size = st_dtype_size(type);
    for (int64_t y = 0; y < to[0]; y++)
        for (int64_t x = 0; x < to[1]; x++) {
            const int64_t at = ((top + y) * from[1] + left + x) * from[2], put = (y * to[1] + x) * to[2];
            if (channels->kind == ST_CHANNELS_ALL)
                memcpy((char *)dst + (size_t)put * size, (const char *)src + (size_t)at * size, (size_t)to[2] * size);
            else if (channels->kind == ST_CHANNELS_PICK)
                for (int c = 0; c < channels->n; c++)
                    memcpy((char *)dst + (size_t)(put + c) * size,
                           (const char *)src + (size_t)(at + channels->pick[c]) * size, size);
            else
                put_value(dst, type, put, mix_pixel(src, type, at, from[2], channels->kind));
        }
}

static void scale(float *dst, const void *src, st_dtype type, int64_t n, const derived *d) {
    const int64_t features = d->factors.n;
    for (int64_t i = 0; i < n; i++)
        dst[i] = (float)((value_at(src, type, i) - d->offsets.value[i % features]) * d->factors.value[i % features]);
}

/* Numbers where values are missing; the base's samples are taken as they are. */
static strait_status fill_sample(float *dst, const derived *d, int64_t k, strait_error *err) {
    const int64_t n = d->base->n_values, features = d->means.n;
    const void *now = NULL;
    ST_TRY(st_source_raw_sample(&now, d->base, k, dst, err));
    if (now != dst) memcpy(dst, now, (size_t)n * sizeof *dst);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(dst[i])) dst[i] = features > 0 ? (float)d->means.value[i % features] : 0;
    return STRAIT_OK;
}

/* The steps of one sample, from what the base has to dst; buffers are had when they are needed. */
static strait_status make_sample(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const derived *d = source->state;
    const st_source *base = d->base;
    const int64_t k = st_derived_sample(source, i);
    const size_t size = st_dtype_size(base->type), whole = (size_t)base->n_values * size;
    if (d->what.fill) return fill_sample(dst, d, k, err);
    void *scratch = base->values ? NULL : st_alloc(whole, 1), *part = NULL, *fitted = NULL;
    int64_t has[3], cropped[3], wants[3];
    const void *now = NULL;
    strait_status status = !base->values && !scratch ? st_fail_memory(err, whole, "a sample") : STRAIT_OK;
    if (status == STRAIT_OK) status = st_source_sample(&now, base, k, scratch, err);
    if (status != STRAIT_OK) goto done;

    st_source_image_shape(has, base, k);
    st_source_image_shape(wants, source, i);
    memcpy(cropped, has, sizeof has);
    if (d->what.crop.on) cropped[0] = d->what.crop.height, cropped[1] = d->what.crop.width;
    cropped[2] = wants[2];
    const bool resized = cropped[0] != wants[0] || cropped[1] != wants[1], scaled = d->factors.n > 0;
    if (d->what.crop.on || d->what.channels.kind != ST_CHANNELS_ALL) {
        const size_t bytes = (size_t)(cropped[0] * cropped[1] * cropped[2]) * size;
        part = resized || scaled ? st_alloc(bytes, 1) : dst;
        if (!part) status = st_fail_memory(err, bytes, "a part of an image");
        if (status != STRAIT_OK) goto done;
        cut(part, cropped, now, has, d->what.crop.box ? d->what.crop.top : (has[0] - cropped[0]) / 2,
            d->what.crop.box ? d->what.crop.left : (has[1] - cropped[1]) / 2, base->type, &d->what.channels);
        now = part;
    }
    if (resized) {
        const size_t bytes = (size_t)source->n_values * size;
        fitted = scaled ? st_alloc(bytes, 1) : dst;
        status = fitted ? st_resize(fitted, wants, now, cropped, wants[2], base->type, err)
                        : st_fail_memory(err, bytes, "a resized image");
        if (status != STRAIT_OK) goto done;
        now = fitted;
    }
    if (scaled)
        scale(dst, now, base->type, source->n_values, d);
    else if (now != dst)
        memcpy(dst, now, (size_t)source->n_values * size);
done:
    st_free(scratch);
    if (part != dst) st_free(part);
    if (fitted != dst) st_free(fitted);
    return status;
}

static void close_derived(st_source *source) {
    derived *d = source->state;
    if (!d) return;
    st_source_release(d->base);
    st_free(d->index);
    st_free(d->names);
    st_free(d->offsets.value);
    st_free(d->factors.value);
    st_free(d->means.value);
    st_free(d);
}

static const st_reader reader_derived = {.name = "prepared", .read = make_sample, .close = close_derived};

st_source *st_derived_base(const st_source *source) {
    return source->reader == &reader_derived ? ((const derived *)source->state)->base : NULL;
}

int64_t st_derived_sample(const st_source *source, int64_t i) {
    const derived *d = source->state;
    return d->index ? d->index[i] : d->first + i;
}

const st_source *st_source_bottom(int64_t *i, const st_source *source) {
    for (;;) {
        const st_source *base = st_cells_base(source); /* which has the same samples */
        if (!base) {
            base = st_derived_base(source);
            if (base) *i = st_derived_sample(source, *i);
        }
        if (!base) return source;
        source = base;
    }
}

bool st_derived_prepared(const st_source *source) {
    for (; source->reader == &reader_derived; source = ((const derived *)source->state)->base)
        if (((const derived *)source->state)->what.prepared) return true;
    return false;
}

bool st_derived_scaled(const st_source *source) {
    for (; source->reader == &reader_derived; source = ((const derived *)source->state)->base)
        if (((const derived *)source->state)->factors.n > 0) return true;
    return false;
}

bool st_derived_filled(const st_source *source) {
    for (; source->reader == &reader_derived; source = ((const derived *)source->state)->base)
        if (((const derived *)source->state)->what.fill) return true;
    return false;
}

/* ---- making one ---- */

static strait_status copy_index(derived *d, const strait_data *data, strait_error *err) {
    d->first = data->first;
    if (!data->index) return STRAIT_OK;
    d->index = st_alloc((size_t)data->n, sizeof *d->index);
    if (!d->index) return st_fail_memory(err, (size_t)data->n * sizeof *d->index, "a list of samples");
    memcpy(d->index, data->index, (size_t)data->n * sizeof *d->index);
    return STRAIT_OK;
}

/* Labels and names in the order of the view; those of the view's own source, which stays while the base does, or with
   the pair that both belong to. */
static strait_status copy_labels(st_source *source, derived *d, const strait_data *data, strait_error *err) {
    const st_source *base = d->base;
    const size_t n = (size_t)data->n;
    if (base->labels && !(source->labels = st_alloc(n, sizeof *source->labels)))
        return st_fail_memory(err, n * sizeof *source->labels, "labels");
    if (base->names && !(d->names = st_alloc(n, sizeof *d->names)))
        return st_fail_memory(err, n * sizeof *d->names, "names");
    for (int64_t i = 0; i < data->n; i++) {
        const int64_t k = st_data_source_sample(data, i);
        if (source->labels) source->labels[i] = base->labels[k];
        if (d->names) d->names[i] = base->names[k];
    }
    source->label_names = base->label_names;
    source->n_label_names = base->n_label_names;
    source->names = d->names;
    if (base->n_values == source->n_values) { /* columns keep their names */
        source->feature_names = base->feature_names;
        source->feature_kind = base->feature_kind;
    }
    return STRAIT_OK;
}

static bool copy_numbers(st_numbers *out, const st_numbers *list) {
    out->value = st_alloc((size_t)list->n, sizeof *out->value);
    if (!out->value) return false;
    memcpy(out->value, list->value, (size_t)list->n * sizeof *out->value);
    out->n = list->n;
    return true;
}

static strait_status take_numbers(derived *d, const st_derivation *what, int64_t features, strait_error *err) {
    if (what->means && what->means->n != features)
        return st_fail(err, STRAIT_SHAPE, "missing: the model has %lld means, and the samples of %s have %lld features",
                       (long long)what->means->n, d->base->path, (long long)features);
    if (what->means && !copy_numbers(&d->means, what->means))
        return st_fail_memory(err, (size_t)features * sizeof(double), "means of features");
    if (!what->factors) return STRAIT_OK;
    if (what->factors->n != features || what->offsets->n != features)
        return st_fail(err, STRAIT_SHAPE, "scale: was fitted to %lld features, and the samples of %s have %lld",
                       (long long)what->factors->n, d->base->path, (long long)features);
    if (!copy_numbers(&d->offsets, what->offsets) || !copy_numbers(&d->factors, what->factors))
        return st_fail_memory(err, (size_t)features * sizeof(double), "scaling");
    return STRAIT_OK;
}

/* Each image holds the crop. */
static strait_status check_crop(const derived *d, const strait_data *data, strait_error *err) {
    const st_crop *crop = &d->what.crop;
    const int64_t bottom = crop->top + crop->height, right = crop->left + crop->width; /* top, left 0 without a box */
    for (int64_t i = 0; crop->on && i < data->n; i++) {
        int64_t has[3];
        const int64_t k = st_data_source_sample(data, i);
        st_source_image_shape(has, d->base, k);
        if (bottom <= has[0] && right <= has[1]) continue;
        const char *name = d->base->names ? d->base->names[k] : "its images";
        return st_fail(err, STRAIT_SHAPE,
                       "crop: %s of %s has %lld×%lld pixels, and the crop ends at row %lld, column %lld; "
                       "make it smaller",
                       name, d->base->path, (long long)has[0], (long long)has[1], (long long)bottom, (long long)right);
    }
    return STRAIT_OK;
}

static strait_status count_channels(int64_t *n, const derived *d, strait_error *err) {
    const st_channels *channels = &d->what.channels;
    const int64_t has = d->base->dim[d->base->n_dims - 1];
    *n = channels->kind == ST_CHANNELS_ALL ? has : channels->kind == ST_CHANNELS_PICK ? channels->n : 1;
    if (channels->kind == ST_CHANNELS_GRAY && has != 3)
        return st_fail(err, STRAIT_SHAPE, "channels: gray is made of red, green and blue, and %s has %lld channel%s",
                       d->base->path, (long long)has, has == 1 ? "" : "s");
    for (int c = 0; c < channels->n; c++)
        if (channels->pick[c] >= has)
            return st_fail(err, STRAIT_SHAPE, "channels: there is no channel %lld in %s, which has %lld, from 0",
                           (long long)channels->pick[c], d->base->path, (long long)has);
    return STRAIT_OK;
}

static strait_status load_all(st_source *source, size_t bytes, strait_error *err) {
    const size_t sample = (size_t)source->n_values * st_dtype_size(source->type);
    char *values = st_alloc_aligned(bytes);
    if (!values) return st_fail_memory(err, bytes, "prepared images");
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < source->n_samples && status == STRAIT_OK; i++)
        status = make_sample(values + (size_t)i * sample, source, i, err);
    if (status == STRAIT_OK) {
        source->values = values;
    } else {
        st_free(values);
    }
    return status;
}

/* Samples of several sizes, in the view's order. */
static strait_status keep_sizes(st_source *source, const derived *d, const strait_data *data, strait_error *err) {
    const st_source *base = d->base;
    source->n_samples = data->n;
    source->n_dims = base->n_dims;
    source->n_values = base->n_values;
    memcpy(source->dim, base->dim, sizeof base->dim);
    source->sizes = st_alloc((size_t)data->n, sizeof *source->sizes);
    source->mixed = st_strdup(base->mixed);
    if (!source->sizes || !source->mixed)
        return st_fail_memory(err, (size_t)data->n * sizeof *source->sizes, "the sizes of images");
    for (int64_t i = 0; i < data->n; i++)
        memcpy(source->sizes[i], base->sizes[st_data_source_sample(data, i)], sizeof *source->sizes);
    return STRAIT_OK;
}

/* The shape of the result: that of the base where nothing is said of it. */
static strait_status set_shape(size_t *bytes, st_source *source, const derived *d, const strait_data *data,
                               strait_error *err) {
    const st_source *base = d->base;
    int64_t dim[ST_SAMPLE_DIMS + 1] = {data->n}, channels = 0;
    memcpy(dim + 1, base->dim, sizeof base->dim);
    ST_TRY(count_channels(&channels, d, err));
    dim[base->n_dims] = channels;
    if (d->what.crop.on) dim[1] = d->what.crop.height, dim[2] = d->what.crop.width;
    if (d->what.resize[0] > 0) dim[1] = d->what.resize[0], dim[2] = d->what.resize[1];
    source->type = d->what.factors ? ST_F32 : base->type;
    if (base->sizes && d->what.resize[0] == 0 && !d->what.crop.on) {
        if (d->what.prepared) return st_source_check_uniform(base, err); /* it is not */
        return keep_sizes(source, d, data, err);
    }
    return st_source_set_shape(bytes, source, base->n_dims + 1, dim, err);
}

static strait_status fill(st_source *source, st_source *base, const strait_data *data, const st_derivation *what,
                          strait_error *err) {
    derived *d = source->state = st_alloc(1, sizeof *d);
    size_t bytes = 0;
    if (!d) return st_fail_memory(err, sizeof *d, "prepared samples");
    d->base = st_source_share(base);
    d->what = *what;
    ST_TRY(check_crop(d, data, err));
    ST_TRY(set_shape(&bytes, source, d, data, err));
    ST_TRY(copy_index(d, data, err));
    ST_TRY(copy_labels(source, d, data, err));
    ST_TRY(take_numbers(d, what, source->dim[source->n_dims - 1], err));
    d->what.offsets = d->what.factors = d->what.means = NULL; /* the caller's */
    const bool computes = what->fill || what->crop.on || what->resize[0] > 0 || what->channels.kind != ST_CHANNELS_ALL;
    return computes && bytes <= st_source_resident_bytes() ? load_all(source, bytes, err) : STRAIT_OK;
}

strait_status st_derive(st_source **out, st_source *base, const strait_data *view, const st_derivation *derivation,
                        strait_error *err) {
    st_source *source = NULL;
    *out = NULL;
    ST_TRY(st_source_new(&source, &reader_derived, base->path, err));
    const strait_status status = fill(source, base, view, derivation, err);
    if (status == STRAIT_OK) {
        *out = source;
    } else {
        st_source_release(source);
    }
    return status;
}
