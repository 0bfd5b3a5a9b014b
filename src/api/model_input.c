/* Samples as a model takes them. */
#include <string.h>

#include "api/apply.h"

#define BATCH 256

static strait_status copy_batches(strait_array *out, st_batches *batches, strait_error *err) {
    const int64_t values = strait_array_count(out) / out->dim[0];
    st_batches_start(batches, 0, 0);
    for (int64_t done = 0; done < out->dim[0];) {
        st_batch batch;
        ST_TRY(st_batches_next(&batch, batches, err));
        if (batch.n == 0) break;
        memcpy(out->values + done * values, batch.target, (size_t)(batch.n * values) * sizeof *out->values);
        done += batch.n;
    }
    return STRAIT_OK;
}

STRAIT_API strait_status strait_model_input(strait_array **out, const strait_model *model, strait_data *data,
                                            strait_error *err) {
    *out = NULL;
    if (!model) return st_fail(err, STRAIT_ARGUMENT, "the model is NULL");
    strait_data *prepared = NULL;
    st_batches *batches = NULL;
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    int64_t dim[STRAIT_MAX_DIMS + 1] = {strait_data_count(prepared)};
    const int n_dims = st_data_shape(prepared, dim + 1) + 1;
    st_batches_config config = {.data = prepared, .batch_size = dim[0] < BATCH ? dim[0] : BATCH};
    strait_status status = st_data_scaling(&config.offset, &config.factor, prepared, model->recipe, err);
    if (status == STRAIT_OK) status = strait_array_new(out, n_dims, dim, err);
    if (status == STRAIT_OK) status = st_batches_new(&batches, &config, err);
    if (status == STRAIT_OK) status = copy_batches(*out, batches, err);
    st_batches_free(batches);
    strait_data_free(prepared);
    if (status != STRAIT_OK) {
        strait_array_free(*out);
        *out = NULL;
    }
    return status;
}
