/* What training cells tell: totals, which genes vary most, means and deviations. Sums are taken in double, cell after
   cell in the order of the data, so that they do not depend on threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "data/cells_prepare_int.h"

typedef struct fitting {
    const strait_data *data;
    const st_source *source;
    const strait_recipe *recipe;
    float *scratch;    /* [n_values], a row that is read from a file */
    double *total;     /* [n cells]: of genes */
    double *cell_mean; /* [n cells]: of log(1 + x) over proteins */
    double target;
    double *sum, *square;        /* [n_values] */
    double *centre;              /* [n_values]: clr: feature */
    bool *kept;                  /* [n_values] */
    int64_t n_genes, n_proteins; /* in the data */
} fitting;

static strait_status take_memory(fitting *f, strait_error *err) {
    const size_t n_values = (size_t)f->source->n_values, n = (size_t)f->data->n;
    f->scratch = st_alloc(n_values, sizeof *f->scratch);
    f->total = st_alloc(n, sizeof *f->total);
    f->cell_mean = st_alloc(n, sizeof *f->cell_mean);
    f->sum = st_alloc(n_values, sizeof *f->sum);
    f->square = st_alloc(n_values, sizeof *f->square);
    f->centre = st_alloc(n_values, sizeof *f->centre);
    f->kept = st_alloc(n_values, sizeof *f->kept);
    if (f->scratch && f->total && f->cell_mean && f->sum && f->square && f->centre && f->kept) return STRAIT_OK;
    return st_fail_memory(err, n_values * 4 * sizeof(double), "sums over genes");
}

static void free_memory(fitting *f) {
    st_free(f->scratch);
    st_free(f->total);
    st_free(f->cell_mean);
    st_free(f->sum);
    st_free(f->square);
    st_free(f->centre);
    st_free(f->kept);
}

/* ---- passes ---- */

static strait_status counts_of(st_counts *out, const fitting *f, int64_t i, strait_error *err) {
    return st_counts_of(out, f->source, st_data_source_sample(f->data, i), f->scratch, err);
}

/* Totals of each cell, and what counts cannot be. */
static strait_status sum_cells(fitting *f, strait_error *err) {
    const st_genes *genes = &f->recipe->data.genes;
    const bool counted[] = {[ST_FEATURE_GENE] = genes->on && (genes->total_count || genes->log1p),
                            [ST_FEATURE_PROTEIN] = f->recipe->data.proteins.clr != ST_CLR_NONE,
                            [ST_FEATURE_OTHER] = false};
    for (int64_t i = 0; i < f->data->n; i++) {
        st_counts counts;
        double logs = 0;
        ST_TRY(counts_of(&counts, f, i, err));
        for (int64_t k = 0; k < counts.n; k++) {
            const int64_t column = counts.column ? counts.column[k] : k;
            const double x = (double)counts.value[k];
            const st_feature_kind kind = st_kind_of(f->source, column);
            if (x < 0 && counted[kind])
                return st_fail_no_count(f->source, st_data_source_sample(f->data, i), column, x, err);
            if (kind == ST_FEATURE_GENE) f->total[i] += x;
            if (kind != ST_FEATURE_PROTEIN || !counted[kind]) continue;
            logs += log1p(x);
            f->centre[column] += log1p(x);
        }
        f->cell_mean[i] = f->n_proteins > 0 ? logs / (double)f->n_proteins : 0;
    }
    for (int64_t k = 0; k < f->source->n_values; k++)
        f->centre[k] = exp(f->centre[k] / (double)f->data->n);
    return STRAIT_OK;
}

static int compare_up(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the totals above 0, as scanpy's normalize_total; numpy's of an even number: the mean of both. */
static strait_status find_target(fitting *f, strait_error *err) {
    f->target = f->recipe->data.genes.target_sum;
    if (!f->recipe->data.genes.total_count || f->target > 0) return STRAIT_OK;
    double *total = st_alloc((size_t)f->data->n, sizeof *total);
    if (!total) return st_fail_memory(err, (size_t)f->data->n * sizeof *total, "totals of cells");
    int64_t n = 0;
    for (int64_t i = 0; i < f->data->n; i++)
        if (f->total[i] > 0) total[n++] = f->total[i];
    qsort(total, (size_t)n, sizeof *total, compare_up);
    if (n > 0) f->target = n % 2 ? total[n / 2] : (total[n / 2 - 1] + total[n / 2]) / 2;
    st_free(total);
    if (n > 0) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, f->recipe->data.pos, "genes: the training cells of %s have no counts",
                      f->data->name);
}

/* How a gene's count is seen. */
typedef enum view {
    VIEW_COUNTS, /* normalised, for dispersions: logarithms are undone */
    VIEW_VALUES, /* as the model will see it but for scaling */
} view;

static double gene_seen(const fitting *f, double x, view seen) {
    const bool log = f->recipe->data.genes.log1p;
    if (seen == VIEW_VALUES) return log ? log1p(x) : x;
    return log ? x : expm1(x);
}

static double protein_seen(const fitting *f, double x, int64_t i, int64_t column) {
    switch (f->recipe->data.proteins.clr) {
    case ST_CLR_CELL: return log1p(x / exp(f->cell_mean[i]));
    case ST_CLR_FEATURE: return log1p(x / f->centre[column]);
    default: return x;
    }
}

/* Mean into sum, variance (with n - 1) into square, of every column. A count of zero is zero in every view. */
static strait_status measure(fitting *f, view seen, strait_error *err) {
    const size_t bytes = (size_t)f->source->n_values * sizeof *f->sum;
    const double n = (double)f->data->n;
    memset(f->sum, 0, bytes);
    memset(f->square, 0, bytes);
    for (int64_t i = 0; i < f->data->n; i++) {
        st_counts counts;
        ST_TRY(counts_of(&counts, f, i, err));
        const double factor = st_total_factor(&f->recipe->data.genes, f->target, f->total[i]);
        for (int64_t k = 0; k < counts.n; k++) {
            const int64_t column = counts.column ? counts.column[k] : k;
            double x = (double)counts.value[k];
            if (x == 0) continue;
            const st_feature_kind kind = st_kind_of(f->source, column);
            if (kind == ST_FEATURE_GENE) x = gene_seen(f, x * factor, seen);
            if (kind == ST_FEATURE_PROTEIN) x = protein_seen(f, x, i, column);
            f->sum[column] += x;
            f->square[column] += x * x;
        }
    }
    for (int64_t k = 0; k < f->source->n_values; k++) {
        const double mean = f->sum[k] / n, variance = f->square[k] / n - mean * mean;
        f->sum[k] = mean;
        f->square[k] = variance > 0 && n > 1 ? variance * (n / (n - 1)) : 0;
    }
    return STRAIT_OK;
}

/* ---- which genes ---- */

/* The genes' means and variances side by side, their choice back to their columns. */
static strait_status choose_among(fitting *f, int64_t wanted, double *mean, double *variance, bool *kept,
                                  strait_error *err) {
    int64_t n = 0, n_kept = 0;
    for (int64_t k = 0; k < f->source->n_values; k++) {
        if (st_kind_of(f->source, k) != ST_FEATURE_GENE) continue;
        mean[n] = f->sum[k];
        variance[n++] = f->square[k];
        if (!isfinite(f->sum[k]) || !isfinite(f->square[k]))
            return st_fail_at(err, STRAIT_RECIPE, f->recipe->data.pos,
                              "genes: most_variable takes logarithms, but those of %s are beyond all numbers: they are "
                              "counts; set log1p: true",
                              f->data->name);
    }
    ST_TRY(st_most_variable(&n_kept, kept, mean, variance, n, wanted, err));
    if (n_kept == 0)
        return st_fail_at(err, STRAIT_RECIPE, f->recipe->data.pos, "genes: no gene of the training cells of %s varies",
                          f->data->name);
    n = 0;
    for (int64_t k = 0; k < f->source->n_values; k++)
        if (st_kind_of(f->source, k) == ST_FEATURE_GENE) f->kept[k] = kept[n++];
    return STRAIT_OK;
}

static strait_status choose_genes(fitting *f, strait_error *err) {
    const int64_t wanted = f->recipe->data.genes.most_variable;
    const size_t n = (size_t)f->n_genes;
    for (int64_t k = 0; k < f->source->n_values; k++) {
        const st_feature_kind kind = st_kind_of(f->source, k);
        f->kept[k] = (kind == ST_FEATURE_GENE && f->recipe->data.genes.on) ||
                     (kind == ST_FEATURE_PROTEIN && f->recipe->data.proteins.on);
    }
    if (!f->recipe->data.genes.on || wanted == 0) return STRAIT_OK;
    ST_TRY(measure(f, VIEW_COUNTS, err));
    double *mean = st_alloc(n, sizeof *mean), *variance = st_alloc(n, sizeof *variance);
    bool *kept = st_alloc(n, sizeof *kept);
    const strait_status status = mean && variance && kept ? choose_among(f, wanted, mean, variance, kept, err)
                                                          : st_fail_memory(err, n * sizeof *mean, "genes");
    st_free(mean);
    st_free(variance);
    st_free(kept);
    return status;
}

/* ---- from the sums to the features ---- */

static strait_status take_features(st_feature_set *set, const fitting *f, st_feature_kind kind, bool scaled,
                                   bool centred, strait_error *err) {
    const int64_t n_values = f->source->n_values;
    int64_t n = 0;
    const char **name = st_alloc((size_t)n_values, sizeof *name);
    char *numbers = f->source->feature_names ? NULL : st_alloc((size_t)n_values, 32);
    strait_status status = STRAIT_OK;
    if (!name || (!f->source->feature_names && !numbers))
        status = st_fail_memory(err, (size_t)n_values * 32, "names of features");
    for (int64_t k = 0; k < n_values && status == STRAIT_OK; k++)
        if (f->kept[k] && st_kind_of(f->source, k) == kind)
            name[n++] = st_feature_name(numbers ? numbers + 32 * k : NULL, f->source, k);
    if (status == STRAIT_OK) status = st_feature_set_init(set, n, name, scaled, centred, err);
    st_free(name);
    st_free(numbers);
    if (status != STRAIT_OK) return status;
    n = 0;
    for (int64_t k = 0; k < n_values; k++) {
        if (!f->kept[k] || st_kind_of(f->source, k) != kind) continue;
        if (scaled) {
            set->mean[n] = f->sum[k];
            set->factor[n] = f->square[k] > 0 ? 1 / sqrt(f->square[k]) : 1;
        }
        if (centred) set->centre[n] = f->centre[k];
        n++;
    }
    return STRAIT_OK;
}

static strait_status check_kinds(fitting *f, strait_error *err) {
    for (int64_t k = 0; k < f->source->n_values; k++) {
        f->n_genes += st_kind_of(f->source, k) == ST_FEATURE_GENE;
        f->n_proteins += st_kind_of(f->source, k) == ST_FEATURE_PROTEIN;
    }
    if (f->recipe->data.genes.on && f->n_genes == 0)
        return st_fail_at(err, STRAIT_RECIPE, f->recipe->data.pos, "genes: there are none in %s; leave data.genes out",
                          f->data->name);
    if (f->recipe->data.proteins.on && f->n_proteins == 0)
        return st_fail_at(
            err, STRAIT_RECIPE, f->recipe->data.pos,
            "proteins: there are none in %s (Antibody Capture in 10x data; in h5ad files a matrix such as "
            "obsm/protein_expression, which data.proteins.key names); leave data.proteins out",
            f->data->name);
    return STRAIT_OK;
}

static strait_status fit(st_features *out, fitting *f, strait_error *err) {
    const st_genes *genes = &f->recipe->data.genes;
    const st_proteins *proteins = &f->recipe->data.proteins;
    ST_TRY(check_kinds(f, err));
    ST_TRY(take_memory(f, err));
    ST_TRY(sum_cells(f, err));
    ST_TRY(find_target(f, err));
    ST_TRY(choose_genes(f, err));
    ST_TRY(measure(f, VIEW_VALUES, err));
    if (genes->on) ST_TRY(take_features(&out->genes, f, ST_FEATURE_GENE, genes->scale, false, err));
    out->genes.target_sum = genes->on ? f->target : 0;
    if (!proteins->on) return STRAIT_OK;
    return take_features(&out->proteins, f, ST_FEATURE_PROTEIN, proteins->scale, proteins->clr == ST_CLR_FEATURE, err);
}

strait_status st_cells_fit(strait_recipe *recipe, const strait_data *data, strait_error *err) {
    st_features *features = NULL;
    if (!st_cells_wanted(recipe) || recipe->data.features || st_cells_base(data->source)) return STRAIT_OK;
    if (data->source->n_dims != 1 || data->source->type != ST_F32)
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos, "%s: the samples of %s are no rows of counts",
                          recipe->data.genes.on ? "genes" : "proteins", data->name);
    ST_TRY(st_features_new(&features, err));
    fitting f = {.data = data, .source = data->source, .recipe = recipe};
    const strait_status status = fit(features, &f, err);
    free_memory(&f);
    if (status == STRAIT_OK) {
        recipe->data.features = features;
    } else {
        st_features_free(features);
    }
    return status;
}
