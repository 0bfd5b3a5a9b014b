/* Views: slices, chosen samples. */
#include <string.h>
#include "base/memory.h"
#include "data/data_int.h"

/* A view of n samples of source, called as data is: those in index, whose ownership it takes whatever comes, or from
   first on. */
static strait_status view_source(strait_data **out, st_source *source, const strait_data *data, uint32_t *index,
                                 int64_t first, int64_t n, strait_error *err) {
    strait_data *view = NULL;
    const strait_status status = st_data_new(&view, st_source_share(source), data->name, err);
    if (status != STRAIT_OK) {
        st_free(index);
        return status;
    }
    view->index = index;
    view->first = first;
    view->n = n;
    *out = view;
    return STRAIT_OK;
}

static strait_status make_view(strait_data **out, const strait_data *data, uint32_t *index, int64_t first, int64_t n,
                               strait_error *err) {
    return view_source(out, data->source, data, index, first, n, err);
}

strait_status st_data_view(strait_data **out, st_source *source, const strait_data *like, strait_error *err) {
    uint32_t *index = NULL;
    strait_status status = STRAIT_OK;
    if (like->index) {
        index = st_alloc((size_t)like->n, sizeof *index);
        if (!index) status = st_fail_memory(err, (size_t)like->n * sizeof *index, "a list of samples");
    }
    if (index) memcpy(index, like->index, (size_t)like->n * sizeof *index);
    if (status == STRAIT_OK) status = view_source(out, source, like, index, like->first, like->n, err);
    st_source_release(source);
    return status;
}

strait_status st_data_slice(strait_data **out, strait_data *data, int64_t first, int64_t n, strait_error *err) {
    ST_TRY(st_data_check_range(data, first, n, err));
    if (n == 0) return st_fail(err, STRAIT_ARGUMENT, "%s: a slice has at least one sample", data->name);
    if (!data->index) return make_view(out, data, NULL, data->first + first, n, err);
    uint32_t *index = st_alloc((size_t)n, sizeof *index);
    if (!index) return st_fail_memory(err, (size_t)n * sizeof *index, "a list of samples");
    memcpy(index, data->index + first, (size_t)n * sizeof *index);
    return make_view(out, data, index, 0, n, err);
}

strait_status st_data_pick(strait_data **out, strait_data *data, const uint32_t *sample, int64_t n, strait_error *err) {
    uint32_t *index = st_alloc((size_t)n, sizeof *index);
    if (!index) return st_fail_memory(err, (size_t)n * sizeof *index, "a list of samples");
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)st_data_source_sample(data, sample[i]);
    return make_view(out, data, index, 0, n, err);
}

/* Every label named must be there: a label nobody has is a slip of the pen. */
static strait_status check_labels(const strait_data *data, const char *key, const int64_t *labels, int n_labels,
                                  st_pos pos, strait_error *err) {
    if (n_labels > 0 && !data->source->labels)
        return st_fail_at(err, STRAIT_RECIPE, pos, "%s: %s has no labels to choose by", key, data->name);
    for (int k = 0; k < n_labels; k++) {
        int64_t i = 0;
        while (i < data->n && strait_data_label(data, i) != labels[k])
            i++;
        if (i == data->n)
            return st_fail_at(err, STRAIT_RECIPE, pos, "%s: no sample of %s has the label %lld", key, data->name,
                              (long long)labels[k]);
    }
    return STRAIT_OK;
}

static bool is_listed(const int64_t *labels, int n_labels, int64_t label) {
    for (int k = 0; k < n_labels; k++)
        if (labels[k] == label) return true;
    return false;
}

static bool is_wanted(const strait_recipe *recipe, int64_t label) {
    return (recipe->data.n_only == 0 || is_listed(recipe->data.only, recipe->data.n_only, label)) &&
           !is_listed(recipe->data.except, recipe->data.n_except, label);
}

strait_status st_data_select(strait_data **out, strait_data *data, const strait_recipe *recipe, strait_error *err) {
    const int64_t limit = recipe->data.limit > 0 && recipe->data.limit < data->n ? recipe->data.limit : data->n;
    if (recipe->data.n_only == 0 && recipe->data.n_except == 0) return st_data_slice(out, data, 0, limit, err);
    ST_TRY(check_labels(data, "only", recipe->data.only, recipe->data.n_only, recipe->data.only_pos, err));
    ST_TRY(check_labels(data, "except", recipe->data.except, recipe->data.n_except, recipe->data.except_pos, err));
    uint32_t *index = st_alloc((size_t)limit, sizeof *index);
    if (!index) return st_fail_memory(err, (size_t)limit * sizeof *index, "a list of samples");
    int64_t n = 0;
    for (int64_t i = 0; i < data->n && n < limit; i++)
        if (is_wanted(recipe, strait_data_label(data, i))) index[n++] = (uint32_t)st_data_source_sample(data, i);
    if (n > 0) return make_view(out, data, index, 0, n, err);
    st_free(index);
    return st_fail_at(err, STRAIT_RECIPE, recipe->data.except_pos, "except: leaves no sample of %s", data->name);
}
