#include "data/fetch.h"

#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"
#include "data/gzfile.h"
#include "data/known_int.h"

/* The sums are those that TensorFlow Datasets and CIFAR-10's page publish. */
static const st_home homes[] = {
    {"cifar10",
     {"https://www.cs.toronto.edu/~kriz/"},
     {{"cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9dddda3db29a59bca1dd", 170052171}},
     true},
    {"ecg5000",
     {"https://storage.googleapis.com/download.tensorflow.org/data/"},
     {{"ecg.csv", "72ce7b040ca0c6ed36c3368e570c6ac4ddf20100476e47373c63b2395e012df1", 7877383}},
     false},
    {"fashion-mnist",
     {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"},
     {{"train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26421880},
      {"train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29515},
      {"t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4422102},
      {"t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5148}},
     false},
    {"mnist",
     {"https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"},
     {{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422},
      {"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881},
      {"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877},
      {"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542}},
     false},
};

const st_home *st_home_of(const char *name) {
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++)
        if (strcmp(homes[i].name, name) == 0) return &homes[i];
    return NULL;
}

/* ---- tar ---- */

/* A header's block (POSIX ustar): the name at 0, the size in octal at 124, the kind at 156. */
enum { BLOCK = 512, NAME_BYTES = 100, SIZE_AT = 124, SIZE_BYTES = 12, KIND_AT = 156 };
/* 10,000 images of a label and 3,072 values. */
enum { BATCH_BYTES = 30730000 };

static bool parse_size(int64_t *out, const char *field) {
    *out = 0;
    int i = 0;
    while (i < SIZE_BYTES && field[i] == ' ')
        i++;
    for (; i < SIZE_BYTES && field[i] >= '0' && field[i] <= '7'; i++)
        *out = *out * 8 + (field[i] - '0');
    return i == SIZE_BYTES || field[i] == '\0' || field[i] == ' ';
}

/* Copies n bytes and what fills up the last block; into file where there is one. */
static strait_status pass(st_gzfile *from, st_file *file, int64_t n, strait_error *err) {
    char block[BLOCK * 64];
    int64_t rest = (n + BLOCK - 1) / BLOCK * BLOCK;
    while (rest > 0) {
        const size_t part = rest < (int64_t)sizeof block ? (size_t)rest : sizeof block;
        ST_TRY(st_gzfile_read_all(from, block, part, err));
        const int64_t wanted = n < (int64_t)part ? n : (int64_t)part;
        if (file) st_file_write(file, block, (size_t)wanted);
        n -= wanted;
        rest -= (int64_t)part;
    }
    return STRAIT_OK;
}

static const char *const batches[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
enum { N_BATCHES = sizeof batches / sizeof *batches };

/* Which of them it is; -1: none. */
static int batch_of(const char *name) {
    for (int i = 0; i < N_BATCHES; i++)
        if (strcmp(name, batches[i]) == 0) return i;
    return -1;
}

/* One entry's bytes, into file where it is wanted: NULL where it is not. */
static strait_status take_entry(st_gzfile *from, st_file *file, int64_t size, strait_error *err) {
    const strait_status status = pass(from, file, size, err);
    if (status == STRAIT_OK) return file ? st_file_commit(file, err) : STRAIT_OK;
    st_file_abandon(file);
    return status;
}

/* Only the last part of a name in the archive is used, and only if it is one of the six: nothing is written elsewhere.
 */
static strait_status unpack(bool *taken, st_gzfile *from, const char *archive, const char *folder, strait_error *err) {
    for (;;) {
        char header[BLOCK], name[NAME_BYTES + 1] = "";
        int64_t size = 0;
        size_t got = 0;
        ST_TRY(st_gzfile_read(&got, from, header, sizeof header, err));
        if (got < sizeof header || header[0] == '\0') return STRAIT_OK;
        memcpy(name, header, NAME_BYTES);
        if (!parse_size(&size, header + SIZE_AT))
            return st_fail(err, STRAIT_FORMAT, "%s: damaged archive: a size is no number", archive);
        const int batch = batch_of(st_path_name(name));
        const bool wanted = batch >= 0 && (header[KIND_AT] == '0' || header[KIND_AT] == '\0');
        st_file *file = NULL;
        if (wanted && size != BATCH_BYTES)
            return st_fail(err, STRAIT_FORMAT, "%s: damaged archive: %s has %lld bytes, not %d", archive,
                           batches[batch], (long long)size, BATCH_BYTES);
        if (wanted) {
            char *path = st_path_join(folder, batches[batch]);
            if (!path) return st_fail_memory(err, strlen(folder), "a path");
            const strait_status status = st_file_create(&file, path, err);
            st_free(path);
            if (status != STRAIT_OK) return status;
            taken[batch] = true;
        }
        ST_TRY(take_entry(from, file, size, err));
    }
}

strait_status st_unpack_cifar(const char *archive, const char *folder, strait_error *err) {
    st_gzfile *from = NULL;
    bool taken[N_BATCHES] = {false};
    ST_TRY(st_gzfile_open(&from, archive, err));
    strait_status status = unpack(taken, from, archive, folder, err);
    st_gzfile_close(from);
    for (int i = 0; i < N_BATCHES && status == STRAIT_OK; i++)
        if (!taken[i]) status = st_fail(err, STRAIT_FORMAT, "%s: %s is not in it", archive, batches[i]);
    return status;
}

bool st_cifar_is_unpacked(const char *folder) {
    bool all = true;
    for (int i = 0; i < N_BATCHES && all; i++) {
        struct stat info;
        char *path = st_path_join(folder, batches[i]);
        all = path && stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == BATCH_BYTES;
        st_free(path);
    }
    return all;
}
