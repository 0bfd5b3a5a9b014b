/* Communities: graphs with known best partitions, blobs, and what must hold of every result. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <strait/explore.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/clusters_int.h"
#include "explore/umap_int.h"

#define MOST 160

/* Dense, for making graphs. */
static float adjacency[MOST][MOST];

static void clear_adjacency(void) {
    memset(adjacency, 0, sizeof adjacency);
}

static void join(int a, int b) {
    adjacency[a][b] = adjacency[b][a] = 1;
}

static st_graph_rows graph_of(int n) {
    st_graph_rows graph = {.n = n,
                           .start = st_alloc((size_t)n + 1, sizeof *graph.start),
                           .index = st_alloc((size_t)n * (size_t)n, sizeof *graph.index),
                           .weight = st_alloc((size_t)n * (size_t)n, sizeof *graph.weight)};
    assert_true(graph.start && graph.index && graph.weight);
    for (int i = 0; i < n; i++) {
        int64_t at = graph.start[i];
        for (int j = 0; j < n; j++)
            if (adjacency[i][j] > 0) {
                graph.index[at] = j;
                graph.weight[at++] = adjacency[i][j];
            }
        graph.start[i + 1] = at;
    }
    return graph;
}

static strait_clusters *communities_of(const st_graph_rows *graph, double resolution, uint64_t seed) {
    strait_clusters *found;
    assert_int_equal(st_clusters_new(&found, graph->n, NULL), STRAIT_OK);
    assert_int_equal(st_communities(found, graph, resolution, 0, seed, NULL), STRAIT_OK);
    return found;
}

static void assert_near(double value, double expected, double tolerance) {
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.12g, expected %.12g", value, expected);
}

static void assert_message(const strait_error *err, const char *part) {
    if (!strstr(err->message, part)) fail_msg("'%s' is not in '%s'", part, err->message);
}

/* Samples reached from the first of a cluster, without leaving it, are all of it. */
static void assert_connected(const strait_clusters *found, const st_graph_rows *graph) {
    bool *reached = st_alloc((size_t)graph->n, sizeof *reached);
    for (int c = 0; c < found->k; c++)
        for (int64_t i = 0; i < graph->n; i++)
            if (found->cluster[i] == c) {
                reached[i] = true;
                break;
            }
    for (bool more = true; more;) {
        more = false;
        for (int64_t i = 0; i < graph->n; i++)
            for (int64_t e = graph->start[i]; reached[i] && e < graph->start[i + 1]; e++) {
                const int32_t to = graph->index[e];
                if (reached[to] || found->cluster[to] != found->cluster[i]) continue;
                reached[to] = more = true;
            }
    }
    for (int64_t i = 0; i < graph->n; i++)
        assert_true(reached[i]);
    st_free(reached);
}

/* ---- graphs ---- */

/* Zachary (1977), 78 ties of 34 people, in rows: one, then those after it. */
static st_graph_rows karate_club(void) {
    static const signed char ties[] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  10, 11, 12, 13, 17, 19, 21, 31, -1, 1,  2,  3,  7,  13, 17, 19, 21,
        30, -1, 2,  3,  7,  8,  9,  13, 27, 28, 32, -1, 3,  7,  12, 13, -1, 4,  6,  10, -1, 5,  6,  10, 16, -1,
        6,  16, -1, 8,  30, 32, 33, -1, 9,  33, -1, 13, 33, -1, 14, 32, 33, -1, 15, 32, 33, -1, 18, 32, 33, -1,
        19, 33, -1, 20, 32, 33, -1, 22, 32, 33, -1, 23, 25, 27, 29, 32, 33, -1, 24, 25, 27, 31, -1, 25, 31, -1,
        26, 29, 33, -1, 27, 33, -1, 28, 31, 33, -1, 29, 32, 33, -1, 30, 32, 33, -1, 31, 32, 33, -1, 32, 33, -1};
    clear_adjacency();
    for (size_t i = 0; i < sizeof ties; i++) {
        const int one = ties[i++];
        for (; ties[i] >= 0; i++)
            join(one, ties[i]);
    }
    return graph_of(34);
}

/* The best modularity of the karate club, by exhaustive search with cuts, is 0.4198 with four communities (Brandes et
   al. 2008, On modularity clustering). */
static void the_karate_club_has_four_communities(void **state) {
    (void)state;
    st_graph_rows graph = karate_club();
    assert_int_equal(graph.start[34], 2 * 78);
    for (uint64_t seed = 0; seed < 5; seed++) {
        strait_clusters *found = communities_of(&graph, 1, seed);
        assert_int_equal(found->k, 4);
        assert_near(found->score, 0.4198, 5e-5);
        assert_connected(found, &graph);
        strait_clusters_free(found);
    }
    st_graph_rows_free(&graph);
}

/* numpy: a the matrix of ties, k = a.sum(0), m2 = a.sum(), c the parity of each:
   ((a - r * np.outer(k, k) / m2) * (c[:, None] == c)).sum() / m2. */
static void modularity_is_its_formula(void **state) {
    (void)state;
    st_graph_rows graph = karate_club();
    int32_t cluster[34];
    double found;
    for (int i = 0; i < 34; i++)
        cluster[i] = i % 3;
    assert_int_equal(st_modularity(&found, cluster, &graph, 1, NULL), STRAIT_OK);
    assert_near(found, -0.009615384615384621, 1e-12);
    assert_int_equal(st_modularity(&found, cluster, &graph, 0.3, NULL), STRAIT_OK);
    assert_near(found, 0.23044871794871796, 1e-12);
    st_graph_rows_free(&graph);
}

/* Fortunato and Barthelemy (2007): in a ring of 30 cliques of 5, of 330 ties, pairs of cliques have the modularity
   1 - 1 / (2 * 5 + ...) = 0.8879 against 0.8758 of the single ones; a higher resolution tells these apart. */
static void a_ring_of_cliques_shows_the_resolution(void **state) {
    (void)state;
    clear_adjacency();
    for (int c = 0; c < 30; c++) {
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < i; j++)
                join(5 * c + i, 5 * c + j);
        join(5 * c, 5 * ((c + 1) % 30) + 1);
    }
    st_graph_rows graph = graph_of(150);
    assert_int_equal(graph.start[150], 2 * 330);
    strait_clusters *pairs = communities_of(&graph, 1, 3), *single = communities_of(&graph, 4, 3);
    const double inside = 1 - 15.0 / 330;
    assert_true(pairs->k < 30);
    assert_true(pairs->score > 0.8879 - 0.002 && pairs->score <= inside - 1.0 / 15 + 1e-9);
    assert_int_equal(single->k, 30);
    for (int i = 0; i < 150; i++)
        assert_int_equal(single->cluster[i], i / 5);
    assert_near(single->score, 300.0 / 330 - 4.0 / 30, 1e-9);
    assert_connected(pairs, &graph);
    strait_clusters_free(pairs);
    strait_clusters_free(single);
    st_graph_rows_free(&graph);
}

/* Ties within four groups of 40 with probability 0.4, between them 0.03. */
static void a_planted_partition_is_recovered(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        float *draw = st_alloc(MOST * MOST, sizeof *draw);
        st_rng_uniform(&(st_rng){.seed = seed, .purpose = 99}, 0, draw, MOST * MOST);
        clear_adjacency();
        for (int i = 0; i < MOST; i++)
            for (int j = 0; j < i; j++)
                if (draw[i * MOST + j] < (i % 4 == j % 4 ? 0.4F : 0.03F)) join(i, j);
        st_free(draw);
        st_graph_rows graph = graph_of(MOST);
        strait_clusters *found = communities_of(&graph, 1, seed);
        assert_int_equal(found->k, 4);
        for (int i = 0; i < MOST; i++)
            assert_int_equal(found->cluster[i], i % 4);
        strait_clusters_free(found);
        st_graph_rows_free(&graph);
    }
}

/* Pieces of a graph that nothing joins are never one community, nor samples without ties; no ties at all: modularity
   0. */
static void what_nothing_joins_stays_apart(void **state) {
    (void)state;
    clear_adjacency();
    for (int i = 0; i < 6; i++)
        join(i, (i + 1) % 6);
    join(7, 8);
    st_graph_rows graph = graph_of(10), none = {0};
    strait_clusters *found = communities_of(&graph, 0.01, 1);
    assert_int_equal(found->k, 4);
    assert_memory_equal(found->cluster, ((int32_t[]){0, 0, 0, 0, 0, 0, 2, 1, 1, 3}), 10 * sizeof(int32_t));
    strait_clusters_free(found);
    clear_adjacency();
    none = graph_of(3);
    found = communities_of(&none, 1, 1);
    assert_int_equal(found->k, 3);
    assert_true(found->score == 0);
    strait_clusters_free(found);
    st_graph_rows_free(&none);
    st_graph_rows_free(&graph);
}

/* ---- samples ---- */

static strait_array *draw_blobs(int64_t n, int blobs, float apart, uint64_t seed) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, 6}, NULL), STRAIT_OK);
    st_rng_normal(&(st_rng){.seed = seed, .purpose = 99}, 0, x->values, (size_t)(n * 6));
    for (int64_t i = 0; i < n; i++)
        x->values[i * 6 + i % blobs] += apart;
    return x;
}

static void blobs_are_communities(void **state) {
    (void)state;
    strait_array *x = draw_blobs(600, 4, 12, 1);
    strait_clusters *found;
    const strait_cluster_options options = {.resolution = 0.2, .threads = 2};
    assert_int_equal(strait_leiden(&found, x, &options, NULL), STRAIT_OK);
    assert_int_equal(found->k, 4);
    double mean[4] = {0};
    for (int i = 0; i < 600; i++) {
        assert_int_equal(found->cluster[i], i % 4);
        mean[i % 4] += (double)x->values[6 * i + 5] / 150;
    }
    for (int c = 0; c < 4; c++)
        assert_near((double)found->centre->values[6 * c + 5], mean[c], 1e-6);
    strait_clusters_free(found);
    strait_array_free(x);
}

/* The modularity told is that of the clusters on the graph; each of them is connected there; threads change no bit. */
static void communities_of_samples_are_connected(void **state) {
    (void)state;
    strait_array *x = draw_blobs(900, 3, 2, 7);
    strait_clusters *found, *again, *other;
    strait_cluster_options options = {.neighbors = 10, .resolution = 1.5, .seed = 4, .threads = 1};
    assert_int_equal(strait_leiden(&found, x, &options, NULL), STRAIT_OK);
    options.threads = 3;
    assert_int_equal(strait_leiden(&again, x, &options, NULL), STRAIT_OK);
    assert_true(found->score == again->score && found->k == again->k);
    assert_memory_equal(found->cluster, again->cluster, 900 * sizeof *found->cluster);
    st_pool *pool;
    st_graph_rows graph;
    double score;
    assert_int_equal(st_pool_new(&pool, 1, NULL, NULL), STRAIT_OK);
    assert_int_equal(st_fuzzy_graph(&graph, x, 10, NULL, pool, NULL), STRAIT_OK);
    assert_connected(found, &graph);
    assert_int_equal(st_modularity(&score, found->cluster, &graph, 1.5, NULL), STRAIT_OK);
    assert_true(score == found->score);
    options.seed = 5;
    assert_int_equal(strait_leiden(&other, x, &options, NULL), STRAIT_OK);
    assert_near(other->score, score, 0.02);
    assert_connected(other, &graph);
    st_graph_rows_free(&graph);
    st_pool_free(pool);
    strait_clusters_free(found);
    strait_clusters_free(again);
    strait_clusters_free(other);
    strait_array_free(x);
}

static void extreme_samples(void **state) {
    (void)state;
    strait_error err = {0};
    strait_clusters *found = NULL;
    strait_array *x = draw_blobs(40, 2, 3, 2);
    assert_int_equal(strait_leiden(&found, x, &(strait_cluster_options){.neighbors = 41}, &err), STRAIT_ARGUMENT);
    assert_message(&err, "41 neighbours (the sample among them) of 40 samples: it must be 2 to 40");
    assert_null(found);
    assert_int_equal(strait_leiden(&found, x, &(strait_cluster_options){.neighbors = 1}, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_leiden(&found, x, &(strait_cluster_options){.resolution = -1}, &err), STRAIT_ARGUMENT);
    assert_message(&err, "resolution -1");
    assert_int_equal(strait_leiden(&found, x, &(strait_cluster_options){.resolution = NAN}, &err), STRAIT_ARGUMENT);
    x->dim[0] = 1;
    assert_int_equal(strait_leiden(&found, x, NULL, &err), STRAIT_OK);
    assert_true(found->k == 1 && found->cluster[0] == 0 && found->score == 0);
    strait_clusters_free(found);
    x->dim[0] = 2;
    assert_int_equal(strait_leiden(&found, x, NULL, &err), STRAIT_OK);
    assert_int_equal(found->k, 1);
    strait_clusters_free(found);
    x->dim[0] = 40;
    for (int i = 0; i < 240; i++)
        x->values[i] = 5; /* all the same */
    assert_int_equal(strait_leiden(&found, x, NULL, &err), STRAIT_OK);
    assert_true(found->k == 1 && fabs(found->score) < 1e-9);
    strait_clusters_free(found);
    x->values[100] = NAN;
    assert_int_equal(strait_leiden(&found, x, NULL, &err), STRAIT_ARGUMENT);
    assert_message(&err, "value 4 of sample 16 is NaN");
    assert_null(found);
    strait_array_free(x);
}

static void failed_allocations_are_told(void **state) {
    (void)state;
    strait_array *x = draw_blobs(60, 3, 5, 1);
    for (uint64_t at = 1;; at++) {
        strait_clusters *found;
        st_alloc_fail_at(at);
        const strait_status status = strait_leiden(&found, x, &(strait_cluster_options){.threads = 2}, NULL);
        st_alloc_fail_at(0);
        strait_clusters_free(found);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_karate_club_has_four_communities),
        cmocka_unit_test(modularity_is_its_formula),
        cmocka_unit_test(a_ring_of_cliques_shows_the_resolution),
        cmocka_unit_test(a_planted_partition_is_recovered),
        cmocka_unit_test(what_nothing_joins_stays_apart),
        cmocka_unit_test(blobs_are_communities),
        cmocka_unit_test(communities_of_samples_are_connected),
        cmocka_unit_test(extreme_samples),
        cmocka_unit_test(failed_allocations_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
