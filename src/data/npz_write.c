/* .npz files as numpy's savez writes them: .npy files in a zip container, stored as they are, made while they are
   written. No time of writing goes into the file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/array_stream.h"

/* 1 January 1980, where zip's time begins. */
enum { DOS_DATE = 0x21 };

static zip_int64_t give(void *context, void *data, zip_uint64_t n, zip_source_cmd_t command) {
    st_array_stream *bytes = context;
    switch (command) {
    case ZIP_SOURCE_OPEN: bytes->at = 0; return 0;
    case ZIP_SOURCE_READ: {
        const size_t got = st_array_stream_read(bytes, data, (size_t)n);
        return bytes->status == STRAIT_OK ? (zip_int64_t)got : -1;
    }
    case ZIP_SOURCE_STAT: {
        zip_stat_t *info = data;
        zip_stat_init(info);
        info->size = bytes->n;
        info->valid = ZIP_STAT_SIZE;
        return (zip_int64_t)sizeof *info;
    }
    case ZIP_SOURCE_ERROR: {
        int *codes = data;
        codes[0] = ZIP_ER_READ;
        codes[1] = EIO;
        return 2 * (zip_int64_t)sizeof *codes;
    }
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    default: return 0;
    }
}

static strait_status fail_zip(const char *path, zip_t *zip, strait_error *err) {
    zip_error_t *error = zip_get_error(zip);
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return st_fail_memory(err, 0, path);
    return st_fail(err, STRAIT_IO, "%s: cannot be written: %s", path, zip_error_strerror(error));
}

static strait_status add(zip_t *zip, const char *path, const char *name, st_array_stream *bytes, strait_error *err) {
    zip_source_t *source = zip_source_function(zip, give, bytes);
    if (!source) return fail_zip(path, zip, err);
    const zip_int64_t i = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (i < 0) {
        zip_source_free(source);
        return fail_zip(path, zip, err);
    }
    if (zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(zip, (zip_uint64_t)i, 0, DOS_DATE, 0) != 0)
        return fail_zip(path, zip, err);
    return STRAIT_OK;
}

/* libzip writes a file of its own beside `temporary` and renames it to that. */
static strait_status write_zip(const char *temporary, const char *path, strait_data *data, strait_error *err) {
    const bool labelled = strait_data_label(data, 0) >= 0 || data->source->labels;
    int code = 0;
    st_array_stream x, y = {0};
    ST_TRY(st_array_stream_open(&x, data, false, err));
    strait_status status = labelled ? st_array_stream_open(&y, data, true, err) : STRAIT_OK;
    zip_t *zip = status == STRAIT_OK ? zip_open(temporary, ZIP_CREATE | ZIP_TRUNCATE, &code) : NULL;
    if (status == STRAIT_OK && !zip)
        status = st_fail(err, STRAIT_IO, "%s: cannot be written (error %d of libzip)", path, code);
    if (status == STRAIT_OK) status = add(zip, path, "x.npy", &x, err);
    if (status == STRAIT_OK && labelled) status = add(zip, path, "y.npy", &y, err);
    if (status == STRAIT_OK && zip_close(zip) == 0) {
        zip = NULL;
    } else if (status == STRAIT_OK) {
        if (x.status != STRAIT_OK)
            status = st_fail(err, x.status, "%s", x.err.message);
        else
            status = fail_zip(path, zip, err);
    }
    if (zip) zip_discard(zip);
    st_array_stream_close(&x);
    st_array_stream_close(&y);
    return status;
}

strait_status st_npz_write(const char *path, strait_data *data, strait_error *err) {
    char *folder = st_path_folder(path);
    char *temporary = folder ? st_format("%s/.strait-%ld-npz.tmp", folder, (long)getpid()) : NULL;
    strait_status status =
        temporary ? write_zip(temporary, path, data, err) : st_fail_memory(err, strlen(path), "a path");
    if (status == STRAIT_OK) {
        const int fd = open(temporary, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fsync(fd) != 0 && errno == EIO) status = st_fail_errno(err, "%s: cannot be written", path);
        if (fd >= 0) close(fd);
    }
    if (status == STRAIT_OK && rename(temporary, path) != 0) status = st_fail_errno(err, "%s: cannot be written", path);
    if (status != STRAIT_OK && temporary) unlink(temporary);
    st_free(temporary);
    st_free(folder);
    return status;
}
