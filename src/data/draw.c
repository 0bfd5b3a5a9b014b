/* Which samples validate, drawn at random: of all, or of each label the same share. */
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "data/data_int.h"

static void shuffle(uint32_t *sample, int64_t n, const strait_recipe *recipe, uint32_t stream) {
    const uint64_t seed = recipe->data.split_seed > 0 ? (uint64_t)recipe->data.split_seed : recipe->seed;
    const st_rng rng = {.seed = seed, .purpose = ST_RNG_VALIDATION, .epoch = stream};
    st_rng_shuffle(&rng, sample, (uint32_t)n);
}

/* ---- stratified ---- */

/* A label's samples stand in `sample` from first on, drawn; n_validation of them validate. */
typedef struct stratum {
    int64_t label, first, n, n_validation;
    double rest; /* of its share, below 1 */
} stratum;

typedef struct labelled {
    int64_t label;
    uint32_t sample;
} labelled;

static int by_label(const void *a, const void *b) {
    const labelled *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static int by_rest(const void *a, const void *b) {
    const stratum *const *x = a, *const *y = b;
    if ((*x)->rest != (*y)->rest) return (*x)->rest > (*y)->rest ? -1 : 1;
    return ((*x)->label > (*y)->label) - ((*x)->label < (*y)->label);
}

/* The largest remainders (Hare's quota) get what the whole parts leave, so that the sum is n_validation. */
static void share_out(stratum *strata, stratum **order, int64_t n_strata, int64_t n, int64_t n_validation) {
    int64_t left = n_validation;
    for (int64_t k = 0; k < n_strata; k++) {
        const double share = (double)strata[k].n * (double)n_validation / (double)n;
        strata[k].n_validation = (int64_t)(share + 1e-9);
        strata[k].rest = share - (double)strata[k].n_validation;
        left -= strata[k].n_validation;
        order[k] = &strata[k];
    }
    qsort(order, (size_t)n_strata, sizeof *order, by_rest);
    for (int64_t k = 0; k < left; k++)
        order[k]->n_validation++;
}

/* Marks those that validate. */
static void mark_strata(bool *validates, const stratum *strata, int64_t n_strata, const labelled *all, uint32_t *sample,
                        const strait_recipe *recipe) {
    for (int64_t k = 0; k < n_strata; k++) {
        shuffle(sample, strata[k].n, recipe, 1 + (uint32_t)k);
        for (int64_t i = 0; i < strata[k].n_validation; i++)
            validates[all[strata[k].first + sample[i]].sample] = true;
    }
}

static strait_status stratify(bool *validates, uint32_t *sample, const strait_data *data, int64_t n_validation,
                              const strait_recipe *recipe, strait_error *err) {
    const size_t n = (size_t)data->n;
    if (!data->source->labels)
        return st_fail_at(err, STRAIT_RECIPE, recipe->data.validation_pos,
                          "split: stratified goes by labels, and %s has none; use shuffled", data->name);
    labelled *all = st_alloc(n, sizeof *all);
    stratum *strata = st_alloc(n, sizeof *strata), **order = st_alloc(n, sizeof *order);
    strait_status status = STRAIT_OK;
    if (!all || !strata || !order) {
        status = st_fail_memory(err, n * sizeof *strata, "labels");
        goto done;
    }
    int64_t n_strata = 0;
    for (int64_t i = 0; i < data->n; i++)
        all[i] = (labelled){strait_data_label(data, i), (uint32_t)i};
    qsort(all, n, sizeof *all, by_label);
    for (int64_t i = 0; i < data->n; i++) {
        if (i == 0 || all[i].label != all[i - 1].label)
            strata[n_strata++] = (stratum){.label = all[i].label, .first = i};
        strata[n_strata - 1].n++;
    }
    share_out(strata, order, n_strata, data->n, n_validation);
    mark_strata(validates, strata, n_strata, all, sample, recipe);
done:
    st_free(all);
    st_free(strata);
    st_free(order);
    return status;
}

/* ---- all of it ---- */

/* Training first, each part in the order of the data. */
static void part(uint32_t *order, const bool *validates, int64_t n) {
    int64_t at = 0;
    for (int wanted = 0; wanted < 2; wanted++)
        for (int64_t i = 0; i < n; i++)
            if (validates[i] == (wanted == 1)) order[at++] = (uint32_t)i;
}

strait_status st_data_draw_validation(uint32_t **out, const strait_data *data, int64_t n_validation,
                                      const strait_recipe *recipe, strait_error *err) {
    uint32_t *order = st_alloc((size_t)data->n, sizeof *order);
    bool *validates = st_alloc((size_t)data->n, sizeof *validates);
    strait_status status = STRAIT_OK;
    *out = NULL;
    if (!order || !validates) {
        status = st_fail_memory(err, (size_t)data->n * sizeof *order, "a list of samples");
    } else if (recipe->data.split == ST_SPLIT_STRATIFIED) {
        status = stratify(validates, order, data, n_validation, recipe, err);
    } else if (recipe->data.split == ST_SPLIT_SHUFFLED) {
        shuffle(order, data->n, recipe, 0);
        for (int64_t i = 0; i < n_validation; i++)
            validates[order[i]] = true;
    } else {
        memset(validates + (data->n - n_validation), true, (size_t)n_validation * sizeof *validates);
    }
    if (status == STRAIT_OK) {
        part(order, validates, data->n);
        *out = order;
    } else {
        st_free(order);
    }
    st_free(validates);
    return status;
}
