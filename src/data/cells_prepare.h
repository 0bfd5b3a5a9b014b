/* Cells' counts brought to what a model takes: data.genes and data.proteins of a recipe. The order is fixed: total
   counts, logarithm, choice of genes, scaling, clipping; proteins: centred log-ratio, scaling, clipping. What has to be
   fitted is fitted on the training cells alone and kept in recipe->data.features; features of other data are found by
   their names. */
#ifndef ST_DATA_CELLS_PREPARE_H
#define ST_DATA_CELLS_PREPARE_H

#include "data/data_int.h"

/* Whether the recipe asks for any of this. */
bool st_cells_wanted(const strait_recipe *recipe);

/* Fits what the recipe asks for on data, the training cells as read, into recipe->data.features; nothing where it asks
   for nothing or has it already. Errors: RECIPE (no genes, no proteins, no variance), FORMAT (values that are no
   counts), MEMORY, those of reading. */
strait_status st_cells_fit(strait_recipe *recipe, const strait_data *data, strait_error *err);

/* data as the model takes it: [genes kept, proteins], each cell made when it is read, so that sparse data stays so.
   Data that is prepared already is given back as it is. *out is the caller's and shares data's source. What features
   the data lacks is told in its note. Errors: RECIPE (not fitted), SHAPE (none of the features is there), MEMORY. */
strait_status st_cells_prepare(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err);

/* What a prepared source was made of; NULL for any other source. */
const st_source *st_cells_base(const st_source *source);

/* Which genes are most variable by Seurat's dispersions, as scanpy's highly_variable_genes with flavor seurat has them
   (Satija et al. 2015): variance / mean of the counts, logarithms of both, the means cut into 20 bins of equal width;
   within each bin the dispersions less their mean, by their standard deviation (a gene alone in its bin counts 1). All
   genes at least as variable as number `wanted` are kept, so ties can make it more; a gene without a dispersion (no
   counts, no variance) never is. kept [n]: filled in; gives how many. mean, variance [n]: of each gene's normalised
   counts, not their logarithms, with n - 1. Errors: MEMORY. */
strait_status st_most_variable(int64_t *n_kept, bool *kept, const double *mean, const double *variance, int64_t n,
                               int64_t wanted, strait_error *err);

#endif
