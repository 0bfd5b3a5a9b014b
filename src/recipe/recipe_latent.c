/* model.latent: the latent's width as a key of its own, whatever the encoder looks like, so that it can be overridden
   and varied under one name. It is read into the units of the encoder's end, where the recipe keeps it. */
#include "recipe/recipe_int.h"

/* What comes after the layer that decides the width and leaves it as it is. */
static bool keeps_width(st_layer_kind kind) {
    return kind == ST_LAYER_ACTIVATION || kind == ST_LAYER_BATCH_NORM || kind == ST_LAYER_LAYER_NORM ||
           kind == ST_LAYER_DROPOUT || kind == ST_LAYER_GAUSSIAN_NOISE || kind == ST_LAYER_FLATTEN;
}

/* The layer that decides how wide the end of these is; NULL: a reshape, a convolution, branches. */
static st_layer *last_units(st_layer *layers, int n) {
    while (n > 0 && keeps_width(layers[n - 1].kind))
        n--;
    if (n == 0) return NULL;
    st_layer *last = &layers[n - 1];
    return last->kind == ST_LAYER_DENSE || last->kind == ST_LAYER_GAUSSIAN ? last : NULL;
}

static strait_status set_units(st_layer *layers, int n, const strait_recipe *recipe, strait_error *err) {
    st_layer *last = last_units(layers, n);
    if (!last)
        return st_fail_at(err, STRAIT_RECIPE, recipe->model.latent_pos,
                          "model.latent is the width of a dense layer or a gaussian at the end of the encoder, but it "
                          "ends in %s; give a key of that instead",
                          n > 0 ? st_layer_name(layers[n - 1].kind) : "nothing");
    for (int b = 0; b < last->n_branches; b++) /* a gaussian's mean and log_variance */
        ST_TRY(set_units(last->branch[b].layers, last->branch[b].n_layers, recipe, err));
    if (last->n_branches > 0) return STRAIT_OK;
    last->units = recipe->model.latent;
    last->units_of_input = false;
    return STRAIT_OK;
}

strait_status st_set_latent(strait_recipe *recipe, strait_error *err) {
    if (recipe->model.latent == 0) return STRAIT_OK;
    ST_TRY(set_units(recipe->model.encoder, recipe->model.n_encoder, recipe, err));
    recipe->model.latent = 0;
    return STRAIT_OK;
}
