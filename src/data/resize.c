/* Separable resampling with a triangle filter, the "bilinear" of Pillow's Image.resize (Pillow, libImaging/Resample.c)
   and of PyTorch's interpolate(mode="bilinear", antialias=True, align_corners=False): with s = in / out, value i of the
   result is centred on c = s (i + 1/2) of the source, and source value j weighs max(0, 1 - |j + 1/2 - c| / max(s, 1)),
   the weights scaled to sum to 1. Columns first, then rows; float between, rounded to whole numbers at the end. */
#include "data/resize.h"

#include <math.h>
#include "base/memory.h"

/* The weights along one axis. */
typedef struct axis {
    int64_t n_taps; /* at most, for one value */
    int64_t *first; /* [out] the first source value that weighs */
    int64_t *count; /* [out] */
    float *weight;  /* [out, n_taps] */
} axis;

static void free_axis(axis *a) {
    st_free(a->first);
    st_free(a->count);
    st_free(a->weight);
}

static void fill_tap(axis *a, int64_t i, int64_t in, double scale, double support) {
    const double centre = scale * ((double)i + 0.5);
    int64_t first = (int64_t)(centre - support + 0.5), end = (int64_t)(centre + support + 0.5);
    if (first < 0 || centre - support + 0.5 < 0) first = 0;
    if (end > in) end = in;
    if (end - first > a->n_taps) end = first + a->n_taps;
    double sum = 0;
    float *weight = a->weight + i * a->n_taps;
    for (int64_t j = first; j < end; j++) {
        const double distance = fabs((double)j + 0.5 - centre) / support;
        const double w = distance < 1 ? 1 - distance : 0;
        weight[j - first] = (float)w;
        sum += w;
    }
    for (int64_t j = first; j < end; j++)
        weight[j - first] = (float)((double)weight[j - first] / sum);
    a->first[i] = first;
    a->count[i] = end - first;
}

static strait_status make_axis(axis *a, int64_t out, int64_t in, strait_error *err) {
    const double scale = (double)in / (double)out, support = scale > 1 ? scale : 1;
    a->n_taps = 2 * (int64_t)ceil(support) + 1;
    a->first = st_alloc((size_t)out, sizeof *a->first);
    a->count = st_alloc((size_t)out, sizeof *a->count);
    a->weight = st_alloc((size_t)out, (size_t)a->n_taps * sizeof *a->weight);
    if (!a->first || !a->count || !a->weight)
        return st_fail_memory(err, (size_t)(out * a->n_taps) * sizeof *a->weight, "resizing an image");
    for (int64_t i = 0; i < out; i++)
        fill_tap(a, i, in, scale, support);
    return STRAIT_OK;
}

static float value_at(const void *src, st_dtype type, int64_t i) {
    switch (type) {
    case ST_U8: return (float)((const uint8_t *)src)[i];
    case ST_U16: return (float)((const uint16_t *)src)[i];
    case ST_F32: break;
    }
    return ((const float *)src)[i];
}

static void put(void *dst, st_dtype type, int64_t i, float value) {
    const float top = type == ST_U8 ? 255 : 65535;
    if (type == ST_F32) {
        ((float *)dst)[i] = value;
        return;
    }
    const float rounded = value < 0 ? 0 : value > top ? top : floorf(value + 0.5f);
    if (type == ST_U8) {
        ((uint8_t *)dst)[i] = (uint8_t)rounded;
    } else {
        ((uint16_t *)dst)[i] = (uint16_t)rounded;
    }
}

/* One row of the source: line [in, channels] becomes narrow [out, channels]. */
static void resize_columns(float *narrow, const float *line, const axis *columns, int64_t out, int64_t channels) {
    for (int64_t x = 0; x < out; x++) {
        const float *weight = columns->weight + x * columns->n_taps, *from = line + columns->first[x] * channels;
        for (int64_t c = 0; c < channels; c++) {
            float sum = 0;
            for (int64_t k = 0; k < columns->count[x]; k++)
                sum += weight[k] * from[k * channels + c];
            narrow[x * channels + c] = sum;
        }
    }
}

/* Row y of the result: the weighted sum of rows of between, each n values. */
static void resize_rows(float *line, const float *between, const axis *rows, int64_t y, int64_t n) {
    const float *weight = rows->weight + y * rows->n_taps;
    for (int64_t i = 0; i < n; i++)
        line[i] = 0;
    for (int64_t k = 0; k < rows->count[y]; k++) {
        const float *from = between + (rows->first[y] + k) * n;
        for (int64_t i = 0; i < n; i++)
            line[i] += weight[k] * from[i];
    }
}

strait_status st_resize(void *dst, const int64_t to[2], const void *src, const int64_t from[2], int64_t channels,
                        st_dtype type, strait_error *err) {
    axis rows = {0}, columns = {0};
    const int64_t n_in = from[1] * channels, n_out = to[1] * channels, n_line = n_in > n_out ? n_in : n_out;
    float *between = st_alloc((size_t)from[0], (size_t)n_out * sizeof *between); /* [from[0], n_out] */
    float *line = st_alloc((size_t)n_line, sizeof *line);
    strait_status status = STRAIT_OK;
    if (!between || !line) {
        status = st_fail_memory(err, (size_t)(from[0] * n_out) * sizeof *between, "resizing an image");
        goto done;
    }
    status = make_axis(&columns, to[1], from[1], err);
    if (status == STRAIT_OK) status = make_axis(&rows, to[0], from[0], err);
    if (status != STRAIT_OK) goto done;
    for (int64_t y = 0; y < from[0]; y++) {
        for (int64_t i = 0; i < n_in; i++)
            line[i] = value_at(src, type, y * n_in + i);
        resize_columns(between + y * n_out, line, &columns, to[1], channels);
    }
    for (int64_t y = 0; y < to[0]; y++) {
        resize_rows(line, between, &rows, y, n_out);
        for (int64_t i = 0; i < n_out; i++)
            put(dst, type, y * n_out + i, line[i]);
    }
done:
    free_axis(&rows);
    free_axis(&columns);
    st_free(between);
    st_free(line);
    return status;
}
