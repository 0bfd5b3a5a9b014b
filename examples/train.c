/* Trains an autoencoder on images and keeps it, with the latents of all its images.

     cc train.c $(pkg-config --cflags --libs strait) -o train
     ./train [DATA]          DATA: fashion-mnist when left out; images of 28×28×1
*/
#include <stdio.h>
#include <stdlib.h>
#include <strait/strait.h>

static const char recipe_text[] = "name: example\n"
                                  "data: {validation: 0.1}\n"
                                  "model:\n"
                                  "  input: [28, 28, 1]\n"
                                  "  encoder:\n"
                                  "    - flatten\n"
                                  "    - dense: {units: 32, activation: relu}\n"
                                  "  decoder:\n"
                                  "    - dense: {units: 784, activation: sigmoid}\n"
                                  "    - reshape: [28, 28, 1]\n"
                                  "train: {loss: mse, optimizer: adam, epochs: 3, batch_size: 32}\n";

/* An observer is told how the training goes; it cannot change it. */
static void print_epoch(void *context, const strait_progress *progress) {
    (void)context;
    printf("epoch %d of %d: loss %.4f, val_loss %.4f\n", progress->epoch, progress->epochs, progress->loss,
           progress->val_loss);
}

/* Every call gives a status, and says in words what is wrong. */
static void check(strait_status status, const strait_error *error) {
    if (status == STRAIT_OK) return;
    fprintf(stderr, "train: %s\n", error->message);
    exit(1);
}

int main(int argc, char **argv) {
    strait_error error;
    strait_data *data = NULL;
    strait_recipe *recipe = NULL;
    strait_model *model = NULL;
    strait_array *latents = NULL;

    check(strait_data_open(&data, argc > 1 ? argv[1] : "fashion-mnist", &error), &error);
    check(strait_recipe_parse(&recipe, recipe_text, "example", 0, NULL, &error), &error);

    const strait_train_options options = {.no_run = true, .data = data, .observer = {.epoch_end = print_epoch}};
    check(strait_train(&model, NULL, recipe, &options, &error), &error);

    check(strait_model_encode(&latents, model, data, NULL, &error), &error);
    check(strait_array_write(latents, "latents.npy", &error), &error);
    check(strait_model_save(model, STRAIT_MODEL_WHOLE, "example.safetensors", &error), &error);
    printf("example.safetensors, and latents.npy: %lld of %lld values\n", (long long)latents->dim[0],
           (long long)latents->dim[1]);

    strait_array_free(latents);
    strait_model_free(model);
    strait_recipe_free(recipe);
    strait_data_free(data);
    return 0;
}
