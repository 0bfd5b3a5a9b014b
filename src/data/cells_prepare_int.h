/* Between fitting and applying the preparation of cells. */
#ifndef ST_DATA_CELLS_PREPARE_INT_H
#define ST_DATA_CELLS_PREPARE_INT_H

#include "data/cells.h"
#include "data/cells_prepare.h"
#include "recipe/features.h"

/* One cell's values that may not be zero: of column[k], or of column k without. Borrowed until the next. */
typedef struct st_counts {
    const int32_t *column;
    const float *value;
    int64_t n;
} st_counts;

/* Sample i of a source of rows. scratch: [n_values], used where rows are read from a file. */
strait_status st_counts_of(st_counts *out, const st_source *source, int64_t i, float *scratch, strait_error *err);

static inline st_feature_kind st_kind_of(const st_source *source, int64_t column) {
    return source->feature_kind ? source->feature_kind[column] : ST_FEATURE_GENE;
}

/* What the recipe's total counts come to for a cell whose genes sum to sum: what each count is multiplied by. */
double st_total_factor(const st_genes *genes, double target_sum, double sum);

/* FORMAT: a value below 0, or no number after the logarithm, cannot be a count. */
strait_status st_fail_no_count(const st_source *source, int64_t sample, int64_t column, double value,
                               strait_error *err);

/* A feature's name; "column 5" goes into text where it has none. */
const char *st_feature_name(char text[32], const st_source *source, int64_t column);

#endif
