/* Any bytes as an IDX file of images, and as the labels beside good images, are a data set or an error. */
#include "data_file.h"

/* Three images of 1 x 2, their name as the reader of labels wants it. */
static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6};
static char folder[] = "/tmp/strait-fuzz-XXXXXX", images_path[64], labels_path[64];

static void remove_folder(void) {
    remove(images_path);
    remove(labels_path);
    rmdir(folder);
}

static int make_folder(void) {
    if (images_path[0]) return 1;
    if (!mkdtemp(folder)) return 0;
    snprintf(images_path, sizeof images_path, "%s/images-idx3-ubyte", folder);
    snprintf(labels_path, sizeof labels_path, "%s/labels-idx1-ubyte", folder);
    atexit(remove_folder);
    return write_bytes(images_path, images, sizeof images);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    check_bytes(bytes, n);
    if (make_folder() && write_bytes(labels_path, bytes, n)) check_data(images_path);
    return 0;
}
