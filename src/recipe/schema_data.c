/* What a recipe may say of the data and how it is prepared. */
#include "recipe/schema_int.h"

/* Rows are rows: not to be broken up. */
/* clang-format off */

static const char *const scales[] = {[ST_SCALE_UNIT] = "unit", [ST_SCALE_NONE] = "none", [ST_SCALE_MINMAX] = "minmax"};

static const st_key minmax_keys[] = {
    {.name = "offset", .type = ST_KEY_NUMBER, IN_RECIPE(data.scale_offset), ANY, .required = true,
     .doc = "the smallest value of the training data"},
    {.name = "factor", .type = ST_KEY_NUMBER, IN_RECIPE(data.scale_factor), POSITIVE, .required = true,
     .doc = "1 / (largest - smallest): x becomes (x - offset) factor"},
};
static const st_record fitted_scales[] = {
    {.name = "minmax", .path = "data.scale.minmax", KEYS(minmax_keys), .doc = "as fitted on the training data"},
};

#define IN_CORRUPT(member) .offset = offsetof(st_corrupt, member)

static const st_key corrupt_keys[] = {
    {.name = "gaussian", .type = ST_KEY_NUMBER, IN_CORRUPT(amount), RANGE(0, 1e6),
     .doc = "adds normal noise of this standard deviation"},
    {.name = "mask", .type = ST_KEY_NUMBER, IN_CORRUPT(amount), RANGE(0, 1),
     .doc = "sets this share of values to 0"},
    {.name = "salt_pepper", .type = ST_KEY_NUMBER, IN_CORRUPT(amount), RANGE(0, 1),
     .doc = "sets this share of values to 0 or 1, half each"},
    {.name = "clip", .type = ST_KEY_INTERVAL, .offset = 0, ANY, .doc = "[low, high]: noisy values are cut to it"},
};
_Static_assert(ST_CORRUPT_SALT_PEPPER + 1 == COUNT(corrupt_keys), "every kind of noise has its row, then comes clip");
static const st_record corrupts[] = {
    {.name = "corrupt", .path = "data.corrupt", KEYS(corrupt_keys),
     .doc = "noise on the input; the target stays clean"},
};

static const char *const flips[] = {"none", "horizontal", "vertical", "both"};
static const st_key augment_keys[] = {
    {.name = "rotate", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.rotate), RANGE(0, 180),
     .doc = "turns by up to so many degrees, either way"},
    {.name = "shift", .type = ST_KEY_SHARES, IN_RECIPE(data.augment.shift), RANGE(0, 1), .below_high = true,
     .doc = "moves by up to this share of height and width, either way: s or [vertical, horizontal]"},
    {.name = "zoom", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.zoom), RANGE(0, 1), .below_high = true,
     .doc = "0.1: makes it 0.9 to 1.1 times as large"},
    {.name = "flip", .type = ST_KEY_FLIP, IN_RECIPE(data.augment.flip), WORDS(flips),
     .doc = "mirrors half of the images: horizontal (left to right), vertical (upside down), both"},
};
static const st_record augments[] = {
    {.name = "augment", .path = "data.augment", KEYS(augment_keys),
     .doc = "random changes of each training image, the same to input and target"},
};

#define SCALING_KEYS(block)                                                                                            \
    {.name = "scale", .type = ST_KEY_SWITCH, IN_RECIPE(data.block.scale), .fallback = "false",                         \
     .doc = "whether each is brought to mean 0 and variance 1, as over the training cells"},                           \
    {.name = "max_value", .type = ST_KEY_NUMBER, IN_RECIPE(data.block.max_value), RANGE(0, 1e9),                       \
     .doc = "values are then cut to minus this ... this"}

static const st_key genes_keys[] = {
    {.name = "total_count", .type = ST_KEY_SWITCH, IN_RECIPE(data.genes.total_count), .fallback = "false",
     .doc = "whether each cell's counts are multiplied by target_sum / their sum"},
    {.name = "target_sum", .type = ST_KEY_NUMBER, IN_RECIPE(data.genes.target_sum), RANGE(0, 1e12),
     .doc = "what counts sum to; left out: the median of the training cells' sums"},
    {.name = "log1p", .type = ST_KEY_SWITCH, IN_RECIPE(data.genes.log1p), .fallback = "false",
     .doc = "whether x becomes log(1 + x)"},
    {.name = "most_variable", .type = ST_KEY_INTEGER, IN_RECIPE(data.genes.most_variable), RANGE(1, MAX_UNITS),
     .doc = "so many genes are kept, the most variable of the training cells (Seurat's dispersions, as scanpy's "
            "flavor seurat); left out: all"},
    SCALING_KEYS(genes),
};
static const char *const ratios[] = {[ST_CLR_NONE] = "none", [ST_CLR_CELL] = "cell", [ST_CLR_FEATURE] = "feature"};
static const st_key proteins_keys[] = {
    {.name = "key", .type = ST_KEY_TEXT, IN_RECIPE(data.proteins.key),
     .doc = "the matrix of an h5ad file that holds them, as obsm/protein_expression; left out: found by its name, or "
            "by the features' types"},
    {.name = "clr", .type = ST_KEY_WORD, IN_RECIPE(data.proteins.clr), WORDS(ratios), .fallback = "none",
     .doc = "centred log-ratio, x becomes log(1 + x / g), g = exp(mean of log(1 + x)): over the proteins of a cell "
            "(Seurat's margin 2, muon's axis 1), or over the training cells of a protein (margin 1, axis 0)"},
    SCALING_KEYS(proteins),
};
static const st_record genes_record[] = {
    {.name = "genes", .path = "data.genes", KEYS(genes_keys), .doc = "how genes' counts are prepared, in this order"},
};
static const st_record proteins_record[] = {
    {.name = "proteins", .path = "data.proteins", KEYS(proteins_keys),
     .doc = "how proteins' counts are prepared, in this order"},
};

static const st_key data_keys[] = {
    {.name = "source", .type = ST_KEY_TEXT, IN_RECIPE(data.source), POS_IN_RECIPE(data.source_pos),
     .doc = "a known data set (fashion-mnist, mnist, ecg5000, cifar10), a file or a folder; #test picks a split"},
    {.name = "validation", .type = ST_KEY_VALIDATION, .offset = 0, POS_IN_RECIPE(data.validation_pos),
     .doc = "a fraction of the training samples (the last ones), or a split of the source"},
    {.name = "scale", .type = ST_KEY_SCALE, IN_RECIPE(data.scale), WORDS(scales), ROWS(fitted_scales),
     .fallback = "unit", .doc = "unit: u8 / 255, u16 / 65535; minmax: to 0..1 by the training data; none"},
    {.name = "corrupt", .type = ST_KEY_CORRUPT, IN_RECIPE(data.corrupt), ROWS(corrupts),
     .doc = "noise on the input; the target stays clean"},
    {.name = "resize", .type = ST_KEY_PAIR, IN_RECIPE(data.resize), RANGE(1, MAX_IMAGE),
     .doc = "brings images to this size: n or [height, width]"},
    {.name = "augment", .type = ST_KEY_SECTION, .offset = 0, ROWS(augments),
     .doc = "random changes of each training image, the same to input and target"},
    {.name = "key", .type = ST_KEY_TEXT, IN_RECIPE(data.key),
     .doc = "what in an h5ad or HDF5 file holds the samples, as layers/counts; left out: X, or the only data set"},
    {.name = "genes", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(strait_recipe, data.genes.on),
     ROWS(genes_record), .doc = "how genes' counts are prepared; the model takes the genes kept, then the proteins"},
    {.name = "proteins", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(strait_recipe, data.proteins.on),
     ROWS(proteins_record), .doc = "how proteins' counts are prepared; left out: the model takes none"},
    {.name = "label", .type = ST_KEY_TEXT, IN_RECIPE(data.label),
     .doc = "the column of a table that holds the labels: its name, its number from 0, last or none; left out: the one "
            "named label, class or target"},
    {.name = "limit", .type = ST_KEY_INTEGER, IN_RECIPE(data.limit), RANGE(1, MAX_SAMPLES),
     .doc = "only the first so many samples"},
    {.name = "only", .type = ST_KEY_INTEGERS, IN_RECIPE(data.only), .beside = offsetof(strait_recipe, data.n_only),
     RANGE(0, MAX_LABEL), .doc = "only samples with these labels"},
};

const st_record st_data_schema[1] = {{.name = "data", .path = "data", KEYS(data_keys), .doc = "what to train on"}};

/* clang-format on */
