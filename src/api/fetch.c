/* Fetching a known data set: each of its files from the first of its homes that has it. */
#include <strait/data.h>
#include <string.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/fetch.h"
#include "net/download.h"

/* Tries the homes in turn; what another home could not mend either is told of the first. */
static strait_status fetch_file(const st_home *home, const st_home_file *file, const char *path,
                                const strait_fetch *options, strait_error *err) {
    const char *const own[] = {options->url, NULL}, *const *urls = options->url ? own : home->urls;
    strait_error first = {0}, last = {0};
    strait_status status = STRAIT_OK;
    for (int i = 0; urls[i]; i++) {
        char *url = st_format("%s%s%s", urls[i], st_ends_with(urls[i], "/") ? "" : "/", file->name);
        if (!url) return st_fail_memory(err, strlen(urls[i]), "an address");
        const st_download job = {.url = url,
                                 .path = path,
                                 .sha256 = file->sha256,
                                 .limit = file->bytes,
                                 .progress = options->progress,
                                 .context = options->context};
        const strait_status tried = st_download_file(&job, i == 0 ? &first : &last);
        st_free(url);
        if (tried == STRAIT_OK) return STRAIT_OK;
        if (i == 0) status = tried;
    }
    return st_fail(err, status, "%s", first.message);
}

static strait_status fetch_into(const st_home *home, const char *folder, const strait_fetch *options,
                                strait_error *err) {
    if (home->archive && st_cifar_is_unpacked(folder)) return STRAIT_OK;
    for (const st_home_file *file = home->files; file->name; file++) {
        char *path = st_path_join(folder, file->name);
        if (!path) return st_fail_memory(err, strlen(folder), "a path");
        strait_status status = STRAIT_OK;
        if (options->begin) options->begin(options->context, file->name, file->bytes);
        if (!st_file_has_sha256(path, file->sha256)) status = fetch_file(home, file, path, options, err);
        if (status == STRAIT_OK && home->archive) {
            status = st_unpack_cifar(path, folder, err);
            if (status == STRAIT_OK) unlink(path);
        }
        st_free(path);
        if (status != STRAIT_OK) return status;
    }
    return STRAIT_OK;
}

strait_status strait_data_fetch(strait_known_data *out, const char *name, const strait_fetch *options,
                                strait_error *err) {
    const st_home *home = st_home_of(name);
    char *base = NULL;
    *out = (strait_known_data){0};
    if (!home)
        return st_fail(err, STRAIT_ARGUMENT, "%s: no known data set; `strait data list` names those that are", name);
    ST_TRY(st_data_user_folder(&base, err));
    char *folder = st_path_join(base, name);
    st_free(base);
    if (!folder) return st_fail_memory(err, strlen(name), "a path");
    strait_status status = st_make_folders(folder, err);
    if (status == STRAIT_OK) status = fetch_into(home, folder, options, err);
    if (status == STRAIT_OK) {
        *out = (strait_known_data){.name = home->name, .folder = folder, .has_train = true, .has_test = true};
    } else {
        st_free(folder);
    }
    return status;
}
