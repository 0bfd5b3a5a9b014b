/* Latents into a copy of an h5ad file. */
#ifndef ST_DATA_H5AD_WRITE_H
#define ST_DATA_H5AD_WRITE_H

#include "data/data.h"

/* What is noted in uns/strait beside the latents. */
typedef struct st_h5ad_origin {
    const char *recipe, *model; /* the recipe's name; what the user calls the model */
} st_h5ad_origin;

/* A copy of the h5ad file that data was opened from, with z [n, latent] in obsm/X_strait and its origin in uns/strait.
   Atomic; the file itself is not written to. Errors: ARGUMENT (no h5ad file, not all of its cells in their order, the
   same file), SHAPE (z has other rows), IO, FORMAT, MEMORY. */
strait_status st_h5ad_write_latent(const char *path, const strait_data *data, const strait_array *z,
                                   const st_h5ad_origin *origin, strait_error *err);

#endif
