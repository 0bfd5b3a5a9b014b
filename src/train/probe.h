/* A few fixed samples of a data set, as the network gets them: what is looked at again after each epoch. */
#ifndef ST_TRAIN_PROBE_H
#define ST_TRAIN_PROBE_H

#include "data/data.h"

/* What a probe is for: each draws samples of its own. */
typedef enum st_probe_use { ST_PROBE_DIAGNOSIS, ST_PROBE_TRAIN, ST_PROBE_VALIDATION } st_probe_use;

typedef struct st_probe {
    int64_t n;
    uint32_t *sample; /* [n] in the data set, ascending */
    st_batch batch;   /* input and target [n, sample]; noise as in an evaluation, the same each time */
    strait_data *view;
    st_batches *batches;
} st_probe;

/* Draws n samples, all where there are fewer, by seed and use alone. data is borrowed. On failure there is nothing to
   free. Errors: MEMORY, IO. */
strait_status st_probe_open(st_probe *probe, strait_data *data, int64_t n, st_probe_use use,
                            const strait_recipe *recipe, double offset, double factor, strait_error *err);
void st_probe_close(st_probe *probe); /* all zero is fine */

#endif
