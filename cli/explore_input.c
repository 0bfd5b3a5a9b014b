#include "explore_input.h"

#include <math.h>
#include <string.h>
#include "groups.h"
#include "output.h"

static double unit_factor(const char *storage) {
    return strcmp(storage, "u8") == 0 ? 1.0 / 255 : strcmp(storage, "u16") == 0 ? 1.0 / 65535 : 1;
}

strait_status cli_samples_open(cli_samples *out, const char *operand, strait_error *err) {
    *out = (cli_samples){0};
    if (cli_ends_with(operand, ".npy")) {
        const strait_status read = strait_array_read(&out->x, operand, err);
        if (read == STRAIT_OK && out->x->n_dims == 1) out->x->dim[out->x->n_dims++] = 1; /* a value a sample */
        return read == STRAIT_OK ? cli_samples_check(out->x, operand, err) : read;
    }
    strait_status status = strait_data_open(&out->data, operand, err);
    if (status == STRAIT_OK) status = strait_data_describe(out->data, &out->info, err);
    if (status == STRAIT_OK) status = strait_data_rows(&out->x, out->data, 0, out->info.n_samples, err);
    if (status != STRAIT_OK) return status;
    const double factor = unit_factor(out->info.storage);
    const int64_t n = strait_array_count(out->x);
    for (int64_t i = 0; factor != 1 && i < n; i++)
        out->x->values[i] = (float)((double)out->x->values[i] * factor);
    return cli_samples_check(out->x, operand, err);
}

strait_status cli_samples_check(const strait_array *x, const char *name, strait_error *err) {
    const int64_t count = strait_array_count(x), each = x->dim[0] > 0 ? count / x->dim[0] : 0;
    if (count == 0) return cli_refuse(err, STRAIT_ARGUMENT, "%s: no samples, or no values in them", name);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(x->values[i]))
            return cli_refuse(err, STRAIT_ARGUMENT,
                              "%s: value %lld of sample %lld is %s; only finite values can be used", name,
                              (long long)(i % each), (long long)(i / each), isnan(x->values[i]) ? "NaN" : "infinite");
    return STRAIT_OK;
}

void cli_samples_close(cli_samples *samples) {
    strait_array_free(samples->x);
    strait_data_free(samples->data);
    *samples = (cli_samples){0};
}

int64_t cli_samples_features(const cli_samples *samples) {
    return samples->x->dim[0] > 0 ? strait_array_count(samples->x) / samples->x->dim[0] : 0;
}

bool cli_samples_are_images(const cli_samples *samples) {
    const strait_array *x = samples->x;
    return x->n_dims == 4 && (x->dim[3] == 1 || x->dim[3] == 3);
}
