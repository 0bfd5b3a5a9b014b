/* From a sample of a data set to what a network takes and should give: read, scaled, augmented, corrupted. */
#ifndef ST_DATA_ASSEMBLER_H
#define ST_DATA_ASSEMBLER_H

#include "data/data.h"

/* What a thread needs for it: its own memory, and nothing shared but the data. */
typedef struct st_assembler st_assembler;

/* Uses config's data, seed, offset, factor, corrupt and augment. Errors: ARGUMENT (augmentation or a watermark of what
   are no images), SHAPE (images of several sizes), those of reading a watermark, MEMORY. */
strait_status st_assembler_new(st_assembler **out, const st_batches_config *config, strait_error *err);
void st_assembler_free(st_assembler *assembler); /* NULL is fine */
/* Bytes held. */
int64_t st_assembler_bytes(const st_assembler *assembler);

/* Whether inputs and targets differ under this configuration: else both may be the same memory. */
bool st_assembler_apart(const st_batches_config *config);

/* Sample i of the data set, as (seed, epoch, i) have it: input and target [n_values], the same memory where they do not
   differ. No allocation, but what decoding takes. Errors: those of a reader that streams. */
strait_status st_assembler_run(st_assembler *assembler, float *input, float *target, uint32_t i, uint32_t epoch,
                               strait_error *err);

#endif
