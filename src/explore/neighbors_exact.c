/* Exact nearest neighbours by blocked products of matrices.

   Invariants:
   1. |a - b|^2 = |a|^2 + |b|^2 - 2 ab is computed in float32 with an error below slack (|a|^2 + |b|^2): see slack_of.
      A candidate's key leaves that much out, so that key + (1 - slack) |a|^2 is never above the true squared distance.
   2. Of each row, the k + SPARE candidates with the least (key, index) are kept; their distances are then taken anew,
      directly and in double. What was thrown away has a key not below the greatest one kept. So when the k-th distance
      taken anew lies below that bound, the k are the nearest ones; else (many equal or nearly equal distances) all
      distances of the row are taken directly.
   3. Equal distances go by index. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "explore/neighbors_int.h"

#define ROWS 192  /* queries a chunk */
#define BLOCK 512 /* samples a product; a multiple of GROUP */
#define GROUP 16  /* keys looked at together */
#define DEPTH 512 /* values a product: longer sums are split, which bounds their error */
#define SPARE 16

/* ---- candidates ---- */

static bool before(st_near a, st_near b) {
    return a.key < b.key || (a.key == b.key && a.index < b.index);
}

static void sift_down(st_near *item, int n, int i) {
    const st_near moved = item[i];
    for (int child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(item[child], item[child + 1])) child++;
        if (!before(moved, item[child])) break;
        item[i] = item[child];
    }
    item[i] = moved;
}

void st_heap_offer(st_heap *heap, double key, int32_t index) {
    const st_near new = {key, index};
    if (heap->n == heap->size) {
        if (!before(new, heap->item[0])) return;
        heap->item[0] = new;
        sift_down(heap->item, heap->n, 0);
        return;
    }
    int i = heap->n++;
    for (; i > 0 && before(heap->item[(i - 1) / 2], new); i = (i - 1) / 2)
        heap->item[i] = heap->item[(i - 1) / 2];
    heap->item[i] = new;
}

void st_near_sort(st_near *item, int n) {
    for (int i = n / 2 - 1; i >= 0; i--)
        sift_down(item, n, i);
    for (int last = n - 1; last > 0; last--) {
        const st_near greatest = item[0];
        item[0] = item[last];
        item[last] = greatest;
        sift_down(item, last, 0);
    }
}

/* ---- the search ---- */

typedef struct search {
    const st_space *space;
    bool self;
    int64_t first_query; /* where the queries begin among the rows of space->near */
    int k, kept;         /* kept: candidates of a row */
    double slack;
    const float *norm; /* [n]: (1 - slack) times the samples' */
    float *keys;       /* [workers, ROWS, BLOCK] */
    float *left;       /* [workers, ROWS, d]: -2 times the queries */
    st_near *items;    /* [workers, ROWS, kept] */
    st_near *anew;     /* [workers, kept] */
    strait_neighbors *out;
} search;

/* A sum of m float32 products has a relative error below m 2^-24; over parts of DEPTH values each, DEPTH + parts. Some
   more for norms, sums and the rounding of the centred values. */
static double slack_of(int64_t d) {
    const double terms = d <= DEPTH ? (double)d : DEPTH + (double)(d / DEPTH) + 1;
    return (terms + 16) * 0x1p-24;
}

static bool any_below(const float *norm, const float *product, float limit) {
    int any = 0;
    for (int l = 0; l < GROUP; l++)
        any |= norm[l] + product[l] < limit;
    return any;
}

static void offer_range(st_heap *heap, const float *norm, const float *product, int64_t first, int64_t from, int64_t to,
                        int64_t but) {
    for (int64_t j = from; j < to; j++)
        if (first + j != but) st_heap_offer(heap, (double)(norm[j] + product[j]), (int32_t)(first + j));
}

/* Candidates first, ..., first + n - 1 of one row; `but` is left out. */
static void scan(st_heap *heap, const float *norm, const float *product, int64_t first, int64_t n, int64_t but) {
    int64_t j = 0;
    for (; j + GROUP <= n; j += GROUP)
        if (heap->n < heap->size || any_below(norm + j, product + j, (float)heap->item[0].key))
            offer_range(heap, norm, product, first, j, j + GROUP, but);
    offer_range(heap, norm, product, first, j, n, but);
}

static void multiply_block(const search *s, float *keys, const float *left, int64_t rows, int64_t first, int64_t n) {
    const int64_t d = s->space->d;
    for (int64_t from = 0; from < d; from += DEPTH)
        st_product_nt(&(st_product){.m = rows,
                                    .n = n,
                                    .k = from + DEPTH < d ? DEPTH : d - from,
                                    .alpha = 1,
                                    .beta = from > 0,
                                    .a = left + from,
                                    .b = s->space->near + first * d + from,
                                    .c = keys,
                                    .lda = d,
                                    .ldb = d,
                                    .ldc = BLOCK});
}

/* All distances of a row, directly: the k nearest into item. */
static void search_directly(const search *s, const float *row, int64_t self, st_near *item) {
    const st_space *space = s->space;
    st_heap heap = {.size = s->k, .item = item};
    for (int64_t j = 0; j < space->n; j++)
        if (j != self) st_heap_offer(&heap, st_square_distance(row, space->row + j * space->d, space->d), (int32_t)j);
    st_near_sort(item, s->k);
}

/* The k nearest of the candidates, their distances taken anew. */
static void finish_row(const search *s, int64_t query, const st_heap *heap, st_near *anew) {
    const st_space *space = s->space;
    const int64_t d = space->d, self = s->self ? query : -1;
    const float *row = (s->self ? space->row : space->query_row) + query * d;
    for (int c = 0; c < heap->n; c++)
        anew[c] = (st_near){st_square_distance(row, space->row + heap->item[c].index * d, d), heap->item[c].index};
    st_near_sort(anew, heap->n);
    if (heap->n < space->n - s->self) { /* some were thrown away */
        const double norm = (double)space->norm[s->first_query + query] * (1 - s->slack);
        const st_near last = anew[s->k - 1];
        const st_near bound = {heap->item[0].key + norm - (double)d * 1e-36, heap->item[0].index};
        if (!before((st_near){last.key * space->scale * space->scale, last.index}, bound))
            search_directly(s, row, self, anew);
    }
    for (int c = 0; c < s->k; c++) {
        s->out->index[query * s->k + c] = anew[c].index;
        s->out->distance[query * s->k + c] = st_space_distance(space, anew[c].key);
    }
}

static void search_rows(void *context, int64_t first, int64_t end, int worker) {
    const search *s = context;
    const st_space *space = s->space;
    const int64_t rows = end - first, d = space->d;
    float *keys = s->keys + (size_t)worker * ROWS * BLOCK;
    float *left = s->left + (size_t)worker * ROWS * (size_t)d;
    st_near *items = s->items + (size_t)worker * ROWS * (size_t)s->kept;
    st_heap heap[ROWS];
    for (int64_t r = 0; r < rows; r++)
        heap[r] = (st_heap){.size = s->kept, .item = items + r * s->kept};
    const float *from = space->near + (s->first_query + first) * d;
    for (int64_t i = 0; i < rows * d; i++)
        left[i] = -2 * from[i];
    for (int64_t block = 0; block < space->n; block += BLOCK) {
        const int64_t n = block + BLOCK < space->n ? BLOCK : space->n - block;
        multiply_block(s, keys, left, rows, block, n);
        for (int64_t r = 0; r < rows; r++)
            scan(&heap[r], s->norm + block, keys + r * BLOCK, block, n, s->self ? first + r : -1);
    }
    for (int64_t r = 0; r < rows; r++)
        finish_row(s, first + r, &heap[r], s->anew + (size_t)worker * (size_t)s->kept);
}

strait_status st_neighbors_exact(strait_neighbors *out, const st_space *space, bool self, st_pool *pool,
                                 strait_error *err) {
    const size_t workers = (size_t)st_pool_size(pool);
    const int64_t most = space->n - self;
    search s = {.space = space, .self = self, .first_query = self ? 0 : space->n, .k = out->k, .out = out};
    s.kept = (int)(out->k + SPARE < most ? out->k + SPARE : most);
    s.slack = slack_of(space->d);
    const size_t left_bytes = workers * ROWS * (size_t)space->d * sizeof(float);
    float *norm = st_alloc((size_t)space->n, sizeof *norm);
    s.norm = norm;
    s.keys = st_alloc_aligned(workers * ROWS * BLOCK * sizeof *s.keys);
    s.left = st_alloc_aligned(left_bytes);
    s.items = st_alloc(workers * ROWS, (size_t)s.kept * sizeof *s.items);
    s.anew = st_alloc(workers, (size_t)s.kept * sizeof *s.anew);
    strait_status status = STRAIT_OK;
    if (!norm || !s.keys || !s.left || !s.items || !s.anew) {
        status = st_fail_memory(err, left_bytes, "the search of neighbours");
    } else {
        for (int64_t i = 0; i < space->n; i++)
            norm[i] = (float)((double)space->norm[i] * (1 - s.slack));
        st_chunks(pool, out->n, ROWS, search_rows, &s);
    }
    st_free(norm);
    st_free(s.keys);
    st_free(s.left);
    st_free(s.items);
    st_free(s.anew);
    return status;
}
