#include "data/tfrecord_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "data/crc32c.h"
#include "data/gzfile.h"
#include "data/reader.h"

enum { HEAD_BYTES = 12, FOOT_BYTES = 4 };

static uint64_t little_endian(const uint8_t *bytes, int n) {
    uint64_t value = 0;
    for (int i = n - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void put_little_endian(uint8_t *bytes, uint64_t value, int n) {
    for (int i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static bool crc_fits(const uint8_t *stored, const void *bytes, size_t n) {
    return little_endian(stored, 4) == st_crc32c_mask(st_crc32c(0, bytes, n));
}

bool st_tfrecord_is(const uint8_t *head, size_t n) {
    return n >= HEAD_BYTES && crc_fits(head + 8, head, 8);
}

/* ---- opening ---- */

/* A gzip file cannot be read by index, so it is kept inflated. */
static strait_status inflate_file(st_tfrecord_file *file, st_gzfile *in, size_t most, strait_error *err) {
    size_t capacity = 1 << 20, got = 0;
    for (;;) {
        if (capacity > most) capacity = most + 1;
        uint8_t *bytes = st_realloc(file->bytes, capacity, 1);
        if (!bytes) return st_fail_memory(err, capacity, file->path);
        file->bytes = bytes;
        ST_TRY(st_gzfile_read(&got, in, bytes + file->n_bytes, capacity - (size_t)file->n_bytes, err));
        file->n_bytes += got;
        if (file->n_bytes > most)
            return st_fail(err, STRAIT_FORMAT,
                           "%s: compressed as a whole, it has to be kept in memory, and with the files before it takes "
                           "more than %.3g GB; inflate it (gunzip) and it is read as it is needed",
                           file->path, (double)st_source_resident_bytes() / 1e9);
        if (file->n_bytes < capacity) return st_gzfile_expect_end(in, err);
        capacity *= 2;
    }
}

static strait_status open_gzip(st_tfrecord_file *file, size_t held, strait_error *err) {
    const size_t limit = st_source_resident_bytes();
    st_gzfile *in = NULL;
    ST_TRY(st_gzfile_open(&in, file->path, err));
    const strait_status status = inflate_file(file, in, held < limit ? limit - held : 0, err);
    st_gzfile_close(in);
    return status;
}

static int open_fd(const st_tfrecord_file *file, strait_error *err) {
    const int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is not waited for */
    if (fd >= 0) return fd;
    if (errno == ENOENT) {
        st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", file->path);
    } else {
        st_fail_errno(err, "%s: cannot open", file->path);
    }
    return fd;
}

strait_status st_tfrecord_open(st_tfrecord_file *file, const char *path, bool keep_open, size_t held,
                               strait_error *err) {
    strait_error why = {0};
    struct stat about;
    uint8_t magic[2];
    *file = (st_tfrecord_file){.path = path, .fd = -1};
    if ((file->fd = open_fd(file, &why)) < 0) return st_fail(err, why.code, "%s", why.message);
    if (fstat(file->fd, &about) != 0) return st_fail_errno(err, "%s: cannot be read", path);
    if (!S_ISREG(about.st_mode)) return st_fail(err, STRAIT_IO, "%s: is not a file", path);
    if (pread(file->fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
        st_tfrecord_close(file);
        return open_gzip(file, held, err);
    }
    file->n_bytes = (uint64_t)about.st_size;
    if (keep_open) return STRAIT_OK;
    close(file->fd);
    file->fd = -1;
    return STRAIT_OK;
}

void st_tfrecord_close(st_tfrecord_file *file) {
    if (file->fd >= 0) close(file->fd);
    st_free(file->bytes);
    *file = (st_tfrecord_file){.path = file->path, .fd = -1};
}

/* ---- reading ---- */

static strait_status read_fully(uint8_t *dst, int fd, const st_tfrecord_file *file, uint64_t at, size_t n,
                                strait_error *err) {
    while (n > 0) {
        const ssize_t got = pread(fd, dst, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return st_fail_errno(err, "%s: cannot be read", file->path);
        if (got == 0) return st_fail(err, STRAIT_FORMAT, "%s: has changed since the data set was opened", file->path);
        dst += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return STRAIT_OK;
}

static strait_status read_plain(void *dst, const st_tfrecord_file *file, uint64_t at, size_t n, strait_error *err) {
    if (file->fd >= 0) return read_fully(dst, file->fd, file, at, n, err);
    strait_error why = {0};
    const int fd = open_fd(file, &why);
    if (fd < 0) return st_fail(err, why.code, "%s", why.message);
    const strait_status status = read_fully(dst, fd, file, at, n, err);
    close(fd);
    return status;
}

static strait_status read_by_block(void *dst, const st_tfrecord_file *file, uint64_t at, size_t n, strait_error *err) {
    st_tfrecord_block *block = file->block;
    if (at < block->begin || at + n > block->end) {
        const uint64_t left = file->n_bytes - at, wanted = n > block->ahead ? n : block->ahead;
        const size_t most = (size_t)(wanted < left ? wanted : left);
        block->begin = block->end = 0;
        ST_TRY(read_plain(block->bytes, file, at, most, err));
        block->begin = at;
        block->end = at + most;
    }
    memcpy(dst, block->bytes + (at - block->begin), n);
    return STRAIT_OK;
}

strait_status st_tfrecord_bytes(void *dst, const st_tfrecord_file *file, uint64_t at, size_t n, strait_error *err) {
    if (file->bytes) {
        memcpy(dst, file->bytes + at, n);
        return STRAIT_OK;
    }
    if (file->block && n <= sizeof file->block->bytes) return read_by_block(dst, file, at, n, err);
    return read_plain(dst, file, at, n, err);
}

static strait_status fail_truncated(const st_tfrecord_file *file, int64_t i, uint64_t at, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT,
                   "%s: truncated: record %lld, at byte %llu, goes on past the file's end; fetch or copy it again",
                   file->path, (long long)i, (unsigned long long)at);
}

strait_status st_tfrecord_next(st_tfrecord *out, const st_tfrecord_file *file, int64_t i, uint64_t *at,
                               strait_error *err) {
    uint8_t head[HEAD_BYTES];
    const uint64_t left = file->n_bytes - *at;
    if (left < HEAD_BYTES) return fail_truncated(file, i, *at, err);
    ST_TRY(st_tfrecord_bytes(head, file, *at, HEAD_BYTES, err));
    if (!crc_fits(head + 8, head, 8))
        return st_fail(err, STRAIT_FORMAT,
                       "%s: damaged: the checksum (CRC-32C) of the length of record %lld, at byte "
                       "%llu, does not fit; fetch or copy it again",
                       file->path, (long long)i, (unsigned long long)*at);
    const uint64_t n = little_endian(head, 8);
    if (left - HEAD_BYTES < FOOT_BYTES || n > left - HEAD_BYTES - FOOT_BYTES) return fail_truncated(file, i, *at, err);
    if (n > UINT32_MAX)
        return st_fail(err, STRAIT_FORMAT, "%s: record %lld has %llu bytes; at most 4 GiB are read", file->path,
                       (long long)i, (unsigned long long)n);
    *out = (st_tfrecord){.at = *at + HEAD_BYTES, .n = (uint32_t)n};
    *at += HEAD_BYTES + n + FOOT_BYTES;
    return STRAIT_OK;
}

strait_status st_tfrecord_note_crc(st_tfrecord *record, const st_tfrecord_file *file, strait_error *err) {
    uint8_t foot[FOOT_BYTES];
    ST_TRY(st_tfrecord_bytes(foot, file, record->at + record->n, FOOT_BYTES, err));
    record->crc = (uint32_t)little_endian(foot, FOOT_BYTES);
    return STRAIT_OK;
}

strait_status st_tfrecord_read(uint8_t **out, const st_tfrecord_file *file, int64_t i, st_tfrecord record,
                               strait_error *err) {
    const size_t n = (size_t)record.n + FOOT_BYTES;
    uint8_t *bytes = st_alloc(n, 1);
    if (!bytes) return st_fail_memory(err, n, "a record");
    strait_status status = st_tfrecord_bytes(bytes, file, record.at, n, err);
    if (status == STRAIT_OK && !crc_fits(bytes + record.n, bytes, record.n))
        status = st_fail(err, STRAIT_FORMAT,
                         "%s: damaged: the checksum (CRC-32C) of record %lld, at byte %llu, does "
                         "not fit; fetch or copy it again",
                         file->path, (long long)i, (unsigned long long)(record.at - HEAD_BYTES));
    if (status == STRAIT_OK) {
        *out = bytes;
    } else {
        st_free(bytes);
    }
    return status;
}

void st_tfrecord_advise(const st_tfrecord_file *file, st_tfrecord record) {
    if (file->fd >= 0) (void)posix_fadvise(file->fd, (off_t)record.at, (off_t)record.n, POSIX_FADV_WILLNEED);
}

/* ---- writing ---- */

void st_tfrecord_write(st_file *file, const void *bytes, size_t n) {
    uint8_t head[HEAD_BYTES], foot[FOOT_BYTES];
    put_little_endian(head, n, 8);
    put_little_endian(head + 8, st_crc32c_mask(st_crc32c(0, head, 8)), 4);
    put_little_endian(foot, st_crc32c_mask(st_crc32c(0, bytes, n)), 4);
    st_file_write(file, head, sizeof head);
    st_file_write(file, bytes, n);
    st_file_write(file, foot, sizeof foot);
}
