#include "data/words.h"

#include <string.h>
#include "base/memory.h"

strait_status st_words_new(st_words **out, strait_error *err) {
    *out = st_alloc(1, sizeof **out);
    return *out ? STRAIT_OK : st_fail_memory(err, sizeof **out, "a list of names");
}

void st_words_add(st_words *words, const char *string, size_t n) {
    st_text_add_bytes(&words->text, string, n);
    st_text_add_bytes(&words->text, "", 1);
    words->n++;
}

strait_status st_words_finish(st_words *words, strait_error *err) {
    const size_t bytes = (size_t)words->n * sizeof *words->at;
    words->at = st_alloc((size_t)words->n, sizeof *words->at);
    if (!words->at || words->text.failed) return st_fail_memory(err, bytes, "a list of names");
    const char *next = words->text.bytes;
    for (int64_t i = 0; i < words->n; i++, next += strlen(next) + 1)
        words->at[i] = next;
    return STRAIT_OK;
}

void st_words_free(st_words *words) {
    if (!words) return;
    st_text_free(&words->text);
    st_free(words->at);
    st_free(words);
}

strait_status st_words_add_joined(st_words *paths, const char *folder, const st_words *names, strait_error *err) {
    for (int64_t i = 0; i < names->n; i++) {
        char *path = st_path_join(folder, names->at[i]);
        if (!path) return st_fail_memory(err, strlen(folder), "a path");
        st_words_add(paths, path, strlen(path));
        st_free(path);
    }
    return STRAIT_OK;
}

strait_status st_words_join(st_words **out, const char *folder, const st_words *names, strait_error *err) {
    st_words *paths = NULL;
    ST_TRY(st_words_new(&paths, err));
    strait_status status = st_words_add_joined(paths, folder, names, err);
    if (status == STRAIT_OK) status = st_words_finish(paths, err);
    if (status == STRAIT_OK) {
        *out = paths;
    } else {
        st_words_free(paths);
    }
    return status;
}
