/* A model: its recipe (layers, scaling), its graph, and one block of parameters in canonical layout. */
#ifndef ST_MODEL_MODEL_H
#define ST_MODEL_MODEL_H

#include <strait/model.h>
#include "graph/graph.h"
#include "model/safetensors.h"
#include "recipe/recipe.h"

struct strait_model {
    strait_recipe *recipe;
    char *yaml;     /* the recipe as text */
    char *features; /* what was fitted on cells' data, as text; NULL without */
    char *file;     /* what it was read from, for messages; NULL when built */
    st_graph *graph;
    float *values; /* [graph->n_values] canonical */
    bool has_encoder, has_decoder;
};

/* The graph of a recipe's layers. Checks shapes: each mistake names the layer's line and both sides.
   input: of the model; for a decoder alone, its latent. */
strait_status st_model_graph(st_graph **out, const strait_recipe *recipe, bool with_encoder, bool with_decoder,
                             strait_error *err);

/* Every parameter as its initialiser says (base/terms.h). Parameter i draws stream sample = i of purpose
   ST_RNG_WEIGHTS. */
void st_model_initialise(float *values, const st_graph *graph, uint64_t seed);
/* One of them alone. */
void st_model_initialise_parameter(float *values, const st_graph *graph, int parameter, uint64_t seed);

/* Builds a model around a copy of recipe with fresh weights (public strait_model_build). After changing model->recipe
   call st_model_set_recipe so that the text follows. */
strait_status st_model_set_recipe(strait_model *model, const strait_recipe *recipe, strait_error *err);

/* The same model without batch_norm where it follows a linear dense, conv2d or conv2d_transpose: the moving statistics
   go into that op's kernel and bias, and an activation after it is fused. For inference. *graph and *values are the
   caller's (st_graph_free, st_free); a model without such an op gives *graph = NULL. Errors: MEMORY. */
strait_status st_model_fold(st_graph **graph, float **values, const strait_model *model, strait_error *err);

/* Reads one model file. */
strait_status st_model_read(strait_model **out, const char *path, strait_error *err);
/* The same from an open file: a checkpoint holds a model beside other tensors. */
strait_status st_model_from_tensors(strait_model **out, const st_safetensors *file, const char *path,
                                    strait_error *err);
/* The model's named tensors, the caller's array (st_free) of n, values and names borrowed from the model. values NULL:
   the model's own; else a canonical block. */
strait_status st_model_tensors(st_named_tensor **out, size_t *n, const strait_model *model, strait_model_part part,
                               const float *values, strait_error *err);

/* The metadata that make a file of these tensors a model file; values borrowed from the model. Gives how many. */
#define ST_MODEL_N_METADATA 5 /* at most */
size_t st_model_metadata(st_metadata out[ST_MODEL_N_METADATA], const strait_model *model, strait_model_part part);

/* Notes in a model's file: metadata beside the model's own, which its reading passes over. Reading gives NULL where
   there is none, else the caller's text (st_free). Writing puts the whole file in place anew, atomically. Errors: those
   of st_safetensors_read, IO, MEMORY. */
strait_status st_model_note_read(char **out, const char *path, const char *key, strait_error *err);
strait_status st_model_note_write(const char *path, const char *key, const char *value, strait_error *err);

/* What an op computes, as the recipe calls it: "dense (relu)", "flatten". */
void st_model_op_text(char *out, size_t n, const strait_model *model, const st_op *op);

/* Input / output shape of one sample (encoder input or latent; decoder output or latent). */
st_shape st_model_input_shape(const strait_model *model);
st_shape st_model_output_shape(const strait_model *model);

#endif
