/* The folder RUN/reconstructions/: the same samples before training and after each epoch, small enough for a page. */
#ifndef ST_REPORT_WATCHED_INT_H
#define ST_REPORT_WATCHED_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* Bytes of all images of a page together; in base64 they are a third more. */
#define ST_WATCHED_BUDGET ((size_t)6 << 20)

/* A PNG file's bytes, or the values of curves. */
typedef struct st_watched_frame {
    int epoch; /* -1: the originals, -2: what the model was given */
    char *png; /* [n_bytes] a grid of n cells; NULL for curves */
    size_t n_bytes;
    float *values; /* [n, features]; NULL for images */
} st_watched_frame;

typedef struct st_watched_sample {
    char label[24]; /* "" where there is none */
    char index[24]; /* in the data set */
} st_watched_sample;

/* The samples of the training or of the validation data. */
typedef struct st_watched_set {
    const char *name, *prefix;        /* "training", "train" */
    int n, columns;                   /* samples; cells in a row of the grid */
    int width, height;                /* of a cell, as kept here */
    int features;                     /* curves: values of one, as kept here */
    double low, high;                 /* curves: the least and the largest value of all */
    st_watched_sample *sample;        /* [n] or NULL */
    st_watched_frame original, input; /* input: all zero where the model gets the originals */
    int n_frames;
    st_watched_frame *frame; /* [n_frames] by epoch */
} st_watched_set;

typedef struct st_watched {
    st_watched_set set[2]; /* training, validation; n = 0: none */
    int n_epochs;          /* there were, before some were left out */
    int shrink;            /* images and curves are this many times smaller than in the folder; 1: as they are */
    char why[400];         /* why nothing, or not all, could be read; "" */
} st_watched;

/* Reads what is in run's folder, in at most budget bytes of images. A folder that is not there or files that are
   damaged leave a sentence in out->why. only_last: the originals and the last epoch alone. Errors: MEMORY.
   Free with st_watched_free in any case. */
strait_status st_watched_read(st_watched *out, const char *run, size_t budget, bool only_last, strait_error *err);
void st_watched_free(st_watched *watch);

#endif
