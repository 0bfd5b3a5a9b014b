/* Repulsive forces by a tree (Barnes and Hut 1986; van der Maaten 2014), for groups of points.

   Invariants:
   1. Points stand in the order of their Morton codes: a node of the tree is a range of them. A node with one child is
      not made, so there are fewer than 2 n nodes.
   2. The groups are the greatest nodes of at most GROUP points. The tree is walked once for a group: a node stands for
      its points by mass and centre where its side is below theta times its least distance from the group's box; so all
      of the group's points see it under an angle no wider than a walk for that point alone would allow. What does not
   is opened, a leaf into its points.
   3. A group's list of masses, and the order of it, depends on the points alone; groups are summed in their order. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "explore/maps_int.h"

#define GROUP 64
#define LEAF 8
#define STACK 256 /* a walk holds at most 7 waiting children a level of 16 */

typedef struct node {
    float centre[ST_MAP_MAX_DIMS], low[ST_MAP_MAX_DIMS], high[ST_MAP_MAX_DIMS]; /* low, high: the points' box */
    float mass, square_side;
    int32_t first, end, child; /* child: the first one */
    int32_t n_children;
} node;

typedef struct list {
    float *at[ST_MAP_MAX_DIMS], *mass; /* [n] each */
    int64_t n;
} list;

struct st_repulsion {
    int64_t n;
    int dims;
    float square_theta;
    st_pool *pool;
    void (*repel)(const st_repel *repel);
    uint32_t *code, *code_other; /* [n]; the other ones are scratch of the sort */
    int32_t *order, *order_other;
    float *sorted[ST_MAP_MAX_DIMS]; /* [n] each */
    node *nodes;
    int32_t n_nodes;
    int32_t *group; /* [n]: nodes */
    int64_t n_groups;
    double *group_sum; /* [n] */
    list *lists;       /* [workers] */
    float *list_values;
    float *force; /* of the computation at work */
};

/* ---- order ---- */

static uint32_t spread_by_2(uint32_t x) { /* 16 bits: one zero between each two */
    x = (x | x << 8) & 0x00FF00FFU;
    x = (x | x << 4) & 0x0F0F0F0FU;
    x = (x | x << 2) & 0x33333333U;
    return (x | x << 1) & 0x55555555U;
}

static uint32_t spread_by_3(uint32_t x) { /* 10 bits: two zeros between each two */
    x = (x | x << 16) & 0x030000FFU;
    x = (x | x << 8) & 0x0300F00FU;
    x = (x | x << 4) & 0x030C30C3U;
    return (x | x << 2) & 0x09249249U;
}

static int levels_of(int dims) {
    return dims == 2 ? 16 : 10;
}

static void make_codes(st_repulsion *r, const float *y) {
    float low[ST_MAP_MAX_DIMS], side = 0;
    const int dims = r->dims;
    for (int c = 0; c < dims; c++) {
        float high = y[c];
        low[c] = y[c];
        for (int64_t i = 1; i < r->n; i++) {
            low[c] = fminf(low[c], y[i * dims + c]);
            high = fmaxf(high, y[i * dims + c]);
        }
        side = fmaxf(side, high - low[c]);
    }
    const float most = (float)((1 << levels_of(dims)) - 1), scale = side > 0 ? most / side : 0;
    for (int64_t i = 0; i < r->n; i++) {
        uint32_t code = 0;
        for (int c = 0; c < dims; c++) {
            const uint32_t cell = (uint32_t)fminf((y[i * dims + c] - low[c]) * scale, most);
            code |= (dims == 2 ? spread_by_2(cell) : spread_by_3(cell)) << c;
        }
        r->code[i] = code;
        r->order[i] = (int32_t)i;
    }
}

/* Sorts by code; equal codes keep their order. */
static void sort_codes(st_repulsion *r) {
    enum { BITS = 8, BINS = 1 << BITS };
    for (int shift = 0; shift < 32; shift += BITS) {
        int64_t begin[BINS + 1] = {0};
        for (int64_t i = 0; i < r->n; i++)
            begin[(r->code[i] >> shift & (BINS - 1)) + 1]++;
        for (int b = 0; b < BINS; b++)
            begin[b + 1] += begin[b];
        for (int64_t i = 0; i < r->n; i++) {
            const int64_t to = begin[r->code[i] >> shift & (BINS - 1)]++;
            r->code_other[to] = r->code[i];
            r->order_other[to] = r->order[i];
        }
        uint32_t *const code = r->code;
        int32_t *const order = r->order;
        r->code = r->code_other;
        r->order = r->order_other;
        r->code_other = code;
        r->order_other = order;
    }
}

/* ---- the tree ---- */

static void sum_points(const st_repulsion *r, node *at) {
    for (int c = 0; c < r->dims; c++) {
        const float *x = r->sorted[c];
        double sum = 0;
        at->low[c] = at->high[c] = x[at->first];
        for (int32_t i = at->first; i < at->end; i++) {
            sum += (double)x[i];
            at->low[c] = fminf(at->low[c], x[i]);
            at->high[c] = fmaxf(at->high[c], x[i]);
        }
        at->centre[c] = (float)(sum / (at->end - at->first));
    }
}

static void sum_children(const st_repulsion *r, node *at) {
    for (int c = 0; c < r->dims; c++) {
        const node *child = r->nodes + at->child;
        double sum = 0;
        at->low[c] = child->low[c];
        at->high[c] = child->high[c];
        for (int k = 0; k < at->n_children; k++, child++) {
            sum += (double)child->mass * (double)child->centre[c];
            at->low[c] = fminf(at->low[c], child->low[c]);
            at->high[c] = fmaxf(at->high[c], child->high[c]);
        }
        at->centre[c] = (float)(sum / (double)at->mass);
    }
}

/* The first of first..end-1 whose digit at shift is above this one. */
static int32_t end_of_digit(const uint32_t *code, int32_t first, int32_t end, int shift, uint32_t mask,
                            uint32_t digit) {
    while (first < end) {
        const int32_t middle = first + (end - first) / 2;
        if ((code[middle] >> shift & mask) > digit)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/* Makes at's children; level: of the digit in which they differ at the earliest, -1: none is left. */
static void grow(st_repulsion *r, int32_t index, int level, bool in_group) {
    node *at = r->nodes + index;
    const int dims = r->dims;
    const uint32_t mask = (1U << dims) - 1;
    at->mass = (float)(at->end - at->first);
    if (!in_group && (at->end - at->first <= GROUP || level < 0)) {
        r->group[r->n_groups++] = index;
        in_group = true;
    }
    const uint32_t apart = r->code[at->first] ^ r->code[at->end - 1];
    while (level >= 0 && apart >> (level * dims) == 0)
        level--;
    if (at->end - at->first <= LEAF || level < 0) {
        if (!in_group) r->group[r->n_groups++] = index;
        sum_points(r, at);
    } else {
        const int shift = level * dims;
        at->child = r->n_nodes;
        for (int32_t first = at->first; first < at->end; at->n_children++) {
            const int32_t end = end_of_digit(r->code, first, at->end, shift, mask, r->code[first] >> shift & mask);
            r->nodes[r->n_nodes++] = (node){.first = first, .end = end};
            first = end;
        }
        for (int32_t k = 0; k < at->n_children; k++)
            grow(r, at->child + k, level - 1, in_group);
        sum_children(r, at);
    }
    float side = 0;
    for (int c = 0; c < dims; c++)
        side = fmaxf(side, at->high[c] - at->low[c]);
    at->square_side = side * side;
}

static void make_tree(st_repulsion *r, const float *y) {
    make_codes(r, y);
    sort_codes(r);
    for (int c = 0; c < r->dims; c++)
        for (int64_t i = 0; i < r->n; i++)
            r->sorted[c][i] = y[(int64_t)r->order[i] * r->dims + c];
    r->nodes[0] = (node){.first = 0, .end = (int32_t)r->n};
    r->n_nodes = 1;
    r->n_groups = 0;
    grow(r, 0, levels_of(r->dims) - 1, false);
}

/* ---- the walk ---- */

static float square_distance(const node *group, const float *centre, int dims) {
    float square = 0;
    for (int c = 0; c < dims; c++) {
        const float outside = fmaxf(fmaxf(group->low[c] - centre[c], centre[c] - group->high[c]), 0);
        square += outside * outside;
    }
    return square;
}

static void list_masses(const st_repulsion *r, const node *group, list *masses) {
    int32_t waiting[STACK];
    int n_waiting = 1;
    waiting[0] = 0;
    masses->n = 0;
    while (n_waiting > 0) {
        const node *at = r->nodes + waiting[--n_waiting];
        if (at->square_side < r->square_theta * square_distance(group, at->centre, r->dims)) {
            for (int c = 0; c < r->dims; c++)
                masses->at[c][masses->n] = at->centre[c];
            masses->mass[masses->n++] = at->mass;
        } else if (at->n_children == 0) {
            const size_t n = (size_t)(at->end - at->first);
            for (int c = 0; c < r->dims; c++)
                memcpy(masses->at[c] + masses->n, r->sorted[c] + at->first, n * sizeof(float));
            for (size_t i = 0; i < n; i++)
                masses->mass[masses->n++] = 1;
        } else {
            for (int32_t k = at->n_children - 1; k >= 0; k--)
                waiting[n_waiting++] = at->child + k;
        }
    }
}

/* Up to GROUP points of a group against its list; returns their sum of w without the points' own 1. */
static double repel_points(const st_repulsion *r, const list *masses, int32_t first, int32_t end) {
    float point[ST_MAP_MAX_DIMS][GROUP], force[ST_MAP_MAX_DIMS][GROUP], sum_w[GROUP];
    const int n = end - first;
    st_repel job = {.dims = r->dims, .n_masses = masses->n, .mass = masses->mass, .sum_w = sum_w};
    job.n_points = (n + ST_REPEL_LANES - 1) / ST_REPEL_LANES * ST_REPEL_LANES;
    for (int c = 0; c < r->dims; c++) {
        for (int i = 0; i < job.n_points; i++)
            point[c][i] = r->sorted[c][i < n ? first + i : first];
        job.point[c] = point[c];
        job.at[c] = masses->at[c];
        job.force[c] = force[c];
    }
    r->repel(&job);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += (double)sum_w[i] - 1;
        for (int c = 0; c < r->dims; c++)
            r->force[(int64_t)r->order[first + i] * r->dims + c] = force[c][i];
    }
    return sum;
}

static void repel_groups(void *context, int64_t first, int64_t end, int worker) {
    st_repulsion *r = context;
    list *masses = &r->lists[worker];
    for (int64_t g = first; g < end; g++) {
        const node *group = r->nodes + r->group[g];
        list_masses(r, group, masses);
        r->group_sum[g] = 0;
        for (int32_t i = group->first; i < group->end; i += GROUP)
            r->group_sum[g] += repel_points(r, masses, i, i + GROUP < group->end ? i + GROUP : group->end);
    }
}

double st_repulsion_compute(st_repulsion *r, float *force, const float *y) {
    make_tree(r, y);
    r->force = force;
    st_chunks(r->pool, r->n_groups, 4, repel_groups, r);
    double z = 0;
    for (int64_t g = 0; g < r->n_groups; g++)
        z += r->group_sum[g];
    return z;
}

/* ---- making one ---- */

static void (*best_repel(void))(const st_repel *) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return st_repel_avx2;
#endif
    return st_repel_generic;
}

static strait_status take_memory(st_repulsion *r, strait_error *err) {
    const size_t n = (size_t)r->n, workers = (size_t)st_pool_size(r->pool), columns = (size_t)r->dims + 1;
    bool ok = (r->code = st_alloc(n, sizeof *r->code)) != NULL;
    ok = ok && (r->code_other = st_alloc(n, sizeof *r->code)) != NULL;
    ok = ok && (r->order = st_alloc(n, sizeof *r->order)) != NULL;
    ok = ok && (r->order_other = st_alloc(n, sizeof *r->order)) != NULL;
    ok = ok && (r->sorted[0] = st_alloc(n, (size_t)r->dims * sizeof(float))) != NULL;
    ok = ok && (r->nodes = st_alloc(n, 2 * sizeof *r->nodes)) != NULL;
    ok = ok && (r->group = st_alloc(n, sizeof *r->group)) != NULL;
    ok = ok && (r->group_sum = st_alloc(n, sizeof *r->group_sum)) != NULL;
    ok = ok && (r->lists = st_alloc(workers, sizeof *r->lists)) != NULL;
    ok = ok && (r->list_values = st_alloc(n, workers * columns * sizeof(float))) != NULL;
    if (!ok) return st_fail_memory(err, n * (2 * sizeof *r->nodes + workers * columns * sizeof(float)), "t-SNE's tree");
    for (int c = 1; c < r->dims; c++)
        r->sorted[c] = r->sorted[0] + n * (size_t)c;
    for (size_t w = 0; w < workers; w++) {
        float *values = r->list_values + w * columns * n;
        r->lists[w].mass = values;
        for (int c = 0; c < r->dims; c++)
            r->lists[w].at[c] = values + n * (size_t)(c + 1);
    }
    return STRAIT_OK;
}

strait_status st_repulsion_new(st_repulsion **out, int64_t n, int dims, double theta, st_pool *pool,
                               strait_error *err) {
    *out = NULL;
    st_repulsion *r = st_alloc(1, sizeof *r);
    if (!r) return st_fail_memory(err, sizeof *r, "t-SNE's tree");
    *r = (st_repulsion){
        .n = n, .dims = dims, .square_theta = (float)(theta * theta), .pool = pool, .repel = best_repel()};
    const strait_status status = take_memory(r, err);
    if (status != STRAIT_OK) {
        st_repulsion_free(r);
        return status;
    }
    *out = r;
    return STRAIT_OK;
}

void st_repulsion_free(st_repulsion *r) {
    if (!r) return;
    st_free(r->code);
    st_free(r->code_other);
    st_free(r->order);
    st_free(r->order_other);
    st_free(r->sorted[0]);
    st_free(r->nodes);
    st_free(r->group);
    st_free(r->group_sum);
    st_free(r->lists);
    st_free(r->list_values);
    st_free(r);
}
