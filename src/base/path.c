#include "base/string.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/memory.h"

char *st_path_join(const char *folder, const char *name) {
    const bool slash = folder[0] == 0 || st_ends_with(folder, "/");
    return st_format("%s%s%s", folder, slash ? "" : "/", name);
}

const char *st_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *st_path_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return st_strdup(".");
    return st_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool st_path_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

bool st_path_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool st_path_is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static strait_status make_folder(const char *folder, strait_error *err) {
    if (mkdir(folder, 0777) == 0) return STRAIT_OK;
    const int code = errno;
    if (st_path_is_folder(folder)) return STRAIT_OK; /* there before, or another process was quicker */
    if (code == EEXIST) return st_fail(err, STRAIT_IO, "%s: is a file, but must be a folder", folder);
    errno = code;
    return st_fail_errno(err, "%s: cannot make this folder", folder);
}

strait_status st_make_folders(const char *path, strait_error *err) {
    if (!path[0]) return st_fail(err, STRAIT_ARGUMENT, "the name of a folder is empty");
    if (st_path_is_folder(path)) return STRAIT_OK;
    char *folder = st_strdup(path);
    if (!folder) return st_fail_memory(err, strlen(path) + 1, "a folder's name");
    strait_status status = STRAIT_OK;
    for (char *slash = strchr(folder + 1, '/'); slash && status == STRAIT_OK; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        status = make_folder(folder, err);
        *slash = '/';
    }
    if (status == STRAIT_OK) status = make_folder(folder, err);
    st_free(folder);
    return status;
}
