/* What the runner's files share. */
#ifndef ST_GRAPH_RUNNER_INT_H
#define ST_GRAPH_RUNNER_INT_H

#include "graph/exchange_int.h"
#include "graph/plan_int.h"

/* A worker's own plan and gradients. Padded to a cache line: workers write their steps side by side. */
typedef struct st_replica {
    _Alignas(64) st_plan *plan;
    float *gradient;
    strait_status status;
} st_replica;

/* What a call hands to the workers. */
typedef struct st_job {
    st_mode mode;
    st_feed feed;
} st_job;

struct st_runner {
    st_runner_config config;
    int n_replicas;
    int64_t share, micro_batch; /* samples a replica takes of a batch, and at once */
    size_t block_size;
    float *parameters; /* packed */
    st_replica *replica;
    st_pool *pool;
    bool in_step;          /* an op mixes samples */
    bool by_columns;       /* the replicas share all samples and gradients, and split the weights */
    st_exchange *exchange; /* replicas train in step; NULL: they need not */
    uint32_t *identity;    /* [batch_size] 0, 1, 2, ...: the streams of samples without a number */
    int n_segments;
    st_segment *segment;
    st_job job;
};

#endif
