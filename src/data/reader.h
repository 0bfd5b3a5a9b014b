/* Readers of data files. A reader knows one format and is a row in the table of readers.c; a source is what a reader
   has opened: samples of one shape in their storage type, and labels. Data sets (data_int.h) are views of a source
   and share it by counting. */
#ifndef ST_DATA_READER_H
#define ST_DATA_READER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <strait/array.h>
#include "base/array.h"
#include "base/status.h"

/* One sample has at most so many dims: height, width, channels and one to spare. */
#define ST_SAMPLE_DIMS 4

/* A header that announces more than this is a lie or a mistake. */
#define ST_SOURCE_MAX_BYTES ((uint64_t)1 << 40)

/* A source of at most so many bytes is kept in memory whole, of more each sample is read when it is needed: 1 GiB, or a
   quarter of the memory there is when that is less. */
size_t st_source_resident_bytes(void);
/* For tests: another limit; 0: the one above. */
void st_source_set_resident_bytes(size_t bytes);

typedef struct st_reader st_reader;

/* What a recipe may say of how a file is read; all zero: what the file itself tells. */
typedef struct st_source_options {
    const char *label;    /* tables: the column with the labels: its name, its number from 0, "last" or "none" */
    const char *key;      /* what in the file holds the samples: "layers/counts" */
    const char *proteins; /* cells: the matrix with the proteins beside the genes; "auto": wherever it usually is */
    int n_shape;          /* plain values that do not tell it: a sample's shape; 0: told, or guessed */
    int64_t shape[ST_SAMPLE_DIMS];
} st_source_options;

/* What a column of cells' data measures. */
typedef enum st_feature_kind { ST_FEATURE_GENE, ST_FEATURE_PROTEIN, ST_FEATURE_OTHER } st_feature_kind;
typedef struct st_sparse st_sparse;

typedef struct st_source {
    const st_reader *reader;
    char *path; /* for messages, and to read it again */
    st_dtype type;
    int64_t n_samples; /* 1 to UINT32_MAX */
    int n_dims;        /* of one sample: 1 for rows, 3 for images */
    int64_t dim[ST_SAMPLE_DIMS];
    int64_t n_values;               /* of one sample */
    void *values;                   /* [n_samples, n_values] of type; NULL when the reader streams */
    const st_sparse *sparse;        /* or else the same sparse, in the state of the reader; or NULL */
    int64_t *labels;                /* [n_samples] or NULL */
    const char *const *label_names; /* [n_label_names] by label, or NULL; static, or in words */
    int n_label_names;
    const char *const *names;            /* [n_samples], files' or rows'; in the state of the reader; or NULL */
    const char *const *feature_names;    /* [n_values] columns' names, in the state of the reader; or NULL */
    const st_feature_kind *feature_kind; /* [n_values] likewise; NULL: genes, where they have names */
    const int64_t *shard_first;          /* [n_shards + 1] the sample each file begins with, likewise; or NULL */
    int n_shards;
    char *label_option;                 /* the column of labels asked for when a table was opened, or NULL */
    char *key_option, *proteins_option; /* st_source_options' likewise */
    int n_shape_option;
    int64_t shape_option[ST_SAMPLE_DIMS];
    char *note;             /* what the reader left out, in words; or NULL */
    struct st_words *words; /* labels' names as the files have them, or NULL */
    void *state;            /* the reader's own, which close frees */
    /* For images of several sizes: height and width of each sample, [n_samples]; dim is {0, 0, channels}, n_values what
       the largest has, and they have to be resized before use (prepare.c). Else NULL. */
    int64_t (*sizes)[2];
    int64_t n_missing; /* values that are not finite, of those in memory (sparse ones too) */
    char *missing;     /* the same in words: "3 values are missing, the first on line 7"; NULL: none that is known of */
    char *mixed;       /* two of the sizes, with their files, for the message; NULL without sizes */
    struct st_source *target; /* what a model should make of each sample, [n_samples] of the same shape and type; NULL:
                                 the sample itself */
    atomic_int references;
} st_source;

struct st_reader {
    const char *name; /* "idx"; what strait_data_info calls the format */
    bool keys;        /* its files hold several things to choose from: takes st_source_options.key */
    /* Whether a file of this name that begins with these n (inflated) bytes is for this reader. */
    bool (*probe)(const char *path, const uint8_t *head, size_t n);
    /* Where those bytes cannot tell: whether a file that probe takes is for this reader, by looking into it. May be
       NULL. Errors: MEMORY. */
    strait_status (*look)(bool *out, const char *path, strait_error *err);
    /* For formats whose library a damaged file can crash: does work (the looking, the opening) in a child process
       first. OK: it may be done here. NULL: no need. Errors: those of work, FORMAT, IO. */
    strait_status (*rehearse)(strait_status (*work)(void *context, strait_error *err), void *context, const char *path,
                              strait_error *err);
    /* Fills in type, samples, shape and either values or what read needs. What it has filled in when it fails is
       given to close all the same. */
    strait_status (*open)(st_source *source, const char *path, const st_source_options *options, strait_error *err);
    /* Copies sample i to dst, [n_values] of the storage type. May be called from several threads at once. NULL for a
       reader that always keeps all values in memory. */
    strait_status (*read)(void *dst, const st_source *source, int64_t i, strait_error *err);
    /* The bytes of sample i as they stand in its file, an encoded image's; the caller's. Leaves *out NULL where they
       are plain values. May be NULL: they are. */
    strait_status (*encoded)(char **out, size_t *n, const st_source *source, int64_t i, strait_error *err);
    /* A checksum of sample i's record that is known without reading it. May be NULL. */
    uint32_t (*stored_crc)(const st_source *source, int64_t i);
    /* Sample i will be read soon. May be NULL. */
    void (*advise)(const st_source *source, int64_t i);
    /* Frees what open has taken beyond the fields above; NULL when that is nothing. */
    void (*close)(st_source *source);
};

/* The table, in the order it is probed; NULL ends it. */
extern const st_reader *const st_readers[];
extern const st_reader st_reader_idx, st_reader_npy, st_reader_npz, st_reader_rows, st_reader_cifar, st_reader_cifar100,
    st_reader_png, st_reader_jpeg, st_reader_tiff, st_reader_csv, st_reader_h5ad, st_reader_tenx, st_reader_tenx_hdf5,
    st_reader_hdf5, st_reader_tfrecord;

/* Opens a file with the reader that takes it. options may be NULL. Errors: NOT_FOUND, IO, FORMAT, MEMORY, ARGUMENT (an
   option that does not fit the file). */
strait_status st_source_open(st_source **out, const char *path, const st_source_options *options, strait_error *err);

/* The same for folders and patterns of files that are one source and have options of their own (shards). *found is
   false, and nothing else done, for anything else. */
strait_status st_source_open_several(st_source **out, bool *found, const char *path, const st_source_options *options,
                                     strait_error *err);

/* A source over a copy of float32 rows. Errors: ARGUMENT, MEMORY. */
strait_status st_source_from_rows(st_source **out, const float *values, int64_t n_samples, int n_dims,
                                  const int64_t *dim, strait_error *err);

/* An empty source of this reader, with one reference. path is copied. */
strait_status st_source_new(st_source **out, const st_reader *reader, const char *path, strait_error *err);
st_source *st_source_share(st_source *source);
void st_source_release(st_source *source); /* the last one frees; NULL is fine */

/* What a whole array of positive dims takes; false when that is more than ST_SOURCE_MAX_BYTES. */
bool st_array_bytes(size_t *bytes, st_dtype type, int n_dims, const int64_t *dim);

/* For readers: takes the shape of a whole array, samples first, into the source. [n, d] are rows, [n, h, w] images of
   one channel, [n, h, w, c] images. *bytes receives what the values take in the source's type. Errors: FORMAT naming
   the path: no samples, too few or many dims, sizes beyond belief. */
strait_status st_source_set_shape(size_t *bytes, st_source *source, int n_dims, const int64_t *dim, strait_error *err);

/* For readers: labels the samples by words, word[n_samples]: the distinct ones in byte order are labels 0, 1, ... and
   their names. Errors: MEMORY. */
strait_status st_source_set_word_labels(st_source *source, const char *const *word, strait_error *err);

/* For readers: what was left out, for people to see. Errors: MEMORY. */
strait_status st_source_set_note(st_source *source, strait_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses a source whose samples have several sizes. Errors: SHAPE. */
strait_status st_source_check_uniform(const st_source *source, strait_error *err);

/* For readers: counts the values in memory that are not finite, and says which is the first (where the reader has not,
   in words of its own). Errors: MEMORY. */
strait_status st_source_count_missing(st_source *source, strait_error *err);

/* The values of sample i: n_values, or fewer where the sizes differ. */
static inline int64_t st_source_sample_values(const st_source *source, int64_t i) {
    return source->sizes ? source->sizes[i][0] * source->sizes[i][1] * source->dim[2] : source->n_values;
}

/* Sample i as [n_values] of the storage type: in the source's memory, or read into scratch (as big as a sample). As it
   is: for who looks for missing values; all others take st_source_sample. */
static inline strait_status st_source_raw_sample(const void **out, const st_source *source, int64_t i, void *scratch,
                                                 strait_error *err) {
    if (source->values) {
        *out = (const char *)source->values + (size_t)(i * source->n_values) * st_dtype_size(source->type);
        return STRAIT_OK;
    }
    *out = scratch;
    return source->reader->read(scratch, source, i, err);
}

/* FORMAT unless all values of sample i, [n_values], are finite. */
strait_status st_source_check_sample(const st_source *source, int64_t i, const float *values, strait_error *err);

/* The same, and FORMAT where a value of it is not finite. */
static inline strait_status st_source_sample(const void **out, const st_source *source, int64_t i, void *scratch,
                                             strait_error *err) {
    ST_TRY(st_source_raw_sample(out, source, i, scratch, err));
    const bool known = source->values || source->sparse;
    if (source->type != ST_F32 || (known && !source->missing)) return STRAIT_OK;
    return st_source_check_sample(source, i, *out, err);
}

#endif
