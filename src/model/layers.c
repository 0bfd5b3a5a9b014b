/* From a recipe's layers to a graph. The graph's builders know shapes but not recipes: their mistakes get the layer's
   position here, so that whoever reads the message finds the line. */
#include "model/layers_int.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"

/* A size beyond this is a mistake; up to it the builders' integer products stay in range. */
#define MAX_SIZE ((int64_t)1 << 40)

/* What a layer will add, in floating point so that no product overflows: parameters, and values of one sample. */
typedef struct layer_size {
    double parameters, values;
} layer_size;

static double product(const double *factors, int n) {
    double result = 1;
    for (int i = 0; i < n; i++)
        result *= factors[i];
    return result;
}

/* Of a convolution: values it gives, about, for each axis of the image. */
static layer_size size_of_convolution(const st_layer *layer, const st_shape *in, double channels) {
    const double filters = (double)layer->filters,
                 kernel[2] = {(double)layer->kernel_size[0], (double)layer->kernel_size[1]};
    layer_size size = {kernel[0] * kernel[1] * channels * filters + (layer->bias ? filters : 0), filters};
    for (int axis = 0; axis < 2 && in->n_dims == 3; axis++) {
        const double n = (double)in->dim[axis], stride = (double)layer->strides[axis];
        size.values *= layer->kind == ST_LAYER_CONV2D ? n / stride + 1 : n * stride + kernel[axis];
    }
    return size;
}

/* Layers inside it are counted when they are added. */
static layer_size size_of(const st_layer *layer, const st_shape *in) {
    const double count = (double)st_shape_count(in), channels = (double)in->dim[in->n_dims - 1];
    const double units = (double)layer->units;
    switch (layer->kind) {
    case ST_LAYER_DENSE: return (layer_size){channels * units + (layer->bias ? units : 0), count / channels * units};
    case ST_LAYER_GAUSSIAN:
        return (layer_size){2 * (channels + 1) * units, layer->units ? 2 * count / channels * units : count};
    case ST_LAYER_CONV2D:
    case ST_LAYER_CONV2D_TRANSPOSE: return size_of_convolution(layer, in, channels);
    case ST_LAYER_UPSAMPLE2D: return (layer_size){0, count * (double)layer->size[0] * (double)layer->size[1]};
    case ST_LAYER_ZERO_PAD2D: {
        double side[3] = {0, 0, channels};
        for (int axis = 0; axis < 2; axis++)
            side[axis] = (double)in->dim[axis] + (double)layer->before[axis] + (double)layer->after[axis];
        return (layer_size){0, in->n_dims == 3 ? product(side, 3) : count};
    }
    case ST_LAYER_BATCH_NORM: return (layer_size){4 * channels, count};
    case ST_LAYER_LAYER_NORM: return (layer_size){2 * channels, count};
    default: return (layer_size){0, count};
    }
}

/* Refuses what no memory could hold, before anything is allocated for it. */
static strait_status check_size(const st_graph *graph, const st_layer *layer, const char *prefix, const st_shape *in,
                                strait_error *err) {
    const int64_t size[] = {layer->units,      layer->filters,    layer->kernel_size[0], layer->kernel_size[1],
                            layer->strides[0], layer->strides[1], layer->dim[0],         layer->dim[1],
                            layer->dim[2],     layer->dim[3],     layer->size[0],        layer->size[1],
                            layer->before[0],  layer->before[1],  layer->after[0],       layer->after[1]};
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++)
        if (size[i] < 0 || size[i] > MAX_SIZE)
            return st_fail_at(err, STRAIT_SHAPE, layer->pos, "%s (%s): %lld is not a size a layer can have",
                              st_layer_name(layer->kind), prefix, (long long)size[i]);
    const layer_size added = size_of(layer, in);
    const double parameters = (double)graph->n_values + added.parameters, limit = (double)st_memory_limit();
    if (parameters * sizeof(float) > limit || parameters > (double)MAX_SIZE)
        return st_fail_at(err, STRAIT_SHAPE, layer->pos,
                          "%s (%s) brings the model to %.0f parameters × 4 bytes = %.1f GB, but this machine has %.1f "
                          "GB of memory; make it smaller",
                          st_layer_name(layer->kind), prefix, parameters, parameters * 4e-9, limit * 1e-9);
    if (added.values * sizeof(float) > limit || added.values > (double)MAX_SIZE)
        return st_fail_at(err, STRAIT_SHAPE, layer->pos,
                          "%s (%s) gives about %.0f values × 4 bytes = %.1f GB for one sample, but this machine has "
                          "%.1f GB of memory; make it smaller",
                          st_layer_name(layer->kind), prefix, added.values, added.values * 4e-9, limit * 1e-9);
    return STRAIT_OK;
}

strait_status st_place_error(strait_status status, const strait_error *cause, st_pos pos, strait_error *err) {
    if (status == STRAIT_OK) return STRAIT_OK;
    if (status == STRAIT_SHAPE) return st_fail_at(err, status, pos, "%s", cause->message);
    if (err) *err = *cause;
    return status;
}

/* Calls the builder of a layer without layers inside. */
static strait_status build_layer(int *tensor, st_graph *graph, const st_layer *layer, bool fuse, st_op_place place,
                                 strait_error *err) {
    const int src = *tensor;
    switch (layer->kind) {
    case ST_LAYER_FLATTEN: {
        const st_shape flat = {.n_dims = 1, .dim = {st_shape_count(&graph->tensor[src].shape)}};
        return st_graph_reshape(tensor, graph, src, &flat, place, err);
    }
    case ST_LAYER_RESHAPE: {
        st_shape shape = {.n_dims = layer->n_dims};
        memcpy(shape.dim, layer->dim, sizeof shape.dim);
        return st_graph_reshape(tensor, graph, src, &shape, place, err);
    }
    case ST_LAYER_DENSE:
        return st_graph_dense(tensor, graph, src, layer->units, layer->bias, layer->activation, place, err);
    case ST_LAYER_CONV2D:
    case ST_LAYER_CONV2D_TRANSPOSE:
        return st_graph_conv2d(tensor, graph, src, layer->kind == ST_LAYER_CONV2D_TRANSPOSE, layer->filters,
                               layer->kernel_size, layer->strides, layer->padding, layer->bias, layer->activation,
                               place, err);
    case ST_LAYER_ACTIVATION: return st_graph_activation(tensor, graph, src, fuse, layer->activation, place, err);
    case ST_LAYER_MAX_POOL2D:
    case ST_LAYER_AVG_POOL2D:
        return st_graph_pool2d(tensor, graph, src, layer->kind == ST_LAYER_MAX_POOL2D, layer->size, layer->strides,
                               layer->padding, place, err);
    case ST_LAYER_UPSAMPLE2D: return st_graph_upsample2d(tensor, graph, src, layer->size, layer->bilinear, place, err);
    case ST_LAYER_BATCH_NORM:
        return st_graph_batch_norm(tensor, graph, src, layer->momentum, layer->epsilon, place, err);
    case ST_LAYER_LAYER_NORM: return st_graph_layer_norm(tensor, graph, src, layer->epsilon, place, err);
    case ST_LAYER_DROPOUT: return st_graph_dropout(tensor, graph, src, layer->rate, place, err);
    case ST_LAYER_GAUSSIAN_NOISE: return st_graph_gaussian_noise(tensor, graph, src, layer->stddev, place, err);
    case ST_LAYER_CROP2D: return st_graph_crop2d(tensor, graph, src, layer->before, layer->after, place, err);
    case ST_LAYER_ZERO_PAD2D: return st_graph_zero_pad2d(tensor, graph, src, layer->before, layer->after, place, err);
    case ST_LAYER_PARALLEL:
    case ST_LAYER_RESIDUAL:
    case ST_LAYER_GAUSSIAN: break;
    }
    return st_fail(err, STRAIT_RECIPE, "layer of unknown kind %d", (int)layer->kind);
}

/* fuse: see st_add_layers. */
static strait_status add_layer(int *tensor, st_graph *graph, const st_layer *layer, bool fuse, st_op_place place,
                               strait_error *err) {
    const st_shape in = graph->tensor[*tensor].shape;
    ST_TRY(check_size(graph, layer, place.prefix, &in, err));
    switch (layer->kind) {
    case ST_LAYER_PARALLEL: return st_add_parallel(tensor, graph, layer, place, err);
    case ST_LAYER_RESIDUAL: return st_add_residual(tensor, graph, layer, place, err);
    case ST_LAYER_GAUSSIAN: return st_add_gaussian(tensor, graph, layer, place, err);
    default: break;
    }
    strait_error cause = {0};
    const strait_status status = build_layer(tensor, graph, layer, fuse, place, &cause);
    return st_place_error(status, &cause, layer->pos, err);
}

/* What the list begins with has other readers: a residual's sum, the other branches, those who ask for the latent. No
   activation is fused into it. */
strait_status st_add_layers(int *tensor, st_graph *graph, const st_layer *layers, int n, st_layers_place place,
                            strait_error *err) {
    const int start = *tensor;
    for (int i = 0; i < n; i++) {
        char prefix[64];
        const int length = snprintf(prefix, sizeof prefix, "%s.%d", place.prefix, i);
        if (length < 0 || (size_t)length >= sizeof graph->op->name - sizeof ".log_variance")
            return st_fail_at(err, STRAIT_RECIPE, layers[i].pos,
                              "%s (%s...) lies too deep inside other layers: its name would be too long",
                              st_layer_name(layers[i].kind), place.prefix);
        const st_op_place at = {.prefix = prefix,
                                .part = place.part,
                                .layer = place.layer < 0 ? i : place.layer,
                                .initializer = layers[i].initializer,
                                .bias_start = layers[i].bias_start};
        ST_TRY(add_layer(tensor, graph, &layers[i], *tensor != start, at, err));
    }
    return STRAIT_OK;
}

/* The encoder's layers, and what the recipe wants of their result. */
static strait_status add_encoder(int *tensor, st_graph *graph, const strait_recipe *recipe, strait_error *err) {
    const int n = recipe->model.n_encoder;
    const st_layers_place place = {.prefix = "encoder", .part = 0, .layer = -1};
    ST_TRY(st_add_layers(tensor, graph, recipe->model.encoder, n, place, err));
    if (recipe->train.latent_l1 == 0 && recipe->train.latent_l2 == 0) return STRAIT_OK;
    char name[32];
    snprintf(name, sizeof name, "encoder.%d", n);
    const st_op_place last = {.prefix = name, .part = 0, .layer = n};
    return st_graph_penalty(tensor, graph, *tensor, recipe->train.latent_l1, recipe->train.latent_l2, last, err);
}

/* The decoder's layers; for a loss from logits a sigmoid of its own after them, so that outputs are probabilities. */
static strait_status add_decoder(int *tensor, st_graph *graph, const strait_recipe *recipe, strait_error *err) {
    const int n = recipe->model.n_decoder;
    const st_layers_place place = {.prefix = "decoder", .part = 1, .layer = -1};
    ST_TRY(st_add_layers(tensor, graph, recipe->model.decoder, n, place, err));
    if (recipe->train.loss.term[0].kind != ST_LOSS_LOGITS) return STRAIT_OK;
    graph->logits = *tensor;
    char name[32];
    snprintf(name, sizeof name, "decoder.%d", n);
    const st_op_place last = {.prefix = name, .part = 1, .layer = n};
    const st_activation sigmoid = {.kind = ST_SIGMOID};
    return st_graph_activation(tensor, graph, *tensor, false, sigmoid, last, err);
}

/* The decoder must give what went in. */
static strait_status check_output(const strait_recipe *recipe, const st_shape *input, const st_shape *output,
                                  strait_error *err) {
    if (st_shape_equal(input, output)) return STRAIT_OK;
    char gives[96], wanted[96], sum[48] = "", mend[160] = "";
    st_shape_print(gives, output);
    st_shape_print(wanted, input);
    if (output->n_dims > 1) snprintf(sum, sizeof sum, " = %lld", (long long)st_shape_count(output));
    if (st_shape_count(output) == st_shape_count(input)) {
        if (input->n_dims == 1) {
            snprintf(mend, sizeof mend, "; end the decoder with flatten");
        } else {
            int length = snprintf(mend, sizeof mend, "; end the decoder with reshape: [");
            for (int i = 0; i < input->n_dims; i++)
                length += snprintf(mend + length, sizeof mend - (size_t)length, "%s%lld", i ? ", " : "",
                                   (long long)input->dim[i]);
            snprintf(mend + length, sizeof mend - (size_t)length, "]");
        }
    }
    return st_fail_at(err, STRAIT_SHAPE, recipe->model.decoder_pos, "decoder gives %s%s values, input is %s%s", gives,
                      sum, wanted, mend);
}

/* A graph over the encoder's layers only: what it takes in, and the latent it gives. */
static strait_status encoder_graph(st_graph **out, const strait_recipe *recipe, const st_shape *input,
                                   strait_error *err) {
    st_graph *graph = NULL;
    ST_TRY(st_graph_new(&graph, input, err));
    int tensor = graph->input;
    const strait_status status = add_encoder(&tensor, graph, recipe, err);
    if (status != STRAIT_OK) {
        st_graph_free(graph);
        return status;
    }
    graph->latent = tensor;
    graph->n_encoder_ops = graph->n_ops;
    *out = graph;
    return STRAIT_OK;
}

strait_status st_model_graph(st_graph **out, const strait_recipe *recipe, bool with_encoder, bool with_decoder,
                             strait_error *err) {
    *out = NULL;
    if (recipe->model.n_encoder == 0 || (with_decoder && recipe->model.n_decoder == 0))
        return st_fail_at(err, STRAIT_RECIPE, recipe->model.pos, "the %s has no layers",
                          recipe->model.n_encoder == 0 ? "encoder" : "decoder");
    st_shape input = {.n_dims = recipe->model.n_input_dims};
    memcpy(input.dim, recipe->model.input_dim, sizeof input.dim);
    if (st_shape_count(&input) > MAX_SIZE || (double)st_shape_count(&input) * 4 > (double)st_memory_limit())
        return st_fail_at(err, STRAIT_SHAPE, recipe->model.input_pos, "one sample would not fit into memory");
    st_graph *graph = NULL;
    ST_TRY(encoder_graph(&graph, recipe, &input, err));
    strait_status status = STRAIT_OK;
    if (!with_decoder) goto done;
    if (!with_encoder) {
        /* The decoder's own input is the latent, whose shape only the encoder tells. */
        const st_shape latent = graph->tensor[graph->latent].shape;
        st_graph_free(graph);
        ST_TRY(st_graph_new(&graph, &latent, err));
        graph->latent = graph->input;
    }
    int tensor = graph->latent;
    status = add_decoder(&tensor, graph, recipe, err);
    if (status != STRAIT_OK) goto done;
    graph->output = tensor;
    status = check_output(recipe, &input, &graph->tensor[tensor].shape, err);
done:
    if (status != STRAIT_OK) {
        st_graph_free(graph);
        return status;
    }
    *out = graph;
    return STRAIT_OK;
}
