/* Principal components in files: safetensors, with what is no tensor in the metadata. Samples are taken less "mean",
   scores are their products with the rows of "component". */
#include <strait/explore_pca.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "model/safetensors.h"

#define FORMAT_NAME "strait-pca"
#define VERSION "1" /* of the layout of the file; changes only when older programs could not read it */

STRAIT_API strait_status strait_pca_save(const strait_pca *pca, const char *path, strait_error *err) {
    if (!pca || !path) return st_fail(err, STRAIT_ARGUMENT, "strait_pca_save: pca and path must not be NULL");
    const int64_t d = pca->n_features, k = pca->n_components;
    float *single = st_alloc((size_t)(d + k), sizeof *single);
    if (!single) return st_fail_memory(err, (size_t)(d + k) * sizeof *single, "a mean and variances");
    for (int64_t j = 0; j < d; j++)
        single[j] = (float)pca->mean[j];
    for (int64_t c = 0; c < k; c++)
        single[d + c] = (float)pca->variance[c];
    char total[32], samples[32];
    st_print_double(total, pca->total_variance);
    st_print_double(samples, (double)pca->n_samples);
    const st_named_tensor tensor[] = {
        {.name = "mean", .n_dims = 1, .dim = {d}, .values = single},
        {.name = "component", .n_dims = 2, .dim = {k, d}, .values = pca->component},
        {.name = "variance", .n_dims = 1, .dim = {k}, .values = single + d},
    };
    const st_metadata metadata[] = {
        {"format", FORMAT_NAME},
        {"strait.version", VERSION},
        {"samples", samples},
        {"total_variance", total},
        {"exact", pca->exact ? "true" : "false"},
    };
    const strait_status status = st_safetensors_write(path, sizeof tensor / sizeof *tensor, tensor,
                                                      sizeof metadata / sizeof *metadata, metadata, err);
    st_free(single);
    return status;
}

static bool all_finite(const st_named_tensor *tensor, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(tensor->values[i])) return false;
    return true;
}

/* Looks at all that is taken from the file: tensors of the same sizes, finite, numbers that make sense. */
static strait_status check(const st_safetensors *file, double *total, double *samples, const char *path,
                           strait_error *err) {
    const char *format = st_safetensors_metadata(file, "format"),
               *version = st_safetensors_metadata(file, "strait.version"),
               *total_text = st_safetensors_metadata(file, "total_variance"),
               *samples_text = st_safetensors_metadata(file, "samples");
    if (!format || strcmp(format, FORMAT_NAME) != 0)
        return st_fail(err, STRAIT_FORMAT, "%s: holds no principal components (strait pca --save writes them)", path);
    if (!version || strcmp(version, VERSION) != 0)
        return st_fail(err, STRAIT_FORMAT, "%s: is of layout %s, this program reads layout " VERSION, path,
                       version ? version : "unknown");
    const st_named_tensor *mean = st_safetensors_find(file, "mean"), *variance = st_safetensors_find(file, "variance"),
                          *component = st_safetensors_find(file, "component");
    if (!mean || !variance || !component)
        return st_fail(err, STRAIT_FORMAT, "%s: the tensor '%s' is missing", path,
                       !mean       ? "mean"
                       : !variance ? "variance"
                                   : "component");
    const int64_t d = mean->dim[0], k = variance->dim[0];
    if (mean->n_dims != 1 || variance->n_dims != 1 || component->n_dims != 2 || component->dim[0] != k ||
        component->dim[1] != d || d < 1 || d > INT_MAX || k < 1 || k > d)
        return st_fail(err, STRAIT_FORMAT, "%s: the shapes of mean, variance and component do not fit", path);
    if (!all_finite(mean, d) || !all_finite(variance, k) || !all_finite(component, k * d))
        return st_fail(err, STRAIT_FORMAT, "%s: holds values that are not finite", path);
    if (!total_text || !st_parse_double(total, total_text) || !(*total > 0) || !samples_text ||
        !st_parse_double(samples, samples_text) || !(*samples >= 2 && *samples < 9e15))
        return st_fail(err, STRAIT_FORMAT, "%s: its total_variance or samples make no sense", path);
    return STRAIT_OK;
}

STRAIT_API strait_status strait_pca_load(strait_pca **out, const char *path, strait_error *err) {
    *out = NULL;
    if (!path) return st_fail(err, STRAIT_ARGUMENT, "strait_pca_load: path is NULL");
    st_safetensors *file = NULL;
    ST_TRY(st_safetensors_read(&file, path, err));
    double total = 0, samples = 0;
    strait_pca *pca = NULL;
    strait_status status = check(file, &total, &samples, path, err);
    if (status != STRAIT_OK) goto done;
    const st_named_tensor *mean = st_safetensors_find(file, "mean"), *variance = st_safetensors_find(file, "variance"),
                          *component = st_safetensors_find(file, "component");
    const int64_t d = mean->dim[0], k = variance->dim[0];
    const char *exact = st_safetensors_metadata(file, "exact");
    pca = st_alloc(1, sizeof *pca);
    if (pca) {
        pca->mean = st_alloc((size_t)d, sizeof *pca->mean);
        pca->variance = st_alloc((size_t)k, sizeof *pca->variance);
        pca->component = st_alloc((size_t)(k * d), sizeof *pca->component);
    }
    if (!pca || !pca->mean || !pca->variance || !pca->component) {
        status = st_fail_memory(err, (size_t)(k * d) * sizeof *pca->component, "principal components");
        goto done;
    }
    pca->n_samples = (int64_t)samples;
    pca->n_features = d;
    pca->n_components = (int)k;
    pca->total_variance = total;
    pca->exact = exact && strcmp(exact, "true") == 0;
    for (int64_t j = 0; j < d; j++)
        pca->mean[j] = (double)mean->values[j];
    for (int64_t c = 0; c < k; c++)
        pca->variance[c] = (double)variance->values[c];
    memcpy(pca->component, component->values, (size_t)(k * d) * sizeof *pca->component);
done:
    st_safetensors_free(file);
    if (status == STRAIT_OK)
        *out = pca;
    else
        strait_pca_free(pca);
    return status;
}
