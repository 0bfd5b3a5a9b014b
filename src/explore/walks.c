#include <strait/explore_walks.h>

#include <math.h>

#include "base/rng.h"
#include "explore/explore_int.h"

#define NEARLY_PARALLEL 1e-6 /* radians: a smaller angle's sine is all rounding */

/* d values, all finite. name stands for them in messages. */
static strait_status check_latent(const float *z, int64_t d, const char *name, strait_error *err) {
    if (!z || d < 1) return st_fail(err, STRAIT_ARGUMENT, "%s is missing or has no values", name);
    for (int64_t i = 0; i < d; i++)
        if (!isfinite(z[i])) return st_fail(err, STRAIT_ARGUMENT, "%s: value %lld is not finite", name, (long long)i);
    return STRAIT_OK;
}

static strait_status new_rows(strait_array **out, int64_t n, int64_t d, const char *what, strait_error *err) {
    *out = NULL;
    if (n < 1 || n > INT32_MAX || d < 1)
        return st_fail(err, STRAIT_ARGUMENT, "%s: the number of latents is from 1 to %d, not %lld", what, INT32_MAX,
                       (long long)n);
    return strait_array_new(out, 2, (int64_t[]){n, d}, err);
}

/* ---- from one to another ---- */

static double dot(const float *a, const float *b, int64_t d) {
    double sum = 0;
    for (int64_t i = 0; i < d; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The angle between two latents, by the lengths of the sum and the difference of the unit vectors (Kahan): exact for
   small ones too. */
static strait_status find_angle(double *out, const float *a, const float *b, int64_t d, strait_error *err) {
    const double length_a = sqrt(dot(a, a, d)), length_b = sqrt(dot(b, b, d));
    if (length_a == 0 || length_b == 0)
        return st_fail(err, STRAIT_ARGUMENT,
                       "the latent to go %s is all zeros, which has no direction: only a straight line can be taken",
                       length_a == 0 ? "from" : "to");
    double sum = 0, difference = 0;
    for (int64_t i = 0; i < d; i++) {
        const double u = (double)a[i] / length_a, v = (double)b[i] / length_b;
        sum += (u + v) * (u + v);
        difference += (u - v) * (u - v);
    }
    *out = 2 * atan2(sqrt(difference), sqrt(sum));
    if (M_PI - *out < NEARLY_PARALLEL)
        return st_fail(err, STRAIT_ARGUMENT,
                       "the two latents lie in opposite directions: no great circle between them "
                       "is nearer than others; take a straight line");
    return STRAIT_OK;
}

strait_status strait_interpolate(strait_array **out, const float *a, const float *b, int64_t d, int steps,
                                 bool spherical, strait_error *err) {
    *out = NULL;
    double angle = 0;
    ST_TRY(check_latent(a, d, "the latent to go from", err));
    ST_TRY(check_latent(b, d, "the latent to go to", err));
    if (spherical) ST_TRY(find_angle(&angle, a, b, d, err));
    ST_TRY(new_rows(out, steps, d, "interpolation", err));
    const bool arc = spherical && angle > NEARLY_PARALLEL;
    for (int s = 0; s < steps; s++) {
        const double t = steps > 1 ? (double)s / (steps - 1) : 0;
        const double from = arc ? sin((1 - t) * angle) / sin(angle) : 1 - t, to = arc ? sin(t * angle) / sin(angle) : t;
        for (int64_t i = 0; i < d; i++)
            (*out)->values[s * d + i] = (float)(from * (double)a[i] + to * (double)b[i]);
    }
    return STRAIT_OK;
}

/* ---- drawn ---- */

strait_status strait_perturb(strait_array **out, const float *z, int64_t d, double radius, int64_t n, uint64_t seed,
                             strait_error *err) {
    *out = NULL;
    ST_TRY(check_latent(z, d, "the latent to perturb", err));
    if (!(radius >= 0 && isfinite(radius)))
        return st_fail(err, STRAIT_ARGUMENT, "the radius is %g, not a number from 0 up", radius);
    if (n < 1) return st_fail(err, STRAIT_ARGUMENT, "%lld perturbed latents: at least one is needed", (long long)n);
    ST_TRY(new_rows(out, n + 1, d, "perturbation", err));
    for (int64_t i = 0; i <= n; i++) {
        float *row = (*out)->values + i * d;
        const st_rng rng = {.seed = seed, .purpose = ST_RNG_WALKS, .sample = (uint32_t)i};
        double length = 0;
        /* Normal values have no preferred direction; all of them zero happens with probability zero, yet is caught. */
        if (i > 0) {
            st_rng_normal(&rng, 0, row, (size_t)d);
            length = sqrt(dot(row, row, d));
            if (length == 0) row[0] = 1, length = 1;
        }
        for (int64_t k = 0; k < d; k++)
            row[k] = (float)((double)z[k] + (i > 0 ? radius * (double)row[k] / length : 0));
    }
    return STRAIT_OK;
}

strait_status strait_prior_sample(strait_array **out, int64_t n, int64_t d, uint64_t seed, strait_error *err) {
    ST_TRY(new_rows(out, n, d, "samples", err));
    for (int64_t i = 0; i < n; i++)
        st_rng_normal(&(st_rng){.seed = seed, .purpose = ST_RNG_WALKS, .epoch = 1, .sample = (uint32_t)i}, 0,
                      (*out)->values + i * d, (size_t)d);
    return STRAIT_OK;
}

/* ---- planes and components ---- */

strait_status strait_plane_grid(strait_array **out, const strait_plane *p, strait_error *err) {
    *out = NULL;
    ST_TRY(check_latent(p->origin, p->d, "the middle of the plane", err));
    ST_TRY(check_latent(p->across, p->d, "the direction across", err));
    ST_TRY(check_latent(p->down, p->d, "the direction down", err));
    if (p->n_across < 1 || p->n_down < 1)
        return st_fail(err, STRAIT_ARGUMENT, "a grid of %d times %d latents: at least one each way is needed",
                       p->n_across, p->n_down);
    ST_TRY(new_rows(out, (int64_t)p->n_across * p->n_down, p->d, "a grid", err));
    for (int i = 0; i < p->n_down; i++)
        for (int j = 0; j < p->n_across; j++) {
            float *row = (*out)->values + ((int64_t)i * p->n_across + j) * p->d;
            for (int64_t k = 0; k < p->d; k++)
                row[k] = (float)((double)p->origin[k] + p->at_across[j] * (double)p->across[k] +
                                 p->at_down[i] * (double)p->down[k]);
        }
    return STRAIT_OK;
}

strait_status strait_component_walk(strait_array **out, const strait_pca *pca, int k, int steps, double range,
                                    strait_error *err) {
    *out = NULL;
    if (k < 1 || k > pca->n_components)
        return st_fail(err, STRAIT_ARGUMENT, "%d components: there are from 1 to %d", k, pca->n_components);
    if (steps < 1) return st_fail(err, STRAIT_ARGUMENT, "%d steps: at least one is needed", steps);
    if (!(range >= 0 && isfinite(range)))
        return st_fail(err, STRAIT_ARGUMENT, "the range is %g, not a number from 0 up", range);
    const int64_t d = pca->n_features;
    ST_TRY(new_rows(out, (int64_t)k * steps, d, "components", err));
    for (int c = 0; c < k; c++)
        for (int s = 0; s < steps; s++) {
            const double at = steps > 1 ? range * (2.0 * s / (steps - 1) - 1) : 0;
            const double length = at * sqrt(fmax(0, pca->variance[c]));
            for (int64_t i = 0; i < d; i++)
                (*out)->values[((int64_t)c * steps + s) * d + i] =
                    (float)(pca->mean[i] + length * (double)pca->component[c * d + i]);
        }
    return STRAIT_OK;
}

/* ---- the normal distribution ---- */

static double polynomial(const double c[8], double x) {
    double sum = c[7];
    for (int i = 6; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

/* PPND16 of M. J. Wichura, Algorithm AS 241, Applied Statistics 37 (1988), 477-484: a rational function of the square
   of p - 1/2 in the middle, of sqrt(-log(tail)) in the tails, near and far. */
double strait_normal_quantile(double p) {
    static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[8] = {1,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    if (!(p >= 0 && p <= 1)) return (double)NAN;
    const double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    const double tail = q < 0 ? p : 1 - p;
    if (tail == 0) return q < 0 ? -HUGE_VAL : HUGE_VAL;
    const double r = sqrt(-log(tail));
    const double size =
        r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6) : polynomial(e, r - 5) / polynomial(f, r - 5);
    return q < 0 ? -size : size;
}
