/* Any bytes as the three files of a 10x folder, a zero byte between them, are a data set or an error. */
#include "data_file.h"

static char folder[] = "/tmp/strait-fuzz-XXXXXX", path[3][64];

static void remove_folder(void) {
    for (int i = 0; i < 3; i++)
        remove(path[i]);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const char *const names[] = {"features.tsv", "barcodes.tsv", "matrix.mtx"};
    if (!path[0][0]) {
        if (!mkdtemp(folder)) return 0;
        for (int i = 0; i < 3; i++)
            snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
        atexit(remove_folder);
    }
    for (int i = 0; i < 3; i++) {
        const uint8_t *zero = n > 0 ? memchr(bytes, 0, n) : NULL;
        const size_t part = zero && i < 2 ? (size_t)(zero - bytes) : n;
        if (!write_bytes(path[i], bytes, part)) return 0;
        bytes += part + (part < n);
        n -= part + (part < n);
    }
    check_data(folder);
    return 0;
}
