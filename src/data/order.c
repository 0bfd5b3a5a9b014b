#include "data/order.h"

#include <string.h>
#include "data/derive.h"

/* An unbiased draw below n, as st_rng_shuffle's (Lemire 2019). */
static uint32_t draw_below(uint32_t n, const st_rng *rng, uint32_t position, uint32_t *retries) {
    uint64_t product = (uint64_t)st_rng_bits(rng, position) * n;
    for (const uint32_t bound = (0u - n) % n; (uint32_t)product < bound;)
        product = (uint64_t)st_rng_bits(rng, UINT32_MAX - (*retries)++) * n;
    return (uint32_t)(product >> 32);
}

/* The file that sample i of data comes from, however it is prepared. */
static int64_t shard_of(const strait_data *data, int64_t i) {
    int64_t sample = st_data_source_sample(data, i);
    const st_source *source = st_source_bottom(&sample, data->source);
    int64_t low = 0, high = source->n_shards;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (source->shard_first[middle] <= sample) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int st_order_shards(const strait_data *data) {
    int64_t any = 0;
    return st_source_bottom(&any, data->source)->n_shards;
}

/* A view may have any of the samples, in any order: they are counted by shard, then dealt. */
static void deal_by_shard(uint32_t *order, uint32_t *work, const strait_data *data, const st_rng *rng) {
    const uint32_t n = (uint32_t)st_order_shards(data);
    uint32_t *start = work + n; /* [n] by shard: where its samples begin in the order */
    st_rng_shuffle(rng, work, n);
    memset(start, 0, n * sizeof *start);
    for (int64_t i = 0; i < data->n; i++)
        start[shard_of(data, i)]++;
    uint32_t at = 0;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t count = start[work[k]];
        start[work[k]] = at;
        at += count;
    }
    for (int64_t i = 0; i < data->n; i++)
        order[start[shard_of(data, i)]++] = (uint32_t)i;
}

void st_order_buffered(uint32_t *order, uint32_t *work, int64_t size, const strait_data *data, const st_rng *rng) {
    const int64_t n = data->n;
    st_rng draws = *rng;
    uint32_t retries = 0;
    draws.sample = 1;
    if (st_order_shards(data) > 1) {
        deal_by_shard(order, work, data, rng);
    } else {
        for (int64_t i = 0; i < n; i++)
            order[i] = (uint32_t)i;
    }
    memcpy(work, order, (size_t)size * sizeof *work);
    for (int64_t k = 0; k < n; k++) {
        const int64_t held = n - k < size ? n - k : size;
        const uint32_t r = draw_below((uint32_t)held, &draws, (uint32_t)k, &retries), drawn = work[r];
        work[r] = k + size < n ? order[k + size] : work[held - 1];
        order[k] = drawn; /* whose place the buffer has left behind */
    }
}
