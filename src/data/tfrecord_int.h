/* Between the files that read TFRecord shards. */
#ifndef ST_DATA_TFRECORD_INT_H
#define ST_DATA_TFRECORD_INT_H

#include "data/example.h"
#include "data/reader.h"
#include "data/tfrecord_file.h"
#include "data/words.h"
#include "image/image.h"

enum { ST_FEATURE_KEY = 128 };

/* Which features are what; an empty key: there is none. */
typedef struct st_feature_keys {
    char samples[ST_FEATURE_KEY], label[ST_FEATURE_KEY], text[ST_FEATURE_KEY], name[ST_FEATURE_KEY];
    bool label_asked; /* by the options, not guessed */
} st_feature_keys;

/* How the samples lie in their feature, as the first record has it. */
typedef struct st_sample_layout {
    st_list_type type;
    st_image_format format; /* encoded images; UNKNOWN: plain values */
    int64_t n;              /* bytes or numbers of plain values */
    st_dtype dtype;
    int n_dims;
    int64_t dim[ST_SAMPLE_DIMS]; /* of encoded images: of the first */
} st_sample_layout;

/* The state of a source of shards. */
typedef struct st_tfrecords {
    st_words *paths;
    int64_t n_files;
    st_tfrecord_file *file; /* [n_files] */
    int64_t *first;         /* [n_files + 1]: the sample each begins with */
    st_tfrecord *record;    /* [n] of all files, one after another */
    st_words *names;
    st_feature_keys keys;
    st_sample_layout layout;
} st_tfrecords;

/* Chooses the features by what the first record has and the options ask for (tfrecord_keys.c). bytes: the whole record;
   where: "FILE: record 0". Errors: FORMAT, ARGUMENT. */
strait_status st_tfrecord_choose(st_feature_keys *keys, st_sample_layout *layout, const uint8_t *bytes, size_t n,
                                 const char *where, const st_source_options *options, strait_error *err);

/* Reads the heads of all records: fills in state->first, record and names, and of source n_samples, labels and their
   names, sizes and mixed (tfrecord_scan.c). Errors: FORMAT, IO, MEMORY. */
strait_status st_tfrecord_scan(st_source *source, st_tfrecords *state, const st_source_options *options,
                               strait_error *err);

/* Of a sample's bytes; UNKNOWN: plain values. */
st_image_format st_tfrecord_image_format(const void *bytes, size_t n);

/* "FILE: record 12" of sample i, for messages. */
enum { ST_TFRECORD_WHERE = 512 };
void st_tfrecord_where(char out[ST_TFRECORD_WHERE], const char *path, int64_t record);

/* FORMAT: the record at `where` is damaged. */
strait_status st_tfrecord_fail_damaged(const char *where, strait_error *err);

#endif
