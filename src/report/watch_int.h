/* The folder RUN/reconstructions/: the same samples before training and after each epoch, small enough for a page. */
#ifndef ST_REPORT_WATCH_INT_H
#define ST_REPORT_WATCH_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* Bytes of all images of a page together; in base64 they are a third more. */
#define ST_WATCH_BUDGET ((size_t)6 << 20)

/* A PNG file's bytes, or the values of curves. */
typedef struct st_watch_frame {
    int epoch; /* -1: the originals, -2: what the model was given */
    char *png; /* [n_bytes] a grid of n cells; NULL for curves */
    size_t n_bytes;
    float *values; /* [n, features]; NULL for images */
} st_watch_frame;

typedef struct st_watch_sample {
    char label[24]; /* "" where there is none */
    char index[24]; /* in the data set */
} st_watch_sample;

/* The samples of the training or of the validation data. */
typedef struct st_watch_set {
    const char *name, *prefix;      /* "training", "train" */
    int n, columns;                 /* samples; cells in a row of the grid */
    int width, height;              /* of a cell, as kept here */
    int features;                   /* curves: values of one, as kept here */
    double low, high;               /* curves: the least and the largest value of all */
    st_watch_sample *sample;        /* [n] or NULL */
    st_watch_frame original, input; /* input: all zero where the model gets the originals */
    int n_frames;
    st_watch_frame *frame; /* [n_frames] by epoch */
} st_watch_set;

typedef struct st_watch {
    st_watch_set set[2]; /* training, validation; n = 0: none */
    int n_epochs;        /* there were, before some were left out */
    int shrink;          /* images and curves are this many times smaller than in the folder; 1: as they are */
    char why[400];       /* why nothing, or not all, could be read; "" */
} st_watch;

/* Reads what is in run's folder, in at most budget bytes of images. A folder that is not there or files that are
   damaged leave a sentence in out->why. only_last: the originals and the last epoch alone. Errors: MEMORY.
   Free with st_watch_free in any case. */
strait_status st_watch_read(st_watch *out, const char *run, size_t budget, bool only_last, strait_error *err);
void st_watch_free(st_watch *watch);

#endif
