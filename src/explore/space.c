#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "explore/neighbors_int.h"

/* Squares of larger magnitudes do not fit float32. */
#define GREATEST 1e18F

double st_square_distance(const float *a, const float *b, int64_t d) {
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= d; i += 4)
        for (int l = 0; l < 4; l++) {
            const double difference = (double)a[i + l] - (double)b[i + l];
            sum[l] += difference * difference;
        }
    for (; i < d; i++) {
        const double difference = (double)a[i] - (double)b[i];
        sum[0] += difference * difference;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

float st_space_distance(const st_space *space, double square) {
    return (float)(space->metric == STRAIT_METRIC_COSINE ? square / 2 : sqrt(square));
}

static double square_length(const float *row, int64_t d) {
    double sum = 0;
    for (int64_t i = 0; i < d; i++)
        sum += (double)row[i] * (double)row[i];
    return sum;
}

static strait_status check_range(const st_rows *x, strait_error *err) {
    for (int64_t i = 0; i < x->n * x->d; i++)
        if (fabsf(x->values[i]) > GREATEST)
            return st_fail(err, STRAIT_ARGUMENT,
                           "value %lld of sample %lld is %g: distances need magnitudes up to %g; scale the data",
                           (long long)(i % x->d), (long long)(i / x->d), (double)x->values[i], (double)GREATEST);
    return STRAIT_OK;
}

static bool has_zero_row(const st_rows *x) {
    for (int64_t i = 0; i < x->n; i++)
        if (square_length(x->values + i * x->d, x->d) == 0) return true;
    return false;
}

/* Rows of length 1 in d values, d being x's or one more. */
static void to_unit_rows(float *out, const st_rows *x, int64_t d) {
    for (int64_t i = 0; i < x->n; i++) {
        const float *from = x->values + i * x->d;
        float *to = out + i * d;
        const double length = sqrt(square_length(from, x->d));
        if (length > 0)
            for (int64_t j = 0; j < x->d; j++)
                to[j] = (float)((double)from[j] / length);
        else
            to[x->d] = 1;
    }
}

static strait_status take_unit_rows(st_space *space, const st_rows *x, const st_rows *query, strait_error *err) {
    space->d = x->d + (has_zero_row(x) || (query && has_zero_row(query)));
    const size_t bytes = (size_t)((space->n + space->n_queries) * space->d) * sizeof(float);
    space->owned = st_alloc_aligned(bytes);
    if (!space->owned) return st_fail_memory(err, bytes, "rows of length 1");
    to_unit_rows(space->owned, x, space->d);
    if (query) to_unit_rows(space->owned + space->n * space->d, query, space->d);
    space->row = space->owned;
    space->query_row = space->owned + space->n * space->d;
    return STRAIT_OK;
}

static void take_mean(double *mean, const float *row, int64_t n, int64_t d) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            mean[j] += (double)row[i * d + j];
    for (int64_t j = 0; j < d; j++)
        mean[j] /= (double)n;
}

static const float *row_at(const st_space *space, int64_t i) {
    return i < space->n ? space->row + i * space->d : space->query_row + (i - space->n) * space->d;
}

static strait_status make_near(st_space *space, strait_error *err) {
    const int64_t all = space->n + space->n_queries, d = space->d;
    double *mean = st_alloc((size_t)d, sizeof *mean);
    space->near = st_alloc_aligned((size_t)(all * d) * sizeof(float));
    space->norm = st_alloc_aligned((size_t)all * sizeof(float));
    if (!mean || !space->near || !space->norm) {
        st_free(mean);
        return st_fail_memory(err, (size_t)(all * d) * sizeof(float), "centred rows");
    }
    take_mean(mean, space->row, space->n, d);
    double greatest = 0;
    for (int64_t i = 0; i < all; i++)
        for (int64_t j = 0; j < d; j++)
            greatest = fmax(greatest, fabs((double)row_at(space, i)[j] - mean[j]));
    space->scale = greatest > 0 ? 1 / greatest : 1;
    for (int64_t i = 0; i < all; i++) {
        float *to = space->near + i * d;
        for (int64_t j = 0; j < d; j++)
            to[j] = (float)(((double)row_at(space, i)[j] - mean[j]) * space->scale);
        space->norm[i] = (float)square_length(to, d);
    }
    st_free(mean);
    return STRAIT_OK;
}

strait_status st_space_new(st_space **out, const st_rows *x, const st_rows *query, strait_metric metric,
                           strait_error *err) {
    *out = NULL;
    if (query && query->d != x->d)
        return st_fail(err, STRAIT_SHAPE, "the samples have %lld values each, the queries %lld", (long long)x->d,
                       (long long)query->d);
    ST_TRY(check_range(x, err));
    if (query) ST_TRY(check_range(query, err));
    st_space *space = st_alloc(1, sizeof *space);
    if (!space) return st_fail_memory(err, sizeof *space, "neighbours");
    *space = (st_space){.metric = metric,
                        .n = x->n,
                        .n_queries = query ? query->n : 0,
                        .d = x->d,
                        .row = x->values,
                        .query_row = query ? query->values : NULL};
    strait_status status = metric == STRAIT_METRIC_COSINE ? take_unit_rows(space, x, query, err) : STRAIT_OK;
    if (status == STRAIT_OK) status = make_near(space, err);
    if (status != STRAIT_OK) {
        st_space_free(space);
        return status;
    }
    *out = space;
    return STRAIT_OK;
}

void st_space_free(st_space *space) {
    if (!space) return;
    st_free(space->near);
    st_free(space->norm);
    st_free(space->owned);
    st_free(space);
}
