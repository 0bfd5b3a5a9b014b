/* Sources made of another one: its samples in a view's order, their channels mixed, cropped, resized, scaled by
   feature, always in this order. The result keeps the source it is made of; it is in memory whole while it is no larger
   than st_source_resident_bytes() and there is something to compute, else each sample is made when it is needed. */
#ifndef ST_DATA_DERIVE_H
#define ST_DATA_DERIVE_H

#include "data/data_int.h"

/* What is done to each sample. All zero: nothing but the order. */
typedef struct st_derivation {
    st_channels channels;
    st_crop crop;
    int64_t resize[2];                   /* 0: as they are */
    const st_numbers *offsets, *factors; /* of the last axis, copied; NULL: not scaled */
    bool fill;                           /* alone: missing values become, by the last axis, */
    const st_numbers *means;             /* these, copied; NULL: 0 */
    bool prepared;                       /* the result is what a model takes, but for the scaling */
} st_derivation;

/* A source of the samples of a view in its order, labels and names with it, with derivation applied; one reference, the
   caller's. base: the view's source, or another one with the same samples (the target of a pair). Errors: SHAPE (an
   image smaller than the crop, fewer channels than picked, images of several sizes, other features than scaled),
   MEMORY, those of reading. */
strait_status st_derive(st_source **out, st_source *base, const strait_data *view, const st_derivation *derivation,
                        strait_error *err);

/* What source was derived of, or NULL. */
st_source *st_derived_base(const st_source *source);
/* Which sample of that sample i is made of. */
int64_t st_derived_sample(const st_source *source, int64_t i);
/* Whether source is what preparation gave; and whether it is scaled by feature. */
bool st_derived_prepared(const st_source *source);
bool st_derived_scaled(const st_source *source);
/* And whether missing values have been filled in. */
bool st_derived_filled(const st_source *source);

/* The source that all else was made of, a file's, and which of its samples sample *i is made of. */
const st_source *st_source_bottom(int64_t *i, const st_source *source);

/* Samples' shapes as height, width, channels: rows are images of one pixel whose channels are the columns. */
void st_source_image_shape(int64_t out[3], const st_source *source, int64_t i);

#endif
