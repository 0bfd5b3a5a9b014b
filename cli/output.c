#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cli_ends_with(const char *text, const char *ending) {
    const size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

static cli_exit check_ending(const char *path, const char *const *endings) {
    char known[64] = "";
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    for (size_t i = 0, at = 0; endings[i]; i++) {
        if (cli_ends_with(name, endings[i]) && strlen(name) > strlen(endings[i])) return CLI_OK;
        const int wrote = snprintf(known + at, sizeof known - at, "%s%s",
                                   i == 0           ? ""
                                   : endings[i + 1] ? ", "
                                                    : " or ",
                                   endings[i]);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return cli_usage("cannot tell the format of '%s' from its ending: name a file that ends in %s", path, known);
}

/* Refuses a name that another option of this call has given already: one file would replace the other. */
static cli_exit check_other(const char *path) {
    static const char *checked[16];
    static size_t n;
    for (size_t i = 0; i < n; i++)
        if (checked[i] != path && strcmp(checked[i], path) == 0)
            return cli_usage("two outputs are both called '%s': give each a name of its own", path);
    if (n < sizeof checked / sizeof *checked) checked[n++] = path;
    return CLI_OK;
}

cli_exit cli_output_check(const char *path, const char *const *endings) {
    cli_exit ending = check_ending(path, endings);
    if (ending == CLI_OK) ending = check_other(path);
    if (ending != CLI_OK) return ending;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        cli_error("%s: is a folder; name a file", path);
        return CLI_FAILED;
    }
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    const size_t size = folder + 48;
    char *trial = malloc(size);
    if (!trial) return cli_no_memory();
    snprintf(trial, size, "%.*s.strait-%ld.trial", (int)folder, path, (long)getpid());
    const int fd = open(trial, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    const int reason = errno;
    if (fd >= 0) {
        close(fd);
        unlink(trial);
    }
    free(trial);
    if (fd >= 0) return CLI_OK;
    cli_error("cannot write in the folder of '%s': %s", path, strerror(reason));
    return CLI_FAILED;
}

cli_exit cli_output_finish(cli_exit result) {
    const bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost) return result;
    /* A reader that left, as head does, had what it wanted: no message. */
    if (errno != EPIPE) cli_error("cannot write the result to standard output: %s", strerror(errno));
    return result == CLI_OK ? CLI_FAILED : result;
}

strait_array cli_slice(const strait_array *array, int64_t first, int64_t n) {
    strait_array slice = *array;
    const int64_t size = array->dim[0] > 0 ? strait_array_count(array) / array->dim[0] : 0;
    slice.dim[0] = n;
    slice.values = array->values + first * size;
    return slice;
}

strait_status cli_pick(strait_array **out, const strait_array *from, const int64_t *row, int64_t n, strait_error *err) {
    const int64_t size = from->dim[0] > 0 ? strait_array_count(from) / from->dim[0] : 0;
    int64_t dim[STRAIT_MAX_DIMS];
    memcpy(dim, from->dim, sizeof dim);
    dim[0] = n;
    const strait_status status = strait_array_new(out, from->n_dims, dim, err);
    for (int64_t i = 0; i < n && status == STRAIT_OK; i++)
        memcpy((*out)->values + i * size, from->values + row[i] * size, (size_t)size * sizeof(float));
    return status;
}

void cli_to_unit(strait_array *array, const strait_data_info *info) {
    double low = 0, high = 1;
    if (strcmp(info->storage, "u8") == 0)
        high = 255;
    else if (strcmp(info->storage, "u16") == 0)
        high = 65535;
    else if (info->minimum < 0 || info->maximum > 1) {
        low = info->minimum;
        high = info->maximum > low ? info->maximum : low + 1;
    }
    const int64_t n = strait_array_count(array);
    for (int64_t i = 0; i < n; i++)
        array->values[i] = (float)((array->values[i] - low) / (high - low));
}

strait_status cli_write_sheet(const char *path, const strait_array *array, int columns, strait_error *err) {
    const int64_t n = array->dim[0];
    const int n_rows = (int)((n + columns - 1) / columns);
    const int64_t size = n > 0 ? strait_array_count(array) / n : 0;
    int64_t dim[STRAIT_MAX_DIMS];
    memcpy(dim, array->dim, sizeof dim);
    dim[0] = (int64_t)n_rows * columns; /* the last row is filled up with black: rows of a sheet are alike */
    strait_array *padded = NULL;
    strait_array *row = calloc((size_t)n_rows + 1, sizeof *row);
    const strait_array **pointer = calloc((size_t)n_rows + 1, sizeof *pointer);
    strait_status status = strait_array_new(&padded, array->n_dims, dim, err);
    if (status == STRAIT_OK && (!row || !pointer)) {
        status = STRAIT_MEMORY;
        if (err) {
            err->code = status;
            snprintf(err->message, sizeof err->message, "%s", strait_status_text(status));
        }
    }
    if (status == STRAIT_OK) {
        memcpy(padded->values, array->values, (size_t)(n * size) * sizeof(float));
        for (int i = 0; i < n_rows; i++) {
            row[i] = cli_slice(padded, (int64_t)i * columns, columns);
            pointer[i] = &row[i];
        }
        status = strait_picture_sheet(path, n_rows, pointer, NULL, columns, err);
    }
    free(pointer);
    free(row);
    strait_array_free(padded);
    return status;
}
