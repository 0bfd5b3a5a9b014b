/* Inside the model room: lists of layers, nested ones too, into a graph. */
#ifndef ST_MODEL_LAYERS_INT_H
#define ST_MODEL_LAYERS_INT_H

#include "model/model.h"

/* Where a list of layers stands. */
typedef struct st_layers_place {
    const char *prefix; /* "encoder"; of a branch "encoder.0.1" */
    int part;           /* 0 encoder, 1 decoder */
    int layer;          /* of the part's own list, for all inside it; -1: this is that list */
} st_layers_place;

/* Adds n layers after *tensor, which then is what the last one gives. Errors: SHAPE at the layer's position, MEMORY. */
strait_status st_add_layers(int *tensor, st_graph *graph, const st_layer *layers, int n, st_layers_place place,
                            strait_error *err);

/* The layers that hold layers (layers_nested.c), and gaussian. place.prefix is the layer's own name. Errors: SHAPE with
   position, MEMORY. */
strait_status st_add_parallel(int *tensor, st_graph *graph, const st_layer *layer, st_op_place place,
                              strait_error *err);
strait_status st_add_residual(int *tensor, st_graph *graph, const st_layer *layer, st_op_place place,
                              strait_error *err);
strait_status st_add_gaussian(int *tensor, st_graph *graph, const st_layer *layer, st_op_place place,
                              strait_error *err);

/* Gives a builder's SHAPE error, a sentence without position, the position; other errors pass as they are. */
strait_status st_place_error(strait_status status, const strait_error *cause, st_pos pos, strait_error *err);

#endif
