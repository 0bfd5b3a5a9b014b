/* Invariants:
   - z.next_in, z.avail_in is the part of `in` not used yet, for plain files too.
   - `total` counts the bytes handed out, so that a message can tell where a file ends.
   - A gzip file may hold several members, one after another; it ends after one of them. Anything else is truncated. */
#include "data/gzfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/memory.h"

enum { IN_BYTES = 1 << 16 };

struct st_gzfile {
    char *path;
    int fd;
    bool gzip;
    bool inflating; /* z is in use and has to be ended */
    bool in_member; /* between a gzip member's first byte and its last */
    bool input_end; /* the file gives no more */
    uint64_t total;
    uint64_t file_bytes; /* as the folder has it */
    z_stream z;
    uint8_t in[IN_BYTES];
};

/* zlib's memory comes from where all the library's memory does. */
static void *z_alloc(void *opaque, unsigned n, unsigned size) {
    (void)opaque;
    return st_alloc(n, size);
}

static void z_free(void *opaque, void *block) {
    (void)opaque;
    st_free(block);
}

/* Reads more of the file behind what `in` still holds. */
static strait_status fill(st_gzfile *file, strait_error *err) {
    memmove(file->in, file->z.next_in, file->z.avail_in);
    file->z.next_in = file->in;
    while (!file->input_end && file->z.avail_in < IN_BYTES) {
        const ssize_t got = read(file->fd, file->in + file->z.avail_in, IN_BYTES - file->z.avail_in);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return st_fail_errno(err, "%s: cannot read", file->path);
        if (got == 0) file->input_end = true;
        file->z.avail_in += (unsigned)got;
    }
    return STRAIT_OK;
}

static strait_status open_file(st_gzfile *file, const char *path, strait_error *err) {
    file->path = st_strdup(path);
    if (!file->path) return st_fail_memory(err, strlen(path) + 1, "a path");
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe nobody writes to is not waited for */
    if (file->fd < 0 && errno == ENOENT) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", path);
    if (file->fd < 0) return st_fail_errno(err, "%s: cannot open", path);
    struct stat about;
    if (fstat(file->fd, &about) != 0) return st_fail_errno(err, "%s: cannot be read", path);
    if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
        return st_fail(err, STRAIT_IO,
                       "%s: is a pipe or a device, and data is read more than once: put it into a file first", path);
    file->file_bytes = (uint64_t)about.st_size;

    file->z.next_in = file->in;
    file->z.zalloc = z_alloc;
    file->z.zfree = z_free;
    ST_TRY(fill(file, err));
    file->gzip = file->z.avail_in >= 2 && file->in[0] == 0x1f && file->in[1] == 0x8b;
    if (!file->gzip) return STRAIT_OK;
    if (inflateInit2(&file->z, MAX_WBITS + 16) != Z_OK) return st_fail_memory(err, IN_BYTES, "inflating a file");
    file->inflating = file->in_member = true;
    return STRAIT_OK;
}

strait_status st_gzfile_open(st_gzfile **out, const char *path, strait_error *err) {
    st_gzfile *file = st_alloc(1, sizeof *file);
    if (!file) return st_fail_memory(err, sizeof *file, "reading a file");
    file->fd = -1;
    const strait_status status = open_file(file, path, err);
    if (status == STRAIT_OK) {
        *out = file;
    } else {
        st_gzfile_close(file);
    }
    return status;
}

void st_gzfile_close(st_gzfile *file) {
    if (!file) return;
    if (file->inflating) inflateEnd(&file->z);
    if (file->fd >= 0) close(file->fd);
    st_free(file->path);
    st_free(file);
}

static void read_plain(size_t *got, st_gzfile *file, uint8_t *dst, size_t n) {
    *got = n < file->z.avail_in ? n : file->z.avail_in;
    memcpy(dst, file->z.next_in, *got);
    file->z.next_in += *got;
    file->z.avail_in -= (unsigned)*got;
}

/* Between members: another one follows, or the file ends. */
static strait_status next_member(st_gzfile *file, strait_error *err) {
    if (file->z.avail_in < 2 || file->z.next_in[0] != 0x1f || file->z.next_in[1] != 0x8b)
        return st_fail(err, STRAIT_FORMAT, "%s: damaged gzip file: other bytes follow the compressed data", file->path);
    inflateReset(&file->z);
    file->in_member = true;
    return STRAIT_OK;
}

static strait_status read_gzip(size_t *got, st_gzfile *file, uint8_t *dst, size_t n, strait_error *err) {
    const unsigned room = n > (1u << 30) ? 1u << 30 : (unsigned)n;
    *got = 0;
    if (!file->in_member) ST_TRY(next_member(file, err));
    file->z.next_out = dst;
    file->z.avail_out = room;
    const int code = inflate(&file->z, Z_NO_FLUSH);
    *got = room - file->z.avail_out;
    if (code == Z_STREAM_END) {
        file->in_member = false;
    } else if (code == Z_MEM_ERROR) {
        return st_fail_memory(err, IN_BYTES, "inflating a file");
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return st_fail(err, STRAIT_FORMAT, "%s: damaged gzip file: %s", file->path,
                       file->z.msg ? file->z.msg : "it needs a dictionary");
    }
    return STRAIT_OK;
}

strait_status st_gzfile_read(size_t *got, st_gzfile *file, void *dst, size_t n, strait_error *err) {
    uint8_t *to = dst;
    *got = 0;
    while (*got < n) {
        if (file->z.avail_in < 2) ST_TRY(fill(file, err));
        /* inflate may hold back bytes when its input is used up, so it is asked until it gives none. */
        const bool used_up = file->z.avail_in == 0;
        if (used_up && !file->in_member) break;
        size_t step = 0;
        if (file->gzip) {
            ST_TRY(read_gzip(&step, file, to + *got, n - *got, err));
        } else {
            read_plain(&step, file, to + *got, n - *got);
        }
        *got += step;
        file->total += step;
        if (used_up && step == 0 && file->in_member) break;
    }
    return STRAIT_OK;
}

static strait_status fail_truncated(const st_gzfile *file, uint64_t wanted, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT, "%s: truncated%s: ends after %llu of %llu bytes; fetch or copy it again",
                   file->path, file->gzip ? " gzip file" : "", (unsigned long long)file->total,
                   (unsigned long long)wanted);
}

strait_status st_gzfile_read_all(st_gzfile *file, void *dst, size_t n, strait_error *err) {
    const uint64_t wanted = file->total + n;
    size_t got = 0;
    ST_TRY(st_gzfile_read(&got, file, dst, n, err));
    return got == n ? STRAIT_OK : fail_truncated(file, wanted, err);
}

strait_status st_gzfile_take(void **out, st_gzfile *file, size_t n, strait_error *err) {
    const uint64_t wanted = file->total + n;
    /* Images shrink to a quarter or so: with eight times the file's size most files need no second allocation. */
    const uint64_t likely = file->file_bytes * 8 + IN_BYTES;
    size_t capacity = n < likely ? n : (size_t)likely;
    size_t filled = 0;
    strait_status status = STRAIT_OK;
    uint8_t *bytes = st_alloc_aligned(capacity); /* in huge pages: shuffled samples are read from all over it */
    if (!bytes) return st_fail_memory(err, capacity, file->path);
    for (;;) {
        size_t got = 0;
        status = st_gzfile_read(&got, file, bytes + filled, capacity - filled, err);
        if (status != STRAIT_OK) goto done;
        filled += got;
        if (filled == n) break;
        if (filled < capacity) {
            status = fail_truncated(file, wanted, err);
            goto done;
        }
        capacity = n - capacity < capacity ? n : capacity * 2;
        uint8_t *more = st_realloc(bytes, capacity, 1);
        if (!more) {
            status = st_fail_memory(err, capacity, file->path);
            goto done;
        }
        bytes = more;
    }
    *out = bytes;
    bytes = NULL;
done:
    st_free(bytes);
    return status;
}

strait_status st_gzfile_expect_end(st_gzfile *file, strait_error *err) {
    char extra = 0;
    size_t got = 0;
    const uint64_t announced = file->total;
    ST_TRY(st_gzfile_read(&got, file, &extra, 1, err));
    if (got > 0)
        return st_fail(err, STRAIT_FORMAT, "%s: goes on after the %llu bytes its header announces", file->path,
                       (unsigned long long)announced);
    if (file->in_member)
        return st_fail(err, STRAIT_FORMAT,
                       "%s: truncated gzip file: ends after %llu bytes, without its checksum; fetch or copy it again",
                       file->path, (unsigned long long)announced);
    return STRAIT_OK;
}
