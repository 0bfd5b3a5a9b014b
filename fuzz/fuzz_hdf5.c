/* Any bytes as an HDF5 file, of cells (h5ad, 10x) or of plain data sets, are a data set or an error of one line; with
   labels and proteins, and with a matrix named, likewise. What libhdf5 itself cannot stand is found in a child. */
#include "data/reader.h"
#include "data_file.h"

/* Whether it could be tried: not where libhdf5 failed on it in a child, which may have taken seconds. */
static int check_options(const char *path, const st_source_options *options) {
    st_source *source = NULL;
    strait_error err = {0};
    if (st_source_open(&source, path, options, &err) == STRAIT_OK)
        insist(source->n_samples > 0 && source->n_values > 0);
    else
        insist(source == NULL && err.message[0] && !strchr(err.message, '\n'));
    st_source_release(source);
    return !strstr(err.message, "the HDF5 library fails on it");
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t most, unsigned seed);

/* Changes up to eight bytes where they are, most of them bytes in use: a file's structures point at each other, and
   libhdf5 is not instrumented, so that what is moved or cut off gets no further than its head. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t most, unsigned seed) {
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    uint64_t draw = seed;
    (void)most;
    for (uint64_t left = 1 + seed % 8; n > 0 && left > 0; left--) {
        draw = draw * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        const uint64_t what = draw >> 61, value = draw >> 53;
        size_t at = (size_t)(draw >> 16) % n;
        while (what > 1 && bytes[at] == 0 && at + 1 < n)
            at++;
        if (what % 2 == 0)
            bytes[at] ^= (uint8_t)(1 << value % 8);
        else
            bytes[at] = what % 4 == 1 ? edges[value % sizeof edges] : (uint8_t)value;
    }
    return n;
}

static char path[] = "/tmp/strait-fuzz-XXXXXX";

static void remove_file(void) {
    remove(path);
}

/* A file with a name: libhdf5 resolves links, and a file in memory has none. */
static int make_file(void) {
    static int made;
    if (made) return 1;
    const int fd = mkstemp(path);
    if (fd < 0) return 0;
    close(fd);
    atexit(remove_file);
    return made = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (!make_file() || !write_bytes(path, bytes, n)) return 0;
    if (!check_options(path, &(st_source_options){.label = "label", .proteins = "auto"})) return 0;
    if (!check_options(path, &(st_source_options){.key = "obsm/protein_expression"})) return 0;
    check_data(path);
    return 0;
}
