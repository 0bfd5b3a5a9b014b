/* The spectral start: Lanczos' method on the graph's normalised weights S = D^-1/2 W D^-1/2, every vector made
   orthogonal to all before it, twice. The first vector is S' known first eigenvector, D^1/2 times ones, so the search
   goes on among what is orthogonal to it. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/umap_int.h"

#define STEPS 160
#define CHUNK 2048
#define SPECTRAL_START 2 /* what a draw is for, within ST_RNG_MAP */

typedef struct lanczos {
    const st_graph_rows *graph;
    int64_t chunks;
    int size, at;    /* vectors there can be; there are */
    float *basis;    /* [n, size]: a sample's values of all vectors together */
    float *vector;   /* [n]: the new one */
    float *scale;    /* [n]: D^-1/2 */
    double *partial; /* [chunks, size] */
    double *shares;  /* [size]: of the basis in the vector */
} lanczos;

/* vector = S times the last of the basis. */
static void multiply_rows(void *context, int64_t first, int64_t end, int worker) {
    lanczos *l = context;
    const st_graph_rows *g = l->graph;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        double sum = 0;
        for (int64_t e = g->start[i]; e < g->start[i + 1]; e++) {
            const int64_t j = g->index[e];
            sum += (double)(g->weight[e] * l->scale[j] * l->basis[j * l->size + l->at - 1]);
        }
        l->vector[i] = (float)(sum * (double)l->scale[i]);
    }
}

static void share_rows(void *context, int64_t first, int64_t end, int worker) {
    lanczos *l = context;
    double *sum = l->partial + first / CHUNK * l->size;
    (void)worker;
    memset(sum, 0, (size_t)l->size * sizeof *sum);
    for (int64_t i = first; i < end; i++) {
        const float *mine = l->basis + i * l->size;
        const double value = (double)l->vector[i];
        for (int c = 0; c < l->at; c++)
            sum[c] += value * (double)mine[c];
    }
}

static void take_off_rows(void *context, int64_t first, int64_t end, int worker) {
    lanczos *l = context;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        const float *mine = l->basis + i * l->size;
        double sum = 0;
        for (int c = 0; c < l->at; c++)
            sum += l->shares[c] * (double)mine[c];
        l->vector[i] = (float)((double)l->vector[i] - sum);
    }
}

/* Makes the vector orthogonal to the basis; returns the share of its last one that was in it. */
static double make_orthogonal(lanczos *l, st_pool *pool) {
    double last = 0;
    for (int pass = 0; pass < 2; pass++) {
        st_chunks(pool, l->graph->n, CHUNK, share_rows, l);
        memset(l->shares, 0, (size_t)l->size * sizeof *l->shares);
        for (int64_t chunk = 0; chunk < l->chunks; chunk++)
            for (int c = 0; c < l->at; c++)
                l->shares[c] += l->partial[chunk * l->size + c];
        st_chunks(pool, l->graph->n, CHUNK, take_off_rows, l);
        last += l->shares[l->at - 1];
    }
    return last;
}

/* Puts the vector into the basis at length 1; returns the length it had, 0 (and nothing put) when next to nothing. */
static double push(lanczos *l) {
    double square = 0;
    for (int64_t i = 0; i < l->graph->n; i++)
        square += (double)l->vector[i] * (double)l->vector[i];
    const double length = sqrt(square);
    if (length < 1e-6) return 0;
    for (int64_t i = 0; i < l->graph->n; i++)
        l->basis[i * l->size + l->at] = (float)((double)l->vector[i] / length);
    l->at++;
    return length;
}

/* The first basis vector is D^1/2 ones, the second random; square [size - 1, size - 1] gets the tridiagonal matrix of
   the ones behind the first. Returns its order. */
static int iterate(lanczos *l, double *square, uint64_t seed, st_pool *pool) {
    const int64_t n = l->graph->n;
    const int side = l->size - 1;
    for (int64_t i = 0; i < n; i++)
        l->vector[i] = 1 / l->scale[i];
    push(l);
    for (int64_t i = 0; i < n; i++) {
        float draw[4];
        st_rng_normal(&(st_rng){.seed = seed, .purpose = ST_RNG_MAP, .epoch = SPECTRAL_START, .sample = (uint32_t)i}, 0,
                      draw, 4);
        l->vector[i] = draw[0];
    }
    make_orthogonal(l, pool);
    if (push(l) == 0) return 0;
    for (;;) {
        const int row = l->at - 2;
        st_chunks(pool, n, CHUNK, multiply_rows, l);
        square[row * side + row] = make_orthogonal(l, pool);
        if (l->at == l->size) return row + 1;
        const double length = push(l);
        if (length == 0) return row + 1;
        square[row * side + row + 1] = square[(row + 1) * side + row] = length;
    }
}

static strait_status take_vectors(float *y, int dims, lanczos *l, double *square, int order, strait_error *err) {
    const int side = l->size - 1;
    double *small = st_alloc((size_t)order, (size_t)order * sizeof *small);
    double *vectors = st_alloc((size_t)dims, (size_t)order * sizeof *vectors), values[ST_MAP_MAX_DIMS];
    strait_status status = STRAIT_OK;
    if (!small || !vectors) {
        status = st_fail_memory(err, (size_t)order * (size_t)order * sizeof *small, "the spectral start");
    } else {
        for (int i = 0; i < order; i++)
            memcpy(small + i * order, square + i * side, (size_t)order * sizeof *small);
        status = st_eigen(values, vectors, small, order, dims, err);
    }
    if (status == STRAIT_OK)
        for (int64_t i = 0; i < l->graph->n; i++)
            for (int c = 0; c < dims; c++) {
                double sum = 0;
                for (int k = 0; k < order; k++)
                    sum += vectors[c * order + k] * (double)l->basis[i * l->size + k + 1];
                y[i * dims + c] = (float)(sum * (double)l->scale[i]);
            }
    st_free(small);
    st_free(vectors);
    return status;
}

/* Is there a way from the first vertex to each? reached, waiting: [n] scratch. */
static bool in_one_piece(const st_graph_rows *g, int32_t *waiting, bool *reached) {
    int64_t n_waiting = 1, n_reached = 1;
    waiting[0] = 0;
    reached[0] = true;
    while (n_waiting > 0) {
        const int64_t i = waiting[--n_waiting];
        for (int64_t e = g->start[i]; e < g->start[i + 1]; e++) {
            const int32_t j = g->index[e];
            if (reached[j] || !(g->weight[e] > 0)) continue;
            reached[j] = true;
            n_reached++;
            waiting[n_waiting++] = j;
        }
    }
    return n_reached == g->n;
}

static strait_status check_pieces(bool *one, const st_graph_rows *g, strait_error *err) {
    int32_t *waiting = st_alloc((size_t)g->n, sizeof *waiting);
    bool *reached = st_alloc((size_t)g->n, sizeof *reached);
    const bool ok = waiting && reached;
    if (ok) *one = in_one_piece(g, waiting, reached);
    st_free(waiting);
    st_free(reached);
    return ok ? STRAIT_OK : st_fail_memory(err, (size_t)g->n * sizeof *waiting, "the graph's pieces");
}

static void take_scale(lanczos *l) {
    for (int64_t i = 0; i < l->graph->n; i++) {
        double sum = 0;
        for (int64_t e = l->graph->start[i]; e < l->graph->start[i + 1]; e++)
            sum += (double)l->graph->weight[e];
        l->scale[i] = (float)(1 / sqrt(sum));
    }
}

strait_status st_umap_spectral(float *y, bool *found, int dims, const st_graph_rows *graph, uint64_t seed,
                               st_pool *pool, strait_error *err) {
    *found = false;
    const int64_t n = graph->n;
    if (n < dims + 2) return STRAIT_OK;
    bool one = false;
    ST_TRY(check_pieces(&one, graph, err));
    if (!one) return STRAIT_OK;
    const int size = (int)(n < STEPS ? n : STEPS);
    lanczos l = {.graph = graph, .chunks = (n + CHUNK - 1) / CHUNK, .size = size};
    double *square = st_alloc((size_t)size, (size_t)size * sizeof *square);
    l.basis = st_alloc_aligned((size_t)n * (size_t)size * sizeof(float));
    l.vector = st_alloc((size_t)n, sizeof(float));
    l.scale = st_alloc((size_t)n, sizeof(float));
    l.partial = st_alloc((size_t)l.chunks, (size_t)size * sizeof(double));
    l.shares = st_alloc((size_t)size, sizeof(double));
    strait_status status = STRAIT_OK;
    if (!square || !l.basis || !l.vector || !l.scale || !l.partial || !l.shares) {
        status = st_fail_memory(err, (size_t)n * (size_t)size * sizeof(float), "the spectral start");
    } else {
        take_scale(&l);
        const int order = iterate(&l, square, seed, pool);
        *found = order >= dims;
        if (*found) status = take_vectors(y, dims, &l, square, order, err);
    }
    st_free(square);
    st_free(l.basis);
    st_free(l.vector);
    st_free(l.scale);
    st_free(l.partial);
    st_free(l.shares);
    return status;
}
