/* strait cluster: groups among samples or latents, and how good they are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "groups.h"
#include "json.h"
#include "output.h"
#include "picture.h"
#include "table.h"

#define JUDGED 20000 /* samples whose silhouettes are taken: some ten seconds where they have many values */
#define SHOWN 30     /* clusters told in text */

static const cli_option options[] = {
    {"method", 'm', CLI_TEXT, false, "METHOD", "kmeans, mixture or leiden (default: kmeans)"},
    {"k", 'k', CLI_COUNT, false, "K", "clusters, of kmeans and mixture (default: as many as the data has labels)"},
    {"starts", 0, CLI_COUNT, false, "N", "starts of k-means, the best of which is taken (default: 10)"},
    {"neighbors", 0, CLI_COUNT, false, "N", "neighbours in leiden's graph, the sample itself among them (default: 15)"},
    {"resolution", 0, CLI_SECONDS, false, "R", "of leiden: higher gives more clusters (default: 1)"},
    {"metric", 0, CLI_TEXT, false, "METRIC", "euclidean or cosine (default: euclidean)"},
    CLI_OPTION_NAMED,
    {"output", 'o', CLI_TEXT, false, "FILE", "write the cluster of each sample: .csv or .npy"},
    {"centres", 0, CLI_TEXT, false, "FILE", "write the centres: .npy, .csv, or, as they look, .png or .svg"},
    {"picture", 0, CLI_TEXT, false, "FILE", "draw the samples along their first two principal directions, by cluster"},
    CLI_OPTION_THEME,
    {"seed", 0, CLI_SEED, false, "N", "of all that is drawn (default: 0)"},
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    {0},
};

typedef struct work {
    cli_points points;
    cli_named named;
    strait_clusters *found;
    strait_cluster_options o;
    const char *method;
    strait_agreement agreement; /* where there are labels */
    strait_theme theme;
    double silhouette;
    int64_t judged; /* samples it is of */
    int64_t *size;  /* [k] */
    int64_t *table; /* [k, n_labels]: samples */
} work;

static bool is(const work *w, const char *method) {
    return strcmp(w->method, method) == 0;
}

/* As many clusters as there are labels, where -k is not given. */
static strait_status find_clusters(work *w, strait_error *err) {
    if (is(w, "leiden")) return strait_leiden(&w->found, w->points.x, &w->o, err);
    if (w->o.k == 0) w->o.k = w->named.info.n_labels;
    if (w->o.k == 0)
        return cli_refuse(err, STRAIT_ARGUMENT,
                          "-k K is missing: without labels the number of clusters must be given (or --method leiden)");
    if (is(w, "kmeans")) return strait_kmeans(&w->found, w->points.x, &w->o, err);
    strait_mixture *mixture = NULL;
    const strait_status status = strait_mixture_fit(&mixture, &w->found, w->points.x, &w->o, err);
    strait_mixture_free(mixture);
    return status;
}

static strait_status compare_with_labels(work *w, strait_error *err) {
    const int64_t n = w->found->n;
    const int labels = w->named.info.n_labels;
    int64_t *label = calloc((size_t)n, sizeof *label);
    w->table = calloc((size_t)w->found->k * (size_t)labels, sizeof *w->table);
    if (!label || !w->table) {
        free(label);
        return cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    }
    for (int64_t i = 0; i < n; i++) {
        label[i] = strait_data_label(w->named.data, i);
        const int at = cli_label_at(&w->named.info, label[i]);
        if (at >= 0) w->table[w->found->cluster[i] * (int64_t)labels + at]++;
    }
    const strait_status status = strait_cluster_agreement(&w->agreement, w->found->cluster, label, n, err);
    free(label);
    return status;
}

static strait_status judge(work *w, strait_error *err) {
    const int64_t n = w->found->n;
    w->size = calloc((size_t)w->found->k, sizeof *w->size);
    if (!w->size) return cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    for (int64_t i = 0; i < n; i++)
        w->size[w->found->cluster[i]]++;
    w->judged = n < JUDGED ? n : JUDGED;
    strait_status status = strait_silhouette_sample(&w->silhouette, w->points.x, w->found->cluster, w->o.metric, JUDGED,
                                                    w->o.seed, w->o.threads, err);
    return status == STRAIT_OK && w->named.info.has_labels ? compare_with_labels(w, err) : status;
}

/* ---- files ---- */

static strait_status write_clusters(const char *path, const work *w, strait_error *err) {
    const int64_t n = w->found->n;
    if (cli_ends_with(path, ".npy")) {
        strait_array *column = NULL;
        strait_status status = strait_array_new(&column, 1, &n, err);
        for (int64_t i = 0; i < n && status == STRAIT_OK; i++)
            column->values[i] = (float)w->found->cluster[i];
        if (status == STRAIT_OK) status = strait_array_write(column, path, err);
        strait_array_free(column);
        return status;
    }
    double *value = calloc((size_t)n, sizeof *value);
    if (!value) return cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    for (int64_t i = 0; i < n; i++)
        value[i] = w->found->cluster[i];
    const strait_status status =
        strait_samples_write(path, w->named.data, NULL, n, 1, &(strait_column){"cluster", value}, err);
    free(value);
    return status;
}

/* Means of the samples as they are, in place of those of rows brought to length 1, which nothing decodes. */
static strait_status centres_of_samples(work *w, strait_error *err) {
    const int64_t n = w->found->n, d = w->found->centre->dim[1];
    int64_t *row = calloc((size_t)n, sizeof *row);
    double *mean = calloc((size_t)d, sizeof *mean);
    strait_status status =
        row && mean ? STRAIT_OK : cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    for (int c = 0; c < w->found->k && status == STRAIT_OK; c++) {
        int64_t n_rows = 0;
        for (int64_t i = 0; i < n; i++)
            if (w->found->cluster[i] == c) row[n_rows++] = i;
        status = strait_centre(mean, w->points.x, row, n_rows, STRAIT_CENTRE_MEAN, err);
        for (int64_t j = 0; j < d && status == STRAIT_OK; j++)
            w->found->centre->values[c * d + j] = (float)mean[j];
    }
    free(mean);
    free(row);
    return status;
}

static strait_status write_centres(const char *path, work *w, strait_error *err) {
    const strait_array *centre = w->found->centre;
    strait_status status = w->o.metric == STRAIT_METRIC_COSINE ? centres_of_samples(w, err) : STRAIT_OK;
    if (status != STRAIT_OK) return status;
    if (!cli_ends_with(path, ".png") && !cli_ends_with(path, ".svg")) return strait_array_write(centre, path, err);
    strait_array *decoded = NULL;
    const int columns = centre->dim[0] < 10 ? (int)centre->dim[0] : 10;
    status = cli_centres_decode(&decoded, &w->points, centre, err);
    if (status == STRAIT_OK) status = cli_draw_samples(path, decoded, columns, NULL, w->theme, err);
    strait_array_free(decoded);
    return status;
}

static bool all_same(const strait_array *x) {
    const int64_t n = x->dim[0];
    const size_t each = (size_t)(strait_array_count(x) / n);
    for (int64_t i = 1; i < n; i++)
        for (size_t j = 0; j < each; j++)
            if (x->values[(size_t)i * each + j] < x->values[j] || x->values[(size_t)i * each + j] > x->values[j])
                return false;
    return true;
}

/* places [n, 2], zero: scores on the first two principal components, as many as there are, and none where all samples
   are the same; axis: their names. */
static strait_status find_places(strait_array *places, cli_word axis[2], const work *w, strait_error *err) {
    const strait_pca_options fit = {.components = 2, .seed = w->o.seed, .threads = w->o.threads};
    strait_pca *pca = NULL;
    strait_array *scores = NULL;
    if (all_same(w->points.x)) {
        snprintf(axis[0].text, sizeof axis[0].text, "all samples are the same");
        return STRAIT_OK;
    }
    strait_status status = strait_pca_fit(&pca, w->points.x, &fit, err);
    const int k = status != STRAIT_OK ? 0 : pca->n_components < 2 ? pca->n_components : 2;
    if (status == STRAIT_OK) status = strait_pca_transform(&scores, pca, w->points.x, k, err);
    for (int c = 0; c < k && status == STRAIT_OK; c++) {
        snprintf(axis[c].text, sizeof axis[c].text, "principal component %d (%.1f %%)", c + 1,
                 100 * pca->variance[c] / pca->total_variance);
        for (int64_t i = 0; i < places->dim[0]; i++)
            places->values[2 * i + c] = scores->values[i * k + c];
    }
    strait_array_free(scores);
    strait_pca_free(pca);
    return status;
}

static strait_status draw(const char *path, const work *w, const char *source, strait_error *err) {
    const int64_t n = w->found->n;
    const int k = w->found->k;
    cli_word axis[2] = {0}, title = {0};
    cli_word *number = calloc((size_t)k, sizeof *number);
    const char **name = calloc((size_t)k, sizeof *name);
    strait_array *places = NULL;
    strait_status status = number && name ? strait_array_new(&places, 2, (int64_t[]){n, 2}, err)
                                          : cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    if (status == STRAIT_OK) status = find_places(places, axis, w, err);
    if (status == STRAIT_OK) {
        for (int c = 0; c < k; c++) {
            snprintf(number[c].text, sizeof number[c].text, "%d", c);
            name[c] = number[c].text;
        }
        snprintf(title.text, sizeof title.text, "Clusters of %.120s", source);
        const strait_scatter scatter = {.title = title.text,
                                        .points = places,
                                        .axis_label = {axis[0].text, axis[1].text},
                                        .group = w->found->cluster,
                                        .n_groups = k,
                                        .group_name = name,
                                        .theme = w->theme};
        status = strait_picture_scatter(path, &scatter, err);
    }
    strait_array_free(places);
    free(name);
    free(number);
    return status;
}

/* The picture first: it alone may be refused. */
static strait_status write_files(work *w, const cli_args *args, strait_error *err) {
    const char *picture = cli_text(args, "picture"), *source = args->operand[args->n_operands - 1];
    strait_status status = picture ? draw(picture, w, source, err) : STRAIT_OK;
    if (status == STRAIT_OK && cli_text(args, "output")) status = write_clusters(cli_text(args, "output"), w, err);
    if (status == STRAIT_OK && cli_text(args, "centres")) status = write_centres(cli_text(args, "centres"), w, err);
    return status;
}

/* ---- telling ---- */

/* What a method makes as good as it can. */
static const char *aim_of(const work *w) {
    return is(w, "kmeans") ? "inertia" : is(w, "mixture") ? "log_likelihood" : "modularity";
}

static json_t *counts_json(const int64_t *count, int n) {
    json_t *counts = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(counts, json_integer((json_int_t)count[i]));
    return counts;
}

static void add_agreement_json(json_t *object, const work *w) {
    const int labels = w->named.info.n_labels;
    json_t *names = json_array(), *rows = json_array();
    for (int l = 0; l < labels; l++)
        json_array_append_new(names, cli_json_text(cli_label_text(&w->named.info, l).text));
    for (int c = 0; c < w->found->k; c++)
        json_array_append_new(rows, counts_json(w->table + (int64_t)c * labels, labels));
    json_object_set_new(object, "accuracy", cli_json_real(w->agreement.accuracy));
    json_object_set_new(object, "nmi", cli_json_real(w->agreement.nmi));
    json_object_set_new(object, "ari", cli_json_real(w->agreement.ari));
    json_object_set_new(object, "labels", names);
    json_object_set_new(object, "table", rows);
}

static cli_exit print_json(const work *w, const cli_args *args) {
    json_t *object =
        json_pack("{s:o, s:I, s:i, s:o, s:o, s:i, s:o, s:I}", "method", cli_json_text(w->method), "samples",
                  (json_int_t)w->found->n, "k", w->found->k, "sizes", counts_json(w->size, w->found->k), aim_of(w),
                  cli_json_real(w->found->score), "iterations", w->found->iterations, "silhouette",
                  cli_json_real(w->silhouette), "silhouette_samples", (json_int_t)w->judged);
    if (object && w->named.info.has_labels) add_agreement_json(object, w);
    cli_json_add_files(object, args, (const char *const[]){"output", "centres", "picture", NULL});
    return cli_json_print(object);
}

/* A row for each cluster: its number, samples, their share, and with labels the most frequent one and its share. */
static void print_sizes(const work *w) {
    static const cli_column columns[] = {
        {"cluster", true, 0}, {"samples", true, 0}, {"share", true, 2}, {"label", false, 0}, {"of it", true, 1}};
    const int n_columns = w->named.info.has_labels ? 5 : 3, labels = w->named.info.n_labels;
    const int shown = w->found->k < SHOWN ? w->found->k : SHOWN;
    cli_word cell[SHOWN * 5];
    for (int c = 0; c < shown; c++) {
        cli_word *at = cell + c * n_columns;
        const int64_t *count = w->table + (int64_t)c * labels;
        snprintf(at[0].text, sizeof at->text, "%d", c);
        at[1] = cli_count(w->size[c]);
        snprintf(at[2].text, sizeof at->text, "%.1f %%", 100 * (double)w->size[c] / (double)w->found->n);
        if (n_columns == 3) continue;
        int most = 0;
        for (int l = 1; l < labels; l++)
            if (count[l] > count[most]) most = l;
        at[3] = cli_label_text(&w->named.info, most);
        snprintf(at[4].text, sizeof at->text, "%.1f %%", 100 * (double)count[most] / (double)w->size[c]);
    }
    cli_table_print(n_columns, columns, shown, cell, cli_table_width());
    if (w->found->k > shown) printf("%d more\n", w->found->k - shown);
}

static cli_exit print_text(const work *w) {
    printf("%d cluster%s of %s sample%s, by %s\n", w->found->k, w->found->k == 1 ? "" : "s",
           cli_count(w->found->n).text, w->found->n == 1 ? "" : "s", w->method);
    if (!is(w, "leiden") && w->found->k < w->o.k)
        printf("%d were asked for: no more have samples of their own\n", w->o.k);
    print_sizes(w);
    printf("%-14s  %.6g\n", is(w, "mixture") ? "log likelihood" : aim_of(w), w->found->score);
    if (isnan(w->silhouette))
        printf("silhouette      none: there is one cluster\n");
    else
        printf("silhouette      %.4f%s\n", w->silhouette,
               w->judged < w->found->n ? "  of 20,000 samples drawn by the seed" : "");
    if (!w->named.info.has_labels) return CLI_OK;
    printf("accuracy        %.4f  clusters matched to labels as well as can be\n", w->agreement.accuracy);
    printf("NMI             %.4f\nARI             %.4f\n", w->agreement.nmi, w->agreement.ari);
    return CLI_OK;
}

/* ---- the command ---- */

/* Options that the method has no use for. */
static cli_exit check_method(const work *w, const cli_args *args) {
    static const char *const of_leiden[] = {"neighbors", "resolution"}, *const of_others[] = {"k", "starts"};
    if (!is(w, "kmeans") && !is(w, "mixture") && !is(w, "leiden"))
        return cli_usage("--method %s: use kmeans, mixture or leiden", w->method);
    for (int i = 0; i < 2; i++) {
        if (is(w, "leiden") && cli_has(args, of_others[i]))
            return cli_usage("--%s means nothing to --method leiden, which finds how many clusters there are",
                             of_others[i]);
        if (!is(w, "leiden") && cli_has(args, of_leiden[i]))
            return cli_usage("--%s is for --method leiden alone", of_leiden[i]);
    }
    if (is(w, "mixture") && w->o.metric != STRAIT_METRIC_EUCLIDEAN)
        return cli_usage("--method mixture has no metric but euclidean");
    return CLI_OK;
}

static cli_exit check_options(work *w, const cli_args *args) {
    static const char *const tables[] = {".csv", ".npy", NULL}, *const all[] = {".npy", ".csv", ".png", ".svg", NULL};
    w->method = cli_text(args, "method") ? cli_text(args, "method") : "kmeans";
    w->o = (strait_cluster_options){.k = cli_int(args, "k", 0),
                                    .starts = cli_int(args, "starts", 0),
                                    .neighbors = cli_int(args, "neighbors", 0),
                                    .resolution = cli_real(args, "resolution", 0),
                                    .seed = cli_seed(args, "seed", 0),
                                    .threads = cli_int(args, "threads", 0)};
    cli_exit code = cli_metric(&w->o.metric, args);
    if (code == CLI_OK) code = check_method(w, args);
    if (code == CLI_OK) code = cli_theme(&w->theme, args);
    if (code == CLI_OK && cli_text(args, "picture"))
        code = cli_output_check(cli_text(args, "picture"), cli_picture_endings);
    if (code == CLI_OK && cli_text(args, "output")) code = cli_output_check(cli_text(args, "output"), tables);
    if (code == CLI_OK && cli_text(args, "centres")) code = cli_output_check(cli_text(args, "centres"), all);
    return code;
}

static cli_exit run(const cli_args *args) {
    work w = {0};
    strait_error err = {0};
    cli_exit code = check_options(&w, args);
    if (code != CLI_OK) return code;
    strait_status status = cli_points_open(&w.points, args->operand, args->n_operands, w.o.threads, false, &err);
    if (status == STRAIT_OK) status = cli_named_open(&w.named, &w.points, args, &err);
    if (status == STRAIT_OK) status = find_clusters(&w, &err);
    if (status == STRAIT_OK) status = judge(&w, &err);
    if (status == STRAIT_OK) status = write_files(&w, args, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_has(args, "json") ? print_json(&w, args) : print_text(&w);
    free(w.size);
    free(w.table);
    strait_clusters_free(w.found);
    cli_named_close(&w.named);
    cli_points_close(&w.points);
    return code;
}

static const cli_example examples[] = {
    {"strait cluster fashion-basic-001 fashion-mnist#test -o clusters.csv --centres centres.png",
     "clusters of the latents, as many as there are labels; their centres decoded"},
    {"strait cluster fashion-basic-001 fashion-mnist#test --method leiden --picture clusters.svg",
     "as many as the graph of neighbours has, and a picture of them"},
    {0},
};

const cli_command cli_cluster = {
    .name = "cluster",
    .summary = "find clusters among samples or latents",
    .synopsis = {"cluster MODEL DATA [-k K] [OPTIONS]", "cluster DATA|Z [-k K] [OPTIONS]"},
    .details = CLI_POINTS_HELP
    "\nkmeans: the best of many starts; mixture: normal distributions with full covariances, started from kmeans; "
    "leiden: communities of the graph of nearest neighbours, each tie as strong as in UMAP. Clusters are numbered "
    "from 0, the largest first.\n"
    "The silhouette, from -1 to 1, says how much nearer samples are to their own cluster than to the next one; of "
    "more than 20,000 samples it is taken of so many, drawn by the seed. With labels: accuracy under the best "
    "one-to-one matching of clusters and labels, normalised mutual information (NMI) and adjusted Rand index "
    "(ARI), both 1 when clusters and labels are the same; --json has the table of clusters by labels.",
    .operand = {"DATA|Z", "DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
