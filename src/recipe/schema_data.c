/* What a recipe may say of the data and how it is prepared. */
#include "recipe/schema_int.h"

/* Rows are rows: not to be broken up. */
/* clang-format off */

static const char *const scales[] = {[ST_SCALE_UNIT] = "unit", [ST_SCALE_NONE] = "none", [ST_SCALE_MINMAX] = "minmax",
                                     [ST_SCALE_STANDARD] = "standard"};
static const char *const scopes[] = {"all", "feature"};

#define FITTED_KEYS(what_offset, what_factor)                                                                          \
    {.name = "per", .type = ST_KEY_EITHER, IN_RECIPE(data.scale_features), WORDS(scopes), .fallback = "all",           \
     .doc = "all: one pair of numbers; feature: one for each channel of images, each column of rows"},                 \
    {.name = "offset", .type = ST_KEY_NUMBERS, IN_RECIPE(data.scale_offset),                                           \
     .beside = offsetof(strait_recipe, data.offsets), ANY, .doc = what_offset "; left out: fitted"},                   \
    {.name = "factor", .type = ST_KEY_NUMBERS, IN_RECIPE(data.scale_factor),                                           \
     .beside = offsetof(strait_recipe, data.factors), POSITIVE,                                                        \
     .doc = what_factor ": x becomes (x - offset) factor; left out: fitted"}

static const st_key minmax_keys[] = {
    FITTED_KEYS("the smallest value of the training data", "1 / (largest - smallest)"),
};
static const st_key standard_keys[] = {
    FITTED_KEYS("the mean of the training data", "1 / its standard deviation (of n, not n - 1)"),
};
/* In the order of st_scale, from ST_SCALE_MINMAX on. */
static const st_record fitted_scales[] = {
    {.name = "minmax", .path = "data.scale.minmax", KEYS(minmax_keys), .doc = "to 0..1"},
    {.name = "standard", .path = "data.scale.standard", KEYS(standard_keys), .doc = "to mean 0 and variance 1"},
};

#define IN_CORRUPT(member) .offset = offsetof(st_corrupt, member)

static const st_key block_keys[] = {
    {.name = "share", .type = ST_KEY_NUMBER, IN_CORRUPT(block_share), .above_low = true, RANGE(0, 1), .required = true,
     .doc = "this share of the blocks becomes 0"},
    {.name = "size", .type = ST_KEY_PAIR, IN_CORRUPT(block_size), RANGE(1, MAX_IMAGE), .required = true,
     .doc = "of a block: n or [height, width]; of rows the width counts"},
};
static const st_record blocks[] = {
    {.name = "blocks", .path = "data.corrupt.blocks", KEYS(block_keys),
     .doc = "sets blocks of a grid, which begins at the top left, to 0, in all channels"},
};
static const st_key watermark_keys[] = {
    {.name = "text", .type = ST_KEY_TEXT, IN_CORRUPT(watermark.text), .doc = "letters, digits and signs of ASCII"},
    {.name = "image", .type = ST_KEY_TEXT, IN_CORRUPT(watermark.image),
     .doc = "in place of text: an image file; where it is white it covers, where it is black it does not"},
    {.name = "size", .type = ST_KEY_NUMBER, IN_CORRUPT(watermark.size), .above_low = true, RANGE(0, 1),
     .fallback = "0.8", .doc = "its width, or where that makes it too high its height, as a share of the image's"},
    {.name = "opacity", .type = ST_KEY_NUMBER, IN_CORRUPT(watermark.opacity), .above_low = true, RANGE(0, 1),
     .fallback = "0.5", .doc = "how much of what lies under it is covered"},
    {.name = "value", .type = ST_KEY_NUMBER, IN_CORRUPT(watermark.value), RANGE(-1e6, 1e6), .fallback = "1",
     .doc = "its brightness, of scaled values"},
};
static const st_record watermarks[] = {
    {.name = "watermark", .path = "data.corrupt.watermark", KEYS(watermark_keys),
     .doc = "a text or a picture laid over each image, at a random place"},
};
static const st_key corrupt_keys[] = {
    {.name = "gaussian", .type = ST_KEY_NUMBER, IN_CORRUPT(gaussian), RANGE(0, 1e6),
     .doc = "adds normal noise of this standard deviation"},
    {.name = "speckle", .type = ST_KEY_NUMBER, IN_CORRUPT(speckle), RANGE(0, 1e6),
     .doc = "adds x times normal noise of this standard deviation"},
    {.name = "salt_pepper", .type = ST_KEY_NUMBER, IN_CORRUPT(salt_pepper), RANGE(0, 1),
     .doc = "sets this share of values to 0 or 1, half each"},
    {.name = "mask", .type = ST_KEY_NUMBER, IN_CORRUPT(mask), RANGE(0, 1),
     .doc = "sets this share of values to 0"},
    {.name = "blocks", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(st_corrupt, blocks), ROWS(blocks),
     .doc = "sets a share of the blocks of a grid to 0"},
    {.name = "watermark", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(st_corrupt, watermark.on),
     ROWS(watermarks), .doc = "lays a text or a picture over each image"},
    {.name = "clip", .type = ST_KEY_INTERVAL, .offset = 0, ANY, .doc = "[low, high]: noisy values are cut to it"},
};
static const st_record corrupts[] = {
    {.name = "corrupt", .path = "data.corrupt", KEYS(corrupt_keys),
     .doc = "corruption of the input, one kind or several in this order; the target stays clean; 0: off"},
};

static const char *const flips[] = {"none", "horizontal", "vertical", "both"};
static const st_key elastic_keys[] = {
    {.name = "alpha", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.elastic_alpha), .above_low = true, RANGE(0, 1e6),
     .required = true, .doc = "what the smoothed displacements are multiplied by, in pixels; 34 for digits"},
    {.name = "sigma", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.elastic_sigma), RANGE(0.1, 256), .required = true,
     .doc = "width of the Gaussian that smooths them, in pixels; 4 for digits"},
};
static const st_record elastics[] = {
    {.name = "elastic", .path = "data.augment.elastic", KEYS(elastic_keys),
     .doc = "each pixel is taken from a place displaced at random, neighbours alike (Simard, Steinkraus and Platt 2003)"},
};
static const st_key augment_keys[] = {
    {.name = "rotate", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.rotate), RANGE(0, 180),
     .doc = "turns by up to so many degrees, either way"},
    {.name = "shift", .type = ST_KEY_SHARES, IN_RECIPE(data.augment.shift), RANGE(0, 1), .below_high = true,
     .doc = "moves by up to this share of height and width, either way: s or [vertical, horizontal]"},
    {.name = "zoom", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.zoom), RANGE(0, 1), .below_high = true,
     .doc = "0.1: makes it 0.9 to 1.1 times as large"},
    {.name = "flip", .type = ST_KEY_FLIP, IN_RECIPE(data.augment.flip), WORDS(flips),
     .doc = "mirrors half of the images: horizontal (left to right), vertical (upside down), both"},
    {.name = "elastic", .type = ST_KEY_SECTION, .offset = 0, .beside = offsetof(strait_recipe, data.augment.elastic),
     ROWS(elastics),
     .doc = "elastic distortion: {alpha: 34, sigma: 4}"},
    {.name = "contrast", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.contrast), RANGE(0, 1), .below_high = true,
     .doc = "0.2: distances from the image's mean become 0.8 to 1.2 times as large"},
    {.name = "brightness", .type = ST_KEY_NUMBER, IN_RECIPE(data.augment.brightness), RANGE(0, 1e6),
     .doc = "adds up to this to all values of an image, either way, after scaling"},
};
static const st_record augments[] = {
    {.name = "augment", .path = "data.augment", KEYS(augment_keys),
     .doc = "random changes of each training image, the same to input and target"},
};

static const char *const missings[] = {[ST_MISSING_REFUSE] = "refuse", [ST_MISSING_ZERO] = "zero",
                                       [ST_MISSING_MEAN] = "mean", [ST_MISSING_DROP] = "drop"};
static const char *const splits[] = {
    [ST_SPLIT_LAST] = "last", [ST_SPLIT_SHUFFLED] = "shuffled", [ST_SPLIT_STRATIFIED] = "stratified",
    [ST_SPLIT_SHARDS] = "shards"};
/* In the order of st_channels_kind, without all and pick. */
static const char *const mixtures[] = {"gray", "overlap", "overlay", "mean"};
_Static_assert(ST_CHANNELS_MEAN == COUNT(mixtures), "every mixture of channels has its word");

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
     .doc = "a known data set (fashion-mnist, mnist, ecg5000, cifar10), a file or a folder; #test picks a split; "
            "'A + B' joins the channels of two, 'A -> B' pairs inputs with targets"},
    {.name = "target", .type = ST_KEY_TEXT, IN_RECIPE(data.target), POS_IN_RECIPE(data.target_pos),
     .doc = "what the model should make of the samples of source, another source as large; left out: those themselves"},
    {.name = "validation", .type = ST_KEY_VALIDATION, .offset = 0, POS_IN_RECIPE(data.validation_pos),
     .doc = "a fraction of the training samples, or a split of the source"},
    {.name = "split", .type = ST_KEY_WORD, IN_RECIPE(data.split), WORDS(splits), .fallback = "last",
     .doc = "which samples the fraction is: last; shuffled: drawn; stratified: drawn, of each label the same share; "
            "shards: the last files of a source of several"},
    {.name = "split_seed", .type = ST_KEY_INTEGER, IN_RECIPE(data.split_seed), RANGE(1, MAX_SEED),
     .doc = "of that draw; left out: seed"},
    {.name = "missing", .type = ST_KEY_MISSING, IN_RECIPE(data.missing), .beside = offsetof(strait_recipe, data.means),
     POS_IN_RECIPE(data.missing_pos), ANY, WORDS(missings), .fallback = "refuse",
     .doc = "values that are empty, NaN or infinite: refuse them; zero takes their place; mean: the mean of their column "
            "(of images: of their channel) over the training samples; drop: samples with any are left out"},
    {.name = "scale", .type = ST_KEY_SCALE, IN_RECIPE(data.scale), WORDS(scales), ROWS(fitted_scales),
     .fallback = "unit", .doc = "unit: u8 / 255, u16 / 65535; minmax: to 0..1 by the training data; standard: to mean 0 "
     "and variance 1 by it; none"},
    {.name = "corrupt", .type = ST_KEY_CORRUPT, IN_RECIPE(data.corrupt), POS_IN_RECIPE(data.corrupt_pos),
     ROWS(corrupts), .doc = "noise on the input; the target stays clean"},
    {.name = "channels", .type = ST_KEY_CHANNELS, IN_RECIPE(data.channels), POS_IN_RECIPE(data.channels_pos),
     WORDS(mixtures), RANGE(0, ST_MAX_CHANNELS - 1),
     .doc = "a list: these channels, from 0; gray: 0.299 red + 0.587 green + 0.114 blue; overlap, overlay, mean: at each "
            "pixel the least, the largest, the mean of all channels"},
    {.name = "crop", .type = ST_KEY_CROP, IN_RECIPE(data.crop), POS_IN_RECIPE(data.crop_pos), RANGE(0, MAX_IMAGE),
     .doc = "cuts from each image: n or [height, width] from its centre, or {top, left, height, width}"},
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
    {.name = "label", .type = ST_KEY_TEXT, IN_RECIPE(data.label), POS_IN_RECIPE(data.label_pos),
     .doc = "the column of a table that holds the labels: its name, its number from 0, last or none; left out: the one "
            "named label, class, target or cluster"},
    {.name = "limit", .type = ST_KEY_INTEGER, IN_RECIPE(data.limit), RANGE(1, MAX_SAMPLES),
     .doc = "only the first so many samples"},
    {.name = "only", .type = ST_KEY_INTEGERS, IN_RECIPE(data.only), .beside = offsetof(strait_recipe, data.n_only),
     POS_IN_RECIPE(data.only_pos), RANGE(0, MAX_LABEL), .doc = "only samples with these labels"},
    {.name = "except", .type = ST_KEY_INTEGERS, IN_RECIPE(data.except),
     .beside = offsetof(strait_recipe, data.n_except), POS_IN_RECIPE(data.except_pos), RANGE(0, MAX_LABEL), .doc = "no samples with these labels"},
    {.name = "shape", .type = ST_KEY_SHAPE, IN_RECIPE(data.shape), .beside = offsetof(strait_recipe, data.n_shape),
     RANGE(1, MAX_DIM), .doc = "of a sample of plain values in TFRecord files; left out: as features of the file tell "
     "it, or else a square image, or a row"},
    {.name = "threads", .type = ST_KEY_INTEGER, IN_RECIPE(data.threads), RANGE(1, MAX_THREADS),
     .doc = "that prepare batches while others train, which changes none of them; left out: half as many as train, 1 to "
            "4, where samples are read as they are needed, else 1, or those that train themselves where these are as many as "
            "processors"},
    {.name = "shuffle_buffer", .type = ST_KEY_INTEGER, IN_RECIPE(data.shuffle_buffer), RANGE(1, MAX_SAMPLES),
     .doc = "shuffles as a disk slow to seek wants it: files in a random order, their samples through a buffer of so many; "
            "left out: all samples are drawn"},
};

const st_record st_data_schema[1] = {{.name = "data", .path = "data", KEYS(data_keys), .doc = "what to train on"}};

/* clang-format on */
