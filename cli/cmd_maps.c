/* strait tsne, umap and trustworthiness: maps of samples in two or three dimensions, and how far to trust one. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "map_picture.h"
#include "output.h"
#include "points.h"
#include "terminal.h"

#define OPTIONS_OF_MAPS                                                                                                \
    {"output", 'o', CLI_TEXT, false, "FILE", "write the map, one row a sample: .npy or .csv"},                         \
        {"picture", 0, CLI_TEXT, false, "FILE", "draw the map: .png or .svg"}, CLI_OPTIONS_OF_MAP_PICTURES,            \
        CLI_OPTION_NAMED, {"dims", 0, CLI_COUNT, false, "N", "of the map: 2 or 3 (default: 2)"},                       \
        {"seed", 0, CLI_SEED, false, "N", "of all that is drawn (default: 0)"}, CLI_OPTION_THREADS, CLI_OPTION_JSON,   \
        CLI_OPTION_QUIET, {                                                                                            \
        0                                                                                                              \
    }

#define USUAL 12 /* neighbours of trustworthiness, where there are samples enough */

static const char *const map_endings[] = {".npy", ".csv", NULL};

static double seconds_since(const struct timespec *begin) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + 1e-9 * (double)(now.tv_nsec - begin->tv_nsec);
}

static cli_exit check(const cli_args *args) {
    const char *path = cli_text(args, "output"), *picture = cli_text(args, "picture");
    if (!path && !picture)
        return cli_usage("-o FILE is missing, and so is --picture FILE; usage: strait %s", args->command->synopsis[0]);
    const cli_exit code = path ? cli_output_check(path, map_endings) : CLI_OK;
    return code == CLI_OK ? cli_map_check(picture, args) : code;
}

/* Writes and draws the map y of the points. method: "UMAP". */
static strait_status write_map(const cli_args *args, const cli_points *points, const strait_array *y,
                               const char *method, strait_error *err) {
    const char *path = cli_text(args, "output"), *picture = cli_text(args, "picture");
    if (!picture) return strait_array_write(y, path, err);
    cli_named named;
    cli_word name[3] = {0}, title = {0};
    for (int k = 0; k < 3; k++)
        snprintf(name[k].text, sizeof name[k].text, "%s %d", method, k + 1);
    snprintf(title.text, sizeof title.text, "%s of %s%.100s", method, args->n_operands > 1 ? "the latents of " : "",
             args->operand[args->n_operands - 1]);
    strait_status status = cli_named_open(&named, points, args, err);
    const cli_map map = {.places = y,
                         .title = title.text,
                         .axis = {name[0].text, name[1].text, name[2].text},
                         .distances_only = true,
                         .x = points->x,
                         .data = named.data,
                         .info = &named.info};
    if (status == STRAIT_OK) status = cli_map_draw(picture, &map, args, err); /* may be refused, so the first */
    if (status == STRAIT_OK && path) status = strait_array_write(y, path, err);
    cli_named_close(&named);
    return status;
}

/* The result of a map: kl NAN for none. */
static cli_exit print_map(const cli_args *args, const strait_array *y, double kl, double seconds) {
    const char *path = cli_text(args, "output"), *picture = cli_text(args, "picture");
    if (cli_has(args, "json")) {
        json_t *object = json_pack("{s:I, s:I, s:o}", "samples", (json_int_t)y->dim[0], "dims", (json_int_t)y->dim[1],
                                   "seconds", cli_json_real(seconds));
        if (object && path) json_object_set_new(object, "file", cli_json_text(path));
        if (object && picture) json_object_set_new(object, "picture", cli_json_text(picture));
        if (strcmp(args->command->name, "umap") == 0)
            cli_json_add_files(object, args, (const char *const[]){"new-output", NULL});
        if (object && isfinite(kl)) json_object_set_new(object, "kl", cli_json_real(kl));
        return cli_json_print(object);
    }
    printf("%s  %s sample%s in %lld dimensions, %s", path ? path : picture, cli_count(y->dim[0]).text,
           y->dim[0] == 1 ? "" : "s", (long long)y->dim[1], cli_duration(seconds).text);
    if (isfinite(kl)) printf(", KL divergence %.4f", kl);
    printf("\n");
    if (path && picture) printf("%s\n", picture);
    return CLI_OK;
}

/* ---- t-SNE ---- */

static const cli_option tsne_options[] = {
    {"perplexity", 0, CLI_SECONDS, false, "P", "about how many neighbours count (default: 30)"},
    {"learning-rate", 0, CLI_TEXT, false, "R",
     "a number or auto: samples / exaggeration / 4, at least 50 (default: auto)"},
    {"exaggeration", 0, CLI_SECONDS, false, "E", "of the first 15 % of the iterations (default: 12)"},
    {"iterations", 0, CLI_COUNT, false, "N", "steps of the descent (default: 1000)"},
    {"random-start", 0, CLI_FLAG, false, NULL, "start from random places, not from principal components"},
    OPTIONS_OF_MAPS,
};

static const cli_example tsne_examples[] = {
    {"strait tsne z.npy --iterations 250 -o map.npy", "a map of latents that strait encode wrote"},
    {0},
};

/* 0 for auto. */
static cli_exit learning_rate(double *out, const cli_args *args) {
    const char *text = cli_text(args, "learning-rate");
    *out = 0;
    if (!text || strcmp(text, "auto") == 0 || cli_parse_positive(out, text)) return CLI_OK;
    return cli_usage("--learning-rate takes a number above 0, or auto, not '%s'", text);
}

static cli_exit run_tsne(const cli_args *args) {
    double rate;
    cli_exit code = check(args);
    if (code == CLI_OK) code = learning_rate(&rate, args);
    if (code != CLI_OK) return code;
    static char kl_name[] = "KL";
    const strait_tsne_options options = {
        .dims = cli_int(args, "dims", 0),
        .perplexity = cli_real(args, "perplexity", 0),
        .learning_rate = rate,
        .exaggeration = cli_real(args, "exaggeration", 0),
        .iterations = cli_int(args, "iterations", 0),
        .seed = cli_seed(args, "seed", 0),
        .random_start = cli_has(args, "random-start"),
        .threads = cli_int(args, "threads", 0),
        .progress = cli_has(args, "quiet") || !cli_live() ? NULL : cli_explore_progress,
        .context = kl_name,
    };
    cli_points points;
    strait_array *y = NULL;
    strait_error err = {0};
    double kl = (double)NAN;
    struct timespec begin;
    strait_status status =
        cli_points_open(&points, args->operand, args->n_operands, options.threads, cli_has(args, "quiet"), &err);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (status == STRAIT_OK) status = strait_tsne(&y, &kl, points.x, &options, &err);
    const double seconds = seconds_since(&begin);
    if (status == STRAIT_OK) status = write_map(args, &points, y, "t-SNE", &err);
    code = status == STRAIT_OK ? print_map(args, y, kl, seconds) : cli_failed(&err);
    strait_array_free(y);
    cli_points_close(&points);
    return code;
}

const cli_command cli_tsne = {
    .name = "tsne",
    .summary = "lay samples out as a map by t-SNE",
    .synopsis = {"tsne DATA|Z -o FILE [--picture FILE] [OPTIONS]", "tsne MODEL DATA -o FILE [OPTIONS]"},
    .details = CLI_POINTS_HELP
    "\n"
    "Neighbours are exact up to 100,000 samples, forces those of Barnes and Hut's tree. The start is that of the first "
    "principal components. The KL divergence told at the end is what was made small: lower is better among maps of "
    "the same samples at the same perplexity.",
    .operand = {"DATA|Z", "DATA"},
    .least_operands = 1,
    .options = tsne_options,
    .examples = tsne_examples,
    .run = run_tsne,
};

/* ---- UMAP ---- */

static const cli_option umap_options[] = {
    {"neighbors", 'n', CLI_COUNT, false, "N", "of each sample, itself among them (default: 15)"},
    {"min-dist", 0, CLI_SECONDS, false, "D", "how near points may come on the map (default: 0.1)"},
    {"metric", 0, CLI_TEXT, false, "METRIC", "euclidean or cosine (default: euclidean)"},
    {"epochs", 0, CLI_COUNT, false, "N", "(default: 500 up to 10,000 samples, else 200)"},
    {"pca-start", 0, CLI_FLAG, false, NULL, "start from principal components, not from the graph's eigenvectors"},
    {"new", 0, CLI_TEXT, false, "DATA|Z", "then place these samples on the map, which stays"},
    {"new-output", 0, CLI_TEXT, false, "FILE", "write their places: .npy or .csv"},
    OPTIONS_OF_MAPS,
};

static const cli_example umap_examples[] = {
    {"strait umap z.npy --epochs 50 -o map.csv", "a map of latents"},
    {"strait umap z.npy --epochs 50 --data fashion-mnist#test --picture map.svg --theme dark",
     "a picture of one, by label"},
    {"strait umap z.npy --epochs 50 -o map.npy --new z.npy --new-output new.npy", "and samples placed on it"},
    {0},
};

/* Places the samples of --new by the model's latents where there is one. */
static strait_status place_new(strait_array **y, const cli_args *args, const strait_umap *map, strait_error *err) {
    const char *operand[2] = {args->operand[0], cli_text(args, "new")};
    const int n = args->n_operands;
    cli_points points;
    strait_status status =
        cli_points_open(&points, operand + 2 - n, n, cli_int(args, "threads", 0), cli_has(args, "quiet"), err);
    if (status == STRAIT_OK) status = strait_umap_transform(y, map, points.x, err);
    cli_points_close(&points);
    return status;
}

static cli_exit check_umap(const cli_args *args, strait_metric *metric) {
    cli_exit code = check(args);
    if (code == CLI_OK) code = cli_metric(metric, args);
    if (code != CLI_OK) return code;
    if (cli_has(args, "new") != cli_has(args, "new-output"))
        return cli_usage("--new DATA|Z and --new-output FILE go together");
    return cli_has(args, "new") ? cli_output_check(cli_text(args, "new-output"), map_endings) : CLI_OK;
}

static cli_exit run_umap(const cli_args *args) {
    strait_metric metric;
    cli_exit code = check_umap(args, &metric);
    if (code != CLI_OK) return code;
    const strait_umap_options options = {
        .dims = cli_int(args, "dims", 0),
        .neighbors = cli_int(args, "neighbors", 0),
        .min_dist = cli_real(args, "min-dist", 0),
        .metric = metric,
        .epochs = cli_int(args, "epochs", 0),
        .pca_start = cli_has(args, "pca-start"),
        .seed = cli_seed(args, "seed", 0),
        .threads = cli_int(args, "threads", 0),
        .progress = cli_has(args, "quiet") || !cli_live() ? NULL : cli_explore_progress,
    };
    cli_points points;
    strait_array *y = NULL, *new = NULL;
    strait_umap *map = NULL;
    strait_error err = {0};
    struct timespec begin;
    strait_status status =
        cli_points_open(&points, args->operand, args->n_operands, options.threads, cli_has(args, "quiet"), &err);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (status == STRAIT_OK) status = strait_umap_fit(&y, cli_has(args, "new") ? &map : NULL, points.x, &options, &err);
    const double seconds = seconds_since(&begin);
    if (options.progress) cli_line_wipe();
    if (status == STRAIT_OK && map) status = place_new(&new, args, map, &err);
    if (status == STRAIT_OK) status = write_map(args, &points, y, "UMAP", &err);
    if (status == STRAIT_OK && new) status = strait_array_write(new, cli_text(args, "new-output"), &err);
    code = status == STRAIT_OK ? print_map(args, y, (double)NAN, seconds) : cli_failed(&err);
    strait_umap_free(map);
    strait_array_free(new);
    strait_array_free(y);
    cli_points_close(&points);
    return code;
}

const cli_command cli_umap = {
    .name = "umap",
    .summary = "lay samples out as a map by UMAP",
    .synopsis = {"umap DATA|Z -o FILE [--picture FILE] [OPTIONS]", "umap MODEL DATA -o FILE [OPTIONS]"},
    .details = CLI_POINTS_HELP
    "\n"
    "Neighbours are exact up to 100,000 samples. A graph of neighbours in several pieces starts from principal "
    "components. The map is the same for a seed, whatever the threads.",
    .operand = {"DATA|Z", "DATA"},
    .least_operands = 1,
    .options = umap_options,
    .examples = umap_examples,
    .run = run_umap,
};

/* ---- trustworthiness ---- */

static const cli_option trust_options[] = {
    {"neighbors", 'k', CLI_COUNT, false, "K",
     "neighbours that count (default: 12, of few samples just under half of them)"},
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example trust_examples[] = {
    {"strait trustworthiness z.npy map.npy", "how well a map keeps the neighbourhoods of the latents"},
    {0},
};

static cli_exit run_trust(const cli_args *args) {
    cli_samples x = {0}, y = {0};
    strait_error err = {0};
    double trust = 0, preserved = 0;
    cli_exit code = CLI_OK;
    strait_status status = cli_samples_open(&x, args->operand[0], &err);
    if (status == STRAIT_OK) status = cli_samples_open(&y, args->operand[1], &err);
    const int64_t most = status == STRAIT_OK ? (x.x->dim[0] - 1) / 2 : 0;
    const int k = cli_int(args, "neighbors", most >= 1 && most < USUAL ? (int)most : USUAL);
    if (status == STRAIT_OK)
        status = strait_trustworthiness(&trust, &preserved, x.x, y.x, k, cli_int(args, "threads", 0), &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else if (cli_has(args, "json"))
        code =
            cli_json_print(json_pack("{s:I, s:i, s:o, s:o}", "samples", (json_int_t)x.x->dim[0], "neighbors", k,
                                     "trustworthiness", cli_json_real(trust), "preserved", cli_json_real(preserved)));
    else
        printf("trustworthiness  %.5f\nneighbours kept  %.2f %%\n", trust, 100 * preserved);
    cli_samples_close(&x);
    cli_samples_close(&y);
    return code;
}

const cli_command cli_trustworthiness = {
    .name = "trustworthiness",
    .summary = "measure how well a map keeps neighbourhoods",
    .synopsis = {"trustworthiness DATA|Z MAP [OPTIONS]"},
    .details =
        "Trustworthiness (Venna and Kaski 2001) is 1 when all of a sample's K nearest on the map are among its K "
        "nearest in DATA or Z, and less the farther away the intruders come from. Also told: the mean share of "
        "the K nearest that stay. MAP is a .npy or .csv file of one row a sample.",
    .operand = {"DATA|Z", "MAP"},
    .least_operands = 2,
    .options = trust_options,
    .examples = trust_examples,
    .run = run_trust,
};
