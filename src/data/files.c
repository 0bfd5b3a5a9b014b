#include "data/files.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Finishes, and sorts by bytes. */
static strait_status finish(st_words **out, st_words *words, strait_status status, strait_error *err) {
    if (status == STRAIT_OK) status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        qsort(words->at, (size_t)words->n, sizeof *words->at, compare);
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

static strait_status add_entry(st_words *words, const char *folder, const char *name, bool want_folders,
                               bool (*wanted)(const char *name), strait_error *err) {
    if (name[0] == '.' || (wanted && !wanted(name))) return STRAIT_OK;
    char *path = st_path_join(folder, name);
    if (!path) return st_fail_memory(err, strlen(folder) + strlen(name), "a path");
    if (st_path_is_folder(path) == want_folders) st_words_add(words, name, strlen(name));
    st_free(path);
    return STRAIT_OK;
}

strait_status st_list_folder(st_words **out, const char *folder, bool want_folders, bool (*wanted)(const char *name),
                             strait_error *err) {
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    DIR *entries = opendir(folder);
    if (!entries) {
        st_words_free(words);
        return st_fail_errno(err, "%s: cannot open", folder);
    }
    strait_status status = STRAIT_OK;
    for (struct dirent *entry; status == STRAIT_OK && (errno = 0, entry = readdir(entries));)
        status = add_entry(words, folder, entry->d_name, want_folders, wanted, err);
    if (status == STRAIT_OK && errno != 0) status = st_fail_errno(err, "%s: cannot be read", folder);
    closedir(entries);
    return finish(out, words, status, err);
}

bool st_is_pattern(const char *source) {
    return strpbrk(source, "*?[") != NULL;
}

strait_status st_list_matches(st_words **out, const char *pattern, strait_error *err) {
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    glob_t found;
    strait_status status = STRAIT_OK;
    const int code = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (code == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (!st_path_is_folder(found.gl_pathv[i]))
                st_words_add(words, found.gl_pathv[i], strlen(found.gl_pathv[i]));
    } else if (code == GLOB_NOSPACE) {
        status = st_fail_memory(err, 0, "a list of files");
    } else if (code != GLOB_NOMATCH) {
        status = st_fail(err, STRAIT_IO, "%s: the folders cannot be read", pattern);
    }
    globfree(&found);
    return finish(out, words, status, err);
}
