#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "groups.h"
#include "output.h"

#define FAR 0.5F /* values so far beyond 0..1 are no rounding of a model's: they are on another scale */

const char *const cli_picture_endings[] = {".png", ".svg", NULL};

cli_exit cli_theme(strait_theme *out, const cli_args *args) {
    const char *name = cli_text(args, "theme");
    *out = STRAIT_THEME_LIGHT;
    if (!name || strcmp(name, "light") == 0) return CLI_OK;
    if (strcmp(name, "dark") != 0) return cli_usage("--theme is light or dark, not '%s'", name);
    *out = STRAIT_THEME_DARK;
    return CLI_OK;
}

cli_exit cli_axes(int *axis, int *n, int least, int most, const cli_args *args) {
    const char *text = cli_text(args, "axes"), *at = text;
    *n = 0;
    while (at) {
        char *end;
        const long value = strtol(at, &end, 10);
        bool good = *at >= '0' && *at <= '9' && value <= 1000000000 && (*end == 0 || *end == ',') && *n < most;
        for (int i = 0; good && i < *n; i++)
            good = axis[i] != value;
        if (good) axis[(*n)++] = (int)value;
        if (!good || (*end == 0 && *n < least)) {
            if (least == most) return cli_usage("--axes takes %d different numbers, as 0,1, not '%s'", most, text);
            return cli_usage("--axes takes %d or %d different numbers, as 0,1, not '%s'", least, most, text);
        }
        at = *end ? end + 1 : NULL;
    }
    return CLI_OK;
}

strait_status cli_axes_check(const int *axis, int n, int64_t d, strait_error *err) {
    for (int i = 0; i < n; i++)
        if (axis[i] >= d)
            return cli_refuse(err, STRAIT_ARGUMENT, "there is no axis %d: a sample has %lld value%s, counted from 0",
                              axis[i], (long long)d, d == 1 ? "" : "s");
    return STRAIT_OK;
}

/* A copy as a sheet takes it: images [n, h, w, 1 or 3], else [n, features]. */
static strait_status to_show(strait_array **out, const strait_array *x, strait_error *err) {
    const int64_t n = x->dim[0], count = strait_array_count(x);
    const bool images = x->n_dims == 4 && (x->dim[3] == 1 || x->dim[3] == 3);
    const strait_status status = images ? strait_array_new(out, 4, x->dim, err)
                                        : strait_array_new(out, 2, (int64_t[]){n, n > 0 ? count / n : 0}, err);
    if (status != STRAIT_OK) return status;
    memcpy((*out)->values, x->values, (size_t)count * sizeof(float));
    strait_data_info range = {.storage = "f32", .minimum = 0, .maximum = 1};
    for (int64_t i = 0; i < count; i++) {
        if ((double)x->values[i] < range.minimum) range.minimum = (double)x->values[i];
        if ((double)x->values[i] > range.maximum) range.maximum = (double)x->values[i];
    }
    if (images && (range.minimum < -(double)FAR || range.maximum > 1 + (double)FAR)) cli_to_unit(*out, &range);
    return STRAIT_OK;
}

strait_status cli_draw_samples(const char *path, const strait_array *x, int columns, const char *const *captions,
                               strait_theme theme, strait_error *err) {
    strait_array *shown = NULL;
    strait_status status = to_show(&shown, x, err);
    if (status != STRAIT_OK) return status;
    /* Without captions all is one row, which the sheet breaks into lines. */
    const int n_rows = captions ? (int)(shown->dim[0] / columns) : 1;
    strait_array *row = calloc((size_t)n_rows, sizeof *row);
    const strait_array **pointer = calloc((size_t)n_rows, sizeof *pointer);
    if (!row || !pointer) status = cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    for (int i = 0; status == STRAIT_OK && i < n_rows; i++) {
        row[i] = captions ? cli_slice(shown, (int64_t)i * columns, columns) : *shown;
        pointer[i] = &row[i];
    }
    const strait_sheet sheet = {n_rows, pointer, captions, columns, theme, true};
    if (status == STRAIT_OK) status = strait_picture_draw_sheet(path, &sheet, err);
    free(pointer);
    free(row);
    strait_array_free(shown);
    return status;
}
