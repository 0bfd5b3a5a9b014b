/* What tells one training set from another in the record of a run, without a pass over data that is larger than memory:
   that pass would take as long as an epoch may. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/derive.h"

/* So many samples stand for all of them where nothing better is known. */
enum { SAMPLED = 1024 };

/* Of the checksums that the file keeps of its records. */
static uint32_t crc_of_records(const strait_data *data) {
    uLong sum = crc32_z(0, NULL, 0);
    for (int64_t i = 0; i < data->n; i++) {
        int64_t k = st_data_source_sample(data, i);
        const st_source *source = st_source_bottom(&k, data->source);
        const uint32_t crc = source->reader->stored_crc(source, k);
        const Bytef bytes[4] = {(Bytef)crc, (Bytef)(crc >> 8), (Bytef)(crc >> 16), (Bytef)(crc >> 24)};
        sum = crc32_z(sum, bytes, sizeof bytes);
    }
    return (uint32_t)sum;
}

static strait_status crc_of_some(uint32_t *crc, strait_data *data, strait_error *err) {
    const int64_t n = data->n < SAMPLED ? data->n : SAMPLED;
    strait_data *some = NULL;
    uint32_t sample[SAMPLED];
    for (int64_t i = 0; i < n; i++)
        sample[i] = (uint32_t)(data->n * i / n);
    ST_TRY(st_data_pick(&some, data, sample, n, err));
    const strait_status status = st_data_checksum(crc, some, err);
    strait_data_free(some);
    return status;
}

static strait_status crc_of(const char **kind, uint32_t *crc, strait_data *data, strait_error *err) {
    int64_t k = st_data_source_sample(data, 0);
    if (data->source->values || data->source->sparse) {
        *kind = "crc32";
        return st_data_checksum(crc, data, err);
    }
    const st_source *bottom = st_source_bottom(&k, data->source);
    if (bottom->values || bottom->sparse) { /* made from what is in memory */
        *kind = "crc32";
        return st_data_checksum(crc, data, err);
    }
    if (bottom->reader->stored_crc) {
        *kind = "records";
        *crc = crc_of_records(data);
        return STRAIT_OK;
    }
    *kind = "sampled";
    return crc_of_some(crc, data, err);
}

strait_status st_data_fingerprint(char out[ST_FINGERPRINT], strait_data *data, strait_error *err) {
    const char *kind = NULL;
    uint32_t crc[2] = {0, 0};
    ST_TRY(crc_of(&kind, &crc[0], data, err));
    if (data->source->target) {
        strait_data target = {.name = data->name,
                              .source = data->source->target,
                              .first = data->first,
                              .n = data->n,
                              .index = data->index};
        ST_TRY(crc_of(&kind, &crc[1], &target, err));
        /* Any mixture of both would do. */
        crc[0] = (uint32_t)crc32_combine(crc[0], crc[1], (z_off_t)data->n);
    }
    snprintf(out, ST_FINGERPRINT, "%s:%08x", kind, (unsigned)crc[0]);
    return STRAIT_OK;
}
