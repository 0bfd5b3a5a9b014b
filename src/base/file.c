/* Invariants:
   1. The temporary file lies in the folder of the final path, so that rename is atomic.
   2. It is gone after commit and abandon, whatever came.
   3. After a failed write nothing more is written; commit tells the first failure.
   What is not a regular file (/dev/null, a pipe) cannot be replaced and is written in place. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/string.h"

#define BUFFER_SIZE ((size_t)1 << 16)

struct st_file {
    char *path;      /* final path, symbolic links followed */
    char *temporary; /* NULL: written in place */
    char *buffer;    /* [BUFFER_SIZE] */
    size_t used;
    int fd;
    int failure; /* errno of the first failed write; 0: none */
};

/* ---- reading ---- */

static strait_status open_for_reading(int *fd, struct stat *info, const char *path, strait_error *err) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", path);
        return st_fail_errno(err, "%s: cannot be opened", path);
    }
    strait_status status = STRAIT_OK;
    if (fstat(*fd, info) != 0)
        status = st_fail_errno(err, "%s: cannot be read", path);
    else if (S_ISDIR(info->st_mode))
        status = st_fail(err, STRAIT_IO, "%s: is a folder, not a file", path);
    if (status != STRAIT_OK) close(*fd);
    return status;
}

static ssize_t read_some(int fd, void *out, size_t n) {
    ssize_t got;
    do {
        got = read(fd, out, n < SSIZE_MAX ? n : SSIZE_MAX);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end into a block that grows: pipes have no size, and a file's size may change meanwhile. */
static strait_status read_all(char **out, size_t *n, int fd, size_t expected, const char *path, size_t limit,
                              strait_error *err) {
    size_t capacity = expected + 1, used = 0; /* one more than expected, to see the end */
    char *bytes = st_alloc(capacity + 1, 1);
    if (!bytes) return st_fail_memory(err, capacity + 1, path);
    strait_status status = STRAIT_OK;
    for (;;) {
        if (used > limit) {
            status = st_fail(err, STRAIT_IO, "%s: is longer than the %zu bytes expected of such a file", path, limit);
            break;
        }
        if (used == capacity) {
            char *longer = capacity < SIZE_MAX / 4 ? st_realloc(bytes, capacity * 2 + 1, 1) : NULL;
            if (!longer) {
                status = st_fail_memory(err, capacity * 2 + 1, path);
                break;
            }
            bytes = longer;
            capacity *= 2;
        }
        const ssize_t got = read_some(fd, bytes + used, capacity - used);
        if (got < 0) status = st_fail_errno(err, "%s: cannot be read", path);
        if (got <= 0) break;
        used += (size_t)got;
    }
    if (status != STRAIT_OK) {
        st_free(bytes);
        return status;
    }
    bytes[used] = 0;
    *out = bytes;
    *n = used;
    return STRAIT_OK;
}

strait_status st_file_read(char **out, size_t *n, const char *path, size_t limit, strait_error *err) {
    *out = NULL;
    *n = 0;
    int fd;
    struct stat info;
    ST_TRY(open_for_reading(&fd, &info, path, err));
    strait_status status;
    const uint64_t size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : BUFFER_SIZE;
    if (S_ISREG(info.st_mode) && size > limit)
        status = st_fail(err, STRAIT_IO, "%s: has %llu bytes, more than the %zu expected of such a file", path,
                         (unsigned long long)size, limit);
    else
        status = read_all(out, n, fd, (size_t)size, path, limit, err);
    close(fd);
    return status;
}

/* ---- writing ---- */

static strait_status fail_write(strait_error *err, const char *path, int failure) {
    if (failure == ENOSPC || failure == EDQUOT)
        return st_fail(err, STRAIT_IO, "%s: cannot be written: the disk is full", path);
    if (failure == EFBIG)
        return st_fail(err, STRAIT_IO, "%s: cannot be written: it would pass the limit for a file's size (ulimit -f)",
                       path);
    errno = failure;
    return st_fail_errno(err, "%s: cannot be written", path);
}

/* Opens a new temporary file beside file->path. The name does not contain the final one, which may be as long as a
   name can be; it begins with a dot so that globs over a run folder do not see it. */
static strait_status open_temporary(st_file *file, strait_error *err) {
    static _Atomic unsigned counter;
    char *folder = st_path_folder(file->path);
    if (!folder) return st_fail_memory(err, strlen(file->path) + 1, "a path");
    strait_status status = STRAIT_OK;
    do {
        st_free(file->temporary);
        char name[64];
        snprintf(name, sizeof name, ".strait-%ld-%u.tmp", (long)getpid(), atomic_fetch_add(&counter, 1));
        file->temporary = st_path_join(folder, name);
        if (!file->temporary) {
            status = st_fail_memory(err, strlen(folder) + sizeof name, "a path");
            break;
        }
        file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (file->fd < 0 && errno == EEXIST);
    if (status == STRAIT_OK && file->fd < 0) {
        if (errno == ENOENT && !st_path_exists(folder))
            status = st_fail(err, STRAIT_IO, "%s: cannot be written: there is no folder %s", file->path, folder);
        else
            status = fail_write(err, file->path, errno);
        st_free(file->temporary);
        file->temporary = NULL;
    }
    st_free(folder);
    return status;
}

/* Fills in file->path and opens what will be written. */
static strait_status open_for_writing(st_file *file, const char *path, strait_error *err) {
    struct stat info;
    const bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode)) return st_fail(err, STRAIT_IO, "%s: cannot be written: it is a folder", path);
    char target[PATH_MAX];
    const bool resolved = exists && lstat(path, &info) == 0 && S_ISLNK(info.st_mode) && realpath(path, target);
    file->path = st_strdup(resolved ? target : path);
    if (!file->path) return st_fail_memory(err, strlen(path) + 1, "a path");
    if (!exists || (stat(file->path, &info) == 0 && S_ISREG(info.st_mode))) return open_temporary(file, err);
    file->fd = open(path, O_WRONLY | O_CLOEXEC);
    return file->fd < 0 ? fail_write(err, path, errno) : STRAIT_OK;
}

/* Closes and frees; the temporary file is removed if it is still there. */
static void dispose(st_file *file) {
    if (file->fd >= 0) close(file->fd);
    if (file->temporary) unlink(file->temporary);
    st_free(file->temporary);
    st_free(file->path);
    st_free(file->buffer);
    st_free(file);
}

strait_status st_file_create(st_file **out, const char *path, strait_error *err) {
    *out = NULL;
    st_file *file = st_alloc(1, sizeof *file);
    if (!file) return st_fail_memory(err, sizeof *file, "a file");
    file->fd = -1;
    file->buffer = st_alloc(BUFFER_SIZE, 1);
    const strait_status status =
        file->buffer ? open_for_writing(file, path, err) : st_fail_memory(err, BUFFER_SIZE, "a file's buffer");
    if (status != STRAIT_OK) {
        dispose(file);
        return status;
    }
    *out = file;
    return STRAIT_OK;
}

/* Writes all n bytes, however many calls that takes. */
static void write_out(st_file *file, const char *bytes, size_t n) {
    while (n > 0 && !file->failure) {
        const ssize_t put = write(file->fd, bytes, n < SSIZE_MAX ? n : SSIZE_MAX);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            file->failure = put < 0 ? errno : EIO;
            return;
        }
        bytes += put;
        n -= (size_t)put;
    }
}

static void flush(st_file *file) {
    write_out(file, file->buffer, file->used);
    file->used = 0;
}

void st_file_write(st_file *file, const void *bytes, size_t n) {
    if (n > BUFFER_SIZE - file->used) flush(file);
    if (n > BUFFER_SIZE) {
        write_out(file, bytes, n);
    } else if (n > 0) {
        memcpy(file->buffer + file->used, bytes, n);
        file->used += n;
    }
}

/* What cannot be synced (a pipe, some network file systems) is no failure. */
static bool sync_fd(int fd) {
    return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
}

/* Makes the rename itself last. The content is safe by now, so a folder that cannot be opened or synced is no error. */
static void sync_folder(const char *path) {
    char folder[PATH_MAX];
    const char *name = st_path_name(path);
    const size_t n = (size_t)(name - path);
    if (n >= sizeof folder) return;
    memcpy(folder, path, n);
    folder[n] = 0;
    const int fd = open(n ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    sync_fd(fd);
    close(fd);
}

/* A file that replaces another keeps its permissions. */
static void keep_mode(const st_file *file) {
    struct stat info;
    if (stat(file->path, &info) == 0 && fchmod(file->fd, info.st_mode & 07777) != 0) return;
}

strait_status st_file_commit(st_file *file, strait_error *err) {
    flush(file);
    if (file->temporary) keep_mode(file);
    if (!file->failure && !sync_fd(file->fd)) file->failure = errno;
    if (close(file->fd) != 0 && !file->failure) file->failure = errno;
    file->fd = -1;
    if (!file->failure && file->temporary) {
        if (rename(file->temporary, file->path) == 0) {
            st_free(file->temporary);
            file->temporary = NULL;
            sync_folder(file->path);
        } else {
            file->failure = errno;
        }
    }
    const strait_status status = file->failure ? fail_write(err, file->path, file->failure) : STRAIT_OK;
    dispose(file);
    return status;
}

void st_file_abandon(st_file *file) {
    if (file) dispose(file);
}

strait_status st_file_write_all(const char *path, const void *bytes, size_t n, strait_error *err) {
    st_file *file;
    ST_TRY(st_file_create(&file, path, err));
    st_file_write(file, bytes, n);
    return st_file_commit(file, err);
}

strait_status st_file_create_copy(st_file **out, const char *from, const char *to, strait_error *err) {
    int fd;
    struct stat info;
    *out = NULL;
    ST_TRY(open_for_reading(&fd, &info, from, err));
    st_file *file = NULL;
    char *block = st_alloc(BUFFER_SIZE, 1);
    strait_status status = block ? st_file_create(&file, to, err) : st_fail_memory(err, BUFFER_SIZE, "copying a file");
    while (status == STRAIT_OK) {
        const ssize_t got = read_some(fd, block, BUFFER_SIZE);
        if (got == 0) break;
        if (got < 0)
            status = st_fail_errno(err, "%s: cannot be read", from);
        else
            st_file_write(file, block, (size_t)got);
    }
    if (status == STRAIT_OK)
        *out = file;
    else
        st_file_abandon(file);
    st_free(block);
    close(fd);
    return status;
}

strait_status st_file_lend(const char **path, st_file *file, strait_error *err) {
    flush(file);
    *path = file->temporary ? file->temporary : file->path;
    return file->failure ? fail_write(err, file->path, file->failure) : STRAIT_OK;
}

strait_status st_file_copy(const char *from, const char *to, strait_error *err) {
    st_file *file = NULL;
    ST_TRY(st_file_create_copy(&file, from, to, err));
    return st_file_commit(file, err);
}
