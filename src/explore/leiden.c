/* Communities by the Leiden algorithm (Traag, Waltman, van Eck 2019), for modularity with a resolution.

   An iteration works on ever smaller graphs, its levels. At each one nodes are moved to the communities that gain most,
   then each community is refined: its nodes, alone at first, are merged within it into parts that are connected. The
   next level's nodes are these parts; it begins with the communities found. The next iteration begins on the samples
   again, with what the last one found.

   Invariants: a part lies within one community and is connected; a community's `total` is the sum of its nodes'
   strengths; moving only ever raises the modularity. One thread does it all: each step depends on the last. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "explore/clusters_int.h"
#include "explore/umap_int.h"

#define RANDOMNESS 0.01        /* theta of the refinement, in units of an edge's weight; as in leidenalg */
#define SMALL_GAIN 1e-9        /* of an edge's weight: less is rounding */
#define MOST_LEVELS 64         /* each has fewer nodes than the last: far more than there will be */
#define SMALL_IMPROVEMENT 1e-9 /* of the modularity: ends the iterations */

/* A level's graph. Weights of edges inside a node count for its strength alone. */
typedef struct level {
    int64_t n;
    int64_t *start; /* [n + 1] */
    int32_t *index; /* [start[n]] */
    double *weight;
    double *strength;   /* [n]: weight of all ends of edges at it */
    int32_t *community; /* [n], 0..n-1, with gaps */
} level;

typedef struct leiden {
    const st_graph_rows *graph;
    double unit;       /* mean weight of an edge */
    double resolution; /* over the weight of all ends of edges */
    uint64_t seed;
    uint32_t epoch;         /* of the random stream: a new one for each level */
    int32_t *node;          /* [n]: the node of each sample at this level */
    uint32_t *order;        /* [n]: scratch, as all that follows */
    int32_t *queue, *spare; /* [n]: nodes to look at; communities without nodes */
    bool *queued;           /* [n] */
    double *total;          /* [n]: of a community */
    int32_t *count;         /* [n]: nodes of it */
    int32_t *part;          /* [n]: of a node */
    double *part_total;     /* [n] */
    double *part_cut;       /* [n]: weight of edges to the rest of its community */
    int32_t *part_count;    /* [n] */
    double *to;             /* [n]: weight of edges to each community or part; 0 between uses */
    int32_t *touched;       /* [n]: those with an edge */
    double *chance;         /* [n]: of the touched */
    int32_t *best;          /* [n]: communities of the samples, of the best iteration */
} leiden;

/* ---- levels ---- */

static void level_free(level *l) {
    st_free(l->start);
    st_free(l->index);
    st_free(l->weight);
    st_free(l->strength);
    st_free(l->community);
    *l = (level){0};
}

static strait_status level_new(level *l, int64_t n, int64_t edges, strait_error *err) {
    *l = (level){.n = n,
                 .start = st_alloc((size_t)n + 1, sizeof *l->start),
                 .index = st_alloc((size_t)edges + 1, sizeof *l->index),
                 .weight = st_alloc((size_t)edges + 1, sizeof *l->weight),
                 .strength = st_alloc((size_t)n, sizeof *l->strength),
                 .community = st_alloc((size_t)n, sizeof *l->community)};
    if (l->start && l->index && l->weight && l->strength && l->community) return STRAIT_OK;
    level_free(l);
    return st_fail_memory(err, (size_t)edges * (sizeof(int32_t) + sizeof(double)), "communities");
}

/* The samples themselves, with the edges that have a weight, in the communities of the last iteration. */
static strait_status first_level(level *l, const leiden *m, const int32_t *cluster, strait_error *err) {
    const st_graph_rows *graph = m->graph;
    const int64_t edges = graph->start[graph->n];
    ST_TRY(level_new(l, graph->n, edges, err));
    int64_t at = 0;
    for (int64_t i = 0; i < graph->n; i++) {
        l->community[i] = cluster[i];
        for (int64_t e = graph->start[i]; e < graph->start[i + 1]; e++) {
            if (!(graph->weight[e] > 0)) continue;
            l->index[at] = graph->index[e];
            l->weight[at] = (double)graph->weight[e];
            l->strength[i] += l->weight[at++];
        }
        l->start[i + 1] = at;
    }
    return STRAIT_OK;
}

/* Adds a node's edges to m->to, by the group their other ends are in; gives how many groups are touched by now. */
static int64_t add_edges(leiden *m, const level *l, int64_t node, const int32_t *group, int64_t n_touched) {
    for (int64_t e = l->start[node]; e < l->start[node + 1]; e++) {
        const int32_t to = group[l->index[e]];
        if (m->to[to] == 0) m->touched[n_touched++] = to;
        m->to[to] += l->weight[e];
    }
    return n_touched;
}

/* Numbers the parts without gaps, in the order of their first nodes; gives how many. */
static int64_t number_parts(leiden *m, const level *l) {
    int64_t n = 0;
    for (int64_t i = 0; i < l->n; i++)
        m->touched[i] = -1;
    for (int64_t i = 0; i < l->n; i++) {
        int32_t *number = &m->touched[m->part[i]];
        if (*number < 0) *number = (int32_t)n++;
        m->part[i] = *number;
    }
    return n;
}

/* Nodes by their part, in m->order; the end of each part's in m->queue. */
static void sort_by_part(leiden *m, const level *l, int64_t parts) {
    memset(m->queue, 0, (size_t)parts * sizeof *m->queue);
    for (int64_t i = 0; i < l->n; i++)
        m->queue[m->part[i]]++;
    for (int64_t p = 1; p < parts; p++)
        m->queue[p] += m->queue[p - 1];
    for (int64_t i = l->n - 1; i >= 0; i--)
        m->order[--m->queue[m->part[i]]] = (uint32_t)i;
    for (int64_t p = 0; p + 1 < parts; p++)
        m->queue[p] = m->queue[p + 1];
    m->queue[parts - 1] = (int32_t)l->n;
}

/* The next level: a node for each part, in the communities there are. */
static strait_status aggregate(level *next, leiden *m, const level *l, strait_error *err) {
    const int64_t parts = number_parts(m, l);
    int64_t edges = 0, at = 0;
    int32_t *first = m->part_count; /* of each community: its first part, which gives it its new number */
    ST_TRY(level_new(next, parts, l->start[l->n], err));
    sort_by_part(m, l, parts);
    for (int64_t c = 0; c < l->n; c++)
        first[c] = -1;
    for (int64_t p = 0; p < parts; p++) {
        int64_t n_touched = 0;
        int32_t *number = &first[l->community[m->order[at]]];
        if (*number < 0) *number = (int32_t)p;
        next->community[p] = *number;
        for (; at < m->queue[p]; at++) {
            next->strength[p] += l->strength[m->order[at]];
            n_touched = add_edges(m, l, m->order[at], m->part, n_touched);
        }
        for (int64_t t = 0; t < n_touched; t++) {
            if (m->touched[t] != p) {
                next->index[edges] = m->touched[t];
                next->weight[edges++] = m->to[m->touched[t]];
            }
            m->to[m->touched[t]] = 0;
        }
        next->start[p + 1] = edges;
    }
    return STRAIT_OK;
}

/* ---- moving ---- */

static void shuffle(leiden *m, int64_t n, uint32_t purpose) {
    st_rng_shuffle(&(st_rng){.seed = m->seed, .purpose = ST_RNG_CLUSTERS, .epoch = 2 * m->epoch + purpose}, m->order,
                   (uint32_t)n);
}

/* Where a node gains most: the weight of its edges to a community less what chance would give it. Its own community
   goes first, then those of its edges in their order, then an empty one. */
static int32_t best_community(leiden *m, const level *l, int64_t node, int32_t empty) {
    const int32_t own = l->community[node];
    const double share = m->resolution * l->strength[node], least = SMALL_GAIN * m->unit;
    const int64_t n_touched = add_edges(m, l, node, l->community, 0);
    int32_t best = own;
    double most = m->to[own] - share * (m->total[own] - l->strength[node]) + least;
    for (int64_t t = 0; t < n_touched; t++) {
        const int32_t c = m->touched[t];
        const double gain = m->to[c] - share * m->total[c];
        if (c != own && gain > most) {
            most = gain;
            best = c;
        }
    }
    if (empty >= 0 && most < 0) best = empty;
    for (int64_t t = 0; t < n_touched; t++)
        m->to[m->touched[t]] = 0;
    return best;
}

static void count_communities(leiden *m, const level *l) {
    memset(m->total, 0, (size_t)l->n * sizeof *m->total);
    memset(m->count, 0, (size_t)l->n * sizeof *m->count);
    for (int64_t i = 0; i < l->n; i++) {
        m->total[l->community[i]] += l->strength[i];
        m->count[l->community[i]]++;
    }
}

/* Moves nodes until none gains by it; those whose neighbours moved are looked at again. True where any moved. */
static bool move_nodes(leiden *m, level *l) {
    int64_t n_spare = 0, first = 0, waiting = l->n;
    bool moved = false;
    count_communities(m, l);
    for (int64_t c = l->n - 1; c >= 0; c--)
        if (m->count[c] == 0) m->spare[n_spare++] = (int32_t)c;
    shuffle(m, l->n, 0);
    for (int64_t i = 0; i < l->n; i++) {
        m->queue[i] = (int32_t)m->order[i];
        m->queued[i] = true;
    }
    while (waiting > 0) {
        const int32_t node = m->queue[first], own = l->community[node];
        first = (first + 1) % l->n;
        waiting--;
        m->queued[node] = false;
        const int32_t empty = m->count[own] > 1 ? m->spare[n_spare - 1] : -1;
        const int32_t best = best_community(m, l, node, empty);
        if (best == own) continue;
        moved = true;
        n_spare -= best == empty;
        l->community[node] = best;
        m->total[best] += l->strength[node];
        m->count[best]++;
        m->total[own] -= l->strength[node];
        if (--m->count[own] == 0) {
            m->total[own] = 0;
            m->spare[n_spare++] = own;
        }
        for (int64_t e = l->start[node]; e < l->start[node + 1]; e++) {
            const int32_t other = l->index[e];
            if (m->queued[other] || l->community[other] == best) continue;
            m->queued[other] = true;
            m->queue[(first + waiting++) % l->n] = other;
        }
    }
    return moved;
}

/* ---- refining ---- */

/* Are its edges to the rest of its community as many as chance would give? */
static bool is_well_connected(const leiden *m, double cut, double total, double of_community) {
    return cut >= m->resolution * total * (of_community - total) - SMALL_GAIN * m->unit;
}

/* A part for a node that is alone in its own: one of those it gains by, the more likely the more it gains, or its own,
   which gains nothing. Other communities' parts are not asked. */
static int32_t draw_part(leiden *m, const level *l, int64_t node, uint32_t turn, double *weight) {
    const int32_t own = m->part[node], community = l->community[node];
    const double of_community = m->total[community], theta = RANDOMNESS * m->unit;
    const int64_t n_touched = add_edges(m, l, node, m->part, 0);
    double greatest = 0, sum = 0;
    for (int64_t t = 0; t < n_touched; t++) {
        const int32_t p = m->touched[t];
        const double gain = m->to[p] - m->resolution * l->strength[node] * m->part_total[p];
        const bool can = l->community[p] == community && p != own && gain >= 0 &&
                         is_well_connected(m, m->part_cut[p], m->part_total[p], of_community);
        m->chance[t] = can ? gain : -1;
        greatest = can ? fmax(greatest, gain) : greatest;
    }
    for (int64_t t = 0; t < n_touched; t++) {
        m->chance[t] = m->chance[t] < 0 ? 0 : exp((m->chance[t] - greatest) / theta);
        sum += m->chance[t];
    }
    double left = st_explore_uniform(m->seed, 2 * m->epoch, 1, 2 * turn) * (sum + exp(-greatest / theta));
    int32_t drawn = own;
    for (int64_t t = 0; t < n_touched && drawn == own; t++) {
        left -= m->chance[t];
        if (left < 0 && m->chance[t] > 0) drawn = m->touched[t];
    }
    *weight = m->to[drawn];
    for (int64_t t = 0; t < n_touched; t++)
        m->to[m->touched[t]] = 0;
    return drawn;
}

/* Each node a part of its own: part p begins as node p and stays in that node's community. */
static void begin_parts(leiden *m, const level *l) {
    for (int64_t i = 0; i < l->n; i++) {
        m->part[i] = (int32_t)i;
        m->part_total[i] = l->strength[i];
        m->part_count[i] = 1;
        m->part_cut[i] = 0;
        for (int64_t e = l->start[i]; e < l->start[i + 1]; e++)
            if (l->community[l->index[e]] == l->community[i]) m->part_cut[i] += l->weight[e];
    }
}

static void refine(leiden *m, const level *l) {
    begin_parts(m, l);
    shuffle(m, l->n, 1);
    for (int64_t i = 0; i < l->n; i++) {
        const int64_t node = m->order[i];
        const int32_t own = m->part[node];
        const double cut = m->part_cut[node], total = l->strength[node];
        double weight;
        if (own != node || m->part_count[own] > 1 || !is_well_connected(m, cut, total, m->total[l->community[node]]))
            continue;
        const int32_t to = draw_part(m, l, node, (uint32_t)i, &weight);
        if (to == own) continue;
        m->part[node] = to;
        m->part_count[own] = 0;
        m->part_count[to]++;
        m->part_total[to] += total;
        m->part_cut[to] += cut - 2 * weight;
    }
}

/* ---- all of it ---- */

/* From the samples to the level that nothing is merged at any more; cluster [n] begins and ends as their communities.
 */
static strait_status iterate(leiden *m, int32_t *cluster, strait_error *err) {
    const int64_t n = m->graph->n;
    level now;
    ST_TRY(first_level(&now, m, cluster, err));
    for (int64_t i = 0; i < n; i++)
        m->node[i] = (int32_t)i;
    strait_status status = STRAIT_OK;
    for (bool merged = true; merged && status == STRAIT_OK; m->epoch++) {
        level next;
        move_nodes(m, &now);
        refine(m, &now);
        status = aggregate(&next, m, &now, err);
        if (status != STRAIT_OK) break;
        merged = next.n < now.n;
        for (int64_t i = 0; i < n; i++)
            m->node[i] = m->part[m->node[i]];
        level_free(&now);
        now = next;
    }
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++)
        cluster[i] = now.community[m->node[i]];
    level_free(&now);
    return status;
}

static strait_status allocate(leiden *m, int64_t n_samples, strait_error *err) {
    const size_t n = (size_t)n_samples;
    m->node = st_alloc(n, sizeof *m->node);
    m->order = st_alloc(n, sizeof *m->order);
    m->queue = st_alloc(n, sizeof *m->queue);
    m->spare = st_alloc(n, sizeof *m->spare);
    m->queued = st_alloc(n, sizeof *m->queued);
    m->total = st_alloc(n, sizeof *m->total);
    m->count = st_alloc(n, sizeof *m->count);
    m->part = st_alloc(n, sizeof *m->part);
    m->part_total = st_alloc(n, sizeof *m->part_total);
    m->part_cut = st_alloc(n, sizeof *m->part_cut);
    m->part_count = st_alloc(n, sizeof *m->part_count);
    m->to = st_alloc(n, sizeof *m->to);
    m->touched = st_alloc(n, sizeof *m->touched);
    m->chance = st_alloc(n, sizeof *m->chance);
    m->best = st_alloc(n, sizeof *m->best);
    const bool enough = m->node && m->order && m->queue && m->spare && m->queued && m->total && m->count && m->part &&
                        m->part_total && m->part_cut && m->part_count && m->to && m->touched && m->chance && m->best;
    return enough ? STRAIT_OK : st_fail_memory(err, n * 81, "communities");
}

static void release(leiden *m) {
    st_free(m->node);
    st_free(m->order);
    st_free(m->queue);
    st_free(m->spare);
    st_free(m->queued);
    st_free(m->total);
    st_free(m->count);
    st_free(m->part);
    st_free(m->part_total);
    st_free(m->part_cut);
    st_free(m->part_count);
    st_free(m->to);
    st_free(m->touched);
    st_free(m->chance);
    st_free(m->best);
}

/* Iterates while it gets better; the best is kept. */
static strait_status climb(leiden *m, strait_clusters *clusters, double resolution, int most, strait_error *err) {
    const size_t bytes = (size_t)clusters->n * sizeof *clusters->cluster;
    double greatest = -INFINITY;
    for (int i = 1; most == 0 || i <= most; i++) {
        double now;
        ST_TRY(iterate(m, clusters->cluster, err));
        ST_TRY(st_modularity(&now, clusters->cluster, m->graph, resolution, err));
        clusters->iterations = i;
        const bool ends = now <= greatest + SMALL_IMPROVEMENT;
        if (now > greatest) {
            greatest = now;
            memcpy(m->best, clusters->cluster, bytes);
        }
        if (ends) break;
    }
    memcpy(clusters->cluster, m->best, bytes);
    return STRAIT_OK;
}

strait_status st_leiden(strait_clusters *clusters, const st_graph_rows *graph, double resolution, int most,
                        uint64_t seed, strait_error *err) {
    const int64_t n = graph->n, edges = graph->start[n];
    double ends = 0;
    for (int64_t e = 0; e < edges; e++)
        ends += (double)graph->weight[e];
    leiden m = {.graph = graph,
                .unit = edges > 0 ? ends / (double)edges : 0,
                .resolution = ends > 0 ? resolution / ends : 0,
                .seed = seed};
    for (int64_t i = 0; i < n; i++)
        clusters->cluster[i] = (int32_t)i;
    strait_status status = allocate(&m, n, err);
    if (status == STRAIT_OK) status = climb(&m, clusters, resolution, most, err);
    release(&m);
    return status;
}
