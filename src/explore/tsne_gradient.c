#include <math.h>
#include "explore/maps_int.h"

typedef struct gradient_work {
    float *gradient; /* holds the repulsive forces before */
    const st_graph_rows *p;
    const float *y;
    int dims;
    double exaggeration, z;
} gradient_work;

/* sum over j of p w (y_i - y_j), w = 1 / (1 + |y_i - y_j|^2). */
static inline __attribute__((always_inline)) void attract(float *force, const gradient_work *g, int64_t i, int dims) {
    float mine[ST_MAP_MAX_DIMS], sum[ST_MAP_MAX_DIMS] = {0};
    for (int c = 0; c < dims; c++)
        mine[c] = g->y[i * dims + c];
    for (int64_t e = g->p->start[i]; e < g->p->start[i + 1]; e++) {
        const float *other = g->y + (int64_t)g->p->index[e] * dims;
        float difference[ST_MAP_MAX_DIMS], square = 1;
        for (int c = 0; c < dims; c++) {
            difference[c] = mine[c] - other[c];
            square += difference[c] * difference[c];
        }
        const float pull = g->p->weight[e] / square;
        for (int c = 0; c < dims; c++)
            sum[c] += pull * difference[c];
    }
    for (int c = 0; c < dims; c++)
        force[c] = sum[c];
}

static void gradient_rows(void *context, int64_t first, int64_t end, int worker) {
    const gradient_work *g = context;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        float force[ST_MAP_MAX_DIMS];
        if (g->dims == 2)
            attract(force, g, i, 2);
        else
            attract(force, g, i, 3);
        for (int c = 0; c < g->dims; c++) {
            float *at = g->gradient + i * g->dims + c;
            *at = (float)(4 * (g->exaggeration * (double)force[c] - (double)*at / g->z));
        }
    }
}

void st_tsne_gradient(float *gradient, double *z, const st_graph_rows *p, double exaggeration, const float *y, int dims,
                      st_repulsion *repulsion, st_pool *pool) {
    *z = fmax(st_repulsion_compute(repulsion, gradient, y), 1e-300);
    gradient_work g = {gradient, p, y, dims, exaggeration, *z};
    st_chunks(pool, p->n, 128, gradient_rows, &g);
}

double st_tsne_divergence(const st_graph_rows *p, const float *y, int dims, double z) {
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t e = p->start[i]; e < p->start[i + 1]; e++) {
            if (!(p->weight[e] > 0)) continue;
            double square = 1;
            for (int c = 0; c < dims; c++) {
                const double difference = (double)y[i * dims + c] - (double)y[(int64_t)p->index[e] * dims + c];
                square += difference * difference;
            }
            sum += (double)p->weight[e] * log((double)p->weight[e] * square * z);
        }
    return sum;
}
