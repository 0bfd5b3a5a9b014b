/* A prepared source makes each cell when it is read: the values of counts of zero are laid down first, as they are the
   same for all cells, then those of the others. Of dense data that is in memory all cells are made at once where that
   takes no more memory than what they are made of. It keeps the source it is made of, and has all of its samples. */
#include "data/cells_prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells_prepare_int.h"

typedef struct prepared {
    st_source *base;
    st_features *features;
    st_genes genes;
    st_proteins proteins; /* its key is the recipe's: not used */
    int64_t n_genes, n_proteins;
    int32_t *place; /* [base n_values]: where a column goes in the result, or -1 */
    float *zero;    /* [n_genes + n_proteins]: a cell without counts */
} prepared;

enum { MOST_NAMES = 5 };

bool st_cells_wanted(const strait_recipe *recipe) {
    return recipe->data.genes.on || recipe->data.proteins.on;
}

/* ---- counts ---- */

strait_status st_counts_of(st_counts *out, const st_source *source, int64_t i, float *scratch, strait_error *err) {
    if (source->sparse) {
        const int64_t first = source->sparse->start[i];
        *out = (st_counts){source->sparse->column + first, source->sparse->value + first,
                           source->sparse->start[i + 1] - first};
        return STRAIT_OK;
    }
    const void *values = NULL;
    ST_TRY(st_source_sample(&values, source, i, scratch, err));
    *out = (st_counts){.value = values, .n = source->n_values};
    return STRAIT_OK;
}

const char *st_feature_name(char text[32], const st_source *source, int64_t column) {
    if (source->feature_names) return source->feature_names[column];
    st_print_double(text, (double)column);
    return text;
}

double st_total_factor(const st_genes *genes, double target_sum, double sum) {
    return genes->total_count && sum > 0 ? target_sum / sum : 1;
}

strait_status st_fail_no_count(const st_source *source, int64_t sample, int64_t column, double value,
                               strait_error *err) {
    char text[32];
    return st_fail(
        err, STRAIT_FORMAT,
        "%s: %.60s of sample %lld is %g, which is no count: data.genes and data.proteins want counts, such as "
        "FILE#raw/X or FILE#layers/counts may hold them",
        source->path, st_feature_name(text, source, column), (long long)sample, value);
}

/* ---- a cell ---- */

static float scale_value(const st_feature_set *set, bool scale, double max_value, int64_t k, double x) {
    if (scale) x = (x - set->mean[k]) * set->factor[k];
    if (max_value > 0) x = x > max_value ? max_value : x < -max_value ? -max_value : x;
    return (float)x;
}

static float gene_value(const prepared *p, int64_t k, double x) {
    return scale_value(&p->features->genes, p->genes.scale, p->genes.max_value, k, p->genes.log1p ? log1p(x) : x);
}

/* mean: of log(1 + x) over the cell's proteins. */
static float protein_value(const prepared *p, int64_t k, double x, double mean) {
    const st_feature_set *set = &p->features->proteins;
    if (p->proteins.clr == ST_CLR_CELL) x = log1p(x / exp(mean));
    if (p->proteins.clr == ST_CLR_FEATURE) x = log1p(x / set->centre[k]);
    return scale_value(set, p->proteins.scale, p->proteins.max_value, k, x);
}

/* Sums that a cell's values depend on: of its genes' counts, kept or not; of its proteins' logarithms. */
static strait_status sum_cell(double *genes, double *proteins, const st_counts *counts, const prepared *p, int64_t i,
                              strait_error *err) {
    const bool wants_genes = p->genes.total_count || p->genes.log1p, wants_proteins = p->proteins.clr != ST_CLR_NONE;
    *genes = *proteins = 0;
    for (int64_t k = 0; k < counts->n; k++) {
        const int64_t column = counts->column ? counts->column[k] : k;
        const double x = (double)counts->value[k];
        if (x == 0) continue;
        const st_feature_kind kind = st_kind_of(p->base, column);
        if (x < 0 && ((kind == ST_FEATURE_GENE && wants_genes) || (kind == ST_FEATURE_PROTEIN && wants_proteins)))
            return st_fail_no_count(p->base, i, column, x, err);
        if (kind == ST_FEATURE_GENE) *genes += x;
        if (kind == ST_FEATURE_PROTEIN && p->place[column] >= 0) *proteins += log1p(x);
    }
    return STRAIT_OK;
}

static strait_status prepare_cell(float *dst, const prepared *p, int64_t i, float *scratch, strait_error *err) {
    st_counts counts;
    double genes = 0, proteins = 0;
    ST_TRY(st_counts_of(&counts, p->base, i, scratch, err));
    ST_TRY(sum_cell(&genes, &proteins, &counts, p, i, err));
    const double factor = st_total_factor(&p->genes, p->features->genes.target_sum, genes);
    const double mean = p->n_proteins > 0 ? proteins / (double)p->n_proteins : 0;
    memcpy(dst, p->zero, (size_t)(p->n_genes + p->n_proteins) * sizeof *dst);
    for (int64_t k = 0; k < counts.n; k++) {
        const int32_t place = p->place[counts.column ? counts.column[k] : k];
        const double x = (double)counts.value[k];
        if (place < 0 || x == 0) continue;
        dst[place] =
            place < p->n_genes ? gene_value(p, place, x * factor) : protein_value(p, place - p->n_genes, x, mean);
    }
    return STRAIT_OK;
}

static strait_status read_prepared(void *dst, const st_source *source, int64_t i, strait_error *err) {
    const prepared *p = source->state;
    const bool read = !p->base->values && !p->base->sparse;
    float *scratch = read ? st_alloc((size_t)p->base->n_values, sizeof *scratch) : NULL;
    if (read && !scratch) return st_fail_memory(err, (size_t)p->base->n_values * sizeof *scratch, "a cell");
    const strait_status status = prepare_cell(dst, p, i, scratch, err);
    st_free(scratch);
    return status;
}

static void close_prepared(st_source *source) {
    prepared *p = source->state;
    if (!p) return;
    st_source_release(p->base);
    st_features_free(p->features);
    st_free(p->place);
    st_free(p->zero);
    st_free(p);
}

static const st_reader reader_prepared = {.name = "cells", .read = read_prepared, .close = close_prepared};

const st_source *st_cells_base(const st_source *source) {
    return source->reader == &reader_prepared ? ((const prepared *)source->state)->base : NULL;
}

const char *st_data_missing(const strait_data *data) {
    return st_cells_base(data->source) ? data->source->note : NULL;
}

/* ---- features found by their names ---- */

typedef struct named {
    const char *name;
    int64_t index;
} named;

static int compare_named(const void *a, const void *b) {
    const named *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* The base's columns of a kind, by name. */
static strait_status sort_columns(named **out, int64_t *n, char **numbers, const st_source *base, st_feature_kind kind,
                                  strait_error *err) {
    *n = 0;
    *out = st_alloc((size_t)base->n_values, sizeof **out);
    *numbers = base->feature_names ? NULL : st_alloc((size_t)base->n_values, 32);
    if (!*out || (!base->feature_names && !*numbers))
        return st_fail_memory(err, (size_t)base->n_values * sizeof **out, "names of features");
    for (int64_t k = 0; k < base->n_values; k++)
        if (st_kind_of(base, k) == kind)
            (*out)[(*n)++] = (named){st_feature_name(*numbers ? *numbers + 32 * k : NULL, base, k), k};
    qsort(*out, (size_t)*n, sizeof **out, compare_named);
    return STRAIT_OK;
}

/* Where names repeat, the first goes to the first, the second to the second. *missing: the names not found. */
static strait_status match(prepared *p, const st_feature_set *set, st_feature_kind kind, int64_t first,
                           st_words *missing, strait_error *err) {
    named *columns = NULL, *wanted = st_alloc((size_t)set->n, sizeof *wanted);
    char *numbers = NULL;
    int64_t n = 0, at = 0;
    strait_status status = wanted ? sort_columns(&columns, &n, &numbers, p->base, kind, err)
                                  : st_fail_memory(err, (size_t)set->n * sizeof *wanted, "names of features");
    for (int64_t k = 0; k < set->n && status == STRAIT_OK; k++)
        wanted[k] = (named){set->name[k], k};
    if (status == STRAIT_OK) qsort(wanted, (size_t)set->n, sizeof *wanted, compare_named);
    for (int64_t k = 0; k < set->n && status == STRAIT_OK; k++) {
        int order = -1;
        while (at < n && (order = strcmp(columns[at].name, wanted[k].name)) < 0)
            at++;
        if (at < n && order == 0)
            p->place[columns[at++].index] = (int32_t)(first + wanted[k].index);
        else
            st_words_add(missing, wanted[k].name, strlen(wanted[k].name));
    }
    st_free(columns);
    st_free(wanted);
    st_free(numbers);
    return status;
}

/* "12 of 2000 genes are not in FILE and count as 0: A, B, ...". */
static void tell_missing(st_text *note, const st_words *missing, int64_t n, const char *what, const char *path) {
    if (missing->n == 0) return;
    st_text_add(note, "%s%lld of the model's %lld %s %s not in %s and count%s as 0: ", note->length ? "; " : "",
                (long long)missing->n, (long long)n, what, missing->n == 1 ? "is" : "are", path,
                missing->n == 1 ? "s" : "");
    for (int64_t k = 0; k < missing->n && k < MOST_NAMES; k++)
        st_text_add(note, "%s%.40s", k ? ", " : "", missing->at[k]);
    if (missing->n > MOST_NAMES) st_text_add(note, ", ...");
}

static strait_status find_kind(prepared *p, st_text *note, const st_feature_set *set, st_feature_kind kind,
                               int64_t first, strait_error *err) {
    const char *what = kind == ST_FEATURE_GENE ? "genes" : "proteins";
    st_words *missing = NULL;
    if (set->n == 0) return STRAIT_OK;
    ST_TRY(st_words_new(&missing, err));
    strait_status status = match(p, set, kind, first, missing, err);
    if (status == STRAIT_OK) status = st_words_finish(missing, err);
    if (status == STRAIT_OK && missing->n == set->n) {
        char text[32];
        status = st_fail(err, STRAIT_SHAPE,
                         "%s: none of the %lld %s the model was trained on is there: the model's are called '%.40s', "
                         "the file's '%.40s'",
                         p->base->path, (long long)set->n, what, set->name[0], st_feature_name(text, p->base, 0));
    }
    if (status == STRAIT_OK) tell_missing(note, missing, set->n, what, p->base->path);
    st_words_free(missing);
    return status;
}

/* ---- making it ---- */

static strait_status fill_places(st_source *source, prepared *p, strait_error *err) {
    const int64_t n = p->n_genes + p->n_proteins;
    st_text note = {0};
    p->place = st_alloc((size_t)p->base->n_values, sizeof *p->place);
    p->zero = st_alloc((size_t)n, sizeof *p->zero);
    if (!p->place || !p->zero) return st_fail_memory(err, (size_t)p->base->n_values * sizeof *p->place, "features");
    for (int64_t k = 0; k < p->base->n_values; k++)
        p->place[k] = -1;
    strait_status status = find_kind(p, &note, &p->features->genes, ST_FEATURE_GENE, 0, err);
    if (status == STRAIT_OK) status = find_kind(p, &note, &p->features->proteins, ST_FEATURE_PROTEIN, p->n_genes, err);
    if (status == STRAIT_OK && note.length > 0)
        status = st_text_take(&source->note, &note, err);
    else
        st_text_free(&note);
    for (int64_t k = 0; k < n && status == STRAIT_OK; k++)
        p->zero[k] = k < p->n_genes ? gene_value(p, k, 0) : protein_value(p, k - p->n_genes, 0, 0);
    return status;
}

/* Labels and names are the base's. */
static strait_status borrow_labels(st_source *source, const st_source *base, strait_error *err) {
    const size_t n = (size_t)base->n_samples;
    source->names = base->names;
    source->label_names = base->label_names;
    source->n_label_names = base->n_label_names;
    if (!base->labels) return STRAIT_OK;
    source->labels = st_alloc(n, sizeof *source->labels);
    if (!source->labels) return st_fail_memory(err, n * sizeof *source->labels, "labels");
    memcpy(source->labels, base->labels, n * sizeof *source->labels);
    return STRAIT_OK;
}

static strait_status load_all(st_source *source, size_t bytes, strait_error *err) {
    float *values = st_alloc_aligned(bytes);
    if (!values) return st_fail_memory(err, bytes, "prepared cells");
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < source->n_samples && status == STRAIT_OK; i++)
        status = prepare_cell(values + i * source->n_values, source->state, i, NULL, err);
    if (status == STRAIT_OK) {
        source->values = values;
    } else {
        st_free(values);
    }
    return status;
}

static strait_status fill(st_source *source, st_source *base, const strait_recipe *recipe, strait_error *err) {
    const st_features *features = recipe->data.features;
    prepared *p = source->state = st_alloc(1, sizeof *p);
    if (!p) return st_fail_memory(err, sizeof *p, "prepared cells");
    p->base = st_source_share(base);
    p->genes = recipe->data.genes;
    p->proteins = recipe->data.proteins;
    p->n_genes = features->genes.n;
    p->n_proteins = features->proteins.n;
    if (!st_features_copy(&p->features, features)) return st_fail_memory(err, sizeof *features, "features");
    const int64_t dim[] = {base->n_samples, p->n_genes + p->n_proteins};
    size_t bytes = 0;
    source->type = ST_F32;
    ST_TRY(st_source_set_shape(&bytes, source, 2, dim, err));
    ST_TRY(borrow_labels(source, base, err));
    ST_TRY(fill_places(source, p, err));
    return base->values && source->n_values <= base->n_values ? load_all(source, bytes, err) : STRAIT_OK;
}

/* A fitted recipe's numbers must be there for what its keys ask. */
static strait_status check_features(const strait_recipe *recipe, strait_error *err) {
    const st_features *f = recipe->data.features;
    const st_genes *genes = &recipe->data.genes;
    const st_proteins *proteins = &recipe->data.proteins;
    const bool good = f && f->genes.n + f->proteins.n > 0 && (f->genes.n > 0) == genes->on &&
                      (f->proteins.n > 0) == proteins->on && (!genes->on || !genes->scale || f->genes.mean) &&
                      (!proteins->on || !proteins->scale || f->proteins.mean) &&
                      (!proteins->on || proteins->clr != ST_CLR_FEATURE || f->proteins.centre);
    if (good) return STRAIT_OK;
    return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos,
                      "genes and proteins are prepared as a training found them, but the model has no such list");
}

strait_status st_cells_prepare(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err) {
    st_source *source = NULL, *base = data->source;
    if (!st_cells_wanted(recipe) || st_cells_base(base)) return st_data_slice(out, data, 0, data->n, err);
    ST_TRY(check_features(recipe, err));
    if (base->n_dims != 1 || base->type != ST_F32)
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.pos, "%s: the samples of %s are no rows of counts",
                          recipe->data.genes.on ? "genes" : "proteins", data->name);
    ST_TRY(st_source_new(&source, &reader_prepared, base->path, err));
    const strait_status status = fill(source, base, recipe, err);
    if (status == STRAIT_OK) return st_data_view(out, source, data, err);
    st_source_release(source);
    return status;
}
