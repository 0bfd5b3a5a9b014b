/* strait_data_augment: an enlarged set of images. Sample i is the image i modulo their number, as it is the first time,
   and augmented from then on by (seed, round, image), so that a larger set begins with the smaller one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/assembler.h"
#include "data/data_int.h"
#include "image/png.h"

typedef struct enlarging {
    strait_data *data;
    const st_source *source;
    int64_t n, n_values;
    double factor;
    st_assembler *plain, *augmented;
    float *values; /* [n_values] */
    void *stored;  /* [n_values] of the source's type */
    char *folder;  /* images are written to, and renamed at the end */
    int64_t n_written;
} enlarging;

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

static strait_status open_enlarging(enlarging *e, const st_augment *augment, uint64_t seed, strait_error *err) {
    const strait_recipe unit = {.data.scale = ST_SCALE_UNIT};
    st_batches_config config = {.data = e->data, .batch_size = 1, .seed = seed};
    ST_TRY(st_data_scaling(&config.offset, &config.factor, e->data, &unit, err));
    e->factor = config.factor;
    ST_TRY(st_assembler_new(&e->plain, &config, err));
    config.augment = *augment;
    ST_TRY(st_assembler_new(&e->augmented, &config, err));
    e->values = st_alloc((size_t)e->n_values, sizeof *e->values);
    e->stored = st_alloc((size_t)e->n_values, st_dtype_size(e->source->type));
    return e->values && e->stored ? STRAIT_OK
                                  : st_fail_memory(err, (size_t)e->n_values * sizeof *e->values, "an image");
}

static void close_enlarging(enlarging *e) {
    st_assembler_free(e->plain);
    st_assembler_free(e->augmented);
    st_free(e->values);
    st_free(e->stored);
    st_free(e->folder);
}

/* Sample i in the source's type. */
static strait_status make_sample(enlarging *e, int64_t i, strait_error *err) {
    const int64_t n = strait_data_count(e->data), round = i / n;
    ST_TRY(st_assembler_run(round > 0 ? e->augmented : e->plain, e->values, e->values, (uint32_t)(i % n),
                            (uint32_t)round, err));
    for (int64_t k = 0; k < e->n_values; k++) {
        const double value = (double)e->values[k] / e->factor;
        switch (e->source->type) {
        case ST_U8: ((uint8_t *)e->stored)[k] = (uint8_t)(value + 0.5); break;
        case ST_U16: ((uint16_t *)e->stored)[k] = (uint16_t)(value + 0.5); break;
        case ST_F32: ((float *)e->stored)[k] = e->values[k]; break;
        }
    }
    return STRAIT_OK;
}

/* ---- .npy ---- */

static void begin_npy(st_file *file, const char *type, int n_dims, const int64_t *dim) {
    char header[256];
    int used = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < n_dims; i++)
        used += snprintf(header + used, sizeof header - (size_t)used, "%lld, ", (long long)dim[i]);
    used += snprintf(header + used, sizeof header - (size_t)used, "), }");
    while ((10 + used + 1) % 64 != 0)
        header[used++] = ' ';
    header[used++] = '\n';
    const unsigned char magic[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)used, (unsigned char)(used >> 8)};
    st_file_write(file, magic, sizeof magic);
    st_file_write(file, header, (size_t)used);
}

static strait_status write_npy(enlarging *e, const char *path, strait_error *err) {
    static const char *const types[] = {[ST_U8] = "|u1", [ST_U16] = "<u2", [ST_F32] = "<f4"};
    const int64_t dim[] = {e->n, e->source->dim[0], e->source->dim[1], e->source->dim[2]};
    st_file *file = NULL;
    ST_TRY(st_file_create(&file, path, err));
    begin_npy(file, types[e->source->type], 4, dim);
    for (int64_t i = 0; i < e->n; i++) {
        const strait_status status = make_sample(e, i, err);
        if (status != STRAIT_OK) {
            st_file_abandon(file);
            return status;
        }
        st_file_write(file, e->stored, (size_t)e->n_values * st_dtype_size(e->source->type));
    }
    return st_file_commit(file, err);
}

/* The labels in a file beside it, as readers look for them: x.npy has x_labels.npy. */
static strait_status write_labels(enlarging *e, const char *path, strait_error *err) {
    st_file *file = NULL;
    if (!e->source->labels) return STRAIT_OK;
    char *beside = st_format("%.*s_labels.npy", (int)(strlen(path) - strlen(".npy")), path);
    if (!beside) return st_fail_memory(err, strlen(path), "a path");
    const strait_status status = st_file_create(&file, beside, err);
    st_free(beside);
    if (status != STRAIT_OK) return status;
    begin_npy(file, "<i8", 1, &e->n);
    for (int64_t i = 0; i < e->n; i++) {
        const int64_t label = strait_data_label(e->data, i % strait_data_count(e->data));
        st_file_write(file, &label, sizeof label);
    }
    return st_file_commit(file, err);
}

/* ---- a folder ---- */

/* The sub-folder of sample i: its label's name, or number; "" without labels. The caller's. */
static char *label_folder(const enlarging *e, int64_t i) {
    const st_source *source = e->source;
    const int64_t label = strait_data_label(e->data, i % strait_data_count(e->data));
    if (!source->labels || label < 0) return st_path_join(e->folder, source->labels ? "none" : ".");
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)label);
    const bool named = source->label_names && label < source->n_label_names && source->label_names[label][0] != '.' &&
                       !strchr(source->label_names[label], '/');
    return st_path_join(e->folder, named ? source->label_names[label] : number);
}

/* Numbers alone: in their order the samples are read again. */
static char *image_path(const enlarging *e, const char *folder, int64_t i) {
    (void)e;
    return st_format("%s/%08lld.png", folder, (long long)i);
}

static strait_status write_image(enlarging *e, int64_t i, strait_error *err) {
    char *folder = label_folder(e, i), *path = folder ? image_path(e, folder, i) : NULL;
    strait_status status = path ? st_make_folders(folder, err) : st_fail_memory(err, 256, "a path");
    if (status == STRAIT_OK) status = make_sample(e, i, err);
    const st_image image = {.width = (int)e->source->dim[1],
                            .height = (int)e->source->dim[0],
                            .channels = (int)e->source->dim[2],
                            .bits = e->source->type == ST_U16 ? 16 : 8,
                            .values = e->stored};
    if (status == STRAIT_OK) status = st_png_write_image(path, &image, err);
    st_free(path);
    st_free(folder);
    return status;
}

/* What has been written so far goes. */
static void remove_all(enlarging *e, int64_t n) {
    for (int64_t i = 0; i <= n; i++) {
        char *folder = label_folder(e, i), *path = folder ? image_path(e, folder, i) : NULL;
        if (path) unlink(path);
        st_free(path);
        st_free(folder);
    }
    for (int64_t i = 0; i <= n && i < strait_data_count(e->data); i++) {
        char *folder = label_folder(e, i);
        if (folder) rmdir(folder);
        st_free(folder);
    }
    rmdir(e->folder);
}

static strait_status write_folder(enlarging *e, const char *path, strait_error *err) {
    const int64_t channels = e->source->dim[2];
    if (e->source->type == ST_F32 || (channels != 1 && channels != 3))
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s holds %s images of %lld channels, which PNG cannot: write a .npy file instead",
                       e->data->name, st_dtype_name(e->source->type), (long long)channels);
    if (st_path_exists(path)) return st_fail(err, STRAIT_IO, "%s: is there already; name a new folder", path);
    e->folder = st_format("%s.%ld.partial", path, (long)getpid());
    if (!e->folder) return st_fail_memory(err, strlen(path), "a path");
    ST_TRY(st_make_folders(e->folder, err));
    strait_status status = STRAIT_OK;
    int64_t i = 0;
    for (; i < e->n && status == STRAIT_OK; i++)
        status = write_image(e, i, err);
    if (status == STRAIT_OK && rename(e->folder, path) != 0) status = st_fail_errno(err, "%s: cannot be made", path);
    if (status != STRAIT_OK) remove_all(e, i - 1);
    return status;
}

STRAIT_API strait_status strait_data_augment(const char *out, strait_data *data, int64_t n, const char *augment,
                                             uint64_t seed, strait_error *err) {
    if (!out || !data || !augment) return st_fail(err, STRAIT_ARGUMENT, "strait_data_augment: an argument is NULL");
    enlarging e = {.data = data, .source = data->source, .n = n, .n_values = data->source->n_values};
    if (e.source->n_dims != 3) return st_fail(err, STRAIT_ARGUMENT, "%s: holds no images to augment", data->name);
    if (n < strait_data_count(data) || n > UINT32_MAX)
        return st_fail(err, STRAIT_ARGUMENT, "%s has %lld images already: an enlarged set has more, up to %lld",
                       data->name, (long long)strait_data_count(data), (long long)UINT32_MAX);
    strait_recipe *recipe = NULL;
    ST_TRY(read_settings(&recipe, augment, err));
    strait_status status = open_enlarging(&e, &recipe->data.augment, seed, err);
    if (status == STRAIT_OK && st_ends_with(out, ".npy")) {
        status = write_labels(&e, out, err);
        if (status == STRAIT_OK) status = write_npy(&e, out, err);
    } else if (status == STRAIT_OK) {
        status = write_folder(&e, out, err);
    }
    close_enlarging(&e);
    strait_recipe_free(recipe);
    return status;
}
