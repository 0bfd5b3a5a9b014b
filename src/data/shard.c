/* Any data set as shards. Which samples a shard has follows from their names alone, and a shard is written atomically:
   so whatever stands under a final name is whole, and who begins again after a kill writes what is missing, to the same
   bytes. shards.json, written first, says what the shards are of; another data set, or another number of shards, does
   not go into the same folder. index.csv, written last, says where each sample is. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"
#include "data/example.h"
#include "data/files.h"
#include "data/tfrecord_file.h"

/* 64-bit FNV-1a, its bits mixed once more (MurmurHash3's finalizer): the lowest bits alone are uneven. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t mix(uint64_t hash) {
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

#define FNV_START 0xcbf29ce484222325u

/* Of sample i: by its name, or where it has none by its number. */
static uint64_t hash_sample(const strait_data *data, int64_t i) {
    const char *name = strait_data_sample_name(data, i);
    return mix(name ? hash_bytes(FNV_START, name, strlen(name)) : hash_bytes(FNV_START, &i, sizeof i));
}

typedef struct sharding {
    strait_data *data;
    const char *folder;
    int n_shards;
    uint32_t *sample; /* [n] by shard, in the order of the data */
    int64_t *first;   /* [n_shards + 1] in sample */
    char *scratch;    /* one sample */
    st_example_text example;
    st_text record;
    bool *wanted;        /* [n_shards]: it is still to be written */
    int64_t done, total; /* samples of those */
    void (*progress)(void *context, int64_t done, int64_t total);
    void *context;
} sharding;

/* ---- who goes where ---- */

static strait_status assign(sharding *s, strait_error *err) {
    const int64_t n = s->data->n;
    const uint64_t n_shards = (uint64_t)s->n_shards;
    s->sample = st_alloc((size_t)n, sizeof *s->sample);
    s->first = st_alloc((size_t)s->n_shards + 2, sizeof *s->first);
    if (!s->sample || !s->first) return st_fail_memory(err, (size_t)n * sizeof *s->sample, "a list of samples");
    for (int64_t i = 0; i < n; i++)
        s->first[hash_sample(s->data, i) % n_shards + 2]++;
    for (int k = 2; k <= s->n_shards; k++)
        s->first[k] += s->first[k - 1];
    for (int64_t i = 0; i < n; i++) /* first[k + 1] moves from where shard k begins to where it ends */
        s->sample[s->first[hash_sample(s->data, i) % n_shards + 1]++] = (uint32_t)i;
    return STRAIT_OK;
}

static char *path_of_shard(const sharding *s, int k) {
    char name[64];
    snprintf(name, sizeof name, "data-%05d-of-%05d.tfrecord", k, s->n_shards);
    return st_path_join(s->folder, name);
}

/* ---- what the shards are of ---- */

static strait_status describe(char **out, size_t *n, const sharding *s, strait_error *err) {
    const strait_data *data = s->data;
    const st_source *source = data->source;
    uint64_t hash = FNV_START;
    st_text text = {0};
    for (int64_t i = 0; i < data->n; i++) {
        const char *name = strait_data_sample_name(data, i);
        const int64_t label = strait_data_label(data, i);
        if (name) hash = hash_bytes(hash, name, strlen(name) + 1);
        hash = hash_bytes(hash, &label, sizeof label);
    }
    st_text_add(&text, "{\"format\": \"strait-shards-1\", \"source\": ");
    st_text_add_json(&text, data->name);
    st_text_add(&text, ", \"shards\": %d, \"samples\": %lld, \"storage\": \"%s\", \"shape\": [", s->n_shards,
                (long long)data->n, st_dtype_name(source->type));
    for (int i = 0; i < source->n_dims; i++)
        st_text_add(&text, "%s%lld", i ? ", " : "", (long long)source->dim[i]);
    st_text_add(&text, "], \"names_and_labels\": \"%016llx\"}\n", (unsigned long long)hash);
    *n = text.length;
    return st_text_take(out, &text, err);
}

static strait_status compare_plan(const char *path, const char *plan, size_t n, strait_error *err) {
    char *found = NULL;
    size_t n_found = 0;
    ST_TRY(st_file_read(&found, &n_found, path, 1 << 20, err));
    const bool same = n_found == n && memcmp(found, plan, n) == 0;
    st_free(found);
    return same ? STRAIT_OK
                : st_fail(err, STRAIT_ARGUMENT,
                          "%s: tells of shards of other data, or of another number of them; give another folder", path);
}

/* Writes shards.json, or sees that it is the one there. */
static strait_status settle_plan(const sharding *s, strait_error *err) {
    char *plan = NULL, *path = st_path_join(s->folder, "shards.json");
    size_t n = 0;
    if (!path) return st_fail_memory(err, strlen(s->folder), "a path");
    strait_status status = describe(&plan, &n, s, err);
    if (status == STRAIT_OK)
        status = st_path_exists(path) ? compare_plan(path, plan, n, err) : st_file_write_all(path, plan, n, err);
    st_free(plan);
    st_free(path);
    return status;
}

/* ---- one shard ---- */

static void add_image(st_example_text *example, const st_source *source, const void *values) {
    static const char *const types[] = {[ST_U8] = "uint8", [ST_U16] = "uint16", [ST_F32] = "float32"};
    const bool image = source->n_dims == 3;
    const char *type = types[source->type];
    const size_t n = (size_t)source->n_values * st_dtype_size(source->type);
    st_example_add_bytes(example, image ? "image/dtype" : "dtype", type, strlen(type));
    st_example_add_bytes(example, image ? "image/raw" : "raw", values, n);
    st_example_add_integers(example, image ? "image/shape" : "shape", source->dim, source->n_dims);
}

static void add_label(st_example_text *example, const strait_data *data, int64_t i) {
    const st_source *source = data->source;
    const int64_t label = strait_data_label(data, i);
    if (!source->labels) return;
    st_example_add_integers(example, "label", &label, 1);
    if (!source->label_names || label < 0 || label >= source->n_label_names) return;
    st_example_add_bytes(example, "label/text", source->label_names[label], strlen(source->label_names[label]));
}

static strait_status add_sample(sharding *s, st_file *file, int64_t i, strait_error *err) {
    const st_source *source = s->data->source;
    const int64_t k = st_data_source_sample(s->data, i);
    const char *name = strait_data_sample_name(s->data, i);
    const void *values = NULL;
    char *encoded = NULL;
    size_t n = 0;
    if (source->reader->encoded) ST_TRY(source->reader->encoded(&encoded, &n, source, k, err));
    if (encoded) {
        st_example_add_bytes(&s->example, "image/encoded", encoded, n);
        st_free(encoded);
    } else {
        ST_TRY(st_source_check_uniform(source, err));
        ST_TRY(st_source_sample(&values, source, k, s->scratch, err));
        add_image(&s->example, source, values);
    }
    add_label(&s->example, s->data, i);
    if (name) st_example_add_bytes(&s->example, "name", name, strlen(name));
    s->record.length = 0;
    st_example_finish(&s->record, &s->example);
    if (s->record.failed) return st_fail_memory(err, n, "a record");
    st_tfrecord_write(file, s->record.bytes, s->record.length);
    return STRAIT_OK;
}

static strait_status write_shard(sharding *s, const char *path, int k, strait_error *err) {
    st_file *file = NULL;
    strait_status status = st_file_create(&file, path, err);
    for (int64_t i = s->first[k]; i < s->first[k + 1] && status == STRAIT_OK; i++) {
        status = add_sample(s, file, s->sample[i], err);
        if (status == STRAIT_OK && s->progress) s->progress(s->context, ++s->done, s->total);
    }
    if (status == STRAIT_OK) return st_file_commit(file, err);
    st_file_abandon(file);
    return status;
}

/* Removes what killed processes left of shards they were writing (base/file.c): each may be as large as a shard. */
static strait_status remove_leftovers(const sharding *s, strait_error *err) {
    st_words *left = NULL;
    char *pattern = st_format("%s/.strait-*.tmp", s->folder);
    if (!pattern) return st_fail_memory(err, strlen(s->folder), "a path");
    const strait_status status = st_list_matches(&left, pattern, err);
    st_free(pattern);
    if (status != STRAIT_OK) return status;
    for (int64_t i = 0; i < left->n; i++) {
        long process = 0;
        if (sscanf(st_path_name(left->at[i]), ".strait-%9ld-", &process) != 1 || process <= 0) continue;
        if (kill((pid_t)process, 0) != 0 && errno == ESRCH) unlink(left->at[i]);
    }
    st_words_free(left);
    return STRAIT_OK;
}

/* The shards that are not there yet. */
static strait_status find_shards_to_write(sharding *s, strait_error *err) {
    s->wanted = st_alloc((size_t)s->n_shards, sizeof *s->wanted);
    if (!s->wanted) return st_fail_memory(err, (size_t)s->n_shards, "a list of shards");
    for (int k = 0; k < s->n_shards; k++) {
        char *path = path_of_shard(s, k);
        if (!path) return st_fail_memory(err, strlen(s->folder), "a path");
        s->wanted[k] = !st_path_exists(path);
        st_free(path);
        if (s->wanted[k]) s->total += s->first[k + 1] - s->first[k];
    }
    return STRAIT_OK;
}

static strait_status write_shards(sharding *s, strait_error *err) {
    ST_TRY(find_shards_to_write(s, err));
    for (int k = 0; k < s->n_shards; k++) {
        if (!s->wanted[k]) continue;
        char *path = path_of_shard(s, k);
        if (!path) return st_fail_memory(err, strlen(s->folder), "a path");
        const strait_status status = write_shard(s, path, k, err);
        st_free(path);
        ST_TRY(status);
    }
    return STRAIT_OK;
}

/* ---- where everything is ---- */

static strait_status write_index(const sharding *s, strait_error *err) {
    st_text text = {0};
    char *path = st_path_join(s->folder, "index.csv"), *bytes = NULL;
    if (!path) return st_fail_memory(err, strlen(s->folder), "a path");
    st_text_add(&text, "shard,record,sample,name,label\n");
    for (int k = 0; k < s->n_shards; k++)
        for (int64_t i = s->first[k]; i < s->first[k + 1]; i++) {
            const char *name = strait_data_sample_name(s->data, s->sample[i]);
            st_text_add(&text, "%d,%lld,%lu,", k, (long long)(i - s->first[k]), (unsigned long)s->sample[i]);
            st_text_add_cell(&text, name ? name : "");
            if (s->data->source->labels)
                st_text_add(&text, ",%lld\n", (long long)strait_data_label(s->data, s->sample[i]));
            else
                st_text_add(&text, ",\n");
        }
    const size_t n = text.length;
    strait_status status = st_text_take(&bytes, &text, err);
    if (status == STRAIT_OK) status = st_file_write_all(path, bytes, n, err);
    st_free(bytes);
    st_free(path);
    return status;
}

static strait_status run(sharding *s, strait_error *err) {
    const st_source *source = s->data->source;
    const size_t bytes = (size_t)source->n_values * st_dtype_size(source->type);
    ST_TRY(assign(s, err));
    ST_TRY(st_make_folders(s->folder, err));
    ST_TRY(settle_plan(s, err));
    ST_TRY(remove_leftovers(s, err));
    if (!source->values && !(s->scratch = st_alloc(bytes, 1))) return st_fail_memory(err, bytes, "a sample");
    ST_TRY(write_shards(s, err));
    return write_index(s, err);
}

strait_status strait_data_shard(strait_data *data, const char *folder, int n_shards,
                                void (*progress)(void *context, int64_t done, int64_t total), void *context,
                                strait_error *err) {
    enum { MOST_SHARDS = 99999 };
    const st_source *source = data->source;
    if (n_shards < 1 || n_shards > MOST_SHARDS || n_shards > data->n)
        return st_fail(err, STRAIT_ARGUMENT, "%d shards of %lld samples; there may be 1 to %lld", n_shards,
                       (long long)data->n, (long long)(data->n < MOST_SHARDS ? data->n : MOST_SHARDS));
    if (source->feature_kind || source->target)
        return st_fail(err, STRAIT_ARGUMENT, "%s: %s cannot be kept in shards", data->name,
                       source->target ? "pairs of inputs and targets" : "the names of cells' features");
    sharding s = {.data = data, .folder = folder, .n_shards = n_shards, .progress = progress, .context = context};
    const strait_status status = run(&s, err);
    st_example_text_free(&s.example);
    st_text_free(&s.record);
    st_free(s.sample);
    st_free(s.first);
    st_free(s.wanted);
    st_free(s.scratch);
    return status;
}
