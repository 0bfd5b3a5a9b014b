#include <cblas.h>

#include "base/memory.h"
#include "explore/pca_int.h"

#define TILE ST_PCA_TILE
#define WIDE ST_PCA_WIDE

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

double *st_doubles(int64_t n, int64_t each, const char *what, strait_error *err) {
    double *block = st_alloc((size_t)n, (size_t)each * sizeof *block);
    if (!block) st_fail_memory(err, (size_t)n * (size_t)each * sizeof *block, what);
    return block;
}

strait_status st_centred_open(st_centred *c, const st_rows *x, const double *mean, int threads, strait_error *err) {
    *c = (st_centred){.x = *x, .mean = mean};
    ST_TRY(st_pool_new(&c->pool, st_explore_threads(threads), NULL, err));
    c->scratch = st_doubles(st_pool_size(c->pool), 2 * TILE * WIDE, "tiles of samples", err);
    if (c->scratch) return STRAIT_OK;
    st_pool_free(c->pool);
    c->pool = NULL;
    return STRAIT_MEMORY;
}

void st_centred_close(st_centred *c) {
    if (c->pool) st_pool_free(c->pool);
    st_free(c->scratch);
    *c = (st_centred){0};
}

static double *scratch_of(const st_centred *c, int worker) {
    return c->scratch + (int64_t)worker * 2 * TILE * WIDE;
}

/* tile [count, width] = samples first.., features from.. less their mean. */
static void centre(double *tile, const st_centred *c, int64_t first, int64_t count, int64_t from, int64_t width) {
    const double *mean = c->mean + from;
    for (int64_t i = 0; i < count; i++) {
        const float *row = c->x.values + (first + i) * c->x.d + from;
        for (int64_t j = 0; j < width; j++)
            tile[i * width + j] = (double)row[j] - mean[j];
    }
}

/* out [m, n] = factor op(a) op(b) + keep out, summed over k. */
typedef struct factors {
    const double *a, *b;
    int64_t lda, ldb;
    bool turn_a, turn_b;
} factors;
static void multiply(double *out, int64_t ld, int64_t m, int64_t n, int64_t k, double factor, factors f, double keep) {
    cblas_dgemm(CblasRowMajor, f.turn_a ? CblasTrans : CblasNoTrans, f.turn_b ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, factor, f.a, (blasint)f.lda, f.b, (blasint)f.ldb, keep, out, (blasint)ld);
}

/* Tile t of the upper half of a square cut into `side` by `side` tiles, row by row. */
static void place(int64_t *row, int64_t *column, int64_t t, int64_t side) {
    *row = 0;
    while (t >= side - *row)
        t -= side - (*row)++;
    *column = *row + t;
}

static int64_t n_tiles(int64_t side) {
    return side * (side + 1) / 2;
}

/* ---- products of samples, or of features, with one another ---- */

typedef struct squares {
    double *out;
    const st_centred *c;
    bool samples;
    int64_t side;
    double factor;
} squares;

static void squares_work(void *context, int64_t t, int64_t end, int worker) {
    const squares *s = context;
    const int64_t size = s->samples ? s->c->x.n : s->c->x.d, sum = s->samples ? s->c->x.d : s->c->x.n;
    double *a = scratch_of(s->c, worker), *b = a + TILE * WIDE;
    for (; t < end; t++) {
        int64_t row, column;
        place(&row, &column, t, s->side);
        row *= TILE;
        column *= TILE;
        const int64_t m = least(TILE, size - row), n = least(TILE, size - column);
        for (int64_t k = 0; k < sum; k += WIDE) {
            const int64_t wide = least(WIDE, sum - k);
            if (s->samples) {
                centre(a, s->c, row, m, k, wide);
                centre(b, s->c, column, n, k, wide);
            } else {
                centre(a, s->c, k, wide, row, m);
                centre(b, s->c, k, wide, column, n);
            }
            const factors f = {a, b, s->samples ? wide : m, s->samples ? wide : n, !s->samples, s->samples};
            multiply(s->out + row * size + column, size, m, n, wide, s->factor, f, 1);
        }
    }
}

void st_centred_squares(double *out, const st_centred *c, bool samples, double factor) {
    const int64_t size = samples ? c->x.n : c->x.d, side = (size + TILE - 1) / TILE;
    squares s = {out, c, samples, side, factor};
    st_chunks(c->pool, n_tiles(side), 1, squares_work, &s);
}

typedef struct inner {
    double *out;
    const double *z;
    bool turned;
    int64_t count, k, side;
    double factor;
} inner;

static void inner_work(void *context, int64_t t, int64_t end, int worker) {
    const inner *s = context;
    (void)worker;
    for (; t < end; t++) {
        int64_t row, column;
        place(&row, &column, t, s->side);
        row *= TILE;
        column *= TILE;
        const int64_t ld = s->turned ? s->k : s->count, step = s->turned ? 1 : s->count;
        const factors f = {s->z + row * step, s->z + column * step, ld, ld, s->turned, !s->turned};
        multiply(s->out + row * s->k + column, s->k, least(TILE, s->k - row), least(TILE, s->k - column), s->count,
                 s->factor, f, 1);
    }
}

void st_add_squares(double *out, const st_centred *c, const double *z, bool turned, int64_t count, int64_t k,
                    double factor) {
    inner s = {out, z, turned, count, k, (k + TILE - 1) / TILE, factor};
    st_chunks(c->pool, n_tiles(s.side), 1, inner_work, &s);
}

/* ---- products of samples with components, of scores with samples ---- */

typedef struct projection {
    double *score, *square;
    const st_centred *c;
    int64_t first;
    const double *component;
    int64_t k;
} projection;

static void project_work(void *context, int64_t first, int64_t end, int worker) {
    const projection *p = context;
    const int64_t d = p->c->x.d, count = end - first;
    double *tile = scratch_of(p->c, worker), square = 0;
    for (int64_t j = 0; j < d; j += WIDE) {
        const int64_t wide = least(WIDE, d - j);
        centre(tile, p->c, p->first + first, count, j, wide);
        const factors f = {tile, p->component + j, wide, d, false, true};
        multiply(p->score + first * p->k, p->k, count, p->k, wide, 1, f, j > 0);
        if (p->square) square += cblas_ddot((blasint)(count * wide), tile, 1, tile, 1);
    }
    if (p->square) p->square[first / TILE] = square;
}

void st_centred_project(double *score, double *square, const st_centred *c, int64_t first, int64_t count,
                        const double *component, int64_t k) {
    projection p = {score, square, c, first, component, k};
    st_chunks(c->pool, count, TILE, project_work, &p);
}

typedef struct combination {
    double *out;
    const st_centred *c;
    int64_t first, count;
    const double *weight;
    bool turned;
    int64_t ld, k;
} combination;

static void combine_work(void *context, int64_t from, int64_t end, int worker) {
    const combination *p = context;
    double *tile = scratch_of(p->c, worker);
    for (int64_t i = 0; i < p->count; i += TILE) {
        const int64_t count = least(TILE, p->count - i);
        centre(tile, p->c, p->first + i, count, from, end - from);
        const factors f = {p->weight + i * (p->turned ? p->ld : 1), tile, p->ld, end - from, p->turned, false};
        multiply(p->out + from, p->c->x.d, p->k, end - from, count, 1, f, 1);
    }
}

void st_centred_combine(double *out, const st_centred *c, int64_t first, int64_t count, const double *weight,
                        bool turned, int64_t ld, int64_t k) {
    combination p = {out, c, first, count, weight, turned, ld, k};
    st_chunks(c->pool, c->x.d, WIDE, combine_work, &p);
}
