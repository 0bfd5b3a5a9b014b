/* The layout of UMAP by stochastic gradient descent.

   Invariants:
   1. The result depends on the seed alone, not on the threads. Points are dealt to SETS sets by their number; in an
   epoch the sets move one after another. A point that moves reads the others where they stood before its set began, and
      its own place as it goes, and writes only its own new place; the new places come in when the set is done.
   2. An edge of share f is used in the epochs e where the whole part of e f grows: as often as its weight says, evenly.
      Both ends see the same f, so both move in the same epochs, each by itself. The usual form goes along every
      edge from both of its ends and moves both each time: here a point is pulled twice by an edge it uses; a new
      sample too, or it would be pushed as hard as in the fit and pulled half as hard.
   3. Random draws are functions of (seed, epoch, point). */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/umap_int.h"

#define SETS 8
#define CHUNK 128
#define PULLS 2         /* along an edge each time it is used */
#define PUSHES 5        /* random points each time */
#define MOST 4.0F       /* of a step's gradient in one dimension */
#define LAYOUT_EPOCH 16 /* draws of epoch e have the number LAYOUT_EPOCH + e; below are other purposes */

typedef struct epoch {
    const st_layout *layout;
    const float *others;
    int64_t n_others;
    float *next; /* [n, dims]: new places of the set at work */
    int number;
    int64_t set; /* -1: all points */
    float rate, a, b;
} epoch;

/* Random words of a point in an epoch, in their order. */
typedef struct draws {
    uint32_t key[2], counter[4], word[4];
    int left;
} draws;

static uint32_t draw(draws *d) {
    if (d->left == 0) {
        st_philox(d->word, d->counter, d->key);
        d->counter[0]++;
        d->left = 4;
    }
    return d->word[--d->left];
}

static inline float clip(float x) {
    return x > MOST ? MOST : x < -MOST ? -MOST : x;
}

/* One step of y along the line to other: toward it, or away from it. */
static inline __attribute__((always_inline)) void move(const epoch *s, float *y, const float *other, int dims,
                                                       bool toward) {
    float difference[ST_MAP_MAX_DIMS], square = 0, factor = 0;
    for (int c = 0; c < dims; c++) {
        difference[c] = y[c] - other[c];
        square += difference[c] * difference[c];
    }
    if (!(square > 0)) return;
    const float power = powf(square, s->b);
    if (toward)
        factor = -2 * s->a * s->b * power / (square * (s->a * power + 1));
    else
        factor = 2 * s->b / ((0.001F + square) * (s->a * power + 1));
    for (int c = 0; c < dims; c++)
        y[c] += clip(factor * difference[c]) * s->rate;
}

static inline __attribute__((always_inline)) void move_point(const epoch *s, int64_t i, int dims) {
    const st_layout *l = s->layout;
    float y[ST_MAP_MAX_DIMS];
    draws d = {.key = {(uint32_t)l->seed, (uint32_t)(l->seed >> 32)},
               .counter = {0, (uint32_t)i, (uint32_t)(LAYOUT_EPOCH + s->number), ST_RNG_MAP}};
    const bool fit = l->others == NULL;
    const float now = (float)s->number, before = (float)(s->number - 1);
    for (int c = 0; c < dims; c++)
        y[c] = l->y[i * dims + c];
    for (int64_t e = l->edges->start[i]; e < l->edges->start[i + 1]; e++) {
        const float share = l->edges->weight[e];
        if ((int)(now * share) == (int)(before * share)) continue;
        const float *other = s->others + (int64_t)l->edges->index[e] * dims;
        for (int pull = 0; pull < PULLS; pull++)
            move(s, y, other, dims, true);
        for (int push = 0; push < PUSHES; push++) {
            const int64_t j = (int64_t)((uint64_t)draw(&d) * (uint64_t)s->n_others >> 32);
            if (!fit || j != i) move(s, y, s->others + j * dims, dims, false);
        }
    }
    for (int c = 0; c < dims; c++)
        s->next[i * dims + c] = y[c];
}

static void move_points(void *context, int64_t first, int64_t end, int worker) {
    const epoch *s = context;
    (void)worker;
    for (int64_t at = first; at < end; at++) {
        const int64_t i = at * SETS + s->set;
        if (s->layout->dims == 2)
            move_point(s, i, 2);
        else
            move_point(s, i, 3);
    }
}

static void move_set(epoch *s, int64_t set, st_pool *pool) {
    const st_layout *l = s->layout;
    if (set >= l->edges->n) return;
    s->set = set;
    st_chunks(pool, (l->edges->n - set + SETS - 1) / SETS, CHUNK, move_points, s);
    for (int64_t i = set; i < l->edges->n; i += SETS)
        memcpy(l->y + i * l->dims, s->next + i * l->dims, (size_t)l->dims * sizeof *l->y);
}

strait_status st_umap_layout(const st_layout *l, st_pool *pool, strait_error *err) {
    const bool fit = l->others == NULL;
    epoch s = {.layout = l,
               .others = fit ? l->y : l->others,
               .n_others = fit ? l->edges->n : l->n_others,
               .next = st_alloc((size_t)l->edges->n, (size_t)l->dims * sizeof(float)),
               .a = (float)l->curve.a,
               .b = (float)l->curve.b};
    if (!s.next) return st_fail_memory(err, (size_t)(l->edges->n * l->dims) * sizeof(float), "UMAP's layout");
    strait_status status = STRAIT_OK;
    for (s.number = 1; s.number <= l->epochs && status == STRAIT_OK; s.number++) {
        const double done = (double)(s.number - 1) / l->epochs;
        if (!st_explore_tell(l->progress, l->context, done, (double)NAN))
            status =
                st_fail(err, STRAIT_INTERRUPTED, "UMAP was stopped after %d of %d epochs", s.number - 1, l->epochs);
        s.rate = (float)(l->rate * (1 - done));
        for (int64_t set = 0; set < SETS && status == STRAIT_OK; set++)
            move_set(&s, set, pool);
    }
    st_free(s.next);
    return status;
}
