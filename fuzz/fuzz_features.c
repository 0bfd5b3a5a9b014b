/* Any text as a model's list of features is one that writes itself the same way again, or an error of one line. */
#include "base/memory.h"
#include "data_file.h"
#include "recipe/features.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    char *text = st_strndup((const char *)bytes, n), *first = NULL, *second = NULL;
    st_features *features = NULL, *again = NULL;
    strait_error err = {0};
    if (text && st_features_from_text(&features, text, "file", &err) == STRAIT_OK) {
        insist(st_features_to_text(&first, features, &err) == STRAIT_OK);
        insist(st_features_from_text(&again, first, "file", &err) == STRAIT_OK);
        insist(st_features_to_text(&second, again, &err) == STRAIT_OK);
        insist(strcmp(first, second) == 0);
    } else if (text) {
        insist(features == NULL && err.message[0] && !strchr(err.message, '\n'));
    }
    st_features_free(features);
    st_features_free(again);
    st_free(first);
    st_free(second);
    st_free(text);
    return 0;
}
