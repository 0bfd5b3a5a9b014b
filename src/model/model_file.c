/* Models in files. A model file is a safetensors file whose metadata hold the recipe, so that it stands alone:
   "format" "strait", "strait.version", "strait.part" (whole, encoder, decoder), "strait.recipe" (YAML), and of models
   of cells "strait.features" (st_features_to_text). */
#include "model/model.h"

#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "recipe/features.h"

#define FORMAT_NAME "strait"
#define FORMAT_VERSION "1" /* of the layout of the file; changes only when older programs could not read it */

static const char *const part_name[] = {
    [STRAIT_MODEL_WHOLE] = "whole", [STRAIT_MODEL_ENCODER] = "encoder", [STRAIT_MODEL_DECODER] = "decoder"};

/* A checkpoint holds a model beside its training's own tensors, under these names. */
static const char *const foreign_prefix[] = {"optimizer.", "best.", "training."};

static bool is_foreign(const char *name) {
    for (size_t i = 0; i < sizeof foreign_prefix / sizeof foreign_prefix[0]; i++)
        if (st_starts_with(name, foreign_prefix[i])) return true;
    return false;
}

static bool belongs(const st_parameter *parameter, strait_model_part part) {
    if (part == STRAIT_MODEL_WHOLE) return true;
    return st_starts_with(parameter->name, part == STRAIT_MODEL_ENCODER ? "encoder." : "decoder.");
}

strait_status st_model_tensors(st_named_tensor **out, size_t *n, const strait_model *model, strait_model_part part,
                               const float *values, strait_error *err) {
    const st_graph *graph = model->graph;
    *n = 0;
    *out = st_alloc((size_t)graph->n_parameters, sizeof **out);
    if (!*out) return st_fail_memory(err, (size_t)graph->n_parameters * sizeof **out, "the model's tensors");
    for (int i = 0; i < graph->n_parameters; i++) {
        const st_parameter *parameter = &graph->parameter[i];
        if (!belongs(parameter, part)) continue;
        st_named_tensor *tensor = &(*out)[(*n)++];
        tensor->name = parameter->name;
        tensor->n_dims = parameter->shape.n_dims;
        memcpy(tensor->dim, parameter->shape.dim, sizeof parameter->shape.dim);
        tensor->values = (values ? values : model->values) + parameter->offset;
    }
    return STRAIT_OK;
}

size_t st_model_metadata(st_metadata out[ST_MODEL_N_METADATA], const strait_model *model, strait_model_part part) {
    out[0] = (st_metadata){"format", FORMAT_NAME};
    out[1] = (st_metadata){"strait.version", FORMAT_VERSION};
    out[2] = (st_metadata){"strait.part", part_name[part]};
    out[3] = (st_metadata){"strait.recipe", model->yaml};
    if (model->features) out[4] = (st_metadata){"strait.features", model->features};
    return model->features ? 5 : 4;
}

strait_status strait_model_save(const strait_model *model, strait_model_part part, const char *path,
                                strait_error *err) {
    if (!model || !path) return st_fail(err, STRAIT_ARGUMENT, "strait_model_save: model and path must not be NULL");
    if ((part == STRAIT_MODEL_ENCODER && !model->has_encoder) || (part == STRAIT_MODEL_DECODER && !model->has_decoder))
        return st_fail(err, STRAIT_ARGUMENT, "%s: this model has no %s to save", path, part_name[part]);
    /* All that a half has is that half. */
    if (!model->has_encoder) part = STRAIT_MODEL_DECODER;
    if (!model->has_decoder) part = STRAIT_MODEL_ENCODER;
    st_metadata metadata[ST_MODEL_N_METADATA];
    const size_t n_metadata = st_model_metadata(metadata, model, part);
    st_named_tensor *tensor = NULL;
    size_t n = 0;
    ST_TRY(st_model_tensors(&tensor, &n, model, part, NULL, err));
    const strait_status status = st_safetensors_write(path, n, tensor, n_metadata, metadata, err);
    st_free(tensor);
    return status;
}

/* Format and version are ours; which part of a model it is. */
static strait_status read_part(strait_model_part *part, const st_safetensors *file, const char *path,
                               strait_error *err) {
    const char *format = st_safetensors_metadata(file, "format");
    const char *version = st_safetensors_metadata(file, "strait.version");
    const char *name = st_safetensors_metadata(file, "strait.part");
    if (!format || strcmp(format, FORMAT_NAME) != 0 || !version)
        return st_fail(err, STRAIT_FORMAT, "%s: a safetensors file, but not a Strait model: its metadata do not say so",
                       path);
    if (strcmp(version, FORMAT_VERSION) != 0)
        return st_fail(err, STRAIT_FORMAT, "%s: version '%.16s' of the model format; this program reads version %s",
                       path, version, FORMAT_VERSION);
    for (size_t i = 0; name && i < sizeof part_name / sizeof part_name[0]; i++) {
        if (strcmp(name, part_name[i]) != 0) continue;
        *part = (strait_model_part)i;
        return STRAIT_OK;
    }
    return st_fail(err, STRAIT_FORMAT, "%s: 'strait.part' is '%.16s'; it must be whole, encoder or decoder", path,
                   name ? name : "");
}

static strait_status check_shape(const st_named_tensor *tensor, const st_parameter *parameter, const char *path,
                                 strait_error *err) {
    st_shape shape = {.n_dims = tensor->n_dims < ST_MAX_SHAPE ? tensor->n_dims : ST_MAX_SHAPE};
    memcpy(shape.dim, tensor->dim, sizeof shape.dim);
    if (tensor->n_dims <= ST_MAX_SHAPE && st_shape_equal(&shape, &parameter->shape)) return STRAIT_OK;
    char has[96], needs[96];
    st_shape_print(has, &shape);
    st_shape_print(needs, &parameter->shape);
    return st_fail(err, STRAIT_FORMAT, "%s: tensor '%s' is %s%s, but its layer needs %s", path, parameter->name, has,
                   tensor->n_dims > ST_MAX_SHAPE ? "×…" : "", needs);
}

/* Refuses tensors that no layer of the model has. */
static strait_status check_names(const st_graph *graph, const st_safetensors *file, const char *path,
                                 strait_error *err) {
    for (size_t i = 0; i < file->n_tensors; i++) {
        const char *name = file->tensor[i].name;
        bool known = is_foreign(name);
        for (int j = 0; j < graph->n_parameters && !known; j++)
            known = strcmp(graph->parameter[j].name, name) == 0;
        if (!known)
            return st_fail(err, STRAIT_FORMAT, "%s: tensor '%.60s' belongs to no layer of the model in its metadata",
                           path, name);
    }
    return STRAIT_OK;
}

/* Copies every parameter's values out of the file. */
static strait_status read_values(strait_model *model, const st_safetensors *file, const char *path, strait_error *err) {
    const st_graph *graph = model->graph;
    ST_TRY(check_names(graph, file, path, err));
    for (int i = 0; i < graph->n_parameters; i++) {
        const st_parameter *parameter = &graph->parameter[i];
        const st_named_tensor *tensor = st_safetensors_find(file, parameter->name);
        if (!tensor)
            return st_fail(err, STRAIT_FORMAT, "%s: tensor '%s' is missing; the file is damaged", path,
                           parameter->name);
        ST_TRY(check_shape(tensor, parameter, path, err));
    }
    /* Only now: a header cannot make us take more memory than its file has bytes. */
    const size_t bytes = (size_t)graph->n_values * sizeof *model->values;
    model->values = st_alloc_aligned(bytes);
    if (!model->values) return st_fail_memory(err, bytes, path);
    for (int i = 0; i < graph->n_parameters; i++) {
        const st_parameter *parameter = &graph->parameter[i];
        const int64_t n = st_shape_count(&parameter->shape);
        const st_named_tensor *tensor = st_safetensors_find(file, parameter->name);
        if (n > 0) memcpy(model->values + parameter->offset, tensor->values, (size_t)n * sizeof *model->values);
    }
    return STRAIT_OK;
}

/* Fills in an empty model. */
static strait_status read_model(strait_model *model, const st_safetensors *file, const char *path, strait_error *err) {
    strait_model_part part = STRAIT_MODEL_WHOLE;
    ST_TRY(read_part(&part, file, path, err));
    model->has_encoder = part != STRAIT_MODEL_DECODER;
    model->has_decoder = part != STRAIT_MODEL_ENCODER;
    const char *yaml = st_safetensors_metadata(file, "strait.recipe");
    if (!yaml) return st_fail(err, STRAIT_FORMAT, "%s: its metadata hold no 'strait.recipe'", path);
    model->yaml = st_strdup(yaml);
    if (!model->yaml) return st_fail_memory(err, strlen(yaml), path);
    ST_TRY(strait_recipe_parse(&model->recipe, yaml, path, 0, NULL, err));
    const char *features = st_safetensors_metadata(file, "strait.features");
    if (features) ST_TRY(st_features_from_text(&model->recipe->data.features, features, path, err));
    if (features && !(model->features = st_strdup(features))) return st_fail_memory(err, strlen(features), path);
    ST_TRY(st_model_graph(&model->graph, model->recipe, model->has_encoder, model->has_decoder, err));
    return read_values(model, file, path, err);
}

strait_status st_model_from_tensors(strait_model **out, const st_safetensors *file, const char *path,
                                    strait_error *err) {
    *out = NULL;
    strait_model *model = st_alloc(1, sizeof *model);
    if (!model) return st_fail_memory(err, sizeof *model, path);
    const strait_status status = read_model(model, file, path, err);
    if (status != STRAIT_OK) {
        strait_model_free(model);
        return status;
    }
    *out = model;
    return STRAIT_OK;
}

strait_status st_model_read(strait_model **out, const char *path, strait_error *err) {
    *out = NULL;
    st_safetensors *file = NULL;
    ST_TRY(st_safetensors_read(&file, path, err));
    strait_status status = st_model_from_tensors(out, file, path, err);
    st_safetensors_free(file);
    if (status != STRAIT_OK) return status;
    (*out)->file = st_strdup(path);
    if ((*out)->file) return STRAIT_OK;
    strait_model_free(*out);
    *out = NULL;
    return st_fail_memory(err, strlen(path), "a model");
}
