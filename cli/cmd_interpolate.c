/* strait interpolate, perturb: from one latent to another, and around one. */
#include <math.h>
#include <stdio.h>
#include "cli.h"
#include "points.h"
#include "walk.h"

#define MOST_COLUMNS 16 /* of a sheet */

/* ---- interpolate ---- */

static const cli_option interpolate_options[] = {
    {"from", 0, CLI_TEXT, false, "A", "the sample to begin with: its index, counted from 0, or its name"},
    {"to", 0, CLI_TEXT, false, "B", "the sample to end with"},
    {"steps", 0, CLI_COUNT, false, "N", "latents, both ends among them (default: 11)"},
    {"spherical", 0, CLI_FLAG, false, NULL, "along a great circle, not a straight line"},
    CLI_OPTIONS_OF_WALKS,
};

static const cli_example interpolate_examples[] = {
    {"strait interpolate fashion-basic-001 fashion-mnist#test --from 0 --to 1 --picture line.png",
     "eleven steps from one image to another"},
    {0},
};

static double distance(const float *a, const float *b, int64_t d) {
    double sum = 0;
    for (int64_t i = 0; i < d; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum);
}

static cli_exit run_interpolate(const cli_args *args) {
    const char *from = cli_text(args, "from"), *to = cli_text(args, "to");
    const int steps = cli_int(args, "steps", 11);
    const bool spherical = cli_has(args, "spherical");
    if (!from || !to) return cli_usage("--from A and --to B say which samples to go between");
    cli_exit code = cli_walk_check(args);
    if (code != CLI_OK) return code;
    cli_walk walk;
    strait_error err = {0};
    int64_t a = 0, b = 0;
    strait_status status = cli_walk_open(&walk, args, &err);
    if (status == STRAIT_OK) status = cli_sample_find(&a, walk.z->dim[0], walk.data, "from", from, &err);
    if (status == STRAIT_OK) status = cli_sample_find(&b, walk.z->dim[0], walk.data, "to", to, &err);
    const float *z_a = walk.z ? walk.z->values + a * walk.latent : NULL;
    const float *z_b = walk.z ? walk.z->values + b * walk.latent : NULL;
    if (status == STRAIT_OK) status = strait_interpolate(&walk.path, z_a, z_b, walk.latent, steps, spherical, &err);
    if (status == STRAIT_OK)
        status = cli_walk_finish(&walk, args, steps < MOST_COLUMNS ? steps : MOST_COLUMNS, NULL, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code = cli_walk_print(&walk, args,
                              json_pack("{s:I, s:I, s:b, s:o}", "from", (json_int_t)a, "to", (json_int_t)b, "spherical",
                                        spherical, "distance", cli_json_real(distance(z_a, z_b, walk.latent))));
    cli_walk_close(&walk);
    return code;
}

const cli_command cli_interpolate = {
    .name = "interpolate",
    .summary = "decode the way from one latent to another",
    .synopsis = {"interpolate MODEL DATA --from A --to B [--steps N] [OPTIONS]"},
    .details =
        "The latents of two samples are joined by a straight line, or with --spherical by the arc of a great circle "
        "(slerp), which does not come nearer to zero than its ends. Equal latents, and those of the same "
        "direction, give the same by both; from zeros, and between opposite directions, no arc is defined.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = interpolate_options,
    .examples = interpolate_examples,
    .run = run_interpolate,
};

/* ---- perturb ---- */

static const cli_option perturb_options[] = {
    {"of", 0, CLI_TEXT, false, "I", "the sample: its index, counted from 0, or its name (default: 0)"},
    {"radius", 0, CLI_SECONDS, false, "R", "how far from its latent (default: 0.5)"},
    {"number", 'n', CLI_COUNT, false, "N", "latents around it (default: 10)"},
    {"seed", 0, CLI_SEED, false, "N", "of the directions (default: 0)"},
    CLI_OPTIONS_OF_WALKS,
};

static const cli_example perturb_examples[] = {
    {"strait perturb fashion-basic-001 fashion-mnist#test --of 17 --radius 2 --picture around.png",
     "what lies around the latent of an image"},
    {0},
};

static cli_exit run_perturb(const cli_args *args) {
    const char *of = cli_text(args, "of");
    const int n = cli_int(args, "number", 10);
    const double radius = cli_real(args, "radius", 0.5);
    cli_exit code = cli_walk_check(args);
    if (code != CLI_OK) return code;
    cli_walk walk;
    strait_error err = {0};
    int64_t i = 0;
    strait_status status = cli_walk_open(&walk, args, &err);
    if (status == STRAIT_OK) status = cli_sample_find(&i, walk.z->dim[0], walk.data, "of", of ? of : "0", &err);
    if (status == STRAIT_OK)
        status = strait_perturb(&walk.path, walk.z->values + i * walk.latent, walk.latent, radius, n,
                                cli_seed(args, "seed", 0), &err);
    if (status == STRAIT_OK) status = cli_walk_finish(&walk, args, n < MOST_COLUMNS ? n + 1 : MOST_COLUMNS, NULL, &err);
    if (status != STRAIT_OK)
        code = cli_failed(&err);
    else
        code =
            cli_walk_print(&walk, args, json_pack("{s:I, s:o}", "of", (json_int_t)i, "radius", cli_json_real(radius)));
    cli_walk_close(&walk);
    return code;
}

const cli_command cli_perturb = {
    .name = "perturb",
    .summary = "decode latents around that of a sample",
    .synopsis = {"perturb MODEL DATA --of I [--radius R] [-n N] [OPTIONS]"},
    .details =
        "Noise of Euclidean length R, in random directions, is added to the sample's latent. The first row written "
        "and the first picture are the sample's own latent, without noise.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = perturb_options,
    .examples = perturb_examples,
    .run = run_perturb,
};
