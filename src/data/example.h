/* tf.train.Example, the protocol buffer in TFRecord files (tensorflow/core/example/{example,feature}.proto):

       Example   { Features features = 1; }
       Features  { map<string, Feature> feature = 1; }        an entry { string key = 1; Feature value = 2; }
       Feature   { oneof: BytesList = 1; FloatList = 2; Int64List = 3; }
       *List     { repeated bytes | float | int64 value = 1; }   numbers packed or not

   Read by hand: four messages and four wire types take fewer lines than libprotobuf-c's generated code needs around it,
   and nothing is unpacked: a reader that streams would copy every image once more, into a dozen small allocations a
   sample, and to know the labels of a shard would have to read its images. What is damaged is told, never followed:
   lengths are compared with what is left before they are used. */
#ifndef ST_DATA_EXAMPLE_H
#define ST_DATA_EXAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/string.h"

/* A message in memory, or in a file of which only what is looked at is read. */
typedef struct st_message st_message;
struct st_message {
    uint64_t n;
    const uint8_t *bytes; /* of one in memory */
    /* Bytes from at on, as many as there are up to ST_MESSAGE_LOOK; borrowed until the next look. at < n. NULL: cannot
       be read, which the message remembers. */
    const uint8_t *(*look)(st_message *message, uint64_t at);
};
enum { ST_MESSAGE_LOOK = 256 };

/* A message of n bytes in memory. */
st_message st_message_of(const void *bytes, uint64_t n);

/* Where in a message. */
typedef struct st_extent {
    uint64_t at, n;
} st_extent;

typedef enum st_list_type { ST_LIST_NONE, ST_LIST_BYTES, ST_LIST_FLOATS, ST_LIST_INTEGERS } st_list_type;

/* One feature of an Example. */
typedef struct st_feature {
    char key[128]; /* longer ones are cut off; control characters are '?' */
    st_list_type type;
    st_extent list;
    int64_t n;       /* values in the list */
    st_extent bytes; /* BYTES: the first value */
    int64_t integer; /* INTEGERS: the first value */
} st_feature;

/* Walks over the features of an Example. */
typedef struct st_example {
    st_message *message;
    st_extent rest;     /* of the Example */
    st_extent features; /* of the Features in it that is being walked over */
} st_example;

st_example st_example_begin(st_message *message);
/* The next feature: 1; 0 at the end; -1 where the message is damaged, or cannot be read. */
int st_example_next(st_feature *out, st_example *example);

/* The feature of this key, the last one where there are several: 1; 0 when there is none; -1 likewise. */
int st_example_find(st_feature *out, st_message *message, const char *key);

/* All values of a list of numbers of a message in memory, [feature->n], as float32. False where it is damaged, or a
   whole number is not exact as float32. */
bool st_feature_numbers(float *dst, const st_feature *feature, const st_message *message);
/* At most `most` whole numbers from the front of a list; how many, -1 where it is damaged. */
int64_t st_feature_integers(int64_t *dst, int64_t most, const st_feature *feature, st_message *message);

/* ---- writing ---- */

/* An Example being written: features are added, each key once, then it is finished. Start from {0};
   memory that runs out is told by st_text_take of what st_example_finish makes. */
typedef struct st_example_text {
    st_text features, list;
} st_example_text;

void st_example_add_bytes(st_example_text *example, const char *key, const void *bytes, size_t n);
void st_example_add_integers(st_example_text *example, const char *key, const int64_t *value, int64_t n);
/* The Example's bytes behind those of out, and example empty again. */
void st_example_finish(st_text *out, st_example_text *example);
void st_example_text_free(st_example_text *example);

#endif
