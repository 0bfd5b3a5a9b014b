#include "data/elastic.h"

#include <math.h>
#include "base/memory.h"

strait_status st_elastic_init(st_elastic *elastic, int64_t height, int64_t width, double alpha, double sigma,
                              strait_error *err) {
    const size_t n = (size_t)(height * width);
    *elastic = (st_elastic){.height = height, .width = width, .alpha = (float)alpha};
    elastic->radius = (int64_t)(4 * sigma + 0.5);
    elastic->weight = st_alloc((size_t)(2 * elastic->radius + 1), sizeof *elastic->weight);
    elastic->field[0] = st_alloc(n, sizeof(float));
    elastic->field[1] = st_alloc(n, sizeof(float));
    elastic->between = st_alloc(n, sizeof(float));
    if (!elastic->weight || !elastic->field[0] || !elastic->field[1] || !elastic->between) {
        st_elastic_close(elastic);
        return st_fail_memory(err, 3 * n * sizeof(float), "elastic distortion");
    }
    double sum = 0;
    for (int64_t i = -elastic->radius; i <= elastic->radius; i++)
        sum += exp(-0.5 * (double)(i * i) / (sigma * sigma));
    for (int64_t i = -elastic->radius; i <= elastic->radius; i++)
        elastic->weight[i + elastic->radius] = (float)(exp(-0.5 * (double)(i * i) / (sigma * sigma)) / sum);
    return STRAIT_OK;
}

void st_elastic_close(st_elastic *elastic) {
    st_free(elastic->weight);
    st_free(elastic->field[0]);
    st_free(elastic->field[1]);
    st_free(elastic->between);
    *elastic = (st_elastic){0};
}

int64_t st_elastic_bytes(const st_elastic *elastic) {
    return (3 * elastic->height * elastic->width + 2 * elastic->radius + 1) * (int64_t)sizeof(float);
}

/* dst[i] = sum of weight[k] src[i + k - radius] over what lies within the n values, `step` apart, of each of `lines`
   lines, `apart` apart. */
static void smooth(float *restrict dst, const float *restrict src, const st_elastic *elastic, int64_t n, int64_t step,
                   int64_t lines, int64_t apart) {
    const int64_t radius = elastic->radius;
    for (int64_t line = 0; line < lines; line++)
        for (int64_t i = 0; i < n; i++) {
            const int64_t first = i > radius ? i - radius : 0, last = i + radius < n ? i + radius : n - 1;
            float sum = 0;
            for (int64_t j = first; j <= last; j++)
                sum += elastic->weight[j - i + radius] * src[line * apart + j * step];
            dst[line * apart + i * step] = sum;
        }
}

void st_elastic_draw(st_elastic *elastic, const st_rng *rng) {
    const int64_t height = elastic->height, width = elastic->width, n = height * width;
    const int64_t stride = (n + 3) / 4 * 4; /* streams begin at multiples of 4 */
    const st_rng own = {rng->seed, ST_RNG_ELASTIC, rng->epoch, rng->sample};
    for (int axis = 0; axis < 2; axis++) {
        float *field = elastic->field[axis];
        st_rng_uniform(&own, (uint32_t)(axis * stride), field, (size_t)n);
        for (int64_t i = 0; i < n; i++)
            field[i] = 2 * field[i] - 1;
        smooth(elastic->between, field, elastic, width, 1, height, width);
        smooth(field, elastic->between, elastic, height, width, width, 1);
        for (int64_t i = 0; i < n; i++)
            field[i] *= elastic->alpha;
    }
}
