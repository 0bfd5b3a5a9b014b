#include "data/flat.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

strait_status st_flat_open(st_flat *flat, bool *found, const st_source *source, size_t header, size_t bytes,
                           strait_error *err) {
    struct stat about;
    *found = false;
    if ((uint64_t)source->n_samples * (uint64_t)source->n_values * st_dtype_size(source->type) <=
        st_source_resident_bytes())
        return STRAIT_OK;
    const int fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return st_fail_errno(err, "%s: cannot open", source->path);
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || (uint64_t)about.st_size != (uint64_t)header + bytes) {
        close(fd);
        return STRAIT_OK;
    }
    *flat = (st_flat){.fd = fd, .first = header, .item = bytes / (size_t)source->n_samples};
    *found = true;
    return STRAIT_OK;
}

strait_status st_flat_read(void *dst, const st_flat *flat, int64_t i, const char *path, strait_error *err) {
    char *to = dst;
    uint64_t at = flat->first + (uint64_t)i * flat->item;
    for (size_t left = flat->item; left > 0;) {
        const ssize_t got = pread(flat->fd, to, left, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return st_fail_errno(err, "%s: cannot be read", path);
        if (got == 0) return st_fail(err, STRAIT_FORMAT, "%s: has changed since the data set was opened", path);
        to += got;
        at += (uint64_t)got;
        left -= (size_t)got;
    }
    return STRAIT_OK;
}

void st_flat_advise(const st_flat *flat, int64_t i) {
    const off_t at = (off_t)(flat->first + (uint64_t)i * flat->item);
    (void)posix_fadvise(flat->fd, at, (off_t)flat->item, POSIX_FADV_WILLNEED);
}

void st_flat_close(st_flat *flat) {
    close(flat->fd);
}
