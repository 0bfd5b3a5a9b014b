/* The recipe as structs. Parsed from YAML with positions, so that whoever finds a mistake later (a shape that does
   not fit) can name the line. Everything here is plain data; defaults are filled in by the parser. */
#ifndef ST_RECIPE_RECIPE_H
#define ST_RECIPE_RECIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/recipe.h>
#include "base/status.h"
#include "base/terms.h"

/* Where something stands in a recipe: "recipes/x.yaml:9:7". file is borrowed from the recipe; line 0: filled in by
 * default. */
typedef struct st_pos {
    const char *file;
    int line, column;
} st_pos;

/* "file:line:column: " + message, STRAIT_RECIPE or another code. Without a line: "file: " + message. */
strait_status st_fail_at(strait_error *err, strait_status code, st_pos pos, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Layers. A recipe's item is a word (flatten) or a one-key map (dense: {units: 64}). */
#define ST_LAYER_LIST(X)                                                                                               \
    X(FLATTEN, "flatten")                                                                                              \
    X(RESHAPE, "reshape")                                                                                              \
    X(DENSE, "dense")                                                                                                  \
    X(CONV2D, "conv2d")                                                                                                \
    X(CONV2D_TRANSPOSE, "conv2d_transpose")                                                                            \
    X(ACTIVATION, "activation")                                                                                        \
    X(MAX_POOL2D, "max_pool2d")                                                                                        \
    X(AVG_POOL2D, "avg_pool2d")                                                                                        \
    X(UPSAMPLE2D, "upsample2d")                                                                                        \
    X(BATCH_NORM, "batch_norm")                                                                                        \
    X(LAYER_NORM, "layer_norm")                                                                                        \
    X(DROPOUT, "dropout")                                                                                              \
    X(GAUSSIAN_NOISE, "gaussian_noise")                                                                                \
    X(CROP2D, "crop2d")                                                                                                \
    X(ZERO_PAD2D, "zero_pad2d")                                                                                        \
    X(PARALLEL, "parallel")                                                                                            \
    X(RESIDUAL, "residual")                                                                                            \
    X(GAUSSIAN, "gaussian")

typedef enum st_layer_kind {
#define ST_LAYER_ENUM(name, text) ST_LAYER_##name,
    ST_LAYER_LIST(ST_LAYER_ENUM)
#undef ST_LAYER_ENUM
} st_layer_kind;

typedef struct st_layer st_layer;

/* What a slice is of: fixed values, or the genes or proteins that data.genes and data.proteins give. */
typedef enum st_slice_of { ST_SLICE_FIXED, ST_SLICE_GENES, ST_SLICE_PROTEINS } st_slice_of;

/* Layers inside a layer. In recipes: parallel: [{slice: [0, 2000], layers: [...]}, ...]; residual: [...];
   gaussian: {mean: [...], log_variance: [...]}. */
typedef struct st_branch {
    st_pos pos;
    bool sliced; /* parallel: takes values [begin, end) of the input's last axis; else all of it */
    int64_t begin, end;
    st_slice_of of; /* [begin, end) stand in for what the data has; see model.input_from_data */
    int n_layers;
    st_layer *layers; /* owned */
} st_branch;

/* Fields a layer kind does not have stay zero. */
struct st_layer {
    st_layer_kind kind;
    st_pos pos;
    st_activation activation;    /* dense, conv2d, conv2d_transpose, activation */
    bool bias;                   /* dense, conv2d, conv2d_transpose: default true */
    double bias_start;           /* of its bias: default 0 */
    int64_t units;               /* dense */
    bool units_of_input;         /* dense: units: input; units are then as many as the model's input has values */
    int64_t filters;             /* conv2d, conv2d_transpose */
    int64_t kernel_size[2];      /* height, width; in recipes a number or [h, w]; default 3 */
    int64_t strides[2];          /* default 1; pools: default the size */
    st_padding padding;          /* default same; pools: default valid, as Keras */
    st_initializer initializer;  /* dense, conv2d, conv2d_transpose: the layer's own, or else the model's */
    bool own_initializer;        /* the recipe gives it at the layer */
    int64_t size[2];             /* max_pool2d, avg_pool2d, upsample2d: default 2 */
    bool bilinear;               /* upsample2d: interpolation: nearest (default) | bilinear */
    double momentum, epsilon;    /* batch_norm: 0.99, 1e-3; layer_norm: 1e-3 */
    double rate;                 /* dropout: 0 <= rate < 1 */
    double stddev;               /* gaussian_noise: above 0 */
    int64_t before[2], after[2]; /* crop2d, zero_pad2d: rows, columns; n, [rows, columns] or
                                    [[top, bottom], [left, right]] */
    int n_branches;
    st_branch *branch; /* owned; parallel: each; residual: one; gaussian with layers: mean, log_variance */
    double beta;       /* gaussian (units above): weight of the KL divergence, default 1, at least 0 */
    bool kl_mean;      /* gaussian: kl: sum (default) | mean, over the latent */
    double warmup;     /* gaussian: epochs in which beta grows from 0; default 0 */
    int n_dims;        /* reshape */
    int64_t dim[4];    /* reshape: one sample's shape */
};

/* What is done about values that are not finite: empty fields, NaN, infinity. */
typedef enum st_missing { ST_MISSING_REFUSE, ST_MISSING_ZERO, ST_MISSING_MEAN, ST_MISSING_DROP } st_missing;

typedef enum st_scale { ST_SCALE_UNIT, ST_SCALE_NONE, ST_SCALE_MINMAX, ST_SCALE_STANDARD } st_scale;

/* Numbers, owned. */
typedef struct st_numbers {
    int64_t n;
    double *value;
} st_numbers;

/* A part of each image. */
typedef struct st_crop {
    bool on, box;          /* box: at top, left; else from the centre */
    int64_t height, width; /* above 0 */
    int64_t top, left;
} st_crop;

/* What is made of an image's channels. */
#define ST_MAX_CHANNELS 64
typedef enum st_channels_kind {
    ST_CHANNELS_ALL,
    ST_CHANNELS_GRAY,    /* luma of red, green, blue (ITU-R BT.601) */
    ST_CHANNELS_OVERLAP, /* the least of all: what each of them shows */
    ST_CHANNELS_OVERLAY, /* the largest: what any of them shows */
    ST_CHANNELS_MEAN,
    ST_CHANNELS_PICK
} st_channels_kind;
typedef struct st_channels {
    st_channels_kind kind;
    int n;                         /* pick: */
    int64_t pick[ST_MAX_CHANNELS]; /* [n] in the order of the result */
} st_channels;

/* How a fraction of the samples is chosen for validation. */
typedef enum st_split { ST_SPLIT_LAST, ST_SPLIT_SHUFFLED, ST_SPLIT_STRATIFIED, ST_SPLIT_SHARDS } st_split;

/* Corruption of the input, in this order; the target stays clean. What is 0 is off. In recipes:
   corrupt: {gaussian: 0.2, mask: 0.1, clip: [0, 1]}. */
typedef struct st_corrupt {
    double gaussian;    /* x + n, n normal with this standard deviation */
    double speckle;     /* x + x n likewise */
    double salt_pepper; /* share of values set to 0 or 1, half each */
    double mask;        /* share of values set to 0 */
    bool blocks;        /* the recipe has them */
    double block_share; /* share of the blocks of a grid set to 0 */
    int64_t block_size[2];
    struct {
        bool on;
        char *text, *image; /* one of them, owned by the recipe */
        double size, opacity, value;
    } watermark;
    bool clip;
    double clip_low, clip_high;
} st_corrupt;

/* Whether it changes anything. */
static inline bool st_corrupt_any(const st_corrupt *corrupt) {
    return corrupt->gaussian > 0 || corrupt->speckle > 0 || corrupt->salt_pepper > 0 || corrupt->mask > 0 ||
           corrupt->block_share > 0 || corrupt->watermark.on;
}

/* Random changes of each training image, the same to input and target; validation is left as it is. All 0: none. */
typedef struct st_augment {
    double rotate;   /* degrees, either way */
    double shift[2]; /* share of height, width, either way */
    double zoom;     /* 0.1: 0.9 to 1.1 times the size */
    bool flip[2];    /* upside down, left to right: half of the images; flip: none|horizontal|vertical|both */
    double brightness, contrast;
    bool elastic;                        /* the recipe has it */
    double elastic_alpha, elastic_sigma; /* pixels; alpha 0: none */
} st_augment;

/* Preparation of cells' data, in this order: total counts, logarithm, choice of genes, scaling. */
typedef struct st_genes {
    bool on;
    bool total_count;      /* each cell's counts times target_sum / their sum */
    double target_sum;     /* 0: the median of the training cells' sums */
    bool log1p;            /* log(1 + x) */
    int64_t most_variable; /* how many genes are kept; 0: all */
    bool scale;            /* to mean 0 and variance 1 over the training cells */
    double max_value;      /* and then clipped to ± this; 0: not */
} st_genes;
/* Centred log-ratio: log(1 + x / g), g = exp(mean of log(1 + x)) over the proteins of a cell, or over the training
   cells of a protein. */
typedef enum st_clr { ST_CLR_NONE, ST_CLR_CELL, ST_CLR_FEATURE } st_clr;
typedef struct st_proteins {
    bool on;
    char *key; /* the matrix they stand in; NULL: found */
    st_clr clr;
    bool scale;
    double max_value;
} st_proteins;

/* What was fitted for them (features.h). */
typedef struct st_features st_features;

/* Defaults as Keras has them. */
typedef struct st_optimizer {
    st_optimizer_kind kind;
    double learning_rate;           /* 0.001; sgd 0.01 */
    double beta_1, beta_2, epsilon; /* adam, adamw, nadam: 0.9, 0.999, 1e-7; adagrad, rmsprop, adadelta: epsilon 1e-7 */
    double rho;                     /* rmsprop 0.9, adadelta 0.95 */
    double momentum;                /* sgd, rmsprop: 0 */
    double initial_accumulator;     /* adagrad: 0.1 */
    double weight_decay;            /* adamw: 0.004 */
    bool nesterov;                  /* sgd: false */
    bool centered;                  /* rmsprop: false */
} st_optimizer;

/* How the learning rate moves. In recipes: schedule: {step: {every: 10, factor: 0.5}, warmup: 2}. */
#define ST_SCHEDULE_LIST(X)                                                                                            \
    X(CONSTANT, "constant")       /* the optimiser's learning_rate */                                                  \
    X(STEP, "step")               /* times factor after each `every` epochs */                                         \
    X(EXPONENTIAL, "exponential") /* times factor^(epochs gone, with their fraction) */                                \
    X(COSINE, "cosine")           /* half a cosine from it down to final times it (Loshchilov and Hutter 2017) */      \
    X(ONE_CYCLE, "one_cycle")     /* from 1/start of it up to it in `rise` of all steps, then down to 1/(start final), \
                                     both by half a cosine (Smith 2018, as PyTorch's OneCycleLR) */
typedef enum st_schedule_kind {
#define ST_SCHEDULE_ENUM(name, text) ST_SCHEDULE_##name,
    ST_SCHEDULE_LIST(ST_SCHEDULE_ENUM)
#undef ST_SCHEDULE_ENUM
} st_schedule_kind;
typedef struct st_schedule {
    st_schedule_kind kind;
    double every, factor; /* step: required, 0.1; exponential: factor 0.9 */
    double final;         /* cosine: 0; one_cycle: 10000 */
    double start, rise;   /* one_cycle: 25, 0.3 */
    double warmup;        /* epochs in which it grows linearly from 0; default 0; not with one_cycle */
} st_schedule;

struct strait_recipe {
    char *name;
    uint64_t seed; /* default 42 */
    struct {
        st_pos pos, source_pos, validation_pos, label_pos, target_pos, crop_pos, channels_pos, corrupt_pos, only_pos,
            except_pos, missing_pos;
        char *source;                      /* NULL when the recipe leaves it to the caller */
        char *validation_split;            /* a named split ("test"), or NULL */
        double validation_fraction;        /* 0 < f < 1: the last part of the training samples; 0: none */
        st_missing missing;                /* default refuse */
        st_numbers means;                  /* missing: mean, [the last axis], once fitted; owned */
        st_scale scale;                    /* default unit */
        double scale_offset, scale_factor; /* minmax and standard, once fitted on training data: x' = (x - offset) *
                                              factor; factor 0: not fitted */
        bool scale_features;               /* fitted for each channel of images, each column of rows, apart: */
        st_numbers offsets, factors;       /* [the last axis], once fitted; owned */
        char *target; /* what the model should make of source, paired with it; NULL: source itself */
        st_channels channels;
        st_crop crop;
        st_split split;     /* how validation_fraction is chosen */
        int64_t split_seed; /* 0: the recipe's seed */
        st_corrupt corrupt;
        int64_t resize[2]; /* height, width to which images are brought; 0: as they are */
        st_augment augment;
        char *key; /* what in the file holds the samples; NULL: what the format has for it */
        st_genes genes;
        st_proteins proteins;
        st_features *features; /* of genes and proteins, once fitted on training data; kept in model files, not in the
                                  recipe's text; owned */
        char *label;   /* tables: the column with the labels: name, number from 0, last, none; NULL: by its name */
        int64_t limit; /* the first so many samples; 0: all */
        int n_only;    /* labels to keep */
        int64_t *only;
        int n_except; /* labels to leave out */
        int64_t *except;
        int n_shape; /* of plain values in shards, a sample's shape; 0: told by the file, or guessed */
        int64_t shape[4];
        int64_t threads;        /* that prepare batches; 0: chosen */
        int64_t shuffle_buffer; /* samples; 0: the order of all is drawn at once */
    } data;
    struct {
        st_pos pos, input_pos, decoder_pos;
        int n_input_dims;
        int64_t input_dim[4];
        bool input_from_data; /* the prepared data's shape takes its place: st_recipe_follow_data */
        int n_encoder, n_decoder;
        st_layer *encoder, *decoder;
        st_initializer initializer; /* of layers that name none; default glorot_uniform */
        st_pos latent_pos;
        int64_t latent; /* width given to the encoder's end, while the recipe is read (st_set_latent); 0 afterwards */
    } model;
    struct {
        st_pos pos;
        st_pos loss_pos, optimizer_pos;
        /* loss: mse; loss: {huber: {delta: 0.5}}; loss: {mse: {weight: 784}}; loss: {mse: 0.8, mae: 0.2} (weights);
           loss: {binary_crossentropy: {from_logits: true}} becomes the term LOGITS, alone. */
        st_loss loss;
        st_optimizer optimizer;
        st_schedule schedule;
        double clip_norm, clip_value; /* of all gradients together; of each value. 0: none */
        double weight_decay;          /* any optimiser: kernels shrink by learning rate * this. 0: none */
        double weight_l1, weight_l2;  /* penalty: {weights: {l1, l2}, latent: {l1, l2}}: sums over kernels, ... */
        double latent_l1, latent_l2;  /* ... and over a sample's latent, added to the loss */
        struct {
            bool on;
            double factor, min_delta, min_rate; /* 0.1, 1e-4, 0: Keras */
            int64_t patience, cooldown;         /* 10, 0 */
        } reduce_lr_on_plateau;
        int64_t epochs, batch_size; /* defaults 10, 32 */
        bool shuffle;               /* default true */
        struct {
            bool on;
            int64_t patience; /* epochs without improvement before stopping */
            double min_delta;
            bool restore_best;
        } early_stopping;
        /* How the step is computed; written into the run's recipe so that reruns give the same bits. */
        int64_t threads, micro_batch; /* 0: chosen by the rule */
    } train;
    struct {
        int64_t reconstructions; /* samples reconstructed after each epoch, of training and of validation; 0: none */
    } watch;
    /* What `strait sweep` varies. Says nothing of one training; runs keep none of it. */
    struct {
        int n_vary;
        char **vary;        /* owned; "KEY=RANGE", see strait/sweep.h */
        int64_t trials;     /* random draws; 0: the whole grid */
        int64_t seed;       /* of the draws */
        int64_t halving;    /* successive halving keeps one trial of so many; 0: none is stopped */
        int64_t min_epochs; /* before a trial may be stopped */
        char *against_pca;  /* data on which trials are measured against principal components; NULL: none */
    } sweep;
    char *file;       /* what st_pos.file points to: the file the recipe was read from ... */
    int n_overrides;  /* ... or, for a value given by --set, */
    char **overrides; /* "--set train.epochs=3" */
};

const char *st_layer_name(st_layer_kind kind);
const char *st_optimizer_name(st_optimizer_kind kind);

/* Puts the prepared data's shape in the place of model.input where the recipe wants it so (else does nothing), and with
   it slices of genes and proteins and units that follow it: numbers take the place of words. Errors: RECIPE (a slice of
   what the data has not). */
strait_status st_recipe_follow_data(strait_recipe *recipe, int n_dims, const int64_t *dim, int64_t n_genes,
                                    int64_t n_proteins, strait_error *err);

/* Forgets what `strait sweep` varies: a trial's recipe, and that of any run, is of one training. */
void st_recipe_drop_sweep(strait_recipe *recipe);

/* A deep copy, the caller's; its positions point to its own strings. */
strait_status st_recipe_copy(strait_recipe **out, const strait_recipe *recipe, strait_error *err);

/* Calls visit for every key of a recipe's text, in its order, under the path an override names it by:
   "train.batch_size" "32", "model.encoder.1.dense.units" "64", "model.encoder.0" "flatten", "model.input"
   "[28, 28, 1]" (a list of plain values is one value). name stands for the file in messages. visit's failure ends it.
   Errors: RECIPE (not YAML), MEMORY, visit's. */
typedef strait_status (*st_recipe_visit)(void *context, const char *path, const char *value, strait_error *err);
strait_status st_recipe_walk(const char *yaml, const char *name, st_recipe_visit visit, void *context,
                             strait_error *err);

/* The folders recipes are looked for in, in order: $STRAIT_RECIPES, ./recipes, the user's, the installed; ':' between.
 * The caller's; NULL when there is no memory. */
char *st_recipe_folders(void);

/* ---- the recipe's keys, as a table ----
   The one description of what a recipe may say: the parser, the writer, help and documentation are made from it.
   A record is a map with a fixed set of keys, read into a C struct. */

typedef enum st_key_type {
    ST_KEY_TEXT,        /* char *, owned: a text on one line */
    ST_KEY_INTEGER,     /* int64_t */
    ST_KEY_NUMBER,      /* double */
    ST_KEY_SLOPE,       /* float: a number */
    ST_KEY_SWITCH,      /* bool: true or false */
    ST_KEY_WORD,        /* an enum: one of words */
    ST_KEY_PAIR,        /* int64_t[2]: n or [height, width] */
    ST_KEY_SHAPE,       /* int64_t[4] with a count beside: [height, width, channels] or [n] */
    ST_KEY_INTEGERS,    /* int64_t *, owned, with a count beside: [0, 1, 8] */
    ST_KEY_TEXTS,       /* char **, owned, with a count beside: texts as ST_KEY_TEXT */
    ST_KEY_INTERVAL,    /* st_corrupt's clip: [low, high] */
    ST_KEY_NUMBERS,     /* double, or st_numbers beside: a number, or a list of them */
    ST_KEY_CROP,        /* st_crop: n, [height, width], {top, left, height, width} */
    ST_KEY_CHANNELS,    /* st_channels: a word, or a list of channels */
    ST_KEY_SECTION,     /* a record in the same struct */
    ST_KEY_ACTIVATION,  /* st_activation: relu, or {leaky_relu: {slope: 0.3}} */
    ST_KEY_LAYERS,      /* st_layer *, owned, with a count beside: a list of records[] */
    ST_KEY_VALIDATION,  /* a fraction or a split's name */
    ST_KEY_MISSING,     /* a word, or fitted: {mean: [0.5, 2]} */
    ST_KEY_SCALE,       /* a word, or fitted: {minmax: {offset: 0, factor: 0.1}} */
    ST_KEY_CORRUPT,     /* st_corrupt, a record of its own: {gaussian: 0.2, clip: [0, 1]} */
    ST_KEY_OPTIMIZER,   /* st_optimizer: adam, or {adam: {learning_rate: 0.001}} */
    ST_KEY_LOSS,        /* st_loss: mse, or {huber: {delta: 0.5}}, or {mse: 0.8, mae: 0.2} */
    ST_KEY_SCHEDULE,    /* st_schedule: cosine, or {step: {every: 10}, warmup: 2} */
    ST_KEY_INITIALIZER, /* st_initializer: he_normal, or {normal: {stddev: 0.05}}; beside: whether it is given */
    ST_KEY_EITHER,      /* bool: words[0] or words[1] */
    ST_KEY_FLIP,        /* bool[2], st_augment's: none, horizontal, vertical, both */
    ST_KEY_SHARES,      /* double[2]: n or [vertical, horizontal] */
    ST_KEY_MARGINS,     /* st_layer's before and after: n, [rows, columns], [[top, bottom], [left, right]] */
    ST_KEY_SLICE,       /* st_branch's begin and end: [begin, end], or {genes: [begin, end]} */
    ST_KEY_UNITS,       /* int64_t: a whole number, or the word input; beside: whether it is that */
    ST_KEY_BRANCH,      /* a list of layers into st_layer's branch number `offset` */
    ST_KEY_BRANCHES,    /* st_layer's branches: a list of records */
} st_key_type;

typedef struct st_record st_record;

typedef struct st_key {
    const char *name;
    st_key_type type;
    size_t offset;    /* of the value in the record's struct */
    size_t beside;    /* of what goes with it: the count of a list (int), the switch of a section that may be left out
                         (bool); 0: nothing */
    size_t pos;       /* of the st_pos that remembers where the value stands; 0: none */
    double low, high; /* range of a number, of each number in a list */
    bool above_low, below_high; /* the end itself is outside */
    const char *const *words;   /* for ST_KEY_WORD, in the enum's order */
    size_t n_words;
    const st_record *records; /* what may stand here: the section; the layers; the optimizers; ... */
    size_t n_records;
    bool required;
    const char *fallback; /* the default, as in YAML; NULL: none */
    const char *doc;      /* one line */
} st_key;

struct st_record {
    const char *name; /* as a word in the recipe: "train", "dense", "adam" */
    const char *path; /* how messages name it: "train", "dense", "train.optimizer.adam"; "" for the recipe itself */
    const st_key *keys;
    size_t n_keys;
    bool bare; /* the first key's value may stand without its name, and is written so: dropout: 0.1 */
    const char *doc;
};

/* The whole recipe; sections, layers and choices hang below its keys. Static storage. */
const st_record *st_recipe_schema(void);
/* A layer kind's keys. */
const st_record *st_layer_schema(st_layer_kind kind);

#endif
