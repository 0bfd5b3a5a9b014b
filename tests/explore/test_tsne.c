/* t-SNE against its definition, all pairs in double: affinities, divergence, gradient; and what comes of clusters. */
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
#include "explore/maps_int.h"

enum { N = 300, K = 40 };

static strait_array *random_rows(int64_t n, int64_t d, uint64_t seed) {
    strait_array *x;
    assert_int_equal(strait_array_new(&x, 2, (int64_t[]){n, d}, NULL), STRAIT_OK);
    st_rng_normal(&(st_rng){.seed = seed, .purpose = 99}, 0, x->values, (size_t)(n * d));
    return x;
}

static st_pool *new_pool(int threads) {
    st_pool *pool;
    assert_int_equal(st_pool_new(&pool, threads, NULL, NULL), STRAIT_OK);
    return pool;
}

static strait_neighbors *find(const strait_array *x, int k) {
    strait_neighbors *neighbors;
    assert_int_equal(strait_neighbors_find(&neighbors, x, k, NULL, NULL), STRAIT_OK);
    return neighbors;
}

static void affinities_have_the_perplexity(void **state) {
    (void)state;
    strait_array *x = random_rows(N, 5, 1);
    strait_neighbors *neighbors = find(x, K);
    st_pool *pool = new_pool(2);
    float weight[N * K];
    for (double perplexity = 2; perplexity < 30; perplexity += 9) {
        assert_int_equal(st_tsne_affinity(weight, neighbors, perplexity, pool, NULL), STRAIT_OK);
        for (int i = 0; i < N; i++) {
            double sum = 0, entropy = 0;
            for (int c = 0; c < K; c++) {
                const double w = (double)weight[i * K + c];
                sum += w;
                if (w > 0) entropy -= w * log(w);
                if (c > 0) assert_true(w <= (double)weight[i * K + c - 1]);
            }
            assert_true(fabs(sum - 1) < 1e-5);
            assert_true(fabs(exp(entropy) - perplexity) < 1e-3 * perplexity);
        }
    }
    assert_int_equal(st_tsne_affinity(weight, neighbors, K + 1, pool, NULL), STRAIT_ARGUMENT);
    st_pool_free(pool);
    strait_neighbors_free(neighbors);
    strait_array_free(x);
}

/* Both unions against the definition on a matrix. */
static void graphs_are_symmetric_unions(void **state) {
    (void)state;
    strait_array *x = random_rows(60, 3, 2), *draw = random_rows(60, 7, 3);
    strait_neighbors *neighbors = find(x, 7);
    double dense[60][60] = {0};
    for (int e = 0; e < 60 * 7; e++) {
        draw->values[e] = fabsf(draw->values[e]) / 8;
        dense[e / 7][neighbors->index[e]] = (double)draw->values[e];
    }
    for (int how = 0; how < 2; how++) {
        st_graph_rows graph;
        assert_int_equal(st_graph_rows_new(&graph, neighbors, draw->values, (st_union)how, NULL), STRAIT_OK);
        int64_t edges = 0;
        for (int i = 0; i < 60; i++)
            for (int j = 0; j < 60; j++)
                edges += dense[i][j] > 0 || dense[j][i] > 0;
        assert_int_equal(graph.start[60], edges);
        for (int i = 0; i < 60; i++)
            for (int64_t e = graph.start[i]; e < graph.start[i + 1]; e++) {
                const int j = graph.index[e];
                const double a = dense[i][j], b = dense[j][i];
                const double wanted = how == ST_UNION_MEAN ? (a + b) / 120 : a + b - a * b;
                assert_true(e == graph.start[i] || graph.index[e - 1] < j);
                assert_true(fabs((double)graph.weight[e] - wanted) < 1e-7);
            }
        st_graph_rows_free(&graph);
    }
    strait_neighbors_free(neighbors);
    strait_array_free(x);
    strait_array_free(draw);
}

/* ---- the definition ---- */

static double dense_p[N][N];

static double dense_z(const double *y, int dims) {
    double z = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double square = 0;
            for (int c = 0; c < dims; c++)
                square += (y[i * dims + c] - y[j * dims + c]) * (y[i * dims + c] - y[j * dims + c]);
            if (i != j) z += 1 / (1 + square);
        }
    return z;
}

static double dense_kl(const double *y, int dims) {
    const double z = dense_z(y, dims);
    double kl = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            if (!(dense_p[i][j] > 0)) continue;
            double square = 0;
            for (int c = 0; c < dims; c++)
                square += (y[i * dims + c] - y[j * dims + c]) * (y[i * dims + c] - y[j * dims + c]);
            kl += dense_p[i][j] * log(dense_p[i][j] * (1 + square) * z);
        }
    return kl;
}

static void dense_gradient(double *gradient, const double *y, int dims) {
    const double z = dense_z(y, dims);
    memset(gradient, 0, sizeof(double) * (size_t)(N * dims));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double square = 0;
            for (int c = 0; c < dims; c++)
                square += (y[i * dims + c] - y[j * dims + c]) * (y[i * dims + c] - y[j * dims + c]);
            const double w = 1 / (1 + square);
            for (int c = 0; c < dims; c++)
                gradient[i * dims + c] +=
                    4 * (dense_p[i][j] - (i == j ? 0 : w / z)) * w * (y[i * dims + c] - y[j * dims + c]);
        }
}

typedef struct problem {
    strait_array *x;
    strait_neighbors *neighbors;
    st_graph_rows graph;
    st_pool *pool;
} problem;

static void make_problem(problem *p) {
    static float weight[N * K];
    p->x = random_rows(N, 5, 4);
    p->neighbors = find(p->x, K);
    p->pool = new_pool(2);
    assert_int_equal(st_tsne_affinity(weight, p->neighbors, 12, p->pool, NULL), STRAIT_OK);
    assert_int_equal(st_graph_rows_new(&p->graph, p->neighbors, weight, ST_UNION_MEAN, NULL), STRAIT_OK);
    memset(dense_p, 0, sizeof dense_p);
    for (int i = 0; i < N; i++)
        for (int64_t e = p->graph.start[i]; e < p->graph.start[i + 1]; e++)
            dense_p[i][p->graph.index[e]] = (double)p->graph.weight[e];
}

static void free_problem(problem *p) {
    st_graph_rows_free(&p->graph);
    st_pool_free(p->pool);
    strait_neighbors_free(p->neighbors);
    strait_array_free(p->x);
}

/* The definition itself is checked by differences of the divergence, then the tree's gradient by the definition: with
   theta 0 to rounding, with 0.5 to some hundredths of its length. */
static void gradient_and_divergence_are_those_of_all_pairs(void **state) {
    (void)state;
    problem p;
    make_problem(&p);
    for (int dims = 2; dims <= 3; dims++)
        for (int wide = 0; wide < 2; wide++) {
            float y[N * 3], found[N * 3];
            double exact[N * 3], wanted[N * 3], z;
            st_map_start_random(y, N, dims, 7);
            for (int i = 0; i < N * dims; i++) {
                y[i] *= wide ? 20 : 1e-3F;
                exact[i] = (double)y[i];
            }
            dense_gradient(wanted, exact, dims);
            for (int i = 0; i < N * dims; i += 37) {
                const double kept = exact[i], h = wide ? 1e-4 : 1e-6;
                exact[i] = kept + h;
                const double above = dense_kl(exact, dims);
                exact[i] = kept - h;
                const double below = dense_kl(exact, dims);
                exact[i] = kept;
                assert_true(fabs((above - below) / (2 * h) - wanted[i]) < 1e-7);
            }
            for (int theta = 0; theta < 2; theta++) {
                st_repulsion *repulsion;
                assert_int_equal(st_repulsion_new(&repulsion, N, dims, theta ? 0.5 : 0, p.pool, NULL), STRAIT_OK);
                st_tsne_gradient(found, &z, &p.graph, 1, y, dims, repulsion, p.pool);
                double error = 0, length = 0;
                for (int i = 0; i < N * dims; i++) {
                    error += ((double)found[i] - wanted[i]) * ((double)found[i] - wanted[i]);
                    length += wanted[i] * wanted[i];
                }
                const double share = sqrt(error / length);
                assert_true(share < (theta ? 0.03 : 1e-5));
                assert_true(fabs(z / dense_z(exact, dims) - 1) < (theta ? 0.01 : 1e-5));
                const double kl = st_tsne_divergence(&p.graph, y, dims, z);
                assert_true(fabs(kl - dense_kl(exact, dims)) < (theta ? 0.01 : 1e-4));
                st_repulsion_free(repulsion);
            }
        }
    free_problem(&p);
}

/* The vector kernels agree with each other. */
static void instruction_sets_agree(void **state) {
    (void)state;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) skip();
    enum { POINTS = 2 * ST_REPEL_LANES, MASSES = 77 };
    strait_array *point = random_rows(3, POINTS, 1), *at = random_rows(4, MASSES, 2);
    float force[2][4][POINTS];
    for (int dims = 2; dims <= 3; dims++) {
        for (int way = 0; way < 2; way++) {
            st_repel job = {.dims = dims, .n_points = POINTS, .n_masses = MASSES, .mass = at->values + 3 * MASSES};
            for (int c = 0; c < 3; c++) {
                job.point[c] = point->values + c * POINTS;
                job.at[c] = at->values + c * MASSES;
                job.force[c] = force[way][c];
            }
            job.sum_w = force[way][3];
            if (way)
                st_repel_avx2(&job);
            else
                st_repel_generic(&job);
        }
        for (int i = 0; i < POINTS; i++)
            for (int c = 0; c < 4; c++)
                if (c < dims || c == 3) assert_true(fabsf(force[0][c][i] - force[1][c][i]) < 1e-4F);
    }
    strait_array_free(point);
    strait_array_free(at);
#else
    skip();
#endif
}

/* ---- whole maps ---- */

/* n samples of `clusters` clusters in 10 dimensions, sample i of cluster i % clusters. */
static strait_array *clusters_of(int64_t n, int clusters) {
    strait_array *x = random_rows(n, 10, 11);
    for (int64_t i = 0; i < n; i++)
        x->values[i * 10 + i % clusters] += 12;
    return x;
}

static double share_of_same_cluster(const strait_array *y, int clusters) {
    strait_neighbors *neighbors = find(y, 1);
    int same = 0;
    for (int64_t i = 0; i < y->dim[0]; i++)
        same += neighbors->index[i] % clusters == i % clusters;
    strait_neighbors_free(neighbors);
    return (double)same / (double)y->dim[0];
}

static bool count_calls(void *context, double done, double value) {
    int *calls = context;
    assert_true(done >= 0 && done <= 1 && isfinite(value));
    return ++*calls != 3;
}

static void clusters_stay_apart_and_threads_do_not_matter(void **state) {
    (void)state;
    strait_array *x = clusters_of(400, 4), *y, *again;
    for (int dims = 2; dims <= 3; dims++) {
        double kl, kl_again;
        strait_tsne_options options = {.dims = dims, .iterations = 400, .seed = 3, .threads = 1};
        options.random_start = dims == 3;
        assert_int_equal(strait_tsne(&y, &kl, x, &options, NULL), STRAIT_OK);
        options.threads = 2;
        assert_int_equal(strait_tsne(&again, &kl_again, x, &options, NULL), STRAIT_OK);
        assert_int_equal(y->dim[1], dims);
        assert_true(kl > 0 && kl < 2);
        assert_true(share_of_same_cluster(y, 4) == 1);
        assert_memory_equal(y->values, again->values, sizeof(float) * 400 * (size_t)dims);
        assert_true(kl == kl_again);
        strait_array_free(y);
        strait_array_free(again);
    }
    int calls = 0;
    strait_error err = {0};
    const strait_tsne_options stopped = {.progress = count_calls, .context = &calls};
    assert_int_equal(strait_tsne(&y, NULL, x, &stopped, &err), STRAIT_INTERRUPTED);
    assert_null(y);
    assert_int_equal(calls, 3);
    strait_array_free(x);
}

static void check_finite(const strait_array *y) {
    for (int64_t i = 0; i < strait_array_count(y); i++)
        assert_true(isfinite(y->values[i]));
}

/* 1, 2, 3 samples; all the same; fewer than the default's neighbours; one feature; constant features. */
static void small_and_degenerate_sets_have_a_map(void **state) {
    (void)state;
    for (int n = 1; n <= 20; n += n < 4 ? 1 : 8)
        for (int kind = 0; kind < 3; kind++)
            for (int dims = 2; dims <= 3; dims++) {
                strait_array *x = random_rows(n, kind == 0 ? 1 : 4, 5), *y;
                if (kind == 1) memset(x->values, 0, sizeof(float) * 4 * (size_t)n);
                for (int i = 0; kind == 2 && i < n; i++)
                    x->values[4 * i] = x->values[4 * i + 1] = 7;
                double kl;
                const strait_tsne_options options = {.dims = dims, .iterations = 100};
                assert_int_equal(strait_tsne(&y, &kl, x, &options, NULL), STRAIT_OK);
                check_finite(y);
                assert_true(isfinite(kl));
                strait_array_free(y);
                strait_array_free(x);
            }
}

static void check_refused(const strait_array *x, strait_tsne_options options, const char *part) {
    strait_array *y = (strait_array *)1;
    strait_error err = {0};
    assert_int_equal(strait_tsne(&y, NULL, x, &options, &err), STRAIT_ARGUMENT);
    assert_null(y);
    if (!strstr(err.message, part)) fail_msg("%s lacks %s", err.message, part);
}

static void bad_input_is_refused(void **state) {
    (void)state;
    strait_array *x = random_rows(10, 2, 1);
    check_refused(x, (strait_tsne_options){.dims = 4}, "2 or 3 dimensions, not 4");
    check_refused(x, (strait_tsne_options){.perplexity = 10}, "perplexity 10 of 10 samples: it must be from 1 to 9");
    check_refused(x, (strait_tsne_options){.perplexity = 0.5}, "perplexity 0.5");
    check_refused(x, (strait_tsne_options){.perplexity = -1}, "perplexity -1");
    check_refused(x, (strait_tsne_options){.learning_rate = (double)NAN}, "learning rate nan");
    check_refused(x, (strait_tsne_options){.iterations = -1}, "-1 iterations");
    x->values[5] = NAN;
    check_refused(x, (strait_tsne_options){0}, "value 1 of sample 2 is NaN");
    strait_array_free(x);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    strait_array *x = random_rows(12, 3, 2);
    for (uint64_t at = 1;; at++) {
        strait_array *y;
        const strait_tsne_options options = {.iterations = 2, .threads = 2};
        st_alloc_fail_at(at);
        const strait_status status = strait_tsne(&y, NULL, x, &options, NULL);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) {
            assert_true(at > 20);
            strait_array_free(y);
            break;
        }
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(y);
    }
    strait_array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affinities_have_the_perplexity),
        cmocka_unit_test(graphs_are_symmetric_unions),
        cmocka_unit_test(gradient_and_divergence_are_those_of_all_pairs),
        cmocka_unit_test(instruction_sets_agree),
        cmocka_unit_test(clusters_stay_apart_and_threads_do_not_matter),
        cmocka_unit_test(small_and_degenerate_sets_have_a_map),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
