/* Data sets: samples of one shape, kept in their storage type, with labels where the source has them. */
#ifndef STRAIT_DATA_H
#define STRAIT_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/array.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strait_data strait_data;

/* Opens a data set: a known name ("fashion-mnist", "mnist", "cifar10", "ecg5000"), a file, a folder of images or a
   pattern ("images/a*.png"); "#split" picks a split ("mnist#test"). "A + B" joins the channels of
   two, "A -> B" pairs inputs with targets. Without a split a known name gives its training
   part. What is not found from here is looked for in the data folders. The caller owns *out. Errors: NOT_FOUND (says
   where it looked and where to get it), FORMAT, IO, ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_data_open(strait_data **out, const char *source, strait_error *err);

/* Likewise, with the labels from where label says: of a table the column's name, its number from 0, "last" or "none";
   of cells a column of obs; of npz and HDF5 files an array; of TFRecord a feature; of CIFAR-100 "coarse" or "fine".
   NULL: as strait_data_open. Errors: those, and ARGUMENT (there is no such column, or files of this format have none).
 */
STRAIT_API strait_status strait_data_open_labelled(strait_data **out, const char *source, const char *label,
                                                   strait_error *err);

/* A data set over the caller's own float32 rows, copied. values: [n_samples, dim[0], ..., dim[n_dims - 1]]; those that
   are not finite count as missing (data.missing of a recipe), and without that are refused by whatever uses them.
   The caller owns *out. Errors: ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_data_from_rows(strait_data **out, const float *values, int64_t n_samples, int n_dims,
                                               const int64_t *dim, strait_error *err);

/* Frees the data set; NULL is fine. */
STRAIT_API void strait_data_free(strait_data *data);

/* What is in a data set. Pointers are borrowed until the data set is freed. */
typedef struct strait_data_info {
    const char *source;  /* as opened, e.g. "fashion-mnist#test" */
    const char *format;  /* "idx", "npy", "csv", "png", "cifar10", "cifar100", "rows" */
    const char *storage; /* "u8", "u16", "f32" */
    int64_t n_samples;
    int n_dims; /* of one sample: 3 for images (height, width, channels; height and width 0: several sizes), 1 for rows
                 */
    int64_t dim[STRAIT_MAX_DIMS];
    double minimum, maximum, mean; /* of the stored values that are finite; NAN without any */
    bool has_labels;
    int n_labels;                  /* distinct labels */
    const int64_t *label_value;    /* [n_labels], ascending; borrowed */
    const int64_t *label_count;    /* [n_labels]; borrowed */
    const char *const *label_name; /* [n_labels] or NULL where the source has no names; borrowed */
    const char *note;              /* what the reader left out or took for something else; or NULL */
    int64_t n_missing;             /* values that are no finite number: empty fields, NaN, infinity */
    const char *missing;           /* which, in words, where all samples are in memory; or NULL */
    int64_t bytes;                 /* of all samples in their storage type */
    bool resident;                 /* they are kept in memory; else each is read when it is needed */
} strait_data_info;

/* Looks at the whole data set (one pass over the values on the first call). Errors: IO, MEMORY. */
STRAIT_API strait_status strait_data_describe(strait_data *data, strait_data_info *info, strait_error *err);

/* What a training would suffer from. */
#define STRAIT_MAX_WARNINGS 8
typedef struct strait_data_quality {
    int64_t n_duplicates;        /* samples that equal an earlier one, value by value */
    int64_t duplicate, original; /* the first of them and the one it equals; -1 without */
    int64_t n_flat;              /* samples of one value throughout */
    int64_t n_still;             /* values of a sample (pixels, columns) that are the same in all samples */
    int n_warnings;
    char warning[STRAIT_MAX_WARNINGS][192]; /* sentences */
} strait_data_quality;

/* Looks at every sample (one pass, and what is needed of samples that look alike). Errors: IO, FORMAT, MEMORY. */
STRAIT_API strait_status strait_data_inspect(strait_data_quality *out, strait_data *data, strait_error *err);

/* Writes all samples with their labels by what path ends in: .npy (labels into NAME_labels.npy beside it, where there
   are any), .npz (arrays x and y; y are texts where labels have names), .csv (a column `label`); any other name is a
   new folder of PNG files, in sub-folders by label. u8 and u16 stay what they are; float images become PNG of 8 bits
   when they lie in 0..1. Atomic: nothing is under the final name before all of it is. Errors: ARGUMENT (the folder
   exists; not images; values that no PNG holds), SHAPE (images of several sizes, but for PNG), IO, FORMAT, MEMORY. */
STRAIT_API strait_status strait_data_write(const char *path, strait_data *data, strait_error *err);

/* A data set known by name. */
typedef struct strait_known_data {
    const char *name;         /* static */
    char *folder;             /* where it is, or NULL; strait_known_data_free */
    bool has_train, has_test; /* in the folder */
    const char *files;        /* what has to be in a folder of that name; static */
    const char *package;      /* Debian's package with it, or NULL; static */
} strait_known_data;

/* The i-th known data set, from 0, in the order of their names; *out is zero past the last. Errors: IO, MEMORY. */
STRAIT_API strait_status strait_known_data_at(strait_known_data *out, int i, strait_error *err);
STRAIT_API void strait_known_data_free(strait_known_data *known); /* what it holds; zeroes it */

/* How a data set is fetched; all zero: from its home, in silence. */
typedef struct strait_fetch {
    const char *url;                                               /* a folder to take the files from instead */
    void (*begin)(void *context, const char *file, int64_t bytes); /* a file of so many bytes is next */
    void (*progress)(void *context, int64_t got, int64_t total);   /* bytes of it that are there; total 0: not known */
    void *context;
} strait_fetch;

/* Fetches a known data set into the user's data folder, $XDG_DATA_HOME/strait or ~/.local/share/strait. Files that are
   there and right stay, broken off ones go on where they ended; each is checked against its SHA-256 before it gets its
   name. Proxies are those of the environment (https_proxy, ...). *out is the caller's (strait_known_data_free). Errors:
   ARGUMENT (not a known name), NOT_FOUND, IO, FORMAT (another checksum), MEMORY. */
STRAIT_API strait_status strait_data_fetch(strait_known_data *out, const char *name, const strait_fetch *options,
                                           strait_error *err);

/* The names of all formats that are read, in the order they are tried; NULL past the last. Static. */
STRAIT_API const char *strait_data_format(int i);

/* Number of samples. */
STRAIT_API int64_t strait_data_count(const strait_data *data);

/* Label of sample i, or -1 where there are none. */
STRAIT_API int64_t strait_data_label(const strait_data *data, int64_t i);

/* The name of sample i (an image's file, the value in a table's column of names), or NULL where there is none. Borrowed
   until the data set is freed. */
STRAIT_API const char *strait_data_sample_name(const strait_data *data, int64_t i);

/* Copies n samples from first on as float32 in their stored scale (u8: 0..255).
   The caller owns *out: [n, dim...]. Errors: ARGUMENT (out of range), IO, MEMORY. */
STRAIT_API strait_status strait_data_rows(strait_array **out, strait_data *data, int64_t first, int64_t n,
                                          strait_error *err);

/* Writes the data set as n_shards TFRecord files of tf.train.Example, folder/data-00000-of-00100.tfrecord and so on, a
   sample in the one that a hash of its name picks (of its number, where it has none); then folder/index.csv
   (shard,record,sample,name,label). Images that are encoded (PNG, JPEG) keep their bytes (image/encoded); other samples
   are stored as they are (image/raw, image/shape, image/dtype; of rows raw, shape, dtype), with label, label/text and
   name. Each file is there whole or not at all; what is there from a run that was broken off is kept, and the same
   bytes come of it. progress (may be NULL) is told after each sample of what is still to be written. Errors: ARGUMENT
   (more shards than samples; shards of other data are in the folder), those of reading, IO, MEMORY. */
STRAIT_API strait_status strait_data_shard(strait_data *data, const char *folder, int n_shards,
                                           void (*progress)(void *context, int64_t done, int64_t total), void *context,
                                           strait_error *err);

/* A column of numbers, one a sample. */
typedef struct strait_column {
    const char *name;
    const double *value; /* NAN: an empty field */
} strait_column;

/* A table of n samples as CSV (RFC 4180): their index, name and label where data (may be NULL) has them, and the
   columns given, numbers so that they read back the same. sample [n]: indices into data; NULL: 0..n-1. Atomic. Errors:
   ARGUMENT, IO, MEMORY. */
STRAIT_API strait_status strait_samples_write(const char *path, strait_data *data, const int64_t *sample, int64_t n,
                                              int n_columns, const strait_column *column, strait_error *err);

/* Writes n images, as strait_data_write does, to a file or a new folder: those of data as they are, then augmented
   ones, each image's in turn. augment: as data.augment in a recipe, "{rotate: 15, zoom: 0.1}". The same seed gives the
   same bytes. Errors: ARGUMENT (no images, fewer than there are), RECIPE (augment), those of strait_data_write. */
STRAIT_API strait_status strait_data_augment(const char *out, strait_data *data, int64_t n, const char *augment,
                                             uint64_t seed, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
