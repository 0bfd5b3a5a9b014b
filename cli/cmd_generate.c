/* strait sample, manifold, components: what a model decodes where its latents lie. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli.h"
#include "groups.h"
#include "walk.h"

/* ---- sample ---- */

static const cli_option sample_options[] = {
    {"number", 'n', CLI_COUNT, false, "N", "samples to draw (default: 64)"},
    {"components", 'k', CLI_COUNT, false, "K", "of the mixture fitted to the latents (default: 10)"},
    {"seed", 0, CLI_SEED, false, "N", "of all that is drawn (default: 0)"},
    CLI_OPTIONS_OF_WALKS,
};

static const cli_example sample_examples[] = {
    {"strait sample fashion-basic-001 fashion-mnist#test -n 64 -k 4 --picture new.png",
     "new images, from a mixture of normal distributions fitted to the latents"},
    {0},
};

/* Latents by a mixture fitted to those of the data: a component a sample where there are few. */
static strait_status draw_by_mixture(cli_walk *walk, int n, int *k, const cli_args *args, strait_error *err) {
    const uint64_t seed = cli_seed(args, "seed", 0);
    if (!cli_has(args, "components") && *k > walk->z->dim[0]) *k = (int)walk->z->dim[0];
    const strait_cluster_options options = {.k = *k, .seed = seed, .threads = cli_int(args, "threads", 0)};
    strait_mixture *mixture = NULL;
    strait_status status = strait_mixture_fit(&mixture, NULL, walk->z, &options, err);
    if (status == STRAIT_OK) *k = mixture->k;
    if (status == STRAIT_OK) status = strait_mixture_sample(&walk->path, mixture, n, seed, err);
    strait_mixture_free(mixture);
    return status;
}

static int square_root_up(int n) {
    int root = 1;
    while ((int64_t)root * root < n)
        root++;
    return root;
}

static cli_exit run_sample(const cli_args *args) {
    const int n = cli_int(args, "number", 64), side = square_root_up(n);
    int k = cli_int(args, "components", 10);
    cli_exit code = cli_walk_check(args);
    if (code != CLI_OK) return code;
    if (cli_has(args, "components") && args->n_operands < 2)
        return cli_usage("-k is of the mixture fitted to the latents of DATA, which is missing");
    cli_walk walk;
    strait_error err = {0};
    strait_status status = cli_walk_open(&walk, args, &err);
    const bool prior = status == STRAIT_OK && !walk.z;
    if (prior && !strait_model_is_variational(walk.model))
        status =
            cli_refuse(&err, STRAIT_ARGUMENT,
                       "%s is not variational: it has no distribution to draw from; add DATA, to whose latents one "
                       "is fitted",
                       args->operand[0]);
    else if (prior)
        status = strait_prior_sample(&walk.path, n, walk.latent, cli_seed(args, "seed", 0), &err);
    else if (status == STRAIT_OK)
        status = draw_by_mixture(&walk, n, &k, args, &err);
    if (status == STRAIT_OK) status = cli_walk_finish(&walk, args, side < 16 ? side : 16, NULL, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_walk_print(&walk, args,
                              prior ? json_pack("{s:s}", "distribution", "prior")
                                    : json_pack("{s:s, s:i}", "distribution", "mixture", "components", k));
    cli_walk_close(&walk);
    return code;
}

const cli_command cli_sample = {
    .name = "sample",
    .summary = "decode new latents, drawn at random",
    .synopsis = {"sample MODEL DATA [-n N] [-k K] [OPTIONS]", "sample MODEL [-n N] [OPTIONS]"},
    .details = "With DATA, latents are drawn from a mixture of K normal distributions fitted to those of DATA by "
               "expectation and maximisation. Without, a variational model's are drawn from its prior, independent "
               "standard normal values.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 1,
    .options = sample_options,
    .examples = sample_examples,
    .run = run_sample,
};

/* ---- manifold ---- */

static const cli_option manifold_options[] = {
    {"axes", 0, CLI_TEXT, false, "A,B", "values of the latent, counted from 0: across, and up"},
    {"steps", 0, CLI_COUNT, false, "N", "each way (default: 15)"},
    {"range", 0, CLI_SECONDS, false, "S", "standard deviations to both sides (default: 2)"},
    CLI_OPTIONS_OF_WALKS,
};

static const cli_example manifold_examples[] = {
    {"strait manifold fashion-basic-001 fashion-mnist#test --steps 8 --picture plane.png",
     "the plane of the latents' two principal directions"},
    {0},
};

/* A plane cut out of the latent space, with room of its own: see make_plane. */
typedef struct cut {
    strait_plane p;
    float *origin, *across, *down; /* [latent] */
    double *at;                    /* [2 steps]: across, then down from the top */
} cut;

static void free_plane(cut *plane) {
    free(plane->origin);
    free(plane->across);
    free(plane->down);
    free(plane->at);
}

/* Places from -range to range: equally far from each other, or such that the standard normal distribution has as much
   between any two. */
static void find_places(cut *plane, int steps, double range, bool quantiles) {
    const double tail = erfc(range / sqrt(2)) / 2;
    for (int i = 0; i < steps; i++) {
        const double t = steps > 1 ? (double)i / (steps - 1) : 0.5;
        const double at =
            quantiles && tail > 0 ? strait_normal_quantile(tail + t * (1 - 2 * tail)) : range * (2 * t - 1);
        plane->at[i] = at;
        plane->at[2 * steps - 1 - i] = at; /* up is more */
    }
}

/* Two principal directions of the latents, about their mean, a standard deviation long. */
static strait_status by_components(cut *plane, const cli_walk *walk, int threads, strait_error *err) {
    const strait_pca_options options = {.components = 2, .threads = threads};
    strait_pca *pca = NULL;
    strait_status status = strait_pca_fit(&pca, walk->z, &options, err);
    if (status == STRAIT_OK && pca->n_components < 2)
        status = cli_refuse(err, STRAIT_ARGUMENT, "the latents vary in one direction only: there is no plane");
    for (int64_t i = 0; status == STRAIT_OK && i < walk->latent; i++) {
        plane->origin[i] = (float)pca->mean[i];
        plane->across[i] = (float)(sqrt(pca->variance[0]) * (double)pca->component[i]);
        plane->down[i] = (float)(sqrt(pca->variance[1]) * (double)pca->component[walk->latent + i]);
    }
    strait_pca_free(pca);
    return status;
}

/* Two axes: of the latents, about their mean, a standard deviation long; without latents, the prior's. */
static strait_status by_axes(cut *plane, const cli_walk *walk, const int axis[2], strait_error *err) {
    const strait_status status = cli_axes_check(axis, 2, walk->latent, err);
    if (status != STRAIT_OK) return status;
    double deviation[2] = {1, 1};
    if (walk->z) cli_walk_mean(plane->origin, walk);
    for (int k = 0; walk->z && k < 2; k++) {
        const int64_t n = walk->z->dim[0];
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += pow((double)walk->z->values[i * walk->latent + axis[k]] - (double)plane->origin[axis[k]], 2);
        deviation[k] = sqrt(sum / (double)(n > 1 ? n - 1 : 1));
    }
    plane->across[axis[0]] = (float)deviation[0];
    plane->down[axis[1]] = (float)deviation[1];
    return STRAIT_OK;
}

static strait_status make_plane(cut *plane, const cli_walk *walk, const int *axis, int n_axes, const cli_args *args,
                                strait_error *err) {
    const int steps = cli_int(args, "steps", 15);
    const size_t d = (size_t)walk->latent;
    if (!walk->z && !strait_model_is_variational(walk->model))
        return cli_refuse(err, STRAIT_ARGUMENT,
                          "%s is not variational: where its latents lie, only data tell; add DATA", args->operand[0]);
    plane->origin = calloc(d, sizeof *plane->origin);
    plane->across = calloc(d, sizeof *plane->across);
    plane->down = calloc(d, sizeof *plane->down);
    plane->at = calloc(2 * (size_t)steps, sizeof *plane->at);
    if (!plane->origin || !plane->across || !plane->down || !plane->at)
        return cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    plane->p = (strait_plane){walk->latent, plane->origin, plane->across, plane->down,
                              steps,        steps,         plane->at,     plane->at + steps};
    find_places(plane, steps, cli_real(args, "range", 2), !walk->z);
    if (walk->z && n_axes == 0) return by_components(plane, walk, cli_int(args, "threads", 0), err);
    return by_axes(plane, walk, n_axes ? axis : (const int[]){0, 1}, err);
}

static cli_exit run_manifold(const cli_args *args) {
    int axis[2] = {0, 1}, n_axes;
    cli_exit code = cli_axes(axis, &n_axes, 2, 2, args);
    if (code == CLI_OK) code = cli_walk_check(args);
    if (code != CLI_OK) return code;
    cli_walk walk;
    cut plane = {0};
    strait_error err = {0};
    strait_status status = cli_walk_open(&walk, args, &err);
    if (status == STRAIT_OK) status = make_plane(&plane, &walk, axis, n_axes, args, &err);
    if (status == STRAIT_OK) status = strait_plane_grid(&walk.path, &plane.p, &err);
    if (status == STRAIT_OK) status = cli_walk_finish(&walk, args, plane.p.n_across, NULL, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_walk_print(&walk, args,
                              json_pack("{s:i, s:s, s:o, s:o}", "steps", plane.p.n_across, "plane",
                                        walk.z && n_axes == 0 ? "components" : "axes", "across",
                                        cli_json_reals(plane.p.at_across, plane.p.n_across, 1), "down",
                                        cli_json_reals(plane.p.at_down, plane.p.n_down, 1)));
    free_plane(&plane);
    cli_walk_close(&walk);
    return code;
}

const cli_command cli_manifold = {
    .name = "manifold",
    .summary = "decode a plane of the latent space",
    .synopsis = {"manifold MODEL DATA [--axes A,B] [--steps N] [OPTIONS]", "manifold MODEL [--axes A,B] [OPTIONS]"},
    .details =
        "With DATA, the plane goes through the mean of its latents, along their first two principal directions, or "
        "along two values of the latent with --axes; steps are equal, from -S to S standard deviations. Without, "
        "it is that of two values (0 and 1) of a variational model, all others 0, and steps are quantiles of the "
        "prior. Written row by row from the top left; the first axis goes to the right, the second up.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 1,
    .options = manifold_options,
    .examples = manifold_examples,
    .run = run_manifold,
};

/* ---- components ---- */

static const cli_option components_options[] = {
    {"k", 'k', CLI_COUNT, false, "K", "principal directions (default: 5)"},
    {"steps", 0, CLI_COUNT, false, "N", "along each (default: 7)"},
    {"range", 0, CLI_SECONDS, false, "S", "standard deviations to both sides (default: 3)"},
    CLI_OPTIONS_OF_WALKS,
};

static const cli_example components_examples[] = {
    {"strait components fashion-basic-001 fashion-mnist#test -k 3 --picture directions.png",
     "what changes along the latents' principal directions"},
    {0},
};

typedef struct caption {
    char text[48];
} caption;

static strait_status walk_components(cli_walk *walk, strait_pca **pca, const cli_args *args, strait_error *err) {
    const strait_pca_options options = {.threads = cli_int(args, "threads", 0)};
    const int steps = cli_int(args, "steps", 7);
    strait_status status = strait_pca_fit(pca, walk->z, &options, err);
    if (status != STRAIT_OK) return status;
    int k = cli_int(args, "k", 5);
    if (!cli_has(args, "k") && k > (*pca)->n_components) k = (*pca)->n_components;
    status = strait_component_walk(&walk->path, *pca, k, steps, cli_real(args, "range", 3), err);
    if (status != STRAIT_OK) return status;
    caption *text = calloc((size_t)k, sizeof *text);
    const char **captions = calloc((size_t)k, sizeof *captions);
    if (!text || !captions) status = cli_refuse(err, STRAIT_MEMORY, "%s", strait_status_text(STRAIT_MEMORY));
    for (int c = 0; status == STRAIT_OK && c < k; c++) {
        snprintf(text[c].text, sizeof text[c].text, "%d: %.1f %%", c + 1,
                 100 * (*pca)->variance[c] / (*pca)->total_variance);
        captions[c] = text[c].text;
    }
    if (status == STRAIT_OK) status = cli_walk_finish(walk, args, steps, captions, err);
    free(captions);
    free(text);
    return status;
}

static cli_exit run_components(const cli_args *args) {
    cli_exit code = cli_walk_check(args);
    if (code != CLI_OK) return code;
    cli_walk walk;
    strait_pca *pca = NULL;
    strait_error err = {0};
    strait_status status = cli_walk_open(&walk, args, &err);
    if (status == STRAIT_OK) status = walk_components(&walk, &pca, args, &err);
    if (status != STRAIT_OK) {
        code = cli_failed(&err);
    } else {
        const int steps = cli_int(args, "steps", 7), k = (int)(walk.path->dim[0] / steps);
        code = cli_walk_print(&walk, args,
                              json_pack("{s:i, s:i, s:o, s:o}", "k", k, "steps", steps, "variance",
                                        cli_json_reals(pca->variance, k, 1), "explained",
                                        cli_json_reals(pca->variance, k, 1 / pca->total_variance)));
    }
    strait_pca_free(pca);
    cli_walk_close(&walk);
    return code;
}

const cli_command cli_components = {
    .name = "components",
    .summary = "decode the principal directions of latents",
    .synopsis = {"components MODEL DATA [-k K] [--steps N] [OPTIONS]"},
    .details =
        "From the mean of the latents, along each of their first K principal directions, from -S to S of its "
        "standard deviations. A row of the picture is a direction; it says what share of the latents' variance is "
        "along it.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = components_options,
    .examples = components_examples,
    .run = run_components,
};
