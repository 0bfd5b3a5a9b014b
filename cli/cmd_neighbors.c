/* strait neighbors: the samples nearest to one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "format.h"
#include "groups.h"
#include "json.h"
#include "output.h"
#include "picture.h"
#include "points.h"
#include "table.h"

#define SHEET_COLUMNS 10
#define USUAL 20 /* neighbours, where there are so many */

static const cli_option options[] = {
    {"of", 0, CLI_TEXT, false, "I", "the sample: its index, counted from 0, or its name (default: 0)"},
    {"neighbors", 'n', CLI_COUNT, false, "N", "how many to find (default: 20, or all there are)"},
    {"metric", 0, CLI_TEXT, false, "METRIC", "euclidean or cosine (default: euclidean)"},
    {"output", 'o', CLI_TEXT, false, "FILE", "write index and distance: .csv, with names, or .npy"},
    {"picture", 0, CLI_TEXT, false, "FILE", "draw the sample and its neighbours, nearest first"},
    CLI_OPTION_THEME,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait neighbors fashion-basic-001 fashion-mnist#test --of 17 --picture near.png",
     "the test images whose latents are nearest to those of one"},
    {0},
};

/* The query is the sample's own row; it comes back as its own neighbour and is left out. */
static strait_status find(strait_neighbors **out, const strait_array *x, int64_t of, int k,
                          const strait_neighbors_options *o, strait_error *err) {
    if (x->dim[0] < 2) return cli_refuse(err, STRAIT_ARGUMENT, "there is one sample alone: it has no neighbours");
    if (k >= x->dim[0])
        return cli_refuse(err, STRAIT_ARGUMENT, "%d neighbours of %lld samples: there are at most %lld", k,
                          (long long)x->dim[0], (long long)x->dim[0] - 1);
    const strait_array query = cli_slice(x, of, 1);
    const strait_status status = strait_neighbors_query(out, x, &query, k + 1, o, err);
    if (status != STRAIT_OK) return status;
    strait_neighbors *found = *out;
    int self = k; /* not there when more than k samples before it are equal to it */
    for (int i = 0; i <= k; i++)
        if (found->index[i] == of) self = i;
    memmove(found->index + self, found->index + self + 1, (size_t)(k - self) * sizeof *found->index);
    memmove(found->distance + self, found->distance + self + 1, (size_t)(k - self) * sizeof *found->distance);
    found->k = k;
    return STRAIT_OK;
}

/* With index, name and label where there are such. */
static strait_status write_csv(const char *path, const strait_neighbors *found, strait_data *data, strait_error *err) {
    int64_t *sample = calloc((size_t)found->k, sizeof *sample);
    double *distance = calloc((size_t)found->k, sizeof *distance);
    strait_status status =
        sample && distance ? STRAIT_OK : cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    for (int i = 0; i < found->k && status == STRAIT_OK; i++) {
        sample[i] = found->index[i];
        distance[i] = (double)found->distance[i];
    }
    if (status == STRAIT_OK)
        status = strait_samples_write(path, data, sample, found->k, 1, &(strait_column){"distance", distance}, err);
    free(distance);
    free(sample);
    return status;
}

static strait_status write_table(const char *path, const strait_neighbors *found, strait_data *data,
                                 strait_error *err) {
    strait_array *table = NULL;
    if (!cli_ends_with(path, ".npy")) return write_csv(path, found, data, err);
    const strait_status status = strait_array_new(&table, 2, (int64_t[]){found->k, 2}, err);
    if (status != STRAIT_OK) return status;
    for (int i = 0; i < found->k; i++) {
        table->values[2 * i] = (float)found->index[i];
        table->values[2 * i + 1] = found->distance[i];
    }
    const strait_status written = strait_array_write(table, path, err);
    strait_array_free(table);
    return written;
}

static strait_status draw(const char *path, const cli_samples *samples, int64_t of, const strait_neighbors *found,
                          strait_theme theme, strait_error *err) {
    const size_t each = (size_t)cli_samples_features(samples);
    int64_t dim[STRAIT_MAX_DIMS];
    strait_array *sheet = NULL;
    memcpy(dim, samples->x->dim, sizeof dim);
    dim[0] = found->k + 1;
    strait_status status = strait_array_new(&sheet, samples->x->n_dims, dim, err);
    if (status != STRAIT_OK) return status;
    for (int i = 0; i <= found->k; i++) {
        const int64_t from = i == 0 ? of : found->index[i - 1];
        memcpy(sheet->values + (size_t)i * each, samples->x->values + (size_t)from * each, each * sizeof(float));
    }
    const int n = found->k + 1, n_rows = (n + SHEET_COLUMNS - 1) / SHEET_COLUMNS; /* rows as full as can be */
    status = cli_draw_samples(path, sheet, (n + n_rows - 1) / n_rows, NULL, theme, err);
    strait_array_free(sheet);
    return status;
}

/* NULL: it has none. */
static const char *name_of(const strait_data *data, int64_t i) {
    return data ? strait_data_sample_name(data, i) : NULL;
}

static cli_exit print_json(const cli_args *args, const strait_neighbors *found, int64_t of, const strait_data *data) {
    json_t *rows = json_array();
    for (int i = 0; rows && i < found->k; i++) {
        json_t *row =
            json_pack("{s:i, s:o}", "index", found->index[i], "distance", cli_json_real((double)found->distance[i]));
        const char *name = name_of(data, found->index[i]);
        if (row && name) json_object_set_new(row, "name", cli_json_text(name));
        json_array_append_new(rows, row);
    }
    json_t *object = json_pack("{s:I, s:o}", "of", (json_int_t)of, "neighbors", rows);
    cli_json_add_files(object, args, (const char *const[]){"output", "picture", NULL});
    return cli_json_print(object);
}

static cli_exit print_text(const strait_neighbors *found, const strait_data *data) {
    printf("%10s  distance%s\n", "sample", name_of(data, 0) ? "     name" : "");
    for (int i = 0; i < found->k; i++) {
        const char *name = name_of(data, found->index[i]);
        if (name)
            printf("%10d  %-11.6g  %s\n", found->index[i], (double)found->distance[i], name);
        else
            printf("%10d  %.6g\n", found->index[i], (double)found->distance[i]);
    }
    return CLI_OK;
}

static cli_exit run(const cli_args *args) {
    static const char *const tables[] = {".npy", ".csv", NULL};
    const char *output = cli_text(args, "output"), *picture = cli_text(args, "picture");
    strait_neighbors_options o = {.threads = cli_int(args, "threads", 0)};
    strait_theme theme;
    cli_exit code = cli_metric(&o.metric, args);
    if (code == CLI_OK) code = cli_theme(&theme, args);
    if (code == CLI_OK && output) code = cli_output_check(output, tables);
    if (code == CLI_OK && picture) code = cli_output_check(picture, cli_picture_endings);
    if (code != CLI_OK) return code;
    const char *name = cli_text(args, "of");
    int64_t of = 0;
    cli_points points;
    strait_neighbors *found = NULL;
    strait_error err = {0};
    strait_status status = cli_points_open(&points, args->operand, args->n_operands, o.threads, false, &err);
    const int64_t n = status == STRAIT_OK ? points.x->dim[0] : 0;
    const int usual = n > 1 && n <= USUAL ? (int)n - 1 : USUAL;
    if (status == STRAIT_OK) status = cli_sample_find(&of, n, points.samples.data, "of", name ? name : "0", &err);
    if (status == STRAIT_OK) status = find(&found, points.x, of, cli_int(args, "neighbors", usual), &o, &err);
    if (status == STRAIT_OK && output) status = write_table(output, found, points.samples.data, &err);
    if (status == STRAIT_OK && picture) status = draw(picture, &points.samples, of, found, theme, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_has(args, "json") ? print_json(args, found, of, points.samples.data)
                                     : print_text(found, points.samples.data);
    strait_neighbors_free(found);
    cli_points_close(&points);
    return code;
}

const cli_command cli_neighbors = {
    .name = "neighbors",
    .summary = "find the samples nearest to one",
    .synopsis = {"neighbors MODEL DATA --of I [OPTIONS]", "neighbors DATA|Z --of I [OPTIONS]"},
    .details = CLI_POINTS_HELP "\nEqual distances go by index. The picture shows the sample first.",
    .operand = {"DATA|Z", "DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
