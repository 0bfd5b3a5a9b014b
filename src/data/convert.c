/* A data set written in another format. A file is written under another name and renamed; a folder likewise, as a
   whole: what has the final name is complete. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/array_stream.h"
#include "image/png.h"

/* ---- arrays ---- */

static strait_status write_array(const char *path, strait_data *data, bool labels, strait_error *err) {
    enum { BLOCK = 1 << 16 };
    st_array_stream bytes;
    st_file *file = NULL;
    ST_TRY(st_array_stream_open(&bytes, data, labels, err));
    char *block = st_alloc(BLOCK, 1);
    strait_status status = block ? st_file_create(&file, path, err) : st_fail_memory(err, BLOCK, "a block");
    for (size_t n; status == STRAIT_OK && (n = st_array_stream_read(&bytes, block, BLOCK)) > 0;)
        st_file_write(file, block, n);
    if (status == STRAIT_OK && bytes.status != STRAIT_OK) {
        status = st_fail(err, bytes.status, "%s", bytes.err.message);
        st_file_abandon(file);
    } else if (status == STRAIT_OK) {
        status = st_file_commit(file, err);
    }
    st_free(block);
    st_array_stream_close(&bytes);
    return status;
}

/* The labels first: samples are never there without them. */
static strait_status write_npy(const char *path, strait_data *data, strait_error *err) {
    if (data->source->labels) {
        char *labels = st_format("%.*s_labels.npy", (int)(strlen(path) - strlen(".npy")), path);
        if (!labels) return st_fail_memory(err, strlen(path), "a path");
        const strait_status status = write_array(labels, data, true, err);
        st_free(labels);
        if (status != STRAIT_OK) return status;
    }
    return write_array(path, data, false, err);
}

/* ---- tables ---- */

static void add_header(st_text *line, const strait_data *data) {
    const st_source *source = data->source;
    if (source->names) st_text_add(line, "name,");
    for (int64_t k = 0; k < source->n_values; k++) {
        if (k) st_text_add(line, ",");
        if (source->feature_names)
            st_text_add_cell(line, source->feature_names[k]);
        else
            st_text_add(line, "v%lld", (long long)k);
    }
    st_text_add(line, source->labels ? ",label\n" : "\n");
}

static void add_row(st_text *line, const strait_data *data, int64_t i, const void *sample) {
    const st_source *source = data->source;
    if (source->names) {
        st_text_add_cell(line, strait_data_sample_name(data, i));
        st_text_add(line, ",");
    }
    for (int64_t k = 0; k < source->n_values; k++) {
        char text[32];
        const float value = source->type == ST_U8    ? ((const uint8_t *)sample)[k]
                            : source->type == ST_U16 ? ((const uint16_t *)sample)[k]
                                                     : ((const float *)sample)[k];
        st_print_float(text, value);
        if (k) st_text_add_bytes(line, ",", 1);
        st_text_add_bytes(line, text, strlen(text));
    }
    if (source->labels) {
        const int64_t label = strait_data_label(data, i);
        const char *name = st_label_name(data, label);
        st_text_add(line, ",");
        if (name)
            st_text_add_cell(line, name);
        else
            st_text_add(line, "%lld", (long long)label);
    }
    st_text_add(line, "\n");
}

static strait_status write_line(st_file *file, st_text *line, strait_error *err) {
    char *text = NULL;
    const size_t n = line->length;
    ST_TRY(st_text_take(&text, line, err));
    st_file_write(file, text, n);
    st_free(text);
    return STRAIT_OK;
}

static strait_status write_csv(const char *path, strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    st_file *file = NULL;
    st_text line = {0};
    ST_TRY(st_source_check_uniform(source, err));
    void *scratch = st_alloc((size_t)source->n_values, st_dtype_size(source->type));
    if (!scratch) return st_fail_memory(err, (size_t)source->n_values, "a sample");
    strait_status status = st_file_create(&file, path, err);
    if (status == STRAIT_OK) {
        add_header(&line, data);
        status = write_line(file, &line, err);
    }
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++) {
        const void *sample = NULL;
        status = st_source_sample(&sample, source, st_data_source_sample(data, i), scratch, err);
        if (status != STRAIT_OK) break;
        add_row(&line, data, i, sample);
        status = write_line(file, &line, err);
    }
    if (status == STRAIT_OK) {
        status = st_file_commit(file, err);
    } else {
        st_file_abandon(file);
    }
    st_text_free(&line);
    st_free(scratch);
    return status;
}

/* ---- folders of images ---- */

/* A folder's name for a label: its own, but for what no name may hold; then its number goes with it. */
static char *label_folder(const strait_data *data, int64_t label) {
    const char *name = st_label_name(data, label);
    char *folder = name && *name ? st_strdup(name) : st_format("%lld", (long long)label);
    if (!folder) return NULL;
    bool changed = folder[0] == '.';
    if (changed) folder[0] = '_';
    for (char *c = folder; *c; c++) {
        if (*c != '/' && (unsigned char)*c >= ' ') continue;
        *c = '_';
        changed = true;
    }
    if (strlen(folder) > 200) folder[200] = '\0', changed = true;
    if (!changed) return folder;
    char *numbered = st_format("%s-%lld", folder, (long long)label);
    st_free(folder);
    return numbered;
}

/* No sync of its own: all of the folder is synced at once. */
static strait_status write_plain(const char *path, const char *bytes, size_t n, strait_error *err) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return st_fail_errno(err, "%s: cannot be written", path);
    strait_status status = STRAIT_OK;
    while (n > 0 && status == STRAIT_OK) {
        const ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            status = st_fail_errno(err, "%s: cannot be written", path);
        } else {
            bytes += put;
            n -= (size_t)put;
        }
    }
    if (close(fd) != 0 && status == STRAIT_OK) status = st_fail_errno(err, "%s: cannot be written", path);
    return status;
}

static strait_status write_image(const char *folder, const strait_data *data, int64_t i, const void *sample,
                                 unsigned char *bytes, strait_error *err) {
    const st_source *source = data->source;
    const int64_t *size = source->sizes ? source->sizes[st_data_source_sample(data, i)] : source->dim;
    st_image image = {.height = (int)size[0],
                      .width = (int)size[1],
                      .channels = (int)source->dim[2],
                      .bits = source->type == ST_U16 ? 16 : 8,
                      .values = (void *)sample};
    if (source->type == ST_F32) {
        for (int64_t k = 0; k < source->n_values; k++)
            bytes[k] = st_png_byte(((const float *)sample)[k]);
        image.values = bytes;
    }
    char *below = source->labels ? label_folder(data, strait_data_label(data, i)) : st_strdup(".");
    char *inside = below ? st_path_join(folder, below) : NULL;
    char *path = inside ? st_format("%s/%07lld.png", inside, (long long)i) : NULL, *png = NULL;
    size_t n = 0;
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK && mkdir(inside, 0777) != 0 && errno != EEXIST)
        status = st_fail_errno(err, "%s: cannot be made", inside);
    if (status == STRAIT_OK) status = st_png_encode_image(&png, &n, &image, err);
    if (status == STRAIT_OK) status = write_plain(path, png, n, err);
    st_free(png);
    st_free(path);
    st_free(inside);
    st_free(below);
    return status;
}

static strait_status write_images(const char *folder, strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    const size_t n_values = (size_t)source->n_values;
    void *scratch = st_alloc(n_values, st_dtype_size(source->type));
    unsigned char *bytes = st_alloc(n_values, 1);
    strait_status status = scratch && bytes ? STRAIT_OK : st_fail_memory(err, n_values, "a sample");
    for (int64_t i = 0; i < data->n && status == STRAIT_OK; i++) {
        const void *sample = NULL;
        status = st_source_sample(&sample, source, st_data_source_sample(data, i), scratch, err);
        if (status == STRAIT_OK) status = write_image(folder, data, i, sample, bytes, err);
    }
    st_free(scratch);
    st_free(bytes);
    return status;
}

static strait_status check_images(const char *path, strait_data *data, strait_error *err) {
    const st_source *source = data->source;
    strait_data_info info;
    if (source->n_dims != 3 || (source->dim[2] != 1 && source->dim[2] != 3))
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: the samples of %s are no images of 1 or 3 channels; write them as .npy, .npz or .csv", path,
                       data->name);
    if (source->type != ST_F32) return STRAIT_OK;
    ST_TRY(strait_data_describe(data, &info, err));
    if (info.minimum >= 0 && info.maximum <= 1) return STRAIT_OK;
    return st_fail(err, STRAIT_ARGUMENT, "%s: values from %g to %g have no place in PNG; write them as .npy or .npz",
                   path, info.minimum, info.maximum);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

static void remove_folder(const char *folder) {
    const int fds = 16;
    if (nftw(folder, remove_entry, fds, FTW_DEPTH | FTW_PHYS) != 0) return;
}

/* Makes all of it last, then gives it its name. */
static strait_status name_folder(const char *temporary, const char *path, strait_error *err) {
    const int fd = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && syncfs(fd) == 0;
    const int failure = errno;
    if (fd >= 0) close(fd);
    errno = failure;
    if (!synced && (errno == EIO || errno == ENOSPC)) return st_fail_errno(err, "%s: cannot be written", path);
    if (rename(temporary, path) == 0) return STRAIT_OK;
    return st_fail_errno(err, "%s: cannot be written", path);
}

static strait_status write_folder(const char *path, strait_data *data, strait_error *err) {
    if (st_path_exists(path))
        return st_fail(err, STRAIT_ARGUMENT, "%s: is there already; name a new folder, or remove it", path);
    ST_TRY(check_images(path, data, err));
    char *clean = st_strdup(path), *folder = NULL, *temporary = NULL;
    for (size_t n = clean ? strlen(clean) : 0; n > 1 && clean[n - 1] == '/'; n--)
        clean[n - 1] = '\0';
    if (clean) folder = st_path_folder(clean);
    if (folder) temporary = st_format("%s/.strait-%ld-folder.tmp", folder, (long)getpid());
    strait_status status = temporary ? STRAIT_OK : st_fail_memory(err, strlen(path), "a path");
    if (status == STRAIT_OK && mkdir(temporary, 0777) != 0) status = st_fail_errno(err, "%s: cannot be written", path);
    if (status == STRAIT_OK) {
        status = write_images(temporary, data, err);
        if (status == STRAIT_OK) status = name_folder(temporary, clean, err);
        if (status != STRAIT_OK) remove_folder(temporary);
    }
    st_free(temporary);
    st_free(folder);
    st_free(clean);
    return status;
}

/* ---- by name ---- */

strait_status strait_data_write(const char *path, strait_data *data, strait_error *err) {
    static const struct {
        const char *ending;
        strait_status (*write)(const char *path, strait_data *data, strait_error *err);
    } writers[] = {{".npy", write_npy}, {".npz", st_npz_write}, {".csv", write_csv}};
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
        if (st_ends_with(path, writers[i].ending)) return writers[i].write(path, data, err);
    if (strchr(st_path_name(path), '.'))
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: cannot tell the format; end the name in .npy, .npz or .csv, or name a folder without a dot",
                       path);
    return write_folder(path, data, err);
}
