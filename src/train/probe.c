#include "train/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "train/trainer.h"

static int ascending(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The first n of a random order, sorted. */
static strait_status draw(st_probe *probe, int64_t n_data, int64_t n, st_probe_use use, uint64_t seed,
                          strait_error *err) {
    probe->n = n < n_data ? n : n_data;
    uint32_t *order = st_alloc((size_t)n_data, sizeof *order);
    probe->sample = st_alloc((size_t)probe->n, sizeof *order);
    strait_status status = STRAIT_OK;
    if (order && probe->sample) {
        for (int64_t i = 0; i < n_data; i++)
            order[i] = (uint32_t)i;
        const st_rng rng = {.seed = seed, .purpose = ST_RNG_WATCH, .epoch = (uint32_t)use};
        st_rng_shuffle(&rng, order, (uint32_t)n_data);
        qsort(order, (size_t)probe->n, sizeof *order, ascending);
        memcpy(probe->sample, order, (size_t)probe->n * sizeof *order);
    } else {
        status = st_fail_memory(err, (size_t)(n_data + probe->n) * sizeof *order, "a random order");
    }
    st_free(order);
    return status;
}

strait_status st_probe_open(st_probe *probe, strait_data *data, int64_t n, st_probe_use use,
                            const strait_recipe *recipe, double offset, double factor, strait_error *err) {
    *probe = (st_probe){0};
    strait_status status = draw(probe, strait_data_count(data), n, use, recipe->seed, err);
    if (status == STRAIT_OK) status = st_data_pick(&probe->view, data, probe->sample, probe->n, err);
    const st_batches_config config = {
        .data = probe->view,
        .batch_size = probe->n,
        .seed = recipe->seed,
        .offset = offset,
        .factor = factor,
        .corrupt = recipe->data.corrupt,
    };
    if (status == STRAIT_OK) status = st_batches_new(&probe->batches, &config, err);
    if (status == STRAIT_OK) {
        st_batches_start(probe->batches, ST_EVALUATION_EPOCH, 0);
        status = st_batches_next(&probe->batch, probe->batches, err);
    }
    if (status != STRAIT_OK) st_probe_close(probe);
    return status;
}

void st_probe_close(st_probe *probe) {
    st_batches_free(probe->batches);
    strait_data_free(probe->view);
    st_free(probe->sample);
    *probe = (st_probe){0};
}
