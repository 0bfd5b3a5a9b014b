/* Any bytes as a TFRecord file, and as an Example that is framed well, are a data set or an error. */
#include "base/file.h"
#include "data/tfrecord_file.h"
#include "data_file.h"

static char path[] = "/tmp/strait-fuzz-XXXXXX";

static void remove_file(void) {
    remove(path);
}

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
    st_file *file = NULL;
    check_bytes(bytes, n);
    if (!make_file() || st_file_create(&file, path, NULL) != STRAIT_OK) return 0;
    st_tfrecord_write(file, bytes, n);
    st_tfrecord_write(file, bytes, n);
    if (st_file_commit(file, NULL) == STRAIT_OK) check_data(path);
    return 0;
}
