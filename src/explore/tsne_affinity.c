#include <float.h>
#include <math.h>
#include "explore/maps_int.h"

#define TRIES 100
#define NEAR_ENOUGH 1e-5 /* of the entropy */

typedef struct affinity {
    const strait_neighbors *neighbors;
    double entropy; /* log of the perplexity */
    float *weight;
} affinity;

/* Sets weight to exp(-beta (d^2 - least)), normalised; returns the entropy. */
static double weigh(float *weight, const float *distance, int k, double beta) {
    const double least = (double)distance[0] * (double)distance[0];
    double sum = 0, mean = 0;
    for (int c = 0; c < k; c++) {
        const double beyond = (double)distance[c] * (double)distance[c] - least, w = exp(-beta * beyond);
        weight[c] = (float)w;
        sum += w;
        mean += w * beyond;
    }
    for (int c = 0; c < k; c++)
        weight[c] = (float)((double)weight[c] / sum);
    return log(sum) + beta * mean / sum;
}

/* Finds the precision whose weights have the entropy wanted, by doubling, then halving. Where no precision has it
   (equal distances), the weights of the last try stand: they sum to 1 all the same. */
static void weigh_row(float *weight, const float *distance, int k, double entropy) {
    const double last = (double)distance[k - 1];
    const double spread = last * last - (double)distance[0] * (double)distance[0];
    double beta = spread > 0 ? 1 / spread : 1, low = 0, high = INFINITY;
    for (int try = 0; try < TRIES; try++) {
        const double difference = weigh(weight, distance, k, beta) - entropy;
        if (fabs(difference) < NEAR_ENOUGH) return;
        if (difference > 0)
            low = beta;
        else
            high = beta;
        beta = isinf(high) ? beta * 2 : (low + high) / 2;
        if (beta > DBL_MAX / 4) return;
    }
}

static void weigh_rows(void *context, int64_t first, int64_t end, int worker) {
    const affinity *a = context;
    const int k = a->neighbors->k;
    (void)worker;
    for (int64_t i = first; i < end; i++)
        weigh_row(a->weight + i * k, a->neighbors->distance + i * k, k, a->entropy);
}

strait_status st_tsne_affinity(float *weight, const strait_neighbors *neighbors, double perplexity, st_pool *pool,
                               strait_error *err) {
    if (!(perplexity >= 1) || perplexity > (double)neighbors->k)
        return st_fail(err, STRAIT_ARGUMENT, "perplexity %g with %d neighbours: it must be from 1 to their number",
                       perplexity, neighbors->k);
    affinity a = {neighbors, log(perplexity), weight};
    st_chunks(pool, neighbors->n, 128, weigh_rows, &a);
    return STRAIT_OK;
}
