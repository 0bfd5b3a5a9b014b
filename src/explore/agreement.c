/* How well clusters agree with labels: all three measures are functions of the table that counts samples by (cluster,
   label). */
#include <strait/explore_scores.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "explore/scores_int.h"

/* The matching takes memory of clusters times labels, and time of their third power. */
#define MOST_CLASSES 5000

static int by_value(const void *a, const void *b) {
    const int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

strait_status st_codes(int32_t *code, int64_t *k, const int64_t *value, int64_t n, strait_error *err) {
    int64_t *distinct = st_alloc((size_t)n, sizeof *distinct), found = 0;
    if (!distinct) return st_fail_memory(err, (size_t)n * sizeof *distinct, "classes");
    memcpy(distinct, value, (size_t)n * sizeof *distinct);
    qsort(distinct, (size_t)n, sizeof *distinct, by_value);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || distinct[i] != distinct[found - 1]) distinct[found++] = distinct[i];
    for (int64_t i = 0; i < n; i++) {
        const int64_t *at = bsearch(&value[i], distinct, (size_t)found, sizeof *distinct, by_value);
        code[i] = (int32_t)(at - distinct);
    }
    *k = found;
    st_free(distinct);
    return STRAIT_OK;
}

/* count [rows, columns] with rows <= columns, and its sums. */
typedef struct table {
    int64_t n, rows, columns;
    int64_t *count, *row, *column;
} table;

static void free_table(table *t) {
    st_free(t->count);
    st_free(t->row);
    st_free(t->column);
}

static strait_status fill_table(table *t, const int32_t *a, int64_t n_a, const int32_t *b, int64_t n_b, int64_t n,
                                strait_error *err) {
    const bool turned = n_a > n_b;
    *t = (table){.n = n, .rows = turned ? n_b : n_a, .columns = turned ? n_a : n_b};
    t->count = st_alloc((size_t)t->rows, (size_t)t->columns * sizeof *t->count);
    t->row = st_alloc((size_t)t->rows, sizeof *t->row);
    t->column = st_alloc((size_t)t->columns, sizeof *t->column);
    if (!t->count || !t->row || !t->column) {
        free_table(t);
        return st_fail_memory(err, (size_t)(t->rows * t->columns) * sizeof *t->count, "a table of classes");
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = turned ? b[i] : a[i], c = turned ? a[i] : b[i];
        t->count[r * t->columns + c]++;
        t->row[r]++;
        t->column[c]++;
    }
    return STRAIT_OK;
}

/* ---- the best matching: Kuhn's algorithm with potentials, shortest augmenting paths; costs are -count ---- */

typedef struct matching {
    int64_t *row_potential, *column_potential, *slack;
    int64_t *row_of, *came_from; /* of each column, from 1; 0: none */
    bool *used;
} matching;

/* Finds a column for one more row (from 1). Index 0 of the columns stands for that row's start. */
static void match_row(matching *m, const table *t, int64_t row) {
    const int64_t columns = t->columns;
    int64_t at = 0;
    m->row_of[0] = row;
    for (int64_t c = 0; c <= columns; c++) {
        m->slack[c] = INT64_MAX;
        m->used[c] = false;
    }
    do {
        const int64_t r = m->row_of[at];
        int64_t least = INT64_MAX, next = 0;
        m->used[at] = true;
        for (int64_t c = 1; c <= columns; c++) {
            if (m->used[c]) continue;
            const int64_t cost = -t->count[(r - 1) * columns + c - 1] - m->row_potential[r] - m->column_potential[c];
            if (cost < m->slack[c]) {
                m->slack[c] = cost;
                m->came_from[c] = at;
            }
            if (m->slack[c] < least) {
                least = m->slack[c];
                next = c;
            }
        }
        for (int64_t c = 0; c <= columns; c++) {
            if (m->used[c]) {
                m->row_potential[m->row_of[c]] += least;
                m->column_potential[c] -= least;
            } else if (m->slack[c] != INT64_MAX) {
                m->slack[c] -= least;
            }
        }
        at = next;
    } while (m->row_of[at] != 0);
    for (; at != 0; at = m->came_from[at])
        m->row_of[at] = m->row_of[m->came_from[at]];
}

/* The greatest number of samples in matched cells. */
static strait_status best_matching(int64_t *matched, const table *t, strait_error *err) {
    const size_t rows = (size_t)t->rows + 1, columns = (size_t)t->columns + 1;
    int64_t *memory = st_alloc(rows + 4 * columns, sizeof *memory);
    bool *used = st_alloc(columns, sizeof *used);
    if (!memory || !used) {
        st_free(memory);
        st_free(used);
        return st_fail_memory(err, (rows + 4 * columns) * sizeof *memory, "a matching");
    }
    matching m = {.row_potential = memory,
                  .column_potential = memory + rows,
                  .slack = memory + rows + columns,
                  .row_of = memory + rows + 2 * columns,
                  .came_from = memory + rows + 3 * columns,
                  .used = used};
    for (int64_t r = 1; r <= t->rows; r++)
        match_row(&m, t, r);
    *matched = 0;
    for (int64_t c = 1; c <= t->columns; c++)
        if (m.row_of[c] > 0) *matched += t->count[(m.row_of[c] - 1) * t->columns + c - 1];
    st_free(used);
    st_free(memory);
    return STRAIT_OK;
}

/* ---- information and pairs ---- */

static double entropy(const int64_t *count, int64_t k, double n) {
    double sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum -= (double)count[i] / n * log((double)count[i] / n);
    return sum;
}

static double normalised_information(const table *t) {
    const double n = (double)t->n;
    if (t->rows == 1 && t->columns == 1) return 1;
    if (t->rows == 1) return 0;
    double information = 0;
    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0; c < t->columns; c++) {
            const double count = (double)t->count[r * t->columns + c];
            if (count > 0) information += count / n * log(count * n / ((double)t->row[r] * (double)t->column[c]));
        }
    const double mean = (entropy(t->row, t->rows, n) + entropy(t->column, t->columns, n)) / 2;
    return information > 0 ? fmin(information / mean, 1) : 0;
}

static double squares(const int64_t *count, int64_t k) {
    double sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum += (double)count[i] * (double)count[i];
    return sum;
}

/* By the four kinds of ordered pairs: together in both, in one, in the other, in none. */
static double adjusted_rand(const table *t) {
    const double n = (double)t->n, both = squares(t->count, t->rows * t->columns);
    const double in_rows = squares(t->row, t->rows), in_columns = squares(t->column, t->columns);
    const double tp = both - n, fp = in_rows - both, fn = in_columns - both, tn = n * n - in_rows - in_columns + both;
    if (fp == 0 && fn == 0) return 1;
    return 2 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn));
}

static strait_status code_both(int32_t *a, int64_t *n_a, int32_t *b, int64_t *n_b, const int32_t *cluster,
                               const int64_t *label, int64_t n, strait_error *err) {
    int64_t *wide = st_alloc((size_t)n, sizeof *wide);
    if (!wide) return st_fail_memory(err, (size_t)n * sizeof *wide, "classes");
    for (int64_t i = 0; i < n; i++)
        wide[i] = cluster[i];
    strait_status status = st_codes(a, n_a, wide, n, err);
    st_free(wide);
    if (status == STRAIT_OK) status = st_codes(b, n_b, label, n, err);
    if (status == STRAIT_OK && (*n_a > MOST_CLASSES || *n_b > MOST_CLASSES))
        status = st_fail(err, STRAIT_ARGUMENT, "%lld clusters and %lld labels: at most %d of each can be compared",
                         (long long)*n_a, (long long)*n_b, MOST_CLASSES);
    return status;
}

STRAIT_API strait_status strait_cluster_agreement(strait_agreement *out, const int32_t *cluster, const int64_t *label,
                                                  int64_t n, strait_error *err) {
    table t = {0};
    int64_t n_a = 0, n_b = 0, matched = 0;
    if (!cluster || !label || n < 1) return st_fail(err, STRAIT_ARGUMENT, "there are no samples to compare");
    if (n > INT32_MAX) return st_fail(err, STRAIT_ARGUMENT, "more than %d samples", INT32_MAX);
    int32_t *code = st_alloc((size_t)n, 2 * sizeof *code);
    if (!code) return st_fail_memory(err, (size_t)n * 2 * sizeof *code, "classes");
    strait_status status = code_both(code, &n_a, code + n, &n_b, cluster, label, n, err);
    if (status == STRAIT_OK) status = fill_table(&t, code, n_a, code + n, n_b, n, err);
    st_free(code);
    if (status != STRAIT_OK) return status;
    status = best_matching(&matched, &t, err);
    if (status == STRAIT_OK)
        *out = (strait_agreement){
            .accuracy = (double)matched / (double)n, .nmi = normalised_information(&t), .ari = adjusted_rand(&t)};
    free_table(&t);
    return status;
}
