/* Approximate nearest neighbours by NN-descent (Dong, Moses, Li 2011), begun from the leaves of random projection
   trees (Dasgupta and Freund 2008), as PyNNDescent begins it.

   Invariants:
   1. A neighbour of a neighbour is likely a neighbour. In each round every sample looks at the neighbours of its
      neighbours, both ways (who has me as neighbour counts as mine), among them only at pairs where one of the two
      steps is new since the last round.
   2. Rounds read a copy of the lists and write only the sample's own list, so the result depends on the seed alone,
      not on the threads. (The paper's local join writes to both ends of a pair; here each end finds the other itself.)
   3. Lists are sorted by (distance, index) and hold no index twice and not the sample itself. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/neighbors_int.h"

#define TREES 8
#define LEAF 48
#define ROUNDS 12
#define LEAST_LIST 20    /* lists are at least that long while searching: short ones find their way badly */
#define STEPS 24         /* neighbours each way that a round looks at */
#define CHUNK 256        /* samples a chunk */
#define ENOUGH_LEFT 1e-3 /* rounds end when a smaller share of all entries changed */

typedef struct entry {
    float square;
    int32_t index;
    bool fresh; /* came in the last round */
} entry;

typedef struct step {
    int32_t index; /* -1: none */
    bool fresh;
} step;

typedef struct range {
    int64_t first, n;
} range;

typedef struct descent {
    const st_space *space;
    uint64_t seed;
    int k;            /* length of a list */
    int32_t *length;  /* [n] */
    entry *list;      /* [n, k] */
    step *steps;      /* [n, 2 STEPS]: what the round reads; nearest first, then who has the sample as neighbour */
    int64_t *changed; /* [chunks] */
    int32_t *order;   /* [n]: the samples by leaf */
    range *leaf;      /* [n]: of order */
    int64_t n_leaves;
    uint32_t *seen; /* [workers, n]: the sample that looked at this one last, + 1 */
    st_near *anew;  /* [workers, k of out] */
    strait_neighbors *out;
} descent;

static float square_of(const descent *s, int64_t a, int64_t b) {
    enum { LANES = 16 };
    const int64_t d = s->space->d;
    const float *x = s->space->near + a * d, *y = s->space->near + b * d;
    float sum[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        for (int l = 0; l < LANES; l++) {
            const float difference = x[i + l] - y[i + l];
            sum[l] += difference * difference;
        }
    for (; i < d; i++)
        rest += (x[i] - y[i]) * (x[i] - y[i]);
    for (int l = 0; l < LANES; l++)
        rest += sum[l];
    return rest;
}

/* Puts j into i's list; false when it is there or too far. */
static bool offer(descent *s, int64_t i, int32_t j, float square) {
    entry *list = s->list + i * s->k;
    int n = s->length[i];
    int at = n;
    while (at > 0 && (square < list[at - 1].square || (square == list[at - 1].square && j < list[at - 1].index)))
        at--;
    if (at == s->k || (at > 0 && list[at - 1].index == j)) return false;
    if (n == s->k) n--;
    memmove(list + at + 1, list + at, (size_t)(n - at) * sizeof *list);
    list[at] = (entry){square, j, true};
    s->length[i] = n + 1;
    return true;
}

/* ---- the trees ---- */

static void swap(int32_t *a, int32_t *b) {
    const int32_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Splits samples by the plane halfway between two of them, drawn; returns how many lie on the first side. Where one
   side would be empty (equal samples), halves them as they stand. */
static int64_t split(const descent *s, int32_t *order, int64_t n, const st_rng *rng, uint32_t position) {
    const int64_t d = s->space->d;
    const float *near = s->space->near;
    const uint64_t first_draw = st_rng_bits(rng, position), second_draw = st_rng_bits(rng, position + 1);
    const int64_t p = (int64_t)(first_draw * (uint64_t)n >> 32);
    const int64_t q = (p + 1 + (int64_t)(second_draw * (uint64_t)(n - 1) >> 32)) % n;
    const float *a = near + order[p] * d, *b = near + order[q] * d;
    float offset = 0;
    for (int64_t c = 0; c < d; c++)
        offset += (a[c] - b[c]) * (a[c] + b[c]) / 2;
    int64_t low = 0, high = n;
    while (low < high) {
        const float *x = near + order[low] * d;
        float side = -offset;
        for (int64_t c = 0; c < d; c++)
            side += (a[c] - b[c]) * x[c];
        if (side > 0)
            low++;
        else
            swap(&order[low], &order[--high]);
    }
    return low == 0 || low == n ? n / 2 : low;
}

/* Samples in the order of the leaves of the tree of this number. */
static void grow_tree(descent *s, uint32_t tree) {
    range waiting[64]; /* the larger half waits: no more than log2 n of them */
    int n_waiting = 0;
    range at = {0, s->space->n};
    const st_rng rng = {.seed = s->seed, .purpose = ST_RNG_NEIGHBORS, .sample = tree};
    uint32_t position = 0;
    s->n_leaves = 0;
    for (int64_t i = 0; i < at.n; i++)
        s->order[i] = (int32_t)i;
    for (;;) {
        while (at.n > LEAF) {
            const int64_t low = split(s, s->order + at.first, at.n, &rng, position);
            position += 2;
            const range left = {at.first, low}, right = {at.first + low, at.n - low};
            waiting[n_waiting++] = low > at.n - low ? left : right;
            at = low > at.n - low ? right : left;
        }
        s->leaf[s->n_leaves++] = at;
        if (n_waiting == 0) return;
        at = waiting[--n_waiting];
    }
}

/* All pairs within leaves; a sample lies in one leaf alone, so leaves are taken by any worker. */
static void join_leaves(void *context, int64_t first, int64_t end, int worker) {
    descent *s = context;
    (void)worker;
    for (int64_t l = first; l < end; l++) {
        const int32_t *member = s->order + s->leaf[l].first;
        for (int64_t a = 0; a < s->leaf[l].n; a++)
            for (int64_t b = a + 1; b < s->leaf[l].n; b++) {
                const float square = square_of(s, member[a], member[b]);
                offer(s, member[a], member[b], square);
                offer(s, member[b], member[a], square);
            }
    }
}

/* ---- the rounds ---- */

/* Adds i to those who have j as neighbour; where there are more than STEPS, a fair draw of them stays. */
static void add_back(descent *s, int32_t *counts, int64_t i, step to, const st_rng *rng) {
    step *back = s->steps + to.index * (2 * STEPS) + STEPS;
    uint32_t at = (uint32_t)counts[to.index]++;
    if (at >= STEPS) at = (uint32_t)((uint64_t)st_rng_bits(rng, (uint32_t)to.index) * (at + 1) >> 32);
    if (at < STEPS) back[at] = (step){(int32_t)i, to.fresh};
}

static void copy_steps(descent *s, int32_t *counts, uint32_t round) {
    const int64_t n = s->space->n;
    memset(counts, 0, (size_t)n * sizeof *counts);
    for (int64_t i = 0; i < n * 2 * STEPS; i++)
        s->steps[i].index = -1;
    for (int64_t i = 0; i < n; i++) {
        const st_rng rng = {.seed = s->seed, .purpose = ST_RNG_NEIGHBORS, .epoch = round, .sample = (uint32_t)i};
        for (int c = 0; c < s->length[i] && c < STEPS; c++) {
            entry *from = &s->list[i * s->k + c];
            s->steps[i * 2 * STEPS + c] = (step){from->index, from->fresh};
            add_back(s, counts, i, (step){from->index, from->fresh}, &rng);
            from->fresh = false;
        }
    }
}

static int64_t try_one(descent *s, uint32_t *seen, int64_t i, int32_t j) {
    if (seen[j] == (uint32_t)i + 1) return 0;
    seen[j] = (uint32_t)i + 1;
    const float square = square_of(s, i, j);
    if (s->length[i] == s->k && square > s->list[i * s->k + s->k - 1].square) return 0;
    return offer(s, i, j, square);
}

static void look_around(void *context, int64_t first, int64_t end, int worker) {
    descent *s = context;
    uint32_t *seen = s->seen + (int64_t)worker * s->space->n;
    int64_t changed = 0;
    for (int64_t i = first; i < end; i++) {
        seen[i] = (uint32_t)i + 1;
        for (int c = 0; c < s->length[i]; c++)
            seen[s->list[i * s->k + c].index] = (uint32_t)i + 1;
        const step *mine = s->steps + i * 2 * STEPS;
        for (int a = 0; a < 2 * STEPS; a++) {
            if (mine[a].index < 0) continue;
            changed += try_one(s, seen, i, mine[a].index);
            const step *theirs = s->steps + (int64_t)mine[a].index * 2 * STEPS;
            for (int b = 0; b < 2 * STEPS; b++)
                if (theirs[b].index >= 0 && (mine[a].fresh || theirs[b].fresh))
                    changed += try_one(s, seen, i, theirs[b].index);
        }
    }
    s->changed[first / CHUNK] = changed;
}

static void run_rounds(descent *s, int32_t *counts, st_pool *pool) {
    const int64_t n = s->space->n, chunks = (n + CHUNK - 1) / CHUNK;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        copy_steps(s, counts, round);
        memset(s->seen, 0, (size_t)st_pool_size(pool) * (size_t)n * sizeof *s->seen);
        st_chunks(pool, n, CHUNK, look_around, s);
        int64_t changed = 0;
        for (int64_t c = 0; c < chunks; c++)
            changed += s->changed[c];
        if ((double)changed < ENOUGH_LEFT * (double)n * s->k) return;
    }
}

/* ---- the result ---- */

/* Distances anew, directly and in double. A list that is still too short takes all samples. */
static void finish_rows(void *context, int64_t first, int64_t end, int worker) {
    descent *s = context;
    const st_space *space = s->space;
    const int64_t d = space->d;
    const int k = s->out->k;
    for (int64_t i = first; i < end; i++) {
        st_heap heap = {.size = k, .item = s->anew + (int64_t)worker * k};
        const int64_t n = s->length[i] < k ? space->n : s->length[i];
        for (int64_t c = 0; c < n; c++) {
            const int64_t j = s->length[i] < k ? c : s->list[i * s->k + c].index;
            if (j != i) st_heap_offer(&heap, st_square_distance(space->row + i * d, space->row + j * d, d), (int32_t)j);
        }
        st_near_sort(heap.item, k);
        for (int c = 0; c < k; c++) {
            s->out->index[i * k + c] = heap.item[c].index;
            s->out->distance[i * k + c] = st_space_distance(space, heap.item[c].key);
        }
    }
}

static strait_status take_memory(descent *s, int32_t **counts, int workers, strait_error *err) {
    const size_t n = (size_t)s->space->n, k = (size_t)s->k;
    s->length = st_alloc(n, sizeof *s->length);
    s->list = st_alloc(n, k * sizeof *s->list);
    s->steps = st_alloc(n, 2 * STEPS * sizeof *s->steps);
    s->changed = st_alloc(n / CHUNK + 1, sizeof *s->changed);
    s->order = st_alloc(n, sizeof *s->order);
    s->leaf = st_alloc(n, sizeof *s->leaf);
    s->seen = st_alloc((size_t)workers, n * sizeof *s->seen);
    s->anew = st_alloc((size_t)workers, (size_t)s->out->k * sizeof *s->anew);
    *counts = st_alloc(n, sizeof **counts);
    if (!s->length || !s->list || !s->steps || !s->changed || !s->order || !s->leaf || !s->seen || !s->anew || !*counts)
        return st_fail_memory(err, n * (k * sizeof *s->list + 2 * STEPS * sizeof *s->steps),
                              "the search of neighbours");
    return STRAIT_OK;
}

strait_status st_neighbors_descent(strait_neighbors *out, const st_space *space, uint64_t seed, st_pool *pool,
                                   strait_error *err) {
    descent s = {.space = space, .seed = seed, .out = out};
    int32_t *counts = NULL;
    const int wanted = out->k > LEAST_LIST ? out->k : LEAST_LIST;
    s.k = (int)(wanted < space->n - 1 ? wanted : space->n - 1);
    const strait_status status = take_memory(&s, &counts, st_pool_size(pool), err);
    if (status == STRAIT_OK) {
        for (uint32_t tree = 0; tree < TREES; tree++) {
            grow_tree(&s, tree);
            st_chunks(pool, s.n_leaves, 16, join_leaves, &s);
        }
        run_rounds(&s, counts, pool);
        st_chunks(pool, space->n, CHUNK, finish_rows, &s);
    }
    st_free(s.length);
    st_free(s.list);
    st_free(s.steps);
    st_free(s.changed);
    st_free(s.order);
    st_free(s.leaf);
    st_free(s.seen);
    st_free(s.anew);
    st_free(counts);
    return status;
}
