#include "groups.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

strait_status cli_refuse(strait_error *err, strait_status code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(err->message, sizeof err->message, format, values);
    va_end(values);
    return err->code = code;
}

strait_status cli_named_open(cli_named *out, const cli_points *points, const cli_args *args, strait_error *err) {
    const char *name = cli_text(args, "data");
    strait_status status = STRAIT_OK;
    *out = (cli_named){.data = points->data ? points->data : points->samples.data};
    if (name) {
        status = strait_data_open(&out->opened, name, err);
        out->data = out->opened;
    }
    if (status == STRAIT_OK && out->data) status = strait_data_describe(out->data, &out->info, err);
    if (status == STRAIT_OK && out->data && out->info.n_samples != points->x->dim[0])
        return cli_refuse(err, STRAIT_ARGUMENT, "--data %s has %" PRId64 " samples, but there are %" PRId64 " points",
                          name, out->info.n_samples, points->x->dim[0]);
    return status;
}

void cli_named_close(cli_named *named) {
    strait_data_free(named->opened);
    *named = (cli_named){0};
}

cli_word cli_label_text(const strait_data_info *info, int l) {
    cli_word word;
    if (info->label_name && info->label_name[l])
        snprintf(word.text, sizeof word.text, "%s", info->label_name[l]);
    else
        snprintf(word.text, sizeof word.text, "%" PRId64, info->label_value[l]);
    return word;
}

int cli_label_at(const strait_data_info *info, int64_t label) {
    for (int l = 0; l < info->n_labels; l++)
        if (info->label_value[l] == label) return l;
    return -1;
}

strait_status cli_centres_decode(strait_array **out, const cli_points *points, const strait_array *centres,
                                 strait_error *err) {
    if (points->model) return strait_model_decode(out, points->model, centres, NULL, err);
    int64_t dim[STRAIT_MAX_DIMS];
    memcpy(dim, points->x->dim, sizeof dim);
    dim[0] = centres->dim[0];
    const strait_status status = strait_array_new(out, points->x->n_dims, dim, err);
    if (status == STRAIT_OK)
        memcpy((*out)->values, centres->values, (size_t)strait_array_count(centres) * sizeof(float));
    return status;
}
