#include <stdbool.h>
#include <unistd.h>
#include "base/rng.h"
#include "base/thread.h"
#include "data/derive.h"
#include "files.h"

enum { N = 103, VALUES = 6 };

/* Sample i has the values 2 i + k modulo 256, as images of 2 x 3 in u8. */
static uint8_t stored(int64_t i, int64_t k) {
    return (uint8_t)(2 * i + k);
}

static strait_data *make_data(void) {
    uint8_t bytes[1024], values[N * VALUES];
    for (int i = 0; i < N * VALUES; i++)
        values[i] = stored(i / VALUES, i % VALUES);
    return open_good(test_file("u8", bytes, make_idx(bytes, 0x08, 3, (uint32_t[]){N, 2, 3}, values, sizeof values)));
}

static st_batches_config config_over(strait_data *data, int ahead) {
    return (st_batches_config){.data = data,
                               .batch_size = 8,
                               .shuffle = true,
                               .seed = 42,
                               .factor = 1.0 / 255,
                               .corrupt = {.gaussian = 0.3},
                               .ahead = ahead};
}

static st_batches *make_batches(const st_batches_config *config) {
    st_batches *batches = NULL;
    strait_error err = {0};
    if (st_batches_new(&batches, config, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return batches;
}

static st_batch next(st_batches *batches) {
    st_batch batch;
    strait_error err = {0};
    if (st_batches_next(&batch, batches, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return batch;
}

/* Everything a batch holds, for comparing. */
typedef struct copy {
    float input[8 * VALUES], target[8 * VALUES];
    int64_t n, index;
    uint32_t sample[8];
} copy;

static copy copy_of(const st_batch *batch) {
    copy result = {.n = batch->n, .index = batch->index};
    memcpy(result.input, batch->input, sizeof result.input);
    memcpy(result.target, batch->target, sizeof result.target);
    memcpy(result.sample, batch->sample, (size_t)batch->n * sizeof *batch->sample);
    return result;
}

/* The batches of an epoch from first on; how many. */
static int64_t collect(copy *out, st_batches *batches, uint32_t epoch, int64_t first) {
    int64_t n = 0;
    st_batches_start(batches, epoch, first);
    for (st_batch batch = next(batches); batch.n > 0; batch = next(batches))
        out[n++] = copy_of(&batch);
    assert_int_equal(next(batches).n, 0); /* the end stays the end */
    return n;
}

static void test_each_sample_once(void **state) {
    (void)state;
    strait_data *data = make_data();
    const int ahead[] = {0, 3};
    for (int k = 0; k < 2; k++) {
        const st_batches_config config = config_over(data, ahead[k]);
        st_batches *batches = make_batches(&config);
        assert_int_equal(st_batches_per_epoch(batches), 13);
        uint32_t orders[3][N], expected[N];
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            copy copies[13];
            int seen[N] = {0}, at = 0;
            assert_int_equal(collect(copies, batches, epoch, 0), 13);
            for (int b = 0; b < 13; b++) {
                assert_int_equal(copies[b].index, b);
                assert_int_equal(copies[b].n, b < 12 ? 8 : N - 96);
                for (int i = 0; i < copies[b].n; i++)
                    seen[orders[epoch][at++] = copies[b].sample[i]]++;
            }
            for (int i = 0; i < N; i++)
                assert_int_equal(seen[i], 1);
            /* The order is the generator's permutation of this seed, purpose and epoch. */
            st_rng_shuffle(&(st_rng){.seed = 42, .purpose = ST_RNG_SHUFFLE, .epoch = epoch}, expected, N);
            assert_memory_equal(orders[epoch], expected, sizeof expected);
        }
        assert_memory_not_equal(orders[0], orders[1], sizeof orders[0]);
        assert_memory_not_equal(orders[1], orders[2], sizeof orders[0]);
        st_batches_free(batches);
    }
    strait_data_free(data);
}

static void test_values(void **state) {
    (void)state;
    strait_data *data = make_data();
    st_batches_config config = config_over(data, 2);
    config.shuffle = false;
    config.corrupt.gaussian = 0;
    st_batches *batches = make_batches(&config);
    st_batches_start(batches, 0, 0);
    for (int b = 0; b < 13; b++) {
        const st_batch batch = next(batches);
        assert_ptr_equal(batch.input, batch.target);
        assert_int_equal((uintptr_t)batch.input % 64, 0);
        for (int64_t i = 0; i < 8; i++) {
            const int64_t sample = 8 * b + i;
            if (i < batch.n) assert_int_equal(batch.sample[i], sample);
            for (int64_t k = 0; k < VALUES; k++)
                assert_true(batch.input[i * VALUES + k] ==
                            (sample < N ? (float)stored(sample, k) / 255.0f : 0)); /* rows past n are zero */
        }
    }
    assert_int_equal(next(batches).n, 0);
    st_batches_free(batches);
    strait_data_free(data);
}

/* Views: positions in the view, values of the source. */
static void test_view(void **state) {
    (void)state;
    strait_data *data = make_data(), *view = NULL;
    assert_int_equal(st_data_slice(&view, data, 50, 20, NULL), STRAIT_OK);
    st_batches_config config = config_over(view, 1);
    config.corrupt.gaussian = 0;
    st_batches *batches = make_batches(&config);
    st_batches_start(batches, 5, 0);
    int64_t n = 0;
    for (st_batch batch = next(batches); batch.n > 0; batch = next(batches))
        for (int64_t i = 0; i < batch.n; i++, n++)
            assert_true(batch.target[i * VALUES] == (float)stored(50 + batch.sample[i], 0) / 255.0f);
    assert_int_equal(n, 20);
    st_batches_free(batches);
    strait_data_free(view);
    strait_data_free(data);
}

static void test_same_whatever_is_prepared_ahead(void **state) {
    (void)state;
    strait_data *data = make_data();
    const int ahead[] = {1, 2, 8, 40};
    static copy expected[2][13], found[13];
    st_batches_config config = config_over(data, 0);
    st_batches *batches = make_batches(&config);
    collect(expected[0], batches, 0, 0);
    collect(expected[1], batches, 1, 0);
    st_batches_free(batches);
    for (size_t k = 0; k < sizeof ahead / sizeof *ahead; k++) {
        config.ahead = ahead[k];
        batches = make_batches(&config);
        for (uint32_t epoch = 0; epoch < 2; epoch++) {
            assert_int_equal(collect(found, batches, epoch, 0), 13);
            assert_memory_equal(found, expected[epoch], sizeof found);
        }
        st_batches_free(batches);
    }
    strait_data_free(data);
}

/* The workers of a pool prepare the batches together: the same ones, the last of fewer samples than workers too. */
static void test_same_with_a_pool(void **state) {
    (void)state;
    strait_data *data = make_data();
    st_batches_config config = config_over(data, 0);
    static copy expected[2][13], found[13];
    st_batches *batches = make_batches(&config);
    for (uint32_t epoch = 0; epoch < 2; epoch++)
        assert_int_equal(collect(expected[epoch], batches, epoch, 0), 13);
    st_batches_free(batches);
    for (int workers = 1; workers <= 9; workers++) {
        assert_int_equal(st_pool_new(&config.pool, workers, NULL, NULL), STRAIT_OK);
        batches = make_batches(&config);
        for (uint32_t epoch = 0; epoch < 2; epoch++) {
            assert_int_equal(collect(found, batches, epoch, 0), 13);
            for (int64_t i = 0; i < 13; i++)
                assert_memory_equal(&found[i], &expected[epoch][i], sizeof *found);
        }
        st_batches_free(batches);
        st_pool_free(config.pool);
    }
    strait_data_free(data);
}

/* Left in the middle of an epoch, at any place, and begun again at any other. */
static void test_resume(void **state) {
    (void)state;
    strait_data *data = make_data();
    static copy expected[13], found[13];
    const int ahead[] = {0, 1, 4};
    for (int k = 0; k < 3; k++) {
        const st_batches_config config = config_over(data, ahead[k]);
        st_batches *batches = make_batches(&config);
        assert_int_equal(next(batches).n, 0); /* nothing before the start */
        assert_int_equal(collect(expected, batches, 7, 0), 13);
        for (int left_at = 0; left_at <= 13; left_at++) {
            st_batches_start(batches, 6, 0);
            for (int b = 0; b < left_at; b++)
                next(batches);
            const int from = (left_at * 5) % 14;
            assert_int_equal(collect(found, batches, 7, from), 13 - from);
            assert_memory_equal(found, expected + from, (size_t)(13 - from) * sizeof *found);
        }
        st_batches_free(batches);
    }
    strait_data_free(data);
}

static void test_free_at_any_time(void **state) {
    (void)state;
    strait_data *data = make_data();
    const st_batches_config config = config_over(data, 3);
    for (int taken = -2; taken < 15; taken++) {
        st_batches *batches = make_batches(&config);
        if (taken > -2) st_batches_start(batches, 0, 0);
        for (int i = 0; i < taken; i++)
            next(batches);
        st_batches_free(batches);
    }
    st_batches_free(NULL);
    strait_data_free(data);
}

/* Sides that now and then dawdle, so that each waits for the other. */
static void test_uneven_pace(void **state) {
    (void)state;
    strait_data *data = make_data();
    static copy expected[13];
    st_batches_config config = config_over(data, 0);
    st_batches *batches = make_batches(&config);
    collect(expected, batches, 3, 0);
    st_batches_free(batches);
    const st_rng dice = {.seed = 1, .purpose = ST_RNG_BENCH};
    for (uint32_t round = 0; round < 60; round++) {
        config.ahead = 1 + (int)(round % 6);
        batches = make_batches(&config);
        for (int again = 0; again < 3; again++) {
            st_batches_start(batches, 3, 0);
            const uint32_t stop = st_rng_bits(&dice, 100 * round) % 14;
            for (uint32_t b = 0; b < stop; b++) {
                if (st_rng_bits(&dice, 100 * round + b + 1) % 4 == 0) usleep(100);
                const st_batch batch = next(batches);
                const copy found = copy_of(&batch);
                assert_memory_equal(&found, &expected[b], sizeof found);
            }
        }
        st_batches_free(batches);
    }
    strait_data_free(data);
}

/* Noise goes by epoch and sample, not by batch, order or neighbours. */
static void test_noise_goes_with_the_sample(void **state) {
    (void)state;
    strait_data *data = make_data();
    st_batches_config config = config_over(data, 0);
    float noisy[2][N][VALUES], clean[N][VALUES];
    for (int k = 0; k < 2; k++) {
        config.batch_size = k ? 5 : 8;
        config.shuffle = k == 0;
        st_batches *batches = make_batches(&config);
        st_batches_start(batches, 2, 0);
        for (st_batch batch = next(batches); batch.n > 0; batch = next(batches))
            for (int64_t i = 0; i < batch.n; i++) {
                memcpy(noisy[k][batch.sample[i]], batch.input + i * VALUES, sizeof noisy[0][0]);
                memcpy(clean[batch.sample[i]], batch.target + i * VALUES, sizeof clean[0]);
            }
        st_batches_free(batches);
    }
    assert_memory_equal(noisy[0], noisy[1], sizeof noisy[0]);
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < VALUES; k++) {
            assert_true(clean[i][k] == (float)stored(i, k) / 255.0f);
            assert_true(noisy[0][i][k] != clean[i][k]);
        }
    strait_data_free(data);
}

static void test_no_allocation_while_running(void **state) {
    (void)state;
    strait_data *data = make_data();
    const int ahead[] = {0, 4};
    for (int k = 0; k < 2; k++) {
        const st_batches_config config = config_over(data, ahead[k]);
        st_batches *batches = make_batches(&config);
        assert_true(st_batches_memory(batches) >= (1 + ahead[k]) * 2 * 8 * VALUES * 4);
        const uint64_t before = st_alloc_count();
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            st_batches_start(batches, epoch, 0);
            while (next(batches).n > 0) {
            }
        }
        assert_int_equal(st_alloc_count(), before);
        st_batches_free(batches);
    }
    strait_data_free(data);
}

static void test_bad_config(void **state) {
    (void)state;
    strait_data *data = make_data();
    st_batches *batches = NULL;
    strait_error err;
    st_batches_config config = config_over(data, 0);
    config.batch_size = 0;
    assert_int_equal(st_batches_new(&batches, &config, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "batch_size is 0; it must be at least 1");
    config = config_over(data, -1);
    assert_int_equal(st_batches_new(&batches, &config, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "-1 batches ahead; it must be 0 or more");
    config = config_over(data, 1);
    config.batch_size = INT64_MAX / 2;
    assert_int_equal(st_batches_new(&batches, &config, &err), STRAIT_MEMORY);
    assert_non_null(strstr(err.message, "a smaller batch_size needs less"));
    assert_null(batches);
    strait_data_free(data);
}

static void test_failing_allocations(void **state) {
    (void)state;
    strait_data *data = make_data();
    const st_batches_config config = config_over(data, 2);
    for (uint64_t n = 1;; n++) {
        st_batches *batches = NULL;
        st_alloc_fail_at(n);
        const strait_status status = st_batches_new(&batches, &config, NULL);
        st_alloc_fail_at(0);
        st_batches_free(batches);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(batches);
    }
    strait_data_free(data);
}

/* ---- a reader that streams: sample i is i, i, ...; it counts, dawdles and fails as told ---- */

static atomic_int n_reads;
static int64_t fails_at = -1;
static useconds_t pause_between;

static strait_status read_streamed(void *dst, const st_source *source, int64_t i, strait_error *err) {
    atomic_fetch_add(&n_reads, 1);
    if (i == fails_at) return st_fail(err, STRAIT_IO, "%s: sample %lld is gone", source->path, (long long)i);
    if (pause_between) usleep(pause_between);
    for (int64_t k = 0; k < source->n_values; k++)
        ((uint16_t *)dst)[k] = (uint16_t)i;
    return STRAIT_OK;
}

static const st_reader streamed = {.name = "streamed", .read = read_streamed};

static strait_data *make_streamed(void) {
    st_source *source = NULL;
    strait_data *data = NULL;
    size_t bytes;
    assert_int_equal(st_source_new(&source, &streamed, "stream", NULL), STRAIT_OK);
    source->type = ST_U16;
    assert_int_equal(st_source_set_shape(&bytes, source, 2, (int64_t[]){N, VALUES}, NULL), STRAIT_OK);
    assert_int_equal(st_data_new(&data, source, "stream", NULL), STRAIT_OK);
    atomic_store(&n_reads, 0);
    fails_at = -1;
    pause_between = 0;
    return data;
}

static void test_streamed(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    st_batches_config config = config_over(data, 2);
    config.factor = 1;
    st_batches *batches = make_batches(&config);
    st_batches_start(batches, 0, 0);
    for (st_batch batch = next(batches); batch.n > 0; batch = next(batches))
        for (int64_t i = 0; i < batch.n; i++)
            assert_true(batch.target[i * VALUES + 5] == (float)batch.sample[i]);
    assert_int_equal(atomic_load(&n_reads), N);
    st_batches_free(batches);
    strait_data_info info;
    strait_array *rows = NULL;
    assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_OK);
    assert_true(info.maximum == N - 1 && info.mean == (N - 1) / 2.0);
    assert_int_equal(strait_data_rows(&rows, data, 100, 2, NULL), STRAIT_OK);
    assert_true(rows->values[VALUES] == 101);
    strait_array_free(rows);
    strait_data_free(data);
}

static void test_never_further_than_ahead(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    const st_batches_config config = config_over(data, 3);
    st_batches *batches = make_batches(&config);
    st_batches_start(batches, 0, 0);
    for (int taken = 1; taken <= 13; taken++) {
        next(batches);
        usleep(500);
        assert_true(atomic_load(&n_reads) <= (taken + 3) * 8);
    }
    st_batches_free(batches);
    strait_data_free(data);
}

static void test_failed_read(void **state) {
    (void)state;
    const int ahead[] = {0, 3};
    for (int k = 0; k < 2; k++) {
        strait_data *data = make_streamed();
        st_batches_config config = config_over(data, ahead[k]);
        config.shuffle = false;
        st_batches *batches = make_batches(&config);
        strait_error err = {0};
        st_batch batch;
        fails_at = 20; /* in batch 2 */
        st_batches_start(batches, 0, 0);
        assert_int_equal(next(batches).n, 8);
        assert_int_equal(next(batches).n, 8);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(st_batches_next(&batch, batches, &err), STRAIT_IO);
            assert_string_equal(err.message, "stream: sample 20 is gone");
            assert_int_equal(st_batches_next(&batch, batches, NULL), STRAIT_IO);
        }
        st_batches_start(batches, 0, 3); /* past the bad place */
        assert_int_equal(next(batches).index, 3);
        st_batches_free(batches);
        strait_array *rows = NULL;
        strait_data_info info;
        assert_int_equal(strait_data_rows(&rows, data, 15, 10, NULL), STRAIT_IO);
        assert_int_equal(strait_data_describe(data, &info, NULL), STRAIT_IO);
        assert_null(rows);
        strait_data_free(data);
    }
}

static void fail_each_allocation(const st_batches_config *config) {
    st_batches *batches = NULL;
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = st_batches_new(&batches, config, NULL);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
        assert_null(batches);
    }
    st_batches_free(batches);
}

/* A sample that cannot be read is told of, whichever worker came upon it, and the slot can be asked for again. */
static void test_pool_fails(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    st_batches_config config = config_over(data, 0);
    assert_int_equal(st_pool_new(&config.pool, 3, NULL, NULL), STRAIT_OK);
    config.shuffle = false;
    st_batches *batches = make_batches(&config);
    strait_error err = {0};
    st_batch batch;
    fails_at = 23; /* the last of batch 2 */
    st_batches_start(batches, 0, 1);
    assert_int_equal(next(batches).n, 8);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(st_batches_next(&batch, batches, &err), STRAIT_IO);
        assert_string_equal(err.message, "stream: sample 23 is gone");
    }
    fails_at = -1;
    assert_int_equal(next(batches).index, 2);
    st_batches_free(batches);
    fail_each_allocation(&config);
    st_pool_free(config.pool);
    strait_data_free(data);
}

static void test_waiting_is_told(void **state) {
    (void)state;
    const int ahead[] = {0, 2};
    for (int k = 0; k < 2; k++) {
        strait_data *data = make_streamed();
        const st_batches_config config = config_over(data, ahead[k]);
        st_batches *batches = make_batches(&config);
        assert_true(st_batches_waited(batches) == 0);
        pause_between = 100;
        st_batches_start(batches, 0, 0);
        next(batches);
        assert_true(st_batches_waited(batches) > 0);
        st_batches_start(batches, 1, 0);
        assert_true(st_batches_waited(batches) == 0);
        st_batches_free(batches);
        strait_data_free(data);
    }
}

/* ---- decoding threads, ranks, shards ---- */

/* Sample numbers of an epoch in the order they come, as ranks see them when each takes its share in turn. */
static void collect_order(uint32_t order[N], st_batches_config config, uint32_t epoch, int n_ranks) {
    st_batches *rank[3];
    int64_t n = 0;
    for (int r = 0; r < n_ranks; r++) {
        config.rank = r;
        config.n_ranks = n_ranks;
        rank[r] = make_batches(&config);
        st_batches_start(rank[r], epoch, 0);
    }
    for (int64_t b = 0; b < st_batches_per_epoch(rank[0]); b++)
        for (int r = 0; r < n_ranks; r++) {
            const st_batch batch = next(rank[r]);
            assert_int_equal(batch.index, b);
            for (int64_t i = 0; i < batch.n; i++) {
                assert_true(batch.target[i * VALUES + 5] == (float)batch.sample[i]);
                assert_true(n < N);
                order[n++] = batch.sample[i];
            }
        }
    for (int r = 0; r < n_ranks; r++) {
        assert_int_equal(next(rank[r]).index, -1);
        st_batches_free(rank[r]);
    }
    assert_int_equal(n, N);
}

static void assert_each_once(const uint32_t order[N]) {
    bool seen[N] = {false};
    for (int i = 0; i < N; i++) {
        assert_true(order[i] < N && !seen[order[i]]);
        seen[order[i]] = true;
    }
}

/* Shards of 40, 0, 33 and 30 samples. */
static const int64_t shard_first[] = {0, 40, 40, 73, N};

/* Each sample once, in the same order, whatever the number of threads and of ranks, which cut each batch into shares.
 */
static void test_threads_and_ranks(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    data->source->shard_first = shard_first;
    data->source->n_shards = 4;
    const int threads[] = {1, 2, 4}, ranks[] = {1, 3};
    const int64_t buffers[] = {0, 1, 10, 1000};
    for (int b = 0; b < 4; b++) {
        uint32_t expected[2][N], found[N];
        st_batches_config config = config_over(data, 0);
        config.factor = 1;
        config.shuffle_buffer = buffers[b];
        for (uint32_t epoch = 0; epoch < 2; epoch++) {
            collect_order(expected[epoch], config, epoch, 1);
            assert_each_once(expected[epoch]);
        }
        assert_memory_not_equal(expected[0], expected[1], sizeof found);
        for (int t = 0; t < 3; t++)
            for (int r = 0; r < 2; r++) {
                config.ahead = 5;
                config.threads = threads[t];
                collect_order(found, config, 1, ranks[r]);
                assert_memory_equal(found, expected[1], sizeof found);
            }
        /* Prepared samples come in the order of the shards they are made of. */
        st_source *prepared = NULL;
        strait_data *view = NULL;
        assert_int_equal(st_derive(&prepared, data->source, data, &(st_derivation){0}, NULL), STRAIT_OK);
        assert_int_equal(st_data_new(&view, prepared, "prepared", NULL), STRAIT_OK);
        config.data = view;
        collect_order(found, config, 1, 1);
        assert_memory_equal(found, expected[1], sizeof found);
        strait_data_free(view);
    }
    strait_data_free(data);
}

/* A buffer of one sample leaves each shard whole and in order; of ten none comes earlier than ten before its turn. */
static void test_buffer(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    data->source->shard_first = shard_first;
    data->source->n_shards = 4;
    uint32_t straight[N], found[N], place[N];
    st_batches_config config = config_over(data, 0);
    config.factor = 1;
    config.shuffle_buffer = 1;
    collect_order(straight, config, 3, 1);
    int jumps = 0;
    for (int i = 1; i < N; i++) /* where one shard ends and another that is not the next begins */
        jumps += straight[i] != straight[i - 1] + 1;
    assert_true(jumps <= 2);
    for (uint32_t i = 0; i < N; i++)
        place[straight[i]] = i;
    config.shuffle_buffer = 10;
    collect_order(found, config, 3, 1);
    int moved = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_true(place[found[i]] < i + 10);
        moved += place[found[i]] != i;
    }
    assert_true(moved > N / 2);
    strait_data_free(data);
}

/* As test_uneven_pace, with several threads that dawdle too. */
static void test_threads_resume(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    static copy expected[13], found[13];
    st_batches_config config = config_over(data, 0);
    st_batches *batches = make_batches(&config);
    collect(expected, batches, 3, 0);
    st_batches_free(batches);
    for (int threads = 1; threads <= 4; threads++)
        for (int ahead = 1; ahead < 7; ahead += 2) {
            config.threads = threads;
            config.ahead = ahead;
            batches = make_batches(&config);
            pause_between = ahead == 3 ? 20 : 0;
            for (int left_at = 0; left_at <= 13; left_at += 3) {
                st_batches_start(batches, 2, 0);
                for (int b = 0; b < left_at; b++)
                    next(batches);
                assert_int_equal(collect(found, batches, 3, left_at), 13 - left_at);
                assert_memory_equal(found, expected + left_at, (size_t)(13 - left_at) * sizeof *found);
            }
            st_batches_free(batches);
        }
    strait_data_free(data);
}

static void test_threads_fail(void **state) {
    (void)state;
    strait_data *data = make_streamed();
    st_batches_config config = config_over(data, 6);
    config.shuffle = false;
    config.threads = 3;
    fails_at = 20; /* in batch 2: those before are whole, whoever was first */
    st_batches *batches = make_batches(&config);
    for (int again = 0; again < 20; again++) {
        strait_error err = {0};
        st_batch batch;
        st_batches_start(batches, 0, 0);
        assert_int_equal(next(batches).n, 8);
        assert_int_equal(next(batches).n, 8);
        assert_int_equal(st_batches_next(&batch, batches, &err), STRAIT_IO);
        assert_string_equal(err.message, "stream: sample 20 is gone");
    }
    st_batches_free(batches);
    fail_each_allocation(&config);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sample_once),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_same_whatever_is_prepared_ahead),
        cmocka_unit_test(test_same_with_a_pool),
        cmocka_unit_test(test_pool_fails),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_free_at_any_time),
        cmocka_unit_test(test_uneven_pace),
        cmocka_unit_test(test_noise_goes_with_the_sample),
        cmocka_unit_test(test_no_allocation_while_running),
        cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_never_further_than_ahead),
        cmocka_unit_test(test_failed_read),
        cmocka_unit_test(test_waiting_is_told),
        cmocka_unit_test(test_threads_and_ranks),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_threads_resume),
        cmocka_unit_test(test_threads_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
