/* What is noted in a model's file beside the model: further metadata, which reading a model passes over. */
#include <string.h>

#include "base/memory.h"
#include "model/model.h"

strait_status st_model_note_read(char **out, const char *path, const char *key, strait_error *err) {
    st_safetensors *file = NULL;
    *out = NULL;
    ST_TRY(st_safetensors_read(&file, path, err));
    strait_status status = STRAIT_OK;
    const char *value = st_safetensors_metadata(file, key);
    if (value && !(*out = st_strdup(value))) status = st_fail_memory(err, strlen(value), path);
    st_safetensors_free(file);
    return status;
}

strait_status st_model_note_write(const char *path, const char *key, const char *value, strait_error *err) {
    st_safetensors *file = NULL;
    ST_TRY(st_safetensors_read(&file, path, err));
    strait_status status = STRAIT_OK;
    size_t n = 0;
    st_metadata *metadata = st_alloc(file->n_metadata + 1, sizeof *metadata);
    if (metadata) {
        for (size_t i = 0; i < file->n_metadata; i++)
            if (strcmp(file->metadata[i].key, key) != 0) metadata[n++] = file->metadata[i];
        metadata[n++] = (st_metadata){key, value};
        status = st_safetensors_write(path, file->n_tensors, file->tensor, n, metadata, err);
    } else {
        status = st_fail_memory(err, (file->n_metadata + 1) * sizeof *metadata, path);
    }
    st_free(metadata);
    st_safetensors_free(file);
    return status;
}
