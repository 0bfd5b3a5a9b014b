#include "store/run_artefacts_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/string.h"

/* prefix: what stands before a file's name, "" or "reconstructions/". */
static strait_status visit_folder(const char *path, const char *prefix, st_artefact_visit visit, void *context,
                                  strait_error *err) {
    DIR *folder = opendir(path);
    if (!folder) return STRAIT_OK;
    strait_status status = STRAIT_OK;
    for (struct dirent *entry; status == STRAIT_OK && (entry = readdir(folder)) != NULL;) {
        struct stat info;
        if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(info.st_mode))
            continue;
        char *file = st_format("%s%s", prefix, entry->d_name);
        status = file ? visit(context, file, info.st_size, err) : st_fail_memory(err, 0, "a file's name");
        st_free(file);
    }
    closedir(folder);
    return status;
}

strait_status st_run_each_artefact(const char *folder, st_artefact_visit visit, void *context, strait_error *err) {
    ST_TRY(visit_folder(folder, "", visit, context, err));
    char *below = st_path_join(folder, "reconstructions");
    if (!below) return st_fail_memory(err, strlen(folder), "a path");
    const strait_status status = visit_folder(below, "reconstructions/", visit, context, err);
    st_free(below);
    return status;
}
