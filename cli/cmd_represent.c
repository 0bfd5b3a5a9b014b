/* strait represent: the samples that stand for all, for each label or for each cluster. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "colours.h"
#include "groups.h"
#include "json.h"
#include "output.h"
#include "picture.h"
#include "table.h"

#define NEAREST 10 /* samples shown, where not said */
#define COLUMNS 10 /* of them in a row of the sheet */
#define SHOWN 100  /* lines of text */

static const cli_option options[] = {
    {"centre", 0, CLI_TEXT, false, "KIND", "mean, median (of each value) or geometric (default: mean)"},
    {"metric", 0, CLI_TEXT, false, "METRIC", "euclidean or cosine: of the ranks (default: euclidean)"},
    {"by", 0, CLI_TEXT, false, "GROUPS", "label or cluster: a centre for each (default: one for all)"},
    {"k", 'k', CLI_COUNT, false, "K", "clusters, by k-means (default: as many as the data has labels)"},
    {"clusters", 0, CLI_TEXT, false, "FILE", "clusters that strait cluster -o wrote: .csv or .npy"},
    {"seed", 0, CLI_SEED, false, "N", "of k-means (default: 0)"},
    {"n", 'n', CLI_COUNT, false, "N", "nearest samples to show (default: 10)"},
    CLI_OPTION_NAMED,
    {"output", 'o', CLI_TEXT, false, "FILE",
     "write all ranks: .csv, with names, or .npy (group, rank, sample, distance)"},
    {"picture", 0, CLI_TEXT, false, "FILE", "draw each centre, decoded, and the samples nearest to it"},
    {"centres", 0, CLI_TEXT, false, "FILE", "write the centres: .npy or .csv"},
    {"decoded", 0, CLI_TEXT, false, "FILE", "write the centres as MODEL decodes them: .npy, .csv, .png or .svg"},
    CLI_OPTION_THEME,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    {0},
};

/* The samples of a label or a cluster, ranked. Arrays borrow from those of work. */
typedef struct group {
    int64_t value; /* label or cluster */
    cli_word name;
    int64_t n;
    int64_t *order;   /* [n]: samples, nearest first */
    double *distance; /* [n] */
} group;

typedef struct work {
    cli_points points;
    cli_named named;
    strait_centre_kind kind;
    strait_metric metric;
    strait_theme theme;
    bool by_label, by_cluster;
    int n_groups, top;
    group *groups;
    int64_t *of;      /* [n]: group of each sample, -1: none */
    int64_t *order;   /* [n] */
    double *distance; /* [n] */
    strait_array *centres;
} work;

static strait_status no_memory(strait_error *err) {
    return cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
}

/* ---- groups ---- */

static strait_status name_groups(work *w, int n, strait_error *err) {
    w->n_groups = n;
    w->groups = calloc((size_t)n, sizeof *w->groups);
    if (!w->groups) return no_memory(err);
    for (int g = 0; g < n; g++) {
        w->groups[g].value = w->by_label ? w->named.info.label_value[g] : g;
        if (w->by_label)
            w->groups[g].name = cli_label_text(&w->named.info, g);
        else
            snprintf(w->groups[g].name.text, sizeof w->groups[g].name.text, w->by_cluster ? "%d" : "all", g);
    }
    return STRAIT_OK;
}

static strait_status group_by_label(work *w, strait_error *err) {
    if (!w->named.info.has_labels)
        return cli_refuse(err, STRAIT_ARGUMENT, "--by label: the samples have no labels; --data DATA names those of Z");
    for (int64_t i = 0; i < w->points.x->dim[0]; i++)
        w->of[i] = cli_label_at(&w->named.info, strait_data_label(w->named.data, i));
    return name_groups(w, w->named.info.n_labels, err);
}

/* value [n]: the last one of each row of a file. */
static strait_status read_last_values(double *value, const char *path, int64_t n, strait_error *err) {
    cli_samples file;
    strait_status status = cli_samples_open(&file, path, err);
    if (status == STRAIT_OK && file.x->dim[0] != n)
        status = cli_refuse(err, STRAIT_ARGUMENT, "%s: %" PRId64 " rows, but there are %" PRId64 " samples", path,
                            file.x->dim[0], n);
    const int64_t each = status == STRAIT_OK ? cli_samples_features(&file) : 0;
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++)
        value[i] = (double)file.x->values[i * each + each - 1];
    cli_samples_close(&file);
    return status;
}

/* Of a table its column cluster; else, and of other files, the last value of each row. */
static strait_status read_clusters(work *w, const char *path, strait_error *err) {
    const int64_t n = w->points.x->dim[0];
    double *value = w->distance; /* not in use yet */
    bool found = false;
    int64_t greatest = 0;
    strait_status status =
        cli_ends_with(path, ".csv") ? cli_column_read(value, &found, path, "cluster", n, err) : STRAIT_OK;
    if (status == STRAIT_OK && !found) status = read_last_values(value, path, n, err);
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++) {
        if (value[i] >= 0 && value[i] < (double)n && value[i] == floor(value[i]))
            w->of[i] = (int64_t)value[i];
        else
            status =
                cli_refuse(err, STRAIT_ARGUMENT,
                           "%s: row %" PRId64 " ends in %g, which is no cluster: a whole number from 0 to %" PRId64,
                           path, i, value[i], n - 1);
        if (w->of[i] > greatest) greatest = w->of[i];
    }
    return status == STRAIT_OK ? name_groups(w, (int)greatest + 1, err) : status;
}

static strait_status find_clusters(work *w, const cli_args *args, strait_error *err) {
    const strait_cluster_options o = {.k = cli_int(args, "k", w->named.info.n_labels),
                                      .metric = w->metric,
                                      .seed = cli_seed(args, "seed", 0),
                                      .threads = cli_int(args, "threads", 0)};
    strait_clusters *found = NULL;
    if (o.k == 0)
        return cli_refuse(
            err, STRAIT_ARGUMENT,
            "--by cluster: without labels the number of clusters must be given: -k K, or --clusters FILE");
    strait_status status = strait_kmeans(&found, w->points.x, &o, err);
    for (int64_t i = 0; status == STRAIT_OK && i < found->n; i++)
        w->of[i] = found->cluster[i];
    if (status == STRAIT_OK) status = name_groups(w, found->k, err);
    strait_clusters_free(found);
    return status;
}

static strait_status make_groups(work *w, const cli_args *args, strait_error *err) {
    const size_t n = (size_t)w->points.x->dim[0];
    w->of = calloc(n, sizeof *w->of);
    w->order = calloc(n, sizeof *w->order);
    w->distance = calloc(n, sizeof *w->distance);
    if (!w->of || !w->order || !w->distance) return no_memory(err);
    if (w->by_label) return group_by_label(w, err);
    if (cli_text(args, "clusters")) return read_clusters(w, cli_text(args, "clusters"), err);
    return w->by_cluster ? find_clusters(w, args, err) : name_groups(w, 1, err);
}

/* Groups that no sample is in fall away; no more are shown than the largest has. */
static void drop_empty(work *w) {
    int kept = 0;
    int64_t most = 1;
    for (int g = 0; g < w->n_groups; g++)
        if (w->groups[g].n > 0) w->groups[kept++] = w->groups[g];
    w->n_groups = kept;
    for (int g = 0; g < kept; g++)
        most = w->groups[g].n > most ? w->groups[g].n : most;
    if (w->top > most) w->top = (int)most;
}

/* Fills in the groups' samples, of which group g's begin where those of g - 1 end. */
static void gather(work *w) {
    int64_t at = 0;
    const int64_t n = w->points.x->dim[0];
    for (int64_t i = 0; i < n; i++)
        if (w->of[i] >= 0) w->groups[w->of[i]].n++;
    for (int g = 0; g < w->n_groups; g++) {
        w->groups[g].order = w->order + at;
        w->groups[g].distance = w->distance + at;
        at += w->groups[g].n;
        w->groups[g].n = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        if (w->of[i] < 0) continue;
        group *g = &w->groups[w->of[i]];
        g->order[g->n++] = i;
    }
    drop_empty(w);
}

/* Centres and ranks. row, centre: scratch, [n] and [features]. */
static strait_status rank_groups(work *w, int64_t *row, double *centre, strait_error *err) {
    const int64_t d = w->centres->dim[1];
    for (int i = 0; i < w->n_groups; i++) {
        group *g = &w->groups[i];
        memcpy(row, g->order, (size_t)g->n * sizeof *row);
        strait_status status = strait_centre(centre, w->points.x, row, g->n, w->kind, err);
        if (status == STRAIT_OK)
            status = strait_rank(g->order, g->distance, w->points.x, row, g->n, centre, w->metric, err);
        if (status != STRAIT_OK) return status;
        for (int64_t j = 0; j < d; j++)
            w->centres->values[i * d + j] = (float)centre[j];
    }
    return STRAIT_OK;
}

static strait_status represent(work *w, strait_error *err) {
    const int64_t n = w->points.x->dim[0], d = strait_array_count(w->points.x) / n;
    gather(w);
    strait_status status = strait_array_new(&w->centres, 2, (int64_t[]){w->n_groups, d}, err);
    int64_t *row = calloc((size_t)n, sizeof *row);
    double *centre = calloc((size_t)d, sizeof *centre);
    if (status == STRAIT_OK) status = row && centre ? rank_groups(w, row, centre, err) : no_memory(err);
    free(centre);
    free(row);
    return status;
}

/* ---- files ---- */

static int64_t count_ranked(const work *w) {
    int64_t n = 0;
    for (int g = 0; g < w->n_groups; g++)
        n += w->groups[g].n;
    return n;
}

static strait_status write_ranks(const char *path, const work *w, strait_error *err) {
    const int64_t n = count_ranked(w);
    double *value = calloc((size_t)n, 2 * sizeof *value);
    strait_array *table = NULL;
    strait_status status = strait_array_new(&table, 2, (int64_t[]){n, 4}, err);
    if (status == STRAIT_OK && !value) status = no_memory(err);
    int64_t at = 0;
    for (int g = 0; g < w->n_groups && status == STRAIT_OK; g++)
        for (int64_t i = 0; i < w->groups[g].n; i++, at++) {
            value[at] = (double)w->groups[g].value;
            value[n + at] = (double)(i + 1);
            float *row = table->values + 4 * at;
            row[0] = (float)value[at];
            row[1] = (float)value[n + at];
            row[2] = (float)w->order[at];
            row[3] = (float)w->distance[at];
        }
    if (status == STRAIT_OK && cli_ends_with(path, ".npy")) {
        status = strait_array_write(table, path, err);
    } else if (status == STRAIT_OK) {
        const strait_column column[] = {
            {w->by_label ? "of_label" : "cluster", value}, {"rank", value + n}, {"distance", w->distance}};
        const int first = w->by_label || w->by_cluster ? 0 : 1;
        status = strait_samples_write(path, w->named.data, w->order, n, 3 - first, column + first, err);
    }
    strait_array_free(table);
    free(value);
    return status;
}

/* The samples as the model takes them, which is how it decodes; without a model as they are. */
static strait_status samples_to_show(strait_array **owned, const strait_array **all, const work *w, strait_error *err) {
    *owned = NULL;
    *all = w->points.samples.x;
    if (!w->points.model) return STRAIT_OK;
    const strait_status status = strait_model_input(owned, w->points.model, w->points.data, err);
    *all = *owned;
    return status;
}

/* Cells of a group's rows: the centre, then the nearest, so many a row; rows below have nothing under the centre. */
static void fill_rows(strait_array *sheet, int64_t first, const group *g, int top, int a_row, const float *centre,
                      const strait_array *all) {
    const int64_t size = strait_array_count(all) / all->dim[0];
    memcpy(sheet->values + first * (a_row + 1) * size, centre, (size_t)size * sizeof(float));
    for (int64_t i = 0; i < top && i < g->n; i++) {
        const int64_t cell = (first + i / a_row) * (a_row + 1) + 1 + i % a_row;
        memcpy(sheet->values + cell * size, all->values + g->order[i] * size, (size_t)size * sizeof(float));
    }
}

static strait_status draw_rows(const char *path, const work *w, const strait_array *decoded, const strait_array *all,
                               strait_error *err) {
    const int a_row = w->top < COLUMNS ? w->top : COLUMNS;
    const int each = (w->top + a_row - 1) / a_row, n_rows = each * w->n_groups;
    const int64_t size = strait_array_count(all) / all->dim[0];
    int64_t dim[STRAIT_MAX_DIMS];
    memcpy(dim, all->dim, sizeof dim);
    dim[0] = (int64_t)n_rows * (a_row + 1);
    strait_array *sheet = NULL;
    strait_array *row = calloc((size_t)n_rows, sizeof *row);
    const strait_array **pointer = calloc((size_t)n_rows, sizeof *pointer);
    const char **caption = calloc((size_t)n_rows, sizeof *caption);
    strait_status status = row && pointer && caption ? STRAIT_OK : no_memory(err);
    if (status == STRAIT_OK) status = strait_array_new(&sheet, all->n_dims, dim, err);
    if (status == STRAIT_OK) {
        const int64_t values = all->n_dims == 2 ? strait_array_count(sheet) : 0;
        for (int64_t i = 0; i < values; i++)
            sheet->values[i] = NAN; /* no curve where no sample is; images are black there */
        for (int g = 0; g < w->n_groups; g++) {
            fill_rows(sheet, (int64_t)g * each, &w->groups[g], w->top, a_row, decoded->values + g * size, all);
            caption[g * each] = w->n_groups > 1 ? w->groups[g].name.text : NULL;
        }
        for (int r = 0; r < n_rows; r++) {
            row[r] = cli_slice(sheet, (int64_t)r * (a_row + 1), a_row + 1);
            pointer[r] = &row[r];
        }
        const strait_sheet drawn = {n_rows, pointer, caption, a_row + 1, w->theme, true};
        status = strait_picture_draw_sheet(path, &drawn, err);
    }
    strait_array_free(sheet);
    free(caption);
    free(pointer);
    free(row);
    return status;
}

static strait_status draw(const char *path, const work *w, const strait_array *decoded, strait_error *err) {
    strait_array *owned;
    const strait_array *all;
    strait_status status = samples_to_show(&owned, &all, w, err);
    if (status == STRAIT_OK) status = draw_rows(path, w, decoded, all, err);
    strait_array_free(owned);
    return status;
}

static strait_status write_decoded(const char *path, const strait_array *decoded, strait_theme theme,
                                   strait_error *err) {
    const int columns = decoded->dim[0] < COLUMNS ? (int)decoded->dim[0] : COLUMNS;
    const bool drawn = cli_ends_with(path, ".png") || cli_ends_with(path, ".svg");
    return drawn ? cli_draw_samples(path, decoded, columns, NULL, theme, err) : strait_array_write(decoded, path, err);
}

static strait_status write_files(const cli_args *args, const work *w, strait_error *err) {
    const char *ranks = cli_text(args, "output"), *centres = cli_text(args, "centres"),
               *shown = cli_text(args, "decoded"), *picture = cli_text(args, "picture");
    strait_array *decoded = NULL;
    strait_status status = STRAIT_OK;
    if (ranks) status = write_ranks(ranks, w, err);
    if (status == STRAIT_OK && centres) status = strait_array_write(w->centres, centres, err);
    if (status == STRAIT_OK && (shown || picture)) status = cli_centres_decode(&decoded, &w->points, w->centres, err);
    if (status == STRAIT_OK && shown) status = write_decoded(shown, decoded, w->theme, err);
    if (status == STRAIT_OK && picture) status = draw(picture, w, decoded, err);
    strait_array_free(decoded);
    return status;
}

/* ---- telling ---- */

static json_t *nearest_json(const work *w, const group *g) {
    json_t *rows = json_array();
    for (int64_t i = 0; i < w->top && i < g->n; i++) {
        const char *name = w->named.data ? strait_data_sample_name(w->named.data, g->order[i]) : NULL;
        json_t *row =
            json_pack("{s:I, s:o}", "sample", (json_int_t)g->order[i], "distance", cli_json_real(g->distance[i]));
        if (row && name) json_object_set_new(row, "name", cli_json_text(name));
        json_array_append_new(rows, row);
    }
    return rows;
}

static cli_exit print_json(const work *w, const cli_args *args) {
    static const char *const kinds[] = {"mean", "median", "geometric"};
    json_t *groups = json_array();
    for (int i = 0; i < w->n_groups; i++) {
        const group *g = &w->groups[i];
        json_array_append_new(groups, json_pack("{s:o, s:I, s:o}", "group", cli_json_text(g->name.text), "samples",
                                                (json_int_t)g->n, "nearest", nearest_json(w, g)));
    }
    json_t *object =
        json_pack("{s:o, s:o, s:o}", "centre", cli_json_text(kinds[w->kind]), "metric",
                  cli_json_text(w->metric == STRAIT_METRIC_COSINE ? "cosine" : "euclidean"), "groups", groups);
    cli_json_add_files(object, args, (const char *const[]){"output", "centres", "decoded", "picture", NULL});
    return cli_json_print(object);
}

static cli_exit print_text(const work *w) {
    static const cli_column columns[] = {
        {"group", true, 0}, {"rank", true, 0}, {"sample", true, 0}, {"distance", true, 0}, {"name", false, 1}};
    cli_word cell[SHOWN * 5];
    int lines = 0;
    memset(cell, 0, sizeof cell);
    for (int i = 0; i < w->n_groups; i++)
        for (int64_t r = 0; r < w->top && r < w->groups[i].n && lines < SHOWN; r++, lines++) {
            const group *g = &w->groups[i];
            const char *name = w->named.data ? strait_data_sample_name(w->named.data, g->order[r]) : NULL;
            cli_word *at = cell + (size_t)lines * 5;
            at[0] = g->name;
            snprintf(at[1].text, sizeof at->text, "%" PRId64, r + 1);
            snprintf(at[2].text, sizeof at->text, "%" PRId64, g->order[r]);
            snprintf(at[3].text, sizeof at->text, "%.6g", g->distance[r]);
            snprintf(at[4].text, sizeof at->text, "%s", name ? name : "");
        }
    cli_table_print(5, columns, lines, cell, cli_table_width());
    if (lines == SHOWN) printf("...\n");
    return CLI_OK;
}

/* ---- the command ---- */

static cli_exit check_words(work *w, const cli_args *args) {
    const char *centre = cli_text(args, "centre"), *by = cli_text(args, "by");
    const cli_exit code = cli_metric(&w->metric, args);
    if (code != CLI_OK) return code;
    if (!centre || strcmp(centre, "mean") == 0)
        w->kind = STRAIT_CENTRE_MEAN;
    else if (strcmp(centre, "median") == 0)
        w->kind = STRAIT_CENTRE_MEDIAN;
    else if (strcmp(centre, "geometric") == 0)
        w->kind = STRAIT_CENTRE_GEOMETRIC;
    else
        return cli_usage("--centre %s: use mean, median or geometric", centre);
    w->by_label = by && strcmp(by, "label") == 0;
    w->by_cluster = by && strcmp(by, "cluster") == 0;
    if (by && !w->by_label && !w->by_cluster) return cli_usage("--by %s: use label or cluster", by);
    if (cli_has(args, "clusters") && cli_has(args, "k"))
        return cli_usage("-k is for k-means, not with --clusters FILE");
    for (int i = 0; i < 3; i++) {
        static const char *const of_clusters[] = {"k", "clusters", "seed"};
        if (!w->by_cluster && cli_has(args, of_clusters[i]))
            return cli_usage("--%s goes with --by cluster", of_clusters[i]);
    }
    return CLI_OK;
}

static cli_exit check_options(work *w, const cli_args *args) {
    static const char *const tables[] = {".csv", ".npy", NULL}, *const all[] = {".npy", ".csv", ".png", ".svg", NULL};
    w->top = cli_int(args, "n", NEAREST);
    cli_exit code = check_words(w, args);
    if (code == CLI_OK) code = cli_theme(&w->theme, args);
    if (code == CLI_OK && cli_text(args, "output")) code = cli_output_check(cli_text(args, "output"), tables);
    if (code == CLI_OK && cli_text(args, "centres")) code = cli_output_check(cli_text(args, "centres"), tables);
    if (code == CLI_OK && cli_text(args, "decoded")) code = cli_output_check(cli_text(args, "decoded"), all);
    if (code == CLI_OK && cli_text(args, "picture"))
        code = cli_output_check(cli_text(args, "picture"), cli_picture_endings);
    return code;
}

static cli_exit run(const cli_args *args) {
    work w = {0};
    strait_error err = {0};
    cli_exit code = check_options(&w, args);
    if (code != CLI_OK) return code;
    strait_status status =
        cli_points_open(&w.points, args->operand, args->n_operands, cli_int(args, "threads", 0), false, &err);
    if (status == STRAIT_OK) status = cli_named_open(&w.named, &w.points, args, &err);
    if (status == STRAIT_OK) status = make_groups(&w, args, &err);
    if (status == STRAIT_OK) status = represent(&w, &err);
    if (status == STRAIT_OK) status = write_files(args, &w, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_has(args, "json") ? print_json(&w, args) : print_text(&w);
    strait_array_free(w.centres);
    free(w.distance);
    free(w.order);
    free(w.of);
    free(w.groups);
    cli_named_close(&w.named);
    cli_points_close(&w.points);
    return code;
}

static const cli_example examples[] = {
    {"strait represent fashion-basic-001 fashion-mnist#test --by label -o ranks.csv --picture representatives.png",
     "the garments nearest to the mean of their kind, beside what that mean decodes to"},
    {"strait represent fashion-basic-001 fashion-mnist#test --by cluster --clusters clusters.csv --centre geometric "
     "--metric cosine",
     "of the clusters that strait cluster wrote: geometric medians, samples ranked by angle"},
    {0},
};

const cli_command cli_represent = {
    .name = "represent",
    .summary = "find the samples that represent all, a label or a cluster",
    .synopsis = {"represent MODEL DATA [--by label|cluster] [OPTIONS]", "represent DATA|Z [--by label|cluster] "
                                                                        "[OPTIONS]"},
    .details = CLI_POINTS_HELP
    "\nSamples are ranked by their distance to the centre: the mean, the median of each value, or the geometric "
    "median (which the sum of distances is least to; outliers hardly move it). The picture shows the centre as "
    "the model decodes it, an image nobody took, and after it the real samples nearest to it.\n"
    "--by cluster takes k-means' clusters, or those of a file: its column cluster, else the last number of each row.",
    .operand = {"DATA|Z", "DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
