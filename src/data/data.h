/* Data sets and batches.
   A sample keeps its storage type until the batch is assembled. A reader knows one format: it is a row in the table
   of readers (data/readers.c) and touches nothing else. */
#ifndef ST_DATA_DATA_H
#define ST_DATA_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/data.h>
#include "base/array.h"
#include "base/status.h"
#include "recipe/recipe.h"

/* Applies the recipe's data.only and data.limit, in this order: *out is a data set over the chosen samples that
   borrows from data (free it first). The caller's. Errors: RECIPE (no labels, a label no sample has), MEMORY. */
strait_status st_data_select(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err);

/* Brings data to what the recipe's model takes: data.label, data.key, data.genes and data.proteins, data.resize. *out
   is the caller's and may share data's memory; when there is nothing to do it is a view of all of it. Every data set
   that meets a model goes through here, at training, evaluation and encoding alike; once is enough and twice does no
   harm. Errors: RECIPE (not images; a column that is not there), SHAPE (images of several sizes, and no data.resize),
   those of strait_data_open. */
strait_status st_data_prepare(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err);

/* What features of the model are not in prepared data and count as 0, in words; NULL for none. Borrowed. */
const char *st_data_missing(const strait_data *data);

/* CRC-32 (zlib's) of the samples as stored, in order. Errors: SHAPE (images of several sizes), IO, FORMAT, MEMORY. */
strait_status st_data_checksum(uint32_t *crc, strait_data *data, strait_error *err);

/* What tells one training set from another: "crc32:1a2b3c4d", the checksum of all samples as they are prepared; where
   these are too many to be kept, "records:..." of the checksums that TFRecord files keep of their records, else
   "sampled:..." of 1024 samples evenly spread. The targets of pairs count too. Errors: those of st_data_checksum. */
enum { ST_FINGERPRINT = 32 };
strait_status st_data_fingerprint(char out[ST_FINGERPRINT], strait_data *data, strait_error *err);

/* The data sets a recipe trains and validates on. train and validation belong to the caller; either override may be
   NULL and is borrowed. *validation is NULL without validation. By fraction: the last part, unshuffled, as Keras; by
   name: a split of where the training samples come from. st_data_select is applied to whatever is opened or given, then
   a fraction is split off, then what the recipe wants fitted to cells is fitted on the training samples and written
   into recipe (features; with model.input_from_data the model's widths too), then st_data_prepare is applied. Errors:
   RECIPE, SHAPE (validation of another shape), those of strait_data_open. */
strait_status st_data_open_splits(strait_data **train, strait_data **validation, strait_recipe *recipe,
                                  strait_data *train_override, strait_data *validation_override, strait_error *err);

/* A view of samples [first, first + n) that borrows from data (free it first); the caller's. */
strait_status st_data_slice(strait_data **out, strait_data *data, int64_t first, int64_t n, strait_error *err);

/* A view of the n samples listed, each below the count of data, in that order; borrows from data as a slice does. */
strait_status st_data_pick(strait_data **out, strait_data *data, const uint32_t *sample, int64_t n, strait_error *err);

/* What it was opened as; borrowed. */
const char *st_data_name(const strait_data *data);

/* Whether its samples are kept in memory; else each is read when it is needed. */
bool st_data_is_resident(const strait_data *data);

/* One sample's shape; n_dims up to 4. */
int st_data_shape(const strait_data *data, int64_t dim[STRAIT_MAX_DIMS]);

/* x' = (x - offset) * factor, as the recipe's data.scale wants for this storage type (unit: u8 0, 1/255; u16 1/65535;
   f32 0, 1). minmax: from the recipe when fitted there, else fitted on data. Errors: RECIPE (all values the same), IO,
   MEMORY. */
strait_status st_data_scaling(double *offset, double *factor, strait_data *data, const strait_recipe *recipe,
                              strait_error *err);

/* What the batches are made of. */
typedef struct st_batches_config {
    strait_data *data; /* borrowed */
    int64_t batch_size;
    bool shuffle;
    uint64_t seed;
    double offset, factor; /* of scaling */
    st_corrupt corrupt;
    st_augment augment; /* before the noise, the same for input and target; all 0: none */
    int ahead;          /* batches prepared ahead by threads; 0: prepared by the caller in st_batches_next */
    int threads;        /* that prepare them; 0: one. It makes no difference to the batches */
    struct st_pool
        *pool; /* with ahead = 0: its workers prepare each batch together; borrowed. NULL: the caller alone */
    /* With shuffle: 0 draws the order of all samples at once; else the files of the source (shards) are taken in a
       random order and their samples through a buffer of so many, as a disk that is slow to seek wants it. */
    int64_t shuffle_buffer;
    /* Of n_ranks processes that train together this is number rank; 0 of them: alone. The order is the same on all;
       each batch is one of batch_size * n_ranks samples in that order, cut into equal shares, rank after rank. */
    int rank, n_ranks;
} st_batches_config;

/* A batch, borrowed until the next call. Rows past n are zero. */
typedef struct st_batch {
    const float *input;     /* [batch_size, sample] scaled, corrupted if asked */
    const float *target;    /* [batch_size, sample] scaled, clean; the same pointer as input without corruption */
    int64_t n;              /* valid samples: batch_size, fewer in an epoch's last batch, of which a rank may have 0 */
    int64_t index;          /* in the epoch, from 0; -1 at its end */
    const uint32_t *sample; /* [n] indices into the data set */
} st_batch;

typedef struct st_batches st_batches;

/* All memory a run of epochs needs is taken here. Errors: MEMORY, ARGUMENT. */
strait_status st_batches_new(st_batches **out, const st_batches_config *config, strait_error *err);
/* Batches in an epoch: ceil(n / (batch_size * n_ranks)). */
int64_t st_batches_per_epoch(const st_batches *batches);
/* Begins epoch (from 0) at batch first (from 0; 0 unless resuming): the order and the noise depend on (seed, epoch,
 * sample) alone. No allocation. */
void st_batches_start(st_batches *batches, uint32_t epoch, int64_t first);
/* The next batch, or STRAIT_OK with n = 0 and index -1 at the end of the epoch. No allocation, no lock, but what
 * decoding takes where samples are not kept in memory. Errors: those of a reader that streams. */
strait_status st_batches_next(st_batch *batch, st_batches *batches, strait_error *err);
/* Seconds st_batches_next has waited for data since st_batches_start. */
double st_batches_waited(const st_batches *batches);
/* Bytes held. */
int64_t st_batches_memory(const st_batches *batches);
void st_batches_free(st_batches *batches); /* NULL is fine */

/* Where data sets of known names are looked for: $STRAIT_DATA, $XDG_DATA_HOME/strait (~/.local/share/strait), the
 * packages' folder; ':' between. The caller's. */
char *st_data_folders(void);

#endif
