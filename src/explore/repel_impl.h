/* The forces of masses on points, several points in a vector. Included by the file of each instruction set with V, the
   floats of a vector, and ST_REPEL, the function's name. Each point's sums run over the masses in their order, so a
   result does not depend on how points are put together. */
#include "explore/maps_int.h"

#include <string.h>

typedef float vector __attribute__((vector_size(V * sizeof(float))));
#define TOGETHER (ST_REPEL_LANES / V)

static inline vector load(const float *from) {
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline __attribute__((always_inline)) void repel(const st_repel *r, int dims, int first) {
    vector x[ST_MAP_MAX_DIMS][TOGETHER], force[ST_MAP_MAX_DIMS][TOGETHER] = {0}, sum[TOGETHER] = {0};
    for (int c = 0; c < dims; c++)
        for (int t = 0; t < TOGETHER; t++)
            x[c][t] = load(r->point[c] + first + t * V);
    for (int64_t j = 0; j < r->n_masses; j++) {
        vector at[ST_MAP_MAX_DIMS];
        for (int c = 0; c < dims; c++)
            at[c] = r->at[c][j] - (vector){0};
        const vector mass = r->mass[j] - (vector){0};
        for (int t = 0; t < TOGETHER; t++) {
            vector difference[ST_MAP_MAX_DIMS], square = 1 - (vector){0};
            for (int c = 0; c < dims; c++) {
                difference[c] = x[c][t] - at[c];
                square += difference[c] * difference[c];
            }
            const vector w = 1 / square, share = mass * w, pull = share * w;
            sum[t] += share;
            for (int c = 0; c < dims; c++)
                force[c][t] += pull * difference[c];
        }
    }
    for (int t = 0; t < TOGETHER; t++) {
        memcpy(r->sum_w + first + t * V, &sum[t], sizeof(vector));
        for (int c = 0; c < dims; c++)
            memcpy(r->force[c] + first + t * V, &force[c][t], sizeof(vector));
    }
}

void ST_REPEL(const st_repel *r) {
    for (int first = 0; first < r->n_points; first += ST_REPEL_LANES)
        if (r->dims == 2)
            repel(r, 2, first);
        else
            repel(r, 3, first);
}
