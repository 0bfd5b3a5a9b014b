/* A trained model set up to run: what applying, and the pictures of a run, share. */
#ifndef ST_API_APPLY_H
#define ST_API_APPLY_H

#include "data/data.h"
#include "graph/runner.h"
#include "model/model.h"

/* Samples handed to the workers at once. Not a matter of results: without operations across samples each is computed
   alone. */
#define ST_APPLY_BATCH 256

/* Which ops of the model run. */
typedef enum st_half { ST_ENCODE, ST_DECODE, ST_BOTH } st_half;

/* A runner over a half of the model, its parameters packed; batch_norm is folded into the op before where it can be. */
typedef struct st_inference {
    st_runner *runner;
    st_graph *folded; /* NULL: there was nothing to fold */
    float *values;
} st_inference;

/* threads 0: as many as the machine gives. On failure there is nothing to close. Errors: ARGUMENT (the model has no
   such half), MEMORY, ENGINE. */
strait_status st_inference_open(st_inference *inference, const strait_model *model, st_half half, int64_t batch,
                                int threads, strait_error *err);
void st_inference_close(st_inference *inference); /* all zero is fine */

/* The data as the model takes it: resized where its recipe says so. The caller's, borrowing from data. Errors: ARGUMENT
   (data is NULL), SHAPE naming both shapes, those of st_data_prepare. */
strait_status st_data_for_model(strait_data **out, const strait_model *model, strait_data *data, strait_error *err);

#endif
