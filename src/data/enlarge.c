/* strait_data_augment: an enlarged set of images. Sample i is the image i modulo their number, as it is the first time,
   and augmented from then on by (seed, round, image), so that a larger set begins with the smaller one. It is a source
   like any other, which strait_data_write writes; read by one thread at a time. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/assembler.h"
#include "data/data_int.h"

typedef struct enlarged {
    strait_data *data; /* a view of its own */
    double factor;
    st_assembler *plain, *augmented;
    float *values; /* [n_values] */
} enlarged;

/* What the recipe's data.augment may say, read by its parser. */
static strait_status read_settings(strait_recipe **out, const char *augment, strait_error *err) {
    static const char any[] = "model: {input: [1], encoder: [flatten], decoder: [flatten]}\n";
    char *override = st_format("data.augment=%s", augment);
    if (!override) return st_fail_memory(err, strlen(augment), "settings");
    const char *const overrides[] = {override};
    const strait_status status = strait_recipe_parse(out, any, "augment", 1, overrides, err);
    st_free(override);
    return status;
}

static strait_status read_enlarged(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const enlarged *e = source->state;
    const int64_t n = e->data->n, round = i / n;
    ST_TRY(st_assembler_run(round > 0 ? e->augmented : e->plain, e->values, e->values, (uint32_t)(i % n),
                            (uint32_t)round, err));
    for (int64_t k = 0; k < source->n_values; k++) {
        const double value = (double)e->values[k] / e->factor;
        switch (source->type) {
        case ST_U8: ((uint8_t *)dst)[k] = (uint8_t)(value + 0.5); break;
        case ST_U16: ((uint16_t *)dst)[k] = (uint16_t)(value + 0.5); break;
        case ST_F32: ((float *)dst)[k] = e->values[k]; break;
        }
    }
    return STRAIT_OK;
}

static void close_enlarged(st_source *source) {
    enlarged *e = source->state;
    if (!e) return;
    st_assembler_free(e->plain);
    st_assembler_free(e->augmented);
    strait_data_free(e->data);
    st_free(e->values);
    st_free(e);
}

static const st_reader reader_enlarged = {.name = "enlarged", .read = read_enlarged, .close = close_enlarged};

static strait_status take_labels(st_source *source, const strait_data *data, strait_error *err) {
    const size_t n = (size_t)source->n_samples;
    if (!data->source->labels) return STRAIT_OK;
    source->labels = st_alloc(n, sizeof *source->labels);
    if (!source->labels) return st_fail_memory(err, n * sizeof *source->labels, "labels");
    for (int64_t i = 0; i < source->n_samples; i++)
        source->labels[i] = strait_data_label(data, i % data->n);
    source->label_names = data->source->label_names;
    source->n_label_names = data->source->n_label_names;
    return STRAIT_OK;
}

static strait_status fill(st_source *source, strait_data *data, int64_t n, const st_augment *augment, uint64_t seed,
                          strait_error *err) {
    const strait_recipe unit = {.data.scale = ST_SCALE_UNIT};
    enlarged *e = source->state = st_alloc(1, sizeof *e);
    size_t bytes = 0;
    if (!e) return st_fail_memory(err, sizeof *e, "an enlarged set");
    ST_TRY(st_source_check_uniform(data->source, err));
    const int64_t *size = data->source->dim, dim[] = {n, size[0], size[1], size[2]};
    source->type = data->source->type;
    ST_TRY(st_source_set_shape(&bytes, source, 4, dim, err));
    ST_TRY(take_labels(source, data, err));
    ST_TRY(st_data_slice(&e->data, data, 0, data->n, err));
    e->values = st_alloc((size_t)source->n_values, sizeof *e->values);
    if (!e->values) return st_fail_memory(err, (size_t)source->n_values * sizeof *e->values, "an image");

    st_batches_config config = {.data = e->data, .batch_size = 1, .seed = seed};
    ST_TRY(st_data_scaling(&config.offset, &config.factor, e->data, &unit, err));
    e->factor = config.factor;
    ST_TRY(st_assembler_new(&e->plain, &config, err));
    config.augment = *augment;
    return st_assembler_new(&e->augmented, &config, err);
}

static strait_status enlarge(strait_data **out, strait_data *data, int64_t n, const st_augment *augment, uint64_t seed,
                             strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_new(&source, &reader_enlarged, data->source->path, err));
    const strait_status status = fill(source, data, n, augment, seed, err);
    if (status == STRAIT_OK) return st_data_new(out, source, data->name, err);
    st_source_release(source);
    return status;
}

STRAIT_API strait_status strait_data_augment(const char *out, strait_data *data, int64_t n, const char *augment,
                                             uint64_t seed, strait_error *err) {
    if (!out || !data || !augment) return st_fail(err, STRAIT_ARGUMENT, "strait_data_augment: an argument is NULL");
    if (data->source->n_dims != 3) return st_fail(err, STRAIT_ARGUMENT, "%s: holds no images to augment", data->name);
    if (n < data->n || n > UINT32_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s has %lld images already: an enlarged set has more, up to %lld",
                       data->name, (long long)data->n, (long long)UINT32_MAX);
    strait_recipe *recipe = NULL;
    strait_data *whole = NULL;
    ST_TRY(read_settings(&recipe, augment, err));
    strait_status status = enlarge(&whole, data, n, &recipe->data.augment, seed, err);
    if (status == STRAIT_OK) status = strait_data_write(out, whole, err);
    strait_data_free(whole);
    strait_recipe_free(recipe);
    return status;
}
