/* Values that are not finite: fields that are empty, NaN, infinity. A reader takes them as they are and counts them
   (source->missing); nobody gets a sample with one by st_source_sample. What is done about them is data.missing of the
   recipe: samples are left out when the data is chosen, or values take their place first thing in the preparation. */
#ifndef ST_DATA_MISSING_H
#define ST_DATA_MISSING_H

#include "data/data.h"

/* RECIPE where data.missing cannot be had: of pairs; mean or drop of genes and proteins. Where it refuses: FORMAT, if
   some sample of data has such a value, as far as that is known before samples are read. */
strait_status st_data_check_missing(const strait_data *data, const strait_recipe *recipe, strait_error *err);

/* drop: brings *data to its samples without such values. Of samples that are not kept in memory each is read for it.
   Errors: RECIPE (none is left), those of reading, MEMORY. */
strait_status st_data_drop_missing(strait_data **data, const strait_recipe *recipe, strait_error *err);

/* mean: fits recipe->data.means on training data: for each feature (a row's column, an image's channel) the mean of its
   finite values. Nothing where that is not asked for, or done. Errors: RECIPE (too many features; one without any
   value), those of reading, MEMORY. */
strait_status st_data_fit_missing(strait_recipe *recipe, const strait_data *data, strait_error *err);

/* zero and mean: data with numbers where values were missing; the caller's. A view of all of it where that is not asked
   for, or done, or where nothing can be missing. Errors: MEMORY, SHAPE (other features than fitted). */
strait_status st_data_fill_missing(strait_data **out, strait_data *data, const strait_recipe *recipe,
                                   strait_error *err);

/* What is done about the missing values of data, in words, "3 values are missing, ...: zero takes their place"; *out is
   the caller's, NULL where there are none (that are known of). Errors: MEMORY. */
strait_status st_data_tell_missing(char **out, const strait_data *data, const strait_recipe *recipe, strait_error *err);

#endif
