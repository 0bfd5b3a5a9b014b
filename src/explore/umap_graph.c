#include <math.h>
#include "base/memory.h"
#include "explore/umap_int.h"

#define TRIES 64
#define NEAR_ENOUGH 1e-5
#define LEAST_SIGMA 1e-3 /* of the mean distance */

/* ---- the curve ---- */

#define POINTS 300

/* Sum of squares at (log a, b), with its normal equations when wanted. */
static double residual(double log_a, double b, double min_dist, double normal[3], double right[2]) {
    double sum = 0;
    if (normal) normal[0] = normal[1] = normal[2] = right[0] = right[1] = 0;
    for (int i = 0; i < POINTS; i++) {
        const double d = 3.0 * i / (POINTS - 1);
        const double wanted = d < min_dist ? 1 : exp(min_dist - d);
        const double power = d > 0 ? exp(log_a + 2 * b * log(d)) : 0, value = 1 / (1 + power);
        const double error = wanted - value;
        sum += error * error;
        if (!normal || !(d > 0)) continue;
        const double by_a = -value * value * power, by_b = by_a * 2 * log(d);
        normal[0] += by_a * by_a;
        normal[1] += by_a * by_b;
        normal[2] += by_b * by_b;
        right[0] += by_a * error;
        right[1] += by_b * error;
    }
    return sum;
}

/* Levenberg's and Marquardt's method from a = b = 1. */
st_curve st_umap_curve(double min_dist) {
    double log_a = 0, b = 1, damping = 1e-3, normal[3], right[2];
    double sum = residual(log_a, b, min_dist, normal, right);
    for (int try = 0; try < 200 && damping < 1e12; try++) {
        const double p = normal[0] * (1 + damping), q = normal[2] * (1 + damping);
        const double determinant = p * q - normal[1] * normal[1];
        const double new_a = log_a + (right[0] * q - right[1] * normal[1]) / determinant;
        const double new_b = b + (right[1] * p - right[0] * normal[1]) / determinant;
        const double new_sum = residual(new_a, new_b, min_dist, NULL, NULL);
        if (!(new_sum < sum)) {
            damping *= 10;
            continue;
        }
        log_a = new_a;
        b = new_b;
        damping /= 10;
        sum = residual(log_a, b, min_dist, normal, right);
    }
    return (st_curve){exp(log_a), b};
}

/* ---- memberships ---- */

typedef struct memberships {
    const strait_neighbors *neighbors;
    double target, mean; /* mean: of all distances */
    bool connected;
    float *weight;
} memberships;

static double membership(double distance, double rho, double sigma) {
    return distance <= rho || !(sigma > 0) ? 1 : exp(-(distance - rho) / sigma);
}

static double find_sigma(const float *distance, int k, double rho, double target) {
    double sigma = 1, low = 0, high = INFINITY;
    for (int try = 0; try < TRIES; try++) {
        double sum = 0;
        for (int c = 0; c < k; c++)
            sum += membership((double)distance[c], rho, sigma);
        if (fabs(sum - target) < NEAR_ENOUGH) break;
        if (sum > target)
            high = sigma;
        else
            low = sigma;
        sigma = isinf(high) ? sigma * 2 : (low + high) / 2;
    }
    return sigma;
}

static void weigh_rows(void *context, int64_t first, int64_t end, int worker) {
    const memberships *m = context;
    const int k = m->neighbors->k;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        const float *distance = m->neighbors->distance + i * k;
        double rho = 0, mean = 0;
        for (int c = k - 1; c >= 0; c--) {
            if (m->connected && distance[c] > 0) rho = (double)distance[c];
            mean += (double)distance[c] / k;
        }
        const double least = LEAST_SIGMA * (rho > 0 ? mean : m->mean);
        const double sigma = fmax(find_sigma(distance, k, rho, m->target), least);
        for (int c = 0; c < k; c++)
            m->weight[i * k + c] = (float)membership((double)distance[c], rho, sigma);
    }
}

void st_umap_memberships(float *weight, const strait_neighbors *neighbors, int target, bool connected, st_pool *pool) {
    memberships m = {.neighbors = neighbors, .target = log2(target), .connected = connected, .weight = weight};
    const int64_t count = neighbors->n * neighbors->k;
    for (int64_t e = 0; e < count; e++)
        m.mean += (double)neighbors->distance[e] / (double)count;
    st_chunks(pool, neighbors->n, 256, weigh_rows, &m);
}

/* ---- the graph ---- */

strait_status st_fuzzy_neighbors(int *neighbors, int64_t n, strait_error *err) {
    if (*neighbors == 0) *neighbors = n < 15 ? (int)n : 15;
    if (n < 2 && *neighbors > 1)
        return st_fail(err, STRAIT_ARGUMENT, "there is one sample alone: it has no neighbours, %d were asked for",
                       *neighbors - 1);
    if (*neighbors < 1 || *neighbors > n || (*neighbors < 2 && n > 1))
        return st_fail(err, STRAIT_ARGUMENT,
                       "%d neighbours (the sample among them) of %lld samples: it must be 2 to %lld", *neighbors,
                       (long long)n, (long long)n);
    return STRAIT_OK;
}

strait_status st_fuzzy_graph(st_graph_rows *graph, const strait_array *x, int neighbors,
                             const strait_neighbors_options *options, st_pool *pool, strait_error *err) {
    strait_neighbors *found = NULL;
    *graph = (st_graph_rows){0};
    ST_TRY(strait_neighbors_find(&found, x, neighbors - 1, options, err));
    const size_t edges = (size_t)found->n * (size_t)found->k;
    strait_status status = STRAIT_OK;
    float *weight = st_alloc(edges, sizeof *weight);
    if (weight) {
        st_umap_memberships(weight, found, neighbors, true, pool);
        status = st_graph_rows_new(graph, found, weight, ST_UNION_FUZZY, err);
    } else {
        status = st_fail_memory(err, edges * sizeof *weight, "the fuzzy graph of neighbours");
    }
    st_free(weight);
    strait_neighbors_free(found);
    return status;
}
