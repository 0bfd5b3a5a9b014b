/* Shards of any data set: read back they are the same samples, each in the shard its name picks. */
#include <unistd.h>
#include "data/data_int.h"
#include "files.h"

enum { N = 40, VALUES = 6 };

static strait_data *make_data(void) {
    uint8_t bytes[1024], values[N * VALUES], labels[N];
    for (int i = 0; i < N * VALUES; i++)
        values[i] = (uint8_t)i;
    for (int i = 0; i < N; i++)
        labels[i] = (uint8_t)(i % 4);
    test_file("s-labels-idx1-ubyte", bytes, make_idx(bytes, 0x08, 1, (uint32_t[]){N}, labels, N));
    return open_good(test_file("s-images-idx3-ubyte", bytes,
                               make_idx(bytes, 0x08, 3, (uint32_t[]){N, 2, 3}, values, sizeof values)));
}

/* Told of each sample in turn. */
static void count(void *context, int64_t done, int64_t total) {
    int64_t *told = context;
    assert_int_equal(done, *told + 1);
    assert_true(done <= total);
    *told = done;
}

/* Gives how many samples were written. */
static int64_t shard(strait_data *data, const char *folder, int n) {
    strait_error err = {0};
    int64_t told = 0;
    if (strait_data_shard(data, folder, n, count, &told, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return told;
}

/* Every sample is there once, with its label, in the storage it had. */
static void test_round_trip(void **state) {
    (void)state;
    char folder[512];
    bool seen[N] = {false};
    snprintf(folder, sizeof folder, "%s", test_path("round"));
    strait_data *data = make_data();
    assert_int_equal(shard(data, folder, 5), N);
    strait_data_free(data);
    assert_int_equal(test_count_entries(folder), 5 + 2); /* shards.json, index.csv */
    data = open_good(folder);
    assert_int_equal(strait_data_count(data), N);
    assert_int_equal(data->source->type, ST_U8);
    assert_int_equal(data->source->n_shards, 5);
    const int64_t dim[] = {2, 3, 1};
    assert_memory_equal(data->source->dim, dim, sizeof dim);
    strait_array *rows = NULL;
    assert_int_equal(strait_data_rows(&rows, data, 0, N, NULL), STRAIT_OK);
    for (int64_t i = 0; i < N; i++) {
        const int sample = (int)rows->values[i * VALUES] / VALUES;
        assert_false(seen[sample]);
        seen[sample] = true;
        assert_int_equal(strait_data_label(data, i), sample % 4);
        for (int k = 0; k < VALUES; k++)
            assert_true(rows->values[i * VALUES + k] == (float)(sample * VALUES + k));
    }
    int most = 0; /* forty samples in five shards by chance: none has more than half of them */
    for (int k = 0; k < 5; k++)
        if (data->source->shard_first[k + 1] - data->source->shard_first[k] > most)
            most = (int)(data->source->shard_first[k + 1] - data->source->shard_first[k]);
    assert_true(most < N / 2);
    strait_array_free(rows);
    strait_data_free(data);
}

/* What a kill leaves, some shards and no index, is completed to the same bytes; other data is refused. */
static void test_again(void **state) {
    (void)state;
    char folder[512], path[600];
    uint8_t whole[8192], again[8192], index[8192], index_again[8192];
    snprintf(folder, sizeof folder, "%s", test_path("again"));
    strait_data *data = make_data();
    shard(data, folder, 3);
    snprintf(path, sizeof path, "%s/index.csv", folder);
    const size_t n_index = read_file(path, index, sizeof index);
    unlink(path);
    snprintf(path, sizeof path, "%s/data-00001-of-00003.tfrecord", folder);
    const size_t n = read_file(path, whole, sizeof whole);
    unlink(path);
    assert_in_range(shard(data, folder, 3), 1, N - 1); /* of the one that was gone */
    assert_int_equal(read_file(path, again, sizeof again), n);
    assert_memory_equal(again, whole, n);
    snprintf(path, sizeof path, "%s/index.csv", folder);
    assert_int_equal(read_file(path, index_again, sizeof index_again), n_index);
    assert_memory_equal(index_again, index, n_index);
    strait_error err;
    assert_int_equal(strait_data_shard(data, folder, 4, NULL, NULL, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "tells of shards of other data"));
    assert_int_equal(strait_data_shard(data, folder, N + 1, NULL, NULL, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "41 shards of 40 samples; there may be 1 to 40");
    strait_data_free(data);
}

/* Each allocation fails in turn: no file under a final name is a part, and the next try completes them. */
static void test_failing_allocations(void **state) {
    (void)state;
    char folder[512];
    snprintf(folder, sizeof folder, "%s", test_path("alloc"));
    strait_data *data = make_data();
    for (uint64_t n = 1;; n++) {
        st_alloc_fail_at(n);
        const strait_status status = strait_data_shard(data, folder, 3, NULL, NULL, NULL);
        st_alloc_fail_at(0);
        if (status == STRAIT_OK) break;
        assert_int_equal(status, STRAIT_MEMORY);
    }
    strait_data_free(data);
    data = open_good(folder);
    assert_int_equal(strait_data_count(data), N);
    strait_data_free(data);
}

/* Files that are encoded keep their bytes; sub-folders' names stay the names of the labels. */
static void test_nuclei(void **state) {
    (void)state;
    char source[512], folder[512];
    if (!test_data()) skip();
    snprintf(source, sizeof source, "%s/nuclei/gray256", test_data());
    snprintf(folder, sizeof folder, "%s", test_path("nuclei"));
    strait_data *data = open_good(source), *shards = NULL;
    char *a = NULL, *b = NULL;
    size_t n_a = 0, n_b = 0;
    shard(data, folder, 10);
    shards = open_good(folder);
    assert_int_equal(strait_data_count(shards), strait_data_count(data));
    for (int64_t i = 0; i < strait_data_count(shards); i += 30) {
        int64_t k = 0;
        while (strcmp(strait_data_sample_name(data, k), strait_data_sample_name(shards, i)) != 0)
            k++;
        assert_int_equal(data->source->reader->encoded(&a, &n_a, data->source, k, NULL), STRAIT_OK);
        assert_int_equal(shards->source->reader->encoded(&b, &n_b, shards->source, i, NULL), STRAIT_OK);
        assert_true(n_a == n_b && n_a > 0);
        assert_memory_equal(a, b, n_a);
        st_free(a);
        st_free(b);
    }
    strait_data_free(shards);
    strait_data_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_nuclei),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
