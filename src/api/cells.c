/* Cells: what data lacks of a model's features, and latents into h5ad files. */
#include <string.h>

#include "api/apply.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/h5ad_write.h"
#include "data/missing.h"

STRAIT_API strait_status strait_model_missing(char **out, const strait_model *model, strait_data *data,
                                              strait_error *err) {
    strait_data *prepared = NULL;
    *out = NULL;
    if (!model) return st_fail(err, STRAIT_ARGUMENT, "the model is NULL");
    if (model->recipe->data.missing != ST_MISSING_DROP) ST_TRY(st_data_tell_missing(out, data, model->recipe, err));
    if (*out || !model->features) return STRAIT_OK;
    ST_TRY(st_data_for_model(&prepared, model, data, err));
    const char *missing = st_data_missing(prepared);
    strait_status status = STRAIT_OK;
    if (missing && !(*out = st_strdup(missing))) status = st_fail_memory(err, strlen(missing) + 1, "a message");
    strait_data_free(prepared);
    return status;
}

STRAIT_API strait_status strait_model_write_h5ad(const strait_model *model, const char *name, strait_data *data,
                                                 const strait_array *z, const char *path, strait_error *err) {
    if (!model || !name || !data || !z || !path)
        return st_fail(err, STRAIT_ARGUMENT, "strait_model_write_h5ad: model, name, data, z and path must not be NULL");
    const st_h5ad_origin origin = {.recipe = model->recipe->name, .model = name};
    return st_h5ad_write_latent(path, data, z, &origin, err);
}
