/* Walks in a latent space: latents that strait_model_decode shows. On plain arrays; see strait/explore.h. Every
   function gives *out [rows, d], the caller's. */
#ifndef STRAIT_EXPLORE_WALKS_H
#define STRAIT_EXPLORE_WALKS_H

#include <strait/explore_pca.h>
#include <strait/explore_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* From latent a [d] to b [d] in `steps` rows, both ends among them; a alone for one step. In a straight line, or
   spherical: (sin((1 - t) w) a + sin(t w) b) / sin w with the angle w between them (slerp: Shoemake 1985; White 2016),
   which keeps the length where both are as long. Of the same direction the line and the arc are one. Errors: ARGUMENT
   (no step; values not finite; spherical from a latent of zeros, or to the opposite direction, where every great circle
   is as near), MEMORY. */
STRAIT_API strait_status strait_interpolate(strait_array **out, const float *a, const float *b, int64_t d, int steps,
                                            bool spherical, strait_error *err);

/* Latent z [d], then n latents at the distance `radius` from it, in directions drawn uniformly: row 0 is z itself.
   Errors: ARGUMENT (a radius below 0, values not finite, n below 1), MEMORY. */
STRAIT_API strait_status strait_perturb(strait_array **out, const float *z, int64_t d, double radius, int64_t n,
                                        uint64_t seed, strait_error *err);

/* n latents of independent standard normal values: the prior of variational autoencoders. Errors: ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_prior_sample(strait_array **out, int64_t n, int64_t d, uint64_t seed,
                                             strait_error *err);

/* A part of a plane in the latent space. */
typedef struct strait_plane {
    int64_t d;
    const float *origin;        /* [d] */
    const float *across, *down; /* [d] directions: the length of each is its unit */
    int n_across, n_down;
    const double *at_across, *at_down; /* [n_across], [n_down]: units along each */
} strait_plane;

/* origin + at_across[j] across + at_down[i] down, row i n_across + j. Errors: ARGUMENT, MEMORY. */
STRAIT_API strait_status strait_plane_grid(strait_array **out, const strait_plane *plane, strait_error *err);

/* mean + s sqrt(variance[i]) component[i] for the first k components: for each, `steps` rows with s from -range to
   range, or 0 for one step. Errors: ARGUMENT (k beyond the components, no step, a range below 0), MEMORY. */
STRAIT_API strait_status strait_component_walk(strait_array **out, const strait_pca *pca, int k, int steps,
                                               double range, strait_error *err);

/* Where the standard normal distribution reaches probability p: to 1e-15 of it (Wichura 1988, algorithm AS 241).
   -INFINITY and INFINITY at 0 and 1, NAN beyond. */
STRAIT_API double strait_normal_quantile(double p);

#ifdef __cplusplus
}
#endif
#endif
