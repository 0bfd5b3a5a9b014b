/* Deleting the folders of runs and of sweeps.
   Invariants:
   1. Nothing is removed before every entry was seen to be one that a run (a sweep) writes.
   2. Every entry is named by its folder's descriptor and never followed: what a link points to is out of reach, and so
   is another folder that takes the name of this one meanwhile. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/string.h"
#include "store/run_store.h"

#define PICTURES "reconstructions"

static const char *const run_files[] = {
    "recipe.yaml",
    "run.json",
    "history.csv",
    "diagnosis.json",
    "report.html",
    "loss.png",
    "reconstructions.png",
    "diagram.svg",
    "model.safetensors",
    "encoder.safetensors",
    "decoder.safetensors",
    "best.safetensors",
    "checkpoint.safetensors",
};

static const char *const sweep_files[] = {
    "base.yaml", "best.yaml", "sweep.json", "sweep.csv", "parallel.png", "pca.png",
};

/* What a killed process left of a file it was writing (base/file.c). */
static bool is_temporary(const char *name) {
    return st_starts_with(name, ".strait-") && (st_ends_with(name, ".tmp") || st_ends_with(name, ".trial"));
}

static bool is_among(const char *const *file, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, file[i]) == 0) return true;
    return is_temporary(name);
}

static bool is_run_file(const char *name) {
    return is_among(run_files, sizeof run_files / sizeof *run_files, name);
}

static bool is_sweep_file(const char *name) {
    return is_among(sweep_files, sizeof sweep_files / sizeof *sweep_files, name);
}

/* In reconstructions/: "train-012.npy", "validation-originals.png", "samples.csv". */
static bool is_picture(const char *name) {
    static const char *const set[] = {"train-", "validation-"};
    static const char *const kind[] = {"originals", "inputs"};
    for (size_t i = 0; i < 2; i++) {
        if (!st_starts_with(name, set[i])) continue;
        const char *rest = name + strlen(set[i]);
        size_t n = strspn(rest, "0123456789");
        for (size_t j = 0; n == 0 && j < 2; j++)
            if (st_starts_with(rest, kind[j])) n = strlen(kind[j]);
        if (n > 0 && (strcmp(rest + n, ".png") == 0 || strcmp(rest + n, ".npy") == 0)) return true;
    }
    return strcmp(name, "samples.csv") == 0 || is_temporary(name);
}

/* One folder being looked through, or emptied. */
typedef struct sweep {
    const char *path, *what;         /* for messages; "run" */
    bool (*known)(const char *name); /* may a run have written it? */
    bool nested;                     /* may reconstructions/ be in it? */
    bool remove;                     /* else only look */
} sweep;

static strait_status sweep_folder(const sweep *s, int fd, strait_error *err);

static strait_status sweep_pictures(const sweep *outer, int fd, strait_error *err) {
    char *path = st_path_join(outer->path, PICTURES);
    if (!path) return st_fail_memory(err, strlen(outer->path), "a path");
    const sweep inner = {.path = path, .what = outer->what, .known = is_picture, .remove = outer->remove};
    const int below = openat(fd, PICTURES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    strait_status status =
        below < 0 ? st_fail_errno(err, "%s: cannot be opened", path) : sweep_folder(&inner, below, err);
    if (status == STRAIT_OK && outer->remove && unlinkat(fd, PICTURES, AT_REMOVEDIR) != 0)
        status = st_fail_errno(err, "%s: cannot be deleted", path);
    st_free(path);
    return status;
}

static strait_status sweep_entry(const sweep *s, int fd, const char *name, strait_error *err) {
    struct stat info;
    if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return STRAIT_OK; /* gone meanwhile */
        return st_fail_errno(err, "%s/%s: cannot be looked at", s->path, name);
    }
    if (S_ISDIR(info.st_mode) && s->nested && strcmp(name, PICTURES) == 0) return sweep_pictures(s, fd, err);
    if (!S_ISREG(info.st_mode) || !s->known(name))
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s/%s: no file that a %s writes; nothing is deleted. Move it elsewhere, then delete the %s",
                       s->path, name, s->what, s->what);
    if (s->remove && unlinkat(fd, name, 0) != 0 && errno != ENOENT)
        return st_fail_errno(err, "%s/%s: cannot be deleted", s->path, name);
    return STRAIT_OK;
}

/* Takes over fd. */
static strait_status sweep_folder(const sweep *s, int fd, strait_error *err) {
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return st_fail_errno(err, "%s: cannot be listed", s->path);
    }
    strait_status status = STRAIT_OK;
    for (struct dirent *entry; status == STRAIT_OK && (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = sweep_entry(s, dirfd(folder), entry->d_name, err);
    closedir(folder);
    return status;
}

/* Looks through the folder of a run or a sweep, or empties it. */
static strait_status pass_over(const char *folder, bool is_run, bool remove, strait_error *err) {
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const char *what = is_run ? "run" : "sweep";
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR) && st_path_is_folder(folder))
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: a link to a folder elsewhere; delete the %s where it lies, then the link", folder, what);
    if (fd < 0 && errno == ENOENT) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such folder", folder);
    if (fd < 0) return st_fail_errno(err, "%s: cannot be opened", folder);
    const sweep s = {.path = folder,
                     .what = what,
                     .known = is_run ? is_run_file : is_sweep_file,
                     .nested = is_run,
                     .remove = remove};
    return sweep_folder(&s, fd, err);
}

static strait_status remove_whole(const char *folder, bool is_run, strait_error *err) {
    ST_TRY(pass_over(folder, is_run, false, err));
    ST_TRY(pass_over(folder, is_run, true, err));
    if (rmdir(folder) != 0) return st_fail_errno(err, "%s: its files are deleted, but the folder cannot be", folder);
    return STRAIT_OK;
}

strait_status st_run_removable(const char *folder, strait_error *err) {
    return pass_over(folder, true, false, err);
}

strait_status st_run_remove(const char *folder, strait_error *err) {
    return remove_whole(folder, true, err);
}

strait_status st_sweep_removable(const char *folder, strait_error *err) {
    return pass_over(folder, false, false, err);
}

strait_status st_sweep_remove(const char *folder, strait_error *err) {
    return remove_whole(folder, false, err);
}
