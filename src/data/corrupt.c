/* Each kind of noise has a stream of its own, so that one does not move another's draws. Draws are made a chunk at a
   time on the stack: a value's draw stands at its own place in the stream, whatever the chunk. */
#include "data/corrupt.h"

#include <string.h>
#include "base/memory.h"

#define CHUNK 1024 /* a multiple of 4 */

struct st_corruption {
    st_corrupt settings; /* its strings are not kept */
    int64_t height, width, channels;
    float *mark; /* [mark_size[0], mark_size[1]] coverage of the watermark, or NULL */
    int64_t mark_size[2];
};

strait_status st_corruption_new(st_corruption **out, const st_corrupt *corrupt, int n_dims, const int64_t *dim,
                                strait_error *err) {
    const bool image = n_dims == 3;
    *out = NULL;
    if (corrupt->watermark.on && !image)
        return st_fail(err, STRAIT_ARGUMENT, "corrupt: a watermark is for images [height, width, channels]");
    st_corruption *made = st_alloc(1, sizeof *made);
    if (!made) return st_fail_memory(err, sizeof *made, "noise");
    made->settings = *corrupt;
    made->settings.watermark.text = made->settings.watermark.image = NULL;
    made->height = image ? dim[0] : 1;
    made->width = image ? dim[1] : 1;
    made->channels = image ? dim[2] : 1;
    for (int i = 0; !image && i < n_dims; i++)
        made->width *= dim[i];
    strait_status status = STRAIT_OK;
    if (corrupt->watermark.on)
        status = st_watermark_make(&made->mark, made->mark_size, corrupt, made->height, made->width, err);
    if (status == STRAIT_OK) {
        *out = made;
    } else {
        st_corruption_free(made);
    }
    return status;
}

void st_corruption_free(st_corruption *corruption) {
    if (!corruption) return;
    st_free(corruption->mark);
    st_free(corruption);
}

/* ---- kinds of noise: n values and their draws ---- */

static void add_gaussian(float *restrict x, const float *restrict draw, int64_t n, float deviation) {
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] + deviation * draw[i];
}

static void add_speckle(float *restrict x, const float *restrict draw, int64_t n, float deviation) {
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] + x[i] * (deviation * draw[i]);
}

static void salt_and_pepper(float *restrict x, const float *restrict draw, int64_t n, float share) {
    const float half = share * 0.5f;
    for (int64_t i = 0; i < n; i++) {
        const float clean = x[i], u = draw[i];
        const float salted = u < share ? 1 : clean;
        x[i] = u < half ? 0 : salted;
    }
}

static void mask(float *restrict x, const float *restrict draw, int64_t n, float share) {
    for (int64_t i = 0; i < n; i++) {
        const float clean = x[i];
        x[i] = draw[i] < share ? 0 : clean;
    }
}

static void clip(float *x, int64_t n, float low, float high) {
    for (int64_t i = 0; i < n; i++) {
        const float above = x[i] < low ? low : x[i];
        x[i] = above > high ? high : above;
    }
}

typedef void (*st_noise)(float *restrict x, const float *restrict draw, int64_t n, float amount);
typedef void (*st_draw)(const st_rng *rng, uint32_t first, float *out, size_t n);

/* All n values of a sample through one kind of noise; none where its amount is 0. */
static void disturb(float *x, int64_t n, double amount, st_noise noise, st_draw draw, st_rng_purpose purpose,
                    const st_rng *from) {
    float drawn[CHUNK];
    const st_rng rng = {from->seed, purpose, from->epoch, from->sample};
    if (!(amount > 0)) return;
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t some = n - first < CHUNK ? n - first : CHUNK;
        draw(&rng, (uint32_t)first, drawn, (size_t)some);
        noise(x + first, drawn, some, (float)amount);
    }
}

/* ---- kinds that know the image ---- */

static void clear_block(const st_corruption *c, float *x, int64_t row, int64_t column) {
    const int64_t *size = c->settings.block_size;
    const int64_t top = row * size[0], left = column * size[1];
    const int64_t bottom = top + size[0] < c->height ? top + size[0] : c->height;
    const int64_t right = left + size[1] < c->width ? left + size[1] : c->width;
    for (int64_t y = top; y < bottom; y++)
        memset(x + (y * c->width + left) * c->channels, 0, (size_t)((right - left) * c->channels) * sizeof *x);
}

static void mask_blocks(const st_corruption *c, float *x, const st_rng *from) {
    float drawn[CHUNK];
    const st_rng rng = {from->seed, ST_RNG_BLOCKS, from->epoch, from->sample};
    if (!(c->settings.block_share > 0)) return;
    const int64_t columns = (c->width - 1) / c->settings.block_size[1] + 1;
    const int64_t n = columns * ((c->height - 1) / c->settings.block_size[0] + 1);
    for (int64_t k = 0; k < n; k++) {
        if (k % CHUNK == 0) st_rng_uniform(&rng, (uint32_t)k, drawn, (size_t)(n - k < CHUNK ? n - k : CHUNK));
        if (drawn[k % CHUNK] < (float)c->settings.block_share) clear_block(c, x, k / columns, k % columns);
    }
}

static void lay_watermark(const st_corruption *c, float *x, const st_rng *from) {
    if (!c->mark) return;
    float place[4];
    const st_rng rng = {from->seed, ST_RNG_WATERMARK, from->epoch, from->sample};
    const float opacity = (float)c->settings.watermark.opacity, value = (float)c->settings.watermark.value;
    st_rng_uniform(&rng, 0, place, 4);
    const int64_t top = (int64_t)((double)place[0] * (double)(c->height - c->mark_size[0] + 1));
    const int64_t left = (int64_t)((double)place[1] * (double)(c->width - c->mark_size[1] + 1));
    for (int64_t y = 0; y < c->mark_size[0]; y++) {
        float *to = x + ((top + y) * c->width + left) * c->channels;
        for (int64_t i = 0; i < c->mark_size[1]; i++)
            for (int64_t k = 0; k < c->channels; k++, to++)
                *to += opacity * c->mark[y * c->mark_size[1] + i] * (value - *to);
    }
}

void st_corruption_apply(const st_corruption *corruption, float *input, const float *clean, const st_rng *rng) {
    const st_corrupt *settings = &corruption->settings;
    const int64_t n = corruption->height * corruption->width * corruption->channels;
    if (input != clean) memcpy(input, clean, (size_t)n * sizeof *input);
    disturb(input, n, settings->gaussian, add_gaussian, st_rng_normal, ST_RNG_CORRUPT, rng);
    disturb(input, n, settings->speckle, add_speckle, st_rng_normal, ST_RNG_SPECKLE, rng);
    disturb(input, n, settings->salt_pepper, salt_and_pepper, st_rng_uniform, ST_RNG_SALT_PEPPER, rng);
    disturb(input, n, settings->mask, mask, st_rng_uniform, ST_RNG_MASK, rng);
    mask_blocks(corruption, input, rng);
    lay_watermark(corruption, input, rng);
    if (settings->clip) clip(input, n, (float)settings->clip_low, (float)settings->clip_high);
}
