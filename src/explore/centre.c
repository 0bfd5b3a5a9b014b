/* Centres of samples, and samples by their distance to one. */
#include <strait/explore_scores.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "explore/explore_int.h"

/* The chosen rows of x. */
typedef struct choice {
    st_rows x;
    const int64_t *rows; /* NULL: all */
    int64_t n;
} choice;

static const float *row_at(const choice *c, int64_t i) {
    return c->x.values + (c->rows ? c->rows[i] : i) * c->x.d;
}

static strait_status choose(choice *c, const strait_array *x, const int64_t *rows, int64_t n_rows, strait_error *err) {
    ST_TRY(st_explore_rows(&c->x, x, "the data", err));
    c->rows = rows;
    c->n = rows ? n_rows : c->x.n;
    if (c->n < 1) return st_fail(err, STRAIT_ARGUMENT, "no samples are chosen");
    for (int64_t i = 0; rows && i < n_rows; i++)
        if (rows[i] < 0 || rows[i] >= c->x.n)
            return st_fail(err, STRAIT_ARGUMENT, "there is no sample %lld; the data has %lld", (long long)rows[i],
                           (long long)c->x.n);
    return STRAIT_OK;
}

static void take_mean(double *centre, const choice *c) {
    for (int64_t j = 0; j < c->x.d; j++)
        centre[j] = 0;
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < c->x.d; j++)
            centre[j] += (double)row_at(c, i)[j];
    for (int64_t j = 0; j < c->x.d; j++)
        centre[j] /= (double)c->n;
}

/* ---- median of each feature ---- */

/* Brings the value of rank `rank` to its place, lesser ones before it: Hoare's selection, its pivot the median of
   three. */
static void select_rank(float *value, int64_t n, int64_t rank) {
    int64_t low = 0, high = n - 1;
    while (low < high) {
        const float a = value[low], b = value[low + (high - low) / 2], c = value[high];
        const float pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        int64_t i = low, j = high;
        while (i <= j) {
            while (value[i] < pivot)
                i++;
            while (value[j] > pivot)
                j--;
            if (i > j) break;
            const float other = value[i];
            value[i++] = value[j];
            value[j--] = other;
        }
        if (rank <= j)
            high = j;
        else if (rank >= i)
            low = i;
        else
            return;
    }
}

static double median(float *value, int64_t n) {
    const int64_t middle = n / 2;
    select_rank(value, n, middle);
    if (n % 2 == 1) return (double)value[middle];
    float below = value[0];
    for (int64_t i = 1; i < middle; i++)
        below = value[i] > below ? value[i] : below;
    return ((double)below + (double)value[middle]) / 2;
}

static strait_status take_median(double *centre, const choice *c, strait_error *err) {
    float *value = st_alloc((size_t)c->n, sizeof *value);
    if (!value) return st_fail_memory(err, (size_t)c->n * sizeof *value, "a median");
    for (int64_t j = 0; j < c->x.d; j++) {
        for (int64_t i = 0; i < c->n; i++)
            value[i] = row_at(c, i)[j];
        centre[j] = median(value, c->n);
    }
    st_free(value);
    return STRAIT_OK;
}

/* ---- geometric median ----
   Weiszfeld's step goes to the mean of the samples weighted by 1 / distance. It is not defined at a sample; there Vardi
   and Zhang's is taken: with R the sum of unit vectors to the other samples, the sample is the median when |R| is at
   most the number of samples at this place, and otherwise a part of the step leads away. Steps towards a median that is
   a sample become ever smaller, so the nearest sample is asked too, once while it stays the nearest. */

#define MOST_STEPS 10000
#define SMALL_STEP 1e-13 /* relative to the mean distance */

typedef struct weiszfeld {
    const choice *c;
    double *next;    /* [d]: the mean weighted by 1 / distance, of the samples elsewhere */
    double *pull;    /* [d]: R */
    double weight;   /* sum of 1 / distance */
    double distance; /* mean */
    int64_t here;    /* samples at this place */
    int64_t nearest; /* the chosen sample nearest to it */
} weiszfeld;

static double distance_to(const float *row, const double *at, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) {
        const double difference = (double)row[j] - at[j];
        sum += difference * difference;
    }
    return sqrt(sum);
}

/* Looks around from a place. */
static void look(weiszfeld *w, const double *at) {
    const int64_t d = w->c->x.d;
    double least = INFINITY;
    w->weight = w->distance = 0;
    w->here = 0;
    for (int64_t j = 0; j < d; j++)
        w->next[j] = w->pull[j] = 0;
    for (int64_t i = 0; i < w->c->n; i++) {
        const float *row = row_at(w->c, i);
        const double distance = distance_to(row, at, d);
        if (distance < least) {
            least = distance;
            w->nearest = i;
        }
        if (distance == 0) {
            w->here++;
            continue;
        }
        const double weight = 1 / distance;
        w->weight += weight;
        w->distance += distance / (double)w->c->n;
        for (int64_t j = 0; j < d; j++) {
            w->next[j] += weight * (double)row[j];
            w->pull[j] += weight * ((double)row[j] - at[j]);
        }
    }
    for (int64_t j = 0; j < d && w->weight > 0; j++)
        w->next[j] /= w->weight;
}

static double length_of(const double *vector, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += vector[j] * vector[j];
    return sqrt(sum);
}

/* After look(): is this place, where samples are, the median? */
static bool is_median(const weiszfeld *w) {
    return w->here > 0 && length_of(w->pull, w->c->x.d) <= (double)w->here;
}

/* After look(): moves `at`; gives how far. */
static double step(const weiszfeld *w, double *at) {
    const int64_t d = w->c->x.d;
    const double pull = length_of(w->pull, d), stay = w->here > 0 ? fmin(1, (double)w->here / pull) : 0;
    double moved = 0;
    for (int64_t j = 0; j < d; j++) {
        const double to = (1 - stay) * w->next[j] + stay * at[j];
        moved += (to - at[j]) * (to - at[j]);
        at[j] = to;
    }
    return sqrt(moved);
}

/* trial [d]: where the nearest sample is tried. */
static void find_geometric_median(double *at, weiszfeld *w, double *trial) {
    const int64_t d = w->c->x.d;
    int64_t tried = -1;
    for (int s = 0; s < MOST_STEPS; s++) {
        look(w, at);
        if (is_median(w) || w->here == w->c->n) return;
        if (w->nearest != tried && w->here == 0) {
            tried = w->nearest;
            for (int64_t j = 0; j < d; j++)
                trial[j] = (double)row_at(w->c, tried)[j];
            look(w, trial);
            if (is_median(w)) {
                memcpy(at, trial, (size_t)d * sizeof *at);
                return;
            }
            look(w, at);
        }
        if (step(w, at) <= SMALL_STEP * w->distance) return;
    }
}

static strait_status take_geometric_median(double *centre, const choice *c, strait_error *err) {
    const size_t d = (size_t)c->x.d;
    double *memory = st_alloc(d, 3 * sizeof *memory);
    if (!memory) return st_fail_memory(err, d * 3 * sizeof *memory, "a geometric median");
    weiszfeld w = {.c = c, .next = memory, .pull = memory + d};
    take_mean(centre, c);
    find_geometric_median(centre, &w, memory + 2 * d);
    st_free(memory);
    return STRAIT_OK;
}

STRAIT_API strait_status strait_centre(double *centre, const strait_array *x, const int64_t *rows, int64_t n_rows,
                                       strait_centre_kind kind, strait_error *err) {
    choice c;
    ST_TRY(choose(&c, x, rows, n_rows, err));
    switch (kind) {
    case STRAIT_CENTRE_MEAN: take_mean(centre, &c); return STRAIT_OK;
    case STRAIT_CENTRE_MEDIAN: return take_median(centre, &c, err);
    case STRAIT_CENTRE_GEOMETRIC: return take_geometric_median(centre, &c, err);
    }
    return st_fail(err, STRAIT_ARGUMENT, "centre %d is not known", (int)kind);
}

/* ---- ranks ---- */

typedef struct ranked {
    double distance;
    int64_t row;
} ranked;

static int by_distance(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->distance != q->distance) return p->distance < q->distance ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

static double cosine_distance(const float *row, const double *centre, int64_t d) {
    double dot = 0, aa = 0, bb = 0;
    for (int64_t j = 0; j < d; j++) {
        const double a = (double)row[j], b = centre[j];
        dot += a * b;
        aa += a * a;
        bb += b * b;
    }
    if (aa == 0 || bb == 0) return aa == bb ? 0 : 1;
    return fmax(1 - dot / (sqrt(aa) * sqrt(bb)), 0);
}

STRAIT_API strait_status strait_rank(int64_t *order, double *distance, const strait_array *x, const int64_t *rows,
                                     int64_t n_rows, const double *centre, strait_metric metric, strait_error *err) {
    choice c;
    ST_TRY(choose(&c, x, rows, n_rows, err));
    for (int64_t j = 0; j < c.x.d; j++)
        if (!isfinite(centre[j]))
            return st_fail(err, STRAIT_ARGUMENT, "value %lld of the centre is not finite", (long long)j);
    ranked *all = st_alloc((size_t)c.n, sizeof *all);
    if (!all) return st_fail_memory(err, (size_t)c.n * sizeof *all, "ranks");
    for (int64_t i = 0; i < c.n; i++) {
        const float *row = row_at(&c, i);
        all[i].row = rows ? rows[i] : i;
        all[i].distance =
            metric == STRAIT_METRIC_COSINE ? cosine_distance(row, centre, c.x.d) : distance_to(row, centre, c.x.d);
    }
    qsort(all, (size_t)c.n, sizeof *all, by_distance);
    for (int64_t i = 0; i < c.n; i++) {
        order[i] = all[i].row;
        distance[i] = all[i].distance;
    }
    st_free(all);
    return STRAIT_OK;
}
