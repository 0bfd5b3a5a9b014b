/* The layouts of known data sets: MNIST's kind, CIFAR-10, the heartbeats of ECG5000. */
#include <string.h>
#include "base/memory.h"
#include "base/rng.h"
#include "base/string.h"
#include "data/cifar.h"
#include "data/files.h"
#include "data/known_int.h"

/* The first of these files that folder has: NULL in *out when it has none. */
static strait_status find_file(char **out, const char *folder, const char *prefix, const char *const *endings,
                               strait_error *err) {
    *out = NULL;
    for (; *endings; endings++) {
        char *path = st_format("%s/%s%s", folder, prefix, *endings);
        if (!path) return st_fail_memory(err, strlen(folder), "a path");
        if (st_path_exists(path)) {
            *out = path;
            return STRAIT_OK;
        }
        st_free(path);
    }
    return STRAIT_OK;
}

/* ---- MNIST and its kind ---- */

static strait_status find_images(char **out, const char *folder, st_known_part part, strait_error *err) {
    static const char *const endings[] = {"-images-idx3-ubyte.gz", "-images-idx3-ubyte", "-images.idx3-ubyte", NULL};
    return find_file(out, folder, part == ST_PART_TRAIN ? "train" : "t10k", endings, err);
}

static strait_status has_idx(bool *out, const char *folder, st_known_part part, strait_error *err) {
    char *images = NULL;
    ST_TRY(find_images(&images, folder, part, err));
    *out = images != NULL;
    st_free(images);
    return STRAIT_OK;
}

/* Images and, which here must be, labels. */
static strait_status open_labelled(strait_data **out, const char *images, const char *name, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_open(&source, images, NULL, err));
    if (source->labels) return st_data_new(out, source, name, err);
    st_source_release(source);
    return st_fail(err, STRAIT_NOT_FOUND, "%s: its labels, a file of the same name with labels-idx1, are not beside it",
                   images);
}

static strait_status open_idx(strait_data **out, const char *folder, st_known_part part, const char *source,
                              strait_error *err) {
    char *images = NULL;
    ST_TRY(find_images(&images, folder, part, err));
    const strait_status status = images ? open_labelled(out, images, source, err)
                                        : st_fail(err, STRAIT_NOT_FOUND, "%s: the images have gone", folder);
    st_free(images);
    return status;
}

const st_known_layout st_layout_idx = {
    .files = {"train-images-idx3-ubyte, gzip or not,", "t10k-images-idx3-ubyte, gzip or not,"},
    .has = has_idx,
    .open = open_idx,
};

/* ---- CIFAR-10 ---- */

static bool is_batch(const char *name, const char *start) {
    return st_starts_with(name, start) && (st_ends_with(name, ".bin") || st_ends_with(name, ".bin.gz"));
}

static bool is_train_batch(const char *name) {
    return is_batch(name, "data_batch_");
}

static bool is_test_batch(const char *name) {
    return is_batch(name, "test_batch");
}

static strait_status list_batches(st_words **out, const char *folder, st_known_part part, strait_error *err) {
    return st_list_folder(out, folder, false, part == ST_PART_TRAIN ? is_train_batch : is_test_batch, err);
}

static strait_status has_cifar(bool *out, const char *folder, st_known_part part, strait_error *err) {
    st_words *names = NULL;
    ST_TRY(list_batches(&names, folder, part, err));
    *out = names->n > 0;
    st_words_free(names);
    return STRAIT_OK;
}

/* All batches there are: fewer than five are fewer images, no mistake. */
static strait_status open_batches(st_source **out, const st_words *names, const char *folder, strait_error *err) {
    st_words *paths = NULL;
    ST_TRY(st_words_join(&paths, folder, names, err));
    const strait_status status = st_cifar_open(out, paths->at, paths->n, err);
    st_words_free(paths);
    return status;
}

static strait_status open_cifar(strait_data **out, const char *folder, st_known_part part, const char *source,
                                strait_error *err) {
    st_words *names = NULL;
    st_source *opened = NULL;
    ST_TRY(list_batches(&names, folder, part, err));
    const strait_status status = names->n > 0 ? open_batches(&opened, names, folder, err)
                                              : st_fail(err, STRAIT_NOT_FOUND, "%s: the batches have gone", folder);
    st_words_free(names);
    return status == STRAIT_OK ? st_data_new(out, opened, source, err) : status;
}

const st_known_layout st_layout_cifar = {
    .files = {"data_batch_1.bin to data_batch_5.bin", "test_batch.bin"},
    .has = has_cifar,
    .open = open_cifar,
};

/* ---- CIFAR-100 ---- */

static strait_status has_cifar100(bool *out, const char *folder, st_known_part part, strait_error *err) {
    char *path = st_path_join(folder, part == ST_PART_TRAIN ? "train.bin" : "test.bin");
    if (!path) return st_fail_memory(err, strlen(folder), "a path");
    *out = st_cifar100_fits(path);
    st_free(path);
    return STRAIT_OK;
}

static strait_status open_cifar100(strait_data **out, const char *folder, st_known_part part, const char *source,
                                   strait_error *err) {
    st_source *opened = NULL;
    char *path = st_path_join(folder, part == ST_PART_TRAIN ? "train.bin" : "test.bin");
    if (!path) return st_fail_memory(err, strlen(folder), "a path");
    const strait_status status = st_source_open(&opened, path, NULL, err);
    st_free(path);
    return status == STRAIT_OK ? st_data_new(out, opened, source, err) : status;
}

const st_known_layout st_layout_cifar100 = {
    .files = {"train.bin of CIFAR-100", "test.bin of CIFAR-100"},
    .has = has_cifar100,
    .open = open_cifar100,
};

/* ---- heartbeats ---- */

/* The split is part of the data set's name, and so for ever what it is: scores would not compare otherwise. As in the
   tutorial the data come from (scikit-learn's train_test_split with test_size 0.2), ceil(n / 5) are for testing; which
   ones is our own draw. */
enum { ECG_VALUES = 140, ECG_SEED = 21 };

static const char *const ecg_labels[] = {"abnormal", "normal"};

static strait_status find_ecg(char **out, const char *folder, strait_error *err) {
    static const char *const endings[] = {".csv", ".csv.gz", NULL};
    return find_file(out, folder, "ecg", endings, err);
}

static strait_status has_ecg(bool *out, const char *folder, st_known_part part, strait_error *err) {
    (void)part;
    char *path = NULL;
    ST_TRY(find_ecg(&path, folder, err));
    *out = path != NULL;
    st_free(path);
    return STRAIT_OK;
}

static strait_status pick_part(strait_data **out, strait_data *whole, st_known_part part, strait_error *err) {
    const int64_t n = whole->n, n_test = (n + 4) / 5, n_train = n - n_test;
    uint32_t *index = st_alloc((size_t)n, sizeof *index);
    if (!index) return st_fail_memory(err, (size_t)n * sizeof *index, "a list of samples");
    const st_rng rng = {.seed = ECG_SEED, .purpose = ST_RNG_SPLIT};
    st_rng_shuffle(&rng, index, (uint32_t)n);
    const bool train = part == ST_PART_TRAIN;
    const strait_status status =
        st_data_pick(out, whole, train ? index : index + n_train, train ? n_train : n_test, err);
    st_free(index);
    return status;
}

static strait_status open_ecg_file(strait_data **whole, const char *path, const char *name, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_open(&source, path, &(st_source_options){.label = "last"}, err));
    if (source->n_dims != 1 || source->n_values != ECG_VALUES || source->n_samples < 2) {
        const long long n = source->n_values;
        st_source_release(source);
        return st_fail(err, STRAIT_FORMAT, "%s: not the data set ecg5000: has %lld columns, not %d values and a label",
                       path, n + 1, ECG_VALUES);
    }
    source->label_names = ecg_labels;
    source->n_label_names = 2;
    return st_data_new(whole, source, name, err);
}

static strait_status open_ecg(strait_data **out, const char *folder, st_known_part part, const char *source,
                              strait_error *err) {
    char *path = NULL;
    strait_data *whole = NULL;
    ST_TRY(find_ecg(&path, folder, err));
    strait_status status = path ? open_ecg_file(&whole, path, source, err)
                                : st_fail(err, STRAIT_NOT_FOUND, "%s: ecg.csv has gone", folder);
    st_free(path);
    if (status == STRAIT_OK) status = pick_part(out, whole, part, err);
    strait_data_free(whole); /* the view keeps the source */
    return status;
}

const st_known_layout st_layout_ecg = {.files = {"ecg.csv", "ecg.csv"}, .has = has_ecg, .open = open_ecg};
