/* Models: an encoder, a latent, a decoder; built from a recipe or loaded from a file. */
#ifndef STRAIT_MODEL_H
#define STRAIT_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/array.h>
#include <strait/data.h>
#include <strait/recipe.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strait_model strait_model;

/* Builds the recipe's model with fresh weights drawn from the recipe's seed. The caller owns *out.
   Errors: RECIPE and SHAPE ("file:line:column: ..."), MEMORY. */
STRAIT_API strait_status strait_model_build(strait_model **out, const strait_recipe *recipe, strait_error *err);

/* Loads a model: a .safetensors file, a run folder, or a run's name (looked for in runs/). The caller owns *out.
   Errors: NOT_FOUND, FORMAT (cut short, a header that lies), MEMORY. */
STRAIT_API strait_status strait_model_load(strait_model **out, const char *path, strait_error *err);

/* What to save: all, or one half alone. */
typedef enum strait_model_part { STRAIT_MODEL_WHOLE, STRAIT_MODEL_ENCODER, STRAIT_MODEL_DECODER } strait_model_part;

/* Writes a part of the model as safetensors with its layer list in the metadata. Atomic. Errors: IO, MEMORY. */
STRAIT_API strait_status strait_model_save(const strait_model *model, strait_model_part part, const char *path,
                                           strait_error *err);

/* Frees the model; NULL is fine. */
STRAIT_API void strait_model_free(strait_model *model);

/* Values in the latent of one sample. */
STRAIT_API int64_t strait_model_latent_size(const strait_model *model);

/* Is the latent drawn from a normal distribution, which training brings near to the standard one (the layer gaussian)?
   Then latents of independent standard normal values decode to new samples. */
STRAIT_API bool strait_model_is_variational(const strait_model *model);

/* Trainable parameters. */
STRAIT_API int64_t strait_model_parameters(const strait_model *model);

/* The model's recipe as YAML (what was saved with it). Borrowed until the model is freed. */
STRAIT_API const char *strait_model_recipe(const strait_model *model);

/* How a call over many samples computes and tells. All zero is the default. */
typedef struct strait_apply_options {
    int threads; /* 0: as many as the machine gives this process */
    void (*progress)(void *context, int64_t done, int64_t total);
    void *context; /* handed to progress */
} strait_apply_options;

/* Latents of a data set: *out [n, latent], float32, the caller's. The data is scaled as in training.
   options may be NULL. Errors: SHAPE (data of another shape, both named), ARGUMENT (a decoder alone), MEMORY, ENGINE.
 */
STRAIT_API strait_status strait_model_encode(strait_array **out, const strait_model *model, strait_data *data,
                                             const strait_apply_options *options, strait_error *err);

/* What the data lacks, in words, for people: of the genes and proteins that the model was trained on, which count as 0;
   or values that are missing, and what the model's recipe puts in their place. *out is NULL when there is nothing to
   tell, else the caller's (strait_string_free). Errors as strait_model_encode; SHAPE when none of them is there. */
STRAIT_API strait_status strait_model_missing(char **out, const strait_model *model, strait_data *data,
                                              strait_error *err);

/* Latents z [n, latent] into a copy of the h5ad file that data was opened from: in obsm/X_strait, and what made them in
   uns/strait. name: what the user calls the model. The file itself is left as it is; atomic. Errors: ARGUMENT (data is
   no h5ad file, or not all of it; path is that file), SHAPE, IO, FORMAT, MEMORY. */
STRAIT_API strait_status strait_model_write_h5ad(const strait_model *model, const char *name, strait_data *data,
                                                 const strait_array *z, const char *path, strait_error *err);

/* Outputs for latents z [n, latent]: *out [n, height, width, channels] (or [n, features]), the caller's, in the
   model's scale (0..1 for scale: unit). Errors as strait_model_encode. */
STRAIT_API strait_status strait_model_decode(strait_array **out, const strait_model *model, const strait_array *z,
                                             const strait_apply_options *options, strait_error *err);

/* Encode and decode in one: *out has the shape of the data, in the model's scale. Errors as strait_model_encode. */
STRAIT_API strait_status strait_model_reconstruct(strait_array **out, const strait_model *model, strait_data *data,
                                                  const strait_apply_options *options, strait_error *err);

/* The samples as the model takes them: resized and scaled as in training, without noise. *out has the shape of what
   strait_model_reconstruct gives for the same data, the caller's. Errors as strait_model_encode. */
STRAIT_API strait_status strait_model_input(strait_array **out, const strait_model *model, strait_data *data,
                                            strait_error *err);

/* Errors of reconstruction over a data set, each a mean over all samples and values. */
typedef struct strait_evaluation {
    int64_t n_samples;
    double mse;  /* mean (x - y)^2, y as strait_model_reconstruct gives it */
    double mae;  /* mean |x - y| */
    double bce;  /* mean -(x log p + (1 - x) log(1 - p)), p = y clipped to [1e-7, 1 - 1e-7] */
    double loss; /* the recipe's own loss, as val_loss: with penalties, and for a gaussian latent of drawn latents and
                    with the KL divergence */
    double kl;   /* the KL divergence alone, not times beta; NAN without a gaussian latent */
} strait_evaluation;

/* Reconstructs every sample and measures the error. If the recipe corrupts its input, so does this (with the
   recipe's seed), and the target is the clean sample: the same measure as val_loss. Errors as strait_model_encode. */
STRAIT_API strait_status strait_model_evaluate(strait_evaluation *out, const strait_model *model, strait_data *data,
                                               const strait_apply_options *options, strait_error *err);

/* The error of each sample, as metric says: *out [n], the mean over its values of |x - y| (mae) or of (x - y)^2 (mse),
   or the root of the sum of (x - y)^2 (euclidean). Errors as strait_model_encode, ARGUMENT for another metric. */
STRAIT_API strait_status strait_model_score(strait_array **out, const strait_model *model, strait_data *data,
                                            const char *metric, const strait_apply_options *options, strait_error *err);

/* What a layer gave for one sample. Strings and values are borrowed from strait_activations. */
typedef struct strait_activation_map {
    const char *name;  /* as in the summary: "encoder.1" */
    const char *layer; /* "conv2d (relu)" */
    int n_dims;
    int64_t dim[STRAIT_MAX_DIMS];
    const float *values; /* [dim...]; images [height, width, channels] */
} strait_activation_map;

typedef struct strait_activations {
    int n;
    strait_activation_map *map; /* [n]: the input, then every layer in order */
} strait_activations;

/* Every layer's values for sample i of a data set. The caller owns *out and frees it with strait_activations_free.
   Errors as strait_model_encode, ARGUMENT for a sample that is not there. */
STRAIT_API strait_status strait_model_activations(strait_activations **out, const strait_model *model,
                                                  strait_data *data, int64_t i, strait_error *err);
STRAIT_API void strait_activations_free(strait_activations *activations);

/* One row of the summary table. Strings are borrowed from the summary. */
typedef struct strait_summary_row {
    const char *part;  /* "encoder" or "decoder" */
    const char *name;  /* as in the file: "encoder.1" */
    const char *layer; /* "dense (relu)" */
    int n_dims;
    int64_t dim[STRAIT_MAX_DIMS]; /* output of one sample */
    int64_t parameters;           /* non_trainable ones among them */
    int64_t flops;                /* of one sample, forward: 2 for each multiply-add */
    int64_t non_trainable;        /* moving means and variances of batch_norm */
    int64_t activation_bytes; /* of what it gives for one sample, float32; 0 for a reshape, which shares its input's */
} strait_summary_row;

typedef struct strait_summary {
    int n_rows;
    strait_summary_row *row;
    int n_input_dims;
    int64_t input_dim[STRAIT_MAX_DIMS];
    int64_t latent;
    int64_t parameters;
    int64_t flops;            /* of one sample, forward */
    int64_t training_bytes;   /* parameters, gradients, optimiser state and activations while training */
    int batch_size;           /* training_bytes is for this batch size */
    char *plan;               /* how the training step is computed, as text: one op a line */
    int64_t non_trainable;    /* of the parameters */
    int64_t activation_bytes; /* of one sample, all rows */
} strait_summary;

/* The summary of a model, its training plan made for `threads` threads (0: as many as the machine gives).
   The caller owns *out and frees it with strait_summary_free. Errors: MEMORY, ENGINE. */
STRAIT_API strait_status strait_model_summary(strait_summary **out, const strait_model *model, int threads,
                                              strait_error *err);
STRAIT_API void strait_summary_free(strait_summary *summary);

#ifdef __cplusplus
}
#endif
#endif
