/* What the builders of ops share. */
#ifndef ST_GRAPH_GRAPH_INT_H
#define ST_GRAPH_GRAPH_INT_H

#include "graph/graph.h"

/* More floats than this in one tensor or parameter is a mistake, and keeps every product below in range. */
#define ST_MAX_COUNT ((int64_t)1 << 40)

/* An op at its place, reading src, with nothing else yet: no second input, no parameters, no activation. */
st_op st_graph_new_op(st_op_kind kind, int src, st_op_place place);
/* Appends op and the tensor it writes. */
strait_status st_graph_add_op(int *dst, st_graph *graph, st_op op, const st_shape *shape, strait_error *err);
/* Appends a parameter named prefix.what; all but its name and offset as in like. */
strait_status st_graph_add_parameter(int *index, st_graph *graph, const char *prefix, const char *what,
                                     const st_parameter *like, strait_error *err);

/* SHAPE unless tensor src is an image: height×width×channels. name: of the op, for the message. */
strait_status st_graph_need_image(const st_graph *graph, int src, const char *name, strait_error *err);

/* Height and width of what a sliding window gives (not transposed), and the window with the zeros TensorFlow adds.
   what: "conv2d with kernel", for the message. */
strait_status st_graph_slide(st_shape *out, st_window *window, const st_shape *in, const char *what,
                             const int64_t size[2], const int64_t strides[2], st_padding padding, strait_error *err);

#endif
