#include "data/assembler.h"

#include "base/memory.h"
#include "data/assemble.h"
#include "data/augment.h"
#include "data/corrupt.h"
#include "data/data_int.h"

struct st_assembler {
    const strait_data *data;
    uint64_t seed;
    st_affine affine;
    st_corruption *corruption; /* NULL: none */
    st_augmenter *augmenter;   /* NULL: none */
    void *scratch;             /* a sample as stored, for readers that stream */
    float *straight;           /* a sample before it is augmented */
    int64_t bytes;
};

bool st_assembler_apart(const st_batches_config *config) {
    return config->data->source->target || st_corrupt_any(&config->corrupt);
}

static strait_status make_augmenter(st_assembler *assembler, const st_batches_config *config, strait_error *err) {
    const st_source *source = config->data->source;
    if (!st_augment_any(&config->augment)) return STRAIT_OK;
    if (source->n_dims != 3)
        return st_fail(err, STRAIT_ARGUMENT, "augment: %s has no images [height, width, channels]", config->data->name);
    /* What the stored type cannot hold no image shows. */
    const double top = source->type == ST_U8 ? 255 : 65535;
    const float limit[2] = {(float)((0 - config->offset) * config->factor),
                            (float)((top - config->offset) * config->factor)};
    ST_TRY(st_augmenter_new(&assembler->augmenter, &config->augment, source->dim, source->type == ST_F32 ? NULL : limit,
                            err));
    const int64_t bytes = source->n_values * (int64_t)sizeof(float);
    assembler->bytes += st_augmenter_bytes(assembler->augmenter) + bytes;
    assembler->straight = st_alloc_aligned((size_t)bytes);
    return assembler->straight ? STRAIT_OK : st_fail_memory(err, (size_t)bytes, "an image");
}

static strait_status make(st_assembler *assembler, const st_batches_config *config, strait_error *err) {
    const st_source *source = config->data->source;
    ST_TRY(st_source_check_uniform(source, err));
    if (!source->values || (source->target && !source->target->values)) {
        const size_t bytes = (size_t)source->n_values * st_dtype_size(source->type);
        assembler->scratch = st_alloc_aligned(bytes);
        if (!assembler->scratch) return st_fail_memory(err, bytes, "a sample");
        assembler->bytes += (int64_t)bytes;
    }
    ST_TRY(make_augmenter(assembler, config, err));
    if (!st_corrupt_any(&config->corrupt)) return STRAIT_OK;
    return st_corruption_new(&assembler->corruption, &config->corrupt, source->n_dims, source->dim, err);
}

strait_status st_assembler_new(st_assembler **out, const st_batches_config *config, strait_error *err) {
    *out = NULL;
    st_assembler *assembler = st_alloc(1, sizeof *assembler);
    if (!assembler) return st_fail_memory(err, sizeof *assembler, "batches");
    assembler->data = config->data;
    assembler->seed = config->seed;
    assembler->affine = st_affine_make(config->offset, config->factor);
    assembler->bytes = sizeof *assembler;
    const strait_status status = make(assembler, config, err);
    if (status == STRAIT_OK) {
        *out = assembler;
    } else {
        st_assembler_free(assembler);
    }
    return status;
}

void st_assembler_free(st_assembler *assembler) {
    if (!assembler) return;
    st_corruption_free(assembler->corruption);
    st_augmenter_free(assembler->augmenter);
    st_free(assembler->scratch);
    st_free(assembler->straight);
    st_free(assembler);
}

int64_t st_assembler_bytes(const st_assembler *assembler) {
    return assembler->bytes;
}

/* Sample k of the source, scaled, and augmented as drawn. */
static strait_status put(float *dst, st_assembler *assembler, const st_source *source, int64_t k, strait_error *err) {
    const void *sample = NULL;
    ST_TRY(st_source_sample(&sample, source, k, assembler->scratch, err));
    st_affine_apply(assembler->augmenter ? assembler->straight : dst, sample, source->type, source->n_values,
                    &assembler->affine);
    if (assembler->augmenter) st_augmenter_apply(assembler->augmenter, dst, assembler->straight);
    return STRAIT_OK;
}

strait_status st_assembler_run(st_assembler *assembler, float *input, float *target, uint32_t i, uint32_t epoch,
                               strait_error *err) {
    const st_source *source = assembler->data->source;
    const int64_t k = st_data_source_sample(assembler->data, i);
    const st_rng changes = {assembler->seed, ST_RNG_AUGMENT, epoch, i};
    if (assembler->augmenter) st_augmenter_draw(assembler->augmenter, &changes);
    ST_TRY(put(target, assembler, source->target ? source->target : source, k, err));
    if (source->target) ST_TRY(put(input, assembler, source, k, err));
    const st_rng noise = {assembler->seed, ST_RNG_CORRUPT, epoch, i};
    if (assembler->corruption)
        st_corruption_apply(assembler->corruption, input, source->target ? input : target, &noise);
    return STRAIT_OK;
}
